//! Fills a store from files and streams, on all cores; `ingest` does nothing else, `query --input` does it for a store of its own.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context;
use bumpalo::Bump;
use serde::Serialize;

use super::exit_code::WrongUsage;
use super::fleet::definitions::Definitions;
use super::global::GlobalArgs;
use super::output::{redactor, say};
use super::problems::{PassedOver, Problems};
use super::progress::shown;
use crate::analysis::facts::{Rebuilt, extract};
use crate::analysis::ingest::{IngestReport, SCHEMA};
use crate::model::facts::Needs;
use crate::model::{History, Timestamp};
use crate::rebuild::rebuild;
use crate::sources::{DefinitionSet, Input, Limits, Progress, Rejected, Worker, read_definitions, read_in_parallel};
use crate::store::layout::REJECTED;
use crate::store::{Store, StoreError, Worker as Adding, Writer};

/// What is put into a store, and where what can't be read is set aside.
pub struct Filling<'a> {
    /// Files, folders, or `-`.
    pub inputs: &'a [String],
    /// Definitions for histories that come without one.
    pub definitions: Option<&'a Path>,
    /// In place of a file in the store's folder `.rejected`.
    pub rejected: Option<&'a Path>,
}

/// Reads and stores, says on stderr what could not be, and tells what came of it; whether everything was stored is the second answer.
pub fn fill(filling: &Filling<'_>, folder: &Path, global: &GlobalArgs, words: &mut dyn Write) -> anyhow::Result<(IngestReport, bool)> {
    let began = Instant::now();
    let now = Timestamp::now();
    let inputs = inputs(filling.inputs)?;
    let failed = || format!("failed to write the store {}", folder.display());
    let store = Store::create_or_open(folder).with_context(failed)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let writer = store.writer(now, threads).with_context(failed)?;
    let (definitions, problems) = filling.definitions.map(|folder| read_definitions(folder, &Limits::default())).unwrap_or_default();
    let shared = Shared {
        inputs: filling.inputs,
        definitions_folder: filling.definitions,
        definitions,
        rejects: Rejects::new(filling.rejected.map_or_else(|| rejects_of(store.root(), now), Path::to_owned)),
        failure: Mutex::new(None),
        has_failed: AtomicBool::new(false),
    };
    let progress = Progress::default();
    let counts = shown(&progress, global, || {
        let workers = read_in_parallel(inputs, &Limits::default(), threads, &progress, || Ingesting::new(&shared, &writer));
        finish(workers)
    });
    if let Some(error) = shared.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(anyhow::Error::from(error).context(failed()));
    }
    let damaged = writer.take_damaged();
    let rejected_file = shared.rejects.close().context("failed to set aside what could not be read")?;
    let written = writer.written();
    drop(writer);
    let report = IngestReport {
        schema: SCHEMA,
        store: folder.display().to_string(),
        read: written.new + written.replaced + written.unchanged + written.older,
        events: progress.events.load(Ordering::Relaxed),
        new: written.new,
        replaced: written.replaced,
        unchanged: written.unchanged,
        older: written.older,
        rejected: counts.rejected.count(),
        rejected_file: rejected_file.map(|file| file.display().to_string()),
        passed_over: counts.passed_over.count(),
        damaged: damaged.iter().map(ToString::to_string).collect(),
        batches: written.batches,
        bytes_in: progress.bytes.load(Ordering::Relaxed),
        bytes_out: written.bytes,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let mut said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    said.extend(counts.rejected.words());
    said.extend(report.damaged.iter().map(|problem| format!("{problem}; its executions count as not stored")));
    if !global.quiet {
        said.extend(counts.passed_over.words(filling.definitions.is_some()));
    }
    for text in said {
        say(words, redactor(global), &text);
    }
    let is_whole = problems.is_empty() && report.rejected == 0 && report.damaged.is_empty();
    Ok((report, is_whole))
}

fn inputs(names: &[String]) -> anyhow::Result<Vec<Input>> {
    if names.iter().filter(|name| *name == "-").count() > 1 {
        return Err(WrongUsage("standard input can be read once; give `-` once".to_owned()).into());
    }
    let input = |name: &String| match Path::new(name) {
        _ if name == "-" => Ok(Input::standard_input()),
        path if path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir()) => {
            let pipe = File::open(path).with_context(|| format!("failed to open {name}"))?;
            Ok(Input::Stream(name.clone(), Box::new(pipe)))
        }
        path => Ok(Input::Path(path.to_owned())),
    };
    names.iter().map(input).collect()
}

/// What all threads look at.
struct Shared<'a> {
    inputs: &'a [String],
    definitions_folder: Option<&'a Path>,
    definitions: DefinitionSet,
    rejects: Rejects,
    /// Why the store could not be written.
    failure: Mutex<Option<StoreError>>,
    has_failed: AtomicBool,
}

impl Shared<'_> {
    /// The first one is told.
    fn fail(&self, error: StoreError) {
        self.has_failed.store(true, Ordering::Relaxed);
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Whether a source is a file in a folder that was given, and not given itself.
    fn is_in_folder(&self, source: &str) -> bool {
        let inputs = self.inputs;
        !inputs.iter().any(|input| input == source) && inputs.iter().any(|input| Path::new(source).starts_with(input))
    }
}

/// What one thread does.
struct Ingesting<'a> {
    shared: &'a Shared<'a>,
    adding: Adding,
    definitions: Definitions,
    arena: Bump,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    rejected: Problems,
    passed_over: PassedOver,
}

impl<'a> Ingesting<'a> {
    fn new(shared: &'a Shared<'a>, writer: &Writer) -> Self {
        Self { shared, adding: writer.worker(), definitions: Definitions::default(), arena: Bump::new(), counts: Counts::default() }
    }
}

impl Worker for Ingesting<'_> {
    fn take(&mut self, mut history: History) {
        if self.shared.has_failed.load(Ordering::Relaxed) {
            return;
        }
        if history.definition.is_none() {
            history.definition = self.shared.definitions.find(&history.header);
            let folder = self.shared.definitions_folder.filter(|_| history.definition.is_some());
            history.origin.definitions = folder.map(|folder| folder.display().to_string());
        }
        let definition = self.definitions.of(&mut history);
        let path = rebuild(&history, definition.as_deref());
        self.arena.reset();
        let facts = extract(Rebuilt { history: &history, path: &path, definition: definition.as_deref() }, Needs::ALL, &self.arena);
        if let Err(error) = self.adding.add(&history, &path, &facts) {
            self.shared.fail(error);
        }
    }

    fn reject(&mut self, rejected: Rejected<'_>) {
        let error = &rejected.error;
        if error.is_remark() || error.is_unrelated() && self.shared.is_in_folder(error.source_and_line().0) {
            self.counts.passed_over.add(error);
        } else {
            self.shared.rejects.add(&rejected);
            self.counts.rejected.add(error);
        }
    }

    fn goes_on(&self) -> bool {
        !self.shared.has_failed.load(Ordering::Relaxed)
    }
}

/// Lets every thread commit what it has left.
fn finish(workers: Vec<Ingesting<'_>>) -> Counts {
    let mut counts = Counts::default();
    std::thread::scope(|scope| {
        for worker in workers {
            counts.rejected.merge(worker.counts.rejected);
            counts.passed_over.merge(worker.counts.passed_over);
            let (shared, adding) = (worker.shared, worker.adding);
            scope.spawn(move || {
                if !shared.has_failed.load(Ordering::Relaxed)
                    && let Err(error) = adding.finish()
                {
                    shared.fail(error);
                }
            });
        }
    });
    counts
}

/// Where records are set aside unless a file is named.
fn rejects_of(store: &Path, now: Timestamp) -> PathBuf {
    store.join(REJECTED).join(format!("{}.jsonl", now.strftime("%Y-%m-%dT%H-%M-%S%.3fZ")))
}

/// A file for what could not be read; it is made when there is something to write.
struct Rejects {
    path: PathBuf,
    file: Mutex<Option<io::Result<BufWriter<File>>>>,
}

/// One line of it.
#[derive(Serialize)]
struct Reject<'r> {
    file: &'r str,
    line: Option<usize>,
    error: String,
    text: Cow<'r, str>,
}

impl Rejects {
    fn new(path: PathBuf) -> Self {
        Self { path, file: Mutex::new(None) }
    }

    fn add(&self, rejected: &Rejected<'_>) {
        // A file as a whole is where it was.
        if rejected.text.is_empty() {
            return;
        }
        let (file, line) = rejected.error.source_and_line();
        let reject = Reject { file, line, error: rejected.error.to_string(), text: String::from_utf8_lossy(rejected.text) };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = file.get_or_insert_with(|| self.open());
        if let Ok(writer) = opened
            && let Err(error) = serde_json::to_writer(&mut *writer, &reject).map_err(io::Error::from).and_then(|()| writer.write_all(b"\n"))
        {
            *opened = Err(error);
        }
    }

    fn open(&self) -> io::Result<BufWriter<File>> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(BufWriter::new(File::create(&self.path)?))
    }

    /// The file, if something was written; fails when something could not be.
    fn close(self) -> anyhow::Result<Option<PathBuf>> {
        let Some(file) = self.file.into_inner().unwrap_or_else(PoisonError::into_inner) else { return Ok(None) };
        file.and_then(|mut file| file.flush()).with_context(|| self.path.display().to_string())?;
        Ok(Some(self.path))
    }
}

//! What there is to read, and the threads that read it.
//!
//! | there is                           | a thread that has nothing to do                 |
//! |------------------------------------|-------------------------------------------------|
//! | an open stream that nobody reads   | takes its next chunk                            |
//! | a file that nobody has opened      | opens it: reads it alone, or makes it a stream  |
//! | an open stream that somebody reads | waits for its turn                              |
//! | a file that somebody is opening    | waits for what becomes of it                    |
//! | nothing                            | is done                                         |
//!
//! When a worker wants no more, or panics, everybody stops after what they are at.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::super::compression::decompressed;
use super::super::documents::{AT_ONCE, Opened, Read as Found, Reader, Tally};
use super::super::error::{Place, Rejected, SourceError};
use super::super::executions::{self, Sequence, Unit};
use super::super::folder::walk;
use super::super::limits::Limits;
use super::super::log_records::Collector;
use super::cutter::{Chunk, Cutter};
use super::stream::{Loose, Stream, locked};
use super::{Counted, Input, Progress, Worker};
use crate::model::{History, RawText};

/// The first chunks of an input are small: they are read by one thread, until there is a history.
const FIRST_CHUNK: usize = 64 << 10;

/// One file or stream that nobody has opened yet.
struct Job {
    what: What,
    folder: Option<InFolder>,
}

enum What {
    File(PathBuf),
    Stream(String, Box<dyn Read + Send>),
}

/// A file's place in a folder whose loose files are put together.
#[derive(Clone)]
struct InFolder {
    folder: Arc<Folder>,
    number: usize,
}

/// A folder whose files are being read.
struct Folder {
    path: PathBuf,
    /// Files that were not read to their end.
    left: AtomicUsize,
    /// What no file completed by itself, with the number of the file.
    loose: Mutex<Vec<(usize, Unit)>>,
}

/// An open stream and where it belongs.
struct Open<'r> {
    stream: Stream<'r>,
    folder: Option<InFolder>,
}

struct State<'r> {
    waiting: VecDeque<Job>,
    streams: Vec<Arc<Open<'r>>>,
    /// Threads that open a job, which may make it a stream.
    opening: usize,
}

/// Everything there is to read.
pub(super) struct Jobs<'r> {
    limits: &'r Limits,
    progress: &'r Progress,
    chunk: usize,
    state: Mutex<State<'r>>,
    changed: Condvar,
    /// Log records of all inputs.
    collector: Collector,
    /// Nothing more is to be read.
    is_over: AtomicBool,
}

/// Stops the other threads when its own panics: they would wait for it without end.
struct StopsOnPanic<'j, 'r>(&'j Jobs<'r>);

impl Drop for StopsOnPanic<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

enum Next<'r> {
    Help(Arc<Open<'r>>),
    Open(Job),
}

impl<'r> Jobs<'r> {
    /// Finds the files of folders; what is wrong with these goes to `worker`.
    pub(super) fn new(inputs: Vec<Input>, limits: &'r Limits, progress: &'r Progress, chunk: usize, worker: &mut dyn Worker) -> Self {
        let mut waiting = VecDeque::new();
        for input in inputs {
            match input {
                Input::Path(path) if path.is_dir() => add_folder(&path, limits, progress, &mut waiting, worker),
                Input::Path(path) => {
                    count_size(&path, progress);
                    waiting.push_back(Job { what: What::File(path), folder: None });
                }
                Input::Stream(origin, stream) => waiting.push_back(Job { what: What::Stream(origin, stream), folder: None }),
            }
        }
        let state = Mutex::new(State { waiting, streams: Vec::new(), opening: 0 });
        let collector = Collector::new(limits);
        Self { limits, progress, chunk, state, changed: Condvar::new(), collector, is_over: AtomicBool::new(false) }
    }

    /// Reads until nothing is left to read.
    pub(super) fn work<W: Worker>(&self, worker: &mut W) {
        let _stops = StopsOnPanic(self);
        while let Some(next) = self.next() {
            match next {
                Next::Help(open) => {
                    self.help(&open, worker);
                    self.remove(&open);
                }
                Next::Open(job) => {
                    self.open(job, worker);
                    locked(&self.state).opening -= 1;
                    self.changed.notify_all();
                }
            }
        }
    }

    /// Hands on executions of which a log has not shown all; for every thread, once all have read.
    pub(super) fn finish_logs<W: Worker>(&self, worker: &mut W) {
        let _stops = StopsOnPanic(self);
        if !self.is_over() {
            self.collector.finish_a_part(&mut |result| self.settle_log(result, worker));
        }
    }

    /// What there is to say about all log records.
    pub(super) fn report_logs<W: Worker>(&self, worker: &mut W) {
        self.collector.report(&mut |result| self.settle_log(result, worker));
    }

    fn message<W: Worker>(&self, text: &RawText, place: &Place, worker: &mut W) {
        self.collector.add_message(&text.decode(), place, &mut |result| self.settle_log(result, worker));
    }

    fn settle_log<W: Worker>(&self, result: Result<History, Rejected<'_>>, worker: &mut W) {
        match result {
            Ok(history) => self.take(history, worker),
            Err(rejected) => self.reject(rejected, worker),
        }
    }

    /// Ends reading for all threads.
    fn stop(&self) {
        self.is_over.store(true, Ordering::Release);
        for open in &locked(&self.state).streams {
            open.stream.stop();
        }
        self.changed.notify_all();
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn next(&self) -> Option<Next<'r>> {
        let mut state = locked(&self.state);
        loop {
            if self.is_over() {
                return None;
            }
            let is_free = |open: &&Arc<Open<'r>>| open.stream.source.try_lock().is_ok();
            if let Some(open) = state.streams.iter().find(is_free) {
                return Some(Next::Help(Arc::clone(open)));
            }
            if let Some(job) = state.waiting.pop_front() {
                state.opening += 1;
                return Some(Next::Open(job));
            }
            if let Some(open) = state.streams.first() {
                return Some(Next::Help(Arc::clone(open)));
            }
            if state.opening == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn remove(&self, open: &Arc<Open<'r>>) {
        locked(&self.state).streams.retain(|other| !Arc::ptr_eq(open, other));
        self.changed.notify_all();
    }

    fn open<W: Worker>(&self, job: Job, worker: &mut W) {
        let Job { what, folder } = job;
        match what {
            What::File(path) => {
                let origin = path.display().to_string();
                match File::open(&path) {
                    Ok(file) => self.open_input(origin, file, folder, worker),
                    Err(reason) => {
                        self.reject(Rejected { error: SourceError::Unreadable { origin, reason }, text: &[] }, worker);
                        self.end_of_file(folder.as_ref(), worker);
                    }
                }
            }
            What::Stream(origin, stream) => self.open_input(origin, stream, folder, worker),
        }
    }

    fn open_input<W: Worker>(&self, origin: String, input: impl Read + Send + 'r, folder: Option<InFolder>, worker: &mut W) {
        let mut sequence = Sequence::default();
        let mut head = Vec::new();
        let mut rest = None;
        let is_lines = {
            let mut sink = |part: Result<Found, Rejected<'_>>| match part {
                Ok(Found::Part(part, place)) => sequence.take(part, place, &mut |unit| self.settle(unit, folder.as_ref(), worker)),
                Ok(Found::Message(text, place)) => self.message(&text, &place, worker),
                Err(rejected) => self.reject(rejected, worker),
            };
            let mut reader = Reader::new(&origin, self.limits, &mut sink);
            match decompressed(Counted { inner: input, progress: self.progress }, self.limits) {
                Err(reason) => {
                    reader.unreadable(reason);
                    None
                }
                Ok(mut input) => {
                    let mut opened = reader.open(&mut head, &mut input, self.chunk.max(FIRST_CHUNK));
                    while opened == Opened::More && reader.begins_lines(&head) != Some(true) && head.len() < AT_ONCE {
                        let more = head.len() * 4;
                        if reader.fill(&mut head, &mut input, more.min(AT_ONCE)) {
                            opened = Opened::Whole;
                        }
                    }
                    let is_lines = opened != Opened::Nothing && reader.begins_lines(&head) == Some(true);
                    match opened {
                        Opened::Nothing => {}
                        _ if is_lines => rest = (opened == Opened::More).then_some(input),
                        Opened::Whole => reader.at_once(std::mem::take(&mut head)),
                        Opened::More => reader.streamed(std::mem::take(&mut head), input),
                    }
                    reader.give_up_held_back();
                    is_lines.then_some((reader.is_cut, reader.form))
                }
            }
        };
        let Some((is_cut, form)) = is_lines else {
            sequence.finish(&mut |unit| self.settle(unit, folder.as_ref(), worker));
            return self.end_of_file(folder.as_ref(), worker);
        };
        let cutter = Cutter::new(head, rest, self.chunk, is_cut, form, self.limits);
        let open = Arc::new(Open { stream: Stream::new(origin, cutter, form), folder });
        locked(&self.state).streams.push(Arc::clone(&open));
        self.changed.notify_all();
        self.help(&open, worker);
        self.remove(&open);
    }

    /// Reads chunks of the stream until there are no more.
    fn help<W: Worker>(&self, open: &Open<'r>, worker: &mut W) {
        let stream = &open.stream;
        let mut spare = Vec::new();
        loop {
            let mut source = locked(&stream.source);
            if self.is_over() {
                return;
            }
            let (is_sure, is_log) = (source.tally.found > 0, source.tally.is_log);
            let chunk = source.cutter.next(if is_sure { self.chunk } else { FIRST_CHUNK.min(self.chunk) }, std::mem::take(&mut spare));
            if let Some(reason) = source.cutter.failure.take() {
                let error = SourceError::Unreadable { origin: stream.origin.clone(), reason };
                self.reject(Rejected { error, text: &[] }, worker);
            }
            let Some(chunk) = chunk else {
                let count = source.chunks;
                let held_back = source.tally.take_held_back();
                drop(source);
                for (error, text) in held_back {
                    self.reject(Rejected { error, text: &text }, worker);
                }
                if stream.end(count, &mut |unit| self.settle(unit, open.folder.as_ref(), worker)) {
                    self.end_of_stream(open, worker);
                }
                return;
            };
            let number = source.chunks;
            source.chunks += 1;
            let is_cut = source.cutter.is_cut;
            let mut source = (!is_sure).then_some(source);
            let mut loose = Loose::default();
            let mut sink = |part: Result<Found, Rejected<'_>>| match part {
                Ok(Found::Part(part, place)) => loose.take(part, place, &mut |unit| self.settle(unit, open.folder.as_ref(), worker)),
                Ok(Found::Message(text, place)) => self.message(&text, &place, worker),
                Err(rejected) => self.reject(rejected, worker),
            };
            let mut reader = Reader::new(&stream.origin, self.limits, &mut sink);
            reader.is_cut = is_cut;
            reader.form = stream.form;
            match &mut source {
                Some(source) => reader.tally = std::mem::take(&mut source.tally),
                // There was a history: never hopeless.
                None => reader.tally = Tally::after(is_log),
            }
            let text = match chunk {
                Chunk::Records { first_line, bytes } => reader.records(bytes, first_line),
                Chunk::TooLarge { line } => {
                    reader.too_large(Place::line(&stream.origin, line));
                    None
                }
            };
            if let Some(source) = &mut source {
                source.tally = std::mem::take(&mut reader.tally);
                if source.tally.is_hopeless() {
                    source.cutter.stop();
                }
            }
            drop(source);
            if stream.join(number, loose, &mut |unit| self.settle(unit, open.folder.as_ref(), worker)) {
                self.end_of_stream(open, worker);
            }
            // The buffer is used again unless something that waits still holds its text.
            spare = text.and_then(Arc::into_inner).map(String::into_bytes).unwrap_or_default();
        }
    }

    fn end_of_stream<W: Worker>(&self, open: &Open<'r>, worker: &mut W) {
        self.end_of_file(open.folder.as_ref(), worker);
    }

    /// The file was read; the last one of a folder puts together what is loose in it.
    fn end_of_file<W: Worker>(&self, file: Option<&InFolder>, worker: &mut W) {
        let Some(InFolder { folder, .. }) = file else { return };
        if folder.left.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let mut loose = std::mem::take(&mut *locked(&folder.loose));
        // In the order in which one thread would have found them.
        loose.sort_by_key(|(number, unit)| (*number, unit.place.line, unit.place.entry));
        let units = loose.into_iter().map(|(_, unit)| unit).collect();
        executions::of_folder(&folder.path.display().to_string(), units, &mut |history| match history {
            Ok(history) => self.take(history, worker),
            Err(error) => self.reject(Rejected { error, text: &[] }, worker),
        });
    }

    /// Hands on what is complete, and keeps the rest for the end of the folder.
    fn settle<W: Worker>(&self, unit: Unit, file: Option<&InFolder>, worker: &mut W) {
        if let Some(file) = file.filter(|_| !unit.is_complete()) {
            return locked(&file.folder.loose).push((file.number, unit));
        }
        match unit.into_history(None) {
            Ok(history) => self.take(history, worker),
            Err(error) => self.reject(Rejected { error, text: &[] }, worker),
        }
    }

    fn take<W: Worker>(&self, history: crate::model::History, worker: &mut W) {
        self.progress.executions.fetch_add(1, Ordering::Relaxed);
        self.progress.events.fetch_add(history.events.len() as u64, Ordering::Relaxed);
        worker.take(history);
        if !worker.goes_on() {
            self.stop();
        }
    }

    fn reject<W: Worker>(&self, rejected: Rejected<'_>, worker: &mut W) {
        self.progress.rejected.fetch_add(1, Ordering::Relaxed);
        worker.reject(rejected);
    }
}

fn add_folder(root: &Path, limits: &Limits, progress: &Progress, waiting: &mut VecDeque<Job>, worker: &mut dyn Worker) {
    let (mut seen, mut problems) = (0, Vec::new());
    let mut visit = |folder: &Path, files: Vec<PathBuf>| {
        seen += files.len();
        let shared = Arc::new(Folder { path: folder.to_path_buf(), left: AtomicUsize::new(files.len()), loose: Mutex::default() });
        for (number, file) in files.into_iter().enumerate() {
            count_size(&file, progress);
            waiting.push_back(Job { what: What::File(file), folder: Some(InFolder { folder: Arc::clone(&shared), number }) });
        }
    };
    walk(root, limits, &mut visit, &mut |error| problems.push(error));
    if seen == 0 && problems.is_empty() {
        problems.push(SourceError::EmptyFolder { origin: root.display().to_string() });
    }
    for error in problems {
        progress.rejected.fetch_add(1, Ordering::Relaxed);
        worker.reject(Rejected { error, text: &[] });
    }
}

fn count_size(path: &Path, progress: &Progress) {
    let size = fs::metadata(path).ok().filter(fs::Metadata::is_file).map_or(0, |about| about.len());
    progress.total_bytes.fetch_add(size, Ordering::Relaxed);
}

//! What the ResultWriter of a Distributed Map left behind: a manifest, and files with a record for each child execution.
//!
//! ```text
//! <prefix>/<id of the Map Run>/manifest.json
//!                              SUCCEEDED_0.json  FAILED_0.json  PENDING_0.json    or .jsonl; from 5 GB on _1, _2, …
//! ```
//!
//! | `Transformation` | SUCCEEDED holds                        | FAILED and PENDING hold |
//! |------------------|----------------------------------------|-------------------------|
//! | NONE             | records                                | records                 |
//! | COMPACT          | outputs                                | records                 |
//! | FLATTEN          | outputs; the items of arrays apart     | records                 |
//!
//! Read as a stream, an element at a time, from a folder or from S3 ([`Place`]): a file may have 5 GB. What breaks off counts as far as it
//! came, and every fault is told with its place (Step Functions Developer Guide, "ResultWriter").

mod elements;
mod folder;
mod manifest;
mod record;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::elements::Elements;
use super::compression::decompressed;
use super::limits::Limits;
use crate::model::{ExecutionStatus, MapChild};

pub use folder::Folder;
pub use manifest::{Manifest, ManifestFile};

/// The most bytes of one record: an input and an output of 256 KiB, escaped, are far below.
const LARGEST_ELEMENT: usize = 64 << 20;

/// A manifest of more bytes names more files than a Map Run can have.
const LARGEST_MANIFEST: u64 = 64 << 20;

/// How many faults of a file are told word for word; the others are counted.
const TOLD_FAULTS: usize = 5;

/// Which of the three kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words of the service")]
pub enum Group {
    Succeeded,
    Failed,
    Pending,
}

impl Group {
    /// All of them, in the order in which they are read.
    pub const ALL: [Self; 3] = [Self::Failed, Self::Pending, Self::Succeeded];

    /// As file names begin.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Pending => "PENDING",
        }
    }

    /// The status of a record that names none that we know.
    fn status(self) -> Option<ExecutionStatus> {
        match self {
            Self::Succeeded => Some(ExecutionStatus::Succeeded),
            Self::Failed => Some(ExecutionStatus::Failed),
            Self::Pending => None,
        }
    }

    /// Of a file's name, such as `FAILED_0.json`; `None` for files of another kind.
    fn of_file(name: &str) -> Option<Self> {
        let (group, rest) = name.split_once('_')?;
        let group = Self::ALL.into_iter().find(|known| known.name() == group)?;
        let (number, ending) = rest.split_once('.')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let ending = ending.strip_suffix(".gz").or(ending.strip_suffix(".zst")).unwrap_or(ending);
        (is_number && matches!(ending, "json" | "jsonl")).then_some(group)
    }
}

/// Where result files are: a folder, or a bucket.
pub trait Place {
    /// What messages call a file.
    fn name(&self, path: &str) -> String;

    /// All files below the place: their path, with `/` between folders, and size in bytes.
    fn list(&mut self) -> Result<Vec<(String, u64)>, String>;

    /// Begins to read a file.
    fn open(&mut self, path: &str) -> Result<Box<dyn Read + Send + '_>, String>;
}

/// The result files of one Map Run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultSet {
    /// What messages call it: the manifest, or the folder of the files.
    pub name: String,
    /// The manifest, where there is one.
    pub manifest: Option<Manifest>,
    /// The files, those with failures first.
    pub files: Vec<ResultFile>,
}

/// A file of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultFile {
    /// Its path in its [`Place`].
    pub path: String,
    /// What it holds.
    pub group: Group,
    /// Its bytes as the manifest has them.
    pub size: Option<u64>,
}

/// An element of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// The record of a child execution.
    Child(Box<MapChild>),
    /// The output of a child that succeeded, or a part of it.
    Output,
}

/// What came of reading a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileOutcome {
    /// Elements that were read.
    pub elements: u64,
    /// Bytes that were read, as they lie there.
    pub bytes: u64,
    /// Elements that could not be read.
    pub damaged: u64,
    /// Why, with their place; not more than a few.
    pub faults: Vec<String>,
    /// Why the rest of the file was not read.
    pub broke_off: Option<String>,
}

/// The results below a place, with what could not be read; one for each manifest, or for each folder that holds files without one.
pub fn find(place: &mut dyn Place) -> Result<(Vec<ResultSet>, Vec<String>), String> {
    let mut paths: Vec<String> = place.list()?.into_iter().map(|(path, _)| path).collect();
    paths.sort();
    let (mut sets, mut problems) = (Vec::new(), Vec::new());
    let folder_of = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let mut folders: Vec<String> = paths.iter().map(|path| folder_of(path)).collect();
    folders.dedup();
    folders.sort();
    folders.dedup();
    for folder in folders {
        let here: Vec<&String> = paths.iter().filter(|path| folder_of(path) == folder).collect();
        if let Some(path) = here.iter().find(|path| file_name(path) == manifest::NAME) {
            match of_manifest(place, path) {
                Ok(set) => {
                    sets.push(set);
                    continue;
                }
                // Its files may be whole.
                Err(problem) => problems.push(problem),
            }
        }
        let mut files: Vec<ResultFile> = here
            .iter()
            .filter_map(|path| Some(ResultFile { group: Group::of_file(file_name(path))?, path: (*path).clone(), size: None }))
            .collect();
        if !files.is_empty() {
            files.sort_by_key(|file| Group::ALL.iter().position(|group| *group == file.group));
            sets.push(ResultSet { name: place.name(&folder), manifest: None, files });
        }
    }
    Ok((sets, problems))
}

/// The results that a manifest names. Its files lie beside it, as the service puts them, wherever it was copied to.
pub fn of_manifest(place: &mut dyn Place, path: &str) -> Result<ResultSet, String> {
    let name = place.name(path);
    let mut text = Vec::new();
    place.open(path)?.take(LARGEST_MANIFEST).read_to_end(&mut text).map_err(|error| format!("{name}: {error}"))?;
    let manifest = Manifest::parse(&text).map_err(|error| format!("{name} is no manifest of a ResultWriter: {error}"))?;
    let beside = |key: &str| match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{}", file_name(key)),
        None => file_name(key).to_owned(),
    };
    let files = Group::ALL.into_iter().flat_map(|group| {
        let of_group = manifest.files(group).iter();
        of_group.map(move |file| (group, file))
    });
    let files = files.map(|(group, file)| ResultFile { path: beside(&file.key), group, size: Some(file.size) }).collect();
    Ok(ResultSet { name, manifest: Some(manifest), files })
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Reads a file to its end, or to where it breaks off.
pub fn read(place: &mut dyn Place, file: &ResultFile, take: &mut dyn FnMut(Element)) -> FileOutcome {
    let input = match place.open(&file.path) {
        Ok(input) => input,
        Err(problem) => return FileOutcome { broke_off: Some(problem), ..FileOutcome::default() },
    };
    read_from(input, file, take)
}

fn read_from<'r>(input: impl Read + Send + 'r, file: &ResultFile, take: &mut dyn FnMut(Element)) -> FileOutcome {
    let mut outcome = FileOutcome::default();
    let counted = Counted::new(input);
    let bytes = Arc::clone(&counted.bytes);
    let has_lines = file_name(&file.path).contains(".jsonl");
    match decompressed(counted, &Limits::default()) {
        Ok(input) => {
            let mut elements = Elements::new(input, has_lines, LARGEST_ELEMENT);
            loop {
                match elements.next() {
                    Ok(None) => break,
                    Ok(Some(element)) => match record::read(element.text, file.group) {
                        Ok(read) => {
                            outcome.elements += 1;
                            take(read);
                        }
                        Err(reason) => {
                            outcome.damaged += 1;
                            if outcome.faults.len() < TOLD_FAULTS {
                                outcome.faults.push(format!("element {} (at byte {}): {reason}", element.number, element.offset));
                            }
                        }
                    },
                    Err(reason) => {
                        outcome.broke_off = Some(reason);
                        break;
                    }
                }
            }
        }
        Err(error) => outcome.broke_off = Some(error.to_string()),
    }
    outcome.bytes = bytes.load(Ordering::Relaxed);
    outcome
}

/// Counts the bytes that are read through it.
struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    fn new(inner: R) -> Self {
        Self { inner, bytes: Arc::default() }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests;

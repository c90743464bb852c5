//! Executions from files, folders and streams.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::documents;
use super::error::{Rejected, SourceError};
use super::executions::{Sequence, Unit};
use super::folder;
use super::limits::Limits;
use super::log_records::Collector;
use crate::model::History;

/// Reads every execution that a file or a folder holds.
///
/// One bad part goes to `sink` as an error, and the rest is read all the same. From JSON Lines one history is in memory at a time. Log
/// records are put together at the end: all files of a folder are one input.
pub fn read_path(path: &Path, limits: &Limits, sink: &mut dyn FnMut(Result<History, SourceError>)) {
    let collector = Collector::new(limits);
    collect_path(path, limits, &collector, sink);
    collector.finish(&mut |result| sink(result.map_err(|rejected| rejected.error)));
}

/// Reads every execution of a stream, such as standard input; `origin` is what messages call it.
pub fn read_stream(input: impl Read + Send, origin: &str, limits: &Limits, sink: &mut dyn FnMut(Result<History, SourceError>)) {
    let collector = Collector::new(limits);
    collect_stream(input, origin, limits, &collector, sink);
    collector.finish(&mut |result| sink(result.map_err(|rejected| rejected.error)));
}

/// [`read_path`] for one of several inputs whose log records belong together: `collector` holds them, and is finished by the caller.
pub fn collect_path(path: &Path, limits: &Limits, collector: &Collector, sink: &mut dyn FnMut(Result<History, SourceError>)) {
    if path.is_dir() {
        return folder::read(path, limits, collector, sink);
    }
    in_sequence(collector, sink, |parts| read_file(path, limits, parts));
}

/// [`read_stream`] for one of several inputs whose log records belong together.
pub fn collect_stream(
    input: impl Read + Send,
    origin: &str,
    limits: &Limits,
    collector: &Collector,
    sink: &mut dyn FnMut(Result<History, SourceError>),
) {
    in_sequence(collector, sink, |parts| documents::read(input, 0, origin, limits, parts));
}

/// Reads the documents of one file.
pub(super) fn read_file(path: &Path, limits: &Limits, sink: documents::Sink<'_>) {
    let origin = path.display().to_string();
    // Opening a pipe that somebody named waits for its writer: that is what they asked for, as in `why <(zcat …)`.
    match File::open(path) {
        Ok(file) => {
            let size = file.metadata().ok().filter(fs::Metadata::is_file).and_then(|about| usize::try_from(about.len()).ok());
            documents::read(file, size.unwrap_or(0), &origin, limits, sink);
        }
        Err(reason) => sink(Err(Rejected { error: SourceError::Unreadable { origin, reason }, text: &[] })),
    }
}

fn in_sequence(collector: &Collector, sink: &mut dyn FnMut(Result<History, SourceError>), read: impl FnOnce(documents::Sink<'_>)) {
    let mut sequence = Sequence::default();
    read(&mut |part| match part {
        Ok(documents::Read::Part(part, place)) => sequence.take(part, place, &mut |unit: Unit| sink(unit.into_history(None))),
        Ok(documents::Read::Message(text, place)) => {
            collector.add_message(&text.decode(), &place, &mut |result| sink(result.map_err(|rejected| rejected.error)));
        }
        Err(rejected) => sink(Err(rejected.error)),
    });
    sequence.finish(&mut |unit| sink(unit.into_history(None)));
}

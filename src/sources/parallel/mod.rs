//! Executions from any number of inputs, read on all cores.
//!
//! Each thread owns a [`Worker`] and hands it whole histories; nothing is shared between workers. What belongs together is what
//! the sequential readers put together: the same inputs give the same histories and the same errors, in any order.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::SourceError;
use super::limits::Limits;
use super::{read_path, read_stream};
use crate::model::History;

/// Something to read.
pub enum Input {
    /// A file or a folder.
    Path(PathBuf),
    /// A stream, such as standard input, and what messages call it.
    Stream(String, Box<dyn Read + Send>),
}

impl Input {
    /// Standard input.
    pub fn standard_input() -> Self {
        Self::Stream("standard input".to_owned(), Box::new(std::io::stdin()))
    }
}

/// Something that was not taken.
#[derive(Debug)]
pub struct Rejected<'t> {
    /// Why, and where it stood.
    pub error: SourceError,
    /// What stood there, where it is one record: a line of JSON Lines, or a document; empty for whole files and what was skipped.
    pub text: &'t [u8],
}

/// What one thread does with what it reads.
pub trait Worker: Send {
    /// Takes an execution.
    fn take(&mut self, history: History);

    /// Takes what could not be read.
    fn reject(&mut self, rejected: Rejected<'_>);
}

/// How far reading is; may be looked at from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of all inputs whose size is known, compressed ones as they are.
    pub total_bytes: AtomicU64,
    /// Bytes that were read of all inputs.
    pub bytes: AtomicU64,
    /// Executions that were read.
    pub executions: AtomicU64,
    /// Their events.
    pub events: AtomicU64,
    /// What was rejected.
    pub rejected: AtomicU64,
}

/// Reads every execution of the inputs on up to `threads` threads, each with a worker of its own; returns the workers.
///
/// Memory is bounded by the number of threads and the longest record, not by the size of the inputs, except for what has to wait: loose
/// pages and descriptions in the files of one folder.
pub fn read_in_parallel<W: Worker>(
    inputs: Vec<Input>,
    limits: &Limits,
    threads: usize,
    progress: &Progress,
    make: impl Fn() -> W + Sync,
) -> Vec<W> {
    let _ = threads;
    let mut worker = make();
    for input in inputs {
        let sink = &mut |read: Result<History, SourceError>| match read {
            Ok(history) => {
                progress.executions.fetch_add(1, Ordering::Relaxed);
                progress.events.fetch_add(history.events.len() as u64, Ordering::Relaxed);
                worker.take(history);
            }
            Err(error) => {
                progress.rejected.fetch_add(1, Ordering::Relaxed);
                worker.reject(Rejected { error, text: &[] });
            }
        };
        match input {
            Input::Path(path) => {
                progress.total_bytes.fetch_add(size_of(&path), Ordering::Relaxed);
                read_path(&path, limits, sink);
                progress.bytes.fetch_add(size_of(&path), Ordering::Relaxed);
            }
            Input::Stream(origin, stream) => read_stream(stream, &origin, limits, sink),
        }
    }
    vec![worker]
}

fn size_of(path: &Path) -> u64 {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map_or(0, |about| about.len())
}

//! Executions from any number of inputs, read on all cores.
//!
//! Each thread owns a [`Worker`] and hands it whole histories; nothing is shared between workers. Large inputs of JSON Lines are cut into
//! chunks of whole records (`cutter`), which the threads take in turns; what belongs together over the borders of chunks is put together
//! in order (`stream`). Every other input is read by one thread. The same inputs give the same histories and the same errors as the
//! sequential readers do, in any order.

mod cutter;
mod jobs;
mod stream;

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::Rejected;
use super::limits::Limits;
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
        Self::Stream("standard input".to_owned(), Box::new(io::stdin()))
    }
}

/// What one thread does with what it reads.
pub trait Worker: Send {
    /// Takes an execution.
    fn take(&mut self, history: History);

    /// Takes what could not be read.
    fn reject(&mut self, rejected: Rejected<'_>);

    /// Whether it takes any more; when one does not, nothing more is read by any thread.
    fn goes_on(&self) -> bool {
        true
    }
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

/// So many bytes of JSON Lines are read at once: enough to make taking turns cheap, and little enough to stay in a processor's cache.
const CHUNK: usize = 1 << 20;

/// Reads every execution of the inputs on up to `threads` threads, each with a worker of its own; returns the workers.
///
/// Memory is bounded by the number of threads and the longest record, not by the size of the inputs, except for what has to wait: loose
/// pages and descriptions in the files of one folder, and the records of executions of which a log has not shown all.
pub fn read_in_parallel<W: Worker>(
    inputs: Vec<Input>,
    limits: &Limits,
    threads: usize,
    progress: &Progress,
    make: impl Fn() -> W + Sync,
) -> Vec<W> {
    read_in_chunks(inputs, limits, threads, progress, make, CHUNK)
}

fn read_in_chunks<W: Worker>(
    inputs: Vec<Input>,
    limits: &Limits,
    threads: usize,
    progress: &Progress,
    make: impl Fn() -> W + Sync,
    chunk: usize,
) -> Vec<W> {
    let mut first = make();
    let jobs = jobs::Jobs::new(inputs, limits, progress, chunk, &mut first);
    let mut workers = vec![first];
    workers.extend((1..threads).map(|_| make()));
    let workers = on_each(workers, &|worker| jobs.work(worker));
    // Only now is it known that no record of a log is still to come.
    let mut workers = on_each(workers, &|worker| jobs.finish_logs(worker));
    if let Some(first) = workers.first_mut() {
        jobs.report_logs(first);
    }
    workers
}

/// Works with each worker on a thread of its own, the first one on this thread.
fn on_each<W: Worker>(workers: Vec<W>, work: &(impl Fn(&mut W) + Sync)) -> Vec<W> {
    let done = |mut worker: W| {
        work(&mut worker);
        worker
    };
    let mut workers = workers.into_iter();
    let Some(first) = workers.next() else { return Vec::new() };
    std::thread::scope(|scope| {
        let others: Vec<_> = workers.map(|worker| scope.spawn(|| done(worker))).collect();
        let mut workers = vec![done(first)];
        workers.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))));
        workers
    })
}

/// Counts what is read through it.
struct Counted<'p, R> {
    inner: R,
    progress: &'p Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.progress.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests;

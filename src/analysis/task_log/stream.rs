//! Reads the lines of a job, whose stream is its own.

use std::collections::BTreeSet;

use super::kept::Kept;
use super::question::Streams;
use super::report::LogLine;
use crate::model::Timestamp;

/// Collects the lines of the streams that belong to a job.
#[derive(Debug)]
pub struct StreamReader {
    streams: Streams,
    kept: Kept,
    count: usize,
    read: BTreeSet<String>,
}

/// What a job left in its log.
#[derive(Debug)]
pub struct StreamLog {
    /// The first and the last lines.
    pub lines: Vec<LogLine>,
    /// How many are missing between them.
    pub left_out: usize,
    /// After how many of them.
    pub left_out_after: usize,
    /// The streams that held them.
    pub streams: Vec<String>,
}

impl StreamReader {
    /// For these streams; keeps at most so many lines.
    pub fn new(streams: Streams, most: usize) -> Self {
        Self { streams, kept: Kept::new(most), count: 0, read: BTreeSet::new() }
    }

    /// Takes the next line of the group.
    pub fn take(&mut self, at: Timestamp, stream: &str, text: &str) {
        if !self.streams.has(stream) {
            return;
        }
        if !self.read.contains(stream) {
            self.read.insert(stream.to_owned());
        }
        self.count += 1;
        self.kept.push(at, text);
    }

    /// How many lines there were.
    pub fn count(&self) -> usize {
        self.count
    }

    /// What was read.
    pub fn finish(self) -> StreamLog {
        let (lines, left_out, left_out_after) = self.kept.into_lines();
        StreamLog { lines, left_out, left_out_after, streams: self.read.into_iter().collect() }
    }
}

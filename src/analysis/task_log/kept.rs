//! The first and the last lines of a log, whatever its length: the beginning says what was wanted, the end what went wrong.

use std::collections::VecDeque;

use super::report::LogLine;
use crate::model::Timestamp;

/// How much of one line is kept, in bytes; CloudWatch Logs takes up to a megabyte.
const LONGEST: usize = 16 * 1024;

/// Of five lines one is of the beginning.
const SHARE_OF_FIRST: usize = 5;

/// Keeps the first and the last lines, and counts those between.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    first: Vec<LogLine>,
    last: VecDeque<LogLine>,
    most_first: usize,
    most_last: usize,
    left_out: usize,
}

impl Kept {
    /// For at most so many lines.
    pub(super) fn new(most: usize) -> Self {
        let most_first = most / SHARE_OF_FIRST;
        Self { first: Vec::new(), last: VecDeque::new(), most_first, most_last: most - most_first, left_out: 0 }
    }

    pub(super) fn push(&mut self, at: Timestamp, text: &str) {
        // An empty line is spacing between others.
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() {
            return;
        }
        self.put(LogLine::read(at, shortened(text)));
    }

    fn put(&mut self, line: LogLine) {
        if self.first.len() < self.most_first {
            self.first.push(line);
            return;
        }
        self.last.push_back(line);
        if self.last.len() > self.most_last {
            self.last.pop_front();
            self.left_out += 1;
        }
    }

    /// Puts the lines of another one after these.
    pub(super) fn append(&mut self, other: Self) {
        for line in other.first {
            self.put(line);
        }
        // What the other one left out lay here.
        self.left_out += other.left_out;
        for line in other.last {
            self.put(line);
        }
    }

    /// The lines, how many are missing between them, and after how many.
    pub(super) fn into_lines(self) -> (Vec<LogLine>, usize, usize) {
        let after = self.first.len();
        let mut lines = self.first;
        lines.extend(self.last);
        (lines, self.left_out, after)
    }
}

/// A line that is far too long loses its end, and says so.
fn shortened(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}… ({} bytes more)", &text[..end], text.len() - end)
}

//! Lines and the records that they make: where one begins and where it ends.
//!
//! | a line                                                  | is                                              |
//! |---------------------------------------------------------|-------------------------------------------------|
//! | blank                                                   | no record, and the end of one over several lines |
//! | begins with `{` or `[`                                  | the beginning of a record, whatever came before |
//! | follows one that is short, well-formed and ends too early | part of that one's record                       |
//! | any other                                               | a record of its own                             |

use std::ops::Range;

use super::json::{Cursor, JsonError, Problem};

/// The first line that is not blank, empty when there is none, and what follows it.
pub(super) fn first_line(mut bytes: &[u8]) -> (&[u8], &[u8]) {
    while !bytes.is_empty() {
        let (line, rest) = bytes.split_at(memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1));
        if !is_blank(line) {
            return (line, rest);
        }
        bytes = rest;
    }
    (bytes, bytes)
}

pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// Whether a line holds JSON documents and nothing else.
pub(super) fn is_json(line: &[u8], depth: usize) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let mut cursor = Cursor::new(line, 0, depth);
    while !cursor.is_at_end() {
        if cursor.value().is_err() {
            return false;
        }
    }
    true
}

pub(super) fn opens_document(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'{' | b'['))
}

/// Whether a line ends where JSON must go on.
pub(super) fn expects_more(line: &[u8]) -> bool {
    matches!(line.trim_ascii_end().last(), Some(b',' | b'[' | b'{' | b':'))
}

/// Whether a line begins a document over several lines.
pub(super) fn goes_on(line: &[u8], depth: usize) -> bool {
    // What begins a document over several lines is short: looking at long lines twice would cost time.
    const LONGEST_BEGINNING: usize = 4 << 10;
    if line.len() > LONGEST_BEGINNING {
        return false;
    }
    let Ok(text) = std::str::from_utf8(line) else { return false };
    matches!(Cursor::new(text, 0, depth).value(), Err(JsonError { problem: Problem::End { in_string: false }, .. }))
}

/// Where the line at `at` ends, its line break included.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1)
}

/// A record among lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Its bytes, with the last line break.
    pub range: Range<usize>,
    /// How many lines stand before it.
    pub line: usize,
    /// It is known where it ends: what follows, whatever it is, is not part of it.
    pub is_ended: bool,
}

/// The records of whole lines, one after the other. Apart from the one over a stream (`lines`) because here all lines are in memory.
pub(super) struct Records<'b> {
    bytes: &'b [u8],
    depth: usize,
    /// Longer lines are none over several lines, whatever they look like.
    limit: usize,
    at: usize,
    line: usize,
}

impl<'b> Records<'b> {
    pub(super) fn new(bytes: &'b [u8], depth: usize, limit: usize) -> Self {
        Self { bytes, depth, limit, at: 0, line: 0 }
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.at < self.bytes.len() {
            let (start, line) = (self.at, self.line);
            self.at = line_end(self.bytes, start);
            self.line += 1;
            let first = &self.bytes[start..self.at];
            if is_blank(first) {
                continue;
            }
            let mut is_ended = first.ends_with(b"\n");
            if first.len() <= self.limit && goes_on(first, self.depth) {
                is_ended = false;
                while self.at < self.bytes.len() {
                    let end = line_end(self.bytes, self.at);
                    let next = &self.bytes[self.at..end];
                    if opens_document(next) || is_blank(next) {
                        // White space without a line break may turn out to be the beginning of more.
                        is_ended = opens_document(next) || next.ends_with(b"\n");
                        break;
                    }
                    self.at = end;
                    self.line += 1;
                }
            }
            return Some(Record { range: start..self.at, line, is_ended });
        }
        None
    }
}

//! Cuts a stream of JSON Lines into chunks of whole records, without looking at more of them than it must.
//!
//! A line that begins with `{` or `[` begins a record whatever came before it (see `records`): a chunk ends before the last such line.
//! Only where there is none for a long time are records looked at one by one.

use std::io::{self, Read};

use super::super::form::Form;
use super::super::limits::Limits;
use super::super::records::{Records, goes_on, is_blank, line_end, opens_document};

/// Some records.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// Whole lines; the first one has this number in the source.
    Records { first_line: usize, bytes: Vec<u8> },
    /// A record that is larger than the limit and was skipped.
    TooLarge { line: usize },
}

/// Where the next chunk ends.
enum End {
    At(usize),
    /// Not in what was read.
    Unknown,
    /// Not within the limit of one document.
    TooFar,
}

/// Reads a stream chunk by chunk.
pub(super) struct Cutter<'r> {
    /// `None` at its end.
    input: Option<Box<dyn Read + Send + 'r>>,
    /// What was read and not yet handed out; it begins with a line that continues no record.
    pending: Vec<u8>,
    /// The number of its first line.
    line: usize,
    /// About so many bytes go into a chunk.
    size: usize,
    limit: usize,
    depth: usize,
    form: Form,
    /// The input could not be read to its end.
    pub is_cut: bool,
    /// Why, until somebody has taken it.
    pub failure: Option<io::Error>,
}

impl<'r> Cutter<'r> {
    /// Goes on after `head`, with which the stream began.
    pub(super) fn new(
        head: Vec<u8>,
        input: Option<Box<dyn Read + Send + 'r>>,
        size: usize,
        is_cut: bool,
        form: Form,
        limits: &Limits,
    ) -> Self {
        let (limit, depth) = (limits.document_bytes(), limits.depth);
        Self { input, pending: head, line: 1, size, limit, depth, form, is_cut, failure: None }
    }

    /// The next chunk of up to about `size` bytes; `None` at the end. `spare` is a buffer to use again.
    pub(super) fn next(&mut self, size: usize, spare: Vec<u8>) -> Option<Chunk> {
        let size = size.min(self.size).max(1);
        let mut bytes = std::mem::take(&mut self.pending);
        let mut wanted = size;
        loop {
            self.fill(&mut bytes, wanted);
            if bytes.is_empty() {
                return None;
            }
            match self.end_of_chunk(&bytes, size) {
                End::At(end) => return Some(self.cut(bytes, end, spare)),
                End::TooFar => return Some(self.skip(bytes)),
                End::Unknown => wanted = bytes.len().saturating_mul(2),
            }
        }
    }

    /// Nothing more is wanted.
    pub(super) fn stop(&mut self) {
        self.input = None;
        self.pending = Vec::new();
    }

    fn fill(&mut self, bytes: &mut Vec<u8>, length: usize) {
        let missing = length.saturating_sub(bytes.len()) as u64;
        if missing == 0 {
            return;
        }
        let Some(input) = &mut self.input else { return };
        match input.take(missing).read_to_end(bytes) {
            Ok(read) if (read as u64) < missing => self.input = None,
            Ok(_) => {}
            Err(reason) => {
                self.failure = Some(reason);
                self.is_cut = true;
                self.input = None;
            }
        }
    }

    fn end_of_chunk(&self, bytes: &[u8], size: usize) -> End {
        let ends = self.input.is_none();
        if ends && bytes.len() <= size {
            return End::At(bytes.len());
        }
        // Each line of a log is a record of its own.
        let is_log = self.form == Form::LogLines;
        let opens = |end: &usize| bytes.get(end + 1..).is_some_and(|next| is_log || opens_document(next));
        let window = size.min(bytes.len());
        let last = memchr::memrchr_iter(b'\n', &bytes[..window]).find(opens);
        let boundary = last.or_else(|| memchr::memchr_iter(b'\n', &bytes[window..]).map(|end| window + end).find(opens));
        match boundary {
            Some(boundary) => End::At(boundary + 1),
            None if ends => End::At(bytes.len()),
            None => self.end_of_records(bytes),
        }
    }

    /// Where no line opens a document, for more than a chunk: other text, or one document over very many lines.
    fn end_of_records(&self, bytes: &[u8]) -> End {
        let mut end = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        for record in Records::new(bytes, self.depth, self.limit) {
            if !record.is_ended {
                end = record.range.start;
                if end == 0 && record.range.len() > self.limit {
                    return End::TooFar;
                }
                break;
            }
            end = record.range.end;
        }
        if end > 0 { End::At(end) } else { End::Unknown }
    }

    fn cut(&mut self, mut bytes: Vec<u8>, end: usize, mut spare: Vec<u8>) -> Chunk {
        spare.clear();
        spare.extend_from_slice(&bytes[end..]);
        bytes.truncate(end);
        self.pending = spare;
        let first_line = self.line;
        self.line += memchr::memchr_iter(b'\n', &bytes).count();
        Chunk::Records { first_line, bytes }
    }

    /// Passes over the record with which `bytes` begin.
    fn skip(&mut self, mut bytes: Vec<u8>) -> Chunk {
        let line = self.line;
        let first = &bytes[..line_end(&bytes, 0)];
        let has_several = first.len() <= self.limit && goes_on(first, self.depth);
        self.pass_line(&mut bytes);
        while has_several && self.goes_on_with(&mut bytes) {
            self.pass_line(&mut bytes);
        }
        self.pending = bytes;
        Chunk::TooLarge { line }
    }

    /// Passes over one line, of which `bytes` hold the beginning.
    fn pass_line(&mut self, bytes: &mut Vec<u8>) {
        self.line += 1;
        loop {
            if let Some(end) = memchr::memchr(b'\n', bytes) {
                bytes.drain(..=end);
                return;
            }
            bytes.clear();
            self.fill(bytes, self.size);
            if bytes.is_empty() {
                return;
            }
        }
    }

    /// Whether the line with which `bytes` begin goes on with the record before it.
    fn goes_on_with(&mut self, bytes: &mut Vec<u8>) -> bool {
        loop {
            let line = &bytes[..line_end(bytes, 0)];
            if opens_document(line) || line.ends_with(b"\n") && is_blank(line) {
                return false;
            }
            if !is_blank(line) || line.len() > self.limit {
                return true;
            }
            let known = bytes.len();
            self.fill(bytes, known + self.size);
            if bytes.len() == known {
                return false;
            }
        }
    }
}

//! Bytes to documents: decompressed, decoded, cut into JSON documents or lines.
//!
//! | the first line               | the input is                                | in memory          |
//! |------------------------------|---------------------------------------------|--------------------|
//! | is JSON, and others follow   | JSON Lines; a bad line costs that line only | one line at a time |
//! | is not, or is alone          | one document, or several one after the other | the whole input    |

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::compression::decompressed;
use super::document::{self, Fault, Part};
use super::error::{Place, SourceError};
use super::event::Document;
use super::json::{Cursor, JsonError, Problem};
use super::limits::Limits;
use super::lines::{Line, Lines};

/// Takes what the documents hold.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Result<(Part, Place), SourceError>);

/// Inputs up to this size are read at once, which is faster than line by line.
const AT_ONCE: usize = 64 << 20;
/// So much is looked at to tell JSON from other files.
const SNIFFED: usize = 8 << 10;
/// After so many documents without a history, and none with one, the rest is not looked at.
const PATIENCE: usize = 100;

/// Reads every document of an input of about `size` bytes.
pub(super) fn read(input: impl Read, size: usize, origin: &str, limits: &Limits, sink: Sink<'_>) {
    Reader { origin, limits, sink, found: 0, unrelated: 0, saw_log_records: false, is_cut: false }.run(input, size);
}

struct Reader<'s> {
    origin: &'s str,
    limits: &'s Limits,
    sink: Sink<'s>,
    /// Parts that were read.
    found: usize,
    /// Documents that are broken or something else.
    unrelated: usize,
    saw_log_records: bool,
    /// The input could not be read to its end, which was reported: an early end of the JSON is no news.
    is_cut: bool,
}

impl Reader<'_> {
    fn run(&mut self, input: impl Read, size: usize) {
        let mut input = match decompressed(input, self.limits) {
            Ok(input) => input,
            Err(reason) => return self.unreadable(reason),
        };
        let mut head = Vec::with_capacity(size.min(AT_ONCE) + 1);
        let mut is_whole = self.fill(&mut head, &mut input, SNIFFED);
        let is_utf16 = head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]);
        if !is_utf16 && !self.begins_like_json(&head) {
            return;
        }
        is_whole = is_whole || self.fill(&mut head, &mut input, AT_ONCE);
        if is_utf16 {
            match from_utf16(&head).filter(|_| is_whole) {
                Some(text) => head = text,
                None => return self.report(SourceError::NotUtf8 { place: Place::whole(self.origin) }),
            }
        }
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        if is_whole { self.at_once(head) } else { self.streamed(head, input) }
    }

    /// Reads until `bytes` holds `length` bytes. Whether the input ended before, or could not be read on, which is reported.
    fn fill(&mut self, bytes: &mut Vec<u8>, input: &mut dyn Read, length: usize) -> bool {
        let missing = length.saturating_sub(bytes.len()) as u64;
        match input.take(missing).read_to_end(bytes) {
            Ok(read) => (read as u64) < missing,
            Err(reason) => {
                self.unreadable(reason);
                true
            }
        }
    }

    /// Whether the input may be JSON; reports what it is otherwise.
    fn begins_like_json(&mut self, head: &[u8]) -> bool {
        let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        let place = Place::whole(self.origin);
        if matches!(first, None | Some(b'{' | b'[')) {
            return true;
        }
        let is_text = std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true) && !head.contains(&0);
        let found = if is_text { "text that is no JSON object or array" } else { "binary data" };
        self.report(SourceError::NotAHistory { place, found: found.to_owned() });
        false
    }

    fn at_once(&mut self, bytes: Vec<u8>) {
        let (first, rest) = first_line(&bytes);
        if first.is_empty() {
            return self.empty();
        }
        let (second, _) = first_line(rest);
        let is_lines = !second.is_empty() && self.is_lines(first, second);
        if is_lines {
            self.lines(Lines::new(bytes.as_slice(), self.limits.document_bytes()));
        } else if bytes.len() > self.limits.document_bytes() {
            self.too_large(Place::whole(self.origin));
        } else {
            self.text(bytes, 1, false);
        }
    }

    fn streamed(&mut self, head: Vec<u8>, input: impl Read) {
        let input = io::Cursor::new(head).chain(io::BufReader::with_capacity(1 << 20, input));
        let limit = self.limits.document_bytes();
        let mut lines = Lines::new(input, limit);
        let (first, second) = match (next_filled(&mut lines), next_filled(&mut lines)) {
            (Ok(first), Ok(second)) => (first, second),
            (Err(reason), _) | (_, Err(reason)) => return self.unreadable(reason),
        };
        if first.is_none() {
            return self.empty();
        }
        let is_lines = match (&first, &second) {
            (Some(Line::Whole { bytes: first, .. }), Some(Line::Whole { bytes: second, .. })) => self.is_lines(first, second),
            _ => true,
        };
        for line in [second, first].into_iter().flatten() {
            lines.give_back(line);
        }
        if is_lines {
            return self.lines(lines);
        }
        match lines.rest(limit) {
            Ok(Some(bytes)) => self.text(bytes, 1, false),
            Ok(None) => self.too_large(Place::whole(self.origin)),
            Err(reason) => self.unreadable(reason),
        }
    }

    /// Whether two lines that begin an input are JSON Lines. A broken first line is told from the beginning of a document
    /// over several lines by the second one: it opens a document of its own where the first left nothing to be continued.
    fn is_lines(&self, first: &[u8], second: &[u8]) -> bool {
        is_json(first, self.limits.depth) || (opens_document(second) && !expects_more(first))
    }

    fn lines<R: BufRead>(&mut self, mut lines: Lines<R>) {
        loop {
            match lines.next() {
                Ok(None) => return,
                Ok(Some(Line::TooLong { number })) => self.too_large(Place::line(self.origin, number)),
                Ok(Some(Line::Whole { bytes, .. })) if is_blank(&bytes) => {}
                Ok(Some(Line::Whole { number, bytes })) => {
                    let record = if goes_on(&bytes, self.limits.depth) {
                        continued(bytes, &mut lines, self.limits.document_bytes())
                    } else {
                        Ok(Some(bytes))
                    };
                    match record {
                        Ok(Some(bytes)) => self.text(bytes, number, true),
                        Ok(None) => self.too_large(Place::line(self.origin, number)),
                        Err(reason) => return self.unreadable(reason),
                    }
                }
                Err(reason) => return self.unreadable(reason),
            }
            if self.is_hopeless() {
                return;
            }
        }
    }

    /// Documents one after the other.
    fn text(&mut self, bytes: Vec<u8>, first_line: usize, in_lines: bool) {
        let text = match String::from_utf8(bytes) {
            Ok(text) => Arc::new(text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let line = first_line + memchr::memchr_iter(b'\n', &error.as_bytes()[..valid]).count();
                return self.report(SourceError::NotUtf8 { place: Place::line(self.origin, line) });
            }
        };
        let mut cursor = Cursor::new(&text, 0, self.limits.depth);
        let (mut line, mut counted) = (first_line, 0);
        while !cursor.is_at_end() {
            let start = cursor.position();
            line += memchr::memchr_iter(b'\n', &text.as_bytes()[counted..start]).count();
            counted = start;
            let mut parts = Vec::new();
            let result = document::read(&mut cursor, Document::new(&text), &mut |part| parts.push(part));
            let is_alone = start == 0 && !in_lines && (result.is_err() || cursor.is_at_end());
            let place = if is_alone { Place::whole(self.origin) } else { Place::line(self.origin, line) };
            self.take(parts, &place);
            if let Err(error) = result {
                self.broken(&text[start..], line, JsonError { at: error.at - start, ..error });
                match resume(&text, start, error.at) {
                    Some(next) if !self.is_hopeless() => cursor = cursor.at(next),
                    _ => return,
                }
            }
        }
    }

    /// Hands on what one document held.
    fn take(&mut self, parts: Vec<Result<Part, Fault>>, place: &Place) {
        let several = parts.iter().filter(|part| part.is_ok()).count() > 1;
        for (number, part) in parts.into_iter().enumerate() {
            let place = Place { entry: several.then_some(number + 1), ..place.clone() };
            match part {
                Ok(part) => {
                    self.found += 1;
                    (self.sink)(Ok((part, place)));
                }
                Err(Fault::LogRecords) => {
                    self.unrelated += 1;
                    if !std::mem::replace(&mut self.saw_log_records, true) {
                        self.report(SourceError::LogRecords { place });
                    }
                }
                Err(Fault::NotEvents { first, found, count }) => self.report(SourceError::NotEvents { place, first, found, count }),
                Err(Fault::Other { found }) => {
                    self.unrelated += 1;
                    self.report(SourceError::NotAHistory { place, found });
                }
            }
        }
    }

    /// Whether so much was something else that the rest is not looked at; says so.
    fn is_hopeless(&mut self) -> bool {
        let is_hopeless = self.found == 0 && self.unrelated >= PATIENCE;
        if is_hopeless {
            let found = format!("no history in the first {PATIENCE} documents, the rest was not looked at");
            self.report(SourceError::NotAHistory { place: Place::whole(self.origin), found });
        }
        is_hopeless
    }

    fn broken(&mut self, text: &str, first_line: usize, error: JsonError) {
        self.unrelated += 1;
        if !(self.is_cut && matches!(error.problem, Problem::End { .. })) {
            self.report(SourceError::json(self.origin, first_line, text, error, self.limits.depth));
        }
    }

    fn empty(&mut self) {
        if !self.is_cut {
            self.report(SourceError::Empty { origin: self.origin.to_owned() });
        }
    }

    fn unreadable(&mut self, reason: io::Error) {
        self.is_cut = true;
        self.report(SourceError::Unreadable { origin: self.origin.to_owned(), reason });
    }

    fn too_large(&mut self, place: Place) {
        self.report(SourceError::TooLarge { place, limit: self.limits.document_bytes() });
    }

    fn report(&mut self, error: SourceError) {
        (self.sink)(Err(error));
    }
}

const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// Text in UTF-16 with a byte order mark, as redirections of older PowerShells write it.
fn from_utf16(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_little = bytes.starts_with(&[0xFF, 0xFE]);
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().skip(1).map(|pair| if is_little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) });
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    rest.is_empty().then_some(text.into_bytes())
}

fn next_filled<R: BufRead>(lines: &mut Lines<R>) -> io::Result<Option<Line>> {
    loop {
        match lines.next()? {
            Some(Line::Whole { bytes, .. }) if is_blank(&bytes) => {}
            line => return Ok(line),
        }
    }
}

/// The first line that is not blank, empty when there is none, and what follows it.
fn first_line(mut bytes: &[u8]) -> (&[u8], &[u8]) {
    while !bytes.is_empty() {
        let (line, rest) = bytes.split_at(memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1));
        if !is_blank(line) {
            return (line, rest);
        }
        bytes = rest;
    }
    (bytes, bytes)
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// Whether a line holds JSON documents and nothing else.
fn is_json(line: &[u8], depth: usize) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let mut cursor = Cursor::new(line, 0, depth);
    while !cursor.is_at_end() {
        if cursor.value().is_err() {
            return false;
        }
    }
    true
}

fn opens_document(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'{' | b'['))
}

/// Whether a line ends where JSON must go on.
fn expects_more(line: &[u8]) -> bool {
    matches!(line.trim_ascii_end().last(), Some(b',' | b'[' | b'{' | b':'))
}

/// Whether a line begins a document over several lines.
fn goes_on(line: &[u8], depth: usize) -> bool {
    // What begins a document over several lines is short: looking at long lines twice would cost time.
    const LONGEST_BEGINNING: usize = 4 << 10;
    if line.len() > LONGEST_BEGINNING {
        return false;
    }
    let Ok(text) = std::str::from_utf8(line) else { return false };
    matches!(Cursor::new(text, 0, depth).value(), Err(JsonError { problem: Problem::End { in_string: false }, .. }))
}

/// A line with those after it that open no document of their own; `None` when that is more than a document may be.
fn continued<R: BufRead>(mut bytes: Vec<u8>, lines: &mut Lines<R>, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut is_too_large = false;
    while let Some(line) = lines.next()? {
        match line {
            Line::Whole { bytes: next, number } => {
                if opens_document(&next) || is_blank(&next) {
                    lines.give_back(Line::Whole { bytes: next, number });
                    break;
                }
                is_too_large |= bytes.len() + next.len() > limit;
                if !is_too_large {
                    bytes.extend_from_slice(&next);
                }
            }
            Line::TooLong { .. } => is_too_large = true,
        }
    }
    Ok((!is_too_large).then_some(bytes))
}

/// Where to go on after a document that begins at `start` and breaks at `broken`: the next line that opens a document and
/// does not continue the line before it.
fn resume(text: &str, start: usize, broken: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_line_start = |at: usize| at > start && bytes[at - 1] == b'\n' && opens_document(&bytes[at..]);
    if is_line_start(broken) {
        return Some(broken);
    }
    memchr::memchr_iter(b'\n', &bytes[broken.min(bytes.len())..])
        .map(|end| broken + end + 1)
        .find(|at| is_line_start(*at) && !expects_more(bytes[..at - 1].rsplit(|byte| *byte == b'\n').next().unwrap_or_default()))
}

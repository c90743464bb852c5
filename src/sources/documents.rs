//! Bytes to documents: decompressed, decoded, cut into JSON documents or lines.
//!
//! | the first line               | the input is                                | in memory          |
//! |------------------------------|---------------------------------------------|--------------------|
//! | is JSON, and others follow   | JSON Lines; a bad line costs that line only | one line at a time |
//! | is not, or is alone          | one document, or several one after the other | the whole input    |
//! | is no JSON, but of a log     | a message a line (`form`)                   | one line at a time |
//! | has names of a log's fields  | a table of Logs Insights (`table`)          | the whole input    |

use std::io::{self, BufRead, Read as _};
use std::ops::Range;
use std::sync::Arc;

use super::compression::decompressed;
use super::document::{self, Fault, Found, Part};
use super::error::{Place, Rejected, SourceError};
use super::event::Document;
use super::form::{Form, form_of, message_of_line};
use super::json::{Cursor, JsonError, Problem};
use super::limits::Limits;
use super::lines::{Line, Lines};
use super::log_records::{CUT_SHORT, is_broken_record, table};
use super::records::{Records, expects_more, first_line, goes_on, is_blank, is_json, line_end, opens_document};
use crate::model::RawText;
use crate::model::text::Form as TextForm;

/// Something that was read.
#[allow(clippy::large_enum_variant, reason = "handed on at once, never kept in a list")]
pub(super) enum Read {
    /// A part of an execution, or several.
    Part(Part, Place),
    /// The message of a log event: a log record, or a line of something else.
    Message(RawText, Place),
}

/// Takes what the documents hold.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Result<Read, Rejected<'_>>);

/// Inputs up to this size are read at once, which is faster than line by line.
pub(super) const AT_ONCE: usize = 64 << 20;
/// So much is looked at to tell JSON from other files.
const SNIFFED: usize = 8 << 10;
/// After so many documents without a history, and none with one, the rest is not looked at.
const PATIENCE: usize = 100;

/// Reads every document of an input of about `size` bytes.
pub(super) fn read(input: impl io::Read + Send, size: usize, origin: &str, limits: &Limits, sink: Sink<'_>) {
    let mut reader = Reader::new(origin, limits, sink);
    let mut input = match decompressed(input, limits) {
        Ok(input) => input,
        Err(reason) => return reader.unreadable(reason),
    };
    let mut head = Vec::with_capacity(size.min(AT_ONCE) + 1);
    match reader.open(&mut head, &mut input, AT_ONCE) {
        Opened::Nothing => {}
        Opened::Whole => reader.at_once(head),
        Opened::More => reader.streamed(head, input),
    }
    reader.give_up_held_back();
}

/// What the beginning of an input is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// Nothing to read; why was reported.
    Nothing,
    /// All of it.
    Whole,
    /// There is more to come.
    More,
}

/// Reads the documents of one input, or of a part of it.
pub(super) struct Reader<'s> {
    origin: &'s str,
    limits: &'s Limits,
    sink: Sink<'s>,
    pub tally: Tally,
    pub form: Form,
    /// The input could not be read to its end, which was reported: an early end of the JSON is no news.
    pub is_cut: bool,
}

/// What was found in an input so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Parts and messages that were read.
    pub found: usize,
    /// The first of them was a message: what is no JSON is one, too.
    pub is_log: bool,
    /// Documents that are broken or something else.
    unrelated: usize,
    has_given_up: bool,
    /// Lines that are no JSON, from before the first thing that was found: that tells whether they are a log's.
    held_back: Vec<(SourceError, Vec<u8>)>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(origin: &'s str, limits: &'s Limits, sink: Sink<'s>) -> Self {
        Self { origin, limits, sink, tally: Tally::default(), form: Form::Json, is_cut: false }
    }

    /// Reads the beginning into `head`, up to about `at_once` bytes, as UTF-8 without a byte order mark.
    pub(super) fn open(&mut self, head: &mut Vec<u8>, input: &mut dyn io::Read, at_once: usize) -> Opened {
        let mut is_whole = self.fill(head, input, SNIFFED);
        let is_utf16 = head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]);
        if !is_utf16 && !self.is_readable(head) {
            return Opened::Nothing;
        }
        is_whole = is_whole || self.fill(head, input, if is_utf16 { AT_ONCE } else { at_once });
        if is_utf16 {
            let Some(text) = from_utf16(head).filter(|_| is_whole) else {
                self.report(SourceError::NotUtf8 { place: Place::whole(self.origin) }, &[]);
                return Opened::Nothing;
            };
            *head = text;
            if !self.is_readable(head) {
                return Opened::Nothing;
            }
        }
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        if is_whole { Opened::Whole } else { Opened::More }
    }

    /// Reads until `bytes` holds `length` bytes. Whether the input ended before, or could not be read on, which is reported.
    pub(super) fn fill(&mut self, bytes: &mut Vec<u8>, input: &mut dyn io::Read, length: usize) -> bool {
        let missing = length.saturating_sub(bytes.len()) as u64;
        match input.take(missing).read_to_end(bytes) {
            Ok(read) => (read as u64) < missing,
            Err(reason) => {
                self.unreadable(reason);
                true
            }
        }
    }

    /// Finds out what the input is; reports what can't be read, and whether it can.
    fn is_readable(&mut self, head: &[u8]) -> bool {
        self.form = form_of(head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head));
        let found = match self.form {
            Form::Json | Form::LogLines | Form::Table => return true,
            Form::Text => "text that is no JSON object or array",
            Form::Binary => "binary data",
        };
        self.report(SourceError::NotAHistory { place: Place::whole(self.origin), found: found.to_owned() }, &[]);
        false
    }

    pub(super) fn at_once(&mut self, bytes: Vec<u8>) {
        match self.begins_lines(&bytes) {
            _ if self.form == Form::Table => self.table(bytes),
            None => self.empty(),
            Some(true) => self.lines(Lines::new(bytes.as_slice(), self.limits.document_bytes())),
            Some(false) if bytes.len() > self.limits.document_bytes() => self.too_large(Place::whole(self.origin)),
            Some(false) => self.documents(bytes, 1, false),
        }
    }

    /// Whether an input that begins with these bytes is JSON Lines; `None` where all lines are blank.
    pub(super) fn begins_lines(&self, bytes: &[u8]) -> Option<bool> {
        let (first, rest) = first_line(bytes);
        if first.is_empty() {
            return None;
        }
        if self.form != Form::Json {
            return Some(self.form == Form::LogLines);
        }
        let (second, _) = first_line(rest);
        Some(!second.is_empty() && self.is_lines(first, second))
    }

    pub(super) fn streamed(&mut self, head: Vec<u8>, input: impl io::Read) {
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
            _ if self.form != Form::Json => self.form == Form::LogLines,
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
            Ok(Some(bytes)) if self.form == Form::Table => self.table(bytes),
            Ok(Some(bytes)) => self.documents(bytes, 1, false),
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
                Ok(Some(Line::TooLong { number, .. })) => self.too_large(Place::line(self.origin, number)),
                Ok(Some(Line::Whole { bytes, .. })) if is_blank(&bytes) => {}
                Ok(Some(Line::Whole { number, bytes })) if self.form == Form::LogLines => self.log_line(&bytes, number),
                Ok(Some(Line::Whole { number, bytes })) => {
                    let record = if goes_on(&bytes, self.limits.depth) {
                        continued(bytes, &mut lines, self.limits.document_bytes())
                    } else {
                        Ok(Some(bytes))
                    };
                    match record {
                        Ok(Some(bytes)) => self.documents(bytes, number, true),
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

    /// The records of lines that are in memory, the first of which is line `first_line` of the source. Returns the text that they
    /// are ranges of, unless they were no UTF-8 and had to be read one by one.
    pub(super) fn records(&mut self, bytes: Vec<u8>, first_line: usize) -> Option<Arc<String>> {
        let (text, bytes) = match String::from_utf8(bytes) {
            Ok(text) => (Some(Arc::new(text)), Vec::new()),
            Err(error) => (None, error.into_bytes()),
        };
        let all = text.as_ref().map_or(bytes.as_slice(), |text| text.as_bytes());
        let limit = self.limits.document_bytes();
        if self.form == Form::LogLines {
            self.log_lines(all, text.as_ref(), first_line);
            return text;
        }
        for record in Records::new(all, self.limits.depth, limit) {
            let line = first_line + record.line;
            match &text {
                _ if record.range.len() > limit => self.too_large(Place::line(self.origin, line)),
                Some(text) => self.text(text, record.range, line, true),
                None => self.documents(all[record.range].to_vec(), line, true),
            }
            if self.is_hopeless() {
                break;
            }
        }
        text
    }

    /// Lines of a log that are in memory; `text` is the same, if it is UTF-8 all over.
    fn log_lines(&mut self, all: &[u8], text: Option<&Arc<String>>, first_line: usize) {
        let (mut at, mut number) = (0, first_line);
        while at < all.len() {
            let end = line_end(all, at);
            let line = &all[at..end];
            match text {
                _ if is_blank(line) => {}
                _ if line.len() > self.limits.document_bytes() => self.too_large(Place::line(self.origin, number)),
                Some(text) => {
                    let message = message_of_line(&text[at..end]);
                    let begin = message.as_ptr() as usize - text.as_ptr() as usize;
                    let message = RawText::slice(text, begin..begin + message.len(), TextForm::Plain);
                    self.message(message.unwrap_or_else(|| RawText::plain("")), Place::line(self.origin, number));
                }
                None => self.log_line(line, number),
            }
            (at, number) = (end, number + 1);
        }
    }

    fn log_line(&mut self, line: &[u8], number: usize) {
        let place = Place::line(self.origin, number);
        match std::str::from_utf8(line) {
            Ok(text) => self.message(RawText::plain(message_of_line(text)), place),
            // Only a record is missed; a function may write what it likes.
            Err(_) if is_broken_record(message_of_line(&String::from_utf8_lossy(line)), self.limits.depth) => {
                self.report(SourceError::NotUtf8 { place }, line);
            }
            Err(_) => self.message(RawText::plain(String::from_utf8_lossy(line).into_owned()), place),
        }
    }

    /// A table of Logs Insights.
    fn table(&mut self, bytes: Vec<u8>) {
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let line = 1 + memchr::memchr_iter(b'\n', &error.as_bytes()[..valid]).count();
                return self.report(SourceError::NotUtf8 { place: Place::line(self.origin, line) }, &[]);
            }
        };
        table::read(&text, &mut |line, message| {
            let place = Place::line(self.origin, line);
            match message {
                Some(message) => self.message(message, place),
                None => {
                    self.tally.unrelated += 1;
                    let found = "a row of Logs Insights without @message, or else without execution_arn, id and type".to_owned();
                    self.report(SourceError::NotAHistory { place, found }, &[]);
                }
            }
        });
    }

    /// Hands a message on, and before it the lines that it shows to be messages, too.
    fn message(&mut self, message: RawText, place: Place) {
        self.tally.found += 1;
        if self.tally.found == 1 {
            self.tally.is_log = true;
            for (error, text) in std::mem::take(&mut self.tally.held_back) {
                let place = Place { line: error.source_and_line().1, ..Place::whole(self.origin) };
                self.message(RawText::plain(String::from_utf8_lossy(&text).into_owned()), place);
            }
        }
        (self.sink)(Ok(Read::Message(message, place)));
    }

    /// Reports lines that were held back: they are no log's.
    pub(super) fn give_up_held_back(&mut self) {
        for (error, text) in std::mem::take(&mut self.tally.held_back) {
            self.report(error, &text);
        }
    }

    /// Documents one after the other.
    fn documents(&mut self, bytes: Vec<u8>, first_line: usize, in_lines: bool) {
        match String::from_utf8(bytes) {
            Ok(text) => {
                let length = text.len();
                self.text(&Arc::new(text), 0..length, first_line, in_lines);
            }
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let line = first_line + memchr::memchr_iter(b'\n', &error.as_bytes()[..valid]).count();
                self.report(SourceError::NotUtf8 { place: Place::line(self.origin, line) }, error.as_bytes());
            }
        }
    }

    /// The documents in a range of a text.
    fn text(&mut self, document: &Arc<String>, range: Range<usize>, first_line: usize, in_lines: bool) {
        let text = &document[..range.end];
        let mut cursor = Cursor::new(text, range.start, self.limits.depth);
        let (mut line, mut counted) = (first_line, range.start);
        while !cursor.is_at_end() {
            let start = cursor.position();
            line += memchr::memchr_iter(b'\n', &text.as_bytes()[counted..start]).count();
            counted = start;
            let mut parts = Vec::new();
            let mut messages = 0;
            let result = document::read(&mut cursor, Document::new(document), &mut |found| match found {
                Ok(Found::Part(part)) => parts.push(Ok(part)),
                Ok(Found::Message { text, is_in_list }) => {
                    messages += 1;
                    let whole = if in_lines || start != range.start { Place::line(self.origin, line) } else { Place::whole(self.origin) };
                    self.message(text, Place { entry: is_in_list.then_some(messages), ..whole });
                }
                Err(fault) => parts.push(Err(fault)),
            });
            let is_alone = start == range.start && !in_lines && (result.is_err() || cursor.is_at_end());
            let place = if is_alone { Place::whole(self.origin) } else { Place::line(self.origin, line) };
            let end = if result.is_ok() { cursor.position() } else { range.end };
            self.take(parts, &place, text[start..end].trim_ascii_end().as_bytes());
            if let Err(error) = result {
                let next = resume(text, start, error.at);
                let broken = text.get(start..next.unwrap_or(range.end)).unwrap_or_default();
                self.broken(&text[start..], line, JsonError { at: error.at - start, ..error }, broken.trim_ascii_end().as_bytes());
                match next {
                    Some(next) if !self.is_hopeless() => cursor = cursor.at(next),
                    _ => return,
                }
            }
        }
    }

    /// Hands on what one document held.
    fn take(&mut self, parts: Vec<Result<Part, Fault>>, place: &Place, text: &[u8]) {
        let several = parts.iter().filter(|part| part.is_ok()).count() > 1;
        for (number, part) in parts.into_iter().enumerate() {
            let place = Place { entry: several.then_some(number + 1), ..place.clone() };
            match part {
                Ok(part) => {
                    self.tally.found += 1;
                    self.give_up_held_back();
                    (self.sink)(Ok(Read::Part(part, place)));
                }
                Err(Fault::NotEvents { first, found, count }) => self.report(SourceError::NotEvents { place, first, found, count }, text),
                Err(Fault::Other { found }) => {
                    self.tally.unrelated += 1;
                    self.report(SourceError::NotAHistory { place, found }, text);
                }
            }
        }
    }

    /// Whether so much was something else that the rest is not looked at; says so.
    fn is_hopeless(&mut self) -> bool {
        let is_hopeless = self.tally.is_hopeless();
        if is_hopeless && !std::mem::replace(&mut self.tally.has_given_up, true) {
            let found = format!("no history in the first {PATIENCE} documents, the rest was not looked at");
            self.report(SourceError::NotAHistory { place: Place::whole(self.origin), found }, &[]);
        }
        is_hopeless
    }

    fn broken(&mut self, text: &str, first_line: usize, error: JsonError, record: &[u8]) {
        let place = Place::line(self.origin, first_line);
        let words = std::str::from_utf8(record).unwrap_or_default();
        if self.tally.is_log && !opens_document(record) {
            return self.message(RawText::plain(words), place);
        }
        self.tally.unrelated += 1;
        if opens_document(record) && is_broken_record(words, self.limits.depth) {
            return self.report(SourceError::BadRecord { place, found: CUT_SHORT }, record);
        }
        if self.tally.found == 0 && !opens_document(record) && !self.is_cut {
            let error = SourceError::json(self.origin, first_line, text, error, self.limits.depth);
            return self.tally.held_back.push((error, record.to_vec()));
        }
        if !(self.is_cut && matches!(error.problem, Problem::End { .. })) {
            self.report(SourceError::json(self.origin, first_line, text, error, self.limits.depth), record);
        }
    }

    fn empty(&mut self) {
        if !self.is_cut {
            self.report(SourceError::Empty { origin: self.origin.to_owned() }, &[]);
        }
    }

    pub(super) fn unreadable(&mut self, reason: io::Error) {
        self.is_cut = true;
        self.report(SourceError::Unreadable { origin: self.origin.to_owned(), reason }, &[]);
    }

    pub(super) fn too_large(&mut self, place: Place) {
        self.report(SourceError::TooLarge { place, limit: self.limits.document_bytes() }, &[]);
    }

    fn report(&mut self, error: SourceError, text: &[u8]) {
        (self.sink)(Err(Rejected { error, text }));
    }
}

impl Tally {
    /// Of an input in which something was found before: messages, or parts.
    pub(super) fn after(is_log: bool) -> Self {
        Self { found: 1, is_log, ..Self::default() }
    }

    /// What was held back and is no log's.
    pub(super) fn take_held_back(&mut self) -> Vec<(SourceError, Vec<u8>)> {
        std::mem::take(&mut self.held_back)
    }

    /// Whether so much was something else, and nothing a history, that the rest is not looked at.
    pub(super) fn is_hopeless(&self) -> bool {
        self.found == 0 && self.unrelated >= PATIENCE
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

/// The next line that is not blank.
fn next_filled<R: BufRead>(lines: &mut Lines<R>) -> io::Result<Option<Line>> {
    loop {
        match lines.next()? {
            Some(Line::Whole { bytes, .. }) if is_blank(&bytes) => {}
            line => return Ok(line),
        }
    }
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
            Line::TooLong { number, opens: true } => {
                lines.give_back(Line::TooLong { number, opens: true });
                break;
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

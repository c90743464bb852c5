//! A stream of JSON to its elements: those of one array, or a line each. At no time is more held than one element and what came with it.

use std::io::Read;

use memchr::{memchr, memchr2};

/// Bytes asked for at a time.
const CHUNK: usize = 256 << 10;

/// The elements of a stream.
pub(super) struct Elements<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where in `buffer` begins what was not given out.
    start: usize,
    /// What of the stream came before `buffer`.
    before: u64,
    layout: Layout,
    number: u64,
    limit: usize,
    at_end: bool,
    /// Why nothing more comes; told once what came before it was given out.
    failure: Option<std::io::Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A line each.
    Lines,
    /// The first byte has not come.
    Unknown,
    /// In an array.
    Array,
    /// After it.
    Done,
}

/// An element.
#[derive(Debug)]
pub(super) struct Element<'e> {
    /// Its JSON text.
    pub text: &'e [u8],
    /// From 1; for lines the number of the line.
    pub number: u64,
    /// Where it begins.
    pub offset: u64,
}

impl<R: Read> Elements<R> {
    /// `has_lines`: an element a line, whatever it begins with. Otherwise the first byte tells.
    pub(super) fn new(input: R, has_lines: bool, limit: usize) -> Self {
        let layout = if has_lines { Layout::Lines } else { Layout::Unknown };
        Self { input, buffer: Vec::new(), start: 0, before: 0, layout, number: 0, limit, at_end: false, failure: None }
    }

    /// The next element, or why the rest cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<Element<'_>>, String> {
        if self.layout == Layout::Unknown {
            match self.first_byte()? {
                None => return Err("it is empty".to_owned()),
                Some(b'[') => {
                    self.layout = Layout::Array;
                    self.start += 1;
                }
                Some(b'{') => self.layout = Layout::Lines,
                Some(_) => return Err("it begins neither with an array nor with an object".to_owned()),
            }
        }
        let found = match self.layout {
            Layout::Lines => self.line()?,
            Layout::Array => self.of_array()?,
            Layout::Unknown | Layout::Done => None,
        };
        let Some(length) = found else { return Ok(None) };
        self.number += u64::from(self.layout == Layout::Array);
        let offset = self.before + self.start as u64;
        let text = &self.buffer[self.start..self.start + length];
        self.start += length;
        Ok(Some(Element { text, number: self.number, offset }))
    }

    /// Reads more; whether something came.
    fn fill(&mut self) -> Result<bool, String> {
        if self.at_end {
            return Ok(false);
        }
        if self.start > 0 {
            self.before += self.start as u64;
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        if self.buffer.len() > self.limit {
            return Err(format!("element {} is larger than {} MiB, which is the limit", self.number + 1, self.limit >> 20));
        }
        let held = self.buffer.len();
        if self.failure.is_none() {
            let mut limited = self.input.by_ref().take(CHUNK as u64);
            // What came before an error is in the buffer, and counts.
            self.failure = limited.read_to_end(&mut self.buffer).err();
        }
        match &self.failure {
            _ if self.buffer.len() > held => Ok(true),
            Some(error) => Err(format!("after {} elements and {} bytes: {error}", self.number, self.before + held as u64)),
            None => {
                self.at_end = true;
                Ok(false)
            }
        }
    }

    /// The next byte that is no white space, and stays there.
    fn first_byte(&mut self) -> Result<Option<u8>, String> {
        loop {
            if let Some(at) = self.buffer[self.start..].iter().position(|byte| !byte.is_ascii_whitespace()) {
                self.start += at;
                return Ok(Some(self.buffer[self.start]));
            }
            self.start = self.buffer.len();
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The length of the next line that is not empty; the last one need not end.
    fn line(&mut self) -> Result<Option<usize>, String> {
        // The break behind the line before.
        if self.number > 0 && self.buffer.get(self.start) == Some(&b'\n') {
            self.start += 1;
        }
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.start..];
            let is_empty = |line: &[u8]| line.iter().all(u8::is_ascii_whitespace);
            let end = memchr(b'\n', &rest[searched..]).map(|at| searched + at);
            if let Some(length) = end {
                self.number += 1;
                if !is_empty(&rest[..length]) {
                    return Ok(Some(length));
                }
                self.start += length + 1;
                searched = 0;
                continue;
            }
            searched = rest.len();
            if !self.fill()? {
                let rest = &self.buffer[self.start..];
                self.number += u64::from(!is_empty(rest));
                return Ok((!is_empty(rest)).then_some(rest.len()));
            }
        }
    }

    /// The length of the next element of the array.
    fn of_array(&mut self) -> Result<Option<usize>, String> {
        let breaks_off = |elements: &Self| {
            let at = elements.before + elements.buffer.len() as u64;
            format!("it breaks off after {} elements, at byte {at}", elements.number)
        };
        match self.first_byte()? {
            None => return Err(breaks_off(self)),
            Some(b',') if self.number > 0 => self.start += 1,
            Some(b']') => {
                self.start += 1;
                self.layout = Layout::Done;
                return match self.first_byte()? {
                    None => Ok(None),
                    Some(_) => Err(format!("something stands behind the array, at byte {}", self.before + self.start as u64)),
                };
            }
            Some(_) if self.number > 0 => {
                let at = self.before + self.start as u64;
                return Err(format!("no comma stands behind element {}, at byte {at}", self.number));
            }
            Some(_) => {}
        }
        if self.first_byte()?.is_none() {
            return Err(breaks_off(self));
        }
        let mut scan = Scan::default();
        loop {
            if let Some(length) = scan.on(&self.buffer[self.start..]) {
                return Ok(Some(length));
            }
            if !self.fill()? {
                return Err(breaks_off(self));
            }
        }
    }
}

/// How far an element has been looked through.
#[derive(Default)]
struct Scan {
    position: usize,
    depth: usize,
    in_string: bool,
}

impl Scan {
    /// Goes on; the element's length once its end has come.
    fn on(&mut self, text: &[u8]) -> Option<usize> {
        while self.position < text.len() {
            if self.in_string {
                let at = self.position + memchr2(b'"', b'\\', &text[self.position..]).unwrap_or(text.len() - self.position);
                match text.get(at) {
                    None => self.position = text.len(),
                    Some(b'"') => {
                        self.in_string = false;
                        self.position = at + 1;
                        if self.depth == 0 {
                            return Some(self.position);
                        }
                    }
                    // An escaped character says nothing; it may come with the next bytes.
                    Some(_) if at + 1 < text.len() => self.position = at + 2,
                    Some(_) => {
                        self.position = at;
                        return None;
                    }
                }
                continue;
            }
            match text[self.position] {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 1 => self.depth -= 1,
                b'}' | b']' if self.depth == 1 => return Some(self.position + 1),
                b',' | b']' | b'}' if self.depth == 0 => return Some(self.position),
                _ => {}
            }
            self.position += 1;
        }
        None
    }
}

//! Lines of a stream, one in memory at a time, none longer than a limit.

use std::io::{self, BufRead};

use super::records::opens_document;

/// A line, or what kept it from being read.
#[derive(Debug)]
pub(super) enum Line {
    /// With its line break.
    Whole { number: usize, bytes: Vec<u8> },
    /// Longer than the limit; it was skipped. Whether it began as documents do.
    TooLong { number: usize, opens: bool },
}

/// Reads lines.
pub(super) struct Lines<R> {
    input: R,
    limit: usize,
    number: usize,
    /// Lines that were looked at and given back, the next one last.
    returned: Vec<Line>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R, limit: usize) -> Self {
        Self { input, limit, number: 0, returned: Vec::new() }
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.returned.pop() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::new();
        let mut length = 0_usize;
        let mut ended = false;
        let mut opens = false;
        while !ended {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', buffer);
            let taken = end.map_or(buffer.len(), |end| end + 1);
            ended = end.is_some();
            opens |= length == 0 && opens_document(buffer);
            length = length.saturating_add(taken);
            if length <= self.limit {
                bytes.extend_from_slice(&buffer[..taken]);
            } else {
                bytes = Vec::new();
            }
            self.input.consume(taken);
        }
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        let number = self.number;
        Ok(Some(if length > self.limit { Line::TooLong { number, opens } } else { Line::Whole { number, bytes } }))
    }

    /// Gives a line back: it is the next one again.
    pub(super) fn give_back(&mut self, line: Line) {
        self.returned.push(line);
    }

    /// The rest of the stream, lines that were given back included, up to `limit` bytes; `None` when there is more.
    pub(super) fn rest(mut self, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut all = Vec::new();
        while let Some(line) = self.returned.pop() {
            match line {
                Line::Whole { bytes, .. } => all.extend_from_slice(&bytes),
                Line::TooLong { .. } => return Ok(None),
            }
        }
        let left = limit.saturating_sub(all.len()) as u64;
        io::Read::read_to_end(&mut io::Read::take(&mut self.input, left.saturating_add(1)), &mut all)?;
        Ok((all.len() <= limit).then_some(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, limit: usize) -> Vec<String> {
        let mut lines = Lines::new(io::BufReader::with_capacity(3, text.as_bytes()), limit);
        let mut found = Vec::new();
        while let Some(line) = lines.next().expect("memory can be read") {
            found.push(match line {
                Line::Whole { number, bytes } => format!("{number}:{}", String::from_utf8_lossy(&bytes).trim_end()),
                Line::TooLong { number, .. } => format!("{number} is too long"),
            });
        }
        found
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped_and_the_next_one_read() {
        assert_eq!(all("ab\n0123456789\n\ncd", 5), ["1:ab", "2 is too long", "3:", "4:cd"]);
        assert_eq!(all("", 5), Vec::<String>::new());
    }

    #[test]
    fn the_rest_holds_what_was_given_back_and_is_limited() {
        let rest = |limit| {
            let mut lines = Lines::new("{\n 1\n}\n".as_bytes(), 100);
            let first = lines.next().expect("readable").expect("a line");
            let second = lines.next().expect("readable").expect("a line");
            lines.give_back(second);
            lines.give_back(first);
            lines.rest(limit).expect("readable")
        };
        assert_eq!(rest(7).as_deref(), Some("{\n 1\n}\n".as_bytes()));
        assert_eq!(rest(6), None);
    }
}

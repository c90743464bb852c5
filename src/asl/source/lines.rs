//! Bytes of a text to lines and columns.

use serde::Serialize;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// Characters are counted up to every so manieth byte, as a definition may stand on one line of a megabyte.
const BLOCK: usize = 1 << 12;

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct Lines {
    starts: Vec<usize>,
    /// How many characters begin before each block of bytes.
    characters: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let after_breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let counts = text.as_bytes().chunks(BLOCK).scan(0, |sum, block| {
            *sum += beginning(block);
            Some(*sum)
        });
        Self { starts: std::iter::once(0).chain(after_breaks).collect(), characters: std::iter::once(0).chain(counts).collect() }
    }

    /// How many characters begin before a byte.
    fn characters(&self, text: &str, byte: usize) -> usize {
        let block = byte / BLOCK;
        self.characters[block] + beginning(&text.as_bytes()[block * BLOCK..byte])
    }

    pub(super) fn position(&self, text: &str, byte: usize) -> Position {
        let byte = byte.min(text.len());
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self.starts[line - 1];
        let column = self.characters(text, byte) - self.characters(text, start) + 1;
        Position { line, column }
    }

    pub(super) fn line<'t>(&self, text: &'t str, number: usize) -> &'t str {
        let Some(start) = number.checked_sub(1).and_then(|index| self.starts.get(index)) else { return "" };
        let end = self.starts.get(number).copied().unwrap_or(text.len());
        text[*start..end].trim_end_matches(['\n', '\r'])
    }
}

/// How many characters begin in these bytes: continuation bytes begin none.
fn beginning(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

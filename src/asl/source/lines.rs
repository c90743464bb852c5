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

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let after_breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self { starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    pub(super) fn position(&self, text: &str, byte: usize) -> Position {
        let byte = byte.min(text.len());
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self.starts[line - 1];
        // Continuation bytes begin no character.
        let column = text.as_bytes()[start..byte].iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
        Position { line, column }
    }

    pub(super) fn line<'t>(&self, text: &'t str, number: usize) -> &'t str {
        let Some(start) = number.checked_sub(1).and_then(|index| self.starts.get(index)) else { return "" };
        let end = self.starts.get(number).copied().unwrap_or(text.len());
        text[*start..end].trim_end_matches(['\n', '\r'])
    }
}

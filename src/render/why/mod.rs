//! The answer to `why` as text and as JSON.
//!
//! The text is read from the top by somebody who was woken up: what failed and how sure that is, the error, the input; then how
//! it came there, what to check and what to run next. A section without content does not appear.

mod attempts;
mod log;
mod route;
mod summary;
mod text;
mod words;

use std::io::{self, Write};

use super::escape;
use super::page::Page;
use super::redact::Redactor;
use super::styles::Styles;
use crate::analysis::why::WhyReport;

pub use summary::summary;

/// Writes the answer for a person, in lines of `width` columns.
pub fn text(report: &WhyReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    text::write(report, &mut Page::new(styles, redactor, width, out))
}

/// Writes the answer as a JSON document of several lines.
pub fn json(report: &WhyReport, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    document(&serde_json::to_string_pretty(report)?, *redactor, out)
}

/// Writes the answer as a JSON document on one line.
pub fn json_line(report: &WhyReport, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    // A quoted JSON value keeps its own line ends, which in JSON are nothing but spaces.
    let line = serde_json::to_string(report)?.replace(['\n', '\r'], " ");
    document(&line, *redactor, out)
}

fn document(text: &str, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", escape::json(&redactor.apply(text)))
}

#[cfg(test)]
mod tests;

//! `cost`: the report as text, as JSON, as plots; executions as JSON Lines.

mod plot;
mod text;

use std::io::{self, Write};

pub use plot::figure;
pub use text::{View, text};

use super::escape;
use super::redact::Redactor;
use crate::analysis::cost::CostReport;

/// Writes the report as one JSON document: of several lines, or on one.
pub fn json(report: &CostReport, on_one_line: bool, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    let text = if on_one_line { serde_json::to_string(report)? } else { serde_json::to_string_pretty(report)? };
    writeln!(out, "{}", escape::json(&redactor.apply(&text)))
}

/// Writes each execution as a JSON document on a line of its own, sorted by ARN.
pub fn executions(report: &CostReport, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    for execution in &report.executions {
        let text = serde_json::to_string(execution)?;
        writeln!(out, "{}", escape::json(&redactor.apply(&text)))?;
    }
    Ok(())
}

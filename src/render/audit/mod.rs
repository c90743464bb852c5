//! What `audit` found: for people, as JSON, and for code review.

mod rules;
mod sarif;
mod text;

use std::io::{self, Write};

use crate::analysis::audit::AuditReport;
use crate::render::escape;
use crate::render::redact::Redactor;

pub use rules::rules;
pub use sarif::sarif;
pub use text::text;

/// Writes a report as a JSON document of several lines.
pub fn json(report: &AuditReport, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    document(&serde_json::to_string_pretty(report)?, *redactor, out)
}

/// Writes a report as a JSON document on one line.
pub fn json_line(report: &AuditReport, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    document(&serde_json::to_string(report)?, *redactor, out)
}

fn document(text: &str, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", escape::json(&redactor.apply(text)))
}

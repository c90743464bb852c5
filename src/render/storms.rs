//! `storms` as text.

use std::io::{self, Write};

use super::redact::Redactor;
use super::styles::Styles;
use crate::analysis::storms::StormsReport;

/// Writes the report, at most `width` columns wide.
pub fn text(report: &StormsReport, _styles: &Styles, redactor: &Redactor, _width: usize, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        writeln!(out, "{}", redactor.apply(&finding.common.summary))?;
    }
    Ok(())
}

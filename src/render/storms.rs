//! `storms` as text.

use std::io::{self, Write};

use super::redact::Redactor;
use super::styles::Styles;
use crate::analysis::storms::StormsReport;

/// Writes the report, at most `width` columns wide.
pub fn text(report: &StormsReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = super::page::Page::new(styles, redactor, width, out);
    for finding in &report.findings {
        writeln!(page.out, "{}", redactor.apply(&finding.common.summary))?;
        super::storms_remedy::text(finding, &mut page)?;
    }
    Ok(())
}

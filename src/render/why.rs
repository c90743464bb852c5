//! placeholder
use super::{redact::Redactor, styles::Styles};
use crate::analysis::why::WhyReport;
use std::io::{self, Write};
pub fn text(report: &WhyReport, _: &Styles, redactor: &Redactor, _: usize, out: &mut dyn Write) -> io::Result<()> {
    json(report, redactor, out)
}
pub fn json(report: &WhyReport, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", redactor.apply(&serde_json::to_string_pretty(report)?))
}
pub fn json_line(report: &WhyReport, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", redactor.apply(&serde_json::to_string(report)?))
}
pub fn summary(reports: &[&WhyReport], _: &Styles, redactor: &Redactor, _: usize, out: &mut dyn Write) -> io::Result<()> {
    for r in reports {
        json_line(r, redactor, out)?;
    }
    Ok(())
}

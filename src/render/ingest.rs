//! What came of putting executions into a store, in a few lines.

use std::io::{self, Write};

use super::columns::{counted, duration};
use super::escape;
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::ingest::IngestReport;

/// Some lines for a person.
pub fn text(report: &IngestReport, styles: &Styles, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    let clean = |text: &str| escape::line(&redactor.apply(text)).into_owned();
    let took = duration(i64::try_from(report.duration_ms).unwrap_or(i64::MAX));
    let (executions, events) = (counted(report.read, "execution"), counted(report.events, "event"));
    writeln!(out, "Read {executions} with {events} from {} in {took}.", bytes(report.bytes_in))?;
    let parts = [(report.new, "new"), (report.replaced, "replaced"), (report.unchanged, "unchanged"), (report.older, "older than stored")];
    let parts: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if !parts.is_empty() {
        writeln!(out, "Of them {}.", parts.join(", "))?;
    }
    match report.batches {
        0 => writeln!(out, "Nothing was written: {} is as it was.", clean(&report.store))?,
        count => writeln!(out, "Wrote {} in {} to {}", bytes(report.bytes_out), counted(count, "batch"), clean(&report.store))?,
    }
    if report.rejected > 0 {
        let count = if report.rejected == 1 { "1 record or file".to_owned() } else { format!("{} records or files", report.rejected) };
        writeln!(out, "{}", paint(styles.failure, format!("{count} could not be read.")))?;
    }
    if let Some(file) = &report.rejected_file {
        writeln!(out, "Their text, with the reason, is in {}", clean(file))?;
    }
    Ok(())
}

/// A size, to three digits.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} B");
    }
    #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut size = count as f64 / 1000.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if size < 999.5 {
            break;
        }
        size /= 1000.0;
        unit = larger;
    }
    let digits = if size < 9.995 { 2 } else { usize::from(size < 99.95) };
    format!("{size:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        let sizes = [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (12_345, "12.3 kB"), (999_499, "999 kB"), (999_500, "1.00 MB")];
        for (count, text) in sizes {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(bytes(u64::MAX), "18447 PB");
    }
}

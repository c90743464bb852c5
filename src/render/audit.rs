//! Diagnostics of a definition, each with the line it is about and a mark beneath.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::columns::{counted, wrapped};
use super::escape;
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::audit::AuditReport;
use crate::asl::check::{Diagnostic, Severity};

/// How much of a long line is shown before the mark.
const BEFORE: usize = 24;

/// Writes the diagnostics of each definition, and a line that sums up.
pub fn text(reports: &[AuditReport], styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let view = View { styles, redactor, width };
    for report in reports {
        for diagnostic in &report.diagnostics {
            view.diagnostic(report, diagnostic, out)?;
        }
        view.summary(report, out)?;
    }
    Ok(())
}

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

struct View<'a> {
    styles: &'a Styles,
    redactor: &'a Redactor,
    width: usize,
}

impl View<'_> {
    fn clean(&self, text: &str) -> String {
        escape::line(&self.redactor.apply(text)).into_owned()
    }

    fn diagnostic(&self, report: &AuditReport, diagnostic: &Diagnostic, out: &mut dyn Write) -> io::Result<()> {
        let (word, style) = match diagnostic.severity {
            Severity::Error => ("error", self.styles.failure),
            Severity::Warning => ("warning", self.styles.caught),
        };
        let code = serde_json::to_value(diagnostic.code)?;
        let title = format!("{word}[{}]: ", code.as_str().unwrap_or_default());
        let message = self.clean(&diagnostic.message);
        let mut lines = wrapped(&format!("{title}{message}"), self.width).into_iter();
        let first = lines.next().unwrap_or_default();
        let head = first.len().min(title.trim_end().len());
        writeln!(out, "{}{}", paint(style, &first[..head]), &first[head..])?;
        for line in lines {
            writeln!(out, "{line}")?;
        }
        self.excerpt(report, diagnostic, style, out)?;
        writeln!(out)
    }

    /// Where it is, the line, and a mark beneath.
    fn excerpt(&self, report: &AuditReport, diagnostic: &Diagnostic, style: anstyle::Style, out: &mut dyn Write) -> io::Result<()> {
        let number = diagnostic.line.to_string();
        let margin = " ".repeat(number.len());
        let place = format!("{}:{}:{}", self.clean(&report.file), diagnostic.line, diagnostic.column);
        let location = diagnostic.location.as_deref().map(|location| self.clean(location)).unwrap_or_default();
        let dim = self.styles.dim;
        let beside = if location.is_empty() { String::new() } else { format!("  {}", paint(dim, location)) };
        writeln!(out, "{margin}{} {place}{beside}", paint(dim, "-->"))?;
        let Some(line) = report.lines.get(&diagnostic.line).filter(|line| !line.trim().is_empty()) else { return Ok(()) };
        let room = self.width.saturating_sub(number.len() + 3);
        let Shown { text, before, marked } = self.shown(line, diagnostic, room);
        writeln!(out, "{margin} {}", paint(dim, "|"))?;
        writeln!(out, "{} {text}", paint(dim, format!("{number} |")))?;
        writeln!(out, "{margin} {} {}{}", paint(dim, "|"), " ".repeat(before), paint(style, "^".repeat(marked)))
    }

    /// The part of a line that fits, with the mark in it.
    fn shown(&self, line: &str, diagnostic: &Diagnostic, room: usize) -> Shown {
        let line = line.replace('\t', " ");
        let mut characters = line.chars();
        let before: String = characters.by_ref().take(diagnostic.column - 1).collect();
        let marked: String = characters.by_ref().take(diagnostic.width).collect();
        let after: String = characters.take(room).collect();
        // Beyond the screen nothing is looked at: a definition may stand on one line of a megabyte.
        let long = before.width() + marked.chars().take(room).collect::<String>().width() > room;
        let kept = if long { last(&before, BEFORE) } else { before.as_str() };
        let dots = if kept.len() < before.len() { "…" } else { "" };
        let before = format!("{dots}{}", self.clean(kept));
        let marked: String = marked.chars().take(room).collect();
        let marked = self.clean(&marked);
        let text = format!("{before}{marked}{}", self.clean(&after));
        let text = super::columns::fit(&text, room).into_owned();
        let beneath = room.saturating_sub(before.width()).max(1);
        Shown { text, before: before.width(), marked: marked.width().clamp(1, beneath) }
    }

    fn summary(&self, report: &AuditReport, out: &mut dyn Write) -> io::Result<()> {
        let (verdict, style) = if report.valid { ("valid", self.styles.ok) } else { ("not valid", self.styles.failure) };
        let mut words = Vec::new();
        for (count, what) in [(report.errors, "error"), (report.warnings, "warning")] {
            if count > 0 {
                words.push(counted(count as u64, what));
            }
        }
        if report.truncated {
            words.push("and more that are not shown".to_owned());
        }
        let counts = if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
        let file = self.clean(&report.file);
        writeln!(out, "{file}: {} as {}{counts}", paint(style, verdict), report.machine_type.name())
    }
}

struct Shown {
    text: String,
    /// Columns before the mark.
    before: usize,
    /// Columns of the mark.
    marked: usize,
}

/// The last characters of a text.
fn last(text: &str, count: usize) -> &str {
    let start = text.char_indices().rev().nth(count.saturating_sub(1)).map_or(0, |(at, _)| at);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::audit::{Options, audit};

    fn shown(definition: &str, width: usize) -> String {
        let report = audit("orders.json", definition.as_bytes(), &Options::default()).expect("a definition");
        let mut out = Vec::new();
        text(&[report], &Styles::plain(), &Redactor::new(true), width, &mut out).expect("memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_mark_stands_beneath_what_is_wrong() {
        let definition = "{\n  \"StartAt\": \"A\",\n  \"States\": {\n    \"A\": {\"Type\": \"Pass\", \"Next\": \"B\"},\n    \"Z\": {\"Type\": \"Succeed\"}\n  }\n}";
        insta::assert_snapshot!(shown(definition, 80), @r#"
        error[MISSING_TRANSITION_TARGET]: Missing 'Next' target: B
         --> orders.json:4:35  /States/A/Next
          |
        4 |     "A": {"Type": "Pass", "Next": "B"},
          |                                   ^^^

        error[MISSING_TRANSITION_TARGET]: State "Z" is not reachable.
         --> orders.json:5:5  /States/Z
          |
        5 |     "Z": {"Type": "Succeed"}
          |     ^^^

        orders.json: not valid as STANDARD: 2 errors
        "#);
    }

    #[test]
    fn of_a_long_line_the_part_with_the_mark_is_shown() {
        let definition = format!(
            r#"{{"Comment": "{}", "StartAt": "A", "States": {{"A": {{"Type": "Pass", "InputPath": 7, "End": true}}}}}}"#,
            "x".repeat(500)
        );
        let text = shown(&definition, 80);
        assert!(text.lines().all(|line| line.width() <= 80), "{text}");
        let mark = text.lines().find(|line| line.contains('^')).and_then(|line| line.find('^')).expect("a mark");
        let line = text.lines().find(|line| line.starts_with("1 |")).expect("the line");
        assert_eq!(line.chars().nth(mark), Some('7'), "{text}");
    }

    #[test]
    fn escape_sequences_do_not_reach_the_screen() {
        let text = shown("{\"StartAt\": \"A\u{1b}[31m\u{202e}\", \"States\": {\"A\": {\"Type\": \"Succeed\"}}}", 80);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }

    #[test]
    fn a_sound_definition_is_one_line() {
        assert_eq!(shown(r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#, 80), "orders.json: valid as STANDARD\n");
    }
}

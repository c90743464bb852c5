//! Diagnostics and findings of a definition, each with the line it is about and a mark beneath.

use std::collections::BTreeSet;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::analysis::audit::rule::{Fix, Level};
use crate::analysis::audit::{AuditReport, Finding};
use crate::asl::check::{Diagnostic, Severity};
use crate::render::columns::{counted, fit, wrapped};
use crate::render::escape;
use crate::render::redact::Redactor;
use crate::render::styles::{Styles, paint};

/// How much of a long line is shown before the mark.
const BEFORE: usize = 24;
/// Findings of one definition that are shown; nobody reads more at once, and JSON has them all.
const MOST_SHOWN: usize = 100;

/// Writes the diagnostics and findings of each definition, and a line that sums up.
pub fn text(reports: &[AuditReport], styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let view = View { styles, redactor, width };
    for report in reports {
        for diagnostic in &report.diagnostics {
            view.entry(report, &Entry::of_diagnostic(diagnostic, styles)?, out)?;
            writeln!(out)?;
        }
        let mut explained = BTreeSet::new();
        for finding in report.findings.iter().take(MOST_SHOWN) {
            view.finding(report, finding, explained.insert(finding.rule), out)?;
        }
        view.fixes(report, out)?;
        view.summary(report, out)?;
    }
    Ok(())
}

/// What diagnostics and findings have in common.
struct Entry<'r> {
    level: &'static str,
    style: anstyle::Style,
    code: String,
    message: &'r str,
    location: Option<&'r str>,
    line: usize,
    column: usize,
    width: usize,
}

impl<'r> Entry<'r> {
    fn of_diagnostic(diagnostic: &'r Diagnostic, styles: &Styles) -> io::Result<Self> {
        let (level, style) = match diagnostic.severity {
            Severity::Error => ("error", styles.failure),
            Severity::Warning => ("warning", styles.caught),
        };
        let code = serde_json::to_value(diagnostic.code)?;
        Ok(Self {
            level,
            style,
            code: code.as_str().unwrap_or_default().to_owned(),
            message: &diagnostic.message,
            location: diagnostic.location.as_deref(),
            line: diagnostic.line,
            column: diagnostic.column,
            width: diagnostic.width,
        })
    }

    fn of_finding(finding: &'r Finding, styles: &Styles) -> Self {
        Self {
            level: finding.level.name(),
            style: level_style(finding.level, styles),
            code: finding.rule.to_owned(),
            message: &finding.message,
            location: Some(&finding.location),
            line: finding.line,
            column: finding.column,
            width: finding.width,
        }
    }
}

pub(super) fn level_style(level: Level, styles: &Styles) -> anstyle::Style {
    match level {
        Level::Error => styles.failure,
        Level::Warning => styles.caught,
        Level::Note => styles.open,
    }
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

    fn entry(&self, report: &AuditReport, entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
        let title = format!("{}[{}]: ", entry.level, entry.code);
        let message = self.clean(entry.message);
        let mut lines = wrapped(&format!("{title}{message}"), self.width).into_iter();
        let first = lines.next().unwrap_or_default();
        let head = first.len().min(title.trim_end().len());
        writeln!(out, "{}{}", paint(entry.style, &first[..head]), &first[head..])?;
        for line in lines {
            writeln!(out, "{line}")?;
        }
        self.excerpt(report, entry, out)
    }

    /// A finding, with its reason where it is the first of its rule.
    fn finding(&self, report: &AuditReport, finding: &Finding, with_reason: bool, out: &mut dyn Write) -> io::Result<()> {
        self.entry(report, &Entry::of_finding(finding, self.styles), out)?;
        let margin = finding.line.to_string().len();
        let mut note = |word: &str, text: &str| self.note(margin, word, text, out);
        if with_reason {
            note("why", finding.reason)?;
        }
        if let Some(fix) = &finding.fix {
            note("fix", &format!("{} {}", fix.text, flag(fix)))?;
        }
        if let Some(summary) = finding.cost.as_ref().and_then(|cost| cost.summary.as_deref()) {
            note("cost here", summary)?;
        }
        writeln!(out)
    }

    fn note(&self, margin: usize, word: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let blanks = " ".repeat(margin);
        let head = format!("{word}: ");
        for (at, line) in wrapped(&format!("{head}{}", self.clean(text)), self.width.saturating_sub(margin + 3)).iter().enumerate() {
            match line.strip_prefix(head.trim_end()).filter(|_| at == 0) {
                Some(rest) => {
                    writeln!(out, "{blanks} {} {}{rest}", paint(self.styles.dim, "="), paint(self.styles.heading, head.trim_end()))?
                }
                None => writeln!(out, "{blanks}   {line}")?,
            }
        }
        Ok(())
    }

    /// Where it is, the line, and a mark beneath.
    fn excerpt(&self, report: &AuditReport, entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
        let number = entry.line.to_string();
        let margin = " ".repeat(number.len());
        let place = format!("{}:{}:{}", self.clean(&report.file), entry.line, entry.column);
        let location = entry.location.map(|location| self.clean(location)).unwrap_or_default();
        let dim = self.styles.dim;
        let beside = if location.is_empty() { String::new() } else { format!("  {}", paint(dim, &location)) };
        if margin.len() + 4 + place.width() + 2 + location.width() <= self.width || location.is_empty() {
            writeln!(out, "{margin}{} {place}{beside}", paint(dim, "-->"))?;
        } else {
            writeln!(out, "{margin}{} {place}", paint(dim, "-->"))?;
            writeln!(out, "{margin}  {beside}")?;
        }
        // A bracket alone shows nothing.
        let says = |line: &&String| line.contains(|character: char| !character.is_whitespace() && !"{[,".contains(character));
        let Some(line) = report.lines.get(&entry.line).filter(says) else { return Ok(()) };
        let room = self.width.saturating_sub(number.len() + 3);
        let Shown { text, before, marked } = self.shown(line, entry, room);
        writeln!(out, "{margin} {}", paint(dim, "|"))?;
        writeln!(out, "{} {text}", paint(dim, format!("{number} |")))?;
        writeln!(out, "{margin} {} {}{}", paint(dim, "|"), " ".repeat(before), paint(entry.style, "^".repeat(marked)))
    }

    /// The part of a line that fits, with the mark in it.
    fn shown(&self, line: &str, entry: &Entry<'_>, room: usize) -> Shown {
        let line = line.replace('\t', " ");
        let mut characters = line.chars();
        let before: String = characters.by_ref().take(entry.column - 1).collect();
        let marked: String = characters.by_ref().take(entry.width).collect();
        let after: String = characters.take(room).collect();
        // Beyond the screen nothing is looked at: a definition may stand on one line of a megabyte.
        let long = before.width() + marked.chars().take(room).collect::<String>().width() > room;
        let kept = if long { last(&before, BEFORE) } else { before.as_str() };
        let dots = if kept.len() < before.len() { "…" } else { "" };
        let before = format!("{dots}{}", self.clean(kept));
        let marked: String = marked.chars().take(room).collect();
        let marked = self.clean(&marked);
        let text = format!("{before}{marked}{}", self.clean(&after));
        let text = fit(&text, room).into_owned();
        let beneath = room.saturating_sub(before.width()).max(1);
        Shown { text, before: before.width(), marked: marked.width().clamp(1, beneath) }
    }

    /// What was fixed, and what should have been.
    fn fixes(&self, report: &AuditReport, out: &mut dyn Write) -> io::Result<()> {
        let of = |state: &Option<String>| state.as_ref().map_or(String::new(), |state| format!(" in {}", self.clean(state)));
        let mut list = |style: anstyle::Style, head: String, text: String| {
            for (at, line) in wrapped(&format!("{head} {text}"), self.width.saturating_sub(2)).iter().enumerate() {
                match line.strip_prefix(head.as_str()).filter(|_| at == 0) {
                    Some(rest) => writeln!(out, "{}{rest}", paint(style, &head))?,
                    None => writeln!(out, "  {line}")?,
                }
            }
            Ok::<(), io::Error>(())
        };
        for fixed in &report.fixed {
            list(self.styles.ok, format!("fixed[{}]:", fixed.rule), format!("{}{}", self.clean(&fixed.text), of(&fixed.state)))?;
        }
        for unfixed in &report.unfixed {
            let text = format!("{}{} was not done: {}", self.clean(&unfixed.text), of(&unfixed.state), self.clean(&unfixed.why));
            list(self.styles.caught, format!("not fixed[{}]:", unfixed.rule), text)?;
        }
        if !report.fixed.is_empty() || !report.unfixed.is_empty() {
            writeln!(out)?;
        }
        Ok(())
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
        let mut parts = vec![format!("{file}: {verdict} as {}{counts}", report.machine_type.name())];
        parts.extend(findings(report));
        let (line, head) = (parts.join("; "), format!("{file}: {verdict}"));
        for (at, line) in wrapped(&line, self.width).iter().enumerate() {
            match line.strip_prefix(head.as_str()).filter(|_| at == 0) {
                Some(rest) => writeln!(out, "{file}: {}{rest}", paint(style, verdict))?,
                None => writeln!(out, "{line}")?,
            }
        }
        for hint in hints(report) {
            writeln!(out, "{}", paint(self.styles.dim, hint))?;
        }
        Ok(())
    }
}

/// How many findings there are, of which level, and what became of others.
fn findings(report: &AuditReport) -> Vec<String> {
    let levels = &report.levels;
    let counts: Vec<String> = [(levels.error, "error"), (levels.warning, "warning"), (levels.note, "note")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(count as u64, what))
        .collect();
    let mut parts = Vec::new();
    if !counts.is_empty() {
        parts.push(format!("rules: {}", counts.join(", ")));
    }
    if !report.suppressed.is_empty() {
        parts.push(format!("{} switched off", report.suppressed.len()));
    }
    if !report.fixed.is_empty() {
        parts.push(format!("{} fixed", report.fixed.len()));
    }
    parts
}

/// What to do next.
fn hints(report: &AuditReport) -> Vec<String> {
    let mut hints = Vec::new();
    let beyond = report.findings.len().saturating_sub(MOST_SHOWN);
    if beyond > 0 {
        hints.push(format!("{} more: --output json has all of them", counted(beyond as u64, "finding")));
    }
    let (safe, other) = (report.levels.safely_fixable, report.levels.otherwise_fixable);
    // Of a definition in which fixes were just made, what is left is left on purpose.
    if safe + other > 0 && report.fixed.is_empty() && report.unfixed.is_empty() {
        let one = |count: usize| if count == 1 { "has a fix" } else { "have fixes" };
        hints.push(match (safe, other) {
            (safe, 0) => format!("{safe} {}: --fix, or --diff to see", one(safe)),
            (0, other) => format!("{other} {} that changes what it does: --fix --unsafe-fixes", one(other)),
            (safe, other) => format!("{safe} {}: --fix, or --diff to see; {other} more with --unsafe-fixes", one(safe)),
        });
    }
    hints
}

/// Which flag makes a fix.
fn flag(fix: &Fix) -> &'static str {
    if fix.safe { "(--fix)" } else { "(--fix --unsafe-fixes)" }
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

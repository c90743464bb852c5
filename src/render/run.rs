//! `run`: what came of an execution that was run here, below its path; or a line for each of several.

use std::io::{self, Write};

use super::columns::{counted, fit, width as columns};
use super::escape;
use super::json_text::indented;
use super::page::{LABEL, Page, head};
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::run::RunReport;
use crate::model::ExecutionStatus;

/// Lines of an output that are shown; the rest is counted.
const MOST_LINES: usize = 60;
/// Lines of a cause that are shown.
const MOST_CAUSE_LINES: usize = 20;
/// Failed children that are named.
const MOST_FAILURES: usize = 3;
/// Columns of the longest status.
const STATUS: usize = 9;

/// Writes how the execution ended.
pub fn outcome(report: &RunReport<'_>, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    let outcome = &report.outcome;
    if let Some(output) = outcome.output {
        page.heading("Output")?;
        payload(output, &mut page)?;
    } else {
        writeln!(page.out)?;
    }
    let style = styles.failure;
    if let Some(error) = outcome.error {
        let error = page.clean(error);
        page.fact("Error", style, &error)?;
    }
    if let Some(cause) = outcome.cause {
        let cause = escape::block(&page.redactor.apply(cause)).into_owned();
        let (shown, more) = head(&cause, MOST_CAUSE_LINES);
        page.fact("Cause", style, &shown)?;
        left_out(more, &mut page)?;
    }
    if outcome.status == ExecutionStatus::Running {
        page.fact("Waits", styles.open, "for an answer that never comes: nothing more can happen here")?;
    }
    children(report, &mut page)
}

fn payload(output: &str, page: &mut Page<'_>) -> io::Result<()> {
    let masked = page.redactor.apply(output);
    let text = match indented(&masked) {
        Some(text) => escape::json(&text).into_owned(),
        None => escape::block(&masked).into_owned(),
    };
    let (shown, more) = head(&text, MOST_LINES);
    for line in shown.lines() {
        writeln!(page.out, "  {line}")?;
    }
    left_out(more, page)
}

fn left_out(more: usize, page: &mut Page<'_>) -> io::Result<()> {
    if more == 0 {
        return Ok(());
    }
    let text = format!("{}; --output json shows all", counted(more as u64, "more line"));
    page.paragraph(page.styles.dim, &text)
}

fn children(report: &RunReport<'_>, page: &mut Page<'_>) -> io::Result<()> {
    if report.children.is_empty() {
        return Ok(());
    }
    writeln!(page.out)?;
    let text = tally(report.children.iter().map(|child| child.outcome.status));
    page.fact("Started", page.styles.dim, &format!("{text}; --bundle FILE keeps their histories"))?;
    let failed = report.children.iter().filter(|child| child.outcome.status.is_unsuccessful());
    for child in failed.clone().take(MOST_FAILURES) {
        let name = child.execution.and_then(|arn| arn.rsplit(':').next()).unwrap_or_default();
        let said = [child.outcome.error, child.outcome.cause].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let line = page.clean(&format!("{name} {}  {said}", child.outcome.status));
        page.cut(LABEL, page.styles.failure, &line)?;
    }
    left_out_failures(failed.count().saturating_sub(MOST_FAILURES), page)
}

fn left_out_failures(more: usize, page: &mut Page<'_>) -> io::Result<()> {
    if more == 0 { Ok(()) } else { page.cut(LABEL, page.styles.dim, &format!("and {more} more")) }
}

/// Writes one execution of several on a line: its status, where its input stood, and what came of it.
pub fn line(report: &RunReport<'_>, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let page = Page::new(styles, redactor, width, out);
    let outcome = &report.outcome;
    let style = match outcome.status {
        ExecutionStatus::Succeeded => styles.ok,
        status if status.is_unsuccessful() => styles.failure,
        _ => styles.open,
    };
    let name = page.clean(report.execution.name.as_deref().unwrap_or_default());
    let said = match (outcome.output, outcome.error, outcome.cause) {
        (Some(output), ..) => output.to_owned(),
        (None, error, cause) => [error, cause].into_iter().flatten().collect::<Vec<_>>().join(": "),
    };
    let room = page.width.saturating_sub(STATUS + columns(&name) + 4);
    let said = page.clean(&said);
    let text = format!("{name}  {}", fit(&said, room));
    writeln!(page.out, "{}  {}", paint(style, format_args!("{:<STATUS$}", outcome.status.name())), text.trim_end())
}

/// `3 executions: 2 SUCCEEDED, 1 FAILED`.
pub fn tally(statuses: impl Iterator<Item = ExecutionStatus>) -> String {
    let mut counts = [0_u64; ExecutionStatus::ALL.len()];
    for status in statuses {
        let position = ExecutionStatus::ALL.iter().position(|known| *known == status);
        counts[position.unwrap_or_default()] += 1;
    }
    let parts = ExecutionStatus::ALL.iter().zip(counts).filter(|(_, count)| *count > 0);
    let parts: Vec<String> = parts.map(|(status, count)| format!("{count} {status}")).collect();
    format!("{}: {}", counted(counts.iter().sum(), "execution"), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::run::run;
    use crate::interpreter::{Outcome, Run};
    use crate::model::builder::history;

    fn run_with(status: ExecutionStatus, output: Option<&str>, error: Option<&str>, cause: Option<&str>) -> Run {
        let outcome = Outcome { status, output: output.map(Into::into), error: error.map(Into::into), cause: cause.map(Into::into) };
        Run { outcome, history: history("Orders").named("run-1").build(), children: Vec::new(), states_entered: 0 }
    }

    fn shown(produced: &Run, view: impl Fn(&RunReport<'_>, &Styles, &Redactor, usize, &mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        view(&run(produced), &Styles::plain(), &Redactor::new(true), 60, &mut out).expect("written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn an_output_is_indented_and_a_failure_told_in_full() {
        let success = run_with(ExecutionStatus::Succeeded, Some(r#"{"id":7,"password":"hunter22222"}"#), None, None);
        assert_eq!(shown(&success, outcome), "\nOutput\n  {\n    \"id\": 7,\n    \"password\": \"****\"\n  }\n");
        let failure = run_with(ExecutionStatus::Failed, None, Some("Declined"), Some("no money\n\u{1b}[2J"));
        assert_eq!(shown(&failure, outcome), "\nError     Declined\nCause     no money\n          \\u{1b}[2J\n");
    }

    #[test]
    fn what_waits_for_ever_says_so() {
        let waiting = run_with(ExecutionStatus::Running, None, None, None);
        assert_eq!(shown(&waiting, outcome), "\nWaits     for an answer that never comes: nothing more can\n          happen here\n");
    }

    #[test]
    fn one_of_several_fits_on_a_line() {
        let long = format!("\"{}\"", "x".repeat(100));
        let success = shown(&run_with(ExecutionStatus::Succeeded, Some(&long), None, None), line);
        assert!(success.starts_with("SUCCEEDED  run-1  \"xxx") && success.trim_end().chars().count() <= 60, "{success}");
        let failure = shown(&run_with(ExecutionStatus::TimedOut, None, None, None), line);
        assert_eq!(failure, "TIMED_OUT  run-1\n");
    }

    #[test]
    fn children_are_counted_by_status() {
        let mut parent = run_with(ExecutionStatus::Succeeded, Some("1"), None, None);
        for status in [ExecutionStatus::Failed, ExecutionStatus::Succeeded, ExecutionStatus::Succeeded] {
            parent.children.push(run_with(status, None, Some("Declined"), Some("no money")));
        }
        let text = shown(&parent, outcome);
        assert!(text.contains("\nStarted   3 executions: 2 SUCCEEDED, 1 FAILED; --bundle FILE"), "{text}");
        assert!(text.ends_with("          run-1 FAILED  Declined: no money\n"), "{text}");
    }
}

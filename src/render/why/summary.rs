//! Several executions: one line each, and what they have in common.

use std::io::{self, Write};

use crate::analysis::why::{self, FailureGroup, WhyReport, WhySummary};
use crate::model::{ExecutionStatus, StateMachineArn};
use crate::render::columns::{counted, fit, width};
use crate::render::page::Page;
use crate::render::redact::Redactor;
use crate::render::show::waits_for_words;
use crate::render::styles::{Styles, paint};

use super::words;

/// How many groups of failures are listed.
const MOST_GROUPS: usize = 20;
/// For how many of them a command is told that explains one at length.
const MOST_EXPLAINED: usize = 3;

/// From this width on there is room for the state machine beside the execution's name.
const WIDE: usize = 110;

struct Row {
    status: &'static str,
    style: anstyle::Style,
    state: String,
    error: String,
    confidence: &'static str,
    name: String,
}

/// Writes a line for each execution, then how many failed, of what, and how to read more of that.
pub fn summary(reports: &[&WhyReport], styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    let is_wide = width >= WIDE;
    let several_machines = is_wide && reports.windows(2).any(|pair| pair[0].execution.state_machine != pair[1].execution.state_machine);
    let rows: Vec<Row> = reports.iter().map(|report| row(report, several_machines, &page)).collect();
    lines(&rows, &mut page)?;
    let summary = why::summarize(reports);
    counts(&summary, &mut page)?;
    groups(&summary, &mut page)?;
    next(&summary, &mut page)
}

fn row(report: &WhyReport, with_machine: bool, page: &Page<'_>) -> Row {
    let execution = &report.execution;
    let style = match execution.status {
        Some(status) if status.is_unsuccessful() => page.styles.failure,
        Some(ExecutionStatus::Succeeded) if report.handled.is_empty() => page.styles.ok,
        Some(ExecutionStatus::Succeeded) | None => page.styles.caught,
        Some(_) => page.styles.open,
    };
    let (state, error, confidence) = match (&report.root_cause, report.open.first()) {
        (Some(cause), _) => {
            let error = cause.error.clone().unwrap_or_else(|| words::short_kind(cause.kind).to_owned());
            (cause.state.clone(), error, words::confidence(cause.confidence))
        }
        (None, Some(open)) => (open.state.clone(), format!("waits: {}", waits_for_words(open.waits_for)), ""),
        (None, None) if report.handled.is_empty() => (None, String::new(), ""),
        (None, None) => (None, format!("swallowed {}", counted(report.handled.len() as u64, "failure")), ""),
    };
    let machine = execution.state_machine.as_deref().filter(|_| with_machine).and_then(|arn| arn.parse::<StateMachineArn>().ok());
    let name = execution.name.clone().unwrap_or_else(|| execution.origin.clone());
    let name = machine.map_or_else(|| name.clone(), |machine| format!("{}/{name}", machine.name()));
    Row {
        status: words::status(execution.status),
        style,
        state: page.clean(state.as_deref().unwrap_or("-")),
        error: page.clean(&error),
        confidence,
        name: page.clean(&name),
    }
}

fn lines(rows: &[Row], page: &mut Page<'_>) -> io::Result<()> {
    let widest = |cell: fn(&Row) -> &str, most: usize| rows.iter().map(|row| width(cell(row))).max().unwrap_or(0).min(most);
    let status = widest(|row| row.status, 16);
    let confidence = widest(|row| row.confidence, 8);
    // Errors are cut first, they stand whole below; what one column does not need the other may take.
    let name = widest(|row| &row.name, page.width * 2 / 5);
    let room = page.width.saturating_sub(status + confidence + name + 8);
    let (widest_state, widest_error) = (widest(|row| &row.state, room), widest(|row| &row.error, room));
    let state = widest_state.min((room * 2 / 5).max(room.saturating_sub(widest_error)));
    let error = widest_error.min(room.saturating_sub(state));
    for row in rows {
        write!(page.out, "{}", paint(row.style, format_args!("{:<status$}", row.status)))?;
        write!(page.out, "  {}", paint(page.styles.state, padded(&row.state, state)))?;
        let mut used = status + 2 + state;
        if error > 0 {
            write!(page.out, "  {}", padded(&row.error, error))?;
            used += 2 + error;
        }
        if confidence > 0 {
            write!(page.out, "  {}", paint(page.styles.dim, format_args!("{:<confidence$}", row.confidence)))?;
            used += 2 + confidence;
        }
        writeln!(page.out, "  {}", fit(&row.name, page.width.saturating_sub(used + 2)))?;
    }
    Ok(())
}

/// Cut or filled to this many columns.
fn padded(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    format!("{text}{:1$}", "", columns.saturating_sub(width(&text)))
}

fn counts(summary: &WhySummary, page: &mut Page<'_>) -> io::Result<()> {
    let succeeded = match summary.swallowed {
        0 => "succeeded".to_owned(),
        swallowed => format!("succeeded ({swallowed} with swallowed failures)"),
    };
    let parts = [
        (summary.failed, "failed"),
        (summary.timed_out, "timed out"),
        (summary.aborted, "aborted"),
        (summary.running, "running"),
        (summary.succeeded, succeeded.as_str()),
        (summary.unknown, "of unknown status"),
        (summary.on_incomplete_evidence, "on incomplete evidence"),
    ];
    let said: Vec<String> = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let text = format!("{}: {}", counted(summary.executions as u64, "execution"), said.join(", "));
    writeln!(page.out)?;
    let heading = page.styles.heading;
    for line in crate::render::page::wrapped(&text, page.width) {
        writeln!(page.out, "{}", paint(heading, line))?;
    }
    Ok(())
}

fn state_of(group: &FailureGroup) -> &str {
    group.state.as_deref().unwrap_or("-")
}

fn error_of(group: &FailureGroup) -> &str {
    group.error.as_deref().unwrap_or_else(|| words::short_kind(group.kind))
}

/// How many failed in which state with which error.
fn groups(summary: &WhySummary, page: &mut Page<'_>) -> io::Result<()> {
    let shown: Vec<(usize, String, String)> = (summary.groups.iter().take(MOST_GROUPS))
        .map(|group| (group.executions, page.clean(state_of(group)), page.clean(error_of(group))))
        .collect();
    let numbers = shown.first().map_or(0, |(count, _, _)| count.to_string().len());
    let states = shown.iter().map(|(_, state, _)| width(state)).max().unwrap_or(0).min(34);
    for (count, state, error) in &shown {
        let room = page.width.saturating_sub(numbers + states + 6);
        let state = paint(page.styles.state, padded(state, states));
        writeln!(page.out, "  {count:>numbers$}  {state}  {}", fit(error, room))?;
    }
    if summary.groups.len() > MOST_GROUPS {
        let dim = page.styles.dim;
        page.paragraph(dim, &format!("… {} more", summary.groups.len() - MOST_GROUPS))?;
    }
    Ok(())
}

/// How to read on: names above may be cut, and one execution of each group tells most of it.
fn next(summary: &WhySummary, page: &mut Page<'_>) -> io::Result<()> {
    if summary.groups.is_empty() {
        return Ok(());
    }
    page.heading("Next")?;
    let (dim, command) = (page.styles.dim, page.styles.command);
    for group in summary.groups.iter().take(MOST_EXPLAINED) {
        let of_several = match group.executions {
            1 => String::new(),
            count => format!(" (the first of {count})"),
        };
        let text = page.clean(&format!("{}, {}{of_several}", state_of(group), error_of(group)));
        let line = page.clean(&format!("stepscope why {}", group.example));
        page.paragraph(dim, &text)?;
        page.copyable(4, command, &line)?;
    }
    Ok(())
}

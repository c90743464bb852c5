//! What traces add: for each state cold starts, functions and the calls that they made.

use std::fmt::Write as _;
use std::io;

use super::machine_name;
use super::text::time;
use crate::analysis::trace::{CallStatistics, Spread, TracedState, TracesReport};
use crate::render::columns::{counted, fit, width};
use crate::render::page::Page;
use crate::render::styles::paint;

/// Names of states take no more than this.
const WIDEST_STATE: usize = 28;
/// Columns of a figure and the space before it.
const FIGURE: usize = 10;

pub(super) fn write(report: &TracesReport, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("Inside the tasks, by their traces")?;
    let mut words = format!(
        "{} of {} have a trace that was read ({} read)",
        report.traced_executions,
        counted(report.executions, "execution"),
        counted(report.traces, "trace")
    );
    if report.likely > 0 {
        let _ = write!(words, "; {} told by time and name alone", report.likely);
    }
    if report.ambiguous > 0 {
        let _ = write!(words, "; {} fit by time and name and cannot be told apart", counted(report.ambiguous, "execution"));
    }
    let dim = page.styles.dim;
    page.paragraph(dim, &words)?;
    if report.states.is_empty() {
        return page.paragraph(dim, "No span that was read belongs to one of these states.");
    }
    let names = report.states.iter().map(|state| width(&page.clean(&state.state)));
    let name = names.max().unwrap_or(0).clamp(5, WIDEST_STATE);
    let mut machine = None;
    for state in &report.states {
        if machine != Some(&state.state_machine) {
            machine = Some(&state.state_machine);
            let title = page.clean(machine_name(state.state_machine.as_deref()));
            writeln!(page.out, "\n{}", paint(page.styles.heading, title))?;
            let heads = ["TRACED", "COLD", "COLD P95", "BEFORE P95", "HANDLER P50", "P95"];
            let [traced, cold, init, before, median, slow] = heads;
            let line = format!("{:<name$}{traced:>14}{cold:>6}{init:>FIGURE$}{before:>12}{median:>13}{slow:>FIGURE$}", "STATE");
            writeln!(page.out, "{}", paint(page.styles.dim, line))?;
        }
        row(state, name, page)?;
    }
    page.paragraph(dim, "BEFORE is the time from an attempt's schedule to its function's first moment.")
}

fn row(state: &TracedState, name: usize, page: &mut Page<'_>) -> io::Result<()> {
    let p95 = |spread: Option<Spread>| time(spread.map(|spread| spread.p95_ms));
    let title = page.clean(&state.state);
    let title = fit(&title, name);
    let traced = format!("{} of {}", state.traced_attempts, state.attempts);
    let has_function = state.handler.is_some() || state.before_function.is_some();
    let cold = if has_function { state.cold_starts.to_string() } else { "-".to_owned() };
    let line = format!(
        "{traced:>14}{cold:>6}{:>FIGURE$}{:>12}{:>13}{:>FIGURE$}",
        p95(state.init),
        p95(state.before_function),
        time(state.handler.map(|spread| spread.p50_ms)),
        p95(state.handler)
    );
    writeln!(page.out, "{}{:2$}{line}", paint(page.styles.state, &title), "", name.saturating_sub(width(&title)))?;
    for call in &state.calls {
        let style = if call.errors + call.faults + call.throttles > 0 { page.styles.caught } else { page.styles.dim };
        let words = page.clean(&words(call));
        page.paragraph(style, &words)?;
    }
    if state.calls_left_out > 0 {
        let dim = page.styles.dim;
        page.paragraph(
            dim,
            &format!("… {} of calls (--output json shows those that took longest)", counted(state.calls_left_out, "more kind")),
        )?;
    }
    Ok(())
}

/// `DynamoDB PutItem Orders: 24 calls, p50 20ms, p95 1.4s, 12 throttled`.
fn words(call: &CallStatistics) -> String {
    let names = [Some(call.name.as_str()), call.operation.as_deref(), call.resource.as_deref()];
    let mut parts = vec![counted(call.calls, "call")];
    if let Some(spread) = call.duration {
        parts.push(format!("p50 {}", time(Some(spread.p50_ms))));
        parts.push(format!("p95 {}", time(Some(spread.p95_ms))));
    }
    // What was throttled is an error as well.
    let errors = call.errors.saturating_sub(call.throttles);
    for (count, what) in [(call.throttles, "throttled"), (call.faults, "failed"), (errors, "refused")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    format!("{}: {}", names.into_iter().flatten().collect::<Vec<_>>().join(" "), parts.join(", "))
}

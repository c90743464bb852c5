//! The attempts of a visit as a table.

use std::io;

use anstyle::Style;

use crate::analysis::cause;
use crate::analysis::why::AttemptReport;
use crate::model::path::AttemptOutcome;
use crate::render::columns::{duration, fit, width};
use crate::render::page::Page;
use crate::render::styles::paint;

use super::words;

/// How many attempts are shown, and how many of them at the beginning.
const MOST: usize = 8;
const FIRST: usize = 3;

/// A row's cells: number, outcome, how long was waited before, how long it took.
type Cells = [String; 4];

const TITLES: [&str; 4] = ["#", "ended", "waited", "took"];

/// Writes a table; nothing for a single attempt.
pub(super) fn write(attempts: &[AttemptReport], page: &mut Page<'_>) -> io::Result<()> {
    if attempts.len() < 2 {
        return Ok(());
    }
    page.heading("Attempts")?;
    let rows: Vec<Cells> = attempts.iter().map(cells).collect();
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).chain([TITLES[column].len()]).max().unwrap_or(0);
    let columns: [usize; 4] = std::array::from_fn(widest);
    let dim = page.styles.dim;
    line(dim, dim, &TITLES.map(str::to_owned), columns, "", page)?;
    let mut said = String::new();
    for (position, (attempt, row)) in attempts.iter().zip(&rows).enumerate() {
        if attempts.len() > MOST && position >= FIRST && position < attempts.len() - (MOST - FIRST) {
            if position == FIRST {
                page.paragraph(dim, &format!("… {} more …", attempts.len() - MOST))?;
            }
            continue;
        }
        let problem = problem(attempt);
        // Attempts tend to fail alike: only what is new is worth reading.
        let shown = if problem == said && !said.is_empty() { "the same".to_owned() } else { page.clean(&problem) };
        said = problem;
        line(style(attempt.outcome, page), Style::new(), row, columns, &shown, page)?;
    }
    Ok(())
}

fn cells(attempt: &AttemptReport) -> Cells {
    let shown = |milliseconds: Option<i64>| milliseconds.map(duration);
    [
        attempt.number.to_string(),
        words::attempt(attempt.outcome).to_owned(),
        shown(attempt.wait_before_ms).unwrap_or_default(),
        shown(attempt.duration_ms).unwrap_or_default(),
    ]
}

fn problem(attempt: &AttemptReport) -> String {
    let message = attempt.cause.as_deref().and_then(|text| cause::decode(attempt.error.as_deref(), text).message);
    [attempt.error.clone(), message].into_iter().flatten().collect::<Vec<_>>().join(": ")
}

fn style(outcome: AttemptOutcome, page: &Page<'_>) -> Style {
    match outcome {
        AttemptOutcome::Succeeded => page.styles.ok,
        AttemptOutcome::Failed | AttemptOutcome::TimedOut => page.styles.failure,
        AttemptOutcome::Open => page.styles.open,
        AttemptOutcome::Aborted => page.styles.dim,
    }
}

fn line(ended: Style, others: Style, row: &Cells, columns: [usize; 4], problem: &str, page: &mut Page<'_>) -> io::Result<()> {
    let [number, outcome, waited, took] = row;
    let [numbers, outcomes, waits, lengths] = columns;
    let number = paint(others, format!("{number:>numbers$}"));
    let outcome = paint(ended, format!("{outcome:<outcomes$}"));
    let times = paint(others, format!("{waited:>waits$}  {took:>lengths$}"));
    write!(page.out, "  {number}  {outcome}  {times}")?;
    let used = 2 + columns.iter().sum::<usize>() + 6;
    let problem = fit(problem, page.width.saturating_sub(used + 2));
    if problem.is_empty() { writeln!(page.out) } else { writeln!(page.out, "  {problem}") }
}

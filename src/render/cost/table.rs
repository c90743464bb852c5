//! The tables of `cost`: columns that have nothing to tell are left out, amounts have like digits.

use std::io;

use crate::analysis::cost::{self, Charge, CostReport};
use crate::model::{Usd, thousands};
use crate::render::columns::{fit, width};
use crate::render::page::Page;
use crate::render::styles::paint;

/// States of a machine and rows of a table, unless all are asked for.
const MOST_ROWS: usize = 20;

/// A line of a table.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) count: u64,
    pub(super) retries: u64,
    pub(super) polling: u64,
    pub(super) failed: u64,
    pub(super) cost: Usd,
    pub(super) share: f64,
    /// A line below: what is inside.
    pub(super) below: Option<String>,
}

pub(super) fn charge_row(name: String, charge: &Charge, report: &CostReport) -> Row {
    let whole = report.total.cost_usd;
    Row {
        name,
        count: charge.transitions,
        retries: charge.retries,
        polling: charge.polling,
        failed: charge.failed_attempts,
        cost: charge.cost_usd,
        share: cost::percent(charge.cost_usd, whole),
        below: None,
    }
}

pub(super) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.1 { "< 0.1 %".to_owned() } else { format!("{share:.1} %") }
}

pub(super) fn table(title: &str, rows: &[Row], is_express: bool, page: &mut Page<'_>) -> io::Result<()> {
    lines(title, rows, MOST_ROWS, is_express, page)
}

/// A table of at most so many rows; the others are summed up.
pub(super) fn lines(title: &str, rows: &[Row], most: usize, is_express: bool, page: &mut Page<'_>) -> io::Result<()> {
    type Cell<'c> = Box<dyn Fn(&Row) -> String + 'c>;
    fn some(count: u64) -> String {
        if count == 0 { "-".to_owned() } else { thousands(count) }
    }
    let shown = &rows[..rows.len().min(most)];
    let places = Usd::places(shown.iter().map(|row| row.cost));
    let mut columns: Vec<(&str, Cell<'_>)> = vec![("transitions", Box::new(|row| some(row.count)))];
    if rows.iter().any(|row| row.retries > 0) {
        columns.push(("retries", Box::new(|row| some(row.retries))));
    }
    if rows.iter().any(|row| row.polling > 0) {
        columns.push(("polling", Box::new(|row| some(row.polling))));
    }
    if rows.iter().any(|row| row.failed > 0) {
        columns.push(("failed", Box::new(|row| some(row.failed))));
    }
    columns.push((if is_express { "cost (by time)" } else { "cost" }, Box::new(move |row| row.cost.fixed(places))));
    columns.push(("share", Box::new(|row| percent(row.share))));
    let widths: Vec<usize> =
        columns.iter().map(|(title, cell)| shown.iter().map(|row| width(&cell(row))).chain([title.len()]).max().unwrap_or(0)).collect();
    let taken: usize = widths.iter().map(|width| width + 2).sum();
    let longest = shown.iter().map(|row| width(&row.name)).chain([title.len()]).max().unwrap_or(0);
    let room = longest.min(page.width.saturating_sub(taken + 2).max(8));
    let mut heading = format!("  {title:<room$}");
    for ((title, _), width) in columns.iter().zip(&widths) {
        heading.extend([format!("  {title:>width$}")]);
    }
    writeln!(page.out, "{}", paint(page.styles.dim, heading))?;
    for row in shown {
        let name = fit(&row.name, room);
        let mut line = format!("  {}{:pad$}", paint(page.styles.state, &name), "", pad = room - width(&name));
        for ((_, cell), width) in columns.iter().zip(&widths) {
            line.extend([format!("  {:>width$}", cell(row))]);
        }
        writeln!(page.out, "{line}")?;
        if let Some(below) = &row.below {
            page.cut(4, page.styles.dim, below)?;
        }
    }
    let rest = &rows[shown.len()..];
    if !rest.is_empty() {
        let cost: Usd = rest.iter().map(|row| row.cost).sum();
        let text = format!("and {} more, {} together", thousands(rest.len() as u64), cost.shown());
        page.cut(2, page.styles.dim, &text)?;
    }
    Ok(())
}

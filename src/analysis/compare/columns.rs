//! Rows turned into columns: for each attribute the rows that have it.
//!
//! Of failed executions only what was so before the failure is an attribute: that they did not get to the states behind it, or
//! were handled by a Catch, follows from having failed and explains nothing. Both sides are cut alike, where they first entered one of
//! the failing states.

use std::collections::HashMap;
use std::sync::Arc;

use super::cell::Cell;
use super::row::{Kind, Row};
use crate::analysis::selection::{hour, quoted, weekday};
use crate::model::Micros;

/// How the values of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Values of any type; to be absent says something, too.
    Values,
    /// It happened, or it did not.
    Flag,
    /// Numbers that a failure cuts short: side A may only have more of them.
    CutShort,
    /// Numbers of what is only there for some.
    Numbers,
    /// Sizes, of which only large ones matter: small ones stand for the values of other attributes.
    Bytes,
    /// Moments, in microseconds.
    Moments,
    /// A stretch of time, in microseconds since 1970, of the length given.
    Slots(i64),
}

/// An attribute of many rows.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub name: Arc<str>,
    pub kind: Kind,
    pub reading: Reading,
    /// Row and value, by row; a row may have several.
    pub cells: Vec<(u32, Cell)>,
}

/// What is kept of the way of an execution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    /// Up to the first of these states; empty for all of it.
    pub until: &'a [Arc<str>],
    /// Whether side A failed as a whole.
    pub failing: bool,
    /// Whether all rows reached one of `until`.
    pub all_reached: bool,
}

/// Attributes that fewer rows have are not worth a column.
const FEWEST: usize = 3;

/// The columns of everything but time, by name.
pub(super) fn columns(rows: &[&Row], scope: Scope<'_>) -> Vec<Column> {
    let mut building = Building::default();
    for (number, row) in (0..).zip(rows) {
        for field in row.fields.iter().filter(|field| !(scope.failing && field.kind == Kind::Outcome)) {
            let reading = if field.name.starts_with("size(") { Reading::Bytes } else { Reading::Values };
            building.add(&field.name, field.kind, reading, number, field.cell.clone());
        }
        building.path(number, row, scope);
    }
    building.finish()
}

/// The columns of time.
pub(super) fn time_columns(rows: &[&Row]) -> Vec<Column> {
    const HOUR: i64 = 3_600_000_000;
    let starts: Vec<(u32, Micros)> = (0..).zip(rows).filter_map(|(number, row)| Some((number, row.start?))).collect();
    let (Some(first), Some(last)) = (starts.iter().map(|start| start.1).min(), starts.iter().map(|start| start.1).max()) else {
        return Vec::new();
    };
    let span = last.0.saturating_sub(first.0);
    let column = |name: &str, reading, cell: &dyn Fn(Micros) -> Cell| Column {
        name: name.into(),
        kind: Kind::Time,
        reading,
        cells: starts.iter().map(|(number, start)| (*number, cell(*start))).collect(),
    };
    // Microseconds are exact in f64 for 285 years.
    #[allow(clippy::cast_precision_loss)]
    let real = |micros: i64| Cell::Number(micros as f64);
    let mut columns = vec![column("start", Reading::Moments, &|start| real(start.0))];
    let lengths = [HOUR / 60, HOUR / 12, HOUR / 4, HOUR, 6 * HOUR, 24 * HOUR, 7 * 24 * HOUR];
    if let Some(length) = lengths.into_iter().find(|length| span / length <= 24) {
        columns.push(column("start", Reading::Slots(length), &|start| real(start.0.div_euclid(length) * length)));
    }
    if span > 24 * HOUR {
        columns.push(column("hour", Reading::Values, &|start| Cell::Number(f64::from(hour(start)))));
    }
    if span > 7 * 24 * HOUR {
        columns.push(column("weekday", Reading::Values, &|start| Cell::Text(weekday(start).into())));
    }
    columns
}

/// What happened, to which state, and to which other one.
type Happening = (&'static str, Arc<str>, Arc<str>);

#[derive(Default)]
struct Building {
    columns: Vec<Column>,
    places: HashMap<Arc<str>, usize>,
    names: HashMap<Happening, Arc<str>>,
}

impl Building {
    fn add(&mut self, name: &Arc<str>, kind: Kind, reading: Reading, row: u32, cell: Cell) {
        let place = self.places.get(name).copied().unwrap_or_else(|| {
            self.places.insert(Arc::clone(name), self.columns.len());
            self.columns.push(Column { name: Arc::clone(name), kind, reading, cells: Vec::new() });
            self.columns.len() - 1
        });
        self.columns[place].cells.push((row, cell));
    }

    fn path(&mut self, number: u32, row: &Row, scope: Scope<'_>) {
        let end = row.reached(scope.until).unwrap_or(u32::MAX);
        let nothing: Arc<str> = "".into();
        for seen in row.seen.iter().filter(|seen| seen.first < end) {
            self.flag(number, "visited", &seen.state, &nothing);
            if seen.retried {
                self.flag(number, "retried", &seen.state, &nothing);
            }
        }
        // Iterations of loops, up to the failure on side A and to the end on side B.
        for seen in &row.seen {
            let name = self.name("visits", &seen.state, &nothing);
            let reading = if scope.failing { Reading::CutShort } else { Reading::Numbers };
            self.add(&name, Kind::Path, reading, number, Cell::Number(f64::from(seen.visits)));
            if let Some(items) = seen.items.filter(|_| seen.first <= end) {
                let name = self.name("items", &seen.state, &nothing);
                #[allow(clippy::cast_precision_loss, reason = "no Map has 2^52 items")]
                self.add(&name, Kind::Path, Reading::Numbers, number, Cell::Number(items as f64));
            }
        }
        // The way into a failing state says nothing more than that it was reached.
        let leads_to_failure = |next: &Arc<str>| !scope.all_reached && scope.until.contains(next);
        for turn in row.turns.iter().filter(|turn| turn.first < end && !leads_to_failure(&turn.next)) {
            self.flag(number, "took", &turn.choice, &turn.next);
        }
    }

    fn flag(&mut self, row: u32, what: &'static str, one: &Arc<str>, other: &Arc<str>) {
        let name = self.name(what, one, other);
        self.add(&name, Kind::Path, Reading::Flag, row, Cell::Boolean(true));
    }

    fn name(&mut self, what: &'static str, one: &Arc<str>, other: &Arc<str>) -> Arc<str> {
        let key = (what, Arc::clone(one), Arc::clone(other));
        let name = self.names.entry(key).or_insert_with(|| {
            let (one, other) = (quoted(one), quoted(other));
            if what == "took" { format!("{what}({one}, {other})") } else { format!("{what}({one})") }.into()
        });
        Arc::clone(name)
    }

    fn finish(self) -> Vec<Column> {
        let is_loop = |column: &Column| column.cells.iter().any(|(_, cell)| matches!(cell, Cell::Number(visits) if *visits > 1.0));
        let is_worth_it = |column: &Column| column.cells.len() >= FEWEST && (!column.name.starts_with("visits(") || is_loop(column));
        let mut columns: Vec<Column> = self.columns.into_iter().filter(is_worth_it).collect();
        columns.sort_by(|one, other| one.name.cmp(&other.name));
        columns
    }
}

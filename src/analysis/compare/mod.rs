//! What some executions have in common that others lack: failed ones against succeeded ones, or any two selections.
//!
//! Executions are read once. Of each side a bounded number of rows is kept (`sample.rs`), which become columns (`columns.rs`),
//! conditions that are tested (`candidates.rs`, `analysis/statistics.rs`), and findings (`findings.rs`). State machines are compared one by
//! one: what differs between machines says nothing about failing. What is found is associated, not shown to be the cause.

mod candidates;
mod cell;
mod columns;
mod findings;
mod flatten;
mod groups;
mod machine;
mod report;
mod row;
mod sample;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::fleet::{Coverage, Question};
use super::selection::{Payload, Selection};
use crate::model::facts::Needs;
use crate::model::{ExecutionFacts, ExecutionStatus};
use cell::Texts;
use row::Row;
use sample::Sample;

pub use groups::{Groups, NoGroup};
pub use report::{Companion, CompareReport, Comparison, Finding, NotTested, Reason, Relation, RootFailure, Side, StatusCount, Window};
pub use row::Kind;

/// Which executions are compared.
#[derive(Debug, Clone)]
pub struct Sides {
    /// Those to be explained.
    pub a: Selection,
    /// Those that they are compared with; `None` for all others.
    pub b: Option<Selection>,
    /// What to call them.
    pub names: (String, String),
    /// Rows that are kept of each side of a state machine.
    pub most_rows: usize,
    /// Bytes that they may take.
    pub most_bytes: usize,
}

impl Sides {
    /// Rows that are kept of each side of a state machine, unless told otherwise.
    pub const MOST_ROWS: usize = 50_000;
    /// Bytes that they may take, unless told otherwise.
    pub const MOST_BYTES: usize = 128 << 20;

    /// Two selections.
    pub fn new(a: Selection, b: Option<Selection>, names: (&str, &str)) -> Self {
        let names = (names.0.to_owned(), names.1.to_owned());
        Self { a, b, names, most_rows: Self::MOST_ROWS, most_bytes: Self::MOST_BYTES }
    }
}

/// What failure groups are for.
#[derive(Debug)]
pub enum Grouping {
    /// Nothing: they are not known.
    Unknown,
    /// To be named.
    Named(Groups),
    /// To compare each on its own; what is in none is left out.
    Apart(Groups),
}

/// The question: what sets side A apart from side B.
pub struct Compare {
    sides: Arc<Sides>,
    machines: HashMap<String, Machine>,
    statuses: BTreeMap<&'static str, u64>,
    on_both_sides: u64,
    texts: Texts,
}

/// What is kept of a state machine.
struct Machine {
    a: Rows,
    b: Rows,
}

/// What is kept of a side.
struct Rows {
    executions: u64,
    unsuccessful: u64,
    sample: Sample,
}

impl Compare {
    /// Asks about these sides.
    pub fn new(sides: Arc<Sides>) -> Self {
        Self { sides, machines: HashMap::new(), statuses: BTreeMap::new(), on_both_sides: 0, texts: Texts::default() }
    }

    /// What was found, at most `limit` findings for each comparison.
    pub fn report(self, coverage: Coverage, limit: usize, groups: &Grouping) -> CompareReport {
        let sides = self.sides;
        let mut comparisons: Vec<Comparison> =
            self.machines.into_iter().flat_map(|(name, machine)| machine::compare(&name, machine, &sides, groups, limit)).collect();
        comparisons.sort_by(|one, other| {
            let key = |comparison: &Comparison| (comparison.state_machine.clone(), comparison.group.clone());
            other.a.executions.cmp(&one.a.executions).then_with(|| key(one).cmp(&key(other)))
        });
        CompareReport {
            schema: "stepscope.compare/1",
            coverage,
            a: sides.a.text().to_owned(),
            b: sides.b.as_ref().map_or_else(|| format!("not ({})", sides.a.text()), |b| b.text().to_owned()),
            comparisons,
            statuses: self.statuses.into_iter().map(|(status, executions)| StatusCount { status: status.to_owned(), executions }).collect(),
            on_both_sides: self.on_both_sides,
        }
    }

    fn side(&mut self, facts: &ExecutionFacts<'_>, payload: &Payload) -> Option<bool> {
        let is_a = self.sides.a.matches_with(facts, payload);
        let is_b = self.sides.b.as_ref().map_or(!is_a, |b| b.matches_with(facts, payload));
        self.on_both_sides += u64::from(is_a && is_b);
        (is_a != is_b).then_some(is_a)
    }
}

impl Question for Compare {
    fn needs(&self) -> Needs {
        let own = Needs { visits: true, failures: true, payloads: true, ..Needs::default() };
        let b = self.sides.b.as_ref().map_or_else(Needs::default, Selection::needs);
        own.and(self.sides.a.needs()).and(b)
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        *self.statuses.entry(facts.status.map_or("UNKNOWN", ExecutionStatus::name)).or_default() += 1;
        let payload = Payload::default();
        let Some(is_a) = self.side(facts, &payload) else { return };
        let name = facts.state_machine.unwrap_or_default();
        if !self.machines.contains_key(name) {
            self.machines.insert(name.to_owned(), Machine::new(&self.sides));
        }
        let Some(machine) = self.machines.get_mut(name) else { return };
        let rows = if is_a { &mut machine.a } else { &mut machine.b };
        rows.count(facts);
        let key = sample::key(facts.execution);
        if rows.sample.wants(key) {
            rows.sample.add(key, Row::new(facts, &payload, &mut self.texts));
        }
    }

    fn merge(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.on_both_sides += other.on_both_sides;
        for (name, machine) in other.machines {
            match self.machines.get_mut(&name) {
                Some(known) => known.merge(machine),
                None => drop(self.machines.insert(name, machine)),
            }
        }
    }
}

impl Machine {
    fn new(sides: &Sides) -> Self {
        Self { a: Rows::new(sides), b: Rows::new(sides) }
    }

    fn merge(&mut self, other: Self) {
        self.a.merge(other.a);
        self.b.merge(other.b);
    }
}

impl Rows {
    fn new(sides: &Sides) -> Self {
        Self { executions: 0, unsuccessful: 0, sample: Sample::new(sides.most_rows, sides.most_bytes) }
    }

    fn count(&mut self, facts: &ExecutionFacts<'_>) {
        self.executions += 1;
        self.unsuccessful += u64::from(row::is_unsuccessful(facts));
    }

    fn merge(&mut self, other: Self) {
        self.executions += other.executions;
        self.unsuccessful += other.unsuccessful;
        self.sample.merge(other.sample);
    }
}

//! What led where, and how long states took: counts over everything that happened.

use super::sequence::{ScopeRange, Scratch};
use super::terms::Name;
use super::{EdgeKind, MachineFold};
use crate::model::path::VisitOutcome;
use crate::model::{ExecutionFacts, ExecutionStatus, Micros, StateType, VisitFacts};

/// From one state to another; `None` is the beginning or the end of the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EdgeKey {
    pub from: Option<Name>,
    pub to: Option<Name>,
    /// The Parallel or Map around; `None` for the execution itself.
    pub within: Option<Name>,
    pub kind: EdgeKind,
}

#[derive(Debug, Default)]
pub(super) struct EdgeCount {
    pub count: u64,
    pub executions: u64,
    pub failed_executions: u64,
    /// Microseconds from leaving the one to entering the other.
    pub waits: Vec<i64>,
    /// The number of the execution that was counted last.
    last: u64,
}

#[derive(Debug, Default)]
pub(super) struct VisitCount {
    pub state_type: Option<StateType>,
    /// The lowest branch in which it was seen.
    pub branch: Option<u64>,
    pub visits: u64,
    pub executions: u64,
    pub failed: u64,
    pub caught: u64,
    pub retries: u64,
    /// Microseconds over the visits that were exited, and how many those are.
    pub time: i128,
    pub exited: u64,
    last: u64,
}

impl EdgeKey {
    pub fn renamed(self, name: &impl Fn(Name) -> Name) -> Self {
        Self { from: self.from.map(name), to: self.to.map(name), within: self.within.map(name), kind: self.kind }
    }
}

impl EdgeCount {
    fn add(&mut self, execution: u64, failed: bool, wait: Option<i64>) {
        self.count += 1;
        if self.last != execution {
            self.last = execution;
            self.executions += 1;
            self.failed_executions += u64::from(failed);
        }
        self.waits.extend(wait);
    }

    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.executions += other.executions;
        self.failed_executions += other.failed_executions;
        self.waits.extend(other.waits);
    }
}

impl VisitCount {
    fn add(&mut self, visit: &VisitFacts<'_>, execution: u64, is_branch: bool) {
        self.visits += 1;
        if self.last != execution {
            self.last = execution;
            self.executions += 1;
        }
        self.state_type = [self.state_type, visit.state_type].into_iter().flatten().min();
        if is_branch {
            self.branch = [self.branch, visit.index].into_iter().flatten().min();
        }
        self.failed += u64::from(visit.outcome == VisitOutcome::Failed);
        self.caught += u64::from(visit.outcome == VisitOutcome::Caught);
        self.retries += u64::from(visit.retries);
        if let (Some(entered), Some(exited)) = (visit.entered, visit.exited) {
            self.time += i128::from(exited.0) - i128::from(entered.0);
            self.exited += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.state_type = [self.state_type, other.state_type].into_iter().flatten().min();
        self.branch = [self.branch, other.branch].into_iter().flatten().min();
        self.visits += other.visits;
        self.executions += other.executions;
        self.failed += other.failed;
        self.caught += other.caught;
        self.retries += other.retries;
        self.time += other.time;
        self.exited += other.exited;
    }
}

/// Counts the visits of an execution and what led from one to the next; the scratch holds its scopes.
pub(super) fn count(facts: &ExecutionFacts<'_>, failed: bool, scratch: &Scratch, machine: &mut MachineFold) {
    let execution = machine.executions;
    for (position, visit) in facts.visits.iter().enumerate() {
        let around = visit.parent.and_then(|parent| facts.visits.get(parent as usize));
        let is_branch = around.is_some_and(|around| around.state_type == Some(StateType::Parallel));
        machine.states.entry(scratch.names[position]).or_default().add(visit, execution, is_branch);
    }
    for scope in &scratch.scopes {
        let kept = &scratch.kept[scope.from..scope.to];
        let (Some(first), Some(last)) = (kept.first(), kept.last()) else { continue };
        let name = |position: &u32| scratch.names[*position as usize];
        let visit = |position: &u32| &facts.visits[*position as usize];
        let within = scope.parent.as_ref().map(name);
        let mut add = |from: Option<Name>, to: Option<Name>, kind: EdgeKind, wait: Option<i64>| {
            machine.edges.entry(EdgeKey { from, to, within, kind }).or_default().add(execution, failed, wait);
        };
        let began = scope.parent.as_ref().map_or(facts.start, |parent| visit(parent).entered);
        add(None, Some(name(first)), EdgeKind::Start, wait(began, visit(first).entered));
        for pair in kept.windows(2) {
            let (one, other) = (visit(&pair[0]), visit(&pair[1]));
            let kind = if one.outcome == VisitOutcome::Caught { EdgeKind::Catch } else { EdgeKind::Next };
            add(Some(name(&pair[0])), Some(name(&pair[1])), kind, wait(one.exited, other.entered));
        }
        let ended = scope.parent.map_or(facts.stop, |_| None);
        add(Some(name(last)), None, end_of(visit(last).outcome, *scope, facts.status), wait(visit(last).exited, ended));
    }
}

fn wait(from: Option<Micros>, to: Option<Micros>) -> Option<i64> {
    Some(to?.0.saturating_sub(from?.0))
}

/// How a scope ended whose last visit ended so.
fn end_of(outcome: VisitOutcome, scope: ScopeRange, status: Option<ExecutionStatus>) -> EdgeKind {
    let by_status = match status {
        Some(ExecutionStatus::Succeeded) => EdgeKind::End,
        Some(ExecutionStatus::Failed) => EdgeKind::Fail,
        Some(ExecutionStatus::TimedOut | ExecutionStatus::Aborted) => EdgeKind::Stop,
        Some(ExecutionStatus::Running | ExecutionStatus::PendingRedrive) | None => EdgeKind::Open,
    };
    match (outcome, scope.parent) {
        (VisitOutcome::Failed, _) => EdgeKind::Fail,
        (VisitOutcome::Aborted, _) => EdgeKind::Stop,
        (VisitOutcome::Open, None) if by_status != EdgeKind::End => by_status,
        (VisitOutcome::Open, _) => EdgeKind::Open,
        (_, Some(_)) => EdgeKind::End,
        (_, None) => by_status,
    }
}

//! Why an execution failed: the failure that started it, where it ended, what was handled on the way.
//!
//! | the execution          | `terminal`, `root_cause`                        | `handled`                       | `open`              |
//! |------------------------|-------------------------------------------------|---------------------------------|---------------------|
//! | failed                 | where it ended, and what led there (`catches`)  | other failures, caught or cured | -                   |
//! | was stopped, timed out | the visit that was open, if one can be named    | the same                        | what was open       |
//! | succeeded              | null                                            | what it swallowed               | -                   |
//! | runs                   | null                                            | what it swallowed so far        | what it waits for   |

mod catches;
mod children;
mod finding;
mod next;
mod open;
mod report;
mod summary;

pub use children::{adopt_child, failed_child};
pub use finding::Root;
pub use report::*;
pub use summary::{FailureGroup, WhySummary, summarize};

use crate::analysis::execution::is_failures_only;
pub use crate::analysis::execution::missing;

use crate::analysis::task_log::TaskLog;
use crate::analysis::{advice, execution};
use crate::asl::Definition;
use crate::model::path::{Blame, VisitId, VisitOutcome};
use crate::model::{ExecutionPath, ExecutionStatus, Gap, History, RawText, StateType};

/// What the answer is drawn from.
#[derive(Clone, Copy)]
pub struct Evidence<'e> {
    /// The execution's events.
    pub history: &'e History,
    /// Rebuilt from it.
    pub path: &'e ExecutionPath,
    /// Its definition, when there is one.
    pub definition: Option<&'e Definition>,
}

/// Explains one execution. Failed children are named, not followed: see [`failed_child`] and [`adopt_child`].
pub fn why(evidence: Evidence<'_>) -> WhyReport {
    let status = execution::status(evidence.history, evidence.path);
    let blame = status.filter(|status| status.is_unsuccessful()).and_then(|_| evidence.path.last_run()?.blame);
    let root = blame.and_then(|blame| evidence.root_cause(&blame));
    let terminal = blame.map(|blame| evidence.terminal(&blame));
    let execution = execution::summary(evidence.history, evidence.path);
    let mut incomplete = evidence.incomplete();
    if let Some(root) = root.as_ref().and_then(children::child_of) {
        incomplete.push(missing(&Gap::ChildNotRead { execution: root.to_owned(), reason: None }));
    }
    let failed = status.is_some_and(ExecutionStatus::is_unsuccessful);
    let root_cause = root.or_else(|| failed.then(|| evidence.unexplained(status)));
    let terminal = terminal.or_else(|| failed.then(|| evidence.unexplained_end()));
    let open = evidence.open(status);
    WhyReport {
        schema: SCHEMA,
        handled: evidence.handled(blame.as_ref()),
        route: evidence.route(blame.and_then(|blame| blame.visit)),
        advice: advice_for(root_cause.as_ref(), &open),
        open,
        incomplete,
        next: next::commands(&execution, root_cause.as_ref(), terminal.as_ref(), is_failures_only(evidence.history)),
        execution,
        terminal,
        root_cause,
    }
}

/// What started the failure of an execution that did not succeed: the same answer as [`why`] gives in `root_cause`, without the rest.
pub fn root(evidence: Evidence<'_>) -> Root {
    let status = execution::status(evidence.history, evidence.path);
    let blame = evidence.path.last_run().and_then(|run| run.blame);
    evidence.root(status, blame.as_ref())
}

/// What to check for the cause; without one, for what is waited for.
fn advice_for(cause: Option<&Finding>, open: &[OpenVisit]) -> Vec<Advice> {
    let mut found = cause.map(advice::advise).unwrap_or_default();
    let is_silent = cause.is_none_or(|cause| matches!(cause.kind, Kind::Aborted | Kind::ExecutionTimedOut));
    for entry in open.iter().filter(|_| is_silent).flat_map(advice::advise_waiting) {
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    found
}

/// Puts the log of the task at fault into the answer, and what it says for certain into the advice.
pub fn add_log(report: &mut WhyReport, log: TaskLog) {
    let Some(cause) = &mut report.root_cause else { return };
    let before = advice::advise(cause);
    cause.logs = Some(log);
    let mut found = advice::advise(cause);
    // What is advised about open states stays as it is.
    found.extend(report.advice.drain(..).filter(|entry| !before.contains(entry)));
    report.advice = found;
    report.next.retain(|next| next.text != next::OWN_LOG);
}

fn decoded(text: Option<&RawText>) -> Option<String> {
    text.map(|text| text.decode().into_owned())
}

impl Evidence<'_> {
    fn incomplete(&self) -> Vec<Incomplete> {
        let mut found = execution::incomplete(self.history, self.path);
        let unreadable = self.history.gaps.iter().any(|gap| matches!(gap, Gap::NoDefinition { .. }));
        if self.definition.is_none() && !unreadable && self.needs_definition() {
            found.push(missing(&Gap::NoDefinition { reason: None }));
        }
        found
    }

    /// A definition is asked for only where something was caught: what is normal matters to nothing else.
    fn needs_definition(&self) -> bool {
        self.path.visits.iter().any(|visit| visit.outcome == VisitOutcome::Caught)
    }

    /// The visits on the way to the end, outermost scope first.
    fn route(&self, end: Option<VisitId>) -> Vec<RouteStep> {
        let mut legs = Vec::new();
        let mut at = end;
        while let Some(id) = at {
            let scope = self.path.scope(self.path.visit(id).scope);
            let up_to = scope.visits.binary_search(&id).map_or(scope.visits.len(), |position| position + 1);
            legs.push(&scope.visits[..up_to]);
            at = scope.parent;
        }
        if end.is_none() {
            legs.extend(self.path.scopes.first().map(|execution| execution.visits.as_slice()));
        }
        legs.into_iter().rev().flatten().map(|id| self.step(*id)).collect()
    }

    fn step(&self, id: VisitId) -> RouteStep {
        let visit = self.path.visit(id);
        RouteStep {
            state: decoded(visit.state.as_ref()),
            scope: self.path.labels(visit.scope),
            entered_event_id: visit.entered.map(|index| self.history.events[index].id),
            outcome: visit.outcome,
            duration_ms: self.between(visit.entered, visit.exited.or(Some(visit.last_event))),
        }
    }

    /// Milliseconds from one event to another, where both have a time.
    fn between(&self, from: Option<usize>, to: Option<usize>) -> Option<i64> {
        let at = |index: Option<usize>| self.history.events.get(index?)?.timestamp;
        execution::between(at(from), at(to))
    }

    fn terminal(&self, blame: &Blame) -> Terminal {
        let end = self.path.last_run().and_then(|run| run.end).map(|index| &self.history.events[index]);
        let visit = blame.visit.map(|id| self.path.visit(id));
        let header = &self.history.header;
        Terminal {
            state: decoded(visit.and_then(|visit| visit.state.as_ref())),
            state_type: visit.and_then(|visit| visit.state_type).map(StateType::name),
            scope: visit.map(|visit| self.path.labels(visit.scope)).unwrap_or_default(),
            entered_event_id: visit.and_then(|visit| visit.entered).map(|index| self.history.events[index].id),
            event_id: blame.event.map(|index| self.history.events[index].id),
            error: decoded(end.and_then(|event| event.error()).or(header.error.as_ref())),
            cause: decoded(end.and_then(|event| event.cause()).or(header.cause.as_ref())),
        }
    }

    /// For an execution that did not succeed although nothing in its history says so.
    fn unexplained_end(&self) -> Terminal {
        let header = &self.history.header;
        Terminal {
            state: None,
            state_type: None,
            scope: Vec::new(),
            entered_event_id: None,
            event_id: None,
            error: decoded(header.error.as_ref()),
            cause: decoded(header.cause.as_ref()),
        }
    }
}

//! An execution that was run here: how it ended, and what it started.

use serde::Serialize;

use super::execution::{ExecutionSummary, summary};
use crate::interpreter::{Outcome, Run};
use crate::model::wire::WireEvents;
use crate::model::{ExecutionArn, ExecutionPath, ExecutionStatus};

/// The schema of [`RunReport`].
pub const SCHEMA: &str = "stepscope.run/1";

/// One execution.
#[derive(Debug, Serialize)]
pub struct RunReport<'r> {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// How it ended.
    pub outcome: OutcomeReport<'r>,
    /// Which execution.
    pub execution: ExecutionSummary,
    /// Every execution that it started here, and those that these started.
    pub children: Vec<ChildReport<'r>>,
    /// The events, as `get-execution-history` has them.
    pub history: WireEvents<'r>,
}

/// How an execution ended, in the words of describe-execution.
#[derive(Debug, Serialize)]
pub struct OutcomeReport<'r> {
    /// RUNNING when it waits for something that never comes.
    pub status: ExecutionStatus,
    /// Error name.
    pub error: Option<&'r str>,
    /// Cause.
    pub cause: Option<&'r str>,
    /// JSON text.
    pub output: Option<&'r str>,
}

/// A nested execution, or a child of a Distributed Map.
#[derive(Debug, Serialize)]
pub struct ChildReport<'r> {
    /// ARN of the child.
    pub execution: Option<&'r str>,
    /// How it ended.
    pub outcome: OutcomeReport<'r>,
}

/// Tells of a run.
pub fn run(run: &Run) -> RunReport<'_> {
    RunReport {
        schema: SCHEMA,
        outcome: outcome(&run.outcome),
        // The interpreter fills in the header: nothing has to be rebuilt for it.
        execution: summary(&run.history, &ExecutionPath::default()),
        children: descendants(run).map(child).collect(),
        history: WireEvents(&run.history.events),
    }
}

/// Every execution that this one started, and those that they started, each before its own.
pub fn descendants(run: &Run) -> impl Iterator<Item = &Run> {
    let mut open: Vec<&Run> = run.children.iter().rev().collect();
    std::iter::from_fn(move || {
        let next = open.pop()?;
        open.extend(next.children.iter().rev());
        Some(next)
    })
}

fn outcome(outcome: &Outcome) -> OutcomeReport<'_> {
    OutcomeReport {
        status: outcome.status,
        error: outcome.error.as_deref(),
        cause: outcome.cause.as_deref(),
        output: outcome.output.as_deref(),
    }
}

fn child(run: &Run) -> ChildReport<'_> {
    ChildReport { execution: run.history.header.arn.as_ref().map(ExecutionArn::as_str), outcome: outcome(&run.outcome) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::builder::history;

    fn run_of(name: &str, status: ExecutionStatus, children: Vec<Run>) -> Run {
        let history = history("Orders").named(name).build();
        let outcome = Outcome { status, output: None, error: Some("Declined".into()), cause: None };
        Run { outcome, history, children, states_entered: 0 }
    }

    #[test]
    fn children_of_children_stand_behind_their_parents() {
        let failed = ExecutionStatus::Failed;
        let nested = run_of("b", failed, vec![run_of("c", failed, Vec::new())]);
        let parent = run_of("a", failed, vec![nested, run_of("d", ExecutionStatus::Succeeded, Vec::new())]);
        let report = run(&parent);
        let names: Vec<&str> = report.children.iter().filter_map(|child| child.execution?.rsplit(':').next()).collect();
        assert_eq!(names, ["b", "c", "d"]);
        assert_eq!((report.outcome.status, report.outcome.error), (failed, Some("Declined")));
        assert_eq!(report.execution.name.as_deref(), Some("a"));
    }
}

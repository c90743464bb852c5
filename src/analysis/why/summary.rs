//! What several executions came to: how many failed, and of what.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Kind, WhyReport};
use crate::model::ExecutionStatus;

/// Several answers, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WhySummary {
    /// All of them.
    pub executions: usize,
    /// `FAILED`.
    pub failed: usize,
    /// `TIMED_OUT`.
    pub timed_out: usize,
    /// `ABORTED`.
    pub aborted: usize,
    /// `RUNNING`, `PENDING_REDRIVE`.
    pub running: usize,
    /// `SUCCEEDED`.
    pub succeeded: usize,
    /// Of those that succeeded: how many swallowed failures.
    pub swallowed: usize,
    /// Of which nothing tells how they ended.
    pub unknown: usize,
    /// How many answers rest on incomplete evidence; a missing definition alone does not count.
    pub on_incomplete_evidence: usize,
    /// What they failed of, the most frequent first.
    pub groups: Vec<FailureGroup>,
}

/// Executions that failed in the same state with the same error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureGroup {
    /// The state of the root cause; null when nothing tells.
    pub state: Option<String>,
    /// The error of the root cause; null when none was given.
    pub error: Option<String>,
    /// The kind of the first one's root cause.
    pub kind: Kind,
    /// How many executions.
    pub executions: usize,
    /// What names the first of them on a command line.
    pub example: String,
}

/// Counts the answers and groups the failures.
pub fn summarize(reports: &[&WhyReport]) -> WhySummary {
    let mut found = WhySummary { executions: reports.len(), groups: groups(reports), ..WhySummary::default() };
    for report in reports {
        let count = match report.execution.status {
            Some(ExecutionStatus::Failed) => &mut found.failed,
            Some(ExecutionStatus::TimedOut) => &mut found.timed_out,
            Some(ExecutionStatus::Aborted) => &mut found.aborted,
            Some(ExecutionStatus::Running | ExecutionStatus::PendingRedrive) => &mut found.running,
            Some(ExecutionStatus::Succeeded) => &mut found.succeeded,
            None => &mut found.unknown,
        };
        *count += 1;
        let succeeded = report.execution.status == Some(ExecutionStatus::Succeeded);
        found.swallowed += usize::from(succeeded && !report.handled.is_empty());
        found.on_incomplete_evidence += usize::from(report.incomplete.iter().any(|gap| gap.id != "no_definition"));
    }
    found
}

fn groups(reports: &[&WhyReport]) -> Vec<FailureGroup> {
    let mut groups: BTreeMap<(Option<&str>, Option<&str>), FailureGroup> = BTreeMap::new();
    for report in reports {
        let Some(cause) = &report.root_cause else { continue };
        let group = groups.entry((cause.state.as_deref(), cause.error.as_deref())).or_insert_with(|| FailureGroup {
            state: cause.state.clone(),
            error: cause.error.clone(),
            kind: cause.kind,
            executions: 0,
            example: report.execution.exec.clone(),
        });
        group.executions += 1;
    }
    let mut groups: Vec<FailureGroup> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.executions));
    groups
}

//! Through a failed child execution the cause is the child's.

use super::{Finding, ParentState, WhyReport};

/// The ARN of the child execution whose failure this finding reports.
pub(super) fn child_of(finding: &Finding) -> Option<&str> {
    finding.child.as_deref()
}

/// The ARN of the failed child execution at which the report ends, when there is one to follow.
pub fn failed_child(report: &WhyReport) -> Option<&str> {
    report.root_cause.as_ref().and_then(child_of)
}

/// Puts the cause of a failed child in the place of the state that waited for it.
///
/// Changes nothing when the child did not fail, as far as its report knows.
pub fn adopt_child(report: &mut WhyReport, child: &WhyReport) {
    let (Some(waiting), Some(cause)) = (&report.root_cause, &child.root_cause) else { return };
    if cause.state.is_none() && cause.kind != super::Kind::Aborted && cause.kind != super::Kind::ExecutionTimedOut {
        return;
    }
    let parent = ParentState {
        execution: waiting.execution.clone(),
        state: waiting.state.clone(),
        scope: waiting.scope.clone(),
        entered_event_id: waiting.entered_event_id,
        event_id: waiting.event_id,
        error: waiting.error.clone(),
    };
    let confidence = waiting.of_state.min(cause.confidence);
    let mut adopted = cause.clone();
    adopted.via.insert(0, parent);
    adopted.confidence = confidence;
    adopted.of_state = waiting.of_state.min(cause.of_state);
    adopted.exec.get_or_insert_with(|| child.execution.exec.clone());
    report.incomplete.retain(|gap| gap.id != "child_not_read");
    let new: Vec<_> = child.incomplete.iter().filter(|gap| !report.incomplete.contains(gap)).cloned().collect();
    report.incomplete.extend(new);
    report.advice = super::advice_for(Some(&adopted), &child.open);
    let failures_only = report.incomplete.iter().any(|gap| gap.id == "logged_only");
    report.next = super::next::commands(&report.execution, Some(&adopted), report.terminal.as_ref(), failures_only);
    report.root_cause = Some(adopted);
}

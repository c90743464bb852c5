//! All detectors over what was read, and their findings in one list.

use super::report::{FailureGroupFinding, Finding, SCHEMA, TriageReport};
use crate::analysis::failures::{self, Asked, FailureGroup, Failures};
use crate::analysis::finding::{Common, Confidence, Severity, Step};
use crate::analysis::fleet::Coverage;
use crate::analysis::observed::Observed;
use crate::analysis::runway::RunwayQuestion;
use crate::analysis::{callbacks, changes, runway, storms};
use crate::model::Micros;

/// What the detectors found.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "named as the detectors are")]
pub struct Detected {
    pub storms: storms::Found,
    pub callbacks: callbacks::Found,
    pub changes: changes::Found,
    pub runway: runway::Found,
    pub groups: Vec<FailureGroup>,
}

/// Asks all detectors.
pub fn detect(observed: &Observed, failures: &Failures, runway: RunwayQuestion, coverage: &Coverage, now: Option<Micros>) -> Detected {
    let groups = failures::report(failures, coverage, &Asked::default()).groups;
    // Without a moment nothing has a time, and only failures can be told.
    let Some(now) = now else { return Detected { groups, ..Detected::default() } };
    Detected {
        storms: storms::find(observed, now),
        callbacks: callbacks::find(observed, now),
        changes: changes::find(observed, now),
        runway: runway.find(now),
        groups,
    }
}

/// The findings in their order.
pub fn report(detected: Detected, coverage: Coverage, now: Option<Micros>) -> TriageReport {
    let Detected { storms, callbacks, changes, runway, groups } = detected;
    let mut findings: Vec<Finding> = Vec::new();
    findings.extend(storms.storms.into_iter().map(|finding| Finding::Storm(Box::new(finding))));
    findings.extend(callbacks.stuck.into_iter().map(|finding| Finding::Callback(Box::new(finding))));
    findings.extend(groups.into_iter().map(|group| Finding::Failure(Box::new(of_group(group)))));
    findings.extend(changes.changes.into_iter().map(|finding| Finding::Change(Box::new(finding))));
    findings.extend(runway.runways.into_iter().map(|finding| Finding::Runway(Box::new(finding))));
    findings.sort_by_key(|finding| finding.common().severity);
    let not_enough = [storms.not_enough, callbacks.not_enough, changes.not_enough, runway.not_enough].concat();
    TriageReport { schema: SCHEMA, now, coverage, findings, not_enough }
}

fn of_group(group: FailureGroup) -> FailureGroupFinding {
    let state = group.state.as_deref().unwrap_or("an unknown state");
    let error = group.error.as_deref().unwrap_or("no error name");
    let summary = format!("{} executions failed in {state}: {error}", group.count);
    let open = Step::Fleet { text: "everything about it".to_owned(), verb: "failures", arguments: format!("--group {}", group.id) };
    FailureGroupFinding {
        kind: "failure_group",
        common: Common { severity: Severity::Warning, confidence: Confidence::Certain, summary, next: Vec::new(), steps: vec![open] },
        id: group.id,
        state_machine: group.state_machine,
        state: group.state,
        error: group.error,
        executions: group.executions,
    }
}

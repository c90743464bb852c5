//! Failure groups as findings: how bad they are, and what to do next.
//!
//! | severity | rule                                                                                          |
//! |----------|-----------------------------------------------------------------------------------------------|
//! | critical | an execution failed in the hour before `now`, and it is new or [`MANY`] failed in that hour     |
//! | warning  | an execution failed in the day before `now`, and it is new or more than one failed              |
//! | notice   | anything else: one failure, or nothing for a day                                              |

use super::relations::Relations;
use super::report::{FailureEvidence, FailureGroupFinding};
use crate::analysis::failures::FailureGroup;
use crate::analysis::finding::{Common, Confidence, Severity, Step};
use crate::model::{Micros, machine_name};

/// So many failures within an hour are not left until the morning.
const MANY: usize = 5;

const HOUR: i64 = 3_600_000_000;

pub(super) fn finding(group: FailureGroup, relations: &Relations, now: Option<Micros>) -> FailureGroupFinding {
    let severity = severity(&group, relations, now);
    let summary = summary(&group);
    let why = group.samples.first().map(|sample| Step::Execution {
        text: "why the latest one failed".to_owned(),
        verb: "why",
        execution: if sample.name.is_empty() { sample.execution.clone() } else { sample.name.clone() },
        arguments: String::new(),
    });
    let open = Step::Fleet { text: "everything about this cause".to_owned(), verb: "failures", arguments: format!("--group {}", group.id) };
    FailureGroupFinding {
        kind: "failure_group",
        common: Common {
            severity,
            // What failed is on record; that the failures are of one cause is told by their texts.
            confidence: Confidence::Certain,
            summary,
            next: Vec::new(),
            steps: why.into_iter().chain([open]).collect(),
        },
        id: group.id,
        state_machine: group.state_machine,
        state: group.state,
        error: group.error,
        executions: group.executions,
        evidence: FailureEvidence {
            count: group.count,
            share_of_machine: group.share_of_machine,
            statuses: group.statuses,
            first_seen: group.first_seen,
            last_seen: group.last_seen,
            counts: group.counts,
            message: group.message,
            new: group.new,
            new_in_version: group.new_in_version,
            root_state_machine: group.root_state_machine,
            caused_by: group.caused_by,
            brought_down: group.brought_down,
        },
    }
}

fn severity(group: &FailureGroup, relations: &Relations, now: Option<Micros>) -> Severity {
    let Some(now) = now else { return Severity::Warning };
    let since = |age: i64| {
        let from = now.0.saturating_sub(age);
        group.executions.iter().filter(|arn| relations.failed(arn).is_some_and(|moment| moment.0 >= from)).count()
    };
    let is_new = group.new.is_some() || group.new_in_version.is_some();
    match (since(HOUR), since(24 * HOUR)) {
        (1.., _) if is_new => Severity::Critical,
        (MANY.., _) => Severity::Critical,
        (_, 1..) if is_new || group.count > 1 => Severity::Warning,
        _ => Severity::Notice,
    }
}

fn summary(group: &FailureGroup) -> String {
    fn name(arn: Option<&str>) -> &str {
        arn.map_or("an unknown machine", machine_name)
    }
    let count = group.count;
    let executions = if count == 1 { "execution" } else { "executions" };
    let what = match (group.state.as_deref(), group.error.as_deref().filter(|error| !error.is_empty())) {
        (Some(state), Some(error)) => format!("{error} in {state}"),
        (Some(state), None) => format!("{} in {state}", group.kind.replace('_', " ")),
        (None, Some(error)) => error.to_owned(),
        (None, None) => group.kind.replace('_', " "),
    };
    let of = name(group.state_machine.as_deref());
    let through = match group.caused_by {
        Some(_) => format!(" of {}", name(group.root_state_machine.as_deref())),
        None => String::new(),
    };
    let message = match group.message.as_str() {
        "" => String::new(),
        message => format!(": {}", beginning(message)),
    };
    let new = match (&group.new_in_version, &group.new) {
        (Some(new), _) => format!("; new with version {}", new.version),
        (None, Some(new)) => format!("; new: none in the {} executions before", new.executions_before),
        (None, None) => String::new(),
    };
    format!("{count} {executions} of {of} failed: {what}{through}{message}{new}")
}

/// As much of a message as a sentence holds.
fn beginning(message: &str) -> String {
    const LONGEST: usize = 100;
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

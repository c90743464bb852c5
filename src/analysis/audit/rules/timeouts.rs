//! Rules about waiting without an end.
//!
//! The language's default of `TimeoutSeconds` is 99,999,999, longer than any execution may run; what is as long as a year is no timeout.
//! A branch beside the Task that may fail is a clock that may end the wait, too.
//!
//! None of these rules applies in Express, where an execution ends after five minutes and nothing waits for tokens or jobs.
//!
//! Not here: HTTP Tasks, which the service ends after 60 seconds, and calls of services, which their clients end.

use super::pages;
use crate::analysis::audit::call::{Call, Pattern};
use crate::analysis::audit::rule::{Level, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};
use crate::asl::source::{Content, Node};

/// An execution of a Standard machine runs a year at most.
const YEAR: f64 = 365.0 * 86_400.0;

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        id: "callback-without-timeout",
        level: Level::Error,
        title: "Whoever waits for an answer stops waiting some day",
        reason: "When the answer is lost, nothing fails and no alarm rings: the execution waits for up to a year.",
        source: pages::STUCK_EXECUTIONS,
        check: callback,
    },
    Rule {
        id: "job-without-timeout",
        level: Level::Warning,
        title: "Jobs that are waited for have a timeout",
        reason: "A job that hangs holds its execution for up to a year, and nothing tells.",
        source: pages::STUCK_EXECUTIONS,
        check: job,
    },
];

/// Services whose jobs run as long as they like unless somebody limits them. Others have a limit of their own: Athena 30 minutes,
/// CodeBuild an hour, EMR Serverless twelve, SageMaker and Glue a day or two.
const WITHOUT_OWN_LIMIT: &[&str] = &["states", "batch", "ecs", "eks", "elasticmapreduce", "emr-containers"];

/// Whether a node has a limit of this name, or may have one: a value that is still to be put in or comes from the data.
pub(super) fn has_limit(node: &Node, field: &str) -> bool {
    match node.get(field).map(|value| &value.content) {
        None => false,
        Some(Content::Number(number)) => number.parse::<f64>().map_or(true, |seconds| seconds < YEAR),
        Some(_) => true,
    }
}

fn is_limited(subject: &Subject<'_>, state: &StateAt<'_>, fields: &[&str]) -> bool {
    state.express
        || has_limit(subject.source.root(), "TimeoutSeconds")
        || subject.may_be_ended_beside(state)
        || fields.iter().any(|field| has_limit(state.node, field))
}

/// Does not apply where the Task has `TimeoutSeconds` or `HeartbeatSeconds` (also as a path or an expression), or the machine has
/// `TimeoutSeconds`.
fn callback(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    let fields = ["TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"];
    for state in &subject.states {
        let call = Call::of(state);
        if !call.is_answered_from_outside() || is_limited(subject, state, &fields) {
            continue;
        }
        let whom = if call == Call::Activity { "an activity's worker" } else { "its task token to come back" };
        found.push(Violation {
            pointer: state.pointer.clone(),
            message: format!(
                "{} waits for {whom} without TimeoutSeconds or HeartbeatSeconds: if the answer is lost, it waits for up to a year",
                state.name
            ),
            fix: None,
        });
    }
}

/// Does not apply to jobs of services that have a limit of their own, nor where the job's own parameters speak of a timeout.
fn job(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in &subject.states {
        let Call::Integration(call) = Call::of(state) else { continue };
        let is_open_ended = call.pattern == Pattern::Job && WITHOUT_OWN_LIMIT.contains(&call.service);
        if !is_open_ended || is_limited(subject, state, &["TimeoutSeconds", "TimeoutSecondsPath"]) || limits_its_job(state) {
            continue;
        }
        let what = if call.service == "states" { "another execution" } else { "its job" };
        found.push(Violation {
            pointer: state.pointer.clone(),
            message: format!(
                "{} waits for {what} to end, and neither it nor the machine has TimeoutSeconds: as long as that hangs, it hangs",
                state.name
            ),
            fix: None,
        });
    }
}

/// Whether the parameters of the job speak of a timeout or a deadline: `Timeout` of Batch, `activeDeadlineSeconds` of Kubernetes.
fn limits_its_job(state: &StateAt<'_>) -> bool {
    fn speaks(node: &Node) -> bool {
        let named = |name: &str| ["timeout", "deadline"].iter().any(|word| name.to_lowercase().contains(word));
        node.members().iter().any(|member| named(&member.name) || speaks(&member.value)) || node.items().iter().any(speaks)
    }
    ["Parameters", "Arguments"].iter().filter_map(|field| state.get(field)).any(speaks)
}

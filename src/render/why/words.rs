//! The words for what a report says with enums.

use crate::analysis::why::{Basis, Confidence, Finding, Kind, OpenVisit, WaitsFor};
use crate::model::ExecutionStatus;
use crate::model::path::AttemptOutcome;
use crate::render::columns::duration;
use crate::render::show::waits_for_words;

/// What happened to the state.
pub(super) fn what_happened(kind: Kind) -> &'static str {
    match kind {
        Kind::TaskFailed => "the task reported a failure",
        Kind::TaskTimedOut => "the task ran out of time (TimeoutSeconds)",
        Kind::HeartbeatTimedOut => "no heartbeat came in time (HeartbeatSeconds)",
        Kind::ScheduleFailed => "the task could not be started",
        Kind::EvaluationFailed => "an expression could not be evaluated",
        Kind::Runtime => "the definition and the data do not fit together",
        Kind::FailState => "the execution reached a Fail state",
        Kind::MapFailed => "the Map failed as a whole",
        Kind::Limit => "a limit of the service was reached",
        Kind::Aborted => "somebody stopped the execution",
        Kind::ExecutionTimedOut => "the state machine ran out of time (TimeoutSeconds)",
    }
}

/// The same for a finding: where the end alone is known, a name of its own may come from a task or from a Fail state.
pub(super) fn what_happened_to(finding: &Finding) -> &'static str {
    match finding.kind {
        Kind::TaskFailed if finding.basis == Basis::ExecutionEvent && finding.state.is_none() => {
            "a task or a Fail state reported a failure"
        }
        kind => what_happened(kind),
    }
}

/// How sure the answer is, in a word.
pub(super) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Certain => "certain",
        Confidence::Likely => "likely",
        Confidence::Guess => "guess",
    }
}

/// How sure the answer is, and on what grounds.
pub(super) fn grounds(finding: &Finding) -> String {
    let was_open = finding.basis == Basis::NearestVisit && matches!(finding.kind, Kind::Aborted | Kind::ExecutionTimedOut);
    let basis = match finding.basis {
        Basis::TaskChain => "the links of the history lead from its end to this failure",
        Basis::EvaluationEvent => "an EvaluationFailed event names the state",
        Basis::CauseText => "the cause of the execution's end names the state",
        Basis::FailState => "the links of the history lead from its end to this state",
        Basis::NearestVisit if was_open && finding.confidence == Confidence::Guess => {
            "several states were open at the end, this one for longest"
        }
        Basis::NearestVisit if was_open => "it was the only state open at the end",
        Basis::NearestVisit => "no event names the state; this one is the nearest to the end",
        Basis::ExecutionEvent => "the history tells how the execution ended, not in which state",
    };
    let doubt = match finding.confidence {
        Confidence::Certain => "",
        Confidence::Likely if was_open => "",
        Confidence::Likely => "; what could say otherwise is missing",
        Confidence::Guess if finding.basis == Basis::NearestVisit || finding.basis == Basis::ExecutionEvent => "",
        Confidence::Guess => "; others are as possible",
    };
    format!("{}: {basis}{doubt}", confidence(finding.confidence))
}

/// How an attempt ended.
pub(super) fn attempt(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Open => "under way",
        AttemptOutcome::Succeeded => "succeeded",
        AttemptOutcome::Failed => "failed",
        AttemptOutcome::TimedOut => "timed out",
        AttemptOutcome::Aborted => "aborted",
    }
}

/// A status; executions of which nothing tells have none.
pub(super) fn status(status: Option<ExecutionStatus>) -> &'static str {
    status.map_or("UNKNOWN", ExecutionStatus::name)
}

/// What an open visit waits for, since when, and what would end the waiting.
pub(super) fn waiting(open: &OpenVisit, stopped: bool) -> String {
    let verb = if stopped { "was waiting for" } else { "waits for" };
    let since = open.since.map(|since| format!(" since {}", since.strftime("%F %T UTC"))).unwrap_or_default();
    let length = match open.age_ms {
        Some(age) if stopped => format!(", for {}", duration(age)),
        // How long it has been by now is not for us to know.
        Some(age) if age > 0 => format!(", {} up to the last event", duration(age)),
        _ => String::new(),
    };
    format!("{verb} {}{since}{length}", waits_for_words(open.waits_for))
}

/// The limits that would end the waiting.
pub(super) fn limits(open: &OpenVisit, stopped: bool) -> Option<String> {
    let shown = |seconds: u64| duration(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000));
    let limits = [("time limit", open.timeout_seconds), ("heartbeat limit", open.heartbeat_seconds)];
    let known: Vec<String> = limits.into_iter().filter_map(|(name, limit)| Some(format!("{name} {}", shown(limit?)))).collect();
    let unbounded = matches!(open.waits_for, WaitsFor::Callback | WaitsFor::Activity | WaitsFor::ActivityWorker);
    match known.is_empty() {
        false => Some(known.join(", ")),
        true if unbounded && stopped => Some("it had no time limit and no heartbeat limit".to_owned()),
        true if unbounded => Some("no time limit and no heartbeat limit: it waits until the execution ends".to_owned()),
        true => None,
    }
}

/// A kind in place of an error that has no name.
pub(super) fn short_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::TaskFailed => "(task failed)",
        Kind::TaskTimedOut => "(task timed out)",
        Kind::HeartbeatTimedOut => "(no heartbeat)",
        Kind::ScheduleFailed => "(not started)",
        Kind::EvaluationFailed => "(evaluation failed)",
        Kind::Runtime => "(runtime)",
        Kind::FailState => "(Fail state)",
        Kind::MapFailed => "(Map failed)",
        Kind::Limit => "(limit)",
        Kind::Aborted => "(stopped)",
        Kind::ExecutionTimedOut => "(execution timed out)",
    }
}

//! Turns a failure of the path into a finding of the report.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::{AttemptReport, Basis, Confidence, Evidence, Finding, Kind, LastCall, decoded};
use crate::analysis::cause::decode;
use crate::analysis::execution;
use crate::model::event_type::{AttemptStep, Ending};
use crate::model::path::{Attempt, Blame, EventIndex, Visit, VisitId, VisitOutcome};
use crate::model::{Details, ExecutionStatus, HistoryEvent, Payload, Role, StateType};

/// A time limit is taken for the one that ran out when the attempt lasted at least this share of it.
const SHARE_OF_LIMIT: f64 = 0.98;

/// A failure, by positions in the path and the history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub visit: Option<VisitId>,
    pub event: Option<usize>,
    pub basis: Basis,
    pub confidence: Confidence,
    /// The visit whose Catch took it, when it was caught.
    pub caught: Option<VisitId>,
}

/// What started the failure of an execution, without what the report says about it: for questions over many executions.
#[derive(Debug)]
pub struct Root {
    /// The innermost visit that failed; `None` when nothing tells.
    pub visit: Option<VisitId>,
    /// The event that records the failure.
    pub event: Option<EventIndex>,
    /// Error name.
    pub error: Option<String>,
    /// The cause, as the service gave it.
    pub cause: Option<String>,
    /// What kind of failure.
    pub kind: Kind,
    /// What the naming rests on.
    pub basis: Basis,
    /// How sure it is.
    pub confidence: Confidence,
    /// ARN of the child execution that the task waited for.
    pub child: Option<String>,
}

impl Evidence<'_> {
    /// What started the failure of an execution that did not succeed.
    pub(super) fn root(&self, status: Option<ExecutionStatus>, blame: Option<&Blame>) -> Root {
        let found = blame.and_then(|blame| self.first_failure(blame));
        let end = self.path.last_run().and_then(|run| run.end);
        let (failure, blame, end_kind) = match found {
            Some(failure) => (failure, blame, None),
            None => (Failure::unexplained(end), None, kind_of_end(status)),
        };
        let (error, cause) = self.error_and_cause(&failure, blame);
        let kind = self.kind(&failure, error.as_deref());
        let error = error.or_else(|| name_of_silent(kind));
        let child = self.child_execution(&failure);
        Root {
            visit: failure.visit,
            event: failure.event,
            error,
            cause,
            kind: end_kind.unwrap_or(kind),
            basis: failure.basis,
            // The state failed for certain; what started that lies in the child.
            confidence: if child.is_some() { failure.confidence.min(Confidence::Likely) } else { failure.confidence },
            child,
        }
    }

    /// What started the failure that ended the execution.
    pub(super) fn root_cause(&self, blame: &Blame) -> Option<Finding> {
        let failure = self.first_failure(blame)?;
        let mut finding = self.finding(&failure, Some(blame));
        finding.caught_by = failure.caught.and_then(|visit| self.successor_of(visit));
        if finding.child.is_some() {
            // The state failed for certain; what started that lies in the child.
            finding.confidence = finding.confidence.min(Confidence::Likely);
        }
        Some(finding)
    }

    /// A finding for an execution of which only the end is known.
    pub(super) fn unexplained(&self, status: Option<ExecutionStatus>) -> Finding {
        let end = self.path.last_run().and_then(|run| run.end);
        let mut finding = self.finding(&Failure::unexplained(end), None);
        finding.kind = kind_of_end(status).unwrap_or(finding.kind);
        finding
    }

    /// Failures that were caught or cured by a retry, but for the one that the execution ended of.
    pub(super) fn handled(&self, blame: Option<&Blame>) -> Vec<Finding> {
        let root = blame.and_then(|blame| self.first_failure(blame));
        let mut told: HashSet<usize> = root.iter().filter_map(|failure| failure.event).collect();
        let mut found = Vec::new();
        for (id, visit) in self.path.visits() {
            let caught = visit.outcome == VisitOutcome::Caught;
            let cured = visit.outcome == VisitOutcome::Succeeded && visit.attempts.iter().any(|attempt| attempt.outcome.is_failure());
            let Some(event) = visit.failure.filter(|_| caught || cured) else { continue };
            if !told.insert(event) {
                continue;
            }
            let failure = Failure {
                visit: visit.failed_by.or(Some(id)),
                event: Some(event),
                basis: self.basis_of(event),
                confidence: Confidence::Certain,
                caught: caught.then_some(id),
            };
            let mut finding = self.finding(&failure, None);
            finding.caught_by = failure.caught.and_then(|visit| self.successor_of(visit));
            found.push(finding);
        }
        found
    }

    /// The state that came after a visit in its scope.
    fn successor_of(&self, id: VisitId) -> Option<String> {
        let siblings = &self.path.scope(self.path.visit(id).scope).visits;
        let next = siblings.get(siblings.binary_search(&id).ok()? + 1)?;
        decoded(self.path.visit(*next).state.as_ref())
    }

    pub(super) fn finding(&self, failure: &Failure, blame: Option<&Blame>) -> Finding {
        let visit = failure.visit.map(|id| self.path.visit(id));
        let event = failure.event.map(|index| &self.history.events[index]);
        let (error, cause) = self.error_and_cause(failure, blame);
        let scheduled = visit.and_then(|visit| visit.attempts.last()).and_then(|attempt| attempt.scheduled);
        let entered = visit.and_then(|visit| visit.entered);
        let state_type = visit.and_then(|visit| visit.state_type);
        let payload = |index: Option<usize>| self.history.events.get(index?)?.input().map(text_of);
        let kind = self.kind(failure, error.as_deref());
        let is_task = state_type.is_none_or(|kind| kind == StateType::Task);
        Finding {
            state: decoded(visit.and_then(|visit| visit.state.as_ref())),
            state_type: state_type.map(StateType::name),
            scope: visit.map(|visit| self.path.labels(visit.scope)).unwrap_or_default(),
            entered_event_id: entered.map(|index| self.history.events[index].id),
            event_id: event.map(|event| event.id),
            time: event.and_then(|event| event.timestamp),
            cause_json: cause.as_deref().and_then(json_document),
            decoded: cause.as_deref().map(|cause| decode(error.as_deref(), cause)),
            kind,
            // The event itself is silent; this is the name that the language gives it.
            error: error.or_else(|| name_of_silent(kind)),
            cause,
            basis: failure.basis,
            confidence: failure.confidence,
            of_state: failure.confidence,
            execution: self.history.header.arn.as_ref().map(ToString::to_string),
            exec: None,
            child: self.child_execution(failure),
            map_run: visit.and_then(|visit| self.map_run(visit)),
            via: Vec::new(),
            resource: visit.and_then(|visit| self.resource(&visit.attempts)),
            input: payload(entered),
            effective_input: payload(scheduled).filter(|_| is_task),
            attempts: visit.map(|visit| self.attempts(&visit.attempts)).unwrap_or_default(),
            caught_by: None,
            logs: None,
            call: visit.and_then(|visit| visit.attempts.last()).map(|attempt| self.last_call(attempt)),
        }
    }

    fn last_call(&self, attempt: &Attempt) -> LastCall {
        let event = |index: Option<usize>| self.history.events.get(index?);
        let region = event(attempt.scheduled).and_then(|event| match &event.details {
            Details::Scheduled(scheduled) => decoded(scheduled.region.as_ref()),
            _ => None,
        });
        let answer = event(attempt.submitted).and_then(HistoryEvent::output).map(text_of);
        let request_id = answer.as_deref().and_then(|answer| {
            let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
            answer["SdkResponseMetadata"]["RequestId"].as_str().map(str::to_owned)
        });
        LastCall {
            region,
            scheduled: event(attempt.scheduled).and_then(|event| event.timestamp),
            ended: event(attempt.ended).and_then(|event| event.timestamp),
            answer,
            request_id,
        }
    }

    /// A Fail state's error stands in what it ended: the execution, or the Parallel or Map that caught it.
    fn error_and_cause(&self, failure: &Failure, blame: Option<&Blame>) -> (Option<String>, Option<String>) {
        let event = failure.event.map(|index| &self.history.events[index]);
        let is_fail_state = event.is_some_and(|event| matches!(event.role(), Role::StateEntered(_)));
        let ended_execution = blame.is_some_and(|blame| blame.visit == failure.visit);
        let end = self.path.last_run().and_then(|run| run.end).map(|index| &self.history.events[index]);
        let header = &self.history.header;
        match event {
            Some(event) if !is_fail_state => (decoded(event.error()), decoded(event.cause())),
            _ if ended_execution || failure.visit.is_none() => (
                decoded(end.and_then(HistoryEvent::error).or(header.error.as_ref())),
                decoded(end.and_then(HistoryEvent::cause).or(header.cause.as_ref())),
            ),
            _ => self.error_output(failure).unwrap_or_default(),
        }
    }

    /// `Error` and `Cause` in the output of the visit that caught the failure, when the Catch kept them at the top.
    fn error_output(&self, failure: &Failure) -> Option<(Option<String>, Option<String>)> {
        let exited = self.path.visit(failure.caught?).exited?;
        let output = self.history.events[exited].output()?.text.decode();
        let output: serde_json::Value = serde_json::from_str(&output).ok()?;
        let member = |name| output.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        Some((member("Error"), member("Cause")))
    }

    fn kind(&self, failure: &Failure, error: Option<&str>) -> Kind {
        let Some(event) = failure.event.map(|index| &self.history.events[index]) else {
            return kind_of_end(self.history.header.status).unwrap_or_else(|| self.kind_by_name(failure, error));
        };
        match event.role() {
            Role::Attempt(AttemptStep::TimedOut) => self.kind_of_timeout(failure, event),
            Role::Attempt(AttemptStep::ScheduleFailed | AttemptStep::StartFailed | AttemptStep::SubmitFailed) => Kind::ScheduleFailed,
            Role::Attempt(_) => Kind::TaskFailed,
            Role::EvaluationFailed => Kind::EvaluationFailed,
            Role::StateEntered(_) => Kind::FailState,
            Role::MapRunEnded(_) | Role::CompositeEnded(..) | Role::IterationEnded(_) => Kind::MapFailed,
            Role::ExecutionEnded(Ending::Aborted) => Kind::Aborted,
            Role::ExecutionEnded(Ending::TimedOut) => Kind::ExecutionTimedOut,
            Role::ExecutionEnded(_) if event.cause().is_some_and(|cause| cause.decode().contains("maximum number of history events")) => {
                Kind::Limit
            }
            Role::ExecutionEnded(_) => self.kind_by_name(failure, error),
            _ => Kind::Runtime,
        }
    }

    /// Where no event of the failure is left. The service's own names begin with `States.`; any other comes from a task or a Fail state.
    fn kind_by_name(&self, failure: &Failure, error: Option<&str>) -> Kind {
        let state_type = failure.visit.and_then(|id| self.path.visit(id).state_type);
        match (error, state_type) {
            (Some("States.DataLimitExceeded"), _) => Kind::Limit,
            (Some("States.QueryEvaluationError"), _) => Kind::EvaluationFailed,
            (Some("States.Timeout"), _) => Kind::TaskTimedOut,
            (Some("States.HeartbeatTimeout"), _) => Kind::HeartbeatTimedOut,
            (_, Some(StateType::Fail)) => Kind::FailState,
            (Some("States.TaskFailed"), _) | (None, Some(StateType::Task)) => Kind::TaskFailed,
            (Some(name), _) if !name.starts_with("States.") => Kind::TaskFailed,
            _ => Kind::Runtime,
        }
    }

    /// Both limits are recorded as `States.Timeout`; they are told apart by how long the attempt lasted.
    fn kind_of_timeout(&self, failure: &Failure, event: &HistoryEvent) -> Kind {
        if event.error().is_some_and(|error| error.is("States.HeartbeatTimeout")) {
            return Kind::HeartbeatTimedOut;
        }
        let attempt = failure.visit.and_then(|id| self.path.visit(id).attempts.iter().rev().find(|attempt| attempt.ended == failure.event));
        let Some(attempt) = attempt else { return Kind::TaskTimedOut };
        let scheduled = attempt.scheduled.map(|index| &self.history.events[index].details);
        let Some(Details::Scheduled(scheduled)) = scheduled else { return Kind::TaskTimedOut };
        let timeout = execution::time_limit(scheduled.timeout_in_seconds);
        match (execution::time_limit(scheduled.heartbeat_in_seconds), timeout) {
            (Some(_), None) => Kind::HeartbeatTimedOut,
            (Some(heartbeat), Some(timeout)) if heartbeat < timeout => {
                let lasted = self.between(attempt.started.or(attempt.scheduled), failure.event);
                #[allow(clippy::cast_precision_loss, reason = "limits are far below 2^52 milliseconds")]
                let reached = lasted.is_some_and(|lasted| lasted as f64 >= timeout as f64 * 1000.0 * SHARE_OF_LIMIT);
                if reached { Kind::TaskTimedOut } else { Kind::HeartbeatTimedOut }
            }
            _ => Kind::TaskTimedOut,
        }
    }

    /// What the last attempt called: `lambda:invoke`, an ARN.
    pub(super) fn resource(&self, attempts: &[Attempt]) -> Option<String> {
        attempts.iter().rev().find_map(|attempt| execution::resource(self.history, attempt)).map(|resource| resource.to_string())
    }

    fn attempts(&self, attempts: &[Attempt]) -> Vec<AttemptReport> {
        let mut before: Option<&Attempt> = None;
        let mut reports = Vec::with_capacity(attempts.len());
        for attempt in attempts {
            let end = attempt.ended.map(|index| &self.history.events[index]);
            let failure = end.filter(|_| attempt.outcome.is_failure());
            reports.push(AttemptReport {
                number: attempt.number,
                redrive: attempt.run,
                scheduled_event_id: attempt.scheduled.map(|index| self.history.events[index].id),
                event_id: end.map(|event| event.id),
                outcome: attempt.outcome,
                error: decoded(failure.and_then(HistoryEvent::error)),
                cause: decoded(failure.and_then(HistoryEvent::cause)),
                duration_ms: self.between(attempt.scheduled, attempt.ended),
                // The pause before a redrive is no retry's wait.
                wait_before_ms: before
                    .filter(|before| before.run == attempt.run)
                    .and_then(|before| self.between(before.ended, attempt.scheduled)),
            });
            before = Some(attempt);
        }
        reports
    }

    /// The last Map Run of a Distributed Map.
    fn map_run(&self, visit: &Visit) -> Option<String> {
        let started = visit.map_runs.iter().rev().map(|index| &self.history.events[*index].details);
        let mut arns = started.filter_map(|details| match details {
            Details::MapRunStarted { map_run_arn } | Details::Redriven { map_run_arn, .. } => map_run_arn.as_ref(),
            _ => None,
        });
        decoded(arns.next())
    }

    /// The child execution that a failed task waited for, when the task was one that runs a child to its end.
    fn child_execution(&self, failure: &Failure) -> Option<String> {
        execution::child(self.history, self.path.visit(failure.visit?).attempts.last()?)
    }
}

impl Failure {
    /// Only the execution's end is known.
    fn unexplained(end: Option<EventIndex>) -> Self {
        Self { visit: None, event: end, basis: Basis::ExecutionEvent, confidence: Confidence::Guess, caught: None }
    }
}

/// The name that the language gives to a failure whose event is silent.
fn name_of_silent(kind: Kind) -> Option<String> {
    (kind == Kind::ExecutionTimedOut).then(|| "States.Timeout".to_owned())
}

fn text_of(payload: &Payload) -> String {
    payload.text.decode().into_owned()
}

/// The text as a JSON document, when it is an object or an array.
fn json_document(text: &str) -> Option<Box<RawValue>> {
    let begins = text.trim_start().as_bytes().first();
    if !matches!(begins, Some(b'{' | b'[')) {
        return None;
    }
    serde_json::from_str::<&RawValue>(text).ok().map(ToOwned::to_owned)
}

fn kind_of_end(status: Option<ExecutionStatus>) -> Option<Kind> {
    match status? {
        ExecutionStatus::Aborted => Some(Kind::Aborted),
        ExecutionStatus::TimedOut => Some(Kind::ExecutionTimedOut),
        _ => None,
    }
}

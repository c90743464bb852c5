//! The answer to `why`, as `docs/json.md` fixes it: fields are added, never renamed.
//!
//! Everything here is raw: masking of secrets and escaping are the renderer's work.

use serde::Serialize;
use serde_json::value::RawValue;

pub use crate::analysis::execution::{ExecutionSummary, Incomplete, WaitsFor};
use crate::analysis::task_log::TaskLog;
pub use crate::model::path::Basis;
use crate::model::path::{AttemptOutcome, VisitOutcome};
use crate::model::{EventId, Timestamp};

/// The schema of [`WhyReport`].
pub const SCHEMA: &str = "stepscope.why/1";

/// Why one execution failed, or what it swallowed, or where it stands.
#[derive(Debug, Clone, Serialize)]
pub struct WhyReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// Which execution.
    pub execution: ExecutionSummary,
    /// Where it ended; null when it did not fail.
    pub terminal: Option<Terminal>,
    /// What started the failure; null when it did not fail.
    pub root_cause: Option<Finding>,
    /// Failures that were caught or cured by a retry, in the order in which they happened.
    pub handled: Vec<Finding>,
    /// The visits that led to the end, outermost scope first, in order.
    pub route: Vec<RouteStep>,
    /// Where a running execution stands, or what was open when it was stopped or ran out of time.
    pub open: Vec<OpenVisit>,
    /// What the answer does not rest on, because it is missing.
    pub incomplete: Vec<Incomplete>,
    /// What to check.
    pub advice: Vec<Advice>,
    /// Commands to run next; none is run by the program.
    pub next: Vec<NextCommand>,
}

/// Where the execution ended.
#[derive(Debug, Clone, Serialize)]
pub struct Terminal {
    /// The innermost state that ended it; null when nothing tells.
    pub state: Option<String>,
    /// `Task`, `Fail`, …
    pub state_type: Option<&'static str>,
    /// Enclosing iterations and branches, outermost first: `Fulfil[2]`.
    pub scope: Vec<String>,
    /// The state's Entered event.
    pub entered_event_id: Option<EventId>,
    /// The event that records the failure.
    pub event_id: Option<EventId>,
    /// As the execution's end reports it.
    pub error: Option<String>,
    /// As the execution's end reports it.
    pub cause: Option<String>,
}

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A task, function or activity reported a failure.
    TaskFailed,
    /// `TimeoutSeconds` of a task ran out.
    TaskTimedOut,
    /// `HeartbeatSeconds` of a task ran out.
    HeartbeatTimedOut,
    /// A task could not be scheduled, started or submitted.
    ScheduleFailed,
    /// A JSONata expression could not be evaluated.
    EvaluationFailed,
    /// `States.Runtime`: the definition and the data do not fit.
    Runtime,
    /// A Fail state that nothing else led to.
    FailState,
    /// A Map Run failed, or could not read or write its items.
    MapFailed,
    /// A limit of the service: payload size, history length.
    Limit,
    /// Somebody stopped the execution.
    Aborted,
    /// `TimeoutSeconds` of the state machine ran out.
    ExecutionTimedOut,
}

impl Kind {
    /// As JSON and tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TaskFailed => "task_failed",
            Self::TaskTimedOut => "task_timed_out",
            Self::HeartbeatTimedOut => "heartbeat_timed_out",
            Self::ScheduleFailed => "schedule_failed",
            Self::EvaluationFailed => "evaluation_failed",
            Self::Runtime => "runtime",
            Self::FailState => "fail_state",
            Self::MapFailed => "map_failed",
            Self::Limit => "limit",
            Self::Aborted => "aborted",
            Self::ExecutionTimedOut => "execution_timed_out",
        }
    }
}

/// How sure the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// One of several that are equally possible, or the nearest one.
    Guess,
    /// The evidence points here, but a part that could say otherwise is missing.
    Likely,
    /// The history says so.
    Certain,
}

impl Confidence {
    /// As JSON and tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// A failure and where it happened.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The innermost state; null when nothing tells.
    pub state: Option<String>,
    /// `Task`, `Map`, …
    pub state_type: Option<&'static str>,
    /// Enclosing iterations and branches, outermost first: `Fulfil[2]`.
    pub scope: Vec<String>,
    /// The state's Entered event.
    pub entered_event_id: Option<EventId>,
    /// The event that records the failure.
    pub event_id: Option<EventId>,
    /// When that event happened.
    pub time: Option<Timestamp>,
    /// Error name; null when none was given.
    pub error: Option<String>,
    /// The cause, as the service gave it.
    pub cause: Option<String>,
    /// The cause parsed, when it is a JSON object or array.
    pub cause_json: Option<Box<RawValue>>,
    /// What the cause says once decoded.
    pub decoded: Option<DecodedCause>,
    /// What kind of failure.
    pub kind: Kind,
    /// What the naming rests on.
    pub basis: Basis,
    /// How sure it is.
    pub confidence: Confidence,
    /// How sure it is that the state failed, whatever started that in a child execution.
    #[serde(skip)]
    pub of_state: Confidence,
    /// ARN of the execution that failed here: the child's when a nested execution failed and was read.
    pub execution: Option<String>,
    /// What to name on the command line to read that execution again.
    #[serde(skip)]
    pub exec: Option<String>,
    /// ARN of the child execution that the task ran to its end, when it was one that does.
    pub child: Option<String>,
    /// ARN of the Map Run that failed, for a Distributed Map.
    pub map_run: Option<String>,
    /// For a child's failure: the states of the parents that waited for it, outermost first.
    pub via: Vec<ParentState>,
    /// What the task called: `lambda:invoke`, `arn:aws:lambda:…`.
    pub resource: Option<String>,
    /// The input of the state: JSON text.
    pub input: Option<String>,
    /// What the task really received, after Parameters or Arguments: JSON text; null when it never was scheduled.
    pub effective_input: Option<String>,
    /// Every attempt of the visit.
    pub attempts: Vec<AttemptReport>,
    /// For a failure that was handled: the state that a Catch went to; null for one that a retry cured.
    pub caught_by: Option<String>,
    /// The log of its last attempt, when that was asked for.
    pub logs: Option<TaskLog>,
    /// What the log is looked for by.
    #[serde(skip)]
    pub call: Option<LastCall>,
}

/// The last attempt of a task, as far as its log is found by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastCall {
    /// Where the task was called.
    pub region: Option<String>,
    /// When it was scheduled.
    pub scheduled: Option<Timestamp>,
    /// When it ended; `None` for one that nothing ended.
    pub ended: Option<Timestamp>,
    /// What the call answered at once, before its job or its callback ended: JSON text.
    pub answer: Option<String>,
    /// The request id in that answer.
    pub request_id: Option<String>,
}

/// A state of a parent execution that waited for a failed child.
#[derive(Debug, Clone, Serialize)]
pub struct ParentState {
    /// ARN of the parent; null for a bare history.
    pub execution: Option<String>,
    /// The state that started the child.
    pub state: Option<String>,
    /// Enclosing iterations and branches, outermost first.
    pub scope: Vec<String>,
    /// The state's Entered event.
    pub entered_event_id: Option<EventId>,
    /// The event that reports the child's failure to the parent.
    pub event_id: Option<EventId>,
    /// The error name that the parent sees.
    pub error: Option<String>,
}

/// One attempt.
#[derive(Debug, Clone, Serialize)]
pub struct AttemptReport {
    /// From 1; 2 is the first retry. A redrive counts from 1 again.
    pub number: u32,
    /// After how many redrives; 0 before the first.
    pub redrive: u32,
    /// The event that scheduled it.
    pub scheduled_event_id: Option<EventId>,
    /// The event that ended it.
    pub event_id: Option<EventId>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// Error name, when it failed.
    pub error: Option<String>,
    /// Cause, when it failed.
    pub cause: Option<String>,
    /// From being scheduled to its end.
    pub duration_ms: Option<i64>,
    /// From the failure before to being scheduled; null for the first.
    pub wait_before_ms: Option<i64>,
}

/// A visit on the way to the end.
#[derive(Debug, Clone, Serialize)]
pub struct RouteStep {
    /// The state; null when the history does not name it.
    pub state: Option<String>,
    /// Enclosing iterations and branches, outermost first.
    pub scope: Vec<String>,
    /// The state's Entered event.
    pub entered_event_id: Option<EventId>,
    /// `succeeded`, `caught`, `failed`, `aborted`, `open`.
    pub outcome: VisitOutcome,
    /// From entered to exited or to the last event.
    pub duration_ms: Option<i64>,
}

/// A visit that nothing closed.
#[derive(Debug, Clone, Serialize)]
pub struct OpenVisit {
    /// The state.
    pub state: Option<String>,
    /// Enclosing iterations and branches, outermost first.
    pub scope: Vec<String>,
    /// The state's Entered event.
    pub entered_event_id: Option<EventId>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// From then to the last event known; a lower bound for a running execution.
    pub age_ms: Option<i64>,
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// What the task called.
    pub resource: Option<String>,
    /// ARN of the child execution that it waits for.
    pub child: Option<String>,
    /// Seconds of the attempt's time limit, when it has one.
    pub timeout_seconds: Option<u64>,
    /// Seconds of the attempt's heartbeat, when it has one.
    pub heartbeat_seconds: Option<u64>,
    /// Failed attempts so far.
    pub failed_attempts: usize,
}

/// What a cause says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DecodedCause {
    /// The message for a person.
    pub message: Option<String>,
    /// The type of the error inside: Lambda's errorType, the service's error code.
    pub error_type: Option<String>,
    /// Innermost call first, as the function gave it.
    pub stack: Vec<String>,
    /// The AWS service that answered.
    pub service: Option<String>,
    /// Its HTTP status.
    pub status_code: Option<u16>,
    /// Its error code.
    pub error_code: Option<String>,
    /// Its request id.
    pub request_id: Option<String>,
    /// Failed child executions that the cause quotes, outermost first.
    pub children: Vec<QuotedChild>,
}

/// A failed child execution, as its parent's cause quotes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct QuotedChild {
    /// ARN of the child.
    pub execution: Option<String>,
    /// Its status.
    pub status: Option<String>,
    /// Its error name.
    pub error: Option<String>,
    /// Its cause.
    pub cause: Option<String>,
    /// Its input: JSON text.
    pub input: Option<String>,
}

/// Something to check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The entry of the catalogue.
    pub id: String,
    /// What to check.
    pub text: String,
    /// Whether trying again helps: `yes`, `no` or `depends`.
    pub retry: String,
    /// Where the advice comes from.
    pub source: String,
}

/// A command for the reader to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextCommand {
    /// What it tells.
    pub text: String,
    /// The command line.
    pub command: String,
}

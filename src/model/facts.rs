//! What questions over many executions know of one: its row in each table of the store, without the events.
//!
//! | facts              | table        | one row for                                   |
//! |--------------------|--------------|-----------------------------------------------|
//! | [`ExecutionFacts`] | `executions` | an execution                                  |
//! | [`VisitFacts`]     | `visits`     | a visit of a state                            |
//! | [`AttemptFacts`]   | `attempts`   | an attempt of a Task, a run of a Parallel or Map |
//!
//! They are the same whether they come from a history just read or from the store, so that every question is answered once for
//! both. Everything is borrowed: from the history, or from the column it was read from. Durations are milliseconds with a
//! fraction, `None` where one of the two moments is not known.

use super::event_type::StateType;
use super::path::{AttemptOutcome, VisitOutcome};
use super::{EventId, ExecutionStatus, Micros};

/// The two types of state machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the words are those of the service")]
pub enum WorkflowType {
    Standard,
    Express,
}

impl WorkflowType {
    /// The service's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::Express => "EXPRESS",
        }
    }
}

/// Who answers an attempt: the service integration patterns, and what is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// A call that is answered at once: request and response, or a function's ARN.
    Call,
    /// A job whose end the service waits for (`.sync`).
    Job,
    /// A child execution whose end the service waits for (`startExecution.sync`).
    ChildExecution,
    /// Somebody who was handed a task token (`.waitForTaskToken`).
    Callback,
    /// The worker of an Activity.
    Activity,
    /// Branches or iterations: the attempt is of a Parallel or a Map.
    Scopes,
}

impl Pattern {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Call, Self::Job, Self::ChildExecution, Self::Callback, Self::Activity, Self::Scopes];

    /// As tables and JSON have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Job => "job",
            Self::ChildExecution => "child_execution",
            Self::Callback => "callback",
            Self::Activity => "activity",
            Self::Scopes => "scopes",
        }
    }
}

/// One execution.
#[derive(Debug, Clone, Default)]
pub struct ExecutionFacts<'a> {
    /// Its ARN; for a bare history `unnamed-` and a hash of what it began with, the same whenever it is read.
    pub execution: &'a str,
    /// Its name; empty for a bare history.
    pub name: &'a str,
    /// ARN of the state machine without version and alias; `None` when nothing names it.
    pub state_machine: Option<&'a str>,
    /// By the kind of its ARN; `None` for a bare history.
    pub workflow_type: Option<WorkflowType>,
    /// The number at the end of the version's ARN, when it was started by version or alias.
    pub version: Option<&'a str>,
    /// The name at the end of the alias's ARN, when it was started by alias.
    pub alias: Option<&'a str>,
    /// `None` when nothing tells.
    pub status: Option<ExecutionStatus>,
    /// When it started.
    pub start: Option<Micros>,
    /// When it ended; `None` while it runs.
    pub stop: Option<Micros>,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// The Map Run whose child it is.
    pub map_run: Option<&'a str>,
    /// ARN of the execution that started it, where its input says so.
    pub parent: Option<&'a str>,
    /// How many events were read.
    pub events: u64,
    /// When the last event that has a time happened.
    pub last_event: Option<Micros>,
    /// What the service billed of an Express execution, where the source says so (`billingDetails`): milliseconds.
    pub billed_duration_ms: Option<u64>,
    /// What the service billed of an Express execution, where the source says so: MB.
    pub billed_memory_mb: Option<u64>,
    /// Short names of what is known to be missing ([`Gap::id`](super::Gap::id)), sorted.
    pub gaps: &'a [&'a str],
    /// How it failed; `None` for one that did not. Present where [`Needs::failures`] was asked for.
    pub failure: Option<FailureFacts<'a>>,
    /// JSON text. Present where [`Needs::payloads`] or [`Needs::inputs`] was asked for.
    pub input: Option<&'a str>,
    /// JSON text. Present where [`Needs::payloads`] was asked for.
    pub output: Option<&'a str>,
    /// JSON text. Present where [`Needs::definitions`] was asked for.
    pub definition: Option<&'a str>,
    /// In the order in which they were entered. Present where [`Needs::visits`] or [`Needs::plain_visits`] was asked for.
    pub visits: &'a [VisitFacts<'a>],
    /// By visit, then by number. Present where [`Needs::attempts`] was asked for.
    pub attempts: &'a [AttemptFacts<'a>],
}

/// How an execution failed, by the root-cause rule.
#[derive(Debug, Clone, Copy, Default)]
pub struct FailureFacts<'a> {
    /// The innermost state at which it ended.
    pub terminal_state: Option<&'a str>,
    /// The error with which it ended.
    pub error: Option<&'a str>,
    /// The cause with which it ended.
    pub cause: Option<&'a str>,
    /// The state whose failure started it.
    pub root_state: Option<&'a str>,
    /// Enclosing iterations and branches of that state, outermost first, joined by `/`: `Fulfil[2]/Pack[0]`; empty for none.
    pub root_scope: &'a str,
    /// That failure's error.
    pub root_error: Option<&'a str>,
    /// That failure's cause.
    pub root_cause: Option<&'a str>,
    /// As `why` names it: `task_failed`, `runtime`, …
    pub kind: &'a str,
    /// As `why` names it: `task_chain`, …
    pub basis: &'a str,
    /// As `why` names it: `certain`, `likely`, `guess`.
    pub confidence: &'a str,
    /// The event that records the root failure.
    pub root_event_id: Option<EventId>,
    /// When it happened.
    pub root_time: Option<Micros>,
    /// What the task called.
    pub resource: Option<&'a str>,
    /// ARN of the child execution that failed in that state: the root cause stands in its own facts.
    pub child: Option<&'a str>,
    /// The failure group's id, by version and hash: failures that are alike have the same.
    pub fingerprint: Option<&'a str>,
}

/// One entry into a state, to its exit.
#[derive(Debug, Clone, Copy, Default)]
pub struct VisitFacts<'a> {
    /// Its number in the execution, from 0, in the order of entering.
    pub visit: u32,
    /// The number of the Parallel or Map visit around it.
    pub parent: Option<u32>,
    /// Which branch or iteration of `parent`, from 0.
    pub index: Option<u64>,
    /// Which attempt of `parent` it belongs to, from 1; a redrive goes on in the same attempt.
    pub parent_attempt: Option<u32>,
    /// The state's name; empty when the history does not tell it.
    pub state: &'a str,
    /// Where the history tells.
    pub state_type: Option<StateType>,
    /// Enclosing iterations and branches, outermost first, joined by `/`: `Fulfil[2]/Pack[0]`; empty for none.
    pub scope: &'a str,
    /// After how many redrives it was entered.
    pub redrive: u32,
    /// How it ended.
    pub outcome: VisitOutcome,
    /// Its `…StateEntered` event.
    pub entered_event_id: Option<EventId>,
    /// Its `…StateExited` event.
    pub exited_event_id: Option<EventId>,
    /// When it was entered.
    pub entered: Option<Micros>,
    /// When it was exited; `None` for one that failed, was aborted or is open.
    pub exited: Option<Micros>,
    /// When the last event that belongs to it happened.
    pub last_event: Option<Micros>,
    /// How many attempts it had; of a Parallel or Map, how often it ran as a whole.
    pub attempts: u32,
    /// Attempts beyond the first of each redrive: what is charged as a transition of its own.
    pub retries: u32,
    /// Attempts that failed or ran out of time; of a Parallel or Map, runs of the whole state that did.
    pub failed_attempts: u32,
    /// What it is charged: 1 for having been entered, 1 for each retry, 1 for each redrive that ran it again without entering it.
    pub transitions: u32,
    /// From scheduled to started, over all attempts. `None`, as for the parts below, where there was nothing of the kind or no
    /// moment tells. Queue, run, retry wait and callback add up to what an exited visit lasted, but for a rest: a Wait's pause, what
    /// the service takes between events, the pause before a redrive.
    pub queue_ms: Option<f64>,
    /// From started (where that is not known, from scheduled) to the end of the attempt, over all attempts; of a callback only
    /// until it was submitted, of an Activity nothing. Of a Parallel or Map: how long its branches or iterations ran.
    pub run_ms: Option<f64>,
    /// From each failure to the retry's schedule.
    pub retry_wait_ms: Option<f64>,
    /// How long somebody else had it, over all attempts: of a callback from submitted (where that is not known, from started) to
    /// answered or out of time, of an Activity from started to its end.
    pub callback_ms: Option<f64>,
    /// For the first visit of an iteration: from the start of its Map to the start of the iteration. It is time before the visit.
    pub map_queue_ms: Option<f64>,
    /// How much of the execution's time passed in this visit and in nothing that it encloses, on the critical path: the visits whose
    /// shortening would have shortened the execution. 0 off the path. Over all visits they add up to what the execution lasted,
    /// but for the time between two visits that nothing encloses.
    pub critical_ms: Option<f64>,
    /// The error of its last failure, whether that was the end of it, caught, or cured by a retry.
    pub error: Option<&'a str>,
    /// What it called: `lambda:invoke`, an ARN.
    pub resource: Option<&'a str>,
    /// Who answers it; `None` for states that call nobody.
    pub pattern: Option<Pattern>,
    /// ARN of the last child execution that it started and waited for; of a Distributed Map that of its last Map Run.
    pub child: Option<&'a str>,
    /// Items of a Map, where the history tells: not for those that a Distributed Map reads from S3.
    pub items: Option<u64>,
    /// Bytes of the largest payload that it was given or gave: input, parameters of a task, result, output. `None` where the history
    /// holds none, and for executions that were stored before sizes were kept. Present where [`Needs::sizes`] was asked for.
    pub payload_bytes: Option<u64>,
}

/// One try in a visit; attempt 2 is the first retry.
#[derive(Debug, Clone, Copy)]
pub struct AttemptFacts<'a> {
    /// The number of its visit.
    pub visit: u32,
    /// From 1; a redrive starts again at 1.
    pub number: u32,
    /// After how many redrives.
    pub redrive: u32,
    /// The state's name.
    pub state: &'a str,
    /// What it called.
    pub resource: Option<&'a str>,
    /// Who answers it.
    pub pattern: Option<Pattern>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The event that scheduled it; for a Parallel or Map, that started it.
    pub scheduled_event_id: Option<EventId>,
    /// The event that ended it.
    pub ended_event_id: Option<EventId>,
    /// When it was scheduled.
    pub scheduled: Option<Micros>,
    /// When it was started.
    pub started: Option<Micros>,
    /// When the wait for a callback, job or child execution began.
    pub submitted: Option<Micros>,
    /// When it ended.
    pub ended: Option<Micros>,
    /// From the failure before it to its schedule: the observed backoff; `None` for a first attempt.
    pub wait_before_ms: Option<f64>,
    /// Seconds of its time limit, where it has one.
    pub timeout_seconds: Option<u64>,
    /// Seconds of its heartbeat, where it has one.
    pub heartbeat_seconds: Option<u64>,
    /// Error name, when it failed.
    pub error: Option<&'a str>,
    /// Cause, when it failed. Present where [`Needs::causes`] was asked for.
    pub cause: Option<&'a str>,
}

/// Which parts of the facts a question looks at. What nobody needs is neither extracted nor read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "a set of nine; any combination makes sense")]
pub struct Needs {
    /// [`ExecutionFacts::visits`] with everything.
    pub visits: bool,
    /// [`ExecutionFacts::visits`] without what their time was spent on and what they cost: [`VisitFacts::queue_ms`] to
    /// [`VisitFacts::critical_ms`], [`VisitFacts::scope`], [`VisitFacts::resource`], [`VisitFacts::retries`],
    /// [`VisitFacts::failed_attempts`] and [`VisitFacts::transitions`] may be missing. That is half of what there is to read.
    pub plain_visits: bool,
    /// [`ExecutionFacts::attempts`].
    pub attempts: bool,
    /// [`ExecutionFacts::failure`].
    pub failures: bool,
    /// [`AttemptFacts::cause`].
    pub causes: bool,
    /// [`ExecutionFacts::input`] and [`ExecutionFacts::output`].
    pub payloads: bool,
    /// [`ExecutionFacts::input`] alone.
    pub inputs: bool,
    /// [`ExecutionFacts::definition`].
    pub definitions: bool,
    /// [`VisitFacts::payload_bytes`].
    pub sizes: bool,
}

impl Needs {
    /// Everything, as the store keeps it.
    pub const ALL: Self = Self {
        visits: true,
        plain_visits: true,
        attempts: true,
        failures: true,
        causes: true,
        payloads: true,
        inputs: true,
        definitions: true,
        sizes: true,
    };

    /// Whether there are visits at all.
    pub fn any_visits(self) -> bool {
        self.visits || self.plain_visits
    }

    /// What either asks for.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            visits: self.visits || other.visits,
            plain_visits: self.plain_visits || other.plain_visits,
            attempts: self.attempts || other.attempts,
            failures: self.failures || other.failures,
            causes: self.causes || other.causes,
            payloads: self.payloads || other.payloads,
            inputs: self.inputs || other.inputs,
            definitions: self.definitions || other.definitions,
            sizes: self.sizes || other.sizes,
        }
    }
}

/// The [`Gap::id`](super::Gap::id) of a history made of the records of failures.
const LOGGED_ONLY: &str = "logged_only";

impl ExecutionFacts<'_> {
    /// From start to stop; `None` while it runs, and where its beginning was not logged.
    pub fn duration_ms(&self) -> Option<f64> {
        Some(self.stop?.milliseconds_since(self.beginning()?))
    }

    /// When it started; unlike `start` not the time of its first event where that cannot have been the first: a log of failures only.
    pub fn beginning(&self) -> Option<Micros> {
        self.start.filter(|_| !self.gaps.contains(&LOGGED_ONLY))
    }

    /// The attempts of one visit.
    pub fn attempts_of(&self, visit: u32) -> &[AttemptFacts<'_>] {
        let from = self.attempts.partition_point(|attempt| attempt.visit < visit);
        let to = self.attempts.partition_point(|attempt| attempt.visit <= visit);
        &self.attempts[from..to]
    }
}

impl VisitFacts<'_> {
    /// From entered to exited; `None` for one that was not exited.
    pub fn duration_ms(&self) -> Option<f64> {
        Some(self.exited?.milliseconds_since(self.entered?))
    }
}

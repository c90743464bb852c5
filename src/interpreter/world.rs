//! What the interpreter asks of the world outside a definition.
//!
//! Time is virtual: an answer says how long things took, and nobody waits.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use crate::asl::machine::{Resource, StateMachine};
use crate::expr::Value;
use crate::model::EventType;

/// The world of one run. Every method but [`attempt`](World::attempt) has a default for a world that holds nothing.
pub trait World {
    /// The answer of one attempt of a Task. [`Unanswered`] ends the run with an error that is none of the execution's.
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered>;

    /// Which of several things that could happen next happens first: a position in `pending`, or `None` for the order of time.
    /// Asked only when more than one branch or iteration could go on. `events` is how many events there are already.
    fn choose(&mut self, _pending: &[Pending<'_>], _events: usize) -> Option<usize> {
        None
    }

    /// Whether [`choose`](World::choose) is to be asked at all; without, a branch runs until it must wait.
    fn interleaves(&self) -> bool {
        false
    }

    /// When an event happens that is about to be written, for a world that knows better than the virtual clock: the clock is set
    /// to this moment first. Asked for each event of the execution, after [`choose`](World::choose), if
    /// [`interleaves`](World::interleaves). `events` is how many events there are already.
    fn moment(&mut self, _event: &Pending<'_>, _events: usize) -> Option<Timestamp> {
        None
    }

    /// Where values come from that no definition determines; `None` for the seed of the run alone. Asked once, at the start.
    fn chance(&mut self) -> Option<Rc<dyn Chance>> {
        None
    }

    /// What became of a Map Run, for a world that knows without its children being run. Asked when it begins.
    fn map_run(&mut self, _request: &MapRunRequest<'_>) -> MapRunAnswer {
        MapRunAnswer::default()
    }

    /// The definition behind the ARN of a state machine, version or alias, when a Task starts an execution that shall run here.
    fn machine(&mut self, _arn: &str) -> Option<Child> {
        None
    }

    /// The bytes of an object of S3.
    fn read_object(&mut self, bucket: &str, _key: &str) -> Result<Vec<u8>, ObjectError> {
        Err(ObjectError::NoBucket(bucket.to_owned()))
    }

    /// The objects of a bucket whose key begins with `prefix`, by key.
    fn list_objects(&mut self, bucket: &str, _prefix: &str) -> Result<Vec<ObjectSummary>, ObjectError> {
        Err(ObjectError::NoBucket(bucket.to_owned()))
    }

    /// Writes an object.
    fn write_object(&mut self, bucket: &str, _key: &str, _bytes: &[u8]) -> Result<(), ObjectError> {
        Err(ObjectError::NoBucket(bucket.to_owned()))
    }
}

/// Looks at values that no definition determines, and may put others in their place. Each method is given what the seed, or the
/// virtual clock, came up with, and returns what counts.
pub trait Chance {
    /// A number in [0, 1) for `States.MathRandom` and `$random`. Jitter of retries is not asked for.
    fn random(&self, drawn: f64) -> f64 {
        drawn
    }

    /// A UUID for `States.UUID` and `$uuid`.
    fn uuid(&self, drawn: String) -> String {
        drawn
    }

    /// A task token, or the ARN of a Map Run.
    fn name(&self, drawn: String) -> String {
        drawn
    }

    /// Milliseconds since the epoch for `$now` and `$millis`.
    fn now(&self, clock: i64) -> i64 {
        clock
    }
}

/// A state machine that a Task may start.
#[derive(Debug, Clone)]
pub struct Child {
    /// Compiled.
    pub machine: Rc<StateMachine>,
    /// Whether it is an Express state machine.
    pub express: bool,
}

/// Who runs.
#[derive(Debug, Clone)]
pub struct ExecutionInfo {
    /// ARN of the execution.
    pub arn: Rc<str>,
    /// Its name.
    pub name: Rc<str>,
    /// ARN of the state machine.
    pub machine_arn: Rc<str>,
    /// Its role.
    pub role_arn: Rc<str>,
    /// Whether it is an Express execution.
    pub express: bool,
}

/// Which attempt of which visit of which state.
#[derive(Debug, Clone, Copy)]
pub struct Attempted<'a> {
    /// The execution.
    pub execution: &'a ExecutionInfo,
    /// Name of the state.
    pub state: &'a str,
    /// Where the state stands: for each Parallel or Map around it, outermost first, its name and the number of the branch or
    /// iteration.
    pub scope: &'a [(Rc<str>, u64)],
    /// Which visit of this state in its scope, from 1. A retried Parallel or Map begins new scopes, and counts go on.
    pub visit: u32,
    /// Which attempt of the visit, from 1.
    pub attempt: u32,
}

/// What a Task asks for.
#[derive(Debug, Clone, Copy)]
pub struct TaskRequest<'a> {
    /// Who asks.
    pub attempted: Attempted<'a>,
    /// What is called.
    pub resource: &'a Resource,
    /// The parameters, after everything was filled in.
    pub input: &'a Value,
    /// The token of a `.waitForTaskToken` Task or an activity.
    pub token: Option<&'a str>,
    /// `Credentials.RoleArn`.
    pub role_arn: Option<&'a str>,
    /// Seconds.
    pub timeout_seconds: Option<u64>,
    /// Seconds.
    pub heartbeat_seconds: Option<u64>,
    /// When the attempt was scheduled.
    pub at: Timestamp,
    /// The number of its `…Scheduled` event.
    pub scheduled_event_id: u64,
}

/// What became of an attempt. Durations count from the step before: scheduled, started, submitted.
#[derive(Debug, Clone, Default)]
pub struct TaskAnswer {
    /// From scheduled to started; `None` when it never started.
    pub started: Option<Duration>,
    /// Who took an activity's task.
    pub worker: Option<Rc<str>>,
    /// From started to submitted, with the answer of the first call, for `.sync` and `.waitForTaskToken`.
    pub submitted: Option<(Duration, Value)>,
    /// Heartbeats, counted from started.
    pub heartbeats: Vec<Duration>,
    /// From the step before to the end; `None` when no answer ever comes: then timeouts end the attempt, or nothing does.
    pub ended: Option<(Duration, TaskOutcome)>,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum TaskOutcome {
    /// With a result.
    Succeeded(Value),
    /// With a failure.
    Failed {
        /// Which event reports it: `TaskFailed`, `TaskTimedOut`, `LambdaFunctionScheduleFailed`, `TaskSubmitFailed` and so on.
        event: EventType,
        /// The error name; absent in some answers to tokens.
        error: Option<Rc<str>>,
        /// The cause.
        cause: Option<Rc<str>>,
    },
    /// The service gave up on the state without an event of its own, such as for an activity that does not exist (`States.Runtime`).
    Refused {
        /// The error name.
        error: Rc<str>,
        /// The cause, without the sentence that names the state.
        cause: Rc<str>,
    },
}

/// Which Map Run begins.
#[derive(Debug, Clone, Copy)]
pub struct MapRunRequest<'a> {
    /// The Distributed Map; each attempt has a Map Run of its own.
    pub attempted: Attempted<'a>,
    /// ARN of the Map Run.
    pub arn: &'a str,
    /// When it began.
    pub at: Timestamp,
    /// The number of its `MapRunStarted`.
    pub started_event_id: u64,
}

/// What is known of a Map Run beforehand.
#[derive(Debug, Clone, Default)]
pub struct MapRunAnswer {
    /// How it ended, and how long after it began; `None` to read its items and to run its children here.
    pub ended: Option<(Duration, MapRunOutcome)>,
    /// Whether `MapStateExited` links to `MapRunSucceeded`, as it did in the service until 2024. It links to `MapRunStarted` since.
    pub exits_from_success: bool,
}

/// How a Map Run ended.
#[derive(Debug, Clone)]
pub enum MapRunOutcome {
    /// With the results of its children, as the state sees them before `ResultSelector` or `Output`.
    Succeeded(Value),
    /// With a success of which only is known what the state made of it: its output, and the variables that it assigned.
    #[allow(missing_docs, reason = "said above")]
    Exited { output: Value, assigned: Option<Value> },
    /// With a failure.
    #[allow(missing_docs, reason = "the members of the event")]
    Failed { error: Option<Rc<str>>, cause: Option<Rc<str>> },
    /// Not at all: it went on when the recording stopped.
    Unfinished,
}

/// Nothing answers a task. Not a failure of the execution, but of whoever set up the run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("nothing answers state '{state}' (attempt {attempt}): {advice}")]
#[allow(missing_docs, reason = "the message shows them all")]
pub struct Unanswered {
    pub state: String,
    pub attempt: u32,
    pub advice: String,
}

/// Something that could happen next.
#[derive(Debug, Clone, Copy)]
pub struct Pending<'a> {
    /// The type of its next event.
    pub event: EventType,
    /// Name of the state that the event belongs to.
    pub state: &'a str,
    /// As in [`Attempted::scope`].
    pub scope: &'a [(Rc<str>, u64)],
    /// The event that causes it; 0 for none.
    pub previous_event_id: u64,
    /// When it is due.
    pub at: Timestamp,
}

/// An entry of a bucket, as `listObjectsV2` gives it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the members are those of the service")]
pub struct ObjectSummary {
    pub key: String,
    pub etag: String,
    pub last_modified: Timestamp,
    pub size: u64,
}

/// Why an object could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ObjectError {
    /// Nobody said where this bucket is.
    #[error("no folder is given for bucket '{0}'; give --s3 {0}=DIR")]
    NoBucket(String),
    /// No such key.
    #[error("bucket '{bucket}' has no object '{key}'")]
    #[allow(missing_docs, reason = "the message shows them all")]
    NoKey { bucket: String, key: String },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

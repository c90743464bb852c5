//! Threads: what goes on at the same time in an execution.
//!
//! The execution itself, each branch of a Parallel and each iteration of a Map is a thread, a little state machine that knows the
//! event it writes next ([`Next`]). What leads to that event has been computed already, so that the type of the event is known before
//! it is written: a replay chooses by it which thread goes on.

use std::rc::Rc;

use crate::asl::machine::{Kind, Pattern, Service, State, StateNumber, Transition};
use crate::expr::Value;
use crate::model::event_type::AttemptStep;
use crate::model::{EventType, Timestamp};

use super::failure::Failure;
use super::payload::Payload;
use super::recorder;
use super::variables::Variables;
use super::world::TaskAnswer;

/// Which thread; a number that is used again has another generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ThreadId {
    pub slot: u32,
    pub generation: u32,
}

/// Where a state stands: the Parallel and Map states around it, outermost first, with the number of the branch or iteration.
pub(super) type ScopePath = Rc<[(Rc<str>, u64)]>;

/// One thread.
#[derive(Debug)]
pub(super) struct Thread {
    pub id: ThreadId,
    /// The thread whose Parallel or Map began this one.
    pub parent: Option<ThreadId>,
    /// Number of the branch or iteration.
    pub index: u64,
    /// Made when first asked for.
    pub scope: Option<ScopePath>,
    pub variables: Rc<Variables>,
    /// The state that is visited, or entered next.
    pub state: StateNumber,
    /// Its input.
    pub input: Payload,
    /// What the next event names as its cause.
    pub last_event: u64,
    /// What the `…StateEntered` of the visit named as its cause.
    pub before_entered: u64,
    /// The `…StateEntered` of the visit.
    pub entered_event: u64,
    pub entered_at: Timestamp,
    /// What a Task, a Parallel or a Map keeps during a visit.
    pub visit: Option<Box<Visit>>,
    pub next: Next,
    /// When `next` happens.
    pub due: Timestamp,
    /// Threads that are due at the same time go on in this order.
    pub turn: u64,
}

/// What a thread does next: the event that it writes, and what the event tells.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing: it waits for the threads that it began, or for an answer that never comes.
    Nothing,
    /// `…StateEntered`.
    Enter,
    /// `…StateExited`.
    Exit(Box<Exit>),
    /// `EvaluationFailed`.
    EvaluationFailed(Box<FailedEvaluation>),
    /// Begins another attempt of a Task, a Parallel or a Map.
    Retry,
    /// `TaskScheduled` and its like.
    Schedule(Box<Call>),
    /// A step of the attempt that [`Visit::attempt`] holds.
    Attempt(AttemptStep),
    /// `ParallelStateStarted`, with the input of the branches.
    ParallelStarted(Payload),
    /// `MapStateStarted`.
    MapStarted,
    /// `MapIterationStarted`.
    IterationStarted,
    /// `MapIterationSucceeded`, with the output of the iteration.
    IterationSucceeded(Payload),
    /// `ParallelStateSucceeded` or `MapStateSucceeded`.
    CompositeSucceeded,
    /// `ParallelStateFailed` or `MapStateFailed`.
    CompositeFailed(Box<Failure>),
    /// A Map Run went on; [`Visit::map_run`] knows how.
    MapRun,
    /// The branch, the iteration or the execution fails because of this event.
    Fail(Box<Failure>, u64),
    /// `ExecutionSucceeded`.
    Succeed(Payload),
}

/// How a state is left.
#[derive(Debug)]
pub(super) struct Exit {
    pub output: Payload,
    pub assigned: Option<Value>,
    pub to: Transition,
}

/// An expression that failed.
#[derive(Debug)]
pub(super) struct FailedEvaluation {
    pub failure: Failure,
    pub location: Option<String>,
    pub previous: u64,
    /// Whether Retry and Catch of the state apply.
    pub can_be_handled: bool,
}

/// What is called by an attempt.
#[derive(Debug)]
pub(super) struct Call {
    pub input: Payload,
    pub timeout_seconds: Option<u64>,
    pub heartbeat_seconds: Option<u64>,
    pub role_arn: Option<Rc<str>>,
    pub token: Option<String>,
}

/// What a Task, a Parallel or a Map keeps while it is visited.
#[derive(Debug)]
pub(super) struct Visit {
    /// The input after `InputPath`.
    pub effective: Payload,
    /// Which visit of the state in its scope; counted for Tasks only.
    pub number: u32,
    pub retry_count: u32,
    /// Uses of each retrier.
    pub used: Vec<u64>,
    pub attempt: Option<Box<Attempt>>,
    pub composite: Option<Box<super::composite::Composite>>,
    pub map_run: Option<Box<super::distributed::MapRun>>,
}

/// An attempt whose answer is known and still comes.
#[derive(Debug)]
pub(super) struct Attempt {
    pub answer: TaskAnswer,
    pub timeout_seconds: Option<u64>,
    pub heartbeat_seconds: Option<u64>,
    /// When the attempt runs out of time, and whether for want of a heartbeat.
    pub deadline: Option<(Timestamp, bool)>,
}

impl Visit {
    pub fn new(effective: Payload) -> Self {
        Self { effective, number: 0, retry_count: 0, used: Vec::new(), attempt: None, composite: None, map_run: None }
    }
}

impl Thread {
    /// The input of the visit after `InputPath`.
    pub fn effective(&self) -> &Payload {
        self.visit.as_ref().map_or(&self.input, |visit| &visit.effective)
    }

    /// The type of the event that the thread writes next; what may fail is taken to succeed.
    pub fn next_event(&self, state: &State) -> EventType {
        match &self.next {
            Next::Nothing => EventType::Unknown,
            Next::Enter => recorder::entered(&state.kind),
            Next::Exit(_) => recorder::exited(&state.kind),
            Next::EvaluationFailed(_) => EventType::EvaluationFailed,
            Next::Schedule(_) => attempt_event(state, AttemptStep::Scheduled),
            Next::Attempt(step) => match (step, self.visit.as_ref().and_then(|visit| visit.attempt.as_ref())) {
                (AttemptStep::Failed, Some(attempt)) => attempt.failure_event(state),
                _ => attempt_event(state, *step),
            },
            Next::Retry => match &state.kind {
                Kind::Parallel { .. } => EventType::ParallelStateStarted,
                Kind::Map(_) => EventType::MapStateStarted,
                _ => attempt_event(state, AttemptStep::Scheduled),
            },
            Next::ParallelStarted(_) => EventType::ParallelStateStarted,
            Next::MapStarted => EventType::MapStateStarted,
            Next::IterationStarted => EventType::MapIterationStarted,
            Next::IterationSucceeded(_) => EventType::MapIterationSucceeded,
            Next::CompositeSucceeded if matches!(state.kind, Kind::Map(_)) => EventType::MapStateSucceeded,
            Next::CompositeSucceeded => EventType::ParallelStateSucceeded,
            Next::CompositeFailed(_) if matches!(state.kind, Kind::Map(_)) => EventType::MapStateFailed,
            Next::CompositeFailed(_) => EventType::ParallelStateFailed,
            Next::MapRun => self.visit.as_ref().and_then(|visit| visit.map_run.as_ref()).map_or(EventType::Unknown, |run| run.next_event()),
            Next::Fail(..) => EventType::ExecutionFailed,
            Next::Succeed(_) => EventType::ExecutionSucceeded,
        }
    }
}

/// The event for a step of an attempt, by what the Task calls.
pub(super) fn attempt_event(state: &State, step: AttemptStep) -> EventType {
    use AttemptStep as Step;
    use EventType as E;
    let Kind::Task(task) = &state.kind else { return EventType::Unknown };
    match (&task.resource.service, step) {
        (Service::Function, Step::Scheduled) => E::LambdaFunctionScheduled,
        (Service::Function, Step::Started) => E::LambdaFunctionStarted,
        (Service::Function, Step::Succeeded | Step::Submitted) => E::LambdaFunctionSucceeded,
        (Service::Function, Step::Failed | Step::SubmitFailed) => E::LambdaFunctionFailed,
        (Service::Function, Step::TimedOut) => E::LambdaFunctionTimedOut,
        (Service::Function, Step::ScheduleFailed) => E::LambdaFunctionScheduleFailed,
        (Service::Function, Step::StartFailed) => E::LambdaFunctionStartFailed,
        (Service::Activity, Step::Scheduled) => E::ActivityScheduled,
        (Service::Activity, Step::Started) => E::ActivityStarted,
        (Service::Activity, Step::Succeeded | Step::Submitted) => E::ActivitySucceeded,
        (Service::Activity, Step::Failed | Step::SubmitFailed | Step::StartFailed) => E::ActivityFailed,
        (Service::Activity, Step::TimedOut) => E::ActivityTimedOut,
        (Service::Activity, Step::ScheduleFailed) => E::ActivityScheduleFailed,
        (Service::Integration { .. }, Step::Scheduled) => E::TaskScheduled,
        (Service::Integration { .. }, Step::Started) => E::TaskStarted,
        (Service::Integration { .. }, Step::Submitted) => E::TaskSubmitted,
        (Service::Integration { .. }, Step::Succeeded) => E::TaskSucceeded,
        (Service::Integration { .. }, Step::Failed | Step::ScheduleFailed) => E::TaskFailed,
        (Service::Integration { .. }, Step::TimedOut) => E::TaskTimedOut,
        (Service::Integration { .. }, Step::StartFailed) => E::TaskStartFailed,
        (Service::Integration { .. }, Step::SubmitFailed) => E::TaskSubmitFailed,
    }
}

/// Whether the service hands out a token for each attempt.
pub(super) fn has_token(state: &State) -> bool {
    let Kind::Task(task) = &state.kind else { return false };
    task.resource.pattern == Pattern::WaitForTaskToken || task.resource.service == Service::Activity
}

//! Writes histories as the service would: a story of states, attempts, branches and failures becomes linked, timed events.
//!
//! For tests and for the histories of `demo`. The clock is virtual: it starts at 2026-01-01T00:00:00Z and moves only by
//! [`HistoryBuilder::after`], [`HistoryBuilder::taking`] and [`HistoryBuilder::pace`].
//!
//! ```
//! use serde_json::json;
//! use stepscope::model::builder::{history, seconds};
//!
//! let orders = history("Orders")
//!     .enter_task("Charge", json!({"order": 7}))
//!     .attempt_failed("States.Timeout", None)
//!     .after(seconds(2))
//!     .attempt_succeeded(json!({"paid": true}))
//!     .exit(json!({"paid": true}))
//!     .execution_succeeded(json!({"paid": true}))
//!     .build();
//! assert_eq!(orders.events.len(), 10);
//! ```
//!
//! A [`HistoryBuilder`] is a cursor on one scope: the execution, a branch or an iteration. [`HistoryBuilder::branch`] and
//! [`HistoryBuilder::iteration`] give further cursors on the same story, so branches interleave in the order in which the
//! cursors are used. `previousEventId` follows these rules:
//!
//! | event                                        | links to                                                      |
//! |----------------------------------------------|---------------------------------------------------------------|
//! | first `…StateEntered` of a scope             | nothing (execution), `ParallelStateStarted`, `MapIterationStarted` |
//! | `MapIterationStarted`                        | `MapStateStarted`, or the last event of the iteration that freed the slot |
//! | `…StateSucceeded`, `…StateExited` of Map and Parallel | both: the last event of the scope that finished last |
//! | `MapIterationFailed`, `…Aborted`, `…StateFailed`, `…StateStarted` of a retry | the failing event in the failing scope |
//! | `EvaluationFailed`                           | what its state's `…StateEntered` links to                      |
//! | `ExecutionStarted`, `ExecutionAborted`, `ExecutionTimedOut` | nothing                                        |
//! | any other                                    | the event before in its scope                                 |
//!
//! A story that makes no sense (an exit without a state, a branch of a Task) is a mistake in the calling code and panics.

mod attempts;
mod composites;
mod states;
#[cfg(test)]
mod tests;

use std::borrow;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Origin;
use super::event::{ExecutionStarted, Failure, Output};
use super::event_type::{AttemptStep, Ending, Role};
use super::{
    Details, EventId, EventType, ExecutionArn, ExecutionHeader, ExecutionStatus, History, HistoryEvent, Payload, RawText, StateType,
    Timestamp,
};

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "111111111111";

/// Begins the story of an execution of this state machine.
pub fn history(machine: &str) -> HistoryBuilder {
    HistoryBuilder {
        story: Rc::new(RefCell::new(Story {
            machine: machine.to_owned(),
            name: "run-1".to_owned(),
            region: REGION.to_owned(),
            input: json!({}),
            definition: None,
            now: start(),
            pace: Duration::ZERO,
            events: Vec::new(),
            scopes: vec![ScopeState::default()],
            redrives: 0,
            end: None,
            version: None,
            alias: None,
        })),
        scope: 0,
    }
}

/// That many milliseconds.
pub const fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// That many seconds.
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// That many minutes.
pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

fn start() -> Timestamp {
    Timestamp::from_second(1_767_225_600).expect("2026-01-01 is a moment")
}

/// A cursor on one scope of a story: the execution, a branch of a Parallel or an iteration of a Map.
#[derive(Debug)]
pub struct HistoryBuilder {
    story: Rc<RefCell<Story>>,
    scope: usize,
}

#[derive(Debug)]
struct Story {
    machine: String,
    name: String,
    region: String,
    input: Value,
    definition: Option<RawText>,
    now: Timestamp,
    pace: Duration,
    events: Vec<HistoryEvent>,
    scopes: Vec<ScopeState>,
    redrives: u64,
    end: Option<EventId>,
    version: Option<String>,
    alias: Option<String>,
}

#[derive(Debug, Default)]
struct ScopeState {
    /// The scope that holds it and its index there.
    parent: Option<(usize, u64)>,
    /// The event to which the next one links.
    last: Option<EventId>,
    visit: Option<OpenVisit>,
    /// Failed or aborted: an abort of siblings leaves it alone.
    ended: bool,
}

#[derive(Debug)]
struct OpenVisit {
    name: RawText,
    state_type: StateType,
    input: Value,
    /// What its Entered event links to.
    before: Option<EventId>,
    entered: EventId,
    call: Call,
    taking: Duration,
    assigned: Vec<(String, RawText)>,
    /// Of a Parallel or Map: its running attempt's scopes, and which event the last finished one ended with.
    started: Option<EventId>,
    scopes: Vec<usize>,
    finished: Option<EventId>,
}

/// What a Task calls, and with which limits.
#[derive(Debug, Clone)]
struct Call {
    resource: Resource,
    timeout: Option<Duration>,
    heartbeat: Option<Duration>,
    role: Option<String>,
}

#[derive(Debug, Clone)]
enum Resource {
    Integration { service: String, action: String },
    Function(String),
    Activity(String),
}

impl Resource {
    fn event(&self, step: AttemptStep) -> EventType {
        use AttemptStep as Step;
        use EventType as T;
        match (self, step) {
            (Self::Integration { .. }, Step::Scheduled) => T::TaskScheduled,
            (Self::Integration { .. }, Step::Started) => T::TaskStarted,
            (Self::Integration { .. }, Step::Submitted) => T::TaskSubmitted,
            (Self::Integration { .. }, Step::Succeeded) => T::TaskSucceeded,
            (Self::Integration { .. }, Step::Failed | Step::ScheduleFailed) => T::TaskFailed,
            (Self::Integration { .. }, Step::TimedOut) => T::TaskTimedOut,
            (Self::Integration { .. }, Step::StartFailed) => T::TaskStartFailed,
            (Self::Integration { .. }, Step::SubmitFailed) => T::TaskSubmitFailed,
            (Self::Function(_), Step::Scheduled) => T::LambdaFunctionScheduled,
            (Self::Function(_), Step::Started) => T::LambdaFunctionStarted,
            (Self::Function(_), Step::Succeeded) => T::LambdaFunctionSucceeded,
            (Self::Function(_), Step::Failed) => T::LambdaFunctionFailed,
            (Self::Function(_), Step::TimedOut) => T::LambdaFunctionTimedOut,
            (Self::Function(_), Step::ScheduleFailed) => T::LambdaFunctionScheduleFailed,
            (Self::Function(_), Step::StartFailed) => T::LambdaFunctionStartFailed,
            (Self::Activity(_), Step::Scheduled) => T::ActivityScheduled,
            (Self::Activity(_), Step::Started) => T::ActivityStarted,
            (Self::Activity(_), Step::Succeeded) => T::ActivitySucceeded,
            (Self::Activity(_), Step::Failed) => T::ActivityFailed,
            (Self::Activity(_), Step::TimedOut) => T::ActivityTimedOut,
            (Self::Activity(_), Step::ScheduleFailed) => T::ActivityScheduleFailed,
            (Self::Function(_) | Self::Activity(_), step) => panic!("the service has no event for {step:?} of {self:?}"),
        }
    }

    /// `resourceType` and `resource`, where the events carry them.
    fn names(&self) -> (Option<RawText>, Option<RawText>) {
        match self {
            Self::Integration { service, action } => (Some(RawText::plain(service)), Some(RawText::plain(action))),
            Self::Function(_) | Self::Activity(_) => (None, None),
        }
    }
}

impl Story {
    fn write(&mut self, kind: EventType, previous: Option<EventId>, details: Details) -> EventId {
        if self.events.is_empty() && kind != EventType::ExecutionStarted {
            self.begin();
        }
        if !self.events.is_empty() {
            self.now = moved(self.now, self.pace);
        }
        let id = EventId(self.events.len() as u64 + 1);
        self.events.push(HistoryEvent { id, previous_event_id: previous, timestamp: Some(self.now), kind, details, unknown: None });
        id
    }

    fn begin(&mut self) {
        let details = ExecutionStarted {
            input: Some(payload(&self.input)),
            role_arn: Some(RawText::plain(format!("arn:aws:iam::{ACCOUNT}:role/{}", self.machine))),
            state_machine_version_arn: self.qualified(self.version.as_ref()).map(RawText::plain),
            state_machine_alias_arn: self.qualified(self.alias.as_ref()).map(RawText::plain),
        };
        self.write(EventType::ExecutionStarted, None, Details::ExecutionStarted(Box::new(details)));
    }

    fn event(&self, id: EventId) -> &HistoryEvent {
        let position = usize::try_from(id.0 - 1).expect("ids count the events");
        &self.events[position]
    }

    /// The error and cause that a failure event, or one of those before it, reports.
    fn reported(&self, from: Option<EventId>) -> Failure {
        let mut at = from;
        while let Some(id) = at {
            let event = self.event(id);
            if event.error().is_some() || event.cause().is_some() {
                return Failure { error: event.error().cloned(), cause: event.cause().cloned(), ..Failure::default() };
            }
            at = event.previous_event_id;
        }
        Failure::default()
    }

    /// Ends what is open in this scope and below, because `failing` happened beside it.
    fn abort(&mut self, scope: usize, failing: EventId) {
        let mut open = vec![scope];
        while let Some(scope) = open.pop() {
            if std::mem::replace(&mut self.scopes[scope].ended, true) {
                continue;
            }
            if let Some((name, index)) = self.iteration_of(scope) {
                self.write(EventType::MapIterationAborted, Some(failing), Details::Iteration { name: Some(name), index: Some(index) });
            }
            let Some(visit) = &self.scopes[scope].visit else { continue };
            let (state_type, below) = (visit.state_type, visit.scopes.clone());
            self.write_aborted(state_type, failing);
            open.extend(below.into_iter().rev());
        }
    }

    fn write_aborted(&mut self, state_type: StateType, failing: EventId) {
        let kind = match state_type {
            StateType::Task => EventType::TaskStateAborted,
            StateType::Wait => EventType::WaitStateAborted,
            StateType::Parallel => EventType::ParallelStateAborted,
            StateType::Map => EventType::MapStateAborted,
            StateType::Choice | StateType::Pass | StateType::Succeed | StateType::Fail => return,
        };
        self.write(kind, Some(failing), Details::None);
    }

    /// The Map's name and the index, when the scope is an iteration.
    fn iteration_of(&self, scope: usize) -> Option<(RawText, u64)> {
        let (parent, index) = self.scopes[scope].parent?;
        let visit = self.scopes[parent].visit.as_ref()?;
        (visit.state_type == StateType::Map).then(|| (visit.name.clone(), index))
    }
}

fn moved(moment: Timestamp, by: Duration) -> Timestamp {
    moment.checked_add(by).expect("stories stay within the calendar")
}

fn payload(value: &Value) -> Payload {
    Payload::new(RawText::plain(value.to_string()))
}

fn whole_seconds(limit: Option<Duration>) -> Option<u64> {
    limit.map(|limit| limit.as_secs())
}

/// What holds for the whole execution.
impl HistoryBuilder {
    /// Names the execution; `run-1` otherwise.
    pub fn named(&mut self, name: &str) -> &mut Self {
        name.clone_into(&mut self.story.borrow_mut().name);
        self
    }

    /// Puts the execution into another region than us-east-1.
    pub fn in_region(&mut self, region: &str) -> &mut Self {
        region.clone_into(&mut self.story.borrow_mut().region);
        self
    }

    /// Gives the execution its input; `{}` otherwise. To be said before the first state.
    pub fn input(&mut self, input: impl borrow::Borrow<Value>) -> &mut Self {
        let mut story = self.story.borrow_mut();
        assert!(story.events.is_empty(), "the input is part of the first event");
        story.input = input.borrow().clone();
        drop(story);
        self
    }

    /// The execution was started by this version of the machine. To be said before the first state.
    pub fn version(&mut self, number: &str) -> &mut Self {
        self.story.borrow_mut().version = Some(number.to_owned());
        self
    }

    /// The execution was started by this alias. To be said before the first state.
    pub fn alias(&mut self, name: &str) -> &mut Self {
        self.story.borrow_mut().alias = Some(name.to_owned());
        self
    }

    /// Gives the state machine's definition.
    pub fn definition(&mut self, definition: &Value) -> &mut Self {
        self.story.borrow_mut().definition = Some(RawText::plain(definition.to_string()));
        self
    }

    /// Starts the clock at another moment. To be said first.
    pub fn clock_at(&mut self, moment: Timestamp) -> &mut Self {
        let mut story = self.story.borrow_mut();
        assert!(story.events.is_empty(), "the clock starts before the first event");
        story.now = moment;
        drop(story);
        self
    }

    /// Lets time pass.
    pub fn after(&mut self, time: Duration) -> &mut Self {
        let mut story = self.story.borrow_mut();
        if story.events.is_empty() {
            story.begin();
        }
        story.now = moved(story.now, time);
        drop(story);
        self
    }

    /// Lets this much time pass before every event from here on, besides what else passes.
    pub fn pace(&mut self, time: Duration) -> &mut Self {
        self.story.borrow_mut().pace = time;
        self
    }

    /// The execution's ARN, for a parent's story.
    pub fn arn(&self) -> ExecutionArn {
        self.story.borrow().arn()
    }

    /// The moment that the clock shows.
    pub fn now(&self) -> Timestamp {
        self.story.borrow().now
    }

    /// The number of the last event of the story.
    pub fn last_event_id(&self) -> EventId {
        EventId(self.story.borrow().events.len() as u64)
    }

    /// The history as far as it was told; without an end it is that of a running execution.
    pub fn build(&self) -> History {
        let mut story = self.story.borrow_mut();
        if story.events.is_empty() {
            story.begin();
        }
        let header = story.header();
        History {
            origin: Origin::from(format!("{}:{}", story.machine, story.name)),
            header,
            events: story.events.clone(),
            definition: story.definition.clone(),
            gaps: Vec::new(),
        }
    }
}

impl Story {
    /// The machine's ARN with a version or alias at its end.
    fn qualified(&self, qualifier: Option<&String>) -> Option<String> {
        Some(format!("{}:{}", self.arn().state_machine(), qualifier?))
    }

    fn arn(&self) -> ExecutionArn {
        let text = format!("arn:aws:states:{}:{ACCOUNT}:execution:{}:{}", self.region, self.machine, self.name);
        text.parse().expect("machine and execution names are those of ARNs")
    }

    fn header(&self) -> ExecutionHeader {
        let arn = self.arn();
        let end = self.end.map(|id| self.event(id));
        let status = end.map_or(ExecutionStatus::Running, |event| match event.role() {
            Role::ExecutionEnded(Ending::Succeeded) => ExecutionStatus::Succeeded,
            Role::ExecutionEnded(Ending::Failed) => ExecutionStatus::Failed,
            Role::ExecutionEnded(Ending::TimedOut) => ExecutionStatus::TimedOut,
            _ => ExecutionStatus::Aborted,
        });
        // DescribeExecution gives neither error nor cause for an execution that ran out of time.
        let reported = end.filter(|_| status != ExecutionStatus::TimedOut);
        ExecutionHeader {
            state_machine_arn: Some(arn.state_machine()),
            arn: Some(arn),
            name: Some(self.name.clone()),
            status: Some(status),
            start: self.events.first().and_then(|event| event.timestamp),
            stop: end.and_then(|event| event.timestamp),
            input: Some(payload(&self.input).text),
            output: end.and_then(|event| event.output()).map(|output| output.text.clone()),
            error: reported.and_then(|event| event.error().cloned()),
            cause: reported.and_then(|event| event.cause().cloned()),
            redrive_count: Some(self.redrives),
            map_run_arn: None,
            state_machine_version_arn: self.qualified(self.version.as_ref()),
            state_machine_alias_arn: self.qualified(self.alias.as_ref()),
            unknown: Vec::new(),
        }
    }
}

/// How the execution ends, and goes on.
impl HistoryBuilder {
    /// `ExecutionSucceeded`.
    pub fn execution_succeeded(&mut self, output: impl borrow::Borrow<Value>) -> &mut Self {
        let details = Output { output: Some(payload(output.borrow())), ..Output::default() };
        self.end(EventType::ExecutionSucceeded, self.last(), Details::Output(Box::new(details)))
    }

    /// `ExecutionFailed` with the error and cause of the failure that this scope ended with.
    pub fn execution_failed(&mut self) -> &mut Self {
        let reported = self.story.borrow().reported(self.last());
        self.end(EventType::ExecutionFailed, self.last(), Details::Failure(Box::new(reported)))
    }

    /// `ExecutionFailed` with the error and cause of a Fail state.
    pub fn execution_failed_with(&mut self, error: &str, cause: &str) -> &mut Self {
        let details = Failure { error: Some(RawText::plain(error)), cause: Some(RawText::plain(cause)), ..Failure::default() };
        self.end(EventType::ExecutionFailed, self.last(), Details::Failure(Box::new(details)))
    }

    /// `ExecutionFailed` with `States.Runtime`, which leaves no other event: only the cause names this scope's open state.
    pub fn runtime_error(&mut self, cause: &str) -> &mut Self {
        let cause = self.while_executing(cause);
        self.execution_failed_with("States.Runtime", &cause)
    }

    /// `ExecutionAborted`: somebody stopped the execution. Open states get no event.
    pub fn execution_stopped(&mut self, error: Option<&str>, cause: Option<&str>) -> &mut Self {
        let details = Failure { error: error.map(RawText::plain), cause: cause.map(RawText::plain), ..Failure::default() };
        self.end(EventType::ExecutionAborted, None, Details::Failure(Box::new(details)))
    }

    /// `ExecutionTimedOut`: the machine's `TimeoutSeconds` ran out. Open states get no event.
    pub fn execution_timed_out(&mut self) -> &mut Self {
        let details = Failure { error: Some(RawText::plain("States.Timeout")), ..Failure::default() };
        self.end(EventType::ExecutionTimedOut, None, Details::Failure(Box::new(details)))
    }

    /// `ExecutionRedriven`: every state that was open goes on from here.
    pub fn redriven(&mut self) -> &mut Self {
        let mut story = self.story.borrow_mut();
        let ended = story.end.take();
        story.redrives += 1;
        let details = Details::Redriven { redrive_count: Some(story.redrives), map_run_arn: None };
        let id = story.write(EventType::ExecutionRedriven, ended, details);
        for scope in &mut story.scopes {
            if scope.visit.is_some() {
                scope.last = Some(id);
                scope.ended = false;
            }
        }
        drop(story);
        self
    }

    /// Writes any event, linked as told; for what no service would write.
    pub fn event(&mut self, kind: EventType, previous: Option<EventId>, details: Details) -> &mut Self {
        let id = self.write(kind, previous, details);
        self.story.borrow_mut().scopes[self.scope].last = Some(id);
        self
    }

    fn end(&mut self, kind: EventType, previous: Option<EventId>, details: Details) -> &mut Self {
        let id = self.write(kind, previous, details);
        self.story.borrow_mut().end = Some(id);
        self
    }
}

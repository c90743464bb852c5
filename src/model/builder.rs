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

use std::borrow;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Origin;
use super::event::{AssignedVariables, Evaluation, ExecutionStarted, Failure, Output, Scheduled, Started, StateEntered, StateExited};
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
            ..ExecutionStarted::default()
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
            unknown: Vec::new(),
        }
    }
}

/// States: what opens and closes a visit.
impl HistoryBuilder {
    /// `TaskStateEntered`. The Task calls `lambda:invoke` unless told otherwise.
    pub fn enter_task(&mut self, name: &str, input: impl borrow::Borrow<Value>) -> &mut Self {
        self.enter(StateType::Task, name, input.borrow())
    }

    /// `ChoiceStateEntered`.
    pub fn enter_choice(&mut self, name: &str, input: impl borrow::Borrow<Value>) -> &mut Self {
        self.enter(StateType::Choice, name, input.borrow())
    }

    /// `WaitStateEntered`.
    pub fn enter_wait(&mut self, name: &str, input: impl borrow::Borrow<Value>) -> &mut Self {
        self.enter(StateType::Wait, name, input.borrow())
    }

    /// `PassStateEntered`.
    pub fn enter_pass(&mut self, name: &str, input: impl borrow::Borrow<Value>) -> &mut Self {
        self.enter(StateType::Pass, name, input.borrow())
    }

    /// `SucceedStateEntered`.
    pub fn enter_succeed(&mut self, name: &str, input: impl borrow::Borrow<Value>) -> &mut Self {
        self.enter(StateType::Succeed, name, input.borrow())
    }

    /// `FailStateEntered`: the last event of its scope.
    pub fn enter_fail(&mut self, name: &str, input: impl borrow::Borrow<Value>) -> &mut Self {
        self.enter(StateType::Fail, name, input.borrow())
    }

    /// `ParallelStateEntered`; [`Self::parallel_started`] begins its first attempt.
    pub fn enter_parallel(&mut self, name: &str, input: impl borrow::Borrow<Value>) -> &mut Self {
        self.enter(StateType::Parallel, name, input.borrow())
    }

    /// `MapStateEntered`; [`Self::map_started`] begins its first attempt.
    pub fn enter_map(&mut self, name: &str, input: impl borrow::Borrow<Value>) -> &mut Self {
        self.enter(StateType::Map, name, input.borrow())
    }

    /// A Pass, entered and exited.
    pub fn pass(&mut self, name: &str, input: impl borrow::Borrow<Value>, output: impl borrow::Borrow<Value>) -> &mut Self {
        self.enter_pass(name, input).exit(output)
    }

    /// A Choice, entered and exited; its output is its input.
    pub fn choice(&mut self, name: &str, input: impl borrow::Borrow<Value>) -> &mut Self {
        let input = input.borrow();
        self.enter_choice(name, input).exit(input)
    }

    /// A Wait, entered and exited after this time; its output is its input.
    pub fn wait(&mut self, name: &str, input: impl borrow::Borrow<Value>, time: Duration) -> &mut Self {
        let input = input.borrow();
        self.enter_wait(name, input).after(time).exit(input)
    }

    /// Assigns a variable in the next [`Self::exit`].
    pub fn assign(&mut self, name: &str, value: impl borrow::Borrow<Value>) -> &mut Self {
        let value = RawText::plain(value.borrow().to_string());
        self.visit(|visit| visit.assigned.push((name.to_owned(), value)))
    }

    /// `…StateExited`.
    pub fn exit(&mut self, output: impl borrow::Borrow<Value>) -> &mut Self {
        let mut story = self.story.borrow_mut();
        let visit = story.scopes[self.scope].visit.take().expect("a state was entered");
        let kind = match visit.state_type {
            StateType::Task => EventType::TaskStateExited,
            StateType::Choice => EventType::ChoiceStateExited,
            StateType::Wait => EventType::WaitStateExited,
            StateType::Pass => EventType::PassStateExited,
            StateType::Parallel => EventType::ParallelStateExited,
            StateType::Map => EventType::MapStateExited,
            StateType::Succeed => EventType::SucceedStateExited,
            StateType::Fail => panic!("a Fail state is never exited"),
        };
        let assigned = (!visit.assigned.is_empty()).then(|| Box::new(AssignedVariables { values: visit.assigned, truncated: false }));
        let details = StateExited { name: Some(visit.name), output: Some(payload(output.borrow())), assigned_variables: assigned };
        drop(story);
        self.follow(kind, Details::StateExited(details))
    }

    /// [`Self::exit`] after a failure that a Catch took: the output is the catcher's.
    pub fn caught(&mut self, output: impl borrow::Borrow<Value>) -> &mut Self {
        self.exit(output)
    }

    fn enter(&mut self, state_type: StateType, name: &str, input: &Value) -> &mut Self {
        let kind = match state_type {
            StateType::Task => EventType::TaskStateEntered,
            StateType::Choice => EventType::ChoiceStateEntered,
            StateType::Wait => EventType::WaitStateEntered,
            StateType::Pass => EventType::PassStateEntered,
            StateType::Parallel => EventType::ParallelStateEntered,
            StateType::Map => EventType::MapStateEntered,
            StateType::Succeed => EventType::SucceedStateEntered,
            StateType::Fail => EventType::FailStateEntered,
        };
        let before = self.last();
        let details = StateEntered { name: Some(RawText::plain(name)), input: Some(payload(input)) };
        let entered = self.write(kind, before, Details::StateEntered(details));
        let mut story = self.story.borrow_mut();
        let scope = &mut story.scopes[self.scope];
        assert!(scope.visit.is_none(), "{name} is entered before the state before it is exited");
        scope.last = Some(entered);
        scope.visit = Some(OpenVisit {
            name: RawText::plain(name),
            state_type,
            input: input.clone(),
            before,
            entered,
            call: Call {
                resource: Resource::Integration { service: "lambda".to_owned(), action: "invoke".to_owned() },
                timeout: None,
                heartbeat: None,
                role: None,
            },
            taking: Duration::ZERO,
            assigned: Vec::new(),
            started: None,
            scopes: Vec::new(),
            finished: None,
        });
        drop(story);
        self
    }

    fn last(&self) -> Option<EventId> {
        self.story.borrow().scopes[self.scope].last
    }

    fn write(&self, kind: EventType, previous: Option<EventId>, details: Details) -> EventId {
        self.story.borrow_mut().write(kind, previous, details)
    }

    /// Writes an event that links to the one before in this scope.
    fn follow(&mut self, kind: EventType, details: Details) -> &mut Self {
        let id = self.write(kind, self.last(), details);
        self.story.borrow_mut().scopes[self.scope].last = Some(id);
        self
    }

    fn visit(&mut self, change: impl FnOnce(&mut OpenVisit)) -> &mut Self {
        change(self.story.borrow_mut().scopes[self.scope].visit.as_mut().expect("a state was entered"));
        self
    }
}

/// Attempts of a Task.
impl HistoryBuilder {
    /// The Task calls a service integration: `calls("sqs", "sendMessage.waitForTaskToken")`.
    pub fn calls(&mut self, service: &str, action: &str) -> &mut Self {
        let resource = Resource::Integration { service: service.to_owned(), action: action.to_owned() };
        self.visit(|visit| visit.call.resource = resource)
    }

    /// The Task's `Resource` is the ARN of a function of this name.
    pub fn calls_function(&mut self, name: &str) -> &mut Self {
        let region = self.story.borrow().region.clone();
        self.visit(|visit| visit.call.resource = Resource::Function(format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}")))
    }

    /// The Task's `Resource` is the ARN of an activity of this name.
    pub fn calls_activity(&mut self, name: &str) -> &mut Self {
        let region = self.story.borrow().region.clone();
        self.visit(|visit| visit.call.resource = Resource::Activity(format!("arn:aws:states:{region}:{ACCOUNT}:activity:{name}")))
    }

    /// The Task's `TimeoutSeconds`.
    pub fn timeout(&mut self, limit: Duration) -> &mut Self {
        self.visit(|visit| visit.call.timeout = Some(limit))
    }

    /// The Task's `HeartbeatSeconds`.
    pub fn heartbeat(&mut self, limit: Duration) -> &mut Self {
        self.visit(|visit| visit.call.heartbeat = Some(limit))
    }

    /// The role of the Task's `Credentials`.
    pub fn credentials(&mut self, role_arn: &str) -> &mut Self {
        self.visit(|visit| visit.call.role = Some(role_arn.to_owned()))
    }

    /// How long each attempt of this visit takes from its start to its end, from here on.
    pub fn taking(&mut self, time: Duration) -> &mut Self {
        self.visit(|visit| visit.taking = time)
    }

    /// A whole attempt that gives a result.
    pub fn attempt_succeeded(&mut self, output: impl borrow::Borrow<Value>) -> &mut Self {
        self.scheduled().started().pass_the_time().succeeded(output)
    }

    /// A whole attempt that fails.
    pub fn attempt_failed(&mut self, error: &str, cause: Option<&str>) -> &mut Self {
        self.scheduled().started().pass_the_time().failed(error, cause)
    }

    /// A whole attempt that runs out of time, or whose heartbeat does: the service tells neither apart and gives no cause.
    pub fn attempt_timed_out(&mut self) -> &mut Self {
        self.scheduled().started().pass_the_time().timed_out()
    }

    fn pass_the_time(&mut self) -> &mut Self {
        let time = self.story.borrow().scopes[self.scope].visit.as_ref().map_or(Duration::ZERO, |visit| visit.taking);
        self.after(time)
    }

    /// `…Scheduled` with the state's input: as the payload of a function, as the parameters of other integrations.
    pub fn scheduled(&mut self) -> &mut Self {
        let story = self.story.borrow();
        let visit = story.scopes[self.scope].visit.as_ref().expect("a state was entered");
        let received = match &visit.call.resource {
            Resource::Integration { service, .. } if service == "lambda" => {
                json!({"FunctionName": visit.name.decode().to_lowercase(), "Payload": visit.input})
            }
            _ => visit.input.clone(),
        };
        drop(story);
        self.scheduled_with(received)
    }

    /// `…Scheduled` with what the Task really receives.
    pub fn scheduled_with(&mut self, received: impl borrow::Borrow<Value>) -> &mut Self {
        let story = self.story.borrow();
        let Call { resource, timeout, heartbeat, role } =
            story.scopes[self.scope].visit.as_ref().expect("a state was entered").call.clone();
        let (service, action) = resource.names();
        let details = Scheduled {
            region: service.is_some().then(|| RawText::plain(&story.region)),
            resource_type: service,
            resource: action.or_else(|| match &resource {
                Resource::Function(arn) | Resource::Activity(arn) => Some(RawText::plain(arn)),
                Resource::Integration { .. } => None,
            }),
            input: Some(payload(received.borrow())),
            timeout_in_seconds: whole_seconds(timeout),
            heartbeat_in_seconds: whole_seconds(heartbeat),
            role_arn: role.map(RawText::plain),
        };
        drop(story);
        self.follow(resource.event(AttemptStep::Scheduled), Details::Scheduled(Box::new(details)))
    }

    /// `…Started`.
    pub fn started(&mut self) -> &mut Self {
        let resource = self.resource();
        let (resource_type, action) = resource.names();
        let worker_name = matches!(resource, Resource::Activity(_)).then(|| RawText::plain("worker-1"));
        let details = match resource {
            Resource::Function(_) => Details::None,
            _ => Details::Started(Started { resource_type, resource: action, worker_name }),
        };
        self.follow(resource.event(AttemptStep::Started), details)
    }

    /// `TaskSubmitted`: what the first call of `.sync` or `.waitForTaskToken` answered.
    pub fn submitted(&mut self, answer: impl borrow::Borrow<Value>) -> &mut Self {
        self.result(AttemptStep::Submitted, answer.borrow())
    }

    /// `TaskSubmitted` of `states:startExecution.sync` and its like.
    pub fn submitted_child(&mut self, child: &ExecutionArn) -> &mut Self {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of this century are exact")]
        let start = self.now().as_millisecond() as f64 / 1000.0;
        self.submitted(json!({"ExecutionArn": child.as_str(), "StartDate": start}))
    }

    /// `…Succeeded`.
    pub fn succeeded(&mut self, output: impl borrow::Borrow<Value>) -> &mut Self {
        self.result(AttemptStep::Succeeded, output.borrow())
    }

    /// `…Failed`.
    pub fn failed(&mut self, error: &str, cause: Option<&str>) -> &mut Self {
        self.failure(AttemptStep::Failed, Some(error), cause)
    }

    /// `…Failed` with neither error nor cause, as `SendTaskFailure` without fields leaves it.
    pub fn failed_silently(&mut self) -> &mut Self {
        self.failure(AttemptStep::Failed, None, None)
    }

    /// `…TimedOut` with the error `States.Timeout` and no cause.
    pub fn timed_out(&mut self) -> &mut Self {
        self.failure(AttemptStep::TimedOut, Some("States.Timeout"), None)
    }

    /// `LambdaFunctionScheduleFailed`, `ActivityScheduleFailed`.
    pub fn schedule_failed(&mut self, error: &str, cause: Option<&str>) -> &mut Self {
        self.failure(AttemptStep::ScheduleFailed, Some(error), cause)
    }

    /// `TaskStartFailed`, `LambdaFunctionStartFailed`.
    pub fn start_failed(&mut self, error: &str, cause: Option<&str>) -> &mut Self {
        self.failure(AttemptStep::StartFailed, Some(error), cause)
    }

    /// `TaskSubmitFailed`.
    pub fn submit_failed(&mut self, error: &str, cause: Option<&str>) -> &mut Self {
        self.failure(AttemptStep::SubmitFailed, Some(error), cause)
    }

    /// `EvaluationFailed` of the open state, with the service's opening words before the cause.
    pub fn evaluation_failed(&mut self, location: &str, cause: &str) -> &mut Self {
        let (state, before) = {
            let story = self.story.borrow();
            let visit = story.scopes[self.scope].visit.as_ref().expect("a state was entered");
            (visit.name.clone(), visit.before)
        };
        let details = Evaluation {
            state: Some(state),
            location: Some(RawText::plain(location)),
            error: Some(RawText::plain("States.QueryEvaluationError")),
            cause: Some(RawText::plain(self.while_executing(cause))),
        };
        let id = self.write(EventType::EvaluationFailed, before, Details::Evaluation(Box::new(details)));
        self.story.borrow_mut().scopes[self.scope].last = Some(id);
        self
    }

    fn while_executing(&self, cause: &str) -> String {
        let story = self.story.borrow();
        let visit = story.scopes[self.scope].visit.as_ref().expect("a state was entered");
        let (name, entered) = (visit.name.decode(), visit.entered);
        format!("An error occurred while executing the state '{name}' (entered at the event id #{entered}). {cause}")
    }

    fn resource(&self) -> Resource {
        self.story.borrow().scopes[self.scope].visit.as_ref().expect("a state was entered").call.resource.clone()
    }

    fn result(&mut self, step: AttemptStep, output: &Value) -> &mut Self {
        let resource = self.resource();
        let (resource_type, action) = resource.names();
        let details = Output { resource_type, resource: action, output: Some(payload(output)) };
        self.follow(resource.event(step), Details::Output(Box::new(details)))
    }

    fn failure(&mut self, step: AttemptStep, error: Option<&str>, cause: Option<&str>) -> &mut Self {
        let resource = self.resource();
        let (resource_type, action) = resource.names();
        let details = Failure { resource_type, resource: action, error: error.map(RawText::plain), cause: cause.map(RawText::plain) };
        self.follow(resource.event(step), Details::Failure(Box::new(details)))
    }
}

/// Parallel, Map and Map Run.
impl HistoryBuilder {
    /// `ParallelStateStarted`: the first attempt, or after a failure the next one.
    pub fn parallel_started(&mut self) -> &mut Self {
        self.composite_started(EventType::ParallelStateStarted, Details::None)
    }

    /// `MapStateStarted`: the first attempt, or after a failure the next one. A Distributed Map over a dataset says 0.
    pub fn map_started(&mut self, length: u64) -> &mut Self {
        self.composite_started(EventType::MapStateStarted, Details::MapStarted { length: Some(length) })
    }

    fn composite_started(&mut self, kind: EventType, details: Details) -> &mut Self {
        self.follow(kind, details);
        let started = self.last();
        self.visit(|visit| {
            visit.started = started;
            visit.finished = None;
            visit.scopes.clear();
        })
    }

    /// A cursor on the next branch of the Parallel, which leaves no event of its own.
    #[must_use = "the cursor tells what happens inside"]
    pub fn branch(&mut self) -> Self {
        let (started, index) = self.attempt_of(StateType::Parallel);
        self.scope_within(index, Some(started))
    }

    /// `MapIterationStarted`, and a cursor on the iteration.
    #[must_use = "the cursor tells what happens inside"]
    pub fn iteration(&mut self, index: u64) -> Self {
        let (started, _) = self.attempt_of(StateType::Map);
        self.iteration_linked(index, started)
    }

    /// [`Self::iteration`], delayed by `MaxConcurrency` until `freed` had ended.
    #[must_use = "the cursor tells what happens inside"]
    pub fn iteration_after(&mut self, freed: &Self, index: u64) -> Self {
        let last = freed.last().expect("an iteration has a first event");
        self.iteration_linked(index, last)
    }

    fn iteration_linked(&mut self, index: u64, previous: EventId) -> Self {
        let name = self.story.borrow().scopes[self.scope].visit.as_ref().map(|visit| visit.name.clone());
        let id = self.write(EventType::MapIterationStarted, Some(previous), Details::Iteration { name, index: Some(index) });
        self.scope_within(index, Some(id))
    }

    fn attempt_of(&self, state_type: StateType) -> (EventId, u64) {
        let story = self.story.borrow();
        let visit = story.scopes[self.scope].visit.as_ref().expect("a state was entered");
        assert!(visit.state_type == state_type, "{:?} is no {}", visit.name, state_type.name());
        (visit.started.expect("its attempt was started"), visit.scopes.len() as u64)
    }

    fn scope_within(&mut self, index: u64, last: Option<EventId>) -> Self {
        let mut story = self.story.borrow_mut();
        let scope = story.scopes.len();
        story.scopes.push(ScopeState { parent: Some((self.scope, index)), last, visit: None, ended: false });
        story.scopes[self.scope].visit.as_mut().expect("a state was entered").scopes.push(scope);
        drop(story);
        Self { story: Rc::clone(&self.story), scope }
    }

    /// Ends a branch that got through, without an event.
    pub fn branch_succeeded(&mut self) -> &mut Self {
        self.finished();
        self
    }

    /// `MapIterationSucceeded`, said of the iteration.
    pub fn iteration_succeeded(&mut self) -> &mut Self {
        let (name, index) = self.story.borrow().iteration_of(self.scope).expect("the scope is an iteration");
        self.write(EventType::MapIterationSucceeded, self.last(), Details::Iteration { name: Some(name), index: Some(index) });
        self.finished();
        self
    }

    fn finished(&mut self) {
        let mut story = self.story.borrow_mut();
        let scope = &mut story.scopes[self.scope];
        assert!(scope.visit.is_none(), "the scope's last state is exited");
        scope.ended = true;
        let (last, (parent, _)) = (scope.last, scope.parent.expect("the scope lies in a Parallel or a Map"));
        story.scopes[parent].visit.as_mut().expect("the parent is open").finished = last;
    }

    /// The branch or iteration failed with its last event: `MapIterationFailed` for an iteration, `TaskStateAborted` for the Task that
    /// failed, and the same for everything that was open beside it. [`Self::composite_failed`] or a retry of the parent comes next.
    pub fn scope_failed(&mut self) -> &mut Self {
        let mut story = self.story.borrow_mut();
        let failing = story.scopes[self.scope].last.expect("something failed");
        story.scopes[self.scope].ended = true;
        if let Some((name, index)) = story.iteration_of(self.scope) {
            story.write(EventType::MapIterationFailed, Some(failing), Details::Iteration { name: Some(name), index: Some(index) });
        }
        if story.scopes[self.scope].visit.as_ref().is_some_and(|visit| visit.state_type == StateType::Task) {
            story.write_aborted(StateType::Task, failing);
        }
        let (parent, _) = story.scopes[self.scope].parent.expect("the scope lies in a Parallel or a Map");
        let siblings = story.scopes[parent].visit.as_ref().expect("the parent is open").scopes.clone();
        for sibling in siblings {
            story.abort(sibling, failing);
        }
        story.scopes[parent].last = Some(failing);
        drop(story);
        self
    }

    /// `ParallelStateSucceeded`, `MapStateSucceeded`, said of the state that holds the scopes.
    pub fn composite_succeeded(&mut self) -> &mut Self {
        let (kind, last) = {
            let story = self.story.borrow();
            let visit = story.scopes[self.scope].visit.as_ref().expect("a state was entered");
            let kind = match visit.state_type {
                StateType::Parallel => EventType::ParallelStateSucceeded,
                StateType::Map => EventType::MapStateSucceeded,
                other => panic!("a {} holds no scopes", other.name()),
            };
            (kind, visit.finished.or(story.scopes[self.scope].last))
        };
        self.write(kind, last, Details::None);
        self.story.borrow_mut().scopes[self.scope].last = last;
        self
    }

    /// `ParallelStateFailed`, `MapStateFailed`, said of the state that holds the scopes.
    pub fn composite_failed(&mut self) -> &mut Self {
        let kind = match self.story.borrow().scopes[self.scope].visit.as_ref().map(|visit| visit.state_type) {
            Some(StateType::Parallel) => EventType::ParallelStateFailed,
            Some(StateType::Map) => EventType::MapStateFailed,
            _ => panic!("a Parallel or a Map was entered"),
        };
        self.follow(kind, Details::None)
    }

    /// `MapRunStarted` of a Distributed Map.
    pub fn map_run_started(&mut self, map_run_arn: &str) -> &mut Self {
        self.follow(EventType::MapRunStarted, Details::MapRunStarted { map_run_arn: Some(RawText::plain(map_run_arn)) })
    }

    /// `MapRunSucceeded`.
    pub fn map_run_succeeded(&mut self) -> &mut Self {
        self.follow(EventType::MapRunSucceeded, Details::None)
    }

    /// `MapRunFailed`.
    pub fn map_run_failed(&mut self, error: &str, cause: &str) -> &mut Self {
        let details = Failure { error: Some(RawText::plain(error)), cause: Some(RawText::plain(cause)), ..Failure::default() };
        self.follow(EventType::MapRunFailed, Details::Failure(Box::new(details)))
    }

    /// `MapRunAborted`.
    pub fn map_run_aborted(&mut self) -> &mut Self {
        self.follow(EventType::MapRunAborted, Details::None)
    }

    /// `MapRunRedriven`.
    pub fn map_run_redriven(&mut self, map_run_arn: &str, count: u64) -> &mut Self {
        let details = Details::Redriven { redrive_count: Some(count), map_run_arn: Some(RawText::plain(map_run_arn)) };
        self.follow(EventType::MapRunRedriven, details)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// `id <- previous Type`, one event a line.
    fn links(history: &History) -> Vec<String> {
        history
            .events
            .iter()
            .map(|event| format!("{} <- {} {}", event.id, event.previous_event_id.map_or(0, |id| id.0), event.type_name()))
            .collect()
    }

    #[test]
    fn a_retry_links_to_the_failure_and_the_first_state_to_nothing() {
        let built = history("Orders")
            .enter_task("Charge", json!({}))
            .attempt_failed("Throttled", None)
            .after(seconds(2))
            .attempt_succeeded(json!(1))
            .exit(json!(1))
            .execution_succeeded(json!(1))
            .build();
        assert_eq!(
            links(&built),
            [
                "1 <- 0 ExecutionStarted",
                "2 <- 0 TaskStateEntered",
                "3 <- 2 TaskScheduled",
                "4 <- 3 TaskStarted",
                "5 <- 4 TaskFailed",
                "6 <- 5 TaskScheduled",
                "7 <- 6 TaskStarted",
                "8 <- 7 TaskSucceeded",
                "9 <- 8 TaskStateExited",
                "10 <- 9 ExecutionSucceeded",
            ]
        );
        assert_eq!(built.header.status, Some(ExecutionStatus::Succeeded));
        let wait = built.events[5].timestamp.expect("timed").duration_since(built.events[4].timestamp.expect("timed"));
        assert_eq!(wait.as_secs(), 2);
    }

    /// The recording `timeouts_service_lambda_map_timeout` of LocalStack's suite has this order and these links.
    #[test]
    fn siblings_of_a_failed_iteration_link_to_the_failure() {
        let mut orders = history("Orders");
        orders.enter_map("Each", json!([])).map_started(2);
        let (mut first, mut second) = (orders.iteration(0), orders.iteration(1));
        first.enter_task("Call", json!({})).scheduled();
        second.enter_task("Call", json!({})).scheduled();
        first.started();
        second.started();
        first.timed_out();
        first.scope_failed();
        orders.composite_failed().execution_failed();
        assert_eq!(
            links(&orders.build()),
            [
                "1 <- 0 ExecutionStarted",
                "2 <- 0 MapStateEntered",
                "3 <- 2 MapStateStarted",
                "4 <- 3 MapIterationStarted",
                "5 <- 3 MapIterationStarted",
                "6 <- 4 TaskStateEntered",
                "7 <- 6 TaskScheduled",
                "8 <- 5 TaskStateEntered",
                "9 <- 8 TaskScheduled",
                "10 <- 7 TaskStarted",
                "11 <- 9 TaskStarted",
                "12 <- 10 TaskTimedOut",
                "13 <- 12 MapIterationFailed",
                "14 <- 12 TaskStateAborted",
                "15 <- 12 MapIterationAborted",
                "16 <- 12 TaskStateAborted",
                "17 <- 12 MapStateFailed",
                "18 <- 17 ExecutionFailed",
            ]
        );
        assert_eq!(orders.build().header.error, Some(RawText::plain("States.Timeout")));
    }

    #[test]
    fn a_delayed_iteration_links_to_the_exit_that_freed_its_slot() {
        let mut orders = history("Orders");
        orders.enter_map("Each", json!([])).map_started(2);
        let mut first = orders.iteration(0);
        first.pass("Mark", json!(1), json!(1)).iteration_succeeded();
        let mut second = orders.iteration_after(&first, 1);
        second.pass("Mark", json!(2), json!(2)).iteration_succeeded();
        orders.composite_succeeded().exit(json!([1, 2])).execution_succeeded(json!([1, 2]));
        assert_eq!(
            links(&orders.build())[3..],
            [
                "4 <- 3 MapIterationStarted",
                "5 <- 4 PassStateEntered",
                "6 <- 5 PassStateExited",
                "7 <- 6 MapIterationSucceeded",
                "8 <- 6 MapIterationStarted",
                "9 <- 8 PassStateEntered",
                "10 <- 9 PassStateExited",
                "11 <- 10 MapIterationSucceeded",
                "12 <- 10 MapStateSucceeded",
                "13 <- 10 MapStateExited",
                "14 <- 13 ExecutionSucceeded",
            ]
        );
    }

    #[test]
    fn branches_interleave_and_a_retried_parallel_starts_from_the_failure() {
        let mut orders = history("Orders");
        orders.enter_parallel("Both", json!({})).parallel_started();
        let (mut left, mut right) = (orders.branch(), orders.branch());
        left.enter_wait("Pause", json!({}));
        right.enter_task("Call", json!({})).attempt_failed("Broken", Some("twice")).scope_failed();
        orders.parallel_started();
        let (mut left, mut right) = (orders.branch(), orders.branch());
        right.pass("Skip", json!(2), json!(2)).branch_succeeded();
        left.pass("Skip", json!(1), json!(1)).branch_succeeded();
        orders.composite_succeeded().exit(json!([1, 2]));
        assert_eq!(
            links(&orders.build())[2..],
            [
                "3 <- 2 ParallelStateStarted",
                "4 <- 3 WaitStateEntered",
                "5 <- 3 TaskStateEntered",
                "6 <- 5 TaskScheduled",
                "7 <- 6 TaskStarted",
                "8 <- 7 TaskFailed",
                "9 <- 8 TaskStateAborted",
                "10 <- 8 WaitStateAborted",
                "11 <- 8 ParallelStateStarted",
                "12 <- 11 PassStateEntered",
                "13 <- 12 PassStateExited",
                "14 <- 11 PassStateEntered",
                "15 <- 14 PassStateExited",
                "16 <- 15 ParallelStateSucceeded",
                "17 <- 15 ParallelStateExited",
            ]
        );
        assert_eq!(orders.build().header.status, Some(ExecutionStatus::Running));
    }

    #[test]
    fn a_failed_evaluation_links_before_its_state_and_a_catch_after_it() {
        let built = history("Orders")
            .pass("Start", json!({}), json!({}))
            .enter_pass("Compute", json!({}))
            .evaluation_failed("Output", "The JSONata expression failed.")
            .caught(json!({}))
            .build();
        assert_eq!(links(&built)[3..], ["4 <- 3 PassStateEntered", "5 <- 3 EvaluationFailed", "6 <- 5 PassStateExited"]);
        let cause = built.events[4].cause().expect("a cause").decode();
        assert!(cause.starts_with("An error occurred while executing the state 'Compute' (entered at the event id #4). "));
    }

    #[test]
    fn a_runtime_error_in_a_branch_ends_the_execution_with_no_other_event() {
        let mut orders = history("Orders");
        orders.enter_parallel("Both", json!({})).parallel_started();
        let (mut left, mut right) = (orders.branch(), orders.branch());
        left.enter_task("Slow", json!({})).scheduled();
        right.enter_choice("Route", json!({})).runtime_error("Failed to transition out of the state.");
        assert_eq!(links(&orders.build())[5..], ["6 <- 3 ChoiceStateEntered", "7 <- 6 ExecutionFailed"]);
    }

    #[test]
    fn stops_and_time_limits_link_to_nothing_and_a_redrive_to_the_end() {
        let mut orders = history("Orders");
        orders.enter_task("Charge", json!({})).scheduled().execution_timed_out();
        assert_eq!(orders.build().header.error, None);
        assert_eq!(orders.build().header.status, Some(ExecutionStatus::TimedOut));
        orders.redriven().attempt_succeeded(json!({})).exit(json!({})).execution_stopped(Some("Operator"), None);
        let built = orders.build();
        assert_eq!(
            links(&built)[3..],
            [
                "4 <- 0 ExecutionTimedOut",
                "5 <- 4 ExecutionRedriven",
                "6 <- 5 TaskScheduled",
                "7 <- 6 TaskStarted",
                "8 <- 7 TaskSucceeded",
                "9 <- 8 TaskStateExited",
                "10 <- 0 ExecutionAborted",
            ]
        );
        assert_eq!((built.header.status, built.header.redrive_count), (Some(ExecutionStatus::Aborted), Some(1)));
    }

    #[test]
    fn a_map_run_stands_between_start_and_end_of_its_map() {
        let built = history("Orders")
            .enter_map("Each", json!({}))
            .map_started(0)
            .map_run_started("arn:aws:states:us-east-1:111111111111:mapRun:Orders/Each:1")
            .map_run_succeeded()
            .composite_succeeded()
            .exit(json!({}))
            .build();
        assert_eq!(
            links(&built)[3..],
            ["4 <- 3 MapRunStarted", "5 <- 4 MapRunSucceeded", "6 <- 5 MapStateSucceeded", "7 <- 5 MapStateExited"]
        );
    }

    #[test]
    fn functions_and_activities_have_events_of_their_own() {
        let built = history("Orders")
            .enter_task("Function", json!({}))
            .calls_function("charge")
            .attempt_failed("Broken", None)
            .caught(json!({}))
            .enter_task("Activity", json!({}))
            .calls_activity("pick")
            .attempt_timed_out()
            .build();
        let types: Vec<&str> = built.events.iter().map(HistoryEvent::type_name).collect();
        assert_eq!(types[2..5], ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionFailed"]);
        assert_eq!(types[7..], ["ActivityScheduled", "ActivityStarted", "ActivityTimedOut"]);
    }
}

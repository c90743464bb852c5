//! What one execution sees of the fleet: its tasks are answered by services, people and other state machines.
//!
//! The interpreter runs an execution from its start whenever more of its calls can be answered. Answers that were given are given again;
//! a call that lies beyond the moment up to which everything is known ends the run for now ([`Unanswered`]).

use std::rc::Rc;

use crate::asl::machine::{Pattern, Resource, Service as Called};
use crate::expr::Value;
use crate::interpreter::{Child, Pending, TaskAnswer, TaskOutcome, TaskRequest, Unanswered, World};
use crate::model::event_type::{AttemptStep, Role};
use crate::model::{EventType, Timestamp};

use super::answerer::{Given, Lost};
use super::fleet::{Fleet, Running};
use super::random::Key;
use super::service::Call;

/// A call that was answered.
#[derive(Debug, Clone)]
pub(super) struct Noted {
    pub execution: Rc<str>,
    pub machine: Rc<str>,
    pub state: Rc<str>,
    pub at: Timestamp,
    pub scheduled_event_id: u64,
    pub by: By,
}

/// Who answered it.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    /// A service, and which of its faults is to blame.
    #[allow(missing_docs, reason = "positions in the fleet")]
    Service { service: usize, fault: Option<usize> },
    /// A worker or a person; or nobody.
    #[allow(missing_docs, reason = "position in the fleet")]
    Answerer { answerer: usize, lost: Option<Lost> },
}

/// What is known of a root execution and those that it starts.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Answers in the order in which they are asked for.
    pub answers: Vec<TaskAnswer>,
}

/// One run of a root execution, as far as it gets.
pub(super) struct Seen<'a> {
    pub fleet: &'a Fleet,
    pub running: &'a mut Running,
    pub known: &'a mut Known,
    /// Names the root execution.
    pub key: Key,
    /// Calls after this moment cannot be answered yet.
    pub horizon: Timestamp,
    /// The first call that could not be answered.
    pub waits_until: Option<Timestamp>,
    /// How many answers were asked for.
    pub asked: usize,
    pub clock: Timestamp,
}

impl World for Seen<'_> {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let position = self.asked;
        self.asked += 1;
        if let Some(answer) = self.known.answers.get(position) {
            return Ok(answer.clone());
        }
        // What comes after now is not seen, and needs no answer.
        if request.at > self.fleet.now {
            return Ok(TaskAnswer::default());
        }
        if request.at > self.horizon {
            self.waits_until = Some(request.at);
            return Err(unanswered(request, "others call before"));
        }
        let answer = self.answer(request)?;
        self.known.answers.push(answer.clone());
        Ok(answer)
    }

    fn interleaves(&self) -> bool {
        true
    }

    /// The service takes its time between events: most for a state to be entered and a retry to be scheduled.
    fn moment(&mut self, event: &Pending<'_>, events: usize) -> Option<Timestamp> {
        let at = event.at.as_millisecond();
        let key = self.key.text("overhead").number(events as u64).number(event.previous_event_id).number(at.unsigned_abs());
        let mut draw = key.draw();
        let overhead = match event.event.role() {
            // An execution begins when it begins, and a timeout is kept.
            Role::ExecutionStarted => 0.0,
            Role::StateEntered(_) => draw.lognormal(14.0, 0.5),
            Role::Attempt(AttemptStep::Scheduled) => draw.lognormal(22.0, 0.5),
            _ => draw.between(0.0, 3.0),
        };
        let moment = Timestamp::from_millisecond(at.saturating_add(super::service::whole(overhead))).ok()?;
        self.clock = self.clock.max(moment);
        Some(moment)
    }

    fn machine(&mut self, arn: &str) -> Option<Child> {
        let machine = self.fleet.machines.iter().position(|machine| machine.arn() == arn)?;
        let version = self.fleet.machines[machine].version_at(self.clock);
        Some(Child { machine: Rc::clone(self.running.compiled.get(machine)?.get(version)?), express: false })
    }
}

impl Seen<'_> {
    fn answer(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let attempted = &request.attempted;
        let mut key = self.key.text(attempted.state).number(u64::from(attempted.visit)).number(u64::from(attempted.attempt));
        key = key.text(&attempted.execution.name);
        for (state, index) in attempted.scope {
            key = key.text(state).number(*index);
        }
        let is_activity = request.resource.service == Called::Activity;
        let (answer, by) = if is_activity || request.resource.pattern == Pattern::WaitForTaskToken {
            let answerer = self.fleet.answerers.iter().position(|answerer| answerer.state == attempted.state);
            let answerer = answerer.ok_or_else(|| unanswered(request, "the fleet has nobody who answers it"))?;
            let given = Given { at: request.at, key, is_activity, heartbeat: request.heartbeat_seconds.is_some() };
            let (answer, lost) = self.fleet.answerers[answerer].take(&given);
            (answer, By::Answerer { answerer, lost })
        } else {
            let name = called(request.resource, request.input);
            let service = self.fleet.services.iter().position(|service| service.name == name);
            let service = service.ok_or_else(|| unanswered(request, &format!("the fleet has no service `{name}`")))?;
            let call = Call { at: request.at, input: request.input, key };
            let mut served = self.running.serving[service].take(&self.fleet.services[service], &call);
            if is_invoked(request.resource) {
                wrap(&mut served.answer);
            }
            (served.answer, By::Service { service, fault: served.fault })
        };
        self.running.notes.push(Noted {
            execution: Rc::clone(&attempted.execution.arn),
            machine: Rc::clone(&attempted.execution.machine_arn),
            state: attempted.state.into(),
            at: request.at,
            scheduled_event_id: request.scheduled_event_id,
            by,
        });
        Ok(answer)
    }
}

fn unanswered(request: &TaskRequest<'_>, advice: &str) -> Unanswered {
    Unanswered { state: request.attempted.state.to_owned(), attempt: request.attempted.attempt, advice: advice.to_owned() }
}

/// The name of the service that a request goes to: a function, table, topic, bucket; else the action.
fn called(resource: &Resource, input: &Value) -> String {
    let member = |name: &str| input.get(name).and_then(Value::as_str);
    let last = |text: &str| text.rsplit([':', '/']).next().unwrap_or(text).to_owned();
    match &resource.service {
        Called::Function | Called::Activity => last(&resource.arn),
        Called::Integration { resource_type, resource } => ["FunctionName", "TableName", "TopicArn", "QueueUrl", "Bucket"]
            .iter()
            .find_map(|name| member(name))
            .map_or_else(|| format!("{resource_type}:{resource}"), last),
    }
}

fn is_invoked(resource: &Resource) -> bool {
    matches!(&resource.service, Called::Integration { resource_type, .. } if &**resource_type == "lambda")
}

/// What the function returned becomes what its invocation answers.
fn wrap(answer: &mut TaskAnswer) {
    let Some((_, TaskOutcome::Succeeded(payload))) = &mut answer.ended else { return };
    let metadata = Value::object([("HttpStatusCode", Value::from(200))]);
    *payload = Value::object([
        ("ExecutedVersion", Value::from("$LATEST")),
        ("Payload", payload.clone()),
        ("SdkHttpMetadata", metadata),
        ("StatusCode", Value::from(200)),
    ]);
}

/// Whether an event ends an attempt without success.
pub(super) fn is_failure(event: EventType) -> bool {
    matches!(event.role(), Role::Attempt(step) if step.is_failure())
}

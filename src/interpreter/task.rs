//! Tasks: what is called, and the steps of an attempt.
//!
//! The world says at once what becomes of an attempt and how long each step takes; the steps are written when they are due. A time limit
//! that is reached before the next step ends the attempt.

use std::rc::Rc;
use std::time::Duration;

use crate::asl::machine::{Kind, Pattern, Service, Setting, State, Task};
use crate::expr::{EvaluationError, Scope};
use crate::model::event::{Details, Output, Scheduled, Started};
use crate::model::event_type::AttemptStep;
use crate::model::{EventType, Role, Timestamp};

use super::data_flow;
use super::execution::{Execution, Flow};
use super::failure::{DATA_LIMIT, Failure, Halt, Problem, too_large};
use super::payload::Payload;
use super::recorder::{self, text};
use super::settings;
use super::thread::{Attempt, Call, Next, ScopePath, Thread, Visit, attempt_event, has_token};
use super::world::{Attempted, TaskAnswer, TaskOutcome, TaskRequest};

impl Execution<'_> {
    /// Fills in what is called; the next event is that it is scheduled.
    pub(super) fn begin_task(&mut self, thread: &mut Thread, state: &State, task: &Task) -> Result<Flow, Halt> {
        match self.call(thread, state, task) {
            Ok(call) => {
                thread.next = Next::Schedule(Box::new(call));
                Ok(Flow::Continue)
            }
            Err(problem) => {
                let link = thread.entry_link();
                thread.troubled(state, &problem, link)
            }
        }
    }

    fn call(&self, thread: &Thread, state: &State, task: &Task) -> Result<Call, Problem> {
        let token = has_token(state).then(|| self.bounds.luck.token());
        let around = self.around(thread, state, token.as_deref(), None);
        let effective = thread.effective();
        let scope = Scope { input: effective.value(), result: None, error_output: None, around: &around };
        let input = data_flow::arguments(state, effective, &around)?;
        if !input.fits() {
            return Err(Problem::TooLarge);
        }
        let role_arn = match &task.credentials {
            Some(template) => template.evaluate(scope)?.get("RoleArn").and_then(|role| role.as_str()).map(Rc::from),
            None => None,
        };
        let timeout_seconds = seconds(task.timeout.as_ref(), "TimeoutSeconds", scope)?;
        let heartbeat_seconds = seconds(task.heartbeat.as_ref(), "HeartbeatSeconds", scope)?;
        Ok(Call { input, timeout_seconds, heartbeat_seconds, role_arn, token })
    }

    /// Asks the world, and writes that the attempt is scheduled, unless the service refuses even that.
    pub(super) fn schedule(&mut self, thread: &mut Thread, state: &State, call: &Call) -> Result<Flow, Halt> {
        let Kind::Task(task) = &state.kind else { return Ok(Flow::Wait) };
        let answer = self.answer(thread, state, task, call)?;
        if let Some((_, TaskOutcome::Refused { error, cause })) = &answer.ended {
            let problem = Problem::Evaluation(EvaluationError { cause: cause.to_string(), ..EvaluationError::runtime("") });
            let mut failure = problem.failure(state, thread.entered_event);
            failure.error = Some(Rc::clone(error));
            return if &**error == super::failure::RUNTIME {
                Err(Halt::Failed { failure, previous_event_id: thread.last_event })
            } else {
                self.failed(thread, state, failure, thread.last_event)
            };
        }
        let region = self.facts.info.machine_arn.split(':').nth(3).unwrap_or_default();
        thread.last_event = self
            .recorder
            .write(attempt_event(state, AttemptStep::Scheduled), thread.last_event, self.now, |_| scheduled(task, call, region))?;
        let attempt = Attempt { answer, timeout_seconds: call.timeout_seconds, heartbeat_seconds: call.heartbeat_seconds, deadline: None };
        let visit = thread.visit.get_or_insert_with(|| Box::new(Visit::new(call.input.clone())));
        let attempt = &mut **visit.attempt.insert(Box::new(attempt));
        let next = match attempt.answer.started {
            Some(after) => Some((after, AttemptStep::Started)),
            None => attempt.end(),
        };
        Ok(self.comes_next(thread, next))
    }

    /// Where the thread stands, and which visit of its state it makes there: counted when the visit first asks the world for something.
    pub(super) fn count_visit(&mut self, thread: &mut Thread) -> (ScopePath, u32) {
        let scope = self.path_of(thread);
        let visit = thread.visit.get_or_insert_with(|| Box::new(Visit::new(thread.input.clone())));
        if visit.number == 0 {
            let count = self.visits.entry((Rc::clone(&scope), thread.state)).or_default();
            *count += 1;
            visit.number = *count;
        }
        (scope, visit.number)
    }

    fn answer(&mut self, thread: &mut Thread, state: &State, task: &Task, call: &Call) -> Result<TaskAnswer, Halt> {
        let started = self.start_machine(task, call)?;
        if task.resource.pattern != Pattern::WaitForTaskToken
            && let Some(answer) = started
        {
            return Ok(answer);
        }
        let (scope, number) = self.count_visit(thread);
        let visit = thread.visit.get_or_insert_with(|| Box::new(Visit::new(call.input.clone())));
        let request = TaskRequest {
            attempted: Attempted {
                execution: &self.facts.info,
                state: &state.name,
                scope: &scope,
                visit: number,
                attempt: visit.retry_count + 1,
            },
            resource: &task.resource,
            input: call.input.value(),
            token: call.token.as_deref(),
            role_arn: call.role_arn.as_deref(),
            timeout_seconds: call.timeout_seconds,
            heartbeat_seconds: call.heartbeat_seconds,
            at: self.now,
            scheduled_event_id: self.recorder.count() + 1,
        };
        let mut answer = self.world.attempt(&request).map_err(|unanswered| Halt::Error(unanswered.into()))?;
        if let Some(started) = started {
            // What was started here is known better than the world knows it.
            answer.submitted = started.submitted.filter(|_| answer.submitted.is_some());
        }
        refuse_large_result(&mut answer, task);
        Ok(answer)
    }

    pub(super) fn attempt_started(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        let Some(attempt) = attempt_of(thread) else { return Ok(Flow::Wait) };
        attempt.deadline = attempt.limit(self.now, beats(state));
        let next = match &attempt.answer.submitted {
            Some((after, _)) => Some((*after, AttemptStep::Submitted)),
            None => attempt.end(),
        };
        let worker = attempt.answer.worker.clone();
        thread.last_event =
            self.recorder.write(attempt_event(state, AttemptStep::Started), thread.last_event, self.now, |_| match called(state) {
                Called::Integration(resource_type, resource) => Details::Started(Started {
                    resource_type: Some(text(resource_type)),
                    resource: Some(text(resource)),
                    worker_name: None,
                }),
                Called::Activity => Details::Started(Started { worker_name: worker.as_deref().map(text), ..Started::default() }),
                Called::Function => Details::None,
            })?;
        Ok(self.comes_next(thread, next))
    }

    pub(super) fn attempt_submitted(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        let Some(attempt) = attempt_of(thread) else { return Ok(Flow::Wait) };
        let answered = attempt.answer.submitted.take().map(|(_, value)| Payload::from(value));
        let next = attempt.end();
        thread.last_event = self.recorder.write(attempt_event(state, AttemptStep::Submitted), thread.last_event, self.now, |_| {
            result_details(state, answered.as_ref())
        })?;
        Ok(self.comes_next(thread, next))
    }

    pub(super) fn attempt_timed_out(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        let heartbeat = attempt_of(thread).and_then(|attempt| attempt.deadline).is_some_and(|(_, heartbeat)| heartbeat);
        self.attempt_failed(thread, state, EventType::TaskTimedOut, Failure::timeout(heartbeat))
    }

    pub(super) fn attempt_ended(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        let Some((_, outcome)) = attempt_of(thread).and_then(|attempt| attempt.answer.ended.take()) else { return Ok(Flow::Wait) };
        let result = match outcome {
            TaskOutcome::Succeeded(value) => Payload::from(value),
            TaskOutcome::Failed { event, error, cause } => {
                let heartbeat = event.role() == Role::Attempt(AttemptStep::TimedOut) && missed_heartbeat(thread, self.now);
                return self.attempt_failed(thread, state, event, Failure { error, cause, heartbeat });
            }
            TaskOutcome::Refused { error, cause } => {
                let failure = Failure::new(error, cause);
                return Err(Halt::Failed { failure, previous_event_id: thread.last_event });
            }
        };
        thread.last_event = self
            .recorder
            .write(attempt_event(state, AttemptStep::Succeeded), thread.last_event, self.now, |_| result_details(state, Some(&result)))?;
        let done = data_flow::with_result(state, &thread.input, &result, &self.around(thread, state, None, None));
        thread.leave(state, done, state.next, thread.last_event)
    }

    fn attempt_failed(&mut self, thread: &mut Thread, state: &State, event: EventType, failure: Failure) -> Result<Flow, Halt> {
        let id = self.recorder.write(failure_event(state, event), thread.last_event, self.now, |_| match called(state) {
            Called::Integration(resource_type, resource) => recorder::failure(&failure, Some((resource_type, resource))),
            _ => recorder::failure(&failure, None),
        })?;
        self.failed(thread, state, failure, id)
    }

    /// Sets the next step of the attempt, or the end of its time when that comes first.
    fn comes_next(&self, thread: &mut Thread, next: Option<(Duration, AttemptStep)>) -> Flow {
        let due = next.map(|(after, step)| (self.now.checked_add(after).unwrap_or(Timestamp::MAX), step));
        let deadline = attempt_of(thread).and_then(|attempt| attempt.deadline);
        let (at, step) = match (due, deadline) {
            (Some((at, step)), Some((limit, _))) if at <= limit || step == AttemptStep::TimedOut => (at, step),
            (_, Some((limit, _))) => (limit, AttemptStep::TimedOut),
            (Some(due), None) => due,
            (None, None) => {
                thread.next = Next::Nothing;
                return Flow::Wait;
            }
        };
        // The end that the world announced is written by the step that ends an attempt, also when it is a timeout.
        let announced = due.is_some_and(|due| due == (at, step));
        thread.next = Next::Attempt(if announced && step == AttemptStep::TimedOut { AttemptStep::Failed } else { step });
        if at <= self.now { Flow::Continue } else { Flow::At(at) }
    }
}

impl Attempt {
    /// When and how it ends, if it does.
    fn end(&self) -> Option<(Duration, AttemptStep)> {
        let (after, outcome) = self.answer.ended.as_ref()?;
        let step = match outcome {
            TaskOutcome::Succeeded(_) => AttemptStep::Succeeded,
            TaskOutcome::Failed { event, .. } if event.role() == Role::Attempt(AttemptStep::TimedOut) => AttemptStep::TimedOut,
            _ => AttemptStep::Failed,
        };
        Some((*after, step))
    }

    /// The event by which it fails.
    pub(super) fn failure_event(&self, state: &State) -> EventType {
        match &self.answer.ended {
            Some((_, TaskOutcome::Failed { event, .. })) => failure_event(state, *event),
            _ => attempt_event(state, AttemptStep::Failed),
        }
    }

    /// The moment at which its time is over, when it started just now.
    fn limit(&self, started: Timestamp, beats: bool) -> Option<(Timestamp, bool)> {
        let after = |from: Timestamp, seconds: u64| from.checked_add(Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        let timeout = self.timeout_seconds.map(|seconds| (after(started, seconds), false));
        let heartbeat = self.heartbeat_seconds.filter(|_| beats).map(|seconds| {
            let mut last = started;
            for beat in &self.answer.heartbeats {
                let beat = started.checked_add(*beat).unwrap_or(Timestamp::MAX);
                if beat > after(last, seconds) {
                    break;
                }
                last = last.max(beat);
            }
            (after(last, seconds), true)
        });
        timeout.into_iter().chain(heartbeat).min()
    }
}

fn attempt_of(thread: &mut Thread) -> Option<&mut Attempt> {
    thread.visit.as_mut()?.attempt.as_deref_mut()
}

/// Whether a timeout that the world tells of is one of the heartbeat: it comes when the heartbeat's time is over.
fn missed_heartbeat(thread: &mut Thread, now: Timestamp) -> bool {
    attempt_of(thread).and_then(|attempt| attempt.deadline).is_some_and(|(at, heartbeat)| heartbeat && at <= now)
}

/// Whether somebody may send heartbeats for the Task.
fn beats(state: &State) -> bool {
    let Kind::Task(task) = &state.kind else { return false };
    task.resource.pattern != Pattern::RequestResponse || task.resource.service == Service::Activity
}

pub(super) fn seconds(setting: Option<&Setting>, field: &str, scope: Scope<'_>) -> Result<Option<u64>, EvaluationError> {
    let Some(setting) = setting else { return Ok(None) };
    let seconds = settings::integer(setting, field, scope)?;
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => Ok(Some(seconds)),
        _ => Err(settings::unusable(setting, field, &seconds.into(), "number", "a positive integer")),
    }
}

/// What a Task calls, as far as its events tell.
enum Called<'a> {
    Integration(&'a str, &'a str),
    Activity,
    Function,
}

fn called(state: &State) -> Called<'_> {
    match &state.kind {
        Kind::Task(task) => match &task.resource.service {
            Service::Integration { resource_type, resource } => Called::Integration(resource_type, resource),
            Service::Activity => Called::Activity,
            Service::Function => Called::Function,
        },
        _ => Called::Function,
    }
}

fn scheduled(task: &Task, call: &Call, region: &str) -> Details {
    let mut details = Scheduled {
        resource: Some(text(&task.resource.arn)),
        input: Some(call.input.event_text()),
        timeout_in_seconds: call.timeout_seconds,
        // `LambdaFunctionScheduled` has no such member.
        heartbeat_in_seconds: call.heartbeat_seconds.filter(|_| task.resource.service != Service::Function),
        role_arn: call.role_arn.as_deref().map(text),
        ..Scheduled::default()
    };
    if let Service::Integration { resource_type, resource } = &task.resource.service {
        details.resource_type = Some(text(resource_type));
        details.resource = Some(text(resource));
        details.region = Some(text(region));
    }
    Details::Scheduled(Box::new(details))
}

fn result_details(state: &State, result: Option<&Payload>) -> Details {
    let output = result.map(Payload::event_text);
    Details::Output(Box::new(match called(state) {
        Called::Integration(resource_type, resource) => {
            Output { resource_type: Some(text(resource_type)), resource: Some(text(resource)), output }
        }
        _ => Output { output, ..Output::default() },
    }))
}

/// The event of the Task's own kind for what the world calls a failure.
fn failure_event(state: &State, event: EventType) -> EventType {
    match event.role() {
        Role::Attempt(step) if step.is_failure() => attempt_event(state, step),
        _ => attempt_event(state, AttemptStep::Failed),
    }
}

/// A result that is larger than a payload may be fails the attempt.
fn refuse_large_result(answer: &mut TaskAnswer, task: &Task) {
    let Some((_, outcome)) = &mut answer.ended else { return };
    let TaskOutcome::Succeeded(value) = outcome else { return };
    if Payload::from(value.clone()).fits() {
        return;
    }
    let what = match &task.resource.service {
        Service::Integration { resource_type, .. } => resource_type,
        _ => &task.resource.arn,
    };
    let (error, cause) = (Some(DATA_LIMIT.into()), Some(too_large(what).into()));
    *outcome = TaskOutcome::Failed { event: EventType::TaskFailed, error, cause };
}

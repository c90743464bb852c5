//! Visits of states: entering, the work of the simple kinds, leaving, and what follows a failure.

use std::mem;

use crate::asl::machine::{Kind, QueryLanguage, State, Transition};
use crate::expr::{EvaluationError, Scope};
use crate::model::EventType;
use crate::model::event::{AssignedVariables, Details, Evaluation, StateEntered, StateExited};

use super::data_flow::{self, Completed};
use super::execution::{Execution, Flow};
use super::failure::{Failure, Halt, Problem, QUERY};
use super::recorder;
use super::thread::{Exit, FailedEvaluation, Next, Thread, Visit};
use super::{RunError, choice, retry, settings, wait};

impl Execution<'_> {
    /// Enters the thread's state, and does the work of the kinds that nothing is waited for.
    pub(super) fn enter(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        self.count_state()?;
        let (number, input) = (thread.state, &thread.input);
        let id = self.recorder.write(recorder::entered(&state.kind), thread.last_event, self.now, |names| {
            Details::StateEntered(StateEntered { name: names.of(number), input: Some(input.event_text()) })
        })?;
        thread.before_entered = mem::replace(&mut thread.last_event, id);
        thread.entered_event = id;
        thread.entered_at = self.now;
        match &state.kind {
            Kind::Pass { result } => {
                let done = data_flow::pass(state, result.as_ref(), &thread.input, &self.around(thread, state, None, None));
                thread.leave(state, done, state.next, thread.before_entered)
            }
            Kind::Succeed => {
                let done = data_flow::without_result(state, &thread.input, &self.around(thread, state, None, None));
                thread.leave(state, done, state.next, thread.before_entered)
            }
            Kind::Choice { .. } => self.choose_rule(thread, state),
            Kind::Wait(wait) => self.wait(thread, state, wait),
            Kind::Fail { .. } => self.raise(thread, state),
            Kind::Task(_) | Kind::Parallel { .. } | Kind::Map(_) => {
                match data_flow::effective_input(state, &thread.input, &self.around(thread, state, None, None)) {
                    Ok(effective) => {
                        thread.visit = Some(Box::new(Visit::new(effective)));
                        self.begin(thread, state)
                    }
                    Err(error) => thread.troubled(state, &error.into(), thread.before_entered),
                }
            }
        }
    }

    fn count_state(&mut self) -> Result<(), Halt> {
        let left = self.bounds.states_left.get();
        if left == 0 {
            return Err(RunError::TooManyStates(self.bounds.max_states).into());
        }
        self.bounds.states_left.set(left - 1);
        self.states_entered += 1;
        Ok(())
    }

    /// Begins an attempt of a Task, a Parallel or a Map.
    fn begin(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        match &state.kind {
            Kind::Task(task) => self.begin_task(thread, state, task),
            Kind::Map(map) => self.begin_map(thread, state, map),
            _ => self.begin_parallel(thread, state),
        }
    }

    /// Begins the next attempt, and writes its first event.
    pub(super) fn try_again(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        match self.begin(thread, state)? {
            Flow::Continue => self.step(thread),
            flow => Ok(flow),
        }
    }

    fn choose_rule(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        let Kind::Choice { rules, default } = &state.kind else { return Ok(Flow::Wait) };
        let around = self.around(thread, state, None, None);
        let chosen = data_flow::effective_input(state, &thread.input, &around).and_then(|effective| {
            choice::first(rules, Scope { input: effective.value(), result: None, error_output: None, around: &around })
        });
        let (done, next) = match chosen {
            Ok(Some(position)) => {
                let rule = &rules[position];
                (data_flow::chosen(state, rule.assign.as_ref(), rule.output.as_ref(), &thread.input, &around), Some(rule.next))
            }
            Ok(None) => (data_flow::without_result(state, &thread.input, &around), *default),
            Err(error) => (Err(error.into()), None),
        };
        match (done, next) {
            (Ok(_), None) => {
                let error = EvaluationError::runtime(choice::NO_CHOICE);
                thread.troubled(state, &error.into(), thread.before_entered)
            }
            (done, next) => thread.leave(state, done, next.map_or(Transition::End, Transition::Next), thread.before_entered),
        }
    }

    fn wait(&mut self, thread: &mut Thread, state: &State, wait: &crate::asl::machine::Wait) -> Result<Flow, Halt> {
        let around = self.around(thread, state, None, None);
        let until = data_flow::effective_input(state, &thread.input, &around).and_then(|effective| {
            wait::until(wait, Scope { input: effective.value(), result: None, error_output: None, around: &around }, self.now)
        });
        match until {
            Ok(until) => {
                let done = data_flow::without_result(state, &thread.input, &around);
                match thread.leave(state, done, state.next, thread.entered_event)? {
                    Flow::Continue if matches!(thread.next, Next::Exit(_)) => Ok(Flow::At(until)),
                    flow => Ok(flow),
                }
            }
            // Unlike other states, a Wait links the failure to its own entry.
            Err(error) => thread.troubled(state, &error.into(), thread.entered_event),
        }
    }

    fn raise(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        let Kind::Fail { error, cause } = &state.kind else { return Ok(Flow::Wait) };
        let around = self.around(thread, state, None, None);
        let scope = Scope { input: thread.input.value(), result: None, error_output: None, around: &around };
        let text = |setting: &Option<_>, field| setting.as_ref().map(|setting| settings::text(setting, field, scope)).transpose();
        match text(error, "Error").and_then(|error| Ok((error, text(cause, "Cause")?))) {
            Ok((error, cause)) => {
                let failure = Failure { error, cause, heartbeat: false };
                self.failed(thread, state, failure, thread.entered_event)
            }
            Err(error) => thread.troubled(state, &error.into(), thread.before_entered),
        }
    }

    /// Writes that the state is left, and goes on to where it leads.
    pub(super) fn exit(&mut self, thread: &mut Thread, state: &State, exit: Exit) -> Result<Flow, Halt> {
        let Exit { output, assigned, to } = exit;
        let number = thread.state;
        thread.last_event = self.recorder.write(recorder::exited(&state.kind), thread.last_event, self.now, |names| {
            let variables = assigned.as_ref().and_then(|values| values.as_object()).filter(|object| !object.is_empty());
            let values = |object: &crate::expr::Object| {
                object.iter().map(|(name, value)| (name.to_string(), super::Payload::from(value.clone()).raw_text())).collect()
            };
            let assigned_variables = variables.map(|object| Box::new(AssignedVariables { values: values(object), truncated: false }));
            Details::StateExited(StateExited { name: names.of(number), output: Some(output.event_text()), assigned_variables })
        })?;
        if let Some(assigned) = &assigned {
            thread.variables.assign(assigned);
        }
        thread.visit = None;
        match to {
            Transition::Next(next) => {
                thread.state = next;
                thread.input = output;
                thread.next = Next::Enter;
                Ok(Flow::Continue)
            }
            Transition::End => Ok(self.finish(thread, output)),
        }
    }

    pub(super) fn evaluation_failed(&mut self, thread: &mut Thread, state: &State, failed: FailedEvaluation) -> Result<Flow, Halt> {
        let FailedEvaluation { failure, location, previous, can_be_handled } = failed;
        let number = thread.state;
        let id = self.recorder.write(EventType::EvaluationFailed, previous, self.now, |names| {
            Details::Evaluation(Box::new(Evaluation {
                state: names.of(number),
                location: location.as_deref().map(recorder::text),
                error: failure.error.as_deref().map(recorder::text),
                cause: failure.cause.as_deref().map(recorder::text),
            }))
        })?;
        if can_be_handled {
            self.failed(thread, state, failure, id)
        } else {
            thread.last_event = id;
            thread.next = Next::Fail(Box::new(failure), id);
            Ok(Flow::Continue)
        }
    }

    /// What follows a failure that `event` reports: another attempt, a catcher, or the end of the scope.
    pub(super) fn failed(&mut self, thread: &mut Thread, state: &State, failure: Failure, event: u64) -> Result<Flow, Halt> {
        thread.last_event = event;
        if let Some(visit) = &mut thread.visit {
            visit.attempt = None;
            if let Some(delay) = retry::next_delay(&state.retry, &failure, &mut visit.used, &self.bounds.luck) {
                visit.retry_count = visit.retry_count.saturating_add(1);
                thread.next = Next::Retry;
                return Ok(Flow::At(self.now.checked_add(delay).unwrap_or(crate::model::Timestamp::MAX)));
            }
        }
        if matches!(state.kind, Kind::Parallel { .. } | Kind::Map(_)) {
            thread.next = Next::CompositeFailed(Box::new(failure));
            return Ok(Flow::Continue);
        }
        self.caught_or_not(thread, state, failure, event)
    }

    /// Goes where a catcher leads, or fails the scope.
    pub(super) fn caught_or_not(&mut self, thread: &mut Thread, state: &State, failure: Failure, event: u64) -> Result<Flow, Halt> {
        let Some(catcher) = state.catch.iter().find(|catcher| failure.matches(&catcher.error_equals)) else {
            thread.next = Next::Fail(Box::new(failure), event);
            return Ok(Flow::Continue);
        };
        match data_flow::caught(state, catcher, &thread.input, &failure, &self.around(thread, state, None, None)) {
            Ok(done) => thread.leave(state, Ok(done), Transition::Next(catcher.next), event),
            // What fails in a catcher is not caught again.
            Err(problem) => thread.troubled_unless_handled(state, &problem, event, false),
        }
    }

    /// Ends the thread's scope: the execution, a branch, or an iteration.
    fn finish(&mut self, thread: &mut Thread, output: super::Payload) -> Flow {
        match thread.parent {
            None => {
                thread.next = Next::Succeed(output);
                Flow::Continue
            }
            Some(parent) => self.scope_finished(thread, parent, output),
        }
    }

    /// What expressions of a JSONata state look at is the state's input, those of JSONPath look at the effective one: the same
    /// payload, since JSONata has no `InputPath`.
    pub(super) fn is_jsonata(state: &State) -> bool {
        state.language == QueryLanguage::Jsonata
    }
}

impl Thread {
    /// Leaves the state with what was made of its input, or fails it.
    pub(super) fn leave(&mut self, state: &State, done: Result<Completed, Problem>, to: Transition, link: u64) -> Result<Flow, Halt> {
        match done {
            Ok(Completed { output, assigned }) => {
                self.next = Next::Exit(Box::new(Exit { output, assigned, to }));
                Ok(Flow::Continue)
            }
            Err(problem) => self.troubled(state, &problem, link),
        }
    }

    /// Fails a state whose expressions or output are of no use. `link` is what an `EvaluationFailed` names as its cause.
    pub(super) fn troubled(&mut self, state: &State, problem: &Problem, link: u64) -> Result<Flow, Halt> {
        self.troubled_unless_handled(state, problem, link, true)
    }

    /// As [`troubled`](Self::troubled), where `can_be_handled` says whether Retry and Catch apply.
    pub(super) fn troubled_unless_handled(
        &mut self,
        state: &State,
        problem: &Problem,
        link: u64,
        can_be_handled: bool,
    ) -> Result<Flow, Halt> {
        let failure = problem.failure(state, self.entered_event);
        match problem {
            Problem::Evaluation(error) if error.error == QUERY => {
                let location = error.location.clone();
                self.next = Next::EvaluationFailed(Box::new(FailedEvaluation { failure, location, previous: link, can_be_handled }));
                Ok(Flow::Continue)
            }
            _ => Err(Halt::Failed { failure, previous_event_id: self.last_event }),
        }
    }

    /// What an `EvaluationFailed` names as its cause while an attempt begins.
    pub(super) fn entry_link(&self) -> u64 {
        let first = self.visit.as_ref().is_none_or(|visit| visit.retry_count == 0);
        if first { self.before_entered } else { self.last_event }
    }
}

//! States: what opens and closes a visit.

use std::borrow;
use std::time::Duration;

use serde_json::Value;

use super::{Call, HistoryBuilder, OpenVisit, Resource, payload};
use crate::model::event::{AssignedVariables, StateEntered, StateExited};
use crate::model::{Details, EventId, EventType, RawText, StateType};

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

    pub(super) fn enter(&mut self, state_type: StateType, name: &str, input: &Value) -> &mut Self {
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

    pub(super) fn last(&self) -> Option<EventId> {
        self.story.borrow().scopes[self.scope].last
    }

    pub(super) fn write(&self, kind: EventType, previous: Option<EventId>, details: Details) -> EventId {
        self.story.borrow_mut().write(kind, previous, details)
    }

    /// Writes an event that links to the one before in this scope.
    pub(super) fn follow(&mut self, kind: EventType, details: Details) -> &mut Self {
        let id = self.write(kind, self.last(), details);
        self.story.borrow_mut().scopes[self.scope].last = Some(id);
        self
    }

    pub(super) fn visit(&mut self, change: impl FnOnce(&mut OpenVisit)) -> &mut Self {
        change(self.story.borrow_mut().scopes[self.scope].visit.as_mut().expect("a state was entered"));
        self
    }
}

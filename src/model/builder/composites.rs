//! Parallel, Map and Map Run.

use std::rc::Rc;

use super::{HistoryBuilder, ScopeState};
use crate::model::event::Failure;
use crate::model::{Details, EventId, EventType, RawText, StateType};

impl HistoryBuilder {
    /// `ParallelStateStarted`: the first attempt, or after a failure the next one.
    pub fn parallel_started(&mut self) -> &mut Self {
        self.composite_started(EventType::ParallelStateStarted, Details::None)
    }

    /// `MapStateStarted`: the first attempt, or after a failure the next one. A Distributed Map over a dataset says 0.
    pub fn map_started(&mut self, length: u64) -> &mut Self {
        self.composite_started(EventType::MapStateStarted, Details::MapStarted { length: Some(length) })
    }

    pub(super) fn composite_started(&mut self, kind: EventType, details: Details) -> &mut Self {
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

    pub(super) fn iteration_linked(&mut self, index: u64, previous: EventId) -> Self {
        let name = self.story.borrow().scopes[self.scope].visit.as_ref().map(|visit| visit.name.clone());
        let id = self.write(EventType::MapIterationStarted, Some(previous), Details::Iteration { name, index: Some(index) });
        self.scope_within(index, Some(id))
    }

    pub(super) fn attempt_of(&self, state_type: StateType) -> (EventId, u64) {
        let story = self.story.borrow();
        let visit = story.scopes[self.scope].visit.as_ref().expect("a state was entered");
        assert!(visit.state_type == state_type, "{:?} is no {}", visit.name, state_type.name());
        (visit.started.expect("its attempt was started"), visit.scopes.len() as u64)
    }

    pub(super) fn scope_within(&mut self, index: u64, last: Option<EventId>) -> Self {
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

    pub(super) fn finished(&mut self) {
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

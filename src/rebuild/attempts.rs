//! Attempts of Tasks, and expressions that could not be evaluated.

use super::cause_text;
use super::place::{CANDIDATES, Link, Place, Rebuilder};
use crate::model::event_type::AttemptStep;
use crate::model::path::{Attempt, AttemptOutcome, EventIndex, ScopeId, Visit, VisitId};
use crate::model::{Details, EventId, RawText, Role, StateType};

impl Rebuilder<'_> {
    pub(super) fn begin_attempt(&mut self, visit: VisitId, scheduled: Option<EventIndex>) {
        let run = self.current_run();
        let visit = self.visit_mut(visit);
        let before = visit.attempts.last().filter(|attempt| attempt.run == run);
        visit.attempts.push(Attempt {
            number: before.map_or(1, |attempt| attempt.number.saturating_add(1)),
            scheduled,
            started: None,
            submitted: None,
            ended: None,
            outcome: AttemptOutcome::Open,
            failed_by: None,
            run,
        });
    }

    pub(super) fn attempt_step(&mut self, index: EventIndex, link: Link, step: AttemptStep) -> Place {
        let visit = self.task_for(index, link, step);
        let is_over = self.visit(visit).attempts.last().is_none_or(|attempt| attempt.ended.is_some());
        if step == AttemptStep::Scheduled || is_over {
            self.begin_attempt(visit, (step == AttemptStep::Scheduled).then_some(index));
        }
        let entry = self.visit_mut(visit);
        let attempt = entry.attempts.last_mut().expect("begun above when there was none");
        match step {
            AttemptStep::Scheduled => {}
            AttemptStep::Started => attempt.started = Some(index),
            AttemptStep::Submitted => attempt.submitted = Some(index),
            _ => {
                attempt.ended = Some(index);
                attempt.outcome = match step {
                    AttemptStep::Succeeded => AttemptOutcome::Succeeded,
                    AttemptStep::TimedOut => AttemptOutcome::TimedOut,
                    _ => AttemptOutcome::Failed,
                };
                if step.is_failure() {
                    entry.failure = Some(index);
                    entry.failed_by = Some(visit);
                }
            }
        }
        Place { scope: self.visit(visit).scope, visit: Some(visit) }
    }

    pub(super) fn task_for(&mut self, index: EventIndex, link: Link, step: AttemptStep) -> VisitId {
        if let Link::To(previous) = link {
            let is_task = |id: &VisitId| {
                let visit = self.visit(*id);
                visit.exited.is_none() && visit.state_type.is_none_or(|kind| kind == StateType::Task)
            };
            if let Some(visit) = self.places[previous].visit.filter(is_task) {
                return visit;
            }
            if matches!(self.event(previous).role(), Role::ExecutionRedriven | Role::ExecutionEnded(_))
                && let Some(visit) = self.redriven_task(index)
            {
                return visit;
            }
        }
        if !matches!(link, Link::Nowhere(_)) {
            self.path.broken_links.push(index);
        }
        if self.failures_only {
            return self.task_of_failure(index);
        }
        let missing = match link {
            Link::Nowhere(missing) => Some(missing),
            _ => None,
        };
        self.waiting_task(index, missing, step).unwrap_or_else(|| {
            let before = || index.checked_sub(1).map_or(ScopeId::EXECUTION, |before| self.places[before].scope);
            let scope = match link {
                Link::To(previous) => self.places[previous].scope,
                Link::Nowhere(missing) => self.scope_waiting_for(missing).unwrap_or_else(before),
                Link::None => before(),
            };
            self.open_visit(scope, index, None, None)
        })
    }

    /// After a redrive: the Task that had not ended, called the same resource, with the same payload if there are several.
    pub(super) fn redriven_task(&self, index: EventIndex) -> Option<VisitId> {
        let run = self.current_run();
        let unfinished = self.open_tasks.iter().rev().copied().filter(|id| {
            let visit = self.visit(*id);
            visit.exited.is_none() && visit.run < run && visit.attempts.last().is_none_or(|attempt| attempt.run < run)
        });
        let scheduled = |id: VisitId| self.visit(id).attempts.last().and_then(|attempt| attempt.scheduled).map(|event| self.event(event));
        let new = self.event(index);
        let likeness = |id: &VisitId| {
            scheduled(*id).map_or(0, |old| match (&old.details, &new.details) {
                (Details::Scheduled(old), Details::Scheduled(new))
                    if old.resource == new.resource && old.resource_type == new.resource_type =>
                {
                    1 + usize::from(old.input == new.input)
                }
                _ => 0,
            })
        };
        unfinished.take(CANDIDATES).max_by_key(likeness)
    }

    pub(super) fn evaluation_failed(&mut self, index: EventIndex, link: Link) -> Place {
        let visit = self.evaluated(index, link);
        let entry = self.visit_mut(visit);
        entry.failure = Some(index);
        entry.failed_by = Some(visit);
        match entry.attempts.last_mut() {
            // The expression is part of the attempt: the result of the task could not be used.
            Some(attempt) if matches!(attempt.outcome, AttemptOutcome::Open | AttemptOutcome::Succeeded) => {
                attempt.outcome = AttemptOutcome::Failed;
                attempt.ended = Some(index);
            }
            _ => {
                self.begin_attempt(visit, None);
                self.end_attempt(visit, index, AttemptOutcome::Failed);
            }
        }
        Place { scope: self.visit(visit).scope, visit: Some(visit) }
    }

    pub(super) fn evaluated(&mut self, index: EventIndex, link: Link) -> VisitId {
        let event = self.event(index);
        let name = event.state_name();
        let is_named = |visit: &Visit| name.is_none() || visit.state.as_ref() == name;
        let cause = event.cause().map(RawText::decode);
        let entered = cause.as_deref().and_then(cause_text::state_in_cause).and_then(|found| found.entered_event_id);
        if let Some(visit) = entered.and_then(|id| self.entered_at(EventId(id), index)).filter(|id| is_named(self.visit(*id))) {
            return visit;
        }
        if let Some(name) = name {
            let named = self.by_name.get(&*name.decode()).map_or(&[][..], Vec::as_slice);
            let open = named.iter().rev().take(CANDIDATES).copied().filter(|id| self.visit(*id).exited.is_none());
            let same_parent = |id: &VisitId| {
                let entered = self.visit(*id).entered.map(|entered| self.event(entered).previous_event_id);
                entered == Some(event.previous_event_id)
            };
            if let Some(visit) = open.clone().find(same_parent).or_else(|| open.clone().next()) {
                return visit;
            }
        }
        if let Link::To(previous) = link
            && let Some(visit) = self.places[previous].visit.filter(|id| is_named(self.visit(*id)))
        {
            return visit;
        }
        let scope = self.scope_for_orphan(index, link, name);
        self.open_visit(scope, index, name.cloned(), None)
    }
}

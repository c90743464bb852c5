//! Finds the innermost visit at which an execution ended.
//!
//! | what the end links to              | and its cause          | the visit is                                 |
//! |------------------------------------|------------------------|----------------------------------------------|
//! | a failed attempt, a Fail state     | does not name a state  | that one                                     |
//! | the same                           | names another open one | the one that the cause names                 |
//! | `MapStateFailed`, `ParallelState…` | -                      | the one whose failure made it fail           |
//! | `EvaluationFailed`                 | -                      | the one that this event names                |
//! | anything else                      | names a state          | the one that the cause names                 |
//! | anything else                      | names none             | the nearest one that had not ended: a guess  |
//! | anything, where only failures were logged | names none    | none, unless the links above lead to it      |
//! | nothing (stopped, timed out)       | -                      | the one that was open, if it is the only one |

use super::cause_text::state_in_cause;
use super::place::{Link, Rebuilder};
use crate::asl::State;
use crate::model::event_type::Ending;
use crate::model::path::{Basis, Blame, EventIndex, Scope, ScopeId, Visit, VisitId};
use crate::model::{EventId, RawText, Role, StateType};

/// A failure that the links lead to.
struct Linked {
    event: EventIndex,
    visit: VisitId,
    basis: Basis,
}

/// What is known of an execution's end.
pub(super) struct End<'e> {
    /// `None` when only the description of the execution tells.
    pub event: Option<EventIndex>,
    pub link: Link,
    pub error: Option<&'e RawText>,
    pub cause: Option<&'e RawText>,
}

impl End<'_> {
    /// The position before which all that led to the end stands.
    fn position(&self, rebuilder: &Rebuilder<'_>) -> EventIndex {
        self.event.unwrap_or(rebuilder.history.events.len())
    }
}

impl Rebuilder<'_> {
    /// The blame for an execution that failed.
    pub(super) fn blame_failure(&mut self, end: &End<'_>) -> Blame {
        let linked = match end.link {
            Link::To(previous) => self.failure_at(previous),
            _ => None,
        };
        if let Some(visit) = self.named_in_cause(end, linked.as_ref()) {
            return Blame { visit: Some(visit), event: end.event, basis: Basis::CauseText, alternatives: 0 };
        }
        if let Some(found) = linked.or_else(|| self.same_error_before(end)) {
            return Blame { visit: Some(found.visit), event: Some(found.event), basis: found.basis, alternatives: 0 };
        }
        if self.failures_only {
            return Blame { visit: None, event: end.event, basis: Basis::ExecutionEvent, alternatives: 0 };
        }
        let nearest = match end.link {
            Link::To(previous) => self.places[previous].visit.filter(|visit| self.visit(*visit).exited.is_none()),
            _ => None,
        };
        match nearest {
            Some(visit) => Blame { visit: Some(visit), event: end.event, basis: Basis::NearestVisit, alternatives: 0 },
            None => self.blame_newest_or_fail(end),
        }
    }

    /// Nothing leads to a visit: the newest that was open; where none was, the Fail state whose Entered event must be missing.
    fn blame_newest_or_fail(&mut self, end: &End<'_>) -> Blame {
        let open = self.open_leaves(true);
        let position = end.position(self);
        if let (true, true, Some(name)) = (open.is_empty(), position > 0, self.fail_state_with(end)) {
            let visit = self.open_visit(ScopeId::EXECUTION, position.min(self.history.events.len() - 1), Some(name), Some(StateType::Fail));
            return Blame { visit: Some(visit), event: end.event, basis: Basis::NearestVisit, alternatives: 0 };
        }
        self.blame_one_of(end.event, &open, true)
    }

    /// The name of the definition's only Fail state of the machine itself that gives the error of the end.
    fn fail_state_with(&self, end: &End<'_>) -> Option<RawText> {
        let (definition, error) = (self.definition?, end.error?);
        let gives_it = |state: &&State| {
            let own = definition.parent_of(&state.name).is_none();
            own && state.state_type == Some(StateType::Fail) && state.error.as_deref().is_some_and(|given| error.is(given))
        };
        let mut fitting = definition.states().filter(gives_it);
        let only = fitting.next().filter(|_| fitting.next().is_none())?;
        Some(RawText::plain(only.name.as_str()))
    }

    /// The failure that an event records or stands for.
    fn failure_at(&self, event: EventIndex) -> Option<Linked> {
        let place = self.places[event];
        let basis = match self.event(event).role() {
            Role::Attempt(step) if step.is_failure() => Basis::TaskChain,
            Role::MapRunEnded(Ending::Failed | Ending::TimedOut | Ending::Aborted) => Basis::TaskChain,
            Role::EvaluationFailed => Basis::EvaluationEvent,
            Role::StateEntered(StateType::Fail) => Basis::FailState,
            Role::CompositeEnded(_, Ending::Failed) => {
                let composite = self.visit(place.visit?);
                let inner = composite.failure.filter(|inner| *inner != event).and_then(|inner| self.failure_at(inner));
                // The failure inside is missing, the visit that was last heard of is not.
                let last_heard_of = || composite.failed_by.map(|visit| Linked { event, visit, basis: Basis::NearestVisit });
                return inner.or_else(last_heard_of);
            }
            Role::IterationEnded(Ending::Failed) => match self.link(event) {
                Link::To(previous) if !matches!(self.event(previous).role(), Role::IterationEnded(_)) => {
                    return self.failure_at(previous);
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(Linked { event, visit: place.visit?, basis })
    }

    /// The open visit that the end's cause names, unless the links lead to a failure with the same error.
    ///
    /// A cause may quote another execution's, or one that was caught: hence only the service's own errors are believed, and
    /// only for a visit that had not ended.
    fn named_in_cause(&mut self, end: &End<'_>, linked: Option<&Linked>) -> Option<VisitId> {
        let error = end.error.filter(|error| error.decode().starts_with("States."))?;
        if linked.is_some_and(|linked| self.event(linked.event).error() == Some(error)) {
            return None;
        }
        let cause = end.cause?.decode();
        let named = state_in_cause(&cause)?;
        let is_it = |visit: &Visit| visit.exited.is_none() && visit.state.as_ref().is_some_and(|state| state.is(named.state));
        let position = end.position(self);
        let entered = named.entered_event_id.and_then(|id| self.entered_at(EventId(id), position));
        let entered = entered.filter(|id| is_it(self.visit(*id)));
        let on_chain = || match end.link {
            Link::To(previous) => self.around(self.places[previous], is_it),
            _ => None,
        };
        let found = entered.or_else(on_chain).or_else(|| self.newest_open(named.state));
        let is_alone = position == 0 && !self.failures_only;
        if found.is_some() || linked.is_some() || named.entered_event_id.is_none() || is_alone {
            return found;
        }
        // Its Entered event is missing, but the service names it all the same.
        let state = RawText::plain(named.state);
        Some(self.open_visit(ScopeId::EXECUTION, position.min(self.history.events.len() - 1), Some(state), None))
    }

    /// Where the end's link leads nowhere: the last failure with the same error and cause whose visit had not ended.
    fn same_error_before(&self, end: &End<'_>) -> Option<Linked> {
        end.error?;
        let same = |index: &EventIndex| {
            let earlier = self.event(*index);
            matches!(earlier.role(), Role::Attempt(_) | Role::EvaluationFailed | Role::MapRunEnded(_))
                && earlier.error() == end.error
                && earlier.cause() == end.cause
        };
        let earlier = (0..end.position(self)).rev().filter(same);
        earlier.filter_map(|index| self.failure_at(index)).find(|linked| self.visit(linked.visit).exited.is_none())
    }

    /// The blame for an end that links to nothing: somebody stopped the execution, or it ran out of time.
    pub(super) fn blame_open(&self, end: Option<EventIndex>) -> Blame {
        let open = if self.failures_only { Vec::new() } else { self.open_leaves(false) };
        self.blame_one_of(end, &open, false)
    }

    fn blame_one_of(&self, end: Option<EventIndex>, open: &[VisitId], newest: bool) -> Blame {
        let chosen = if newest { open.iter().max_by_key(|id| self.visit(**id).last_event) } else { open.first() }.copied();
        let state = chosen.and_then(|id| self.visit(id).state.clone());
        let alternatives = open.iter().filter(|id| self.visit(**id).state != state).count();
        let basis = if chosen.is_some() { Basis::NearestVisit } else { Basis::ExecutionEvent };
        Blame { visit: chosen, event: end, basis, alternatives }
    }

    /// Visits that nothing has ended and that hold no such visit themselves, in the order in which they were entered.
    ///
    /// A Fail state ends its scope at once: it is where an execution may have failed, but not what was open when it was stopped.
    fn open_leaves(&self, with_fail_states: bool) -> Vec<VisitId> {
        let mut open = vec![false; self.path.visits.len()];
        let mut holds_open = vec![false; self.path.visits.len()];
        for (id, visit) in self.path.visits() {
            let scope = self.path.scope(visit.scope);
            let in_open_scope = scope.parent.is_none_or(|parent| open[parent.0 as usize] && self.is_current(scope, parent));
            let is_last = scope.visits.last() == Some(&id);
            let is_over = visit.exited.is_some() || (visit.state_type == Some(StateType::Fail) && !with_fail_states);
            if !is_over && is_last && in_open_scope {
                open[id.0 as usize] = true;
                if let Some(parent) = scope.parent {
                    holds_open[parent.0 as usize] = true;
                }
            }
        }
        let leaves = self.path.visits().filter(|(id, _)| open[id.0 as usize] && !holds_open[id.0 as usize]);
        leaves.map(|(id, _)| id).collect()
    }

    fn is_current(&self, scope: &Scope, parent: VisitId) -> bool {
        scope.ended.is_none() && scope.attempt as usize == self.visit(parent).attempts.len()
    }
}

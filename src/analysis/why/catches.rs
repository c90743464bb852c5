//! From where an execution ended back to the failure that took it off its way.
//!
//! A Catch that led to the end, directly or over further states, makes the failure that it caught the cause, and the failure
//! that led to that one's state in turn. Once the way from a Catch came back to a state that the normal path also
//! reaches, that failure was handled, and what failed later stands for itself.
//!
//! | before the end, in its scope or one around it  | then                                    |
//! |------------------------------------------------|-----------------------------------------|
//! | a caught visit, then only handler states       | look at what failed there, and go on    |
//! | a caught visit, then a state of the normal path | that failure was handled                |
//! | nothing caught                                 | look around the enclosing Parallel, Map |
//!
//! A Fail state ends the way and never rejoins it, even if a Choice leads to it as well: a Catch that goes straight to it
//! is why it was reached.

use std::collections::HashSet;

use super::finding::Failure;
use super::{Confidence, Evidence};
use crate::analysis::execution;
use crate::model::path::{Basis, Blame, VisitId, VisitOutcome};
use crate::model::{ExecutionStatus, Gap, Role, StateType};

/// How many handler states may follow a Catch before, without a definition, they are taken for the normal path.
const HANDLER_STATES: usize = 2;

impl Evidence<'_> {
    /// The failure that started what ended as `blame` says.
    pub(super) fn first_failure(&self, blame: &Blame) -> Option<Failure> {
        let mut failure = self.failure_of(blame)?;
        // Whoever stopped it, or ran out of time, did so whatever had been caught before.
        if execution::status(self.history, self.path) != Some(ExecutionStatus::Failed) {
            return Some(failure);
        }
        let mut seen_before: Option<HashSet<String>> = None;
        while let Some((caught, confidence)) = self.caught_before(failure.visit?, &mut seen_before) {
            let visit = self.path.visit(caught);
            let by = visit.failed_by.unwrap_or(caught);
            // Damaged histories may lead in a circle; each step must lead to an earlier visit.
            if failure.visit.is_some_and(|later| by >= later) {
                break;
            }
            let event = visit.failure.or(self.path.visit(by).failure);
            let basis = event.map_or(Basis::NearestVisit, |event| self.basis_of(event));
            failure = Failure { visit: Some(by), event, basis, confidence: confidence.min(failure.confidence), caught: Some(caught) };
        }
        if self.definition.is_none() && failure.visit.is_some_and(|visit| self.follows_a_catch(visit)) {
            // It was taken for handled; only a definition can say so.
            failure.confidence = failure.confidence.min(Confidence::Likely);
        }
        if execution::is_failures_only(self.history) && failure.visit.is_some_and(|visit| self.may_be_a_handler(visit)) {
            failure.confidence = Confidence::Guess;
        }
        Some(failure)
    }

    /// Whether something was caught earlier in the visit's scope or in one around it.
    fn follows_a_catch(&self, visit: VisitId) -> bool {
        let mut level = Some(visit);
        while let Some(at) = level {
            let scope = self.path.scope(self.path.visit(at).scope);
            if scope.visits.iter().take_while(|id| **id < at).any(|id| self.path.visit(*id).outcome == VisitOutcome::Caught) {
                return true;
            }
            level = scope.parent;
        }
        false
    }

    fn failure_of(&self, blame: &Blame) -> Option<Failure> {
        blame.visit?;
        let end = self.path.last_run().and_then(|run| run.end);
        let broken = |index: Option<usize>| index.is_some_and(|index| self.path.broken_links.binary_search(&index).is_ok());
        let inferred = blame.visit.is_some_and(|visit| self.path.visit(visit).name_inferred);
        let lossy = self.history.gaps.iter().any(|gap| {
            matches!(
                gap,
                Gap::MissingEvents { .. }
                    | Gap::NotFetched { .. }
                    | Gap::MorePages
                    | Gap::NoEnd
                    | Gap::ConflictingEvents { .. }
                    | Gap::RepeatedEvents { .. }
                    | Gap::LoggedOnly { .. }
            )
        });
        let confidence = match blame.basis {
            Basis::NearestVisit if blame.alternatives > 0 => Confidence::Guess,
            Basis::NearestVisit | Basis::ExecutionEvent => Confidence::Likely,
            _ if inferred || lossy => Confidence::Likely,
            _ if end.is_none() || broken(end) || broken(blame.event) => Confidence::Likely,
            _ if blame.visit.is_some_and(|visit| self.steps_of(visit).any(broken)) => Confidence::Likely,
            _ => Confidence::Certain,
        };
        Some(Failure { visit: blame.visit, event: blame.event, basis: blame.basis, confidence, caught: None })
    }

    /// What the naming of a visit rests on: its Entered event and the steps of its last attempt.
    fn steps_of(&self, visit: VisitId) -> impl Iterator<Item = Option<usize>> {
        let visit = self.path.visit(visit);
        let last = visit.attempts.last().map(|attempt| [attempt.scheduled, attempt.started, attempt.submitted]);
        last.into_iter().flatten().chain([visit.entered])
    }

    pub(super) fn basis_of(&self, event: usize) -> Basis {
        match self.history.events[event].role() {
            Role::EvaluationFailed => Basis::EvaluationEvent,
            Role::StateEntered(StateType::Fail) => Basis::FailState,
            Role::ExecutionEnded(_) => Basis::CauseText,
            _ => Basis::TaskChain,
        }
    }

    /// The visit whose Catch led to this one, in its scope or one around it; and how sure that is.
    fn caught_before(&self, visit: VisitId, normal: &mut Option<HashSet<String>>) -> Option<(VisitId, Confidence)> {
        let mut level = Some(visit);
        while let Some(at) = level {
            if let Some(found) = self.caught_in_scope(at, normal) {
                return Some(found);
            }
            level = self.path.scope(self.path.visit(at).scope).parent;
        }
        None
    }

    fn caught_in_scope(&self, end: VisitId, normal: &mut Option<HashSet<String>>) -> Option<(VisitId, Confidence)> {
        let is_fail = self.path.visit(end).state_type == Some(StateType::Fail);
        let mut at = end;
        let mut handlers = 0;
        let mut sure = true;
        loop {
            let known = (at == end && is_fail).then_some(false).or_else(|| self.is_normal(at));
            match known {
                Some(true) => return None,
                Some(false) => {}
                None => {
                    sure = false;
                    handlers += 1;
                    let unlikely = !is_fail && handlers > HANDLER_STATES;
                    if unlikely || self.was_normal_before(at, normal) {
                        return None;
                    }
                }
            }
            at = self.path.predecessor(at)?;
            if self.path.visit(at).outcome == VisitOutcome::Caught {
                return self.led_by_catch(at, sure).map(|confidence| (at, confidence));
            }
        }
    }

    /// How sure it is that a visit's Catch led to the visit after it. Where only failures were logged, other states may have come between
    /// them: then the definition must say so, and of a state whose name is not known, or without a definition, it is a guess at best.
    fn led_by_catch(&self, visit: VisitId, sure: bool) -> Option<Confidence> {
        if !execution::is_failures_only(self.history) {
            return Some(if sure { Confidence::Certain } else { Confidence::Likely });
        }
        let siblings = &self.path.scope(self.path.visit(visit).scope).visits;
        let after = siblings.get(siblings.binary_search(&visit).ok()? + 1)?;
        if self.path.visit(*after).state_type != Some(StateType::Fail) {
            return None;
        }
        let Some(definition) = self.definition else { return Some(Confidence::Guess) };
        let find = |id: VisitId| definition.find(&self.path.visit(id).state.as_ref()?.decode());
        let to = find(*after)?;
        match find(visit) {
            Some(from) => from.catches_to(definition, to).then_some(Confidence::Likely),
            None => definition.states().any(|from| from.catches_to(definition, to)).then_some(Confidence::Guess),
        }
    }

    /// Whether only a Catch leads to the visit's state, of a failure that was not logged; without a definition, whether something had
    /// failed before.
    fn may_be_a_handler(&self, visit: VisitId) -> bool {
        match self.definition {
            Some(_) => self.is_normal(visit) == Some(false),
            None => self.path.visits().take_while(|(id, _)| *id < visit).any(|(_, before)| before.failure.is_some()),
        }
    }

    /// Whether the normal path reaches the visit's state; `None` when no definition tells.
    fn is_normal(&self, visit: VisitId) -> Option<bool> {
        let name = self.path.visit(visit).state.as_ref()?.decode();
        self.definition?.find(&name).map(|state| state.normal)
    }

    /// Whether the state was visited somewhere in this execution without a Catch before it.
    fn was_normal_before(&self, visit: VisitId, normal: &mut Option<HashSet<String>>) -> bool {
        let seen = normal.get_or_insert_with(|| {
            let mut seen = HashSet::new();
            for scope in &self.path.scopes {
                for id in &scope.visits {
                    let visit = self.path.visit(*id);
                    seen.extend(visit.state.as_ref().map(|state| state.decode().into_owned()));
                    if visit.outcome == VisitOutcome::Caught {
                        break;
                    }
                }
            }
            seen
        });
        self.path.visit(visit).state.as_ref().is_some_and(|state| seen.contains(&*state.decode()))
    }
}

//! Parallel and Map: attempts of the whole state, branches and iterations, Map Runs.

use super::place::{CANDIDATES, Link, Place, Rebuilder};
use crate::model::event_type::Ending;
use crate::model::path::{AttemptOutcome, EventIndex, ScopeId, Visit, VisitId};
use crate::model::{Details, RawText, Role, StateType};

impl Rebuilder<'_> {
    /// Whether the visit is of this kind and its last attempt has not ended.
    pub(super) fn is_running(visit: &Visit, kind: StateType) -> bool {
        visit.state_type == Some(kind) && visit.exited.is_none() && visit.attempts.last().is_none_or(|attempt| attempt.ended.is_none())
    }

    pub(super) fn newest_running(&self, kind: StateType) -> Option<VisitId> {
        self.open_composites.iter().rev().take(CANDIDATES).copied().find(|id| Self::is_running(self.visit(*id), kind))
    }

    pub(super) fn newest_unfinished(&self, kind: StateType) -> Option<VisitId> {
        self.open_composites.iter().rev().take(CANDIDATES).copied().find(|id| {
            let visit = self.visit(*id);
            visit.state_type == Some(kind) && visit.exited.is_none()
        })
    }

    pub(super) fn composite_started(&mut self, index: EventIndex, link: Link, kind: StateType) -> Place {
        let linked = match link {
            Link::To(previous) => {
                let place = self.places[previous];
                self.directly_behind(previous, kind)
                    .or_else(|| self.begins_again(previous, index, kind))
                    .or_else(|| self.around(place, |visit| Self::is_running(visit, kind)))
            }
            _ => None,
        };
        let found = linked.or_else(|| match (link, self.name_from_what_follows(index)) {
            // Either its Entered event is missing, or the failure that it repeats.
            (Link::Nowhere(_), Some(name)) => self.newest_open(&name),
            (Link::Nowhere(_), None) => None,
            _ => self.newest_running(kind).or_else(|| self.newest_unfinished(kind)),
        });
        let Some(visit) = found else { return self.composite_without_entry(index, link, kind) };
        if let Link::To(previous) = link {
            self.fail_attempt(visit, previous);
        }
        self.begin_attempt(visit, Some(index));
        Place { scope: self.visit(visit).scope, visit: Some(visit) }
    }

    /// The Parallel or Map whose own `…Failed` event a `…Started` links to, when it is this one that begins again.
    ///
    /// Recordings link a retry to the failure inside. Where it links to a `…Failed` event, it may repeat the state that failed, or
    /// one of its kind around it: then an iteration in between has failed, or the names that follow are the outer one's.
    fn begins_again(&self, failed: EventIndex, started: EventIndex, kind: StateType) -> Option<VisitId> {
        if self.event(failed).role() != Role::CompositeEnded(kind, Ending::Failed) {
            return None;
        }
        let id = self.places[failed].visit?;
        let visit = self.visit(id);
        if visit.exited.is_some() || self.is_in_ended_iteration(visit.scope) {
            return None;
        }
        let is_it = match self.name_from_what_follows(started) {
            Some(name) => visit.state.as_ref().is_some_and(|state| state.is(&name)),
            None => self.around(Place { scope: visit.scope, visit: None }, |visit| Self::is_running(visit, kind)).is_none(),
        };
        is_it.then_some(id)
    }

    fn is_in_ended_iteration(&self, mut scope: ScopeId) -> bool {
        loop {
            let entry = self.path.scope(scope);
            match entry.parent {
                _ if entry.ended.is_some() => return true,
                Some(parent) => scope = self.visit(parent).scope,
                None => return false,
            }
        }
    }

    /// The Parallel or Map that an event of its own belongs to: its Entered event, a failed expression, its Map Run.
    pub(super) fn directly_behind(&self, event: EventIndex, kind: StateType) -> Option<VisitId> {
        let own = matches!(self.event(event).role(), Role::StateEntered(_) | Role::EvaluationFailed | Role::MapRunEnded(_));
        self.places[event].visit.filter(|id| {
            let visit = self.visit(*id);
            own && visit.state_type == Some(kind) && visit.exited.is_none()
        })
    }

    /// Ends the last attempt of a Parallel or Map because of the failure that `cause` records, unless it ended already.
    pub(super) fn fail_attempt(&mut self, composite: VisitId, cause: EventIndex) {
        let failing = self.failure_behind(cause);
        let visit = self.visit_mut(composite);
        let Some(attempt) = visit.attempts.last_mut().filter(|attempt| attempt.ended.is_none()) else { return };
        attempt.ended = Some(cause);
        attempt.outcome = AttemptOutcome::Failed;
        attempt.failed_by = failing.map(|(_, by)| by);
        if let Some((event, by)) = failing {
            visit.failure = Some(event);
            visit.failed_by = Some(by);
        }
    }

    /// The innermost failure that an event stands for, and its visit.
    pub(super) fn failure_behind(&self, event: EventIndex) -> Option<(EventIndex, VisitId)> {
        let visit = self.places[event].visit?;
        match self.event(event).role() {
            // The failure of a Parallel or Map was resolved when it was placed.
            Role::CompositeEnded(..) => {
                let composite = self.visit(visit);
                Some((composite.failure.unwrap_or(event), composite.failed_by.unwrap_or(visit)))
            }
            _ => Some((event, visit)),
        }
    }

    pub(super) fn composite_ended(&mut self, index: EventIndex, link: Link, kind: StateType, ending: Ending) -> Place {
        let linked = match link {
            Link::To(previous) => {
                self.directly_behind(previous, kind).or_else(|| self.around(self.places[previous], |visit| Self::is_running(visit, kind)))
            }
            _ => None,
        };
        let Some(visit) = linked.or_else(|| self.newest_running(kind)) else {
            self.path.unplaced.push(index);
            return self.unknown(link);
        };
        // A Map whose items could not be computed fails without having started.
        if self.visit(visit).attempts.is_empty() {
            self.begin_attempt(visit, None);
        }
        if ending == Ending::Succeeded {
            self.end_attempt(visit, index, AttemptOutcome::Succeeded);
        } else if let Link::To(previous) = link {
            self.fail_attempt(visit, previous);
        } else {
            self.end_attempt(visit, index, AttemptOutcome::Failed);
            let inside = self.failure_inside(visit, index);
            let visit = self.visit_mut(visit);
            visit.failure = Some(inside.map_or(index, |(event, _)| event));
            visit.failed_by = inside.map(|(_, by)| by);
            if let Some(attempt) = visit.attempts.last_mut() {
                attempt.failed_by = visit.failed_by;
            }
        }
        if let Some(attempt) = self.visit_mut(visit).attempts.last_mut() {
            attempt.ended = Some(index);
        }
        Place { scope: self.visit(visit).scope, visit: Some(visit) }
    }

    pub(super) fn end_attempt(&mut self, visit: VisitId, event: EventIndex, outcome: AttemptOutcome) {
        if let Some(attempt) = self.visit_mut(visit).attempts.last_mut() {
            attempt.ended = Some(event);
            attempt.outcome = outcome;
        }
    }

    pub(super) fn map_named(&self, place: Place, name: Option<&RawText>) -> Option<VisitId> {
        self.around(place, |visit| {
            visit.state_type == Some(StateType::Map) && visit.exited.is_none() && (name.is_none() || visit.state.as_ref() == name)
        })
    }

    pub(super) fn iteration_started(&mut self, index: EventIndex, link: Link) -> Place {
        let event = self.event(index);
        let name = event.state_name();
        let linked = match link {
            Link::To(previous) => self.map_named(self.places[previous], name),
            _ => None,
        };
        let found = linked.or_else(|| match name {
            Some(name) => self.newest_open(&name.decode()),
            None => self.newest_running(StateType::Map),
        });
        let map = found.unwrap_or_else(|| {
            let scope = self.scope_for_orphan(index, link, name);
            self.open_visit(scope, index, name.cloned(), Some(StateType::Map))
        });
        if self.visit(map).attempts.is_empty() {
            self.begin_attempt(map, None);
        }
        let number = match &event.details {
            Details::Iteration { index: Some(number), .. } => *number,
            _ => self.branch_index(map, None),
        };
        let scope = self.redriven_iteration(map, number).unwrap_or_else(|| self.open_scope(map, number, Some(index)));
        self.iterations.insert((map, number), scope);
        Place { scope, visit: None }
    }

    /// After a redrive: the iteration of the same run of the Map that goes on, with what it had done before.
    fn redriven_iteration(&self, map: VisitId, number: u64) -> Option<ScopeId> {
        let redriven = self.path.runs.len() > 1;
        let scope = self.iterations.get(&(map, number)).copied().filter(|_| redriven)?;
        let entry = self.path.scope(scope);
        (entry.ended.is_none() && entry.attempt as usize == self.visit(map).attempts.len()).then_some(scope)
    }

    pub(super) fn iteration_ended(&mut self, index: EventIndex, link: Link, ending: Ending) -> Place {
        let Some(scope) = self.ended_iteration(index, link, ending) else {
            self.path.unplaced.push(index);
            return self.unknown(link);
        };
        let entry = self.scope_mut(scope);
        entry.ended = Some(index);
        entry.ending = Some(ending);
        Place { scope, visit: None }
    }

    pub(super) fn ended_iteration(&self, index: EventIndex, link: Link, ending: Ending) -> Option<ScopeId> {
        let event = self.event(index);
        let name = event.state_name();
        let Details::Iteration { index: number, .. } = &event.details else { return None };
        let is_open = |scope: &ScopeId| self.path.scope(*scope).ended.is_none();
        let around = match link {
            Link::To(previous) => self.map_named(self.places[previous], name),
            _ => None,
        };
        if let (Some(map), Some(number)) = (around, number)
            && let Some(scope) = self.iterations.get(&(map, *number)).copied().filter(is_open)
        {
            return Some(scope);
        }
        // An aborted iteration links to the failing one, which may belong to another visit of the same Map.
        let named = name.and_then(|name| self.by_name.get(&*name.decode()).cloned()).unwrap_or_default();
        let mut candidates = named.iter().rev().take(CANDIDATES).filter_map(|map| self.iterations.get(&(*map, (*number)?)).copied());
        candidates.find(is_open).or_else(|| match (link, ending) {
            (Link::To(previous), Ending::Succeeded | Ending::Failed) => {
                let scope = self.places[previous].scope;
                self.path.scope(scope).parent.is_some().then_some(scope)
            }
            _ => None,
        })
    }

    pub(super) fn map_run_started(&mut self, index: EventIndex, link: Link) -> Place {
        let Some(map) = self.map_of_run(link) else {
            self.path.unplaced.push(index);
            return self.unknown(link);
        };
        let redriven = matches!(self.event(index).role(), Role::MapRunRedriven);
        if self.visit(map).attempts.is_empty() || redriven {
            self.begin_attempt(map, redriven.then_some(index));
        }
        self.visit_mut(map).map_runs.push(index);
        Place { scope: self.visit(map).scope, visit: Some(map) }
    }

    pub(super) fn map_of_run(&self, link: Link) -> Option<VisitId> {
        let linked = match link {
            Link::To(previous) => self.map_named(self.places[previous], None),
            _ => None,
        };
        linked.or_else(|| self.newest_unfinished(StateType::Map))
    }

    pub(super) fn map_run_ended(&mut self, index: EventIndex, link: Link, ending: Ending) -> Place {
        let Some(map) = self.map_of_run(link) else {
            if self.failures_only && matches!(ending, Ending::Failed | Ending::TimedOut) {
                return self.map_of_failed_run(index);
            }
            self.path.unplaced.push(index);
            return self.unknown(link);
        };
        if matches!(ending, Ending::Failed | Ending::TimedOut) {
            let visit = self.visit_mut(map);
            visit.failure = Some(index);
            visit.failed_by = Some(map);
            self.end_attempt(map, index, AttemptOutcome::Failed);
        }
        Place { scope: self.visit(map).scope, visit: Some(map) }
    }

    /// A redrive goes on inside the Parallel and Map visits that had failed: only their failed and aborted scopes run again.
    pub(super) fn reopen_composites(&mut self) {
        let unfinished: Vec<VisitId> = self.open_composites.iter().copied().filter(|id| self.visit(*id).exited.is_none()).collect();
        for id in unfinished {
            let visit = self.visit_mut(id);
            if let Some(attempt) = visit.attempts.last_mut().filter(|attempt| attempt.outcome.is_failure()) {
                attempt.ended = None;
                attempt.outcome = AttemptOutcome::Open;
            }
            for scope in visit.scopes.clone() {
                let scope = self.scope_mut(scope);
                if matches!(scope.ending, Some(Ending::Failed | Ending::Aborted)) {
                    scope.ended = None;
                    scope.ending = None;
                }
            }
        }
    }
}

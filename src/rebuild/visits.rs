//! Visits and their scopes: a state is entered, exited, or ended with its siblings.

use std::borrow::Cow;

use super::DEEPEST;
use super::place::{CANDIDATES, Link, NamelessAbort, Place, Rebuilder, visit_id};
use crate::model::path::{EventIndex, Scope, ScopeId, Visit, VisitId, VisitOutcome};
use crate::model::{EventId, ExecutionPath, RawText, Role, StateType};

impl<'h> Rebuilder<'h> {
    pub(super) fn state_entered(&mut self, index: EventIndex, link: Link, kind: StateType) -> Place {
        let name = self.event(index).state_name();
        let scope = self.scope_for(index, link, name);
        let visit = self.open_visit(scope, index, name.cloned(), Some(kind));
        self.visit_mut(visit).entered = Some(index);
        if kind == StateType::Fail {
            let visit = self.visit_mut(visit);
            visit.failure = Some(index);
        }
        Place { scope, visit: Some(visit) }
    }

    pub(super) fn open_visit(
        &mut self,
        scope: ScopeId,
        event: EventIndex,
        state: Option<RawText>,
        state_type: Option<StateType>,
    ) -> VisitId {
        let id = visit_id(self.path.visits.len());
        let run = self.current_run();
        if let Some(name) = self.name_of(event) {
            self.by_name.entry(name).or_default().push(id);
        }
        match state_type {
            Some(StateType::Task) | None => Self::push_open(&self.path, &mut self.open_tasks, id),
            Some(kind) if kind.is_composite() => Self::push_open(&self.path, &mut self.open_composites, id),
            Some(_) => {}
        }
        self.path.visits.push(Visit {
            state,
            name_inferred: false,
            state_type,
            scope,
            entered: None,
            exited: None,
            aborted: None,
            first_event: event,
            last_event: event,
            attempts: Vec::new(),
            scopes: Vec::new(),
            map_runs: Vec::new(),
            outcome: VisitOutcome::Open,
            failure: None,
            failed_by: None,
            run,
        });
        self.scope_mut(scope).visits.push(id);
        id
    }

    /// Closed ones are thrown out whenever the list has doubled, so that each costs a constant.
    pub(super) fn push_open(path: &ExecutionPath, list: &mut Vec<VisitId>, id: VisitId) {
        if list.len() == list.capacity() && list.len() >= CANDIDATES {
            list.retain(|id| path.visit(*id).exited.is_none());
            list.reserve(list.len() + 1);
        }
        list.push(id);
    }

    pub(super) fn name_of(&self, index: EventIndex) -> Option<Cow<'h, str>> {
        self.event(index).state_name().map(RawText::decode)
    }

    /// The scope in which a state is entered.
    pub(super) fn scope_for(&mut self, index: EventIndex, link: Link, name: Option<&RawText>) -> ScopeId {
        match link {
            Link::To(previous) => {
                let scope = self.scope_after(previous, name);
                if self.contradicts_definition(scope, name) { self.scope_by_name(index, None, name) } else { scope }
            }
            Link::None if self.path.visits.is_empty() => ScopeId::EXECUTION,
            Link::None => {
                let redriven = matches!(self.event(self.path.runs.last().map_or(0, |run| run.first_event)).role(), Role::ExecutionRedriven);
                if !redriven {
                    self.path.broken_links.push(index);
                }
                self.scope_by_name(index, None, name)
            }
            Link::Nowhere(missing) => self.scope_by_name(index, Some(missing), name),
        }
    }

    pub(super) fn scope_after(&mut self, previous: EventIndex, name: Option<&RawText>) -> ScopeId {
        let place = self.places[previous];
        match (self.event(previous).role(), place.visit) {
            (Role::CompositeStarted(_), Some(parent)) => self.open_scope(parent, self.branch_index(parent, name), None),
            // Some local engines write no event between a Parallel or Map and its first inner state.
            (Role::StateEntered(kind), Some(parent)) if kind.is_composite() => {
                if self.visit(parent).attempts.is_empty() {
                    self.begin_attempt(parent, None);
                }
                self.open_scope(parent, self.branch_index(parent, name), None)
            }
            (Role::ExecutionRedriven | Role::ExecutionEnded(_), _) => {
                self.unfinished_named(name).map_or(ScopeId::EXECUTION, |visit| self.visit(visit).scope)
            }
            _ => place.scope,
        }
    }

    /// The branch that begins with the state of this name, or the next number where no definition tells.
    pub(super) fn branch_index(&self, parent: VisitId, name: Option<&RawText>) -> u64 {
        let visit = self.visit(parent);
        if visit.state_type == Some(StateType::Parallel)
            && let (Some(definition), Some(name)) = (self.definition, name)
            && let Some(state) = definition.find(&name.decode())
        {
            return definition.machine(state.machine).index;
        }
        let attempt = u32::try_from(visit.attempts.len()).unwrap_or(u32::MAX);
        let newest = visit.scopes.last().map(|scope| self.path.scope(*scope)).filter(|scope| scope.attempt == attempt);
        newest.map_or(0, |scope| scope.index.saturating_add(1))
    }

    pub(super) fn open_scope(&mut self, parent: VisitId, index: u64, started: Option<EventIndex>) -> ScopeId {
        let (scope, attempt) = {
            let visit = self.visit(parent);
            (visit.scope, u32::try_from(visit.attempts.len()).unwrap_or(u32::MAX))
        };
        let depth = self.path.scope(scope).depth + 1;
        if depth > DEEPEST {
            return scope;
        }
        let id = ScopeId(visit_id(self.path.scopes.len()).0);
        self.path.scopes.push(Scope {
            parent: Some(parent),
            index,
            attempt,
            depth,
            visits: Vec::new(),
            started,
            ended: None,
            ending: None,
        });
        self.visit_mut(parent).scopes.push(id);
        id
    }

    /// Whether the definition has the state in another Parallel or Map than the scope's.
    pub(super) fn contradicts_definition(&self, scope: ScopeId, name: Option<&RawText>) -> bool {
        let (Some(definition), Some(name)) = (self.definition, name) else { return false };
        let name = name.decode();
        if definition.find(&name).is_none() {
            return false;
        }
        let parent = self.path.scope(scope).parent.and_then(|parent| self.visit(parent).state.as_ref());
        match (definition.parent_of(&name), parent) {
            (Some(expected), Some(parent)) => !parent.is(&expected.name),
            (None, None) => false,
            // A parent without a name may be the right one.
            (Some(_), None) => self.path.scope(scope).parent.is_none(),
            (None, Some(_)) => true,
        }
    }

    pub(super) fn state_exited(&mut self, index: EventIndex, link: Link, kind: StateType) -> Place {
        let name = self.event(index).state_name();
        let linked = match link {
            Link::To(previous) => self.around(self.places[previous], |visit| {
                visit.exited.is_none()
                    && (visit.state.is_none() || visit.state.as_ref() == name)
                    && visit.state_type.is_none_or(|is| is == kind)
            }),
            _ => None,
        };
        let found = linked.or_else(|| {
            if !matches!(link, Link::Nowhere(_)) {
                self.path.broken_links.push(index);
            }
            name.and_then(|name| self.newest_open(&name.decode()))
        });
        let visit = found.unwrap_or_else(|| {
            let scope = self.scope_for_orphan(index, link, name);
            self.open_visit(scope, index, name.cloned(), Some(kind))
        });
        let was_nameless = self.visit(visit).state.is_none();
        if was_nameless && let Some(name) = self.name_of(index) {
            self.by_name.entry(name).or_default().push(visit);
        }
        let visit_ref = self.visit_mut(visit);
        visit_ref.exited = Some(index);
        if was_nameless {
            visit_ref.state = name.cloned();
            visit_ref.state_type = Some(kind);
        }
        Place { scope: self.visit(visit).scope, visit: Some(visit) }
    }

    pub(super) fn scope_for_orphan(&mut self, index: EventIndex, link: Link, name: Option<&RawText>) -> ScopeId {
        match link {
            Link::To(previous) => self.places[previous].scope,
            Link::Nowhere(missing) => self.scope_by_name(index, Some(missing), name),
            Link::None => self.scope_by_name(index, None, name),
        }
    }

    /// The visit of the place itself, or the nearest around it, that passes the test.
    pub(super) fn around(&self, place: Place, test: impl Fn(&Visit) -> bool) -> Option<VisitId> {
        if let Some(visit) = place.visit.filter(|visit| test(self.visit(*visit))) {
            return Some(visit);
        }
        let mut scope = place.scope;
        while let Some(parent) = self.path.scope(scope).parent {
            let visit = self.visit(parent);
            if test(visit) {
                return Some(parent);
            }
            scope = visit.scope;
        }
        None
    }

    /// Whether the place lies inside the Parallel or Map.
    pub(super) fn around_is(&self, place: Place, composite: VisitId) -> bool {
        let mut scope = place.scope;
        while let Some(parent) = self.path.scope(scope).parent {
            if parent == composite {
                return true;
            }
            scope = self.visit(parent).scope;
        }
        false
    }

    pub(super) fn state_aborted(&mut self, index: EventIndex, link: Link, state_type: StateType) -> Place {
        let place = match link {
            Link::To(previous) => self.places[previous],
            _ => Place::EXECUTION,
        };
        self.aborts.push(NamelessAbort { event: index, state_type, failing: place.visit });
        Place { scope: place.scope, visit: None }
    }

    pub(super) fn newest_open(&self, name: &str) -> Option<VisitId> {
        let visits = self.by_name.get(name)?;
        visits.iter().rev().take(CANDIDATES).copied().find(|id| self.visit(*id).exited.is_none())
    }

    /// After a redrive: the visit of this state that had not ended and that nothing has taken up again yet.
    pub(super) fn unfinished_named(&self, name: Option<&RawText>) -> Option<VisitId> {
        let name = name?.decode();
        let run = self.current_run();
        let waits = |id: &VisitId| {
            let visit = self.visit(*id);
            visit.exited.is_none() && visit.run < run && self.path.scope(visit.scope).visits.last() == Some(id)
        };
        let named = self.by_name.get(&*name).map_or(&[][..], Vec::as_slice);
        named.iter().rev().take(CANDIDATES).copied().find(waits).or_else(|| self.newest_open(&name))
    }

    /// The visit that was entered by the event with this id, before `index`.
    pub(super) fn entered_at(&self, id: EventId, index: EventIndex) -> Option<VisitId> {
        let entered = self.history.index_of(id).filter(|entered| *entered < index)?;
        let visit = self.places[entered].visit?;
        (self.visit(visit).entered == Some(entered)).then_some(visit)
    }
}

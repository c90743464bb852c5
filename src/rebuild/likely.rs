//! Where a link leads nowhere: what the definition, the names seen so far and the order make likely.
//!
//! Everything here looks at a bounded number of candidates, so that the walk stays linear; what it decides is listed among the
//! path's broken links and makes answers less sure.

use std::borrow::Cow;

use super::place::{CANDIDATES, Link, Place, Rebuilder};
use crate::model::event_type::AttemptStep;
use crate::model::path::{EventIndex, ScopeId, Visit, VisitId};
use crate::model::{Details, EventId, HistoryEvent, RawText, Role, StateType};

impl<'h> Rebuilder<'h> {
    /// The scope of a state whose link does not lead there: by the definition, else by where the state was seen before,
    /// else by what comes before in the list.
    pub(super) fn scope_by_name(&mut self, index: EventIndex, missing: Option<EventId>, name: Option<&RawText>) -> ScopeId {
        let decoded = name.map(RawText::decode);
        let name = decoded.as_deref();
        if let (Some(definition), Some(name)) = (self.definition, name)
            && definition.find(name).is_some()
        {
            let Some(parent) = definition.parent_of(name) else { return ScopeId::EXECUTION };
            if let Some(visit) = self.newest_open(&parent.name) {
                return self.scope_within(visit, missing, name);
            }
        }
        let seen_before = name.and_then(|name| self.by_name.get(name)).and_then(|visits| visits.last().copied());
        if let Some(seen) = seen_before {
            let scope = self.visit(seen).scope;
            let Some(parent) = self.path.scope(scope).parent else { return ScopeId::EXECUTION };
            let open = match &self.visit(parent).state {
                Some(name) => self.newest_open(&name.clone().decode()),
                None => Some(parent),
            };
            if let Some(parent) = open {
                return self.scope_within(parent, missing, name.unwrap_or_default());
            }
        }
        match missing.and_then(|missing| self.last_before(missing)) {
            Some(visit) => self.visit(visit).scope,
            None if index == 0 => ScopeId::EXECUTION,
            None => self.scope_after(index - 1, None),
        }
    }

    /// Among the newest visits the one whose last event is nearest before a missing one.
    pub(super) fn last_before(&self, missing: EventId) -> Option<VisitId> {
        let newest = self.path.visits().rev().take(CANDIDATES);
        newest
            .filter(|(_, visit)| self.event(visit.last_event).id < missing)
            .max_by_key(|(id, visit)| (self.event(visit.last_event).id, *id))
            .map(|(id, _)| id)
    }

    /// The branch or iteration of an open Parallel or Map in which a state of this name goes on.
    pub(super) fn scope_within(&mut self, parent: VisitId, missing: Option<EventId>, name: &str) -> ScopeId {
        let visit = self.visit(parent);
        if visit.attempts.is_empty() {
            self.begin_attempt(parent, None);
        }
        let visit = self.visit(parent);
        let attempt = u32::try_from(visit.attempts.len()).unwrap_or(u32::MAX);
        let kind = visit.state_type.unwrap_or(StateType::Map);
        let wanted_branch = (kind == StateType::Parallel).then(|| self.branch_of(name)).flatten();
        let fits = |id: &ScopeId| {
            let scope = self.path.scope(*id);
            scope.attempt == attempt && scope.ended.is_none() && wanted_branch.is_none_or(|index| scope.index == index)
        };
        let last_event = |id: &ScopeId| {
            let last = self.path.scope(*id).visits.last().map(|visit| self.visit(*visit).last_event);
            last.or(self.path.scope(*id).started).map(|event| self.event(event).id)
        };
        let leads_here = |id: &ScopeId| {
            let last = self.path.scope(*id).visits.last().and_then(|visit| self.visit(*visit).state.clone());
            match (self.definition, last) {
                (Some(definition), Some(last)) => {
                    definition.find(&last.decode()).zip(definition.find(name)).is_some_and(|(last, state)| last.leads_to(definition, state))
                }
                (Some(definition), None) => definition.find(name).is_some_and(|state| {
                    definition.machine(state.machine).start_at.is_some_and(|start| definition.state(start).name == name)
                }),
                (None, _) => true,
            }
        };
        let candidates: Vec<ScopeId> = visit.scopes.iter().rev().take(CANDIDATES).filter(|id| fits(id)).copied().collect();
        let before = |id: &ScopeId| missing.is_none_or(|missing| last_event(id).is_none_or(|last| last < missing));
        let best = candidates.iter().filter(|id| before(id)).max_by_key(|id| (leads_here(id), last_event(id)));
        if let Some(scope) = best.or(candidates.first()) {
            *scope
        } else {
            let index = wanted_branch.unwrap_or_else(|| self.branch_index(parent, None));
            self.open_scope(parent, index, None)
        }
    }

    pub(super) fn branch_of(&self, name: &str) -> Option<u64> {
        let definition = self.definition?;
        definition.find(name).map(|state| definition.machine(state.machine).index)
    }

    /// The name of a Parallel or Map by the first events inside it: an iteration names its Map, the definition knows the
    /// Parallel of a branch's first state.
    pub(super) fn name_from_what_follows(&self, started: EventIndex) -> Option<Cow<'h, str>> {
        let id = self.event(started).id;
        let following = self.history.events.iter().skip(started + 1).take(CANDIDATES);
        let first = following.filter(|event| event.previous_event_id == Some(id)).find(|event| event.state_name().is_some())?;
        let name = first.state_name()?.decode();
        match first.role() {
            Role::IterationStarted => Some(name),
            Role::StateEntered(_) => self.definition?.parent_of(&name).map(|parent| Cow::Borrowed(parent.name.as_str())),
            _ => None,
        }
    }

    pub(super) fn composite_without_entry(&mut self, index: EventIndex, link: Link, kind: StateType) -> Place {
        let name = self.name_from_what_follows(index).map(|name| RawText::plain(name.into_owned()));
        let scope = match (link, &name) {
            (Link::Nowhere(missing), Some(_)) => self.scope_by_name(index, Some(missing), name.as_ref()),
            (Link::Nowhere(missing), None) => self.scope_waiting_for(missing).unwrap_or(ScopeId::EXECUTION),
            (Link::To(previous), _) => self.places[previous].scope,
            (Link::None, _) => index.checked_sub(1).map_or(ScopeId::EXECUTION, |before| self.places[before].scope),
        };
        let visit = self.open_visit(scope, index, name.clone(), Some(kind));
        if let Some(name) = name {
            self.by_name.entry(Cow::Owned(name.decode().into_owned())).or_default().push(visit);
        }
        self.begin_attempt(visit, Some(index));
        Place { scope, visit: Some(visit) }
    }

    /// Where a Parallel or Map failed and the event that it links to is missing: the last failure inside that nothing took, else
    /// the visit inside that was last heard of.
    pub(super) fn failure_inside(&self, composite: VisitId, before: EventIndex) -> Option<(EventIndex, VisitId)> {
        let newest = self.path.visits().rev().take(CANDIDATES);
        let inside = newest.filter(|(id, visit)| {
            let place = Place { scope: visit.scope, visit: None };
            *id != composite && visit.exited.is_none() && self.around_is(place, composite)
        });
        let leaves = inside.filter(|(_, visit)| !visit.state_type.is_some_and(StateType::is_composite));
        let chosen = leaves.max_by_key(|(_, visit)| (visit.failure, visit.last_event));
        chosen.map(|(id, visit)| (visit.failure.unwrap_or(before), id))
    }

    /// The scope in which a visit is missing whose Entered event had this id: the one whose last visit exited last before.
    pub(super) fn scope_waiting_for(&self, missing: EventId) -> Option<ScopeId> {
        let newest = self.path.visits().rev().take(CANDIDATES);
        let exited = newest.filter(|(id, visit)| {
            let is_last = self.path.scope(visit.scope).visits.last() == Some(id);
            visit.exited.is_some() && is_last && self.event(visit.last_event).id < missing
        });
        exited.max_by_key(|(_, visit)| self.event(visit.last_event).id).map(|(_, visit)| visit.scope)
    }

    /// The open Task that such a step can belong to: the one of the event before, or the one whose events end
    /// nearest before the missing one.
    pub(super) fn waiting_task(&self, index: EventIndex, missing: Option<EventId>, step: AttemptStep) -> Option<VisitId> {
        let expects = |id: &VisitId| {
            let visit = self.visit(*id);
            let open = visit.exited.is_none();
            let before = missing.is_none_or(|missing| self.event(visit.last_event).id < missing);
            open && before && (missing.is_none() || step != AttemptStep::Scheduled || self.is_retry_of(visit, index))
        };
        if missing.is_none()
            && let Some(before) = index.checked_sub(1).and_then(|before| self.places[before].visit)
            && self.visit(before).state_type.is_none_or(|kind| kind == StateType::Task)
            && expects(&before)
        {
            return Some(before);
        }
        let resource = resource_of(self.event(index));
        let fits = |id: VisitId| {
            let visit = self.visit(id);
            let attempt = visit.attempts.last();
            let same = attempt
                .and_then(|attempt| attempt.scheduled)
                .and_then(|event| resource_of(self.event(event)))
                .map(|is| Some(is) == resource);
            let next = match step {
                AttemptStep::Scheduled => attempt.is_none_or(|attempt| attempt.ended.is_some()),
                _ => attempt.is_some_and(|attempt| attempt.ended.is_none()),
            };
            (same.unwrap_or(true), next, self.event(visit.last_event).id)
        };
        self.open_tasks.iter().rev().take(CANDIDATES).copied().filter(expects).max_by_key(|id| fits(*id))
    }

    /// Whether an attempt whose link is missing repeats the visit's last one, rather than beginning a visit that is missing itself:
    /// a retry sends the same, but for a new task token.
    pub(super) fn is_retry_of(&self, visit: &Visit, scheduled: EventIndex) -> bool {
        let Some(before) = visit.attempts.last().and_then(|attempt| attempt.scheduled) else { return false };
        let (Details::Scheduled(before), Details::Scheduled(after)) = (&self.event(before).details, &self.event(scheduled).details) else {
            return false;
        };
        let with_token = after.resource.as_ref().is_some_and(|resource| resource.decode().ends_with("waitForTaskToken"));
        before.resource == after.resource && before.resource_type == after.resource_type && (with_token || before.input == after.input)
    }
}

fn resource_of(event: &HistoryEvent) -> Option<&RawText> {
    match &event.details {
        Details::Scheduled(scheduled) => scheduled.resource.as_ref(),
        Details::Started(started) => started.resource.as_ref(),
        Details::Output(output) => output.resource.as_ref(),
        Details::Failure(failure) => failure.resource.as_ref(),
        _ => None,
    }
}

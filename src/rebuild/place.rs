//! Gives each event its visit, in one walk over the history.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{DEEPEST, cause_text};
use crate::asl::Definition;
use crate::model::event_type::{AttemptStep, Ending};
use crate::model::path::{Attempt, AttemptOutcome, EventIndex, Run, Scope, ScopeId, Visit, VisitId, VisitOutcome};
use crate::model::{Details, EventId, ExecutionPath, ExecutionStatus, History, HistoryEvent, RawText, Role, StateType};

/// How many candidates are looked at where a link leads nowhere; an inline Map runs at most 40 iterations at once.
const CANDIDATES: usize = 64;

/// Where an event stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub scope: ScopeId,
    pub visit: Option<VisitId>,
}

impl Place {
    const EXECUTION: Self = Self { scope: ScopeId::EXECUTION, visit: None };
}

/// What an event's `previousEventId` leads to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Link {
    /// The source wrote none, or 0.
    None,
    /// An earlier event.
    To(EventIndex),
    /// An event that is not in the history, or not before this one.
    Nowhere(EventId),
}

/// An event that ends a sibling of a failure without naming it.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamelessAbort {
    pub event: EventIndex,
    pub state_type: StateType,
    /// The visit whose failure it links to.
    pub failing: Option<VisitId>,
}

/// The walk's memory.
pub(super) struct Rebuilder<'h> {
    pub history: &'h History,
    pub definition: Option<&'h Definition>,
    pub path: ExecutionPath,
    pub places: Vec<Place>,
    pub aborts: Vec<NamelessAbort>,
    /// The visits of each state, in the order in which they were entered.
    by_name: HashMap<Cow<'h, str>, Vec<VisitId>>,
    /// The newest scope of each iteration.
    iterations: HashMap<(VisitId, u64), ScopeId>,
    /// Visits of Tasks that were open when last looked at, newest last.
    open_tasks: Vec<VisitId>,
    /// The same for Parallel and Map.
    open_composites: Vec<VisitId>,
}

fn visit_id(position: usize) -> VisitId {
    VisitId(u32::try_from(position).expect("a history of four billion events does not fit into memory"))
}

impl<'h> Rebuilder<'h> {
    pub fn new(history: &'h History, definition: Option<&'h Definition>) -> Self {
        let execution =
            Scope { parent: None, index: 0, attempt: 1, depth: 0, visits: Vec::new(), started: None, ended: None, ending: None };
        let path = ExecutionPath { scopes: vec![execution], visit_of: vec![None; history.events.len()], ..ExecutionPath::default() };
        Self {
            history,
            definition,
            path,
            places: Vec::with_capacity(history.events.len()),
            aborts: Vec::new(),
            by_name: HashMap::new(),
            iterations: HashMap::new(),
            open_tasks: Vec::new(),
            open_composites: Vec::new(),
        }
    }

    pub fn event(&self, index: EventIndex) -> &'h HistoryEvent {
        &self.history.events[index]
    }

    pub fn visit(&self, id: VisitId) -> &Visit {
        self.path.visit(id)
    }

    pub fn visit_mut(&mut self, id: VisitId) -> &mut Visit {
        &mut self.path.visits[id.0 as usize]
    }

    fn scope_mut(&mut self, id: ScopeId) -> &mut Scope {
        &mut self.path.scopes[id.0 as usize]
    }

    fn current_run(&self) -> u32 {
        u32::try_from(self.path.runs.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    pub fn link(&self, index: EventIndex) -> Link {
        let event = self.event(index);
        let Some(previous) = event.previous_event_id else { return Link::None };
        match self.history.index_of(previous) {
            Some(earlier) if earlier < index => Link::To(earlier),
            _ => Link::Nowhere(previous),
        }
    }

    /// Gives the event its place. Events must come in the order of the history.
    pub fn place(&mut self, index: EventIndex) {
        if self.path.runs.is_empty() {
            self.path.runs.push(Run { first_event: index, end: None, blame: None });
        }
        let link = self.link(index);
        if matches!(link, Link::Nowhere(_)) {
            self.path.broken_links.push(index);
        }
        let place = match self.event(index).role() {
            Role::ExecutionStarted => Place::EXECUTION,
            Role::ExecutionEnded(ending) => self.execution_ended(index, link, ending),
            Role::ExecutionRedriven => self.execution_redriven(index),
            Role::StateEntered(kind) => self.state_entered(index, link, kind),
            Role::StateExited(kind) => self.state_exited(index, link, kind),
            Role::StateAborted(kind) => self.state_aborted(index, link, kind),
            Role::CompositeStarted(kind) => self.composite_started(index, link, kind),
            Role::CompositeEnded(kind, ending) => self.composite_ended(index, link, kind, ending),
            Role::IterationStarted => self.iteration_started(index, link),
            Role::IterationEnded(ending) => self.iteration_ended(index, link, ending),
            Role::MapRunStarted | Role::MapRunRedriven => self.map_run_started(index, link),
            Role::MapRunEnded(ending) => self.map_run_ended(index, link, ending),
            Role::Attempt(step) => self.attempt_step(index, link, step),
            Role::EvaluationFailed => self.evaluation_failed(index, link),
            Role::Unknown => self.unknown(link),
        };
        self.places.push(place);
        if let Some(visit) = place.visit {
            self.path.visit_of[index] = Some(visit);
            self.visit_mut(visit).last_event = index;
        }
    }

    // ---- the execution ----------------------------------------------------------------------------------------------

    fn execution_ended(&mut self, index: EventIndex, link: Link, ending: Ending) -> Place {
        let blame = match ending {
            Ending::Succeeded => None,
            Ending::Failed => {
                let event = self.event(index);
                Some(self.blame_failure(&super::blame::End { event: Some(index), link, error: event.error(), cause: event.cause() }))
            }
            Ending::TimedOut | Ending::Aborted => Some(self.blame_open(Some(index))),
        };
        self.path.status = Some(match ending {
            Ending::Succeeded => ExecutionStatus::Succeeded,
            Ending::Failed => ExecutionStatus::Failed,
            Ending::TimedOut => ExecutionStatus::TimedOut,
            Ending::Aborted => ExecutionStatus::Aborted,
        });
        if let Some(run) = self.path.runs.last_mut() {
            run.end = Some(index);
            run.blame = blame;
        }
        Place::EXECUTION
    }

    fn execution_redriven(&mut self, index: EventIndex) -> Place {
        self.path.status = None;
        self.path.runs.push(Run { first_event: index, end: None, blame: None });
        self.reopen_composites();
        Place::EXECUTION
    }

    /// A redrive goes on inside the Parallel and Map visits that had failed: only their failed and aborted scopes run again.
    fn reopen_composites(&mut self) {
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

    fn unknown(&self, link: Link) -> Place {
        match link {
            Link::To(previous) => self.places[previous],
            _ => Place::EXECUTION,
        }
    }

    /// The end of an execution whose description says that it ended, though the event is missing.
    pub fn end_without_event(&mut self) {
        let header = &self.history.header;
        let Some(status) = header.status.filter(|status| self.path.status.is_none() && status.is_unsuccessful()) else { return };
        let end = super::blame::End { event: None, link: Link::None, error: header.error.as_ref(), cause: header.cause.as_ref() };
        let blame = if status == ExecutionStatus::Failed { self.blame_failure(&end) } else { self.blame_open(None) };
        self.path.status = Some(status);
        match self.path.runs.last_mut() {
            Some(run) => run.blame = Some(blame),
            None => self.path.runs.push(Run { first_event: 0, end: None, blame: Some(blame) }),
        }
    }

    // ---- visits -----------------------------------------------------------------------------------------------------

    fn state_entered(&mut self, index: EventIndex, link: Link, kind: StateType) -> Place {
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

    pub fn open_visit(&mut self, scope: ScopeId, event: EventIndex, state: Option<RawText>, state_type: Option<StateType>) -> VisitId {
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
    fn push_open(path: &ExecutionPath, list: &mut Vec<VisitId>, id: VisitId) {
        if list.len() == list.capacity() && list.len() >= CANDIDATES {
            list.retain(|id| path.visit(*id).exited.is_none());
            list.reserve(list.len() + 1);
        }
        list.push(id);
    }

    fn name_of(&self, index: EventIndex) -> Option<Cow<'h, str>> {
        self.event(index).state_name().map(RawText::decode)
    }

    /// The scope in which a state is entered.
    fn scope_for(&mut self, index: EventIndex, link: Link, name: Option<&RawText>) -> ScopeId {
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

    fn scope_after(&mut self, previous: EventIndex, name: Option<&RawText>) -> ScopeId {
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
    fn branch_index(&self, parent: VisitId, name: Option<&RawText>) -> u64 {
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

    fn open_scope(&mut self, parent: VisitId, index: u64, started: Option<EventIndex>) -> ScopeId {
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
    fn contradicts_definition(&self, scope: ScopeId, name: Option<&RawText>) -> bool {
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

    /// The scope of a state whose link does not lead there: by the definition, else by where the state was seen before,
    /// else by what comes before in the list.
    fn scope_by_name(&mut self, index: EventIndex, missing: Option<EventId>, name: Option<&RawText>) -> ScopeId {
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
    fn last_before(&self, missing: EventId) -> Option<VisitId> {
        let newest = self.path.visits().rev().take(CANDIDATES);
        newest
            .filter(|(_, visit)| self.event(visit.last_event).id < missing)
            .max_by_key(|(id, visit)| (self.event(visit.last_event).id, *id))
            .map(|(id, _)| id)
    }

    /// The branch or iteration of an open Parallel or Map in which a state of this name goes on.
    fn scope_within(&mut self, parent: VisitId, missing: Option<EventId>, name: &str) -> ScopeId {
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
        match best.or(candidates.first()) {
            Some(scope) => *scope,
            None => {
                let index = wanted_branch.unwrap_or_else(|| self.branch_index(parent, None));
                self.open_scope(parent, index, None)
            }
        }
    }

    fn branch_of(&self, name: &str) -> Option<u64> {
        let definition = self.definition?;
        definition.find(name).map(|state| definition.machine(state.machine).index)
    }

    pub fn newest_open(&self, name: &str) -> Option<VisitId> {
        let visits = self.by_name.get(name)?;
        visits.iter().rev().take(CANDIDATES).copied().find(|id| self.visit(*id).exited.is_none())
    }

    /// After a redrive: the visit of this state that had not ended.
    fn unfinished_named(&self, name: Option<&RawText>) -> Option<VisitId> {
        self.newest_open(&name?.decode())
    }

    fn state_exited(&mut self, index: EventIndex, link: Link, kind: StateType) -> Place {
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
        if was_nameless {
            if let Some(name) = self.name_of(index) {
                self.by_name.entry(name).or_default().push(visit);
            }
        }
        let visit_ref = self.visit_mut(visit);
        visit_ref.exited = Some(index);
        if was_nameless {
            visit_ref.state = name.cloned();
            visit_ref.state_type = Some(kind);
        }
        Place { scope: self.visit(visit).scope, visit: Some(visit) }
    }

    fn scope_for_orphan(&mut self, index: EventIndex, link: Link, name: Option<&RawText>) -> ScopeId {
        match link {
            Link::To(previous) => self.places[previous].scope,
            Link::Nowhere(missing) => self.scope_by_name(index, Some(missing), name),
            Link::None => self.scope_by_name(index, None, name),
        }
    }

    /// The visit of the place itself, or the nearest around it, that passes the test.
    pub fn around(&self, place: Place, test: impl Fn(&Visit) -> bool) -> Option<VisitId> {
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

    fn state_aborted(&mut self, index: EventIndex, link: Link, state_type: StateType) -> Place {
        let place = match link {
            Link::To(previous) => self.places[previous],
            _ => Place::EXECUTION,
        };
        self.aborts.push(NamelessAbort { event: index, state_type, failing: place.visit });
        Place { scope: place.scope, visit: None }
    }

    // ---- Parallel and Map -------------------------------------------------------------------------------------------

    /// Whether the visit is of this kind and its last attempt has not ended.
    fn is_running(visit: &Visit, kind: StateType) -> bool {
        visit.state_type == Some(kind) && visit.exited.is_none() && visit.attempts.last().is_none_or(|attempt| attempt.ended.is_none())
    }

    fn newest_running(&self, kind: StateType) -> Option<VisitId> {
        self.open_composites.iter().rev().take(CANDIDATES).copied().find(|id| Self::is_running(self.visit(*id), kind))
    }

    pub fn begin_attempt(&mut self, visit: VisitId, scheduled: Option<EventIndex>) {
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

    fn composite_started(&mut self, index: EventIndex, link: Link, kind: StateType) -> Place {
        let linked = match link {
            Link::To(previous) => {
                let place = self.places[previous];
                self.directly_behind(previous, kind).or_else(|| self.around(place, |visit| Self::is_running(visit, kind)))
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

    /// The Parallel or Map that an event of its own belongs to: its Entered event, a failed expression, its Map Run.
    fn directly_behind(&self, event: EventIndex, kind: StateType) -> Option<VisitId> {
        let own = matches!(self.event(event).role(), Role::StateEntered(_) | Role::EvaluationFailed | Role::MapRunEnded(_));
        self.places[event].visit.filter(|id| {
            let visit = self.visit(*id);
            own && visit.state_type == Some(kind) && visit.exited.is_none()
        })
    }

    fn newest_unfinished(&self, kind: StateType) -> Option<VisitId> {
        self.open_composites.iter().rev().take(CANDIDATES).copied().find(|id| {
            let visit = self.visit(*id);
            visit.state_type == Some(kind) && visit.exited.is_none()
        })
    }

    /// The name of a Parallel or Map by the first events inside it: an iteration names its Map, the definition knows the
    /// Parallel of a branch's first state.
    fn name_from_what_follows(&self, started: EventIndex) -> Option<Cow<'h, str>> {
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

    fn composite_without_entry(&mut self, index: EventIndex, link: Link, kind: StateType) -> Place {
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

    /// Ends the last attempt of a Parallel or Map because of the failure that `cause` records, unless it ended already.
    fn fail_attempt(&mut self, composite: VisitId, cause: EventIndex) {
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
    pub fn failure_behind(&self, event: EventIndex) -> Option<(EventIndex, VisitId)> {
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

    fn composite_ended(&mut self, index: EventIndex, link: Link, kind: StateType, ending: Ending) -> Place {
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

    /// Where a Parallel or Map failed and the event that it links to is missing: the last failure inside that nothing took, else
    /// the visit inside that was last heard of.
    fn failure_inside(&self, composite: VisitId, before: EventIndex) -> Option<(EventIndex, VisitId)> {
        let newest = self.path.visits().rev().take(CANDIDATES);
        let inside = newest.filter(|(id, visit)| {
            let place = Place { scope: visit.scope, visit: None };
            *id != composite && visit.exited.is_none() && self.around_is(place, composite)
        });
        let leaves = inside.filter(|(_, visit)| !visit.state_type.is_some_and(StateType::is_composite));
        let chosen = leaves.max_by_key(|(_, visit)| (visit.failure, visit.last_event));
        chosen.map(|(id, visit)| (visit.failure.unwrap_or(before), id))
    }

    /// Whether the place lies inside the Parallel or Map.
    fn around_is(&self, place: Place, composite: VisitId) -> bool {
        let mut scope = place.scope;
        while let Some(parent) = self.path.scope(scope).parent {
            if parent == composite {
                return true;
            }
            scope = self.visit(parent).scope;
        }
        false
    }

    fn end_attempt(&mut self, visit: VisitId, event: EventIndex, outcome: AttemptOutcome) {
        if let Some(attempt) = self.visit_mut(visit).attempts.last_mut() {
            attempt.ended = Some(event);
            attempt.outcome = outcome;
        }
    }

    fn map_named(&self, place: Place, name: Option<&RawText>) -> Option<VisitId> {
        self.around(place, |visit| {
            visit.state_type == Some(StateType::Map) && visit.exited.is_none() && (name.is_none() || visit.state.as_ref() == name)
        })
    }

    fn iteration_started(&mut self, index: EventIndex, link: Link) -> Place {
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
        let scope = self.open_scope(map, number, Some(index));
        self.iterations.insert((map, number), scope);
        Place { scope, visit: None }
    }

    fn iteration_ended(&mut self, index: EventIndex, link: Link, ending: Ending) -> Place {
        let Some(scope) = self.ended_iteration(index, link, ending) else {
            self.path.unplaced.push(index);
            return self.unknown(link);
        };
        let entry = self.scope_mut(scope);
        entry.ended = Some(index);
        entry.ending = Some(ending);
        Place { scope, visit: None }
    }

    fn ended_iteration(&self, index: EventIndex, link: Link, ending: Ending) -> Option<ScopeId> {
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

    fn map_run_started(&mut self, index: EventIndex, link: Link) -> Place {
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

    fn map_of_run(&self, link: Link) -> Option<VisitId> {
        let linked = match link {
            Link::To(previous) => self.map_named(self.places[previous], None),
            _ => None,
        };
        linked.or_else(|| self.newest_unfinished(StateType::Map))
    }

    fn map_run_ended(&mut self, index: EventIndex, link: Link, ending: Ending) -> Place {
        let Some(map) = self.map_of_run(link) else {
            self.path.unplaced.push(index);
            return self.unknown(link);
        };
        if matches!(ending, Ending::Failed | Ending::TimedOut) {
            let visit = self.visit_mut(map);
            visit.failure = Some(index);
            visit.failed_by = Some(map);
        }
        Place { scope: self.visit(map).scope, visit: Some(map) }
    }

    // ---- attempts ---------------------------------------------------------------------------------------------------

    fn attempt_step(&mut self, index: EventIndex, link: Link, step: AttemptStep) -> Place {
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

    fn task_for(&mut self, index: EventIndex, link: Link, step: AttemptStep) -> VisitId {
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

    /// The scope in which a visit is missing whose Entered event had this id: the one whose last visit exited last before.
    fn scope_waiting_for(&self, missing: EventId) -> Option<ScopeId> {
        let newest = self.path.visits().rev().take(CANDIDATES);
        let exited = newest.filter(|(id, visit)| {
            let is_last = self.path.scope(visit.scope).visits.last() == Some(id);
            visit.exited.is_some() && is_last && self.event(visit.last_event).id < missing
        });
        exited.max_by_key(|(_, visit)| self.event(visit.last_event).id).map(|(_, visit)| visit.scope)
    }

    /// After a redrive: the Task that had not ended, called the same resource, with the same payload if there are several.
    fn redriven_task(&self, index: EventIndex) -> Option<VisitId> {
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

    /// The open Task that such a step can belong to: the one of the event before, or the one whose events end
    /// nearest before the missing one.
    fn waiting_task(&self, index: EventIndex, missing: Option<EventId>, step: AttemptStep) -> Option<VisitId> {
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
    fn is_retry_of(&self, visit: &Visit, scheduled: EventIndex) -> bool {
        let Some(before) = visit.attempts.last().and_then(|attempt| attempt.scheduled) else { return false };
        let (Details::Scheduled(before), Details::Scheduled(after)) = (&self.event(before).details, &self.event(scheduled).details) else {
            return false;
        };
        let with_token = after.resource.as_ref().is_some_and(|resource| resource.decode().ends_with("waitForTaskToken"));
        before.resource == after.resource && before.resource_type == after.resource_type && (with_token || before.input == after.input)
    }

    fn evaluation_failed(&mut self, index: EventIndex, link: Link) -> Place {
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

    fn evaluated(&mut self, index: EventIndex, link: Link) -> VisitId {
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

    /// The visit that was entered by the event with this id, before `index`.
    pub fn entered_at(&self, id: EventId, index: EventIndex) -> Option<VisitId> {
        let entered = self.history.index_of(id).filter(|entered| *entered < index)?;
        let visit = self.places[entered].visit?;
        (self.visit(visit).entered == Some(entered)).then_some(visit)
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

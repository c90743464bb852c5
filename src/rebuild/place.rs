//! The walk: gives each event its place, by the rule of its kind.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::asl::Definition;
use crate::model::event_type::Ending;
use crate::model::path::{EventIndex, Run, Scope, ScopeId, Visit, VisitId};
use crate::model::{EventId, ExecutionPath, ExecutionStatus, History, HistoryEvent, Role, StateType};

/// How many candidates are looked at where a link leads nowhere; an inline Map runs at most 40 iterations at once.
pub(super) const CANDIDATES: usize = 64;

/// Where an event stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub scope: ScopeId,
    pub visit: Option<VisitId>,
}

impl Place {
    pub const EXECUTION: Self = Self { scope: ScopeId::EXECUTION, visit: None };
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
    /// Nothing but failures was logged.
    pub failures_only: bool,
    pub path: ExecutionPath,
    pub places: Vec<Place>,
    pub aborts: Vec<NamelessAbort>,
    /// The visits of each state, in the order in which they were entered.
    pub by_name: HashMap<Cow<'h, str>, Vec<VisitId>>,
    /// The newest scope of each iteration.
    pub iterations: HashMap<(VisitId, u64), ScopeId>,
    /// Visits of Tasks that were open when last looked at, newest last.
    pub open_tasks: Vec<VisitId>,
    /// The same for Parallel and Map.
    pub open_composites: Vec<VisitId>,
}

pub(super) fn visit_id(position: usize) -> VisitId {
    VisitId(u32::try_from(position).expect("a history of four billion events does not fit into memory"))
}

impl<'h> Rebuilder<'h> {
    pub(super) fn new(history: &'h History, definition: Option<&'h Definition>) -> Self {
        let execution =
            Scope { parent: None, index: 0, attempt: 1, depth: 0, visits: Vec::new(), started: None, ended: None, ending: None };
        let path = ExecutionPath { scopes: vec![execution], visit_of: vec![None; history.events.len()], ..ExecutionPath::default() };
        Self {
            history,
            definition,
            failures_only: super::failures_only::is_failures_only(history),
            path,
            places: Vec::with_capacity(history.events.len()),
            aborts: Vec::new(),
            by_name: HashMap::new(),
            iterations: HashMap::new(),
            open_tasks: Vec::new(),
            open_composites: Vec::new(),
        }
    }

    pub(super) fn event(&self, index: EventIndex) -> &'h HistoryEvent {
        &self.history.events[index]
    }

    pub(super) fn visit(&self, id: VisitId) -> &Visit {
        self.path.visit(id)
    }

    pub(super) fn visit_mut(&mut self, id: VisitId) -> &mut Visit {
        &mut self.path.visits[id.0 as usize]
    }

    pub(super) fn scope_mut(&mut self, id: ScopeId) -> &mut Scope {
        &mut self.path.scopes[id.0 as usize]
    }

    pub(super) fn current_run(&self) -> u32 {
        u32::try_from(self.path.runs.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    pub(super) fn link(&self, index: EventIndex) -> Link {
        let event = self.event(index);
        let Some(previous) = event.previous_event_id else { return Link::None };
        match self.history.index_of(previous) {
            Some(earlier) if earlier < index => Link::To(earlier),
            _ => Link::Nowhere(previous),
        }
    }

    /// Gives the event its place. Events must come in the order of the history.
    pub(super) fn place(&mut self, index: EventIndex) {
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

    pub(super) fn execution_ended(&mut self, index: EventIndex, link: Link, ending: Ending) -> Place {
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

    pub(super) fn execution_redriven(&mut self, index: EventIndex) -> Place {
        self.path.status = None;
        self.path.runs.push(Run { first_event: index, end: None, blame: None });
        self.reopen_composites();
        Place::EXECUTION
    }

    pub(super) fn unknown(&self, link: Link) -> Place {
        match link {
            Link::To(previous) => self.places[previous],
            _ => Place::EXECUTION,
        }
    }

    /// The end of an execution whose description says that it ended, though the event is missing.
    pub(super) fn end_without_event(&mut self) {
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
}

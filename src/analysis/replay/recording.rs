//! What a recorded history tells of the world in which its execution ran: the answers of tasks, and where each event belongs.
//!
//! Of an execution that was redriven only the first run counts: a redrive begins in the middle of a definition.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use crate::model::event_type::{AttemptStep, Ending};
use crate::model::path::{Scope, ScopeId, Visit};
use crate::model::{Details, EventType, ExecutionPath, History, HistoryEvent, Role, Timestamp};

/// The way to a state through Parallel and Map states: name and number of the branch or iteration, outermost first.
pub(super) type ScopePath = Rc<[(Rc<str>, u64)]>;

/// Which attempt of which visit of which state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub state: Rc<str>,
    pub scope: ScopePath,
    /// From 1, among the visits of the state with this scope path.
    pub visit: u32,
    /// From 1.
    pub attempt: u32,
}

/// The state that an event belongs to; `None` for events of the execution. Those of an iteration name the Map, and the scope is
/// the iteration's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Belongs {
    pub state: Option<Rc<str>>,
    pub scope: ScopePath,
}

/// The events of one attempt of a Task, by position in the history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct AttemptEvents {
    pub scheduled: Option<usize>,
    pub started: Option<usize>,
    pub submitted: Option<usize>,
    /// The last event that reports a result or a failure of the task itself; an expression that failed later is none.
    pub ended: Option<usize>,
}

/// The events of one Map Run, by position in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MapRunEvents {
    pub started: usize,
    pub ended: Option<usize>,
    /// The end of the whole visit, if this was its last Map Run.
    pub exited: Option<usize>,
}

/// A recorded execution, laid out for looking up.
#[derive(Debug)]
pub(super) struct Recording<'h> {
    pub history: &'h History,
    /// How many events there are before the first redrive.
    pub length: usize,
    /// For each event of the first run.
    pub belongs: Vec<Belongs>,
    attempts: HashMap<Key, AttemptEvents>,
    map_runs: HashMap<Key, MapRunEvents>,
    /// Maps and Parallels of which a branch or iteration did not end well: where they stand, and their names.
    failed: HashSet<(ScopePath, Rc<str>)>,
    /// Whether branches or iterations ran beside each other.
    has_siblings: bool,
    /// Visits that ended the execution without an attempt: what the service refused to do.
    refused: HashMap<Key, usize>,
}

impl<'h> Recording<'h> {
    /// Lays out a history by its rebuilt path.
    pub fn new(history: &'h History, path: &ExecutionPath) -> Self {
        let redriven = history.events.iter().position(|event| event.role() == Role::ExecutionRedriven);
        let length = redriven.unwrap_or(history.events.len());
        let scopes = scope_paths(path);
        let belongs = belongings(history, path, &scopes, length);
        let mut recording = Self {
            history,
            length,
            belongs,
            attempts: HashMap::new(),
            map_runs: HashMap::new(),
            failed: failed(path, &scopes),
            has_siblings: path.visits.iter().any(|visit| visit.scopes.len() > 1),
            refused: HashMap::new(),
        };
        recording.find_attempts(path, &scopes);
        recording
    }

    /// The events of the first run.
    pub fn events(&self) -> &'h [HistoryEvent] {
        &self.history.events[..self.length]
    }

    /// The recorded attempt.
    pub fn attempt(&self, key: &Key) -> Option<AttemptEvents> {
        self.attempts.get(key).copied()
    }

    /// The recorded Map Run.
    pub fn map_run(&self, key: &Key) -> Option<MapRunEvents> {
        self.map_runs.get(key).copied()
    }

    /// The event that ended the execution because the service refused to run this state, which left no event of its own.
    pub fn refusal(&self, key: &Key) -> Option<&'h HistoryEvent> {
        self.events().get(*self.refused.get(key)?)
    }

    /// Maps and Parallels of which a branch or iteration did not end well.
    pub fn failed(&self) -> &HashSet<(ScopePath, Rc<str>)> {
        &self.failed
    }

    /// Whether branches or iterations ran beside each other.
    pub fn has_siblings(&self) -> bool {
        self.has_siblings
    }

    /// When the execution started.
    pub fn start(&self) -> Option<Timestamp> {
        self.events().iter().find_map(|event| event.timestamp).or(self.history.header.start)
    }

    /// Whether the history ends with the end of the execution.
    pub fn is_finished(&self) -> bool {
        matches!(self.events().last().map(HistoryEvent::role), Some(Role::ExecutionEnded(_)))
    }

    fn find_attempts(&mut self, path: &ExecutionPath, scopes: &[ScopePath]) {
        let steps = steps_of_visits(self.history, path, self.length);
        let mut visits: HashMap<(Rc<str>, ScopePath), u32> = HashMap::new();
        for ((_, visit), steps) in path.visits().zip(&steps).filter(|((_, visit), _)| visit.first_event < self.length) {
            let Some(name) = &visit.state else { continue };
            let place = (Rc::<str>::from(&*name.decode()), Rc::clone(&scopes[visit.scope.0 as usize]));
            let bounds = attempt_bounds(visit);
            let refused = self.refused_at(visit, &bounds);
            // A visit counts when it asks for something, as it does in the interpreter.
            if steps.is_empty() && visit.map_runs.is_empty() && refused.is_none() {
                continue;
            }
            let count = visits.entry(place.clone()).or_default();
            *count += 1;
            let visit_number = *count;
            for (attempt, bounds) in (1..).zip(&bounds) {
                let (state, scope) = place.clone();
                let key = Key { state, scope, visit: visit_number, attempt };
                if let Some(events) = map_run_events(self.history, visit, steps, bounds) {
                    self.map_runs.insert(key, events);
                } else {
                    let events = attempt_events(self.history, steps, bounds);
                    // Expressions that failed before anything was called are attempts without an answer.
                    if events != AttemptEvents::default() {
                        self.attempts.insert(key, events);
                    }
                }
            }
            if let Some(last) = refused {
                let (state, scope) = place;
                self.refused.insert(Key { state, scope, visit: visit_number, attempt: 1 }, last);
            }
        }
    }

    /// The event that ended the execution, if it says that it was at this visit, which has no attempt.
    fn refused_at(&self, visit: &Visit, bounds: &[Range<usize>]) -> Option<usize> {
        let last = self.length.checked_sub(1)?;
        let entered = self.history.events[visit.entered?].id;
        let event = &self.history.events[last];
        let cause = (event.kind == EventType::ExecutionFailed).then(|| event.cause())??.decode();
        let named = crate::rebuild::state_in_cause(&cause)?;
        (bounds.is_empty() && visit.exited.is_none() && named.entered_event_id == Some(entered.0)).then_some(last)
    }
}

/// For each scope the way to it. A scope is opened after the one around it, so one pass will do.
pub(super) fn scope_paths(path: &ExecutionPath) -> Vec<ScopePath> {
    let mut found: Vec<ScopePath> = Vec::with_capacity(path.scopes.len());
    for scope in &path.scopes {
        let Some(parent) = scope.parent.map(|parent| path.visit(parent)) else {
            found.push(Rc::from([]));
            continue;
        };
        let around = found.get(parent.scope.0 as usize).cloned().unwrap_or_else(|| Rc::from([]));
        let name = parent.state.as_ref().map_or(Rc::from("?"), |name| Rc::from(&*name.decode()));
        found.push(around.iter().cloned().chain([(name, scope.index)]).collect());
    }
    if found.is_empty() {
        found.push(Rc::from([]));
    }
    found
}

fn failed(path: &ExecutionPath, scopes: &[ScopePath]) -> HashSet<(ScopePath, Rc<str>)> {
    let unwell = path.scopes.iter().zip(scopes).filter(|(scope, _)| scope.parent.is_some() && scope.ending != Some(Ending::Succeeded));
    let parents = unwell.filter_map(|(_, own)| own.split_last());
    parents.map(|((name, _), around)| (Rc::from(around), Rc::clone(name))).collect()
}

/// Where each event of the first run belongs.
pub(super) fn belongings(history: &History, path: &ExecutionPath, scopes: &[ScopePath], length: usize) -> Vec<Belongs> {
    let ends = |scope: &Scope| [scope.started, scope.ended].into_iter().flatten();
    let iterations: HashMap<usize, usize> =
        path.scopes.iter().enumerate().flat_map(|(number, scope)| ends(scope).map(move |event| (event, number))).collect();
    let place = |index: usize| {
        let named = || history.events[index].state_name().map(|name| Rc::from(&*name.decode()));
        match (path.visit_of.get(index).copied().flatten(), iterations.get(&index)) {
            (Some(visit), _) => {
                let visit = path.visit(visit);
                let state = visit.state.as_ref().map(|name| Rc::from(&*name.decode()));
                Belongs { state, scope: Rc::clone(&scopes[visit.scope.0 as usize]) }
            }
            (None, Some(scope)) => Belongs { state: named(), scope: Rc::clone(&scopes[*scope]) },
            (None, None) => Belongs { state: named(), scope: Rc::clone(&scopes[ScopeId::EXECUTION.0 as usize]) },
        }
    };
    (0..length).map(place).collect()
}

/// For each visit the positions of its attempts' events, in order.
fn steps_of_visits(history: &History, path: &ExecutionPath, length: usize) -> Vec<Vec<usize>> {
    let mut steps = vec![Vec::new(); path.visits.len()];
    for (index, visit) in path.visit_of.iter().enumerate().take(length) {
        if let (Some(visit), Role::Attempt(_) | Role::MapRunEnded(_)) = (visit, history.events[index].role()) {
            steps[visit.0 as usize].push(index);
        }
    }
    steps
}

/// For each attempt of a visit's first run the positions between which its events stand.
fn attempt_bounds(visit: &Visit) -> Vec<Range<usize>> {
    let of_first_run = visit.attempts.iter().filter(|attempt| attempt.run == 0);
    let starts: Vec<usize> = of_first_run
        .map(|attempt| [attempt.scheduled, attempt.started, attempt.submitted, attempt.ended].into_iter().flatten().min().unwrap_or(0))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

fn attempt_events(history: &History, steps: &[usize], bounds: &Range<usize>) -> AttemptEvents {
    let mut events = AttemptEvents::default();
    for index in steps.iter().copied().filter(|index| bounds.contains(index)) {
        match history.events[index].role() {
            Role::Attempt(AttemptStep::Scheduled) => events.scheduled = Some(index),
            Role::Attempt(AttemptStep::Started) => events.started = Some(index),
            Role::Attempt(AttemptStep::Submitted) => events.submitted = Some(index),
            _ => events.ended = Some(index),
        }
    }
    events
}

fn map_run_events(history: &History, visit: &Visit, steps: &[usize], bounds: &Range<usize>) -> Option<MapRunEvents> {
    let started = visit.map_runs.iter().copied().find(|index| bounds.contains(index))?;
    let is_end = |index: &usize| bounds.contains(index) && matches!(history.events[*index].role(), Role::MapRunEnded(_));
    let exited = visit.exited.filter(|_| visit.map_runs.last() == Some(&started));
    Some(MapRunEvents { started, ended: steps.iter().copied().find(is_end), exited })
}

/// The name of the worker that took an activity's task.
pub(super) fn worker(event: &HistoryEvent) -> Option<Rc<str>> {
    match &event.details {
        Details::Started(started) => started.worker_name.as_ref().map(|name| Rc::from(&*name.decode())),
        _ => None,
    }
}

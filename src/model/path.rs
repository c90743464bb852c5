//! The rebuilt path of an execution: scopes hold visits, visits hold attempts and, for Parallel and Map, scopes again.
//!
//! Scopes and visits stand in two flat lists and name each other by position, so that a path of any depth is walked
//! without recursion. Events are named by their position in [`History::events`](super::History).

use super::event_type::Ending;
use super::{ExecutionStatus, RawText, StateType};

/// Position in `History::events`.
pub type EventIndex = usize;

/// Position in [`ExecutionPath::scopes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeId(pub u32);

/// Position in [`ExecutionPath::visits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VisitId(pub u32);

impl ScopeId {
    /// The execution itself.
    pub const EXECUTION: Self = Self(0);
}

/// What an execution did.
#[derive(Debug, Clone, Default)]
pub struct ExecutionPath {
    /// The first is the execution itself.
    pub scopes: Vec<Scope>,
    /// In the order in which they were entered.
    pub visits: Vec<Visit>,
    /// One, and one more for each redrive.
    pub runs: Vec<Run>,
    /// For each event the visit that it belongs to; `None` for the execution's own events and those in `unplaced`.
    pub visit_of: Vec<Option<VisitId>>,
    /// Events that could not be given to any visit.
    pub unplaced: Vec<EventIndex>,
    /// Events whose link leads nowhere, or is missing where the service writes one; placed by their order.
    pub broken_links: Vec<EventIndex>,
    /// By the last event that ends the execution; `None` when the history holds none, or ends after a redrive.
    pub status: Option<ExecutionStatus>,
}

/// What happened between two redrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its first event: `ExecutionStarted` or `ExecutionRedriven`.
    pub first_event: EventIndex,
    /// The event that ended the execution, or this run of it.
    pub end: Option<EventIndex>,
    /// Where it ended, when it did not succeed.
    pub blame: Option<Blame>,
}

/// What the naming of a state rests on, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The links from the end lead to the failure event of an attempt.
    TaskChain,
    /// An `EvaluationFailed` event names the state.
    EvaluationEvent,
    /// The cause of the execution's end names the state.
    CauseText,
    /// The links lead to a Fail state.
    FailState,
    /// No event tells; the nearest visit to the end was taken.
    NearestVisit,
    /// Only the execution's own end is known.
    ExecutionEvent,
}

impl Basis {
    /// As JSON and tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TaskChain => "task_chain",
            Self::EvaluationEvent => "evaluation_event",
            Self::CauseText => "cause_text",
            Self::FailState => "fail_state",
            Self::NearestVisit => "nearest_visit",
            Self::ExecutionEvent => "execution_event",
        }
    }
}

/// The innermost visit at which the execution, or a run of it, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blame {
    /// `None` when nothing tells.
    pub visit: Option<VisitId>,
    /// The event that records the failure; `None` when the execution's end is not in the history and nothing else tells.
    pub event: Option<EventIndex>,
    /// What the naming rests on.
    pub basis: Basis,
    /// How many visits it could have been as well.
    pub alternatives: usize,
}

/// A list of visits, one after the other: the execution, a branch of a Parallel, an iteration of a Map.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The Parallel or Map visit that holds it; `None` for the execution.
    pub parent: Option<VisitId>,
    /// Which branch or iteration, from 0; 0 for the execution.
    pub index: u64,
    /// Which attempt of the parent it belongs to, from 1.
    pub attempt: u32,
    /// How many Parallel and Map visits enclose it.
    pub depth: u32,
    /// In the order in which they were entered.
    pub visits: Vec<VisitId>,
    /// `MapIterationStarted`; `None` for others.
    pub started: Option<EventIndex>,
    /// `MapIterationSucceeded` and its like; `None` for others.
    pub ended: Option<EventIndex>,
    /// How the branch or iteration ended, where an event says so or its parent's end does.
    pub ending: Option<Ending>,
}

/// How a visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitOutcome {
    /// Entered and not closed by anything in the history.
    Open,
    /// Exited without a failure, or after a retry that cured it.
    Succeeded,
    /// Exited after a failure that a Catch took.
    Caught,
    /// Failed, uncaught.
    Failed,
    /// Ended because a sibling failed or the execution was stopped or ran out of time.
    Aborted,
}

impl VisitOutcome {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Succeeded, Self::Caught, Self::Failed, Self::Aborted];

    /// As tables and JSON have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Succeeded => "succeeded",
            Self::Caught => "caught",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }
}

/// One entry into a state, to its exit.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The state's name; `None` when neither its Entered nor its Exited event is in the history.
    pub state: Option<RawText>,
    /// Whether the name is not in the history, but follows from the definition.
    pub name_inferred: bool,
    /// The kind of state, where the history tells.
    pub state_type: Option<StateType>,
    /// Where it was.
    pub scope: ScopeId,
    /// Its `…StateEntered` event; `None` when it is missing.
    pub entered: Option<EventIndex>,
    /// Its `…StateExited` event.
    pub exited: Option<EventIndex>,
    /// Its `…StateAborted` event; interchangeable among siblings of one kind, since the event names no state.
    pub aborted: Option<EventIndex>,
    /// The first event that belongs to it.
    pub first_event: EventIndex,
    /// The last event that belongs to it.
    pub last_event: EventIndex,
    /// Attempts of a Task; of a Parallel or Map, runs of the whole state.
    pub attempts: Vec<Attempt>,
    /// Branches and iterations, those of earlier attempts included, in the order in which they began.
    pub scopes: Vec<ScopeId>,
    /// `MapRunStarted` events of a Distributed Map.
    pub map_runs: Vec<EventIndex>,
    /// How it ended.
    pub outcome: VisitOutcome,
    /// The event that records its last failure, caught or not; for a Parallel or Map that of the innermost visit that failed it.
    pub failure: Option<EventIndex>,
    /// The innermost visit that failed it: itself for all but Parallel and Map.
    pub failed_by: Option<VisitId>,
    /// The number of the run in which it was entered, from 0.
    pub run: u32,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// Nothing in the history ends it.
    Open,
    /// It gave a result.
    Succeeded,
    /// It failed.
    Failed,
    /// It ran out of time, or its heartbeat did.
    TimedOut,
    /// A sibling's failure, a stop or a time limit ended it.
    Aborted,
}

impl AttemptOutcome {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Succeeded, Self::Failed, Self::TimedOut, Self::Aborted];

    /// As tables and JSON have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Aborted => "aborted",
        }
    }

    /// Whether the attempt failed or ran out of time.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut)
    }
}

/// One try in a visit; attempt 2 is the first retry.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// From 1; a redrive starts again at 1.
    pub number: u32,
    /// `TaskScheduled` and its like; `ParallelStateStarted`, `MapStateStarted`. `None` when evaluation failed before, or the event is missing.
    pub scheduled: Option<EventIndex>,
    /// `TaskStarted` and its like.
    pub started: Option<EventIndex>,
    /// `TaskSubmitted`: from here a callback, job or child execution is waited for.
    pub submitted: Option<EventIndex>,
    /// The event that ended it.
    pub ended: Option<EventIndex>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// Of a Parallel or Map: the innermost visit that failed this attempt.
    pub failed_by: Option<VisitId>,
    /// The number of the run it belongs to, from 0.
    pub run: u32,
}

impl ExecutionPath {
    /// The scope at this position.
    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }

    /// The visit at this position.
    pub fn visit(&self, id: VisitId) -> &Visit {
        &self.visits[id.0 as usize]
    }

    /// All visits with their positions, in the order in which they were entered.
    pub fn visits(&self) -> impl DoubleEndedIterator<Item = (VisitId, &Visit)> + ExactSizeIterator {
        self.visits
            .iter()
            .enumerate()
            .map(|(position, visit)| (VisitId(u32::try_from(position).expect("a path has fewer visits than a history has events")), visit))
    }

    /// The Parallel and Map visits around a scope, outermost first, each with the index of the branch or iteration.
    pub fn enclosing(&self, scope: ScopeId) -> Vec<(VisitId, u64)> {
        let mut found = Vec::new();
        let mut at = self.scope(scope);
        while let Some(parent) = at.parent {
            found.push((parent, at.index));
            at = self.scope(self.visit(parent).scope);
        }
        found.reverse();
        found
    }

    /// The labels of a scope, outermost first, such as `["Fulfil[2]"]`; empty for the execution.
    pub fn labels(&self, scope: ScopeId) -> Vec<String> {
        self.enclosing(scope)
            .into_iter()
            .map(|(visit, index)| match &self.visit(visit).state {
                Some(name) => format!("{}[{index}]", name.decode()),
                None => format!("?[{index}]"),
            })
            .collect()
    }

    /// The last run.
    pub fn last_run(&self) -> Option<&Run> {
        self.runs.last()
    }

    /// The visit that came before in the same scope. What a redrive entered again came before nothing: it is the same step.
    pub fn predecessor(&self, id: VisitId) -> Option<VisitId> {
        let visit = self.visit(id);
        let siblings = &self.scope(visit.scope).visits;
        let position = siblings.binary_search(&id).ok()?;
        let is_repeated = |before: &VisitId| {
            let before = self.visit(*before);
            before.run < visit.run && before.exited.is_none() && before.state.is_some() && before.state == visit.state
        };
        siblings[..position].iter().rev().copied().find(|before| !is_repeated(before))
    }
}

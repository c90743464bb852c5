//! What counts as one observation of an error: a visit, or all visits within one Map or Parallel.
//!
//! Attempts of one visit share a fate: an input that nobody can read fails as often as it is retried. So do the items of one Map
//! that hang together. Counting each would make one event look like many, so they are one observation; how many attempts there
//! were is told beside it.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::analysis::observed::{Attempt, Class, Execution, Name, Observed};
use crate::analysis::statistics::quantile_of;
use crate::model::path::AttemptOutcome;
use crate::model::{ExecutionStatus, Micros};

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Fault {
    /// With an error, or with none that was named.
    Error(Option<Name>),
    /// It had not answered when the execution's own time was up.
    TimeLimit,
}

/// A failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed {
    pub fault: Fault,
    /// When it began to fail: of what ran out of time when it was scheduled, else when it ended.
    pub at: Micros,
}

/// How an attempt ended.
enum Ended {
    Well,
    Badly(Failed),
}

/// One observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Its execution.
    pub execution: u32,
    /// When its first attempt was scheduled.
    pub at: Micros,
    /// When its last attempt ended.
    pub last: Micros,
    /// Attempts that ended.
    pub attempts: u64,
    /// In the order of time.
    pub failed: Vec<Failed>,
}

/// What an execution's own time limit says when it is up.
pub(super) const TIME_LIMIT: &str = "States.Timeout";
/// An attempt that was open when the execution's time was up had hung if it took longer than all but one in twenty that succeed,
/// and twice as long as those.
const HUNG: f64 = 2.0;

/// The observations of a state, in the order of time.
pub(super) fn units(observed: &Observed, class: &Class, now: Micros) -> Vec<Unit> {
    let mut places: HashMap<(u32, bool, u32), usize, RandomState> = HashMap::default();
    let mut units: Vec<Unit> = Vec::new();
    let patience = patience(class);
    let known_limit = observed.names.find(TIME_LIMIT);
    for attempt in &class.attempts {
        let Some(scheduled) = attempt.scheduled.filter(|scheduled| *scheduled <= now) else { continue };
        let Some(ended) = outcome(attempt, scheduled, observed.execution_of(attempt), patience, known_limit) else { continue };
        let key = match attempt.parent_visit {
            Some(parent) => (attempt.execution, true, parent),
            None => (attempt.execution, false, attempt.visit),
        };
        let place = *places.entry(key).or_insert_with(|| {
            units.push(Unit { execution: attempt.execution, at: scheduled, last: scheduled, attempts: 0, failed: Vec::new() });
            units.len() - 1
        });
        let unit = &mut units[place];
        unit.attempts += 1;
        unit.last = unit.last.max(attempt.ended.unwrap_or(scheduled));
        if let Ended::Badly(failed) = ended {
            unit.failed.push(failed);
        }
    }
    units.sort_by_key(|unit| (unit.at, unit.execution));
    units
}

/// How an attempt ended; `None` where that cannot be told.
fn outcome(attempt: &Attempt, scheduled: Micros, execution: &Execution, patience: Option<f64>, known_limit: Option<Name>) -> Option<Ended> {
    let failed = |fault: Fault, at: Micros| Some(Ended::Badly(Failed { fault, at }));
    match attempt.outcome {
        AttemptOutcome::Succeeded => Some(Ended::Well),
        AttemptOutcome::Failed => failed(Fault::Error(attempt.error), attempt.ended.unwrap_or(scheduled)),
        AttemptOutcome::TimedOut => failed(Fault::Error(attempt.error.or(known_limit)), scheduled),
        AttemptOutcome::Open | AttemptOutcome::Aborted => {
            let stop = execution.stop.filter(|_| execution.status == Some(ExecutionStatus::TimedOut))?;
            // What ended before was stopped by something else.
            let was_open = attempt.ended.is_none_or(|ended| ended >= stop);
            let hung = patience.is_none_or(|patience| stop.milliseconds_since(scheduled) > patience);
            let fault = known_limit.map_or(Fault::TimeLimit, |name| Fault::Error(Some(name)));
            if was_open && hung { failed(fault, scheduled) } else { None }
        }
    }
}

/// After how many milliseconds an attempt of this state hangs; `None` where none ever succeeded.
fn patience(class: &Class) -> Option<f64> {
    let succeeded = class.attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Succeeded);
    let mut durations: Vec<f64> = succeeded.filter_map(Attempt::duration_ms).collect();
    Some(quantile_of(&mut durations, 0.95)? * HUNG)
}

impl Unit {
    /// The first failure of a kind.
    pub fn first(&self, fault: Fault) -> Option<&Failed> {
        self.failed.iter().find(|failed| failed.fault == fault)
    }
}

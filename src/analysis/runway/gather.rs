//! What is kept of each execution while they pass: the largest of each hour, those nearest to a limit, and what runs.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::report::{EVENTS, PAYLOAD_BYTES};
use super::shape::{self, Shape};
use super::trend::hour_of;
use crate::analysis::execution::time_limit_of_machine;
use crate::analysis::fleet::Question;
use crate::model::facts::{Needs, WorkflowType};
use crate::model::{ExecutionFacts, ExecutionStatus, Micros, VisitFacts};

/// So many executions are named.
pub(super) const NAMED: usize = 10;
/// Histories shorter than a tenth of what is allowed are only counted.
pub(super) const LEAST_EVENTS: u64 = EVENTS / 10;
/// Payloads smaller than a sixteenth of what is allowed are not looked at: no state whose payloads double four times fits into
/// what is left.
const LEAST_BYTES: u64 = PAYLOAD_BYTES / 16;
/// The rate of events is that of the last tenth of them,
const RECENT_SHARE: u64 = 10;
/// and of no fewer than this.
const RECENT_LEAST: u64 = 50;
/// The service's name for a payload that was too large.
const TOO_LARGE: &str = "States.DataLimitExceeded";

/// The fold behind it.
#[derive(Debug, Default)]
pub struct RunwayQuestion {
    /// By ARN; empty for executions whose machine nothing names.
    pub(super) machines: HashMap<Box<str>, Machine, RandomState>,
}

/// A machine's executions.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub workflow_type: Option<WorkflowType>,
    /// Executions that ended.
    pub finished: u64,
    /// Of them, those that succeeded.
    pub succeeded: u64,
    /// The most events of those that ended in an hour, by hour.
    pub events: Peaks,
    /// The longest duration of those that succeeded in an hour, in microseconds.
    pub durations: Peaks,
    /// The finished executions with most events.
    pub largest: Nearest<Option<Shape>>,
    /// The executions that took longest and succeeded; microseconds.
    pub longest: Nearest<()>,
    /// Executions that the service ended because their histories were full.
    pub full: Hits,
    /// Executions that ran out of time, by how long they lasted in microseconds.
    pub timed_out: Vec<Ended>,
    pub running: Vec<Running>,
    /// Definitions that came with executions: text, and the last start of one that came with it.
    pub definitions: Vec<(Box<str>, Option<Micros>)>,
    pub states: HashMap<Box<str>, Sizes, RandomState>,
    /// Executions whose visits have sizes,
    pub sized: u64,
    /// and those whose visits have none.
    pub unsized_: u64,
}

/// The largest of each hour.
#[derive(Debug, Default, Clone)]
pub(super) struct Peaks(HashMap<i64, u64, RandomState>);

/// Payloads of a state.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    /// The largest of the executions that began in an hour, or of the visits.
    pub peaks: Peaks,
    pub largest: Nearest<()>,
    /// Executions in which one was too large.
    pub too_large: Hits,
}

/// The executions nearest to a limit, the nearest first.
#[derive(Debug, Clone)]
pub(super) struct Nearest<T>(pub Vec<Near<T>>);

/// An execution near a limit.
#[derive(Debug, Clone)]
pub(super) struct Near<T> {
    pub value: u64,
    pub execution: Box<str>,
    pub at: Option<Micros>,
    pub about: T,
}

/// Executions that failed of a limit.
#[derive(Debug, Default, Clone)]
pub(super) struct Hits {
    pub count: u64,
    pub last: Option<Micros>,
    /// The last ones: when they failed.
    pub executions: Vec<(std::cmp::Reverse<Option<Micros>>, Box<str>)>,
}

/// An execution that ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ended {
    pub at: Option<Micros>,
    pub execution: Box<str>,
    pub lasted: i64,
}

/// An execution that runs.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub execution: Box<str>,
    pub start: Option<Micros>,
    pub events: u64,
    /// The event from which its rate is counted, and its time.
    pub since: Option<(u64, Micros)>,
    pub redriven: bool,
    /// Position of its definition.
    pub definition: Option<usize>,
    pub shape: Option<Shape>,
}

impl Question for RunwayQuestion {
    fn needs(&self) -> Needs {
        Needs { plain_visits: true, failures: true, definitions: true, sizes: true, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        let name = facts.state_machine.unwrap_or_default();
        match self.machines.get_mut(name) {
            Some(machine) => machine.take(facts),
            None => self.machines.entry(name.into()).or_default().take(facts),
        }
    }

    fn merge(&mut self, other: Self) {
        for (name, machine) in other.machines {
            self.machines.entry(name).or_default().append(machine);
        }
    }
}

impl Machine {
    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        self.workflow_type = self.workflow_type.max(facts.workflow_type);
        let definition = facts.definition.map(|text| self.definition(text, facts.start));
        let is_long = facts.events >= LEAST_EVENTS;
        let shape = || if is_long { shape::of(facts, EVENTS) } else { None };
        match facts.status {
            Some(ExecutionStatus::Running) => self.running.push(Running {
                execution: facts.execution.into(),
                start: facts.start,
                events: facts.events,
                since: recent(facts),
                redriven: facts.redrive_count > 0,
                definition,
                shape: shape(),
            }),
            Some(status) if status.is_closed() => self.take_ended(facts, status, shape),
            _ => {}
        }
        self.take_sizes(facts);
    }

    fn take_ended(&mut self, facts: &ExecutionFacts<'_>, status: ExecutionStatus, shape: impl FnOnce() -> Option<Shape>) {
        self.finished += 1;
        let at = facts.stop.or(facts.last_event);
        self.events.add(at, facts.events);
        self.largest.add(facts.events, facts.execution, at, shape);
        if facts.failure.as_ref().is_some_and(|failure| failure.kind == "limit" && failure.root_error != Some(TOO_LARGE)) {
            self.full.add(facts.execution, at);
        }
        // A pause before a redrive is no time that it ran.
        let lasted = facts.stop.zip(facts.beginning()).map(|(stop, start)| stop.0.saturating_sub(start.0));
        let Some(lasted) = lasted.filter(|_| facts.redrive_count == 0) else { return };
        match status {
            ExecutionStatus::Succeeded => {
                self.succeeded += 1;
                let lasted = u64::try_from(lasted).unwrap_or(0);
                self.durations.add(at, lasted);
                self.longest.add(lasted, facts.execution, at, || ());
            }
            ExecutionStatus::TimedOut => self.timed_out.push(Ended { at, execution: facts.execution.into(), lasted }),
            _ => {}
        }
    }

    fn take_sizes(&mut self, facts: &ExecutionFacts<'_>) {
        let root = facts.failure.as_ref().filter(|failure| failure.root_error == Some(TOO_LARGE));
        let mut failed_in: Vec<&str> = root.and_then(|failure| failure.root_state).into_iter().collect();
        let mut has_sizes = false;
        for visit in facts.visits {
            has_sizes |= visit.payload_bytes.is_some();
            if let Some(bytes) = visit.payload_bytes.filter(|bytes| *bytes >= LEAST_BYTES) {
                let at = time_of(visit).or(facts.start);
                let sizes = self.sizes_of(visit.state);
                sizes.peaks.add(at, bytes);
                sizes.largest.add(bytes, facts.execution, at, || ());
            }
            if visit.error == Some(TOO_LARGE) && !failed_in.contains(&visit.state) {
                failed_in.push(visit.state);
            }
        }
        for state in failed_in {
            let at = facts.stop.or(facts.last_event);
            self.sizes_of(state).too_large.add(facts.execution, at);
        }
        if has_sizes {
            self.sized += 1;
        } else if !facts.visits.is_empty() {
            self.unsized_ += 1;
        }
    }

    fn sizes_of(&mut self, state: &str) -> &mut Sizes {
        if !self.states.contains_key(state) {
            self.states.insert(state.into(), Sizes::default());
        }
        self.states.entry(state.into()).or_default()
    }

    /// The position of a definition.
    fn definition(&mut self, text: &str, start: Option<Micros>) -> usize {
        // Nearly always it is that of the execution before.
        let known = self.definitions.iter().rposition(|(known, _)| **known == *text);
        let position = known.unwrap_or_else(|| {
            self.definitions.push((text.into(), None));
            self.definitions.len() - 1
        });
        let last = &mut self.definitions[position].1;
        *last = (*last).max(start);
        position
    }

    /// `TimeoutSeconds` of the definition at this position.
    pub fn time_limit(&self, definition: usize) -> Option<u64> {
        let (text, _) = self.definitions.get(definition)?;
        time_limit_of_machine(text)
    }

    /// The definition with which the last execution came.
    pub fn last_definition(&self) -> Option<usize> {
        let order = |position: &usize| self.definitions.get(*position).map(|(text, last)| (*last, text));
        (0..self.definitions.len()).max_by_key(|position| order(position).map(|(last, text)| (last, text.clone())))
    }

    fn append(&mut self, other: Self) {
        self.workflow_type = self.workflow_type.max(other.workflow_type);
        self.finished += other.finished;
        self.succeeded += other.succeeded;
        self.events.append(&other.events);
        self.durations.append(&other.durations);
        self.largest.append(other.largest);
        self.longest.append(other.longest);
        self.full.append(other.full);
        self.timed_out.extend(other.timed_out);
        let definitions: Vec<usize> = other.definitions.iter().map(|(text, last)| self.definition(text, *last)).collect();
        self.running.extend(
            other.running.into_iter().map(|running| Running {
                definition: running.definition.and_then(|position| definitions.get(position).copied()),
                ..running
            }),
        );
        for (state, sizes) in other.states {
            let known = self.states.entry(state).or_default();
            known.peaks.append(&sizes.peaks);
            known.largest.append(sizes.largest);
            known.too_large.append(sizes.too_large);
        }
        self.sized += other.sized;
        self.unsized_ += other.unsized_;
    }
}

fn time_of(visit: &VisitFacts<'_>) -> Option<Micros> {
    visit.exited.or(visit.last_event).or(visit.entered)
}

/// From which event, and when, the rate of an execution is counted: that which the last tenth of its events began with.
///
/// The mean since its start would be that of another time, where it waited long before it began to loop.
fn recent(facts: &ExecutionFacts<'_>) -> Option<(u64, Micros)> {
    let last = facts.events.saturating_sub((facts.events / RECENT_SHARE).max(RECENT_LEAST));
    let entered = facts.visits.iter().filter_map(|visit| Some((visit.entered_event_id?.0, visit.entered?)));
    entered.filter(|(id, _)| *id <= last).max().or_else(|| facts.start.map(|start| (1, start)))
}

impl Peaks {
    fn add(&mut self, at: Option<Micros>, value: u64) {
        let Some(at) = at else { return };
        let most = self.0.entry(hour_of(at)).or_default();
        *most = (*most).max(value);
    }

    fn append(&mut self, other: &Self) {
        for (hour, value) in &other.0 {
            let most = self.0.entry(*hour).or_default();
            *most = (*most).max(*value);
        }
    }

    /// Microseconds as milliseconds.
    pub fn in_milliseconds(&self) -> Self {
        Self(self.0.iter().map(|(hour, value)| (*hour, value / 1000)).collect())
    }

    /// By hour.
    pub fn sorted(&self) -> Vec<(i64, u64)> {
        let mut hours: Vec<(i64, u64)> = self.0.iter().map(|(hour, value)| (*hour, *value)).collect();
        hours.sort_unstable();
        hours
    }
}

impl<T> Default for Nearest<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Nearest<T> {
    /// Keeps it if it is among the nearest; of several that are as near the first by ARN.
    fn add(&mut self, value: u64, execution: &str, at: Option<Micros>, about: impl FnOnce() -> T) {
        let is_nearer = |last: &Near<T>| (value, &*last.execution) > (last.value, execution);
        if self.0.len() < NAMED || self.0.last().is_some_and(is_nearer) {
            self.keep(Near { value, execution: execution.into(), at, about: about() });
        }
    }

    fn keep(&mut self, near: Near<T>) {
        let place = self.0.partition_point(|known| (known.value, &near.execution) > (near.value, &known.execution));
        // A state may have several large payloads in one execution.
        if self.0.iter().any(|known| known.execution == near.execution && known.value >= near.value) {
            return;
        }
        self.0.insert(place, near);
        let named = &self.0[place].execution.clone();
        let mut position = 0;
        self.0.retain(|known| {
            position += 1;
            position - 1 <= place || known.execution != *named
        });
        self.0.truncate(NAMED);
    }

    fn append(&mut self, other: Self) {
        other.0.into_iter().for_each(|near| self.keep(near));
    }
}

impl Hits {
    pub fn add(&mut self, execution: &str, at: Option<Micros>) {
        self.count += 1;
        self.last = self.last.max(at);
        self.executions.push((std::cmp::Reverse(at), execution.into()));
        self.cut();
    }

    fn append(&mut self, other: Self) {
        self.count += other.count;
        self.last = self.last.max(other.last);
        self.executions.extend(other.executions);
        self.cut();
    }

    fn cut(&mut self) {
        self.executions.sort_unstable();
        self.executions.truncate(NAMED);
    }
}

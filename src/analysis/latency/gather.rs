//! One pass over executions: the durations of every state and machine.

use std::collections::HashMap;

use super::{By, LatencyOptions};
use crate::analysis::fleet::Question;
use crate::model::event_type::StateType;
use crate::model::facts::Needs;
use crate::model::path::VisitOutcome;
use crate::model::{ExecutionFacts, ExecutionStatus, Micros, VisitFacts};

/// What rows are of beside machine and state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) enum Group {
    /// Rows are of states alone.
    #[default]
    All,
    /// The start of an hour; `None` where no time is known.
    Hour(Option<Micros>),
    /// A version; `None` for executions that were started by neither version nor alias.
    Version(Option<String>),
}

/// When something began, and how long it took; microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sample {
    pub duration: i64,
    pub at: i64,
}

/// The parts of visits: queue, run, retry wait, callback, Map queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts([Vec<i64>; 5]);

impl Parts {
    pub fn queue(&self) -> &[i64] {
        &self.0[0]
    }

    pub fn run(&self) -> &[i64] {
        &self.0[1]
    }

    pub fn retry_wait(&self) -> &[i64] {
        &self.0[2]
    }

    pub fn callback(&self) -> &[i64] {
        &self.0[3]
    }

    pub fn map_queue(&self) -> &[i64] {
        &self.0[4]
    }

    fn sort(&mut self) {
        self.0.iter_mut().for_each(|values| values.sort_unstable());
    }
}

/// What is known of a state, or of a state in a group.
#[derive(Debug, Clone, Default)]
pub(super) struct StateTally {
    pub state_type: Option<StateType>,
    pub visits: u64,
    pub failed: u64,
    pub aborted: u64,
    pub open: u64,
    pub untimed: u64,
    pub retries: u64,
    pub failed_attempts: u64,
    pub critical: i128,
    pub samples: Vec<Sample>,
    pub parts: Parts,
    /// Durations in the window before, with the starts of their executions.
    pub before: Vec<Sample>,
}

/// What is known of the executions of a machine, or of those in a group.
#[derive(Debug, Clone, Default)]
pub(super) struct MachineTally {
    pub executions: u64,
    pub running: u64,
    pub unsuccessful: u64,
    /// From start to end, of running ones to their last event.
    pub lasted: i128,
    pub critical: i128,
    pub samples: Vec<Sample>,
    pub before: Vec<Sample>,
    /// By version: when the first execution started, and how many there are.
    pub versions: HashMap<String, (Micros, u64)>,
}

/// A machine: its executions and states, each by group.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    pub tallies: HashMap<Group, MachineTally>,
    pub states: HashMap<String, HashMap<Group, StateTally>>,
}

/// How long states and machines take.
#[derive(Debug, Clone, Default)]
pub struct LatencyQuestion {
    pub(super) options: LatencyOptions,
    pub(super) machines: HashMap<Option<String>, Machine>,
}

impl LatencyQuestion {
    /// Asks nothing yet.
    pub fn new(options: &LatencyOptions) -> Self {
        Self { options: options.clone(), machines: HashMap::new() }
    }

    /// Everything in an order that does not depend on the order of executions.
    pub(super) fn sort(&mut self) {
        for machine in self.machines.values_mut() {
            for tally in machine.tallies.values_mut() {
                tally.samples.sort_unstable();
                tally.before.sort_unstable();
            }
            for tally in machine.states.values_mut().flat_map(HashMap::values_mut) {
                tally.samples.sort_unstable();
                tally.before.sort_unstable();
                tally.parts.sort();
            }
        }
    }
}

impl Question for LatencyQuestion {
    fn needs(&self) -> Needs {
        Needs { visits: true, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        let machine = entry(&mut self.machines, facts.state_machine);
        let version = || Group::Version(facts.version.map(str::to_owned));
        let by = self.options.by;
        let group_at = |moment: Option<Micros>| match by {
            None => Group::All,
            Some(By::Hour) => Group::Hour(moment.map(hour)),
            Some(By::Version) => version(),
        };
        machine.tallies.entry(group_at(facts.start)).or_default().take(facts);
        for visit in facts.visits.iter().filter(|visit| self.options.wants(visit.state)) {
            let tallies = match machine.states.get_mut(visit.state) {
                Some(tallies) => tallies,
                None => machine.states.entry(visit.state.to_owned()).or_default(),
            };
            tallies.entry(group_at(visit.entered.or(facts.start))).or_default().take(visit);
        }
    }

    /// Executions of the window before are compared with; those of other machines are found to have no row.
    fn looks_aside(&self) -> bool {
        self.options.since.is_some() && self.options.by.is_none()
    }

    fn take_aside(&mut self, facts: &ExecutionFacts<'_>) {
        let Some(start) = facts.start.filter(|start| self.options.is_before(*start)) else { return };
        let machine = entry(&mut self.machines, facts.state_machine);
        if let Some(duration) = facts.stop.map(|stop| stop.0.saturating_sub(start.0)) {
            machine.tallies.entry(Group::All).or_default().before.push(Sample { duration, at: start.0 });
        }
        for visit in facts.visits.iter().filter(|visit| self.options.wants(visit.state)) {
            if let Some(duration) = duration(visit) {
                let tallies = machine.states.entry(visit.state.to_owned()).or_default();
                tallies.entry(Group::All).or_default().before.push(Sample { duration, at: start.0 });
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (name, found) in other.machines {
            let machine = self.machines.entry(name).or_default();
            for (group, tally) in found.tallies {
                machine.tallies.entry(group).or_default().merge(tally);
            }
            for (state, tallies) in found.states {
                let known = machine.states.entry(state).or_default();
                for (group, tally) in tallies {
                    known.entry(group).or_default().merge(tally);
                }
            }
        }
    }
}

fn entry<'m>(machines: &'m mut HashMap<Option<String>, Machine>, name: Option<&str>) -> &'m mut Machine {
    machines.entry(name.map(str::to_owned)).or_default()
}

/// The start of the hour.
fn hour(moment: Micros) -> Micros {
    const HOUR: i64 = 3_600_000_000;
    Micros(moment.0.div_euclid(HOUR).saturating_mul(HOUR))
}

fn duration(visit: &VisitFacts<'_>) -> Option<i64> {
    Some(visit.exited?.0.saturating_sub(visit.entered?.0))
}

impl MachineTally {
    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        self.executions += 1;
        self.unsuccessful += u64::from(facts.status.is_some_and(ExecutionStatus::is_unsuccessful));
        self.running += u64::from(facts.stop.is_none());
        if let Some((version, start)) = facts.version.zip(facts.start) {
            match self.versions.get_mut(version) {
                Some(known) => *known = (known.0.min(start), known.1 + 1),
                None => drop(self.versions.insert(version.to_owned(), (start, 1))),
            }
        }
        if let Some((start, end)) = facts.beginning().zip(facts.stop.or(facts.last_event)) {
            let lasted = end.0.saturating_sub(start.0);
            self.lasted += i128::from(lasted.max(0));
            if facts.stop.is_some() {
                self.samples.push(Sample { duration: lasted, at: start.0 });
            }
        }
        let critical = facts.visits.iter().filter_map(|visit| visit.critical_ms).map(micros);
        self.critical += critical.map(i128::from).sum::<i128>();
    }

    fn merge(&mut self, mut other: Self) {
        self.executions += other.executions;
        self.unsuccessful += other.unsuccessful;
        self.running += other.running;
        self.lasted += other.lasted;
        self.critical += other.critical;
        self.samples.append(&mut other.samples);
        self.before.append(&mut other.before);
        for (version, (first, executions)) in other.versions {
            let known = self.versions.entry(version).or_insert((first, 0));
            *known = (known.0.min(first), known.1 + executions);
        }
    }
}

impl StateTally {
    fn take(&mut self, visit: &VisitFacts<'_>) {
        self.visits += 1;
        // The lesser of two, so that the order in which executions come does not matter.
        self.state_type = [self.state_type, visit.state_type].into_iter().flatten().min();
        self.retries += u64::from(visit.retries);
        self.failed_attempts += u64::from(visit.failed_attempts);
        self.critical += visit.critical_ms.map_or(0, |critical| i128::from(micros(critical)));
        self.parts.0[4].extend(visit.map_queue_ms.map(micros));
        match (duration(visit), visit.exited_event_id, visit.outcome) {
            (Some(duration), ..) => self.measure(visit, duration),
            (None, Some(_), _) | (None, None, VisitOutcome::Succeeded | VisitOutcome::Caught) => self.untimed += 1,
            (None, None, VisitOutcome::Failed) => self.failed += 1,
            (None, None, VisitOutcome::Aborted) => self.aborted += 1,
            (None, None, VisitOutcome::Open) => self.open += 1,
        }
    }

    fn measure(&mut self, visit: &VisitFacts<'_>, duration: i64) {
        self.samples.push(Sample { duration, at: visit.entered.map_or(0, |entered| entered.0) });
        for (part, values) in [visit.queue_ms, visit.run_ms, visit.retry_wait_ms, visit.callback_ms].into_iter().zip(&mut self.parts.0) {
            values.extend(part.map(micros));
        }
    }

    fn merge(&mut self, mut other: Self) {
        self.state_type = [self.state_type, other.state_type].into_iter().flatten().min();
        self.visits += other.visits;
        self.failed += other.failed;
        self.aborted += other.aborted;
        self.open += other.open;
        self.untimed += other.untimed;
        self.retries += other.retries;
        self.failed_attempts += other.failed_attempts;
        self.critical += other.critical;
        self.samples.append(&mut other.samples);
        self.before.append(&mut other.before);
        for (values, more) in self.parts.0.iter_mut().zip(&mut other.parts.0) {
            values.append(more);
        }
    }
}

/// Milliseconds with a fraction to whole microseconds, which is what they were.
#[allow(clippy::cast_possible_truncation, reason = "a conversion of floats saturates")]
fn micros(milliseconds: f64) -> i64 {
    (milliseconds * 1000.0).round() as i64
}

//! What became of the states of machines: the question that `audit` asks a store, so that a finding can tell what it has cost.
//!
//! Counts and sums alone, which can be checked with `latency` and `failures` over the same executions.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::analysis::fleet::Question;
use crate::model::facts::{Needs, WorkflowType};
use crate::model::path::VisitOutcome;
use crate::model::{ExecutionFacts, ExecutionStatus, Micros, VisitFacts};

/// So much of what a machine's executions visited must be in a definition for it to be taken for the machine's: definitions change, and
/// a state or two of an older one do not make it another machine.
const SAME_MACHINE: f64 = 0.8;

/// What became of all machines that were looked at.
#[derive(Debug, Clone, Default)]
pub struct Past {
    machines: BTreeMap<Option<String>, MachinePast>,
}

/// What became of the executions of one machine.
#[derive(Debug, Clone, Default)]
pub struct MachinePast {
    /// The ARNs of the machines, sorted; empty where nothing names it.
    pub machines: BTreeSet<String>,
    /// How many executions were looked at.
    pub executions: u64,
    /// Of them, how many did not succeed.
    pub unsuccessful: u64,
    /// When the first of them started.
    pub first_start: Option<Micros>,
    /// When the last of them started.
    pub last_start: Option<Micros>,
    /// Whether they are Express, where that is known.
    pub workflow_type: Option<WorkflowType>,
    states: BTreeMap<String, StatePast>,
}

/// What became of the visits of one state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatePast {
    /// Executions that visited it.
    pub executions: u64,
    /// Visits.
    pub visits: u64,
    /// Executions in which an attempt of it failed.
    pub troubled: u64,
    /// Executions that failed because of it.
    pub failed: u64,
    /// Executions in which its failure was caught.
    pub caught: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Time that went by from failures to retries, in microseconds.
    pub retry_wait: i64,
    /// The longest visit so far, open ones up to the last event of their execution, in microseconds.
    pub longest: i64,
    /// Visits that have not ended.
    pub open: u64,
    /// The largest number of items of a Map.
    pub most_items: Option<u64>,
}

/// Which executions the costs in a report are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastSummary {
    /// ARNs of the machines, sorted.
    pub state_machines: Vec<String>,
    /// How many executions of theirs were looked at.
    pub executions: u64,
    /// Of them, how many did not succeed.
    pub unsuccessful: u64,
    /// When the first of them started.
    pub first_start: Option<Micros>,
    /// When the last of them started.
    pub last_start: Option<Micros>,
}

impl Question for Past {
    fn needs(&self) -> Needs {
        Needs { visits: true, failures: true, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        let key = facts.state_machine.map(str::to_owned);
        let machine = self.machines.entry(key).or_default();
        machine.machines.extend(facts.state_machine.map(str::to_owned));
        machine.take(facts);
    }

    fn merge(&mut self, other: Self) {
        for (key, machine) in other.machines {
            self.machines.entry(key).or_default().merge(&machine);
        }
    }
}

impl Past {
    /// The past of the machine that has this definition, all deployments of it together.
    ///
    /// It is the one of this ARN or name where they are known, else those whose executions began at this state and visited states
    /// of this definition. `None` when there is none.
    pub fn of(&self, machine: Option<&str>, start_at: Option<&str>, states: &BTreeSet<&str>) -> Option<MachinePast> {
        let is_named = |arn: &Option<String>| {
            machine.zip(arn.as_deref()).is_some_and(|(wanted, arn)| arn == wanted || arn.rsplit(':').next() == Some(wanted))
        };
        let named = self.machines.iter().filter(|(arn, _)| is_named(arn)).map(|(_, machine)| machine);
        sum(named).or_else(|| sum(self.machines.values().filter(|past| past.looks_like(start_at, states))))
    }

    /// The past of all machines together.
    pub fn all(&self) -> Option<MachinePast> {
        sum(self.machines.values())
    }
}

fn sum<'m>(mut machines: impl Iterator<Item = &'m MachinePast>) -> Option<MachinePast> {
    let mut all = machines.next()?.clone();
    machines.for_each(|machine| all.merge(machine));
    Some(all)
}

impl MachinePast {
    /// What became of a state; `None` when it was never visited.
    pub fn state(&self, name: &str) -> Option<&StatePast> {
        self.states.get(name)
    }

    /// Which executions these are.
    pub fn summary(&self) -> PastSummary {
        PastSummary {
            state_machines: self.machines.iter().cloned().collect(),
            executions: self.executions,
            unsuccessful: self.unsuccessful,
            first_start: self.first_start,
            last_start: self.last_start,
        }
    }

    fn looks_like(&self, start_at: Option<&str>, states: &BTreeSet<&str>) -> bool {
        let known = self.states.keys().filter(|name| states.contains(name.as_str())).count();
        #[allow(clippy::cast_precision_loss, reason = "numbers of states")]
        let share = known as f64 / self.states.len().max(1) as f64;
        share >= SAME_MACHINE && start_at.is_some_and(|name| self.states.contains_key(name))
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        self.executions += 1;
        self.unsuccessful += u64::from(facts.status.is_some_and(ExecutionStatus::is_unsuccessful));
        self.first_start = [self.first_start, facts.start].into_iter().flatten().min();
        self.last_start = self.last_start.max(facts.start);
        self.workflow_type = [self.workflow_type, facts.workflow_type].into_iter().flatten().min();
        let mut own: BTreeMap<&str, StatePast> = BTreeMap::new();
        for visit in facts.visits {
            own.entry(visit.state).or_default().visit(visit, facts.last_event);
        }
        if let Some(state) = facts.failure.as_ref().and_then(|failure| failure.root_state) {
            own.entry(state).or_default().failed = 1;
        }
        for (name, state) in own {
            // Within one execution everything that counts executions is at most one.
            let once = StatePast { executions: 1, troubled: state.troubled.min(1), caught: state.caught.min(1), ..state };
            match self.states.get_mut(name) {
                Some(known) => known.merge(&once),
                None => drop(self.states.insert(name.to_owned(), once)),
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.machines.extend(other.machines.iter().cloned());
        self.executions += other.executions;
        self.unsuccessful += other.unsuccessful;
        self.first_start = [self.first_start, other.first_start].into_iter().flatten().min();
        self.last_start = self.last_start.max(other.last_start);
        self.workflow_type = [self.workflow_type, other.workflow_type].into_iter().flatten().min();
        for (name, state) in &other.states {
            self.states.entry(name.clone()).or_default().merge(state);
        }
    }
}

impl StatePast {
    fn visit(&mut self, visit: &VisitFacts<'_>, last_event: Option<Micros>) {
        self.visits += 1;
        self.troubled += u64::from(visit.failed_attempts > 0 || visit.outcome == VisitOutcome::Failed);
        self.caught += u64::from(visit.outcome == VisitOutcome::Caught);
        self.retries += u64::from(visit.retries);
        self.retry_wait = self.retry_wait.saturating_add(visit.retry_wait_ms.map_or(0, micros));
        let is_open = visit.outcome == VisitOutcome::Open;
        self.open += u64::from(is_open);
        let end = if is_open { last_event.max(visit.last_event) } else { visit.exited.or(visit.last_event) };
        let lasted = visit.entered.zip(end).map_or(0, |(entered, end)| end.0.saturating_sub(entered.0));
        self.longest = self.longest.max(lasted);
        self.most_items = self.most_items.max(visit.items);
    }

    fn merge(&mut self, other: &Self) {
        self.executions += other.executions;
        self.visits += other.visits;
        self.troubled += other.troubled;
        self.failed += other.failed;
        self.caught += other.caught;
        self.retries += other.retries;
        self.retry_wait = self.retry_wait.saturating_add(other.retry_wait);
        self.longest = self.longest.max(other.longest);
        self.open += other.open;
        self.most_items = self.most_items.max(other.most_items);
    }
}

/// Milliseconds with a fraction to whole microseconds, which is what they were.
#[allow(clippy::cast_possible_truncation, reason = "a conversion of floats saturates")]
fn micros(milliseconds: f64) -> i64 {
    (milliseconds * 1000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(state: &str, retries: u32) -> VisitFacts<'_> {
        VisitFacts { state, retries, failed_attempts: retries, retry_wait_ms: Some(f64::from(retries) * 1500.0), ..VisitFacts::default() }
    }

    fn past(machine: &str, visits: &[VisitFacts<'_>]) -> Past {
        let mut past = Past::default();
        past.take(&ExecutionFacts { execution: "e", state_machine: Some(machine), visits, ..ExecutionFacts::default() });
        past
    }

    const ORDERS: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";

    #[test]
    fn executions_count_once_however_often_they_visit_a_state() {
        let mut both = past(ORDERS, &[visit("Charge", 2), visit("Charge", 1)]);
        both.merge(past(ORDERS, &[visit("Charge", 0)]));
        let machine = both.of(Some("Orders"), None, &BTreeSet::new()).expect("it is named");
        let charge = machine.state("Charge").expect("it was visited");
        assert_eq!((charge.executions, charge.visits, charge.troubled, charge.retries), (2, 3, 1, 3));
        assert_eq!(charge.retry_wait, 4_500_000);
    }

    #[test]
    fn a_machine_is_known_by_its_states_where_nothing_names_it() {
        let all = past(ORDERS, &[visit("Check", 0), visit("Charge", 0)]);
        let states = BTreeSet::from(["Check", "Charge", "Ship"]);
        assert!(all.of(None, Some("Check"), &states).is_some());
        assert!(all.of(None, Some("Ship"), &states).is_none(), "no execution began there");
        assert!(all.of(None, Some("Check"), &BTreeSet::from(["Check", "Ship"])).is_none(), "half of what was visited is not there");
        assert!(all.of(Some("Refunds"), None, &BTreeSet::new()).is_none());
    }
}

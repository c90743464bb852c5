//! What is counted of executions, before it has a price. Everything is a sum, so that the order of executions does not matter.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::AddAssign;
use std::sync::Arc;

use super::prices::MemoryTime;
use crate::model::facts::{Pattern, WorkflowType};
use crate::model::{ExecutionFacts, ExecutionStatus, Micros, StateType, VisitFacts};

/// The longest that an Express workflow may run.
pub(super) const LONGEST_EXPRESS_MS: f64 = 300_000.0;
const MICROS_IN_HOUR: i64 = 3_600_000_000;

/// Transitions by what they were for; the four add up to all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Count {
    /// States entered, but for what follows.
    pub(super) first: u64,
    /// Attempts beyond the first.
    pub(super) retries: u64,
    /// States entered in iterations of a polling loop beyond the first.
    pub(super) polling: u64,
    /// Steps that a redrive ran again.
    pub(super) redriven: u64,
    /// Attempts that failed: paid for in vain. They are among the four.
    pub(super) failed_attempts: u64,
}

impl Count {
    pub(super) fn of(visit: &VisitFacts<'_>, is_polling: bool) -> Self {
        let retries = u64::from(visit.retries.min(visit.transitions));
        let rest = u64::from(visit.transitions) - retries;
        let entered = rest.min(u64::from(visit.entered_event_id.is_some()));
        Self {
            first: if is_polling { 0 } else { entered },
            polling: if is_polling { entered } else { 0 },
            retries,
            redriven: rest - entered,
            failed_attempts: u64::from(visit.failed_attempts),
        }
    }

    pub(super) fn transitions(&self) -> u64 {
        self.first + self.retries + self.polling + self.redriven
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.first += other.first;
        self.retries += other.retries;
        self.polling += other.polling;
        self.redriven += other.redriven;
        self.failed_attempts += other.failed_attempts;
    }
}

/// Executions as Express workflows are billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Usage {
    pub(super) requests: u64,
    pub(super) time: MemoryTime,
    /// Executions of which the service told what it billed.
    pub(super) billed: u64,
    /// Executions whose duration was measured and whose memory was assumed.
    pub(super) estimated: u64,
}

impl Usage {
    pub(super) fn of(facts: &ExecutionFacts<'_>, memory_mb: u64) -> Self {
        let mut usage = Self { requests: 1, ..Self::default() };
        if let (Some(milliseconds), Some(megabytes)) = (facts.billed_duration_ms, facts.billed_memory_mb) {
            usage.time = MemoryTime::of(milliseconds, megabytes);
            usage.billed = 1;
        } else if let Some(milliseconds) = facts.duration_ms() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is negative is nothing")]
            let milliseconds = milliseconds.max(0.0).ceil() as u64;
            usage.time = MemoryTime::of(milliseconds, memory_mb);
            usage.estimated = 1;
        }
        usage
    }

    /// Executions of which nothing tells how long they took.
    pub(super) fn unmeasured(&self) -> u64 {
        self.requests - self.billed - self.estimated
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.time.0 = self.time.0.saturating_add(other.time.0);
        self.billed += other.billed;
        self.estimated += other.estimated;
    }
}

/// One state of a machine.
#[derive(Debug, Clone, Default)]
pub(super) struct StateTally {
    pub(super) visits: u64,
    pub(super) count: Count,
    /// Transitions of the states in its branches or iterations, at any depth.
    pub(super) inside: u64,
    /// Time in visits that enclose no others, in microseconds.
    pub(super) leaf_micros: u64,
    pub(super) patterns: BTreeSet<&'static str>,
    pub(super) resources: BTreeSet<Box<str>>,
    pub(super) is_composite: bool,
    pub(super) map_runs: BTreeSet<Box<str>>,
}

/// One hour of a machine.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hour {
    pub(super) executions: u64,
    pub(super) count: Count,
    pub(super) usage: Usage,
}

impl AddAssign for Hour {
    fn add_assign(&mut self, other: Self) {
        self.executions += other.executions;
        self.count += other.count;
        self.usage += other.usage;
    }
}

/// One state machine.
#[derive(Debug, Clone, Default)]
pub(super) struct MachineTally {
    pub(super) workflow_type: Option<WorkflowType>,
    pub(super) count: Count,
    pub(super) usage: Usage,
    pub(super) events: u64,
    pub(super) running: u64,
    pub(super) over_five_minutes: u64,
    pub(super) longest_ms: f64,
    pub(super) map_children: u64,
    pub(super) states: HashMap<Arc<str>, StateTally>,
    /// By hours since 1970.
    pub(super) hours: BTreeMap<i64, Hour>,
    /// ARNs of the Map Runs whose children its executions are.
    pub(super) map_runs: BTreeSet<Box<str>>,
}

/// One execution, where they are asked for.
#[derive(Debug, Clone)]
pub(super) struct ExecutionTally {
    pub(super) execution: Box<str>,
    pub(super) state_machine: Arc<str>,
    pub(super) status: Option<ExecutionStatus>,
    pub(super) start: Option<Micros>,
    pub(super) count: Count,
    pub(super) usage: Usage,
    /// In the order in which they were first entered.
    pub(super) states: Box<[(Arc<str>, u64)]>,
}

impl MachineTally {
    /// Counts an execution; `keep` gives its states and their transitions.
    pub(super) fn take(&mut self, facts: &ExecutionFacts<'_>, memory_mb: u64, keep: bool) -> (Count, Usage, Vec<(Arc<str>, u64)>) {
        let polling = super::polling::polling(facts.visits);
        let inside = inside(facts.visits);
        let mut total = Count::default();
        let mut kept: Vec<(Arc<str>, u64)> = Vec::new();
        for (position, visit) in facts.visits.iter().enumerate() {
            let count = Count::of(visit, polling.as_ref().is_some_and(|polling| polling[position]));
            total += count;
            let inside = inside.as_ref().map_or(0, |inside| inside[position]);
            match self.states.get_mut(visit.state) {
                Some(state) => state.take(visit, count, inside),
                None => self.states.entry(visit.state.into()).or_default().take(visit, count, inside),
            }
            if keep {
                self.keep(visit.state, count.transitions(), &mut kept);
            }
        }
        let usage = Usage::of(facts, memory_mb);
        self.take_header(facts);
        self.count += total;
        self.usage += usage;
        if let Some(start) = facts.start {
            *self.hours.entry(start.0.div_euclid(MICROS_IN_HOUR)).or_default() += Hour { executions: 1, count: total, usage };
        }
        (total, usage, kept)
    }

    fn take_header(&mut self, facts: &ExecutionFacts<'_>) {
        self.workflow_type = self.workflow_type.max(facts.workflow_type);
        self.events += facts.events;
        let running = matches!(facts.status, Some(ExecutionStatus::Running | ExecutionStatus::PendingRedrive));
        self.running += u64::from(running);
        let so_far = || Some(facts.last_event?.milliseconds_since(facts.beginning()?));
        if let Some(length) = facts.duration_ms().or_else(so_far) {
            self.longest_ms = self.longest_ms.max(length);
            self.over_five_minutes += u64::from(length > LONGEST_EXPRESS_MS);
        }
        if let Some(map_run) = facts.map_run {
            self.map_children += 1;
            if !self.map_runs.contains(map_run) {
                self.map_runs.insert(map_run.into());
            }
        }
    }

    /// Adds to the transitions of a state of one execution. The names are those of the machine's states, each kept once.
    fn keep(&self, state: &str, transitions: u64, kept: &mut Vec<(Arc<str>, u64)>) {
        let Some((name, _)) = self.states.get_key_value(state).filter(|_| transitions > 0) else { return };
        match kept.iter_mut().find(|(known, _)| Arc::ptr_eq(known, name)) {
            Some((_, sum)) => *sum += transitions,
            None => kept.push((Arc::clone(name), transitions)),
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.workflow_type = self.workflow_type.max(other.workflow_type);
        self.count += other.count;
        self.usage += other.usage;
        self.events += other.events;
        self.running += other.running;
        self.over_five_minutes += other.over_five_minutes;
        self.longest_ms = self.longest_ms.max(other.longest_ms);
        self.map_children += other.map_children;
        self.map_runs.extend(other.map_runs);
        for (hour, amount) in other.hours {
            *self.hours.entry(hour).or_default() += amount;
        }
        for (name, state) in other.states {
            self.states.entry(name).or_default().merge(state);
        }
    }
}

impl StateTally {
    fn take(&mut self, visit: &VisitFacts<'_>, count: Count, inside: u64) {
        self.visits += 1;
        self.count += count;
        self.inside += inside;
        self.is_composite |= matches!(visit.state_type, Some(StateType::Parallel | StateType::Map));
        if !self.is_composite
            && let (Some(entered), Some(left)) = (visit.entered, visit.exited.or(visit.last_event))
        {
            self.leaf_micros += u64::try_from(left.0.saturating_sub(entered.0)).unwrap_or(0);
        }
        if let Some(pattern) = visit.pattern.filter(|pattern| *pattern != Pattern::Scopes) {
            self.patterns.insert(pattern.name());
        }
        if let Some(resource) = visit.resource.filter(|resource| !self.resources.contains(*resource)) {
            self.resources.insert(resource.into());
        }
        if let Some(map_run) = visit.child.filter(|_| visit.state_type == Some(StateType::Map)) {
            self.map_runs.insert(map_run.into());
        }
    }

    fn merge(&mut self, other: Self) {
        self.visits += other.visits;
        self.count += other.count;
        self.inside += other.inside;
        self.leaf_micros += other.leaf_micros;
        self.is_composite |= other.is_composite;
        self.patterns.extend(other.patterns);
        self.resources.extend(other.resources);
        self.map_runs.extend(other.map_runs);
    }
}

/// For each visit, the transitions of those that it encloses; `None` when none encloses any. What encloses stands before what
/// it encloses, so that one pass from the end adds them up.
fn inside(visits: &[VisitFacts<'_>]) -> Option<Vec<u64>> {
    if !visits.iter().any(|visit| visit.parent.is_some()) {
        return None;
    }
    let mut inside = vec![0; visits.len()];
    for position in (0..visits.len()).rev() {
        let visit = &visits[position];
        let whole = inside[position] + u64::from(visit.transitions);
        if let Some(parent) = visit.parent.map(|parent| parent as usize).filter(|parent| *parent < position) {
            inside[parent] += whole;
        }
    }
    Some(inside)
}

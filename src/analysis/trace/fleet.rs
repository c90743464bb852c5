//! What traces tell of many executions: cold starts, functions and the calls that they make, by state.
//!
//! Traces are a sample, and each figure says of how many attempts it is. A trace that is joined by time and name alone counts only
//! where no second execution could have it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::join::{TraceBasis, TraceIndex, Unjoined};
use super::outline::Outline;
use super::parts::{CallReport, Parts};
use super::report::{TracedAttempt, report};
use crate::analysis::fleet::{Question, quantile};
use crate::analysis::pattern;
use crate::model::ExecutionFacts;
use crate::model::facts::{Needs, Pattern};

/// Calls of a state that are told, those that took longest together.
const MOST_CALLS: usize = 5;

/// What traces tell of the tasks of many executions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TracesReport {
    /// Traces that were read.
    pub traces: u64,
    /// Executions that were looked at.
    pub executions: u64,
    /// Of them, how many have a trace.
    pub traced_executions: u64,
    /// Of those, how many are told by time and name alone.
    pub likely: u64,
    /// Executions for which several traces fit by time and name, or a trace that fits several: not counted.
    pub ambiguous: u64,
    /// The states whose tasks were traced, by machine, the most traced attempts first.
    pub states: Vec<TracedState>,
}

/// What traces tell of a state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TracedState {
    /// ARN without version and alias; null for bare histories.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// Attempts of its tasks.
    pub attempts: u64,
    /// Of them, how many have spans: what all that follows is of.
    pub traced_attempts: u64,
    /// Attempts whose function was set up for them.
    pub cold_starts: u64,
    /// How long that took.
    pub init: Option<Spread>,
    /// How long handlers ran; of functions that record none, the functions.
    pub handler: Option<Spread>,
    /// From the schedule of an attempt to the first moment of its function.
    pub before_function: Option<Spread>,
    /// What the time of all traced attempts together went into.
    pub parts: Parts,
    /// Attempts with a span that was refused: 4xx.
    pub errors: u64,
    /// Attempts with a span that failed: 5xx, or an exception.
    pub faults: u64,
    /// Attempts with a span that was told to come less often.
    pub throttles: u64,
    /// Calls to other services, those that took longest together.
    pub calls: Vec<CallStatistics>,
    /// Kinds of calls that found no room.
    pub calls_left_out: u64,
}

/// How long several things took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// The median.
    pub p50_ms: f64,
    /// 95 % are faster.
    pub p95_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

/// Calls of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallStatistics {
    /// The service.
    pub name: String,
    /// What of it.
    pub operation: Option<String>,
    /// What was called.
    pub resource: Option<String>,
    /// How many calls.
    pub calls: u64,
    /// How long they took; null where all were in progress.
    pub duration: Option<Spread>,
    /// All together.
    pub total_ms: f64,
    /// 4xx.
    pub errors: u64,
    /// 5xx.
    pub faults: u64,
    /// Too many requests.
    pub throttles: u64,
}

/// Asks traces about executions.
#[derive(Debug)]
pub struct TracesQuestion<'t> {
    index: &'t TraceIndex<'t>,
    states: &'t [String],
    executions: u64,
    certain: u64,
    ambiguous: u64,
    tallies: BTreeMap<Key, Tally>,
    /// By the trace's id: what it tells of an execution that may be its own; `None` where a second one may be.
    likely: BTreeMap<String, Option<Vec<(Key, TracedAttempt)>>>,
}

/// Machine and state.
type Key = (Option<String>, String);

#[derive(Debug, Default)]
struct Tally {
    attempts: u64,
    traced: Vec<TracedAttempt>,
}

impl<'t> TracesQuestion<'t> {
    /// About these states; about all where none is named.
    pub fn new(index: &'t TraceIndex<'t>, states: &'t [String]) -> Self {
        Self { index, states, executions: 0, certain: 0, ambiguous: 0, tallies: BTreeMap::new(), likely: BTreeMap::new() }
    }

    fn wants(&self, state: &str) -> bool {
        self.states.is_empty() || self.states.iter().any(|wanted| pattern::matches(wanted, state))
    }

    /// The answer; `traces` is how many were read.
    pub fn report(mut self, traces: usize) -> TracesReport {
        let mut likely = 0;
        for claims in std::mem::take(&mut self.likely).into_values() {
            let Some(claims) = claims else { continue };
            likely += 1;
            for (key, attempt) in claims {
                self.tallies.entry(key).or_default().traced.push(attempt);
            }
        }
        let mut states: Vec<TracedState> =
            self.tallies.into_iter().filter(|(_, tally)| !tally.traced.is_empty()).map(|(key, tally)| tally.state(key)).collect();
        states.sort_by(|one, other| {
            let machines = one.state_machine.cmp(&other.state_machine);
            machines.then_with(|| other.traced_attempts.cmp(&one.traced_attempts)).then_with(|| one.state.cmp(&other.state))
        });
        TracesReport {
            traces: traces as u64,
            executions: self.executions,
            traced_executions: self.certain + likely,
            likely,
            ambiguous: self.ambiguous,
            states,
        }
    }

    fn count_attempts(&mut self, facts: &ExecutionFacts<'_>) {
        for attempt in facts.attempts.iter().filter(|attempt| attempt.pattern != Some(Pattern::Scopes)) {
            if self.wants(attempt.state) {
                let key = (facts.state_machine.map(str::to_owned), attempt.state.to_owned());
                self.tallies.entry(key).or_default().attempts += 1;
            }
        }
    }
}

impl Question for TracesQuestion<'_> {
    fn needs(&self) -> Needs {
        Needs { visits: true, attempts: true, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        self.executions += 1;
        self.count_attempts(facts);
        let outline = Outline::of_facts(facts);
        let joined = match self.index.join(&outline) {
            Ok(joined) if !joined.trace.spans.is_empty() => joined,
            Err(Unjoined::Several(_)) => {
                self.ambiguous += 1;
                return;
            }
            _ => return,
        };
        let told = report(&outline, &joined);
        let wanted = told.attempts.into_iter().filter(|attempt| self.wants(&attempt.state));
        let of_machine = |attempt: TracedAttempt| ((facts.state_machine.map(str::to_owned), attempt.state.clone()), attempt);
        let found: Vec<(Key, TracedAttempt)> = wanted.map(of_machine).collect();
        if joined.basis == TraceBasis::TimeAndName {
            self.claim(told.trace_id.unwrap_or_default(), Some(found));
            return;
        }
        self.certain += 1;
        for (key, attempt) in found {
            self.tallies.entry(key).or_default().traced.push(attempt);
        }
    }

    fn merge(&mut self, other: Self) {
        self.executions += other.executions;
        self.certain += other.certain;
        self.ambiguous += other.ambiguous;
        for (key, mut tally) in other.tallies {
            let known = self.tallies.entry(key).or_default();
            known.attempts += tally.attempts;
            known.traced.append(&mut tally.traced);
        }
        for (trace, claims) in other.likely {
            self.claim(trace, claims);
        }
    }
}

impl TracesQuestion<'_> {
    /// Notes that a trace may be an execution's; nobody has it once two may.
    fn claim(&mut self, trace: String, claims: Option<Vec<(Key, TracedAttempt)>>) {
        match self.likely.get_mut(&trace) {
            None => drop(self.likely.insert(trace, claims)),
            Some(known) => {
                self.ambiguous += u64::from(known.is_some()) + u64::from(claims.is_some());
                *known = None;
            }
        }
    }
}

impl Tally {
    fn state(self, (state_machine, state): Key) -> TracedState {
        let traced = &self.traced;
        let functions = || traced.iter().filter_map(|attempt| attempt.function.as_ref());
        let count = |test: fn(&TracedAttempt) -> bool| traced.iter().filter(|attempt| test(attempt)).count() as u64;
        let (calls, calls_left_out) = calls(traced);
        TracedState {
            state_machine,
            state,
            attempts: self.attempts,
            traced_attempts: traced.len() as u64,
            cold_starts: functions().filter(|function| function.cold_start).count() as u64,
            init: spread(functions().filter(|function| function.cold_start).filter_map(|function| function.init_ms)),
            handler: spread(functions().filter_map(|function| function.handler_ms.or(function.function_ms))),
            before_function: spread(functions().filter_map(|function| function.before_function_ms)),
            parts: traced.iter().filter_map(|attempt| attempt.parts).fold(Parts::default(), Parts::plus),
            errors: count(|attempt| attempt.error),
            faults: count(|attempt| attempt.fault),
            throttles: count(|attempt| attempt.throttle),
            calls,
            calls_left_out,
        }
    }
}

impl Parts {
    /// Both together, to the microsecond.
    fn plus(self, other: Self) -> Self {
        let sum = |one: f64, other: f64| ((one + other) * 1000.0).round() / 1000.0;
        Self {
            schedule_ms: sum(self.schedule_ms, other.schedule_ms),
            queue_ms: sum(self.queue_ms, other.queue_ms),
            call_ms: sum(self.call_ms, other.call_ms),
            service_ms: sum(self.service_ms, other.service_ms),
            init_ms: sum(self.init_ms, other.init_ms),
            handler_ms: sum(self.handler_ms, other.handler_ms),
            overhead_ms: sum(self.overhead_ms, other.overhead_ms),
            unaccounted_ms: sum(self.unaccounted_ms, other.unaccounted_ms),
        }
    }
}

fn spread(values: impl Iterator<Item = f64>) -> Option<Spread> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
    let at = |p: f64| quantile(&sorted, p).map(rounded);
    Some(Spread { count: sorted.len() as u64, p50_ms: at(0.5)?, p95_ms: at(0.95)?, max_ms: at(1.0)? })
}

/// Calls of a kind together, the kinds that took longest first; and how many kinds are left out.
fn calls(traced: &[TracedAttempt]) -> (Vec<CallStatistics>, u64) {
    type Kind<'c> = (&'c str, Option<&'c str>, Option<&'c str>);
    let mut kinds: BTreeMap<Kind<'_>, Vec<&CallReport>> = BTreeMap::new();
    for call in traced.iter().flat_map(|attempt| &attempt.calls) {
        kinds.entry((&call.name, call.operation.as_deref(), call.resource.as_deref())).or_default().push(call);
    }
    // A bucket's keys and the addresses of orders are no kinds.
    let names: BTreeSet<(&str, Option<&str>)> = kinds.keys().map(|(name, operation, _)| (*name, *operation)).collect();
    if kinds.len() > 4 * names.len() {
        let mut folded: BTreeMap<Kind<'_>, Vec<&CallReport>> = BTreeMap::new();
        for ((name, operation, _), mut calls) in kinds {
            folded.entry((name, operation, None)).or_default().append(&mut calls);
        }
        kinds = folded;
    }
    let statistics = |((name, operation, resource), calls): (Kind<'_>, Vec<&CallReport>)| {
        let count = |test: fn(&CallReport) -> bool| calls.iter().filter(|call| test(call)).count() as u64;
        let mut lengths: Vec<f64> = calls.iter().filter_map(|call| call.duration_ms).collect();
        // Sums of fractions depend on their order.
        lengths.sort_by(f64::total_cmp);
        CallStatistics {
            name: name.to_owned(),
            operation: operation.map(str::to_owned),
            resource: resource.map(str::to_owned),
            calls: calls.len() as u64,
            total_ms: (lengths.iter().sum::<f64>() * 1000.0).round() / 1000.0,
            duration: spread(lengths.into_iter()),
            errors: count(|call| call.error),
            faults: count(|call| call.fault),
            throttles: count(|call| call.throttle),
        }
    };
    let mut found: Vec<CallStatistics> = kinds.into_iter().map(statistics).collect();
    found.sort_by(|one, other| other.total_ms.total_cmp(&one.total_ms));
    let left_out = found.len().saturating_sub(MOST_CALLS) as u64;
    found.truncate(MOST_CALLS);
    (found, left_out)
}

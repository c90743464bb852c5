//! A small world with a seed: executions that call one state, a dependency that fails for a while, and a Retry.

use std::collections::BTreeSet;

use crate::analysis::observed::{Attempt, Class, Execution, Name, Names, Observed};
use crate::model::facts::{Pattern, WorkflowType};
use crate::model::path::AttemptOutcome;
use crate::model::{ExecutionStatus, Micros, StateType};

/// SplitMix64: any seed, the same numbers everywhere.
pub(super) struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.share()
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.share()).ln()
    }
}

/// One retrier.
#[derive(Clone)]
pub(super) struct Retry {
    pub error: &'static str,
    pub interval: f64,
    pub rate: f64,
    pub most: u32,
    pub max_delay: f64,
    /// From which share of the delay on waits are drawn: 1 without jitter, 0 for full.
    pub least: f64,
}

pub(super) const PLAIN: Retry = Retry { error: "Down", interval: 2.0, rate: 2.0, most: 5, max_delay: f64::INFINITY, least: 1.0 };

/// What happens. Times in seconds.
#[derive(Clone)]
pub(super) struct World {
    pub retries: Vec<Retry>,
    /// What the service adds to each wait, at most.
    pub overhead: f64,
    /// How long is looked at.
    pub length: f64,
    /// Calls a second that come one by one.
    pub arrivals: f64,
    /// How many of all calls fail by themselves.
    pub failing: f64,
    /// From when to when calls fail.
    pub outages: Vec<(f64, f64)>,
    /// Calls that are under way together: when they fail, over how long, how many.
    pub cohorts: Vec<(f64, f64, usize)>,
    /// Executions that start together: when, over how long, how many.
    pub bursts: Vec<(f64, f64, usize)>,
    /// Of the calls that fail in an outage, how many fail with the second error.
    pub second_error: f64,
    /// Calls that an execution makes side by side.
    pub fan: u64,
    /// Retries are a Catch, a Wait and another visit.
    pub by_hand: bool,
    /// How many executions are kept.
    pub kept: f64,
    /// Days without anything before and after.
    pub clean_days: u32,
}

impl Default for World {
    fn default() -> Self {
        Self {
            retries: vec![PLAIN],
            overhead: 0.08,
            length: 3.0 * 3600.0,
            arrivals: 0.02,
            failing: 0.02,
            outages: vec![(5000.0, 5040.0)],
            cohorts: vec![(5000.0, 0.7, 20)],
            bursts: Vec::new(),
            second_error: 0.0,
            fan: 1,
            by_hand: false,
            kept: 1.0,
            clean_days: 0,
        }
    }
}

/// What was observed, and the truth.
pub(super) struct Told {
    pub observed: Observed,
    /// ARNs of executions that failed together.
    pub cohort: BTreeSet<String>,
    /// ARNs of all executions that failed in an outage.
    pub hit: BTreeSet<String>,
}

struct Making<'w> {
    world: &'w World,
    random: Random,
    names: Names,
    executions: Vec<Execution>,
    attempts: Vec<Attempt>,
    told: (BTreeSet<String>, BTreeSet<String>),
    state: Name,
    machine: Name,
}

fn micros(seconds: f64) -> Micros {
    Micros(1_770_000_000_000_000 + (seconds * 1e6).round() as i64)
}

impl World {
    pub fn tell(&self, seed: u64) -> Told {
        let mut names = Names::default();
        let machine = names.number("arn:aws:states:eu-central-1:111111111111:stateMachine:orders");
        let state = names.number("Call");
        let mut making = Making {
            world: self,
            random: Random(seed),
            names,
            executions: Vec::new(),
            attempts: Vec::new(),
            told: Default::default(),
            state,
            machine,
        };
        let day = 86_400.0;
        let mut quiet: Vec<f64> = (0..self.clean_days).map(|before| -f64::from(before + 1) * day).collect();
        quiet.extend((0..self.clean_days).map(|after| f64::from(after + 1) * day));
        let world = self.clone();
        for start in quiet {
            making.arrive(start, start + self.length);
        }
        making.arrive(0.0, self.length);
        for (at, spread, count) in &world.bursts {
            for _ in 0..*count {
                let start = at + making.random.between(0.0, *spread);
                making.execution(start, None);
            }
        }
        for (at, spread, count) in &world.cohorts {
            for _ in 0..*count {
                let fails = at + making.random.between(0.0, *spread);
                let start = fails - making.random.between(0.5, 3.0);
                making.execution(start, Some(fails));
            }
        }
        making.finish()
    }
}

impl Making<'_> {
    fn arrive(&mut self, from: f64, to: f64) {
        let mut at = from + self.random.exponential(1.0 / self.world.arrivals);
        while at < to {
            self.execution(at, None);
            at += self.random.exponential(1.0 / self.world.arrivals);
        }
    }

    fn execution(&mut self, start: f64, fails: Option<f64>) {
        let is_kept = self.random.share() < self.world.kept;
        let arn = format!("arn:aws:states:eu-central-1:111111111111:execution:orders:e-{:05}", self.executions.len());
        let number = u32::try_from(self.executions.len()).expect("few executions");
        let before = self.attempts.len();
        let mut hit = fails.is_some();
        let mut end = start;
        let mut is_failed = false;
        for call in 0..self.world.fan {
            let (ended, was_hit, gave_up) = self.call(number, call, start, fails);
            (end, hit, is_failed) = (end.max(ended), hit | was_hit, is_failed | gave_up);
        }
        if !is_kept {
            self.attempts.truncate(before);
            return;
        }
        if fails.is_some() {
            self.told.0.insert(arn.clone());
        }
        if hit {
            self.told.1.insert(arn.clone());
        }
        let status = if is_failed { ExecutionStatus::Failed } else { ExecutionStatus::Succeeded };
        self.executions.push(Execution {
            arn: self.names.number(&arn),
            machine: Some(self.machine),
            workflow_type: Some(WorkflowType::Standard),
            version: None,
            alias: None,
            parent: None,
            status: Some(status),
            start: Some(micros(start)),
            stop: Some(micros(end)),
            last_event: Some(micros(end)),
            events: 10,
            redrive_count: 0,
            incomplete: false,
        });
    }

    /// A visit to its end: when that was, whether an outage hit it, whether it gave up.
    fn call(&mut self, execution: u32, call: u64, start: f64, fails: Option<f64>) -> (f64, bool, bool) {
        let mut at = start;
        let mut used = vec![0; self.world.retries.len()];
        let (mut number, mut waited, mut hit) = (1, None, false);
        loop {
            let ended = match fails {
                Some(moment) if number == 1 => moment,
                _ => at + self.random.between(0.05, 0.25),
            };
            let is_out = self.world.outages.iter().any(|(from, to)| (*from..*to).contains(&ended)) || (number == 1 && fails.is_some());
            let error = match is_out {
                true if self.random.share() < self.world.second_error => Some(self.world.retries[1].error),
                true => Some(self.world.retries[0].error),
                false => (self.random.share() < self.world.failing).then_some(self.world.retries[0].error),
            };
            hit |= is_out;
            self.attempt(execution, call, number, (at, ended), waited, error);
            let Some(error) = error else { return (ended, hit, false) };
            let Some(which) = self.world.retries.iter().position(|retry| retry.error == error) else { return (ended, hit, true) };
            let retry = &self.world.retries[which];
            if used[which] >= retry.most {
                return (ended, hit, true);
            }
            let full = (retry.interval * retry.rate.powi(used[which] as i32)).min(retry.max_delay);
            let least = retry.least;
            used[which] += 1;
            let wait = self.random.between(full * least, full) + self.random.between(0.01, 0.01 + self.world.overhead);
            (at, waited, number) = (ended + wait, Some(wait), number + 1);
        }
    }

    fn attempt(&mut self, execution: u32, call: u64, number: u32, (at, ended): (f64, f64), waited: Option<f64>, error: Option<&str>) {
        let by_hand = self.world.by_hand && number > 1;
        let call_number = u32::try_from(call).expect("few calls");
        let error = error.map(|error| self.names.number(error));
        self.attempts.push(Attempt {
            execution,
            visit: if self.world.by_hand { call_number * 100 + 2 * number } else { call_number },
            number: if self.world.by_hand { 1 } else { number },
            redrive: 0,
            parent_visit: (self.world.fan > 1).then_some(1000),
            index: (self.world.fan > 1).then_some(call_number),
            parent_attempt: None,
            outcome: if error.is_some() { AttemptOutcome::Failed } else { AttemptOutcome::Succeeded },
            scheduled: Some(micros(at)),
            started: None,
            submitted: None,
            ended: Some(micros(ended)),
            wait_before: waited.map(|wait| (wait * 1e6).round() as i64),
            by_hand,
            round: if by_hand { number - 1 } else { 0 },
            error,
            resource: None,
            pattern: Some(Pattern::Call),
            timeout_seconds: None,
            heartbeat_seconds: None,
            child: None,
            scheduled_event_id: Some(number * 3),
            ended_event_id: Some(number * 3 + 1),
        });
    }

    fn finish(mut self) -> Told {
        // As gathering puts them.
        let mut order: Vec<u32> = (0..u32::try_from(self.executions.len()).expect("few")).collect();
        order.sort_by_key(|at| self.executions[*at as usize].start);
        let mut position = vec![0; order.len()];
        order.iter().zip(0..).for_each(|(old, new)| position[*old as usize] = new);
        self.attempts.iter_mut().for_each(|attempt| attempt.execution = position[attempt.execution as usize]);
        self.attempts.sort_by_key(|attempt| (attempt.scheduled, attempt.execution, attempt.visit, attempt.number));
        self.executions.sort_by_key(|execution| execution.start);
        let class = Class { machine: Some(self.machine), state: self.state, state_type: Some(StateType::Task), attempts: self.attempts };
        let observed = Observed {
            first_start: self.executions.iter().filter_map(|execution| execution.start).min(),
            last_event: self.executions.iter().filter_map(|execution| execution.last_event).max(),
            names: self.names,
            executions: self.executions,
            classes: vec![class],
            definitions: Vec::new(),
            threads: 1,
        };
        Told { observed, cohort: self.told.0, hit: self.told.1 }
    }
}

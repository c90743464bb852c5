//! A fleet that never ran, for tests: what is known of it is known because it was made so.
//!
//! Executions come at random, more of them at some times of the day; durations have a long tail and follow the load if they are told
//! to; errors come at a constant rate. On top of that: steps, outages, hangs, new errors for one value of an input.

use std::f64::consts::TAU;

use crate::analysis::observed::{Attempt, Class, Execution, Name, Names, Observed};
use crate::model::facts::Pattern;
use crate::model::path::AttemptOutcome;
use crate::model::{ExecutionStatus, Micros, StateType};

pub(super) const HOUR: f64 = 3600.0;
/// When fleets begin: 2026-03-02T00:00:00Z.
const BEGIN: i64 = 1_772_409_600_000_000;

/// What one state is like.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub name: &'static str,
    pub median_ms: f64,
    /// Standard deviation of the logarithm.
    pub spread: f64,
    /// By how much the load lengthens durations at its peak.
    pub follows_load: f64,
    /// Share of attempts that fail with an old error, and are retried.
    pub errors: f64,
    /// Items of a Map around it; 1 for none.
    pub items: u64,
    /// From when to when, and how many times as long.
    pub steps: Vec<(f64, f64, f64)>,
    /// From when to when attempts fail, with what share, with which error; only for executions whose number is a multiple of the last.
    pub failing: Vec<(f64, f64, f64, &'static str, u64)>,
    /// From when to when attempts are never answered.
    pub hangs: Vec<(f64, f64)>,
}

impl State {
    pub fn new(name: &'static str, median_ms: f64) -> Self {
        Self {
            name,
            median_ms,
            spread: 0.35,
            follows_load: 0.0,
            errors: 0.005,
            items: 1,
            steps: Vec::new(),
            failing: Vec::new(),
            hangs: Vec::new(),
        }
    }
}

/// What a machine is like.
#[derive(Debug, Clone)]
pub(super) struct Fleet {
    pub hours: f64,
    pub executions: u64,
    /// Share of the load that comes and goes, and how long that takes.
    pub waves: (f64, f64),
    pub states: Vec<State>,
    pub seed: u64,
}

pub(super) fn at(seconds: f64) -> Micros {
    #[allow(clippy::cast_possible_truncation, reason = "days in microseconds")]
    let micros = (seconds * 1e6) as i64;
    Micros(BEGIN + micros)
}

struct Making {
    names: Names,
    random: fastrand::Rng,
    classes: Vec<Class>,
}

impl Fleet {
    pub fn new(seed: u64) -> Self {
        Self { hours: 12.0, executions: 300, waves: (0.5, 4.0 * HOUR), states: vec![State::new("Call", 400.0)], seed }
    }

    fn load(&self, now: f64) -> f64 {
        f64::midpoint(1.0, (now / self.waves.1 * TAU).sin())
    }

    /// Everything that happened; only executions for which `keep` holds.
    pub fn observed(&self, keep: impl Fn(u64) -> bool) -> (Observed, Micros) {
        let mut making = Making { names: Names::default(), random: fastrand::Rng::with_seed(self.seed), classes: Vec::new() };
        let machine = making.names.number("arn:aws:states:eu-central-1:123456789012:stateMachine:Orders");
        for state in &self.states {
            let state = making.names.number(state.name);
            making.classes.push(Class { machine: Some(machine), state, state_type: Some(StateType::Task), attempts: Vec::new() });
        }
        let mut starts: Vec<f64> = Vec::new();
        while (starts.len() as u64) < self.executions {
            let start = making.random.f64() * self.hours * HOUR;
            if making.random.f64() < 1.0 - self.waves.0 + self.waves.0 * self.load(start) {
                starts.push(start);
            }
        }
        starts.sort_unstable_by(f64::total_cmp);
        let mut executions: Vec<Execution> = Vec::new();
        for (number, start) in (0..).zip(starts) {
            let mut own = fastrand::Rng::with_seed(self.seed.wrapping_mul(1_000_003).wrapping_add(number));
            if keep(number) {
                let execution = u32::try_from(executions.len()).expect("a few thousand");
                executions.push(self.execution(&mut making, &mut own, (number, execution), start, machine));
            }
        }
        let Making { names, mut classes, .. } = making;
        for class in &mut classes {
            class.attempts.sort_by_key(|attempt| (attempt.scheduled, attempt.execution, attempt.visit, attempt.number));
        }
        classes.sort_by_cached_key(|class| names.text(class.state).to_owned());
        let (first_start, last_event) = (executions.first().and_then(|first| first.start), Some(at(self.hours * HOUR)));
        (Observed { names, executions, classes, definitions: Vec::new(), first_start, last_event, threads: 1 }, at(self.hours * HOUR))
    }

    fn execution(
        &self,
        making: &mut Making,
        own: &mut fastrand::Rng,
        (number, execution): (u64, u32),
        start: f64,
        machine: Name,
    ) -> Execution {
        let mut now = start;
        let mut status = ExecutionStatus::Succeeded;
        'states: for (place, state) in self.states.iter().enumerate() {
            let entered = now;
            for item in 0..state.items {
                let visit = u32::try_from(place * 100).expect("few") + u32::try_from(item).expect("few");
                let parent = (state.items > 1).then(|| u32::try_from(place * 100 + 99).expect("few"));
                let mut begun = entered + 0.1;
                for try_number in 1..=3 {
                    let told = self.attempt(state, own, number, begun);
                    let (outcome, error, ended) = match told {
                        Told::Answered(ms) => (AttemptOutcome::Succeeded, None, Some(begun + ms / 1000.0)),
                        Told::Failed(error, ms) => (AttemptOutcome::Failed, Some(error), Some(begun + ms / 1000.0)),
                        Told::Hung => (AttemptOutcome::Aborted, None, None),
                    };
                    let attempt = Attempt {
                        visit,
                        number: try_number,
                        parent_visit: parent,
                        index: parent.and_then(|_| u32::try_from(item).ok()),
                        scheduled: Some(at(begun)),
                        ended: ended.map(at),
                        outcome,
                        error: error.map(|error| making.names.number(error)),
                        ..empty(execution)
                    };
                    making.classes[place].attempts.push(attempt);
                    match told {
                        Told::Answered(ms) => {
                            now = now.max(begun + ms / 1000.0);
                            break;
                        }
                        // A bug is no transient error: nothing retries it.
                        Told::Failed(error, _) if error != "Transient" || try_number == 3 => {
                            status = ExecutionStatus::Failed;
                            now = begun + 1.0;
                            break 'states;
                        }
                        Told::Failed(..) => begun += 2.0,
                        Told::Hung => {
                            status = ExecutionStatus::TimedOut;
                            now = start + 300.0;
                            break;
                        }
                    }
                }
            }
        }
        let arn = making.names.number(&format!("arn:aws:states:eu-central-1:123456789012:execution:Orders:{number:06}"));
        Execution {
            arn,
            machine: Some(machine),
            workflow_type: None,
            version: None,
            alias: None,
            parent: None,
            status: Some(status),
            start: Some(at(start)),
            stop: Some(at(now + 0.1)),
            last_event: Some(at(now + 0.1)),
            events: 10,
            redrive_count: 0,
            incomplete: false,
        }
    }

    fn attempt(&self, state: &State, own: &mut fastrand::Rng, number: u64, now: f64) -> Told {
        let within = |(from, to): (f64, f64)| (from..to).contains(&now);
        if state.hangs.iter().any(|hang| within(*hang)) {
            return Told::Hung;
        }
        for (from, to, share, error, every) in &state.failing {
            if within((*from, *to)) && number.is_multiple_of(*every) && own.f64() < *share {
                return Told::Failed(error, 20.0);
            }
        }
        if own.f64() < state.errors {
            return Told::Failed("Transient", 20.0);
        }
        let normal = (-2.0 * own.f64().max(1e-12).ln()).sqrt() * (TAU * own.f64()).cos();
        let step: f64 = state.steps.iter().filter(|(from, to, _)| within((*from, *to))).map(|(.., times)| times).product();
        Told::Answered(state.median_ms * (normal * state.spread).exp() * (1.0 + state.follows_load * self.load(now)) * step)
    }
}

enum Told {
    Answered(f64),
    Failed(&'static str, f64),
    Hung,
}

fn empty(execution: u32) -> Attempt {
    Attempt {
        execution,
        visit: 0,
        number: 1,
        redrive: 0,
        parent_visit: None,
        index: None,
        parent_attempt: None,
        outcome: AttemptOutcome::Succeeded,
        scheduled: None,
        started: None,
        submitted: None,
        ended: None,
        wait_before: None,
        by_hand: false,
        round: 0,
        error: None,
        resource: None,
        pattern: Some(Pattern::Call),
        timeout_seconds: None,
        heartbeat_seconds: None,
        child: None,
        scheduled_event_id: None,
        ended_event_id: None,
    }
}

//! One state: what of it is tested, and what the tests say.

use super::errors::{self, Rise, Rises};
use super::proportion::{Outcomes, Window};
use super::report::Interval;
use super::season::Season;
use super::series::Point;
use super::shift::{self, Shift, Shifts};
use super::side::Side;
use super::units::{self, Unit};
use super::{load, ranks};
use crate::analysis::finding::NotEnough;
use crate::analysis::observed::{Class, Name, Observed};
use crate::analysis::statistics::quantile_of;
use crate::model::Micros;
use crate::model::facts::Pattern;
use crate::model::path::AttemptOutcome;

/// What could be a change.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Position of the state in [`Observed::classes`].
    pub class: usize,
    pub seen: Seen,
    pub p: f64,
    /// After correction for everything that was tested.
    pub corrected_p: f64,
}

/// What was seen to change.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    /// Durations.
    Shift(Box<Shift>, Season),
    /// The slowest of them.
    Tail(Box<Tail>),
    /// An error.
    Rise(Box<Rise>),
    /// Attempts of visits that failed at first.
    Retries(Box<Shift>),
}

/// The slowest are slower.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    pub at: Micros,
    pub interval: Interval,
    pub until: Option<Micros>,
    pub before: Side,
    pub after: Side,
    pub window: Window,
    pub load_ratio: Option<f64>,
}

/// What one state shows.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub candidates: Vec<Candidate>,
    /// The p of tests that gave no candidate.
    pub tested: Vec<f64>,
    pub not_enough: Option<NotEnough>,
}

/// What is looked up for every state.
pub(super) struct Known {
    /// Whether the text with a number is the ARN of an execution that was read.
    is_execution: Vec<bool>,
}

/// Fewer durations tell nothing of the slowest in twenty.
const ENOUGH_FOR_TAIL: usize = 200;
/// So many slow ones at least, from so many executions, this much more often, and this much slower.
const TAIL: (usize, usize, f64, f64) = (10, 5, 3.0, 1.5);
/// What succeeds from a minute before an outage of its state until five minutes after its last attempt is part of it.
const AROUND_OUTAGE: (i64, i64) = (60_000_000, 300_000_000);
/// An outage as unlikely as this takes its durations with it.
const OUTAGE: f64 = 1e-3;
/// A state with fewer attempts is hardly used: nobody waits for more.
const HARDLY_USED: usize = 10;

impl Known {
    pub fn of(observed: &Observed) -> Self {
        let mut known = Self { is_execution: Vec::new() };
        for position in observed.executions.iter().map(|execution| execution.arn.position()) {
            if known.is_execution.len() <= position {
                known.is_execution.resize(position + 1, false);
            }
            known.is_execution[position] = true;
        }
        known
    }

    fn has(&self, execution: Name) -> bool {
        self.is_execution.get(execution.position()).copied().unwrap_or_default()
    }
}

impl Candidate {
    fn new(class: usize, seen: Seen, p: f64) -> Self {
        Self { class, seen, p, corrected_p: 1.0 }
    }

    /// Whether the input could make sure of it: an error that was not met before.
    pub fn may_be_confirmed(&self) -> bool {
        matches!(&self.seen, Seen::Rise(rise) if rise.is_first && self.p <= errors::PENDING)
    }

    /// When it began.
    pub fn at(&self) -> Micros {
        match &self.seen {
            Seen::Shift(shift, _) | Seen::Retries(shift) => Micros(shift.at),
            Seen::Tail(tail) => tail.at,
            Seen::Rise(rise) => rise.at,
        }
    }

    /// When it ended.
    pub fn until(&self) -> Option<Micros> {
        match &self.seen {
            Seen::Shift(shift, _) | Seen::Retries(shift) => shift.until.map(Micros),
            Seen::Tail(tail) => tail.until,
            Seen::Rise(rise) => rise.until,
        }
    }

    /// When it was first seen.
    pub fn first(&self) -> Micros {
        match &self.seen {
            Seen::Shift(shift, _) | Seen::Retries(shift) => Micros(shift.first),
            Seen::Tail(tail) => tail.at,
            Seen::Rise(rise) => rise.first,
        }
    }

    /// Between which moments it began.
    pub fn interval(&self) -> Interval {
        match &self.seen {
            Seen::Shift(shift, _) | Seen::Retries(shift) => Interval { from: Micros(shift.interval.0), to: Micros(shift.interval.1) },
            Seen::Tail(tail) => tail.interval,
            Seen::Rise(rise) => rise.interval,
        }
    }
}

/// Tests everything of a state.
pub(super) fn judge(observed: &Observed, known: &Known, number: usize, now: Micros) -> Judged {
    let class = &observed.classes[number];
    let mut judged = Judged::default();
    let of_scopes = |pattern: Option<Pattern>| pattern == Some(Pattern::Scopes);
    // What fails or is slow inside a Parallel or Map is told there.
    if class.attempts.first().is_none_or(|attempt| of_scopes(attempt.pattern)) {
        return judged;
    }
    let units = units::units(observed, class, now);
    let is_told_below = class
        .attempts
        .iter()
        .any(|attempt| attempt.pattern == Some(Pattern::ChildExecution) && attempt.child.is_some_and(|child| known.has(child)));
    let rises = if is_told_below { Rises::default() } else { errors::rises(&units) };
    let points = points(class, now, &rises);
    latency(class, number, &points, now, &mut judged);
    retries(&units, number, &mut judged);
    judged.not_enough = not_enough(observed, class, &rises, points.len());
    judged.tested.extend(&rises.tested);
    judged.candidates.extend(rises.found.into_iter().map(|rise| {
        let p = rise.window.p;
        Candidate::new(number, Seen::Rise(Box::new(rise)), p)
    }));
    judged
}

/// Durations of successful calls, without those of outages.
fn points(class: &Class, now: Micros, rises: &Rises) -> Vec<Point> {
    let outages: Vec<(i64, i64)> = rises
        .found
        .iter()
        .filter(|rise| rise.until.is_some() && rise.window.p <= OUTAGE)
        .map(|rise| (rise.at.0.saturating_sub(AROUND_OUTAGE.0), rise.last.0.saturating_add(AROUND_OUTAGE.1)))
        .collect();
    let is_call = |pattern: Option<Pattern>| pattern.is_none_or(|pattern| pattern == Pattern::Call);
    let succeeded = class.attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Succeeded && is_call(attempt.pattern));
    let point = succeeded.filter_map(|attempt| Some(Point { at: attempt.scheduled?.0, ms: attempt.duration_ms()? }));
    point.filter(|point| point.at <= now.0 && !outages.iter().any(|(from, to)| (from..=to).contains(&&point.at))).collect()
}

fn latency(class: &Class, number: usize, points: &[Point], now: Micros, judged: &mut Judged) {
    let first_tries = class.attempts.iter().filter(|attempt| attempt.number == 1).filter_map(|attempt| attempt.scheduled);
    let arrivals: Vec<i64> = first_tries.map(|at| at.0).filter(|at| *at <= now.0).collect();
    let Shifts { found: shifts, p, season } = shift::shifts(points, &arrivals);
    // Nobody is called because something is faster, and what is faster for a while most often comes of a quiet hour.
    let slower: Vec<Shift> = shifts.into_iter().filter(|shift| shift.ratio > 1.0).collect();
    if !slower.is_empty() {
        let candidate = |shift: Shift| {
            let p = shift.p;
            Candidate::new(number, Seen::Shift(Box::new(shift), season), p)
        };
        judged.candidates.extend(slower.into_iter().map(candidate));
        return;
    }
    judged.tested.extend(p);
    match tail(points, &arrivals) {
        Some((Some(tail), p)) => judged.candidates.push(Candidate::new(number, Seen::Tail(Box::new(tail)), p)),
        Some((None, p)) => judged.tested.push(p),
        None => {}
    }
}

/// Whether the slowest are slower; `None` where there are too few, else with the p of the test.
fn tail(points: &[Point], arrivals: &[i64]) -> Option<(Option<Tail>, f64)> {
    if points.len() < ENOUGH_FOR_TAIL {
        return None;
    }
    let (fewest, _, more_often, slower) = TAIL;
    let slow = quantile_of(&mut points.iter().map(|point| point.ms).collect::<Vec<f64>>(), 0.95)?;
    let places: Vec<usize> = points.iter().enumerate().filter(|(_, point)| point.ms > slow).map(|(at, _)| at).collect();
    let outcomes = Outcomes { places: &places, count: points.len() };
    let window = outcomes.scan()?;
    let inside = window.to - window.from;
    let rate = |having: usize, all: usize| ranks::real(having) / ranks::real(all.max(1));
    let is_more = rate(window.having, inside) >= more_often * rate(places.len() - window.having, points.len() - inside);
    if window.having < fewest || !is_more {
        return Some((None, window.p));
    }
    let outside: Vec<Point> = points[..window.from].iter().chain(&points[window.to..]).copied().collect();
    let (before, after) = (Side::of(&outside), Side::of(&points[window.from..window.to]));
    let is_slower = after.quantile(0.95) >= slower * before.quantile(0.95);
    let times: Vec<i64> = points.iter().map(|point| point.at).collect();
    let load_ratio = load::ratio(&times, arrivals, (0, window.from, window.to));
    let is_load = load::explains(load_ratio, after.quantile(0.95));
    if !is_slower || is_load {
        return Some((None, window.p));
    }
    let onsets = outcomes.onsets(window, 2.0);
    let (from, to) = (onsets.first().map_or(window.from, |onset| onset.0), onsets.last().map_or(window.from, |onset| onset.0));
    let tail = Tail {
        at: Micros(times[window.from]),
        interval: Interval { from: Micros(times[from.min(window.from)]), to: Micros(times[to.max(window.from)]) },
        until: times.get(window.to).map(|at| Micros(*at)),
        before,
        after,
        window,
        load_ratio,
    };
    Some((Some(tail), window.p))
}

/// Whether visits that failed at first take more attempts than they did.
fn retries(units: &[Unit], number: usize, judged: &mut Judged) {
    let failed = units.iter().filter(|unit| !unit.failed.is_empty());
    #[allow(clippy::cast_precision_loss, reason = "a number of attempts")]
    let points: Vec<Point> = failed.map(|unit| Point { at: unit.at.0, ms: unit.attempts as f64 }).collect();
    let Shifts { found: shifts, p, .. } = shift::shifts(&points, &[]);
    if shifts.is_empty() {
        judged.tested.extend(p);
    }
    let more = shifts.into_iter().filter(|shift| shift.ratio > 1.0);
    judged.candidates.extend(more.map(|shift| {
        let p = shift.p;
        Candidate::new(number, Seen::Retries(Box::new(shift)), p)
    }));
}

fn not_enough(observed: &Observed, class: &Class, rises: &Rises, durations: usize) -> Option<NotEnough> {
    let told = |question, has: usize, of| NotEnough {
        question,
        state_machine: class.machine.map(|machine| observed.text(machine).to_owned()),
        state: Some(observed.text(class.state).to_owned()),
        has: has as u64,
        needs: shift::ENOUGH as u64,
        of,
    };
    let is_call = class.attempts.iter().all(|attempt| attempt.pattern.is_none_or(|pattern| pattern == Pattern::Call));
    if rises.too_few.is_some() {
        return Some(told("error_rate", class.attempts.len().min(shift::ENOUGH - 1), "attempts"));
    }
    let is_wanted = is_call && (HARDLY_USED..shift::ENOUGH).contains(&durations);
    is_wanted.then(|| told("latency", durations, "successful attempts"))
}

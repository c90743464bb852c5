//! Whether waves are a storm: that the fault is more than the usual failures, that they are waves and no plateau, and that they are a load.
//!
//! | question                                | what speaks for a storm                                             | against what |
//! |-----------------------------------------|----------------------------------------------------------------------|---|
//! | did calls fail more than usual at once? | as many failures among so many calls: under 0.1 % by the usual share   | a cohort started together in which some fail, as ever |
//! | do the retries come together?           | half of a wave within less than half of the wait before it            | calls that arrive one by one into an outage and stay apart |
//! | did the calls fail together?            | first failures closer than chance puts them into the time of the fault, where that is longer than the wait | the same |
//! | are they a load?                        | 1.5 calls for each first one, or a second with 3 times as many retries as there are first calls in the busiest second | a few retries in much traffic |

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF};

use super::assemble::Assembled;
use super::background::{SECOND, WIDTHS};
use super::retries::Tried;
use crate::analysis::observed::{Attempt, Class};
use crate::model::Micros;

/// Calls for each first call, from which on retries are a load.
pub const LEAST_AMPLIFICATION: f64 = 1.5;
/// Or so many times as many retries in a second as first calls in the busiest second before.
const LEAST_PEAK: u64 = 3;
/// Half of a wave comes within less than this share of the wait before it.
pub const MOST_WIDTH: f64 = 0.5;
/// First failures as close together are no matter of chance if they are less likely than this. The bound that it is compared with is some
/// four times the probability, so that one in twenty is meant.
const TOGETHER: f64 = 0.2;
/// As many failures are not explained by the usual share if they are less likely than this.
const UNUSUAL: f64 = 1e-3;
/// Fewer calls outside the storm tell nothing of the usual share.
const FEWEST_CALLS: u64 = 20;
/// How long before a storm its usual load is looked at.
const BEFORE: i64 = 3600 * SECOND;

/// How much a storm adds to the calls of its state.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Load {
    /// Calls from the first one that failed to the last retry, by anybody.
    pub attempts: u64,
    /// Of them, how many were retries, or ran because an enclosing Parallel or Map was retried.
    pub retries: u64,
    /// Calls for each first call: `attempts / (attempts - retries)`; null when there was no first call.
    pub amplification: Option<f64>,
    /// The same over the hour before; null when there was no call.
    pub usual_amplification: Option<f64>,
    /// `retries / attempts`.
    pub retry_share: f64,
    /// The most calls in any second.
    pub peak_per_second: u64,
    /// Calls a second, from the first to the last.
    pub mean_per_second: f64,
    /// The most retries in any second.
    pub peak_retries_per_second: u64,
    /// The most first calls in any second, from an hour before to the last retry.
    pub peak_first_attempts_per_second: u64,
    /// First calls a second in the hour before.
    pub first_attempts_per_second_before: f64,
    /// First calls a second during the storm.
    pub first_attempts_per_second: f64,
}

/// What failed together.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Surge {
    /// Calls that ended while calls failed as a rule: from the first failure to the last in a wave that mostly failed again.
    pub calls: u64,
    /// Of them, how many failed.
    pub failed: u64,
    /// The share that fails outside the storm; null when fewer than 20 calls tell.
    pub usual_share: Option<f64>,
    /// How likely so many fail by that share; null when it is not known.
    pub probability: Option<f64>,
}

/// How close together calls failed for the first time.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Onset {
    /// Executions.
    pub executions: u64,
    /// How long calls failed as a rule.
    pub fault_ms: f64,
    /// The window that speaks most against calls that failed one by one; null where the fault was shorter than the wait.
    pub window_ms: Option<f64>,
    /// The most executions in such a window.
    pub most: Option<u64>,
    /// At most how likely that is if they failed one by one: a scan statistic, all widths together.
    pub probability: Option<f64>,
}

/// What speaks for and against a storm.
pub(super) struct Judged {
    pub load: Load,
    pub surge: Surge,
    /// How long half of a wave takes against the wait before it, over all waves; `None` without a wave.
    pub width: Option<f64>,
    pub onset: Onset,
}

impl Judged {
    /// Whether they are a storm at all, jittered or not.
    pub(super) fn is_storm(&self) -> bool {
        let is_load = self.load.amplification.is_none_or(|amplification| amplification >= LEAST_AMPLIFICATION)
            || self.load.peak_retries_per_second >= LEAST_PEAK * self.load.peak_first_attempts_per_second.max(1);
        is_load && self.surge.probability.is_none_or(|probability| probability < UNUSUAL)
    }

    /// Whether its retries come together.
    pub(super) fn comes_together(&self) -> bool {
        self.width.is_some_and(|width| width < MOST_WIDTH) && self.onset.probability.is_none_or(|probability| probability < TOGETHER)
    }
}

/// Judges a storm among the attempts of its class.
pub(super) fn judge(storm: &Assembled, class: &Class) -> Judged {
    Judged { load: load(storm, class), surge: surge(storm, class), width: width(storm), onset: onset(storm) }
}

/// Whether an attempt is a call that a failure brought about.
fn is_repeated(attempt: &Attempt) -> bool {
    attempt.is_retry() || attempt.parent_attempt.is_some_and(|parent| parent > 1)
}

#[allow(clippy::cast_precision_loss, reason = "counts and whole microseconds")]
fn load(storm: &Assembled, class: &Class) -> Load {
    let causes = storm.seen.retries.iter().filter_map(|retry| class.attempts.get(retry.cause?)?.scheduled);
    let from = causes.min().unwrap_or(storm.seen.from).min(storm.seen.from);
    let calls = scheduled(class, from, storm.seen.to);
    let attempts = calls.len() as u64;
    let retries = calls.iter().filter(|attempt| is_repeated(attempt)).count() as u64;
    let before = scheduled(class, Micros(from.0.saturating_sub(BEFORE)), Micros(from.0.saturating_sub(1)));
    let repeated_before = before.iter().filter(|attempt| is_repeated(attempt)).count() as u64;
    // Somebody who looks for an hour before has not seen one where the first call is younger.
    let first = class.attempts.iter().find_map(|attempt| attempt.scheduled).unwrap_or(from);
    let seconds_before = (from.0.saturating_sub(first.0).clamp(0, BEFORE) as f64 / SECOND as f64).max(1.0);
    let seconds = (storm.seen.to.0.saturating_sub(from.0) as f64 / SECOND as f64).max(1.0);
    let amplification = |attempts: u64, retries: u64| (attempts > retries).then(|| attempts as f64 / (attempts - retries) as f64);
    Load {
        attempts,
        retries,
        amplification: amplification(attempts, retries),
        usual_amplification: amplification(before.len() as u64, repeated_before),
        retry_share: if attempts == 0 { 0.0 } else { retries as f64 / attempts as f64 },
        peak_per_second: peak(calls, |_| true),
        peak_retries_per_second: peak(calls, Attempt::is_retry),
        peak_first_attempts_per_second: peak(calls, |attempt| !is_repeated(attempt)).max(peak(before, |attempt| !is_repeated(attempt))),
        mean_per_second: attempts as f64 / seconds,
        first_attempts_per_second_before: (before.len() as u64 - repeated_before) as f64 / seconds_before,
        first_attempts_per_second: (attempts - retries) as f64 / seconds,
    }
}

/// The attempts that were scheduled from one moment to another, both included.
fn scheduled(class: &Class, from: Micros, to: Micros) -> &[Attempt] {
    let start = class.attempts.partition_point(|attempt| attempt.scheduled < Some(from));
    let end = class.attempts.partition_point(|attempt| attempt.scheduled <= Some(to));
    &class.attempts[start..end.max(start)]
}

/// The most of these within any second.
fn peak(calls: &[Attempt], is_one: impl Fn(&Attempt) -> bool) -> u64 {
    let moments: Vec<i64> =
        calls.iter().filter(|attempt| is_one(attempt)).filter_map(|attempt| attempt.scheduled).map(|moment| moment.0).collect();
    most_within(&moments, SECOND)
}

/// The most of these moments, sorted, in any window of a width.
fn most_within(moments: &[i64], width: i64) -> u64 {
    let (mut left, mut most) = (0, 0);
    for (right, moment) in moments.iter().enumerate() {
        while moment.saturating_sub(moments[left]) >= width {
            left += 1;
        }
        most = most.max(right + 1 - left);
    }
    most as u64
}

fn surge(storm: &Assembled, class: &Class) -> Surge {
    let (from, to) = (storm.seen.from, storm.fault_end);
    let (mut inside, mut outside) = ((0, 0), (0, 0));
    for attempt in &class.attempts {
        let Some(ended) = attempt.ended else { continue };
        let count = match ended {
            at if at >= from && at <= to => &mut inside,
            at if at >= storm.seen.from && at <= storm.seen.to => continue,
            _ => &mut outside,
        };
        count.0 += 1;
        count.1 += u64::from(attempt.has_failed());
    }
    // One failure more than was seen, so that none before is not taken for impossible.
    #[allow(clippy::cast_precision_loss, reason = "counts of calls")]
    let usual_share = (outside.0 >= FEWEST_CALLS).then(|| (outside.1 + 1) as f64 / (outside.0 + 2) as f64);
    let probability = usual_share.and_then(|share| {
        let binomial = Binomial::new(share, inside.0).ok()?;
        Some(inside.1.checked_sub(1).map_or(1.0, |below| binomial.sf(below)))
    });
    Surge { calls: inside.0, failed: inside.1, usual_share, probability }
}

/// How long the densest half of each wave takes, in sum, against the median waits before them; larger waves say more. `None` without a wave.
#[allow(clippy::cast_precision_loss, reason = "whole microseconds")]
fn width(storm: &Assembled) -> Option<f64> {
    let (mut width, mut wait) = (0.0, 0.0);
    for wave in &storm.seen.waves {
        let members: Vec<&Tried> = wave.retries.iter().map(|at| &storm.tried[*at]).collect();
        let half = members.len().div_ceil(2);
        let spans = members.windows(half).map(|part| part[half - 1].retry.scheduled.0.saturating_sub(part[0].retry.scheduled.0));
        let mut waits: Vec<i64> = members.iter().map(|tried| tried.retry.wait).collect();
        waits.sort_unstable();
        width += spans.min().unwrap_or(0) as f64 * members.len() as f64;
        wait += waits[waits.len() / 2] as f64 * members.len() as f64;
    }
    (wait > 0.0).then(|| width / wait)
}

/// Whether calls failed one by one. Null hypothesis: each execution's first failure lies anywhere in the time of the fault. The
/// probability that a window of width `w` holds at least `k` of `N` is at most `N P(Bin(N - 1, w / D) >= k - 1)`: one of them has to be its first.
/// Where the fault was shorter than the first wait, they come back together however they failed.
#[allow(clippy::cast_precision_loss, reason = "counts of executions and whole microseconds")]
fn onset(storm: &Assembled) -> Onset {
    let mut first: BTreeMap<u32, i64> = BTreeMap::new();
    for tried in &storm.tried {
        let failed = first.entry(tried.execution).or_insert(tried.retry.failed.0);
        *failed = tried.retry.failed.0.min(*failed);
    }
    let mut moments: Vec<i64> = first.into_values().collect();
    moments.sort_unstable();
    let count = moments.len() as u64;
    let fault = storm.fault_end.0.saturating_sub(storm.seen.from.0).max(0);
    let mut waits: Vec<i64> = storm.tried.iter().filter(|tried| tried.retry.number == 1).map(|tried| tried.retry.wait).collect();
    waits.sort_unstable();
    let wait = waits.get(waits.len() / 2).copied().unwrap_or(0);
    let mut onset = Onset { executions: count, fault_ms: fault as f64 / 1000.0, ..Onset::default() };
    if fault <= wait {
        return onset;
    }
    for width in WIDTHS {
        let most = most_within(&moments, width);
        let share = (width as f64 / fault as f64).min(1.0);
        let tail = match (Binomial::new(share, count.saturating_sub(1)), most.checked_sub(2)) {
            (Ok(binomial), Some(below)) => binomial.sf(below),
            _ => 1.0,
        };
        let probability = (tail * count as f64 * WIDTHS.len() as f64).min(1.0);
        if onset.probability.is_none_or(|known| probability < known) {
            onset.window_ms = Some(width as f64 / 1000.0);
            onset.most = Some(most);
            onset.probability = Some(probability);
        }
    }
    onset
}

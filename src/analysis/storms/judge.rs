//! Whether waves are a storm: that the fault is more than the usual failures, that they are waves and no plateau, and that they are a load.
//!
//! | question                                | what speaks for a storm                                             | against what |
//! |-----------------------------------------|----------------------------------------------------------------------|---|
//! | did calls fail more than usual at once? | as many failures among so many calls: under 1 % by the usual share     | a cohort started together in which some fail, as ever |
//! | do the retries come together?           | half of a wave within less than half of the wait before it            | calls that arrive one by one into an outage and stay apart |
//! | are they a load?                        | 1.5 calls for each first one, or a second with 3 times the calls of the busiest second before | a few retries in much traffic |

use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF};

use super::assemble::Assembled;
use super::background::SECOND;
use super::retries::Tried;
use crate::analysis::observed::{Attempt, Class};
use crate::model::Micros;

/// Calls for each first call, from which on retries are a load.
pub const LEAST_AMPLIFICATION: f64 = 1.5;
/// Or so many times the calls of the busiest second before.
const LEAST_PEAK: f64 = 3.0;
/// Half of a wave comes within less than this share of the wait before it.
pub const MOST_WIDTH: f64 = 0.5;
/// As many failures are not explained by the usual share if they are less likely than this.
const UNUSUAL: f64 = 0.01;
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
    /// The most calls in any second of the hour before.
    pub usual_peak_per_second: u64,
    /// First calls a second in the hour before.
    pub first_attempts_per_second_before: f64,
    /// First calls a second during the storm.
    pub first_attempts_per_second: f64,
}

/// What failed together.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Surge {
    /// Calls that ended while the first wave's failures did.
    pub calls: u64,
    /// Of them, how many failed.
    pub failed: u64,
    /// The share that fails outside the storm; null when fewer than 20 calls tell.
    pub usual_share: Option<f64>,
    /// How likely so many fail by that share; null when it is not known.
    pub probability: Option<f64>,
}

/// What speaks for and against a storm.
pub(super) struct Judged {
    pub load: Load,
    pub surge: Surge,
    /// How long half of a wave takes, against the wait before it, over all waves.
    pub width: f64,
}

impl Judged {
    /// Whether they are a storm at all, jittered or not.
    pub(super) fn is_storm(&self) -> bool {
        let is_load = self.load.amplification.is_none_or(|amplification| amplification >= LEAST_AMPLIFICATION)
            || self.load.peak_per_second as f64 >= LEAST_PEAK * self.load.usual_peak_per_second.max(1) as f64;
        is_load && self.surge.probability.is_none_or(|probability| probability < UNUSUAL)
    }

    /// Whether its retries come together.
    pub(super) fn comes_together(&self) -> bool {
        self.width < MOST_WIDTH
    }
}

/// Judges a storm among the attempts of its class.
pub(super) fn judge(storm: &Assembled, class: &Class) -> Judged {
    Judged { load: load(storm, class), surge: surge(storm, class), width: width(storm) }
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
        peak_per_second: peak(calls),
        mean_per_second: attempts as f64 / seconds,
        usual_peak_per_second: peak(before),
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

/// The most of them within any second.
fn peak(calls: &[Attempt]) -> u64 {
    let moments: Vec<i64> = calls.iter().filter_map(|attempt| attempt.scheduled).map(|moment| moment.0).collect();
    let mut left = 0;
    let mut most = 0;
    for (right, moment) in moments.iter().enumerate() {
        while moment.saturating_sub(moments[left]) >= SECOND {
            left += 1;
        }
        most = most.max(right + 1 - left);
    }
    most as u64
}

fn surge(storm: &Assembled, class: &Class) -> Surge {
    let Some(wave) = storm.seen.waves.first() else { return Surge::default() };
    let failed = |at: &usize| storm.tried[*at].retry.failed;
    let (Some(from), Some(to)) = (wave.retries.iter().map(failed).min(), wave.retries.iter().map(failed).max()) else {
        return Surge::default();
    };
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

/// How long the densest half of each wave takes, in sum, against the median waits before them.
#[allow(clippy::cast_precision_loss, reason = "whole microseconds")]
fn width(storm: &Assembled) -> f64 {
    let (mut width, mut wait) = (0.0, 0.0);
    for wave in &storm.seen.waves {
        let members: Vec<&Tried> = wave.retries.iter().map(|at| &storm.tried[*at]).collect();
        let half = members.len().div_ceil(2);
        let spans = members.windows(half).map(|part| part[half - 1].retry.scheduled.0.saturating_sub(part[0].retry.scheduled.0));
        let mut waits: Vec<i64> = members.iter().map(|tried| tried.retry.wait).collect();
        waits.sort_unstable();
        // Larger waves say more.
        width += spans.min().unwrap_or(0) as f64 * members.len() as f64;
        wait += waits[waits.len() / 2] as f64 * members.len() as f64;
    }
    if wait > 0.0 { width / wait } else { f64::INFINITY }
}

//! Whether the waits before a storm's retries are the policy's own, or were spread by jitter.
//!
//! Only waits of one attempt after the same errors are compared: backoff alone spreads a mix. For each such group of at least four,
//! the distance from the tenth to the ninetieth percentile against the median; over all groups the sums of both are divided, so that long waits
//! weigh more, and what scheduling adds to short ones (a second on two) does not look like jitter.
//!
//! | waits                             | spread `S`                     |
//! |-----------------------------------|--------------------------------|
//! | no jitter                         | what scheduling adds / wait: 0.003 to 0.03, up to 0.4 where it adds up to a second to waits of two |
//! | drawn from `[wait / 2, wait]`     | 0.53                           |
//! | drawn from `[0, wait]` (`FULL`)   | (0.9 - 0.1) / 0.5 = 1.6        |
//!
//! Few waits drawn from `[0, wait]` may lie close together by chance. Against that stands an exact test: given the longest of `n` waits, the
//! others are uniform on `[0, longest]` under full jitter, and all lie above a share `r` of it with probability `(1 - r)^(n - 1)`.
//! The tenth percentile stands for the shortest, so that one odd wait does not decide (with the binomial probability that goes with it);
//! the groups are put together by Fisher's method.
//!
//! What scheduling adds is the same for long waits as for short ones, while jitter in part (a function that waits by itself, a Retry
//! that was changed in between) grows with them: spread beyond one and a half seconds that is more than a twentieth of the waits is neither.

use serde::Serialize;
use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF};

use super::retries::Tried;
use super::seen::Spread;
use crate::analysis::fleet::quantile;

/// Below: no jitter, if full jitter is ruled out as well, and scheduling explains the spread there is.
pub const CUT: f64 = 0.5;
/// Scheduling does not add more than this to some waits and nothing to others, in milliseconds.
const SCHEDULING: f64 = 1500.0;
/// What is left of the spread without scheduling, against the median: jitter in part leaves more, whatever the waits.
const EXCESS: f64 = 0.05;
/// Fewer waits have no spread worth computing.
const FEWEST_WAITS: usize = 4;
/// Full jitter is ruled out when waits as close together are less likely than this under it.
const RULED_OUT: f64 = 1e-3;

/// The waits before the retries of a storm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waits {
    /// What it comes to.
    pub verdict: Spread,
    /// The spread of all groups together; null when no group has four waits.
    pub spread: Option<f64>,
    /// Below this there is no jitter.
    pub cut: f64,
    /// How likely waits are as close together as these under full jitter; null when no group has four waits.
    pub full_jitter_probability: Option<f64>,
    /// The groups, by number, then by what came first.
    pub groups: Vec<WaitGroup>,
}

/// Waits that any policy without jitter makes the same: before the same attempt, after the same errors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitGroup {
    /// Which retry: 1 is the second attempt.
    pub retry: u32,
    /// The error that led to it; null when none was given.
    pub error: Option<String>,
    /// How many waits.
    pub count: u64,
    /// The tenth percentile.
    pub p10_ms: f64,
    /// The median.
    pub p50_ms: f64,
    /// The ninetieth percentile.
    pub p90_ms: f64,
}

/// A group before it is put into words: positions in the retries it was made of.
pub(super) struct Group {
    pub members: Vec<usize>,
    /// Sorted milliseconds.
    pub waits: Vec<f64>,
}

/// Groups of waits: the retries whose visits saw the same errors.
#[allow(clippy::cast_precision_loss, reason = "whole microseconds are exact in f64 for 285 years")]
pub(super) fn groups(retries: &[Tried]) -> Vec<Group> {
    let mut order: Vec<usize> = (0..retries.len()).collect();
    order.sort_by_key(|at| (retries[*at].history, *at));
    let mut groups: Vec<Group> = order
        .chunk_by(|one, other| retries[*one].history == retries[*other].history)
        .map(|members| {
            let mut waits: Vec<f64> = members.iter().map(|at| retries[*at].retry.wait as f64 / 1000.0).collect();
            waits.sort_by(f64::total_cmp);
            Group { members: members.to_vec(), waits }
        })
        .collect();
    groups.sort_by_key(|group| (retries[group.members[0]].retry.number, group.members[0]));
    groups
}

/// The verdict over groups of sorted waits: it, the spread, and the probability under full jitter.
#[allow(clippy::cast_precision_loss, reason = "counts of retries")]
pub(super) fn judge(groups: &[Group]) -> (Spread, Option<f64>, Option<f64>) {
    let (mut distance, mut median, mut excess) = (0.0, 0.0, 0.0);
    let mut uniform = Vec::new();
    for waits in groups.iter().map(|group| &group.waits).filter(|waits| waits.len() >= FEWEST_WAITS) {
        let at = |p| quantile(waits, p).unwrap_or_default();
        let apart = at(0.9) - at(0.1);
        distance += apart * waits.len() as f64;
        excess += (apart - SCHEDULING).max(0.0) * waits.len() as f64;
        median += at(0.5) * waits.len() as f64;
        uniform.push(as_close_when_uniform(waits));
    }
    if median <= 0.0 {
        return (Spread::Unclear, None, None);
    }
    let spread = distance / median;
    let uniform = all_together(&uniform);
    let verdict = match (spread < CUT && excess / median < EXCESS, spread >= CUT, uniform <= RULED_OUT) {
        (true, _, true) => Spread::None,
        (_, true, false) => Spread::Full,
        _ => Spread::Unclear,
    };
    (verdict, Some(spread), Some(uniform))
}

/// Fisher's method: independent probabilities of one hypothesis as one. `-2 Σ ln p` is chi-squared with two degrees of freedom for each.
#[allow(clippy::cast_precision_loss, reason = "a number of groups")]
fn all_together(probabilities: &[f64]) -> f64 {
    let statistic: f64 = probabilities.iter().map(|p| -2.0 * p.max(f64::MIN_POSITIVE).ln()).sum();
    ChiSquared::new(2.0 * probabilities.len() as f64).map_or(1.0, |chi_squared| chi_squared.sf(statistic))
}

/// The probability that so few of the waits are as short as the shortest tenth of these, were they uniform from 0 to the longest.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of retries")]
fn as_close_when_uniform(waits: &[f64]) -> f64 {
    let longest = waits.last().copied().unwrap_or_default();
    let others = waits.len().saturating_sub(1);
    if longest <= 0.0 || others == 0 {
        return 1.0;
    }
    let odd = waits.len() / 10;
    let share = (waits[odd.min(others)] / longest).clamp(0.0, 1.0);
    // At most `odd` of the others below the share.
    Binomial::new(share, others as u64).map_or(1.0, |binomial| binomial.cdf(odd as u64))
}

//! How many retries are usual around a moment, and how many at once chance does not explain.
//!
//! The null hypothesis: executions retry independently of each other, at a rate that changes slowly (Poisson). The rate is that of
//! the two hours around the moment, so that other times of the day and other days make no difference to it; minutes of a storm are kept
//! out of it by leaving out the busiest tenth. The level is for each day, not for all that was observed: more clean days change nothing.

use std::collections::HashMap;

use statrs::distribution::{DiscreteCDF, Poisson};

use super::retries::Tried;
use crate::model::Micros;

pub(super) const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
/// Minutes before and after that count as the same time.
const AROUND: i64 = 60;
/// One in so many minutes, the busiest, is not background.
const TRIMMED: usize = 10;
/// Less than one wave by chance in 10,000 days of a state.
const LEVEL_PER_DAY: f64 = 1e-4;
const SECONDS_IN_DAY: f64 = 86_400.0;
/// Fewer executions make no storm, whatever the background: a coincidence of four is told apart from chance too rarely.
pub(super) const FEWEST: u64 = 5;

/// How wide the windows are, in microseconds, in which executions are counted.
///
/// Calls that are cut off at one moment are retried within half a second to two; the wider ones are for dependencies that fail slowly,
/// such as a load balancer that drains for ten seconds, and count only waits at least twice as long as they are wide.
pub(super) const WIDTHS: [i64; 5] = [SECOND / 2, 2 * SECOND, 5 * SECOND, 10 * SECOND, 20 * SECOND];
/// Windows up to this width count every wait.
const ANY_WAIT: i64 = 2 * SECOND;

/// Whether a retry after this wait may be in a wave of a window's width: a wave is shorter than the wait before it.
pub(super) fn is_counted(wait: i64, width: i64) -> bool {
    width <= ANY_WAIT || wait >= width.saturating_mul(2)
}

/// The usual rate of retries in one state.
pub(super) struct Background {
    /// Minutes with retries, and how many executions retried in each.
    minutes: Vec<(i64, u64)>,
    /// The first and last minute that was observed.
    observed: (i64, i64),
    rates: HashMap<i64, f64>,
    fewest: HashMap<(i64, i64), u64>,
}

impl Background {
    /// From the retries of a state, by time, and from when to when executions were observed.
    pub(super) fn new(retries: &[Tried], from: Micros, to: Micros) -> Self {
        let mut seen: Vec<(i64, u32)> = retries.iter().map(|tried| (tried.retry.scheduled.0.div_euclid(MINUTE), tried.execution)).collect();
        seen.sort_unstable();
        seen.dedup();
        let mut minutes: Vec<(i64, u64)> = Vec::new();
        for (minute, _) in seen {
            match minutes.last_mut() {
                Some((last, count)) if *last == minute => *count += 1,
                _ => minutes.push((minute, 1)),
            }
        }
        let observed = (from.0.div_euclid(MINUTE), to.0.div_euclid(MINUTE));
        Self { minutes, observed, rates: HashMap::new(), fewest: HashMap::new() }
    }

    /// Executions a second that retry around a moment, a storm left aside.
    pub(super) fn rate(&mut self, at: Micros) -> f64 {
        let minute = at.0.div_euclid(MINUTE);
        if let Some(known) = self.rates.get(&minute) {
            return *known;
        }
        let rate = self.trimmed_rate(minute);
        self.rates.insert(minute, rate);
        rate
    }

    #[allow(clippy::cast_precision_loss, reason = "a few hundred minutes and what was counted in them")]
    fn trimmed_rate(&self, minute: i64) -> f64 {
        let (first, last) = (self.observed.0.min(minute), self.observed.1.max(minute));
        let (from, to) = ((minute - AROUND).max(first), (minute + AROUND).min(last));
        let bins = usize::try_from(to - from + 1).unwrap_or(1);
        // Where a storm is all there is, nothing tells the background, and it is taken for small.
        let left_out = bins.div_ceil(TRIMMED);
        let start = self.minutes.partition_point(|(at, _)| *at < from);
        let end = self.minutes.partition_point(|(at, _)| *at <= to);
        let mut counts: Vec<u64> = self.minutes[start..end].iter().map(|(_, count)| *count).collect();
        counts.sort_unstable_by(|one, other| other.cmp(one));
        let usual: u64 = counts.iter().skip(left_out).sum();
        // Half a retry more than was seen, so that silence is not taken for impossibility.
        (usual as f64 + 0.5) / ((bins - left_out).max(1) as f64 * 60.0)
    }

    /// How many executions a window of this width holds by chance.
    #[allow(clippy::cast_precision_loss, reason = "at most twenty seconds")]
    pub(super) fn expected(&mut self, at: Micros, width: i64) -> f64 {
        self.rate(at) * (width as f64 / SECOND as f64)
    }

    /// How many windows of this width with at least `executions` of them chance makes in a day: about the probability of one while it is small.
    #[allow(clippy::cast_precision_loss, reason = "at most twenty seconds")]
    pub(super) fn probability(&mut self, at: Micros, width: i64, executions: u64) -> f64 {
        let windows = SECONDS_IN_DAY / (width as f64 / SECOND as f64) * WIDTHS.len() as f64;
        (windows * at_least(self.expected(at, width), executions)).min(1.0)
    }

    /// The smallest number of executions that makes a window of this width a wave.
    pub(super) fn fewest(&mut self, at: Micros, width: i64) -> u64 {
        let minute = at.0.div_euclid(MINUTE);
        if let Some(known) = self.fewest.get(&(minute, width)) {
            return *known;
        }
        let mut fewest = FEWEST;
        // The tail falls faster than geometrically beyond the mean: the loop ends soon after it.
        while self.probability(at, width, fewest) > LEVEL_PER_DAY {
            fewest += 1 + fewest / 16;
        }
        self.fewest.insert((minute, width), fewest);
        fewest
    }
}

/// `P(X >= count)` of a Poisson distribution.
fn at_least(mean: f64, count: u64) -> f64 {
    let Some(below) = count.checked_sub(1) else { return 1.0 };
    Poisson::new(mean).map_or(0.0, |poisson| poisson.sf(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_that_of_scipy() {
        // scipy.stats.poisson.sf(4, 0.04), (9, 2.0), (0, 0.5)
        for (mean, count, tail) in [(0.04, 5, 8.253_709e-10), (2.0, 10, 4.649_807e-5), (0.5, 1, 0.393_469_34)] {
            let got = at_least(mean, count);
            assert!((got / tail - 1.0).abs() < 1e-3, "P(X >= {count}) of mean {mean} is {got}");
        }
        assert!((at_least(3.0, 0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_unseen_rate_is_small_and_never_nothing() {
        let mut background = Background::new(&[], Micros(0), Micros(3600 * SECOND));
        let rate = background.rate(Micros(1800 * SECOND));
        assert!(rate > 0.0 && rate < 1e-3, "{rate}");
        assert_eq!(background.fewest(Micros(0), 2 * SECOND), FEWEST);
    }

    #[test]
    fn extreme_moments_are_no_trouble() {
        let mut background = Background::new(&[], Micros(i64::MIN), Micros(i64::MAX));
        for at in [i64::MIN, 0, i64::MAX] {
            assert!(background.fewest(Micros(at), 20 * SECOND) >= FEWEST);
        }
    }
}

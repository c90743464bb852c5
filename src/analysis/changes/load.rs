//! Whether durations follow the load, and what is left of a step at matched load.
//!
//! The load at a moment is how often the state was asked for in a window around it. Where, on both sides of a step for itself,
//! durations rise with it, ranks of durations are compared with what the ranks of the load explain taken out (Quade's analysis of
//! covariance by ranks, 1967), and the ratio is that of durations with the same load.

use super::ranks::{Cut, best_cut, centred_ranks, inflation, real, without_means, z_at};
use super::shift::FEWEST;
use crate::analysis::fleet::quantile;

/// About so many arrivals in a window, whichever fits best.
const ARRIVALS: [usize; 5] = [8, 16, 32, 64, 128];
/// Windows are no shorter than a minute and no longer than an hour.
const WINDOWS: (i64, i64) = (60_000_000, 3_600_000_000);
/// A correlation within sides that chance exceeds in one series of a thousand is there.
const CORRELATED: f64 = 3.0;
/// Half as much load again, and gone with it, is what raised durations.
const MUCH_MORE: f64 = 1.5;

/// What is left of a step at matched load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Matched {
    /// How far ranks lie apart, in standard deviations.
    pub z: f64,
    /// The logarithm of the ratio.
    pub effect: f64,
}

/// What is left of a cut at matched load; `None` where durations do not follow the load.
pub(super) fn matched(at: &[i64], levels: &[f64], ranks: &[f64], arrivals: &[i64], cut: Cut) -> Option<Matched> {
    let own = without_means(ranks, cut);
    let loads = ARRIVALS.iter().filter(|count| **count * 3 <= at.len()).filter_map(|count| load(at, arrivals, *count));
    let correlated = loads.map(|load| {
        let of_load = centred_ranks(&load);
        let together = correlation(&without_means(&of_load, cut), &own);
        (together, load, of_load)
    });
    let (together, load, of_load) = correlated.reduce(|best, other| if other.0 > best.0 { other } else { best })?;
    if together * real(at.len()).sqrt() < CORRELATED {
        return None;
    }
    let whole = slope(&of_load, ranks).max(0.0);
    let left: Vec<f64> = ranks.iter().zip(&of_load).map(|(rank, load)| rank - whole * load).collect();
    let conservative = best_cut(&left, FEWEST).map_or(0.0, |best| best.z.abs());
    let within = slope(&without_means(&of_load, cut), &own).max(0.0);
    let freed: Vec<f64> = ranks.iter().zip(&of_load).map(|(rank, load)| rank - within * load).collect();
    let z = z_at(&centred(&freed), cut) / inflation(&freed, cut).sqrt();
    let logs: Vec<f64> = load.iter().map(|load| (load + 1.0).ln()).collect();
    let steepness = slope(&without_means(&logs, cut), &without_means(levels, cut)).max(0.0);
    let level = |from: usize, to: usize| {
        let mut left: Vec<f64> = (from..to).map(|at| levels[at] - steepness * logs[at]).collect();
        left.sort_unstable_by(f64::total_cmp);
        quantile(&left, 0.5).unwrap_or_default()
    };
    Some(Matched { z: conservative.min(z.abs()) * z.signum(), effect: level(cut.from, cut.to) - level(0, cut.from) })
}

/// The mean load of the later part by that of the earlier; `None` where it cannot be told.
pub(super) fn ratio(times: &[i64], arrivals: &[i64], (from, at, to): (usize, usize, usize)) -> Option<f64> {
    let rate = |from: usize, to: usize| {
        let (first, last) = (*times.get(from)?, *times.get(to.checked_sub(1)?)?);
        let count = arrivals.partition_point(|at| *at <= last) - arrivals.partition_point(|at| *at < first);
        #[allow(clippy::cast_precision_loss, reason = "a length of time")]
        let seconds = last.saturating_sub(first).max(1) as f64;
        Some(real(count) / seconds)
    };
    Some(rate(at, to)? / rate(from, at)?).filter(|ratio| ratio.is_finite() && *ratio > 0.0)
}

/// Whether the load explains what came and went with it.
pub(super) fn explains(load_ratio: Option<f64>, ratio: f64) -> bool {
    load_ratio.is_some_and(|load| (load >= MUCH_MORE && ratio > 1.0) || (load <= 1.0 / MUCH_MORE && ratio < 1.0))
}

/// How many arrivals lie in a window around each moment, the window being so wide that it holds about `count`; `None` for none.
fn load(at: &[i64], arrivals: &[i64], count: usize) -> Option<Vec<f64>> {
    let span = arrivals.last()?.saturating_sub(*arrivals.first()?);
    let width = (span / i64::try_from(arrivals.len()).ok()?).saturating_mul(i64::try_from(count).ok()?).clamp(WINDOWS.0, WINDOWS.1);
    let (mut first, mut last) = (0, 0);
    let counted = at.iter().map(|at| {
        while arrivals.get(first).is_some_and(|arrival| *arrival < at.saturating_sub(width / 2)) {
            first += 1;
        }
        while arrivals.get(last).is_some_and(|arrival| *arrival <= at.saturating_add(width / 2)) {
            last += 1;
        }
        real(last.saturating_sub(first))
    });
    Some(counted.collect())
}

fn centred(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / real(values.len().max(1));
    values.iter().map(|value| value - mean).collect()
}

fn products(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// The slope of the regression of `y` on `x`, both with mean 0; 0 where `x` does not vary.
fn slope(x: &[f64], y: &[f64]) -> f64 {
    let square = products(x, x);
    if square > 0.0 { products(x, y) / square } else { 0.0 }
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let squares = (products(one, one) * products(other, other)).sqrt();
    if squares > 0.0 { products(one, other) / squares } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    /// Calls come quicker in the middle of each hour; durations double with that, and step after `step` at half time.
    fn waves(follows: f64, step: f64) -> (Vec<i64>, Vec<f64>, Cut) {
        let mut random = fastrand::Rng::with_seed(21);
        let (mut at, mut levels, mut now) = (Vec::new(), Vec::new(), 0.0);
        while now < 12.0 * 3600.0 {
            let load = f64::midpoint(1.0, (now / 3600.0 * std::f64::consts::TAU).sin());
            now += 60.0 / (0.3 + load);
            #[allow(clippy::cast_possible_truncation, reason = "seconds of half a day")]
            at.push(now as i64 * SECOND);
            let stepped = if now >= 6.0 * 3600.0 { step } else { 0.0 };
            levels.push(follows * load + stepped + 0.3 * random.f64());
        }
        let from = at.partition_point(|at| *at < 6 * 3600 * SECOND);
        let to = at.len();
        (at, levels, Cut { from, to, z: 0.0 })
    }

    fn told(follows: f64, step: f64) -> Option<Matched> {
        let (at, levels, cut) = waves(follows, step);
        matched(&at, &levels, &centred_ranks(&levels), &at, cut)
    }

    #[test]
    fn durations_that_do_not_follow_the_load_are_left_alone() {
        assert_eq!(told(0.0, 0.4), None);
    }

    #[test]
    fn a_step_under_waves_of_load_keeps_its_size() {
        let matched = told(0.7, 0.4).expect("durations follow the load");
        assert!((matched.effect - 0.4).abs() < 0.1 && matched.z > 6.0, "{matched:?}");
        let matched = told(0.7, 0.0).expect("durations follow the load");
        assert!(matched.effect.abs() < 0.1, "{matched:?}");
    }

    #[test]
    fn a_burst_explains_what_came_and_went_with_it() {
        assert!(explains(Some(3.0), 1.4));
        assert!(!explains(Some(1.1), 1.4) && !explains(None, 1.4) && !explains(Some(3.0), 0.5));
    }
}

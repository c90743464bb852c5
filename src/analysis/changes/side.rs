//! The level on one side of a step, and how sure the ratio of two is.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

use super::ranks::real;
use super::series::Point;
use crate::analysis::fleet::quantile;

/// Durations before or after a change.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Side {
    /// Sorted, in milliseconds.
    sorted: Vec<f64>,
}

/// How often is resampled, and from where chance goes on: the same each time.
const RESAMPLES: usize = 400;
const SEED: u64 = 1;

impl Side {
    pub fn of(points: &[Point]) -> Self {
        let mut sorted: Vec<f64> = points.iter().map(|point| point.ms).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Self { sorted }
    }

    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// A quantile in milliseconds; 0 for no durations.
    pub fn quantile(&self, p: f64) -> f64 {
        quantile(&self.sorted, p).unwrap_or_default()
    }

    /// The quantile of a resample: that of `n` draws is the value at a share of the sorted ones that is spread around `p` by
    /// `sqrt(p (1 - p) / n)`, so that nothing needs to be drawn `n` times.
    fn resampled(&self, p: f64, deviate: f64) -> f64 {
        let spread = (p * (1.0 - p) / real(self.count().max(1))).sqrt();
        self.quantile((p + deviate * spread).clamp(0.0, 1.0))
    }
}

/// 95 % of the resampled ratios of a quantile lie between these (percentile bootstrap).
pub(super) fn ratio_interval(before: &Side, after: &Side, p: f64) -> (f64, f64) {
    let mut random = fastrand::Rng::with_seed(SEED);
    let normal = Normal::standard();
    let mut deviate = || normal.inverse_cdf(random.f64().clamp(1e-12, 1.0 - 1e-12));
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| (before.resampled(p, deviate()), after.resampled(p, deviate())))
        .filter(|(before, _)| *before > 0.0)
        .map(|(before, after)| after / before)
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    (quantile(&ratios, 0.025).unwrap_or_default(), quantile(&ratios, 0.975).unwrap_or_default())
}

/// Durations of one side, as JSON has them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Level {
    /// Successful attempts.
    pub attempts: u64,
    /// Their median.
    pub p50_ms: f64,
    /// 95 % of them are faster.
    pub p95_ms: f64,
}

impl From<&Side> for Level {
    fn from(side: &Side) -> Self {
        let rounded = |p: f64| (side.quantile(p) * 1000.0).round() / 1000.0;
        Self { attempts: side.count() as u64, p50_ms: rounded(0.5), p95_ms: rounded(0.95) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_holds_the_ratio_and_narrows_with_the_number() {
        let side = |count: u32, level: f64| {
            Side::of(&(0..count).map(|at| Point { at: 0, ms: level * (1.0 + f64::from(at % 100) / 100.0) }).collect::<Vec<_>>())
        };
        let (low, high) = ratio_interval(&side(100, 100.0), &side(100, 200.0), 0.5);
        assert!(low < 2.0 && high > 2.0 && low > 1.6 && high < 2.4, "{low} {high}");
        let (closer, _) = ratio_interval(&side(10_000, 100.0), &side(10_000, 200.0), 0.5);
        assert!(closer > low);
        assert_eq!(ratio_interval(&Side::default(), &Side::default(), 0.5), (0.0, 0.0));
    }
}

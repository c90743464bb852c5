//! What calls of one quarter of an hour share: the same load elsewhere, the same neighbours, the same warm or cold instances.
//!
//! A cohort of a hundred calls within a second says little more about such a quarter than ten do, and a step must not be one between two
//! cohorts. Each quarter has an effect of its own with the variance `τ²`, on top of what differs within it, `σ²` (a random-effects
//! model); both are told from the quarters of each side by the method of moments (Cochran, 1954; DerSimonian and Laird, 1986):
//! `τ² = (Σ n (m - M)² - (B - S) σ²) / (N - Σ n² / N_s)` with the means `m` of `B` quarters of `n` calls around the means `M` of `S` sides of `N_s`. A
//! quarter then weighs `1 / (σ² / n + τ²)`.

use super::ranks::{Cut, real};

/// A quarter of an hour.
const QUARTER: i64 = 15 * 60 * 1_000_000;

/// A small step between fewer quarters is one between their weathers.
pub(super) const FEWEST: usize = 4;

/// Calls of one quarter, on one side.
struct Quarter {
    count: f64,
    mean: f64,
    is_inside: bool,
}

/// What quarters say of a piece.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quarters {
    /// How many standard deviations the piece lies above the rest, quarters weighed by what they tell.
    pub z: f64,
    /// Of both sides, the one with fewer: how many quarters it has calls in.
    pub fewest: usize,
}

/// Weighs the quarters of a piece against those of the rest.
pub(super) fn quarters(at: &[i64], values: &[f64], piece: Cut) -> Quarters {
    let (quarters, within) = cut_up(at, values, piece);
    let inside = quarters.iter().filter(|quarter| quarter.is_inside).count();
    Quarters { z: z_of(&quarters, within), fewest: inside.min(quarters.len() - inside) }
}

fn z_of(quarters: &[Quarter], within: f64) -> f64 {
    let total = |is_inside: bool, of: &dyn Fn(&Quarter) -> f64| {
        quarters.iter().filter(|quarter| quarter.is_inside == is_inside).map(of).sum::<f64>()
    };
    let calls = [false, true].map(|side| total(side, &|quarter| quarter.count));
    if calls.iter().any(|count| *count < 1.0) {
        return 0.0;
    }
    let means = [false, true].map(|side| total(side, &|quarter| quarter.count * quarter.mean) / calls[usize::from(side)]);
    let around = |side: bool| total(side, &|quarter| quarter.count * (quarter.mean - means[usize::from(side)]).powi(2));
    let own = |side: bool| total(side, &|quarter| quarter.count.powi(2)) / calls[usize::from(side)];
    let (between, freedom) = (around(false) + around(true), real(quarters.len()) - 2.0);
    let (all, scale) = (calls[0] + calls[1], calls[0] + calls[1] - own(false) - own(true));
    // Where every quarter has one call, what differs within and between them is one thing.
    let within = if all > real(quarters.len()) { within / (all - real(quarters.len())) } else { between / freedom.max(1.0) };
    let shared = if scale > 0.0 { ((between - freedom * within) / scale).max(0.0) } else { 0.0 };
    let weight = |quarter: &Quarter| 1.0 / (within / quarter.count + shared).max(f64::MIN_POSITIVE);
    let weights = [false, true].map(|side| total(side, &weight));
    let weighed = [false, true].map(|side| total(side, &|quarter| weight(quarter) * quarter.mean) / weights[usize::from(side)]);
    let spread = (1.0 / weights[0] + 1.0 / weights[1]).sqrt();
    if spread > 0.0 { (weighed[1] - weighed[0]) / spread } else { 0.0 }
}

/// The quarters, each from its first call on; and the sum of squares within them.
fn cut_up(at: &[i64], values: &[f64], piece: Cut) -> (Vec<Quarter>, f64) {
    let mut quarters: Vec<Quarter> = Vec::new();
    let mut within = 0.0;
    let mut begun: Option<i64> = None;
    for (position, (at, value)) in at.iter().zip(values).enumerate() {
        let is_inside = (piece.from..piece.to).contains(&position);
        match quarters.last_mut() {
            Some(last) if last.is_inside == is_inside && begun.is_some_and(|begun| at.saturating_sub(begun) < QUARTER) => {
                // Welford's running mean.
                last.count += 1.0;
                let apart = value - last.mean;
                last.mean += apart / last.count;
                within += apart * (value - last.mean);
            }
            _ => {
                begun = Some(*at);
                quarters.push(Quarter { count: 1.0, mean: *value, is_inside });
            }
        }
    }
    (quarters, within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::changes::ranks::{centred_ranks, z_at};

    const MINUTE: i64 = 60_000_000;

    /// Hours with a cohort of calls each, whose weather differs; from half time on all take longer by `step`.
    fn cohorts(calls: i64, weather: f64, step: f64, seed: u64) -> (Vec<i64>, Vec<f64>, Cut) {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut at, mut values) = (Vec::new(), Vec::new());
        for hour in 0..12 {
            let level = weather * (random.f64() - 0.5) + if hour >= 6 { step } else { 0.0 };
            for call in 0..calls {
                at.push(hour * 60 * MINUTE + call * 1_000);
                values.push(level + random.f64());
            }
        }
        let half = Cut { from: at.len() / 2, to: at.len(), z: 0.0 };
        (at, values, half)
    }

    #[test]
    fn cohorts_that_share_their_quarter_count_as_few() {
        let (mut naive, mut weighed) = (0, 0);
        for seed in 0..50 {
            let (at, values, half) = cohorts(60, 0.6, 0.0, seed);
            let ranks = centred_ranks(&values);
            naive += u32::from(z_at(&ranks, half).abs() >= 3.9);
            weighed += u32::from(quarters(&at, &ranks, half).z.abs() >= 3.9);
        }
        assert!(naive >= 15 && weighed <= 1, "{naive} {weighed}");
    }

    #[test]
    fn without_weather_quarters_cost_little() {
        let (at, values, half) = cohorts(20, 0.0, 0.4, 1);
        let ranks = centred_ranks(&values);
        let weighed = quarters(&at, &ranks, half);
        assert!(weighed.z > 0.6 * z_at(&ranks, half) && weighed.z > 5.0, "{} {}", weighed.z, z_at(&ranks, half));
        assert_eq!(weighed.fewest, 6);
        let (at, values, half) = cohorts(1, 0.0, 3.0, 1);
        assert!(quarters(&at, &centred_ranks(&values), half).z > 3.0, "one call in each");
    }

    #[test]
    fn nothing_and_no_variation_do_no_harm() {
        let none = Cut { from: 0, to: 0, z: 0.0 };
        assert_eq!(quarters(&[], &[], none), Quarters { z: 0.0, fewest: 0 });
        let one = Cut { from: 1, to: 2, z: 0.0 };
        assert!(quarters(&[i64::MIN, i64::MAX], &[0.0, 0.0], one).z.is_finite());
        assert!(quarters(&[i64::MIN, i64::MAX], &[-1.0, 1.0], one).z.is_finite());
    }
}

//! Whether the course of a day fits as well as a step.
//!
//! Of less than three days nobody knows what nights are like. A curve with a period of a day, fitted by least squares, stands for what
//! they may be like: `a + b cos(2πt / 24 h) + c sin(2πt / 24 h)`. Of both, the one that leaves the
//! smaller squares fits better.

use super::ranks::{Cut, without_means};

/// What is larger no day does: calls that take a fifth longer at the peak and a fifth less at night move the medians of the two halves
/// of a day by a factor of 1.3.
pub(super) const LARGEST: f64 = 1.4;
const DAY: i64 = 86_400_000_000;

/// Whether a step fits better than a daily curve. `values` have the mean 0.
pub(super) fn is_no_daily_curve(at: &[i64], values: &[f64], cut: Cut) -> bool {
    let square = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
    let stepped = square(&without_means(values, cut));
    let curved = square(values) - explained(at, values);
    if stepped <= 0.0 {
        return true;
    }
    curved > stepped
}

/// How much of the squares the curve explains: by making the three parts orthogonal one after the other (Gram and Schmidt).
fn explained(at: &[i64], values: &[f64]) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "microseconds of a day are exact in f64")]
    let angle = |at: &i64| at.rem_euclid(DAY) as f64 / DAY as f64 * std::f64::consts::TAU;
    let mut parts: Vec<Vec<f64>> = Vec::new();
    let mut sum = 0.0;
    for mut part in [vec![1.0; at.len()], at.iter().map(|at| angle(at).cos()).collect(), at.iter().map(|at| angle(at).sin()).collect()] {
        let product = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(one, other)| one * other).sum::<f64>();
        let before = product(&part, &part);
        for known in &parts {
            let share = product(&part, known);
            part.iter_mut().zip(known).for_each(|(value, known)| *value -= share * known);
        }
        let left = product(&part, &part);
        // What is left of a part that the others hold already is rounding.
        if left > before * 1e-9 {
            let length = left.sqrt();
            for value in &mut part {
                *value /= length;
            }
            sum += product(&part, values).powi(2);
            parts.push(part);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::changes::ranks::centred_ranks;

    fn told(hours: i64, level: impl Fn(f64) -> f64) -> bool {
        let mut random = fastrand::Rng::with_seed(4);
        let at: Vec<i64> = (0..400).map(|number| number * hours * 9_000_000).collect();
        #[allow(clippy::cast_precision_loss, reason = "hours")]
        let values: Vec<f64> = at.iter().map(|at| level(*at as f64 / 3.6e9) + random.f64() * 0.5).collect();
        is_no_daily_curve(&at, &centred_ranks(&values), Cut { from: 200, to: 400, z: 0.0 })
    }

    #[test]
    fn a_step_is_told_from_the_course_of_a_day() {
        assert!(told(12, |hour| if hour >= 6.0 { 0.3 } else { 0.0 }));
        assert!(!told(12, |hour| (hour / 24.0 * std::f64::consts::TAU).cos() * -0.2));
        assert!(!told(30, |hour| ((hour + 3.0) / 24.0 * std::f64::consts::TAU).sin() * 0.2));
    }

    #[test]
    fn nothing_and_no_variation_do_no_harm() {
        assert!(is_no_daily_curve(&[], &[], Cut { from: 0, to: 0, z: 0.0 }));
        assert!(is_no_daily_curve(&[i64::MIN, i64::MAX], &[0.0, 0.0], Cut { from: 1, to: 2, z: 0.0 }));
    }
}

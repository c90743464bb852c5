//! The hour of the day, taken out of a series of at least three days: nights are compared with nights.
//!
//! For each hour (where there are few points, for each part of some hours) the median, over days, of how far the hour lies from its
//! day's own median. A step in the middle of the series moves whole days, and of the day that it divides only one of three: the
//! medians do not follow it. Where days do not agree on their hours, that much less is taken out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ranks::real;
use crate::analysis::statistics::quantile_of;

/// What was done about the hour of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// Its median was taken out.
    HourOfDayTakenOut,
    /// Fewer than three days, or few points in them: whether nights are always so cannot be told.
    #[default]
    TooShort,
}

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// Days that tell what an hour is like.
const FEWEST_DAYS: usize = 3;
/// Parts of a day that are told apart, and of how many points there have to be in each part of each day for that: a median of less is
/// more chance than hour.
const PARTS: [i64; 5] = [24, 12, 8, 6, 4];
const POINTS: usize = 5;

fn median(values: &mut [f64]) -> f64 {
    quantile_of(values, 0.5).unwrap_or_default()
}

/// How far days agree on their hours: the share of what differs between hours that what differs between days does not explain (the
/// shrinkage of James and Stein). What only chance made is not taken out: that would put it into every other day.
fn agreed<'a>(of_parts: impl Iterator<Item = &'a Vec<f64>>) -> f64 {
    let (mut medians, mut noise): (Vec<f64>, f64) = (Vec::new(), 0.0);
    for days in of_parts {
        medians.push(median(&mut days.clone()));
        // The median of so many values varies by half as much again as their mean (π / 2).
        noise += spread(days).powi(2) / real(days.len()) * std::f64::consts::FRAC_PI_2;
    }
    let count = real(medians.len().max(1));
    let mean = medians.iter().sum::<f64>() / count;
    let between = medians.iter().map(|median| (median - mean).powi(2)).sum::<f64>() / real(medians.len().saturating_sub(1).max(1));
    if between <= 0.0 { 0.0 } else { (1.0 - noise / count / between).max(0.0) }
}

/// The standard deviation of values, told by their median absolute deviation: the day of a step does not count. With the corrections
/// for few values of Croux and Rousseeuw (1992).
fn spread(values: &[f64]) -> f64 {
    const OF_FEW: [f64; 10] = [1.0, 1.0, 1.196, 1.495, 1.363, 1.206, 1.2, 1.14, 1.129, 1.107];
    let middle = median(&mut values.to_vec());
    let mut apart: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    let count = values.len();
    OF_FEW.get(count).copied().unwrap_or(real(count) / (real(count) - 0.8)) * 1.4826 * median(&mut apart)
}

/// Takes the hour of the day (UTC) out of levels, where there are days and points enough.
pub(super) fn take_out(at: &[i64], levels: &mut [f64]) -> Season {
    let span = at.last().zip(at.first()).map_or(0, |(last, first)| last.saturating_sub(*first));
    let of_days = |parts: i64| usize::try_from((span / DAY).saturating_add(1).saturating_mul(parts)).unwrap_or(usize::MAX);
    let parts = PARTS.into_iter().find(|parts| at.len() / of_days(*parts) >= POINTS);
    let Some(parts) = parts.filter(|_| span / DAY >= 3) else { return Season::TooShort };
    let part = |at: i64| at.rem_euclid(DAY) / (DAY / parts);
    let mut days: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    let mut cells: BTreeMap<(i64, i64), Vec<f64>> = BTreeMap::new();
    for (at, level) in at.iter().zip(levels.iter()) {
        days.entry(at.div_euclid(DAY)).or_default().push(*level);
        cells.entry((part(*at), at.div_euclid(DAY))).or_default().push(*level);
    }
    let days: BTreeMap<i64, f64> = days.into_iter().map(|(day, mut levels)| (day, median(&mut levels))).collect();
    let mut of_parts: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for ((part, day), mut levels) in cells {
        let of_day = days.get(&day).copied().unwrap_or_default();
        of_parts.entry(part).or_default().push(median(&mut levels) - of_day);
    }
    of_parts.retain(|_, days| days.len() >= FEWEST_DAYS);
    let share = agreed(of_parts.values());
    let of_parts: BTreeMap<i64, f64> = of_parts.into_iter().map(|(part, mut days)| (part, median(&mut days))).collect();
    for (at, level) in at.iter().zip(levels.iter_mut()) {
        *level -= share * of_parts.get(&part(*at)).copied().unwrap_or_default();
    }
    Season::HourOfDayTakenOut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_are_compared_with_nights_and_a_step_stays() {
        let at: Vec<i64> = (0..5 * 24 * 6).map(|number| number * HOUR / 6).collect();
        let night = |at: i64| if at.div_euclid(HOUR).rem_euclid(24) < 8 { 1.0 } else { 0.0 };
        let step = |at: i64| if at >= 2 * DAY + DAY / 2 { 0.5 } else { 0.0 };
        let mut levels: Vec<f64> = at.iter().map(|at| night(*at) + step(*at)).collect();
        assert_eq!(take_out(&at, &mut levels), Season::HourOfDayTakenOut);
        for (at, level) in at.iter().zip(&levels) {
            assert!((level - levels[0] - step(*at)).abs() < 1e-9, "{at} {level}");
        }
    }

    /// Six calls in each two hours of four days, whose durations have nothing to do with the hour.
    #[test]
    fn what_chance_made_of_an_hour_stays() {
        let at: Vec<i64> = (0..4 * 72).map(|number| number * DAY / 72).collect();
        let mut moved = 0.0;
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut levels: Vec<f64> = at.iter().map(|_| random.f64()).collect();
            let before = levels.clone();
            assert_eq!(take_out(&at, &mut levels), Season::HourOfDayTakenOut);
            moved += before.iter().zip(&levels).map(|(one, other)| (one - other).abs()).sum::<f64>() / real(levels.len());
        }
        assert!(moved / 20.0 < 0.03, "{}", moved / 20.0);
    }

    #[test]
    fn two_days_tell_nothing_of_the_hour() {
        let at: Vec<i64> = (0..48).map(|number| number * HOUR).collect();
        let mut levels: Vec<f64> = vec![1.0; 48];
        assert_eq!(take_out(&at, &mut levels), Season::TooShort);
        assert_eq!(take_out(&[], &mut []), Season::TooShort);
        assert_eq!(take_out(&[i64::MIN, i64::MAX], &mut [0.0, 1.0]), Season::TooShort, "two points");
    }
}

//! The hour of the day, taken out of a series of at least three days: nights are compared with nights.
//!
//! For each hour the median, over days, of how far the hour lies from its day's own median. A step in the middle of the series
//! moves whole days, and of the day that it divides only one of three: the medians do not follow it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::fleet::quantile;

/// What was done about the hour of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// Its median was taken out.
    HourOfDayTakenOut,
    /// Fewer than three days: whether nights are always so cannot be told.
    #[default]
    TooShort,
}

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// Days that tell what an hour is like.
const FEWEST_DAYS: usize = 3;

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    quantile(values, 0.5).unwrap_or_default()
}

/// Takes the hour of the day (UTC) out of levels, where there are days enough.
pub(super) fn take_out(at: &[i64], levels: &mut [f64]) -> Season {
    let mut days: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    let mut cells: BTreeMap<(i64, i64), Vec<f64>> = BTreeMap::new();
    let hour = |at: i64| at.div_euclid(HOUR).rem_euclid(24);
    for (at, level) in at.iter().zip(levels.iter()) {
        days.entry(at.div_euclid(DAY)).or_default().push(*level);
        cells.entry((hour(*at), at.div_euclid(DAY))).or_default().push(*level);
    }
    let span = at.last().zip(at.first()).map_or(0, |(last, first)| last.saturating_sub(*first));
    if span / DAY < 3 {
        return Season::TooShort;
    }
    let days: BTreeMap<i64, f64> = days.into_iter().map(|(day, mut levels)| (day, median(&mut levels))).collect();
    let mut hours: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for ((hour, day), mut levels) in cells {
        let of_day = days.get(&day).copied().unwrap_or_default();
        hours.entry(hour).or_default().push(median(&mut levels) - of_day);
    }
    let hours: BTreeMap<i64, f64> =
        hours.into_iter().filter(|(_, days)| days.len() >= FEWEST_DAYS).map(|(hour, mut days)| (hour, median(&mut days))).collect();
    for (at, level) in at.iter().zip(levels.iter_mut()) {
        *level -= hours.get(&hour(*at)).copied().unwrap_or_default();
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

    #[test]
    fn two_days_tell_nothing_of_the_hour() {
        let at: Vec<i64> = (0..48).map(|number| number * HOUR).collect();
        let mut levels: Vec<f64> = vec![1.0; 48];
        assert_eq!(take_out(&at, &mut levels), Season::TooShort);
        assert_eq!(take_out(&[], &mut []), Season::TooShort);
        assert_eq!(take_out(&[i64::MIN, i64::MAX], &mut [0.0, 1.0]), Season::HourOfDayTakenOut);
    }
}

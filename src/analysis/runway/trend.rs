//! Whether the largest of each hour or day grows, and when it reaches a limit if it goes on so.
//!
//! The line is that of Theil and Sen: the median of the slopes between all pairs of points, through the median of what is left. One
//! wild hour in four does not move it. Whether there is a trend at all is the test of Mann and Kendall, one-sided, with the normal
//! approximation and ties counted (Gilbert, *Statistical Methods for Environmental Pollution Monitoring*, 1987, chapters 16 and 17, who
//! asks for at least ten points); the interval of the slope is Sen's, from the same variance.
//!
//! The null hypothesis is that the points come in a random order. Points of one incident are not independent of each other, so a small
//! p-value says that it grew, not why.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::model::Micros;

/// Fewer points than this have no trend: the normal approximation needs them.
pub(super) const FEWEST_POINTS: usize = 10;
/// The largest p-value with which growth is claimed.
pub(super) const LEVEL: f64 = 0.01;
/// No more points than a year has days, the last ones: all pairs of them are compared.
const MOST_POINTS: usize = 366;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// What a point is the largest of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// The executions that ended within an hour.
    Hour,
    /// The executions that ended within a day, UTC.
    Day,
}

/// How the largest of each period changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trend {
    /// What a point is the largest of.
    pub per: Period,
    /// How many points there are: hours or days without an execution have none.
    pub points: u64,
    /// When the first period began.
    pub from: Micros,
    /// When the last one ended.
    pub to: Micros,
    /// The median slope, in units of the limit a day.
    pub slope_per_day: f64,
    /// The lower end of its 95 % interval.
    pub slope_low_per_day: f64,
    /// The upper end of its 95 % interval.
    pub slope_high_per_day: f64,
    /// Where the line ends, in units of the limit.
    pub level: f64,
    /// How likely so much growth is if the points came in a random order.
    pub p_value: f64,
    /// When the line reaches the limit; null where it does not grow, or not within as long a time as was observed.
    pub reached_at: Option<Micros>,
    /// When it does with the upper end of the slope's interval.
    pub reached_earliest: Option<Micros>,
    /// When it does with the lower end; null where that does not grow.
    pub reached_latest: Option<Micros>,
}

impl Trend {
    /// Whether the points grew, by the test.
    pub fn grows(&self) -> bool {
        self.p_value <= LEVEL && self.slope_per_day > 0.0
    }
}

/// The number of the hour in which a moment lies.
pub(super) fn hour_of(moment: Micros) -> i64 {
    moment.0.div_euclid(HOUR)
}

/// The largest of each hour, sorted by hour, as points; `Err` with how many there are when they are too few.
///
/// Days are compared where there are enough of them, else hours: within a day the largest goes up and down with the traffic.
pub(super) fn of(hours: &[(i64, u64)], limit: u64) -> Result<Trend, usize> {
    let days = by_day(hours);
    let (per, width, points) = if days.len() >= FEWEST_POINTS { (Period::Day, DAY, days) } else { (Period::Hour, HOUR, hours.to_vec()) };
    if points.len() < FEWEST_POINTS {
        return Err(points.len());
    }
    let points = &points[points.len().saturating_sub(MOST_POINTS)..];
    let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) else { return Err(0) };
    let (first, last) = (*first, *last);
    #[allow(clippy::cast_precision_loss, reason = "hours since 1970 and sizes near a limit are exact in f64")]
    let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().map(|(at, value)| ((at - last) as f64, *value as f64)).unzip();
    let line = Line::through(&xs, &ys);
    #[allow(clippy::cast_precision_loss, reason = "as above")]
    let (width_days, limit, observed) = (width as f64 / DAY as f64, limit as f64, (last - first) as f64);
    let end = Micros(last.saturating_add(1).saturating_mul(width));
    let reach = |slope: f64| crossing(line.level, slope, limit, observed).map(|periods| after(end, periods, width));
    Ok(Trend {
        per,
        points: points.len() as u64,
        from: Micros(first.saturating_mul(width)),
        to: end,
        slope_per_day: line.slope / width_days,
        slope_low_per_day: line.low / width_days,
        slope_high_per_day: line.high / width_days,
        level: line.level,
        p_value: line.p_value,
        reached_at: reach(line.slope),
        reached_earliest: reach(line.high),
        reached_latest: reach(line.low),
    })
}

fn by_day(hours: &[(i64, u64)]) -> Vec<(i64, u64)> {
    let mut days: Vec<(i64, u64)> = Vec::new();
    for (hour, value) in hours {
        let day = hour.div_euclid(24);
        match days.last_mut() {
            Some((last, most)) if *last == day => *most = (*most).max(*value),
            _ => days.push((day, *value)),
        }
    }
    days
}

/// After how many periods a line reaches the limit. It is not drawn out further than it was observed.
fn crossing(level: f64, slope: f64, limit: f64, observed: f64) -> Option<f64> {
    if level >= limit {
        return Some(0.0);
    }
    Some((limit - level) / slope).filter(|periods| slope > 0.0 && *periods <= observed)
}

fn after(moment: Micros, periods: f64, width: i64) -> Micros {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a cast of a float saturates")]
    let later = (periods * width as f64) as i64;
    Micros(moment.0.saturating_add(later))
}

/// A line through points and how sure its slope is; per unit of x.
struct Line {
    slope: f64,
    low: f64,
    high: f64,
    /// Where x is 0.
    level: f64,
    p_value: f64,
}

impl Line {
    /// Through at least two points whose x differ and are sorted.
    fn through(xs: &[f64], ys: &[f64]) -> Self {
        let mut slopes = Vec::with_capacity(xs.len() * xs.len() / 2);
        let mut sign_sum = 0.0;
        for later in 1..xs.len() {
            for earlier in 0..later {
                let rise = ys[later] - ys[earlier];
                slopes.push(rise / (xs[later] - xs[earlier]));
                sign_sum += if rise == 0.0 { 0.0 } else { rise.signum() };
            }
        }
        slopes.sort_unstable_by(f64::total_cmp);
        let slope = median(&slopes);
        let mut left: Vec<f64> = xs.iter().zip(ys).map(|(x, y)| y - slope * x).collect();
        left.sort_unstable_by(f64::total_cmp);
        let deviation = variance(ys).sqrt();
        let (low, high) = interval(&slopes, deviation);
        Self { slope, low, high, level: median(&left), p_value: p_value(sign_sum, deviation) }
    }
}

/// Of the sum of signs, if the points came in a random order; values that are equal make it smaller.
fn variance(ys: &[f64]) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a few hundred points")]
    let term = |count: usize| {
        let n = count as f64;
        n * (n - 1.0) * (2.0 * n + 5.0)
    };
    let mut sorted = ys.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let ties: f64 = sorted.chunk_by(|one, other| one.total_cmp(other).is_eq()).map(|tied| term(tied.len())).sum();
    (term(ys.len()) - ties) / 18.0
}

/// One-sided, with the correction for continuity.
fn p_value(sign_sum: f64, deviation: f64) -> f64 {
    if sign_sum <= 0.0 || deviation <= 0.0 {
        return 1.0;
    }
    Normal::standard().sf((sign_sum - 1.0) / deviation)
}

/// Sen's interval of 95 %, with the ranks that scipy's `theilslopes` takes.
fn interval(slopes: &[f64], deviation: f64) -> (f64, f64) {
    /// The 97.5 % quantile of the normal distribution.
    const QUANTILE: f64 = 1.959_963_984_540_054;
    #[allow(clippy::cast_precision_loss, reason = "at most 66,795 pairs")]
    let count = slopes.len() as f64;
    let (middle, half) = (count / 2.0, QUANTILE * deviation / 2.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and a cast of a float saturates")]
    let rank = |position: f64| (position.round_ties_even().max(0.0) as usize).min(slopes.len().saturating_sub(1));
    let at = |position: f64| slopes.get(rank(position)).copied().unwrap_or(0.0);
    (at((middle - half).round_ties_even() - 1.0), at(middle + half))
}

fn median(sorted: &[f64]) -> f64 {
    crate::analysis::fleet::quantile(sorted, 0.5).unwrap_or(0.0)
}

#[cfg(test)]
#[allow(clippy::cast_sign_loss, reason = "numbers of stories told here")]
mod tests {
    use super::*;

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() < 1e-9 * other.abs().max(1.0), "{one} is not {other}");
    }

    /// Reckoned by a script that follows the definitions of scipy's `theilslopes` and of the test of Mann and Kendall.
    #[test]
    fn slope_interval_and_test_are_those_of_the_textbook() {
        let ys = [12.0, 15.0, 11.0, 18.0, 20.0, 19.0, 25.0, 24.0, 30.0, 28.0, 33.0, 35.0];
        let line = Line::through(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0], &ys);
        near(line.slope, 2.1125);
        near(line.low, 5.0 / 3.0);
        near(line.high, 2.5);
        near(line.p_value, 8.113_778_323_802_174e-5);
        near(variance(&[5.0, 5.0, 6.0, 6.0, 6.0, 7.0, 9.0, 9.0, 8.0, 10.0, 10.0, 11.0]), 206.0);
        near(Line::through(&[1.0, 2.0, 3.0, 4.0], &[10.0, 15.0, 14.0, 20.0]).slope, 35.0 / 12.0);
    }

    #[test]
    fn a_wild_hour_does_not_move_the_line() {
        let hours: Vec<(i64, u64)> = (0..20).map(|hour| (hour, if hour % 5 == 2 { 24_000 } else { 10_000 + 100 * hour as u64 })).collect();
        let trend = of(&hours, 25_000).expect("enough");
        near(trend.slope_per_day, 2_400.0);
    }

    #[test]
    fn a_line_is_not_drawn_out_further_than_it_was_observed() {
        let rising = |from: u64, step: u64| -> Vec<(i64, u64)> { (0..20).map(|hour| (hour, from + step * hour as u64)).collect() };
        let soon = of(&rising(15_000, 500), 25_000).expect("enough");
        assert!(soon.grows());
        assert_eq!(soon.reached_at, Some(Micros((20 + 1) * HOUR)));
        let late = of(&rising(15_000, 100), 25_000).expect("enough");
        assert!(late.grows());
        assert_eq!(late.reached_at, None);
    }

    #[test]
    fn what_stays_or_comes_in_any_order_does_not_grow() {
        let flat: Vec<(i64, u64)> = (0..30).map(|hour| (hour, 20_000)).collect();
        assert!(!of(&flat, 25_000).expect("enough").grows());
        let shaken: Vec<(i64, u64)> = (0..30).map(|hour| (hour, 20_000 + (hour as u64 * 7_919) % 997)).collect();
        assert!(!of(&shaken, 25_000).expect("enough").grows());
    }

    #[test]
    fn too_few_points_are_counted() {
        let nine: Vec<(i64, u64)> = (0..9).map(|hour| (hour, hour as u64)).collect();
        assert_eq!(of(&nine, 25_000), Err(9));
        assert_eq!(of(&[], 25_000), Err(0));
    }

    #[test]
    fn days_are_compared_where_there_are_enough() {
        let hours: Vec<(i64, u64)> = (0..240).map(|hour| (hour, 1_000 + hour as u64 % 24)).collect();
        let trend = of(&hours, 25_000).expect("enough");
        assert_eq!((trend.per, trend.points, trend.to), (Period::Day, 10, Micros(10 * DAY)));
    }

    #[test]
    fn the_ends_of_time_are_no_trouble() {
        let hours: Vec<(i64, u64)> =
            [i64::MIN / HOUR, -5, -4, -3, -2, -1, 0, 1, 2, 3, i64::MAX / HOUR].iter().map(|hour| (*hour, u64::MAX)).collect();
        assert!(of(&hours, 1).is_ok());
    }
}

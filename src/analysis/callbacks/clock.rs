//! The clock by which waits age: the wall's, or one that stands still while nobody answers.
//!
//! People answer in working hours. A wait from Friday evening to Monday morning is short by theirs and long by the wall clock, and
//! the slowest healthy ones are those over weekends. Whether answers keep hours is asked of the answers: under the law of the waits
//! each hour of the day is due so many of them, and the hours of the day are compared with that (chi-square). Each hour then weighs
//! what it gave for what was due. Nights without an answer close weekends, too, until answers are seen on one: a few days of history
//! often hold none.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::law::Law;

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;
/// Hours in a week.
const WEEK: usize = 168;
/// Chance of hours at random being so different, below which they are taken to be different.
const CHANCE: f64 = 1e-4;
/// With fewer answers there are fewer than two an hour of the day, too few for the chi-square distribution to hold.
const LEAST_ANSWERS: usize = 48;
/// A clock reaches over so many hours at most: two years.
const LONGEST: i64 = 17_520;
/// Of more waits, every so many-th is looked at, so that about so many are.
const LOOKED_AT: usize = 1_024;

/// A wait: from when, until when, and whether it ended with an answer. Microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub from: i64,
    /// When it ended, or now.
    pub to: i64,
    /// Whether somebody answered then.
    pub is_answered: bool,
}

/// What tells the age of a wait.
#[derive(Debug, Clone, PartialEq)]
pub enum Clock {
    /// Every hour counts.
    Wall,
    /// Hours count by how much is answered in them.
    Hours(Hours),
}

/// Hours by how much is answered in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// Weight of each hour of the day in UTC; a usual open one has 1.
    pub weights: [f64; 24],
    /// Weight of each hour of the week in UTC, from Monday 00:00.
    pub week: Vec<f64>,
    /// Whether weekends are closed.
    pub is_closed_on_weekends: bool,
    /// The statistic that told the hours apart, chi-square with 23 degrees of freedom.
    pub chi_square: f64,
    /// Start of the first hour.
    first: i64,
    /// Milliseconds that count from the first hour to the start of each.
    counted: Vec<f64>,
}

impl Clock {
    /// The clock of these waits; `law` is that of their ages by the wall clock.
    pub fn of(spans: &[Span], law: &Law, now: i64) -> Self {
        Hours::of(spans, law, now).map_or(Self::Wall, Self::Hours)
    }

    /// Milliseconds from one moment to another.
    pub fn milliseconds(&self, from: i64, to: i64) -> f64 {
        match self {
            Self::Wall => wall(from, to),
            Self::Hours(hours) => (hours.at(to) - hours.at(from)).max(0.0),
        }
    }

    /// Ages of answered and of other waits.
    pub fn ages(&self, spans: &[Span]) -> (Vec<f64>, Vec<f64>) {
        let age = |span: &&Span| self.milliseconds(span.from, span.to);
        let (answered, open): (Vec<&Span>, Vec<&Span>) = spans.iter().partition(|span| span.is_answered);
        (answered.iter().map(age).collect(), open.iter().map(age).collect())
    }
}

/// What the hours of the week gave and what they were due.
struct Table {
    answers: Vec<f64>,
    due: Vec<f64>,
}

impl Hours {
    fn of(spans: &[Span], law: &Law, now: i64) -> Option<Self> {
        let answers = spans.iter().filter(|span| span.is_answered).count();
        let first = spans.iter().map(|span| span.from).min()?;
        if answers < LEAST_ANSWERS || now.saturating_sub(first) / HOUR > LONGEST {
            return None;
        }
        let table = Table::of(spans, &Clock::Wall, law);
        let (given, due) = (table.by_hour(&table.answers), table.by_hour(&table.due));
        let chi_square: f64 = given.iter().zip(&due).map(|(given, due)| (given - due).powi(2) / due.max(0.5)).sum();
        if 1.0 - ChiSquared::new(23.0).ok()?.cdf(chi_square) >= CHANCE {
            return None;
        }
        let hours = Self::from_table(&table, chi_square, first, now);
        // Once more: what an hour is due depends on the age of the waits, and that on the hours.
        let clock = Clock::Hours(hours);
        let (answered, open) = clock.ages(spans);
        let law = Law::fit(&answered, &open)?;
        Some(Self::from_table(&Table::of(spans, &clock, &law), chi_square, first, now))
    }

    fn from_table(table: &Table, chi_square: f64, first: i64, now: i64) -> Self {
        let (given, due) = (table.by_hour(&table.answers), table.by_hour(&table.due));
        let mut weights = [0.0; 24];
        for ((weight, given), due) in weights.iter_mut().zip(given).zip(due) {
            // One answer more in each that was due: a single hour is not believed too much.
            *weight = (given + 1.0) / (due + 1.0);
        }
        let mut sorted = weights;
        sorted.sort_unstable_by(f64::total_cmp);
        // The busier half of the open hours tells what a usual one gives.
        let usual = sorted.iter().rev().take(6).sum::<f64>() / 6.0;
        for weight in &mut weights {
            *weight = if *weight < 0.2 * usual { 0.0 } else { *weight / usual };
        }
        let (quiet_from, quiet_hours) = longest_quiet(&weights);
        let has_nights = quiet_hours >= 6;
        // A day begins in the middle of the night, wherever on earth that is, and is called by what its middle is called in UTC.
        let night = (quiet_from + quiet_hours / 2) % 24;
        let day_of = |hour: usize| if has_nights { ((hour + WEEK - night) / 24 + (night + 12) / 24) % 7 } else { hour / 24 };
        let mut is_open = [true; 7];
        for (day, is_open) in is_open.iter_mut().enumerate().skip(5).filter(|_| has_nights) {
            let of_day = |values: &[f64], by: &dyn Fn(usize) -> f64| -> f64 {
                (0..WEEK).filter(|hour| day_of(*hour) == day).map(|hour| values[hour] * by(hour % 24)).sum()
            };
            let given = of_day(&table.answers, &|_| 1.0);
            let due = of_day(&table.due, &|hour| weights[hour]);
            *is_open = given > 0.25 * (due + 3.0);
        }
        let week: Vec<f64> = (0..WEEK).map(|hour| if is_open[day_of(hour)] { weights[hour % 24] } else { 0.0 }).collect();
        let first = first.div_euclid(HOUR) * HOUR;
        let mut counted = vec![0.0];
        let mut sum = 0.0;
        let hours = (now - first) / HOUR + 2;
        for hour in 0..hours {
            sum += week[hour_of_week(first.saturating_add(hour * HOUR))] * 3_600_000.0;
            counted.push(sum);
        }
        Self { weights, week, is_closed_on_weekends: !is_open[5] && !is_open[6], chi_square, first, counted }
    }

    /// Runs of open hours of the day in UTC, from and to, the end not included; empty when all are open.
    pub fn open_hours(&self) -> Vec<(usize, usize)> {
        let is_open = |hour: usize| self.weights[hour % 24] > 0.0;
        let begins = (0..24).filter(|hour| is_open(*hour) && !is_open(hour + 23));
        begins.map(|from| (from, (from..from + 24).take_while(|hour| is_open(*hour)).last().map_or(from, |last| (last + 1) % 24))).collect()
    }

    fn at(&self, moment: i64) -> f64 {
        let since = moment.saturating_sub(self.first).max(0);
        let hour = usize::try_from(since / HOUR).unwrap_or(usize::MAX).min(self.counted.len() - 2);
        let part = wall(0, since - i64::try_from(hour).unwrap_or(0) * HOUR) / 3_600_000.0;
        self.counted[hour] + (self.counted[hour + 1] - self.counted[hour]) * part.clamp(0.0, 1.0)
    }
}

impl Table {
    fn of(spans: &[Span], clock: &Clock, law: &Law) -> Self {
        let mut table = Self { answers: vec![0.0; WEEK], due: vec![0.0; WEEK] };
        let step = spans.len().div_ceil(LOOKED_AT).max(1);
        for span in spans.iter().step_by(step) {
            let mut from = span.from;
            while from < span.to {
                let to = (from.div_euclid(HOUR) * HOUR).saturating_add(HOUR).min(span.to);
                let age = clock.milliseconds(span.from, from);
                let healthy = 1.0 - law.lost_at(age, law.lost);
                table.due[hour_of_week(from)] += healthy * (law.hazard(age + wall(from, to)) - law.hazard(age));
                from = to;
            }
            if span.is_answered {
                table.answers[hour_of_week(span.to)] += 1.0;
            }
        }
        // The law gives the answers of all waits together only about; what is compared are the hours.
        let scale = table.answers.iter().sum::<f64>() / table.due.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        table.due.iter_mut().for_each(|due| *due *= scale);
        table
    }

    fn by_hour(&self, values: &[f64]) -> [f64; 24] {
        let mut hours = [0.0; 24];
        values.iter().enumerate().for_each(|(hour, value)| hours[hour % 24] += value);
        hours
    }
}

/// The longest run of hours without weight, around midnight as well: its first hour and how many.
fn longest_quiet(weights: &[f64; 24]) -> (usize, usize) {
    let run = |from: usize| (0..24).take_while(|hour| weights[(from + hour) % 24] <= 0.0).count();
    let longest = (0..24).map(run).max().unwrap_or(0);
    ((0..24).find(|from| run(*from) == longest).unwrap_or(0), longest)
}

/// The hour of the week in UTC, from Monday 00:00; 1970 began on a Thursday.
fn hour_of_week(moment: i64) -> usize {
    usize::try_from((moment.div_euclid(HOUR) + 72).rem_euclid(168)).unwrap_or(0)
}

#[allow(clippy::cast_precision_loss, reason = "durations in microseconds")]
fn wall(from: i64, to: i64) -> f64 {
    to.saturating_sub(from).max(0) as f64 / 1000.0
}

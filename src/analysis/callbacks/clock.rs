//! The clock by which waits age: the wall's, or one that stands still while nobody answers.
//!
//! People answer in working hours. A wait from Friday evening to Monday morning is short by theirs and long by the wall clock, and
//! the slowest healthy ones are those over weekends. Whether answers keep hours is asked of the answers: under the law of the waits
//! each hour of the day is due so many of them, and the hours of the day are compared with that (chi-square). Runs of hours
//! that gave far less than they were due are closed, and time stands still in them; open ones weigh what they gave for what was due. Such nights close weekends, too, until answers are
//! seen on one: a few days of history often hold none. Silent hours at which a class was never seen at work count with neither clock, see
//! [`silence`].

use statrs::distribution::{ChiSquared, ContinuousCDF, DiscreteCDF, Poisson};

use super::law::Law;
use super::silence;
use super::week::{HOUR, WEEK, day_of, hour_of_week, longest_quiet, may_be_weekend};

/// Chance of hours at random being so different, below which they are taken to be different.
const CHANCE: f64 = 1e-4;
/// With fewer answers there are fewer than two an hour of the day, too few for the chi-square distribution to hold.
const LEAST_ANSWERS: usize = 48;
/// An hour that gives less than this share of what is due is quiet.
const QUIET: f64 = 0.3;
/// No hour weighs more than so many usual ones: a backlog that is worked off is no long day.
const MOST: f64 = 3.0;
/// Fewer quiet hours in a row are taken for open: a lunch, an accident.
const SHORTEST_NIGHT: usize = 3;
/// Where 19 in 20 waits take no longer, in milliseconds, a program answers, and has no nights.
const PROMPT: f64 = 900_000.0;
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
    /// Every hour counts but those of which it is not known whether anybody works.
    Known(Box<Running>),
    /// Hours count in which answers come.
    Hours(Box<Hours>),
}

/// The hours in which answers come.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// Weight of each hour of the day in UTC: a usual open one has 1, a closed one 0.
    pub weights: [f64; 24],
    /// The same for each hour of the week, from Monday 00:00.
    pub week: Vec<f64>,
    /// Whether weekends are closed.
    pub is_closed_on_weekends: bool,
    /// The statistic that told the hours apart, chi-square with 23 degrees of freedom.
    pub chi_square: f64,
    running: Running,
}

/// A clock that stands still at times.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Moments between which it runs evenly, and the milliseconds that count up to each.
    counted: Vec<(i64, f64)>,
}

/// What a clock runs over.
struct Frame<'s> {
    /// Start of the first hour.
    first: i64,
    /// How many hours.
    hours: usize,
    /// Stretches that do not count, each within an hour.
    untold: &'s [(i64, i64)],
}

impl Clock {
    /// The clock of these waits; `law` is that of their ages by the wall clock. Where working hours cannot matter, none are looked for.
    pub fn of(spans: &[Span], law: &Law, now: i64, has_hours: bool) -> Self {
        let Some(first) = spans.iter().map(|span| span.from).min().map(|first| first.div_euclid(HOUR) * HOUR) else { return Self::Wall };
        let Some(hours) = usize::try_from((now - first) / HOUR + 2).ok().filter(|_| (now - first) / HOUR <= LONGEST) else {
            return Self::Wall;
        };
        let is_prompt = law.exceeded_by(0.05) <= PROMPT;
        let untold = if is_prompt { Vec::new() } else { silence::untold(spans, first, now) };
        let frame = Frame { first, hours, untold: &untold };
        if has_hours && let Some(hours) = Hours::of(spans, law, &frame) {
            return Self::Hours(Box::new(hours));
        }
        if untold.is_empty() { Self::Wall } else { Self::Known(Box::new(Running::new(&frame, |_| 1.0))) }
    }

    /// Milliseconds from one moment to another.
    pub fn milliseconds(&self, from: i64, to: i64) -> f64 {
        match self {
            Self::Wall => wall(from, to),
            Self::Known(running) => running.between(from, to),
            Self::Hours(hours) => hours.running.between(from, to),
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
    fn of(spans: &[Span], law: &Law, frame: &Frame<'_>) -> Option<Self> {
        let answers = spans.iter().filter(|span| span.is_answered).count();
        // On the first day every hour comes once, and what it gave is no custom.
        if answers < LEAST_ANSWERS || frame.hours < 24 + 2 {
            return None;
        }
        let table = Table::of(spans, &Clock::Wall, law);
        let (given, due) = (by_hour(&table.answers), by_hour(&table.due));
        let chi_square: f64 = given.iter().zip(&due).map(|(given, due)| (given - due).powi(2) / due.max(0.5)).sum();
        if 1.0 - ChiSquared::new(23.0).ok()?.cdf(chi_square) >= CHANCE {
            return None;
        }
        let hours = Self::from_table(&table, chi_square, frame);
        if hours.week.iter().all(|weight| *weight > 0.0) {
            return None;
        }
        // Once more: what an hour is due depends on the age of the waits, and that on the hours.
        let clock = Clock::Hours(Box::new(hours));
        let (answered, open) = clock.ages(spans);
        let law = Law::fit(&answered, &open)?;
        Some(Self::from_table(&Table::of(spans, &clock, &law), chi_square, frame))
    }

    fn from_table(table: &Table, chi_square: f64, frame: &Frame<'_>) -> Self {
        let (given, due) = (by_hour(&table.answers), by_hour(&table.due));
        let weights = open_hours(&given, &due);
        let (quiet_from, quiet_hours) = longest_quiet(&weights);
        let has_nights = quiet_hours >= 6;
        // A day begins in the middle of the night, wherever on earth that is, and is called by what its middle is called in UTC.
        let night = (quiet_from + quiet_hours / 2) % 24;
        let day_of = |hour: usize| if has_nights { day_of(hour, night) } else { hour / 24 };
        let mut is_open = [true; 7];
        for (day, is_open) in is_open.iter_mut().enumerate().filter(|(day, _)| has_nights && may_be_weekend(*day, quiet_from, quiet_hours))
        {
            let of_day = |values: &[f64], by: &dyn Fn(usize) -> f64| -> f64 {
                (0..WEEK).filter(|hour| day_of(*hour) == day).map(|hour| values[hour] * by(hour % 24)).sum()
            };
            let given = of_day(&table.answers, &|_| 1.0);
            let due = of_day(&table.due, &|hour| weights[hour]);
            *is_open = given > 0.25 * (due + 3.0);
        }
        let week: Vec<f64> = (0..WEEK).map(|hour| if is_open[day_of(hour)] { weights[hour % 24] } else { 0.0 }).collect();
        let of_week = |hour: usize| week[(hour_of_week(frame.first) + hour) % WEEK];
        let running = Running::new(frame, of_week);
        Self { weights, week, is_closed_on_weekends: is_open.iter().filter(|is_open| !**is_open).count() >= 2, chi_square, running }
    }

    /// Runs of open hours of the day in UTC, from and to, the end not included; empty when all are open.
    pub fn open_hours(&self) -> Vec<(usize, usize)> {
        let is_open = |hour: usize| self.weights[hour % 24] > 0.0;
        let begins = (0..24).filter(|hour| is_open(*hour) && !is_open(hour + 23));
        begins.map(|from| (from, (from..from + 24).take_while(|hour| is_open(*hour)).last().map_or(from, |last| (last + 1) % 24))).collect()
    }
}

impl Running {
    /// By the weight of each hour.
    fn new(frame: &Frame<'_>, weight: impl Fn(usize) -> f64) -> Self {
        let mut counted = vec![(frame.first, 0.0)];
        let mut untold = frame.untold.iter().peekable();
        let (mut at, mut sum) = (frame.first, 0.0);
        for hour in 0..frame.hours {
            let end = at + HOUR;
            let mut from = at;
            while let Some((stands, runs)) = untold.next_if(|(stands, _)| *stands < end) {
                sum += weight(hour) * wall(from, *stands);
                counted.extend([(*stands, sum), (*runs, sum)]);
                from = *runs;
            }
            sum += weight(hour) * wall(from, end);
            counted.push((end, sum));
            at = end;
        }
        Self { counted }
    }

    fn between(&self, from: i64, to: i64) -> f64 {
        (self.at(to) - self.at(from)).max(0.0)
    }

    fn at(&self, moment: i64) -> f64 {
        let after = self.counted.partition_point(|(at, _)| *at <= moment).clamp(1, self.counted.len() - 1);
        let ((from, before), (to, then)) = (self.counted[after - 1], self.counted[after]);
        before + (then - before) * (wall(from, moment) / wall(from, to).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
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
        for due in &mut table.due {
            *due *= scale;
        }
        table
    }
}

fn by_hour(values: &[f64]) -> [f64; 24] {
    let mut hours = [0.0; 24];
    for (hour, value) in values.iter().enumerate() {
        hours[hour % 24] += value;
    }
    hours
}

/// What each hour of the day gave for what was due, beside the open hour in the middle; 0 for each closed one.
///
/// The first hour of a day answers what came in overnight. It weighs more, and not so much more that it would be all of the day.
fn open_hours(given: &[f64; 24], due: &[f64; 24]) -> [f64; 24] {
    let mut weights = [1.0; 24];
    for (hour, weight) in weights.iter_mut().enumerate() {
        if given[hour] < QUIET * due[hour] {
            *weight = 0.0;
        }
    }
    let quiet = weights;
    for hour in 0..24 {
        // The run of quiet hours around this one, both ends within half a day.
        let is_quiet = |steps: usize, back: bool| quiet[if back { hour + 24 - steps } else { hour + steps } % 24] <= 0.0;
        let after = (0..12).take_while(|steps| is_quiet(*steps, false)).count();
        let before = (1..12).take_while(|steps| is_quiet(*steps, true)).count();
        let run = (0..before + after).map(|at| (hour + 24 - before + at) % 24);
        let (of_run, due_of_run) = run.fold((0.0, 0.0), |(sum, sum_due), at| (sum + given[at], sum_due + due[at]));
        if quiet[hour] <= 0.0 && (before + after < SHORTEST_NIGHT || chance_of_so_few(of_run, due_of_run) >= CHANCE) {
            weights[hour] = 1.0;
        }
    }
    // One answer more in each that was due: a single hour is not believed too much.
    let ratio = |hour: usize| (given[hour] + 1.0) / (due[hour] + 1.0);
    let mut open: Vec<f64> = (0..24).filter(|hour| weights[*hour] > 0.0).map(ratio).collect();
    open.sort_unstable_by(f64::total_cmp);
    let usual = open.get(open.len() / 2).copied().unwrap_or(1.0);
    for (hour, weight) in weights.iter_mut().enumerate().filter(|(_, weight)| **weight > 0.0) {
        *weight = (ratio(hour) / usual).clamp(1.0 / MOST, MOST);
    }
    weights
}

/// The chance of at most so many answers where so many are due.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of answers")]
fn chance_of_so_few(given: f64, due: f64) -> f64 {
    Poisson::new(due).map_or(1.0, |poisson| poisson.cdf(given.max(0.0) as u64))
}

#[allow(clippy::cast_precision_loss, reason = "durations in microseconds")]
fn wall(from: i64, to: i64) -> f64 {
    to.saturating_sub(from).max(0) as f64 / 1000.0
}

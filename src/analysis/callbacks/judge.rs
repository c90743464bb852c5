//! What a class of waits says of each of its open ones.
//!
//! | answered | rule                                                                                                     |
//! |----------|----------------------------------------------------------------------------------------------------------|
//! | 20 or more | stuck: lost with a probability of at least 85 %, at most 1 in 50 healthy waits lasts longer, few of    |
//! |            | the open waits as old should be healthy, and it is older than is usual by the wall clock               |
//! | 20 or more | stuck as well: answers have stopped, and it has waited since then or began later                       |
//! | 5 to 19    | stuck: longer than twice the longest answered one, and than twice what 1 in 200 healthy ones exceeds    |
//! | fewer      | not to be told                                                                                         |
//!
//! The probability that a wait of age a is lost is `lost / (lost + (1 - lost) S(a))` (Bayes), with the share that is lost and the
//! survival of healthy ones from the [`Law`]. It asks more of the first wait that sticks out than of one beside ten others, so that
//! the slowest healthy wait of many thousands raises no alarm.
//!
//! That answers have stopped is told by what was due: each open wait was due `H(a now) - H(a at the last answer)` answers,
//! `H = -ln S`; none coming has the chance `exp(-sum)`. Earlier stops are found alike, and waits that were open in one count only up
//! to its beginning: an outage of last week is not what is normal.

use statrs::distribution::{DiscreteCDF, Poisson};

use super::clock::{Clock, Span};
use super::law::{Law, count};

/// Answered waits that a judgement takes.
pub const ENOUGH: usize = 20;
/// Answered waits below which nothing is said.
pub const FEWEST: usize = 5;
/// A wait is stuck when it is lost with at least this probability,
pub const LOST: f64 = 0.85;
/// and when at most this share of healthy waits lasts longer.
pub const BEYOND: f64 = 0.02;
/// and when of the open waits at least as old so small a share at most should be healthy: the false discovery rate (Benjamini and
/// Hochberg 1995).
const FALSE: f64 = 0.05;
/// and when that many as old would be all healthy with this chance at most, which keeps the slowest of many healthy waits from being
/// taken for the first lost one.
const ALL_HEALTHY: f64 = 0.0035;
/// A wait is late when at most this share of healthy waits lasts longer.
pub const LATE: f64 = 0.05;
/// Answers have stopped when none coming has less than this chance: 1 in 10,000, as for findings that are called strong.
const STOPPED: f64 = 1e-4;
/// An earlier stop is one pause among many, and has to be as much less likely: 1 in a million.
const STOPPED_BEFORE: f64 = 1e-6;
/// No single wait is due more answers than this where a stop is told: one lost token is no stop.
const MOST_DUE: f64 = 3.0;
/// The longest pauses between answers, so many, are looked at for an earlier stop.
const PAUSES: usize = 64;
/// With fewer answers working hours cannot be told, and a night may look like a stop; unless 19 in 20 waits are done within an hour.
const HOURS_TOLD: usize = 48;
/// See [`HOURS_TOLD`]: milliseconds.
const SHORT: f64 = 3_600_000.0;

/// What is known of a class.
#[derive(Debug, Clone)]
pub struct Judged {
    /// How its waits age.
    pub clock: Clock,
    /// How long healthy ones take.
    pub law: Law,
    /// The age from which on a wait is stuck, by that clock.
    pub limit_ms: f64,
    /// Whether answers have stopped.
    pub stopped: Option<Stop>,
    /// Earlier stops: from, to.
    pub earlier_stops: Vec<(i64, i64)>,
    /// Of each open wait, in their order.
    pub open: Vec<Opinion>,
}

/// Since when nothing was answered, though answers were due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// The last answer; microseconds since 1970.
    pub since: i64,
    /// How many answers were due since then.
    pub due: f64,
}

impl Stop {
    /// The chance that none comes though so many are due.
    pub fn chance(&self) -> f64 {
        (-self.due).exp()
    }
}

/// Of one open wait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opinion {
    /// Its position among the waits.
    pub at: usize,
    /// Its age by the class's clock, in milliseconds.
    pub age_ms: f64,
    /// The share of healthy waits that lasts longer.
    pub survival: f64,
    /// The probability that it is lost.
    pub lost: f64,
    /// How many healthy waits as old as this there should be, among those that began at least so long ago.
    pub expected_as_old: f64,
    /// Whether its age alone says so.
    pub is_stuck: bool,
    /// Whether it waits since answers stopped, or began later.
    pub is_in_stop: bool,
}

/// Judges the open waits of a class; `is_open` says which are. `None` for too few answered.
pub fn judge(spans: &[Span], is_open: &[bool], now: i64) -> Option<Judged> {
    let answered = spans.iter().filter(|span| span.is_answered).count();
    if answered < FEWEST {
        return None;
    }
    let (done, open) = Clock::Wall.ages(spans);
    let law = Law::fit(&done, &open)?;
    let usual_ms = law.exceeded_by(0.5);
    // Nights are pauses like stops, so the hours come first. Waits of minutes do not last over one.
    let clock = Clock::of(spans, &law, now, law.exceeded_by(0.05) > SHORT);
    let (done, open) = clock.ages(spans);
    let law = Law::fit(&done, &open)?;
    let earlier_stops = earlier_stops(spans, &clock, &law);
    let kept = without(spans, &earlier_stops);
    let (done, open) = clock.ages(&kept);
    // What waited in a stop does not count as usual, and may be lost with it.
    let lost = law.lost;
    let mut law = Law::fit(&done, &open)?;
    law.lost = law.lost.max(lost);
    let longest_ms = done.iter().copied().fold(0.0, f64::max);
    let is_enough = answered >= ENOUGH;
    let limit_ms = if is_enough { law.exceeded_by(exceeded_at_limit(&law)) } else { 2.0 * longest_ms.max(law.exceeded_by(0.005)) };
    let expected = Expected::of(spans, &clock, &law, now);
    let mut open: Vec<Opinion> = Vec::new();
    for (at, span) in spans.iter().enumerate().filter(|(at, _)| is_open[*at]) {
        let age_ms = clock.milliseconds(span.from, span.to);
        let survival = law.survival(age_ms);
        open.push(Opinion {
            at,
            age_ms,
            survival,
            lost: law.lost_at(age_ms, law.lost),
            expected_as_old: expected.as_old_as(age_ms),
            is_stuck: age_ms > limit_ms && Clock::Wall.milliseconds(span.from, span.to) > usual_ms,
            is_in_stop: false,
        });
    }
    if is_enough {
        keep_few_false(&mut open, matches!(clock, Clock::Hours(_)));
    }
    let stopped = stopped(spans, &open, &clock, &law).filter(|_| is_enough);
    if stopped.is_some() {
        for opinion in &mut open {
            opinion.is_in_stop = opinion.age_ms > 0.0;
        }
    }
    Some(Judged { clock, law, limit_ms, stopped, earlier_stops, open })
}

/// Of the stuck ones only those among which few healthy ones are to be expected, and which cannot well be all healthy. What is
/// older than such is stuck with them.
fn keep_few_false(open: &mut [Opinion], is_by_hours: bool) {
    let mut order: Vec<usize> = (0..open.len()).filter(|at| open[*at].is_stuck).collect();
    order.sort_unstable_by(|one, other| open[*other].age_ms.total_cmp(&open[*one].age_ms));
    let is_few = |rank: usize, at: usize| {
        let as_old = count(rank + 1);
        let healthy = open[at].expected_as_old;
        // The chance takes waits as independent. Where hours are told from answers, what is wrong with them is so for all: the more
        // there are, the less likely it has to be.
        let together = if is_by_hours { as_old * as_old } else { 1.0 };
        healthy <= FALSE * as_old && together * chance_of_so_many(rank as u64 + 1, healthy) <= ALL_HEALTHY
    };
    let kept = order.iter().enumerate().filter(|(rank, at)| is_few(*rank, **at)).map(|(rank, _)| rank + 1).max().unwrap_or(0);
    for at in &order[kept..] {
        open[*at].is_stuck = false;
    }
}

/// The chance of at least so many, one or more, where so many are expected.
fn chance_of_so_many(many: u64, expected: f64) -> f64 {
    Poisson::new(expected).map_or(0.0, |poisson| poisson.sf(many.saturating_sub(1)))
}

/// The share of healthy waits that exceeds the limit: where the probability of being lost reaches [`LOST`], [`BEYOND`] at most.
fn exceeded_at_limit(law: &Law) -> f64 {
    let odds = law.lost / (1.0 - law.lost).max(f64::MIN_POSITIVE);
    (odds * (1.0 - LOST) / LOST).clamp(1e-12, BEYOND)
}

fn stopped(spans: &[Span], open: &[Opinion], clock: &Clock, law: &Law) -> Option<Stop> {
    let answers = spans.iter().filter(|span| span.is_answered);
    let (count, since) = (answers.clone().count(), answers.map(|span| span.to).max()?);
    if count < HOURS_TOLD && law.exceeded_by(0.05) > SHORT {
        return None;
    }
    let due = |opinion: &Opinion| {
        let before = clock.milliseconds(spans[opinion.at].from, since);
        due(law, before, opinion.age_ms)
    };
    let stop = Stop { since, due: open.iter().map(due).sum() };
    (stop.chance() < STOPPED).then_some(stop)
}

/// How many answers a wait was due between two ages.
fn due(law: &Law, before: f64, after: f64) -> f64 {
    let healthy = 1.0 - law.lost_at(before, law.lost);
    healthy * (law.hazard(after) - law.hazard(before)).clamp(0.0, MOST_DUE)
}

/// Pauses between answers in which so much was due that answers must have stopped.
fn earlier_stops(spans: &[Span], clock: &Clock, law: &Law) -> Vec<(i64, i64)> {
    let mut answers: Vec<i64> = spans.iter().filter(|span| span.is_answered).map(|span| span.to).collect();
    answers.sort_unstable();
    if answers.len() < HOURS_TOLD && law.exceeded_by(0.05) > SHORT {
        return Vec::new();
    }
    let mut pauses: Vec<(i64, i64)> = answers.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pauses.sort_by_key(|(from, to)| (std::cmp::Reverse(to.saturating_sub(*from)), *from));
    pauses.truncate(PAUSES);
    pauses.retain(|(from, to)| {
        let open = spans.iter().filter(|span| span.from < *to && span.to > *from);
        let age = |span: &Span, at: i64| clock.milliseconds(span.from, at.min(span.to));
        let sum: f64 = open.map(|span| due(law, age(span, *from), age(span, *to))).sum();
        (-sum).exp() < STOPPED_BEFORE
    });
    pauses.sort_unstable();
    pauses
}

/// The waits without what they lasted after the beginning of a stop.
fn without(spans: &[Span], stops: &[(i64, i64)]) -> Vec<Span> {
    let cut = |span: &Span| {
        let stop = stops.iter().find(|(from, to)| span.from < *to && span.to > *from);
        match stop {
            Some((from, _)) if *from <= span.from => None,
            Some((from, _)) => Some(Span { to: *from, is_answered: false, ..*span }),
            None => Some(*span),
        }
    };
    spans.iter().filter_map(cut).collect()
}

/// How many healthy waits there should be of an age or older.
struct Expected {
    /// The ages that all waits would have by now, and the sum of the survival of those up to here; the oldest first.
    ages: Vec<(f64, f64)>,
}

impl Expected {
    fn of(spans: &[Span], clock: &Clock, law: &Law, now: i64) -> Self {
        let mut ages: Vec<(f64, f64)> = spans.iter().map(|span| (clock.milliseconds(span.from, now), 0.0)).collect();
        ages.sort_unstable_by(|one, other| other.0.total_cmp(&one.0));
        let mut sum = 0.0;
        for (age, below) in &mut ages {
            sum += law.survival(*age);
            *below = sum;
        }
        Self { ages }
    }

    fn as_old_as(&self, age: f64) -> f64 {
        let older = self.ages.partition_point(|(other, _)| *other >= age);
        older.checked_sub(1).map_or(0.0, |last| self.ages[last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Open waits that are all beyond the limit: age, and how many healthy ones as old should be open.
    fn kept(open: &[(f64, f64)], is_by_hours: bool) -> Vec<bool> {
        let opinion = |(at, (age_ms, expected_as_old)): (usize, &(f64, f64))| Opinion {
            at,
            age_ms: *age_ms,
            survival: 0.001,
            lost: 0.95,
            expected_as_old: *expected_as_old,
            is_stuck: true,
            is_in_stop: false,
        };
        let mut opinions: Vec<Opinion> = open.iter().enumerate().map(opinion).collect();
        keep_few_false(&mut opinions, is_by_hours);
        opinions.iter().map(|opinion| opinion.is_stuck).collect()
    }

    #[test]
    fn one_has_to_be_surer_than_several() {
        assert_eq!(kept(&[(9.0, 0.01)], false), [false]);
        assert_eq!(kept(&[(9.0, 0.001)], false), [true]);
        // Three as old would be all healthy once in 6,000.
        assert_eq!(kept(&[(7.0, 0.1), (8.0, 0.04), (9.0, 0.01)], false), [true; 3]);
        // What is older than sure ones is stuck with them, what is younger and less sure is not.
        assert_eq!(kept(&[(3.0, 2.0), (9.0, 0.01), (8.0, 0.01), (8.5, 0.01)], false), [false, true, true, true]);
        // Two as old would be healthy once in 800, by hours that are not known so well.
        assert_eq!((kept(&[(8.0, 0.05), (9.0, 0.02)], false), kept(&[(8.0, 0.05), (9.0, 0.02)], true)), (vec![true; 2], vec![false; 2]));
        assert!((chance_of_so_many(2, 0.01) - 5e-5).abs() < 1e-6);
    }
}

//! Since when, for questions that have their own numbers: the durations of `latency`, the executions of `failures`.

use serde::Serialize;

use super::date::{OF_ERRORS, Place, likeliest};
use super::near::{self, NearestChange};
use super::proportion::Outcomes;
use super::ranks::real;
use super::report::Interval;
use super::series::Point;
use super::shift::shifts;
use super::{LEVEL, errors};
use crate::model::Micros;

/// Since when something is as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Since {
    /// When it most likely began.
    pub at: Micros,
    /// When the first of it was seen.
    pub first_seen: Micros,
    /// When it may have begun: what fits nearly as well.
    pub interval: Interval,
    /// When it was over; null while it lasts.
    pub until: Option<Micros>,
    /// After by before; null where there was nothing before.
    pub ratio: Option<f64>,
    /// How likely it is without a change, corrected for the number of tests.
    pub p_value: f64,
    /// The version whose first execution started nearest to it.
    pub nearest_change: Option<NearestChange>,
}

/// A version of a state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionStart {
    /// Its number.
    pub version: String,
    /// When its first execution started.
    pub first: Micros,
    /// How many executions it has.
    pub executions: u64,
}

/// Since when durations, in milliseconds, are longer or shorter: the clearest step. `tests`: how many series are asked about.
pub fn slower_or_faster(mut durations: Vec<(Micros, f64)>, tests: usize, versions: &[VersionStart]) -> Option<Since> {
    durations.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let points: Vec<Point> = durations.iter().map(|(at, ms)| Point { at: at.0, ms: *ms }).collect();
    let arrivals: Vec<i64> = points.iter().map(|point| point.at).collect();
    let found = shifts(&points, &arrivals).found;
    let step = found.into_iter().min_by(|one, other| one.p.total_cmp(&other.p))?;
    let interval = Interval { from: Micros(step.interval.0), to: Micros(step.interval.1) };
    let p_value = (step.p * real(tests.max(1))).min(1.0);
    (p_value <= LEVEL).then(|| Since {
        at: Micros(step.at),
        first_seen: Micros(step.first),
        interval,
        until: step.until.map(Micros),
        ratio: Some((step.ratio * 1000.0).round() / 1000.0),
        p_value,
        nearest_change: near::nearest_version(versions, Micros(step.at), interval),
    })
}

/// Since when a larger part of a machine's executions is in a group. `starts`: of all of them, sorted; `of_group`: of the group, sorted.
pub fn more_often(starts: &[Micros], of_group: &[Micros], versions: &[VersionStart]) -> Option<Since> {
    let mut places: Vec<usize> = Vec::new();
    for start in of_group {
        // Of executions that started at the same moment, any one: but each only once.
        let first = starts.partition_point(|other| other < start);
        let place = places.last().map_or(first, |last| first.max(last + 1));
        if starts.get(place) == Some(start) {
            places.push(place);
        }
    }
    let outcomes = Outcomes { places: &places, count: starts.len() };
    let window = outcomes.scan().filter(|window| window.p <= LEVEL)?;
    let (inside, outside) = (window.to - window.from, starts.len() - (window.to - window.from));
    let (after, before) = (real(window.having) / real(inside), real(places.len() - window.having) / real(outside.max(1)));
    if after < errors::LEAST_RATIO * before {
        return None;
    }
    let moment = |at: usize| starts.get(at).copied().unwrap_or(starts[window.from]);
    let onsets = outcomes.onsets(window, errors::ONSETS);
    let place = |(at, llr): &(usize, f64)| Place { after: moment(at.saturating_sub(1)).0, until: moment(*at).0, llr: *llr };
    let around: Vec<Place> = onsets.iter().map(place).collect();
    let first_seen = starts[window.from];
    let until = starts.get(window.to).copied();
    let at = if until.is_some() { first_seen } else { Micros(likeliest(&around, first_seen.0, OF_ERRORS)) };
    let near = || around.iter().filter(|place| place.llr >= window.llr - 2.0);
    let from = near().next().map_or(at, |place| Micros(place.after));
    let to = near().next_back().map_or(first_seen, |place| Micros(place.until));
    let interval = Interval { from: from.min(at), to: to.max(first_seen) };
    Some(Since {
        at,
        first_seen,
        interval,
        until,
        ratio: (before > 0.0).then(|| (after / before * 1000.0).round() / 1000.0),
        p_value: window.p,
        nearest_change: near::nearest_version(versions, at, interval),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn minutes(all: impl Iterator<Item = i64>) -> Vec<Micros> {
        all.map(|minute| Micros(minute * MINUTE)).collect()
    }

    #[test]
    fn durations_tell_since_when_they_are_longer_and_which_version_is_near() {
        let durations: Vec<(Micros, f64)> = (0_i32..200)
            .map(|minute| (Micros(i64::from(minute) * MINUTE), if minute >= 120 { 300.0 } else { 200.0 } + f64::from(minute % 7)))
            .collect();
        let version =
            |version: &str, minute: i64| VersionStart { version: version.to_owned(), first: Micros(minute * MINUTE), executions: 80 };
        let since = slower_or_faster(durations, 3, &[version("1", 0), version("2", 118)]).expect("a step");
        assert_eq!((since.first_seen.0 / MINUTE, since.until), (120, None));
        let near = since.nearest_change.expect("a version");
        assert_eq!((near.value.as_deref(), near.before.as_deref()), (Some("2"), Some("1")));
    }

    #[test]
    fn a_group_tells_since_when_it_is_there_and_until_when_it_was() {
        let starts = minutes(0..300);
        let since = more_often(&starts, &minutes((200..300).step_by(3)), &[]).expect("a rise");
        assert_eq!((since.first_seen.0 / MINUTE, since.until, since.ratio), (200, None, None));
        let outage = more_often(&starts, &minutes((100..130).chain([7, 250])), &[]).expect("an outage");
        assert_eq!((outage.at.0 / MINUTE, outage.until.map(|until| until.0 / MINUTE)), (100, Some(130)));
        assert_eq!(more_often(&starts, &minutes((0..300).step_by(20)), &[]), None);
        assert_eq!(more_often(&[], &[], &[]), None);
        assert_eq!(more_often(&starts, &minutes(-5..0), &[]), None);
    }
}

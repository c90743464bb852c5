//! Since when a state fails more, or fails in a way that it did not before.

use std::collections::{BTreeMap, BTreeSet};

use super::date::{OF_ERRORS, Place, likeliest};
use super::proportion::{self, Outcomes, Window};
use super::report::{Failing, Interval, Sides};
use super::units::{Fault, Unit};
use crate::model::Micros;

/// A rate of fewer observations is not looked at.
const ENOUGH: usize = 20;
/// Fewer observations with the error, or fewer failed attempts, are no rise.
const FEWEST_FAILED: (usize, u64) = (4, 5);
/// The least ratio of rates that is worth a word.
pub(super) const LEAST_RATIO: f64 = 3.0;
/// Had it always been there at this rate, not to have met it before would be less likely than this.
const UNSEEN: f64 = 1e-3;
/// With this p alone a new error is not told of, but looked at again together with the input.
pub(super) const PENDING: f64 = 0.05;
/// Onsets that are less likely than the best by a factor of e to this have no weight.
pub(super) const ONSETS: f64 = 10.0;
/// A second window is looked for where the first is as unlikely as this.
const ANOTHER: f64 = 1e-3;
/// Outages of one state and error that are told apart.
const MOST_WINDOWS: usize = 4;
/// A pause of a quarter of an hour, and so many times as long as those between the other failures, does not belong to an outage.
const PAUSE: i64 = 15 * 60 * 1_000_000;
const LONG: f64 = 6.9;
/// Shuffles of the check by permutation.
pub(super) const SHUFFLES: u32 = 999;

/// A rise.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rise {
    pub fault: Fault,
    /// When it most likely began.
    pub at: Micros,
    /// When the first attempt failed so.
    pub first: Micros,
    pub interval: Interval,
    pub until: Option<Micros>,
    pub counts: Sides<Failing>,
    pub window: Window,
    /// None before, which would be unlikely had it always been there.
    pub is_new: bool,
    /// None before, be it likely or not: the input may make sure of it.
    pub is_first: bool,
    /// Positions of the executions with it in the window.
    pub executions: BTreeSet<u32>,
    /// Positions of the executions that were in the state without it, before and after; in ascending order.
    pub others: Vec<u32>,
    /// Positions of those that had it outside of the window.
    pub strays: Vec<u32>,
    /// When the last attempt of the window ended.
    pub last: Micros,
    /// Of shuffles of the same outcomes, how many showed as much.
    pub as_extreme: u32,
}

/// What a state shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rises {
    pub found: Vec<Rise>,
    /// The p of the best window of each error that was tested and has no rise.
    pub tested: Vec<f64>,
    /// Observations with the most frequent error of too few observations altogether.
    pub too_few: Option<usize>,
}

/// Finds the rises of all errors of a state.
pub(super) fn rises(units: &[Unit]) -> Rises {
    let mut places: BTreeMap<Fault, Vec<usize>> = BTreeMap::new();
    for (place, unit) in units.iter().enumerate().filter(|(_, unit)| !unit.failed.is_empty()) {
        let faults: BTreeSet<Fault> = unit.failed.iter().map(|failed| failed.fault).collect();
        for fault in faults {
            places.entry(fault).or_default().push(place);
        }
    }
    let mut found = Rises::default();
    if units.len() < ENOUGH {
        found.too_few = places.values().map(Vec::len).max().filter(|most| *most >= proportion::FEWEST);
        return found;
    }
    for (fault, places) in places.into_iter().filter(|(_, places)| places.len() >= proportion::FEWEST) {
        of_error(units, fault, &places, &mut found);
    }
    found
}

fn of_error(units: &[Unit], fault: Fault, places: &[usize], found: &mut Rises) {
    // What is left when windows are taken out: positions of units.
    let mut left: Vec<usize> = (0..units.len()).collect();
    let mut failing: BTreeSet<usize> = places.iter().copied().collect();
    for number in 0..MOST_WINDOWS {
        let positions: Vec<usize> = left.iter().enumerate().filter(|(_, unit)| failing.contains(unit)).map(|(at, _)| at).collect();
        let outcomes = Outcomes { places: &positions, count: left.len() };
        let Some(window) = outcomes.scan() else { break };
        let at: Vec<i64> = positions.iter().map(|position| units[left[*position]].at.0).collect();
        let window = if window.to < left.len() { together(outcomes, window, &at) } else { window };
        let inside: Vec<&Unit> = left[window.from..window.to].iter().map(|unit| &units[*unit]).collect();
        match rise(units, fault, &left, outcomes, window, &inside) {
            Some(rise) => found.found.push(rise),
            None if number == 0 => found.tested.push(window.p),
            None => {}
        }
        if window.p > ANOTHER {
            break;
        }
        left[window.from..window.to].iter().for_each(|unit| {
            failing.remove(unit);
        });
        left.drain(window.from..window.to);
    }
}

/// An outage without failures that just happened before or after it: those that a long pause parts from the others. `at`: when each began.
fn together(outcomes: Outcomes<'_>, window: Window, at: &[i64]) -> Window {
    let first = outcomes.places.partition_point(|place| *place < window.from);
    let mut all = first..first + window.having;
    let pause = |one: usize| at[one + 1].saturating_sub(at[one]);
    // Failures at random with this mean between them pause so long less often than once in a thousand.
    let is_long = |pause: i64, (from, to): (usize, usize)| {
        let lasts = super::ranks::real(usize::try_from(at[to].saturating_sub(at[from])).unwrap_or(usize::MAX));
        pause > PAUSE && super::ranks::real(usize::try_from(pause).unwrap_or(usize::MAX)) > LONG * lasts / super::ranks::real(to - from)
    };
    while all.len() > FEWEST_FAILED.0 && is_long(pause(all.start), (all.start + 1, all.end - 1)) {
        all.start += 1;
    }
    while all.len() > FEWEST_FAILED.0 && is_long(pause(all.end - 2), (all.start, all.end - 2)) {
        all.end -= 1;
    }
    if all.len() == window.having { window } else { outcomes.narrowed(window, all) }
}

fn rise(units: &[Unit], fault: Fault, left: &[usize], outcomes: Outcomes<'_>, window: Window, inside: &[&Unit]) -> Option<Rise> {
    let first = inside.first()?;
    let until = left.get(window.to).map(|unit| units[*unit].at);
    let is_outside = |at: &usize| !(window.from..window.to).contains(at);
    let outside: Vec<&Unit> = (0..left.len()).filter(is_outside).map(|at| &units[left[at]]).collect();
    let counts = Sides { before: count(&outside, fault), after: count(inside, fault) };
    let before = outside.iter().filter(|unit| unit.at < first.at);
    let none_before = before.clone().all(|unit| unit.first(fault).is_none());
    let unseen = (1.0 - share(counts.after.visits_failed, counts.after.visits)).powf(super::ranks::real(before.count()));
    let is_first = none_before && until.is_none() && counts.before.visits_failed == 0;
    let is_new = is_first && unseen < UNSEEN;
    // Of a Map, a few items fail in nearly every run of it: then the attempts tell.
    let is_large = |after: (u64, u64), before: (u64, u64)| share(after.0, after.1) >= LEAST_RATIO * share(before.0, before.1);
    let (after, before) = (counts.after, counts.before);
    let is_rise = window.having >= FEWEST_FAILED.0
        && counts.after.failed >= FEWEST_FAILED.1
        && (is_large((after.visits_failed, after.visits), (before.visits_failed, before.visits))
            || is_large((after.failed, after.attempts), (before.failed, before.attempts)));
    if !(is_rise || is_first && window.p <= PENDING) {
        return None;
    }
    let seen = inside.iter().find_map(|unit| unit.first(fault)).map_or(first.at, |failed| failed.at);
    let moment = |at: usize| left.get(at).map_or(first.at, |unit| units[*unit].at);
    let onsets = outcomes.onsets(window, ONSETS);
    let places: Vec<Place> = onsets
        .iter()
        .map(|(at, llr)| Place { after: moment(at.saturating_sub(1)).0.min(seen.0), until: moment(*at).0.min(seen.0), llr: *llr })
        .collect();
    let near = || onsets.iter().filter(|(_, llr)| *llr >= window.llr - 2.0).map(|(at, _)| *at);
    let (earliest, latest) = (near().next().unwrap_or(window.from), near().next_back().unwrap_or(window.from));
    // An outage is told from its first failure; what fails now and then began before it was first met.
    let at = if until.is_some() { seen } else { Micros(likeliest(&places, seen.0, OF_ERRORS)) };
    let failing: BTreeSet<u32> = inside.iter().filter(|unit| unit.first(fault).is_some()).map(|unit| unit.execution).collect();
    let executions = |has_it: bool| {
        let mut is_one = vec![false; units.iter().map(|unit| unit.execution as usize + 1).max().unwrap_or_default()];
        for unit in units.iter().filter(|unit| unit.first(fault).is_some() == has_it) {
            is_one[unit.execution as usize] = true;
        }
        for execution in &failing {
            is_one[*execution as usize] = false;
        }
        (0..).zip(is_one).filter(|(_, is_one)| *is_one).map(|(execution, _)| execution).collect::<Vec<u32>>()
    };
    let strays = executions(true);
    let mut others = executions(false);
    others.retain(|execution| strays.binary_search(execution).is_err());
    Some(Rise {
        fault,
        at,
        first: seen,
        interval: Interval { from: moment(earliest.saturating_sub(1)).min(at), to: moment(latest).max(seen) },
        until,
        counts,
        window,
        is_new,
        is_first,
        others,
        strays,
        executions: failing,
        last: inside.iter().map(|unit| unit.last).max().unwrap_or(first.at),
        as_extreme: 0,
    })
}

fn count(units: &[&Unit], fault: Fault) -> Failing {
    let with = |unit: &&&Unit| unit.first(fault).is_some();
    Failing {
        attempts: units.iter().map(|unit| unit.attempts).sum(),
        failed: units.iter().map(|unit| unit.failed.iter().filter(|failed| failed.fault == fault).count() as u64).sum(),
        visits: units.len() as u64,
        visits_failed: units.iter().filter(with).count() as u64,
    }
}

#[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 attempts")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::changes::units::Failed;

    const MINUTE: i64 = 60_000_000;

    /// A call every ten minutes, and where it fails.
    fn units(at: impl IntoIterator<Item = (i64, bool)>) -> Vec<Unit> {
        let unit = |(execution, (at, fails)): (u32, (i64, bool))| {
            let at = Micros(at);
            let failed = if fails { vec![Failed { fault: Fault::TimeLimit, at }] } else { Vec::new() };
            Unit { execution, at, last: at, attempts: 2, failed: failed.iter().chain(&failed).copied().collect() }
        };
        (0..).zip(at).map(unit).collect()
    }

    /// Quiet hours, one failure, nothing for half an hour, and then a cohort of which each call fails.
    #[test]
    fn a_failure_long_before_an_outage_is_not_its_begin() {
        let quiet = (0..100).map(|call| (call * 10 * MINUTE, call == 99));
        let cohort = (0..40).map(|call| (1_020 * MINUTE + call * 100_000, true));
        let after = (0..60).map(|call| (1_060 * MINUTE + call * 10 * MINUTE, call == 0));
        let found = rises(&units(quiet.chain(cohort).chain(after))).found;
        assert_eq!(found.len(), 1, "{found:?}");
        let outage = &found[0];
        assert_eq!((outage.first.0 / MINUTE, outage.until.map(|until| until.0 / MINUTE)), (1_020, Some(1_060)));
        assert_eq!((outage.counts.after.visits_failed, outage.strays.len()), (40, 2));
    }

    /// Failures a quarter of an hour apart and more are an outage where calls are as seldom.
    #[test]
    fn an_outage_of_seldom_calls_keeps_its_begin() {
        let calls = (0..200).map(|call| (call * 20 * MINUTE, (100..130).contains(&call)));
        let found = rises(&units(calls)).found;
        assert_eq!(found.iter().map(|rise| rise.first.0 / MINUTE).collect::<Vec<_>>(), [2_000]);
        assert_eq!(found[0].counts.after.visits_failed, 30);
    }
}

//! From the marked retries of one storm to the storm: who belongs to it, from when to when.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::background::Background;
use super::retries::Tried;
use super::seen::{Seen, Spread};
use super::waves;
use crate::analysis::observed::Name;
use crate::model::Micros;

/// A storm with its retries as they were tried; what is known of it so far.
pub(super) struct Assembled {
    pub seen: Seen,
    /// As [`Seen::retries`], with what else is known of each.
    pub tried: Vec<Tried>,
    /// Until when calls failed as a rule.
    pub fault_end: Micros,
}

/// Puts a storm of a class together from its marked retries (positions in `retries`, by time).
///
/// The cohort is whoever retried in a wave; with it belong all its retries since the first of those failures, and until its visits
/// retried for the last time. Others who failed with the same errors, while most of the cohort's retries still failed, are late.
pub(super) fn assemble(class: usize, retries: &[Tried], marked: &[usize], background: &mut Background) -> Option<Assembled> {
    let from = marked.iter().map(|at| retries[*at].retry.failed).min()?;
    let last_marked = retries[*marked.last()?].retry.scheduled;
    let mut cohort: Vec<u32> = marked.iter().map(|at| retries[*at].execution).collect();
    cohort.sort_unstable();
    cohort.dedup();
    let visits: HashSet<(u32, u32), RandomState> = marked.iter().map(|at| (retries[*at].execution, retries[*at].visit)).collect();
    let of_visit = |tried: &Tried| visits.contains(&(tried.execution, tried.visit));
    let since = retries.iter().filter(|tried| tried.retry.failed >= from);
    let last = since.filter(|tried| of_visit(tried)).map(|tried| tried.retry.scheduled).max()?.max(last_marked);
    let own =
        |tried: &&Tried| cohort.binary_search(&tried.execution).is_ok() && tried.retry.failed >= from && tried.retry.scheduled <= last;
    let cohorts: Vec<Tried> = retries.iter().filter(own).copied().collect();
    let errors: HashSet<Option<Name>, RandomState> = cohorts.iter().map(|tried| tried.retry.error).collect();
    let fault_end = fault_end(&cohorts, background).unwrap_or(from);
    let is_late = |tried: &&Tried| {
        cohort.binary_search(&tried.execution).is_err()
            && tried.retry.failed >= from
            && tried.retry.failed <= fault_end
            && errors.contains(&tried.retry.error)
    };
    let mut late: Vec<(u32, u32)> = retries.iter().filter(is_late).map(|tried| (tried.execution, tried.visit)).collect();
    late.sort_unstable();
    late.dedup();
    let of_late = |tried: &&Tried| late.binary_search(&(tried.execution, tried.visit)).is_ok() && tried.retry.failed >= from;
    let mut all: Vec<Tried> = cohorts.iter().chain(retries.iter().filter(of_late)).copied().collect();
    all.sort_by_key(|tried| (tried.retry.scheduled, tried.execution, tried.visit, tried.retry.attempt));
    let mut late: Vec<u32> = late.into_iter().map(|(execution, _)| execution).collect();
    late.dedup();
    let to = all.last()?.retry.scheduled;
    let waves = waves::waves(&all, background);
    let retries = all.iter().map(|tried| tried.retry).collect();
    Some(Assembled { seen: Seen { class, from, to, waves, cohort, late, retries, spread: Spread::Unclear }, tried: all, fault_end })
}

/// Until when calls failed as a rule: the last failure in a wave of which at least half failed again, or the last failure that led to
/// the first wave.
fn fault_end(cohort: &[Tried], background: &mut Background) -> Option<Micros> {
    let waves = waves::waves(cohort, background);
    let first = waves.first()?.retries.iter().map(|at| cohort[*at].retry.failed).max();
    let failing = waves.iter().filter(|wave| wave.failed_again * 2 >= wave.retries.len() as u64);
    let ends = failing.flat_map(|wave| &wave.retries).map(|at| &cohort[*at]).filter(|tried| tried.failed_again);
    ends.filter_map(|tried| tried.ended).max().max(first)
}

//! Whether a group is new, and whether it came with a version of the machine.
//!
//! New is what was not seen before although there was enough to see it in: had it always been there at its present rate, the chance
//! of not meeting it in the executions before its first one would be under one in a thousand. The present rate is counted from the
//! second execution of the group on: the first one chose the moment. One failure alone has no rate and is never called new.

use super::report::{NewInVersion, NewSince};
use crate::model::Micros;

/// What is less likely than this did not happen by chance.
const UNLIKELY: f64 = 1e-3;

/// Fewer executions than this tell nothing of what was there before.
const ENOUGH: usize = 10;

/// Whether a group of this machine is new. `starts`: of all executions of the machine, sorted; `of_group`: of the group, sorted.
pub(super) fn since(starts: &[Micros], of_group: &[Micros]) -> Option<NewSince> {
    let first = *of_group.first()?;
    let before = starts.partition_point(|start| *start < first);
    let after = starts.len() - before;
    let rate = ratio(of_group.len().checked_sub(1)?, after.checked_sub(1)?)?;
    let probability = unseen(rate, before);
    (before >= ENOUGH && probability < UNLIKELY).then_some(NewSince {
        executions_before: before as u64,
        executions_since: after as u64,
        failures_since: of_group.len() as u64,
        probability,
    })
}

/// The executions of one version: how many there were, of the group and at all, and when the first started.
pub(super) struct OfVersion<'v> {
    pub version: &'v str,
    pub executions: u64,
    pub of_group: u64,
    pub first_start: Option<Micros>,
}

/// Whether a group came with a version: it is the only one that has it, and others were there before without it often enough.
/// `first`: when the first execution of the group started.
pub(super) fn version(versions: &[OfVersion<'_>], first: Option<Micros>) -> Option<NewInVersion> {
    let mut with = versions.iter().filter(|version| version.of_group > 0);
    let (Some(new), None) = (with.next(), with.next()) else { return None };
    let start = new.first_start?;
    let others = || versions.iter().filter(|version| version.of_group == 0);
    let was_there_before = others().any(|other| other.first_start.is_some_and(|first| first < start));
    let without: u64 = others().map(|version| version.executions).sum();
    let rate = ratio(usize::try_from(new.of_group).ok()?, usize::try_from(new.executions).ok()?)?;
    let probability = unseen(rate, usize::try_from(without).ok()?);
    let enough = without >= ENOUGH as u64;
    (was_there_before && enough && probability < UNLIKELY).then(|| NewInVersion {
        version: new.version.to_owned(),
        first_start: start,
        after_ms: first.map(|first| first.milliseconds_since(start)),
        executions: new.executions,
        failures: new.of_group,
        executions_of_others: without,
        probability,
    })
}

#[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 executions")]
fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// How likely it is that none of `count` executions has what happens at this rate.
#[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 executions")]
fn unseen(rate: f64, count: usize) -> f64 {
    (1.0 - rate.clamp(0.0, 1.0)).powf(count as f64)
}

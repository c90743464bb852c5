//! When the calls of a storm's state failed: from the first failure until the moment that best parts failed calls from others.

use super::report::Outage;
use crate::analysis::observed::{Attempt, Observed};
use crate::analysis::storms::Seen;
use crate::model::Micros;
use crate::model::path::AttemptOutcome;

/// Calls this long after the last retry still tell whether the outage was over.
const AFTER: i64 = 60_000_000;

/// Finds it from [`calls`], also those of executions that are not in the storm.
///
/// A call counts by the moment it was scheduled. The end is put where the fewest calls are on the wrong side (succeeded before it, or
/// failed after it): the earliest such place, in the middle between two calls.
pub(super) fn outage(seen: &Seen, calls: &[(Micros, bool)]) -> Outage {
    let split = split(calls);
    let (inside, outside) = calls.split_at(split);
    let until = inside.last().zip(outside.first()).map(|((last, _), (first, _))| middle(*last, *first));
    Outage {
        from: seen.from,
        until: until.or_else(|| outside.first().map(|_| seen.from)),
        calls: inside.len() as u64,
        failed_share: share_failed(inside, 1.0),
        failed_share_after: share_failed(outside, 0.0),
    }
}

/// The calls of a storm's state from the first failure on: when each was scheduled, and whether it failed.
pub(super) fn calls(seen: &Seen, observed: &Observed) -> Vec<(Micros, bool)> {
    let attempts = &seen.class(observed).attempts;
    let from = attempts.partition_point(|attempt| attempt.scheduled < Some(seen.from));
    let end = Micros(seen.to.0.saturating_add(AFTER));
    let to = attempts.partition_point(|attempt| attempt.scheduled <= Some(end));
    attempts.get(from..to).unwrap_or_default().iter().filter_map(call).collect()
}

fn call(attempt: &Attempt) -> Option<(Micros, bool)> {
    let decided = matches!(attempt.outcome, AttemptOutcome::Succeeded | AttemptOutcome::Failed | AttemptOutcome::TimedOut);
    attempt.scheduled.filter(|_| decided).map(|scheduled| (scheduled, attempt.has_failed()))
}

/// How many calls belong to the outage.
fn split(calls: &[(Micros, bool)]) -> usize {
    let mut wrong = calls.iter().filter(|(_, failed)| *failed).count();
    let (mut best, mut least) = (0, wrong);
    for (position, (_, failed)) in calls.iter().enumerate() {
        if *failed {
            wrong -= 1;
        } else {
            wrong += 1;
        }
        if wrong < least {
            (best, least) = (position + 1, wrong);
        }
    }
    best
}

fn middle(one: Micros, other: Micros) -> Micros {
    Micros(one.0.saturating_add(other.0.saturating_sub(one.0) / 2))
}

#[allow(clippy::cast_precision_loss, reason = "counts of calls")]
fn share_failed(calls: &[(Micros, bool)], without_any: f64) -> f64 {
    if calls.is_empty() {
        return without_any;
    }
    calls.iter().filter(|(_, failed)| *failed).count() as f64 / calls.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(calls: &[(i64, bool)]) -> usize {
        split(&calls.iter().map(|(moment, failed)| (Micros(*moment), *failed)).collect::<Vec<_>>())
    }

    #[test]
    fn it_ends_where_the_fewest_calls_are_on_the_wrong_side() {
        assert_eq!(at(&[(1, true), (2, true), (3, false), (4, false)]), 2);
        assert_eq!(at(&[(1, true), (2, false), (3, true), (4, true), (5, false), (6, false), (7, true)]), 4);
        assert_eq!(at(&[(1, false), (2, false)]), 0, "no outage at all");
        assert_eq!(at(&[(1, true), (2, true)]), 2, "no end of it");
        assert_eq!(at(&[]), 0);
    }
}

//! Whether more failed than a Map tolerates, and which failure was one too many.
//!
//! | set                  | the Map Run fails when               |
//! |----------------------|--------------------------------------|
//! | neither              | anything failed                      |
//! | a count              | more items failed                    |
//! | a percentage         | a larger part of all items failed    |
//! | both                 | either                               |
//!
//! Step Functions Developer Guide, "Setting failure thresholds for Distributed Map states". DescribeMapRun says 0 for what is not set.

use super::children::FirstFailure;
use super::report::Tolerance;
use crate::model::MapRunCounts;

/// What is tolerated.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Limits {
    pub count: Option<u64>,
    pub percentage: Option<f64>,
}

impl Limits {
    /// As DescribeMapRun has them.
    pub fn described(count: u64, percentage: f64) -> Self {
        Self { count: (count > 0).then_some(count), percentage: (percentage > 0.0).then_some(percentage) }
    }

    /// Of a part of the items only a number of failures can be too many, and nothing can be few enough.
    fn verdict(self, failed: u64, total: u64, knows_all: bool) -> Option<bool> {
        if knows_all {
            return Some(self.is_broken(failed, total));
        }
        let by_number = Self { percentage: None, ..self };
        let has_number = self.count.is_some() || self.percentage.is_none();
        (has_number && by_number.is_broken(failed, total)).then_some(true)
    }

    fn is_broken(self, failed: u64, total: u64) -> bool {
        if self.count.is_none() && self.percentage.is_none() {
            return failed > 0;
        }
        self.count.is_some_and(|count| failed > count) || self.percentage.is_some_and(|limit| percentage(failed, total) > limit)
    }
}

#[allow(clippy::cast_precision_loss, reason = "a Map Run has 100,000,000 items at most")]
fn percentage(failed: u64, total: u64) -> f64 {
    failed as f64 * 100.0 / total.max(1) as f64
}

/// What was counted.
#[derive(Clone, Copy)]
pub(super) struct Counted<'c> {
    pub items: &'c MapRunCounts,
    /// Whether these are all items, and their last word.
    pub knows_all: bool,
}

/// `limits` is `None` where nothing tells. `ended` says whether there were too many failures where the end of the run tells that.
/// `failures` are in the order in which they happened, none where that is not known.
pub(super) fn judged(limits: Option<Limits>, counted: Counted<'_>, ended: Option<bool>, failures: &[FirstFailure]) -> Tolerance {
    let Counted { items, knows_all } = counted;
    let failed = items.failed_or_timed_out();
    let mut found = Tolerance {
        count: limits.and_then(|limits| limits.count),
        percentage: limits.and_then(|limits| limits.percentage),
        failed_items: failed,
        failed_percentage: (knows_all && items.total > 0).then(|| percentage(failed, items.total)),
        exceeded: ended.or_else(|| limits.and_then(|limits| limits.verdict(failed, items.total, knows_all))),
        ..Tolerance::default()
    };
    let is_part = |limits: &Limits| limits.percentage.is_some() && !knows_all;
    let Some(limits) = limits.filter(|limits| found.exceeded == Some(true) && !is_part(limits)) else { return found };
    let mut so_far = 0;
    for failure in failures {
        so_far += failure.items;
        if limits.is_broken(so_far, items.total) {
            found.broken_by = Some(failure.arn.clone());
            found.broken_at = Some(failure.stop);
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ExecutionStatus, Timestamp};

    fn story(limits: Option<Limits>, failures: &[u64], total: u64) -> Tolerance {
        let failure = |(second, items): (i64, &u64)| FirstFailure {
            stop: Timestamp::from_second(second).expect("a moment"),
            arn: format!("child-{second}"),
            items: *items,
        };
        let failures: Vec<FirstFailure> = (1..).zip(failures).map(failure).collect();
        let mut items = MapRunCounts::default();
        let failed = failures.iter().map(|failure| failure.items).sum();
        items.add(Some(ExecutionStatus::Failed), failed);
        items.add(Some(ExecutionStatus::Aborted), 3);
        items.add(Some(ExecutionStatus::Succeeded), total - failed - 3);
        judged(limits, Counted { items: &items, knows_all: true }, None, &failures)
    }

    fn limits(count: u64, percentage: f64) -> Limits {
        Limits::described(count, percentage)
    }

    #[test]
    fn the_first_failure_breaks_a_map_that_tolerates_none() {
        let found = story(Some(limits(0, 0.0)), &[1, 1], 10);
        assert_eq!((found.exceeded, found.broken_by.as_deref()), (Some(true), Some("child-1")));
        assert_eq!(story(Some(limits(0, 0.0)), &[], 10).exceeded, Some(false));
    }

    #[test]
    fn a_count_is_broken_by_one_more_and_batches_count_their_items() {
        assert_eq!(story(Some(limits(2, 0.0)), &[1, 1], 10).exceeded, Some(false));
        assert_eq!(story(Some(limits(2, 0.0)), &[1, 1, 1], 10).broken_by.as_deref(), Some("child-3"));
        assert_eq!(story(Some(limits(2, 0.0)), &[1, 5], 10).broken_by.as_deref(), Some("child-2"));
    }

    #[test]
    fn a_percentage_is_of_all_items_and_aborted_ones_did_not_fail() {
        let found = story(Some(limits(0, 20.0)), &[1, 1], 10);
        assert_eq!((found.exceeded, found.failed_items, found.failed_percentage), (Some(false), 2, Some(20.0)));
        assert_eq!(story(Some(limits(0, 20.0)), &[1, 1, 1], 10).broken_by.as_deref(), Some("child-3"));
        assert_eq!(story(Some(limits(1, 50.0)), &[1, 1], 10).broken_by.as_deref(), Some("child-2"), "whichever comes first");
    }

    #[test]
    fn a_part_of_the_items_cannot_show_that_failures_were_few() {
        let mut items = MapRunCounts::default();
        items.add(Some(ExecutionStatus::Failed), 3);
        let part = |count, percentage, ended| {
            let counted = Counted { items: &items, knows_all: false };
            let found = judged(Some(limits(count, percentage)), counted, ended, &[]);
            (found.exceeded, found.failed_percentage)
        };
        assert_eq!(part(2, 0.0, None), (Some(true), None));
        assert_eq!(part(0, 0.0, None), (Some(true), None));
        assert_eq!(part(5, 0.0, None), (None, None));
        assert_eq!(part(0, 50.0, None), (None, None));
        assert_eq!(part(0, 50.0, Some(true)), (Some(true), None), "the end of the run tells");
        assert_eq!(part(5, 0.0, Some(false)), (Some(false), None));
    }

    #[test]
    fn nothing_is_claimed_where_nothing_tells() {
        let found = story(None, &[1], 10);
        assert_eq!((found.exceeded, found.broken_by), (None, None));
    }
}

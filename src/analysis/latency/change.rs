//! Whether a state or machine takes longer than before.
//!
//! Two sets of durations are compared by the rank-sum test of Wilcoxon, Mann and Whitney (normal approximation, ties counted): it
//! asks whether a duration of the later set tends to be longer than one of the earlier, whatever the shape of both. A change is
//! claimed only where all of this holds, and the counts of both sides stand beside it:
//!
//! - each side has at least [`FEWEST`] durations;
//! - the p-value, times the number of comparisons in the report (Bonferroni), is below [`LEVEL`];
//! - the median differs by at least [`LEAST_CHANGE`] of the earlier one.
//!
//! The test takes durations for independent. Those of one incident are not, so a small p-value says that the two times differ,
//! not why. What happens to the slowest percent alone it does not see. Whether is asked here, of two times that were given; since when,
//! where the answer is yes, in `analysis/changes`.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

use super::quantile;
use crate::analysis::changes::Since;
use crate::model::Micros;

/// Fewer durations than this on either side are too few.
pub(super) const FEWEST: usize = 30;
/// The largest corrected p-value with which a change is claimed.
pub(super) const LEVEL: f64 = 0.01;
/// The least difference of medians that is worth a word.
pub(super) const LEAST_CHANGE: f64 = 0.1;

/// Durations of a time and of the one before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What the comparison says.
    pub verdict: Verdict,
    /// The earlier time.
    pub before: Side,
    /// The later time.
    pub after: Side,
    /// The later median by the earlier one; null where one is missing or the earlier is 0.
    pub p50_ratio: Option<f64>,
    /// How likely such ranks are if nothing changed, times the number of comparisons, at most 1; null where there are too few.
    pub p_value: Option<f64>,
    /// Since when; null where nothing is claimed, and where no moment stands out.
    pub since: Option<Since>,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// From this moment.
    pub from: Option<Micros>,
    /// To this moment.
    pub to: Option<Micros>,
    /// How many durations: visits that were exited, executions that ended.
    pub count: u64,
    /// Median.
    pub p50_ms: Option<f64>,
    /// 95 % are faster.
    pub p95_ms: Option<f64>,
    /// 99 % are faster.
    pub p99_ms: Option<f64>,
}

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Durations tend to be longer.
    Slower,
    /// Durations tend to be shorter.
    Faster,
    /// No change that could be told from chance, or none worth a word.
    NoChange,
    /// Too few durations on one side.
    TooFew,
}

/// Two times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    pub before: (Micros, Micros),
    pub after: (Micros, Micros),
    /// Whether they are the halves of one time.
    pub are_halves: bool,
}

/// Compares sorted durations; what is claimed is left to [`settle`].
pub(super) fn compare(before: &[i64], after: &[i64], windows: Windows) -> Change {
    let side = |sorted: &[i64], (from, to): (Micros, Micros)| Side {
        from: Some(from),
        to: Some(to),
        count: sorted.len() as u64,
        p50_ms: quantile(sorted, 0.5),
        p95_ms: quantile(sorted, 0.95),
        p99_ms: quantile(sorted, 0.99),
    };
    let (earlier, later) = (side(before, windows.before), side(after, windows.after));
    let ratio = earlier.p50_ms.zip(later.p50_ms).filter(|(earlier, _)| *earlier > 0.0).map(|(earlier, later)| later / earlier);
    let enough = before.len() >= FEWEST && after.len() >= FEWEST;
    let ranks = enough.then(|| rank_sum(before, after));
    Change {
        verdict: match ranks {
            None => Verdict::TooFew,
            Some((_, is_longer)) => {
                if is_longer {
                    Verdict::Slower
                } else {
                    Verdict::Faster
                }
            }
        },
        before: earlier,
        after: later,
        p50_ratio: ratio.map(|ratio| (ratio * 1000.0).round() / 1000.0),
        p_value: ranks.map(|(p_value, _)| p_value),
        since: None,
    }
}

/// Corrects the p-values of all comparisons of a report and withdraws what is not to be claimed.
pub(super) fn settle<'c>(changes: impl Iterator<Item = &'c mut Change>) {
    let mut tested: Vec<&mut Change> = changes.filter(|change| change.p_value.is_some()).collect();
    #[allow(clippy::cast_precision_loss, reason = "as many comparisons as there are states")]
    let comparisons = tested.len() as f64;
    for change in &mut tested {
        let corrected = change.p_value.map(|p_value| (p_value * comparisons).min(1.0));
        change.p_value = corrected;
        let moved = match (change.before.p50_ms, change.after.p50_ms) {
            (Some(before), Some(after)) if change.verdict == Verdict::Slower => after - before >= before * LEAST_CHANGE && after > before,
            (Some(before), Some(after)) => before - after >= before * LEAST_CHANGE && after < before,
            _ => false,
        };
        if !moved || corrected.is_none_or(|p_value| p_value >= LEVEL) {
            change.verdict = Verdict::NoChange;
        }
    }
}

/// The two-sided p-value of the rank-sum test of sorted values, and whether those of the second set tend to be larger. Linear.
#[allow(clippy::cast_precision_loss, reason = "counts of values, far below 2^52")]
fn rank_sum(before: &[i64], after: &[i64]) -> (f64, bool) {
    let (mut left, mut right) = (0, 0);
    let (mut ranks_after, mut ties, mut rank) = (0.0, 0.0, 0.0);
    while left < before.len() || right < after.len() {
        let value = match (before.get(left), after.get(right)) {
            (Some(one), Some(other)) => *one.min(other),
            (Some(one), None) | (None, Some(one)) => *one,
            (None, None) => break,
        };
        let equal = |values: &[i64], from: usize| values[from..].iter().take_while(|other| **other == value).count();
        let (of_before, of_after) = (equal(before, left), equal(after, right));
        let tied = (of_before + of_after) as f64;
        // Equal values share the mean of their ranks.
        ranks_after += of_after as f64 * (rank + f64::midpoint(tied, 1.0));
        ties += tied * tied * tied - tied;
        rank += tied;
        left += of_before;
        right += of_after;
    }
    let (m, n) = (before.len() as f64, after.len() as f64);
    let total = m + n;
    let wins = ranks_after - n * (n + 1.0) / 2.0;
    let variance = m * n / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return (1.0, false);
    }
    let distance = wins - m * n / 2.0;
    // Half a rank less, because ranks are whole and the normal distribution is not.
    let z = ((distance.abs() - 0.5).max(0.0)) / variance.sqrt();
    let normal = Normal::standard();
    ((2.0 * normal.sf(z)).min(1.0), distance > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: Windows = Windows { before: (Micros(0), Micros(1)), after: (Micros(1), Micros(2)), are_halves: true };

    fn settled(before: &[i64], after: &[i64]) -> Change {
        let mut change = compare(before, after, WINDOWS);
        settle(std::iter::once(&mut change));
        change
    }

    /// As `scipy.stats.mannwhitneyu(method="asymptotic")` gives it.
    #[test]
    fn the_test_is_that_of_the_textbooks() {
        let (p_value, is_longer) = rank_sum(&[1, 2, 3, 4, 5], &[4, 5, 6, 7, 8]);
        assert!((p_value - 0.035_578_8).abs() < 1e-6 && is_longer, "{p_value}");
        assert_eq!(rank_sum(&[5, 5], &[5, 5]), (1.0, false));
    }

    #[test]
    fn a_state_that_takes_twice_as_long_is_slower() {
        let before: Vec<i64> = (0..40).map(|step| 100_000 + step * 1000).collect();
        let after: Vec<i64> = before.iter().map(|duration| duration * 2).collect();
        let change = settled(&before, &after);
        assert_eq!((change.verdict, change.p50_ratio), (Verdict::Slower, Some(2.0)));
        assert_eq!(settled(&after, &before).verdict, Verdict::Faster);
    }

    #[test]
    fn few_durations_claim_nothing() {
        let change = settled(&[1000; 29], &[9000; 500]);
        assert_eq!((change.verdict, change.p_value, change.before.count), (Verdict::TooFew, None, 29));
    }

    #[test]
    fn a_difference_of_a_few_percent_is_not_worth_a_word() {
        let before: Vec<i64> = (0..5000).map(|step| 100_000 + step).collect();
        let after: Vec<i64> = before.iter().map(|duration| duration + 5_000).collect();
        let change = settled(&before, &after);
        assert!(change.p_value < Some(1e-6));
        assert_eq!(change.verdict, Verdict::NoChange);
    }

    #[test]
    fn many_comparisons_need_more_than_one() {
        let before: Vec<i64> = (0..30).map(|step| 1000 + step * 100).collect();
        let after: Vec<i64> = before.iter().map(|duration| duration + 1000).collect();
        let alone = settled(&before, &after);
        let mut many = vec![compare(&before, &after, WINDOWS); 500];
        settle(many.iter_mut());
        assert_eq!((alone.verdict, many[0].verdict), (Verdict::Slower, Verdict::NoChange), "{:?} {:?}", alone.p_value, many[0].p_value);
    }
}

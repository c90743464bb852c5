//! How often, over time: equal bins that are as wide as is easily said, minutes to weeks.

use super::report::Timeline;
use crate::model::Micros;

/// How many bins there are at most: a day by the hour, whenever it begins, and they fit on half a line.
const MOST_BINS: i64 = 25;

const SECOND: i64 = 1_000_000;

/// Widths in seconds.
const WIDTHS: [i64; 16] = [1, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_419_200];

impl Timeline {
    /// Bins from the first moment to the last, beginning at a multiple of their width; none for no moment.
    pub(super) fn between(first: Option<Micros>, last: Option<Micros>) -> Self {
        let (Some(first), Some(last)) = (first, last) else { return Self::default() };
        let last = last.max(first);
        let bins = |width: i64| last.0.div_euclid(width * SECOND) - first.0.div_euclid(width * SECOND) + 1;
        // Beyond 250 years nothing is easily said.
        let fits = WIDTHS.into_iter().find(|width| bins(*width) <= MOST_BINS);
        let width = fits.unwrap_or_else(|| ((last.0.saturating_sub(first.0)) / SECOND / (MOST_BINS - 1)).max(1) + 1);
        let start = first.0.div_euclid(width * SECOND) * width * SECOND;
        Self { start: Some(Micros(start)), bin_seconds: width.unsigned_abs(), bins: usize::try_from(bins(width)).unwrap_or(0) }
    }

    /// How many of these moments fall into each bin; what lies outside counts at the edge.
    pub(super) fn count(&self, moments: impl Iterator<Item = Micros>) -> Vec<u64> {
        let mut counts = vec![0; self.bins];
        let (Some(start), Some(last)) = (self.start, self.bins.checked_sub(1)) else { return counts };
        let width = i64::try_from(self.bin_seconds).unwrap_or(i64::MAX).saturating_mul(SECOND).max(1);
        for moment in moments {
            let at = usize::try_from((moment.0.saturating_sub(start.0)).div_euclid(width)).unwrap_or(0);
            counts[at.min(last)] += 1;
        }
        counts
    }
}

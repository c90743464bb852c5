//! How many failed items a Map Run bears.

use super::DatasetError;

/// `ToleratedFailureCount` and `ToleratedFailurePercentage`; with neither, no item may fail.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tolerance {
    /// How many items may fail.
    pub count: Option<u64>,
    /// Which share of all items may fail, from 0 to 100.
    pub percentage: Option<f64>,
}

impl Tolerance {
    /// Whether so many failed items of so many are too many: more than the count, or a larger share than the percentage.
    pub fn is_exceeded(&self, failed: u64, total: u64) -> bool {
        let by_count = self.count.is_some_and(|count| failed > count);
        #[allow(clippy::cast_precision_loss, reason = "numbers of items are far below 2^53")]
        let by_share = self.percentage.is_some_and(|share| failed as f64 * 100.0 > share * total as f64);
        let by_default = self.count.is_none() && self.percentage.is_none() && failed > 0;
        by_count || by_share || by_default
    }

    /// What the Map Run fails with when it is exceeded.
    pub fn error() -> DatasetError {
        let cause = "The specified tolerated failure threshold was exceeded".to_owned();
        DatasetError::Failed { error: "States.ExceedToleratedFailureThreshold".into(), cause }
    }
}

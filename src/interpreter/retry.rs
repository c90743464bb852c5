//! Whether a failed visit is tried again, and when.
//!
//! The first retrier whose names match decides. Each counts its own uses in the visit; one that is used up ends the retries, even
//! where a later one would match.

use std::time::Duration;

use crate::asl::machine::Retrier;

use super::failure::Failure;
use super::luck::Luck;

/// The longest wait that is counted with, about a thousand years: far beyond any execution, and safe to add to a time.
const LONGEST: f64 = 3.2e10;

/// Position of the retrier that is meant for this failure.
pub fn matching(retriers: &[Retrier], failure: &Failure) -> Option<usize> {
    retriers.iter().position(|retrier| failure.matches(&retrier.error_equals))
}

/// How long to wait before the next attempt; `None` when there is none. `used` counts the uses of each retrier in this visit.
pub fn next_delay(retriers: &[Retrier], failure: &Failure, used: &mut Vec<u64>, luck: &Luck) -> Option<Duration> {
    let position = matching(retriers, failure)?;
    used.resize(retriers.len(), 0);
    let retrier = &retriers[position];
    if used[position] >= retrier.max_attempts {
        return None;
    }
    let longest = delay(retrier, used[position]);
    used[position] += 1;
    Some(if retrier.full_jitter { luck.up_to(longest) } else { longest })
}

/// The wait before a retry, before jitter, when the retrier was used `used` times already.
pub fn delay(retrier: &Retrier, used: u64) -> Duration {
    #[allow(clippy::cast_precision_loss, reason = "seconds far below 2^53")]
    let (interval, longest) = (retrier.interval_seconds as f64, retrier.max_delay_seconds.map_or(LONGEST, |seconds| seconds as f64));
    let grown = interval * retrier.backoff_rate.powi(i32::try_from(used).unwrap_or(i32::MAX));
    // Infinity and NaN (0 times infinity) are cut as well.
    let seconds = if grown < longest.min(LONGEST) { grown } else { longest.min(LONGEST) };
    Duration::from_secs_f64(seconds.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(names: &[&str], interval_seconds: u64, max_attempts: u64) -> Retrier {
        Retrier {
            error_equals: names.iter().map(|&name| name.into()).collect(),
            interval_seconds,
            max_attempts,
            backoff_rate: 2.0,
            max_delay_seconds: None,
            full_jitter: false,
        }
    }

    fn waits(retriers: &[Retrier], errors: &[&str]) -> Vec<Option<u64>> {
        let (luck, mut used) = (Luck::new(1), Vec::new());
        let wait = |error: &&str| next_delay(retriers, &Failure::new(*error, ""), &mut used, &luck).map(|wait| wait.as_secs());
        errors.iter().map(wait).collect()
    }

    #[test]
    fn each_retrier_counts_its_own_uses() {
        let retriers = [retrier(&["A", "B"], 1, 2), retrier(&["C"], 5, 3)];
        assert_eq!(waits(&retriers, &["A", "B", "C", "B"]), [Some(1), Some(2), Some(5), None]);
    }

    #[test]
    fn one_that_is_used_up_leaves_nothing_to_later_ones() {
        let retriers = [retrier(&["A"], 1, 0), retrier(&["States.ALL"], 1, 9)];
        assert_eq!(waits(&retriers, &["A", "B"]), [None, Some(1)]);
    }

    #[test]
    fn waits_grow_to_their_cap_and_never_overflow() {
        let capped = Retrier { max_delay_seconds: Some(10), ..retrier(&["States.ALL"], 3, 9) };
        assert_eq!(waits(&[capped], &["A"; 4]), [Some(3), Some(6), Some(10), Some(10)]);
        let wild = Retrier { backoff_rate: f64::MAX, ..retrier(&["States.ALL"], u64::MAX, u64::MAX) };
        assert!(delay(&wild, u64::MAX) < Duration::from_secs(40_000_000_000));
    }

    #[test]
    fn jitter_takes_from_nothing_to_the_whole_wait() {
        let jittered = Retrier { full_jitter: true, backoff_rate: 1.0, ..retrier(&["States.ALL"], 100, 1_000) };
        let (luck, mut used) = (Luck::new(3), Vec::new());
        let waits: Vec<f64> = (0..200)
            .map(|_| next_delay(std::slice::from_ref(&jittered), &Failure::default(), &mut used, &luck).expect("a retry").as_secs_f64())
            .collect();
        assert!(waits.iter().all(|wait| (0.0..=100.0).contains(wait)));
        assert!(waits.iter().any(|wait| *wait < 20.0) && waits.iter().any(|wait| *wait > 80.0));
    }
}

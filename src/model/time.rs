//! Moments and durations, as the service gives them.
//!
//! The API sends epoch seconds with a fraction, the AWS CLI prints ISO 8601, log records hold epoch milliseconds. All
//! become a [`Timestamp`] in UTC.

use serde::{Serialize, Serializer};

pub use jiff::Timestamp;

/// A moment as tables and questions over many executions hold it: microseconds since 1970-01-01T00:00:00Z.
///
/// The service counts milliseconds, the AWS CLI prints six digits. Serialises as ISO 8601 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Micros(pub i64);

impl Micros {
    /// Milliseconds from `earlier` to this; negative when the clocks disagree.
    #[allow(clippy::cast_precision_loss, reason = "whole microseconds are exact in f64 for 285 years")]
    pub fn milliseconds_since(self, earlier: Self) -> f64 {
        (self.0.saturating_sub(earlier.0)) as f64 / 1000.0
    }

    /// The same moment as a date and time.
    pub fn timestamp(self) -> Timestamp {
        let bounds = |limit: Timestamp| limit.as_microsecond();
        let inside = self.0.clamp(bounds(Timestamp::MIN), bounds(Timestamp::MAX));
        Timestamp::from_microsecond(inside).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl From<Timestamp> for Micros {
    /// Fractions of a microsecond are cut off.
    fn from(moment: Timestamp) -> Self {
        Self(moment.as_microsecond())
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.timestamp().serialize(serializer)
    }
}

/// Reads an ISO 8601 date-time with an offset, as the AWS CLI prints it, or epoch seconds as text.
///
/// Returns `None` when the text is neither.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    text.parse::<f64>().ok().and_then(from_epoch_seconds)
}

/// A moment from epoch seconds with a fraction, to the millisecond: the service's resolution.
///
/// Returns `None` for what is no moment (not finite, or outside the years -9999 to 9999).
pub fn from_epoch_seconds(seconds: f64) -> Option<Timestamp> {
    if !seconds.is_finite() {
        return None;
    }
    let milliseconds = (seconds * 1000.0).round();
    // Both bounds are exact in f64 and far outside what Timestamp takes.
    if milliseconds.abs() > 1e18 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, reason = "bounded on the line above")]
    Timestamp::from_millisecond(milliseconds as i64).ok()
}

/// Milliseconds from `start` to `end`; negative when the clocks disagree.
pub fn milliseconds_between(start: Timestamp, end: Timestamp) -> i64 {
    end.as_millisecond() - start.as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_cli_and_of_the_api_are_one_moment() {
        let cli = parse("2026-01-01T00:00:00.100000+00:00").expect("ISO 8601");
        let local = parse("2026-01-01T01:00:00.100+01:00").expect("ISO 8601 with an offset");
        let api = from_epoch_seconds(1_767_225_600.1).expect("epoch seconds");
        assert_eq!(cli, api);
        assert_eq!(cli, local);
        assert_eq!(parse("1767225600.1"), Some(api));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        assert_eq!(parse("timestamp"), None);
        assert_eq!(from_epoch_seconds(f64::NAN), None);
        assert_eq!(from_epoch_seconds(1e300), None);
    }
}

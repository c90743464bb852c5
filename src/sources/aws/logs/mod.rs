//! CloudWatch Logs: the events of a log group, page by page ([`filter`]) or through queries of Logs Insights ([`insights`]).
//!
//! |                    | FilterLogEvents                            | Logs Insights                                  |
//! |--------------------|--------------------------------------------|------------------------------------------------|
//! | costs              | nothing                                    | by the bytes that are scanned, found or not    |
//! | reads              | pages of 1 MB, some calls a second         | the whole window at once, on the service's side |
//! | gives              | every event, in the order of their times   | at most so many rows a query                   |
//! | Infrequent Access  | refuses                                    | reads                                          |
//!
//! What the events mean is decided elsewhere.

mod filter;
mod group;
mod insights;
mod run;

use std::fmt;

pub use filter::{LogEvent, LogFilter, LogPage, LogPages};
pub use group::{LogClass, LogGroup};
pub use insights::{LogQuery, QueryId, QueryRow, QueryState, QueryStatistics};
pub use run::{MOST_ROWS, QueryProgress, QueryResults, RawRows};

use crate::model::Timestamp;

/// A stretch of time: `from` is in it, `until` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogWindow {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

impl LogWindow {
    /// A window; an end before the beginning makes it empty.
    pub fn new(from: Timestamp, until: Timestamp) -> Self {
        Self { from, until: until.max(from) }
    }

    /// Whether nothing can be in it.
    pub fn is_empty(&self) -> bool {
        self.until <= self.from
    }

    /// Whether a moment is in it.
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.from <= moment && moment < self.until
    }

    /// Both halves, parted at a whole second, since queries know no smaller unit; `None` for a window that has no second inside.
    pub fn halves(&self) -> Option<(Self, Self)> {
        let (from, until) = (self.from.as_second(), self.until.as_millisecond().div_euclid(1_000));
        let middle = Timestamp::from_second(from + (until - from) / 2).ok()?;
        let middle = if middle <= self.from { Timestamp::from_second(from + 1).ok()? } else { middle };
        (self.from < middle && middle < self.until).then(|| (Self::new(self.from, middle), Self::new(middle, self.until)))
    }
}

/// As an error message names it.
impl fmt::Display for LogWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: &str, until: &str) -> LogWindow {
        let at = |text: &str| text.parse().expect("a moment");
        LogWindow::new(at(from), at(until))
    }

    #[test]
    fn halves_are_parted_at_a_whole_second_until_there_is_none() {
        let (first, second) = window("2026-11-20T08:00:00Z", "2026-11-20T08:00:05Z").halves().expect("five seconds");
        assert_eq!(
            (first, second),
            (window("2026-11-20T08:00:00Z", "2026-11-20T08:00:02Z"), window("2026-11-20T08:00:02Z", "2026-11-20T08:00:05Z"))
        );
        let (first, second) = window("2026-11-20T08:00:00.7Z", "2026-11-20T08:00:01.2Z").halves().expect("a second between");
        assert_eq!((first.until, second.from), (second.from, "2026-11-20T08:00:01Z".parse().expect("a moment")));
        assert_eq!(window("2026-11-20T08:00:00Z", "2026-11-20T08:00:01Z").halves(), None);
        assert_eq!(window("2026-11-20T08:00:00.2Z", "2026-11-20T08:00:00.9Z").halves(), None);
        assert_eq!(window("2026-11-20T08:00:00Z", "2026-11-20T07:00:00Z").halves(), None);
    }

    #[test]
    fn the_end_is_not_in_a_window() {
        let window = window("2026-11-20T08:00:00Z", "2026-11-20T08:00:05Z");
        assert!(window.contains(window.from) && !window.contains(window.until) && !window.is_empty());
        assert!(LogWindow::new(window.until, window.from).is_empty());
    }
}

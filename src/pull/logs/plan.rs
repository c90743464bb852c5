//! Which stretches of time are to be read, and in which slices.
//!
//! What is recorded as read is in terms of when executions began. Their records reach further, so more is read than that:
//!
//! ```text
//!          since                                            until         now
//!   ├ lead ┤├──────────── recorded as read ───────────┤├ slack ┤
//!                                       never the last minutes: ├ unsettled ┤
//! ```
//!
//! | before the stretch                  | what is read first                                                   |
//! |-------------------------------------|----------------------------------------------------------------------|
//! | a stretch that was read before      | nothing: what was open at its end was kept                           |
//! | nothing                             | a little more, since clocks differ; what began there is left out     |
//!
//! | after the stretch                   | what is read last                                                    |
//! |-------------------------------------|----------------------------------------------------------------------|
//! | anything, now excepted              | as long as an Express execution can go on, and its records take      |

use crate::model::Timestamp;
use crate::sources::aws::logs::LogWindow;

/// Records may carry times of another clock than the one that `since` was taken from.
const LEAD: i64 = 60;

/// An Express execution takes five minutes at most, and its records are late by some more.
pub const SLACK: i64 = 15 * 60;

/// What is younger is read and stored, and read again the next time: records are late, and later ones may come first.
pub const UNSETTLED: i64 = 15 * 60;

/// Slices of a stretch at least as long as this, in seconds,
const SHORTEST_SLICE: i64 = 10 * 60;
/// and at most as long as this.
const LONGEST_SLICE: i64 = 6 * 3_600;
/// About so many slices make a pull, each of one call at least.
const SLICES: i64 = 48;

/// A stretch of time to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The executions that began in here are wanted.
    pub wanted: LogWindow,
    /// Whether the executions that were open at its beginning were kept.
    pub continues: bool,
    /// In the order of time.
    pub slices: Vec<Slice>,
}

/// A part of a stretch that is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// What is read.
    pub read: LogWindow,
    /// Up to here the stretch is read when this slice is; `None` while it is not settled.
    pub settles: Option<Timestamp>,
}

/// What of a window is left to read, in the order of time, given what was read before (disjoint, in order).
pub fn stretches(window: LogWindow, read_before: &[LogWindow], now: Timestamp) -> Vec<Stretch> {
    let window = LogWindow::new(window.from, window.until.min(now));
    let mut left = Vec::new();
    let mut from = window.from;
    for before in read_before {
        if before.from > from && before.from < window.until {
            left.push(LogWindow::new(from, before.from));
        }
        from = from.max(before.until.min(window.until));
    }
    left.push(LogWindow::new(from, window.until));
    let length = (window.until.as_second() - window.from.as_second()) / SLICES;
    let length = length.clamp(SHORTEST_SLICE, LONGEST_SLICE);
    left.retain(|window| !window.is_empty());
    left.into_iter().map(|wanted| stretch(wanted, read_before, now, length)).collect()
}

fn stretch(wanted: LogWindow, read_before: &[LogWindow], now: Timestamp, length: i64) -> Stretch {
    let continues = read_before.iter().any(|before| before.until == wanted.from);
    let begin = if continues { wanted.from } else { later(wanted.from, -LEAD) };
    let end = later(wanted.until, SLACK).min(now);
    let settled = wanted.until.min(later(now, -UNSETTLED));
    let mut slices = Vec::new();
    let mut from = begin;
    while from < settled {
        let until = later(from, length).min(settled);
        slices.push(Slice { read: LogWindow::new(from, until), settles: (until > wanted.from).then_some(until) });
        from = until;
    }
    if from < end {
        slices.push(Slice { read: LogWindow::new(from, end), settles: None });
    }
    Stretch { wanted, continues, slices }
}

/// A moment some seconds after another.
pub fn later(moment: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::new(moment.as_second().saturating_add(seconds), moment.subsec_nanosecond()).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-20T{text}:00Z").parse().expect("a moment")
    }

    fn window(from: &str, until: &str) -> LogWindow {
        LogWindow::new(at(from), at(until))
    }

    /// What is read, and up to where it settles.
    fn read(stretch: &Stretch) -> (LogWindow, Option<Timestamp>) {
        let (first, last) = (stretch.slices.first().expect("a slice"), stretch.slices.last().expect("a slice"));
        for (slice, next) in stretch.slices.iter().zip(&stretch.slices[1..]) {
            assert_eq!(slice.read.until, next.read.from);
            assert!(slice.settles.is_none_or(|settles| settles == slice.read.until));
        }
        (LogWindow::new(first.read.from, last.read.until), stretch.slices.iter().filter_map(|slice| slice.settles).max())
    }

    #[test]
    fn a_window_is_read_with_some_lead_and_slack_and_in_slices() {
        let all = stretches(window("08:00", "12:00"), &[], at("20:00"));
        let [stretch] = all.as_slice() else { panic!("one stretch, not {all:?}") };
        assert_eq!((stretch.wanted, stretch.continues), (window("08:00", "12:00"), false));
        assert_eq!(read(stretch), (window("07:59", "12:15"), Some(at("12:00"))));
        assert_eq!(stretch.slices.len(), 26);
    }

    #[test]
    fn the_last_minutes_are_read_and_do_not_settle() {
        let all = stretches(window("08:00", "12:00"), &[], at("12:00"));
        assert_eq!(read(&all[0]), (window("07:59", "12:00"), Some(at("11:45"))));
        let young = stretches(window("11:50", "12:00"), &[], at("12:00"));
        assert_eq!(read(&young[0]), (window("11:49", "12:00"), None));
        assert_eq!(stretches(window("12:30", "13:00"), &[], at("12:00")), []);
    }

    #[test]
    fn what_was_read_before_is_not_read_again_but_for_what_reaches_into_it() {
        let before = [window("09:00", "10:00"), window("11:00", "11:30")];
        let all = stretches(window("08:00", "12:00"), &before, at("20:00"));
        let wanted: Vec<_> = all.iter().map(|stretch| (stretch.wanted, stretch.continues)).collect();
        assert_eq!(wanted, [(window("08:00", "09:00"), false), (window("10:00", "11:00"), true), (window("11:30", "12:00"), true)]);
        assert_eq!(read(&all[0]), (window("07:59", "09:15"), Some(at("09:00"))));
        assert_eq!(read(&all[1]), (window("10:00", "11:15"), Some(at("11:00"))));
        assert_eq!(stretches(window("09:10", "09:50"), &before, at("20:00")), []);
        assert_eq!(stretches(window("09:10", "10:50"), &before, at("20:00"))[0].wanted, window("10:00", "10:50"));
        assert_eq!(stretches(window("08:10", "08:50"), &before, at("20:00"))[0].wanted, window("08:10", "08:50"));
    }

    #[test]
    fn ninety_days_are_no_thousands_of_slices() {
        let window = LogWindow::new(later(at("08:00"), -90 * 86_400), at("08:00"));
        let count = stretches(window, &[], at("08:00"))[0].slices.len();
        assert!((300..400).contains(&count), "{count}");
    }
}

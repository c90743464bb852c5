//! Which child runs when, and when the Map Run ends.
//!
//! Children begin in the order of their items, each as soon as fewer than `MaxConcurrency` run. A child's failure counts at the
//! moment of its end. When too many items failed the Map Run ends there and then: what still runs is aborted, what has not begun
//! stays pending. The same happens when the execution around it times out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;

use crate::interpreter::dataset::Tolerance;

/// As many children as the service runs at the same time.
pub(super) const MOST_CONCURRENT: u64 = 10_000;

/// What became of one child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    /// When; `None` when it waits for something that never comes.
    pub(super) stop: Option<Timestamp>,
    /// Whether it ended in any other way than by success.
    pub(super) failed: bool,
}

/// What became of a Map Run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Timeline {
    /// When it ended; `None` when a child never does, or not in time.
    pub(super) end: Option<Timestamp>,
    /// Whether it ended because too many items failed.
    pub(super) exceeded: bool,
    /// Positions of the children that ran at that time.
    pub(super) aborted: Vec<usize>,
}

/// Goes through the children, of which each has so many `items`. `run` runs one of them from a moment on; nothing goes on after `until`.
pub(super) fn timeline<E>(
    items: &[u64],
    start: Timestamp,
    until: Option<Timestamp>,
    max_concurrency: u64,
    tolerance: Tolerance,
    mut run: impl FnMut(usize, Timestamp) -> Result<Ended, E>,
) -> Result<Timeline, E> {
    let slots = if max_concurrency == 0 { MOST_CONCURRENT } else { max_concurrency.min(MOST_CONCURRENT) };
    let total: u64 = items.iter().sum();
    let (mut running, mut endless) = (BinaryHeap::new(), 0);
    let (mut now, mut failed_items, mut next) = (start, 0, 0);
    loop {
        while next < items.len() && ((running.len() + endless) as u64) < slots {
            let ended = run(next, now)?;
            match ended.stop {
                // Never before it began, so that time goes on in one direction.
                Some(stop) => running.push(Reverse((stop.max(now), next, ended.failed))),
                None => endless += 1,
            }
            next += 1;
        }
        let Some(Reverse((stop, position, failed))) = running.pop() else { break };
        if until.is_some_and(|until| stop > until) {
            let aborted = [position].into_iter().chain(running.into_iter().map(|Reverse((_, position, _))| position)).collect();
            return Ok(Timeline { end: None, exceeded: false, aborted });
        }
        now = stop;
        failed_items += if failed { items[position] } else { 0 };
        if tolerance.is_exceeded(failed_items, total) {
            // Who ends at the very same moment has ended.
            let open = running.into_iter().filter(|Reverse((stop, ..))| *stop > now);
            let mut aborted: Vec<usize> = open.map(|Reverse((_, position, _))| position).collect();
            aborted.sort_unstable();
            return Ok(Timeline { end: Some(now), exceeded: true, aborted });
        }
    }
    Ok(Timeline { end: (endless == 0).then_some(now), exceeded: false, aborted: Vec::new() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    /// Children that take so many seconds; a negative number fails after so many, 0 never ends. Gives the starts, too.
    fn story(seconds: &[i64], slots: u64, tolerated: u64) -> (Timeline, Vec<i64>) {
        let mut starts = Vec::new();
        let tolerance = Tolerance { count: Some(tolerated), percentage: None };
        let timeline = timeline(&vec![1; seconds.len()], at(0), None, slots, tolerance, |position, start| {
            starts.push(start.as_second());
            let length = seconds[position];
            let stop = (length != 0).then(|| at(start.as_second() + length.abs()));
            Ok::<_, Infallible>(Ended { stop, failed: length < 0 })
        });
        (timeline.unwrap_or_else(|never| match never {}), starts)
    }

    fn ended(second: i64) -> Timeline {
        Timeline { end: Some(at(second)), exceeded: false, aborted: Vec::new() }
    }

    #[test]
    fn children_begin_as_slots_come_free() {
        assert_eq!(story(&[5, 1, 1, 1], 2, 0), (ended(5), vec![0, 0, 1, 2]));
        assert_eq!(story(&[5, 1, 1], 1, 0), (ended(7), vec![0, 5, 6]));
        assert_eq!(story(&[5, 1, 1], 0, 0), (ended(5), vec![0, 0, 0]));
        assert_eq!(story(&[], 1, 0), (ended(0), vec![]));
    }

    #[test]
    fn too_many_failures_end_it_where_they_happen() {
        let (timeline, starts) = story(&[9, -2, 1, -1, 1, 1], 2, 1);
        assert_eq!(timeline, Timeline { end: Some(at(4)), exceeded: true, aborted: vec![0] });
        assert_eq!(starts, [0, 0, 2, 3]);
        assert_eq!(story(&[9, -2, 1], 2, 1), (ended(9), vec![0, 0, 2]));
        assert_eq!(story(&[-2, 2, 3], 3, 0).0, Timeline { end: Some(at(2)), exceeded: true, aborted: vec![2] });
    }

    #[test]
    fn a_child_that_never_ends_keeps_its_slot() {
        let (timeline, starts) = story(&[0, 1, 1], 2, 0);
        assert_eq!((timeline.end, starts), (None, vec![0, 0, 1]));
        let (timeline, starts) = story(&[0, 1], 1, 0);
        assert_eq!((timeline.end, starts), (None, vec![0]));
    }

    #[test]
    fn a_failed_batch_counts_with_all_its_items() {
        let tolerance = Tolerance { count: None, percentage: Some(30.0) };
        let failing = |_, start| Ok::<_, Infallible>(Ended { stop: Some(start), failed: true });
        let three_of_ten = timeline(&[3], at(0), None, 1, tolerance, failing).unwrap_or_else(|never| match never {});
        assert!(three_of_ten.exceeded);
        let mut first = true;
        let timeline = timeline(&[3, 7], at(0), None, 1, tolerance, |_, start| {
            Ok::<_, Infallible>(Ended { stop: Some(start), failed: std::mem::take(&mut first) })
        });
        assert!(!timeline.unwrap_or_else(|never| match never {}).exceeded);
    }

    #[test]
    fn nothing_goes_on_when_the_execution_has_timed_out() {
        let mut starts = 0;
        let found = timeline(&[1; 4], at(0), Some(at(5)), 2, Tolerance::default(), |position, start| {
            starts += 1;
            let seconds = [5, 2, 4, 1][position];
            Ok::<_, Infallible>(Ended { stop: Some(at(start.as_second() + seconds)), failed: false })
        });
        let found = found.unwrap_or_else(|never| match never {});
        // The first ends just in time and makes room for the last, which begins at the end.
        assert_eq!((found, starts), (Timeline { end: None, exceeded: false, aborted: vec![2, 3] }, 4));
    }
}

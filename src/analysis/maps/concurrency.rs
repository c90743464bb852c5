//! How many children ran at once: a sweep over their starts and ends.
//!
//! Bounded whatever the number of children: moments that fall together are kept once, and where they are still too many they are
//! counted by coarser ticks, which the answer says.

use serde::Serialize;

use crate::model::Timestamp;

/// More moments than this are put together.
const MOST_MOMENTS: usize = 2_000_000;

/// How many children ran at once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Concurrency {
    /// `MaxConcurrency`; null where nothing tells or there is no limit.
    pub limit: Option<u64>,
    /// The most at once.
    pub peak: u64,
    /// When that was first so.
    pub peak_at: Timestamp,
    /// On average, from the first start to the last end.
    pub mean: f64,
    /// Children whose start is known.
    pub children: u64,
    /// How exact the moments are.
    pub resolution_ms: i64,
}

/// Starts and ends.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    /// A tick, and by how many the number of running children changes there.
    changes: Vec<(i64, i64)>,
    resolution: i64,
    most: usize,
    children: u64,
    run_ms: f64,
    first: Option<i64>,
    last: Option<i64>,
}

impl Default for Sweep {
    fn default() -> Self {
        Self { changes: Vec::new(), resolution: 1, most: MOST_MOMENTS, children: 0, run_ms: 0.0, first: None, last: None }
    }
}

impl Sweep {
    /// Takes a child that ran; one without an end still does.
    pub fn add(&mut self, start: Timestamp, stop: Option<Timestamp>) {
        let start = start.as_millisecond();
        let tick = start.div_euclid(self.resolution);
        self.children += 1;
        self.first = Some(self.first.map_or(start, |first| first.min(start)));
        self.changes.push((tick, 1));
        if let Some(stop) = stop {
            let stop = stop.as_millisecond().max(start);
            // What begins and ends in one tick was there.
            self.changes.push((stop.div_euclid(self.resolution).max(tick + 1), -1));
            self.last = Some(self.last.map_or(stop, |last| last.max(stop)));
            #[allow(clippy::cast_precision_loss, reason = "milliseconds of years")]
            let length = (stop - start) as f64;
            self.run_ms += length;
        }
        self.make_room();
    }

    pub fn merge(&mut self, mut other: Self) {
        while self.resolution < other.resolution {
            self.coarsen();
        }
        while other.resolution < self.resolution {
            other.coarsen();
        }
        self.changes.append(&mut other.changes);
        self.children += other.children;
        self.run_ms += other.run_ms;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.make_room();
    }

    fn make_room(&mut self) {
        if self.changes.len() <= self.most {
            return;
        }
        self.compact();
        while self.changes.len() > self.most / 2 && self.resolution < 60_000 {
            self.coarsen();
        }
    }

    fn compact(&mut self) {
        self.changes.sort_unstable();
        self.changes.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        self.changes.retain(|(_, change)| *change != 0);
    }

    fn coarsen(&mut self) {
        self.resolution *= 10;
        for (tick, _) in &mut self.changes {
            *tick = tick.div_euclid(10);
        }
        self.compact();
    }

    /// The answer; `None` where no child is known to have started. Until `now`, if anything still runs, is not known here, so that the
    /// mean is of those that ended.
    pub fn finish(mut self, limit: Option<u64>) -> Option<Concurrency> {
        self.compact();
        let (first, last) = (self.first?, self.last.or(self.first)?);
        let (mut running, mut peak, mut at) = (0_i64, 0_i64, self.first.unwrap_or(first).div_euclid(self.resolution));
        for (tick, change) in &self.changes {
            running += change;
            if running > peak {
                (peak, at) = (running, *tick);
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of years")]
        let length = (last - first).max(1) as f64;
        Some(Concurrency {
            limit: limit.filter(|limit| *limit > 0),
            peak: u64::try_from(peak).unwrap_or(0),
            peak_at: Timestamp::from_millisecond(at.saturating_mul(self.resolution).max(first)).unwrap_or(Timestamp::UNIX_EPOCH),
            mean: self.run_ms / length,
            children: self.children,
            resolution_ms: self.resolution,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_161_600_000 + millisecond).expect("a moment")
    }

    fn sweep(children: &[(i64, i64)]) -> Sweep {
        let mut sweep = Sweep::default();
        for (start, stop) in children {
            sweep.add(at(*start), Some(at(*stop)));
        }
        sweep
    }

    #[test]
    fn the_peak_and_the_mean_of_three_children() {
        let found = sweep(&[(0, 100), (50, 150), (100, 200)]).finish(Some(0)).expect("they ran");
        assert_eq!((found.peak, found.peak_at, found.limit), (2, at(50), None));
        assert!((found.mean - 1.5).abs() < 1e-9);
    }

    #[test]
    fn a_slot_that_is_handed_on_is_one_slot() {
        assert_eq!(sweep(&[(0, 10), (10, 20), (20, 30)]).finish(None).expect("they ran").peak, 1);
    }

    #[test]
    fn a_child_that_took_no_time_was_there() {
        assert_eq!(sweep(&[(5, 5)]).finish(None).expect("it ran").peak, 1);
        assert_eq!(sweep(&[(5, 2)]).finish(None).expect("its clocks disagree").peak, 1);
        assert!(Sweep::default().finish(None).is_none());
    }

    #[test]
    fn more_moments_than_are_kept_are_told_coarser_and_nearly_the_same() {
        let children: Vec<(i64, i64)> = (0..10_000).map(|child| (child * 7, child * 7 + 705)).collect();
        let exact = sweep(&children).finish(None).expect("they ran");
        let mut coarse = Sweep { most: 1_000, ..Sweep::default() };
        for (start, stop) in &children {
            coarse.add(at(*start), Some(at(*stop)));
        }
        assert!(coarse.changes.len() <= 1_002, "{}", coarse.changes.len());
        let coarse = coarse.finish(None).expect("they ran");
        assert_eq!((exact.peak, exact.resolution_ms), (101, 1));
        assert!(coarse.resolution_ms > 1 && coarse.peak.abs_diff(exact.peak) <= 40, "{coarse:?}");
        assert!((coarse.mean - exact.mean).abs() < 1e-9);
    }

    #[test]
    fn parts_of_several_threads_are_one_sweep() {
        let mut one = sweep(&[(0, 100)]);
        one.merge(sweep(&[(50, 150), (60, 70)]));
        assert_eq!(one.finish(None).expect("they ran").peak, 3);
    }
}

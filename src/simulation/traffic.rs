//! When executions start: at random with the rhythm of a day, in bursts, or together by a clock.

use crate::model::Timestamp;

use super::random::{Draw, Key};

const HOUR_MS: f64 = 3_600_000.0;

/// A reason for which executions start.
#[derive(Debug, Clone, Copy)]
pub enum Traffic {
    /// Independent of one another.
    Steady {
        /// At the busiest hour.
        per_hour: f64,
        /// How deep the night is: 0 for none, 1 for no traffic at its middle.
        night: f64,
        /// The busiest hour of the day, in UTC.
        busiest: f64,
    },
    /// Independent of one another, for a while.
    Burst {
        /// When it begins.
        from: Timestamp,
        /// How long it lasts.
        seconds: f64,
        /// How many start.
        count: usize,
    },
    /// By a clock: so many at once, spread over some time.
    Scheduled {
        /// The first moment.
        first: Timestamp,
        /// From one moment to the next.
        every_seconds: i64,
        /// How many start each time.
        count: usize,
        /// Over how long they spread.
        spread_seconds: f64,
    },
}

impl Traffic {
    /// The moments of starts in a window, sorted, in milliseconds since the epoch.
    pub(super) fn starts(&self, key: Key, from: Timestamp, to: Timestamp) -> Vec<i64> {
        let mut draw = key.draw();
        let (from, to) = (from.as_millisecond(), to.as_millisecond());
        let mut starts = match *self {
            Self::Steady { per_hour, night, busiest } => steady(&mut draw, from, to, per_hour, night, busiest),
            Self::Burst { from: begins, seconds, count } => spread(&mut draw, begins.as_millisecond(), seconds, count),
            Self::Scheduled { first, every_seconds, count, spread_seconds } => {
                let mut all = Vec::new();
                let mut at = first.as_millisecond();
                while at < to {
                    all.extend(spread(&mut draw, at, spread_seconds, count));
                    at = at.saturating_add(every_seconds.max(1).saturating_mul(1000));
                }
                all
            }
        };
        starts.retain(|at| (from..to).contains(at));
        starts.sort_unstable();
        starts
    }
}

/// A Poisson process whose rate follows the hour of the day, by thinning (Lewis and Shedler 1979).
fn steady(draw: &mut Draw, from: i64, to: i64, per_hour: f64, night: f64, busiest: f64) -> Vec<i64> {
    let mut starts = Vec::new();
    if per_hour <= 0.0 {
        return starts;
    }
    let mut passed = 0.0;
    loop {
        passed += draw.exponential(HOUR_MS / per_hour);
        let at = from.saturating_add(super::service::whole(passed));
        if at >= to {
            return starts;
        }
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of a day")]
        let hour = at.rem_euclid(86_400_000) as f64 / HOUR_MS;
        let depth = 0.5 - 0.5 * (std::f64::consts::TAU * (hour - busiest) / 24.0).cos();
        if draw.chance(1.0 - night * depth) {
            starts.push(at);
        }
    }
}

fn spread(draw: &mut Draw, from: i64, seconds: f64, count: usize) -> Vec<i64> {
    (0..count).map(|_| from.saturating_add(super::service::whole(draw.between(0.0, seconds * 1000.0)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_rhythm_has_its_rate_by_day_and_less_by_night() {
        let traffic = Traffic::Steady { per_hour: 60.0, night: 1.0, busiest: 12.0 };
        let starts = traffic.starts(Key::new(5), at("2026-03-02T00:00:00Z"), at("2026-03-07T00:00:00Z"));
        let in_hours = |from: i64, to: i64| starts.iter().filter(|at| (from..to).contains(&(**at / 3_600_000).rem_euclid(24))).count();
        let (noon, midnight) = (in_hours(11, 13), in_hours(23, 24) + in_hours(0, 1));
        assert!((480..=680).contains(&noon), "{noon} of about 590 in ten hours");
        assert!(midnight < 40, "{midnight}");
        assert!(starts.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn what_a_clock_starts_comes_together_and_stays_in_the_window() {
        let traffic = Traffic::Scheduled { first: at("2026-03-02T03:00:00Z"), every_seconds: 21_600, count: 5, spread_seconds: 2.0 };
        let starts = traffic.starts(Key::new(5), at("2026-03-02T00:00:00Z"), at("2026-03-02T12:00:00Z"));
        assert_eq!(starts.len(), 10);
        assert!(starts[4] - starts[0] < 2_000 && starts[5] - starts[4] > 21_000_000);
    }
}

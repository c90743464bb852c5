//! Replays the retries of a storm under a policy, many times, with random numbers that are the same each time.
//!
//! What stays as it was seen: when each first call failed, the errors, how likely a call fails at each moment, how long a failing call
//! takes, and what the service takes on top of a wait. What follows from the policy: when each retry comes, and whether one is left.
//! A dependency that fails because too many call at once is not modelled: calmer retries would do better than is told here.

use fastrand::Rng;

use crate::analysis::retry_policy::Retrier;

/// The seed of the first run; each further one has the next. Any number would do.
pub(super) const SEED: u64 = 1;
/// A call that is retried more often is left there: nobody's outage needs more to be told.
const MOST_RETRIES: usize = 1_000;

/// What stays as it was. Times are seconds after the first failure.
#[derive(Debug, Clone, Default)]
pub(super) struct Scene {
    /// The calls that failed first.
    pub calls: Vec<Call>,
    /// How likely calls fail.
    pub failing: Failing,
    /// How long failing calls took; one of them is taken each time.
    pub failing_takes: Vec<f64>,
    /// What the service took on top of waits; one of them is added each time.
    pub overheads: Vec<f64>,
    /// Retries after this are not looked at.
    pub horizon: f64,
}

/// How likely a call fails at a moment: as those did that were seen next to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Failing {
    /// When calls were made, sorted.
    moments: Vec<f64>,
    /// How many of the first n of them failed.
    failed: Vec<u32>,
}

impl Failing {
    /// Calls this far from the nearest one tell as well: what comes together is answered together. Seconds.
    const NEAR: f64 = 0.5;
    /// Fewer calls are no share; then those beside them tell, too.
    const FEWEST: usize = 5;

    /// From calls by time, and whether each failed.
    pub(super) fn new(calls: impl Iterator<Item = (f64, bool)>) -> Self {
        let (mut moments, mut failed) = (Vec::new(), vec![0]);
        for (moment, has_failed) in calls {
            moments.push(moment);
            failed.push(failed.last().copied().unwrap_or(0) + u32::from(has_failed));
        }
        Self { moments, failed }
    }

    /// The share that failed of the calls next to a moment; 1 without any.
    fn at(&self, moment: f64) -> f64 {
        let calls = self.moments.len();
        let after = self.moments.partition_point(|at| *at < moment);
        let Some(nearest) = [after.checked_sub(1), Some(after)]
            .into_iter()
            .flatten()
            .filter_map(|position| self.moments.get(position))
            .min_by(|one, other| (*one - moment).abs().total_cmp(&(*other - moment).abs()))
        else {
            return 1.0;
        };
        let mut from = self.moments.partition_point(|at| *at < nearest - Self::NEAR);
        let mut to = self.moments.partition_point(|at| *at <= nearest + Self::NEAR);
        while to - from < Self::FEWEST.min(calls) {
            let before = from.checked_sub(1).map_or(f64::INFINITY, |position| nearest - self.moments[position]);
            let behind = self.moments.get(to).map_or(f64::INFINITY, |at| at - nearest);
            if before <= behind { from -= 1 } else { to += 1 }
        }
        #[allow(clippy::cast_precision_loss, reason = "counts of calls")]
        let share = f64::from(self.failed[to] - self.failed[from]) / (to - from) as f64;
        share
    }
}

/// A call that failed.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// When.
    pub failed: f64,
    /// Which retrier takes its first error, its second, and so on; the last one repeats.
    pub retriers: Vec<Option<usize>>,
}

/// One run.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    /// When retries came, sorted.
    pub retries: Vec<f64>,
    /// Calls that failed with no retry left.
    pub given_up: usize,
}

impl Scene {
    /// One run under a policy.
    pub(super) fn run(&self, policy: &[Retrier], seed: u64) -> Run {
        let mut rng = Rng::with_seed(seed);
        let mut run = Run::default();
        let mut used = vec![0_u64; policy.len()];
        for call in &self.calls {
            used.fill(0);
            run.given_up += usize::from(!self.retry(call, policy, &mut used, &mut rng, &mut run.retries));
        }
        run.retries.sort_by(f64::total_cmp);
        run
    }

    /// Retries a call until it succeeds; false when it is given up.
    fn retry(&self, call: &Call, policy: &[Retrier], used: &mut [u64], rng: &mut Rng, retries: &mut Vec<f64>) -> bool {
        let mut now = call.failed;
        for failure in 0..MOST_RETRIES {
            let position = failure.min(call.retriers.len().saturating_sub(1));
            let Some(index) = call.retriers.get(position).copied().flatten() else { return false };
            let (Some(retrier), Some(used)) = (policy.get(index), used.get_mut(index)) else { return false };
            if *used >= retrier.max_attempts {
                return false;
            }
            *used += 1;
            let longest = retrier.nominal_delay_seconds(u32::try_from(*used).unwrap_or(u32::MAX));
            now += if retrier.full_jitter { rng.f64() * longest } else { longest };
            now += one_of(&self.overheads, rng);
            if now > self.horizon {
                return true;
            }
            retries.push(now);
            if rng.f64() >= self.failing.at(now) {
                return true;
            }
            now += one_of(&self.failing_takes, rng);
        }
        true
    }
}

fn one_of(values: &[f64], rng: &mut Rng) -> f64 {
    if values.is_empty() { 0.0 } else { values[rng.usize(..values.len())] }
}

/// The most moments within one second, of sorted ones.
pub(super) fn peak(moments: &[f64]) -> usize {
    let (mut first, mut most) = (0, 0);
    for (position, moment) in moments.iter().enumerate() {
        while moments[first] <= moment - 1.0 {
            first += 1;
        }
        most = most.max(position + 1 - first);
    }
    most
}

/// What many runs have in common.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    /// The median of the most retries within one second.
    pub peak: f64,
    /// The mean of calls that were given up.
    pub given_up: f64,
    /// The mean of retries.
    pub retries: f64,
    /// The mean of when the last retry came.
    pub last: f64,
    /// The run whose peak is the median: the earliest.
    pub median_run: u64,
}

/// Runs a policy often.
#[allow(clippy::cast_precision_loss, reason = "counts of calls")]
pub(super) fn simulate(scene: &Scene, policy: &[Retrier], runs: u32) -> Outcome {
    let runs = runs.max(1);
    let mut peaks = Vec::with_capacity(runs as usize);
    let (mut given_up, mut retries, mut last) = (0.0, 0.0, 0.0);
    for number in 0..runs {
        let run = scene.run(policy, SEED + u64::from(number));
        peaks.push((peak(&run.retries), u64::from(number)));
        given_up += run.given_up as f64;
        retries += run.retries.len() as f64;
        last += run.retries.last().copied().unwrap_or(0.0);
    }
    peaks.sort_unstable();
    let (peak, median_run) = peaks[(peaks.len() - 1) / 2];
    let count = f64::from(runs);
    Outcome { peak: peak as f64, given_up: given_up / count, retries: retries / count, last: last / count, median_run: SEED + median_run }
}

/// Fails until a moment, and never after it: calls that were made as long before it as after it.
#[cfg(test)]
pub(super) fn failing_until(moment: f64) -> Failing {
    let calls = |at: f64, failed: bool| std::iter::repeat_n((at, failed), Failing::FEWEST);
    let after = calls(moment + 1.0, false).filter(|(at, _)| at.is_finite());
    Failing::new(calls(if moment.is_finite() { moment - 1.0 } else { 0.0 }, true).chain(after))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact in binary, or rounded to be")]
mod tests {
    use super::*;

    /// A hundred calls that fail at once, and a dependency that is down for a while.
    fn scene(down_until: f64) -> Scene {
        let call = Call { failed: 0.0, retriers: vec![Some(0)] };
        Scene { calls: vec![call; 100], failing: failing_until(down_until), horizon: f64::INFINITY, ..Scene::default() }
    }

    #[test]
    fn a_call_fails_as_those_did_that_were_next_to_it() {
        let calls = (0..10).map(|_| (2.0, true)).chain((0..10).map(|number| (6.0, number < 3))).chain([(9.0, false)]);
        let failing = Failing::new(calls);
        assert_eq!([1.0, 3.9, 4.1, 6.4].map(|moment| failing.at(moment)), [1.0, 1.0, 0.3, 0.3]);
        assert_eq!(failing.at(100.0), 0.0, "one call alone is told with the four before it, which succeeded");
        assert_eq!(Failing::default().at(1.0), 1.0);
        assert_eq!(Failing::new([(f64::MAX, true), (f64::MAX, false)].into_iter()).at(f64::MIN), 0.5);
    }

    fn retrier(interval_seconds: f64, max_attempts: u64, full_jitter: bool) -> Retrier {
        Retrier {
            error_equals: vec!["States.ALL".to_owned()],
            interval_seconds,
            max_attempts,
            backoff_rate: 2.0,
            max_delay_seconds: None,
            full_jitter,
        }
    }

    #[test]
    fn without_jitter_retries_come_as_one() {
        let outcome = simulate(&scene(5.0), &[retrier(2.0, 3, false)], 3);
        assert_eq!((outcome.peak, outcome.given_up, outcome.retries), (100.0, 0.0, 200.0), "2 s: down; 6 s: up");
        assert_eq!(scene(5.0).run(&[retrier(2.0, 3, false)], 1).retries.last(), Some(&6.0));
    }

    #[test]
    fn with_jitter_they_are_spread_evenly() {
        // 100 points, uniform on ten seconds: ten a second expected; the largest second of ten or so sliding ones is about 18.
        let outcome = simulate(&scene(0.0), &[retrier(10.0, 3, true)], 200);
        assert!((14.0..24.0).contains(&outcome.peak), "{outcome:?}");
        let moments = scene(0.0).run(&[retrier(10.0, 3, true)], 7).retries;
        let below = |limit: f64| moments.iter().filter(|moment| **moment < limit).count();
        assert!((35..=65).contains(&below(5.0)), "half of them in the first half: {}", below(5.0));
    }

    #[test]
    fn jitter_alone_can_use_up_the_retries_before_the_end_of_the_outage() {
        let hard = simulate(&scene(5.0), &[retrier(2.0, 2, false)], 50);
        let soft = simulate(&scene(5.0), &[retrier(2.0, 2, true)], 50);
        // U(0, 2) + U(0, 4) >= 5 has probability 1/16.
        assert_eq!(hard.given_up, 0.0);
        assert!((soft.given_up - 93.75).abs() < 2.0, "{soft:?}");
    }

    #[test]
    fn a_peak_is_what_one_second_holds_wherever_it_begins() {
        assert_eq!(peak(&[0.6, 0.9, 1.2, 1.5, 1.6]), 4, "a moment one second later belongs to the next");
        assert_eq!(peak(&[]), 0);
    }

    #[test]
    fn no_policy_ends_the_simulation_late() {
        let endless = Retrier { interval_seconds: 0.0, max_attempts: u64::MAX, ..retrier(0.0, 1, true) };
        let run = scene(f64::INFINITY).run(&[endless], 1);
        assert_eq!((run.retries.len(), run.given_up), (100 * MOST_RETRIES, 0));
        assert_eq!(scene(1.0).run(&[], 1).given_up, 100, "no retrier takes the error");
        assert_eq!(simulate(&Scene::default(), &[], 0).peak, 0.0);
    }
}

//! A token bucket that gives way: the part of the service's bucket that this program may use.
//!
//! The service's own bucket is shared with what the account runs, and cannot be seen. A throttled answer says that it is empty, so
//! ours is emptied, and filled more slowly from then on; with every call that is let through it is filled a little faster again.
//! Growth goes by calls, so that about one call in 180 is throttled where somebody else keeps taking more than is left,
//! however few those calls are; it also goes by time, so that a slow bucket is not slow for hours.
//!
//! What has been saved up is not spent in one moment: should there be less than that in the service's bucket, only the few calls that are
//! on their way are throttled, not as many as are made side by side.
//!
//! Pure arithmetic: the time is given, as what has passed since some beginning.

use std::time::Duration;

use crate::sources::aws::Quota;

/// What is left of the rate after a throttled answer.
const DECREASE: f64 = 0.7;

/// The slowest rate, of the full one.
const SLOWEST: f64 = 0.1;

/// How much the rate grows with a call.
const GROWTH: f64 = 1.0 / 500.0;

/// Seconds in which the rate grows from nothing to the full one at the latest.
const RECOVERY: f64 = 600.0;

/// How much faster than the full rate saved calls are spent at most.
const HASTE: f64 = 10.0;

/// Seconds in which all that can be saved up may be spent nevertheless.
const SPENDING: f64 = 10.0;

/// Calls that may be made in one moment.
const AT_ONCE: f64 = 5.0;

/// The longest wait that is told at once; whoever waits asks again.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Tokens, one for a call.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// What it holds when it is full, and what fills it when nothing was throttled.
    full: Quota,
    /// Below nothing when calls were made before it was known whose they are.
    tokens: f64,
    /// What fills it now.
    rate: f64,
    /// Calls that may be made in this moment, if there are tokens for them.
    at_once: f64,
    /// When `tokens` and `rate` were right.
    at: Duration,
    /// When the rate was lowered last.
    lowered: Option<Duration>,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(full: Quota, now: Duration) -> Self {
        Self { full, tokens: full.bucket, rate: full.refill, at_once: AT_ONCE, at: now, lowered: None }
    }

    /// Takes a token, or says how long it will be until there is one.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        self.fill(now);
        let wait = self.time_for(1.0);
        if wait > Duration::ZERO {
            return Err(wait);
        }
        self.tokens -= 1.0;
        self.at_once -= 1.0;
        self.rate = (self.rate * (1.0 + GROWTH)).min(self.full.refill);
        Ok(())
    }

    /// Slows down because a call was throttled. Calls that were made before it was slowed down last say nothing new.
    pub(super) fn slow_down(&mut self, taken: Duration, now: Duration) {
        self.fill(now);
        self.tokens = self.tokens.min(0.0);
        if self.lowered.is_none_or(|lowered| taken >= lowered) {
            self.rate = (self.rate * DECREASE).max(self.full.refill * SLOWEST);
            self.lowered = Some(now);
        }
    }

    /// Takes over what another bucket of the same kind has lent.
    pub(super) fn absorb(&mut self, mut other: Self, now: Duration) {
        self.fill(now);
        other.fill(now);
        self.tokens -= other.full.bucket - other.tokens;
        self.rate = self.rate.min(other.rate);
        self.lowered = self.lowered.max(other.lowered);
    }

    /// Goes on where an earlier run left off, `age` ago.
    pub(super) fn resume(&mut self, tokens: f64, rate: f64, age: Duration) {
        if !tokens.is_finite() || !rate.is_finite() {
            return;
        }
        let seconds = age.as_secs_f64();
        self.rate = rate.clamp(self.full.refill * SLOWEST, self.full.refill);
        self.tokens = (tokens + self.rate * seconds).min(self.full.bucket);
        self.rate = (self.rate + self.full.refill * seconds / RECOVERY).min(self.full.refill);
    }

    /// How long it takes until so many tokens can have been taken, from the time it was filled last.
    pub(super) fn time_for(&self, tokens: f64) -> Duration {
        let saved = (tokens - self.tokens) / self.rate;
        let seconds = saved.max((tokens - self.at_once) / self.haste()).max(0.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_WAIT)
    }

    /// Calls a second at most, whatever was saved up.
    fn haste(&self) -> f64 {
        (self.full.refill * HASTE).max(self.full.bucket / SPENDING)
    }

    /// What is in it.
    pub(super) fn tokens(&self) -> f64 {
        self.tokens
    }

    /// Tokens a second that fill it now.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Lets the time pass.
    pub(super) fn fill(&mut self, now: Duration) {
        let seconds = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = (self.tokens + self.rate * seconds).min(self.full.bucket);
        self.rate = (self.rate + self.full.refill * seconds / RECOVERY).min(self.full.refill);
        self.at_once = (self.at_once + self.haste() * seconds).min(AT_ONCE);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these numbers come out exactly")]
mod tests {
    use super::*;

    /// Half of the bucket of `GetExecutionHistory`.
    const HALF: Quota = Quota { bucket: 200.0, refill: 10.0 };

    const START: Duration = Duration::ZERO;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// The service's bucket of 400, filled with 20 a second, from which production takes, too.
    struct Service {
        tokens: f64,
        at: f64,
        /// Calls a second of production, which come as they like.
        production: f64,
        next: f64,
        random: fastrand::Rng,
        refused: u32,
    }

    impl Service {
        /// Production has taken its part of the bucket already.
        fn new(production: f64) -> Self {
            let random = fastrand::Rng::with_seed(7);
            Self { tokens: 400.0 * (1.0 - production / 20.0), at: 0.0, production, next: f64::INFINITY, random, refused: 0 }
        }

        fn take(&mut self, now: f64) -> bool {
            self.tokens = (self.tokens + (now - self.at) * 20.0).min(400.0);
            self.at = now;
            let is_there = self.tokens >= 1.0;
            self.tokens -= f64::from(u8::from(is_there));
            is_there
        }

        /// Lets production call until now.
        fn go_on(&mut self, now: f64) {
            if self.production > 0.0 && self.next.is_infinite() {
                self.next = 0.0;
            }
            while self.next <= now {
                let at = self.next;
                self.refused += u32::from(!self.take(at));
                self.next += -self.random.f64().max(f64::MIN_POSITIVE).ln() / self.production;
            }
        }
    }

    /// What came of making so many calls one after the other, throttled ones again.
    struct Outcome {
        /// When each try was made.
        tries: Vec<f64>,
        throttled: u32,
    }

    fn call(service: &mut Service, bucket: &mut Bucket, from: f64, calls: u32) -> Outcome {
        let mut outcome = Outcome { tries: Vec::new(), throttled: 0 };
        let mut now = from;
        let mut done = 0;
        while done < calls {
            if let Err(wait) = bucket.take(seconds(now)) {
                now += wait.as_secs_f64() + 1e-9;
                continue;
            }
            service.go_on(now);
            outcome.tries.push(now);
            if service.take(now) {
                done += 1;
            } else {
                outcome.throttled += 1;
                bucket.slow_down(seconds(now), seconds(now));
            }
        }
        outcome
    }

    /// The most by which any window has more calls than the allowance lets through.
    fn excess(tries: &[f64], allowance: Quota) -> f64 {
        let (mut tokens, mut at, mut excess) = (allowance.bucket, 0.0, 0.0_f64);
        for time in tries {
            tokens = (tokens + (time - at) * allowance.refill).min(allowance.bucket) - 1.0;
            at = *time;
            excess = excess.max(-tokens);
        }
        excess
    }

    #[test]
    fn a_full_bucket_gives_what_it_holds_at_once_and_then_goes_by_its_rate() {
        let mut bucket = Bucket::new(Quota { bucket: 2.0, refill: 4.0 }, START);
        assert_eq!((bucket.take(START), bucket.take(START)), (Ok(()), Ok(())));
        assert_eq!(bucket.take(START), Err(seconds(0.25)));
        assert_eq!(bucket.take(seconds(0.125)), Err(seconds(0.125)));
        assert_eq!(bucket.take(seconds(0.25)), Ok(()));
        // However long nobody calls, it holds no more.
        assert_eq!((bucket.take(seconds(99.0)), bucket.take(seconds(99.0))), (Ok(()), Ok(())));
        assert!(bucket.take(seconds(99.0)).is_err());
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut bucket = Bucket::new(Quota { bucket: 1.0, refill: 1.0 }, seconds(10.0));
        assert_eq!(bucket.take(seconds(10.0)), Ok(()));
        assert_eq!(bucket.take(seconds(3.0)), Err(seconds(1.0)));
        assert_eq!(bucket.take(seconds(11.0)), Ok(()));
    }

    #[test]
    fn what_was_saved_up_is_spent_quickly_and_not_in_one_moment() {
        let mut bucket = Bucket::new(HALF, START);
        assert_eq!((0..9).filter(|_| bucket.take(START).is_ok()).count(), 5);
        assert_eq!(bucket.take(START), Err(seconds(0.01)));
        assert_eq!((0..2_000).filter(|half| bucket.take(seconds(f64::from(*half) / 2_000.0)).is_ok()).count(), 99);
        // One that is filled slowly is spent within ten seconds all the same.
        let mut slow = Bucket::new(Quota { bucket: 100.0, refill: 0.5 }, START);
        assert_eq!((0..1_000).filter(|hundredth| slow.take(seconds(f64::from(*hundredth) / 100.0)).is_ok()).count(), 104);
    }

    #[test]
    fn alone_all_of_the_share_is_used_and_no_more() {
        let mut bucket = Bucket::new(HALF, START);
        let outcome = call(&mut Service::new(0.0), &mut bucket, 0.0, 2_400);
        let allowed = (2_400.0 - 200.0) / 10.0;
        let took = *outcome.tries.last().expect("calls");
        assert!((allowed * 0.99..allowed * 1.01).contains(&took), "{took} s of {allowed} s");
        assert_eq!(outcome.throttled, 0);
        assert!(excess(&outcome.tries, HALF) < 1e-6);
    }

    #[test]
    fn beside_production_on_the_other_half_few_calls_are_throttled() {
        let mut service = Service::new(10.0);
        let mut bucket = Bucket::new(HALF, START);
        let outcome = call(&mut service, &mut bucket, 0.0, 10_000);
        assert!(outcome.throttled < 50, "{} of 10,000", outcome.throttled);
        assert!(service.refused < 50, "production lost {} of about 10,000", service.refused);
        let took = *outcome.tries.last().expect("calls");
        assert!(took < 1.15 * 980.0, "{took} s");
        assert!(excess(&outcome.tries, HALF) < 1e-6);
    }

    #[test]
    fn where_production_leaves_less_than_the_share_calls_give_way() {
        for production in [12.0, 15.0, 18.0] {
            let mut service = Service::new(production);
            let outcome = call(&mut service, &mut Bucket::new(HALF, START), 0.0, 5_000);
            assert!(f64::from(outcome.throttled) < 0.02 * 5_000.0, "{} of 5,000 beside {production} a second", outcome.throttled);
            let took = *outcome.tries.last().expect("calls");
            let left = 5_000.0 / (20.0 - production);
            assert!(took < 1.5 * left, "{took} s, and {left} s would do beside {production} a second");
        }
    }

    #[test]
    fn calls_that_are_throttled_together_slow_it_down_once() {
        let mut bucket = Bucket::new(HALF, START);
        for _ in 0..5 {
            bucket.slow_down(seconds(1.0), seconds(1.1));
        }
        assert!((bucket.rate() - 7.0).abs() < 0.1, "{}", bucket.rate());
        bucket.slow_down(seconds(1.2), seconds(1.3));
        assert!((bucket.rate() - 4.9).abs() < 0.1, "{}", bucket.rate());
        assert!(bucket.tokens() < 1.0, "nothing is left of what was saved up");
    }

    #[test]
    fn it_never_stops_and_is_as_fast_as_before_after_ten_minutes() {
        let mut bucket = Bucket::new(HALF, START);
        for second in 0..100 {
            bucket.slow_down(seconds(f64::from(second)), seconds(f64::from(second)));
        }
        assert!(bucket.rate() >= 1.0, "{}", bucket.rate());
        bucket.fill(seconds(100.0 + RECOVERY));
        assert_eq!(bucket.rate(), 10.0);
    }

    #[test]
    fn what_was_lent_before_the_account_was_known_is_owed() {
        let mut bucket = Bucket::new(HALF, START);
        let mut other = Bucket::new(HALF, START);
        for _ in 0..5 {
            bucket.take(START).expect("a token");
            other.take(START).expect("a token");
        }
        other.slow_down(START, START);
        bucket.absorb(other, START);
        assert_eq!(bucket.tokens(), -5.0, "the other one was emptied");
        assert!((bucket.rate() - 7.0).abs() < 0.1);
        assert!(bucket.take(START).expect_err("in debt") > seconds(0.8));
    }

    #[test]
    fn a_later_run_goes_on_with_what_an_earlier_one_left() {
        let mut bucket = Bucket::new(HALF, START);
        bucket.resume(3.0, 5.0, seconds(2.0));
        assert_eq!((bucket.tokens(), bucket.rate()), (13.0, 5.0 + 10.0 * 2.0 / RECOVERY));
        bucket.resume(3.0, 99.0, seconds(3_600.0));
        assert_eq!((bucket.tokens(), bucket.rate()), (200.0, 10.0));
        bucket.resume(f64::NAN, f64::INFINITY, seconds(1.0));
        assert_eq!((bucket.tokens(), bucket.rate()), (200.0, 10.0));
    }

    #[test]
    fn the_time_for_many_calls_counts_what_is_saved_up() {
        let bucket = Bucket::new(HALF, START);
        assert_eq!(bucket.time_for(2_200.0), seconds(200.0));
        assert_eq!(bucket.time_for(105.0), seconds(1.0), "a hundred a second");
        assert_eq!(bucket.time_for(5.0), START);
        assert_eq!(bucket.time_for(f64::MAX), LONGEST_WAIT);
    }
}

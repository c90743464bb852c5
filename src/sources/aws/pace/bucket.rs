//! A token bucket that gives way: the part of the service's bucket that this program may use.
//!
//! The service's own bucket is shared with what the account runs, and cannot be seen. A throttled answer says that it is empty, so
//! ours is emptied, and filled more slowly from then on; with every call that is let through it is filled a little faster again.
//! Growth goes by calls, so that about one call in 180 is throttled where somebody else keeps taking more than is left,
//! however few those calls are; it also goes by time, so that a slow bucket is not slow for hours.
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
    /// When `tokens` and `rate` were right.
    at: Duration,
    /// When the rate was lowered last.
    lowered: Option<Duration>,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(full: Quota, now: Duration) -> Self {
        Self { full, tokens: full.bucket, rate: full.refill, at: now, lowered: None }
    }

    /// Takes a token, or says how long it will be until there is one.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        self.fill(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            self.rate = (self.rate * (1.0 + GROWTH)).min(self.full.refill);
            return Ok(());
        }
        Err(self.time_for(1.0))
    }

    /// Puts a token back that was taken and not used.
    pub(super) fn give_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.full.bucket);
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
        let seconds = ((tokens - self.tokens) / self.rate).max(0.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_WAIT)
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
        self.at = self.at.max(now);
    }
}

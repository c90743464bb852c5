//! Where calls of one kind queue: first come, first served.
//!
//! Whoever is at the head of the queue waits for the bucket, the others for the head. A caller that goes away leaves the queue as if
//! it had never been there, and a turn that is not used goes back into the bucket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Level;
use super::bucket::Bucket;
use crate::sources::aws::Quota;

/// The queue of one action in one account and region.
#[derive(Debug)]
pub(super) struct Lane {
    /// When time begins, for the bucket.
    beginning: Instant,
    /// Held by the head of the queue.
    head: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bucket: Bucket,
    counts: Counts,
    /// Since when every answer was that calls are throttled, and how many such answers that makes.
    throttling: Option<(Duration, u32)>,
    /// Whether the account turned out to be one that has another lane.
    closed: bool,
}

/// What went through a lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Tries of calls.
    pub(super) calls: u64,
    /// Those that were throttled.
    pub(super) throttled: u64,
    /// Those that failed for a while, and were tried again.
    pub(super) retried: u64,
    /// How long calls stood in the queue, all together.
    pub(super) waited: Duration,
}

/// The right to make one try of one call. Dropped without being used, it is given back.
#[derive(Debug)]
pub(super) struct Turn {
    lane: Arc<Lane>,
    taken: Duration,
    is_used: bool,
}

/// One try of a call that is being made, or was.
#[derive(Debug)]
pub(in crate::sources::aws) struct Try {
    lane: Arc<Lane>,
    taken: Duration,
}

/// How long nothing but throttled answers came, from anybody's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sources::aws) struct Throttling {
    /// Since the first of them.
    pub(in crate::sources::aws) lasts: Duration,
    /// How many.
    pub(in crate::sources::aws) answers: u32,
}

impl Lane {
    pub(super) fn new(allowance: Quota, beginning: Instant) -> Self {
        let bucket = Bucket::new(allowance, beginning.elapsed());
        let state = State { bucket, counts: Counts::default(), throttling: None, closed: false };
        Self { beginning, head: tokio::sync::Mutex::default(), state: Mutex::new(state) }
    }

    /// Waits for a turn; `None` when this lane was closed meanwhile, for another one.
    pub(super) async fn turn(self: &Arc<Self>) -> Option<Turn> {
        let came = self.now();
        let _head = self.head.lock().await;
        loop {
            let wait = {
                let now = self.now();
                let mut state = self.state();
                if state.closed {
                    return None;
                }
                match state.bucket.take(now) {
                    Ok(()) => {
                        state.counts.waited += now.saturating_sub(came);
                        return Some(Turn { lane: Arc::clone(self), taken: now, is_used: false });
                    }
                    Err(wait) => wait,
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Closes the lane for good; returns what it counted and lent.
    pub(super) fn close(&self) -> (Counts, Bucket) {
        let mut state = self.state();
        state.closed = true;
        (std::mem::take(&mut state.counts), state.bucket.clone())
    }

    /// Takes over what a lane that was closed has counted and lent.
    pub(super) fn absorb(&self, (counts, bucket): (Counts, Bucket)) {
        let now = self.now();
        let mut state = self.state();
        state.bucket.absorb(bucket, now);
        state.counts.calls += counts.calls;
        state.counts.throttled += counts.throttled;
        state.counts.retried += counts.retried;
        state.counts.waited += counts.waited;
    }

    /// Goes on where an earlier run left off, `age` ago.
    pub(super) fn resume(&self, level: &Level, age: Duration) {
        self.state().bucket.resume(level.tokens, level.rate, age);
    }

    /// What went through so far, and the bucket as it is now.
    pub(super) fn look(&self) -> (Counts, Bucket) {
        let now = self.now();
        let mut state = self.state();
        state.bucket.fill(now);
        (state.counts, state.bucket.clone())
    }

    fn now(&self) -> Duration {
        self.beginning.elapsed()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The call is made now, whatever becomes of it.
    pub(super) fn spend(mut self) -> Try {
        self.is_used = true;
        self.lane.state().counts.calls += 1;
        Try { lane: Arc::clone(&self.lane), taken: self.taken }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_used {
            self.lane.state().bucket.give_back();
        }
    }
}

impl Try {
    /// The service answered something else than that calls are throttled.
    pub(in crate::sources::aws) fn answered(&self) {
        self.lane.state().throttling = None;
    }

    /// The service throttled the call.
    pub(in crate::sources::aws) fn throttled(&self) -> Throttling {
        let now = self.lane.now();
        let mut state = self.lane.state();
        state.counts.throttled += 1;
        state.bucket.slow_down(self.taken, now);
        let (since, answers) = state.throttling.unwrap_or((now, 0));
        state.throttling = Some((since, answers + 1));
        Throttling { lasts: now.saturating_sub(since), answers: answers + 1 }
    }

    /// The call is about to be tried again because it failed for another reason.
    pub(in crate::sources::aws) fn retried(&self) {
        self.lane.state().counts.retried += 1;
    }
}

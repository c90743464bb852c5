//! Where calls of one kind queue: first come, first served.
//!
//! Whoever is at the head of the queue waits for the bucket, the others for the head. A caller that goes away leaves the queue as if
//! it had never been there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
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
    /// Wakes the head when the lane is closed.
    closing: Notify,
    /// Callers in the queue, and calls without an answer yet.
    busy: AtomicUsize,
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

/// Somebody who queues in a lane or waits for an answer.
#[derive(Debug)]
struct Present(Arc<Lane>);

/// One try of a call that is being made, or was.
#[derive(Debug)]
pub(in crate::sources::aws) struct Try {
    caller: Present,
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
        Self { beginning, head: tokio::sync::Mutex::default(), closing: Notify::new(), busy: AtomicUsize::new(0), state: Mutex::new(state) }
    }

    /// Waits for a turn, which the caller makes use of at once; `None` when this lane was closed meanwhile, for another one.
    pub(super) async fn turn(self: &Arc<Self>) -> Option<Try> {
        let came = self.now();
        let present = Present::new(self);
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
                        state.counts.calls += 1;
                        state.counts.waited += now.saturating_sub(came);
                        drop(state);
                        return Some(Try { caller: present, taken: now });
                    }
                    Err(wait) => wait,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.closing.notified() => {}
            }
        }
    }

    /// Closes the lane for good; returns what it counted and lent.
    pub(super) fn close(&self) -> (Counts, Bucket) {
        let mut state = self.state();
        state.closed = true;
        self.closing.notify_one();
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
        let tokens = if level.was_busy { level.tokens.min(0.0) } else { level.tokens };
        self.state().bucket.resume(tokens, level.rate, age);
    }

    /// Whether somebody queues or waits for an answer.
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
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

impl Present {
    fn new(lane: &Arc<Lane>) -> Self {
        lane.busy.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(lane))
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Try {
    /// The service answered something else than that calls are throttled.
    pub(in crate::sources::aws) fn answered(&self) {
        self.caller.0.state().throttling = None;
    }

    /// The service throttled the call.
    pub(in crate::sources::aws) fn throttled(&self) -> Throttling {
        let now = self.caller.0.now();
        let mut state = self.caller.0.state();
        state.counts.throttled += 1;
        state.bucket.slow_down(self.taken, now);
        let (since, answers) = state.throttling.unwrap_or((now, 0));
        state.throttling = Some((since, answers + 1));
        Throttling { lasts: now.saturating_sub(since), answers: answers + 1 }
    }

    /// The call is about to be tried again because it failed for another reason.
    pub(in crate::sources::aws) fn retried(&self) {
        self.caller.0.state().counts.retried += 1;
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these numbers come out exactly")]
mod tests {
    use std::task::Poll;

    use futures_util::future::join_all;

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
    }

    fn lane(bucket: f64, refill: f64) -> Arc<Lane> {
        Arc::new(Lane::new(Quota { bucket, refill }, Instant::now()))
    }

    /// One call an hour: what is in the bucket is all there is.
    fn slow_lane(bucket: f64) -> Arc<Lane> {
        lane(bucket, 1.0 / 3_600.0)
    }

    /// How many whole calls are in the bucket.
    fn left(lane: &Lane) -> f64 {
        lane.look().1.tokens().round()
    }

    #[test]
    fn turns_are_given_in_the_order_in_which_they_were_asked_for() {
        let order = Mutex::new(Vec::new());
        block_on(async {
            let lane = lane(1.0, 500.0);
            let callers = (0..20).map(|number| {
                let (lane, order) = (Arc::clone(&lane), &order);
                async move {
                    lane.turn().await.expect("open");
                    order.lock().expect("no panic").push(number);
                }
            });
            join_all(callers).await;
            let (counts, _) = lane.look();
            assert_eq!(counts.calls, 20);
            assert!(counts.waited > Duration::from_millis(100), "19 calls waited 2 ms longer each: {:?}", counts.waited);
        });
        assert_eq!(order.into_inner().expect("no panic"), (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn callers_that_go_away_in_the_queue_take_nothing_and_hold_up_nobody() {
        block_on(async {
            let lane = lane(1.0, 20.0);
            lane.turn().await.expect("open").answered();
            let (mut second, mut third, mut fourth) = (Box::pin(lane.turn()), Box::pin(lane.turn()), Box::pin(lane.turn()));
            for caller in [&mut second, &mut third, &mut fourth] {
                assert!(matches!(futures_util::poll!(caller), Poll::Pending));
            }
            assert!(lane.is_busy());
            drop(third);
            drop(second);
            fourth.await.expect("the head of the queue by now").answered();
            assert!(!lane.is_busy());
            assert_eq!(lane.look().0.calls, 2);
            assert_eq!(left(&lane), 0.0);
        });
    }

    #[test]
    fn whoever_queues_in_a_lane_that_closes_is_sent_on_at_once() {
        block_on(async {
            let lane = slow_lane(1.0);
            lane.turn().await.expect("open");
            let waiting = lane.turn();
            let close = async { lane.close() };
            let (turn, (counts, _)) = tokio::join!(waiting, close);
            assert!(turn.is_none());
            assert_eq!(counts.calls, 1);
        });
    }

    #[test]
    fn throttling_lasts_until_another_answer_comes() {
        block_on(async {
            let lane = slow_lane(10.0);
            let turn = lane.turn().await.expect("open");
            assert_eq!(turn.throttled().answers, 1);
            assert_eq!(turn.throttled().answers, 2);
            turn.answered();
            assert_eq!(turn.throttled().answers, 1);
            assert_eq!(lane.look().0.throttled, 3);
        });
    }
}

//! How far a pull is; may be looked at from another thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counts that only grow, and what is in hand.
#[derive(Debug, Default)]
pub struct Progress {
    /// Executions that are to be fetched, as far as listings are read.
    pub wanted: AtomicU64,
    /// Those of them that were fetched or given up.
    pub done: AtomicU64,
    /// State machines that were listed.
    pub machines: AtomicU64,
    in_hand: Mutex<String>,
}

impl Progress {
    /// What is being fetched.
    pub fn in_hand(&self) -> String {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn take_in_hand(&self, what: &str) {
        what.clone_into(&mut self.in_hand.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

//! Retry storms: states in which many executions retry at the same moments.
//!
//! Method: three claims, each reported, all three required: coincidence (waves of retries that chance does not explain), determinism
//! (waits without spread), load (calls multiply).

pub mod loops;
pub mod nested;
pub mod remedy;
mod report;
pub mod resources;
mod seen;
#[cfg(test)]
mod stories;

pub use report::{SCHEMA, Storm, StormEvidence, StormsReport};
pub use seen::{Retry, Seen, Spread, Wave};

use super::finding::NotEnough;
use super::observed::Observed;
use crate::model::Micros;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// By start, then by machine and state.
    pub storms: Vec<Storm>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}

/// Finds the storms up to `now`.
pub fn find(_observed: &Observed, _now: Micros) -> Found {
    Found::default()
}

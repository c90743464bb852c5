//! Visits that wait for somebody: task tokens, activities, jobs and child executions; how long they have waited, how long such waits
//! take, and whether an answer still comes.

mod report;

pub use report::{CallbacksReport, SCHEMA, StuckCallback, WaitEvidence};

use super::finding::NotEnough;
use super::observed::Observed;
use crate::model::Micros;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// By machine, state and age.
    pub stuck: Vec<StuckCallback>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}

/// Judges every open wait as of `now`.
pub fn find(_observed: &Observed, _now: Micros) -> Found {
    Found::default()
}

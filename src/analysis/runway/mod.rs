//! Runway: executions that approach a limit of the service, and when they reach it at this rate.

mod report;

pub use report::{Limit, Runway, RunwayEvidence};

use super::finding::NotEnough;
use super::fleet::Question;
use crate::model::facts::Needs;
use crate::model::{ExecutionFacts, Micros};

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// By machine and limit.
    pub runways: Vec<Runway>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}

/// The fold behind it.
#[derive(Debug, Default)]
pub struct RunwayQuestion {}

impl RunwayQuestion {
    /// Judges what was seen as of `now`.
    pub fn find(self, _now: Micros) -> Found {
        Found::default()
    }
}

impl Question for RunwayQuestion {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn take(&mut self, _facts: &ExecutionFacts<'_>) {}

    fn merge(&mut self, _other: Self) {}
}

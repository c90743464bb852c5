//! Change points: since when a state fails more, is slower, retries more, or fails with an error that was not there before; and the
//! change of version, alias or definition that is nearest.

mod report;

pub use report::{Attribute, ChangeEvidence, ChangePoint, Signal};

use super::finding::NotEnough;
use super::fleet::Question;
use super::observed::Observed;
use crate::model::facts::Needs;
use crate::model::{ExecutionFacts, Micros};

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// By moment, then by machine and state.
    pub changes: Vec<ChangePoint>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}

impl Found {
    /// The second question, about what executions that fail have in common; `None` when there is nothing to explain.
    pub fn attributes(&self) -> Option<Attributes> {
        None
    }

    /// Adds what the second question found.
    pub fn explain(&mut self, _attributes: Attributes) {}
}

/// Finds the change points up to `now`.
pub fn find(_observed: &Observed, _now: Micros) -> Found {
    Found::default()
}

/// Which values of the input go with an error: asked in a second pass, because few errors need it and inputs are most of the bytes.
#[derive(Debug, Clone, Default)]
pub struct Attributes {}

impl Question for Attributes {
    fn needs(&self) -> Needs {
        Needs { visits: true, attempts: true, payloads: true, ..Needs::default() }
    }

    fn take(&mut self, _facts: &ExecutionFacts<'_>) {}

    fn merge(&mut self, _other: Self) {}
}

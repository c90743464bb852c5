//! Runs definitions: the states of the language, in virtual time, with the events that the service would write.
//!
//! Deterministic and without input or output of its own: what a task answers, what an object of S3 holds and which branch goes on
//! first comes from a [`World`]; randomness comes from a seed.

pub mod dataset;
mod distributed;
pub mod mocks;
mod run;
mod world;

pub use run::{Outcome, Run, RunError, RunOptions, run};
pub use world::{
    Attempted, Chance, Child, ExecutionInfo, MapRunAnswer, MapRunOutcome, MapRunRequest, ObjectError, ObjectSummary, Pending, TaskAnswer,
    TaskOutcome, TaskRequest, Unanswered, World,
};

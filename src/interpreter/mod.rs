//! Runs definitions: the states of the language, in virtual time, with the events that the service would write.
//!
//! Deterministic and without input or output of its own: what a task answers, what an object of S3 holds and which branch goes on
//! first comes from a [`World`]; randomness comes from a seed.

pub mod choice;
mod composite;
pub mod context;
pub mod data_flow;
pub mod dataset;
mod distributed;
mod execution;
pub mod failure;
pub mod luck;
pub mod mocks;
mod moment;
mod nested;
mod payload;
mod recorder;
pub mod retry;
mod run;
pub mod settings;
mod task;
pub mod test_state;
mod thread;
pub mod variables;
mod visit;
pub mod wait;
mod world;

pub use payload::{LARGEST, Payload};
pub use run::{Outcome, Run, RunError, RunOptions, run};
pub use world::{
    Attempted, Chance, Child, ExecutionInfo, MapRunAnswer, MapRunOutcome, MapRunRequest, ObjectError, ObjectSummary, Pending, TaskAnswer,
    TaskOutcome, TaskRequest, Unanswered, World,
};

//! Runs one execution to its end.

use std::rc::Rc;

use jiff::Timestamp;
use thiserror::Error;

use super::{ExecutionInfo, Unanswered, World};
use crate::asl::machine::StateMachine;
use crate::model::{ExecutionStatus, History};

/// How to run an execution.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Names, ARNs, Standard or Express.
    pub execution: ExecutionInfo,
    /// The moment of the start; virtual time goes on from there.
    pub start: Timestamp,
    /// For jitter, `States.MathRandom`, `States.UUID` and tokens. The same seed gives the same history.
    pub seed: u64,
    /// How many events the history may have; the service's limit is 25,000.
    pub max_events: u64,
    /// How many states may be entered in all, so that an endless loop ends even when no history is written.
    pub max_states: u64,
    /// Whether a history is written; without, only the outcome is known.
    pub record: bool,
}

/// An execution that was run.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub outcome: Outcome,
    /// Header and events; no events unless they were to be recorded. Holds the definition, too.
    pub history: History,
    /// Executions that it started here: nested ones and children of a Distributed Map.
    pub children: Vec<Run>,
    /// How many states were entered.
    pub states_entered: u64,
}

/// How an execution ended, as `DescribeExecution` says it. `Running` when something is waited for that never comes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct Outcome {
    pub status: ExecutionStatus,
    pub output: Option<Rc<str>>,
    pub error: Option<Rc<str>>,
    pub cause: Option<Rc<str>>,
}

/// Why an execution could not be run to its end. Failures of the execution itself are none of these.
#[derive(Debug, Error)]
pub enum RunError {
    /// The input is no JSON.
    #[error("the input is no JSON: {0}")]
    Input(String),
    /// A task that nothing answers.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// The limit on states was reached.
    #[error("more than {0} states were entered; the definition loops without an end, or the limit is too low (--max-events)")]
    TooManyStates(u64),
}

/// Runs an execution of `machine` with the JSON text `input`.
pub fn run(_machine: &Rc<StateMachine>, _input: &str, _options: &RunOptions, _world: &mut dyn World) -> Result<Run, RunError> {
    Err(RunError::Input("not built".to_owned()))
}

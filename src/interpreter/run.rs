//! Runs one execution to its end.

use std::cell::Cell;
use std::rc::Rc;

use jiff::Timestamp;
use thiserror::Error;

use super::context::ExecutionFacts;
use super::execution::{Bounds, Execution};
use super::luck::Luck;
use super::payload::{LARGEST, Payload};
use super::recorder::{MOST_PAYLOAD_BYTES, Recorder};
use super::{ExecutionInfo, Unanswered, World};
use crate::asl::machine::{BlockNumber, StateMachine};
use crate::model::{ExecutionHeader, ExecutionStatus, History, RawText};

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
    /// The input is larger than the service takes.
    #[error("the input has {0} bytes or is nested too deep; the service takes at most {LARGEST} bytes")]
    LargeInput(usize),
    /// A task that nothing answers.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// The limit on states was reached.
    #[error("more than {0} states were entered; the definition loops without an end, or the limit is too low (--max-events)")]
    TooManyStates(u64),
    /// The histories hold more than there is room for.
    #[error("the histories hold more than {0} bytes of payloads, which is the limit; run it with smaller ones")]
    LargeHistory(usize),
    /// Executions start one another without an end.
    #[error("more than {0} executions started one another in a row")]
    TooDeep(u32),
}

/// Runs an execution of `machine` with the JSON text `input`.
pub fn run(machine: &Rc<StateMachine>, input: &str, options: &RunOptions, world: &mut dyn World) -> Result<Run, RunError> {
    let input = Payload::parse(input).map_err(|error| RunError::Input(error.to_string()))?;
    if !input.fits() {
        return Err(RunError::LargeInput(input.bytes()));
    }
    let bounds = Bounds {
        luck: Luck::with_chance(options.seed, world.chance()),
        states_left: Cell::new(options.max_states),
        max_states: options.max_states,
        max_events: options.max_events,
        record: options.record,
        history_bytes_left: Rc::new(Cell::new(MOST_PAYLOAD_BYTES)),
        depth: Cell::new(0),
    };
    let facts = ExecutionFacts { info: options.execution.clone(), start: options.start, input };
    Execution::new(machine, facts, world, &bounds).run(BlockNumber(0))
}

/// The history of an execution that ended, or stands still.
pub(super) fn history(
    facts: &ExecutionFacts,
    machine: &StateMachine,
    outcome: &Outcome,
    stop: Timestamp,
    recorder: Recorder,
    record: bool,
) -> History {
    let header = ExecutionHeader {
        arn: facts.info.arn.parse().ok(),
        state_machine_arn: facts.info.machine_arn.parse().ok(),
        name: Some(facts.info.name.to_string()),
        status: Some(outcome.status),
        start: Some(facts.start),
        stop: (outcome.status != ExecutionStatus::Running).then_some(stop),
        redrive_count: Some(0),
        ..ExecutionHeader::default()
    };
    if !record {
        return History { header, ..History::default() };
    }
    let header = ExecutionHeader {
        input: Some(facts.input.raw_text()),
        output: outcome.output.as_deref().map(RawText::plain),
        error: outcome.error.as_deref().map(RawText::plain),
        cause: outcome.cause.as_deref().map(RawText::plain),
        ..header
    };
    History { header, events: recorder.into_events(), definition: Some(RawText::plain(&*machine.source)), ..History::default() }
}

//! The report of variants: plain values.

use serde::Serialize;

use super::rows::Row;
use crate::analysis::fleet::Coverage;
use crate::model::{ExecutionStatus, Micros, StateType};

/// Name and version of the report.
pub const SCHEMA: &str = "stepscope.variants/1";
/// Name and version of one variant on a line of its own.
pub const SCHEMA_ROW: &str = "stepscope.variants.row/1";

/// What to report.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The most variants of a state machine; of one variant that was asked for, the most executions.
    pub limit: usize,
    /// Only variants that at least so many executions took.
    pub min: u64,
    /// Which variants come first.
    pub sort: Sort,
    /// Only variants whose executions did not succeed.
    pub failed_only: bool,
    /// Only the variant with this id, with its executions.
    pub variant: Option<String>,
}

/// Which variants come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Those that most executions took.
    #[default]
    Count,
    /// Those that failed most often.
    Failed,
    /// Those that took longest, by the median.
    Duration,
}

/// The answer of `variants`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantsReport {
    /// Name and version of this document.
    pub schema: &'static str,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// Those of most executions first.
    pub machines: Vec<MachineVariants>,
}

/// A variant on a line of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantLine<'a> {
    /// Name and version of this document.
    pub schema: &'static str,
    /// ARN of the state machine; `None` when nothing names it.
    pub state_machine: Option<&'a str>,
    /// The variant.
    #[serde(flatten)]
    pub variant: &'a Variant,
}

impl VariantsReport {
    /// All its variants, each with its state machine.
    pub fn lines(&self) -> impl Iterator<Item = VariantLine<'_>> {
        self.machines.iter().flat_map(|machine| {
            let state_machine = machine.state_machine.as_deref();
            machine.variants.iter().map(move |variant| VariantLine { schema: SCHEMA_ROW, state_machine, variant })
        })
    }
}

/// One state machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachineVariants {
    /// Its ARN; `None` when nothing names it.
    pub state_machine: Option<String>,
    /// Its name; `None` when nothing names it.
    pub name: Option<String>,
    /// How many executions.
    pub executions: u64,
    /// Of them, how many did not succeed.
    pub unsuccessful: u64,
    /// How many different variants they took.
    pub variants_total: u64,
    /// How many of them were left out by the options.
    pub variants_hidden: u64,
    /// How many executions took those.
    pub executions_hidden: u64,
    /// In the order asked for.
    pub variants: Vec<Variant>,
    /// Whether its definition is known: that of the execution which started last.
    pub has_definition: bool,
    /// Whether executions had different definitions.
    pub several_definitions: bool,
    /// All that were visited and, with a definition, all others.
    pub states: Vec<StateCount>,
    /// All that were taken and, with a definition, all others.
    pub edges: Vec<Edge>,
}

/// A way that executions took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variant {
    /// The same whenever and wherever executions take this way.
    pub id: String,
    /// How the executions ended; `None` when nothing tells.
    pub status: Option<ExecutionStatus>,
    /// How many executions took it.
    pub executions: u64,
    /// Of all executions of the state machine, from 0 to 1.
    pub share: f64,
    /// How many of its executions did not succeed.
    pub failed: u64,
    /// Of its executions, from 0 to 1.
    pub failed_share: f64,
    /// How many of its executions were redriven.
    pub redriven: u64,
    /// Retries in all its executions; they are no part of the way.
    pub retries: u64,
    /// Half of its executions took at most so long; `None` when none ended.
    pub p50_ms: Option<f64>,
    /// 95 of 100 of its executions took at most so long.
    pub p95_ms: Option<f64>,
    /// The longest.
    pub max_ms: Option<f64>,
    /// When the first of its executions started.
    pub first_seen: Option<Micros>,
    /// When the last of its executions started.
    pub last_seen: Option<Micros>,
    /// The way, depth first.
    pub rows: Vec<Row>,
    /// Some of its executions, the last first; all, up to the limit, of a variant that was asked for.
    pub samples: Vec<SampleExecution>,
}

/// One execution of a variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleExecution {
    /// Its ARN; for a bare history `unnamed-` and a hash.
    pub execution: String,
    /// Its name; empty for a bare history.
    pub name: String,
    /// `None` when nothing tells.
    pub status: Option<ExecutionStatus>,
    /// When it started.
    pub start: Option<Micros>,
    /// From start to stop; `None` while it runs.
    pub duration_ms: Option<f64>,
    /// The state whose failure started it, by the rule of `why`, when it did not succeed.
    pub root_state: Option<String>,
    /// That failure's error.
    pub root_error: Option<String>,
}

/// A state and what happened in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateCount {
    /// Its name; empty when the histories do not tell it.
    pub state: String,
    /// Where histories or the definition tell.
    pub state_type: Option<StateType>,
    /// The Parallel or Map that holds it; `None` at the top.
    pub within: Option<String>,
    /// Which branch of a Parallel, from 0.
    pub branch: Option<u64>,
    /// How often it was entered.
    pub visits: u64,
    /// By how many executions.
    pub executions: u64,
    /// How many visits failed and nothing caught it.
    pub failed: u64,
    /// How many visits failed and a Catch took it.
    pub caught: u64,
    /// Of its visits, how many failed, caught or not; from 0 to 1, and `None` when there was none.
    pub failed_share: Option<f64>,
    /// Attempts beyond the first.
    pub retries: u64,
    /// From entering to leaving it, on average over the visits that left it.
    pub mean_ms: Option<f64>,
    /// Whether the definition has it; `None` without a definition.
    pub defined: Option<bool>,
}

/// What kind of step an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// From the beginning to the first state.
    Start,
    /// To the next state.
    Next,
    /// To the state to which a Catch leads.
    Catch,
    /// From the last state to the end.
    End,
    /// The state failed, and with it what it was in.
    Fail,
    /// It was stopped there: a sibling failed, somebody stopped it, time ran out.
    Stop,
    /// It stands there: nothing more is known.
    Open,
}

/// From one state to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edge {
    /// `None` for the beginning.
    pub from: Option<String>,
    /// `None` for the end.
    pub to: Option<String>,
    /// The Parallel or Map in which it lies; `None` at the top.
    pub within: Option<String>,
    /// What kind of step.
    pub kind: EdgeKind,
    /// How often it was taken; 0 for one of the definition that never was.
    pub count: u64,
    /// By how many executions.
    pub executions: u64,
    /// How many of those did not succeed.
    pub failed_executions: u64,
    /// Of those executions, from 0 to 1; `None` when there was none.
    pub failed_share: Option<f64>,
    /// Whether executions took it and none of them succeeded or runs.
    pub only_failures: bool,
    /// From leaving the one to entering the other, on average.
    pub mean_ms: Option<f64>,
    /// Half of the times took at most so long.
    pub p50_ms: Option<f64>,
    /// Whether the definition has it; `None` without a definition.
    pub defined: Option<bool>,
    /// Which rules of a Choice lead here: `default`, `rule 2`.
    pub mark: Option<String>,
}

//! The report of `cost`: plain values, and how they serialise.

use std::sync::Arc;

use serde::Serialize;
use serde::ser::SerializeMap;

use super::comparison::Comparison;
use super::prices::Quote;
use crate::analysis::fleet::Coverage;
use crate::model::facts::WorkflowType;
use crate::model::{ExecutionStatus, Micros, Usd};

/// What executions cost.
#[derive(Debug, Serialize)]
pub struct CostReport {
    /// `stepscope.cost/1`.
    pub schema: &'static str,
    /// Which executions.
    pub coverage: Coverage,
    /// In which time they started; null when no execution has a time.
    pub window: Option<Window>,
    /// All of them together.
    pub total: Charge,
    /// What it comes to in a day and a month; null when the time is too short to tell, or not known.
    pub rate: Option<Rate>,
    /// By machine, the dearest first.
    pub machines: Vec<MachineCost>,
    /// By day or hour of their start, in order; those without executions are left out.
    pub periods: Vec<Period>,
    /// How long a period is.
    pub period: PeriodLength,
    /// What belongs to an account and a month: the free tier, tiers of duration.
    pub accounts: Vec<Account>,
    /// Distributed Maps whose children are not among the executions.
    pub not_counted: Vec<NotCounted>,
    /// What the amounts rest on.
    pub basis: Basis,
    /// By execution, sorted by ARN; empty unless they were asked for.
    pub executions: Vec<ExecutionCost>,
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The first moment.
    pub from: Micros,
    /// The last.
    pub to: Micros,
}

/// Transitions and what they cost. Of Express executions the transitions are counted and not charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Charge {
    /// States entered, retries, and steps that a redrive ran again.
    pub transitions: u64,
    /// Of them, attempts beyond the first.
    pub retries: u64,
    /// Of them, states entered in iterations of a polling loop beyond the first.
    pub polling: u64,
    /// Of them, steps that a redrive ran again.
    pub redriven: u64,
    /// Attempts that failed, first ones and retries: what was paid in vain.
    pub failed_attempts: u64,
    /// What is charged.
    pub cost_usd: Usd,
    /// Of it, retries; nothing for Express, where they cost time.
    pub retries_usd: Usd,
    /// Of it, polling.
    pub polling_usd: Usd,
    /// Of it, what a redrive ran again.
    pub redriven_usd: Usd,
    /// What the attempts cost that failed.
    pub failed_attempts_usd: Usd,
}

/// The same for as long as a day and a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// How long the time is on which it rests.
    pub window_seconds: u64,
    /// In 24 hours.
    pub per_day_usd: Usd,
    /// In thirty days, before what is free.
    pub per_month_usd: Usd,
}

/// One state machine.
#[derive(Debug, Serialize)]
pub struct MachineCost {
    /// Its ARN; null for executions of which nothing tells it.
    pub state_machine: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// What it is priced as.
    pub workflow_type: WorkflowType,
    /// Whether nothing told the type.
    pub type_assumed: bool,
    /// How many executions.
    pub executions: u64,
    /// Of them, children of a Distributed Map.
    pub map_children: u64,
    /// What they cost.
    #[serde(flatten)]
    pub charge: Charge,
    /// Of the cost of all machines, in percent.
    pub share_percent: f64,
    /// For one execution.
    pub per_execution_usd: Usd,
    /// In thirty days at this rate; null as `rate` is.
    pub per_month_usd: Option<Usd>,
    /// How an Express machine was billed; null for a Standard one.
    pub express: Option<Express>,
    /// By state, the dearest first.
    pub states: Vec<StateCost>,
    /// The same executions as the other type of workflow.
    pub comparison: Comparison,
}

/// What Express executions are billed by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Express {
    /// Executions.
    pub requests: u64,
    /// Duration times memory.
    #[serde(serialize_with = "as_text")]
    pub gb_seconds: rust_decimal::Decimal,
    /// Executions of which the service told what it billed.
    pub billed_executions: u64,
    /// Executions whose duration was measured, and whose memory was assumed.
    pub estimated_executions: u64,
    /// Executions of which nothing tells how long they took; charged as requests only.
    pub unmeasured_executions: u64,
    /// The memory that was assumed.
    pub memory_mb: u64,
    /// For the requests.
    pub requests_usd: Usd,
    /// For the duration, at the price of the first tier.
    pub duration_usd: Usd,
}

/// One state of a machine.
#[derive(Debug, Serialize)]
pub struct StateCost {
    /// Its name; empty where the history does not tell it.
    pub state: String,
    /// How often it was entered.
    pub visits: u64,
    /// What it costs itself. Of an Express machine: its share of the time.
    #[serde(flatten)]
    pub charge: Charge,
    /// Of the machine's cost, in percent.
    pub share_percent: f64,
    /// Of a Parallel or Map: transitions of the states in it, which are charged to themselves.
    pub inside_transitions: u64,
    /// What those cost.
    pub inside_usd: Usd,
}

/// A day or an hour.
#[derive(Debug, Serialize)]
pub struct Period {
    /// When it begins.
    pub start: Micros,
    /// Executions that started in it.
    pub executions: u64,
    /// What they cost.
    #[serde(flatten)]
    pub charge: Charge,
}

/// How long the periods of a report are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodLength {
    /// From midnight to midnight, UTC.
    Day,
    /// From the full hour.
    Hour,
}

impl PeriodLength {
    pub(super) fn hours(self) -> i64 {
        match self {
            Self::Day => 24,
            Self::Hour => 1,
        }
    }
}

/// An account: what is free, and cheaper in large amounts, is so for an account and a month.
#[derive(Debug, Serialize)]
pub struct Account {
    /// Its number; null for executions of which nothing tells it.
    pub account: Option<String>,
    /// Transitions of its Standard executions.
    pub transitions: u64,
    /// In thirty days at this rate; null as `rate` is.
    pub transitions_per_month: Option<u64>,
    /// How many of them are free.
    pub free_transitions_per_month: u64,
    /// What those would cost; null as `rate` is.
    pub free_usd: Option<Usd>,
    /// What duration beyond the first tier is cheaper; null as `rate` is.
    pub tiers_usd: Option<Usd>,
    /// In thirty days, without what is free and by tiers; null as `rate` is.
    pub per_month_usd: Option<Usd>,
}

/// A Distributed Map whose children are not among the executions.
#[derive(Debug, Serialize)]
pub struct NotCounted {
    /// ARN of the machine.
    pub state_machine: Option<String>,
    /// The Map.
    pub state: String,
    /// How many Map Runs are meant.
    pub map_runs: u64,
}

/// What the amounts rest on.
#[derive(Debug, Serialize)]
pub struct Basis {
    /// `USD`.
    pub currency: &'static str,
    /// When the table of prices was put together.
    pub compiled: String,
    /// The file of `--prices`; null for the table in the program.
    pub file: Option<String>,
    /// The prices that were applied.
    pub prices: Vec<Quote>,
    /// What is not in the amounts.
    pub not_included: [&'static str; 5],
}

/// One execution.
#[derive(Debug)]
pub struct ExecutionCost {
    pub(super) execution: Box<str>,
    pub(super) state_machine: Arc<str>,
    pub(super) status: Option<ExecutionStatus>,
    pub(super) start: Option<Micros>,
    pub(super) states: Box<[(Arc<str>, u64)]>,
    /// What it costs.
    pub charge: Charge,
}

impl ExecutionCost {
    /// Its ARN.
    pub fn execution(&self) -> &str {
        &self.execution
    }
}

/// Begins with the two members that scripts rely on.
impl Serialize for ExecutionCost {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct States<'a>(&'a [(Arc<str>, u64)]);
        impl Serialize for States<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(state, count)| (&**state, count)))
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("execution", &*self.execution)?;
        map.serialize_entry("transitions", &States(&self.states))?;
        map.serialize_entry("state_machine", &(!self.state_machine.is_empty()).then_some(&*self.state_machine))?;
        map.serialize_entry("status", &self.status)?;
        map.serialize_entry("start", &self.start)?;
        map.serialize_entry("total_transitions", &self.charge.transitions)?;
        map.serialize_entry("retries", &self.charge.retries)?;
        map.serialize_entry("polling", &self.charge.polling)?;
        map.serialize_entry("failed_attempts", &self.charge.failed_attempts)?;
        map.serialize_entry("cost_usd", &self.charge.cost_usd)?;
        map.end()
    }
}

fn as_text<S: serde::Serializer>(number: &rust_decimal::Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

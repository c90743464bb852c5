//! What executions cost: transitions per state, retries and polling loops apart, and what the other type of workflow would.
//!
//! [`CostQuestion`] counts (`tally`, `polling`), [`report`](report()) puts prices on the counts (`pricing`, `prices`) and compares
//! (`comparison`). Counts are of events, so a report is of charges only as far as the events are all there; the free tier and
//! tiers of duration belong to an account and a month, and are shown apart.

mod comparison;
mod polling;
mod prices;
mod pricing;
mod report;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use crate::analysis::fleet::Question;
use crate::model::ExecutionFacts;
use crate::model::facts::Needs;

pub use comparison::{Comparison, Condition, ConditionId};
pub use prices::{Item, MemoryTime, Prices, PricesError, Quote};
pub use pricing::{Wanted, percent, report};
pub use report::{
    Account, Basis, Charge, CostReport, ExecutionCost, Express, MachineCost, NotCounted, Period, PeriodLength, Rate, StateCost, Window,
};

use tally::{ExecutionTally, MachineTally};

/// Memory that is assumed of an Express execution, in MB: the least that is billed, and more than most need.
pub const ASSUMED_MEMORY_MB: u64 = 64;

/// How to count.
#[derive(Debug, Clone, Copy)]
pub struct CostSettings {
    /// Of Express executions of which nothing tells what was billed.
    pub memory_mb: u64,
    /// Whether each execution is wanted by itself.
    pub keep_executions: bool,
}

/// Counts what is charged.
#[derive(Debug)]
pub struct CostQuestion {
    settings: CostSettings,
    /// By ARN; empty for executions of which nothing tells the machine.
    machines: HashMap<Arc<str>, MachineTally>,
    executions: Vec<ExecutionTally>,
}

impl CostQuestion {
    /// Nothing counted yet.
    pub fn new(settings: CostSettings) -> Self {
        Self { settings, machines: HashMap::new(), executions: Vec::new() }
    }

    /// Whether no execution was seen.
    pub fn is_empty(&self) -> bool {
        self.machines.is_empty()
    }
}

impl Question for CostQuestion {
    fn needs(&self) -> Needs {
        Needs { visits: true, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        let CostSettings { memory_mb, keep_executions } = self.settings;
        let arn = facts.state_machine.unwrap_or_default();
        let name = self.machines.get_key_value(arn).map_or_else(|| arn.into(), |(known, _)| Arc::clone(known));
        let machine = self.machines.entry(Arc::clone(&name)).or_default();
        let (count, usage, states) = machine.take(facts, memory_mb, keep_executions);
        if keep_executions {
            self.executions.push(ExecutionTally {
                execution: facts.execution.into(),
                state_machine: name,
                status: facts.status,
                start: facts.start,
                count,
                usage,
                states: states.into(),
            });
        }
    }

    fn merge(&mut self, other: Self) {
        for (name, machine) in other.machines {
            self.machines.entry(name).or_default().merge(machine);
        }
        self.executions.extend(other.executions);
    }
}

//! Prices on counts: from what was counted to the report.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rust_decimal::prelude::ToPrimitive;

use super::comparison;
use super::prices::{Item, MemoryTime, Prices};
use super::report::{
    Account, Basis, Charge, CostReport, ExecutionCost, Express, MachineCost, NotCounted, Period, PeriodLength, Rate, StateCost, Window,
};
use super::tally::{Count, ExecutionTally, Hour, MachineTally, StateTally, Usage};
use super::{CostQuestion, CostSettings};
use crate::analysis::fleet::Coverage;
use crate::model::facts::WorkflowType;
use crate::model::{Micros, StateMachineArn, Usd};

const MICROS_IN_SECOND: i64 = 1_000_000;
const SECONDS_IN_DAY: u64 = 86_400;
/// A month is thirty days.
const SECONDS_IN_MONTH: u64 = 30 * SECONDS_IN_DAY;
/// A shorter time tells nothing about a day.
const SHORTEST_FOR_A_RATE: u64 = 3600;

/// What a report is made of beside the counts.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'p> {
    /// The table.
    pub prices: &'p Prices,
    /// From when to when, where the user said it; else from the first start to the last.
    pub window: Option<Window>,
    /// How long periods are.
    pub period: PeriodLength,
}

/// Puts prices on what was counted.
pub fn report(question: CostQuestion, coverage: Coverage, wanted: Wanted<'_>) -> CostReport {
    let Wanted { prices, period, .. } = wanted;
    let seen = || Some(Window { from: coverage.first_start?, to: coverage.last_start? });
    let window = wanted.window.or_else(seen).filter(|window| window.from <= window.to);
    let seconds = window.and_then(|window| u64::try_from((window.to.0 - window.from.0) / MICROS_IN_SECOND).ok());
    let seconds = seconds.filter(|seconds| *seconds >= SHORTEST_FOR_A_RATE);
    let CostQuestion { settings, machines, executions } = question;
    let mut sorted: Vec<(Arc<str>, MachineTally)> = machines.into_iter().collect();
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    let pricing: BTreeMap<Arc<str>, Pricing<'_>> =
        sorted.iter().map(|(arn, machine)| (Arc::clone(arn), Pricing::of(arn, machine, prices))).collect();
    let total = sorted.iter().map(|(arn, machine)| pricing[arn].charge(machine.count, machine.usage)).fold(Charge::default(), Charge::and);
    let mut costs: Vec<MachineCost> =
        sorted.iter().map(|(arn, machine)| machine_cost(arn, machine, &pricing[arn], settings, (&total, seconds))).collect();
    costs.sort_by_key(|machine| Reverse(machine.charge.cost_usd));
    let mut executions: Vec<ExecutionCost> = executions.into_iter().map(|execution| execution_cost(execution, &pricing)).collect();
    executions.sort_by(|one, other| one.execution.cmp(&other.execution));
    CostReport {
        schema: "stepscope.cost/1",
        coverage,
        window,
        total,
        rate: seconds.map(|seconds| Rate {
            window_seconds: seconds,
            per_day_usd: total.cost_usd.share(SECONDS_IN_DAY, seconds),
            per_month_usd: total.cost_usd.share(SECONDS_IN_MONTH, seconds),
        }),
        machines: costs,
        periods: periods(&sorted, &pricing, period),
        period,
        accounts: accounts(&sorted, &pricing, seconds),
        not_counted: not_counted(&sorted),
        basis: basis(&pricing, prices),
        executions,
    }
}

/// How the executions of one machine are priced.
pub(super) struct Pricing<'p> {
    pub(super) prices: &'p Prices,
    pub(super) region: Option<String>,
    account: Option<String>,
    pub(super) workflow_type: WorkflowType,
    pub(super) transition: Usd,
    pub(super) request: Usd,
}

impl<'p> Pricing<'p> {
    fn of(arn: &str, machine: &MachineTally, prices: &'p Prices) -> Self {
        let part = |number: usize| arn.split(':').nth(number).filter(|part| !part.is_empty()).map(str::to_owned);
        let region = part(3);
        Self {
            prices,
            account: part(4),
            workflow_type: machine.workflow_type.unwrap_or(WorkflowType::Standard),
            transition: prices.quote(Item::Transition, region.as_deref()).usd,
            request: prices.quote(Item::Request, region.as_deref()).usd,
            region,
        }
    }

    pub(super) fn duration(&self, time: MemoryTime) -> Usd {
        self.prices.duration_in_first_tier(time, self.region.as_deref())
    }

    fn charge(&self, count: Count, usage: Usage) -> Charge {
        let counted = Charge {
            transitions: count.transitions(),
            retries: count.retries,
            polling: count.polling,
            redriven: count.redriven,
            failed_attempts: count.failed_attempts,
            ..Charge::default()
        };
        match self.workflow_type {
            WorkflowType::Express => Charge { cost_usd: self.request.times(usage.requests) + self.duration(usage.time), ..counted },
            WorkflowType::Standard => Charge {
                cost_usd: self.transition.times(counted.transitions),
                retries_usd: self.transition.times(count.retries),
                polling_usd: self.transition.times(count.polling),
                redriven_usd: self.transition.times(count.redriven),
                failed_attempts_usd: self.transition.times(count.failed_attempts),
                ..counted
            },
        }
    }
}

impl Charge {
    fn and(self, other: Self) -> Self {
        Self {
            transitions: self.transitions + other.transitions,
            retries: self.retries + other.retries,
            polling: self.polling + other.polling,
            redriven: self.redriven + other.redriven,
            failed_attempts: self.failed_attempts + other.failed_attempts,
            cost_usd: self.cost_usd + other.cost_usd,
            retries_usd: self.retries_usd + other.retries_usd,
            polling_usd: self.polling_usd + other.polling_usd,
            redriven_usd: self.redriven_usd + other.redriven_usd,
            failed_attempts_usd: self.failed_attempts_usd + other.failed_attempts_usd,
        }
    }
}

/// In percent, to a tenth; 0 of nothing.
pub fn percent(part: Usd, whole: Usd) -> f64 {
    let share = part.0.checked_div(whole.0).and_then(|share| share.to_f64()).unwrap_or(0.0);
    (share * 1000.0).round() / 10.0
}

fn machine_cost(
    arn: &str,
    machine: &MachineTally,
    pricing: &Pricing<'_>,
    settings: CostSettings,
    (total, seconds): (&Charge, Option<u64>),
) -> MachineCost {
    let charge = pricing.charge(machine.count, machine.usage);
    let executions = machine.usage.requests;
    MachineCost {
        state_machine: (!arn.is_empty()).then(|| arn.to_owned()),
        name: arn.parse::<StateMachineArn>().ok().map(|arn| arn.name().to_owned()),
        region: pricing.region.clone(),
        workflow_type: pricing.workflow_type,
        type_assumed: machine.workflow_type.is_none(),
        executions,
        map_children: machine.map_children,
        share_percent: percent(charge.cost_usd, total.cost_usd),
        per_execution_usd: charge.cost_usd.share(1, executions),
        per_month_usd: seconds.map(|seconds| charge.cost_usd.share(SECONDS_IN_MONTH, seconds)),
        express: (pricing.workflow_type == WorkflowType::Express).then(|| express(machine.usage, pricing, settings.memory_mb)),
        states: states(machine, pricing, &charge),
        comparison: comparison::of(machine, pricing, charge.cost_usd, settings.memory_mb),
        charge,
    }
}

pub(super) fn express(usage: Usage, pricing: &Pricing<'_>, memory_mb: u64) -> Express {
    Express {
        requests: usage.requests,
        gb_seconds: usage.time.gb_seconds(),
        billed_executions: usage.billed,
        estimated_executions: usage.estimated,
        unmeasured_executions: usage.unmeasured(),
        memory_mb,
        requests_usd: pricing.request.times(usage.requests),
        duration_usd: pricing.duration(usage.time),
    }
}

fn states(machine: &MachineTally, pricing: &Pricing<'_>, whole: &Charge) -> Vec<StateCost> {
    let duration = pricing.duration(machine.usage.time);
    let time: u64 = machine.states.values().map(|state| state.leaf_micros).sum();
    let cost = |name: &Arc<str>, state: &StateTally| {
        let mut charge = pricing.charge(state.count, Usage::default());
        let is_express = pricing.workflow_type == WorkflowType::Express;
        if is_express {
            charge.cost_usd = duration.share(state.leaf_micros, time);
        }
        StateCost {
            state: name.to_string(),
            visits: state.visits,
            charge,
            share_percent: percent(charge.cost_usd, whole.cost_usd),
            inside_transitions: state.inside,
            inside_usd: if is_express { Usd::ZERO } else { pricing.transition.times(state.inside) },
        }
    };
    let mut states: Vec<StateCost> = machine.states.iter().map(|(name, state)| cost(name, state)).collect();
    states.sort_by(|one, other| other.charge.cost_usd.cmp(&one.charge.cost_usd).then_with(|| one.state.cmp(&other.state)));
    states
}

fn execution_cost(execution: ExecutionTally, pricing: &BTreeMap<Arc<str>, Pricing<'_>>) -> ExecutionCost {
    let charge = pricing[&execution.state_machine].charge(execution.count, execution.usage);
    let ExecutionTally { execution, state_machine, status, start, states, .. } = execution;
    ExecutionCost { execution, state_machine, status, start, states, charge }
}

fn periods(machines: &[(Arc<str>, MachineTally)], pricing: &BTreeMap<Arc<str>, Pricing<'_>>, length: PeriodLength) -> Vec<Period> {
    let mut found: BTreeMap<i64, (u64, Charge)> = BTreeMap::new();
    for (arn, machine) in machines {
        // Added up by machine before they are priced: a machine has one type and one region.
        let mut of_machine: BTreeMap<i64, Hour> = BTreeMap::new();
        for (hour, amount) in &machine.hours {
            *of_machine.entry(hour.div_euclid(length.hours())).or_default() += *amount;
        }
        for (period, amount) in of_machine {
            let (executions, charge) = found.entry(period).or_default();
            *executions += amount.executions;
            *charge = charge.and(pricing[arn].charge(amount.count, amount.usage));
        }
    }
    let micros = length.hours() * 3600 * MICROS_IN_SECOND;
    found
        .into_iter()
        .map(|(period, (executions, charge))| Period { start: Micros(period.saturating_mul(micros)), executions, charge })
        .collect()
}

fn accounts(machines: &[(Arc<str>, MachineTally)], pricing: &BTreeMap<Arc<str>, Pricing<'_>>, seconds: Option<u64>) -> Vec<Account> {
    #[derive(Default)]
    struct Sum {
        transitions: u64,
        transitions_usd: Usd,
        total: Usd,
        /// Tiers are of a region.
        time: BTreeMap<Option<String>, u64>,
    }
    let mut sums: BTreeMap<Option<String>, Sum> = BTreeMap::new();
    let mut prices = None;
    for (arn, machine) in machines {
        let pricing = &pricing[arn];
        prices = Some(pricing.prices);
        let sum = sums.entry(pricing.account.clone()).or_default();
        let charge = pricing.charge(machine.count, machine.usage);
        sum.total += charge.cost_usd;
        match pricing.workflow_type {
            WorkflowType::Standard => {
                sum.transitions += charge.transitions;
                sum.transitions_usd += charge.cost_usd;
            }
            WorkflowType::Express => *sum.time.entry(pricing.region.clone()).or_default() += machine.usage.time.0,
        }
    }
    let Some(prices) = prices else { return Vec::new() };
    let month = |count: u64| seconds.map(|seconds| scaled(count, seconds));
    sums.into_iter()
        .map(|(account, sum)| {
            let transitions_per_month = month(sum.transitions);
            let free_usd = transitions_per_month
                .map(|transitions| sum.transitions_usd.share(1, sum.transitions).times(transitions.min(prices.free_transitions)));
            let cheaper = |(region, time): (&Option<String>, &u64)| {
                let time = MemoryTime(month(*time)?);
                Some(prices.duration_in_first_tier(time, region.as_deref()) - prices.duration(time, region.as_deref()))
            };
            let tiers_usd = seconds.map(|_| sum.time.iter().filter_map(cheaper).sum());
            let whole = seconds.map(|seconds| sum.total.share(SECONDS_IN_MONTH, seconds));
            let per_month_usd = whole.zip(free_usd).zip(tiers_usd).map(|((whole, free), tiers)| whole - free - tiers);
            Account {
                account,
                transitions: sum.transitions,
                transitions_per_month,
                free_transitions_per_month: prices.free_transitions,
                free_usd,
                tiers_usd,
                per_month_usd,
            }
        })
        .collect()
}

/// What so many in `seconds` are in a month.
fn scaled(count: u64, seconds: u64) -> u64 {
    let product = u128::from(count) * u128::from(SECONDS_IN_MONTH);
    u64::try_from(product / u128::from(seconds.max(1))).unwrap_or(u64::MAX)
}

fn not_counted(machines: &[(Arc<str>, MachineTally)]) -> Vec<NotCounted> {
    let seen: BTreeSet<&str> = machines.iter().flat_map(|(_, machine)| machine.map_runs.iter().map(|run| &**run)).collect();
    let mut found = Vec::new();
    for (arn, machine) in machines {
        let mut states: Vec<(&Arc<str>, u64)> = machine
            .states
            .iter()
            .map(|(name, state)| (name, state.map_runs.iter().filter(|run| !seen.contains(&***run)).count() as u64))
            .filter(|(_, missing)| *missing > 0)
            .collect();
        states.sort();
        let of_machine = |(state, map_runs): (&Arc<str>, u64)| NotCounted {
            state_machine: (!arn.is_empty()).then(|| arn.to_string()),
            state: state.to_string(),
            map_runs,
        };
        found.extend(states.into_iter().map(of_machine));
    }
    found
}

fn basis(pricing: &BTreeMap<Arc<str>, Pricing<'_>>, prices: &Prices) -> Basis {
    let mut applied: BTreeSet<(Option<&str>, Item)> = BTreeSet::new();
    for pricing in pricing.values() {
        // Both types: the comparison needs the prices of the other.
        for item in [Item::Transition, Item::Request, Item::GbHour, Item::LogsGb] {
            applied.insert((pricing.region.as_deref(), item));
        }
    }
    Basis {
        currency: "USD",
        compiled: prices.compiled.clone(),
        file: prices.file.clone(),
        prices: applied.into_iter().map(|(region, item)| prices.quote(item, region)).collect(),
        not_included: ["discounts", "Lambda and other services called", "logs", "traces", "data transfer"],
    }
}

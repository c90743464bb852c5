//! Standard against Express: what the same executions would cost as the other type, and what stands against it.
//!
//! | condition          | for      | blocks | because                                                                |
//! |--------------------|----------|--------|------------------------------------------------------------------------|
//! | `too_long`         | Express  | yes    | an Express execution ends after five minutes, waits and retries included |
//! | `callbacks`        | Express  | yes    | `.waitForTaskToken` is not supported                                   |
//! | `jobs`             | Express  | yes    | `.sync` is not supported                                               |
//! | `child_executions` | Express  | yes    | `.sync` is not supported                                               |
//! | `activities`       | Express  | yes    | Activities are not supported                                           |
//! | `distributed_map`  | Express  | yes    | Distributed Maps are not supported                                     |
//! | `at_least_once`    | Express  | no     | a whole execution may run twice, or start over                         |
//! | `history_in_logs`  | Express  | no     | there is no history but in the logs, which cost more than it all       |
//! | `synchronous_start`| Standard | no     | StartSyncExecution starts Express executions only                      |
//! | `start_rate`       | Standard | no     | Standard executions start and pass states at a lower rate              |

use rust_decimal::Decimal;
use serde::Serialize;

use super::prices::Item;
use super::pricing::{Pricing, express, percent};
use super::report::Express;
use super::tally::{MachineTally, StateTally};
use crate::model::Usd;
use crate::model::facts::{Pattern, WorkflowType};

/// Bytes of a log record of one event with its data, where nobody measured them.
const BYTES_OF_AN_EVENT: u64 = 1200;
/// Names in a sentence.
const NAMED: usize = 3;

/// The same executions as the other type of workflow.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The other type.
    pub workflow_type: WorkflowType,
    /// What they would cost, at list price and without logs.
    pub cost_usd: Usd,
    /// That in percent of what they cost now; null of nothing.
    pub percent_of_present: Option<f64>,
    /// By what they would be billed as Express; null where Standard is the other type.
    pub express: Option<Express>,
    /// What it costs to log all their events at level ALL, estimated from their number.
    pub logs_usd: Usd,
    /// Whether nothing that was seen forbids it.
    pub possible: bool,
    /// What stands against it, or has to be known.
    pub conditions: Vec<Condition>,
    /// All this in a sentence.
    pub verdict: String,
}

/// Something that stands against the other type.
#[derive(Debug, Serialize)]
pub struct Condition {
    /// A name that scripts may rely on.
    pub id: ConditionId,
    /// Whether it forbids the other type.
    pub blocks: bool,
    /// How many executions or states it is about.
    pub count: u64,
    /// Which states, where it is about states.
    pub states: Vec<String>,
    /// A sentence without a full stop.
    pub text: String,
}

/// The conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the table above has them")]
pub enum ConditionId {
    TooLong,
    Callbacks,
    Jobs,
    ChildExecutions,
    Activities,
    DistributedMap,
    AtLeastOnce,
    HistoryInLogs,
    SynchronousStart,
    StartRate,
}

pub(super) fn of(machine: &MachineTally, pricing: &Pricing<'_>, present: Usd, memory_mb: u64) -> Comparison {
    let logs_usd = logs(machine.events, pricing);
    let (workflow_type, cost_usd, billed, conditions) = match pricing.workflow_type {
        WorkflowType::Standard => {
            let billed = express(machine.usage, pricing, memory_mb);
            let cost = billed.requests_usd + billed.duration_usd;
            (WorkflowType::Express, cost, Some(billed), against_express(machine, logs_usd))
        }
        WorkflowType::Express => {
            let cost = pricing.transition.times(machine.count.transitions());
            (WorkflowType::Standard, cost, None, against_standard(machine))
        }
    };
    let possible = !conditions.iter().any(|condition| condition.blocks);
    let mut comparison = Comparison {
        workflow_type,
        cost_usd,
        percent_of_present: (!present.is_zero()).then(|| percent(cost_usd, present)),
        express: billed,
        logs_usd,
        possible,
        conditions,
        verdict: String::new(),
    };
    comparison.verdict = verdict(&comparison, present, machine);
    comparison
}

fn logs(events: u64, pricing: &Pricing<'_>) -> Usd {
    let gigabyte = pricing.prices.quote(Item::LogsGb, pricing.region.as_deref()).usd;
    gigabyte.share(events.saturating_mul(BYTES_OF_AN_EVENT), 1_000_000_000)
}

fn against_express(machine: &MachineTally, logs: Usd) -> Vec<Condition> {
    let mut conditions = Vec::new();
    if machine.over_five_minutes > 0 {
        let text = format!("{} longer than 5 minutes, where Express ends", took(machine.over_five_minutes));
        conditions.push(Condition { id: ConditionId::TooLong, blocks: true, count: machine.over_five_minutes, states: Vec::new(), text });
    }
    let patterns = [
        (ConditionId::Callbacks, Pattern::Callback, "Express cannot wait for a callback, as STATES"),
        (ConditionId::Jobs, Pattern::Job, "Express cannot wait for a job (.sync), as STATES"),
        (ConditionId::ChildExecutions, Pattern::ChildExecution, "Express cannot wait for a child execution (.sync), as STATES"),
        (ConditionId::Activities, Pattern::Activity, "Express has no Activities, as in STATES"),
    ];
    for (id, pattern, what) in patterns {
        about_states(machine, id, true, what, |state| state.patterns.contains(pattern.name()), &mut conditions);
    }
    let distributed = "Express has no Distributed Maps, as STATES";
    about_states(machine, ConditionId::DistributedMap, true, distributed, |state| !state.map_runs.is_empty(), &mut conditions);
    let twice = "an asynchronous Express execution runs at least once: it must do no harm to run STATES twice";
    about_states(machine, ConditionId::AtLeastOnce, false, twice, has_effects, &mut conditions);
    let text = format!("without its logs an Express execution leaves no history; logging every event costs about {} more", logs.shown());
    let count = machine.usage.requests;
    conditions.push(Condition { id: ConditionId::HistoryInLogs, blocks: false, count, states: Vec::new(), text });
    conditions
}

fn against_standard(machine: &MachineTally) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let synchronous = machine.usage.billed;
    if synchronous > 0 {
        let text = format!("{} started with StartSyncExecution, which Standard does not have", were(synchronous));
        conditions.push(Condition { id: ConditionId::SynchronousStart, blocks: true, count: synchronous, states: Vec::new(), text });
    }
    conditions.push(Condition {
        id: ConditionId::StartRate,
        blocks: false,
        count: machine.usage.requests,
        states: Vec::new(),
        text: "Standard executions start, and pass from state to state, at lower rates; each needs a name of its own".to_owned(),
    });
    conditions
}

fn about_states(
    machine: &MachineTally,
    id: ConditionId,
    blocks: bool,
    what: &str,
    is_meant: impl Fn(&StateTally) -> bool,
    conditions: &mut Vec<Condition>,
) {
    let mut states: Vec<String> = machine.states.iter().filter(|(_, state)| is_meant(state)).map(|(name, _)| name.to_string()).collect();
    if states.is_empty() {
        return;
    }
    states.sort();
    let does = if states.len() == 1 { "does" } else { "do" };
    let is = if states.len() == 1 { "is" } else { "are" };
    let names = match what {
        what if what.contains(", as STATES") => format!("{} {}", listed(&states), if what.contains("Maps") { is } else { does }),
        _ => listed(&states),
    };
    let text = what.replace("STATES", &names);
    conditions.push(Condition { id, blocks, count: states.len() as u64, states, text });
}

/// Calls something, and not only to read.
fn has_effects(state: &StateTally) -> bool {
    const READING: [&str; 7] = ["get", "batchget", "list", "describe", "query", "scan", "head"];
    let reads = |resource: &str| {
        let action = resource.rsplit([':', '/']).next().unwrap_or_default().split('.').next().unwrap_or_default().to_ascii_lowercase();
        READING.iter().any(|word| action.starts_with(word)) && !resource.contains(":function:")
    };
    // Who is called is not always told.
    let only_reads = !state.resources.is_empty() && state.resources.iter().all(|resource| reads(resource));
    !state.patterns.is_empty() && !only_reads
}

/// `A`, `A and B`, `A, B, C and 2 others`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        names if names.len() <= NAMED => {
            let (last, before) = names.split_last().map_or((String::new(), &[][..]), |(last, before)| (last.clone(), before));
            format!("{} and {last}", before.join(", "))
        }
        names => {
            let others = names.len() - NAMED;
            format!("{} and {others} other{}", names[..NAMED].join(", "), if others == 1 { "" } else { "s" })
        }
    }
}

fn took(count: u64) -> String {
    if count == 1 { "1 execution took".to_owned() } else { format!("{count} executions took") }
}

fn were(count: u64) -> String {
    if count == 1 { "1 execution was".to_owned() } else { format!("{count} executions were") }
}

fn verdict(comparison: &Comparison, present: Usd, machine: &MachineTally) -> String {
    let other = match comparison.workflow_type {
        WorkflowType::Standard => "Standard",
        WorkflowType::Express => "Express",
    };
    let cost = comparison.cost_usd;
    let compared = match cost.cmp(&present) {
        std::cmp::Ordering::Less => format!("{} less", share(present - cost, present)),
        std::cmp::Ordering::Greater if present.is_zero() => "more".to_owned(),
        std::cmp::Ordering::Greater => format!("{} times as much", times(cost, present)),
        std::cmp::Ordering::Equal => "the same".to_owned(),
    };
    let mut text = format!("as {other} they would cost {} in place of {} ({compared})", cost.shown(), present.shown());
    if comparison.workflow_type == WorkflowType::Express && machine.usage.unmeasured() > 0 {
        let running = machine.usage.unmeasured();
        text.extend([format!(", without the duration of {running} that did not end")]);
    }
    let blocking: Vec<&Condition> = comparison.conditions.iter().filter(|condition| condition.blocks).collect();
    match blocking.as_slice() {
        [] if cost < present && comparison.workflow_type == WorkflowType::Express => {
            let effects = comparison.conditions.iter().any(|condition| condition.id == ConditionId::AtLeastOnce);
            text.push_str(if effects { "; nothing seen forbids it, if its tasks may run twice" } else { "; nothing seen forbids it" });
        }
        [] => {}
        [one] => text.extend([format!(", but that is not possible: {}", one.text)]),
        [one, others @ ..] => {
            let count = others.len();
            let more = if count == 1 { "1 more reason".to_owned() } else { format!("{count} more reasons") };
            text.extend([format!(", but that is not possible: {}, and {more}", one.text)]);
        }
    }
    text
}

fn share(part: Usd, whole: Usd) -> String {
    let percent = percent(part, whole);
    if percent >= 99.95 { "more than 99.9 %".to_owned() } else { format!("{percent:.1} %") }
}

fn times(one: Usd, other: Usd) -> String {
    let ratio = one.0.checked_div(other.0).unwrap_or(Decimal::ZERO);
    if ratio >= Decimal::TEN { ratio.round().to_string() } else { ratio.round_dp(1).to_string() }
}

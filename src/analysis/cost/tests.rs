//! Stories of executions, and what they cost.

use bumpalo::Bump;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::*;
use crate::analysis::facts::{Rebuilt, extract};
use crate::analysis::fleet::Coverage;
use crate::model::builder::{HistoryBuilder, history, milliseconds, minutes, seconds};
use crate::model::{ExecutionArn, History, RawText, Usd};
use crate::rebuild::rebuild;

const SETTINGS: CostSettings = CostSettings { memory_mb: ASSUMED_MEMORY_MB, keep_executions: true };

fn none() -> Value {
    json!({})
}

fn asked(histories: &[History]) -> (CostQuestion, Coverage) {
    let mut question = CostQuestion::new(SETTINGS);
    let mut coverage = Coverage::default();
    for history in histories {
        let path = rebuild(history, None);
        let arena = Bump::new();
        let facts = extract(Rebuilt { history, path: &path, definition: None }, question.needs(), &arena);
        coverage.count(&facts);
        question.take(&facts);
    }
    (question, coverage)
}

fn cost(histories: &[History]) -> CostReport {
    let (question, coverage) = asked(histories);
    report(question, coverage, Wanted { prices: &Prices::built_in(), window: None, period: PeriodLength::Day })
}

fn usd(text: &str) -> Usd {
    Usd(Decimal::from_str_exact(text).expect("an amount"))
}

fn state<'r>(report: &'r CostReport, name: &str) -> &'r StateCost {
    report.machines.iter().flat_map(|machine| &machine.states).find(|state| state.state == name).unwrap_or_else(|| panic!("no {name}"))
}

fn condition(machine: &MachineCost, id: ConditionId) -> Option<&Condition> {
    machine.comparison.conditions.iter().find(|condition| condition.id == id)
}

fn task(cursor: &mut HistoryBuilder, name: &str) {
    cursor.enter_task(name, none()).taking(milliseconds(100)).attempt_succeeded(none()).exit(none());
}

/// A job is looked at so many times, with a Wait before each look.
fn polled(times: usize) -> History {
    let mut told = history("Jobs");
    task(&mut told, "Submit");
    for _ in 0..times {
        told.wait("Pause", none(), seconds(30));
        task(&mut told, "Look");
        told.choice("Done?", none());
    }
    told.execution_succeeded(none()).build()
}

/// As an Express execution, of which the service told what it billed or not.
fn express(name: &str, length_ms: u64, billed: Option<&str>) -> History {
    let mut built =
        history("Fast").named(name).pass("Check", none(), none()).after(milliseconds(length_ms)).execution_succeeded(none()).build();
    built.header.arn =
        Some(format!("arn:aws:states:us-east-1:111111111111:express:Fast:{name}:0").parse::<ExecutionArn>().expect("an ARN"));
    built.header.unknown.extend(billed.map(|details| ("billingDetails".to_owned(), RawText::plain(details))));
    built
}

#[test]
fn states_entered_and_retries_are_charged() {
    let told = history("Orders")
        .pass("Check", none(), none())
        .enter_task("Charge", none())
        .attempt_failed("Busy", None)
        .attempt_failed("Busy", None)
        .attempt_succeeded(none())
        .exit(none())
        .execution_succeeded(none())
        .build();
    let report = cost(&[told]);
    let charge = &state(&report, "Charge").charge;
    assert_eq!((charge.transitions, charge.retries, charge.failed_attempts), (3, 2, 2));
    assert_eq!((charge.cost_usd, charge.retries_usd, charge.failed_attempts_usd), (usd("0.000075"), usd("0.00005"), usd("0.00005")));
    assert_eq!((report.total.transitions, report.total.cost_usd), (4, usd("0.0001")));
}

#[test]
fn a_map_of_five_hundred_items_costs_its_iterations() {
    let mut told = history("Batch");
    told.enter_map("Items", none()).map_started(500);
    for index in 0..500 {
        let mut item = told.iteration(index);
        for name in ["Read", "Change", "Write"] {
            item.pass(name, none(), none());
        }
        item.iteration_succeeded();
    }
    let report = cost(&[told.composite_succeeded().exit(none()).execution_succeeded(none()).build()]);
    assert_eq!((report.total.transitions, report.total.cost_usd), (1501, usd("0.037525")));
    let map = state(&report, "Items");
    assert_eq!((map.charge.transitions, map.inside_transitions, map.inside_usd), (1, 1500, usd("0.0375")));
    assert_eq!((state(&report, "Read").inside_transitions, report.total.polling), (0, 0));
}

#[test]
fn looking_again_is_polling_and_the_first_look_is_not() {
    let report = cost(&[polled(1), polled(4)]);
    let total = &report.total;
    assert_eq!((total.transitions, total.polling), (1 + 3 + 1 + 12, 9));
    assert_eq!(total.polling_usd, usd("0.000225"));
    for name in ["Pause", "Look", "Done?"] {
        assert_eq!((state(&report, name).charge.polling, state(&report, name).charge.transitions), (3, 5), "{name}");
    }
    assert_eq!(state(&report, "Submit").charge.polling, 0);
}

#[test]
fn a_loop_without_a_wait_is_no_polling_and_a_wait_elsewhere_changes_nothing() {
    let mut told = history("Loop");
    told.wait("Before", none(), seconds(1));
    for _ in 0..3 {
        told.pass("Next", none(), none());
    }
    assert_eq!(cost(&[told.execution_succeeded(none()).build()]).total.polling, 0);
    let mut map = history("Map");
    map.enter_map("Each", none()).map_started(2);
    for index in 0..2 {
        map.iteration(index).wait("Pause", none(), seconds(1)).pass("Look", none(), none()).iteration_succeeded();
    }
    let once_each = map.composite_succeeded().exit(none()).execution_succeeded(none()).build();
    assert_eq!(cost(&[once_each]).total.polling, 0);
}

#[test]
fn what_a_redrive_runs_again_is_counted_apart() {
    let told = history("Orders")
        .enter_task("Charge", none())
        .attempt_failed("Busy", None)
        .execution_failed()
        .redriven()
        .attempt_succeeded(none())
        .exit(none())
        .execution_succeeded(none())
        .build();
    let total = cost(&[told]).total;
    assert_eq!((total.transitions, total.retries, total.redriven, total.redriven_usd), (2, 0, 1, usd("0.000025")));
}

#[test]
fn a_rate_needs_an_hour_and_the_free_tier_is_the_accounts() {
    let at = |hour: i64| {
        let mut told = history("Orders");
        let start = told.now() + std::time::Duration::from_secs(u64::try_from(hour).expect("later") * 3600);
        told.named(&format!("run-{hour}")).clock_at(start);
        for number in 0..10 {
            told.pass(&format!("Step {number}"), none(), none());
        }
        told.execution_succeeded(none()).build()
    };
    let short = cost(&[at(0)]);
    assert!(short.rate.is_none() && short.machines[0].per_month_usd.is_none() && short.accounts[0].free_usd.is_none());
    // 25 executions in 24 hours: 250 transitions a day, 7,500 a month, 3,500 beyond what is free.
    let day: Vec<History> = (0..25).map(at).collect();
    let report = cost(&day);
    let rate = report.rate.expect("a day is long enough");
    assert_eq!((rate.per_day_usd, rate.per_month_usd), (usd("0.00625"), usd("0.1875")));
    let account = &report.accounts[0];
    assert_eq!((account.account.as_deref(), account.transitions_per_month), (Some("111111111111"), Some(7500)));
    assert_eq!((account.free_usd, account.per_month_usd), (Some(usd("0.1")), Some(usd("0.0875"))));
    assert_eq!(report.periods.len(), 2);
    assert_eq!(report.periods[0].executions, 24);
}

#[test]
fn express_is_billed_by_requests_and_memory_time() {
    let billed = r#"{"billedDurationInMilliseconds": 300, "billedMemoryUsedInMB": 128}"#;
    let mut open = express("c", 5, None);
    open.events.pop();
    open.header.stop = None;
    open.header.status = None;
    let report = cost(&[express("a", 180, None), express("b", 1, Some(billed)), open]);
    let machine = &report.machines[0];
    let usage = machine.express.as_ref().expect("Express");
    assert_eq!((usage.requests, usage.estimated_executions, usage.billed_executions, usage.unmeasured_executions), (3, 1, 1, 1));
    // 0.2 s × 64 MB, and 0.3 s × 128 MB.
    assert_eq!(usage.gb_seconds, Decimal::new(5, 2));
    assert_eq!(usage.requests_usd, usd("0.000003"));
    assert_eq!(usage.duration_usd, usd("0.06").share(5, 360_000));
    assert_eq!((machine.charge.transitions, machine.charge.retries_usd), (3, Usd::ZERO));
    assert_eq!(machine.comparison.cost_usd, usd("0.000075"));
    let synchronous = condition(machine, ConditionId::SynchronousStart).expect("told");
    assert_eq!((synchronous.count, synchronous.blocks, machine.comparison.possible), (1, true, false));
}

#[test]
fn short_standard_executions_would_be_cheaper_as_express() {
    let mut told = history("Orders");
    task(&mut told, "Charge");
    told.enter_task("Find", none()).calls("aws-sdk:dynamodb", "getItem").attempt_succeeded(none()).exit(none());
    let report = cost(&[told.execution_succeeded(none()).build()]);
    let comparison = &report.machines[0].comparison;
    assert!(comparison.possible && comparison.cost_usd < report.total.cost_usd);
    let twice = condition(&report.machines[0], ConditionId::AtLeastOnce).expect("told");
    assert_eq!(twice.states, ["Charge"], "reading twice does no harm");
    assert!(comparison.verdict.contains("% less"), "{}", comparison.verdict);
    assert!(condition(&report.machines[0], ConditionId::HistoryInLogs).is_some());
}

#[test]
fn what_express_cannot_do_is_said() {
    let mut long = history("Slow");
    long.enter_task("Ask", none()).calls("sqs", "sendMessage.waitForTaskToken").scheduled().started().submitted(none());
    long.after(minutes(6)).succeeded(none()).exit(none());
    long.enter_task("Pack", none()).calls_activity("packers").attempt_succeeded(none()).exit(none());
    let child = "arn:aws:states:us-east-1:111111111111:execution:Child:c".parse().expect("an ARN");
    long.enter_task("Pay", none()).calls("states", "startExecution.sync:2").scheduled().started().submitted_child(&child);
    long.succeeded(none()).exit(none());
    long.enter_task("Build", none()).calls("codebuild", "startBuild.sync").scheduled().started().submitted(none());
    long.succeeded(none()).exit(none());
    let report = cost(&[long.execution_succeeded(none()).build()]);
    let machine = &report.machines[0];
    assert!(!machine.comparison.possible);
    let states = |id| condition(machine, id).map(|condition| condition.states.join(" "));
    assert_eq!(states(ConditionId::Callbacks).as_deref(), Some("Ask"));
    assert_eq!(states(ConditionId::Activities).as_deref(), Some("Pack"));
    assert_eq!(states(ConditionId::ChildExecutions).as_deref(), Some("Pay"));
    assert_eq!(states(ConditionId::Jobs).as_deref(), Some("Build"));
    assert_eq!(condition(machine, ConditionId::TooLong).map(|condition| condition.count), Some(1));
    assert!(machine.comparison.verdict.contains("not possible: 1 execution took longer than 5 minutes"), "{}", machine.comparison.verdict);
}

#[test]
fn children_of_a_distributed_map_are_counted_where_they_are_known() {
    let run = "arn:aws:states:us-east-1:111111111111:mapRun:Orders/Items:1";
    let mut told = history("Orders");
    told.enter_map("Items", none()).map_started(0).map_run_started(run).map_run_succeeded().composite_succeeded().exit(none());
    let parent = told.execution_succeeded(none()).build();
    let report = cost(std::slice::from_ref(&parent));
    assert_eq!(report.total.transitions, 1);
    assert_eq!((report.not_counted[0].state.as_str(), report.not_counted[0].map_runs), ("Items", 1));
    assert!(condition(&report.machines[0], ConditionId::DistributedMap).is_some_and(|condition| condition.blocks));
    let mut child = history("Orders/Items").pass("Change", none(), none()).execution_succeeded(none()).build();
    child.header.map_run_arn = Some(run.to_owned());
    let report = cost(&[parent, child]);
    assert!(report.not_counted.is_empty());
    assert_eq!(report.total.transitions, 2);
    assert_eq!(report.machines.iter().map(|machine| machine.map_children).sum::<u64>(), 1);
}

#[test]
fn a_region_has_its_price_and_an_unknown_one_is_said() {
    let at = |region: &str| history("Orders").in_region(region).pass("Check", none(), none()).execution_succeeded(none()).build();
    let report = cost(&[at("sa-east-1")]);
    assert_eq!(report.total.cost_usd, usd("0.0000375"));
    let report = cost(&[at("mx-central-1")]);
    assert_eq!(report.total.cost_usd, usd("0.000025"));
    let quote = report.basis.prices.iter().find(|quote| quote.item == Item::Transition).expect("applied");
    assert_eq!((quote.region.as_deref(), quote.priced_as.as_str()), (Some("mx-central-1"), "us-east-1"));
}

#[test]
fn the_order_of_executions_and_threads_does_not_matter() {
    let mut histories = vec![polled(2), express("a", 180, None)];
    histories.push(history("Orders").named("b").pass("Check", none(), none()).execution_succeeded(none()).build());
    let whole = serde_json::to_string(&cost(&histories)).expect("JSON");
    histories.reverse();
    let (mut first, coverage) = asked(&histories[..1]);
    let (second, other) = asked(&histories[1..]);
    first.merge(second);
    let mut both = coverage;
    both.merge(&other);
    let report = report(first, both, Wanted { prices: &Prices::built_in(), window: None, period: PeriodLength::Day });
    assert_eq!(serde_json::to_string(&report).expect("JSON"), whole);
    let lines: Vec<&str> = report.executions.iter().map(ExecutionCost::execution).collect();
    assert!(lines.is_sorted());
}

#[test]
fn a_history_that_names_nothing_is_priced_as_standard_and_says_so() {
    let mut bare = history("Orders").pass("Check", none(), none()).execution_succeeded(none()).build();
    bare.header = crate::model::ExecutionHeader::default();
    let report = cost(&[bare, History::default()]);
    let machine = &report.machines[0];
    assert_eq!((machine.state_machine.as_deref(), machine.type_assumed, machine.executions), (None, true, 2));
    assert_eq!((report.total.cost_usd, report.basis.prices[0].priced_as.as_str()), (usd("0.000025"), "us-east-1"));
}

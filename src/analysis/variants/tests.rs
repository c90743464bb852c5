//! Stories of executions, and the ways that are found in them.

use bumpalo::Bump;
use serde_json::json;

use super::*;
use crate::analysis::facts::{Rebuilt, extract};
use crate::analysis::fleet::Coverage;
use crate::asl::Definition;
use crate::model::builder::{HistoryBuilder, history, seconds};
use crate::model::path::VisitOutcome;
use crate::rebuild::rebuild;

fn ask(stories: &[HistoryBuilder]) -> Variants {
    let mut question = Variants::new(None);
    for story in stories {
        let built = story.build();
        let definition = built.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
        let path = rebuild(&built, definition.as_ref());
        let arena = Bump::new();
        let rebuilt = Rebuilt { history: &built, path: &path, definition: definition.as_ref() };
        question.take(&extract(rebuilt, question.needs(), &arena));
    }
    question
}

fn options() -> Options {
    Options { limit: 100, ..Options::default() }
}

fn machine(stories: &[HistoryBuilder]) -> MachineVariants {
    report(&ask(stories), Coverage::default(), &options()).machines.swap_remove(0)
}

/// The rows of a variant in short: `Check`, `! Charge`, `1-3x`, `[0`, `{2x`.
fn way(variant: &Variant) -> String {
    let row = |row: &Row| match &row.kind {
        RowKind::Step { state, outcome: VisitOutcome::Succeeded, .. } => state.clone(),
        RowKind::Step { state, outcome, .. } => format!("{outcome:?} {state}"),
        RowKind::Loop { turns_min, turns_max } => format!("({turns_min}-{turns_max}x"),
        RowKind::Branch { index } => format!("[{index}"),
        RowKind::Iterations { iterations } => format!("{{{iterations}x"),
        RowKind::More { rows } => format!("{rows} more"),
    };
    variant.rows.iter().map(|entry| format!("{}{}", ".".repeat(entry.depth as usize), row(entry))).collect::<Vec<_>>().join(" ")
}

fn ways(machine: &MachineVariants) -> Vec<(u64, String)> {
    machine.variants.iter().map(|variant| (variant.executions, way(variant))).collect()
}

fn edge<'a>(machine: &'a MachineVariants, from: Option<&str>, to: Option<&str>) -> &'a Edge {
    let found = machine.edges.iter().find(|edge| edge.from.as_deref() == from && edge.to.as_deref() == to);
    found.unwrap_or_else(|| panic!("no edge from {from:?} to {to:?}"))
}

fn polled(turns: usize) -> HistoryBuilder {
    let mut orders = history("Orders");
    orders.named(&format!("polled-{turns}")).pass("Start", json!({}), json!({}));
    for _ in 0..turns {
        orders.wait("Pause", json!({}), seconds(30)).choice("Done?", json!({}));
    }
    orders.pass("End", json!({}), json!({})).execution_succeeded(json!({}));
    orders
}

fn charged(failures: usize) -> HistoryBuilder {
    let mut orders = history("Orders");
    orders.enter_task("Charge", json!({}));
    for _ in 0..failures {
        orders.attempt_failed("Declined", None).after(seconds(1));
    }
    orders.attempt_succeeded(json!({})).exit(json!({})).pass("Ship", json!({}), json!({})).execution_succeeded(json!({}));
    orders
}

#[test]
fn executions_that_polled_more_or_less_often_took_one_way() {
    let machine = machine(&[polled(1), polled(3), polled(7)]);
    assert_eq!(ways(&machine), [(3, "Start (1-7x .Pause .Done? End".to_owned())]);
    assert_eq!(edge(&machine, Some("Done?"), Some("Pause")).count, 8);
    assert_eq!(machine.variants[0].max_ms, Some(210_000.0));
}

#[test]
fn retries_are_counted_and_make_no_other_way() {
    let machine = machine(&[charged(0), charged(3)]);
    assert_eq!(ways(&machine), [(2, "Charge Ship".to_owned())]);
    assert_eq!(machine.variants[0].retries, 3);
}

#[test]
fn branches_are_told_in_their_order_whatever_came_first() {
    let told = |left_first: bool| {
        let mut orders = history("Orders");
        orders.enter_parallel("Both", json!({})).parallel_started();
        let (mut left, mut right) = (orders.branch(), orders.branch());
        for step in ["One", "Two"] {
            for side in if left_first { [true, false] } else { [false, true] } {
                let branch = if side { &mut left } else { &mut right };
                branch.pass(&format!("{step}{}", if side { "L" } else { "R" }), json!({}), json!({}));
            }
        }
        left.branch_succeeded();
        right.branch_succeeded();
        orders.composite_succeeded().exit(json!([])).execution_succeeded(json!([]));
        orders
    };
    let found = ways(&machine(&[told(true), told(false)]));
    assert_eq!(found.len(), 1, "{found:?}");
    let (one, other) = ("..OneL ..TwoL", "..OneR ..TwoR");
    let either = [format!("Both .[0 {one} .[1 {other}"), format!("Both .[0 {other} .[1 {one}")];
    assert!(either.contains(&found[0].1), "{found:?}");
}

#[test]
fn iterations_that_went_alike_are_told_once() {
    let told = |count: u64| {
        let mut orders = history("Orders");
        orders.enter_map("Each", json!([])).map_started(count);
        for index in 0..count {
            let mut iteration = orders.iteration(index);
            iteration.enter_task("Call", json!(index));
            if index == 1 {
                iteration.attempt_failed("Broken", None).caught(json!({})).pass("Skip", json!({}), json!({}));
            } else {
                iteration.attempt_succeeded(json!(index)).exit(json!(index));
            }
            iteration.iteration_succeeded();
        }
        orders.composite_succeeded().exit(json!([])).execution_succeeded(json!([]));
        orders
    };
    let machine = machine(&[told(5), told(9)]);
    assert_eq!(ways(&machine), [(2, "Each .{12x ..Call .{2x ..Caught Call ..Skip".to_owned())]);
    let caught = edge(&machine, Some("Call"), Some("Skip"));
    assert_eq!((caught.kind, caught.count, caught.executions, caught.within.as_deref()), (EdgeKind::Catch, 2, 2, Some("Each")));
    assert_eq!(edge(&machine, None, Some("Call")).count, 14);
}

#[test]
fn of_a_retried_parallel_the_last_run_is_told_and_all_are_counted() {
    let mut orders = history("Orders");
    orders.enter_parallel("Both", json!({})).parallel_started();
    let (mut left, mut right) = (orders.branch(), orders.branch());
    right.pass("Fine", json!({}), json!({})).branch_succeeded();
    left.enter_task("Call", json!({})).attempt_failed("Broken", None).scope_failed();
    orders.parallel_started();
    let (mut left, mut right) = (orders.branch(), orders.branch());
    left.enter_task("Call", json!({})).attempt_succeeded(json!({})).exit(json!({})).branch_succeeded();
    right.pass("Fine", json!({}), json!({})).branch_succeeded();
    orders.composite_succeeded().exit(json!([])).execution_succeeded(json!([]));
    let machine = machine(&[orders]);
    assert_eq!(ways(&machine), [(1, "Both .[0 ..Call .[1 ..Fine".to_owned())]);
    assert_eq!((machine.variants[0].retries, edge(&machine, None, Some("Call")).count), (1, 2));
    let calls = machine.states.iter().find(|state| state.state == "Call").expect("visited");
    assert_eq!((calls.visits, calls.failed, calls.branch, calls.within.as_deref()), (2, 1, Some(0), Some("Both")));
}

#[test]
fn a_redrive_leads_on_from_what_had_failed() {
    let mut orders = history("Orders");
    orders.enter_task("Charge", json!({})).attempt_failed("Declined", None).execution_failed();
    orders.after(seconds(60)).redriven().attempt_succeeded(json!({})).exit(json!({}));
    orders.pass("Ship", json!({}), json!({})).execution_succeeded(json!({}));
    let machine = machine(&[orders, charged(0)]);
    assert_eq!(ways(&machine), [(2, "Charge Ship".to_owned())]);
    assert_eq!(machine.variants[0].redriven, 1);
}

#[test]
fn how_an_execution_ended_is_part_of_its_way() {
    let begun = || {
        let mut orders = history("Orders");
        orders.enter_task("Charge", json!({})).scheduled().started();
        orders
    };
    let mut all = [begun(), begun(), begun(), begun()];
    all[1].failed("Declined", None).execution_failed();
    all[2].after(seconds(9)).execution_timed_out();
    all[3].execution_stopped(None, None);
    let machine = machine(&all);
    assert_eq!((machine.executions, machine.unsuccessful, machine.variants_total), (4, 3, 4));
    let mut kinds: Vec<(EdgeKind, u64)> =
        machine.edges.iter().filter(|edge| edge.to.is_none()).map(|edge| (edge.kind, edge.count)).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [(EdgeKind::Fail, 1), (EdgeKind::Stop, 2), (EdgeKind::Open, 1)]);
    let failed = machine.variants.iter().find(|variant| variant.status == Some(ExecutionStatus::Failed)).expect("one failed");
    let sample = &failed.samples[0];
    assert_eq!((sample.root_state.as_deref(), sample.root_error.as_deref()), (Some("Charge"), Some("Declined")));
}

#[test]
fn a_failed_sample_is_told_by_its_root_cause_and_not_by_the_fail_state_behind_the_catch() {
    let mut orders = history("Orders");
    orders.enter_task("Charge", json!({})).attempt_failed("Declined", None).caught(json!({}));
    orders.enter_fail("Refused", json!({})).execution_failed_with("Refused", "could not be charged");
    let sample = &machine(&[orders]).variants[0].samples[0];
    assert_eq!((sample.root_state.as_deref(), sample.root_error.as_deref()), (Some("Charge"), Some("Declined")));
}

fn defined(story: &mut HistoryBuilder) {
    story.definition(&json!({"StartAt": "Charge", "States": {
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "Big?", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Undo"}]},
        "Undo": {"Type": "Pass", "Next": "Refused"}, "Refused": {"Type": "Fail"},
        "Big?": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericGreaterThan": 9, "Next": "Truck"}, {"Variable": "$.n", "NumericGreaterThan": 5, "Next": "Ship"}], "Default": "Ship"},
        "Truck": {"Type": "Succeed"}, "Ship": {"Type": "Succeed"}}}));
}

#[test]
fn the_definition_tells_what_was_never_taken() {
    let (mut good, mut bad) = (history("Orders"), history("Orders"));
    defined(&mut good);
    defined(&mut bad);
    good.enter_task("Charge", json!({})).attempt_succeeded(json!({})).exit(json!({})).choice("Big?", json!({}));
    good.enter_succeed("Ship", json!({})).exit(json!({})).execution_succeeded(json!({}));
    bad.enter_task("Charge", json!({})).attempt_failed("Declined", None).caught(json!({}));
    bad.pass("Undo", json!({}), json!({})).enter_fail("Refused", json!({})).execution_failed();
    let machine = machine(&[good, bad]);
    assert!(machine.has_definition && !machine.several_definitions);
    let never: Vec<(Option<&str>, Option<&str>)> =
        machine.edges.iter().filter(|edge| edge.count == 0).map(|edge| (edge.from.as_deref(), edge.to.as_deref())).collect();
    assert_eq!(never, [(Some("Big?"), Some("Truck")), (Some("Truck"), None)]);
    assert_eq!(edge(&machine, Some("Big?"), Some("Ship")).mark.as_deref(), Some("rule 2, default"));
    let only_failures: Vec<(Option<&str>, Option<&str>, EdgeKind)> =
        machine.edges.iter().filter(|edge| edge.only_failures).map(|edge| (edge.from.as_deref(), edge.to.as_deref(), edge.kind)).collect();
    assert_eq!(
        only_failures,
        [
            (Some("Charge"), Some("Undo"), EdgeKind::Catch),
            (Some("Refused"), None, EdgeKind::Fail),
            (Some("Undo"), Some("Refused"), EdgeKind::Next)
        ]
    );
    let truck = machine.states.iter().find(|state| state.state == "Truck").expect("defined");
    assert_eq!((truck.visits, truck.defined, truck.failed_share), (0, Some(true), None));
    assert!(machine.edges.iter().filter(|edge| edge.kind == EdgeKind::Fail).all(|edge| edge.defined.is_none()));
}

#[test]
fn a_variant_has_the_same_id_in_every_run() {
    // Whoever changes this changes ids that people have noted: count the version in the id up.
    assert_eq!(machine(&[charged(0)]).variants[0].id, "v1:4a7d45d8c730");
}

#[test]
fn options_choose_and_sort() {
    let mut failed = history("Orders");
    failed.named("bad").enter_task("Charge", json!({})).after(seconds(500)).attempt_failed("Declined", None).execution_failed();
    let question = ask(&[charged(0), charged(1), polled(2), failed]);
    let chosen = |options: Options| {
        let report = report(&question, Coverage::default(), &options);
        report.machines[0].variants.iter().map(|variant| way(variant).split(' ').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(chosen(Options { limit: 1, ..options() }), ["Charge"]);
    assert_eq!(chosen(Options { sort: Sort::Duration, ..options() }), ["Failed", "Start", "Charge"]);
    assert_eq!(chosen(Options { sort: Sort::Failed, ..options() })[0], "Failed");
    assert_eq!(chosen(Options { failed_only: true, ..options() }), ["Failed"]);
    assert_eq!(chosen(Options { min: 2, ..options() }), ["Charge"]);
    let hidden = &report(&question, Coverage::default(), &Options { min: 2, ..options() }).machines[0];
    assert_eq!((hidden.variants_total, hidden.variants_hidden, hidden.executions_hidden), (3, 2, 2));
}

#[test]
fn an_execution_that_entered_nothing_has_a_way_of_no_steps() {
    let mut orders = history("Orders");
    orders.execution_failed_with("States.Runtime", "no state could be entered");
    let machine = machine(&[orders]);
    assert_eq!(ways(&machine), [(1, String::new())]);
    assert!(machine.states.is_empty() && machine.edges.is_empty());
}

use super::*;
use crate::model::{ExecutionStatus, MapChild, Timestamp};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_161_600 + second).expect("a moment")
}

fn child(number: i64, status: Option<ExecutionStatus>) -> MapChild {
    MapChild {
        arn: format!("arn:aws:states:eu-west-1:111111111111:execution:Orders/Each:{number:03}"),
        status,
        start: status.map(|_| at(number)),
        stop: status.map(|_| at(number + 10)),
        input: Some(number.to_string()),
        error: status.filter(|status| status.is_unsuccessful()).map(|_| "Declined".to_owned()),
        cause: Some(format!("card {number} was declined")),
        redrive_count: 0,
        redrive: None,
    }
}

fn children(all: &[(i64, Option<ExecutionStatus>)]) -> Children {
    let mut children = Children::new(None);
    for (number, status) in all {
        children.take(&child(*number, *status), None, true);
    }
    children
}

const FAILED: Option<ExecutionStatus> = Some(ExecutionStatus::Failed);
const SUCCEEDED: Option<ExecutionStatus> = Some(ExecutionStatus::Succeeded);

#[test]
fn children_alone_tell_machine_label_and_times() {
    let children = children(&[(0, SUCCEEDED), (5, FAILED), (9, Some(ExecutionStatus::Aborted)), (12, None)]);
    let found = report(Evidence { children, ..Evidence::default() }, 10);
    assert_eq!((found.label.as_deref(), found.counted_by), (Some("Each"), "children"));
    assert_eq!(found.state_machine.as_deref(), Some("arn:aws:states:eu-west-1:111111111111:stateMachine:Orders"));
    assert_eq!((found.start, found.stop, found.duration_ms), (Some(at(0)), Some(at(19)), Some(19_000)));
    assert_eq!((found.items.total, found.items.pending, found.concurrency.expect("they ran").peak), (4, 1, 3));
    assert_eq!((found.tolerance.exceeded, found.tolerance.failed_percentage), (None, None), "a part of the items, and no limit known");
}

#[test]
fn the_order_in_which_children_come_and_the_threads_that_read_them_do_not_matter() {
    let all: Vec<(i64, Option<ExecutionStatus>)> =
        (0..40).map(|number| (number, if number % 3 == 0 { FAILED } else { SUCCEEDED })).collect();
    let told = |children: Children| serde_json::to_string(&report(Evidence { children, ..Evidence::default() }, 10)).expect("JSON");
    let one = told(children(&all));
    let backwards: Vec<(i64, Option<ExecutionStatus>)> = all.iter().rev().copied().collect();
    assert_eq!(one, told(children(&backwards)));
    let mut parts = children(&all[20..]);
    parts.merge(children(&all[..20]));
    assert_eq!(one, told(parts));
}

#[test]
fn causes_that_differ_in_a_name_are_one_group() {
    let mut children = Children::new(None);
    for (number, city) in (0..).zip(["Rome", "Oslo", "Wien", "Bern", "Kyiv"]) {
        children.take(&MapChild { cause: Some(format!("no route to {city} today")), ..child(number, FAILED) }, None, true);
    }
    let found = report(Evidence { children, ..Evidence::default() }, 10);
    assert_eq!((found.groups.len(), found.groups[0].count, found.groups[0].merged_from.len()), (1, 5, 5));
    assert_eq!(found.groups[0].message, "no route to <word> today");
    assert_eq!(found.groups[0].samples[0].input.as_deref(), Some("4"), "the latest first");
}

#[test]
fn groups_beyond_the_limit_are_counted() {
    let mut children = Children::new(None);
    for (number, error) in (0..).zip(["A", "B", "B", "C"]) {
        children.take(&MapChild { error: Some(error.to_owned()), cause: None, ..child(number, FAILED) }, None, true);
    }
    children.take(&child(9, FAILED), None, false);
    let found = report(Evidence { children, ..Evidence::default() }, 1);
    assert_eq!((found.groups.len(), found.groups_left_out, found.unexplained), (1, 2, 1));
    assert_eq!((found.groups[0].error.as_deref(), found.groups[0].share.to_bits()), (Some("B"), 0.5_f64.to_bits()));
}

#[test]
fn a_batch_fails_with_all_its_items() {
    let mut children = Children::new(None);
    let batch = |number, status, input: &str| MapChild { input: Some(input.to_owned()), ..child(number, status) };
    children.take(&batch(0, FAILED, r#"{"Items":[1,2,3]}"#), None, true);
    children.take(&batch(1, SUCCEEDED, r#"{"BatchInput":{},"Items":[4]}"#), None, true);
    let found = report(Evidence { children, ..Evidence::default() }, 10);
    assert_eq!((found.items.failed, found.items.total, found.executions.total, found.batched), (3, 4, 2, true));
    assert_eq!(found.groups[0].items, 3);
}

#[test]
fn items_of_which_no_child_was_read_are_pending_and_that_is_said() {
    let children = children(&[(0, SUCCEEDED), (1, FAILED)]);
    let parent = Parent { map_run: "arn".to_owned(), status: Some("FAILED"), items: Some(10), ..Parent::default() };
    let found = report(Evidence { children, parent: Some(parent), ..Evidence::default() }, 10);
    assert_eq!((found.items.pending, found.items.total, found.executions.pending), (8, 10, 8));
    assert_eq!(found.incomplete[0].id, Lack::ItemsWithoutChild);
}

#[test]
fn a_run_that_goes_on_has_no_end_and_no_verdict_on_percentages() {
    let described = MapRun {
        status: "RUNNING".to_owned(),
        start: Some(at(0)),
        tolerated_failure_percentage: 50.0,
        items: MapRunCounts { failed: 3, total: 4, running: 1, ..MapRunCounts::default() },
        ..MapRun::default()
    };
    let found = report(Evidence { described: Some(described), children: children(&[(0, FAILED)]), ..Evidence::default() }, 10);
    assert_eq!((found.stop, found.duration_ms, found.tolerance.exceeded), (None, None, None));
}

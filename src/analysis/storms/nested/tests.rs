//! Nested retries: which levels a storm has, and how often they multiply it.

use serde_json::json;

use super::*;
use crate::analysis::storms::Spread;
use crate::analysis::storms::stories::{everything, moment, observed};
use crate::model::History;
use crate::model::builder::{history, milliseconds, seconds};

fn parent_definition(inside: &Value) -> Value {
    json!({"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "End": true, "Retry": inside}}})
}

fn child_definition() -> Value {
    json!({"StartAt": "Charge", "States": {
        "Charge": {"Type": "Task", "Resource": "r", "End": true,
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Note"}]},
        "Note": {"Type": "Pass", "Next": "Refused"},
        "Refused": {"Type": "Fail", "Error": "Refused"}}})
}

/// An order whose payment is started twice; each payment calls three times and fails.
fn order(number: i64) -> Vec<History> {
    let mut order = history("Orders");
    order.named(&format!("order-{number}")).clock_at(moment(number)).pace(milliseconds(0));
    order.definition(&parent_definition(&json!([{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 1}])));
    order.enter_task("Pay", json!({})).calls("states", "startExecution.sync:2");
    let mut all = Vec::new();
    for attempt in 0..2 {
        let mut payment = history("Payments");
        payment.named(&format!("payment-{number}-{attempt}")).definition(&child_definition());
        payment.input(json!({"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": order.arn().as_str()}));
        order.scheduled().started().submitted_child(&payment.arn());
        payment.clock_at(order.now()).pace(milliseconds(0));
        payment.enter_task("Charge", json!({})).taking(milliseconds(50)).attempt_failed("Busy", None);
        payment.after(seconds(1)).attempt_failed("Busy", None).after(seconds(2)).attempt_failed("Busy", None);
        payment.caught(json!({})).pass("Note", json!({}), json!({})).enter_fail("Refused", json!({}));
        payment.execution_failed_with("Refused", "no");
        all.push(payment.build());
        order.after(seconds(4)).failed("States.TaskFailed", Some("Refused"));
        if attempt == 0 {
            order.after(seconds(1));
        }
    }
    order.execution_failed();
    all.push(order.build());
    all
}

#[test]
fn retries_of_a_child_and_its_parent_multiply() {
    let observed = observed(&(0..8).flat_map(order).collect::<Vec<_>>());
    let storms = [everything(&observed, "Pay", Spread::None), everything(&observed, "Charge", Spread::None)];
    let found = nested(&storms, &observed);
    let (outer, inner) = (found[0].as_ref().expect("the parent's"), found[1].as_ref().expect("the child's"));
    let levels: Vec<(&str, u64, bool)> = inner.levels.iter().map(|level| (level.state.as_str(), level.factor, level.is_storm)).collect();
    assert_eq!(levels, [("Charge", 3, true), ("Pay", 2, true)]);
    assert_eq!((inner.worst_case, inner.observed_mean, inner.observed_max, inner.visits), (6, Some(6.0), Some(6), 8));
    assert_eq!((inner.level, outer.level), (0, 1));
    assert_eq!(inner.levels, outer.levels);
}

#[test]
fn a_state_alone_multiplies_with_nothing() {
    let alone: Vec<History> =
        (0..8).flat_map(order).filter(|history| history.definition.as_ref().is_some_and(|text| text.decode().contains("Charge"))).collect();
    let observed = observed(&alone);
    assert_eq!(nested(&[everything(&observed, "Charge", Spread::None)], &observed), [None], "its parents were not read");
}

#[test]
fn retries_in_a_parallel_that_is_retried_multiply() {
    let definition = json!({"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "End": true,
        "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 1}],
        "Branches": [{"StartAt": "Call", "States": {"Call": {"Type": "Task", "Resource": "r", "End": true,
            "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 1}]}}}]}}});
    let story = |number: i64| {
        let mut story = history("Orders");
        story.named(&format!("order-{number}")).definition(&definition).clock_at(moment(number)).pace(milliseconds(0));
        story.enter_parallel("Both", json!({}));
        for _ in 0..2 {
            story.parallel_started();
            let mut branch = story.branch();
            branch.enter_task("Call", json!({})).taking(milliseconds(50)).attempt_failed("Busy", None);
            branch.after(seconds(1)).attempt_failed("Busy", None).scope_failed();
            story.after(seconds(1));
        }
        story.composite_failed().execution_failed();
        story.build()
    };
    let observed = observed(&(0..8).map(story).collect::<Vec<_>>());
    let found = nested(&[everything(&observed, "Call", Spread::None)], &observed).remove(0).expect("a chain");
    let levels: Vec<(&str, u64, bool)> = found.levels.iter().map(|level| (level.state.as_str(), level.factor, level.is_storm)).collect();
    assert_eq!(levels, [("Call", 2, true), ("Both", 2, false)]);
    assert_eq!((found.worst_case, found.observed_max, found.visits), (4, Some(4), 8));
}

#[test]
fn what_is_caught_goes_no_further() {
    let definition = child_definition().to_string();
    assert_eq!(leaves(&definition, "Charge", "Busy".to_owned()).as_deref(), Some("Refused"));
    let healed = definition.replace("\"Next\":\"Refused\"", "\"End\":true");
    assert_eq!(leaves(&healed, "Charge", "Busy".to_owned()), None);
    assert_eq!(leaves(&definition, "Note", "Busy".to_owned()).as_deref(), Some("Busy"));
}

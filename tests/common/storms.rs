//! Storms of retries as stories, for tests of what is said of them. Test programs use a part of it each.
#![allow(dead_code)]

use serde_json::{Value, json};
use stepscope::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use stepscope::model::wire::WireBundle;
use stepscope::model::{History, Timestamp};

/// A moment, so many milliseconds into the storms.
pub fn moment(after: i64) -> Timestamp {
    Timestamp::from_millisecond(1_782_000_000_000 + after).expect("a moment")
}

/// Bundles as JSON Lines.
pub fn lines(histories: &[History]) -> String {
    let lines: Vec<String> = histories.iter().map(|history| serde_json::to_string(&WireBundle(history)).expect("JSON")).collect();
    lines.join("\n")
}

fn begun(machine: &str, number: i64, definition: &Value) -> HistoryBuilder {
    let mut story = history(machine);
    story.named(&format!("{}-{number:03}", machine.to_lowercase())).definition(definition).clock_at(moment(number)).pace(milliseconds(0));
    story
}

fn function(retry: &Value) -> Value {
    json!({"Type": "Task", "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:charge", "End": true, "Retry": retry})
}

/// Orders that start payments, whose calls fail together: each payment calls three times, and is started again once.
pub fn nested(orders: i64) -> Vec<History> {
    let order = json!({"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "arn:aws:states:eu-central-1:123456789012:stateMachine:Payments"}, "End": true,
        "Retry": [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 4, "MaxAttempts": 1, "BackoffRate": 2}]}}});
    let payment = json!({"StartAt": "Charge", "States": {"Charge": function(&json!([
        {"ErrorEquals": ["Busy"], "IntervalSeconds": 3, "MaxAttempts": 2, "BackoffRate": 2}]))}});
    let mut all = Vec::new();
    for number in 0..orders {
        let mut parent = begun("Orders", number, &order);
        parent.enter_task("Pay", json!({})).calls("states", "startExecution.sync:2");
        for attempt in 0..2 {
            let mut child = begun("Payments", number, &payment);
            child.named(&format!("payment-{number:03}-{attempt}")).clock_at(parent.now());
            child.input(json!({"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": parent.arn().as_str()}));
            parent.scheduled().started().submitted_child(&child.arn());
            child.enter_task("Charge", json!({})).taking(milliseconds(40)).attempt_failed("Busy", None);
            child.after(milliseconds(3_020)).attempt_failed("Busy", None).after(milliseconds(6_020));
            // Three calls of 40 ms and the waits between.
            parent.after(milliseconds(9_160));
            if attempt == 0 {
                child.attempt_failed("Busy", None).execution_failed();
                parent.failed("States.TaskFailed", Some("Busy")).after(milliseconds(4_020));
            } else {
                child.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
                parent.succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
            }
            all.push(child.build());
        }
        all.push(parent.build());
    }
    all
}

/// Refunds that call the same function. Their waits have no jitter; the definition that they came with says otherwise, and a later one
/// came with yet another.
pub fn refunds(count: i64) -> Vec<History> {
    let definition = |most: u64| {
        json!({"StartAt": "Refund", "States": {"Refund": function(&json!([{"ErrorEquals": ["Busy"], "IntervalSeconds": 2,
            "MaxAttempts": most, "BackoffRate": 2, "MaxDelaySeconds": 5, "JitterStrategy": "FULL"}]))}})
    };
    let refund = |number: i64| {
        let mut story = begun("Refunds", number, &definition(8));
        story.enter_task("Refund", json!({})).taking(milliseconds(40));
        for wait in [2_020, 4_020, 5_020, 5_020, 5_020] {
            story.attempt_failed("Busy", None).after(milliseconds(wait));
        }
        story.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({})).build()
    };
    let mut all: Vec<History> = (0..count).map(refund).collect();
    let mut later = begun("Refunds", 90_000_000, &definition(9));
    later.enter_task("Refund", json!({})).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    all.push(later.build());
    all
}

/// The machine of [`looping`].
pub fn loop_definition() -> Value {
    json!({"StartAt": "Ask", "States": {
        "Ask": {"Type": "Task", "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:ask", "Next": "Done",
            "Catch": [{"ErrorEquals": ["Busy"], "Next": "Pause"}]},
        "Pause": {"Type": "Wait", "Seconds": 6, "Next": "Ask"},
        "Done": {"Type": "Succeed"}}})
}

/// Executions that ask together and go back through a Wait: after a failure, or (`polling`) after an answer that says not yet.
pub fn looping(count: i64, polling: bool) -> Vec<History> {
    let one = |number: i64| {
        let mut story = begun("Loops", number, &loop_definition());
        for _ in 0..3 {
            story.enter_task("Ask", json!({})).taking(milliseconds(40));
            if polling {
                story.attempt_succeeded(json!({"ready": false})).exit(json!({}));
            } else {
                story.attempt_failed("Busy", None).caught(json!({}));
            }
            story.wait("Pause", json!({}), seconds(6));
        }
        story.enter_task("Ask", json!({})).taking(milliseconds(40)).attempt_succeeded(json!({})).exit(json!({}));
        story.enter_succeed("Done", json!({})).exit(json!({})).execution_succeeded(json!({})).build()
    };
    (0..count).map(one).collect()
}

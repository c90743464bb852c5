//! What may wait for ever, and loops.

use serde_json::{Value, json};

use super::{INVOKE, in_map, machine, quiet, run, said, task, with};
use crate::asl::check::MachineType;

#[test]
fn callbacks_that_may_wait_for_a_year_are_told() {
    let rule = "callback-without-timeout";
    let callback = "arn:aws:states:::sqs:sendMessage.waitForTaskToken";
    assert_eq!(
        said(rule, &in_map(&task(callback, json!({})))),
        [
            "T waits for its task token to come back without TimeoutSeconds or HeartbeatSeconds: if the answer is lost, it waits for up to a year"
        ]
    );
    assert_eq!(said(rule, &task("arn:aws:states:us-east-1:111111111111:activity:pick", json!({}))).len(), 1);
    assert_eq!(said(rule, &task(callback, json!({"TimeoutSeconds": 99_999_999}))).len(), 1, "that is the default");
    for limit in ["TimeoutSeconds", "HeartbeatSeconds"] {
        quiet(rule, &task(callback, json!({limit: 60})));
        quiet(rule, &task(callback, json!({limit: "{% $limit %}"})));
    }
    quiet(rule, &with(task(callback, json!({})), json!({"TimeoutSeconds": "${Limit}"})));
    quiet(rule, &task("${Resource}", json!({})));
    assert!(run(rule, &task(callback, json!({})), MachineType::Express).is_empty());
}

#[test]
fn jobs_that_may_run_for_ever_are_told() {
    let rule = "job-without-timeout";
    assert_eq!(
        said(rule, &task("arn:aws:states:::ecs:runTask.sync", json!({}))),
        ["T waits for its job to end, and neither it nor the machine has TimeoutSeconds: as long as that hangs, it hangs"]
    );
    quiet(rule, &task("arn:aws:states:::athena:startQueryExecution.sync", json!({})));
    quiet(rule, &task("arn:aws:states:::ecs:runTask.sync", json!({"TimeoutSeconds": 60})));
    quiet(rule, &task("arn:aws:states:::batch:submitJob.sync", json!({"Parameters": {"Timeout": {"AttemptDurationSeconds": 60}}})));
}

fn poll(choice: Value) -> Value {
    machine(json!({
        "Ask": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:glue:getWorkflowRun", "Next": "Ready"},
        "Ready": {"Type": "Choice", "Choices": [with(json!({"Next": "Done"}), choice)], "Default": "Later"},
        "Later": {"Type": "Wait", "Seconds": 60, "Next": "Ask"},
        "Done": {"Type": "Succeed"},
    }))
}

#[test]
fn polling_that_nothing_limits_is_told_with_its_end() {
    let rule = "polling-without-limit";
    let by_status = json!({"Variable": "$.Run.Status", "StringEquals": "COMPLETED"});
    assert_eq!(
        said(rule, &in_map(&poll(by_status.clone()))),
        [
            "Ask is asked again and again after Later, and nothing limits how often: at 60 s and 9 events a turn, the execution fails for good \
          after 46.3 hours"
        ]
    );
    quiet(rule, &with(poll(by_status.clone()), json!({"TimeoutSeconds": 3_600})));
    assert!(run(rule, &poll(by_status), MachineType::Express).is_empty());
    for limited in [
        json!({"Variable": "$.count", "NumericGreaterThan": 5}),
        json!({"Variable": "$.NextToken", "IsPresent": false}),
        json!({"Variable": "$.ready", "BooleanEquals": true}),
        json!({"Or": [{"Variable": "$.s", "StringEquals": "A"}, {"Variable": "$.t", "TimestampGreaterThanPath": "$.u"}]}),
    ] {
        quiet(rule, &poll(limited));
    }
    let mut query = poll(json!({"Variable": "$.QueryExecution.Status.State", "StringEquals": "SUCCEEDED"}));
    query["States"]["Ask"]["Resource"] = json!("arn:aws:states:::athena:getQueryExecution");
    quiet(rule, &query);
    let mut again = poll(json!({"Variable": "$.status", "StringEquals": "done"}));
    again["States"]["Ask"]["Resource"] = json!(INVOKE);
    quiet(rule, &again);
    again["States"]["Check status"] = again["States"]["Ask"].clone();
    again["States"]["Later"]["Next"] = json!("Check status");
    again["StartAt"] = json!("Check status");
    assert_eq!(said(rule, &again).len(), 1, "the function is there to ask");
    let query = |text: &str| with(poll(json!({"Condition": text})), json!({"QueryLanguage": "JSONata"}));
    assert_eq!(said(rule, &query("{% $states.input.Run.Status = 'COMPLETED' %}")).len(), 1);
    quiet(rule, &query("{% $states.input.Run.Status = 'COMPLETED' or $turns > 5 %}"));
}

#[test]
fn a_branch_beside_the_loop_may_be_its_clock() {
    let by_status = json!({"Variable": "$.Run.Status", "StringEquals": "COMPLETED"});
    let clock = json!({"StartAt": "Clock", "States": {"Clock": {"Type": "Wait", "Seconds": 60, "Next": "Over"}, "Over": {"Type": "Fail"}}});
    let beside = machine(json!({"Both": {"Type": "Parallel", "Branches": [poll(by_status), clock.clone()], "End": true}}));
    quiet("polling-without-limit", &beside);
    for (rule, resource) in [
        ("lambda-without-timeout", INVOKE),
        ("callback-without-timeout", "arn:aws:states:::sqs:sendMessage.waitForTaskToken"),
        ("job-without-timeout", "arn:aws:states:::ecs:runTask.sync"),
    ] {
        let beside =
            |clock: &Value| machine(json!({"Both": {"Type": "Parallel", "Branches": [task(resource, json!({})), clock], "End": true}}));
        quiet(rule, &beside(&clock));
        assert_eq!(said(rule, &beside(&machine(json!({"Idle": {"Type": "Pass", "End": true}})))).len(), 1, "{rule}");
    }
}

#[test]
fn jobs_that_the_service_could_wait_for_are_told() {
    let rule = "polling-instead-of-sync";
    let mut job = poll(json!({"Variable": "$.s", "StringEquals": "A"}));
    job["States"]["Ask"]["Resource"] = json!("arn:aws:states:::aws-sdk:glue:getJobRun");
    quiet(rule, &job);
    job["States"]["Start"] = json!({"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun", "Next": "Ask"});
    assert_eq!(said(rule, &job), ["Start starts a job that Ask asks after in a loop: glue:startJobRun.sync waits for it by itself"]);
    assert!(run(rule, &job, MachineType::Express).is_empty());
}

#[test]
fn retries_by_hand_are_told() {
    let rule = "retry-by-hand";
    let by_hand = |wait: Value| {
        machine(json!({
            "T": {"Type": "Task", "Resource": INVOKE, "End": true, "Catch": [{"ErrorEquals": ["Busy"], "ResultPath": null, "Next": "Pause"}]},
            "Pause": with(json!({"Type": "Wait", "Next": "T"}), wait),
        }))
    };
    assert_eq!(
        said(rule, &by_hand(json!({"Seconds": 30}))),
        [
            "T is tried again by hand, without an end: its Catch leads back to it through Pause, 30 s later each time, so what fails together \
          comes back together"
        ]
    );
    quiet(rule, &by_hand(json!({"SecondsPath": "$.wait"})));
    quiet(rule, &by_hand(json!({"Seconds": "${Seconds}"})));
    let mut counted = by_hand(json!({"Seconds": 30}));
    counted["States"]["Pause"]["Next"] = json!("Often");
    counted["States"]["Often"] =
        json!({"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 5, "Next": "T"}], "Default": "No"});
    counted["States"]["No"] = json!({"Type": "Fail"});
    assert!(said(rule, &counted)[0].starts_with("T is tried again by hand: its Catch"));
}

//! Retriers and catchers, and what is called without one.

use serde_json::{Value, json};

use super::{INVOKE, in_map, machine, quiet, retry, run, said, task, with};
use crate::asl::check::MachineType;

#[test]
fn retries_without_jitter_are_told_and_mended() {
    let found = run("retry-without-jitter", &in_map(&retry(json!({}))), MachineType::Express);
    assert_eq!(found[0].message, "T retries Busy without jitter: what fails together comes back together");
    assert_eq!(found[0].pointer, "/States/Each/ItemProcessor/States/T/Retry/0");
    assert!(found[0].fix.as_ref().is_some_and(|fix| fix.safe));
    for keeps in [
        json!({"JitterStrategy": "FULL"}),
        json!({"MaxAttempts": 0}),
        json!({"JitterStrategy": "${Jitter}"}),
        json!({"MaxAttempts": "${N}"}),
    ] {
        quiet("retry-without-jitter", &retry(keeps));
    }
    quiet("retry-without-jitter", &retry(json!({"ErrorEquals": ["States.Runtime", "States.NoSuchThing"]})));
    let mut empty = in_map(&machine(json!({"Bad": {"Type": "Fail"}})));
    empty["States"]["Each"]["Retry"] = json!([{"ErrorEquals": ["Busy"]}]);
    quiet("retry-without-jitter", &empty);
    let poll = run("retry-without-jitter", &retry(json!({"BackoffRate": 1, "MaxAttempts": 99})), MachineType::Standard);
    assert!(poll[0].fix.as_ref().is_some_and(|fix| !fix.safe), "it may wait for something in good times");
}

#[test]
fn waits_that_grow_beyond_an_hour_are_told_from_when_on() {
    let text = "T waits 20 s before its first retry of Busy, but over an hour from retry 4 on and 2.3 days before retry 5";
    assert_eq!(said("retry-without-max-delay", &retry(json!({"IntervalSeconds": 20, "BackoffRate": 10, "MaxAttempts": 5}))), [text]);
    for keeps in [
        json!({"MaxAttempts": 20, "MaxDelaySeconds": 60}),
        json!({"MaxAttempts": 20, "MaxDelaySeconds": "${Longest}"}),
        json!({"MaxAttempts": 12}),
        json!({"MaxAttempts": 1_000_000, "BackoffRate": 1}),
        json!({"IntervalSeconds": 3_600, "MaxAttempts": 3}),
        json!({"IntervalSeconds": 0, "MaxAttempts": 99}),
    ] {
        quiet("retry-without-max-delay", &retry(keeps));
    }
    let found = run("retry-without-max-delay", &retry(json!({"MaxAttempts": 99_999_999})), MachineType::Standard);
    assert!(found[0].message.ends_with("more than a year before retry 99999999"));
}

#[test]
fn a_wildcard_before_anything_else_is_told() {
    let rule = "retry-of-everything";
    let all = |retriers: Value| task(INVOKE, json!({"Retry": retriers}));
    assert_eq!(
        said(rule, &all(json!([{"ErrorEquals": ["States.ALL"], "MaxAttempts": 6}]))),
        ["T retries States.ALL before anything else: an error that never passes, such as a missing permission, fails only after 6 more \
          attempts and 63 s of waiting"]
    );
    quiet(rule, &all(json!([{"ErrorEquals": ["States.ALL"]}])));
    quiet(rule, &all(json!([{"ErrorEquals": ["Broken"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 6}])));
    quiet(rule, &all(json!([{"ErrorEquals": ["${Error}"], "MaxAttempts": 6}])));
    let job = json!({"Retry": [{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 6}]});
    quiet(rule, &task("arn:aws:states:::states:startExecution.sync:2", job));
}

#[test]
fn more_attempts_than_a_history_holds_are_told_but_not_in_express() {
    let endless = retry(json!({"MaxAttempts": 100_000, "BackoffRate": 1}));
    assert_eq!(
        said("retry-fills-history", &endless),
        ["T may retry Busy 100000 times, and the execution fails for good at about 8333, when its history is full"]
    );
    assert!(run("retry-fills-history", &endless, MachineType::Express).is_empty());
    quiet("retry-fills-history", &retry(json!({"MaxAttempts": 1_000})));
}

#[test]
fn retriers_that_nothing_reaches_are_told_by_what_is_in_the_way() {
    let behind = |first: &str, second: Value| task(INVOKE, json!({"Retry": [{"ErrorEquals": [first]}, {"ErrorEquals": second}]}));
    let never = "retry-never-taken";
    assert_eq!(
        said(never, &behind("States.TaskFailed", json!(["Busy"]))),
        ["T never retries Busy here: it is taken by States.TaskFailed before"]
    );
    assert_eq!(said(never, &behind("Busy", json!(["Busy", "Slow"]))), ["T never retries Busy here: it is taken by an earlier one"]);
    assert_eq!(
        said(never, &behind("Busy", json!(["States.Runtime"]))),
        ["T never retries States.Runtime here: it ends an execution at once, and nothing retries it"]
    );
    quiet(never, &behind("States.TaskFailed", json!(["States.Timeout"])));
    quiet(never, &behind("States.TaskFailed", json!(["States.ALL"])));
    quiet(never, &behind("${Errors}", json!(["Busy"])));
    let foreign = |resource: &str| task(resource, json!({"Retry": [{"ErrorEquals": ["Lambda.ServiceException"]}]}));
    assert_eq!(
        said(never, &foreign("arn:aws:states:::dynamodb:putItem")),
        ["T never retries Lambda.ServiceException here: it is an error of Lambda, and dynamodb is called here"]
    );
    for own in [INVOKE, "${Function}", "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "arn:aws:states:::states:startExecution.sync:2"]
    {
        quiet(never, &foreign(own));
    }
}

#[test]
fn catchers_that_nothing_reaches_are_told() {
    let caught = |first: Value, second: Value| {
        machine(json!({
            "T": {"Type": "Task", "Resource": INVOKE, "End": true,
                "Catch": [{"ErrorEquals": first, "Next": "A"}, {"ErrorEquals": second, "Next": "B"}]},
            "A": {"Type": "Fail"}, "B": {"Type": "Fail"},
        }))
    };
    assert_eq!(
        said("catch-never-taken", &caught(json!(["States.TaskFailed"]), json!(["Declined"]))),
        ["T never goes to B on Declined: it is taken by States.TaskFailed before"]
    );
    quiet("catch-never-taken", &caught(json!(["Declined"]), json!(["States.ALL"])));
    quiet("catch-never-taken", &caught(json!(["States.TaskFailed"]), json!(["${Error}"])));
}

#[test]
fn errors_that_do_not_pass_are_told_and_taken_out() {
    let lasting = |resource: &str, name: &str| task(resource, json!({"Retry": [{"ErrorEquals": [name, "Busy"]}]}));
    let rule = "retry-cannot-help";
    assert_eq!(
        said(rule, &lasting(INVOKE, "Lambda.ResourceNotFoundException")),
        ["T retries Lambda.ResourceNotFoundException, which the next attempt meets again"]
    );
    assert_eq!(said(rule, &lasting("arn:aws:states:::sns:publish", "States.Permissions")).len(), 1);
    quiet(rule, &lasting("arn:aws:states:::dynamodb:putItem", "DynamoDB.ConditionalCheckFailedException"));
    quiet(rule, &lasting("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "States.Permissions"));
    let makes = with(
        lasting(INVOKE, "Lambda.ResourceNotFoundException")["States"].clone(),
        json!({"Make": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:lambda:createFunction", "Next": "T"}}),
    );
    quiet(rule, &machine(makes));
}

#[test]
fn functions_without_a_retry_of_passing_errors_are_told_and_mended() {
    let rule = "lambda-without-retry";
    assert_eq!(
        said(rule, &in_map(&task(INVOKE, json!({})))),
        ["T does not retry Lambda's passing errors and throttling: each one fails the work at once"]
    );
    let classic = json!(["Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"]);
    let classic = task(INVOKE, json!({"Retry": [{"ErrorEquals": classic}]}));
    quiet(rule, &classic);
    let found = run("lambda-throttling-without-retry", &classic, MachineType::Standard);
    let patch = serde_json::to_value(found[0].fix.as_ref().map(|fix| &fix.patch)).expect("a patch");
    assert_eq!(patch, json!([{"op": "add", "path": "/States/T/Retry/0/ErrorEquals/-", "value": "Lambda.TooManyRequestsException"}]));
    quiet(rule, &task("${Function}", json!({})));
    quiet(rule, &task("arn:aws:states:::sns:publish", json!({})));
    quiet(rule, &task(INVOKE, json!({"Retry": [{"ErrorEquals": ["${Errors}"]}]})));
    quiet(rule, &task(INVOKE, json!({"Retry": [{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 0}]})));
    let mut retried_around = in_map(&task(INVOKE, json!({})));
    retried_around["States"]["Each"]["Retry"] = json!([{"ErrorEquals": ["States.ALL"]}]);
    quiet(rule, &retried_around);
    retried_around["States"]["Each"]["ItemProcessor"]["ProcessorConfig"] = json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"});
    assert_eq!(said(rule, &retried_around).len(), 1, "the Map Run gives an error of its own");
}

#[test]
fn functions_without_a_timeout_are_told_once() {
    let rule = "lambda-without-timeout";
    let found = said(
        rule,
        &machine(json!({
            "A": {"Type": "Task", "Resource": INVOKE, "Next": "B"},
            "B": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:111111111111:function:b", "End": true},
        })),
    );
    assert_eq!(
        found,
        [
            "A and B have no TimeoutSeconds, nor has the machine: each attempt that hangs ends with the function's own limit, up to 15 minutes"
        ]
    );
    quiet(rule, &task(INVOKE, json!({"TimeoutSeconds": 60})));
    quiet(rule, &with(task(INVOKE, json!({})), json!({"TimeoutSeconds": 60})));
    assert!(run(rule, &task(INVOKE, json!({})), MachineType::Express).is_empty());
}

#[test]
fn retries_around_retries_multiply() {
    let nested = |inner: Value, outer: Value| {
        let mut map = in_map(&task(INVOKE, inner));
        map["States"]["Each"]["Retry"] = outer;
        map
    };
    let six = json!({"Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 6}]});
    let rule = "retries-multiply";
    assert_eq!(
        said(rule, &nested(six.clone(), json!([{"ErrorEquals": ["States.TaskFailed"]}]))),
        ["Each retries around T: one call that keeps failing with an error is made 28 times"]
    );
    quiet(rule, &nested(six.clone(), json!([{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 0}])));
    quiet(
        rule,
        &nested(json!({"Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 9}]}), json!([{"ErrorEquals": ["Slow"], "MaxAttempts": 9}])),
    );
    quiet(rule, &nested(six.clone(), json!([{"ErrorEquals": ["States.ALL"], "MaxAttempts": "${N}"}])));
    let caught = with(six, json!({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "T"}]}));
    quiet(rule, &nested(caught, json!([{"ErrorEquals": ["States.ALL"]}])));
}

//! One story for each rule: what breaks it, what keeps it, and where it does not apply.

#![allow(clippy::needless_pass_by_value, reason = "definitions are written in place")]

use serde_json::{Value, json};

use super::super::rule::Violation;
use super::super::subject::Subject;
use crate::asl::check::MachineType;
use crate::asl::source::Source;

const INVOKE: &str = "arn:aws:states:::lambda:invoke";

fn run(rule: &str, definition: &Value, machine_type: MachineType) -> Vec<Violation> {
    let source = Source::read(definition.to_string().as_bytes(), None).expect("a definition");
    let subject = Subject::new(&source, machine_type);
    let mut found = Vec::new();
    let rule = super::all().find(|known| known.id == rule).unwrap_or_else(|| panic!("no rule {rule}"));
    (rule.check)(&subject, &mut found);
    for fix in found.iter().filter_map(|violation| violation.fix.as_ref()) {
        let mut patched: Value = serde_json::from_str(&source.to_json()).expect("JSON");
        let patch: json_patch::Patch = serde_json::from_value(serde_json::to_value(&fix.patch).expect("a patch")).expect("RFC 6902");
        json_patch::patch(&mut patched, &patch).expect("it applies");
    }
    found
}

fn said(rule: &str, definition: &Value) -> Vec<String> {
    run(rule, definition, MachineType::Standard).into_iter().map(|violation| violation.message).collect()
}

/// The rule says nothing.
fn quiet(rule: &str, definition: &Value) {
    assert_eq!(said(rule, definition), Vec::<String>::new());
}

/// A machine of one Task with these members.
fn task(resource: &str, more: Value) -> Value {
    machine(json!({"T": with(json!({"Type": "Task", "Resource": resource, "End": true}), more)}))
}

fn machine(states: Value) -> Value {
    let first = states.as_object().and_then(|states| states.keys().next()).cloned();
    json!({"StartAt": first, "States": states})
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
    value
}

fn retry(more: Value) -> Value {
    task(INVOKE, json!({"Retry": [with(json!({"ErrorEquals": ["Busy"]}), more)]}))
}

fn in_map(definition: &Value) -> Value {
    machine(json!({"Each": {"Type": "Map", "ItemProcessor": definition, "End": true}}))
}

fn chain(names: &[&str], last: Value, members: &dyn Fn(&str) -> Value) -> Vec<(String, Value)> {
    let step = |(at, name): (usize, &&str)| {
        let way = names.get(at + 1).map_or(last.clone(), |next| json!({"Next": next}));
        ((*name).to_owned(), with(with(json!({"Type": "Task", "Resource": INVOKE, "ResultPath": null}), members(name)), way))
    };
    names.iter().enumerate().map(step).collect()
}

#[test]
fn every_rule_has_an_id_of_its_own_and_a_page() {
    let mut ids: Vec<&str> = super::all().map(|rule| rule.id).collect();
    assert!(super::all().all(|rule| rule.source.starts_with("https://docs.aws.amazon.com/") && rule.reason.ends_with('.')));
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

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

fn handled(catcher: Value, handler: Value) -> Value {
    machine(json!({
        "T": {"Type": "Task", "Resource": INVOKE, "End": true, "Catch": [with(json!({"ErrorEquals": ["States.ALL"], "Next": "Handle"}), catcher)]},
        "Handle": with(json!({"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Next": "Failed"}), handler),
        "Failed": {"Type": "Fail"},
    }))
}

#[test]
fn handlers_that_read_what_a_catch_has_thrown_away_are_told() {
    let rule = "catch-breaks-handler";
    let reads = |path: &str| json!({"Parameters": {"TopicArn": "t", "Message.$": path}});
    assert_eq!(
        said(rule, &handled(json!({}), reads("$.orderId"))),
        ["T hands on any error without its input, and Handle reads $.orderId, which is not there then: it fails as well"]
    );
    assert_eq!(said(rule, &handled(json!({}), reads("States.Format('{}', $.orderId)"))).len(), 1);
    for path in ["$.Cause", "$$.Execution.Input.orderId", "$", "$orderId", "$.items[*].id", "${Path}"] {
        quiet(rule, &handled(json!({}), reads(path)));
    }
    quiet(rule, &handled(json!({"ResultPath": "$.error"}), reads("$.orderId")));
    quiet(rule, &handled(json!({"ResultPath": "${Path}"}), reads("$.orderId")));
}

#[test]
fn a_member_is_followed_over_several_states_but_not_over_a_choice() {
    let rule = "catch-breaks-handler";
    let mut long = handled(json!({}), json!({"ResultPath": "$.sent"}));
    long["States"]["Failed"] = json!({"Type": "Fail", "CausePath": "$.orderId"});
    assert_eq!(said(rule, &long).len(), 1);
    long["States"]["Failed"]["CausePath"] = json!("$.sent.MessageId");
    quiet(rule, &long);
    long["States"]["Failed"]["CausePath"] = json!("$.orderId");
    long["States"]["Handle"] = json!({"Type": "Choice", "Choices": [{"Variable": "$.orderId", "IsPresent": true, "Next": "Failed"}]});
    quiet(rule, &long);
    long["States"]["Handle"]["Choices"][0] = json!({"Variable": "$.orderId", "StringEquals": "a", "Next": "Failed"});
    assert_eq!(said(rule, &long).len(), 1, "the first test is made in any case");
}

#[test]
fn in_jsonata_only_a_bare_path_is_certain_to_fail() {
    let rule = "catch-breaks-handler";
    let query =
        |text: &str, catcher: Value| with(handled(catcher, json!({"Arguments": {"Message": text}})), json!({"QueryLanguage": "JSONata"}));
    assert_eq!(said(rule, &query("{% $states.input.orderId %}", json!({}))).len(), 1);
    quiet(rule, &query("{% $exists($states.input.orderId) %}", json!({})));
    quiet(rule, &query("{% $states.input.Cause %}", json!({})));
    quiet(rule, &query("{% $states.input.orderId %}", json!({"Output": "{% $states.input %}"})));
}

#[test]
fn a_handler_that_is_given_the_error_alone_is_told() {
    let rule = "catch-loses-input";
    assert_eq!(
        said(rule, &handled(json!({}), json!({"Parameters": {"Message.$": "$"}}))),
        ["T hands any error on without its input: Handle is given Error and Cause, and nothing that says what failed"]
    );
    quiet(rule, &handled(json!({}), json!({"Parameters": {"Message.$": "$", "Execution.$": "$$.Execution.Id"}})));
    quiet(rule, &handled(json!({"ResultPath": "$.error"}), json!({"Parameters": {"Message.$": "$"}})));
}

#[test]
fn failures_that_end_as_successes_are_told() {
    let rule = "catch-hides-failure";
    let quietly = |errors: Value, next: &str| {
        machine(json!({
            "T": {"Type": "Task", "Resource": INVOKE, "Next": next, "Catch": [{"ErrorEquals": errors, "Next": "Done"}]},
            "Done": {"Type": "Succeed"}, "Other": {"Type": "Succeed"},
        }))
    };
    assert_eq!(
        said(rule, &quietly(json!(["States.ALL"]), "Other")),
        ["After an error of T the execution ends as succeeded, in Done: no count of failed executions shows it"]
    );
    quiet(rule, &quietly(json!(["States.ALL"]), "Done"));
    quiet(rule, &quietly(json!(["NotFound"]), "Other"));
    quiet(rule, &in_map(&quietly(json!(["States.ALL"]), "Other")));
}

#[test]
fn what_is_made_and_not_taken_away_is_told() {
    let rule = "cleanup-skipped-by-failure";
    let lent = |resources: [&str; 3]| {
        let mut states = chain(&["Make", "Use", "Free"], json!({"End": true}), &|_| json!({}));
        states.iter_mut().zip(resources).for_each(|((_, state), resource)| state["Resource"] = resource.into());
        machine(states.into_iter().collect())
    };
    let cluster = ["arn:aws:states:::elasticmapreduce:createCluster.sync", INVOKE, "arn:aws:states:::elasticmapreduce:terminateCluster"];
    let mut definition = lent(cluster);
    definition["StartAt"] = json!("Make");
    assert_eq!(said(rule, &definition), ["When Use fails, Free is skipped, and what Make made is left behind"]);
    definition["States"]["Use"]["Catch"] = json!([{"ErrorEquals": ["States.ALL"], "Next": "Free"}]);
    quiet(rule, &definition);
    let mut other = lent(["arn:aws:states:::aws-sdk:s3:createBucket", INVOKE, "arn:aws:states:::aws-sdk:s3:deleteObject"]);
    other["StartAt"] = json!("Make");
    quiet(rule, &other);
}

fn saga() -> Value {
    let to = |name: &str| match name {
        "Flight" => "Failed",
        "Car" => "Cancel flight",
        "Pay" => "Cancel car",
        _ => "Refund",
    };
    let caught = |name: &str| json!({"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": to(name)}]});
    let retried = |_: &str| json!({"Retry": [{"ErrorEquals": ["States.ALL"]}]});
    let mut states = chain(&["Flight", "Car", "Pay", "Confirm"], json!({"End": true}), &caught);
    states.extend(chain(&["Refund", "Cancel car", "Cancel flight"], json!({"Next": "Failed"}), &retried));
    states.push(("Failed".to_owned(), json!({"Type": "Fail"})));
    json!({"StartAt": "Flight", "States": states.into_iter().collect::<Value>()})
}

#[test]
fn a_sound_saga_breaks_no_rule_of_compensation() {
    for rule in ["saga-step-not-undone", "saga-undone-in-part", "undo-without-retry"] {
        quiet(rule, &saga());
    }
}

#[test]
fn a_step_of_a_saga_that_nothing_catches_is_told() {
    let mut broken = saga();
    broken["States"]["Pay"]["Catch"] = json!([{"ErrorEquals": ["Declined"], "Next": "Cancel car"}]);
    assert_eq!(
        said("saga-step-not-undone", &broken),
        ["Pay catches some errors only: when it fails, Cancel flight does not run, though Car is done"]
    );
    broken["States"]["Pay"]["Catch"] = json!("${Catch}");
    quiet("saga-step-not-undone", &broken);
}

#[test]
fn a_late_step_that_undoes_less_than_an_early_one_is_told() {
    let mut broken = saga();
    broken["States"]["Confirm"]["Catch"][0]["Next"] = json!("Cancel flight");
    assert_eq!(
        said("saga-undone-in-part", &broken),
        ["When Confirm fails, Cancel car does not run, though it does when Pay fails, which comes before"]
    );
}

#[test]
fn an_undo_without_a_retry_is_told() {
    let mut broken = saga();
    broken["States"]["Cancel car"].as_object_mut().map(|state| state.remove("Retry"));
    assert_eq!(
        said("undo-without-retry", &broken),
        ["Cancel car undoes a step and has no Retry: if it fails once, nothing undoes that step"]
    );
    // Handlers that only tell are no compensation, however they are chained.
    let text = broken.to_string().replace("Cancel", "Log").replace("Refund", "Notify");
    quiet("undo-without-retry", &serde_json::from_str(&text).expect("JSON"));
}

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

#[test]
fn states_that_only_lead_to_each_other_are_told() {
    let rule = "unreachable-states";
    let island = |next: &str| {
        machine(json!({
            "A": {"Type": "Pass", "End": true},
            "B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Pass", "Next": "B"}, "D": {"Type": "Pass", "Next": next},
        }))
    };
    assert_eq!(
        said(
            rule,
            &machine(json!({"A": {"Type": "Pass", "End": true}, "B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Pass", "Next": "B"}}))
        ),
        ["B and C never run: no way from StartAt leads there"]
    );
    quiet(rule, &island("${Next}"));
    quiet(rule, &island("B"));
}

#[test]
fn functions_named_for_an_integration_are_told() {
    let rule = "function-wraps-integration";
    let named = |name: &str| task(INVOKE, json!({"Parameters": {"FunctionName": name}}));
    assert_eq!(
        said(rule, &named("arn:aws:lambda:us-east-1:111111111111:function:send-sqs-message-dev:live")),
        ["T invokes send-sqs-message-dev, which sqs:sendMessage may do without a function"]
    );
    for other in ["PutItemInBasket", "SendSqsMessage${Stage}", "notify", "{% $name %}"] {
        quiet(rule, &named(other));
    }
}

#[test]
fn names_are_escaped_in_pointers_and_yaml_is_read_alike() {
    let odd = machine(json!({"a/b~c": {"Type": "Task", "Resource": INVOKE, "Retry": [{"ErrorEquals": ["Busy"]}], "End": true}}));
    assert_eq!(run("retry-without-jitter", &odd, MachineType::Standard)[0].pointer, "/States/a~1b~0c/Retry/0");
    let yaml = "StartAt: T\nStates:\n  T:\n    Type: Task\n    Resource: arn:aws:states:::lambda:invoke\n    Retry:\n      - ErrorEquals: [Busy]\n    End: true\n";
    let source = Source::read(yaml.as_bytes(), None).expect("YAML");
    let mut found = Vec::new();
    let subject = Subject::new(&source, MachineType::Standard);
    super::all().for_each(|rule| (rule.check)(&subject, &mut found));
    assert!(found.iter().all(|violation| source.node(&violation.pointer).is_some()));
    assert!(found.iter().any(|violation| violation.message.contains("without jitter")));
}

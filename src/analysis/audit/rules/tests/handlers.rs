//! What follows a Catch: handlers, what is taken away, sagas.

use serde_json::{Value, json};

use super::{INVOKE, in_map, machine, quiet, said, with};

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

fn chain(names: &[&str], last: Value, members: &dyn Fn(&str) -> Value) -> Vec<(String, Value)> {
    let step = |(at, name): (usize, &&str)| {
        let way = names.get(at + 1).map_or(last.clone(), |next| json!({"Next": next}));
        ((*name).to_owned(), with(with(json!({"Type": "Task", "Resource": INVOKE, "ResultPath": null}), members(name)), way))
    };
    names.iter().enumerate().map(step).collect()
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

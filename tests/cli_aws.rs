//! The program on executions that really ran: state machines on a moto server, explained by their ARN.
//!
//! moto refuses to start executions from a state machine; nested ones are in `cli_faults.rs`.

mod common;

use common::moto::{Moto, moto};
use common::program::{Run, argument, program};
use common::{ACCOUNT, REGION, block_on};
use serde_json::{Value, json};
use stepscope::model::ExecutionStatus;

/// The program with moto for its endpoint.
fn asking(moto: &Moto, arguments: &[&str]) -> Run {
    Run::of(program().args(arguments).args(["--endpoint-url", &moto.url()]))
}

fn why(moto: &Moto, execution: &str) -> Value {
    asking(moto, &["why", execution, "--output", "json"]).succeeds().json()
}

/// Runs a machine to its failure; returns the execution's ARN and what `why` says of it.
fn failed(moto: &Moto, name: &str, definition: &Value, input: &Value) -> (String, Value) {
    let execution = block_on(moto.run_to_failure(name, definition, input));
    let answer = why(moto, &execution);
    assert_eq!(answer["schema"], "stepscope.why/1");
    assert_eq!((&answer["execution"]["arn"], &answer["execution"]["status"]), (&json!(execution), &json!("FAILED")));
    (execution, answer)
}

/// State, scope, error and kind of the root cause.
fn root(answer: &Value) -> (&str, Vec<&str>, &str, &str) {
    let root = &answer["root_cause"];
    let text = |member: &str| root[member].as_str().unwrap_or_default();
    let scope = root["scope"].as_array().map(|scope| scope.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
    (text("state"), scope, text("error"), text("kind"))
}

fn fail(error: &str) -> Value {
    json!({"Type": "Fail", "Error": error, "Cause": format!("on purpose: {error}")})
}

fn refused() -> Value {
    json!({"StartAt": "Check", "States": {"Check": {"Type": "Pass", "Next": "Stop"}, "Stop": fail("Refused")}})
}

#[test]
fn a_fail_state_in_every_view() {
    let Some(moto) = moto() else { return };
    let (execution, answer) = failed(moto, "FailState", &refused(), &json!({"order": 7}));
    assert_eq!(root(&answer), ("Stop", vec![], "Refused", "fail_state"));
    assert_eq!(answer["terminal"]["state"], "Stop");
    assert_eq!(answer["root_cause"]["input"], r#"{"order":7}"#);
    assert_eq!(answer["root_cause"]["confidence"], "certain");
    assert_eq!(answer["incomplete"], json!([]));
    asking(moto, &["why", &execution]).succeeds().shows(&["FAILED", "Stop", "Refused", "on purpose: Refused", "Check > Stop"]);
    let name = execution.rsplit(':').next().expect("a name");
    asking(moto, &["show", &execution]).succeeds().shows(&[name, "Check", "Stop", "Refused"]);
    asking(moto, &["show", "--timeline", &execution]).succeeds().shows(&["Check", "Stop"]);
    asking(moto, &["show", "--events", &execution]).succeeds().shows(&["FailStateEntered", "ExecutionFailed"]);
    asking(moto, &["show", "--state", "Stop", &execution]).succeeds().shows(&["order"]);
    asking(moto, &["show", "--state", "Stopp", &execution]).ends_with(1).says(&["Stop"]);
}

#[test]
fn what_show_saves_is_explained_as_the_execution_itself() {
    let Some(moto) = moto() else { return };
    let (execution, answer) = failed(moto, "Saved", &refused(), &json!({}));
    let saved = asking(moto, &["show", "--events", "--output", "json", &execution]).succeeds().out;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("history.json");
    std::fs::write(&file, saved).expect("written");
    let again = Run::of(program().args(["why", argument(&file), "--output", "json"])).succeeds().json();
    assert_eq!(root(&again), root(&answer));
    assert_eq!(again["route"], answer["route"]);
}

#[test]
fn a_task_whose_failure_a_catch_led_to_a_fail_state() {
    let Some(moto) = moto() else { return };
    let queue = format!("http://127.0.0.1/{ACCOUNT}/no-such-queue");
    let definition = json!({"StartAt": "Send", "States": {
        "Send": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {"QueueUrl": queue, "MessageBody": "hello"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Stop"}], "End": true},
        "Stop": fail("Refused")}});
    let (execution, answer) = failed(moto, "Caught", &definition, &json!({}));
    let (state, scope, error, kind) = root(&answer);
    assert_eq!((state, scope, kind), ("Send", vec![], "task_failed"));
    assert!(error.contains("SQS") || error.contains("Sqs"), "{error}");
    assert_eq!((&answer["terminal"]["state"], &answer["terminal"]["error"]), (&json!("Stop"), &json!("Refused")));
    assert_eq!(answer["root_cause"]["resource"], "sqs:sendMessage");
    let sent: Value = serde_json::from_str(answer["root_cause"]["effective_input"].as_str().expect("what was sent")).expect("JSON");
    assert_eq!(sent["MessageBody"], "hello");
    asking(moto, &["why", &execution]).succeeds().shows(&["Send", "no-such-queue", "Stop"]);
}

#[test]
fn a_choice_that_nothing_matches() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Which", "States": {
        "Which": {"Type": "Choice", "Choices": [{"Variable": "$.x", "NumericEquals": 1, "Next": "Done"}]}, "Done": {"Type": "Succeed"}}});
    let (_, answer) = failed(moto, "Unmatched", &definition, &json!({"x": 2}));
    assert_eq!(root(&answer), ("Which", vec![], "States.Runtime", "runtime"));
}

#[test]
fn an_iteration_that_fails() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "End": true,
        "ItemProcessor": {"StartAt": "Which", "States": {
            "Which": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "Stop"}], "Default": "Fine"},
            "Fine": {"Type": "Pass", "End": true}, "Stop": fail("BadItem")}}}}});
    let (_, answer) = failed(moto, "BadItem", &definition, &json!({"items": [1, 2, 3]}));
    assert_eq!(root(&answer), ("Stop", vec!["Each[1]"], "BadItem", "fail_state"));
    assert_eq!(answer["root_cause"]["input"], "2");
}

#[test]
fn a_branch_that_fails() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "Good", "States": {"Good": {"Type": "Pass", "End": true}}}, {"StartAt": "Bad", "States": {"Bad": fail("BadBranch")}}]}}});
    let (_, answer) = failed(moto, "BadBranch", &definition, &json!({}));
    let (state, scope, error, kind) = root(&answer);
    assert_eq!((state, error, kind), ("Bad", "BadBranch", "fail_state"));
    assert_eq!(scope, ["Both[1]"]);
}

#[test]
fn an_execution_that_succeeded() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Check", "States": {"Check": {"Type": "Pass", "End": true}}});
    let execution = block_on(async {
        let machine = moto.create("Good", &definition).await;
        let execution = moto.start(&machine, &json!({})).await;
        assert_eq!(moto.ended(&execution).await, ExecutionStatus::Succeeded.name().into());
        execution
    });
    let answer = why(moto, &execution);
    assert_eq!((&answer["root_cause"], &answer["terminal"]), (&Value::Null, &Value::Null));
    assert_eq!(answer["execution"]["status"], "SUCCEEDED");
    asking(moto, &["why", &execution, "--exit-status"]).succeeds().shows(&["SUCCEEDED"]);
    asking(moto, &["why", &execution, "--status", "failed"]).ends_with(4).says(&["none of 1 executions has the wanted status"]);
}

#[test]
fn an_execution_that_is_still_running() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Sleep", "States": {"Sleep": {"Type": "Wait", "Seconds": 3_600, "End": true}}});
    let execution = block_on(async { moto.start(&moto.create("Sleeper", &definition).await, &json!({})).await });
    let answer = why(moto, &execution);
    assert_eq!((&answer["execution"]["status"], &answer["root_cause"]), (&json!("RUNNING"), &Value::Null));
    asking(moto, &["why", &execution, "--exit-status"]).succeeds().shows(&["RUNNING"]);
    asking(moto, &["show", &execution]).succeeds().shows(&["RUNNING"]);
}

#[test]
fn a_page_of_the_console_is_as_good_as_the_arn() {
    let Some(moto) = moto() else { return };
    let (execution, answer) = failed(moto, "Console", &refused(), &json!({}));
    let page = answer["execution"]["console_url"].as_str().expect("a page").to_owned();
    let by_hand = format!("https://{REGION}.console.aws.amazon.com/states/home?region={REGION}#/v2/executions/details/{execution}");
    for page in [page, by_hand] {
        assert_eq!(why(moto, &page)["execution"]["arn"], execution.as_str());
    }
}

#[test]
fn the_last_failure_of_a_machine_and_what_its_failure_is_worth() {
    let Some(moto) = moto() else { return };
    let (machine, name) = block_on(async {
        let machine = moto.create("Latest", &refused()).await;
        let name = machine.rsplit(':').next().expect("a name").to_owned();
        (machine, name)
    });
    let latest = |machine: &str, more: &[&str]| {
        let latest = ["why", "--state-machine", machine, "--latest-failed", "--region", REGION, "--output", "json"];
        asking(moto, &[&latest[..], more].concat())
    };
    latest(&name, &[]).ends_with(4).says(&["no failed execution of", &name]);
    let last = block_on(async {
        let mut last = String::new();
        for _ in 0..2 {
            last = moto.start(&machine, &json!({})).await;
            assert_eq!(moto.ended(&last).await, ExecutionStatus::Failed.name().into());
        }
        last
    });
    for named in [name.as_str(), &machine] {
        assert_eq!(latest(named, &[]).succeeds().json()["execution"]["arn"], last.as_str());
    }
    assert_eq!(latest(&name, &["--exit-status"]).ends_with(3).json()["root_cause"]["state"], "Stop");
    asking(moto, &["show", "--state-machine", &machine, "--latest-failed"]).succeeds().shows(&["Stop", "Refused"]);
}

#[test]
fn several_executions_have_a_line_each_and_one_that_is_not_there_is_named() {
    let Some(moto) = moto() else { return };
    let executions: Vec<String> =
        ["One", "Two"].map(|name| block_on(moto.run_to_failure(name, &refused(), &json!({})))).into_iter().collect();
    let missing = format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:Nothing:run-1");
    let run = asking(moto, &["why", &executions[0], &missing, &executions[1]]).ends_with(1);
    let run = run.shows(&["2 executions: 2 failed", "Stop", "Refused"]).says(&[&missing, "the service does not know"]);
    assert_eq!(run.words.lines().count(), 1, "{}", run.words);
    asking(moto, &["why", &missing]).ends_with(1).says(&["check the name, the region"]);
}

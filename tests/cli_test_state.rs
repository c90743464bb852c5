//! `test-state` as its user runs it: where values come from, what is written where, and how it ends.

mod common;

use std::fs;

use common::program::{Run, argument, stepscope, stepscope_reading};
use serde_json::json;
use tempfile::TempDir;

const PASS: &str = r#"{"Type":"Pass","Parameters":{"a.$":"$.n"},"Next":"Then"}"#;
const TASK: &str = r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"MessageBody":"m"},"End":true}"#;

fn tested(arguments: &[&str]) -> Run {
    stepscope(["test-state"].iter().chain(arguments))
}

fn file(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("value.json");
    fs::write(&path, text).expect("a file");
    let name = argument(&path).to_owned();
    (folder, name)
}

#[test]
fn the_answer_is_the_json_of_the_api_in_every_format() {
    let answer = json!({"output": r#"{"a":7}"#, "nextState": "Then", "status": "SUCCEEDED"});
    for format in [&[][..], &["--output", "text"], &["--output", "json"], &["--output", "jsonl"]] {
        let run = tested(&[&["--definition", PASS, "--input", r#"{"n":7}"#], format].concat()).succeeds();
        assert_eq!(run.json(), answer, "{format:?}");
        assert_eq!(run.out.lines().count() == 1, format.contains(&"jsonl"));
    }
}

#[test]
fn values_come_from_the_command_line_files_and_standard_input() {
    let (_folder, path) = file(PASS);
    let address = format!("file://{path}");
    for definition in [PASS, &path, &address] {
        let run = tested(&["--definition", definition, "--input", r#"{"n":1}"#]).succeeds();
        assert_eq!(run.json()["output"], r#"{"a":1}"#, "{definition}");
    }
    let run = stepscope_reading(["test-state", "--definition", &path, "--input", "-"], r#"{"n":2}"#).succeeds();
    assert_eq!(run.json()["output"], r#"{"a":2}"#);
    tested(&["--definition", "-", "--input", "-"]).ends_with(2).says(&["--definition and --input cannot both be read"]);
    tested(&["--definition", "nosuch.json"]).ends_with(1).says(&["the value of --definition is neither JSON nor a file: nosuch.json"]);
    tested(&["--definition", "file:///nosuch.json"]).ends_with(1).says(&["failed to read --definition from `/nosuch.json`"]);
}

#[test]
fn a_state_that_would_call_something_asks_for_a_mock() {
    let hint = "nothing is called here: give --mock";
    tested(&["--definition", TASK]).ends_with(1).says(&["RoleArn must be specified when testing a Task state\n", hint]);
    assert!(!tested(&["--definition", TASK, "--quiet"]).ends_with(1).words.contains(hint));
    tested(&["--definition", TASK, "--mock", "{"]).ends_with(2).says(&["Parameter validation failed: Error parsing parameter 'mock'"]);
}

#[test]
fn the_values_on_the_way_are_shown_at_a_higher_level() {
    let mock = r#"{"result":"{\"MessageId\":\"m-1\"}"}"#;
    for level in ["DEBUG", "TRACE", "debug"] {
        let run = tested(&["--definition", TASK, "--mock", mock, "--inspection-level", level]).succeeds();
        assert_eq!(run.json()["inspectionData"]["afterParameters"], r#"{"MessageBody":"m"}"#);
    }
    tested(&["--definition", TASK, "--mock", mock, "--inspection-level", "ALL"]).ends_with(2);
}

#[test]
fn a_state_that_fails_is_an_answer_and_not_a_failure() {
    let run = tested(&["--definition", TASK, "--mock", r#"{"errorOutput":{"error":"Sqs.Gone","cause":"no queue"}}"#]).succeeds();
    assert_eq!(run.json(), json!({"error": "Sqs.Gone", "cause": "no queue", "status": "FAILED"}));
}

#[test]
fn what_the_service_refuses_is_told_in_its_words() {
    let run = tested(&["--definition", TASK, "--mock", r#"{"result":"{\"MessageId\":1}"}"#]).ends_with(1);
    assert_eq!(run.out, "");
    run.says(&[
        "An error occurred (ValidationException) when calling the TestState operation: Mock result schema validation error: Field 'MessageId' must be a string",
    ]);
    tested(&["--definition", r#"{"Type":"Nap","End":true}"#]).ends_with(1).says(&["(InvalidDefinition)", "/States/StateName/Type"]);
    tested(&["--definition", PASS, "--input", r#"{"n""#]).ends_with(1).says(&["(InvalidExecutionInput)"]);
    tested(&["--definition", TASK, "--mock", r#"{"answer":"1"}"#]).ends_with(2).says(&["Unknown parameter in mock: \"answer\""]);
    tested(&["--definition", PASS, "--state-name", ""]).ends_with(2).says(&["Invalid length for parameter stateName"]);
}

#[test]
fn what_is_not_checked_is_noted_unless_quiet() {
    let task = TASK.replace("sqs:sendMessage", "aws-sdk:nonesuch:call");
    let arguments = ["--definition", &*task, "--mock", r#"{"result":"{}"}"#];
    tested(&arguments).ends_with(0).says(&["the mocked result is not checked", "nonesuch:call"]);
    tested(&[&arguments[..], &["--quiet"]].concat()).succeeds();
}

#[test]
fn the_same_request_gives_the_same_answer_with_a_clock_and_a_seed() {
    let pass = r#"{"Type":"Pass","QueryLanguage":"JSONata","Output":"{% [$now(), $uuid(), $random()] %}","End":true}"#;
    let run = |seed: &str| tested(&["--definition", pass, "--clock", "2026-01-02T03:04:05Z", "--seed", seed]).succeeds().out;
    assert_eq!(run("1"), run("1"));
    assert_ne!(run("1"), run("2"));
    assert!(run("1").contains("2026-01-02T03:04:05"));
}

#[test]
fn configuration_variables_and_context_reach_the_state() {
    let retry = TASK.replace(r#""End":true"#, r#""End":true,"Retry":[{"ErrorEquals":["Busy"],"IntervalSeconds":4}]"#);
    let error = r#"{"errorOutput":{"error":"Busy"}}"#;
    let run = tested(&[
        "--definition",
        &retry,
        "--mock",
        error,
        "--state-configuration",
        r#"{"retrierRetryCount":1}"#,
        "--inspection-level",
        "DEBUG",
    ]);
    let answer = run.succeeds().json();
    assert_eq!(
        (&answer["status"], &answer["inspectionData"]["errorDetails"]["retryBackoffIntervalSeconds"]),
        (&json!("RETRIABLE"), &json!(8))
    );
    let named = TASK.replace(r#""MessageBody":"m""#, r#""MessageBody.$":"$v","From.$":"$$.Execution.Name""#);
    let context = r#"{"Execution":{"Name":"run-1"}}"#;
    let mock = r#"{"result":"{}"}"#;
    let arguments =
        ["--definition", &named, "--variables", r#"{"v":"hi"}"#, "--context", context, "--mock", mock, "--inspection-level", "DEBUG"];
    let answer = tested(&arguments).succeeds().json();
    assert_eq!(answer["inspectionData"]["afterParameters"], r#"{"MessageBody":"hi","From":"run-1"}"#);
    assert_eq!(answer["inspectionData"]["variables"], r#"{"v":"hi"}"#);
}

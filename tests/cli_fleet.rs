//! What all verbs over many executions share, seen from outside: inputs, the store, the window, sights of the same execution.

mod common;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use common::program::{program, stepscope, stepscope_reading};

/// An execution that started in this minute, with so many of its six events.
fn execution(name: &str, minute: u64, length: usize) -> Value {
    let time = |second: usize| format!("2026-01-01T00:{minute:02}:{second:02}.000000+00:00");
    let details = [
        json!({"type": "ExecutionStarted", "previousEventId": 0, "executionStartedEventDetails": {"input": "{}"}}),
        json!({"type": "TaskStateEntered", "previousEventId": 0, "stateEnteredEventDetails": {"name": "Charge", "input": "{}"}}),
        json!({"type": "TaskScheduled", "previousEventId": 2, "taskScheduledEventDetails": {"resourceType": "lambda", "resource": "invoke", "region": "eu-west-1", "parameters": "{}"}}),
        json!({"type": "TaskSucceeded", "previousEventId": 3, "taskSucceededEventDetails": {"resourceType": "lambda", "resource": "invoke", "output": "{}"}}),
        json!({"type": "TaskStateExited", "previousEventId": 4, "stateExitedEventDetails": {"name": "Charge", "output": "{}"}}),
        json!({"type": "ExecutionSucceeded", "previousEventId": 5, "executionSucceededEventDetails": {"output": "{}"}}),
    ];
    let events: Vec<Value> = details
        .into_iter()
        .enumerate()
        .take(length)
        .map(|(number, mut event)| {
            event["id"] = json!(number + 1);
            event["timestamp"] = json!(time(number + 1));
            event
        })
        .collect();
    let mut describe = json!({"executionArn": format!("arn:aws:states:eu-west-1:111111111111:execution:Orders:{name}"), "name": name,
        "stateMachineArn": "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders", "status": "RUNNING", "startDate": time(1)});
    if length == 6 {
        describe["status"] = json!("SUCCEEDED");
        describe["stopDate"] = json!(time(6));
    }
    json!({"describe": describe, "history": {"events": events}})
}

fn lines(executions: &[Value]) -> String {
    let lines: Vec<String> = executions.iter().map(|execution| format!("{execution}\n")).collect();
    lines.concat()
}

fn written(folder: &Path, text: &str) -> String {
    let path = folder.join("executions.jsonl");
    fs::write(&path, text).expect("a temporary file");
    path.display().to_string()
}

fn visits(answer: &Value) -> u64 {
    answer["states"].as_array().expect("states").iter().map(|state| state["visits"].as_u64().expect("a count")).sum()
}

#[test]
fn standard_input_is_read_twice_where_a_better_sight_comes_late() {
    let sights = [execution("a", 0, 3), execution("b", 1, 6), execution("a", 0, 6), execution("b", 1, 2)];
    let run = stepscope_reading(["latency", "--input", "-", "--output", "json"], lines(&sights)).succeeds();
    let answer = run.json();
    assert_eq!((&answer["coverage"]["executions"], &answer["coverage"]["running"]), (&json!(2), &json!(0)));
    assert_eq!((visits(&answer), &answer["states"][0]["unfinished"]), (2, &json!(0)));
}

#[test]
fn standard_input_serves_a_window_told_from_its_last_event() {
    let executions = [execution("a", 0, 6), execution("b", 30, 6), execution("c", 59, 6)];
    let run = stepscope_reading(["latency", "--input", "-", "--since", "45m", "--output", "json"], lines(&executions)).succeeds();
    let answer = run.json();
    assert_eq!((&answer["coverage"]["executions"], &answer["coverage"]["left_out"]), (&json!(2), &json!(1)));
    stepscope(["latency", "--input", "-", "--input", "-"]).ends_with(2).says(&["give `--input -` once"]);
}

#[test]
fn one_bad_line_among_many_is_named_and_the_exit_code_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = written(folder.path(), &(lines(&[execution("a", 0, 6)]) + "{\"events\": [1,}\n" + &lines(&[execution("b", 1, 6)])));
    let run = stepscope(["latency", "--input", &file, "--output", "json"]).ends_with(1).says(&["executions.jsonl line 2"]);
    assert_eq!((&run.json()["coverage"]["executions"], &run.json()["coverage"]["unreadable"]), (&json!(2), &json!(1)));
}

#[test]
fn a_store_gives_the_answer_that_its_input_gives() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let executions: Vec<Value> =
        (0..60).map(|minute| execution(&format!("run-{minute}"), minute, if minute % 7 == 0 { 4 } else { 6 })).collect();
    let file = written(folder.path(), &lines(&executions));
    let store = folder.path().join("store").display().to_string();
    stepscope(["ingest", &file, "--store", &store, "--quiet"]).ends_with(0);
    for window in [&[][..], &["--since", "2026-01-01T00:20:00Z", "--until", "2026-01-01T00:40:00Z"], &["--since", "15m"]] {
        let from = |source: [&str; 2]| stepscope(["latency", "--output", "json"].iter().chain(&source).chain(window)).succeeds().json();
        let (of_file, mut of_store) = (from(["--input", &file]), from(["--store", &store]));
        // Days that a window leaves out are not even counted.
        of_store["coverage"]["left_out"] = of_file["coverage"]["left_out"].clone();
        assert_eq!(of_file, of_store, "{window:?}");
    }
    stepscope(["latency", "--store", &store, "--input", &file]).ends_with(2).says(&["either --input or --store"]);
    // A store that is only set up does not stand against an input.
    let mut command = program();
    command.env("STEPSCOPE_STORE", &store).args(["latency", "--input", &file]);
    common::program::Run::of(&mut command).ends_with(0);
    let mut command = program();
    command.env("STEPSCOPE_STORE", &store).args(["latency"]);
    common::program::Run::of(&mut command).ends_with(0);
}

#[test]
fn without_a_store_and_without_inputs_the_next_step_is_said() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let nowhere = folder.path().join("nowhere").display().to_string();
    stepscope(["latency", "--store", &nowhere]).ends_with(1).says(&["nowhere"]);
}

//! `run` as its user meets it: where answers come from, what is written, what is said when something is missing.
#![cfg(unix)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use common::program::{Run, program};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A definition of two tasks: one that is retried, and one that is a function by its own ARN.
fn order() -> Value {
    json!({
        "StartAt": "Charge",
        "States": {
            "Charge": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": "charge", "Payload.$": "$"},
                "ResultSelector": {"paid.$": "$.Payload.paid"},
                "ResultPath": "$.charge",
                "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 10, "MaxAttempts": 2}],
                "Next": "Ship"
            },
            "Ship": {
                "Type": "Task",
                "Resource": "arn:aws:lambda:us-east-1:123456789012:function:ship",
                "TimeoutSeconds": 300,
                "Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.error", "Next": "Late"}],
                "ResultPath": "$.ship",
                "End": true
            },
            "Late": {"Type": "Pass", "End": true}
        }
    })
}

/// A Map that calls a task for each item, one after the other.
fn each() -> Value {
    json!({
        "StartAt": "Each",
        "States": {"Each": {
            "Type": "Map",
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "StartAt": "Call",
                "States": {"Call": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {"Item.$": "$"}, "End": true}}
            },
            "End": true
        }}
    })
}

fn pass() -> Value {
    json!({"StartAt": "Keep", "States": {"Keep": {"Type": "Pass", "End": true}}})
}

/// A folder with files, in which the program runs.
struct Folder(TempDir);

impl Folder {
    fn with(files: &[(&str, Value)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, content) in files {
            folder.write(name, &content.to_string());
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect("a file")
    }

    /// Runs `stepscope run` there.
    fn run(&self, arguments: &[&str]) -> Run {
        self.verb(&[&["run"], arguments].concat())
    }

    fn verb(&self, arguments: &[&str]) -> Run {
        let mut command = program();
        command.current_dir(self.0.path()).env("PATH", "/usr/bin:/bin").args(arguments);
        Run::of(&mut command)
    }

    /// The document of an execution.
    fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--output", "json"]].concat()).succeeds().json()
    }
}

fn output(document: &Value) -> Value {
    serde_json::from_str(document["outcome"]["output"].as_str().unwrap_or_else(|| panic!("no output: {}", document["outcome"])))
        .expect("JSON")
}

fn types(document: &Value) -> Vec<&str> {
    document["history"].as_array().expect("events").iter().map(|event| event["type"].as_str().expect("a type")).collect()
}

#[test]
fn mocks_answer_tasks_and_a_list_answers_attempt_by_attempt() {
    let folder = Folder::with(&[
        ("order.json", order()),
        ("paid.json", json!([{"Error": "Busy", "Cause": "later"}, {"StatusCode": 200, "Payload": {"paid": 7}}])),
    ]);
    let document =
        folder.json(&["order.json", "--input", r#"{"id": 1}"#, "--mock", "Charge=paid.json", "--mock", r#"Ship={"sent": true}"#]);
    assert_eq!(document["schema"], "stepscope.run/1");
    assert_eq!(document["outcome"]["status"], "SUCCEEDED");
    assert_eq!(output(&document), json!({"id": 1, "charge": {"paid": 7}, "ship": {"sent": true}}));
    assert_eq!(types(&document).iter().filter(|kind| **kind == "TaskFailed").count(), 1);
    assert_eq!(document["execution"]["duration_ms"], 10_000, "the retry waits in virtual time");
    assert_eq!(document["execution"]["arn"], "arn:aws:states:us-east-1:111111111111:execution:order:run-1");
}

#[test]
fn text_shows_the_path_and_what_came_of_it() {
    let folder = Folder::with(&[("order.json", order())]);
    let mocks = ["--mock", r#"Charge={"Error": "Declined", "Cause": "no money"}"#, "--mock", "Ship=null"];
    let run = folder.run(&[&["order.json"][..], &mocks].concat()).succeeds();
    run.shows(&["order / run-1  FAILED after 0ms", "Charge", "Error     Declined", "Cause     no money"]);
    folder.run(&[&["order.json", "--exit-status"][..], &mocks].concat()).ends_with(3);
    let pass = Folder::with(&[("keep.json", pass())]);
    pass.run(&["keep.json", "--exit-status", "--input", "[7]"]).succeeds().shows(&["SUCCEEDED", "Keep", "Output\n  [\n    7\n  ]\n"]);
}

#[test]
fn a_test_case_is_chosen_in_both_ways() {
    let mocks = json!({
        "StateMachines": {"order": {"TestCases": {
            "Happy": {"Charge": "Paid", "Ship": "Sent"},
            "Declined": {"Charge": "Declined"}
        }}},
        "MockedResponses": {
            "Paid": {"0-1": {"Throw": {"Error": "Busy"}}, "2": {"Return": {"StatusCode": 200, "Payload": {"paid": 7}}}},
            "Sent": {"0": {"Return": {"StatusCode": 200, "Payload": "sent"}}},
            "Declined": {"0": {"Throw": {"Error": "Declined"}}}
        }
    });
    let folder = Folder::with(&[("order.json", order()), ("mocks.json", mocks)]);
    let happy = folder.json(&["order.json", "--mocks", "mocks.json#Happy"]);
    assert_eq!(output(&happy), json!({"charge": {"paid": 7}, "ship": "sent"}));
    let declined = folder.json(&["order.json", "--mocks", "mocks.json", "--test-case", "Declined"]);
    assert_eq!((&declined["outcome"]["status"], &declined["outcome"]["error"]), (&json!("FAILED"), &json!("Declined")));
    let replaced = folder.json(&["order.json", "--mocks", "mocks.json#Happy", "--mock", "Ship=8"]);
    assert_eq!(output(&replaced)["ship"], 8, "a flag goes before the file");
    folder.run(&["order.json", "--mocks", "mocks.json"]).ends_with(1).says(&["which test case", "Happy, Declined"]);
    folder.run(&["order.json", "--mocks", "mocks.json#Sad"]).ends_with(1).says(&["no test case `Sad`", "Happy, Declined"]);
    folder
        .run(&["order.json", "--mocks", "mocks.json#Happy", "--name", "pay"])
        .ends_with(1)
        .says(&["no state machine `pay`", "it has order"]);
    folder.run(&["order.json", "--mocks", "mocks.json#Happy", "--test-case", "Happy"]).ends_with(2).says(&["given twice"]);
}

#[test]
fn states_of_a_test_case_that_the_definition_lacks_are_told() {
    let mocks = json!({
        "StateMachines": {"keep": {"TestCases": {"Only": {"Gone": "Any"}}}},
        "MockedResponses": {"Any": {"0": {"Return": 1}}}
    });
    let folder = Folder::with(&[("keep.json", pass()), ("mocks.json", mocks)]);
    folder.run(&["keep.json", "--mocks", "mocks.json"]).ends_with(0).says(&["test case `Only`", "no Task state `Gone`; it has none"]);
    folder.run(&["keep.json", "--mocks", "mocks.json", "--quiet"]).succeeds();
}

#[test]
fn a_task_without_an_answer_is_named_with_what_to_give() {
    let folder = Folder::with(&[("order.json", order())]);
    let bare = folder.run(&["order.json"]).ends_with(1);
    bare.says(&["nothing answers state 'Charge' (attempt 1)", "--mock Charge=RESULT", "--task Charge=COMMAND"]);
    let used_up = folder.run(&["order.json", "--mock", r#"Charge=[{"Error": "Busy"}]"#]).ends_with(1);
    used_up.says(&["state 'Charge' (attempt 2)", "answers for the attempts 0, counted from 0"]);
    folder.run(&["order.json", "--mock", "Chrage=1"]).ends_with(2).says(&["no Task state `Chrage`", "it has Charge, Ship"]);
    folder.run(&["order.json", "--mock", "Late=1"]).ends_with(2).says(&["no Task state `Late`"]);
    folder.run(&["order.json", "--mock", "Charge=1", "--task", "Charge=cat"]).ends_with(2).says(&["`Charge` is given more than one"]);
    folder.run(&["order.json", "--mock", "Charge={"]).ends_with(1).says(&["the mock of state `Charge`"]);
}

#[test]
fn attempts_are_counted_over_iterations_and_a_star_answers_what_nobody_names() {
    let folder = Folder::with(&[("each.json", each())]);
    let run = folder.json(&["each.json", "--input", "[1,2,3]", "--mock", r#"Call=["a", "b", "c"]"#]);
    assert_eq!(output(&run), json!(["a", "b", "c"]));
    let same = folder.json(&["each.json", "--input", "[1,2,3]", "--mock", "*=0"]);
    assert_eq!(output(&same), json!([0, 0, 0]));
    folder.run(&["each.json", "--input", "[1,2,3]", "--mock", r#"*=["a", "b"]"#]).ends_with(1).says(&["number 2 of the run"]);
}

#[test]
fn a_command_reads_the_input_and_prints_the_result() {
    let folder = Folder::with(&[("order.json", order())]);
    let arguments = ["order.json", "--input", r#"{"paid": 7}"#, "--task", "Charge=tee charge.in", "--task", "Ship=tee ship.in"];
    let document = folder.json(&arguments);
    assert_eq!(folder.read("charge.in"), r#"{"paid":7}"#, "the Payload of lambda:invoke");
    assert_eq!(folder.read("ship.in"), r#"{"paid":7,"charge":{"paid":7}}"#);
    assert_eq!(output(&document)["ship"], json!({"paid": 7, "charge": {"paid": 7}}));
}

#[test]
fn a_command_that_fails_is_a_failure_of_the_task() {
    let folder = Folder::with(&[("order.json", order())]);
    let fail = |line: &str| {
        let task = format!("Charge={line}");
        let document = folder.json(&["order.json", "--task", &task]);
        (document["outcome"]["error"].clone(), document["outcome"]["cause"].clone())
    };
    assert_eq!(fail("echo broken >&2; exit 9"), (json!("ExitCode.9"), json!("broken")));
    let told = r#"{"errorType":"Declined","errorMessage":"no money"}"#;
    assert_eq!(fail(&format!("echo '{told}'; exit 1")), (json!("Declined"), json!(told)));
    let retried = folder.json(&[
        "order.json",
        "--task",
        r#"Charge=echo x >> tries; [ $(wc -l < tries) = 3 ] && echo '{"paid":1}' || { echo '{"errorType":"Busy"}'; exit 1; }"#,
        "--mock",
        "Ship=1",
    ]);
    assert_eq!((output(&retried)["charge"]["paid"].clone(), folder.read("tries").lines().count()), (json!(1), 3));
    folder.run(&["order.json", "--task", "Charge=echo hello"]).ends_with(1).says(&["state 'Charge'", "printed no JSON", "hello"]);
    folder.run(&["order.json", "--task", "Charge=no-such-command"]).succeeds().shows(&["ExitCode.127"]);
}

#[test]
fn time_limits_hold_for_mocks_and_commands() {
    let mut quick = order();
    quick["States"]["Ship"]["TimeoutSeconds"] = json!(1);
    let folder = Folder::with(&[("order.json", order()), ("quick.json", quick)]);
    let paid = r#"Charge={"Payload": {"paid": 1}}"#;
    for (definition, answer) in [
        ("order.json", ["--mock", r#"Ship={"Never": true}"#]),
        ("order.json", ["--mock", r#"Ship={"Return": 1, "AfterSeconds": 301}"#]),
        ("quick.json", ["--task", "Ship=exec sleep 1000"]),
    ] {
        let document = folder.json(&[&[definition, "--mock", paid][..], &answer].concat());
        assert_eq!(output(&document)["error"]["Error"], "States.Timeout", "{answer:?}");
        assert!(types(&document).contains(&"LambdaFunctionTimedOut"), "{answer:?}");
    }
    let in_time = folder.json(&["order.json", "--mock", paid, "--mock", r#"Ship={"Return": 1, "AfterSeconds": 299}"#]);
    assert_eq!(in_time["execution"]["duration_ms"], 299_000);
}

/// An endpoint on loopback that answers one request after the other; gives its address.
fn endpoint(answers: Vec<(&'static str, &'static str)>) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = thread::spawn(move || {
        let mut bodies = Vec::new();
        for (headers, body) in answers {
            let (stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream);
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a header");
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut asked = vec![0; length];
            reader.read_exact(&mut asked).expect("a body");
            bodies.push(String::from_utf8(asked).expect("text"));
            let answer = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            reader.get_mut().write_all(answer.as_bytes()).expect("answered");
        }
        bodies
    });
    (address, asked)
}

#[test]
fn an_endpoint_is_asked_as_lambda_is() {
    let folder = Folder::with(&[("order.json", order())]);
    let failure = ("X-Amz-Function-Error: Unhandled\r\n", r#"{"errorType":"Busy","errorMessage":"later"}"#);
    let (address, asked) = endpoint(vec![failure, ("", r#"{"paid": 7}"#), ("", r#""sent""#)]);
    let task = |state: &str| format!("{state}={address}");
    let document = folder.json(&["order.json", "--input", r#"{"id":1}"#, "--task", &task("Charge"), "--task", &task("Ship")]);
    assert_eq!(output(&document), json!({"id": 1, "charge": {"paid": 7}, "ship": "sent"}));
    assert_eq!(asked.join().expect("asked"), [r#"{"id":1}"#, r#"{"id":1}"#, r#"{"id":1,"charge":{"paid":7}}"#]);
    folder.run(&["order.json", "--task", "Charge=https://localhost"]).ends_with(2).says(&["only http://"]);
    folder.run(&["order.json", "--task", "Charge=http://127.0.0.1:1"]).ends_with(1).says(&["state 'Charge'", "does it run?"]);
}

#[test]
fn json_lines_run_one_execution_each() {
    let folder = Folder::with(&[("keep.json", pass()), ("each.json", each())]);
    folder.write("in.jsonl", "{\"n\":1}\n{\"n\":2}\n\n{\"n\":3}\n");
    let run = folder.run(&["keep.json", "--input", "in.jsonl", "--output", "jsonl", "--bundle", "all.jsonl"]).succeeds();
    let lines = run.json_lines();
    let seen: Vec<(Value, &str)> =
        lines.iter().map(|line| (output(line)["n"].clone(), line["execution"]["name"].as_str().expect("a name"))).collect();
    assert_eq!(seen, [(json!(1), "run-1"), (json!(2), "run-2"), (json!(3), "run-3")]);
    assert_eq!(lines[2]["execution"]["origin"], "keep.json line 4");
    assert_eq!(folder.read("all.jsonl").lines().count(), 3);
    let text = folder.run(&["keep.json", "--input", "in.jsonl"]).succeeds();
    text.shows(&["SUCCEEDED  run-2  {\"n\":2}\n", "3 executions: 3 SUCCEEDED"]);
    folder.run(&["keep.json", "--input", "in.jsonl", "--output", "json"]).ends_with(2).says(&["--output jsonl"]);
    folder.run(&["keep.json", "--input", "in.jsonl", "--history", "h.json"]).ends_with(2).says(&["--bundle"]);

    folder.write("lists.jsonl", "[1]\n[1,2]\n[1]\n");
    let some = folder.run(&["each.json", "--input", "lists.jsonl", "--mock", r#"Call=["a"]"#, "--output", "jsonl"]).ends_with(1);
    assert_eq!(some.json_lines().len(), 2, "mocks are new for each execution");
    some.says(&["the input of line 2", "nothing answers state 'Call'"]);
}

#[test]
fn other_verbs_read_what_is_written() {
    let folder = Folder::with(&[("order.json", order())]);
    let declined = ["order.json", "--mock", r#"Charge={"Error": "Declined", "Cause": "no money"}"#];
    let produced = folder.json(&[&declined[..], &["--history", "history.json", "--bundle", "bundle.jsonl"]].concat());
    let history: Value = serde_json::from_str(&folder.read("history.json")).expect("JSON");
    assert_eq!(history["events"], produced["history"]);
    for file in ["history.json", "bundle.jsonl"] {
        let why = folder.verb(&["why", file, "--output", "json"]).ends_with(0).json();
        assert_eq!((&why["root_cause"]["state"], &why["root_cause"]["error"]), (&json!("Charge"), &json!("Declined")), "{file}");
    }
    let shown = folder.verb(&["show", "history.json", "--events", "--output", "json"]).ends_with(0).json();
    assert_eq!(shown["events"], produced["history"]);
}

#[test]
fn the_same_arguments_give_the_same_bytes_and_another_seed_does_not() {
    let random = json!({"StartAt": "Draw", "States": {"Draw": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, "End": true}}});
    let folder = Folder::with(&[("random.json", random)]);
    let draw = |seed: &str| folder.run(&["random.json", "--seed", seed, "--output", "json"]).succeeds().out;
    assert_eq!(draw("1"), draw("1"));
    assert_ne!(draw("1"), draw("2"));
}

#[test]
fn names_times_and_types_are_seen_by_the_definition() {
    let context = json!({"StartAt": "Tell", "States": {"Tell": {"Type": "Pass", "Parameters": {"c.$": "$$"}, "End": true}}});
    let described = json!({
        "stateMachineArn": "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders",
        "name": "Orders", "type": "EXPRESS", "roleArn": "arn:aws:iam::111111111111:role/Orders", "definition": context.to_string()
    });
    let folder = Folder::with(&[("tell.asl.json", context), ("described.json", described)]);
    let seen = |arguments: &[&str]| output(&folder.json(arguments))["c"].clone();
    let standard = seen(&["tell.asl.json", "--execution-name", "try", "--region", "eu-central-1"]);
    assert_eq!(standard["Execution"]["Id"], "arn:aws:states:eu-central-1:111111111111:execution:tell:try");
    assert_eq!(standard["Execution"]["StartTime"], "2026-01-01T00:00:00Z");
    assert_eq!(standard["StateMachine"]["Name"], "tell");
    let express = seen(&["described.json"]);
    assert_eq!(express["StateMachine"]["Id"], "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders");
    assert_eq!(express["Execution"]["RoleArn"], "arn:aws:iam::111111111111:role/Orders");
    assert!(
        express["Execution"]["Id"].as_str().expect("an ARN").starts_with("arn:aws:states:eu-west-1:111111111111:express:Orders:run-1:")
    );
    let renamed = seen(&["described.json", "--type", "standard", "--name", "other"]);
    assert_eq!(renamed["Execution"]["Id"], "arn:aws:states:us-east-1:111111111111:execution:other:run-1");
}

#[test]
fn an_endless_loop_ends_at_the_limit_of_events() {
    let endless = json!({"StartAt": "A", "States": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": true, "Next": "B"}], "Default": "A"},
        "B": {"Type": "Succeed"}
    }});
    let folder = Folder::with(&[("loop.json", endless)]);
    let document = folder.json(&["loop.json", "--max-events", "100"]);
    assert_eq!(document["outcome"]["status"], "FAILED");
    assert_eq!(types(&document).len(), 100);
    for number in ["0", "1000001"] {
        folder.run(&["loop.json", "--max-events", number]).ends_with(2);
    }
}

#[test]
fn a_line_that_is_no_json_is_told_and_the_others_run() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("keep.json"), r#"{"StartAt":"Keep","States":{"Keep":{"Type":"Succeed"}}}"#).expect("a file");
    std::fs::write(folder.path().join("inputs.jsonl"), "{\"a\":1}\n{\"a\":\n{\"a\":3}\n").expect("a file");
    let arguments = ["run", "keep.json", "--input", "inputs.jsonl", "--output", "jsonl"];
    let run = Run::of(program().current_dir(folder.path()).args(arguments)).ends_with(1).says(&["line 2", "no JSON"]);
    let outputs: Vec<Value> = run.json_lines().iter().map(|line| line["outcome"]["output"].clone()).collect();
    assert_eq!(outputs, ["{\"a\":1}", "{\"a\":3}"]);
}

#[test]
fn a_nested_state_machine_runs_here() {
    let parent = json!({"StartAt": "Child", "States": {"Child": {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:Pay", "Input.$": "$"},
        "OutputPath": "$.Output",
        "End": true
    }}});
    let child = json!({"StartAt": "Double", "States": {"Double": {
        "Type": "Pass", "Parameters": {"twice.$": "States.MathAdd($.n, $.n)"}, "End": true
    }}});
    let folder = Folder::with(&[("parent.json", parent), ("pay.json", child)]);
    let document = folder.json(&["parent.json", "--input", r#"{"n": 4}"#, "--machine", "Pay=pay.json", "--bundle", "all.jsonl"]);
    assert_eq!(output(&document), json!({"twice": 8}));
    assert_eq!(document["children"][0]["outcome"]["status"], "SUCCEEDED");
    assert_eq!(folder.read("all.jsonl").lines().count(), 2);
    let alone = folder.run(&["parent.json", "--input", r#"{"n": 4}"#]).ends_with(1);
    alone.says(&["state 'Child'", "--machine arn:aws:states:us-east-1:123456789012:stateMachine:Pay=FILE"]);
}

#[test]
fn a_folder_is_a_bucket() {
    let import = json!({"StartAt": "Rows", "States": {"Rows": {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "Parameters": {"Bucket": "data", "Key": "in/rows.csv"}
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Keep",
            "States": {"Keep": {"Type": "Pass", "End": true}}
        },
        "End": true
    }}});
    let folder = Folder::with(&[("import.json", import)]);
    folder.write("bucket/in/rows.csv", "id,name\n1,one\n2,two\n");
    let document = folder.json(&["import.json", "--s3", "data=bucket"]);
    assert_eq!(output(&document), json!([{"id": "1", "name": "one"}, {"id": "2", "name": "two"}]));
    folder.run(&["import.json", "--s3", "data=nowhere"]).ends_with(1).says(&["`nowhere` as bucket `data`"]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = Folder::with(&[("keep.json", pass())]);
    folder.write("broken.json", "{\"StartAt\": ");
    folder.run(&["nowhere.json"]).ends_with(1).says(&["`nowhere.json`"]);
    folder.run(&["broken.json"]).ends_with(1).says(&["`broken.json`"]);
    folder.run(&["keep.json", "--input", "nowhere.json"]).ends_with(1).says(&["`nowhere.json`"]);
    folder.run(&["keep.json", "--clock", "soon"]).ends_with(2).says(&["--clock `soon` is no time"]);
    folder.run(&["keep.json", "--name", "a name"]).ends_with(2).says(&["`a name` can't be the name"]);
    folder.run(&["-", "--input", "-"]).ends_with(2).says(&["standard input can't be both"]);
}

#[test]
fn what_the_service_would_refuse_is_refused_unless_it_shall_be_tried() {
    let lost = json!({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": true, "Colour": "red"}}});
    let folder = Folder::with(&[("lost.json", lost), ("parent.json", pass())]);
    let refused = folder.run(&["lost.json"]).ends_with(1);
    assert_eq!(refused.out, "");
    refused.says(&["error[SCHEMA_VALIDATION_FAILED]", "Colour", "`lost.json` is not valid", "--no-check"]);
    folder.run(&["parent.json", "--machine", "Lost=lost.json"]).ends_with(1).says(&["`lost.json` is not valid"]);
    assert_eq!(folder.json(&["lost.json", "--no-check"])["outcome"]["status"], "SUCCEEDED");
}

#[test]
fn a_definition_in_yaml_runs_as_well() {
    let folder = Folder::with(&[]);
    folder.write("keep.asl.yaml", "StartAt: Keep\nStates:\n  Keep:\n    Type: Pass\n    Result: {n: 1.0}\n    End: true\n");
    assert_eq!(folder.json(&["keep.asl.yaml"])["outcome"]["output"], r#"{"n":1.0}"#);
}

#[test]
fn definition_and_input_come_from_standard_input() {
    let folder = Folder::with(&[("keep.json", pass())]);
    let mut command = program();
    command.current_dir(folder.0.path()).args(["run", "keep.json", "--input", "-", "--output", "json"]).write_stdin("{\"n\": 1}");
    assert_eq!(output(&Run::of(&mut command).succeeds().json()), json!({"n": 1}));
    let mut command = program();
    command.args(["run", "-", "--input", "7", "--output", "json"]).write_stdin(pass().to_string());
    assert_eq!(output(&Run::of(&mut command).succeeds().json()), json!(7));
}

//! `replay` as its user meets it: the verdict, where histories part, what can be changed, fixtures that `run` reproduces.

mod common;

use std::fs;
use std::path::Path;

use common::program::{Run, argument, program};
use serde_json::{Value, json};
use stepscope::model::History;
use stepscope::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use stepscope::model::wire::WireBundle;
use tempfile::TempDir;

const INVOKE: &str = "arn:aws:states:::lambda:invoke";

fn order() -> Value {
    json!({
        "StartAt": "Prepare",
        "States": {
            "Prepare": {"Type": "Pass", "Parameters": {"order.$": "$.order", "total": 10}, "Next": "Charge"},
            "Charge": {
                "Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": "charge", "Payload.$": "$"},
                "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 1}],
                "Catch": [{"ErrorEquals": ["Declined"], "ResultPath": "$.error", "Next": "Refuse"}],
                "ResultPath": "$.charge", "Next": "Ship"
            },
            "Ship": {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": "ship", "Payload.$": "$.order"}, "End": true},
            "Refuse": {"Type": "Fail", "Error": "OrderRefused", "Cause": "the card was declined"}
        }
    })
}

/// A folder with the recording of an order whose card was declined, in the second attempt.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        desk.write("order.json", &order());
        let mock = r#"Charge=[{"Error": "Busy", "Cause": "try later"}, {"Error": "Declined"}]"#;
        desk.run(&["run", "order.json", "--input", r#"{"order": 7}"#, "--mock", mock, "--bundle", "declined.json"]).ends_with(0);
        desk
    }

    fn write(&self, name: &str, value: &Value) {
        fs::write(self.0.path().join(name), value.to_string()).expect("a file");
    }

    /// A recording that was told by hand.
    fn tell(&self, name: &str, told: &History) {
        fs::write(self.0.path().join(name), serde_json::to_vec(&WireBundle(told)).expect("a bundle")).expect("a file");
    }

    fn path(&self, name: &str) -> String {
        argument(&self.0.path().join(name)).to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Run {
        Run::of(program().current_dir(self.0.path()).args(arguments))
    }

    fn replay(&self, arguments: &[&str]) -> Run {
        self.run(&[&["replay"], arguments].concat())
    }

    fn report(&self, arguments: &[&str]) -> Value {
        self.replay(&[arguments, &["--output", "json"]].concat()).json()
    }
}

/// The order with something else at a JSON pointer.
fn order_with(pointer: &str, value: Value) -> Value {
    let mut order = order();
    *order.pointer_mut(pointer).expect("a place") = value;
    order
}

#[test]
fn a_recording_is_reproduced_by_its_definition() {
    let desk = Desk::new();
    let report = desk.report(&["declined.json", "--exit-status"]);
    assert_eq!((&report["verdict"], &report["first_divergence"]), (&json!("reproduced"), &Value::Null));
    assert_eq!(report["outcome"], json!({"status": "FAILED", "error": "OrderRefused", "cause": "the card was declined", "output": null}));
    let produced = report["history"].as_array().expect("events").len();
    assert_eq!(report["compared"]["recorded_events"], json!(produced));
    desk.replay(&["declined.json"]).succeeds().shows(&[
        "REPRODUCED",
        "FAILED with OrderRefused",
        "--what-if --definition FILE",
        "--save DIR",
    ]);
}

#[test]
fn a_changed_definition_diverges_with_both_values() {
    let desk = Desk::new();
    desk.write("dearer.json", &order_with("/States/Prepare/Parameters/total", json!(12)));
    let report = desk.report(&["declined.json", "--definition", "dearer.json"]);
    let divergence = &report["first_divergence"];
    assert_eq!((&report["verdict"], &report["definition"]), (&json!("diverged"), &json!("given")));
    assert_eq!((&divergence["recorded_event_id"], &divergence["state"]), (&json!(3), &json!("Prepare")));
    assert_eq!(divergence["differences"], json!([{"field": "output", "place": "$.total", "recorded": "10", "produced": "12"}]));
    assert_eq!(divergence["reason"], "event 3 (PassStateExited of state `Prepare`) differs in output at $.total: recorded 10, produced 12");
    let text = desk.replay(&["declined.json", "--definition", "dearer.json", "--exit-status"]).ends_with(3);
    text.shows(&[
        "DIVERGED",
        "the first 2 of",
        "At        event 3, state Prepare",
        "In        output $.total",
        "Recorded  10",
        "Produced  12",
    ]);
}

#[test]
fn another_way_through_the_states_is_told_in_words() {
    let desk = Desk::new();
    desk.write("patient.json", &order_with("/States/Charge/Retry/0/MaxAttempts", json!(0)));
    let report = desk.report(&["declined.json", "--definition", "patient.json"]);
    let reason = report["first_divergence"]["reason"].as_str().expect("words");
    assert_eq!(reason, "the recording has TaskScheduled of state `Charge`, the replay ends with ExecutionFailed with Busy");
    let mut renamed = order();
    let states = renamed["States"].as_object_mut().expect("states");
    let charge = states.remove("Charge").expect("a state");
    states.insert("Pay".to_owned(), charge);
    renamed["States"]["Prepare"]["Next"] = json!("Pay");
    desk.write("renamed.json", &renamed);
    let divergence = &desk.report(&["declined.json", "--definition", "renamed.json"])["first_divergence"];
    assert_eq!(divergence["differences"][0], json!({"field": "name", "place": "$", "recorded": "\"Charge\"", "produced": "\"Pay\""}));
    assert!(divergence["likely"].as_str().expect("words").contains("this definition has no state `Charge`"), "{divergence}");
    // What the recording cannot answer waits, and is told.
    desk.write("kind.json", &order_with("/States/Charge/Catch/0/Next", json!("Ship")));
    let report = desk.report(&["declined.json", "--definition", "kind.json"]);
    assert_eq!(report["outcome"]["status"], "RUNNING");
    let likely = report["first_divergence"]["likely"].as_str().expect("words");
    assert_eq!(likely, "the replay called state `Ship` (attempt 1), for which the recording holds no answer");
}

#[test]
fn what_cannot_be_replayed_says_why() {
    let desk = Desk::new();
    let bundle: Value = serde_json::from_str(&fs::read_to_string(desk.path("declined.json")).expect("a file")).expect("JSON");
    let without = |edit: &dyn Fn(&mut Value)| {
        let mut bundle = bundle.clone();
        edit(&mut bundle);
        desk.write("edited.json", &bundle);
        let report = desk.replay(&["edited.json", "--output", "json"]).ends_with(1).json();
        assert_eq!((&report["verdict"], &report["outcome"], &report["history"]), (&json!("not_replayable"), &Value::Null, &json!([])));
        report["not_replayable"].as_str().expect("a reason").to_owned()
    };
    let events = |bundle: &mut Value, edit: &dyn Fn(&mut Vec<Value>)| edit(bundle["events"].as_array_mut().expect("events"));
    let reasons = [
        (
            without(&|bundle| drop(bundle.as_object_mut().expect("an object").remove("definition"))),
            "holds no definition; give the one that ran",
        ),
        (without(&|bundle| events(bundle, &|events| drop(events.remove(4)))), "event 5 is missing"),
        (without(&|bundle| events(bundle, &|events| drop(events.drain(..3)))), "events 1 to 3 are missing"),
        (without(&|bundle| bundle["definition"]["StartAt"] = json!("Nowhere")), "the recorded definition cannot be run"),
        (
            without(&|bundle| bundle["events"][0]["executionStartedEventDetails"]["inputDetails"] = json!({"truncated": true})),
            "the input of the execution was cut",
        ),
    ];
    for (reason, words) in reasons {
        assert!(reason.contains(words), "{reason}");
    }
    desk.replay(&["edited.json"]).ends_with(1).shows(&["NOT REPLAYABLE", "Because   the input of the execution was cut by the source"]);
}

#[test]
fn a_result_that_was_cut_cannot_be_answered_with() {
    let desk = Desk::new();
    let definition = json!({"StartAt": "Call", "States": {"Call": {"Type": "Task", "Resource": INVOKE, "Parameters": {}, "End": true}}});
    let mut story = history("Calls");
    story.definition(&definition).enter_task("Call", json!({})).calls("lambda", "invoke").scheduled_with(json!({})).started();
    let mut told = story.succeeded(json!({"a": 1})).exit(json!({"a": 1})).execution_succeeded(json!({"a": 1})).build();
    let stepscope::model::Details::Output(output) = &mut told.events[4].details else { panic!("a result") };
    output.output.as_mut().expect("an output").truncated = true;
    desk.tell("cut.json", &told);
    let report = desk.replay(&["cut.json", "--output", "json"]).ends_with(1).json();
    assert_eq!(report["not_replayable"], "the result in event 5 (TaskSucceeded) was cut by the source");
}

/// A callback with a token, a UUID that goes on, a random number, and a heartbeat that was missed at last.
#[test]
fn values_of_chance_are_taken_over_and_go_on() {
    let desk = Desk::new();
    let definition = json!({"StartAt": "Name", "States": {
        "Name": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "dice.$": "States.MathRandom(1, 7)"}, "Next": "Ask"},
        "Ask": {
            "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"MessageBody": {"token.$": "$$.Task.Token", "about.$": "States.Format('order-{}', $.id)"}},
            "HeartbeatSeconds": 60, "End": true
        }
    }});
    let named = json!({"id": "0b9c2f44-7a1e-4c55-9d52-1f3f0a6b7c88", "dice": 4});
    let body =
        json!({"MessageBody": {"token": "AQCEAAAAKgAAAAMAAAAA-recorded-token", "about": "order-0b9c2f44-7a1e-4c55-9d52-1f3f0a6b7c88"}});
    let mut story = history("Approvals");
    story.definition(&definition).input(json!({})).pace(milliseconds(20)).pass("Name", json!({}), &named);
    story.enter_task("Ask", &named).calls("sqs", "sendMessage.waitForTaskToken").heartbeat(seconds(60));
    story.scheduled_with(body).started().submitted(json!({"MessageId": "m-1"})).after(seconds(150)).timed_out().execution_failed();
    desk.tell("asked.json", &story.build());
    let report = desk.report(&["asked.json", "--no-redact"]);
    assert_eq!(report["verdict"], "reproduced", "{}", report["first_divergence"]["reason"]);
    let taken: Vec<(&str, u64)> = report["taken_over"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|taken| (taken["kind"].as_str().expect("a kind"), taken["count"].as_u64().expect("a count")))
        .collect();
    assert_eq!(taken, [("name", 2), ("random", 1)]);
    assert!(report["history"][4].to_string().contains("recorded-token"), "{}", report["history"][4]);
}

fn two_waits() -> Value {
    json!({"StartAt": "One", "States": {
        "One": {"Type": "Wait", "Seconds": 5, "Next": "Two"}, "Two": {"Type": "Wait", "Seconds": 500, "End": true}
    }})
}

fn waited(definition: &Value) -> HistoryBuilder {
    let mut story = history("Waits");
    story.definition(definition).input(json!({})).wait("One", json!({}), seconds(5)).enter_wait("Two", json!({}));
    story
}

#[test]
fn stopped_running_timed_out_and_redriven_executions_are_replayed_as_far_as_they_went() {
    let desk = Desk::new();
    let limited = {
        let mut definition = two_waits();
        definition["TimeoutSeconds"] = json!(60);
        definition
    };
    let stories = [
        ("stopped.json", waited(&two_waits()).after(seconds(9)).execution_stopped(Some("Enough"), Some("by hand")).build(), "ABORTED", 5),
        ("running.json", waited(&two_waits()).build(), "RUNNING", 4),
        ("late.json", waited(&limited).after(seconds(55)).execution_timed_out().build(), "TIMED_OUT", 5),
    ];
    for (name, told, status, events) in stories {
        desk.tell(name, &told);
        let report = desk.report(&[name]);
        assert_eq!(report["verdict"], "reproduced", "{name}: {}", report["first_divergence"]["reason"]);
        assert_eq!(
            (&report["compared"]["agreed_events"], report["history"].as_array().map(Vec::len)),
            (&json!(events), Some(events)),
            "{name}"
        );
        assert_eq!(report["outcome"]["status"], status, "{name}");
    }
    let definition = json!({"StartAt": "Call", "States": {"Call": {"Type": "Task", "Resource": INVOKE, "Parameters": {}, "End": true}}});
    let mut story = history("Calls");
    story.definition(&definition).enter_task("Call", json!({})).calls("lambda", "invoke");
    story.scheduled_with(json!({})).started().failed("Busy", None).execution_failed();
    story.redriven().scheduled_with(json!({})).started().succeeded(json!({"Payload": 1})).exit(json!({"Payload": 1}));
    desk.tell("redriven.json", &story.execution_succeeded(json!({"Payload": 1})).build());
    let report = desk.report(&["redriven.json"]);
    assert_eq!((&report["verdict"], &report["compared"]["recorded_events"]), (&json!("reproduced"), &json!(6)));
    assert_eq!(report["outcome"]["error"], "Busy");
}

#[test]
fn what_was_refused_without_an_event_is_refused_again() {
    let desk = Desk::new();
    let definition = json!({"StartAt": "Work", "States": {
        "Work": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:111111111111:activity:gone", "End": true}
    }});
    let mut story = history("Works");
    story.definition(&definition).enter_task("Work", json!({}));
    story.runtime_error("The activity activity:gone does not exist.");
    desk.tell("refused.json", &story.build());
    let report = desk.report(&["refused.json"]);
    assert_eq!(report["verdict"], "reproduced", "{}", report["first_divergence"]);
}

#[test]
fn changes_are_laid_beside_the_recorded_path() {
    let desk = Desk::new();
    let charge = r#"Charge=[{"Error": "Busy"}, {"Payload": "paid"}]"#;
    let missing = desk.replay(&["declined.json", "--what-if", "--mock", charge]).ends_with(1);
    missing.says(&["nothing answers state 'Ship' (attempt 1)", "--mock Ship=FILE"]);
    let mocks = ["--what-if", "--mock", charge, "--mock", "*={\"Payload\": \"shipped\"}"];
    let report = desk.report(&[&["declined.json"][..], &mocks].concat());
    let what_if = &report["what_if"];
    assert_eq!((&what_if["changed"], &what_if["parted_at"]), (&json!(["answers"]), &json!(1)));
    assert_eq!((&what_if["recorded_outcome"], &report["outcome"]["status"]), (&json!("FAILED"), &json!("SUCCEEDED")));
    let states = |side: &str| -> Vec<Value> {
        what_if["steps"].as_array().expect("a list").iter().map(|pair| pair[side]["state"].clone()).collect()
    };
    assert_eq!(states("recorded"), [json!("Prepare"), json!("Charge"), json!("Refuse")]);
    assert_eq!(states("changed"), [json!("Prepare"), json!("Charge"), json!("Ship")]);
    let text = desk.replay(&[&["declined.json", "--exit-status"][..], &mocks].concat()).ends_with(0);
    let text =
        text.shows(&["CHANGED", "Changed   answers of tasks", "Recorded  FAILED", "Now       SUCCEEDED", "✓ Prepare", " = ✓ Prepare"]);
    assert!(text.out.lines().all(|line| line.chars().count() <= 80), "{}", text.out);
}

#[test]
fn an_input_is_changed_or_patched() {
    let desk = Desk::new();
    for change in [
        ["--input", r#"{"order": 8}"#],
        ["--patch", r#"{"order": 8}"#],
        ["--patch", r#"[{"op": "replace", "path": "/order", "value": 8}]"#],
    ] {
        let report = desk.report(&[&["declined.json", "--what-if"][..], &change].concat());
        assert_eq!(report["what_if"]["changed"], json!(["input"]));
        let input = report["history"][0]["executionStartedEventDetails"]["input"].as_str().expect("an input").replace(' ', "");
        assert_eq!(input, r#"{"order":8}"#, "{change:?}");
        // The card is declined all the same, but whether it would be is not known.
        let answers = report["what_if"]["answers"].as_array().expect("a list");
        assert!(answers.len() == 2 && answers.iter().all(|answer| answer["recorded"] == true && answer["other_parameters"] == true));
        desk.replay(&[&["declined.json", "--what-if", "--exit-status"][..], &change].concat())
            .ends_with(3)
            .shows(&["Path      the same 3 steps", "whether the"]);
    }
    let wrong = r#"[{"op": "remove", "path": "/nothing"}]"#;
    desk.replay(&["declined.json", "--what-if", "--patch", wrong]).ends_with(1).says(&["does not fit the recorded input"]);
    desk.replay(&["declined.json", "--what-if", "--input", "{"]).ends_with(1).says(&["failed to read the input: it is no JSON"]);
}

#[test]
fn the_next_commands_name_the_definition_that_was_given() {
    let desk = Desk::new();
    let mut bundle: Value = serde_json::from_str(&fs::read_to_string(desk.path("declined.json")).expect("a file")).expect("JSON");
    bundle.as_object_mut().expect("a bundle").remove("definition");
    desk.write("bare.json", &bundle);
    desk.run(&["why", "bare.json"]).succeeds().shows(&["stepscope replay bare.json --definition FILE\n"]);
    desk.replay(&["bare.json", "--definition", "order.json"])
        .succeeds()
        .shows(&["stepscope replay bare.json --save DIR --definition order.json\n"]);
    let found = ["bare.json", "--definitions", "order.json"];
    for verb in ["why", "replay"] {
        desk.run(&[&[verb][..], &found].concat()).succeeds().shows(&["stepscope replay bare.json --definitions order.json"]);
    }
    desk.run(&["why", "declined.json"]).succeeds().shows(&["stepscope replay declined.json\n"]);
    assert!(!desk.replay(&["declined.json", "--save", "kept"]).ends_with(0).out.contains("--save"));
}

#[test]
fn arguments_that_do_not_fit_together_are_refused() {
    let desk = Desk::new();
    desk.replay(&["declined.json", "--what-if"]).ends_with(2).says(&["--what-if needs a change"]);
    desk.replay(&["declined.json", "--patch", "{}"]).ends_with(2).says(&["--what-if"]);
    desk.replay(&["declined.json", "--what-if", "--mock", "Chrage=1"]).ends_with(2).says(&["no Task state `Chrage`", "Charge"]);
    desk.replay(&["declined.json", "--definition", "missing.json"]).ends_with(1).says(&["missing.json"]);
    fs::copy(desk.path("declined.json"), desk.path("again.json")).expect("a copy");
    let two = ["declined.json", "again.json"];
    for one_only in [&["--output", "json"][..], &["--save", "fixture"], &["--what-if", "--patch", "{}"]] {
        desk.replay(&[&two[..], one_only].concat()).ends_with(2).says(&["2 executions in the input", "--execution NAME"]);
    }
    let lines = desk.replay(&[&two[..], &["--output", "jsonl"]].concat()).succeeds().json_lines();
    assert_eq!(lines.iter().map(|line| line["verdict"].clone()).collect::<Vec<_>>(), [json!("reproduced"), json!("reproduced")]);
    assert_eq!(desk.replay(&two).succeeds().out.matches("REPRODUCED").count(), 2);
    desk.replay(&two).succeeds().shows(&["2 executions: 2 reproduced\n"]);
    desk.write("other.json", &order_with("/States/Refuse/Error", json!("Refused")));
    let other = [&two[..], &["--definition", "other.json"]].concat();
    desk.replay(&other).succeeds().shows(&["2 executions: 2 diverged", "stepscope replay declined.json\n"]);
    desk.replay(&["declined.json", "--execution", "other"]).ends_with(4).says(&["none of 1 executions is `other`"]);
}

/// Runs what the README of a fixture says, and compares the outcome.
fn reproduce(folder: &Path) -> Value {
    let readme = fs::read_to_string(folder.join("README.md")).expect("a README");
    let command = readme.split('`').nth(1).expect("a command");
    let arguments = command.strip_prefix("stepscope ").expect("the program").split(' ').chain(["--output", "json"]);
    let outcome = Run::of(program().current_dir(folder).args(arguments)).ends_with(0).json()["outcome"].clone();
    let expected: Value = serde_json::from_slice(&fs::read(folder.join("expected.json")).expect("a file")).expect("JSON");
    assert_eq!(outcome, expected, "{command}");
    outcome
}

#[test]
fn a_fixture_reproduces_the_execution_with_nothing_else() {
    let desk = Desk::new();
    let saved = desk.replay(&["declined.json", "--save", "tests/declined"]).ends_with(0);
    saved.says(&["wrote tests/declined", "secrets included"]);
    let folder = desk.0.path().join("tests/declined");
    let mocks: Value = serde_json::from_slice(&fs::read(folder.join("mocks.json")).expect("mocks")).expect("JSON");
    assert_eq!(
        mocks["MockedResponses"]["Charge as recorded"],
        json!({"0": {"Throw": {"Error": "Busy", "Cause": "try later"}}, "1": {"Throw": {"Error": "Declined"}}})
    );
    assert_eq!(reproduce(&folder)["error"], "OrderRefused");
    desk.replay(&["declined.json", "--save", "tests/declined"]).ends_with(1).says(&["is not empty"]);
    let mocks = ["--what-if", "--mock", r#"Charge=[{"Error": "Busy"}, {"Payload": 1}]"#, "--mock", "Ship={\"Payload\": 2}"];
    desk.replay(&[&["declined.json", "--save", "mended"][..], &mocks].concat()).ends_with(0);
    assert_eq!(reproduce(&desk.0.path().join("mended"))["status"], "SUCCEEDED");
    let told = |folder: &str| fs::read_to_string(desk.0.path().join(folder).join("README.md")).expect("a README").contains("--what-if");
    assert!(told("mended") && !told("tests/declined"));
}

#[test]
fn fixtures_of_incidents_end_as_recorded() {
    let desk = Desk::new();
    desk.run(&["demo", "demo", "--only", "stories"]).ends_with(0);
    for name in INCIDENTS {
        desk.report(&[&format!("demo/{name}.json"), "--save", name]);
        reproduce(&desk.0.path().join(name));
    }
    let folder = desk.0.path().join("map-iteration-failed");
    let blamed = [
        "run",
        "definition.asl.json",
        "--input",
        "input.json",
        "--mocks",
        "mocks.json",
        "--name",
        "shipment-labels",
        "--clock",
        "2026-01-01T00:00:00Z",
    ];
    Run::of(program().current_dir(folder).args(blamed)).ends_with(0).shows(&["because of LabelParcels[4] BuyLabel: TariffError"]);
}

#[test]
fn a_changed_definition_that_the_service_would_refuse_is_told_and_run_as_far_as_it_goes() {
    let desk = Desk::new();
    desk.write(
        "odd.json",
        &order_with("/States/Refuse", json!({"Type": "Fail", "Error": "OrderRefused", "Cause": "the card was declined", "Next": "Ship"})),
    );
    let what_if = ["declined.json", "--what-if", "--definition", "odd.json"];
    desk.replay(&what_if).ends_with(0).says(&["Next", "/States/Refuse"]);
    desk.write("broken.json", &order_with("/States/Prepare/Next", json!("Chrage")));
    desk.replay(&["declined.json", "--definition", "broken.json"]).ends_with(1).says(&["Chrage", "MISSING_TRANSITION_TARGET"]);
}

#[test]
fn an_answer_that_came_after_many_heartbeats_is_in_time() {
    let desk = Desk::new();
    let definition = json!({"StartAt": "Sign", "States": {"Sign": {"Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "HeartbeatSeconds": 600, "TimeoutSeconds": 86_400,
        "Parameters": {"MessageBody": {"token.$": "$$.Task.Token"}}, "End": true}}});
    desk.write("sign.json", &definition);
    let mock = r#"Sign={"Return": "signed", "AfterSeconds": 7200, "HeartbeatSeconds": 300}"#;
    desk.run(&["run", "sign.json", "--mock", mock, "--bundle", "signed.json"]).ends_with(0);
    let report = desk.report(&["signed.json", "--save", "signed"]);
    assert_eq!(report["verdict"], "reproduced", "{}", report["first_divergence"]["reason"]);
    assert_eq!(reproduce(&desk.0.path().join("signed"))["status"], "SUCCEEDED");
}

/// The incidents of `demo` in a file with their definition.
const INCIDENTS: [&str; 8] = [
    "retries-exhausted",
    "caught-then-failed",
    "heartbeat-timeout",
    "map-iteration-failed",
    "polling-timed-out",
    "redriven",
    "runtime-error-in-parallel",
    "swallowed-failures",
];

#[test]
fn incidents_of_the_demo_follow_from_their_definitions() {
    let desk = Desk::new();
    desk.run(&["demo", "demo", "--only", "stories"]).ends_with(0);
    for name in INCIDENTS {
        let report = desk.report(&[&format!("demo/{name}.json")]);
        assert_eq!(report["verdict"], "reproduced", "{name}: {}", report["first_divergence"]["reason"]);
    }
    for execution in ["ord-4713-1", "ord-4713-capture"] {
        let report = desk.report(&["demo/nested-execution.jsonl.gz", "--execution", execution]);
        assert_eq!(report["verdict"], "reproduced", "{execution}: {}", report["first_divergence"]["reason"]);
    }
}

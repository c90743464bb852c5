//! What is told of one execution or one definition.

use std::path::Path;

use serde_json::{Value, json};
use stepscope::model::builder::{history, seconds};

use super::{document, line, stepscope};
use crate::common::fake_endpoint::FakeEndpoint;
use crate::common::function_log::FunctionLog;
use crate::common::program::stepscope_reading;
use crate::comparison::Comparison;

/// A definition with an error and a warning.
pub const UNSOUND: &str =
    r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"a": "$.a"}, "Next": "B"}, "C": {"Type": "Fail"}}}"#;

/// `audit` of a definition that has executions, fixes that can and can't be made, and rules that are switched off.
pub fn every_audit(folder: &Path) -> Vec<Value> {
    const DEFINITION: &str = "StartAt: Charge
States:
  Charge:
    Type: Task
    Resource: arn:aws:states:::sqs:sendMessage
    Parameters: {QueueUrl: q, MessageBody: m}
    Retry: &retry
      - ErrorEquals: [Busy]
    Next: Again
  Again:
    Type: Task
    Resource: arn:aws:states:::sqs:sendMessage
    Parameters: {QueueUrl: q, MessageBody: m}
    Retry: *retry
    Next: Each
  Each:
    Type: Map
    ItemProcessor:
      StartAt: Tell
      States:
        Tell:
          Type: Task
          Resource: arn:aws:states:::sqs:sendMessage
          Parameters: {QueueUrl: q, MessageBody: m}
          Retry: [{ErrorEquals: [Busy]}]
          End: true
    End: true
";
    let audits = folder.join("audits");
    std::fs::create_dir_all(audits.join("runs")).expect("a folder");
    let mut story = history("Audited");
    story.enter_task("Charge", json!({})).attempt_failed("Busy", None).after(seconds(1)).attempt_succeeded(json!({})).exit(json!({}));
    story.enter_map("Each", json!([])).map_started(0).composite_succeeded().exit(json!([])).execution_succeeded(json!([]));
    std::fs::write(audits.join("runs/audited.json"), line(&story.build())).expect("a file");
    std::fs::write(audits.join("audited.yaml"), DEFINITION).expect("a file");
    let past = ["audit", "audits/audited.yaml", "--input", "audits/runs", "--output", "json"];
    let mut answers = vec![document(folder, &past)];
    let off = "[[off]]\nrule = \"map-without-max-concurrency\"\nreason = \"few\"\n[[off]]\nrule = \"retry-without-jitter\"\nstate = \"Charge\"\nreason = \"one\"\n";
    std::fs::write(audits.join(".stepscope-audit.toml"), off).expect("a file");
    answers.push(document(folder, &past));
    std::fs::remove_file(audits.join(".stepscope-audit.toml")).expect("it was there");
    answers.push(document(folder, &["audit", "audits/audited.yaml", "--fix", "--output", "json"]));
    answers
}

/// `why` of everything in the folder, one document for each execution.
pub fn every_answer(folder: &Path) -> Vec<Value> {
    stepscope(folder, &["why", "demo", "more", "--output", "jsonl"]).ends_with(0).json_lines()
}

/// `why --logs` of an invocation with everything in its log, and of one that left nothing.
pub fn every_log() -> Vec<Value> {
    const ID: &str = "8f507cfc-8a2b-4697-b07a-ac58fc914c95";
    let cause = json!({"errorType": "Runtime.ExitError", "errorMessage": "exited", "requestId": ID}).to_string();
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).scheduled();
    let at = story.now().as_millisecond();
    story.started().after(seconds(2)).failed("Runtime.ExitError", Some(&cause)).execution_failed();
    let mut group = FunctionLog::new("/aws/lambda/charge");
    let told: Vec<(i64, &str)> = (0..9).map(|after| (after, r#"{"level":"INFO","message":"asking the bank"}"#)).collect();
    let report = "Memory Size: 128 MB\tMax Memory Used: 74 MB\tInit Duration: 310.55 ms\tStatus: error\tError Type: Runtime.ExitError";
    group.invocation(ID, "stream", at, &told, 1_900, report);
    let empty = FunctionLog::new("/aws/lambda/charge");
    let bundle = line(&story.build());
    let ask = |group: FunctionLog| {
        let endpoint = FakeEndpoint::start(move |request| group.answer(request, 1_000));
        let arguments = ["why", "-", "--logs=5", "--output", "json", "--endpoint-url", endpoint.url()];
        stepscope_reading(arguments, bundle.as_str()).succeeds().json()
    };
    vec![ask(group), ask(empty)]
}

/// `run` of a machine that starts another one, which fails unless it gets an order.
pub fn every_run(folder: &Path) -> Vec<Value> {
    let child = json!({"StartAt": "Check", "States": {
        "Check": {"Type": "Choice", "Choices": [{"Variable": "$.order", "IsPresent": true, "Next": "Done"}], "Default": "Refuse"},
        "Refuse": {"Type": "Fail", "Error": "NoOrder", "Cause": "there is no order"},
        "Done": {"Type": "Succeed"}
    }});
    let parent = json!({"StartAt": "Pay", "States": {"Pay": {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:Payments", "Input.$": "$"},
        "End": true
    }}});
    std::fs::write(folder.join("payments.json"), child.to_string()).expect("a file");
    std::fs::write(folder.join("orders.json"), parent.to_string()).expect("a file");
    let run = ["run", "orders.json", "--machine", "Payments=payments.json", "--output", "json", "--input"];
    let mut documents: Vec<Value> =
        [r#"{"order": 7}"#, "{}"].iter().map(|input| document(folder, &[&run[..], &[input]].concat())).collect();
    for event in documents.iter_mut().flat_map(|document| document["history"].as_array_mut().expect("a list")) {
        event.as_object_mut().expect("an object").retain(|member, _| !member.ends_with("EventDetails"));
    }
    documents
}

/// `replay` as it was, with another definition, with other answers, and of what cannot be replayed.
pub fn every_replay(folder: &Path) -> Vec<Value> {
    let map = |text: &str| {
        json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "Name", "States": {
            "Name": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "text": text}, "Next": "Call"},
            "Call": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"Payload.$": "$"}, "End": true}
        }}}}})
    };
    for (name, text) in [("each.json", "one"), ("other.json", "other")] {
        std::fs::write(folder.join(name), map(text).to_string()).expect("a file");
    }
    let mock = r#"Call=[{"Payload": 1}, {"Error": "Busy"}]"#;
    stepscope(folder, &["run", "each.json", "--input", "[1, 2]", "--mock", mock, "--bundle", "ran.json"]).ends_with(0);
    let answers: [&[&str]; 6] = [
        &["replay", "ran.json"],
        &["replay", "ran.json", "--definition", "other.json"],
        &["replay", "ran.json", "--what-if", "--definition", "other.json", "--mock", "Call={\"Return\": 2}"],
        &["replay", "demo/retries-exhausted.json"],
        &["replay", "demo/stuck-callback"],
        &["replay", "more/damaged.json"],
    ];
    let mut documents: Vec<Value> =
        answers.iter().map(|arguments| stepscope(folder, &[arguments, &["--output", "json"][..]].concat()).json()).collect();
    for document in &mut documents {
        let history = document["history"].as_array_mut().expect("a list");
        history.iter_mut().for_each(without_details);
        if !document["first_divergence"].is_null() {
            for side in ["recorded", "produced"] {
                without_details(&mut document["first_divergence"][side]);
            }
        }
    }
    documents
}

/// The service's own members are not on the page.
pub fn without_details(event: &mut Value) {
    event.as_object_mut().expect("an object").retain(|member, _| !member.ends_with("EventDetails"));
}

pub fn places(folder: &Path) -> Vec<(String, String)> {
    let answers = every_answer(folder);
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    answers
        .iter()
        .map(|answer| {
            let origin = text(&answer["execution"]["origin"]);
            (origin.split(" line ").next().unwrap_or_default().to_owned(), text(&answer["execution"]["name"]))
        })
        .collect()
}

/// A failure with its trace, in which there is something of everything.
pub fn traced(folder: &Path, comparison: &mut Comparison<'_>) {
    use crate::common::traces::{batch, call, function, in_trace, lambda, machine, phase, state, throttled};
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).scheduled().started().after(seconds(3)).failed("Error", None).execution_failed();
    let built = story.build();
    std::fs::write(folder.join("traced.json"), line(&built)).expect("a file");
    let inside = [
        phase(1, "Init", (0.2, 1.0), &[]),
        phase(2, "Invocation", (1.0, 2.9), &[throttled(1, (1.1, 2.0))]),
        phase(3, "Overhead", (2.9, 3.1), &[]),
    ];
    let arn = built.header.arn.as_ref().expect("an ARN").as_str();
    let top = machine("Orders", Some(arn), (0.0, 3.0), &[state(1, "Charge", (0.0, 3.0), &[call(1, "Lambda", "Invoke", (0.05, 3.0))])]);
    let mut all = vec![top, lambda(1, "charge", "r-1", (0.1, 3.1)), function(1, "charge", "r-1", (1.0, 3.1), &inside)];
    all.extend(in_trace("1-6955b901-0123456789abcdef01234567", &all[..1]));
    std::fs::write(folder.join("traces.json"), batch(&all).to_string()).expect("a file");
    let with_trace = |verb: &str| document(folder, &[verb, "traced.json", "--trace", "traces.json", "--output", "json"]);
    comparison.object("Show report", &with_trace("show"));
    comparison.object("Why report", &with_trace("why"));
    let latency = ["latency", "--input", "traced.json", "--trace", "traces.json", "--output", "json"];
    comparison.object("Latency report", &document(folder, &latency));
    // A trace that was asked for and is not there.
    let elsewhere = document(folder, &["show", "demo/retries-exhausted.json", "--trace", "traces.json", "--output", "json"]);
    assert_eq!(elsewhere["incomplete"][0]["id"], "no_trace");
    comparison.object("Show report", &elsewhere);
}

//! `--trace`: traces beside histories, as their user sees them.

mod common;

use std::path::Path;

use common::fake_endpoint::{FakeEndpoint, Reply};
use common::moto::moto;
use common::program::{Run, argument, program, stepscope};
use common::traces::{TRACE, batch, call, function, lambda, machine, phase, state, throttled};
use common::{block_on, credentials};
use serde_json::{Value, json};
use stepscope::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use stepscope::model::wire::WireBundle;

const ARN: &str = "arn:aws:states:us-east-1:111111111111:execution:Orders:run-1";

/// A task whose function starts cold and writes to a table that is told to go slower, tried twice; then a message is sent.
fn orders() -> HistoryBuilder {
    let mut orders = history("Orders");
    orders.pass("Validate", json!({}), json!({})).enter_task("Reserve", json!({})).calls("sqs", "sendMessage");
    orders.taking(milliseconds(100)).attempt_succeeded(json!({})).exit(json!({})).enter_task("Charge", json!({"order": 7}));
    for _ in 0..2 {
        orders.scheduled().after(milliseconds(20)).started().after(seconds(3));
        orders.failed("ThrottledError", Some(r#"{"errorType": "ThrottledError", "errorMessage": "slow down"}"#)).after(seconds(1));
    }
    orders.execution_failed();
    orders
}

fn segments() -> Vec<Value> {
    let mut of_functions = Vec::new();
    let mut calls = Vec::new();
    for (id, from, cold) in [(1, 0.1, true), (2, 4.12, false)] {
        calls.push(call(id, "Lambda", "Invoke", (from + 0.03, from + 3.01)));
        let begun = if cold { 1.3 } else { 0.3 };
        let mut inside = vec![phase(id * 10, "Invocation", (from + begun, from + 2.9), &[throttled(id, (from + begun + 0.1, from + 2.8))])];
        if cold {
            inside.insert(0, phase(id * 10 + 1, "Initialization", (from + 0.3, from + 1.3), &[]));
        }
        of_functions.push(lambda(id, "charge", &format!("r-{id}"), (from + 0.06, from + 2.99)));
        let mut own = function(id, "charge", &format!("r-{id}"), (from + begun, from + 2.95), &inside);
        own["fault"] = json!(true);
        own["cause"] = json!({"exceptions": [{"type": "ThrottledError", "message": "slow down"}]});
        of_functions.push(own);
    }
    let states = [
        state(1, "Validate", (0.0, 0.0), &[]),
        state(2, "Reserve", (0.0, 0.1), &[call(9, "SQS", "SendMessage", (0.01, 0.09))]),
        state(3, "Charge", (0.1, 8.14), &calls),
    ];
    let mut all = vec![machine("Orders", Some(ARN), (0.0, 8.14), &states)];
    all.extend(of_functions);
    all
}

/// A folder with the history and its trace.
fn scene() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, value: &Value| std::fs::write(folder.path().join(name), value.to_string()).expect("a file");
    let bundle = serde_json::to_value(WireBundle(&orders().build())).expect("a history is JSON");
    write("history.json", &bundle);
    write("traces.json", &batch(&segments()));
    folder
}

fn in_folder(folder: &Path, name: &str) -> String {
    argument(&folder.join(name)).to_owned()
}

#[test]
fn show_puts_spans_beneath_the_attempts() {
    let folder = scene();
    let (history, traces) = (in_folder(folder.path(), "history.json"), in_folder(folder.path(), "traces.json"));
    for (name, view) in [("tree", None), ("timeline", Some("--timeline"))] {
        let run = stepscope(["show", &history].into_iter().chain(view).chain(["--trace", &traces])).succeeds();
        for line in run.out.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= 80, "{line}");
            assert_eq!(line.trim_end(), line);
        }
        insta::assert_snapshot!(name, run.out.replace(&history, "history.json"));
    }
}

#[test]
fn why_names_the_call_that_was_throttled_inside_the_function() {
    let folder = scene();
    let (history, traces) = (in_folder(folder.path(), "history.json"), in_folder(folder.path(), "traces.json"));
    let run = stepscope(["why", &history, "--trace", &traces]).succeeds();
    let is_copied = |line: &str| [history.as_str(), "arn:aws", "https://"].iter().any(|part| line.contains(part));
    assert!(run.out.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80 || is_copied(line)), "{}", run.out);
    insta::assert_snapshot!("why", run.out.replace(&history, "history.json"));
    let answer = stepscope(["why", &history, "--trace", &traces, "--output", "json"]).succeeds().json();
    let trace = &answer["root_cause"]["trace"];
    assert_eq!((&trace["trace_id"], &trace["basis"], &trace["attempt"]), (&json!(TRACE), &json!("execution_arn"), &json!(2)));
    assert_eq!((&trace["throttle"], &trace["downstream"][0]["operation"]), (&json!(true), &json!("PutItem")));
    assert_eq!(answer["advice"][0]["id"], "trace_throttled");
    let without = stepscope(["why", &history, "--output", "json"]).succeeds().json();
    assert!(without["root_cause"]["trace"].is_null() && without["advice"][0]["id"] != "trace_throttled");
}

#[test]
fn latency_tells_cold_starts_and_calls_of_each_state() {
    let folder = scene();
    let (history, traces) = (in_folder(folder.path(), "history.json"), in_folder(folder.path(), "traces.json"));
    let run = stepscope(["latency", "--input", &history, "--trace", &traces]).succeeds();
    assert!(run.out.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80), "{}", run.out);
    insta::assert_snapshot!("latency", run.out);
    let answer = stepscope(["latency", "--input", &history, "--trace", &traces, "--state", "Charge", "--output", "json"]).succeeds().json();
    let [charge] = answer["traces"]["states"].as_array().expect("states").as_slice() else { panic!("one state: {answer}") };
    assert_eq!((&charge["attempts"], &charge["traced_attempts"], &charge["cold_starts"]), (&json!(2), &json!(2), &json!(1)));
    assert_eq!((&charge["init"]["p50_ms"], &charge["throttles"], &charge["calls"][0]["throttles"]), (&json!(1000.0), &json!(2), &json!(2)));
    // The history and its trace twice over change nothing: an execution counts once, and a segment does.
    let twice = stepscope(["latency", "--input", &history, "--input", &history, "--trace", argument(folder.path()), "--state", "Charge"]);
    assert!(twice.words.contains("it is an execution, and no trace"), "{}", twice.words);
}

#[test]
fn an_execution_without_a_trace_is_told_as_the_normal_case() {
    let folder = scene();
    let traces = in_folder(folder.path(), "traces.json");
    let other = history("Orders").named("run-2").pass("Validate", json!({}), json!({})).execution_succeeded(json!({})).build();
    let bundle = serde_json::to_string(&WireBundle(&other)).expect("JSON");
    let file = in_folder(folder.path(), "other.json");
    std::fs::write(&file, bundle).expect("a file");
    let run = stepscope(["show", &file, "--trace", &traces]).succeeds();
    assert!(run.out.contains("the only trace that was read is of another execution"), "{}", run.out);
    let answer = stepscope(["show", &file, "--trace", &traces, "--output", "json"]).succeeds().json();
    assert_eq!((&answer["trace"], &answer["incomplete"][0]["id"]), (&json!(null), &json!("no_trace")));
}

#[test]
fn damaged_traces_are_named_and_the_rest_is_told() {
    let folder = scene();
    let (history, traces) = (in_folder(folder.path(), "history.json"), in_folder(folder.path(), "bad.jsonl"));
    let lines: Vec<String> = segments().iter().map(Value::to_string).collect();
    std::fs::write(&traces, format!("{}\n{{\"cut\n", lines.join("\n"))).expect("a file");
    let run = stepscope(["show", &history, "--trace", &traces]).ends_with(1).says(&["bad.jsonl line 6"]);
    assert!(run.out.contains("DynamoDB PutItem Orders"), "{}", run.out);
    stepscope(["show", &history, "--trace", &in_folder(folder.path(), "nothing.json")])
        .ends_with(1)
        .says(&["nothing.json cannot be read"])
        .shows(&["no trace was read from"]);
    stepscope(["show", &history, "--events", "--trace", &traces]).ends_with(2).says(&["--trace goes with the tree"]);
    for verb in ["show", "why"] {
        stepscope([verb, "--trace", &history]).ends_with(2).says(&["which execution? --trace took", "name the execution before --trace"]);
    }
}

/// Moments as the API sends them: epoch seconds.
fn with_epochs(mut value: Value) -> Value {
    let members = value.as_object_mut().expect("an object");
    for name in ["timestamp", "startDate", "stopDate"] {
        if let Some(moment) = members.get_mut(name) {
            let at: stepscope::model::Timestamp = moment.as_str().and_then(|text| text.parse().ok()).expect("a moment");
            *moment = json!(at.as_duration().as_secs_f64());
        }
    }
    value
}

/// An endpoint that has the history, and of X-Ray what `xray` answers.
fn endpoint(xray: impl Fn(&str) -> Reply + Send + Sync + 'static) -> FakeEndpoint {
    let bundle = serde_json::to_value(WireBundle(&orders().build())).expect("a history is JSON");
    FakeEndpoint::start(move |request| match request.action.as_str() {
        "DescribeExecution" => Reply::Json(with_epochs(bundle["execution"].clone())),
        "GetExecutionHistory" => {
            let events: Vec<Value> = bundle["events"].as_array().expect("events").iter().cloned().map(with_epochs).collect();
            Reply::Json(json!({"events": events}))
        }
        "DescribeStateMachineForExecution" => Reply::Error("AccessDeniedException", "no"),
        other => xray(other),
    })
}

fn asking(endpoint: &FakeEndpoint, arguments: &[&str]) -> Run {
    Run::of(program().env("AWS_MAX_ATTEMPTS", "1").args(arguments).args(["--endpoint-url", endpoint.url(), "--output", "json"]))
}

#[test]
fn xray_is_asked_for_the_traces_of_the_machine_around_the_start() {
    let endpoint = endpoint(|action| match action {
        "/TraceSummaries" => Reply::Json(json!({"TraceSummaries": [{"Id": TRACE, "Duration": 8.1}]})),
        "/Traces" => Reply::Json(batch(&segments())),
        _ => Reply::HangUp,
    });
    let answer = asking(&endpoint, &["show", ARN, "--trace"]).json();
    assert_eq!((&answer["trace"]["trace_id"], &answer["trace"]["basis"]), (&json!(TRACE), &json!("execution_arn")));
    let answer = asking(&endpoint, &["why", ARN, "--trace"]).json();
    assert_eq!(answer["root_cause"]["trace"]["throttle"], true);
    assert_eq!((endpoint.asked("/TraceSummaries"), endpoint.asked("/Traces")), (2, 2));
}

#[test]
fn what_xray_does_not_give_is_told() {
    let nothing = endpoint(|_| Reply::Json(json!({"TraceSummaries": []})));
    let text = |endpoint: &FakeEndpoint| {
        let answer = asking(endpoint, &["show", ARN, "--trace"]).json();
        let found = answer["incomplete"].as_array().expect("a list").iter().find(|entry| entry["id"] == "no_trace");
        assert!(answer["trace"].is_null() && !answer["visits"].as_array().expect("visits").is_empty());
        found.expect("an entry")["text"].as_str().expect("text").to_owned()
    };
    let words = text(&nothing);
    assert!(
        words.starts_with("X-Ray has no trace of Orders around 2026-01-01 00:00:00 UTC: tracing is off, or the execution was not"),
        "{words}"
    );
    let elsewhere = endpoint(|action| match action {
        "/TraceSummaries" => Reply::Json(json!({"TraceSummaries": [{"Id": TRACE}]})),
        _ => Reply::Json(json!({"Traces": [], "UnprocessedTraceIds": []})),
    });
    let words = text(&elsewhere);
    assert!(words.starts_with("X-Ray lists a trace and gives none of their documents: where Transaction Search is on"), "{words}");
    let denied = endpoint(|_| Reply::Error("AccessDeniedException", "not authorized"));
    assert!(text(&denied).contains("\"Action\": \"xray:GetTraceSummaries\""));
    let slow = endpoint(|_| Reply::Error("ThrottledException", "Rate exceeded"));
    assert!(text(&slow).contains("xray:GetTraceSummaries is throttled"));
}

#[test]
fn the_trace_that_an_execution_was_started_with_comes_from_xray() {
    let Some(moto) = moto() else { return };
    let config = aws_sdk_xray::config::Builder::new()
        .behavior_version(aws_sdk_xray::config::BehaviorVersion::latest())
        .region(aws_sdk_xray::config::Region::new("us-east-1"))
        .endpoint_url(moto.url())
        .credentials_provider(credentials());
    let xray = aws_sdk_xray::Client::from_conf(config.build());
    for segment in segments() {
        let sent = block_on(xray.put_trace_segments().trace_segment_documents(segment.to_string()).send());
        assert!(sent.expect("moto takes it").unprocessed_trace_segments().is_empty());
    }
    let folder = scene();
    // moto forgets the header with which an execution was started, so it stands in the file.
    let mut bundle = serde_json::to_value(WireBundle(&orders().build())).expect("JSON");
    bundle["execution"]["traceHeader"] = json!(format!("Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1"));
    let file = in_folder(folder.path(), "started.json");
    std::fs::write(&file, bundle.to_string()).expect("a file");
    let run = Run::of(program().args(["show", &file, "--trace", "--output", "json", "--endpoint-url", &moto.url()])).succeeds();
    let trace = &run.json()["trace"];
    assert_eq!((&trace["trace_id"], &trace["basis"], &trace["untraced_attempts"]), (&json!(TRACE), &json!("trace_header"), &json!(0)));
}

/// A fleet of executions as files, and traces of some of them: by ARN, by time alone, and one that fits two.
#[test]
fn a_trace_that_fits_two_executions_counts_for_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lines = String::new();
    for (name, start) in [("a", 0), ("b", 100), ("c", 100), ("d", 200)] {
        let mut story = history("Orders");
        let at = stepscope::model::Timestamp::from_second(1_767_225_600 + start).expect("a moment");
        story.clock_at(at).named(name).enter_task("Charge", json!({})).scheduled().started().after(seconds(1));
        story.succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        lines += &(serde_json::to_string(&WireBundle(&story.build())).expect("JSON") + "\n");
    }
    let (input, traces) = (in_folder(folder.path(), "input.jsonl"), in_folder(folder.path(), "traces.json"));
    std::fs::write(&input, lines).expect("a file");
    let mut all = Vec::new();
    for (number, (name, start)) in [(Some("a"), 0.0), (None, 100.0), (None, 200.0)].into_iter().enumerate() {
        let arn = name.map(|name| ARN.replace("run-1", name));
        let of_state = state(1, "Charge", (start, start + 1.0), &[call(1, "SQS", "SendMessage", (start + 0.1, start + 0.9))]);
        let segment = machine("Orders", arn.as_deref(), (start, start + 1.0), &[of_state]);
        all.extend(common::traces::in_trace(&format!("1-6955b90{number}-0123456789abcdef01234567"), &[segment]));
    }
    std::fs::write(&traces, batch(&all).to_string()).expect("a file");
    let answer = stepscope(["latency", "--input", &input, "--trace", &traces, "--output", "json"]).succeeds().json();
    let told = &answer["traces"];
    let counts = ["traces", "executions", "traced_executions", "likely", "ambiguous"].map(|name| told[name].as_u64().expect("a number"));
    assert_eq!(counts, [3, 4, 2, 1, 2]);
    assert_eq!((&told["states"][0]["traced_attempts"], &told["states"][0]["attempts"]), (&json!(2), &json!(4)));
}

#[test]
fn latency_asks_xray_for_the_window_of_its_executions() {
    let folder = scene();
    let history = in_folder(folder.path(), "history.json");
    let endpoint = FakeEndpoint::start(|request| match request.action.as_str() {
        "/TraceSummaries" => {
            let bound = |name: &str| request.body[name].as_f64().expect("epoch seconds") - 1_767_225_600.0;
            assert_eq!((bound("StartTime"), bound("EndTime")), (-60.0, 60.0));
            Reply::Json(json!({"TraceSummaries": [{"Id": TRACE, "Duration": 8.1}]}))
        }
        _ => Reply::Json(batch(&segments())),
    });
    let asked = ["latency", "--input", &history, "--output", "json", "--endpoint-url", endpoint.url(), "--trace"];
    let answer = stepscope(asked).succeeds().json();
    assert_eq!((&answer["traces"]["traced_executions"], &answer["traces"]["states"][0]["state"]), (&json!(1), &json!("Charge")));
    let denied = FakeEndpoint::start(|_| Reply::Error("AccessDeniedException", "not authorized"));
    let asked = ["latency", "--input", &history, "--output", "json", "--endpoint-url", denied.url(), "--trace"];
    let run = stepscope(asked).ends_with(1).says(&["failed to read traces of Orders", "xray:GetTraceSummaries"]);
    assert_eq!(run.json()["traces"]["traces"], 0, "the rest of the answer is there");
}

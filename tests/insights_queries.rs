//! The saved queries keep to the language of Logs Insights, and mean what their questions say.
//!
//! No service of AWS is at hand, so they are answered by the reference of `common/insights`, which holds what the documentation says of
//! the language, over records made of told executions.

mod common;

use common::insights::{Cell, Row, read};
use serde_json::{Map, Value, json};
use stepscope::model::History;
use stepscope::model::builder::{HistoryBuilder, history, seconds};
use stepscope::model::wire::WireBundle;
use stepscope::sources::insights::{InsightsQuery, SAVED, saved};

/// The log events that a state machine with level ALL writes while these run.
fn log_of(stories: &[&HistoryBuilder]) -> Vec<Value> {
    stories.iter().flat_map(|story| records(&story.build())).collect()
}

fn records(history: &History) -> Vec<Value> {
    let arn = history.header.arn.as_ref().expect("a told execution has an ARN").to_string();
    let bundle: Value = serde_json::to_value(WireBundle(history)).expect("JSON");
    let events = bundle["events"].as_array().expect("events");
    let record = |(event, told): (&Value, &stepscope::model::HistoryEvent)| {
        let details = event.as_object().expect("an object").iter().find(|(name, _)| name.ends_with("EventDetails"));
        let at = told.timestamp.expect("a told event has a time").as_millisecond();
        let record = json!({
            "id": event["id"].to_string(), "type": event["type"], "details": details.map_or(Value::Object(Map::new()), |(_, details)| details.clone()),
            "redrive_count": "0", "previous_event_id": event["previousEventId"].to_string(), "event_timestamp": at.to_string(), "execution_arn": arn
        });
        json!({"timestamp": at, "message": record.to_string()})
    };
    events.iter().zip(&history.events).map(record).collect()
}

/// The rows of a saved query, checked against its own head.
fn ask(name: &str, values: &[(&str, &str)], machine: Option<&str>, log: &[Value]) -> Vec<Row> {
    let query = InsightsQuery::read(saved(name).expect("a saved query").text);
    let values: Vec<(String, String)> = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let text = query.filled(&values, machine).expect("filled");
    read(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}")).answer(log)
}

fn texts(rows: &[Row], column: &str) -> Vec<String> {
    let text = |row: &Row| match row.get(column) {
        Some(Cell::Text(text)) => text.clone(),
        Some(Cell::Number(number)) => number.to_string(),
        _ => "-".to_owned(),
    };
    rows.iter().map(text).collect()
}

/// Rows with some of their columns, for short expectations.
fn table(rows: &[Row], columns: &[&str]) -> Vec<String> {
    let all: Vec<Vec<String>> = columns.iter().map(|column| texts(rows, column)).collect();
    (0..rows.len()).map(|row| all.iter().map(|column| column[row].clone()).collect::<Vec<_>>().join(" ")).collect()
}

fn paid(name: &str) -> HistoryBuilder {
    let mut story = history("Orders");
    story
        .named(name)
        .enter_task("Charge", json!({}))
        .calls("lambda", "invoke")
        .taking(seconds(2))
        .attempt_succeeded(json!({}))
        .exit(json!({}));
    story.execution_succeeded(json!({}));
    story
}

/// Two attempts, and the second fails as well.
fn declined(name: &str) -> HistoryBuilder {
    let mut story = history("Orders");
    story.named(name).enter_task("Charge", json!({})).calls("lambda", "invoke").attempt_failed("Declined", Some("no funds"));
    story.after(seconds(1)).attempt_failed("Declined", Some("no funds")).execution_failed();
    story
}

fn arn(story: &HistoryBuilder) -> String {
    story.build().header.arn.expect("an ARN").to_string()
}

#[test]
fn every_query_keeps_to_the_language_and_has_the_columns_of_its_head() {
    for saved in SAVED {
        let query = InsightsQuery::read(saved.text);
        let values: Vec<(String, String)> = query
            .parameters
            .iter()
            .filter(|parameter| parameter.default.is_none())
            .map(|parameter| (parameter.name.clone(), "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1".to_owned()))
            .collect();
        for machine in [None, Some("Orders")] {
            let text = query.filled(&values, machine).expect("filled");
            assert!(!text.contains(['{', '}']), "{}: {text}", saved.name);
            let read = read(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", saved.name));
            let told: std::collections::BTreeSet<&str> = query.columns.iter().map(|column| column.name.as_str()).collect();
            let given: std::collections::BTreeSet<&str> = read.columns.iter().map(String::as_str).collect();
            assert_eq!(told, given, "{}", saved.name);
            assert!(!text.contains("| limit"), "{}: rows are limited by --limit", saved.name);
        }
    }
}

#[test]
fn what_is_no_query_is_refused_by_the_reference_too() {
    for (text, told) in [
        ("filtr type = \"a\"", "`filtr` is no command"),
        ("filter typ = \"a\"", "`typ` is no field"),
        ("fields foo(type) as a", "`foo` is no function"),
        ("fields sum(id) as a", "aggregates stand in stats"),
        ("stats count(*)", "has a name"),
        ("sort id asc | stats count(*) as n by type", "comes a stats"),
        ("stats count(*) as n by type | filter id = 1", "`id` is no field"),
        ("stats count(*) as n by type | stats max(n) as n by type | stats max(n) as n by type", "more than two"),
        ("filter type = \"a\" limit 3", "does not end"),
    ] {
        let error = read(text).err().unwrap_or_else(|| panic!("{text} was read"));
        assert!(error.contains(told), "{text}: {error}");
    }
}

#[test]
fn failed_executions_and_their_errors() {
    let (first, second) = (declined("a"), declined("b"));
    let mut stopped = history("Orders");
    stopped.named("c").after(seconds(60)).enter_wait("Hold", json!({})).execution_stopped(None, None);
    let log = log_of(&[&first, &paid("d"), &second, &stopped]);
    let failed = ask("failed-executions", &[], None, &log);
    assert_eq!(failed.len(), 3);
    assert_eq!(table(&failed, &["how", "error", "cause"])[0], "ExecutionAborted - -", "the newest first");
    let errors = ask("errors", &[], None, &log);
    assert_eq!(table(&errors, &["how", "error", "executions"]), ["ExecutionFailed Declined 2", "ExecutionAborted - 1"]);
    assert!([arn(&first), arn(&second)].contains(&texts(&errors, "example")[0]));
}

#[test]
fn states_that_are_entered_and_not_left() {
    let mut caught = history("Orders");
    caught.named("e").enter_task("Charge", json!({})).attempt_failed("Declined", None).caught(json!({}));
    caught.enter_fail("Refuse", json!({})).execution_failed_with("Refused", "no");
    let log = log_of(&[&declined("a"), &declined("b"), &paid("c"), &caught]);
    let rows = ask("failing-states", &[], None, &log);
    assert_eq!(table(&rows, &["state", "visits", "not_left", "percent"]), ["Charge 4 2 50", "Refuse 1 1 100"]);
}

#[test]
fn calls_that_fail_count_attempts_and_executions() {
    let mut wrong = history("Orders");
    wrong.named("e").enter_pass("Shape", json!({})).evaluation_failed("Output", "no such field").execution_failed();
    let rows = ask("failing-calls", &[], None, &log_of(&[&declined("a"), &declined("b"), &paid("c"), &wrong]));
    let columns = ["service", "call", "state", "how", "error", "failures", "executions"];
    assert_eq!(
        table(&rows, &columns),
        ["lambda invoke - TaskFailed Declined 4 2", "- - Shape EvaluationFailed States.QueryEvaluationError 1 1"]
    );
}

#[test]
fn durations_of_states_and_executions() {
    let mut twice = history("Orders");
    twice.named("loop");
    for _ in 0..2 {
        twice.enter_wait("Hold", json!({})).after(seconds(30)).exit(json!({}));
    }
    twice.execution_succeeded(json!({}));
    let log = log_of(&[&paid("a"), &paid("b"), &twice, &declined("c")]);
    let states = ask("slowest-states", &[], None, &log);
    assert_eq!(texts(&states, "state"), ["Charge"], "what was entered twice is left out, and so is what has no exit");
    assert_eq!(texts(&states, "visits"), ["2"]);
    let executions = ask("slowest-executions", &[], None, &log);
    assert_eq!(texts(&executions, "execution")[0], arn(&twice));
    let took: Vec<f64> = texts(&executions, "took_ms").iter().map(|text| text.parse().expect("a number")).collect();
    assert!(took.is_sorted_by(|one, other| one >= other) && took[0] >= 60_000.0, "{took:?}");
    assert_eq!(texts(&executions, "ended").iter().filter(|ended| *ended == "ExecutionSucceeded").count(), 3);
}

#[test]
fn retries_are_attempts_beyond_visits() {
    let mut parallel = history("Orders");
    parallel.named("p").enter_parallel("Both", json!({}));
    for _ in 0..3 {
        parallel.parallel_started();
        parallel.branch().enter_task("One", json!({})).attempt_failed("Busy", None).scope_failed();
        parallel.composite_failed();
    }
    parallel.execution_failed();
    let log = log_of(&[&declined("a"), &paid("b"), &parallel]);
    let rows = ask("retries-per-minute", &[("bin", "1d")], None, &log);
    // Charge was retried once, Both twice; One is visited anew each time.
    assert_eq!(table(&rows, &["attempts", "visits", "retries"]), ["9 6 3"]);
    let most = ask("most-retried", &[("attempts", "1")], None, &log);
    assert_eq!(texts(&most, "attempts")[0], "3");
    assert!(texts(&most, "execution").contains(&arn(&declined("a"))));
}

#[test]
fn throttles_and_timeouts() {
    let mut throttled = history("Orders");
    throttled.named("t").enter_task("Charge", json!({})).calls("lambda", "invoke");
    throttled.attempt_failed("Lambda.TooManyRequestsException", Some("Rate exceeded")).attempt_failed("Boom", Some("Rate exceeded"));
    throttled.attempt_failed("Boom", None).execution_failed();
    let mut late = history("Orders");
    late.named("l").enter_task("Charge", json!({})).calls("lambda", "invoke").timeout(seconds(3)).attempt_timed_out().execution_failed();
    let log = log_of(&[&throttled, &late, &paid("a")]);
    let throttles = ask("throttles", &[], None, &log);
    let mut shown = table(&throttles, &["service", "call", "error", "throttled", "executions"]);
    shown.sort();
    assert_eq!(shown, ["lambda invoke Boom 1 1", "lambda invoke Lambda.TooManyRequestsException 1 1"]);
    let timeouts = ask("timeouts", &[], None, &log);
    let mut how = table(&timeouts, &["how", "error", "call", "timeouts"]);
    how.sort();
    assert_eq!(how, ["ExecutionFailed States.Timeout - 1", "TaskTimedOut States.Timeout invoke 1"]);
}

#[test]
fn one_execution_in_the_order_of_its_numbers() {
    let (wanted, other) = (declined("a"), paid("b"));
    let mut log = log_of(&[&other, &wanted]);
    log.reverse();
    let rows = ask("execution", &[("execution", &arn(&wanted))], None, &log);
    let numbers: Vec<f64> = texts(&rows, "event").iter().map(|number| number.parse().expect("a number")).collect();
    assert_eq!(numbers.len(), wanted.build().events.len());
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "by number, so 10 comes behind 9: {numbers:?}");
    assert_eq!(table(&rows, &["type", "state"])[1], "TaskStateEntered Charge");
}

#[test]
fn express_executions_are_priced_by_started_hundred_milliseconds() {
    let express = |name: &str, milliseconds: i64| -> Vec<Value> {
        let arn = format!("arn:aws:states:eu-west-1:111111111111:express:Quotes:{name}:1234");
        let record = |kind: &str, at: i64| json!({"timestamp": at, "message": json!({"type": kind, "execution_arn": arn}).to_string()});
        vec![record("ExecutionStarted", 1_000), record("ExecutionSucceeded", 1_000 + milliseconds)]
    };
    let mut log = [express("a", 180), express("b", 200)].concat();
    log.extend(log_of(&[&paid("standard")]));
    log.push(express("unfinished", 5)[0].clone());
    let rows = ask("express-cost", &[], None, &log);
    assert_eq!(table(&rows, &["machine", "executions", "average_ms", "p95_ms", "billed_s"]), ["Quotes 2 190 200 0.4"]);
    let usd: f64 = texts(&rows, "usd")[0].parse().expect("a number");
    // By hand: two requests, and 0.4 seconds of a sixteenth of a gigabyte.
    assert!((usd - (2.0 * 0.000_001 + 0.4 * 0.0625 * 0.000_016_67)).abs() < 1e-12, "{usd}");
}

#[test]
fn versions_beside_each_other() {
    let versioned = |name: &str, version: &str| {
        let mut story = history("Orders");
        story.named(name).version(version).enter_wait("Hold", json!({}));
        story
    };
    let mut failed = versioned("a", "1");
    failed.execution_stopped(None, None);
    let log = log_of(&[&failed, &versioned("b", "1"), &versioned("c", "2"), &paid("d")]);
    let rows = ask("failures-by-version", &[], None, &log);
    let mut shown: Vec<String> = table(&rows, &["version", "executions", "failed", "percent"]);
    shown.sort();
    assert_eq!(shown.len(), 3, "{shown:?}");
    assert!(shown.iter().any(|row| row.contains(":Orders:1 2 1 50")), "{shown:?}");
    assert!(shown.iter().any(|row| row == "- 1 0 0"), "{shown:?}");
}

#[test]
fn callbacks_without_an_answer_and_executions_without_an_end() {
    let waiting = |name: &str| {
        let mut story = history("Orders");
        story
            .named(name)
            .enter_task("Approve", json!({}))
            .calls("sqs", "sendMessage.waitForTaskToken")
            .scheduled()
            .started()
            .submitted(json!({}));
        story
    };
    let open = waiting("open");
    let mut answered = waiting("answered");
    answered.succeeded(json!({})).exit(json!({})).enter_wait("Hold", json!({}));
    let mut stopped = waiting("stopped");
    stopped.execution_stopped(None, None);
    let mut again = waiting("again");
    again.failed("No", None).scheduled().started().submitted(json!({}));
    let log = log_of(&[&open, &answered, &stopped, &again, &paid("a")]);
    let rows = ask("open-callbacks", &[], None, &log);
    let mut shown = table(&rows, &["open", "call", "execution"]);
    shown.sort();
    let expected = |story: &HistoryBuilder| format!("1 sendMessage.waitForTaskToken {}", arn(story));
    let mut wanted = [expected(&open), expected(&again)];
    wanted.sort();
    assert_eq!(shown, wanted);
    let mut unfinished = texts(&ask("open-executions", &[], None, &log), "execution");
    unfinished.sort();
    let mut wanted = [arn(&open), arn(&answered), arn(&again)];
    wanted.sort();
    assert_eq!(unfinished, wanted);
}

#[test]
fn payloads_that_were_cut_whatever_the_flag_is_written_as() {
    let record = |kind: &str, truncated: Value| {
        let details = json!({"name": "Load", "inputDetails": {"truncated": truncated}});
        json!({"timestamp": 1, "message": json!({"type": kind, "details": details, "execution_arn": "arn"}).to_string()})
    };
    let log =
        [record("PassStateEntered", json!("true")), record("PassStateEntered", json!(true)), record("TaskStateEntered", json!(false))];
    assert_eq!(table(&ask("truncated-payloads", &[], None, &log), &["state", "type", "records"]), ["Load PassStateEntered 2"]);
}

#[test]
fn throughput_and_visits() {
    let log = log_of(&[&declined("a"), &paid("b"), &paid("c")]);
    assert_eq!(table(&ask("throughput", &[("bin", "1d")], None, &log), &["started", "succeeded", "failed"]), ["3 2 1"]);
    let visits = ask("state-visits", &[], None, &log);
    assert_eq!(table(&visits, &["state", "type", "visits", "executions", "per_execution"]), ["Charge TaskStateEntered 3 3 1"]);
}

#[test]
fn a_named_machine_leaves_others_of_the_group_out() {
    let other = |machine: &str| {
        let mut story = history(machine);
        story.named("x").enter_fail("Stop", json!({})).execution_failed_with("Other", "no");
        story
    };
    let log = log_of(&[&declined("a"), &other("Orders-2"), &other("MyOrders"), &other("Orders")]);
    let errors = |machine: Option<&str>| ask("errors", &[], machine, &log).len();
    assert_eq!((errors(None), errors(Some("Orders")), errors(Some("Orders-2")), errors(Some("Order"))), (2, 2, 1, 0));
    let executions = ask("failed-executions", &[], Some("Orders"), &log);
    assert!(texts(&executions, "execution").iter().all(|arn| arn.contains(":execution:Orders:")), "{executions:?}");
}

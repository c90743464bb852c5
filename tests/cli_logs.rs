//! The program on log records: an export of Express executions alone leads to the failing state and its input.

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;

use common::log_records::{Level, bare, exported, filtered, records};
use common::program::{argument, stepscope, stepscope_reading};
use common::store::{self, Form};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use stepscope::model::History;
use stepscope::model::builder::{history, milliseconds};
use tempfile::TempDir;

fn arn(number: usize) -> String {
    format!("arn:aws:states:eu-west-1:111111111111:express:Orders:run-{number}:7fa0cfbe-be28-4a20-9875-{number:012}")
}

fn order(number: usize) -> Value {
    json!({"order": number})
}

/// Every third one fails.
fn told(number: usize) -> History {
    let mut told = history("Orders");
    told.pass("Check", order(number), order(number)).enter_task("Charge", order(number));
    told.after(milliseconds(20)).scheduled_with(json!({"FunctionName": "charge", "Payload": order(number)})).started();
    if number.is_multiple_of(3) {
        return told.after(milliseconds(500)).failed("CardDeclined", Some("no money")).execution_failed().build();
    }
    told.after(milliseconds(300)).succeeded(json!({"paid": true})).exit(json!({"paid": true})).execution_succeeded(json!({})).build()
}

fn all(level: Level) -> Vec<Value> {
    (0..12).flat_map(|number| records(&told(number), &arn(number), level, true)).collect()
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).expect("memory");
    fs::write(path, packer.finish().expect("memory")).expect("a file");
}

/// What `aws logs create-export-task` leaves in a bucket: gzip files in folders by stream, and a file that shows that it may write.
fn export() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let records = all(Level::All);
    for stream in 0..4 {
        // One execution's records stand in every stream.
        let part: Vec<Value> = records.iter().skip(stream).step_by(4).cloned().collect();
        let text = exported(&part) + "2026-01-01T00:00:00.000Z REPORT RequestId: 7 Duration: 5 ms\n";
        write(&folder.path().join(format!("7d1f/states-Orders-2026-01-01-00-{stream}/000000.gz")), &text);
    }
    fs::write(folder.path().join("aws-logs-write-test"), "Permission Check Successful").expect("a file");
    folder
}

#[test]
fn an_export_of_express_executions_leads_to_the_state_and_its_input() {
    let folder = export();
    let path = argument(folder.path());
    let failures =
        stepscope(["failures", "--input", path, "--output", "json"]).ends_with(0).says(&["4 lines of the log are no records"]).json();
    let [group] = failures["groups"].as_array().expect("groups").as_slice() else { panic!("{failures}") };
    assert_eq!(
        (group["state"].as_str(), group["error"].as_str(), group["count"].as_u64()),
        (Some("Charge"), Some("CardDeclined"), Some(4))
    );
    let why = stepscope(["why", path, "--execution", "run-3", "--output", "json"]).ends_with(0).json();
    let cause = &why["root_cause"];
    assert_eq!((cause["state"].as_str(), cause["confidence"].as_str()), (Some("Charge"), Some("certain")));
    assert_eq!(cause["input"].as_str(), Some(order(3).to_string().as_str()));
    assert_eq!((why["execution"]["arn"].as_str(), &why["incomplete"]), (Some(arn(3).as_str()), &json!([])));
    stepscope(["why", path, "--status", "failed"]).ends_with(0).shows(&["4 executions: 4 failed", "CardDeclined"]);
    stepscope(["show", path, "--execution", "run-4"]).ends_with(0).shows(&["Charge", "320ms"]);
    let latency = stepscope(["latency", "--input", path, "--output", "json"]).ends_with(0).json();
    let charge = latency["states"].as_array().expect("states").iter().find(|state| state["state"] == "Charge").expect("Charge");
    assert_eq!((charge["visits"].as_u64(), charge["p50_ms"].as_f64()), (Some(12), Some(320.0)));
    stepscope(["cost", "--input", path]).ends_with(0).shows(&["EXPRESS, 12 executions"]);
}

#[test]
fn the_store_keeps_them_and_the_same_records_again_change_nothing() {
    let folder = export();
    let store = tempfile::tempdir().expect("a folder");
    let ingest = || {
        let arguments = ["ingest", argument(folder.path()), "--store", argument(store.path()), "--output", "json"];
        stepscope(arguments).ends_with(0).json()
    };
    let (first, again) = (ingest(), ingest());
    assert_eq!((first["new"].as_u64(), again["unchanged"].as_u64(), again["new"].as_u64()), (Some(12), Some(12), Some(0)));
    stepscope(["why", "run-3", "--store", argument(store.path())]).ends_with(0).shows(&["Charge", "CardDeclined"]);
}

#[test]
fn records_in_several_arguments_and_on_standard_input_belong_together() {
    let records = all(Level::All);
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (folder.path().join("one.json"), folder.path().join("other.jsonl"));
    let (first, second): (Vec<(usize, Value)>, _) = records.iter().cloned().enumerate().partition(|(number, _)| number % 2 == 0);
    let values = |part: Vec<(usize, Value)>| part.into_iter().map(|(_, record)| record).collect::<Vec<_>>();
    fs::write(&one, filtered(&values(first))).expect("a file");
    fs::write(&other, bare(&values(second))).expect("a file");
    for arguments in [["why", argument(&one), argument(&other)], ["why", argument(folder.path()), "--quiet"]] {
        stepscope(arguments).ends_with(0).shows(&["12 executions: 4 failed, 8 succeeded"]);
    }
    let failures = ["failures", "--input", argument(&one), "--input", argument(&other)];
    stepscope(failures).ends_with(0).shows(&["4 of 12 executions failed"]);
    stepscope_reading(["why", "-"], filtered(&records)).ends_with(0).shows(&["12 executions: 4 failed, 8 succeeded"]);
}

#[test]
fn at_error_the_answer_says_what_it_lacks() {
    let log = filtered(&records(&told(0), &arn(0), Level::Error, false));
    let wanted = [
        "State     not known",
        "CardDeclined",
        "no money",
        "only failures were logged (level ERROR)",
        "started at a time that is not known",
    ];
    stepscope_reading(["why", "-"], log.clone()).ends_with(0).shows(&wanted);
    let latency = stepscope_reading(["latency", "--input", "-", "--output", "json"], log.clone()).json();
    assert_eq!(latency["machines"][0]["p50_ms"], Value::Null, "nobody knows how long it took: {latency}");
    let definitions = tempfile::tempdir().expect("a folder");
    let definition = json!({"StartAt": "Check", "States": {"Check": {"Type": "Pass", "Next": "Charge"},
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}});
    fs::write(definitions.path().join("Orders.json"), definition.to_string()).expect("a file");
    let arguments = ["why", "-", "--definitions", argument(definitions.path())];
    stepscope_reading(arguments, log).ends_with(0).shows(&["State     Charge", "Sure?     likely"]);
}

#[test]
fn bad_records_are_told_one_line_a_kind_and_the_exit_code_says_so() {
    let records = all(Level::All);
    let cut = |number: usize| records[number].to_string()[..70].to_owned() + "\n";
    let text = cut(3) + &bare(&records) + "END RequestId: 7\n" + &cut(5) + &cut(9);
    let words = ["line 1: a log record that is cut short or broken; left out, and 2 others like it", "1 line of the log is no record"];
    stepscope_reading(["why", "-", "--status", "failed"], text.clone()).ends_with(1).says(&words).shows(&["4 executions: 4 failed"]);
    stepscope_reading(["failures", "--input", "-"], text.clone()).ends_with(1).says(&words).shows(&["4 of 12 executions failed"]);
    let store = tempfile::tempdir().expect("a folder");
    let report =
        stepscope_reading(["ingest", "-", "--store", argument(store.path()), "--output", "json"], text).ends_with(1).says(&words).json();
    assert_eq!((report["new"].as_u64(), report["rejected"].as_u64()), (Some(12), Some(3)));
    let set_aside = fs::read_to_string(report["rejected_file"].as_str().expect("a file")).expect("readable");
    assert_eq!(set_aside.lines().count(), 3);
}

#[test]
fn a_log_of_something_else_is_a_failure_that_says_so() {
    let text = "2026-01-01T00:00:00.000Z START RequestId: 7\n2026-01-01T00:00:00.001Z END RequestId: 7\n";
    let words = ["2 lines of the log are no records of Step Functions, and nothing else was found"];
    stepscope_reading(["why", "-"], text).ends_with(1).says(&words);
    stepscope_reading(["failures", "--input", "-"], text).ends_with(1).says(&words);
}

#[test]
fn log_records_of_a_redrive_alone_never_stand_for_an_execution_that_was_whole() {
    let redriven = store::order("a", 0, Form::RedrivenAndSucceeded);
    let arn = redriven.header.arn.as_ref().expect("an ARN").as_str();
    let logged = |level, from: &str| {
        let mut records = records(&redriven, arn, level, true);
        records.drain(..records.iter().position(|record| record["type"] == from).expect("an event of the type"));
        bare(&records)
    };
    let sights = [
        store::lines([store::order("a", 0, Form::Failed)]),
        logged(Level::All, "ExecutionRedriven"),
        logged(Level::Error, "TaskFailed"),
        store::lines([store::order("a", 0, Form::Running)]),
    ];
    for order in [[0, 1, 2, 3], [1, 0, 3, 2], [3, 2, 1, 0], [2, 3, 0, 1], [1, 2, 3, 0]] {
        let folder = store::folder();
        let (file, store) = (folder.path().join("sight.jsonl"), folder.path().join("store"));
        let failures = |given: &[&str]| {
            let told = stepscope([&["failures", "--output", "json"], given].concat()).ends_with(0).json();
            (told["coverage"]["executions"].clone(), told["groups"][0]["error"].clone())
        };
        for sight in order {
            fs::write(&file, &sights[sight]).expect("written");
            stepscope(["ingest", argument(&file), "--store", argument(&store)]).ends_with(0);
        }
        let select = "SELECT events, redrive_count, gaps FROM executions";
        let rows = stepscope(["query", "--store", argument(&store), "--output", "jsonl", select]).ends_with(0).json_lines();
        let [row] = rows.as_slice() else { panic!("one execution: {rows:?}") };
        let whole = store::order("a", 0, Form::Failed).events.len();
        assert_eq!((&row["events"], &row["redrive_count"], &row["gaps"]), (&json!(whole), &json!(0), &Value::Null), "{order:?}: {row}");
        assert_eq!(failures(&["--store", argument(&store)]), (json!(1), json!("CardDeclined")), "{order:?}");
        fs::write(&file, order.map(|sight| sights[sight].as_str()).concat()).expect("written");
        assert_eq!(failures(&["--input", argument(&file)]), (json!(1), json!("CardDeclined")), "{order:?}");
    }
}

#[test]
fn a_record_that_cannot_be_read_may_be_the_failure_that_was_looked_for() {
    let arn = "arn:aws:states:eu-west-1:111111111111:express:Orders:run-1:7fa0cfbe-be28-4a20-9875-73c37f5dc39e";
    let end = format!(
        r#"{{"id":"1","type":"ExecutionSucceeded","details":{{"output":"{{}}"}},"previous_event_id":"0","event_timestamp":"1785902417192","execution_arn":"{arn}","redrive_count":"0"}}"#
    );
    for verb in ["failures", "compare"] {
        let cut = format!("{}\n{end}\n", &end[..80]);
        stepscope_reading([verb, "--input", "-"], cut).ends_with(1).says(&["a log record that is cut short or broken"]);
        stepscope_reading([verb, "--input", "-"], format!("{end}\n")).ends_with(4);
    }
}

//! `compare` as its user runs it: on files, with every flag, and with nothing to compare.

mod common;

use std::path::PathBuf;

use common::program::{Run, argument, stepscope, stepscope_reading};
use serde_json::{Value, json};
use stepscope::model::Timestamp;
use stepscope::model::builder::{HistoryBuilder, history, seconds};
use stepscope::model::wire::WireBundle;
use tempfile::TempDir;

/// Two hours of orders, one a minute. In the second hour every order in yen fails in Charge; of six orders there is no stock.
struct Orders {
    _folder: TempDir,
    file: PathBuf,
}

const FIRST: &str = "2026-11-20T08:00:00Z";

impl Orders {
    fn new() -> Self {
        let lines = (0..120).map(|minute| line(&order(minute)));
        Self::of(lines.collect())
    }

    fn of(text: String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("orders.jsonl");
        std::fs::write(&file, text).expect("a file");
        Self { _folder: folder, file }
    }

    fn compare(&self, arguments: &[&str]) -> Run {
        stepscope([&["compare", "--input", argument(&self.file)], arguments].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.compare(&[arguments, &["--output", "json"]].concat()).succeeds().json()
    }
}

fn line(story: &HistoryBuilder) -> String {
    serde_json::to_string(&WireBundle(&story.build())).expect("JSON") + "\n"
}

fn order(minute: i64) -> HistoryBuilder {
    let currency = ["EUR", "USD", "JPY", "GBP", "CHF"][usize::try_from(minute % 5).expect("a number")];
    let input = json!({"orderId": format!("o-{minute}"), "currency": currency, "amount": (minute * 37) % 1000});
    let mut story = history("Orders");
    let first: Timestamp = FIRST.parse().expect("a time");
    story.clock_at(first + jiff::SignedDuration::from_mins(minute)).named(&format!("order-{minute}")).input(&input);
    story.enter_task("Reserve", &input);
    if [9, 27, 41, 58, 76, 93].contains(&minute) {
        story.attempt_failed("NoStock", Some("nothing left")).execution_failed();
        return story;
    }
    story.attempt_succeeded(json!({})).exit(&input);
    story.enter_task("Charge", &input).after(seconds(2));
    if minute >= 60 && currency == "JPY" {
        story.attempt_failed("KeyError", Some("'JPY'")).execution_failed();
        return story;
    }
    story.attempt_succeeded(json!({})).exit(&input);
    story.enter_task("Ship", &input).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    story
}

#[test]
fn the_story_of_an_incident_is_told_in_eighty_columns() {
    let told = Orders::new().compare(&["--by-group"]).succeeds();
    let id = regex::Regex::new("1:[0-9a-f]{12}").expect("a pattern");
    insta::assert_snapshot!(id.replace_all(&told.out, "1:************"));
    assert!(told.out.lines().all(|line| line.chars().count() <= 80), "{}", told.out);
}

#[test]
fn each_group_is_compared_alone_with_those_that_could_have_failed_so() {
    let orders = Orders::new();
    let report = orders.json(&["--by-group"]);
    let [yen, stock] = report["comparisons"].as_array().expect("a list").as_slice() else { panic!("{report}") };
    assert_eq!(yen["reached"], json!(["Charge"]));
    assert_eq!(yen["findings"][0]["condition"], "input.currency = 'JPY'");
    assert_eq!((&yen["findings"][0]["a_count"], &yen["findings"][0]["b_count"]), (&json!(12), &json!(0)));
    assert_eq!(yen["b"]["outside_window"].as_u64().expect("a count") + yen["b"]["compared"].as_u64().expect("a count"), 102);
    assert_eq!(stock["failures"][0]["error"], "NoStock");

    let id = yen["group"].as_str().expect("an id");
    let alone = orders.json(&["--group", &id[..6]]);
    assert_eq!(alone["comparisons"], json!([yen]));
}

#[test]
fn what_was_found_can_be_asked_for() {
    let orders = Orders::new();
    let report = orders.json(&[]);
    let condition = report["comparisons"][0]["findings"][0]["condition"].as_str().expect("an expression").to_owned();
    let asked = orders.json(&["--where", &condition]);
    assert_eq!(asked["comparisons"][0]["a"]["executions"], 24);
    assert_eq!(asked["comparisons"][0]["findings"][0]["attribute"], "error");
}

#[test]
fn the_state_machine_and_the_window_narrow_it() {
    let orders = Orders::new();
    let report = orders.json(&["--since", "2026-11-20T09:00:00Z", "--state-machine", "Orders"]);
    assert_eq!((&report["coverage"]["executions"], &report["coverage"]["left_out"]), (&json!(60), &json!(60)));
    orders.compare(&["--state-machine", "Other"]).ends_with(4).says(&["is of that machine and in that window"]);
}

#[test]
fn an_empty_side_is_code_four_and_says_what_there_is() {
    let orders = Orders::new();
    orders.compare(&["--where", "status = ABORTED"]).ends_with(4).says(&[
        "side A is empty",
        "`status = ABORTED`",
        "18 FAILED, 102 SUCCEEDED",
    ]);
    orders.compare(&["--against", "version = 7"]).ends_with(4).says(&["side B is empty", "`version = 7`"]);
    orders.compare(&["--group", "7:00"]).ends_with(4).says(&["no failure group has an id that begins with `7:00`; there are 1:"]);
    let succeeded = Orders::of(line(&order(0)));
    succeeded.compare(&[]).ends_with(4).says(&["nothing failed, timed out or was aborted; there are 1 SUCCEEDED"]);
    stepscope_reading(["compare", "--input", "-"], line(&order(0))).ends_with(4).says(&["nothing failed"]);
}

#[test]
fn an_expression_that_is_none_is_wrong_usage() {
    let orders = Orders::new();
    orders
        .compare(&["--where", "statsu = FAILED"])
        .ends_with(2)
        .says(&["--where: column 1: there is no field `statsu`; is `status` meant?"]);
    orders.compare(&["--against", "status = FAILED and"]).ends_with(2).says(&["--against: column 20: expected a field", "found the end"]);
    orders.compare(&["--group", "1", "--where", "version = 7"]).ends_with(2);
    stepscope(["compare"]).ends_with(2);
}

#[test]
fn exit_status_tells_whether_something_was_found() {
    let orders = Orders::new();
    orders.compare(&["--exit-status"]).ends_with(3);
    orders.compare(&["--exit-status", "--where", "root_error = NoStock"]).ends_with(0);
}

#[test]
fn secrets_and_escape_sequences_in_values_do_not_reach_the_terminal() {
    let lines = (0..40).map(|minute| {
        let fails = minute % 2 == 1;
        let input = json!({"odd\u{1b}[2Jname": if fails { "\u{1b}]0;title\u{7}" } else { "fine" }, "password": if fails { "hunter2" } else { "other" }});
        let mut story = history("Orders");
        story.named(&format!("order-{minute}")).input(&input).enter_task("Charge", &input);
        if fails { story.attempt_failed("Declined", None).execution_failed() } else { story.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({})) };
        line(&story)
    });
    let told = Orders::of(lines.collect());
    for format in ["text", "json", "jsonl"] {
        let run = told.compare(&["--output", format]).succeeds();
        assert!(!run.out.contains(['\u{1b}', '\u{7}']), "{format}: {}", run.out);
        assert!(run.out.contains("20"), "{}", run.out);
    }
}

#[test]
fn broken_lines_are_reported_and_the_rest_is_compared() {
    let mut text: String = (0..120).map(|minute| line(&order(minute))).collect();
    text.push_str("{\"describe\": tru\n");
    let orders = Orders::of(text);
    orders.compare(&[]).ends_with(1).shows(&["input.currency = JPY"]).says(&["line 121"]);
}

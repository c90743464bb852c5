//! `storms` as its user runs it: what is found, what is not taken for one, the flags, and nothing to look at.

mod common;

use std::path::PathBuf;

use common::program::{Run, argument, stepscope};
use serde_json::{Value, json};
use stepscope::model::Timestamp;
use stepscope::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use stepscope::model::wire::WireBundle;
use tempfile::TempDir;

/// Traffic of an hour, one order a minute, and forty orders whose payments were cut off at 09:30 and retried by everybody's clock.
struct Orders {
    folder: TempDir,
}

const FIRST: &str = "2026-11-20T08:30:00Z";
/// Waits in milliseconds.
const WAITS: [i64; 3] = [2_030, 4_030, 8_030];

impl Orders {
    /// Each retry waits for as long as `wait` says: of whom, and which.
    fn new(members: i64, wait: impl Fn(i64, usize) -> i64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut text: String = (0..60).map(|minute| line(&order(&format!("calm-{minute}"), minute * 60_000, &[]))).collect();
        for member in 0..members {
            let waits: Vec<i64> = (0..3).map(|retry| wait(member, retry)).collect();
            text += &line(&order(&format!("cut-{member}"), 3_600_000 + member * 10, &waits));
        }
        std::fs::write(folder.path().join("orders.jsonl"), text).expect("a file");
        Self { folder }
    }

    fn lockstep() -> Self {
        Self::new(40, |member, retry| WAITS[retry] + member % 7)
    }

    fn jittered() -> Self {
        Self::new(40, |member, retry| 10 + WAITS[retry] * ((member * 17 + 11 * i64::try_from(retry).expect("small")) % 40) / 40)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("orders.jsonl")
    }

    fn storms(&self, more: &[&str]) -> Run {
        stepscope([&["storms", "--input", argument(&self.file())], more].concat())
    }

    fn findings(&self, more: &[&str]) -> Vec<Value> {
        let document = self.storms(&[more, &["--output", "json"]].concat()).ends_with(0).json();
        document["findings"].as_array().expect("findings").clone()
    }
}

fn order(name: &str, after: i64, waits: &[i64]) -> HistoryBuilder {
    let mut story = history("Orders");
    let first: Timestamp = FIRST.parse().expect("a time");
    story.clock_at(first + jiff::SignedDuration::from_millis(after)).named(name).pace(seconds(0)).enter_task("Pay", json!({}));
    for wait in waits {
        story
            .taking(milliseconds(200))
            .attempt_failed("Unavailable", Some("refused"))
            .after(milliseconds(u64::try_from(*wait).expect("a wait")));
    }
    story.taking(milliseconds(200)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    story
}

fn line(story: &HistoryBuilder) -> String {
    serde_json::to_string(&WireBundle(&story.build())).expect("JSON") + "\n"
}

#[test]
fn a_storm_is_told_in_a_sentence_with_its_waves() {
    let run = Orders::lockstep().storms(&[]).succeeds();
    let at = |words: &str| run.out.find(words).unwrap_or_else(|| panic!("no `{words}` in\n{}", run.out));
    assert!(at("1 retry storm in 100 executions") < at("CRITICAL: 40 executions of Orders retried Pay in lockstep: 09:30:02, +4 s, +8"));
    assert!(at("in lockstep") < at("09:30:06"));
    assert!(at("40 of 40") < at("calls for each first one"));
    assert!(at("Unavailable 120") < at("next"));
    assert!(at("all executions got through") < at("stepscope show"));
    assert!(run.out.lines().all(|line| line.contains("stepscope show") || line.chars().count() <= 80), "{}", run.out);
}

#[test]
fn the_evidence_can_be_checked_with_the_command_it_names() {
    let orders = Orders::lockstep();
    let storm = &orders.findings(&[])[0];
    let sample = &storm["evidence"]["samples"][0];
    let waits: Vec<f64> = sample["retries"].as_array().expect("retries").iter().filter_map(|retry| retry["wait_ms"].as_f64()).collect();
    let near = |seen: f64, told: i64| u32::try_from(told).is_ok_and(|told| (seen - f64::from(told)).abs() < 7.0);
    assert!(waits.iter().zip(WAITS).all(|(seen, told)| near(*seen, told)), "{waits:?}");
    let command = storm["next"][0]["command"].as_str().expect("a command");
    let words: Vec<&str> = command.strip_prefix("stepscope ").expect("this program").split(' ').collect();
    stepscope(words.clone()).succeeds().shows(&["after waiting 2.0s", "after waiting 4.0s", "after waiting 8.0s", "Unavailable"]);
    let arguments: Vec<&str> = words.iter().take_while(|word| **word != "--state").copied().collect();
    let history = stepscope([&arguments[..], &["--events", "--output", "json"]].concat()).succeeds().json();
    let kind =
        |id: &Value| history["events"].as_array().expect("events").iter().find(|event| event["id"] == *id).map(|event| &event["type"]);
    for retry in sample["retries"].as_array().expect("retries") {
        assert_eq!(kind(&retry["failed_event_id"]), Some(&json!("TaskFailed")));
        assert_eq!(kind(&retry["scheduled_event_id"]), Some(&json!("TaskScheduled")));
    }
}

#[test]
fn retries_with_jitter_are_shown_when_they_are_asked_for() {
    let orders = Orders::jittered();
    assert_eq!(orders.findings(&[]), Vec::<Value>::new());
    orders.storms(&[]).succeeds().shows(&["No retry storm", "spread by jitter", "--jittered"]);
    let asked = orders.findings(&["--jittered"]);
    assert_eq!(asked.iter().map(|storm| &storm["jittered"]).collect::<Vec<_>>(), [&json!(true)]);
    assert_eq!(asked[0]["evidence"]["waits"]["verdict"], "full");
}

#[test]
fn flags_narrow_what_is_told() {
    let orders = Orders::lockstep();
    assert_eq!(orders.findings(&["--state", "Pay"]).len(), 1);
    assert_eq!(orders.findings(&["--state", "Ship"]).len(), 0);
    assert_eq!(orders.findings(&["--min", "40"]).len(), 1);
    assert_eq!(orders.findings(&["--min", "41"]).len(), 0);
    assert_eq!(orders.findings(&["--now", "2026-11-20T12:00:00Z"])[0]["severity"], "warning", "hours ago, and all got through");
    let line = orders.storms(&["--output", "jsonl"]).succeeds();
    assert!(line.out.starts_with(r#"{"schema":"stepscope.storms.row/1","kind":"retry_storm""#) && line.out.lines().count() == 1);
}

#[test]
fn the_exit_code_tells_when_it_is_asked_to() {
    Orders::lockstep().storms(&["--exit-status"]).ends_with(3);
    Orders::jittered().storms(&["--exit-status"]).ends_with(0);
    let orders = Orders::lockstep();
    orders.storms(&["--since", "2027-01-01T00:00:00Z"]).ends_with(4).says(&["none of 100 executions in the input"]);
}

#[test]
fn four_are_no_storm_and_the_answer_says_what_was_looked_at() {
    let orders = Orders::new(4, |_, retry| WAITS[retry]);
    orders.storms(&[]).succeeds().shows(&["No retry storm in 64 executions", "looked at 12 retries of 76 attempts", "fewer than five"]);
}

#[test]
fn the_order_of_the_input_makes_no_difference() {
    let orders = Orders::lockstep();
    let before = orders.findings(&[]);
    let text = std::fs::read_to_string(orders.file()).expect("the file");
    let turned: Vec<&str> = text.lines().rev().collect();
    std::fs::write(orders.file(), turned.join("\n")).expect("a file");
    assert_eq!(orders.findings(&[]), before);
}

#[test]
fn a_parallel_that_is_retried_as_a_whole_is_a_storm_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("quotes.jsonl");
    let first: Timestamp = FIRST.parse().expect("a time");
    let quote = |number: i64| {
        let mut story = history("Quotes");
        story.clock_at(first + jiff::SignedDuration::from_millis(number * 10)).named(&format!("quote-{number}")).pace(seconds(0));
        story.enter_parallel("Ask", json!({}));
        for wait in [5, 10, 0] {
            story.parallel_started();
            let mut branch = story.branch();
            branch.enter_task("AskOne", json!({})).taking(milliseconds(100)).attempt_failed("Unavailable", None).scope_failed();
            story.composite_failed().after(seconds(wait));
        }
        story.execution_failed();
        line(&story)
    };
    std::fs::write(&file, (0..20).map(quote).collect::<String>()).expect("a file");
    let document = stepscope(["storms", "--input", argument(&file), "--output", "json"]).succeeds().json();
    let storm = &document["findings"][0];
    assert_eq!((&storm["state"], &storm["evidence"]["cohort"]), (&json!("Ask"), &json!(20)), "{document}");
    assert_eq!(storm["evidence"]["errors"], json!([{"error": "Unavailable", "count": 40}]));
    assert_eq!(document["findings"].as_array().map(Vec::len), Some(1), "the state inside is called again, and retries nothing");
}

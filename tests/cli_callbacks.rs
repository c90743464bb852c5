//! `callbacks` as its user runs it: on files and a store, with every flag, and with nothing to find.

mod common;

use std::path::Path;

use common::program::{argument, stepscope};
use serde_json::{Value, json};
use stepscope::model::Timestamp;
use stepscope::model::builder::{HistoryBuilder, history, seconds};
use stepscope::model::wire::WireBundle;
use tempfile::TempDir;

const TOKEN: &str = "AQCfabcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123";
const NOW: &str = "2026-11-20T20:00:00Z";

fn approval(number: u64, answered_after: Option<u64>) -> HistoryBuilder {
    let mut story = history("Approvals");
    let first: Timestamp = "2026-11-20T08:00:00Z".parse().expect("a time");
    story.clock_at(first + jiff::SignedDuration::from_mins(i64::try_from(number).expect("small"))).named(&format!("approval-{number}"));
    story.enter_task("Approve", json!({"order": number})).calls("sqs", "sendMessage.waitForTaskToken");
    match answered_after {
        Some(after) => {
            story.taking(seconds(after)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        }
        None => {
            story.scheduled_with(json!({"MessageBody": {"TaskToken": TOKEN}})).started();
        }
    }
    story
}

/// Forty approvals that took minutes, two that nobody answered.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lines = String::new();
    let mut add = |story: HistoryBuilder| lines += &(serde_json::to_string(&WireBundle(&story.build())).expect("JSON") + "\n");
    (0..40).for_each(|number| add(approval(number, Some(60 + 37 * (number % 11)))));
    add(approval(41, None));
    add(approval(42, None));
    std::fs::write(folder.path().join("approvals.jsonl"), lines).expect("a file");
    folder
}

fn asked(folder: &Path, more: &[&str]) -> (i32, String, String) {
    let file = argument(&folder.join("approvals.jsonl")).to_owned();
    let run = stepscope([&["callbacks", "--input", &file, "--now", NOW], more].concat());
    (run.code, run.out, run.words)
}

fn document(folder: &Path, more: &[&str]) -> Value {
    serde_json::from_str(&asked(folder, &[&["--output", "json"], more].concat()).1).expect("JSON")
}

#[test]
fn the_stuck_ones_are_named_with_their_grounds() {
    let folder = folder();
    let report = document(folder.path(), &[]);
    let names: Vec<&str> =
        report["findings"].as_array().expect("findings").iter().filter_map(|finding| finding["execution"].as_str()).collect();
    assert_eq!(names.len(), 2, "{report:#}");
    assert!(names[0].ends_with(":approval-41") && names[1].ends_with(":approval-42"), "{names:?}");
    let finding = &report["findings"][0];
    assert_eq!((&finding["kind"], &finding["state"]), (&json!("stuck_callback"), &json!("Approve")));
    assert!(finding["since"].as_str().expect("a time").starts_with("2026-11-20T08:41"));
    assert!(finding["evidence"]["answer_probability"].as_f64().expect("a number") < 0.15);
    assert_eq!((&report["classes"][0]["answered"], &report["classes"][0]["stuck"]), (&json!(40), &json!(2)));
}

#[test]
fn the_screen_fits_eighty_columns_and_tells_the_story() {
    let folder = folder();
    let (code, text, _) = asked(folder.path(), &[]);
    assert_eq!(code, 0);
    for line in text.lines().filter(|line| !line.trim_start().starts_with("stepscope ") && !line.contains("aws stepfunctions")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for told in ["2 visits wait for an answer: 2 stuck", "Approvals / Approve", "nothing ends it", "no TimeoutSeconds", "send-task-failure"]
    {
        assert!(text.contains(told), "{told} is missing in:\n{text}");
    }
    assert_eq!(asked(folder.path(), &["--exit-status"]).0, 3);
}

#[test]
fn tokens_are_shown_only_to_those_who_ask() {
    let folder = folder();
    let (_, text, _) = asked(folder.path(), &[]);
    assert!(!text.contains(TOKEN) && text.contains("${TASK_TOKEN}"), "{text}");
    for format in ["text", "json", "jsonl"] {
        let (_, shown, _) = asked(folder.path(), &["--show-tokens", "--output", format]);
        assert!(shown.contains("send-task-failure --region") && shown.contains(TOKEN), "{format}: {shown}");
    }
}

#[test]
fn flags_narrow_what_is_shown() {
    let folder = folder();
    let count = |more: &[&str]| document(folder.path(), more)["waiting"].as_array().expect("a list").len();
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["--state", "App*"]), 2);
    assert_eq!(count(&["--state", "Other"]), 0);
    assert_eq!(count(&["--verdict", "late,normal"]), 0);
    assert_eq!(count(&["--execution", "approval-42"]), 1);
    assert_eq!((count(&["--limit", "1"]), &document(folder.path(), &["--limit", "1"])["waiting_left_out"]), (1, &json!(1)));
    let lines = asked(folder.path(), &["--output", "jsonl"]).1;
    assert!(lines.lines().all(|line| line.starts_with("{\"schema\":\"stepscope.callbacks.row/1\",")) && lines.lines().count() == 2);
}

#[test]
fn a_plot_is_written() {
    let folder = folder();
    let file = folder.path().join("waits.svg");
    let (code, _, words) = asked(folder.path(), &["--plot", argument(&file)]);
    assert_eq!(code, 0, "{words}");
    assert!(std::fs::read_to_string(&file).expect("a plot").contains("Approve"));
}

#[test]
fn the_store_gives_the_same_answer_and_the_same_tokens() {
    let folder = folder();
    let store = argument(&folder.path().join("store")).to_owned();
    stepscope(["ingest", argument(&folder.path().join("approvals.jsonl")), "--store", &store]).ends_with(0);
    let run = stepscope(["callbacks", "--store", &store, "--now", NOW, "--output", "json", "--show-tokens"]);
    let stored: Value = serde_json::from_str(&run.out).expect("JSON");
    let read = document(folder.path(), &["--show-tokens"]);
    assert_eq!((&stored["waiting"], &stored["classes"]), (&read["waiting"], &read["classes"]));
}

#[test]
fn nothing_to_find_is_said_plainly() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = serde_json::to_string(&WireBundle(&approval(1, Some(60)).build())).expect("JSON");
    std::fs::write(folder.path().join("approvals.jsonl"), line).expect("a file");
    let (code, text, _) = asked(folder.path(), &[]);
    assert_eq!(code, 0);
    assert!(text.contains("Nothing waits for an answer"), "{text}");
    let empty = tempfile::tempdir().expect("a folder");
    std::fs::write(empty.path().join("approvals.jsonl"), "").expect("a file");
    assert_ne!(asked(empty.path(), &[]).0, 0);
}

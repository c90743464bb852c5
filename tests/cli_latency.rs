//! `latency` as its user runs it: tables, choices, windows, plots, and inputs that are not as one would wish.

mod common;

use std::path::Path;

use common::program::{argument, stepscope, stepscope_reading};
use serde_json::{Value, json};
use stepscope::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use stepscope::model::wire::{WireBundle, WireHistory};
use stepscope::model::{History, Timestamp};
use tempfile::TempDir;

/// An execution that starts so many minutes after midnight.
fn at(minute: i64) -> HistoryBuilder {
    let mut story = history("Orders");
    story.named(&format!("run-{minute}")).clock_at(Timestamp::from_second(1_767_225_600 + minute * 60).expect("a moment"));
    story
}

/// Checks the order and charges; from minute 60 on charging takes three times as long.
fn order(minute: i64) -> History {
    let mut story = at(minute);
    story.enter_task("Check", json!({})).taking(milliseconds(40)).attempt_succeeded(json!({})).exit(json!({}));
    let time = if minute < 60 { 200 } else { 600 } + u64::try_from(minute % 9).expect("small");
    story.enter_task("Charge", json!({})).taking(milliseconds(time));
    if minute % 20 == 0 {
        story.attempt_failed("Busy", None).after(seconds(2));
    }
    story.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({})).build()
}

fn lines(histories: &[History]) -> String {
    histories.iter().map(|history| serde_json::to_string(&WireBundle(history)).expect("JSON") + "\n").collect()
}

/// Two hours of orders: one failed, one runs.
fn orders() -> Vec<History> {
    let mut histories: Vec<History> = (0..120).map(order).collect();
    histories.push(at(121).enter_task("Charge", json!({})).attempt_failed("Gone", None).execution_failed().build());
    histories.push(at(122).enter_task("Charge", json!({})).scheduled().build());
    histories
}

fn folder(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("orders.jsonl");
    std::fs::write(&file, text).expect("a file");
    let name = argument(&file).to_owned();
    (folder, name)
}

fn latency(file: &str, more: &[&str]) -> Value {
    stepscope([&["latency", "--input", file, "--output", "json"], more].concat()).succeeds().json()
}

#[test]
fn the_slowest_state_stands_first_and_what_is_missing_is_said() {
    let (_folder, file) = folder(&lines(&orders()));
    let run = stepscope(["latency", "--input", &file]).succeeds();
    let wanted = "\
122 executions of 1 state machine, 2026-01-01 00:00 to 02:02 UTC

Orders
STATE           VISITS      P50      P95      P99      MAX  CRITICAL
all executions     122    640ms    648ms     3.2s     3.2s
Charge             122    600ms    698ms     3.2s     3.2s  █████▋  93 %
Check              120     40ms     40ms     40ms     40ms  ▍        7 %
  Of 122 executions, 1 ended without success, 1 without an end, in no
  percentile.
  - Not exited, and in no percentile: Charge 2 of 122 (1 failed, 1 open)
  - Share of the time spent waiting for retries: Charge 19 % (6 retries)

After 2026-01-01 01:00 UTC, the middle of the time, against before
  - Orders / Charge is slower: p50 204ms → 604ms (×2.96), p95 2.4s → 608ms; 61 →
    59 visits; since 2026-01-01 00:59
  - Orders as a whole is slower: p50 244ms → 644ms (×2.64), p95 2.4s → 648ms; 61
    → 60 executions; since 2026-01-01 00:59
  Of 1 machine and 2 states compared, 1 without a change that could be told from
  chance.
";
    assert_eq!(run.out, wanted, "{}", run.out);
    assert!(run.out.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn states_are_chosen_sorted_and_limited() {
    let (_folder, file) = folder(&lines(&orders()));
    let names = |more: &[&str]| -> Vec<String> {
        let report = latency(&file, more);
        report["states"].as_array().expect("rows").iter().map(|row| row["state"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(&[]), ["Charge", "Check"]);
    assert_eq!(names(&["--sort", "name"]), ["Charge", "Check"]);
    assert_eq!(names(&["--limit", "1"]), ["Charge"]);
    assert_eq!(names(&["--state", "*eck"]), ["Check"]);
    assert_eq!(latency(&file, &["--limit", "1"])["states_left_out"], 1);
    stepscope(["latency", "--input", &file, "--limit", "0"]).ends_with(2);
}

#[test]
fn rows_of_hours_have_their_own_percentiles() {
    let (_folder, file) = folder(&lines(&orders()));
    let report = latency(&file, &["--by", "hour", "--state", "Charge"]);
    let rows: Vec<(&Value, &Value)> = report["states"].as_array().expect("rows").iter().map(|row| (&row["hour"], &row["visits"])).collect();
    let hours = ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"].map(|hour| json!(hour));
    assert_eq!(rows, [(&hours[0], &json!(60)), (&hours[1], &json!(60)), (&hours[2], &json!(2))]);
    let text = stepscope(["latency", "--input", &file, "--by", "hour", "--state", "Charge"]).succeeds();
    assert!(text.out.contains("Charge          2026-01-01 01:00      60    604ms"), "{}", text.out);
    assert!(text.out.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn versions_stand_beside_each_other() {
    let of = |minute: i64, version: &str, time: u64| {
        let mut story = at(minute);
        story.version(version).enter_task("Charge", json!({})).taking(milliseconds(time)).attempt_succeeded(json!({})).exit(json!({}));
        story.execution_succeeded(json!({})).build()
    };
    let (_folder, file) = folder(&lines(&[of(1, "7", 100), of(2, "8", 300), order(3)]));
    let report = latency(&file, &["--by", "version", "--state", "Charge"]);
    let rows: Vec<(&Value, &Value)> =
        report["states"].as_array().expect("rows").iter().map(|row| (&row["version"], &row["p50_ms"])).collect();
    assert_eq!(rows, [(&json!("7"), &json!(100.0)), (&json!("8"), &json!(300.0)), (&Value::Null, &json!(203.0))]);
    stepscope(["latency", "--input", &file, "--by", "version"]).succeeds().shows(&["VERSION", "none"]);
}

#[test]
fn a_window_is_compared_with_as_long_a_time_before_it() {
    let (_folder, file) = folder(&lines(&orders()));
    let window = ["--since", "2026-01-01T01:00:00Z", "--until", "2026-01-01T01:40:00Z"];
    let report = latency(&file, &window);
    let charge = &report["states"][0];
    assert_eq!((&charge["visits"], &charge["change"]["before"]["count"]), (&json!(40), &json!(40)));
    assert_eq!((&report["compared"], &charge["change"]["verdict"]), (&json!("window_before"), &json!("slower")));
    assert_eq!(charge["change"]["before"]["from"], "2026-01-01T00:20:00Z");
    stepscope([&["latency", "--input", &file][..], &window].concat()).succeeds().shows(&["Since 2026-01-01 01:00 against as long before"]);
}

#[test]
fn a_line_for_each_state_begins_with_its_schema() {
    let (_folder, file) = folder(&lines(&orders()));
    let run = stepscope(["latency", "--input", &file, "--output", "jsonl"]).succeeds();
    assert!(run.out.lines().all(|line| line.starts_with(r#"{"schema":"stepscope.latency.row/1","state_machine":"#)));
    assert_eq!(run.json_lines().iter().map(|row| &row["state"]).collect::<Vec<_>>(), ["Charge", "Check"]);
}

#[test]
fn plots_are_written_in_both_formats() {
    let (folder, file) = folder(&lines(&orders()));
    for (name, begins) in [("plot.svg", &b"<svg"[..]), ("plot.png", b"\x89PNG")] {
        let plot = folder.path().join(name);
        stepscope(["latency", "--input", &file, "--plot", argument(&plot)]).ends_with(0).says(&["wrote"]);
        let drawn = std::fs::read(&plot).expect("the plot");
        assert!(drawn.starts_with(begins) || drawn.windows(4).any(|bytes| bytes == begins), "{name}");
    }
    let svg = std::fs::read_to_string(folder.path().join("plot.svg")).expect("text");
    for words in ["How long the states of Orders take", "Charge", "p95", "later half: slower", "2 visits were not exited"] {
        assert!(svg.contains(words), "{words}");
    }
    stepscope(["latency", "--input", &file, "--plot", "plot.gif"]).ends_with(2);
    stepscope(["latency", "--input", &file, "--plot", "/no/such/folder/plot.svg"]).ends_with(1).says(&["failed to write the plot"]);
}

#[test]
fn bare_histories_have_a_row_without_a_machine() {
    let bare = order(1);
    let text = serde_json::to_string(&WireHistory(&bare)).expect("JSON");
    let run = stepscope_reading(["latency", "--input", "-"], text.clone()).succeeds();
    run.shows(&["(no state machine named)", "Charge"]);
    let report = stepscope_reading(["latency", "--input", "-", "--output", "json"], text).succeeds().json();
    assert_eq!((&report["states"][0]["state_machine"], &report["compared"]), (&Value::Null, &json!("halves")));
}

#[test]
fn names_from_outside_do_no_harm() {
    let mut story = at(1);
    story.enter_task("Über\u{1b}[2J<b>状态", json!({})).taking(milliseconds(5)).attempt_succeeded(json!({})).exit(json!({}));
    let (folder, file) = folder(&lines(&[story.execution_succeeded(json!({})).build()]));
    let plot = folder.path().join("plot.svg");
    let run = stepscope(["latency", "--input", &file, "--plot", argument(&plot)]).ends_with(0);
    assert!(run.out.contains("Über\\u{1b}[2J<b>状态") && !run.out.contains('\u{1b}'), "{}", run.out);
    let svg = std::fs::read_to_string(&plot).expect("text");
    assert!(!svg.contains('\u{1b}') && !svg.contains("<b>"));
}

#[test]
fn nothing_that_matches_is_said_and_has_a_code_of_its_own() {
    let (folder, file) = folder(&lines(&orders()));
    stepscope(["latency", "--input", &file, "--state", "Nowhere"]).ends_with(4).says(&["no visit of Nowhere in 122 executions"]);
    stepscope(["latency", "--input", &file, "--since", "2027-01-01T00:00:00Z"]).ends_with(4).says(&["none of 122 executions"]);
    stepscope(["latency", "--input", argument(&folder.path().join("missing"))]).ends_with(1);
    let damaged = folder.path().join("damaged.jsonl");
    std::fs::write(&damaged, lines(&orders()[..2]) + "{\"events\": [\n").expect("a file");
    let run = stepscope(["latency", "--input", argument(&damaged)]).ends_with(1);
    assert!(run.out.contains("Charge") && !run.words.is_empty(), "{}", run.words);
    assert!(Path::new(&file).exists());
}

#[test]
fn executions_that_never_finished_have_visits_and_no_durations() {
    let (folder, file) = folder(&lines(&[at(1).enter_task("Charge", json!({})).scheduled().build()]));
    let plot = folder.path().join("plot.png");
    let run = stepscope(["latency", "--input", &file, "--plot", argument(&plot)]).ends_with(0).says(&["nothing to draw"]);
    assert!(run.out.contains("Charge               1        -        -        -        -"), "{}", run.out);
    assert!(!plot.exists());
}

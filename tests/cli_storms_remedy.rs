//! `storms`, as far as it says what to do: the policy, the change as a patch, the load before and after, and the plot.

mod common;

use common::program::{argument, stepscope};
use serde_json::{Value, json};
use stepscope::model::builder::{history, milliseconds};
use stepscope::model::wire::WireBundle;
use stepscope::model::{History, Timestamp};
use tempfile::TempDir;

const DAY: i64 = 1_782_000_000_000;

fn definition() -> Value {
    json!({"StartAt": "Charge", "States": {"Charge": {
        "Type": "Task", "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:charge", "End": true,
        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 4, "MaxAttempts": 4, "BackoffRate": 2}]}}})
}

fn order(number: i64, retries: u32) -> History {
    let mut story = history("Orders");
    let start = Timestamp::from_millisecond(DAY + if retries > 0 { number } else { -number * 60_000 }).expect("a moment");
    story.named(&format!("order-{number:03}-{retries}")).definition(&definition()).clock_at(start).pace(milliseconds(0));
    story.enter_task("Charge", json!({})).taking(milliseconds(40));
    for retry in 0..retries {
        story.attempt_failed("Busy", Some("too many requests")).after(milliseconds((4_000 << retry) + 20));
    }
    story.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({})).build()
}

/// Forty orders whose calls fail together and are retried after 4, 8 and 16 seconds; a hundred others went well before.
fn storm(folder: &TempDir, reversed: bool) -> String {
    let mut all: Vec<History> = (1..=100).map(|number| order(number, 0)).chain((0..40).map(|number| order(number, 3))).collect();
    if reversed {
        all.reverse();
    }
    let lines: Vec<String> = all.iter().map(|history| serde_json::to_string(&WireBundle(history)).expect("JSON")).collect();
    let file = folder.path().join(if reversed { "reversed.jsonl" } else { "orders.jsonl" });
    std::fs::write(&file, lines.join("\n")).expect("written");
    argument(&file).to_owned()
}

fn first_finding(file: &str) -> Value {
    let document = stepscope(["storms", "--input", file, "--output", "json"]).succeeds().json();
    document["findings"][0].clone()
}

#[test]
fn the_screen_says_what_to_change_and_what_that_would_have_done() {
    let folder = TempDir::new().expect("a folder");
    let run = stepscope(["storms", "--input", &storm(&folder, false)]).succeeds();
    run.shows(&[
        "first wait 4 s, times 2 each, up to 4 retries, no jitter",
        "first wait 4 s, times 2 each, up to 3 retries, no jitter",
        "JitterStrategy FULL",
        "/States/Charge/Retry",
        "\"JitterStrategy\": \"FULL\"",
        "before",
        "peak 40",
        "after",
    ]);
}

#[test]
fn no_line_of_the_screen_is_longer_than_eighty_columns() {
    let folder = TempDir::new().expect("a folder");
    let run = stepscope(["storms", "--input", &storm(&folder, false)]).succeeds();
    // Commands to copy are never broken.
    let long = run.out.lines().filter(|line| line.chars().count() > 80 && !line.trim_start().starts_with("stepscope "));
    assert_eq!(long.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn the_patch_makes_the_retry_that_is_shown() {
    let folder = TempDir::new().expect("a folder");
    let storm = first_finding(&storm(&folder, false));
    let remedy = &storm["remedy"];
    assert_eq!((&remedy["verdict"], &storm["confidence"]), (&json!("change_retry"), &json!("certain")));
    let mut changed = definition();
    let patch: json_patch::Patch = serde_json::from_value(remedy["patch"].clone()).expect("a patch");
    json_patch::patch(&mut changed, &patch).expect("it applies");
    assert_eq!(changed["States"]["Charge"]["Retry"], remedy["after"]);
    assert_eq!(remedy["before"], definition()["States"]["Charge"]["Retry"]);
    let load = &remedy["load"];
    assert_eq!((&load["observed"]["peak_per_second"], &load["before"]["peak_per_second"]), (&json!(40.0), &json!(40.0)));
    assert!(load["after"]["peak_per_second"].as_f64().expect("a peak") <= 20.0, "{load}");
    assert_eq!((&load["runs"], &load["seed"]), (&json!(200), &json!(1)));
}

#[test]
fn the_patched_definition_is_valid() {
    let folder = TempDir::new().expect("a folder");
    let remedy = first_finding(&storm(&folder, false))["remedy"].clone();
    let mut changed = definition();
    let patch: json_patch::Patch = serde_json::from_value(remedy["patch"].clone()).expect("a patch");
    json_patch::patch(&mut changed, &patch).expect("it applies");
    let file = folder.path().join("changed.json");
    std::fs::write(&file, changed.to_string()).expect("written");
    let report = stepscope(["audit", argument(&file), "--output", "json"]).json();
    let errors: Vec<&Value> = report["diagnostics"].as_array().into_iter().flatten().filter(|found| found["severity"] == "error").collect();
    assert!(report["diagnostics"].is_array() && errors.is_empty(), "{report}");
}

#[test]
fn the_order_of_executions_changes_nothing() {
    let folder = TempDir::new().expect("a folder");
    let told = |reversed: bool| {
        let mut storm = first_finding(&storm(&folder, reversed));
        // The commands name the file.
        storm.as_object_mut().expect("an object").remove("next");
        storm
    };
    assert_eq!(told(false), told(true));
}

#[test]
fn the_plot_is_written_in_the_format_of_its_name() {
    let folder = TempDir::new().expect("a folder");
    let input = storm(&folder, false);
    let (svg, png) = (folder.path().join("storm.svg"), folder.path().join("storm.png"));
    for file in [&svg, &png] {
        stepscope(["storms", "--input", &input, "--plot", argument(file)]).ends_with(0).says(&["wrote "]);
    }
    let text = std::fs::read_to_string(&svg).expect("an SVG");
    for words in ["Retry storm in Orders / Charge", "As it was: at most 40 retries", "Simulated with the change", "% of calls failed"] {
        assert!(text.contains(words), "{words}");
    }
    assert!(std::fs::read(&png).expect("a PNG").starts_with(b"\x89PNG"));
    stepscope(["storms", "--input", &input, "--plot", "storm.gif"]).ends_with(2).says(&["ends in neither .svg nor .png"]);
}

#[test]
fn without_a_storm_there_is_no_plot() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("calm.jsonl");
    let lines: Vec<String> = (1..=20).map(|number| serde_json::to_string(&WireBundle(&order(number, 0))).expect("JSON")).collect();
    std::fs::write(&file, lines.join("\n")).expect("written");
    let plot = folder.path().join("storm.svg");
    stepscope(["storms", "--input", argument(&file), "--plot", argument(&plot)]).ends_with(0).says(&["nothing to draw"]);
    assert!(!plot.exists());
}

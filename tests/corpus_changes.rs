//! Change points on labelled incidents: what changed is told of, nothing else is, and the input that goes with a new error is named.

mod common;

use std::path::Path;

use common::incidents::{labels, list};
use common::program::program;
use serde_json::Value;
use stepscope::model::Timestamp;

/// Signals that tell of the same.
fn family(signal: &str) -> &str {
    if signal == "latency" { "latency" } else { "errors" }
}

fn seconds(moment: &Value) -> f64 {
    let moment: Timestamp = moment.as_str().and_then(|text| text.parse().ok()).expect("a time");
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of years")]
    let seconds = moment.as_millisecond() as f64 / 1000.0;
    seconds
}

fn found(scenario: &Path, now: &str) -> Vec<Value> {
    let output = program()
        .arg("triage")
        .arg("--input")
        .arg(scenario.join("executions.jsonl.gz"))
        .arg("--definitions")
        .arg(scenario.join("definitions"))
        .args(["--now", now, "--output", "json"])
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    report["findings"].as_array().expect("a list").iter().filter(|finding| finding["kind"] == "change_point").cloned().collect()
}

/// Whether a finding is what a label says.
fn fits(finding: &Value, label: &Value) -> bool {
    let of_same = |name: &str, other: &str| finding[name] == label[other];
    let signal = |value: &Value| value["signal"].as_str().map(family).map(str::to_owned);
    let within = label["tolerance_s"].as_f64().unwrap_or(1800.0);
    of_same("state", "state")
        && of_same("state_machine", "stateMachineArn")
        && signal(finding) == signal(label)
        && (label["error"].is_null() || finding["error"] == label["error"])
        && (seconds(&finding["at"]) - seconds(&label["time"])).abs() <= within
}

/// Whether a finding tells of an outage or a hang that is known.
fn is_of_outage(finding: &Value, labels: &Value) -> bool {
    let at = seconds(&finding["at"]);
    list(labels, "incidents").iter().any(|incident| {
        let is_outage = ["outage", "hang"].contains(&incident["kind"].as_str().unwrap_or_default());
        is_outage
            && list(incident, "stateMachineArns").contains(&finding["state_machine"])
            && (seconds(&incident["start"]) - 900.0..=seconds(&incident["end"]) + 1800.0).contains(&at)
    })
}

#[test]
fn changes_of_the_labelled_incidents_are_told_and_no_others() {
    let Some(corpus) = common::corpus::corpus() else { return };
    let (mut told, mut wanted) = (0, 0);
    for set in ["set-1", "set-2", "set-3"] {
        let scenarios = std::fs::read_dir(corpus.join("incidents").join(set)).expect("a folder");
        for scenario in scenarios.map(|entry| entry.expect("an entry").path()) {
            let name = scenario.display().to_string();
            let labels = labels(&scenario);
            let changes = found(&scenario, labels["now"].as_str().expect("a time"));
            for label in list(&labels, "change_points").iter().filter(|label| label["optional"] != true) {
                wanted += 1;
                let Some(finding) = changes.iter().find(|finding| fits(finding, label)) else {
                    panic!("{name}: nothing about {label}, but {changes:#?}")
                };
                told += 1;
                if !label["attribute"].is_null() {
                    assert_eq!(finding["attribute"], label["attribute"], "{name}");
                }
            }
            for finding in &changes {
                let all = ["change_points", "tolerated_change_points"];
                let is_known = all.iter().any(|known| list(&labels, known).iter().any(|label| fits(finding, label)));
                assert!(is_known || is_of_outage(finding, &labels), "{name}: {}", finding["summary"]);
            }
        }
    }
    assert_eq!(told, wanted);
    assert!(wanted >= 9, "{wanted}");
}

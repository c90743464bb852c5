//! What detectors find.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use stepscope::analysis::callbacks::{Between, WorkingHours};
use stepscope::model::builder::{history, seconds};
use stepscope::model::{Micros, Timestamp};

use super::{document, line, stepscope};
use crate::common::limits::{lines, near_limits};
use crate::comparison::Comparison;

/// The large incident of `demo` has something of everything.
pub fn triaged(folder: &Path, comparison: &mut Comparison<'_>) {
    stepscope(folder, &["demo", "fleet", "--only", "incident"]).ends_with(0);
    let report = document(folder, &["triage", "--input", "fleet/incident.jsonl.gz", "--output", "json"]);
    comparison.object("Triage report", &report);
    let kinds: BTreeSet<&str> =
        report["findings"].as_array().expect("a list").iter().filter_map(|finding| finding["kind"].as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["retry_storm", "stuck_callback", "change_point", "failure_group"]));
}

/// Limits that are near, as `triage` finds them.
pub fn runways(folder: &Path, comparison: &mut Comparison<'_>) {
    std::fs::write(folder.join("limits.jsonl"), lines(&near_limits())).expect("a file");
    let report = document(folder, &["triage", "--input", "limits.jsonl", "--output", "json"]);
    let findings = report["findings"].as_array().expect("a list").iter().filter(|finding| finding["kind"] == "runway");
    assert_eq!(findings.map(|finding| comparison.object("Runway", finding)).count(), 3);
}

/// A version with which a state is slower and another fails in two new ways, for one value of the input.
pub fn changes(folder: &Path, comparison: &mut Comparison<'_>) {
    let story = |number: i64| {
        let (is_new, is_yen) = (number >= 60, number % 3 == 0);
        let mut told = history("Sales");
        told.named(&format!("run-{number:03}")).clock_at(Timestamp::from_second(1_767_225_600 + number * 300).expect("a moment"));
        told.version(if is_new { "2" } else { "1" }).input(json!({"currency": if is_yen { "JPY" } else { "EUR" }, "id": number}));
        let time = if is_new { 500 } else { 200 } + number.unsigned_abs() % 7 * 10;
        told.enter_task("Check", json!({})).taking(std::time::Duration::from_millis(time)).attempt_succeeded(json!({})).exit(json!({}));
        told.enter_task("Charge", json!({}));
        if is_new && is_yen {
            told.attempt_failed(if number % 2 == 0 { "KeyError" } else { "ValueError" }, None).execution_failed();
        } else {
            told.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        }
        told.build()
    };
    std::fs::write(folder.join("changes.jsonl"), lines(&(0..120).map(story).collect::<Vec<_>>())).expect("a file");
    let report = document(folder, &["triage", "--input", "changes.jsonl", "--output", "json"]);
    let findings = report["findings"].as_array().expect("a list").iter().filter(|finding| finding["kind"] == "change_point");
    let signals: Vec<&Value> =
        findings.inspect(|finding| comparison.object("Change point", finding)).map(|finding| &finding["signal"]).collect();
    assert_eq!(signals.len(), 2, "{signals:?}");
    assert!(signals.contains(&&json!("latency")) && signals.contains(&&json!("new_error")), "{signals:?}");
    comparison.object("Latency report", &document(folder, &["latency", "--input", "changes.jsonl", "--output", "json"]));
    let outage = |number: i64| {
        let mut told = history("Outages");
        told.named(&format!("run-{number:03}")).clock_at(Timestamp::from_second(1_767_225_600 + number * 60).expect("a moment"));
        told.enter_task("Charge", json!({}));
        if (100..130).contains(&number) || number % 120 == 7 {
            told.attempt_failed("Busy", None).execution_failed();
        } else {
            told.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        }
        told.build()
    };
    std::fs::write(folder.join("outages.jsonl"), lines(&(0..300).map(outage).collect::<Vec<_>>())).expect("a file");
    comparison.object("Failures report", &document(folder, &["failures", "--input", "outages.jsonl", "--output", "json"]));
}

/// Storms that are nested, share a resource, contradict their definition, and go through a loop made by hand; one in traffic; and one
/// whose waits cannot be compared.
pub fn storms(folder: &Path, comparison: &mut Comparison<'_>) {
    use crate::common::storms::{lines, looping, nested, refunds};
    let all = [nested(30), refunds(30), looping(30, false)].concat();
    std::fs::write(folder.join("storms.jsonl"), lines(&all)).expect("a file");
    let storms = ["storms", "--input", "storms.jsonl", "--output", "json"];
    comparison.object("Storms report", &document(folder, &storms));
    comparison.object("Storms report", &document(folder, &[&storms[..], &["--limit", "1"]].concat()));
    let traffic: String = (0..60).map(|number| cut_off(number, 60.0 * f64::from(number), &[])).collect();
    let cut: String = (60..80).map(|number| cut_off(number, 4000.0, &["Busy", "Busy"])).collect();
    std::fs::write(folder.join("cut.jsonl"), traffic + &cut).expect("a file");
    let told = document(folder, &["storms", "--input", "cut.jsonl", "--output", "json"]);
    assert_eq!(told["findings"].as_array().map(Vec::len), Some(1), "{told}");
    comparison.object("Storms report", &told);
    let unlike: String = (0..5).map(|number| cut_off(number, 0.0, &[&format!("Busy{number}")])).collect();
    std::fs::write(folder.join("unlike.jsonl"), unlike).expect("a file");
    comparison.object("Storms report", &document(folder, &["storms", "--input", "unlike.jsonl", "--output", "json"]));
}

/// A line with an execution whose calls fail with these errors before one succeeds, so many seconds into a day.
pub fn cut_off(number: u32, start: f64, errors: &[&str]) -> String {
    let mut story = history("Invoices");
    #[allow(clippy::cast_possible_truncation, reason = "seconds of a day")]
    let start = Timestamp::from_millisecond(1_767_225_600_000 + (start * 1000.0) as i64 + i64::from(number)).expect("a moment");
    story.clock_at(start).named(&format!("invoice-{number}")).pace(seconds(0)).enter_task("Send", json!({}));
    for (error, wait) in errors.iter().zip([3, 6]) {
        story.taking(seconds(1)).attempt_failed(error, None).after(seconds(wait));
    }
    story.taking(seconds(1)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    line(&story.build())
}

/// Waits of a machine that answers in minutes, one of which is stuck; and what such a small fleet does not have.
pub fn open_waits(folder: &Path, comparison: &mut Comparison<'_>) {
    let mut lines = String::new();
    for number in 0..42_i64 {
        let mut story = history("Approvals");
        let first: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        story.clock_at(first + jiff::SignedDuration::from_mins(number)).named(&format!("approval-{number}"));
        story.enter_task("Approve", json!({})).calls("sqs", "sendMessage.waitForTaskToken");
        if number < 40 {
            story.taking(seconds(90)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        } else {
            story.scheduled();
        }
        lines += &line(&story.build());
    }
    std::fs::write(folder.join("waits.jsonl"), lines).expect("a file");
    let callbacks = ["callbacks", "--input", "waits.jsonl", "--now", "2026-01-02T00:00:00Z", "--output", "json"];
    let mut report = document(folder, &callbacks);
    comparison.object("Callbacks report", &report);
    std::fs::write(folder.join("labels.jsonl"), labels()).expect("a file");
    let labels = ["callbacks", "--input", "labels.jsonl", "--now", "2026-01-19T12:00:00Z", "--output", "json"];
    let told = document(folder, &labels);
    assert_eq!(told["findings"].as_array().map(Vec::len), Some(1), "{told:#}");
    comparison.object("Callbacks report", &told);
    comparison.object("Callbacks report", &document(folder, &[&labels[..], &["--execution", "label-503"]].concat()));
    let moment = "2026-01-01T00:00:00Z";
    report["not_enough"] =
        json!([{"question": "callbacks", "state_machine": null, "state": null, "has": 1, "needs": 20, "of": "completed waits"}]);
    let stopped = json!({"since": moment, "due": 12.5, "chance": 1e-5});
    let class = &mut report["classes"][0];
    class["stopped"] = stopped.clone();
    class["earlier_stops"] = serde_json::to_value([Between { from: Micros(0), to: Micros(1) }]).expect("JSON");
    let hours = WorkingHours { text: String::new(), weights: vec![1.0], weekends_closed: true, chi_square: 99.0 };
    class["working_hours"] = serde_json::to_value(hours).expect("JSON");
    report["findings"][0]["evidence"]["stopped"] = stopped;
    comparison.object("Callbacks report", &report);
}

/// Labels are printed by workers in office hours, asked for at all hours; one that nobody takes, one that a worker took and keeps, and
/// a parent that waits for a child.
fn labels() -> String {
    let monday: Timestamp = "2026-01-05T00:00:00Z".parse().expect("a moment");
    let mut told = String::new();
    let definition = json!({"StartAt": "Print", "TimeoutSeconds": 5_000_000, "States": {"Print": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:111111111111:activity:print", "End": true}}});
    let asked = |number: i64| monday + jiff::SignedDuration::from_mins(40 * number);
    for number in 0..504 {
        let mut story = history("Labels");
        story.clock_at(asked(number)).named(&format!("label-{number:03}")).pace(seconds(0)).definition(&definition);
        story.enter_task("Print", json!({})).calls_activity("print").timeout(seconds(4_000_000)).heartbeat(seconds(3600)).scheduled();
        if number == 300 {
            told += &line(&story.build());
            continue;
        }
        let minute = 40 * number % 1440;
        let day = number / 36 % 7;
        let opens = |days: i64| (days * 1440 + 9 * 60 - minute) + number % 7;
        let waits = match (day, minute) {
            (0..=4, 540..=1019) => 1 + number % 7,
            (0..=4, 0..=539) => opens(0),
            (0..=3, _) => opens(1),
            _ => opens(7 - day),
        };
        story.after(seconds(60 * u64::try_from(waits).expect("later"))).started();
        if number < 500 {
            story.after(seconds(30)).succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        }
        told += &line(&story.build());
    }
    told + &line(&super::waiting_for_a_child().build())
}

/// Calls that take longer the more there are, and a step besides.
pub fn loaded(folder: &Path, comparison: &mut Comparison<'_>) {
    let first = 1_767_225_600_000_i64;
    let (mut now, mut told, mut number) = (0.0, String::new(), 0_u64);
    while now < 12.0 * 3600.0 {
        let load = f64::midpoint(1.0, (now / 3600.0 * std::f64::consts::TAU).sin());
        now += 40.0 / (0.3 + load);
        number += 1;
        let step = if now >= 6.0 * 3600.0 { 0.7 } else { 0.0 };
        let noise = f64::from(u32::try_from(number * 7_919 % 101).expect("small")) / 101.0;
        #[allow(clippy::cast_possible_truncation, reason = "milliseconds of half a day")]
        let at = first + (now * 1000.0) as i64;
        let time = std::time::Duration::from_secs_f64((0.7 * load + step + 0.3 * noise).exp());
        let mut story = history("Busy");
        story.clock_at(Timestamp::from_millisecond(at).expect("a moment")).named(&format!("run-{number}")).pace(seconds(0));
        story.enter_task("Ask", json!({})).taking(time).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        told += &line(&story.build());
    }
    std::fs::write(folder.join("loaded.jsonl"), told).expect("a file");
    let report = document(folder, &["triage", "--input", "loaded.jsonl", "--output", "json"]);
    comparison.object("Triage report", &report);
}

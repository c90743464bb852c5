//! Limits that are near, as `triage` tells them: from files, from a store, and from a store that an older version wrote.

mod common;

use std::path::Path;

use common::limits::{lines, near_limits};
use common::program::{argument, stepscope};
use serde_json::Value;

/// The findings of this kind, without what depends on where the executions came from.
fn runways(arguments: &[&str]) -> Vec<Value> {
    let report = stepscope([&["triage", "--output", "json"], arguments].concat()).succeeds().json();
    let findings = report["findings"].as_array().expect("a list").iter().filter(|finding| finding["kind"] == "runway");
    findings.cloned().map(|mut finding| drop_next(&mut finding)).collect()
}

fn drop_next(finding: &mut Value) -> Value {
    finding.as_object_mut().expect("an object").remove("next");
    finding.take()
}

fn file(folder: &Path) -> String {
    let path = folder.join("executions.jsonl");
    std::fs::write(&path, lines(&near_limits())).expect("a file");
    argument(&path).to_owned()
}

#[test]
fn what_is_near_is_told_with_when_and_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut found = runways(&["--input", &file(folder.path())]);
    // The order among findings is that of incidents.
    found.sort_by_key(|finding| {
        finding["state_machine"].as_str().and_then(|arn| ["Imports", "Reports", "Orders"].iter().position(|name| arn.ends_with(name)))
    });
    let machine = |finding: &Value| finding["state_machine"].as_str().and_then(|arn| arn.rsplit(':').next()).map(str::to_owned);
    let said: Vec<_> = found.iter().map(|finding| (machine(finding).expect("a machine"), finding["limit"].clone())).collect();
    assert_eq!(
        said,
        [("Imports", "events"), ("Reports", "payload"), ("Orders", "events")].map(|(name, limit)| (name.to_owned(), limit.into()))
    );
    let [imports, reports, orders] = &found[..] else { panic!("three findings") };
    assert_eq!((&imports["severity"], &imports["confidence"]), (&"critical".into(), &"certain".into()));
    assert_eq!(imports["evidence"]["shape"]["count_at_limit"], 3_571);
    assert_eq!((&reports["state"], &reports["evidence"]["reached"]), (&"Collect".into(), &1.into()));
    assert!(reports["evidence"]["trend"]["p_value"].as_f64().expect("a number") < 1e-4);
    let summary = orders["summary"].as_str().expect("a sentence");
    assert!(summary.starts_with("run-endless of Orders has 14,001 of 25,000 events, ") && summary.contains("Poll, Pause"), "{summary}");
}

#[test]
fn a_store_says_what_the_files_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, store) = (file(folder.path()), folder.path().join("store"));
    stepscope(["ingest", &input, "--store", argument(&store)]).ends_with(0);
    let from_files = runways(&["--input", &input]);
    assert_eq!(runways(&["--store", argument(&store)]), from_files);
    assert_eq!(from_files.len(), 3);
    let sql = "SELECT state, max(payload_bytes) AS bytes FROM visits WHERE machine = 'Reports' GROUP BY state";
    let rows = stepscope(["query", sql, "--store", argument(&store), "--output", "jsonl"]).succeeds();
    // The text has two bytes for each quote and line end, and twelve around it.
    let lines = (60_000 + 10_000 * 18) / 6;
    assert_eq!(serde_json::from_str::<Value>(&rows.out).expect("a row")["bytes"], lines * 7 + 11);
}

#[test]
fn a_store_from_before_sizes_were_kept_is_read_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let copied = std::process::Command::new("cp").args(["-r", "tests/stores/without-sizes", argument(&store)]).status();
    assert!(copied.expect("cp runs").success());
    let store = argument(&store);
    let report = stepscope(["triage", "--store", store, "--output", "json"]).succeeds().json();
    let lack = report["not_enough"].as_array().expect("a list").iter().find(|lack| lack["question"] == "runway").expect("a lack");
    assert_eq!((&lack["has"], &lack["of"]), (&0.into(), &"executions with payload sizes".into()));
    // New executions stand beside old ones, in files with more columns.
    stepscope(["ingest", &file(folder.path()), "--store", store]).ends_with(0);
    let found = runways(&["--store", store]);
    assert_eq!(found.len(), 3, "{found:#?}");
    let sql = "SELECT count(*) AS visits, count(payload_bytes) AS sized FROM visits WHERE day <= '2026-01-02'";
    let counts = stepscope(["query", sql, "--store", store, "--output", "jsonl"]).succeeds();
    let counts: Value = serde_json::from_str(&counts.out).expect("a row");
    assert!(counts["sized"].as_i64().expect("a number") > 0 && counts["visits"].as_i64() > counts["sized"].as_i64(), "{counts}");
    stepscope(["store", "compact", "--store", store]).ends_with(0);
    stepscope(["store", "verify", "--store", store]).ends_with(0);
    assert_eq!(runways(&["--store", store]), found);
}

//! Labelled incidents: which storms are found, with whom, and what is not taken for one.
//!
//! The material is no part of this repository; see `tests/common/corpus.rs`.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::incidents::{labels, list, scenarios};
use common::program::{argument, stepscope};
use serde_json::Value;
use stepscope::model::Timestamp;

/// How far apart a storm and its label may be, in seconds, and still be the same.
const SLACK: i64 = 60;

fn names(value: &Value, member: &str) -> BTreeSet<String> {
    list(value, member).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn second(value: &Value) -> i64 {
    value.as_str().expect("a text").parse::<Timestamp>().expect("a time").as_second()
}

fn is_same(storm: &Value, label: &Value) -> bool {
    let (from, to) = (second(&storm["from"]), second(&storm["to"]));
    storm["state"] == label["state"]
        && storm["state_machine"] == label["stateMachineArn"]
        && from <= second(&label["end"]) + SLACK
        && to >= second(&label["start"]) - SLACK
}

fn answer(scenario: &Path, labels: &Value, more: &[&str]) -> Value {
    let (input, definitions) = (scenario.join("executions.jsonl.gz"), scenario.join("definitions"));
    let now = labels["now"].as_str().expect("a time");
    let arguments = ["storms", "--input", argument(&input), "--definitions", argument(&definitions), "--now", now, "--output", "json"];
    stepscope([&arguments, more].concat()).ends_with(0).json()
}

#[test]
fn every_storm_is_found_with_its_executions_and_nothing_else_is() {
    let (mut told, mut right, mut core, mut core_told, mut storms) = (0, 0, 0, 0, 0);
    for scenario in scenarios() {
        let labels = labels(&scenario);
        let document = answer(&scenario, &labels, &[]);
        let mut findings: Vec<&Value> = list(&document, "findings").iter().collect();
        for label in list(&labels, "storms").iter().filter(|label| label["lockstep"] == true) {
            let at = findings.iter().position(|storm| is_same(storm, label));
            let at = at.unwrap_or_else(|| panic!("{}: the storm in {} is missing", scenario.display(), label["state"]));
            let storm = findings.remove(at);
            assert_eq!(storm["jittered"], false);
            assert!((second(&storm["from"]) - second(&label["start"])).abs() <= 1, "{}", scenario.display());
            let (named, all, late) = (names(storm, "executions"), names(label, "executions"), names(label, "late_executions"));
            told += named.len();
            right += named.intersection(&all).count();
            core += all.difference(&late).count();
            core_told += all.difference(&late).filter(|execution| named.contains(*execution)).count();
            storms += 1;
        }
        let extra: Vec<&str> = findings.iter().filter_map(|storm| storm["summary"].as_str()).collect();
        assert!(extra.is_empty(), "{}: {extra:?}", scenario.display());
    }
    if storms > 0 {
        assert!(right * 100 >= told * 97, "of {told} executions that are named, {right} belong to a storm");
        assert!(core_told * 100 >= core * 97, "of {core} executions that failed together, {core_told} are named");
    }
}

#[test]
fn jittered_ones_are_told_as_such_when_they_are_asked_for() {
    for scenario in scenarios().iter().filter(|scenario| scenario.ends_with("full_jitter_outage")) {
        let labels = labels(scenario);
        let document = answer(scenario, &labels, &["--jittered"]);
        let findings = list(&document, "findings");
        assert_eq!(findings.len(), 1, "{}", scenario.display());
        assert_eq!((&findings[0]["jittered"], &findings[0]["evidence"]["pattern"]), (&true.into(), &"jittered".into()));
        assert!(is_same(&findings[0], &list(&labels, "storms")[0]));
    }
}

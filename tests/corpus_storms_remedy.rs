//! Labelled incidents: whether what is said of a storm's policy, of the change and of the load fits the labels and the definitions.
//!
//! The material is no part of this repository; see `tests/common/corpus.rs`.

mod common;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use common::incidents::{labels, list, scenarios};
use common::program::{argument, stepscope};
use serde_json::{Value, json};

/// A scenario, and each storm of its labels with what the program says of it.
type Told = (PathBuf, Vec<(Value, Value)>);

/// Every scenario with storms in its labels, asked once for all tests.
static TOLD: LazyLock<Vec<Told>> = LazyLock::new(|| {
    let with_storms = scenarios().into_iter().filter(|scenario| !list(&labels(scenario), "storms").is_empty());
    with_storms.map(|scenario| (scenario.clone(), storms(&scenario))).collect()
});

/// Each labelled storm with what the program says of it.
fn storms(scenario: &Path) -> Vec<(Value, Value)> {
    let (input, definitions) = (scenario.join("executions.jsonl.gz"), scenario.join("definitions"));
    let arguments = ["storms", "--input", argument(&input), "--definitions", argument(&definitions), "--output", "json"];
    let document = stepscope(arguments).ends_with(0).json();
    let told: Vec<Value> = list(&document, "findings").iter().chain(list(&document, "others")).cloned().collect();
    let found = |label: &Value| {
        let same = |storm: &&Value| storm["state"] == label["state"] && storm["state_machine"] == label["stateMachineArn"];
        let storm = told.iter().find(same).unwrap_or_else(|| panic!("{}: no storm in {}", scenario.display(), label["state"]));
        (label.clone(), storm.clone())
    };
    list(&labels(scenario), "storms").iter().map(found).collect()
}

fn definition(scenario: &Path, state_machine: &Value) -> Value {
    let name = state_machine.as_str().and_then(|arn| arn.rsplit(':').next()).expect("an ARN");
    let text = std::fs::read(scenario.join("definitions").join(format!("{name}.json"))).expect("a definition");
    let described: Value = serde_json::from_slice(&text).expect("JSON");
    serde_json::from_str(described["definition"].as_str().expect("a text")).expect("JSON")
}

fn is_stale(scenario: &Path) -> bool {
    scenario.ends_with("lockstep_stale_definition")
}

#[test]
fn the_policy_is_the_one_of_the_definition_and_the_waits_follow_it() {
    for (scenario, storms) in &*TOLD {
        for (label, storm) in storms {
            let place = format!("{} {}", scenario.display(), label["state"]);
            let (policy, definition) = (&storm["policy"], definition(scenario, &label["stateMachineArn"]));
            let declared = &policy["declared"];
            let retrier = definition.pointer(declared["pointer"].as_str().expect("a pointer")).expect("the pointer leads somewhere");
            let same = |field: &str, of: &str| declared["retrier"][field].as_f64() == retrier[of].as_f64();
            assert!(same("interval_seconds", "IntervalSeconds") && same("max_attempts", "MaxAttempts"), "{place}: {declared}");
            assert_eq!(declared["retrier"]["full_jitter"], json!(retrier["JitterStrategy"] == "FULL"), "{place}");
            let fields: Vec<&str> = list(policy, "disagreements").iter().filter_map(|one| one["field"].as_str()).collect();
            let expected: &[&str] = if is_stale(scenario) { &["JitterStrategy"] } else { &[] };
            assert_eq!(fields, expected, "{place}: {policy}");
            if label["jittered"] == false {
                let interval = declared["retrier"]["interval_seconds"].as_f64().expect("seconds") * 1000.0;
                assert_eq!(policy["seen"]["interval_ms"].as_f64(), Some(interval), "{place}");
                assert_eq!(policy["seen"]["backoff_rate"], declared["retrier"]["backoff_rate"], "{place}");
            }
        }
    }
}

#[test]
fn the_observed_peak_is_the_labelled_one_and_the_simulation_gives_it_back() {
    for (scenario, storms) in &*TOLD {
        for (label, storm) in storms {
            let place = format!("{} {}", scenario.display(), label["state"]);
            let load = &storm["remedy"]["load"];
            let peak = |curve: &str| load[curve]["peak_per_second"].as_f64().expect("a peak");
            let labelled = label["peak_retries_per_second"].as_f64().expect("a peak");
            let close = |one: f64, other: f64, share: f64| (one - other).abs() <= (other * share).max(2.0);
            assert!(close(peak("observed"), labelled, 0.1), "{place}: {} for {labelled}", peak("observed"));
            assert!(close(peak("before"), peak("observed"), 0.25), "{place}: {} for {}", peak("before"), peak("observed"));
            let sum = |curve: &str| load[curve]["curve"].as_array().expect("a curve").iter().filter_map(Value::as_f64).sum::<f64>();
            let bin = load["bin_ms"].as_f64().expect("a width") / 1000.0;
            assert!(close(sum("observed") * bin, load["observed"]["retries"].as_f64().expect("a count"), 0.01), "{place}");
        }
    }
}

#[test]
fn the_change_is_a_patch_that_calms_the_storm() {
    for (scenario, storms) in &*TOLD {
        for (label, storm) in storms {
            let place = format!("{} {}", scenario.display(), label["state"]);
            let remedy = &storm["remedy"];
            if label["jittered"] == true {
                assert_eq!((&remedy["verdict"], list(remedy, "patch").len()), (&json!("spread_already"), 0), "{place}");
                continue;
            }
            let (before, after) = (&remedy["load"]["before"], &remedy["load"]["after"]);
            let number = |curve: &Value, field: &str| curve[field].as_f64().expect("a number");
            let peaks = (number(before, "peak_per_second"), number(after, "peak_per_second"));
            assert!(peaks.1 <= peaks.0 * 0.6, "{place}: {peaks:?}");
            let calls = label["retries"].as_f64().expect("a count");
            let given_up = (number(before, "given_up"), number(after, "given_up"));
            // What an inner level gives up, the level outside retries.
            let levels = list(&storm["nested"], "levels").len() as u64;
            let is_inner = storm["nested"]["level"].as_u64().is_some_and(|level| level + 1 < levels);
            assert!(is_inner || given_up.1 <= given_up.0 + (calls * 0.02).max(1.0), "{place}: {given_up:?}");
            let mut definition = definition(scenario, &label["stateMachineArn"]);
            let patch: json_patch::Patch = serde_json::from_value(remedy["patch"].clone()).expect("a patch");
            json_patch::patch(&mut definition, &patch).expect("it applies");
            let at = definition.pointer(remedy["pointer"].as_str().expect("a pointer")).expect("a Retry");
            match remedy["verdict"].as_str() {
                Some("change_retry") => assert_eq!(at, &remedy["after"], "{place}"),
                Some("changed_since") => assert!(is_stale(scenario) && list(remedy, "patch").is_empty(), "{place}"),
                other => panic!("{place}: {other:?}"),
            }
        }
    }
}

#[test]
fn retries_of_parent_and_child_multiply() {
    for (scenario, storms) in TOLD.iter().filter(|(scenario, _)| scenario.ends_with("nested_amplification")) {
        for (label, storm) in storms {
            let place = format!("{} {}", scenario.display(), label["state"]);
            let nested = &storm["nested"];
            let levels = list(nested, "levels");
            let states: Vec<&str> = levels.iter().filter_map(|level| level["state"].as_str()).collect();
            assert_eq!(states.last(), Some(&"ChargeCustomer"), "{place}: {nested}");
            let level = usize::try_from(nested["level"].as_u64().expect("a level")).expect("a small number");
            assert_eq!(levels[level]["state"], label["state"], "{place}");
            let mut product = 1;
            for level in levels {
                let definition = definition(scenario, &level["state_machine"]);
                let retry = &definition["States"][level["state"].as_str().expect("a state")]["Retry"][0];
                let factor = retry["MaxAttempts"].as_u64().expect("a number") + 1;
                assert_eq!(level["factor"].as_u64(), Some(factor), "{place}");
                product *= factor;
            }
            assert_eq!(nested["worst_case"].as_u64(), Some(product), "{place}");
            let seen = (nested["observed_mean"].as_f64().expect("a mean"), nested["observed_max"].as_u64().expect("a number"));
            let inner = levels[0]["factor"].as_f64().expect("a factor");
            assert!(seen.0 > inner && seen.1 <= product, "{place}: more than one level alone allows, and no more than both: {nested}");
        }
    }
}

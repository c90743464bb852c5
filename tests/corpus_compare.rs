//! Holds `compare` to the labels of the incidents: a deployment that fails for one value of one field, and traffic without a cause.

mod common;

use std::path::PathBuf;

use common::corpus::corpus;
use common::incidents::labels;
use common::program::{Run, argument, stepscope};
use serde_json::{Value, json};

fn scenarios(name: &str) -> Vec<PathBuf> {
    let Some(corpus) = corpus() else { return Vec::new() };
    ["set-1", "set-2", "set-3"].iter().map(|set| corpus.join("incidents").join(set).join(name)).collect()
}

fn compare(scenario: &std::path::Path, arguments: &[&str]) -> Run {
    let (executions, definitions) = (scenario.join("executions.jsonl.gz"), scenario.join("definitions"));
    stepscope(
        [&["compare", "--input", argument(&executions), "--definitions", argument(&definitions), "--output", "json"], arguments].concat(),
    )
}

#[test]
fn the_field_that_a_deployment_fails_for_is_the_first_finding() {
    for scenario in scenarios("deploy_new_error") {
        let change = &labels(&scenario)["change_points"][0];
        let (name, value) = (change["attribute"]["name"].as_str().expect("a name"), &change["attribute"]["value"]);
        let report = compare(&scenario, &["--by-group"]).succeeds().json();
        let is_it = |comparison: &&Value| {
            comparison["state_machine"] == change["stateMachineArn"] && comparison["failures"][0]["error"] == change["error"]
        };
        let comparison = report["comparisons"].as_array().expect("a list").iter().find(is_it).expect("the group of the new error");
        let place = scenario.display();
        let first = &comparison["findings"][0];
        assert_eq!((first["attribute"].as_str(), &first["value"]), (Some(format!("input.{name}").as_str()), value), "{place}");
        assert!(first["p_corrected"].as_f64().expect("p") < 0.001 && first["share_a"] == 1.0, "{place}: {first}");
        // Nothing but when it began is said beside it.
        for finding in comparison["findings"].as_array().expect("a list").iter().skip(1) {
            assert_eq!(finding["kind"], "time", "{place}: {finding}");
        }
        assert_eq!(comparison["failures"][0]["state"], change["state"], "{place}");
        // The same group by an expression, against all others of the machine.
        let condition = format!(
            "root_error = '{}' and root_state = '{}'",
            change["error"].as_str().expect("text"),
            change["state"].as_str().expect("text")
        );
        let selected = compare(&scenario, &["--where", &condition]).succeeds().json();
        assert_eq!(selected["comparisons"][0]["findings"][0]["value"], *value);
    }
}

#[test]
fn failures_of_chance_have_nothing_in_common() {
    for scenario in scenarios("deploy_new_error") {
        let new_error = labels(&scenario)["change_points"][0]["error"].clone();
        let report = compare(&scenario, &["--by-group"]).succeeds().json();
        for comparison in report["comparisons"].as_array().expect("a list") {
            if comparison["failures"][0]["error"] != new_error {
                assert_eq!(comparison["findings"], json!([]), "{}", scenario.display());
            }
        }
    }
}

#[test]
fn clean_traffic_has_no_findings() {
    for scenario in scenarios("clean_traffic") {
        compare(&scenario, &[]).ends_with(4).says(&["nothing failed"]);
        // Nor is there anything behind the name of an execution.
        let halves = compare(&scenario, &["--where", "execution like '*a*0*'"]);
        if halves.code == 0 {
            for comparison in halves.json()["comparisons"].as_array().expect("a list") {
                assert_eq!(comparison["findings"], json!([]), "{}", scenario.display());
            }
        }
    }
}

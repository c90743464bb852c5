//! What is told of many executions.

use std::path::Path;

use serde_json::Value;
use serde_json::json;
use stepscope::analysis::maps::{Children, Evidence, ExplainedChild, MapsReport, Parent};
use stepscope::analysis::why::{Confidence, Kind};
use stepscope::model::builder::{HistoryBuilder, history, seconds};
use stepscope::model::wire::WireBundle;
use stepscope::model::{ExecutionStatus, MapChild, MapRun, MapRunCounts, Timestamp};

use super::{child_in_a_branch, child_not_read, document, line, stepscope, the_child};
use crate::comparison::Comparison;

/// `cost` of a fleet that has something for every field, priced by a file.
pub fn every_cost(folder: &Path) -> Vec<Value> {
    let run = "arn:aws:states:us-east-1:111111111111:mapRun:Batch/Items:1";
    let mut map = history("Batch");
    map.enter_map("Items", json!([])).map_started(0).map_run_started(run).map_run_succeeded().composite_succeeded().exit(json!({}));
    let mut task = history("Jobs");
    task.after(seconds(7200)).enter_task("Work", json!({})).attempt_succeeded(json!({})).exit(json!({}));
    let stories = [map.execution_succeeded(json!({})).build(), task.execution_succeeded(json!({})).build()];
    let mut express = serde_json::to_value(WireBundle(&stories[1])).expect("a bundle");
    express["execution"]["executionArn"] = json!("arn:aws:states:us-east-1:111111111111:express:Fast:run-1:0");
    express["execution"]["stateMachineArn"] = json!("arn:aws:states:us-east-1:111111111111:stateMachine:Fast");
    express["execution"]["billingDetails"] = json!({"billedDurationInMilliseconds": 300, "billedMemoryUsedInMB": 64});
    express["execution"]["startDate"] = json!("2026-01-01T06:00:00Z");
    let bundles = stories.iter().map(|story| serde_json::to_value(WireBundle(story)).expect("a bundle")).chain([express]);
    let lines: Vec<String> = bundles.map(|bundle| bundle.to_string()).collect();
    std::fs::write(folder.join("fleet.jsonl"), lines.join("\n")).expect("a file");
    std::fs::write(folder.join("prices.toml"), "schema = \"stepscope.prices/1\"\n").expect("a file");
    [&["--by", "execution"][..], &["--by", "hour"]]
        .iter()
        .map(|by| document(folder, &[&["cost", "--input", "fleet.jsonl", "--prices", "prices.toml", "--output", "json"], *by].concat()))
        .collect()
}

/// Executions whose time goes into every part that there is, in two hours and versions.
pub fn latencies(folder: &Path, comparison: &mut Comparison<'_>) {
    let mut lines = String::new();
    for number in 0..80_u64 {
        let mut story = history("Orders");
        story.clock_at(Timestamp::from_second(1_767_225_600 + i64::try_from(number).expect("small") * 60).expect("a moment"));
        story.named(&format!("run-{number}")).version("7");
        let mut item = story.enter_map("Each", json!([1])).map_started(1).iteration(0);
        item.enter_task("Ask", json!({})).calls("sqs", "sendMessage.waitForTaskToken").attempt_failed("Busy", None).after(seconds(1));
        item.scheduled().after(seconds(1)).started().submitted(json!({})).after(seconds(number)).succeeded(json!({})).exit(json!({}));
        item.iteration_succeeded();
        story.composite_succeeded().exit(json!([])).execution_succeeded(json!([]));
        lines += &line(&story.build());
    }
    std::fs::write(folder.join("latency.jsonl"), lines).expect("a file");
    let latency = ["latency", "--input", "latency.jsonl", "--output", "json"];
    for more in [&[][..], &["--by", "hour"], &["--by", "version"], &["--limit", "1"], &["--state", "Ask"]] {
        comparison.object("Latency report", &document(folder, &[&latency[..], more].concat()));
    }
    comparison.object("Latency report", &document(folder, &["latency", "--input", "demo", "--input", "more", "--output", "json"]));
}

/// Ways with everything in them: loops, branches, iterations, a Choice with rules, failures, more steps than find room.
pub fn ways(folder: &Path, comparison: &mut Comparison<'_>) {
    let definition = json!({"StartAt": "Ready?", "States": {
        "Ready?": {"Type": "Choice", "Choices": [{"Variable": "$.ok", "BooleanEquals": true, "Next": "Both"}], "Default": "Pause"},
        "Pause": {"Type": "Wait", "Seconds": 1, "Next": "Ready?"},
        "Both": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "Left", "States": {"Left": {"Type": "Pass", "End": true}}}]}}});
    let mut story = history("Ways");
    story.definition(&definition);
    for _ in 0..3 {
        story.choice("Ready?", json!({})).wait("Pause", json!({}), seconds(1));
    }
    story.choice("Ready?", json!({})).enter_parallel("Both", json!({})).parallel_started();
    story.branch().pass("Left", json!({}), json!({})).branch_succeeded();
    story.composite_succeeded().exit(json!([]));
    story.enter_map("Each", json!([1])).map_started(1).iteration(0).pass("Item", json!({}), json!({})).iteration_succeeded();
    story.composite_succeeded().exit(json!([]));
    for number in 0..420 {
        story.pass(&format!("Step {number}"), json!({}), json!({}));
    }
    story.enter_task("Charge", json!({})).attempt_failed("Declined", None).execution_failed();
    std::fs::write(folder.join("ways.jsonl"), line(&story.build())).expect("a file");
    let variants = ["variants", "--input", "ways.jsonl", "--output", "json"];
    let report = document(folder, &variants);
    comparison.object("Variants report", &report);
    let id = report["machines"][0]["variants"][0]["id"].as_str().expect("an id");
    comparison.object("Variants report", &document(folder, &[&variants[..], &["--variant", id]].concat()));
    comparison.object("Variants report", &document(folder, &["variants", "--input", "demo", "--input", "more", "--output", "json"]));
}

/// Sides that differ in everything that a comparison tells of.
pub fn compared_sides(folder: &Path, comparison: &mut Comparison<'_>) {
    let first: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let mut lines = String::new();
    for number in 0..120_i64 {
        let (is_japan, fails) = (number % 6 == 0, number >= 40 && number % 12 == 0);
        let input = json!({
            "id": format!("order-{number}"), "currency": if is_japan { "JPY" } else { "EUR" }, "country": if is_japan { "JP" } else { "DE" },
            "region": if number % 6 < 2 { "APAC" } else { "EMEA" },
        });
        let mut story = history("Compared");
        story.clock_at(first + jiff::SignedDuration::from_mins(number)).named(&format!("order-{number}")).input(input.clone());
        if number % 4 == 1 {
            story.pass("Skip", input, json!({})).execution_succeeded(json!({}));
        } else {
            let task = story.enter_task("Charge", input);
            if fails {
                task.attempt_failed("Declined", None).execution_failed();
            } else {
                task.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
            }
        }
        lines += &line(&story.build());
    }
    std::fs::write(folder.join("compared.jsonl"), lines).expect("a file");
    let compare = ["compare", "--input", "compared.jsonl", "--output", "json"];
    for more in [
        &["--limit", "1"][..],
        &["--by-group"],
        &["--where", "status = FAILED", "--against", "status exists and start < 2026-01-01T01:00:00Z"],
        &["--where", "input.currency = EUR", "--against", "input.region = EMEA or input.country = JP"],
    ] {
        comparison.object("Compare report", &document(folder, &[&compare[..], more].concat()));
    }
    comparison.object("Compare report", &document(folder, &["compare", "--input", "demo", "--output", "json"]));
}

/// Failures of every kind that a group tells of.
pub fn grouped_failures(folder: &Path, comparison: &mut Comparison<'_>) {
    let mut lines = String::new();
    let mut add = |story: &HistoryBuilder| lines += &line(&story.build());
    for number in 0..60_i64 {
        let begun = |version: &str| {
            let mut story = history("Orders");
            let first: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
            story
                .clock_at(first + jiff::SignedDuration::from_mins(number))
                .named(&format!("v{version}-{number}"))
                .version(version)
                .alias("live");
            story
        };
        let mut seven = begun("7");
        seven.enter_task("Charge", json!({})).attempt_failed("Busy", Some("try later"));
        seven.after(seconds(1)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        add(&seven);
        if number >= 40 {
            let mut eight = begun("8");
            let cause = if number % 2 == 0 {
                json!({"errorType": "KeyError", "errorMessage": "'total'", "stackTrace": ["File \"/var/task/a.py\", line 3, in f"]})
                    .to_string()
            } else {
                "slow down (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: Throttled; Request ID: r; Proxy: null)".to_owned()
            };
            let mut iteration = eight.enter_map("Each", json!([1])).map_started(1).iteration(0);
            iteration.enter_task("Charge", json!({})).attempt_failed("Busy", Some(&cause)).scope_failed();
            eight.composite_failed().execution_failed();
            add(&eight);
        }
    }
    for city in ["Rome", "Oslo", "Wien", "Bern"] {
        let mut story = history("Routes");
        story.named(city).enter_task("Find", json!({})).attempt_failed("NoRoute", Some(&format!("no route to {city} today")));
        story.execution_failed();
        add(&story);
    }
    add(history("Orders").named("stopped").enter_task("Charge", json!({})).scheduled().execution_stopped(None, None));
    add(child_not_read().named("child-not-read"));
    add(child_in_a_branch().named("child-in-a-branch"));
    for (place, mut story) in [child_not_read(), child_in_a_branch()].into_iter().enumerate() {
        add(story.named(&format!("parent-{place}")));
    }
    add(&the_child());
    std::fs::write(folder.join("fleet.jsonl"), lines).expect("a file");
    let failures = ["failures", "--input", "fleet.jsonl", "--output", "json"];
    let report = document(folder, &[&failures[..], &["--limit", "50"]].concat());
    comparison.object("Failures report", &report);
    for group in report["groups"].as_array().expect("groups") {
        let id = group["id"].as_str().expect("an id");
        comparison.object("Failure group report", &document(folder, &[&failures[..], &["--group", id]].concat()));
    }
    comparison.object("Failures report", &document(folder, &[&failures[..], &["--limit", "1"]].concat()));
}

/// Map Runs from files and histories, and what only the service tells of one.
pub fn map_runs(folder: &Path, comparison: &mut Comparison<'_>) {
    let results = folder.join("results");
    std::fs::create_dir(&results).expect("a folder");
    let arn = "arn:aws:states:eu-west-1:111111111111";
    let record = |number: u64, cause: &str| {
        format!(
            r#"{{"ExecutionArn":"{arn}:execution:Orders/Each:{number}","Status":"FAILED","Input":"{{\"Items\":[{number}]}}","Error":"Declined",
            "Cause":"no card of {cause} here","StartDate":"2026-11-20T08:00:0{number}Z","StopDate":"2026-11-20T08:01:00Z"}}"#
        )
    };
    let records: Vec<String> = (0_u64..).zip(["Rome", "Oslo", "Wien", "Bern"]).map(|(number, city)| record(number, city)).collect();
    let unknown = record(5, "Kyiv").replace("\"Input\"", "\"Inputs\"");
    std::fs::write(results.join("FAILED_0.json"), format!("[{},{unknown},{{\"Exec", records.join(","))).expect("a file");
    let manifest = format!(
        r#"{{"DestinationBucket":"b","MapRunArn":"{arn}:mapRun:Orders/Each:5b0f","ResultFiles":{{"FAILED":[{{"Key":"p/FAILED_0.json","Size":9}}],
        "PENDING":[],"SUCCEEDED":[]}}}}"#
    );
    std::fs::write(results.join("manifest.json"), manifest).expect("a file");
    let run = stepscope(folder, &["maps", "--results", "results", "--failed-inputs", "failed.json", "--output", "json"]);
    comparison.object("Maps report", &run.ends_with(1).json());
    comparison.object("Maps report", &document(folder, &["maps", "--input", "more", "--output", "json"]));
    comparison.object("Maps report", &serde_json::to_value(asked_of_the_service()).expect("a report"));
}

/// What the API alone tells.
pub fn asked_of_the_service() -> MapsReport {
    let child = "arn:aws:states:eu-west-1:111111111111:execution:Orders/Each:1";
    let at: Timestamp = "2026-11-20T08:00:00Z".parse().expect("a time");
    let mut children = Children::new(None);
    let failed = MapChild {
        arn: child.to_owned(),
        status: Some(ExecutionStatus::Failed),
        start: Some(at),
        stop: Some(at),
        error: Some("Declined".to_owned()),
        ..MapChild::default()
    };
    children.take(&failed, None, true);
    children.take(&failed, None, false);
    let mut items = MapRunCounts { results_written: 1, ..MapRunCounts::default() };
    items.add(Some(ExecutionStatus::Failed), 2);
    let described = MapRun {
        status: "FAILED".to_owned(),
        start: Some(at),
        stop: Some(at),
        max_concurrency: 40,
        tolerated_failure_count: 1,
        tolerated_failure_percentage: 5.0,
        items,
        executions: items,
        failures_not_redrivable: Some(1),
        redrive_count: 1,
        redrive: Some(at),
        ..MapRun::default()
    };
    let parent = Parent { cause: Some("the threshold".to_owned()), error: Some("States.X".to_owned()), ..Parent::default() };
    let redrive = Some(("NOT_REDRIVABLE".to_owned(), Some("too long ago".to_owned())));
    let evidence = Evidence { described: Some(described), parent: Some(parent), redrive, children, ..Evidence::default() };
    let mut run = stepscope::analysis::maps::report(evidence, 1);
    let explained = ExplainedChild {
        execution: child.to_owned(),
        state: Some("Charge".to_owned()),
        error: Some("Declined".to_owned()),
        message: Some("no".to_owned()),
        kind: Kind::TaskFailed.name(),
        confidence: Confidence::Certain.name(),
    };
    run.groups[0].state.clone_from(&explained.state);
    run.groups[0].explained.push(explained);
    MapsReport { schema: stepscope::analysis::maps::SCHEMA, runs: vec![run], written: Vec::new() }
}

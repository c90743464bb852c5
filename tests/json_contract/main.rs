//! Holds `docs/json.md`: what the program writes as JSON is what the tables of that page say, and they say nothing else.
//!
//! The page is the list. It is read from its Markdown, the program is run on incidents that make it write every field, and

#[path = "../common/mod.rs"]
mod common;
mod comparison;
mod page;
mod stories;
mod values;

use std::collections::BTreeSet;

use comparison::Comparison;
use page::Page;
use stories::detectors::{changes, loaded, open_waits, runways, storms, triaged};
use stories::executions::{UNSOUND, every_answer, every_audit, every_log, every_replay, every_run, places, traced};
use stories::fleets::{compared_sides, every_cost, grouped_failures, latencies, map_runs, ways};
use stories::service::{every_store, logs_of_a_machine, pulls, queries};
use stories::{document, incidents, stepscope};

#[test]
fn documents_and_page_name_the_same_fields_and_values() {
    let page = Page::read();
    let mut comparison = Comparison::new(&page);
    let incidents = incidents();
    let folder = incidents.path();
    for answer in every_answer(folder) {
        comparison.object("Why report", &answer);
    }
    for answer in every_log() {
        comparison.object("Why report", &answer);
    }
    for (file, name) in places(folder) {
        let show = ["show", &file, "--execution", &name, "--output", "json"];
        let report = document(folder, &show);
        comparison.object("Show report", &report);
        let states: BTreeSet<&str> =
            report["visits"].as_array().expect("a list").iter().filter_map(|visit| visit["state"].as_str()).collect();
        for state in states {
            comparison.object("State report", &document(folder, &[&show[..], &["--state", state]].concat()));
        }
    }
    std::fs::write(folder.join("definition.json"), UNSOUND).expect("a file");
    comparison.object("Audit report", &document(folder, &["audit", "definition.json", "--output", "json"]));
    for report in every_audit(folder) {
        comparison.object("Audit report", &report);
    }
    comparison.object("Rule list", &document(folder, &["audit", "--rules", "--output", "json"]));
    for line in stepscope(folder, &["audit", "--rules", "--output", "jsonl"]).json_lines() {
        comparison.object("Rule line", &line);
    }
    for report in every_run(folder) {
        comparison.object("Run report", &report);
    }
    for report in every_cost(folder) {
        comparison.object("Cost report", &report);
    }
    for report in every_replay(folder) {
        comparison.object("Replay report", &report);
    }
    grouped_failures(folder, &mut comparison);
    open_waits(folder, &mut comparison);
    every_store(folder, &mut comparison);
    logs_of_a_machine(&mut comparison);
    latencies(folder, &mut comparison);
    ways(folder, &mut comparison);
    compared_sides(folder, &mut comparison);
    queries(folder, &mut comparison);
    traced(folder, &mut comparison);
    map_runs(folder, &mut comparison);
    pulls(folder, &mut comparison);
    runways(folder, &mut comparison);
    triaged(folder, &mut comparison);
    changes(folder, &mut comparison);
    loaded(folder, &mut comparison);
    storms(folder, &mut comparison);
    comparison.finish(&["History", "Event"]);
}

#[test]
fn events_stand_in_the_shape_of_the_service() {
    let page = Page::read();
    let incidents = incidents();
    for (file, name) in places(incidents.path()) {
        let mut written = document(incidents.path(), &["show", &file, "--execution", &name, "--events", "--output", "json"]);
        let mut comparison = Comparison::new(&page);
        for event in written["events"].as_array_mut().expect("a list") {
            event.as_object_mut().expect("an object").retain(|member, _| !member.ends_with("EventDetails"));
        }
        comparison.object("History", &written);
        comparison
            .finish(&page.objects.keys().map(String::as_str).filter(|name| *name != "History" && *name != "Event").collect::<Vec<_>>());
    }
}

#[test]
fn every_document_of_ours_begins_with_its_schema() {
    let incidents = incidents();
    let file = "demo/retries-exhausted.json";
    std::fs::write(incidents.path().join("definition.json"), UNSOUND).expect("a file");
    std::fs::write(incidents.path().join("keep.json"), r#"{"StartAt":"Keep","States":{"Keep":{"Type":"Succeed"}}}"#).expect("a file");
    for (arguments, schema) in [
        (&["audit", "definition.json"][..], "stepscope.audit/1"),
        (&["cost", "--input", file], "stepscope.cost/1"),
        (&["compare", "--input", "demo", "--state-machine", "order-fulfilment"], "stepscope.compare/1"),
        (&["run", "keep.json"][..], "stepscope.run/1"),
        (&["replay", file], "stepscope.replay/1"),
        (&["why", file], "stepscope.why/1"),
        (&["show", file], "stepscope.show/1"),
        (&["show", file, "--timeline"], "stepscope.show/1"),
        (&["show", file, "--state", "ChargeCard"], "stepscope.show.state/1"),
        (&["queries", "list"], "stepscope.queries/1"),
        (&["queries", "show", "errors"], "stepscope.queries.show/1"),
        (&["iam-policy", "why"], "stepscope.iam_policy/1"),
        (&["ingest", "demo", "--store", "store"], "stepscope.ingest/1"),
        (&["store", "info", "--store", "store"], "stepscope.store.info/1"),
        (&["store", "verify", "--store", "store"], "stepscope.store.verify/1"),
        (&["store", "compact", "--store", "store"], "stepscope.store.compact/1"),
        (&["store", "prune", "--older-than", "1d", "--dry-run", "--store", "store"], "stepscope.store.prune/1"),
    ] {
        for (format, beginning) in [("json", format!("{{\n  \"schema\": \"{schema}\",")), ("jsonl", format!("{{\"schema\":\"{schema}\","))]
        {
            let text = stepscope(incidents.path(), &[arguments, &["--output", format]].concat()).out;
            assert!(text.starts_with(&beginning), "{arguments:?}: {text:.60}");
            assert_eq!(text.lines().count() == 1, format == "jsonl", "{arguments:?}");
        }
    }
}

#[test]
fn what_has_many_lines_begins_each_with_its_schema() {
    let incidents = incidents();
    let storms = common::storms::lines(&common::storms::nested(30));
    std::fs::write(incidents.path().join("storms.jsonl"), storms).expect("a file");
    for (arguments, document, line) in [
        (&["failures", "--input", "demo"][..], "stepscope.failures/1", "stepscope.failures.row/1"),
        (&["latency", "--input", "demo"], "stepscope.latency/1", "stepscope.latency.row/1"),
        (&["variants", "--input", "demo"], "stepscope.variants/1", "stepscope.variants.row/1"),
        (&["maps", "--input", "more"], "stepscope.maps/1", "stepscope.maps.run/1"),
        (&["audit", "--rules"], "stepscope.audit-rules/1", "stepscope.audit-rules.rule/1"),
        (&["storms", "--input", "storms.jsonl"], "stepscope.storms/1", "stepscope.storms.row/1"),
        (
            &["failures", "--input", "demo", "--group", "1", "--state-machine", "orders-export"],
            "stepscope.failures.group/1",
            "stepscope.failures.execution/1",
        ),
    ] {
        let written = |format: &str| stepscope(incidents.path(), &[arguments, &["--output", format]].concat()).out;
        assert!(written("json").starts_with(&format!("{{\n  \"schema\": \"{document}\",")), "{arguments:?}");
        let lines = written("jsonl");
        assert!(lines.lines().count() > 0 && lines.lines().all(|text| text.starts_with(&format!("{{\"schema\":\"{line}\","))), "{lines}");
    }
}

#[test]
fn every_exit_code_of_the_page_has_a_command_that_gives_it() {
    let incidents = incidents();
    let file = "demo/retries-exhausted.json";
    let given: Vec<String> = [
        &["why", file][..],
        &["why", "no-such-file.json"],
        &["why"],
        &["why", file, "--exit-status"],
        &["why", file, "--status", "succeeded"],
    ]
    .iter()
    .map(|arguments| stepscope(incidents.path(), arguments).code.to_string())
    .collect();
    // The last one is a shell's, for a process that was interrupted.
    assert_eq!(Page::read().values["Exit codes"], [given, vec!["130".to_owned()]].concat());
    // Several make no document.
    stepscope(incidents.path(), &["why", "demo", "--output", "json"]).ends_with(2);
}

//! `variants` as its user runs it: screens, documents, graphs, and what is wrong with the input.

mod common;

use std::fs;
use std::path::PathBuf;

use common::program::{Run, argument, stepscope, stepscope_reading};
use serde_json::{Value, json};
use stepscope::model::Timestamp;
use stepscope::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use stepscope::model::wire::WireBundle;
use tempfile::TempDir;

fn definition() -> Value {
    json!({"StartAt": "Check", "States": {
        "Check": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "Each"}], "Default": "Charge"},
        "Each": {"Type": "Map", "Next": "Charge", "ItemProcessor": {"StartAt": "Pack", "States": {"Pack": {"Type": "Pass", "End": true}}}},
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "Both",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Refused"}]},
        "Both": {"Type": "Parallel", "Next": "Wait", "Branches": [
            {"StartAt": "Mail", "States": {"Mail": {"Type": "Pass", "End": true}}},
            {"StartAt": "Bill", "States": {"Bill": {"Type": "Pass", "End": true}}}]},
        "Wait": {"Type": "Wait", "Seconds": 5, "Next": "Arrived?"},
        "Arrived?": {"Type": "Choice", "Choices": [{"Variable": "$.a", "BooleanEquals": true, "Next": "Done"}], "Default": "Wait"},
        "Done": {"Type": "Succeed"}, "Refused": {"Type": "Fail"}}})
}

fn begun(name: &str, minute: i64) -> HistoryBuilder {
    let mut orders = history("Orders");
    let start = Timestamp::from_second(1_767_225_600 + 60 * minute).expect("a moment");
    orders.named(name).definition(&definition()).clock_at(start);
    orders.choice("Check", json!({}));
    orders
}

fn delivered(name: &str, minute: i64, polls: usize, items: u64) -> String {
    let mut orders = begun(name, minute);
    if items > 0 {
        orders.enter_map("Each", json!([])).map_started(items);
        for index in 0..items {
            orders.iteration(index).pass("Pack", json!({}), json!({})).iteration_succeeded();
        }
        orders.composite_succeeded().exit(json!([]));
    }
    orders.enter_task("Charge", json!({})).taking(milliseconds(900)).attempt_succeeded(json!({})).exit(json!({}));
    orders.enter_parallel("Both", json!({})).parallel_started();
    let (mut mail, mut bill) = (orders.branch(), orders.branch());
    bill.pass("Bill", json!({}), json!({})).branch_succeeded();
    mail.pass("Mail", json!({}), json!({})).branch_succeeded();
    orders.composite_succeeded().exit(json!([]));
    for _ in 0..polls {
        orders.wait("Wait", json!({}), seconds(5)).choice("Arrived?", json!({}));
    }
    orders.enter_succeed("Done", json!({})).exit(json!({})).execution_succeeded(json!({}));
    line(&orders)
}

fn refused(name: &str, minute: i64) -> String {
    let mut orders = begun(name, minute);
    orders.enter_task("Charge", json!({})).attempt_failed("Declined", Some("no money")).caught(json!({}));
    orders.enter_fail("Refused", json!({})).execution_failed();
    line(&orders)
}

fn line(story: &HistoryBuilder) -> String {
    serde_json::to_string(&WireBundle(&story.build())).expect("strings and numbers") + "\n"
}

/// Three that went well and polled more or less often, two that were refused, one with a Map.
fn orders() -> String {
    [
        delivered("a-1", 1, 2, 0),
        delivered("a-2", 2, 7, 0),
        delivered("a-3", 3, 1, 0),
        refused("b-1", 4),
        refused("b-2", 5),
        delivered("c-1", 6, 1, 4),
    ]
    .concat()
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("executions.jsonl");
    fs::write(&file, orders()).expect("written");
    (folder, file)
}

fn variants(arguments: &[&str]) -> Run {
    let (_folder, file) = folder();
    stepscope([&["variants", "--input", argument(&file)], arguments].concat())
}

#[test]
fn the_screen_tells_ways_failures_and_what_was_never_seen() {
    let run = variants(&[]).succeeds();
    insta::assert_snapshot!(run.out);
    assert!(run.out.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn one_variant_is_opened_with_its_executions() {
    let report = variants(&["--output", "json", "--failed-only"]).succeeds().json();
    let id = report["machines"][0]["variants"][0]["id"].as_str().expect("an id").to_owned();
    let run = variants(&["--variant", &id]).succeeds();
    insta::assert_snapshot!(run.out);
    let limited = variants(&["--variant", &id, "--limit", "1"]).succeeds();
    assert!(limited.out.contains("1 more"), "{}", limited.out);
}

#[test]
fn the_document_counts_everything() {
    let report = variants(&["--output", "json"]).succeeds().json();
    assert_eq!(report["schema"], "stepscope.variants/1");
    assert_eq!((&report["coverage"]["executions"], &report["coverage"]["unsuccessful"]), (&json!(6), &json!(2)));
    let machine = &report["machines"][0];
    let counts: Vec<u64> = machine["variants"].as_array().expect("a list").iter().filter_map(|one| one["executions"].as_u64()).collect();
    assert_eq!(counts, [3, 2, 1]);
    let rows = machine["variants"][0]["rows"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["row"] == "loop" && row["turns_min"] == 1 && row["turns_max"] == 7), "{rows:?}");
    let lines = variants(&["--output", "jsonl"]).succeeds().json_lines();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["schema"], &lines[0]["id"]), (&json!("stepscope.variants.row/1"), &machine["variants"][0]["id"]));
}

#[test]
fn several_machines_get_a_section_each() {
    let mut other = history("Parcels");
    other.pass("Weigh", json!({}), json!({})).execution_succeeded(json!({}));
    let run = stepscope_reading(["variants", "--input", "-"], orders() + &line(&other)).succeeds();
    let headings: Vec<&str> = run.out.lines().filter(|line| line.contains(" variant")).filter(|line| !line.starts_with(' ')).collect();
    assert!(headings[0].starts_with("Orders  6 executions, 3 variants"), "{headings:?}");
    assert!(headings[1].starts_with("Parcels  1 execution, 1 variant, none failed"), "{headings:?}");
    let one = stepscope_reading(["variants", "--input", "-", "--state-machine", "Parcels"], orders() + &line(&other)).succeeds();
    assert!(!one.out.contains("Orders"));
}

#[test]
fn nothing_matched_is_said_and_has_its_code() {
    variants(&["--state-machine", "Nobody"]).ends_with(4).says(&["is of that machine and in that window"]);
    variants(&["--min", "99"]).ends_with(4).says(&["no variant of 6 executions is left"]);
    variants(&["--variant", "v1:000000000000"]).ends_with(4).says(&["none of 6 executions took the variant `v1:000000000000`"]);
    let folder = tempfile::tempdir().expect("a folder");
    stepscope(["variants", "--input", argument(folder.path())]).ends_with(1).says(&["is a folder without files"]);
}

#[test]
fn a_file_that_is_not_there_is_an_error_and_the_rest_is_told() {
    let (folder, file) = folder();
    let missing = folder.path().join("missing.json");
    stepscope(["variants", "--input", argument(&missing)]).ends_with(1).says(&["missing.json"]);
    stepscope(["variants", "--input", argument(&missing), "--input", argument(&file)]).ends_with(1).shows(&["Orders  6 executions"]);
}

#[test]
fn graphs_are_written_as_their_files_are_named() {
    let (folder, file) = folder();
    let svg = folder.path().join("orders.svg");
    let run = stepscope(["variants", "--input", argument(&file), "--graph", argument(&svg)]).ends_with(0).says(&["wrote "]);
    assert!(run.out.contains("Orders  6 executions"));
    let picture = fs::read_to_string(&svg).expect("written");
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    let dot = folder.path().join("orders.dot");
    stepscope(["-q", "variants", "--input", argument(&file), "--graph", argument(&dot)]).succeeds();
    assert!(fs::read_to_string(&dot).expect("written").starts_with("digraph \"Orders\" {"));
    stepscope(["variants", "--input", argument(&file), "--graph", "orders.png"]).ends_with(2).says(&["--graph-format svg or dot"]);
    let nowhere = folder.path().join("no/such/orders.svg");
    stepscope(["variants", "--input", argument(&file), "--graph", argument(&nowhere)]).ends_with(1).says(&["failed to write the graph to"]);
}

#[test]
fn the_graph_in_dot_reads_like_the_machine() {
    let run = variants(&["--graph", "-", "--graph-format", "dot"]).succeeds();
    insta::assert_snapshot!(run.out);
}

#[test]
fn a_graph_of_the_definition_needs_one() {
    let mut bare = history("Parcels");
    bare.pass("Weigh", json!({}), json!({})).execution_succeeded(json!({}));
    let arguments = ["variants", "--input", "-", "--graph", "-", "--graph-format", "svg"];
    stepscope_reading([&arguments[..], &["--graph-of", "definition"]].concat(), line(&bare)).ends_with(2).says(&["--graph-of observed"]);
    stepscope_reading(arguments, line(&bare)).succeeds().shows(&["Weigh"]);
}

#[test]
fn what_was_seen_alone_leaves_out_what_was_not() {
    let observed = variants(&["--graph", "-", "--graph-format", "dot", "--graph-of", "observed", "--color-by", "time"]).succeeds().out;
    assert!(observed.contains("mean 600ms") && !observed.contains("never taken") && !observed.contains("never entered"), "{observed}");
}

#[test]
fn names_from_outside_stay_names() {
    let mut evil = history("Evil");
    let name = "<script>alert(1)</script> & \"quote\" \\ \u{1b}[2J\u{202e}";
    evil.pass(name, json!({}), json!({})).pass("状态🚚", json!({}), json!({})).execution_succeeded(json!({}));
    let told = |arguments: &[&str]| stepscope_reading([&["variants", "--input", "-"], arguments].concat(), line(&evil)).succeeds().out;
    for out in [told(&[]), told(&["--graph", "-", "--graph-format", "svg"]), told(&["--graph", "-", "--graph-format", "dot"])] {
        assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}'), "{out}");
        assert!(out.contains("状态"), "{out}");
    }
    let svg = told(&["--graph", "-", "--graph-format", "svg"]);
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"), "{svg}");
    assert!(told(&["--graph", "-", "--graph-format", "dot"]).contains("\\\"quote\\\" \\\\ "));
}

/// The example of `docs/variants.md` is what the program writes.
#[test]
fn the_example_of_the_page_is_drawn_by_the_program() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/variants-example.svg");
    let drawn = variants(&["--graph", "-", "--graph-format", "svg"]).succeeds().out;
    if std::env::var_os("STEPSCOPE_WRITE_EXAMPLES").is_some() {
        fs::write(file, &drawn).expect("written");
    }
    let known = fs::read_to_string(file).expect("the example");
    assert!(known == drawn, "docs/variants-example.svg is out of date; STEPSCOPE_WRITE_EXAMPLES=1 writes it anew");
}

#[test]
fn repeated_runs_write_the_same_bytes() {
    let arguments = ["--graph", "-", "--graph-format", "svg"];
    assert_eq!(variants(&arguments).out, variants(&arguments).out);
}

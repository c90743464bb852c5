//! Incidents that make the program write every field.

pub mod detectors;
pub mod executions;
pub mod fleets;
pub mod service;

use std::path::Path;

use serde_json::{Value, json};
use stepscope::model::builder::{HistoryBuilder, history, seconds};
use stepscope::model::wire::WireBundle;
use stepscope::model::{Details, EventType, ExecutionArn, History};
use tempfile::TempDir;

use crate::common::program::{Run, program};

/// Runs the program in a folder.
pub fn stepscope(folder: &Path, arguments: &[&str]) -> Run {
    Run::of(program().current_dir(folder).args(arguments))
}

/// The document that the program writes, which must find nothing to complain about.
pub fn document(folder: &Path, arguments: &[&str]) -> Value {
    stepscope(folder, arguments).ends_with(0).json()
}

/// A line of JSON with the history.
fn line(history: &History) -> String {
    serde_json::to_string(&WireBundle(history)).expect("a history is JSON") + "\n"
}

/// A folder with the small incidents of `demo`, and more that show what those do not.
pub fn incidents() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    stepscope(folder.path(), &["demo", "demo", "--only", "stories"]).ends_with(0);
    std::fs::create_dir(folder.path().join("more")).expect("a folder");
    for (name, story) in [
        ("child-not-read", child_not_read()),
        ("distributed-map", distributed_map()),
        ("retried-parallel", retried_parallel()),
        ("unlike-iterations", unlike_iterations()),
        ("waiting-for-a-child", waiting_for_a_child()),
        ("assigned", assigned()),
        ("child-in-a-branch", child_in_a_branch()),
        ("the-child", the_child()),
        ("damaged", damaged()),
    ] {
        std::fs::write(folder.path().join("more").join(name).with_extension("json"), line(&story.build())).expect("a file");
    }
    folder
}

fn child_arn(name: &str) -> ExecutionArn {
    format!("arn:aws:states:us-east-1:111111111111:execution:Payments:{name}").parse().expect("an ARN")
}

fn child_not_read() -> HistoryBuilder {
    let mut story = history("Orders");
    failed_child(story.enter_task("Pay", json!({"order": 7})), "not-read");
    story.execution_failed();
    story
}

fn child_in_a_branch() -> HistoryBuilder {
    let mut story = history("Orders");
    let mut branch = story.enter_parallel("Both", json!({})).parallel_started().branch();
    failed_child(branch.enter_task("Pay", json!({"order": 7})), "read");
    branch.scope_failed();
    story.composite_failed().execution_failed();
    story
}

fn failed_child(task: &mut HistoryBuilder, name: &str) {
    let child = child_arn(name);
    let cause = json!({
        "Cause": "the card was declined", "Error": "Declined", "ExecutionArn": child.as_str(), "Input": "{\"order\":7}", "Status": "FAILED"
    });
    task.calls("states", "startExecution.sync:2").scheduled().started().submitted_child(&child);
    task.after(seconds(2)).failed("States.TaskFailed", Some(&cause.to_string()));
}

fn the_child() -> HistoryBuilder {
    let mut story = history("Payments");
    story.named("read").enter_task("Charge", json!({"order": 7})).attempt_failed("Declined", Some("the card was declined"));
    story.execution_failed();
    story
}

/// An iteration ends that never began.
fn damaged() -> HistoryBuilder {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_succeeded(json!({}));
    story.event(EventType::MapIterationSucceeded, None, Details::Iteration { name: None, index: Some(3) });
    story.exit(json!({})).execution_succeeded(json!({}));
    story
}

fn distributed_map() -> HistoryBuilder {
    let mut story = history("Imports");
    story.enter_map("Rows", json!({})).map_started(0);
    story.map_run_started("arn:aws:states:us-east-1:111111111111:mapRun:Imports/Rows:5b7c1f8e-0000-4000-8000-000000000001");
    story.map_run_failed("States.ExceedToleratedFailureThreshold", "too many items failed").composite_failed().execution_failed();
    story
}

fn retried_parallel() -> HistoryBuilder {
    let mut story = history("Quotes");
    story.enter_parallel("Ask", json!({}));
    for attempt in 0..2 {
        story.after(seconds(attempt)).parallel_started();
        let mut branch = story.branch();
        branch.enter_task("AskOne", json!({})).timeout(seconds(5)).heartbeat(seconds(2)).attempt_timed_out().scope_failed();
        story.composite_failed();
    }
    story.execution_failed();
    story
}

/// Every iteration fails in a way of its own and is caught, so that no two make one group.
fn unlike_iterations() -> HistoryBuilder {
    const ITERATIONS: u64 = 20;
    let mut story = history("Labels");
    story.enter_map("Each", json!({})).map_started(ITERATIONS);
    for index in 0..ITERATIONS {
        let mut iteration = story.iteration(index);
        iteration.enter_task("Print", json!({})).attempt_failed(&format!("Printer{index}"), None).caught(json!({}));
        iteration.pass("Skip", json!({}), json!({})).iteration_succeeded();
    }
    story.composite_succeeded().exit(json!([])).execution_succeeded(json!([]));
    story
}

fn waiting_for_a_child() -> HistoryBuilder {
    let mut story = history("Orders");
    let mut iteration = story.enter_map("Each", json!([1])).map_started(1).iteration(0);
    iteration.enter_task("Pay", json!({})).calls("states", "startExecution.sync:2").timeout(seconds(900)).heartbeat(seconds(60));
    iteration.attempt_failed("States.TaskFailed", Some("try again")).after(seconds(1));
    iteration.scheduled().started().submitted_child(&child_arn("running"));
    story
}

fn assigned() -> HistoryBuilder {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_succeeded(json!({"paid": true})).assign("paid", json!(true)).exit(json!({}));
    story
        .enter_task("Tell", json!({}))
        .calls("sqs", "sendMessage.waitForTaskToken")
        .scheduled()
        .started()
        .submitted(json!({"MessageId": "1"}));
    story.after(seconds(3)).succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    story
}

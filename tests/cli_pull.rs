//! `pull` as its user runs it: against moto what a well-behaved account shows, against fakes the rest.

mod common;

use std::path::Path;

use common::block_on;
use common::moto::{Moto, moto};
use common::program::{Run, argument, program};
use serde_json::{Value, json};

fn pull(url: &str, store: &Path, more: &[&str]) -> Run {
    let arguments = ["pull", "--region", "eu-west-1", "--endpoint-url", url, "--store", argument(store)];
    Run::of(program().args(arguments).args(more))
}

fn pulled(url: &str, store: &Path, more: &[&str]) -> Value {
    pull(url, store, &[more, &["--output", "json"]].concat()).ends_with(0).json()
}

/// Asks the store a question.
fn ask(store: &Path, question: &[&str]) -> Run {
    Run::of(program().args(question).args(["--store", argument(store)]))
}

fn passing() -> Value {
    json!({"StartAt": "Check", "States": {"Check": {"Type": "Pass", "End": true}}})
}

fn failing(error: &str) -> Value {
    json!({"StartAt": "Check", "States": {"Check": {"Type": "Pass", "Next": "Stop"}, "Stop": {"Type": "Fail", "Error": error, "Cause": "on purpose"}}})
}

/// Makes a machine and runs it so many times; returns the machine's name and the executions.
async fn ran(moto: &Moto, name: &str, definition: &Value, times: usize) -> (String, Vec<String>) {
    let machine = moto.create(name, definition).await;
    let mut executions = Vec::new();
    for number in 0..times {
        let execution = moto.start(&machine, &json!({"number": number})).await;
        moto.ended(&execution).await;
        executions.push(execution);
    }
    (machine.rsplit(':').next().expect("a name").to_owned(), executions)
}

#[test]
fn a_new_user_pulls_and_asks_the_store() {
    let Some(moto) = moto() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let (orders, _) = block_on(ran(moto, "PullOrders", &passing(), 3));
    let (bills, failed) = block_on(ran(moto, "PullBills", &failing("CardDeclined"), 2));
    let report = pulled(&moto.url(), &store, &["--state-machine", "Pull*"]);
    assert_eq!(report["executions"]["new"], 5, "{report:#}");
    assert_eq!(report["not_looked_at"], json!([]));
    let machines = report["places"][0]["machines"].as_array().expect("machines");
    let of = |name: &str| machines.iter().find(|machine| machine["state_machine"].as_str().is_some_and(|arn| arn.ends_with(name)));
    assert_eq!((of(&orders).expect("it")["new"].clone(), of(&bills).expect("it")["new"].clone()), (json!(3), json!(2)));
    ask(&store, &["failures"]).ends_with(0).shows(&["CardDeclined", "Stop"]);
    ask(&store, &["latency"]).ends_with(0).shows(&["Check"]);
    ask(&store, &["why", &failed[0]]).ends_with(0).shows(&["CardDeclined", "on purpose"]);
}

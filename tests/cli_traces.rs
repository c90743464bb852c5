//! `--trace`: traces beside histories, as their user sees them.

mod common;

use std::path::Path;

use common::program::{argument, stepscope};
use common::traces::{TRACE, batch, call, function, lambda, machine, phase, state, throttled};
use serde_json::{Value, json};
use stepscope::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use stepscope::model::wire::WireBundle;

const ARN: &str = "arn:aws:states:us-east-1:111111111111:execution:Orders:run-1";

/// A task whose function starts cold and writes to a table that is told to go slower, tried twice; then a message is sent.
fn orders() -> HistoryBuilder {
    let mut orders = history("Orders");
    orders.pass("Validate", json!({}), json!({})).enter_task("Reserve", json!({})).calls("sqs", "sendMessage");
    orders.taking(milliseconds(100)).attempt_succeeded(json!({})).exit(json!({})).enter_task("Charge", json!({"order": 7}));
    for _ in 0..2 {
        orders.scheduled().after(milliseconds(20)).started().after(seconds(3));
        orders.failed("ThrottledError", Some(r#"{"errorType": "ThrottledError", "errorMessage": "slow down"}"#)).after(seconds(1));
    }
    orders.execution_failed();
    orders
}

fn segments() -> Vec<Value> {
    let mut of_functions = Vec::new();
    let mut calls = Vec::new();
    for (id, from, cold) in [(1, 0.1, true), (2, 4.12, false)] {
        calls.push(call(id, "Lambda", "Invoke", (from + 0.03, from + 3.01)));
        let begun = if cold { 1.3 } else { 0.3 };
        let mut inside = vec![phase(id * 10, "Invocation", (from + begun, from + 2.9), &[throttled(id, (from + begun + 0.1, from + 2.8))])];
        if cold {
            inside.insert(0, phase(id * 10 + 1, "Initialization", (from + 0.3, from + 1.3), &[]));
        }
        of_functions.push(lambda(id, "charge", &format!("r-{id}"), (from + 0.06, from + 2.99)));
        let mut own = function(id, "charge", &format!("r-{id}"), (from + begun, from + 2.95), &inside);
        own["fault"] = json!(true);
        own["cause"] = json!({"exceptions": [{"type": "ThrottledError", "message": "slow down"}]});
        of_functions.push(own);
    }
    let states = [
        state(1, "Validate", (0.0, 0.0), &[]),
        state(2, "Reserve", (0.0, 0.1), &[call(9, "SQS", "SendMessage", (0.01, 0.09))]),
        state(3, "Charge", (0.1, 8.14), &calls),
    ];
    let mut all = vec![machine("Orders", Some(ARN), (0.0, 8.14), &states)];
    all.extend(of_functions);
    all
}

/// A folder with the history and its trace.
fn scene() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, value: &Value| std::fs::write(folder.path().join(name), value.to_string()).expect("a file");
    let bundle = serde_json::to_value(WireBundle(&orders().build())).expect("a history is JSON");
    write("history.json", &bundle);
    write("traces.json", &batch(&segments()));
    folder
}

fn in_folder(folder: &Path, name: &str) -> String {
    argument(&folder.join(name)).to_owned()
}

#[test]
fn show_puts_spans_beneath_the_attempts() {
    let folder = scene();
    let (history, traces) = (in_folder(folder.path(), "history.json"), in_folder(folder.path(), "traces.json"));
    for (name, view) in [("tree", None), ("timeline", Some("--timeline"))] {
        let run = stepscope(["show", &history].into_iter().chain(view).chain(["--trace", &traces])).succeeds();
        for line in run.out.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= 80, "{line}");
            assert_eq!(line.trim_end(), line);
        }
        insta::assert_snapshot!(name, run.out.replace(&history, "history.json"));
    }
}

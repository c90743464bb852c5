//! Stores, queries, and what is fetched.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use stepscope::analysis::pull_logs::{MachineLogs, Via, advice};
use stepscope::model::builder::history;
use stepscope::model::facts::WorkflowType;

use super::{document, line, stepscope};
use crate::common;
use crate::common::fake_endpoint::{FakeEndpoint, Reply};
use crate::common::program::{Run, program};
use crate::common::quota_endpoint::{Fleet, QuotaEndpoint, Quotas};
use crate::comparison::Comparison;

/// A store that is filled, looked at, damaged and cleaned up.
pub fn every_store(folder: &Path, comparison: &mut Comparison<'_>) {
    let mut told = |name: &str, arguments: &[&str]| {
        comparison.object(name, &stepscope(folder, &[arguments, &["--store", "store", "--output", "json"]].concat()).json());
    };
    std::fs::write(folder.join("no-history.jsonl"), "{\"execution\": oops}\n").expect("a file");
    let mut versioned = history("Orders");
    versioned.named("versioned").version("3").pass("A", json!({}), json!({})).execution_succeeded(json!({}));
    std::fs::write(folder.join("versioned.json"), line(&versioned.build())).expect("a file");
    told("Ingest report", &["ingest", "demo", "no-history.jsonl"]);
    told("Ingest report", &["ingest", "more", "versioned.json"]);
    told("Store info", &["store", "info"]);
    told("Store verification", &["store", "verify"]);
    told("Store compaction", &["store", "compact"]);
    let mut damaged = Vec::new();
    for day in std::fs::read_dir(folder.join("store/executions")).expect("days").take(1) {
        for file in std::fs::read_dir(day.expect("a day").path()).expect("files") {
            damaged.push(file.expect("a file").path());
        }
    }
    for file in &damaged {
        std::fs::write(file, "nothing").expect("damaged");
    }
    told("Store info", &["store", "info"]);
    told("Ingest report", &["ingest", "demo", "more"]);
    told("Store compaction", &["store", "compact"]);
    told("Store verification", &["store", "verify", "--set-aside"]);
    told("Store pruning", &["store", "prune", "--older-than", "9000-01-01"]);
}

/// Pulls of which one breaks off, and the next one goes on beside damage.
pub fn pulls(folder: &Path, comparison: &mut Comparison<'_>) {
    let quotas = Quotas { acceleration: 100.0, ..Quotas::default() };
    let (asked, is_broken) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(true)));
    let shared = Arc::clone(&is_broken);
    let endpoint = QuotaEndpoint::with_faults(Fleet::mixed(1, 60), quotas, move |request| {
        let asks_for_history = request.action == "GetExecutionHistory";
        let is_late = asks_for_history && asked.fetch_add(1, Ordering::SeqCst) > 30;
        if shared.load(Ordering::SeqCst) {
            is_late.then_some(Reply::Error("ExpiredTokenException", "expired"))
        } else {
            asks_for_history.then_some(Reply::Error("ExecutionDoesNotExist", "gone"))
        }
    });
    let config =
        format!("[profile ada]\nregion = eu-west-1\nendpoint_url = {}\naws_access_key_id = A\naws_secret_access_key = s\n", endpoint.url());
    std::fs::write(folder.join("config"), config).expect("a file");
    let mut told = |logs: &[&str]| {
        let arguments = ["pull", "--profile", "ada", "--since", "2026-01-01", "--store", "pulled", "--output", "json"];
        let quotas = quotas.words().into_iter().flat_map(|quota| ["--quota".to_owned(), quota]);
        let run = Run::of(program().current_dir(folder).env("AWS_CONFIG_FILE", "config").args(arguments).args(logs).args(quotas));
        comparison.object("Pull report", &run.json());
    };
    told(&[]);
    is_broken.store(false, Ordering::SeqCst);
    for file in common::store::files_of(&folder.join("pulled"), "executions") {
        std::fs::write(file, "nothing").expect("damaged");
    }
    told(&["--logs=all"]);
}

/// What a pull tells of logs: it asks an endpoint for them, so what it would write is made here.
pub fn logs_of_a_machine(comparison: &mut Comparison<'_>) {
    let machine = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders".parse().expect("an ARN");
    let nothing = MachineLogs::new(&machine, None, None, false);
    comparison.object("Machine logs", &serde_json::to_value(&nothing).expect("JSON"));
    let moment = Some("2026-11-20T08:00:00Z".parse().expect("a moment"));
    let mut logs = MachineLogs::new(&machine, Some(WorkflowType::Express), Some("ERROR"), true);
    (logs.log_group, logs.via, logs.since, logs.until) = (Some("orders".to_owned()), Some(Via::Insights), moment, moment);
    logs.scanned(1_000_000);
    logs.unreadable.push("log group orders: a log record that is cut short".to_owned());
    logs.not_looked_at.push("its log group from 2026-11-20T08:00:00Z on".to_owned());
    logs.advice = advice(&machine, "ERROR", true, None, "");
    comparison.object("Machine logs", &serde_json::to_value(&logs).expect("JSON"));
}

/// Rows, and what there is to ask.
pub fn queries(folder: &Path, comparison: &mut Comparison<'_>) {
    let query = ["query", "SELECT name, status FROM executions", "--input", "demo", "--output", "json"];
    comparison.object("Query answer", &document(folder, &query));
    comparison.object("Query list", &document(folder, &["query", "--list", "--output", "json"]));
    comparison.object("Query tables", &document(folder, &["query", "--tables", "--output", "json"]));
    comparison.object("Saved queries", &document(folder, &["queries", "list", "--output", "json"]));
    comparison.object("Shown query", &document(folder, &["queries", "show", "throttles", "--output", "json"]));
    comparison.object("IAM policy report", &document(folder, &["iam-policy", "--output", "json"]));
    comparison.object("Insights answer", &insights_answer(folder));
}

/// `queries run` at an endpoint whose queries find one row.
pub fn insights_answer(folder: &Path) -> Value {
    let endpoint = FakeEndpoint::start(|request| match request.action.as_str() {
        "StartQuery" => Reply::Json(json!({"queryId": "one"})),
        _ => Reply::Json(
            json!({"status": "Complete", "results": [[{"field": "error", "value": "Declined"}, {"field": "executions", "value": "3"}]],
            "statistics": {"bytesScanned": 1_000.0, "recordsScanned": 3.0, "recordsMatched": 3.0}}),
        ),
    });
    let arn = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";
    let run = ["queries", "run", "errors", "--state-machine", arn, "--log-group", "orders", "--output", "json"];
    document(folder, &[&run[..], &["--endpoint-url", endpoint.url()]].concat())
}

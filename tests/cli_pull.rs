//! `pull` as its user runs it: against moto what a well-behaved account shows, against fakes the rest.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::fake_endpoint::{FakeEndpoint, Reply, Request};
use common::moto::{Moto, moto};
use common::program::{Run, argument, program, stepscope};
use common::quota_endpoint::{self, Fleet, QuotaEndpoint, Quotas};
use common::{ACCOUNT, REGION, block_on};
use serde_json::{Value, json};
use stepscope::sources::aws::Action;
use tempfile::TempDir;

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

/// A fleet behind the quotas of the service, made a hundred times as fast.
fn fast() -> Quotas {
    Quotas { acceleration: 100.0, ..Quotas::default() }
}

/// The arguments that pull all of a fleet, whenever it ran.
fn all(quotas: &Quotas) -> Vec<String> {
    let words = quotas.words().into_iter().flat_map(|quota| ["--quota".to_owned(), quota]);
    ["--since", "2026-01-01"].map(str::to_owned).into_iter().chain(words).collect()
}

fn pull_fleet(endpoint: &QuotaEndpoint, store: &Path, more: &[&str]) -> Run {
    let all = all(&fast());
    let arguments: Vec<&str> = all.iter().map(String::as_str).chain(["--output", "json"]).chain(more.iter().copied()).collect();
    pull(endpoint.url(), store, &arguments)
}

struct Scene {
    folder: TempDir,
    endpoint: QuotaEndpoint,
}

impl Scene {
    fn of(machines: usize, executions: usize) -> Self {
        Self::with_faults(machines, executions, |_| None)
    }

    fn with_faults(machines: usize, executions: usize, fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let endpoint = QuotaEndpoint::with_faults(Fleet::mixed(machines, executions), fast(), fault);
        Self { folder: tempfile::tempdir().expect("a folder"), endpoint }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn pull(&self, more: &[&str]) -> Run {
        pull_fleet(&self.endpoint, &self.store(), more)
    }
}

/// What was not looked at: kind, and how many executions.
fn missing(report: &Value) -> Vec<(&str, Option<u64>)> {
    let of = |missing: &'_ Value| missing["what"].as_str().map(|what| (what.to_owned(), missing["executions"].as_u64()));
    let found: Vec<(String, Option<u64>)> = report["not_looked_at"].as_array().expect("a list").iter().filter_map(of).collect();
    let known = ["place", "tags", "listing", "express", "gone", "histories", "rest", "definition"];
    found.iter().map(|(what, count)| (*known.iter().find(|known| *known == what).expect("a kind"), *count)).collect()
}

#[test]
fn what_the_store_has_is_not_fetched_again() {
    let scene = Scene::of(2, 200);
    let first = scene.pull(&[]).ends_with(0).json();
    assert_eq!((first["executions"]["listed"].clone(), first["executions"]["new"].clone()), (json!(200), json!(200)), "{first:#}");
    let histories = scene.endpoint.calls(Action::GetExecutionHistory);
    assert_eq!(histories, Fleet::mixed(2, 200).pages());
    assert_eq!(scene.endpoint.calls(Action::DescribeStateMachineForExecution), 2, "one for each revision");
    let second = scene.pull(&[]).ends_with(0).json();
    let counts = &second["executions"];
    assert_eq!((counts["already_stored"].clone(), counts["unchanged"].clone()), (json!(198), json!(2)), "two still run: {second:#}");
    assert_eq!(scene.endpoint.calls(Action::GetExecutionHistory), histories + 3, "one of the two has two pages");
    assert_eq!(scene.endpoint.calls(Action::DescribeStateMachineForExecution), 2);
}

#[test]
fn failures_come_first_and_a_limit_keeps_the_best() {
    let scene = Scene::of(1, 200);
    let report = scene.pull(&["--limit", "30"]).ends_with(0).json();
    assert_eq!((report["executions"]["new"].clone(), report["executions"]["left_out_by_limit"].clone()), (json!(30), json!(170)));
    let statuses =
        ask(&scene.store(), &["query", "SELECT status, count(*) AS n FROM executions GROUP BY status", "--output", "json"]).json();
    let of = |status: &str| {
        let rows = statuses["rows"].as_array().expect("rows");
        rows.iter().find(|row| row["status"] == status).map_or(0, |row| row["n"].as_u64().expect("a count"))
    };
    // Of each hundred 15 did not succeed.
    assert_eq!((of("FAILED"), of("TIMED_OUT"), of("ABORTED"), of("RUNNING"), of("SUCCEEDED")), (20, 4, 4, 2, 0), "{statuses:#}");
}

#[test]
fn a_sample_leaves_out_successes_and_says_how_many() {
    let scene = Scene::of(1, 300);
    let report = scene.pull(&["--sample", "20%"]).ends_with(0).json();
    let counts = &report["executions"];
    let (new, left_out) = (counts["new"].as_u64().expect("a count"), counts["left_out_by_sample"].as_u64().expect("a count"));
    assert_eq!(new + left_out, 300);
    assert!((75..130).contains(&new), "45 that did not succeed, and about 51 of the others: {new}");
}

#[test]
fn only_the_statuses_that_are_wanted_are_listed() {
    let scene = Scene::of(1, 200);
    let report = scene.pull(&["--status", "failed,timed-out"]).ends_with(0).json();
    assert_eq!((report["executions"]["listed"].clone(), report["executions"]["new"].clone()), (json!(24), json!(24)));
    scene
        .pull(&["--state-machine", "Nobody"])
        .ends_with(4)
        .says(&["no state machine matches Nobody; see `aws stepfunctions list-state-machines --region"]);
    let execution = "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1";
    scene.pull(&["--state-machine", execution]).ends_with(2).says(&["names an execution, not a state machine"]);
    scene.pull(&["--until", "2025-12-31"]).ends_with(2).says(&["nothing lies between"]);
}

#[test]
fn a_machine_of_many_executions_is_listed_by_status() {
    let scene = Scene::of(1, 1_500);
    let report = scene.pull(&["--limit", "100"]).ends_with(0).json();
    assert_eq!(report["executions"]["new"], 100);
    // The first page did not reach back: one for each status.
    assert_eq!(scene.endpoint.calls(Action::ListExecutions), 7);
}

#[test]
fn a_history_and_a_machine_that_vanish_are_named_and_the_rest_is_stored() {
    let gone = quota_endpoint::execution_arn("Orders-0", "run-10");
    let scene = Scene::with_faults(3, 90, move |request| match request.action.as_str() {
        "GetExecutionHistory" if request.body["executionArn"] == gone.replace("Orders-0", "Orders-1").as_str() => {
            Some(Reply::Error("ExecutionDoesNotExist", "Execution Does Not Exist"))
        }
        "ListExecutions" if request.body["stateMachineArn"] == quota_endpoint::machine_arn("Orders-2").as_str() => {
            Some(Reply::Error("StateMachineDoesNotExist", "State Machine Does Not Exist"))
        }
        _ => None,
    });
    let report = scene.pull(&[]).ends_with(1).json();
    assert_eq!(missing(&report), [("listing", None), ("gone", Some(1))], "{report:#}");
    assert_eq!(report["executions"]["new"], 59);
}

#[test]
fn credentials_that_run_out_stop_cleanly_and_the_next_pull_goes_on() {
    let has_expired = Arc::new(AtomicBool::new(false));
    let calls = AtomicUsize::new(0);
    let shared = Arc::clone(&has_expired);
    let scene = Scene::with_faults(2, 300, move |request| {
        if request.action == "GetExecutionHistory" && calls.fetch_add(1, Ordering::SeqCst) == 150 {
            shared.store(true, Ordering::SeqCst);
        }
        shared
            .load(Ordering::SeqCst)
            .then_some(Reply::Error("ExpiredTokenException", "The security token included in the request is expired"))
    });
    let report = scene.pull(&[]).ends_with(1).json();
    assert_eq!(report["places"][0]["outcome"], "broke_off");
    let new = report["executions"]["new"].as_u64().expect("a count");
    let waiting = report["waiting"].as_u64().expect("a count");
    let left = report["not_looked_at"][0]["executions"].as_u64().expect("a count");
    assert_eq!(new + waiting + left, 300, "{report:#}");
    assert!(new + waiting > 80 && left > 100, "{report:#}");
    assert!(report["not_looked_at"][0]["reason"].as_str().expect("a reason").contains("expired"));
    has_expired.store(false, Ordering::SeqCst);
    let report = scene.pull(&[]).ends_with(0).json();
    assert!(report["places"][0]["resumed_from"].is_string(), "{report:#}");
    assert_eq!(report["executions"]["new"], 300, "of both together");
}

#[test]
fn a_definition_that_may_not_be_asked_is_stood_in_for() {
    let scene = Scene::with_faults(1, 40, |request| {
        (request.action == "DescribeStateMachineForExecution").then_some(Reply::Error("AccessDeniedException", "not authorized"))
    });
    let report = scene.pull(&[]).ends_with(1).json();
    assert_eq!(missing(&report), [("definition", None)]);
    assert_eq!(report["executions"]["new"], 40);
    let failed = quota_endpoint::execution_arn("Orders-0", "run-7");
    ask(&scene.store(), &["why", &failed]).ends_with(0).shows(&["the definition may be of another time", "not authorized"]);
}

#[test]
fn a_store_that_cannot_be_written_costs_no_call() {
    let scene = Scene::of(1, 10);
    scene.pull(&["--limit", "1"]).ends_with(0);
    let calls = scene.endpoint.all_calls();
    for file in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = std::fs::remove_file(scene.store().join(file));
    }
    std::fs::create_dir(scene.store().join("ledger.sqlite")).expect("made");
    scene.pull(&[]).ends_with(1).says(&["ledger.sqlite could not be opened"]);
    assert_eq!(scene.endpoint.all_calls(), calls);
}

#[test]
fn a_ledger_that_fails_while_executions_are_listed_ends_the_pull() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = folder.path().join("ledger.sqlite");
    let endpoint = QuotaEndpoint::with_faults(Fleet::mixed(1, 10), fast(), move |request| {
        if request.action == "ListExecutions" {
            let connection = rusqlite::Connection::open(&ledger).expect("a ledger");
            connection.execute_batch("DROP TABLE IF EXISTS counts").expect("dropped");
        }
        None
    });
    pull_fleet(&endpoint, folder.path(), &[]).ends_with(1).says(&["ledger.sqlite could not be written: no such table"]);
    pull_fleet(&endpoint, folder.path(), &[]).ends_with(1);
    assert_eq!(endpoint.calls(Action::GetExecutionHistory), 0);
}

#[test]
fn a_damaged_ledger_costs_no_call_and_without_it_the_pull_begins_anew() {
    let scene = Scene::of(1, 10);
    scene.pull(&["--limit", "4"]).ends_with(0);
    let calls = scene.endpoint.all_calls();
    let ledger = scene.store().join("ledger.sqlite");
    for damage in [[b'x'; 200].as_slice(), &[0xff; 9_000]] {
        std::fs::write(&ledger, damage).expect("written");
        scene.pull(&[]).ends_with(1).says(&["ledger.sqlite can't be understood", "move it away: what the tables hold stays"]);
    }
    assert_eq!(scene.endpoint.all_calls(), calls);
    std::fs::remove_file(&ledger).expect("there");
    let report = scene.pull(&[]).ends_with(0).json();
    assert_eq!((report["executions"]["new"].clone(), report["executions"]["already_stored"].clone()), (json!(6), json!(4)), "{report:#}");
}

#[test]
fn an_account_that_another_process_pulls_is_left_to_it() {
    let scene = Scene::of(1, 10);
    scene.pull(&["--limit", "1"]).ends_with(0);
    let lock = std::fs::File::options().write(true).open(scene.store().join(format!(".pulling/{ACCOUNT}_{REGION}"))).expect("there");
    lock.lock().expect("free");
    let report = scene.pull(&[]).ends_with(1).json();
    assert_eq!((report["places"][0]["outcome"].clone(), report["executions"]["new"].clone()), (json!("claimed"), json!(0)));
    drop(lock);
    scene.pull(&[]).ends_with(0);
}

/// A configuration with two profiles, each with an endpoint of its own.
fn profiles(folder: &Path, endpoints: &[(&str, &str)]) -> PathBuf {
    let profile = |(name, url): &(&str, &str)| {
        format!(
            "[profile {name}]\nregion = {REGION}\nendpoint_url = {url}\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"
        )
    };
    let file = folder.join("config");
    std::fs::write(&file, endpoints.iter().map(profile).collect::<String>()).expect("written");
    file
}

#[test]
fn an_endpoint_that_hangs_does_not_hold_up_another_profile() {
    let scene = Scene::of(2, 100);
    let hanging = FakeEndpoint::start(|_| Reply::Hang);
    let config = profiles(scene.folder.path(), &[("good", scene.endpoint.url()), ("hanging", hanging.url())]);
    let quotas = all(&fast());
    let store = scene.store();
    let arguments = ["pull", "--profile", "hanging", "--profile", "good", "--store", argument(&store), "--output", "json"];
    let environment = [("AWS_CONFIG_FILE", argument(&config)), ("AWS_MAX_ATTEMPTS", "1")];
    let run = Run::of(program().envs(environment).args(arguments).args(["--cli-read-timeout", "5"]).args(quotas)).ends_with(1);
    let report = run.json();
    let outcomes: Vec<&str> = report["places"].as_array().expect("two").iter().filter_map(|place| place["outcome"].as_str()).collect();
    assert_eq!((outcomes, report["executions"]["new"].clone()), (vec!["failed", "done"], json!(100)), "{report:#}");
    assert!(report["not_looked_at"][0]["reason"].as_str().expect("why").contains("gave no answer in time"));
}

#[test]
fn two_profiles_of_one_account_are_pulled_once() {
    let scene = Scene::of(2, 100);
    let config = profiles(scene.folder.path(), &[("one", scene.endpoint.url()), ("other", scene.endpoint.url())]);
    let store = scene.store();
    let arguments = ["pull", "--profile", "one", "--profile", "other", "--store", argument(&store), "--output", "json"];
    let report = Run::of(program().env("AWS_CONFIG_FILE", &config).args(arguments).args(all(&fast()))).ends_with(0).json();
    let mut outcomes: Vec<&str> = report["places"].as_array().expect("two").iter().filter_map(|place| place["outcome"].as_str()).collect();
    outcomes.sort_unstable();
    assert_eq!((outcomes, report["executions"]["new"].clone()), (vec!["done", "same_account"], json!(100)));
    assert_eq!(scene.endpoint.calls(Action::GetExecutionHistory), Fleet::mixed(2, 100).pages());
}

#[test]
fn other_verbs_take_one_profile() {
    stepscope(["why", "x.json", "--profile", "a", "--profile", "b"]).ends_with(2).says(&["--profile", "multiple times"]);
}

#[test]
fn express_machines_are_named_and_tags_select() {
    let Some(moto) = moto() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/tests");
    let (tagged, _) = block_on(ran(moto, "TagsOne", &passing(), 1));
    block_on(ran(moto, "TagsOther", &passing(), 1));
    let machine = quota_endpoint::machine_arn(&tagged);
    let team = aws_sdk_sfn::types::Tag::builder().key("team").value("payments").build();
    block_on(moto.client().tag_resource().resource_arn(&machine).tags(team).send()).expect("tagged");
    let express = moto.client().create_state_machine().name("TagsExpress").definition(passing().to_string()).role_arn(role);
    block_on(express.r#type(aws_sdk_sfn::types::StateMachineType::Express).send()).expect("made");
    let report = pulled(&moto.url(), &store, &["--state-machine", "Tags*", "--tag", "team=payments"]);
    assert_eq!((report["executions"]["new"].clone(), report["not_looked_at"].clone()), (json!(1), json!([])), "{report:#}");
    let report = pulled(&moto.url(), &store, &["--state-machine", "Tags*"]);
    assert_eq!((report["executions"]["new"].clone(), missing(&report)), (json!(1), vec![("express", None)]), "{report:#}");
    pull(&moto.url(), &store, &["--state-machine", "Tags*"]).ends_with(0).shows(&[
        "Not looked at",
        "1 Express machine (TagsExpress)",
        "they are in the logs",
    ]);
}

#[test]
fn an_execution_that_ran_on_past_the_window_is_fetched_when_it_has_ended() {
    let has_ended = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&has_ended);
    let arn = quota_endpoint::execution_arn("Orders-0", "run-99");
    let of_ours = arn.clone();
    let scene = Scene::with_faults(1, 100, move |request| {
        if !shared.load(Ordering::SeqCst) || request.body["executionArn"] != of_ours.as_str() {
            return None;
        }
        let start = quota_endpoint::FIRST_START + 99.0;
        Some(Reply::Json(match request.action.as_str() {
            "DescribeExecution" => {
                json!({"executionArn": of_ours, "name": "run-99", "status": "SUCCEEDED", "startDate": start, "stopDate": start + 1e6,
                "stateMachineArn": quota_endpoint::machine_arn("Orders-0"), "redriveCount": 0})
            }
            "GetExecutionHistory" => json!({"events": [
                {"id": 1, "previousEventId": 0, "timestamp": start, "type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}},
                {"id": 2, "previousEventId": 0, "timestamp": start + 1e6, "type": "ExecutionSucceeded", "executionSucceededEventDetails": {"output": "{}"}}]}),
            _ => return None,
        }))
    });
    scene.pull(&[]).ends_with(0);
    let later = ["--since", "2026-02-01"];
    let url = scene.endpoint.url();
    // It still runs: there is nothing to fetch.
    pull(url, &scene.store(), &later).ends_with(4);
    has_ended.store(true, Ordering::SeqCst);
    let report = pulled(url, &scene.store(), &later);
    assert_eq!((report["executions"]["listed"].clone(), report["executions"]["replaced"].clone()), (json!(1), json!(1)), "{report:#}");
    let statuses = ask(&scene.store(), &["query", "SELECT status FROM executions WHERE name = 'run-99'", "--output", "json"]).json();
    assert_eq!(statuses["rows"], json!([{"status": "SUCCEEDED"}]));
}

/// The Map Run of the first execution that failed.
fn map_run() -> String {
    format!("arn:aws:states:{REGION}:{ACCOUNT}:mapRun:Orders-0/Each:0001")
}

/// Answers for a Map Run of the fleet's run-7, with two children that failed and twenty that succeeded.
fn with_children(request: &Request) -> Option<Reply> {
    let start = quota_endpoint::FIRST_START + 7.0;
    let child = |number: usize| quota_endpoint::execution_arn("Orders-0/Each", &format!("child-{number}"));
    let status = |number: usize| if number < 2 { "FAILED" } else { "SUCCEEDED" };
    let arn = request.body["executionArn"].as_str().unwrap_or_default();
    let number = arn.split_once("/Each:child-").and_then(|(_, number)| number.parse::<usize>().ok());
    let is_parent = arn == quota_endpoint::execution_arn("Orders-0", "run-7");
    let events = |events: Vec<(&str, Value)>| {
        let event = |(place, (kind, details)): (usize, (&str, Value))| {
            let mut event = json!({"id": place + 1, "previousEventId": place, "timestamp": start + f64::from(u8::try_from(place).expect("few events")) / 10.0, "type": kind});
            event.as_object_mut().expect("an object").extend(details.as_object().expect("an object").clone());
            event
        };
        json!({"events": events.into_iter().enumerate().map(event).collect::<Vec<_>>()})
    };
    let started = ("ExecutionStarted", json!({"executionStartedEventDetails": {"input": "{\"row\":1}"}}));
    let entered = |kind: &'static str, name: &str| (kind, json!({"stateEnteredEventDetails": {"name": name, "input": "{}"}}));
    Some(Reply::Json(match (request.action.as_str(), number) {
        ("GetExecutionHistory", None) if is_parent => events(vec![
            started,
            entered("MapStateEntered", "Each"),
            ("MapStateStarted", json!({"mapStateStartedEventDetails": {"length": 22}})),
            ("MapRunStarted", json!({"mapRunStartedEventDetails": {"mapRunArn": map_run()}})),
            ("MapRunFailed", json!({"mapRunFailedEventDetails": {"error": "States.ExceedToleratedFailureThreshold"}})),
            ("ExecutionFailed", json!({"executionFailedEventDetails": {"error": "States.ExceedToleratedFailureThreshold"}})),
        ]),
        ("GetExecutionHistory", Some(number)) => events(vec![
            started,
            entered("PassStateEntered", "Step"),
            match status(number) {
                "FAILED" => ("ExecutionFailed", json!({"executionFailedEventDetails": {"error": "BadRow", "cause": "no price"}})),
                _ => ("ExecutionSucceeded", json!({"executionSucceededEventDetails": {"output": "{}"}})),
            },
        ]),
        ("ListExecutions", _) if request.body["mapRunArn"] == map_run().as_str() => {
            let is_wanted = |number: &usize| request.body["statusFilter"].is_null() || request.body["statusFilter"] == status(*number);
            let item = |number: usize| {
                json!({"executionArn": child(number), "stateMachineArn": quota_endpoint::machine_arn("Orders-0/Each"),
                "name": format!("child-{number}"), "status": status(number), "startDate": start, "stopDate": start + 0.2, "mapRunArn": map_run()})
            };
            json!({"executions": (0..22).filter(is_wanted).map(item).collect::<Vec<_>>()})
        }
        _ => return None,
    }))
}

#[test]
fn children_of_map_runs_are_pulled_and_maps_answers_from_the_store() {
    let scene = Scene::with_faults(1, 40, with_children);
    // Who did not ask for them, and does later, gets them of what is stored.
    assert_eq!(scene.pull(&[]).ends_with(0).json()["executions"]["new"], 40);
    let url = scene.endpoint.url();
    ask(&scene.store(), &["maps"]).shows(&["none of its children was read", "pull --map-runs"]);
    let report = scene.pull(&["--map-runs"]).ends_with(0).json();
    let counts = &report["executions"];
    assert_eq!((&counts["listed"], &counts["new"], &counts["already_stored"]), (&json!(62), &json!(22), &json!(40)), "{report:#}");
    assert_eq!((&report["not_looked_at"], &report["places"][0]["machines"][0]["new"]), (&json!([]), &json!(22)), "{report:#}");
    ask(&scene.store(), &["maps"]).shows(&["BadRow", "counted are the 22 children"]);
    let histories = scene.endpoint.calls(Action::GetExecutionHistory);
    let report = scene.pull(&["--map-runs"]).ends_with(0).json();
    assert_eq!((&report["executions"]["already_stored"], &report["executions"]["new"]), (&json!(62), &json!(0)), "{report:#}");
    assert_eq!(scene.endpoint.calls(Action::GetExecutionHistory), histories, "none is fetched again from {url}");
}

#[test]
fn with_a_limit_failed_children_come_before_what_succeeded() {
    let scene = Scene::with_faults(1, 40, with_children);
    // Four failed, one timed out, one was aborted; then two children.
    let report = scene.pull(&["--map-runs", "--limit", "8"]).ends_with(0).json();
    assert_eq!((&report["executions"]["new"], &report["executions"]["left_out_by_limit"]), (&json!(8), &json!(54)), "{report:#}");
    let rows =
        ask(&scene.store(), &["query", "SELECT count(*) AS n FROM executions WHERE status = 'SUCCEEDED'", "--output", "json"]).json();
    assert_eq!(rows["rows"], json!([{"n": 0}]));
    ask(&scene.store(), &["maps"]).shows(&["BadRow", "counted are the 2 children"]);
    let scene = Scene::with_faults(1, 40, with_children);
    let report = scene.pull(&["--map-runs", "--status", "failed"]).ends_with(0).json();
    assert_eq!(report["executions"]["new"], 6, "four, and two children: {report:#}");
}

#[test]
fn children_that_were_not_listed_come_with_the_next_pull() {
    let has_expired = Arc::new(AtomicBool::new(true));
    let shared = Arc::clone(&has_expired);
    let scene = Scene::with_faults(1, 40, move |request| {
        if shared.load(Ordering::SeqCst) && request.body["mapRunArn"].is_string() {
            return Some(Reply::Error("ExpiredTokenException", "The security token included in the request is expired"));
        }
        with_children(request)
    });
    let report = scene.pull(&["--map-runs"]).ends_with(1).json();
    assert_eq!(report["places"][0]["outcome"], "broke_off", "{report:#}");
    has_expired.store(false, Ordering::SeqCst);
    let report = scene.pull(&["--map-runs"]).ends_with(0).json();
    assert!(report["places"][0]["resumed_from"].is_string(), "{report:#}");
    assert_eq!(report["executions"]["new"], 62, "of both together: {report:#}");
    assert_eq!(scene.endpoint.calls(Action::GetExecutionHistory), Fleet::mixed(1, 40).pages() + 22, "none twice");
}

#[test]
fn children_that_cannot_be_had_are_said() {
    let scene = Scene::with_faults(1, 40, |request| {
        let is_of_map_run = request.body["mapRunArn"].is_string();
        if is_of_map_run { Some(Reply::Error("AccessDeniedException", "not authorized")) } else { with_children(request) }
    });
    let report = scene.pull(&["--map-runs"]).ends_with(1).json();
    assert_eq!((missing(&report), &report["not_looked_at"][0]["example"]), (vec![("listing", None)], &json!(map_run())), "{report:#}");
    assert_eq!(report["executions"]["new"], 40);
    let scene = Scene::with_faults(1, 40, |request| {
        let express = |number: usize| format!("arn:aws:states:{REGION}:{ACCOUNT}:express:Orders-0/Each:{number}");
        let item = |number: usize| {
            json!({"executionArn": express(number), "stateMachineArn": quota_endpoint::machine_arn("Orders-0/Each"),
            "name": number.to_string(), "status": "FAILED", "startDate": quota_endpoint::FIRST_START, "mapRunArn": map_run()})
        };
        let is_of_map_run = request.body["mapRunArn"].is_string();
        if is_of_map_run { Some(Reply::Json(json!({"executions": [item(1), item(2), item(3)]}))) } else { with_children(request) }
    });
    let report = scene.pull(&["--map-runs"]).ends_with(0).json();
    assert_eq!((missing(&report), &report["executions"]["new"]), (vec![("express", Some(3))], &json!(40)), "{report:#}");
    assert!(report["not_looked_at"][0]["reason"].as_str().expect("a reason").contains("--logs=all"));
}

//! `iam-policy` and the program hold together: what a verb asks of AWS stands in the table, and what stands there is asked.
//!
//! To add a verb: a row to `src/cli/iam_policy/needs.rs`, and a run to [`RUNS`] that makes each of its calls.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::fake_endpoint::{FakeEndpoint, Reply, Request};
use common::program::{Run, program, stepscope};
use common::{ACCOUNT, LOOPBACK_ENVIRONMENT, REGION};
use serde_json::{Value, json};

/// What a run is about.
struct Case {
    /// As `iam-policy` takes it.
    verb: &'static str,
    /// What is run, one after the other, on one store.
    runs: &'static [&'static [&'static str]],
    /// Whether somebody interrupts the last of them while a query runs.
    is_interrupted: bool,
    /// What the account refuses.
    denied: &'static str,
}

const EXECUTION: &str = "arn:aws:states:eu-west-1:123456789012:execution:Orders:run-1";
/// It runs for ever.
const OPEN: &str = "arn:aws:states:eu-west-1:123456789012:execution:Orders:run-0";
const MAP_RUN: &str = "arn:aws:states:eu-west-1:123456789012:mapRun:Orders/Each:0001";
/// Its Map's results are in S3.
const MAPPED: &str = "arn:aws:states:eu-west-1:123456789012:execution:Orders:run-2";
const WRITTEN_RUN: &str = "arn:aws:states:eu-west-1:123456789012:mapRun:Orders/Each:0003";
const CHILD: &str = "arn:aws:states:eu-west-1:123456789012:execution:Orders/Each:0002";

const fn case(verb: &'static str, runs: &'static [&'static [&'static str]]) -> Case {
    Case { verb, runs, is_interrupted: false, denied: "" }
}

/// Every verb that asks AWS, with each flag that asks for more.
const RUNS: &[Case] = &[
    case("why", &[&["why", EXECUTION]]),
    case("show", &[&["show", EXECUTION]]),
    case("replay", &[&["replay", EXECUTION]]),
    case("why --latest-failed", &[&["why", "--state-machine", "Orders", "--latest-failed"]]),
    case("show --latest-failed", &[&["show", "--state-machine", "Orders", "--latest-failed"]]),
    case("replay --latest-failed", &[&["replay", "--state-machine", "Orders", "--latest-failed"]]),
    case("why --logs", &[&["why", EXECUTION, "--logs"]]),
    case("show --trace", &[&["show", EXECUTION, "--trace"]]),
    case("why --trace", &[&["why", EXECUTION, "--trace"]]),
    case("latency --trace", &[&["latency", "--input", SAVED, "--trace"]]),
    // The second one asks what became of the execution that ran when it was first seen.
    case("pull", &[&["pull", "--since", "2026-11-01"], &["pull", "--since", "2026-11-20"]]),
    Case { denied: "DescribeStateMachineForExecution", ..case("pull", &[&["pull", "--since", "2026-11-01"]]) },
    case("pull --tag", &[&["pull", "--since", "2026-11-01", "--tag", "team=orders"]]),
    case("pull --map-runs", &[&["pull", "--since", "2026-11-01", "--map-runs"]]),
    case("pull --logs", &[&["pull", "--since", "2h", "--logs=all"]]),
    // A query whose rows do not come is stopped.
    Case { denied: "GetQueryResults", ..case("pull --logs --via", &[&["pull", "--since", "2h", "--logs=all", "--via", "insights"]]) },
    case("maps", &[&["maps", EXECUTION], &["maps", MAPPED]]),
    case("maps --results", &[&["maps", "--results", "s3://results/orders/"]]),
    case("queries run", &[&["queries", "run", "errors", "--log-group", "orders"]]),
    Case { is_interrupted: true, ..case("queries run", &[&["queries", "run", "errors", "--log-group", "orders"]]) },
    case("queries run --state-machine", &[&["queries", "run", "errors", "--state-machine", "Orders"]]),
];

/// The file with EXECUTION, in the folder in which every run starts.
const SAVED: &str = "run-1.json";

/// What an endpoint was asked for, by the names of the API.
type Asked = Arc<Mutex<BTreeSet<String>>>;

/// An account with a machine Orders, whose execution run-1 failed in a function.
fn account(case: &Case, asked: &Asked) -> FakeEndpoint {
    let asked = Arc::clone(asked);
    let (queries_end, denied) = (!case.is_interrupted, case.denied);
    FakeEndpoint::start(move |request| {
        let action = action(request);
        asked.lock().expect("no panic").insert(action.clone());
        if action == denied { Reply::Error("AccessDeniedException", "not allowed here") } else { answer(request, &action, queries_end) }
    })
}

/// X-Ray and S3 have paths in place of actions.
fn action(request: &Request) -> String {
    let path = request.target.split('?').next().unwrap_or_default();
    let action = match path {
        "/TraceSummaries" => "GetTraceSummaries",
        "/Traces" => "BatchGetTraces",
        _ if request.target.contains("list-type=2") => "ListObjectsV2",
        _ if path.starts_with("/results/") => "GetObject",
        _ if !request.action.is_empty() => &request.action,
        other => other,
    };
    action.to_owned()
}

/// The executions of the machine, or the children of its Map Run, with this status.
fn executions(request: &Request) -> Value {
    let wanted = request.body["statusFilter"].as_str();
    let start = START;
    let item = |arn: &str, status: &str, start: f64, stop: Option<f64>| {
        let mut item = json!({"executionArn": arn, "stateMachineArn": machine(), "name": arn.rsplit(':').next(), "status": status, "startDate": start});
        if let Some(stop) = stop {
            item["stopDate"] = json!(stop);
        }
        item
    };
    let of_map_run = request.body["mapRunArn"].is_string();
    let failed = item(if of_map_run { CHILD } else { EXECUTION }, "FAILED", start, Some(start + 3.0));
    let running = item(OPEN, "RUNNING", start - 864_000.0, None);
    let mapped = item(MAPPED, "FAILED", start - 60.0, Some(start - 50.0));
    let items = match wanted {
        Some("FAILED") | None if of_map_run => vec![failed],
        Some("FAILED") => vec![failed, mapped],
        Some("RUNNING") if !of_map_run => vec![running],
        None => vec![failed, mapped, running],
        _ => Vec::new(),
    };
    json!({"executions": items})
}

/// 2026-11-20T08:00:00Z.
const START: f64 = 1_795_161_600.0;

fn machine() -> String {
    format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Orders")
}

fn answer(request: &Request, action: &str, queries_end: bool) -> Reply {
    let (machine, start) = (machine(), START);
    let group = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:orders:*");
    let definition =
        json!({"StartAt": "Charge", "States": {"Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}});
    let trace = "1-6affffff-0123456789abcdef01234567";
    let segment = json!({"id": "0123456789abcdef", "name": "Orders", "trace_id": trace, "start_time": start, "end_time": start + 3.0,
        "origin": "AWS::StepFunctions::StateMachine", "aws": {"execution_arn": EXECUTION}});
    let counts =
        json!({"pending": 0, "running": 0, "succeeded": 0, "failed": 1, "timedOut": 0, "aborted": 0, "total": 1, "resultsWritten": 0});
    let execution = request.body["executionArn"].as_str().unwrap_or_default();
    let is_open = execution == OPEN;
    Reply::Json(match action {
        "ListStateMachines" => {
            json!({"stateMachines": [{"stateMachineArn": machine, "name": "Orders", "type": "STANDARD", "creationDate": 1.0}]})
        }
        "ListTagsForResource" => json!({"tags": [{"key": "team", "value": "orders"}]}),
        "ListExecutions" => executions(request),
        "DescribeStateMachine" => {
            json!({"stateMachineArn": machine, "name": "Orders", "definition": definition.to_string(), "roleArn": "arn:aws:iam::123456789012:role/r",
            "type": "STANDARD", "creationDate": 1.0,
            "loggingConfiguration": {"level": "ALL", "includeExecutionData": true, "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]}})
        }
        "DescribeExecution" if is_open => json!({"executionArn": OPEN, "stateMachineArn": machine, "name": "run-0", "status": "RUNNING",
            "startDate": start - 864_000.0, "input": "{}"}),
        "DescribeExecution" => json!({"executionArn": execution, "stateMachineArn": machine, "name": "run-1", "status": "FAILED",
            "startDate": start, "stopDate": start + 3.0, "error": "Boom", "input": "{}"}),
        "DescribeStateMachineForExecution" => {
            json!({"stateMachineArn": machine, "name": "Orders", "definition": definition.to_string(), "roleArn": "r", "updateDate": 1.0})
        }
        "GetExecutionHistory" if is_open => {
            let mut events = events(start - 864_000.0);
            events.as_array_mut().expect("a list").truncate(4);
            json!({"events": events})
        }
        "GetExecutionHistory" if execution == MAPPED => json!({"events": mapped_events(start - 60.0)}),
        "GetExecutionHistory" => json!({"events": events(start)}),
        "ListMapRuns" => {
            let run = if execution == MAPPED { WRITTEN_RUN } else { MAP_RUN };
            json!({"mapRuns": [{"executionArn": execution, "mapRunArn": run, "stateMachineArn": machine, "startDate": start}]})
        }
        "DescribeMapRun" => {
            let run = request.body["mapRunArn"].as_str().unwrap_or_default();
            let execution = if run == WRITTEN_RUN { MAPPED } else { EXECUTION };
            json!({"mapRunArn": run, "executionArn": execution, "status": "FAILED", "startDate": start, "stopDate": start + 3.0,
            "maxConcurrency": 1, "toleratedFailurePercentage": 0.0, "toleratedFailureCount": 0, "itemCounts": counts, "executionCounts": counts})
        }
        "ListObjectsV2" => {
            let keys = "<Contents><Key>orders/0001/manifest.json</Key><Size>100</Size></Contents>";
            return Reply::Raw(200, format!("<ListBucketResult><IsTruncated>false</IsTruncated>{keys}</ListBucketResult>").into_bytes());
        }
        "GetObject" => {
            json!({"DestinationBucket": "results", "MapRunArn": MAP_RUN, "ResultFiles": {"FAILED": [], "PENDING": [], "SUCCEEDED": []}})
        }
        "FilterLogEvents" => json!({"events": [], "searchedLogStreams": []}),
        "GetTraceSummaries" => json!({"TraceSummaries": [{"Id": trace, "StartTime": start, "Duration": 3.0}], "TracesProcessedCount": 1}),
        "BatchGetTraces" => {
            json!({"Traces": [{"Id": trace, "Duration": 3.0, "Segments": [{"Id": "0123456789abcdef", "Document": segment.to_string()}]}]})
        }
        "StartQuery" => json!({"queryId": "one"}),
        "GetQueryResults" => json!({"status": if queries_end { "Complete" } else { "Running" }, "results": [], "statistics": {}}),
        "StopQuery" => json!({"success": true}),
        _ => return Reply::Error("UnknownOperationException", "nobody told this account of it"),
    })
}

/// A function is called and fails.
fn events(start: f64) -> Value {
    let task = json!({"resourceType": "lambda", "resource": "invoke"});
    let failed = json!({"resourceType": "lambda", "resource": "invoke", "error": "Boom", "cause": "it broke"});
    let parameters = json!({"FunctionName": "arn:aws:lambda:eu-west-1:123456789012:function:charge"}).to_string();
    let scheduled = json!({"resourceType": "lambda", "resource": "invoke", "region": REGION, "parameters": parameters});
    json!([
        {"timestamp": start, "type": "ExecutionStarted", "id": 1, "previousEventId": 0, "executionStartedEventDetails": {"input": "{}", "roleArn": "r"}},
        {"timestamp": start, "type": "TaskStateEntered", "id": 2, "previousEventId": 0, "stateEnteredEventDetails": {"name": "Charge", "input": "{}"}},
        {"timestamp": start, "type": "TaskScheduled", "id": 3, "previousEventId": 2, "taskScheduledEventDetails": scheduled},
        {"timestamp": start, "type": "TaskStarted", "id": 4, "previousEventId": 3, "taskStartedEventDetails": task},
        {"timestamp": start + 3.0, "type": "TaskFailed", "id": 5, "previousEventId": 4, "taskFailedEventDetails": failed},
        {"timestamp": start + 3.0, "type": "ExecutionFailed", "id": 6, "previousEventId": 5, "executionFailedEventDetails": {"error": "Boom"}},
    ])
}

/// A Map runs its children, its ResultWriter writes, and then the execution fails.
fn mapped_events(start: f64) -> Value {
    let output =
        json!({"MapRunArn": WRITTEN_RUN, "ResultWriterDetails": {"Bucket": "results", "Key": "orders/0003/manifest.json"}}).to_string();
    json!([
        {"timestamp": start, "type": "ExecutionStarted", "id": 1, "previousEventId": 0, "executionStartedEventDetails": {"input": "{}", "roleArn": "r"}},
        {"timestamp": start, "type": "MapStateEntered", "id": 2, "previousEventId": 0, "stateEnteredEventDetails": {"name": "Each", "input": "{}"}},
        {"timestamp": start, "type": "MapStateStarted", "id": 3, "previousEventId": 2, "mapStateStartedEventDetails": {"length": 1}},
        {"timestamp": start, "type": "MapRunStarted", "id": 4, "previousEventId": 3, "mapRunStartedEventDetails": {"mapRunArn": WRITTEN_RUN}},
        {"timestamp": start + 5.0, "type": "MapRunSucceeded", "id": 5, "previousEventId": 4},
        {"timestamp": start + 5.0, "type": "MapStateSucceeded", "id": 6, "previousEventId": 5},
        {"timestamp": start + 5.0, "type": "MapStateExited", "id": 7, "previousEventId": 6, "stateExitedEventDetails": {"name": "Each", "output": output}},
        {"timestamp": start + 10.0, "type": "ExecutionFailed", "id": 8, "previousEventId": 7, "executionFailedEventDetails": {"error": "Boom"}},
    ])
}

/// The actions of a case.
fn asked_by(case: &Case) -> BTreeSet<String> {
    let asked = Asked::default();
    let endpoint = account(case, &asked);
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let execution = json!({"executionArn": EXECUTION, "stateMachineArn": machine(), "name": "run-1", "status": "FAILED",
        "startDate": START, "stopDate": START + 3.0});
    let saved = json!({"execution": execution, "events": events(START)});
    std::fs::write(folder.path().join(SAVED), saved.to_string()).expect("written");
    let place = ["--endpoint-url", endpoint.url(), "--region", REGION];
    for arguments in case.runs {
        if case.is_interrupted {
            interrupted(&endpoint, arguments, &place, &store);
            continue;
        }
        let run = Run::of(program().current_dir(folder.path()).env("STEPSCOPE_STORE", &store).args(*arguments).args(place));
        assert!([0, 1, 4].contains(&run.code), "{arguments:?} ended with {}\n{}", run.code, run.words);
    }
    asked.lock().expect("no panic").clone()
}

/// Runs until a query of its own does, and interrupts it.
fn interrupted(endpoint: &FakeEndpoint, arguments: &[&str], place: &[&str], store: &Path) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stepscope"))
        .env_clear()
        .envs(LOOPBACK_ENVIRONMENT)
        .env("STEPSCOPE_STORE", store)
        .args(arguments)
        .args(place)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    while endpoint.asked("GetQueryResults") < 2 {
        assert!(child.try_wait().expect("a child").is_none(), "{arguments:?} ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs").success());
    child.wait().expect("it ends");
}

/// What the table says that a verb may ask, by the names of the API.
fn allowed(verb: &str) -> BTreeSet<String> {
    let report = stepscope(["iam-policy", verb, "--output", "json", "--quiet"]).succeeds().json();
    let calls = report["calls"].as_array().expect("calls");
    // S3 names the permission otherwise than the action.
    let name = |call: &Value| {
        call["action"].as_str().expect("an action").rsplit(':').next().expect("a name").replace("ListBucket", "ListObjectsV2")
    };
    calls.iter().map(name).collect()
}

#[test]
fn what_a_verb_asks_stands_in_the_table_and_what_stands_there_is_asked() {
    let mut asked: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for case in RUNS {
        let by_run = asked_by(case);
        assert!(!by_run.is_empty(), "{:?} asked nothing", case.runs);
        asked.entry(case.verb).or_default().extend(by_run);
    }
    for verb in asked.keys() {
        // What the verb asks without a flag may have been asked by the runs without it.
        let is_part = |known: &&str| known == verb || verb.starts_with(&format!("{known} --"));
        let together: BTreeSet<String> = asked.keys().filter(|known| is_part(known)).flat_map(|known| &asked[known]).cloned().collect();
        assert_eq!(together, allowed(verb), "what {verb} asks, and what the table says");
    }
    let report = stepscope(["iam-policy", "--output", "json"]).succeeds().json();
    let told: BTreeSet<&str> = report["needed_by"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(told, asked.keys().copied().collect(), "every verb of the table is run");
}

/// Sources below a folder, with their paths.
fn sources(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            into.push((path, text));
        }
    }
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    all
}

/// What stands between the bracket that opens at `from` and the one that closes it.
fn between_brackets(text: &str, from: usize) -> &str {
    let mut depth = 0_usize;
    for (at, character) in text[from..].char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 1 => return &text[from..from + at],
            ')' => depth -= 1,
            _ => {}
        }
    }
    &text[from..]
}

#[test]
fn no_request_leaves_but_through_the_one_door() {
    const SENT: &str = ".send()";
    let mut doors = 0;
    for (path, text) in all_sources() {
        let named: Vec<&str> = text.match_indices(".send(Action::").map(|(at, _)| between_brackets(&text, at + ".send".len())).collect();
        doors += named.len();
        // The request itself, or a closure that makes it and is handed over by its name.
        let inside: usize = named.iter().map(|call| call.matches(SENT).count()).sum();
        let by_name = text.matches("let send = || ").count();
        let handed_over = named.iter().filter(|call| call.trim_end().ends_with(", send")).count();
        assert_eq!(by_name, handed_over, "{}", path.display());
        assert_eq!(text.matches(SENT).count(), inside + by_name, "{} sends what does not name its action", path.display());
    }
    assert!(doors > 10, "{doors}");
}

#[test]
fn every_action_that_is_sent_is_in_the_table() {
    let everything = stepscope(["iam-policy", "--output", "json"]).succeeds().json();
    let told: BTreeSet<&str> = everything["calls"].as_array().expect("calls").iter().filter_map(|call| call["action"].as_str()).collect();
    let mut sent = BTreeSet::new();
    for (path, text) in all_sources() {
        for (at, mark) in text.match_indices(".send(Action::") {
            let name: String = text[at + mark.len()..].chars().take_while(|character| character.is_alphanumeric()).collect();
            let permission = name.replace("ListObjectsV2", "ListBucket");
            if !NOT_YET.contains(&name.as_str()) {
                let is_told = told.iter().any(|action| action.rsplit(':').next() == Some(&permission));
                assert!(is_told, "{} sends {name}, which no verb is told to need", path.display());
            }
            sent.insert(name);
        }
    }
    assert!(sent.contains("GetExecutionHistory"));
    for name in NOT_YET {
        assert!(!told.iter().any(|action| action.ends_with(&format!(":{name}"))), "{name} is a verb's by now");
    }
}

/// What can be sent, and no verb does yet.
const NOT_YET: &[&str] = &["DescribeLogGroups"];

#[test]
fn a_policy_is_what_iam_takes_and_nothing_else() {
    let everything = stepscope(["iam-policy"]).succeeds().json();
    assert_eq!(everything["Version"], "2012-10-17");
    let narrow = ["--account", "111111111111", "--region", "eu-west-1", "--state-machine", "Orders", "--log-group", "orders"];
    let policy = stepscope([&["iam-policy", "why", "queries run"][..], &narrow].concat()).ends_with(0);
    let policy = policy.says(&["not in this policy, for nobody asked for it", "'why --latest-failed'", "'queries run --state-machine'"]);
    insta::assert_snapshot!(policy.out, @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "LogsAny",
          "Effect": "Allow",
          "Action": [
            "logs:GetQueryResults",
            "logs:StopQuery"
          ],
          "Resource": [
            "*"
          ]
        },
        {
          "Sid": "LogsGroups",
          "Effect": "Allow",
          "Action": [
            "logs:StartQuery"
          ],
          "Resource": [
            "arn:aws:logs:eu-west-1:111111111111:log-group:orders:*"
          ]
        },
        {
          "Sid": "StatesExecutions",
          "Effect": "Allow",
          "Action": [
            "states:DescribeExecution",
            "states:DescribeStateMachineForExecution",
            "states:GetExecutionHistory"
          ],
          "Resource": [
            "arn:aws:states:eu-west-1:111111111111:execution:Orders:*",
            "arn:aws:states:eu-west-1:111111111111:execution:Orders/*:*",
            "arn:aws:states:eu-west-1:111111111111:express:Orders/*:*"
          ]
        }
      ]
    }
    "#);
    let again = stepscope([&["iam-policy", "queries run", "why"][..], &narrow].concat()).ends_with(0);
    assert_eq!(again.out, policy.out, "in whatever order it was asked");
}

#[test]
fn explained_it_fits_a_terminal() {
    let explained = stepscope(["iam-policy", "why --latest-failed", "--explain"]).ends_with(0).out;
    assert!(explained.lines().all(|line| line.chars().count() <= 80), "{explained}");
    insta::assert_snapshot!(explained, @r#"
    why
      states:DescribeExecution
        for   status, start, end, error, version
        else  these come from the events, as far as they tell them
      states:GetExecutionHistory
        for   the events
        else  only status, error and cause are told
      states:DescribeStateMachineForExecution
        for   the definition, which tells handlers from the normal path
        else  what led to a Fail state may be taken for handled; replay needs
              --definition

    why --latest-failed
      states:ListExecutions
        for   which execution failed last
        else  the execution must be named by its ARN
      states:ListStateMachines
        for   the ARN of a state machine that is given by its name
        else  the state machine must be named by its ARN

    State machines that encrypt with a key of the customer's own need kms:Decrypt on
    it: --kms-key ARN adds it.
    "#);
}

#[test]
fn what_asks_nothing_of_aws_is_said() {
    stepscope(["iam-policy", "cost"]).ends_with(2).says(&["`cost` asks nothing of AWS", "why --latest-failed"]);
    stepscope(["iam-policy", "--account", "12"]).ends_with(2).says(&["twelve digits"]);
    stepscope(["iam-policy", "--kms-key", "key"]).ends_with(2).says(&["ARN of a key"]);
    let many: Vec<String> = (0..60).map(|number| format!("--state-machine=a-state-machine-whose-name-is-long-{number}")).collect();
    let arguments = ["iam-policy".to_owned(), "why".to_owned()].into_iter().chain(many);
    stepscope(arguments).ends_with(0).says(&["IAM takes 6144"]);
}

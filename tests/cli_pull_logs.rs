//! `pull --logs` as its user runs it: against a moto server, and where that can't show the case, against an endpoint of our own.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_sfn::config::{BehaviorVersion, Region};
use aws_sdk_sfn::types::{CloudWatchLogsLogGroup, LogDestination, LogLevel, LoggingConfiguration, StateMachineType};
use common::fake_endpoint::{FakeEndpoint, Reply, Request};
use common::log_group::{EIGHT, Group, Line, definition, failing, succeeding};
use common::moto::{Moto, moto};
use common::program::{Run, argument, stepscope};
use common::{ACCOUNT, LOOPBACK_ENVIRONMENT, REGION, block_on, credentials};
use serde_json::{Value, json};

/// An Express machine and its log group on a moto server.
struct Express {
    name: String,
    group: String,
}

impl Express {
    /// Makes a machine that logs at a level; at `Off` it has no group.
    async fn make(moto: &Moto, name: &str, level: LogLevel) -> Self {
        let group = format!("/aws/vendedlogs/states/{name}-Logs");
        let mut logging = LoggingConfiguration::builder().level(level.clone()).include_execution_data(true);
        if level != LogLevel::Off {
            logs(moto).create_log_group().log_group_name(&group).send().await.expect("a group");
            let stream = "log_stream_created_by_aws_to_validate_log_delivery_subscriptions";
            logs(moto).create_log_stream().log_group_name(&group).log_stream_name(stream).send().await.expect("a stream");
            let arn = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*");
            let group = CloudWatchLogsLogGroup::builder().log_group_arn(arn).build();
            logging = logging.destinations(LogDestination::builder().cloud_watch_logs_log_group(group).build());
        }
        moto.client()
            .create_state_machine()
            .name(name)
            .definition(definition().to_string())
            .role_arn(format!("arn:aws:iam::{ACCOUNT}:role/tests"))
            .r#type(StateMachineType::Express)
            .logging_configuration(logging.build())
            .send()
            .await
            .expect("moto takes the machine");
        Self { name: name.to_owned(), group }
    }

    fn execution(&self, run: &str) -> String {
        format!("arn:aws:states:{REGION}:{ACCOUNT}:express:{}:{run}:7fa0cfbe-be28-4a20-9875-73c37f5dc39e", self.name)
    }

    /// Writes lines into a stream of the group.
    async fn log(&self, moto: &Moto, stream: &str, lines: Vec<Line>) {
        let stream = format!("states/{}/{stream}", self.name);
        logs(moto).create_log_stream().log_group_name(&self.group).log_stream_name(&stream).send().await.expect("a stream");
        let event = |(at, message): Line| InputLogEvent::builder().timestamp(at).message(message).build().expect("an event");
        let events = Some(lines.into_iter().map(event).collect());
        logs(moto)
            .put_log_events()
            .log_group_name(&self.group)
            .log_stream_name(&stream)
            .set_log_events(events)
            .send()
            .await
            .expect("taken");
    }
}

fn logs(moto: &Moto) -> Client {
    let config = aws_sdk_cloudwatchlogs::config::Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(moto.url())
        .credentials_provider(credentials());
    Client::from_conf(config.build())
}

/// Half an hour ago by the clock, which moto goes by: it takes no events that are older than two weeks.
fn half_an_hour_ago() -> i64 {
    jiff::Timestamp::now().as_second() - 1_800
}

fn pull(moto: &Moto, store: &Path, more: &[&str]) -> Run {
    let url = moto.url();
    let arguments = ["pull", "--endpoint-url", &url, "--region", REGION, "--store", argument(store), "--since", "1h"];
    stepscope(arguments.iter().chain(more))
}

#[test]
fn the_logs_of_express_executions_lead_to_the_failing_state_and_its_input() {
    let Some(moto) = moto() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path();
    let start = half_an_hour_ago();
    let machine = block_on(async {
        let machine = Express::make(moto, "Checkout", LogLevel::All).await;
        // Spread over streams, the later half of each execution in the first one, with lines of others in between.
        let (mut early, mut late) = (Vec::new(), Vec::new());
        for number in 0..12 {
            let arn = machine.execution(&format!("run-{number}"));
            let mut lines = if number % 4 == 1 { failing(&arn, start + number, 2.0) } else { succeeding(&arn, start + number, 0.5) };
            late.extend(lines.split_off(4));
            early.extend(lines);
        }
        early.push((start * 1_000, "START RequestId: 7fa0cfbe Version: $LATEST".to_owned()));
        for lines in [&mut early, &mut late] {
            lines.sort_by_key(|(at, _)| *at);
        }
        machine.log(moto, "2026-11-20-08/aaaaaaaa", late).await;
        machine.log(moto, "2026-11-20-08/bbbbbbbb", early).await;
        machine
    });
    let run = pull(moto, store, &["--state-machine", "Checkout", "--logs"]).ends_with(0);
    run.shows(&[
        "Pulled: 12 executions",
        "level ALL, group /aws/vendedlogs/states/Checkout-Logs",
        "12 executions in 105 records: 12 new",
        "1 line of others",
    ]);

    let failures = stepscope(["failures", "--store", argument(store), "--output", "json"]).ends_with(0).json();
    let group = &failures["groups"][0];
    assert_eq!((&group["count"], &group["state"], &group["error"]), (&3.into(), &"Charge".into(), &"CardDeclined".into()), "{failures:#}");
    let failed = machine.execution("run-1");
    let why = stepscope(["why", &failed, "--store", argument(store), "--output", "json"]).ends_with(0).json();
    assert_eq!((&why["root_cause"]["state"], &why["root_cause"]["error"]), (&"Charge".into(), &"CardDeclined".into()), "{why:#}");
    assert!(why["root_cause"]["input"].to_string().contains("run-1"), "{why:#}");
    assert_eq!(why["incomplete"], json!([]));
    stepscope(["show", &failed, "--store", argument(store)]).ends_with(0).shows(&["Check", "Charge", "CardDeclined"]);
    let latency = stepscope(["latency", "--store", argument(store), "--output", "json"]).ends_with(0).json();
    assert!(
        latency["states"].as_array().expect("states").iter().any(|state| state["state"] == "Charge" && state["visits"] == 12),
        "{latency:#}"
    );
    stepscope(["cost", "--store", argument(store)]).ends_with(0).shows(&["Express"]);

    pull(moto, store, &["--state-machine", "Checkout", "--logs"]).ends_with(0).shows(&["0 executions", "was read before"]);
    let by_query = tempfile::tempdir().expect("a folder");
    let queried = pull(moto, by_query.path(), &["--state-machine", "Checkout", "--logs", "--via", "insights"]).ends_with(0);
    queried.shows(&["Pulled: 12 executions", "read by queries"]);
}

#[test]
fn machines_that_log_little_or_nothing_are_told_how_to_log_more() {
    let Some(moto) = moto() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        Express::make(moto, "Level-Silent", LogLevel::Off).await;
        let terse = Express::make(moto, "Level-Terse", LogLevel::Error).await;
        let lines = failing(&terse.execution("run-1"), half_an_hour_ago(), 1.0).split_off(6);
        terse.log(moto, "2026-11-20-08/aaaaaaaa", lines).await;
    });
    let run = pull(moto, folder.path(), &["--state-machine", "Level-*", "--logs"]).ends_with(0);
    run.shows(&[
        "logs of Level-Silent: none",
        "logging is off",
        "only failures are logged",
        "aws logs create-log-group --region eu-west-1 --endpoint-url",
        "aws stepfunctions update-state-machine --region eu-west-1 --endpoint-url",
        "logs:CreateLogDelivery",
        "the executions of Level-Silent: logging is off: nothing is left of them",
    ]);
    let without = pull(moto, folder.path(), &["--state-machine", "Level-*"]);
    let without = without.shows(&["--logs reads"]);
    assert!(!without.out.contains("without executions to look at"), "{}", without.out);
}

/// An endpoint with one Express machine and two hours of its logs, which may answer otherwise.
fn orders(group: &Group, fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> FakeEndpoint {
    let group = group.clone();
    let machine = format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Orders");
    FakeEndpoint::start(move |request| {
        if let Some(reply) = fault(request).or_else(|| group.answer(request, 40)) {
            return reply;
        }
        Reply::Json(match request.action.as_str() {
            "ListStateMachines" => {
                json!({"stateMachines": [{"stateMachineArn": machine, "name": "Orders", "type": "EXPRESS", "creationDate": 1_767_225_600.0}]})
            }
            "DescribeStateMachine" => json!({
                "stateMachineArn": machine, "name": "Orders", "type": "EXPRESS", "creationDate": 1_767_225_600.0, "status": "ACTIVE",
                "definition": definition().to_string(), "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/r"),
                "loggingConfiguration": {"level": "ALL", "includeExecutionData": true, "destinations": [{"cloudWatchLogsLogGroup":
                    {"logGroupArn": format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:orders:*")}}]},
            }),
            other => panic!("nobody asks for {other} here"),
        })
    })
}

fn two_hours() -> Group {
    let execution = |number: i64| format!("arn:aws:states:{REGION}:{ACCOUNT}:express:Orders:run-{number:02}:7fa0cfbe");
    let one = |number: i64| match number % 3 {
        0 => failing(&execution(number), EIGHT + number * 300, 299.0),
        _ => succeeding(&execution(number), EIGHT + number * 300, 299.0),
    };
    Group::with((0..24).flat_map(one))
}

fn arguments<'a>(url: &'a str, store: &'a Path) -> Vec<&'a str> {
    let window = ["--since", "2026-01-02T08:00:00Z", "--until", "2026-01-02T10:00:00Z", "--budget", "100%"];
    [&["pull", "--logs", "--region", REGION, "--endpoint-url", url, "--store", argument(store)][..], &window].concat()
}

fn stored(store: &Path) -> Value {
    let select = "SELECT execution, status, events, gaps FROM executions ORDER BY execution";
    stepscope(["query", "--store", argument(store), "--output", "json", select]).ends_with(0).json()
}

#[test]
fn a_pull_that_is_killed_goes_on_with_the_slice_it_was_in() {
    let group = two_hours();
    let whole = tempfile::tempdir().expect("a folder");
    let endpoint = orders(&group, |_| None);
    stepscope(arguments(endpoint.url(), whole.path())).ends_with(0).shows(&["24 new"]);
    let calls_of_a_whole_one = endpoint.asked("FilterLogEvents");

    let killed = tempfile::tempdir().expect("a folder");
    let mut calls = 0;
    for answered in [0, 3, 5, 9] {
        let endpoint =
            orders(&group, move |request| (request.action == "FilterLogEvents" && request.earlier >= answered).then_some(Reply::Hang));
        let mut program = Command::new(env!("CARGO_BIN_EXE_stepscope"))
            .args(arguments(endpoint.url(), killed.path()))
            .env_clear()
            .envs(LOOPBACK_ENVIRONMENT)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        while endpoint.asked("FilterLogEvents") <= answered {
            assert_eq!(program.try_wait().expect("a process"), None, "it must hang");
            std::thread::yield_now();
        }
        program.kill().expect("a process");
        program.wait().expect("a process");
        calls += endpoint.asked("FilterLogEvents");
    }
    let endpoint = orders(&group, |_| None);
    stepscope(arguments(endpoint.url(), killed.path())).ends_with(0);
    calls += endpoint.asked("FilterLogEvents");
    assert_eq!(stored(killed.path()), stored(whole.path()));
    assert!(calls <= calls_of_a_whole_one + 4 * 20, "{calls} calls instead of {calls_of_a_whole_one}");
}

#[test]
fn an_interrupt_stops_the_query_that_runs() {
    let store = tempfile::tempdir().expect("a folder");
    let endpoint = orders(&two_hours(), |request| {
        let running = json!({"status": "Running", "results": [], "statistics": {}});
        (request.action == "GetQueryResults").then_some(Reply::Json(running))
    });
    let child = Command::new(env!("CARGO_BIN_EXE_stepscope"))
        .args(arguments(endpoint.url(), store.path()).iter().chain(&["--via", "insights"]))
        .env_clear()
        .envs(LOOPBACK_ENVIRONMENT)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    while endpoint.asked("GetQueryResults") < 2 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), endpoint.asked("StartQuery"), endpoint.asked("StopQuery")), (Some(130), 1, 1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the same command goes on where it was"));
}

#[test]
fn a_group_that_is_gone_or_for_queries_only_is_told_and_is_a_part_that_is_missing() {
    let group = two_hours();
    for (code, message, told) in [
        ("ResourceNotFoundException", "The specified log group does not exist.", "there is no log group orders"),
        ("InvalidOperationException", "The log group is of log-group-class INFREQUENT_ACCESS.", "--via insights"),
        ("AccessDeniedException", "not allowed", r#""Resource": "arn:aws:logs:eu-west-1:*:log-group:orders:*"}"#),
    ] {
        let store = tempfile::tempdir().expect("a folder");
        let endpoint = orders(&group, move |request| (request.action == "FilterLogEvents").then_some(Reply::Error(code, message)));
        let run = stepscope(arguments(endpoint.url(), store.path())).ends_with(1);
        let words = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("the logs of Orders: ") && words.contains(told), "{}", run.out);
    }
}

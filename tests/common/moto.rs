//! A moto server: the AWS API on loopback, with state machines that really run.
//!
//! One for each test program, started by the first test that asks. It ends with the program, since it reads the other end of a
//! pipe that only the program holds.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::{BehaviorVersion, Region};
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::Value;

use super::function_log::{FunctionLog, Line};
use super::{REGION, credentials};

/// How many answers to ask for while an execution runs; each takes about a millisecond.
const POLLS: usize = 20_000;

/// A running server.
pub struct Moto {
    port: u16,
    // Its standard input is held open by it; see the head of the file.
    _server: Child,
}

/// The server of this test program; `None`, after a line on stderr, where its Python environment was not made.
///
/// In CI a missing environment is a failure.
pub fn moto() -> Option<&'static Moto> {
    static SERVER: OnceLock<Option<Moto>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

fn start() -> Option<Moto> {
    let Some(python) = python() else {
        assert!(std::env::var_os("CI").is_none(), "the tests against moto need the environment that scripts/test makes");
        // Written past the test harness, which hides what passing tests print.
        let _ = writeln!(std::io::stderr(), "skipped: tests against moto; run scripts/test to make their Python environment");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/moto_server.py");
    let mut server = Command::new(python)
        .arg(script)
        .env_remove("AWS_PROFILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the environment's Python starts");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("the server's first line");
    let port = line.trim().parse().expect("the server prints its port");
    Some(Moto { port, _server: server })
}

/// The environment's Python, where `scripts/test` made one.
pub fn python() -> Option<PathBuf> {
    let beside_the_build = || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().map(|target| target.join("moto-venv"));
    let environment = std::env::var_os("STEPSCOPE_TEST_VENV").map(PathBuf::from).or_else(beside_the_build)?;
    // Copied into it last, so its presence says that the environment is whole.
    environment.join("requirements.txt").exists().then(|| environment.join("bin/python"))
}

/// A number that nobody else in this program gets.
fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Moto {
    /// Where the API answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client of the API, to set the scene with.
    pub fn client(&self) -> Client {
        let config = aws_sdk_sfn::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(self.url())
            .credentials_provider(credentials());
        Client::from_conf(config.build())
    }

    /// Makes a state machine of a name that nobody else in this program uses; returns its ARN.
    pub async fn create(&self, name: &str, definition: &Value) -> String {
        let name = format!("{name}-{}", next());
        let role = format!("arn:aws:iam::{}:role/tests", super::ACCOUNT);
        let made = self.client().create_state_machine().name(name).definition(definition.to_string()).role_arn(role).send().await;
        made.expect("moto takes the definition").state_machine_arn
    }

    /// Starts an execution; returns its ARN.
    pub async fn start(&self, machine: &str, input: &Value) -> String {
        // moto gives all executions without a name the same one.
        let name = format!("run-{}", next());
        let started = self.client().start_execution().state_machine_arn(machine).name(name).input(input.to_string()).send().await;
        started.expect("moto starts the execution").execution_arn
    }

    /// Makes a machine, runs it to its end, which must be a failure, and returns the execution's ARN.
    pub async fn run_to_failure(&self, name: &str, definition: &Value, input: &Value) -> String {
        let machine = self.create(name, definition).await;
        let execution = self.start(&machine, input).await;
        assert_eq!(self.ended(&execution).await, ExecutionStatus::Failed);
        execution
    }

    /// Makes a log group with its lines.
    pub async fn put_lines(&self, group: &FunctionLog) {
        let config = aws_sdk_cloudwatchlogs::config::Builder::new()
            .behavior_version(aws_sdk_cloudwatchlogs::config::BehaviorVersion::latest())
            .region(aws_sdk_cloudwatchlogs::config::Region::new(REGION))
            .endpoint_url(self.url())
            .credentials_provider(credentials());
        let client = aws_sdk_cloudwatchlogs::Client::from_conf(config.build());
        client.create_log_group().log_group_name(&group.name).send().await.expect("moto makes the group");
        let streams: BTreeSet<&str> = group.lines.iter().map(|line| line.stream.as_str()).collect();
        for stream in streams {
            let mut lines: Vec<&Line> = group.lines.iter().filter(|line| line.stream == stream).collect();
            lines.sort_by_key(|line| line.at);
            let event = |line: &&Line| InputLogEvent::builder().timestamp(line.at).message(&line.text).build().expect("it is whole");
            let events = lines.iter().map(event).collect();
            client.create_log_stream().log_group_name(&group.name).log_stream_name(stream).send().await.expect("moto makes the stream");
            let put = client.put_log_events().log_group_name(&group.name).log_stream_name(stream).set_log_events(Some(events));
            assert!(put.send().await.expect("moto takes the lines").rejected_log_events_info.is_none());
        }
    }

    /// Waits for the end of an execution by asking again and again; returns its status.
    pub async fn ended(&self, execution: &str) -> ExecutionStatus {
        let client = self.client();
        for _ in 0..POLLS {
            let status = client.describe_execution().execution_arn(execution).send().await.expect("an answer").status;
            if status != ExecutionStatus::Running {
                return status;
            }
        }
        panic!("{execution} does not end");
    }
}

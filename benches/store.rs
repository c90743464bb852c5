//! What the tables of the store cost: writing them beside parsing the same bytes, reading them, and how large they are.
//!
//! Run by `cargo bench --bench store`, on one thread. `STEPSCOPE_BENCH_EXECUTIONS` says how many executions are made up (5,000), or
//! `STEPSCOPE_BENCH_INPUT` which file of JSON Lines is read. Each step is the median of several rounds.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

mod common;

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use bumpalo::Bump;
use stepscope::analysis::facts::{Rebuilt, extract};
use stepscope::asl::Definition;
use stepscope::model::History;
use stepscope::model::facts::Needs;
use stepscope::rebuild::rebuild;
use stepscope::sources::{Limits, read_path};
use stepscope::store::decode::{BatchPaths, facts_of_batch, histories_of_batch, history_of, keys_of_batch};
use stepscope::store::encode::BatchBuilder;

use common::milliseconds;
use common::typed::Bundle;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;

/// Executions in a batch, as ingest makes them.
const BATCH: usize = 10_000;

/// An order that goes through seven Tasks, one of them with a retry now and then.
fn executions(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        bundle(&mut text, number);
    }
    text
}

fn escaped(payload: &str) -> String {
    serde_json::to_string(payload).expect("a string is JSON")
}

fn bundle(text: &mut String, number: usize) {
    let machine = ["Orders", "Refunds", "Shipments"][number % 3];
    let arn = format!("arn:aws:states:eu-west-1:111111111111:execution:{machine}:run-{number:08}");
    let order = |step: usize| {
        let (tenant, sku) = (["globex", "initech", "umbrella"][number * 7 % 3], number * 31 % 5000);
        escaped(&format!(
            r#"{{"orderId":"ord-{number:08}","sku":"sku-{sku:04}","amount":{},"currency":"USD","tenant":"{tenant}","step":{step}}}"#,
            number * 17 % 1000
        ))
    };
    let mut events = Vec::new();
    let mut id = 0;
    let mut event = |kind: &str, details: String| {
        let milliseconds = number * 1_700 + id * 137;
        let (second, minute, hour) = (milliseconds / 1000 % 60, milliseconds / 60_000 % 60, milliseconds / 3_600_000 % 24);
        let at = format!("2026-01-01T{hour:02}:{minute:02}:{second:02}.{:03}000+00:00", milliseconds % 1000);
        id += 1;
        events.push(format!(r#"{{"timestamp":"{at}","type":"{kind}","id":{id},"previousEventId":{},{details}}}"#, id - 1));
    };
    event(
        "ExecutionStarted",
        format!(
            r#""executionStartedEventDetails":{{"input":{},"inputDetails":{{"truncated":false}},"roleArn":"arn:aws:iam::111111111111:role/{machine}"}}"#,
            order(0)
        ),
    );
    for (step, state) in ["Validate", "Reserve", "Charge", "Pack", "Ship", "Notify", "Archive"].into_iter().enumerate() {
        event(
            "TaskStateEntered",
            format!(r#""stateEnteredEventDetails":{{"name":"{state}","input":{},"inputDetails":{{"truncated":false}}}}"#, order(step)),
        );
        let fails = usize::from((number + step).is_multiple_of(17));
        for attempt in 0..=fails {
            let parameters = escaped(&format!(r#"{{"FunctionName":"{state}","Payload":{{"orderId":"ord-{number:08}","step":{step}}}}}"#));
            event(
                "TaskScheduled",
                format!(
                    r#""taskScheduledEventDetails":{{"resourceType":"lambda","resource":"invoke","region":"eu-west-1","parameters":{parameters}}}"#
                ),
            );
            event("TaskStarted", r#""taskStartedEventDetails":{"resourceType":"lambda","resource":"invoke"}"#.to_owned());
            if attempt < fails {
                event("TaskFailed", r#""taskFailedEventDetails":{"resourceType":"lambda","resource":"invoke","error":"Lambda.TooManyRequestsException","cause":"Rate Exceeded. (Service: Lambda, Status Code: 429)"}"#.to_owned());
            }
        }
        event(
            "TaskSucceeded",
            format!(
                r#""taskSucceededEventDetails":{{"resourceType":"lambda","resource":"invoke","output":{},"outputDetails":{{"truncated":false}}}}"#,
                order(step + 1)
            ),
        );
        event(
            "TaskStateExited",
            format!(r#""stateExitedEventDetails":{{"name":"{state}","output":{},"outputDetails":{{"truncated":false}}}}"#, order(step + 1)),
        );
    }
    event(
        "ExecutionSucceeded",
        format!(r#""executionSucceededEventDetails":{{"output":{},"outputDetails":{{"truncated":false}}}}"#, order(7)),
    );
    let (start, stop) = ("2026-01-01T00:00:00.000000+00:00", "2026-01-01T23:59:00.000000+00:00");
    writeln!(
        text,
        r#"{{"describe":{{"executionArn":"{arn}","stateMachineArn":"arn:aws:states:eu-west-1:111111111111:stateMachine:{machine}","name":"run-{number:08}","status":"SUCCEEDED","startDate":"{start}","stopDate":"{stop}","input":{},"output":{}}},"history":{{"events":[{}]}}}}"#,
        order(0),
        order(7),
        events.join(",")
    )
    .expect("a String takes everything");
}

/// Times of the steps, over all rounds.
#[derive(Default)]
struct Times(Vec<(&'static str, Vec<Duration>)>);

impl Times {
    fn take<T>(&mut self, step: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.add(step, start.elapsed());
        result
    }

    fn add(&mut self, step: &'static str, time: Duration) {
        match self.0.iter_mut().find(|(name, _)| *name == step) {
            Some((_, times)) => times.push(time),
            None => self.0.push((step, vec![time])),
        }
    }

    fn print(&mut self, bytes: usize) {
        for (step, times) in &mut self.0 {
            times.sort();
            let time = times[times.len() / 2];
            println!("  {step:44} {:9.2} ms {:7.0} MB/s", milliseconds(time), bytes as f64 / 1e6 / time.as_secs_f64());
        }
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made_up = folder.path().join("executions.jsonl");
    let input = std::env::var_os("STEPSCOPE_BENCH_INPUT").map_or_else(
        || {
            let count = std::env::var("STEPSCOPE_BENCH_EXECUTIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(5_000);
            std::fs::write(&made_up, executions(count)).expect("a temporary file");
            made_up.clone()
        },
        Into::into,
    );
    let text = std::fs::read(&input).expect("the input");
    let mut times = Times::default();
    let mut batches = Vec::new();
    let mut events = 0;
    for _ in 0..ROUNDS {
        times.take("sonic-rs, typed (the limit)", || parse(&text));
        let histories = times.take("read", || read(&input));
        events = histories.iter().map(|history| history.events.len()).sum();
        batches = write(&histories, folder.path(), &mut times);
    }
    println!("{events} events, {:.1} MB", text.len() as f64 / 1e6);
    times.print(text.len());
    sizes(&batches, text.len(), events);
    let mut times = Times::default();
    for _ in 0..ROUNDS * 2 {
        read_back(&batches, &mut times);
    }
    times.print(text.len());
}

fn parse(text: &[u8]) -> usize {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| black_box(sonic_rs::from_slice::<Bundle<'_>>(line).expect("a bundle")).history.events.len()).sum()
}

fn read(input: &Path) -> Vec<History> {
    let mut histories = Vec::new();
    read_path(input, &Limits::default(), &mut |history| histories.push(history.expect("a history")));
    histories
}

fn write(histories: &[History], folder: &Path, times: &mut Times) -> Vec<BatchPaths> {
    let mut batches = Vec::new();
    let (mut rebuilding, mut extracting, mut pushing, mut writing) = (Duration::ZERO, Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for (number, part) in histories.chunks(BATCH).enumerate() {
        let mut builder = BatchBuilder::new();
        for history in part {
            let start = Instant::now();
            let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
            let path = rebuild(history, definition.as_ref());
            let rebuilt = Instant::now();
            let arena = Bump::new();
            let facts = extract(Rebuilt { history, path: &path, definition: definition.as_ref() }, Needs::ALL, &arena);
            let extracted = Instant::now();
            builder.push(history, &path, &facts).expect("pushed");
            let pushed = Instant::now();
            rebuilding += rebuilt - start;
            extracting += extracted - rebuilt;
            pushing += pushed - extracted;
        }
        let start = Instant::now();
        let folder = folder.join(format!("batch-{number}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        batches.push(BatchPaths::from(&builder.write(&folder).expect("written")));
        writing += start.elapsed();
    }
    times.add("rebuild", rebuilding);
    times.add("facts", extracting);
    times.add("push", pushing);
    times.add("write", writing);
    batches
}

fn sizes(batches: &[BatchPaths], json: usize, events: usize) {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let size = |table: usize| -> u64 { batches.iter().map(|batch| std::fs::metadata(batch.all()[table]).expect("a file").len()).sum() };
    let tables = ["executions", "visits", "attempts", "events"];
    for (position, table) in tables.iter().enumerate() {
        println!("  {table:44} {:9.2} MB {:9.2} bytes an event", size(position) as f64 / 1e6, size(position) as f64 / events as f64);
    }
    let all: u64 = (0..tables.len()).map(size).sum();
    println!("  all tables: {:.2} MB, {:.3} of the JSON", all as f64 / 1e6, all as f64 / json as f64);
    gzip.write_all(&executions(500).into_bytes()).expect("memory");
    let part = executions(500).len();
    println!("  (gzip makes {:.3} of made-up JSON)", gzip.finish().expect("memory").len() as f64 / part as f64);
}

fn read_back(batches: &[BatchPaths], times: &mut Times) {
    let needs = [
        ("facts: executions only", Needs::default()),
        ("facts: visits", Needs { visits: true, ..Needs::default() }),
        ("facts: visits, attempts", Needs { visits: true, attempts: true, ..Needs::default() }),
        ("facts: visits, attempts, failures", Needs { visits: true, attempts: true, failures: true, ..Needs::default() }),
        ("facts: all", Needs::ALL),
    ];
    for (step, needs) in needs {
        times.take(step, || {
            let mut visits = 0;
            for batch in batches {
                facts_of_batch(batch, needs, &mut |facts| visits += black_box(facts).visits.len()).expect("facts");
            }
            visits
        });
    }
    let keys = times.take("keys", || batches.iter().flat_map(|batch| keys_of_batch(&batch.executions).expect("keys")).collect::<Vec<_>>());
    let last = &keys[keys.len() - 1].name;
    times.take("one history", || batches.iter().find_map(|batch| history_of(batch, last).expect("readable")).expect("there"));
    times.take("every history", || {
        let mut events = 0;
        for batch in batches {
            histories_of_batch(batch, &mut |history| events += history.events.len()).expect("readable");
        }
        events
    });
}

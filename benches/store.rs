//! What the tables of the store cost: writing them beside parsing the same bytes, reading them, and how large they are.
//!
//! Run by `cargo bench --bench store`, on one thread. `STEPSCOPE_BENCH_EXECUTIONS` says how many executions are made up (5,000), or
//! `STEPSCOPE_BENCH_INPUT` which file of JSON Lines is read. Each step is the median of several rounds.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

mod common;
#[path = "workloads/fleet.rs"]
mod workload;

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
use workload::Shape;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;

/// Executions in a batch, as ingest makes them.
const BATCH: usize = 10_000;

/// Executions as JSON Lines.
fn executions(count: u64) -> Vec<u8> {
    let mut text = Vec::new();
    workload::write(count, Shape::Linear, &mut text).expect("memory takes everything");
    text
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
    let part = executions(500);
    gzip.write_all(&part).expect("memory");
    println!("  (gzip makes {:.3} of made-up JSON)", gzip.finish().expect("memory").len() as f64 / part.len() as f64);
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

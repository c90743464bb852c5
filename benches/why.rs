//! How long `stepscope why` and `stepscope show` take on a history of 25,000 events, process start included, beside a typed parse
//! of the same bytes in memory.
//!
//! Run by `cargo bench --bench why`. The target is a `why` within twice the parse and 10 ms; docs/performance.md quotes the ratios.
//! `cargo bench --bench why -- --write FILE` writes the history instead, for other programs to read.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

mod common;

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use stepscope::model::builder::{history, milliseconds as ms};
use stepscope::model::wire::WireHistory;

use common::{Candidate, medians, milliseconds, typed::Page};

/// The fastest common allocator, so that the parsers are at their best.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the service allows in one history.
const EVENTS: u64 = 25_000;
/// Iterations of the Map that succeed; the next one fails.
const ITERATIONS: u64 = (EVENTS - 17) / 7;
const ROUNDS: usize = 21;
const CAUSE: &str = r#"{"errorMessage":"the card was declined","errorType":"Declined"}"#;

fn main() {
    let bytes = serde_json::to_vec(&WireHistory(&told())).expect("a history is JSON");
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(position) = arguments.iter().position(|argument| argument == "--write") {
        let path = arguments.get(position + 1).expect("--write names a file");
        std::fs::write(path, &bytes).expect("the file can be written");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("history.json");
    std::fs::write(&path, &bytes).expect("a temporary file");
    measure(&bytes, &path);
}

fn measure(bytes: &[u8], path: &Path) {
    let sonic = || black_box(sonic_rs::from_slice::<Page<'_>>(bytes).expect("a page")).events.len();
    // It writes into the bytes that it parses, so they are copied first; the copy is taken off below.
    let simd = || {
        let mut copy = bytes.to_vec();
        black_box(simd_json::serde::from_slice::<Page<'_>>(&mut copy).expect("a page")).events.len()
    };
    let copy = || black_box(bytes.to_vec()).len();
    let start = || run(&["--version".as_ref()]);
    let why = || run(&["why".as_ref(), path.as_os_str()]);
    let why_json = || run(&["why".as_ref(), path.as_os_str(), "--output=json".as_ref()]);
    let show = || run(&["show".as_ref(), path.as_os_str()]);
    let show_json = || run(&["show".as_ref(), path.as_os_str(), "--output=json".as_ref()]);
    let candidates = [
        Candidate { name: "sonic-rs, typed", work: &sonic },
        Candidate { name: "simd-json, typed", work: &simd },
        Candidate { name: "a copy of the bytes", work: &copy },
        Candidate { name: "stepscope --version", work: &start },
        Candidate { name: "stepscope why", work: &why },
        Candidate { name: "stepscope why, JSON", work: &why_json },
        Candidate { name: "stepscope show", work: &show },
        Candidate { name: "stepscope show, JSON", work: &show_json },
    ];
    let mut times = medians(&candidates, ROUNDS);
    times[1] = times[1].saturating_sub(times[2]);
    let parse = times[0].min(times[1]);
    println!("{EVENTS} events, {:.1} MB, medians of {ROUNDS} rounds", bytes.len() as f64 / 1e6);
    for (candidate, time) in candidates.iter().zip(&times) {
        println!("  {:22} {:7.2} ms {:6.2} x parse", candidate.name, milliseconds(*time), time.as_secs_f64() / parse.as_secs_f64());
    }
    let limit = parse * 2 + Duration::from_millis(10);
    for (candidate, time) in candidates.iter().zip(&times).filter(|(candidate, _)| candidate.name.starts_with("stepscope why")) {
        let verdict = if *time <= limit { "holds" } else { "does not hold" };
        println!("  {}: 2 x parse + 10 ms = {:.2} ms {verdict}", candidate.name, milliseconds(limit));
    }
}

/// Runs the program and gives how many bytes it wrote.
fn run(arguments: &[&std::ffi::OsStr]) -> usize {
    let output = Command::new(env!("CARGO_BIN_EXE_stepscope")).args(arguments).stdin(Stdio::null()).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.len()
}

/// A Map over orders, one after the other, of which the last one fails twice.
fn told() -> stepscope::model::History {
    let mut orders = history("Orders");
    orders.pace(ms(13)).input(order(0)).pass("Split", order(0), order(0)).enter_map("Fulfil", order(0)).map_started(ITERATIONS + 1);
    for number in 0..ITERATIONS {
        let order = order(number);
        let mut iteration = orders.iteration(number);
        iteration.enter_task("Charge", &order).scheduled_with(call(&order)).started().succeeded(&order);
        iteration.exit(&order).iteration_succeeded();
    }
    let last = order(ITERATIONS);
    let mut iteration = orders.iteration(ITERATIONS);
    iteration.enter_task("Charge", &last).scheduled_with(call(&last)).started();
    iteration.failed("Declined", Some(CAUSE)).scheduled_with(call(&last)).started().failed("Declined", Some(CAUSE)).scope_failed();
    orders.composite_failed().execution_failed();
    let told = orders.build();
    assert_eq!(told.events.len() as u64, EVENTS, "the story is as long as the service allows");
    told
}

fn call(order: &Value) -> Value {
    json!({"FunctionName": "charge", "Payload": order})
}

fn order(number: u64) -> Value {
    let lines: Vec<Value> =
        (0..5).map(|line| json!({"sku": format!("SKU-{:05}", number * 7 + line), "quantity": line + 1, "cents": 999 * line})).collect();
    json!({
        "orderId": format!("ord-{number:06}"),
        "customer": {"id": number, "name": format!("Customer number {number}"), "mail": format!("c{number}@example.com")},
        "lines": lines,
        "note": "handle with care ".repeat(7),
    })
}

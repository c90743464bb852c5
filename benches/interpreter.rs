//! States a second of the interpreter, with and without history, on one core.
//!
//! Run by `cargo bench --bench interpreter`; a name as argument runs only the workloads that contain it. Every state that is entered
//! counts. The targets stand beside the figures.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use stepscope::asl::compile;
use stepscope::asl::machine::StateMachine;
use stepscope::expr::Value;
use stepscope::interpreter::{ExecutionInfo, Outcome, RunOptions, TaskAnswer, TaskOutcome, TaskRequest, Unanswered, World, run};
use stepscope::model::{EventType, ExecutionStatus};

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 9;

/// A definition with an input, and how many states a second there should be without and with history.
struct Workload {
    name: &'static str,
    machine: Rc<StateMachine>,
    input: String,
    targets: [f64; 2],
}

/// Answers every Task from memory; the second Task of an order is busy at first.
struct Mocks {
    answer: Value,
}

impl World for Mocks {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let busy = request.attempted.state == "Reserve" && request.attempted.attempt == 1;
        let outcome = if busy {
            TaskOutcome::Failed { event: EventType::TaskFailed, error: Some("Stock.Busy".into()), cause: Some("later".into()) }
        } else {
            TaskOutcome::Succeeded(self.answer.clone())
        };
        let ended = Some((Duration::from_millis(20), outcome));
        Ok(TaskAnswer { started: Some(Duration::from_millis(1)), ended, ..TaskAnswer::default() })
    }
}

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_default();
    println!("{:<28}{:>10}{:>14}{:>10}{:>14}{:>10}", "workload", "states", "no history/s", "target", "history/s", "target");
    for workload in workloads().iter().filter(|workload| workload.name.contains(&wanted)) {
        let (states, bare) = states_a_second(workload, false);
        let (_, recorded) = states_a_second(workload, true);
        let [target, recorded_target] = workload.targets;
        println!("{:<28}{states:>10}{bare:>14.0}{target:>10.0}{recorded:>14.0}{recorded_target:>10.0}", workload.name);
    }
}

fn workloads() -> Vec<Workload> {
    let workload =
        |name, text: &str, input: String, targets| Workload { name, machine: compile(text).expect("a definition"), input, targets };
    let counting = include_str!("workloads/counting.json");
    let map = include_str!("workloads/map.json");
    vec![
        workload("counting, JSONPath", counting, r#"{"count":0,"limit":20000}"#.to_owned(), [1e6, 3e5]),
        workload("counting, JSONata", include_str!("workloads/counting_jsonata.json"), r#"{"limit":5000}"#.to_owned(), [1.5e5, 1.5e5]),
        workload("Map, 100 items", map, parcels(100), [3e5, 3e5]),
        workload("Map, 5000 items", map, parcels(5_000), [3e5, 3e5]),
        workload("Parallel, 10 x 100", &branches(10, 100), r#"{"order":"o-1","customer":{"id":7}}"#.to_owned(), [3e5, 3e5]),
        workload("Parallel, 5000 x 2", &branches(5_000, 2), "{}".to_owned(), [3e5, 3e5]),
        workload(
            "order, 5 Tasks",
            include_str!("workloads/order.json"),
            r#"{"order":"o-1","total":1250,"lines":[{"sku":"a","count":2},{"sku":"b","count":1}]}"#.to_owned(),
            [2e5, 2e5],
        ),
        workload("200 KB through 1000 states", &branches(1, 1_000), large_input(), [3e5, 3e5]),
    ]
}

/// States a second, the median of some rounds, and how many states one execution enters.
fn states_a_second(workload: &Workload, record: bool) -> (u64, f64) {
    let mut world = Mocks { answer: Value::parse(r#"{"StatusCode":200,"Payload":{"ok":true,"score":12}}"#).expect("JSON") };
    let (states, once) = timed(workload, record, &mut world);
    let repeat = (0.05 / once.as_secs_f64()).ceil().clamp(1.0, 1e5);
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let mut total = Duration::ZERO;
            let mut left = repeat;
            while left > 0.0 {
                total += timed(workload, record, &mut world).1;
                left -= 1.0;
            }
            states as f64 * repeat / total.as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    (states, rates[ROUNDS / 2])
}

fn timed(workload: &Workload, record: bool, world: &mut Mocks) -> (u64, Duration) {
    let options = options(record);
    let start = Instant::now();
    let ran = black_box(run(&workload.machine, &workload.input, &options, world).expect("an execution"));
    let took = start.elapsed();
    let Outcome { status, error, cause, .. } = &ran.outcome;
    assert_eq!(*status, ExecutionStatus::Succeeded, "{}: {error:?} {cause:?}", workload.name);
    (ran.states_entered, took)
}

fn options(record: bool) -> RunOptions {
    RunOptions {
        execution: ExecutionInfo {
            arn: "arn:aws:states:us-east-1:123456789012:execution:Bench:one".into(),
            name: "one".into(),
            machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:Bench".into(),
            role_arn: "arn:aws:iam::123456789012:role/bench".into(),
            express: false,
        },
        start: "2026-01-01T00:00:00Z".parse().expect("a moment"),
        seed: 1,
        max_events: u64::MAX,
        max_states: u64::MAX,
        record,
    }
}

fn parcels(count: usize) -> String {
    let parcels: Vec<String> = (0..count).map(|number| format!(r#"{{"town":"t-{number}","grams":{}}}"#, number * 37 % 1000)).collect();
    format!(r#"{{"parcels":[{}]}}"#, parcels.join(","))
}

/// A Parallel with branches of Pass states, the last of which cut the payload down.
fn branches(branches: usize, states: usize) -> String {
    let branch = |branch: usize| {
        let mut text = String::new();
        for state in 0..states {
            let next =
                if state + 1 == states { r#""Result":1,"End":true"#.to_owned() } else { format!(r#""Next":"b{branch}s{}""#, state + 1) };
            let comma = if state == 0 { "" } else { "," };
            write!(text, r#"{comma}"b{branch}s{state}":{{"Type":"Pass",{next}}}"#).expect("a String takes all text");
        }
        format!(r#"{{"StartAt":"b{branch}s0","States":{{{text}}}}}"#)
    };
    let branches: Vec<String> = (0..branches).map(branch).collect();
    format!(r#"{{"StartAt":"Fan","States":{{"Fan":{{"Type":"Parallel","End":true,"Branches":[{}]}}}}}}"#, branches.join(","))
}

fn large_input() -> String {
    let lines: Vec<String> = (0..2_000).map(|number| format!(r#"{{"line":{number},"text":"{}"}}"#, "x".repeat(80))).collect();
    format!("[{}]", lines.join(","))
}

//! What `triage` of 100,000 executions in a store takes, beside reading the columns that it needs and doing nothing with them.
//!
//! `cargo bench --bench triage` fills a temporary store (4 million events; the program reads them from a pipe, so that no file of JSON
//! is needed) and measures in turns: a full scan through the store's own decoder on all cores, the same with the questions that `triage` asks,
//! `stepscope triage --store` as a process of its own, and the scan as one, too: what starts and first touches its memory takes longer
//! than what runs for the seventh time. The target: at most 3 scans. `-- --store DIR` takes a store that is there, `-- --keep DIR` leaves
//! the one that was made.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

mod common;
#[path = "workloads/fleet.rs"]
mod workload;

use std::hint::black_box;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stepscope::analysis::failures::{self, Asked, Failures};
use stepscope::analysis::fleet::{Coverage, Question};
use stepscope::analysis::observed::Gather;
use stepscope::analysis::runway::RunwayQuestion;
use stepscope::analysis::{callbacks, changes, storms};
use stepscope::model::facts::Needs;
use stepscope::store::decode::facts_of_batch;
use stepscope::store::{Batch, Store};

use common::{Candidate, medians, milliseconds};
use workload::Shape;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EXECUTIONS: u64 = 100_000;
const RUNS: usize = 7;
/// The most scans that `triage` may take.
const TARGET: f64 = 3.0;

type Questions = (Gather, (Failures, RunwayQuestion));

fn questions() -> Questions {
    (Gather::new(), (Failures::new(false), RunwayQuestion::default()))
}

/// What `triage` may ask in its second pass: which values of the input go with an error.
const SECOND: Needs = Needs {
    inputs: true,
    visits: false,
    plain_visits: false,
    attempts: false,
    failures: false,
    causes: false,
    payloads: false,
    definitions: false,
    sizes: false,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, store] = arguments.as_slice()
        && mode == "scan"
    {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let batches = Store::open(Path::new(store)).expect("a store").batches(None).expect("batches");
        scanned(&batches, threads);
        return;
    }
    let value = |name: &str| arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = value("--keep").map_or_else(|| folder.path().join("store"), PathBuf::from);
    let store = value("--store").map_or_else(|| made.clone(), PathBuf::from);
    if value("--store").is_none() {
        fill(&made, folder.path());
    }
    let batches = Store::open(&store).expect("a store").batches(None).expect("batches");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let scan = || scanned(&batches, threads);
    let gather = || gathered(&batches, threads);
    let gather_and_sort = || gathered_and_sorted(&batches, threads);
    let triage = || triage(&store);
    let scan_alone = || scan_alone(&store);
    let candidates = [
        Candidate { name: "scan of the columns it needs", work: &scan },
        Candidate { name: "the scan as a process", work: &scan_alone },
        Candidate { name: "scan with its questions", work: &gather },
        Candidate { name: "the same, put in order", work: &gather_and_sort },
        Candidate { name: "stepscope triage --store", work: &triage },
    ];
    let times = medians(&candidates, RUNS);
    let limit = times[0];
    for (candidate, time) in candidates.iter().zip(&times) {
        println!("  {:30} {:8.1} ms {:6.2} scans", candidate.name, milliseconds(*time), time.as_secs_f64() / limit.as_secs_f64());
    }
    detectors(&batches, threads, limit);
    let of = |scan: Duration| times[4].as_secs_f64() / scan.as_secs_f64();
    let (warm, alone) = (of(times[0]), of(times[1]));
    let memory = most_memory(&store) / 1_000_000;
    println!(
        "  triage takes {alone:.2} scans as processes, {warm:.2} in memory in use, of {TARGET} that it may; {memory} MB of memory at most"
    );
}

/// What each detector takes by itself, on one core, of what was gathered.
fn detectors(batches: &[Batch], threads: usize, limit: Duration) {
    let (gather, (failures, runway)) = asked(batches, threads);
    let observed = gather.finish();
    let now = observed.last_event.expect("executions have times");
    let coverage = Coverage::default();
    let mut runway = Some(runway);
    let run = |name: &str, work: &mut dyn FnMut() -> usize| {
        let start = Instant::now();
        let found = work();
        let time = start.elapsed();
        println!("    {name:28} {:8.1} ms {:6.2} scans, {found} found", milliseconds(time), time.as_secs_f64() / limit.as_secs_f64());
    };
    run("storms", &mut || storms::find(&observed, now).storms.len());
    run("callbacks", &mut || callbacks::find(&observed, now).stuck.len());
    run("changes", &mut || changes::find(&observed, now).changes.len());
    run("runway", &mut || runway.take().map_or(0, |runway| runway.find(now).runways.len()));
    run("failures", &mut || failures::report(&failures, &coverage, &Asked::default()).groups.len());
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_stepscope"))
}

/// Has the program read the executions from a pipe.
fn fill(store: &Path, folder: &Path) {
    let definitions = folder.join("definitions");
    std::fs::create_dir_all(&definitions).expect("a folder");
    for (machine, text) in workload::definitions() {
        let described = serde_json::json!({
            "stateMachineArn": format!("arn:aws:states:eu-west-1:111111111111:stateMachine:{machine}"), "name": machine, "definition": text
        });
        std::fs::write(definitions.join(machine).with_extension("json"), described.to_string()).expect("a file");
    }
    let mut ingest = program();
    ingest.args(["ingest", "-", "--quiet", "--store"]).arg(store).arg("--definitions").arg(&definitions);
    let mut ingest = ingest.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program starts");
    let mut pipe = BufWriter::with_capacity(1 << 20, ingest.stdin.take().expect("a pipe"));
    let written = workload::write(EXECUTIONS, Shape::Incident, &mut pipe).expect("the program reads");
    drop(pipe);
    assert!(ingest.wait().expect("it ends").success());
    println!("{} executions, {} events, {:.1} MB of JSON", written.executions, written.events, written.bytes as f64 / 1e6);
}

/// Does the same on every core: each takes a batch after the other.
fn on_all_cores<T: Send>(batches: &[Batch], threads: usize, work: impl Fn(&mut dyn Iterator<Item = &Batch>) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let run = || work(&mut std::iter::from_fn(|| batches.get(next.fetch_add(1, Ordering::Relaxed))));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

fn scanned(batches: &[Batch], threads: usize) -> usize {
    let needs = questions().needs().and(SECOND);
    let seen = on_all_cores(batches, threads, |batches| {
        let mut visits = 0;
        for batch in batches {
            facts_of_batch(&batch.paths(), needs, &mut |facts| visits += black_box(facts).visits.len()).expect("facts");
        }
        visits
    });
    seen.into_iter().sum()
}

fn asked(batches: &[Batch], threads: usize) -> Questions {
    let asked = on_all_cores(batches, threads, |batches| {
        let mut questions = questions();
        for batch in batches {
            facts_of_batch(&batch.paths(), questions.needs(), &mut |facts| questions.take(facts)).expect("facts");
        }
        questions
    });
    asked
        .into_iter()
        .reduce(|mut all, part| {
            all.merge(part);
            all
        })
        .expect("a thread")
}

fn gathered(batches: &[Batch], threads: usize) -> usize {
    black_box(asked(batches, threads));
    batches.len()
}

fn gathered_and_sorted(batches: &[Batch], threads: usize) -> usize {
    black_box(asked(batches, threads).0.finish()).executions.len()
}

fn run(store: &Path) -> Child {
    let mut command = program();
    command.args(["triage", "--output", "json", "--store"]).arg(store);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
}

/// The scan by this program, started anew.
fn scan_alone(store: &Path) -> usize {
    let own = std::env::current_exe().expect("this program has a place");
    usize::from(Command::new(own).arg("scan").arg(store).status().expect("it starts").success())
}

fn triage(store: &Path) -> usize {
    usize::from(run(store).wait().expect("it ends").success())
}

/// Bytes of memory that the program had at most, as the kernel counts them while it runs.
fn most_memory(store: &Path) -> u64 {
    let mut child = run(store);
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().expect("it ends").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
        most = line.map_or(most, |kilobytes| most.max(kilobytes * 1024));
        std::thread::sleep(Duration::from_millis(2));
    }
    most
}

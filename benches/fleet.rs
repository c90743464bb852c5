//! How fast many executions become the facts that questions ask about, on one core and on all.
//!
//! `cargo bench --bench fleet` measures 20,000 executions in a temporary file. `cargo bench --bench fleet -- --write FILE
//! --executions N [--mixed|--incident]` writes executions for other programs to read, which `benches/compare.py` does.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, clippy::cast_possible_truncation, missing_docs)]

mod common;
#[path = "workloads/fleet.rs"]
mod workload;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use bumpalo::Bump;
use stepscope::analysis::facts::{Rebuilt, extract};
use stepscope::model::History;
use stepscope::model::facts::Needs;
use stepscope::rebuild::rebuild;
use stepscope::sources::{Input, Limits, Progress, Rejected, Worker, read_in_parallel};

use common::{Candidate, medians, milliseconds};
use workload::{Shape, Written};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EXECUTIONS: u64 = 20_000;
const RUNS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
    let executions = value("--executions").map_or(EXECUTIONS, |text| text.parse().expect("a number of executions"));
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let shape = match (has("--mixed"), has("--incident")) {
        (_, true) => Shape::Incident,
        (true, false) => Shape::Mixed,
        (false, false) => Shape::Linear,
    };
    if let Some(file) = value("--write") {
        let written = write(file.as_ref(), executions, shape);
        println!("{} executions, {} events, {:.1} MB", written.executions, written.events, written.bytes as f64 / 1e6);
        return;
    }
    if let Some(file) = value("--read") {
        return measure(file.as_ref(), std::fs::metadata(file).expect("the file").len());
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("executions.jsonl");
    let written = write(&path, executions, shape);
    println!("{} executions, {} events, {:.1} MB", written.executions, written.events, written.bytes as f64 / 1e6);
    measure(&path, written.bytes);
}

fn write(path: &Path, executions: u64, shape: Shape) -> Written {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file to write to"));
    let written = workload::write(executions, shape, &mut file).expect("room on the disk");
    file.flush().expect("room on the disk");
    written
}

/// How far a history is taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Read,
    Rebuild,
    Facts,
}

/// Adds the time of all visits of each state.
struct Adder {
    depth: Depth,
    count: usize,
    arena: Bump,
    states: HashMap<String, (u64, f64)>,
}

impl Worker for Adder {
    fn take(&mut self, history: History) {
        self.count += history.events.len();
        if self.depth == Depth::Read {
            return;
        }
        let path = rebuild(&history, None);
        if self.depth == Depth::Rebuild {
            self.count += path.visits.len();
            return;
        }
        self.arena.reset();
        let needs = Needs { visits: true, ..Needs::default() };
        let facts = extract(Rebuilt { history: &history, path: &path, definition: None }, needs, &self.arena);
        for visit in facts.visits {
            let milliseconds = visit.duration_ms().unwrap_or_default();
            match self.states.get_mut(visit.state) {
                Some((count, sum)) => (*count, *sum) = (*count + 1, *sum + milliseconds),
                None => drop(self.states.insert(visit.state.to_owned(), (1, milliseconds))),
            }
        }
    }

    fn reject(&mut self, rejected: Rejected<'_>) {
        panic!("{}", rejected.error);
    }
}

fn measure(path: &Path, bytes: u64) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let run = |depth: Depth, threads: usize| {
        let make = || Adder { depth, count: 0, arena: Bump::new(), states: HashMap::new() };
        let input = vec![Input::Path(path.to_owned())];
        let workers = read_in_parallel(input, &Limits::default(), threads, &Progress::default(), make);
        workers.iter().map(|worker| worker.count).sum::<usize>()
    };
    let (read, rebuilt, facts, all) =
        (|| run(Depth::Read, 1), || run(Depth::Rebuild, 1), || run(Depth::Facts, 1), || run(Depth::Facts, cores));
    let names = ["read, one core", "and rebuilt", "and facts of visits", "the same, all cores"];
    let work: [&dyn Fn() -> usize; 4] = [&read, &rebuilt, &facts, &all];
    let candidates: Vec<Candidate<'_>> = names.into_iter().zip(work).map(|(name, work)| Candidate { name, work }).collect();
    for (candidate, time) in candidates.iter().zip(medians(&candidates, RUNS)) {
        println!("  {:20} {:8.1} ms {:7.0} MB/s", candidate.name, milliseconds(time), bytes as f64 / 1e6 / time.as_secs_f64());
    }
}

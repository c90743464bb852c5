//! What the benchmarks share: the parser to compare with, and how times are taken.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]
#![allow(dead_code, reason = "each benchmark uses its own part")]

pub mod typed;

use std::time::{Duration, Instant};

/// Something to time: what it is called, and the work. Its result is handed back so that it cannot be optimised away.
pub struct Candidate<'c> {
    pub name: &'c str,
    pub work: &'c dyn Fn() -> usize,
}

/// The median time of each candidate over rounds in which all of them take turns, so that a drifting machine hurts all alike.
pub fn medians(candidates: &[Candidate<'_>], rounds: usize) -> Vec<Duration> {
    let mut times = vec![Vec::with_capacity(rounds); candidates.len()];
    let expected: Vec<usize> = candidates.iter().map(|candidate| (candidate.work)()).collect();
    for _ in 0..rounds {
        for ((candidate, times), expected) in candidates.iter().zip(&mut times).zip(&expected) {
            let start = Instant::now();
            let result = (candidate.work)();
            times.push(start.elapsed());
            assert_eq!(result, *expected, "{} gives the same every time", candidate.name);
        }
    }
    times.into_iter().map(median).collect()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

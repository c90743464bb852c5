//! What is kept of the children of a Map Run while they pass: counts, groups, moments, and the slowest few.
//!
//! Memory does not grow with their number, but for moments and failures up to a limit.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::concurrency::Sweep;
use super::groups::{Failures, KnownFailure, LARGEST_SHOWN};
use super::report::SlowChild;
use crate::model::{ExecutionStatus, MapChild, MapRunCounts, Timestamp};

/// How many of the slowest children are kept.
const SLOWEST: usize = 5;

/// Among so many of the first failures the one that was too many is looked for.
const FIRST_FAILURES: usize = 200_000;

/// The children of a Map Run, as far as they were read.
#[derive(Debug, Default)]
pub struct Children {
    /// Whether a child has several items, where the definition tells.
    batched: Option<bool>,
    pub(super) executions: MapRunCounts,
    pub(super) items: MapRunCounts,
    /// Children whose input is a batch.
    pub(super) batches: u64,
    /// Outputs in place of records: it is not known of how many children.
    pub(super) outputs: u64,
    /// Unsuccessful ones whose error nobody looked up.
    pub(super) unexplained: u64,
    pub(super) failures: Failures,
    pub(super) sweep: Sweep,
    slowest: BinaryHeap<Reverse<Slow>>,
    /// The first failures, the last of them on top.
    first_failures: BinaryHeap<FirstFailure>,
    failed: u64,
    pub(super) first_start: Option<Timestamp>,
    pub(super) last_stop: Option<Timestamp>,
    /// A child's ARN, which names machine and label.
    pub(super) example: Option<String>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slow {
    duration_ms: i64,
    start: Timestamp,
    arn: String,
    status: Option<&'static str>,
    input: Option<String>,
}

/// A child that failed or timed out, ordered by when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FirstFailure {
    pub stop: Timestamp,
    pub arn: String,
    pub items: u64,
}

/// The input that an ItemBatcher makes: `{"Items": […]}`, with `BatchInput` where that is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Batch {
    items: Vec<IgnoredAny>,
    #[serde(default)]
    #[allow(dead_code, reason = "only that there is nothing else")]
    batch_input: Option<IgnoredAny>,
}

/// How many items an input of the form that an ItemBatcher makes holds; `None` for any other input.
pub fn batch_size(input: &str) -> Option<u64> {
    let may_be = input.trim_start().starts_with('{') && input.contains("\"Items\"");
    let batch = may_be.then(|| serde_json::from_str::<Batch>(input).ok()).flatten()?;
    Some(batch.items.len() as u64)
}

impl Children {
    /// `batched` where the definition tells whether there is an ItemBatcher; inputs tell by their form otherwise.
    pub fn new(batched: Option<bool>) -> Self {
        Self { batched, ..Self::default() }
    }

    /// How many items a child has, if it has a batch of them.
    fn batch_of(&self, child: &MapChild) -> Option<u64> {
        child.input.as_deref().filter(|_| self.batched != Some(false)).and_then(batch_size)
    }

    /// Takes a child with everything that is known of it. `known` is what its history says; `explained` is false where its error was not
    /// looked up.
    pub fn take(&mut self, child: &MapChild, known: Option<KnownFailure<'_>>, explained: bool) {
        let batch = self.batch_of(child);
        let items = batch.unwrap_or(1);
        self.batches += u64::from(batch.is_some());
        self.executions.add(child.status, 1);
        self.items.add(child.status, items);
        self.first_start = [self.first_start, child.start].into_iter().flatten().min();
        self.last_stop = self.last_stop.max(child.stop);
        if self.example.as_ref().is_none_or(|example| child.arn < *example) {
            self.example = Some(child.arn.clone());
        }
        if let Some(start) = child.start {
            self.sweep.add(start, child.stop);
            self.keep_slow(child, start);
        }
        if child.status.is_some_and(ExecutionStatus::is_unsuccessful) {
            if explained {
                self.failures.add(child, items, known);
            } else {
                self.unexplained += 1;
            }
        }
        if matches!(child.status, Some(ExecutionStatus::Failed | ExecutionStatus::TimedOut)) {
            self.failed += 1;
            if let Some(stop) = child.stop {
                self.keep_first(FirstFailure { stop, arn: child.arn.clone(), items });
            }
        }
    }

    /// Takes an output of a child that succeeded, of which nothing else is known.
    pub fn take_output(&mut self) {
        self.outputs += 1;
        self.executions.add(Some(ExecutionStatus::Succeeded), 1);
        self.items.add(Some(ExecutionStatus::Succeeded), 1);
    }

    fn keep_slow(&mut self, child: &MapChild, start: Timestamp) {
        let Some(stop) = child.stop else { return };
        let duration_ms = stop.as_millisecond() - start.as_millisecond();
        if self.slowest.len() == SLOWEST && self.slowest.peek().is_some_and(|Reverse(least)| least.duration_ms > duration_ms) {
            return;
        }
        self.slowest.push(Reverse(Slow {
            duration_ms,
            start,
            arn: child.arn.clone(),
            status: child.status.map(ExecutionStatus::name),
            input: child.input.clone().filter(|input| input.len() <= LARGEST_SHOWN),
        }));
        if self.slowest.len() > SLOWEST {
            self.slowest.pop();
        }
    }

    fn keep_first(&mut self, failure: FirstFailure) {
        if self.first_failures.len() < FIRST_FAILURES {
            self.first_failures.push(failure);
        } else if self.first_failures.peek().is_some_and(|last| failure < *last) {
            self.first_failures.pop();
            self.first_failures.push(failure);
        }
    }

    /// Adds what another thread found.
    pub fn merge(&mut self, other: Self) {
        self.executions = sum(self.executions, other.executions);
        self.items = sum(self.items, other.items);
        self.batches += other.batches;
        self.outputs += other.outputs;
        self.unexplained += other.unexplained;
        self.failures.merge(other.failures);
        self.sweep.merge(other.sweep);
        for slow in other.slowest {
            self.slowest.push(slow);
            if self.slowest.len() > SLOWEST {
                self.slowest.pop();
            }
        }
        other.first_failures.into_iter().for_each(|failure| self.keep_first(failure));
        self.failed += other.failed;
        self.first_start = [self.first_start, other.first_start].into_iter().flatten().min();
        self.last_stop = self.last_stop.max(other.last_stop);
        self.example = [self.example.take(), other.example].into_iter().flatten().min();
    }

    /// The children that took longest.
    pub(super) fn slowest(&mut self) -> Vec<SlowChild> {
        let mut slowest: Vec<Slow> = std::mem::take(&mut self.slowest).into_iter().map(|Reverse(slow)| slow).collect();
        slowest.sort_by(|one, other| (Reverse(one.duration_ms), &one.arn).cmp(&(Reverse(other.duration_ms), &other.arn)));
        let told = |slow: Slow| SlowChild {
            execution: slow.arn,
            status: slow.status.and_then(ExecutionStatus::from_name),
            start: slow.start,
            duration_ms: slow.duration_ms,
            input: slow.input,
        };
        slowest.into_iter().map(told).collect()
    }

    /// The failures in the order in which they happened, as far as the order is known without a hole.
    pub(super) fn first_failures(&mut self) -> Vec<FirstFailure> {
        let has_all_times = self.failed >= self.first_failures.len() as u64
            && (self.failed == self.first_failures.len() as u64 || self.first_failures.len() == FIRST_FAILURES);
        let failures = std::mem::take(&mut self.first_failures).into_sorted_vec();
        if has_all_times { failures } else { Vec::new() }
    }
}

fn sum(one: MapRunCounts, other: MapRunCounts) -> MapRunCounts {
    MapRunCounts {
        pending: one.pending + other.pending,
        running: one.running + other.running,
        succeeded: one.succeeded + other.succeeded,
        failed: one.failed + other.failed,
        timed_out: one.timed_out + other.timed_out,
        aborted: one.aborted + other.aborted,
        total: one.total + other.total,
        results_written: one.results_written + other.results_written,
    }
}

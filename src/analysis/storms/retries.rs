//! The retries of one state, each with the failure that led to it.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::seen::Retry;
use crate::analysis::observed::{Class, Name};
use crate::model::Micros;

/// A retry, whose it is, and what decides how long it waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    pub retry: Retry,
    /// Position of its execution.
    pub execution: u32,
    /// Number of its visit.
    pub visit: u32,
    /// The same for retries that any policy treats alike: whose visits have seen the same errors in the same order. Each retrier counts
    /// its own uses, so that the number of the attempt alone does not tell the wait. Only equality means something.
    pub history: u32,
    /// Whether this attempt failed in turn.
    pub failed_again: bool,
    /// When this attempt ended.
    pub ended: Option<Micros>,
}

type VisitKey = (u32, u32, u32);

/// The retries of a state, by the moment at which they were scheduled. Those without a moment, or without one for the failure before
/// them, are left out.
pub(super) fn of(class: &Class) -> Vec<Tried> {
    let retried: HashSet<VisitKey, RandomState> = class
        .attempts
        .iter()
        .filter(|attempt| attempt.is_retry())
        .map(|attempt| (attempt.execution, attempt.visit, attempt.redrive))
        .collect();
    if retried.is_empty() {
        return Vec::new();
    }
    let of_hand: HashSet<u32, RandomState> =
        class.attempts.iter().filter(|attempt| attempt.by_hand).map(|attempt| attempt.execution).collect();
    let is_wanted = |position: &usize| {
        let attempt = &class.attempts[*position];
        of_hand.contains(&attempt.execution) || retried.contains(&(attempt.execution, attempt.visit, attempt.redrive))
    };
    let mut order: Vec<usize> = (0..class.attempts.len()).filter(is_wanted).collect();
    order.sort_unstable_by_key(|position| {
        let attempt = &class.attempts[*position];
        (attempt.execution, attempt.visit, attempt.redrive, attempt.number)
    });
    let mut found = chained(class, &order);
    found.sort_by_key(|tried| (tried.retry.scheduled, tried.execution, tried.visit, tried.retry.attempt));
    found
}

fn chained(class: &Class, order: &[usize]) -> Vec<Tried> {
    let mut histories: HashMap<(u32, Option<Name>, bool), u32, RandomState> = HashMap::default();
    let mut found = Vec::new();
    // What the visit has seen so far; 0 is nothing.
    let mut history = 0;
    for (at, position) in order.iter().enumerate() {
        let attempt = &class.attempts[*position];
        let before = at.checked_sub(1).map(|before| order[before]);
        let same_visit = |other: &usize| {
            let other = &class.attempts[*other];
            (other.execution, other.visit, other.redrive) == (attempt.execution, attempt.visit, attempt.redrive)
        };
        let in_visit = before.filter(same_visit);
        if in_visit.is_none() {
            history = 0;
        }
        if !attempt.is_retry() {
            continue;
        }
        let cause = if attempt.by_hand { failed_before(class, &order[..at], *position) } else { in_visit };
        let error = cause.and_then(|cause| class.attempts[cause].error);
        let next = u32::try_from(histories.len() + 1).unwrap_or(u32::MAX);
        history = *histories.entry((history, error, attempt.by_hand)).or_insert(next);
        let (Some(scheduled), Some(wait)) = (attempt.scheduled, attempt.wait_before) else { continue };
        let wait = wait.max(0);
        found.push(Tried {
            retry: Retry {
                attempt: *position,
                cause,
                failed: Micros(scheduled.0.saturating_sub(wait)),
                scheduled,
                wait,
                number: if attempt.by_hand { attempt.round } else { attempt.number.saturating_sub(1) },
                error,
                by_hand: attempt.by_hand,
            },
            execution: attempt.execution,
            visit: attempt.visit,
            history,
            failed_again: attempt.has_failed(),
            ended: attempt.ended,
        });
    }
    found
}

/// The failed visit before one that was made by hand: the last in the same scope.
fn failed_before(class: &Class, earlier: &[usize], position: usize) -> Option<usize> {
    let attempt = &class.attempts[position];
    let scope = |at: usize| {
        let attempt = &class.attempts[at];
        (attempt.parent_visit, attempt.index, attempt.parent_attempt)
    };
    let same_execution = earlier.iter().rev().take_while(|before| class.attempts[**before].execution == attempt.execution);
    same_execution.copied().find(|before| scope(*before) == scope(position) && class.attempts[*before].has_failed())
}

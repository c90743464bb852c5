//! Visits, and the labels of the scopes that they stand in.

use std::fmt::Write;

use bumpalo::Bump;

use super::{Rebuilt, count, kept, split, text};
use crate::analysis::execution::{self, Resource};
use crate::model::facts::Pattern;
use crate::model::path::{Attempt, Scope, Visit, VisitId};
use crate::model::{Details, ExecutionPath, RawText, Role, StateType, VisitFacts};

/// The visits of an execution; `critical` has the time on the critical path of each, in microseconds, `sizes` its largest payload.
pub(super) fn of<'a>(
    rebuilt: Rebuilt<'a>,
    critical: Option<&[i64]>,
    sizes: Option<&[Option<u64>]>,
    arena: &'a Bump,
) -> &'a [VisitFacts<'a>] {
    let labels = labels(rebuilt.path, arena);
    arena.alloc_slice_fill_iter(rebuilt.path.visits().map(|(id, entry)| {
        let scope = labels.get(entry.scope.0 as usize).copied().unwrap_or_default();
        let mut facts = visit(rebuilt, id, entry, scope, arena);
        #[allow(clippy::cast_precision_loss, reason = "whole microseconds are exact in f64 for 285 years")]
        let milliseconds = |micros: &i64| *micros as f64 / 1000.0;
        facts.critical_ms = critical.and_then(|critical| critical.get(id.0 as usize)).map(milliseconds);
        facts.payload_bytes = sizes.and_then(|sizes| sizes.get(id.0 as usize).copied().flatten());
        facts
    }))
}

/// The label of each scope, by its position, such as `Fulfil[2]/Pack[0]`; empty for the execution. Each is made once.
fn labels<'a>(path: &ExecutionPath, arena: &'a Bump) -> Vec<&'a str> {
    let mut labels: Vec<&str> = Vec::with_capacity(path.scopes.len());
    let mut label = String::new();
    for scope in &path.scopes {
        let Some(parent) = scope.parent else {
            labels.push("");
            continue;
        };
        let parent = path.visit(parent);
        // A scope stands behind the one that encloses it.
        let around = labels.get(parent.scope.0 as usize).copied().unwrap_or_default();
        label.clear();
        label.push_str(around);
        if !around.is_empty() {
            label.push('/');
        }
        label.push_str(&parent.state.as_ref().map_or("?".into(), RawText::decode));
        // Writing to a String does not fail.
        let _ = write!(label, "[{}]", scope.index);
        labels.push(arena.alloc_str(&label));
    }
    labels
}

/// The label of the scope in which a visit stands.
pub(super) fn label<'a>(path: &ExecutionPath, visit: &Visit, arena: &'a Bump) -> &'a str {
    if path.scope(visit.scope).parent.is_none() { "" } else { arena.alloc_str(&path.labels(visit.scope).join("/")) }
}

/// The attempt of a Parallel or Map to which a scope of it belongs.
pub(super) fn attempt_of<'p>(parent: &'p Visit, scope: &Scope) -> Option<&'p Attempt> {
    parent.attempts.get((scope.attempt as usize).checked_sub(1)?)
}

fn visit<'a>(rebuilt: Rebuilt<'a>, id: VisitId, visit: &'a Visit, label: &'a str, arena: &'a Bump) -> VisitFacts<'a> {
    let scope = rebuilt.path.scope(visit.scope);
    let called = called(rebuilt, visit);
    let pattern = pattern(rebuilt, visit, called.as_ref());
    let split = split::of(rebuilt, &visit.attempts, pattern);
    let retries = count(visit.attempts.iter().filter(|attempt| attempt.number > 1).count());
    // A redrive runs the failed step again without entering it.
    let repeated = count(visit.attempts.iter().filter(|attempt| attempt.number == 1 && attempt.run > visit.run).count());
    VisitFacts {
        visit: id.0,
        parent: scope.parent.map(|parent| parent.0),
        index: scope.parent.map(|_| scope.index),
        parent_attempt: scope.parent.map(|_| scope.attempt),
        state: visit.state.as_ref().map_or("", |name| text(name, arena)),
        state_type: visit.state_type,
        scope: label,
        redrive: visit.run,
        outcome: visit.outcome,
        entered_event_id: rebuilt.event_id(visit.entered),
        exited_event_id: rebuilt.event_id(visit.exited),
        entered: rebuilt.time(visit.entered),
        exited: rebuilt.time(visit.exited),
        last_event: rebuilt.time(Some(visit.last_event)),
        attempts: count(visit.attempts.len()),
        retries,
        failed_attempts: count(visit.attempts.iter().filter(|attempt| attempt.outcome.is_failure()).count()),
        transitions: u32::from(visit.entered.is_some()).saturating_add(retries).saturating_add(repeated),
        queue_ms: split.queue,
        run_ms: split.run,
        retry_wait_ms: split.retry_wait,
        callback_ms: split.callback,
        map_queue_ms: if scope.started.is_some() { split::map_queue(rebuilt, id) } else { None },
        critical_ms: None,
        error: error(rebuilt, visit, arena),
        resource: called.map(|called| resource_text(called, arena)),
        pattern,
        child: child(rebuilt, visit, pattern, arena),
        items: items(rebuilt, visit),
        payload_bytes: None,
    }
}

/// What the last attempt that tells it called.
pub(super) fn called<'a>(rebuilt: Rebuilt<'a>, visit: &Visit) -> Option<Resource<'a>> {
    visit.attempts.iter().rev().find_map(|attempt| execution::resource(rebuilt.history, attempt))
}

/// Who answers the attempts of a visit.
pub(super) fn pattern(rebuilt: Rebuilt<'_>, visit: &Visit, called: Option<&Resource<'_>>) -> Option<Pattern> {
    match visit.state_type {
        Some(StateType::Parallel | StateType::Map) => Some(Pattern::Scopes),
        Some(StateType::Task) | None => visit.attempts.last().map(|attempt| execution::pattern(rebuilt.history, attempt, called)),
        Some(_) => None,
    }
}

pub(super) fn resource_text<'a>(called: Resource<'a>, arena: &'a Bump) -> &'a str {
    match called.service {
        None => kept(called.action, arena),
        Some(service) => {
            let mut whole = String::with_capacity(service.len() + 1 + called.action.len());
            whole.push_str(&service);
            whole.push(':');
            whole.push_str(&called.action);
            arena.alloc_str(&whole)
        }
    }
}

/// The error of the last failure. That of a Fail state stands in what it ended, else in the definition.
fn error<'a>(rebuilt: Rebuilt<'a>, visit: &'a Visit, arena: &'a Bump) -> Option<&'a str> {
    let failure = rebuilt.event(visit.failure?);
    if !matches!(failure.role(), Role::StateEntered(_)) {
        return failure.error().map(|error| text(error, arena));
    }
    let run = rebuilt.path.runs.get(visit.run as usize);
    let ended = run.filter(|run| run.blame.is_some_and(|blame| blame.event == visit.failure)).and_then(|run| run.end);
    let reported = ended.and_then(|end| rebuilt.event(end).error());
    let defined = || rebuilt.definition?.find(&visit.state.as_ref()?.decode())?.error.as_deref();
    reported.map(|error| text(error, arena)).or_else(defined)
}

fn child<'a>(rebuilt: Rebuilt<'a>, visit: &Visit, pattern: Option<Pattern>, arena: &'a Bump) -> Option<&'a str> {
    if let Some(started) = visit.map_runs.last() {
        return match &rebuilt.event(*started).details {
            Details::MapRunStarted { map_run_arn } | Details::Redriven { map_run_arn, .. } => {
                map_run_arn.as_ref().map(|arn| text(arn, arena))
            }
            _ => None,
        };
    }
    if !matches!(pattern, Some(Pattern::ChildExecution | Pattern::Callback)) {
        return None;
    }
    let child = visit.attempts.iter().rev().find_map(|attempt| execution::child(rebuilt.history, attempt))?;
    Some(arena.alloc_str(&child))
}

/// How many items the Map started with. The service says 0 for those that a Distributed Map reads later.
fn items(rebuilt: Rebuilt<'_>, visit: &Visit) -> Option<u64> {
    let started = visit.attempts.last().filter(|_| visit.state_type == Some(StateType::Map))?.scheduled?;
    match &rebuilt.event(started).details {
        Details::MapStarted { length } => length.filter(|length| *length > 0 || visit.map_runs.is_empty()),
        _ => None,
    }
}

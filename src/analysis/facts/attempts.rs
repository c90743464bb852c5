//! Attempts.

use bumpalo::Bump;

use super::{Rebuilt, split, text, visits};
use crate::analysis::execution;
use crate::model::path::{Attempt, Visit, VisitId};
use crate::model::{AttemptFacts, Details, HistoryEvent};

/// The attempts of an execution, by visit and in their order; `causes` says whether those of failures are taken.
pub(super) fn of<'a>(rebuilt: Rebuilt<'a>, causes: bool, arena: &'a Bump) -> &'a [AttemptFacts<'a>] {
    let mut found = Vec::with_capacity(rebuilt.path.visits.iter().map(|visit| visit.attempts.len()).sum());
    for (id, visit) in rebuilt.path.visits() {
        let mut before = None;
        for entry in &visit.attempts {
            found.push(attempt(rebuilt, (id, visit), entry, before, causes, arena));
            before = Some(entry);
        }
    }
    arena.alloc_slice_copy(&found)
}

fn attempt<'a>(
    rebuilt: Rebuilt<'a>,
    (id, visit): (VisitId, &'a Visit),
    attempt: &'a Attempt,
    before: Option<&Attempt>,
    causes: bool,
    arena: &'a Bump,
) -> AttemptFacts<'a> {
    let called = execution::resource(rebuilt.history, attempt).or_else(|| visits::called(rebuilt, visit));
    let pattern = visits::pattern(rebuilt, visit, called.as_ref());
    let scheduled = rebuilt.time(attempt.scheduled);
    let failure = failure(rebuilt, attempt);
    let limits = attempt.scheduled.map(|index| &rebuilt.event(index).details);
    let (timeout, heartbeat) = match limits {
        Some(Details::Scheduled(limits)) => (limits.timeout_in_seconds, limits.heartbeat_in_seconds),
        _ => (None, None),
    };
    let waited_since = split::waited_since(rebuilt, before, attempt);
    AttemptFacts {
        visit: id.0,
        number: attempt.number,
        redrive: attempt.run,
        state: visit.state.as_ref().map_or("", |name| text(name, arena)),
        pattern,
        outcome: attempt.outcome,
        scheduled_event_id: rebuilt.event_id(attempt.scheduled),
        ended_event_id: rebuilt.event_id(attempt.ended),
        scheduled,
        started: rebuilt.time(attempt.started),
        submitted: rebuilt.time(attempt.submitted),
        ended: rebuilt.time(attempt.ended),
        wait_before_ms: scheduled.zip(waited_since).map(|(scheduled, since)| scheduled.milliseconds_since(since)),
        timeout_seconds: execution::time_limit(timeout),
        heartbeat_seconds: execution::time_limit(heartbeat),
        error: failure.and_then(HistoryEvent::error).map(|error| text(error, arena)),
        cause: failure.filter(|_| causes).and_then(HistoryEvent::cause).map(|cause| text(cause, arena)),
        resource: called.map(|called| visits::resource_text(called, arena)),
    }
}

/// The event that tells of what the attempt failed; for a Parallel or Map, in the visit inside that made it fail.
fn failure<'a>(rebuilt: Rebuilt<'a>, attempt: &Attempt) -> Option<&'a HistoryEvent> {
    if !attempt.outcome.is_failure() {
        return None;
    }
    let own = attempt.ended.map(|index| rebuilt.event(index)).filter(|event| event.error().is_some() || event.cause().is_some());
    let inside = || Some(rebuilt.event(rebuilt.path.visit(attempt.failed_by?).failure?));
    own.or_else(inside)
}

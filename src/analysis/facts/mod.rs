//! A rebuilt execution to the facts that questions over many executions ask about.
//!
//! What is taken is what was asked for: most questions need no payload, and only failed executions are explained.

use std::borrow::Cow;

use bumpalo::Bump;

use crate::asl::Definition;
use crate::model::facts::Needs;
use crate::model::path::{Visit, VisitId};
use crate::model::{EventId, ExecutionArn, ExecutionFacts, ExecutionPath, History, Micros, RawText, StateMachineArn, VisitFacts};

/// An execution as it was read and rebuilt.
#[derive(Clone, Copy)]
pub struct Rebuilt<'a> {
    /// The execution's events.
    pub history: &'a History,
    /// Rebuilt from it.
    pub path: &'a ExecutionPath,
    /// Its definition, when there is one.
    pub definition: Option<&'a Definition>,
}

/// The facts of one execution; what is no text of the history itself is put into `arena`.
pub fn extract<'a>(rebuilt: Rebuilt<'a>, needs: Needs, arena: &'a Bump) -> ExecutionFacts<'a> {
    let Rebuilt { history, path, .. } = rebuilt;
    let header = &history.header;
    let machine = header.state_machine_arn.as_ref().map(StateMachineArn::as_str);
    ExecutionFacts {
        execution: header.arn.as_ref().map_or("", ExecutionArn::as_str),
        name: header.name.as_deref().unwrap_or_default(),
        state_machine: machine,
        status: super::execution::status(history, path),
        start: header.start.map(Micros::from),
        stop: header.stop.map(Micros::from),
        redrive_count: header.redrive_count.unwrap_or(0),
        events: history.events.len() as u64,
        last_event: history.events.iter().rev().find_map(|event| event.timestamp).map(Micros::from),
        definition: history.definition.as_ref().filter(|_| needs.definitions).map(|definition| text(definition, arena)),
        visits: if needs.visits { visits(rebuilt, arena) } else { &[] },
        ..ExecutionFacts::default()
    }
}

fn text<'a>(text: &'a RawText, arena: &'a Bump) -> &'a str {
    match text.decode() {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => arena.alloc_str(&text),
    }
}

fn visits<'a>(rebuilt: Rebuilt<'a>, arena: &'a Bump) -> &'a [VisitFacts<'a>] {
    arena.alloc_slice_fill_iter(rebuilt.path.visits().map(|(id, entry)| visit(rebuilt, id, entry, arena)))
}

fn visit<'a>(Rebuilt { history, path, .. }: Rebuilt<'a>, id: VisitId, visit: &'a Visit, arena: &'a Bump) -> VisitFacts<'a> {
    let time = |index: Option<usize>| history.events[index?].timestamp.map(Micros::from);
    let event_id = |index: Option<usize>| -> Option<EventId> { Some(history.events[index?].id) };
    let scope = path.scope(visit.scope);
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let retries = count(visit.attempts.iter().filter(|attempt| attempt.number > 1).count());
    VisitFacts {
        visit: id.0,
        parent: scope.parent.map(|parent| parent.0),
        index: scope.parent.map(|_| scope.index),
        parent_attempt: scope.parent.map(|_| scope.attempt),
        state: visit.state.as_ref().map_or("", |name| text(name, arena)),
        state_type: visit.state_type,
        scope: if scope.parent.is_none() { "" } else { arena.alloc_str(&path.labels(visit.scope).join("/")) },
        redrive: visit.run,
        outcome: visit.outcome,
        entered_event_id: event_id(visit.entered),
        exited_event_id: event_id(visit.exited),
        entered: time(visit.entered),
        exited: time(visit.exited),
        last_event: time(Some(visit.last_event)),
        attempts: count(visit.attempts.len()),
        retries,
        failed_attempts: count(visit.attempts.iter().filter(|attempt| attempt.outcome.is_failure()).count()),
        transitions: u32::from(visit.entered.is_some()) + retries,
        queue_ms: None,
        run_ms: None,
        retry_wait_ms: None,
        callback_ms: None,
        map_queue_ms: None,
        critical_ms: None,
        error: visit.failure.and_then(|index| history.events[index].error()).map(|error| text(error, arena)),
        resource: None,
        pattern: None,
        child: None,
        items: None,
    }
}

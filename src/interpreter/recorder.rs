//! The history as it is written: numbers events, and keeps them if they are wanted.
//!
//! Events are counted whether or not they are kept, so that an execution ends at the limit of the service either way. What is kept is
//! bounded: 25,000 events may hold as many payloads of 256 KiB.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use crate::asl::machine::{Kind, StateMachine, StateNumber};
use crate::model::event::{Details, EventId, HistoryEvent};
use crate::model::text::Form;
use crate::model::{self, EventType, RawText, Timestamp};

use super::RunError;
use super::failure::{Failure, Halt};

/// How many bytes of payloads the histories of a run hold, all together.
pub(super) const MOST_PAYLOAD_BYTES: usize = 1 << 30;

/// Writes one history.
#[derive(Debug)]
pub(super) struct Recorder {
    /// Names of states by their numbers, as texts that events share; empty when nothing is kept.
    names: Vec<RawText>,
    events: Vec<HistoryEvent>,
    count: u64,
    limit: u64,
    keeps: bool,
    /// What the histories of the run may still hold.
    bytes_left: Rc<Cell<usize>>,
    /// The payload that was counted last; the events that follow often share it.
    counted: Option<RawText>,
}

impl Recorder {
    /// For executions of `machine`, with at most `limit` events, which may hold `bytes_left` bytes of payloads.
    pub fn new(machine: &StateMachine, keeps: bool, limit: u64, bytes_left: &Rc<Cell<usize>>) -> Self {
        let names = if keeps { machine.states.iter().map(|state| RawText::plain(&*state.name)).collect() } else { Vec::new() };
        Self { names, events: Vec::new(), count: 0, limit, keeps, bytes_left: Rc::clone(bytes_left), counted: None }
    }

    /// How many events there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Writes an event and gives its number. `details` is only asked when events are kept. The last event of a full history is one
    /// that ends the execution.
    pub fn write(
        &mut self,
        kind: EventType,
        previous: u64,
        at: Timestamp,
        details: impl FnOnce(&Names<'_>) -> Details,
    ) -> Result<u64, Halt> {
        if self.count + 1 >= self.limit && !ends_execution(kind) {
            return Err(Halt::HistoryFull);
        }
        self.count += 1;
        if self.keeps {
            let event = HistoryEvent {
                id: EventId(self.count),
                previous_event_id: (previous > 0).then_some(EventId(previous)),
                timestamp: Some(at),
                kind,
                details: details(&Names(&self.names)),
                unknown: None,
            };
            self.count_bytes(&event)?;
            self.events.push(event);
        }
        Ok(self.count)
    }

    /// Counts the payloads of an event, unless it shares them with the one before.
    fn count_bytes(&mut self, event: &HistoryEvent) -> Result<(), Halt> {
        let mut bytes = 0;
        for payload in event.input().into_iter().chain(event.output()) {
            let text = payload.text.source();
            if !self.counted.as_ref().is_some_and(|counted| std::ptr::eq(counted.source(), text)) {
                bytes += text.len();
                self.counted = Some(payload.text.clone());
            }
        }
        if let Details::StateExited(exited) = &event.details
            && let Some(assigned) = &exited.assigned_variables
        {
            bytes += assigned.values.iter().map(|(_, value)| value.source().len()).sum::<usize>();
        }
        let left = self.bytes_left.get().checked_sub(bytes).ok_or(RunError::LargeHistory(MOST_PAYLOAD_BYTES))?;
        self.bytes_left.set(left);
        Ok(())
    }

    /// The limit on events.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// What was kept.
    pub fn into_events(self) -> Vec<HistoryEvent> {
        self.events
    }
}

/// Names of states as events hold them.
pub(super) struct Names<'a>(&'a [RawText]);

impl Names<'_> {
    /// The name of a state.
    pub fn of(&self, state: StateNumber) -> Option<RawText> {
        self.0.get(state.0 as usize).cloned()
    }
}

/// Text of an event that nothing else shares.
pub(super) fn text(text: &str) -> RawText {
    let text = Arc::new(text.to_owned());
    RawText::slice(&text, 0..text.len(), Form::Plain).expect("the whole of a text that is far from 4 GiB")
}

fn ends_execution(kind: EventType) -> bool {
    matches!(kind, EventType::ExecutionSucceeded | EventType::ExecutionFailed | EventType::ExecutionTimedOut | EventType::ExecutionAborted)
}

/// The event that a state of this kind begins with.
pub(super) fn entered(kind: &Kind) -> EventType {
    match kind {
        Kind::Pass { .. } => EventType::PassStateEntered,
        Kind::Task(_) => EventType::TaskStateEntered,
        Kind::Choice { .. } => EventType::ChoiceStateEntered,
        Kind::Wait(_) => EventType::WaitStateEntered,
        Kind::Succeed => EventType::SucceedStateEntered,
        Kind::Fail { .. } => EventType::FailStateEntered,
        Kind::Parallel { .. } => EventType::ParallelStateEntered,
        Kind::Map(_) => EventType::MapStateEntered,
    }
}

/// The event that a state of this kind ends with. A Fail has none; nothing asks for it.
pub(super) fn exited(kind: &Kind) -> EventType {
    match kind {
        Kind::Pass { .. } | Kind::Fail { .. } => EventType::PassStateExited,
        Kind::Task(_) => EventType::TaskStateExited,
        Kind::Choice { .. } => EventType::ChoiceStateExited,
        Kind::Wait(_) => EventType::WaitStateExited,
        Kind::Succeed => EventType::SucceedStateExited,
        Kind::Parallel { .. } => EventType::ParallelStateExited,
        Kind::Map(_) => EventType::MapStateExited,
    }
}

/// The event that tells that an open state of this kind was ended because something beside it failed.
pub(super) fn aborted(kind: &Kind) -> Option<EventType> {
    match kind {
        Kind::Task(_) => Some(EventType::TaskStateAborted),
        Kind::Wait(_) => Some(EventType::WaitStateAborted),
        Kind::Parallel { .. } => Some(EventType::ParallelStateAborted),
        Kind::Map(_) => Some(EventType::MapStateAborted),
        _ => None,
    }
}

/// Details of an event that reports a failure; of a Task that calls an integration with its names.
pub(super) fn failure(failure: &Failure, called: Option<(&str, &str)>) -> Details {
    Details::Failure(Box::new(model::event::Failure {
        resource_type: called.map(|(resource_type, _)| text(resource_type)),
        resource: called.map(|(_, resource)| text(resource)),
        error: failure.error.as_deref().map(text),
        cause: failure.cause.as_deref().map(text),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpreter::Payload;

    #[test]
    fn payloads_are_held_as_far_as_there_is_room_and_counted_once() {
        let machine = crate::asl::compile(r#"{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}"#).expect("a definition");
        let left = Rc::new(Cell::new(10));
        let mut recorder = Recorder::new(&machine, true, 25_000, &left);
        let mut write = |payload: &Payload| {
            let output = Some(payload.event_text());
            let details = |_: &Names<'_>| Details::Output(Box::new(model::event::Output { output, ..Default::default() }));
            recorder.write(EventType::TaskSucceeded, 0, Timestamp::UNIX_EPOCH, details)
        };
        let six = Payload::parse("\"four\"").expect("JSON");
        assert!((0..9).all(|_| write(&six).is_ok()));
        assert_eq!(left.get(), 4);
        let refused = write(&Payload::parse("\"four\"").expect("JSON"));
        assert!(matches!(refused, Err(Halt::Error(RunError::LargeHistory(_)))), "{refused:?}");
    }
}

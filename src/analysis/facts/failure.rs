//! How an execution failed, by the root-cause rule of `why`.

use bumpalo::Bump;

use super::{Rebuilt, text, visits};
use crate::analysis::why::{self, Evidence};
use crate::analysis::{execution, fingerprint};
use crate::model::path::Visit;
use crate::model::{ExecutionStatus, FailureFacts, HistoryEvent, Micros, RawText};

/// `None` for an execution that did not fail.
pub(super) fn of<'a>(rebuilt: Rebuilt<'a>, state_machine: Option<&str>, arena: &'a Bump) -> Option<FailureFacts<'a>> {
    let Rebuilt { history, path, definition } = rebuilt;
    execution::status(history, path).filter(|status| ExecutionStatus::is_unsuccessful(*status))?;
    let root = why::root(Evidence { history, path, definition });
    let end = path.last_run().and_then(|run| run.end).map(|index| rebuilt.event(index));
    let terminal = path.last_run().and_then(|run| run.blame?.visit).map(|id| path.visit(id));
    let visit = root.visit.map(|id| path.visit(id));
    let name = |visit: Option<&'a Visit>| Some(text(visit?.state.as_ref()?, arena));
    let said =
        |of_event: Option<&'a RawText>, of_header: &'a Option<RawText>| of_event.or(of_header.as_ref()).map(|said| text(said, arena));
    let mut failure = FailureFacts {
        terminal_state: name(terminal),
        error: said(end.and_then(HistoryEvent::error), &history.header.error),
        cause: said(end.and_then(HistoryEvent::cause), &history.header.cause),
        root_state: name(visit),
        root_scope: visit.map_or("", |visit| visits::label(path, visit, arena)),
        root_error: root.error.map(|error| &*arena.alloc_str(&error)),
        root_cause: root.cause.map(|cause| &*arena.alloc_str(&cause)),
        kind: root.kind.name(),
        basis: root.basis.name(),
        confidence: root.confidence.name(),
        root_event_id: rebuilt.event_id(root.event),
        root_time: root.event.and_then(|index| rebuilt.event(index).timestamp).map(Micros::from),
        resource: visit.and_then(|visit| visits::called(rebuilt, visit)).map(|called| visits::resource_text(called, arena)),
        child: root.child.map(|child| &*arena.alloc_str(&child)),
        fingerprint: None,
    };
    let (fingerprint, _) = fingerprint::of_failure(state_machine, &failure);
    failure.fingerprint = Some(arena.alloc_str(&fingerprint.id));
    Some(failure)
}

//! The records of one execution to its history, and what they show to be missing.
//!
//! | the records                                           | the history is marked as                       |
//! |-------------------------------------------------------|------------------------------------------------|
//! | of all types, ids without a hole                      | whole                                          |
//! | of all types, ids with holes                          | with events missing: records were lost         |
//! | nothing but failures and ends, and not from event 1   | logged at level ERROR                          |
//! | nothing but an end, and not from event 1              | logged at level FATAL (or ERROR: same records) |
//! | no end                                                | unknown whether it ended                       |
//! | the same id twice, with other content                 | with repeated events; the earlier one is kept  |
//! | two first events                                      | the same: what the second run left is no part  |

use std::collections::BTreeSet;
use std::sync::Arc;

use super::held::Held;
use super::record::{self, Record};
use crate::model::event_type::{AttemptStep, Ending};
use crate::model::history::LoggedLevel;
use crate::model::{EventId, ExecutionHeader, ExecutionStatus, Gap, History, HistoryEvent, Role, StateType, Timestamp};
use crate::sources::assemble::{Page, assemble};
use crate::sources::event::Document;
use crate::sources::json::Cursor;

/// The history of an execution by its records.
pub(super) fn of(arn: &str, held: Held, depth: usize) -> History {
    let origin = held.origin();
    let text = Arc::new(held.into_text());
    let mut records = read(&text, depth);
    records.sort_by(|one, other| order(one).cmp(&order(other)));
    let repeated = drop_repeated(&mut records);
    let redrive_count = records.iter().filter_map(|record| record.record.redrive_count).max();
    let events: Vec<HistoryEvent> = records.into_iter().map(|record| record.record.event).collect();
    let level = level(&events);
    let header = header(arn, &events, redrive_count);
    let has_end = header.status.is_some();
    let mut history = assemble(header, vec![Page { events, more: false }], None, origin);
    if let Some(level) = level {
        // Ids jump over every event that the level leaves out.
        history.gaps.retain(|gap| !matches!(gap, Gap::MissingEvents { .. }));
        history.gaps.insert(0, Gap::LoggedOnly { level });
    }
    if !has_end {
        history.gaps.push(Gap::NoEndLogged);
    }
    history.gaps.extend(repeated);
    history
}

struct Read<'t> {
    record: Record,
    text: &'t str,
}

fn read(text: &Arc<String>, depth: usize) -> Vec<Read<'_>> {
    let document = Document::new(text);
    let mut records = Vec::new();
    let mut cursor = Cursor::new(text, 0, depth);
    while !cursor.is_at_end() {
        let start = cursor.position();
        // Each was looked at before it was held.
        let Ok(record) = record::read(&mut cursor, document, depth) else { break };
        records.push(Read { record, text: text.get(start..cursor.position()).unwrap_or_default() });
    }
    records
}

/// By id; of several with one id the earliest comes first, and where the time does not tell, the text does: the order in which they were
/// read must not matter.
fn order<'t>(read: &Read<'t>) -> (EventId, Option<Timestamp>, &'t str) {
    (read.record.event.id, read.record.event.timestamp, read.text)
}

/// Keeps one record of each event; events of which others tell something else are counted, each once: how often a record came again says
/// nothing.
fn drop_repeated(records: &mut Vec<Read<'_>>) -> Option<Gap> {
    let first_start = records.first().and_then(|read| read.record.event.timestamp);
    let starts = records.iter().filter(|read| read.record.event.id == EventId(1));
    let second_start = starts.filter_map(|read| read.record.event.timestamp).find(|start| Some(*start) > first_start);
    let mut repeated: BTreeSet<EventId> = BTreeSet::new();
    if let Some(second) = second_start {
        records.retain(|read| {
            let is_of_second = read.record.event.timestamp.is_some_and(|time| time >= second);
            if is_of_second {
                repeated.insert(read.record.event.id);
            }
            !is_of_second
        });
    }
    records.dedup_by(|later, kept| {
        let is_same_id = later.record.event.id == kept.record.event.id;
        if is_same_id && later.record.event != kept.record.event {
            repeated.insert(later.record.event.id);
        }
        is_same_id
    });
    let first = repeated.first().copied()?;
    Some(Gap::RepeatedEvents { events: repeated.len(), first })
}

fn header(arn: &str, events: &[HistoryEvent], redrive_count: Option<u64>) -> ExecutionHeader {
    let start = events.iter().find(|event| event.role() == Role::ExecutionStarted).and_then(|event| event.timestamp);
    let last = events.iter().rev().find(|event| matches!(event.role(), Role::ExecutionEnded(_) | Role::ExecutionRedriven));
    let end = last.and_then(|event| Some((status_of(event)?, event.timestamp)));
    ExecutionHeader {
        arn: arn.parse().ok(),
        status: end.map(|(status, _)| status),
        start,
        stop: end.and_then(|(_, stop)| stop),
        redrive_count,
        ..ExecutionHeader::default()
    }
}

fn status_of(event: &HistoryEvent) -> Option<ExecutionStatus> {
    match event.role() {
        Role::ExecutionEnded(Ending::Succeeded) => Some(ExecutionStatus::Succeeded),
        Role::ExecutionEnded(Ending::Failed) => Some(ExecutionStatus::Failed),
        Role::ExecutionEnded(Ending::TimedOut) => Some(ExecutionStatus::TimedOut),
        Role::ExecutionEnded(Ending::Aborted) => Some(ExecutionStatus::Aborted),
        _ => None,
    }
}

/// The level at which they were logged; `None` for all events.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html>; what that table leaves out is taken for a failure by its name.
fn level(events: &[HistoryEvent]) -> Option<LoggedLevel> {
    let begins_late = events.first().is_some_and(|event| event.id > EventId(1));
    let is_end = |event: &HistoryEvent| matches!(event.role(), Role::ExecutionEnded(Ending::Failed | Ending::TimedOut | Ending::Aborted));
    if !begins_late {
        None
    } else if events.iter().all(is_end) {
        Some(LoggedLevel::Fatal)
    } else {
        events.iter().all(|event| is_end(event) || is_of_failure(event)).then_some(LoggedLevel::Error)
    }
}

fn is_of_failure(event: &HistoryEvent) -> bool {
    match event.role() {
        Role::StateEntered(StateType::Fail) | Role::EvaluationFailed | Role::StateAborted(_) => true,
        Role::Attempt(step) => {
            matches!(
                step,
                AttemptStep::Failed
                    | AttemptStep::TimedOut
                    | AttemptStep::ScheduleFailed
                    | AttemptStep::StartFailed
                    | AttemptStep::SubmitFailed
            )
        }
        Role::CompositeEnded(_, ending) | Role::IterationEnded(ending) | Role::MapRunEnded(ending) => ending != Ending::Succeeded,
        Role::Unknown => event.type_name().ends_with("Failed") || event.type_name().ends_with("TimedOut"),
        _ => false,
    }
}

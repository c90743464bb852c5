//! The events of an execution, one line each. The events themselves are what `model::wire` writes.

use crate::analysis::why::{ExecutionSummary, Incomplete};
use crate::model::{Details, EventId, ExecutionPath, History, HistoryEvent, RawText};

use super::{one_line, visits};
use crate::analysis::execution::{incomplete, summary};

/// The events of an execution.
#[derive(Debug, Clone)]
pub struct EventList {
    /// Which execution.
    pub execution: ExecutionSummary,
    /// From the first event to the last one.
    pub span_ms: i64,
    /// In the order of their ids.
    pub events: Vec<EventLine>,
    /// What is known to be missing.
    pub incomplete: Vec<Incomplete>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLine {
    /// Its number.
    pub id: EventId,
    /// The event that it links to.
    pub previous: Option<EventId>,
    /// From the execution's start.
    pub offset_ms: Option<i64>,
    /// What happened.
    pub kind: String,
    /// The state that it belongs to, with its branch or iteration: `Fulfil[2] Pick`.
    pub state: String,
    /// What else it says.
    pub details: String,
    /// Whether it reports a failure.
    pub is_failure: bool,
}

/// Lists the events of an execution.
pub fn events(history: &History, path: &ExecutionPath) -> EventList {
    let clock = visits::Clock::new(history);
    let line = |(index, event): (usize, &HistoryEvent)| EventLine {
        id: event.id,
        previous: event.previous_event_id,
        offset_ms: clock.offset_ms(event.timestamp),
        kind: event.type_name().to_owned(),
        state: state_of(path, index, event),
        details: details_of(event),
        is_failure: event.is_failure(),
    };
    EventList {
        execution: summary(history, path),
        span_ms: clock.span_ms(),
        events: history.events.iter().enumerate().map(line).collect(),
        incomplete: incomplete(history, path),
    }
}

fn state_of(path: &ExecutionPath, index: usize, event: &HistoryEvent) -> String {
    let Some(id) = path.visit_of.get(index).copied().flatten() else {
        return event.state_name().map(|name| name.decode().into_owned()).unwrap_or_default();
    };
    let visit = path.visit(id);
    let mut words = path.labels(visit.scope);
    words.extend(visit.state.as_ref().map(|name| name.decode().into_owned()));
    words.join(" ")
}

fn details_of(event: &HistoryEvent) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut say = |text: Option<&RawText>| words.extend(text.map(|text| text.decode().into_owned()));
    match &event.details {
        Details::Failure(_) | Details::Evaluation(_) => {
            if let Details::Evaluation(evaluation) = &event.details {
                say(evaluation.location.as_ref());
            }
            say(event.error());
            let error = event.error().map(|error| error.decode());
            words.extend(event.cause().map(|cause| one_line(error.as_deref(), &cause.decode())));
        }
        Details::Scheduled(scheduled) => {
            return service_and_action(scheduled.resource_type.as_ref(), scheduled.resource.as_ref());
        }
        Details::Started(started) => say(started.worker_name.as_ref()),
        Details::Iteration { index: Some(index), .. } => return format!("[{index}]"),
        Details::MapStarted { length: Some(length) } => return format!("{length} items"),
        Details::MapRunStarted { map_run_arn } => say(map_run_arn.as_ref()),
        Details::Redriven { redrive_count: Some(count), .. } => return format!("redrive {count}"),
        Details::StateExited(exited) => {
            let names = exited.assigned_variables.iter().flat_map(|assigned| &assigned.values).map(|(name, _)| format!("${name}"));
            words.extend(names);
        }
        _ => {}
    }
    words.retain(|word| !word.is_empty());
    words.join(": ")
}

fn service_and_action(service: Option<&RawText>, action: Option<&RawText>) -> String {
    let words: Vec<String> = [service, action].into_iter().flatten().map(|word| word.decode().into_owned()).collect();
    words.join(":")
}

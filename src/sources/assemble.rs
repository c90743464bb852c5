//! Pages of events to one history: merged, sorted, each id once, with what is missing noted.
//!
//! Apart from the readers because files and the API share it: whatever delivered the pages, the same events give the same
//! history and the same gaps.

use crate::model::event_type::{Role, Shape};
use crate::model::{Details, EventId, EventType, ExecutionHeader, ExecutionStatus, Gap, History, HistoryEvent, Origin, Payload, RawText};

/// What one call of `GetExecutionHistory` returned.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// In the order of the page; `--reverse-order` gives the last event first.
    pub events: Vec<HistoryEvent>,
    /// Whether the page names a next one.
    pub more: bool,
}

/// Makes one history of the pages of one execution, which may come in any order, reversed and overlapping.
///
/// An event that occurs twice is kept once; of two different events with one id the first is kept and a gap says so. What a
/// header leaves out is filled in from its ARN.
pub fn assemble(header: ExecutionHeader, pages: Vec<Page>, definition: Option<RawText>, origin: impl Into<Origin>) -> History {
    let ends: Vec<OpenEnd> = pages.iter().filter(|page| page.more).map(OpenEnd::of).collect();
    let mut gaps = Vec::new();
    let events = merged(pages, &mut gaps);
    let mut history = History { header: completed(header), events, definition, gaps, origin: origin.into() };
    let found = gaps_of(&history, &ends);
    history.gaps.extend(found);
    history
}

/// Fills in what the ARN tells and the description left out.
fn completed(mut header: ExecutionHeader) -> ExecutionHeader {
    if let Some(arn) = &header.arn {
        header.name.get_or_insert_with(|| arn.name().to_owned());
        header.state_machine_arn.get_or_insert_with(|| arn.state_machine());
    }
    header
}

/// All events in the order of their ids, each id once.
fn merged(mut pages: Vec<Page>, gaps: &mut Vec<Gap>) -> Vec<HistoryEvent> {
    let mut events = if pages.len() == 1 { pages.remove(0).events } else { pages.into_iter().flat_map(|page| page.events).collect() };
    if events.is_sorted_by(|one, next| one.id < next.id) {
        return events;
    }
    events.sort_by_key(|event| event.id);
    let mut conflicting: Vec<EventId> = Vec::new();
    events.dedup_by(|later, kept| {
        if later.id != kept.id {
            return false;
        }
        if later != kept && conflicting.last() != Some(&kept.id) {
            conflicting.push(kept.id);
        }
        true
    });
    gaps.extend(conflicting.into_iter().map(|id| Gap::ConflictingEvents { id }));
    events
}

/// Where a page that names a next one leaves off.
enum OpenEnd {
    /// It goes on with this id.
    At(EventId),
    /// It holds no event, or it goes back to the first one: nothing to look for.
    Unknown,
    /// A reversed page that reached the first event.
    Nowhere,
}

impl OpenEnd {
    fn of(page: &Page) -> Self {
        let (Some(first), Some(last)) = (page.events.first(), page.events.last()) else { return Self::Unknown };
        match (first.id > last.id, last.id.0) {
            (true, 0 | 1) => Self::Nowhere,
            (true, lowest) => Self::At(EventId(lowest - 1)),
            (false, highest) => highest.checked_add(1).map_or(Self::Unknown, |next| Self::At(EventId(next))),
        }
    }

    fn is_open(&self, history: &History) -> bool {
        match self {
            Self::At(id) => history.index_of(*id).is_none(),
            Self::Unknown => history.header.status.is_none() && !ends(history),
            Self::Nowhere => false,
        }
    }
}

fn ends(history: &History) -> bool {
    history.events.last().is_some_and(|event| matches!(event.role(), Role::ExecutionEnded(_)))
}

/// Everything that the events and the header tell about what is missing.
fn gaps_of(history: &History, open_ends: &[OpenEnd]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if history.events.is_empty() {
        gaps.push(Gap::NoEvents);
        if !open_ends.is_empty() {
            gaps.push(Gap::MorePages);
        }
        return gaps;
    }
    missing_ranges(&history.events, &mut gaps);
    if open_ends.iter().any(|end| end.is_open(history)) {
        gaps.push(Gap::MorePages);
    }
    if is_closed(&history.header) && !ends(history) {
        gaps.push(Gap::NoEnd);
    }
    Tally::of(&history.events).report(&mut gaps);
    gaps
}

fn is_closed(header: &ExecutionHeader) -> bool {
    match header.status {
        Some(ExecutionStatus::Running | ExecutionStatus::PendingRedrive) => false,
        Some(_) => true,
        None => header.stop.is_some(),
    }
}

fn missing_ranges(events: &[HistoryEvent], gaps: &mut Vec<Gap>) {
    let mut expected = 1;
    for event in events {
        let id = event.id.0;
        if id > expected {
            gaps.push(Gap::MissingEvents { first: EventId(expected), last: EventId(id - 1) });
        }
        expected = id.saturating_add(1).max(expected);
    }
}

/// Counts of what single events lack.
#[derive(Default)]
struct Tally {
    without_time: usize,
    unknown_types: usize,
    example: Option<String>,
    structured: usize,
    truncated: usize,
    /// Without the details of their type, payloads aside.
    without_details: usize,
    /// Without details, of a type whose only detail is a payload.
    without_output: usize,
    with_payload: usize,
    without_payload: usize,
}

impl Tally {
    fn of(events: &[HistoryEvent]) -> Self {
        let mut tally = Self::default();
        for event in events {
            tally.add(event);
        }
        tally
    }

    fn add(&mut self, event: &HistoryEvent) {
        self.without_time += usize::from(event.timestamp.is_none());
        if event.kind == EventType::Unknown {
            self.unknown_types += 1;
            self.example.get_or_insert_with(|| event.type_name().to_owned());
            return;
        }
        let evidence = Evidence::of(event);
        self.structured += usize::from(evidence.structured);
        self.truncated += usize::from(evidence.truncated);
        match evidence.payload {
            Some(true) => self.with_payload += 1,
            Some(false) => self.without_payload += 1,
            None => {}
        }
        match evidence.missing {
            Missing::Nothing => {}
            Missing::Details => self.without_details += 1,
            Missing::Output => self.without_output += 1,
        }
    }

    fn report(self, gaps: &mut Vec<Gap>) {
        let left_out = self.with_payload == 0 && self.without_payload > 0;
        if left_out {
            gaps.push(Gap::PayloadsLeftOut);
        }
        if self.truncated > 0 {
            gaps.push(Gap::TruncatedPayloads { events: self.truncated });
        }
        if self.structured > 0 {
            gaps.push(Gap::StructuredPayloads { events: self.structured });
        }
        if self.without_time > 0 {
            gaps.push(Gap::NoTimestamps { events: self.without_time });
        }
        if self.unknown_types > 0 {
            gaps.push(Gap::UnknownTypes { events: self.unknown_types, example: self.example.unwrap_or_default() });
        }
        // Where no payload is left at all, an absent output is no fault of its own.
        let without_details = self.without_details + if left_out { 0 } else { self.without_output };
        if without_details > 0 {
            gaps.push(Gap::MissingDetails { events: without_details });
        }
    }
}

enum Missing {
    Nothing,
    Details,
    Output,
}

/// What one event shows about how its source writes.
struct Evidence {
    /// Whether it has its payload; `None` for a type that carries none.
    payload: Option<bool>,
    truncated: bool,
    structured: bool,
    missing: Missing,
}

impl Evidence {
    fn of(event: &HistoryEvent) -> Self {
        let payload = event.input().or_else(|| event.output());
        let carries = matches!(
            event.kind.shape(),
            Shape::ExecutionStarted | Shape::Output | Shape::StateEntered | Shape::StateExited | Shape::Scheduled
        );
        let cut = |payload: &Payload| payload.truncated;
        let variables_cut = match &event.details {
            Details::StateExited(exited) => exited.assigned_variables.as_ref().is_some_and(|variables| variables.truncated),
            _ => false,
        };
        let structured = payload.is_some_and(|payload| payload.text.is_structured())
            || event.cause().is_some_and(RawText::is_structured)
            || event.error().is_some_and(RawText::is_structured);
        Self {
            payload: carries.then_some(payload.is_some()),
            truncated: payload.is_some_and(cut) || variables_cut,
            structured,
            missing: missing(event),
        }
    }
}

/// Whether the event lacks a detail that the service always writes for its type.
fn missing(event: &HistoryEvent) -> Missing {
    let integration = matches!(
        event.kind,
        EventType::TaskScheduled
            | EventType::TaskStarted
            | EventType::TaskSubmitted
            | EventType::TaskSucceeded
            | EventType::TaskFailed
            | EventType::TaskTimedOut
            | EventType::TaskStartFailed
            | EventType::TaskSubmitFailed
    );
    let lacks = match (&event.details, event.kind.shape()) {
        (Details::None, Shape::None) => false,
        (Details::None, Shape::Output) if !integration => return Missing::Output,
        // A timeout, a stop or a worker may give neither error nor cause, and a worker no name.
        (Details::None, Shape::Failure | Shape::Started) => integration,
        (Details::None, _) => true,
        (Details::StateEntered(entered), _) => entered.name.is_none(),
        (Details::StateExited(exited), _) => exited.name.is_none(),
        (Details::Scheduled(scheduled), _) => scheduled.resource.is_none(),
        (Details::Iteration { name, index }, _) => name.is_none() && index.is_none(),
        (Details::Evaluation(evaluation), _) => evaluation.state.is_none(),
        _ => false,
    };
    if lacks { Missing::Details } else { Missing::Nothing }
}

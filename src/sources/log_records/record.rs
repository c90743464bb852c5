//! One record to the event that it tells of.
//!
//! A record holds what an event of the history API holds, in other clothes: numbers are strings, the details stand under one name without
//! a wrapper, and the time is in milliseconds.

use crate::model::event::{Details, EventId, HistoryEvent, Payload, UnknownParts};
use crate::model::{EventType, RawText};
use crate::sources::event::{Document, details};
use crate::sources::json::{Cursor, JsonError, Kind, Value, unescaped};

/// A record, read.
#[derive(Debug)]
pub(super) struct Record {
    pub event: HistoryEvent,
    /// `None` in records older than redrives.
    pub redrive_count: Option<u64>,
}

/// Shorter payloads are never cut: the service does so from 248 KiB of escaped text on.
const SHORTEST_CUT: usize = 200 << 10;

/// Reads the record at the cursor.
pub(super) fn read(cursor: &mut Cursor<'_>, document: Document<'_>, depth: usize) -> Result<Record, JsonError> {
    let mut kind: Option<EventType> = None;
    let mut redrive_count = None;
    let mut found = Details::None;
    let mut waiting = None;
    let mut unknown = UnknownParts::default();
    let mut event = HistoryEvent {
        id: EventId(0),
        previous_event_id: None,
        timestamp: None,
        kind: EventType::Unknown,
        details: Details::None,
        unknown: None,
    };
    cursor.enter(b'{')?;
    let mut first = true;
    while let Some(key) = cursor.key(&mut first)? {
        match (&*key, kind) {
            ("details", Some(kind)) if kind != EventType::Unknown => found = details(kind.shape(), cursor, document, &mut unknown)?,
            ("details", _) => waiting = Some(cursor.value()?),
            ("id", _) => event.id = EventId(document.unsigned(cursor.value()?).unwrap_or_default()),
            ("previous_event_id", _) => event.previous_event_id = document.unsigned(cursor.value()?).filter(|id| *id != 0).map(EventId),
            ("event_timestamp", _) => event.timestamp = document.timestamp(cursor.value()?),
            ("redrive_count", _) => redrive_count = document.unsigned(cursor.value()?),
            ("execution_arn", _) => _ = cursor.value()?,
            ("type", _) => {
                let value = cursor.value()?;
                let name = unescaped(cursor.source(value));
                let known = EventType::from_name(&name);
                if known == EventType::Unknown {
                    unknown.kind = Some(name.into_owned());
                }
                kind = Some(known);
            }
            _ => {
                let value = cursor.value()?;
                keep(&key, value, document, &mut unknown);
            }
        }
    }
    event.kind = kind.unwrap_or(EventType::Unknown);
    if let Some(value) = waiting {
        if event.kind == EventType::Unknown {
            keep("details", value, document, &mut unknown);
        } else {
            found = details(event.kind.shape(), &mut cursor.at(value.start), document, &mut unknown)?;
        }
    }
    event.details = found;
    mark_cut(&mut event.details, depth);
    let has_unknown = unknown.kind.is_some() || !unknown.members.is_empty() || !unknown.details.is_empty();
    event.unknown = has_unknown.then(|| Box::new(unknown));
    Ok(Record { event, redrive_count })
}

fn keep(key: &str, value: Value, document: Document<'_>, unknown: &mut UnknownParts) {
    if value.kind != Kind::Null {
        unknown.members.push((key.to_owned(), document.json(value)));
    }
}

/// What a Task received has no member that says whether it was cut: it is then no JSON any more.
fn mark_cut(details: &mut Details, depth: usize) {
    if let Details::Scheduled(scheduled) = details
        && let Some(payload) = &mut scheduled.input
    {
        payload.truncated |= is_cut(payload, depth);
    }
}

fn is_cut(payload: &Payload, depth: usize) -> bool {
    payload.text.source().len() >= SHORTEST_CUT && !is_json(&payload.text, depth)
}

fn is_json(text: &RawText, depth: usize) -> bool {
    let text = text.decode();
    let mut cursor = Cursor::new(&text, 0, depth);
    cursor.value().is_ok() && cursor.is_at_end()
}

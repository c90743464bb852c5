//! One JSON document to what it holds: pages, descriptions, definitions, or several of them.
//!
//! | document                                            | gives                                    |
//! |-----------------------------------------------------|------------------------------------------|
//! | `{"events": […], "nextToken": …}`, `[event, …]`     | a page                                   |
//! | `[page, …]`, `[[event, …], …]`, `[bundle, …]`       | each of them                             |
//! | `{"executionArn": …, "status": …}`                  | a description                            |
//! | `{"execution" or "describe": …, "events" or "history": …, "definition": …}` | all of one execution |
//! | `{"StartAt": …, "States": …}`, `{"stateMachineArn": …, "definition": …}`    | a definition         |
//! | an event by itself, as in JSON Lines of events      | a page of one event                      |
//! | a record of CloudWatch Logs                         | an error that says so                    |

use crate::model::{ExecutionHeader, ExecutionStatus, HistoryEvent, RawText, StateMachineArn};

use super::assemble::Page;
use super::event::{self, Document, Element};
use super::json::{Cursor, JsonError, Kind, Value, unescaped};

/// A definition and which state machine it is of, where that is said.
#[derive(Debug, Clone)]
pub(super) struct DefinitionPart {
    pub arn: Option<StateMachineArn>,
    pub name: Option<String>,
    pub text: RawText,
}

/// What one object, or one array of events, holds. At least one of the first three is there.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub header: Option<ExecutionHeader>,
    pub pages: Option<Vec<Page>>,
    pub definition: Option<DefinitionPart>,
    /// Members beside those: name and JSON text.
    pub unknown: Vec<(String, RawText)>,
    /// Events that were numbered by their order.
    pub without_ids: usize,
    /// The object is one event of a list that was taken apart.
    pub is_single_event: bool,
}

impl Part {
    /// Whether it is more than one kind of document: nothing from elsewhere is looked for.
    pub(super) fn is_bundle(&self) -> bool {
        usize::from(self.header.is_some()) + usize::from(self.pages.is_some()) + usize::from(self.definition.is_some()) > 1
    }

    fn page(events: Events, more: bool) -> Self {
        Self { pages: Some(vec![Page { events: events.list, more }]), without_ids: events.without_ids, ..Self::default() }
    }
}

/// Why a document, or a part of one, holds no history.
#[derive(Debug)]
pub(super) enum Fault {
    /// Something else.
    Other { found: String },
    /// Elements of a list of events that are none; they were left out.
    NotEvents { first: usize, found: &'static str, count: usize },
    /// Records of CloudWatch Logs.
    LogRecords,
}

/// Takes what a document holds.
pub(super) type Out<'o> = &'o mut dyn FnMut(Result<Part, Fault>);

/// Reads the document at the cursor. An error is one of syntax; every other fault goes to `out`, and reading goes on after it.
pub(super) fn read(cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<(), JsonError> {
    match cursor.peek() {
        Some(b'{') => object(cursor, document, out),
        Some(b'[') => array(cursor, document, out),
        _ => {
            let value = cursor.value()?;
            out(Err(Fault::Other { found: format!("{} by itself", value.kind.described()) }));
            Ok(())
        }
    }
}

/// What an object is, by the first member that decides.
#[derive(PartialEq, Eq)]
enum Class {
    Event,
    LogRecord,
    Other,
}

fn class_of(cursor: &Cursor<'_>) -> Class {
    let mut cursor = cursor.clone();
    let (mut first, mut has_event_type) = (true, false);
    if cursor.enter(b'{').is_err() {
        return Class::Other;
    }
    while let Ok(Some(key)) = cursor.key(&mut first) {
        match &*key {
            "events" | "history" | "execution" | "describe" | "definition" | "executionArn" => return Class::Other,
            "previousEventId" => return Class::Event,
            "execution_arn" | "event_timestamp" | "logStreamName" => return Class::LogRecord,
            key if key.ends_with("EventDetails") => return Class::Event,
            key => match cursor.value() {
                Ok(value) => has_event_type |= key == "type" && is_event_type(cursor.source(value)),
                Err(_) => return Class::Other,
            },
        }
    }
    if has_event_type { Class::Event } else { Class::Other }
}

fn is_event_type(name: &str) -> bool {
    crate::model::EventType::from_name(name) != crate::model::EventType::Unknown
}

fn array(cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<(), JsonError> {
    let start = cursor.position();
    let mut inside = cursor.clone();
    inside.enter(b'[')?;
    match inside.peek() {
        Some(b'{') if class_of(&inside) != Class::Other => return events_alone(cursor, document, out),
        Some(b']') => return events_alone(cursor, document, out),
        Some(b'{' | b'[') => {}
        _ => {
            cursor.value()?;
            out(Err(Fault::Other { found: "an array of other things than events".to_owned() }));
            return Ok(());
        }
    }
    cursor.enter(b'[')?;
    let (mut first, mut found_any) = (true, false);
    while cursor.element(&mut first)? {
        let mut unrelated = None;
        let mut take = |part: Result<Part, Fault>| match part {
            Err(Fault::Other { found, .. }) if !found_any => unrelated = Some(found),
            part => {
                found_any |= part.is_ok();
                out(part);
            }
        };
        match cursor.peek() {
            Some(b'{') => object(cursor, document, &mut take)?,
            Some(b'[') => events_alone(cursor, document, &mut take)?,
            _ => {
                let value = cursor.value()?;
                take(Err(Fault::Other { found: format!("{} in an array", value.kind.described()) }));
            }
        }
        if let Some(found) = unrelated {
            // One word for an array of other things, not one for each.
            out(Err(Fault::Other { found: format!("an array of other things than executions, the first is {found}") }));
            *cursor = cursor.at(start);
            cursor.value()?;
            return Ok(());
        }
    }
    Ok(())
}

/// An array of events that nothing surrounds.
fn events_alone(cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<(), JsonError> {
    let events = events(cursor, document, out)?;
    if events.log_records > 0 && events.list.is_empty() {
        out(Err(Fault::LogRecords));
    } else {
        out(Ok(Part::page(events, false)));
    }
    Ok(())
}

#[derive(Default)]
struct Events {
    list: Vec<HistoryEvent>,
    without_ids: usize,
    log_records: usize,
    /// Number and description of the first element that is no event.
    first_other: Option<(usize, &'static str)>,
    others: usize,
}

/// Reads an array of events. Elements that are none are left out, and `out` is told so.
fn events(cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<Events, JsonError> {
    cursor.enter(b'[')?;
    let mut events = Events::default();
    let mut first = true;
    let mut number = 0_usize;
    while cursor.element(&mut first)? {
        number += 1;
        if cursor.peek() != Some(b'{') {
            let value = cursor.value()?;
            events.reject(number, value.kind.described());
            continue;
        }
        match event::read(cursor, document)? {
            Element::Event { event, has_id } => events.add(event, has_id),
            Element::LogRecord => events.log_records += 1,
            Element::Other => events.reject(number, "an object without an event's members"),
        }
    }
    if let Some((first, found)) = events.first_other {
        out(Err(Fault::NotEvents { first, found, count: events.others }));
    }
    Ok(events)
}

impl Events {
    /// An event without a number follows the one before it.
    fn add(&mut self, mut event: HistoryEvent, has_id: bool) {
        if !has_id {
            event.id.0 = self.list.last().map_or(1, |before| before.id.0.saturating_add(1));
            self.without_ids += 1;
        }
        self.list.push(event);
    }

    fn reject(&mut self, number: usize, found: &'static str) {
        self.first_other.get_or_insert((number, found));
        self.others += 1;
    }
}

fn object(cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<(), JsonError> {
    cursor.peek();
    let at = cursor.position();
    match class_of(cursor) {
        Class::Event => return single_event(cursor, document, out),
        Class::LogRecord => {
            cursor.value()?;
            out(Err(Fault::LogRecords));
            return Ok(());
        }
        Class::Other => {}
    }
    cursor.enter(b'{')?;
    let mut members = ObjectMembers::default();
    let mut first = true;
    while let Some(key) = cursor.key(&mut first)? {
        members.take(&key, cursor, document, out)?;
    }
    let whole = Value { kind: Kind::Object, start: at, end: cursor.position() };
    out(members.finish(cursor, document, whole));
    Ok(())
}

fn single_event(cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<(), JsonError> {
    let part = match event::read(cursor, document)? {
        Element::Event { event, has_id } => {
            let mut events = Events::default();
            events.add(event, has_id);
            Ok(Part { is_single_event: true, ..Part::page(events, false) })
        }
        Element::LogRecord => Err(Fault::LogRecords),
        Element::Other => Err(Fault::Other { found: "an object".to_owned() }),
    };
    out(part);
    Ok(())
}

#[derive(Default)]
struct ObjectMembers {
    events: Option<Events>,
    more: bool,
    header: Option<ExecutionHeader>,
    definition: Option<Value>,
    others: Vec<(String, Value)>,
}

impl ObjectMembers {
    fn take(&mut self, key: &str, cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<(), JsonError> {
        match (key, cursor.peek()) {
            ("events" | "history", Some(b'[')) => self.add(events(cursor, document, out)?),
            ("history", Some(b'{')) => {
                cursor.enter(b'{')?;
                let mut first = true;
                while let Some(key) = cursor.key(&mut first)? {
                    match (&*key, cursor.peek()) {
                        ("events", Some(b'[')) => self.add(events(cursor, document, out)?),
                        _ => self.other(&key, cursor)?,
                    }
                }
            }
            ("execution" | "describe", Some(b'{')) => {
                let mut members = Vec::new();
                cursor.enter(b'{')?;
                let mut first = true;
                while let Some(key) = cursor.key(&mut first)? {
                    let value = cursor.value()?;
                    members.push((key.into_owned(), value));
                }
                self.header = Some(header(members, document));
            }
            ("execution", Some(b'"')) => {
                let value = cursor.value()?;
                self.header = Some(header(vec![("executionArn".to_owned(), value)], document));
            }
            ("definition", Some(b'"' | b'{')) => self.definition = Some(cursor.value()?),
            _ => self.other(key, cursor)?,
        }
        Ok(())
    }

    fn add(&mut self, events: Events) {
        match &mut self.events {
            // An object has one list; should there be a second one, nothing is dropped.
            Some(known) => {
                known.without_ids += events.without_ids;
                known.log_records += events.log_records;
                known.list.extend(events.list);
            }
            None => self.events = Some(events),
        }
    }

    fn other(&mut self, key: &str, cursor: &mut Cursor<'_>) -> Result<(), JsonError> {
        let value = cursor.value()?;
        match (key, value.kind) {
            // The second name is that of the CLI's own paging, `--max-items`.
            ("nextToken" | "NextToken", kind) => self.more |= !(kind == Kind::Null || value.start == value.end),
            _ => self.others.push((key.to_owned(), value)),
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.others.iter().any(|(key, _)| key == name)
    }

    fn finish(mut self, cursor: &Cursor<'_>, document: Document<'_>, whole: Value) -> Result<Part, Fault> {
        if self.events.as_ref().is_some_and(|events| events.log_records > 0 && events.list.is_empty()) {
            return Err(Fault::LogRecords);
        }
        if self.header.is_none() && self.events.is_none() && !self.has("executionArn") {
            return self.definition_alone(cursor, document, whole);
        }
        let others = std::mem::take(&mut self.others);
        let mut unknown = Vec::new();
        if self.header.is_none() && others.iter().any(|(key, _)| key == "executionArn") {
            self.header = Some(header(others, document));
        } else {
            unknown = kept(others, document).collect();
        }
        let definition = self.definition.and_then(|value| definition(value, cursor, document));
        let part = self.events.map_or_else(Part::default, |events| Part::page(events, self.more));
        Ok(Part { header: self.header, definition, unknown, ..part })
    }

    fn definition_alone(self, cursor: &Cursor<'_>, document: Document<'_>, whole: Value) -> Result<Part, Fault> {
        let found = if self.has("StartAt") && self.has("States") {
            Some(DefinitionPart { arn: None, name: None, text: document.raw(whole) })
        } else {
            self.definition.and_then(|value| definition(value, cursor, document)).map(|found| self.about(found, cursor))
        };
        match found {
            Some(definition) => Ok(Part { definition: Some(definition), ..Part::default() }),
            None => Err(Fault::Other { found: self.described() }),
        }
    }

    /// Which state machine the members beside the definition name.
    fn about(&self, mut found: DefinitionPart, cursor: &Cursor<'_>) -> DefinitionPart {
        for (key, value) in &self.others {
            match key.as_str() {
                "stateMachineArn" => found.arn = unescaped(cursor.source(*value)).parse().ok().or(found.arn),
                "name" if value.kind == Kind::String => found.name = Some(unescaped(cursor.source(*value)).into_owned()),
                _ => {}
            }
        }
        found
    }

    fn described(&self) -> String {
        let names: Vec<String> = self.others.iter().take(4).map(|(key, _)| format!("`{}`", shortened(key))).collect();
        match names.as_slice() {
            [] => "an object without members".to_owned(),
            names => format!("an object with the members {}{}", names.join(", "), if self.others.len() > 4 { ", …" } else { "" }),
        }
    }
}

/// The beginning of a name, for messages.
fn shortened(name: &str) -> String {
    if name.chars().count() <= 40 { name.to_owned() } else { name.chars().take(40).chain(['…']).collect() }
}

fn kept(members: Vec<(String, Value)>, document: Document<'_>) -> impl Iterator<Item = (String, RawText)> {
    members.into_iter().filter(|(_, value)| value.kind != Kind::Null).map(move |(key, value)| (key, document.json(value)))
}

/// A definition as an object, as JSON in a string, or inside what describe-state-machine prints.
fn definition(value: Value, cursor: &Cursor<'_>, document: Document<'_>) -> Option<DefinitionPart> {
    if value.kind == Kind::String {
        return (value.start < value.end).then(|| DefinitionPart { arn: None, name: None, text: document.raw(value) });
    }
    let mut inside = cursor.at(value.start);
    inside.enter(b'{').ok()?;
    let mut members = ObjectMembers::default();
    let mut first = true;
    while let Ok(Some(key)) = inside.key(&mut first) {
        let value = inside.value().ok()?;
        match (&*key, value.kind) {
            ("definition", Kind::String | Kind::Object) => members.definition = Some(value),
            _ => members.others.push((key.into_owned(), value)),
        }
    }
    match members.definition {
        Some(inner) if !members.has("States") => {
            let text = document.raw(inner);
            Some(members.about(DefinitionPart { arn: None, name: None, text }, cursor))
        }
        _ => Some(DefinitionPart { arn: None, name: None, text: document.raw(value) }),
    }
}

/// What describe-execution says.
fn header(members: Vec<(String, Value)>, document: Document<'_>) -> ExecutionHeader {
    let mut header = ExecutionHeader::default();
    for (key, value) in members {
        if value.kind == Kind::Null || take_header_member(&mut header, &key, value, document) {
            continue;
        }
        header.unknown.push((key, document.json(value)));
    }
    header
}

/// Whether the member has a place in the header and a readable value.
fn take_header_member(header: &mut ExecutionHeader, key: &str, value: Value, document: Document<'_>) -> bool {
    let text = document.raw(value);
    let word = || (value.kind == Kind::String).then(|| text.decode().into_owned());
    match key {
        "executionArn" => put(&mut header.arn, word().and_then(|text| text.parse().ok())),
        "stateMachineArn" => put(&mut header.state_machine_arn, word().and_then(|text| text.parse().ok())),
        "name" => put(&mut header.name, word()),
        "status" => put(&mut header.status, word().and_then(|text| ExecutionStatus::from_name(&text))),
        "startDate" => put(&mut header.start, document.timestamp(value)),
        "stopDate" => put(&mut header.stop, document.timestamp(value)),
        "mapRunArn" => put(&mut header.map_run_arn, word()),
        "stateMachineVersionArn" => put(&mut header.state_machine_version_arn, word()),
        "stateMachineAliasArn" => put(&mut header.state_machine_alias_arn, word()),
        "redriveCount" => put(&mut header.redrive_count, document.unsigned(value)),
        "input" => put(&mut header.input, Some(text)),
        "output" => put(&mut header.output, Some(text)),
        "error" => put(&mut header.error, Some(text)),
        "cause" => put(&mut header.cause, Some(text)),
        _ => false,
    }
}

fn put<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    *slot = value;
    slot.is_some()
}

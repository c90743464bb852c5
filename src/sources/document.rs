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
//! | a record of CloudWatch Logs, bare or as the message of a log event          | its text                 |
//! | `{"events": [log event, …]}`, `{"logEvents": […]}`, `[record, …]`           | each of their messages   |
//! | `{"results": [[{"field": …, "value": …}, …], …]}`, rows of Logs Insights    | each row, as a record    |
//! | the name of an execution with neither events nor what a description says of it | an error         |

use crate::model::{ExecutionHeader, ExecutionStatus, HistoryEvent, RawText, StateMachineArn};

use super::assemble::Page;
use super::event::{self, Document, Element};
use super::json::{Cursor, JsonError, Kind, Value, unescaped};
use super::log_records::row::{self, Field};

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

/// What a document holds.
#[allow(clippy::large_enum_variant, reason = "handed on at once, never kept in a list")]
pub(super) enum Found {
    Part(Part),
    /// The message of a log event.
    Message {
        text: RawText,
        /// Others may stand in the same document.
        is_in_list: bool,
    },
}

/// Why a document, or a part of one, holds no history.
#[derive(Debug)]
pub(super) enum Fault {
    /// Something else.
    Other { found: String },
    /// Elements of a list of events that are none; they were left out.
    NotEvents { first: usize, found: &'static str, count: usize },
}

/// Takes what a document holds.
pub(super) type Out<'o> = &'o mut dyn FnMut(Result<Found, Fault>);

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
    /// A record of CloudWatch Logs.
    Record,
    /// A log event, with its message.
    LogEvent,
    /// A row of Logs Insights, one member a field.
    Row,
    Other,
}

fn class_of(cursor: &Cursor<'_>) -> Class {
    let mut cursor = cursor.clone();
    let (mut first, mut has_event_type) = (true, false);
    let (mut has_message, mut has_timestamp, mut has_log_member) = (false, false, false);
    if cursor.enter(b'{').is_err() {
        return Class::Other;
    }
    while let Ok(Some(key)) = cursor.key(&mut first) {
        match &*key {
            "events" | "history" | "execution" | "describe" | "definition" | "executionArn" => return Class::Other,
            "previousEventId" => return Class::Event,
            "previous_event_id" | "redrive_count" => return Class::Record,
            "details" if has_event_type => return Class::Record,
            "logStreamName" | "ingestionTime" => return Class::LogEvent,
            "@message" | "@timestamp" | "@ptr" | "@logStream" => return Class::Row,
            key if key.starts_with("details.") => return Class::Row,
            key if key.ends_with("EventDetails") => return Class::Event,
            key => match cursor.value() {
                Ok(value) => match key {
                    "type" => has_event_type |= is_event_type(cursor.source(value)),
                    "message" => has_message = true,
                    "timestamp" => has_timestamp = true,
                    "execution_arn" | "event_timestamp" => has_log_member = true,
                    _ => {}
                },
                Err(_) => return Class::Other,
            },
        }
    }
    match (has_event_type, has_log_member) {
        (_, true) => Class::Record,
        (true, _) => Class::Event,
        (false, _) if has_message && has_timestamp => Class::LogEvent,
        _ => Class::Other,
    }
}

fn is_event_type(name: &str) -> bool {
    crate::model::EventType::from_name(name) != crate::model::EventType::Unknown
}

fn array(cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<(), JsonError> {
    let start = cursor.position();
    let mut inside = cursor.clone();
    inside.enter(b'[')?;
    match inside.peek() {
        Some(b'{') if !matches!(class_of(&inside), Class::Other | Class::Row) => return events_alone(cursor, document, out),
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
        let mut take = |part: Result<Found, Fault>| match part {
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
    if events.messages == 0 || !events.list.is_empty() {
        out(Ok(Found::Part(Part::page(events, false))));
    }
    Ok(())
}

#[derive(Default)]
struct Events {
    list: Vec<HistoryEvent>,
    without_ids: usize,
    messages: usize,
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
            Element::LogMessage(text) => {
                events.messages += 1;
                out(Ok(Found::Message { text, is_in_list: true }));
            }
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
        Class::Record => {
            let record = cursor.value()?;
            out(Ok(Found::Message { text: document.raw(record), is_in_list: false }));
            return Ok(());
        }
        Class::LogEvent => return log_event(cursor, document, out),
        Class::Row => {
            let fields = fields_of_object(cursor, document)?;
            out(message_of_row(fields));
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
    if !members.is_of_logs() {
        out(members.finish(cursor, document, whole).map(Found::Part));
    }
    Ok(())
}

/// An object that has its message among its members.
fn log_event(cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<(), JsonError> {
    out(match event::read(cursor, document)? {
        Element::LogMessage(text) => Ok(Found::Message { text, is_in_list: false }),
        _ => Err(Fault::Other { found: "a log event without a message".to_owned() }),
    });
    Ok(())
}

/// The members of an object, as fields of a row.
fn fields_of_object(cursor: &mut Cursor<'_>, document: Document<'_>) -> Result<Vec<Field>, JsonError> {
    let mut fields = Vec::new();
    let mut first = true;
    cursor.enter(b'{')?;
    while let Some(key) = cursor.key(&mut first)? {
        let value = cursor.value()?;
        fields.push((key.into_owned(), document.raw(value)));
    }
    Ok(fields)
}

/// Rows of Logs Insights: lists of `{"field": …, "value": …}`. How many there are.
fn rows(cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<usize, JsonError> {
    let (mut first, mut count) = (true, 0);
    cursor.enter(b'[')?;
    while cursor.element(&mut first)? {
        let mut fields = Vec::new();
        if cursor.peek() == Some(b'[') {
            let mut first_field = true;
            cursor.enter(b'[')?;
            while cursor.element(&mut first_field)? {
                if cursor.peek() == Some(b'{') {
                    fields.extend(field(fields_of_object(cursor, document)?));
                } else {
                    cursor.value()?;
                }
            }
        } else {
            cursor.value()?;
        }
        if !fields.is_empty() {
            count += 1;
            out(message_of_row(fields));
        }
    }
    Ok(count)
}

fn field(members: Vec<Field>) -> Option<Field> {
    let (mut name, mut content) = (None, None);
    for (key, value) in members {
        match key.as_str() {
            "field" => name = Some(value.decode().into_owned()),
            "value" => content = Some(value),
            _ => {}
        }
    }
    name.zip(content)
}

fn message_of_row(fields: Vec<Field>) -> Result<Found, Fault> {
    let found = || "a row of Logs Insights without @message, or else without execution_arn, id and type".to_owned();
    match row::message(fields) {
        Some(text) => Ok(Found::Message { text, is_in_list: true }),
        None => Err(Fault::Other { found: found() }),
    }
}

fn single_event(cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<(), JsonError> {
    let part = match event::read(cursor, document)? {
        Element::Event { event, has_id } => {
            let mut events = Events::default();
            events.add(event, has_id);
            Ok(Found::Part(Part { is_single_event: true, ..Part::page(events, false) }))
        }
        Element::LogMessage(text) => Ok(Found::Message { text, is_in_list: false }),
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
    /// Rows of Logs Insights that were handed on.
    rows: usize,
}

impl ObjectMembers {
    fn take(&mut self, key: &str, cursor: &mut Cursor<'_>, document: Document<'_>, out: Out<'_>) -> Result<(), JsonError> {
        match (key, cursor.peek()) {
            ("events" | "history" | "logEvents", Some(b'[')) => self.add(events(cursor, document, out)?),
            ("results", Some(b'[')) if holds_lists(cursor) => self.rows += rows(cursor, document, out)?,
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
                known.messages += events.messages;
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

    /// Whether it is an answer of CloudWatch Logs, whose messages were handed on: often there is none on a page.
    fn is_of_logs(&self) -> bool {
        let has_history =
            self.header.is_some() || self.definition.is_some() || self.events.as_ref().is_some_and(|events| !events.list.is_empty());
        let has_messages = self.rows > 0 || self.events.as_ref().is_some_and(|events| events.messages > 0);
        let is_page = self.events.is_some() && ["searchedLogStreams", "nextForwardToken", "messageType"].iter().any(|name| self.has(name));
        let is_answer = self.events.is_none() && self.has("results") && self.has("statistics");
        !has_history && (has_messages || is_page || is_answer)
    }

    fn has(&self, name: &str) -> bool {
        self.others.iter().any(|(key, _)| key == name)
    }

    fn finish(mut self, cursor: &Cursor<'_>, document: Document<'_>, whole: Value) -> Result<Part, Fault> {
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
        if self.events.is_none() && self.header.as_ref().is_some_and(|header| !says_something(header)) {
            return Err(Fault::Other { found: "an object that names an execution and says nothing of it".to_owned() });
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

/// Whether the array at the cursor is one of lists.
fn holds_lists(cursor: &Cursor<'_>) -> bool {
    let mut inside = cursor.clone();
    inside.enter(b'[').is_ok() && inside.peek() == Some(b'[')
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

/// Whether a description says more than which execution it is of.
fn says_something(header: &ExecutionHeader) -> bool {
    header.status.is_some()
        || header.start.is_some()
        || header.stop.is_some()
        || header.input.is_some()
        || header.output.is_some()
        || header.error.is_some()
        || header.cause.is_some()
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

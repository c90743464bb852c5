//! One element of `events` to a [`HistoryEvent`], its payloads left where they stand.

use std::sync::Arc;

use crate::model::event::{
    AssignedVariables, Details, Evaluation, EventId, ExecutionStarted, Failure, HistoryEvent, Output, Payload, Scheduled, Started,
    StateEntered, StateExited, UnknownParts,
};
use crate::model::event_type::Shape;
use crate::model::text::Form;
use crate::model::{EventType, RawText, Timestamp, time};

use super::json::{Cursor, JsonError, Kind, Value};

/// The document that is read; texts are ranges of it.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    text: &'a Arc<String>,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: &'a Arc<String>) -> Self {
        Self { text }
    }

    /// The value as it stands, whatever it is.
    pub(super) fn raw(self, value: Value) -> RawText {
        let form = if value.kind == Kind::String { Form::Escaped } else { Form::Json };
        RawText::slice(self.text, value.start..value.end, form).unwrap_or_else(|| RawText::plain(""))
    }

    /// The value as JSON text, a string with its quotes.
    pub(super) fn json(self, value: Value) -> RawText {
        let quotes = usize::from(value.kind == Kind::String);
        RawText::slice(self.text, value.start - quotes..value.end + quotes, Form::Json).unwrap_or_else(|| RawText::plain(""))
    }

    /// A text, or a JSON value in the place of one; `None` for null.
    pub(super) fn text(self, value: Value) -> Option<RawText> {
        (value.kind != Kind::Null).then(|| self.raw(value))
    }

    fn source(self, value: Value) -> &'a str {
        self.text.get(value.start..value.end).unwrap_or_default()
    }

    /// A number, also in quotes as log records and some engines write it.
    pub(super) fn unsigned(self, value: Value) -> Option<u64> {
        let source = self.source(value);
        match value.kind {
            Kind::Number | Kind::String => small_number(source).or_else(|| source.parse().ok()).or_else(|| whole_number(source)),
            _ => None,
        }
    }

    /// ISO 8601 or epoch seconds, in quotes or not; epoch milliseconds are told by their size.
    pub(super) fn timestamp(self, value: Value) -> Option<Timestamp> {
        let source = self.source(value);
        match value.kind {
            Kind::String => iso_of_cli(source).or_else(|| iso(source)).or_else(|| time::parse(source)).or_else(|| epoch(source)),
            Kind::Number => epoch(source),
            _ => None,
        }
    }

    fn is_true(self, value: Value) -> bool {
        // Logs Insights writes 1.
        value.kind == Kind::True || (value.kind == Kind::String && matches!(self.source(value), "true" | "1"))
    }
}

/// Digits and nothing else, as event numbers are, and not so many that they could overflow.
fn small_number(source: &str) -> Option<u64> {
    if source.is_empty() || source.len() > 18 {
        return None;
    }
    let (number, are_digits) = source.bytes().fold((0, true), |(number, are_digits), byte| {
        let digit = byte.wrapping_sub(b'0');
        (number * 10 + u64::from(digit), are_digits && digit < 10)
    });
    are_digits.then_some(number)
}

/// `7.0` and `7e0`, as tools without integers write them.
fn whole_number(source: &str) -> Option<u64> {
    let number = source.parse::<f64>().ok()?;
    // Up to here every whole number has a double of its own.
    let exact = (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded on the line above")]
    exact.then_some(number as u64)
}

/// The first second that no date-time has: larger figures are milliseconds.
const FAR_FUTURE: f64 = 253_402_300_800.0;

fn epoch(source: &str) -> Option<Timestamp> {
    let seconds = source.parse::<f64>().ok()?;
    time::from_epoch_seconds(if seconds >= FAR_FUTURE { seconds / 1000.0 } else { seconds })
}

/// The one form of ISO 8601 that the AWS CLI writes, `2026-01-01T00:00:00.100000+00:00`, without a loop: each event has one.
fn iso_of_cli(source: &str) -> Option<Timestamp> {
    let bytes: &[u8; 32] = source.as_bytes().try_into().ok()?;
    let mut are_digits = true;
    let mut digit = |at: usize| {
        let digit = bytes[at].wrapping_sub(b'0');
        are_digits &= digit < 10;
        i64::from(digit)
    };
    let mut two = |at: usize| digit(at) * 10 + digit(at + 1);
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    let (hour, minute, second) = (two(11), two(14), two(17));
    let microseconds = (two(20) * 100 + two(22)) * 100 + two(24);
    let separators = [bytes[4], bytes[7], bytes[10], bytes[13], bytes[16], bytes[19]];
    if !are_digits || separators != *b"--T::." || bytes[26..] != *b"+00:00" {
        return None;
    }
    let seconds = seconds_from_epoch((year, month, day), (hour, minute, second))?;
    Timestamp::new(seconds, i32::try_from(microseconds * 1_000).ok()?).ok()
}

/// Other forms of ISO 8601 in UTC, still several times faster than the general way.
fn iso(source: &str) -> Option<Timestamp> {
    let bytes = source.as_bytes();
    let (date_time, rest) = bytes.split_first_chunk::<19>()?;
    let number = |range: std::ops::Range<usize>| digits(&date_time[range]);
    let separators = [date_time[4], date_time[7], date_time[10], date_time[13], date_time[16]];
    if separators != *b"--T::" {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let (nanoseconds, zone) = fraction(rest)?;
    if !matches!(zone, b"Z" | b"+00:00") {
        return None;
    }
    let seconds = seconds_from_epoch((year, month, day), (hour, minute, second))?;
    Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
}

/// Seconds since 1970 in UTC. Everything unusual, such as a leap second, is left to the general way.
fn seconds_from_epoch((year, month, day): (i64, i64, i64), (hour, minute, second): (i64, i64, i64)) -> Option<i64> {
    let is_day = (1..=12).contains(&month) && day >= 1 && (day <= 28 || day <= days_of(year, month));
    let is_time = hour <= 23 && minute <= 59 && second <= 59;
    (is_day && is_time).then(|| days_from_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// The nanoseconds of `.100000`, and what follows.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(after) = rest.strip_prefix(b".") else { return Some((0, rest)) };
    let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let scale = 10_i64.pow(u32::try_from(9_usize.checked_sub(length)?).ok()?);
    (length > 0).then_some(())?;
    Some((digits(&after[..length])? * scale, &after[length..]))
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// What an element of `events` turned out to be.
pub(super) enum Element {
    /// An event; `has_id` is false when its number has still to be given.
    Event { event: HistoryEvent, has_id: bool },
    /// A record of CloudWatch Logs, bare or in the wrapping of FilterLogEvents: the text of its message.
    LogMessage(RawText),
    /// An object without anything that events have.
    Other,
}

/// Reads the object at the cursor.
pub(super) fn read(cursor: &mut Cursor<'_>, document: Document<'_>) -> Result<Element, JsonError> {
    let mut members = EventMembers::default();
    cursor.peek();
    let start = cursor.position();
    cursor.enter(b'{')?;
    let mut first = true;
    while let Some(key) = cursor.key(&mut first)? {
        members.take(&key, cursor, document)?;
    }
    let whole = Value { kind: Kind::Object, start, end: cursor.position() };
    members.finish(cursor, document, whole)
}

#[derive(Default)]
struct EventMembers {
    id: Option<u64>,
    previous: Option<u64>,
    timestamp: Option<Timestamp>,
    kind: Option<EventType>,
    /// A member that only records of CloudWatch Logs have.
    has_log_member: bool,
    message: Option<Value>,
    /// A link, or details under a name that ends as those of events do.
    has_event_member: bool,
    details: Details,
    /// Details that came before the type, and whatever belongs to no type known.
    waiting: Vec<(String, Value)>,
    unknown: UnknownParts,
}

impl EventMembers {
    fn take(&mut self, key: &str, cursor: &mut Cursor<'_>, document: Document<'_>) -> Result<(), JsonError> {
        match key {
            "timestamp" => self.timestamp = document.timestamp(cursor.value()?),
            "type" => {
                let value = cursor.value()?;
                let name = super::json::unescaped(cursor.source(value));
                let kind = EventType::from_name(&name);
                if kind == EventType::Unknown {
                    self.unknown.kind = Some(name.into_owned());
                }
                self.kind = Some(kind);
            }
            "id" => self.id = document.unsigned(cursor.value()?),
            "previousEventId" => {
                self.previous = document.unsigned(cursor.value()?);
                self.has_event_member = true;
            }
            _ => match self.kind {
                Some(kind) if kind.details_member() == key => {
                    self.details = details(kind.shape(), cursor, document, &mut self.unknown)?;
                }
                _ => {
                    self.has_log_member |= matches!(key, "event_timestamp" | "execution_arn");
                    self.has_event_member |= key.ends_with("EventDetails");
                    let value = cursor.value()?;
                    if key == "message" {
                        self.message = Some(value);
                    }
                    self.waiting.push((key.to_owned(), value));
                }
            },
        }
        Ok(())
    }

    fn finish(mut self, cursor: &Cursor<'_>, document: Document<'_>, whole: Value) -> Result<Element, JsonError> {
        if self.has_log_member {
            return Ok(Element::LogMessage(document.raw(whole)));
        }
        if let Some(message) = self.message.filter(|_| self.kind.is_none() && !self.has_event_member) {
            return Ok(Element::LogMessage(document.raw(message)));
        }
        for (key, value) in std::mem::take(&mut self.waiting) {
            let kind = self.kind.unwrap_or(EventType::Unknown);
            if kind != EventType::Unknown && kind.details_member() == key {
                let mut inside = cursor.at(value.start);
                self.details = details(kind.shape(), &mut inside, document, &mut self.unknown)?;
            } else if value.kind != Kind::Null {
                self.unknown.members.push((key, document.json(value)));
            }
        }
        match self.kind {
            Some(EventType::Unknown) if self.has_event_member || self.timestamp.is_some() => {}
            None if self.has_event_member => {}
            None | Some(EventType::Unknown) => return Ok(Element::Other),
            Some(_) => {}
        }
        let parts = self.unknown;
        let has_unknown = parts.kind.is_some() || !parts.members.is_empty() || !parts.details.is_empty();
        let event = HistoryEvent {
            id: EventId(self.id.unwrap_or_default()),
            previous_event_id: self.previous.filter(|previous| *previous != 0).map(EventId),
            timestamp: self.timestamp,
            kind: self.kind.unwrap_or(EventType::Unknown),
            details: self.details,
            unknown: has_unknown.then(|| Box::new(parts)),
        };
        Ok(Element::Event { event, has_id: self.id.is_some() })
    }
}

/// Every member that details of any shape may have.
#[derive(Default)]
struct Members {
    name: Option<Value>,
    index: Option<Value>,
    length: Option<Value>,
    map_run_arn: Option<Value>,
    redrive_count: Option<Value>,
    input: Option<Value>,
    output: Option<Value>,
    cut: bool,
    resource_type: Option<Value>,
    resource: Option<Value>,
    region: Option<Value>,
    timeout: Option<Value>,
    heartbeat: Option<Value>,
    role_arn: Option<Value>,
    alias_arn: Option<Value>,
    version_arn: Option<Value>,
    worker_name: Option<Value>,
    state: Option<Value>,
    location: Option<Value>,
    error: Option<Value>,
    cause: Option<Value>,
    variables: Option<Box<AssignedVariables>>,
    variables_cut: bool,
}

/// Reads the details at the cursor as `shape` has them; other members go to `unknown`.
pub(super) fn details(
    shape: Shape,
    cursor: &mut Cursor<'_>,
    document: Document<'_>,
    unknown: &mut UnknownParts,
) -> Result<Details, JsonError> {
    if cursor.peek() != Some(b'{') {
        let value = cursor.value()?;
        if value.kind != Kind::Null {
            unknown.details.push((String::new(), document.json(value)));
        }
        return Ok(Details::None);
    }
    let mut members = Members::default();
    cursor.enter(b'{')?;
    let mut first = true;
    while let Some(key) = cursor.key(&mut first)? {
        members.take(shape, &key, cursor, document, unknown)?;
    }
    Ok(members.into_details(shape, document))
}

impl Members {
    fn take(
        &mut self,
        shape: Shape,
        key: &str,
        cursor: &mut Cursor<'_>,
        document: Document<'_>,
        unknown: &mut UnknownParts,
    ) -> Result<(), JsonError> {
        match (key, shape) {
            ("inputDetails" | "outputDetails", _) => self.cut |= truncated(cursor, document)?,
            ("assignedVariablesDetails", Shape::StateExited) => self.variables_cut = truncated(cursor, document)?,
            ("assignedVariables", Shape::StateExited) => self.variables = variables(cursor, document)?,
            ("taskCredentials", Shape::Scheduled) => self.role_arn = role_of(cursor)?,
            _ => {
                let value = cursor.value()?;
                match self.slot(key, shape) {
                    Some(slot) => *slot = Some(value),
                    None if value.kind == Kind::Null => {}
                    None => unknown.details.push((key.to_owned(), document.json(value))),
                }
            }
        }
        Ok(())
    }

    fn slot(&mut self, key: &str, shape: Shape) -> Option<&mut Option<Value>> {
        use Shape::{
            Evaluation, ExecutionStarted, Failure, Iteration, MapRunStarted, MapStarted, Output, Redriven, Scheduled, Started,
            StateEntered, StateExited,
        };
        Some(match (key, shape) {
            ("name", StateEntered | StateExited | Iteration) => &mut self.name,
            ("index", Iteration) => &mut self.index,
            ("length", MapStarted) => &mut self.length,
            ("input", StateEntered | ExecutionStarted | Scheduled) | ("parameters", Scheduled) => &mut self.input,
            ("output", StateExited | Output) => &mut self.output,
            ("resource", Scheduled | Started | Output | Failure) => &mut self.resource,
            ("resourceType", Scheduled | Started | Output | Failure) => &mut self.resource_type,
            ("region", Scheduled) => &mut self.region,
            ("timeoutInSeconds", Scheduled) => &mut self.timeout,
            ("heartbeatInSeconds", Scheduled) => &mut self.heartbeat,
            ("error", Failure | Evaluation) => &mut self.error,
            ("cause", Failure | Evaluation) => &mut self.cause,
            ("state", Evaluation) => &mut self.state,
            ("location", Evaluation) => &mut self.location,
            ("workerName", Started) => &mut self.worker_name,
            ("roleArn", ExecutionStarted) => &mut self.role_arn,
            ("stateMachineAliasArn", ExecutionStarted) => &mut self.alias_arn,
            ("stateMachineVersionArn", ExecutionStarted) => &mut self.version_arn,
            ("mapRunArn", MapRunStarted | Redriven) => &mut self.map_run_arn,
            ("redriveCount", Redriven) => &mut self.redrive_count,
            _ => return None,
        })
    }

    fn into_details(self, shape: Shape, document: Document<'_>) -> Details {
        let text = |value: Option<Value>| value.and_then(|value| document.text(value));
        let number = |value: Option<Value>| value.and_then(|value| document.unsigned(value));
        let payload = |value: Option<Value>| text(value).map(|text| Payload { text, truncated: self.cut });
        match shape {
            Shape::None => Details::None,
            Shape::ExecutionStarted => Details::ExecutionStarted(Box::new(ExecutionStarted {
                input: payload(self.input),
                role_arn: text(self.role_arn),
                state_machine_alias_arn: text(self.alias_arn),
                state_machine_version_arn: text(self.version_arn),
            })),
            Shape::Failure => Details::Failure(Box::new(Failure {
                resource_type: text(self.resource_type),
                resource: text(self.resource),
                error: text(self.error),
                cause: text(self.cause),
            })),
            Shape::Output => Details::Output(Box::new(Output {
                resource_type: text(self.resource_type),
                resource: text(self.resource),
                output: payload(self.output),
            })),
            Shape::StateEntered => Details::StateEntered(StateEntered { name: text(self.name), input: payload(self.input) }),
            Shape::StateExited => Details::StateExited(StateExited {
                name: text(self.name),
                output: payload(self.output),
                assigned_variables: self.variables.map(|mut variables| {
                    variables.truncated = self.variables_cut;
                    variables
                }),
            }),
            Shape::Scheduled => Details::Scheduled(Box::new(Scheduled {
                resource_type: text(self.resource_type),
                resource: text(self.resource),
                region: text(self.region),
                input: payload(self.input),
                timeout_in_seconds: number(self.timeout),
                heartbeat_in_seconds: number(self.heartbeat),
                role_arn: text(self.role_arn),
            })),
            Shape::Started => Details::Started(Started {
                resource_type: text(self.resource_type),
                resource: text(self.resource),
                worker_name: text(self.worker_name),
            }),
            Shape::Evaluation => Details::Evaluation(Box::new(Evaluation {
                state: text(self.state),
                location: text(self.location),
                error: text(self.error),
                cause: text(self.cause),
            })),
            Shape::Iteration => Details::Iteration { name: text(self.name), index: number(self.index) },
            Shape::MapStarted => Details::MapStarted { length: number(self.length) },
            Shape::MapRunStarted => Details::MapRunStarted { map_run_arn: text(self.map_run_arn) },
            Shape::Redriven => Details::Redriven { redrive_count: number(self.redrive_count), map_run_arn: text(self.map_run_arn) },
        }
    }
}

/// Whether `{"truncated": true}` stands at the cursor.
fn truncated(cursor: &mut Cursor<'_>, document: Document<'_>) -> Result<bool, JsonError> {
    if cursor.peek() != Some(b'{') {
        cursor.value()?;
        return Ok(false);
    }
    cursor.enter(b'{')?;
    let (mut first, mut cut) = (true, false);
    while let Some(key) = cursor.key(&mut first)? {
        let value = cursor.value()?;
        cut |= key == "truncated" && document.is_true(value);
    }
    Ok(cut)
}

/// The role of `{"roleArn": …}`.
fn role_of(cursor: &mut Cursor<'_>) -> Result<Option<Value>, JsonError> {
    if cursor.peek() != Some(b'{') {
        cursor.value()?;
        return Ok(None);
    }
    cursor.enter(b'{')?;
    let (mut first, mut role) = (true, None);
    while let Some(key) = cursor.key(&mut first)? {
        let value = cursor.value()?;
        if key == "roleArn" {
            role = Some(value);
        }
    }
    Ok(role)
}

fn variables(cursor: &mut Cursor<'_>, document: Document<'_>) -> Result<Option<Box<AssignedVariables>>, JsonError> {
    if cursor.peek() != Some(b'{') {
        cursor.value()?;
        return Ok(None);
    }
    cursor.enter(b'{')?;
    let mut first = true;
    let mut found = AssignedVariables::default();
    while let Some(key) = cursor.key(&mut first)? {
        let value = cursor.value()?;
        found.values.push((key.into_owned(), document.raw(value)));
    }
    Ok(Some(Box::new(found)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(text: &str) -> Element {
        let text = Arc::new(text.to_owned());
        read(&mut Cursor::new(&text, 0, 512), Document::new(&text)).expect("JSON")
    }

    fn event(text: &str) -> HistoryEvent {
        match element(text) {
            Element::Event { event, .. } => event,
            _ => panic!("no event: {text}"),
        }
    }

    #[test]
    fn the_fast_way_to_a_time_agrees_with_the_general_one() {
        for text in [
            "2026-01-01T00:00:00.100000+00:00",
            "1970-01-01T00:00:00Z",
            "1969-12-31T23:59:59.5Z",
            "2000-02-29T12:34:56.123456789Z",
            "2024-03-01T00:00:00+00:00",
            "1900-03-01T00:00:00Z",
            "2100-02-28T23:59:59Z",
            "0001-01-01T00:00:00Z",
            "9999-12-30T21:00:00Z",
            "2026-12-31T23:59:59.999Z",
        ] {
            assert_eq!(iso(text), text.parse().ok(), "{text}");
            assert!(iso(text).is_some(), "{text}");
        }
        for text in ["2026-01-01T00:00:00.100000+00:00", "2000-02-29T23:59:59.999999+00:00", "0001-01-01T00:00:00.000001+00:00"] {
            assert_eq!(iso_of_cli(text), text.parse().ok(), "{text}");
            assert!(iso_of_cli(text).is_some(), "{text}");
        }
        for text in ["2026-02-29T00:00:00.100000+00:00", "2026-01-01T00:00:00.10000:+00:00", "2026-01-01T00:00:00.100000+01:00"] {
            assert_eq!(iso_of_cli(text), None, "{text}");
        }
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01",
            "timestamp",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_may_have_any_of_the_forms() {
        let read = |value: &str| event(&format!(r#"{{"type":"MapStateFailed","id":1,"timestamp":{value}}}"#)).timestamp;
        let wanted: Timestamp = "2026-01-01T00:00:00.1Z".parse().expect("a time");
        for value in ["1767225600.1", "\"1767225600.1\"", "\"2026-01-01T01:00:00.100000+01:00\"", "1767225600100", "\"1767225600100\""] {
            assert_eq!(read(value), Some(wanted), "{value}");
        }
        for value in ["\"timestamp\"", "null", "{}", "1e400", "[0]"] {
            assert_eq!(read(value), None, "{value}");
        }
    }

    #[test]
    fn members_come_in_any_order() {
        let usual = event(
            r#"{"timestamp":0,"type":"PassStateEntered","id":2,"previousEventId":0,"stateEnteredEventDetails":{"name":"A","input":"{}"}}"#,
        );
        let sorted = event(
            r#"{"id":2,"previousEventId":0,"stateEnteredEventDetails":{"input":"{}","name":"A"},"timestamp":0,"type":"PassStateEntered"}"#,
        );
        assert_eq!(usual, sorted);
        assert_eq!(usual.state_name().expect("named").decode(), "A");
        assert_eq!(usual.previous_event_id, None);
        assert_eq!(usual.unknown, None);
    }

    #[test]
    fn what_is_unknown_is_kept() {
        let event = event(r#"{"type":"TaskTeleported","id":3,"colour":"red","taskTeleportedEventDetails":{"to":[1]}}"#);
        assert_eq!(event.type_name(), "TaskTeleported");
        let parts = event.unknown.expect("kept");
        assert_eq!(parts.members[0].1.source(), "\"red\"");
        assert_eq!((parts.members[1].0.as_str(), parts.members[1].1.source()), ("taskTeleportedEventDetails", "{\"to\":[1]}"));
    }

    #[test]
    fn unknown_members_of_known_details_are_kept() {
        let event = event(r#"{"type":"TaskStarted","id":3,"taskStartedEventDetails":{"resource":"invoke","orbit":7}}"#);
        assert_eq!(event.unknown.expect("kept").details, [("orbit".to_owned(), RawText::json("7"))]);
    }

    #[test]
    fn every_member_of_every_type_finds_its_place() {
        let scheduled = event(
            r#"{"type":"TaskScheduled","id":3,"taskScheduledEventDetails":{"resourceType":"lambda","resource":"invoke","region":"eu-west-1",
            "parameters":"{\"a\":1}","timeoutInSeconds":60,"heartbeatInSeconds":"5","taskCredentials":{"roleArn":"arn:role"}}}"#,
        );
        assert_eq!(scheduled.unknown, None);
        let Details::Scheduled(details) = scheduled.details else { panic!("scheduled") };
        assert_eq!((details.timeout_in_seconds, details.heartbeat_in_seconds), (Some(60), Some(5)));
        assert_eq!(details.input.expect("parameters").text.decode(), "{\"a\":1}");
        assert_eq!(details.role_arn.expect("a role").decode(), "arn:role");
        let exited = event(
            r#"{"type":"PassStateExited","id":4,"stateExitedEventDetails":{"name":"A","output":"{","outputDetails":{"truncated":true},
            "assignedVariables":{"x":"300"},"assignedVariablesDetails":{"truncated":true}}}"#,
        );
        assert!(exited.output().expect("an output").truncated);
        let Details::StateExited(details) = exited.details else { panic!("exited") };
        let variables = details.assigned_variables.expect("variables");
        assert!(variables.truncated);
        assert_eq!(variables.values, [("x".to_owned(), RawText::plain("300"))]);
    }

    #[test]
    fn payloads_that_are_values_are_marked_as_such() {
        let event = event(r#"{"type":"PassStateEntered","id":2,"stateEnteredEventDetails":{"name":"A","input":{"a":[1]}}}"#);
        let input = &event.input().expect("an input").text;
        assert!(input.is_structured());
        assert_eq!(input.decode(), r#"{"a":[1]}"#);
    }

    #[test]
    fn ids_of_the_wrong_kind_are_no_ids() {
        for (value, wanted) in [
            ("5", Some(5)),
            ("\"5\"", Some(5)),
            ("5.0", Some(5)),
            ("-5", None),
            ("[0]", None),
            ("1e300", None),
            ("5.5", None),
            ("null", None),
        ] {
            let Element::Event { event, has_id } =
                element(&format!(r#"{{"type":"MapStateFailed","id":{value},"previousEventId":{value}}}"#))
            else {
                panic!("an event")
            };
            assert_eq!(has_id.then_some(event.id.0), wanted, "{value}");
            assert_eq!(event.previous_event_id, wanted.map(EventId), "{value}");
        }
    }

    #[test]
    fn log_records_and_other_objects_are_no_events() {
        let message = |text: &str| match element(text) {
            Element::LogMessage(message) => message.decode().into_owned(),
            _ => panic!("no message: {text}"),
        };
        assert_eq!(message(r#"{"message":"{\"id\":\"1\"}","timestamp":1,"logStreamName":"s"}"#), r#"{"id":"1"}"#);
        let record = r#"{"id":"1","type":"ExecutionStarted","details":{},"execution_arn":"arn"}"#;
        assert_eq!(message(record), record);
        assert!(matches!(element(r#"{"a":1}"#), Element::Other));
        assert!(matches!(element("{}"), Element::Other));
    }
}

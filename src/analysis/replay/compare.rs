//! Lays a produced event beside a recorded one.
//!
//! | compared by                | fields                                                                                  |
//! |----------------------------|-----------------------------------------------------------------------------------------|
//! | text                       | type, id, previousEventId, names, resources, errors, locations, numbers                 |
//! | value (`1` is `1.0`, order of members does not count) | input, output, parameters, cause, assignedVariables where they are JSON |
//! | not at all                 | timestamp, roleArn of the execution, alias and version ARNs, redriveCount, payloads that the source cut, details that the source left out |

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::expr::Value;
use crate::model::event::AssignedVariables;
use crate::model::{Details, EventType, HistoryEvent, Payload, RawText};

/// The most differences that are kept of one event; a payload may differ in every place.
const MOST: usize = 200;

/// One place in which two events differ; `None` where one of them has nothing there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// The member of the event or of its details.
    pub field: Cow<'static, str>,
    /// The place in a JSON payload, such as `$.order.items[2]`; `$` for the whole field.
    pub place: String,
    pub recorded: Option<Value>,
    pub produced: Option<Value>,
}

impl Difference {
    /// Whether the other one is at the same place.
    pub fn is_at(&self, other: &Self) -> bool {
        (&self.field, &self.place) == (&other.field, &other.place)
    }
}

/// What is compared beyond types and details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// Ids and links, too.
    Exact,
    /// Not ids and links, nor ids of events that a cause names: what differs when siblings ran in another order.
    Unordered,
}

/// The places in which `produced` differs from `recorded`; none when they agree.
pub(super) fn differences(recorded: &HistoryEvent, produced: &HistoryEvent, strictness: Strictness) -> Vec<Difference> {
    let mut found = Found { differences: Vec::new(), strictness };
    if recorded.type_name() != produced.type_name() {
        found.text("type", Some(recorded.type_name()), Some(produced.type_name()));
        return found.differences;
    }
    if strictness == Strictness::Exact {
        found.number("id", Some(recorded.id.0), Some(produced.id.0));
        let link = |event: &HistoryEvent| Some(event.previous_event_id.map_or(0, |id| id.0));
        found.number("previousEventId", link(recorded), link(produced));
    }
    // The error of a time limit is always the same, and some sources leave it out.
    let is_time_limit = recorded.kind == EventType::ExecutionTimedOut && recorded.error().is_none();
    if recorded.details != produced.details && !is_time_limit {
        found.details(&recorded.details, &produced.details);
    }
    found.differences
}

struct Found {
    differences: Vec<Difference>,
    strictness: Strictness,
}

impl Found {
    fn push(&mut self, field: impl Into<Cow<'static, str>>, place: &str, recorded: Option<Value>, produced: Option<Value>) {
        if self.differences.len() < MOST {
            self.differences.push(Difference { field: field.into(), place: place.to_owned(), recorded, produced });
        }
    }

    fn text(&mut self, field: &'static str, recorded: Option<&str>, produced: Option<&str>) {
        if recorded != produced {
            self.push(field, "$", recorded.map(Value::from), produced.map(Value::from));
        }
    }

    fn raw(&mut self, field: &'static str, recorded: Option<&RawText>, produced: Option<&RawText>) {
        if recorded != produced {
            self.text(field, recorded.map(RawText::decode).as_deref(), produced.map(RawText::decode).as_deref());
        }
    }

    fn number(&mut self, field: &'static str, recorded: Option<u64>, produced: Option<u64>) {
        if recorded != produced {
            let value = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
            self.push(field, "$", recorded.map(value), produced.map(value));
        }
    }

    /// Text that is JSON on both sides is compared as JSON.
    fn json(&mut self, field: impl Into<Cow<'static, str>>, recorded: Option<&RawText>, produced: Option<&RawText>) {
        let field = field.into();
        if recorded == produced {
            return;
        }
        let (Some(one), Some(other)) = (recorded, produced) else {
            let value = |text: &RawText| Value::from(&*text.decode());
            return self.push(field, "$", recorded.map(value), produced.map(value));
        };
        let (one, other) = (one.decode(), other.decode());
        match (Value::parse(&one), Value::parse(&other)) {
            (Ok(one), Ok(other)) => self.values(&field, "$", &one, &other),
            _ => self.push(field, "$", Some(Value::from(&*one)), Some(Value::from(&*other))),
        }
    }

    fn payload(&mut self, field: &'static str, recorded: Option<&Payload>, produced: Option<&Payload>) {
        if recorded.is_some_and(|payload| payload.truncated) {
            return;
        }
        self.json(field, recorded.map(|payload| &payload.text), produced.map(|payload| &payload.text));
    }

    fn cause(&mut self, recorded: Option<&RawText>, produced: Option<&RawText>) {
        if recorded == produced {
            return;
        }
        if self.strictness == Strictness::Unordered
            && let (Some(one), Some(other)) = (recorded, produced)
            && without_event_id(&one.decode()) == without_event_id(&other.decode())
        {
            return;
        }
        self.json("cause", recorded, produced);
    }

    /// The innermost places that differ. Values come from parsed text, whose depth is limited.
    fn values(&mut self, field: &str, place: &str, recorded: &Value, produced: &Value) {
        if recorded == produced || self.differences.len() >= MOST {
            return;
        }
        match (recorded, produced) {
            (Value::Object(one), Value::Object(other)) => {
                let names = one.iter().map(|(name, _)| name).chain(other.iter().map(|(name, _)| name).filter(|name| !one.contains(name)));
                for name in names {
                    let place = member(place, name);
                    match (one.get(name), other.get(name)) {
                        (Some(one), Some(other)) => self.values(field, &place, one, other),
                        (one, other) => self.push(field.to_owned(), &place, one.cloned(), other.cloned()),
                    }
                }
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                for (position, (one, other)) in one.iter().zip(other.iter()).enumerate() {
                    self.values(field, &format!("{place}[{position}]"), one, other);
                }
            }
            _ => self.push(field.to_owned(), place, Some(recorded.clone()), Some(produced.clone())),
        }
    }

    fn details(&mut self, recorded: &Details, produced: &Details) {
        match (recorded, produced) {
            // A source that leaves out details says nothing about them.
            (Details::None, _) => {}
            (Details::ExecutionStarted(one), Details::ExecutionStarted(other)) => {
                self.payload("input", one.input.as_ref(), other.input.as_ref());
            }
            (Details::Failure(one), Details::Failure(other)) => {
                self.raw("resourceType", one.resource_type.as_ref(), other.resource_type.as_ref());
                self.raw("resource", one.resource.as_ref(), other.resource.as_ref());
                self.raw("error", one.error.as_ref(), other.error.as_ref());
                self.cause(one.cause.as_ref(), other.cause.as_ref());
            }
            (Details::Output(one), Details::Output(other)) => {
                self.raw("resourceType", one.resource_type.as_ref(), other.resource_type.as_ref());
                self.raw("resource", one.resource.as_ref(), other.resource.as_ref());
                self.payload("output", one.output.as_ref(), other.output.as_ref());
            }
            (Details::StateEntered(one), Details::StateEntered(other)) => {
                self.raw("name", one.name.as_ref(), other.name.as_ref());
                self.payload("input", one.input.as_ref(), other.input.as_ref());
            }
            (Details::StateExited(one), Details::StateExited(other)) => {
                self.raw("name", one.name.as_ref(), other.name.as_ref());
                self.payload("output", one.output.as_ref(), other.output.as_ref());
                self.variables(one.assigned_variables.as_deref(), other.assigned_variables.as_deref());
            }
            (Details::Scheduled(one), Details::Scheduled(other)) => {
                self.raw("resourceType", one.resource_type.as_ref(), other.resource_type.as_ref());
                self.raw("resource", one.resource.as_ref(), other.resource.as_ref());
                self.raw("region", one.region.as_ref(), other.region.as_ref());
                self.payload("parameters", one.input.as_ref(), other.input.as_ref());
                self.number("timeoutInSeconds", one.timeout_in_seconds, other.timeout_in_seconds);
                self.number("heartbeatInSeconds", one.heartbeat_in_seconds, other.heartbeat_in_seconds);
                self.raw("taskCredentials", one.role_arn.as_ref(), other.role_arn.as_ref());
            }
            (Details::Started(one), Details::Started(other)) => {
                self.raw("resourceType", one.resource_type.as_ref(), other.resource_type.as_ref());
                self.raw("resource", one.resource.as_ref(), other.resource.as_ref());
                self.raw("workerName", one.worker_name.as_ref(), other.worker_name.as_ref());
            }
            (Details::Evaluation(one), Details::Evaluation(other)) => {
                self.raw("state", one.state.as_ref(), other.state.as_ref());
                self.raw("location", one.location.as_ref(), other.location.as_ref());
                self.raw("error", one.error.as_ref(), other.error.as_ref());
                self.cause(one.cause.as_ref(), other.cause.as_ref());
            }
            (Details::Iteration { name: one, index }, Details::Iteration { name: other, index: produced }) => {
                self.raw("name", one.as_ref(), other.as_ref());
                self.number("index", *index, *produced);
            }
            (Details::MapStarted { length: one }, Details::MapStarted { length: other }) => self.number("length", *one, *other),
            (Details::MapRunStarted { map_run_arn: one }, Details::MapRunStarted { map_run_arn: other })
            | (Details::Redriven { map_run_arn: one, .. }, Details::Redriven { map_run_arn: other, .. }) => {
                self.raw("mapRunArn", one.as_ref(), other.as_ref());
            }
            _ => self.text("details", Some("other details"), Some("details of another shape")),
        }
    }

    fn variables(&mut self, recorded: Option<&AssignedVariables>, produced: Option<&AssignedVariables>) {
        if recorded.is_some_and(|variables| variables.truncated) {
            return;
        }
        let values = |variables: Option<&AssignedVariables>| variables.map(|variables| variables.values.clone()).unwrap_or_default();
        let (one, other) = (values(recorded), values(produced));
        let find = |values: &[(String, RawText)], name: &str| values.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
        let new = other.iter().map(|(name, _)| name).filter(|name| find(&one, name).is_none());
        for name in one.iter().map(|(name, _)| name).chain(new) {
            self.json(format!("assignedVariables.{name}"), find(&one, name).as_ref(), find(&other, name).as_ref());
        }
    }
}

/// The place of a member: `$.name`, or `$['odd name']`.
fn member(place: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|character| character.is_alphanumeric() || character == '_');
    let mut path = place.to_owned();
    // Writing to a String cannot fail.
    let _ = if plain { write!(path, ".{name}") } else { write!(path, "['{name}']") };
    path
}

/// A cause without the number of the event that entered the state it names.
fn without_event_id(cause: &str) -> String {
    const MARK: &str = "(entered at the event id #";
    let Some((before, after)) = cause.split_once(MARK) else { return cause.to_owned() };
    format!("{before}{MARK}{}", after.trim_start_matches(|character: char| character.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::builder::history;

    fn places(recorded: &serde_json::Value, produced: &serde_json::Value) -> Vec<String> {
        let event = |input| history("Orders").enter_pass("One", input).build().events.remove(1);
        let found = differences(&event(recorded), &event(produced), Strictness::Exact);
        found.into_iter().map(|difference| format!("{} {}", difference.field, difference.place)).collect()
    }

    #[test]
    fn payloads_are_compared_as_values() {
        assert_eq!(places(&json!({"a": 1, "b": [2.0]}), &json!({"b": [2], "a": 1})), Vec::<String>::new());
        assert_eq!(places(&json!({"a": {"b": [1, 2]}}), &json!({"a": {"b": [1, 3]}})), ["input $.a.b[1]"]);
        assert_eq!(places(&json!({"a b": 1}), &json!({"c": 1})), ["input $['a b']", "input $.c"]);
        assert_eq!(places(&json!([1, 2]), &json!([1])), ["input $"]);
    }

    #[test]
    fn links_count_unless_the_order_of_siblings_does_not() {
        let one = history("Orders").enter_pass("One", json!({})).build().events.remove(1);
        let mut other = one.clone();
        other.previous_event_id = Some(crate::model::EventId(7));
        assert_eq!(differences(&one, &other, Strictness::Exact).len(), 1);
        assert_eq!(differences(&one, &other, Strictness::Unordered), []);
    }

    #[test]
    fn a_cause_names_another_event_when_siblings_ran_in_another_order() {
        let failed = |id: u64| {
            let cause = format!("An error occurred while executing the state 'One' (entered at the event id #{id}). Broken");
            history("Orders")
                .enter_pass("One", json!({}))
                .execution_failed_with("States.Runtime", &cause)
                .build()
                .events
                .pop()
                .expect("an end")
        };
        assert_eq!(differences(&failed(4), &failed(9), Strictness::Unordered), []);
        assert_eq!(differences(&failed(4), &failed(9), Strictness::Exact)[0].field, "cause");
    }

    #[test]
    fn an_event_of_another_type_is_compared_no_further() {
        let events = history("Orders").enter_pass("One", json!({})).exit(json!({})).build().events;
        let found = differences(&events[1], &events[2], Strictness::Exact);
        assert_eq!(found.len(), 1);
        assert_eq!((&*found[0].field, found[0].recorded.clone()), ("type", Some(Value::from("PassStateEntered"))));
    }

    #[test]
    fn what_the_source_cut_or_left_out_is_not_compared() {
        let mut one = history("Orders").enter_pass("One", json!({"a": 1})).build().events.remove(1);
        let other = history("Orders").enter_pass("One", json!({"a": 2})).build().events.remove(1);
        let Details::StateEntered(entered) = &mut one.details else { panic!("a StateEntered") };
        entered.input.as_mut().expect("an input").truncated = true;
        assert_eq!(differences(&one, &other, Strictness::Exact), []);
        one.details = Details::None;
        assert_eq!(differences(&one, &other, Strictness::Exact), []);
    }
}

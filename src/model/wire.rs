//! Histories in the shape in which the AWS CLI prints them: `get-execution-history` and `describe-execution`.
//!
//! Members stand in the order of the service model, payloads are strings, times are ISO 8601 in UTC, and what the program does
//! not know is written back as it was read. Everything goes straight to the serialiser, which must be one of `serde_json`:
//! parts of unknown shape are raw JSON.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

use super::event::{AssignedVariables, Details, Scheduled, StateExited, UnknownParts};
use super::event_type::Shape;
use super::text::on_one_line;
use super::{EventType, ExecutionStatus, History, HistoryEvent, Payload, RawText, Timestamp};

/// One event, as it stands in `events`.
#[derive(Debug, Clone, Copy)]
pub struct WireEvent<'a>(pub &'a HistoryEvent);

/// What `aws stepfunctions get-execution-history` prints: `{"events": [...]}`.
#[derive(Debug, Clone, Copy)]
pub struct WireHistory<'a>(pub &'a History);

/// Only the list of events.
#[derive(Debug, Clone, Copy)]
pub struct WireEvents<'a>(pub &'a [HistoryEvent]);

/// What `aws stepfunctions describe-execution` prints; members that the header does not hold are left out.
#[derive(Debug, Clone, Copy)]
pub struct WireExecution<'a>(pub &'a History);

/// A whole execution in one document: `{"execution": …, "events": […], "definition": …}`. Written without indentation it is one line,
/// so that many of them are JSON Lines.
#[derive(Debug, Clone, Copy)]
pub struct WireBundle<'a>(pub &'a History);

/// A moment as the AWS CLI prints it: six digits of fraction, or none for a whole second.
#[derive(Debug, Clone, Copy)]
pub struct WireTime(pub Timestamp);

impl fmt::Display for WireTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = if self.0.subsec_nanosecond() == 0 { "%Y-%m-%dT%H:%M:%S+00:00" } else { "%Y-%m-%dT%H:%M:%S.%6f+00:00" };
        self.0.strftime(format).fmt(f)
    }
}

impl Serialize for WireTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for WireHistory<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("events", &WireEvents(&self.0.events))?;
        map.end()
    }
}

impl Serialize for WireEvents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for event in self.0 {
            list.serialize_element(&WireEvent(event))?;
        }
        list.end()
    }
}

impl Serialize for WireBundle<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("execution", &WireExecution(self.0))?;
        map.serialize_entry("events", &WireEvents(&self.0.events))?;
        if let Some(definition) = &self.0.definition {
            map.serialize_entry("definition", &RawJson(definition))?;
        }
        map.end()
    }
}

impl Serialize for WireEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut map = serializer.serialize_map(None)?;
        if let Some(time) = event.timestamp {
            map.serialize_entry("timestamp", &WireTime(time))?;
        }
        map.serialize_entry("type", event.type_name())?;
        map.serialize_entry("id", &event.id)?;
        map.serialize_entry("previousEventId", &event.previous_event_id.map_or(0, |id| id.0))?;
        let member = event.kind.details_member();
        let unknown_details = event.unknown.as_ref().is_some_and(|parts| !parts.details.is_empty());
        let has_details = !matches!(event.details, Details::None) && event.kind.shape() != Shape::None;
        if !member.is_empty() && (has_details || unknown_details) {
            map.serialize_entry(member, &WireDetails(event))?;
        }
        write_unknown(&mut map, event.unknown.as_deref().map_or(&[], |parts: &UnknownParts| &parts.members))?;
        map.end()
    }
}

struct WireDetails<'a>(&'a HistoryEvent);

impl Serialize for WireDetails<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.0.details {
            Details::None => {}
            Details::ExecutionStarted(started) => {
                write_payload(&mut map, "input", "inputDetails", started.input.as_ref())?;
                write_some(&mut map, "roleArn", started.role_arn.as_ref())?;
                write_some(&mut map, "stateMachineAliasArn", started.state_machine_alias_arn.as_ref())?;
                write_some(&mut map, "stateMachineVersionArn", started.state_machine_version_arn.as_ref())?;
            }
            Details::Failure(failure) => {
                write_some(&mut map, "resourceType", failure.resource_type.as_ref())?;
                write_some(&mut map, "resource", failure.resource.as_ref())?;
                write_some(&mut map, "error", failure.error.as_ref())?;
                write_some(&mut map, "cause", failure.cause.as_ref())?;
            }
            Details::Output(output) => {
                write_some(&mut map, "resourceType", output.resource_type.as_ref())?;
                write_some(&mut map, "resource", output.resource.as_ref())?;
                write_payload(&mut map, "output", "outputDetails", output.output.as_ref())?;
            }
            Details::StateEntered(entered) => {
                write_some(&mut map, "name", entered.name.as_ref())?;
                write_payload(&mut map, "input", "inputDetails", entered.input.as_ref())?;
            }
            Details::StateExited(exited) => write_exited(&mut map, exited)?,
            Details::Scheduled(scheduled) => write_scheduled(&mut map, self.0.kind, scheduled)?,
            Details::Started(started) => {
                write_some(&mut map, "resourceType", started.resource_type.as_ref())?;
                write_some(&mut map, "resource", started.resource.as_ref())?;
                write_some(&mut map, "workerName", started.worker_name.as_ref())?;
            }
            Details::Evaluation(evaluation) => {
                write_some(&mut map, "error", evaluation.error.as_ref())?;
                write_some(&mut map, "cause", evaluation.cause.as_ref())?;
                write_some(&mut map, "location", evaluation.location.as_ref())?;
                write_some(&mut map, "state", evaluation.state.as_ref())?;
            }
            Details::Iteration { name, index } => {
                write_some(&mut map, "name", name.as_ref())?;
                write_some(&mut map, "index", index.as_ref())?;
            }
            Details::MapStarted { length } => write_some(&mut map, "length", length.as_ref())?,
            Details::MapRunStarted { map_run_arn } => write_some(&mut map, "mapRunArn", map_run_arn.as_ref())?,
            Details::Redriven { redrive_count, map_run_arn } => {
                write_some(&mut map, "mapRunArn", map_run_arn.as_ref())?;
                write_some(&mut map, "redriveCount", redrive_count.as_ref())?;
            }
        }
        write_unknown(&mut map, self.0.unknown.as_deref().map_or(&[], |parts: &UnknownParts| &parts.details))?;
        map.end()
    }
}

fn write_exited<M: SerializeMap>(map: &mut M, exited: &StateExited) -> Result<(), M::Error> {
    write_some(map, "name", exited.name.as_ref())?;
    write_payload(map, "output", "outputDetails", exited.output.as_ref())?;
    if let Some(assigned) = exited.assigned_variables.as_deref() {
        map.serialize_entry("assignedVariables", &WireVariables(assigned))?;
        map.serialize_entry("assignedVariablesDetails", &Truncated { truncated: assigned.truncated })?;
    }
    Ok(())
}

fn write_scheduled<M: SerializeMap>(map: &mut M, kind: EventType, scheduled: &Scheduled) -> Result<(), M::Error> {
    write_some(map, "resourceType", scheduled.resource_type.as_ref())?;
    write_some(map, "resource", scheduled.resource.as_ref())?;
    write_some(map, "region", scheduled.region.as_ref())?;
    if kind == EventType::TaskScheduled {
        write_some(map, "parameters", scheduled.input.as_ref().map(|payload| &payload.text))?;
    } else {
        write_payload(map, "input", "inputDetails", scheduled.input.as_ref())?;
    }
    write_some(map, "timeoutInSeconds", scheduled.timeout_in_seconds.as_ref())?;
    write_some(map, "heartbeatInSeconds", scheduled.heartbeat_in_seconds.as_ref())?;
    write_some(map, "taskCredentials", scheduled.role_arn.as_ref().map(|role_arn| Role { role_arn }).as_ref())
}

fn write_some<M: SerializeMap, T: Serialize>(map: &mut M, name: &'static str, value: Option<&T>) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(name, value),
        None => Ok(()),
    }
}

fn write_payload<M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    details: &'static str,
    payload: Option<&Payload>,
) -> Result<(), M::Error> {
    let Some(payload) = payload else { return Ok(()) };
    map.serialize_entry(name, &payload.text)?;
    map.serialize_entry(details, &Truncated { truncated: payload.truncated })
}

fn write_unknown<M: SerializeMap>(map: &mut M, members: &[(String, RawText)]) -> Result<(), M::Error> {
    for (name, value) in members {
        map.serialize_entry(name, &RawJson(value))?;
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct Truncated {
    truncated: bool,
}

#[derive(serde::Serialize)]
struct Included {
    included: bool,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Role<'a> {
    role_arn: &'a RawText,
}

struct WireVariables<'a>(&'a AssignedVariables);

impl Serialize for WireVariables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.values.iter().map(|(name, value)| (name, value)))
    }
}

/// JSON text written as the JSON that it is, but on one line; text that is no JSON becomes a string.
struct RawJson<'a>(&'a RawText);

impl Serialize for RawJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.decode();
        match serde_json::from_str::<&RawValue>(&text) {
            Ok(value) => match on_one_line(value.get()) {
                Cow::Borrowed(_) => value.serialize(serializer),
                Cow::Owned(line) => RawValue::from_string(line).map_err(S::Error::custom)?.serialize(serializer),
            },
            Err(_) => serializer.serialize_str(&text),
        }
    }
}

impl Serialize for WireExecution<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let header = &self.0.header;
        let mut map = serializer.serialize_map(None)?;
        write_some(&mut map, "executionArn", header.arn.as_ref())?;
        write_some(&mut map, "stateMachineArn", header.state_machine_arn.as_ref())?;
        write_some(&mut map, "name", header.name.as_ref())?;
        write_some(&mut map, "status", header.status.map(ExecutionStatus::name).as_ref())?;
        write_some(&mut map, "startDate", header.start.map(WireTime).as_ref())?;
        write_some(&mut map, "stopDate", header.stop.map(WireTime).as_ref())?;
        self.write_included(&mut map, "input", "inputDetails", header.input.as_ref())?;
        self.write_included(&mut map, "output", "outputDetails", header.output.as_ref())?;
        write_some(&mut map, "mapRunArn", header.map_run_arn.as_ref())?;
        write_some(&mut map, "error", header.error.as_ref())?;
        write_some(&mut map, "cause", header.cause.as_ref())?;
        write_some(&mut map, "stateMachineVersionArn", header.state_machine_version_arn.as_ref())?;
        write_some(&mut map, "stateMachineAliasArn", header.state_machine_alias_arn.as_ref())?;
        write_some(&mut map, "redriveCount", header.redrive_count.as_ref())?;
        write_unknown(&mut map, &header.unknown)?;
        map.end()
    }
}

impl WireExecution<'_> {
    /// A payload, and whether it is there, unless the header holds what the service said of that.
    fn write_included<M: SerializeMap>(
        self,
        map: &mut M,
        name: &'static str,
        details: &'static str,
        payload: Option<&RawText>,
    ) -> Result<(), M::Error> {
        let Some(payload) = payload else { return Ok(()) };
        map.serialize_entry(name, payload)?;
        if self.0.header.unknown.iter().any(|(member, _)| member == details) {
            return Ok(());
        }
        map.serialize_entry(details, &Included { included: true })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::builder::{history, milliseconds, seconds};
    use super::super::{EventId, event::Details};
    use super::*;

    fn line(event: &HistoryEvent) -> String {
        serde_json::to_string(&WireEvent(event)).expect("strings and numbers")
    }

    #[test]
    fn events_are_spelt_as_the_cli_prints_them() {
        let built = history("Orders").input(json!({"id": 7})).after(milliseconds(100)).enter_task("Charge", json!({"id": 7})).build();
        let lines: Vec<String> = built.events.iter().map(line).collect();
        assert_eq!(
            lines,
            [
                r#"{"timestamp":"2026-01-01T00:00:00+00:00","type":"ExecutionStarted","id":1,"previousEventId":0,"executionStartedEventDetails":{"input":"{\"id\":7}","inputDetails":{"truncated":false},"roleArn":"arn:aws:iam::111111111111:role/Orders"}}"#,
                r#"{"timestamp":"2026-01-01T00:00:00.100000+00:00","type":"TaskStateEntered","id":2,"previousEventId":0,"stateEnteredEventDetails":{"name":"Charge","input":"{\"id\":7}","inputDetails":{"truncated":false}}}"#,
            ]
        );
    }

    #[test]
    fn members_of_a_scheduled_event_follow_the_service_model() {
        let built = history("Orders")
            .enter_task("Charge", json!({}))
            .calls("lambda", "invoke.waitForTaskToken")
            .heartbeat(seconds(30))
            .timeout(seconds(60))
            .credentials("arn:aws:iam::111111111111:role/Other")
            .scheduled_with(json!({"FunctionName": "charge"}))
            .build();
        assert!(line(&built.events[2]).ends_with(
            r#""taskScheduledEventDetails":{"resourceType":"lambda","resource":"invoke.waitForTaskToken","region":"us-east-1","parameters":"{\"FunctionName\":\"charge\"}","timeoutInSeconds":60,"heartbeatInSeconds":30,"taskCredentials":{"roleArn":"arn:aws:iam::111111111111:role/Other"}}}"#
        ));
    }

    #[test]
    fn what_the_program_does_not_know_is_written_back() {
        let mut event = history("Orders").build().events.remove(0);
        event.kind = EventType::Unknown;
        event.details = Details::None;
        event.previous_event_id = Some(EventId(4));
        event.unknown = Some(Box::new(UnknownParts {
            kind: Some("TaskTeleported".to_owned()),
            members: vec![("taskTeleportedEventDetails".to_owned(), RawText::plain(r#"{"to": [1.50]}"#))],
            details: Vec::new(),
        }));
        assert_eq!(
            line(&event),
            r#"{"timestamp":"2026-01-01T00:00:00+00:00","type":"TaskTeleported","id":1,"previousEventId":4,"taskTeleportedEventDetails":{"to": [1.50]}}"#
        );
    }

    #[test]
    fn an_unknown_member_of_known_details_stands_with_them() {
        let mut event = history("Orders").enter_pass("Start", json!({})).build().events.remove(1);
        event.unknown =
            Some(Box::new(UnknownParts { details: vec![("colour".to_owned(), RawText::plain("\"red\""))], ..UnknownParts::default() }));
        assert!(line(&event).ends_with(r#""inputDetails":{"truncated":false},"colour":"red"}}"#));
    }

    #[test]
    fn payloads_that_were_left_out_stay_out_and_values_become_text() {
        let mut built = history("Orders").enter_pass("Start", json!({})).build();
        let Details::StateEntered(entered) = &mut built.events[1].details else { panic!("a StateEntered") };
        entered.input = None;
        assert!(line(&built.events[1]).ends_with(r#""stateEnteredEventDetails":{"name":"Start"}}"#));
        let Details::StateEntered(entered) = &mut built.events[1].details else { panic!("a StateEntered") };
        entered.input = Some(Payload { text: RawText::json("{\"a\":1}"), truncated: true });
        assert!(line(&built.events[1]).ends_with(r#""input":"{\"a\":1}","inputDetails":{"truncated":true}}}"#));
    }

    #[test]
    fn a_member_that_the_header_kept_is_not_written_twice() {
        let mut built = history("Orders").input(json!({})).build();
        built.header.unknown.push(("inputDetails".to_owned(), RawText::plain(r#"{"included":true}"#)));
        let text = serde_json::to_string(&WireExecution(&built)).expect("strings and numbers");
        assert_eq!(text.matches("inputDetails").count(), 1, "{text}");
    }

    #[test]
    fn a_bundle_holds_description_events_and_definition() {
        let built = history("Orders")
            .input(json!({"id": 7}))
            .definition(&json!({"StartAt": "Done"}))
            .enter_pass("Done", json!({"id": 7}))
            .exit(json!({}))
            .execution_succeeded(json!({}))
            .build();
        let text = serde_json::to_string(&WireBundle(&built)).expect("strings and numbers");
        assert!(text.starts_with(
            r#"{"execution":{"executionArn":"arn:aws:states:us-east-1:111111111111:execution:Orders:run-1","stateMachineArn":"arn:aws:states:us-east-1:111111111111:stateMachine:Orders","name":"run-1","status":"SUCCEEDED","startDate":"2026-01-01T00:00:00+00:00","stopDate":"2026-01-01T00:00:00+00:00","input":"{\"id\":7}","inputDetails":{"included":true},"output":"{}","outputDetails":{"included":true},"redriveCount":0},"events":["#
        ));
        assert!(text.ends_with(r#"],"definition":{"StartAt":"Done"}}"#));
    }
}

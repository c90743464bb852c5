//! Histories as the log records that Step Functions would have written of them.

use serde_json::{Map, Value, json};
use stepscope::model::wire::WireEvent;
use stepscope::model::{History, HistoryEvent};

/// What a state machine logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    All,
    Error,
    Fatal,
}

/// The records of an execution, in the order of its events.
pub fn records(history: &History, arn: &str, level: Level, with_data: bool) -> Vec<Value> {
    let redrives = history.events.iter().scan(0, |count, event| {
        *count += u64::from(event.type_name() == "ExecutionRedriven");
        Some(*count)
    });
    let kept = history.events.iter().zip(redrives).filter(|(event, _)| is_kept(event, level));
    kept.map(|(event, redrive)| record(event, arn, redrive, with_data)).collect()
}

/// The table of the Developer Guide, "Log levels for Step Functions execution events". What it leaves out is kept at ERROR by its name.
fn is_kept(event: &HistoryEvent, level: Level) -> bool {
    let name = event.type_name();
    let is_fatal = ["ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"].contains(&name);
    match level {
        Level::All => true,
        Level::Fatal => is_fatal,
        Level::Error => {
            is_fatal || name == "FailStateEntered" || ["Failed", "TimedOut", "Aborted"].iter().any(|ending| name.ends_with(ending))
        }
    }
}

fn record(event: &HistoryEvent, arn: &str, redrive: u64, with_data: bool) -> Value {
    let Ok(Value::Object(wire)) = serde_json::to_value(WireEvent(event)) else { panic!("an event is an object") };
    let mut details = Map::new();
    let mut others = Map::new();
    for (name, value) in wire {
        match (name.as_str(), value) {
            ("timestamp" | "type" | "id" | "previousEventId", _) => {}
            (name, Value::Object(members)) if name.ends_with("EventDetails") => details = members,
            (_, value) => drop(others.insert(name, value)),
        }
    }
    if !with_data {
        details.retain(|name, _| !is_data(name));
    }
    let text = |number: u64| Value::String(number.to_string());
    let mut record = json!({
        "id": text(event.id.0),
        "type": event.type_name(),
        "details": details,
        "previous_event_id": text(event.previous_event_id.map_or(0, |id| id.0)),
        "execution_arn": arn,
        "redrive_count": text(redrive),
    });
    if let Some(time) = event.timestamp {
        record["event_timestamp"] = Value::String(time.as_millisecond().to_string());
    }
    for (name, value) in others {
        record[name] = value;
    }
    record
}

fn is_data(member: &str) -> bool {
    matches!(
        member,
        "input" | "output" | "parameters" | "inputDetails" | "outputDetails" | "assignedVariables" | "assignedVariablesDetails"
    )
}

/// Log events with records as messages: what `aws logs filter-log-events` prints.
pub fn filtered(records: &[Value]) -> String {
    let events: Vec<Value> = records.iter().enumerate().map(|(number, record)| log_event(number, record)).collect();
    json!({"events": events, "searchedLogStreams": [], "nextToken": "more"}).to_string()
}

fn log_event(number: usize, record: &Value) -> Value {
    json!({"logStreamName": "states/Orders/2026-01-01-00/7fa0cfbe", "timestamp": 1_767_225_600_000_u64, "message": record.to_string(),
        "ingestionTime": 1_767_225_600_100_u64, "eventId": number.to_string()})
}

/// What Firehose delivers of a subscription: documents one after the other without anything between them.
pub fn delivered(records: &[Value]) -> String {
    let document = |records: &[Value]| {
        let events: Vec<Value> =
            records.iter().map(|record| json!({"id": "3690", "timestamp": 1, "message": record.to_string()})).collect();
        json!({"messageType": "DATA_MESSAGE", "owner": "111111111111", "logGroup": "g", "logStream": "s", "subscriptionFilters": ["f"],
            "logEvents": events})
        .to_string()
    };
    records.chunks(3).map(document).collect()
}

/// The answer of `aws logs get-query-results` to a query for `@message`.
pub fn queried(records: &[Value]) -> String {
    let row = |record: &Value| json!([{"field": "@message", "value": record.to_string()}, {"field": "@ptr", "value": "Cm"}]);
    json!({"results": records.iter().map(row).collect::<Vec<_>>(), "statistics": {"recordsMatched": 1.0}, "status": "Complete"}).to_string()
}

/// The lines of an export to S3.
pub fn exported(records: &[Value]) -> String {
    records.iter().map(|record| format!("2026-01-01T00:00:00.000Z {record}\n")).collect()
}

/// What `aws logs tail` prints.
pub fn tailed(records: &[Value]) -> String {
    records.iter().map(|record| format!("2026-01-01T00:00:00.000000+00:00 states/Orders/2026-01-01-00/7fa0cfbe {record}\n")).collect()
}

/// The records themselves, one a line.
pub fn bare(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// The records themselves, as an array.
pub fn listed(records: &[Value]) -> String {
    serde_json::to_string_pretty(records).expect("JSON")
}

/// The table that the console exports of a query for `@timestamp` and `@message`.
pub fn tabled(records: &[Value]) -> String {
    let row = |record: &Value| format!("2026-01-01 00:00:00.000,\"{}\"\n", record.to_string().replace('"', "\"\""));
    "@timestamp,@message\n".to_owned() + &records.iter().map(row).collect::<String>()
}

/// All forms of files, by name.
pub const FORMS: [(&str, fn(&[Value]) -> String); 8] = [
    ("filtered.json", filtered),
    ("delivered.json", delivered),
    ("queried.json", queried),
    ("exported.log", exported),
    ("tailed.log", tailed),
    ("bare.jsonl", bare),
    ("listed.json", listed),
    ("tabled.csv", tabled),
];

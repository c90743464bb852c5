//! A log group on a fake endpoint, and the records that Step Functions writes into one.
//!
//! Keeps to the service's rules where they matter: windows, pages (empty ones in between), limits of queries. Patterns and the text of
//! queries are not looked at, so that lines of others come as well.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::fake_endpoint::{Reply, Request};

/// 2026-01-02T08:00:00Z.
pub const EIGHT: i64 = 1_767_340_800;

/// A log event: when, in epoch milliseconds, and what.
pub type Line = (i64, String);

/// The lines of a group, which tests may add to while it is read.
#[derive(Clone, Default)]
pub struct Group {
    lines: Arc<Mutex<Vec<Line>>>,
    queries: Arc<Mutex<Vec<(i64, i64, usize)>>>,
    /// Windows that were asked for with a first page, in seconds since [`EIGHT`].
    pub asked: Arc<Mutex<Vec<(i64, i64)>>>,
}

impl Group {
    pub fn with(lines: impl IntoIterator<Item = Line>) -> Self {
        let group = Self::default();
        group.add(lines);
        group
    }

    pub fn add(&self, lines: impl IntoIterator<Item = Line>) {
        let mut all = self.lines.lock().expect("no panic");
        all.extend(lines);
        all.sort_by_key(|(at, _)| *at);
    }

    /// Forgets which windows were asked for, and tells them.
    pub fn take_asked(&self) -> Vec<(i64, i64)> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }

    fn between(&self, from: i64, until: i64) -> Vec<(usize, Line)> {
        let lines = self.lines.lock().expect("no panic");
        lines.iter().cloned().enumerate().filter(|(_, (at, _))| from <= *at && *at <= until).collect()
    }

    /// Answers the calls of CloudWatch Logs; pages hold so many events.
    pub fn answer(&self, request: &Request, page: usize) -> Option<Reply> {
        let number = |name: &str| request.body[name].as_i64().expect("a number");
        Some(Reply::Json(match request.action.as_str() {
            "FilterLogEvents" => {
                let (from, until) = (number("startTime"), number("endTime"));
                // Every other page is empty, as pages of the service may be.
                let place: usize = request.token().map_or(0, |token| token.parse().expect("one of our tokens"));
                if place == 0 {
                    self.asked.lock().expect("no panic").push((from.div_euclid(1_000) - EIGHT, (until + 1).div_euclid(1_000) - EIGHT));
                }
                let all = self.between(from, until);
                let (begin, is_empty_page) = (place.div_ceil(2) * page, place % 2 == 1);
                let events: Vec<Value> = all.iter().skip(begin).take(if is_empty_page { 0 } else { page }).map(event).collect();
                let mut answer = json!({"events": events, "searchedLogStreams": []});
                if begin + events.len() < all.len() {
                    answer["nextToken"] = json!((place + 1).to_string());
                }
                answer
            }
            "StartQuery" => {
                let mut queries = self.queries.lock().expect("no panic");
                queries.push((number("startTime"), number("endTime"), usize::try_from(number("limit")).expect("positive")));
                json!({"queryId": format!("{}", queries.len() - 1)})
            }
            "GetQueryResults" => {
                let id: usize = request.body["queryId"].as_str().and_then(|id| id.parse().ok()).expect("one of our queries");
                let (from, until, limit) = self.queries.lock().expect("no panic")[id];
                let rows: Vec<Value> = self.between(from * 1_000, until * 1_000).iter().take(limit).map(row).collect();
                json!({"status": "Complete", "results": rows, "statistics": {"bytesScanned": 1_000_000.0, "recordsScanned": 1.0, "recordsMatched": 1.0}})
            }
            "StopQuery" => json!({"success": true}),
            _ => return None,
        }))
    }
}

fn event((id, (at, message)): &(usize, Line)) -> Value {
    json!({"eventId": id.to_string(), "timestamp": at, "ingestionTime": at + 1_500, "logStreamName": "states/Orders/2026-11-20-08/1a2b3c4d", "message": message})
}

fn row((id, (at, message)): &(usize, Line)) -> Value {
    let time = jiff::Timestamp::from_millisecond(*at).expect("a moment").strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
    json!([{"field": "@timestamp", "value": time}, {"field": "@logStream", "value": "s"}, {"field": "@message", "value": message},
        {"field": "@ptr", "value": id.to_string()}])
}

/// The records of an execution: each the type, the details, and seconds after the start.
pub fn records(arn: &str, start: i64, events: &[(&str, Value, f64)]) -> Vec<Line> {
    let record = |(position, (kind, details, after)): (usize, &(&str, Value, f64))| {
        #[allow(clippy::cast_possible_truncation, reason = "small numbers")]
        let at = start * 1_000 + (after * 1_000.0) as i64;
        let previous = if position < 2 { 0 } else { position };
        let record = json!({"id": (position + 1).to_string(), "type": kind, "details": details, "redrive_count": "0",
            "previous_event_id": previous.to_string(), "event_timestamp": at.to_string(), "execution_arn": arn});
        (at, record.to_string())
    };
    events.iter().enumerate().map(record).collect()
}

/// An Express execution of the machine Orders that charges and fails, which takes some seconds; nine records.
pub fn failing(arn: &str, start: i64, seconds: f64) -> Vec<Line> {
    let name = arn.split(':').nth(7).unwrap_or_default();
    let input = json!({"order": name, "amount": 12}).to_string();
    let task = json!({"resourceType": "lambda", "resource": "invoke"});
    let with = |more: Value| {
        let mut details = task.clone();
        details.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        details
    };
    records(
        arn,
        start,
        &[
            (
                "ExecutionStarted",
                json!({"input": input, "inputDetails": {"truncated": false}, "roleArn": "arn:aws:iam::123456789012:role/r"}),
                0.0,
            ),
            ("PassStateEntered", json!({"name": "Check", "input": input, "inputDetails": {"truncated": false}}), 0.1),
            ("PassStateExited", json!({"name": "Check", "output": input, "outputDetails": {"truncated": false}}), 0.1),
            ("TaskStateEntered", json!({"name": "Charge", "input": input, "inputDetails": {"truncated": false}}), 0.2),
            ("TaskScheduled", with(json!({"region": "eu-west-1", "parameters": input})), 0.2),
            ("TaskStarted", task.clone(), 0.3),
            ("TaskFailed", with(json!({"error": "CardDeclined", "cause": "insufficient funds"})), seconds),
            ("ExecutionFailed", json!({"error": "CardDeclined", "cause": "insufficient funds"}), seconds),
        ],
    )
}

/// An Express execution of the machine Orders that succeeds; eight records.
pub fn succeeding(arn: &str, start: i64, seconds: f64) -> Vec<Line> {
    let mut lines = failing(arn, start, seconds);
    lines.truncate(6);
    let end = |id: usize, kind: &str, details: Value, after: f64| {
        #[allow(clippy::cast_possible_truncation, reason = "small numbers")]
        let at = start * 1_000 + (after * 1_000.0) as i64;
        let record = json!({"id": id.to_string(), "type": kind, "details": details, "redrive_count": "0",
            "previous_event_id": (id - 1).to_string(), "event_timestamp": at.to_string(), "execution_arn": arn});
        (at, record.to_string())
    };
    lines.push(end(
        7,
        "TaskSucceeded",
        json!({"resourceType": "lambda", "resource": "invoke", "output": "{}", "outputDetails": {"truncated": false}}),
        seconds,
    ));
    lines.push(end(8, "TaskStateExited", json!({"name": "Charge", "output": "{}", "outputDetails": {"truncated": false}}), seconds));
    lines.push(end(9, "ExecutionSucceeded", json!({"output": "{}", "outputDetails": {"truncated": false}}), seconds));
    lines
}

/// The definition of the machine Orders.
pub fn definition() -> Value {
    json!({"StartAt": "Check", "States": {
        "Check": {"Type": "Pass", "Next": "Charge"},
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "charge"}, "End": true}}})
}

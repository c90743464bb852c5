//! Segment documents of X-Ray: a segment holds subsegments, which hold subsegments; a subsegment may come alone.
//!
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>

use serde_json::Value;

use super::members::{count, execution_arn, flag, is_throttling, list, owned, plain, text, time};
use crate::model::span::{Flags, Span, SpanException, SpanKind, TraceId};

/// Members of `aws` that name what was called, the most telling first.
const RESOURCES: [&str; 9] =
    ["table_name", "queue_url", "topic_arn", "bucket_name", "function_name", "function_arn", "resource_arn", "state_machine_arn", "key"];

/// Whether a value is a segment or a subsegment.
pub(super) fn is_segment(value: &Value) -> bool {
    text(value, "name").is_some() && value.get("start_time").is_some_and(|start| time(start).is_some())
}

/// A subsegment that is still to be read.
struct Below<'v> {
    value: &'v Value,
    parent: String,
    position: usize,
}

/// The segment and everything inside it. `trace` is that of what holds the document.
pub(super) fn spans(value: &Value, trace: Option<&TraceId>) -> Vec<(Option<TraceId>, Span)> {
    let trace = text(value, "trace_id").and_then(|id| id.parse().ok()).or_else(|| trace.cloned());
    let is_segment = text(value, "type") != Some("subsegment");
    let mut first = span(value, is_segment);
    if first.id.is_empty() {
        first.id = format!("{}@{}", first.name, first.start.map_or(0, |start| start.0));
    }
    first.parent_id = owned(value, "parent_id");
    let mut waiting: Vec<Below<'_>> = below(value, &first.id);
    let mut found = vec![(trace.clone(), first)];
    while let Some(Below { value, parent, position }) = waiting.pop() {
        // A number or a text is no subsegment, and nothing is lost with it.
        if !value.is_object() {
            continue;
        }
        let mut inner = span(value, false);
        if inner.id.is_empty() {
            inner.id = format!("{parent}/{position}");
        }
        inner.parent_id = Some(parent);
        waiting.extend(below(value, &inner.id));
        found.push((trace.clone(), inner));
    }
    found
}

fn below<'v>(value: &'v Value, id: &str) -> Vec<Below<'v>> {
    let inner = value.get("subsegments").map_or(&[] as &[Value], list);
    inner.iter().enumerate().map(|(position, value)| Below { value, parent: id.to_owned(), position }).collect()
}

fn span(value: &Value, is_segment: bool) -> Span {
    let null = Value::Null;
    let aws = value.get("aws").unwrap_or(&null);
    let status = value.get("http").and_then(|http| count(http.get("response")?, "status"));
    let status = status.and_then(|status| u16::try_from(status).ok());
    let exceptions = exceptions(value);
    let namespace = owned(value, "namespace");
    let mut flags = Flags { error: flag(value, "error"), fault: flag(value, "fault"), throttle: flag(value, "throttle") };
    if flags.any() {
        let is_refusal = |exception: &SpanException| exception.kind.as_deref().is_some_and(is_throttling);
        flags.throttle |= status == Some(429) || exceptions.iter().any(is_refusal);
    }
    Span {
        id: owned(value, "id").unwrap_or_default(),
        parent_id: None,
        name: owned(value, "name").unwrap_or_default(),
        kind: match (is_segment, &namespace) {
            (true, _) => SpanKind::Server,
            (false, Some(_)) => SpanKind::Client,
            (false, None) => SpanKind::Internal,
        },
        start: value.get("start_time").and_then(time),
        end: value.get("end_time").and_then(time).filter(|_| !flag(value, "in_progress")),
        flags,
        exceptions,
        origin: owned(value, "origin"),
        namespace,
        operation: owned(aws, "operation"),
        resource: resource(value, aws),
        request_id: owned(aws, "request_id"),
        status,
        retries: count(aws, "retries"),
        inferred: flag(value, "inferred"),
        is_segment,
        execution: execution_arn(value, "subsegments"),
        attributes: annotations(value),
    }
}

/// What was called: as `aws` names it, else the address.
fn resource(value: &Value, aws: &Value) -> Option<String> {
    let names = aws.get("resource_names").and_then(|names| list(names).first()?.as_str()).map(str::to_owned);
    let named = RESOURCES.iter().find_map(|member| owned(aws, member)).or(names).or_else(|| owned(value, "resource_arn"));
    named.or_else(|| owned(value.get("http")?.get("request")?, "url"))
}

/// `cause` is an object with exceptions, or the id of an exception that another segment has.
fn exceptions(value: &Value) -> Vec<SpanException> {
    let Some(cause) = value.get("cause") else { return Vec::new() };
    let told = cause.get("exceptions").map_or(&[] as &[Value], list).iter();
    let mut found: Vec<SpanException> = told
        .map(|exception| SpanException {
            kind: owned(exception, "type"),
            message: owned(exception, "message"),
            remote: flag(exception, "remote"),
        })
        .collect();
    if found.is_empty() {
        let message = owned(cause, "message");
        found.extend(message.map(|message| SpanException { kind: None, message: Some(message), remote: false }));
    }
    found
}

fn annotations(value: &Value) -> Vec<(String, String)> {
    let members = value.get("annotations").and_then(Value::as_object);
    let mut found: Vec<(String, String)> =
        members.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect();
    found.sort();
    found
}

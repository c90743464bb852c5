//! Spans of OpenTelemetry: exports in OTLP JSON, and the records that Transaction Search keeps in the log group `aws/spans`.
//!
//! Both hold the same members; attributes are a list of keys and typed values in the one, an object in the other.
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use serde_json::Value;

use super::members::{count, execution_arn, is_throttling, list, owned, plain, text, whole};
use crate::model::Micros;
use crate::model::span::{Flags, Span, SpanException, SpanKind, TraceId};

/// Whether a value is an export.
pub(super) fn is_export(value: &Value) -> bool {
    value.get("resourceSpans").is_some() || value.get("resource_spans").is_some()
}

/// Whether a value is one span.
pub(super) fn is_span(value: &Value) -> bool {
    text(value, "spanId").is_some() && text(value, "traceId").is_some()
}

/// All spans of an export, each with its trace.
pub(super) fn export(value: &Value) -> Vec<(Option<TraceId>, Span)> {
    let mut found = Vec::new();
    for of_resource in either(value, &["resourceSpans", "resource_spans"]) {
        let resource = of_resource.get("resource");
        for of_scope in either(of_resource, &["scopeSpans", "scope_spans", "instrumentationLibrarySpans"]) {
            let spans = of_scope.get("spans").map_or(&[] as &[Value], list).iter();
            found.extend(spans.filter(|value| value.is_object()).map(|value| span(value, resource)));
        }
    }
    found
}

fn either<'v>(value: &'v Value, names: &[&str]) -> &'v [Value] {
    names.iter().find_map(|name| value.get(name)).map_or(&[], list)
}

/// One span; `resource` is what the export says of who recorded it.
pub(super) fn span(value: &Value, resource: Option<&Value>) -> (Option<TraceId>, Span) {
    let own = attributes(value);
    let of_resource = resource.or_else(|| value.get("resource")).map(attributes).unwrap_or_default();
    let find = |names: &[&str]| {
        let among = |attributes: &[(String, String)]| {
            names.iter().find_map(|name| attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
        };
        among(&own).or_else(|| among(&of_resource)).filter(|value| !value.is_empty())
    };
    let status = find(&["http.response.status_code", "http.status_code"]).and_then(|status| status.parse().ok());
    let mut exceptions = exceptions(value);
    let is_refusal = |exception: &SpanException| exception.kind.as_deref().is_some_and(is_throttling);
    let code = value.get("status").and_then(|status| status.get("code")).and_then(plain).unwrap_or_default();
    let has_failed = matches!(code.as_str(), "2" | "ERROR" | "STATUS_CODE_ERROR");
    let error_word = find(&["error.type", "aws.error.code", "exception.type"]);
    if exceptions.is_empty() && has_failed {
        let message = value.get("status").and_then(|status| owned(status, "message")).or_else(|| find(&["exception.message"]));
        if message.is_some() || error_word.is_some() {
            exceptions.push(SpanException { kind: error_word.clone(), message, remote: false });
        }
    }
    let throttle = status == Some(429) || has_failed && (exceptions.iter().any(is_refusal) || error_word.as_deref().is_some_and(is_throttling));
    let error = throttle || status.is_some_and(|status| (400..500).contains(&status));
    let fault = status.map_or(has_failed && !error, |status| status >= 500 || has_failed && status < 400);
    let kind = kind(value);
    let origin = find(&["aws.xray.origin", "aws.origin"]).or_else(|| origin(kind, &find));
    let is_call = kind.is_outward();
    let span = Span {
        id: text(value, "spanId").unwrap_or_default().to_ascii_lowercase(),
        parent_id: text(value, "parentSpanId").map(str::to_ascii_lowercase),
        name: called(value, is_call, &find),
        kind,
        start: nanoseconds(value, "startTimeUnixNano"),
        end: nanoseconds(value, "endTimeUnixNano").filter(|end| end.0 > 0),
        flags: Flags { error, fault, throttle },
        exceptions,
        namespace: is_call.then(|| if find(&["rpc.system"]).as_deref() == Some("aws-api") { "aws" } else { "remote" }.to_owned()),
        operation: find(&["aws.remote.operation", "rpc.method", "aws.operation"]).filter(|_| is_call),
        resource: find(&[
            "aws.remote.resource.identifier",
            "aws.dynamodb.table_names",
            "messaging.destination.name",
            "faas.invoked_name",
            "faas.name",
            "url.full",
            "http.url",
        ]),
        request_id: find(&["aws.request_id", "aws.requestId", "faas.invocation_id", "faas.execution"]),
        status,
        retries: count(value.get("attributes").unwrap_or(&Value::Null), "aws.retries"),
        inferred: false,
        is_segment: matches!(kind, SpanKind::Server | SpanKind::Consumer),
        execution: execution_arn(value, "events").or_else(|| resource.and_then(|resource| execution_arn(resource, ""))),
        origin,
        attributes: own.clone(),
    };
    (text(value, "traceId").and_then(|id| id.parse().ok()), span)
}

/// Calls are called by the service that they ask, as X-Ray does; other spans by their name.
fn called(value: &Value, is_call: bool, find: &impl Fn(&[&str]) -> Option<String>) -> String {
    let service = find(&["aws.remote.service", "rpc.service"]).filter(|_| is_call);
    let service = service.map(|service| service.strip_prefix("AWS::").unwrap_or(&service).to_owned());
    service.or_else(|| owned(value, "name")).unwrap_or_default()
}

/// The kind of resource, in X-Ray's words.
fn origin(kind: SpanKind, find: &impl Fn(&[&str]) -> Option<String>) -> Option<String> {
    if !matches!(kind, SpanKind::Server | SpanKind::Consumer) {
        return None;
    }
    let platform = find(&["cloud.platform"]).unwrap_or_default();
    let resource = find(&["cloud.resource_id", "aws.local.resource.identifier"]).unwrap_or_default();
    if platform.contains("lambda") || find(&["faas.invocation_id", "faas.execution", "faas.coldstart"]).is_some() {
        return Some("AWS::Lambda::Function".to_owned());
    }
    let is_machine = resource.starts_with("arn:aws") && resource.contains(":states:") || platform.contains("step_functions");
    is_machine.then(|| "AWS::StepFunctions::StateMachine".to_owned())
}

fn kind(value: &Value) -> SpanKind {
    let word = value.get("kind").and_then(plain).unwrap_or_default();
    match word.strip_prefix("SPAN_KIND_").unwrap_or(&word) {
        "2" | "SERVER" => SpanKind::Server,
        "3" | "CLIENT" => SpanKind::Client,
        "4" | "PRODUCER" => SpanKind::Producer,
        "5" | "CONSUMER" => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn nanoseconds(value: &Value, name: &str) -> Option<Micros> {
    let nanoseconds = whole(value.get(name)?)?;
    i64::try_from(nanoseconds / 1000).ok().map(Micros)
}

/// Names and values, sorted. Lists keep their first value: that of a table, where one was called.
fn attributes(value: &Value) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = match value.get("attributes") {
        Some(Value::Object(members)) => members.iter().filter_map(|(name, value)| Some((name.clone(), first(value)?))).collect(),
        Some(Value::Array(pairs)) => pairs.iter().filter_map(|pair| Some((owned(pair, "key")?, typed(pair.get("value")?)?))).collect(),
        _ => Vec::new(),
    };
    found.sort();
    found
}

fn first(value: &Value) -> Option<String> {
    plain(value).or_else(|| list(value).first().and_then(plain))
}

/// `{"stringValue": "…"}` and its like.
fn typed(value: &Value) -> Option<String> {
    let values = value.get("arrayValue").and_then(|array| list(array.get("values")?).first());
    let value = values.unwrap_or(value);
    ["stringValue", "intValue", "boolValue", "doubleValue"].iter().find_map(|kind| plain(value.get(kind)?))
}

/// Exceptions are events of a span.
fn exceptions(value: &Value) -> Vec<SpanException> {
    let events = value.get("events").map_or(&[] as &[Value], list).iter();
    events
        .filter(|event| text(event, "name") == Some("exception"))
        .map(|event| {
            let attributes = attributes(event);
            let find = |name: &str| attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            SpanException { kind: find("exception.type"), message: find("exception.message"), remote: false }
        })
        .collect()
}

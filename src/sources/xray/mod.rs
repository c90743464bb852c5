//! Saved traces: X-Ray's documents and OpenTelemetry's spans, from files, folders and answers of the API.
//!
//! | what is read                                            | how it looks                                                    |
//! |---------------------------------------------------------|-----------------------------------------------------------------|
//! | `aws xray batch-get-traces`, `list-retrieved-traces`    | `{"Traces": [{"Segments": [{"Document": "…"}]}]}`               |
//! | `aws xray get-trace-summaries`                          | `{"TraceSummaries": […]}`: which traces there are, without spans |
//! | segment documents, subsegments sent alone               | `{"trace_id": …, "id": …, "name": …, "start_time": …}`          |
//! | OTLP JSON                                               | `{"resourceSpans": […]}`                                        |
//! | records of the log group `aws/spans`                    | `{"traceId": …, "spanId": …, …}`, alone or as `message`         |
//!
//! One document, a list of them, or one a line; gzip and zstd are undone. The documents of a trace may stand in several files. What
//! is none is counted and told, and the rest is read.

mod files;
mod members;
mod otlp;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use self::members::{flag, list, number, text, time};
use crate::model::Trace;
use crate::model::span::{Span, TraceId, TraceSummary};

pub use files::read_traces;

/// Traces that are put together from their documents.
#[derive(Debug, Default)]
pub struct TraceSet {
    /// Documents that name no trace stand together.
    traces: BTreeMap<Option<TraceId>, Collected>,
}

#[derive(Debug, Default)]
struct Collected {
    spans: Vec<Span>,
    limit_exceeded: bool,
    summary: Option<TraceSummary>,
}

/// What was found in one value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Segments, subsegments and spans.
    pub spans: usize,
    /// Lines of a listing.
    pub summaries: usize,
    /// Documents that are none.
    pub bad: usize,
    /// Why the first of those is none.
    pub first_bad: Option<String>,
}

impl Found {
    fn refuse(&mut self, why: impl Into<String>) {
        self.bad += 1;
        self.first_bad.get_or_insert_with(|| why.into());
    }

    /// Whether there was anything of a trace.
    pub fn is_something(&self) -> bool {
        self.spans + self.summaries > 0
    }
}

/// A value that is still to be looked at.
struct Pending<'v> {
    value: Sight<'v>,
    /// The trace that what holds it names.
    trace: Option<TraceId>,
}

/// Documents are text inside of documents.
enum Sight<'v> {
    Inside(&'v Value),
    Own(Value),
}

impl TraceSet {
    /// Takes everything that a value holds, whichever form it has.
    pub fn add(&mut self, value: &Value) -> Found {
        let mut found = Found::default();
        let mut pending = vec![Pending { value: Sight::Inside(value), trace: None }];
        while let Some(Pending { value, trace }) = pending.pop() {
            match &value {
                Sight::Inside(value) => self.look(value, trace.as_ref(), &mut found, &mut pending),
                Sight::Own(value) => {
                    // What is found inside is read at once: it does not live as long as the list.
                    let mut inner = Vec::new();
                    self.look(value, trace.as_ref(), &mut found, &mut inner);
                    self.settle(inner, &mut found);
                }
            }
        }
        found
    }

    /// A segment document as text, as the API gives it.
    pub fn add_document(&mut self, trace: Option<&TraceId>, document: &str) -> Found {
        let mut found = Found::default();
        match serde_json::from_str::<Value>(document) {
            Ok(value) => {
                let mut inner = Vec::new();
                self.look(&value, trace, &mut found, &mut inner);
                self.settle(inner, &mut found);
            }
            Err(error) => found.refuse(format!("its text is no JSON ({error})")),
        }
        found
    }

    /// Marks a trace that the service cut.
    pub fn limit_exceeded(&mut self, trace: &TraceId) {
        self.traces.entry(Some(trace.clone())).or_default().limit_exceeded = true;
    }

    /// Takes what a listing says of a trace.
    pub fn add_summary(&mut self, trace: &TraceId, summary: TraceSummary) {
        self.traces.entry(Some(trace.clone())).or_default().summary = Some(summary);
    }

    /// Adds what was read elsewhere.
    pub fn merge(&mut self, other: Self) {
        for (id, collected) in other.traces {
            let known = self.traces.entry(id).or_default();
            known.spans.extend(collected.spans);
            known.limit_exceeded |= collected.limit_exceeded;
            known.summary = known.summary.or(collected.summary);
        }
    }

    /// Whether nothing was taken.
    pub fn is_empty(&self) -> bool {
        self.traces.is_empty()
    }

    /// The traces, by id.
    pub fn into_traces(self) -> Vec<Trace> {
        let trace = |(id, collected): (Option<TraceId>, Collected)| Trace {
            limit_exceeded: collected.limit_exceeded,
            summary: collected.summary,
            ..Trace::new(id, collected.spans)
        };
        self.traces.into_iter().map(trace).collect()
    }

    /// Values inside of text that was parsed: a document may hold one list of documents, not texts of texts without an end.
    fn settle(&mut self, inner: Vec<Pending<'_>>, found: &mut Found) {
        let mut waiting = inner;
        while let Some(Pending { value, trace }) = waiting.pop() {
            match value {
                Sight::Inside(value) => self.look(value, trace.as_ref(), found, &mut waiting),
                Sight::Own(_) => found.refuse("it is text inside of text"),
            }
        }
    }

    /// Takes what a value says itself, and notes what it holds.
    fn look<'v>(&mut self, value: &'v Value, trace: Option<&TraceId>, found: &mut Found, pending: &mut Vec<Pending<'v>>) {
        let own = text(value, "Id").and_then(|id| id.parse().ok());
        let trace = own.as_ref().or(trace);
        let mut wait = |values: &'v [Value]| {
            pending.extend(values.iter().rev().map(|value| Pending { value: Sight::Inside(value), trace: trace.cloned() }));
        };
        match value {
            Value::Array(values) => wait(values),
            Value::String(document) => match serde_json::from_str(document) {
                Ok(value) => pending.push(Pending { value: Sight::Own(value), trace: trace.cloned() }),
                Err(error) => found.refuse(format!("its text is no JSON ({error})")),
            },
            Value::Object(members) => {
                if let Some(traces) = members.get("Traces").or_else(|| members.get("TraceSummaries")) {
                    wait(list(traces));
                } else if members.contains_key("Segments") || members.contains_key("Spans") {
                    if flag(value, "LimitExceeded")
                        && let Some(id) = trace
                    {
                        self.limit_exceeded(id);
                    }
                    members.get("Segments").into_iter().chain(members.get("Spans")).for_each(|parts| wait(list(parts)));
                } else if let Some(document) = members.get("Document").or_else(|| members.get("message")) {
                    wait(std::slice::from_ref(document));
                } else if let Some(records) = members.get("events").filter(|events| holds_messages(events)) {
                    wait(list(records));
                } else if let Some(rows) = members.get("results") {
                    // Rows of Logs Insights: lists of fields.
                    let fields = list(rows).iter().flat_map(list).filter(|field| text(field, "field") == Some("@message"));
                    fields.filter_map(|field| field.get("value")).for_each(|message| wait(std::slice::from_ref(message)));
                } else if otlp::is_export(value) {
                    self.take(otlp::export(value), found);
                } else if otlp::is_span(value) {
                    self.take(vec![otlp::span(value, None)], found);
                } else if segment::is_segment(value) {
                    self.take(segment::spans(value, trace), found);
                } else if let Some(id) = trace.filter(|_| members.contains_key("HasFault") || members.contains_key("Duration")) {
                    found.summaries += 1;
                    self.add_summary(id, summary(value));
                } else {
                    found.refuse(described(value));
                }
            }
            _ => found.refuse(described(value)),
        }
    }

    fn take(&mut self, spans: Vec<(Option<TraceId>, Span)>, found: &mut Found) {
        found.spans += spans.len();
        for (id, span) in spans {
            self.traces.entry(id).or_default().spans.push(span);
        }
    }
}

/// Whether it is the answer of FilterLogEvents, and not a history.
fn holds_messages(events: &Value) -> bool {
    list(events).first().is_some_and(|event| event.get("message").is_some())
}

fn summary(value: &Value) -> TraceSummary {
    TraceSummary {
        start: value.get("StartTime").and_then(time),
        duration_ms: number(value, "Duration").map(|seconds| seconds * 1000.0),
        has_fault: flag(value, "HasFault"),
        has_error: flag(value, "HasError"),
        has_throttle: flag(value, "HasThrottle"),
        is_partial: flag(value, "IsPartial"),
    }
}

/// What a value is that is nothing of a trace.
fn described(value: &Value) -> String {
    match value {
        Value::Object(members) if members.contains_key("events") || members.contains_key("executionArn") => {
            "it is an execution, and no trace".to_owned()
        }
        Value::Object(members) if members.is_empty() => "it is an empty object".to_owned(),
        Value::Object(members) => {
            let names: Vec<&str> = members.keys().take(3).map(String::as_str).collect();
            let more = if members.len() > names.len() { ", …" } else { "" };
            format!("an object with {}{more} is no segment and no span", names.join(", "))
        }
        Value::Null => "it is null".to_owned(),
        _ => "it is a plain value".to_owned(),
    }
}

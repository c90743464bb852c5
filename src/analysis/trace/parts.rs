//! What the time of an attempt went into: each moment counts once, for the innermost thing that a span or the history tells of it.
//!
//! | part          | is the time                                                                    |
//! |---------------|--------------------------------------------------------------------------------|
//! | `schedule`    | from scheduled to started                                                      |
//! | `queue`       | from started to the first span                                                 |
//! | `call`        | in the call, as Step Functions sees it, outside of what the called service recorded |
//! | `service`     | in Lambda's own segment, outside of the function: its queue, its retries       |
//! | `init`        | in code outside of the handler: a cold start                                   |
//! | `handler`     | in the handler                                                                 |
//! | `overhead`    | in the function's environment, outside of both                                 |
//! | `unaccounted` | what is left                                                                   |
//!
//! They add up to what the attempt lasted. Spans are held to the attempt's own time: clocks of several computers differ, and how much was
//! cut off is told.

use serde::Serialize;

use super::outline::OutlineAttempt;
use crate::model::Micros;
use crate::model::span::{Span, SpanException, SpanKind, Trace};

/// The parts of one attempt's time, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the table above says what they are")]
pub struct Parts {
    pub schedule_ms: f64,
    pub queue_ms: f64,
    pub call_ms: f64,
    pub service_ms: f64,
    pub init_ms: f64,
    pub handler_ms: f64,
    pub overhead_ms: f64,
    pub unaccounted_ms: f64,
}

/// What a span is in the call of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanRole {
    /// Lambda's own segment.
    Service,
    /// The function's segment.
    Function,
    /// The setting up of its environment: a cold start.
    Init,
    /// The handler.
    Handler,
    /// The runtime's work after it.
    Overhead,
}

/// What a span is in the call of a function; `None` for one that is something else.
pub(super) fn role(span: &Span, parent: Option<&Span>) -> Option<SpanRole> {
    let is_in_lambda = parent.is_some_and(|parent| parent.is_of_function() || parent.is_of_lambda());
    if span.is_of_function() {
        Some(SpanRole::Function)
    } else if span.is_of_lambda() {
        Some(SpanRole::Service)
    } else if !is_in_lambda || span.kind.is_outward() {
        None
    } else if span.is_cold_start() {
        Some(SpanRole::Init)
    } else if span.is_handler() {
        Some(SpanRole::Handler)
    } else {
        span.is_overhead().then_some(SpanRole::Overhead)
    }
}

/// What a trace says of the function that an attempt called.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FunctionReport {
    /// Its name.
    pub name: String,
    /// The id of the request, as its log has it.
    pub request_id: Option<String>,
    /// Whether its environment was set up while the attempt waited.
    pub cold_start: bool,
    /// How long setting it up took; null for an environment that was there.
    pub init_ms: Option<f64>,
    /// How long the handler ran.
    pub handler_ms: Option<f64>,
    /// How long the environment was busy after it.
    pub overhead_ms: Option<f64>,
    /// From the first to the last moment of the function's own segment.
    pub function_ms: Option<f64>,
    /// The same of Lambda's segment, which holds the queue and the retries of a call.
    pub service_ms: Option<f64>,
    /// From the attempt's schedule to the function's first moment, setting up included.
    pub before_function_ms: Option<f64>,
    /// How often the function ran for this attempt.
    pub invocations: usize,
}

/// A call to another service, as its caller saw it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "the flags are X-Ray's")]
pub struct CallReport {
    /// The service: `DynamoDB`.
    pub name: String,
    /// What of it: `PutItem`.
    pub operation: Option<String>,
    /// What was called: a table, a queue, an address.
    pub resource: Option<String>,
    /// Whether Step Functions itself made it, and no function.
    pub from_workflow: bool,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// From the execution's start.
    pub offset_ms: Option<f64>,
    /// How long the caller waited; null for one in progress.
    pub duration_ms: Option<f64>,
    /// How often the SDK tried again.
    pub retries: Option<u64>,
    /// 4xx.
    pub error: bool,
    /// 5xx.
    pub fault: bool,
    /// Too many requests.
    pub throttle: bool,
    /// What was thrown.
    pub exceptions: Vec<ExceptionReport>,
}

/// An exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExceptionReport {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What it says.
    pub message: Option<String>,
    /// The span that recorded it.
    pub span: String,
    /// Whether it came from the service that was called.
    pub remote: bool,
}

pub(super) fn exceptions(span: &Span) -> Vec<ExceptionReport> {
    let report = |exception: &SpanException| ExceptionReport {
        kind: exception.kind.clone(),
        message: exception.message.clone(),
        span: span.name.clone(),
        remote: exception.remote,
    };
    span.exceptions.iter().map(report).collect()
}

/// The spans of an attempt by what they are.
pub(super) struct Roles<'s> {
    /// Recorded by Step Functions: the call.
    calls: Vec<&'s Span>,
    service: Vec<&'s Span>,
    functions: Vec<&'s Span>,
    inits: Vec<&'s Span>,
    handlers: Vec<&'s Span>,
    overheads: Vec<&'s Span>,
    /// Calls to others, with whether the workflow itself made them.
    outward: Vec<(&'s Span, bool)>,
}

/// Sorts the spans of an attempt: `tops`, and all that is `below` them.
pub(super) fn roles<'s>(trace: &'s Trace, tops: &[usize], below: &[usize]) -> Roles<'s> {
    let mut roles =
        Roles { calls: vec![], service: vec![], functions: vec![], inits: vec![], handlers: vec![], overheads: vec![], outward: vec![] };
    let parent = |position: usize| trace.parents[position].map(|parent| &trace.spans[parent]);
    let has_function = below.iter().any(|position| trace.spans[*position].is_of_function());
    for position in below {
        let span = &trace.spans[*position];
        let is_top = tops.contains(position);
        let list = match role(span, parent(*position)) {
            Some(SpanRole::Function) => Some(&mut roles.functions),
            Some(SpanRole::Service) => Some(&mut roles.service),
            Some(SpanRole::Init) => Some(&mut roles.inits),
            Some(SpanRole::Handler) => Some(&mut roles.handlers),
            Some(SpanRole::Overhead) => Some(&mut roles.overheads),
            None => None,
        };
        if let Some(list) = list {
            list.push(span);
        } else if is_top {
            roles.calls.push(span);
            // Of a call to Lambda the function tells more than the call.
            if !(has_function || is_call_of_lambda(span)) || span.flags.any() {
                roles.outward.push((span, true));
            }
        } else if span.kind.is_outward() || span.namespace.is_some() {
            roles.outward.push((span, false));
        } else if span.is_segment && span.inferred && parent(*position).is_none_or(|parent| parent.kind != SpanKind::Client) {
            // Recorded by nobody but the one that was called.
            roles.outward.push((span, false));
        }
    }
    roles
}

fn is_call_of_lambda(span: &Span) -> bool {
    span.name.eq_ignore_ascii_case("lambda") || span.operation.as_deref().is_some_and(|operation| operation.eq_ignore_ascii_case("invoke"))
}

/// Divides the attempt's time; also how much of the spans lies outside of it. `None` where the history does not tell that time.
pub(super) fn parts(attempt: &OutlineAttempt, last: Option<Micros>, roles: &Roles<'_>) -> Option<(Parts, i64, i64)> {
    let (from, to) = (attempt.scheduled?.0, attempt.ended.or(last)?.0);
    if to < from {
        return None;
    }
    let inside = |span: &&Span| Some((span.start?.0, span.end.map_or(to, |end| end.0)));
    let spans = |list: &[&Span]| -> Vec<(i64, i64)> { list.iter().filter_map(inside).collect() };
    let begun = [&roles.calls, &roles.service, &roles.functions, &roles.inits].into_iter().flatten().filter_map(|span| span.start).min();
    let started = attempt.started.map_or(from, |started| started.0);
    // Without spans of its own a handler is what a function did beside setting up.
    let functions = spans(&roles.functions);
    let (handlers, rest) = if roles.handlers.is_empty() { (functions, Vec::new()) } else { (spans(&roles.handlers), functions) };
    // Innermost first: the first one that covers a moment has it.
    let layers: [Vec<(i64, i64)>; 8] = [
        spans(&roles.inits),
        spans(&roles.overheads),
        handlers,
        rest,
        spans(&roles.service),
        spans(&roles.calls),
        begun.map(|begun| (started, begun.0)).into_iter().collect(),
        attempt.started.map(|started| (from, started.0)).into_iter().collect(),
    ];
    let outside = layers[..6].iter().flatten().map(|(start, end)| (from - start).max(end - to)).max().unwrap_or(0).max(0);
    let mut borders: Vec<i64> = layers.iter().flatten().flat_map(|(start, end)| [*start, *end]).map(|at| at.clamp(from, to)).collect();
    borders.extend([from, to]);
    borders.sort_unstable();
    borders.dedup();
    let mut lengths = [0_i64; 9];
    for pair in borders.windows(2) {
        let covers = |layer: &Vec<(i64, i64)>| layer.iter().any(|(start, end)| *start <= pair[0] && pair[1] <= *end);
        lengths[layers.iter().position(covers).unwrap_or(8)] += pair[1] - pair[0];
    }
    let [init, _, handler, _, service, call, queue, schedule, unaccounted] = lengths.map(milliseconds);
    let parts = Parts {
        schedule_ms: schedule,
        queue_ms: queue,
        call_ms: call,
        service_ms: service,
        init_ms: init,
        handler_ms: handler,
        overhead_ms: milliseconds(lengths[1] + lengths[3]),
        unaccounted_ms: unaccounted,
    };
    Some((parts, to - from, outside))
}

#[allow(clippy::cast_precision_loss, reason = "whole microseconds are exact in f64 for 285 years")]
pub(super) fn milliseconds(micros: i64) -> f64 {
    micros as f64 / 1000.0
}

/// What the spans say of the function.
pub(super) fn function(attempt: &OutlineAttempt, roles: &Roles<'_>) -> Option<FunctionReport> {
    let last = roles.functions.last().or(roles.service.last())?;
    let total = |spans: &[&Span]| {
        let lengths: Vec<f64> = spans.iter().filter_map(|span| span.duration_ms()).collect();
        (!lengths.is_empty()).then(|| lengths.iter().sum::<f64>().max(0.0))
    };
    let begun = roles.functions.iter().chain(&roles.inits).filter_map(|span| span.start).filter(|start| Some(*start) >= attempt.scheduled);
    let begun = begun.min().or_else(|| roles.functions.first().and_then(|span| span.start));
    let is_in_time = |span: &&&Span| span.end.is_none_or(|end| Some(end) > attempt.scheduled);
    Some(FunctionReport {
        name: last.name.clone(),
        request_id: roles.functions.iter().chain(&roles.service).rev().find_map(|span| span.request_id.clone()),
        cold_start: roles.inits.iter().any(|span| is_in_time(&span)),
        init_ms: total(&roles.inits),
        handler_ms: total(&roles.handlers),
        overhead_ms: total(&roles.overheads),
        function_ms: total(&roles.functions),
        service_ms: total(&roles.service),
        before_function_ms: begun.zip(attempt.scheduled).map(|(begun, scheduled)| begun.milliseconds_since(scheduled).max(0.0)),
        invocations: roles.functions.len(),
    })
}

/// Calls to others, by their start.
pub(super) fn calls(start: Option<Micros>, roles: &Roles<'_>) -> Vec<CallReport> {
    let mut spans = roles.outward.clone();
    spans.sort_by(|(one, _), (other, _)| (one.start, &one.id).cmp(&(other.start, &other.id)));
    let report = |(span, from_workflow): (&Span, bool)| CallReport {
        name: span.name.clone(),
        operation: span.operation.clone(),
        resource: span.resource.clone(),
        from_workflow,
        status: span.status,
        offset_ms: start.zip(span.start).map(|(start, at)| at.milliseconds_since(start)),
        duration_ms: span.duration_ms().map(|length| length.max(0.0)),
        retries: span.retries,
        error: span.flags.error,
        fault: span.flags.fault,
        throttle: span.flags.throttle,
        exceptions: exceptions(span),
    };
    spans.into_iter().map(report).collect()
}

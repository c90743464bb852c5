//! What a trace tells of one execution, as `docs/json.md` fixes it.

use serde::Serialize;

use super::join::{Joined, TraceBasis};
use super::outline::Outline;
use super::parts::{self, CallReport, ExceptionReport, FunctionReport, Parts, SpanRole};
use super::place::{Placed, PlacedAttempt, SpanBasis, place};
use crate::model::Micros;
use crate::model::span::{Flags, SpanKind, Trace};

/// The trace of one execution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceReport {
    /// Its id; null where no document names it.
    pub trace_id: Option<String>,
    /// What says that it is this execution's.
    pub basis: TraceBasis,
    /// Other traces of which the same can be said, such as those of a redrive; their spans are not in this answer.
    pub other_trace_ids: Vec<String>,
    /// When its first span began.
    pub start: Option<Micros>,
    /// From there to the end of its last span.
    pub duration_ms: Option<f64>,
    /// Whether a span was still in progress.
    pub partial: bool,
    /// Whether the service cut the trace because it grew too large.
    pub limit_exceeded: bool,
    /// Spans whose parent is missing; they stand at the root.
    pub orphans: usize,
    /// Attempts of Tasks with spans.
    pub attempts: Vec<TracedAttempt>,
    /// Attempts of Tasks without: not recorded, which is not the same as not run.
    pub untraced_attempts: usize,
    /// Spans that belong to no attempt and no visit.
    pub unplaced_spans: usize,
    /// The most that a span reaches out of its attempt: how far the clocks differ.
    pub clock_difference_ms: f64,
    /// Every span, depth first.
    pub spans: Vec<SpanReport>,
}

/// What a trace tells of one attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TracedAttempt {
    /// The state.
    pub state: String,
    /// Position of the visit, in the order of entering.
    pub visit: usize,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// After how many redrives.
    pub redrive: u32,
    /// What says that the spans are this attempt's.
    pub basis: SpanBasis,
    /// What the history says that it lasted, up to its last event for one under way; null where no times are known.
    pub duration_ms: Option<f64>,
    /// What that time went into.
    pub parts: Option<Parts>,
    /// The function that was called.
    pub function: Option<FunctionReport>,
    /// Calls to other services, by their start.
    pub calls: Vec<CallReport>,
    /// Whether some span has it.
    pub error: bool,
    /// Whether some span has it.
    pub fault: bool,
    /// Whether some span has it.
    pub throttle: bool,
    /// Positions of its spans in `spans`.
    pub spans: Vec<usize>,
}

/// One span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "the flags are X-Ray's")]
pub struct SpanReport {
    /// Its id.
    pub id: String,
    /// Position of its parent in `spans`.
    pub parent: Option<usize>,
    /// How many spans are around it.
    pub depth: usize,
    /// Its name.
    pub name: String,
    /// What it is in the call.
    pub kind: SpanKind,
    /// Which kind of resource recorded it.
    pub origin: Option<String>,
    /// `aws` or `remote`, for calls.
    pub namespace: Option<String>,
    /// The action of a call of AWS.
    pub operation: Option<String>,
    /// What was called, or what ran.
    pub resource: Option<String>,
    /// The id under which AWS knows the request.
    pub request_id: Option<String>,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// How often the SDK tried again.
    pub retries: Option<u64>,
    /// From the execution's start.
    pub offset_ms: Option<f64>,
    /// Null while it is in progress.
    pub duration_ms: Option<f64>,
    /// 4xx.
    pub error: bool,
    /// 5xx, or an exception.
    pub fault: bool,
    /// Too many requests.
    pub throttle: bool,
    /// What was thrown.
    pub exceptions: Vec<ExceptionReport>,
    /// Made by X-Ray for a service that sends none.
    pub inferred: bool,
    /// What it is in the call of a function; null for what is none of it.
    pub role: Option<SpanRole>,
    /// Position of the visit whose span it is, or whose attempt's.
    pub visit: Option<usize>,
    /// Number of the attempt whose span it is.
    pub attempt: Option<u32>,
}

/// Tells what a trace says of an execution.
pub fn report(outline: &Outline<'_>, joined: &Joined<'_>) -> TraceReport {
    let trace = joined.trace;
    let placed = place(outline, trace);
    let mut spans = depth_first(outline.start, trace);
    let places = spans.places;
    let mut clock_difference = 0;
    let children = trace.children();
    let mut attempts = Vec::with_capacity(placed.attempts.len());
    for of_attempt in &placed.attempts {
        let below = below(&of_attempt.tops, &children);
        let attempt = &outline.visits[of_attempt.visit].attempts[of_attempt.attempt];
        for position in &below {
            let span = &mut spans.list[places[*position]];
            (span.visit, span.attempt) = (Some(of_attempt.visit), Some(attempt.number));
        }
        let (traced, outside) = traced(outline, trace, of_attempt, &below, &places);
        clock_difference = clock_difference.max(outside);
        attempts.push(traced);
    }
    mark_visits(&placed, &places, &mut spans.list);
    let own = placed.machine.map(|machine| places[machine]);
    let unplaced = spans.list.iter().enumerate().filter(|(at, span)| span.visit.is_none() && Some(*at) != own).count();
    let (start, end) = (trace.start(), trace.end());
    TraceReport {
        trace_id: trace.id.as_ref().map(ToString::to_string),
        basis: joined.basis,
        other_trace_ids: joined.others.iter().filter_map(|other| other.id.as_ref()).map(ToString::to_string).collect(),
        start,
        duration_ms: start.zip(end).map(|(start, end)| end.milliseconds_since(start)),
        partial: trace.is_partial(),
        limit_exceeded: trace.limit_exceeded,
        orphans: trace.orphans,
        untraced_attempts: outline.attempts().saturating_sub(attempts.len()),
        attempts,
        unplaced_spans: unplaced,
        clock_difference_ms: parts::milliseconds(clock_difference),
        spans: spans.list,
    }
}

fn mark_visits(placed: &Placed, places: &[usize], spans: &mut [SpanReport]) {
    for (span, visit) in &placed.visits {
        spans[places[*span]].visit.get_or_insert(*visit);
    }
}

/// The report of an attempt, and how far its spans reach out of it, in microseconds.
fn traced(outline: &Outline<'_>, trace: &Trace, placed: &PlacedAttempt, below: &[usize], places: &[usize]) -> (TracedAttempt, i64) {
    let visit = &outline.visits[placed.visit];
    let attempt = &visit.attempts[placed.attempt];
    let roles = parts::roles(trace, &placed.tops, below);
    let divided = parts::parts(attempt, outline.last, &roles);
    let flags = below.iter().fold(Flags::default(), |flags, position| flags.or(trace.spans[*position].flags));
    let mut spans: Vec<usize> = below.iter().map(|position| places[*position]).collect();
    spans.sort_unstable();
    let traced = TracedAttempt {
        state: visit.state.to_string(),
        visit: placed.visit,
        attempt: attempt.number,
        redrive: attempt.redrive,
        basis: placed.basis,
        duration_ms: divided.map(|(_, length, _)| parts::milliseconds(length)),
        parts: divided.map(|(parts, ..)| parts),
        function: parts::function(attempt, &roles),
        calls: parts::calls(outline.start, &roles),
        error: flags.error,
        fault: flags.fault,
        throttle: flags.throttle,
        spans,
    };
    (traced, divided.map_or(0, |(.., outside)| outside))
}

/// These spans and all below them.
fn below(tops: &[usize], children: &[Vec<usize>]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut waiting: Vec<usize> = tops.iter().rev().copied().collect();
    while let Some(position) = waiting.pop() {
        found.push(position);
        waiting.extend(children[position].iter().rev());
    }
    found
}

struct DepthFirst {
    list: Vec<SpanReport>,
    /// For each span of the trace, where it stands in `list`.
    places: Vec<usize>,
}

fn depth_first(start: Option<Micros>, trace: &Trace) -> DepthFirst {
    let children = trace.children();
    let mut list: Vec<SpanReport> = Vec::with_capacity(trace.spans.len());
    let mut places = vec![0; trace.spans.len()];
    let mut waiting: Vec<(usize, Option<usize>, usize)> = trace.roots().map(|root| (root, None, 0)).collect();
    waiting.reverse();
    while let Some((position, parent, depth)) = waiting.pop() {
        let place = list.len();
        places[position] = place;
        let span = &trace.spans[position];
        list.push(SpanReport {
            id: span.id.clone(),
            parent,
            depth,
            name: span.name.clone(),
            kind: span.kind,
            origin: span.origin.clone(),
            namespace: span.namespace.clone(),
            operation: span.operation.clone(),
            resource: span.resource.clone(),
            request_id: span.request_id.clone(),
            status: span.status,
            retries: span.retries,
            offset_ms: start.zip(span.start).map(|(start, at)| at.milliseconds_since(start)),
            duration_ms: span.duration_ms(),
            error: span.flags.error,
            fault: span.flags.fault,
            throttle: span.flags.throttle,
            exceptions: parts::exceptions(span),
            inferred: span.inferred,
            role: parts::role(span, trace.parents[position].map(|parent| &trace.spans[parent])),
            visit: None,
            attempt: None,
        });
        waiting.extend(children[position].iter().rev().map(|child| (*child, Some(place), depth + 1)));
    }
    DepthFirst { list, places }
}

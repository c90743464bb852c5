//! Which trace is an execution's.
//!
//! | basis             | what says so                                                                  | sure?    |
//! |-------------------|-------------------------------------------------------------------------------|----------|
//! | `trace_header`    | the execution was started with a trace's id, and DescribeExecution tells it    | yes      |
//! | `execution_arn`   | the trace holds the execution's ARN                                           | yes      |
//! | `response_header` | a service that was called answered with a trace's id                          | yes      |
//! | `request_id`      | a span has the id of a request that the execution made                         | yes      |
//! | `time_and_name`   | of the machine's traces one alone begins, and ends, when the execution does     | likely   |

use std::collections::HashMap;

use serde::Serialize;

use super::outline::Outline;
use crate::model::Micros;
use crate::model::span::{Trace, TraceId};

/// How far apart a trace and an execution may begin, in microseconds, where only time and name tell.
const NEARBY: i64 = 1_000_000;

/// What the joining of a trace and an execution rests on, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceBasis {
    /// The execution was started with the trace's id.
    TraceHeader,
    /// The trace holds the execution's ARN.
    ExecutionArn,
    /// A called service answered with the trace's id.
    ResponseHeader,
    /// A span has the id of a request that the execution made.
    RequestId,
    /// No other trace of the machine begins and ends when the execution does.
    TimeAndName,
}

impl TraceBasis {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::TraceHeader, Self::ExecutionArn, Self::ResponseHeader, Self::RequestId, Self::TimeAndName];

    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TraceHeader => "trace_header",
            Self::ExecutionArn => "execution_arn",
            Self::ResponseHeader => "response_header",
            Self::RequestId => "request_id",
            Self::TimeAndName => "time_and_name",
        }
    }

    /// Whether it leaves no doubt.
    pub fn is_certain(self) -> bool {
        self != Self::TimeAndName
    }
}

/// The trace of an execution.
#[derive(Debug, Clone)]
pub struct Joined<'t> {
    /// The trace.
    pub trace: &'t Trace,
    /// What says so.
    pub basis: TraceBasis,
    /// Other traces of which the same can be said, such as those of a redrive.
    pub others: Vec<&'t Trace>,
}

/// Why no trace is an execution's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unjoined {
    /// There are no traces to choose from.
    NoTraces,
    /// None of so many fits.
    NoneFits(usize),
    /// So many fit by time and name, and nothing tells which.
    Several(usize),
}

/// Traces by what leads to them.
#[derive(Debug)]
pub struct TraceIndex<'t> {
    traces: &'t [Trace],
    by_id: HashMap<&'t TraceId, usize>,
    by_execution: HashMap<&'t str, Vec<usize>>,
    by_request: HashMap<&'t str, usize>,
    /// The segments that a machine of this name may have recorded, with their trace, by start.
    by_machine: HashMap<&'t str, Vec<(Micros, usize, usize)>>,
}

impl<'t> TraceIndex<'t> {
    /// Looks through all spans once.
    pub fn new(traces: &'t [Trace]) -> Self {
        let mut index = Self {
            traces,
            by_id: HashMap::new(),
            by_execution: HashMap::new(),
            by_request: HashMap::new(),
            by_machine: HashMap::new(),
        };
        for (position, trace) in traces.iter().enumerate() {
            index.by_id.extend(trace.id.as_ref().map(|id| (id, position)));
            for (number, span) in trace.spans.iter().enumerate() {
                if let Some(arn) = &span.execution {
                    let known = index.by_execution.entry(arn).or_default();
                    if known.last() != Some(&position) {
                        known.push(position);
                    }
                }
                if let Some(request) = &span.request_id {
                    index.by_request.insert(request, position);
                }
                let may_be_machine = span.is_of_state_machine() || span.is_segment && span.origin.is_none();
                if let Some(start) = span.start.filter(|_| may_be_machine) {
                    index.by_machine.entry(&span.name).or_default().push((start, position, number));
                }
            }
        }
        for segments in index.by_machine.values_mut() {
            segments.sort_unstable();
        }
        index
    }

    /// The trace of an execution, and what says so.
    pub fn join(&self, outline: &Outline<'_>) -> Result<Joined<'t>, Unjoined> {
        if self.traces.is_empty() {
            return Err(Unjoined::NoTraces);
        }
        let mut found: Vec<(TraceBasis, usize)> = Vec::new();
        found.extend(outline.header.as_ref().and_then(|id| self.by_id.get(id)).map(|at| (TraceBasis::TraceHeader, *at)));
        let by_arn = outline.execution.as_deref().and_then(|arn| self.by_execution.get(arn));
        found.extend(by_arn.into_iter().flatten().map(|at| (TraceBasis::ExecutionArn, *at)));
        let attempts = || outline.visits.iter().flat_map(|visit| &visit.attempts);
        let answered = attempts().filter_map(|attempt| self.by_id.get(attempt.trace.as_ref()?));
        found.extend(answered.map(|at| (TraceBasis::ResponseHeader, *at)));
        let requested = attempts().filter_map(|attempt| self.by_request.get(attempt.request_id.as_deref()?));
        found.extend(requested.map(|at| (TraceBasis::RequestId, *at)));
        if found.is_empty() {
            let at = self.by_time(outline)?;
            found.push((TraceBasis::TimeAndName, at));
        }
        // Of one trace the best basis, of one basis the trace that holds most.
        found.sort_by_key(|(basis, at)| (*basis, std::cmp::Reverse(self.traces[*at].spans.len()), *at));
        let (basis, at) = found[0];
        let mut others: Vec<usize> = found.iter().map(|(_, other)| *other).filter(|other| *other != at).collect();
        others.sort_unstable();
        others.dedup();
        Ok(Joined { trace: &self.traces[at], basis, others: others.into_iter().map(|other| &self.traces[other]).collect() })
    }

    fn by_time(&self, outline: &Outline<'_>) -> Result<usize, Unjoined> {
        let none = Unjoined::NoneFits(self.traces.len());
        let machine = outline.machine.as_deref().ok_or(none)?;
        let start = outline.start.ok_or(none)?;
        let segments = self.by_machine.get(machine).ok_or(none)?;
        let first = segments.partition_point(|(begun, ..)| begun.0 < start.0.saturating_sub(NEARBY));
        let nearby = segments[first..].iter().take_while(|(begun, ..)| begun.0 <= start.0.saturating_add(NEARBY));
        let mut fitting: Vec<usize> = nearby.filter(|(_, trace, span)| self.fits(outline, *trace, *span)).map(|(_, trace, _)| *trace).collect();
        fitting.dedup();
        match fitting[..] {
            [only] => Ok(only),
            [] => Err(none),
            _ => Err(Unjoined::Several(fitting.len())),
        }
    }

    /// Whether a segment says nothing that speaks against the execution.
    fn fits(&self, outline: &Outline<'_>, trace: usize, span: usize) -> bool {
        let span = &self.traces[trace].spans[span];
        let is_other = span.execution.is_some() && span.execution.as_deref() != outline.execution.as_deref();
        let ends_apart = outline.stop.zip(span.end).is_some_and(|(stop, end)| stop.0.abs_diff(end.0) > NEARBY.unsigned_abs());
        !is_other && !ends_apart
    }
}

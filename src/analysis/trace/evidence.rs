//! What a trace says of a failure: what the attempt that failed was told by the services it called.

use serde::Serialize;

use super::join::TraceBasis;
use super::parts::{CallReport, ExceptionReport};
use super::report::{TraceReport, TracedAttempt};

/// What the spans of the failed attempt say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceEvidence {
    /// The trace; null where no document names it.
    pub trace_id: Option<String>,
    /// What says that it is this execution's.
    pub basis: TraceBasis,
    /// Which attempt of the failed visit, from 1.
    pub attempt: u32,
    /// Some span was refused: 4xx.
    pub error: bool,
    /// Some span failed: 5xx, or an exception.
    pub fault: bool,
    /// Some span was told to come less often.
    pub throttle: bool,
    /// What was thrown, innermost first, each once.
    pub exceptions: Vec<ExceptionReport>,
    /// Calls to other services, by their start.
    pub downstream: Vec<CallReport>,
}

/// Something to check that the trace leaves no doubt about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceAdvice {
    /// A short name that scripts may rely on.
    pub id: &'static str,
    /// What to check.
    pub text: String,
    /// Whether trying again helps.
    pub retry: &'static str,
}

/// What the trace says of the last attempt of this visit that has spans.
pub fn evidence(report: &TraceReport, visit: usize) -> Option<TraceEvidence> {
    let attempt = report.attempts.iter().rfind(|attempt| attempt.visit == visit)?;
    Some(TraceEvidence {
        trace_id: report.trace_id.clone(),
        basis: report.basis,
        attempt: attempt.attempt,
        error: attempt.error,
        fault: attempt.fault,
        throttle: attempt.throttle,
        exceptions: exceptions(report, attempt),
        downstream: attempt.calls.clone(),
    })
}

/// An exception passes through every span on its way up: each is told once, where it came from.
fn exceptions(report: &TraceReport, attempt: &TracedAttempt) -> Vec<ExceptionReport> {
    let mut found: Vec<ExceptionReport> = Vec::new();
    let mut spans: Vec<_> = attempt.spans.iter().map(|at| &report.spans[*at]).collect();
    spans.sort_by_key(|span| std::cmp::Reverse(span.depth));
    for exception in spans.into_iter().flat_map(|span| &span.exceptions) {
        if !found.iter().any(|known| (&known.kind, &known.message) == (&exception.kind, &exception.message)) {
            found.push(exception.clone());
        }
    }
    found
}

impl TraceEvidence {
    /// What to do, where the trace leaves no doubt: it is surely this execution's, and the last call before the failure was refused.
    pub fn advice(&self) -> Option<TraceAdvice> {
        if !self.basis.is_certain() {
            return None;
        }
        let last = self.downstream.iter().rev().find(|call| call.error || call.fault || call.throttle)?;
        let what = last.what();
        if last.throttle {
            let id = "trace_throttled";
            let text = format!(
                "{what} was throttled inside the failed attempt, as its trace records: raise the capacity or the limit of what was called, \
                 or call it less often"
            );
            return Some(TraceAdvice { id, text, retry: "yes" });
        }
        if last.status.is_some_and(|status| matches!(status, 401 | 403)) {
            let text = format!("{what} was not allowed, as the trace records: check the permissions of the role that called it");
            return Some(TraceAdvice { id: "trace_denied", text, retry: "no" });
        }
        None
    }
}

impl CallReport {
    /// `DynamoDB PutItem on Orders`.
    pub fn what(&self) -> String {
        let operation = self.operation.as_deref().map(|operation| format!(" {operation}")).unwrap_or_default();
        let resource = self.resource.as_deref().map(|resource| format!(" on {resource}")).unwrap_or_default();
        format!("{}{operation}{resource}", self.name)
    }
}

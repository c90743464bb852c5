//! Traces of X-Ray through the API: by id where the execution names one, else those of its machine that began when it did.

use std::collections::BTreeSet;

use crate::analysis::trace::Outline;
use crate::model::span::{Trace, TraceId, TraceSummary};
use crate::model::{ExecutionPath, History, Micros, Timestamp};
use crate::sources::aws::{AwsError, AwsSource, FetchedTraces, NotRead};

/// A trace may begin with a caller, so long before its execution.
const BEFORE: i64 = 60;
/// And so long after it: clocks differ.
const AFTER: i64 = 10;
/// So many traces are read for one execution, those that began nearest to it.
const MOST_CANDIDATES: usize = 50;

/// What is asked for one execution.
#[derive(Debug)]
pub struct Wanted {
    /// Traces that the execution names.
    ids: Vec<TraceId>,
    machine: String,
    /// When it was started and redriven.
    starts: Vec<Timestamp>,
}

/// What came.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The traces.
    pub traces: Vec<Trace>,
    /// What went wrong on the way.
    pub problems: Vec<String>,
    /// What else is to be said.
    pub notes: Vec<String>,
    /// Why there are none.
    pub absence: Option<String>,
}

impl Wanted {
    /// Of an execution; says why X-Ray cannot be asked for it.
    pub fn of_execution(history: &History, path: &ExecutionPath, outline: &Outline<'_>) -> Result<Self, String> {
        let attempts = outline.visits.iter().flat_map(|visit| &visit.attempts);
        let answered = attempts.filter_map(|attempt| attempt.trace.clone());
        let ids: BTreeSet<TraceId> = outline.header.iter().cloned().chain(answered).collect();
        let later = path.runs.iter().skip(1).filter_map(|run| history.events.get(run.first_event)?.timestamp);
        let starts: Vec<Timestamp> = outline.start.map(Micros::timestamp).into_iter().chain(later).collect();
        let machine = outline.machine.as_deref().unwrap_or_default().to_owned();
        if ids.is_empty() && (machine.is_empty() || starts.is_empty()) {
            return Err("X-Ray was not asked: the history names no state machine, or has no times; --trace FILE reads saved traces".to_owned());
        }
        Ok(Self { ids: ids.into_iter().collect(), machine, starts })
    }
}

/// Asks X-Ray. An error means that it could not be asked at all.
pub async fn fetch(source: &AwsSource, wanted: &Wanted) -> Result<Fetched, AwsError> {
    let mut fetched = Fetched::default();
    let mut unknown = 0;
    if !wanted.ids.is_empty() {
        let found = source.traces(&wanted.ids).await?;
        unknown = found.unknown.len();
        if fetched.take(found) {
            return Ok(fetched);
        }
    }
    if wanted.machine.is_empty() || wanted.starts.is_empty() {
        fetched.absence = Some(not_there(&wanted.ids));
        return Ok(fetched);
    }
    let candidates = candidates(source, wanted, &mut fetched).await?;
    if candidates.is_empty() {
        fetched.absence = Some(if unknown > 0 { not_there(&wanted.ids) } else { not_sampled(wanted) });
        return Ok(fetched);
    }
    let found = source.traces(&candidates).await?;
    let listed = candidates.len();
    if !fetched.take(found) && fetched.problems.is_empty() {
        fetched.absence = Some(in_transaction_search(listed));
    }
    Ok(fetched)
}

/// The traces of the machine that began about when the execution did, the nearest ones.
async fn candidates(source: &AwsSource, wanted: &Wanted, fetched: &mut Fetched) -> Result<Vec<TraceId>, AwsError> {
    let mut listed: Vec<(u64, TraceId)> = Vec::new();
    for start in &wanted.starts {
        let moment = |seconds: i64| Timestamp::from_second(start.as_second().saturating_add(seconds)).unwrap_or(*start);
        let listing = source.list_traces(Some(&wanted.machine), moment(-BEFORE), moment(AFTER)).await?;
        fetched.problems.extend(listing.missing.iter().map(words));
        let apart = |id: &TraceId, summary: &TraceSummary| {
            let begun = summary.start.or_else(|| id.time());
            begun.map_or(u64::MAX, |begun| begun.0.abs_diff(Micros::from(*start).0))
        };
        listed.extend(listing.summaries.into_iter().map(|(id, summary)| (apart(&id, &summary), id)));
    }
    listed.sort();
    if listed.len() > MOST_CANDIDATES {
        fetched.notes.push(format!("the {MOST_CANDIDATES} traces that began nearest to the execution were read, of {} around it", listed.len()));
    }
    let mut ids: Vec<TraceId> = listed.into_iter().take(MOST_CANDIDATES).map(|(_, id)| id).collect();
    ids.sort();
    ids.dedup();
    Ok(ids)
}

impl Fetched {
    /// Takes what came; whether anything did.
    pub fn take(&mut self, found: FetchedTraces) -> bool {
        self.problems.extend(found.missing.iter().map(words));
        if let (count @ 1.., Some(first)) = found.bad {
            self.problems.push(format!("{count} documents of traces could not be read; the first: {first}"));
        }
        self.traces.extend(found.traces.into_traces());
        found.came > 0
    }
}

pub fn words(missing: &NotRead) -> String {
    format!("{} were not read: {}", missing.what, missing.reason)
}

fn not_there(ids: &[TraceId]) -> String {
    let named: Vec<String> = ids.iter().take(3).map(ToString::to_string).collect();
    format!(
        "X-Ray does not have the trace that the execution names ({}): its caller decided not to sample it, or it is older than 30 days; \
         where Transaction Search is on, its spans are in the log group aws/spans",
        named.join(", ")
    )
}

fn not_sampled(wanted: &Wanted) -> String {
    let start = wanted.starts.first().map(|start| start.strftime(" around %F %T UTC").to_string()).unwrap_or_default();
    format!(
        "X-Ray has no trace of {}{start}: tracing is off, or the execution was not sampled (by default one a second is, and 5 % of the \
         rest), or it is older than 30 days",
        wanted.machine
    )
}

/// What to say where traces are listed and cannot be had.
pub fn in_transaction_search(listed: usize) -> String {
    let traces = if listed == 1 { "a trace".to_owned() } else { format!("{listed} traces") };
    format!(
        "X-Ray lists {traces} and gives none of their documents: where Transaction Search is on, spans are in the log group aws/spans; save \
         them with `aws logs filter-log-events --log-group-name aws/spans --filter-pattern '\"TRACE ID\"'` and name the file after --trace"
    )
}

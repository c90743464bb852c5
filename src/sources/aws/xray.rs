//! Traces of X-Ray: which there are in a window, and their documents.
//!
//! | call              | how                                                                                       |
//! |-------------------|-------------------------------------------------------------------------------------------|
//! | GetTraceSummaries | the window in pieces of six hours, page by page; what is scanned is charged, so windows are narrow |
//! | BatchGetTraces    | five ids a call, page by page; what comes back unprocessed is asked for again             |
//!
//! A trace that is listed and cannot be had is told: accounts with Transaction Search keep spans in the log group `aws/spans`, where
//! BatchGetTraces does not look.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_xray::types::TraceSummary as SdkSummary;
use aws_smithy_types::DateTime;

use super::{Action, AwsError, AwsSource};
use crate::model::Timestamp;
use crate::model::span::{TraceId, TraceSummary};
use crate::sources::xray::{Found, TraceSet};

/// The longest window that every account takes, in seconds.
const WINDOW: i64 = 6 * 3_600;
/// Ids of a call.
const BATCH: usize = 5;
/// How often what came back unprocessed is asked for again without any of it having come.
const PATIENCE: u32 = 3;
/// More pages than any window has traces.
const MOST_PAGES: usize = 10_000;

/// Which traces there are in a window.
#[derive(Debug, Default)]
pub struct TraceListing {
    /// The traces, in the order of their ids, which is that of time.
    pub summaries: BTreeMap<TraceId, TraceSummary>,
    /// What was not looked at, and why.
    pub missing: Vec<NotRead>,
}

/// What the API gave of some traces.
#[derive(Debug, Default)]
pub struct FetchedTraces {
    /// The traces.
    pub traces: TraceSet,
    /// How many came.
    pub came: usize,
    /// Traces that the API says nothing of.
    pub unknown: Vec<TraceId>,
    /// What did not come, and why.
    pub missing: Vec<NotRead>,
    /// Documents that are none, and why the first of them is none.
    pub bad: (usize, Option<String>),
}

/// Something that was asked for and did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRead {
    /// What.
    pub what: String,
    /// Why.
    pub reason: String,
}

impl AwsSource {
    /// The traces that began between two moments; where a state machine is named, those that it took part in.
    ///
    /// An error means that nothing came at all.
    pub async fn list_traces(&self, machine: Option<&str>, from: Timestamp, until: Timestamp) -> Result<TraceListing, AwsError> {
        let mut listing = TraceListing::default();
        let filter = machine.map(filter_of);
        let mut begin = from.as_second();
        let end = until.as_second().saturating_add(i64::from(until.subsec_nanosecond() > 0)).max(begin + 1);
        while begin < end {
            let piece = (begin, begin.saturating_add(WINDOW).min(end));
            if let Err(error) = self.list_piece(filter.as_deref(), piece, &mut listing.summaries).await {
                if listing.summaries.is_empty() && begin == from.as_second() {
                    return Err(error);
                }
                let moment = |seconds: i64| Timestamp::from_second(seconds).map(|at| at.to_string()).unwrap_or_default();
                let what = format!("the traces from {} to {}", moment(begin), moment(end));
                listing.missing.push(NotRead { what, reason: error.to_string() });
                break;
            }
            begin = piece.1;
        }
        Ok(listing)
    }

    async fn list_piece(
        &self,
        filter: Option<&str>,
        (begin, end): (i64, i64),
        found: &mut BTreeMap<TraceId, TraceSummary>,
    ) -> Result<(), AwsError> {
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let request = self.xray().get_trace_summaries().start_time(DateTime::from_secs(begin)).end_time(DateTime::from_secs(end));
            let request = request.set_filter_expression(filter.map(str::to_owned)).set_next_token(token.clone());
            let page = self.send(Action::GetTraceSummaries, "*", || request.clone().send()).await?;
            let listed = page.trace_summaries.unwrap_or_default();
            found.extend(listed.into_iter().filter_map(|item| Some((item.id.as_deref()?.parse().ok()?, summary(&item)))));
            match page.next_token.filter(|token| !token.is_empty()) {
                None => return Ok(()),
                next if next == token => {
                    return Err(self.call(Action::GetTraceSummaries, "*").endless("a page names itself as the next one"));
                }
                next => token = next,
            }
        }
        Err(self.call(Action::GetTraceSummaries, "*").endless("more pages than there can be traces"))
    }

    /// The documents of traces. An error means that nothing came at all.
    pub async fn traces(&self, ids: &[TraceId]) -> Result<FetchedTraces, AwsError> {
        let mut fetched = FetchedTraces::default();
        let mut rounds = PATIENCE;
        let mut waiting: Vec<TraceId> = ids.to_vec();
        let mut heard_of = BTreeSet::new();
        while !waiting.is_empty() {
            let mut unprocessed = Vec::new();
            for (number, batch) in waiting.chunks(BATCH).enumerate() {
                if let Err(error) = self.batch(batch, &mut fetched, &mut heard_of, &mut unprocessed).await {
                    if fetched.came == 0 && heard_of.is_empty() {
                        return Err(error);
                    }
                    let left = waiting.len() - number * BATCH + unprocessed.len();
                    fetched.missing.push(NotRead { what: format!("{left} traces of {}", ids.len()), reason: error.to_string() });
                    heard_of.extend(waiting[number * BATCH..].iter().cloned());
                    unprocessed.clear();
                    break;
                }
            }
            if unprocessed.len() == waiting.len() {
                rounds -= 1;
            }
            if rounds == 0 {
                let reason = "X-Ray gave them back unprocessed every time; try again in a minute".to_owned();
                fetched.missing.push(NotRead { what: format!("{} traces of {}", unprocessed.len(), ids.len()), reason });
                break;
            }
            waiting = unprocessed;
        }
        fetched.unknown = ids.iter().filter(|id| !heard_of.contains(*id)).cloned().collect();
        Ok(fetched)
    }

    async fn batch(
        &self,
        batch: &[TraceId],
        fetched: &mut FetchedTraces,
        heard_of: &mut BTreeSet<TraceId>,
        unprocessed: &mut Vec<TraceId>,
    ) -> Result<(), AwsError> {
        let mut token: Option<String> = None;
        let mut left_out = BTreeSet::new();
        for _ in 0..MOST_PAGES {
            let ids = batch.iter().map(ToString::to_string).collect();
            let request = self.xray().batch_get_traces().set_trace_ids(Some(ids)).set_next_token(token.clone());
            let page = self.send(Action::BatchGetTraces, "*", || request.clone().send()).await?;
            for trace in page.traces.unwrap_or_default() {
                let Some(id) = trace.id.as_deref().and_then(|id| id.parse::<TraceId>().ok()) else { continue };
                for segment in trace.segments.unwrap_or_default() {
                    let found = fetched.traces.add_document(Some(&id), segment.document.as_deref().unwrap_or_default());
                    count_bad(&mut fetched.bad, found);
                }
                if trace.limit_exceeded == Some(true) {
                    fetched.traces.limit_exceeded(&id);
                }
                fetched.came += usize::from(heard_of.insert(id));
            }
            left_out.extend(page.unprocessed_trace_ids.unwrap_or_default().iter().filter_map(|id| id.parse::<TraceId>().ok()));
            match page.next_token.filter(|token| !token.is_empty()) {
                None => {
                    let again: Vec<TraceId> = left_out.into_iter().filter(|id| !heard_of.contains(id)).collect();
                    // They are known to be there.
                    unprocessed.extend(again);
                    return Ok(());
                }
                next if next == token => return Err(self.call(Action::BatchGetTraces, "*").endless("a page names itself as the next one")),
                next => token = next,
            }
        }
        Err(self.call(Action::BatchGetTraces, "*").endless("more pages than five traces can have"))
    }
}

fn count_bad(bad: &mut (usize, Option<String>), found: Found) {
    bad.0 += found.bad;
    bad.1 = bad.1.take().or(found.first_bad);
}

/// The traces that a state machine took part in. Names hold no quotation marks; one that does would end the expression.
fn filter_of(machine: &str) -> String {
    let name: String = machine.chars().filter(|character| !matches!(character, '"' | '\\')).collect();
    format!("service(id(name: \"{name}\", type: \"AWS::StepFunctions::StateMachine\"))")
}

fn summary(item: &SdkSummary) -> TraceSummary {
    let start = item.start_time.as_ref().and_then(|start| Timestamp::new(start.secs(), i32::try_from(start.subsec_nanos()).ok()?).ok());
    TraceSummary {
        start: start.map(crate::model::Micros::from),
        duration_ms: item.duration.map(|seconds| seconds * 1000.0),
        has_fault: item.has_fault == Some(true),
        has_error: item.has_error == Some(true),
        has_throttle: item.has_throttle == Some(true),
        is_partial: item.is_partial == Some(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_asked_for_by_name_and_type() {
        assert_eq!(filter_of("Orders"), r#"service(id(name: "Orders", type: "AWS::StepFunctions::StateMachine"))"#);
        assert_eq!(filter_of(r#"Or"ders"#), filter_of("Orders"));
    }
}

//! What is known of an execution that a trace can be held against: names, moments, ids of requests.

use std::borrow::Cow;

use serde::Deserialize;

use crate::model::path::{Attempt, Visit};
use crate::model::span::TraceId;
use crate::model::{ExecutionFacts, ExecutionPath, History, Micros, StateMachineArn, Timestamp};

/// One execution. Visits and attempts stand in the order in which the path or the facts have them.
#[derive(Debug, Clone, Default)]
pub struct Outline<'a> {
    /// Its ARN.
    pub execution: Option<Cow<'a, str>>,
    /// The name of its state machine.
    pub machine: Option<Cow<'a, str>>,
    /// When it started.
    pub start: Option<Micros>,
    /// When it ended; `None` while it runs.
    pub stop: Option<Micros>,
    /// The last moment that is known of it.
    pub last: Option<Micros>,
    /// The trace that its caller named.
    pub header: Option<TraceId>,
    /// Its visits.
    pub visits: Vec<OutlineVisit<'a>>,
}

/// One visit.
#[derive(Debug, Clone, Default)]
pub struct OutlineVisit<'a> {
    /// The state; empty where nothing tells.
    pub state: Cow<'a, str>,
    /// When it was entered.
    pub entered: Option<Micros>,
    /// When its last event happened.
    pub left: Option<Micros>,
    /// Its attempts; none of a Parallel or Map.
    pub attempts: Vec<OutlineAttempt>,
}

/// One attempt of a Task.
#[derive(Debug, Clone, Default)]
pub struct OutlineAttempt {
    /// From 1; a redrive starts again at 1.
    pub number: u32,
    /// After how many redrives.
    pub redrive: u32,
    /// When it was scheduled.
    pub scheduled: Option<Micros>,
    /// When it was started.
    pub started: Option<Micros>,
    /// When it ended; `None` while it is under way.
    pub ended: Option<Micros>,
    /// The id of its request, where its result or its cause tells.
    pub request_id: Option<String>,
    /// The trace that the service's answer named.
    pub trace: Option<TraceId>,
}

impl<'a> Outline<'a> {
    /// Of a history and its path.
    pub fn of_history(history: &'a History, path: &'a ExecutionPath) -> Self {
        let header = &history.header;
        let at = |index: Option<usize>| history.events.get(index?)?.timestamp.map(Micros::from);
        let times = || history.events.iter().filter_map(|event| event.timestamp);
        let start = header.start.or_else(|| times().next());
        let last = times().next_back().or(header.stop).map(Micros::from);
        let machine = header.state_machine_arn.as_ref().map(|arn| Cow::Owned(arn.name().to_owned()));
        let is_over = path.status.or(header.status).is_some_and(crate::model::ExecutionStatus::is_closed);
        let visit = |visit: &'a Visit| OutlineVisit {
            state: visit.state.as_ref().map(crate::model::RawText::decode).unwrap_or_default(),
            entered: at(visit.entered.or(Some(visit.first_event))),
            left: at(visit.exited.or(visit.aborted).or(Some(visit.last_event))),
            attempts: if visit.scopes.is_empty() { attempts(history, visit) } else { Vec::new() },
        };
        Self {
            execution: header.arn.as_ref().map(|arn| Cow::Borrowed(arn.as_str())),
            machine: machine.or_else(|| header.arn.as_ref().map(|arn| Cow::Owned(arn.state_machine().name().to_owned()))),
            start: start.map(Micros::from),
            stop: header.stop.map(Micros::from).or(last).filter(|_| is_over),
            last,
            header: trace_header(history),
            visits: path.visits.iter().map(visit).collect(),
        }
    }

    /// Of the facts of an execution. Ids of requests are not among them.
    pub fn of_facts(facts: &'a ExecutionFacts<'a>) -> Self {
        let attempts = |visit: u32| {
            let of_task = facts.attempts_of(visit).iter().filter(|attempt| attempt.pattern != Some(crate::model::facts::Pattern::Scopes));
            of_task
                .map(|attempt| OutlineAttempt {
                    number: attempt.number,
                    redrive: attempt.redrive,
                    scheduled: attempt.scheduled,
                    started: attempt.started,
                    ended: attempt.ended,
                    request_id: None,
                    trace: None,
                })
                .collect()
        };
        let machine = facts.state_machine.and_then(|arn| arn.parse::<StateMachineArn>().ok());
        let visits = facts.visits.iter().map(|visit| OutlineVisit {
            state: Cow::Borrowed(visit.state),
            entered: visit.entered,
            left: visit.exited.or(visit.last_event),
            attempts: attempts(visit.visit),
        });
        Self {
            execution: facts.execution.starts_with("arn:").then_some(Cow::Borrowed(facts.execution)),
            machine: machine.map(|arn| Cow::Owned(arn.name().to_owned())),
            start: facts.start,
            stop: facts.stop,
            last: facts.last_event,
            header: None,
            visits: visits.collect(),
        }
    }

    /// How many attempts of Tasks there are.
    pub fn attempts(&self) -> usize {
        self.visits.iter().map(|visit| visit.attempts.len()).sum()
    }
}

fn attempts(history: &History, visit: &Visit) -> Vec<OutlineAttempt> {
    visit.attempts.iter().map(|attempt| of_attempt(history, attempt)).collect()
}

fn of_attempt(history: &History, attempt: &Attempt) -> OutlineAttempt {
    let at = |index: Option<usize>| -> Option<Micros> {
        let time: Option<Timestamp> = history.events.get(index?)?.timestamp;
        time.map(Micros::from)
    };
    let told = [attempt.ended, attempt.submitted].into_iter().flatten().filter_map(|index| history.events.get(index));
    let texts = told.filter_map(|event| event.output().map(|payload| &payload.text).or(event.cause()));
    let answers: Vec<Answer> = texts.filter_map(|text| serde_json::from_str(&text.decode()).ok()).collect();
    OutlineAttempt {
        number: attempt.number,
        redrive: attempt.run,
        scheduled: at(attempt.scheduled.or(attempt.started)),
        started: at(attempt.started),
        ended: at(attempt.ended),
        request_id: answers.iter().find_map(|answer| answer.request_id.clone().or(answer.metadata.as_ref()?.request_id.clone())),
        trace: answers.iter().find_map(|answer| answer.http.as_ref()?.trace()),
    }
}

/// What services answer, and what a function's failure says, as far as it leads to a trace.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "requestId", alias = "RequestId", default, deserialize_with = "text_or_nothing")]
    request_id: Option<String>,
    #[serde(rename = "SdkResponseMetadata", default)]
    metadata: Option<Metadata>,
    #[serde(rename = "SdkHttpMetadata", default)]
    http: Option<HttpMetadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "RequestId", default)]
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct HttpMetadata {
    #[serde(rename = "AllHttpHeaders", default)]
    headers: std::collections::BTreeMap<String, serde_json::Value>,
}

impl HttpMetadata {
    fn trace(&self) -> Option<TraceId> {
        let (_, value) = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amzn-trace-id"))?;
        value.as_str().or_else(|| value.get(0)?.as_str())?.parse().ok()
    }
}

/// Payloads are anybody's: a member of this name may be of any type.
fn text_or_nothing<'d, D: serde::Deserializer<'d>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().map(str::to_owned))
}

/// What StartExecution was given as `traceHeader`; DescribeExecution tells it, no event does.
fn trace_header(history: &History) -> Option<TraceId> {
    let (_, text) = history.header.unknown.iter().find(|(name, _)| name == "traceHeader")?;
    text.decode().trim_matches('"').parse().ok()
}

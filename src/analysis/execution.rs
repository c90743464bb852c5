//! What every question tells of an execution and its visits: the header, what is missing, what is called and waited for.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::model::facts::Pattern;
use crate::model::path::{Attempt, AttemptOutcome, Visit};
use crate::model::{Details, EventType, ExecutionPath, ExecutionStatus, Gap, History, HistoryEvent, RawText, StateType, Timestamp, time};

/// Tasks without `TimeoutSeconds` have this many seconds: none, in effect.
const NO_TIME_LIMIT: u64 = 99_999_999;

/// The execution's header.
#[derive(Debug, Clone, Serialize)]
pub struct ExecutionSummary {
    /// ARN; null for a bare history.
    pub arn: Option<String>,
    /// Its name; null for a bare history.
    pub name: Option<String>,
    /// ARN of the state machine; null for a bare history.
    pub state_machine: Option<String>,
    /// Status of the service; null when nothing tells.
    pub status: Option<ExecutionStatus>,
    /// ISO 8601, UTC; null where only failures were logged.
    pub start: Option<Timestamp>,
    /// ISO 8601, UTC; null while it runs.
    pub stop: Option<Timestamp>,
    /// From start to stop, or to the last event of a running one.
    pub duration_ms: Option<i64>,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// How many events were read.
    pub events: usize,
    /// Where the history was read: a path, an ARN, `standard input`; with line or entry where the source holds several.
    pub origin: String,
    /// What to name on the command line to read it again.
    #[serde(skip)]
    pub exec: String,
    /// The folder of the store that it was read from.
    #[serde(skip)]
    pub store: Option<String>,
    /// Whether its definition came with it, so that it can be run again here.
    #[serde(skip)]
    pub has_definition: bool,
    /// The console's page.
    pub console_url: Option<String>,
}

/// Something that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incomplete {
    /// A short name that scripts may rely on.
    pub id: &'static str,
    /// A sentence without a full stop.
    pub text: String,
}

/// What an open visit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// Time to pass.
    Time,
    /// A callback with a task token.
    Callback,
    /// A child execution.
    ChildExecution,
    /// A job (`.sync`).
    Job,
    /// The answer of a call that is under way.
    Task,
    /// A call that was scheduled and not started.
    TaskStart,
    /// An activity worker to poll.
    ActivityWorker,
    /// An activity worker to answer.
    Activity,
    /// The delay before a retry.
    Retry,
    /// Branches or iterations.
    Scopes,
    /// The children of a Map Run.
    MapRun,
    /// Nothing in the history tells.
    Unknown,
}

/// The status by the history's last end, else by the description.
pub fn status(history: &History, path: &ExecutionPath) -> Option<ExecutionStatus> {
    path.status.or(history.header.status)
}

/// When it started, by the description, else by the first event.
pub fn start(history: &History) -> Option<Timestamp> {
    history.header.start.or_else(|| history.events.iter().find_map(|event| event.timestamp))
}

/// When an execution of this status ended, by the description, else by the last event; `None` while it runs.
pub fn stop(history: &History, status: Option<ExecutionStatus>) -> Option<Timestamp> {
    let is_over = status.is_some_and(|status| !matches!(status, ExecutionStatus::Running | ExecutionStatus::PendingRedrive));
    if is_over { history.header.stop.or_else(|| last_moment(history)) } else { None }
}

/// The time of the last event that has one.
pub fn last_moment(history: &History) -> Option<Timestamp> {
    history.events.iter().rev().find_map(|event| event.timestamp)
}

/// How often it was redriven, by the description or by the history, whichever knows of more.
pub fn redrive_count(history: &History, path: &ExecutionPath) -> u64 {
    history.header.redrive_count.unwrap_or(0).max(path.runs.len().saturating_sub(1) as u64)
}

/// The execution's header, with what the history itself tells where nobody described the execution.
pub fn summary(history: &History, path: &ExecutionPath) -> ExecutionSummary {
    let header = &history.header;
    let status = status(history, path);
    // The first of the failures that were logged is not the beginning.
    let start = start(history).filter(|_| history.header.start.is_some() || !is_failures_only(history));
    let last = last_moment(history);
    let stop = stop(history, status);
    ExecutionSummary {
        arn: header.arn.as_ref().map(ToString::to_string),
        name: header.name.clone().or_else(|| header.arn.as_ref().map(|arn| arn.name().to_owned())),
        state_machine: header.state_machine_arn.as_ref().map(ToString::to_string),
        status,
        start,
        stop,
        duration_ms: between(start, stop.or(last)),
        redrive_count: redrive_count(history, path),
        events: history.events.len(),
        origin: history.origin.to_string(),
        exec: exec(history),
        store: history.origin.store.clone(),
        has_definition: history.definition.is_some(),
        console_url: header.arn.as_ref().and_then(crate::model::ExecutionArn::console_url),
    }
}

/// The words of a command line that name the execution, quoted for a POSIX shell.
fn exec(history: &History) -> String {
    let source = match history.origin.source.as_str() {
        "standard input" => "-",
        source => source,
    };
    let name = history.header.name.as_deref().filter(|_| history.origin.part.is_some());
    let origin = &history.origin;
    let flags = [("--execution", name), ("--definitions", origin.definitions.as_deref()), ("--store", origin.store.as_deref())];
    let flags = flags.iter().filter_map(|(flag, value)| Some(format!(" {flag} {}", quoted((*value)?))));
    quoted(source) + &flags.collect::<String>()
}

/// Quoted for a POSIX shell where it needs to be.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// What is known to be missing: in the history, and where the path could not be sure.
pub fn incomplete(history: &History, path: &ExecutionPath) -> Vec<Incomplete> {
    let mut found: Vec<Incomplete> = history.gaps.iter().map(missing).collect();
    let id = |event: &usize| history.events.get(*event).map(|event| event.id);
    // Where only failures were logged, every link leads nowhere, and nothing was placed by it.
    let links_tell = !is_failures_only(history);
    if let Some(first) = path.broken_links.first().and_then(id).filter(|_| links_tell) {
        found.push(missing(&Gap::BrokenLinks { events: path.broken_links.len(), first }));
    }
    if let Some(first) = path.unplaced.first().and_then(id) {
        found.push(missing(&Gap::UnplacedEvents { events: path.unplaced.len(), first }));
    }
    found
}

/// Whether the history was made of log records, and nothing but failures was logged.
pub fn is_failures_only(history: &History) -> bool {
    history.gaps.iter().any(|gap| matches!(gap, Gap::LoggedOnly { .. }))
}

/// A gap as reports hold it.
pub fn missing(gap: &Gap) -> Incomplete {
    Incomplete { id: gap.id(), text: gap.to_string() }
}

/// Milliseconds from one moment to another, where both are known.
pub fn between(start: Option<Timestamp>, end: Option<Timestamp>) -> Option<i64> {
    start.zip(end).map(|(start, end)| time::milliseconds_between(start, end))
}

/// What an attempt called, in two parts that stand where they were read. Displays as `lambda:invoke`, or as an ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource<'h> {
    /// The service of an integration: `lambda`. `None` for the ARN of a function or an Activity.
    pub service: Option<Cow<'h, str>>,
    /// What of it: `invoke`, `sendMessage.waitForTaskToken`; or an ARN.
    pub action: Cow<'h, str>,
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.service {
            Some(service) => write!(f, "{service}:{}", self.action),
            None => f.write_str(&self.action),
        }
    }
}

impl Resource<'_> {
    /// Who answers what an integration of this name calls.
    pub fn pattern(&self) -> Pattern {
        match self.action.rsplit_once('.') {
            Some((_, "waitForTaskToken")) => Pattern::Callback,
            Some((call, suffix)) if suffix.starts_with("sync") => {
                if call.ends_with("startExecution") {
                    Pattern::ChildExecution
                } else {
                    Pattern::Job
                }
            }
            _ => Pattern::Call,
        }
    }
}

/// What an attempt called; `None` where no event of it says so.
pub fn resource<'h>(history: &'h History, attempt: &Attempt) -> Option<Resource<'h>> {
    let events = [attempt.scheduled, attempt.started, attempt.submitted, attempt.ended];
    events.into_iter().flatten().find_map(|index| resource_of(&history.events[index]))
}

fn resource_of(event: &HistoryEvent) -> Option<Resource<'_>> {
    let (service, action) = match &event.details {
        Details::Scheduled(scheduled) => (&scheduled.resource_type, &scheduled.resource),
        Details::Started(started) => (&started.resource_type, &started.resource),
        Details::Output(output) => (&output.resource_type, &output.resource),
        Details::Failure(failure) => (&failure.resource_type, &failure.resource),
        _ => return None,
    };
    let direct = matches!(event.kind, EventType::LambdaFunctionScheduled | EventType::ActivityScheduled);
    Some(Resource { service: service.as_ref().filter(|_| !direct).map(RawText::decode), action: action.as_ref()?.decode() })
}

/// Who answers an attempt of a Task that called `resource`.
pub fn pattern(history: &History, attempt: &Attempt, resource: Option<&Resource<'_>>) -> Pattern {
    let mut events = [attempt.scheduled, attempt.started, attempt.ended].into_iter().flatten();
    if events.any(|index| is_of_activity(history.events[index].kind)) {
        return Pattern::Activity;
    }
    resource.map_or(Pattern::Call, Resource::pattern)
}

fn is_of_activity(kind: EventType) -> bool {
    use EventType::{ActivityFailed, ActivityScheduleFailed, ActivityScheduled, ActivityStarted, ActivitySucceeded, ActivityTimedOut};
    matches!(kind, ActivityScheduled | ActivityStarted | ActivitySucceeded | ActivityFailed | ActivityTimedOut | ActivityScheduleFailed)
}

/// The seconds of a time limit; `None` for a Task without one, of which the service says that it has very many.
pub fn time_limit(seconds: Option<u64>) -> Option<u64> {
    seconds.filter(|seconds| *seconds < NO_TIME_LIMIT)
}

/// `TimeoutSeconds` of a machine, in its definition's JSON text; `None` where it has none that is a number of seconds.
pub fn time_limit_of_machine(definition: &str) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Machine {
        #[serde(rename = "TimeoutSeconds")]
        timeout_seconds: Option<u64>,
    }
    serde_json::from_str::<Machine>(definition).ok()?.timeout_seconds
}

/// The ARN of the execution that an attempt started and waited for.
pub fn child(history: &History, attempt: &Attempt) -> Option<String> {
    let resource = resource(history, attempt)?.action;
    if !resource.contains("startExecution.sync") && !resource.contains("startExecution.waitForTaskToken") {
        return None;
    }
    let submitted = attempt.submitted.and_then(|index| history.events[index].output());
    let from_submitted = submitted.and_then(|output| execution_arn_in(&output.text));
    from_submitted.or_else(|| execution_arn_in(attempt.ended.and_then(|index| history.events[index].cause())?))
}

fn execution_arn_in(text: &RawText) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        execution_arn: String,
    }
    serde_json::from_str::<Answer>(&text.decode()).ok().map(|answer| answer.execution_arn)
}

/// What a visit that nothing has ended waits for.
pub fn waits_for(history: &History, visit: &Visit) -> WaitsFor {
    match visit.state_type {
        Some(StateType::Wait) => return WaitsFor::Time,
        Some(StateType::Map) if !visit.map_runs.is_empty() => return WaitsFor::MapRun,
        Some(StateType::Map | StateType::Parallel) => return WaitsFor::Scopes,
        Some(StateType::Task) | None => {}
        Some(_) => return WaitsFor::Unknown,
    }
    let Some(attempt) = visit.attempts.last() else { return WaitsFor::Unknown };
    match attempt.outcome {
        AttemptOutcome::Failed | AttemptOutcome::TimedOut => return WaitsFor::Retry,
        AttemptOutcome::Succeeded => return WaitsFor::Unknown,
        AttemptOutcome::Open | AttemptOutcome::Aborted => {}
    }
    let is_started = attempt.started.is_some() || attempt.submitted.is_some();
    match (pattern(history, attempt, resource(history, attempt).as_ref()), is_started) {
        (Pattern::Activity, false) => WaitsFor::ActivityWorker,
        (Pattern::Activity, true) => WaitsFor::Activity,
        (_, false) => WaitsFor::TaskStart,
        // A function that is invoked with a token may be answered for before the invocation returns.
        (Pattern::Callback, true) => WaitsFor::Callback,
        (Pattern::ChildExecution, true) => WaitsFor::ChildExecution,
        (Pattern::Job, true) => WaitsFor::Job,
        (Pattern::Call | Pattern::Scopes, true) => WaitsFor::Task,
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        let arn = "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1";
        assert_eq!(quoted(arn), arn);
        assert_eq!(quoted("Good? $(rm)"), "'Good? $(rm)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}

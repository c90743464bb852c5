//! What to ask CloudWatch Logs for: which group, which lines of it, from when to when.

use jiff::SignedDuration;

use super::report::{Logged, TaskLog};
use super::task::Task;
use crate::analysis::why::{Finding, Kind};
use crate::model::{ExecutionArn, Timestamp};

/// Before the attempt was scheduled: clocks differ.
const BEFORE: SignedDuration = SignedDuration::from_secs(1);

/// After its end: what a job still writes as it ends, and what a function's extensions do.
const AFTER_JOB: SignedDuration = SignedDuration::from_mins(5);
const AFTER_FUNCTION: SignedDuration = SignedDuration::from_mins(1);

/// A function runs for this long at most, whoever still waits for it.
const LONGEST_FUNCTION: SignedDuration = SignedDuration::from_mins(15);

/// What the user asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// A log group instead of the default one: a name or an ARN.
    pub log_group: Option<&'a str>,
    /// The region for what no ARN names one.
    pub region: Option<&'a str>,
}

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuestion {
    /// Whose log.
    pub task: Logged,
    /// Its name.
    pub name: Option<String>,
    /// The function's version, when a number names it: its environments serve no other.
    pub version: Option<String>,
    /// The account of the function, when its ARN names another one than the execution's.
    pub account: Option<String>,
    /// Where to ask; `None` when nothing says so.
    pub region: Option<String>,
    /// The group's name or ARN.
    pub group: String,
    /// Whether the user named the group.
    pub is_named: bool,
    /// Which lines.
    pub search: Search,
    /// The first moment to look at.
    pub from: Timestamp,
    /// The last moment to look at.
    pub until: Timestamp,
    /// When the attempt was scheduled.
    pub scheduled: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Whether it ended because the task answered.
    pub is_answered: bool,
    /// Whether the cause says that the process was killed.
    pub was_killed: bool,
    /// The attempt, from 1.
    pub attempt: Option<u32>,
}

/// How lines are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// An invocation, by its request id.
    Request(String),
    /// An invocation, by its time; with words of the error that its log may hold.
    Invocations(Option<String>),
    /// The streams of a job.
    Streams(Streams),
}

/// Which streams of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Streams {
    /// All.
    All,
    /// The one of this name.
    Named(String),
    /// Those whose names begin so.
    Beginning(String),
    /// Those whose names end so.
    Ending(String),
}

impl Streams {
    /// Whether a stream is one of them.
    pub fn has(&self, stream: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(name) => stream == name,
            Self::Beginning(prefix) => stream.starts_with(prefix.as_str()),
            Self::Ending(suffix) => stream.ends_with(suffix.as_str()),
        }
    }

    /// How all of them begin, for a service that looks no further.
    pub fn prefix(&self) -> &str {
        match self {
            Self::Named(text) | Self::Beginning(text) => text,
            Self::All | Self::Ending(_) => "",
        }
    }
}

/// Why there is nothing to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoLog {
    /// What kind of task it was, when it was one that writes a log.
    pub task: Option<Logged>,
    /// A sentence with the next step.
    pub text: String,
    /// Whether there may be lines all the same.
    pub is_missing: bool,
}

impl NoLog {
    /// Nothing was written.
    pub(super) fn silent(text: impl Into<String>) -> Self {
        Self { task: None, text: text.into(), is_missing: false }
    }

    /// Where it was written is not known.
    pub(super) fn unknown(task: Option<Logged>, text: impl Into<String>) -> Self {
        Self { task, text: text.into(), is_missing: true }
    }

    /// As a report holds it.
    pub fn report(self) -> TaskLog {
        TaskLog { task: self.task, note: Some(self.text), is_missing: self.is_missing, ..TaskLog::default() }
    }
}

/// What to ask for the log of the attempt that failed last.
pub fn question(cause: &Finding, ask: Ask<'_>) -> Result<LogQuestion, NoLog> {
    if let Some(child) = &cause.child {
        return Err(NoLog::unknown(
            None,
            format!("the failure lies in the child execution, which was not read: ask for its log with `stepscope why {child} --logs`"),
        ));
    }
    let Some(resource) = cause.resource.as_deref() else { return Err(without_resource(cause)) };
    if cause.kind == Kind::ScheduleFailed {
        return Err(NoLog::silent("the task was never started, so it wrote no log"));
    }
    let task = Task::of(cause, resource)?;
    let (Some(scheduled), Some(ended)) = times(cause) else {
        return Err(NoLog::unknown(None, "the history does not say when the task ran, so its log cannot be found by time"));
    };
    let group = match (ask.log_group, task.group) {
        (Some(named), _) => named.to_owned(),
        (None, Some(group)) => group,
        (None, None) => {
            return Err(NoLog { task: task.is_logged.then_some(task.kind), text: task.without_group, is_missing: task.is_logged });
        }
    };
    let is_function = task.kind == Logged::Function;
    let is_callback = resource.ends_with(".waitForTaskToken");
    let is_answered = cause.kind == Kind::TaskFailed && !is_callback;
    let until = match (is_function, is_answered) {
        (true, false) => later(scheduled, LONGEST_FUNCTION).max(if is_callback { scheduled } else { ended }),
        _ => ended,
    };
    let of_group = ask.log_group.filter(|group| group.starts_with("arn:")).and_then(|arn| arn.split(':').nth(3)).map(str::to_owned);
    let execution = cause.execution.as_deref().and_then(|arn| arn.parse::<ExecutionArn>().ok());
    let of_execution = execution.as_ref().map(|arn| arn.region().to_owned());
    let is_own = |account: &String| execution.as_ref().is_some_and(|execution| execution.account() == account);
    let of_call = cause.call.as_ref().and_then(|call| call.region.clone());
    Ok(LogQuestion {
        task: task.kind,
        name: task.name,
        version: task.version,
        account: task.account.filter(|account| !is_own(account)),
        region: of_group.or(task.region).or(of_call).or(of_execution).or_else(|| ask.region.map(str::to_owned)),
        group,
        is_named: ask.log_group.is_some(),
        search: task.search,
        from: scheduled.checked_sub(BEFORE).unwrap_or(scheduled),
        until: later(until, if is_function { AFTER_FUNCTION } else { AFTER_JOB }),
        scheduled,
        ended,
        is_answered,
        was_killed: cause.cause.as_deref().is_some_and(|cause| cause.contains("signal: killed")),
        attempt: cause.attempts.last().map(|attempt| attempt.number),
    })
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(moment)
}

/// For a state that called nothing, as far as is known.
fn without_resource(cause: &Finding) -> NoLog {
    match cause.state_type {
        _ if cause.state.is_none() => NoLog::silent("no single state is at fault, so there is no task whose log could tell"),
        Some("Task") | None => NoLog::unknown(None, "the history does not say what the state called, so it is not known who wrote a log"),
        Some(other) => NoLog::silent(format!("only tasks have a log of their own, and the state at fault is a {other} state")),
    }
}

/// From when to when the last attempt ran; the failure's own time where the history has no other.
fn times(cause: &Finding) -> (Option<Timestamp>, Option<Timestamp>) {
    let call = cause.call.as_ref();
    let ended = call.and_then(|call| call.ended).or(cause.time);
    let lasted = cause.attempts.last().and_then(|attempt| attempt.duration_ms).unwrap_or(0);
    let before_end = ended.and_then(|ended| ended.checked_sub(SignedDuration::from_millis(lasted)).ok());
    (call.and_then(|call| call.scheduled).or(before_end), ended)
}

//! What `why --logs` tells of the log of a task, as `docs/json.md` fixes it.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::Timestamp;

/// The log of the attempt that failed, or why there is none.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TaskLog {
    /// Whose log it is; null for a state that ran no task of its own.
    pub task: Option<Logged>,
    /// The function's or the job's name.
    pub name: Option<String>,
    /// The region that was asked.
    pub region: Option<String>,
    /// The log group; null when it is not known.
    pub group: Option<String>,
    /// The stream; null when lines of several are shown, or none.
    pub stream: Option<String>,
    /// The request id of the invocation that is shown.
    pub request_id: Option<String>,
    /// How the lines were found; null when none were looked for.
    pub basis: Option<LogBasis>,
    /// How many invocations may be the one; 1 when it is certain, null when none were looked for.
    pub candidates: Option<usize>,
    /// The attempt, from 1.
    pub attempt: Option<u32>,
    /// The task's lines in their order; those of the platform are in `report`.
    pub lines: Vec<LogLine>,
    /// How many lines are left out between the first and the last ones.
    pub left_out: usize,
    /// After how many of the lines they are left out.
    pub left_out_after: usize,
    /// What Lambda reported of the invocation.
    pub report: Option<FunctionReport>,
    /// What the log says of how the invocation ended; null when it says nothing of its own.
    pub outcome: Option<FunctionOutcome>,
    /// What there is to know about the answer: why there is none, how far it can be trusted, what to do.
    pub note: Option<String>,
    /// Whether lines that may exist could not be read.
    #[serde(skip)]
    pub is_missing: bool,
}

impl TaskLog {
    /// Whether it is known for certain that the lines are those of the failure.
    pub fn is_certain(&self) -> bool {
        self.basis.is_some_and(|basis| basis != LogBasis::TimeWindow)
    }
}

/// What writes the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Logged {
    /// A Lambda function.
    Function,
    /// A job of AWS Batch.
    BatchJob,
    /// A run of a Glue job.
    GlueJob,
    /// A build of CodeBuild.
    CodeBuild,
    /// A job of SageMaker.
    SagemakerJob,
    /// A task of ECS.
    EcsTask,
    /// Another task, in a group that the user named.
    Other,
}

impl Logged {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Function, Self::BatchJob, Self::GlueJob, Self::CodeBuild, Self::SagemakerJob, Self::EcsTask, Self::Other];

    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::BatchJob => "Batch job",
            Self::GlueJob => "Glue job",
            Self::CodeBuild => "build",
            Self::SagemakerJob => "SageMaker job",
            Self::EcsTask => "ECS task",
            Self::Other => "task",
        }
    }
}

/// How lines were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogBasis {
    /// By the request id of the invocation.
    RequestId,
    /// By function and time: another execution's invocation at the same time looks the same.
    TimeWindow,
    /// By the stream that belongs to the job.
    Stream,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// When it was written, by the clock of whoever wrote it.
    pub at: Timestamp,
    /// Its level, for a line of a form that is known.
    pub level: Option<String>,
    /// What it says to a person, with the stack, for a line of a form that is known.
    pub message: Option<String>,
    /// As it was written.
    pub text: String,
}

impl LogLine {
    pub(super) fn read(at: Timestamp, text: String) -> Self {
        let (level, message) = match object_in(&text) {
            Some(object) => (text_in(&object, &["level", "log_level", "severity", "levelname"]), message_of(&object)),
            None => told_by_runtime(&text),
        };
        Self { at, level, message, text }
    }
}

fn object_in(text: &str) -> Option<Map<String, Value>> {
    text.trim_start().starts_with('{').then(|| serde_json::from_str(text).ok())?
}

/// Level and message of the lines that Lambda's runtimes write in the text format: `<time>⇥<id>⇥INFO⇥<message>` of Node.js,
/// `[INFO]⇥<time>⇥<id>⇥<message>` of Python, which also writes `[ERROR] <error>`.
fn told_by_runtime(text: &str) -> (Option<String>, Option<String>) {
    let in_brackets = |text: &str| {
        let level = text.strip_prefix('[')?.strip_suffix(']')?;
        is_level(level).then(|| level.to_owned())
    };
    let parts: Vec<&str> = text.splitn(4, '\t').collect();
    if let [first, second, third, rest] = parts.as_slice() {
        if second.parse::<Timestamp>().is_ok()
            && let Some(level) = in_brackets(first)
        {
            return (Some(level), Some((*rest).to_owned()));
        }
        if first.parse::<Timestamp>().is_ok() && is_level(third) {
            return (Some((*third).to_owned()), Some(with_stack(rest)));
        }
    }
    (text.split(' ').next().and_then(in_brackets), None)
}

fn is_level(text: &str) -> bool {
    matches!(text, "TRACE" | "DEBUG" | "INFO" | "WARN" | "WARNING" | "ERROR" | "FATAL" | "CRITICAL")
}

/// Node.js writes `Invoke Error ⇥{…}`: what stands in the object is worth more.
fn with_stack(message: &str) -> String {
    let error = message.split_once("\t{").and_then(|(_, rest)| message_of(&object_in(&format!("{{{rest}"))?));
    error.unwrap_or_else(|| message.to_owned())
}

/// The members of structured lines are those of Lambda's JSON format and of common loggers.
fn message_of(object: &Map<String, Value>) -> Option<String> {
    let message = object.get("message").or_else(|| object.get("msg"));
    let inside = message.and_then(Value::as_object).unwrap_or(object);
    let error = text_in(inside, &["errorMessage"]).map(|message| match text_in(inside, &["errorType"]) {
        Some(kind) => format!("{kind}: {message}"),
        None => message,
    });
    let said = message.and_then(Value::as_str).map(str::to_owned).or(error)?;
    let stack = ["stackTrace", "stack", "trace", "exception"].iter().find_map(|name| inside.get(*name));
    let frames: Vec<&str> = match stack {
        Some(Value::Array(frames)) => frames.iter().filter_map(Value::as_str).map(|frame| frame.trim_end_matches('\n')).collect(),
        Some(Value::String(stack)) => vec![stack.as_str()],
        _ => Vec::new(),
    };
    // Node.js begins the stack with the message.
    let first = frames.first().is_none_or(|first| *first != said).then_some(said.as_str());
    let lines: Vec<&str> = first.into_iter().chain(frames).collect();
    Some(lines.join("\n"))
}

fn text_in(object: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| object.get(*name)?.as_str()).map(str::to_owned)
}

/// What Lambda reports at the end of an invocation.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FunctionReport {
    /// How long the handler ran.
    pub duration_ms: Option<f64>,
    /// What is charged.
    pub billed_ms: Option<f64>,
    /// The function's memory size.
    pub memory_mb: Option<u64>,
    /// The most that it used.
    pub max_memory_mb: Option<u64>,
    /// How long the start of the environment took; null for a warm one, and where Lambda does not say.
    pub init_ms: Option<f64>,
    /// Whether the environment was started for this invocation.
    pub cold_start: bool,
    /// `success`, `error` or `timeout`, where Lambda says so.
    pub status: Option<String>,
    /// Such as `Runtime.ExitError`, where Lambda says so.
    pub error_type: Option<String>,
}

/// How an invocation ended, as far as only its log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionOutcome {
    /// It was killed with all of its memory in use.
    OutOfMemory,
    /// It reached the function's own timeout.
    TimedOut,
    /// Its process ended before it answered.
    Crashed,
}

impl FunctionOutcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OutOfMemory, Self::TimedOut, Self::Crashed];

    /// As JSON and the catalogue have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OutOfMemory => "out_of_memory",
            Self::TimedOut => "timed_out",
            Self::Crashed => "crashed",
        }
    }
}

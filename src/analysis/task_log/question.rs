//! What to ask CloudWatch Logs for: which group, which lines of it, from when to when.

use jiff::SignedDuration;
use serde_json::Value;

use super::function_name::FunctionName;
use super::report::{Logged, TaskLog};
use crate::analysis::why::{Finding, Kind};
use crate::model::{ExecutionArn, Timestamp};

/// Before the attempt was scheduled: clocks differ.
const BEFORE: SignedDuration = SignedDuration::from_secs(1);

/// After its end: reports come late, and so do lines.
const AFTER: SignedDuration = SignedDuration::from_mins(5);

/// A function runs for this long at most, whoever still waits for it.
const LONGEST_FUNCTION: SignedDuration = SignedDuration::from_mins(15);

/// Of the error's words so many characters are looked for in the log, at least and at most.
const SHORTEST_CLUE: usize = 8;
const LONGEST_CLUE: usize = 120;

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
    /// The account of the function, when its ARN says so.
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
    fn silent(text: impl Into<String>) -> Self {
        Self { task: None, text: text.into(), is_missing: false }
    }

    /// Where it was written is not known.
    fn unknown(task: Option<Logged>, text: impl Into<String>) -> Self {
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
        (None, None) => return Err(NoLog::unknown(Some(task.kind), task.without_group)),
    };
    let is_function = task.kind == Logged::Function;
    let is_callback = resource.ends_with(".waitForTaskToken");
    let is_answered = cause.kind == Kind::TaskFailed && !is_callback;
    let until = match (is_function, is_answered) {
        (true, false) => later(scheduled, LONGEST_FUNCTION).max(if is_callback { scheduled } else { ended }),
        _ => ended,
    };
    let of_group = ask.log_group.filter(|group| group.starts_with("arn:")).and_then(|arn| arn.split(':').nth(3)).map(str::to_owned);
    let of_execution = cause.execution.as_deref().and_then(|arn| arn.parse::<ExecutionArn>().ok()).map(|arn| arn.region().to_owned());
    let of_call = cause.call.as_ref().and_then(|call| call.region.clone());
    Ok(LogQuestion {
        task: task.kind,
        name: task.name,
        account: task.account,
        region: of_group.or(task.region).or(of_call).or(of_execution).or_else(|| ask.region.map(str::to_owned)),
        group,
        is_named: ask.log_group.is_some(),
        search: task.search,
        from: scheduled.checked_sub(BEFORE).unwrap_or(scheduled),
        until: later(until, AFTER),
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

/// A task that writes a log.
struct Task {
    kind: Logged,
    name: Option<String>,
    account: Option<String>,
    region: Option<String>,
    group: Option<String>,
    /// What to say when the group is not known.
    without_group: String,
    search: Search,
}

impl Task {
    fn of(cause: &Finding, resource: &str) -> Result<Self, NoLog> {
        if resource.starts_with("arn:") {
            return match resource.split(':').nth(2) {
                Some("lambda") => Self::function(cause, Some(resource), false),
                _ => Err(NoLog::silent("an activity is worked on outside of AWS: its log is where its worker runs")),
            };
        }
        let is_callback = resource.ends_with(".waitForTaskToken");
        let call = resource.strip_prefix("aws-sdk:").unwrap_or(resource).split('.').next().unwrap_or_default();
        let received = cause.effective_input.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
        let told = told(cause);
        match call {
            "lambda:invoke" => Self::function(cause, received["FunctionName"].as_str(), is_callback),
            "batch:submitJob" => Ok(Self::batch(&told)),
            "glue:startJobRun" => Ok(Self::glue(&told, &received)),
            "codebuild:startBuild" => Ok(Self::codebuild(&told, &received)),
            "ecs:runTask" => Ok(Self::ecs(&told)),
            _ if call.starts_with("sagemaker:") => Self::sagemaker(call, &received),
            _ if call.starts_with("states:startExecution") => {
                Err(NoLog::silent("the task only started a child execution: explain that one with `stepscope why ARN --logs`"))
            }
            _ => Ok(Self::other(resource)),
        }
    }

    fn function(cause: &Finding, named: Option<&str>, is_callback: bool) -> Result<Self, NoLog> {
        if let Some(refused) = refusal(cause) {
            return Err(NoLog { task: Some(Logged::Function), ..NoLog::silent(refused) });
        }
        let function = named.and_then(FunctionName::parse);
        let decoded = cause.decoded.as_ref();
        let answer = cause.call.as_ref().and_then(|call| call.request_id.clone());
        // Whoever answered with a token may have quoted an id of its own.
        let quoted = decoded.filter(|_| !is_callback).and_then(|decoded| decoded.request_id.clone());
        let search = match answer.or(quoted).filter(|id| is_id(id)) {
            Some(id) => Search::Request(id),
            None => Search::Invocations(decoded.filter(|_| !is_callback).and_then(|decoded| clue(decoded.message.as_deref()?))),
        };
        Ok(Self {
            kind: Logged::Function,
            group: function.as_ref().map(FunctionName::log_group),
            account: function.as_ref().and_then(|function| function.account.clone()),
            region: function.as_ref().and_then(|function| function.region.clone()),
            without_group: "the name of the function is not in the history (it was recorded without its data): name its log group with \
                            `--log-group /aws/lambda/NAME`"
                .to_owned(),
            name: function.map(|function| function.name),
            search,
        })
    }

    fn job(kind: Logged, name: Option<String>, group: Option<String>, streams: Streams) -> Self {
        let without_group =
            format!("which log group the {} writes to is not in the history: name it with `--log-group NAME`", kind.words());
        Self { kind, name, account: None, region: None, group, without_group, search: Search::Streams(streams) }
    }

    /// The description of a job of Batch; the stream is that of the last attempt.
    fn batch(told: &Value) -> Self {
        let container = &told["Container"];
        let attempts = told["Attempts"].as_array().and_then(|attempts| attempts.last());
        let stream = attempts.and_then(|last| text(&last["Container"], "LogStreamName")).or_else(|| text(container, "LogStreamName"));
        let options = &container["LogConfiguration"]["Options"];
        let group = text(options, "awslogs-group").unwrap_or_else(|| "/aws/batch/job".to_owned());
        let mut job = Self::job(Logged::BatchJob, text(told, "JobName"), stream.is_some().then_some(group), Streams::All);
        match stream {
            Some(stream) => job.search = Search::Streams(Streams::Named(stream)),
            None => {
                "the history does not name the log stream of the job: `aws batch describe-jobs --jobs ID` does"
                    .clone_into(&mut job.without_group);
            }
        }
        job
    }

    /// A run of a Glue job: errors go to a group of their own, to a stream with the run's id.
    fn glue(told: &Value, received: &Value) -> Self {
        let base = text(told, "LogGroupName").unwrap_or_else(|| "/aws-glue/jobs".to_owned());
        let run = text(told, "Id").or_else(|| text(told, "JobRunId"));
        let name = text(told, "JobName").or_else(|| text(received, "JobName"));
        let group = run.is_some().then(|| format!("{}/error", base.trim_end_matches('/')));
        // The driver's stream has the run's id as its name, those of its executors begin with it.
        let mut job = Self::job(Logged::GlueJob, name, group, run.map_or(Streams::All, Streams::Beginning));
        "the id of the job run is not in the history: `aws glue get-job-runs --job-name NAME` has it".clone_into(&mut job.without_group);
        job
    }

    fn codebuild(told: &Value, received: &Value) -> Self {
        let build = if told["Build"].is_object() { &told["Build"] } else { told };
        let logs = &build["Logs"];
        let stream = text(logs, "StreamName");
        let group = text(logs, "GroupName").filter(|_| stream.is_some());
        let name = text(build, "ProjectName").or_else(|| text(received, "ProjectName"));
        Self::job(Logged::CodeBuild, name, group, stream.map_or(Streams::All, Streams::Named))
    }

    /// Streams of the awslogs driver end in the task's id.
    fn ecs(told: &Value) -> Self {
        let id = text(told, "TaskArn").and_then(|arn| arn.rsplit('/').next().map(str::to_owned));
        let mut job = Self::job(Logged::EcsTask, id.clone(), None, id.map_or(Streams::All, |id| Streams::Ending(format!("/{id}"))));
        "the log group of an ECS task stands in its task definition, not in the history: name it with `--log-group NAME`"
            .clone_into(&mut job.without_group);
        job
    }

    fn sagemaker(call: &str, received: &Value) -> Result<Self, NoLog> {
        let (member, group) = match call {
            "sagemaker:createTrainingJob" => ("TrainingJobName", "TrainingJobs"),
            "sagemaker:createProcessingJob" => ("ProcessingJobName", "ProcessingJobs"),
            "sagemaker:createTransformJob" => ("TransformJobName", "TransformJobs"),
            _ => return Err(NoLog::silent("this call of SageMaker runs no job, so there is no log of it")),
        };
        let name = text(received, member);
        let group = name.is_some().then(|| format!("/aws/sagemaker/{group}"));
        let streams = name.clone().map_or(Streams::All, |name| Streams::Beginning(format!("{name}/")));
        Ok(Self::job(Logged::SagemakerJob, name, group, streams))
    }

    fn other(resource: &str) -> Self {
        let mut task = Self::job(Logged::Other, None, None, Streams::All);
        task.without_group = format!(
            "nothing is known of a log that {resource} writes; if what it called writes one, name the group with `--log-group NAME`"
        );
        task
    }
}

/// Why a function never ran, when its call was refused.
fn refusal(cause: &Finding) -> Option<String> {
    let decoded = cause.decoded.as_ref()?;
    let is_of_lambda = decoded.service.as_deref().is_some_and(|service| service.contains("Lambda"));
    let status = decoded.status_code.filter(|status| is_of_lambda && (400..500).contains(status))?;
    Some(format!("Lambda refused the call (status {status}), so the function did not run and wrote no log"))
}

/// What the service told of a job: at its end in the cause, else when it was submitted.
fn told(cause: &Finding) -> Value {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    let of_cause = cause.cause.as_deref().and_then(parsed);
    let of_answer = || cause.call.as_ref().and_then(|call| parsed(call.answer.as_deref()?));
    of_cause.or_else(of_answer).unwrap_or_default()
}

fn text(value: &Value, member: &str) -> Option<String> {
    value[member].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Ids are put into a filter pattern.
fn is_id(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// The longest stretch of the error's first lines that a log holds as it is, whatever its format: without quotes and escapes.
fn clue(message: &str) -> Option<String> {
    let stretches = message.split(|c: char| c == '"' || c == '\\' || c.is_control()).map(str::trim);
    let longest = stretches.max_by_key(|stretch| stretch.len())?;
    let end = (0..=longest.len().min(LONGEST_CLUE)).rev().find(|end| longest.is_char_boundary(*end))?;
    let clue = longest[..end].trim();
    (clue.len() >= SHORTEST_CLUE).then(|| clue.to_owned())
}

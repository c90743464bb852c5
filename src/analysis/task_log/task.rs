//! The tasks that write a log, each with the place where it does, as far as the history tells.

use serde_json::Value;

use super::function_name::FunctionName;
use super::question::{NoLog, Search, Streams};
use super::report::Logged;
use crate::analysis::why::Finding;

/// Of the error's words so many characters are looked for in the log, at least and at most.
const SHORTEST_CLUE: usize = 8;
const LONGEST_CLUE: usize = 120;

/// A task that writes a log.
pub(super) struct Task {
    pub(super) kind: Logged,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    pub(super) group: Option<String>,
    /// What to say when the group is not known.
    pub(super) without_group: String,
    /// Whether it is known to write a log.
    pub(super) is_logged: bool,
    pub(super) search: Search,
}

impl Task {
    /// What the last attempt called; an error for what writes no log, or none that can be found.
    pub(super) fn of(cause: &Finding, resource: &str) -> Result<Self, NoLog> {
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
            "lambda:invoke" => {
                let mut task = Self::function(cause, received["FunctionName"].as_str(), is_callback)?;
                task.version = task.version.or_else(|| text(&received, "Qualifier").filter(|text| is_version(text)));
                Ok(task)
            }
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
            is_logged: true,
            version: function.as_ref().and_then(|function| function.qualifier.clone()).filter(|text| is_version(text)),
            name: function.map(|function| function.name),
            search,
        })
    }

    fn job(kind: Logged, name: Option<String>, group: Option<String>, streams: Streams) -> Self {
        let without_group =
            format!("which log group the {} writes to is not in the history: name it with `--log-group NAME`", kind.words());
        Self {
            kind,
            name,
            version: None,
            account: None,
            region: None,
            group,
            without_group,
            is_logged: true,
            search: Search::Streams(streams),
        }
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
        task.is_logged = false;
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

/// An alias leads to a version that only Lambda knows.
fn is_version(qualifier: &str) -> bool {
    !qualifier.is_empty() && qualifier.bytes().all(|byte| byte.is_ascii_digit())
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

//! What stands for the service behind a task here: a command, or an endpoint. How it is asked, and what its answer becomes.
//!
//! | task                            | it is sent                | its answer becomes                                          |
//! |---------------------------------|---------------------------|-------------------------------------------------------------|
//! | a function by its own ARN       | the input of the task     | the result                                                  |
//! | `lambda:invoke`                 | `Payload` of the task     | `{"ExecutedVersion", "Payload": <answer>, "StatusCode"}`    |
//! | `….waitForTaskToken`, activity  | `Payload`, or the input   | what `SendTaskSuccess` gives                                |
//! | any other                       | the input of the task     | the result                                                  |
//!
//! The time that the answer really took becomes virtual time. Branches ask one after the other.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{command, endpoint};
use crate::asl::machine::{Pattern, Service};
use crate::expr::{Object, Value};
use crate::interpreter::mocks::failure_event;
use crate::interpreter::{TaskAnswer, TaskOutcome, TaskRequest};

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// A command line for the shell.
    Command(String),
    /// An address.
    Endpoint(endpoint::Endpoint),
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A result.
    Result(Value),
    /// A failure of the task.
    Failure {
        /// Its name.
        error: Rc<str>,
        /// More of it.
        cause: Option<Rc<str>>,
    },
    /// Nothing, until the time was over.
    Nothing,
}

impl Callee {
    /// An address or a command, as it was typed.
    pub fn parse(text: &str) -> Result<Self, String> {
        if endpoint::Endpoint::is_meant(text) {
            return text.parse().map(Self::Endpoint);
        }
        if text.trim().is_empty() { Err("the command is empty".to_owned()) } else { Ok(Self::Command(text.to_owned())) }
    }

    /// Asks for the answer of one attempt. An error says what is wrong with the set-up.
    pub fn attempt(&self, request: &TaskRequest<'_>) -> Result<TaskAnswer, String> {
        let input = sent(request).to_json();
        let limit = limit(request);
        let begun = Instant::now();
        let said = match self {
            Self::Command(line) => command::call(line, &input, limit)?,
            Self::Endpoint(endpoint) => endpoint::call(endpoint, &input, limit)?,
        };
        Ok(answer(said, begun.elapsed(), request))
    }
}

fn waits_for_token(request: &TaskRequest<'_>) -> bool {
    request.resource.pattern == Pattern::WaitForTaskToken || request.resource.service == Service::Activity
}

fn is_lambda_invoke(request: &TaskRequest<'_>) -> bool {
    matches!(&request.resource.service, Service::Integration { resource_type, resource }
        if &**resource_type == "lambda" && resource.split('.').next() == Some("invoke"))
}

/// What the function, or whoever it is, is sent.
fn sent<'r>(request: &TaskRequest<'r>) -> &'r Value {
    const NOTHING: &Value = &Value::Null;
    if is_lambda_invoke(request) { request.input.get("Payload").unwrap_or(NOTHING) } else { request.input }
}

/// How long the service would wait. Nobody sends heartbeats from here.
fn limit(request: &TaskRequest<'_>) -> Option<Duration> {
    let heartbeat = request.heartbeat_seconds.filter(|_| waits_for_token(request));
    let seconds = [request.timeout_seconds, heartbeat].into_iter().flatten().min()?;
    // A year is as good as for ever, and sums with it stay in range.
    Some(Duration::from_secs(seconds.min(31_536_000)))
}

fn answer(said: Said, took: Duration, request: &TaskRequest<'_>) -> TaskAnswer {
    let service = &request.resource.service;
    let took = Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    let outcome = match said {
        Said::Result(value) if is_lambda_invoke(request) && !waits_for_token(request) => Some(TaskOutcome::Succeeded(invocation(value))),
        Said::Result(value) => Some(TaskOutcome::Succeeded(value)),
        Said::Failure { error, cause } => Some(TaskOutcome::Failed { event: failure_event(service), error: Some(error), cause }),
        Said::Nothing => None,
    };
    let submitted = (request.resource.pattern != Pattern::RequestResponse).then(|| (Duration::ZERO, Object::default().into()));
    TaskAnswer {
        started: Some(Duration::ZERO),
        worker: None,
        submitted,
        heartbeats: Vec::new(),
        ended: outcome.map(|outcome| (took, outcome)),
    }
}

/// The answer of `lambda:invoke` around what a function returned.
fn invocation(payload: Value) -> Value {
    Value::object([("ExecutedVersion", Value::from("$LATEST")), ("Payload", payload), ("StatusCode", Value::from(200))])
}

/// A failure as a Lambda function tells it, `{"errorType": …, "errorMessage": …}`: its type is the name, and all of it the cause. Or as the
/// language has it, `{"Error": …, "Cause": …}`.
pub(super) fn failure_in(text: &str) -> Option<Said> {
    let value = Value::parse(text).ok()?;
    let member = |name: &str| value.get(name).and_then(Value::as_str);
    if let Some(error) = member("Error") {
        return Some(Said::Failure { error: error.into(), cause: member("Cause").map(Into::into) });
    }
    let error = member("errorType").or_else(|| member("errorMessage").map(|_| "Error"))?;
    Some(Said::Failure { error: error.into(), cause: Some(text.into()) })
}

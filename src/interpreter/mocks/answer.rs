//! One answer of a mock, and what an attempt makes of it.

use std::rc::Rc;
use std::time::Duration;

use super::MockError;
use crate::asl::machine::{Pattern, Service};
use crate::expr::{Object, Value};
use crate::interpreter::{TaskAnswer, TaskOutcome, TaskRequest};
use crate::model::EventType;

/// The longest that an answer may take, in seconds: as long as the service lets an execution live.
const LONGEST_SECONDS: f64 = 31_536_000.0;
/// More heartbeats than this are a slip of the keys.
const MOST_HEARTBEATS: u32 = 10_000;

/// What a mock says to one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What is said.
    pub reply: Reply,
    /// How long that takes.
    pub after: Duration,
    /// How often a heartbeat comes until then.
    pub heartbeat: Option<Duration>,
}

/// Success, failure, or silence.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the words of the format")]
pub enum Reply {
    Return(Value),
    Throw { error: Option<Rc<str>>, cause: Option<Rc<str>> },
    Never,
}

impl Answer {
    /// A result without delay.
    pub fn returns(value: Value) -> Self {
        Self { reply: Reply::Return(value), after: Duration::ZERO, heartbeat: None }
    }

    /// An answer in one of the long forms; `None` for what is no answer but a result.
    pub(super) fn read(value: &Value, place: &str) -> Result<Option<Self>, MockError> {
        let Some(members) = value.as_object() else { return Ok(None) };
        if let Some(reply) = short_failure(members) {
            return Ok(Some(Self { reply, after: Duration::ZERO, heartbeat: None }));
        }
        let words: Vec<&str> = ["Return", "Throw", "Never"].into_iter().filter(|word| members.contains(word)).collect();
        let [word] = words[..] else {
            return if words.is_empty() {
                Ok(None)
            } else {
                Err(MockError::malformed(place, format!("{} do not go together", words.join(" and "))))
            };
        };
        if let Some((name, _)) = members.iter().find(|(name, _)| ![word, "AfterSeconds", "HeartbeatSeconds"].contains(&&***name)) {
            let advice = format!("`{name}` does not stand beside `{word}`; a result with such members goes into {{\"Return\": …}}");
            return Err(MockError::malformed(place, advice));
        }
        let reply = match word {
            "Return" => Reply::Return(members.get("Return").cloned().unwrap_or_default()),
            "Throw" => read_throw(members, place)?,
            _ if members.get("Never") == Some(&Value::Bool(true)) => Reply::Never,
            _ => return Err(MockError::malformed(place, "`Never` can only be true")),
        };
        let after = seconds(members, "AfterSeconds", place)?;
        let heartbeat = seconds(members, "HeartbeatSeconds", place)?.filter(|gap| !gap.is_zero());
        let answer = Self { reply, after: after.unwrap_or_default(), heartbeat };
        answer.check_heartbeats(place)?;
        Ok(Some(answer))
    }

    fn check_heartbeats(&self, place: &str) -> Result<(), MockError> {
        let Some(gap) = self.heartbeat else { return Ok(()) };
        if self.reply == Reply::Never {
            return Err(MockError::malformed(place, "`HeartbeatSeconds` needs an end: `AfterSeconds` with `Return` or `Throw`"));
        }
        if self.after.as_secs_f64() / gap.as_secs_f64() > f64::from(MOST_HEARTBEATS) {
            return Err(MockError::malformed(place, format!("more than {MOST_HEARTBEATS} heartbeats in one attempt")));
        }
        Ok(())
    }

    /// What the attempt sees. The mock is the whole result of the task, as in Step Functions Local: for `lambda:invoke` it has
    /// `StatusCode` and `Payload`, for `.waitForTaskToken` it is what `SendTaskSuccess` gives. A function that is called by its
    /// own ARN results in its payload alone, and so does a mock for it that was written as for `lambda:invoke`.
    pub fn to_task(&self, request: &TaskRequest<'_>) -> TaskAnswer {
        let resource = request.resource;
        let waits = !matches!(resource.pattern, Pattern::RequestResponse);
        let outcome = match &self.reply {
            Reply::Return(value) if resource.service == Service::Function => Some(TaskOutcome::Succeeded(payload_of(value).clone())),
            Reply::Return(value) => Some(TaskOutcome::Succeeded(value.clone())),
            Reply::Throw { error, cause } => Some(TaskOutcome::Failed {
                event: event_for(&resource.service, error.as_deref()),
                error: error.clone(),
                cause: cause.clone(),
            }),
            Reply::Never => None,
        };
        TaskAnswer {
            started: Some(Duration::ZERO),
            worker: None,
            submitted: waits.then(|| (Duration::ZERO, self.submitted())),
            heartbeats: self.heartbeats(),
            ended: outcome.map(|outcome| (self.after, outcome)),
        }
    }

    /// The answer of the first call of a job is not mocked; of a child execution it holds what the result tells of it.
    fn submitted(&self) -> Value {
        let Reply::Return(result) = &self.reply else { return Object::default().into() };
        Value::object(["ExecutionArn", "StartDate"].into_iter().filter_map(|name| Some((name, result.get(name)?.clone()))))
    }

    fn heartbeats(&self) -> Vec<Duration> {
        let Some(gap) = self.heartbeat else { return Vec::new() };
        (1..=MOST_HEARTBEATS).map(|count| gap * count).take_while(|at| *at < self.after).collect()
    }
}

/// Which event reports a failure of this name: a timeout has its own.
fn event_for(service: &Service, error: Option<&str>) -> EventType {
    match error {
        Some("States.Timeout" | "States.HeartbeatTimeout") => timeout_event(service),
        _ => failure_event(service),
    }
}

/// The event with which an attempt of such a task fails.
pub fn failure_event(service: &Service) -> EventType {
    match service {
        Service::Function => EventType::LambdaFunctionFailed,
        Service::Activity => EventType::ActivityFailed,
        Service::Integration { .. } => EventType::TaskFailed,
    }
}

/// The event with which an attempt of such a task times out.
pub fn timeout_event(service: &Service) -> EventType {
    match service {
        Service::Function => EventType::LambdaFunctionTimedOut,
        Service::Activity => EventType::ActivityTimedOut,
        Service::Integration { .. } => EventType::TaskTimedOut,
    }
}

/// What a function gave, of an answer that was written as that of `lambda:invoke`.
fn payload_of(value: &Value) -> &Value {
    let is_invocation = value.get("StatusCode").is_some_and(|status| status.as_i64().is_some());
    value.get("Payload").filter(|_| is_invocation).unwrap_or(value)
}

/// `{"Error": …, "Cause": …}` and nothing else.
fn short_failure(members: &Object) -> Option<Reply> {
    let error = members.get("Error")?.as_str()?;
    let cause = match members.get("Cause") {
        Some(cause) => Some(cause.as_str()?.into()),
        None => None,
    };
    let expected = 1 + usize::from(cause.is_some());
    (members.len() == expected).then(|| Reply::Throw { error: Some(error.into()), cause })
}

fn read_throw(members: &Object, place: &str) -> Result<Reply, MockError> {
    let thrown = members.get("Throw").and_then(Value::as_object);
    let Some(thrown) = thrown.filter(|thrown| thrown.iter().all(|(name, _)| matches!(&**name, "Error" | "Cause"))) else {
        return Err(MockError::malformed(place, "`Throw` is an object with `Error` and `Cause`"));
    };
    let text = |name: &str| match thrown.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(Rc::clone(text))),
        Some(_) => Err(MockError::malformed(place, format!("`{name}` in `Throw` is a string; JSON in it is written as text"))),
    };
    Ok(Reply::Throw { error: text("Error")?, cause: text("Cause")? })
}

fn seconds(members: &Object, name: &str, place: &str) -> Result<Option<Duration>, MockError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let number = value.as_number().map(crate::expr::Number::as_f64).filter(|seconds| (0.0..=LONGEST_SECONDS).contains(seconds));
    match number {
        Some(seconds) => Ok(Some(Duration::from_secs_f64(seconds))),
        None => Err(MockError::malformed(place, format!("`{name}` is a number of seconds from 0 to {LONGEST_SECONDS}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Answers;
    use super::*;
    use crate::asl::machine::Resource;
    use crate::interpreter::{Attempted, ExecutionInfo};

    /// What the first attempt of a task with this resource sees of a mock.
    fn seen(arn: &str, service: Service, pattern: Pattern, mock: &str) -> TaskAnswer {
        let execution = ExecutionInfo {
            arn: "arn:aws:states:us-east-1:111111111111:execution:Orders:run-1".into(),
            name: "run-1".into(),
            machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:Orders".into(),
            role_arn: "arn:aws:iam::111111111111:role/Orders".into(),
            express: false,
        };
        let request = TaskRequest {
            attempted: Attempted { execution: &execution, state: "Charge", scope: &[], visit: 1, attempt: 1 },
            resource: &Resource { arn: arn.into(), service, pattern },
            input: &Value::Null,
            token: None,
            role_arn: None,
            timeout_seconds: None,
            heartbeat_seconds: None,
            at: jiff::Timestamp::UNIX_EPOCH,
            scheduled_event_id: 3,
        };
        let answers = Answers::parse(&Value::parse(mock).expect("JSON")).expect("a mock");
        answers.get(0).expect("an answer").to_task(&request)
    }

    fn integration(resource_type: &str, resource: &str) -> Service {
        Service::Integration { resource_type: resource_type.into(), resource: resource.into() }
    }

    fn result(answer: &TaskAnswer) -> &Value {
        match &answer.ended {
            Some((_, TaskOutcome::Succeeded(value))) => value,
            other => panic!("no success: {other:?}"),
        }
    }

    #[test]
    fn a_mock_is_the_whole_result_of_an_integration_and_the_payload_of_a_function() {
        let mock = r#"{"StatusCode": 200, "Payload": {"paid": true}}"#;
        let invoke = seen("arn:aws:states:::lambda:invoke", integration("lambda", "invoke"), Pattern::RequestResponse, mock);
        assert_eq!(result(&invoke).to_json(), r#"{"StatusCode":200,"Payload":{"paid":true}}"#);
        assert!(invoke.submitted.is_none());
        let arn = "arn:aws:lambda:us-east-1:111111111111:function:charge";
        let function = |mock| seen(arn, Service::Function, Pattern::RequestResponse, mock);
        assert_eq!(result(&function(mock)).to_json(), r#"{"paid":true}"#);
        assert_eq!(result(&function(r#"{"Payload": 1}"#)).to_json(), r#"{"Payload":1}"#);
    }

    #[test]
    fn failures_and_timeouts_have_the_events_of_their_service() {
        let event = |service: Service, mock: &str| match seen("", service, Pattern::RequestResponse, mock).ended {
            Some((_, TaskOutcome::Failed { event, .. })) => event,
            other => panic!("no failure: {other:?}"),
        };
        let (failure, timeout) = (r#"{"Error": "Declined"}"#, r#"{"Error": "States.Timeout"}"#);
        assert_eq!(event(Service::Function, failure), EventType::LambdaFunctionFailed);
        assert_eq!(event(Service::Function, timeout), EventType::LambdaFunctionTimedOut);
        assert_eq!(event(Service::Activity, failure), EventType::ActivityFailed);
        assert_eq!(event(integration("sqs", "sendMessage"), failure), EventType::TaskFailed);
        assert_eq!(event(integration("sqs", "sendMessage"), timeout), EventType::TaskTimedOut);
    }

    #[test]
    fn jobs_are_submitted_before_they_end() {
        let mock = r#"{"Return": {"ExecutionArn": "arn", "Status": "SUCCEEDED"}, "AfterSeconds": 10, "HeartbeatSeconds": 4}"#;
        let answer = seen("", integration("states", "startExecution.sync"), Pattern::Sync, mock);
        assert_eq!(answer.submitted, Some((Duration::ZERO, Value::object([("ExecutionArn", Value::from("arn"))]))));
        assert_eq!(answer.heartbeats, [Duration::from_secs(4), Duration::from_secs(8)]);
        assert_eq!(answer.ended.map(|(after, _)| after), Some(Duration::from_secs(10)));
    }

    #[test]
    fn silence_has_no_end() {
        let answer = seen("", integration("sqs", "sendMessage.waitForTaskToken"), Pattern::WaitForTaskToken, r#"{"Never": true}"#);
        assert!(answer.started.is_some() && answer.submitted.is_some() && answer.ended.is_none());
    }
}

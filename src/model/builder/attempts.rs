//! Attempts of a Task.

use std::borrow;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ACCOUNT, Call, HistoryBuilder, Resource, payload, whole_seconds};
use crate::model::event::{Evaluation, Failure, Output, Scheduled, Started};
use crate::model::event_type::AttemptStep;
use crate::model::{Details, EventType, ExecutionArn, RawText};

impl HistoryBuilder {
    /// The Task calls a service integration: `calls("sqs", "sendMessage.waitForTaskToken")`.
    pub fn calls(&mut self, service: &str, action: &str) -> &mut Self {
        let resource = Resource::Integration { service: service.to_owned(), action: action.to_owned() };
        self.visit(|visit| visit.call.resource = resource)
    }

    /// The Task's `Resource` is the ARN of a function of this name.
    pub fn calls_function(&mut self, name: &str) -> &mut Self {
        let region = self.story.borrow().region.clone();
        self.visit(|visit| visit.call.resource = Resource::Function(format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}")))
    }

    /// The Task's `Resource` is the ARN of an activity of this name.
    pub fn calls_activity(&mut self, name: &str) -> &mut Self {
        let region = self.story.borrow().region.clone();
        self.visit(|visit| visit.call.resource = Resource::Activity(format!("arn:aws:states:{region}:{ACCOUNT}:activity:{name}")))
    }

    /// The Task's `TimeoutSeconds`.
    pub fn timeout(&mut self, limit: Duration) -> &mut Self {
        self.visit(|visit| visit.call.timeout = Some(limit))
    }

    /// The Task's `HeartbeatSeconds`.
    pub fn heartbeat(&mut self, limit: Duration) -> &mut Self {
        self.visit(|visit| visit.call.heartbeat = Some(limit))
    }

    /// The role of the Task's `Credentials`.
    pub fn credentials(&mut self, role_arn: &str) -> &mut Self {
        self.visit(|visit| visit.call.role = Some(role_arn.to_owned()))
    }

    /// How long each attempt of this visit takes from its start to its end, from here on.
    pub fn taking(&mut self, time: Duration) -> &mut Self {
        self.visit(|visit| visit.taking = time)
    }

    /// A whole attempt that gives a result.
    pub fn attempt_succeeded(&mut self, output: impl borrow::Borrow<Value>) -> &mut Self {
        self.scheduled().started().pass_the_time().succeeded(output)
    }

    /// A whole attempt that fails.
    pub fn attempt_failed(&mut self, error: &str, cause: Option<&str>) -> &mut Self {
        self.scheduled().started().pass_the_time().failed(error, cause)
    }

    /// A whole attempt that runs out of time, or whose heartbeat does: the service tells neither apart and gives no cause.
    pub fn attempt_timed_out(&mut self) -> &mut Self {
        self.scheduled().started().pass_the_time().timed_out()
    }

    pub(super) fn pass_the_time(&mut self) -> &mut Self {
        let time = self.story.borrow().scopes[self.scope].visit.as_ref().map_or(Duration::ZERO, |visit| visit.taking);
        self.after(time)
    }

    /// `…Scheduled` with the state's input: as the payload of a function, as the parameters of other integrations.
    pub fn scheduled(&mut self) -> &mut Self {
        let story = self.story.borrow();
        let visit = story.scopes[self.scope].visit.as_ref().expect("a state was entered");
        let received = match &visit.call.resource {
            Resource::Integration { service, .. } if service == "lambda" => {
                json!({"FunctionName": visit.name.decode().to_lowercase(), "Payload": visit.input})
            }
            _ => visit.input.clone(),
        };
        drop(story);
        self.scheduled_with(received)
    }

    /// `…Scheduled` with what the Task really receives.
    pub fn scheduled_with(&mut self, received: impl borrow::Borrow<Value>) -> &mut Self {
        let story = self.story.borrow();
        let Call { resource, timeout, heartbeat, role } =
            story.scopes[self.scope].visit.as_ref().expect("a state was entered").call.clone();
        let (service, action) = resource.names();
        let details = Scheduled {
            region: service.is_some().then(|| RawText::plain(&story.region)),
            resource_type: service,
            resource: action.or_else(|| match &resource {
                Resource::Function(arn) | Resource::Activity(arn) => Some(RawText::plain(arn)),
                Resource::Integration { .. } => None,
            }),
            input: Some(payload(received.borrow())),
            timeout_in_seconds: whole_seconds(timeout),
            heartbeat_in_seconds: whole_seconds(heartbeat),
            role_arn: role.map(RawText::plain),
        };
        drop(story);
        self.follow(resource.event(AttemptStep::Scheduled), Details::Scheduled(Box::new(details)))
    }

    /// `…Started`.
    pub fn started(&mut self) -> &mut Self {
        let resource = self.resource();
        let (resource_type, action) = resource.names();
        let worker_name = matches!(resource, Resource::Activity(_)).then(|| RawText::plain("worker-1"));
        let details = match resource {
            Resource::Function(_) => Details::None,
            _ => Details::Started(Started { resource_type, resource: action, worker_name }),
        };
        self.follow(resource.event(AttemptStep::Started), details)
    }

    /// `TaskSubmitted`: what the first call of `.sync` or `.waitForTaskToken` answered.
    pub fn submitted(&mut self, answer: impl borrow::Borrow<Value>) -> &mut Self {
        self.result(AttemptStep::Submitted, answer.borrow())
    }

    /// `TaskSubmitted` of `states:startExecution.sync` and its like.
    pub fn submitted_child(&mut self, child: &ExecutionArn) -> &mut Self {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of this century are exact")]
        let start = self.now().as_millisecond() as f64 / 1000.0;
        self.submitted(json!({"ExecutionArn": child.as_str(), "StartDate": start}))
    }

    /// `…Succeeded`.
    pub fn succeeded(&mut self, output: impl borrow::Borrow<Value>) -> &mut Self {
        self.result(AttemptStep::Succeeded, output.borrow())
    }

    /// `…Failed`.
    pub fn failed(&mut self, error: &str, cause: Option<&str>) -> &mut Self {
        self.failure(AttemptStep::Failed, Some(error), cause)
    }

    /// `…Failed` with neither error nor cause, as `SendTaskFailure` without fields leaves it.
    pub fn failed_silently(&mut self) -> &mut Self {
        self.failure(AttemptStep::Failed, None, None)
    }

    /// `…TimedOut` with the error `States.Timeout` and no cause.
    pub fn timed_out(&mut self) -> &mut Self {
        self.failure(AttemptStep::TimedOut, Some("States.Timeout"), None)
    }

    /// `LambdaFunctionScheduleFailed`, `ActivityScheduleFailed`.
    pub fn schedule_failed(&mut self, error: &str, cause: Option<&str>) -> &mut Self {
        self.failure(AttemptStep::ScheduleFailed, Some(error), cause)
    }

    /// `TaskStartFailed`, `LambdaFunctionStartFailed`.
    pub fn start_failed(&mut self, error: &str, cause: Option<&str>) -> &mut Self {
        self.failure(AttemptStep::StartFailed, Some(error), cause)
    }

    /// `TaskSubmitFailed`.
    pub fn submit_failed(&mut self, error: &str, cause: Option<&str>) -> &mut Self {
        self.failure(AttemptStep::SubmitFailed, Some(error), cause)
    }

    /// `EvaluationFailed` of the open state, with the service's opening words before the cause.
    pub fn evaluation_failed(&mut self, location: &str, cause: &str) -> &mut Self {
        let (state, before) = {
            let story = self.story.borrow();
            let visit = story.scopes[self.scope].visit.as_ref().expect("a state was entered");
            (visit.name.clone(), visit.before)
        };
        let details = Evaluation {
            state: Some(state),
            location: Some(RawText::plain(location)),
            error: Some(RawText::plain("States.QueryEvaluationError")),
            cause: Some(RawText::plain(self.while_executing(cause))),
        };
        let id = self.write(EventType::EvaluationFailed, before, Details::Evaluation(Box::new(details)));
        self.story.borrow_mut().scopes[self.scope].last = Some(id);
        self
    }

    pub(super) fn while_executing(&self, cause: &str) -> String {
        let story = self.story.borrow();
        let visit = story.scopes[self.scope].visit.as_ref().expect("a state was entered");
        let (name, entered) = (visit.name.decode(), visit.entered);
        format!("An error occurred while executing the state '{name}' (entered at the event id #{entered}). {cause}")
    }

    pub(super) fn resource(&self) -> Resource {
        self.story.borrow().scopes[self.scope].visit.as_ref().expect("a state was entered").call.resource.clone()
    }

    pub(super) fn result(&mut self, step: AttemptStep, output: &Value) -> &mut Self {
        let resource = self.resource();
        let (resource_type, action) = resource.names();
        let details = Output { resource_type, resource: action, output: Some(payload(output)) };
        self.follow(resource.event(step), Details::Output(Box::new(details)))
    }

    pub(super) fn failure(&mut self, step: AttemptStep, error: Option<&str>, cause: Option<&str>) -> &mut Self {
        let resource = self.resource();
        let (resource_type, action) = resource.names();
        let details = Failure { resource_type, resource: action, error: error.map(RawText::plain), cause: cause.map(RawText::plain) };
        self.follow(resource.event(step), Details::Failure(Box::new(details)))
    }
}

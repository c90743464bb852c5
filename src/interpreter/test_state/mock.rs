//! What stands in for the call of a Task, or for what the branches and iterations of a Parallel or Map do.

use super::definition::Tested;
use super::refusal::Refusal;
use super::request::{Mock, MockOutcome, Request, ValidationMode};
use super::shapes::{self, Answer};
use crate::asl::machine::{Kind, Pattern, Resource, Service};
use crate::expr::Value;
use crate::interpreter::failure::Failure;
use crate::interpreter::payload::Payload;

/// The mock, checked against the state.
#[derive(Debug, Clone)]
pub(super) enum Mocked {
    Result(Payload),
    Failure(Failure),
}

/// Checks whether the state needs a mock, may have one, and whether the mock is one that it could get.
pub(super) fn mocked(request: &Request, tested: &Tested, notes: &mut Vec<String>) -> Result<Option<Mocked>, Refusal> {
    let kind = &tested.state().kind;
    let Some(mock) = &request.mock else {
        return unmocked(request, kind).map(|()| None);
    };
    if request.reveal_secrets {
        return Err(Refusal::validation("TestState does not support RevealSecrets when a mock is specified."));
    }
    if !matches!(kind, Kind::Task(_) | Kind::Map(_) | Kind::Parallel { .. }) {
        return Err(Refusal::Validation(format!("State type '{}' is not supported when a mock is specified", type_name(kind))));
    }
    let result = match &mock.outcome {
        MockOutcome::Error { error, cause } => {
            let failure = Failure { error: Some(error.as_str().into()), cause: cause.as_deref().map(Into::into), heartbeat: false };
            return Ok(Some(Mocked::Failure(failure)));
        }
        MockOutcome::Result(text) => Payload::parse(text).map_err(|_| Refusal::validation("Mocked result must be valid JSON"))?,
    };
    match kind {
        Kind::Task(task) => fits_api(&task.resource, result.value(), mock, notes)?,
        Kind::Parallel { branches } => {
            let items = result.value().as_array().ok_or_else(|| Refusal::validation("Mocked result must be an array."))?;
            if items.len() != branches.len() {
                return Err(Refusal::validation("Mocked result must contain the same number of items as number of Parallel branches."));
            }
        }
        Kind::Map(map) => {
            let writer = map.distributed.as_ref().and_then(|distributed| distributed.writer.as_ref());
            let exports = writer.is_some_and(|writer| writer.resource.is_some());
            if exports && result.value().as_object().is_none() {
                return Err(Refusal::validation("Mocked result must be a JSON object."));
            }
            if !exports && result.value().as_array().is_none() {
                return Err(Refusal::validation("Mocked result must be an array."));
            }
        }
        _ => {}
    }
    Ok(Some(Mocked::Result(result)))
}

/// A state that calls something is out of reach without a mock. The service would call it, or refuses to test the state.
fn unmocked(request: &Request, kind: &Kind) -> Result<(), Refusal> {
    let resource = match kind {
        Kind::Task(task) => &task.resource,
        Kind::Map(_) | Kind::Parallel { .. } => {
            return Err(Refusal::Definition(
                "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]"
                    .to_owned(),
            ));
        }
        _ => return Ok(()),
    };
    if resource.pattern != Pattern::RequestResponse || resource.service == Service::Activity {
        return Err(Refusal::Definition(
            "TestState API supports activities and the .sync and .waitForTaskToken service integration patterns only when a mock is specified"
                .to_owned(),
        ));
    }
    if request.role_arn.is_none() {
        return Err(Refusal::validation("RoleArn must be specified when testing a Task state"));
    }
    Err(Refusal::OutOfReach(format!(
        "the service would call {} here, and nothing is called offline; give --mock, as in --mock '{{\"result\":\"{{}}\"}}'",
        resource.arn
    )))
}

fn fits_api(resource: &Resource, result: &Value, mock: &Mock, notes: &mut Vec<String>) -> Result<(), Refusal> {
    if mock.validation == ValidationMode::None {
        return Ok(());
    }
    match shapes::answer(resource) {
        Answer::Shaped(table, shape) => {
            let refused = |why| Refusal::Validation(format!("Mock result schema validation error: {why}"));
            shapes::check(&table, shape, result, mock.validation == ValidationMode::Strict).map_err(refused)
        }
        Answer::Free => Ok(()),
        Answer::Unknown(api) => {
            notes.push(format!(
                "the mocked result is not checked: the shape of what {api} answers is not known here; the service may refuse it"
            ));
            Ok(())
        }
    }
}

/// The `Type` of a state.
fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Pass { .. } => "Pass",
        Kind::Task(_) => "Task",
        Kind::Choice { .. } => "Choice",
        Kind::Wait(_) => "Wait",
        Kind::Succeed => "Succeed",
        Kind::Fail { .. } => "Fail",
        Kind::Parallel { .. } => "Parallel",
        Kind::Map(_) => "Map",
    }
}

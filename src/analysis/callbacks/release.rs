//! The command that would end a wait. The program prints it and never runs it: it changes nothing in AWS.

use super::report::Waiting;
use super::waits::WaitsFor;
use crate::analysis::execution::quoted;
use crate::model::ExecutionArn;

/// Stands for the task token until somebody fills it in, followed by the number of the event that holds it.
pub const TOKEN: &str = "$TASK_TOKEN";
/// What a token is called that could not be found.
pub const WITHOUT_TOKEN: &str = "the history does not show a task token";

/// The command for one wait.
pub(super) fn command(waiting: &Waiting) -> String {
    let arn: Option<ExecutionArn> = waiting.execution.parse().ok();
    let region = arn.as_ref().map(|arn| format!(" --region {}", quoted(arn.region()))).unwrap_or_default();
    let stop = |execution: &str| {
        format!("aws stepfunctions stop-execution{region} --execution-arn {} --error Stuck --cause 'nobody answers'", quoted(execution))
    };
    match waiting.waits_for {
        WaitsFor::Callback => {
            format!("aws stepfunctions send-task-failure{region} --task-token \"{TOKEN}\" --error Stuck --cause 'nobody answers'")
        }
        WaitsFor::ChildExecution => stop(waiting.child.as_deref().unwrap_or(&waiting.execution)),
        _ => stop(&waiting.execution),
    }
}

/// What the command does.
pub(super) fn text(waits_for: WaitsFor) -> &'static str {
    match waits_for {
        WaitsFor::Callback => "fail the wait, so that its Catch or Retry takes over (send-task-success --task-output '{}' goes on)",
        WaitsFor::ChildExecution => "stop the child, which ends the wait",
        _ => "stop the execution",
    }
}

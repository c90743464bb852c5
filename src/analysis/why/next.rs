//! Commands that take the reader further. None is run by the program; those that change something say so.

use super::{ExecutionSummary, Finding, NextCommand, Terminal};
use crate::analysis::execution::quoted;
use crate::analysis::task_log::{Ask, question};
use crate::model::{ExecutionArn, ExecutionStatus, StateType};

/// What the command for the log of the task tells.
pub(super) const OWN_LOG: &str = "what the task itself logged, from CloudWatch Logs";

/// A history of this many events cannot be redriven (Step Functions Developer Guide, "Restarting executions with redrive").
const MOST_EVENTS: usize = 24_999;

/// The commands for an execution, its cause and its end.
///
/// Where only failures were logged there is neither time to look at nor an answer to replay.
pub(super) fn commands(
    execution: &ExecutionSummary,
    cause: Option<&Finding>,
    end: Option<&Terminal>,
    failures_only: bool,
) -> Vec<NextCommand> {
    let subject = &execution.exec;
    // The AWS CLI does not take the region from an ARN.
    let arn = execution.arn.as_deref().and_then(|arn| arn.parse::<ExecutionArn>().ok());
    let region = arn.map(|arn| format!(" --region {}", quoted(arn.region()))).unwrap_or_default();
    let mut commands = Vec::new();
    let mut add = |text: &str, command: String| commands.push(NextCommand { text: text.to_owned(), command });
    let in_child = cause.is_some_and(|cause| !cause.via.is_empty());
    match cause.and_then(|cause| cause.state.as_deref()) {
        Some(state) if !in_child => add("every visit of the state, whole", format!("stepscope show {subject} --state {}", quoted(state))),
        _ => add("the whole path", format!("stepscope show {subject}")),
    }
    if cause.is_some_and(writes_log) {
        add(OWN_LOG, format!("stepscope why {subject} --logs"));
    }
    if !failures_only {
        add("where the time went", format!("stepscope show {subject} --timeline"));
    }
    if !failures_only && execution.status.is_some_and(ExecutionStatus::is_unsuccessful) {
        let definition = if execution.has_definition { "" } else { " --definition FILE" };
        add("run it again here, with the recorded answers; --what-if tries a change", format!("stepscope replay {subject}{definition}"));
    }
    if let Some(child) = cause.filter(|_| in_child).and_then(|cause| cause.exec.as_deref()) {
        add("the child execution", format!("stepscope show {child}"));
    } else if let Some(child) = cause.and_then(|cause| cause.child.as_deref()) {
        add("the child execution", format!("stepscope why {}", quoted(child)));
    }
    if let Some(map_run) = cause.and_then(|cause| cause.map_run.as_deref()) {
        let of_run = format!("aws stepfunctions list-executions --map-run-arn {}{region} --status-filter FAILED", quoted(map_run));
        add("the items that failed; explain one of them with `stepscope why ARN`", of_run);
        let text = "its items: how many failed, grouped by cause, and their inputs as a file to run again";
        add(text, format!("stepscope maps {}", quoted(map_run)));
    }
    if let Some(arn) = execution.arn.as_deref().filter(|arn| arn.contains(":execution:") && helps_to_redrive(execution, end)) {
        add(
            "once it is mended: run again from the failed state, with the same definition and input (within 14 days; this changes the execution)",
            format!("aws stepfunctions redrive-execution --execution-arn {}{region}", quoted(arn)),
        );
    }
    commands
}

/// Whether the task at fault is one whose log is found without help.
fn writes_log(cause: &Finding) -> bool {
    question(cause, Ask::default()).is_ok()
}

/// Whether a redrive could end otherwise: one of an execution that ended in a Fail state enters that state again.
fn helps_to_redrive(execution: &ExecutionSummary, end: Option<&Terminal>) -> bool {
    let is_full = execution.events >= MOST_EVENTS;
    let in_fail_state = end.and_then(|end| end.state_type) == Some(StateType::Fail.name());
    execution.status.is_some_and(ExecutionStatus::is_unsuccessful) && !in_fail_state && !is_full
}

//! Executions that a Task starts here: `startExecution`, and with `.sync` or `.sync:2` waits for.
//!
//! | action                              | the Task's result                        | when the execution fails  |
//! |-------------------------------------|------------------------------------------|---------------------------|
//! | `startExecution`                    | its ARN, at once                         | nobody hears of it        |
//! | `startExecution.sync`, `.sync:2`    | its description                          | `States.TaskFailed`       |
//! | `startExecution.waitForTaskToken`   | whatever the token is answered with      | nobody hears of it        |
//! | `aws-sdk:sfn:startSyncExecution`    | its description, as the call answers     | the description says so   |

use std::rc::Rc;
use std::time::Duration;

use crate::asl::machine::{BlockNumber, Pattern, Service, Task};
use crate::expr::{Object, Value};
use crate::model::{EventType, ExecutionStatus};

use super::context::{ExecutionFacts, iso_time};
use super::execution::Execution;
use super::failure::Halt;
use super::payload::Payload;
use super::thread::Call;
use super::world::{Child, ExecutionInfo, TaskAnswer, TaskOutcome};
use super::{Run, RunError};

/// How many executions may start one another in a row.
pub(super) const DEEPEST: u32 = 32;

impl Execution<'_> {
    /// Runs the execution that the Task starts, when the world knows its state machine; `None` when the Task does something else.
    ///
    /// The answer has no end while the token is out: that is for the world to say.
    pub(super) fn start_machine(&mut self, task: &Task, call: &Call) -> Result<Option<TaskAnswer>, Halt> {
        let Service::Integration { resource_type, resource } = &task.resource.service else { return Ok(None) };
        let (true, Some(action)) = (matches!(&**resource_type, "states" | "aws-sdk:sfn"), starts(resource)) else {
            return Ok(None);
        };
        let arguments = call.input.value();
        let Some(machine_arn) = arguments.get("StateMachineArn").and_then(Value::as_str) else { return Ok(None) };
        let Some(child) = self.world.machine(machine_arn) else { return Ok(None) };
        let info = self.child_info(machine_arn, arguments, child.express);
        let text = match arguments.get("Input") {
            None | Some(Value::Null) => "{}".to_owned(),
            Some(Value::String(text)) => text.to_string(),
            Some(value) => value.to_json(),
        };
        let Ok(input) = Payload::parse(&text) else {
            return Ok(Some(invalid_input(&text)));
        };
        let run = self.run_child(&child, info.clone(), input)?;
        let answer = answer(&run, &info, &text, task.resource.pattern, action);
        self.children.push(run);
        Ok(Some(answer))
    }

    /// Runs the whole of another state machine, from now on.
    fn run_child(&mut self, child: &Child, info: ExecutionInfo, input: Payload) -> Result<Run, Halt> {
        let facts = ExecutionFacts { info, start: self.now, input };
        self.run_inside(&child.machine.clone(), BlockNumber(0), facts)
    }

    /// Runs a block as an execution of its own that starts now, with its own history: a nested execution, or a child of a Distributed
    /// Map.
    pub(super) fn run_inside(
        &mut self,
        machine: &crate::asl::machine::StateMachine,
        block: BlockNumber,
        facts: ExecutionFacts,
    ) -> Result<Run, Halt> {
        let depth = self.bounds.depth.get();
        if depth >= DEEPEST {
            return Err(RunError::TooDeep(DEEPEST).into());
        }
        self.bounds.depth.set(depth + 1);
        let run = Execution::new(machine, facts, &mut *self.world, self.bounds).run(block);
        self.bounds.depth.set(depth);
        let run = run?;
        Ok(run)
    }

    fn child_info(&self, machine_arn: &str, arguments: &Value, express: bool) -> ExecutionInfo {
        let name: Rc<str> = match arguments.get("Name").and_then(Value::as_str) {
            Some(name) => name.into(),
            None => self.bounds.luck.uuid().into(),
        };
        // A version or an alias stands after the name of the machine.
        let parts: Vec<&str> = machine_arn.split(':').collect();
        let unqualified = parts.get(..7).map_or(machine_arn.to_owned(), |parts| parts.join(":"));
        let kind = if express { ":express:" } else { ":execution:" };
        let mut arn = format!("{}:{name}", unqualified.replacen(":stateMachine:", kind, 1));
        if express {
            arn = format!("{arn}:{}", self.bounds.luck.uuid());
        }
        ExecutionInfo { arn: arn.into(), name, machine_arn: unqualified.into(), role_arn: Rc::clone(&self.facts.info.role_arn), express }
    }
}

/// How an action starts an execution.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Start,
    /// The call answers when the execution is over.
    StartSync,
}

fn starts(resource: &str) -> Option<Action> {
    match resource.split('.').next()? {
        "startExecution" => Some(Action::Start),
        "startSyncExecution" => Some(Action::StartSync),
        _ => None,
    }
}

fn invalid_input(text: &str) -> TaskAnswer {
    let cause = format!(
        "Invalid State Machine Execution Input: '{text}' (Service: AWSStepFunctions; Status Code: 400; Error Code: InvalidExecutionInput)"
    );
    let failed = TaskOutcome::Failed {
        event: EventType::TaskFailed,
        error: Some("StepFunctions.InvalidExecutionInputException".into()),
        cause: Some(cause.into()),
    };
    TaskAnswer { started: Some(Duration::ZERO), ended: Some((Duration::ZERO, failed)), ..TaskAnswer::default() }
}

fn answer(run: &Run, info: &ExecutionInfo, input: &str, pattern: Pattern, action: Action) -> TaskAnswer {
    let start = run.history.header.start.unwrap_or_default();
    let stop = run.history.header.stop;
    let first = Value::object([("ExecutionArn", Value::String(Rc::clone(&info.arn))), ("StartDate", Value::from(iso_time(start)))]);
    let at_once = TaskAnswer { started: Some(Duration::ZERO), ..TaskAnswer::default() };
    let lasted = stop.and_then(|stop| Duration::try_from(stop.duration_since(start)).ok()).unwrap_or_default();
    let over = run.outcome.status != ExecutionStatus::Running;
    let described = || description(run, info, input, pattern, action);
    match (action, pattern) {
        (Action::StartSync, _) => TaskAnswer { ended: over.then(|| (lasted, TaskOutcome::Succeeded(described()))), ..at_once },
        (Action::Start, Pattern::Sync | Pattern::Sync2) => {
            let ended = over.then(|| (lasted, outcome(run, described())));
            TaskAnswer { submitted: Some((Duration::ZERO, first)), ended, ..at_once }
        }
        (Action::Start, Pattern::WaitForTaskToken) => TaskAnswer { submitted: Some((Duration::ZERO, first)), ..at_once },
        (Action::Start, Pattern::RequestResponse) => TaskAnswer { ended: Some((Duration::ZERO, TaskOutcome::Succeeded(first))), ..at_once },
    }
}

/// How a Task ends that waited for an execution: with its description, as a result or as the cause of `States.TaskFailed`.
fn outcome(run: &Run, description: Value) -> TaskOutcome {
    if run.outcome.status == ExecutionStatus::Succeeded {
        return TaskOutcome::Succeeded(description);
    }
    TaskOutcome::Failed { event: EventType::TaskFailed, error: Some("States.TaskFailed".into()), cause: Some(description.to_json().into()) }
}

fn description(run: &Run, info: &ExecutionInfo, input: &str, pattern: Pattern, action: Action) -> Value {
    let outcome = &run.outcome;
    let included = || Value::object([("Included", Value::from(true))]);
    let date = |moment: Option<crate::model::Timestamp>| match (moment, action) {
        (None, _) => Value::Null,
        (Some(moment), Action::Start) => moment.as_millisecond().into(),
        (Some(moment), Action::StartSync) => iso_time(moment).into(),
    };
    let parsed = |text: &str| Value::parse(text).unwrap_or_else(|_| Value::from(text));
    let json = pattern == Pattern::Sync2;
    let mut members = Object::with_capacity(14);
    let mut text = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            members.insert(name, value);
        }
    };
    text("Cause", outcome.cause.as_deref());
    text("Error", outcome.error.as_deref());
    text("ExecutionArn", Some(&info.arn));
    members.insert("Input", if json { parsed(input) } else { Value::from(input) });
    members.insert("InputDetails", included());
    members.insert("Name", Value::String(Rc::clone(&info.name)));
    if let Some(output) = &outcome.output {
        members.insert("Output", if json { parsed(output) } else { Value::from(&**output) });
        members.insert("OutputDetails", included());
    }
    if outcome.output.is_some() && action == Action::Start {
        members.insert("RedriveCount", 0);
        members.insert("RedriveStatus", "NOT_REDRIVABLE");
        members.insert("RedriveStatusReason", "Execution is SUCCEEDED and cannot be redriven");
    }
    members.insert("StartDate", date(run.history.header.start));
    members.insert("StateMachineArn", Value::String(Rc::clone(&info.machine_arn)));
    members.insert("Status", outcome.status.name());
    members.insert("StopDate", date(run.history.header.stop));
    Value::from(members)
}

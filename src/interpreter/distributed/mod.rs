//! The Distributed Map: a Map Run, whose items or batches are executions of their own.
//!
//! The children are run one after the other at the moment at which the Map Run begins, each from its own start in virtual time; the
//! [`timeline`] then says when the Map Run ends. To the execution around it, it is like a Task whose answer is known and still comes.
//!
//! | event               | links to                                                                     |
//! |---------------------|------------------------------------------------------------------------------|
//! | `MapRunStarted`     | `MapStateStarted`                                                            |
//! | `MapRunSucceeded`   | `MapRunStarted`                                                              |
//! | `MapRunFailed`      | `MapRunStarted`                                                              |
//! | `MapStateSucceeded` | `MapRunSucceeded`                                                            |
//! | `MapStateFailed`    | `MapRunFailed`                                                               |
//! | `MapStateExited`    | `MapRunStarted`; until 2024 the service linked it to `MapRunSucceeded`       |

mod children;
mod names;
mod plan;
#[cfg(test)]
mod tests;
mod timeline;

use self::children::{Children, child_definition};
use self::names::Names;
use self::plan::Plan;
pub(super) use self::plan::{batching, tolerated_count, tolerated_percentage};
use super::RunError;
use super::composite::{map_items, no_items};
use super::context::{Around, ExecutionFacts};
use super::data_flow::{self, Completed};
use super::dataset::DatasetError;
use super::execution::{Execution, Flow};
use super::failure::{Failure, Halt};
use super::nested::DEEPEST;
use super::payload::Payload;
use super::recorder;
use super::settings;
use super::thread::{Next, Thread};
use super::world::{
    Attempted, Child, MapRunOutcome, MapRunRequest, ObjectError, ObjectSummary, TaskAnswer, TaskRequest, Unanswered, World,
};
use crate::asl::machine::{Kind, Map, State};
use crate::expr::{EvaluationError, Scope, Value};
use crate::model::{Details, EventType, RawText, Timestamp};

/// A Map Run, as the visit of its state keeps it.
#[derive(Debug)]
pub(super) struct MapRun {
    /// What the items are in; null with an `ItemReader`.
    given: Value,
    /// 0 for as many as there may be.
    max_concurrency: u64,
    /// Filled in when the state has started.
    plan: Option<Plan>,
    step: Step,
    started_event: u64,
    exits_from_success: bool,
}

/// What a Map Run does next.
#[derive(Debug)]
enum Step {
    /// `MapStateStarted`.
    Begin,
    /// `MapRunStarted`.
    Start,
    /// `MapRunSucceeded` or `MapRunFailed`.
    End(MapRunOutcome),
    /// `MapStateSucceeded`.
    Leave(MapRunOutcome),
}

impl MapRun {
    /// The type of the event that comes next.
    pub(super) fn next_event(&self) -> EventType {
        match &self.step {
            Step::Begin => EventType::MapStateStarted,
            Step::Start => EventType::MapRunStarted,
            Step::End(MapRunOutcome::Failed { .. }) => EventType::MapRunFailed,
            Step::End(_) => EventType::MapRunSucceeded,
            Step::Leave(_) => EventType::MapStateSucceeded,
        }
    }
}

impl Execution<'_> {
    /// Begins an attempt of a Distributed Map: looks for its items where they are in the input.
    pub(super) fn begin_map_run(&mut self, thread: &mut Thread, state: &State, map: &Map) -> Result<Flow, Halt> {
        let begun = {
            let (input, around) = (thread.effective().clone(), self.around(thread, state, None, None));
            begin(state, map, Scope { input: input.value(), result: None, error_output: None, around: &around })
        };
        match begun {
            Ok((given, max_concurrency)) => {
                let run = MapRun { given, max_concurrency, plan: None, step: Step::Begin, started_event: 0, exits_from_success: false };
                Ok(keep(thread, Box::new(run), Flow::Continue))
            }
            Err(error) => {
                let link = thread.entry_link();
                thread.troubled(state, &error.into(), link)
            }
        }
    }

    /// Writes `MapStateStarted`, and fills in the fields of the state.
    fn plan_map_run(&mut self, thread: &mut Thread, state: &State, map: &Map, mut run: Box<MapRun>) -> Result<Flow, Halt> {
        let Some(distributed) = &map.distributed else { return Ok(Flow::Wait) };
        let length = Details::MapStarted { length: Some(length(&run.given)) };
        thread.last_event = self.recorder.write(EventType::MapStateStarted, thread.last_event, self.now, |_| length)?;
        let filled = {
            let (input, around) = (thread.effective().clone(), self.around(thread, state, None, None));
            Plan::fill(distributed, Scope { input: input.value(), result: None, error_output: None, around: &around })
        };
        match filled {
            Ok(plan) => {
                run.plan = Some(plan);
                run.step = Step::Start;
                Ok(keep(thread, run, Flow::Continue))
            }
            Err(error) => thread.troubled(state, &error.into(), thread.last_event),
        }
    }

    /// The next step of the Map Run.
    pub(super) fn map_run(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        let (Kind::Map(map), Some(mut run)) = (&state.kind, thread.visit.as_mut().and_then(|visit| visit.map_run.take())) else {
            return Ok(Flow::Wait);
        };
        match std::mem::replace(&mut run.step, Step::Begin) {
            Step::Begin => self.plan_map_run(thread, state, map, run),
            Step::Start => self.start_map_run(thread, state, map, run),
            Step::End(MapRunOutcome::Failed { error, cause }) => {
                let failure = Failure { error, cause, heartbeat: false };
                let details = |_: &recorder::Names<'_>| recorder::failure(&failure, None);
                let event = self.recorder.write(EventType::MapRunFailed, run.started_event, self.now, details)?;
                self.failed(thread, state, failure, event)
            }
            Step::End(outcome) => {
                thread.last_event = self.recorder.write(EventType::MapRunSucceeded, run.started_event, self.now, |_| Details::None)?;
                run.step = Step::Leave(outcome);
                Ok(keep(thread, run, Flow::Continue))
            }
            Step::Leave(outcome) => {
                self.recorder.write(EventType::MapStateSucceeded, thread.last_event, self.now, |_| Details::None)?;
                if !run.exits_from_success {
                    thread.last_event = run.started_event;
                }
                let done = match outcome {
                    MapRunOutcome::Exited { output, assigned } => Ok(Completed { output: Payload::from(output), assigned }),
                    MapRunOutcome::Succeeded(result) => {
                        let around = self.around(thread, state, None, None);
                        data_flow::with_result(state, &thread.input, &Payload::from(result), &around)
                    }
                    MapRunOutcome::Failed { .. } | MapRunOutcome::Unfinished => return Ok(Flow::Wait),
                };
                thread.leave(state, done, state.next, thread.last_event)
            }
        }
    }

    fn start_map_run(&mut self, thread: &mut Thread, state: &State, map: &Map, mut run: Box<MapRun>) -> Result<Flow, Halt> {
        let Some(distributed) = &map.distributed else { return Ok(Flow::Wait) };
        let uuid = self.bounds.luck.uuid();
        let known = |arn| self.bounds.luck.name(arn);
        let names = Names::new(&self.facts.info, &state.name, distributed.label.as_deref(), distributed.express, &uuid, known);
        run.started_event = self.recorder.write(EventType::MapRunStarted, thread.last_event, self.now, |_| Details::MapRunStarted {
            map_run_arn: Some(recorder::text(&names.arn)),
        })?;
        thread.last_event = run.started_event;
        let (scope, visit) = self.count_visit(thread);
        let attempted = Attempted {
            execution: &self.facts.info,
            state: &state.name,
            scope: &scope,
            visit,
            attempt: thread.visit.as_ref().map_or(1, |visit| visit.retry_count.saturating_add(1)),
        };
        let request = MapRunRequest { attempted, arn: &names.arn, at: self.now, started_event_id: run.started_event };
        let answer = self.world.map_run(&request);
        run.exits_from_success = answer.exits_from_success;
        let (end, outcome) = match answer.ended {
            Some((_, MapRunOutcome::Unfinished)) => return Ok(Flow::Wait),
            Some((lasted, outcome)) => (self.now.checked_add(lasted).unwrap_or(Timestamp::MAX), outcome),
            None => {
                let attempt = attempted.attempt;
                match self.run_children(thread, state, map, &run, &names) {
                    Ok(None) => return Ok(Flow::Wait),
                    Ok(Some((end, result))) => (end, MapRunOutcome::Succeeded(result)),
                    Err(Trouble::Run(error)) => return Err(error.into()),
                    Err(Trouble::Failed(end, DatasetError::Failed { error, cause })) => {
                        (end, MapRunOutcome::Failed { error: Some(error.into()), cause: Some(cause.into()) })
                    }
                    Err(Trouble::Failed(_, DatasetError::Unavailable(advice))) => {
                        let unanswered = Unanswered { state: state.name.to_string(), attempt, advice };
                        return Err(RunError::from(unanswered).into());
                    }
                }
            }
        };
        run.step = Step::End(outcome);
        Ok(keep(thread, run, Flow::At(end)))
    }

    /// Reads the items and runs the children; gives when the last one ended, and the result. `None` when one never ends.
    fn run_children(
        &mut self,
        thread: &Thread,
        state: &State,
        map: &Map,
        run: &MapRun,
        names: &Names,
    ) -> Result<Option<(Timestamp, Value)>, Trouble> {
        let effective = thread.effective().clone();
        // What the expressions see is put together by hand, since the world is lent out at the same time.
        let around = Around {
            execution: &self.facts,
            variables: &thread.variables,
            state,
            entered: thread.entered_at,
            retry_count: thread.visit.as_ref().map_or(0, |visit| visit.retry_count),
            token: None,
            item: None,
            luck: &self.bounds.luck,
            now: self.now,
        };
        let Some(plan) = &run.plan else { return Ok(None) };
        let inputs = plan
            .inputs(map, &run.given, effective.value(), around, thread.entered_event, self.world)
            .map_err(|error| Trouble::Failed(self.now, error))?;
        let children = Children {
            names,
            inputs,
            max_concurrency: run.max_concurrency,
            tolerance: plan.tolerance,
            start: self.now,
            until: self.deadline,
        };
        let definition = child_definition(self.machine, &state.name).map(RawText::plain);
        let (machine, bounds, states_entered) = (self.machine, self.bounds, &mut self.states_entered);
        let depth = bounds.depth.get();
        if depth >= DEEPEST {
            return Err(Trouble::Run(RunError::TooDeep(DEEPEST)));
        }
        bounds.depth.set(depth + 1);
        let mut world = ChildWorld(&mut *self.world);
        let mut ended = children
            .run(bounds, |info, input, start| {
                let facts = ExecutionFacts { info, start, input };
                let child = Execution::new(machine, facts, &mut world, bounds).without_timeout_of_machine();
                let mut run = child.run(map.processor)?;
                run.history.definition.clone_from(&definition);
                *states_entered += run.states_entered;
                Ok(run)
            })
            .map_err(Trouble::Run)?;
        bounds.depth.set(depth);
        self.children.append(&mut ended.runs);
        let Some(end) = ended.end else { return Ok(None) };
        let result = plan.result(names, &ended, self.world).map_err(|error| Trouble::Failed(end, error))?;
        Ok(Some((end, result)))
    }
}

/// What the items are in, and how many children may run at the same time. With an `ItemReader` nothing is looked for in the input.
fn begin(state: &State, map: &Map, scope: Scope<'_>) -> Result<(Value, u64), EvaluationError> {
    let reads = map.distributed.as_ref().is_some_and(|distributed| distributed.reader.is_some());
    let given = if reads { Value::Null } else { map_items(state, map, scope)? };
    if !reads && !matches!(given, Value::Array(_) | Value::Object(_)) {
        return Err(no_items(state, map, &given));
    }
    let max_concurrency = map.max_concurrency.as_ref().map(|setting| settings::integer(setting, "MaxConcurrency", scope)).transpose()?;
    Ok((given, max_concurrency.and_then(|number| u64::try_from(number).ok()).unwrap_or(0)))
}

/// How many items there are. The service says 0 before it has read a dataset.
fn length(given: &Value) -> u64 {
    match given {
        Value::Array(items) => items.len() as u64,
        Value::Object(members) => members.len() as u64,
        _ => 0,
    }
}

/// Why there is no result.
enum Trouble {
    Run(RunError),
    /// At this moment.
    Failed(Timestamp, DatasetError),
}

/// Puts the Map Run back for its next step.
fn keep(thread: &mut Thread, run: Box<MapRun>, flow: Flow) -> Flow {
    if let Some(visit) = &mut thread.visit {
        visit.map_run = Some(run);
    }
    thread.next = Next::MapRun;
    flow
}

/// The world as children see it: they run in the order of time, whatever the world knows about the history of their parent.
struct ChildWorld<'w>(&'w mut dyn World);

impl World for ChildWorld<'_> {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        self.0.attempt(request)
    }

    fn map_run(&mut self, request: &MapRunRequest<'_>) -> super::world::MapRunAnswer {
        self.0.map_run(request)
    }

    fn machine(&mut self, arn: &str) -> Option<Child> {
        self.0.machine(arn)
    }

    fn read_object(&mut self, bucket: &str, key: &str) -> Result<Vec<u8>, ObjectError> {
        self.0.read_object(bucket, key)
    }

    fn list_objects(&mut self, bucket: &str, prefix: &str) -> Result<Vec<ObjectSummary>, ObjectError> {
        self.0.list_objects(bucket, prefix)
    }

    fn write_object(&mut self, bucket: &str, key: &str, bytes: &[u8]) -> Result<(), ObjectError> {
        self.0.write_object(bucket, key, bytes)
    }
}

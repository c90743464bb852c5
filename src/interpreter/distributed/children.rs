//! Runs the children of a Map Run: each an execution of its own, of a machine that consists of the Map's processor.

use std::rc::Rc;

use jiff::Timestamp;

use super::names::Names;
use super::timeline::{Ended, Timeline, timeline};
use crate::asl::compile;
use crate::asl::machine::StateMachine;
use crate::expr::{Object, Value};
use crate::interpreter::dataset::{ChildResult, Tolerance};
use crate::interpreter::{Outcome, Run, RunError, RunOptions, World, run};
use crate::model::{EventId, EventType, ExecutionStatus, HistoryEvent};

/// What a Map Run does with its children.
#[derive(Debug)]
pub(in crate::interpreter) struct Children<'a> {
    /// What each of them runs.
    pub(in crate::interpreter) machine: &'a Rc<StateMachine>,
    /// How they are called.
    pub(in crate::interpreter) names: &'a Names,
    /// The input of each, and how many items are in it.
    pub(in crate::interpreter) inputs: Vec<(Value, u64)>,
    /// 0 for as many as there may be.
    pub(in crate::interpreter) max_concurrency: u64,
    /// How many items may fail.
    pub(in crate::interpreter) tolerance: Tolerance,
    /// Limits, seed and start; the names in it are the parent's.
    pub(in crate::interpreter) options: RunOptions,
}

/// What became of them.
#[derive(Debug)]
pub(in crate::interpreter) struct ChildrenEnded {
    /// When the last one ended, or too many had failed; `None` when one never ends.
    pub(in crate::interpreter) end: Option<Timestamp>,
    /// Whether too many items failed.
    pub(in crate::interpreter) exceeded: bool,
    /// One a child, in the order of the items.
    pub(in crate::interpreter) results: Vec<ChildResult>,
    /// Those that began.
    pub(in crate::interpreter) runs: Vec<Run>,
    /// How many states they entered.
    pub(in crate::interpreter) states_entered: u64,
}

impl Children<'_> {
    /// Runs all of them, or as many as begin before too many items failed.
    pub(in crate::interpreter) fn run(&self, world: &mut dyn World) -> Result<ChildrenEnded, RunError> {
        let items: Vec<u64> = self.inputs.iter().map(|(_, items)| *items).collect();
        let mut draws = fastrand::Rng::with_seed(self.options.seed);
        let mut ended = ChildrenEnded { end: None, exceeded: false, results: Vec::new(), runs: Vec::new(), states_entered: 0 };
        let Timeline { end, exceeded, aborted } =
            timeline(&items, self.options.start, self.max_concurrency, self.tolerance, |position, start| {
                self.run_one(position, start, &mut draws, world, &mut ended)
            })?;
        (ended.end, ended.exceeded) = (end, exceeded);
        if let Some(end) = end {
            for position in aborted {
                abort(&mut ended.runs[position], end);
                ended.results[position].outcome = Some(ended.runs[position].outcome.clone());
                ended.results[position].stop = end;
            }
        }
        // Those that never began have names, too.
        for position in ended.results.len()..self.inputs.len() {
            ended.results.push(self.result(position, &draw_uuid(&mut draws), self.options.start));
        }
        Ok(ended)
    }

    fn run_one(
        &self,
        position: usize,
        start: Timestamp,
        draws: &mut fastrand::Rng,
        world: &mut dyn World,
        ended: &mut ChildrenEnded,
    ) -> Result<Ended, RunError> {
        let name = draw_uuid(draws);
        let mut result = self.result(position, &name, start);
        let options = RunOptions {
            execution: self.names.child(&name),
            start,
            seed: draws.u64(..),
            max_states: self.options.max_states.saturating_sub(ended.states_entered),
            ..self.options.clone()
        };
        let mut run = run(self.machine, &result.input, &options, world)?;
        run.history.header.map_run_arn = Some(self.names.arn.to_string());
        let status = run.outcome.status;
        result.stop = run.history.header.stop.map_or(start, |stop| stop.max(start));
        result.outcome = (status != ExecutionStatus::Running).then(|| run.outcome.clone());
        ended.states_entered += run.states_entered;
        let stop = result.outcome.is_some().then_some(result.stop);
        ended.results.push(result);
        ended.runs.push(run);
        Ok(Ended { stop, failed: status != ExecutionStatus::Succeeded })
    }

    /// The record of a child that has not begun.
    fn result(&self, position: usize, name: &str, start: Timestamp) -> ChildResult {
        let child = self.names.child(name);
        ChildResult {
            arn: child.arn,
            name: child.name,
            machine_arn: child.machine_arn,
            input: self.inputs[position].0.to_json().into(),
            outcome: None,
            start,
            stop: start,
        }
    }
}

/// The machine of the children of a Map, compiled anew from the part of the definition that it is. `None` when the definition as it
/// was given has no such part, which compiling it would have noticed.
pub(in crate::interpreter) fn child_machine(machine: &StateMachine, map: &str) -> Option<Rc<StateMachine>> {
    let definition = Value::parse(&machine.source).ok()?;
    let state = find_state(&definition, map)?;
    let processor = state.get("ItemProcessor").or_else(|| state.get("Iterator"))?.as_object()?;
    let mut child = Object::with_capacity(processor.len() + 1);
    if let Some(language) = definition.get("QueryLanguage") {
        child.insert("QueryLanguage", language.clone());
    }
    for (name, value) in processor.iter().filter(|(name, _)| &***name != "ProcessorConfig") {
        child.insert(Rc::clone(name), value.clone());
    }
    compile(&Value::from(child).to_json()).ok()
}

/// The state of this name; names are unique in the whole definition.
fn find_state<'v>(definition: &'v Value, name: &str) -> Option<&'v Value> {
    let mut blocks = vec![definition];
    while let Some(block) = blocks.pop() {
        let states = block.get("States").and_then(Value::as_object)?;
        if let Some(state) = states.get(name) {
            return Some(state);
        }
        for (_, state) in states.iter() {
            blocks.extend(["ItemProcessor", "Iterator"].iter().filter_map(|field| state.get(field)));
            blocks.extend(state.get("Branches").and_then(Value::as_array).unwrap_or_default());
        }
    }
    None
}

/// Cuts a child off: what it did later never happened.
fn abort(run: &mut Run, at: Timestamp) {
    run.outcome = Outcome { status: ExecutionStatus::Aborted, output: None, error: None, cause: None };
    let header = &mut run.history.header;
    (header.status, header.stop) = (Some(ExecutionStatus::Aborted), Some(at));
    (header.output, header.error, header.cause) = (None, None, None);
    let events = &mut run.history.events;
    if events.is_empty() {
        return;
    }
    events.retain(|event| event.timestamp.is_none_or(|timestamp| timestamp <= at));
    let id = EventId(events.last().map_or(1, |event| event.id.0 + 1));
    events.push(HistoryEvent {
        id,
        previous_event_id: None,
        timestamp: Some(at),
        kind: EventType::ExecutionAborted,
        details: crate::model::Details::None,
        unknown: None,
    });
}

fn draw_uuid(draws: &mut fastrand::Rng) -> String {
    let bits = (draws.u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let digits = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

//! Runs the children of a Map Run: each an execution of its own.

use std::rc::Rc;

use jiff::Timestamp;

use super::names::Names;
use super::timeline::{Ended, Timeline, timeline};
use crate::asl::machine::StateMachine;
use crate::expr::{Object, Value};
use crate::interpreter::dataset::{ChildResult, Tolerance};
use crate::interpreter::execution::Bounds;
use crate::interpreter::payload::Payload;
use crate::interpreter::{ExecutionInfo, Outcome, Run, RunError};
use crate::model::{EventId, EventType, ExecutionStatus, Gap, HistoryEvent};

/// Of how many children it is kept what they did; of further ones only of those that did not succeed, so that memory stays bounded.
const KEPT: usize = 10_000;

/// What a Map Run does with its children.
#[derive(Debug)]
pub(super) struct Children<'a> {
    /// How they are called.
    pub(super) names: &'a Names,
    /// The input of each, and how many items are in it.
    pub(super) inputs: Vec<(Payload, u64)>,
    /// 0 for as many as there may be.
    pub(super) max_concurrency: u64,
    /// How many items may fail.
    pub(super) tolerance: Tolerance,
    /// When the Map Run began.
    pub(super) start: Timestamp,
    /// When the execution around it times out.
    pub(super) until: Option<Timestamp>,
}

/// What became of them.
#[derive(Debug)]
pub(super) struct ChildrenEnded {
    /// When the last one ended, or too many had failed; `None` when one never ends, or not in time.
    pub(super) end: Option<Timestamp>,
    /// Whether too many items failed.
    pub(super) exceeded: bool,
    /// One a child, in the order of the items.
    pub(super) results: Vec<ChildResult>,
    /// Those that began. In a very large Map Run most that succeeded have no events.
    pub(super) runs: Vec<Run>,
}

impl Children<'_> {
    /// Runs all of them, or as many as begin before too many items failed. `execute` runs one from a moment on.
    pub(super) fn run(
        &self,
        bounds: &Bounds,
        mut execute: impl FnMut(ExecutionInfo, Payload, Timestamp) -> Result<Run, RunError>,
    ) -> Result<ChildrenEnded, RunError> {
        let items: Vec<u64> = self.inputs.iter().map(|(_, items)| *items).collect();
        let (mut results, mut runs) = (Vec::with_capacity(items.len()), Vec::new());
        let Timeline { end, exceeded, aborted } =
            timeline(&items, self.start, self.until, self.max_concurrency, self.tolerance, |position, start| {
                let child = self.names.child(&bounds.luck.uuid());
                let mut result = self.pending(position, &child, start);
                let room = bounds.history_bytes_left.get();
                let mut run = execute(child, self.inputs[position].0.clone(), start)?;
                run.history.header.map_run_arn = Some(self.names.arn.to_string());
                let status = run.outcome.status;
                if status != ExecutionStatus::Running {
                    result.stop = run.history.header.stop.map_or(start, |stop| stop.max(start));
                    result.outcome = Some(run.outcome.clone());
                }
                let stop = result.outcome.is_some().then_some(result.stop);
                if runs.len() >= KEPT && status == ExecutionStatus::Succeeded {
                    forget(&mut run);
                    bounds.history_bytes_left.set(room);
                }
                results.push(result);
                runs.push(run);
                Ok::<_, RunError>(Ended { stop, failed: status != ExecutionStatus::Succeeded })
            })?;
        // Children that are open when the Map Run fails, or the execution times out, are aborted.
        let cut = if exceeded || end.is_none() { end.or(self.until) } else { None };
        if let Some(end) = cut {
            for position in aborted {
                (results[position].outcome, results[position].stop) = (Some(ABORTED), end);
            }
            // What never ends by itself ends then, too.
            for result in results.iter_mut().filter(|result| result.outcome.is_none()) {
                (result.outcome, result.stop) = (Some(ABORTED), end);
            }
            for (run, _) in runs.iter_mut().zip(&results).filter(|(_, result)| result.outcome == Some(ABORTED)) {
                abort(run, end);
            }
        }
        for position in results.len()..self.inputs.len() {
            results.push(self.pending(position, &self.names.child(&bounds.luck.uuid()), self.start));
        }
        Ok(ChildrenEnded { end, exceeded, results, runs })
    }

    /// The record of a child that has not begun.
    fn pending(&self, position: usize, child: &ExecutionInfo, start: Timestamp) -> ChildResult {
        ChildResult {
            arn: Rc::clone(&child.arn),
            name: Rc::clone(&child.name),
            machine_arn: Rc::clone(&child.machine_arn),
            input: self.inputs[position].0.text().into(),
            outcome: None,
            start,
            stop: start,
        }
    }
}

/// The definition of the children of a Map: the part of the machine's that its processor is. `None` when the source does not show it.
pub(super) fn child_definition(machine: &StateMachine, map: &str) -> Option<String> {
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
    Some(Value::from(child).to_json())
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

/// Keeps of a child only how it is called and that it succeeded.
fn forget(run: &mut Run) {
    let header = &mut run.history.header;
    (header.input, header.output) = (None, None);
    run.history.events = Vec::new();
    run.history.gaps = vec![Gap::NoEvents];
    run.history.definition = None;
    run.children = Vec::new();
}

/// How a child ends that ran when the Map Run failed.
const ABORTED: Outcome = Outcome { status: ExecutionStatus::Aborted, output: None, error: None, cause: None };

/// Cuts a child off: what it did later never happened.
fn abort(run: &mut Run, at: Timestamp) {
    run.outcome = ABORTED;
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

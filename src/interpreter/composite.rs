//! Parallel and inline Map: threads inside a state, their results, and what becomes of all when one fails.
//!
//! | event                                         | names as its cause                                                    |
//! |-----------------------------------------------|-----------------------------------------------------------------------|
//! | first event of a branch or an iteration       | the `…StateStarted`; of an iteration that had to wait, the last event inside the one that made room |
//! | `MapIterationSucceeded`                       | the last event of the iteration                                       |
//! | `…StateSucceeded`, and the `…StateExited`     | both the last event of what ended last                                |
//! | `MapIterationFailed`, `…Aborted`, `…StateFailed` | the event that reports the failure                                 |
//! | the next `…StateStarted` of a retry           | the event that reports the failure                                    |
//! | what follows a `…StateFailed`                 | the `…StateFailed`                                                    |

use std::rc::Rc;

use crate::asl::machine::{Kind, Map, State, StateNumber};
use crate::expr::{EvaluationError, Scope, Template, Value};
use crate::model::EventType;
use crate::model::event::Details;

use super::context::MapItem;
use super::data_flow;
use super::execution::{Execution, Flow};
use super::failure::{Failure, Halt, Problem, QUERY};
use super::payload::Payload;
use super::recorder;
use super::settings;
use super::thread::{Next, Thread, ThreadId};
use super::variables::Variables;

/// How many iterations of an inline Map the service runs at a time, whatever is asked for.
const MOST_ITERATIONS: usize = 40;

/// A Parallel or an inline Map at work.
#[derive(Debug)]
pub(super) struct Composite {
    results: Vec<Option<Payload>>,
    /// How many are not finished.
    open: usize,
    running: Vec<ThreadId>,
    /// Of a Map.
    items: Rc<Vec<Value>>,
    /// The first item that was not begun.
    next_item: usize,
    concurrency: usize,
}

impl Execution<'_> {
    pub(super) fn begin_parallel(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        let effective = thread.effective().clone();
        let input = data_flow::arguments(state, &effective, &self.around(thread, state, None, None)).map_err(Problem::from);
        match input.and_then(Payload::fitting) {
            Ok(input) => {
                thread.next = Next::ParallelStarted(input);
                Ok(Flow::Continue)
            }
            Err(problem) => {
                let link = thread.entry_link();
                thread.troubled(state, &problem, link)
            }
        }
    }

    pub(super) fn begin_map(&mut self, thread: &mut Thread, state: &State, map: &Map) -> Result<Flow, Halt> {
        if map.distributed.is_some() {
            return self.begin_map_run(thread, state, map);
        }
        match self.items(thread, state, map) {
            Ok((items, concurrency)) => {
                let composite = Composite { results: Vec::new(), open: 0, running: Vec::new(), items, next_item: 0, concurrency };
                if let Some(visit) = &mut thread.visit {
                    visit.composite = Some(Box::new(composite));
                }
                thread.next = Next::MapStarted;
                Ok(Flow::Continue)
            }
            Err(error) => {
                let link = thread.entry_link();
                thread.troubled(state, &error.into(), link)
            }
        }
    }

    fn items(&self, thread: &Thread, state: &State, map: &Map) -> Result<(Rc<Vec<Value>>, usize), EvaluationError> {
        let effective = thread.effective().clone();
        let around = self.around(thread, state, None, None);
        let scope = Scope { input: effective.value(), result: None, error_output: None, around: &around };
        let items = match map_items(state, map, scope)? {
            Value::Array(items) => items,
            other => return Err(no_items(state, map, &other)),
        };
        let asked = match &map.max_concurrency {
            Some(setting) => settings::integer(setting, "MaxConcurrency", scope)?,
            None => 0,
        };
        let concurrency = usize::try_from(asked).ok().filter(|asked| *asked > 0).unwrap_or(MOST_ITERATIONS);
        Ok((items, concurrency.min(MOST_ITERATIONS)))
    }

    pub(super) fn parallel_started(&mut self, thread: &mut Thread, state: &State, input: &Payload) -> Result<Flow, Halt> {
        let Kind::Parallel { branches } = &state.kind else { return Ok(Flow::Wait) };
        thread.last_event = self.recorder.write(EventType::ParallelStateStarted, thread.last_event, self.now, |_| Details::None)?;
        self.path_of(thread);
        let mut composite = Composite {
            results: vec![None; branches.len()],
            open: branches.len(),
            running: Vec::with_capacity(branches.len()),
            items: Rc::default(),
            next_item: 0,
            concurrency: 0,
        };
        for (block, index) in branches.iter().zip(0..) {
            let start = self.machine.block(*block).start_at;
            let variables = Variables::inside(&thread.variables);
            let branch = self.new_thread(Some((thread, index)), start, input.clone(), variables, Next::Enter);
            composite.running.push(branch.id);
            self.settle(branch, Flow::Continue);
        }
        if let Some(visit) = &mut thread.visit {
            visit.composite = Some(Box::new(composite));
        }
        if branches.is_empty() {
            thread.next = Next::CompositeSucceeded;
            return Ok(Flow::Continue);
        }
        Ok(Flow::Wait)
    }

    pub(super) fn map_started(&mut self, thread: &mut Thread) -> Result<Flow, Halt> {
        let Some(composite) = composite_of(thread) else { return Ok(Flow::Wait) };
        let (items, concurrency) = (composite.items.len(), composite.concurrency);
        composite.open = items;
        composite.results = vec![None; items];
        let length = Details::MapStarted { length: Some(items as u64) };
        thread.last_event = self.recorder.write(EventType::MapStateStarted, thread.last_event, self.now, |_| length)?;
        self.path_of(thread);
        if items == 0 {
            thread.next = Next::CompositeSucceeded;
            return Ok(Flow::Continue);
        }
        for _ in 0..concurrency.min(items) {
            self.begin_iteration(thread, thread.last_event)?;
        }
        Ok(Flow::Wait)
    }

    /// Begins the next iteration of the Map that `thread` is at, if one is left.
    fn begin_iteration(&mut self, thread: &mut Thread, previous: u64) -> Result<(), Halt> {
        let machine = self.machine;
        let Kind::Map(map) = &machine.state(thread.state).kind else { return Ok(()) };
        let Some(composite) = composite_of(thread) else { return Ok(()) };
        let index = composite.next_item;
        let Some(item) = composite.items.get(index).cloned() else { return Ok(()) };
        composite.next_item += 1;
        let start = machine.block(map.processor).start_at;
        let variables = Variables::inside(&thread.variables);
        let mut iteration = self.new_thread(Some((thread, index as u64)), start, item.into(), variables, Next::IterationStarted);
        iteration.last_event = previous;
        if let Some(composite) = composite_of(thread) {
            composite.running.push(iteration.id);
        }
        // Those that begin together are all told of before the first goes on.
        let flow = if self.interleaves { Flow::Continue } else { self.iteration_begins(&mut iteration, thread)? };
        self.settle(iteration, flow);
        Ok(())
    }

    pub(super) fn iteration_started(&mut self, thread: &mut Thread) -> Result<Flow, Halt> {
        let Some(parent) = thread.parent.and_then(|parent| self.take(parent)) else { return Ok(Flow::Wait) };
        let flow = self.iteration_begins(thread, &parent);
        self.restore(parent);
        flow
    }

    fn iteration_begins(&mut self, thread: &mut Thread, parent: &Thread) -> Result<Flow, Halt> {
        let machine = self.machine;
        let state = machine.state(parent.state);
        let Kind::Map(map) = &state.kind else { return Ok(Flow::Wait) };
        thread.last_event = self.write_iteration(EventType::MapIterationStarted, thread.last_event, parent.state, thread.index)?;
        thread.next = Next::Enter;
        let Some(selector) = &map.item_selector else { return Ok(Flow::Continue) };
        let item = MapItem { index: thread.index, value: thread.input.value().clone(), key: None, source: None };
        let around = self.around(parent, state, None, Some(&item));
        let effective = parent.effective().clone();
        let input = selector.evaluate(Scope { input: effective.value(), result: None, error_output: None, around: &around });
        match input.map_err(Problem::from).and_then(|input| Payload::from(input).fitting()) {
            Ok(input) => {
                thread.input = input;
                Ok(Flow::Continue)
            }
            Err(problem) => self.selector_failed(thread, parent, problem),
        }
    }

    /// An `ItemSelector` that fails is a failure of the Map, told of inside the iteration.
    fn selector_failed(&mut self, thread: &mut Thread, parent: &Thread, problem: Problem) -> Result<Flow, Halt> {
        let failure = problem.failure(self.machine.state(parent.state), parent.entered_event);
        let error = match problem {
            Problem::Evaluation(error) if error.error == QUERY => error,
            _ => return Err(Halt::Failed { failure, previous_event_id: thread.last_event }),
        };
        let number = parent.state;
        let id = self.recorder.write(EventType::EvaluationFailed, thread.last_event, self.now, |names| {
            Details::Evaluation(Box::new(crate::model::event::Evaluation {
                state: names.of(number),
                location: error.location.as_deref().map(recorder::text),
                error: failure.error.as_deref().map(recorder::text),
                cause: failure.cause.as_deref().map(recorder::text),
            }))
        })?;
        thread.next = Next::Fail(Box::new(failure), id);
        Ok(Flow::Continue)
    }

    /// Takes the output of a branch or an iteration that came to its end.
    pub(super) fn scope_finished(&mut self, thread: &mut Thread, parent: ThreadId, output: Payload) -> Flow {
        let in_map = self.peek(parent).is_some_and(|parent| matches!(self.machine.state(parent.state).kind, Kind::Map(_)));
        if in_map {
            thread.next = Next::IterationSucceeded(output);
            return Flow::Continue;
        }
        let Some(parent) = self.take(parent) else { return Flow::Done };
        self.take_result(thread, parent, output, thread.last_event);
        Flow::Done
    }

    pub(super) fn iteration_succeeded(&mut self, thread: &mut Thread, output: Payload) -> Result<Flow, Halt> {
        let Some(mut parent) = thread.parent.and_then(|parent| self.take(parent)) else { return Ok(Flow::Done) };
        let id = self.write_iteration(EventType::MapIterationSucceeded, thread.last_event, parent.state, thread.index)?;
        if let Some(composite) = composite_of(&mut parent) {
            composite.running.retain(|running| *running != thread.id);
        }
        self.begin_iteration(&mut parent, thread.last_event)?;
        self.take_result(thread, parent, output, id);
        Ok(Flow::Done)
    }

    /// Keeps a result; the last one lets the state go on.
    fn take_result(&mut self, thread: &Thread, mut parent: Box<Thread>, output: Payload, last_event: u64) {
        let index = usize::try_from(thread.index).unwrap_or(usize::MAX);
        let mut finished = false;
        if let Some(composite) = composite_of(&mut parent) {
            if let Some(result) = composite.results.get_mut(index) {
                *result = Some(output);
                composite.open -= 1;
            }
            finished = composite.open == 0;
        }
        if finished {
            parent.last_event = last_event;
            parent.next = Next::CompositeSucceeded;
            self.settle_first(parent);
        } else {
            self.restore(parent);
        }
    }

    pub(super) fn composite_succeeded(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        let event = if matches!(state.kind, Kind::Map(_)) { EventType::MapStateSucceeded } else { EventType::ParallelStateSucceeded };
        self.recorder.write(event, thread.last_event, self.now, |_| Details::None)?;
        let composite = thread.visit.as_mut().and_then(|visit| visit.composite.take());
        let results: Vec<Payload> = composite.map(|composite| composite.results.into_iter().flatten().collect()).unwrap_or_default();
        let result = Payload::join(&results);
        let done = data_flow::with_result(state, &thread.input, &result, &self.around(thread, state, None, None));
        thread.leave(state, done, state.next, thread.last_event)
    }

    pub(super) fn composite_failed(&mut self, thread: &mut Thread, state: &State, failure: Failure) -> Result<Flow, Halt> {
        let event = if matches!(state.kind, Kind::Map(_)) { EventType::MapStateFailed } else { EventType::ParallelStateFailed };
        let id = self.recorder.write(event, thread.last_event, self.now, |_| Details::None)?;
        thread.last_event = id;
        self.caught_or_not(thread, state, failure, id)
    }

    /// Ends the thread's scope with a failure that `event` reports, and all that runs beside it.
    pub(super) fn fail(&mut self, thread: &mut Thread, state: &State, failure: Failure, event: u64) -> Result<Flow, Halt> {
        let Some(parent) = thread.parent else {
            self.end_failed(failure, event);
            return Ok(Flow::Done);
        };
        let Some(mut parent) = self.take(parent) else { return Ok(Flow::Done) };
        let around = self.machine.state(parent.state);
        let map = matches!(around.kind, Kind::Map(_)).then_some(parent.state);
        if let Some(map) = map {
            self.write_iteration(EventType::MapIterationFailed, event, map, thread.index)?;
        }
        if thread.entered_event > 0 {
            self.write_aborted(state, event)?;
        }
        let composite = parent.visit.as_mut().and_then(|visit| visit.composite.take());
        let mut siblings = composite.map(|composite| composite.running).unwrap_or_default();
        siblings.retain(|sibling| *sibling != thread.id);
        self.abort(siblings, map, event)?;
        let flow = self.failed(&mut parent, around, failure, event)?;
        self.settle(parent, flow);
        Ok(Flow::Done)
    }

    /// Ends threads, and all inside them, because of `event`.
    fn abort(&mut self, threads: Vec<ThreadId>, map: Option<StateNumber>, event: u64) -> Result<(), Halt> {
        let mut left: Vec<(ThreadId, Option<StateNumber>)> = Vec::new();
        self.remember(&mut left, threads, map);
        while let Some((id, map)) = left.pop() {
            let Some(mut thread) = self.take(id) else { continue };
            let state = self.machine.state(thread.state);
            if let Some(map) = map.filter(|_| !matches!(thread.next, Next::IterationStarted)) {
                self.write_iteration(EventType::MapIterationAborted, event, map, thread.index)?;
            }
            let is_open = !matches!(thread.next, Next::Enter | Next::IterationStarted | Next::IterationSucceeded(_));
            if is_open && thread.entered_event > 0 {
                self.write_aborted(state, event)?;
            }
            let inside = composite_of(&mut thread).map(|composite| std::mem::take(&mut composite.running)).unwrap_or_default();
            let map = matches!(state.kind, Kind::Map(_)).then_some(thread.state);
            self.remember(&mut left, inside, map);
            self.release(id);
        }
        Ok(())
    }

    /// Puts threads on the list of those to be ended, the first of them last.
    fn remember(&self, left: &mut Vec<(ThreadId, Option<StateNumber>)>, threads: Vec<ThreadId>, map: Option<StateNumber>) {
        let mut alive: Vec<(u64, ThreadId)> = threads.into_iter().filter_map(|id| self.peek(id).map(|thread| (thread.index, id))).collect();
        alive.sort_unstable_by_key(|(index, _)| std::cmp::Reverse(*index));
        left.extend(alive.into_iter().map(|(_, id)| (id, map)));
    }

    fn write_aborted(&mut self, state: &State, event: u64) -> Result<(), Halt> {
        if let Some(aborted) = recorder::aborted(&state.kind) {
            self.recorder.write(aborted, event, self.now, |_| Details::None)?;
        }
        Ok(())
    }

    fn write_iteration(&mut self, kind: EventType, previous: u64, map: StateNumber, index: u64) -> Result<u64, Halt> {
        self.recorder.write(kind, previous, self.now, |names| Details::Iteration { name: names.of(map), index: Some(index) })
    }
}

fn composite_of(thread: &mut Thread) -> Option<&mut Composite> {
    thread.visit.as_mut()?.composite.as_deref_mut()
}

/// What the items of a Map are, whatever it is.
pub(super) fn map_items(state: &State, map: &Map, scope: Scope<'_>) -> Result<Value, EvaluationError> {
    match (&map.items, &map.items_path) {
        (Some(template), _) if Execution::is_jsonata(state) => template.evaluate(scope),
        (_, Some(path)) => path.evaluate(scope),
        _ => Ok(scope.input.clone()),
    }
}

/// The error for items that are no array.
pub(super) fn no_items(state: &State, map: &Map, found: &Value) -> EvaluationError {
    if !Execution::is_jsonata(state) {
        let path = map.items_path.as_ref().map_or("$", |path| path.text());
        // A path into the context object is shown like one into the input.
        let path = if path.starts_with("$$") { &path[1..] } else { path };
        return EvaluationError::runtime(format!("Reference path \"{path}\" must point to array."));
    }
    match map.items.as_ref().and_then(Template::expression) {
        Some(expression) => settings::unexpected_type(expression, "Items", "array", found),
        None => EvaluationError { error: QUERY, cause: format!("Map state input must be an array but was: {found}"), location: None },
    }
}

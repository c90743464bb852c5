//! One execution: its threads, its clock, and what goes on next.
//!
//! Time is virtual. A thread that can go on does, until it must wait; when none can, the clock jumps to the moment for which the first
//! of those that wait is due. Where the world wants to choose ([`World::interleaves`](super::World::interleaves)), every event is a step
//! of its own, and the world says whose is next.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use crate::asl::machine::{BlockNumber, Kind, State, StateMachine, StateNumber};
use crate::model::event::{Details, ExecutionStarted};
use crate::model::event_type::AttemptStep;
use crate::model::{EventType, ExecutionStatus, Timestamp};

use super::context::{Around, ExecutionFacts, MapItem};
use super::failure::{Failure, Halt};
use super::luck::Luck;
use super::payload::Payload;
use super::recorder::{self, Recorder};
use super::thread::{Next, ScopePath, Thread, ThreadId};
use super::variables::Variables;
use super::world::{Pending, World};
use super::{Outcome, Run, RunError};

/// An Express execution may take five minutes.
const LONGEST_EXPRESS: Duration = Duration::from_mins(5);

/// What an execution shares with those that it starts.
#[derive(Debug)]
pub(super) struct Bounds {
    pub luck: Luck,
    /// How many states may still be entered.
    pub states_left: Cell<u64>,
    pub max_states: u64,
    pub max_events: u64,
    pub record: bool,
    /// How many bytes of payloads histories may still hold.
    pub history_bytes_left: Rc<Cell<usize>>,
    /// How many executions started one another down to this one.
    pub depth: Cell<u32>,
}

/// How a thread stands after a step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flow {
    /// It can go on.
    Continue,
    /// It can go on at this moment.
    At(Timestamp),
    /// It waits for other threads, or for ever.
    Wait,
    /// It is over.
    Done,
}

/// An execution that runs.
pub(super) struct Execution<'a> {
    pub machine: &'a StateMachine,
    pub facts: ExecutionFacts,
    pub world: &'a mut dyn World,
    pub bounds: &'a Bounds,
    pub recorder: Recorder,
    pub now: Timestamp,
    /// Executions that this one started.
    pub children: Vec<Run>,
    /// How often each Task was visited in its scope.
    pub visits: HashMap<(ScopePath, StateNumber), u32>,
    pub states_entered: u64,
    /// Whether the world chooses each step.
    pub interleaves: bool,
    outcome: Option<Outcome>,
    /// When the execution times out.
    pub deadline: Option<Timestamp>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    ready: VecDeque<ThreadId>,
    timers: BinaryHeap<Reverse<(Timestamp, u64, u32, u32)>>,
    turns: u64,
    root_path: ScopePath,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    thread: Option<Box<Thread>>,
}

/// All threads, to be looked at.
struct Threads<'a> {
    machine: &'a StateMachine,
    slots: &'a [Slot],
}

impl<'a> Threads<'a> {
    fn alive(&self) -> impl Iterator<Item = &'a Thread> + use<'a> {
        self.slots.iter().filter_map(|slot| slot.thread.as_deref())
    }

    /// What the thread could do next.
    fn pending(&self, thread: &'a Thread) -> Pending<'a> {
        let state = self.machine.state(thread.state);
        let around = thread.parent.and_then(|parent| peek(self.slots, parent)).map(|parent| self.machine.state(parent.state));
        let mut pending = Pending {
            event: thread.next_event(state),
            state: &state.name,
            scope: thread.scope.as_deref().unwrap_or_default(),
            previous_event_id: thread.last_event,
            at: thread.due,
        };
        match &thread.next {
            Next::Fail(_, failing) => {
                pending.previous_event_id = *failing;
                match around.filter(|around| matches!(around.kind, Kind::Map(_))) {
                    Some(map) => (pending.event, pending.state) = (EventType::MapIterationFailed, &map.name),
                    None if around.is_some() => pending.event = self.failing_branch_event(thread, state),
                    None => {}
                }
            }
            Next::EvaluationFailed(failed) => pending.previous_event_id = failed.previous,
            Next::IterationStarted | Next::IterationSucceeded(_) => pending.state = around.map_or(pending.state, |around| &around.name),
            _ => {}
        }
        pending
    }

    /// The first event that tells of a failed branch.
    fn failing_branch_event(&self, thread: &Thread, state: &State) -> EventType {
        let open = |other: &Thread| recorder::aborted(&self.machine.state(other.state).kind);
        let mut siblings = self.alive().filter(|other| other.parent == thread.parent && other.id != thread.id);
        recorder::aborted(&state.kind).or_else(|| siblings.find_map(open)).unwrap_or(EventType::ParallelStateFailed)
    }
}

fn peek(slots: &[Slot], id: ThreadId) -> Option<&Thread> {
    let slot = &slots[id.slot as usize];
    if slot.generation == id.generation { slot.thread.as_deref() } else { None }
}

impl<'a> Execution<'a> {
    /// An execution of `machine` that starts now.
    pub fn new(machine: &'a StateMachine, facts: ExecutionFacts, world: &'a mut dyn World, bounds: &'a Bounds) -> Self {
        let express = facts.info.express;
        let timeout = machine.timeout_seconds.map(Duration::from_secs);
        let timeout = if express { Some(timeout.map_or(LONGEST_EXPRESS, |timeout| timeout.min(LONGEST_EXPRESS))) } else { timeout };
        Self {
            machine,
            recorder: Recorder::new(machine, bounds.record, if express { u64::MAX } else { bounds.max_events }, &bounds.history_bytes_left),
            now: facts.start,
            deadline: timeout.and_then(|timeout| facts.start.checked_add(timeout).ok()),
            interleaves: world.interleaves(),
            facts,
            world,
            bounds,
            children: Vec::new(),
            visits: HashMap::new(),
            states_entered: 0,
            outcome: None,
            slots: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            timers: BinaryHeap::new(),
            turns: 0,
            root_path: Rc::from([]),
        }
    }

    /// Without the `TimeoutSeconds` of the machine, which says nothing about the children of its Maps.
    pub fn without_timeout_of_machine(mut self) -> Self {
        self.deadline = if self.facts.info.express { self.facts.start.checked_add(LONGEST_EXPRESS).ok() } else { None };
        self
    }

    /// Runs `block` to its end.
    pub fn run(mut self, block: BlockNumber) -> Result<Run, RunError> {
        let result = self.start(block).and_then(|()| if self.interleaves { self.run_as_chosen() } else { self.run_in_time() });
        match result {
            Ok(()) => {}
            Err(Halt::Failed { failure, previous_event_id }) => self.end_failed(failure, previous_event_id),
            Err(Halt::HistoryFull) => {
                let cause = format!("The execution reached the maximum number of history events ({}).", self.recorder.limit());
                self.end_failed(Failure::new(super::failure::RUNTIME, cause), self.recorder.count());
            }
            Err(Halt::Error(error)) => return Err(error),
        }
        Ok(self.into_run())
    }

    fn start(&mut self, block: BlockNumber) -> Result<(), Halt> {
        let (input, role) = (&self.facts.input, &self.facts.info.role_arn);
        self.recorder.write(EventType::ExecutionStarted, 0, self.now, |_| {
            Details::ExecutionStarted(Box::new(ExecutionStarted {
                input: Some(input.event_text()),
                role_arn: Some(recorder::text(role)),
                ..ExecutionStarted::default()
            }))
        })?;
        let (state, input) = (self.machine.block(block).start_at, self.facts.input.clone());
        let thread = self.new_thread(None, state, input, Rc::default(), Next::Enter);
        self.settle(thread, Flow::Continue);
        Ok(())
    }

    fn run_in_time(&mut self) -> Result<(), Halt> {
        loop {
            while let Some(id) = self.ready.pop_front() {
                self.advance(id)?;
                if self.outcome.is_some() {
                    return Ok(());
                }
            }
            let due = self.timers.pop();
            let until = due.map(|Reverse((at, ..))| at);
            if let Some(deadline) = self.deadline.filter(|deadline| until.is_none_or(|at| at > *deadline)) {
                self.time_out(deadline);
                return Ok(());
            }
            let Some(Reverse((at, _, slot, generation))) = due else { return Ok(()) };
            let id = ThreadId { slot, generation };
            if self.is_alive(id) {
                self.now = self.now.max(at);
                self.ready.push_back(id);
            }
        }
    }

    /// Lets a thread go on until it must wait.
    fn advance(&mut self, id: ThreadId) -> Result<(), Halt> {
        let Some(mut thread) = self.take(id) else { return Ok(()) };
        loop {
            match self.step(&mut thread)? {
                Flow::Continue => {}
                Flow::At(at) if at <= self.now => {}
                flow => {
                    self.settle(thread, flow);
                    return Ok(());
                }
            }
        }
    }

    fn run_as_chosen(&mut self) -> Result<(), Halt> {
        while self.outcome.is_none() {
            let Some(id) = self.choose() else {
                if let Some(deadline) = self.deadline {
                    self.time_out(deadline);
                }
                return Ok(());
            };
            let Some(mut thread) = self.take(id) else { return Ok(()) };
            if let Some(deadline) = self.deadline.filter(|deadline| thread.due > *deadline) {
                self.time_out(deadline);
                return Ok(());
            }
            self.now = self.moment(&thread);
            let flow = self.step(&mut thread)?;
            self.settle(thread, flow);
        }
        Ok(())
    }

    /// The thread that goes on, if any can.
    fn choose(&mut self) -> Option<ThreadId> {
        let threads = Threads { machine: self.machine, slots: &self.slots };
        let mut able: Vec<&Thread> = threads.alive().filter(|thread| !matches!(thread.next, Next::Nothing)).collect();
        able.sort_unstable_by_key(|thread| (thread.due, thread.turn));
        if able.len() < 2 {
            return able.first().map(|thread| thread.id);
        }
        let pending: Vec<Pending<'_>> = able.iter().map(|thread| threads.pending(thread)).collect();
        let events = usize::try_from(self.recorder.count()).unwrap_or(usize::MAX);
        let chosen = self.world.choose(&pending, events).filter(|position| *position < pending.len()).unwrap_or(0);
        Some(able[chosen].id)
    }

    /// When the thread's next event happens: as the world has it, else when it is due.
    fn moment(&mut self, thread: &Thread) -> Timestamp {
        let threads = Threads { machine: self.machine, slots: &self.slots };
        let events = usize::try_from(self.recorder.count()).unwrap_or(usize::MAX);
        self.world.moment(&threads.pending(thread), events).unwrap_or(thread.due).max(self.now)
    }

    /// Writes the thread's next event, and finds out what comes after it.
    pub fn step(&mut self, thread: &mut Thread) -> Result<Flow, Halt> {
        let machine = self.machine;
        let state = machine.state(thread.state);
        match mem::replace(&mut thread.next, Next::Nothing) {
            Next::Enter => self.enter(thread, state),
            Next::Exit(exit) => self.exit(thread, state, *exit),
            Next::Nothing => Ok(Flow::Wait),
            Next::EvaluationFailed(failed) => self.evaluation_failed(thread, state, *failed),
            Next::Retry => self.try_again(thread, state),
            Next::Schedule(call) => self.schedule(thread, state, &call),
            Next::Attempt(AttemptStep::Started) => self.attempt_started(thread, state),
            Next::Attempt(AttemptStep::Submitted) => self.attempt_submitted(thread, state),
            Next::Attempt(AttemptStep::TimedOut) => self.attempt_timed_out(thread, state),
            Next::Attempt(_) => self.attempt_ended(thread, state),
            Next::ParallelStarted(input) => self.parallel_started(thread, state, &input),
            Next::MapStarted => self.map_started(thread),
            Next::IterationStarted => self.iteration_started(thread),
            Next::IterationSucceeded(output) => self.iteration_succeeded(thread, output),
            Next::CompositeSucceeded => self.composite_succeeded(thread, state),
            Next::CompositeFailed(failure) => self.composite_failed(thread, state, *failure),
            Next::MapRun => self.map_run(thread, state),
            Next::Fail(failure, event) => self.fail(thread, state, *failure, event),
            Next::Succeed(output) => self.succeed(thread, &output),
        }
    }

    /// What the expressions of the thread's visit see.
    pub fn around<'t>(&'t self, thread: &'t Thread, state: &'t State, token: Option<&'t str>, item: Option<&'t MapItem>) -> Around<'t> {
        Around {
            execution: &self.facts,
            variables: &thread.variables,
            state,
            entered: thread.entered_at,
            retry_count: thread.visit.as_ref().map_or(0, |visit| visit.retry_count),
            token,
            item,
            luck: &self.bounds.luck,
            now: self.now,
        }
    }

    /// Where the thread stands. Those around it must have been asked before.
    pub fn path_of(&self, thread: &mut Thread) -> ScopePath {
        if thread.scope.is_none() {
            let outer = thread.parent.and_then(|parent| self.peek(parent));
            thread.scope = Some(match outer {
                None => Rc::clone(&self.root_path),
                Some(outer) => {
                    let inner = (Rc::clone(&self.machine.state(outer.state).name), thread.index);
                    outer.scope.iter().flat_map(|scope| scope.iter()).cloned().chain([inner]).collect()
                }
            });
        }
        Rc::clone(thread.scope.as_ref().expect("made above"))
    }

    /// A thread that begins now.
    pub fn new_thread(
        &mut self,
        parent: Option<(&Thread, u64)>,
        state: StateNumber,
        input: Payload,
        variables: Rc<Variables>,
        next: Next,
    ) -> Box<Thread> {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).expect("fewer threads than states may be entered")
        });
        let mut thread = Box::new(Thread {
            id: ThreadId { slot, generation: self.slots[slot as usize].generation },
            parent: parent.map(|(parent, _)| parent.id),
            index: parent.map_or(0, |(_, index)| index),
            scope: None,
            variables,
            state,
            input,
            last_event: parent.map_or(0, |(parent, _)| parent.last_event),
            before_entered: 0,
            entered_event: 0,
            entered_at: self.now,
            visit: None,
            next,
            due: self.now,
            turn: 0,
        });
        if self.interleaves
            && let Some((parent, index)) = parent
        {
            let inner = (Rc::clone(&self.machine.state(parent.state).name), index);
            thread.scope = Some(parent.scope.iter().flat_map(|scope| scope.iter()).cloned().chain([inner]).collect());
        }
        thread
    }

    /// Puts a thread back after a step, to go on when it can.
    pub fn settle(&mut self, mut thread: Box<Thread>, flow: Flow) {
        let id = thread.id;
        self.turns += 1;
        thread.turn = self.turns;
        match flow {
            Flow::Done => {
                self.release(id);
                return;
            }
            Flow::Wait => {}
            Flow::Continue => {
                thread.due = self.now;
                if !self.interleaves {
                    self.ready.push_back(id);
                }
            }
            Flow::At(at) => {
                thread.due = at.max(self.now);
                if !self.interleaves {
                    self.timers.push(Reverse((thread.due, self.turns, id.slot, id.generation)));
                }
            }
        }
        self.slots[id.slot as usize].thread = Some(thread);
    }

    /// As [`settle`](Self::settle), before all others that are ready.
    pub fn settle_first(&mut self, thread: Box<Thread>) {
        let id = thread.id;
        self.settle(thread, Flow::Wait);
        if !self.interleaves {
            self.ready.push_front(id);
        }
        if let Some(thread) = &mut self.slots[id.slot as usize].thread {
            thread.due = self.now;
        }
    }

    /// Takes a thread out, to change it or let it go on; `None` when it is over.
    pub fn take(&mut self, id: ThreadId) -> Option<Box<Thread>> {
        let slot = &mut self.slots[id.slot as usize];
        if slot.generation == id.generation { slot.thread.take() } else { None }
    }

    /// Puts back what was taken out, as it was.
    pub fn restore(&mut self, thread: Box<Thread>) {
        let slot = thread.id.slot as usize;
        self.slots[slot].thread = Some(thread);
    }

    /// Ends a thread that was taken out.
    pub fn release(&mut self, id: ThreadId) {
        let slot = &mut self.slots[id.slot as usize];
        if slot.generation == id.generation {
            slot.generation = slot.generation.wrapping_add(1);
            slot.thread = None;
            self.free.push(id.slot);
        }
    }

    /// A thread that is not out.
    pub fn peek(&self, id: ThreadId) -> Option<&Thread> {
        peek(&self.slots, id)
    }

    fn is_alive(&self, id: ThreadId) -> bool {
        self.peek(id).is_some()
    }

    fn succeed(&mut self, thread: &Thread, output: &Payload) -> Result<Flow, Halt> {
        self.recorder.write(EventType::ExecutionSucceeded, thread.last_event, self.now, |_| {
            Details::Output(Box::new(crate::model::event::Output { output: Some(output.event_text()), ..Default::default() }))
        })?;
        self.end(ExecutionStatus::Succeeded, Some(output.text().into()), Failure::default());
        Ok(Flow::Done)
    }

    /// Ends the execution with a failure.
    pub fn end_failed(&mut self, failure: Failure, previous: u64) {
        let details = |_: &recorder::Names<'_>| recorder::failure(&failure, None);
        // The limit on events leaves room for the end.
        let _ = self.recorder.write(EventType::ExecutionFailed, previous, self.now, details);
        self.end(ExecutionStatus::Failed, None, failure);
    }

    fn time_out(&mut self, deadline: Timestamp) {
        self.now = deadline;
        let failure = Failure::timeout(false);
        let details = |_: &recorder::Names<'_>| recorder::failure(&failure, None);
        let _ = self.recorder.write(EventType::ExecutionTimedOut, 0, deadline, details);
        // DescribeExecution tells neither error nor cause of it.
        self.end(ExecutionStatus::TimedOut, None, Failure::default());
    }

    fn end(&mut self, status: ExecutionStatus, output: Option<Rc<str>>, failure: Failure) {
        self.outcome = Some(Outcome { status, output, error: failure.error, cause: failure.cause });
    }

    fn into_run(self) -> Run {
        let running = Outcome { status: ExecutionStatus::Running, output: None, error: None, cause: None };
        let outcome = self.outcome.unwrap_or(running);
        let history = super::run::history(&self.facts, self.machine, &outcome, self.now, self.recorder, self.bounds.record);
        Run { outcome, history, children: self.children, states_entered: self.states_entered }
    }
}

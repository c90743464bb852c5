//! A fleet, and all its executions side by side.
//!
//! Executions meet in the services that they call, so calls must be answered in the order of time over all executions. Whoever has the
//! earliest unanswered call goes on, up to the earliest call of anybody else: the more they overlap, the more often they take turns.
//! Only a child that runs beside other branches of its parent may be answered a little early.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use thiserror::Error;

use crate::asl::machine::StateMachine;
use crate::asl::{CompileError, compile};
use crate::interpreter::{ExecutionInfo, Run, RunError, RunOptions, run};
use crate::model::{History, RawText, Timestamp};

use super::answerer::Answerer;
use super::cut;
use super::machines;
use super::random::{Draw, Key};
use super::service::{Service, Serving};
use super::traffic::Traffic;
use super::truth::{self, Truth};
use super::world::{Known, Noted, Seen};

/// Calls this close together may be answered in either order, in milliseconds: the service itself promises none.
const SLACK_MS: i64 = 20;

/// Events that an execution may have; the service's limit.
const MOST_EVENTS: u64 = 25_000;

/// State machines and the world that they run in.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The same seed gives the same histories.
    pub seed: u64,
    /// Executions start from here on.
    pub from: Timestamp,
    /// The moment at which histories are read.
    pub now: Timestamp,
    /// What runs.
    pub machines: Vec<Machine>,
    /// What is called.
    pub services: Vec<Service>,
    /// Who answers tokens and activities.
    pub answerers: Vec<Answerer>,
}

/// A state machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Its name.
    pub name: &'static str,
    /// Its definitions, by the time from which they are in force.
    pub versions: Vec<Version>,
    /// Why executions start.
    pub traffic: Vec<Traffic>,
    /// The name and the input, as JSON, of its execution of this number.
    pub input: fn(&mut Draw, u64) -> (String, String),
}

/// A definition and since when it is in force.
#[derive(Debug, Clone)]
pub struct Version {
    /// Since when; the first counts from the beginning, whatever this says.
    pub from: Timestamp,
    /// The number under which it was published; `None` where executions are started without one.
    pub number: Option<u32>,
    /// In the Amazon States Language.
    pub definition: String,
}

/// What a fleet left behind, and what was wrong with it.
#[derive(Debug)]
pub struct Simulated {
    /// By start, then by ARN.
    pub histories: Vec<History>,
    /// What a detector should find.
    pub truth: Truth,
}

/// Why a fleet could not be simulated: a mistake in its making.
#[derive(Debug, Error)]
pub enum SimulationError {
    /// A definition that cannot be run.
    #[error("the definition of {machine} cannot be run: {reason}")]
    #[allow(missing_docs, reason = "the message shows them all")]
    Definition { machine: &'static str, reason: CompileError },
    /// An execution that cannot be run to its end.
    #[error("an execution of {machine} cannot be run: {reason}")]
    #[allow(missing_docs, reason = "the message shows them all")]
    Execution { machine: &'static str, reason: Box<RunError> },
}

/// What all executions change as they run.
#[derive(Debug)]
pub(super) struct Running {
    /// For each machine its versions.
    pub compiled: Vec<Vec<Rc<StateMachine>>>,
    pub serving: Vec<Serving>,
    pub notes: Vec<Noted>,
}

/// An execution that nobody else started.
struct Root {
    machine: usize,
    /// Which of its machine's executions, from 0.
    number: u64,
    version: usize,
    start: Timestamp,
    name: String,
    input: String,
    known: Known,
}

impl Machine {
    /// One whose definition never changes.
    pub fn new(name: &'static str, definition: &str, input: fn(&mut Draw, u64) -> (String, String)) -> Self {
        let version = Version { from: Timestamp::MIN, number: None, definition: machines::on_one_line(definition) };
        Self { name, versions: vec![version], traffic: Vec::new(), input }
    }

    /// One more reason for which executions start.
    #[must_use]
    pub fn with(mut self, traffic: Traffic) -> Self {
        self.traffic.push(traffic);
        self
    }

    /// Its ARN.
    pub fn arn(&self) -> String {
        machines::arn("stateMachine", self.name)
    }

    /// The position of the version that is in force.
    pub(super) fn version_at(&self, moment: Timestamp) -> usize {
        self.versions.iter().rposition(|version| version.from <= moment).unwrap_or(0)
    }
}

/// Runs all executions of a fleet that start before its `now`, and reads their histories then.
pub fn simulate(fleet: &Fleet) -> Result<Simulated, SimulationError> {
    let mut running = Running { compiled: compiled(fleet)?, serving: fleet.services.iter().map(Serving::new).collect(), notes: Vec::new() };
    let mut roots = roots(fleet);
    let mut runs: Vec<Run> = Vec::new();
    let mut waiting: BinaryHeap<Reverse<(Timestamp, usize)>> =
        roots.iter().enumerate().map(|(number, root)| Reverse((root.start, number))).collect();
    while let Some(Reverse((at, number))) = waiting.pop() {
        let next = waiting.peek().map_or(Timestamp::MAX, |Reverse((next, _))| *next).max(at);
        let horizon = next.checked_add(jiff::SignedDuration::from_millis(SLACK_MS)).unwrap_or(Timestamp::MAX);
        match go_on(fleet, &mut running, &mut roots[number], horizon)? {
            Went::Through(run) => runs.push(*run),
            Went::Until(moment) => waiting.push(Reverse((moment, number))),
        }
    }
    let mut histories = Vec::new();
    for run in runs {
        take(fleet, run, &mut histories);
    }
    histories.sort_by(|one: &History, other| {
        let arn = |history: &History| history.header.arn.as_ref().map(|arn| arn.as_str().to_owned());
        (one.header.start, arn(one)).cmp(&(other.header.start, arn(other)))
    });
    let truth = truth::of(fleet, &running, &histories);
    Ok(Simulated { histories, truth })
}

/// How far an execution came.
enum Went {
    Through(Box<Run>),
    /// To a call at this moment that cannot be answered yet.
    Until(Timestamp),
}

fn go_on(fleet: &Fleet, running: &mut Running, root: &mut Root, horizon: Timestamp) -> Result<Went, SimulationError> {
    let machine = &fleet.machines[root.machine];
    let compiled = Rc::clone(&running.compiled[root.machine][root.version]);
    let key = Key::new(fleet.seed).text(machine.name).number(root.number);
    let info = ExecutionInfo {
        arn: machines::arn("execution", &format!("{}:{}", machine.name, root.name)).into(),
        name: root.name.as_str().into(),
        machine_arn: machine.arn().into(),
        role_arn: machines::role(machine.name).into(),
        express: false,
    };
    let options = RunOptions {
        execution: info,
        start: root.start,
        seed: key.text("luck").seed(),
        max_events: MOST_EVENTS,
        max_states: 10 * MOST_EVENTS,
        record: true,
    };
    let mut seen = Seen { fleet, running, known: &mut root.known, key, horizon, waits_until: None, asked: 0, clock: root.start };
    match run(&compiled, &root.input, &options, &mut seen) {
        Ok(run) => Ok(Went::Through(Box::new(run))),
        Err(error) => match seen.waits_until {
            Some(moment) => Ok(Went::Until(moment)),
            None => Err(SimulationError::Execution { machine: machine.name, reason: Box::new(error) }),
        },
    }
}

fn compiled(fleet: &Fleet) -> Result<Vec<Vec<Rc<StateMachine>>>, SimulationError> {
    let compile = |machine: &Machine, version: &Version| {
        compile(&version.definition).map_err(|reason| SimulationError::Definition { machine: machine.name, reason })
    };
    fleet.machines.iter().map(|machine| machine.versions.iter().map(|version| compile(machine, version)).collect()).collect()
}

fn roots(fleet: &Fleet) -> Vec<Root> {
    let mut roots = Vec::new();
    for (machine, about) in fleet.machines.iter().enumerate() {
        let key = Key::new(fleet.seed).text(about.name);
        let reasons = about.traffic.iter().enumerate();
        let mut starts: Vec<i64> = reasons
            .flat_map(|(reason, traffic)| traffic.starts(key.text("traffic").number(reason as u64), fleet.from, fleet.now))
            .collect();
        starts.sort_unstable();
        for (number, start) in (0..).zip(starts) {
            let Ok(start) = Timestamp::from_millisecond(start) else { continue };
            let (name, input) = (about.input)(&mut key.text("input").number(number).draw(), number);
            roots.push(Root { machine, number, version: about.version_at(start), start, name, input, known: Known::default() });
        }
    }
    roots
}

/// Takes the histories of a run and of all that it started, as they are at the fleet's now.
fn take(fleet: &Fleet, run: Run, histories: &mut Vec<History>) {
    if let Some(mut history) = cut::at(run.history, fleet.now) {
        name_version(fleet, &mut history);
        histories.push(history);
    }
    for child in run.children {
        take(fleet, child, histories);
    }
}

fn name_version(fleet: &Fleet, history: &mut History) {
    let arn = history.header.state_machine_arn.as_ref().map(|arn| arn.as_str().to_owned());
    let Some(machine) = fleet.machines.iter().find(|machine| arn.as_deref() == Some(&machine.arn())) else { return };
    let Some(start) = history.header.start else { return };
    let Some(number) = machine.versions[machine.version_at(start)].number else { return };
    let version = format!("{}:{number}", machine.arn());
    if let Some(crate::model::Details::ExecutionStarted(started)) = history.events.first_mut().map(|event| &mut event.details) {
        started.state_machine_version_arn = Some(RawText::plain(&*version));
    }
    history.header.state_machine_version_arn = Some(version);
}

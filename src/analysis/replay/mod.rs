//! Runs a recorded execution again, with the recorded answers of its tasks, and compares what comes out event by event.
//!
//! The definition is what is run; the recording only gives what came from outside: answers and how long they took, the order of
//! branches, and values that no definition determines ([`world`], [`learn`]). A definition that was changed since therefore gives
//! another history, and the first event in which it does is explained ([`reason`]).
//!
//! | the recorded execution        | is replayed                                                                       |
//! |-------------------------------|-----------------------------------------------------------------------------------|
//! | ended, or timed out           | to its end                                                                        |
//! | was stopped from outside      | to the stop, which is taken over: no definition tells of it                       |
//! | runs, or its end is missing   | as far as it is recorded                                                          |
//! | was redriven                  | to the end of its first run; a redrive begins in the middle of a definition        |
//! | lacks events, payloads or its definition | not at all                                                              |

mod chance;
mod compare;
mod fixture;
mod learn;
mod reason;
mod recording;
mod report;
mod verdict;
mod what_if;
mod world;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use thiserror::Error;

use self::chance::{Drawn, Draws, Extreme, Known};
use self::fixture::Parts;
use self::learn::{Learned, Ran, learn};
use self::reason::Parting;
use self::recording::Recording;
use self::verdict::Found;
use self::what_if::ChangedWorld;
use self::world::{Notes, RecordedWorld};
use super::execution::{self, quoted};
use super::why::NextCommand;
use crate::asl::machine::StateMachine;
use crate::asl::{Definition, compile};
use crate::expr::Value;
use crate::interpreter::{self, ExecutionInfo, Outcome, Run, RunError, RunOptions};
use crate::model::event_type::Ending;
use crate::model::{
    Details, EventId, EventType, ExecutionArn, ExecutionPath, ExecutionStatus, Gap, History, HistoryEvent, RawText, Role, StateMachineArn,
    Timestamp,
};
use crate::rebuild::rebuild;

pub use fixture::Fixture;
pub use report::{
    AnswerSource, Chance, Change, Compared, DefinitionSource, DifferingPlace, Divergence, Event, Events, OutcomeReport, ReplayReport, Step,
    StepPair, TakenOver, Verdict, VerdictCounts, WhatIf,
};
pub use what_if::{ANY, Changes};

/// The service's limit on the events of a Standard execution.
const MOST_EVENTS: u64 = 25_000;
/// How many states a replay enters before it gives up.
const MOST_STATES: u64 = 1_000_000;
/// What stands for an execution that the recording does not name.
const NO_NAME: &str = "replay";

/// What to replay.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The recording.
    pub history: &'a History,
    /// Rebuilt from it.
    pub path: &'a ExecutionPath,
    /// A definition to run in place of the recorded one: its JSON text.
    pub definition: Option<&'a str>,
    /// What else is changed; without, the recording is reproduced.
    pub changes: Option<&'a Changes>,
}

/// The answer, and what it takes to run the execution again.
#[derive(Debug)]
pub struct Replayed {
    /// The answer.
    pub report: ReplayReport,
    /// `None` where nothing was run.
    pub fixture: Option<Fixture>,
}

/// Why a replay could not be tried. An execution that cannot be replayed is none of these.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The given definition cannot be run.
    #[error("the definition cannot be run: {0}")]
    Definition(String),
    /// The run came to no end.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Replays a recorded execution.
pub fn replay(request: Request<'_>) -> Result<Replayed, ReplayError> {
    let recording = Recording::new(request.history, request.path);
    let source = match (request.definition, &request.history.definition) {
        (Some(_), _) => DefinitionSource::Given,
        (None, Some(_)) => DefinitionSource::Recorded,
        (None, None) => DefinitionSource::Missing,
    };
    let mut report = empty_report(request, source, &recording);
    let plan = match Plan::make(request, &recording)? {
        Ok(plan) => plan,
        Err(reason) => {
            report.not_replayable = Some(reason);
            return Ok(Replayed { report, fixture: None });
        }
    };
    let mut learned = match learn(recording.events(), |known, extreme| plan.run(&recording, request.changes, known, extreme)) {
        Ok(learned) => learned,
        Err(error @ (RunError::Input(_) | RunError::LargeInput(_))) if request.changes.is_none() => {
            report.not_replayable = Some(error.to_string());
            return Ok(Replayed { report, fixture: None });
        }
        Err(error) => return Err(error.into()),
    };
    if request.changes.is_none() {
        end_as_recorded(&recording, &mut learned.ran.run);
    }
    if let Some(problem) = learned.ran.notes.unreadable.first() {
        report.not_replayable = Some(problem.clone());
        return Ok(Replayed { report, fixture: None });
    }
    let definition = Definition::parse(&plan.machine.source).ok();
    let produced_path = rebuild(&learned.ran.run.history, definition.as_ref());
    judge(&mut report, request, &plan, &recording, &learned, &produced_path);
    let fixture = plan.fixture(&recording, &learned.ran, request.changes.is_some());
    report.outcome = Some(OutcomeReport::from(&learned.ran.run.outcome));
    report.history = Events(learned.ran.run.history.events);
    report.next = next(&report, request.changes.is_some());
    Ok(Replayed { report, fixture: Some(fixture) })
}

fn empty_report(request: Request<'_>, source: DefinitionSource, recording: &Recording<'_>) -> ReplayReport {
    ReplayReport {
        schema: "stepscope.replay/1",
        verdict: Verdict::NotReplayable,
        not_replayable: None,
        execution: execution::summary(request.history, request.path),
        definition: source,
        first_divergence: None,
        outcome: None,
        compared: Compared { recorded_events: recording.length, ..Compared::default() },
        taken_over: Vec::new(),
        what_if: None,
        incomplete: execution::incomplete(request.history, request.path),
        next: Vec::new(),
        history: Events::default(),
    }
}

/// Fills in what the comparison says.
fn judge(
    report: &mut ReplayReport,
    request: Request<'_>,
    plan: &Plan,
    recording: &Recording<'_>,
    learned: &Learned,
    produced_path: &ExecutionPath,
) {
    let history = &learned.ran.run.history;
    let produced = Recording::new(history, produced_path);
    let (found, undetermined) = verdict::compare(recording, &produced, learned.probes.as_ref());
    report.compared.undetermined_places = undetermined;
    report.compared.produced_events = produced.length;
    report.compared.siblings_reordered = matches!(found, Found::Reordered);
    report.taken_over = taken_over(&learned.ran);
    if let Found::Parted(index, differences) = &found {
        let parting = Parting {
            recorded: recording,
            produced: &produced,
            machine: &plan.machine,
            source: report.definition,
            unanswered: &learned.ran.notes.unanswered,
            is_changed: request.changes.is_some(),
        };
        report.first_divergence = Some(parting.at(*index, differences));
    }
    (report.verdict, report.compared.agreed_events) = match found {
        Found::Same | Found::Reordered => (Verdict::Reproduced, recording.length),
        Found::Parted(index, _) => (Verdict::Diverged, index),
    };
    if let Some(changes) = request.changes {
        let changed = [
            (request.definition.is_some(), Change::Definition),
            (changes.input.is_some(), Change::Input),
            (!changes.mocks.is_empty(), Change::Answers),
        ];
        let changed = changed.into_iter().filter(|(is_changed, _)| *is_changed).map(|(_, change)| change).collect();
        let given = &learned.ran.notes.given;
        let one = (recording, request.path);
        report.what_if = Some(what_if::side_by_side(one, (history, produced_path), changed, given, report.execution.status));
    }
}

/// What is run, and as whom.
struct Plan {
    machine: Rc<StateMachine>,
    input: String,
    options: RunOptions,
}

impl Plan {
    /// The inner error says why the recording cannot be replayed.
    fn make(request: Request<'_>, recording: &Recording<'_>) -> Result<Result<Self, String>, ReplayError> {
        let history = request.history;
        if let Some(reason) = history.gaps.iter().find_map(hinders).or_else(|| begins_late(recording)) {
            return Ok(Err(reason));
        }
        let machine = match (request.definition, &history.definition) {
            (Some(given), _) => compile(given).map_err(|error| ReplayError::Definition(error.to_string()))?,
            (None, Some(recorded)) => match compile(&recorded.decode()) {
                Ok(machine) => machine,
                Err(error) => return Ok(Err(format!("the recorded definition cannot be run: {error}"))),
            },
            (None, None) => {
                let reason = "the recording holds no definition; give the one that ran with --definition FILE \
                              (aws stepfunctions describe-state-machine-for-execution prints it)";
                return Ok(Err(reason.to_owned()));
            }
        };
        let changed = request.changes.and_then(|changes| changes.input.clone());
        let input = match changed.map_or_else(|| recorded_input(recording), Ok) {
            Ok(input) => input,
            Err(reason) => return Ok(Err(reason)),
        };
        let start = recording.start().unwrap_or(Timestamp::UNIX_EPOCH);
        let execution = who(history, recording);
        // One that was cut off would otherwise go on until the service's own limit.
        let stopped = matches!(recording.events().last().map(HistoryEvent::role), Some(Role::ExecutionEnded(Ending::Aborted)));
        let is_open = stopped || !recording.is_finished();
        let max_events = match (is_open && request.changes.is_none(), execution.express) {
            (true, _) => recording.length as u64 + 1,
            (false, true) => u64::MAX,
            (false, false) => MOST_EVENTS,
        };
        let options = RunOptions { execution, start, seed: 0, max_events, max_states: MOST_STATES, record: true };
        Ok(Ok(Self { machine, input, options }))
    }

    fn run(&self, recording: &Recording<'_>, changes: Option<&Changes>, known: &Known, extreme: Extreme) -> Result<Ran, RunError> {
        let draws = Rc::new(Draws::new(known.clone(), extreme));
        let notes = Rc::new(RefCell::new(Notes::default()));
        let seed = match extreme {
            Extreme::Seed => 1,
            Extreme::Lowest => 2,
            Extreme::Greatest => 3,
        };
        let options = RunOptions { seed, ..self.options.clone() };
        let mut recorded = RecordedWorld::new(recording, Rc::clone(&draws), Rc::clone(&notes));
        let run = match changes {
            None => interpreter::run(&self.machine, &self.input, &options, &mut recorded)?,
            Some(changes) => {
                let mut changed = ChangedWorld { recorded, changes, asked: HashMap::new() };
                interpreter::run(&self.machine, &self.input, &options, &mut changed)?
            }
        };
        Ok(Ran { run, draws: draws.log(), notes: notes.take() })
    }

    fn fixture(&self, recording: &Recording<'_>, ran: &Ran, is_changed: bool) -> Fixture {
        let machine_arn: Option<StateMachineArn> = self.options.execution.machine_arn.parse().ok();
        fixture::fixture(&Parts {
            machine: machine_arn.as_ref().map_or(NO_NAME, StateMachineArn::name),
            execution: &self.options.execution.name,
            definition: &self.machine.source,
            input: &self.input,
            start: self.options.start,
            is_changed,
            given: &ran.notes.given,
            outcome: &ran.run.outcome,
            timed: recording.has_siblings() || self.machine.timeout_seconds.is_some(),
            map_runs: ran.notes.map_runs,
        })
    }
}

/// Why a replay is not possible with this gap; `None` where it is.
fn hinders(gap: &Gap) -> Option<String> {
    match gap {
        Gap::NoEvents
        | Gap::LoggedOnly { .. }
        | Gap::MissingEvents { .. }
        | Gap::MorePages
        | Gap::ConflictingEvents { .. }
        | Gap::PayloadsLeftOut => Some(gap.to_string()),
        Gap::NotFetched { what, .. } if !what.contains("definition") => Some(gap.to_string()),
        _ => None,
    }
}

/// A log with the level ERROR or FATAL, or a later page alone.
fn begins_late(recording: &Recording<'_>) -> Option<String> {
    match recording.events().first() {
        Some(event) if event.kind == EventType::ExecutionStarted => None,
        Some(event) => Some(format!("the recording begins with {} and not with the start of the execution", event.type_name())),
        None => Some("the recording holds no events".to_owned()),
    }
}

fn recorded_input(recording: &Recording<'_>) -> Result<String, String> {
    let started = recording.events().first().and_then(HistoryEvent::input);
    match started {
        Some(payload) if payload.truncated => Err("the input of the execution was cut by the source".to_owned()),
        Some(payload) => Ok(payload.text.decode().into_owned()),
        None => match &recording.history.header.input {
            Some(input) => Ok(input.decode().into_owned()),
            None => Err("the recording does not hold the input of the execution".to_owned()),
        },
    }
}

/// The execution's names; made up where the recording has none.
fn who(history: &History, recording: &Recording<'_>) -> ExecutionInfo {
    let header = &history.header;
    let arn = header.arn.as_ref().map_or_else(
        || format!("arn:aws:states:us-east-1:123456789012:execution:{NO_NAME}:{}", header.name.as_deref().unwrap_or(NO_NAME)),
        ToString::to_string,
    );
    let name = header.name.clone().or_else(|| header.arn.as_ref().map(|arn| arn.name().to_owned()));
    let machine_arn = header.state_machine_arn.as_ref().map(ToString::to_string);
    let machine_arn = machine_arn.or_else(|| header.arn.as_ref().map(|arn| arn.state_machine().to_string()));
    let role = recording.events().first().and_then(|event| match &event.details {
        Details::ExecutionStarted(started) => started.role_arn.as_ref().map(|role| role.decode().into_owned()),
        _ => None,
    });
    ExecutionInfo {
        express: header.arn.as_ref().is_some_and(ExecutionArn::is_express),
        name: name.as_deref().unwrap_or(NO_NAME).into(),
        machine_arn: machine_arn.unwrap_or_else(|| format!("arn:aws:states:us-east-1:123456789012:stateMachine:{NO_NAME}")).into(),
        role_arn: role.unwrap_or_else(|| format!("arn:aws:iam::123456789012:role/{NO_NAME}")).into(),
        arn: arn.into(),
    }
}

/// Ends a replay where the recording ends, if no definition tells of that: somebody stopped the execution, or it still ran.
fn end_as_recorded(recording: &Recording<'_>, run: &mut Run) {
    let events = &mut run.history.events;
    let stop = recording.events().last().filter(|event| event.kind == EventType::ExecutionAborted);
    let until = recording.length - usize::from(stop.is_some());
    let is_open = stop.is_some() || !recording.is_finished();
    let ended_before = events.iter().take(until).any(|event| matches!(event.role(), Role::ExecutionEnded(_)));
    if !is_open || events.len() < until || ended_before {
        return;
    }
    events.truncate(until);
    let text = |text: Option<&RawText>| text.map(|text| Rc::from(&*text.decode()));
    let (status, error, cause) = match stop {
        Some(stop) => {
            events.push(HistoryEvent { id: EventId(recording.length as u64), ..stop.clone() });
            (ExecutionStatus::Aborted, text(stop.error()), text(stop.cause()))
        }
        None => (ExecutionStatus::Running, None, None),
    };
    run.history.header.status = Some(status);
    run.outcome = Outcome { status, output: None, error, cause };
}

/// What the recording gave, by kind.
fn taken_over(ran: &Ran) -> Vec<TakenOver> {
    let mut found: Vec<TakenOver> = Vec::new();
    for draw in ran.draws.iter().filter(|draw| draw.known) {
        let (kind, example) = match &draw.value {
            Drawn::Text(text) => (Chance::Name, Value::from(&**text)),
            Drawn::Random(number) => (Chance::Random, Value::from(*number)),
            Drawn::Now(moment) => (Chance::Time, Value::from(*moment)),
        };
        match found.iter_mut().find(|known| known.kind == kind) {
            Some(same) => same.count += 1,
            None => found.push(TakenOver { kind, count: 1, example: example.to_json() }),
        }
    }
    found
}

fn next(report: &ReplayReport, is_changed: bool) -> Vec<NextCommand> {
    let exec = &report.execution.exec;
    let mut commands = Vec::new();
    let mut add = |text: &str, command: String| commands.push(NextCommand { text: text.to_owned(), command });
    match report.verdict {
        Verdict::Reproduced if !is_changed => {
            add(
                "try a change of the definition on the same input and answers",
                format!("stepscope replay {exec} --what-if --definition FILE"),
            );
            add("keep it as a test that needs nothing else", format!("stepscope replay {exec} --save DIR"));
        }
        Verdict::Diverged if !is_changed => {
            if let Some(arn) = report.execution.arn.as_deref() {
                // The AWS CLI does not take the region from an ARN.
                let region = arn.parse::<ExecutionArn>().map(|arn| format!(" --region {}", quoted(arn.region()))).unwrap_or_default();
                let command = format!("aws stepfunctions describe-state-machine-for-execution --execution-arn {}{region}", quoted(arn));
                add("the definition that ran", command);
            }
            if let Some(state) = report.first_divergence.as_ref().and_then(|divergence| divergence.state.as_deref()) {
                add("what the state did", format!("stepscope show {exec} --state {}", quoted(state)));
            }
        }
        _ => {}
    }
    commands
}

//! The answer to `replay`, as it is shown and serialised.

use serde::{Serialize, Serializer};

use super::compare;
use crate::analysis::execution::{ExecutionSummary, Incomplete};
use crate::analysis::why::NextCommand;
use crate::expr::Value;
use crate::interpreter::Outcome;
use crate::model::wire::{WireEvent, WireEvents};
use crate::model::{EventId, ExecutionStatus, HistoryEvent};

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct ReplayReport {
    /// `stepscope.replay/1`.
    pub schema: &'static str,
    /// Whether the definition gives the recorded history.
    pub verdict: Verdict,
    /// Why the execution cannot be replayed; null where it was.
    pub not_replayable: Option<String>,
    /// The recorded execution.
    pub execution: ExecutionSummary,
    /// Which definition was run.
    pub definition: DefinitionSource,
    /// The first event in which the histories differ; null where they agree.
    pub first_divergence: Option<Divergence>,
    /// How the replayed execution ended; null where it was not run.
    pub outcome: Option<OutcomeReport>,
    /// What was compared.
    pub compared: Compared,
    /// Values that no definition determines and that the recording gave.
    pub taken_over: Vec<TakenOver>,
    /// What was changed, and where the paths part; null without a change.
    pub what_if: Option<WhatIf>,
    /// What is missing from the evidence.
    pub incomplete: Vec<Incomplete>,
    /// Commands to run next.
    pub next: Vec<NextCommand>,
    /// The produced events.
    pub history: Events,
}

/// Whether the definition gives the recorded history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does, event by event.
    Reproduced,
    /// It gives another one.
    Diverged,
    /// The recording does not hold what a replay needs.
    NotReplayable,
}

/// How many of several executions have which verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    /// The definition gives the recorded history.
    pub reproduced: usize,
    /// It gives another one.
    pub diverged: usize,
    /// The recording does not hold what a replay needs.
    pub not_replayable: usize,
    /// What to name on the command line to see the first that was not reproduced.
    pub first_unlike: Option<String>,
}

impl VerdictCounts {
    /// Counts one more.
    pub fn add(&mut self, report: &ReplayReport) {
        *match report.verdict {
            Verdict::Reproduced => &mut self.reproduced,
            Verdict::Diverged => &mut self.diverged,
            Verdict::NotReplayable => &mut self.not_replayable,
        } += 1;
        if report.verdict != Verdict::Reproduced {
            self.first_unlike.get_or_insert_with(|| report.execution.exec.clone());
        }
    }
}

/// Where the definition came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionSource {
    /// With the recording, or found for it.
    Recorded,
    /// The user gave it for this replay.
    Given,
    /// There is none.
    Missing,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutcomeReport {
    /// RUNNING when it waits for an answer that the recording does not hold.
    pub status: ExecutionStatus,
    /// Error name.
    pub error: Option<String>,
    /// Cause.
    pub cause: Option<String>,
    /// JSON text.
    pub output: Option<String>,
}

impl From<&Outcome> for OutcomeReport {
    fn from(outcome: &Outcome) -> Self {
        let text = |text: &Option<std::rc::Rc<str>>| text.as_deref().map(str::to_owned);
        Self { status: outcome.status, error: text(&outcome.error), cause: text(&outcome.cause), output: text(&outcome.output) }
    }
}

/// How far the comparison went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Compared {
    /// Events of the recording that could be compared.
    pub recorded_events: usize,
    /// Events that were produced.
    pub produced_events: usize,
    /// How many agreed before the first difference.
    pub agreed_events: usize,
    /// Places that were not compared, because they depend on values that no definition determines and that could not be found out.
    pub undetermined_places: usize,
    /// Whether events of siblings came in another order than the recorded one, which the service leaves open.
    pub siblings_reordered: bool,
}

/// The first event in which the histories differ.
#[derive(Debug, Clone, Serialize)]
pub struct Divergence {
    /// Null when the recording had ended.
    pub recorded_event_id: Option<EventId>,
    /// What was recorded there; null when the recording had ended.
    pub recorded: Option<Event>,
    /// What was produced there; null when the replay had ended, or waits.
    pub produced: Option<Event>,
    /// The state that the event belongs to.
    pub state: Option<String>,
    /// Where that is.
    pub scope: Vec<String>,
    /// What differs.
    pub reason: String,
    /// What may be behind it; null when nothing tells.
    pub likely: Option<String>,
    /// The places that differ.
    pub differences: Vec<DifferingPlace>,
    /// How many more there are.
    pub more_differences: usize,
}

/// A place in which two events differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DifferingPlace {
    /// Member of the event's details, such as `output`.
    pub field: String,
    /// Where in its JSON, such as `$.order.total`; `$` for all of it.
    pub place: String,
    /// JSON text; null for nothing.
    pub recorded: Option<String>,
    /// JSON text; null for nothing.
    pub produced: Option<String>,
}

impl From<&compare::Difference> for DifferingPlace {
    fn from(difference: &compare::Difference) -> Self {
        let text = |value: &Option<Value>| value.as_ref().map(Value::to_json);
        Self {
            field: difference.field.clone().into_owned(),
            place: difference.place.clone(),
            recorded: text(&difference.recorded),
            produced: text(&difference.produced),
        }
    }
}

/// A value that no definition determines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenOver {
    /// What it is.
    pub kind: Chance,
    /// How many of them.
    pub count: usize,
    /// The first, as JSON text.
    pub example: String,
}

/// What kind of value no definition determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Chance {
    /// A UUID, a task token or the ARN of a Map Run.
    Name,
    /// A random number.
    Random,
    /// The time.
    Time,
}

/// A run with something changed, beside the recorded one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhatIf {
    /// What was changed.
    pub changed: Vec<Change>,
    /// How the recorded execution ended.
    pub recorded_outcome: Option<ExecutionStatus>,
    /// The steps of both, beside each other.
    pub steps: Vec<StepPair>,
    /// The first of the steps that differs; null when all agree.
    pub parted_at: Option<usize>,
    /// Where the answers of the changed run came from.
    pub answers: Vec<AnswerSource>,
}

/// What may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words of the command line")]
pub enum Change {
    Definition,
    Input,
    Answers,
}

/// A step of the recorded execution beside one of the changed run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepPair {
    /// Null where the recorded execution had ended.
    pub recorded: Option<Step>,
    /// Null where the changed one had ended.
    pub changed: Option<Step>,
}

/// One visit of a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Name.
    pub state: String,
    /// Where it is.
    pub scope: Vec<String>,
    /// How it ended.
    pub outcome: crate::model::path::VisitOutcome,
    /// How many attempts a Task made.
    pub attempts: usize,
    /// The last error.
    pub error: Option<String>,
}

/// Where an answer came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerSource {
    /// Name.
    pub state: String,
    /// Where it is.
    pub scope: Vec<String>,
    /// From 1.
    pub visit: u32,
    /// From 1.
    pub attempt: u32,
    /// Whether it was recorded; else the user gave it.
    pub recorded: bool,
    /// Whether it was recorded for other parameters than those of this run.
    pub other_parameters: bool,
}

/// One event, written as `get-execution-history` has it.
#[derive(Debug, Clone)]
pub struct Event(pub HistoryEvent);

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WireEvent(&self.0).serialize(serializer)
    }
}

/// Events, written as `get-execution-history` has them.
#[derive(Debug, Clone, Default)]
pub struct Events(pub Vec<HistoryEvent>);

impl Serialize for Events {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WireEvents(&self.0).serialize(serializer)
    }
}

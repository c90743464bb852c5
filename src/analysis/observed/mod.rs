//! What detectors look at: every attempt of the executions that were read, by state, in the order of time.
//!
//! One pass over the facts gathers it ([`Gather`], a question), and [`Gather::finish`] puts it into an order that does not depend on
//! the order in which executions came. Storms, callbacks and change points are functions of it. Texts are kept once, times in
//! microseconds, so that a million attempts are less than two hundred megabytes.
//!
//! | file        | holds                                       |
//! |-------------|---------------------------------------------|
//! | `gather.rs` | the fold, and how its parts are put together |
//! | `polled.rs` | visits that come again after a Wait: retries made by hand |

mod gather;
mod polled;
#[cfg(test)]
mod tests;

pub use super::names::{Name, Names};
pub use gather::Gather;

use crate::model::facts::{Pattern, WorkflowType};
use crate::model::path::AttemptOutcome;
use crate::model::{ExecutionStatus, Micros, StateType};

/// The executions that were read and all their attempts.
#[derive(Debug, Default)]
pub struct Observed {
    /// Texts by number.
    pub names: Names,
    /// By start, then by ARN. An attempt names its execution by the position in this list.
    pub executions: Vec<Execution>,
    /// By ARN of the state machine, then by name of the state.
    pub classes: Vec<Class>,
    /// Definitions under which executions of a machine ran, or which are on file now; by machine, then by first start.
    pub definitions: Vec<UsedDefinition>,
    /// Earliest start.
    pub first_start: Option<Micros>,
    /// Latest event or end.
    pub last_event: Option<Micros>,
    /// On so many threads it was gathered, and may be looked at.
    pub threads: usize,
}

/// One execution.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Its ARN.
    pub arn: Name,
    /// Its state machine's ARN; `None` when nothing names it.
    pub machine: Option<Name>,
    /// Express or Standard, where the ARN says so.
    pub workflow_type: Option<WorkflowType>,
    /// The version's number.
    pub version: Option<Name>,
    /// The alias.
    pub alias: Option<Name>,
    /// ARN of the execution that started it.
    pub parent: Option<Name>,
    /// `None` when nothing tells.
    pub status: Option<ExecutionStatus>,
    /// When it started.
    pub start: Option<Micros>,
    /// When it ended; `None` while it runs.
    pub stop: Option<Micros>,
    /// When its last event happened.
    pub last_event: Option<Micros>,
    /// How many events were read.
    pub events: u64,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// Whether something of it is known to be missing, such as a page of events.
    pub incomplete: bool,
}

impl Execution {
    /// Whether it runs, or waits for a redrive.
    pub fn is_running(&self) -> bool {
        matches!(self.status, Some(ExecutionStatus::Running | ExecutionStatus::PendingRedrive))
    }
}

/// All attempts of one state of one machine.
#[derive(Debug, Clone)]
pub struct Class {
    /// The state machine's ARN; `None` when nothing names it.
    pub machine: Option<Name>,
    /// The state.
    pub state: Name,
    /// The type of the state, where the history tells.
    pub state_type: Option<StateType>,
    /// By the moment they were scheduled, then by execution, visit and number.
    pub attempts: Vec<Attempt>,
}

/// One attempt of a Task, or one run of a Parallel or Map as a whole.
///
/// There may be millions, so numbers have 32 bits: the service counts events, iterations and seconds with far fewer, and larger ones stand
/// as the largest.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Position of its execution in [`Observed::executions`].
    pub execution: u32,
    /// Number of its visit in the execution.
    pub visit: u32,
    /// From 1; a redrive starts again at 1.
    pub number: u32,
    /// After how many redrives.
    pub redrive: u32,
    /// The visit of the Parallel or Map around it.
    pub parent_visit: Option<u32>,
    /// Which branch or iteration of that.
    pub index: Option<u32>,
    /// Which attempt of that it belongs to, from 1: above 1 it runs because an enclosing state was retried.
    pub parent_attempt: Option<u32>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// When it was scheduled; of a Parallel or Map, when it was started.
    pub scheduled: Option<Micros>,
    /// When a worker or function started.
    pub started: Option<Micros>,
    /// When the wait for a callback, job or child began.
    pub submitted: Option<Micros>,
    /// When it ended.
    pub ended: Option<Micros>,
    /// From the failure before it to its schedule, in microseconds: the observed backoff. Of a first attempt whose state was
    /// visited before in the same scope and failed there, with a Wait in between, from that failure: see [`Attempt::by_hand`].
    pub wait_before: Option<i64>,
    /// Whether it is a retry made by hand: a first attempt in a state that failed before in the same scope, a Wait lying between.
    pub by_hand: bool,
    /// For a retry made by hand, which it is, from 1. Else 0.
    pub round: u32,
    /// Error name, when it failed.
    pub error: Option<Name>,
    /// What was called.
    pub resource: Option<Name>,
    /// Who answers.
    pub pattern: Option<Pattern>,
    /// Seconds of its time limit.
    pub timeout_seconds: Option<u32>,
    /// Seconds of its heartbeat.
    pub heartbeat_seconds: Option<u32>,
    /// ARN of the child execution that its visit started last.
    pub child: Option<Name>,
    /// The event that scheduled it.
    pub scheduled_event_id: Option<u32>,
    /// The event that ended it.
    pub ended_event_id: Option<u32>,
}

impl Attempt {
    /// Whether it failed or ran out of time.
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, AttemptOutcome::Failed | AttemptOutcome::TimedOut)
    }

    /// Whether something failed before it in the same visit, or before a Wait in the same scope.
    pub fn is_retry(&self) -> bool {
        self.number > 1 || self.by_hand
    }

    /// From scheduled to ended, in milliseconds.
    pub fn duration_ms(&self) -> Option<f64> {
        Some(self.ended?.milliseconds_since(self.scheduled?))
    }
}

/// A definition and when executions ran under it.
#[derive(Debug, Clone)]
pub struct UsedDefinition {
    /// The machine's ARN; `None` when nothing names it.
    pub machine: Option<Name>,
    /// The JSON text.
    pub text: Name,
    /// Executions that came with it.
    pub executions: u64,
    /// When the first of them started.
    pub first_start: Option<Micros>,
    /// When the last of them started.
    pub last_start: Option<Micros>,
}

impl Observed {
    /// The text of a name.
    pub fn text(&self, name: Name) -> &str {
        self.names.text(name)
    }

    /// The attempts of a state.
    pub fn class(&self, machine: Option<&str>, state: &str) -> Option<&Class> {
        let at = self.classes.binary_search_by(|class| self.key(class).cmp(&(machine, state))).ok()?;
        self.classes.get(at)
    }

    /// The definitions of a machine, by first start.
    pub fn definitions_of(&self, machine: Option<Name>) -> impl Iterator<Item = &UsedDefinition> {
        self.definitions.iter().filter(move |used| used.machine == machine)
    }

    /// The execution of an attempt.
    pub fn execution_of(&self, attempt: &Attempt) -> &Execution {
        &self.executions[attempt.execution as usize]
    }

    fn key<'a>(&'a self, class: &Class) -> (Option<&'a str>, &'a str) {
        (class.machine.map(|machine| self.text(machine)), self.text(class.state))
    }
}

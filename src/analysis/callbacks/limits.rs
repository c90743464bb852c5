//! What will end a wait if nobody answers: its own time limit, its heartbeat, the machine's time limit, the service's.
//!
//! `TimeoutSeconds` of a Task counts from its schedule, of an Activity from when a worker took it. A machine's `TimeoutSeconds`
//! counts from the execution's start. A Standard execution lasts a year at most, an Express one five minutes (Service quotas).

use serde::Serialize;

use super::waits::{WaitsFor, bounded};
use crate::analysis::execution::time_limit_of_machine;
use crate::analysis::observed::{Attempt, Execution, Observed};
use crate::model::Micros;
use crate::model::facts::WorkflowType;

const SECOND: i64 = 1_000_000;
/// A Standard execution's longest time, in seconds.
const YEAR: u64 = 365 * 86_400;
/// An Express execution's longest time, in seconds.
const EXPRESS: u64 = 300;

/// What ends a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineBy {
    /// The state's `TimeoutSeconds`.
    TimeoutSeconds,
    /// The machine's `TimeoutSeconds`.
    MachineTimeoutSeconds,
    /// The longest time that the service lets an execution run.
    ServiceLimit,
}

impl DeadlineBy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TimeoutSeconds, Self::MachineTimeoutSeconds, Self::ServiceLimit];
}

/// When a wait ends at the latest, and what does it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub deadline: Option<Micros>,
    pub by: Option<DeadlineBy>,
    pub timeout_seconds: Option<u64>,
    pub heartbeat_seconds: Option<u64>,
    pub machine_timeout_seconds: Option<u64>,
}

impl Limits {
    /// The limits of a wait; `machine` is its machine's `TimeoutSeconds`.
    pub fn of(attempt: &Attempt, execution: &Execution, waits_for: WaitsFor, machine: Option<u64>) -> Self {
        let counted_from = match waits_for {
            WaitsFor::ActivityWorker => None,
            WaitsFor::Activity => attempt.started,
            _ => attempt.scheduled,
        };
        let longest = if execution.workflow_type == Some(WorkflowType::Express) { EXPRESS } else { YEAR };
        // The service counts a redriven execution's time anew, and facts do not tell from when on.
        let start = execution.start.filter(|_| execution.redrive_count == 0);
        let moments = [
            (counted_from.zip(attempt.timeout_seconds.map(u64::from)), DeadlineBy::TimeoutSeconds),
            (start.zip(machine), DeadlineBy::MachineTimeoutSeconds),
            (start.map(|start| (start, longest)), DeadlineBy::ServiceLimit),
        ];
        let first = moments
            .into_iter()
            .filter_map(|(limit, by)| {
                let (from, seconds) = limit?;
                let length = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND);
                Some((Micros(bounded(from).saturating_add(length)), by))
            })
            .min_by_key(|(moment, _)| *moment);
        Self {
            deadline: first.map(|(moment, _)| moment),
            by: first.map(|(_, by)| by),
            timeout_seconds: attempt.timeout_seconds.map(u64::from),
            heartbeat_seconds: attempt.heartbeat_seconds.map(u64::from),
            machine_timeout_seconds: machine,
        }
    }

    /// Whether a heartbeat watches over it: a worker that fell silent would have ended it.
    pub fn is_watched(&self, waits_for: WaitsFor) -> bool {
        self.heartbeat_seconds.is_some() && matches!(waits_for, WaitsFor::Callback | WaitsFor::Activity)
    }
}

/// `TimeoutSeconds` of the machines, by the definition under which an execution ran.
pub(super) struct MachineLimits<'o> {
    observed: &'o Observed,
    /// In the order of the definitions.
    seconds: Vec<Option<u64>>,
}

impl<'o> MachineLimits<'o> {
    pub fn new(observed: &'o Observed) -> Self {
        let seconds = observed.definitions.iter().map(|used| time_limit_of_machine(observed.text(used.text))).collect();
        Self { observed, seconds }
    }

    /// That of the definition which was in use when the execution started: the last one that was in use before.
    pub fn of(&self, execution: &Execution) -> Option<u64> {
        let known = self.observed.definitions.iter().zip(&self.seconds).filter(|(used, _)| used.machine == execution.machine);
        let (mut found, mut is_first) = (None, true);
        for (used, seconds) in known {
            if is_first || used.first_start <= execution.start {
                found = *seconds;
            }
            is_first = false;
        }
        found
    }
}

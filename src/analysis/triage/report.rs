//! The answer to `triage`, as `docs/json.md` fixes it: fields are added, never renamed.

use serde::Serialize;

use crate::analysis::callbacks::StuckCallback;
use crate::analysis::changes::ChangePoint;
use crate::analysis::failures::{NewInVersion, NewSince, Statuses, Timeline, Upstream};
use crate::analysis::finding::{Common, NotEnough, Severity};
use crate::analysis::fleet::Coverage;
use crate::analysis::runway::Runway;
use crate::analysis::storms::Storm;
use crate::model::Micros;

/// The schema of [`TriageReport`].
pub const SCHEMA: &str = "stepscope.triage/1";

/// The schema of a [`Finding`] on a line of its own.
pub const SCHEMA_FINDING: &str = "stepscope.triage.finding/1";

/// What is broken now.
#[derive(Debug, Clone, Serialize)]
pub struct TriageReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The moment it looks from.
    pub now: Option<Micros>,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// Every account that an execution is of, sorted.
    pub accounts: Vec<String>,
    /// Every region, sorted.
    pub regions: Vec<String>,
    /// Every state machine that was looked at, those with the most failures first.
    pub state_machines: Vec<MachineHealth>,
    /// The bins in which failures are counted.
    pub timeline: Timeline,
    /// How many executions failed in each.
    pub failures: Vec<u64>,
    /// Findings that belong together, the worst first.
    pub incidents: Vec<Incident>,
    /// Everything that was found: in the order of the incidents, in each the one first that tells its story.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}

/// A state machine at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MachineHealth {
    /// Its ARN; null when nothing names it.
    pub state_machine: Option<String>,
    /// Executions that were looked at.
    pub executions: u64,
    /// Those that failed, timed out or were aborted.
    pub unsuccessful: u64,
    /// Those that run.
    pub running: u64,
}

/// Findings that belong together: at the same time, in machines that have to do with each other.
#[derive(Debug, Clone, Serialize)]
pub struct Incident {
    /// How bad the worst of it is.
    pub severity: Severity,
    /// What happened, in a sentence.
    pub summary: String,
    /// When it began.
    pub from: Option<Micros>,
    /// The last that was seen of it.
    pub to: Option<Micros>,
    /// Whether it goes on: seen in the hour before `now`, or something still waits.
    pub ongoing: bool,
    /// ARNs of its state machines, the one first in which it began.
    pub state_machines: Vec<String>,
    /// Executions in it, each once.
    pub executions: u64,
    /// Its findings, as positions in the report's `findings`, the one first that tells the story.
    pub findings: Vec<usize>,
}

/// A finding of any detector.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Finding {
    /// Executions that retry in lockstep.
    Storm(Box<Storm>),
    /// A wait that nobody will end.
    Callback(Box<StuckCallback>),
    /// Something is not as it was.
    Change(Box<ChangePoint>),
    /// Executions that failed from the same cause.
    Failure(Box<FailureGroupFinding>),
    /// Executions that approach a limit.
    Runway(Box<Runway>),
}

/// A failure group among the findings.
#[derive(Debug, Clone, Serialize)]
pub struct FailureGroupFinding {
    /// Always `failure_group`.
    pub kind: &'static str,
    /// The group's id.
    pub id: String,
    /// ARN of the state machine whose executions these are.
    pub state_machine: Option<String>,
    /// The state of the root cause.
    pub state: Option<String>,
    /// The error of the root cause.
    pub error: Option<String>,
    /// ARNs of its executions, in the order in which they failed.
    pub executions: Vec<String>,
    /// What all findings have.
    #[serde(flatten)]
    pub common: Common,
    /// What can be checked by hand.
    pub evidence: FailureEvidence,
}

/// What is known of a failure group; `failures --group` tells the rest.
#[derive(Debug, Clone, Serialize)]
pub struct FailureEvidence {
    /// Executions in it.
    pub count: u64,
    /// Of the machine's executions, how large a part; from 0 to 1.
    pub share_of_machine: f64,
    /// How they ended.
    pub statuses: Statuses,
    /// When the first failed.
    pub first_seen: Option<Micros>,
    /// When the last failed.
    pub last_seen: Option<Micros>,
    /// How many failed in each bin of the report's `timeline`.
    pub counts: Vec<u64>,
    /// The cause, with everything taken out that varies.
    pub message: String,
    /// Present when it was not there before.
    pub new: Option<NewSince>,
    /// Present when it came with a version of the machine.
    pub new_in_version: Option<NewInVersion>,
    /// ARN of the state machine in which the cause is.
    pub root_state_machine: Option<String>,
    /// The group of the child's failure, when it is one of another machine.
    pub caused_by: Option<String>,
    /// Groups of other machines whose executions failed because of these.
    pub brought_down: Vec<Upstream>,
}

impl Finding {
    /// What all findings have.
    pub fn common(&self) -> &Common {
        match self {
            Self::Storm(finding) => &finding.common,
            Self::Callback(finding) => &finding.common,
            Self::Change(finding) => &finding.common,
            Self::Failure(finding) => &finding.common,
            Self::Runway(finding) => &finding.common,
        }
    }

    /// The same, to be changed.
    pub fn common_mut(&mut self) -> &mut Common {
        match self {
            Self::Storm(finding) => &mut finding.common,
            Self::Callback(finding) => &mut finding.common,
            Self::Change(finding) => &mut finding.common,
            Self::Failure(finding) => &mut finding.common,
            Self::Runway(finding) => &mut finding.common,
        }
    }

    /// Its kind, as JSON has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Storm(finding) => finding.kind,
            Self::Callback(finding) => finding.kind,
            Self::Change(finding) => finding.kind,
            Self::Failure(finding) => finding.kind,
            Self::Runway(finding) => finding.kind,
        }
    }

    /// ARN of its state machine.
    pub fn state_machine(&self) -> Option<&str> {
        match self {
            Self::Storm(finding) => finding.state_machine.as_deref(),
            Self::Callback(finding) => finding.state_machine.as_deref(),
            Self::Change(finding) => finding.state_machine.as_deref(),
            Self::Failure(finding) => finding.state_machine.as_deref(),
            Self::Runway(finding) => finding.state_machine.as_deref(),
        }
    }

    /// Its state.
    pub fn state(&self) -> Option<&str> {
        match self {
            Self::Storm(finding) => Some(&finding.state),
            Self::Callback(finding) => Some(&finding.state),
            Self::Change(finding) => Some(&finding.state),
            Self::Failure(finding) => finding.state.as_deref(),
            Self::Runway(finding) => finding.state.as_deref(),
        }
    }

    /// The executions that it is about.
    pub fn executions(&self) -> &[String] {
        match self {
            Self::Storm(finding) => &finding.executions,
            Self::Callback(finding) => std::slice::from_ref(&finding.execution),
            Self::Change(_) => &[],
            Self::Failure(finding) => &finding.executions,
            Self::Runway(finding) => &finding.executions,
        }
    }
}

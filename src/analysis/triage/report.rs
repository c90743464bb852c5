//! The answer to `triage`, as `docs/json.md` fixes it: fields are added, never renamed.

use serde::Serialize;

use crate::analysis::callbacks::StuckCallback;
use crate::analysis::changes::ChangePoint;
use crate::analysis::finding::{Common, NotEnough};
use crate::analysis::fleet::Coverage;
use crate::analysis::runway::Runway;
use crate::analysis::storms::Storm;
use crate::model::Micros;

/// The schema of [`TriageReport`].
pub const SCHEMA: &str = "stepscope.triage/1";

/// What is broken now.
#[derive(Debug, Clone, Serialize)]
pub struct TriageReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The moment it looks from.
    pub now: Option<Micros>,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// The worst first.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
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
}

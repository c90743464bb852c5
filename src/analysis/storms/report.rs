//! The answer to `storms`, as `docs/json.md` fixes it: fields are added, never renamed.

use serde::Serialize;

use crate::analysis::finding::{Common, NotEnough};
use crate::analysis::fleet::Coverage;
use crate::model::Micros;

/// The schema of [`StormsReport`].
pub const SCHEMA: &str = "stepscope.storms/1";

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct StormsReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The moment it looks from.
    pub now: Option<Micros>,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// The storms, the worst first.
    pub findings: Vec<Storm>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}

/// One storm: a state in which executions retried together.
#[derive(Debug, Clone, Serialize)]
pub struct Storm {
    /// Always `retry_storm`.
    pub kind: &'static str,
    /// ARN of the state machine; null when nothing names it.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// When the first call failed that led to it.
    pub from: Micros,
    /// The last retry.
    pub to: Micros,
    /// Whether the waits before retries were spread: then it is load, but no lockstep.
    pub jittered: bool,
    /// ARNs of the executions in it, sorted.
    pub executions: Vec<String>,
    /// What all findings have.
    #[serde(flatten)]
    pub common: Common,
    /// What can be checked by hand.
    pub evidence: StormEvidence,
}

/// What can be checked by hand.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StormEvidence {
    /// Attempts between `from` and `to`.
    pub attempts: u64,
}

//! The answer to `callbacks`, as `docs/json.md` fixes it: fields are added, never renamed.

use serde::Serialize;

use crate::analysis::finding::{Common, NotEnough};
use crate::analysis::fleet::Coverage;
use crate::model::Micros;

/// The schema of [`CallbacksReport`].
pub const SCHEMA: &str = "stepscope.callbacks/1";

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct CallbacksReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The moment it looks from.
    pub now: Option<Micros>,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// Waits that nobody will end.
    pub findings: Vec<StuckCallback>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}

/// A wait that nobody will end.
#[derive(Debug, Clone, Serialize)]
pub struct StuckCallback {
    /// Always `stuck_callback`.
    pub kind: &'static str,
    /// ARN of the state machine; null when nothing names it.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// ARN of the execution.
    pub execution: String,
    /// When the wait began.
    pub since: Micros,
    /// What all findings have.
    #[serde(flatten)]
    pub common: Common,
    /// What can be checked by hand.
    pub evidence: WaitEvidence,
}

/// What can be checked by hand.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WaitEvidence {
    /// How long it has waited.
    pub age_ms: f64,
}

//! Change points, as `docs/json.md` fixes them: fields are added, never renamed.

use serde::Serialize;

use crate::analysis::finding::Common;
use crate::model::Micros;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// How long successful attempts take.
    Latency,
    /// How large a part of the attempts fails.
    ErrorRate,
    /// An error that was not there before.
    NewError,
    /// How many attempts a visit takes.
    RetryRate,
}

/// A change of a state.
#[derive(Debug, Clone, Serialize)]
pub struct ChangePoint {
    /// Always `change_point`.
    pub kind: &'static str,
    /// What changed.
    pub signal: Signal,
    /// ARN of the state machine; null when nothing names it.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// Since when.
    pub at: Micros,
    /// The error that is new, or more frequent.
    pub error: Option<String>,
    /// What executions with that error have in common and others lack.
    pub attribute: Option<Attribute>,
    /// What all findings have.
    #[serde(flatten)]
    pub common: Common,
    /// What can be checked by hand.
    pub evidence: ChangeEvidence,
}

/// A value that goes with an error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attribute {
    /// The member of the input, such as `currency` or `order.currency`.
    pub name: String,
    /// Its value.
    pub value: serde_json::Value,
}

/// What can be checked by hand.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChangeEvidence {
    /// Attempts before the change.
    pub before: u64,
    /// Attempts from the change on.
    pub after: u64,
}

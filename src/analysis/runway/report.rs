//! Executions that approach a limit, as `docs/json.md` fixes them: fields are added, never renamed.

use serde::Serialize;

use crate::analysis::finding::Common;
use crate::model::Micros;

/// A limit of the service (Step Functions Developer Guide, "Quotas").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// 25,000 events in the history of a Standard execution.
    Events,
    /// One year of a Standard execution, five minutes of an Express execution, or the machine's own `TimeoutSeconds`.
    Duration,
    /// 256 KiB of a payload.
    Payload,
}

/// A machine whose executions approach a limit.
#[derive(Debug, Clone, Serialize)]
pub struct Runway {
    /// Always `runway`.
    pub kind: &'static str,
    /// Which limit.
    pub limit: Limit,
    /// ARN of the state machine; null when nothing names it.
    pub state_machine: Option<String>,
    /// The state, where it is about one.
    pub state: Option<String>,
    /// ARNs of the executions nearest to it, the nearest first.
    pub executions: Vec<String>,
    /// When the first of them reaches it at this rate; null where none runs that does.
    pub reached_at: Option<Micros>,
    /// What all findings have.
    #[serde(flatten)]
    pub common: Common,
    /// What can be checked by hand.
    pub evidence: RunwayEvidence,
}

/// What can be checked by hand.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunwayEvidence {
    /// The limit itself: events, milliseconds, bytes.
    pub limit: u64,
    /// The most that was seen of it.
    pub most: u64,
}

//! Executions that approach a limit, as `docs/json.md` fixes them: fields are added, never renamed.

use serde::Serialize;

use super::shape::Shape;
use super::trend::Trend;
use crate::analysis::finding::Common;
use crate::model::Micros;

/// Events of a Standard execution's history: it fails when it has as many (Developer Guide, "Service quotas").
pub const EVENTS: u64 = 25_000;

/// Bytes of an input, an output, of parameters or of a result, in UTF-8 (the same page: 256 KiB).
pub const PAYLOAD_BYTES: u64 = 262_144;

/// Milliseconds that a Standard execution may run: a year,
pub const STANDARD_MS: u64 = 365 * 24 * 3_600_000;

/// and an Express execution: five minutes.
pub const EXPRESS_MS: u64 = 5 * 60_000;

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

/// Who sets a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitSource {
    /// The service, for everybody.
    #[default]
    Service,
    /// `TimeoutSeconds` of the definition.
    Definition,
}

/// What a finding rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunwayBasis {
    /// An execution that runs will reach it at this rate.
    Running,
    /// Executions failed of it.
    Reached,
    /// The largest of each hour or day grows.
    Trend,
    /// The largest is near.
    #[default]
    Level,
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
    /// ARNs of the executions nearest to it, the nearest first; at most ten.
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
    /// Who sets it.
    pub limit_source: LimitSource,
    /// The most that was seen of it, in an execution that runs or ended; of durations, in one that runs or succeeded.
    pub most: u64,
    /// When that ended, of a payload when the state did; null where it runs.
    pub most_at: Option<Micros>,
    /// `most` by `limit`.
    pub share: f64,
    /// What the severity rests on.
    pub basis: RunwayBasis,
    /// How many executions of the machine ended.
    pub finished: u64,
    /// How many executions failed of it.
    pub reached: u64,
    /// When the last of them did.
    pub last_reached: Option<Micros>,
    /// How many executions run that will reach it at this rate.
    pub within_reach: u64,
    /// The one of them that reaches it first.
    pub running: Option<RunningRunway>,
    /// How the largest of each hour or day changed; null where too few ended.
    pub trend: Option<Trend>,
    /// What makes histories long; null where nothing stands out, and for other limits.
    pub shape: Option<Shape>,
    /// Executions whose payload sizes are not known: stored by an older version, or read without payloads.
    pub sizes_unknown: u64,
}

/// An execution that runs and will reach a limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunningRunway {
    /// Its ARN.
    pub execution: String,
    /// Events so far, or milliseconds since it started.
    pub used: u64,
    /// Events an hour, since `rate_since`; null where time itself is what runs out.
    pub per_hour: Option<f64>,
    /// From when the rate was counted: the time of the last tenth of its events, until now.
    pub rate_since: Option<Micros>,
    /// How many events it will have when its Map has gone through all items; null where no such Map is what makes it long.
    pub events_at_end: Option<u64>,
    /// When it reaches the limit.
    pub reached_at: Micros,
}

//! The answer to `storms`, as `docs/json.md` fixes it: fields are added, never renamed.

use serde::Serialize;

pub use super::judge::{Load, Onset, Surge};
pub use super::nested::Nested;
pub use super::remedy::{PolicyCompared, Remedy};
pub use super::resources::SharedResource;
pub use super::spread::{WaitGroup, Waits};
use crate::analysis::finding::{Common, NotEnough};
use crate::analysis::fleet::Coverage;
use crate::model::{Micros, Usd};

/// The schema of [`StormsReport`].
pub const SCHEMA: &str = "stepscope.storms/1";

/// The schema of a [`Storm`] on a line of its own.
pub const SCHEMA_ROW: &str = "stepscope.storms.row/1";

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct StormsReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The moment it looks from.
    pub now: Option<Micros>,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// What was looked at.
    pub looked_at: LookedAt,
    /// The storms, the worst first.
    pub findings: Vec<Storm>,
    /// Findings that `--limit` left out.
    pub left_out: u64,
    /// Many retries at once that are no lockstep: spread by jitter, one by one, or not to be told; by start. Their `evidence.pattern`
    /// says which. Those spread by jitter stand among `findings` when they were asked for.
    pub others: Vec<Storm>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LookedAt {
    /// States whose attempts were looked at.
    pub states: u64,
    /// Their attempts.
    pub attempts: u64,
    /// How many of them were retries.
    pub retries: u64,
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
    /// The policy that the definition declares against the one that the waits show; null for a loop made by hand, and for retries that
    /// came one by one.
    pub policy: Option<PolicyCompared>,
    /// What would have calmed it; null for retries that came one by one.
    pub remedy: Option<Remedy>,
    /// The retries of other levels that it multiplies with; null where there are none.
    pub nested: Option<Nested>,
    /// The resource that other storms called at the same time; null where none did.
    pub shared_resource: Option<SharedResource>,
}

/// How the retries came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// At the same moments, after the same waits: a storm.
    Lockstep,
    /// After waits that were drawn at random.
    Jittered,
    /// After the same waits, but of calls that failed one after another.
    OneByOne,
    /// Neither clearly jittered nor clearly not.
    Unclear,
}

/// What can be checked by hand.
#[derive(Debug, Clone, Serialize)]
pub struct StormEvidence {
    /// How the retries came.
    pub pattern: Pattern,
    /// Executions that retried in a wave.
    pub cohort: u64,
    /// Executions that failed and retried because of the same fault, in no wave.
    pub late: u64,
    /// Of all of them, those that failed in the end.
    pub failed_executions: u64,
    /// Of all of them, those that still run.
    pub running_executions: u64,
    /// Calls of the state during the storm, by anybody: `load.attempts`.
    pub attempts: u64,
    /// Retries of its executions.
    pub retries: u64,
    /// The waves, by time.
    pub waves: Vec<WaveEvidence>,
    /// Executions a second that retry in this state around that time, the busiest minutes left out.
    pub background_per_second: f64,
    /// The waits before retries, and whether they were spread.
    pub waits: Waits,
    /// How long half of a wave takes against the wait before it, over all waves; null without a wave.
    pub wave_width: Option<f64>,
    /// Below this in lockstep.
    pub wave_width_cut: f64,
    /// How close together calls failed for the first time.
    pub onset: Onset,
    /// Whether more failed than usual.
    pub surge: Surge,
    /// What the retries added to the calls.
    pub load: Load,
    /// The errors that led to retries, the most frequent first.
    pub errors: Vec<ErrorCount>,
    /// What the state calls, sorted.
    pub resources: Vec<String>,
    /// When the last of its calls failed.
    pub last_failure: Option<Micros>,
    /// From the first failure to the last.
    pub failing_ms: Option<f64>,
    /// Whether retries kept it going: some calls were answered and others refused, while fewer first calls came than before.
    pub sustained_itself: bool,
    /// What its executions waited and spent on failed calls, in sum.
    pub lost_ms: f64,
    /// What its retries were charged; null for Express, which is charged by duration.
    pub retries_usd: Option<Usd>,
    /// Calls second by second, or in longer bins where it lasted longer.
    pub timeline: Timeline,
    /// Some of its executions, event by event.
    pub samples: Vec<Sample>,
}

/// One wave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaveEvidence {
    /// Its first retry.
    pub at: Micros,
    /// Which retry of their visits it is: 1 is the second attempt.
    pub retry: u32,
    /// How many executions.
    pub executions: u64,
    /// How many retries: more where executions make several calls side by side.
    pub retries: u64,
    /// From the first to the last.
    pub span_ms: f64,
    /// How many failed again.
    pub failed_again: u64,
    /// The window that speaks most against chance.
    pub window_ms: f64,
    /// The most executions in such a window.
    pub most: u64,
    /// How many the background puts there.
    pub expected: f64,
    /// How many such windows the background makes in a day by chance, windows of all widths together; at most 1.
    pub probability: f64,
}

/// An error and how often it led to a retry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorCount {
    /// Its name; null when none was given.
    pub error: Option<String>,
    /// How often.
    pub count: u64,
}

/// Calls over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timeline {
    /// Where the first bin begins.
    pub start: Micros,
    /// How wide each is.
    pub bin_ms: f64,
    /// First calls in each.
    pub first_calls: Vec<u64>,
    /// Retries in each.
    pub retries: Vec<u64>,
}

/// One execution of a storm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// Its ARN.
    pub execution: String,
    /// Its retries in the storm, by time.
    pub retries: Vec<SampleRetry>,
}

/// One retry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleRetry {
    /// Which retry of its visit it is: 1 is the second attempt.
    pub retry: u32,
    /// The event that records the failure before it.
    pub failed_event_id: Option<u64>,
    /// When that was.
    pub failed: Micros,
    /// The error.
    pub error: Option<String>,
    /// The event that scheduled the retry.
    pub scheduled_event_id: Option<u64>,
    /// When that was.
    pub scheduled: Micros,
    /// From one to the other.
    pub wait_ms: f64,
}

//! What is said of a storm's policy and of the change that would have calmed it; `docs/json.md` fixes it.

use serde::Serialize;
use serde_json::Value;

use crate::analysis::retry_policy::Retrier;
use crate::analysis::storms::Spread;
use crate::model::Micros;

/// The policy that a definition declares against the one that the waits show.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyCompared {
    /// The retrier that the definition of that time has for the storm's error; null without a definition, or where it has none.
    pub declared: Option<Declared>,
    /// The retrier of the definition that was used last, where that is another one; null where it is the same.
    pub on_file: Option<Declared>,
    /// What the waits show.
    pub seen: SeenPolicy,
    /// The waits by the number of the retry.
    pub waits: Vec<WaitsSeen>,
    /// Where both disagree: then the definition was changed between, and the waits are right.
    pub disagreements: Vec<Disagreement>,
}

/// A retrier of a definition.
#[derive(Debug, Clone, Serialize)]
pub struct Declared {
    /// JSON pointer of the retrier in the definition.
    pub pointer: String,
    /// What the choice of the definition rests on.
    pub basis: DefinitionBasis,
    /// When the first execution started that came with this definition.
    pub used_from: Option<Micros>,
    /// When the last one did.
    pub used_to: Option<Micros>,
    /// The retrier, its defaults filled in.
    pub retrier: Retrier,
}

/// How it is known which definition was in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionBasis {
    /// Executions of the machine came with several, and those of the storm with this one.
    InForce,
    /// It is the only one there is: it may have been changed since.
    OnFile,
}

/// A policy as the waits show it.
#[derive(Debug, Clone, Serialize)]
pub struct SeenPolicy {
    /// The first wait, or the longest that jitter drew the first wait from; null where no first retry was seen.
    pub interval_ms: Option<f64>,
    /// By how much waits grow from one retry to the next; null with fewer than two.
    pub backoff_rate: Option<f64>,
    /// Where waits stop growing; null where they don't.
    pub max_delay_ms: Option<f64>,
    /// The most retries of one visit.
    pub max_attempts: u64,
    /// Whether waits were spread.
    pub spread: Spread,
}

/// The waits before the n-th use of a retrier.
#[derive(Debug, Clone, Serialize)]
pub struct WaitsSeen {
    /// Which retrier of the state, from 0; null where none of the definition takes the error, or there is none.
    pub retrier: Option<usize>,
    /// Which use of it, from 1.
    pub number: u32,
    /// How many retries.
    pub retries: u64,
    /// A tenth of the waits were shorter.
    pub p10_ms: f64,
    /// Half of the waits were shorter.
    pub p50_ms: f64,
    /// A tenth of the waits were longer.
    pub p90_ms: f64,
    /// `(p90 - p10) / p50`: about 0 without jitter, 1.6 with full jitter.
    pub relative_spread: Option<f64>,
    /// What the definition asks for: with jitter, at most.
    pub declared_ms: Option<f64>,
}

/// Where the definition and the waits disagree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disagreement {
    /// The field of the retrier: `JitterStrategy`, `IntervalSeconds`, `MaxAttempts`, `Retry`.
    pub field: &'static str,
    /// What was found, in one sentence.
    pub text: String,
}

/// What would have calmed a storm.
#[derive(Debug, Clone, Serialize)]
pub struct Remedy {
    /// What kind of answer this is.
    pub verdict: Verdict,
    /// What to do, in a sentence or two.
    pub text: String,
    /// JSON pointer of what is changed in the definition: a `Retry`, or the Wait of a loop; null without a definition.
    pub pointer: Option<String>,
    /// How it stands in the definition that was used last; null without one.
    pub before: Value,
    /// How it should stand; null where nothing is to be changed.
    pub after: Value,
    /// The change as a JSON Patch (RFC 6902) of the definition.
    pub patch: Vec<Operation>,
    /// What is changed, and why.
    pub reasons: Vec<Reason>,
    /// Of a loop made by hand, a `Retry` that would do in its place.
    pub instead_of_loop: Option<InsteadOfLoop>,
    /// The load as it was, and as it would have been; null where too little is known to simulate it.
    pub load: Option<Load>,
}

impl Remedy {
    /// One that changes nothing yet.
    pub(super) fn new(verdict: Verdict, text: &str, pointer: Option<String>, before: Value) -> Self {
        Self {
            verdict,
            text: text.to_owned(),
            pointer,
            before,
            after: Value::Null,
            patch: Vec::new(),
            reasons: Vec::new(),
            instead_of_loop: None,
            load: None,
        }
    }
}

/// What kind of answer a remedy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The `Retry` on file has to be changed.
    ChangeRetry,
    /// The Wait of a loop made by hand has to be changed.
    ChangeWait,
    /// The `Retry` on file is not the one of the storm, and would have calmed it.
    ChangedSince,
    /// The waits were spread already: what is left is load.
    SpreadAlready,
    /// There is no definition to change; what its `Retry` should be follows from the waits.
    NoDefinition,
}

/// One operation of a JSON Patch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Operation {
    /// `add` or `replace`.
    pub op: &'static str,
    /// JSON pointer.
    pub path: String,
    /// What stands there afterwards.
    pub value: Value,
}

/// One field that is changed, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The field's name.
    pub field: &'static str,
    /// What it becomes.
    pub value: Value,
    /// Why, with the numbers of the simulation.
    pub text: String,
}

/// A `Retry` in place of a loop made by hand.
#[derive(Debug, Clone, Serialize)]
pub struct InsteadOfLoop {
    /// The states that the loop leads through, from the one that calls.
    pub states: Vec<String>,
    /// The Wait's seconds.
    pub wait_seconds: f64,
    /// The `Retry` of the calling state.
    pub retry: Value,
    /// The change as a JSON Patch (RFC 6902) of the definition.
    pub patch: Vec<Operation>,
}

/// How many retries came in each second: as it was, and in a simulation with each policy.
#[derive(Debug, Clone, Serialize)]
pub struct Load {
    /// How often each policy was simulated.
    pub runs: u32,
    /// The seed of the first run; each further one has the next.
    pub seed: u64,
    /// While calls failed.
    pub outage: Outage,
    /// Where the curves begin.
    pub from: Micros,
    /// How long a value of a curve stands for.
    pub bin_ms: u64,
    /// What was seen.
    pub observed: Curve,
    /// Simulated with the policy that was in force.
    pub before: Curve,
    /// Simulated with the policy of the remedy; null where nothing is to be changed.
    pub after: Option<Curve>,
}

/// While calls failed, as the calls of the state show it.
#[derive(Debug, Clone, Serialize)]
pub struct Outage {
    /// The first failure.
    pub from: Micros,
    /// Between the last call that belongs to the outage and the first one after it; null where none came after it.
    pub until: Option<Micros>,
    /// Calls in it.
    pub calls: u64,
    /// Which share of them failed.
    pub failed_share: f64,
    /// Which share of the calls after it failed.
    pub failed_share_after: f64,
}

/// Retries over time. Simulated: the peak is the median of the runs, the curve that of a run with this peak, other numbers are means.
#[derive(Debug, Clone, Serialize)]
pub struct Curve {
    /// The most retries within one second.
    pub peak_per_second: f64,
    /// Retries a second, from the first failure to the last retry.
    pub mean_per_second: f64,
    /// All retries.
    pub retries: f64,
    /// Calls that were given up: they failed and no retry was left.
    pub given_up: f64,
    /// Retries a second, bin by bin.
    pub curve: Vec<f64>,
}

//! Change points, as `docs/json.md` fixes them: fields are added, never renamed.

use serde::Serialize;

pub use super::near::{NearestChange, What};
pub use super::season::Season;
pub use super::side::Level;
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
    /// How many attempts a visit takes that failed at first.
    RetryRate,
}

/// How it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// To a new level, which lasts.
    Step,
    /// To a new level and back.
    Episode,
    /// To a new level and back within half an hour.
    Blip,
    /// The slowest are slower; the median is as it was.
    Tail,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Slower, or more.
    Up,
    /// Faster.
    Down,
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
    /// Until when; null while it lasts.
    pub until: Option<Micros>,
    /// How.
    pub shape: Shape,
    /// Which way.
    pub direction: Direction,
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
    /// The member of the input, such as `currency` or `order.currency`; `version`, `alias`.
    pub name: String,
    /// Its value.
    pub value: serde_json::Value,
}

/// What can be checked by hand.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeEvidence {
    /// The first attempt at the new level, or with the error.
    pub first_seen: Micros,
    /// When it may have begun: what fits nearly as well.
    pub interval: Interval,
    /// Durations before and after; null for errors.
    pub latency: Option<Sides<Level>>,
    /// Failures before and after; null for durations.
    pub errors: Option<Sides<Failing>>,
    /// After by before: medians, shares of attempts that failed, attempts of a visit; null where there was nothing before.
    pub ratio: Option<f64>,
    /// 95 % interval of the ratio.
    pub ratio_interval: Option<[f64; 2]>,
    /// The test.
    pub test: Test,
    /// What was done about the hour of the day; null for errors.
    pub season: Option<Season>,
    /// The load on both sides; null for errors.
    pub load: Option<Load>,
    /// Of the machine's executions, how long those took that started before and after; null for errors.
    pub end_to_end: Option<Sides<Lasted>>,
    /// Executions with the error, and what became of them; null for durations.
    pub executions: Option<Affected>,
    /// The change of version, alias or definition that is nearest: associated, not shown to be the cause.
    pub nearest_change: Option<NearestChange>,
    /// What of the input, of version and alias goes with the error, the clearest first.
    pub attributes: Vec<AttributeEvidence>,
    /// What else was found that began with it and is taken for the same.
    pub also_seen_in: Vec<AlsoSeen>,
}

/// Two sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sides<T> {
    /// Before it began; of what ended, outside of it.
    pub before: T,
    /// From its begin to its end.
    pub after: T,
}

/// From one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// The earliest.
    pub from: Micros,
    /// The latest.
    pub to: Micros,
}

/// How many fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Failing {
    /// Attempts that ended.
    pub attempts: u64,
    /// Of them, how many had the error.
    pub failed: u64,
    /// Visits, those of one Map or Parallel counted as one: what is tested, because their attempts share a fate.
    pub visits: u64,
    /// Of them, how many had the error.
    pub visits_failed: u64,
}

/// How long executions take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Lasted {
    /// How many ended.
    pub executions: u64,
    /// Median.
    pub p50_ms: Option<f64>,
}

/// The load, and what is left of the change when it is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Load {
    /// Calls per second after by those before; null where it cannot be told.
    pub ratio: Option<f64>,
    /// The ratio of durations at matched load; null where durations do not follow the load.
    pub ratio_at_matched_load: Option<f64>,
}

/// The executions in which an error was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Affected {
    /// How many.
    pub count: u64,
    /// Of them, how many did not succeed.
    pub unsuccessful: u64,
    /// ARNs of the first of them.
    pub first: Vec<String>,
}

/// A test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Test {
    /// `rank_sum_z`, `log_likelihood_ratio`.
    pub statistic: &'static str,
    /// Its value.
    pub value: f64,
    /// What it would have to be without a change, in words.
    pub null_hypothesis: &'static str,
    /// For ranks: the statistic with correction for neighbours that are alike, and at matched load.
    pub corrected_value: Option<f64>,
    /// How likely it is without a change.
    pub p_value: f64,
    /// The same after correction for `tests` (Benjamini and Hochberg).
    pub corrected_p_value: f64,
    /// States × errors × signals that were tested.
    pub tests: u64,
    /// Of so many shuffles of the same outcomes, how many showed as much; null for durations.
    pub shuffles: Option<Shuffles>,
}

/// A check by permutation, with a fixed seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shuffles {
    /// How many.
    pub count: u32,
    /// How many of them showed as much.
    pub as_extreme: u32,
}

/// How much more often executions with the error have a value than others, from the change on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttributeEvidence {
    /// The member of the input; `version`, `alias`.
    pub name: String,
    /// Its value.
    pub value: serde_json::Value,
    /// Executions with the error that have it.
    pub failing: u64,
    /// Executions with the error.
    pub failing_total: u64,
    /// Others that have it.
    pub others: u64,
    /// Others.
    pub others_total: u64,
    /// Lower 95 % bound of the odds ratio (Haldane: half a count added to each cell).
    pub odds_ratio_low: f64,
    /// Fisher's exact test, corrected for all values that were tested (Benjamini and Hochberg).
    pub corrected_p_value: f64,
}

/// Where the same was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlsoSeen {
    /// What changed there; null for a state that waits for these executions.
    pub signal: Option<Signal>,
    /// ARN of the state machine.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// The error there.
    pub error: Option<String>,
    /// Since when.
    pub at: Option<Micros>,
}

//! How long states and state machines take, and on what the time is spent.
//!
//! Durations are kept whole, as microseconds, and sorted when the report is made: quantiles are exact, and 16 bytes a visit are
//! less than any sketch would save the reader's trust.
//!
//! | figure                  | over                                                                     |
//! |-------------------------|--------------------------------------------------------------------------|
//! | visits, retries, …      | every visit                                                              |
//! | quantiles, mean, total  | visits that were exited, from entered to exited                          |
//! | queue, run, …           | the same visits, where there was something of the kind                    |
//! | Map queue               | iterations that were started                                             |
//! | critical path           | every execution, from its start to its end, of a running one to its last event |
//! | a machine's quantiles   | executions that ended, however they did                                  |

mod change;
mod gather;
mod picture;
mod report;
#[cfg(test)]
mod tests;

pub use change::{Change, Side, Verdict};
pub use gather::LatencyQuestion;
pub use picture::{Bin, Picture, Slot, StateMarks};
pub use report::{Compared, LatencyReport, MachineRow, Part, ROW_SCHEMA, SCHEMA, StateRow};

use crate::analysis::pattern;
use crate::model::Micros;

/// What rows are made of beside states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The hour in which a visit was entered, or an execution started.
    Hour,
    /// The version of the state machine, where executions were started by version or alias.
    Version,
}

/// By which figure rows are sorted, the largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Median.
    P50,
    /// 90 % are faster.
    P90,
    /// 95 % are faster.
    #[default]
    P95,
    /// 99 % are faster.
    P99,
    /// The slowest.
    Max,
    /// All visits together.
    Total,
    /// Share of the critical path.
    Critical,
    /// How many visits.
    Visits,
    /// How many retries.
    Retries,
    /// The name, from A to Z.
    Name,
}

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct LatencyOptions {
    /// Rows for each hour or version.
    pub by: Option<By>,
    /// Only states of these names; `*` stands for any characters. Empty for all.
    pub states: Vec<String>,
    /// Where the window begins that was asked for: its executions are compared with those of the same length of time before it.
    pub since: Option<Micros>,
    /// Where it ends; the last event that was read, where nobody said.
    pub until: Option<Micros>,
    /// Order of the rows of a machine.
    pub sort: Sort,
    /// How many rows of each machine are kept; `None` for all.
    pub limit: Option<usize>,
    /// Whether a picture is made.
    pub picture: bool,
}

impl LatencyOptions {
    /// Whether rows of this state were asked for.
    fn wants(&self, state: &str) -> bool {
        self.states.is_empty() || self.states.iter().any(|pattern| pattern::matches(pattern, state))
    }

    /// Whether an execution that started then may belong to the window before.
    fn is_before(&self, start: Micros) -> bool {
        self.since.is_some_and(|since| start < since && self.until.is_none_or(|until| start >= as_long_before(since, until)))
    }
}

/// Where the window begins that ends at `since` and is as long as that from `since` to `until`.
fn as_long_before(since: Micros, until: Micros) -> Micros {
    Micros(since.0.saturating_sub(until.0.saturating_sub(since.0).max(0)))
}

/// A quantile of sorted microseconds by linear interpolation between the closest ranks (type 7), in milliseconds to the
/// microsecond. `None` for no values.
fn quantile(sorted: &[i64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 values")]
    let position = last as f64 * p;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
    let below = position as usize;
    let above = (below + 1).min(last);
    #[allow(clippy::cast_precision_loss, reason = "whole microseconds are exact in f64 for 285 years")]
    let (low, high) = (sorted[below] as f64, sorted[above] as f64);
    Some(milliseconds_of(low + (high - low) * position.fract()))
}

/// Microseconds to milliseconds, rounded to the microsecond.
fn milliseconds_of(micros: f64) -> f64 {
    micros.round() / 1000.0
}

#[allow(clippy::cast_precision_loss, reason = "whole microseconds are exact in f64 for 285 years")]
fn milliseconds(micros: i128) -> f64 {
    micros as f64 / 1000.0
}

#[allow(clippy::cast_precision_loss, reason = "shares need no more than 52 bits")]
fn share(part: i128, whole: i128) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1e6).round() / 1e6)
}

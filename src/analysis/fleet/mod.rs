//! Questions over many executions: each sees the facts of one execution at a time, in any order and on several threads.
//!
//! A question is a fold. Its partial answers are merged, and [`Question::merge`] and what a report is made of must not depend on
//! the order in which executions came: the same executions give the same bytes.

use serde::Serialize;

use crate::model::facts::Needs;
use crate::model::{ExecutionFacts, ExecutionStatus, Micros};

/// A question that is answered from the facts of many executions.
pub trait Question: Send {
    /// Which parts of the facts it looks at; the others are empty.
    fn needs(&self) -> Needs;

    /// Takes one execution into account. Each comes once: of several sights of one execution the most complete.
    fn take(&mut self, facts: &ExecutionFacts<'_>);

    /// Whether it also looks at executions that were not asked for: of other machines, or outside the window.
    fn looks_aside(&self) -> bool {
        false
    }

    /// Takes note of an execution that was not asked for; only called where [`Question::looks_aside`].
    fn take_aside(&mut self, _facts: &ExecutionFacts<'_>) {}

    /// Adds what another thread found.
    fn merge(&mut self, other: Self)
    where
        Self: Sized;
}

/// Two questions asked in one pass.
impl<A: Question, B: Question> Question for (A, B) {
    fn needs(&self) -> Needs {
        self.0.needs().and(self.1.needs())
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        self.0.take(facts);
        self.1.take(facts);
    }

    fn looks_aside(&self) -> bool {
        self.0.looks_aside() || self.1.looks_aside()
    }

    fn take_aside(&mut self, facts: &ExecutionFacts<'_>) {
        if self.0.looks_aside() {
            self.0.take_aside(facts);
        }
        if self.1.looks_aside() {
            self.1.take_aside(facts);
        }
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
        self.1.merge(other.1);
    }
}

/// What an answer over many executions rests on; every fleet report holds it as `coverage`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Coverage {
    /// How many executions were looked at.
    pub executions: u64,
    /// Of them, how many did not succeed: failed, timed out, aborted.
    pub unsuccessful: u64,
    /// Of them, how many run, or wait for a redrive.
    pub running: u64,
    /// Of them, how many lack something, such as a page of events.
    pub incomplete: u64,
    /// How many of those read did not fall into the window or were not of the machines asked for.
    pub left_out: u64,
    /// How many inputs, or parts of them, could not be read; stderr names them.
    pub unreadable: u64,
    /// When the first of them started.
    pub first_start: Option<Micros>,
    /// When the last of them started.
    pub last_start: Option<Micros>,
    /// The last event of any of them: what "now" is where nobody says.
    pub last_event: Option<Micros>,
}

impl Coverage {
    /// Counts one execution.
    pub fn count(&mut self, facts: &ExecutionFacts<'_>) {
        self.executions += 1;
        self.unsuccessful += u64::from(facts.status.is_some_and(ExecutionStatus::is_unsuccessful));
        self.running += u64::from(matches!(facts.status, Some(ExecutionStatus::Running | ExecutionStatus::PendingRedrive)));
        self.incomplete += u64::from(!facts.gaps.is_empty());
        self.first_start = earliest(self.first_start, facts.start);
        self.last_start = self.last_start.max(facts.start);
        self.last_event = self.last_event.max(facts.last_event).max(facts.stop);
    }

    /// Adds what another thread counted.
    pub fn merge(&mut self, other: &Self) {
        self.executions += other.executions;
        self.unsuccessful += other.unsuccessful;
        self.running += other.running;
        self.incomplete += other.incomplete;
        self.left_out += other.left_out;
        self.unreadable += other.unreadable;
        self.first_start = earliest(self.first_start, other.first_start);
        self.last_start = self.last_start.max(other.last_start);
        self.last_event = self.last_event.max(other.last_event);
    }
}

fn earliest(one: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    [one, other].into_iter().flatten().min()
}

/// A quantile of sorted values by linear interpolation between the closest ranks (Hyndman and Fan's type 7, as in numpy, R,
/// DuckDB's `quantile_cont`). `None` for no values.
///
/// `p` is from 0 to 1.
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 values")]
    let position = last as f64 * p.clamp(0.0, 1.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
    let below = position as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * position.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_between_the_closest_ranks() {
        let values = [10.0, 20.0, 30.0, 40.0];
        assert_eq!(quantile(&values, 0.0), Some(10.0));
        assert_eq!(quantile(&values, 0.5), Some(25.0));
        assert_eq!(quantile(&values, 0.9), Some(37.0));
        assert_eq!(quantile(&values, 1.0), Some(40.0));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}

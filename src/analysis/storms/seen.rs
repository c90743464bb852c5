//! A storm as the attempts show it: positions and moments, before anything is put into words.
//!
//! Between finding and telling: [`find`](super::find) makes these, and everything that explains a storm (policy, patch, simulation,
//! load, money) is a function of one of them and of what was observed.

use crate::analysis::observed::{Attempt, Class, Name, Observed};
use crate::model::Micros;

/// A state in which executions retried together.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Position of its state in [`Observed::classes`].
    pub class: usize,
    /// When the first call failed that led to one of its retries.
    pub from: Micros,
    /// When the last retry of its executions was scheduled.
    pub to: Micros,
    /// Waves, by time.
    pub waves: Vec<Wave>,
    /// Positions in [`Observed::executions`] of those that retried in a wave, sorted.
    pub cohort: Vec<u32>,
    /// Positions of the executions that failed and retried because of the same fault, in no wave; sorted.
    pub late: Vec<u32>,
    /// The retries of all of them from `from` to `to`, by time.
    pub retries: Vec<Retry>,
    /// What the waits before the cohort's retries are like.
    pub spread: Spread,
}

/// Retries of many executions at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave {
    /// Its first retry.
    pub from: Micros,
    /// Its last retry.
    pub to: Micros,
    /// Positions in [`Seen::retries`].
    pub retries: Vec<usize>,
    /// How many executions.
    pub executions: u64,
    /// Of its retries, how many failed again.
    pub failed_again: u64,
    /// How wide the window is, in microseconds, that speaks most against chance.
    pub window: i64,
    /// The most executions in any such window of the wave.
    pub most: u64,
    /// How many chance would put there.
    pub expected: f64,
    /// How many such windows chance makes in a day of the background, all widths together; 1 for more.
    pub probability: f64,
}

/// One retry of a storm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    /// Its position in the attempts of the storm's class.
    pub attempt: usize,
    /// The position of the attempt whose failure led to it; `None` when it was not read.
    pub cause: Option<usize>,
    /// When that failed.
    pub failed: Micros,
    /// When this was scheduled.
    pub scheduled: Micros,
    /// From one to the other, in microseconds.
    pub wait: i64,
    /// Which retry of its visit it is, from 1; of one made by hand, which round.
    pub number: u32,
    /// The error that led to it.
    pub error: Option<Name>,
    /// Whether it was made by hand: a Catch, a Wait and another visit.
    pub by_hand: bool,
}

/// Whether waits were spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// They are the same for everybody: lockstep.
    None,
    /// They are drawn from zero up to the nominal wait, as `JitterStrategy: FULL` does.
    Full,
    /// Neither: spread in part, or too few to tell.
    Unclear,
}

impl Seen {
    /// The attempts of its state.
    pub fn class<'a>(&self, observed: &'a Observed) -> &'a Class {
        &observed.classes[self.class]
    }

    /// The attempt of a retry.
    pub fn attempt<'a>(&self, observed: &'a Observed, retry: &Retry) -> &'a Attempt {
        &self.class(observed).attempts[retry.attempt]
    }

    /// All its executions, sorted.
    pub fn executions(&self) -> Vec<u32> {
        let mut all = [self.cohort.as_slice(), &self.late].concat();
        all.sort_unstable();
        all
    }

    /// The errors that led to its retries and how often each did, the most frequent first, then by name.
    pub fn errors(&self, observed: &Observed) -> Vec<(Option<Name>, u64)> {
        let mut counted: Vec<(Option<Name>, u64)> = Vec::new();
        for retry in &self.retries {
            match counted.iter_mut().find(|(error, _)| *error == retry.error) {
                Some((_, count)) => *count += 1,
                None => counted.push((retry.error, 1)),
            }
        }
        counted.sort_by_key(|(error, count)| (std::cmp::Reverse(*count), error.map(|error| observed.text(error))));
        counted
    }
}

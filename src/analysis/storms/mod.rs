//! Retry storms: states in which many executions retry at the same moments.
//!
//! Method: three claims, each reported, all three required: coincidence (waves of retries that chance does not explain), determinism
//! (waits without spread), load (calls multiply).
//!
//! | file            | holds                                                                     |
//! |-----------------|---------------------------------------------------------------------------|
//! | `retries.rs`    | the retries of a state, each with the failure that led to it                |
//! | `background.rs` | how many retries are usual, and how many at once chance does not explain     |
//! | `waves.rs`      | windows with more than that, and which of them are one storm               |
//! | `assemble.rs`   | who belongs to a storm, and from when to when                               |
//! | `spread.rs`     | whether the waits are spread by jitter                                      |
//! | `judge.rs`      | whether it is a fault, comes in waves, and is a load                        |
//! | `seen.rs`       | a storm as the attempts show it                                             |
//! | `tell.rs`       | what is said of a storm                                                     |
//! | `words.rs`      | the sentence                                                                |
//! | `report.rs`     | the answer                                                                  |
//! | `explain.rs`    | adds to each storm what follows below                                       |
//! | `remedy/`       | the policy that was in force, and the change that would have calmed it      |
//! | `nested/`       | retries that multiply                                                       |
//! | `loops.rs`      | loops made by hand, as definitions have them                                |
//! | `resources.rs`  | storms on one resource                                                      |

mod assemble;
mod background;
mod explain;
mod judge;
pub mod loops;
pub mod nested;
pub mod remedy;
mod report;
pub mod resources;
mod retries;
mod seen;
mod spread;
#[cfg(test)]
mod stories;
mod tell;
#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers of stories told here"
)]
mod tests;
mod waves;
mod words;

pub use report::{
    ErrorCount, Load, LookedAt, Onset, Pattern, SCHEMA, SCHEMA_ROW, Sample, SampleRetry, Storm, StormEvidence, StormsReport, Surge,
    Timeline, WaitGroup, Waits, WaveEvidence,
};
pub use seen::{Retry, Seen, Spread, Wave};

use self::background::Background;
use self::tell::Case;
use super::finding::NotEnough;
use super::observed::{Class, Observed};
use crate::model::Micros;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// By start, then by machine and state.
    pub storms: Vec<Storm>,
    /// Many retries at once that are no lockstep, in the same order: spread by jitter, one by one, or not to be told.
    pub others: Vec<Storm>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
    /// What was looked at.
    pub looked_at: LookedAt,
}

/// Finds the storms up to `now`.
pub fn find(observed: &Observed, now: Micros) -> Found {
    let mut found = Found::default();
    let mut told = Vec::new();
    for (position, class) in observed.classes.iter().enumerate() {
        look(observed, now, (position, class), &mut found.looked_at, &mut told);
    }
    found.not_enough = told.iter().filter_map(|told| too_few_waits(&told.storm)).collect();
    explain::explain(&mut told, observed);
    for Told { storm, .. } in told {
        if storm.evidence.pattern == Pattern::Lockstep { found.storms.push(storm) } else { found.others.push(storm) }
    }
    // Classes are by machine and state, and the sort is stable.
    found.storms.sort_by_key(|storm| storm.from);
    found.others.sort_by_key(|storm| storm.from);
    found
}

/// A storm in words, beside what was seen.
struct Told {
    seen: Seen,
    storm: Storm,
}

/// What keeps many retries at once from being judged: no four of them are comparable.
fn too_few_waits(storm: &Storm) -> Option<NotEnough> {
    let waits = &storm.evidence.waits;
    waits.spread.is_none().then(|| NotEnough {
        question: "storms",
        state_machine: storm.state_machine.clone(),
        state: Some(storm.state.clone()),
        has: waits.groups.iter().map(|group| group.count).max().unwrap_or(0),
        needs: spread::FEWEST_WAITS as u64,
        of: "waits before the same retry",
    })
}

/// Adds what is found in one state.
fn look(observed: &Observed, now: Micros, (position, class): (usize, &Class), looked_at: &mut LookedAt, told: &mut Vec<Told>) {
    looked_at.states += 1;
    looked_at.attempts += class.attempts.len() as u64;
    let mut retries = retries::of(class);
    retries.retain(|tried| tried.retry.scheduled <= now);
    looked_at.retries += retries.len() as u64;
    if (retries.len() as u64) < background::FEWEST {
        return;
    }
    let from = observed.first_start.unwrap_or(now);
    let to = observed.last_event.unwrap_or(now).min(now);
    let mut background = Background::new(&retries, from, to);
    let marks = waves::marked(&retries, &mut background);
    for marked in waves::storms(&retries, &marks, class) {
        let Some(mut storm) = assemble::assemble(position, &retries, &marked, &mut background) else { continue };
        let judged = judge::judge(&storm, class);
        if !judged.is_storm() {
            continue;
        }
        let groups = spread::groups(&storm.tried);
        let (verdict, spread, uniform) = spread::judge(&groups);
        storm.seen.spread = verdict;
        let case = Case { observed, now, storm: &storm, judged, groups, waits: (spread, uniform) };
        let words = case.tell(&mut background);
        told.push(Told { storm: words, seen: storm.seen });
    }
}

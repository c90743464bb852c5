//! Visits that wait for somebody: task tokens, activities, jobs and child executions; how long they have waited, how long such waits
//! take, and whether an answer still comes.
//!
//! | file          | holds                                                                       |
//! |---------------|-----------------------------------------------------------------------------|
//! | `waits.rs`    | every wait, by class                                                        |
//! | `survival.rs` | Kaplan and Meier's curve                                                    |
//! | `law.rs`      | the law of healthy waits, with a share that is never answered               |
//! | `tail.rs`     | its tail, by the longest waits that were seen                               |
//! | `clock.rs`    | working hours (`week.rs`)                                                   |
//! | `silence.rs`  | silent hours that tell nothing                                              |
//! | `judge.rs`    | what a class says of each of its open waits                                 |
//! | `limits.rs`   | what will end a wait if nobody answers                                      |
//! | `assemble.rs` | rows and findings of a class                                                |
//! | `children.rs` | waits for child executions take the verdict of what the child waits for     |
//! | `words.rs`    | grounds and summaries                                                       |
//! | `release.rs`  | the commands that would end a wait                                          |

mod assemble;
mod children;
mod clock;
mod judge;
mod law;
mod limits;
mod normal;
mod release;
mod report;
mod silence;
mod survival;
mod tail;
#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers of stories told here"
)]
mod tests;
mod waits;
mod week;
mod words;

pub use judge::{BEYOND, ENOUGH, FEWEST, LATE, LOST};
pub use limits::DeadlineBy;
pub use release::TOKEN;
pub use report::{
    Between, CallbacksReport, LawPart, Plateau, SCHEMA, SCHEMA_ROW, Shown, Stopped, StuckCallback, Verdict, WaitClass, WaitEvidence,
    Waiting, WorkingHours,
};
pub use survival::Step;
pub use waits::WaitsFor;

use super::finding::NotEnough;
use super::observed::Observed;
use super::parallel;
use crate::model::Micros;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Those with the verdict stuck, but for parents of stuck children; by machine, state and age.
    pub stuck: Vec<StuckCallback>,
    /// Every open wait, the worst first, then the oldest.
    pub waiting: Vec<Waiting>,
    /// The states in which something waits or waited: those with stuck waits first, then by machine and state.
    pub classes: Vec<WaitClass>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}

/// Judges every open wait as of `now`.
pub fn find(observed: &Observed, now: Micros) -> Found {
    let machine_limits = limits::MachineLimits::new(observed);
    let mut found = Found::default();
    let mut drafts = Vec::new();
    let waits: Vec<_> = waits::gather(observed, now).into_iter().collect();
    let judge = |at: usize| {
        let (key, waits) = &waits[at];
        assemble::class(observed, key, waits, &machine_limits, now)
    };
    for of_class in parallel::each(observed.threads, waits.len(), judge) {
        found.not_enough.extend(of_class.not_enough);
        found.classes.push(of_class.row);
        drafts.push((found.classes.len() - 1, of_class.waiting));
    }
    children::inherit(observed, &mut drafts);
    for (class, waiting) in &mut drafts {
        let row = &mut found.classes[*class];
        assemble::count(row, waiting);
        let stuck = waiting.iter().filter(|draft| draft.waiting.verdict == Verdict::Stuck && !draft.is_inherited);
        found.stuck.extend(stuck.map(|draft| assemble::finding(&draft.waiting, row)));
    }
    found.waiting = drafts.into_iter().flat_map(|(_, waiting)| waiting).map(|draft| draft.waiting).collect();
    found.waiting.sort_by(|one, other| {
        let key = |waiting: &Waiting| (waiting.verdict, waiting.since);
        key(one).cmp(&key(other)).then_with(|| (&one.execution, &one.state).cmp(&(&other.execution, &other.state)))
    });
    found.classes.sort_by_key(|row| (row.stuck == 0, row.late == 0, row.open == 0));
    found
}

//! Change points: since when a state fails more, is slower, retries more, or fails with an error that was not there before; and the
//! change of version, alias or definition that is nearest.
//!
//! | file            | holds                                                                          |
//! |-----------------|--------------------------------------------------------------------------------|
//! | `state.rs`      | one state: what of it is tested, and what the tests say                         |
//! | `shift.rs`      | durations: where their level steps (`series.rs`, `ranks.rs`, `season.rs`, `day.rs`, `weather.rs`, `load.rs`, `side.rs`)  |
//! | `errors.rs`     | errors: where their rate steps (`units.rs`, `proportion.rs`)                     |
//! | `join.rs`       | what is one change, seen in several places                                      |
//! | `date.rs`       | the moment to name, when the data leave several                                |
//! | `near.rs`       | what was deployed near it                                                       |
//! | `told.rs`       | the finding and its words (`words.rs`)                                          |
//! | `since.rs`      | since when, for `latency` and `failures`                                        |
//! | `attributes.rs` | what of the input goes with an error: a second pass                             |
//!
//! All tests of a report are one family: their p-values are corrected together (Benjamini and Hochberg), and what is told must be
//! below [`LEVEL`].

mod attributes;
mod date;
mod day;
mod errors;
mod join;
mod load;
mod near;
mod proportion;
mod ranks;
mod report;
mod season;
mod series;
mod shift;
mod side;
#[cfg(test)]
mod simulated;
mod since;
mod state;
#[cfg(test)]
mod tests;
mod told;
mod units;
mod weather;
mod words;

pub use attributes::Attributes;
pub use report::{
    Affected, AlsoSeen, Attribute, AttributeEvidence, ChangeEvidence, ChangePoint, Direction, Failing, Interval, Lasted, Level, Load,
    NearestChange, Season, Shape, Shuffles, Sides, Signal, Test, What,
};

pub use since::{Since, VersionStart, more_often, slower_or_faster};

use super::finding::NotEnough;
use super::observed::Observed;
use super::parallel;
use super::statistics::corrected;
use crate::model::Micros;
use attributes::Ask;
use state::{Candidate, Seen};

/// Of so many reports on executions in which nothing changes, one tells of a change: whoever looks every hour is misled no more
/// than once in six weeks.
const LEVEL: f64 = 1e-3;
/// So many states of which there is too little to say are named.
const MOST_NOT_ENOUGH: usize = 10;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// By moment, then by machine and state.
    pub changes: Vec<ChangePoint>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
    /// Errors that are new, but too few to tell by their time alone: told of if they go with a value of the input.
    pending: Vec<ChangePoint>,
    /// What the second question looks at.
    asks: Vec<Ask>,
}

impl Found {
    /// The second question, about what executions that fail have in common; `None` when there is nothing to explain.
    pub fn attributes(&self) -> Option<Attributes> {
        Attributes::about(&self.asks)
    }

    /// Adds what the second question found.
    #[allow(clippy::needless_pass_by_value, reason = "what was asked is answered once")]
    pub fn explain(&mut self, attributes: Attributes) {
        let known = self.changes.len();
        for (ask, explained) in self.asks.iter().zip(attributes.answers(&self.asks)) {
            let list = if ask.is_pending { &mut self.pending } else { &mut self.changes };
            let Some(change) = list.get_mut(ask.number) else { continue };
            if ask.is_pending {
                change.signal = Signal::NewError;
            }
            explained.tell(change);
            if ask.is_pending && explained.confirms() {
                let confirmed = change.clone();
                self.changes.push(confirmed);
            }
        }
        self.pending.clear();
        self.asks.clear();
        let confirmed = self.changes.split_off(known);
        // What ended inside a new error that lasts is a part of it.
        self.changes.retain(|change| !confirmed.iter().any(|new| is_part(change, new)));
        self.changes.extend(confirmed);
        sort(&mut self.changes);
    }
}

/// Finds the change points up to `now`.
pub fn find(observed: &Observed, now: Micros) -> Found {
    let known = state::Known::of(observed);
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut tested: Vec<f64> = Vec::new();
    let mut not_enough: Vec<NotEnough> = Vec::new();
    for judged in parallel::each(observed.threads, observed.classes.len(), |number| state::judge(observed, &known, number, now)) {
        candidates.extend(judged.candidates);
        tested.extend(judged.tested);
        not_enough.extend(judged.not_enough);
    }
    let tests = tested.len() + candidates.len();
    tested.extend(candidates.iter().map(|candidate| candidate.p));
    let corrected = corrected(&tested);
    let without = tests - candidates.len();
    for (candidate, corrected) in candidates.iter_mut().zip(&corrected[without..]) {
        candidate.corrected_p = *corrected;
    }
    let (told, unsure): (Vec<Candidate>, Vec<Candidate>) = candidates.into_iter().partition(|candidate| candidate.corrected_p <= LEVEL);
    let pending: Vec<Candidate> = unsure.into_iter().filter(Candidate::may_be_confirmed).collect();
    let joined = join::join(observed, told, pending);
    let told = told::Told { observed, now, tests: tests as u64, deployments: near::Deployments::of(observed) };
    let mut found = Found { not_enough: most_wanted(not_enough), ..Found::default() };
    for change in joined {
        let list = if change.is_pending { &mut found.pending } else { &mut found.changes };
        list.push(told.finding(&change));
        if let Seen::Rise(rise) = &change.candidate.seen {
            found.asks.push(Ask::of(observed, rise, change.is_pending, list.len() - 1));
        }
    }
    found
}

fn is_part(change: &ChangePoint, new: &ChangePoint) -> bool {
    let of = |change: &ChangePoint| (change.state_machine.clone(), change.state.clone(), change.error.clone());
    change.error.is_some() && change.until.is_some() && change.at >= new.at && of(change) == of(new)
}

fn sort(changes: &mut [ChangePoint]) {
    let place = |change: &ChangePoint| (change.at, change.state_machine.clone(), change.state.clone(), change.signal, change.error.clone());
    changes.sort_by_cached_key(place);
}

/// Those with the most to say, as many as a reader takes in.
fn most_wanted(mut all: Vec<NotEnough>) -> Vec<NotEnough> {
    all.sort_by(|one, other| {
        let place = |open: &NotEnough| (open.question != "error_rate", std::cmp::Reverse(open.has));
        (place(one), &one.state_machine, &one.state).cmp(&(place(other), &other.state_machine, &other.state))
    });
    all.truncate(MOST_NOT_ENOUGH);
    all
}

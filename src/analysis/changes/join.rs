//! What is one change, seen in several places: the clearest is told, the others stand beside it.
//!
//! | seen                                     | is part of                        | when                                         |
//! |------------------------------------------|-----------------------------------|----------------------------------------------|
//! | another error of the state               | the error                         | both last or both ended, and they began together; or it began in the outage |
//! | the same error in another state          | the outage                        | both ended, and they overlap                   |
//! | longer durations, more attempts          | the outage of the state           | they began in it or within half an hour after it |
//! | a blip of any state of the machine       | an outage of the machine          | the same                                       |
//! | durations, errors, attempts of one state | whichever is clearer              | they began together                            |
//!
//! States that wait for executions as a child are no changes of their own where the child is known (`state.rs`).

use std::collections::{BTreeMap, BTreeSet};

use super::report::{AlsoSeen, Signal};
use super::shift::BLIP;
use super::state::{Candidate, Seen};
use super::units::{Fault, TIME_LIMIT};
use crate::analysis::observed::{Name, Observed};
use crate::model::facts::Pattern;

/// A change with what belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Joined {
    pub candidate: Candidate,
    pub also_seen_in: Vec<AlsoSeen>,
    /// Not told of unless it is confirmed.
    pub is_pending: bool,
}

/// What began within a quarter of an hour began together.
const TOGETHER: i64 = 15 * 60 * 1_000_000;
/// Other states that are named.
const MOST_ALSO: usize = 10;

/// Puts together what is one change; in the order of time.
pub(super) fn join(observed: &Observed, mut told: Vec<Candidate>, mut pending: Vec<Candidate>) -> Vec<Joined> {
    let order = |one: &Candidate, other: &Candidate| one.p.total_cmp(&other.p).then((one.class, one.at()).cmp(&(other.class, other.at())));
    told.sort_by(order);
    pending.sort_by(order);
    let mut joined: Vec<Joined> = Vec::new();
    let all = told.into_iter().map(|candidate| (candidate, false)).chain(pending.into_iter().map(|candidate| (candidate, true)));
    for (candidate, is_pending) in all {
        match joined.iter_mut().find(|known| is_same(observed, &known.candidate, &candidate)) {
            Some(known) => known.also_seen_in.push(also(observed, &candidate)),
            None => joined.push(Joined { candidate, also_seen_in: Vec::new(), is_pending }),
        }
    }
    parents(observed, &mut joined);
    joined.sort_by_key(|change| (change.candidate.at(), change.candidate.class));
    joined
}

fn is_same(observed: &Observed, known: &Candidate, other: &Candidate) -> bool {
    let (class, of_other) = (&observed.classes[known.class], &observed.classes[other.class]);
    let is_here = known.class == other.class;
    match (&known.seen, &other.seen) {
        (Seen::Rise(one), Seen::Rise(another)) if is_here => {
            let is_within = one.until.is_some() && (one.at.0.saturating_sub(TOGETHER)..=one.last.0).contains(&another.first.0);
            let are_alike = one.until.is_some() == another.until.is_some() && (began_together(known, other) || overlap(known, other));
            one.fault != another.fault && (is_within || are_alike)
        }
        (Seen::Rise(one), Seen::Rise(another)) => {
            class.machine == of_other.machine && one.fault == another.fault && known.until().is_some() && overlap(known, other)
        }
        (Seen::Rise(rise), _) if rise.until.is_some() => {
            let is_blip = other.until().is_some_and(|until| until.0.saturating_sub(other.at().0) <= BLIP);
            let from = rise.at.0.saturating_sub(TOGETHER);
            let is_within = (from..=rise.last.0.saturating_add(BLIP)).contains(&other.first().0);
            is_within && (is_here || is_blip && class.machine == of_other.machine)
        }
        _ => is_here && began_together(known, other),
    }
}

fn began_together(one: &Candidate, other: &Candidate) -> bool {
    let (first, second) = (one.interval(), other.interval());
    one.at().0.abs_diff(other.at().0) <= TOGETHER.unsigned_abs() || first.from <= second.to && second.from <= first.to
}

/// Whether two that ended had a time in common.
fn overlap(one: &Candidate, other: &Candidate) -> bool {
    match (one.until(), other.until()) {
        (Some(end), Some(other_end)) => one.at() <= other_end && other.at() <= end,
        _ => false,
    }
}

/// What a candidate is of.
pub(super) fn signal(seen: &Seen) -> Signal {
    match seen {
        Seen::Shift(..) | Seen::Tail(_) => Signal::Latency,
        Seen::Rise(rise) if rise.is_new => Signal::NewError,
        Seen::Rise(_) => Signal::ErrorRate,
        Seen::Retries(_) => Signal::RetryRate,
    }
}

/// The error's name; `None` where it is about durations, or nothing named one.
pub(super) fn error(observed: &Observed, seen: &Seen) -> Option<String> {
    let Seen::Rise(rise) = seen else { return None };
    match rise.fault {
        Fault::Error(name) => name.map(|name| observed.text(name).to_owned()),
        Fault::TimeLimit => Some(TIME_LIMIT.to_owned()),
    }
}

fn also(observed: &Observed, candidate: &Candidate) -> AlsoSeen {
    let class = &observed.classes[candidate.class];
    AlsoSeen {
        signal: Some(signal(&candidate.seen)),
        state_machine: class.machine.map(|machine| observed.text(machine).to_owned()),
        state: observed.text(class.state).to_owned(),
        error: error(observed, &candidate.seen),
        at: Some(candidate.at()),
    }
}

/// Adds the states that wait for the executions in which an error was seen.
fn parents(observed: &Observed, joined: &mut [Joined]) {
    let mut affected: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
    for (number, change) in joined.iter().enumerate() {
        if let Seen::Rise(rise) = &change.candidate.seen {
            for execution in &rise.executions {
                affected.entry(observed.executions[*execution as usize].arn).or_default().push(number);
            }
        }
    }
    if affected.is_empty() {
        return;
    }
    let mut waiting: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (class, state) in observed.classes.iter().enumerate() {
        for attempt in state.attempts.iter().filter(|attempt| attempt.pattern == Some(Pattern::ChildExecution)) {
            let changes = attempt.child.and_then(|child| affected.get(&child));
            waiting.extend(changes.into_iter().flatten().map(|number| (*number, class)));
        }
    }
    for (number, class) in waiting {
        let class = &observed.classes[class];
        joined[number].also_seen_in.push(AlsoSeen {
            signal: None,
            state_machine: class.machine.map(|machine| observed.text(machine).to_owned()),
            state: observed.text(class.state).to_owned(),
            error: None,
            at: None,
        });
    }
    joined.iter_mut().for_each(|change| change.also_seen_in.truncate(MOST_ALSO));
}

//! Retries made by hand: a state that is visited again in its scope after it failed there, with a Wait on the way.
//!
//! `Call, Check, Wait, Call` retries with its second `Call` if the first one failed and was caught, or if a Choice led to the Wait.
//! Whether the first visit failed is told by its outcome alone: what a Choice takes for a failure is not known here, so a visit that
//! succeeded and comes again after a Wait is polling, not a retry.

use std::collections::HashMap;

use crate::model::path::VisitOutcome;
use crate::model::{Micros, StateType, VisitFacts};

/// A retry made by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByHand {
    /// When the visit before it failed.
    pub failed: Micros,
    /// Which it is, from 1.
    pub round: u32,
}

/// What is known of a state in a scope.
struct Before {
    failed: Option<Micros>,
    round: u32,
    position: u32,
}

/// For each visit, by its number, whether it is a retry made by hand; empty when none is.
pub(super) fn by_hand(visits: &[VisitFacts<'_>]) -> HashMap<u32, ByHand> {
    let mut found = HashMap::new();
    // Nearly all executions have none: no state of them failed and was left by a Catch.
    let is_caught = |visit: &VisitFacts<'_>| visit.outcome == VisitOutcome::Caught;
    if !visits.iter().any(is_caught) || !visits.iter().any(|visit| visit.state_type == Some(StateType::Wait)) {
        return found;
    }
    let mut scopes: HashMap<_, (u32, Option<u32>, HashMap<&str, Before>)> = HashMap::new();
    for visit in visits {
        let scope = scopes.entry((visit.parent, visit.index, visit.parent_attempt, visit.redrive));
        let (position, last_wait, states) = scope.or_default();
        *position += 1;
        if visit.state_type == Some(StateType::Wait) {
            *last_wait = Some(*position);
            continue;
        }
        let failed = (visit.outcome == VisitOutcome::Caught).then_some(visit.exited.or(visit.last_event)).flatten();
        let round = match states.get(visit.state) {
            Some(Before { failed: Some(failed), round, position }) if last_wait.is_some_and(|wait| wait > *position) => {
                found.insert(visit.visit, ByHand { failed: *failed, round: round + 1 });
                round + 1
            }
            _ => 0,
        };
        states.insert(visit.state, Before { failed, round, position: *position });
    }
    found
}

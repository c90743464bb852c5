//! Retries made by hand: a state that is visited again in its scope after it failed there, with a Wait on the way.
//!
//! `Call, Check, Wait, Call` retries with its second `Call` if the first one failed and was caught, or if a Choice led to the Wait.
//! Whether the first visit failed is told by its outcome alone: what a Choice takes for a failure is not known here, so a visit that
//! succeeded and comes again after a Wait is polling, not a retry. Polling in lockstep is load, but no storm: each call is a first one.
//!
//! | the visit before | a Wait between | then                                                                        |
//! |------------------|----------------|-----------------------------------------------------------------------------|
//! | failed, caught   | yes            | a retry made by hand, one round more                                        |
//! | failed, caught   | no             | a loop over something, or a compensation: nothing that retries waits for nothing |
//! | succeeded        | yes            | polling; also after rounds that failed, which begin anew with the next failure  |
//! | of another scope, attempt or redrive | any | no relation                                                        |

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
    if !visits.iter().any(|visit| visit.state_type == Some(StateType::Wait)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: &str = "Pause";

    /// Visits of one scope in their order, each ending a second after the one before: a name, and whether it failed and was caught.
    fn visits<'a>(told: &[(&'a str, bool)]) -> Vec<VisitFacts<'a>> {
        let visit = |(position, (state, caught)): (u32, &(&'a str, bool))| VisitFacts {
            visit: position,
            state,
            state_type: Some(if *state == WAIT { StateType::Wait } else { StateType::Task }),
            outcome: if *caught { VisitOutcome::Caught } else { VisitOutcome::Succeeded },
            exited: Some(Micros(i64::from(position) * 1_000_000)),
            ..VisitFacts::default()
        };
        (0..).zip(told).map(visit).collect()
    }

    /// The rounds by the visit's number, sorted.
    fn rounds(visits: &[VisitFacts<'_>]) -> Vec<(u32, u32)> {
        let mut found: Vec<(u32, u32)> = by_hand(visits).into_iter().map(|(visit, by_hand)| (visit, by_hand.round)).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn a_failure_a_wait_and_the_state_again_is_a_retry() {
        let told = visits(&[("Call", true), (WAIT, false), ("Call", true), ("Enough?", false), (WAIT, false), ("Call", false)]);
        assert_eq!(rounds(&told), [(2, 1), (5, 2)]);
        assert_eq!(by_hand(&told)[&5].failed, Micros(2_000_000), "since the failure before it");
    }

    #[test]
    fn an_answer_that_says_not_ready_is_polling() {
        let told =
            visits(&[("Get", false), ("Ready?", false), (WAIT, false), ("Get", false), ("Ready?", false), (WAIT, false), ("Get", false)]);
        assert_eq!(rounds(&told), []);
    }

    #[test]
    fn a_poll_that_fails_is_retried_and_polls_on() {
        let told = visits(&[
            ("Get", false),
            (WAIT, false),
            ("Get", true),
            (WAIT, false),
            ("Get", false),
            (WAIT, false),
            ("Get", true),
            (WAIT, false),
            ("Get", true),
        ]);
        assert_eq!(rounds(&told), [(4, 1), (8, 1)]);
    }

    #[test]
    fn without_a_wait_between_it_is_a_loop() {
        let told = visits(&[(WAIT, false), ("Call", true), ("Skip", false), ("Call", true), ("Call", false)]);
        assert_eq!(rounds(&told), []);
    }

    #[test]
    fn scopes_attempts_and_redrives_have_nothing_to_do_with_each_other() {
        type Move = fn(&mut VisitFacts<'_>);
        let moves: [Move; 4] = [
            |visit| visit.parent = Some(9),
            |visit| visit.index = Some(1),
            |visit| visit.parent_attempt = Some(2),
            |visit| visit.redrive = 1,
        ];
        for change in moves {
            let mut told = visits(&[("Call", true), (WAIT, false), ("Call", false)]);
            change(&mut told[2]);
            assert_eq!(rounds(&told), []);
        }
    }

    #[test]
    fn a_visit_without_times_is_passed_over() {
        let mut told = visits(&[("Call", true), (WAIT, false), ("Call", false)]);
        told[0].exited = None;
        assert_eq!(rounds(&told), []);
        told[0].last_event = Some(Micros(i64::MIN));
        assert_eq!(rounds(&told), [(2, 1)]);
    }
}

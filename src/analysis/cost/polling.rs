//! Which visits are polling: a cycle of states with a Wait that a scope goes through again.
//!
//! A visit is polling when its state was visited before in the same scope (execution, branch, iteration) and a Wait lies on the
//! way from there to here: `Wait, Get, Check, Wait, Get, Check` polls with its last three, and so does the second `Get` of
//! `Get, Check, Wait, Get`. A cycle without a Wait is a loop over something, not polling. What a redrive runs again is neither.

use std::collections::HashMap;

use crate::model::{StateType, VisitFacts};

/// What is known of a scope so far.
#[derive(Default)]
struct Scope<'a> {
    visits: u32,
    last_wait: Option<u32>,
    last_visit: HashMap<&'a str, u32>,
}

/// For each visit, whether it belongs to an iteration of a polling loop beyond the first; `None` when none does.
pub(super) fn polling(visits: &[VisitFacts<'_>]) -> Option<Vec<bool>> {
    let is_wait = |visit: &VisitFacts<'_>| visit.state_type == Some(StateType::Wait);
    if !visits.iter().any(is_wait) {
        return None;
    }
    let mut scopes: HashMap<_, Scope<'_>> = HashMap::new();
    let mut found = vec![false; visits.len()];
    for (visit, polling) in visits.iter().zip(&mut found) {
        let scope = scopes.entry((visit.parent, visit.index, visit.parent_attempt, visit.redrive)).or_default();
        let position = scope.visits;
        scope.visits += 1;
        if is_wait(visit) {
            scope.last_wait = Some(position);
        }
        let before = scope.last_visit.insert(visit.state, position);
        *polling = before.is_some_and(|before| scope.last_wait.is_some_and(|wait| wait >= before));
    }
    found.contains(&true).then_some(found)
}

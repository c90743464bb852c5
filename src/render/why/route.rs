//! The way to the end in a few lines: loops folded, the middle of long ways left out.

use crate::analysis::why::RouteStep;
use crate::model::path::VisitOutcome;

/// Longer loops are not looked for.
const LONGEST_LOOP: usize = 8;
/// How many steps of a scope are shown, and how many of them at its beginning.
const MOST_STEPS: usize = 14;
const FIRST_STEPS: usize = 5;
/// How many scopes are shown; those between the outermost and the innermost ones are left out.
const MOST_LEGS: usize = 8;

/// The part of a route within one scope.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leg {
    /// Labels of the scope; empty for the execution.
    pub scope: Vec<String>,
    /// What to show, in order.
    pub steps: Vec<String>,
}

/// A route in legs; `None` in the place of legs that were left out, with their number.
pub(super) fn legs(route: &[RouteStep]) -> Vec<Result<Leg, usize>> {
    let mut legs: Vec<Leg> = Vec::new();
    for steps in route.chunk_by(|one, next| one.scope == next.scope) {
        legs.push(Leg { scope: steps[0].scope.clone(), steps: shortened(folded(steps)) });
    }
    if legs.len() <= MOST_LEGS {
        return legs.into_iter().map(Ok).collect();
    }
    let left_out = legs.len() - MOST_LEGS;
    let tail = legs.split_off(legs.len() - MOST_LEGS / 2);
    legs.truncate(MOST_LEGS / 2);
    legs.into_iter().map(Ok).chain([Err(left_out)]).chain(tail.into_iter().map(Ok)).collect()
}

fn name(step: &RouteStep) -> String {
    let state = step.state.as_deref().unwrap_or("(unnamed)");
    match step.outcome {
        VisitOutcome::Caught => format!("{state} (caught)"),
        _ => state.to_owned(),
    }
}

/// Repeated stretches as `(A > B) ×3`, shortest first.
fn folded(steps: &[RouteStep]) -> Vec<String> {
    let names: Vec<String> = steps.iter().map(name).collect();
    let mut shown = Vec::new();
    let mut at = 0;
    while at < names.len() {
        let (length, times) =
            (1..=LONGEST_LOOP).map(|length| (length, repetitions(&names[at..], length))).find(|(_, times)| *times > 1).unwrap_or((1, 1));
        let stretch = names[at..at + length].join(" > ");
        shown.push(match (times, length) {
            (1, _) => stretch,
            (_, 1) => format!("{stretch} ×{times}"),
            _ => format!("({stretch}) ×{times}"),
        });
        at += length * times;
    }
    shown
}

/// How often the first `length` names come one after the other.
fn repetitions(names: &[String], length: usize) -> usize {
    if names.len() < length {
        return 0;
    }
    1 + names.chunks_exact(length).skip(1).take_while(|chunk| **chunk == names[..length]).count()
}

fn shortened(mut steps: Vec<String>) -> Vec<String> {
    if steps.len() > MOST_STEPS {
        let left_out = steps.len() - MOST_STEPS;
        steps.splice(FIRST_STEPS..FIRST_STEPS + left_out, [format!("… {left_out} more …")]);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(state: &str, scope: &[&str]) -> RouteStep {
        let scope = scope.iter().map(ToString::to_string).collect();
        RouteStep { state: Some(state.to_owned()), scope, entered_event_id: None, outcome: VisitOutcome::Succeeded, duration_ms: None }
    }

    fn shown(states: &str) -> String {
        let steps: Vec<RouteStep> = states.split(' ').map(|state| step(state, &[])).collect();
        folded(&steps).join(" > ")
    }

    #[test]
    fn loops_are_counted() {
        assert_eq!(shown("A B B B C"), "A > B ×3 > C");
        assert_eq!(shown("A W C W C W C X"), "A > (W > C) ×3 > X");
        assert_eq!(shown("A B A C"), "A > B > A > C");
    }

    #[test]
    fn the_middle_of_a_long_way_is_left_out() {
        let steps: Vec<RouteStep> = (0..100).map(|number| step(&format!("S{number}"), &[])).collect();
        let shown = shortened(folded(&steps));
        assert_eq!(shown.len(), MOST_STEPS + 1);
        assert_eq!((shown[0].as_str(), shown[FIRST_STEPS].as_str(), shown[MOST_STEPS].as_str()), ("S0", "… 86 more …", "S99"));
    }

    #[test]
    fn each_scope_is_a_leg() {
        let found = legs(&[step("A", &[]), step("M", &[]), step("B", &["M[2]"])]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], Ok(Leg { scope: vec!["M[2]".to_owned()], steps: vec!["B".to_owned()] }));
    }
}

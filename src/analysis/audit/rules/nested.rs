//! The rule about retries around retries.

use super::lambda::is_distributed;
use super::pages;
use crate::analysis::audit::handlers::{ANY_OTHER, Handler, Retrier, catchers, listed, retriers};
use crate::analysis::audit::rule::{Level, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};

/// Ten calls where one was meant: an order of magnitude more load on what is failing already. AWS's own advice for one layer is seven
/// attempts, so one layer alone stays below.
const MANY_CALLS: f64 = 10.0;

/// The error of a Distributed Map whose items failed.
const TOLERANCE_EXCEEDED: &str = "States.ExceedToleratedFailureThreshold";

/// The rules of this file.
pub const RULES: &[Rule] = &[Rule {
    id: "retries-multiply",
    level: Level::Warning,
    title: "One layer retries",
    reason: "Retries inside of retries multiply, so that an outage downstream meets many times the load.",
    source: pages::LIMIT_RETRIES,
    check: multiply,
}];

/// Said at the outer Retry. Does not apply to errors that a Catch on the way out takes, nor where a number or a name is not certain.
/// Retries in another execution (`startExecution`) are not known here.
fn multiply(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    // By the outermost state that retries: the Task with the most calls.
    let mut worst: Vec<Option<(f64, String)>> = vec![None; subject.states.len()];
    for state in subject.states.iter().filter(|state| state.state_type() == "Task" && !state.enclosing.is_empty()) {
        let around = state.enclosing.iter().rev().map(|at| (*at, &subject.states[*at]));
        let layers: Vec<(usize, &StateAt<'_>)> = around.collect();
        for error in candidates(state, &layers) {
            if let Some((outermost, calls, names)) = calls(state, &layers, error)
                && calls >= MANY_CALLS
                && worst[outermost].as_ref().is_none_or(|(most, _)| calls > *most)
            {
                let error = if error == ANY_OTHER { "an error" } else { error };
                let message =
                    format!("{} retries around {}: one call that keeps failing with {error} is made {calls} times", names.0, names.1);
                worst[outermost] = Some((calls, message));
            }
        }
    }
    for (state, worst) in subject.states.iter().zip(worst) {
        let Some((_, message)) = worst else { continue };
        found.push(Violation { pointer: state.member("Retry"), message, fix: None });
    }
}

/// Errors for which the layers may behave differently: all that are named, and one that is not.
fn candidates<'s>(state: &StateAt<'s>, layers: &[(usize, &StateAt<'s>)]) -> Vec<&'s str> {
    let states = std::iter::once(state).chain(layers.iter().map(|(_, state)| *state));
    let mut names: Vec<&str> = states.flat_map(|state| retriers(state)).flat_map(|retrier| retrier.names().to_vec()).collect();
    names.retain(|name| !matches!(*name, "States.ALL" | "States.TaskFailed"));
    names.push(ANY_OTHER);
    names.sort_unstable();
    names.dedup();
    names
}

/// How often a Task is called when it keeps failing with this error: the product over the layers that retry it, with the outermost of
/// them and the names of it and of what is inside. `None` when fewer than two layers retry.
fn calls<'s>(state: &StateAt<'s>, layers: &[(usize, &StateAt<'s>)], error: &'s str) -> Option<(usize, f64, (String, String))> {
    let own = attempts(state, error)?;
    let mut calls = own;
    let mut retrying = if own > 1.0 { vec![state.name] } else { Vec::new() };
    let mut outermost = None;
    let mut error = error;
    let mut is_out = is_caught(state, error);
    for (at, layer) in layers {
        if is_out {
            break;
        }
        if is_distributed(layer) {
            error = TOLERANCE_EXCEEDED;
        }
        let times = attempts(layer, error)?;
        if times > 1.0 {
            calls *= times;
            retrying.push(layer.name);
            outermost = Some(*at);
        }
        is_out = is_caught(layer, error);
    }
    let (outer, inner) = retrying.split_last()?;
    (!inner.is_empty()).then_some(())?;
    Some((outermost?, calls, ((*outer).to_owned(), listed(inner))))
}

/// How often a state is tried when it keeps failing with this error; `None` where that is not certain.
fn attempts(state: &StateAt<'_>, error: &str) -> Option<f64> {
    for retrier in retriers(state) {
        if retrier.names.is_none() {
            return None;
        }
        if retrier.takes(error) {
            return Retrier::of(retrier).map(|retrier| 1.0 + retrier.attempts.max(0.0));
        }
    }
    let is_open = crate::analysis::audit::handlers::is_open(state, "Retry");
    (!is_open).then_some(1.0)
}

fn is_caught(state: &StateAt<'_>, error: &str) -> bool {
    catchers(state).iter().any(|catcher: &Handler<'_>| catcher.may_take(error))
}

//! Loops made by hand: from a state through a Wait back to it.
//!
//! A loop that begins with a Catch retries; one that begins on the normal way polls, whatever its Choice looks at: an answer "not ready
//! yet" is no failure. Polling in lockstep is load, but it re-makes no outage: it is not reported as a storm, and its calls count as the
//! ordinary calls of the state. A state can do both; then the retrying loop is the one that a storm is about.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value};

use crate::analysis::retry_policy::{Policy, pointer_step};

/// Why a loop is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoopKind {
    /// The state failed, and a Catch leads back.
    Retries,
    /// The state succeeded, and something in the answer leads back.
    Polls,
}

/// A loop from a state through a Wait back to it.
#[derive(Debug, Clone, PartialEq)]
pub struct HandLoop {
    /// Why it is gone through.
    pub kind: LoopKind,
    /// The states that it leads through, from the one that calls; the way with the fewest states.
    pub states: Vec<String>,
    /// The first Wait on it.
    pub wait: String,
    /// JSON pointer of that Wait.
    pub pointer: String,
    /// Its constant `Seconds`; `None` where it waits until a moment or for a number that is computed.
    pub seconds: Option<f64>,
    /// The names of errors with which it is entered; empty for one that polls.
    pub error_equals: Vec<String>,
    /// Whether it passes a Choice, which may end it.
    pub has_choice: bool,
}

/// The loops of a state, those that retry first; empty when the text is no definition or has no such state.
pub fn loops(definition: &str, state: &str) -> Vec<HandLoop> {
    let Some(policy) = Policy::of(definition, state) else { return Vec::new() };
    let Ok(value) = serde_json::from_str::<Value>(definition) else { return Vec::new() };
    let Some((around, _)) = policy.pointer.rsplit_once('/') else { return Vec::new() };
    let Some(states) = value.pointer(around).and_then(Value::as_object) else { return Vec::new() };
    let mut found = Vec::new();
    for catcher in &policy.catchers {
        let Some(next) = &catcher.next else { continue };
        if let Some(way) = way_back(states, next, state) {
            found.extend(described(states, around, state, &way, LoopKind::Retries, &catcher.error_equals));
        }
    }
    // Of catchers that lead into one loop, one loop.
    let mut loops: Vec<HandLoop> = Vec::new();
    for one in found {
        match loops.iter_mut().find(|known| known.states == one.states) {
            Some(known) => known.error_equals.extend(one.error_equals),
            None => loops.push(one),
        }
    }
    let normal = states.get(state).and_then(|state| state.get("Next")).and_then(Value::as_str);
    if let Some(way) = normal.and_then(|next| way_back(states, next, state)) {
        loops.extend(described(states, around, state, &way, LoopKind::Polls, &[]));
    }
    loops
}

fn described(
    states: &Map<String, Value>,
    around: &str,
    state: &str,
    way: &[&str],
    kind: LoopKind,
    error_equals: &[String],
) -> Option<HandLoop> {
    let wait = way.iter().copied().find(|name| is_type(states, name, "Wait"))?;
    let seconds = states.get(wait)?.get("Seconds").and_then(Value::as_f64);
    Some(HandLoop {
        kind,
        has_choice: way.iter().any(|name| is_type(states, name, "Choice")),
        states: std::iter::once(state).chain(way.iter().copied()).map(str::to_owned).collect(),
        wait: wait.to_owned(),
        pointer: format!("{around}/{}", pointer_step(wait)),
        seconds: seconds.filter(|seconds| *seconds >= 0.0),
        error_equals: error_equals.to_vec(),
    })
}

/// The way with the fewest states from one to another that passes a Wait; without its end.
fn way_back<'a>(states: &'a Map<String, Value>, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    // A state is a different place with a Wait behind it.
    type Place<'a> = (&'a str, bool);
    let start: Place<'a> = (from, is_type(states, from, "Wait"));
    let mut came_from: HashMap<Place<'a>, Place<'a>> = HashMap::new();
    let mut known: HashSet<Place<'a>> = HashSet::from([start]);
    let mut next = VecDeque::from([start]);
    while let Some(place) = next.pop_front() {
        if place.0 == to {
            if !place.1 {
                continue;
            }
            let mut way = Vec::new();
            let mut at = place;
            while let Some(before) = came_from.get(&at) {
                way.push(before.0);
                at = *before;
            }
            way.reverse();
            return Some(way);
        }
        for name in successors(states.get(place.0)) {
            let place_after = (name, place.1 || is_type(states, name, "Wait"));
            if known.insert(place_after) {
                came_from.insert(place_after, place);
                next.push_back(place_after);
            }
        }
    }
    None
}

/// Where a state leads, failures included, in the order in which it names them.
fn successors(state: Option<&Value>) -> impl Iterator<Item = &str> {
    let field = move |name: &str| state.and_then(|state| state.get(name));
    let listed = move |name: &str| field(name).and_then(Value::as_array).into_iter().flatten().filter_map(|rule| rule.get("Next"));
    [field("Next"), field("Default")].into_iter().flatten().chain(listed("Choices")).chain(listed("Catch")).filter_map(Value::as_str)
}

fn is_type(states: &Map<String, Value>, name: &str, wanted: &str) -> bool {
    states.get(name).and_then(|state| state.get("Type")).and_then(Value::as_str) == Some(wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn retrying() -> Value {
        json!({"StartAt": "Call", "States": {
            "Call": {"Type": "Task", "Resource": "r", "Next": "Done", "Catch": [
                {"ErrorEquals": ["Gone"], "Next": "Give up"},
                {"ErrorEquals": ["Busy", "Oops"], "Next": "Tried enough"}]},
            "Tried enough": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericGreaterThan": 5, "Next": "Give up"}], "Default": "Pause"},
            "Pause": {"Type": "Wait", "Seconds": 20, "Next": "Count"},
            "Count": {"Type": "Pass", "Next": "Call"},
            "Give up": {"Type": "Fail"},
            "Done": {"Type": "Succeed"}}})
    }

    #[test]
    fn a_catch_that_leads_through_a_wait_back_retries() {
        let found = loops(&retrying().to_string(), "Call");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, LoopKind::Retries);
        assert_eq!(found[0].states, ["Call", "Tried enough", "Pause", "Count"]);
        assert_eq!((found[0].pointer.as_str(), found[0].seconds, found[0].has_choice), ("/States/Pause", Some(20.0), true));
        assert_eq!(found[0].error_equals, ["Busy", "Oops"]);
    }

    #[test]
    fn a_choice_over_a_status_polls() {
        let definition = json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "Get", "States": {
            "Get": {"Type": "Task", "Resource": "r", "Next": "Ready?"},
            "Ready?": {"Type": "Choice", "Choices": [{"Variable": "$.ready", "BooleanEquals": true, "Next": "Done"}], "Default": "Wait"},
            "Wait": {"Type": "Wait", "SecondsPath": "$.pause", "Next": "Get"},
            "Done": {"Type": "Succeed"}}}}}});
        let found = loops(&definition.to_string(), "Get");
        assert_eq!((found[0].kind, found[0].seconds), (LoopKind::Polls, None));
        assert_eq!(found[0].pointer, "/States/Each/ItemProcessor/States/Wait");
        assert!(loops(&definition.to_string(), "Each").is_empty());
    }

    #[test]
    fn a_loop_without_a_wait_is_none() {
        let mut definition = retrying();
        definition["States"]["Pause"] = json!({"Type": "Pass", "Next": "Count"});
        assert!(loops(&definition.to_string(), "Call").is_empty());
        definition["States"]["Pause"] = json!({"Type": "Wait", "Seconds": 20, "Next": "Done"});
        assert!(loops(&definition.to_string(), "Call").is_empty(), "the Wait leads elsewhere");
        assert!(loops("[", "Call").is_empty() && loops("{}", "Call").is_empty());
    }

    #[test]
    fn a_way_may_pass_the_same_state_before_and_after_its_wait() {
        let definition = json!({"StartAt": "Call", "States": {
            "Call": {"Type": "Task", "Resource": "r", "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Gate"}]},
            "Gate": {"Type": "Choice", "Choices": [{"Variable": "$.waited", "BooleanEquals": true, "Next": "Call"}], "Default": "Wait"},
            "Wait": {"Type": "Wait", "Seconds": 5, "Next": "Gate"}}});
        assert_eq!(loops(&definition.to_string(), "Call")[0].states, ["Call", "Gate", "Wait", "Gate"]);
    }
}

//! The input and output of an execution, parsed when somebody asks and then no second time.

use std::cell::OnceCell;

use serde_json::Value;

use super::field::{PayloadPath, Step};
use crate::model::ExecutionFacts;

/// Payloads of one execution. What is no JSON is as if it were not there.
#[derive(Debug, Default)]
pub struct Payload {
    input: OnceCell<Option<Value>>,
    output: OnceCell<Option<Value>>,
}

impl Payload {
    /// The input.
    pub fn input(&self, facts: &ExecutionFacts<'_>) -> Option<&Value> {
        self.input.get_or_init(|| serde_json::from_str(facts.input?).ok()).as_ref()
    }

    /// The output.
    pub fn output(&self, facts: &ExecutionFacts<'_>) -> Option<&Value> {
        self.output.get_or_init(|| serde_json::from_str(facts.output?).ok()).as_ref()
    }
}

impl PayloadPath {
    /// Whether one of the values that the path leads to is such.
    pub(super) fn any(&self, value: &Value, is_such: &dyn Fn(&Value) -> bool) -> bool {
        any(&self.0, value, is_such)
    }
}

fn any(steps: &[Step], value: &Value, is_such: &dyn Fn(&Value) -> bool) -> bool {
    match steps.split_first() {
        None => is_such(value),
        Some((Step::Member(name), rest)) => value.get(name).is_some_and(|value| any(rest, value, is_such)),
        Some((Step::Element(index), rest)) => value.get(index).is_some_and(|value| any(rest, value, is_such)),
        Some((Step::Every, rest)) => value.as_array().is_some_and(|items| items.iter().any(|value| any(rest, value, is_such))),
    }
}

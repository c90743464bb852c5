//! What the expressions of a state see beside their input: the context object, variables, randomness and the time.

use std::rc::Rc;

use crate::asl::machine::{Kind, State};
use crate::expr::{Object, Surroundings, Value};
use crate::model::Timestamp;

use super::luck::Luck;
use super::payload::Payload;
use super::variables::Variables;
use super::world::ExecutionInfo;

/// The execution, as the context object tells of it.
#[derive(Debug, Clone)]
pub struct ExecutionFacts {
    /// Names and ARNs.
    pub info: ExecutionInfo,
    /// When it started.
    pub start: Timestamp,
    /// Its input.
    pub input: Payload,
}

/// The item for which an `ItemSelector` is evaluated.
#[derive(Debug, Clone)]
pub struct MapItem {
    /// Its position.
    pub index: u64,
    /// The item.
    pub value: Value,
    /// Its name, where the items are the members of an object.
    pub key: Option<Rc<str>>,
    /// Where the items of a Distributed Map come from, such as `STATE_DATA` or the address of an object.
    pub source: Option<Rc<str>>,
}

/// What the expressions of one visit see.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The execution.
    pub execution: &'a ExecutionFacts,
    /// Variables that can be seen.
    pub variables: &'a Variables,
    /// The state.
    pub state: &'a State,
    /// When it was entered.
    pub entered: Timestamp,
    /// How often it was retried in this visit.
    pub retry_count: u32,
    /// The token of the attempt.
    pub token: Option<&'a str>,
    /// The item of the Map.
    pub item: Option<&'a MapItem>,
    /// Randomness.
    pub luck: &'a Luck,
    /// Virtual time.
    pub now: Timestamp,
}

impl Surroundings for Around<'_> {
    fn context(&self) -> Value {
        let mut context = Object::with_capacity(5);
        context.insert("Execution", execution(self.execution));
        context.insert("StateMachine", state_machine(&self.execution.info));
        context.insert("State", self.visit());
        if let Some(token) = self.token {
            context.insert("Task", Value::object([("Token", Value::from(token))]));
        }
        if let Some(item) = self.item {
            context.insert("Map", Value::object([("Item", map_item(item))]));
        }
        Value::from(context)
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.get(name).cloned()
    }

    fn random(&self) -> f64 {
        self.luck.number()
    }

    fn uuid(&self) -> String {
        self.luck.uuid()
    }

    fn now(&self) -> i64 {
        self.luck.now(self.now)
    }
}

impl Around<'_> {
    fn visit(&self) -> Value {
        let mut visit = Object::with_capacity(3);
        visit.insert("Name", Value::String(Rc::clone(&self.state.name)));
        visit.insert("EnteredTime", iso_time(self.entered));
        if matches!(self.state.kind, Kind::Task(_) | Kind::Parallel { .. } | Kind::Map(_)) {
            visit.insert("RetryCount", i64::from(self.retry_count));
        }
        Value::from(visit)
    }
}

/// Express executions cannot be redriven, and do not count it.
fn execution(facts: &ExecutionFacts) -> Value {
    let redrives = (!facts.info.express).then(|| ("RedriveCount", Value::from(0)));
    let members = [
        ("Id", Value::String(Rc::clone(&facts.info.arn))),
        ("Input", facts.input.value().clone()),
        ("StartTime", Value::from(iso_time(facts.start))),
        ("Name", Value::String(Rc::clone(&facts.info.name))),
        ("RoleArn", Value::String(Rc::clone(&facts.info.role_arn))),
    ];
    Value::object(members.into_iter().chain(redrives))
}

fn state_machine(info: &ExecutionInfo) -> Value {
    let name = info.machine_arn.split(':').nth(6).unwrap_or_default();
    Value::object([("Id", Value::String(Rc::clone(&info.machine_arn))), ("Name", Value::from(name))])
}

/// `$$.Map.Item`.
pub(super) fn map_item(item: &MapItem) -> Value {
    let mut object = Object::with_capacity(4);
    object.insert("Index", i64::try_from(item.index).unwrap_or(i64::MAX));
    if let Some(key) = &item.key {
        object.insert("Key", Value::String(Rc::clone(key)));
    }
    object.insert("Value", item.value.clone());
    if let Some(source) = &item.source {
        object.insert("Source", Value::String(Rc::clone(source)));
    }
    Value::from(object)
}

/// A moment as the context object has it: ISO 8601 in UTC, to the millisecond.
pub fn iso_time(moment: Timestamp) -> String {
    let format = if moment.subsec_millisecond() == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S.%3fZ" };
    moment.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_or_none() {
        let moment = |text: &str| text.parse::<Timestamp>().expect("a moment");
        assert_eq!(iso_time(moment("2026-01-01T00:00:00Z")), "2026-01-01T00:00:00Z");
        assert_eq!(iso_time(moment("2026-01-01T00:00:00.0309Z")), "2026-01-01T00:00:00.030Z");
    }
}

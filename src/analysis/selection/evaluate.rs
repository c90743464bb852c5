//! Whether an expression holds for an execution.
//!
//! Values of different types are never equal and never one before the other: `input.amount > 5` is false for `"7"`.

use std::cmp::Ordering;

use serde_json::Value;

use super::field::{Field, Plain};
use super::literal::Literal;
use super::payload::Payload;
use super::{Comparison, Condition, Expression};
use crate::analysis::pattern;
use crate::model::event_type::StateType;
use crate::model::facts::WorkflowType;
use crate::model::{ExecutionArn, ExecutionFacts, ExecutionStatus, Micros, StateMachineArn, VisitFacts};

/// A value of an execution.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fact<'a> {
    Null,
    Boolean(bool),
    Number(f64),
    Text(&'a str),
    Status(ExecutionStatus),
    Time(Micros),
    Duration(f64),
    /// An object or array: it exists, and equals nothing.
    Composite,
}

pub(super) fn holds(expression: &Expression, facts: &ExecutionFacts<'_>, payload: &Payload) -> bool {
    match expression {
        Expression::Any(parts) => parts.iter().any(|part| holds(part, facts, payload)),
        Expression::All(parts) => parts.iter().all(|part| holds(part, facts, payload)),
        Expression::Not(inner) => !holds(inner, facts, payload),
        Expression::Condition(condition) => condition_holds(condition, facts, payload),
    }
}

fn condition_holds(condition: &Condition, facts: &ExecutionFacts<'_>, payload: &Payload) -> bool {
    match condition {
        Condition::Compare(field, comparison, literal) => any_value(field, facts, payload, &|fact| compare(fact, *comparison, literal)),
        Condition::In(field, literals) => {
            any_value(field, facts, payload, &|fact| literals.iter().any(|literal| compare(fact, Comparison::Equal, literal)))
        }
        Condition::Like(field, pattern) => {
            any_value(field, facts, payload, &|fact| matches!(fact, Fact::Text(text) if pattern::matches(pattern, text)))
        }
        Condition::Exists(field) => any_value(field, facts, payload, &|_| true),
        Condition::Visited(state) => facts.visits.iter().any(|visit| visit.state == state),
        Condition::Retried(state) => facts.visits.iter().any(|visit| visit.state == state && visit.retries > 0),
        Condition::Took(choice, next) => took(facts, choice, next),
    }
}

/// Whether the visit after one of this Choice, in the same scope, was of the other state.
fn took(facts: &ExecutionFacts<'_>, choice: &str, next: &str) -> bool {
    facts.visits.iter().enumerate().any(|(position, visit)| {
        let is_choice = visit.state == choice && visit.state_type.is_none_or(|kind| kind == StateType::Choice);
        let same_scope = |after: &&VisitFacts<'_>| after.parent == visit.parent && after.index == visit.index;
        is_choice && facts.visits[position + 1..].iter().find(same_scope).is_some_and(|after| after.state == next)
    })
}

fn any_value(field: &Field, facts: &ExecutionFacts<'_>, payload: &Payload, is_such: &dyn Fn(Fact<'_>) -> bool) -> bool {
    match field {
        Field::Input(path) => payload.input(facts).is_some_and(|input| path.any(input, &|value| is_such(Fact::from(value)))),
        Field::Output(path) => payload.output(facts).is_some_and(|output| path.any(output, &|value| is_such(Fact::from(value)))),
        Field::Plain(plain) => plain_value(*plain, facts, is_such),
        Field::Visits(state) => is_such(number(visits_of(facts, state).count() as u64)),
        Field::Items(state) => visits_of(facts, state).filter_map(|visit| visit.items).max().is_some_and(|items| is_such(number(items))),
        Field::Length(path) => payload
            .input(facts)
            .is_some_and(|input| path.any(input, &|value| value.as_array().is_some_and(|items| is_such(number(items.len() as u64))))),
        Field::Size => facts.input.is_some_and(|input| is_such(number(input.len() as u64))),
    }
}

fn visits_of<'f>(facts: &'f ExecutionFacts<'_>, state: &str) -> impl Iterator<Item = &'f VisitFacts<'f>> {
    facts.visits.iter().filter(move |visit| visit.state == state)
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn number(count: u64) -> Fact<'static> {
    Fact::Number(count as f64)
}

fn plain_value(field: Plain, facts: &ExecutionFacts<'_>, is_such: &dyn Fn(Fact<'_>) -> bool) -> bool {
    let machine = || facts.state_machine.and_then(|arn| arn.parse::<StateMachineArn>().ok());
    let parent = || facts.parent.and_then(|arn| arn.parse::<ExecutionArn>().ok());
    let failure = facts.failure.as_ref();
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).is_some_and(|text| is_such(Fact::Text(text)));
    let number = |count: u64| is_such(number(count));
    match field {
        Plain::Status => facts.status.is_some_and(|status| is_such(Fact::Status(status))),
        Plain::Machine => text(machine().as_ref().map(StateMachineArn::name)),
        Plain::StateMachine => text(facts.state_machine),
        Plain::Version => text(facts.version),
        Plain::Alias => text(facts.alias),
        Plain::Type => text(facts.workflow_type.map(WorkflowType::name)),
        Plain::Name => text(Some(facts.name)),
        Plain::Execution => text(Some(facts.execution)),
        Plain::Parent => text(parent().as_ref().map(ExecutionArn::machine)),
        Plain::MapRun => text(facts.map_run),
        Plain::Start => facts.start.is_some_and(|start| is_such(Fact::Time(start))),
        Plain::Stop => facts.stop.is_some_and(|stop| is_such(Fact::Time(stop))),
        Plain::Hour => facts.start.is_some_and(|start| number(u64::from(hour(start)))),
        Plain::Weekday => text(facts.start.map(weekday)),
        Plain::Duration => facts.duration_ms().is_some_and(|duration| is_such(Fact::Duration(duration))),
        Plain::Error => text(failure.and_then(|failure| failure.error)),
        Plain::TerminalState => text(failure.and_then(|failure| failure.terminal_state)),
        Plain::RootState => text(failure.and_then(|failure| failure.root_state)),
        Plain::RootError => text(failure.and_then(|failure| failure.root_error)),
        Plain::Group => text(failure.and_then(|failure| failure.fingerprint)),
        Plain::Redrives => number(facts.redrive_count),
        Plain::Redriven => is_such(Fact::Boolean(facts.redrive_count > 0)),
        Plain::Retries => number(facts.visits.iter().map(|visit| u64::from(visit.retries)).sum()),
        Plain::Events => number(facts.events),
    }
}

const HOUR: i64 = 3_600_000_000;

/// The hour of a moment in UTC, 0 to 23.
pub fn hour(moment: Micros) -> u8 {
    u8::try_from(moment.0.div_euclid(HOUR).rem_euclid(24)).unwrap_or(0)
}

/// The day of a moment in UTC.
pub fn weekday(moment: Micros) -> &'static str {
    // 1970-01-01 was a Thursday.
    const DAYS: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];
    DAYS[usize::try_from(moment.0.div_euclid(24 * HOUR).rem_euclid(7)).unwrap_or(0)]
}

impl<'a> From<&'a Value> for Fact<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Boolean(*truth),
            Value::Number(number) => number.as_f64().map_or(Self::Composite, Self::Number),
            Value::String(text) => Self::Text(text),
            Value::Array(_) | Value::Object(_) => Self::Composite,
        }
    }
}

fn compare(fact: Fact<'_>, comparison: Comparison, literal: &Literal) -> bool {
    let ordering = match (fact, literal) {
        (Fact::Null, Literal::Null) => Some(Ordering::Equal),
        (Fact::Boolean(one), Literal::Boolean(other)) => Some(one.cmp(other)),
        (Fact::Number(one), Literal::Number(other)) | (Fact::Duration(one), Literal::Duration(other)) => one.partial_cmp(other),
        (Fact::Text(one), Literal::Text(other)) => Some(one.cmp(other.as_str())),
        (Fact::Status(one), Literal::Status(other)) => (one == *other).then_some(Ordering::Equal),
        (Fact::Time(one), Literal::Time(other)) => Some(one.cmp(other)),
        _ => None,
    };
    match comparison {
        Comparison::Equal => ordering == Some(Ordering::Equal),
        Comparison::NotEqual => ordering != Some(Ordering::Equal),
        Comparison::Less => ordering == Some(Ordering::Less),
        Comparison::LessOrEqual => ordering.is_some_and(Ordering::is_le),
        Comparison::Greater => ordering == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
    }
}

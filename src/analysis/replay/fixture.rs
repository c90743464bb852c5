//! What it takes to run an execution again with nothing else at hand: definition, input, answers, expected outcome.
//!
//! The answers are in the MockConfigFile format of Step Functions Local, so that other tools read them, too, but where iterations got
//! different ones. Payloads are written as they are: a masked one would not reproduce anything.

use std::collections::HashMap;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::world::Given;
use crate::analysis::execution::quoted;
use crate::expr::Value;
use crate::interpreter::mocks::scope_label;
use crate::interpreter::{Outcome, TaskOutcome};
use crate::model::{ExecutionStatus, Timestamp};

/// The name of the test case.
const TEST_CASE: &str = "replay";

/// The files of a fixture: name and content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// In the order in which they are best read.
    pub files: Vec<(&'static str, String)>,
}

/// What a fixture is made of.
pub(super) struct Parts<'p> {
    pub machine: &'p str,
    pub execution: &'p str,
    pub definition: &'p str,
    pub input: &'p str,
    pub start: Timestamp,
    /// Whether something was changed against the recording.
    pub is_changed: bool,
    pub given: &'p [Given],
    pub outcome: &'p Outcome,
    /// Whether answers must take their time: for events to come in the same order, or for a time limit to be reached.
    pub timed: bool,
    /// How many Map Runs were taken over.
    pub map_runs: usize,
}

/// Writes the files.
pub(super) fn fixture(parts: &Parts<'_>) -> Fixture {
    let expected = json!({
        "status": parts.outcome.status,
        "error": parts.outcome.error.as_deref(),
        "cause": parts.outcome.cause.as_deref(),
        "output": parts.outcome.output.as_deref(),
    });
    Fixture {
        files: vec![
            ("README.md", readme(parts)),
            ("definition.asl.json", pretty(parts.definition)),
            ("input.json", pretty(parts.input)),
            ("mocks.json", lines(&mocks(parts))),
            ("expected.json", lines(&expected)),
        ],
    }
}

fn readme(parts: &Parts<'_>) -> String {
    let mut text = format!(
        "`stepscope run definition.asl.json --input input.json --mocks mocks.json --name {} --clock {}` runs execution `{}` again, offline{}; \
         it ends as `expected.json` says. The payloads are those of the execution, secrets included.\n",
        quoted(parts.machine),
        parts.start,
        parts.execution.replace('`', "'"),
        if parts.is_changed { ", changed as `stepscope replay --what-if` was told" } else { "" },
    );
    if parts.outcome.status == ExecutionStatus::Aborted {
        text.push_str("\nThe execution was stopped from outside, which `run` does not do: there it goes on, or waits.\n");
    }
    if parts.map_runs > 0 {
        text.push_str(
            "\nThe children of a Distributed Map have histories of their own: `run` needs its objects (`--s3 BUCKET=DIR`) and answers for the \
             states inside (`--mock STATE=FILE`).\n",
        );
    }
    text
}

/// JSON over several lines, its numbers as they are; what is no JSON as it is.
fn pretty(text: &str) -> String {
    serde_json::from_str::<Json>(text).map_or_else(|_| text.to_owned(), |value| lines(&value))
}

fn lines(value: &Json) -> String {
    format!("{value:#}\n")
}

/// The MockConfigFile: for each state one response, whose attempts are counted through the run. Where iterations got different answers
/// each has its own: which of them asks first is no matter of the definition. That form is ours, Step Functions Local does not know it.
fn mocks(parts: &Parts<'_>) -> Json {
    let mut order: Vec<&str> = Vec::new();
    let mut answers: HashMap<&str, IndexMap<String, Vec<Json>>> = HashMap::new();
    for given in parts.given {
        let scopes = answers.entry(&given.key.state).or_default();
        if scopes.is_empty() {
            order.push(&given.key.state);
        }
        scopes.entry(scope_label(&given.key.scope)).or_default().push(answer(given, parts.timed));
    }
    // One more attempt than there was time for has no answer either.
    if matches!(parts.outcome.status, ExecutionStatus::TimedOut | ExecutionStatus::Aborted | ExecutionStatus::Running) {
        for list in answers.values_mut().flat_map(IndexMap::values_mut) {
            list.push(json!({"Never": true}));
        }
    }
    let responses: Map<String, Json> =
        order.iter().map(|state| (response_name(state), response(answers.remove(state).unwrap_or_default()))).collect();
    let states: Map<String, Json> = order.iter().map(|state| ((*state).to_owned(), Json::from(response_name(state)))).collect();
    json!({
        "StateMachines": {parts.machine: {"TestCases": {TEST_CASE: states}}},
        "MockedResponses": responses,
    })
}

fn response_name(state: &str) -> String {
    format!("{state} as recorded")
}

/// The answers of a state: counted through the run where its scopes do not differ, else by scope.
fn response(scopes: IndexMap<String, Vec<Json>>) -> Json {
    let mut all = scopes.values().flatten();
    let first = all.next();
    if scopes.len() < 2 || all.all(|answer| Some(answer) == first) {
        return numbered(scopes.into_values().flatten().collect());
    }
    scopes.into_iter().map(|(label, answers)| (label, numbered(answers))).collect::<Map<_, _>>().into()
}

/// `{"0": …, "1-2": …}`: like answers in a row stand once.
fn numbered(answers: Vec<Json>) -> Json {
    let mut spans: Vec<(usize, usize, Json)> = Vec::new();
    for (number, answer) in answers.into_iter().enumerate() {
        match spans.last_mut() {
            Some((_, last, same)) if *same == answer => *last = number,
            _ => spans.push((number, number, answer)),
        }
    }
    let name = |first: usize, last: usize| if first == last { first.to_string() } else { format!("{first}-{last}") };
    spans.into_iter().map(|(first, last, answer)| (name(first, last), answer)).collect::<Map<_, _>>().into()
}

fn answer(given: &Given, timed: bool) -> Json {
    let answer = &given.answer;
    let throw = |error: Option<&str>, cause: Option<&str>| {
        let said = [("Error", error), ("Cause", cause)].into_iter().filter_map(|(name, text)| Some((name.to_owned(), Json::from(text?))));
        json!({"Throw": said.collect::<Map<_, _>>()})
    };
    let mut json = match &answer.ended {
        Some((_, TaskOutcome::Succeeded(value))) => json!({"Return": as_json(value)}),
        Some((_, TaskOutcome::Failed { error, cause, .. })) => throw(error.as_deref(), cause.as_deref()),
        Some((_, TaskOutcome::Refused { error, cause })) => throw(Some(error), Some(cause)),
        None if given.timed_out => throw(Some("States.Timeout"), None),
        None => json!({"Never": true}),
    };
    let submitted = answer.submitted.as_ref().map_or(Duration::ZERO, |(time, _)| *time);
    let took = answer.started.unwrap_or_default() + submitted + answer.ended.as_ref().map_or(Duration::ZERO, |(time, _)| *time);
    if let (true, Some(members), false) = (timed && answer.ended.is_some(), json.as_object_mut(), took.is_zero()) {
        members.insert("AfterSeconds".to_owned(), Json::from(took.as_secs_f64()));
        if let Some(beat) = answer.heartbeats.first() {
            members.insert("HeartbeatSeconds".to_owned(), Json::from(beat.as_secs_f64()));
        }
    }
    json
}

fn as_json(value: &Value) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}

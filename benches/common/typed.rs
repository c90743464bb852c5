//! A history as a program would declare it that wants every field of every event: text is borrowed where the JSON allows it, and
//! decoded where it does not. Parsing into this is the limit that reading a history is measured against.
#![allow(dead_code, reason = "parsing is what is measured")]

use std::borrow::Cow;

use serde::Deserialize;

type Text<'a> = Cow<'a, str>;

#[derive(Deserialize)]
pub struct Page<'a> {
    #[serde(borrow)]
    pub events: Vec<Event<'a>>,
}

/// A description and its history, as JSON Lines hold them.
#[derive(Deserialize)]
pub struct Bundle<'a> {
    #[serde(borrow)]
    pub describe: Description<'a>,
    #[serde(borrow)]
    pub history: Page<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description<'a> {
    #[serde(borrow)]
    execution_arn: Text<'a>,
    #[serde(borrow)]
    state_machine_arn: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow, default)]
    input: Option<Text<'a>>,
    #[serde(borrow, default)]
    output: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'a> {
    #[serde(borrow)]
    timestamp: Text<'a>,
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    id: u64,
    previous_event_id: u64,
    #[serde(borrow, default)]
    state_entered_event_details: Option<State<'a>>,
    #[serde(borrow, default)]
    state_exited_event_details: Option<State<'a>>,
    #[serde(borrow, default)]
    task_scheduled_event_details: Option<Box<Task<'a>>>,
    #[serde(borrow, default)]
    task_started_event_details: Option<Box<Task<'a>>>,
    #[serde(borrow, default)]
    task_succeeded_event_details: Option<Box<Task<'a>>>,
    #[serde(borrow, default)]
    task_failed_event_details: Option<Box<Task<'a>>>,
    #[serde(default)]
    map_state_started_event_details: Option<MapStarted>,
    #[serde(borrow, default)]
    map_iteration_started_event_details: Option<Iteration<'a>>,
    #[serde(borrow, default)]
    map_iteration_succeeded_event_details: Option<Iteration<'a>>,
    #[serde(borrow, default)]
    map_iteration_failed_event_details: Option<Iteration<'a>>,
    #[serde(borrow, default)]
    map_iteration_aborted_event_details: Option<Iteration<'a>>,
    #[serde(borrow, default)]
    execution_started_event_details: Option<Box<Execution<'a>>>,
    #[serde(borrow, default)]
    execution_succeeded_event_details: Option<Box<Execution<'a>>>,
    #[serde(borrow, default)]
    execution_failed_event_details: Option<Box<Execution<'a>>>,
}

#[derive(Deserialize)]
struct State<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    input: Option<Text<'a>>,
    #[serde(borrow, default)]
    output: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task<'a> {
    #[serde(borrow, default)]
    resource_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    resource: Option<Text<'a>>,
    #[serde(borrow, default)]
    region: Option<Text<'a>>,
    #[serde(borrow, default)]
    parameters: Option<Text<'a>>,
    #[serde(borrow, default)]
    output: Option<Text<'a>>,
    #[serde(borrow, default)]
    error: Option<Text<'a>>,
    #[serde(borrow, default)]
    cause: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct MapStarted {
    length: u64,
}

#[derive(Deserialize)]
struct Iteration<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    index: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution<'a> {
    #[serde(borrow, default)]
    input: Option<Text<'a>>,
    #[serde(borrow, default)]
    role_arn: Option<Text<'a>>,
    #[serde(borrow, default)]
    error: Option<Text<'a>>,
    #[serde(borrow, default)]
    cause: Option<Text<'a>>,
}

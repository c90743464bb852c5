//! What becomes of the children's results: a list in the state's output, or files of S3 with a manifest.
//!
//! | `Transformation` | a child that succeeded                  | any other child |
//! |------------------|-----------------------------------------|-----------------|
//! | NONE             | its record                              | its record      |
//! | COMPACT          | its output                              | its record      |
//! | FLATTEN          | its output; the items of an array apart | its record      |
//!
//! The files are `SUCCEEDED_0`, `FAILED_0` and `PENDING_0`; the service begins a new one at 5 GB, which is more than is held here.

use std::rc::Rc;

use jiff::Timestamp;

use super::DatasetError;
use crate::expr::{Object, Value};
use crate::interpreter::{Outcome, World};
use crate::model::ExecutionStatus;

/// A child execution as its record tells it.
#[derive(Debug, Clone)]
pub struct ChildResult {
    /// Its ARN.
    pub arn: Rc<str>,
    /// Its name.
    pub name: Rc<str>,
    /// ARN of the state machine, with the label of the Map.
    pub machine_arn: Rc<str>,
    /// Its input as text.
    pub input: Rc<str>,
    /// How it ended; `None` when it was never started.
    pub outcome: Option<Outcome>,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub stop: Timestamp,
}

/// `WriterConfig`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultFormat {
    /// `Transformation`.
    pub transformation: Transformation,
    /// Whether `OutputType` is `JSONL`.
    pub lines: bool,
}

/// `Transformation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the language")]
pub enum Transformation {
    None,
    Compact,
    Flatten,
}

impl ResultFormat {
    /// Understands a `WriterConfig`; without one, files get records and outputs get results.
    pub fn parse(config: &Value, to_files: bool) -> Self {
        let transformation = match config.get("Transformation").and_then(Value::as_str) {
            Some("NONE") => Transformation::None,
            Some("COMPACT") => Transformation::Compact,
            Some("FLATTEN") => Transformation::Flatten,
            _ if to_files => Transformation::None,
            _ => Transformation::Compact,
        };
        Self { transformation, lines: config.get("OutputType").and_then(Value::as_str) == Some("JSONL") }
    }
}

/// Where result files go.
#[derive(Debug, Clone, Copy)]
pub struct Location<'a> {
    /// `Bucket`.
    pub bucket: &'a str,
    /// `Prefix`.
    pub prefix: &'a str,
    /// ARN of the Map Run; its last part names the folder.
    pub map_run_arn: &'a str,
}

/// The results in the order of the children, for the output of the state. With `JSONL` it is a text of lines.
pub fn inline_output(children: &[ChildResult], format: ResultFormat) -> Value {
    let results = transformed(children.iter(), format.transformation);
    if format.lines { Value::from(lines(&results)) } else { Value::from(results) }
}

/// Writes the files and the manifest; gives the output of the state.
pub fn write(world: &mut dyn World, location: Location<'_>, children: &[ChildResult], format: ResultFormat) -> Result<Value, DatasetError> {
    let Location { bucket, prefix, map_run_arn } = location;
    let folder = map_run_arn.rsplit(':').next().unwrap_or(map_run_arn);
    let prefix = prefix.trim_end_matches('/');
    let folder = if prefix.is_empty() { folder.to_owned() } else { format!("{prefix}/{folder}") };
    let extension = if format.lines { "jsonl" } else { "json" };
    let mut put = |key: &str, text: &str| {
        world.write_object(bucket, key, text.as_bytes()).map_err(|error| DatasetError::object(&error, DatasetError::writer))
    };
    let mut files = Object::with_capacity(3);
    for group in ["FAILED", "PENDING", "SUCCEEDED"] {
        let results = transformed(children.iter().filter(|child| group_of(child) == group), format.transformation);
        if results.is_empty() {
            files.insert(group, Vec::new());
            continue;
        }
        let text = if format.lines { lines(&results) } else { Value::from(results).to_json() };
        let key = format!("{folder}/{group}_0.{extension}");
        put(&key, &text)?;
        let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
        files.insert(group, vec![Value::object([("Key", Value::from(key)), ("Size", Value::from(size))])]);
    }
    let manifest = Value::object([
        ("DestinationBucket", Value::from(bucket)),
        ("MapRunArn", Value::from(map_run_arn)),
        ("ResultFiles", Value::from(files)),
    ]);
    let key = format!("{folder}/manifest.json");
    put(&key, &manifest.to_json())?;
    let details = Value::object([("Bucket", Value::from(bucket)), ("Key", Value::from(key))]);
    Ok(Value::object([("MapRunArn", Value::from(map_run_arn)), ("ResultWriterDetails", details)]))
}

/// Which file tells about a child.
fn group_of(child: &ChildResult) -> &'static str {
    match child.outcome.as_ref().map(|outcome| outcome.status) {
        Some(ExecutionStatus::Succeeded) => "SUCCEEDED",
        Some(ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted) => "FAILED",
        _ => "PENDING",
    }
}

fn transformed<'c>(children: impl Iterator<Item = &'c ChildResult>, transformation: Transformation) -> Vec<Value> {
    let mut results = Vec::new();
    for child in children {
        let output = succeeded_output(child).filter(|_| transformation != Transformation::None);
        match output {
            Some(Value::Array(list)) if transformation == Transformation::Flatten => results.extend(list.iter().cloned()),
            Some(output) => results.push(output),
            None => results.push(record(child)),
        }
    }
    results
}

fn succeeded_output(child: &ChildResult) -> Option<Value> {
    let outcome = child.outcome.as_ref().filter(|outcome| outcome.status == ExecutionStatus::Succeeded)?;
    Some(outcome.output.as_deref().and_then(|text| Value::parse(text).ok()).unwrap_or_default())
}

/// The record of a child, by name as the service sorts them.
fn record(child: &ChildResult) -> Value {
    let mut record = Object::with_capacity(16);
    let outcome = child.outcome.as_ref();
    let status = outcome.map_or("PENDING", |outcome| outcome.status.name());
    let text = |text: &str| Value::from(text);
    let included = || Value::object([("Included", Value::from(true))]);
    if let Some(cause) = outcome.and_then(|outcome| outcome.cause.as_deref()) {
        record.insert("Cause", text(cause));
    }
    if let Some(error) = outcome.and_then(|outcome| outcome.error.as_deref()) {
        record.insert("Error", text(error));
    }
    record.insert("ExecutionArn", text(&child.arn));
    record.insert("Input", text(&child.input));
    record.insert("InputDetails", included());
    record.insert("Name", text(&child.name));
    if let Some(output) = outcome.and_then(|outcome| outcome.output.as_deref()) {
        record.insert("Output", text(output));
        record.insert("OutputDetails", included());
    }
    if outcome.is_some() {
        record.insert("RedriveCount", 0);
        if status == "SUCCEEDED" {
            record.insert("RedriveStatus", text("NOT_REDRIVABLE"));
            record.insert("RedriveStatusReason", text("Execution is SUCCEEDED and cannot be redriven"));
        } else {
            record.insert("RedriveStatus", text("REDRIVABLE_BY_MAP_RUN"));
        }
        record.insert("StartDate", Value::from(format!("{:.3}", child.start)));
    }
    record.insert("StateMachineArn", text(&child.machine_arn));
    record.insert("Status", text(status));
    if outcome.is_some() {
        record.insert("StopDate", Value::from(format!("{:.3}", child.stop)));
    }
    record.into()
}

fn lines(results: &[Value]) -> String {
    let mut text = String::new();
    for result in results {
        result.write_json(&mut text);
        text.push('\n');
    }
    text
}

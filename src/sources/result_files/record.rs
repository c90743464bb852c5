//! The record of a child execution, or the output of one.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Element, Group};
use crate::model::{ExecutionStatus, MapChild, Timestamp, time};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'a> {
    #[serde(borrow, default)]
    execution_arn: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    state_machine_arn: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(default)]
    input_details: Option<Details>,
    #[serde(borrow, default)]
    error: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cause: Option<&'a RawValue>,
    #[serde(borrow, default)]
    start_date: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop_date: Option<&'a RawValue>,
    #[serde(default)]
    redrive_count: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    #[serde(default = "yes")]
    included: bool,
    #[serde(default)]
    truncated: bool,
}

fn yes() -> bool {
    true
}

/// Reads an element of a file of this group.
pub(super) fn read(text: &[u8], group: Group) -> Result<Element, String> {
    let is_object = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let record = if is_object { serde_json::from_slice::<Record<'_>>(text) } else { Err(serde::de::Error::custom("it is no object")) };
    match record {
        Ok(Record { execution_arn: Some(arn), status, state_machine_arn, .. }) if status.is_none() && state_machine_arn.is_none() => {
            plain(group, &format!("it names the execution {arn} and not how it ended"))
        }
        Ok(record) if record.execution_arn.is_some() => Ok(Element::Child(Box::new(child(record, group)))),
        Ok(_) => plain(group, "it names no execution"),
        // Only the parser can tell an output that looks like a record from damage.
        Err(error) => match serde_json::from_slice::<serde::de::IgnoredAny>(text) {
            Ok(_) => plain(group, &error.to_string()),
            Err(error) => Err(error.to_string()),
        },
    }
}

/// What is no record: an output among those that succeeded, damage elsewhere.
fn plain(group: Group, reason: &str) -> Result<Element, String> {
    if group == Group::Succeeded { Ok(Element::Output) } else { Err(format!("it is no record of an execution: {reason}")) }
}

fn child(record: Record<'_>, group: Group) -> MapChild {
    let is_whole = record.input_details.is_none_or(|details| details.included && !details.truncated);
    let status = record.status.as_deref().and_then(ExecutionStatus::from_name);
    MapChild {
        arn: record.execution_arn.map(Cow::into_owned).unwrap_or_default(),
        status: if record.status.as_deref() == Some("PENDING") { None } else { status.or(group.status()) },
        start: record.start_date.and_then(moment),
        stop: record.stop_date.and_then(moment),
        input: record.input.filter(|_| is_whole).and_then(text),
        error: record.error.map(Cow::into_owned),
        cause: record.cause.and_then(text),
        redrive_count: record.redrive_count.unwrap_or(0),
        redrive: None,
    }
}

/// The service quotes JSON text; whoever edits a file by hand may not.
fn text(value: &RawValue) -> Option<String> {
    match value.get() {
        "null" => None,
        quoted if quoted.starts_with('"') => serde_json::from_str(quoted).ok(),
        plain => Some(plain.to_owned()),
    }
}

fn moment(value: &RawValue) -> Option<Timestamp> {
    time::parse(value.get().trim_matches('"'))
}

//! Causes that are JSON objects.

use serde_json::{Deserializer, Map, Value};

use super::super::why::{DecodedCause, QuotedChild};
use super::{Layer, jobs};

/// How many frames of a stack are kept.
const MOST_FRAMES: usize = 100;

/// Under what the message for a person stands, the most telling first.
const MESSAGES: &[&str] = &[
    "errorMessage",
    "ErrorMessage",
    "message",
    "Message",
    "StatusReason",
    "FailureReason",
    "StateChangeReason",
    "statusReason",
    "failureReason",
    "reason",
    "Reason",
    "detail",
    "error_description",
    "errorDetails",
    "error",
    "Error",
    "title",
];

/// Reads a JSON value and says what is left to read.
pub(super) fn read(value: Value, found: &mut DecodedCause) -> Option<Layer> {
    match value {
        Value::Object(object) => read_object(&object, found),
        Value::Array(mut items) if items.len() == 1 => items.pop().map(Layer::Json),
        _ => None,
    }
}

fn read_object(object: &Map<String, Value>, found: &mut DecodedCause) -> Option<Layer> {
    if let Some(cause) = child(object, found) {
        return cause;
    }
    if object.contains_key("errorMessage") || object.contains_key("errorType") {
        return function_error(object, found);
    }
    if jobs::read(object, found) || failed_entries(object, found) {
        return None;
    }
    let status = member(object, &["statusCode", "StatusCode", "status"]).and_then(Value::as_u64);
    found.status_code = found.status_code.or_else(|| u16::try_from(status?).ok().filter(|status| (100..600).contains(status)));
    found.error_code = text(object, &["errorCode", "ErrorCode", "code", "Code"]).or(found.error_code.take());
    // The error output of a state, handed on by a Fail state or a worker.
    if let (Some(error), Some(cause)) = (text(object, &["Error"]), text(object, &["Cause"])) {
        found.error_type = Some(error);
        return Some(Layer::Text(cause));
    }
    let message = text(object, MESSAGES)?;
    found.message = Some(message.clone());
    holds_json(&message).then_some(Layer::Text(message))
}

/// A failed child execution. `Some(None)` when it says nothing more.
#[allow(clippy::option_option, reason = "no child, a child without a cause, a child with one")]
fn child(object: &Map<String, Value>, found: &mut DecodedCause) -> Option<Option<Layer>> {
    let execution = text(object, &["ExecutionArn", "executionArn"])?;
    let cause = text(object, &["Cause", "cause"]);
    let error = text(object, &["Error", "error"]);
    let status = text(object, &["Status", "status"]);
    if cause.is_none() && error.is_none() && status.is_none() {
        return None;
    }
    found.children.push(QuotedChild {
        execution: Some(execution),
        status,
        error: error.clone(),
        cause: cause.clone(),
        input: text(object, &["Input", "input"]),
    });
    found.error_type = error;
    found.message = None;
    Some(cause.map(Layer::Text))
}

/// What a Lambda function returned when it failed.
fn function_error(object: &Map<String, Value>, found: &mut DecodedCause) -> Option<Layer> {
    found.error_type = text(object, &["errorType"]).or(found.error_type.take());
    found.request_id = text(object, &["requestId"]).or(found.request_id.take());
    if found.stack.is_empty() {
        found.stack = member(object, &["stackTrace", "trace", "stack"]).map(frames).unwrap_or_default();
    }
    let message = text(object, &["errorMessage"]).filter(|message| !message.trim().is_empty())?;
    found.message = Some(message.clone());
    Some(Layer::Text(message))
}

/// The frames of a stack, innermost call first.
///
/// Java and Node give them in this order; Python gives the innermost last.
fn frames(value: &Value) -> Vec<String> {
    let mut frames: Vec<String> = match value {
        Value::Array(items) => items.iter().filter_map(frame).collect(),
        Value::String(text) => text.lines().map(|line| line.trim().to_owned()).collect(),
        _ => Vec::new(),
    };
    // Node repeats type and message before the first frame.
    if frames.get(1).is_some_and(|second| second.starts_with("at ")) && !frames[0].starts_with("at ") {
        frames.remove(0);
    }
    frames.retain(|frame| !frame.is_empty());
    if frames.first().is_some_and(|first| first.starts_with("File \"")) {
        frames.reverse();
    }
    frames.truncate(MOST_FRAMES);
    frames
}

fn frame(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        // Old runtimes of Python: file, line, function, code.
        Value::Array(parts) if parts.len() == 4 => {
            let part = |index: usize| parts[index].as_str().map_or_else(|| parts[index].to_string(), str::to_owned);
            Some(format!("File \"{}\", line {}, in {}\n    {}", part(0), part(1), part(2), part(3)))
        }
        // Go: the file, the line and the function.
        Value::Object(parts) => {
            let line = parts.get("line").and_then(Value::as_u64).map(|line| format!(":{line}")).unwrap_or_default();
            let words = [text(parts, &["path"]).map(|path| path + &line), text(parts, &["label"])];
            Some(words.into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

/// `PutEvents` of EventBridge: some entries were refused.
fn failed_entries(object: &Map<String, Value>, found: &mut DecodedCause) -> bool {
    let Some(entries) = object.get("Entries").and_then(Value::as_array).filter(|_| object.contains_key("FailedEntryCount")) else {
        return false;
    };
    let failed: Vec<&Map<String, Value>> =
        entries.iter().filter_map(Value::as_object).filter(|entry| entry.contains_key("ErrorCode")).collect();
    found.service.get_or_insert_with(|| "EventBridge".to_owned());
    let Some(first) = failed.first() else { return true };
    let code = text(first, &["ErrorCode"]);
    let said: Vec<String> = code.iter().cloned().chain(text(first, &["ErrorMessage"])).collect();
    found.message = Some(format!("{} of {} entries failed: {}", failed.len(), entries.len(), said.join(": ")));
    found.error_code = code;
    true
}

/// Reads what it can of JSON that was cut.
pub(super) fn salvage(text: &str, found: &mut DecodedCause) {
    found.error_type = cut_member(text, "\"errorType\"").or_else(|| cut_member(text, "\"Error\"")).or(found.error_type.take());
    found.message = cut_member(text, "\"errorMessage\"").or_else(|| cut_member(text, "\"Cause\"")).or(found.message.take());
}

fn cut_member(text: &str, quoted_name: &str) -> Option<String> {
    let after = text[text.find(quoted_name)? + quoted_name.len()..].trim_start().strip_prefix(':')?;
    Deserializer::from_str(after).into_iter::<String>().next()?.ok()
}

fn holds_json(text: &str) -> bool {
    super::parsed(text).is_some()
}

/// The first of these members that is there and not null.
pub(super) fn member<'o>(object: &'o Map<String, Value>, names: &[&str]) -> Option<&'o Value> {
    names.iter().filter_map(|name| object.get(*name)).find(|value| !value.is_null())
}

/// The first of these members that is text.
pub(super) fn text(object: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().filter_map(|name| object.get(*name)?.as_str()).map(str::to_owned).next()
}

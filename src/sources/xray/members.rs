//! Members of values that may be there or not, and of any type: what is not as it should be counts as missing.

use serde_json::Value;

use crate::model::Micros;
use crate::model::time;

pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

pub(super) fn owned(value: &Value, name: &str) -> Option<String> {
    text(value, name).map(str::to_owned)
}

pub(super) fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn number(value: &Value, name: &str) -> Option<f64> {
    let found = value.get(name)?;
    found.as_f64().or_else(|| found.as_str()?.parse().ok()).filter(|number| number.is_finite())
}

pub(super) fn count(value: &Value, name: &str) -> Option<u64> {
    whole(value.get(name)?)
}

/// A whole number, also one in quotes.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A moment in epoch seconds with a fraction, or as the AWS CLI prints it.
pub(super) fn time(value: &Value) -> Option<Micros> {
    match value.as_f64() {
        Some(seconds) => epoch_seconds(seconds),
        None => value.as_str().and_then(time::parse).map(Micros::from),
    }
}

/// To the microsecond; `None` for what lies more than ten thousand years away.
fn epoch_seconds(seconds: f64) -> Option<Micros> {
    const FARTHEST: f64 = 3e11;
    #[allow(clippy::cast_possible_truncation, reason = "bounded by the filter")]
    Some(seconds).filter(|seconds| seconds.abs() < FARTHEST).map(|seconds| Micros((seconds * 1e6).round() as i64))
}

/// A plain value as text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The first ARN of an execution that stands in a value, in whichever member. `skipping` names the members that are not looked into.
pub(super) fn execution_arn(value: &Value, skipping: &str) -> Option<String> {
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        match value {
            Value::String(text) if is_execution_arn(text) => return Some(text.clone()),
            Value::Array(values) => waiting.extend(values.iter().rev()),
            Value::Object(members) => {
                waiting.extend(members.iter().rev().filter(|(name, _)| *name != skipping).map(|(_, value)| value));
            }
            _ => {}
        }
    }
    None
}

fn is_execution_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.parse::<crate::model::ExecutionArn>().is_ok()
}

/// Whether a word is one of those with which services refuse what comes too often.
pub(super) fn is_throttling(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    ["throttl", "throughputexceeded", "toomanyrequests", "requestlimitexceeded", "slowdown", "limitexceededexception"]
        .iter()
        .any(|part| word.contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_come_as_seconds_or_as_text() {
        let wanted = Some(Micros(1_767_225_600_123_456));
        assert_eq!(time(&json!(1_767_225_600.123_456)), wanted);
        assert_eq!(time(&json!("2026-01-01T00:00:00.123456+00:00")), wanted);
        assert_eq!((time(&json!(1e300)), time(&json!("soon")), time(&json!(null))), (None, None, None));
    }

    #[test]
    fn the_arn_of_an_execution_is_found_wherever_it_stands() {
        let arn = "arn:aws:states:us-east-1:111111111111:execution:Orders:run-1";
        let value = json!({"subsegments": [{"aws": {"execution_arn": arn.replace("run-1", "child")}}],
            "metadata": {"default": {"list": [1, {"of": arn}]}}});
        assert_eq!(execution_arn(&value, "subsegments").as_deref(), Some(arn));
        assert_eq!(execution_arn(&json!({"aws": {"arn": "arn:aws:states:us-east-1:111111111111:stateMachine:Orders"}}), ""), None);
    }
}

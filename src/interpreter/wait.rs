//! Until when a Wait waits.

use std::time::Duration;

use crate::asl::machine::{Setting, Wait};
use crate::expr::{EvaluationError, Scope, Value};
use crate::model::Timestamp;

use super::{moment, settings};

/// The service counts a delay in seconds of 31 bits.
const LONGEST: Duration = Duration::from_secs(i32::MAX as u64);

/// What error texts call a timestamp.
const FORMAT: &str = "ISO-8601 extended offset date-time format string";

/// The moment until which to wait, which is now when it has passed already.
pub fn until(wait: &Wait, scope: Scope<'_>, now: Timestamp) -> Result<Timestamp, EvaluationError> {
    let moment = match wait {
        Wait::Seconds(setting) => {
            let seconds = seconds(setting, scope)?;
            return now.checked_add(Duration::from_secs(seconds)).map_err(|_| too_long());
        }
        Wait::Timestamp(setting) => timestamp(setting, scope)?,
    };
    // The service cuts milliseconds.
    let moment = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
    match Duration::try_from(moment.duration_since(now)) {
        Ok(delay) if delay > LONGEST => Err(too_long()),
        Ok(_) => Ok(moment),
        Err(_) => Ok(now),
    }
}

fn seconds(setting: &Setting, scope: Scope<'_>) -> Result<u64, EvaluationError> {
    let seconds = match setting {
        Setting::Path(path) => {
            let value = path.find(scope)?.filter(|value| *value != Value::Null);
            let wrong = |what: &str, value: &Value| {
                EvaluationError::runtime(format!("The SecondsPath parameter {what} value: {} == {}", path.text(), shown(value)))
            };
            let value = value.ok_or_else(|| {
                EvaluationError::runtime(format!("The SecondsPath parameter does not reference an input value: {}", path.text()))
            })?;
            let seconds = integer(&value).ok_or_else(|| wrong("cannot be parsed as a long", &value))?;
            if seconds < 0 {
                return Err(wrong("references a negative", &value));
            }
            seconds
        }
        _ => settings::integer(setting, "Seconds", scope)?,
    };
    let whole = u64::try_from(seconds)
        .map_err(|_| EvaluationError::query("Seconds", format!("The Seconds field cannot be a negative value: {seconds}")))?;
    if whole > LONGEST.as_secs() { Err(too_long()) } else { Ok(whole) }
}

fn timestamp(setting: &Setting, scope: Scope<'_>) -> Result<Timestamp, EvaluationError> {
    let value = match setting {
        Setting::Path(path) => path.find(scope)?.ok_or_else(|| {
            EvaluationError::runtime(format!("The TimestampPath parameter does not reference an input value: {}", path.text()))
        })?,
        _ => settings::value(setting, "Timestamp", scope)?,
    };
    if let Some(moment) = value.as_str().and_then(moment::parse) {
        return Ok(moment);
    }
    Err(match setting {
        Setting::Path(path) => EvaluationError::runtime(format!(
            "The TimestampPath parameter does not reference a valid {FORMAT}: {} == {}",
            path.text(),
            shown(&value)
        )),
        Setting::Query(query) if value.as_str().is_none() => settings::unexpected_type(query.text(), "Timestamp", "string", &value),
        Setting::Query(_) => {
            EvaluationError::query("Timestamp", format!("The Timestamp field cannot be parsed as an {FORMAT}: {}", shown(&value)))
        }
        Setting::Literal(_) => EvaluationError::runtime(format!("The Timestamp field cannot be parsed as an {FORMAT}: {}", shown(&value))),
    })
}

/// An integer, or the text of one.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(crate::expr::Number::Integer(number)) => Some(*number),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_json(), str::to_owned)
}

fn too_long() -> EvaluationError {
    EvaluationError::runtime("Wait state delay is too long.")
}

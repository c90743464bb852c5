//! Fields whose value is a literal, a path or an expression: numbers and texts.

use std::rc::Rc;

use crate::asl::machine::Setting;
use crate::expr::{EvaluationError, Scope, Value};

/// The value, whatever it is.
pub fn value(setting: &Setting, field: &str, scope: Scope<'_>) -> Result<Value, EvaluationError> {
    match setting {
        Setting::Literal(value) => Ok(value.clone()),
        Setting::Path(path) => path.evaluate(scope),
        Setting::Query(query) => query.evaluate(scope, field),
    }
}

/// An integer. A path may also lead to its text; JSONata may give any number, of which the fraction is cut.
pub fn integer(setting: &Setting, field: &str, scope: Scope<'_>) -> Result<i64, EvaluationError> {
    let value = value(setting, field, scope)?;
    let found = match (setting, &value) {
        (Setting::Query(_), Value::Number(number)) => Some(floor(number.as_f64())),
        (Setting::Path(_), Value::String(text)) => text.parse().ok(),
        (_, Value::Number(_)) => value.as_i64(),
        _ => None,
    };
    found.ok_or_else(|| unusable(setting, field, &value, "number", "a valid integer"))
}

/// A number.
pub fn number(setting: &Setting, field: &str, scope: Scope<'_>) -> Result<f64, EvaluationError> {
    let value = value(setting, field, scope)?;
    let found = match (setting, &value) {
        (Setting::Path(_), Value::String(text)) => text.parse().ok(),
        (_, Value::Number(number)) => Some(number.as_f64()),
        _ => None,
    };
    found.filter(|number| number.is_finite()).ok_or_else(|| unusable(setting, field, &value, "number", "a valid float"))
}

/// A text. Where a `…Path` leads nowhere, the error names the field and shows the input.
pub fn text(setting: &Setting, field: &str, scope: Scope<'_>) -> Result<Rc<str>, EvaluationError> {
    let value = match setting {
        Setting::Path(path) => path.find(scope)?.ok_or_else(|| {
            EvaluationError::runtime(format!(
                "The JSONPath '{}' specified for the field '{field}Path' could not be found in the input '{}'",
                path.text(),
                scope.input
            ))
        })?,
        _ => value(setting, field, scope)?,
    };
    match value {
        Value::String(text) => Ok(text),
        other => Err(unusable(setting, field, &other, "string", "a valid string")),
    }
}

/// The error for a value of the wrong kind.
pub fn unusable(setting: &Setting, field: &str, value: &Value, kind: &str, wanted: &str) -> EvaluationError {
    match setting {
        Setting::Query(query) => unexpected_type(query.text(), field, kind, value),
        Setting::Path(path) => {
            let shown = value.as_str().map_or_else(|| value.to_json(), str::to_owned);
            EvaluationError::runtime(format!("The {field}Path field refers to value \"{shown}\" which is not {wanted}: {}", path.text()))
        }
        Setting::Literal(_) => EvaluationError::runtime(format!("The {field} field has value \"{value}\" which is not {wanted}")),
    }
}

/// The error for a JSONata expression that gives a value of the wrong kind.
pub fn unexpected_type(expression: &str, field: &str, wanted: &str, value: &Value) -> EvaluationError {
    EvaluationError::query(
        field,
        format!(
            "The JSONata expression '{expression}' specified for the field '{field}' returned an unexpected result type. Expected \
             '{wanted}', but was '{}' for value: {value}",
            value.kind()
        ),
    )
}

#[allow(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
fn floor(number: f64) -> i64 {
    number.floor() as i64
}

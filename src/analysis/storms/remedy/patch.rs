//! Changes of a `Retry` as JSON, and as a JSON Patch.

use serde_json::{Map, Value};

use super::report::Operation;
use crate::analysis::retry_policy::Retrier;

/// The fields of a retrier that may be changed, in the order in which a patch has them.
const FIELDS: [&str; 5] = ["IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"];

/// A retrier as JSON, with the new values in place of the old ones; what is as it was keeps its form, also as a default.
pub(super) fn retrier(before: &Value, to: &Retrier) -> Value {
    let from = Retrier::of(before);
    let mut members = before.as_object().cloned().unwrap_or_default();
    let mut set = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    if differ(from.interval_seconds, to.interval_seconds) {
        set("IntervalSeconds", whole(to.interval_seconds));
    }
    if from.max_attempts != to.max_attempts {
        set("MaxAttempts", to.max_attempts.into());
    }
    if differ(from.backoff_rate, to.backoff_rate) {
        set("BackoffRate", to.backoff_rate.into());
    }
    if let Some(longest) = to.max_delay_seconds
        && from.max_delay_seconds.is_none_or(|before| differ(before, longest))
    {
        set("MaxDelaySeconds", whole(longest));
    }
    if to.full_jitter && !from.full_jitter {
        set("JitterStrategy", "FULL".into());
    }
    Value::Object(members)
}

/// A whole new retrier.
pub(super) fn new_retrier(of: &Retrier) -> Value {
    let mut members = Map::new();
    members.insert("ErrorEquals".to_owned(), of.error_equals.clone().into());
    members.insert("IntervalSeconds".to_owned(), whole(of.interval_seconds));
    members.insert("MaxAttempts".to_owned(), of.max_attempts.into());
    members.insert("BackoffRate".to_owned(), of.backoff_rate.into());
    if let Some(longest) = of.max_delay_seconds {
        members.insert("MaxDelaySeconds".to_owned(), whole(longest));
    }
    if of.full_jitter {
        members.insert("JitterStrategy".to_owned(), "FULL".into());
    }
    Value::Object(members)
}

/// What makes `after` of `before`, where both are lists of retriers of one length.
pub(super) fn operations(pointer: &str, before: &Value, after: &Value) -> Vec<Operation> {
    let retriers = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for (index, (before, after)) in retriers(before).iter().zip(retriers(after)).enumerate() {
        for field in FIELDS {
            let Some(value) = after.get(field).filter(|value| before.get(field) != Some(*value)) else { continue };
            let op = if before.get(field).is_some() { "replace" } else { "add" };
            found.push(Operation { op, path: format!("{pointer}/{index}/{field}"), value: value.clone() });
        }
    }
    found
}

/// A number of seconds as the language has it: whole, at least 1.
pub(super) fn whole(seconds: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to what MaxDelaySeconds takes")]
    let seconds = seconds.clamp(1.0, 31_622_400.0).ceil() as u64;
    seconds.into()
}

fn differ(one: f64, other: f64) -> bool {
    (one - other).abs() > 1e-9
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_changes_is_in_the_patch() {
        let before = json!([{"ErrorEquals": ["Gone"], "MaxAttempts": 0}, {"ErrorEquals": ["Oops"], "MaxAttempts": 3, "Comment": "ours"}]);
        let calmer = Retrier { full_jitter: true, max_attempts: 5, max_delay_seconds: Some(60.0), ..Retrier::of(&before[1]) };
        let after = json!([before[0], retrier(&before[1], &calmer)]);
        let patch = operations("/States/A/Retry", &before, &after);
        let told: Vec<(&str, &str)> = patch.iter().map(|operation| (operation.op, operation.path.as_str())).collect();
        assert_eq!(
            told,
            [
                ("replace", "/States/A/Retry/1/MaxAttempts"),
                ("add", "/States/A/Retry/1/MaxDelaySeconds"),
                ("add", "/States/A/Retry/1/JitterStrategy")
            ]
        );
        let mut definition = json!({"States": {"A": {"Retry": before}}});
        let patch: json_patch::Patch = serde_json::from_value(serde_json::to_value(&patch).expect("JSON")).expect("a patch");
        json_patch::patch(&mut definition, &patch).expect("it applies");
        assert_eq!(definition["States"]["A"]["Retry"], after);
        assert_eq!(after[1]["Comment"], "ours");
    }

    #[test]
    fn a_retrier_that_stays_keeps_its_form() {
        let before = json!({"ErrorEquals": ["Oops"], "BackoffRate": 2});
        assert_eq!(retrier(&before, &Retrier::of(&before)), before);
    }
}

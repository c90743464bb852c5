//! The remedy for a loop made by hand: its Wait made random, and a `Retry` that would do in its place.

use serde_json::{Value, json};

use super::patch::new_retrier;
use super::report::{InsteadOfLoop, Operation};
use crate::analysis::retry_policy::{Policy, Retrier};
use crate::analysis::storms::loops::HandLoop;

/// Fields that only JSONPath has. A Wait with one of them cannot become one of JSONata as it stands.
const ONLY_JSON_PATH: [&str; 5] = ["InputPath", "OutputPath", "Assign", "SecondsPath", "TimestampPath"];
/// Retries of a `Retry` in place of a loop that may go on for ever: with waits that grow up to eight times the first they last about
/// half an hour for one of a minute.
const ATTEMPTS_OF_ENDLESS: u64 = 8;

/// A loop's Wait before and after, with the patch.
pub(super) struct RandomWait {
    pub before: Value,
    pub after: Value,
    pub patch: Vec<Operation>,
}

/// The Wait with a random time from 0 to twice its seconds, whose mean is as it was: half of it, as a `Retry` with jitter would take,
/// would double the calls while the dependency is down. `None` where the Wait is written in a way that this would break.
///
/// A state may have a query language of its own, so that one state is changed and nothing else of the definition.
pub(super) fn random_wait(definition: &Value, found: &HandLoop) -> Option<RandomWait> {
    let before = definition.pointer(&found.pointer)?.clone();
    let is_jsonata = |of: &Value| of.get("QueryLanguage").and_then(Value::as_str) == Some("JSONata");
    let speaks_jsonata = is_jsonata(&before) || (before.get("QueryLanguage").is_none() && is_jsonata(definition));
    if !speaks_jsonata && ONLY_JSON_PATH.iter().any(|field| before.get(field).is_some()) {
        return None;
    }
    let (seconds, mut after) = (found.seconds?, before.clone());
    let members = after.as_object_mut()?;
    let mut patch = Vec::new();
    if !speaks_jsonata {
        let op = if members.contains_key("QueryLanguage") { "replace" } else { "add" };
        let value = Value::from("JSONata");
        members.insert("QueryLanguage".to_owned(), value.clone());
        patch.push(Operation { op, path: format!("{}/QueryLanguage", found.pointer), value });
    }
    // $random() is below 1, so that the largest number is twice the seconds.
    let value = Value::from(format!("{{% $floor($random() * {}) %}}", 2.0 * seconds + 1.0));
    members.insert("Seconds".to_owned(), value.clone());
    patch.push(Operation { op: "replace", path: format!("{}/Seconds", found.pointer), value });
    Some(RandomWait { before, after, patch })
}

/// A random wait as the simulation takes it: a retrier that draws from 0 to twice the seconds each time.
pub(super) fn as_retrier(seconds: f64, random: bool, max_attempts: u64) -> Retrier {
    Retrier {
        error_equals: vec!["States.ALL".to_owned()],
        interval_seconds: if random { 2.0 * seconds } else { seconds },
        max_attempts,
        backoff_rate: 1.0,
        max_delay_seconds: None,
        full_jitter: random,
    }
}

/// A `Retry` of the state in place of the loop: `rounds` is how often the loop was gone through at most, `None` where it has no end.
pub(super) fn instead(policy: &Policy, found: &HandLoop, rounds: Option<u64>) -> Option<InsteadOfLoop> {
    let seconds = found.seconds?.max(1.0);
    let retrier = Retrier {
        error_equals: found.error_equals.clone(),
        interval_seconds: seconds,
        max_attempts: rounds.unwrap_or(ATTEMPTS_OF_ENDLESS).max(1),
        backoff_rate: 2.0,
        max_delay_seconds: Some(seconds * 8.0),
        full_jitter: true,
    };
    let new = new_retrier(&retrier);
    let (op, path, value, retry) = match policy.retry.as_array() {
        None => ("add", format!("{}/Retry", policy.pointer), json!([new]), json!([new])),
        Some(before) => {
            // Behind those that are there: they decide first, as they do now. States.ALL has to stand last.
            let is_all = |value: &Value| Retrier::of(value).error_equals.iter().any(|name| name == "States.ALL");
            let at = before.iter().position(is_all).unwrap_or(before.len());
            // Then there is one already that decides about everything.
            if at < before.len() && is_all(&new) {
                return None;
            }
            let mut retry = before.clone();
            retry.insert(at, new.clone());
            ("add", format!("{}/Retry/{at}", policy.pointer), new, Value::Array(retry))
        }
    };
    let patch = vec![Operation { op, path, value }];
    Some(InsteadOfLoop { states: found.states.clone(), wait_seconds: seconds, retry, patch })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::storms::loops::loops;

    fn definition() -> Value {
        json!({"StartAt": "Call", "States": {
            "Call": {"Type": "Task", "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:f", "Next": "Done",
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Pause"}]},
            "Pause": {"Type": "Wait", "Seconds": 20, "Next": "Call"},
            "Done": {"Type": "Succeed"}}})
    }

    fn patched(definition: &Value, patch: &[Operation]) -> Value {
        let mut definition = definition.clone();
        let patch: json_patch::Patch = serde_json::from_value(serde_json::to_value(patch).expect("JSON")).expect("a patch");
        json_patch::patch(&mut definition, &patch).expect("it applies");
        definition
    }

    #[test]
    fn a_random_wait_changes_one_state_and_is_valid() {
        let definition = definition();
        let found = loops(&definition.to_string(), "Call").remove(0);
        let random = random_wait(&definition, &found).expect("a change");
        let patched = patched(&definition, &random.patch);
        assert_eq!(patched["States"]["Pause"], random.after);
        assert_eq!(random.after["Seconds"], "{% $floor($random() * 41) %}");
        assert!(crate::asl::Definition::parse(&patched.to_string()).is_ok());
    }

    #[test]
    fn a_wait_with_paths_is_left_alone() {
        let mut definition = definition();
        definition["States"]["Pause"]["OutputPath"] = "$.kept".into();
        let found = loops(&definition.to_string(), "Call").remove(0);
        assert!(random_wait(&definition, &found).is_none());
        definition["QueryLanguage"] = "JSONata".into();
        assert_eq!(random_wait(&definition, &found).map(|random| random.patch.len()), Some(1));
    }

    #[test]
    fn a_retry_in_place_of_the_loop_stands_before_the_one_for_everything() {
        let mut definition = definition();
        definition["States"]["Call"]["Retry"] = json!([{"ErrorEquals": ["States.ALL"]}]);
        definition["States"]["Call"]["Catch"][0]["ErrorEquals"] = json!(["Busy"]);
        let found = loops(&definition.to_string(), "Call").remove(0);
        let policy = Policy::of(&definition.to_string(), "Call").expect("the state");
        let instead = instead(&policy, &found, None).expect("a Retry");
        assert_eq!(instead.patch[0].path, "/States/Call/Retry/0");
        assert_eq!(patched(&definition, &instead.patch)["States"]["Call"]["Retry"], instead.retry);
        assert_eq!(instead.retry[0]["MaxDelaySeconds"], 160);
    }
}

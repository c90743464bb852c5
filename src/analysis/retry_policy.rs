//! What a definition says of retries in one state: its retriers, the waits they ask for, and a calmer `Retry` in their place.
//!
//! Read from the definition's JSON, not from the compiled machine, so that half of a definition, or one that is newer than this
//! program, still tells its policy. Defaults and limits: `facts/asl-semantics`, "Retry"; Amazon States Language, "Retrying after error".

use serde::Serialize;
use serde_json::{Map, Value};

/// Parallel and Map states in each other deeper than this are not looked into.
const DEEPEST: usize = 64;
/// No wait is longer, in seconds: the greatest `MaxDelaySeconds` there may be. Keeps growth beyond all bounds a number.
const LONGEST: f64 = 31_622_400.0;

/// One retrier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Retrier {
    /// Error names.
    pub error_equals: Vec<String>,
    /// Seconds before the first retry; 1 where it is not given.
    pub interval_seconds: f64,
    /// How often it may be used in one visit; 3 where it is not given.
    pub max_attempts: u64,
    /// By how much the wait grows each time; 2 where it is not given.
    pub backoff_rate: f64,
    /// The longest wait in seconds.
    pub max_delay_seconds: Option<f64>,
    /// Whether `JitterStrategy` is `FULL`.
    pub full_jitter: bool,
}

/// The retriers of one state.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// JSON pointer of the state.
    pub pointer: String,
    /// In order; empty for a state without any.
    pub retriers: Vec<Retrier>,
    /// The state's `Retry`, as it stands; null where it has none.
    pub retry: Value,
    /// Its catchers, in order.
    pub catchers: Vec<Catcher>,
    /// Names of the Parallel and Map states around it, outermost first.
    pub enclosing: Vec<String>,
}

/// One catcher.
#[derive(Debug, Clone, PartialEq)]
pub struct Catcher {
    /// Error names.
    pub error_equals: Vec<String>,
    /// The state that it leads to.
    pub next: Option<String>,
}

impl Retrier {
    /// Reads one; what is missing or of another type has its default.
    pub fn of(value: &Value) -> Self {
        let number = |name: &str| value.get(name).and_then(Value::as_f64);
        Self {
            error_equals: error_names(value),
            interval_seconds: number("IntervalSeconds").unwrap_or(1.0),
            max_attempts: value.get("MaxAttempts").and_then(Value::as_u64).unwrap_or(3),
            backoff_rate: number("BackoffRate").unwrap_or(2.0),
            max_delay_seconds: number("MaxDelaySeconds"),
            full_jitter: value.get("JitterStrategy").and_then(Value::as_str) == Some("FULL"),
        }
    }

    /// The wait before its n-th use, from 1, in seconds: `min(IntervalSeconds × BackoffRate^(n-1), MaxDelaySeconds)`. With full
    /// jitter this is the longest wait, and any shorter one is as likely.
    pub fn nominal_delay_seconds(&self, use_number: u32) -> f64 {
        let grown = self.interval_seconds * self.backoff_rate.powi(i32::try_from(use_number.saturating_sub(1)).unwrap_or(i32::MAX));
        let longest = self.max_delay_seconds.unwrap_or(LONGEST).min(LONGEST);
        // Infinity and what is no number (0 times infinity) are cut as well.
        if grown < longest { grown.max(0.0) } else { longest.max(0.0) }
    }

    /// The wait before its last use, in seconds; 0 for one that never retries.
    pub fn last_delay_seconds(&self) -> f64 {
        if self.max_attempts == 0 {
            return 0.0;
        }
        let last = self.nominal_delay_seconds(u32::try_from(self.max_attempts).unwrap_or(u32::MAX));
        // A rate below 1, which the service refuses, would make the first the longest.
        last.max(self.nominal_delay_seconds(1))
    }

    /// Whether it takes this error: see [`takes`].
    pub fn takes(&self, error: &str) -> bool {
        takes(&self.error_equals, error)
    }
}

impl Catcher {
    /// Whether it takes this error: see [`takes`].
    pub fn takes(&self, error: &str) -> bool {
        takes(&self.error_equals, error)
    }
}

/// Whether names of errors take an error, as `ErrorEquals` does. `States.ALL` takes all but those that nothing catches,
/// `States.TaskFailed` all but timeouts; a missed heartbeat is a timeout, too.
pub fn takes(error_equals: &[String], error: &str) -> bool {
    let terminal = matches!(error, "States.DataLimitExceeded" | "States.Runtime");
    let timeout = matches!(error, "States.Timeout" | "States.HeartbeatTimeout");
    error_equals.iter().any(|name| match name.as_str() {
        "States.ALL" => !terminal,
        "States.TaskFailed" => !terminal && !timeout,
        "States.Timeout" => timeout,
        name => name == error,
    })
}

fn error_names(value: &Value) -> Vec<String> {
    let names = value.get("ErrorEquals").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Policy {
    /// The retriers of a state; `None` when the text is no definition or has no such state.
    pub fn of(definition: &str, state: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(definition).ok()?;
        find(&value, state, "", &mut Vec::new())
    }

    /// The retrier that decides about an error: the first one that takes it.
    pub fn retrier_for(&self, error: &str) -> Option<(usize, &Retrier)> {
        self.retriers.iter().enumerate().find(|(_, retrier)| retrier.takes(error))
    }

    /// The catcher that takes an error which no retry cured: the first one that matches.
    pub fn catcher_for(&self, error: &str) -> Option<&Catcher> {
        self.catchers.iter().find(|catcher| catcher.takes(error))
    }
}

impl Catcher {
    fn of(value: &Value) -> Self {
        Self { error_equals: error_names(value), next: value.get("Next").and_then(Value::as_str).map(str::to_owned) }
    }
}

/// A name as a step of a JSON pointer (RFC 6901).
pub fn pointer_step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn find(machine: &Value, wanted: &str, at: &str, enclosing: &mut Vec<String>) -> Option<Policy> {
    let states = machine.get("States").and_then(Value::as_object).filter(|_| enclosing.len() < DEEPEST)?;
    if let Some(state) = states.get(wanted) {
        let retry = state.get("Retry").cloned().unwrap_or(Value::Null);
        return Some(Policy {
            pointer: format!("{at}/States/{}", pointer_step(wanted)),
            retriers: retry.as_array().map(|all| all.iter().map(Retrier::of).collect()).unwrap_or_default(),
            retry,
            catchers: state.get("Catch").and_then(Value::as_array).into_iter().flatten().map(Catcher::of).collect(),
            enclosing: enclosing.clone(),
        });
    }
    states.iter().find_map(|(name, state)| {
        let own = format!("{at}/States/{}", pointer_step(name));
        let branches = state.get("Branches").and_then(Value::as_array).into_iter().flatten().enumerate();
        let branches = branches.map(|(index, branch)| (format!("{own}/Branches/{index}"), branch));
        let processors = ["ItemProcessor", "Iterator"].into_iter().filter_map(|field| Some((format!("{own}/{field}"), state.get(field)?)));
        enclosing.push(name.clone());
        let found = branches.chain(processors).find_map(|(at, inner)| find(inner, wanted, &at, enclosing));
        enclosing.pop();
        found
    })
}

/// The same retriers, calmer: `JitterStrategy` is `FULL` on each that retries at all, and each whose wait grows beyond
/// `longest_delay_seconds` gets that as its `MaxDelaySeconds` unless it has one. Everything else stays as it stands.
pub fn calmed(retry: &Value, longest_delay_seconds: u64) -> Value {
    let Some(retriers) = retry.as_array() else { return retry.clone() };
    Value::Array(retriers.iter().map(|value| calm(value, longest_delay_seconds)).collect())
}

fn calm(value: &Value, longest_delay_seconds: u64) -> Value {
    let Some(members) = value.as_object() else { return value.clone() };
    let retrier = Retrier::of(value);
    if retrier.max_attempts == 0 {
        return value.clone();
    }
    let mut members: Map<String, Value> = members.clone();
    let last = retrier.last_delay_seconds();
    #[allow(clippy::cast_precision_loss, reason = "a number of seconds")]
    if retrier.max_delay_seconds.is_none() && last > longest_delay_seconds as f64 && retrier.interval_seconds < longest_delay_seconds as f64
    {
        members.insert("MaxDelaySeconds".to_owned(), longest_delay_seconds.into());
    }
    members.insert("JitterStrategy".to_owned(), "FULL".into());
    Value::Object(members)
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact in binary, or rounded to be")]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition() -> String {
        json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "Call", "States": {
            "Call": {"Type": "Task", "Resource": "r", "End": true, "Retry": [
                {"ErrorEquals": ["Gone"], "MaxAttempts": 0},
                {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 2, "BackoffRate": 3.0, "MaxAttempts": 6},
            ]},
        }}}}})
        .to_string()
    }

    #[test]
    fn a_state_inside_a_map_is_found_with_its_defaults_filled_in() {
        let policy = Policy::of(&definition(), "Call").expect("the state");
        assert_eq!(policy.pointer, "/States/Each/ItemProcessor/States/Call");
        assert_eq!(policy.enclosing, ["Each"]);
        assert_eq!((policy.retriers[0].interval_seconds, policy.retriers[0].backoff_rate), (1.0, 2.0));
        assert_eq!(policy.retrier_for("Oops").map(|(index, _)| index), Some(1));
        assert_eq!(policy.retrier_for("States.Timeout"), None);
        assert_eq!(Policy::of(&definition(), "None"), None);
        assert_eq!(Policy::of("[", "Call"), None);
    }

    #[test]
    fn waits_grow_up_to_the_longest() {
        let policy = Policy::of(&definition(), "Call").expect("the state");
        let retrier = Retrier { max_delay_seconds: Some(10.0), ..policy.retriers[1].clone() };
        let delays: Vec<f64> = (1..=4).map(|n| retrier.nominal_delay_seconds(n)).collect();
        assert_eq!(delays, [2.0, 6.0, 10.0, 10.0]);
    }

    #[test]
    fn waits_without_bounds_stay_numbers() {
        let wild = Retrier { interval_seconds: 0.0, backoff_rate: f64::MAX, max_attempts: u64::MAX, ..Retrier::of(&json!({})) };
        assert!(wild.nominal_delay_seconds(u32::MAX).is_finite() && wild.last_delay_seconds().is_finite());
        let backwards = Retrier { interval_seconds: -5.0, ..wild };
        assert!(backwards.nominal_delay_seconds(1) >= 0.0);
        assert_eq!(Retrier { max_attempts: 0, ..Retrier::of(&json!({})) }.last_delay_seconds(), 0.0);
    }

    #[test]
    fn names_take_errors_as_the_service_matches_them() {
        let takes = |name: &str, error: &str| takes(&[name.to_owned()], error);
        assert!(takes("States.ALL", "States.Timeout") && !takes("States.ALL", "States.Runtime"));
        assert!(takes("States.TaskFailed", "Oops") && !takes("States.TaskFailed", "States.Timeout"));
        assert!(!takes("States.TaskFailed", "States.HeartbeatTimeout") && takes("States.Timeout", "States.HeartbeatTimeout"));
        assert!(takes("Oops", "Oops") && !takes("Oops", "oops"));
    }

    #[test]
    fn a_catcher_is_found_after_the_retriers() {
        let definition = json!({"StartAt": "A/B", "States": {"A/B": {"Type": "Task", "Catch": [
            {"ErrorEquals": ["Oops"], "Next": "One"}, {"ErrorEquals": ["States.ALL"], "Next": "Two"}]}}});
        let policy = Policy::of(&definition.to_string(), "A/B").expect("the state");
        assert_eq!(policy.pointer, "/States/A~1B");
        let next = |error: &str| policy.catcher_for(error).and_then(|catcher| catcher.next.as_deref());
        assert_eq!((next("Oops"), next("Else"), next("States.Runtime")), (Some("One"), Some("Two"), None));
    }

    #[test]
    fn calmer_retriers_keep_what_they_have() {
        let policy = Policy::of(&definition(), "Call").expect("the state");
        let calmer = calmed(&policy.retry, 60);
        assert_eq!(calmer[0], policy.retry[0], "one that never retries needs no jitter");
        assert_eq!((&calmer[1]["JitterStrategy"], &calmer[1]["MaxDelaySeconds"]), (&json!("FULL"), &json!(60)));
        assert_eq!(calmer[1]["ErrorEquals"], policy.retry[1]["ErrorEquals"]);
    }
}

//! What goes wrong in an execution, and which rules of Retry and Catch apply to it.
//!
//! | error                             | `States.ALL` | `States.TaskFailed` | its own name |
//! |-----------------------------------|--------------|---------------------|--------------|
//! | `States.Runtime`                  | no           | no                  | no           |
//! | an output that is too large       | no           | no                  | no           |
//! | `States.Timeout`                  | yes          | no                  | yes          |
//! | a missed heartbeat                | yes          | no                  | also as `States.Timeout` |
//! | any other, also one without name  | yes          | yes                 | yes          |
//!
//! The first two end the execution at once, wherever they happen: [`Halt`]. All others are a [`Failure`].

use std::rc::Rc;

use crate::asl::machine::State;
use crate::expr::{EvaluationError, Object, Value};

use super::RunError;

/// The name of errors that nothing can handle.
pub const RUNTIME: &str = "States.Runtime";
/// The name of errors in JSONata expressions.
pub const QUERY: &str = "States.QueryEvaluationError";
/// The name of timeouts.
pub const TIMEOUT: &str = "States.Timeout";
/// The name of payloads that are too large.
pub const DATA_LIMIT: &str = "States.DataLimitExceeded";
/// The name under which rules may name a missed heartbeat; events call it a timeout.
const HEARTBEAT: &str = "States.HeartbeatTimeout";

/// An error with its cause; either may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// The error name.
    pub error: Option<Rc<str>>,
    /// The cause.
    pub cause: Option<Rc<str>>,
    /// Whether it is a timeout because of a missed heartbeat.
    pub heartbeat: bool,
}

impl Failure {
    /// A failure with both.
    pub fn new(error: impl Into<Rc<str>>, cause: impl Into<Rc<str>>) -> Self {
        Self { error: Some(error.into()), cause: Some(cause.into()), heartbeat: false }
    }

    /// A timeout, which has no cause.
    pub fn timeout(heartbeat: bool) -> Self {
        Self { error: Some(TIMEOUT.into()), cause: None, heartbeat }
    }

    /// The error output that a catcher sees.
    pub fn error_output(&self) -> Value {
        let text = |text: &Option<Rc<str>>| text.as_ref().map_or(Value::Null, |text| Value::String(Rc::clone(text)));
        let mut object = Object::with_capacity(2);
        object.insert("Error", text(&self.error));
        object.insert("Cause", text(&self.cause));
        Value::from(object)
    }

    /// Whether the names of a retrier or catcher are meant for it.
    pub fn matches(&self, names: &[Rc<str>]) -> bool {
        let error = self.error.as_deref();
        error != Some(RUNTIME)
            && names.iter().any(|name| match &**name {
                "States.ALL" => true,
                "States.TaskFailed" => error != Some(TIMEOUT) && error != Some(HEARTBEAT),
                HEARTBEAT => self.heartbeat || error == Some(HEARTBEAT),
                TIMEOUT => error == Some(TIMEOUT) || error == Some(HEARTBEAT),
                name => error == Some(name),
            })
    }
}

/// Why a state could not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// An expression or a field gave no usable value.
    Evaluation(EvaluationError),
    /// Its output is larger than a payload may be.
    TooLarge,
}

impl From<EvaluationError> for Problem {
    fn from(error: EvaluationError) -> Self {
        Self::Evaluation(error)
    }
}

impl Problem {
    /// The failure as the service reports it: with the sentence that names the state.
    pub fn failure(&self, state: &State, entered_event_id: u64) -> Failure {
        match self {
            Self::Evaluation(error) => Failure::new(
                error.error,
                format!(
                    "An error occurred while executing the state '{}' (entered at the event id #{entered_event_id}). {}",
                    state.name, error.cause
                ),
            ),
            Self::TooLarge => Failure::new(DATA_LIMIT, too_large(&state.name)),
        }
    }
}

/// The cause of a result or an output that is too large; `what` is the state, or what its Task calls.
pub fn too_large(what: &str) -> String {
    format!("The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit.")
}

/// Why an execution stops here and now.
#[derive(Debug)]
pub(super) enum Halt {
    /// An error that nothing can handle.
    Failed { failure: Failure, previous_event_id: u64 },
    /// The history is full.
    HistoryFull,
    /// It cannot be run any further.
    Error(RunError),
}

impl From<RunError> for Halt {
    fn from(error: RunError) -> Self {
        Self::Error(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handled(error: Option<&str>, heartbeat: bool, name: &str) -> bool {
        Failure { error: error.map(Rc::from), cause: None, heartbeat }.matches(&[name.into()])
    }

    #[test]
    fn rules_apply_as_the_table_says() {
        for (error, heartbeat, all, task_failed) in [
            (Some(RUNTIME), false, false, false),
            (Some(TIMEOUT), false, true, false),
            (Some(TIMEOUT), true, true, false),
            (Some("Orders.Gone"), false, true, true),
            (Some(QUERY), false, true, true),
            (None, false, true, true),
        ] {
            assert_eq!(handled(error, heartbeat, "States.ALL"), all, "{error:?}");
            assert_eq!(handled(error, heartbeat, "States.TaskFailed"), task_failed, "{error:?}");
        }
        assert!(!handled(Some(RUNTIME), false, RUNTIME));
        assert!(handled(Some(TIMEOUT), true, TIMEOUT) && handled(Some(TIMEOUT), true, HEARTBEAT));
        assert!(!handled(Some(TIMEOUT), false, HEARTBEAT));
        // A mock may use the finer name itself.
        assert!(handled(Some(HEARTBEAT), false, TIMEOUT) && handled(Some(HEARTBEAT), false, HEARTBEAT));
        assert!(handled(Some("Orders.Gone"), false, "Orders.Gone") && !handled(Some("Orders.Gone"), false, "orders.gone"));
    }

    #[test]
    fn what_is_absent_is_null_in_the_error_output() {
        assert_eq!(Failure::default().error_output().to_json(), r#"{"Error":null,"Cause":null}"#);
    }
}

//! Expressions of the Amazon States Language: JSONPath, reference paths, intrinsic functions, payload templates and JSONata.
//!
//! Everything here is parsed once, when a definition is compiled, and evaluated many times. Nothing here knows states or
//! executions: what an expression can see is its input, and [`Surroundings`].

mod cursor;
pub(crate) mod hash;
mod intrinsic;
pub(crate) mod java;
mod jsonata;
mod object;
mod path;
mod reference;
mod references;
mod template;
#[cfg(test)]
mod testing;
mod value;

pub use jsonata::Jsonata;
pub use object::Object;
pub use path::PathExpression;
pub use reference::ReferencePath;
pub use references::{References, references};
pub use template::{Template, TemplateLanguage};
pub(crate) use value::write_string;
pub use value::{Number, ParseError, Value};

use thiserror::Error;

/// What an expression sees beside its input. Implemented by whoever runs states.
pub trait Surroundings {
    /// The context object (`$$`, `$states.context`). Built anew at each call: ask only when the expression names it.
    fn context(&self) -> Value;
    /// The variable of this name (without `$`), if it is assigned in this scope or an outer one.
    fn variable(&self, name: &str) -> Option<Value>;
    /// A number in [0, 1), for `States.MathRandom` and `$random`.
    fn random(&self) -> f64;
    /// A version 4 UUID, for `States.UUID` and `$uuid`.
    fn uuid(&self) -> String;
    /// Milliseconds since the epoch, for `$now` and `$millis`.
    fn now(&self) -> i64;
}

/// What an expression is evaluated against.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// `$` of a path; `$states.input` of JSONata. For JSONPath whoever evaluates passes the result here where `$` is the result.
    pub input: &'a Value,
    /// `$states.result`.
    pub result: Option<&'a Value>,
    /// `$states.errorOutput`.
    pub error_output: Option<&'a Value>,
    /// Context object, variables, randomness.
    pub around: &'a dyn Surroundings,
}

/// An expression could not be parsed. `at` is a byte offset into its text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} at character {at} of '{text}'")]
#[allow(missing_docs, reason = "the message shows them all")]
pub struct SyntaxError {
    pub message: String,
    pub at: usize,
    pub text: String,
}

/// An expression gave no value. `cause` is the service's text, without the sentence that names the state.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{error}: {cause}")]
pub struct EvaluationError {
    /// `States.Runtime`, `States.QueryEvaluationError`, and so on.
    pub error: &'static str,
    /// The service's words, such as `Invalid path '$.a.b' : Missing property in path $['a']`.
    pub cause: String,
    /// For JSONata the place below the state that `EvaluationFailed` names, such as `Output/result`.
    pub location: Option<String>,
}

impl EvaluationError {
    /// A `States.Runtime` with this cause.
    pub fn runtime(cause: impl Into<String>) -> Self {
        Self { error: "States.Runtime", cause: cause.into(), location: None }
    }

    /// A `States.QueryEvaluationError` at this place below the state.
    pub fn query(location: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { error: "States.QueryEvaluationError", cause: cause.into(), location: Some(location.into()) }
    }
}

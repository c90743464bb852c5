//! Paths where a field of a state takes one: `$.a`, `$$.Execution.Id`, `$variable.b`, `States.Format(…)`.

use super::{EvaluationError, Scope, SyntaxError, Value};

/// A parsed path or call of an intrinsic function.
#[derive(Debug, Clone)]
pub struct PathExpression {
    text: String,
}

impl PathExpression {
    /// Parses a path into the input (`$`), the context object (`$$`) or a variable (`$name`), or an intrinsic function.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self { text: text.to_owned() })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value. A definite path that finds nothing is a `States.Runtime`, an indefinite one gives an array.
    pub fn evaluate(&self, _scope: Scope<'_>) -> Result<Value, EvaluationError> {
        Err(EvaluationError::runtime("not built"))
    }

    /// The value; `None` where the path finds nothing. For `IsPresent`, and for fields whose error text is their own.
    pub fn find(&self, _scope: Scope<'_>) -> Result<Option<Value>, EvaluationError> {
        Err(EvaluationError::runtime("not built"))
    }
}

//! JSONata through `jsonata-core`, with the functions and limits of the service.

use super::{EvaluationError, Scope, SyntaxError, Value};

/// A parsed JSONata expression.
#[derive(Debug, Clone)]
pub struct Jsonata {
    text: String,
}

impl Jsonata {
    /// Parses the text between `{%` and `%}`.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self { text: text.trim().to_owned() })
    }

    /// As it was written, without the markers and the blanks beside them.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value. `field` is the place for error texts, such as `Output/result`.
    pub fn evaluate(&self, _scope: Scope<'_>, field: &str) -> Result<Value, EvaluationError> {
        Err(EvaluationError::query(field, "not built"))
    }
}

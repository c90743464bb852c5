//! Reference paths: those that name one place, and can be written to.

use super::{EvaluationError, SyntaxError, Value};

/// A path that names a single place, such as `$.a.b[0]`.
#[derive(Debug, Clone)]
pub struct ReferencePath {
    text: String,
}

impl ReferencePath {
    /// Parses a reference path: no `@`, `,`, `:`, `?`, `*`, `..`.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self { text: text.to_owned() })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `into` with `value` at this place; missing objects are made, an array index must exist. Only the objects on the way are copied.
    pub fn insert(&self, _into: &Value, _value: Value) -> Result<Value, EvaluationError> {
        Err(EvaluationError::runtime("not built"))
    }
}

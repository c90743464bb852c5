//! Which executions: expressions such as `status = FAILED and input.currency = 'JPY'`, parsed once and asked of the facts of each.
//!
//! ```text
//! expression  = conjunction { "or" conjunction }
//! conjunction = factor { "and" factor }
//! factor      = "not" factor | "(" expression ")" | condition
//! condition   = "visited" "(" state ")" | "retried" "(" state ")" | "took" "(" state "," state ")"
//!             | ( field | count ) comparison
//! count       = ( "visits" | "items" ) "(" state ")" | ( "length" | "size" ) "(" field ")"
//! comparison  = ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value | [ "not" ] "in" "(" value { "," value } ")"
//!             | [ "not" ] "like" pattern | "exists"
//! ```
//!
//! A comparison with something that is not there is false, `!=` as well: `not (alias = live)` is how to ask for the others.

mod evaluate;
mod field;
mod literal;
mod parse;
mod payload;
#[cfg(test)]
mod tests;
mod token;

use thiserror::Error;

pub use evaluate::{hour, weekday};
pub use field::{Field, Plain, is_plain, quoted};
pub use payload::Payload;

use crate::model::ExecutionFacts;
use crate::model::facts::Needs;
use literal::Literal;

/// An expression that says of each execution whether it is one of those meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    text: String,
    expression: Expression,
}

/// Why an expression was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("column {column}: {problem}")]
pub struct SelectionError {
    /// Where, from 1, in characters.
    pub column: usize,
    /// What was expected there and what was found.
    pub problem: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Not(Box<Expression>),
    Condition(Condition),
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Compare(Field, Comparison, Literal),
    In(Field, Vec<Literal>),
    Like(Field, String),
    Exists(Field),
    Visited(String),
    Retried(String),
    Took(String, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Selection {
    /// Reads an expression; an empty one is an error.
    pub fn parse(text: &str) -> Result<Self, SelectionError> {
        Ok(Self { text: text.trim().to_owned(), expression: parse::expression(text)? })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which parts of the facts it looks at.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        self.each_condition(&mut |condition| needs = needs.and(condition.needs()));
        needs
    }

    /// The fields and states that it names, as it would name them: what it selects by explains nothing.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.each_condition(&mut |condition| names.push(condition.subject()));
        names.sort();
        names.dedup();
        names
    }

    /// Whether the execution is one of those meant.
    pub fn matches(&self, facts: &ExecutionFacts<'_>) -> bool {
        self.matches_with(facts, &Payload::default())
    }

    /// The same, for callers that look into the input themselves: it is parsed once.
    pub fn matches_with(&self, facts: &ExecutionFacts<'_>, payload: &Payload) -> bool {
        evaluate::holds(&self.expression, facts, payload)
    }

    fn each_condition(&self, visit: &mut dyn FnMut(&Condition)) {
        let mut waiting = vec![&self.expression];
        while let Some(expression) = waiting.pop() {
            match expression {
                Expression::Any(inner) | Expression::All(inner) => waiting.extend(inner),
                Expression::Not(inner) => waiting.push(inner),
                Expression::Condition(condition) => visit(condition),
            }
        }
    }
}

impl Condition {
    fn needs(&self) -> Needs {
        match self {
            Self::Compare(field, ..) | Self::In(field, _) | Self::Like(field, _) | Self::Exists(field) => field.needs(),
            Self::Visited(_) | Self::Retried(_) | Self::Took(..) => Needs { visits: true, ..Needs::default() },
        }
    }

    fn subject(&self) -> String {
        match self {
            Self::Compare(field, ..) | Self::In(field, _) | Self::Like(field, _) | Self::Exists(field) => field.to_string(),
            Self::Visited(state) => format!("visited({})", quoted(state)),
            Self::Retried(state) => format!("retried({})", quoted(state)),
            Self::Took(choice, _) => format!("took({})", quoted(choice)),
        }
    }
}

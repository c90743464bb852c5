//! Queries of CloudWatch Logs Insights on the records of Step Functions: text with a head that explains it.
//!
//! A query is a file of `queries/logs-insights/`, or of the user's own. Its head is comment lines (`#`, which Insights takes as well): the
//! question that it answers stands first, and sections may follow.
//!
//! ```text
//! # How many retries were there in each minute?
//! #
//! # Words on what it can tell and what it cannot.
//! #
//! # Level: ALL
//! # Parameters:
//! #   {bin} = 1m  the time of a row
//! # Columns:
//! #   at (time)         when the row begins
//! #   retries (number)  attempts beyond the first of a visit
//! filter type in ["TaskStateEntered", …
//! ```
//!
//! Rows of sections begin with three spaces, and what is indented deeper goes on with the row above. A head in any other form is a
//! comment: then the query has neither parameters nor columns.

mod head;
mod saved;

use std::fmt::Write as _;

use serde::Serialize;
use thiserror::Error;

use crate::model::StateMachineArn;

pub use saved::{SAVED, Saved, saved};

/// The longest text that the service takes, in characters.
pub const LONGEST: usize = 10_000;

/// A query and what its head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsightsQuery {
    /// The question that it answers: the first line of its head; empty without a head.
    pub question: String,
    /// What stands between the question and the first section.
    pub notes: String,
    /// The lowest level of logging whose records answer it, in words such as `ALL`; empty where the head does not say.
    pub level: String,
    /// What may, or must, be filled in.
    pub parameters: Vec<Parameter>,
    /// What its rows hold.
    pub columns: Vec<Column>,
    head: String,
    body: String,
}

/// Something to be filled in, written `{name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// What it is unless something else is given; `None` for one that must be given.
    pub default: Option<String>,
}

/// A column of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// What its values are.
    pub kind: ColumnKind,
}

/// What the values of a column are. The service gives all of them as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Anything.
    #[default]
    Text,
    /// Numbers.
    Number,
    /// Moments, which the service writes as a date in UTC, or as milliseconds since 1970.
    Time,
}

/// Why a query can't be asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InsightsError {
    /// A value for something that the query does not have.
    #[error("the query has no parameter `{name}`; {}", parameters_text(known))]
    NoParameter {
        /// What was given.
        name: String,
        /// What it has.
        known: Vec<String>,
    },
    /// No value for something that must have one.
    #[error("the query needs `{name}` ({meaning}); give it with --set {name}=…")]
    NoValue {
        /// The parameter.
        name: String,
        /// What it means.
        meaning: String,
    },
    /// A value that would end the text around it.
    #[error("the value of `{name}` holds {what}, which a query cannot take there")]
    BadValue {
        /// The parameter.
        name: String,
        /// What must not be there.
        what: &'static str,
    },
    /// A text that is too long for the service.
    #[error("the query has {length} characters; CloudWatch Logs Insights takes {LONGEST}")]
    TooLong {
        /// Characters.
        length: usize,
    },
    /// Nothing but a head.
    #[error("there is no query in it, only comments")]
    Empty,
}

fn parameters_text(known: &[String]) -> String {
    if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) }
}

impl InsightsQuery {
    /// Takes a text apart; every text is a query, with a head or without.
    pub fn read(text: &str) -> Self {
        head::read(text)
    }

    /// The query as the service is asked: without its head, with every parameter filled in.
    ///
    /// `values` go before the defaults. With a machine only its executions are looked at, for a log group may have records of several.
    pub fn filled(&self, values: &[(String, String)], machine: Option<&str>) -> Result<String, InsightsError> {
        let mut body = self.body.trim().to_owned();
        if body.is_empty() {
            return Err(InsightsError::Empty);
        }
        for (name, value) in values {
            if !self.parameters.iter().any(|parameter| parameter.name == *name) {
                let known = self.parameters.iter().map(|parameter| parameter.name.clone()).collect();
                return Err(InsightsError::NoParameter { name: name.clone(), known });
            }
            check(name, value)?;
        }
        for parameter in &self.parameters {
            let given = values.iter().rev().find(|(name, _)| *name == parameter.name).map(|(_, value)| value);
            let missing = || InsightsError::NoValue { name: parameter.name.clone(), meaning: parameter.meaning.clone() };
            let value = given.or(parameter.default.as_ref()).ok_or_else(missing)?;
            body = body.replace(&format!("{{{}}}", parameter.name), value);
        }
        if let Some(machine) = machine {
            body = format!("{}\n| {body}", only(machine));
        }
        match body.chars().count() {
            length if length > LONGEST => Err(InsightsError::TooLong { length }),
            _ => Ok(body),
        }
    }

    /// The same with its head, to be pasted into the console.
    pub fn text(&self, values: &[(String, String)], machine: Option<&str>) -> Result<String, InsightsError> {
        Ok(format!("{}{}\n", self.head, self.filled(values, machine)?))
    }
}

fn check(name: &str, value: &str) -> Result<(), InsightsError> {
    let bad = |what| Err(InsightsError::BadValue { name: name.to_owned(), what });
    if value.contains('"') {
        return bad("a double quote");
    }
    if value.chars().any(char::is_control) {
        return bad("a line break or another control character");
    }
    if value.is_empty() {
        return bad("nothing");
    }
    Ok(())
}

/// The command that leaves only the executions of a machine, named or by its ARN, the children of its Map Runs among them.
fn only(machine: &str) -> String {
    let parsed = machine.parse::<StateMachineArn>().ok();
    let name = parsed.as_ref().map_or(machine, |arn| arn.name());
    let mut escaped = String::with_capacity(name.len());
    for character in name.chars() {
        if !character.is_alphanumeric() && !matches!(character, '-' | '_') {
            escaped.push('\\');
        }
        // Writing to a String cannot fail.
        let _ = write!(escaped, "{character}");
    }
    format!(r"filter execution_arn like /:(execution|express):{escaped}[:\/]/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# How many?\n#\n# Of a kind.\n#\n# Level: ERROR\n# Parameters:\n#   {bin} = 1m  the time of a row\n#   {kind}  which\n#           kind\n# Columns:\n#   at (time)  when\n#   n (number)  how many\nfilter type = \"{kind}\"\n| stats count(*) as n by bin({bin}) as at\n";

    fn value(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn the_head_tells_question_level_parameters_and_columns() {
        let query = InsightsQuery::read(TEXT);
        assert_eq!((query.question.as_str(), query.notes.as_str(), query.level.as_str()), ("How many?", "Of a kind.", "ERROR"));
        let parameters: Vec<_> = query
            .parameters
            .iter()
            .map(|parameter| (parameter.name.as_str(), parameter.default.as_deref(), parameter.meaning.as_str()))
            .collect();
        assert_eq!(parameters, [("bin", Some("1m"), "the time of a row"), ("kind", None, "which kind")]);
        let columns: Vec<_> = query.columns.iter().map(|column| (column.name.as_str(), column.kind, column.meaning.as_str())).collect();
        assert_eq!(columns, [("at", ColumnKind::Time, "when"), ("n", ColumnKind::Number, "how many")]);
    }

    #[test]
    fn parameters_are_filled_in_and_the_head_stays_for_the_console_only() {
        let query = InsightsQuery::read(TEXT);
        let filled = query.filled(&[value("kind", "TaskFailed")], None).expect("all are given");
        assert_eq!(filled, "filter type = \"TaskFailed\"\n| stats count(*) as n by bin(1m) as at");
        let text = query.text(&[value("kind", "TaskFailed"), value("bin", "5m")], None).expect("all are given");
        assert!(text.starts_with("# How many?\n#\n") && text.ends_with("by bin(5m) as at\n"), "{text}");
    }

    #[test]
    fn what_is_missing_unknown_or_harmful_is_said() {
        let query = InsightsQuery::read(TEXT);
        let refused = |values: &[(String, String)]| query.filled(values, None).expect_err("refused").to_string();
        assert_eq!(refused(&[]), "the query needs `kind` (which kind); give it with --set kind=…");
        assert_eq!(refused(&[value("king", "x")]), "the query has no parameter `king`; it has bin, kind");
        assert!(refused(&[value("kind", "x\" or type != \"")]).contains("double quote"));
        assert!(refused(&[value("kind", "x\n| limit 1")]).contains("line break"));
        assert_eq!(InsightsQuery::read("# Nothing?\n").filled(&[], None), Err(InsightsError::Empty));
        let long = InsightsQuery::read(&format!("filter a = \"{}\"", "x".repeat(LONGEST)));
        assert!(matches!(long.filled(&[], None), Err(InsightsError::TooLong { .. })));
    }

    #[test]
    fn with_a_machine_only_its_executions_are_looked_at() {
        let query = InsightsQuery::read("filter type = \"X\"");
        let by_name = query.filled(&[], Some("Orders.v2")).expect("filled");
        assert_eq!(by_name, "filter execution_arn like /:(execution|express):Orders\\.v2[:\\/]/\n| filter type = \"X\"");
        let arn = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders:prod";
        assert!(query.filled(&[], Some(arn)).expect("filled").contains(":Orders[:"));
    }

    #[test]
    fn a_text_without_a_head_is_a_query_as_it_is() {
        let text = "fields @message\n# only some\n| parse details.cause /(?<a>x{2})/";
        let query = InsightsQuery::read(text);
        assert_eq!((query.question.as_str(), query.parameters.len()), ("", 0));
        assert_eq!(query.filled(&[], None).expect("nothing to fill"), text);
    }
}

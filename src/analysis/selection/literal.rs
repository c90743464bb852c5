//! Values in an expression, read as the field beside them wants them.

use super::field::{Field, ValueKind};
use super::token::Token;
use crate::model::{ExecutionStatus, Micros, time};

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
    Status(ExecutionStatus),
    Time(Micros),
    /// In milliseconds.
    Duration(f64),
}

/// Reads the token that stands where a value has to; the error says what was expected.
pub(super) fn read(field: &Field, token: &Token) -> Result<Literal, String> {
    let (text, quoted) = match token {
        Token::Word(word) => (word.as_str(), false),
        Token::Text(text) => (text.as_str(), true),
        Token::Sign(_) => return Err(format!("expected a value for `{field}`, found {}", token.shown())),
    };
    if !quoted && text.eq_ignore_ascii_case("null") {
        return Ok(Literal::Null);
    }
    let value = match field.kind() {
        ValueKind::Text => Some(Literal::Text(text.to_owned())),
        ValueKind::Json if quoted => Some(Literal::Text(text.to_owned())),
        ValueKind::Json => Some(json(text)),
        ValueKind::Number => number(text).map(Literal::Number),
        ValueKind::Boolean => boolean(text),
        ValueKind::Time => moment(text).map(Literal::Time),
        ValueKind::Duration => duration(text).map(Literal::Duration),
        ValueKind::Status => status(text).map(Literal::Status),
    };
    value.ok_or_else(|| format!("{} is no {} for `{field}`", token.shown(), expected(field.kind())))
}

fn expected(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Status => "status (RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE)",
        ValueKind::Text | ValueKind::Json => "value",
        ValueKind::Number => "number",
        ValueKind::Boolean => "truth value (true, false)",
        ValueKind::Time => "time (2026-11-20T08:00:00Z, 2026-11-20)",
        ValueKind::Duration => "duration with its unit (250ms, 30s, 5m, 2h, 1d)",
    }
}

fn json(text: &str) -> Literal {
    boolean(text).or_else(|| number(text).map(Literal::Number)).unwrap_or_else(|| Literal::Text(text.to_owned()))
}

fn boolean(text: &str) -> Option<Literal> {
    match text {
        "true" => Some(Literal::Boolean(true)),
        "false" => Some(Literal::Boolean(false)),
        _ => None,
    }
}

/// A number as JSON has it; `inf` and `nan` are words.
fn number(text: &str) -> Option<f64> {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'));
    text.parse::<f64>().ok().filter(|number| is_number && number.is_finite())
}

fn moment(text: &str) -> Option<Micros> {
    let midnight = || time::parse(&format!("{text}T00:00:00Z"));
    let is_date = text.len() == 10 && text.as_bytes()[4] == b'-';
    if is_date { midnight() } else { time::parse(text) }.map(Micros::from)
}

fn duration(text: &str) -> Option<f64> {
    let digits = text.find(|character: char| character.is_ascii_alphabetic())?;
    let (amount, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => 1.0,
        "s" => 1e3,
        "m" | "min" => 60e3,
        "h" => 3600e3,
        "d" => 86_400e3,
        _ => return None,
    };
    Some(number(amount)? * milliseconds)
}

fn status(text: &str) -> Option<ExecutionStatus> {
    let wanted = text.replace('-', "_");
    ExecutionStatus::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(&wanted))
}

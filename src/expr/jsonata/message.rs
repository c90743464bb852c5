//! The service's words for an expression that threw.
//!
//! The service has the words of the reference implementation. The engine's differ for some codes, and leave out which function or
//! operator it was; both are put right here as far as the expression tells.

use jsonata_core::ast::BinaryOp;
use jsonata_core::evaluator::{EvaluatorError, error_code_prefix};
use jsonata_core::parser::ParserError;

use super::needs::Needs;

/// A value that grew too large.
pub(super) const TOO_LARGE: &str = "Expression evaluation memory limit exceeded: Check for excessive memory usage";
const TOO_DEEP: &str = "Stack overflow error: Check for non-terminating recursive function.  Consider rewriting as tail-recursive";
const TOO_LONG: &str = "Expression evaluation timeout: Check for infinite loop";

/// What follows `threw an error during evaluation`: `. <code>: <text>`, or `: <text>` where a bound was reached.
pub(super) fn tail(error: &EvaluatorError, needs: &Needs) -> String {
    let message = error.message();
    let Some(code) = error_code_prefix(message) else { return format!(": {message}") };
    let text = message[code.len() + 1..].trim_start();
    match code {
        "D1011" | "U1001" => format!(": {TOO_DEEP}"),
        "D2015" => format!(": {TOO_LARGE}"),
        "D1012" | "U1003" => format!(": {TOO_LONG}"),
        _ => format!(". {code}: {}", worded(code, text, needs)),
    }
}

/// What is wrong with an expression that cannot be parsed, with the code of the reference implementation where it has one.
pub(super) fn refusal(error: &ParserError) -> String {
    match error {
        ParserError::UnclosedComment => "S0106: Comment has no closing tag".to_owned(),
        other => other.to_string(),
    }
}

fn worded(code: &str, text: &str, needs: &Needs) -> String {
    match code {
        "T1006" => "Attempted to invoke a non-function".to_owned(),
        "T2001" | "T2002" => quoted_operator(text),
        "T2003" => "The left side of the range operator (..) must evaluate to an integer".to_owned(),
        "T2004" => "The right side of the range operator (..) must evaluate to an integer".to_owned(),
        "T2010" => compared(text, needs),
        "D1002" => between(text, "Cannot negate a non-numeric value: "),
        "D3030" => unable_to_cast(text),
        "T0410" | "T0411" | "T0412" => wrong_argument(code, text, needs),
        _ => text.to_owned(),
    }
}

/// `the + operator` becomes `the "+" operator`.
fn quoted_operator(text: &str) -> String {
    let Some((before, after)) = text.split_once(" of the ") else { return text.to_owned() };
    let Some((operator, after)) = after.split_once(' ') else { return text.to_owned() };
    format!("{before} of the \"{}\" {after}", operator.trim_matches('"'))
}

fn compared(text: &str, needs: &Needs) -> String {
    let mut operators = needs.orders.clone();
    operators.dedup();
    let operator = match operators.as_slice() {
        [BinaryOp::LessThan] => "<",
        [BinaryOp::LessThanOrEqual] => "<=",
        [BinaryOp::GreaterThan] => ">",
        [BinaryOp::GreaterThanOrEqual] => ">=",
        // More than one may have been it.
        _ => return text.to_owned(),
    };
    format!("The expressions either side of operator \"{operator}\" must evaluate to numeric or string values")
}

fn between(text: &str, words: &str) -> String {
    match text.split_once(": ") {
        Some((_, value)) => format!("{words}{value}"),
        None => text.to_owned(),
    }
}

/// `Cannot convert 'x' to number` becomes `Unable to cast value to a number: "x"`.
fn unable_to_cast(text: &str) -> String {
    let quoted = text.strip_prefix("Cannot convert '").and_then(|rest| rest.strip_suffix("' to number"));
    match quoted {
        Some(value) => format!("Unable to cast value to a number: {}", crate::expr::Value::from(value)),
        None if text.contains("null") => "Unable to cast value to a number: null".to_owned(),
        None => "Unable to cast value to a number".to_owned(),
    }
}

/// An argument of the wrong type: its number, the function and the wanted type, put together anew.
fn wrong_argument(code: &str, text: &str, needs: &Needs) -> String {
    let Some(number) = text.split_once("rgument ").and_then(|(_, rest)| rest.split([' ', ':']).next()) else { return text.to_owned() };
    let named = text.split_once("of function ").map(|(_, rest)| rest.split(' ').next().unwrap_or_default().trim_matches(['$', '"']));
    let mut called: Vec<&str> = needs.called.iter().map(String::as_str).collect();
    called.dedup();
    let name = match (named, called.as_slice()) {
        (Some(name), _) if !matches!(name, "" | "undefined" | "does" | "must") => name,
        (_, [only]) => only,
        // More than one may have been it.
        _ => return text.to_owned(),
    };
    match code {
        "T0410" => format!("Argument {number} of function \"{name}\" does not match function signature"),
        "T0411" => format!("Context value is not a compatible type with argument {number} of function \"{name}\""),
        _ => {
            let element = text.rsplit("an array of ").next().unwrap_or_default().trim_matches('"').to_lowercase();
            let plural = if element.is_empty() || element.ends_with('s') || element == "undefined" { "" } else { "s" };
            let quote = if element == "undefined" { "" } else { "\"" };
            format!("Argument {number} of function \"{name}\" must be an array of {quote}{element}{plural}{quote}")
        }
    }
}

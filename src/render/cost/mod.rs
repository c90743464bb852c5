//! `cost`: the report as text, as JSON, as plots; executions as JSON Lines.

mod plot;
mod table;
mod text;

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::Value;

pub use plot::figure;
pub use text::{View, text};

use super::escape;
use super::redact::Redactor;
use crate::analysis::cost::CostReport;

/// Writes the report as one JSON document: of several lines, or on one.
pub fn json(report: &CostReport, on_one_line: bool, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    let report = redacted(serde_json::to_value(report)?, *redactor);
    let text = if on_one_line { serde_json::to_string(&report)? } else { serde_json::to_string_pretty(&report)? };
    writeln!(out, "{}", escape::json(&text))
}

/// Writes each execution as a JSON document on a line of its own, sorted by ARN.
pub fn executions(report: &CostReport, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    for execution in &report.executions {
        let text = serde_json::to_string(execution)?;
        let text = match redactor.apply(&text) {
            Cow::Borrowed(text) => Cow::Borrowed(text),
            Cow::Owned(_) => Cow::Owned(redacted(serde_json::to_value(execution)?, *redactor).to_string()),
        };
        writeln!(out, "{}", escape::json(&text))?;
    }
    Ok(())
}

/// Masks secrets string by string: a state named `AwaitSignature` is a name here, and its count no secret.
fn redacted(value: Value, redactor: Redactor) -> Value {
    match value {
        Value::String(text) => Value::String(redactor.apply(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(|item| redacted(item, redactor)).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (redactor.apply(&name).into_owned(), redacted(value, redactor))).collect()
        }
        other => other,
    }
}

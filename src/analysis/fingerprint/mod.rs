//! What makes two failures the same: a fingerprint of the root cause, with everything taken out that differs from one execution to
//! the next.
//!
//! | part                                                      | taken from                                                   |
//! |-----------------------------------------------------------|--------------------------------------------------------------|
//! | state machine and state of the root cause                 | the root-cause rule of `why`                                 |
//! | error                                                     | the root cause; long numbers and ids in it are taken out     |
//! | how it ended, when there was no failure to report          | a stop and the execution's time limit leave no error         |
//! | type of the error inside, service, HTTP status, error code | the decoded cause                                            |
//! | machine of the child execution                            | the decoded cause, when it quotes one                        |
//! | message                                                   | the decoded cause as a [template](template)                  |
//! | the two innermost frames of the application               | the decoded cause; file and function without line ([frames]) |
//!
//! Pure: it depends on one failure alone, never on other executions or their order, so that it can be computed when an execution is
//! stored. The rules have a [`VERSION`], which begins each fingerprint: other rules give other fingerprints, never the same ones
//! with another meaning.

mod frames;
mod lexer;
mod template;
mod values;

use serde::Serialize;

use super::cause;
use super::why::DecodedCause;
use crate::expr::hash;
use crate::model::{ExecutionArn, FailureFacts};

pub use template::{ANY, Template};

/// The version of the rules.
pub const VERSION: u32 = 1;

/// How many hexadecimal digits of the hash are kept: 48 bits, where a million groups collide with a chance of 0.2 percent.
const DIGITS: usize = 12;

/// How many of the innermost frames count.
const FRAMES: usize = 2;

/// What a failure is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fingerprint {
    /// The version of the rules, a colon, and 12 hexadecimal digits: `1:0f3a9c27b1de`.
    pub id: String,
    /// What went into it.
    pub parts: Parts,
}

/// What goes into a fingerprint beside state machine and state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Parts {
    /// The error's name, without ids; null when none was given.
    pub error: Option<String>,
    /// `aborted` or `execution_timed_out` for what ended without a failure; null otherwise.
    pub ending: Option<&'static str>,
    /// The type of the error inside: Lambda's errorType, the error of a quoted child.
    pub error_type: Option<String>,
    /// The AWS service that answered.
    pub service: Option<String>,
    /// Its HTTP status.
    pub status_code: Option<u16>,
    /// Its error code.
    pub error_code: Option<String>,
    /// The state machine of the child execution that the cause quotes.
    pub child_machine: Option<String>,
    /// The message, with what varies taken out.
    pub message: Template,
    /// The innermost frames of the application: file and function.
    pub frames: Vec<String>,
}

/// The fingerprint of a failure of this state machine, with the decoded cause that it rests on.
pub fn of_failure(state_machine: Option<&str>, failure: &FailureFacts<'_>) -> (Fingerprint, DecodedCause) {
    let error = failure.root_error.filter(|error| !error.is_empty());
    let decoded = failure.root_cause.map(|text| cause::decode(error, text)).unwrap_or_default();
    let ending = match failure.kind {
        "aborted" => Some("aborted"),
        "execution_timed_out" => Some("execution_timed_out"),
        _ => None,
    };
    let inner = decoded.error_type.as_deref();
    let raw = failure.root_cause.filter(|_| decoded.message.is_none() && decoded.children.is_empty());
    let parts = Parts {
        error: error.map(template::name),
        ending,
        error_type: inner.map(template::name),
        service: decoded.service.clone(),
        status_code: decoded.status_code,
        error_code: decoded.error_code.as_deref().map(template::name),
        child_machine: decoded.children.last().and_then(|child| machine_of(child.execution.as_deref()?)),
        message: match (decoded.message.as_deref(), raw) {
            (Some(message), _) => template::message(message, template::Names::of(error, inner)),
            (None, Some(cause)) => template::document(cause, template::Names::of(error, inner)),
            (None, None) => Template::default(),
        },
        frames: frames::of_application(&decoded.stack, FRAMES),
    };
    (Fingerprint { id: id(state_machine, failure.root_state, &parts), parts }, decoded)
}

/// The id that these parts make.
pub fn id(state_machine: Option<&str>, state: Option<&str>, parts: &Parts) -> String {
    let status = parts.status_code.map(|status| status.to_string());
    let fields = [
        state_machine,
        state,
        parts.error.as_deref(),
        parts.ending,
        parts.error_type.as_deref(),
        parts.service.as_deref(),
        status.as_deref(),
        parts.error_code.as_deref(),
        parts.child_machine.as_deref(),
        Some(parts.message.canonical()),
    ];
    hashed(fields.into_iter().chain(parts.frames.iter().map(|frame| Some(frame.as_str()))))
}

/// The id of what came of another failure: the executions of a machine that failed because a child did.
pub fn id_of_parents(state_machine: Option<&str>, root: &str) -> String {
    hashed([state_machine, Some("parent of"), Some(root)].into_iter())
}

/// Each field with its length, so that no two lists of fields make the same text.
fn hashed<'f>(fields: impl Iterator<Item = Option<&'f str>>) -> String {
    let mut text = VERSION.to_string();
    for field in fields {
        match field {
            Some(field) => text.extend(["\n", &field.len().to_string(), ":", field]),
            None => text.push_str("\n-"),
        }
    }
    let digits = hash::hexadecimal("SHA-256", text.as_bytes()).unwrap_or_default();
    format!("{VERSION}:{}", &digits[..DIGITS])
}

fn machine_of(execution: &str) -> Option<String> {
    Some(execution.parse::<ExecutionArn>().ok()?.machine().to_owned())
}

#[cfg(test)]
mod tests;

//! The answer to `test-state`: the API's JSON as it is, for people and for programs.
//!
//! Payloads are not redacted: they come from the caller's own arguments, and whoever tests a state compares them.

use std::io::{self, Write};

use super::escape;
use crate::interpreter::test_state::Answer;

/// Writes the answer as a JSON document of several lines.
pub fn json(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", escape::json(&serde_json::to_string_pretty(answer)?))
}

/// Writes the answer as a JSON document on one line.
pub fn json_line(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", escape::json(&serde_json::to_string(answer)?))
}

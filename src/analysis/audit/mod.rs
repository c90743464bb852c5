//! Whether a definition is valid, and what it will do to its owners in an outage.
//!
//! | file          | holds                                                       |
//! |---------------|-------------------------------------------------------------|
//! | `subject.rs`  | the definition as rules look at it                          |
//! | `aftermath.rs`| what is certain of the data after a Catch                   |
//! | `cycles.rs`   | loops                                                       |
//! | `call.rs`     | what a Task calls                                           |
//! | `handlers.rs` | retriers and catchers, where they are certain               |
//! | `rule.rs`     | what a rule is, and what it says                            |
//! | `rules/`      | the rules                                                   |

pub mod aftermath;
pub mod call;
pub mod cycles;
pub mod handlers;
pub mod rule;
pub mod rules;
pub mod subject;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::asl::check::{self, Diagnostic, MachineType, Severity, Verdict};
use crate::asl::source::{Format, Source, SourceError};

/// What was found in one definition.
#[derive(Debug, Clone, Serialize)]
pub struct AuditReport {
    /// `stepscope.audit/1`.
    pub schema: &'static str,
    /// Where the definition was read.
    pub file: String,
    /// The kind of state machine for which it was checked.
    #[serde(rename = "type")]
    pub machine_type: MachineType,
    /// Whether the service would take it.
    pub valid: bool,
    /// How many diagnostics are errors.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// Whether there were more diagnostics than are given.
    pub truncated: bool,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The lines that the diagnostics name, for whoever shows them.
    #[serde(skip)]
    pub lines: BTreeMap<usize, String>,
}

/// Checks a definition. The kind of state machine is the given one, else what the output of describe-state-machine tells, else Standard.
///
/// A text that is neither JSON nor YAML is an invalid definition; what can't be looked into at all is an error.
pub fn audit(file: &str, bytes: &[u8], machine_type: Option<MachineType>) -> Result<AuditReport, SourceError> {
    let source = match Source::read(bytes, Format::of_name(file)) {
        Ok(source) => source,
        Err(SourceError::Syntax(problem)) => {
            let lines = BTreeMap::from([(problem.position.line, problem.excerpt.clone())]);
            return Ok(report(file, machine_type.unwrap_or_default(), Verdict::of_syntax(&problem), lines));
        }
        Err(error) => return Err(error),
    };
    let described = source.machine_type().map(|described| match described {
        "EXPRESS" => MachineType::Express,
        _ => MachineType::Standard,
    });
    let machine_type = machine_type.or(described).unwrap_or_default();
    let verdict = check::check(&source, machine_type);
    let named = verdict.diagnostics.iter().map(|diagnostic| diagnostic.line);
    let lines = named.map(|line| (line, source.line(line).to_owned())).collect();
    Ok(report(file, machine_type, verdict, lines))
}

fn report(file: &str, machine_type: MachineType, verdict: Verdict, lines: BTreeMap<usize, String>) -> AuditReport {
    let errors = verdict.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    AuditReport {
        schema: "stepscope.audit/1",
        file: file.to_owned(),
        machine_type,
        valid: verdict.is_valid(),
        errors,
        warnings: verdict.diagnostics.len() - errors,
        truncated: verdict.truncated,
        diagnostics: verdict.diagnostics,
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_PASS: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#;
    const ACTIVITY: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:111111111111:activity:a", "End": true}}}"#;

    fn described(definition: &str, machine_type: &str) -> Vec<u8> {
        serde_json::to_vec(&serde_json::json!({"name": "Orders", "type": machine_type, "definition": definition})).expect("JSON")
    }

    #[test]
    fn a_sound_definition_is_valid() {
        let report = audit("a.json", EMPTY_PASS.as_bytes(), None).expect("a definition");
        assert!(report.valid && report.diagnostics.is_empty());
    }

    #[test]
    fn the_description_of_a_machine_tells_its_type_unless_one_is_given() {
        let express = described(ACTIVITY, "EXPRESS");
        assert!(!audit("a.json", &express, None).expect("a definition").valid);
        assert!(audit("a.json", &express, Some(MachineType::Standard)).expect("a definition").valid);
        assert!(audit("a.json", &described(ACTIVITY, "STANDARD"), None).expect("a definition").valid);
    }

    #[test]
    fn text_that_is_no_json_is_an_invalid_definition_with_its_place() {
        let report = audit("a.json", b"{\n  \"StartAt\": }", None).expect("a verdict");
        assert!(!report.valid);
        assert_eq!((report.diagnostics[0].line, report.diagnostics[0].column), (2, 14));
        assert_eq!(report.lines[&2], "  \"StartAt\": }");
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        assert_eq!(audit("a.json", &[0xFF, 0xFE], None).expect_err("no text"), SourceError::NotText);
    }
}

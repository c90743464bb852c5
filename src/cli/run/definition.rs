//! The state machine that is run: from a file with a definition, or with the output of describe-state-machine.

use std::io::Write;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, anyhow};
use thiserror::Error;

use super::documents::{file, text_of};
use crate::analysis::audit::{AuditReport, Options, audit};
use crate::asl;
use crate::asl::check::{MachineType, Severity};
use crate::asl::machine::StateMachine;
use crate::asl::source::{Format, Source};
use crate::cli::global::GlobalArgs;
use crate::cli::output::TextSettings;
use crate::expr::Value;
use crate::interpreter::Child;
use crate::render;

/// A definition with what its source says of the state machine around it.
#[derive(Debug)]
pub struct Definition {
    /// Ready to be run.
    pub machine: Rc<StateMachine>,
    /// Its name, as the source has it, or as the file is called.
    pub name: String,
    /// `stateMachineArn` of describe-state-machine.
    pub arn: Option<String>,
    /// `roleArn` of describe-state-machine.
    pub role_arn: Option<String>,
    /// What it is run as.
    pub machine_type: MachineType,
}

/// A definition that the service would not take.
#[derive(Debug, Error)]
#[error("the definition `{}` is not valid: the service would not take it; --no-check runs it as far as it goes", .0.file)]
pub struct Invalid(AuditReport);

impl Definition {
    /// Reads, checks and compiles the definition in a file, or on standard input. Without a type it is that of describe-state-machine, or
    /// Standard. Only where `checked` are the errors of the checker errors.
    pub fn read(path: &str, machine_type: Option<MachineType>, checked: bool) -> anyhow::Result<Self> {
        let (label, text) = if path == "-" { text_of(path)? } else { (path.to_owned(), file(path)?) };
        if checked {
            let report = audit(&label, text.as_bytes(), &Options::validity(machine_type))
                .with_context(|| format!("failed to read the definition `{label}`"))?;
            if !report.valid {
                return Err(Invalid(report).into());
            }
        }
        Self::parse(&text, path, machine_type).with_context(|| format!("failed to read the definition `{label}`"))
    }

    fn parse(text: &str, path: &str, machine_type: Option<MachineType>) -> anyhow::Result<Self> {
        let source = Source::read(text.as_bytes(), Format::of_name(path))?;
        // Only of use for the output of describe-state-machine, which is JSON.
        let described = Value::parse(text).ok().filter(|value| value.get("definition").is_some());
        let member = |name: &str| Some(described.as_ref()?.get(name)?.as_str()?.to_owned());
        let is_express = source.machine_type() == Some("EXPRESS");
        Ok(Self {
            machine: asl::compile(&source.to_json()).map_err(|error| anyhow!("it can't be run: {error}"))?,
            name: member("name").unwrap_or_else(|| name_of(path)),
            arn: member("stateMachineArn"),
            role_arn: member("roleArn"),
            machine_type: machine_type.unwrap_or(if is_express { MachineType::Express } else { MachineType::Standard }),
        })
    }

    /// Whether it is run as an Express state machine.
    pub fn is_express(&self) -> bool {
        self.machine_type == MachineType::Express
    }

    /// As what a Task starts.
    pub fn child(&self) -> Child {
        Child { machine: Rc::clone(&self.machine), express: self.is_express() }
    }
}

impl Invalid {
    /// Says what is wrong, and where.
    pub fn explain(mut self, global: &GlobalArgs, words: &mut dyn Write) -> std::io::Result<()> {
        self.0.diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
        self.0.warnings = 0;
        let TextSettings { redactor, width, .. } = TextSettings::resolve(global);
        // Words on stderr have no colours.
        render::audit::text(&[self.0], &render::styles::Styles::plain(), &redactor, width, words)
    }
}

/// The file's name up to its first dot, as far as it can be the name of a state machine.
fn name_of(path: &str) -> String {
    const LONGEST: usize = 80;
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).take(LONGEST).collect();
    if name.trim_matches('-').is_empty() { "StateMachine".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_called_as_its_file() {
        let names = ["order.json", "flows/my order.asl.json", "-", "...", "Überweisung.json"].map(name_of);
        assert_eq!(names, ["order", "my-order", "StateMachine", "StateMachine", "-berweisung"]);
    }
}

//! The state machine that is run: from a file with a definition, or with the output of describe-state-machine.

use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, anyhow};

use super::documents::{file, text_of};
use crate::asl::machine::StateMachine;
use crate::asl::{self};
use crate::expr::Value;
use crate::interpreter::Child;

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
    /// Whether its `type` is EXPRESS.
    pub express: bool,
}

impl Definition {
    /// Reads and compiles the definition in a file, or on standard input.
    pub fn read(path: &str) -> anyhow::Result<Self> {
        let text = if path == "-" { text_of(path)?.1 } else { file(path)? };
        let origin = if path == "-" { "standard input" } else { path };
        Self::parse(&text, &name_of(path)).with_context(|| format!("failed to read the definition `{origin}`"))
    }

    fn parse(text: &str, name: &str) -> anyhow::Result<Self> {
        let value = Value::parse(text).map_err(|error| anyhow!("it is no JSON: {error}"))?;
        let member = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let definition = match value.get("definition") {
            Some(Value::String(definition)) => definition.to_string(),
            Some(definition) => definition.to_json(),
            None => text.to_owned(),
        };
        Ok(Self {
            machine: asl::compile(&definition)?,
            name: member("name").unwrap_or_else(|| name.to_owned()),
            arn: member("stateMachineArn"),
            role_arn: member("roleArn"),
            express: member("type").as_deref() == Some("EXPRESS"),
        })
    }

    /// As what a Task starts.
    pub fn child(&self) -> Child {
        Child { machine: Rc::clone(&self.machine), express: self.express }
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

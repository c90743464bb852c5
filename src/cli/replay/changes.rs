//! What `--what-if` changes: the input, or answers of tasks; a changed definition is given as for a replay without changes.

use std::collections::HashMap;
use std::rc::Rc;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::Value as Json;

use crate::analysis::replay::Changes;
use crate::asl::compile;
use crate::asl::machine::StateMachine;
use crate::cli::exit_code::WrongUsage;
use crate::cli::run::answering::{TaskNames, read_mock};
use crate::cli::run::documents::text_of;
use crate::model::History;

/// What is changed.
#[derive(Debug, Clone, Args)]
pub struct ChangeArgs {
    /// Change something and show both paths to the point where they part; needs --definition, --input, --patch or --mock
    #[arg(long)]
    pub what_if: bool,
    /// Another input
    #[arg(long, value_name = "FILE|JSON|-", requires = "what_if", conflicts_with = "patch")]
    input: Option<String>,
    /// A change of the recorded input: an object is a JSON merge patch (RFC 7386), a list a JSON patch (RFC 6902)
    #[arg(long, value_name = "FILE|JSON|-", requires = "what_if")]
    patch: Option<String>,
    /// Answers of a state in place of the recorded ones, as in `run`; those of `*` where nothing was recorded
    #[arg(long, value_name = "STATE=FILE|JSON", requires = "what_if")]
    mock: Vec<String>,
}

impl ChangeArgs {
    /// Whether they fit together.
    pub fn check(&self, has_definition: bool) -> Result<(), WrongUsage> {
        if self.what_if && !has_definition && self.input.is_none() && self.patch.is_none() && self.mock.is_empty() {
            let text = "--what-if needs a change: --definition FILE, --input FILE|JSON, --patch FILE|JSON or --mock STATE=FILE|JSON";
            return Err(WrongUsage(text.to_owned()));
        }
        Ok(())
    }

    /// The changes; `None` without `--what-if`.
    pub fn read(&self, history: &History, definition: Option<&str>) -> anyhow::Result<Option<Changes>> {
        if !self.what_if {
            return Ok(None);
        }
        let input = match (&self.input, &self.patch) {
            (Some(input), _) => Some(checked(&text_of(input)?.1).context("failed to read the input")?),
            (None, Some(patch)) => Some(patched(history, patch)?),
            (None, None) => None,
        };
        Ok(Some(Changes { input, mocks: self.mocks(history, definition)? }))
    }

    fn mocks(&self, history: &History, definition: Option<&str>) -> anyhow::Result<HashMap<String, crate::interpreter::mocks::Answers>> {
        let mut mocks = HashMap::new();
        let machine = machine(history, definition)?;
        let names = TaskNames::of(machine.as_deref());
        for text in &self.mock {
            let (state, answers) = read_mock(text, &names)?;
            if mocks.insert(state.to_owned(), answers).is_some() {
                return Err(WrongUsage(format!(
                    "state `{state}` is given more than one --mock; a list answers one attempt after the other"
                ))
                .into());
            }
        }
        Ok(mocks)
    }
}

/// The machine that will be run; a recorded definition that cannot be is told of by the replay.
fn machine(history: &History, definition: Option<&str>) -> anyhow::Result<Option<Rc<StateMachine>>> {
    Ok(match (definition, &history.definition) {
        (Some(given), _) => Some(compile(given)?),
        (None, Some(recorded)) => compile(&recorded.decode()).ok(),
        (None, None) => None,
    })
}

/// Text that is JSON.
fn checked(text: &str) -> anyhow::Result<String> {
    let json: &serde_json::value::RawValue = serde_json::from_str(text).context("it is no JSON")?;
    Ok(json.get().to_owned())
}

/// The recorded input with a patch applied.
fn patched(history: &History, patch: &str) -> anyhow::Result<String> {
    let started = history.events.first().and_then(|event| event.input()).map(|payload| &payload.text);
    let recorded =
        started.or(history.header.input.as_ref()).ok_or_else(|| anyhow!("the recording holds no input that --patch could change"))?;
    let mut input: Json = serde_json::from_str(&recorded.decode()).context("the recorded input is no JSON that --patch could change")?;
    let (origin, text) = text_of(patch)?;
    let patch: Json = serde_json::from_str(&text).with_context(|| format!("the patch {origin} is no JSON"))?;
    if patch.is_array() {
        let patch: json_patch::Patch = serde_json::from_value(patch).with_context(|| format!("the patch {origin} is no JSON patch"))?;
        json_patch::patch(&mut input, &patch).with_context(|| format!("the patch {origin} does not fit the recorded input"))?;
    } else {
        json_patch::merge(&mut input, &patch);
    }
    Ok(input.to_string())
}

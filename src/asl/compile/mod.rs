//! Makes a [`StateMachine`] of a definition.
//!
//! Lenient: a definition is refused only where it could not be run, and the checker tells everything that the service would not
//! accept. Fields of the other query language are passed over; where a number is wanted and a substitution of CloudFormation stands,
//! the default of the language is taken, or the text itself when the field is an expression's place.

mod choice;
mod fields;
mod map;
mod resource;
mod state;

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use thiserror::Error;

use self::fields::Fields;
use super::machine::{Block, BlockNumber, Kind, QueryLanguage, ResultPath, State, StateMachine, StateNumber, Transition};
use crate::expr::Value;

/// Why a definition cannot be run; the first reason that was met. The checker tells all of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} at {pointer}")]
#[allow(missing_docs, reason = "the message shows them all")]
pub struct CompileError {
    pub pointer: String,
    pub message: String,
}

impl CompileError {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// Compiles a definition from its JSON text, or from the output of `describe-state-machine`.
pub fn compile(text: &str) -> Result<Rc<StateMachine>, CompileError> {
    let text = definition_text(text);
    let definition = parsed(&text)?;
    let root = Fields::root(&definition)?;
    Compiler::new(&root, Targets::MustExist)?.machine(&root, text.into())
}

/// Compiles a single state as `test-state` takes it: the machine's only state of its own, named `name`.
///
/// States that it leads to stand beside it as Succeed states, so that their names can be told.
pub fn compile_state(name: &str, text: &str) -> Result<Rc<StateMachine>, CompileError> {
    let state = parsed(text)?;
    let states = Value::object([(name, state)]);
    let definition = Value::object([("StartAt", Value::from(name)), ("States", states)]);
    let root = Fields::root(&definition)?;
    Compiler::new(&root, Targets::AreAdded)?.machine(&root, definition.to_json().into())
}

/// The definition in a text: the member `definition` of what `describe-state-machine` puts out, else the text itself.
pub fn definition_text(text: &str) -> Cow<'_, str> {
    // Looked for first, because most texts are definitions, and then need no second parse.
    if !text.contains("\"definition\"") {
        return text.into();
    }
    match Value::parse(text) {
        Ok(Value::Object(described)) if !described.contains("States") => match described.get("definition") {
            Some(Value::String(definition)) => definition.to_string().into(),
            Some(definition @ Value::Object(_)) => definition.to_json().into(),
            _ => text.into(),
        },
        _ => text.into(),
    }
}

fn parsed(text: &str) -> Result<Value, CompileError> {
    Value::parse(text).map_err(|error| CompileError::new("", format!("the definition is no JSON: {error}")))
}

/// What becomes of a name that no state of the block has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Targets {
    MustExist,
    AreAdded,
}

/// States and blocks so far.
struct Compiler {
    language: QueryLanguage,
    targets: Targets,
    states: Vec<Option<State>>,
    blocks: Vec<Block>,
}

/// The names of one `States` object.
type Names = HashMap<Rc<str>, StateNumber>;

/// Where a state stands, for whoever compiles its fields.
struct Place<'a> {
    number: StateNumber,
    block: BlockNumber,
    names: &'a mut Names,
}

impl Compiler {
    fn new(root: &Fields<'_>, targets: Targets) -> Result<Self, CompileError> {
        let language = query_language(root)?.unwrap_or_default();
        Ok(Self { language, targets, states: Vec::new(), blocks: Vec::new() })
    }

    fn machine(mut self, root: &Fields<'_>, source: Rc<str>) -> Result<Rc<StateMachine>, CompileError> {
        self.block(root, None)?;
        let timeout_seconds = root.number("TimeoutSeconds");
        // Each number that was given out got its state before its block was done.
        let states = self.states.into_iter().flatten().collect();
        Ok(Rc::new(StateMachine { timeout_seconds, states, blocks: self.blocks, source }))
    }

    /// Compiles a `States` object with all that stands below it. Recursion ends with the nesting that the JSON parser takes.
    fn block(&mut self, fields: &Fields<'_>, parent: Option<StateNumber>) -> Result<BlockNumber, CompileError> {
        let block = self.number_of_next_block();
        // The start is not known before the names are; nobody asks until the block is done.
        self.blocks.push(Block { start_at: StateNumber(0), parent });
        let states = fields.wanted_object("States")?;
        // Two steps, because a state may lead to one that stands further down.
        let mut names = Names::with_capacity(states.object.len());
        for (name, _) in states.object.iter() {
            names.insert(Rc::clone(name), self.reserve());
        }
        let start_at = self.target(fields, "StartAt", &mut names, block)?;
        let start_at = start_at.ok_or_else(|| fields.error("StartAt is missing: which state is the first?"))?;
        self.blocks[block.0 as usize].start_at = start_at;
        for (name, _) in states.object.iter() {
            let number = names[name];
            let state = self.state(name, &states.wanted_object(name)?, &mut Place { number, block, names: &mut names })?;
            self.states[number.0 as usize] = Some(state);
        }
        Ok(block)
    }

    fn number_of_next_block(&self) -> BlockNumber {
        BlockNumber(u32::try_from(self.blocks.len()).unwrap_or(u32::MAX))
    }

    fn reserve(&mut self) -> StateNumber {
        let number = StateNumber(u32::try_from(self.states.len()).unwrap_or(u32::MAX));
        self.states.push(None);
        number
    }

    /// The state that a field names; `None` when there is no such field.
    fn target(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        names: &mut Names,
        block: BlockNumber,
    ) -> Result<Option<StateNumber>, CompileError> {
        let Some(name) = fields.text(field)? else { return Ok(None) };
        if let Some(number) = names.get(name) {
            return Ok(Some(*number));
        }
        if self.targets == Targets::MustExist {
            return Err(fields.error_in(field, format!("there is no state '{name}' beside this one")));
        }
        let (number, name) = (self.reserve(), Rc::clone(name));
        self.states[number.0 as usize] = Some(bare_state(Rc::clone(&name), block));
        names.insert(name, number);
        Ok(Some(number))
    }
}

/// A Succeed state without any field.
fn bare_state(name: Rc<str>, block: BlockNumber) -> State {
    State {
        name,
        block,
        language: QueryLanguage::JsonPath,
        kind: Kind::Succeed,
        next: Transition::End,
        input_path: None,
        output_path: None,
        arguments: None,
        result_selector: None,
        result_path: ResultPath::Replace,
        output: None,
        assign: None,
        retry: Vec::new(),
        catch: Vec::new(),
    }
}

fn query_language(fields: &Fields<'_>) -> Result<Option<QueryLanguage>, CompileError> {
    match fields.text("QueryLanguage")?.map(AsRef::as_ref) {
        None => Ok(None),
        Some("JSONPath") => Ok(Some(QueryLanguage::JsonPath)),
        Some("JSONata") => Ok(Some(QueryLanguage::Jsonata)),
        Some(other) => Err(fields.error_in("QueryLanguage", format!("'{other}' is neither JSONPath nor JSONata"))),
    }
}

/// A place in the definition: the pointer with one more name or number.
fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests;

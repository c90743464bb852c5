//! Finds the state under test in the request's definition.

use std::rc::Rc;

use super::context::STATE;
use super::refusal::Refusal;
use super::request::Request;
use crate::asl::check::{self, Diagnostic, MachineType, Severity, Verdict};
use crate::asl::machine::{State, StateMachine, StateNumber};
use crate::asl::source::{Format, Source, SourceError};
use crate::asl::{self, CompileError};
use crate::expr::{Object, Value};

/// The state under test, in a definition that can be run.
#[derive(Debug)]
pub(super) struct Tested {
    pub machine: Rc<StateMachine>,
    number: StateNumber,
}

impl Tested {
    /// Checks and compiles the definition and finds the state, wherever in it the state stands.
    pub(super) fn find(request: &Request) -> Result<Self, Refusal> {
        let text = asl::definition_text(&request.definition);
        let definition = Value::parse(&text).map_err(|error| invalid(&format!("INVALID_JSON_DESCRIPTION: {error}")))?;
        let Some(name) = &request.state_name else {
            if definition.get("States").is_some() && definition.get("Type").is_none() {
                return Err(invalid("the definition is a state machine; the name of one of its states must be given, too"));
            }
            check(&in_a_machine(&definition).to_json())?;
            let machine = asl::compile_state(STATE, &text).map_err(|error| refused(&error))?;
            let number = machine.find(STATE).ok_or_else(|| invalid("the definition holds no state"))?;
            return Ok(Self { machine, number });
        };
        check(&text)?;
        let machine = asl::compile(&text).map_err(|error| refused(&error))?;
        let number = machine.find(name).ok_or_else(|| Refusal::validation("State not found in definition"))?;
        Ok(Self { machine, number })
    }

    /// The state.
    pub(super) fn state(&self) -> &State {
        self.machine.state(self.number)
    }

    /// Whether a state of this name stands somewhere inside the state under test.
    pub(super) fn holds(&self, name: &str) -> bool {
        let mut around = self.machine.find(name);
        // Each step leads one level outwards.
        while let Some(inner) = around {
            around = self.machine.block(self.machine.state(inner).block).parent;
            if around == Some(self.number) {
                return true;
            }
        }
        false
    }
}

/// A machine of the state and of whatever it leads to, which is how a state alone can be checked.
fn in_a_machine(state: &Value) -> Value {
    let steps = ["Choices", "Catch"].into_iter().filter_map(|field| state.get(field)?.as_array()).flatten();
    let nexts = steps.chain([state]).flat_map(|step| [step.get("Next"), step.get("Default")]).flatten();
    let mut states: Object =
        nexts.filter_map(Value::as_str).map(|name| (name, Value::object([("Type", Value::from("Succeed"))]))).collect();
    states.insert(STATE, state.clone());
    Value::object([("StartAt", Value::from(STATE)), ("States", Value::from(states))])
}

/// Refuses what the service would not take as a definition.
fn check(definition: &str) -> Result<(), Refusal> {
    let verdict = match Source::read(definition.as_bytes(), Some(Format::Json)) {
        Ok(source) => check::check(&source, MachineType::Standard),
        Err(SourceError::Syntax(problem)) => Verdict::of_syntax(&problem),
        Err(error) => return Err(invalid(&error.to_string())),
    };
    if verdict.is_valid() {
        return Ok(());
    }
    let errors = verdict.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    Err(invalid(&errors.map(worded).collect::<Vec<_>>().join(", ")))
}

fn worded(diagnostic: &Diagnostic) -> String {
    let code = serde_json::to_string(&diagnostic.code).unwrap_or_default();
    let place = diagnostic.location.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
    format!("{}: {}{place}", code.trim_matches('"'), diagnostic.message)
}

fn refused(error: &CompileError) -> Refusal {
    invalid(&format!("SCHEMA_VALIDATION_FAILED: {} at {}", error.message, error.pointer))
}

fn invalid(why: &str) -> Refusal {
    Refusal::Definition(format!("Invalid State Machine Definition: '{why}'"))
}

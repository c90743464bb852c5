//! What a state makes of its input and its result, step by step.
//!
//! | language | steps                                                                                                           |
//! |----------|-----------------------------------------------------------------------------------------------------------------|
//! | JSONPath | input → `InputPath` → `Parameters` → work → `ResultSelector` → `ResultPath` (into the input) → `OutputPath` → output |
//! | JSONata  | input → `Arguments` → work → `Output` → output                                                                  |
//!
//! `Assign` looks at the values at the state's entry and at its result, and changes no output. Each step is a function here, so that
//! a single state can be tested, with all values between shown.

use crate::asl::machine::{Catcher, QueryLanguage, ResultPath, Selection, State};
use crate::expr::{EvaluationError, Scope, Surroundings, Template, Value};

use super::failure::{Failure, Problem};
use super::payload::Payload;
use super::variables;

/// What a state gives when it is left.
#[derive(Debug, Clone)]
pub struct Completed {
    /// Its output.
    pub output: Payload,
    /// What it assigns: an object of names and values.
    pub assigned: Option<Value>,
}

type Step = Result<Payload, EvaluationError>;

/// `InputPath`.
pub fn effective_input(state: &State, input: &Payload, around: &dyn Surroundings) -> Step {
    select(state.input_path.as_ref(), input, around)
}

/// `Parameters` on the effective input, or `Arguments` on the input.
pub fn arguments(state: &State, effective: &Payload, around: &dyn Surroundings) -> Step {
    fill(state.arguments.as_ref(), effective, around)
}

/// `ResultSelector`.
pub fn result_selection(state: &State, result: &Payload, around: &dyn Surroundings) -> Step {
    fill(state.result_selector.as_ref(), result, around)
}

/// `ResultPath`: the result in the state's input, or in place of it.
pub fn result_placement(path: &ResultPath, input: &Payload, result: &Payload) -> Step {
    Ok(match path {
        ResultPath::Replace => result.clone(),
        ResultPath::Discard => input.clone(),
        ResultPath::Into(path) => path.insert(input.value(), result.value().clone())?.into(),
    })
}

/// `OutputPath`.
pub fn output_selection(state: &State, output: &Payload, around: &dyn Surroundings) -> Step {
    select(state.output_path.as_ref(), output, around)
}

/// `Output` of JSONata, or `default` where there is none.
pub fn output(template: Option<&Template>, default: &Payload, scope: Scope<'_>) -> Step {
    match template {
        Some(template) => Ok(default.same_or_new(template.evaluate(scope)?)),
        None => Ok(default.clone()),
    }
}

/// `Assign`.
pub fn assignment(template: Option<&Template>, scope: Scope<'_>) -> Result<Option<Value>, Problem> {
    let Some(template) = template else { return Ok(None) };
    let values = template.evaluate(scope)?;
    if variables::fit(&values) { Ok(Some(values)) } else { Err(Problem::TooLarge) }
}

/// All steps of a Pass.
pub fn pass(state: &State, result: Option<&Value>, input: &Payload, around: &dyn Surroundings) -> Result<Completed, Problem> {
    if state.language == QueryLanguage::Jsonata {
        return without_result(state, input, around);
    }
    let effective = effective_input(state, input, around)?;
    let result = match result {
        Some(result) => Payload::from(result.clone()),
        None => arguments(state, &effective, around)?,
    };
    let assigned = assignment(state.assign.as_ref(), scope(result.value(), around))?;
    let placed = result_placement(&state.result_path, input, &result)?;
    fitting(output_selection(state, &placed, around)?, assigned)
}

/// The steps of a Task, a Parallel or a Map after its result.
pub fn with_result(state: &State, input: &Payload, result: &Payload, around: &dyn Surroundings) -> Result<Completed, Problem> {
    if state.language == QueryLanguage::Jsonata {
        let scope = Scope { input: input.value(), result: Some(result.value()), error_output: None, around };
        let assigned = assignment(state.assign.as_ref(), scope)?;
        return fitting(output(state.output.as_ref(), result, scope)?, assigned);
    }
    let selected = result_selection(state, result, around)?;
    let assigned = assignment(state.assign.as_ref(), scope(selected.value(), around))?;
    let placed = result_placement(&state.result_path, input, &selected)?;
    fitting(output_selection(state, &placed, around)?, assigned)
}

/// All steps of a Wait, a Succeed, or a Choice that takes its default: states whose result is their input.
pub fn without_result(state: &State, input: &Payload, around: &dyn Surroundings) -> Result<Completed, Problem> {
    chosen(state, state.assign.as_ref(), state.output.as_ref(), input, around)
}

/// The steps of a Choice that takes a rule with its own `Assign` and `Output`.
pub fn chosen(
    state: &State,
    assign: Option<&Template>,
    own_output: Option<&Template>,
    input: &Payload,
    around: &dyn Surroundings,
) -> Result<Completed, Problem> {
    if state.language == QueryLanguage::Jsonata {
        let scope = scope(input.value(), around);
        let assigned = assignment(assign, scope)?;
        return fitting(output(own_output, input, scope)?, assigned);
    }
    let effective = effective_input(state, input, around)?;
    let assigned = assignment(assign, scope(effective.value(), around))?;
    fitting(output_selection(state, &effective, around)?, assigned)
}

/// The steps of a state whose failure a catcher takes.
pub fn caught(
    state: &State,
    catcher: &Catcher,
    input: &Payload,
    failure: &Failure,
    around: &dyn Surroundings,
) -> Result<Completed, Problem> {
    let error = Payload::from(failure.error_output());
    if state.language == QueryLanguage::Jsonata {
        let scope = Scope { input: input.value(), result: None, error_output: Some(error.value()), around };
        let assigned = assignment(catcher.assign.as_ref(), scope)?;
        return fitting(output(catcher.output.as_ref(), &error, scope)?, assigned);
    }
    let assigned = assignment(catcher.assign.as_ref(), scope(error.value(), around))?;
    fitting(result_placement(&catcher.result_path, input, &error)?, assigned)
}

fn scope<'a>(input: &'a Value, around: &'a dyn Surroundings) -> Scope<'a> {
    Scope { input, result: None, error_output: None, around }
}

fn select(selection: Option<&Selection>, from: &Payload, around: &dyn Surroundings) -> Step {
    match selection {
        None => Ok(from.clone()),
        Some(Selection::Nothing) => Ok(Payload::empty()),
        Some(Selection::Path(path)) => Ok(from.same_or_new(path.evaluate(scope(from.value(), around))?)),
    }
}

fn fill(template: Option<&Template>, from: &Payload, around: &dyn Surroundings) -> Step {
    match template {
        None => Ok(from.clone()),
        Some(template) => Ok(from.same_or_new(template.evaluate(scope(from.value(), around))?)),
    }
}

fn fitting(output: Payload, assigned: Option<Value>) -> Result<Completed, Problem> {
    if output.fits() { Ok(Completed { output, assigned }) } else { Err(Problem::TooLarge) }
}

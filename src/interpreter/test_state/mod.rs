//! The offline twin of the TestState API: runs one state, and shows the values on its way.
//!
//! A [`Request`] is checked as the service checks it, and refused in the service's words ([`Refusal`]); else the state is run with the
//! steps that executions take, and the [`Answer`] is the API's. Nothing is called: what a Task, a Map or a Parallel gives is mocked.
//! Where recordings of the service and its documentation differ, the recordings are followed.
//!
//! | state    | language | inspection data beside `input`, in their order                                                    |
//! |----------|----------|----------------------------------------------------------------------------------------------------|
//! | Pass     | JSONPath | `afterInputPath`, `afterParameters` (or only `result`, with `Result`), `afterResultSelector`, `afterResultPath` |
//! | Task     | JSONPath | `afterInputPath`, `afterParameters`, `result`, `afterResultSelector`, `afterResultPath`               |
//! | Task     | JSONata  | `afterArguments`, `result`                                                                         |
//! | Parallel | JSONPath | `afterResultSelector`, `afterResultPath`                                                           |
//! | Map      | JSONPath | `afterInputPath`, `afterItemsPath`, `afterItemSelector`, `afterItemBatcher`, those of a Parallel       |
//! | Map      | both     | `maxConcurrency`, `toleratedFailureCount`, `toleratedFailurePercentage`                             |
//! | others   | JSONPath | `afterInputPath`                                                                                   |

mod answer;
mod context;
mod definition;
mod failing;
mod map;
mod mock;
mod refusal;
mod request;
mod shapes;
mod states;
#[cfg(test)]
mod tests;

pub use answer::{Answer, ErrorDetails, InspectionData, Status};
pub use refusal::Refusal;
pub use request::{InspectionLevel, Mock, MockOutcome, Request, StateConfiguration, ValidationMode};

use super::luck::Luck;
use super::payload::Payload;
use crate::expr::{Object, Value};

/// Tests a state.
pub fn test_state(request: &Request) -> Result<Answer, Refusal> {
    request.check()?;
    let tested = definition::Tested::find(request)?;
    let mut notes = Vec::new();
    let mocked = mock::mocked(request, &tested, &mut notes)?;
    let input = Payload::parse(request.input.as_deref().unwrap_or("{}"))
        .map_err(|error| Refusal::Input(format!("Invalid State Machine Execution Input: '{error}'")))?;
    let sight = context::Sight {
        context: context::context(request, tested.state(), input.value())?,
        variables: variables(request)?,
        luck: Luck::new(request.seed),
        now: request.now,
    };
    if let Some(name) = request.configuration.error_caused_by_state.as_ref().filter(|name| !tested.holds(name)) {
        notes.push(format!("errorCausedByState names '{name}', which is no state inside the one that is tested"));
    }
    states::Test { request, tested: &tested, mocked, sight: &sight, seen: InspectionData::default(), notes }.run(&input)
}

fn variables(request: &Request) -> Result<Object, Refusal> {
    let Some(text) = &request.variables else { return Ok(Object::default()) };
    match Value::parse(text) {
        Ok(Value::Object(variables)) => Ok(variables.as_ref().clone()),
        Ok(_) => Err(Refusal::validation("Variables must be a JSON object")),
        Err(error) => Err(Refusal::Validation(format!("Variables must be valid JSON: {error}"))),
    }
}

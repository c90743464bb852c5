//! Reads what a cause says: the text that comes with an error.
//!
//! Apart from `why` because every question about failures asks it. Nothing here fails: a cause of a form that is not
//! known keeps its text. A cause is peeled layer by layer, at most [`MOST_LAYERS`] deep:
//!
//! | a layer looks like                                                    | read in    | goes on with             |
//! |-----------------------------------------------------------------------|------------|--------------------------|
//! | a JSON string                                                         | here       | its text                 |
//! | a failed child execution: `{"Cause", "Error", "ExecutionArn", …}`      | [`object`] | its `Cause`              |
//! | a function's error: `{"errorMessage", "errorType", "stackTrace", …}`   | [`object`] | the message, if it is JSON |
//! | a job: `{"StoppedReason", …}`, `{"JobRunState", …}`, `{"StatusReason"}` | [`jobs`]   | -                        |
//! | `{"Entries": [{"ErrorCode", …}], "FailedEntryCount"}` and other objects | [`object`] | -                        |
//! | `An error occurred while executing the state 'S' (…). …`              | [`prose`]  | what follows             |
//! | `Lambda did not return an error type. Returned payload: {…}`          | [`prose`]  | the payload              |
//! | `… (Service: X; Status Code: 400; …)`, `… (Service: X, Status Code: …)` | [`prose`]  | -                        |

mod jobs;
mod object;
mod prose;

use serde_json::Value;

use super::why::DecodedCause;

/// How many layers are peeled off a cause: JSON in strings, children of children.
const MOST_LAYERS: usize = 12;

/// The service cuts causes at 32,768 characters; what is far longer is not taken apart.
const LONGEST: usize = 1 << 20;

/// What is left to read of a cause.
enum Layer {
    Text(String),
    Json(Value),
}

/// Reads a cause. `error` is the name that came with it.
pub fn decode(error: Option<&str>, cause: &str) -> DecodedCause {
    let mut found = DecodedCause { status_code: error.and_then(status_in_name), ..DecodedCause::default() };
    if cause.len() > LONGEST {
        found.message = Some(cause.to_owned());
        return found;
    }
    let mut layer = Some(Layer::Text(cause.to_owned()));
    for _ in 0..MOST_LAYERS {
        layer = match layer {
            Some(Layer::Text(text)) => match parsed(&text) {
                Some(value) => Some(Layer::Json(value)),
                None => prose::read(&text, &mut found),
            },
            Some(Layer::Json(Value::String(text))) => Some(Layer::Text(text)),
            Some(Layer::Json(value)) => object::read(value, &mut found),
            None => return found,
        };
    }
    found
}

/// JSON that has an inside: an object, an array, a string. A number or a word is a message.
fn parsed(text: &str) -> Option<Value> {
    text.trim_start().starts_with(['{', '[', '"']).then(|| serde_json::from_str(text).ok())?
}

/// The status that the name itself holds: `States.Http.StatusCode.404`, `ApiGateway.403`.
fn status_in_name(error: &str) -> Option<u16> {
    let digits = error.strip_prefix("States.Http.StatusCode.").or_else(|| error.strip_prefix("ApiGateway."))?;
    digits.parse().ok().filter(|status| (100..600).contains(status))
}

#[cfg(test)]
mod tests;

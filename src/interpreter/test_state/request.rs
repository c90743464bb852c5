//! A request of the TestState API, and the constraints that hold for each of its members alone.

use super::refusal::Refusal;
use crate::expr::{Object, Value};
use crate::model::Timestamp;

/// The longest definition, in bytes.
const LONGEST_DEFINITION: usize = 1_048_576;
/// The longest payload: input, variables, context, results.
const LONGEST_PAYLOAD: usize = 262_144;
/// The longest name of a state.
const LONGEST_NAME: usize = 80;

/// What is to be tested, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// JSON of a state, or of a state machine when `state_name` says which of its states is meant.
    pub definition: String,
    /// The state of a state machine.
    pub state_name: Option<String>,
    /// JSON; `{}` when absent.
    pub input: Option<String>,
    /// JSON object of variables.
    pub variables: Option<String>,
    /// JSON of the context object.
    pub context: Option<String>,
    /// What stands in for the call.
    pub mock: Option<Mock>,
    /// Where in its life the state is.
    pub configuration: StateConfiguration,
    /// How much is told.
    pub inspection_level: InspectionLevel,
    /// The role that would run the state.
    pub role_arn: Option<String>,
    /// Whether secrets of connections are told.
    pub reveal_secrets: bool,
    /// The moment at which the state runs.
    pub now: Timestamp,
    /// For random numbers and UUIDs.
    pub seed: u64,
}

/// How much the answer tells beside the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the words of the service")]
pub enum InspectionLevel {
    #[default]
    Info,
    Debug,
    Trace,
}

/// What a Task, Map or Parallel gives, without anything being called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mock {
    /// A result or an error.
    pub outcome: MockOutcome,
    /// How a result is checked.
    pub validation: ValidationMode,
}

/// A result or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MockOutcome {
    /// JSON text.
    Result(String),
    /// An error name and a cause.
    #[allow(missing_docs, reason = "the members of an error output")]
    Error { error: String, cause: Option<String> },
}

/// How a mocked result is checked against the answers of the API that the Task calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValidationMode {
    /// What is there must fit, and what is required must be there.
    #[default]
    Strict,
    /// What is there must fit.
    Present,
    /// Not at all.
    None,
}

/// Where in its life the state is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateConfiguration {
    /// How often the retrier that fits the mocked error was used before.
    pub retrier_retry_count: Option<u64>,
    /// The state inside a Map or Parallel from which a mocked error comes.
    pub error_caused_by_state: Option<String>,
    /// How many iterations of a Map failed.
    pub map_iteration_failure_count: Option<u64>,
    /// What an `ItemReader` read.
    pub map_item_reader_data: Option<String>,
}

impl Request {
    /// Checks the members one by one, as the AWS CLI and the service do before they look at what the members say.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        length("definition", &self.definition, 1, LONGEST_DEFINITION)?;
        if let Some(name) = &self.state_name {
            length("stateName", name, 1, LONGEST_NAME)?;
        }
        if let Some(arn) = &self.role_arn {
            length("roleArn", arn, 1, 256)?;
        }
        for (name, payload) in [("input", &self.input), ("variables", &self.variables), ("context", &self.context)] {
            length(name, payload.as_deref().unwrap_or_default(), 0, LONGEST_PAYLOAD)?;
        }
        let configuration = &self.configuration;
        if let Some(name) = &configuration.error_caused_by_state {
            length("stateConfiguration.errorCausedByState", name, 1, LONGEST_NAME)?;
        }
        let data = configuration.map_item_reader_data.as_deref().unwrap_or_default();
        length("stateConfiguration.mapItemReaderData", data, 0, LONGEST_PAYLOAD)?;
        match self.mock.as_ref().map(|mock| &mock.outcome) {
            Some(MockOutcome::Result(result)) => length("mock.result", result, 0, LONGEST_PAYLOAD),
            Some(MockOutcome::Error { error, cause }) => {
                length("mock.errorOutput.error", error, 0, 256)?;
                length("mock.errorOutput.cause", cause.as_deref().unwrap_or_default(), 0, 32_768)
            }
            None => Ok(()),
        }
    }
}

/// Lower bounds are those of the AWS CLI, upper ones those of the service, which words them differently.
fn length(name: &str, text: &str, least: usize, most: usize) -> Result<(), Refusal> {
    if text.len() < least {
        let message = format!("Invalid length for parameter {name}, value: {}, valid min length: {least}", text.len());
        return Err(Refusal::Parameter(message));
    }
    if text.len() > most {
        let message = format!(
            "1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must have length less than or equal to {most}"
        );
        return Err(Refusal::Validation(message));
    }
    Ok(())
}

impl InspectionLevel {
    /// Reads the word of the API.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "INFO" => Self::Info,
            "DEBUG" => Self::Debug,
            "TRACE" => Self::Trace,
            _ => return None,
        })
    }
}

impl Mock {
    /// Reads the API's `mock`: `{"result": "…"}` or `{"errorOutput": {"error": "…", "cause": "…"}}`, and `fieldValidationMode`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let members = Members::parse(text, "mock", &["result", "errorOutput", "fieldValidationMode"])?;
        let outcome = match (members.text("result")?, members.get("errorOutput")) {
            (Some(_), Some(_)) => {
                return Err(Refusal::validation("A mock must have either a result or an errorOutput, not both"));
            }
            (Some(result), None) => MockOutcome::Result(result),
            (None, Some(output)) => {
                let output = Members::of(output, "mock.errorOutput", &["error", "cause"])?;
                let Some(error) = output.text("error")? else {
                    return Err(Refusal::validation("mock.errorOutput must have an error"));
                };
                MockOutcome::Error { error, cause: output.text("cause")? }
            }
            (None, None) => return Err(Refusal::validation("A mock must have either a result or an errorOutput")),
        };
        let validation = match members.text("fieldValidationMode")?.as_deref() {
            None | Some("STRICT") => ValidationMode::Strict,
            Some("PRESENT") => ValidationMode::Present,
            Some("NONE") => ValidationMode::None,
            Some(_) => {
                return Err(Refusal::validation(
                    "1 validation error detected: Value at 'mock.fieldValidationMode' failed to satisfy constraint: Member must satisfy enum \
                     value set: [PRESENT, STRICT, NONE]",
                ));
            }
        };
        Ok(Self { outcome, validation })
    }
}

impl StateConfiguration {
    /// Reads the API's `stateConfiguration`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let known = ["retrierRetryCount", "errorCausedByState", "mapIterationFailureCount", "mapItemReaderData"];
        let members = Members::parse(text, "stateConfiguration", &known)?;
        Ok(Self {
            retrier_retry_count: members.count("retrierRetryCount")?,
            error_caused_by_state: members.text("errorCausedByState")?,
            map_iteration_failure_count: members.count("mapIterationFailureCount")?,
            map_item_reader_data: members.text("mapItemReaderData")?,
        })
    }
}

/// The members of a structure of the request.
struct Members<'a> {
    path: &'a str,
    object: Object,
}

impl<'a> Members<'a> {
    fn parse(text: &str, path: &'a str, known: &[&str]) -> Result<Self, Refusal> {
        let value = Value::parse(text).map_err(|error| Refusal::Parameter(format!("Error parsing parameter '{path}': {error}")))?;
        Self::of(&value, path, known)
    }

    fn of(value: &Value, path: &'a str, known: &[&str]) -> Result<Self, Refusal> {
        let Some(object) = value.as_object() else {
            return Err(wrong_type(path, value, "an object"));
        };
        if let Some((name, _)) = object.iter().find(|(name, _)| !known.contains(&&***name)) {
            let message = format!("Unknown parameter in {path}: \"{name}\", must be one of: {}", known.join(", "));
            return Err(Refusal::Parameter(message));
        }
        Ok(Self { path, object: object.clone() })
    }

    /// The AWS CLI leaves out what is null.
    fn get(&self, name: &str) -> Option<&Value> {
        self.object.get(name).filter(|value| !matches!(value, Value::Null))
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text =
            value.as_str().ok_or_else(|| wrong_type(&format!("{}.{name}", self.path), value, "a string; JSON goes into a string, too"))?;
        Ok(Some(text.to_owned()))
    }

    fn count(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let path = format!("{}.{name}", self.path);
        let number = value.as_i64().ok_or_else(|| wrong_type(&path, value, "an integer"))?;
        let count = u64::try_from(number);
        let too_small = |_| Refusal::Parameter(format!("Invalid range for parameter {path}, value: {number}, valid min value: 0"));
        count.map(Some).map_err(too_small)
    }
}

fn wrong_type(path: &str, value: &Value, wanted: &str) -> Refusal {
    Refusal::Parameter(format!("Invalid type for parameter {path}: {} instead of {wanted}", value.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mock_is_a_result_or_an_error() {
        let mock = Mock::parse(r#"{"result":"{\"a\":1}"}"#).expect("a mock");
        assert_eq!(mock, Mock { outcome: MockOutcome::Result(r#"{"a":1}"#.to_owned()), validation: ValidationMode::Strict });
        let mock = Mock::parse(r#"{"errorOutput":{"error":"Boom"},"fieldValidationMode":"NONE"}"#).expect("a mock");
        let outcome = MockOutcome::Error { error: "Boom".to_owned(), cause: None };
        assert_eq!(mock, Mock { outcome, validation: ValidationMode::None });
    }

    #[test]
    fn a_mock_that_is_none_is_refused_with_the_member_at_fault() {
        for (text, told) in [
            ("{", "Error parsing parameter 'mock'"),
            ("[]", "Invalid type for parameter mock: array instead of an object"),
            (r#"{"result":{"a":1}}"#, "Invalid type for parameter mock.result: object instead of a string"),
            (r#"{"reslut":"1"}"#, "Unknown parameter in mock: \"reslut\", must be one of: result, errorOutput, fieldValidationMode"),
            (r#"{"errorOutput":{"Error":"E"}}"#, "Unknown parameter in mock.errorOutput: \"Error\""),
            (r#"{"errorOutput":{"cause":"C"}}"#, "mock.errorOutput must have an error"),
            (r#"{"result":"1","errorOutput":{"error":"E"}}"#, "not both"),
            (r#"{"fieldValidationMode":"STRICT"}"#, "either a result or an errorOutput"),
            (r#"{"result":"1","fieldValidationMode":"LAX"}"#, "enum value set: [PRESENT, STRICT, NONE]"),
        ] {
            let refusal = Mock::parse(text).expect_err(text).to_string();
            assert!(refusal.contains(told), "{text}: {refusal}");
        }
    }

    #[test]
    fn a_state_configuration_counts_from_zero() {
        let text = r#"{"retrierRetryCount":2,"errorCausedByState":"Step","mapIterationFailureCount":0,"mapItemReaderData":"[1]"}"#;
        let configuration = StateConfiguration::parse(text).expect("a configuration");
        assert_eq!((configuration.retrier_retry_count, configuration.map_iteration_failure_count), (Some(2), Some(0)));
        assert_eq!(configuration.map_item_reader_data.as_deref(), Some("[1]"));
        for (text, told) in [
            (r#"{"retrierRetryCount":-1}"#, "Invalid range for parameter stateConfiguration.retrierRetryCount, value: -1"),
            (r#"{"retrierRetryCount":"1"}"#, "Invalid type for parameter stateConfiguration.retrierRetryCount: string"),
            (r#"{"retries":1}"#, "Unknown parameter in stateConfiguration"),
        ] {
            let refusal = StateConfiguration::parse(text).expect_err(text).to_string();
            assert!(refusal.contains(told), "{text}: {refusal}");
        }
    }
}

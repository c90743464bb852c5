//! Requests that are refused before any state is run.

use thiserror::Error;

/// Why a request has no answer, in the words of the AWS CLI.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The AWS CLI itself would not send this.
    #[error("Parameter validation failed:\n{0}")]
    Parameter(String),
    /// The service finds that the request's parts do not fit together.
    #[error("An error occurred (ValidationException) when calling the TestState operation: {0}")]
    Validation(String),
    /// The definition is not valid, or holds what cannot be tested.
    #[error("An error occurred (InvalidDefinition) when calling the TestState operation: {0}")]
    Definition(String),
    /// The input is no JSON.
    #[error("An error occurred (InvalidExecutionInput) when calling the TestState operation: {0}")]
    Input(String),
    /// Only the service could answer, because it would call something.
    #[error("{0}")]
    OutOfReach(String),
}

impl Refusal {
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::Validation(message.into())
    }
}

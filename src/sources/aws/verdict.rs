//! What an error means for the calls that come after it.
//!
//! | the error                                    | another try | another execution     | another machine | the account |
//! |----------------------------------------------|-------------|-----------------------|-----------------|-------------|
//! | throttled                                    | later       | later                 | later           | goes on     |
//! | transient                                    | yes         | yes                   | yes             | goes on     |
//! | gone                                         | no          | yes                   | yes             | goes on     |
//! | a missing permission                         | no          | may be narrowed to some | may be narrowed to some | goes on |
//! | about credentials                            | no          | no                    | no              | is finished |

use super::AwsError;

impl AwsError {
    /// Whether the service takes no more calls at present.
    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::Throttled { .. })
    }

    /// Whether the same call may well succeed a little later: no connection, no answer in time, half an answer, trouble at AWS.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Unreadable { .. } | Self::ServiceFault { .. } => true,
            // Other words for trouble at AWS, which some services say with status 400.
            Self::Service { code, .. } => matches!(
                code.as_str(),
                "InternalFailure"
                    | "InternalError"
                    | "InternalServerError"
                    | "InternalServerException"
                    | "RequestTimeout"
                    | "RequestTimeoutException"
            ),
            _ => false,
        }
    }

    /// Whether nothing more will work with these credentials.
    pub fn is_about_credentials(&self) -> bool {
        matches!(self, Self::Credentials { .. } | Self::SessionExpired { .. } | Self::Refused { .. })
    }

    /// Whether what was asked for is not there, or no longer: an execution, a state machine, a log group, an object.
    pub fn is_gone(&self) -> bool {
        match self {
            Self::NoExecution { .. } | Self::NoStateMachine { .. } | Self::NoLogGroup { .. } => true,
            Self::Service { code, .. } => {
                matches!(
                    code.as_str(),
                    "ResourceNotFound" | "ResourceNotFoundException" | "NoSuchKey" | "NoSuchBucket" | "StateMachineDeleting"
                )
            }
            _ => false,
        }
    }

    /// Whether the credentials may not make the call.
    pub fn is_missing_permission(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Action;
    use super::*;

    fn service(code: &str) -> AwsError {
        AwsError::Service { action: Action::DescribeMapRun, code: code.to_owned(), message: String::new() }
    }

    /// One letter for each verdict that holds.
    fn verdicts(error: &AwsError) -> String {
        let verdicts = [
            (error.is_throttled(), 't'),
            (error.is_transient(), 'p'),
            (error.is_about_credentials(), 'c'),
            (error.is_gone(), 'g'),
            (error.is_missing_permission(), 'm'),
        ];
        verdicts.into_iter().filter_map(|(holds, letter)| holds.then_some(letter)).collect()
    }

    #[test]
    fn an_error_has_one_verdict_at_most() {
        let action = Action::GetExecutionHistory;
        let errors = [
            (AwsError::Throttled { action, code: "SlowDown".to_owned() }, "t"),
            (AwsError::TimedOut { action, endpoint: "there".to_owned(), check: "the region" }, "p"),
            (service("InternalServerError"), "p"),
            (AwsError::SessionExpired { code: "ExpiredToken".to_owned(), profile: None }, "c"),
            (AwsError::NoExecution { arn: "arn".to_owned(), region: "eu-west-1".to_owned() }, "g"),
            (service("ResourceNotFoundException"), "g"),
            (AwsError::Denied { action, resource: "*".to_owned(), message: String::new() }, "m"),
            (service("ValidationException"), ""),
            (AwsError::NoRegion, ""),
        ];
        for (error, verdict) in errors {
            assert_eq!(verdicts(&error), verdict, "{error}");
        }
    }
}

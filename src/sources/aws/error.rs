//! What can go wrong on the way to the API, each with what to do about it.
//!
//! | the SDK says                                              | we say                        |
//! |-----------------------------------------------------------|-------------------------------|
//! | no connection                                             | [`AwsError::Unreachable`]     |
//! | a time limit                                              | [`AwsError::TimedOut`]        |
//! | an answer that breaks off or is no JSON                   | [`AwsError::Unreadable`]      |
//! | `ExpiredTokenException` and its like                      | [`AwsError::SessionExpired`]  |
//! | `UnrecognizedClientException`, bad signatures             | [`AwsError::Refused`]         |
//! | `AccessDeniedException`                                   | [`AwsError::Denied`]          |
//! | `KmsAccessDeniedException` and its like                   | [`AwsError::Encrypted`]       |
//! | `ThrottlingException` and its like, after all tries       | [`AwsError::Throttled`]       |
//! | `ExecutionDoesNotExist`, `StateMachineDoesNotExist`       | [`AwsError::NoExecution`], [`AwsError::NoStateMachine`] |
//! | `StateMachineTypeNotSupported`                            | [`AwsError::Express`]         |
//! | `InvalidArn`                                              | [`AwsError::InvalidArn`]      |
//! | `InvalidToken`                                            | [`AwsError::ListingExpired`]  |
//! | `ResourceNotFoundException` about a log group             | [`AwsError::NoLogGroup`]      |
//! | a refusal that names the log group's class                | [`AwsError::InfrequentAccess`] |
//! | `LimitExceededException` for a query                      | [`AwsError::TooManyQueries`]  |
//! | `MalformedQueryException`                                 | [`AwsError::MalformedQuery`]  |
//! | any other code with status 429 or 503                     | [`AwsError::Throttled`]       |
//! | any other code with a status from 500                     | [`AwsError::ServiceFault`]    |
//! | any other code                                            | [`AwsError::Service`]         |
//!
//! What an error means for further calls stands in `verdict`.

use std::error::Error as StdError;
use std::fmt::Write as _;

use aws_sdk_sfn::config::http::HttpResponse;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use thiserror::Error;

use super::Account;
use super::action::{Action, Resource, Service};
use crate::model::ExecutionArn;
use crate::model::arn::ArnError;

/// Why the API could not be asked, or did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AwsError {
    /// The SDK's chain found no credentials, or could not load those it found.
    #[error("{}", credentials_text(profile.as_deref(), problem))]
    Credentials {
        /// The profile that was named.
        profile: Option<String>,
        /// What went wrong.
        problem: CredentialsProblem,
    },
    /// Neither an ARN, a flag, the environment nor the profile names a region.
    #[error("no AWS region is known; pass --region NAME, set AWS_REGION, or give an ARN in place of a name")]
    NoRegion,
    /// `--endpoint-url` is no address.
    #[error("`{url}` is no address of an API; it looks like http://127.0.0.1:8083")]
    BadEndpoint {
        /// What was given.
        url: String,
    },
    /// No connection.
    #[error("{endpoint} cannot be reached ({reason}); check the network, the proxy settings and {check}")]
    Unreachable {
        /// Address, or the region's endpoint.
        endpoint: String,
        /// What the connection said.
        reason: String,
        /// What of the command line to check.
        check: &'static str,
    },
    /// A connection, and no answer.
    #[error("{action} gave no answer in time from {endpoint}; try again, and check the network, the proxy settings and {check}")]
    TimedOut {
        /// The action.
        action: Action,
        /// Address, or the region's endpoint.
        endpoint: String,
        /// What of the command line to check.
        check: &'static str,
    },
    /// An answer that is not what the service sends.
    #[error("the answer of {endpoint} to {action} cannot be read ({reason}); try again, and check {check}")]
    Unreadable {
        /// The action.
        action: Action,
        /// Address, or the region's endpoint.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
        /// What of the command line to check.
        check: &'static str,
    },
    /// The session's credentials ran out.
    #[error("the AWS session has expired ({code}); {}", sign_in(profile.as_deref()))]
    SessionExpired {
        /// The service's word.
        code: String,
        /// The profile that was named.
        profile: Option<String>,
    },
    /// The service does not take the credentials.
    #[error("AWS does not accept the credentials ({code}: {message}); check them with `aws sts get-caller-identity{}`, and this machine's clock", flag(profile.as_deref()))]
    Refused {
        /// The service's word.
        code: String,
        /// The service's explanation.
        message: String,
        /// The profile that was named.
        profile: Option<String>,
    },
    /// The credentials lack a permission.
    #[error(
        "the credentials may not call {action} on {resource}; allow it with {{\"Effect\": \"Allow\", \"Action\": \"{action}\", \"Resource\": \"{resource}\"}}{}",
        said(message)
    )]
    Denied {
        /// The action.
        action: Action,
        /// What it was called on.
        resource: String,
        /// The service's explanation.
        message: String,
    },
    /// The data is encrypted with a key of the customer's that cannot be used.
    #[error(
        "{action} could not decrypt {resource} ({code}); allow kms:Decrypt on the state machine's key, and check that the key is enabled{}",
        said(message)
    )]
    Encrypted {
        /// The action.
        action: Action,
        /// What it was called on.
        resource: String,
        /// The service's word.
        code: String,
        /// The service's explanation.
        message: String,
    },
    /// Too many requests, after all tries.
    #[error("{action} is throttled in this account and region ({code}), after all tries; try again in a minute, or find who else calls it")]
    Throttled {
        /// The action.
        action: Action,
        /// The service's word.
        code: String,
    },
    /// The service does not know the execution.
    #[error(
        "the service does not know {arn}; it keeps a history for 90 days after the end, so check the name, the region ({region}) and the account of the credentials"
    )]
    NoExecution {
        /// What was asked for.
        arn: String,
        /// The region that was asked.
        region: String,
    },
    /// No state machine of this name or ARN.
    #[error(
        "there is no state machine {name} in {region}{}; `aws stepfunctions list-state-machines` shows all of this account and region",
        similar_text(similar)
    )]
    NoStateMachine {
        /// What was asked for.
        name: String,
        /// The region that was asked.
        region: String,
        /// Names that look like it, best first.
        similar: Vec<String>,
    },
    /// The API has no history of Express workflows.
    #[error("{}", express_text(arn))]
    Express {
        /// What was asked for.
        arn: String,
    },
    /// Text that begins like an ARN and is none of a state machine.
    #[error(transparent)]
    NoMachineArn(#[from] ArnError),
    /// Text that is no ARN to the service.
    #[error("{arn} is no ARN that the service takes{}", said(message))]
    InvalidArn {
        /// What was asked for.
        arn: String,
        /// The service's explanation.
        message: String,
    },
    /// The token of a listing was refused: it lives for a day.
    #[error("the listing of {action} broke off: the service no longer takes its token; try again")]
    ListingExpired {
        /// The action.
        action: Action,
    },
    /// A listing whose pages do not end.
    #[error("the listing of {action} does not end: {reason}; check {check}")]
    EndlessListing {
        /// The action.
        action: Action,
        /// What shows it.
        reason: &'static str,
        /// What of the command line to check.
        check: &'static str,
    },
    /// A listing whose pages come, but take too long together.
    #[error("the listing of {action} was given up after {seconds} s; try again")]
    SlowListing {
        /// The action.
        action: Action,
        /// The limit.
        seconds: u64,
    },
    /// The log group is not there, or not any more.
    #[error("there is no log group {name} in {region}; was it deleted, or does it belong to another account?")]
    NoLogGroup {
        /// Its name, or several.
        name: String,
        /// The region that was asked.
        region: String,
    },
    /// The log group's events can only be queried.
    #[error(
        "the log group {name} is of the Infrequent Access class, which only Logs Insights reads, charged by the bytes that it scans: `stepscope pull --logs --via insights` asks it"
    )]
    InfrequentAccess {
        /// Its name.
        name: String,
    },
    /// As many queries run as may.
    #[error(
        "no place for another query became free in this account and region{}; stop some in the console of Logs Insights, or try again later",
        said(message)
    )]
    TooManyQueries {
        /// The service's explanation.
        message: String,
    },
    /// The text of a query is not what the service understands.
    #[error("the service does not understand the query{}{}", place_text(*at), said(message))]
    MalformedQuery {
        /// The service's explanation.
        message: String,
        /// The first character that it objects to, counted from 0.
        at: Option<usize>,
    },
    /// A query ended without being done.
    #[error("the query ended as {status} before it was done; ask for a shorter time, or try again")]
    QueryEnded {
        /// The service's word: `Failed`, `Cancelled` or `Timeout`.
        status: String,
    },
    /// The service says that it has a problem of its own.
    #[error("{action} failed at AWS: {code}{}; try again", said(message))]
    ServiceFault {
        /// The action.
        action: Action,
        /// The service's word.
        code: String,
        /// The service's explanation.
        message: String,
    },
    /// Anything else that the service says.
    #[error("{action} failed: {code}{}", said(message))]
    Service {
        /// The action.
        action: Action,
        /// The service's word.
        code: String,
        /// The service's explanation.
        message: String,
    },
}

/// What is wrong with the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsProblem {
    /// There are none.
    NoneFound {
        /// What the SDK says on top; may be empty.
        told: String,
    },
    /// There are some, and they could not be loaded.
    NotLoaded {
        /// What the SDK says.
        told: String,
    },
}

fn credentials_text(profile: Option<&str>, problem: &CredentialsProblem) -> String {
    // The chain's report has a line for each place that it looked at.
    let in_brackets = |told: &str| {
        let told: Vec<&str> = told.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) }
    };
    match (problem, profile) {
        (CredentialsProblem::NoneFound { told }, None) => format!(
            "no AWS credentials were found; sign in with `aws sso login`, name a profile with --profile NAME, or set \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, to any values for a local engine{}",
            in_brackets(told)
        ),
        (CredentialsProblem::NoneFound { told }, Some(name)) => format!(
            "the AWS profile `{name}` gives no credentials{}; `aws configure list-profiles` shows all profiles, \
             `aws configure --profile {name}` fills one",
            in_brackets(told)
        ),
        (CredentialsProblem::NotLoaded { told }, _) if told.to_lowercase().contains("sso") => {
            format!("the AWS session could not be loaded{}; {}", in_brackets(told), sign_in(profile))
        }
        (CredentialsProblem::NotLoaded { told }, _) => {
            let check = flag(profile);
            format!("the AWS credentials could not be loaded{}; check them with `aws sts get-caller-identity{check}`", in_brackets(told))
        }
    }
}

/// Where executions of an Express machine are, which have no history.
fn express_text(arn: &str) -> String {
    let execution = arn.parse::<ExecutionArn>().ok();
    let machine = execution.as_ref().map(ExecutionArn::state_machine).or_else(|| arn.parse().ok());
    let flags = machine.map_or_else(String::new, |machine| format!(" --state-machine {} --region {}", machine.name(), machine.region()));
    format!(
        "{arn} is Express, and the API has no history of Express executions; `stepscope pull --logs{flags}` brings what CloudWatch Logs have of \
         them into the store, where --store finds them, or give a file of log records in place of the ARN"
    )
}

fn flag(profile: Option<&str>) -> String {
    profile.map(|name| format!(" --profile {name}")).unwrap_or_default()
}

fn sign_in(profile: Option<&str>) -> String {
    format!("sign in again with `aws sso login{}`, or refresh the credentials where they came from", flag(profile))
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" (AWS says: {message})") }
}

fn place_text(at: Option<usize>) -> String {
    at.map(|at| format!(", at its character {}", at + 1)).unwrap_or_default()
}

fn similar_text(similar: &[String]) -> String {
    let mut text = String::new();
    for (position, name) in similar.iter().enumerate() {
        let before = if position == 0 { ", but there is " } else { ", " };
        let _ = write!(text, "{before}{name}");
    }
    text
}

/// A call that went wrong: what the messages need to name.
pub(super) struct Call<'a> {
    /// What was called.
    pub(super) action: Action,
    /// What it was called on: an ARN, or `*`.
    pub(super) resource: &'a str,
    /// Where it went.
    pub(super) account: &'a Account,
}

impl Account {
    /// Where calls of a service go.
    fn endpoint(&self, service: Service) -> String {
        match &self.endpoint_url {
            Some(url) => url.clone(),
            None => format!("the {} endpoint of {}", service.name(), self.region),
        }
    }

    /// What of the command line decides where a call goes.
    pub(super) fn check(&self) -> &'static str {
        if self.endpoint_url.is_some() { "--endpoint-url" } else { "the region" }
    }
}

impl Call<'_> {
    /// The SDK's error in our words.
    pub(super) fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> AwsError
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        match error {
            SdkError::TimeoutError(_) => self.timed_out(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => self.timed_out(),
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(connector) => self.unreachable(told_by_sources(connector)),
                None => self.unreachable(told_by_sources(error)),
            },
            SdkError::ServiceError(context) => match context.err().code() {
                Some(code) => self.answered(context.raw().status().as_u16(), code, context.err().message().unwrap_or_default()),
                None => self.answered_without_code(context.raw().status().as_u16(), context.err()),
            },
            SdkError::ResponseError(_) => self.unreadable(told_by_sources(error)),
            _ => {
                AwsError::Service { action: self.action, code: "the request could not be made".to_owned(), message: told_by_sources(error) }
            }
        }
    }

    fn timed_out(&self) -> AwsError {
        AwsError::TimedOut { action: self.action, endpoint: self.account.endpoint(self.action.service()), check: self.account.check() }
    }

    fn unreachable(&self, reason: String) -> AwsError {
        AwsError::Unreachable { endpoint: self.account.endpoint(self.action.service()), reason, check: self.account.check() }
    }

    /// An answer that is not what the service sends.
    pub(super) fn unreadable(&self, reason: String) -> AwsError {
        AwsError::Unreadable {
            action: self.action,
            endpoint: self.account.endpoint(self.action.service()),
            reason,
            check: self.account.check(),
        }
    }

    /// A listing that would go on for ever.
    pub(super) fn endless(&self, reason: &'static str) -> AwsError {
        AwsError::EndlessListing { action: self.action, reason, check: self.account.check() }
    }

    /// The service's own code and message in our words.
    fn answered(&self, status: u16, code: &str, message: &str) -> AwsError {
        let action = self.action;
        let profile = self.account.profile.clone();
        let (code_text, message, resource) = (code.to_owned(), message.to_owned(), self.resource.to_owned());
        match code {
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
                AwsError::SessionExpired { code: code_text, profile }
            }
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "InvalidAccessKeyId"
            | "OptInRequired" => AwsError::Refused { code: code_text, message, profile },
            "AccessDenied" | "AccessDeniedException" | "NotAuthorized" | "UnauthorizedOperation" => {
                AwsError::Denied { action, resource: self.resource_of_policy(), message }
            }
            "KmsAccessDeniedException" | "KmsInvalidStateException" => AwsError::Encrypted { action, resource, code: code_text, message },
            "ThrottlingException"
            | "Throttling"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "SlowDown"
            | "KmsThrottlingException" => AwsError::Throttled { action, code: code_text },
            "ExecutionDoesNotExist" => AwsError::NoExecution { arn: resource, region: self.account.region.clone() },
            "StateMachineDoesNotExist" => {
                AwsError::NoStateMachine { name: resource, region: self.account.region.clone(), similar: Vec::new() }
            }
            "StateMachineTypeNotSupported" => AwsError::Express { arn: resource },
            "InvalidArn" => AwsError::InvalidArn { arn: resource, message },
            "InvalidToken" => AwsError::ListingExpired { action },
            "ResourceNotFoundException" if matches!(action, Action::FilterLogEvents | Action::StartQuery) => {
                AwsError::NoLogGroup { name: resource, region: self.account.region.clone() }
            }
            // Two codes are seen, and neither is this reason's own.
            "InvalidOperationException" | "ValidationException" if action == Action::FilterLogEvents && names_log_class(&message) => {
                AwsError::InfrequentAccess { name: resource }
            }
            "LimitExceededException" if action == Action::StartQuery => AwsError::TooManyQueries { message },
            "MalformedQueryException" => AwsError::MalformedQuery { message, at: None },
            _ if is_throttling(status) => AwsError::Throttled { action, code: code_text },
            _ if status >= 500 => AwsError::ServiceFault { action, code: code_text, message },
            _ => AwsError::Service { action, code: code_text, message },
        }
    }

    /// What was called on, as a policy names it: log groups are called by their names.
    fn resource_of_policy(&self) -> String {
        if self.action.resource() != Resource::LogGroup || self.resource.starts_with("arn:") {
            return self.resource.to_owned();
        }
        let region = &self.account.region;
        let partition = match region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        format!("arn:{partition}:logs:{region}:*:log-group:{}:*", self.resource)
    }

    /// An answer that names no error code: a proxy's page, or a body that is no JSON.
    fn answered_without_code(&self, status: u16, error: &(dyn StdError + 'static)) -> AwsError {
        if is_throttling(status) {
            return AwsError::Throttled { action: self.action, code: format!("HTTP status {status}") };
        }
        let is_success = (200..300).contains(&status);
        self.unreadable(if is_success { told_by_sources(error) } else { format!("HTTP status {status} without an error code") })
    }
}

/// Whether a refusal has to do with what a log group costs.
fn names_log_class(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["infrequent", "log class", "log-group-class"].iter().any(|word| message.contains(word))
}

/// Whether a status says by itself that there are too many calls.
fn is_throttling(status: u16) -> bool {
    matches!(status, 429 | 503)
}

/// The messages of an error and of its sources; each once, since wrappers like to repeat what they wrap.
pub(super) fn told_by(error: &(dyn StdError + 'static)) -> String {
    let mut told = String::new();
    let mut at = Some(error);
    while let Some(error) = at {
        let message = error.to_string();
        if !told.contains(&message) {
            let between = if told.is_empty() { "" } else { ": " };
            let _ = write!(told, "{between}{message}");
        }
        at = error.source();
    }
    told
}

/// The messages of an error's sources, for an error whose own message only names its kind; its own when it has no source.
pub(super) fn told_by_sources(error: &(dyn StdError + 'static)) -> String {
    told_by(error.source().unwrap_or(error))
}

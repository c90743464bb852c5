//! One event of an execution's history, as `GetExecutionHistory` returns it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EventType, RawText, Role, Timestamp};

/// The number of an event in its history; the service starts at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventId(pub u64);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A JSON payload: an input, an output, parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// JSON text, at most 262,144 bytes from the service.
    pub text: RawText,
    /// Whether the source says that it cut the text; it is then no valid JSON.
    pub truncated: bool,
}

impl Payload {
    /// A whole payload.
    pub fn new(text: impl Into<RawText>) -> Self {
        Self { text: text.into(), truncated: false }
    }
}

/// One event of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    /// Its number.
    pub id: EventId,
    /// The event that caused it; `None` where the service writes 0 or the source writes nothing.
    pub previous_event_id: Option<EventId>,
    /// When it happened; `None` where the source has no readable time.
    pub timestamp: Option<Timestamp>,
    /// What happened.
    pub kind: EventType,
    /// The details that belong to the type.
    pub details: Details,
    /// What the table of types does not know: kept and shown, never dropped.
    pub unknown: Option<Box<UnknownParts>>,
}

/// Parts of an event that the service added after this program was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownParts {
    /// The name of an event type that is not in the table.
    pub kind: Option<String>,
    /// Members of the event that are not in the table: name and JSON text.
    pub members: Vec<(String, RawText)>,
    /// Members of the details that are not in the table: name and JSON text.
    pub details: Vec<(String, RawText)>,
}

/// The details of an event; the variants are the shapes that the types share.
///
/// A field is `None` when the source left it out: payloads are missing with `includeExecutionData=false`, errors and causes
/// are often absent, and local engines leave out what they like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub enum Details {
    /// The type has none, or the source left them out.
    #[default]
    None,
    ExecutionStarted(Box<ExecutionStarted>),
    Failure(Box<Failure>),
    Output(Box<Output>),
    StateEntered(StateEntered),
    StateExited(StateExited),
    Scheduled(Box<Scheduled>),
    Started(Started),
    Evaluation(Box<Evaluation>),
    Iteration {
        name: Option<RawText>,
        index: Option<u64>,
    },
    MapStarted {
        length: Option<u64>,
    },
    MapRunStarted {
        map_run_arn: Option<RawText>,
    },
    Redriven {
        redrive_count: Option<u64>,
        map_run_arn: Option<RawText>,
    },
}

/// Details of `ExecutionStarted`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct ExecutionStarted {
    pub input: Option<Payload>,
    pub role_arn: Option<RawText>,
    pub state_machine_alias_arn: Option<RawText>,
    pub state_machine_version_arn: Option<RawText>,
}

/// Details of the events that report a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct Failure {
    pub resource_type: Option<RawText>,
    pub resource: Option<RawText>,
    pub error: Option<RawText>,
    pub cause: Option<RawText>,
}

/// Details of the events that report a result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct Output {
    pub resource_type: Option<RawText>,
    pub resource: Option<RawText>,
    pub output: Option<Payload>,
}

/// Details of every `…StateEntered`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct StateEntered {
    pub name: Option<RawText>,
    pub input: Option<Payload>,
}

/// Details of every `…StateExited`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct StateExited {
    pub name: Option<RawText>,
    pub output: Option<Payload>,
    /// Name and JSON text of each variable that the state assigned.
    pub assigned_variables: Option<Box<AssignedVariables>>,
}

/// What a state assigned on its way out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssignedVariables {
    /// Name and JSON text.
    pub values: Vec<(String, RawText)>,
    /// Whether the source says that it cut the values.
    pub truncated: bool,
}

/// Details of `TaskScheduled`, `LambdaFunctionScheduled` and `ActivityScheduled`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct Scheduled {
    pub resource_type: Option<RawText>,
    pub resource: Option<RawText>,
    pub region: Option<RawText>,
    /// `parameters` of an integration, `input` of a function or an activity: what the task really received.
    pub input: Option<Payload>,
    /// Seconds.
    pub timeout_in_seconds: Option<u64>,
    /// Seconds.
    pub heartbeat_in_seconds: Option<u64>,
    /// The role of `taskCredentials`.
    pub role_arn: Option<RawText>,
}

/// Details of `TaskStarted` and `ActivityStarted`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct Started {
    pub resource_type: Option<RawText>,
    pub resource: Option<RawText>,
    pub worker_name: Option<RawText>,
}

/// Details of `EvaluationFailed`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct Evaluation {
    pub state: Option<RawText>,
    pub location: Option<RawText>,
    pub error: Option<RawText>,
    pub cause: Option<RawText>,
}

impl HistoryEvent {
    /// What the event does in a path.
    pub fn role(&self) -> Role {
        self.kind.role()
    }

    /// The name of the type, also of one that is not in the table.
    pub fn type_name(&self) -> &str {
        match (&self.unknown, self.kind) {
            (Some(parts), EventType::Unknown) => parts.kind.as_deref().unwrap_or("Unknown"),
            _ => self.kind.name(),
        }
    }

    /// The state that the event names: that of a visit, of a Map iteration or of a failed evaluation.
    pub fn state_name(&self) -> Option<&RawText> {
        match &self.details {
            Details::StateEntered(entered) => entered.name.as_ref(),
            Details::StateExited(exited) => exited.name.as_ref(),
            Details::Iteration { name, .. } => name.as_ref(),
            Details::Evaluation(evaluation) => evaluation.state.as_ref(),
            _ => None,
        }
    }

    /// The error name, where the event reports a failure and the source kept it.
    pub fn error(&self) -> Option<&RawText> {
        match &self.details {
            Details::Failure(failure) => failure.error.as_ref(),
            Details::Evaluation(evaluation) => evaluation.error.as_ref(),
            _ => None,
        }
    }

    /// The cause, where the event reports a failure and the source kept it.
    pub fn cause(&self) -> Option<&RawText> {
        match &self.details {
            Details::Failure(failure) => failure.cause.as_ref(),
            Details::Evaluation(evaluation) => evaluation.cause.as_ref(),
            _ => None,
        }
    }

    /// The payload that goes into what the event begins: an execution, a visit, an attempt.
    pub fn input(&self) -> Option<&Payload> {
        match &self.details {
            Details::ExecutionStarted(started) => started.input.as_ref(),
            Details::StateEntered(entered) => entered.input.as_ref(),
            Details::Scheduled(scheduled) => scheduled.input.as_ref(),
            _ => None,
        }
    }

    /// The payload that comes out of what the event ends.
    pub fn output(&self) -> Option<&Payload> {
        match &self.details {
            Details::Output(output) => output.output.as_ref(),
            Details::StateExited(exited) => exited.output.as_ref(),
            _ => None,
        }
    }

    /// Whether the event reports that something failed or ran out of time.
    pub fn is_failure(&self) -> bool {
        use super::event_type::Ending::{Failed, TimedOut};
        match self.role() {
            Role::Attempt(step) => step.is_failure(),
            Role::EvaluationFailed => true,
            Role::CompositeEnded(_, ending) | Role::IterationEnded(ending) | Role::MapRunEnded(ending) | Role::ExecutionEnded(ending) => {
                matches!(ending, Failed | TimedOut)
            }
            _ => false,
        }
    }
}

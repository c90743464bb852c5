//! An execution's header, its events, and what is known to be missing.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EventId, ExecutionArn, HistoryEvent, RawText, StateMachineArn, Timestamp};

/// The status of an execution, as `DescribeExecution` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the words are those of the service")]
pub enum ExecutionStatus {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
    PendingRedrive,
}

impl ExecutionStatus {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Running, Self::Succeeded, Self::Failed, Self::TimedOut, Self::Aborted, Self::PendingRedrive];

    /// The service's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
            Self::PendingRedrive => "PENDING_REDRIVE",
        }
    }

    /// Whether nothing more will happen unless it is redriven.
    pub fn is_closed(self) -> bool {
        !matches!(self, Self::Running | Self::PendingRedrive)
    }

    /// The status that the service's word names.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the execution ended without success.
    pub fn is_unsuccessful(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Aborted)
    }
}

impl fmt::Display for ExecutionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What `DescribeExecution` says; every field may be missing, since a bare history names nothing.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct ExecutionHeader {
    pub arn: Option<ExecutionArn>,
    pub state_machine_arn: Option<StateMachineArn>,
    pub name: Option<String>,
    /// Of the describe call; a bare history leaves it to the last event.
    pub status: Option<ExecutionStatus>,
    pub start: Option<Timestamp>,
    pub stop: Option<Timestamp>,
    pub input: Option<RawText>,
    pub output: Option<RawText>,
    pub error: Option<RawText>,
    pub cause: Option<RawText>,
    pub redrive_count: Option<u64>,
    /// Of a child of a Distributed Map.
    pub map_run_arn: Option<String>,
    /// Of an execution that was started by version or alias.
    pub state_machine_version_arn: Option<String>,
    /// Of an execution that was started by alias.
    pub state_machine_alias_arn: Option<String>,
    /// Members that this program does not know: name and JSON text.
    pub unknown: Vec<(String, RawText)>,
}

/// An execution as far as it was read.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// What is known of the execution as a whole.
    pub header: ExecutionHeader,
    /// In the order of their ids, each id once.
    pub events: Vec<HistoryEvent>,
    /// The state machine's definition as JSON text, when the source had it.
    pub definition: Option<RawText>,
    /// What is known to be missing. Answers that rest on incomplete evidence say so.
    pub gaps: Vec<Gap>,
    /// Where it was read.
    pub origin: Origin,
}

/// Where a history was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// A path, an ARN, `standard input`.
    pub source: String,
    /// Which line or entry of it, such as `line 3`, where it can hold several executions.
    pub part: Option<String>,
    /// The folder or file in which its definition was found, where that stood apart from it.
    pub definitions: Option<String>,
    /// The folder of the store that it was read from.
    pub store: Option<String>,
}

impl From<String> for Origin {
    fn from(source: String) -> Self {
        Self { source, ..Self::default() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        self.part.as_ref().map_or(Ok(()), |part| write!(f, " {part}"))?;
        self.store.as_ref().map_or(Ok(()), |store| write!(f, " in the store {store}"))
    }
}

impl History {
    /// The event with this id.
    pub fn event(&self, id: EventId) -> Option<&HistoryEvent> {
        self.index_of(id).map(|index| &self.events[index])
    }

    /// Where in `events` the event with this id stands. Constant time for a history without gaps.
    pub fn index_of(&self, id: EventId) -> Option<usize> {
        let guess = usize::try_from(id.0.checked_sub(1)?).ok()?;
        if self.events.get(guess).is_some_and(|event| event.id == id) {
            return Some(guess);
        }
        self.events.binary_search_by_key(&id, |event| event.id).ok()
    }
}

/// Something that is known to be missing from a history, or not to be as the service writes it.
///
/// Serialises as an object whose `id` is that of [`Gap::id`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "id", rename_all = "snake_case")]
pub enum Gap {
    /// No event was read at all.
    NoEvents,
    /// Event ids jump: the events from `first` to `last` are not there.
    MissingEvents {
        /// The first id that is missing.
        first: EventId,
        /// The last id that is missing.
        last: EventId,
    },
    /// The last page read names a next one.
    MorePages,
    /// The API or a file could not be read to its end.
    NotFetched {
        /// What was asked for.
        what: String,
        /// Why it did not come.
        reason: String,
    },
    /// The same id stands for two different events; the first one was kept.
    ConflictingEvents {
        /// The id.
        #[serde(rename = "event")]
        id: EventId,
    },
    /// The history ends before the execution does, although the execution is closed.
    NoEnd,
    /// The history was recorded without payloads (`includeExecutionData=false`).
    PayloadsLeftOut,
    /// Payloads were cut by the source.
    TruncatedPayloads {
        /// How many events are concerned.
        events: usize,
    },
    /// Payloads are JSON values where the service sends strings: a local engine, or a converted file.
    StructuredPayloads {
        /// How many events are concerned.
        events: usize,
    },
    /// Events have no readable time.
    NoTimestamps {
        /// How many events are concerned.
        events: usize,
    },
    /// Events have no readable id; they were numbered by their order.
    NoIds {
        /// How many events are concerned.
        events: usize,
    },
    /// Events have types that this program does not know. They are kept.
    UnknownTypes {
        /// How many events are concerned.
        events: usize,
        /// One of the types.
        example: String,
    },
    /// Events lack the details that their type has; a local engine left them out.
    MissingDetails {
        /// How many events are concerned.
        events: usize,
    },
    /// Events whose link leads nowhere: to an event that is not there, to a later one, or to none. They were placed by their order.
    BrokenLinks {
        /// How many events are concerned.
        events: usize,
        /// The first of them.
        first: EventId,
    },
    /// Events that could not be given to any visit.
    UnplacedEvents {
        /// How many events are concerned.
        events: usize,
        /// The first of them.
        first: EventId,
    },
    /// A failed child execution was not read: the cause in the parent's history is all that is known of it.
    ChildNotRead {
        /// The child's ARN.
        execution: String,
        /// Why, where it was tried.
        reason: Option<String>,
    },
    /// The history was made of log records, and the level left most events out.
    LoggedOnly {
        /// The level that the records look like.
        level: LoggedLevel,
    },
    /// The history was made of log records, and none of them ends the execution.
    NoEndLogged,
    /// Log records with one id tell different things: a step ran more than once. The earlier ones were kept.
    RepeatedEvents {
        /// How many records were left out.
        events: usize,
        /// The first of them.
        first: EventId,
    },
    /// There is no definition, or it can't be read; what the normal path reaches was judged by the history alone.
    NoDefinition {
        /// Why, where there is one.
        reason: Option<String>,
    },
    /// The definition is the machine's, and may be of an earlier or a later time than the execution.
    OtherDefinition {
        /// Why the right one is not known.
        reason: String,
    },
}

/// What a state machine's logging leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LoggedLevel {
    /// Everything but failures.
    Error,
    /// Everything but the end of an execution that did not succeed.
    Fatal,
}

impl Gap {
    /// A short name that scripts may rely on.
    pub fn id(&self) -> &'static str {
        match self {
            Self::NoEvents => "no_events",
            Self::MissingEvents { .. } => "missing_events",
            Self::MorePages => "more_pages",
            Self::NotFetched { .. } => "not_fetched",
            Self::ConflictingEvents { .. } => "conflicting_events",
            Self::NoEnd => "no_end",
            Self::PayloadsLeftOut => "payloads_left_out",
            Self::TruncatedPayloads { .. } => "truncated_payloads",
            Self::StructuredPayloads { .. } => "structured_payloads",
            Self::NoTimestamps { .. } => "no_timestamps",
            Self::NoIds { .. } => "no_ids",
            Self::UnknownTypes { .. } => "unknown_types",
            Self::MissingDetails { .. } => "missing_details",
            Self::BrokenLinks { .. } => "broken_links",
            Self::UnplacedEvents { .. } => "unplaced_events",
            Self::ChildNotRead { .. } => "child_not_read",
            Self::LoggedOnly { .. } => "logged_only",
            Self::NoEndLogged => "no_end_logged",
            Self::RepeatedEvents { .. } => "repeated_events",
            Self::NoDefinition { .. } => "no_definition",
            Self::OtherDefinition { .. } => "other_definition",
        }
    }
}

fn count(events: usize) -> String {
    if events == 1 { "1 event".to_owned() } else { format!("{events} events") }
}

/// One sentence without a full stop, for a person.
impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEvents => write!(f, "no events were read, only the description of the execution"),
            Self::MissingEvents { first, last } if first == last => write!(f, "event {first} is missing"),
            Self::MissingEvents { first, last } => write!(f, "events {first} to {last} are missing"),
            Self::MorePages => write!(f, "the history goes on: the last page read names a next one"),
            Self::NotFetched { what, reason } => write!(f, "{what} was not read: {reason}"),
            Self::ConflictingEvents { id } => write!(f, "two different events have the id {id}; the first was kept"),
            Self::NoEnd => write!(f, "the history ends before the execution does"),
            Self::PayloadsLeftOut => write!(f, "the history holds no inputs and outputs"),
            Self::TruncatedPayloads { events } => write!(f, "the payloads of {} were cut by the source", count(*events)),
            Self::StructuredPayloads { events } => {
                write!(f, "the payloads of {} are JSON values, not the service's strings: their exact text is unknown", count(*events))
            }
            Self::NoTimestamps { events } => write!(f, "{} without a readable time", count(*events)),
            Self::NoIds { events } => write!(f, "{} without a readable id, numbered by their order", count(*events)),
            Self::UnknownTypes { events, example } => write!(f, "{} of unknown type, such as {example}", count(*events)),
            Self::MissingDetails { events } => write!(f, "{} without the details of their type", count(*events)),
            Self::BrokenLinks { events, first } => {
                write!(f, "{} linked to no earlier event (the first is {first}); placed by their order", count(*events))
            }
            Self::UnplacedEvents { events, first } => write!(f, "{} belong to no known state (the first is {first})", count(*events)),
            Self::ChildNotRead { execution, reason: None } => {
                write!(f, "the failed child execution was not read, only the cause it left: {execution}")
            }
            Self::ChildNotRead { execution, reason: Some(reason) } => {
                write!(f, "the failed child execution was not read ({reason}): {execution}")
            }
            Self::LoggedOnly { level: LoggedLevel::Error } => {
                write!(
                    f,
                    "only failures were logged (level ERROR): the way to them and most states' names are not known; level ALL logs them"
                )
            }
            Self::LoggedOnly { level: LoggedLevel::Fatal } => {
                write!(
                    f,
                    "only the end was logged (level FATAL, or ERROR where no step failed): the way to it is not known; level ALL logs it"
                )
            }
            Self::NoEndLogged => write!(f, "no log record of its end was read: it may still run, or the record was lost"),
            Self::RepeatedEvents { events, first } => {
                let times = if *events == 1 { "1 log record tells".to_owned() } else { format!("{events} log records tell") };
                write!(f, "{times} otherwise of an event that another record tells of (the first is {first}); the earlier ones were kept")
            }
            Self::NoDefinition { reason: None } => write!(f, "no definition at hand: what is normal was judged by the history alone"),
            Self::NoDefinition { reason: Some(reason) } => {
                write!(f, "no definition at hand ({reason}): what is normal was judged by the history alone")
            }
            Self::OtherDefinition { reason } => {
                write!(f, "the definition may be of another time than the execution ({reason})")
            }
        }
    }
}

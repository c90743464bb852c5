//! The columns `rest`: what a history has beside the columns, so that it comes out of the store as it went in.
//!
//! Null in the usual case. Both directions share these types, so that they cannot part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::event::{Details, UnknownParts};
use crate::model::event_type::Shape;
use crate::model::{EventType, Gap, RawText};

/// A text; as an object when it was a JSON value where the service sends a string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Plain(String),
    Json { json: String },
}

impl From<&RawText> for Text {
    fn from(text: &RawText) -> Self {
        let decoded = text.decode().into_owned();
        if text.is_structured() { Self::Json { json: decoded } } else { Self::Plain(decoded) }
    }
}

impl From<Text> for RawText {
    fn from(text: Text) -> Self {
        match text {
            Text::Plain(text) => Self::plain(text),
            Text::Json { json } => Self::json(json),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Of an event.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct EventRest {
    /// The exact moment, where microseconds do not hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// Columns whose text was a JSON value where the service sends a string.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub structured: Vec<String>,
    /// Numbers that are too large for their columns.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, u64>,
    /// Which details it has, where they are not those of its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<DetailsKind>,
    /// Assigned variables whose text is no JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_variables: Option<Vec<(String, Text)>>,
    /// Whether the variables were cut, where the output was not, or the other way round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables_truncated: Option<bool>,
    /// What the program does not know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Parts>,
    /// Its type is unknown although the column `type` names one that is known.
    #[serde(skip_serializing_if = "is_false")]
    pub type_is_unknown: bool,
}

/// What the program does not know of an event.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Parts {
    /// Nothing at all, not even the name of its type.
    #[serde(skip_serializing_if = "is_false")]
    pub nothing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<(String, Text)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<(String, Text)>,
}

/// Names and texts as `rest` has them.
pub(super) fn texts(members: &[(String, RawText)]) -> Vec<(String, Text)> {
    members.iter().map(|(name, text)| (name.clone(), Text::from(text))).collect()
}

/// Names and texts as the model has them.
pub(super) fn raw_texts(members: Vec<(String, Text)>) -> Vec<(String, RawText)> {
    members.into_iter().map(|(name, text)| (name, RawText::from(text))).collect()
}

impl From<Option<&UnknownParts>> for Parts {
    fn from(parts: Option<&UnknownParts>) -> Self {
        match parts {
            None => Self { nothing: true, ..Self::default() },
            Some(parts) => {
                Self { nothing: false, kind: parts.kind.clone(), members: texts(&parts.members), details: texts(&parts.details) }
            }
        }
    }
}

impl From<Parts> for Option<Box<UnknownParts>> {
    fn from(parts: Parts) -> Self {
        let Parts { nothing, kind, members, details } = parts;
        (!nothing).then(|| Box::new(UnknownParts { kind, members: raw_texts(members), details: raw_texts(details) }))
    }
}

/// The variants of [`Details`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are those of the details")]
pub(super) enum DetailsKind {
    None,
    ExecutionStarted,
    Failure,
    Output,
    StateEntered,
    StateExited,
    Scheduled,
    Started,
    Evaluation,
    Iteration,
    MapStarted,
    MapRunStarted,
    Redriven,
}

impl DetailsKind {
    pub fn of(details: &Details) -> Self {
        match details {
            Details::None => Self::None,
            Details::ExecutionStarted(_) => Self::ExecutionStarted,
            Details::Failure(_) => Self::Failure,
            Details::Output(_) => Self::Output,
            Details::StateEntered(_) => Self::StateEntered,
            Details::StateExited(_) => Self::StateExited,
            Details::Scheduled(_) => Self::Scheduled,
            Details::Started(_) => Self::Started,
            Details::Evaluation(_) => Self::Evaluation,
            Details::Iteration { .. } => Self::Iteration,
            Details::MapStarted { .. } => Self::MapStarted,
            Details::MapRunStarted { .. } => Self::MapRunStarted,
            Details::Redriven { .. } => Self::Redriven,
        }
    }

    /// Those that an event of this type has.
    pub fn usual(kind: EventType) -> Self {
        if kind.details_member().is_empty() {
            return Self::None;
        }
        match kind.shape() {
            Shape::None => Self::None,
            Shape::ExecutionStarted => Self::ExecutionStarted,
            Shape::Failure => Self::Failure,
            Shape::Output => Self::Output,
            Shape::Redriven => Self::Redriven,
            Shape::StateEntered => Self::StateEntered,
            Shape::StateExited => Self::StateExited,
            Shape::MapStarted => Self::MapStarted,
            Shape::Iteration => Self::Iteration,
            Shape::MapRunStarted => Self::MapRunStarted,
            Shape::Scheduled => Self::Scheduled,
            Shape::Started => Self::Started,
            Shape::Evaluation => Self::Evaluation,
        }
    }
}

/// Of an execution.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ExecutionRest {
    /// Members of the description that are not what the columns say; null when it leaves them out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub header: BTreeMap<String, Option<Text>>,
    /// Members of the description that the program does not know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<(String, Text)>,
    /// What is known to be missing, in full.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// The definition was a string, not an object.
    #[serde(skip_serializing_if = "is_false")]
    pub definition_is_text: bool,
}

/// As it stands in the column; `None` for what needs nothing.
pub(super) fn to_json<R: Serialize + Default + PartialEq>(rest: &R) -> Option<String> {
    if *rest == R::default() {
        return None;
    }
    // Strings, numbers and lists of them always serialise.
    serde_json::to_string(rest).ok()
}

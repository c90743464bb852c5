//! What a rule is, and what it says.

use serde::Serialize;
use serde_json::Value;

use super::subject::Subject;

/// How bad it is to break a rule; the worst first. The words are those of SARIF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It will lose work, or do it twice.
    Error,
    /// It will hurt in an outage.
    Warning,
    /// Worth a thought.
    Note,
}

impl Level {
    /// As JSON and SARIF have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A rule about what a valid definition does in operation.
#[derive(Debug)]
pub struct Rule {
    /// Short and stable, such as `retry-without-jitter`: what files that switch rules off name.
    pub id: &'static str,
    /// How bad it is to break it.
    pub level: Level,
    /// What it asks for, in a few words.
    pub title: &'static str,
    /// Why, in one sentence.
    pub reason: &'static str,
    /// Where the reason is written down: a page of the service's documentation.
    pub source: &'static str,
    /// Looks for places that break it.
    pub check: fn(&Subject<'_>, &mut Vec<Violation>),
}

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the definition.
    pub pointer: String,
    /// What is wrong there, in one sentence that names the state.
    pub message: String,
    /// What would mend it, where a program can tell.
    pub fix: Option<Fix>,
}

/// A change of the definition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fix {
    /// What it does, in a few words.
    pub text: String,
    /// Whether it keeps what the machine does in good times: `--fix` applies those alone unless told otherwise.
    pub safe: bool,
    /// A JSON patch (RFC 6902) of the definition.
    pub patch: Vec<Operation>,
}

/// An operation of a JSON patch (RFC 6902).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation {
    /// Adds a member, or inserts an item.
    #[allow(missing_docs, reason = "the members of RFC 6902")]
    Add { path: String, value: Value },
    /// Puts another value in the place of one.
    #[allow(missing_docs, reason = "the members of RFC 6902")]
    Replace { path: String, value: Value },
    /// Takes a value away.
    #[allow(missing_docs, reason = "the members of RFC 6902")]
    Remove { path: String },
}

impl Operation {
    /// JSON pointer of the place.
    pub fn path(&self) -> &str {
        match self {
            Self::Add { path, .. } | Self::Replace { path, .. } | Self::Remove { path } => path,
        }
    }

    /// The same operation at another place.
    pub(super) fn moved(&self, to: impl FnOnce(&str) -> Option<String>) -> Option<Self> {
        let path = to(self.path())?;
        Some(match self {
            Self::Add { value, .. } => Self::Add { path, value: value.clone() },
            Self::Replace { value, .. } => Self::Replace { path, value: value.clone() },
            Self::Remove { .. } => Self::Remove { path },
        })
    }
}

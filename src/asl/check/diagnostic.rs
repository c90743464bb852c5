//! What the checker says.

use serde::Serialize;

use super::super::source::{Position, Source, Span};
use super::spot::Spot;

/// The service's word for a kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// Neither JSON nor YAML, or an object that has a member twice.
    InvalidJsonDescription,
    /// Nothing at all.
    MissingDescription,
    /// A field that is missing, unknown, or of the wrong kind.
    SchemaValidationFailed,
    /// A Resource that only the language takes, and the service does not.
    InvalidResource,
    /// A `States` object without a state that ends it.
    MissingEndState,
    /// Two states of one name.
    DuplicateStateName,
    /// A name that no state may have.
    InvalidStateName,
    /// Two Distributed Maps of one label.
    DuplicateLabelName,
    /// A label that no Distributed Map may have.
    InvalidLabelName,
    /// A transition that leads nowhere, or a state that none leads to.
    MissingTransitionTarget,
    /// Values within values beyond all measure.
    TooDeeplyNested,
    /// JSONata that does not parse.
    InvalidJsonataExpression,
    /// JSONata that asks for what is not there.
    UnsupportedJsonataExpression,
    /// A path in a payload template whose member does not end in `.$`.
    NoDollar,
    /// A path in a field whose name does not end in `Path`.
    NoPath,
    /// A path in the Result of a Pass state.
    PassResultIsStatic,
    /// A name of an error that begins with `States.` and is none of the language's.
    ReservedErrorName,
}

impl Code {
    /// Whether a definition with it is refused.
    pub fn severity(self) -> Severity {
        match self {
            Self::InvalidResource | Self::NoDollar | Self::NoPath | Self::PassResultIsStatic | Self::ReservedErrorName => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

/// Whether a definition is refused for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the words of the service")]
pub enum Severity {
    Error,
    Warning,
}

/// One thing to be said of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Which kind of problem.
    pub code: Code,
    /// Whether the definition is refused for it.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// JSON pointer (RFC 6901) into the definition; empty for the definition itself.
    pub pointer: String,
    /// The place as the service writes it, such as `/States/Choose/Choices[0]/Next`.
    pub location: Option<String>,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters of the line it is about.
    #[serde(skip)]
    pub width: usize,
}

impl Diagnostic {
    pub(super) fn at(code: Code, message: String, spot: &Spot<'_, '_>, source: &Source) -> Self {
        let place = Self::of_span(code, message, spot.marked(), source);
        Self { pointer: spot.pointer(), location: Some(spot.location()), ..place }
    }

    pub(super) fn of_span(code: Code, message: String, span: Span, source: &Source) -> Self {
        let start = source.position(span.start);
        let end = source.position(span.end);
        let rest = source.line(start.line).chars().count().saturating_sub(start.column - 1);
        let width = if end.line == start.line { end.column - start.column } else { rest };
        Self { width: width.max(1), ..Self::of_text(code, message, start) }
    }

    pub(super) fn of_text(code: Code, message: String, position: Position) -> Self {
        let Position { line, column } = position;
        Self { code, severity: code.severity(), message, pointer: String::new(), location: None, line, column, width: 1 }
    }
}

//! What a rule found, with its place in the text.

use std::collections::HashMap;

use serde::Serialize;

use super::cost::Cost;
use super::fix;
use super::rule::{Fix, Level, Rule, Violation};
use super::subject::Subject;
use crate::asl::source::{Content, Node, Position, Source, Span};

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What is wrong, in one sentence that names the state.
    pub message: String,
    /// Why the rule is there.
    pub reason: &'static str,
    /// JSON pointer (RFC 6901) into the definition; empty for the definition itself.
    pub pointer: String,
    /// The place as the service writes it, such as `/States/Charge/Retry[0]`.
    pub location: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The innermost state that it is about; `None` for the machine as a whole.
    pub state: Option<String>,
    /// What would mend it, where a program can tell.
    pub fix: Option<Fix>,
    /// What it went along with in the executions that were looked at; `None` where none were, or it says nothing about this rule.
    pub cost: Option<Cost>,
    /// How many characters of the line it is about.
    #[serde(skip)]
    pub width: usize,
    /// The changes of the text that the fix makes, where they were asked for and can be made.
    #[serde(skip)]
    pub replacements: Vec<Replacement>,
}

/// A change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// Where what goes begins.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
    /// What comes in its place.
    pub text: String,
}

impl Finding {
    /// Finds out what its fix changes in the text.
    pub(super) fn find_replacements(&mut self, source: &Source) {
        let edits = self.fix.as_ref().and_then(|fix| fix::edits_of(source, fix)).unwrap_or_default();
        let place =
            |edit: fix::Edit| Replacement { start: source.position(edit.span.start), end: source.position(edit.span.end), text: edit.text };
        self.replacements = edits.into_iter().map(place).collect();
    }
}

/// A finding that a file switched off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suppressed {
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it is no trouble here, in the words of the file.
    pub justification: String,
}

/// Places of a definition by pointer.
pub(super) struct Places<'s> {
    source: &'s Source,
    states: HashMap<&'s str, &'s str>,
}

impl<'s> Places<'s> {
    pub(super) fn new(subject: &'s Subject<'s>) -> Self {
        let states = subject.states.iter().map(|state| (state.pointer.as_str(), state.name)).collect();
        Self { source: subject.source, states }
    }

    /// A violation with its place.
    pub(super) fn finding(&self, rule: &'static Rule, violation: Violation) -> Finding {
        let Violation { pointer, message, fix } = violation;
        let (location, span) = locate(self.source, &pointer);
        let start = self.source.position(span.start);
        let end = self.source.position(span.end);
        let rest = || self.source.line(start.line).chars().count().saturating_sub(start.column - 1);
        let width = if end.line == start.line { end.column - start.column } else { rest() };
        Finding {
            rule: rule.id,
            level: rule.level,
            message,
            reason: rule.reason,
            location,
            line: start.line,
            column: start.column,
            state: self.state_of(&pointer).map(str::to_owned),
            pointer,
            fix,
            cost: None,
            width: width.max(1),
            replacements: Vec::new(),
        }
    }

    /// The innermost state in which a pointer lies.
    pub(super) fn state_of(&self, pointer: &str) -> Option<&'s str> {
        self.pointer_of_state(pointer).and_then(|pointer| self.states.get(pointer).copied())
    }

    /// The pointer of that state.
    pub(super) fn pointer_of_state<'p>(&self, pointer: &'p str) -> Option<&'p str> {
        let mut rest = pointer;
        loop {
            if self.states.contains_key(rest) {
                return Some(rest);
            }
            rest = &rest[..rest.rfind('/')?];
        }
    }
}

/// The place as the service writes it, and what to point at: of an object or a list its name, or its first character, as what it holds
/// is not the trouble. What is not there is where it would be.
fn locate(source: &Source, pointer: &str) -> (String, Span) {
    let mut node = source.root();
    let mut name = None;
    let mut location = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match &node.content {
            Content::Array(items) => {
                location.push_str(&format!("[{step}]"));
                name = None;
                step.parse::<usize>().ok().and_then(|at| items.get(at))
            }
            _ => {
                location.push_str(&format!("/{step}"));
                let member = node.member(&step);
                name = member.map(|member| member.name_span).or(name);
                member.map(|member| &member.value)
            }
        };
        let Some(next) = next else { break };
        node = next;
    }
    let span = match name {
        Some(name) if is_long(node) => name,
        _ if is_long(node) => Span { start: node.span.start, end: node.span.start + 1 },
        _ => node.span,
    };
    (if location.is_empty() { "/".to_owned() } else { location }, span)
}

fn is_long(node: &Node) -> bool {
    node.is_object() || !node.items().is_empty()
}

//! Whether the service would take a definition, and all that it would say against it.
//!
//! | file          | looks at                                                                       |
//! |---------------|--------------------------------------------------------------------------------|
//! | `fields`      | tables: which field may stand where, in which language, with what kind of value |
//! | `shapes`      | values of fields by their kind                                                 |
//! | `expressions` | paths, intrinsic functions, JSONata, payload templates                         |
//! | `states`      | one state, and what is true of its fields together                             |
//! | `choices`     | rules of a Choice                                                              |
//! | `errors`      | Retry and Catch                                                                |
//! | `maps`        | Map and Distributed Map                                                        |
//! | `resources`   | what a Task may call                                                           |
//! | `scopes`      | `States` objects: transitions, reachability, names of states and of variables  |
//!
//! Codes and messages are the service's where they are on record. What the service lets pass and is likely a mistake is a warning.

mod choices;
mod diagnostic;
mod errors;
mod expressions;
mod fields;
mod maps;
mod resources;
mod scopes;
mod shapes;
mod spot;
mod states;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde::Serialize;

pub use errors::is_error_name;

pub use diagnostic::{Code, Diagnostic, Severity};

use super::machine::QueryLanguage;
use super::source::{LONGEST_DEFINITION, Node, Source, SyntaxProblem};
use scopes::Scope;
use spot::Spot;

/// As many diagnostics are given, as the service gives by default; the rest is cut off.
pub const MOST_DIAGNOSTICS: usize = 100;

/// What kind of state machine a definition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the words of the service")]
pub enum MachineType {
    #[default]
    Standard,
    Express,
}

impl MachineType {
    /// As the service writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::Express => "EXPRESS",
        }
    }
}

/// What is to be said of a definition, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// All that was found, or the first [`MOST_DIAGNOSTICS`] of it: errors go before warnings when some have to go.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether there were more.
    pub truncated: bool,
}

impl Verdict {
    /// Whether the service would take the definition.
    pub fn is_valid(&self) -> bool {
        self.diagnostics.iter().all(|diagnostic| diagnostic.severity != Severity::Error)
    }

    /// What is to be said of a text that is neither JSON nor YAML.
    pub fn of_syntax(problem: &SyntaxProblem) -> Self {
        let code = if problem.too_deep { Code::TooDeeplyNested } else { Code::InvalidJsonDescription };
        Self { diagnostics: vec![Diagnostic::of_text(code, problem.message.clone(), problem.position)], truncated: false }
    }
}

/// Checks a definition.
pub fn check(source: &Source, machine_type: MachineType) -> Verdict {
    let mut checker = Checker::new(source, machine_type);
    checker.definition();
    checker.into_verdict()
}

/// What is known while a definition is walked.
struct Checker<'s> {
    source: &'s Source,
    /// `QueryLanguage` of the whole machine: states inside a Map or Parallel take it too, whatever the Map says of itself.
    language: QueryLanguage,
    /// Whether what is looked at runs as Express: the machine, or the children of a Distributed Map.
    express: bool,
    /// Where each name of a state stands first, in the whole machine.
    names: HashMap<&'s str, String>,
    /// Labels of Distributed Maps.
    labels: HashSet<&'s str>,
    /// Variables that are assigned in the scope that is looked at, and how often.
    own: Rc<HashMap<&'s str, usize>>,
    /// The scopes around it, outermost first.
    outer: Vec<Scope<'s>>,
    found: Vec<Diagnostic>,
    dropped: bool,
}

impl<'s> Checker<'s> {
    fn new(source: &'s Source, machine_type: MachineType) -> Self {
        Self {
            source,
            language: QueryLanguage::JsonPath,
            express: machine_type == MachineType::Express,
            names: HashMap::new(),
            labels: HashSet::new(),
            own: Rc::default(),
            outer: Vec::new(),
            found: Vec::new(),
            dropped: false,
        }
    }

    fn definition(&mut self) {
        let root = Spot::root(self.source.root());
        if !root.node.is_object() {
            let code = if self.source.text().is_empty() { Code::MissingDescription } else { Code::SchemaValidationFailed };
            self.say_nowhere(code, &root, "Definition must be a valid JSON object");
            return;
        }
        let length = match self.source.format() {
            super::source::Format::Json => self.source.text().chars().count(),
            super::source::Format::Yaml => self.source.to_json().chars().count(),
        };
        if length > LONGEST_DEFINITION {
            let message = format!("The definition is {length} characters long, and the service takes at most {LONGEST_DEFINITION}");
            self.say_nowhere(Code::SchemaValidationFailed, &root, &message);
            return;
        }
        for duplicate in self.source.duplicates() {
            if self.has_room(Code::InvalidJsonDescription) {
                let message = format!("Duplicate field '{}'", duplicate.name);
                self.push(Diagnostic::of_span(Code::InvalidJsonDescription, message, duplicate.span, self.source));
            }
        }
        self.machine(&root);
    }

    /// An error at this spot.
    fn error(&mut self, spot: &Spot<'_, 's>, message: impl Into<String>) {
        self.say(Code::SchemaValidationFailed, spot, message);
    }

    fn say(&mut self, code: Code, spot: &Spot<'_, 's>, message: impl Into<String>) {
        if self.has_room(code) {
            let diagnostic = Diagnostic::at(code, message.into(), spot, self.source);
            self.push(diagnostic);
        }
    }

    /// For what the service says without a place.
    fn say_nowhere(&mut self, code: Code, spot: &Spot<'_, 's>, message: &str) {
        if self.has_room(code) {
            let diagnostic = Diagnostic { location: None, ..Diagnostic::at(code, message.to_owned(), spot, self.source) };
            self.push(diagnostic);
        }
    }

    /// Whether another one may be kept: errors push warnings out, and what would only be cut off is not even made.
    fn has_room(&mut self, code: Code) -> bool {
        let errors = || self.found.iter().filter(|known| known.severity == Severity::Error).count();
        let room = match code.severity() {
            Severity::Warning => self.found.len() < MOST_DIAGNOSTICS,
            Severity::Error => self.found.len() < MOST_DIAGNOSTICS || errors() < MOST_DIAGNOSTICS,
        };
        self.dropped |= !room;
        room
    }

    /// Keeps one for which there is room.
    fn push(&mut self, diagnostic: Diagnostic) {
        if self.found.len() == MOST_DIAGNOSTICS
            && let Some(warning) = self.found.iter().rposition(|known| known.severity == Severity::Warning)
        {
            self.found.remove(warning);
            self.dropped = true;
        }
        self.found.push(diagnostic);
    }

    fn into_verdict(mut self) -> Verdict {
        self.found.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        Verdict { diagnostics: self.found, truncated: self.dropped }
    }

    /// The language of a state: its own, or the machine's. The service takes any value but `JSONPath` for JSONata.
    fn language_of(&self, state: &Node) -> QueryLanguage {
        match state.get("QueryLanguage").map(Node::as_str) {
            None => self.language,
            Some(Some("JSONPath")) => QueryLanguage::JsonPath,
            Some(_) => QueryLanguage::Jsonata,
        }
    }
}

fn name_of(language: QueryLanguage) -> &'static str {
    match language {
        QueryLanguage::JsonPath => "JSONPath",
        QueryLanguage::Jsonata => "JSONata",
    }
}

#[cfg(test)]
mod tests;

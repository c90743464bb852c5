//! Definitions as they were written: a tree in which everything knows its place in the text.
//!
//! [`Source::read`] takes JSON, YAML, and the output of describe-state-machine, whose `definition` is a text of its own: places then
//! lie in that text. CloudFormation substitutions such as `${Function}` are kept as they stand.

mod json;
mod lines;
mod node;
mod yaml;

use thiserror::Error;

pub use lines::Position;
pub use node::{Content, Member, Node, Span};

use lines::Lines;

/// The longest definition that the service takes, in characters; also the longest that is looked into.
pub const LONGEST_DEFINITION: usize = 1_048_576;
/// The longest text that is read: a definition inside another document may be escaped.
pub const LONGEST_TEXT: usize = 8 * LONGEST_DEFINITION;
/// How deep values may nest.
pub(super) const DEEPEST: usize = 128;

/// In which format a definition is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "names of formats")]
pub enum Format {
    Json,
    Yaml,
}

impl Format {
    /// What a file's name tells, if anything.
    pub fn of_name(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1;
        match () {
            () if ["yaml", "yml"].iter().any(|known| ending.eq_ignore_ascii_case(known)) => Some(Self::Yaml),
            () if ["json", "asl"].iter().any(|known| ending.eq_ignore_ascii_case(known)) => Some(Self::Json),
            () => None,
        }
    }

    /// What the text looks like: JSON begins with a bracket, and there is none that is empty.
    fn of_text(text: &str) -> Self {
        match text.trim_start().as_bytes().first() {
            Some(b'{' | b'[' | b'"') | None => Self::Json,
            Some(_) => Self::Yaml,
        }
    }
}

/// A definition and the text it was read from.
#[derive(Debug)]
pub struct Source {
    text: String,
    format: Format,
    lines: Lines,
    /// The definition, or what stands in its place.
    root: Node,
    duplicates: Vec<Duplicate>,
    description: Option<Box<Description>>,
}

/// The output of describe-state-machine around a definition.
#[derive(Debug)]
pub struct Description {
    /// The whole document.
    pub root: Node,
    /// Where the definition stands as a text of its own, and the document around it; `None` where the definition is a part of the
    /// document like any other, and places lie in it.
    pub embedded: Option<Embedded>,
}

/// A definition that stands in a document as a text.
#[derive(Debug)]
pub struct Embedded {
    /// The document.
    pub document: String,
    /// In which format that is.
    pub format: Format,
    /// Where in it the text stands, quotes included.
    pub span: Span,
}

/// A member whose name its object had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The name.
    pub name: String,
    /// Where it stands for the second time.
    pub span: Span,
}

/// The text is no definition that can be looked into.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceError {
    /// Not UTF-8.
    #[error("it is no UTF-8 text; a definition is JSON or YAML")]
    NotText,
    /// Too long.
    #[error("it is {bytes} bytes long, and a definition has at most {LONGEST_DEFINITION} characters")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// A template that holds definitions among other things.
    #[error(
        "it is a CloudFormation template; give the definition itself: the file that DefinitionUri names, or what stands below Definition"
    )]
    Template,
    /// Neither JSON nor YAML.
    #[error("{0}")]
    Syntax(SyntaxProblem),
}

/// Where a text stops to be JSON or YAML.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} at line {}, column {}", position.line, position.column)]
pub struct SyntaxProblem {
    /// What is wrong there.
    pub message: String,
    /// Whether values nest too deep, rather than that something is misspelt.
    pub too_deep: bool,
    /// Where.
    pub position: Position,
    /// The line.
    pub excerpt: String,
}

/// What the readers of both formats tell of a text they can't read.
#[derive(Debug)]
struct Problem {
    message: String,
    too_deep: bool,
    at: usize,
}

impl Problem {
    fn new(message: impl Into<String>, at: usize) -> Self {
        Self { message: message.into(), too_deep: false, at }
    }

    fn too_deep(at: usize) -> Self {
        Self { message: format!("values nest deeper than {DEEPEST} levels"), too_deep: true, at }
    }
}

/// What the readers of both formats give.
struct Tree {
    root: Node,
    duplicates: Vec<Duplicate>,
}

impl Source {
    /// Reads a definition. `format` is what the file's name tells; without it the text is asked.
    pub fn read(bytes: &[u8], format: Option<Format>) -> Result<Self, SourceError> {
        if bytes.len() > LONGEST_TEXT {
            return Err(SourceError::TooLong { bytes: bytes.len() });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| SourceError::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let outer = Self::parse(text.to_owned(), format.unwrap_or_else(|| Format::of_text(text)))?;
        if outer.root.get("States").is_some() {
            return Ok(outer);
        }
        if outer.root.get("Resources").is_some_and(Node::is_object) && outer.root.get("StartAt").is_none() {
            return Err(SourceError::Template);
        }
        outer.described()
    }

    fn parse(text: String, format: Format) -> Result<Self, SourceError> {
        let lines = Lines::of(&text);
        let read = match format {
            // The service calls blanks no JSON object rather than no JSON.
            _ if text.trim().is_empty() => {
                Ok(Tree { root: Node { content: Content::Null, span: Span::default() }, duplicates: Vec::new() })
            }
            Format::Json => json::parse(&text),
            Format::Yaml => yaml::parse(&text),
        };
        match read {
            Ok(Tree { root, duplicates }) => Ok(Self { text, format, lines, root, duplicates, description: None }),
            Err(problem) => {
                let position = lines.position(&text, problem.at);
                let excerpt = lines.line(&text, position.line).to_owned();
                let Problem { message, too_deep, .. } = problem;
                Err(SourceError::Syntax(SyntaxProblem { message, too_deep, position, excerpt }))
            }
        }
    }

    /// The definition inside the output of describe-state-machine, or the document itself when it is none.
    fn described(self) -> Result<Self, SourceError> {
        match self.root.get("definition") {
            Some(Node { content: Content::Text(definition), span }) => {
                let mut inner = Self::parse(definition.clone(), Format::of_text(definition))?;
                let embedded = Embedded { span: *span, document: self.text, format: self.format };
                inner.description = Some(Box::new(Description { root: self.root, embedded: Some(embedded) }));
                Ok(inner)
            }
            Some(definition @ Node { content: Content::Object(_), .. }) => {
                let root = definition.clone();
                let description = Some(Box::new(Description { root: self.root, embedded: None }));
                Ok(Self { root, description, ..self })
            }
            _ => Ok(self),
        }
    }

    /// The definition's tree.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The text in which the places lie.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// In which format that text is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// `type` of describe-state-machine, where its output was read.
    pub fn machine_type(&self) -> Option<&str> {
        self.description.as_ref()?.root.get("type").and_then(Node::as_str)
    }

    /// The output of describe-state-machine that holds the definition, where that was read.
    pub fn description(&self) -> Option<&Description> {
        self.description.as_deref()
    }

    /// Members whose name their object had before, in the order of the text. The tree keeps the last one, as the service's parser does.
    pub fn duplicates(&self) -> &[Duplicate] {
        &self.duplicates
    }

    /// Line and column of a byte of the text.
    pub fn position(&self, byte: usize) -> Position {
        self.lines.position(&self.text, byte)
    }

    /// A line of the text without its end, from 1; empty beyond the last.
    pub fn line(&self, number: usize) -> &str {
        self.lines.line(&self.text, number)
    }

    /// The node that a JSON pointer names.
    pub fn node(&self, pointer: &str) -> Option<&Node> {
        let mut node = &self.root;
        if pointer.is_empty() {
            return Some(node);
        }
        for step in pointer.strip_prefix('/')?.split('/') {
            let step = step.replace("~1", "/").replace("~0", "~");
            node = match &node.content {
                Content::Array(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => node.get(&step)?,
            };
        }
        Some(node)
    }

    /// Where the value that a JSON pointer names begins.
    pub fn locate(&self, pointer: &str) -> Option<Position> {
        Some(self.position(self.node(pointer)?.span.start))
    }

    /// The definition as compact JSON, whatever it was written in.
    pub fn to_json(&self) -> String {
        self.root.to_json()
    }
}

#[cfg(test)]
mod tests;

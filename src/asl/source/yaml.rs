//! YAML with places, as CloudFormation and SAM write it.
//!
//! Tags of CloudFormation stay visible as substitutions: `!Sub text` is its text, `!Ref X` and `!GetAtt X.Arn` are `${X}` and `${X.Arn}`,
//! any other is `${Fn::Name}`. An alias is a copy of what its anchor names; all copies together are bounded.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as YamlSpan, Tag};

use super::json::Members;
use super::node::{Content, Member, Node, Span};
use super::{DEEPEST, Duplicate, LONGEST_DEFINITION, Problem, Tree};

/// What all copies of anchors may weigh: a value weighs one, and its characters.
const MOST_COPIED: usize = 2 * LONGEST_DEFINITION;

pub(super) fn parse(text: &str) -> Result<Tree, Problem> {
    let mut reader = Reader::new(text);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Problem::new(error.info(), reader.offsets.byte(error.marker().index())))?;
        let span = reader.span(span);
        if !reader.take(event, span)? {
            break;
        }
    }
    let root = reader.root.unwrap_or(Node { content: Content::Null, span: Span::default() });
    Ok(Tree { root, duplicates: reader.duplicates })
}

/// Character positions, which the parser gives, to bytes. They are asked for in rising order, nearly.
struct Offsets<'t> {
    text: &'t str,
    character: usize,
    byte: usize,
}

impl Offsets<'_> {
    fn byte(&mut self, character: usize) -> usize {
        let bytes = self.text.as_bytes();
        while self.character < character && self.byte < bytes.len() {
            self.byte += 1;
            while bytes.get(self.byte).is_some_and(|byte| byte & 0xC0 == 0x80) {
                self.byte += 1;
            }
            self.character += 1;
        }
        while self.character > character && self.byte > 0 {
            self.byte -= 1;
            while bytes[self.byte] & 0xC0 == 0x80 {
                self.byte -= 1;
            }
            self.character -= 1;
        }
        self.byte
    }
}

/// An array or object that is not closed yet.
struct Open {
    kind: Kind,
    start: usize,
    anchor: usize,
    tag: Option<String>,
}

enum Kind {
    Array(Vec<Node>),
    Object { members: Members, name: Option<(String, Span)> },
}

struct Reader<'t> {
    offsets: Offsets<'t>,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    copied: usize,
    duplicates: Vec<Duplicate>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let offsets = Offsets { text, character: 0, byte: 0 };
        Self { offsets, open: Vec::new(), root: None, anchors: HashMap::new(), copied: 0, duplicates: Vec::new() }
    }

    fn span(&mut self, span: YamlSpan) -> Span {
        let start = self.offsets.byte(span.start.index());
        let end = self.offsets.byte(span.end.index());
        Span { start, end }
    }

    /// Takes an event; false when the first document is over.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<bool, Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().and_then(name_of);
                let content = tagged_scalar(&text, style, tag.as_deref());
                self.put(Node { content, span }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(Kind::Array(Vec::new()), anchor, tag.as_deref(), span)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(Kind::Object { members: Members::default(), name: None }, anchor, tag.as_deref(), span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Alias(anchor) => {
                let Some(known) = self.anchors.get(&anchor) else {
                    return Err(Problem::new("an alias that names no value above it", span.start));
                };
                self.copied += weight(known);
                if self.copied > MOST_COPIED {
                    return Err(Problem::new("aliases make the definition longer than a definition may be", span.start));
                }
                let copy = Node { span, ..known.clone() };
                self.put(copy, 0)?;
            }
            Event::DocumentEnd | Event::StreamEnd => return Ok(false),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
        }
        Ok(true)
    }

    fn begin(&mut self, kind: Kind, anchor: usize, tag: Option<&Tag>, span: Span) -> Result<(), Problem> {
        if self.open.len() >= DEEPEST {
            return Err(Problem::too_deep(span.start));
        }
        self.open.push(Open { kind, start: span.start, anchor, tag: tag.and_then(name_of) });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Problem> {
        let Some(Open { kind, start, anchor, tag }) = self.open.pop() else { return Ok(()) };
        let content = match kind {
            Kind::Array(items) => match tag {
                Some(tag) => Content::Text(tagged_list(&tag, &items)),
                None => Content::Array(items),
            },
            Kind::Object { members, .. } => match tag {
                Some(tag) => Content::Text(format!("${{Fn::{tag}}}")),
                None => Content::Object(members.list),
            },
        };
        self.put(Node { content, span: Span { start, end: span.end.max(start) } }, anchor)
    }

    /// A finished value to where it belongs.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            self.copied += weight(&node);
            if self.copied > MOST_COPIED {
                return Err(Problem::new("anchors and aliases make the definition longer than a definition may be", node.span.start));
            }
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(Kind::Array(items)) => items.push(node),
            Some(Kind::Object { members, name }) => match name.take() {
                None => *name = Some((name_from(&node)?, node.span)),
                Some((name, name_span)) => self.duplicates.extend(members.add(Member { name, name_span, value: node })),
            },
        }
        Ok(())
    }
}

/// The name of a member; JSON has texts only, so that `1:` becomes `"1":`.
fn name_from(node: &Node) -> Result<String, Problem> {
    match &node.content {
        Content::Text(text) | Content::Number(text) => Ok(text.clone()),
        Content::Boolean(_) | Content::Null => Ok(node.to_json()),
        Content::Array(_) | Content::Object(_) => {
            Err(Problem::new("a name that is a list or a mapping; JSON has no such names", node.span.start))
        }
    }
}

/// One, the characters in it, and what its parts weigh.
fn weight(node: &Node) -> usize {
    1 + match &node.content {
        Content::Null | Content::Boolean(_) => 0,
        Content::Number(text) | Content::Text(text) => text.len(),
        Content::Array(items) => items.iter().map(weight).sum(),
        Content::Object(members) => members.iter().map(|member| member.name.len() + weight(&member.value)).sum(),
    }
}

/// The name of a local tag such as `!Sub`; `None` for those of YAML itself, which only say what a value is.
fn name_of(tag: &Tag) -> Option<String> {
    let local = tag.handle == "!" && !tag.suffix.is_empty();
    if local {
        return Some(tag.suffix.clone());
    }
    // `!!str 1` is a text; the other tags of YAML say what is plain to see.
    (tag.is_yaml_core_schema() && tag.suffix == "str").then(|| "!str".to_owned())
}

fn tagged_scalar(text: &str, style: ScalarStyle, tag: Option<&str>) -> Content {
    match tag {
        None if style == ScalarStyle::Plain => plain(text),
        None | Some("!str" | "Sub") => Content::Text(text.to_owned()),
        Some("Ref" | "GetAtt") => Content::Text(format!("${{{text}}}")),
        Some(other) => Content::Text(format!("${{Fn::{other}}}")),
    }
}

fn tagged_list(tag: &str, items: &[Node]) -> String {
    match (tag, items) {
        ("Sub", [Node { content: Content::Text(text), .. }, ..]) => text.clone(),
        ("GetAtt", [Node { content: Content::Text(of), .. }, Node { content: Content::Text(what), .. }]) => format!("${{{of}.{what}}}"),
        _ => format!("${{Fn::{tag}}}"),
    }
}

/// A scalar without quotes, by the core schema of YAML 1.2.
fn plain(text: &str) -> Content {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" => Content::Boolean(true),
        "false" | "False" | "FALSE" => Content::Boolean(false),
        _ => number(text).map_or_else(|| Content::Text(text.to_owned()), Content::Number),
    }
}

/// A number as JSON writes it.
fn number(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let in_base = |digits: &str, base| u64::from_str_radix(digits, base).ok().map(|number| number.to_string());
    if let Some(digits) = text.strip_prefix("0x") {
        return in_base(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return in_base(digits, 8);
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Some(integer.to_string());
    }
    if !unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    serde_json::to_string(&number).ok()
}

//! Changes of JSON, and of what YAML writes in brackets: in the hand of the text, with its indentation and its blanks.

use serde_json::Value;

use super::edit::{Edit, Element};
use super::{Why, block};
use crate::asl::source::{Content, Format, Node, Source, Span};

/// Whether a value is written in brackets.
pub(super) fn is_flow(source: &Source, node: &Node) -> bool {
    source.format() == Format::Json || source.text()[node.span.start..].starts_with(['{', '['])
}

/// Another value in the place of one.
pub(super) fn replaced(source: &Source, node: &Node, value: &Value) -> Result<Vec<Edit>, Why> {
    let hand = Hand::of(source);
    let indent = indent_of(source.text(), node.span.start);
    Ok(vec![Edit { span: node.span, text: hand.written(value, indent, hand.is_open) }])
}

/// Members or items that come and go. Kept elements stay as they are.
pub(super) fn sequence(source: &Source, node: &Node, elements: &[Element<'_>]) -> Result<Vec<Edit>, Why> {
    let text = source.text();
    let spans = spans(node);
    let hand = Hand::of(source);
    let kept: Vec<usize> = elements.iter().filter_map(|element| if let Element::Kept(at) = element { Some(*at) } else { None }).collect();
    let own = indent_of(text, node.span.start);
    let Some((first_kept, last_kept)) = kept.first().copied().zip(kept.last().copied()) else {
        return Ok(vec![Edit { span: node.span, text: anew(node, elements, hand, own) }]);
    };
    let between = Between::of(text, node, &spans, hand);
    // An item of a list is written as its neighbour is.
    let is_open = match node.items().get(first_kept) {
        Some(item) if item.is_object() => text[item.span.start..item.span.end].contains('\n'),
        _ => hand.is_open,
    };
    let new = |name: &Option<&str>, value: &Value| hand.element(*name, value, between.indent, is_open);
    let mut edits = Vec::new();
    let mut last = None;
    for element in elements {
        match (element, last) {
            (Element::Kept(at), None) => {
                // What stood before it goes away.
                edits.push(Edit { span: Span { start: spans[0].start, end: spans[*at].start }, text: String::new() });
                last = Some(*at);
            }
            (Element::Kept(at), Some(before)) => {
                edits.push(Edit { span: Span { start: spans[before].end, end: spans[*at - 1].end }, text: String::new() });
                last = Some(*at);
            }
            (Element::New(name, value), None) => {
                let start = spans[first_kept].start;
                edits.push(Edit { span: Span { start, end: start }, text: format!("{},{}", new(name, value), between.blanks) });
            }
            (Element::New(name, value), Some(before)) => {
                let start = spans[before].end;
                edits.push(Edit { span: Span { start, end: start }, text: format!(",{}{}", between.blanks, new(name, value)) });
            }
        }
    }
    edits.push(Edit { span: Span { start: spans[last_kept].end, end: spans.last().map_or(0, |span| span.end) }, text: String::new() });
    edits.retain(|edit| edit.span.start != edit.span.end || !edit.text.is_empty());
    Ok(edits)
}

/// From where to where each element reaches; a member begins with its name.
fn spans(node: &Node) -> Vec<Span> {
    match &node.content {
        Content::Object(members) => {
            members.iter().map(|member| Span { start: member.name_span.start, end: member.value.span.end }).collect()
        }
        _ => node.items().iter().map(|item| item.span).collect(),
    }
}

fn anew(node: &Node, elements: &[Element<'_>], hand: Hand, indent: usize) -> String {
    let mut members = serde_json::Map::new();
    let mut items = Vec::new();
    for element in elements {
        match element {
            Element::New(Some(name), value) => drop(members.insert((*name).to_owned(), (*value).clone())),
            Element::New(None, value) => items.push((*value).clone()),
            Element::Kept(_) => {}
        }
    }
    let value = if node.is_object() { Value::Object(members) } else { Value::Array(items) };
    hand.written(&value, indent, hand.is_open)
}

/// What stands between two elements, after the comma.
struct Between {
    blanks: String,
    /// Columns before an element.
    indent: usize,
}

impl Between {
    fn of(text: &str, node: &Node, spans: &[Span], hand: Hand) -> Self {
        let first = spans[0].start;
        let before = &text[node.span.start + 1..first];
        let after_comma = spans.get(1).and_then(|second| text[spans[0].end..second.start].split_once(','));
        let blanks = match after_comma {
            Some((_, blanks)) if blanks.trim().is_empty() => blanks.to_owned(),
            // A comment of YAML, or a single element: as after the bracket.
            _ if before.contains('\n') && before.trim().is_empty() => before.to_owned(),
            _ if hand.is_tight => String::new(),
            _ => " ".to_owned(),
        };
        // A blank line between two members is no reason for another.
        let blanks = match blanks.rfind('\n') {
            Some(at) => format!("{}{}", if blanks.contains('\r') { "\r\n" } else { "\n" }, &blanks[at + 1..]),
            None => blanks,
        };
        let indent = blanks.rfind('\n').map_or_else(|| indent_of(text, node.span.start), |at| blanks.len() - at - 1);
        Self { blanks, indent }
    }
}

/// How a text is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hand {
    /// Whether objects stand on several lines.
    pub is_open: bool,
    /// Whether lists of plain values stand on several lines, too.
    lists_are_open: bool,
    /// Whether there are no blanks at all.
    is_tight: bool,
    /// Columns of one step of indentation; of tabs it is one.
    unit: usize,
    tabs: bool,
    crlf: bool,
    format: Format,
}

impl Hand {
    pub(super) fn of(source: &Source) -> Self {
        let text = source.text();
        let root = source.root();
        let first = root.members().first().map_or(root.span.start, |member| member.name_span.start);
        let is_open = source.format() == Format::Json && text[root.span.start..first].contains('\n');
        // The first member of the definition against the definition itself.
        let unit = indent_of(text, first).saturating_sub(indent_of(text, root.span.start));
        let lists_are_open = plain_list(root).is_some_and(|list| text[list.span.start..list.span.end].contains('\n'));
        let is_tight = source.format() == Format::Json && !text.contains(": ");
        let tabs = line_start(text, first) < first && text[line_start(text, first)..first].contains('\t');
        Self { is_open, lists_are_open, is_tight, unit: unit.max(1), tabs, crlf: text.contains("\r\n"), format: source.format() }
    }

    fn line(self, indent: usize) -> String {
        let blank = if self.tabs { "\t" } else { " " };
        format!("{}{}", if self.crlf { "\r\n" } else { "\n" }, blank.repeat(indent))
    }

    fn element(self, name: Option<&str>, value: &Value, indent: usize, is_open: bool) -> String {
        let value = self.written(value, indent, is_open);
        match name {
            Some(name) => format!("{}:{}{value}", self.text(name), if self.is_tight { "" } else { " " }),
            None => value,
        }
    }

    fn text(self, text: &str) -> String {
        match self.format {
            Format::Json => quoted(text),
            Format::Yaml => block::scalar(&Value::from(text)),
        }
    }

    /// A value that begins on a line of this indentation.
    pub(super) fn written(self, value: &Value, indent: usize, is_open: bool) -> String {
        let blank = if self.is_tight { "" } else { " " };
        let (open, close, elements): (_, _, Vec<(Option<&str>, &Value)>) = match value {
            Value::Array(items) => ('[', ']', items.iter().map(|item| (None, item)).collect()),
            Value::Object(members) => ('{', '}', members.iter().map(|(name, value)| (Some(name.as_str()), value)).collect()),
            Value::String(text) => return self.text(text),
            plain => return plain.to_string(),
        };
        let is_plain = open == '[' && elements.iter().all(|(_, value)| !value.is_array() && !value.is_object());
        let on_lines = is_open && !elements.is_empty() && (!is_plain || self.lists_are_open);
        let inner = if on_lines { indent + self.unit } else { indent };
        let separator = if on_lines { format!(",{}", self.line(inner)) } else { format!(",{blank}") };
        let written: Vec<String> = elements.into_iter().map(|(name, value)| self.element(name, value, inner, on_lines)).collect();
        let (before, after) = if on_lines { (self.line(inner), self.line(indent)) } else { (String::new(), String::new()) };
        format!("{open}{before}{}{after}{close}", written.join(&separator))
    }
}

/// A text as JSON writes it, which YAML reads as well.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Columns before the first character of the line in which a byte lies.
pub(super) fn indent_of(text: &str, byte: usize) -> usize {
    let line = &text[line_start(text, byte)..];
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

pub(super) fn line_start(text: &str, byte: usize) -> usize {
    text[..byte].rfind('\n').map_or(0, |at| at + 1)
}

/// The first list of plain values.
fn plain_list(node: &Node) -> Option<&Node> {
    let inner: Box<dyn Iterator<Item = &Node>> = match &node.content {
        Content::Array(items) if !items.is_empty() && items.iter().all(|item| !item.is_object() && item.items().is_empty()) => {
            return Some(node);
        }
        Content::Array(items) => Box::new(items.iter()),
        Content::Object(members) => Box::new(members.iter().map(|member| &member.value)),
        _ => return None,
    };
    inner.into_iter().find_map(plain_list)
}

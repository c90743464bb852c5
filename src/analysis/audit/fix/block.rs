//! Changes of YAML that is written by indentation. Whole lines come and go; what would need more than that is refused.

use serde_json::Value;

use super::Why;
use super::edit::{Edit, Element};
use super::flow::{self, line_start, quoted};
use crate::asl::source::{Content, Node, Source, Span};

/// Columns of one step of indentation.
const UNIT: usize = 2;

/// Another value in the place of one.
pub(super) fn replaced(source: &Source, node: &Node, value: &Value) -> Result<Vec<Edit>, Why> {
    if flow::is_flow(source, node) {
        return flow::replaced(source, node, value);
    }
    let text = &source.text()[node.span.start..node.span.end];
    let is_line = !text.is_empty() && !text.contains('\n') && !node.is_object() && node.items().is_empty();
    match value {
        Value::Array(items) if !items.is_empty() => Err("a value would become a list, which YAML writes otherwise".to_owned()),
        Value::Object(members) if !members.is_empty() => Err("a value would become a mapping, which YAML writes otherwise".to_owned()),
        _ if !is_line => Err("the value stands on several lines, or is not written at all".to_owned()),
        _ => Ok(vec![Edit { span: node.span, text: scalar(value) }]),
    }
}

/// Members or items that come and go.
pub(super) fn sequence(source: &Source, node: &Node, elements: &[Element<'_>]) -> Result<Vec<Edit>, Why> {
    let text = source.text();
    let ends = Ends { text };
    let starts: Vec<usize> = match &node.content {
        Content::Object(members) => members.iter().map(|member| member.name_span.start).collect(),
        _ => node.items().iter().map(|item| dash(text, item)).collect::<Option<_>>().ok_or("the dash of an item was not found")?,
    };
    let last_lines: Vec<usize> = match &node.content {
        Content::Object(members) => members.iter().map(|member| ends.of_member(&member.value, member.name_span.end)).collect(),
        _ => node.items().iter().zip(&starts).map(|(item, start)| ends.of_member(item, *start + 1)).collect(),
    };
    let line_ends: Vec<usize> =
        last_lines.iter().map(|end| ends.line(*end)).collect::<Option<_>>().ok_or("more stands on the line on which a value ends")?;
    let kept: Vec<usize> = elements.iter().filter_map(|element| if let Element::Kept(at) = element { Some(*at) } else { None }).collect();
    if kept.is_empty() {
        return Err("all of it would go".to_owned());
    }
    let first = starts[0];
    let column = text[line_start(text, first)..first].chars().count();
    let crlf = text.contains("\r\n");
    let mut edits = Vec::new();
    for at in (0..starts.len()).filter(|at| !kept.contains(at)) {
        let start = line_start(text, starts[at]);
        if !text[start..starts[at]].trim().is_empty() {
            return Err("what would go stands on a line with something else".to_owned());
        }
        let end = line_ends[at];
        let end = text[end..].find('\n').map_or(text.len(), |more| end + more + 1);
        edits.push(Edit { span: Span { start, end }, text: String::new() });
    }
    let mut last = None;
    for element in elements {
        match (element, last) {
            (Element::Kept(at), _) => last = Some(*at),
            (Element::New(name, value), Some(before)) => {
                let lines = written(*name, value, column);
                let at = line_ends[before];
                edits.push(Edit { span: Span { start: at, end: at }, text: lines.iter().map(|line| with_break(line, crlf)).collect() });
            }
            (Element::New(name, value), None) => {
                let start = line_start(text, first);
                if !text[start..first].trim().is_empty() {
                    return Err("nothing can be put before the first item, which stands on a line with something else".to_owned());
                }
                let lines: String =
                    written(*name, value, column).iter().map(|line| format!("{line}{}", if crlf { "\r\n" } else { "\n" })).collect();
                edits.push(Edit { span: Span { start, end: start }, text: lines });
            }
        }
    }
    Ok(edits)
}

fn with_break(line: &str, crlf: bool) -> String {
    format!("{}{line}", if crlf { "\r\n" } else { "\n" })
}

/// The dash before an item.
fn dash(text: &str, item: &Node) -> Option<usize> {
    let before = text[..item.span.start].trim_end_matches([' ', '\t']);
    before.ends_with('-').then(|| before.len() - 1)
}

/// Where values end.
struct Ends<'t> {
    text: &'t str,
}

impl Ends<'_> {
    /// The byte after the last one of a value; `named` is where its name, or its dash, ends.
    fn of_member(&self, node: &Node, named: usize) -> usize {
        let inner = match &node.content {
            _ if self.text[node.span.start..].starts_with(['{', '[', '*']) => None,
            Content::Object(members) => members.last().map(|member| self.of_member(&member.value, member.name_span.end)),
            Content::Array(items) => items.last().map(|item| self.of_member(item, item.span.start)),
            _ => None,
        };
        let own = node.span.start + self.text[node.span.start..node.span.end.max(node.span.start)].trim_end().len();
        // What is not written at all ends with the colon.
        let colon = || named + self.text[named..].find(':').map_or(0, |at| at + 1).min(self.text[named..].find('\n').unwrap_or(0));
        match inner {
            Some(end) => end,
            None if node.span.start >= node.span.end => colon(),
            None => own,
        }
    }

    /// The end of the line, where only a comment follows.
    fn line(&self, byte: usize) -> Option<usize> {
        let rest = &self.text[byte..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let line = line.strip_suffix('\r').unwrap_or(line);
        let words = line.trim_start();
        (words.is_empty() || words.starts_with('#')).then_some(byte + line.len())
    }
}

/// The lines of a member or an item that begins at this column.
fn written(name: Option<&str>, value: &Value, column: usize) -> Vec<String> {
    let mut lines = lines_of(value);
    let blanks = " ".repeat(column);
    match name {
        Some(name) => {
            let name = scalar(&Value::from(name));
            if is_empty(value) {
                return vec![format!("{blanks}{name}: {}", lines.remove(0))];
            }
            let inner = lines.into_iter().map(|line| format!("{blanks}{}{line}", " ".repeat(UNIT)));
            std::iter::once(format!("{blanks}{name}:")).chain(inner).collect()
        }
        None => as_item(lines).into_iter().map(|line| format!("{blanks}{line}")).collect(),
    }
}

/// The lines of a value on their own.
fn lines_of(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) if !items.is_empty() => items.iter().flat_map(|item| as_item(lines_of(item))).collect(),
        Value::Object(members) if !members.is_empty() => members.iter().flat_map(|(name, value)| written(Some(name), value, 0)).collect(),
        plain => vec![scalar(plain)],
    }
}

fn as_item(lines: Vec<String>) -> Vec<String> {
    let dash = |(at, line)| if at == 0 { format!("- {line}") } else { format!("  {line}") };
    lines.into_iter().enumerate().map(dash).collect()
}

/// Whether a value is written on the line of its name.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => true,
    }
}

/// A plain value; a text without quotes only where no reader of YAML, 1.1 or 1.2, takes it for anything else.
pub(super) fn scalar(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "._-/$".contains(character));
    let means_more = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_word && !means_more { text.clone() } else { quoted(text) }
}

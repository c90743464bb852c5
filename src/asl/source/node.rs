//! The tree.

use std::fmt::Write as _;

use crate::expr::write_string;

/// A range of bytes of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "a range")]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Where it stands.
    pub span: Span,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the types of JSON")]
pub enum Content {
    Null,
    Boolean(bool),
    /// As JSON writes it.
    Number(String),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.member(name).map(|member| &member.value)
    }

    /// The member of this name, with its name's place.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.name == name)
    }

    /// All members; none if it is no object.
    pub fn members(&self) -> &[Member] {
        match &self.content {
            Content::Object(members) => members,
            _ => &[],
        }
    }

    /// All items; none if it is no array.
    pub fn items(&self) -> &[Node] {
        match &self.content {
            Content::Array(items) => items,
            _ => &[],
        }
    }

    /// Its text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self.content, Content::Object(_))
    }

    /// Whether CloudFormation, SAM or Terraform puts something here before the service sees it: a text with `${…}`, or `{"Fn::…": …}`.
    pub fn is_substitution(&self) -> bool {
        match &self.content {
            Content::Text(text) => has_substitution(text),
            Content::Object(members) => {
                matches!(members.as_slice(), [only] if only.name == "Ref" || only.name.starts_with("Fn::"))
            }
            _ => false,
        }
    }

    /// What JSON calls its type, as the service writes it.
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::Null => "Null",
            Content::Boolean(_) => "Boolean",
            Content::Number(_) => "Number",
            Content::Text(_) => "String",
            Content::Array(_) => "Array",
            Content::Object(_) => "Object",
        }
    }

    /// Compact JSON.
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        self.write_json(&mut text);
        text
    }

    fn write_json(&self, text: &mut String) {
        match &self.content {
            Content::Null => text.push_str("null"),
            Content::Boolean(value) => {
                let _ = write!(text, "{value}");
            }
            Content::Number(number) => text.push_str(number),
            Content::Text(value) => write_string(value, text),
            Content::Array(items) => {
                text.push('[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        text.push(',');
                    }
                    item.write_json(text);
                }
                text.push(']');
            }
            Content::Object(members) => {
                text.push('{');
                for (position, member) in members.iter().enumerate() {
                    if position > 0 {
                        text.push(',');
                    }
                    write_string(&member.name, text);
                    text.push(':');
                    member.value.write_json(text);
                }
                text.push('}');
            }
        }
    }
}

/// Whether a text holds `${…}`.
pub(in crate::asl) fn has_substitution(text: &str) -> bool {
    text.split_once("${").is_some_and(|(_, rest)| rest.contains('}'))
}

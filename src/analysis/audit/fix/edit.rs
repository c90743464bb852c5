//! From a tree and the value that it shall have to changes of the text.
//!
//! Both are walked together; where they differ, the smallest piece of text that says it changes. How a piece is written depends on
//! what stands around it: brackets ([`flow`](super::flow)) or indentation ([`block`](super::block)).

use serde_json::{Map, Value};

use super::{Why, block, flow};
use crate::asl::source::{Content, Format, Node, Source, Span};

/// Longer lists that gain or lose items are written anew instead of compared item by item.
const MOST_COMPARED: usize = 200;

/// A change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What goes away; empty where something only comes.
    pub span: Span,
    /// What comes in its place.
    pub text: String,
}

/// A text with changes, which are in order and apart from each other.
pub(super) fn applied(text: &str, edits: &[Edit]) -> String {
    let mut new = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        new.push_str(&text[at..edit.span.start]);
        new.push_str(&edit.text);
        at = edit.span.end;
    }
    new.push_str(&text[at..]);
    new
}

/// The changes that make this value of a node, in order; else the pointers of the places where that can't be done, with the reason.
pub(super) fn edits(source: &Source, node: &Node, pointer: &str, value: &Value) -> Result<Vec<Edit>, Vec<(String, Why)>> {
    let mut editor = Editor { source, edits: Vec::new(), problems: Vec::new() };
    editor.value(node, value, pointer);
    if !editor.problems.is_empty() {
        return Err(editor.problems);
    }
    editor.edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let overlap = editor.edits.windows(2).any(|pair| pair[0].span.end > pair[1].span.start);
    if overlap { Err(vec![(String::new(), "two changes would lie in each other".to_owned())]) } else { Ok(editor.edits) }
}

/// The value of a tree; `None` where a number is too large for this program to keep.
pub(super) fn value_of(node: &Node) -> Option<Value> {
    Some(match &node.content {
        Content::Null => Value::Null,
        Content::Boolean(value) => Value::Bool(*value),
        Content::Number(text) => Value::Number(serde_json::from_str(text).ok()?),
        Content::Text(text) => Value::String(text.clone()),
        Content::Array(items) => Value::Array(items.iter().map(value_of).collect::<Option<_>>()?),
        Content::Object(members) => {
            let members = members.iter().map(|member| Some((member.name.clone(), value_of(&member.value)?)));
            Value::Object(members.collect::<Option<Map<_, _>>>()?)
        }
    })
}

/// One element of a list or an object that is written: an old one that stays, or a new one.
pub(super) enum Element<'v> {
    /// By its position.
    Kept(usize),
    /// The name of a member, and its value.
    New(Option<&'v str>, &'v Value),
}

struct Editor<'s> {
    source: &'s Source,
    edits: Vec<Edit>,
    problems: Vec<(String, Why)>,
}

impl Editor<'_> {
    fn value(&mut self, node: &Node, value: &Value, pointer: &str) {
        match (&node.content, value) {
            (Content::Object(_), Value::Object(members)) => self.object(node, members, pointer),
            (Content::Array(_), Value::Array(items)) => self.array(node, items, pointer),
            _ if is_same(node, value) => {}
            _ => self.change(pointer, |source| match source.format() {
                Format::Json => flow::replaced(source, node, value),
                Format::Yaml => block::replaced(source, node, value),
            }),
        }
    }

    fn object(&mut self, node: &Node, members: &Map<String, Value>, pointer: &str) {
        let old = node.members();
        let mut elements = Vec::new();
        for (at, member) in old.iter().enumerate() {
            if let Some(value) = members.get(&member.name) {
                elements.push(Element::Kept(at));
                // The pointer is only needed where something changes; it is made on the way, which is short.
                self.inner(node, &member.value, value, || format!("{pointer}/{}", crate::analysis::audit::subject::escaped(&member.name)));
            }
        }
        let kept = elements.len();
        elements.extend(members.iter().filter(|(name, _)| node.get(name).is_none()).map(|(name, value)| Element::New(Some(name), value)));
        if elements.len() != kept || kept != old.len() {
            self.sequence(node, &elements, pointer);
        }
    }

    fn array(&mut self, node: &Node, items: &[Value], pointer: &str) {
        let old = node.items();
        let elements = aligned(old, items);
        for (element, new) in &elements {
            if let (Element::Kept(at), Some(new)) = (element, new) {
                self.inner(node, &old[*at], &items[*new], || format!("{pointer}/{at}"));
            }
        }
        let stays = |(at, (element, _)): (usize, &(Element<'_>, _))| matches!(element, Element::Kept(kept) if *kept == at);
        if elements.len() != old.len() || !elements.iter().enumerate().all(stays) {
            let elements: Vec<Element<'_>> = elements.into_iter().map(|(element, _)| element).collect();
            self.sequence(node, &elements, pointer);
        }
    }

    /// What stands inside of another value; an alias of YAML stands for a value that is written elsewhere.
    fn inner(&mut self, around: &Node, node: &Node, value: &Value, pointer: impl Fn() -> String) {
        if is_same(node, value) {
            return;
        }
        let lies_in = |inner: Span, outer: Span| outer.start <= inner.start && inner.start <= outer.end;
        if self.source.format() == Format::Yaml && !lies_in(node.span, around.span) {
            self.problems.push((pointer(), "it is written elsewhere, and an alias stands here".to_owned()));
            return;
        }
        self.value(node, value, &pointer());
    }

    fn sequence(&mut self, node: &Node, elements: &[Element<'_>], pointer: &str) {
        self.change(pointer, |source| {
            if flow::is_flow(source, node) { flow::sequence(source, node, elements) } else { block::sequence(source, node, elements) }
        });
    }

    fn change(&mut self, pointer: &str, make: impl FnOnce(&Source) -> Result<Vec<Edit>, Why>) {
        match make(self.source) {
            Ok(edits) => self.edits.extend(edits),
            Err(why) => self.problems.push((pointer.to_owned(), why)),
        }
    }
}

/// Items of a list that gained or lost some: those that are the same stay; what lies between them is taken for the same item as long as
/// there is one on both sides. Each with the position of its new value.
fn aligned<'v>(old: &[Node], new: &'v [Value]) -> Vec<(Element<'v>, Option<usize>)> {
    if old.len() == new.len() && old.len() > MOST_COMPARED {
        return (0..old.len()).map(|at| (Element::Kept(at), Some(at))).collect();
    }
    if old.len().max(new.len()) > MOST_COMPARED {
        return new.iter().map(|value| (Element::New(None, value), None)).collect();
    }
    // Longest common subsequence: `longest[i][j]` of what follows the i-th old and the j-th new item.
    let mut longest = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i][j] = if is_same(&old[i], &new[j]) { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut elements = Vec::new();
    while i < old.len() || j < new.len() {
        let gap = (i, j);
        while i < old.len() && j < new.len() && !is_same(&old[i], &new[j]) {
            if longest[i + 1][j] >= longest[i][j + 1] { i += 1 } else { j += 1 }
        }
        if i == old.len() || j == new.len() {
            (i, j) = (old.len(), new.len());
        }
        let pairs = (i - gap.0).min(j - gap.1);
        for pair in 0..pairs {
            elements.push((Element::Kept(gap.0 + pair), Some(gap.1 + pair)));
        }
        elements.extend(new[gap.1 + pairs..j].iter().map(|value| (Element::New(None, value), None)));
        if i < old.len() && j < new.len() {
            elements.push((Element::Kept(i), Some(j)));
            i += 1;
            j += 1;
        }
    }
    elements
}

/// Whether a tree has this value.
fn is_same(node: &Node, value: &Value) -> bool {
    match (&node.content, value) {
        (Content::Null, Value::Null) => true,
        (Content::Boolean(one), Value::Bool(other)) => one == other,
        (Content::Text(one), Value::String(other)) => one == other,
        (Content::Number(one), Value::Number(other)) => serde_json::from_str::<serde_json::Number>(one).is_ok_and(|one| one == *other),
        (Content::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Content::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|member| other.get(&member.name).is_some_and(|value| is_same(&member.value, value)))
        }
        _ => false,
    }
}

//! Where the checker stands: a value with the way to it. Pointers are written only when there is something to say.

use std::fmt::Write as _;

use super::super::source::{Member, Node, Span};

/// A value of the definition and the way to it.
#[derive(Clone, Copy)]
pub(super) struct Spot<'p, 's> {
    pub(super) node: &'s Node,
    parent: Option<&'p Spot<'p, 's>>,
    step: Step<'s>,
    mark: Option<Span>,
}

#[derive(Clone, Copy)]
enum Step<'s> {
    Root,
    Member(&'s Member),
    Item(usize),
}

impl<'s> Spot<'_, 's> {
    pub(super) fn root(node: &'s Node) -> Self {
        Self { node, parent: None, step: Step::Root, mark: None }
    }

    /// A member of this value.
    pub(super) fn of<'p>(&'p self, member: &'s Member) -> Spot<'p, 's> {
        Spot { node: &member.value, parent: Some(self), step: Step::Member(member), mark: None }
    }

    /// The member of this name.
    pub(super) fn member<'p>(&'p self, name: &str) -> Option<Spot<'p, 's>> {
        self.node.member(name).map(|member| self.of(member))
    }

    /// An item of this value.
    pub(super) fn item<'p>(&'p self, position: usize, node: &'s Node) -> Spot<'p, 's> {
        Spot { node, parent: Some(self), step: Step::Item(position), mark: None }
    }

    /// All items of this value.
    pub(super) fn items<'p>(&'p self) -> impl Iterator<Item = Spot<'p, 's>> {
        self.node.items().iter().enumerate().map(|(position, node)| self.item(position, node))
    }

    /// The same value, with another place in the text to point at.
    pub(super) fn marking(&self, mark: Span) -> Self {
        Self { mark: Some(mark), ..*self }
    }

    /// The name of the member that this is.
    pub(super) fn name(&self) -> &'s str {
        match self.step {
            Step::Member(member) => &member.name,
            Step::Root | Step::Item(_) => "",
        }
    }

    /// Where the name of the member stands that this is; where the value stands if it is none.
    pub(super) fn name_span(&self) -> Span {
        match self.step {
            Step::Member(member) => member.name_span,
            Step::Root | Step::Item(_) => self.node.span,
        }
    }

    /// What to point at in the text. Of an object or a list that is its name, or its first character: what it holds is not the trouble.
    pub(super) fn marked(&self) -> Span {
        let is_long = self.node.is_object() || !self.node.items().is_empty();
        match self.step {
            _ if self.mark.is_some() => self.mark.unwrap_or_default(),
            Step::Member(member) if is_long => member.name_span,
            _ if is_long => Span { end: self.node.span.start + 1, ..self.node.span },
            _ => self.node.span,
        }
    }

    /// The way to this value from the root.
    fn steps(&self) -> Vec<Step<'s>> {
        let mut steps = vec![self.step];
        let mut next = self.parent;
        while let Some(spot) = next {
            steps.push(spot.step);
            next = spot.parent;
        }
        steps.reverse();
        steps
    }

    /// The JSON pointer.
    pub(super) fn pointer(&self) -> String {
        let mut text = String::new();
        for step in self.steps() {
            let _ = match step {
                Step::Root => Ok(()),
                Step::Member(member) => write!(text, "/{}", member.name.replace('~', "~0").replace('/', "~1")),
                Step::Item(position) => write!(text, "/{position}"),
            };
        }
        text
    }

    /// The place as the service writes it.
    pub(super) fn location(&self) -> String {
        let mut text = String::new();
        for step in self.steps() {
            let _ = match step {
                Step::Root => Ok(()),
                Step::Member(member) => write!(text, "/{}", member.name),
                Step::Item(position) => write!(text, "[{position}]"),
            };
        }
        if text.is_empty() { "/".to_owned() } else { text }
    }
}

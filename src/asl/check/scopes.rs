//! `States` objects: what leads where, and which names are taken.

use std::collections::HashSet;

use super::super::machine::QueryLanguage;
use super::super::source::{Content, Node};
use super::expressions::Sight;
use super::fields::{Field, MACHINE, Shape};
use super::spot::Spot;
use super::{Checker, Code};

impl<'s> Checker<'s> {
    /// The whole machine.
    pub(super) fn machine(&mut self, root: &Spot<'_, 's>) {
        // The service takes any value but this for JSONata, beside saying that it is none of the two.
        self.language = match root.node.get("QueryLanguage").map(Node::as_str) {
            None | Some(Some("JSONPath")) => QueryLanguage::JsonPath,
            Some(_) => QueryLanguage::Jsonata,
        };
        self.fields(root, &[MACHINE], Sight::plain(self.language));
        self.required(root, &["StartAt", "States"]);
        self.block(root);
    }

    /// What stands around a `States` object: the machine, a branch or an item processor.
    pub(super) fn block(&mut self, block: &Spot<'_, 's>) {
        let Some(states) = block.member("States").filter(|states| states.node.is_object()) else { return };
        for member in states.node.members() {
            self.state_name(&states.of(member));
        }
        self.transitions(block, &states);
        let own = states.node.members().iter().flat_map(|state| assigned_by(&state.value)).collect();
        let enclosing = std::mem::replace(&mut self.own, own);
        for member in states.node.members() {
            self.state(&states.of(member));
        }
        self.own = enclosing;
    }

    /// A part of a state whose variables are those of an inner scope.
    pub(super) fn inside(&mut self, part: &Spot<'_, 's>, table: &[Field]) {
        if !part.node.is_object() {
            return self.shape(part, Shape::Object, Sight::plain(self.language));
        }
        self.fields(part, &[table], Sight::plain(self.language));
        self.required(part, &["StartAt", "States"]);
        self.outer.push(self.own.clone());
        self.block(part);
        self.outer.pop();
    }

    /// Every name that something leads to is there, something leads to every state, and some state is the last.
    fn transitions(&mut self, block: &Spot<'_, 's>, states: &Spot<'_, 's>) {
        let mut reached = HashSet::new();
        let mut certain = true;
        let mut lead = |checker: &mut Self, spot: Option<Spot<'_, 's>>| {
            let Some(spot) = spot else { return };
            match spot.node.as_str() {
                Some(name) if states.node.get(name).is_some() => drop(reached.insert(name)),
                Some(_) if spot.node.is_substitution() => certain = false,
                Some(name) => checker.say(Code::MissingTransitionTarget, &spot, format!("Missing 'Next' target: {name}")),
                None => {}
            }
        };
        lead(self, block.member("StartAt"));
        for member in states.node.members() {
            let state = states.of(member);
            lead(self, state.member("Next"));
            lead(self, state.member("Default"));
            for list in ["Choices", "Catch"] {
                let Some(list) = state.member(list) else { continue };
                for entry in list.items() {
                    lead(self, entry.member("Next"));
                }
            }
        }
        if !states.node.members().iter().any(|state| is_terminal(&state.value)) {
            return self.no_terminal(block);
        }
        for member in states.node.members() {
            if certain && !reached.contains(member.name.as_str()) {
                let state = states.of(member);
                let message = format!("State \"{}\" is not reachable.", member.name);
                self.say(Code::MissingTransitionTarget, &state.marking(member.name_span), message);
            }
        }
    }

    fn no_terminal(&mut self, block: &Spot<'_, 's>) {
        let states = block.member("States");
        let spot = states.as_ref().unwrap_or(block);
        self.say_nowhere(Code::MissingEndState, spot, "Workflow has no terminal state");
    }
}

/// Whether a state can be the last: Succeed, Fail, or one with `"End": true`.
fn is_terminal(state: &Node) -> bool {
    let ends = state.get("End").is_some_and(|end| end.content == Content::Boolean(true) || end.is_substitution());
    ends || matches!(state.get("Type").and_then(Node::as_str), Some("Succeed" | "Fail"))
}

/// The variables that a state assigns in the scope in which it stands.
fn assigned_by(state: &Node) -> Vec<&str> {
    let rules = ["Choices", "Catch"].into_iter().filter_map(|list| state.get(list)).flat_map(Node::items);
    let assigns = std::iter::once(state).chain(rules).filter_map(|holder| holder.get("Assign"));
    assigns.flat_map(Node::members).map(|member| member.name.strip_suffix(".$").unwrap_or(&member.name)).collect()
}

//! `States` objects: what leads where, and which names are taken.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

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
        let own = count(states.node.members().iter().flat_map(|state| assigned_by(&state.value)));
        let enclosing = std::mem::replace(&mut self.own, Rc::new(own));
        for member in states.node.members() {
            self.state(&states.of(member));
        }
        self.own = enclosing;
    }

    /// Goes into the branches or the processor of a state, whose variables are those of inner scopes.
    pub(super) fn enter(&mut self, state: &Spot<'_, 's>) {
        let by_state = count(assigned_by(state.node));
        self.outer.push(Scope { assigned: Rc::clone(&self.own), by_state });
    }

    /// Leaves them again.
    pub(super) fn leave(&mut self) {
        self.outer.pop();
    }

    /// A branch or an item processor.
    pub(super) fn part(&mut self, part: &Spot<'_, 's>, table: &[Field]) {
        if !part.node.is_object() {
            return self.shape(part, Shape::Object, Sight::plain(self.language));
        }
        self.fields(part, &[table], Sight::plain(self.language));
        self.required(part, &["StartAt", "States"]);
        self.block(part);
    }

    /// Every name that something leads to is there, something leads to every state, and some state is the last.
    fn transitions(&mut self, block: &Spot<'_, 's>, states: &Spot<'_, 's>) {
        let names: HashSet<&str> = states.node.members().iter().map(|member| member.name.as_str()).collect();
        let mut reached = HashSet::new();
        // Recorded: without a StartAt nothing is said of what it would reach.
        let mut certain = block.node.get("StartAt").is_some();
        let mut lead = |checker: &mut Self, spot: Option<Spot<'_, 's>>| {
            let Some(spot) = spot else { return };
            match spot.node.as_str() {
                Some(name) if names.contains(name) => drop(reached.insert(name)),
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

/// A scope around the one that is looked at.
pub(super) struct Scope<'s> {
    /// The variables that are assigned in it, and how often.
    assigned: Rc<HashMap<&'s str, usize>>,
    /// How often the state does it through which the way led: its Assign and Catch come when what stands inside of it is over.
    by_state: HashMap<&'s str, usize>,
}

impl Scope<'_> {
    /// Whether what stands inside may not assign this variable. Recorded: it may, when only the state around does so as well.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.assigned.get(name) > self.by_state.get(name)
    }
}

fn count<'s>(names: impl IntoIterator<Item = &'s str>) -> HashMap<&'s str, usize> {
    let mut counts = HashMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
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

//! A definition as rules look at it: its states with what leads where, and the settings of its machine where they are known.

use super::past::MachinePast;
use crate::asl::check::MachineType;
use crate::asl::source::{Node, Source};

/// Parallel and Map states in each other deeper than this are not looked into.
const DEEPEST: usize = 64;

/// What rules look at.
#[derive(Debug)]
pub struct Subject<'s> {
    /// The text, with the place of everything in it.
    pub source: &'s Source,
    /// For which kind of state machine.
    pub machine_type: MachineType,
    /// All states: those of a block stand together, in the order of the text.
    pub states: Vec<StateAt<'s>>,
    /// All `States` objects; the first is the machine itself.
    pub blocks: Vec<Block<'s>>,
    /// What became of its executions, where a store was given.
    pub past: Option<&'s MachinePast>,
}

/// One state.
#[derive(Debug)]
pub struct StateAt<'s> {
    /// Its name.
    pub name: &'s str,
    /// What stands there.
    pub node: &'s Node,
    /// JSON pointer (RFC 6901).
    pub pointer: String,
    /// Position of its `States` object in [`Subject::blocks`].
    pub block: usize,
    /// Positions of the Parallel and Map states around it in [`Subject::states`], outermost first.
    pub enclosing: Vec<usize>,
    /// Whether its expressions are JSONata.
    pub jsonata: bool,
    /// Whether it runs in an Express execution: the machine is one, or a Distributed Map around it has Express children.
    pub express: bool,
    /// Where it leads without a failure, as positions in [`Subject::states`]: Next, rules, Default.
    pub next: Vec<usize>,
    /// Where its catchers lead, in order; `None` for a name that is not there.
    pub catches: Vec<Option<usize>>,
}

/// One `States` object.
#[derive(Debug)]
pub struct Block<'s> {
    /// The machine, branch or processor that holds it.
    pub node: &'s Node,
    /// Its JSON pointer; empty for the machine itself.
    pub pointer: String,
    /// The Parallel or Map that holds it, as a position in [`Subject::states`].
    pub parent: Option<usize>,
    /// Where it begins, as a position in [`Subject::states`].
    pub start_at: Option<usize>,
    /// Its states, as positions in [`Subject::states`].
    pub states: Vec<usize>,
}

impl<'s> StateAt<'s> {
    /// `Type`; empty where there is none.
    pub fn state_type(&self) -> &'s str {
        self.text("Type").unwrap_or_default()
    }

    /// A member.
    pub fn get(&self, name: &str) -> Option<&'s Node> {
        self.node.get(name)
    }

    /// A member that is a text.
    pub fn text(&self, name: &str) -> Option<&'s str> {
        self.node.get(name)?.as_str()
    }

    /// `Resource` of a Task.
    pub fn resource(&self) -> Option<&'s str> {
        self.text("Resource")
    }

    /// The retriers, in order.
    pub fn retriers(&self) -> &'s [Node] {
        self.get("Retry").map_or(&[], Node::items)
    }

    /// The catchers, in order.
    pub fn catchers(&self) -> &'s [Node] {
        self.get("Catch").map_or(&[], Node::items)
    }

    /// The pointer of a member.
    pub fn member(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, escaped(name))
    }
}

impl<'s> Subject<'s> {
    /// Looks through a definition; half of one is no reason to stop.
    pub fn new(source: &'s Source, machine_type: MachineType) -> Self {
        let mut subject = Self { source, machine_type, states: Vec::new(), blocks: Vec::new(), past: None };
        let jsonata = is_jsonata(source.root(), false);
        subject.add_block(source.root(), String::new(), &[], jsonata, machine_type == MachineType::Express);
        subject
    }

    fn add_block(&mut self, node: &'s Node, pointer: String, enclosing: &[usize], jsonata: bool, express: bool) {
        let Some(states) = node.get("States").filter(|_| enclosing.len() < DEEPEST) else { return };
        let block = self.blocks.len();
        let first = self.states.len();
        for member in states.members() {
            self.states.push(StateAt {
                name: &member.name,
                node: &member.value,
                pointer: format!("{pointer}/States/{}", escaped(&member.name)),
                block,
                enclosing: enclosing.to_vec(),
                jsonata: is_jsonata(&member.value, jsonata),
                express,
                next: Vec::new(),
                catches: Vec::new(),
            });
        }
        let own = first..self.states.len();
        let find = |states: &[StateAt<'_>], name: &str| own.clone().find(|at| states[*at].name == name);
        for at in own.clone() {
            let state = self.states[at].node;
            let rules = state.get("Choices").map_or(&[][..], Node::items).iter().filter_map(|rule| rule.get("Next"));
            let targets = ["Next", "Default"].into_iter().filter_map(|name| state.get(name)).chain(rules);
            let next = targets.filter_map(|target| find(&self.states, target.as_str()?)).collect();
            let catch = |catcher: &Node| find(&self.states, catcher.get("Next")?.as_str()?);
            let catches = self.states[at].catchers().iter().map(catch).collect();
            self.states[at].next = next;
            self.states[at].catches = catches;
        }
        let start_at = node.get("StartAt").and_then(Node::as_str).and_then(|name| find(&self.states, name));
        self.blocks.push(Block { node, pointer, parent: enclosing.last().copied(), start_at, states: own.clone().collect() });
        for at in own {
            let state = self.states[at].node;
            let around: Vec<usize> = enclosing.iter().copied().chain([at]).collect();
            let own_pointer = self.states[at].pointer.clone();
            for (index, branch) in state.get("Branches").map_or(&[][..], Node::items).iter().enumerate() {
                self.add_block(branch, format!("{own_pointer}/Branches/{index}"), &around, jsonata, express);
            }
            for field in ["ItemProcessor", "Iterator"] {
                let Some(processor) = state.get(field) else { continue };
                let config = |name: &str| processor.get("ProcessorConfig").and_then(|config| config.get(name)).and_then(Node::as_str);
                let express = match config("ExecutionType") {
                    Some(kind) if config("Mode") == Some("DISTRIBUTED") => kind == "EXPRESS",
                    _ => express,
                };
                self.add_block(processor, format!("{own_pointer}/{field}"), &around, jsonata, express);
            }
        }
    }

    /// Whether another branch of a Parallel around a state may end it: a branch that fails ends its siblings, as a clock with a Wait and
    /// a Fail does.
    pub fn may_be_ended_beside(&self, state: &StateAt<'_>) -> bool {
        let is_fail = |block: usize| self.states.iter().any(|other| other.block == block && other.state_type() == "Fail");
        let mut block = state.block;
        while let Some(parent) = self.blocks.get(block).and_then(|block| block.parent) {
            let siblings = self.blocks.iter().enumerate().filter(|(at, sibling)| *at != block && sibling.parent == Some(parent));
            if siblings.into_iter().any(|(at, _)| is_fail(at)) {
                return true;
            }
            block = self.states[parent].block;
        }
        false
    }

    /// Positions of the states that the normal path reaches from a state of the same block, itself not included unless a loop
    /// leads back to it.
    pub fn reached_from(&self, state: usize) -> Vec<usize> {
        let mut found = vec![false; self.states.len()];
        let mut open: Vec<usize> = self.states[state].next.clone();
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut found[at], true) {
                open.extend(&self.states[at].next);
            }
        }
        (0..found.len()).filter(|at| found[*at]).collect()
    }
}

/// A name as a step of a JSON pointer.
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn is_jsonata(node: &Node, inherited: bool) -> bool {
    node.get("QueryLanguage").and_then(Node::as_str).map_or(inherited, |language| language != "JSONPath")
}

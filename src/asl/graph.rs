//! The graph of a definition: which states there are and what leads where.
//!
//! Apart from [`machine`](super::machine), because explaining an execution asks for no more, and must work for definitions that are
//! half wrong or newer than this program.

use std::collections::HashMap;

use serde::Deserialize;
use thiserror::Error;

use crate::model::StateType;

/// Why a definition can't be read.
#[derive(Debug, Error)]
pub enum DefinitionError {
    /// Not JSON, or members of another type than the language wants.
    #[error("the definition is no Amazon States Language: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// Position of a state in its [`Definition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateId(usize);

/// Position of a `States` object in its [`Definition`]: the machine itself, a branch or an item processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MachineId(usize);

/// A state machine's graph.
#[derive(Debug, Clone)]
pub struct Definition {
    states: Vec<State>,
    machines: Vec<Machine>,
    by_name: HashMap<String, StateId>,
}

/// One state.
#[derive(Debug, Clone)]
pub struct State {
    /// Unique in the whole definition.
    pub name: String,
    /// `None` for a type that the language does not know.
    pub state_type: Option<StateType>,
    /// The `States` object that it stands in.
    pub machine: MachineId,
    /// Where it leads without a failure: Next, Default and the rules of a Choice. Names that do not exist are left out.
    pub next: Vec<StateId>,
    /// Of a Choice, where each rule leads, in order; `None` for a name that does not exist.
    pub rules: Vec<Option<StateId>>,
    /// Of a Choice, where it leads when no rule holds.
    pub default: Option<StateId>,
    /// Whether it is a Map whose iterations are executions of their own.
    pub distributed: bool,
    /// Its catchers, in order.
    pub catchers: Vec<Catcher>,
    /// `Resource` of a Task.
    pub resource: Option<String>,
    /// `Error` of a Fail state, where it is no expression.
    pub error: Option<String>,
    /// Branches of a Parallel; the one processor of a Map.
    pub machines: Vec<MachineId>,
    /// Whether the normal path reaches it: from `StartAt` without following a Catch.
    pub normal: bool,
}

/// One catcher.
#[derive(Debug, Clone)]
pub struct Catcher {
    /// Error names.
    pub error_equals: Vec<String>,
    /// Where it leads; `None` when the name does not exist.
    pub next: Option<StateId>,
}

/// One `States` object.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The Parallel or Map that holds it; `None` for the machine itself.
    pub parent: Option<StateId>,
    /// Which branch, from 0.
    pub index: u64,
    /// Its first state.
    pub start_at: Option<StateId>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct MachineText {
    start_at: Option<String>,
    states: HashMap<String, StateText>,
    processor_config: Option<ProcessorConfigText>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct ProcessorConfigText {
    mode: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct StateText {
    r#type: Option<String>,
    next: Option<String>,
    default: Option<String>,
    choices: Vec<ChoiceText>,
    catch: Vec<CatcherText>,
    resource: Option<String>,
    error: Option<String>,
    branches: Vec<MachineText>,
    item_processor: Option<Box<MachineText>>,
    iterator: Option<Box<MachineText>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct ChoiceText {
    next: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct CatcherText {
    error_equals: Vec<String>,
    next: Option<String>,
}

impl Definition {
    /// Reads a definition from its JSON text. Nesting is limited to what `serde_json` takes (128 levels).
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        let machine: MachineText = serde_json::from_str(text)?;
        let mut definition = Self { states: Vec::new(), machines: Vec::new(), by_name: HashMap::new() };
        definition.add_machine(&machine, None, 0);
        definition.mark_normal();
        Ok(definition)
    }

    fn add_machine(&mut self, text: &MachineText, parent: Option<StateId>, index: u64) -> MachineId {
        let id = MachineId(self.machines.len());
        self.machines.push(Machine { parent, index, start_at: None });
        // Two steps, because a state may lead to one that stands further down. Sorted, because a map has no order.
        let mut names: Vec<&String> = text.states.keys().collect();
        names.sort();
        let mut own = HashMap::with_capacity(names.len());
        for name in &names {
            let state = StateId(self.states.len());
            self.states.push(State::named(name, &text.states[*name], id));
            own.insert(name.as_str(), state);
            self.by_name.entry((*name).clone()).or_insert(state);
        }
        self.machines[id.0].start_at = text.start_at.as_deref().and_then(|name| own.get(name).copied());
        for name in &names {
            let (state, text) = (own[name.as_str()], &text.states[*name]);
            let find = |target: Option<&str>| own.get(target?).copied();
            let choices: Vec<Option<StateId>> = text.choices.iter().map(|choice| find(choice.next.as_deref())).collect();
            let default = find(text.default.as_deref());
            let rules = text.choices.iter().map(|choice| choice.next.as_deref());
            let next: Vec<StateId> = [text.next.as_deref(), text.default.as_deref()]
                .into_iter()
                .chain(rules)
                .filter_map(|target| own.get(target?).copied())
                .collect();
            let catchers = text
                .catch
                .iter()
                .map(|catcher| Catcher {
                    error_equals: catcher.error_equals.clone(),
                    next: catcher.next.as_deref().and_then(|target| own.get(target).copied()),
                })
                .collect();
            let is_distributed =
                |inner: &&MachineText| inner.processor_config.as_ref().is_some_and(|config| config.mode.as_deref() == Some("DISTRIBUTED"));
            let processors = text.item_processor.iter().chain(&text.iterator).map(|machine| &**machine);
            let distributed = processors.clone().any(|inner| is_distributed(&inner));
            let machines =
                text.branches.iter().chain(processors).zip(0..).map(|(inner, index)| self.add_machine(inner, Some(state), index)).collect();
            let entry = &mut self.states[state.0];
            entry.next = next;
            entry.rules = choices;
            entry.default = default;
            entry.distributed = distributed;
            entry.catchers = catchers;
            entry.machines = machines;
        }
        id
    }

    fn mark_normal(&mut self) {
        let mut reached: Vec<StateId> = self.machines.iter().filter_map(|machine| machine.start_at).collect();
        while let Some(id) = reached.pop() {
            let state = &mut self.states[id.0];
            if !state.normal {
                state.normal = true;
                reached.extend_from_slice(&state.next);
            }
        }
    }

    /// The state of this name.
    pub fn find(&self, name: &str) -> Option<&State> {
        self.by_name.get(name).map(|id| self.state(*id))
    }

    /// The state at this position.
    pub fn state(&self, id: StateId) -> &State {
        &self.states[id.0]
    }

    /// The `States` object at this position.
    pub fn machine(&self, id: MachineId) -> &Machine {
        &self.machines[id.0]
    }

    /// The `States` object of the machine itself.
    pub fn top(&self) -> MachineId {
        MachineId(0)
    }

    /// All states, in the order of the `States` objects and of their names.
    pub fn states(&self) -> impl Iterator<Item = &State> {
        self.states.iter()
    }

    /// The Parallel or Map state that holds the state of this name; `None` for a state of the machine itself or an unknown one.
    pub fn parent_of(&self, name: &str) -> Option<&State> {
        let machine = self.machine(self.find(name)?.machine);
        machine.parent.map(|parent| self.state(parent))
    }
}

impl State {
    /// Whether a transition or a Catch of this state leads to the other.
    pub fn leads_to(&self, definition: &Definition, other: &State) -> bool {
        self.goes_to(definition, other) || self.catches_to(definition, other)
    }

    /// Whether it leads to the other without a failure.
    pub fn goes_to(&self, definition: &Definition, other: &State) -> bool {
        self.next.iter().any(|id| definition.state(*id).name == other.name)
    }

    /// Whether one of its Catches leads to the other.
    pub fn catches_to(&self, definition: &Definition, other: &State) -> bool {
        self.catchers.iter().filter_map(|catcher| catcher.next).any(|id| definition.state(id).name == other.name)
    }

    fn named(name: &str, text: &StateText, machine: MachineId) -> Self {
        Self {
            name: name.to_owned(),
            state_type: text.r#type.as_deref().and_then(StateType::from_name),
            machine,
            next: Vec::new(),
            rules: Vec::new(),
            default: None,
            distributed: false,
            catchers: Vec::new(),
            resource: text.resource.clone(),
            error: text.error.clone().filter(|error| !error.starts_with("{%")),
            machines: Vec::new(),
            normal: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#"{"StartAt": "Each", "States": {
        "Each": {"Type": "Map", "ItemProcessor": {"StartAt": "Pack", "States": {"Pack": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}},
                 "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Undo"}], "Next": "Good?"},
        "Good?": {"Type": "Choice", "Choices": [{"Variable": "$.ok", "BooleanEquals": true, "Next": "Done"}], "Default": "Refused"},
        "Undo": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Next": "Refused"},
        "Refused": {"Type": "Fail"}, "Done": {"Type": "Succeed"}}}"#;

    #[test]
    fn the_normal_path_follows_choices_and_no_catch() {
        let definition = Definition::parse(ORDER).expect("a definition");
        let normal: Vec<&str> = definition.states().filter(|state| state.normal).map(|state| state.name.as_str()).collect();
        assert_eq!(normal, ["Done", "Each", "Good?", "Refused", "Pack"]);
    }

    #[test]
    fn a_choice_knows_its_rules_and_its_default() {
        let definition = Definition::parse(ORDER).expect("a definition");
        let good = definition.find("Good?").expect("the Choice");
        let name = |id: Option<StateId>| id.map(|id| definition.state(id).name.as_str());
        assert_eq!((name(good.rules[0]), name(good.default)), (Some("Done"), Some("Refused")));
    }

    #[test]
    fn a_map_knows_whether_its_iterations_are_executions() {
        let text = |mode: &str| {
            format!(
                r#"{{"StartAt": "A", "States": {{"A": {{"Type": "Map", "End": true, "ItemProcessor": {{"ProcessorConfig": {{"Mode": "{mode}"}}, "StartAt": "B", "States": {{"B": {{"Type": "Pass", "End": true}}}}}}}}}}}}"#
            )
        };
        let is_distributed = |mode: &str| Definition::parse(&text(mode)).expect("a definition").find("A").expect("A").distributed;
        assert!(is_distributed("DISTRIBUTED") && !is_distributed("INLINE"));
    }

    #[test]
    fn a_state_knows_what_holds_it() {
        let definition = Definition::parse(ORDER).expect("a definition");
        assert_eq!(definition.parent_of("Pack").map(|state| state.name.as_str()), Some("Each"));
        assert!(definition.parent_of("Each").is_none());
    }

    #[test]
    fn what_is_no_definition_is_refused_with_its_place() {
        let error = Definition::parse(r#"{"StartAt": 7}"#).expect_err("StartAt is no name");
        assert!(error.to_string().contains("line 1"), "{error}");
    }

    #[test]
    fn a_transition_to_nowhere_is_left_out() {
        let definition = Definition::parse(r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}"#).expect("a definition");
        assert!(definition.find("A").expect("A").next.is_empty());
    }
}

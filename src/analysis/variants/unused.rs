//! What the definition allows, in the words of the report: its states and the edges between them.

use std::collections::BTreeMap;

use super::EdgeKind;
use crate::asl::{Definition, Machine, MachineId, State};
use crate::model::StateType;

/// States and edges of a definition, as far as histories of this state machine can tell of them.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub states: BTreeMap<String, KnownState>,
    /// By from, to and kind.
    pub edges: BTreeMap<(Option<String>, Option<String>, EdgeKind), KnownEdge>,
}

#[derive(Debug)]
pub(super) struct KnownState {
    pub state_type: Option<StateType>,
    pub within: Option<String>,
    pub branch: Option<u64>,
}

#[derive(Debug)]
pub(super) struct KnownEdge {
    pub within: Option<String>,
    pub mark: Option<String>,
}

/// The outline of a definition; `None` when it is none.
///
/// The iterations of a Distributed Map are executions of their own, with ARNs that say so: they see the Map's processor alone, which
/// is found by the states that they entered, and the execution around them does not see it.
pub(super) fn outline(text: &str, state_machine: &str, at_the_top: &[&str]) -> Option<Outline> {
    let definition = Definition::parse(text).ok()?;
    let is_child = state_machine.rsplit(':').next().is_some_and(|name| name.contains('/'));
    let processor = || {
        let found = at_the_top
            .iter()
            .filter_map(|name| definition.find(name))
            .map(|state| state.machine)
            .find(|machine| *machine != definition.top());
        found.unwrap_or(definition.top())
    };
    let top = if is_child { processor() } else { definition.top() };
    let mut outline = Outline::default();
    let mut waiting = vec![top];
    while let Some(machine) = waiting.pop() {
        outline.add(&definition, machine, top);
        let inside = definition.states().filter(|state| state.machine == machine && !state.distributed);
        waiting.extend(inside.flat_map(|state| state.machines.iter().copied()));
    }
    Some(outline)
}

impl Outline {
    fn add(&mut self, definition: &Definition, id: MachineId, top: MachineId) {
        let machine: &Machine = definition.machine(id);
        let around = machine.parent.filter(|_| id != top).map(|parent| definition.state(parent));
        let within = around.map(|around| around.name.clone());
        let branch = around.filter(|around| around.state_type == Some(StateType::Parallel)).map(|_| machine.index);
        if let Some(start) = machine.start_at {
            self.edge(None, Some(&definition.state(start).name), EdgeKind::Start, within.as_ref(), None);
        }
        for state in definition.states().filter(|state| state.machine == id) {
            self.states.insert(state.name.clone(), KnownState { state_type: state.state_type, within: within.clone(), branch });
            for next in &state.next {
                self.edge(
                    Some(&state.name),
                    Some(&definition.state(*next).name),
                    EdgeKind::Next,
                    within.as_ref(),
                    mark(state, definition, &definition.state(*next).name),
                );
            }
            for target in state.catchers.iter().filter_map(|catcher| catcher.next) {
                self.edge(Some(&state.name), Some(&definition.state(target).name), EdgeKind::Catch, within.as_ref(), None);
            }
            let ends = state.next.is_empty() && !matches!(state.state_type, Some(StateType::Choice | StateType::Fail));
            if ends {
                self.edge(Some(&state.name), None, EdgeKind::End, within.as_ref(), None);
            }
        }
    }

    fn edge(&mut self, from: Option<&String>, to: Option<&String>, kind: EdgeKind, within: Option<&String>, mark: Option<String>) {
        self.edges.entry((from.cloned(), to.cloned(), kind)).or_insert(KnownEdge { within: within.cloned(), mark });
    }
}

/// Which rules of a Choice lead to a state.
fn mark(choice: &State, definition: &Definition, to: &str) -> Option<String> {
    let leads = |id: &Option<crate::asl::StateId>| id.is_some_and(|id| definition.state(id).name == to);
    let rules: Vec<String> = (1..).zip(&choice.rules).filter(|(_, rule)| leads(rule)).map(|(number, _)| number.to_string()).collect();
    let rules = match rules.as_slice() {
        [] => None,
        [one] => Some(format!("rule {one}")),
        several => Some(format!("rules {}", several.join(", "))),
    };
    let default = leads(&choice.default).then(|| "default".to_owned());
    match (rules, default) {
        (Some(rules), Some(default)) => Some(format!("{rules}, {default}")),
        (rules, default) => rules.or(default),
    }
}

//! Commands that go on from a finding, for the same executions.

use crate::analysis::execution::quoted;
use crate::analysis::finding::{Common, Step};
use crate::analysis::why::NextCommand;
use crate::cli::fleet::FleetArgs;
use crate::cli::global::GlobalArgs;

/// Where the executions came from, as flags of the next command.
pub(in crate::cli) struct Origin<'a> {
    fleet: &'a FleetArgs,
    global: &'a GlobalArgs,
}

impl<'a> Origin<'a> {
    pub(in crate::cli) fn new(fleet: &'a FleetArgs, global: &'a GlobalArgs) -> Self {
        Self { fleet, global }
    }

    /// A verb about one execution; `arguments` are further ones, quoted for a shell.
    pub(in crate::cli) fn execution(&self, verb: &str, execution: &str, arguments: &str) -> String {
        let mut command = format!("stepscope {verb}");
        for input in &self.fleet.input {
            command.extend([" ", &quoted(input)]);
        }
        // The store finds one execution without reading the others.
        command.extend([if self.fleet.input.is_empty() { " " } else { " --execution " }, &quoted(execution)]);
        if let Some(store) = &self.global.store {
            command.extend([" --store ", &quoted(&store.display().to_string())]);
        }
        if let Some(folder) = &self.fleet.definitions {
            command.extend([" --definitions ", &quoted(&folder.display().to_string())]);
        }
        with(command, arguments)
    }

    /// A verb over the same executions.
    pub(in crate::cli) fn fleet(&self, verb: &str, arguments: &str) -> String {
        let fleet = self.fleet;
        let mut command = format!("stepscope {verb}");
        let mut flag = |name: &str, value: &str| command.extend([" ", name, " ", &quoted(value)]);
        for input in &fleet.input {
            flag("--input", input);
        }
        if let Some(store) = &self.global.store {
            flag("--store", &store.display().to_string());
        }
        if let Some(definitions) = &fleet.definitions {
            flag("--definitions", &definitions.display().to_string());
        }
        for machine in &fleet.state_machine {
            flag("--state-machine", machine);
        }
        for (name, value) in [("--since", &fleet.since), ("--until", &fleet.until), ("--now", &fleet.now)] {
            if let Some(value) = value {
                flag(name, value);
            }
        }
        with(command, arguments)
    }

    /// Makes commands of a finding's steps.
    pub(in crate::cli) fn complete(&self, common: &mut Common) {
        let command = |step: &Step| match step {
            Step::Execution { text, verb, execution, arguments } => {
                NextCommand { text: text.clone(), command: self.execution(verb, execution, arguments) }
            }
            Step::Fleet { text, verb, arguments } => NextCommand { text: text.clone(), command: self.fleet(verb, arguments) },
            Step::Command(command) => command.clone(),
        };
        common.next = common.steps.iter().map(command).collect();
    }
}

fn with(command: String, arguments: &str) -> String {
    if arguments.is_empty() { command } else { format!("{command} {arguments}") }
}

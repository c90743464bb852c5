//! Definitions in the Amazon States Language.
//!
//! [`graph`] holds what leads where, for explaining executions; [`machine`] is the definition compiled to be run.

mod compile;
mod graph;
pub mod machine;

pub use compile::{CompileError, compile, compile_state, definition_text};
pub use graph::{Catcher, Definition, DefinitionError, Machine, MachineId, State, StateId};

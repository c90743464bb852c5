//! Definitions in the Amazon States Language.
//!
//! [`graph`] holds what leads where, for explaining executions; [`machine`] is the definition compiled to be run.

mod compile;
mod graph;
pub mod machine;

pub use compile::{CompileError, compile};
pub use graph::{Catcher, Definition, DefinitionError, Machine, MachineId, State, StateId};

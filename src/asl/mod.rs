//! Definitions in the Amazon States Language.
//!
//! [`source`] is a definition as it was written, and [`check`] tells what the service would say against it. [`graph`] holds what leads
//! where, for explaining executions; [`machine`] is the definition compiled to be run.

pub mod check;
mod compile;
mod graph;
pub mod machine;
pub mod source;

pub use compile::{CompileError, compile, compile_state, definition_text};
pub use graph::{Catcher, Definition, DefinitionError, Machine, MachineId, State, StateId};

//! The definition of a state machine in the Amazon States Language.

/// A definition, as far as rebuilding needs it.
#[derive(Debug, Clone)]
pub struct Definition {}

//! Graphs of states.
pub(in crate::render) mod layout;

//! The Distributed Map: a Map Run, whose items or batches are executions of their own.

mod children;
mod names;
mod timeline;

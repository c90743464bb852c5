//! AWS to the store.

pub mod logs;

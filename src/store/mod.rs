//! Closed executions and what is known of running ones, in Parquet tables that any engine reads as they are.
//!
//! ```text
//! <store>/executions/day=2026-11-20/<batch>.parquet     one row for each execution
//!         visits/    day=…                              one row for each visit of a state
//!         attempts/  day=…                              one row for each attempt of a Task, Parallel or Map
//!         events/    day=…                              one row for each event, everything that was read
//! ```
//!
//! The columns stand in [`schema`], [`encode`] writes them and [`decode`] reads them. A batch becomes visible when its `executions`
//! file is renamed into place, last.

pub mod decode;
mod delta;
pub mod encode;
mod error;
mod rest;
pub mod schema;

pub use error::StoreError;

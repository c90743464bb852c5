//! Bytes or the API to [`History`](crate::model::History); what events mean is decided elsewhere.
//!
//! The way of a file: `compression` and `lines` give text, `documents` cuts it into JSON documents, `document` and `event` read
//! one over `json`'s cursor, `executions` finds out what belongs together, and `assemble` makes the history.

pub mod assemble;
pub mod aws;
mod compression;
pub mod definitions;
mod document;
mod documents;
pub mod error;
mod event;
pub mod exec;
mod executions;
pub mod files;
mod folder;
mod form;
mod json;
mod limits;
mod lines;
pub mod log_records;
pub mod parallel;
mod records;
mod strings;

pub use assemble::{Page, assemble};
pub use definitions::{DefinitionSet, read_definitions};
pub use error::{DEFINITION, Place, Rejected, SourceError};
pub use exec::Exec;
pub use files::{collect_path, collect_stream, read_path, read_stream};
pub use limits::Limits;
pub use log_records::Collector;
pub use parallel::{Input, Progress, Worker, read_in_parallel};

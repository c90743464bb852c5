//! Bytes or the API to [`History`](crate::model::History); what events mean is decided elsewhere.
//!
//! The way of a file: `compression` and `lines` give text, `documents` cuts it into JSON documents, `document` and `event` read
//! one over `json`'s cursor, `executions` finds out what belongs together, and `assemble` makes the history. Messages of log events, in
//! documents or in lines of their own (`form`, `messages`), go to `log_records`, which puts the records of each execution together.

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
pub mod insights;
mod json;
mod limits;
mod lines;
pub mod log_records;
mod messages;
pub mod parallel;
mod records;
pub mod result_files;
mod strings;
pub mod xray;

pub use assemble::{Page, assemble};
pub use definitions::{DefinitionSet, read_definitions};
pub use error::{DEFINITION, Place, Rejected, SourceError};
pub use exec::Exec;
pub use files::{collect_path, collect_stream, read_path, read_stream};
pub use limits::Limits;
pub use log_records::Collector;
pub use parallel::{Input, Progress, Worker, read_in_parallel};
pub use xray::{TraceSet, read_traces};

//! What came of putting executions into a store.

use serde::Serialize;

/// The schema of [`IngestReport`].
pub const SCHEMA: &str = "stepscope.ingest/1";

/// What was read, and what the store has of it now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IngestReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The store's folder.
    pub store: String,
    /// Executions that were read: new, replaced, unchanged and older together.
    pub read: u64,
    /// Their events.
    pub events: u64,
    /// Executions that the store did not have.
    pub new: u64,
    /// Executions that the store had less complete: open before, redriven since, with fewer events.
    pub replaced: u64,
    /// Executions that the store has as they are.
    pub unchanged: u64,
    /// Executions that the store has more complete, and keeps so.
    pub older: u64,
    /// Records and files that could not be read.
    pub rejected: u64,
    /// Where the text of those records was set aside; `None` when there was none.
    pub rejected_file: Option<String>,
    /// Files of folders that hold something else.
    pub passed_over: u64,
    /// Batches of the store that could not be read, in words: their executions count as not stored.
    pub damaged: Vec<String>,
    /// Batches that were written.
    pub batches: u64,
    /// Bytes that were read, compressed ones as they are.
    pub bytes_in: u64,
    /// Bytes that were written.
    pub bytes_out: u64,
    /// How long it took.
    pub duration_ms: u64,
}

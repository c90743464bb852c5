//! Executions to Parquet: one row for each execution, visit, attempt and event.
//!
//! Pages are encoded while executions are pushed, without a copy of the rows in between: a text is unescaped straight into the
//! page that will hold it, a word becomes its number in the dictionary. `polars-parquet` compresses the pages and writes the
//! file around them. Everything happens on the caller's thread, so that workers with a builder each share nothing.

mod column;
mod copy;
mod events;
pub(super) mod file;
mod pages;
mod rows;
mod unescaped;

use std::path::{Path, PathBuf};

use polars_parquet::parquet::error::ParquetError;

use crate::model::{ExecutionFacts, ExecutionPath, History};

use super::StoreError;
use super::schema::{ATTEMPTS, EVENTS, EXECUTIONS, Table, VISITS};
pub use copy::copy_batches;
use events::EventColumns;
use file::Rows;
use rows::{AttemptColumns, ExecutionColumns, VisitColumns};
use unescaped::Unescaped;

/// Collects executions that started on one day.
pub struct BatchBuilder {
    executions: Rows<ExecutionColumns>,
    visits: Rows<VisitColumns>,
    attempts: Rows<AttemptColumns>,
    events: Rows<EventColumns>,
    unescaped: Unescaped<'static>,
    count: usize,
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

impl Default for BatchBuilder {
    fn default() -> Self {
        Self {
            executions: Rows::new(&EXECUTIONS, ExecutionColumns::new()),
            visits: Rows::new(&VISITS, VisitColumns::new()),
            attempts: Rows::new(&ATTEMPTS, AttemptColumns::new()),
            events: Rows::new(&EVENTS, EventColumns::new()),
            unescaped: Unescaped::default(),
            count: 0,
        }
    }
}

impl BatchBuilder {
    /// Without executions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an execution: the path must be rebuilt from the history, the facts extracted from both with
    /// [`Needs::ALL`](crate::model::facts::Needs::ALL). After an error the builder is of no use.
    pub fn push(&mut self, history: &History, path: &ExecutionPath, facts: &ExecutionFacts<'_>) -> Result<(), StoreError> {
        let rest = rows::rest_of(history, facts);
        rows::execution(&mut self.executions, history, facts, rest.as_deref())?;
        rows::visits(&mut self.visits, facts)?;
        rows::attempts(&mut self.attempts, facts)?;
        let mut unescaped = std::mem::take(&mut self.unescaped).recycle();
        let pushed = events::events(&mut self.events, history, path, facts, &mut unescaped);
        self.unescaped = unescaped.recycle();
        pushed?;
        self.count += 1;
        self.executions.end_group_if_large()?;
        self.visits.end_group_if_large()?;
        self.attempts.end_group_if_large()?;
        self.events.end_group_if_large()
    }

    /// How many executions were added.
    pub fn executions(&self) -> usize {
        self.count
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// About how many bytes it occupies; the files will be smaller.
    pub fn approximate_bytes(&self) -> usize {
        self.executions.bytes() + self.visits.bytes() + self.attempts.bytes() + self.events.bytes()
    }

    /// Writes the four files into a folder that exists. They are handed to the system, not synced to the disk.
    pub fn write(self, folder: &Path) -> Result<BatchFiles, StoreError> {
        let events = self.events.write(folder)?;
        let attempts = self.attempts.write(folder)?;
        let visits = self.visits.write(folder)?;
        let executions = self.executions.write(folder)?;
        Ok(BatchFiles { files: [executions, visits, attempts, events] })
    }
}

//! Parquet back to facts and histories.
//!
//! The rows of one execution stand together, and in the order of `executions` in every table: its counts tell where they are,
//! so nothing is joined and nothing is hashed. A column that is not in the file is null.

mod facts;
pub(super) mod file;
mod footer;
mod history;
pub(super) mod page;
pub(super) mod values;

use std::path::{Path, PathBuf};

use crate::model::completeness::lacks_events;
use crate::model::facts::Needs;
use crate::model::{ExecutionFacts, ExecutionStatus, History};

use super::schema::{EXECUTIONS, SUM_KEY, TABLES};
use super::{StoreError, encode};
use file::TableReader;
use values::{Integers, Texts};

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
    /// How many kinds of gaps are known.
    pub gaps: usize,
    /// Whether one of them says that events are missing.
    pub lacks_events: bool,
}

impl BatchPaths {
    /// In the order of [`TABLES`].
    pub fn all(&self) -> [&Path; 4] {
        [&self.executions, &self.visits, &self.attempts, &self.events]
    }
}

impl From<&encode::BatchFiles> for BatchPaths {
    /// Where the files were written.
    fn from(written: &encode::BatchFiles) -> Self {
        let [executions, visits, attempts, events] = &written.files;
        Self {
            executions: executions.path.clone(),
            visits: visits.path.clone(),
            attempts: attempts.path.clone(),
            events: events.path.clone(),
        }
    }
}

/// Hands over the facts of every execution in the batch, in the order of the file. Only the columns that `needs` asks for are read.
pub fn facts_of_batch(batch: &BatchPaths, needs: Needs, take: &mut dyn FnMut(&ExecutionFacts<'_>)) -> Result<(), StoreError> {
    facts::of_batch(batch, needs, take)
}

/// The execution with this ARN or name, as it was read from its source; `None` when the batch does not have it.
pub fn history_of(batch: &BatchPaths, execution: &str) -> Result<Option<History>, StoreError> {
    history::of_batch(batch, execution)
}

/// Hands over every execution of the batch, in the order of the file, as it was read from its source.
pub fn histories_of_batch(batch: &BatchPaths, take: &mut dyn FnMut(History)) -> Result<(), StoreError> {
    history::all_of_batch(batch, take)
}

/// Which executions are in a batch, in the order of the file; reads the file of its `executions` only.
pub fn keys_of_batch(executions: &Path) -> Result<Vec<ExecutionKey>, StoreError> {
    let file = TableReader::open(executions, &EXECUTIONS)?;
    let all = file.all();
    let (arns, names): (Texts, Texts) = (file.column("execution", &all)?, file.column("name", &all)?);
    let (statuses, redrives): (Texts, Integers) = (file.column("status", &all)?, file.column("redrive_count", &all)?);
    let events: Integers = file.column("events", &all)?;
    let gaps: Texts = file.column("gaps", &all)?;
    let gaps = gaps.map(|names| {
        let names = serde_json::from_str::<Vec<&str>>(names).unwrap_or_default();
        (names.len(), lacks_events(&names))
    });
    let (arns, names, statuses) = (arns.view(), names.view(), statuses.map(ExecutionStatus::from_name));
    let key = |row| ExecutionKey {
        execution: arns.get(row).unwrap_or_default().to_owned(),
        name: names.get(row).unwrap_or_default().to_owned(),
        redrive_count: redrives.unsigned(row).unwrap_or(0),
        status: statuses.get(row).flatten(),
        events: events.unsigned(row).unwrap_or(0),
        gaps: gaps.get(row).map_or(0, |(count, _)| count),
        lacks_events: gaps.get(row).is_some_and(|(_, lacks)| lacks),
    };
    Ok((0..file.rows()).map(key).collect())
}

/// Reads everything of a batch once: every byte against the sum that was written with it, every column, every history.
pub fn verify_batch(batch: &BatchPaths) -> Result<(), StoreError> {
    for (path, table) in batch.all().into_iter().zip(TABLES) {
        let file = TableReader::open(path, table)?;
        let sum = file.entry(SUM_KEY).and_then(|entry| entry.split_once(' '));
        let sum = sum.and_then(|(length, sum)| Some((length.parse::<u64>().ok()?, u32::from_str_radix(sum, 16).ok()?)));
        let (length, sum) = sum.ok_or_else(|| file.damaged("its footer has no sum"))?;
        file.check_sum(length, sum)?;
    }
    facts_of_batch(batch, Needs::ALL, &mut |_| {})?;
    histories_of_batch(batch, &mut |_| {})
}

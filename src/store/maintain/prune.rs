//! Old days out of a store.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::{bytes_of, until_settled};
use crate::store::commit::remove;
use crate::store::decode::keys_of_batch;
use crate::store::disk::Disk;
use crate::store::layout::{Batch, Day};
use crate::store::{Store, StoreError};

/// The schema of [`PruneReport`].
const SCHEMA: &str = "stepscope.store_prune/1";

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PruneReport {
    /// Always `stepscope.store_prune/1`.
    pub schema: &'static str,
    /// The store's folder.
    pub store: String,
    /// The first day that stays.
    pub before: String,
    /// Whether nothing was removed, only looked up.
    pub dry_run: bool,
    /// Days of which something was removed.
    pub days: Vec<PrunedDay>,
    /// Executions that were removed.
    pub executions: u64,
    /// Bytes that were removed.
    pub bytes: u64,
    /// Executions of these days that were kept because they still ran when they were read.
    pub kept_open: u64,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrunedDay {
    /// As the partition is called.
    pub day: String,
    /// Batches.
    pub batches: u64,
    /// Executions; those of a batch that can't be read are not counted.
    pub executions: u64,
    /// Bytes in all tables.
    pub bytes: u64,
}

impl Store {
    /// Removes the days before this one. Executions that were not closed when they were read stay, unless `open` says otherwise; those
    /// that say nothing about time always stay.
    pub fn prune(&self, before: Date, open: bool, dry_run: bool) -> Result<PruneReport, StoreError> {
        let disk = Disk::default();
        // What is listed is what is removed: nobody commits in between.
        let locked = if dry_run { None } else { Some(self.lock_settled(&disk)?) };
        let (report, doomed) = until_settled(|| self.old(before, open, dry_run))?;
        if locked.is_some() {
            remove(&doomed, &disk)?;
        }
        Ok(report)
    }

    fn old(&self, before: Date, open: bool, dry_run: bool) -> Result<(PruneReport, Vec<Batch>), StoreError> {
        let mut days: BTreeMap<Day, PrunedDay> = BTreeMap::new();
        let mut doomed = Vec::new();
        let mut kept_open = 0;
        for batch in self.batches(None)? {
            if !matches!(batch.day, Day::Date(day) if day < before) {
                continue;
            }
            let executions = match keys_of_batch(&batch.executions()) {
                Ok(keys) => keys.len() as u64,
                Err(StoreError::Damaged { .. }) => 0,
                Err(error) => return Err(error),
            };
            if batch.name.is_open() && !open {
                kept_open += executions;
                continue;
            }
            let day = batch.day.to_string();
            let told = days.entry(batch.day).or_insert(PrunedDay { day, batches: 0, executions: 0, bytes: 0 });
            told.batches += 1;
            told.executions += executions;
            told.bytes += bytes_of(&batch).or_else(|error| if error.is_vanished() { Ok(0) } else { Err(error) })?;
            doomed.push(batch);
        }
        let report = PruneReport {
            schema: SCHEMA,
            store: self.root().display().to_string(),
            before: before.to_string(),
            dry_run,
            executions: days.values().map(|day| day.executions).sum(),
            bytes: days.values().map(|day| day.bytes).sum(),
            days: days.into_values().collect(),
            kept_open,
        };
        Ok((report, doomed))
    }
}

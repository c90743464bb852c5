//! What a store has, for whoever could fetch it again: which executions, how often redriven, whether closed and whole.
//!
//! Reads the `executions` files of some days only, and keeps 40 bytes for each execution.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::ops::RangeInclusive;

use super::catalogue::Store;
use super::decode::{ExecutionKey, keys_of_batch};
use super::error::At;
use super::index::{Key, Keys};
use super::layout::{Day, PULLING};
use super::{Batch, StoreError};
use crate::model::ExecutionStatus;

/// How often batches are listed again that were replaced while they were read.
const TRIES: usize = 5;

/// How the store has an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How often it had been redriven.
    pub redrives: u64,
    /// Whether it had ended.
    pub is_closed: bool,
    /// Whether all of its events are there, as far as its gaps tell.
    pub is_whole: bool,
}

/// The executions of some days.
#[derive(Debug, Default)]
pub struct Known {
    keys: Keys,
    executions: HashMap<Key, Standing>,
    /// Batches that could not be read: as if the store did not have them.
    pub damaged: Vec<StoreError>,
}

impl Known {
    /// How the store has it; `None` when it does not.
    pub fn get(&self, execution: &str) -> Option<Standing> {
        self.executions.get(&self.keys.key(execution)).copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.executions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.executions.is_empty()
    }

    fn add(&mut self, found: &ExecutionKey) {
        let standing = Standing {
            redrives: found.redrive_count,
            is_closed: found.status.is_some_and(ExecutionStatus::is_closed),
            is_whole: !found.lacks_events,
        };
        self.executions.insert(self.keys.key(&found.execution), standing);
    }
}

/// Held while an account and region is pulled; others are told.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

impl Store {
    /// The executions of these days, and of those that don't say when they started.
    pub fn known(&self, days: &RangeInclusive<Day>) -> Result<Known, StoreError> {
        let mut known = Known::default();
        let read = self.keys_of(Some(days), &|_| true, &mut |key| known.add(&key))?;
        known.damaged = read;
        Ok(known)
    }

    /// The executions of days before this one that had not ended when they were read.
    pub fn open_before(&self, day: Day) -> Result<Vec<String>, StoreError> {
        let mut open = Vec::new();
        let is_older = |batch: &Batch| batch.name.is_open() && batch.day < day;
        self.keys_of(None, &is_older, &mut |key| open.push(key.execution))?;
        open.sort_unstable();
        open.dedup();
        Ok(open)
    }

    /// Claims an account and region for one process; `None` while another one has it.
    pub fn claim(&self, account: &str, region: &str) -> Result<Option<Claim>, StoreError> {
        let folder = self.root.join(PULLING);
        fs::create_dir_all(&folder).at("created", &folder)?;
        let path = folder.join(format!("{account}_{region}"));
        let lock = File::options().create(true).truncate(false).write(true).open(&path).at("opened", &path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Claim { _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(StoreError::io(&path, "locked", error)),
        }
    }

    fn keys_of(
        &self,
        days: Option<&RangeInclusive<Day>>,
        is_wanted: &dyn Fn(&Batch) -> bool,
        take: &mut dyn FnMut(ExecutionKey),
    ) -> Result<Vec<StoreError>, StoreError> {
        let mut damaged = Vec::new();
        let mut seen: Vec<Batch> = Vec::new();
        let mut tries = 0;
        let mut batches = self.batches(days)?;
        while let Some(batch) = batches.iter().find(|batch| is_wanted(batch) && !seen.contains(batch)).cloned() {
            match keys_of_batch(&batch.executions()) {
                Ok(keys) => keys.into_iter().for_each(&mut *take),
                Err(error) if error.is_vanished() && tries < TRIES => {
                    tries += 1;
                    batches = self.batches(days)?;
                    continue;
                }
                Err(error) => damaged.push(error),
            }
            seen.push(batch);
        }
        Ok(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_and_region_is_claimed_by_one_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::create_or_open(folder.path()).expect("a store");
        let claim = store.claim("111111111111", "eu-west-1").expect("a file").expect("free");
        assert!(store.claim("111111111111", "eu-west-1").expect("a file").is_none());
        assert!(store.claim("111111111111", "us-east-1").expect("a file").is_some());
        drop(claim);
        assert!(store.claim("111111111111", "eu-west-1").expect("a file").is_some());
    }
}

//! What a writer knows of the executions in a store: how complete each is, and which batch has it.
//!
//! Days are loaded when the first execution of one comes, from the `executions` files. 40 bytes for each execution: names are kept as
//! hashes of 128 bits.
//!
//! | the store has it                    | the new one            |
//! |-------------------------------------|------------------------|
//! | not                                 | is added               |
//! | less complete                       | replaces it            |
//! | as complete                         | changes nothing        |
//! | more complete                       | is passed over         |
//!
//! What is more complete, [`Completeness`] says.

use std::collections::hash_map::{Entry as MapEntry, HashMap};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::StoreError;
use super::catalogue::Store;
use super::decode::keys_of_batch;
use super::layout::{Batch, Day};
use crate::model::Completeness;
use crate::model::hashed::HashedAlready;

/// An execution, by a hash of its ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key(u64, u64);

/// Makes keys; those of two makers don't compare.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(RandomState, RandomState);

impl Keys {
    pub(super) fn key(&self, execution: &str) -> Key {
        Key(self.0.hash_one(execution), self.1.hash_one(execution))
    }
}

/// A batch, at rest or being built, and what takes its place when it is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct BatchId(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Not committed yet.
    Pending,
    /// In the store.
    AtRest,
    /// Replaced, removed or given up.
    Gone,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    rank: Completeness,
    /// Which batch has its most complete form, or will.
    place: BatchId,
    /// Which batch in the store has it now.
    at_rest: Option<BatchId>,
}

/// What becomes of an execution that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// The store did not have it.
    New,
    /// The store had it less complete.
    Replaces,
    /// The store has it.
    Unchanged,
    /// The store has it more complete.
    Older,
}

/// What a commit has to do besides adding its batch.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Executions of the batch that are stored elsewhere, or will be, in a form as complete.
    pub(super) dropped: HashSet<Key>,
    /// Executions that the batch replaces, by the batch that has them.
    pub(super) replaced: BTreeMap<BatchId, HashSet<Key>>,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    batches: Vec<(Batch, Condition)>,
    ids: HashMap<Batch, BatchId>,
    days: BTreeSet<Day>,
    executions: HashMap<Key, Entry, HashedAlready>,
    keys: Keys,
    /// Batches whose executions can't be read: the store is as if it did not have them.
    pub(super) damaged: Vec<StoreError>,
}

impl Index {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, ..Self::default() }
    }

    /// A batch that is about to be built.
    pub(super) fn begin(&mut self, batch: Batch) -> BatchId {
        self.know(batch, Condition::Pending)
    }

    /// The batch, as it is called now.
    pub(super) fn batch(&self, id: BatchId) -> &Batch {
        &self.batches[id.0 as usize].0
    }

    fn know(&mut self, batch: Batch, condition: Condition) -> BatchId {
        let id = BatchId(u32::try_from(self.batches.len()).unwrap_or(u32::MAX));
        self.ids.insert(batch.clone(), id);
        self.batches.push((batch, condition));
        id
    }

    fn condition(&self, id: BatchId) -> Condition {
        self.batches[id.0 as usize].1
    }

    /// Decides about an execution; when it is wanted, it will stand in `place`.
    pub(super) fn offer(&mut self, key: Key, rank: Completeness, place: BatchId) -> Offer {
        match self.executions.entry(key) {
            MapEntry::Vacant(vacant) => {
                vacant.insert(Entry { rank, place, at_rest: None });
                Offer::New
            }
            MapEntry::Occupied(mut occupied) => {
                let entry = occupied.get_mut();
                match rank.cmp(&entry.rank) {
                    std::cmp::Ordering::Less => Offer::Older,
                    std::cmp::Ordering::Equal => Offer::Unchanged,
                    std::cmp::Ordering::Greater => {
                        entry.rank = rank;
                        entry.place = place;
                        Offer::Replaces
                    }
                }
            }
        }
    }

    /// Loads a day that was not loaded before.
    pub(super) fn load(&mut self, store: &Store, day: Day) -> Result<(), StoreError> {
        if self.days.contains(&day) {
            return Ok(());
        }
        // What another writer commits while this reads is seen when the first batch of the day is committed.
        while self.refresh(store, day)?.is_none() {}
        self.days.insert(day);
        Ok(())
    }

    /// Takes in what other writers did to a day. `None` when a batch was replaced while it was read; never under the store's lock.
    pub(super) fn refresh(&mut self, store: &Store, day: Day) -> Result<Option<()>, StoreError> {
        let there = store.batches(Some(&(day..=day)))?;
        let there: BTreeSet<Batch> = there.into_iter().filter(|batch| batch.day == day).collect();
        let mut read = Vec::new();
        for batch in &there {
            if self.ids.get(batch).is_some_and(|id| self.condition(*id) == Condition::AtRest) {
                continue;
            }
            match keys_of_batch(&batch.executions()) {
                Ok(keys) => read.push((batch.clone(), keys)),
                Err(error) if error.is_vanished() => return Ok(None),
                Err(error @ StoreError::Damaged { .. }) => {
                    self.damaged.push(error);
                    read.push((batch.clone(), Vec::new()));
                }
                Err(error) => return Err(error),
            }
        }
        let mut has_lost = false;
        for (batch, condition) in &mut self.batches {
            if batch.day == day && *condition == Condition::AtRest && !there.contains(batch) {
                *condition = Condition::Gone;
                has_lost = true;
            }
        }
        for (batch, keys) in read {
            let id = self.know(batch, Condition::AtRest);
            for key in keys {
                let rank = Completeness::new(key.redrive_count, key.status, key.events, (key.gaps, key.lacks_events));
                self.found(self.keys.key(&key.execution), rank, id);
            }
        }
        if has_lost {
            self.forget_gone();
        }
        Ok(Some(()))
    }

    /// An execution was found in a batch at rest.
    fn found(&mut self, key: Key, rank: Completeness, id: BatchId) {
        let found = Entry { rank, place: id, at_rest: Some(id) };
        let known = match self.executions.entry(key) {
            MapEntry::Vacant(vacant) => {
                vacant.insert(found);
                return;
            }
            MapEntry::Occupied(known) => known.into_mut(),
        };
        match self.batches[known.place.0 as usize].1 {
            Condition::Pending if rank < known.rank => known.at_rest = Some(id),
            Condition::AtRest if rank < known.rank => {}
            _ => *known = found,
        }
    }

    /// Forgets executions that went with their batch.
    fn forget_gone(&mut self) {
        let batches = &self.batches;
        let is_gone = |id: BatchId| batches[id.0 as usize].1 == Condition::Gone;
        self.executions.retain(|_, entry| {
            entry.at_rest = entry.at_rest.filter(|id| !is_gone(*id));
            !is_gone(entry.place)
        });
    }

    /// What committing a batch with these executions means for others. The index must be fresh, under the store's lock.
    pub(super) fn plan(&self, id: BatchId, keys: &[Key]) -> Plan {
        let mut plan = Plan::default();
        for key in keys {
            match self.executions.get(key) {
                Some(entry) if entry.place == id => {
                    if let Some(older) = entry.at_rest {
                        plan.replaced.entry(older).or_default().insert(*key);
                    }
                }
                _ => {
                    plan.dropped.insert(*key);
                }
            }
        }
        plan
    }

    /// The days whose batches a commit of these executions touches, besides its own.
    pub(super) fn days_touched(&self, keys: &[Key]) -> BTreeSet<Day> {
        let older = keys.iter().filter_map(|key| self.executions.get(key)?.at_rest);
        older.map(|id| self.batch(id).day).collect()
    }

    /// A batch is in the store now.
    pub(super) fn committed(&mut self, id: BatchId, keys: &[Key]) {
        self.batches[id.0 as usize].1 = Condition::AtRest;
        for key in keys {
            if let Some(entry) = self.executions.get_mut(key).filter(|entry| entry.place == id) {
                entry.at_rest = Some(id);
            }
        }
    }

    /// A batch was written again under another name, or nothing of it is left.
    pub(super) fn replaced(&mut self, id: BatchId, by: Option<Batch>) {
        let place = id.0 as usize;
        self.ids.remove(&self.batches[place].0);
        match by {
            Some(batch) => {
                self.ids.insert(batch.clone(), id);
                self.batches[place].0 = batch;
            }
            None => self.batches[place].1 = Condition::Gone,
        }
    }
}

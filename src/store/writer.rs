//! Puts executions into a store, from any number of threads and beside other writers.
//!
//! Each thread has a [`Worker`] with a batch for each day that it meets; what they share is the index of what is stored. A worker whose
//! batches have grown too large writes and commits the largest, so that memory is bounded and a batch is of a sensible size. Batches are
//! written without any lock; under the store's lock a commit only looks at what other writers did meanwhile, drops from its batch what
//! they stored as completely, writes again the few batches of which it replaces executions, and renames.

use std::collections::hash_map::{Entry, HashMap};
use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StoreError;
use super::catalogue::Store;
use super::commit::{Locked, Staged, commit};

use super::decode::BatchPaths;
use super::disk::Disk;
use super::encode::{BatchBuilder, BatchFiles, copy_batches};
use super::error::At;
use super::index::{BatchId, Index, Key, Keys, Offer, Plan};
use super::layout::{Batch, BatchName, Day, STAGING};
use super::schema::{ATTEMPTS, EVENTS, EXECUTIONS, Table, VISITS};
use crate::model::{Completeness, ExecutionFacts, ExecutionPath, History, Timestamp};

/// All workers together keep about so many bytes in batches that are not written yet,
const BUDGET: usize = 320 << 20;
/// and each at least
const LEAST: usize = 8 << 20;
/// and at most so many.
const MOST: usize = 96 << 20;

/// What a writer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Executions that the store did not have.
    pub new: u64,
    /// Executions that the store had less complete.
    pub replaced: u64,
    /// Executions that the store had as they are.
    pub unchanged: u64,
    /// Executions that the store has more complete.
    pub older: u64,
    /// Batches that were added, those written again among them.
    pub batches: u64,
    /// Bytes of their files.
    pub bytes: u64,
}

/// Somebody who adds to a store; others may at the same time.
pub struct Writer {
    shared: Arc<Shared>,
    budget: usize,
}

/// What the workers of a writer share.
struct Shared {
    staging: Staging,
    keys: Keys,
    inner: Mutex<Inner>,
}

struct Inner {
    index: Index,
    written: Written,
}

impl Store {
    /// Begins to write with so many workers; removes what interrupted writers left behind. `started` goes into the names of batches.
    pub fn writer(&self, started: Timestamp, workers: usize) -> Result<Writer, StoreError> {
        self.writer_on(Disk::default(), started, workers)
    }

    pub(super) fn writer_on(&self, disk: Disk, started: Timestamp, workers: usize) -> Result<Writer, StoreError> {
        let keys = Keys::default();
        let inner = Inner { index: Index::new(keys.clone()), written: Written::default() };
        let staging = Staging::begin(self, disk, started)?;
        let budget = (BUDGET / workers.max(1)).clamp(LEAST, MOST);
        Ok(Writer { shared: Arc::new(Shared { staging, keys, inner: Mutex::new(inner) }), budget })
    }
}

impl Writer {
    /// One for each thread.
    pub fn worker(&self) -> Worker {
        Worker { shared: Arc::clone(&self.shared), budget: self.budget, bytes: 0, growing: HashMap::new() }
    }

    /// What was committed so far: all of it once every worker has finished.
    pub fn written(&self) -> Written {
        self.shared.inner().written
    }

    /// Batches of the store whose executions could not be read, and which were passed over.
    pub fn take_damaged(&self) -> Vec<StoreError> {
        std::mem::take(&mut self.shared.inner().index.damaged)
    }
}

/// A folder for files that are being written; it and its lock are there as long as this lives.
pub(super) struct Staging {
    pub(super) store: Store,
    pub(super) disk: Disk,
    folder: PathBuf,
    started: Timestamp,
    writer: u32,
    next: AtomicU32,
    _lock: File,
}

impl Staging {
    /// Makes one, after what others left behind was removed.
    pub(super) fn begin(store: &Store, disk: Disk, started: Timestamp) -> Result<Self, StoreError> {
        let locked = store.lock_settled(&disk)?;
        store.recover(&locked, &disk)?;
        let parent = store.root.join(STAGING);
        disk.create_folder(&parent)?;
        loop {
            let writer = fastrand::u32(..);
            let folder = parent.join(format!("{writer:08x}"));
            match fs::create_dir(&folder) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(StoreError::io(&folder, "created", error)),
            }
            let path = folder.join("lock");
            let lock = File::create(&path).at("created", &path)?;
            lock.lock().at("locked", &path)?;
            return Ok(Self { store: store.clone(), disk, folder, started, writer, next: AtomicU32::new(0), _lock: lock });
        }
    }

    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A name that no other batch has.
    pub(super) fn next_batch(&self, day: Day, is_open: bool) -> Batch {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.store.batch(day, BatchName::new(self.started, self.writer, number, is_open))
    }

    /// Writes the files of a batch into a folder of its own.
    pub(super) fn stage(
        &self,
        batch: Batch,
        write: impl FnOnce(&Path) -> Result<BatchFiles, StoreError>,
    ) -> Result<(Staged, BatchFiles), StoreError> {
        let folder = self.folder.join(batch.name.as_str());
        fs::create_dir(&folder).at("created", &folder)?;
        let files = write(&folder)?;
        Ok((Staged::seal(batch, folder, &self.disk)?, files))
    }

    /// Waits for the store's lock.
    pub(super) fn lock(&self) -> Result<Locked, StoreError> {
        self.store.lock_settled(&self.disk)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Whoever writes next removes what is left.
        let _ = self.disk.remove_folder(&self.folder);
    }
}

/// What one thread adds.
pub struct Worker {
    shared: Arc<Shared>,
    budget: usize,
    /// Of all batches that grow.
    bytes: usize,
    growing: HashMap<(Day, bool), Growing>,
}

struct Growing {
    batch: Batch,
    id: BatchId,
    keys: Vec<Key>,
    builder: BatchBuilder,
}

impl Worker {
    /// Adds an execution unless the store has it as completely, and says what became of it. It is in the store when the worker has
    /// finished, or earlier.
    ///
    /// The path must be rebuilt from the history, the facts extracted from both with [`Needs::ALL`](crate::model::facts::Needs::ALL).
    pub fn add(&mut self, history: &History, path: &ExecutionPath, facts: &ExecutionFacts<'_>) -> Result<Offer, StoreError> {
        let rank = Completeness::of(facts);
        let key = self.shared.keys.key(facts.execution);
        let place = (Day::of(facts, history), rank.is_open());
        let shared = &self.shared;
        let growing = match self.growing.entry(place) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(shared.begin(place.0, place.1)?),
        };
        let offer = shared.inner().offer(key, rank, growing.id);
        if matches!(offer, Offer::Unchanged | Offer::Older) {
            return Ok(offer);
        }
        let before = growing.builder.approximate_bytes();
        growing.builder.push(history, path, facts)?;
        growing.keys.push(key);
        self.bytes += growing.builder.approximate_bytes().saturating_sub(before);
        if self.bytes > self.budget {
            self.flush_largest()?;
        }
        Ok(offer)
    }

    /// Commits what is left.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let mut places: Vec<(Day, bool)> = self.growing.keys().copied().collect();
        places.sort_unstable();
        places.into_iter().try_for_each(|place| self.flush(place))
    }

    fn flush_largest(&mut self) -> Result<(), StoreError> {
        let sizes = self.growing.iter_mut().map(|(place, growing)| (growing.builder.approximate_bytes(), *place));
        let Some((_, place)) = sizes.max() else { return Ok(()) };
        self.flush(place)?;
        self.bytes = self.growing.values_mut().map(|growing| growing.builder.approximate_bytes()).sum();
        Ok(())
    }

    fn flush(&mut self, place: (Day, bool)) -> Result<(), StoreError> {
        match self.growing.remove(&place) {
            Some(growing) if !growing.builder.is_empty() => self.shared.commit(growing),
            _ => Ok(()),
        }
    }
}

impl Inner {
    fn offer(&mut self, key: Key, rank: Completeness, place: BatchId) -> Offer {
        let offer = self.index.offer(key, rank, place);
        *match offer {
            Offer::New => &mut self.written.new,
            Offer::Replaces => &mut self.written.replaced,
            Offer::Unchanged => &mut self.written.unchanged,
            Offer::Older => &mut self.written.older,
        } += 1;
        offer
    }
}

impl Shared {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked ends the program.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a batch.
    fn begin(&self, day: Day, is_open: bool) -> Result<Growing, StoreError> {
        let batch = self.staging.next_batch(day, is_open);
        let mut inner = self.inner();
        for day in self.days_beside(day)? {
            inner.index.load(&self.staging.store, day)?;
        }
        let id = inner.index.begin(batch.clone());
        Ok(Growing { batch, id, keys: Vec::new(), builder: BatchBuilder::new() })
    }

    fn commit(&self, growing: Growing) -> Result<(), StoreError> {
        let Growing { batch, id, keys, builder } = growing;
        let (staged, files) = self.staging.stage(batch.clone(), |folder| builder.write(folder))?;
        let mut inner = self.inner();
        let locked = self.staging.lock()?;
        self.refresh(&mut inner.index, batch.day, &keys)?;
        let plan = inner.index.plan(id, &keys);
        let mut new = Additions::default();
        let mut dead = Vec::new();
        let mut renamed = Vec::new();
        for (older, replaced) in &plan.replaced {
            let source = inner.index.batch(*older).clone();
            let rewritten = match self.without(&source, replaced) {
                Ok(rewritten) => rewritten,
                Err(error @ StoreError::Damaged { .. }) => {
                    // What is left of it is not ours to throw away.
                    inner.index.damaged.push(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            renamed.push((*older, rewritten.as_ref().map(|(staged, _)| staged.batch.clone())));
            if let Some(rewritten) = rewritten {
                new.add(rewritten);
            }
            dead.push(source);
        }
        let staged = if plan.dropped.is_empty() { Some((staged, files)) } else { self.without_dropped(staged, &plan)? };
        if let Some(staged) = staged {
            new.add(staged);
        }
        commit(&new.staged, &dead, &locked, &self.staging.disk)?;
        drop(locked);
        for (older, by) in renamed {
            inner.index.replaced(older, by);
        }
        inner.index.committed(id, &keys);
        if plan.dropped.len() == keys.len() {
            inner.index.replaced(id, None);
        }
        inner.written.batches += new.staged.len() as u64;
        inner.written.bytes += new.bytes;
        Ok(())
    }

    /// Where executions of this day may stand in another form: there, and among those whose start was not known. One whose start is not
    /// known may be of any day.
    fn days_beside(&self, day: Day) -> Result<BTreeSet<Day>, StoreError> {
        let mut days = if day == Day::Unknown { self.staging.store.days_of(EXECUTIONS.name)? } else { BTreeSet::from([Day::Unknown]) };
        days.insert(day);
        Ok(days)
    }

    /// Takes in what other writers did to the day of a batch and beside it, and to the days of what it replaces.
    fn refresh(&self, index: &mut Index, day: Day, keys: &[Key]) -> Result<(), StoreError> {
        let mut days = index.days_touched(keys);
        days.extend(self.days_beside(day)?);
        for day in days {
            index.refresh(&self.staging.store, day)?;
        }
        Ok(())
    }

    /// A batch without some of its executions; `None` when nothing is left of it.
    fn without(&self, source: &Batch, executions: &HashSet<Key>) -> Result<Option<(Staged, BatchFiles)>, StoreError> {
        let batch = self.staging.next_batch(source.day, source.name.is_open());
        let keep = |execution: &str| !executions.contains(&self.keys.key(execution));
        let (staged, files) = self.staging.stage(batch, |folder| copy_batches(&[source.paths()], &keep, folder))?;
        Ok((files.files[0].rows > 0).then_some((staged, files)))
    }

    /// The batch that is being committed without what others have stored meanwhile. It keeps its name.
    fn without_dropped(&self, staged: Staged, plan: &Plan) -> Result<Option<(Staged, BatchFiles)>, StoreError> {
        let Staged { batch, folder } = staged;
        let keep = |execution: &str| !plan.dropped.contains(&self.keys.key(execution));
        let file = |table: &Table| folder.join(format!("{}.parquet", table.name));
        let source = BatchPaths { executions: file(&EXECUTIONS), visits: file(&VISITS), attempts: file(&ATTEMPTS), events: file(&EVENTS) };
        let kept = folder.join("kept");
        fs::create_dir(&kept).at("created", &kept)?;
        let files = copy_batches(&[source], &keep, &kept)?;
        if files.files[0].rows == 0 {
            return Ok(None);
        }
        Ok(Some((Staged::seal(batch, kept, &self.staging.disk)?, files)))
    }
}

/// What a commit adds.
#[derive(Default)]
struct Additions {
    staged: Vec<Staged>,
    bytes: u64,
}

impl Additions {
    fn add(&mut self, (staged, files): (Staged, BatchFiles)) {
        self.staged.push(staged);
        self.bytes += files.files.iter().map(|file| file.bytes).sum::<u64>();
    }
}

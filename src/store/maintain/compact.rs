//! Small batches of a day into one.
//!
//! The new batch is written without any lock and committed like every other; if one of its sources was replaced meanwhile, it is thrown
//! away and the day is left for another time.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{bytes_of, until_settled};
use crate::model::Timestamp;
use crate::store::commit::commit;
use crate::store::decode::BatchPaths;
use crate::store::disk::Disk;
use crate::store::encode::copy_batches;
use crate::store::layout::{Batch, Day};
use crate::store::writer::Staging;
use crate::store::{Store, StoreError};

/// The schema of [`CompactReport`].
const SCHEMA: &str = "stepscope.store.compact/1";

/// Batches are put together until they are so large; a batch that is half as large alone is left as it is.
const TARGET: u64 = 128 << 20;

/// What was put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompactReport {
    /// Always `stepscope.store.compact/1`.
    pub schema: &'static str,
    /// The store's folder.
    pub store: String,
    /// Days of which batches were put together.
    pub days: Vec<CompactedDay>,
    /// Batches before.
    pub batches_before: u64,
    /// Batches after.
    pub batches_after: u64,
    /// Bytes before.
    pub bytes_before: u64,
    /// Bytes after.
    pub bytes_after: u64,
    /// How often other writers came in between; what they changed was left as it is.
    pub left: u64,
    /// Files that can't be read, in words; their batches were left as they are.
    pub damaged: Vec<String>,
}

/// A day that has fewer batches now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompactedDay {
    /// As the partition is called.
    pub day: String,
    /// How many batches were put together.
    pub from: u64,
    /// Into how many.
    pub to: u64,
}

impl Store {
    /// Puts small batches of a day together, those of open executions apart. `started` goes into the names of the new batches.
    pub fn compact(&self, started: Timestamp) -> Result<CompactReport, StoreError> {
        self.compact_to(TARGET, Disk::default(), started)
    }

    pub(in crate::store) fn compact_to(&self, target: u64, disk: Disk, started: Timestamp) -> Result<CompactReport, StoreError> {
        let staging = Staging::begin(self, disk, started)?;
        let (batches_before, bytes_before) = self.totals()?;
        let mut days: BTreeMap<Day, CompactedDay> = BTreeMap::new();
        let mut left = 0;
        let mut damaged = Vec::new();
        for group in until_settled(|| self.groups(target))? {
            let (day, from) = (group[0].day, group.len() as u64);
            match merge(&staging, group, &mut damaged)? {
                Merged::Done(from) => {
                    let told = days.entry(day).or_insert_with(|| CompactedDay { day: day.to_string(), from: 0, to: 0 });
                    told.from += from;
                    told.to += 1;
                }
                Merged::Left => left += u64::from(from > 1),
            }
        }
        let (batches_after, bytes_after) = self.totals()?;
        Ok(CompactReport {
            schema: SCHEMA,
            store: self.root().display().to_string(),
            days: days.into_values().collect(),
            batches_before,
            batches_after,
            bytes_before,
            bytes_after,
            left,
            damaged,
        })
    }

    fn totals(&self) -> Result<(u64, u64), StoreError> {
        until_settled(|| {
            let batches = self.batches(None)?;
            let bytes = batches.iter().map(sized).collect::<Result<Vec<u64>, _>>()?;
            Ok((batches.len() as u64, bytes.iter().sum()))
        })
    }

    /// Batches to be put together: of one day and kind, in order, none of them large.
    fn groups(&self, target: u64) -> Result<Vec<Vec<Batch>>, StoreError> {
        let mut groups: BTreeMap<(Day, bool), Vec<Group>> = BTreeMap::new();
        for batch in self.batches(None)? {
            let bytes = sized(&batch)?;
            if bytes >= target / 2 {
                continue;
            }
            let open = groups.entry((batch.day, batch.name.is_open())).or_default();
            match open.last_mut() {
                Some(group) if group.bytes + bytes <= target => {
                    group.bytes += bytes;
                    group.batches.push(batch);
                }
                _ => open.push(Group { bytes, batches: vec![batch] }),
            }
        }
        Ok(groups.into_values().flatten().map(|group| group.batches).filter(|group| group.len() > 1).collect())
    }
}

/// Batches that will be one.
struct Group {
    bytes: u64,
    batches: Vec<Batch>,
}

/// The size of a batch; a file that is missing is somebody else's trouble.
fn sized(batch: &Batch) -> Result<u64, StoreError> {
    bytes_of(batch).or_else(|error| if error.is_vanished() && batch.executions().exists() { Ok(0) } else { Err(error) })
}

enum Merged {
    /// So many batches are one.
    Done(u64),
    /// Another writer came in between, or too few can be read.
    Left,
}

fn merge(staging: &Staging, mut group: Vec<Batch>, damaged: &mut Vec<String>) -> Result<Merged, StoreError> {
    loop {
        let [first, _, ..] = &group[..] else { return Ok(Merged::Left) };
        let batch = staging.next_batch(first.day, first.name.is_open());
        let sources: Vec<BatchPaths> = group.iter().map(Batch::paths).collect();
        let staged = match staging.stage(batch, |folder| copy_batches(&sources, &|_| true, folder)) {
            Ok((staged, _)) => staged,
            Err(StoreError::Damaged { file, table, reason }) => {
                group.retain(|batch| !batch.paths().all().contains(&&*file));
                damaged.push(StoreError::Damaged { file, table, reason }.to_string());
                continue;
            }
            Err(error) if error.is_vanished() => {
                let missing =
                    group.iter().find(|batch| batch.executions().exists() && batch.paths().all().iter().any(|file| !file.exists()));
                let Some(missing) = missing.cloned() else { return Ok(Merged::Left) };
                damaged.push(error.to_string());
                group.retain(|batch| *batch != missing);
                continue;
            }
            Err(error) => return Err(error),
        };
        let locked = staging.lock()?;
        let day = group[0].day;
        let there = staging.store.batches(Some(&(day..=day)))?;
        if !group.iter().all(|batch| there.contains(batch)) {
            return Ok(Merged::Left);
        }
        commit(&[staged], &group, &locked, &staging.disk)?;
        return Ok(Merged::Done(group.len() as u64));
    }
}

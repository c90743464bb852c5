//! Looking after a store: what is in it, whether it is whole, fewer files, fewer days.

mod compact;
mod info;
mod prune;
mod verify;

pub use compact::{CompactReport, CompactedDay};
pub use info::{DayInfo, InfoReport, MachineInfo, TableInfo};
pub use prune::{PruneReport, PrunedDay};
pub use verify::{Finding, FindingKind, VerifyReport};

use std::fs;
use std::path::PathBuf;

use super::StoreError;
use super::error::At;
use super::layout::Batch;
use super::schema::TABLES;

/// The size of the files of a batch in all tables.
fn bytes_of(batch: &Batch) -> Result<u64, StoreError> {
    let size = |path: PathBuf| fs::metadata(&path).at("read", &path).map(|about| about.len());
    TABLES.into_iter().map(|table| size(batch.file(table))).sum()
}

/// Two looks at a store may differ because of what others commit; a batch that is gone meanwhile makes the work start again.
fn until_settled<T>(mut look: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    /// Nobody replaces batches so often that all of these are in vain.
    const TRIES: usize = 100;
    for _ in 1..TRIES {
        match look() {
            Err(error) if error.is_vanished() => {}
            done => return done,
        }
    }
    look()
}

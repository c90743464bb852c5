//! What can go wrong with the files of the store.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a file of the store could not be written or read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is no room left; what was written so far belongs to no batch.
    #[error("the disk is full: {} could not be written; free some space and run it again, what is stored already stays", file.display())]
    DiskFull {
        /// What was being written.
        file: PathBuf,
    },
    /// The system refused.
    #[error("{} could not be {doing}: {source}", file.display())]
    Io {
        /// Which file or folder.
        file: PathBuf,
        /// Such as `read`, `created`, `written`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no Parquet, was cut or changed, or holds something else than the table.
    #[error(
        "{} is damaged, or was not written by stepscope: {reason} (table `{table}`); move it away and ingest its day again",
        file.display()
    )]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// Which table it should hold.
        table: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The file was written by a later version of the program, with tables that this one doesn't know.
    #[error("{} has tables of version {found}, and this stepscope reads up to version {known}; use a newer stepscope", file.display())]
    LaterVersion {
        /// Which file.
        file: PathBuf,
        /// The version of its tables.
        found: u32,
        /// The last version that is understood.
        known: u32,
    },
    /// Values that Parquet can't hold, such as a text of 2 GiB.
    #[error("table `{table}` could not be encoded: {reason}")]
    Encoding {
        /// Which table.
        table: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl StoreError {
    /// What the system said about a file; a full disk is told apart.
    pub fn io(file: &Path, doing: &'static str, source: io::Error) -> Self {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        if full.contains(&source.kind()) {
            return Self::DiskFull { file: file.to_owned() };
        }
        Self::Io { file: file.to_owned(), doing, source }
    }

    /// Whether there is no room left.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }
}

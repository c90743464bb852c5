//! What can go wrong with the files of the store.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why something of a store could not be done.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder does not exist, or is empty.
    #[error("there is no store at {}; `stepscope ingest` makes one", folder.display())]
    NoStore {
        /// The store's folder.
        folder: PathBuf,
    },
    /// The folder holds something else.
    #[error("{} is not empty and no store; name a new or an empty folder", folder.display())]
    NotAStore {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder is the store of a later version of this program.
    #[error("{} is a store of version {found}, and this stepscope knows them up to version {known}; use a newer stepscope", folder.display())]
    LaterStore {
        /// The store's folder.
        folder: PathBuf,
        /// What its marker says.
        found: u32,
        /// The last version that is understood.
        known: u32,
    },
    /// One of the few files beside the tables is not what was written there.
    #[error("{} can't be understood: {reason}; restore it from a backup", file.display())]
    Unreadable {
        /// The marker, or what a commit was about to replace.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What pulls write down is not what was written there. It is work to do again, nothing else.
    #[error("{} can't be understood: {reason}; move it away: what the tables hold stays, and the pull begins anew", file.display())]
    UnreadableLedger {
        /// The ledger.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk, the quota or the limit of file sizes is used up; what was written so far belongs to no batch.
    #[error(
        "no room for {}: {reason}; free some space (`stepscope store prune --older-than 90d` removes the oldest days) and run it again, \
         what is stored already stays",
        file.display()
    )]
    DiskFull {
        /// What was being written.
        file: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The system refused.
    #[error("{} could not be {doing}: {reason}", file.display())]
    Io {
        /// Which file or folder.
        file: PathBuf,
        /// Such as `read`, `created`, `written`.
        doing: &'static str,
        /// What the system said.
        reason: io::Error,
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
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        if full.contains(&source.kind()) {
            return Self::DiskFull { file: file.to_owned(), reason: source };
        }
        Self::Io { file: file.to_owned(), doing, reason: source }
    }

    /// Whether there is no room left.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }

    /// Whether a file is not there any more: its batch was replaced since the store was listed. List again.
    pub fn is_vanished(&self) -> bool {
        matches!(self, Self::Io { reason, .. } if reason.kind() == io::ErrorKind::NotFound)
    }
}

/// Puts the file and what was done to it into an error of the system.
pub(super) trait At<T> {
    /// For instance `read_dir(path).at("listed", path)`.
    fn at(self, doing: &'static str, file: &Path) -> Result<T, StoreError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, doing: &'static str, file: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::io(file, doing, source))
    }
}

//! What can go wrong with a store, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::layout::VERSION;

/// Why something of a store could not be done.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder does not exist, or is empty.
    #[error("there is no store at {}; `stepscope ingest` makes one", path.display())]
    NoStore {
        /// The store's folder.
        path: PathBuf,
    },
    /// The folder holds something else.
    #[error("{} is not empty and no store; name a new or an empty folder", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
    },
    /// The folder is the store of a later version of this program.
    #[error("{} is a store of version {version}, and this program knows them up to version {VERSION}; use a later stepscope", path.display())]
    LaterVersion {
        /// The store's folder.
        path: PathBuf,
        /// What its marker says.
        version: u32,
    },
    /// The file that makes a folder a store can't be understood.
    #[error("{} does not say which version of a store this is: {reason}; restore it from a backup", path.display())]
    Marker {
        /// The marker.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk, the quota or the limit of file sizes is used up.
    #[error(
        "no room left at {}: {source}; what was stored before is safe. Make room (`stepscope store prune --older-than 90d` removes \
         the oldest days) and run the same again", path.display()
    )]
    Full {
        /// What was written.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The operating system refused.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was done to the file: `reading`, `renaming`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of a batch is not what was written there.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl StoreError {
    /// Sorts an error of the operating system: a full disk is told apart.
    pub fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let path = path.to_owned();
        match source.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::Full { path, source },
            _ => Self::Io { doing, path, source },
        }
    }

    /// Whether a file is not there any more: its batch was replaced since the store was listed. List again.
    pub fn is_vanished(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Puts the path and what was done into an error of the operating system.
pub(super) trait At<T> {
    /// For instance `read_dir(path).at("listing", path)`.
    fn at(self, doing: &'static str, path: &Path) -> Result<T, StoreError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, doing: &'static str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::io(doing, path, source))
    }
}

//! Every change to the files of a store: the few operations whose order keeps it whole.
//!
//! Apart so that tests can stop them after any number of steps, as a crash does.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::error::{At, StoreError};

/// Changes files. In tests it can stop working after some number of changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    #[cfg(test)]
    pub(super) crash: Option<std::sync::Arc<tests::Crash>>,
}

impl Disk {
    #[cfg(not(test))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "it does something in tests")]
    fn step(&self) -> io::Result<()> {
        Ok(())
    }

    /// Puts a finished file in its place; whoever looks sees all of it or nothing.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.step().and_then(|()| fs::rename(from, to)).at("put in its place", to)
    }

    /// Makes a folder, those above it too; the new entries are synced.
    pub(super) fn create_folder(&self, path: &Path) -> Result<(), StoreError> {
        if path.is_dir() {
            return Ok(());
        }
        self.step().and_then(|()| fs::create_dir_all(path)).at("created", path)?;
        for parent in path.ancestors().skip(1).take(2) {
            self.sync_folder(parent)?;
        }
        Ok(())
    }

    /// Writes a small file and waits until it is on the disk.
    pub(super) fn write(&self, path: &Path, text: &str) -> Result<(), StoreError> {
        let write = || {
            let mut file = File::create(path)?;
            file.write_all(text.as_bytes())?;
            sync(&file)
        };
        self.step().and_then(|()| write()).at("written", path)
    }

    /// Waits until a file is on the disk.
    pub(super) fn sync_file(&self, path: &Path) -> Result<(), StoreError> {
        self.step().and_then(|()| sync(&File::open(path)?)).at("synced", path)
    }

    /// Waits until the names in a folder are on the disk. File systems that can't say so are believed.
    pub(super) fn sync_folder(&self, path: &Path) -> Result<(), StoreError> {
        let synced = || match sync(&File::open(path)?) {
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            synced => synced,
        };
        self.step().and_then(|()| synced()).at("synced", path)
    }

    /// Removes a file; one that is not there is no error. Says whether it was.
    pub(super) fn remove_file(&self, path: &Path) -> Result<bool, StoreError> {
        match self.step().and_then(|()| fs::remove_file(path)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io(path, "removed", error)),
        }
    }

    /// Removes a folder and what is in it; one that is not there is no error.
    pub(super) fn remove_folder(&self, path: &Path) -> Result<(), StoreError> {
        match self.step().and_then(|()| fs::remove_dir_all(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(path, "removed", error)),
            _ => Ok(()),
        }
    }

    /// Removes a folder if it is empty.
    pub(super) fn remove_if_empty(&self, path: &Path) -> Result<(), StoreError> {
        // Not being empty, or not being there, is what it is asked about.
        self.step().map(|()| drop(fs::remove_dir(path))).at("removed", path)
    }
}

/// The crashes of tests leave the operating system alive, and a disk is slow.
fn sync(file: &File) -> io::Result<()> {
    if cfg!(test) { Ok(()) } else { file.sync_all() }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Lets some changes happen, and no more.
    #[derive(Debug)]
    pub(in crate::store) struct Crash {
        after: usize,
        done: AtomicUsize,
    }

    impl Disk {
        pub(in crate::store) fn crashing_after(steps: usize) -> Self {
            Self { crash: Some(std::sync::Arc::new(Crash { after: steps, done: AtomicUsize::new(0) })) }
        }

        pub(in crate::store) fn has_crashed(&self) -> bool {
            self.crash.as_ref().is_some_and(|crash| crash.done.load(Ordering::SeqCst) > crash.after)
        }

        pub(super) fn step(&self) -> io::Result<()> {
            let Some(crash) = &self.crash else { return Ok(()) };
            if crash.done.fetch_add(1, Ordering::SeqCst) >= crash.after {
                return Err(io::Error::other("the power is gone"));
            }
            Ok(())
        }
    }
}

//! The steps of a commit, and what is left to do when one was interrupted. All of it under the store's lock.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::store::catalogue::{Marker, Store, names_in, others_files};
use crate::store::disk::Disk;
use crate::store::error::{At, StoreError};
use crate::store::intent::Intent;
use crate::store::layout::{Batch, INTENTS, LOCK, MARKER, STAGING, SUMS};
use crate::store::schema::{ATTEMPTS, EVENTS, EXECUTIONS, TABLES, Table, VISITS};

/// A batch whose files are finished and synced, in a folder of their own: `visits.parquet`, …
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) batch: Batch,
    pub(super) folder: PathBuf,
}

const SUMS_FILE: &str = "checksums.sha256";

impl Staged {
    /// Writes down the sums of the files of a folder and waits until all of it is on the disk.
    pub(super) fn seal(batch: Batch, folder: PathBuf, disk: &Disk) -> Result<Self, StoreError> {
        let mut sums: Vec<String> = Vec::new();
        for table in TABLES {
            let file = folder.join(format!("{}.parquet", table.name));
            let sum = checksum(&file)?;
            disk.sync_file(&file)?;
            let target = batch.file(table);
            let relative = target.strip_prefix(&batch.root).unwrap_or(&target);
            sums.push(format!("{sum}  {}\n", relative.display()));
        }
        disk.write(&folder.join(SUMS_FILE), &sums.concat())?;
        Ok(Self { batch, folder })
    }

    /// What is renamed to where; `executions` last.
    fn moves(&self) -> [(PathBuf, PathBuf); 5] {
        let table = |table: &Table| (self.folder.join(format!("{}.parquet", table.name)), self.batch.file(table));
        [(self.folder.join(SUMS_FILE), self.batch.checksums()), table(&EVENTS), table(&ATTEMPTS), table(&VISITS), table(&EXECUTIONS)]
    }
}

/// SHA-256 of a file, in hexadecimal.
pub(super) fn checksum(path: &Path) -> Result<String, StoreError> {
    let mut file = File::open(path).at("read", path)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 17];
    loop {
        let length = file.read(&mut buffer).at("read", path)?;
        if length == 0 {
            let digits: Vec<String> = sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok(digits.concat());
        }
        sum.update(&buffer[..length]);
    }
}

/// Holds the store's lock until it is dropped. Nobody else commits or cleans up meanwhile.
#[derive(Debug)]
pub(super) struct Locked {
    _file: File,
}

impl Store {
    /// Opens a store to write it, and makes it where there is none. Fails for a folder that holds something else.
    pub fn create_or_open(folder: &Path) -> Result<Self, StoreError> {
        if let Some(store) = Self::recognise(folder)? {
            return Ok(store);
        }
        if others_files(folder)?.is_some_and(|others| !others.is_empty()) {
            // Somebody may have made it while we looked.
            return Self::recognise(folder)?.ok_or_else(|| StoreError::NotAStore { folder: folder.to_owned() });
        }
        fs::create_dir_all(folder).at("created", folder)?;
        let store = Self { root: folder.into() };
        let disk = Disk::default();
        let _locked = store.lock()?;
        if let Some(store) = Self::recognise(folder)? {
            return Ok(store);
        }
        let marker = folder.join(MARKER);
        let unfinished = folder.join(format!("{MARKER}.new"));
        let text = serde_json::to_string(&Marker::current()).unwrap_or_default();
        disk.write(&unfinished, &(text + "\n"))?;
        disk.rename(&unfinished, &marker)?;
        disk.sync_folder(folder)?;
        Ok(store)
    }

    /// Waits for the store's lock.
    pub(super) fn lock(&self) -> Result<Locked, StoreError> {
        let path = self.root.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path).at("opened", &path)?;
        file.lock().at("locked", &path)?;
        Ok(Locked { _file: file })
    }

    /// Waits for the lock, and finishes or undoes what somebody began and did not end.
    pub(super) fn lock_settled(&self, disk: &Disk) -> Result<Locked, StoreError> {
        let locked = self.lock()?;
        for intent in self.intents()? {
            let has_happened = intent.leader.executions().exists();
            remove(if has_happened { &intent.dead } else { &intent.new }, disk)?;
            forget(&intent, disk)?;
        }
        Ok(locked)
    }

    /// Removes what interrupted writers left behind.
    pub(super) fn recover(&self, _locked: &Locked, disk: &Disk) -> Result<(), StoreError> {
        for batch in self.orphans()? {
            remove(&[batch], disk)?;
        }
        let intents = self.root.join(INTENTS);
        for name in names_in(&intents)?.iter().filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "new")) {
            disk.remove_file(&intents.join(name))?;
        }
        let staging = self.root.join(STAGING);
        for name in names_in(&staging)? {
            let folder = staging.join(name);
            if !is_at_work(&folder)? {
                disk.remove_folder(&folder)?;
            }
        }
        Ok(())
    }

    /// Batches that have some file and none in `executions`. Only under the lock is that sure to be nobody's commit.
    pub(super) fn orphans(&self) -> Result<BTreeSet<Batch>, StoreError> {
        let mut known: HashSet<Batch> = HashSet::new();
        for day in self.days_of(EXECUTIONS.name)? {
            known.extend(self.batches_of(EXECUTIONS.name, day)?);
        }
        let mut orphans = BTreeSet::new();
        for table in [VISITS.name, ATTEMPTS.name, EVENTS.name, SUMS] {
            for day in self.days_of(table)? {
                orphans.extend(self.batches_of(table, day)?.into_iter().filter(|batch| !known.contains(batch)));
            }
        }
        Ok(orphans)
    }
}

/// Whether somebody holds the lock of a writer's folder.
fn is_at_work(folder: &Path) -> Result<bool, StoreError> {
    let path = folder.join("lock");
    let Ok(file) = File::open(&path) else { return Ok(false) };
    match file.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(StoreError::io(&path, "locked", error)),
    }
}

/// Makes new batches visible and old ones disappear, at one instant.
///
/// When it fails before that instant, nothing has happened: what was begun is undone here, or by the next writer.
pub(super) fn commit(new: &[Staged], dead: &[Batch], _locked: &Locked, disk: &Disk) -> Result<(), StoreError> {
    let Some(leader) = new.last() else { return remove(dead, disk) };
    let root = &leader.batch.root;
    let intent = Intent { leader: leader.batch.clone(), new: new.iter().map(|staged| staged.batch.clone()).collect(), dead: dead.to_vec() };
    let needs_intent = new.len() > 1 || !dead.is_empty();
    let happen = || {
        if needs_intent {
            announce(&intent, root, disk)?;
        }
        put_in_place(new, disk)
    };
    if let Err(error) = happen() {
        if !leader.batch.executions().exists() {
            // What can't be undone now is undone by the next writer; the first error is the one to tell.
            let undone = remove(&intent.new, disk);
            let _ = if needs_intent { undone.and_then(|()| forget(&intent, disk)) } else { undone };
        }
        return Err(error);
    }
    if needs_intent {
        remove(dead, disk)?;
        forget(&intent, disk)?;
    }
    for staged in new {
        disk.remove_folder(&staged.folder)?;
    }
    Ok(())
}

fn announce(intent: &Intent, root: &Path, disk: &Disk) -> Result<(), StoreError> {
    let folder = root.join(INTENTS);
    disk.create_folder(&folder)?;
    let unfinished = intent.path().with_extension("new");
    disk.write(&unfinished, &intent.text())?;
    disk.rename(&unfinished, &intent.path())?;
    disk.sync_folder(&folder)
}

/// Renames all files of all batches; the last one's `executions` at the very end.
fn put_in_place(new: &[Staged], disk: &Disk) -> Result<(), StoreError> {
    let moves: Vec<_> = new.iter().map(Staged::moves).collect();
    let folders: BTreeSet<&Path> = moves.iter().flatten().filter_map(|(_, to)| to.parent()).collect();
    for folder in &folders {
        disk.create_folder(folder)?;
    }
    rename_all(moves.iter().flat_map(|[others @ .., _]| others), disk)?;
    let Some(([.., leader], followers)) = moves.split_last() else { return Ok(()) };
    rename_all(followers.iter().map(|[.., executions]| executions), disk)?;
    rename_all(std::iter::once(leader), disk)
}

/// Renames, then waits until the new names are on the disk.
fn rename_all<'m>(moves: impl Iterator<Item = &'m (PathBuf, PathBuf)>, disk: &Disk) -> Result<(), StoreError> {
    let mut touched = BTreeSet::new();
    for (from, to) in moves {
        disk.rename(from, to)?;
        touched.extend(to.parent());
    }
    touched.into_iter().try_for_each(|folder| disk.sync_folder(folder))
}

/// Removes batches: `executions` first, so that no half of one is ever visible.
pub(super) fn remove(batches: &[Batch], disk: &Disk) -> Result<(), StoreError> {
    remove_files(batches.iter().map(Batch::executions), disk)?;
    remove_files(batches.iter().flat_map(|batch| [batch.visits(), batch.attempts(), batch.events(), batch.checksums()]), disk)
}

/// Removes files, and folders that are empty then; waits until that is on the disk.
fn remove_files(paths: impl Iterator<Item = PathBuf>, disk: &Disk) -> Result<(), StoreError> {
    let mut touched = BTreeSet::new();
    for path in paths {
        if disk.remove_file(&path)? {
            touched.extend(path.parent().map(Path::to_owned));
        }
    }
    for folder in touched {
        disk.sync_folder(&folder)?;
        disk.remove_if_empty(&folder)?;
    }
    Ok(())
}

/// Forgets what a commit was about to replace. An intent that came back after a later commit would undo what it must not.
fn forget(intent: &Intent, disk: &Disk) -> Result<(), StoreError> {
    let path = intent.path();
    disk.remove_file(&path)?;
    disk.sync_folder(path.parent().unwrap_or(&path))
}

#[cfg(test)]
mod tests;

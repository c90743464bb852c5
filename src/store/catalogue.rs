//! A store and which batches it has.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::{At, StoreError};
use super::intent::Intent;
use super::layout::{Batch, BatchName, DAMAGED, Day, INTENTS, LOCK, MARKER, REJECTED, STAGING, SUMS, VERSION};
use super::schema::EXECUTIONS;

/// How often the folders are read until two readings in a row are alike.
const LISTINGS: usize = 1000;

/// A folder that holds tables.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) root: Arc<Path>,
}

/// What the marker says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) format: String,
    pub(super) version: u32,
}

impl Marker {
    const FORMAT: &'static str = "stepscope-store";

    pub(super) fn current() -> Self {
        Self { format: Self::FORMAT.to_owned(), version: VERSION }
    }
}

impl Store {
    /// Opens a store to read it. Fails for a folder that is none, and for a store of a later version.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        if let Some(store) = Self::recognise(folder)? {
            return Ok(store);
        }
        let is_empty = others_files(folder)?.is_none_or(|others| others.is_empty());
        let folder = folder.to_owned();
        // Somebody may have made it while we looked.
        match Self::recognise(&folder)? {
            Some(store) => Ok(store),
            None if is_empty => Err(StoreError::NoStore { folder }),
            None => Err(StoreError::NotAStore { folder }),
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `None` for a folder without a marker.
    pub(super) fn recognise(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(MARKER);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(StoreError::io(&path, "read", error)),
        };
        let marker: Marker =
            serde_json::from_str(&text).map_err(|error| StoreError::Unreadable { file: path.clone(), reason: error.to_string() })?;
        if marker.format != Marker::FORMAT {
            return Err(StoreError::NotAStore { folder: folder.to_owned() });
        }
        if marker.version > VERSION {
            return Err(StoreError::LaterStore { folder: folder.to_owned(), found: marker.version, known: VERSION });
        }
        Ok(Some(Self { root: folder.into() }))
    }

    /// The batches of these days, or of all, by day and time; those without a day always.
    ///
    /// They are there together: nothing is missing, or there twice, because of what is committed meanwhile. A file that is gone when it
    /// is opened was replaced since ([`StoreError::is_vanished`]): ask again.
    pub fn batches(&self, days: Option<&RangeInclusive<Day>>) -> Result<Vec<Batch>, StoreError> {
        let mut earlier = self.look(days)?;
        for _ in 0..LISTINGS {
            let now = self.look(days)?;
            if now == earlier {
                break;
            }
            earlier = now;
        }
        Ok(earlier.visible().cloned().collect())
    }

    /// What is there at the moment, or while it is being changed: see [`Sight::visible`].
    pub(super) fn look(&self, days: Option<&RangeInclusive<Day>>) -> Result<Sight, StoreError> {
        let mut sight = Sight { batches: BTreeSet::new(), intents: Vec::new() };
        for day in self.days_of(EXECUTIONS.name)? {
            if days.is_none_or(|days| days.contains(&day) || day == Day::Unknown) {
                sight.batches.extend(self.batches_of(EXECUTIONS.name, day)?);
            }
        }
        // Read after the folders: an intent is written before anything that it speaks of is changed, and removed after.
        sight.intents = self.intents()?;
        Ok(sight)
    }

    /// The days that a table has folders for, in order.
    pub(super) fn days_of(&self, table: &str) -> Result<BTreeSet<Day>, StoreError> {
        let names = names_in(&self.root.join(table))?;
        Ok(names.iter().filter_map(|name| Day::from_folder(name)).collect())
    }

    /// The batches that have a file in this table on this day; not all of them need be visible.
    pub(super) fn batches_of(&self, table: &str, day: Day) -> Result<Vec<Batch>, StoreError> {
        let names = names_in(&self.root.join(table).join(day.folder()))?;
        let batches = names.iter().filter_map(|name| BatchName::from_file(name));
        Ok(batches.map(|name| self.batch(day, name)).collect())
    }

    pub(super) fn batch(&self, day: Day, name: BatchName) -> Batch {
        Batch { day, name, root: Arc::clone(&self.root) }
    }

    /// What is being replaced, or was when somebody was interrupted.
    pub(super) fn intents(&self) -> Result<Vec<Intent>, StoreError> {
        let folder = self.root.join(INTENTS);
        let mut names: Vec<String> =
            names_in(&folder)?.into_iter().filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "json")).collect();
        names.sort();
        let read = names.iter().map(|name| Intent::read(&self.root, &folder.join(name)));
        // One that is gone by now is done.
        read.filter(|intent| !intent.as_ref().is_err_and(StoreError::is_vanished)).collect()
    }
}

/// What one look at the folders saw.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// By day and name.
    pub(super) batches: BTreeSet<Batch>,
    pub(super) intents: Vec<Intent>,
}

impl Sight {
    /// The batches that count. An intent whose leader is there has happened: what it replaces is dead. One whose leader is not there
    /// has not: what it adds does not count yet.
    pub(super) fn visible(&self) -> impl Iterator<Item = &Batch> {
        let mut hidden = HashSet::new();
        for intent in &self.intents {
            let has_happened = self.batches.contains(&intent.leader);
            hidden.extend(if has_happened { &intent.dead } else { &intent.new });
        }
        self.batches.iter().filter(move |batch| !hidden.contains(batch))
    }
}

/// The names in a folder; none for a folder that is not there.
pub(super) fn names_in(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io(folder, "listed", error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.at("listed", folder)?.file_name().into_string());
    }
    Ok(names)
}

/// What stands in a folder and is none of a store's beginnings; `None` where there is no folder.
pub(super) fn others_files(folder: &Path) -> Result<Option<Vec<PathBuf>>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io(folder, "listed", error)),
    };
    let mut others = Vec::new();
    for entry in entries {
        let entry = entry.at("listed", folder)?;
        let name = entry.file_name();
        let ours = |own: &str| name.to_str().is_some_and(|name| name == own || name.starts_with(MARKER));
        if ![LOCK, STAGING, INTENTS, SUMS, REJECTED, DAMAGED].into_iter().any(ours) {
            others.push(entry.path());
        }
    }
    Ok(Some(others))
}

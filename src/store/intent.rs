//! What a commit replaces, written down before it happens.
//!
//! A commit of several batches, or one that replaces others, can't be one rename. So it says beforehand, in `.replaced/<leader>.json`,
//! which batches it adds and which die with it; its leader's `executions` file is renamed last, and at that instant all of it has
//! happened.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{At, StoreError};
use super::layout::{Batch, BatchName, Day, INTENTS};

/// What a commit adds and replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Intent {
    /// One of `new`: when it is there, the commit has happened.
    pub(super) leader: Batch,
    /// What is added.
    pub(super) new: Vec<Batch>,
    /// What is replaced.
    pub(super) dead: Vec<Batch>,
}

/// As the file has it.
#[derive(Serialize, Deserialize)]
struct Document {
    new: Vec<Entry>,
    dead: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    day: String,
    batch: String,
}

impl Intent {
    /// Where it stands.
    pub(super) fn path(&self) -> PathBuf {
        self.leader.root.join(INTENTS).join(format!("{}.json", self.leader.name))
    }

    /// What the file holds.
    pub(super) fn text(&self) -> String {
        let entries = |batches: &[Batch]| {
            batches.iter().map(|batch| Entry { day: batch.day.to_string(), batch: batch.name.to_string() }).collect::<Vec<_>>()
        };
        let document = Document { new: entries(&self.new), dead: entries(&self.dead) };
        serde_json::to_string(&document).unwrap_or_default() + "\n"
    }

    /// Reads one of the store at `root`.
    pub(super) fn read(root: &Path, path: &Path) -> Result<Self, StoreError> {
        let text = fs::read_to_string(path).at("read", path)?;
        let damaged = |reason: &str| StoreError::Unreadable { file: path.to_owned(), reason: reason.to_owned() };
        let document: Document = serde_json::from_str(&text).map_err(|error| damaged(&error.to_string()))?;
        let batches = |entries: &[Entry]| -> Option<Vec<Batch>> {
            let batch = |entry: &Entry| {
                let day = Day::from_folder(&format!("{}={}", super::schema::DAY, entry.day))?;
                Some(Batch { day, name: BatchName::parse(&entry.batch)?, root: root.into() })
            };
            entries.iter().map(batch).collect()
        };
        let (new, dead) = batches(&document.new).zip(batches(&document.dead)).ok_or_else(|| damaged("it names no batch"))?;
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let leader = new.iter().find(|batch| batch.name.as_str() == name).cloned();
        Ok(Self { leader: leader.ok_or_else(|| damaged("it does not name its own batch"))?, new, dead })
    }
}

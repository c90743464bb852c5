//! Whether every file of a store is what was written there.
//!
//! Each file is compared with its SHA-256 sum and read to its end. What a writer is committing meanwhile is no finding: the list of files
//! is made under the store's lock, and a batch that is gone when its turn comes was replaced.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::store::catalogue::names_in;
use crate::store::commit::checksum;
use crate::store::decode::verify_batch;
use crate::store::disk::Disk;
use crate::store::error::At;
use crate::store::layout::{Batch, BatchName, DAMAGED};
use crate::store::schema::TABLES;
use crate::store::{Store, StoreError};

/// The schema of [`VerifyReport`].
const SCHEMA: &str = "stepscope.store.verify/1";

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Always `stepscope.store.verify/1`.
    pub schema: &'static str,
    /// The store's folder.
    pub store: String,
    /// Batches that were looked at.
    pub batches: u64,
    /// Their files.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// How many batches are damaged.
    pub damaged: u64,
    /// How many of them were set aside.
    pub set_aside: u64,
    /// In the order of their files.
    pub findings: Vec<Finding>,
}

/// A file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file, in the store's folder.
    pub file: String,
    /// Its day, as the partition is called.
    pub day: String,
    /// What kind of finding.
    pub kind: FindingKind,
    /// What is wrong with it.
    pub reason: String,
}

/// What kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The file is not what was written there.
    Damaged,
    /// The file is not there, and others of its batch are.
    Missing,
    /// Left behind by an interrupted writer; the next one removes it.
    Orphan,
    /// Not written by this program; other engines may take it for a part of the table.
    Foreign,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Damaged, Self::Missing, Self::Orphan, Self::Foreign];

    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Missing => "missing",
            Self::Orphan => "orphan",
            Self::Foreign => "foreign",
        }
    }
}

/// What the threads that look have found.
#[derive(Default)]
struct Found {
    findings: BTreeSet<Finding>,
    damaged: BTreeSet<Batch>,
    batches: u64,
    files: u64,
    bytes: u64,
}

impl Store {
    /// Reads every file to its end, on so many threads. With `set_aside` damaged batches are moved to `.damaged`, so that their
    /// executions can be ingested again.
    pub fn verify(&self, threads: usize, set_aside: bool) -> Result<VerifyReport, StoreError> {
        let (batches, orphans) = self.listed()?;
        let mut found = Found { findings: self.foreign()?, ..Found::default() };
        for batch in orphans {
            let reason = "an interrupted writer left it; the next `ingest` removes it";
            let files = TABLES.into_iter().map(|table| batch.file(table)).filter(|file| file.exists());
            found.findings.extend(files.map(|file| self.finding(&batch, &file, FindingKind::Orphan, reason)));
        }
        let found = Mutex::new(found);
        let next = AtomicUsize::new(0);
        let look = || {
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.look_at(batch, &found)?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(look)).collect();
            let mut done = vec![look()];
            done.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))));
            done.into_iter().collect::<Result<(), StoreError>>()
        })?;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        if set_aside {
            self.set_aside(&found.damaged)?;
        }
        let damaged = found.damaged.len() as u64;
        Ok(VerifyReport {
            schema: SCHEMA,
            store: self.root().display().to_string(),
            batches: found.batches,
            files: found.files,
            bytes: found.bytes,
            damaged,
            set_aside: if set_aside { damaged } else { 0 },
            findings: found.findings.into_iter().collect(),
        })
    }

    /// What is there when nobody commits; on a medium that can't be written, nobody does.
    fn listed(&self) -> Result<(Vec<Batch>, BTreeSet<Batch>), StoreError> {
        let _locked = self.lock().ok();
        Ok((self.batches(None)?, self.orphans()?))
    }

    fn look_at(&self, batch: &Batch, found: &Mutex<Found>) -> Result<(), StoreError> {
        let findings = self.findings_of(batch)?;
        if !findings.is_empty() && !self.look(None)?.visible().any(|there| there == batch) {
            return Ok(());
        }
        let sizes = TABLES.into_iter().filter_map(|table| fs::metadata(batch.file(table)).ok()).map(|about| about.len());
        let sizes: Vec<u64> = sizes.collect();
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.batches += 1;
        found.files += sizes.len() as u64;
        found.bytes += sizes.iter().sum::<u64>();
        if !findings.is_empty() {
            found.damaged.insert(batch.clone());
        }
        found.findings.extend(findings);
        Ok(())
    }

    fn findings_of(&self, batch: &Batch) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        let sums = fs::read_to_string(batch.checksums()).unwrap_or_default();
        for table in TABLES {
            let path = batch.file(table);
            let name = self.inside(&path);
            if !path.exists() {
                findings.push(self.finding(batch, &path, FindingKind::Missing, "the file is not there"));
                continue;
            }
            if !path.is_file() {
                findings.push(self.finding(batch, &path, FindingKind::Damaged, "it is no file"));
                continue;
            }
            match sums.lines().filter_map(|line| line.split_once("  ")).find(|(_, file)| *file == name) {
                Some((expected, _)) if checksum(&path)? != expected => {
                    findings.push(self.finding(batch, &path, FindingKind::Damaged, "its SHA-256 sum is not the one that was written down"));
                }
                None if !sums.is_empty() => {
                    let reason = format!("it lacks the sum of {name}");
                    findings.push(self.finding(batch, &batch.checksums(), FindingKind::Damaged, &reason));
                }
                _ => {}
            }
        }
        if sums.is_empty() {
            let reason = "the sums of the batch are not there";
            findings.push(self.finding(batch, &batch.checksums(), FindingKind::Missing, reason));
        }
        if findings.is_empty()
            && let Err(error) = verify_batch(&batch.paths())
        {
            let (file, reason) = match &error {
                StoreError::Damaged { file, reason, .. } => (file.clone(), reason.clone()),
                error => (batch.executions(), error.to_string()),
            };
            findings.push(self.finding(batch, &file, FindingKind::Damaged, &reason));
        }
        Ok(findings)
    }

    fn finding(&self, batch: &Batch, file: &Path, kind: FindingKind, reason: &str) -> Finding {
        Finding { file: self.inside(file), day: batch.day.to_string(), kind, reason: reason.to_owned() }
    }

    fn inside(&self, path: &Path) -> String {
        path.strip_prefix(&*self.root).unwrap_or(path).display().to_string()
    }

    /// Files in the folders of days that no writer of ours has put there.
    fn foreign(&self) -> Result<BTreeSet<Finding>, StoreError> {
        let mut findings = BTreeSet::new();
        for table in TABLES {
            for day in self.days_of(table.name)? {
                let folder = self.root.join(table.name).join(day.folder());
                for name in names_in(&folder)? {
                    // Engines pass over names that begin like this.
                    if BatchName::from_file(&name).is_none() && !name.starts_with(['.', '_']) {
                        let reason = "no batch of stepscope; other engines take it for a part of the table".to_owned();
                        let file = self.inside(&folder.join(name));
                        findings.insert(Finding { file, day: day.to_string(), kind: FindingKind::Foreign, reason });
                    }
                }
            }
        }
        Ok(findings)
    }

    /// Moves the files of batches out of the tables, `executions` first.
    fn set_aside(&self, batches: &BTreeSet<Batch>) -> Result<(), StoreError> {
        if batches.is_empty() {
            return Ok(());
        }
        let disk = Disk::default();
        let _locked = self.lock_settled(&disk)?;
        for batch in batches {
            for path in [batch.executions(), batch.visits(), batch.attempts(), batch.events(), batch.checksums()] {
                let target = self.root.join(DAMAGED).join(path.strip_prefix(&*self.root).unwrap_or(&path));
                if let (true, Some(folder)) = (path.exists(), target.parent()) {
                    fs::create_dir_all(folder).at("created", folder)?;
                    disk.rename(&path, &target)?;
                }
            }
        }
        Ok(())
    }
}

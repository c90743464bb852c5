//! What is in a store.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{bytes_of, until_settled};
use crate::model::facts::Needs;
use crate::model::{Completeness, ExecutionStatus, Micros};
use crate::store::decode::facts_of_batch;
use crate::store::decode::file::TableReader;
use crate::store::schema::TABLES;
use crate::store::{Store, StoreError};

/// The schema of [`InfoReport`].
const SCHEMA: &str = "stepscope.store.info/1";

/// What is in a store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InfoReport {
    /// Always `stepscope.store.info/1`.
    pub schema: &'static str,
    /// The store's folder.
    pub store: String,
    /// The version of its layout and its tables.
    pub version: u32,
    /// Executions.
    pub executions: u64,
    /// Of them, those that failed, timed out or were aborted.
    pub unsuccessful: u64,
    /// Of them, those that were not closed when they were read.
    pub open: u64,
    /// When the first one started.
    pub first_start: Option<Micros>,
    /// When the last one started.
    pub last_start: Option<Micros>,
    /// Bytes of all tables.
    pub bytes: u64,
    /// In the order in which they are described.
    pub tables: Vec<TableInfo>,
    /// By day.
    pub days: Vec<DayInfo>,
    /// By ARN; executions of which nothing names the state machine come last.
    pub machines: Vec<MachineInfo>,
    /// Files that can't be read, in words.
    pub damaged: Vec<String>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableInfo {
    /// Its name.
    pub table: &'static str,
    /// Rows.
    pub rows: u64,
    /// Files.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayInfo {
    /// As the partition is called.
    pub day: String,
    /// Batches.
    pub batches: u64,
    /// Executions.
    pub executions: u64,
    /// Bytes in all tables.
    pub bytes: u64,
}

/// One state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MachineInfo {
    /// Its ARN.
    pub state_machine: Option<String>,
    /// Executions.
    pub executions: u64,
    /// Of them, those that failed, timed out or were aborted.
    pub unsuccessful: u64,
    /// When the first one started.
    pub first_start: Option<Micros>,
    /// When the last one started.
    pub last_start: Option<Micros>,
    /// Versions by which it was started.
    pub versions: BTreeSet<String>,
}

#[derive(Default)]
struct Machine {
    executions: u64,
    unsuccessful: u64,
    open: u64,
    first: Option<Micros>,
    last: Option<Micros>,
    versions: BTreeSet<String>,
}

impl Store {
    /// Counts what is there. Reads the footers of all files, and a few columns of `executions`.
    pub fn info(&self) -> Result<InfoReport, StoreError> {
        until_settled(|| self.count())
    }

    fn count(&self) -> Result<InfoReport, StoreError> {
        let mut tables = TABLES.map(|table| TableInfo { table: table.name, rows: 0, files: 0, bytes: 0 });
        let mut days: BTreeMap<_, DayInfo> = BTreeMap::new();
        let mut machines: BTreeMap<(bool, Option<String>), Machine> = BTreeMap::new();
        let mut damaged = Vec::new();
        for batch in self.batches(None)? {
            let day = days.entry(batch.day).or_insert_with(|| DayInfo { day: batch.day.to_string(), batches: 0, executions: 0, bytes: 0 });
            day.batches += 1;
            day.bytes += bytes_of(&batch).or_else(|error| if error.is_vanished() { Ok(0) } else { Err(error) })?;
            for (table, info) in TABLES.into_iter().zip(&mut tables) {
                let path = batch.file(table);
                info.files += 1;
                info.bytes += path.metadata().map_or(0, |about| about.len());
                match TableReader::open(&path, table) {
                    Ok(file) => info.rows += file.rows() as u64,
                    Err(error) if error.is_vanished() && !batch.executions().exists() => return Err(error),
                    Err(error) => damaged.push(error.to_string()),
                }
            }
            let known = facts_of_batch(&batch.paths(), Needs::default(), &mut |facts| {
                day.executions += 1;
                let name = (facts.state_machine.is_none(), facts.state_machine.map(str::to_owned));
                let machine = machines.entry(name).or_default();
                machine.executions += 1;
                machine.unsuccessful += u64::from(facts.status.is_some_and(ExecutionStatus::is_unsuccessful));
                machine.open += u64::from(Completeness::of(facts).is_open());
                machine.first = [machine.first, facts.start].into_iter().flatten().min();
                machine.last = machine.last.max(facts.start);
                if let Some(version) = facts.version.filter(|version| !machine.versions.contains(*version)) {
                    machine.versions.insert(version.to_owned());
                }
            });
            match known {
                Err(error) if error.is_vanished() && !batch.executions().exists() => return Err(error),
                Err(error) => damaged.push(error.to_string()),
                Ok(()) => {}
            }
        }
        damaged.dedup();
        let sum = |count: fn(&Machine) -> u64| machines.values().map(count).sum();
        Ok(InfoReport {
            schema: SCHEMA,
            store: self.root().display().to_string(),
            version: crate::store::layout::VERSION,
            executions: sum(|machine| machine.executions),
            unsuccessful: sum(|machine| machine.unsuccessful),
            open: sum(|machine| machine.open),
            first_start: machines.values().filter_map(|machine| machine.first).min(),
            last_start: machines.values().filter_map(|machine| machine.last).max(),
            bytes: tables.iter().map(|table| table.bytes).sum(),
            tables: tables.into(),
            days: days.into_values().collect(),
            machines: machines.into_iter().map(|((_, name), machine)| machine.told(name)).collect(),
            damaged,
        })
    }
}

impl Machine {
    fn told(self, state_machine: Option<String>) -> MachineInfo {
        let Self { executions, unsuccessful, first, last, versions, .. } = self;
        MachineInfo { state_machine, executions, unsuccessful, first_start: first, last_start: last, versions }
    }
}

//! What `pull` knows besides the tables: which listings are read how far, which executions are wanted, which histories are fetched and
//! not in a batch yet, and which definition was in force when. SQLite, in the store's folder.
//!
//! Apart from the tables because it changes: whatever a pull learns stands here before the next call is made, so that one which is killed
//! loses the calls in flight and no others. A run is one account and region with one selection; its rows go when it is done. Definitions
//! stay, since the calls that tell them are the scarcest.
//!
//! | state of an execution | means                                                        |
//! |-----------------------|--------------------------------------------------------------|
//! | wanted                | is to be fetched                                             |
//! | taken                 | is being fetched; wanted again when the process is gone      |
//! | fetched               | its history stands here                                      |
//! | new, replaced, unchanged | it is in the tables                                       |
//! | postponed             | could not be fetched this time; wanted again in the next pull |
//! | gone                  | can't be fetched, and never will be                          |
//! | left out              | not wanted after all: the limit was reached                  |

mod definitions;
mod executions;
mod histories;
mod logs;
mod runs;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::{Store, StoreError};
use crate::model::Micros;

pub use definitions::{DefinitionId, InForce, Stretch};
pub use executions::{Found, FoundId, Problem, State, Tally};
pub use histories::Fetched;
pub use runs::{ListingRow, Run, RunId};

/// Its file in the store's folder.
const FILE: &str = "ledger.sqlite";

/// The version of the tables below.
const VERSION: i64 = 1;

/// How long to wait for another process that writes.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, selection TEXT NOT NULL,
    since INTEGER NOT NULL, until INTEGER NOT NULL, started INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS listings (
    run INTEGER NOT NULL, machine TEXT NOT NULL, status TEXT NOT NULL, token TEXT, done INTEGER NOT NULL DEFAULT 0, problem TEXT,
    PRIMARY KEY (run, machine, status)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS executions (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL, arn TEXT NOT NULL, machine TEXT NOT NULL, status TEXT, start INTEGER, stop INTEGER,
    redrives INTEGER NOT NULL, version TEXT, alias TEXT, map_run TEXT, rank INTEGER NOT NULL, was_known INTEGER NOT NULL,
    state INTEGER NOT NULL, problem TEXT, UNIQUE (run, arn));
CREATE INDEX IF NOT EXISTS executions_by_turn ON executions (run, state, rank, start);
CREATE INDEX IF NOT EXISTS executions_by_machine ON executions (run, machine, start);
CREATE TABLE IF NOT EXISTS counts (
    run INTEGER NOT NULL, machine TEXT NOT NULL, status TEXT NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (run, machine, status, what)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS histories (
    id INTEGER PRIMARY KEY, execution INTEGER, arn TEXT NOT NULL, machine TEXT NOT NULL, start INTEGER, version TEXT,
    bundle BLOB NOT NULL, gaps TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS definitions (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS stretches (
    machine TEXT NOT NULL, since INTEGER NOT NULL, seen INTEGER NOT NULL, created INTEGER NOT NULL, definition INTEGER NOT NULL,
    PRIMARY KEY (machine, since)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pace (id INTEGER PRIMARY KEY CHECK (id = 1), levels TEXT NOT NULL, kept INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS log_stretches (
    machine TEXT NOT NULL, log_group TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, kept BLOB NOT NULL,
    PRIMARY KEY (machine, log_group, since)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS exact (arn TEXT PRIMARY KEY, definition INTEGER NOT NULL) WITHOUT ROWID;
";

/// What pulls write down.
pub struct Ledger {
    connection: Connection,
    file: PathBuf,
}

impl Store {
    /// The ledger of this store; it is made when there is none.
    pub fn ledger(&self) -> Result<Ledger, StoreError> {
        Ledger::open(&self.root().join(FILE))
    }
}

impl Ledger {
    fn open(file: &Path) -> Result<Self, StoreError> {
        let failed = |error: rusqlite::Error| failure(file, &error);
        let connection = Connection::open(file).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        // What is written survives the end of the process at once, and the end of the machine a little later.
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;").map_err(failed)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        if version > VERSION {
            let known = u32::try_from(VERSION).unwrap_or(u32::MAX);
            return Err(StoreError::LaterStore { folder: file.to_owned(), found: u32::try_from(version).unwrap_or(u32::MAX), known });
        }
        connection.execute_batch(TABLES).map_err(failed)?;
        connection.pragma_update(None, "user_version", VERSION).map_err(failed)?;
        Ok(Self { connection, file: file.to_owned() })
    }

    /// How full the buckets of quotas were, and when that was; in the words of whoever kept them.
    pub fn pace(&self) -> Result<Option<(String, Micros)>, StoreError> {
        self.ask(|connection| {
            connection.query_row("SELECT levels, kept FROM pace", [], |row| Ok((row.get(0)?, Micros(row.get(1)?)))).optional()
        })
    }

    /// See [`Ledger::pace`].
    pub fn keep_pace(&self, levels: &str, now: Micros) -> Result<(), StoreError> {
        self.change(|connection| {
            connection.execute("INSERT OR REPLACE INTO pace (id, levels, kept) VALUES (1, ?1, ?2)", params![levels, now.0])?;
            Ok(())
        })
    }

    /// All of the changes, or none of them.
    fn change<T>(&self, change: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let run = || {
            let transaction = self.connection.unchecked_transaction()?;
            let done = change(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        run().map_err(|error| failure(&self.file, &error))
    }

    fn ask<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        ask(&self.connection).map_err(|error| failure(&self.file, &error))
    }
}

fn failure(file: &Path, error: &rusqlite::Error) -> StoreError {
    let reason = std::io::Error::other(error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::DiskFull { file: file.to_owned(), reason },
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::UnreadableLedger { file: file.to_owned(), reason: error.to_string() }
        }
        Some(ErrorCode::CannotOpen) => StoreError::Io { file: file.to_owned(), doing: "opened", reason },
        _ => StoreError::Io { file: file.to_owned(), doing: "written", reason },
    }
}

#[cfg(test)]
mod tests;

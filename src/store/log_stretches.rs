//! Which stretches of a state machine's logs were read, and the records of executions that were open at their ends.
//!
//! In the ledger's file, in a table of its own: a stretch outlives the run that read it, so that the next one reads what is new.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::{Store, StoreError};
use crate::model::Micros;

/// The ledger's file in the store's folder.
const FILE: &str = "ledger.sqlite";

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(30);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS log_stretches (
    machine TEXT NOT NULL, log_group TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, kept BLOB NOT NULL,
    PRIMARY KEY (machine, log_group, since)) WITHOUT ROWID;";

/// The stretches that were read.
pub struct LogStretches {
    connection: Connection,
    file: PathBuf,
}

impl Store {
    /// The stretches of logs that were read into this store.
    pub fn log_stretches(&self) -> Result<LogStretches, StoreError> {
        let file = self.root().join(FILE);
        let open = || {
            let connection = Connection::open(&file)?;
            connection.busy_timeout(PATIENCE)?;
            connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
            connection.execute_batch(TABLE)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| failure(&file, &error))?;
        Ok(LogStretches { connection, file })
    }
}

impl LogStretches {
    /// The stretches of a machine's logs in one group: since and until, disjoint, in order.
    pub fn of(&self, machine: &str, group: &str) -> Result<Vec<(Micros, Micros)>, StoreError> {
        let find = "SELECT since, until FROM log_stretches WHERE machine = ?1 AND log_group = ?2 ORDER BY since";
        self.run(|connection| {
            let mut statement = connection.prepare(find)?;
            let rows = statement.query_map(params![machine, group], |row| Ok((Micros(row.get(0)?), Micros(row.get(1)?))))?;
            rows.collect()
        })
    }

    /// The records that were kept where a stretch ends, as they were given.
    pub fn kept(&self, machine: &str, group: &str, until: Micros) -> Result<Option<Vec<u8>>, StoreError> {
        let find = "SELECT kept FROM log_stretches WHERE machine = ?1 AND log_group = ?2 AND until = ?3";
        self.run(|connection| connection.prepare(find)?.query_row(params![machine, group, until.0], |row| row.get(0)).optional())
    }

    /// A stretch was read, and the records of what was open at its end are to be kept. It joins the one that ends where it begins, and the
    /// one that begins where it ends.
    pub fn add(&self, machine: &str, group: &str, (since, until): (Micros, Micros), kept: &[u8]) -> Result<(), StoreError> {
        self.run(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let before = "SELECT since FROM log_stretches WHERE machine = ?1 AND log_group = ?2 AND until >= ?3 AND since <= ?3";
            let since: Option<i64> =
                transaction.query_row(before, params![machine, group, since.0], |row| row.get(0)).optional()?.or(Some(since.0));
            let after = "SELECT until, kept FROM log_stretches WHERE machine = ?1 AND log_group = ?2 AND since = ?3";
            let after: Option<(i64, Vec<u8>)> =
                transaction.query_row(after, params![machine, group, until.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let (until, kept) = after.as_ref().map_or((until.0, kept), |(until, kept)| (*until, kept.as_slice()));
            let within = "DELETE FROM log_stretches WHERE machine = ?1 AND log_group = ?2 AND since >= ?3 AND until <= ?4";
            transaction.execute(within, params![machine, group, since, until])?;
            let insert = "INSERT INTO log_stretches (machine, log_group, since, until, kept) VALUES (?1, ?2, ?3, ?4, ?5)";
            transaction.execute(insert, params![machine, group, since, until, kept])?;
            transaction.commit()
        })
    }

    /// Forgets what was read of a machine's logs, so that it is read again.
    pub fn forget(&self, machine: &str, group: &str) -> Result<(), StoreError> {
        self.run(|connection| {
            connection.execute("DELETE FROM log_stretches WHERE machine = ?1 AND log_group = ?2", params![machine, group]).map(drop)
        })
    }

    fn run<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        run(&self.connection).map_err(|error| failure(&self.file, &error))
    }
}

fn failure(file: &Path, error: &rusqlite::Error) -> StoreError {
    let reason = std::io::Error::other(error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::DiskFull { file: file.to_owned(), reason },
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::Unreadable { file: file.to_owned(), reason: error.to_string() }
        }
        _ => StoreError::Io { file: file.to_owned(), doing: "written", reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";

    fn in_a_store(story: impl FnOnce(&LogStretches)) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::create_or_open(folder.path()).expect("a store");
        story(&store.log_stretches().expect("a file"));
    }

    fn add(stretches: &LogStretches, since: i64, until: i64, kept: &[u8]) -> Vec<(i64, i64)> {
        stretches.add(MACHINE, "g", (Micros(since), Micros(until)), kept).expect("written");
        all(stretches)
    }

    fn all(stretches: &LogStretches) -> Vec<(i64, i64)> {
        stretches.of(MACHINE, "g").expect("read").into_iter().map(|(since, until)| (since.0, until.0)).collect()
    }

    #[test]
    fn a_stretch_grows_slice_by_slice_and_joins_its_neighbours() {
        in_a_store(|stretches| {
            assert_eq!(add(stretches, 10, 20, b"a"), [(10, 20)]);
            assert_eq!(add(stretches, 20, 30, b"b"), [(10, 30)]);
            assert_eq!(add(stretches, 50, 60, b"c"), [(10, 30), (50, 60)]);
            assert_eq!(stretches.kept(MACHINE, "g", Micros(30)).expect("read").as_deref(), Some(&b"b"[..]));
            assert_eq!(stretches.kept(MACHINE, "g", Micros(20)).expect("read"), None);
            assert_eq!(add(stretches, 30, 50, b"d"), [(10, 60)]);
            assert_eq!(
                stretches.kept(MACHINE, "g", Micros(60)).expect("read").as_deref(),
                Some(&b"c"[..]),
                "what was kept at the later end stays"
            );
        });
    }

    #[test]
    fn groups_and_machines_are_apart_and_can_be_forgotten() {
        in_a_store(|stretches| {
            add(stretches, 10, 20, b"a");
            assert_eq!(stretches.of(MACHINE, "other").expect("read"), []);
            assert_eq!(stretches.of("other", "g").expect("read"), []);
            stretches.forget(MACHINE, "g").expect("written");
            assert_eq!(all(stretches), []);
        });
    }
}

//! Runs of `pull`, and how far their listings are read.

use rusqlite::{OptionalExtension, named_params, params};

use super::Ledger;
use crate::model::Micros;
use crate::store::StoreError;

/// One of the runs in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunId(pub(super) i64);

/// One account and region with one selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// When the executions started that it looks for; the end does not belong to it.
    pub since: Micros,
    /// See `since`.
    pub until: Micros,
    /// When it began.
    pub started: Micros,
    /// Whether an earlier process began it.
    pub is_resumed: bool,
}

/// How far one listing is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingRow {
    /// The state machine.
    pub machine: String,
    /// The service's word for the status that it is of; empty for all.
    pub status: String,
    /// Of the next page; `None` for the first one.
    pub token: Option<String>,
    /// Whether it was read to its end, or is given up.
    pub is_done: bool,
    /// Why it was given up.
    pub problem: Option<String>,
}

impl Ledger {
    /// The unfinished run of this account and region with this selection that began no earlier than `not_before`, or a new one of this
    /// window. All others of the account and region are forgotten; what they fetched is kept.
    pub fn begin(
        &self,
        (account, region): (&str, &str),
        selection: &str,
        window: (Micros, Micros),
        now: Micros,
        not_before: Option<Micros>,
    ) -> Result<Run, StoreError> {
        self.change(|connection| {
            let find = "SELECT id, since, until, started FROM runs
                WHERE account = ?1 AND region = ?2 AND selection = ?3 AND started >= ?4 ORDER BY started DESC LIMIT 1";
            let known = match not_before {
                None => None,
                Some(not_before) => connection
                    .query_row(find, params![account, region, selection, not_before.0], |row| {
                        let (since, until, started) = (Micros(row.get(1)?), Micros(row.get(2)?), Micros(row.get(3)?));
                        Ok(Run { id: RunId(row.get(0)?), since, until, started, is_resumed: true })
                    })
                    .optional()?,
            };
            let run = if let Some(run) = known {
                run
            } else {
                let (since, until) = window;
                connection.execute(
                    "INSERT INTO runs (account, region, selection, since, until, started) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![account, region, selection, since.0, until.0, now.0],
                )?;
                Run { id: RunId(connection.last_insert_rowid()), since, until, started: now, is_resumed: false }
            };
            let others = "SELECT id FROM runs WHERE account = :account AND region = :region AND id <> :run";
            let names = named_params! { ":account": account, ":region": region, ":run": run.id.0 };
            for table in ["listings", "executions", "counts"] {
                connection.execute(&format!("DELETE FROM {table} WHERE run IN ({others})"), names)?;
            }
            connection.execute("DELETE FROM runs WHERE account = :account AND region = :region AND id <> :run", names)?;
            // What another process had in hand, or gave up for the moment.
            let again = "UPDATE executions SET state = 0, problem = NULL WHERE run = ?1 AND state IN (1, 6)";
            connection.execute(again, [run.id.0])?;
            connection.execute("UPDATE listings SET done = 0, problem = NULL WHERE run = ?1 AND problem IS NOT NULL", [run.id.0])?;
            Ok(run)
        })
    }

    /// Forgets a run: there is nothing left of it to do.
    pub fn end(&self, run: RunId) -> Result<(), StoreError> {
        self.change(|connection| {
            for table in ["listings", "executions", "counts"] {
                connection.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [run.0])?;
            }
            connection.execute("DELETE FROM runs WHERE id = ?1", [run.0])?;
            Ok(())
        })
    }

    /// The listings of a machine.
    pub fn listings(&self, run: RunId, machine: &str) -> Result<Vec<ListingRow>, StoreError> {
        self.ask(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT machine, status, token, done, problem FROM listings WHERE run = ?1 AND machine = ?2")?;
            let rows = statement.query_map(params![run.0, machine], |row| {
                let (machine, status, token) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(ListingRow { machine, status, token, is_done: row.get(3)?, problem: row.get(4)? })
            })?;
            rows.collect()
        })
    }

    /// The listings of this name that are not read to their end, by their machines. In order.
    pub fn unread(&self, run: RunId, status: &str) -> Result<Vec<String>, StoreError> {
        let ask = "SELECT machine FROM listings WHERE run = ?1 AND status = ?2 AND done = 0 ORDER BY machine";
        self.ask(|connection| connection.prepare_cached(ask)?.query_map(params![run.0, status], |row| row.get(0))?.collect())
    }

    /// Writes down how far a listing is read.
    pub fn set_listing(&self, run: RunId, listing: &ListingRow) -> Result<(), StoreError> {
        self.change(|connection| set_listing(connection, run, listing))
    }
}

pub(super) fn set_listing(connection: &rusqlite::Connection, run: RunId, listing: &ListingRow) -> rusqlite::Result<()> {
    let set = "INSERT OR REPLACE INTO listings (run, machine, status, token, done, problem) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let ListingRow { machine, status, token, is_done, problem } = listing;
    connection.prepare_cached(set)?.execute(params![run.0, machine, status, token, is_done, problem])?;
    Ok(())
}

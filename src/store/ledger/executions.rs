//! The executions of a run: found in listings, waiting for their turn, fetched, stored.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params};

use super::runs::set_listing;
use super::{Ledger, ListingRow, RunId};
use crate::model::{ExecutionStatus, Micros};
use crate::store::StoreError;

/// One of the executions in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FoundId(pub(super) i64);

/// What has become of an execution; the table stands at the head of the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the table stands at the head of the module")]
pub enum State {
    Wanted = 0,
    Taken = 1,
    Fetched = 2,
    New = 3,
    Replaced = 4,
    Unchanged = 5,
    Postponed = 6,
    Gone = 7,
    LeftOut = 8,
}

impl State {
    const ALL: [Self; 9] =
        [Self::Wanted, Self::Taken, Self::Fetched, Self::New, Self::Replaced, Self::Unchanged, Self::Postponed, Self::Gone, Self::LeftOut];

    fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as i64 == number)
    }
}

/// An execution as a listing has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct Found {
    pub arn: String,
    /// The state machine, without version and alias.
    pub machine: String,
    pub status: Option<ExecutionStatus>,
    pub start: Option<Micros>,
    pub stop: Option<Micros>,
    pub redrives: u64,
    pub version: Option<String>,
    pub alias: Option<String>,
    pub map_run: Option<String>,
    /// The lower, the earlier it is fetched; of equal ones the newest first.
    pub rank: u8,
    /// Whether the store has it, less complete.
    pub was_known: bool,
}

/// How many executions of a machine are where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By what has become of them.
    pub by_state: BTreeMap<State, u64>,
    /// Counts without rows, by their names.
    pub counts: BTreeMap<String, u64>,
}

impl Tally {
    /// How many are in this state.
    pub fn of(&self, state: State) -> u64 {
        self.by_state.get(&state).copied().unwrap_or(0)
    }

    /// Adds those of another listing.
    pub fn add(&mut self, other: &Self) {
        for (state, count) in &other.by_state {
            *self.by_state.entry(*state).or_default() += count;
        }
        for (name, count) in &other.counts {
            *self.counts.entry(name.clone()).or_default() += count;
        }
    }

    /// What was counted under this name.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }
}

/// Executions of a machine that were not fetched for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The state machine.
    pub machine: String,
    /// What has become of them.
    pub state: State,
    /// Why.
    pub reason: String,
    /// How many.
    pub executions: u64,
    /// The ARN of one of them.
    pub example: String,
}

const COLUMNS: &str = "id, arn, machine, status, start, stop, redrives, version, alias, map_run, rank, was_known";

fn found(row: &Row<'_>) -> rusqlite::Result<(FoundId, Found)> {
    let status: Option<String> = row.get(3)?;
    let (start, stop): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
    let found = Found {
        arn: row.get(1)?,
        machine: row.get(2)?,
        status: status.as_deref().and_then(ExecutionStatus::from_name),
        start: start.map(Micros),
        stop: stop.map(Micros),
        redrives: u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
        version: row.get(7)?,
        alias: row.get(8)?,
        map_run: row.get(9)?,
        rank: row.get(10)?,
        was_known: row.get(11)?,
    };
    Ok((FoundId(row.get(0)?), found))
}

impl Ledger {
    /// Takes in a page: what is wanted of it, what was counted of the rest, and where its listing goes on. Executions that the run knows
    /// already are passed over.
    pub fn add_page(&self, run: RunId, listing: &ListingRow, wanted: &[Found], counts: &[(&str, u64)]) -> Result<(), StoreError> {
        self.change(|connection| {
            let insert = "INSERT OR IGNORE INTO executions
                (run, arn, machine, status, start, stop, redrives, version, alias, map_run, rank, was_known, state)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0)";
            let mut insert = connection.prepare_cached(insert)?;
            for found in wanted {
                let redrives = i64::try_from(found.redrives).unwrap_or(i64::MAX);
                let (start, stop) = (found.start.map(|start| start.0), found.stop.map(|stop| stop.0));
                insert.execute(params![
                    run.0,
                    found.arn,
                    found.machine,
                    found.status.map(ExecutionStatus::name),
                    start,
                    stop,
                    redrives,
                    found.version,
                    found.alias,
                    found.map_run,
                    found.rank,
                    found.was_known
                ])?;
            }
            let add = "INSERT INTO counts (run, machine, status, what, count) VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT (run, machine, status, what) DO UPDATE SET count = count + excluded.count";
            let mut add = connection.prepare_cached(add)?;
            for (what, count) in counts.iter().filter(|(_, count)| *count > 0) {
                add.execute(params![run.0, listing.machine, listing.status, what, i64::try_from(*count).unwrap_or(i64::MAX)])?;
            }
            set_listing(connection, run, listing)
        })
    }

    /// Forgets what was counted of a listing, since it is read from its beginning again.
    pub fn forget_counts(&self, run: RunId, listing: &ListingRow) -> Result<(), StoreError> {
        self.change(|connection| {
            let forget = "DELETE FROM counts WHERE run = ?1 AND machine = ?2 AND status = ?3";
            connection.execute(forget, params![run.0, listing.machine, listing.status])?;
            Ok(())
        })
    }

    /// Takes the execution whose turn it is.
    pub fn take(&self, run: RunId) -> Result<Option<(FoundId, Found)>, StoreError> {
        self.take_to_rank(run, u8::MAX)
    }

    /// The same, of those whose rank is not above this one.
    pub fn take_to_rank(&self, run: RunId, last: u8) -> Result<Option<(FoundId, Found)>, StoreError> {
        self.change(|connection| {
            let next = format!(
                "SELECT {COLUMNS} FROM executions WHERE run = ?1 AND state = 0 AND rank <= ?2 ORDER BY rank, start DESC, id LIMIT 1"
            );
            let next = connection.prepare_cached(&next)?.query_row(params![run.0, last], found).optional()?;
            if let Some((id, _)) = &next {
                connection.prepare_cached("UPDATE executions SET state = 1 WHERE id = ?1")?.execute([id.0])?;
            }
            Ok(next)
        })
    }

    /// Says what has become of an execution.
    pub fn set_state(&self, id: FoundId, state: State, problem: Option<&str>) -> Result<(), StoreError> {
        self.change(|connection| {
            let set = "UPDATE executions SET state = ?2, problem = ?3 WHERE id = ?1";
            connection.prepare_cached(set)?.execute(params![id.0, state as i64, problem])?;
            Ok(())
        })
    }

    /// Says the same of all that wait for their turn; of one machine, where one is named. Returns how many they are.
    pub fn give_up(&self, run: RunId, machine: Option<&str>, state: State, problem: Option<&str>) -> Result<u64, StoreError> {
        self.change(|connection| {
            let set = "UPDATE executions SET state = ?2, problem = ?3 WHERE run = ?1 AND state = 0 AND (?4 IS NULL OR machine = ?4)";
            Ok(connection.execute(set, params![run.0, state as i64, problem, machine])? as u64)
        })
    }

    /// How many executions of the run are in these states.
    pub fn count_in(&self, run: RunId, states: &[State]) -> Result<u64, StoreError> {
        let states = states.iter().map(|state| (*state as i64).to_string()).collect::<Vec<_>>().join(", ");
        let count = format!("SELECT count(*) FROM executions WHERE run = ?1 AND state IN ({states})");
        let count: i64 = self.ask(|connection| connection.prepare_cached(&count)?.query_row([run.0], |row| row.get(0)))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The machines of a run, each with how many executions are where.
    pub fn tallies(&self, run: RunId) -> Result<BTreeMap<String, Tally>, StoreError> {
        self.ask(|connection| {
            let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
            let number = |value: i64| u64::try_from(value).unwrap_or(0);
            let mut states =
                connection.prepare_cached("SELECT machine, state, count(*) FROM executions WHERE run = ?1 GROUP BY machine, state")?;
            let mut rows = states.query([run.0])?;
            while let Some(row) = rows.next()? {
                if let Some(state) = State::from_number(row.get(1)?) {
                    tallies.entry(row.get(0)?).or_default().by_state.insert(state, number(row.get(2)?));
                }
            }
            let sums = "SELECT machine, what, sum(count) FROM counts WHERE run = ?1 GROUP BY machine, what";
            let mut counts = connection.prepare_cached(sums)?;
            let mut rows = counts.query([run.0])?;
            while let Some(row) = rows.next()? {
                tallies.entry(row.get(0)?).or_default().counts.insert(row.get(1)?, number(row.get(2)?));
            }
            Ok(tallies)
        })
    }

    /// Why executions were not fetched. In order.
    pub fn problems(&self, run: RunId) -> Result<Vec<Problem>, StoreError> {
        self.ask(|connection| {
            let group = "SELECT machine, state, problem, count(*), min(arn) FROM executions
                WHERE run = ?1 AND problem IS NOT NULL GROUP BY machine, state, problem ORDER BY machine, state, problem";
            let mut statement = connection.prepare_cached(group)?;
            let mut rows = statement.query([run.0])?;
            let mut problems = Vec::new();
            while let Some(row) = rows.next()? {
                let executions = u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
                if let Some(state) = State::from_number(row.get(1)?) {
                    problems.push(Problem { machine: row.get(0)?, state, reason: row.get(2)?, executions, example: row.get(4)? });
                }
            }
            Ok(problems)
        })
    }

    /// The machines that have executions to fetch, or fetched ones.
    pub fn machines_at_work(&self, run: RunId) -> Result<Vec<String>, StoreError> {
        let ask = "SELECT DISTINCT machine FROM executions WHERE run = ?1 AND state <= 2 ORDER BY machine";
        self.ask(|connection| connection.prepare_cached(ask)?.query_map([run.0], |row| row.get(0))?.collect())
    }

    /// The versions that executions of a machine were started with, and whose definition is not known.
    pub fn versions_to_ask(&self, run: RunId, machine: &str) -> Result<Vec<String>, StoreError> {
        let ask = "SELECT DISTINCT version FROM executions WHERE run = ?1 AND machine = ?2 AND version IS NOT NULL AND state <= 2
            AND version NOT IN (SELECT arn FROM exact) ORDER BY version";
        self.ask(|connection| connection.prepare_cached(ask)?.query_map(params![run.0, machine], |row| row.get(0))?.collect())
    }

    /// The newest execution of a machine without a version that started before `before`, or of which it is not known when: its ARN and
    /// its start. Only those that are wanted or fetched, and no definition is known of them alone.
    pub fn newest_before(&self, run: RunId, machine: &str, before: Option<Micros>) -> Result<Option<(String, Micros)>, StoreError> {
        let newest = "SELECT arn, start FROM executions WHERE run = ?1 AND machine = ?2 AND version IS NULL AND start IS NOT NULL
            AND state <= 2 AND (?3 IS NULL OR start < ?3) AND arn NOT IN (SELECT arn FROM exact) ORDER BY start DESC LIMIT 1";
        let before = before.map_or(Value::Null, |before| Value::Integer(before.0));
        self.ask(|connection| {
            let row = |row: &Row<'_>| Ok((row.get(0)?, Micros(row.get(1)?)));
            connection.prepare_cached(newest)?.query_row(params![run.0, machine, before], row).optional()
        })
    }
}

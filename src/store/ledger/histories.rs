//! Histories that were fetched and are in no batch yet.

use rusqlite::{OptionalExtension, params};

use super::{FoundId, Ledger, State};
use crate::model::{Gap, Micros};
use crate::store::StoreError;

/// How well a history is compressed; more costs more than the disk is worth.
const LEVEL: i32 = 1;

/// A history that waits for its batch.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Its number among those that wait.
    pub id: i64,
    /// The execution of a run; `None` when the run is gone.
    pub execution: Option<FoundId>,
    /// Whether the store had the execution before; `None` when the run is gone.
    pub was_known: Option<bool>,
    /// The execution.
    pub arn: String,
    /// Its state machine, without version and alias.
    pub machine: String,
    /// When it started.
    pub start: Option<Micros>,
    /// The version that it was started with.
    pub version: Option<String>,
    /// The history as a bundle of the AWS CLI's documents, without definition: JSON.
    pub bundle: Vec<u8>,
    /// What is known to be missing of it.
    pub gaps: Vec<Gap>,
}

impl Ledger {
    /// Takes in a history; `id` and `was_known` of it are not looked at.
    pub fn add_history(&self, fetched: &Fetched) -> Result<(), StoreError> {
        let failed = |error: std::io::Error| StoreError::io(&self.file, "written", error);
        let bundle = zstd::bulk::compress(&fetched.bundle, LEVEL).map_err(failed)?;
        let gaps = serde_json::to_string(&fetched.gaps).map_err(|error| failed(error.into()))?;
        let execution = fetched.execution.map(|execution| execution.0);
        self.change(|connection| {
            let insert =
                "INSERT INTO histories (execution, arn, machine, start, version, bundle, gaps) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let Fetched { arn, machine, start, version, .. } = fetched;
            let start = start.map(|start| start.0);
            connection.prepare_cached(insert)?.execute(params![execution, arn, machine, start, version, bundle, gaps])?;
            if let Some(execution) = execution {
                let set = "UPDATE executions SET state = ?2, problem = NULL WHERE id = ?1";
                connection.prepare_cached(set)?.execute(params![execution, State::Fetched as i64])?;
            }
            Ok(())
        })
    }

    /// How many histories wait, and how many bytes they take.
    pub fn waiting(&self) -> Result<(u64, u64), StoreError> {
        let (count, bytes): (i64, i64) = self.ask(|connection| {
            let count = "SELECT count(*), coalesce(sum(length(bundle)), 0) FROM histories";
            connection.prepare_cached(count)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        })?;
        Ok((u64::try_from(count).unwrap_or(0), u64::try_from(bytes).unwrap_or(0)))
    }

    /// Hands over the histories of one account and region that wait, in the order in which they came; one is in memory at a time.
    pub fn each_waiting(
        &self,
        (account, region): (&str, &str),
        take: &mut dyn FnMut(Fetched) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let place = format!(":{region}:{account}:");
        let mut last = -1;
        loop {
            let next = "SELECT h.id, h.execution, e.was_known, h.arn, h.machine, h.start, h.version, h.bundle, h.gaps
                FROM histories h LEFT JOIN executions e ON e.id = h.execution
                WHERE h.id > ?1 AND instr(h.arn, ?2) > 0 ORDER BY h.id LIMIT 1";
            let found = self.ask(|connection| {
                let row = |row: &rusqlite::Row<'_>| {
                    let was_known: Option<bool> = row.get(2)?;
                    let execution: Option<i64> = row.get(1)?;
                    let (bundle, gaps): (Vec<u8>, String) = (row.get(7)?, row.get(8)?);
                    let fetched = Fetched {
                        id: row.get(0)?,
                        execution: execution.filter(|_| was_known.is_some()).map(FoundId),
                        was_known,
                        arn: row.get(3)?,
                        machine: row.get(4)?,
                        start: row.get::<_, Option<i64>>(5)?.map(Micros),
                        version: row.get(6)?,
                        bundle: Vec::new(),
                        gaps: Vec::new(),
                    };
                    Ok((fetched, bundle, gaps))
                };
                connection.prepare_cached(next)?.query_row(params![last, place], row).optional()
            })?;
            let Some((mut fetched, bundle, gaps)) = found else { return Ok(()) };
            last = fetched.id;
            fetched.bundle = zstd::decode_all(bundle.as_slice()).map_err(|error| StoreError::io(&self.file, "read", error))?;
            fetched.gaps = serde_json::from_str(&gaps)
                .map_err(|error| StoreError::UnreadableLedger { file: self.file.clone(), reason: error.to_string() })?;
            take(fetched)?;
        }
    }

    /// Forgets histories that are in a batch now, and says what has become of their executions.
    pub fn stored(&self, stored: &[(i64, Option<FoundId>, State)]) -> Result<(), StoreError> {
        self.change(|connection| {
            for (history, execution, state) in stored {
                connection.prepare_cached("DELETE FROM histories WHERE id = ?1")?.execute([history])?;
                if let Some(execution) = execution {
                    let set = "UPDATE executions SET state = ?2 WHERE id = ?1";
                    connection.prepare_cached(set)?.execute(params![execution.0, *state as i64])?;
                }
            }
            Ok(())
        })
    }
}

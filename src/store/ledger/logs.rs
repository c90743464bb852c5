//! Which stretches of a state machine's logs were read, and the records of executions that were open at their ends.
//!
//! A stretch outlives the run that read it, so that the next one reads what is new.

use rusqlite::{OptionalExtension, params};

use super::Ledger;
use crate::model::Micros;
use crate::store::StoreError;

impl Ledger {
    /// The stretches of a machine's logs in one group: since and until, disjoint, in order.
    pub fn log_stretches(&self, machine: &str, group: &str) -> Result<Vec<(Micros, Micros)>, StoreError> {
        let find = "SELECT since, until FROM log_stretches WHERE machine = ?1 AND log_group = ?2 ORDER BY since";
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(find)?;
            let rows = statement.query_map(params![machine, group], |row| Ok((Micros(row.get(0)?), Micros(row.get(1)?))))?;
            rows.collect()
        })
    }

    /// The records that were kept where a stretch ends, as they were given.
    pub fn kept_records(&self, machine: &str, group: &str, until: Micros) -> Result<Option<Vec<u8>>, StoreError> {
        let find = "SELECT kept FROM log_stretches WHERE machine = ?1 AND log_group = ?2 AND until = ?3";
        self.ask(|connection| connection.prepare_cached(find)?.query_row(params![machine, group, until.0], |row| row.get(0)).optional())
    }

    /// A stretch was read, and the records of what was open at its end are to be kept. It joins the one that ends where it begins, and the
    /// one that begins where it ends.
    pub fn add_log_stretch(&self, machine: &str, group: &str, (since, until): (Micros, Micros), kept: &[u8]) -> Result<(), StoreError> {
        self.change(|connection| {
            let before = "SELECT since FROM log_stretches WHERE machine = ?1 AND log_group = ?2 AND until >= ?3 AND since <= ?3";
            let since: Option<i64> =
                connection.query_row(before, params![machine, group, since.0], |row| row.get(0)).optional()?.or(Some(since.0));
            let after = "SELECT until, kept FROM log_stretches WHERE machine = ?1 AND log_group = ?2 AND since = ?3";
            let after: Option<(i64, Vec<u8>)> =
                connection.query_row(after, params![machine, group, until.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let (until, kept) = after.as_ref().map_or((until.0, kept), |(until, kept)| (*until, kept.as_slice()));
            let within = "DELETE FROM log_stretches WHERE machine = ?1 AND log_group = ?2 AND since >= ?3 AND until <= ?4";
            connection.execute(within, params![machine, group, since, until])?;
            let insert = "INSERT INTO log_stretches (machine, log_group, since, until, kept) VALUES (?1, ?2, ?3, ?4, ?5)";
            connection.execute(insert, params![machine, group, since, until, kept])?;
            Ok(())
        })
    }

    /// Forgets what was read of a machine's logs, so that it is read again.
    pub fn forget_log_stretches(&self, machine: &str, group: &str) -> Result<(), StoreError> {
        self.change(|connection| {
            connection.execute("DELETE FROM log_stretches WHERE machine = ?1 AND log_group = ?2", params![machine, group]).map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    const MACHINE: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";

    fn in_a_store(story: impl FnOnce(&Ledger)) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::create_or_open(folder.path()).expect("a store");
        story(&store.ledger().expect("a file"));
    }

    fn add(stretches: &Ledger, since: i64, until: i64, kept: &[u8]) -> Vec<(i64, i64)> {
        stretches.add_log_stretch(MACHINE, "g", (Micros(since), Micros(until)), kept).expect("written");
        all(stretches)
    }

    fn all(stretches: &Ledger) -> Vec<(i64, i64)> {
        stretches.log_stretches(MACHINE, "g").expect("read").into_iter().map(|(since, until)| (since.0, until.0)).collect()
    }

    #[test]
    fn a_stretch_grows_slice_by_slice_and_joins_its_neighbours() {
        in_a_store(|stretches| {
            assert_eq!(add(stretches, 10, 20, b"a"), [(10, 20)]);
            assert_eq!(add(stretches, 20, 30, b"b"), [(10, 30)]);
            assert_eq!(add(stretches, 50, 60, b"c"), [(10, 30), (50, 60)]);
            assert_eq!(stretches.kept_records(MACHINE, "g", Micros(30)).expect("read").as_deref(), Some(&b"b"[..]));
            assert_eq!(stretches.kept_records(MACHINE, "g", Micros(20)).expect("read"), None);
            assert_eq!(add(stretches, 30, 50, b"d"), [(10, 60)]);
            assert_eq!(
                stretches.kept_records(MACHINE, "g", Micros(60)).expect("read").as_deref(),
                Some(&b"c"[..]),
                "what was kept at the later end stays"
            );
        });
    }

    #[test]
    fn groups_and_machines_are_apart_and_can_be_forgotten() {
        in_a_store(|stretches| {
            add(stretches, 10, 20, b"a");
            assert_eq!(stretches.log_stretches(MACHINE, "other").expect("read"), []);
            assert_eq!(stretches.log_stretches("other", "g").expect("read"), []);
            stretches.forget_log_stretches(MACHINE, "g").expect("written");
            assert_eq!(all(stretches), []);
        });
    }
}

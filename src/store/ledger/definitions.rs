//! Which definition a state machine had when.
//!
//! An answer about one execution says when the machine was last changed before it. Every execution that started since then, and no later
//! than that one, ran with the same definition: a stretch. Between two stretches nothing is known, since there may have been a third.

use rusqlite::{OptionalExtension, params};

use super::Ledger;
use crate::model::Micros;
use crate::store::StoreError;

/// The service needs some seconds until a change is seen everywhere: an execution that starts sooner may have either definition.
const SETTLED: i64 = 10_000_000;

/// One of the definitions in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefinitionId(i64);

/// When a definition was in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// When the machine was changed to it.
    pub since: Micros,
    /// The last start of an execution that is known to have had it.
    pub seen: Micros,
    /// Whether the machine was made then: before it there is nothing.
    pub is_first: bool,
    /// The definition.
    pub definition: DefinitionId,
}

impl Stretch {
    /// From when on nobody had the definition from before.
    pub fn settled_from(&self) -> Micros {
        if self.is_first { self.since } else { Micros(self.since.0.saturating_add(SETTLED)) }
    }
}

/// What is known of the definition at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InForce {
    /// This one.
    Known(DefinitionId),
    /// The machine was changed a moment before: only the execution itself can tell.
    JustChanged,
    /// Nothing.
    Unknown,
}

impl Ledger {
    /// Keeps a text, each once.
    pub fn add_definition(&self, text: &str) -> Result<DefinitionId, StoreError> {
        self.change(|connection| {
            connection.prepare_cached("INSERT OR IGNORE INTO definitions (text) VALUES (?1)")?.execute([text])?;
            connection.prepare_cached("SELECT id FROM definitions WHERE text = ?1")?.query_row([text], |row| Ok(DefinitionId(row.get(0)?)))
        })
    }

    /// The text.
    pub fn definition(&self, id: DefinitionId) -> Result<String, StoreError> {
        self.ask(|connection| connection.prepare_cached("SELECT text FROM definitions WHERE id = ?1")?.query_row([id.0], |row| row.get(0)))
    }

    /// The definition of a version, for ever, or of one execution that was asked for itself.
    pub fn set_exact(&self, arn: &str, definition: DefinitionId) -> Result<(), StoreError> {
        self.change(|connection| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO exact (arn, definition) VALUES (?1, ?2)")?
                .execute(params![arn, definition.0])?;
            Ok(())
        })
    }

    /// See [`Ledger::set_exact`].
    pub fn exact(&self, arn: &str) -> Result<Option<DefinitionId>, StoreError> {
        self.ask(|connection| {
            let find = "SELECT definition FROM exact WHERE arn = ?1";
            connection.prepare_cached(find)?.query_row([arn], |row| Ok(DefinitionId(row.get(0)?))).optional()
        })
    }

    /// Takes in what an answer said. A stretch that is known already grows to the later start.
    pub fn add_stretch(&self, machine: &str, stretch: Stretch) -> Result<(), StoreError> {
        self.change(|connection| {
            let add = "INSERT INTO stretches (machine, since, seen, created, definition) VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT (machine, since) DO UPDATE SET seen = max(seen, excluded.seen), definition = excluded.definition";
            let Stretch { since, seen, is_first, definition } = stretch;
            connection.prepare_cached(add)?.execute(params![machine, since.0, seen.0, is_first, definition.0])?;
            Ok(())
        })
    }

    /// What was in force when an execution of a machine started.
    pub fn in_force(&self, machine: &str, start: Micros) -> Result<InForce, StoreError> {
        let stretch = self.stretch_at(machine, start)?;
        Ok(match stretch {
            None => InForce::Unknown,
            Some(stretch) if start < stretch.settled_from() => InForce::JustChanged,
            Some(stretch) => InForce::Known(stretch.definition),
        })
    }

    /// The stretch in which a moment lies.
    pub fn stretch_at(&self, machine: &str, moment: Micros) -> Result<Option<Stretch>, StoreError> {
        let find = "SELECT since, seen, created, definition FROM stretches WHERE machine = ?1 AND since <= ?2 AND seen >= ?2
            ORDER BY since DESC LIMIT 1";
        self.ask(|connection| {
            let row = |row: &rusqlite::Row<'_>| {
                let (since, seen) = (Micros(row.get(0)?), Micros(row.get(1)?));
                Ok(Stretch { since, seen, is_first: row.get(2)?, definition: DefinitionId(row.get(3)?) })
            };
            connection.prepare_cached(find)?.query_row(params![machine, moment.0], row).optional()
        })
    }
}

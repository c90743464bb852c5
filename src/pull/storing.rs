//! From the ledger into the tables, many executions at a time.

use std::collections::HashMap;
use std::sync::Arc;

use bumpalo::Bump;

use super::definitions::{Resolution, resolve};
use super::place::Place;
use crate::analysis::facts::{Rebuilt, extract};
use crate::asl::Definition;
use crate::model::facts::Needs;
use crate::model::{Gap, History, RawText, Timestamp};
use crate::rebuild::rebuild;
use crate::sources::{Limits, read_stream};
use crate::store::ledger::{DefinitionId, Fetched, FoundId, State};
use crate::store::{Offer, Store, StoreError, Worker, Writer, Written};

/// So many histories
const MANY: u64 = 2_000;
/// or so many bytes of them come together before batches are written.
const LARGE: usize = 256 << 20;

/// Puts histories into the tables.
pub(super) struct Storing {
    writer: Writer,
    definitions: HashMap<DefinitionId, Parsed>,
    arena: Bump,
    /// Since the tables were last written.
    histories: u64,
    bytes: usize,
}

/// A definition: its text, and what it says, or why it says nothing.
type Parsed = (RawText, Result<Arc<Definition>, String>);

impl Storing {
    /// Begins to write; fails where that is not possible.
    pub(super) fn begin(store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        let writer = store.writer(now, 1)?;
        Ok(Self { writer, definitions: HashMap::new(), arena: Bump::new(), histories: 0, bytes: 0 })
    }

    /// Adds to the same store, beside the histories of the ledger.
    pub(super) fn worker(&self) -> Worker {
        self.writer.worker()
    }

    /// What was written.
    pub(super) fn written(&self) -> Written {
        self.writer.written()
    }

    /// Batches that could not be read.
    pub(super) fn take_damaged(&self) -> Vec<StoreError> {
        self.writer.take_damaged()
    }

    /// A history came into the ledger.
    pub(super) fn added(&mut self, place: &Place<'_>, bytes: usize) -> Result<(), StoreError> {
        self.histories += 1;
        self.bytes += bytes;
        if self.histories >= MANY || self.bytes >= LARGE {
            self.histories = 0;
            self.bytes = 0;
            return self.store(place, false);
        }
        Ok(())
    }

    /// Puts what the place has in the ledger into the tables, as far as the definitions are known.
    pub(super) fn store(&mut self, place: &Place<'_>, is_end: bool) -> Result<(), StoreError> {
        let Some(account) = place.account.get() else { return Ok(()) };
        let region = place.region().unwrap_or_default();
        let ledger = &place.shared.ledger;
        let mut worker = self.writer.worker();
        let mut stored: Vec<(i64, Option<FoundId>, State)> = Vec::new();
        ledger.each_waiting((account, region), &mut |fetched| {
            let (definition, gap) = match resolve(place, &fetched, is_end)? {
                Resolution::NotYet => return Ok(()),
                Resolution::Known(definition, gap) => (definition, gap),
            };
            let (id, execution, was_known) = (fetched.id, fetched.execution, fetched.was_known);
            let Some(mut history) = read(fetched) else {
                // Nobody but this program writes them.
                stored.push((id, execution, State::Gone));
                return Ok(());
            };
            history.gaps.extend(gap);
            let parsed = match definition {
                Some(definition) => Some(self.parsed(place, definition)?),
                None => None,
            };
            let definition = attach(&mut history, parsed);
            let path = rebuild(&history, definition.as_deref());
            self.arena.reset();
            let rebuilt = Rebuilt { history: &history, path: &path, definition: definition.as_deref() };
            let facts = extract(rebuilt, Needs::ALL, &self.arena);
            let offer = worker.add(&history, &path, &facts)?;
            stored.push((id, execution, state(offer, was_known)));
            Ok(())
        })?;
        worker.finish()?;
        ledger.stored(&stored)
    }

    fn parsed(&mut self, place: &Place<'_>, id: DefinitionId) -> Result<Parsed, StoreError> {
        if let Some(known) = self.definitions.get(&id) {
            return Ok(known.clone());
        }
        let text = place.shared.ledger.definition(id)?;
        let parsed = Definition::parse(&text).map(Arc::new).map_err(|error| error.to_string());
        let entry = (RawText::plain(text), parsed);
        self.definitions.insert(id, entry.clone());
        Ok(entry)
    }
}

/// Gives the history its definition; one that can't be read is a gap.
fn attach(history: &mut History, parsed: Option<Parsed>) -> Option<Arc<Definition>> {
    let (text, parsed) = parsed?;
    history.definition = Some(text);
    match parsed {
        Ok(definition) => Some(definition),
        Err(reason) => {
            history.gaps.push(Gap::NoDefinition { reason: Some(reason) });
            None
        }
    }
}

fn read(fetched: Fetched) -> Option<History> {
    let mut read = None;
    read_stream(fetched.bundle.as_slice(), &fetched.arn, &Limits::default(), &mut |history| read = read.take().or(history.ok()));
    let mut history: History = read?;
    history.gaps = fetched.gaps;
    history.origin = fetched.arn.into();
    Some(history)
}

/// What has become of it. What was stored by a process that was killed before it could say so is new all the same.
fn state(offer: Offer, was_known: Option<bool>) -> State {
    match (offer, was_known) {
        (Offer::New, _) | (Offer::Unchanged, Some(false)) => State::New,
        (Offer::Replaces, _) => State::Replaced,
        (Offer::Unchanged | Offer::Older, _) => State::Unchanged,
    }
}

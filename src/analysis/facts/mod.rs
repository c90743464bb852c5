//! A rebuilt execution to the facts that questions over many executions ask about.
//!
//! What is taken is what was asked for: most questions need no payload, and only failed executions are explained. Nothing is
//! copied that can be borrowed from the history; what is made here goes into an arena that the caller throws away as a whole.
//!
//! | file            | holds                                                                          |
//! |-----------------|--------------------------------------------------------------------------------|
//! | `header.rs`     | which execution it is, of which machine, version and alias, from when to when   |
//! | `visits.rs`     | visits, and the labels of the scopes that they stand in                         |
//! | `attempts.rs`   | attempts                                                                       |
//! | `split.rs`      | on what the time of a visit was spent                                          |
//! | `critical.rs`   | the visits whose shortening would have shortened the execution                  |
//! | `sizes.rs`      | the largest payload of each visit                                              |
//! | `failure.rs`    | how it failed, by the rule of `why`                                            |

mod attempts;
mod critical;
mod failure;
mod header;
mod sizes;
mod split;
#[cfg(test)]
mod tests;
mod visits;

use std::borrow::Cow;

use bumpalo::Bump;

use crate::asl::Definition;
use crate::model::event::HistoryEvent;
use crate::model::facts::Needs;
use crate::model::path::EventIndex;
use crate::model::{EventId, ExecutionFacts, ExecutionPath, History, Micros, RawText};

pub use header::identity;

/// An execution as it was read and rebuilt.
#[derive(Clone, Copy)]
pub struct Rebuilt<'a> {
    /// The execution's events.
    pub history: &'a History,
    /// Rebuilt from it.
    pub path: &'a ExecutionPath,
    /// Its definition, when there is one.
    pub definition: Option<&'a Definition>,
}

/// The facts of one execution; what is no text of the history itself is put into `arena`.
pub fn extract<'a>(rebuilt: Rebuilt<'a>, needs: Needs, arena: &'a Bump) -> ExecutionFacts<'a> {
    let mut facts = header::of(rebuilt, needs, arena);
    if needs.failures {
        facts.failure = failure::of(rebuilt, facts.state_machine, arena);
    }
    if needs.visits {
        let end = facts.stop.or(facts.last_event);
        let critical = facts.beginning().zip(end).map(|(start, end)| critical::path(rebuilt, start, end));
        let sizes = needs.sizes.then(|| sizes::of(rebuilt));
        facts.visits = visits::of(rebuilt, critical.as_deref(), sizes.as_deref(), arena);
    }
    if needs.attempts {
        facts.attempts = attempts::of(rebuilt, needs.causes, arena);
    }
    facts
}

impl<'a> Rebuilt<'a> {
    fn event(self, index: EventIndex) -> &'a HistoryEvent {
        &self.history.events[index]
    }

    fn time(self, index: Option<EventIndex>) -> Option<Micros> {
        self.event(index?).timestamp.map(Micros::from)
    }

    fn event_id(self, index: Option<EventIndex>) -> Option<EventId> {
        index.map(|index| self.event(index).id)
    }
}

fn text<'a>(text: &'a RawText, arena: &'a Bump) -> &'a str {
    kept(text.decode(), arena)
}

fn kept<'a>(text: Cow<'a, str>, arena: &'a Bump) -> &'a str {
    match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => arena.alloc_str(&text),
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

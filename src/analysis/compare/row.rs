//! What is kept of one execution: its attributes, and the way it went.

use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

use serde::Serialize;

use super::cell::{Cell, Texts};
use super::flatten::flatten;
use crate::analysis::selection::Payload;
use crate::model::event_type::StateType;
use crate::model::{EventId, ExecutionArn, ExecutionFacts, ExecutionStatus, Micros, VisitFacts};

/// What an attribute is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A field of the input.
    Input,
    /// How it ended; only compared where the sides are not told apart by it.
    Outcome,
    /// Which way it went: branches taken, states visited, retries, items.
    Path,
    /// How and from what it was started: version, alias, parent, redrive.
    Execution,
    /// When it started.
    Time,
}

/// An attribute and its value; what is not there has no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: Arc<str>,
    pub kind: Kind,
    pub cell: Cell,
}

/// A state that was visited.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub state: Arc<str>,
    /// The number of its first visit.
    pub first: u32,
    /// Up to the failure, if there was one.
    pub visits: u32,
    pub retried: bool,
    /// Of a Map, the most of any visit.
    pub items: Option<u64>,
}

/// A way out of a Choice.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub choice: Arc<str>,
    pub next: Arc<str>,
    /// The number of the first visit of the Choice that led there.
    pub first: u32,
}

/// One execution.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub start: Option<Micros>,
    pub fields: Vec<Field>,
    pub seen: Vec<Seen>,
    pub turns: Vec<Turn>,
    /// The state that failed; `None` where nothing tells, or where it is a Fail state, which nothing passes through.
    pub failing: Option<Arc<str>>,
    /// The Fail state that it ended in on its own account.
    pub fail_state: Option<Arc<str>>,
    /// The place of its failure group, once that is known.
    pub group: Option<usize>,
}

impl Row {
    /// States and ways beyond these are not looked at.
    const MOST: usize = 500;

    pub fn new(facts: &ExecutionFacts<'_>, payload: &Payload, texts: &mut Texts) -> Self {
        let mut fields = Vec::new();
        if let Some(input) = payload.input(facts) {
            flatten(input, texts, &mut fields);
        }
        about_execution(facts, texts, &mut fields);
        about_outcome(facts, texts, &mut fields);
        let failure = facts.failure.as_ref().filter(|_| is_unsuccessful(facts));
        let is_fail_state = failure.is_some_and(|failure| failure.kind == "fail_state");
        let root = failure.and_then(|failure| failure.root_state).map(|state| texts.keep(state));
        let end = failure.and_then(|failure| failure.root_event_id);
        Self {
            start: facts.start,
            fields,
            seen: seen(facts.visits, end, texts),
            turns: turns(facts.visits, texts),
            failing: root.clone().filter(|_| !is_fail_state),
            fail_state: root.filter(|_| is_fail_state),
            group: None,
        }
    }

    /// Bytes it takes, texts that it shares not counted.
    pub fn bytes(&self) -> usize {
        let owned = |cell: &Cell| if let Cell::Text(text) = cell { text.len() + 16 } else { 0 };
        let texts: usize = self.fields.iter().map(|field| owned(&field.cell)).sum();
        let fields = self.fields.capacity() * size_of::<Field>();
        let path = self.seen.capacity() * size_of::<Seen>() + self.turns.capacity() * size_of::<Turn>();
        size_of::<Self>() + texts + fields + path
    }

    /// The text of an attribute that has one.
    pub fn text(&self, name: &str) -> Option<&Arc<str>> {
        self.fields.iter().find(|field| &*field.name == name).and_then(|field| match &field.cell {
            Cell::Text(text) => Some(text),
            _ => None,
        })
    }

    /// The number of the first visit of one of these states.
    pub fn reached(&self, states: &[Arc<str>]) -> Option<u32> {
        self.seen.iter().find(|seen| states.contains(&seen.state)).map(|seen| seen.first)
    }
}

/// Whether it ended, and not well.
pub(super) fn is_unsuccessful(facts: &ExecutionFacts<'_>) -> bool {
    facts.status.is_some_and(ExecutionStatus::is_unsuccessful)
}

fn about_execution(facts: &ExecutionFacts<'_>, texts: &mut Texts, fields: &mut Vec<Field>) {
    let parent = facts.parent.and_then(|arn| arn.parse::<ExecutionArn>().ok());
    let known = [
        ("version", facts.version),
        ("alias", facts.alias),
        ("parent", parent.as_ref().map(ExecutionArn::machine)),
        ("map_run", facts.map_run),
    ];
    for (name, value) in known.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        fields.push(Field { name: texts.keep(name), kind: Kind::Execution, cell: Cell::Text(texts.keep_short(value)) });
    }
    let mut count = |name: &str, kind, count: u64| {
        #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        fields.push(Field { name: texts.keep(name), kind, cell: Cell::Number(count as f64) });
    };
    count("redrives", Kind::Execution, facts.redrive_count);
    if let Some(input) = facts.input {
        count("size(input)", Kind::Input, input.len() as u64);
    }
}

fn about_outcome(facts: &ExecutionFacts<'_>, texts: &mut Texts, fields: &mut Vec<Field>) {
    let failure = facts.failure.unwrap_or_default();
    let known = [
        ("status", facts.status.map(ExecutionStatus::name)),
        ("error", failure.error),
        ("root_state", failure.root_state),
        ("root_error", failure.root_error),
        ("group", failure.fingerprint),
    ];
    for (name, value) in known.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        fields.push(Field { name: texts.keep(name), kind: Kind::Outcome, cell: Cell::Text(texts.keep_short(value)) });
    }
    let retries = facts.visits.iter().map(|visit| f64::from(visit.retries)).sum();
    fields.push(Field { name: texts.keep("retries"), kind: Kind::Outcome, cell: Cell::Number(retries) });
    if let Some(duration) = facts.duration_ms() {
        fields.push(Field { name: texts.keep("duration"), kind: Kind::Outcome, cell: Cell::Number(duration) });
    }
}

/// The states in the order of their first visits. What was entered after the failure is its consequence and not counted.
fn seen(visits: &[VisitFacts<'_>], end: Option<EventId>, texts: &mut Texts) -> Vec<Seen> {
    let mut all: Vec<Seen> = Vec::new();
    let mut places = HashMap::new();
    let is_before = |visit: &&VisitFacts<'_>| end.is_none() || visit.entered_event_id.is_none() || visit.entered_event_id < end;
    for visit in visits.iter().filter(is_before).filter(|visit| !visit.state.is_empty()) {
        let place = *places.entry(visit.state).or_insert(all.len());
        if place >= Row::MOST {
            continue;
        }
        if place == all.len() {
            all.push(Seen { state: texts.keep(visit.state), first: visit.visit, visits: 0, retried: false, items: None });
        }
        let seen = &mut all[place];
        seen.visits += 1;
        seen.retried |= visit.retries > 0;
        seen.items = seen.items.max(visit.items);
    }
    all
}

/// Where each Choice went: to the next visit of its scope.
fn turns(visits: &[VisitFacts<'_>], texts: &mut Texts) -> Vec<Turn> {
    let mut all: Vec<Turn> = Vec::new();
    let mut open = HashMap::new();
    for visit in visits {
        let scope = (visit.parent, visit.index);
        if let Some((choice, first)) = open.remove(&scope)
            && all.len() < Row::MOST
            && !all.iter().any(|turn| &*turn.choice == choice && &*turn.next == visit.state)
        {
            all.push(Turn { choice: texts.keep(choice), next: texts.keep(visit.state), first });
        }
        if visit.state_type == Some(StateType::Choice) {
            open.insert(scope, (visit.state, visit.visit));
        }
    }
    all
}

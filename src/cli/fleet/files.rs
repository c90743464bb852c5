//! A question to the executions of files and streams: each thread reads, rebuilds and asks for itself.

use std::collections::HashSet;

use bumpalo::Bump;

use super::definitions::Definitions;
use super::inputs::Inputs;
use super::selection::{Machines, Window};
use super::sights::{Key, Rank, Sights};
use super::{Heard, Unread};
use crate::analysis::execution;
use crate::analysis::facts::{self, Rebuilt, identity};
use crate::analysis::fleet::{Coverage, Question};
use crate::cli::global::GlobalArgs;
use crate::cli::progress;
use crate::model::facts::Needs;
use crate::model::{History, Micros};
use crate::rebuild::rebuild;
use crate::sources::{DefinitionSet, Limits, Progress, Rejected, Worker, read_in_parallel};

/// What all threads look at.
pub(super) struct Wanted<'f> {
    pub definitions: &'f DefinitionSet,
    pub window: Window,
    pub machines: &'f Machines,
    /// What the inputs themselves are called, as messages have it.
    pub direct: HashSet<String>,
}

/// Puts the question to every execution of the inputs that is wanted.
pub(super) fn ask<Q: Question>(
    inputs: &mut Inputs,
    wanted: &Wanted<'_>,
    global: &GlobalArgs,
    threads: usize,
    make: &(impl Fn() -> Q + Sync),
) -> anyhow::Result<Heard<Q>> {
    let (heard, sights) = pass(inputs, wanted, global, threads, make, Sights::new())?;
    if !sights.are_in_vain() {
        return Ok(heard);
    }
    let (heard, _) = pass(inputs, wanted, global, threads, make, sights.for_second_pass())?;
    Ok(heard)
}

fn pass<Q: Question>(
    inputs: &mut Inputs,
    wanted: &Wanted<'_>,
    global: &GlobalArgs,
    threads: usize,
    make: &(impl Fn() -> Q + Sync),
    sights: Sights,
) -> anyhow::Result<(Heard<Q>, Sights)> {
    let progress = Progress::default();
    let opened = inputs.open()?;
    // Questions need not be shared between threads, only made there.
    let asker = || Asker::new(make(), wanted, &sights);
    let askers = progress::shown(&progress, global, || read_in_parallel(opened, &Limits::default(), threads, &progress, asker));
    let mut all: Option<Heard<Q>> = None;
    for asker in askers {
        let heard = Heard { question: asker.question, coverage: asker.coverage, unread: asker.unread };
        match &mut all {
            Some(all) => all.merge(heard),
            None => all = Some(heard),
        }
    }
    let heard = all.unwrap_or_else(|| Heard { question: make(), coverage: Coverage::default(), unread: Unread::default() });
    Ok((heard, sights))
}

/// One thread's part of a pass.
struct Asker<'s, Q> {
    question: Q,
    needs: Needs,
    looks_aside: bool,
    wanted: &'s Wanted<'s>,
    sights: &'s Sights,
    coverage: Coverage,
    unread: Unread,
    definitions: Definitions,
    arena: Bump,
}

impl<'s, Q: Question> Asker<'s, Q> {
    fn new(question: Q, wanted: &'s Wanted<'s>, sights: &'s Sights) -> Self {
        Self {
            needs: question.needs(),
            looks_aside: question.looks_aside(),
            question,
            wanted,
            sights,
            coverage: Coverage::default(),
            unread: Unread::default(),
            definitions: Definitions::default(),
            arena: Bump::new(),
        }
    }

    /// Told without rebuilding the path.
    fn is_wanted(&self, history: &History) -> bool {
        let start = execution::start(history).map(Micros::from);
        self.wanted.window.contains(start) && self.wanted.machines.contain_described(&history.header)
    }
}

impl<Q: Question> Worker for Asker<'_, Q> {
    fn take(&mut self, mut history: History) {
        self.unread.has_read = true;
        let key = Key::of(&identity(&history));
        let is_wanted = self.is_wanted(&history);
        if !is_wanted && !self.looks_aside {
            self.coverage.left_out += u64::from(self.sights.pass_over(key));
            return;
        }
        if history.definition.is_none() {
            history.definition = self.wanted.definitions.find(&history.header);
        }
        let definition = self.definitions.of(&mut history);
        let path = rebuild(&history, definition.as_deref());
        self.arena.reset();
        let rebuilt = Rebuilt { history: &history, path: &path, definition: definition.as_deref() };
        let facts = facts::extract(rebuilt, self.needs, &self.arena);
        if !self.sights.take(key, Rank::of(&facts)) {
            return;
        }
        if is_wanted {
            self.coverage.count(&facts);
            self.question.take(&facts);
        } else {
            self.coverage.left_out += 1;
            self.question.take_aside(&facts);
        }
    }

    fn reject(&mut self, rejected: Rejected<'_>) {
        let error = &rejected.error;
        let is_beside = error.is_remark() || error.is_unrelated() && !self.wanted.direct.contains(error.source_and_line().0);
        self.unread.add(error, is_beside);
    }
}

/// The last event of the wanted machines' executions in the inputs, whenever they started. Reads everything, and rebuilds nothing.
pub(super) fn last_event(inputs: &mut Inputs, machines: &Machines, global: &GlobalArgs, threads: usize) -> anyhow::Result<Option<Micros>> {
    let progress = Progress::default();
    let opened = inputs.open()?;
    let clock = || Clock { machines, last: None };
    let clocks = progress::shown(&progress, global, || read_in_parallel(opened, &Limits::default(), threads, &progress, clock));
    Ok(clocks.into_iter().filter_map(|clock| clock.last).max())
}

/// One thread's last event.
struct Clock<'m> {
    machines: &'m Machines,
    last: Option<Micros>,
}

impl Worker for Clock<'_> {
    fn take(&mut self, history: History) {
        if self.machines.contain_described(&history.header) {
            let moments = [execution::last_moment(&history), history.header.stop];
            self.last = self.last.max(moments.into_iter().flatten().max().map(Micros::from));
        }
    }

    fn reject(&mut self, _: Rejected<'_>) {}
}

//! The ways that executions of a state machine took, and how often each.
//!
//! A variant is the sequence of states, as it went in the end:
//!
//! | what happened                    | in the sequence                                                  |
//! |----------------------------------|------------------------------------------------------------------|
//! | turns of a loop                  | one turn, however many there were (`fold.rs`)                     |
//! | branches of a Parallel           | in the order of the definition, not in that of their events      |
//! | iterations of a Map              | each different sequence once, however many took it               |
//! | retries of a Task                | not seen                                                         |
//! | retries of a Parallel or Map     | the last                                                         |
//! | a redrive                        | what was entered again, in the place of what had failed          |
//! | how a visit and the execution ended | part of it: succeeded, caught, failed, aborted, open          |
//!
//! Edges and states count everything that happened, earlier runs of a retried Parallel or Map too.

mod edges;
mod fold;
mod report;
mod rows;
mod sequence;
mod summary;
mod terms;
#[cfg(test)]
mod tests;
mod unused;

use std::collections::HashMap;

pub use report::{Edge, EdgeKind, MachineVariants, Options, SampleExecution, Sort, StateCount, Variant, VariantLine, VariantsReport};
pub use rows::{Row, RowKind};
pub use summary::report;

use self::edges::{EdgeCount, EdgeKey, VisitCount};
use self::sequence::Scratch;
use self::terms::{Name, Term, Terms};
use super::fleet::Question;
use crate::model::facts::Needs;
use crate::model::{ExecutionFacts, ExecutionStatus, Micros};

/// How many executions are kept of each variant as examples.
const SAMPLES: usize = 3;

/// What happened, by state machine.
#[derive(Debug, Default)]
pub struct Variants {
    machines: HashMap<Box<str>, MachineFold>,
    /// The variant whose executions are all kept.
    opened: Option<String>,
    scratch: Scratch,
}

/// What is known of one state machine so far.
#[derive(Debug, Default)]
struct MachineFold {
    terms: Terms,
    executions: u64,
    unsuccessful: u64,
    variants: HashMap<Term, VariantFold>,
    edges: HashMap<EdgeKey, EdgeCount>,
    states: HashMap<Name, VisitCount>,
    definition: Option<DefinitionFold>,
    other_definitions: bool,
}

/// The definition of the execution that started last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct DefinitionFold {
    start: Option<Micros>,
    text: Box<str>,
}

#[derive(Debug, Default)]
struct VariantFold {
    executions: u64,
    failed: u64,
    redriven: u64,
    retries: u64,
    /// Microseconds.
    durations: Vec<i64>,
    first: Option<Micros>,
    last: Option<Micros>,
    /// Iterations of the Map at a step that took a sequence.
    iterations: HashMap<(Term, Term), u64>,
    /// The first branch of the Parallel at a step that took a sequence.
    branches: HashMap<(Term, Term), u32>,
    /// Turns of the loop at a place of a sequence.
    loops: HashMap<LoopPlace, Turns>,
    /// The last ones, the last first; or all of the variant that was asked for, in any order.
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct LoopPlace {
    sequence: Term,
    from: u32,
    length: u32,
}

/// The most turns that an execution made, over executions.
#[derive(Debug, Clone, Copy)]
struct Turns {
    least: u32,
    most: u32,
    /// How many executions made more than one turn.
    executions: u64,
}

/// Ordered so that the last comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    start: std::cmp::Reverse<Option<Micros>>,
    execution: Box<str>,
    name: Box<str>,
    status: Option<ExecutionStatus>,
    stop: Option<Micros>,
    root_state: Option<Box<str>>,
    root_error: Option<Box<str>>,
}

impl Variants {
    /// The question; of the variant with the id `opened` all executions are kept.
    pub fn new(opened: Option<&str>) -> Self {
        Self { opened: opened.map(str::to_owned), ..Self::default() }
    }
}

impl Question for Variants {
    fn needs(&self) -> Needs {
        Needs { visits: true, definitions: true, failures: true, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        let arn = facts.state_machine.unwrap_or_default();
        if !self.machines.contains_key(arn) {
            self.machines.insert(arn.into(), MachineFold::default());
        }
        let Some(machine) = self.machines.get_mut(arn) else { return };
        machine.take(facts, self.opened.as_deref(), &mut self.scratch);
    }

    fn merge(&mut self, other: Self) {
        for (arn, theirs) in other.machines {
            match self.machines.get_mut(&arn) {
                Some(ours) => ours.merge(theirs, self.opened.as_deref()),
                None => drop(self.machines.insert(arn, theirs)),
            }
        }
    }
}

impl MachineFold {
    fn take(&mut self, facts: &ExecutionFacts<'_>, opened: Option<&str>, scratch: &mut Scratch) {
        let failed = facts.status.is_some_and(ExecutionStatus::is_unsuccessful);
        self.executions += 1;
        self.unsuccessful += u64::from(failed);
        self.define(facts);
        let sequence = scratch.sequence_of(facts, &mut self.terms);
        edges::count(facts, failed, scratch, self);
        let variant = self.terms.variant(facts.status, sequence);
        let opened = opened.is_some_and(|id| id == self.terms.id(variant));
        let fold = self.variants.entry(variant).or_default();
        fold.executions += 1;
        fold.failed += u64::from(failed);
        fold.redriven += u64::from(facts.redrive_count > 0);
        fold.retries += facts.visits.iter().map(|visit| u64::from(visit.retries)).sum::<u64>();
        fold.durations.extend(facts.beginning().zip(facts.stop).map(|(start, stop)| stop.0.saturating_sub(start.0)));
        fold.first = [fold.first, facts.start].into_iter().flatten().min();
        fold.last = fold.last.max(facts.start);
        for (step, sequence, count) in scratch.iterations() {
            *fold.iterations.entry((*step, *sequence)).or_default() += count;
        }
        for (step, sequence, index) in scratch.branches() {
            fold.branches.entry((*step, *sequence)).and_modify(|known| *known = (*known).min(*index)).or_insert(*index);
        }
        for (place, turns) in scratch.loops() {
            let once = Turns { least: *turns, most: *turns, executions: 1 };
            fold.loops.entry(*place).and_modify(|known| known.add(once)).or_insert(once);
        }
        fold.keep(facts, if opened { usize::MAX } else { SAMPLES });
    }

    fn define(&mut self, facts: &ExecutionFacts<'_>) {
        let Some(text) = facts.definition else { return };
        match &mut self.definition {
            Some(known) if *known.text == *text => known.start = known.start.max(facts.start),
            Some(known) => {
                self.other_definitions = true;
                if (facts.start, text) > (known.start, &*known.text) {
                    *known = DefinitionFold { start: facts.start, text: text.into() };
                }
            }
            None => self.definition = Some(DefinitionFold { start: facts.start, text: text.into() }),
        }
    }

    fn merge(&mut self, other: Self, opened: Option<&str>) {
        let (names, terms) = self.terms.adopt(&other.terms);
        let name = |name: Name| names[name.0 as usize];
        let term = |term: Term| terms[term.0 as usize];
        self.executions += other.executions;
        self.unsuccessful += other.unsuccessful;
        self.other_definitions |= other.other_definitions;
        self.other_definitions |=
            self.definition.as_ref().zip(other.definition.as_ref()).is_some_and(|(one, other)| one.text != other.text);
        self.definition = self.definition.take().max(other.definition);
        for (variant, theirs) in other.variants {
            let variant = term(variant);
            let is_opened = opened.is_some_and(|id| id == self.terms.id(variant));
            let ours = self.variants.entry(variant).or_default();
            ours.merge(theirs, &term, if is_opened { usize::MAX } else { SAMPLES });
        }
        for (key, count) in other.edges {
            self.edges.entry(key.renamed(&name)).or_default().merge(count);
        }
        for (state, count) in other.states {
            self.states.entry(name(state)).or_default().merge(&count);
        }
    }
}

impl VariantFold {
    fn keep(&mut self, facts: &ExecutionFacts<'_>, most: usize) {
        let start = std::cmp::Reverse(facts.start);
        let last = if self.samples.len() < most { None } else { self.samples.last() };
        if last.is_some_and(|last| (last.start, &*last.execution) <= (start, facts.execution)) {
            return;
        }
        let failure = facts.failure.filter(|_| facts.status.is_some_and(ExecutionStatus::is_unsuccessful));
        let sample = Sample {
            start,
            execution: facts.execution.into(),
            name: facts.name.into(),
            status: facts.status,
            stop: facts.stop,
            root_state: failure.and_then(|failure| failure.root_state).map(Into::into),
            root_error: failure.and_then(|failure| failure.root_error).map(Into::into),
        };
        if most == usize::MAX {
            self.samples.push(sample);
            return;
        }
        let position = self.samples.partition_point(|known| *known < sample);
        self.samples.insert(position, sample);
        self.samples.truncate(most);
    }

    fn merge(&mut self, other: Self, term: &impl Fn(Term) -> Term, most: usize) {
        self.executions += other.executions;
        self.failed += other.failed;
        self.redriven += other.redriven;
        self.retries += other.retries;
        self.durations.extend(other.durations);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        for ((step, sequence), count) in other.iterations {
            *self.iterations.entry((term(step), term(sequence))).or_default() += count;
        }
        for ((step, sequence), index) in other.branches {
            self.branches.entry((term(step), term(sequence))).and_modify(|known| *known = (*known).min(index)).or_insert(index);
        }
        for (place, turns) in other.loops {
            let place = LoopPlace { sequence: term(place.sequence), ..place };
            self.loops.entry(place).and_modify(|known| known.add(turns)).or_insert(turns);
        }
        self.samples.extend(other.samples);
        self.samples.sort_unstable();
        self.samples.truncate(most);
    }
}

impl Turns {
    fn add(&mut self, other: Self) {
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.executions += other.executions;
    }
}

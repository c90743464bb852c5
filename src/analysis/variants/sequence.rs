//! The visits of one execution to its sequence: innermost scopes first, without recursion.

use std::cmp::Reverse;

use super::LoopPlace;
use super::fold::Folder;
use super::terms::{Name, Step, Term, Terms};
use crate::model::{ExecutionFacts, StateType, VisitFacts};

/// What is worked out of one execution; made once and used for all.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    folder: Folder,
    /// By visit: the number of its state's name.
    pub names: Vec<Name>,
    /// By visit: what is inside, and the step itself once it is known.
    inside: Vec<Option<Term>>,
    steps: Vec<Option<Term>>,
    /// By visit, for a Parallel or Map: its last attempt; and whether the visit is of the last attempt of all that is around it.
    last_attempt: Vec<u32>,
    is_last: Vec<bool>,
    /// Visits in branches and iterations, by scope.
    nested: Vec<u32>,
    /// Every scope with a range of `kept`, the execution itself last.
    pub scopes: Vec<ScopeRange>,
    /// Visits by scope, without those that a redrive entered again.
    pub kept: Vec<u32>,
    parts: Vec<u32>,
    /// Map visits, and a sequence that one of their iterations took.
    taken: Vec<(u32, Term)>,
    /// Parallel visits, a sequence that one of their branches took, and which.
    branched: Vec<(u32, Term, u32)>,
    branches: Vec<(Term, Term, u32)>,
    iterations: Vec<(Term, Term, u64)>,
    loops: Vec<(LoopPlace, u32)>,
}

/// One after the other: the visits of the execution, a branch or an iteration.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScopeRange {
    pub parent: Option<u32>,
    pub from: usize,
    pub to: usize,
}

impl Scratch {
    /// The folded sequence of an execution; what else was found stays here until the next one.
    pub fn sequence_of(&mut self, facts: &ExecutionFacts<'_>, terms: &mut Terms) -> Term {
        let visits = facts.visits;
        self.clear(visits.len());
        self.names.extend(visits.iter().map(|visit| terms.name(visit.state)));
        self.nested.extend((0..visits.len()).filter(|position| parent(visits, *position).is_some()).map(number));
        if !self.nested.is_empty() {
            self.find_last_attempts(visits);
            self.inner_sequences(visits, terms);
        }
        let from = self.kept.len();
        for position in (0..visits.len()).filter(|position| parent(visits, *position).is_none()) {
            self.keep(visits, from, position);
        }
        self.scopes.push(ScopeRange { parent: None, from, to: self.kept.len() });
        let sequence = self.fold(visits, from, terms);
        self.collect_iterations();
        sequence
    }

    /// Steps of Map states, a sequence of their iterations and how many took it.
    pub fn iterations(&self) -> &[(Term, Term, u64)] {
        &self.iterations
    }

    /// Steps of Parallel states, a sequence of their branches and which branch that was.
    pub fn branches(&self) -> &[(Term, Term, u32)] {
        &self.branches
    }

    /// Places of loops and the most turns there.
    pub fn loops(&self) -> &[(LoopPlace, u32)] {
        &self.loops
    }

    fn clear(&mut self, visits: usize) {
        self.names.clear();
        self.nested.clear();
        self.scopes.clear();
        self.kept.clear();
        self.taken.clear();
        self.branched.clear();
        self.branches.clear();
        self.iterations.clear();
        self.loops.clear();
        self.inside.clear();
        self.inside.resize(visits, None);
        self.steps.clear();
        self.steps.resize(visits, None);
    }

    fn find_last_attempts(&mut self, visits: &[VisitFacts<'_>]) {
        self.last_attempt.clear();
        self.last_attempt.resize(visits.len(), 0);
        for position in &self.nested {
            let visit = &visits[*position as usize];
            if let Some(parent) = visit.parent {
                let last = &mut self.last_attempt[parent as usize];
                *last = (*last).max(attempt(visit));
            }
        }
        self.is_last.clear();
        for (position, visit) in visits.iter().enumerate() {
            let is_last = parent(visits, position)
                .is_none_or(|parent| self.is_last[parent as usize] && self.last_attempt[parent as usize] == attempt(visit));
            self.is_last.push(is_last);
        }
    }

    fn inner_sequences(&mut self, visits: &[VisitFacts<'_>], terms: &mut Terms) {
        let mut nested = std::mem::take(&mut self.nested);
        let scope = |position: &u32| {
            let visit = &visits[*position as usize];
            (Reverse(visit.parent), attempt(visit), visit.index)
        };
        // Those of a scope follow one another already, but other scopes come in between.
        nested.sort_by_key(scope);
        for around in nested.chunk_by(|one, other| visits[*one as usize].parent == visits[*other as usize].parent) {
            let Some(parent) = visits[around[0] as usize].parent else { continue };
            let is_map = visits[parent as usize].state_type == Some(StateType::Map);
            let mut parts = std::mem::take(&mut self.parts);
            parts.clear();
            for inside in around.chunk_by(|one, other| scope(one) == scope(other)) {
                let from = self.kept.len();
                for position in inside {
                    self.keep(visits, from, *position as usize);
                }
                self.scopes.push(ScopeRange { parent: Some(parent), from, to: self.kept.len() });
                if !self.is_last[inside[0] as usize] {
                    continue;
                }
                let sequence = self.fold(visits, from, terms);
                if is_map {
                    self.taken.push((parent, sequence));
                    parts.push(sequence.0);
                } else {
                    let index = visits[inside[0] as usize].index.unwrap_or_default();
                    self.branched.push((parent, sequence, u32::try_from(index).unwrap_or(u32::MAX)));
                    parts.push(sequence.0);
                }
            }
            if !parts.is_empty() {
                self.inside[parent as usize] = Some(if is_map { terms.iterations(&mut parts) } else { terms.branches(&mut parts) });
            }
            self.parts = parts;
        }
        self.nested = nested;
    }

    /// Adds a visit to the scope that begins at `from`. What a redrive entered again takes the place of what had not ended.
    fn keep(&mut self, visits: &[VisitFacts<'_>], from: usize, position: usize) {
        let visit = &visits[position];
        while let Some(before) = self.kept[from..].last().map(|before| &visits[*before as usize]) {
            let is_repeated = before.redrive < visit.redrive && before.exited_event_id.is_none() && before.state == visit.state;
            if !is_repeated || visit.state.is_empty() {
                break;
            }
            self.kept.pop();
        }
        self.kept.push(number(position));
    }

    fn fold(&mut self, visits: &[VisitFacts<'_>], from: usize, terms: &mut Terms) -> Term {
        self.folder.clear();
        for position in self.kept[from..].iter().map(|position| *position as usize) {
            let visit = &visits[position];
            let step = Step { state: self.names[position], outcome: visit.outcome, inside: self.inside[position] };
            let step = terms.step(step);
            self.steps[position] = Some(step);
            self.folder.push(step.0);
        }
        let sequence = terms.sequence(self.folder.sequence());
        let place = |from: u32, length: u32| LoopPlace { sequence, from, length };
        self.loops.extend(self.folder.loops().iter().map(|found| (place(found.from, found.length), found.turns)));
        sequence
    }

    /// One entry for each sequence of a Map, one for each place of a loop.
    fn collect_iterations(&mut self) {
        self.taken.sort_unstable();
        for same in self.taken.chunk_by(|one, other| one == other) {
            let (map, sequence) = same[0];
            if let Some(step) = self.steps[map as usize] {
                self.iterations.push((step, sequence, same.len() as u64));
            }
        }
        for (parallel, sequence, index) in &self.branched {
            self.branches.extend(self.steps[*parallel as usize].map(|step| (step, *sequence, *index)));
        }
        self.loops.sort_unstable_by_key(|(place, turns)| (*place, Reverse(*turns)));
        self.loops.dedup_by_key(|(place, _)| *place);
    }
}

/// The visit around this one, if it came before it.
fn parent(visits: &[VisitFacts<'_>], position: usize) -> Option<u32> {
    visits[position].parent.filter(|parent| (*parent as usize) < position)
}

fn attempt(visit: &VisitFacts<'_>) -> u32 {
    visit.parent_attempt.unwrap_or(1)
}

fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

//! What executions did, as numbers: equal numbers mean the same sequence, so that a known variant costs a few look-ups and no text.
//!
//! | term         | made of                                                                  |
//! |--------------|--------------------------------------------------------------------------|
//! | step         | a state, how its visit ended, and for a Parallel or Map what was inside   |
//! | sequence     | steps, folded                                                            |
//! | branches     | of a Parallel: the sequence of each, in whichever order they came        |
//! | iterations   | of a Map: the different sequences, however often each                    |
//! | variant      | how the execution ended, and its sequence                                |
//!
//! A term is made after what it is made of. Its digest is that of its contents, the same in every run and on every thread.

use std::fmt::Write as _;

use indexmap::IndexSet;
use sha2::{Digest, Sha256};

use crate::model::ExecutionStatus;
use crate::model::path::VisitOutcome;

/// The number of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Term(pub u32);

/// The number of a state's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name(pub u32);

/// One visit in a sequence. Its type follows from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub state: Name,
    pub outcome: VisitOutcome,
    /// Branches or iterations.
    pub inside: Option<Term>,
}

/// A term, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Step(Step),
    /// Steps.
    Sequence(&'a [u32]),
    /// Sequences, as often as they came.
    Branches(&'a [u32]),
    /// Sequences.
    Iterations(&'a [u32]),
    Variant {
        status: Option<ExecutionStatus>,
        sequence: Term,
    },
}

/// All terms and names of one state machine.
#[derive(Debug, Default)]
pub(super) struct Terms {
    names: IndexSet<Box<str>>,
    /// The kind of a term, and what it is made of.
    keys: IndexSet<Box<[u32]>>,
    digests: Vec<[u8; 32]>,
    key: Vec<u32>,
}

const STEP: u32 = 0;
const SEQUENCE: u32 = 1;
const BRANCHES: u32 = 2;
const ITERATIONS: u32 = 3;
const VARIANT: u32 = 4;

const STATUSES: [ExecutionStatus; 6] = [
    ExecutionStatus::Running,
    ExecutionStatus::Succeeded,
    ExecutionStatus::Failed,
    ExecutionStatus::TimedOut,
    ExecutionStatus::Aborted,
    ExecutionStatus::PendingRedrive,
];

const OUTCOMES: [VisitOutcome; 5] =
    [VisitOutcome::Open, VisitOutcome::Succeeded, VisitOutcome::Caught, VisitOutcome::Failed, VisitOutcome::Aborted];

impl Terms {
    pub fn name(&mut self, name: &str) -> Name {
        let position = self.names.get_index_of(name).unwrap_or_else(|| self.names.insert_full(name.into()).0);
        Name(number(position))
    }

    pub fn text(&self, name: Name) -> &str {
        self.names.get_index(name.0 as usize).map_or("", |name| name)
    }

    pub fn knows(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub fn names(&self) -> impl Iterator<Item = (Name, &str)> {
        self.names.iter().enumerate().map(|(position, name)| (Name(number(position)), &**name))
    }

    pub fn step(&mut self, step: Step) -> Term {
        let Step { state, outcome, inside } = step;
        self.intern(&[STEP, state.0, outcome_number(outcome), inside.map_or(0, |term| term.0 + 1)])
    }

    /// Of steps.
    pub fn sequence(&mut self, steps: &[u32]) -> Term {
        self.intern_all(SEQUENCE, steps)
    }

    /// Of sequences, in any order. Which branch of the definition is which is left out: only a definition tells, and names of
    /// states are different in each.
    pub fn branches(&mut self, sequences: &mut [u32]) -> Term {
        sequences.sort_unstable();
        self.intern_all(BRANCHES, sequences)
    }

    /// Of sequences, in any order and as often as they came; both are forgotten.
    pub fn iterations(&mut self, sequences: &mut Vec<u32>) -> Term {
        sequences.sort_unstable();
        sequences.dedup();
        self.intern_all(ITERATIONS, sequences)
    }

    pub fn variant(&mut self, status: Option<ExecutionStatus>, sequence: Term) -> Term {
        let status = STATUSES.iter().position(|known| Some(*known) == status).map_or(0, |position| number(position) + 1);
        self.intern(&[VARIANT, status, sequence.0])
    }

    /// The digest as an id: the version of its rule and 48 bits in hexadecimal digits.
    pub fn id(&self, term: Term) -> String {
        let mut id = "v1:".to_owned();
        for byte in &self.digests[term.0 as usize][..6] {
            // Writing to a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        id
    }

    pub fn digest(&self, term: Term) -> &[u8; 32] {
        &self.digests[term.0 as usize]
    }

    pub fn content(&self, term: Term) -> Content<'_> {
        let key = self.keys.get_index(term.0 as usize).map_or(&[][..], |key| key);
        match key {
            [STEP, state, outcome, inside] => Content::Step(Step {
                state: Name(*state),
                outcome: OUTCOMES[*outcome as usize % OUTCOMES.len()],
                inside: inside.checked_sub(1).map(Term),
            }),
            [BRANCHES, sequences @ ..] => Content::Branches(sequences),
            [ITERATIONS, sequences @ ..] => Content::Iterations(sequences),
            [VARIANT, status, sequence] => Content::Variant {
                status: status.checked_sub(1).and_then(|position| STATUSES.get(position as usize).copied()),
                sequence: Term(*sequence),
            },
            other => Content::Sequence(other.get(1..).unwrap_or_default()),
        }
    }

    /// Takes over the terms and names of another; what each of them is called here.
    pub fn adopt(&mut self, other: &Self) -> (Vec<Name>, Vec<Term>) {
        let names: Vec<Name> = other.names.iter().map(|name| self.name(name)).collect();
        let mut terms: Vec<Term> = Vec::with_capacity(other.keys.len());
        for position in 0..other.keys.len() {
            let here = |term: &u32| terms[*term as usize].0;
            let term = match other.content(Term(number(position))) {
                Content::Step(step) => {
                    let inside = step.inside.map(|inside| terms[inside.0 as usize]);
                    self.step(Step { state: names[step.state.0 as usize], inside, ..step })
                }
                Content::Sequence(steps) => {
                    let steps: Vec<u32> = steps.iter().map(here).collect();
                    self.sequence(&steps)
                }
                Content::Branches(sequences) => {
                    let mut sequences: Vec<u32> = sequences.iter().map(here).collect();
                    self.branches(&mut sequences)
                }
                Content::Iterations(sequences) => {
                    let mut sequences: Vec<u32> = sequences.iter().map(here).collect();
                    self.iterations(&mut sequences)
                }
                Content::Variant { status, sequence } => self.variant(status, terms[sequence.0 as usize]),
            };
            terms.push(term);
        }
        (names, terms)
    }

    fn intern_all(&mut self, kind: u32, parts: &[u32]) -> Term {
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.push(kind);
        key.extend_from_slice(parts);
        let term = self.intern(&key);
        self.key = key;
        term
    }

    fn intern(&mut self, key: &[u32]) -> Term {
        if let Some(position) = self.keys.get_index_of(key) {
            return Term(number(position));
        }
        let digest = self.digest_of(key);
        self.digests.push(digest);
        Term(number(self.keys.insert_full(key.into()).0))
    }

    fn digest_of(&self, key: &[u32]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(key[0].to_le_bytes());
        match key {
            [STEP, state, outcome, inside] => {
                let name = self.text(Name(*state));
                hash.update((name.len() as u64).to_le_bytes());
                hash.update(name.as_bytes());
                hash.update(outcome.to_le_bytes());
                if let Some(inside) = inside.checked_sub(1) {
                    hash.update(self.digest(Term(inside)));
                }
            }
            [VARIANT, status, sequence] => {
                hash.update(status.to_le_bytes());
                hash.update(self.digest(Term(*sequence)));
            }
            [kind, parts @ ..] => {
                let mut digests: Vec<&[u8; 32]> = parts.iter().map(|part| self.digest(Term(*part))).collect();
                // The numbers of terms, by which they are sorted, are not the same on every thread.
                if *kind != SEQUENCE {
                    digests.sort_unstable();
                }
                for digest in digests {
                    hash.update(digest);
                }
            }
            [] => {}
        }
        hash.finalize().into()
    }
}

fn outcome_number(outcome: VisitOutcome) -> u32 {
    OUTCOMES.iter().position(|known| *known == outcome).map_or(0, number)
}

fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(terms: &mut Terms, name: &str, inside: Option<Term>) -> u32 {
        let state = terms.name(name);
        terms.step(Step { state, outcome: VisitOutcome::Succeeded, inside }).0
    }

    #[test]
    fn what_is_the_same_has_one_number_and_one_id_wherever_it_was_met_first() {
        let (mut one, mut other) = (Terms::default(), Terms::default());
        let mut ids = Vec::new();
        for (terms, order) in [(&mut one, ["A", "B"]), (&mut other, ["B", "A"])] {
            for name in order {
                step(terms, name, None);
            }
            let a = step(terms, "A", None);
            let b = step(terms, "B", None);
            let (first, second) = (terms.sequence(&[a, b]), terms.sequence(&[b]));
            let inside = terms.iterations(&mut vec![second.0, first.0, second.0]);
            let map = step(terms, "Each", Some(inside));
            let whole = terms.sequence(&[map]);
            let variant = terms.variant(Some(ExecutionStatus::Failed), whole);
            ids.push((variant, terms.id(variant)));
        }
        assert_eq!(ids[0].1, ids[1].1);
        assert!(ids[0].1.starts_with("v1:") && ids[0].1.len() == 15, "{ids:?}");
        let (_, adopted) = one.adopt(&other);
        assert_eq!(adopted[ids[1].0.0 as usize], ids[0].0);
    }

    #[test]
    fn how_it_ended_makes_another_variant() {
        let mut terms = Terms::default();
        let a = step(&mut terms, "A", None);
        let sequence = terms.sequence(&[a]);
        let ended = |status, terms: &mut Terms| {
            let variant = terms.variant(status, sequence);
            terms.id(variant)
        };
        assert_ne!(ended(Some(ExecutionStatus::Failed), &mut terms), ended(Some(ExecutionStatus::TimedOut), &mut terms));
        assert_ne!(ended(None, &mut terms), ended(Some(ExecutionStatus::Running), &mut terms));
    }
}

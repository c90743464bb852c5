//! A variant as rows, depth first: loops, branches and iterations hold the rows below them that stand deeper.

use serde::Serialize;

use super::terms::{Content, Name, Term, Terms};
use super::{LoopPlace, VariantFold};
use crate::model::StateType;
use crate::model::path::VisitOutcome;

/// The most rows of one variant.
const MOST_ROWS: usize = 400;

/// A row of a variant's tree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// How many rows hold it.
    pub depth: u32,
    /// What it is.
    #[serde(flatten)]
    pub kind: RowKind,
}

/// What a row is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum RowKind {
    /// A visit. Rows below it are branches or iterations.
    Step {
        /// Its name; empty when the histories do not tell it.
        state: String,
        /// Where the histories tell.
        state_type: Option<StateType>,
        /// How it ended.
        outcome: VisitOutcome,
    },
    /// Steps that came round several times in a row, shown once.
    Loop {
        /// The fewest turns in an execution.
        turns_min: u32,
        /// The most turns in an execution.
        turns_max: u32,
    },
    /// A branch of the Parallel above.
    Branch {
        /// From 0.
        index: u32,
    },
    /// Iterations of the Map above that took the same sequence.
    Iterations {
        /// How many did, over all executions.
        iterations: u64,
    },
    /// What is not shown.
    More {
        /// How many rows there would be.
        rows: u64,
    },
}

/// What is still to be written, last first.
enum Work {
    Row(Row),
    Step(Term, u32),
    Sequence(Term, u32),
}

/// The rows of a variant.
pub(super) fn rows(variant: Term, fold: &VariantFold, terms: &Terms, type_of: impl Fn(Name) -> Option<StateType>) -> Vec<Row> {
    let Content::Variant { sequence, .. } = terms.content(variant) else { return Vec::new() };
    let mut rows: Vec<Row> = Vec::new();
    let mut hidden = 0;
    let mut waiting = vec![Work::Sequence(sequence, 0)];
    while let Some(work) = waiting.pop() {
        let mut add = |row: Row| if rows.len() < MOST_ROWS { rows.push(row) } else { hidden += 1 };
        let from = waiting.len();
        match work {
            Work::Row(row) => add(row),
            Work::Sequence(sequence, depth) => add_sequence(sequence, depth, fold, terms, &mut waiting),
            Work::Step(step, depth) => {
                let Content::Step(content) = terms.content(step) else { continue };
                let (state_type, outcome) = (type_of(content.state), content.outcome);
                let state = terms.text(content.state).to_owned();
                add(Row { depth, kind: RowKind::Step { state, state_type, outcome } });
                if let Some(inside) = content.inside {
                    add_inside(step, inside, depth + 1, fold, terms, &mut waiting);
                }
            }
        }
        waiting[from..].reverse();
    }
    if hidden > 0 {
        rows.push(Row { depth: 0, kind: RowKind::More { rows: hidden } });
    }
    rows
}

fn add_sequence(sequence: Term, depth: u32, fold: &VariantFold, terms: &Terms, waiting: &mut Vec<Work>) {
    let Content::Sequence(steps) = terms.content(sequence) else { return };
    let mut ends: Vec<u32> = Vec::new();
    let mut loops: Vec<(&LoopPlace, u32, u32)> = fold
        .loops
        .iter()
        .filter(|(place, _)| place.sequence == sequence)
        .map(|(place, turns)| (place, if turns.executions < fold.executions { 1 } else { turns.least }, turns.most))
        .collect();
    loops.sort_unstable_by_key(|(place, ..)| (place.from, std::cmp::Reverse(place.length)));
    let mut loops = loops.into_iter().peekable();
    for (position, step) in (0u32..).zip(steps) {
        while ends.last().is_some_and(|end| *end <= position) {
            ends.pop();
        }
        while let Some((place, turns_min, turns_max)) = loops.next_if(|(place, ..)| place.from <= position) {
            let end = place.from + place.length;
            // Executions may disagree about what is a loop of what.
            if ends.last().is_none_or(|around| end <= *around) {
                let depth = depth + depth_of(&ends);
                waiting.push(Work::Row(Row { depth, kind: RowKind::Loop { turns_min, turns_max } }));
                ends.push(end);
            }
        }
        waiting.push(Work::Step(Term(*step), depth + depth_of(&ends)));
    }
}

fn depth_of(ends: &[u32]) -> u32 {
    u32::try_from(ends.len()).unwrap_or(u32::MAX)
}

fn add_inside(step: Term, inside: Term, depth: u32, fold: &VariantFold, terms: &Terms, waiting: &mut Vec<Work>) {
    match terms.content(inside) {
        Content::Branches(sequences) => {
            let index = |sequence: Term| fold.branches.get(&(step, sequence)).copied().unwrap_or_default();
            let mut sequences: Vec<(u32, Term)> = sequences.iter().map(|sequence| (index(Term(*sequence)), Term(*sequence))).collect();
            sequences.sort_by_key(|(index, sequence)| (*index, *terms.digest(*sequence)));
            // Without a definition branches are numbered as they come, which is not the same in each execution.
            let is_sure = sequences.windows(2).all(|pair| pair[0].0 != pair[1].0);
            for (position, (index, sequence)) in (0u32..).zip(sequences) {
                let index = if is_sure { index } else { position };
                waiting.push(Work::Row(Row { depth, kind: RowKind::Branch { index } }));
                waiting.push(Work::Sequence(sequence, depth + 1));
            }
        }
        Content::Iterations(sequences) => {
            let count = |sequence: Term| fold.iterations.get(&(step, sequence)).copied().unwrap_or_default();
            let mut sequences: Vec<(u64, Term)> = sequences.iter().map(|sequence| (count(Term(*sequence)), Term(*sequence))).collect();
            sequences.sort_by_key(|(iterations, sequence)| (std::cmp::Reverse(*iterations), *terms.digest(*sequence)));
            for (iterations, sequence) in sequences {
                waiting.push(Work::Row(Row { depth, kind: RowKind::Iterations { iterations } }));
                waiting.push(Work::Sequence(sequence, depth + 1));
            }
        }
        _ => {}
    }
}

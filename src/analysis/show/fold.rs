//! The folded tree: iterations, branches and turns of loops that went alike are one row.
//!
//! Two visits are alike when they are of one state, ended alike, and so did their attempts and all that they hold. Likeness is
//! numbered from the innermost scopes outwards, so that each visit is looked at once and nothing recurses.

use std::collections::HashMap;
use std::hash::Hash;

use crate::model::path::{ScopeId, VisitId, VisitOutcome};
use crate::model::{ExecutionPath, StateType};

use super::{RowItem, ScopeReport, Spread, TreeRow, VisitReport};

/// The most states that one turn of a folded loop may have.
const LONGEST_TURN: usize = 16;
/// How often states must come round to be folded.
const FEWEST_TURNS: usize = 3;
/// How many groups of unlike branches or iterations are shown of one attempt.
const MOST_GROUPS: usize = 12;

/// Equal numbers mean alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct Likeness(u32);

/// Gives equal things the same number.
struct Numbers<K>(HashMap<K, Likeness>);

impl<K: Hash + Eq> Numbers<K> {
    fn of(&mut self, key: K) -> Likeness {
        let next = Likeness(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        *self.0.entry(key).or_insert(next)
    }
}

#[derive(PartialEq, Eq, Hash)]
struct VisitKey<'a> {
    state: Option<&'a str>,
    state_type: Option<StateType>,
    outcome: u8,
    error: Option<&'a str>,
    attempts: Vec<(u8, Option<&'a str>)>,
    /// Attempt, likeness and how many.
    scopes: Vec<(u32, Likeness, usize)>,
}

struct Alike {
    visits: Vec<Likeness>,
    scopes: Vec<Likeness>,
}

impl Alike {
    fn find(path: &ExecutionPath, visits: &[VisitReport]) -> Self {
        let mut alike = Self { visits: vec![Likeness::default(); path.visits.len()], scopes: vec![Likeness::default(); path.scopes.len()] };
        let mut by_depth: Vec<usize> = (0..path.scopes.len()).collect();
        by_depth.sort_by_key(|scope| std::cmp::Reverse(path.scopes[*scope].depth));
        let (mut visit_numbers, mut scope_numbers) = (Numbers(HashMap::new()), Numbers(HashMap::new()));
        for position in by_depth {
            let scope = &path.scopes[position];
            for visit in &scope.visits {
                alike.visits[visit.0 as usize] = visit_numbers.of(alike.key(path, *visit, &visits[visit.0 as usize]));
            }
            let inside: Vec<Likeness> = scope.visits.iter().map(|visit| alike.visits[visit.0 as usize]).collect();
            alike.scopes[position] = scope_numbers.of((scope.ending.map(|ending| ending as u8), inside));
        }
        alike
    }

    fn key<'v>(&self, path: &ExecutionPath, id: VisitId, report: &'v VisitReport) -> VisitKey<'v> {
        let visit = path.visit(id);
        let mut scopes: Vec<(u32, Likeness)> =
            visit.scopes.iter().map(|scope| (path.scope(*scope).attempt, self.scopes[scope.0 as usize])).collect();
        scopes.sort_unstable();
        VisitKey {
            state: report.state.as_deref(),
            state_type: visit.state_type,
            outcome: report.outcome as u8,
            error: report.error.as_deref(),
            attempts: report.attempts.iter().map(|attempt| (attempt.outcome as u8, attempt.error.as_deref())).collect(),
            scopes: scopes.chunk_by(|one, other| one == other).map(|same| (same[0].0, same[0].1, same.len())).collect(),
        }
    }
}

/// The tree of an execution, depth first.
pub(super) fn tree(path: &ExecutionPath, visits: &[VisitReport], scopes: &[ScopeReport]) -> Vec<TreeRow> {
    let alike = Alike::find(path, visits);
    let mut folder = Folder { path, visits, scopes, alike, waiting: Vec::new() };
    folder.expand_scope(ScopeId::EXECUTION, 0);
    let mut rows = Vec::new();
    while let Some(step) = folder.waiting.pop() {
        match step {
            Step::Row(row) => rows.push(row),
            Step::Scope(scope, depth) => folder.expand_scope(scope, depth),
            Step::Inside(visit, depth) => folder.expand_visit(visit, depth),
        }
    }
    rows
}

/// What is still to be written, last first.
enum Step {
    Row(TreeRow),
    /// The visits of a scope.
    Scope(ScopeId, u32),
    /// What a visit holds.
    Inside(VisitId, u32),
}

struct Folder<'a> {
    path: &'a ExecutionPath,
    visits: &'a [VisitReport],
    scopes: &'a [ScopeReport],
    alike: Alike,
    waiting: Vec<Step>,
}

impl Folder<'_> {
    fn expand_scope(&mut self, id: ScopeId, depth: u32) {
        let inside = &self.path.scope(id).visits;
        let likeness: Vec<(Likeness, u32)> =
            inside.iter().map(|visit| (self.alike.visits[visit.0 as usize], self.path.visit(*visit).run)).collect();
        let mut steps = Vec::new();
        let mut run = 0;
        let mut at = 0;
        while at < inside.len() {
            let visit = inside[at];
            let later = self.path.visit(visit).run;
            if id == ScopeId::EXECUTION {
                let redriven = (run + 1..=later).map(|run| Step::Row(TreeRow { depth, item: RowItem::Redriven { run: run as usize } }));
                steps.extend(redriven);
            }
            run = run.max(later);
            if let Some((length, turns)) = turns_at(&likeness[at..]) {
                steps.push(Step::Row(TreeRow { depth, item: self.folded_loop(&inside[at..at + length * turns], length) }));
                at += length * turns;
            } else {
                steps.push(Step::Row(TreeRow { depth, item: RowItem::Visit { visit: visit.0 as usize } }));
                steps.push(Step::Inside(visit, depth + 1));
                at += 1;
            }
        }
        self.waiting.extend(steps.into_iter().rev());
    }

    fn expand_visit(&mut self, id: VisitId, depth: u32) {
        let visit = self.path.visit(id);
        if visit.scopes.is_empty() {
            return;
        }
        let mut by_attempt: Vec<ScopeId> = visit.scopes.clone();
        by_attempt.sort_by_key(|scope| self.path.scope(*scope).attempt);
        let mut steps = Vec::new();
        for same_attempt in by_attempt.chunk_by(|one, other| self.path.scope(*one).attempt == self.path.scope(*other).attempt) {
            let attempt = (self.path.scope(same_attempt[0]).attempt as usize).saturating_sub(1);
            let mut depth = depth;
            if visit.attempts.len() > 1 && attempt < visit.attempts.len() {
                steps.push(Step::Row(TreeRow { depth, item: RowItem::Attempt { visit: id.0 as usize, attempt } }));
                depth += 1;
            }
            self.groups(same_attempt, depth, &mut steps);
        }
        self.waiting.extend(steps.into_iter().rev());
    }

    /// The branches or iterations of one attempt, alike ones together.
    fn groups(&self, scopes: &[ScopeId], depth: u32, steps: &mut Vec<Step>) {
        let mut positions: HashMap<Likeness, usize> = HashMap::new();
        let mut groups: Vec<Vec<ScopeId>> = Vec::new();
        for scope in scopes {
            let position = *positions.entry(self.alike.scopes[scope.0 as usize]).or_insert(groups.len());
            if position == groups.len() {
                groups.push(Vec::new());
            }
            groups[position].push(*scope);
        }
        for group in &mut groups {
            group.sort_by_key(|scope| self.path.scope(*scope).index);
        }
        groups.sort_by_key(|group| self.path.scope(group[0]).index);
        let hidden = self.without_room(&mut groups);
        for group in &groups {
            steps.push(Step::Row(TreeRow { depth, item: self.folded_scopes(group) }));
            steps.push(Step::Scope(group[0], depth + 1));
        }
        if !hidden.is_empty() {
            let scopes: Vec<ScopeId> = hidden.iter().flatten().copied().collect();
            let failed = scopes.iter().filter(|scope| self.report(**scope).outcome == VisitOutcome::Failed).count();
            let item = RowItem::More {
                kind: self.report(scopes[0]).kind,
                groups: hidden.len(),
                scopes: scopes.len(),
                failed,
                span: self.spread_of(&scopes),
            };
            steps.push(Step::Row(TreeRow { depth, item }));
        }
    }

    /// Takes out the groups that find no room; those that did not succeed stay first.
    fn without_room(&self, groups: &mut Vec<Vec<ScopeId>>) -> Vec<Vec<ScopeId>> {
        if groups.len() <= MOST_GROUPS {
            return Vec::new();
        }
        let matters = |group: &Vec<ScopeId>| weight(self.report(group[0]).outcome);
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|position| (std::cmp::Reverse(matters(&groups[*position])), *position));
        let mut keep = vec![false; groups.len()];
        order.iter().take(MOST_GROUPS).for_each(|position| keep[*position] = true);
        let (kept, hidden): (Vec<_>, Vec<_>) = std::mem::take(groups).into_iter().zip(keep).partition(|(_, keep)| *keep);
        *groups = kept.into_iter().map(|(group, _)| group).collect();
        hidden.into_iter().map(|(group, _)| group).collect()
    }

    fn report(&self, scope: ScopeId) -> &ScopeReport {
        &self.scopes[scope.0 as usize]
    }

    fn spread_of(&self, scopes: &[ScopeId]) -> Spread {
        Spread::of(scopes.iter().map(|scope| (self.report(*scope).offset_ms, self.report(*scope).duration_ms)))
    }

    fn folded_scopes(&self, group: &[ScopeId]) -> RowItem {
        let mut indices: Vec<(u64, u64)> = Vec::new();
        for scope in group {
            let index = self.path.scope(*scope).index;
            match indices.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(index) => *last = index,
                _ => indices.push((index, index)),
            }
        }
        RowItem::Scopes {
            kind: self.report(group[0]).kind,
            indices,
            shown: group[0].0 as usize,
            outcome: self.report(group[0]).outcome,
            durations: self.spread_of(group),
        }
    }

    fn folded_loop(&self, inside: &[VisitId], length: usize) -> RowItem {
        let report = |visit: &VisitId| &self.visits[visit.0 as usize];
        let turn = |visits: &[VisitId]| {
            let start = visits.first().and_then(|visit| report(visit).offset_ms);
            let end = visits.last().and_then(|visit| Some(report(visit).offset_ms? + report(visit).duration_ms?));
            (start, start.zip(end).map(|(start, end)| end - start))
        };
        RowItem::Loop {
            first_visit: inside[0].0 as usize,
            last_visit: inside[inside.len() - 1].0 as usize,
            states: inside[..length].iter().map(|visit| report(visit).state.clone()).collect(),
            outcome: inside[..length]
                .iter()
                .map(|visit| report(visit).outcome)
                .max_by_key(|outcome| weight(*outcome))
                .unwrap_or(VisitOutcome::Open),
            turns: Spread::of(inside.chunks(length).map(turn)),
        }
    }
}

/// How much an outcome matters to somebody who looks for what went wrong.
fn weight(outcome: VisitOutcome) -> u8 {
    match outcome {
        VisitOutcome::Succeeded => 0,
        VisitOutcome::Aborted => 1,
        VisitOutcome::Caught => 2,
        VisitOutcome::Open => 3,
        VisitOutcome::Failed => 4,
    }
}

/// The length of a turn and how many follow one another at the beginning; `None` when nothing comes round often enough.
fn turns_at<T: PartialEq>(rest: &[T]) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    for length in 1..=LONGEST_TURN.min(rest.len() / FEWEST_TURNS) {
        let turns = 1 + rest.chunks_exact(length).skip(1).take_while(|turn| *turn == &rest[..length]).count();
        let longer = best.is_none_or(|(other_length, other_turns)| length * turns > other_length * other_turns);
        if turns >= FEWEST_TURNS && longer {
            best = Some((length, turns));
        }
    }
    best
}

impl Spread {
    /// Of offsets and durations.
    fn of(times: impl Iterator<Item = (Option<i64>, Option<i64>)>) -> Self {
        let (mut count, mut first, mut last, mut durations) = (0, None::<i64>, None::<i64>, Vec::new());
        for (offset, duration) in times {
            count += 1;
            durations.extend(duration);
            if let Some(offset) = offset {
                first = Some(first.map_or(offset, |first| first.min(offset)));
                last = last.max(duration.map(|duration| offset + duration));
            }
        }
        durations.sort_unstable();
        Self {
            count,
            min_ms: durations.first().copied(),
            median_ms: median(&durations),
            max_ms: durations.last().copied(),
            offset_ms: first,
            duration_ms: first.zip(last).map(|(first, last)| last - first),
        }
    }
}

fn median(sorted: &[i64]) -> Option<i64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(i64::midpoint(sorted[middle - 1], upper))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{ShowReport, show};
    use super::*;
    use crate::model::builder::{HistoryBuilder, history, milliseconds, seconds};
    use crate::rebuild::rebuild;

    fn report(story: &HistoryBuilder) -> ShowReport {
        let built = story.build();
        show(&built, &rebuild(&built, None))
    }

    /// Each row as `depth what`.
    fn rows(report: &ShowReport) -> Vec<String> {
        let name = |visit: usize| report.visits[visit].state.clone().unwrap_or_default();
        let row = |row: &TreeRow| match &row.item {
            RowItem::Redriven { run } => format!("{} redriven {run}", row.depth),
            RowItem::Visit { visit } => format!("{} {}", row.depth, name(*visit)),
            RowItem::Loop { states, turns, .. } => {
                format!("{} {} x {}", row.depth, turns.count, states.iter().flatten().cloned().collect::<Vec<_>>().join(","))
            }
            RowItem::Attempt { attempt, .. } => format!("{} attempt {attempt}", row.depth),
            RowItem::Scopes { kind, indices, durations, .. } => {
                format!("{} {} {indices:?} of {}", row.depth, kind.name(), durations.count)
            }
            RowItem::More { groups, scopes, failed, .. } => format!("{} {groups} more groups, {scopes} scopes, {failed} failed", row.depth),
        };
        report.tree.iter().map(row).collect()
    }

    #[test]
    fn iterations_that_went_alike_are_one_row() {
        let mut orders = history("Orders");
        orders.enter_map("Each", json!([])).map_started(5);
        for index in 0..5 {
            let mut iteration = orders.iteration(index);
            iteration.enter_task("Call", json!(index)).taking(milliseconds(100 * (index + 1)));
            if index == 3 {
                iteration.attempt_failed("Throttled", None);
            }
            iteration.attempt_succeeded(json!(index)).exit(json!(index)).iteration_succeeded();
        }
        orders.composite_succeeded().exit(json!([])).execution_succeeded(json!([]));
        let report = report(&orders);
        assert_eq!(rows(&report), ["0 Each", "1 iteration [(0, 2), (4, 4)] of 4", "2 Call", "1 iteration [(3, 3)] of 1", "2 Call"]);
        let RowItem::Scopes { durations, .. } = &report.tree[1].item else { panic!("iterations") };
        assert_eq!((durations.min_ms, durations.median_ms, durations.max_ms), (Some(100), Some(250), Some(500)));
    }

    #[test]
    fn turns_of_a_loop_are_one_row_and_the_odd_one_stands_alone() {
        let mut orders = history("Orders");
        for _ in 0..4 {
            orders.wait("Pause", json!({}), seconds(30)).choice("Done?", json!({}));
        }
        orders.pass("End", json!({}), json!({})).execution_succeeded(json!({}));
        let report = report(&orders);
        assert_eq!(rows(&report), ["0 4 x Pause,Done?", "0 End"]);
        let RowItem::Loop { turns, .. } = &report.tree[0].item else { panic!("a loop") };
        assert_eq!((turns.median_ms, turns.duration_ms), (Some(30_000), Some(120_000)));
    }

    #[test]
    fn two_turns_are_no_loop() {
        let mut orders = history("Orders");
        for _ in 0..2 {
            orders.wait("Pause", json!({}), seconds(30)).choice("Done?", json!({}));
        }
        assert_eq!(rows(&report(&orders)).len(), 4);
    }

    #[test]
    fn the_states_of_a_turn_are_not_taken_for_turns_of_one() {
        assert_eq!(turns_at(&[1, 2, 1, 2, 1, 2, 9]), Some((2, 3)));
        assert_eq!(turns_at(&[1, 1, 1, 1]), Some((1, 4)));
        assert_eq!(turns_at(&[1, 1, 2, 1, 1, 2, 1, 1, 2]), Some((3, 3)));
        assert_eq!(turns_at(&[1, 2, 3, 4]), None);
        assert_eq!(turns_at::<u8>(&[]), None);
    }

    #[test]
    fn attempts_of_a_parallel_stand_apart() {
        let mut orders = history("Orders");
        orders.enter_parallel("Both", json!({})).parallel_started();
        let (mut left, _right) = (orders.branch(), orders.branch());
        left.enter_task("Call", json!({})).attempt_failed("Broken", None).scope_failed();
        orders.parallel_started();
        let mut left = orders.branch();
        left.enter_task("Call", json!({})).attempt_succeeded(json!({})).exit(json!({})).branch_succeeded();
        orders.composite_succeeded().exit(json!([]));
        assert_eq!(
            rows(&report(&orders)),
            ["0 Both", "1 attempt 0", "2 branch [(0, 0)] of 1", "3 Call", "1 attempt 1", "2 branch [(0, 0)] of 1", "3 Call"]
        );
    }

    #[test]
    fn among_many_unlike_iterations_the_failed_one_keeps_its_place() {
        let mut orders = history("Orders");
        orders.enter_map("Each", json!([])).map_started(40);
        for index in 0..39 {
            let mut iteration = orders.iteration(index);
            iteration.pass(&format!("Step{index}"), json!({}), json!({})).iteration_succeeded();
        }
        orders.iteration(39).enter_task("Broken", json!({})).attempt_failed("Broken", None).scope_failed();
        orders.composite_failed().execution_failed();
        let rows = rows(&report(&orders));
        assert!(rows.contains(&"1 iteration [(39, 39)] of 1".to_owned()), "{rows:?}");
        assert_eq!(rows.last().map(String::as_str), Some("1 28 more groups, 28 scopes, 0 failed"));
    }

    #[test]
    fn a_redrive_is_marked_before_what_it_ran_anew() {
        let mut orders = history("Orders");
        orders.pass("Start", json!({}), json!({})).enter_task("Call", json!({})).attempt_failed("Broken", None).execution_failed();
        orders.after(seconds(60)).redriven().attempt_succeeded(json!({})).exit(json!({}));
        orders.pass("End", json!({}), json!({})).execution_succeeded(json!({}));
        let report = report(&orders);
        assert_eq!(rows(&report), ["0 Start", "0 Call", "0 redriven 1", "0 End"]);
        let runs: Vec<(usize, usize)> = report.visits[1].attempts.iter().map(|attempt| (attempt.number as usize, attempt.run)).collect();
        assert_eq!(runs, [(1, 1), (1, 2)]);
    }

    #[test]
    fn nesting_as_deep_as_a_path_may_be_does_not_recurse() {
        let mut cursors = vec![history("Deep")];
        for depth in 0..200 {
            let cursor = &mut cursors[depth];
            let inner = cursor.enter_parallel(&format!("Level{depth}"), Value::Null).parallel_started().branch();
            cursors.push(inner);
        }
        let report = report(&cursors[0]);
        assert_eq!(report.tree.len(), 399);
        assert_eq!(report.tree.last().map(|row| row.depth), Some(398));
        assert!(serde_json::to_string(&report).is_ok());
    }
}

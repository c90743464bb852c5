//! Waves: windows in which more executions retry than chance explains, and which of them are one storm.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::background::{Background, FEWEST, SECOND, WIDTHS, is_counted};
use super::retries::Tried;
use super::seen::Wave;
use crate::analysis::observed::Class;
use crate::analysis::sets::Sets;

/// Waves of other executions further apart than this are of two storms: nothing tells that the fault lasted. A parent that retries starts
/// its children again after a wait of its own, which may be longer than theirs.
const FAR: i64 = 180 * SECOND;
/// A pause at least this long between two waves, in which calls succeed, parts two storms.
const RECOVERY: i64 = 10 * SECOND;
/// So many calls have to succeed in it.
const RECOVERED_CALLS: u64 = 5;
/// Retries with the same number, further apart than this, are of two waves.
const BETWEEN_WAVES: i64 = 2 * SECOND;
/// Or further apart than one in so many parts of the wait before them, where that is longer.
const PARTS_OF_WAIT: i64 = 8;

/// Which of the retries (by time) lie in a window with more executions than chance explains.
pub(super) fn marked(retries: &[Tried], background: &mut Background) -> Vec<bool> {
    let mut marks = vec![false; retries.len()];
    for width in WIDTHS {
        let counted: Vec<usize> = (0..retries.len()).filter(|at| is_counted(retries[*at].retry.wait, width)).collect();
        let mut inside: HashMap<u32, u32, RandomState> = HashMap::default();
        let (mut left, mut marked_to) = (0, 0);
        for (right, at) in counted.iter().enumerate() {
            *inside.entry(retries[*at].execution).or_insert(0) += 1;
            let end = retries[*at].retry.scheduled;
            while end.0.saturating_sub(retries[counted[left]].retry.scheduled.0) >= width {
                leave(&mut inside, retries[counted[left]].execution);
                left += 1;
            }
            let executions = inside.len() as u64;
            if executions >= FEWEST && executions >= background.fewest(end, width) {
                for position in &counted[left.max(marked_to)..=right] {
                    marks[*position] = true;
                }
                marked_to = right + 1;
            }
        }
    }
    marks
}

fn leave(inside: &mut HashMap<u32, u32, RandomState>, execution: u32) {
    if let Some(count) = inside.get_mut(&execution) {
        *count -= 1;
        if *count == 0 {
            inside.remove(&execution);
        }
    }
}

/// The marked retries by storm, each by time; the storms by their first.
///
/// Two belong together that are of one visit, however long it waited between them; or that follow each other closely, unless calls
/// succeeded in between.
pub(super) fn storms(retries: &[Tried], marks: &[bool], class: &Class) -> Vec<Vec<usize>> {
    let marked: Vec<usize> = (0..retries.len()).filter(|at| marks[*at]).collect();
    if marked.is_empty() {
        return Vec::new();
    }
    let ends = Ends::of(class);
    let mut sets = Sets::new(marked.len());
    let mut last: HashMap<(u32, u32), usize, RandomState> = HashMap::default();
    for (at, position) in marked.iter().enumerate() {
        let tried = &retries[*position];
        // Retries made by hand are visits of their own: there the execution is what stays.
        let whose = (tried.execution, if tried.retry.by_hand { u32::MAX } else { tried.visit });
        if let Some(before) = last.insert(whose, at) {
            let same_wait = !tried.retry.by_hand || tried.retry.wait.saturating_mul(3) >= gap(retries, marked[before], *position);
            if same_wait {
                sets.join(before, at);
            }
        }
    }
    for at in 1..marked.len() {
        let (before, position) = (marked[at - 1], marked[at]);
        if gap(retries, before, position) <= FAR && !ends.recovered(&retries[before], &retries[position]) {
            sets.join(at - 1, at);
        }
    }
    let mut by_root: HashMap<usize, usize, RandomState> = HashMap::default();
    let mut found: Vec<Vec<usize>> = Vec::new();
    for (at, position) in marked.iter().enumerate() {
        let root = sets.root(at);
        let set = *by_root.entry(root).or_insert_with(|| {
            found.push(Vec::new());
            found.len() - 1
        });
        found[set].push(*position);
    }
    found
}

fn gap(retries: &[Tried], before: usize, after: usize) -> i64 {
    retries[after].retry.scheduled.0.saturating_sub(retries[before].retry.scheduled.0)
}

/// When the calls of a state ended, and how.
struct Ends {
    /// By time, with how many had failed before.
    ended: Vec<(i64, u64)>,
}

impl Ends {
    fn of(class: &Class) -> Self {
        let mut ends: Vec<(i64, bool)> =
            class.attempts.iter().filter_map(|attempt| Some((attempt.ended?.0, attempt.has_failed()))).collect();
        ends.sort_unstable();
        let mut failed = 0;
        let count = |(at, has_failed): (i64, bool)| {
            let before = (at, failed);
            failed += u64::from(has_failed);
            before
        };
        Self { ended: ends.into_iter().map(count).collect() }
    }

    /// Whether calls succeeded for a while between one retry and the failure that led to the other.
    fn recovered(&self, one: &Tried, other: &Tried) -> bool {
        // The wave that the first retry belongs to may have been what succeeded; and the first failures of a fault and the last
        // answers before it may be a second apart.
        let (from, to) = (one.retry.scheduled.0.saturating_sub(BETWEEN_WAVES), other.retry.failed.0.saturating_sub(SECOND));
        if to.saturating_sub(from) < RECOVERY {
            return false;
        }
        let start = self.ended.partition_point(|(at, _)| *at < from);
        let end = self.ended.partition_point(|(at, _)| *at < to);
        let (Some(first), Some(last)) = (self.ended.get(start), self.ended.get(end)) else { return false };
        let calls = (end - start) as u64;
        let failed = last.1 - first.1;
        calls - failed >= RECOVERED_CALLS && failed * 10 <= calls
    }
}

/// The waves among a storm's retries (by time), by their beginning: retries with the same number, close to each other, of at least as many executions as a
/// storm takes. Positions are those in `retries`.
pub(super) fn waves(retries: &[Tried], background: &mut Background) -> Vec<Wave> {
    let mut open: HashMap<(bool, u32), Vec<usize>, RandomState> = HashMap::default();
    let mut closed: Vec<Vec<usize>> = Vec::new();
    for (at, tried) in retries.iter().enumerate() {
        let wave = open.entry((tried.retry.by_hand, tried.retry.number)).or_default();
        if wave.last().is_some_and(|last| gap(retries, *last, at) > BETWEEN_WAVES.max(tried.retry.wait / PARTS_OF_WAIT)) {
            closed.push(std::mem::take(wave));
        }
        wave.push(at);
    }
    closed.extend(open.into_values());
    let mut waves: Vec<Wave> = closed.into_iter().filter_map(|members| wave(retries, members, background)).collect();
    waves.sort_by_key(|wave| (wave.from, wave.retries.first().copied()));
    waves
}

fn wave(retries: &[Tried], members: Vec<usize>, background: &mut Background) -> Option<Wave> {
    let executions = distinct(members.iter().map(|at| retries[*at].execution));
    let (first, last) = (*members.first()?, *members.last()?);
    if executions < FEWEST {
        return None;
    }
    let (from, to) = (retries[first].retry.scheduled, retries[last].retry.scheduled);
    let longest = members.iter().map(|at| retries[*at].retry.wait).max()?;
    let densest = WIDTHS.into_iter().filter(|width| is_counted(longest, *width)).map(|width| {
        let most = most_at_once(retries, &members, width);
        (width, most, background.probability(from, width, most))
    });
    // The narrower window of two that are equally unlikely.
    let (window, most, probability) = densest.min_by(|one, other| one.2.total_cmp(&other.2))?;
    let failed_again = members.iter().filter(|at| retries[**at].failed_again).count() as u64;
    Some(Wave {
        from,
        to,
        executions,
        failed_again,
        window,
        most,
        expected: background.expected(from, window),
        probability,
        retries: members,
    })
}

/// The most executions in any window of this width.
fn most_at_once(retries: &[Tried], members: &[usize], width: i64) -> u64 {
    let mut inside: HashMap<u32, u32, RandomState> = HashMap::default();
    let (mut left, mut most) = (0, 0);
    for at in members {
        *inside.entry(retries[*at].execution).or_insert(0) += 1;
        while gap(retries, members[left], *at) >= width {
            leave(&mut inside, retries[members[left]].execution);
            left += 1;
        }
        most = most.max(inside.len());
    }
    most as u64
}

/// How many different ones there are.
pub(super) fn distinct(executions: impl Iterator<Item = u32>) -> u64 {
    let mut all: Vec<u32> = executions.collect();
    all.sort_unstable();
    all.dedup();
    all.len() as u64
}

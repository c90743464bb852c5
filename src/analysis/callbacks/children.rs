//! A wait for a child execution takes the verdict of what the child waits for.
//!
//! A parent is answered when its child ends, so what its own state usually takes says less than the child's open waits do. A child
//! that was not among the executions, or that does not wait for anybody, leaves the parent to the statistics of its own state, but
//! for stuck: a child that was read and works at something has not lost its way back.

use std::collections::HashMap;

use super::assemble::Draft;
use super::report::Verdict;
use super::waits::WaitsFor;
use crate::analysis::observed::{Name, Observed};

/// Children of children of children: as deep as anybody nests, and an end for those that name each other.
const DEEPEST: usize = 16;

/// Gives parents the verdicts of their children.
pub(super) fn inherit(observed: &Observed, drafts: &mut [(usize, Vec<Draft>)]) {
    if !drafts.iter().flat_map(|(_, drafts)| drafts).any(|draft| draft.waiting.waits_for == WaitsFor::ChildExecution) {
        return;
    }
    let mut of_execution: HashMap<Name, usize> = HashMap::new();
    for (at, execution) in observed.executions.iter().enumerate() {
        of_execution.insert(execution.arn, at);
    }
    for _ in 0..DEEPEST {
        let mut worst: HashMap<usize, Verdict> = HashMap::new();
        for draft in drafts.iter().flat_map(|(_, drafts)| drafts) {
            let known = worst.entry(draft.execution as usize).or_insert(draft.waiting.verdict);
            *known = draft.waiting.verdict.min(*known);
        }
        let mut is_changed = false;
        for draft in drafts.iter_mut().flat_map(|(_, drafts)| drafts) {
            if draft.waiting.waits_for == WaitsFor::ChildExecution {
                is_changed |= from_child(observed, &of_execution, &worst, draft);
            }
        }
        if !is_changed {
            break;
        }
    }
}

/// Looks at the child; whether that changed the verdict.
fn from_child(observed: &Observed, of_execution: &HashMap<Name, usize>, worst: &HashMap<usize, Verdict>, draft: &mut Draft) -> bool {
    let waiting = &mut draft.waiting;
    let child = waiting.child.as_deref().and_then(|child| observed.names.find(child)).and_then(|child| of_execution.get(&child));
    let Some(child) = child else {
        waiting.child_verdict = waiting.child.as_ref().map(|_| "not_read".to_owned());
        return false;
    };
    let execution = &observed.executions[*child];
    let status = || execution.status.map_or("status not known", |status| status.name());
    let inherited = worst.get(child).copied();
    let told = inherited.map_or_else(|| status().to_owned(), |verdict| verdict.name().to_owned());
    let verdict = match inherited {
        Some(verdict) => verdict,
        None if waiting.verdict == Verdict::Stuck => Verdict::Late,
        None => waiting.verdict,
    };
    let is_changed = waiting.verdict != verdict;
    if waiting.child_verdict.as_ref() != Some(&told) {
        let ground = match inherited {
            Some(verdict) => format!("its child execution waits in turn, and that wait is {}: look there", verdict.name()),
            None if execution.is_running() => "its child execution runs and waits for nobody: look there".to_owned(),
            None => format!("its child execution has ended ({}): the two may have been read at different times", status()),
        };
        waiting.grounds.retain(|ground| !ground.starts_with("its child execution"));
        waiting.grounds.insert(0, ground);
        waiting.child_verdict = Some(told);
    }
    waiting.verdict = verdict;
    draft.is_inherited |= inherited.is_some();
    is_changed
}

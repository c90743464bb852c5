//! Rules about compensation: what earlier steps did is undone, in reverse order, when a later one fails (a saga).
//!
//! A saga is recognised only where it is certain:
//!
//! | what must be there                                                                                                       |
//! |--------------------------------------------------------------------------------------------------------------------------|
//! | a chain of states one after another, which no normal way reaches: two Tasks in it at least are named for undoing something |
//! | at least two steps on one normal way, each with a Catch for all errors that leads into that chain                         |
//! | these enter it at two different places at least                                                                           |
//!
//! Which step is undone by which Task is never guessed: the rules compare where the steps enter the chain.

use std::collections::BTreeMap;

use super::pages;
use crate::analysis::audit::handlers::{catchers, is_open, listed};
use crate::analysis::audit::rule::{Level, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        id: "saga-step-not-undone",
        level: Level::Error,
        title: "Whatever fails, the steps before are undone",
        reason: "A step of a saga whose failure does not lead to the compensation leaves the work of the steps before it half done.",
        source: pages::SAGA,
        check: not_undone,
    },
    Rule {
        id: "saga-undone-in-part",
        level: Level::Error,
        title: "A later failure undoes at least as much as an earlier one",
        reason: "Steps are undone in reverse order, so the later a step fails, the more there is to undo.",
        source: pages::SAGA,
        check: undone_in_part,
    },
    Rule {
        id: "undo-without-retry",
        level: Level::Warning,
        title: "Compensation is retried",
        reason: "Nothing undoes a failed compensation: one passing error in it leaves the work half done for good.",
        source: pages::SAGA,
        check: undo_without_retry,
    },
];

/// Words for undoing, as the name of a state begins or contains them.
const UNDOING: &[&str] =
    &["cancel", "refund", "undo", "revert", "rollback", "roll", "compensate", "compensation", "reverse", "void", "unreserve", "release"];

/// A saga.
struct Saga {
    /// The chain that undoes, from its first state on.
    chain: Vec<usize>,
    /// Positions in the chain of Tasks that undo.
    undo: Vec<usize>,
    /// Steps in the order of the normal way, each with its place in the chain.
    steps: Vec<(usize, usize)>,
}

fn sagas(subject: &Subject<'_>) -> Vec<Saga> {
    let mut found = Vec::new();
    for block in &subject.blocks {
        let Some(start) = block.start_at else { continue };
        let mut normal = vec![false; subject.states.len()];
        let mut way = Vec::new();
        let mut at = start;
        // Along the one normal way: whatever forks is followed no further.
        while !std::mem::replace(&mut normal[at], true) {
            way.push(at);
            match subject.states[at].next.as_slice() {
                [next] => at = *next,
                _ => break,
            }
        }
        for next in subject.reached_from(start) {
            normal[next] = true;
        }
        // Chains by their last state, which all that enter the same one share.
        let mut by_end: BTreeMap<usize, Vec<(usize, Vec<usize>)>> = BTreeMap::new();
        for step in way {
            let state = &subject.states[step];
            let catches = catchers(state).into_iter().find(|catcher| catcher.takes_all());
            let target = catches.and_then(|catcher| state.catches.get(catcher.index).copied().flatten());
            if let Some(chain) = target.and_then(|target| chain_from(subject, target, &normal)) {
                by_end.entry(chain[chain.len() - 1]).or_default().push((step, chain));
            }
        }
        for entered in by_end.into_values() {
            found.extend(saga(subject, entered));
        }
    }
    found
}

/// The states from a handler to an end, one after another; `None` where the way forks or joins the normal one.
fn chain_from(subject: &Subject<'_>, from: usize, normal: &[bool]) -> Option<Vec<usize>> {
    let mut chain = Vec::new();
    let mut at = from;
    loop {
        if normal[at] || chain.contains(&at) || chain.len() > subject.states.len() {
            return None;
        }
        chain.push(at);
        let state = &subject.states[at];
        match state.next.as_slice() {
            [] if state.get("Next").is_none() && state.state_type() != "Choice" => return Some(chain),
            [next] if state.state_type() != "Choice" => at = *next,
            _ => return None,
        }
    }
}

fn saga(subject: &Subject<'_>, entered: Vec<(usize, Vec<usize>)>) -> Option<Saga> {
    let chain = entered.iter().map(|(_, chain)| chain).max_by_key(|chain| chain.len())?.clone();
    let undo: Vec<usize> = (0..chain.len()).filter(|place| undoes(&subject.states[chain[*place]])).collect();
    let place = |entry: &[usize]| chain.iter().position(|state| *state == entry[0]);
    let steps: Vec<(usize, usize)> = entered.iter().filter_map(|(step, entry)| Some((*step, place(entry)?))).collect();
    let mut places: Vec<usize> = steps.iter().map(|(_, place)| *place).collect();
    places.sort_unstable();
    places.dedup();
    // Two of the places must stand for different things to undo.
    let amounts = |place: &usize| undo.iter().filter(|undo| *undo >= place).count();
    let mut undone: Vec<usize> = places.iter().map(amounts).collect();
    undone.dedup();
    (undo.len() >= 2 && undone.len() >= 2).then_some(Saga { chain, undo, steps })
}

/// Whether a Task is named for undoing something.
fn undoes(state: &StateAt<'_>) -> bool {
    let mut words: Vec<String> = vec![String::new()];
    let mut previous_is_small = false;
    for mark in state.name.chars() {
        if !mark.is_alphabetic() || (mark.is_uppercase() && previous_is_small) {
            words.push(String::new());
        }
        previous_is_small = mark.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| mark.is_alphabetic()) {
            word.extend(mark.to_lowercase());
        }
    }
    state.state_type() == "Task" && words.iter().any(|word| UNDOING.contains(&word.as_str()))
}

/// Said of Tasks between the first step and the last: when they fail, nothing of the chain runs. Does not apply where a Catch is still to
/// be put in, or where the failure leads anywhere at all.
fn not_undone(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for saga in sagas(subject) {
        let (Some((first, _)), Some((last, _))) = (saga.steps.first(), saga.steps.last()) else { continue };
        let mut at = *first;
        let mut before = *first;
        // The way between two steps of one way has no fork.
        while let [next] = subject.states[at].next.as_slice() {
            at = *next;
            let state = &subject.states[at];
            let is_step = matches!(state.state_type(), "Task" | "Map" | "Parallel");
            let all = catchers(state);
            let leads_somewhere = all.iter().any(|catcher| catcher.names.is_none() || catcher.takes_all());
            if at == *last {
                break;
            }
            if is_step && !leads_somewhere && !is_open(state, "Catch") {
                // What the next step's failure would undo, this one's should.
                let Some(rest) = undone_after(&saga, subject, before) else { continue };
                let how = if all.is_empty() { "has no Catch" } else { "catches some errors only" };
                found.push(Violation {
                    pointer: state.pointer.clone(),
                    message: format!(
                        "{} {how}: when it fails, {rest} does not run, though {} is done",
                        state.name, subject.states[before].name
                    ),
                    fix: None,
                });
            }
            if is_step && leads_somewhere {
                before = at;
            }
        }
    }
}

/// What is undone when a step fails, in the words of a sentence.
fn undone_after(saga: &Saga, subject: &Subject<'_>, step: usize) -> Option<String> {
    let (_, place) = saga.steps.iter().find(|(known, _)| *known == step)?;
    let names: Vec<&str> = saga.undo.iter().filter(|undo| *undo >= place).map(|undo| subject.states[saga.chain[*undo]].name).collect();
    (!names.is_empty()).then(|| listed(&names))
}

/// Said of a step that enters the chain behind a Task that an earlier step's failure runs. Does not apply to steps that lead elsewhere.
fn undone_in_part(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for saga in sagas(subject) {
        for (position, (step, place)) in saga.steps.iter().enumerate() {
            let earliest = saga.steps[..position].iter().min_by_key(|(_, place)| *place);
            let Some((earlier, from)) = earliest.filter(|(_, from)| from < place) else { continue };
            let skipped = saga.undo.iter().filter(|undo| *undo >= from && *undo < place);
            let names: Vec<&str> = skipped.map(|undo| subject.states[saga.chain[*undo]].name).collect();
            if names.is_empty() {
                continue;
            }
            let state = &subject.states[*step];
            found.push(Violation {
                pointer: state.member("Catch"),
                message: format!(
                    "When {} fails, {} does not run, though it does when {} fails, which comes before",
                    state.name,
                    listed(&names),
                    subject.states[*earlier].name
                ),
                fix: None,
            });
        }
    }
}

/// Does not apply where the Task has any retrier, or where `Retry` is still to be put in.
fn undo_without_retry(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    let mut undo: Vec<usize> = sagas(subject).iter().flat_map(|saga| saga.undo.iter().map(|place| saga.chain[*place])).collect();
    undo.sort_unstable();
    undo.dedup();
    for state in undo.into_iter().map(|at| &subject.states[at]) {
        if state.retriers().is_empty() && !is_open(state, "Retry") {
            found.push(Violation {
                pointer: state.pointer.clone(),
                message: format!("{} undoes a step and has no Retry: if it fails once, nothing undoes that step", state.name),
                fix: None,
            });
        }
    }
}

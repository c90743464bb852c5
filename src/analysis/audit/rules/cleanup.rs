//! The rule about what is made for the time of an execution and left behind when a step fails.

use super::pages;
use crate::analysis::audit::call::{Call, Integration};
use crate::analysis::audit::handlers::{catchers, is_open};
use crate::analysis::audit::rule::{Level, Rule, Violation};
use crate::analysis::audit::subject::Subject;

/// The rules of this file.
pub const RULES: &[Rule] = &[Rule {
    id: "cleanup-skipped-by-failure",
    level: Level::Warning,
    title: "What is made for an execution is taken away after a failure, too",
    reason: "A failed execution stops where it is: what it has started runs on, and is paid for.",
    source: pages::ERROR_HANDLING,
    check: skipped,
}];

/// Calls that take back what another call of the same service has done to the same kind of thing.
const OPPOSITES: &[(&str, &[&str])] = &[
    ("create", &["delete", "terminate"]),
    ("start", &["stop", "terminate"]),
    ("run", &["terminate", "stop"]),
    ("attach", &["detach"]),
    ("enable", &["disable"]),
    ("lock", &["unlock"]),
];

/// Does not apply unless every way from the first call that ends well leads through the second: only then it is certain that the author
/// wants it taken back. Nor where a name or a Catch on the way is still to be put in.
fn skipped(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    let calls: Vec<(usize, Integration<'_>)> = subject
        .states
        .iter()
        .enumerate()
        .filter_map(|(at, state)| match Call::of(state) {
            Call::Integration(call) => Some((at, call)),
            _ => None,
        })
        .collect();
    for (made, call) in &calls {
        // What stands around may catch it and take back elsewhere.
        if subject.states[*made].enclosing.iter().any(|at| subject.states[*at].get("Catch").is_some()) {
            continue;
        }
        let opposite = |other: &Integration<'_>| is_opposite(call, other);
        let block = subject.states[*made].block;
        let undone: Vec<usize> =
            calls.iter().filter(|(at, other)| subject.states[*at].block == block && opposite(other)).map(|(at, _)| *at).collect();
        if undone.is_empty() {
            continue;
        }
        let Some(between) = always_before(subject, *made, &undone) else { continue };
        let leaks = between.iter().copied().find(|at| {
            let state = &subject.states[*at];
            matches!(state.state_type(), "Task" | "Map" | "Parallel") && !is_open(state, "Catch") && !failure_reaches(subject, *at, &undone)
        });
        if let Some(leak) = leaks {
            let (made, leak, undone) = (&subject.states[*made], &subject.states[leak], &subject.states[undone[0]]);
            found.push(Violation {
                pointer: leak.pointer.clone(),
                message: format!("When {} fails, {} is skipped, and what {} made is left behind", leak.name, undone.name, made.name),
                fix: None,
            });
        }
    }
}

fn is_opposite(call: &Integration<'_>, other: &Integration<'_>) -> bool {
    let rest = |action: &str, verb: &str| {
        let rest = action.strip_prefix(verb)?;
        let rest = rest.strip_suffix('s').unwrap_or(rest);
        (!rest.is_empty()).then(|| rest.to_owned())
    };
    call.service == other.service
        && OPPOSITES.iter().any(|(verb, opposites)| {
            rest(call.action, verb)
                .is_some_and(|thing| opposites.iter().any(|opposite| rest(other.action, opposite).as_ref() == Some(&thing)))
        })
}

/// The states between a call and those that take it back, when every way that ends well leads through one of these; `None` otherwise.
fn always_before(subject: &Subject<'_>, made: usize, undone: &[usize]) -> Option<Vec<usize>> {
    let mut seen = vec![false; subject.states.len()];
    let mut open = vec![made];
    let mut reached = false;
    while let Some(at) = open.pop() {
        if undone.contains(&at) {
            reached = true;
            continue;
        }
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        let state = &subject.states[at];
        let has_open_way = ["Next", "Default"].iter().any(|field| state.get(field).is_some_and(crate::asl::source::Node::is_substitution));
        if has_open_way || (state.next.is_empty() && state.state_type() != "Fail") {
            return None;
        }
        open.extend(&state.next);
    }
    let between = (0..seen.len()).filter(|at| seen[*at] && *at != made).collect();
    reached.then_some(between)
}

/// Whether a failure of a state leads to one of those that take back, by whatever catches it.
fn failure_reaches(subject: &Subject<'_>, at: usize, undone: &[usize]) -> bool {
    let state = &subject.states[at];
    catchers(state).iter().filter(|catcher| catcher.names.is_none() || catcher.takes_all()).any(|catcher| {
        match state.catches.get(catcher.index).copied().flatten() {
            None => true,
            Some(target) => leads_to(subject, target, undone),
        }
    })
}

/// Whether one of the wanted states is on a way from here, catchers included.
fn leads_to(subject: &Subject<'_>, from: usize, wanted: &[usize]) -> bool {
    let mut seen = vec![false; subject.states.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if wanted.contains(&at) {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            let state = &subject.states[at];
            open.extend(state.next.iter().copied().chain(state.catches.iter().flatten().copied()));
        }
    }
    false
}

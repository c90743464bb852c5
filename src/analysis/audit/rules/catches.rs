//! Rules about what a Catch does to the work: the input that its handler no longer sees, and failures that end as successes.

use super::pages;
use crate::analysis::audit::aftermath::{Aftermath, after_catch};
use crate::analysis::audit::handlers::{Handler, catchers, listed};
use crate::analysis::audit::rule::{Fix, Level, Operation, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        id: "catch-breaks-handler",
        level: Level::Error,
        title: "What a handler reads is there",
        reason: "A Catch without ResultPath hands on the error alone, and a handler that reads the input fails in turn, where nothing \
                 catches it.",
        source: pages::RESULT_PATH,
        check: breaks_handler,
    },
    Rule {
        id: "catch-loses-input",
        level: Level::Note,
        title: "A handler knows what failed",
        reason: "A Catch without ResultPath puts the error in the place of the input, so that its handler can't tell which work it was.",
        source: pages::RESULT_PATH,
        check: loses_input,
    },
    Rule {
        id: "catch-hides-failure",
        level: Level::Note,
        title: "A failure does not end as a success",
        reason: "An execution that ends as succeeded after any error is in no metric of failures, and no alarm rings.",
        source: pages::ERROR_HANDLING,
        check: hides_failure,
    },
];

/// Each catcher that puts the error in the place of the input, with what comes of it.
fn replacing<'s>(subject: &Subject<'s>) -> Vec<(usize, Handler<'s>, usize, Aftermath)> {
    let mut found = Vec::new();
    for (at, state) in subject.states.iter().enumerate() {
        for catcher in catchers(state) {
            let Some(target) = state.catches.get(catcher.index).copied().flatten() else { continue };
            if replaces_input(state, &catcher) {
                found.push((at, catcher, target, after_catch(subject, target)));
            }
        }
    }
    found
}

fn replaces_input(state: &StateAt<'_>, catcher: &Handler<'_>) -> bool {
    match state.jsonata {
        true => catcher.node.get("Output").is_none(),
        false => catcher.node.get("ResultPath").is_none_or(|path| path.as_str() == Some("$")),
    }
}

/// What puts the error beside the input; JSONata has variables and `Output` for it, and only the author knows which.
fn keep_input(state: &StateAt<'_>, catcher: &Handler<'_>, safe: bool) -> Option<Fix> {
    if state.jsonata {
        return None;
    }
    let path = format!("{}/Catch/{}/ResultPath", state.pointer, catcher.index);
    let value = "$.error".into();
    let operation = match catcher.node.get("ResultPath") {
        Some(_) => Operation::Replace { path, value },
        None => Operation::Add { path, value },
    };
    Some(Fix { text: "keep the input, with the error at $.error".to_owned(), safe, patch: vec![operation] })
}

/// Does not apply where a Choice stands before the read (it may guard it), nor to paths that may find nothing.
fn breaks_handler(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for (at, catcher, _, aftermath) in replacing(subject) {
        let state = &subject.states[at];
        let Some((reader, path)) = &aftermath.missing else { continue };
        let reader = subject.states[*reader].name;
        // With the error elsewhere, whoever reads it here would miss it.
        let fix = if aftermath.reads_error || aftermath.whole.is_some() { None } else { keep_input(state, &catcher, true) };
        found.push(Violation {
            pointer: format!("{}/Catch/{}", state.pointer, catcher.index),
            message: format!(
                "{} hands on {} without its input, and {reader} reads {path}, which is not there then: it fails as well",
                state.name,
                what(&catcher)
            ),
            fix,
        });
    }
}

fn what(catcher: &Handler<'_>) -> String {
    match catcher.names() {
        [] => "an error".to_owned(),
        ["States.ALL"] => "any error".to_owned(),
        names => listed(names),
    }
}

/// Said where the handler is a Task that is given all of the data. Does not apply where it reads the context object or a variable: these
/// may tell it.
fn loses_input(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for (at, catcher, _, aftermath) in replacing(subject) {
        let state = &subject.states[at];
        let (None, Some(reader)) = (&aftermath.missing, aftermath.whole) else { continue };
        found.push(Violation {
            pointer: format!("{}/Catch/{}", state.pointer, catcher.index),
            message: format!(
                "{} hands {} on without its input: {} is given Error and Cause, and nothing that says what failed",
                state.name,
                what(&catcher),
                subject.states[reader].name
            ),
            fix: keep_input(state, &catcher, false),
        });
    }
}

/// Said of the machine's own states alone: in a Map or Parallel, the error is part of the result. Does not apply where the Catch leads to
/// the next state anyway (the step is optional), nor to catchers that name their errors.
fn hides_failure(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in subject.states.iter().filter(|state| state.block == 0) {
        for catcher in catchers(state).into_iter().filter(Handler::takes_all) {
            let Some(target) = state.catches.get(catcher.index).copied().flatten() else { continue };
            if state.next.contains(&target) {
                continue;
            }
            if let Some(end) = quiet_end(subject, target) {
                found.push(Violation {
                    pointer: format!("{}/Catch/{}", state.pointer, catcher.index),
                    message: format!(
                        "After an error of {} the execution ends as succeeded, in {end}: no count of failed executions shows it",
                        state.name
                    ),
                    fix: None,
                });
            }
        }
    }
}

/// The state in which an execution ends as succeeded when nothing but Pass and Wait comes before.
fn quiet_end<'s>(subject: &Subject<'s>, from: usize) -> Option<&'s str> {
    let mut at = from;
    for _ in 0..subject.states.len() {
        let state = &subject.states[at];
        match (state.state_type(), state.next.as_slice()) {
            ("Succeed", _) => return Some(state.name),
            ("Pass" | "Wait", []) if state.get("Next").is_none() => return Some(state.name),
            ("Pass" | "Wait", [next, ..]) => at = *next,
            _ => return None,
        }
    }
    None
}

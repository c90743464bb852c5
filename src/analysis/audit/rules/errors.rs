//! Rules about the errors that retriers and catchers name: those that nothing retries or catches, that an earlier one has taken
//! already, that this Task never gives, or that retrying does not help.

use super::pages;
use crate::analysis::audit::call::Call;
use crate::analysis::audit::handlers::{Handler, Retrier, catchers, listed, retriers};
use crate::analysis::audit::rule::{Fix, Level, Operation, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        id: "retry-never-taken",
        level: Level::Warning,
        title: "Every error that a Retry names can reach it",
        reason: "The first retrier that matches decides, and some errors are never retried: what stands behind it protects from nothing.",
        source: pages::ERROR_HANDLING,
        check: retry_never_taken,
    },
    Rule {
        id: "catch-never-taken",
        level: Level::Warning,
        title: "Every error that a Catch names can reach it",
        reason: "The first catcher that matches decides, and States.Runtime ends an execution whatever catches it: the handler behind \
                 it never runs.",
        source: pages::ERROR_HANDLING,
        check: catch_never_taken,
    },
    Rule {
        id: "retry-cannot-help",
        level: Level::Note,
        title: "Only errors that may pass are retried",
        reason: "The next attempt has the same input, the same role and the same function, so the failure is only found later.",
        source: pages::LIMIT_RETRIES,
        check: retry_cannot_help,
    },
];

/// Errors that the next attempt meets again, whatever is called: input and role are the same. `States.Runtime` is not among them, as
/// nothing retries it.
///
/// Not here, though they look alike: `States.QueryEvaluationError`, as the next result may be a sound one; errors of Map Runs, as
/// they tell of many causes; `ConditionalCheckFailedException`, as a condition on a lock holds once the lock is free; and
/// `ResourceNotFoundException` of most services, as what was just made may not be seen yet.
const LASTING: &[&str] = &["States.Permissions", "States.ParameterPathFailure", "States.IntrinsicFailure", "States.DataLimitExceeded"];

/// Errors of invoking a function that the next attempt meets again. Not where the machine itself makes or changes functions.
const LASTING_OF_LAMBDA: &[&str] = &[
    "Lambda.ResourceNotFoundException",
    "Lambda.InvalidParameterValueException",
    "Lambda.InvalidRequestContentException",
    "Lambda.RequestTooLargeException",
    "Lambda.UnsupportedMediaTypeException",
    "Lambda.InvalidRuntimeException",
];

/// Why names of a handler match nothing.
struct Dead<'s> {
    /// Positions in `ErrorEquals`.
    positions: Vec<usize>,
    names: Vec<&'s str>,
    /// In the words of a sentence.
    why: String,
    /// Whether all names of the handler are dead.
    all: bool,
    /// Whether the names say what the author forgot: then taking them away is no cure.
    misplaced: bool,
}

/// Names that match nothing, by reason.
fn dead<'s>(state: &StateAt<'s>, handlers: &[Handler<'s>], at: usize, verb: &str) -> Vec<Dead<'s>> {
    let names = handlers[at].names();
    let select = |why: String, misplaced: bool, is_dead: &dyn Fn(&str) -> bool| {
        let positions: Vec<usize> = (0..names.len()).filter(|position| is_dead(names[*position])).collect();
        let dead: Vec<&str> = positions.iter().map(|position| names[*position]).collect();
        (!dead.is_empty()).then_some(Dead { all: dead.len() == names.len(), positions, names: dead, why, misplaced })
    };
    let mut found = Vec::new();
    found.extend(select(format!("ends an execution at once, and nothing {verb} it"), false, &|name| name == "States.Runtime"));
    let mut taken: Vec<&str> = vec!["States.Runtime"];
    for earlier in &handlers[..at] {
        let takes = |name: &str| !taken.contains(&name) && earlier.takes(name);
        let newly: Vec<&str> = names.iter().copied().filter(|name| takes(name)).collect();
        // A name twice is once too often; what a wildcard has taken was meant to come first.
        let is_twice = newly.iter().all(|name| earlier.names().contains(name));
        let why =
            if is_twice { "is taken by an earlier one".to_owned() } else { format!("is taken by {} before", listed(earlier.names())) };
        found.extend(select(why, !is_twice, &takes));
        taken.extend(newly);
    }
    if let Some(service) = only_service(Call::of(state)) {
        let is_foreign = |name: &str| !taken.contains(&name) && service != "lambda" && name.starts_with("Lambda.");
        found.extend(select(format!("is an error of Lambda, and {service} is called here"), true, &is_foreign));
    }
    found
}

/// The one service whose errors a Task gives. Whoever answers from outside may give an error any name, and so may a function that
/// stands behind a gateway or another execution.
fn only_service<'s>(call: Call<'s>) -> Option<&'s str> {
    match call {
        Call::Integration(integration) if !call.is_answered_from_outside() => {
            Some(integration.service).filter(|service| !matches!(*service, "apigateway" | "http" | "states" | "sfn"))
        }
        _ => None,
    }
}

/// Does not apply where an earlier retrier's names are still to be put in, or the Task's `Resource` does not say what it calls.
fn retry_never_taken(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in &subject.states {
        let handlers = retriers(state);
        for at in 0..handlers.len() {
            for dead in dead(state, &handlers, at, "retries") {
                let names = listed(&dead.names);
                found.push(Violation {
                    pointer: format!("{}/Retry/{at}", state.pointer),
                    message: format!("{} never retries {names} here: {}", state.name, sentence(&dead)),
                    fix: (!dead.misplaced).then(|| without(state, "Retry", &handlers[at], &dead)),
                });
            }
        }
    }
}

/// Does not apply where an earlier catcher's names are still to be put in, or the Task's `Resource` does not say what it calls.
fn catch_never_taken(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in &subject.states {
        let handlers = catchers(state);
        for at in 0..handlers.len() {
            let next = handlers[at].node.get("Next").and_then(|next| next.as_str()).unwrap_or("its handler");
            for dead in dead(state, &handlers, at, "catches") {
                let names = listed(&dead.names);
                found.push(Violation {
                    pointer: format!("{}/Catch/{at}", state.pointer),
                    message: format!("{} never goes to {next} on {names}: {}", state.name, sentence(&dead)),
                    // What a dead catcher alone leads to would be unreachable, and the definition refused.
                    fix: (!dead.misplaced && !dead.all).then(|| without(state, "Catch", &handlers[at], &dead)),
                });
            }
        }
    }
}

fn sentence(dead: &Dead<'_>) -> String {
    if dead.names.len() == 1 {
        return format!("it {}", dead.why);
    }
    let why = dead.why.replacen("is an error", "are errors", 1).replacen("is taken", "are taken", 1);
    format!("they {why}")
}

/// Takes names out of `ErrorEquals`, or the whole handler when none is left.
fn without(state: &StateAt<'_>, field: &str, handler: &Handler<'_>, dead: &Dead<'_>) -> Fix {
    let pointer = format!("{}/{field}/{}", state.pointer, handler.index);
    let names = listed(&dead.names);
    let only = state.get(field).is_some_and(|list| list.items().len() == 1);
    let patch = match dead.all {
        true if only => vec![Operation::Remove { path: state.member(field) }],
        true => vec![Operation::Remove { path: pointer }],
        // From the last on, so that the positions of the others stay.
        false => {
            dead.positions.iter().rev().map(|position| Operation::Remove { path: format!("{pointer}/ErrorEquals/{position}") }).collect()
        }
    };
    Fix { text: format!("take {names} out of {field}"), safe: true, patch }
}

/// Does not apply to retriers with `MaxAttempts` 0, nor to errors of functions where the machine itself makes functions. Whoever
/// answers from outside may mean something else by a name.
fn retry_cannot_help(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    let makes_functions = subject.states.iter().any(|state| match Call::of(state) {
        Call::Integration(call) => call.service == "lambda" && call.action != "invoke",
        Call::Function(_) | Call::Activity => false,
        // It may do so.
        Call::Unknown => state.state_type() == "Task",
    });
    for state in &subject.states {
        let call = Call::of(state);
        let lasts = |name: &str| LASTING.contains(&name) || (!makes_functions && call.is_lambda() && LASTING_OF_LAMBDA.contains(&name));
        let handlers = retriers(state);
        for (at, handler) in handlers.iter().enumerate() {
            if call.is_answered_from_outside() || !Retrier::of(handler.clone()).is_some_and(|retrier| retrier.retries()) {
                continue;
            }
            let reached = |name: &str| !handlers[..at].iter().any(|earlier| earlier.may_take(name));
            let positions: Vec<usize> = (0..handler.names().len()).filter(|position| lasts(handler.names()[*position])).collect();
            let positions: Vec<usize> = positions.into_iter().filter(|position| reached(handler.names()[*position])).collect();
            if positions.is_empty() {
                continue;
            }
            let names: Vec<&str> = positions.iter().map(|position| handler.names()[*position]).collect();
            // A later wildcard would retry it all the same.
            let is_last_word = !handlers[at + 1..].iter().any(|later| names.iter().any(|name| later.may_take(name)) || later.takes_all());
            let dead = Dead { all: positions.len() == handler.names().len(), positions, names, why: String::new(), misplaced: false };
            found.push(Violation {
                pointer: format!("{}/Retry/{at}", state.pointer),
                message: format!("{} retries {}, which the next attempt meets again", state.name, listed(&dead.names)),
                fix: is_last_word.then(|| without(state, "Retry", handler, &dead)),
            });
        }
    }
}

//! Rules about Tasks that invoke functions.

use serde_json::{Value, json};

use super::pages;
use crate::analysis::audit::call::{Call, Pattern};
use crate::analysis::audit::handlers::{Handler, catchers, is_open, listed, number, retriers};
use crate::analysis::audit::rule::{Fix, Level, Operation, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        id: "lambda-without-retry",
        level: Level::Warning,
        title: "Passing errors of Lambda are retried",
        reason: "Lambda fails or throttles an invocation now and then, and without a Retry each such moment fails the work.",
        source: pages::LAMBDA_EXCEPTIONS,
        check: without_retry,
    },
    Rule {
        id: "lambda-throttling-without-retry",
        level: Level::Warning,
        title: "Throttled invocations are retried",
        reason: "When functions run at their limit, Lambda refuses invocations, and each one that is not retried fails the work.",
        source: pages::LAMBDA_EXCEPTIONS,
        check: throttling_without_retry,
    },
    Rule {
        id: "lambda-without-timeout",
        level: Level::Note,
        title: "Invocations have a timeout",
        reason: "Without TimeoutSeconds only the function's own limit ends an attempt that hangs, and it may be as long as 15 minutes.",
        source: pages::STUCK_EXECUTIONS,
        check: without_timeout,
    },
];

/// Errors of Lambda that pass. The page names these and throttling; `Lambda.ClientExecutionTimeoutException` is not among those that
/// the console puts into a new Task, so leaving it out is no finding.
const PASSING: [&str; 4] =
    ["Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.TooManyRequestsException"];

/// The error of an invocation that was throttled. The page's own example of a Retry leaves it out, so it has a rule of its own.
const THROTTLED: &str = "Lambda.TooManyRequestsException";

/// Does not apply where a catcher names the error (somebody thought of it) or leads back to the Task (it is tried again by hand), where
/// a Parallel or Map around it retries the error, nor where `Retry` or a name in it is still to be put in.
fn without_retry(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for (state, missing) in unretried(subject).into_iter().filter(|(_, missing)| missing != &[THROTTLED]) {
        found.push(unretried_violation(state, &missing));
    }
}

/// Said where throttling alone is left out. Does not apply where [`without_retry`] does not.
fn throttling_without_retry(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for (state, missing) in unretried(subject).into_iter().filter(|(_, missing)| missing == &[THROTTLED]) {
        found.push(unretried_violation(state, &missing));
    }
}

/// The Tasks that invoke a function, with the passing errors that nobody retries.
fn unretried<'a, 's>(subject: &'a Subject<'s>) -> Vec<(&'a StateAt<'s>, Vec<&'static str>)> {
    let mut all = Vec::new();
    for (at, state) in subject.states.iter().enumerate() {
        if !Call::of(state).is_lambda() || is_open(state, "Retry") || is_open(state, "Catch") {
            continue;
        }
        let own = retriers(state);
        let caught = catchers(state);
        let leads_back = |index: usize| {
            let target = state.catches.get(index).copied().flatten();
            target.is_some_and(|target| target == at || subject.reached_from(target).contains(&at))
        };
        let is_thought_of = |error: &str| {
            caught.iter().any(|catcher| {
                catcher.names.is_none() || catcher.names().contains(&error) || (catcher.takes(error) && leads_back(catcher.index))
            })
        };
        let missing: Vec<&str> = PASSING
            .into_iter()
            .filter(|error| !own.iter().any(|retrier| retrier.may_take(error)))
            .filter(|error| !is_thought_of(error) && !is_retried_around(subject, state, error, &caught))
            .collect();
        if !missing.is_empty() {
            all.push((state, missing));
        }
    }
    all
}

fn unretried_violation(state: &StateAt<'_>, missing: &[&str]) -> Violation {
    let own = retriers(state);
    let ends = match catchers(state).iter().find(|catcher| catcher.takes(missing[0])) {
        Some(catcher) => {
            let next = catcher.node.get("Next").and_then(|next| next.as_str()).unwrap_or("the handler");
            format!("each one leads to {next} at once")
        }
        None => "each one fails the work at once".to_owned(),
    };
    let which = if missing.len() == PASSING.len() { "Lambda's passing errors and throttling".to_owned() } else { listed(missing) };
    Violation {
        pointer: if own.is_empty() { state.pointer.clone() } else { state.member("Retry") },
        message: format!("{} does not retry {which}: {ends}", state.name),
        fix: Some(with_retry(state, &own, missing)),
    }
}

/// Whether an error leaves the Task and is retried by a Parallel or Map around it. A Distributed Map gives its own error instead.
fn is_retried_around(subject: &Subject<'_>, state: &StateAt<'_>, error: &str, caught: &[Handler<'_>]) -> bool {
    if caught.iter().any(|catcher| catcher.takes(error)) {
        return false;
    }
    for around in state.enclosing.iter().rev().map(|at| &subject.states[*at]) {
        if is_distributed(around) {
            return false;
        }
        if is_open(around, "Retry") || retriers(around).iter().any(|retrier| retrier.may_take(error)) {
            return true;
        }
        if catchers(around).iter().any(|catcher| catcher.may_take(error)) {
            return false;
        }
    }
    false
}

/// Whether a state is a Map whose items run as executions of their own.
pub(super) fn is_distributed(state: &StateAt<'_>) -> bool {
    let processor = state.get("ItemProcessor").or_else(|| state.get("Iterator"));
    let mode = processor.and_then(|processor| processor.get("ProcessorConfig")?.get("Mode"));
    mode.is_some_and(|mode| mode.as_str() == Some("DISTRIBUTED") || mode.is_substitution())
}

/// Puts the missing names beside others of Lambda, or adds a retrier with the numbers of the page and jitter.
fn with_retry(state: &StateAt<'_>, own: &[Handler<'_>], missing: &[&str]) -> Fix {
    let retry = state.member("Retry");
    let text = format!("retry {}", listed(missing));
    let retries = |retrier: &&Handler<'_>| number(retrier.node, "MaxAttempts", 3.0).is_some_and(|attempts| attempts >= 1.0);
    let beside = own.iter().filter(retries).find(|retrier| retrier.names().iter().any(|name| PASSING.contains(name)));
    if let Some(retrier) = beside {
        let path = format!("{retry}/{}/ErrorEquals/-", retrier.index);
        let add = |error: &&str| Operation::Add { path: path.clone(), value: Value::from(*error) };
        return Fix { text, safe: true, patch: missing.iter().map(add).collect() };
    }
    let value = json!({"ErrorEquals": missing, "IntervalSeconds": 2, "MaxAttempts": 6, "BackoffRate": 2, "JitterStrategy": "FULL"});
    let operation = match state.get("Retry") {
        // None of those takes the missing errors, so none is a wildcard, and the place behind them is free.
        Some(_) => Operation::Add { path: format!("{retry}/-"), value },
        None => Operation::Add { path: retry, value: json!([value]) },
    };
    Fix { text, safe: true, patch: vec![operation] }
}

/// Said once for the machine, at the first such Task. Does not apply where the machine has `TimeoutSeconds`, in Express (whose
/// executions end after five minutes), where a branch beside it may end the wait, nor to callbacks, of which another rule speaks.
fn without_timeout(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    if subject.source.root().get("TimeoutSeconds").is_some() {
        return;
    }
    let is_open_ended = |state: &&StateAt<'_>| {
        let call = Call::of(state);
        let waits_for_answer = matches!(call, Call::Integration(call) if call.pattern != Pattern::RequestResponse);
        let has_limit = ["TimeoutSeconds", "TimeoutSecondsPath"].iter().any(|field| state.get(field).is_some());
        call.is_lambda()
            && !waits_for_answer
            && !has_limit
            && !state.express
            && !is_asynchronous(state)
            && !subject.may_be_ended_beside(state)
    };
    let open: Vec<&StateAt<'_>> = subject.states.iter().filter(is_open_ended).collect();
    let Some(first) = open.first() else { return };
    let names: Vec<&str> = open.iter().map(|state| state.name).collect();
    let (have, each) = if names.len() == 1 { ("has", "an attempt") } else { ("have", "each attempt") };
    found.push(Violation {
        pointer: first.pointer.clone(),
        message: format!(
            "{} {have} no TimeoutSeconds, nor has the machine: {each} that hangs ends with the function's own limit, up to 15 minutes",
            listed(&names)
        ),
        fix: None,
    });
}

/// Whether the invocation is only handed over: `InvocationType` is `Event`, or not certain.
fn is_asynchronous(state: &StateAt<'_>) -> bool {
    let parameters = state.get("Parameters").or_else(|| state.get("Arguments"));
    let kind = parameters.and_then(|parameters| parameters.get("InvocationType").or_else(|| parameters.get("InvocationType.$")));
    kind.is_some_and(|kind| kind.as_str() != Some("RequestResponse"))
}

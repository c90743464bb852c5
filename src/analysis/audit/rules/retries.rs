//! Rules about the numbers of a retrier: jitter, the longest wait, how often.
//!
//! Where a number or a name is still to be put in (`${…}`), nothing rests on it. A retrier with `MaxAttempts` 0 retries nothing, and
//! no rule of this file speaks of it.

use serde_json::Value;

use super::pages;
use crate::analysis::audit::call::{Call, Pattern};
use crate::analysis::audit::handlers::{Retrier, in_words, listed, retriers};
use crate::analysis::audit::rule::{Fix, Level, Operation, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};

/// A wait that grows beyond an hour outlasts most outages: the execution sleeps on after everything works again.
const LONGEST_WAIT: u32 = 3_600;
/// A first wait of a tenth of the last or more was meant to be long: nothing has grown beyond control.
const GROWN: f64 = 10.0;
/// A failure that is found within a minute is found soon enough.
const SOON: f64 = 60.0;
/// Ten attempts are an order of magnitude more load for nothing.
const MANY_ATTEMPTS: f64 = 10.0;
/// How many events a Standard execution may have.
const MOST_EVENTS: f64 = 25_000.0;
/// Events of one attempt of a Task: scheduled, started, failed.
const EVENTS_OF_ATTEMPT: f64 = 3.0;

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        id: "retry-without-jitter",
        level: Level::Warning,
        title: "Retries are spread by jitter",
        reason: "Executions that fail together retry together, and hit what is recovering all at once.",
        source: pages::ERROR_HANDLING,
        check: without_jitter,
    },
    Rule {
        id: "retry-without-max-delay",
        level: Level::Warning,
        title: "A wait that grows has an upper bound",
        reason: "Each wait is a multiple of the one before, and an execution that waits for hours sleeps on long after the outage is over.",
        source: pages::ERROR_HANDLING,
        check: without_max_delay,
    },
    Rule {
        id: "retry-of-everything",
        level: Level::Note,
        title: "Retries are for errors that pass",
        reason: "A wildcard retries missing permissions, bad input and every other lasting error as well, which delays the failure and \
                 adds load.",
        source: pages::LIMIT_RETRIES,
        check: of_everything,
    },
    Rule {
        id: "retry-fills-history",
        level: Level::Warning,
        title: "Retries end before the history is full",
        reason: "An execution fails for good at 25,000 events, and no Catch takes that error.",
        source: pages::HISTORY_LIMIT,
        check: fills_history,
    },
];

/// The retriers whose numbers are certain and that retry.
fn active<'s>(state: &StateAt<'s>) -> impl Iterator<Item = Retrier<'s>> + use<'s> {
    retriers(state).into_iter().filter_map(Retrier::of).filter(Retrier::retries)
}

fn pointer(state: &StateAt<'_>, retrier: &Retrier<'_>) -> String {
    format!("{}/Retry/{}", state.pointer, retrier.handler.index)
}

/// What a retrier retries, in the words of a sentence.
fn what(retrier: &Retrier<'_>) -> String {
    match retrier.handler.names() {
        [] => "errors".to_owned(),
        ["States.ALL"] => "every error".to_owned(),
        names => listed(names),
    }
}

/// Does not apply where `JitterStrategy` is still to be put in.
fn without_jitter(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in &subject.states {
        for retrier in active(state) {
            let strategy = retrier.handler.node.get("JitterStrategy");
            if strategy.is_some_and(|strategy| strategy.as_str() == Some("FULL") || strategy.is_substitution()) {
                continue;
            }
            let pointer = pointer(state, &retrier);
            let path = format!("{pointer}/JitterStrategy");
            let value = Value::from("FULL");
            let operation = if strategy.is_some() { Operation::Replace { path, value } } else { Operation::Add { path, value } };
            let safe = !may_poll(&retrier);
            found.push(Violation {
                pointer,
                message: format!("{} retries {} without jitter: what fails together comes back together", state.name, what(&retrier)),
                fix: Some(Fix { text: "add JitterStrategy FULL".to_owned(), safe, patch: vec![operation] }),
            });
        }
    }
}

/// Whether a retrier may be there to ask again and again in good times until something is ready: always the same wait, for an error
/// that the function made up. Jitter halves how long it asks.
fn may_poll(retrier: &Retrier<'_>) -> bool {
    let names = retrier.handler.names();
    let is_own = |name: &&str| !name.contains('.');
    (retrier.backoff - 1.0).abs() < f64::EPSILON && (names.is_empty() || names.iter().any(is_own))
}

/// Does not apply where the first wait is long already, or `MaxDelaySeconds` is there, whatever its value.
fn without_max_delay(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in &subject.states {
        for retrier in active(state).filter(|retrier| retrier.longest.is_none()) {
            let last = retrier.wait(retrier.attempts);
            let longest = f64::from(LONGEST_WAIT);
            if last <= longest || retrier.interval > last / GROWN || retrier.interval >= longest {
                continue;
            }
            // Interval × Backoff^(n-1) > longest; the last wait is beyond, so there is such an n.
            let first_beyond = 1.0 + ((longest / retrier.interval).ln() / retrier.backoff.ln()).floor() + 1.0;
            let first_beyond = first_beyond.min(retrier.attempts);
            let pointer = pointer(state, &retrier);
            let beyond = if first_beyond < retrier.attempts {
                format!("over an hour from retry {first_beyond} on and {} before retry {}", in_words(last), retrier.attempts)
            } else {
                format!("{} before retry {}", in_words(last), retrier.attempts)
            };
            let message =
                format!("{} waits {} before its first retry of {}, but {beyond}", state.name, in_words(retrier.interval), what(&retrier));
            let operation = Operation::Add { path: format!("{pointer}/MaxDelaySeconds"), value: LONGEST_WAIT.into() };
            let fix = Fix { text: format!("add MaxDelaySeconds {LONGEST_WAIT}"), safe: true, patch: vec![operation] };
            found.push(Violation { pointer, message, fix: Some(fix) });
        }
    }
}

/// Does not apply where a retrier before the wildcard makes out what is not worth it, or what is; to retries that are over soon; nor to
/// `States.TaskFailed` of jobs that are waited for, whose failures have that very name.
fn of_everything(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in &subject.states {
        let Some(first) = active(state).next().filter(|first| first.handler.index == 0) else { continue };
        let is_all = first.handler.names().contains(&"States.ALL");
        let is_job = matches!(Call::of(state), Call::Integration(call) if call.pattern == Pattern::Job);
        let waits = all_waits(&first);
        if !first.handler.takes_all() || (is_job && !is_all) || (waits < SOON && first.attempts < MANY_ATTEMPTS) {
            continue;
        }
        let name = if is_all { "States.ALL" } else { "States.TaskFailed" };
        found.push(Violation {
            pointer: pointer(state, &first),
            message: format!(
                "{} retries {name} before anything else: an error that never passes, such as a missing permission, fails only after {} more \
                 attempts and {} of waiting",
                state.name,
                first.attempts,
                in_words(waits)
            ),
            fix: None,
        });
    }
}

/// Seconds that a retrier waits in all when nothing helps; with jitter, at most.
fn all_waits(retrier: &Retrier<'_>) -> f64 {
    // What is left behind so many is as long as the last of them, or grows beyond all measure.
    const COUNTED: u32 = 1_000;
    let counted: f64 = (1..=COUNTED).map(f64::from).take_while(|retry| *retry <= retrier.attempts).map(|retry| retrier.wait(retry)).sum();
    let rest = retrier.attempts - f64::from(COUNTED);
    if rest > 0.0 { counted + rest * retrier.wait(f64::from(COUNTED)) } else { counted }
}

/// Does not apply in Express, whose executions have no history of the service.
fn fills_history(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in subject.states.iter().filter(|state| !state.express && state.state_type() == "Task") {
        for retrier in active(state) {
            if (retrier.attempts + 1.0) * EVENTS_OF_ATTEMPT < MOST_EVENTS {
                continue;
            }
            found.push(Violation {
                pointer: pointer(state, &retrier),
                message: format!(
                    "{} may retry {} {} times, and the execution fails for good at about {:.0}, when its history is full",
                    state.name,
                    what(&retrier),
                    retrier.attempts,
                    (MOST_EVENTS / EVENTS_OF_ATTEMPT).floor()
                ),
                fix: None,
            });
        }
    }
}

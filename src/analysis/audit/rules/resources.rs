//! The rule about functions in the place of an integration.
//!
//! Not here, as it is a matter of taste: functions by their ARN rather than through `lambda:invoke`, and functions without a version or
//! an alias.

use super::pages;
use crate::analysis::audit::call::Call;
use crate::analysis::audit::rule::{Level, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};

/// The rules of this file.
pub const RULES: &[Rule] = &[Rule {
    id: "function-wraps-integration",
    level: Level::Note,
    title: "Services are called without a function in between",
    reason: "A function that only calls a service is one more thing that fails, is throttled and is paid for; the machine can call it itself.",
    source: pages::INTEGRATED_SERVICES,
    check: wraps,
}];

/// Words that say nothing of what a function does.
const EMPTY_WORDS: &[&str] = &["function", "lambda", "fn", "func", "handler", "dev", "test", "staging", "prod", "production"];

/// Names of functions, in words, and the integration that does the same.
const INTEGRATIONS: &[(&[&str], &str)] = &[
    (&["put", "item"], "dynamodb:putItem"),
    (&["get", "item"], "dynamodb:getItem"),
    (&["update", "item"], "dynamodb:updateItem"),
    (&["delete", "item"], "dynamodb:deleteItem"),
    (&["dynamodb", "put", "item"], "dynamodb:putItem"),
    (&["dynamodb", "get", "item"], "dynamodb:getItem"),
    (&["dynamodb", "update", "item"], "dynamodb:updateItem"),
    (&["dynamodb", "delete", "item"], "dynamodb:deleteItem"),
    (&["send", "sqs", "message"], "sqs:sendMessage"),
    (&["send", "message", "to", "sqs"], "sqs:sendMessage"),
    (&["send", "to", "sqs"], "sqs:sendMessage"),
    (&["publish", "sns"], "sns:publish"),
    (&["sns", "publish"], "sns:publish"),
    (&["publish", "to", "sns"], "sns:publish"),
    (&["publish", "sns", "message"], "sns:publish"),
    (&["send", "sns", "message"], "sns:publish"),
    (&["put", "events"], "events:putEvents"),
    (&["send", "to", "eventbridge"], "events:putEvents"),
    (&["start", "step", "function"], "states:startExecution"),
    (&["start", "step", "functions", "execution"], "states:startExecution"),
    (&["start", "state", "machine"], "states:startExecution"),
    (&["start", "glue", "job"], "glue:startJobRun"),
    (&["run", "glue", "job"], "glue:startJobRun"),
    (&["submit", "batch", "job"], "batch:submitJob"),
    (&["run", "ecs", "task"], "ecs:runTask"),
    (&["start", "athena", "query"], "athena:startQueryExecution"),
];

/// Said only where the whole name of the function is that of an action. Does not apply to names that are still to be put in.
fn wraps(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in &subject.states {
        let Some(name) = function_name(state).filter(|name| !name.contains("${")) else { continue };
        let words = words(name);
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !EMPTY_WORDS.contains(word)).collect();
        if let Some((_, integration)) = INTEGRATIONS.iter().find(|(known, _)| *known == words) {
            found.push(Violation {
                pointer: state.pointer.clone(),
                message: format!("{} invokes {name}, which {integration} may do without a function", state.name),
                fix: None,
            });
        }
    }
}

/// The name of the function that a Task invokes, without qualifier.
fn function_name<'s>(state: &StateAt<'s>) -> Option<&'s str> {
    match Call::of(state) {
        Call::Function(name) => Some(name),
        call if call.is_lambda() => {
            let parameters = state.get("Parameters").or_else(|| state.get("Arguments"))?;
            let text = parameters.get("FunctionName")?.as_str()?;
            if text.starts_with("{%") {
                return None;
            }
            let name = text.rsplit_once(":function:").map_or(text, |(_, name)| name);
            name.split(':').next()
        }
        _ => None,
    }
}

/// The words of a name in small letters: `SendSqsMessage`, `send-sqs-message` and `send_SQS_message` have three.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous_is_small = false;
    let mut starts = true;
    for mark in name.chars() {
        if !mark.is_alphanumeric() {
            starts = true;
            continue;
        }
        if starts || (mark.is_uppercase() && previous_is_small) {
            words.push(String::new());
        }
        starts = false;
        previous_is_small = mark.is_lowercase() || mark.is_numeric();
        if let Some(word) = words.last_mut() {
            word.extend(mark.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn names_are_cut_into_words() {
        for name in ["SendSqsMessage", "send-sqs-message", "send_SQS_message"] {
            assert_eq!(words(name), ["send", "sqs", "message"]);
        }
        assert_eq!(words("--"), Vec::<String>::new());
    }
}

//! Rules about Retry.

use serde_json::Value;

use crate::analysis::audit::rule::{Fix, Level, Operation, Rule, Violation};
use crate::analysis::audit::subject::Subject;
use crate::asl::source::Node;

/// The rules of this file.
pub const RULES: &[Rule] = &[Rule {
    id: "retry-without-jitter",
    level: Level::Warning,
    title: "Retries are spread by jitter",
    reason: "Executions that fail together retry together, and hit what is recovering all at once.",
    source: "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
    check: without_jitter,
}];

fn without_jitter(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in &subject.states {
        for (index, retrier) in state.retriers().iter().enumerate() {
            let retries = retrier.get("MaxAttempts").map_or("3".to_owned(), Node::to_json) != "0";
            if !retries || retrier.get("JitterStrategy").and_then(Node::as_str) == Some("FULL") {
                continue;
            }
            let pointer = format!("{}/Retry/{index}", state.pointer);
            let path = format!("{pointer}/JitterStrategy");
            let value = Value::from("FULL");
            let operation = match retrier.get("JitterStrategy") {
                Some(_) => Operation::Replace { path, value },
                None => Operation::Add { path, value },
            };
            found.push(Violation {
                pointer,
                message: format!("{} retries without jitter", state.name),
                fix: Some(Fix { text: "add JitterStrategy FULL".to_owned(), safe: true, patch: vec![operation] }),
            });
        }
    }
}

//! Rules about what states pass on.

use crate::analysis::audit::rule::{Level, Rule, Violation};
use crate::analysis::audit::subject::Subject;
use crate::asl::source::{Content, Node};

/// The rules of this file.
pub const RULES: &[Rule] = &[Rule {
    id: "payload-too-large",
    level: Level::Error,
    title: "What a state passes on fits into 256 KiB",
    reason: "An input, an argument or a result of more than 256 KiB fails the execution, and States.ALL does not catch that of an output.",
    source: "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html",
    check: too_large,
}];

/// As many bytes a payload may have.
const MOST_BYTES: usize = 262_144;
/// The fields whose value is passed on, apart from what expressions put into it.
const FIELDS: [&str; 7] = ["Result", "Parameters", "Arguments", "ResultSelector", "ItemSelector", "Output", "Assign"];

/// Counts what stands in the definition alone: expressions may add anything. Does not apply to a Result that is thrown away.
fn too_large(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in &subject.states {
        for field in FIELDS {
            let Some(value) = state.get(field) else { continue };
            let is_dropped = field == "Result" && state.get("ResultPath").is_some_and(|path| path.content == Content::Null);
            let bytes = constant_bytes(value, state.jsonata, field == "Result");
            if bytes > MOST_BYTES && !is_dropped {
                let message = format!("{field} of {} is at least {} KiB long, and 256 are passed on", state.name, bytes / 1024);
                found.push(Violation { pointer: state.member(field), message, fix: None });
            }
        }
    }
}

/// How many bytes a value has at least as compact JSON. `Result` is data, whatever its members are called.
fn constant_bytes(node: &Node, jsonata: bool, is_data: bool) -> usize {
    match &node.content {
        Content::Text(text) if jsonata && !is_data && text.starts_with("{%") => 0,
        Content::Array(items) => 1 + items.len().max(1) + items.iter().map(|item| constant_bytes(item, jsonata, is_data)).sum::<usize>(),
        Content::Object(members) => {
            let counted = members.iter().map(|member| {
                let is_path = !jsonata && !is_data && member.name.ends_with(".$");
                // Quotes and a colon.
                3 + member.name.len() + if is_path { 0 } else { constant_bytes(&member.value, jsonata, is_data) }
            });
            1 + members.len().max(1) + counted.sum::<usize>()
        }
        // Escapes make it longer, never shorter.
        Content::Text(text) => text.len() + 2,
        Content::Null | Content::Boolean(_) | Content::Number(_) => node.to_json().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::constant_bytes;
    use crate::analysis::audit::rules::testing::found;
    use crate::asl::source::Source;

    #[test]
    fn constants_count_as_compact_json() {
        for text in [r#"{"a":[1,"x",{}],"b":null}"#, "[]", "{}", r#"{"a":{"b":[true]}}"#] {
            let source = Source::read(format!(r#"{{"States": {text}}}"#).as_bytes(), None).expect("JSON");
            assert_eq!(constant_bytes(source.root().get("States").expect("a value"), false, true), text.len(), "{text}");
        }
    }

    #[test]
    fn a_constant_that_is_too_large_is_found() {
        let pass = |length: usize, more: &str| {
            let text = "x".repeat(length);
            format!(r#"{{"StartAt": "A", "States": {{"A": {{"Type": "Pass", "Result": "{text}", {more} "End": true}}}}}}"#)
        };
        assert_eq!(found("payload-too-large", &pass(262_143, "")), ["/States/A/Result"]);
        assert!(found("payload-too-large", &pass(262_142, "")).is_empty());
        assert!(found("payload-too-large", &pass(262_143, r#""ResultPath": null,"#)).is_empty());
    }
}

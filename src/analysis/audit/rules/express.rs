//! Rules about Express machines.

use crate::analysis::audit::rule::{Level, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};
use crate::asl::check::MachineType;
use crate::asl::source::Node;

/// The rules of this file.
pub const RULES: &[Rule] = &[Rule {
    id: "express-side-effect-without-key",
    level: Level::Warning,
    title: "What an Express machine changes, it changes once",
    reason: "An asynchronous Express execution may run more than once, and a call without a key of its own then takes effect each time.",
    source: "https://docs.aws.amazon.com/step-functions/latest/dg/express-at-least-once-execution.html",
    check: side_effect_without_key,
}];

/// What a call takes effect by, and what makes its effect happen once.
struct Effect {
    /// Service and action, as integrations name them; those of the SDK have other names for services now and then.
    call: &'static str,
    /// What happens again.
    again: &'static str,
    /// The argument that keeps it from happening again; empty where there is none.
    key: &'static str,
}

/// Calls of which each one takes effect, by the API references of the services. Not in the list: queues, topics and buses, whose
/// receivers have to take a message twice anyway; functions and HTTP endpoints, of which nobody knows; puts and deletes, which come to the
/// same however often.
const EFFECTS: &[Effect] = &[
    Effect { call: "states:startExecution", again: "starts another execution", key: "Name" },
    Effect { call: "sfn:startExecution", again: "starts another execution", key: "Name" },
    Effect { call: "ecs:runTask", again: "starts another task", key: "ClientToken" },
    Effect { call: "ec2:runInstances", again: "starts more instances", key: "ClientToken" },
    Effect { call: "batch:submitJob", again: "submits another job", key: "" },
    Effect { call: "glue:startJobRun", again: "starts another job run", key: "" },
    Effect { call: "codebuild:startBuild", again: "starts another build", key: "IdempotencyToken" },
    Effect { call: "athena:startQueryExecution", again: "starts another query", key: "ClientRequestToken" },
    Effect { call: "ses:sendEmail", again: "sends another e-mail", key: "" },
    Effect { call: "sesv2:sendEmail", again: "sends another e-mail", key: "" },
];

/// Applies to Express machines as a whole, not to Express children of a Distributed Map, of which the documentation says no such thing.
/// Does not apply where the arguments are not known, nor to updates that have a condition.
fn side_effect_without_key(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    if subject.machine_type != MachineType::Express {
        return;
    }
    for state in subject.states.iter().filter(|state| state.state_type() == "Task") {
        let Some(call) = state.resource().and_then(call) else { continue };
        let arguments = ["Parameters", "Arguments"].into_iter().find_map(|name| state.get(name));
        let message = match call {
            "dynamodb:updateItem" => counts_up(arguments)
                .map(|word| format!("{} updates by {word} without a ConditionExpression: a second run counts twice", state.name)),
            _ => EFFECTS.iter().find(|effect| effect.call == call && !has_key(effect.key, arguments)).map(|effect| words(state, effect)),
        };
        if let Some(message) = message {
            found.push(Violation { pointer: state.member("Resource"), message, fix: None });
        }
    }
}

fn words(state: &StateAt<'_>, effect: &Effect) -> String {
    let Effect { call, again, key } = effect;
    match *key {
        "" => format!("{} calls {call}, which has no key to tell a repetition by: a second run {again}", state.name),
        key => format!("{} calls {call} without {key}: a second run {again}", state.name),
    }
}

/// `sqs:sendMessage` of the ARN of an integration, whether it is an optimized one or of the SDK.
fn call(resource: &str) -> Option<&str> {
    let (_, call) = resource.split_once(":states:::")?;
    let call = call.strip_prefix("aws-sdk:").unwrap_or(call);
    Some(call.split('.').next().unwrap_or(call))
}

/// Whether an argument is there, or may be: arguments that are one expression, or a substitution, may hold anything.
fn has_key(key: &str, arguments: Option<&Node>) -> bool {
    let Some(arguments) = arguments else { return false };
    let names = arguments.members().iter().map(|member| member.name.strip_suffix(".$").unwrap_or(&member.name));
    !arguments.is_object() || arguments.is_substitution() || names.into_iter().any(|name| name == key)
}

/// How an update adds to what is there; `None` for one that sets values, is bound to a condition, or is not known.
fn counts_up(arguments: Option<&Node>) -> Option<&'static str> {
    let arguments = arguments.filter(|arguments| !has_key("ConditionExpression", Some(arguments)))?;
    let update = arguments.get("UpdateExpression")?.as_str().filter(|text| !text.contains("{%"))?;
    let mut words = update.split_whitespace();
    match () {
        () if words.any(|word| word.eq_ignore_ascii_case("ADD")) => Some("ADD"),
        () if update.contains("list_append") => Some("list_append"),
        () if update.contains('+') => Some("addition"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::rules::testing::found_as;
    use crate::asl::check::MachineType;

    fn found(call: &str, arguments: &str) -> usize {
        let definition = format!(
            r#"{{"StartAt": "A", "States": {{"A": {{"Type": "Task", "Resource": "arn:aws:states:::{call}", "Parameters": {arguments}, "End": true}}}}}}"#
        );
        let standard = found_as("express-side-effect-without-key", &definition, None, MachineType::Standard);
        assert!(standard.is_empty(), "a Standard machine runs once");
        found_as("express-side-effect-without-key", &definition, None, MachineType::Express).len()
    }

    #[test]
    fn what_takes_effect_each_time_has_a_key() {
        assert_eq!(found("ecs:runTask", "{}"), 1);
        assert_eq!(found("aws-sdk:sfn:startExecution", r#"{"StateMachineArn": "${M}"}"#), 1);
        assert_eq!(found("states:startExecution", r#"{"Name.$": "$.id"}"#), 0);
        assert_eq!(found("batch:submitJob", "{}"), 1);
        for harmless in ["sqs:sendMessage", "lambda:invoke", "dynamodb:putItem", "http:invoke"] {
            assert_eq!(found(harmless, "{}"), 0, "{harmless}");
        }
    }

    #[test]
    fn an_update_that_sets_comes_to_the_same() {
        let update = |expression: &str| format!(r#"{{"UpdateExpression": "{expression}"}}"#);
        assert_eq!(found("dynamodb:updateItem", &update("SET #s = :done")), 0);
        assert_eq!(found("dynamodb:updateItem", &update("ADD hits :one")), 1);
        assert_eq!(found("dynamodb:updateItem", &update("SET hits = hits + :one")), 1);
        assert_eq!(found("dynamodb:updateItem", r#"{"UpdateExpression": "ADD hits :one", "ConditionExpression": "x"}"#), 0);
        assert_eq!(found("dynamodb:updateItem", r#"{"UpdateExpression.$": "$.update"}"#), 0);
    }
}

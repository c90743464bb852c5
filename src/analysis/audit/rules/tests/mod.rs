//! One story for each rule: what breaks it, what keeps it, and where it does not apply.

#![allow(clippy::needless_pass_by_value, reason = "definitions are written in place")]

mod handlers;
mod retries;
mod waits;

use serde_json::{Value, json};

use super::all;
use crate::analysis::audit::rule::Violation;
use crate::analysis::audit::subject::Subject;
use crate::asl::check::MachineType;
use crate::asl::source::Source;

const INVOKE: &str = "arn:aws:states:::lambda:invoke";

fn run(rule: &str, definition: &Value, machine_type: MachineType) -> Vec<Violation> {
    let source = Source::read(definition.to_string().as_bytes(), None).expect("a definition");
    let subject = Subject::new(&source, machine_type);
    let mut found = Vec::new();
    let rule = all().find(|known| known.id == rule).unwrap_or_else(|| panic!("no rule {rule}"));
    (rule.check)(&subject, &mut found);
    for fix in found.iter().filter_map(|violation| violation.fix.as_ref()) {
        let mut patched: Value = serde_json::from_str(&source.to_json()).expect("JSON");
        let patch: json_patch::Patch = serde_json::from_value(serde_json::to_value(&fix.patch).expect("a patch")).expect("RFC 6902");
        json_patch::patch(&mut patched, &patch).expect("it applies");
    }
    found
}

fn said(rule: &str, definition: &Value) -> Vec<String> {
    run(rule, definition, MachineType::Standard).into_iter().map(|violation| violation.message).collect()
}

/// The rule says nothing.
fn quiet(rule: &str, definition: &Value) {
    assert_eq!(said(rule, definition), Vec::<String>::new());
}

/// A machine of one Task with these members.
fn task(resource: &str, more: Value) -> Value {
    machine(json!({"T": with(json!({"Type": "Task", "Resource": resource, "End": true}), more)}))
}

fn machine(states: Value) -> Value {
    let first = states.as_object().and_then(|states| states.keys().next()).cloned();
    json!({"StartAt": first, "States": states})
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
    value
}

fn retry(more: Value) -> Value {
    task(INVOKE, json!({"Retry": [with(json!({"ErrorEquals": ["Busy"]}), more)]}))
}

fn in_map(definition: &Value) -> Value {
    machine(json!({"Each": {"Type": "Map", "ItemProcessor": definition, "End": true}}))
}

#[test]
fn every_rule_has_an_id_of_its_own_and_a_page() {
    let mut ids: Vec<&str> = all().map(|rule| rule.id).collect();
    assert!(all().all(|rule| rule.source.starts_with("https://docs.aws.amazon.com/") && rule.reason.ends_with('.')));
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn states_that_only_lead_to_each_other_are_told() {
    let rule = "unreachable-states";
    let island = |next: &str| {
        machine(json!({
            "A": {"Type": "Pass", "End": true},
            "B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Pass", "Next": "B"}, "D": {"Type": "Pass", "Next": next},
        }))
    };
    assert_eq!(
        said(
            rule,
            &machine(json!({"A": {"Type": "Pass", "End": true}, "B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Pass", "Next": "B"}}))
        ),
        ["B and C never run: no way from StartAt leads there"]
    );
    quiet(rule, &island("${Next}"));
    quiet(rule, &island("B"));
}

#[test]
fn functions_named_for_an_integration_are_told() {
    let rule = "function-wraps-integration";
    let named = |name: &str| task(INVOKE, json!({"Parameters": {"FunctionName": name}}));
    assert_eq!(
        said(rule, &named("arn:aws:lambda:us-east-1:111111111111:function:send-sqs-message-dev:live")),
        ["T invokes send-sqs-message-dev, which sqs:sendMessage may do without a function"]
    );
    for other in ["PutItemInBasket", "SendSqsMessage${Stage}", "notify", "{% $name %}"] {
        quiet(rule, &named(other));
    }
}

#[test]
fn names_are_escaped_in_pointers_and_yaml_is_read_alike() {
    let odd = machine(json!({"a/b~c": {"Type": "Task", "Resource": INVOKE, "Retry": [{"ErrorEquals": ["Busy"]}], "End": true}}));
    assert_eq!(run("retry-without-jitter", &odd, MachineType::Standard)[0].pointer, "/States/a~1b~0c/Retry/0");
    let yaml = "StartAt: T\nStates:\n  T:\n    Type: Task\n    Resource: arn:aws:states:::lambda:invoke\n    Retry:\n      - ErrorEquals: [Busy]\n    End: true\n";
    let source = Source::read(yaml.as_bytes(), None).expect("YAML");
    let mut found = Vec::new();
    let subject = Subject::new(&source, MachineType::Standard);
    all().for_each(|rule| (rule.check)(&subject, &mut found));
    assert!(found.iter().all(|violation| source.node(&violation.pointer).is_some()));
    assert!(found.iter().any(|violation| violation.message.contains("without jitter")));
}

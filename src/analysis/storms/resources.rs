//! Storms that call the same resource at the same time are one incident.
//!
//! What a state calls is told by its definition: a function or Activity by its `Resource`, else by the constant that names the target in
//! its parameters. Without a definition the history's ARN tells; an action alone (`lambda:invoke`) does not name a resource.

use serde::Serialize;
use serde_json::Value;

use super::Seen;
use crate::analysis::observed::Observed;
use crate::analysis::retry_policy::Policy;
use crate::model::Micros;

/// Storms this far apart in time are of one incident: microseconds.
const SLACK: i64 = 120_000_000;

/// Parameters that name what is called, in the order in which they are looked for.
const TARGETS: [&str; 22] = [
    "FunctionName",
    "StateMachineArn",
    "TableName",
    "QueueUrl",
    "TopicArn",
    "TargetArn",
    "ApiEndpoint",
    "JobQueue",
    "JobName",
    "ProjectName",
    "TaskDefinition",
    "ClusterName",
    "Cluster",
    "EventBusName",
    "StreamName",
    "Bucket",
    "ModelId",
    "EndpointName",
    "WorkGroup",
    "ClusterIdentifier",
    "ClusterId",
    "SecretId",
];

/// What several storms call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SharedResource {
    /// What is called: a service and the name of the target, such as `lambda payment-capture`.
    pub resource: String,
    /// The most retries of all of them within one second.
    pub peak_per_second: u64,
    /// The storms, by their start; this one is among them. Two or more.
    pub storms: Vec<SharingStorm>,
    /// Which of them came first, by position; of those that began together the one inside the others.
    pub trigger: usize,
}

/// One of the storms on a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SharingStorm {
    /// ARN of the state machine; null when nothing names it.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// When it began.
    pub from: Micros,
    /// Its last retry.
    pub to: Micros,
    /// Its retries.
    pub retries: u64,
    /// The most of them within one second.
    pub peak_per_second: u64,
}

/// For each storm those that call the same; `None` for one that shares its resource with no other.
pub fn shared(storms: &[Seen], observed: &Observed) -> Vec<Option<SharedResource>> {
    let resources: Vec<Option<String>> = storms.iter().map(|seen| resource(seen, observed)).collect();
    let group_of = groups(storms, &resources);
    let mut told: Vec<Option<SharedResource>> = vec![None; storms.len()];
    for (group, resource) in resources.iter().enumerate() {
        let mut members: Vec<usize> = (0..storms.len()).filter(|position| group_of[*position] == group).collect();
        if members.len() < 2 {
            continue;
        }
        members.sort_by_key(|position| (storms[*position].from, key(&storms[*position], observed)));
        let Some(resource) = resource.clone() else { continue };
        let moments = members.iter().flat_map(|position| storms[*position].retries.iter().map(|retry| retry.scheduled));
        let shared = SharedResource {
            resource,
            peak_per_second: peak(moments.collect()),
            storms: members.iter().map(|position| sharing(&storms[*position], observed)).collect(),
            trigger: trigger(&members, storms, observed),
        };
        for position in members {
            told[position] = Some(shared.clone());
        }
    }
    told
}

/// For each storm the first of its group: those with one resource that overlap in time, or are joined by others that do.
fn groups(storms: &[Seen], resources: &[Option<String>]) -> Vec<usize> {
    let mut group_of: Vec<usize> = (0..storms.len()).collect();
    for later in 0..storms.len() {
        for earlier in 0..later {
            let same = resources[later].is_some() && resources[later] == resources[earlier];
            if same && overlap(&storms[earlier], &storms[later]) {
                let (from, to) = (group_of[later].max(group_of[earlier]), group_of[later].min(group_of[earlier]));
                group_of.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
            }
        }
    }
    group_of
}

fn overlap(one: &Seen, other: &Seen) -> bool {
    let ends = |seen: &Seen| Micros(seen.to.0.saturating_add(SLACK));
    one.from <= ends(other) && other.from <= ends(one)
}

/// The earliest; of those whose first failures lie within the same second, the innermost: a state inside others fails first.
fn trigger(members: &[usize], storms: &[Seen], observed: &Observed) -> usize {
    let Some(first) = members.first().map(|position| storms[*position].from) else { return 0 };
    let depth = |seen: &Seen| {
        let class = seen.class(observed);
        let inside = class.attempts.first().is_some_and(|attempt| attempt.parent_visit.is_some());
        let child = seen.cohort.first().and_then(|execution| observed.executions.get(*execution as usize)?.parent).is_some();
        u8::from(inside) + 2 * u8::from(child)
    };
    let together = members.iter().enumerate().filter(|(_, position)| storms[**position].from.0.saturating_sub(first.0) < 1_000_000);
    together.max_by_key(|(at, position)| (depth(&storms[**position]), std::cmp::Reverse(*at))).map_or(0, |(at, _)| at)
}

fn key<'a>(seen: &Seen, observed: &'a Observed) -> (Option<&'a str>, &'a str) {
    let class = seen.class(observed);
    (class.machine.map(|machine| observed.text(machine)), observed.text(class.state))
}

fn sharing(seen: &Seen, observed: &Observed) -> SharingStorm {
    let (state_machine, state) = key(seen, observed);
    SharingStorm {
        state_machine: state_machine.map(str::to_owned),
        state: state.to_owned(),
        from: seen.from,
        to: seen.to,
        retries: seen.retries.len() as u64,
        peak_per_second: peak(seen.retries.iter().map(|retry| retry.scheduled).collect()),
    }
}

/// The most moments within one second.
fn peak(mut moments: Vec<Micros>) -> u64 {
    moments.sort_unstable();
    let (mut first, mut most) = (0, 0);
    for (position, moment) in moments.iter().enumerate() {
        while moment.0.saturating_sub(moments[first].0) >= 1_000_000 {
            first += 1;
        }
        most = most.max(position + 1 - first);
    }
    most as u64
}

/// What a storm's state calls; `None` where neither definition nor history names it.
pub fn resource(seen: &Seen, observed: &Observed) -> Option<String> {
    let class = seen.class(observed);
    let used = observed.definitions_of(class.machine).max_by_key(|used| (used.last_start, used.first_start));
    let machine = class.machine.map(|machine| observed.text(machine));
    let defined = used.and_then(|used| of_definition(observed.text(used.text), observed.text(class.state), machine));
    defined.or_else(|| {
        let called = class.attempts.iter().rev().find_map(|attempt| attempt.resource).map(|resource| observed.text(resource))?;
        called.starts_with("arn:").then(|| named(called, None, machine))?
    })
}

/// What a state of a definition calls.
fn of_definition(definition: &str, state: &str, machine: Option<&str>) -> Option<String> {
    let policy = Policy::of(definition, state)?;
    let value: Value = serde_json::from_str(definition).ok()?;
    let state = value.pointer(&policy.pointer)?;
    let called = state.get("Resource").and_then(Value::as_str)?;
    let parameters = ["Parameters", "Arguments"].into_iter().find_map(|field| state.get(field));
    let constant = |name: &&str| {
        let value = parameters?.get(*name)?.as_str()?;
        // An expression of JSONata names nothing yet.
        (!value.trim_start().starts_with("{%")).then(|| value.to_owned())
    };
    named(called, TARGETS.iter().find_map(constant), machine)
}

/// Service and target, such as `lambda 123456789012 eu-central-1 payment-capture`: the same for a name, an ARN and an ARN with a version.
fn named(resource: &str, target: Option<String>, machine: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = resource.splitn(7, ':').collect();
    let ["arn", _, service, region, account, kind, rest @ ..] = parts.as_slice() else { return None };
    if account.is_empty() {
        let service = resource_service(kind, rest);
        let target = target?;
        return Some(match service.as_str() {
            "lambda" => function(&target, machine),
            _ => format!("{service} {target}"),
        });
    }
    match (*service, *kind) {
        ("lambda", "function") => Some(function(resource, machine)),
        ("states", "activity") => Some(format!("activity {} ({account}, {region})", rest.join(":"))),
        _ => Some(resource.to_owned()),
    }
}

/// The service behind an integration: of `arn:aws:states:::aws-sdk:dynamodb:putItem` and `arn:aws:states:::dynamodb:putItem` the same.
fn resource_service(kind: &str, rest: &[&str]) -> String {
    match (kind, rest.first().and_then(|rest| rest.split(':').next())) {
        ("aws-sdk", Some(service)) => service.to_owned(),
        _ => kind.to_owned(),
    }
}

/// A function by name, partial or whole ARN, without version or alias. Account and region are the machine's where they are not given.
fn function(named: &str, machine: Option<&str>) -> String {
    let parts: Vec<&str> = named.split(':').collect();
    let home: Vec<&str> = machine.map(|machine| machine.split(':').collect()).unwrap_or_default();
    let of_home = |position: usize| home.get(position).copied().unwrap_or_default();
    let (region, account, name) = match parts.as_slice() {
        ["arn", _, "lambda", region, account, "function", name, ..] => (*region, *account, *name),
        [account, "function", name, ..] => (of_home(3), *account, *name),
        [name, ..] => (of_home(3), of_home(4), *name),
        [] => (of_home(3), of_home(4), named),
    };
    let place: Vec<&str> = [account, region].into_iter().filter(|part| !part.is_empty()).collect();
    if place.is_empty() { format!("function {name}") } else { format!("function {name} ({})", place.join(", ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:Orders";

    fn of(state: &Value) -> Option<String> {
        of_definition(&json!({"StartAt": "A", "States": {"A": state}}).to_string(), "A", Some(MACHINE))
    }

    #[test]
    fn a_function_is_the_same_however_it_is_named() {
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:pay";
        let invoke = "arn:aws:states:::lambda:invoke";
        let expected = Some("function pay (123456789012, eu-central-1)".to_owned());
        assert_eq!(of(&json!({"Type": "Task", "Resource": arn})), expected);
        for name in [arn, "pay", "pay:live", "123456789012:function:pay", &format!("{arn}:7")] {
            let parameters = json!({"FunctionName": name, "Payload.$": "$"});
            assert_eq!(of(&json!({"Type": "Task", "Resource": invoke, "Parameters": parameters})), expected, "{name}");
        }
        let sdk = "arn:aws:states:::aws-sdk:lambda:invoke";
        assert_eq!(of(&json!({"Type": "Task", "Resource": sdk, "Arguments": {"FunctionName": "pay"}})), expected);
    }

    #[test]
    fn services_are_the_same_through_both_integrations() {
        let table = |resource: &str| of(&json!({"Type": "Task", "Resource": resource, "Parameters": {"TableName": "stock"}}));
        assert_eq!(table("arn:aws:states:::dynamodb:updateItem").as_deref(), Some("dynamodb stock"));
        assert_eq!(table("arn:aws:states:::aws-sdk:dynamodb:getItem").as_deref(), Some("dynamodb stock"));
    }

    #[test]
    fn what_is_computed_names_nothing() {
        let invoke = "arn:aws:states:::lambda:invoke";
        assert_eq!(of(&json!({"Type": "Task", "Resource": invoke, "Parameters": {"FunctionName.$": "$.f"}})), None);
        assert_eq!(of(&json!({"Type": "Task", "Resource": invoke, "Arguments": {"FunctionName": "{% $f %}"}})), None);
        assert_eq!(of(&json!({"Type": "Parallel"})), None);
        assert_eq!(of(&json!({"Type": "Task", "Resource": "not an arn"})), None);
    }

    #[test]
    fn storms_on_one_resource_are_told_of_each_other() {
        use super::super::Spread;
        use super::super::stories::{everything, machine, observed, outage};
        let retry = json!([{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 6}]);
        let wait = |_: i64, number: u32| (number <= 6).then(|| 2000 << (number - 1));
        let mut histories = outage(&machine(&retry), 8, 10.0, wait);
        // The same again, in another state of another machine that calls the same function.
        let text = machine(&retry).to_string().replace("\"Call\"", "\"Ask\"");
        let other: Value = serde_json::from_str(&text).expect("JSON");
        for call in 0..5 {
            let mut story = crate::model::builder::history("Refunds");
            story.named(&format!("refund-{call}")).definition(&other).clock_at(super::super::stories::moment(500));
            story.enter_task("Ask", json!({})).attempt_failed("Busy", None).after(crate::model::builder::seconds(2));
            histories.push(story.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({})).build());
        }
        let observed = observed(&histories);
        let storms = [everything(&observed, "Ask", Spread::None), everything(&observed, "Call", Spread::None)];
        let found = shared(&storms, &observed);
        let told = found[0].as_ref().expect("a group");
        assert_eq!(told.resource, "function pay (123456789012, eu-central-1)");
        assert_eq!(told.storms.iter().map(|storm| storm.state.as_str()).collect::<Vec<_>>(), ["Call", "Ask"]);
        assert_eq!((told.peak_per_second, told.storms[0].peak_per_second, told.storms[1].peak_per_second), (13, 8, 5));
        assert_eq!((told.trigger, found[1].as_ref()), (0, Some(told)));
        assert_eq!(shared(&storms[..1], &observed), [None]);
    }
}

//! Storms, and what is said of their policy and of what would have calmed them.

use serde_json::{Value, json};

use super::super::stories::{everything, looping, machine, observed, outage};
use super::*;
use crate::model::History;

fn exponential(retries: u32) -> impl Fn(i64, u32) -> Option<i64> {
    move |call, number| (number <= retries).then(|| (2000 << (number - 1)) + 20 + call % 7)
}

/// A spread that is not random and still fills the wait.
fn spread_out(retries: u32) -> impl Fn(i64, u32) -> Option<i64> {
    move |call, number| {
        let part = (call * 37 + i64::from(number) * 61) % 100;
        (number <= retries).then(|| (2000 << (number - 1)) * part / 100)
    }
}

fn busy(more: &Value) -> Value {
    let mut retrier = json!({"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 6, "BackoffRate": 2.0});
    retrier.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    machine(&json!([retrier]))
}

fn explained(histories: &[History], spread: Spread) -> (PolicyCompared, Remedy) {
    let observed = observed(histories);
    let explained = explain(&everything(&observed, "Call", spread), &observed, false);
    (explained.policy.expect("a policy"), explained.remedy)
}

fn patched(definition: &Value, patch: &[Operation]) -> Value {
    let mut definition = definition.clone();
    let patch: json_patch::Patch = serde_json::from_value(serde_json::to_value(patch).expect("JSON")).expect("a patch");
    json_patch::patch(&mut definition, &patch).expect("it applies");
    definition
}

#[test]
fn a_policy_that_the_waits_follow_agrees_with_them() {
    let (policy, remedy) = explained(&outage(&busy(&json!({})), 60, 20.0, exponential(6)), Spread::None);
    assert_eq!(policy.disagreements, []);
    assert_eq!((policy.seen.interval_ms, policy.seen.backoff_rate), (Some(2000.0), Some(2.0)));
    assert_eq!(policy.declared.as_ref().map(|declared| declared.pointer.as_str()), Some("/States/Call/Retry/0"));
    assert!(policy.on_file.is_none());
    assert_eq!(policy.waits.iter().map(|row| (row.number, row.retries)).collect::<Vec<_>>(), [(1, 60), (2, 60), (3, 60), (4, 60)]);
    assert_eq!(remedy.verdict, Verdict::ChangeRetry);
}

#[test]
fn the_simulation_of_the_policy_in_force_gives_the_storm_that_was_seen() {
    let (_, remedy) = explained(&outage(&busy(&json!({})), 60, 20.0, exponential(6)), Spread::None);
    let load = remedy.load.expect("a simulation");
    let close = |one: f64, other: f64| (one - other).abs() <= other * 0.1;
    assert!(close(load.before.peak_per_second, load.observed.peak_per_second), "{load:?}");
    assert!(close(load.before.retries, load.observed.retries), "{load:?}");
    assert_eq!((load.observed.peak_per_second, load.observed.retries, load.observed.given_up), (60.0, 240.0, 0.0));
    assert_eq!((load.outage.failed_share, load.outage.failed_share_after), (1.0, 0.0));
    let sum: f64 = load.observed.curve.iter().sum();
    assert_eq!((sum, load.bin_ms), (240.0, 1000));
}

#[test]
fn the_patch_makes_the_retry_that_is_shown_and_calms_the_storm() {
    let definition = busy(&json!({}));
    let (_, remedy) = explained(&outage(&definition, 60, 20.0, exponential(6)), Spread::None);
    assert_eq!(remedy.pointer.as_deref(), Some("/States/Call/Retry"));
    assert_eq!(patched(&definition, &remedy.patch)["States"]["Call"]["Retry"], remedy.after);
    assert_eq!(remedy.after[0]["JitterStrategy"], "FULL");
    let load = remedy.load.expect("a simulation");
    let after = load.after.expect("the load with the patch");
    assert!(after.peak_per_second * 2.0 <= load.before.peak_per_second, "{after:?}");
    assert!(after.given_up <= load.before.given_up + 1.0, "{after:?}");
    assert!(remedy.text.starts_with("JitterStrategy FULL"), "{}", remedy.text);
}

#[test]
fn waits_without_jitter_speak_against_a_definition_with_it() {
    let definition = busy(&json!({"JitterStrategy": "FULL", "IntervalSeconds": 8}));
    let (policy, remedy) = explained(&outage(&definition, 60, 20.0, exponential(6)), Spread::None);
    let text = &policy.disagreements[0].text;
    assert!(text.contains("JitterStrategy FULL, the waits had no jitter: it was changed after the storm"), "{text}");
    assert_eq!(remedy.verdict, Verdict::ChangedSince);
    assert!(remedy.patch.is_empty() && remedy.after.is_null());
    let load = remedy.load.expect("the load then and with what is on file");
    assert_eq!(load.before.peak_per_second, 60.0, "simulated with what the waits show, not with the definition");
    assert!(load.after.expect("with what is on file").peak_per_second <= 30.0);
}

#[test]
fn other_waits_and_more_retries_than_declared_are_disagreements() {
    let definition = busy(&json!({"IntervalSeconds": 5, "MaxAttempts": 2}));
    let (policy, _) = explained(&outage(&definition, 60, 20.0, exponential(6)), Spread::None);
    let fields: Vec<&str> = policy.disagreements.iter().map(|disagreement| disagreement.field).collect();
    assert_eq!(fields, ["IntervalSeconds", "MaxAttempts"]);
    assert!(policy.disagreements[0].text.contains("asks for 5 s before retry 1, the waits were 2 s"), "{policy:?}");
    assert!(policy.disagreements[1].text.contains("allows 2 retries, up to 4 were made"), "{policy:?}");
}

#[test]
fn spread_waits_speak_against_a_definition_without_jitter() {
    let (policy, remedy) = explained(&outage(&busy(&json!({})), 60, 20.0, spread_out(6)), Spread::Full);
    assert_eq!(policy.disagreements[0].field, "JitterStrategy");
    assert_eq!(remedy.verdict, Verdict::ChangeRetry, "on file it has none now");
    let (policy, remedy) = explained(&outage(&busy(&json!({"JitterStrategy": "FULL"})), 60, 20.0, spread_out(6)), Spread::Full);
    assert_eq!(policy.disagreements, []);
    assert_eq!(remedy.verdict, Verdict::SpreadAlready);
    assert!(remedy.patch.is_empty());
}

#[test]
fn the_definition_of_that_time_is_compared_and_the_one_on_file_is_changed() {
    let (old, new) = (busy(&json!({})), busy(&json!({"MaxAttempts": 5, "Comment": "reviewed"})));
    let mut histories = outage(&old, 60, 20.0, exponential(6));
    let mut later = crate::model::builder::history("Orders");
    later.named("later").definition(&new).clock_at(super::super::stories::moment(90_000_000));
    later.enter_task("Call", json!({})).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    histories.push(later.build());
    let (policy, remedy) = explained(&histories, Spread::None);
    assert_eq!(policy.disagreements, []);
    let declared = policy.declared.expect("the one in force");
    assert_eq!((declared.basis, declared.retrier.max_attempts), (DefinitionBasis::InForce, 6));
    assert_eq!(policy.on_file.map(|on_file| on_file.retrier.max_attempts), Some(5));
    assert_eq!(remedy.before[0]["Comment"], "reviewed");
}

#[test]
fn without_a_definition_the_waits_tell_what_the_retry_should_be() {
    let mut histories = outage(&busy(&json!({})), 60, 20.0, exponential(6));
    for history in &mut histories {
        history.definition = None;
    }
    let (policy, remedy) = explained(&histories, Spread::None);
    assert!(policy.declared.is_none() && policy.disagreements.is_empty());
    assert_eq!(remedy.verdict, Verdict::NoDefinition);
    assert_eq!((remedy.pointer, &remedy.before), (None, &Value::Null));
    assert_eq!((&remedy.after[0]["ErrorEquals"], &remedy.after[0]["JitterStrategy"]), (&json!(["Busy"]), &json!("FULL")));
    assert!(remedy.load.is_some());
}

#[test]
fn a_definition_that_retries_no_more_has_nothing_to_change() {
    let (policy, remedy) = explained(&outage(&machine(&json!([])), 60, 20.0, exponential(6)), Spread::None);
    assert_eq!(policy.disagreements[0].field, "Retry");
    assert_eq!(remedy.verdict, Verdict::ChangedSince);
    assert!(remedy.patch.is_empty());
}

#[test]
fn the_wait_of_a_loop_is_made_random() {
    let definition = json!({"StartAt": "Call", "States": {
        "Call": {"Type": "Task", "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:pay", "Next": "Done",
            "Catch": [{"ErrorEquals": ["Busy"], "Next": "Pause"}]},
        "Pause": {"Type": "Wait", "Seconds": 10, "Next": "Call"},
        "Done": {"Type": "Succeed"}}});
    let observed = observed(&looping(&definition, 60, 3, 10));
    let seen = everything(&observed, "Call", Spread::None);
    assert_eq!(seen.retries.len(), 180);
    let Explained { policy, remedy } = explain(&seen, &observed, false);
    assert!(policy.is_none());
    assert_eq!((remedy.verdict, remedy.pointer.as_deref()), (Verdict::ChangeWait, Some("/States/Pause")));
    assert_eq!(patched(&definition, &remedy.patch)["States"]["Pause"], remedy.after);
    let instead = remedy.instead_of_loop.expect("a Retry");
    assert_eq!(instead.states, ["Call", "Pause"]);
    assert_eq!(patched(&definition, &instead.patch)["States"]["Call"]["Retry"], instead.retry);
    let load = remedy.load.expect("a simulation");
    assert_eq!((load.before.peak_per_second, load.observed.peak_per_second), (60.0, 60.0));
    assert!(load.after.expect("with the patch").peak_per_second <= 30.0);
}

#[test]
fn it_says_the_same_each_time() {
    let histories = outage(&busy(&json!({})), 60, 20.0, exponential(6));
    let mut shuffled = histories.clone();
    shuffled.reverse();
    let told = |histories: &[History]| serde_json::to_string(&explained(histories, Spread::None).1).expect("JSON");
    assert_eq!(told(&histories), told(&shuffled));
}

#[test]
fn hostile_times_and_policies_end_well() {
    let retrier =
        json!([{"ErrorEquals": ["Busy"], "IntervalSeconds": 1e300, "MaxAttempts": u64::MAX, "BackoffRate": -3, "MaxDelaySeconds": 0}]);
    let observed = observed(&outage(&machine(&retrier), 10, 20.0, exponential(6)));
    let mut seen = everything(&observed, "Call", Spread::None);
    explain(&seen, &observed, false);
    seen.from = crate::model::Micros(i64::MIN);
    seen.to = crate::model::Micros(i64::MAX);
    seen.retries.iter_mut().for_each(|retry| retry.wait = i64::MIN);
    let remedy = explain(&seen, &observed, false).remedy;
    let text = serde_json::to_string(&remedy).expect("JSON");
    assert!(text.len() < 200_000, "{}", text.len());
    seen.retries.clear();
    explain(&seen, &observed, false);
}

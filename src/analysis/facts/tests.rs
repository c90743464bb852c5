//! Stories of executions, and what is known of them in numbers.

use bumpalo::Bump;
use serde_json::json;

use super::{Rebuilt, extract, identity};
use crate::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use crate::model::facts::{Needs, Pattern, WorkflowType};
use crate::model::{ExecutionFacts, ExecutionHeader, History, RawText, VisitFacts};
use crate::rebuild::rebuild;

/// Looks at all facts of a history.
fn look(history: &History, at: impl FnOnce(&ExecutionFacts<'_>)) {
    let path = rebuild(history, None);
    let arena = Bump::new();
    at(&extract(Rebuilt { history, path: &path, definition: None }, Needs::ALL, &arena));
}

fn of<'f>(facts: &'f ExecutionFacts<'_>, state: &str) -> &'f VisitFacts<'f> {
    facts.visits.iter().find(|visit| visit.state == state).unwrap_or_else(|| panic!("no visit of {state}"))
}

/// Queue, run, retry wait, callback.
fn parts(visit: &VisitFacts<'_>) -> [Option<f64>; 4] {
    [visit.queue_ms, visit.run_ms, visit.retry_wait_ms, visit.callback_ms]
}

/// State and milliseconds of every visit that has some on the critical path.
fn critical(facts: &ExecutionFacts<'_>) -> Vec<(String, f64)> {
    let name = |visit: &VisitFacts<'_>| match visit.scope {
        "" => visit.state.to_owned(),
        scope => format!("{scope}/{}", visit.state),
    };
    let of = |visit: &VisitFacts<'_>| Some((name(visit), visit.critical_ms.filter(|critical| *critical > 0.0)?));
    facts.visits.iter().filter_map(of).collect()
}

fn named(list: &[(&str, f64)]) -> Vec<(String, f64)> {
    list.iter().map(|(name, time)| ((*name).to_owned(), *time)).collect()
}

/// A Task of so many milliseconds, from entry to exit.
fn task(cursor: &mut HistoryBuilder, name: &str, time: u64) {
    cursor.enter_task(name, json!({})).taking(milliseconds(time)).attempt_succeeded(json!({})).exit(json!({}));
}

#[test]
fn a_call_queues_runs_and_waits_for_its_retry() {
    let built = history("Orders")
        .enter_task("Charge", json!({}))
        .after(milliseconds(1))
        .scheduled()
        .after(milliseconds(20))
        .started()
        .after(milliseconds(300))
        .failed("Busy", Some("try later"))
        .after(seconds(2))
        .scheduled()
        .after(milliseconds(30))
        .started()
        .after(milliseconds(400))
        .succeeded(json!({}))
        .after(milliseconds(4))
        .exit(json!({}))
        .execution_succeeded(json!({}))
        .build();
    look(&built, |facts| {
        let charge = of(facts, "Charge");
        assert_eq!(parts(charge), [Some(50.0), Some(700.0), Some(2000.0), None]);
        assert_eq!(charge.duration_ms(), Some(2755.0));
        assert_eq!((charge.attempts, charge.retries, charge.failed_attempts, charge.transitions), (2, 1, 1, 2));
        assert_eq!((charge.resource, charge.pattern, charge.error), (Some("lambda:invoke"), Some(Pattern::Call), Some("Busy")));
        let [first, second] = facts.attempts else { panic!("two attempts") };
        assert_eq!((first.number, first.wait_before_ms, first.error, first.cause), (1, None, Some("Busy"), Some("try later")));
        assert_eq!((second.number, second.wait_before_ms, second.error), (2, Some(2000.0), None));
        assert_eq!(facts.attempts_of(0).len(), 2);
    });
}

#[test]
fn a_callback_is_handed_out_and_then_somebody_else_has_it() {
    let built = history("Orders")
        .enter_task("Approve", json!({}))
        .calls("sqs", "sendMessage.waitForTaskToken")
        .heartbeat(seconds(600))
        .scheduled()
        .after(milliseconds(10))
        .started()
        .after(milliseconds(40))
        .submitted(json!({}))
        .after(seconds(90))
        .succeeded(json!({}))
        .exit(json!({}))
        .execution_succeeded(json!({}))
        .build();
    look(&built, |facts| {
        let approve = of(facts, "Approve");
        assert_eq!(parts(approve), [Some(10.0), Some(40.0), None, Some(90_000.0)]);
        assert_eq!(approve.pattern, Some(Pattern::Callback));
        assert_eq!((facts.attempts[0].heartbeat_seconds, facts.attempts[0].timeout_seconds), (Some(600), None));
    });
}

#[test]
fn an_activity_queues_until_a_worker_polls() {
    let built = history("Orders")
        .enter_task("Pick", json!({}))
        .calls_activity("pick")
        .scheduled()
        .after(seconds(5))
        .started()
        .after(seconds(60))
        .succeeded(json!({}))
        .exit(json!({}))
        .execution_succeeded(json!({}))
        .build();
    look(&built, |facts| {
        assert_eq!(parts(of(facts, "Pick")), [Some(5000.0), None, None, Some(60_000.0)]);
        assert_eq!(of(facts, "Pick").pattern, Some(Pattern::Activity));
    });
}

#[test]
fn jobs_and_child_executions_run() {
    let child = "arn:aws:states:us-east-1:111111111111:execution:Payment:p-1".parse().expect("an ARN");
    let mut story = history("Orders");
    story.enter_task("Load", json!({})).calls("ecs", "runTask.sync").attempt_succeeded(json!({})).exit(json!({}));
    story.enter_task("Pay", json!({})).calls("states", "startExecution.sync:2").scheduled().started().submitted_child(&child);
    let built = story.after(seconds(7)).succeeded(json!({})).exit(json!({})).execution_succeeded(json!({})).build();
    look(&built, |facts| {
        assert_eq!(of(facts, "Load").pattern, Some(Pattern::Job));
        let pay = of(facts, "Pay");
        assert_eq!((pay.pattern, pay.run_ms), (Some(Pattern::ChildExecution), Some(7000.0)));
        assert_eq!(pay.child, Some("arn:aws:states:us-east-1:111111111111:execution:Payment:p-1"));
    });
}

#[test]
fn a_wait_is_all_rest() {
    let built = history("Orders").wait("Later", json!({}), seconds(30)).execution_succeeded(json!({})).build();
    look(&built, |facts| {
        assert_eq!(parts(of(facts, "Later")), [None; 4]);
        assert_eq!(critical(facts), named(&[("Later", 30_000.0)]));
    });
}

#[test]
fn the_branch_that_ended_last_is_critical() {
    let mut story = history("Orders");
    task(&mut story, "First", 100);
    story.after(milliseconds(5));
    story.enter_parallel("Both", json!({})).after(milliseconds(1)).parallel_started();
    let (mut short, mut long) = (story.branch(), story.branch());
    short.enter_task("Short", json!({})).scheduled().started();
    long.enter_task("Long", json!({})).scheduled().started();
    short.after(milliseconds(20)).succeeded(json!({})).exit(json!({})).branch_succeeded();
    long.after(milliseconds(30)).succeeded(json!({})).exit(json!({})).branch_succeeded();
    story.after(milliseconds(2)).composite_succeeded().after(milliseconds(3)).exit(json!([])).execution_succeeded(json!({}));
    look(&story.build(), |facts| {
        assert_eq!(critical(facts), named(&[("First", 100.0), ("Both", 6.0), ("Both[1]/Long", 50.0)]));
        assert_eq!(of(facts, "Short").critical_ms, Some(0.0));
        assert_eq!(parts(of(facts, "Both")), [None, Some(52.0), None, None]);
        assert_eq!((of(facts, "Long").parent, of(facts, "Long").index), (Some(of(facts, "Both").visit), Some(1)));
    });
}

#[test]
fn an_iteration_that_waited_for_a_slot_leads_back_to_the_one_that_freed_it() {
    let mut story = history("Orders");
    story.enter_map("Each", json!({})).map_started(3);
    let (mut zero, mut one) = (story.iteration(0), story.iteration(1));
    zero.enter_task("Pack", json!({})).scheduled().started();
    one.enter_task("Pack", json!({})).scheduled().started();
    zero.after(milliseconds(10)).succeeded(json!({})).exit(json!({})).iteration_succeeded();
    let mut two = story.after(milliseconds(1)).iteration_after(&zero, 2);
    two.enter_task("Pack", json!({})).scheduled().started();
    one.after(milliseconds(4)).succeeded(json!({})).exit(json!({})).iteration_succeeded();
    two.after(milliseconds(16)).succeeded(json!({})).exit(json!({})).iteration_succeeded();
    story.composite_succeeded().exit(json!([])).execution_succeeded(json!({}));
    look(&story.build(), |facts| {
        assert_eq!(critical(facts), named(&[("Each", 1.0), ("Each[0]/Pack", 10.0), ("Each[2]/Pack", 20.0)]));
        let queues: Vec<Option<f64>> = facts.visits.iter().map(|visit| visit.map_queue_ms).collect();
        assert_eq!(queues, [None, Some(0.0), Some(0.0), Some(11.0)]);
        assert_eq!(of(facts, "Each").items, Some(3));
    });
}

#[test]
fn what_failed_is_critical_though_others_ran_on() {
    let mut story = history("Orders");
    story.enter_parallel("Both", json!({})).parallel_started();
    let (mut good, mut bad) = (story.branch(), story.branch());
    good.enter_task("Good", json!({})).scheduled().started();
    bad.enter_task("Bad", json!({})).scheduled().started().after(milliseconds(40)).failed("Gone", None);
    bad.scope_failed();
    // The whole state is tried again.
    story.after(seconds(1)).parallel_started();
    let (mut good, mut bad) = (story.branch(), story.branch());
    good.enter_task("Good", json!({})).taking(milliseconds(5)).attempt_succeeded(json!({})).exit(json!({})).branch_succeeded();
    bad.enter_task("Bad", json!({})).taking(milliseconds(7)).attempt_succeeded(json!({})).exit(json!({})).branch_succeeded();
    story.composite_succeeded().exit(json!([])).execution_succeeded(json!({}));
    look(&story.build(), |facts| {
        let both = of(facts, "Both");
        assert_eq!(parts(both), [None, Some(52.0), Some(1000.0), None]);
        assert_eq!((both.retries, both.transitions, both.failed_attempts), (1, 2, 1));
        // The second branch was told after the first, so it began when that was over.
        assert_eq!(critical(facts), named(&[("Both", 1005.0), ("Both[1]/Bad", 40.0), ("Both[1]/Bad", 7.0)]));
        let failed = facts.attempts.iter().find(|attempt| attempt.pattern == Some(Pattern::Scopes)).expect("an attempt of Both");
        assert_eq!((failed.state, failed.error), ("Both", Some("Gone")));
    });
}

#[test]
fn a_pause_before_a_redrive_is_nobodys_time() {
    let mut story = history("Orders");
    task(&mut story, "First", 10);
    story.enter_task("Charge", json!({})).scheduled().started().after(milliseconds(20)).failed("Busy", None).execution_failed();
    story.after(seconds(3600)).redriven();
    let built =
        story.scheduled().started().after(milliseconds(30)).succeeded(json!({})).exit(json!({})).execution_succeeded(json!({})).build();
    look(&built, |facts| {
        assert_eq!(facts.redrive_count, 1);
        assert_eq!(critical(facts), named(&[("First", 10.0), ("Charge", 50.0)]));
        let charge = of(facts, "Charge");
        assert_eq!((charge.retries, charge.transitions, charge.attempts), (0, 2, 2));
        assert_eq!(parts(charge), [Some(0.0), Some(50.0), None, None]);
        assert_eq!(charge.duration_ms(), Some(3_600_050.0));
    });
}

#[test]
fn a_running_execution_has_a_critical_path_to_its_last_event() {
    let mut story = history("Orders");
    task(&mut story, "First", 10);
    let built = story.enter_task("Charge", json!({})).scheduled().after(milliseconds(20)).started().build();
    look(&built, |facts| {
        assert_eq!((facts.stop, facts.failure.is_none()), (None, true));
        assert_eq!(critical(facts), named(&[("First", 10.0), ("Charge", 20.0)]));
        assert_eq!(of(facts, "Charge").duration_ms(), None);
    });
}

#[test]
fn scopes_within_scopes_have_one_label() {
    let mut story = history("Orders");
    story.enter_map("Fulfil", json!({})).map_started(1);
    let mut item = story.iteration(2);
    item.enter_parallel("Pack", json!({})).parallel_started();
    let mut branch = item.branch();
    branch.enter_task("Wrap/it", json!({}));
    look(&story.build(), |facts| {
        assert_eq!(facts.visits.iter().map(|visit| visit.scope).collect::<Vec<_>>(), ["", "Fulfil[2]", "Fulfil[2]/Pack[0]"]);
    });
}

#[test]
fn a_failure_is_that_of_why() {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_failed("Card.Declined", Some("no money")).exit(json!({}));
    let built = story.enter_fail("Give up", json!({})).execution_failed_with("OrderFailed", "see above").build();
    look(&built, |facts| {
        let failure = facts.failure.expect("it failed");
        assert_eq!((failure.terminal_state, failure.error, failure.cause), (Some("Give up"), Some("OrderFailed"), Some("see above")));
        assert_eq!((failure.root_state, failure.root_error, failure.root_cause), (Some("Charge"), Some("Card.Declined"), Some("no money")));
        assert_eq!((failure.kind, failure.basis, failure.resource), ("task_failed", "task_chain", Some("lambda:invoke")));
        assert_eq!(of(facts, "Give up").error, Some("OrderFailed"));
    });
}

#[test]
fn the_header_tells_machine_version_alias_and_parent() {
    let parent = "arn:aws:states:us-east-1:111111111111:execution:Shop:s-1";
    let mut story = history("Orders");
    story.version("7").alias("live").input(json!({"order": 1, "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": parent}));
    let mut built = story.pass("Only", json!({}), json!({})).execution_succeeded(json!({"done": true})).build();
    let check = |facts: &ExecutionFacts<'_>| {
        assert_eq!(facts.state_machine, Some("arn:aws:states:us-east-1:111111111111:stateMachine:Orders"));
        assert_eq!((facts.version, facts.alias), (Some("7"), Some("live")));
        assert_eq!((facts.workflow_type, facts.parent), (Some(WorkflowType::Standard), Some(parent)));
        assert_eq!(facts.output, Some(r#"{"done":true}"#));
    };
    look(&built, check);
    // Only the first event tells.
    built.header.state_machine_version_arn = None;
    built.header.state_machine_alias_arn = None;
    built.header.input = None;
    built.header.output = None;
    look(&built, check);
}

#[test]
fn what_the_service_billed_and_the_map_run_of_a_distributed_map_are_told() {
    let run = "arn:aws:states:us-east-1:111111111111:mapRun:Orders/Items:1";
    let mut told = history("Orders");
    told.enter_map("Items", json!([])).map_started(0).map_run_started(run).map_run_succeeded().composite_succeeded().exit(json!({}));
    let mut built = told.execution_succeeded(json!({})).build();
    look(&built, |facts| {
        assert_eq!((of(facts, "Items").child, facts.billed_duration_ms, facts.billed_memory_mb), (Some(run), None, None));
    });
    let details = RawText::plain(r#"{"billedDurationInMilliseconds": 300, "billedMemoryUsedInMB": 64}"#);
    built.header.unknown.push(("billingDetails".to_owned(), details));
    look(&built, |facts| assert_eq!((facts.billed_duration_ms, facts.billed_memory_mb), (Some(300), Some(64))));
}

#[test]
fn a_qualified_machine_is_taken_apart() {
    let mut built = history("Orders").pass("Only", json!({}), json!({})).execution_succeeded(json!({})).build();
    for (qualifier, version, alias) in [("12", Some("12"), None), ("live", None, Some("live"))] {
        let arn = format!("arn:aws:states:us-east-1:111111111111:stateMachine:Orders:{qualifier}");
        built.header.state_machine_arn = Some(arn.parse().expect("an ARN"));
        look(&built, |facts| {
            assert_eq!(facts.state_machine, Some("arn:aws:states:us-east-1:111111111111:stateMachine:Orders"));
            assert_eq!((facts.version, facts.alias), (version, alias));
        });
    }
}

#[test]
fn a_bare_history_has_an_identity_that_stays_when_it_grows() {
    let bare = |mut story: History| {
        story.header = ExecutionHeader::default();
        story
    };
    let mut story = history("Orders");
    let begun = bare(story.input(json!({"id": 1})).enter_task("Charge", json!({})).build());
    let ended = bare(story.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({})).build());
    let other = bare(history("Orders").input(json!({"id": 2})).enter_task("Charge", json!({})).build());
    assert_eq!(identity(&begun), identity(&ended));
    assert_ne!(identity(&begun), identity(&other));
    assert!(identity(&begun).starts_with("unnamed-") && identity(&begun).len() == "unnamed-".len() + 20);
    look(&ended, |facts| {
        assert_eq!(facts.execution, identity(&begun));
        assert_eq!((facts.name, facts.state_machine, facts.workflow_type), ("", None, None));
        assert_eq!(facts.duration_ms(), Some(0.0));
    });
    look(&History::default(), |facts| assert_eq!((facts.events, facts.visits.len(), facts.start), (0, 0, None)));
}

#[test]
fn nothing_is_taken_that_nobody_asked_for() {
    let built = history("Orders").enter_task("Charge", json!({})).attempt_failed("Busy", Some("later")).execution_failed().build();
    let path = rebuild(&built, None);
    let arena = Bump::new();
    let facts = extract(Rebuilt { history: &built, path: &path, definition: None }, Needs::default(), &arena);
    assert!(facts.visits.is_empty() && facts.attempts.is_empty() && facts.failure.is_none() && facts.input.is_none());
    let facts = extract(Rebuilt { history: &built, path: &path, definition: None }, Needs { attempts: true, ..Needs::default() }, &arena);
    assert_eq!((facts.attempts[0].error, facts.attempts[0].cause), (Some("Busy"), None));
}

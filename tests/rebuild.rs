//! Histories as the service links them become the path that was taken, and the failing state is named.

use serde_json::json;
use stepscope::analysis::why::{self, Basis, Confidence, Evidence, Kind, WaitsFor, WhyReport};
use stepscope::asl::Definition;
use stepscope::model::builder::{HistoryBuilder, history, minutes, seconds};
use stepscope::model::event::StateExited;
use stepscope::model::event_type::Ending;
use stepscope::model::path::{AttemptOutcome, VisitOutcome};
use stepscope::model::{Details, EventId, EventType, ExecutionPath, ExecutionStatus, History};
use stepscope::rebuild::rebuild;

fn definition(history: &History) -> Option<Definition> {
    let text = history.definition.as_ref()?.decode();
    Some(Definition::parse(&text).expect("the story's definition is sound"))
}

fn path(history: &History) -> ExecutionPath {
    rebuild(history, definition(history).as_ref())
}

fn explained(history: &History) -> WhyReport {
    let definition = definition(history);
    let path = rebuild(history, definition.as_ref());
    why::why(Evidence { history, path: &path, definition: definition.as_ref() })
}

/// State and outcome of every visit.
fn visits(path: &ExecutionPath) -> Vec<(String, VisitOutcome)> {
    let name = |state: &Option<stepscope::model::RawText>| state.as_ref().map_or("?".to_owned(), |state| state.decode().into_owned());
    path.visits.iter().map(|visit| (name(&visit.state), visit.outcome)).collect()
}

fn named(state: &str, outcome: VisitOutcome) -> (String, VisitOutcome) {
    (state.to_owned(), outcome)
}

fn blamed(report: &WhyReport) -> (Option<&str>, Option<&str>) {
    let terminal = report.terminal.as_ref().and_then(|terminal| terminal.state.as_deref());
    (terminal, report.root_cause.as_ref().and_then(|cause| cause.state.as_deref()))
}

#[test]
fn a_retry_is_another_attempt_of_the_same_visit() {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_failed("Busy", None).after(seconds(2)).attempt_failed("Busy", None);
    story.after(seconds(4)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    let history = story.build();
    let path = path(&history);
    assert_eq!(visits(&path), [named("Charge", VisitOutcome::Succeeded)]);
    let numbers: Vec<(u32, AttemptOutcome)> = path.visits[0].attempts.iter().map(|attempt| (attempt.number, attempt.outcome)).collect();
    assert_eq!(numbers, [(1, AttemptOutcome::Failed), (2, AttemptOutcome::Failed), (3, AttemptOutcome::Succeeded)]);
    let report = explained(&history);
    assert!(report.root_cause.is_none() && report.terminal.is_none());
    assert_eq!(report.handled.len(), 1);
    let waits: Vec<Option<i64>> = report.handled[0].attempts.iter().map(|attempt| attempt.wait_before_ms).collect();
    assert_eq!(waits, [None, Some(2_000), Some(4_000)]);
    assert_eq!(report.handled[0].caught_by, None);
}

#[test]
fn a_runtime_error_is_the_state_that_the_cause_names_however_branches_interleave() {
    let mut story = history("Orders");
    story.enter_parallel("Split", json!({})).parallel_started();
    let (mut left, mut right) = (story.branch(), story.branch());
    left.enter_task("Left", json!({})).scheduled();
    right.enter_pass("Right", json!({}));
    left.started();
    right.runtime_error("Invalid path '$.x' : Missing property in path $['x']");
    let history = story.build();
    let report = explained(&history);
    assert_eq!(blamed(&report), (Some("Right"), Some("Right")));
    let cause = report.root_cause.expect("it failed");
    assert_eq!((cause.kind, cause.basis, cause.confidence), (Kind::Runtime, Basis::CauseText, Confidence::Certain));
    assert_eq!(cause.scope, ["Split[1]"]);
    let left = path(&history);
    assert_eq!(left.visits[1].outcome, VisitOutcome::Aborted);
}

#[test]
fn a_quoted_cause_of_another_execution_is_not_believed() {
    let quoted = "An error occurred while executing the state 'First' (entered at the event id #2). Invalid path '$.x'";
    let mut story = history("Orders");
    story.pass("First", json!({}), json!({})).enter_fail("Refused", json!({})).execution_failed_with("States.Runtime", quoted);
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Refused"), Some("Refused")));
}

#[test]
fn evaluation_failures_link_before_their_state_and_are_placed_by_name() {
    let mut story = history("Orders");
    story.enter_map("Each", json!([1, 2])).map_started(2);
    let (mut first, mut second) = (story.iteration(0), story.iteration(1));
    first.enter_pass("Shape", json!(1));
    second.enter_pass("Shape", json!(2));
    second.evaluation_failed("Output", "The JSONata expression '$x' specified for the field 'Output' returned nothing (undefined).");
    second.scope_failed();
    story.composite_failed().execution_failed();
    let history = story.build();
    let report = explained(&history);
    let cause = report.root_cause.expect("it failed");
    assert_eq!((cause.state.as_deref(), cause.scope.as_slice()), (Some("Shape"), &["Each[1]".to_owned()][..]));
    assert_eq!((cause.kind, cause.basis), (Kind::EvaluationFailed, Basis::EvaluationEvent));
    let path = path(&history);
    assert_eq!(path.scopes[1].ending, Some(Ending::Aborted));
    assert_eq!(path.scopes[2].ending, Some(Ending::Failed));
}

#[test]
fn items_that_cannot_be_computed_are_a_failure_of_the_map() {
    let mut story = history("Orders");
    story
        .enter_map("Each", json!({}))
        .evaluation_failed("Items", "returned an unexpected result type.")
        .composite_failed()
        .execution_failed();
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Each"), Some("Each")));
}

#[test]
fn a_delayed_iteration_links_to_the_one_that_freed_its_slot_and_is_its_own() {
    let mut story = history("Orders");
    story.enter_map("Each", json!([1, 2])).map_started(2);
    let mut first = story.iteration(0);
    first.pass("Shape", json!(1), json!(1)).iteration_succeeded();
    let mut second = story.iteration_after(&first, 1);
    second.enter_task("Send", json!(2)).attempt_failed("Down", None).scope_failed();
    story.composite_failed().execution_failed();
    let history = story.build();
    let path = path(&history);
    assert_eq!(path.scopes[1].ending, Some(Ending::Succeeded));
    assert_eq!(path.scopes[2].visits.len(), 1);
    assert_eq!(explained(&history).root_cause.expect("it failed").scope, ["Each[1]"]);
}

fn guarded() -> serde_json::Value {
    json!({"StartAt": "Charge", "States": {
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "Ship",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Refund"}]},
        "Refund": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "Refunded",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Broken"}]},
        "Refunded": {"Type": "Fail"}, "Broken": {"Type": "Fail"},
        "Ship": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}})
}

fn caught(story: &mut HistoryBuilder, state: &str, error: &str) {
    story.enter_task(state, json!({})).attempt_failed(error, None).caught(json!({"Error": error}));
}

#[test]
fn a_catch_that_leads_to_a_fail_state_makes_the_caught_failure_the_cause() {
    let mut story = history("Orders");
    story.definition(&guarded());
    caught(&mut story, "Charge", "Declined");
    story.enter_task("Refund", json!({})).attempt_succeeded(json!({})).exit(json!({}));
    story.enter_fail("Refunded", json!({})).execution_failed_with("NotCharged", "sorry");
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Refunded"), Some("Charge")));
    let (terminal, cause) = (report.terminal.expect("it failed"), report.root_cause.expect("it failed"));
    assert_eq!(terminal.error.as_deref(), Some("NotCharged"));
    assert_eq!((cause.error.as_deref(), cause.caught_by.as_deref()), (Some("Declined"), Some("Refund")));
    assert_eq!(cause.confidence, Confidence::Certain);
    assert!(report.handled.is_empty(), "the cause is not told twice");
}

#[test]
fn a_catch_of_a_catch_goes_back_to_the_first_failure() {
    let mut story = history("Orders");
    story.definition(&guarded());
    caught(&mut story, "Charge", "Declined");
    caught(&mut story, "Refund", "Down");
    story.enter_fail("Broken", json!({})).execution_failed_with("Broken", "");
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Broken"), Some("Charge")));
    let handled: Vec<Option<&str>> = report.handled.iter().map(|finding| finding.state.as_deref()).collect();
    assert_eq!(handled, [Some("Refund")]);
}

#[test]
fn a_catch_that_came_back_to_the_normal_path_was_handled() {
    let mut story = history("Orders");
    story.definition(&json!({"StartAt": "Enrich", "States": {
        "Enrich": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "Charge",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Skip"}]},
        "Skip": {"Type": "Pass", "Next": "Charge"},
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}}));
    caught(&mut story, "Enrich", "Down");
    story.pass("Skip", json!({}), json!({})).enter_task("Charge", json!({})).attempt_failed("Declined", None).execution_failed();
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Charge"), Some("Charge")));
    assert_eq!(report.handled[0].state.as_deref(), Some("Enrich"));
    assert_eq!(report.handled[0].caught_by.as_deref(), Some("Skip"));
}

#[test]
fn without_a_definition_a_catch_before_the_end_is_likely_the_cause_and_says_so() {
    let mut story = history("Orders");
    caught(&mut story, "Charge", "Declined");
    story.enter_fail("Refused", json!({})).execution_failed_with("Refused", "");
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Refused"), Some("Charge")));
    assert!(report.incomplete.iter().any(|gap| gap.id == "no_definition"));
}

#[test]
fn a_failed_map_that_is_caught_leads_to_the_iteration_that_failed_it() {
    let mut story = history("Orders");
    story.definition(&json!({"StartAt": "Each", "States": {
        "Each": {"Type": "Map", "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Refused"}],
            "ItemProcessor": {"StartAt": "Send", "States": {"Send": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}}},
        "Refused": {"Type": "Fail"}}}));
    story.enter_map("Each", json!([1, 2])).map_started(2);
    let (mut first, mut second) = (story.iteration(0), story.iteration(1));
    first.enter_task("Send", json!(1)).scheduled();
    second.enter_task("Send", json!(2)).attempt_failed("Down", Some("gone"));
    second.scope_failed();
    story.composite_failed().caught(json!({})).enter_fail("Refused", json!({})).execution_failed_with("Refused", "");
    let history = story.build();
    let report = explained(&history);
    let cause = report.root_cause.expect("it failed");
    assert_eq!((cause.state.as_deref(), cause.scope.as_slice()), (Some("Send"), &["Each[1]".to_owned()][..]));
    assert_eq!(cause.error.as_deref(), Some("Down"));
    let outcomes = visits(&path(&history));
    let expected = [VisitOutcome::Caught, VisitOutcome::Aborted, VisitOutcome::Failed, VisitOutcome::Failed];
    assert_eq!(outcomes.iter().map(|(_, outcome)| *outcome).collect::<Vec<_>>(), expected);
}

#[test]
fn a_retry_that_links_to_the_failed_event_of_its_map_is_that_maps() {
    let mut story = history("Orders");
    story.enter_map("Outer", json!([1])).map_started(1);
    let mut item = story.iteration(0);
    item.enter_map("Inner", json!([1]));
    for _ in 0..2 {
        item.map_started(1);
        let mut inner = item.iteration(0);
        inner.enter_task("Send", json!(1)).attempt_failed("Down", None).scope_failed();
        // Recordings have no such event before a retry; other engines write one.
        item.composite_failed();
    }
    item.caught(json!({})).enter_fail("Refused", json!({}));
    item.scope_failed();
    story.composite_failed().execution_failed_with("Refused", "");
    let history = story.build();
    let path = path(&history);
    assert_eq!((path.unplaced.len(), path.broken_links.len()), (0, 0));
    assert_eq!(path.visits.iter().map(|visit| visit.attempts.len()).collect::<Vec<_>>(), [1, 2, 1, 1, 0]);
    assert_eq!(blamed(&explained(&history)), (Some("Refused"), Some("Send")));
}

#[test]
fn the_last_run_of_a_retried_parallel_counts() {
    let mut story = history("Orders");
    story.enter_parallel("Split", json!({}));
    for _ in 0..2 {
        story.parallel_started();
        let mut branch = story.branch();
        branch.enter_task("Send", json!({})).attempt_failed("Down", None).scope_failed();
    }
    story.composite_failed().execution_failed();
    let history = story.build();
    let path = path(&history);
    assert_eq!(path.visits[0].attempts.len(), 2);
    let cause = explained(&history).root_cause.expect("it failed");
    assert_eq!(cause.entered_event_id, path.visits[2].entered.map(|index| history.events[index].id));
}

#[test]
fn a_redrive_goes_on_with_the_visit_that_had_failed() {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_failed("Down", None).execution_failed();
    story.after(minutes(5)).redriven().attempt_failed("Down", None).after(seconds(1)).attempt_succeeded(json!({})).exit(json!({}));
    story.execution_succeeded(json!({}));
    let history = story.build();
    let path = path(&history);
    assert_eq!(path.runs.len(), 2);
    assert_eq!(path.status, Some(ExecutionStatus::Succeeded));
    assert_eq!(visits(&path), [named("Charge", VisitOutcome::Succeeded)]);
    let numbers: Vec<(u32, u32)> = path.visits[0].attempts.iter().map(|attempt| (attempt.run, attempt.number)).collect();
    assert_eq!(numbers, [(0, 1), (1, 1), (1, 2)]);
}

#[test]
fn a_redriven_execution_that_fails_again_is_judged_by_its_last_end() {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_failed("Down", None).execution_failed();
    story.redriven().attempt_succeeded(json!({})).exit(json!({}));
    story.enter_task("Ship", json!({})).attempt_failed("NoAddress", None).execution_failed();
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Ship"), Some("Ship")));
    assert_eq!(report.execution.redrive_count, 1);
}

#[test]
fn a_redrive_is_not_suggested_where_it_would_enter_a_fail_state_again() {
    let redrives = |story: &mut HistoryBuilder| {
        let report = explained(&story.execution_failed().build());
        report.next.iter().any(|next| next.command.contains("redrive-execution"))
    };
    let mut failed = history("Orders");
    failed.enter_task("Charge", json!({})).attempt_failed("Down", None);
    assert!(redrives(&mut failed));
    let mut refused = history("Orders");
    refused.enter_task("Charge", json!({})).attempt_failed("Down", None).caught(json!({})).enter_fail("Refused", json!({}));
    assert!(!redrives(&mut refused));
}

#[test]
fn a_redrive_goes_on_inside_the_map_that_had_failed() {
    let mut story = history("Orders");
    story.enter_map("Each", json!([1, 2])).map_started(2);
    let (mut first, mut second) = (story.iteration(0), story.iteration(1));
    first.enter_task("Send", json!(1)).scheduled().started();
    second.enter_task("Send", json!(2)).attempt_failed("Down", None).scope_failed();
    story.composite_failed().execution_failed().redriven();
    first.scheduled_with(json!(1)).started().succeeded(json!({})).exit(json!({})).iteration_succeeded();
    second.scheduled_with(json!(2)).started().succeeded(json!({})).exit(json!({})).iteration_succeeded();
    story.composite_succeeded().exit(json!([])).execution_succeeded(json!({}));
    let history = story.build();
    let path = path(&history);
    assert_eq!((path.unplaced.len(), path.broken_links.len()), (0, 0));
    let all = ["Each", "Send", "Send"].map(|state| named(state, VisitOutcome::Succeeded));
    assert_eq!(visits(&path), all);
    assert!(path.scopes[1..].iter().all(|scope| scope.ending == Some(Ending::Succeeded)));
}

#[test]
fn a_missed_heartbeat_is_told_from_a_task_timeout_by_how_long_it_took() {
    let told = |lasted: u64| {
        let mut story = history("Orders");
        story.enter_task("Approve", json!({})).calls("sqs", "sendMessage.waitForTaskToken").timeout(minutes(10)).heartbeat(minutes(1));
        story.scheduled().started().submitted(json!({})).after(seconds(lasted)).timed_out().execution_failed();
        explained(&story.build()).root_cause.expect("it failed").kind
    };
    assert_eq!(told(61), Kind::HeartbeatTimedOut);
    assert_eq!(told(185), Kind::HeartbeatTimedOut);
    assert_eq!(told(600), Kind::TaskTimedOut);
}

#[test]
fn a_call_that_never_began_is_told_from_one_that_failed() {
    let told = |fail: &dyn Fn(&mut HistoryBuilder)| {
        let mut story = history("Orders");
        story.enter_task("Call", json!({}));
        fail(&mut story);
        story.execution_failed();
        explained(&story.build()).root_cause.expect("it failed")
    };
    let function = told(&|story| {
        story.calls_function("charge").scheduled().schedule_failed("States.Permissions", None);
    });
    assert_eq!((function.kind, function.state.as_deref()), (Kind::ScheduleFailed, Some("Call")));
    assert!(function.resource.expect("it called a function").ends_with(":function:charge"));
    let start = told(&|story| {
        story.scheduled().start_failed("States.Permissions", Some("no"));
    });
    assert_eq!((start.kind, start.cause.as_deref()), (Kind::ScheduleFailed, Some("no")));
    let submit = told(&|story| {
        story.calls("ecs", "runTask.sync").scheduled().started().submit_failed("ECS.ServerException", None);
    });
    assert_eq!(submit.kind, Kind::ScheduleFailed);
}

#[test]
fn a_worker_that_fails_without_a_word_leaves_neither_error_nor_cause() {
    let mut story = history("Orders");
    story.enter_task("Approve", json!({})).calls_activity("approvals").scheduled().started().failed_silently().execution_failed();
    let cause = explained(&story.build()).root_cause.expect("it failed");
    assert_eq!((cause.state.as_deref(), cause.kind, cause.error, cause.cause), (Some("Approve"), Kind::TaskFailed, None, None));
}

#[test]
fn a_running_callback_says_what_it_waits_for_and_since_when() {
    let mut story = history("Orders");
    story.enter_task("Approve", json!({})).calls("sqs", "sendMessage.waitForTaskToken").scheduled().started().submitted(json!({}));
    let report = explained(&story.build());
    assert!(report.root_cause.is_none());
    assert_eq!(report.open.len(), 1);
    assert_eq!((report.open[0].state.as_deref(), report.open[0].waits_for), (Some("Approve"), WaitsFor::Callback));
    assert!(report.open[0].since.is_some());
}

#[test]
fn a_stopped_execution_names_the_one_state_that_was_open_and_guesses_among_several() {
    let mut alone = history("Orders");
    alone.enter_wait("Cool", json!({})).execution_stopped(Some("Operator"), None);
    let report = explained(&alone.build());
    assert_eq!(blamed(&report), (Some("Cool"), Some("Cool")));
    let cause = report.root_cause.expect("it was stopped");
    assert_eq!((cause.kind, cause.confidence, cause.error.as_deref()), (Kind::Aborted, Confidence::Likely, Some("Operator")));

    let mut split = history("Orders");
    split.enter_parallel("Split", json!({})).parallel_started();
    let (mut left, mut right) = (split.branch(), split.branch());
    left.enter_wait("Cool", json!({}));
    right.enter_task("Send", json!({})).scheduled();
    split.execution_timed_out();
    let report = explained(&split.build());
    let cause = report.root_cause.expect("it ran out of time");
    assert_eq!((cause.kind, cause.confidence), (Kind::ExecutionTimedOut, Confidence::Guess));
    assert_eq!(report.open.len(), 2);
}

#[test]
fn a_fail_state_inside_what_waits_for_its_retry_is_not_open() {
    let mut story = history("Orders");
    story.enter_parallel("Split", json!({})).parallel_started();
    let mut branch = story.branch();
    branch.enter_fail("Refused", json!({}));
    story.execution_timed_out();
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Split"), Some("Split")));
    assert_eq!(report.open.iter().filter_map(|open| open.state.as_deref()).collect::<Vec<_>>(), ["Split"]);
}

#[test]
fn a_failed_map_run_is_a_failure_of_the_map() {
    let mut story = history("Orders");
    story.enter_map("Each", json!({})).map_started(0).map_run_started("arn:aws:states:us-east-1:111111111111:mapRun:Orders/Each:1");
    story.map_run_failed("States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded");
    story.composite_failed().execution_failed();
    let report = explained(&story.build());
    let cause = report.root_cause.expect("it failed");
    assert_eq!((cause.state.as_deref(), cause.kind), (Some("Each"), Kind::MapFailed));
    assert_eq!(cause.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
    assert_eq!(cause.map_run.as_deref(), Some("arn:aws:states:us-east-1:111111111111:mapRun:Orders/Each:1"));
    assert!(
        report.next.iter().any(|next| next.command.contains("--map-run-arn arn:aws:states:us-east-1:111111111111:mapRun:Orders/Each:1"))
    );
}

#[test]
fn an_end_that_only_the_description_tells_is_explained_by_the_last_failure() {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_failed("Declined", Some("no")).execution_failed();
    let mut history = story.build();
    history.events.pop();
    let report = explained(&history);
    assert_eq!(blamed(&report), (Some("Charge"), Some("Charge")));
    assert_eq!(report.root_cause.expect("it failed").confidence, Confidence::Likely);
}

#[test]
fn a_fail_state_whose_event_is_missing_is_known_by_its_error() {
    let mut story = history("Orders");
    story.definition(&json!({"StartAt": "Charge", "States": {
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Refused"}]},
        "Refused": {"Type": "Fail", "Error": "NotCharged"}, "Other": {"Type": "Fail", "Error": "Other"}}}));
    caught(&mut story, "Charge", "Declined");
    story.enter_fail("Refused", json!({})).execution_failed_with("NotCharged", "sorry");
    let mut history = story.build();
    history.events.retain(|event| event.type_name() != "FailStateEntered");
    let report = explained(&history);
    assert_eq!(blamed(&report), (Some("Refused"), Some("Charge")));
    assert!(report.root_cause.expect("it failed").confidence < Confidence::Certain);
}

#[test]
fn a_state_of_which_only_the_end_is_left_is_named_by_what_it_called() {
    let mut story = history("Orders");
    story.definition(
        &json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "Send", "States": {
        "Send": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Next": "Save"},
        "Save": {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "End": true}}}}}}),
    );
    story.enter_map("Each", json!([1])).map_started(1);
    let mut item = story.iteration(0);
    item.enter_task("Send", json!(1)).calls("sqs", "sendMessage").attempt_succeeded(json!({})).exit(json!({}));
    item.enter_task("Save", json!(1)).calls("dynamodb", "putItem").attempt_failed("DynamoDB.Down", None).scope_failed();
    story.composite_failed().execution_failed();
    let mut history = story.build();
    let failed = history.events.iter().position(|event| event.type_name() == "TaskFailed").expect("it failed");
    history.events.drain(..failed);
    let report = explained(&history);
    assert_eq!(blamed(&report), (Some("Save"), Some("Save")));
    assert!(report.root_cause.expect("it failed").confidence < Confidence::Certain);
}

#[test]
fn links_of_a_local_engine_that_writes_none_are_made_up_for_by_order() {
    let mut story = history("Orders");
    story.pass("First", json!({}), json!({})).enter_task("Charge", json!({})).attempt_failed("Declined", None).execution_failed();
    let mut history = story.build();
    for event in &mut history.events {
        event.previous_event_id = None;
    }
    let path = path(&history);
    assert_eq!(visits(&path), [named("First", VisitOutcome::Succeeded), named("Charge", VisitOutcome::Failed)]);
    assert!(!path.broken_links.is_empty());
    assert_eq!(blamed(&explained(&history)), (Some("Charge"), Some("Charge")));
}

#[test]
fn links_in_a_circle_and_to_later_events_end() {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_failed("Declined", None).execution_failed();
    let mut history = story.build();
    let last = history.events.last().expect("it has an end").id;
    for event in &mut history.events {
        event.previous_event_id = Some(EventId(last.0 + 1 - event.id.0));
    }
    let report = explained(&history);
    assert_eq!(blamed(&report), (Some("Charge"), Some("Charge")));
    assert!(report.incomplete.iter().any(|gap| gap.id == "broken_links"));
}

#[test]
fn an_empty_history_says_that_it_is() {
    let report = explained(&History::default());
    assert!(report.root_cause.is_none() && report.route.is_empty());
}

#[test]
fn what_was_caught_before_is_not_why_somebody_stopped_the_execution() {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_failed("Declined", None).caught(json!({}));
    story.enter_task("Refund", json!({})).scheduled().execution_stopped(None, None);
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Refund"), Some("Refund")));
    assert_eq!(report.root_cause.expect("it was stopped").kind, Kind::Aborted);
}

#[test]
fn a_fail_state_that_a_redrive_enters_again_is_still_reached_by_the_catch() {
    let mut story = history("Orders");
    story.definition(&json!({"StartAt": "Good", "States": {
        "Good": {"Type": "Choice", "Choices": [{"Variable": "$.good", "BooleanEquals": true, "Next": "Charge"}], "Default": "Refuse"},
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Refuse"}]},
        "Refuse": {"Type": "Fail"}}}));
    story.choice("Good", json!({})).enter_task("Charge", json!({})).attempt_failed("Declined", None).caught(json!({}));
    story.enter_fail("Refuse", json!({})).execution_failed().redriven();
    let events = story.build().events;
    let refused = events.iter().find(|event| event.kind == EventType::FailStateEntered).expect("told above");
    story.event(EventType::FailStateEntered, Some(story.last_event_id()), refused.details.clone());
    story.event(EventType::ExecutionFailed, Some(story.last_event_id()), Details::None);
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Refuse"), Some("Charge")));
}

#[test]
fn iterations_that_a_redrive_enters_again_stay_apart_and_keep_what_they_had_done() {
    let mut story = history("Orders");
    story.enter_map("Each", json!([1, 2])).map_started(2);
    let (mut first, mut second) = (story.iteration(0), story.iteration(1));
    first.enter_wait("Pause", json!(1));
    second.enter_wait("Pause", json!(2));
    story.runtime_error("Broken").redriven();
    let (mut first, mut second) = (story.iteration(0), story.iteration(1));
    first.enter_wait("Pause", json!(1));
    second.enter_wait("Pause", json!(2));
    let history = story.build();
    let path = path(&history);
    let visits: Vec<usize> = path.scopes[1..].iter().map(|scope| scope.visits.len()).collect();
    assert_eq!(visits, [2, 2]);
}

#[test]
fn a_catch_passed_over_without_a_definition_makes_the_answer_less_sure() {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_failed("Declined", None).caught(json!({}));
    story.pass("Note", json!({}), json!({})).pass("Tell", json!({}), json!({})).pass("Log", json!({}), json!({}));
    story.enter_task("Ship", json!({})).attempt_failed("NoAddress", None).execution_failed();
    let report = explained(&story.build());
    assert_eq!(blamed(&report), (Some("Ship"), Some("Ship")));
    assert_eq!(report.root_cause.expect("it failed").confidence, Confidence::Likely);
}

#[test]
fn a_map_run_that_failed_is_caught_though_its_map_says_nothing() {
    let mut story = history("Orders");
    story.enter_map("Each", json!([])).map_started(0).map_run_started("arn:aws:states:eu-west-1:111111111111:mapRun:Orders/Each:1");
    story.map_run_failed("States.ExceedToleratedFailureThreshold", "too many failed");
    let exited = story.build().events.last().map(|event| event.id);
    story.event(EventType::MapStateExited, exited, Details::StateExited(StateExited::default()));
    let path = path(&story.build());
    assert_eq!(path.visits[0].attempts[0].outcome, AttemptOutcome::Failed);
}

//! Executions that really ran, on a moto server, read through the API.
//!
//! moto interprets the definition, answers in the service's wire format and breaks no page: what it does not show is in
//! `aws_faults.rs`.

mod common;

use common::moto::{Moto, moto};
use common::{ACCOUNT, block_on, settings_for};
use serde_json::{Value, json};
use stepscope::model::{EventType, ExecutionArn, ExecutionHeader, ExecutionStatus, Gap, History, RawText};
use stepscope::sources::aws::pace::Budget;
use stepscope::sources::aws::{Action, AwsError, AwsSettings, AwsSource, ExecutionsOf, Pace};

async fn source(moto: &Moto) -> AwsSource {
    AwsSource::connect(&settings_for(&moto.url()), None).await.expect("settings for loopback")
}

async fn read(moto: &Moto, execution: &str) -> History {
    source(moto).await.history(&execution.parse().expect("moto's ARNs are ARNs")).await.expect("it is there")
}

/// Runs a definition to its failure and reads it back.
async fn failure(moto: &Moto, name: &str, definition: &Value, input: &Value) -> History {
    let execution = moto.run_to_failure(name, definition, input).await;
    let history = read(moto, &execution).await;
    assert_eq!(history.header.arn.as_ref().expect("an ARN").as_str(), execution);
    assert_eq!(history.header.status, Some(ExecutionStatus::Failed));
    assert_eq!(history.definition.as_ref().expect("a definition").decode(), definition.to_string());
    assert_eq!(history.gaps, []);
    history
}

fn kinds(history: &History) -> Vec<&'static str> {
    history.events.iter().map(|event| event.kind.name()).collect()
}

/// The error and the cause of the last event.
fn end(history: &History) -> (String, String) {
    let last = history.events.last().expect("events");
    assert_eq!(last.kind, EventType::ExecutionFailed);
    let text = |text: Option<&stepscope::model::RawText>| text.map(|text| text.decode().into_owned()).unwrap_or_default();
    (text(last.error()), text(last.cause()))
}

fn fail(error: &str) -> Value {
    json!({"Type": "Fail", "Error": error, "Cause": format!("on \"purpose\": {error}")})
}

#[test]
fn a_fail_state() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Check", "States": {"Check": {"Type": "Pass", "Next": "Stop"}, "Stop": fail("Refused")}});
    let history = block_on(failure(moto, "FailState", &definition, &json!({"order": 7})));
    assert_eq!(kinds(&history), ["ExecutionStarted", "PassStateEntered", "PassStateExited", "FailStateEntered", "ExecutionFailed"]);
    assert_eq!(end(&history), ("Refused".to_owned(), "on \"purpose\": Refused".to_owned()));
    let links: Vec<Option<u64>> = history.events.iter().map(|event| event.previous_event_id.map(|id| id.0)).collect();
    assert_eq!(links, [None, None, Some(2), Some(3), Some(4)]);
    assert_eq!(history.events[1].state_name().expect("a name").decode(), "Check");
    let input: Value = serde_json::from_str(&history.events[1].input().expect("an input").text.decode()).expect("JSON");
    assert_eq!(input, json!({"order": 7}));
    let (start, stop) = (history.header.start.expect("a start"), history.header.stop.expect("a stop"));
    assert!(history.events.iter().all(|event| event.timestamp.is_some_and(|at| start <= at && at <= stop)));
    assert_eq!(history.header.state_machine_arn.as_ref().expect("a machine").name().split('-').next(), Some("FailState"));
}

#[test]
fn a_task_that_is_retried_and_caught() {
    let Some(moto) = moto() else { return };
    let queue = format!("http://127.0.0.1/{ACCOUNT}/no-such-queue");
    let definition = json!({"StartAt": "Send", "States": {
        "Send": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {"QueueUrl": queue, "MessageBody": "hello"},
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Stop"}], "End": true},
        "Stop": fail("Refused")}});
    let history = block_on(failure(moto, "Caught", &definition, &json!({})));
    let attempt = ["TaskScheduled", "TaskStarted", "TaskFailed"];
    let expected: Vec<&str> = ["ExecutionStarted", "TaskStateEntered"]
        .into_iter()
        .chain(attempt)
        .chain(attempt)
        .chain(["TaskStateExited", "FailStateEntered", "ExecutionFailed"])
        .collect();
    assert_eq!(kinds(&history), expected);
    let sent: Value = serde_json::from_str(&history.events[2].input().expect("parameters").text.decode()).expect("JSON");
    assert_eq!(sent["MessageBody"], "hello");
    let cause = history.events[4].cause().expect("a cause").decode().into_owned();
    assert!(cause.contains("queue"), "{cause}");
}

#[test]
fn a_choice_that_nothing_matches() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Which", "States": {
        "Which": {"Type": "Choice", "Choices": [{"Variable": "$.x", "NumericEquals": 1, "Next": "Done"}]}, "Done": {"Type": "Succeed"}}});
    let history = block_on(failure(moto, "Unmatched", &definition, &json!({"x": 2})));
    assert_eq!(kinds(&history), ["ExecutionStarted", "ChoiceStateEntered", "ExecutionFailed"]);
    assert_eq!(end(&history).0, "States.Runtime");
}

#[test]
fn an_iteration_that_fails() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "End": true,
        "ItemProcessor": {"StartAt": "Which", "States": {
            "Which": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "Stop"}], "Default": "Fine"},
            "Fine": {"Type": "Pass", "End": true}, "Stop": fail("BadItem")}}}}});
    let history = block_on(failure(moto, "BadItem", &definition, &json!({"items": [1, 2, 3]})));
    let failed = history.events.iter().find(|event| event.kind == EventType::MapIterationFailed).expect("the second iteration");
    assert_eq!(failed.state_name().expect("the Map's name").decode(), "Each");
    assert!(matches!(failed.details, stepscope::model::Details::Iteration { index: Some(1), .. }), "{:?}", failed.details);
    assert_eq!(end(&history).0, "BadItem");
}

#[test]
fn a_branch_that_fails() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "Good", "States": {"Good": {"Type": "Pass", "End": true}}}, {"StartAt": "Bad", "States": {"Bad": fail("BadBranch")}}]}}});
    let history = block_on(failure(moto, "BadBranch", &definition, &json!({})));
    assert!(kinds(&history).contains(&"ParallelStateFailed"));
    assert_eq!(end(&history).0, "BadBranch");
}

#[test]
fn an_execution_that_is_still_running_has_no_end_and_no_gap() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Sleep", "States": {"Sleep": {"Type": "Wait", "Seconds": 3_600, "End": true}}});
    let history = block_on(async {
        let machine = moto.create("Sleeper", &definition).await;
        let execution = moto.start(&machine, &json!({})).await;
        read(moto, &execution).await
    });
    assert_eq!(history.header.status, Some(ExecutionStatus::Running));
    assert_eq!(history.header.stop, None);
    assert!(history.gaps.iter().all(|gap| *gap == Gap::NoEvents), "{:?}", history.gaps);
}

#[test]
fn a_history_of_more_than_a_thousand_events() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Each", "States": {"Stop": fail("Enough"), "Each": {"Type": "Map", "ItemsPath": "$.items",
        "MaxConcurrency": 1, "Next": "Stop", "ItemProcessor": {"StartAt": "Fine", "States": {"Fine": {"Type": "Pass", "End": true}}}}}});
    let items: Vec<u32> = (0..300).collect();
    let history = block_on(failure(moto, "Many", &definition, &json!({"items": items})));
    assert_eq!(history.events.len(), 1_207);
    assert!(history.events.iter().zip(1..).all(|(event, id)| event.id.0 == id));
}

#[test]
fn the_latest_failure_of_a_machine_by_name_and_by_arn() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Stop", "States": {"Stop": fail("Refused")}});
    block_on(async {
        let machine = moto.create("Latest", &definition).await;
        let name = machine.rsplit(':').next().expect("a name");
        let source = source(moto).await;
        assert_eq!(source.latest_failed(name).await, Ok(None));
        let mut last = String::new();
        for _ in 0..3 {
            last = moto.start(&machine, &json!({})).await;
            assert_eq!(moto.ended(&last).await, ExecutionStatus::Failed.name().into());
        }
        for named in [name, machine.as_str()] {
            assert_eq!(source.latest_failed(named).await.expect("an answer").expect("a failure").as_str(), last);
        }
        let missing = source.latest_failed(&name.to_lowercase()).await.expect_err("names are told apart by case");
        assert!(matches!(&missing, AwsError::NoStateMachine { similar, .. } if similar[0] == name), "{missing}");
    });
}

#[test]
fn an_execution_that_does_not_exist() {
    let Some(moto) = moto() else { return };
    let arn = format!("arn:aws:states:{}:{ACCOUNT}:execution:Nothing:run-1", common::REGION).parse().expect("an ARN");
    let read = block_on(async { source(moto).await.history(&arn).await });
    assert!(matches!(read.expect_err("there is none"), AwsError::NoExecution { .. }));
}

#[test]
fn what_is_pulled_from_a_listing_is_what_is_read_one_by_one() {
    let Some(moto) = moto() else { return };
    let definition = json!({"StartAt": "Check", "States": {"Check": {"Type": "Pass", "Next": "Stop"}, "Stop": fail("Refused")}});
    block_on(async {
        let execution = moto.run_to_failure("Pulled", &definition, &json!({"order": 7})).await;
        let pace = Pace::new(Budget::default());
        let settings = AwsSettings { pace: Some(pace.clone()), ..settings_for(&moto.url()) };
        let paced = AwsSource::connect(&settings, None).await.expect("settings for loopback");
        let arn: ExecutionArn = execution.parse().expect("moto's ARNs are ARNs");
        let listed = paced.list_executions(ExecutionsOf::Machine(&arn.state_machine()), None, None).await.expect("a listing");
        let pulled = paced.pull_history(&listed.items[0]).await.expect("a history");
        let read = read(moto, &execution).await;
        assert_eq!(pulled.history.events, read.events);
        assert!(!pulled.is_behind);
        let told = |header: &ExecutionHeader| {
            let text = |text: &Option<RawText>| text.as_ref().map(|text| text.decode().into_owned());
            (header.arn.clone(), header.name.clone(), header.status, header.start, text(&header.error), text(&header.cause))
        };
        assert_eq!(told(&pulled.history.header), told(&read.header));
        let input: Value = serde_json::from_str(&pulled.history.header.input.expect("an input").decode()).expect("JSON");
        assert_eq!(input, json!({"order": 7}));
        let calls: Vec<(Action, u64)> = pace.spent().iter().map(|spent| (spent.action, spent.calls)).collect();
        assert_eq!(calls, [(Action::ListExecutions, 1), (Action::GetExecutionHistory, 1)]);
        assert!(pace.spent().iter().all(|spent| spent.account.as_deref() == Some(ACCOUNT)));
    });
}

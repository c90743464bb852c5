//! What pulling a history makes of an endpoint that fails: what is tried again, what is given up, and that a history is whole or an error.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::fake_endpoint::{FakeEndpoint, Reply, Request, nobody};
use common::{ACCOUNT, REGION, block_on, settings_for};
use serde_json::{Value, json};
use stepscope::model::{ExecutionStatus, Gap};
use stepscope::sources::aws::pace::{Budget, QuotaOf, Share, Spent};
use stepscope::sources::aws::{Action, AwsError, AwsSettings, AwsSource, ExecutionItem, ExecutionsOf, Pace, Patience, Pulled, Quota};

const HISTORY: &str = "GetExecutionHistory";

/// Waits that a test can afford.
fn impatient() -> Patience {
    Patience {
        attempt: Duration::from_secs(5),
        call: Duration::from_secs(10),
        attempts: 3,
        first_wait: Duration::from_millis(1),
        throttling: Duration::from_millis(20),
        ..Patience::default()
    }
}

/// A pace that hardly keeps anybody waiting, even when it has slowed down.
fn quick() -> Pace {
    let quota = Quota { bucket: 1e6, refill: 1e6 };
    Pace::new(Action::ALL.into_iter().fold(Budget::new(Share::ALL), |budget, action| budget.with_quota(QuotaOf { action, quota })))
}

fn settings(endpoint: &FakeEndpoint, pace: &Pace) -> AwsSettings {
    AwsSettings { patience: impatient(), pace: Some(pace.clone()), ..settings_for(endpoint.url()) }
}

async fn connect(endpoint: &FakeEndpoint, pace: &Pace) -> AwsSource {
    AwsSource::connect(&settings(endpoint, pace), None).await.expect("settings for loopback")
}

/// A listing's item of the execution that the endpoints of this file have.
fn item(status: ExecutionStatus) -> ExecutionItem {
    let arn = format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:Orders:run-1");
    let moment = |text: &str| text.parse().expect("a time");
    ExecutionItem {
        arn: arn.parse().expect("an ARN"),
        state_machine_arn: format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Orders").parse().expect("an ARN"),
        status: Some(status),
        start: Some(moment("2026-01-01T00:00:00Z")),
        stop: status.is_closed().then(|| moment("2026-01-01T00:00:06Z")),
        redrive_count: 0,
        redrive: None,
        map_run_arn: None,
        version_arn: None,
        alias_arn: None,
    }
}

fn pull_with(endpoint: &FakeEndpoint, pace: &Pace, item: &ExecutionItem) -> Result<Pulled, AwsError> {
    block_on(async { connect(endpoint, pace).await.pull_history(item).await })
}

fn pull(endpoint: &FakeEndpoint) -> Result<Pulled, AwsError> {
    pull_with(endpoint, &quick(), &item(ExecutionStatus::Failed))
}

/// A history of five events in pages of two; `fault` may answer otherwise.
fn endpoint(fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> FakeEndpoint {
    FakeEndpoint::start(move |request| {
        assert_eq!(request.action, HISTORY, "nothing else is called for a history");
        fault(request).unwrap_or_else(|| match request.token() {
            None => Reply::Json(page(0..2, Some("from-3"))),
            Some("from-3") => Reply::Json(page(2..4, Some("from-5"))),
            _ => Reply::Json(page(4..5, None)),
        })
    })
}

fn page(range: std::ops::Range<usize>, next: Option<&str>) -> Value {
    let events = [
        json!({"id": 1, "previousEventId": 0, "type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{\"a\":1}"}}),
        json!({"id": 2, "previousEventId": 0, "type": "PassStateEntered", "stateEnteredEventDetails": {"name": "Check", "input": "{}"}}),
        json!({"id": 3, "previousEventId": 2, "type": "PassStateExited", "stateExitedEventDetails": {"name": "Check", "output": "{}"}}),
        json!({"id": 4, "previousEventId": 3, "type": "FailStateEntered", "stateEnteredEventDetails": {"name": "Stop", "input": "{}"}}),
        json!({"id": 5, "previousEventId": 4, "type": "ExecutionFailed", "executionFailedEventDetails": {"error": "Broken", "cause": "on purpose"}}),
    ];
    let at = |mut event: Value| {
        event["timestamp"] = json!(1_767_225_600.0 + event["id"].as_f64().unwrap_or_default());
        event
    };
    let events: Vec<Value> = events[range].iter().cloned().map(at).collect();
    let mut page = json!({ "events": events });
    if let Some(next) = next {
        page["nextToken"] = json!(next);
    }
    page
}

fn ids(pulled: &Pulled) -> Vec<u64> {
    pulled.history.events.iter().map(|event| event.id.0).collect()
}

fn assert_whole(pulled: &Pulled) {
    assert_eq!(ids(pulled), [1, 2, 3, 4, 5]);
    assert_eq!(pulled.history.gaps, []);
    assert!(!pulled.is_behind);
}

fn spent(pace: &Pace) -> Spent {
    pace.spent().into_iter().find(|spent| spent.action == Action::GetExecutionHistory).expect("it was called")
}

#[test]
fn a_history_comes_with_a_header_of_the_listing_and_the_events() {
    let endpoint = endpoint(|request| {
        let asked_well = request.body["maxResults"] == 1_000 && request.body["includeExecutionData"] == true;
        (!asked_well).then_some(Reply::Error("ValidationException", "asked for too little"))
    });
    let pulled = pull(&endpoint).expect("a history");
    assert_whole(&pulled);
    let header = &pulled.history.header;
    let text = |text: &Option<stepscope::model::RawText>| text.as_ref().expect("text").decode().into_owned();
    assert_eq!((header.name.as_deref(), header.status), (Some("run-1"), Some(ExecutionStatus::Failed)));
    assert_eq!((text(&header.input), text(&header.error), text(&header.cause)), ("{\"a\":1}".into(), "Broken".into(), "on purpose".into()));
    assert_eq!((header.start, header.stop), (item(ExecutionStatus::Failed).start, item(ExecutionStatus::Failed).stop));
    assert_eq!(header.redrive_count, Some(0));
}

#[test]
fn every_way_of_being_throttled_is_waited_out_and_slows_down() {
    let codes =
        ["ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "KmsThrottlingException"];
    let errors =
        codes.map(|code| (code, 400)).into_iter().chain([("SomethingElse", 429), ("ServiceUnavailable", 503), ("", 503), ("", 429)]);
    for (code, status) in errors {
        let endpoint = endpoint(move |request| {
            let body = if code.is_empty() { "<html>Slow down</html>".to_owned() } else { json!({"__type": code}).to_string() };
            (request.earlier == 1).then(|| Reply::Raw(status, body.into_bytes()))
        });
        let pace = quick();
        assert_whole(
            &pull_with(&endpoint, &pace, &item(ExecutionStatus::Failed)).unwrap_or_else(|error| panic!("{code} {status}: {error}")),
        );
        let spent = spent(&pace);
        assert_eq!((spent.calls, spent.throttled, spent.retried), (4, 1, 0), "{code} {status}");
        assert!(spent.rate < spent.full_rate, "{code} {status}");
    }
}

#[test]
fn throttling_that_does_not_end_is_given_up_after_a_while() {
    let endpoint = endpoint(|_| Some(Reply::Error("ThrottlingException", "Rate exceeded")));
    let pace = quick();
    let error = pull_with(&endpoint, &pace, &item(ExecutionStatus::Failed)).expect_err("nothing came");
    assert!(error.is_throttled() && !error.is_transient() && !error.is_about_credentials(), "{error:?}");
    assert!(endpoint.asked(HISTORY) >= 3, "as many tries as there are at least");
    assert!(spent(&pace).rate < 0.5 * spent(&pace).full_rate);
}

#[test]
fn a_call_is_patient_as_long_as_others_get_through() {
    // Seven of eight calls are throttled: far more in a row than tries, but never for long.
    let endpoint = endpoint(|request| (request.earlier % 8 != 7).then_some(Reply::Error("ThrottlingException", "Rate exceeded")));
    let pace = quick();
    let patience = Patience { throttling: Duration::from_mins(1), ..impatient() };
    let settings = AwsSettings { patience, ..settings(&endpoint, &pace) };
    let pulled = block_on(async {
        let source = AwsSource::connect(&settings, None).await.expect("settings for loopback");
        source.pull_history(&item(ExecutionStatus::Failed)).await
    });
    assert_whole(&pulled.expect("a history"));
    assert_eq!((spent(&pace).calls, spent(&pace).throttled), (24, 21));
}

#[test]
fn what_fails_in_passing_is_tried_again_and_each_try_is_counted() {
    let faults: [fn() -> Reply; 5] = [
        || Reply::Half(page(2..4, Some("from-5"))),
        || Reply::HangUp,
        || Reply::Raw(500, br#"{"__type": "InternalFailure"}"#.to_vec()),
        || Reply::Raw(502, b"<html>Bad gateway</html>".to_vec()),
        || Reply::Raw(200, br#"{"events": [{"id""#.to_vec()),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let endpoint = endpoint(move |request| (request.earlier == 1).then(fault));
        let pace = quick();
        assert_whole(&pull_with(&endpoint, &pace, &item(ExecutionStatus::Failed)).unwrap_or_else(|error| panic!("{number}: {error}")));
        let spent = spent(&pace);
        assert_eq!((spent.calls, spent.throttled, spent.retried), (4, 0, 1), "{number}");
        assert!(spent.rate >= spent.full_rate, "a broken connection is no reason to slow down");
    }
}

#[test]
fn what_keeps_failing_is_given_up_after_the_tries_there_are() {
    let endpoint = endpoint(|request| (request.token() == Some("from-3")).then(|| Reply::Half(page(2..4, Some("from-5")))));
    let error = pull(&endpoint).expect_err("half a history is none");
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(endpoint.asked(HISTORY), 1 + 3);
}

#[test]
fn a_region_that_hangs_is_given_up_while_another_one_goes_on() {
    let (hanging, working) = (FakeEndpoint::start(|_| Reply::Hang), endpoint(|_| None));
    let pace = quick();
    let patience = Patience { attempt: Duration::from_millis(300), call: Duration::from_millis(500), ..impatient() };
    let elsewhere = AwsSettings { patience, region: Some("us-east-1".to_owned()), ..settings(&hanging, &pace) };
    let (here, there) = block_on(async {
        let (there, here) = (AwsSource::connect(&elsewhere, None).await.expect("a source"), connect(&working, &pace).await);
        let item = item(ExecutionStatus::Failed);
        tokio::join!(here.pull_history(&item), there.pull_history(&item))
    });
    assert_whole(&here.expect("a history"));
    let error = there.expect_err("nobody answers");
    assert!(matches!(error, AwsError::TimedOut { .. }) && error.is_transient(), "{error:?}");
    assert_eq!(hanging.asked(HISTORY), 2, "the limit of the call comes before that of the tries");
}

#[test]
fn a_region_that_cannot_be_reached_is_tried_as_often_and_then_named() {
    let url = nobody();
    let settings = AwsSettings { patience: impatient(), pace: Some(quick()), ..settings_for(&url) };
    let pulled = block_on(async {
        let source = AwsSource::connect(&settings, None).await.expect("settings for loopback");
        source.pull_history(&item(ExecutionStatus::Failed)).await
    });
    let error = pulled.expect_err("nobody listens");
    assert!(matches!(error, AwsError::Unreachable { .. }) && error.to_string().contains(&url), "{error}");
    assert_eq!(spent(&settings.pace.expect("a pace")).calls, 3);
}

#[test]
fn an_execution_that_was_deleted_between_listing_and_reading_is_gone() {
    let endpoint = endpoint(|request| request.token().map(|_| Reply::Error("ExecutionDoesNotExist", "Execution Does Not Exist")));
    let error = pull(&endpoint).expect_err("it is gone");
    assert!(error.is_gone() && !error.is_transient(), "{error:?}");
    assert_eq!(endpoint.asked(HISTORY), 2, "nobody asks again for what is gone");
}

#[test]
fn a_machine_that_was_deleted_meanwhile_is_gone() {
    let endpoint = FakeEndpoint::start(|_| Reply::Error("StateMachineDoesNotExist", "State Machine Does Not Exist"));
    let machine = item(ExecutionStatus::Failed).state_machine_arn;
    block_on(async {
        let source = connect(&endpoint, &quick()).await;
        let listed = source.list_executions(ExecutionsOf::Machine(&machine), None, None).await.expect_err("it is gone");
        let described = source.describe_machine(&machine).await.expect_err("it is gone");
        assert!(listed.is_gone() && described.is_gone(), "{listed} {described}");
    });
}

#[test]
fn a_permission_that_is_missing_is_no_reason_to_try_again() {
    let endpoint = endpoint(|_| Some(Reply::Error("AccessDeniedException", "not authorized")));
    let error = pull(&endpoint).expect_err("denied");
    assert!(error.is_missing_permission() && !error.is_about_credentials(), "{error:?}");
    assert_eq!(endpoint.asked(HISTORY), 1);
}

#[test]
fn a_listing_whose_token_expires_begins_again_once_and_not_for_ever() {
    let expired = || Reply::Error("InvalidToken", "Invalid Token");
    let once = endpoint(move |request| (request.token() == Some("from-5") && request.earlier == 2).then(expired));
    assert_whole(&pull(&once).expect("a history"));
    assert_eq!(once.asked(HISTORY), 6, "three calls, the last of them refused, and three more");
    let always = endpoint(move |request| (request.token() == Some("from-5")).then(expired));
    let error = pull(&always).expect_err("its end never comes");
    assert!(matches!(error, AwsError::ListingExpired { .. }), "{error:?}");
    assert_eq!(always.asked(HISTORY), 6);
}

#[test]
fn pages_that_go_round_or_bring_nothing_new_are_given_up() {
    let itself = endpoint(|_| Some(Reply::Json(page(0..2, Some("again")))));
    let round = endpoint(|request| (request.token() == Some("from-5")).then(|| Reply::Json(page(4..5, Some("from-3")))));
    let stale = endpoint(|request| Some(Reply::Json(page(0..2, Some(&format!("token-{}", request.earlier))))));
    for endpoint in [itself, round, stale] {
        let error = pull(&endpoint).expect_err("no end");
        assert!(matches!(error, AwsError::EndlessListing { .. }), "{error:?}");
        assert!(endpoint.asked(HISTORY) < 30, "{} calls", endpoint.asked(HISTORY));
    }
}

#[test]
fn a_page_without_events_is_not_the_end() {
    let endpoint = endpoint(|request| {
        (request.token() == Some("from-3")).then(|| Reply::Json(page(0..0, Some("on")))).or_else(|| {
            (request.token() == Some("on"))
                .then(|| Reply::Json(page(2..5, Some("last"))))
                .or_else(|| (request.token() == Some("last")).then(|| Reply::Json(page(0..0, None))))
        })
    });
    assert_whole(&pull(&endpoint).expect("a history"));
}

#[test]
fn an_execution_that_closes_while_it_is_read_is_closed_with_its_end() {
    let pulled = pull_with(&endpoint(|_| None), &quick(), &item(ExecutionStatus::Running)).expect("a history");
    assert_whole(&pulled);
    let header = &pulled.history.header;
    assert_eq!(header.status, Some(ExecutionStatus::Failed));
    assert_eq!(header.stop.expect("its last event").to_string(), "2026-01-01T00:00:05Z");
}

#[test]
fn an_execution_that_is_still_open_is_open() {
    let open = endpoint(|request| request.token().map(|_| Reply::Json(page(2..4, None))));
    let pulled = pull_with(&open, &quick(), &item(ExecutionStatus::Running)).expect("a history");
    assert_eq!(ids(&pulled), [1, 2, 3, 4]);
    assert_eq!((pulled.history.header.status, pulled.history.header.stop), (Some(ExecutionStatus::Running), None));
    assert_eq!((pulled.history.gaps.len(), pulled.is_behind), (0, false));
    assert_eq!(open.asked(HISTORY), 2);
}

#[test]
fn a_history_that_is_behind_the_listing_is_read_again() {
    let late = endpoint(|request| (request.earlier == 0).then(|| Reply::Json(page(0..4, None))));
    assert_whole(&pull(&late).expect("a history"));
    assert_eq!(late.asked(HISTORY), 4);
    let never = endpoint(|_| Some(Reply::Json(page(0..4, None))));
    let pulled = pull(&never).expect("a history");
    assert!(pulled.is_behind);
    assert_eq!((pulled.history.header.status, pulled.history.header.stop), (Some(ExecutionStatus::Running), None), "as it stood then");
    assert_eq!(never.asked(HISTORY), 2, "once more, and no more");
}

#[test]
fn a_key_that_cannot_be_used_leaves_the_history_without_payloads() {
    let endpoint = endpoint(|request| {
        (request.body["includeExecutionData"] == true).then_some(Reply::Error("KmsAccessDeniedException", "no kms:Decrypt"))
    });
    let pulled = pull(&endpoint).expect("a history");
    assert_eq!(ids(&pulled), [1, 2, 3, 4, 5]);
    match pulled.history.gaps.as_slice() {
        [Gap::NotFetched { what, reason }] => {
            assert!(what.contains("encrypted data") && reason.contains("kms:Decrypt"), "{what} {reason}");
        }
        gaps => panic!("expected that only the payloads are missing, found {gaps:?}"),
    }
}

#[test]
fn an_express_execution_is_refused_without_asking() {
    let endpoint = endpoint(|_| None);
    let arn = format!("arn:aws:states:{REGION}:{ACCOUNT}:express:Orders:run-1:7fa0cfbe").parse().expect("an ARN");
    let express = ExecutionItem { arn, ..item(ExecutionStatus::Failed) };
    assert!(matches!(pull_with(&endpoint, &quick(), &express), Err(AwsError::Express { .. })));
    assert_eq!(endpoint.asked(HISTORY), 0);
}

#[test]
fn a_caller_that_gives_up_in_the_queue_makes_no_call() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let endpoint = endpoint(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Some(Reply::Json(page(0..5, None)))
    });
    // One call, and then one an hour.
    let quota = "states:GetExecutionHistory=0.0003/1".parse().expect("a quota");
    let pace = Pace::new(Budget::new(Share::ALL).with_quota(quota));
    block_on(async {
        let source = connect(&endpoint, &pace).await;
        let item = item(ExecutionStatus::Failed);
        source.pull_history(&item).await.expect("the one call");
        let limit = Duration::from_millis(50);
        assert!(tokio::time::timeout(limit, source.pull_history(&item)).await.is_err(), "it waits for its turn");
    });
    assert_eq!((asked.load(Ordering::Relaxed), spent(&pace).calls), (1, 1));
}

//! What the API source makes of an endpoint that fails: what could be learnt, plus what could not.

mod common;

use std::process::Command;
use std::time::Duration;

use common::fake_endpoint::{FakeEndpoint, Reply, Request, nobody};
use common::{ACCOUNT, REGION, block_on, settings_for};
use serde_json::{Value, json};
use stepscope::model::{Details, EventType, ExecutionArn, ExecutionStatus, Gap, History};
use stepscope::sources::aws::{Action, AwsError, AwsSettings, AwsSource, Patience};

const HISTORY: &str = "GetExecutionHistory";
const DESCRIBE: &str = "DescribeExecution";
const DEFINITION: &str = "DescribeStateMachineForExecution";

fn arn() -> ExecutionArn {
    format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:Orders:run-1").parse().expect("an ARN")
}

/// Waits that a test can afford; an answer on loopback takes about a millisecond.
fn impatient() -> Patience {
    Patience {
        attempt: Duration::from_secs(2),
        call: Duration::from_secs(4),
        attempts: 3,
        first_wait: Duration::from_millis(1),
        ..Patience::default()
    }
}

/// For endpoints that hang: each try that is to fail takes this long.
fn very_impatient() -> Patience {
    Patience { attempt: Duration::from_millis(1_500), attempts: 1, ..impatient() }
}

fn settings(endpoint: &FakeEndpoint, patience: Patience) -> AwsSettings {
    AwsSettings { patience, ..settings_for(endpoint.url()) }
}

fn read_with(endpoint: &FakeEndpoint, patience: Patience) -> Result<History, AwsError> {
    block_on(async {
        let source = AwsSource::connect(&settings(endpoint, patience), Some(REGION)).await?;
        source.history(&arn()).await
    })
}

fn read(endpoint: &FakeEndpoint) -> History {
    read_with(endpoint, impatient()).expect("something was learnt")
}

fn latest_failed(endpoint: &FakeEndpoint, machine: &str) -> Result<Option<ExecutionArn>, AwsError> {
    block_on(async { AwsSource::connect(&settings(endpoint, impatient()), None).await?.latest_failed(machine).await })
}

/// The endpoint of an execution that failed, with five events in pages of two; `fault` may answer otherwise.
fn endpoint(fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> FakeEndpoint {
    FakeEndpoint::start(move |request| fault(request).unwrap_or_else(|| usual(request)))
}

fn usual(request: &Request) -> Reply {
    Reply::Json(match request.action.as_str() {
        DESCRIBE => description(),
        HISTORY => match request.token() {
            None => page(0..2, Some("from-3")),
            Some("from-3") => page(2..4, Some("from-5")),
            _ => page(4..5, None),
        },
        DEFINITION => json!({
            "stateMachineArn": arn().state_machine().as_str(), "name": "Orders", "roleArn": "arn:aws:iam::123456789012:role/r",
            "definition": r#"{"StartAt":"Check","States":{}}"#, "updateDate": 1_767_225_600.0,
        }),
        other => panic!("nobody asks for {other} here"),
    })
}

fn description() -> Value {
    json!({
        "executionArn": arn().as_str(), "stateMachineArn": arn().state_machine().as_str(), "name": "run-1", "status": "FAILED",
        "startDate": 1_767_225_600.0, "stopDate": 1_767_225_601.5, "input": "{}", "error": "Broken", "cause": "on purpose",
        "redriveCount": 0, "redriveStatus": "REDRIVABLE",
    })
}

fn page(range: std::ops::Range<usize>, next: Option<&str>) -> Value {
    let events = [
        json!({"id": 1, "previousEventId": 0, "type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}}),
        json!({"id": 2, "previousEventId": 0, "type": "PassStateEntered", "stateEnteredEventDetails": {"name": "Check", "input": "{}"}}),
        json!({"id": 3, "previousEventId": 2, "type": "PassStateExited", "stateExitedEventDetails": {"name": "Check", "output": "{}"}}),
        json!({"id": 4, "previousEventId": 3, "type": "FailStateEntered", "stateEnteredEventDetails": {"name": "Stop", "input": "{}"}}),
        json!({"id": 5, "previousEventId": 4, "type": "ExecutionFailed", "executionFailedEventDetails": {"error": "Broken"}}),
    ];
    let events: Vec<Value> = events[range]
        .iter()
        .cloned()
        .map(|mut event| {
            event["timestamp"] = json!(1_767_225_600.25);
            event
        })
        .collect();
    let mut page = json!({ "events": events });
    if let Some(next) = next {
        page["nextToken"] = json!(next);
    }
    page
}

fn ids(history: &History) -> Vec<u64> {
    history.events.iter().map(|event| event.id.0).collect()
}

/// The reason of the only gap, which must be that `what` was not fetched.
fn only_not_fetched(history: &History, what: &str) -> String {
    match history.gaps.as_slice() {
        [Gap::NotFetched { what: found, reason }] if found == what => reason.clone(),
        gaps => panic!("expected that only {what} was not fetched, found {gaps:?}"),
    }
}

fn assert_names(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
}

#[test]
fn a_history_in_several_pages_comes_whole() {
    let endpoint = endpoint(|_| None);
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2, 3, 4, 5]);
    assert_eq!(history.gaps, []);
    assert_eq!(history.header.status, Some(ExecutionStatus::Failed));
    assert_eq!(history.header.error.as_ref().expect("an error").decode(), "Broken");
    assert_eq!(history.header.stop.expect("a stop").as_millisecond(), 1_767_225_601_500);
    assert_eq!(history.definition.as_ref().expect("a definition").decode(), r#"{"StartAt":"Check","States":{}}"#);
    assert_eq!(history.origin.to_string(), arn().as_str());
}

#[test]
fn a_history_that_is_behind_its_description_is_read_again() {
    let endpoint = endpoint(|request| (request.action == HISTORY && request.earlier == 0).then(|| Reply::Json(page(0..4, None))));
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2, 3, 4, 5]);
    assert_eq!(history.gaps, []);
}

#[test]
fn a_description_that_is_behind_its_history_is_read_again() {
    let endpoint = endpoint(|request| {
        let running = json!({"executionArn": arn().as_str(), "status": "RUNNING", "startDate": 1_767_225_600.0,
            "stateMachineArn": arn().state_machine().as_str()});
        (request.action == DESCRIBE && request.earlier == 0).then_some(Reply::Json(running))
    });
    assert_eq!(read(&endpoint).header.status, Some(ExecutionStatus::Failed));
}

#[test]
fn a_history_without_an_end_is_read_twice_and_no_more() {
    let endpoint = endpoint(|request| (request.action == HISTORY).then(|| Reply::Json(page(0..4, None))));
    let history = read(&endpoint);
    assert_eq!(history.gaps, [Gap::NoEnd]);
    assert_eq!(endpoint.asked(HISTORY), 2);
}

#[test]
fn pages_are_asked_for_at_their_largest_and_with_payloads() {
    let endpoint = endpoint(|request| {
        let asked_well = request.body["maxResults"] == 1_000 && request.body["includeExecutionData"] == true;
        (request.action == HISTORY && !asked_well).then_some(Reply::Error("ValidationException", "asked for too little"))
    });
    assert_eq!(read(&endpoint).gaps, []);
}

#[test]
fn throttling_on_every_second_call_is_waited_out() {
    let endpoint = endpoint(|request| (request.earlier % 2 == 0).then_some(Reply::Error("ThrottlingException", "Rate exceeded")));
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2, 3, 4, 5]);
    assert_eq!(history.gaps, []);
    assert_eq!(endpoint.asked(HISTORY), 6);
}

#[test]
fn throttling_that_does_not_end_is_reported() {
    let endpoint = endpoint(|request| (request.action == HISTORY).then_some(Reply::Error("ThrottlingException", "Rate exceeded")));
    let history = read(&endpoint);
    assert_eq!(history.header.status, Some(ExecutionStatus::Failed));
    assert!(history.gaps.contains(&Gap::NoEvents));
    assert_eq!(endpoint.asked(HISTORY), 3);
    let reason = history.gaps.iter().find_map(|gap| if let Gap::NotFetched { reason, .. } = gap { Some(reason) } else { None });
    assert_names(reason.expect("what was not fetched"), &["GetExecutionHistory", "throttled"]);
}

#[test]
fn a_page_that_never_comes_leaves_those_before_it() {
    let endpoint = endpoint(|request| (request.token() == Some("from-3")).then_some(Reply::Hang));
    let history = read_with(&endpoint, very_impatient()).expect("the first page came");
    assert_eq!(ids(&history), [1, 2]);
    assert!(history.gaps.contains(&Gap::NoEnd));
    let not_fetched = history.gaps.iter().find(|gap| gap.id() == "not_fetched").expect("a gap").to_string();
    assert_names(&not_fetched, &["the history after event 2", "no answer in time"]);
    assert!(!history.gaps.contains(&Gap::MorePages), "said once is enough");
}

#[test]
fn a_listing_whose_token_expires_begins_again_once() {
    let endpoint = endpoint(|request| {
        (request.token() == Some("from-5") && request.earlier == 2).then_some(Reply::Error("InvalidToken", "Invalid Token"))
    });
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2, 3, 4, 5]);
    assert_eq!(history.gaps, []);
    assert_eq!(endpoint.asked(HISTORY), 6, "three calls, the last of them refused, and three more");
}

#[test]
fn a_listing_whose_token_expires_again_and_again_is_given_up() {
    let endpoint = endpoint(|request| (request.token() == Some("from-5")).then_some(Reply::Error("InvalidToken", "Invalid Token")));
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2, 3, 4]);
    assert_eq!(endpoint.asked(HISTORY), 6);
    let not_fetched = history.gaps.iter().find(|gap| gap.id() == "not_fetched").expect("a gap").to_string();
    assert_names(&not_fetched, &["the history after event 4", "try again"]);
}

#[test]
fn a_session_that_expires_between_pages_says_how_to_sign_in() {
    let endpoint = endpoint(|request| {
        (request.token() == Some("from-3"))
            .then_some(Reply::Error("ExpiredTokenException", "The security token included in the request is expired"))
    });
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2]);
    let not_fetched = history.gaps.iter().find(|gap| gap.id() == "not_fetched").expect("a gap").to_string();
    assert_names(&not_fetched, &["the history after event 2", "expired", "aws sso login"]);
    assert_eq!(endpoint.asked(HISTORY), 2, "an expired session is not tried again");
}

/// The service's own sentence names the caller.
fn denied() -> Reply {
    Reply::Error("AccessDeniedException", "User: arn:aws:iam::123456789012:user/oncall is not authorized to perform it")
}

#[test]
fn without_permission_for_the_history_the_description_is_still_told() {
    let endpoint = endpoint(|request| (request.action == HISTORY).then(denied));
    let history = read(&endpoint);
    assert_eq!(history.header.status, Some(ExecutionStatus::Failed));
    assert_eq!(history.header.cause.as_ref().expect("a cause").decode(), "on purpose");
    assert!(history.definition.is_some());
    let not_fetched = history.gaps.iter().find(|gap| gap.id() == "not_fetched").expect("a gap").to_string();
    let statement = format!(r#"{{"Effect": "Allow", "Action": "states:GetExecutionHistory", "Resource": "{}"}}"#, arn());
    assert_names(&not_fetched, &["the history", &statement, "user/oncall"]);
}

#[test]
fn without_permission_for_the_description_the_history_is_still_told() {
    let endpoint = endpoint(|request| (request.action == DESCRIBE).then(denied));
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2, 3, 4, 5]);
    assert_eq!(history.header.arn, Some(arn()));
    assert_eq!(history.header.name.as_deref(), Some("run-1"));
    assert_names(&only_not_fetched(&history, "the description of the execution"), &["states:DescribeExecution"]);
}

#[test]
fn without_permission_for_the_definition_only_the_definition_is_missing() {
    let endpoint = endpoint(|request| (request.action == DEFINITION).then(denied));
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2, 3, 4, 5]);
    assert!(history.definition.is_none());
    match history.gaps.as_slice() {
        [Gap::NoDefinition { reason: Some(reason) }] => assert_names(reason, &["states:DescribeStateMachineForExecution"]),
        gaps => panic!("expected only a missing definition, found {gaps:?}"),
    }
}

#[test]
fn without_any_permission_the_first_refusal_is_the_error() {
    let endpoint = endpoint(|_| Some(denied()));
    let error = read_with(&endpoint, impatient()).expect_err("nothing was learnt");
    assert!(matches!(&error, AwsError::Denied { action: Action::DescribeExecution, .. }), "{error}");
}

#[test]
fn a_key_that_cannot_be_used_leaves_the_history_without_payloads() {
    let endpoint = endpoint(|request| {
        let with_payloads =
            request.body["includeExecutionData"] == true || request.action == DESCRIBE && request.body["includedData"] != "METADATA_ONLY";
        with_payloads.then_some(Reply::Error("KmsAccessDeniedException", "no kms:Decrypt"))
    });
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2, 3, 4, 5]);
    assert_eq!(history.header.status, Some(ExecutionStatus::Failed));
    assert_names(&only_not_fetched(&history, "the encrypted data (inputs and outputs)"), &["kms:Decrypt"]);
}

#[test]
fn an_endpoint_that_hangs_is_given_up() {
    let endpoint = FakeEndpoint::start(|_| Reply::Hang);
    let patience = Patience { attempt: Duration::from_millis(100), attempts: 2, ..impatient() };
    let error = read_with(&endpoint, patience).expect_err("nothing was learnt");
    assert!(matches!(&error, AwsError::TimedOut { .. }), "{error}");
    assert_names(&error.to_string(), &[endpoint.url(), "--endpoint-url"]);
    assert_eq!(endpoint.asked(DESCRIBE), 2);
}

#[test]
fn an_endpoint_that_hangs_is_given_up_within_the_limit_of_the_call() {
    let endpoint = FakeEndpoint::start(|_| Reply::Hang);
    let patience = Patience { attempt: Duration::from_hours(1), call: Duration::from_millis(200), ..impatient() };
    let error = read_with(&endpoint, patience).expect_err("nothing was learnt");
    assert!(matches!(&error, AwsError::TimedOut { .. }), "{error}");
}

#[test]
fn pages_without_end_are_given_up_within_the_limit_of_the_history() {
    let endpoint = endpoint(|request| {
        let another = format!("token-{}", request.earlier);
        (request.action == HISTORY).then(|| Reply::Json(page(0..2, Some(&another))))
    });
    let patience = Patience { history: Duration::from_millis(1_500), ..impatient() };
    let history = read_with(&endpoint, patience).expect("pages came");
    assert_eq!(ids(&history), [1, 2]);
    assert!(history.gaps.iter().any(|gap| gap.id() == "not_fetched"), "{:?}", history.gaps);
}

#[test]
fn pages_that_name_themselves_as_the_next_are_given_up() {
    let endpoint = endpoint(|request| (request.action == HISTORY).then(|| Reply::Json(page(0..2, Some("again")))));
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2]);
    assert_eq!(endpoint.asked(HISTORY), 2);
    let not_fetched = history.gaps.iter().find(|gap| gap.id() == "not_fetched").expect("a gap").to_string();
    assert_names(&not_fetched, &["does not end"]);
}

#[test]
fn a_port_where_nobody_listens_is_named() {
    let url = nobody();
    let settings = AwsSettings { patience: impatient(), ..settings_for(&url) };
    let read = block_on(async { AwsSource::connect(&settings, Some(REGION)).await?.history(&arn()).await });
    let error = read.expect_err("nobody answers");
    assert!(matches!(&error, AwsError::Unreachable { .. }), "{error:?}");
    assert_names(&error.to_string(), &[&url, "cannot be reached", "refused", "--endpoint-url"]);
}

#[test]
fn a_page_that_breaks_off_is_asked_for_again() {
    let endpoint = endpoint(|request| (request.action == HISTORY && request.earlier == 1).then(|| Reply::Half(page(2..4, Some("from-5")))));
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2, 3, 4, 5]);
    assert_eq!(history.gaps, []);
    assert_eq!(endpoint.asked(HISTORY), 4);
}

#[test]
fn a_page_that_always_breaks_off_leaves_those_before_it() {
    let endpoint = endpoint(|request| (request.token() == Some("from-3")).then(|| Reply::Half(page(2..4, Some("from-5")))));
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2]);
    let not_fetched = history.gaps.iter().find(|gap| gap.id() == "not_fetched").expect("a gap").to_string();
    assert_names(&not_fetched, &["the history after event 2", "cannot be read"]);
}

#[test]
fn a_connection_that_is_closed_without_an_answer_leaves_the_pages_before() {
    let endpoint = endpoint(|request| (request.token() == Some("from-3")).then_some(Reply::HangUp));
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2]);
    assert!(history.gaps.iter().any(|gap| gap.id() == "not_fetched"), "{:?}", history.gaps);
}

#[test]
fn bodies_that_are_no_answers_are_reported_and_never_a_panic() {
    let bodies: [(u16, &[u8]); 8] = [
        (200, b""),
        (200, b"<html>Sign in</html>"),
        (200, b"\xff\xfe\x00"),
        (200, b"[1,2,3]"),
        (200, b"{\"events\": 7}"),
        (200, b"{\"events\": [{\"id\": \"one\"}]}"),
        (404, b"<html>not here</html>"),
        (400, b"{}"),
    ];
    for (status, body) in bodies {
        let endpoint = FakeEndpoint::start(move |_| Reply::Raw(status, body.to_vec()));
        let read = read_with(&endpoint, Patience { attempts: 1, ..impatient() });
        let shown = String::from_utf8_lossy(body).into_owned();
        match read {
            Err(error) => assert_names(&error.to_string(), &[endpoint.url()]),
            Ok(history) => assert!(history.events.is_empty() && history.header.status.is_none(), "something was read from {shown}"),
        }
    }
}

#[test]
fn a_garbled_page_leaves_those_before_it() {
    let endpoint = endpoint(|request| (request.token() == Some("from-3")).then(|| Reply::Raw(200, b"{\"events\": [{\"id\"".to_vec())));
    let history = read(&endpoint);
    assert_eq!(ids(&history), [1, 2]);
    let not_fetched = history.gaps.iter().find(|gap| gap.id() == "not_fetched").expect("a gap").to_string();
    assert_names(&not_fetched, &["the history after event 2", "cannot be read"]);
}

#[test]
fn an_execution_that_the_service_does_not_know_is_an_error_that_says_why() {
    let endpoint = endpoint(|_| Some(Reply::Error("ExecutionDoesNotExist", "Execution Does Not Exist")));
    let error = read_with(&endpoint, impatient()).expect_err("there is none");
    assert_names(&error.to_string(), &[arn().as_str(), "90 days", REGION, "account"]);
}

#[test]
fn credentials_that_the_service_refuses_are_an_error_that_says_how_to_check_them() {
    let endpoint =
        endpoint(|_| Some(Reply::Error("UnrecognizedClientException", "The security token included in the request is invalid.")));
    let error = read_with(&endpoint, impatient()).expect_err("refused");
    assert_names(&error.to_string(), &["UnrecognizedClientException", "aws sts get-caller-identity"]);
}

#[test]
fn an_express_execution_is_refused_without_asking() {
    let endpoint = endpoint(|_| None);
    let express: ExecutionArn = format!("arn:aws:states:{REGION}:{ACCOUNT}:express:Orders:run-1:7fa0cfbe").parse().expect("an ARN");
    let read = block_on(async { AwsSource::connect(&settings(&endpoint, impatient()), None).await?.history(&express).await });
    assert_names(&read.expect_err("no history").to_string(), &["Express", "CloudWatch Logs"]);
    assert_eq!(endpoint.asked(DESCRIBE), 0);
}

#[test]
fn an_address_that_is_none_is_refused_at_once() {
    for url in ["127.0.0.1:8083", "http://", "https:///path", "http://a b"] {
        let connected = block_on(AwsSource::connect(&settings_for(url), Some(REGION)));
        assert!(matches!(connected.expect_err("no address"), AwsError::BadEndpoint { .. }), "{url}");
    }
}

/// One event of every type of the service, one of a type that nobody knows, and members that nobody knows.
fn every_type() -> Value {
    let mut events: Vec<Value> = EventType::ALL
        .iter()
        .zip(1..)
        .map(|(kind, id)| {
            let mut event = json!({"id": id, "previousEventId": id - 1, "timestamp": 1_767_225_600.0, "type": kind.name()});
            if !kind.details_member().is_empty() {
                event[kind.details_member()] = json!({
                    "name": "State", "state": "State", "resource": "invoke", "resourceType": "lambda", "region": REGION, "parameters": "{}",
                    "input": "{}", "output": "{}", "error": "Broken", "cause": "on purpose", "index": 0, "length": 1, "workerName": "w",
                    "mapRunArn": "arn:aws:states:eu-west-1:123456789012:mapRun:Orders/Each:1", "redriveCount": 1, "location": "Output",
                });
            }
            event
        })
        .collect();
    let id = events.len() + 1;
    events.push(json!({
        "id": id, "previousEventId": 0, "timestamp": 1_767_225_600.0, "type": "TaskTeleported", "moonPhase": 3,
        "taskTeleportedEventDetails": {"where": "there"},
    }));
    json!({ "events": events })
}

#[test]
fn every_type_of_event_arrives_and_unknown_ones_are_kept() {
    let endpoint = endpoint(|request| (request.action == HISTORY).then(|| Reply::Json(every_type())));
    let history = read(&endpoint);
    let (unknown, known) = history.events.split_last().expect("events");
    let kinds: Vec<EventType> = known.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, EventType::ALL);
    for event in known {
        let carries = !event.kind.details_member().is_empty();
        assert_eq!(carries, !matches!(event.details, Details::None), "{}", event.type_name());
    }
    assert_eq!(unknown.type_name(), "TaskTeleported");
    let members = &unknown.unknown.as_ref().expect("unknown parts").members;
    assert!(members.iter().any(|(name, value)| name == "moonPhase" && value.decode() == "3"), "{members:?}");
    assert!(members.iter().any(|(name, _)| name == "taskTeleportedEventDetails"), "{members:?}");
}

fn execution(name: &str, start: f64, stop: f64) -> Value {
    json!({
        "executionArn": format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:Orders:{name}"), "name": name, "status": "FAILED",
        "stateMachineArn": arn().state_machine().as_str(), "startDate": start, "stopDate": stop,
    })
}

fn machines(request: &Request) -> Value {
    let machine = |name: &str| {
        json!({"stateMachineArn": format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"), "name": name, "type": "STANDARD",
            "creationDate": 1_767_225_600.0})
    };
    match request.token() {
        None => json!({"stateMachines": [machine("Orders-dev"), machine("Billing")], "nextToken": "more"}),
        _ => json!({"stateMachines": [machine("Orders")]}),
    }
}

fn listing(executions: fn(&str) -> Vec<Value>) -> FakeEndpoint {
    FakeEndpoint::start(move |request| {
        Reply::Json(match request.action.as_str() {
            "ListStateMachines" => machines(request),
            "ListExecutions" => {
                assert_eq!(request.body["stateMachineArn"], arn().state_machine().as_str());
                json!({"executions": executions(request.body["statusFilter"].as_str().unwrap_or_default())})
            }
            other => panic!("nobody asks for {other} here"),
        })
    })
}

#[test]
fn the_latest_failure_is_the_one_that_stopped_last_of_any_status() {
    let endpoint = listing(|status| match status {
        "FAILED" => vec![execution("failed-late-start", 50.0, 60.0), execution("failed", 20.0, 30.0)],
        "TIMED_OUT" => vec![execution("timed-out", 10.0, 90.5)],
        "ABORTED" => vec![execution("aborted", 80.0, 90.25)],
        other => panic!("nobody asks for {other}"),
    });
    for machine in ["Orders", arn().state_machine().as_str()] {
        let found = latest_failed(&endpoint, machine).expect("an answer").expect("a failure");
        assert_eq!(found.name(), "timed-out");
    }
    assert_eq!(endpoint.asked("ListStateMachines"), 2, "two pages for the name, none for the ARN");
}

#[test]
fn a_machine_that_never_failed_has_no_latest_failure() {
    assert_eq!(latest_failed(&listing(|_| Vec::new()), "Orders"), Ok(None));
}

#[test]
fn a_name_that_no_machine_has_is_answered_with_similar_ones() {
    let error = latest_failed(&listing(|_| Vec::new()), "Order").expect_err("no such machine");
    assert_names(&error.to_string(), &["Order ", REGION, "Orders, Orders-dev", "list-state-machines"]);
}

#[test]
fn an_arn_of_something_else_is_no_machine() {
    let error = latest_failed(&listing(|_| Vec::new()), arn().as_str()).expect_err("an execution");
    assert_names(&error.to_string(), &["names an execution"]);
}

#[test]
fn a_machine_of_express_type_has_no_listing() {
    let endpoint = FakeEndpoint::start(|_| Reply::Error("StateMachineTypeNotSupported", "not supported"));
    let error = latest_failed(&endpoint, arn().state_machine().as_str()).expect_err("Express");
    assert_names(&error.to_string(), &["Express", "CloudWatch Logs"]);
}

#[test]
fn a_list_that_was_denied_is_an_error_and_not_a_wrong_answer() {
    let endpoint = FakeEndpoint::start(|request| match request.body["statusFilter"].as_str() {
        Some("TIMED_OUT") => denied(),
        _ => Reply::Json(json!({"executions": [execution("failed", 20.0, 30.0)]})),
    });
    let error = latest_failed(&endpoint, arn().state_machine().as_str()).expect_err("one list is missing");
    assert_names(&error.to_string(), &["states:ListExecutions", "stateMachine:Orders"]);
}

/// What is in force in a process of its own: the SDK reads its environment, and tests share theirs.
mod in_an_environment_of_its_own {
    use super::*;

    const PROFILE: &str = "STEPSCOPE_TEST_PROFILE";
    const WITHOUT_ARN: &str = "STEPSCOPE_TEST_WITHOUT_ARN";

    /// Run by the tests below as a program, with an environment that they chose.
    #[test]
    #[ignore = "a program for the other tests"]
    #[allow(clippy::print_stdout, reason = "what it prints is its answer")]
    fn connects() {
        let settings = AwsSettings { profile: std::env::var(PROFILE).ok(), ..AwsSettings::default() };
        let region = std::env::var_os(WITHOUT_ARN).is_none().then_some(REGION);
        match block_on(AwsSource::connect(&settings, region)) {
            Ok(_) => println!("connected"),
            Err(error) => println!("failed: {error}"),
        }
    }

    fn connect(variables: &[(&str, &str)], config: &str) -> String {
        let home = tempfile::tempdir().expect("a folder");
        let config_file = home.path().join("config");
        std::fs::write(&config_file, config).expect("a file");
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "in_an_environment_of_its_own::connects", "--ignored", "--nocapture"])
            .env_clear()
            .env("HOME", home.path())
            .env("AWS_CONFIG_FILE", &config_file)
            .env("AWS_SHARED_CREDENTIALS_FILE", home.path().join("credentials"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(variables.iter().copied())
            .output()
            .expect("it runs");
        String::from_utf8(output.stdout).expect("text")
    }

    #[test]
    fn without_any_credentials_the_error_says_how_to_give_them() {
        assert_names(&connect(&[], ""), &["failed: no AWS credentials were found", "aws sso login", "--profile", "AWS_ACCESS_KEY_ID"]);
    }

    #[test]
    fn a_metadata_service_that_refuses_is_no_source_of_credentials() {
        let service = FakeEndpoint::start(|_| Reply::Raw(403, Vec::new()));
        let variables = [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.url())];
        assert_names(&connect(&variables, ""), &["failed: no AWS credentials were found", "aws sso login"]);
    }

    #[test]
    fn credentials_of_the_environment_are_taken() {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        assert_names(&connect(&keys, ""), &["connected"]);
    }

    #[test]
    fn without_an_arn_and_a_region_the_error_says_how_to_give_one() {
        let told = connect(&[(WITHOUT_ARN, "1")], "");
        assert_names(&told, &["failed: no AWS region is known", "--region", "AWS_REGION"]);
    }

    #[test]
    fn the_region_of_the_named_profile_is_taken() {
        let config = "[profile oncall]\nregion = eu-west-1\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n";
        assert_names(&connect(&[(WITHOUT_ARN, "1"), (PROFILE, "oncall")], config), &["connected"]);
    }

    #[test]
    fn a_profile_that_does_not_exist_is_named_even_where_the_environment_has_credentials() {
        let variables = [(PROFILE, "oncall"), ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        assert_names(&connect(&variables, ""), &["failed: the AWS profile `oncall`", "aws configure list-profiles"]);
    }

    #[test]
    fn a_profile_whose_session_is_over_says_how_to_sign_in() {
        let config = "[profile oncall]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Reader\nregion = eu-west-1\n\
                      [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n";
        assert_names(&connect(&[(PROFILE, "oncall")], config), &["failed: ", "aws sso login --profile oncall"]);
    }

    #[test]
    fn a_credential_process_that_fails_is_told_about() {
        let config = "[profile oncall]\ncredential_process = /bin/false\n";
        assert_names(&connect(&[(PROFILE, "oncall")], config), &["failed: ", "aws sts get-caller-identity --profile oncall"]);
    }
}

//! X-Ray through its API: a real round trip on moto, and on an endpoint of our own what moto does not show: pages, unprocessed ids,
//! throttling, Transaction Search.

mod common;

use aws_sdk_xray::config::{BehaviorVersion, Region};
use common::fake_endpoint::{FakeEndpoint, Reply, Request};
use common::moto::{Moto, moto};
use common::traces::{in_trace, machine, state};
use common::{REGION, block_on, credentials, settings_for};
use serde_json::{Value, json};
use stepscope::model::{Timestamp, TraceId};
use stepscope::sources::aws::{AwsError, AwsSource, FetchedTraces, TraceListing};

/// When the traces of these tests began.
const START: i64 = 1_767_225_600;

fn id(number: usize) -> TraceId {
    format!("1-6955b900-{number:024x}").parse().expect("an id")
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).expect("a moment")
}

async fn source(url: &str) -> AwsSource {
    let mut settings = settings_for(url);
    settings.patience.attempts = 2;
    settings.patience.first_wait = std::time::Duration::from_millis(1);
    AwsSource::connect(&settings, None).await.expect("settings for loopback")
}

fn list(url: &str, from: i64, until: i64) -> Result<TraceListing, AwsError> {
    block_on(async { source(url).await.list_traces(Some("Orders"), moment(from), moment(until)).await })
}

fn fetch(url: &str, ids: &[TraceId]) -> Result<FetchedTraces, AwsError> {
    block_on(async { source(url).await.traces(ids).await })
}

fn document(id: &TraceId) -> Value {
    let segment = machine("Orders", None, (0.0, 1.0), &[state(1, "Charge", (0.0, 1.0), &[])]);
    in_trace(id.as_str(), &[segment]).remove(0)
}

fn trace(id: &str) -> Value {
    let document = document(&id.parse().expect("an id"));
    json!({"Id": id, "Duration": 1.0, "Segments": [{"Id": document["id"], "Document": document.to_string()}]})
}

/// The ids of a request.
fn asked(request: &Request) -> Vec<String> {
    request.body["TraceIds"].as_array().expect("ids").iter().map(|id| id.as_str().expect("an id").to_owned()).collect()
}

fn xray(moto: &Moto) -> aws_sdk_xray::Client {
    let config = aws_sdk_xray::config::Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(moto.url())
        .credentials_provider(credentials());
    aws_sdk_xray::Client::from_conf(config.build())
}

#[test]
fn what_was_put_into_xray_comes_back() {
    let Some(moto) = moto() else { return };
    let ids: Vec<TraceId> = (100..107).map(id).collect();
    let (fetched, listed) = block_on(async {
        for id in &ids {
            let sent = xray(moto).put_trace_segments().trace_segment_documents(document(id).to_string()).send().await;
            assert_eq!(sent.expect("moto takes it").unprocessed_trace_segments().len(), 0);
        }
        let source = source(&moto.url()).await;
        // moto knows no filter expressions, and lists users of a trace as an object, which no SDK reads: its listing is empty here.
        (source.traces(&ids).await.expect("an answer"), source.list_traces(None, moment(-7200), moment(-3600)).await.expect("an answer"))
    });
    assert_eq!((fetched.came, fetched.unknown.len(), fetched.missing.len()), (7, 0, 0));
    let traces = fetched.traces.into_traces();
    assert!(traces.iter().all(|trace| trace.spans.len() == 2 && trace.spans.iter().any(|span| span.name == "Charge")), "{traces:?}");
    assert!(listed.summaries.is_empty() && listed.missing.is_empty(), "{listed:?}");
}

#[test]
fn traces_are_asked_for_in_fives_page_by_page_and_again_where_unprocessed() {
    let ids: Vec<TraceId> = (1..=12).map(id).collect();
    let slow = id(7).to_string();
    let endpoint = FakeEndpoint::start(move |request| {
        assert_eq!(request.action, "/Traces");
        let ids = asked(request);
        assert!(ids.len() <= 5, "{ids:?}");
        let (first, rest) = ids.split_at(1);
        if request.body["NextToken"].is_null() && ids.len() > 1 {
            return Reply::Json(json!({"Traces": [trace(&first[0])], "NextToken": "second"}));
        }
        let rest = if ids.len() == 1 { first } else { rest };
        // The first time one of them is not ready.
        let is_late = |id: &String| *id == slow && request.earlier < 6;
        let traces: Vec<Value> = rest.iter().filter(|id| !is_late(id)).map(|id| trace(id)).collect();
        let unprocessed: Vec<&String> = rest.iter().filter(|id| is_late(id)).collect();
        Reply::Json(json!({"Traces": traces, "UnprocessedTraceIds": unprocessed}))
    });
    let fetched = fetch(endpoint.url(), &ids).expect("an answer");
    assert_eq!((fetched.came, fetched.unknown.len(), fetched.missing.len()), (12, 0, 0), "{fetched:?}");
    assert_eq!(endpoint.asked("/Traces"), 3 * 2 + 1, "three batches of two pages, and the one that was late");
}

#[test]
fn what_stays_unprocessed_is_told() {
    let endpoint = FakeEndpoint::start(|request| {
        let ids = asked(request);
        let traces: Vec<Value> = ids.iter().take(1).filter(|_| request.earlier == 0).map(|id| trace(id)).collect();
        Reply::Json(json!({"Traces": traces, "UnprocessedTraceIds": &ids[traces.len()..]}))
    });
    let fetched = fetch(endpoint.url(), &[id(1), id(2), id(3)]).expect("an answer");
    assert_eq!((fetched.came, fetched.missing.len()), (1, 1));
    assert_eq!(fetched.missing[0].what, "2 traces of 3");
    assert!(endpoint.asked("/Traces") <= 5, "{}", endpoint.asked("/Traces"));
}

#[test]
fn throttling_in_the_middle_keeps_what_came() {
    let endpoint = FakeEndpoint::start(|request| match request.earlier {
        0 => Reply::Json(json!({"Traces": asked(request).iter().map(|id| trace(id)).collect::<Vec<_>>()})),
        _ => Reply::Error("ThrottledException", "Rate exceeded"),
    });
    let ids: Vec<TraceId> = (1..=12).map(id).collect();
    let fetched = fetch(endpoint.url(), &ids).expect("an answer");
    assert_eq!((fetched.came, fetched.unknown.len()), (5, 0));
    assert_eq!(fetched.missing[0].what, "7 traces of 12");
    assert!(fetched.missing[0].reason.contains("xray:BatchGetTraces is throttled"), "{:?}", fetched.missing);
    let nothing = FakeEndpoint::start(|_| Reply::Error("ThrottledException", "Rate exceeded"));
    assert!(matches!(fetch(nothing.url(), &ids), Err(AwsError::Throttled { .. })));
}

#[test]
fn documents_that_are_none_are_counted_and_a_cut_trace_is_marked() {
    let endpoint = FakeEndpoint::start(|_| {
        let mut cut = trace(id(1).as_str());
        cut["LimitExceeded"] = json!(true);
        cut["Segments"].as_array_mut().expect("a list").push(json!({"Id": "x", "Document": "{\"cut"}));
        Reply::Json(json!({"Traces": [cut]}))
    });
    let fetched = fetch(endpoint.url(), &[id(1), id(2)]).expect("an answer");
    assert_eq!((fetched.came, fetched.bad.0, fetched.unknown), (1, 1, vec![id(2)]));
    assert!(fetched.traces.into_traces()[0].limit_exceeded);
}

#[test]
fn a_window_is_asked_for_in_pieces_of_six_hours_page_by_page() {
    let endpoint = FakeEndpoint::start(|request| {
        assert_eq!(request.action, "/TraceSummaries");
        let bound = |name: &str| request.body[name].as_f64().expect("epoch seconds");
        assert!(bound("EndTime") - bound("StartTime") <= 6.0 * 3600.0);
        assert_eq!(request.body["FilterExpression"], r#"service(id(name: "Orders", type: "AWS::StepFunctions::StateMachine"))"#);
        let item = json!({"Id": id(request.earlier).as_str(), "Duration": 1.5, "HasThrottle": true});
        let token = if request.body["NextToken"].is_null() { json!("more") } else { Value::Null };
        Reply::Json(json!({"TraceSummaries": [item, {"Id": "no id"}], "NextToken": token}))
    });
    let listing = list(endpoint.url(), 0, 13 * 3600).expect("an answer");
    assert_eq!((endpoint.asked("/TraceSummaries"), listing.summaries.len(), listing.missing.len()), (6, 6, 0));
    assert!(listing.summaries.values().all(|summary| summary.has_throttle && summary.duration_ms == Some(1500.0)));
}

#[test]
fn a_listing_that_breaks_off_says_from_when_on_and_one_without_end_ends() {
    let endpoint = FakeEndpoint::start(|request| match request.earlier {
        0 => Reply::Json(json!({"TraceSummaries": [{"Id": id(1).as_str()}]})),
        _ => Reply::Error("InvalidRequestException", "Time range cannot be longer than 6 hours"),
    });
    let listing = list(endpoint.url(), 0, 13 * 3600).expect("an answer");
    assert_eq!(listing.summaries.len(), 1);
    assert_eq!(listing.missing[0].what, "the traces from 2026-01-01T06:00:00Z to 2026-01-01T13:00:00Z");
    let endless = FakeEndpoint::start(|_| Reply::Json(json!({"TraceSummaries": [], "NextToken": "again"})));
    assert!(matches!(list(endless.url(), 0, 60), Err(AwsError::EndlessListing { .. })));
    let denied = FakeEndpoint::start(|_| Reply::Error("AccessDeniedException", "not authorized"));
    let error = list(denied.url(), 0, 60).expect_err("denied").to_string();
    assert!(error.contains("\"Action\": \"xray:GetTraceSummaries\""), "{error}");
}

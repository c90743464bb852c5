//! CloudWatch Logs through the API: pages, queries, and what an endpoint does that a well-behaved server can't show.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::fake_endpoint::{FakeEndpoint, Reply, Request};
use common::{REGION, block_on, settings_for};
use serde_json::{Value, json};
use stepscope::model::Timestamp;
use stepscope::sources::aws::logs::{LogClass, LogEvent, LogFilter, LogQuery, LogWindow, QueryProgress, QueryResults, RawRows};
use stepscope::sources::aws::{AwsError, AwsSettings, AwsSource, Patience};

const FILTER: &str = "FilterLogEvents";
const START: &str = "StartQuery";
const RESULTS: &str = "GetQueryResults";
const STOP: &str = "StopQuery";
const GROUP: &str = "/aws/vendedlogs/states/Orders-Logs";

/// 2026-11-20T08:00:00Z.
const EIGHT: i64 = 1_795_161_600;

fn window(seconds: i64) -> LogWindow {
    let at = |second: i64| Timestamp::from_second(second).expect("a moment");
    LogWindow::new(at(EIGHT), at(EIGHT + seconds))
}

async fn source(endpoint: &FakeEndpoint) -> AwsSource {
    let patience =
        Patience { attempts: 3, first_wait: Duration::from_millis(1), history: Duration::from_millis(40), ..Patience::default() };
    AwsSource::connect(&AwsSettings { patience, ..settings_for(endpoint.url()) }, Some(REGION)).await.expect("settings for loopback")
}

fn event(id: usize) -> Value {
    json!({"eventId": id.to_string(), "timestamp": EIGHT * 1_000 + i64::try_from(id).expect("small"), "ingestionTime": EIGHT * 1_000,
        "logStreamName": "states/Orders/2026-11-20-08/1a2b3c4d", "message": format!("line {id}")})
}

fn page(ids: std::ops::Range<usize>, next: Option<&str>) -> Reply {
    let mut page = json!({"events": ids.map(event).collect::<Vec<_>>(), "searchedLogStreams": []});
    if let Some(next) = next {
        page["nextToken"] = json!(next);
    }
    Reply::Json(page)
}

/// Reads all pages of a group.
fn read(endpoint: &FakeEndpoint) -> Result<Vec<LogEvent>, AwsError> {
    block_on(async {
        let source = source(endpoint).await;
        let mut pages = source.log_pages(LogFilter::all(GROUP, window(60)));
        let mut events = Vec::new();
        while let Some(page) = pages.next().await? {
            assert!(!page.is_empty(), "an empty page is none");
            events.extend(page);
        }
        Ok(events)
    })
}

fn query(endpoint: &FakeEndpoint, limit: u32) -> Result<QueryResults, AwsError> {
    block_on(async {
        let groups = [GROUP.to_owned()];
        let query = LogQuery { groups: &groups, window: window(60), text: "fields @timestamp, @message", limit };
        source(endpoint).await.run_query(&query, &mut |_| {}).await
    })
}

fn row(second: i64, id: usize) -> Value {
    let at = Timestamp::from_second(EIGHT + second).expect("a moment").strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
    json!([{"field": "@timestamp", "value": at}, {"field": "@message", "value": format!("line {id}")}, {"field": "@ptr", "value": id.to_string()}])
}

fn results(status: &str, rows: &[Value], bytes: u32) -> Reply {
    Reply::Json(
        json!({"status": status, "results": rows, "statistics": {"bytesScanned": f64::from(bytes), "recordsScanned": 9.0, "recordsMatched": 3.0}}),
    )
}

fn started(number: usize) -> Reply {
    Reply::Json(json!({"queryId": format!("query-{number}")}))
}

#[test]
fn pages_are_read_to_the_last_also_behind_empty_ones() {
    let endpoint = FakeEndpoint::start(|request| {
        assert_eq!(request.action, FILTER);
        assert_eq!((&request.body["logGroupName"], &request.body["startTime"]), (&json!(GROUP), &json!(EIGHT * 1_000)));
        assert_eq!(request.body["endTime"], json!((EIGHT + 60) * 1_000 - 1), "our end is not in the window, the service's is");
        match request.token() {
            None => page(0..0, Some("a")),
            Some("a") => page(0..2, Some("b")),
            Some("b") => page(0..0, Some("c")),
            Some("c") => page(0..0, Some("d")),
            _ => page(2..3, None),
        }
    });
    let events = read(&endpoint).expect("all pages");
    assert_eq!(events.iter().map(|event| event.message.as_str()).collect::<Vec<_>>(), ["line 0", "line 1", "line 2"]);
    assert_eq!((events[1].id.as_deref(), events[1].timestamp.map(Timestamp::as_millisecond)), (Some("1"), Some(EIGHT * 1_000 + 1)));
    assert_eq!(endpoint.asked(FILTER), 5);
}

#[test]
fn a_page_that_leads_to_itself_is_an_error_and_no_endless_loop() {
    let endpoint = FakeEndpoint::start(|_| page(0..1, Some("again")));
    let error = read(&endpoint).expect_err("it never ends");
    assert!(matches!(error, AwsError::EndlessListing { .. }), "{error}");
    assert_eq!(endpoint.asked(FILTER), 2);
}

#[test]
fn throttled_pages_are_asked_for_again_and_the_token_is_kept() {
    let endpoint = FakeEndpoint::start(|request| match (request.token(), request.earlier) {
        (None, _) => page(0..1, Some("b")),
        (Some("b"), 1 | 2) => Reply::Error("ThrottlingException", "Rate exceeded"),
        _ => page(1..2, None),
    });
    assert_eq!(read(&endpoint).expect("in the end").len(), 2);
}

#[test]
fn groups_that_are_gone_forbidden_or_for_queries_only_say_what_to_do() {
    let refused = |code: &'static str, message: &'static str| {
        let endpoint = FakeEndpoint::start(move |_| Reply::Error(code, message));
        read(&endpoint).expect_err("refused").to_string()
    };
    let gone = refused("ResourceNotFoundException", "The specified log group does not exist.");
    assert!(gone.contains(GROUP) && gone.contains("deleted"), "{gone}");
    let forbidden = refused("AccessDeniedException", "no identity-based policy allows it");
    let policy = format!(r#""Action": "logs:FilterLogEvents", "Resource": "arn:aws:logs:{REGION}:*:log-group:{GROUP}:*""#);
    assert!(forbidden.contains(&policy), "{forbidden}");
    for (code, message) in [
        ("InvalidOperationException", "The log group x is of log-group-class INFREQUENT_ACCESS. FilterLogEvents is not supported."),
        ("ValidationException", "This operation is only supported on the Standard log class."),
    ] {
        let infrequent = refused(code, message);
        assert!(infrequent.contains("--via insights") && infrequent.contains("charged"), "{infrequent}");
    }
    let other = refused("InvalidOperationException", "something else");
    assert!(other.contains("something else") && !other.contains("insights"), "{other}");
}

#[test]
fn an_empty_window_asks_nobody() {
    let endpoint = FakeEndpoint::start(|request| panic!("asked for {}", request.action));
    let page = block_on(async { source(&endpoint).await.filter_log_events(&LogFilter::all(GROUP, window(0)), None).await });
    assert_eq!(page.expect("nothing").events, []);
}

#[test]
fn a_group_is_found_among_those_whose_names_begin_alike() {
    let endpoint = FakeEndpoint::start(|request| match request.token() {
        None => Reply::Json(json!({"logGroups": [{"logGroupName": format!("{GROUP}-old")}], "nextToken": "b"})),
        Some(_) => Reply::Json(
            json!({"logGroups": [{"logGroupName": GROUP, "logGroupClass": "INFREQUENT_ACCESS", "retentionInDays": 7, "storedBytes": 5}]}),
        ),
    });
    let group = block_on(async { source(&endpoint).await.log_group(GROUP).await }).expect("an answer").expect("it is there");
    assert_eq!((group.class, group.retention_days, group.stored_bytes), (LogClass::InfrequentAccess, Some(7), Some(5)));
    let none = FakeEndpoint::start(|_| Reply::Json(json!({"logGroups": []})));
    assert_eq!(block_on(async { source(&none).await.log_group(GROUP).await }), Ok(None));
}

#[test]
fn a_query_is_asked_until_it_is_done_and_all_its_pages_are_read() {
    let endpoint = FakeEndpoint::start(|request| match (request.action.as_str(), request.token(), request.earlier) {
        (START, ..) => {
            assert_eq!((&request.body["startTime"], &request.body["endTime"]), (&json!(EIGHT), &json!(EIGHT + 60)));
            assert_eq!((&request.body["logGroupNames"], &request.body["limit"]), (&json!([GROUP]), &json!(1_000)));
            started(1)
        }
        (RESULTS, None, 0) => Reply::Json(json!({"status": "Scheduled", "results": []})),
        (RESULTS, None, 1) => results("Running", &[row(1, 1)], 10),
        (RESULTS, None, _) => {
            let mut first = json!({"status": "Complete", "results": [row(1, 1), row(2, 2)], "statistics": {"bytesScanned": 2_048.0}});
            first["nextToken"] = json!("more");
            Reply::Json(first)
        }
        (RESULTS, Some("more"), _) => results("Complete", &[row(3, 3)], 2_048),
        (action, ..) => panic!("nobody asks for {action} here"),
    });
    let found = query(&endpoint, 1_000).expect("it ends");
    assert_eq!(found.rows.iter().filter_map(|row| row.get("@message")).collect::<Vec<_>>(), ["line 1", "line 2", "line 3"]);
    assert_eq!((found.statistics.bytes_scanned, found.is_full), (2_048, false));
    assert_eq!(endpoint.asked(STOP), 0);
}

#[test]
fn a_query_waits_for_a_free_place_and_gives_up_in_the_end() {
    let busy = || Reply::Error("LimitExceededException", "100 queries run");
    let endpoint = FakeEndpoint::start(move |request| match (request.action.as_str(), request.earlier) {
        (START, 0..=2) => busy(),
        (START, _) => started(1),
        _ => results("Complete", &[], 0),
    });
    assert!(query(&endpoint, 10).is_ok());
    assert_eq!(endpoint.asked(START), 4);
    let always = FakeEndpoint::start(move |_| busy());
    let error = query(&always, 10).expect_err("no place");
    assert!(error.to_string().contains("100 queries run"), "{error}");
}

#[test]
fn a_mistake_in_a_query_is_shown_with_its_place() {
    let body = json!({"__type": "MalformedQueryException", "message": "unexpected symbol found | at line 1",
        "queryCompileError": {"location": {"startCharOffset": 7, "endCharOffset": 9}, "message": "unexpected symbol"}});
    let endpoint = FakeEndpoint::start(move |_| Reply::Raw(400, body.to_string().into_bytes()));
    let error = query(&endpoint, 10).expect_err("malformed");
    assert!(matches!(error, AwsError::MalformedQuery { at: Some(7), .. }), "{error:?}");
    assert!(error.to_string().contains("at its character 8") && error.to_string().contains("unexpected symbol"), "{error}");
}

#[test]
fn queries_that_end_without_being_done_are_told_and_not_stopped_again() {
    for status in ["Failed", "Cancelled", "Timeout"] {
        let endpoint = FakeEndpoint::start(move |request| if request.action == START { started(1) } else { results(status, &[], 7) });
        assert_eq!(query(&endpoint, 10), Err(AwsError::QueryEnded { status: status.to_owned() }));
        assert_eq!(endpoint.asked(STOP), 0);
    }
}

#[test]
fn a_query_whose_answers_do_not_come_is_stopped() {
    let endpoint = FakeEndpoint::start(|request| match request.action.as_str() {
        START => started(1),
        RESULTS => Reply::Error("AccessDeniedException", "not for you"),
        _ => Reply::Json(json!({"success": true})),
    });
    let error = query(&endpoint, 10).expect_err("denied");
    assert!(error.to_string().contains("logs:GetQueryResults"), "{error}");
    assert_eq!(endpoint.asked(STOP), 1);
}

#[test]
fn a_query_that_nobody_waits_for_any_more_is_stopped() {
    let endpoint = FakeEndpoint::start(|request| match request.action.as_str() {
        START => started(1),
        RESULTS => results("Running", &[], 7),
        _ => Reply::Json(json!({"success": true})),
    });
    block_on(async {
        let source = source(&endpoint).await;
        let groups = [GROUP.to_owned()];
        let query = LogQuery { groups: &groups, window: window(60), text: "fields @message", limit: 10 };
        let (seen, first_answer) = tokio::sync::oneshot::channel();
        let mut seen = Some(seen);
        let mut progress = |_: QueryProgress| seen.take().map_or((), |seen| seen.send(()).expect("it is waited for"));
        tokio::select! {
            biased;
            _ = first_answer => {}
            ended = source.run_query(&query, &mut progress) => panic!("it never ends: {ended:?}"),
        }
        while endpoint.asked(STOP) == 0 {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert_eq!(endpoint.asked(STOP), 1);
}

/// An endpoint with one event at each of these seconds, which gives no more than the limit that is asked for.
fn with_events(seconds: &'static [i64]) -> FakeEndpoint {
    let (from, until) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let limit = AtomicUsize::new(0);
    FakeEndpoint::start(move |request| {
        let number = |name: &str| usize::try_from(request.body[name].as_i64().expect("a number")).expect("positive");
        if request.action == START {
            from.store(number("startTime"), Ordering::Relaxed);
            until.store(number("endTime"), Ordering::Relaxed);
            limit.store(number("limit"), Ordering::Relaxed);
            return started(request.earlier);
        }
        let is_inside = |second: i64| {
            let at = usize::try_from(EIGHT + second).expect("positive");
            from.load(Ordering::Relaxed) <= at && at <= until.load(Ordering::Relaxed)
        };
        let rows = seconds.iter().enumerate().filter(|(_, second)| is_inside(**second)).map(|(id, second)| row(*second, id));
        results("Complete", &rows.take(limit.load(Ordering::Relaxed)).collect::<Vec<_>>(), 100)
    })
}

fn events_of(endpoint: &FakeEndpoint, seconds: i64, limit: u32) -> RawRows {
    let run = async {
        let groups = [GROUP.to_owned()];
        let query = LogQuery { groups: &groups, window: window(seconds), text: "fields @timestamp, @message", limit };
        source(endpoint).await.query_events(&query, &mut |_| {}).await
    };
    block_on(run).expect("all queries end")
}

fn ids(rows: &RawRows) -> Vec<&str> {
    rows.rows.iter().filter_map(|row| row.get("@ptr")).collect()
}

#[test]
fn a_window_with_more_events_than_a_query_gives_is_halved_and_none_is_lost_or_doubled() {
    let endpoint = with_events(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 30, 31, 59]);
    let found = events_of(&endpoint, 60, 4);
    assert_eq!(ids(&found), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
    assert_eq!(found.overfull, []);
    assert_eq!(
        (found.statistics.bytes_scanned, usize::try_from(found.queries).expect("few")),
        (u64::from(found.queries) * 100, endpoint.asked(START))
    );
    let at_once = events_of(&with_events(&[0, 59]), 60, 4);
    assert_eq!(at_once.queries, 1);
}

#[test]
fn a_second_with_more_events_than_a_query_gives_is_named() {
    let found = events_of(&with_events(&[0, 7, 7, 7, 7, 7, 9]), 10, 3);
    assert_eq!(found.overfull.len(), 1);
    assert_eq!(found.overfull[0].from.as_second(), EIGHT + 7);
    assert_eq!(ids(&found), ["0", "1", "2", "3", "6"]);
}

#[test]
fn the_words_of_a_request_are_those_of_the_api() {
    let endpoint = FakeEndpoint::start(|request: &Request| {
        assert_eq!(request.body["logGroupIdentifier"], "arn:aws:logs:eu-west-1:111111111111:log-group:shared");
        assert_eq!(
            (&request.body["filterPattern"], &request.body["logStreamNamePrefix"], &request.body["limit"]),
            (&json!("ERROR"), &json!("states/"), &json!(50))
        );
        page(0..0, None)
    });
    let arn = "arn:aws:logs:eu-west-1:111111111111:log-group:shared:*";
    let filter = LogFilter { pattern: "ERROR", stream_prefix: "states/", page: Some(50), ..LogFilter::all(arn, window(60)) };
    let page = block_on(async { source(&endpoint).await.filter_log_events(&filter, None).await });
    assert_eq!(page.expect("an answer").events, []);
}

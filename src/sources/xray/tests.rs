use std::io::Write as _;

use serde_json::json;

use super::*;
use crate::model::Micros;
use crate::model::span::{Flags, SpanKind};
use crate::sources::Limits;

const ID: &str = "1-69564e00-0123456789abcdef01234567";

fn traces(value: &Value) -> (Vec<Trace>, Found) {
    let mut set = TraceSet::default();
    let found = set.add(value);
    (set.into_traces(), found)
}

/// A function's segment with a throttled call below it.
fn segment() -> Value {
    json!({"trace_id": ID, "id": "00000000000000f1", "parent_id": "00000000000000a1", "name": "charge",
        "origin": "AWS::Lambda::Function", "start_time": 1_767_225_601.5, "end_time": 1_767_225_603.25,
        "fault": true, "aws": {"function_arn": "arn:aws:lambda:us-east-1:111111111111:function:charge", "request_id": "r-1"},
        "annotations": {"order": 7, "vip": true},
        "cause": {"exceptions": [{"id": "e1", "type": "Error", "message": "too much"}]},
        "subsegments": [
            {"id": "00000000000000f2", "name": "Initialization", "start_time": 1_767_225_601.0, "end_time": 1_767_225_601.5},
            {"id": "00000000000000f3", "name": "DynamoDB", "namespace": "aws", "start_time": 1_767_225_602.0,
                "end_time": 1_767_225_602.125, "error": true, "http": {"response": {"status": 400}},
                "aws": {"operation": "PutItem", "table_name": "Orders", "request_id": "d-1", "retries": 3},
                "cause": {"exceptions": [{"type": "ProvisionedThroughputExceededException", "message": "slow", "remote": true}]}},
            {"name": "in progress", "start_time": 1_767_225_602.5, "in_progress": true}]})
}

#[test]
fn segments_become_spans_whatever_holds_them() {
    let document = segment().to_string();
    let batch = json!({"Traces": [{"Id": ID, "Duration": 2.0, "LimitExceeded": true,
        "Segments": [{"Id": "00000000000000f1", "Document": document}]}], "UnprocessedTraceIds": []});
    let (from_batch, found) = traces(&batch);
    assert_eq!(found, Found { spans: 4, ..Found::default() });
    assert!(from_batch[0].limit_exceeded && from_batch[0].is_partial());
    for value in [segment(), json!([segment()]), json!([{"Id": "00000000000000f1", "Document": segment().to_string()}])] {
        let (others, _) = traces(&value);
        assert_eq!(others[0].spans, from_batch[0].spans);
        assert_eq!(others[0].id.as_ref().map(TraceId::as_str), Some(ID));
    }
    let spans = &from_batch[0].spans;
    let named = |name: &str| spans.iter().find(|span| span.name == name).expect("a span");
    let (charge, table) = (named("charge"), named("DynamoDB"));
    assert_eq!((charge.kind, charge.is_segment, charge.flags.fault), (SpanKind::Server, true, true));
    assert_eq!(charge.start, Some(Micros(1_767_225_601_500_000)));
    assert_eq!(charge.attributes, [("order".to_owned(), "7".to_owned()), ("vip".to_owned(), "true".to_owned())]);
    assert_eq!(charge.exceptions[0].message.as_deref(), Some("too much"));
    assert_eq!(table.flags, Flags { error: true, fault: false, throttle: true }, "the exception says so");
    assert_eq!((table.kind, table.status, table.retries), (SpanKind::Client, Some(400), Some(3)));
    assert_eq!((table.operation.as_deref(), table.resource.as_deref()), (Some("PutItem"), Some("Orders")));
    assert_eq!((table.duration_ms(), named("in progress").end), (Some(125.0), None));
    assert_eq!(named("in progress").id, "00000000000000f1/2");
}

#[test]
fn subsegments_that_come_alone_find_their_parent() {
    let alone = json!({"type": "subsegment", "trace_id": ID, "id": "00000000000000f9", "parent_id": "00000000000000f3",
        "name": "retry", "start_time": 1_767_225_602.01, "end_time": 1_767_225_602.02});
    let (found, _) = traces(&json!([alone, segment()]));
    let trace = &found[0];
    let position = trace.spans.iter().position(|span| span.name == "retry").expect("a span");
    assert_eq!(trace.spans[trace.parents[position].expect("a parent")].name, "DynamoDB");
    assert_eq!(trace.orphans, 1, "the state of the function is not there");
    assert!(!trace.spans[position].is_segment);
}

#[test]
fn a_listing_tells_which_traces_there_are() {
    let listing = json!({"TraceSummaries": [{"Id": ID, "StartTime": "2026-01-01T00:00:00+00:00", "Duration": 2.5, "HasThrottle": true,
        "HasFault": false, "IsPartial": true}], "TracesProcessedCount": 1});
    let (found, counted) = traces(&listing);
    let summary = found[0].summary.expect("a summary");
    assert_eq!((counted.summaries, summary.duration_ms, summary.has_throttle), (1, Some(2500.0), true));
    assert!(found[0].spans.is_empty() && found[0].is_partial());
}

#[test]
fn spans_of_opentelemetry_come_as_exports_and_as_log_records() {
    let hex = ID.replace("1-", "").replace('-', "");
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let export = json!({"resourceSpans": [{"resource": {"attributes": [attribute("cloud.platform", "aws_lambda")]}, "scopeSpans": [{"spans": [
        {"traceId": hex, "spanId": "00000000000000F1", "parentSpanId": "00000000000000a1", "name": "charge", "kind": 2,
            "startTimeUnixNano": "1767225601500000000", "endTimeUnixNano": "1767225603250000000", "status": {"code": 2, "message": "boom"},
            "attributes": [attribute("faas.invocation_id", "r-1")]},
        {"traceId": hex, "spanId": "00000000000000f3", "parentSpanId": "00000000000000f1", "name": "DynamoDB.PutItem", "kind": "SPAN_KIND_CLIENT",
            "startTimeUnixNano": "1767225602000000000", "endTimeUnixNano": "1767225602125000000", "status": {"code": 2},
            "attributes": [attribute("rpc.system", "aws-api"), attribute("rpc.service", "DynamoDB"), attribute("rpc.method", "PutItem"),
                {"key": "http.response.status_code", "value": {"intValue": "400"}},
                {"key": "aws.dynamodb.table_names", "value": {"arrayValue": {"values": [{"stringValue": "Orders"}]}}}],
            "events": [{"name": "exception", "attributes": [attribute("exception.type", "ThrottlingException"),
                attribute("exception.message", "slow")]}]}]}]}]});
    let (found, _) = traces(&export);
    let [charge, table] = &found[0].spans[..] else { panic!("two spans: {found:?}") };
    assert!(charge.is_of_function() && charge.flags.fault && charge.is_segment);
    assert_eq!((charge.request_id.as_deref(), charge.exceptions[0].message.as_deref()), (Some("r-1"), Some("boom")));
    assert_eq!(table.flags, Flags { error: true, fault: false, throttle: true });
    assert_eq!((table.name.as_str(), table.operation.as_deref(), table.resource.as_deref()), ("DynamoDB", Some("PutItem"), Some("Orders")));
    assert_eq!(found[0].parents, [None, Some(0)]);
    let record = json!({"resource": {"attributes": {"cloud.platform": "aws_lambda"}}, "traceId": hex, "spanId": "00000000000000f1",
        "name": "charge", "kind": "SERVER", "startTimeUnixNano": 1_767_225_601_500_000_000_u64, "endTimeUnixNano": 1_767_225_603_250_000_000_u64,
        "attributes": {"faas.invocation_id": "r-1"}, "status": {"code": "UNSET"}});
    for saved in [
        record.clone(),
        json!({"events": [{"message": record.to_string(), "timestamp": 1}]}),
        json!({"results": [[{"field": "@message", "value": record.to_string()}, {"field": "@ptr", "value": "x"}]], "status": "Complete"}),
    ] {
        let (found, counted) = traces(&saved);
        assert_eq!((counted.spans, counted.bad), (1, 0), "{saved}");
        assert!(found[0].spans[0].is_of_function() && !found[0].spans[0].flags.any());
    }
}

#[test]
fn what_is_no_document_is_counted_and_the_rest_is_read() {
    let batch = json!({"Traces": [{"Id": ID, "Segments": [{"Id": "a", "Document": "{\"cut"}, {"Id": "b", "Document": segment().to_string()},
        {"Id": "c", "Document": "{\"id\": \"c\"}"}, {"Id": "d"}, 7]}]});
    let (found, counted) = traces(&batch);
    assert_eq!((counted.spans, counted.bad, found.len()), (4, 4, 1), "{counted:?}");
    assert!(counted.first_bad.as_deref().is_some_and(|why| why.starts_with("its text is no JSON")), "{counted:?}");
    let (_, history) = traces(&json!({"events": [{"id": 1, "type": "ExecutionStarted"}]}));
    assert_eq!(history.first_bad.as_deref(), Some("it is an execution, and no trace"));
}

/// A file of these bytes, and what reading it gives and says.
fn read(bytes: &[u8]) -> (Vec<Trace>, Vec<String>) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    let mut words = Vec::new();
    let name = file.path().display().to_string();
    let traces = read_traces(file.path(), &Limits::default(), &mut |error| words.push(error.to_string().replace(&name, "FILE")));
    (traces.into_traces(), words)
}

#[test]
fn files_are_one_document_or_one_a_line_compressed_or_not() {
    let (line, pretty) = (segment().to_string(), serde_json::to_string_pretty(&segment()).expect("JSON"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(line.as_bytes()).expect("memory");
    let files: [Vec<u8>; 5] = [
        line.clone().into_bytes(),
        pretty.clone().into_bytes(),
        format!("\n{line}\n\n{line}\n").into_bytes(),
        gzip.finish().expect("memory"),
        zstd::stream::encode_all(pretty.as_bytes(), 1).expect("memory"),
    ];
    for bytes in files {
        let (found, words) = read(&bytes);
        assert_eq!((found.len(), found[0].spans.len(), words), (1, 4, Vec::new()));
    }
}

#[test]
fn a_bad_line_costs_that_line_and_a_cut_document_says_where() {
    let line = segment().to_string();
    for bytes in [format!("{line}\n{{\"cut\n{line}\n"), format!("{{\"cut\n{line}\n{line}")] {
        let (found, words) = read(bytes.as_bytes());
        assert_eq!((found[0].spans.len(), words.len()), (4, 1), "{words:?}");
        assert!(words[0].starts_with("FILE line ") && words[0].contains("no JSON"), "{words:?}");
    }
    let pretty = serde_json::to_string_pretty(&segment()).expect("JSON");
    let (found, words) = read(&pretty.as_bytes()[..pretty.len() / 2]);
    assert!(found.is_empty() && words.len() == 1 && words[0].starts_with("FILE line "), "{words:?}");
    assert_eq!(read(b"").1, ["FILE is empty; was the command that wrote it successful?"]);
    let (_, words) = read(br#"{"executionArn": "arn"}"#);
    assert!(words[0].starts_with("FILE: it is an execution, and no trace; wanted are traces"), "{words:?}");
    let (_, words) = read(format!("{line}\n{{\"id\": 1}}").as_bytes());
    assert_eq!(words, ["FILE: 1 of its documents is no segment and no span (the first: an object with id is no segment and no span); left out"]);
}

#[test]
fn nesting_without_an_end_is_refused() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let (found, words) = read(deep.as_bytes());
    assert!(found.is_empty() && words.len() == 1, "{words:?}");
    let mut quoted = segment().to_string();
    for _ in 0..4 {
        quoted = json!({"Document": quoted}).to_string();
    }
    let (found, words) = read(quoted.as_bytes());
    assert!(found.is_empty() && words[0].contains("text inside of text"), "{words:?}");
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..300)) {
        read(&bytes);
    }

    #[test]
    fn broken_documents_never_panic(cut in 0_usize..900, at in 0_usize..900, byte in proptest::arbitrary::any::<u8>()) {
        let mut bytes = json!({"Traces": [{"Id": ID, "Segments": [{"Document": segment().to_string()}]}]}).to_string().into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % length);
        read(&bytes);
    }
}

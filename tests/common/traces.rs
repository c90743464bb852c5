//! Writes traces as X-Ray and OpenTelemetry would: no recording of Step Functions is at hand, so their shapes follow the developer guide.
//!
//! Times are seconds from the builder's first moment, 2026-01-01T00:00:00Z.

use serde_json::{Value, json};
use stepscope::analysis::trace::{Outline, TraceIndex, TraceReport, Unjoined, report};
use stepscope::model::{History, Trace};
use stepscope::rebuild::rebuild;
use stepscope::sources::TraceSet;

/// The trace that most tests tell of.
pub const TRACE: &str = "1-6955b900-0123456789abcdef01234567";

const START: f64 = 1_767_225_600.0;

/// The machine's segment, with the states as its subsegments.
pub fn machine(name: &str, arn: Option<&str>, (start, end): (f64, f64), states: &[Value]) -> Value {
    let mut segment = json!({"trace_id": TRACE, "id": "aaaaaaaaaaaaaaaa", "name": name, "origin": "AWS::StepFunctions::StateMachine",
        "start_time": START + start, "end_time": START + end, "subsegments": states});
    if let Some(arn) = arn {
        segment["aws"] = json!({"execution_arn": arn, "account_id": "111111111111"});
    }
    segment
}

/// The subsegment of a visit.
pub fn state(id: u64, name: &str, (start, end): (f64, f64), calls: &[Value]) -> Value {
    json!({"id": format!("5{id:015x}"), "name": name, "start_time": START + start, "end_time": START + end, "subsegments": calls})
}

/// The call of an attempt.
pub fn call(id: u64, service: &str, operation: &str, (start, end): (f64, f64)) -> Value {
    json!({"id": format!("c{id:015x}"), "name": service, "namespace": "aws", "start_time": START + start, "end_time": START + end,
        "aws": {"operation": operation}})
}

/// Lambda's own segment below a call.
pub fn lambda(id: u64, function: &str, request: &str, (start, end): (f64, f64)) -> Value {
    json!({"trace_id": TRACE, "id": format!("1{id:015x}"), "parent_id": format!("c{id:015x}"), "name": function, "origin": "AWS::Lambda",
        "start_time": START + start, "end_time": START + end, "aws": {"request_id": request}})
}

/// The function's segment below Lambda's. `inside` are its subsegments.
pub fn function(id: u64, function: &str, request: &str, (start, end): (f64, f64), inside: &[Value]) -> Value {
    json!({"trace_id": TRACE, "id": format!("f{id:015x}"), "parent_id": format!("1{id:015x}"), "name": function,
        "origin": "AWS::Lambda::Function", "start_time": START + start, "end_time": START + end, "subsegments": inside,
        "aws": {"function_arn": format!("arn:aws:lambda:us-east-1:111111111111:function:{function}"), "request_id": request}})
}

/// Something inside a function: `Initialization`, `Invocation`, `Overhead`.
pub fn phase(id: u64, name: &str, (start, end): (f64, f64), inside: &[Value]) -> Value {
    json!({"id": format!("9{id:015x}"), "name": name, "start_time": START + start, "end_time": START + end, "subsegments": inside})
}

/// A DynamoDB table that is told to go slower.
pub fn throttled(id: u64, (start, end): (f64, f64)) -> Value {
    json!({"id": format!("d{id:015x}"), "name": "DynamoDB", "namespace": "aws", "start_time": START + start, "end_time": START + end,
        "error": true, "throttle": true, "http": {"response": {"status": 400}},
        "aws": {"operation": "PutItem", "table_name": "Orders", "request_id": format!("d-{id}"), "retries": 3},
        "cause": {"exceptions": [{"type": "ProvisionedThroughputExceededException", "message": "The level of configured provisioned \
            throughput for the table was exceeded", "remote": true}]}})
}

/// The answer of `aws xray batch-get-traces` for these segments, each under the trace that it names.
pub fn batch(segments: &[Value]) -> Value {
    let mut ids: Vec<&str> = segments.iter().filter_map(|segment| segment["trace_id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let of = |id: &str| -> Vec<Value> {
        let own = segments.iter().filter(|segment| segment["trace_id"] == id);
        own.map(|segment| json!({"Id": segment["id"], "Document": segment.to_string()})).collect()
    };
    let traces: Vec<Value> = ids.into_iter().map(|id| json!({"Id": id, "Duration": 1.0, "Segments": of(id)})).collect();
    json!({"Traces": traces, "UnprocessedTraceIds": []})
}

/// The same segments in another trace.
pub fn in_trace(id: &str, segments: &[Value]) -> Vec<Value> {
    let moved = |segment: &Value| {
        let mut segment = segment.clone();
        segment["trace_id"] = json!(id);
        segment
    };
    segments.iter().map(moved).collect()
}

/// The traces that values hold.
pub fn traces(values: &[Value]) -> Vec<Trace> {
    let mut set = TraceSet::default();
    for value in values {
        assert_eq!(set.add(value).bad, 0, "{value}");
    }
    set.into_traces()
}

/// What these traces tell of an execution.
pub fn told(history: &History, traces: &[Trace]) -> Result<TraceReport, Unjoined> {
    let path = rebuild(history, None);
    let outline = Outline::of_history(history, &path);
    TraceIndex::new(traces).join(&outline).map(|joined| report(&outline, &joined))
}

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn a_python_function_gives_its_innermost_call_last() {
    let cause = json!({
        "errorMessage": "card declined", "errorType": "PaymentError", "requestId": "r-1",
        "stackTrace": ["  File \"/var/task/app.py\", line 9, in handler\n    charge(event)\n", "  File \"/var/task/app.py\", line 3, in charge\n    raise PaymentError()\n"],
    });
    let found = decode(Some("PaymentError"), &cause.to_string());
    assert_eq!(found.message.as_deref(), Some("card declined"));
    assert_eq!(found.error_type.as_deref(), Some("PaymentError"));
    assert_eq!(found.request_id.as_deref(), Some("r-1"));
    assert!(found.stack[0].starts_with("File \"/var/task/app.py\", line 3"), "{:?}", found.stack);
    assert_eq!(found.stack.len(), 2);
}

#[test]
fn a_go_function_tells_its_frames_in_members() {
    let cause = json!({"errorMessage": "nil map", "errorType": "plainError", "stackTrace": [
        {"path": "github.com/example/pay/charge.go", "line": 12, "label": "charge"},
        {"path": "github.com/example/pay/main.go", "line": 30},
    ]});
    let found = decode(None, &cause.to_string());
    assert_eq!(found.stack, ["github.com/example/pay/charge.go:12 charge", "github.com/example/pay/main.go:30"]);
}

#[test]
fn a_node_function_repeats_its_message_in_the_trace() {
    let cause = json!({"errorType": "TypeError", "errorMessage": "x is undefined", "trace": ["TypeError: x is undefined", "    at handler (/var/task/index.js:3:9)"]});
    assert_eq!(decode(None, &cause.to_string()).stack, ["at handler (/var/task/index.js:3:9)"]);
}

#[test]
fn a_message_that_is_json_is_read_too() {
    let inner = json!({"statusCode": 502, "message": "upstream said no"}).to_string();
    let found = decode(None, &json!({"errorType": "Error", "errorMessage": inner}).to_string());
    assert_eq!((found.message.as_deref(), found.status_code), (Some("upstream said no"), Some(502)));
    assert_eq!(found.error_type.as_deref(), Some("Error"));
}

#[test]
fn the_runtime_of_lambda_puts_the_request_id_first() {
    let cause = json!({"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 5c1d Error: Task timed out after 3.00 seconds"});
    let found = decode(Some("Sandbox.Timedout"), &cause.to_string());
    assert_eq!((found.message.as_deref(), found.request_id.as_deref()), (Some("Task timed out after 3.00 seconds"), Some("5c1d")));
    let older = json!({"errorMessage": "2026-01-01T00:00:00.000Z 0b6c1e5a-1111-2222-3333-444455556666 Task timed out after 3.00 seconds"})
        .to_string();
    let older = format!("The cause could not be determined because Lambda did not return an error type. Returned payload: {older}");
    let found = decode(Some("Lambda.Unknown"), &older);
    assert_eq!(found.message.as_deref(), Some("Task timed out after 3.00 seconds"));
    assert_eq!(found.request_id.as_deref(), Some("0b6c1e5a-1111-2222-3333-444455556666"));
}

#[test]
fn both_grammars_of_services_are_read() {
    let optimized = "Topic (a) does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: r-2; Proxy: null)";
    let found = decode(Some("SNS.NotFoundException"), optimized);
    assert_eq!(found.message.as_deref(), Some("Topic (a) does not exist"));
    assert_eq!(
        (found.service.as_deref(), found.status_code, found.error_code.as_deref()),
        (Some("AmazonSNS"), Some(404), Some("NotFound"))
    );
    assert_eq!(found.request_id.as_deref(), Some("r-2"));

    let sdk = "No such key. (Service: S3, Status Code: 404, Request ID: r-3, Extended Request ID: e-4) (SDK Attempt Count: 1)";
    let found = decode(Some("S3.NoSuchKeyException"), sdk);
    assert_eq!(found.message.as_deref(), Some("No such key."));
    assert_eq!((found.service.as_deref(), found.status_code, found.request_id.as_deref()), (Some("S3"), Some(404), Some("r-3")));
    assert_eq!(found.error_code, None);
}

#[test]
fn children_are_unwrapped_down_to_the_leaf() {
    let arn = |name: &str| format!("arn:aws:states:eu-west-1:111111111111:execution:M:{name}");
    let leaf = json!({"errorMessage": "no stock", "errorType": "StockError"}).to_string();
    let inner =
        json!({"Cause": leaf, "Error": "StockError", "ExecutionArn": arn("b"), "Input": "{\"n\":1}", "Status": "FAILED"}).to_string();
    let outer = json!({"Cause": inner, "Error": "States.TaskFailed", "ExecutionArn": arn("a"), "Status": "FAILED"}).to_string();
    let found = decode(Some("States.TaskFailed"), &outer);
    assert_eq!(found.message.as_deref(), Some("no stock"));
    assert_eq!(found.error_type.as_deref(), Some("StockError"));
    let children: Vec<_> = found.children.iter().map(|child| (child.execution.clone().expect("an ARN"), child.error.as_deref())).collect();
    assert_eq!(children, [(arn("a"), Some("States.TaskFailed")), (arn("b"), Some("StockError"))]);
    assert_eq!(found.children[1].input.as_deref(), Some("{\"n\":1}"));
}

#[test]
fn a_child_that_timed_out_has_no_cause() {
    let cause =
        json!({"Error": "States.Timeout", "ExecutionArn": "arn:aws:states:eu-west-1:111111111111:execution:M:a", "Status": "TIMED_OUT"});
    let found = decode(Some("States.TaskFailed"), &cause.to_string());
    assert_eq!((found.message, found.error_type.as_deref()), (None, Some("States.Timeout")));
    assert_eq!(found.children[0].status.as_deref(), Some("TIMED_OUT"));
}

#[test]
fn jobs_say_why_they_stopped() {
    let task = json!({"StopCode": "EssentialContainerExited", "StoppedReason": "Essential container in task exited",
        "Containers": [{"Name": "log", "ExitCode": 0}, {"Name": "app", "ExitCode": 137, "Reason": "OutOfMemoryError: killed"}]});
    let found = decode(Some("States.TaskFailed"), &task.to_string());
    assert_eq!(
        found.message.as_deref(),
        Some("Essential container in task exited; container app: exit code 137, OutOfMemoryError: killed")
    );
    assert_eq!((found.service.as_deref(), found.error_code.as_deref()), (Some("ECS"), Some("EssentialContainerExited")));

    let job = json!({"JobId": "j", "JobQueue": "q", "Status": "FAILED", "StatusReason": "Essential container in task exited",
        "Attempts": [{"Container": {"ExitCode": 1, "Reason": "boom"}}]});
    let found = decode(None, &job.to_string());
    assert_eq!(found.message.as_deref(), Some("Essential container in task exited; container: exit code 1, boom"));

    let run = json!({"JobRunState": "FAILED", "ErrorMessage": "AnalysisException: Path does not exist"});
    let found = decode(None, &run.to_string());
    assert_eq!((found.message.as_deref(), found.service.as_deref()), (Some("AnalysisException: Path does not exist"), Some("Glue")));
}

#[test]
fn refused_events_are_counted() {
    let cause = json!({"Entries": [{"EventId": "1"}, {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}], "FailedEntryCount": 1});
    let found = decode(Some("EventBridge.FailedEntry"), &cause.to_string());
    assert_eq!(found.message.as_deref(), Some("1 of 2 entries failed: MalformedDetail: Detail is malformed."));
    assert_eq!(found.error_code.as_deref(), Some("MalformedDetail"));
}

#[test]
fn a_status_may_stand_in_the_name() {
    let found = decode(Some("ApiGateway.403"), r#"{"message":"Missing Authentication Token"}"#);
    assert_eq!((found.message.as_deref(), found.status_code), (Some("Missing Authentication Token"), Some(403)));
    assert_eq!(decode(Some("States.Http.StatusCode.503"), "Service Unavailable").status_code, Some(503));
    assert_eq!(decode(Some("ApiGateway.teapot"), "x").status_code, None);
}

#[test]
fn the_prefix_that_names_the_state_is_left_out_of_the_message() {
    let cause = "An error occurred while executing the state 'Pick' (entered at the event id #12). Invalid path '$.a'";
    assert_eq!(decode(Some("States.Runtime"), cause).message.as_deref(), Some("Invalid path '$.a'"));
}

#[test]
fn plain_text_is_its_own_message() {
    assert_eq!(decode(None, "Condition is false").message.as_deref(), Some("Condition is false"));
    assert_eq!(decode(None, "404").message.as_deref(), Some("404"));
    assert_eq!(decode(None, ""), DecodedCause::default());
    assert_eq!(decode(None, r#""said in quotes""#).message.as_deref(), Some("said in quotes"));
}

#[test]
fn json_that_was_cut_still_gives_its_message() {
    let found = decode(None, r#"{"errorMessage":"too \"long\"","errorType":"E","stackTrace":["  File"#);
    assert_eq!((found.message.as_deref(), found.error_type.as_deref()), (Some("too \"long\""), Some("E")));
    assert_eq!(decode(None, r#"{"errorMessage":"cut he"#), DecodedCause::default());
}

#[test]
fn unknown_objects_keep_what_they_hold() {
    assert_eq!(decode(None, r#"{"a":1}"#), DecodedCause::default());
    assert_eq!(decode(None, r#"[{"message":"only one"}]"#).message.as_deref(), Some("only one"));
}

#[test]
fn hostile_causes_end_soon() {
    let mut nested = "leaf".to_owned();
    for _ in 0..12 {
        nested = json!({"Cause": nested, "ExecutionArn": "a", "Error": "e"}).to_string();
    }
    assert!(decode(None, &nested).children.len() <= MOST_LAYERS);
    let _ = decode(None, &"[".repeat(1_000_000));
    let _ = decode(None, &"(Service: ".repeat(100_000));
    let _ = decode(None, &format!("An error occurred while executing the state '{}", "' (entered at the event id #1".repeat(30_000)));
    let _ = decode(None, &"x".repeat(5_000_000));
}

proptest! {
    #[test]
    fn any_text_is_taken(text in "\\PC{0,60}") {
        let _ = decode(Some(&text), &text);
        let _ = decode(None, &json!({"Cause": text, "errorMessage": text, "stackTrace": [text]}).to_string());
    }
}

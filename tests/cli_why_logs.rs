//! `why --logs` on the logs of functions and jobs: the lines of the failure, no others, and a sentence where there are none.

mod common;

use common::fake_endpoint::{FakeEndpoint, Reply, Request};
use common::function_log::{FILTER, FunctionLog};
use common::moto::moto;
use common::program::{Run, argument, program};
use common::{REGION, block_on};
use serde_json::{Value, json};
use stepscope::model::builder::{HistoryBuilder, history, seconds};
use stepscope::model::wire::{WireBundle, WireExecution, WireHistory};
use tempfile::TempDir;

const GROUP: &str = "/aws/lambda/charge";
const STREAM: &str = "2026/01/01/[$LATEST]0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const OTHER_STREAM: &str = "2026/01/01/[$LATEST]ffffffffffffffffffffffffffffffff";
const ID: &str = "8f507cfc-8a2b-4697-b07a-ac58fc914c95";
const OTHER_ID: &str = "00000000-1111-2222-3333-444444444444";
const MEMORY: &str = "Memory Size: 128 MB\tMax Memory Used: 74 MB";

fn cause(message: &str) -> String {
    json!({"errorType": "CardDeclined", "errorMessage": message, "requestId": ID, "stackTrace": []}).to_string()
}

/// An execution whose function ran for two seconds and failed; the moment at which it was scheduled, in milliseconds.
fn charged(cause: Option<&str>) -> (HistoryBuilder, i64) {
    let mut told = history("Orders");
    told.named("run-1")
        .enter_task("Charge", json!({"order": 7}))
        .scheduled_with(json!({"FunctionName": "charge", "Payload": {"order": 7}}));
    let scheduled = told.now().as_millisecond();
    told.started().after(seconds(2)).failed("CardDeclined", cause).execution_failed();
    (told, scheduled)
}

/// A file that holds the execution.
fn saved(told: &HistoryBuilder) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("execution.json");
    std::fs::write(&file, serde_json::to_string(&WireBundle(&told.build())).expect("JSON")).expect("written");
    let file = argument(&file).to_owned();
    (folder, file)
}

fn serving(group: &FunctionLog) -> FakeEndpoint {
    let group = group.clone();
    FakeEndpoint::start(move |request| group.answer(request, 10_000))
}

fn asking(endpoint: &FakeEndpoint, told: &HistoryBuilder, more: &[&str]) -> Run {
    let (_folder, file) = saved(told);
    Run::of(program().args(["why", &file, "--endpoint-url", endpoint.url()]).args(more))
}

/// The log in the answer of a run that ended with this code.
fn log(endpoint: &FakeEndpoint, told: &HistoryBuilder, more: &[&str], code: i32) -> Value {
    let logs: &[&str] = if more.iter().any(|flag| flag.starts_with("--logs=")) { &[] } else { &["--logs"] };
    let run = asking(endpoint, told, &[&["--output", "json"], logs, more].concat()).ends_with(code);
    run.json()["root_cause"]["logs"].clone()
}

fn texts(log: &Value) -> Vec<&str> {
    log["lines"].as_array().expect("lines").iter().map(|line| line["text"].as_str().expect("text")).collect()
}

fn note(log: &Value) -> &str {
    log["note"].as_str().unwrap_or_default()
}

#[test]
fn the_lines_of_the_invocation_and_of_no_other() {
    let (told, at) = charged(Some(&cause("no money")));
    let mut group = FunctionLog::new(GROUP);
    group.invocation(OTHER_ID, STREAM, at - 500, &[(10, "an earlier order")], 400, MEMORY);
    group.invocation(OTHER_ID, OTHER_STREAM, at + 40, &[(300, "somebody else's order")], 900, MEMORY);
    group.invocation(ID, STREAM, at + 30, &[(12, "asking the bank"), (1_800, "[ERROR] CardDeclined: no money")], 1_900, MEMORY);
    group.invocation(OTHER_ID, STREAM, at + 2_000, &[(1, "a later order")], 100, MEMORY);
    let log = log(&serving(&group), &told, &[], 0);
    assert_eq!(texts(&log), ["asking the bank", "[ERROR] CardDeclined: no money"]);
    assert_eq!((&log["group"], &log["stream"], &log["request_id"]), (&json!(GROUP), &json!(STREAM), &json!(ID)));
    assert_eq!((&log["basis"], &log["candidates"], &log["left_out"]), (&json!("request_id"), &json!(1), &json!(0)));
    assert_eq!((&log["report"]["duration_ms"], &log["report"]["max_memory_mb"]), (&json!(1_900.0), &json!(74)));
    assert_eq!((&log["outcome"], &log["note"], &log["region"]), (&Value::Null, &Value::Null, &json!("us-east-1")));
}

#[test]
fn on_the_screen_the_log_stands_under_the_cause() {
    let (told, at) = charged(Some(&cause("no money")));
    let mut group = FunctionLog::new(GROUP);
    let secret = "https://api.example.com/?password=hunter2secret";
    let long = "word ".repeat(60);
    let lines = [
        (12, secret),
        (13, "\u{1b}[31mred\u{1b}[0m"),
        (14, long.as_str()),
        (15, r#"{"level":"ERROR","message":"no money","order":7}"#),
        (16, "Traceback (most recent call last):\r  File \"charge.py\", line 7, in handler\r    raise CardDeclined()"),
    ];
    group.line(at + 5, STREAM, "INIT_START Runtime Version: python:3.13.v1\n").line(at + 6, STREAM, "loading the model");
    group.invocation(ID, STREAM, at + 30, &lines, 1_900, &format!("{MEMORY}\tInit Duration: 310.55 ms"));
    let run = asking(&serving(&group), &told, &["--logs"]).succeeds();
    let section: String = run.out.split("\n\n").filter(|section| section.starts_with("Log of")).collect();
    insta::assert_snapshot!("the_log_of_a_function", section);
    assert!(section.lines().all(|line| line.chars().count() <= 80), "{section}");
    assert!(!run.out.contains("hunter2") && !run.out.contains('\u{1b}') && !run.out.contains(" --logs"), "{}", run.out);
}

#[test]
fn of_a_long_log_the_first_and_the_last_lines_are_shown() {
    let (told, at) = charged(Some(&cause("no money")));
    let mut group = FunctionLog::new(GROUP);
    let lines: Vec<String> = (0..1_000).map(|number| format!("line {number}")).collect();
    let lines: Vec<(i64, &str)> = (1..).zip(lines.iter().map(String::as_str)).collect();
    group.invocation(ID, STREAM, at, &lines, 1_900, MEMORY);
    // Page after page.
    let paged = group.clone();
    let endpoint = FakeEndpoint::start(move |request| paged.answer(request, 100));
    let found = log(&endpoint, &told, &[], 0);
    assert_eq!((&found["left_out"], &found["left_out_after"], texts(&found).len()), (&json!(950), &json!(10), 50));
    assert_eq!((texts(&found)[9], texts(&found)[10], texts(&found)[49]), ("line 9", "line 960", "line 999"));
    let run = asking(&endpoint, &told, &["--logs=5"]).succeeds();
    run.shows(&["line 0\n", "… 995 lines left out", "line 996\n", "line 999\n"]);
    assert_eq!(log(&serving(&group), &told, &["--logs=5000"], 0)["left_out"], 0);
    asking(&endpoint, &told, &["--logs=0"]).ends_with(2).says(&["--logs"]);
}

#[test]
fn what_is_endless_is_read_from_both_ends_and_that_is_said() {
    let (told, at) = charged(Some(&cause("no money")));
    let mut group = FunctionLog::new(GROUP);
    let lines: Vec<String> = (0..200).map(|number| format!("line {number}")).collect();
    // The last of them stand in the last seconds, far behind what sixty pages hold.
    let spread: Vec<(i64, &str)> = (0..200).map(|n| (n * 100, lines[usize::try_from(n).expect("small")].as_str())).collect();
    group.invocation(ID, STREAM, at, &spread, 20_000, MEMORY);
    let endpoint = FakeEndpoint::start(move |request| {
        let is_of_the_end = request.body["startTime"].as_i64() > Some(at);
        group.answer(request, if is_of_the_end { 1_000 } else { 1 })
    });
    let found = log(&endpoint, &told, &[], 0);
    assert_eq!((texts(&found)[0], *texts(&found).last().expect("lines")), ("line 0", "line 199"));
    assert!(note(&found).contains("too long to be read whole"), "{found}");
}

#[test]
fn without_a_request_id_the_only_invocation_of_that_time_is_shown_and_that_is_said() {
    let (told, at) = charged(None);
    let mut group = FunctionLog::new(GROUP);
    group.invocation(OTHER_ID, OTHER_STREAM, at - 60_000, &[(1, "a minute before")], 1_500, MEMORY);
    // The function's clock is a second behind.
    group.invocation(ID, STREAM, at - 900, &[(1, "asking the bank")], 1_900, MEMORY);
    let found = log(&serving(&group), &told, &[], 0);
    assert_eq!(texts(&found), ["asking the bank"]);
    assert_eq!((&found["basis"], &found["candidates"], &found["request_id"]), (&json!("time_window"), &json!(1), &json!(ID)));
    assert!(note(&found).contains("no request id") && note(&found).contains("the only invocation"), "{found}");
}

#[test]
fn of_several_invocations_the_one_with_the_errors_words_is_shown() {
    let cause = json!({"errorType": "Error", "errorMessage": "card \"4242\" was declined by its bank", "trace": []}).to_string();
    let (told, at) = charged(Some(&cause));
    let mut group = FunctionLog::new(GROUP);
    group.invocation(OTHER_ID, OTHER_STREAM, at + 1, &[(5, "all is well")], 1_999, MEMORY);
    group.invocation(ID, STREAM, at + 90, &[(5, r#"ERROR {"errorMessage":"card \"4242\" was declined by its bank"}"#)], 1_905, MEMORY);
    let found = log(&serving(&group), &told, &[], 0);
    assert_eq!((&found["request_id"], &found["candidates"]), (&json!(ID), &json!(2)));
    assert!(note(&found).contains("of the 2 invocations") && note(&found).contains("error's words"), "{found}");
}

#[test]
fn a_guess_is_called_one() {
    let (told, at) = charged(None);
    let mut group = FunctionLog::new(GROUP);
    group.invocation(OTHER_ID, OTHER_STREAM, at + 300, &[(5, "order 8")], 1_500, MEMORY);
    group.invocation(ID, STREAM, at + 10, &[(5, "order 7")], 1_985, MEMORY);
    // Began in time, and ended too early to be the one.
    group.invocation("11111111-1111-2222-3333-444444444444", "third", at + 10, &[(5, "order 9")], 500, MEMORY);
    let found = log(&serving(&group), &told, &[], 0);
    assert_eq!((texts(&found), &found["candidates"]), (vec!["order 7"], &json!(2)));
    assert!(note(&found).starts_with("a guess:") && note(&found).contains("another execution's"), "{found}");
}

#[test]
fn what_no_line_names_is_not_replaced_by_other_lines() {
    let (told, at) = charged(Some(&cause("no money")));
    let mut group = FunctionLog::new(GROUP);
    group.invocation(OTHER_ID, STREAM, at + 10, &[(5, "order 8")], 1_985, MEMORY);
    let found = log(&serving(&group), &told, &[], 0);
    assert_eq!((texts(&found), &found["candidates"]), (vec![], &json!(0)));
    assert!(note(&found).contains(ID) && note(&found).contains("--log-group"), "{found}");
}

#[test]
fn memory_that_ran_out_is_recognised_and_told_in_the_advice() {
    let killed = json!({"errorType": "Runtime.ExitError", "errorMessage": format!("RequestId: {ID} Error: Runtime exited with error: signal: killed")});
    let mut told = history("Orders");
    told.enter_task("Charge", json!({})).scheduled_with(json!({"FunctionName": "charge"})).started();
    let at = told.now().as_millisecond();
    told.after(seconds(2)).failed("Runtime.ExitError", Some(&killed.to_string())).execution_failed();
    let killed = format!("RequestId: {ID} Error: Runtime exited with error: signal: killed\nRuntime.ExitError");
    let mut group = FunctionLog::new(GROUP);
    group.invocation(ID, STREAM, at, &[(1_900, &killed)], 1_950, "Memory Size: 128 MB\tMax Memory Used: 128 MB");
    let answer = asking(&serving(&group), &told, &["--logs", "--output", "json"]).succeeds().json();
    assert_eq!(answer["root_cause"]["logs"]["outcome"], "out_of_memory");
    let advice: Vec<&str> = answer["advice"].as_array().expect("a list").iter().filter_map(|advice| advice["id"].as_str()).collect();
    assert_eq!(advice, ["lambda-memory-exhausted"]);
    let without = asking(&serving(&group), &told, &["--output", "json"]).succeeds().json();
    assert_eq!((&without["advice"][0]["id"], &without["root_cause"]["logs"]), (&json!("lambda-crashed"), &Value::Null));
    let screen = asking(&serving(&group), &told, &["--logs"]).succeeds();
    screen.shows(&["killed with all of its memory in use", "it ran 1.9s, used 128\n  of 128 MB", "Raise its memory size"]);
}

#[test]
fn a_function_that_step_functions_gave_up_on_is_read_to_its_own_end() {
    let mut told = history("Orders");
    told.enter_task("Charge", json!({}))
        .timeout(seconds(3))
        .scheduled_with(json!({"FunctionName": "arn:aws:lambda:eu-north-1:123456789012:function:charge:live"}));
    let at = told.now().as_millisecond();
    told.started().after(seconds(3)).timed_out().execution_failed();
    let mut group = FunctionLog::new(GROUP);
    let platform =
        |at: i64, kind: &str, record: Value| (at, json!({"time": "2026-01-01T00:00:00.000Z", "type": kind, "record": record}).to_string());
    for (at, text) in [
        platform(at + 100, "platform.initStart", json!({"initializationType": "on-demand"})),
        platform(at + 300, "platform.start", json!({"requestId": ID, "version": "7"})),
        (
            at + 400,
            json!({"timestamp": "2026-01-01T00:00:00.400Z", "level": "WARN", "message": "the bank is slow", "requestId": ID}).to_string(),
        ),
        platform(
            at + 60_300,
            "platform.report",
            json!({"requestId": ID, "status": "timeout",
            "metrics": {"durationMs": 60_000.0, "billedDurationMs": 60_200, "memorySizeMB": 512, "maxMemoryUsedMB": 80, "initDurationMs": 190.4}}),
        ),
    ] {
        group.line(at, STREAM, &text);
    }
    let endpoint = serving(&group);
    let found = log(&endpoint, &told, &[], 0);
    assert_eq!((&found["outcome"], &found["basis"], &found["region"]), (&json!("timed_out"), &json!("time_window"), &json!("eu-north-1")));
    assert_eq!((&found["lines"][0]["message"], &found["lines"][0]["level"]), (&json!("the bank is slow"), &json!("WARN")));
    assert_eq!(
        found["report"],
        json!({"duration_ms": 60_000.0, "billed_ms": 60_200.0, "memory_mb": 512, "max_memory_mb": 80,
        "init_ms": 190.4, "cold_start": true, "status": "timeout", "error_type": null})
    );
    asking(&endpoint, &told, &["--logs"]).succeeds().shows(&["reached its own timeout: it ran 1m 00s", "WARN the bank is slow"]);
}

#[test]
fn a_callback_is_looked_for_by_the_call_and_not_by_what_its_sender_quoted() {
    let mut told = history("Orders");
    told.enter_task("Approve", json!({})).calls("lambda", "invoke.waitForTaskToken").scheduled_with(json!({"FunctionName": "charge"}));
    let at = told.now().as_millisecond();
    told.started().submitted(json!({"StatusCode": 200, "SdkResponseMetadata": {"RequestId": ID}})).after(seconds(86_400));
    let quoted = json!({"errorType": "Refused", "errorMessage": "no", "requestId": OTHER_ID}).to_string();
    told.failed("Refused", Some(&quoted)).execution_failed();
    let mut group = FunctionLog::new(GROUP);
    group.invocation(ID, STREAM, at, &[(5, "asked the manager")], 200, MEMORY);
    group.invocation(OTHER_ID, STREAM, at + 300, &[(5, "another question")], 200, MEMORY);
    assert_eq!(texts(&log(&serving(&group), &told, &[], 0)), ["asked the manager"]);
}

#[test]
fn a_call_that_was_refused_asks_nothing() {
    let refused = "Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException; Request ID: 8f507cfc-8a2b-4697-b07a-ac58fc914c95; Proxy: null)";
    let mut told = history("Orders");
    told.enter_task("Charge", json!({})).attempt_failed("Lambda.TooManyRequestsException", Some(refused)).execution_failed();
    let endpoint = serving(&FunctionLog::new(GROUP));
    let found = log(&endpoint, &told, &[], 0);
    assert!(note(&found).contains("status 429") && note(&found).contains("did not run"), "{found}");
    assert_eq!(endpoint.asked(FILTER), 0);
}

#[test]
fn without_a_log_group_the_answer_says_where_to_look_and_the_exit_code_is_1() {
    let (told, _) = charged(Some(&cause("no money")));
    let endpoint = serving(&FunctionLog::new("/services/charge"));
    let run = asking(&endpoint, &told, &["--logs"]).ends_with(1).says(&["the log of the task at fault was not read"]);
    let run = run.shows(&["CardDeclined", "There is no log group /aws/lambda/charge in us-east-1", "--log-group"]);
    assert!(run.out.contains("What to check"), "the rest of the answer stands:\n{}", run.out);
    asking(&endpoint, &told, &["--log-group", "/services/charge"]).ends_with(2).says(&["--logs"]);
    let elsewhere = log(&endpoint, &told, &["--log-group", "/aws/lambda/chrage"], 1);
    assert!(note(&elsewhere).contains("check its name and the region"), "{elsewhere}");
}

#[test]
fn a_named_group_is_asked_also_by_its_arn() {
    let (told, at) = charged(Some(&cause("no money")));
    let mut group = FunctionLog::new("/services/charge");
    group.invocation(ID, STREAM, at, &[(5, "asking the bank")], 200, MEMORY);
    for name in ["/services/charge", "arn:aws:logs:eu-south-1:123456789012:log-group:/services/charge"] {
        let found = log(&serving(&group), &told, &["--log-group", name], 0);
        assert_eq!((texts(&found), &found["group"]), (vec!["asking the bank"], &json!(name)));
    }
}

/// What the answer says when CloudWatch Logs refuses.
fn refused(code: &'static str, message: &'static str) -> String {
    let (told, _) = charged(Some(&cause("no money")));
    let endpoint = FakeEndpoint::start(move |_: &Request| Reply::Error(code, message));
    let (_folder, file) = saved(&told);
    let arguments = ["why", &file, "--endpoint-url", endpoint.url(), "--logs", "--output", "json"];
    let run = Run::of(program().args(arguments).env("AWS_MAX_ATTEMPTS", "1")).ends_with(1);
    let answer = run.json();
    assert_eq!(answer["root_cause"]["error"], "CardDeclined");
    note(&answer["root_cause"]["logs"]).to_owned()
}

#[test]
fn a_refusal_is_a_sentence_in_the_answer() {
    let denied = refused("AccessDeniedException", "not authorized");
    assert!(
        denied.contains("logs:FilterLogEvents")
            && denied.contains(r#""Resource": "arn:aws:logs:us-east-1:*:log-group:/aws/lambda/charge:*""#),
        "{denied}"
    );
    let throttled = refused("ThrottlingException", "Rate exceeded");
    assert!(throttled.contains("throttled"), "{throttled}");
    let class = refused("InvalidOperationException", "This operation is not supported for log groups of the INFREQUENT_ACCESS log class");
    assert!(class.contains("Infrequent Access") && class.contains("Logs Insights") && class.contains(ID), "{class}");
}

#[test]
fn jobs_are_found_by_the_stream_that_their_cause_names() {
    let batch = json!({"JobName": "resize", "JobId": "j-1", "JobQueue": "q", "Status": "FAILED", "StatusReason": "Essential container exited",
        "Container": {"LogStreamName": "resize/default/old", "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "/jobs"}}},
        "Attempts": [{"Container": {"LogStreamName": "resize/default/7"}}]});
    let glue =
        json!({"Id": "jr_17", "JobName": "nightly", "JobRunState": "FAILED", "LogGroupName": "/aws-glue/python-jobs", "ErrorMessage": "x"});
    let build = json!({"Build": {"BuildStatus": "FAILED", "ProjectName": "site", "Logs": {"GroupName": "/aws/codebuild/site", "StreamName": "b-1"}}});
    let task = json!({"TaskArn": "arn:aws:ecs:us-east-1:123456789012:task/main/4f2a", "StoppedReason": "Essential container exited", "StopCode": "EssentialContainerExited"});
    for (service, action, cause, group, stream, kind, more) in [
        ("batch", "submitJob.sync", batch, "/jobs", "resize/default/7", "batch_job", None),
        ("glue", "startJobRun.sync", glue, "/aws-glue/python-jobs/error", "jr_17", "glue_job", None),
        ("codebuild", "startBuild.sync", build, "/aws/codebuild/site", "b-1", "code_build", None),
        ("ecs", "runTask.sync", task.clone(), "/ecs/main", "web/app/4f2a", "ecs_task", Some("/ecs/main")),
    ] {
        let mut told = history("Jobs");
        told.enter_task("Work", json!({})).calls(service, action).scheduled().started().submitted(json!({}));
        let at = told.now().as_millisecond();
        // Twelve hours: what stands in its last quarter of an hour is enough.
        told.after(seconds(12 * 3_600)).failed("States.TaskFailed", Some(&cause.to_string())).execution_failed();
        let mut lines = FunctionLog::new(group);
        lines.line(at + 1_000, stream, "starting").line(at + 2_000, "another/job", "not mine").line(
            at + 12 * 3_600_000 - 500,
            stream,
            "no such file",
        );
        let named: Vec<&str> = more.iter().flat_map(|group| ["--log-group", group]).collect();
        let found = log(&serving(&lines), &told, &named, 0);
        assert_eq!(texts(&found), ["starting", "no such file"], "{service}");
        assert_eq!((&found["task"], &found["stream"], &found["basis"]), (&json!(kind), &json!(stream), &json!("stream")), "{service}");
        let last = log(&serving(&lines), &told, &[&named[..], &["--logs=1"]].concat(), 0);
        assert!(texts(&last) == ["no such file"] && note(&last).contains("only lines since 2026-01-01 11:4"), "{service}: {last}");
    }
    let mut told = history("Jobs");
    told.enter_task("Work", json!({}))
        .calls("ecs", "runTask.sync")
        .attempt_failed("States.TaskFailed", Some(&task.to_string()))
        .execution_failed();
    let unknown = log(&serving(&FunctionLog::new(GROUP)), &told, &[], 1);
    assert!(note(&unknown).contains("task definition") && note(&unknown).contains("--log-group"), "{unknown}");
}

#[test]
fn what_leaves_no_log_of_its_own_is_said_without_asking() {
    let endpoint = serving(&FunctionLog::new(GROUP));
    let mut activity = history("Orders");
    activity.enter_task("Sign", json!({})).calls_activity("sign").attempt_failed("Refused", None).execution_failed();
    let mut stopped = history("Orders");
    stopped.enter_fail("Stop", json!({})).execution_failed_with("Refused", "on purpose");
    for (told, word) in [(activity, "activity"), (stopped, "only tasks")] {
        let found = log(&endpoint, &told, &[], 0);
        assert!(note(&found).contains(word), "{found}");
    }
    let mut queue = history("Orders");
    queue
        .enter_task("Send", json!({}))
        .calls("sqs", "sendMessage")
        .attempt_failed("SQS.QueueDoesNotExistException", None)
        .execution_failed();
    let found = log(&endpoint, &queue, &[], 0);
    assert!(note(&found).contains("sqs:sendMessage") && note(&found).contains("--log-group"), "{found}");
    assert_eq!(endpoint.asked(FILTER), 0);
}

#[test]
fn several_executions_have_their_logs_in_json_lines_only() {
    let (told, at) = charged(Some(&cause("no money")));
    let mut group = FunctionLog::new(GROUP);
    group.invocation(ID, STREAM, at, &[(5, "asking the bank")], 200, MEMORY);
    let endpoint = serving(&group);
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = serde_json::to_string(&WireBundle(&told.build())).expect("JSON");
    let mut fine = history("Orders");
    fine.named("run-2").pass("Check", json!({}), json!({})).execution_succeeded(json!({}));
    let fine = serde_json::to_string(&WireBundle(&fine.build())).expect("JSON");
    let file = folder.path().join("executions.jsonl");
    std::fs::write(&file, format!("{bundle}\n{fine}\n")).expect("written");
    let why = |more: &[&str]| Run::of(program().args(["why", argument(&file), "--endpoint-url", endpoint.url(), "--logs"]).args(more));
    why(&[]).ends_with(2).says(&["--logs shows the log of one execution", "--execution NAME"]);
    assert_eq!(endpoint.asked(FILTER), 0);
    let answers = why(&["--output", "jsonl"]).succeeds().json_lines();
    assert_eq!((texts(&answers[0]["root_cause"]["logs"]), &answers[1]["root_cause"]), (vec!["asking the bank"], &Value::Null));
    why(&["--execution", "run-1"]).succeeds().shows(&["asking the bank"]);
    why(&["--status", "failed"]).succeeds().shows(&["asking the bank"]);
}

#[test]
fn an_execution_that_is_read_from_the_api_has_its_log_asked_for_with_the_same_flags() {
    let (told, at) = charged(Some(&cause("no money")));
    let mut group = FunctionLog::new(GROUP);
    group.invocation(ID, STREAM, at, &[(5, "asking the bank")], 200, MEMORY);
    let history = told.build();
    let arn = history.header.arn.clone().expect("an ARN").to_string();
    let endpoint = FakeEndpoint::start(move |request| match request.action.as_str() {
        FILTER => group.answer(request, 10_000),
        "GetExecutionHistory" => Reply::Json(in_seconds(&WireHistory(&history))),
        "DescribeExecution" => Reply::Json(in_seconds(&WireExecution(&history))),
        _ => Reply::Error("StateMachineDoesNotExist", "gone"),
    });
    let run = |more: &[&str]| Run::of(program().args(["why", &arn, "--endpoint-url", endpoint.url()]).args(more));
    assert_eq!(texts(&run(&["--logs", "--output", "json"]).json()["root_cause"]["logs"]), ["asking the bank"]);
    let next = format!("stepscope why {arn} --logs --endpoint-url {}", endpoint.url());
    assert!(run(&[]).out.contains(&next) && !run(&["--logs"]).out.contains(&next));
}

#[test]
fn of_a_failed_child_it_is_the_childs_log_also_from_the_store() {
    let (child, at) = charged(Some(&cause("no money")));
    let mut group = FunctionLog::new(GROUP);
    group.invocation(ID, STREAM, at, &[(5, "asking the bank")], 200, MEMORY);
    let endpoint = serving(&group);
    let mut parent = history("Parents");
    parent.named("parent").enter_task("Order", json!({})).calls("states", "startExecution.sync:2").scheduled().started();
    parent.submitted_child(&child.arn()).after(seconds(3));
    let quoted = json!({"ExecutionArn": child.arn().as_str(), "Status": "FAILED", "Error": "CardDeclined"}).to_string();
    parent.failed("States.TaskFailed", Some(&quoted)).execution_failed();
    let folder = tempfile::tempdir().expect("a folder");
    for (name, told) in [("parent.json", &parent), ("child.json", &child)] {
        std::fs::write(folder.path().join(name), serde_json::to_string(&WireBundle(&told.build())).expect("JSON")).expect("written");
    }
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (files, store) = (argument(folder.path()).to_owned(), elsewhere.path().join("store"));
    Run::of(program().args(["ingest", &files, "--store", argument(&store)])).ends_with(0);
    let ask = |of: &[&str]| {
        let arguments = [&["why"], of, &["--logs", "--output", "json", "--endpoint-url", endpoint.url()]].concat();
        Run::of(program().args(arguments)).succeeds().json()["root_cause"].clone()
    };
    for cause in [ask(&[&files, "--execution", "parent"]), ask(&["parent", "--store", argument(&store)])] {
        assert_eq!((&cause["state"], &cause["via"][0]["state"]), (&json!("Charge"), &json!("Order")));
        assert_eq!(texts(&cause["logs"]), ["asking the bank"]);
    }
}

/// As the API sends it: times in epoch seconds.
fn in_seconds(value: &impl serde::Serialize) -> Value {
    fn convert(value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(convert),
            Value::Object(members) => members.values_mut().for_each(convert),
            Value::String(text) => {
                if let Ok(time) = text.parse::<stepscope::model::Timestamp>() {
                    *value = json!(time.as_duration().as_secs_f64());
                }
            }
            _ => {}
        }
    }
    let mut value = serde_json::to_value(value).expect("strings and numbers");
    convert(&mut value);
    value
}

#[test]
fn in_a_real_endpoint_by_id_and_by_time() {
    let Some(moto) = moto() else { return };
    // It takes no lines that are older than two weeks.
    let now = stepscope::model::Timestamp::now().checked_sub(jiff::SignedDuration::from_mins(10)).expect("a moment");
    for (function, id, message) in [("by-id", Some(ID), "no money"), ("by-time", None, "no money in the purse")] {
        let cause = json!({"errorType": "CardDeclined", "errorMessage": message, "requestId": id}).to_string();
        let mut told = history("Orders");
        told.in_region(REGION).clock_at(now).enter_task("Charge", json!({})).scheduled_with(json!({"FunctionName": function})).started();
        let at = told.now().as_millisecond();
        told.after(seconds(2)).failed("CardDeclined", Some(&cause)).execution_failed();
        let mut group = FunctionLog::new(&format!("/aws/lambda/{function}"));
        group.invocation("11111111-1111-2222-3333-444444444444", STREAM, at - 1_200, &[(3, "an order before")], 1_100, MEMORY);
        group.invocation(ID, STREAM, at + 20, &[(4, "asking the bank"), (1_700, message)], 1_900, MEMORY);
        group.invocation(OTHER_ID, OTHER_STREAM, at + 10, &[(5, "another order")], 1_950, MEMORY);
        block_on(moto.put_lines(&group));
        let (_folder, file) = saved(&told);
        let url = moto.url();
        let answer = Run::of(program().args(["why", &file, "--endpoint-url", &url, "--logs", "--output", "json"])).succeeds().json();
        let found = &answer["root_cause"]["logs"];
        assert_eq!((texts(found), &found["request_id"]), (vec!["asking the bank", message], &json!(ID)), "{function}: {found}");
    }
}

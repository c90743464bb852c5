use serde_json::json;

use super::line::{Line, classify};
use super::*;
use crate::analysis::why::{Evidence, Finding, why};
use crate::model::Timestamp;
use crate::model::builder::{HistoryBuilder, history, seconds};
use crate::rebuild::rebuild;

const ID: &str = "8f507cfc-8a2b-4697-b07a-ac58fc914c95";
const OTHER: &str = "00000000-1111-2222-3333-444444444444";

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_767_225_600_000 + milliseconds).expect("a moment")
}

/// What an invocation's reader makes of a stream with a line each millisecond.
fn read(lines: &[&str]) -> InvocationLog {
    let mut reader = InvocationReader::new(ID, 50, false);
    for (number, line) in (0..).zip(lines) {
        reader.take(at(number), line);
    }
    reader.finish()
}

fn texts(log: &InvocationLog) -> Vec<&str> {
    log.lines.iter().map(|line| line.text.as_str()).collect()
}

fn start(id: &str) -> String {
    format!("START RequestId: {id} Version: $LATEST\n")
}

fn report(id: &str, more: &str) -> String {
    format!(
        "REPORT RequestId: {id}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t{more}\n"
    )
}

#[test]
fn the_forms_of_a_functions_name() {
    let parts = |text: &str| {
        let name = FunctionName::parse(text)?;
        Some((name.name, name.qualifier.unwrap_or_default(), name.region.unwrap_or_default(), name.account.unwrap_or_default()))
    };
    let expected = |name: &str, qualifier: &str, region: &str, account: &str| {
        Some((name.to_owned(), qualifier.to_owned(), region.to_owned(), account.to_owned()))
    };
    assert_eq!(parts("charge"), expected("charge", "", "", ""));
    assert_eq!(parts("charge:live"), expected("charge", "live", "", ""));
    assert_eq!(parts("charge:$LATEST"), expected("charge", "$LATEST", "", ""));
    assert_eq!(parts("111111111111:function:charge"), expected("charge", "", "", "111111111111"));
    let arn = "arn:aws-cn:lambda:cn-north-1:111111111111:function:charge:7";
    assert_eq!(parts(arn), expected("charge", "7", "cn-north-1", "111111111111"));
    for text in
        ["", "a b", "arn:aws:sqs:eu-west-1:111111111111:queue", "arn:aws:lambda:eu-west-1:111111111111:layer:l:1", "a:b:c:d", "../x"]
    {
        assert_eq!(parts(text), None, "{text}");
    }
}

#[test]
fn the_platforms_lines_in_both_formats() {
    assert_eq!(classify(&start(ID)), Line::Start(ID.into()));
    assert_eq!(classify(&format!("END RequestId: {ID}")), Line::End(ID.into()));
    let whole = report(ID, "Init Duration: 310.55 ms\tStatus: error\tError Type: Runtime.ExitError");
    let Line::Report(id, found) = classify(&whole) else { panic!("a report") };
    assert_eq!((id.as_ref(), found.duration_ms, found.billed_ms), (ID, Some(3_000.0), Some(3_000.0)));
    assert_eq!((found.memory_mb, found.max_memory_mb, found.init_ms), (Some(128), Some(128), Some(310.55)));
    assert_eq!((found.status.as_deref(), found.error_type.as_deref()), (Some("error"), Some("Runtime.ExitError")));
    let json = json!({"time": "t", "type": "platform.report", "record": {"requestId": ID, "metrics": {"durationMs": 1.5}}}).to_string();
    assert!(matches!(classify(&json), Line::Report(id, report) if id == ID && report.duration_ms == Some(1.5)));
    assert_eq!(classify(r#"{"type":"platform.extension","record":{}}"#), Line::Platform);
    for told in ["START", "START RequestId: ", "REPORT", "{", r#"{"type":"platform.start"}x"#, "", r#"{"message":"platform.start"}"#] {
        assert_eq!(classify(told), Line::Told, "{told}");
    }
}

#[test]
fn lines_belong_to_the_invocation_between_whose_marks_they_stand() {
    let lines =
        [&start(OTHER), "theirs", &report(OTHER, ""), "between", &start(ID), "mine", &report(ID, ""), "after", &start(OTHER), "theirs"];
    let log = read(&lines);
    assert_eq!(texts(&log), ["mine"]);
    assert!(!log.report.expect("one").cold_start);
}

#[test]
fn what_was_written_while_the_environment_started_belongs_to_its_first_invocation() {
    let log = read(&["before", "INIT_START Runtime Version: x", "loading", &start(ID), "mine", &report(ID, "")]);
    assert_eq!(texts(&log), ["loading", "mine"]);
    assert!(log.report.expect("one").cold_start);
    let log = read(&["INIT_START Runtime Version: x", "loading", &start(OTHER), "theirs", &start(ID), "mine"]);
    assert_eq!(texts(&log), ["mine"]);
}

#[test]
fn a_timeout_is_told_after_the_report() {
    let late = format!("2026-01-01T00:00:03.004Z {ID} Task timed out after 3.00 seconds\n\n");
    let log = read(&[&start(ID), "mine", &report(ID, ""), &late, "of nobody"]);
    assert_eq!(texts(&log), ["mine", late.trim_end()]);
    assert_eq!(log.outcome, Some(FunctionOutcome::TimedOut));
}

#[test]
fn a_function_that_only_speaks_of_timeouts_had_none() {
    let log = read(&[&start(ID), "the bank says: Task timed out after 3 seconds, signal: killed", &report(ID, "")]);
    assert_eq!(log.outcome, None);
}

#[test]
fn memory_ran_out_when_all_of_it_was_in_use_as_the_process_was_killed() {
    let killed = format!("RequestId: {ID} Error: Runtime exited with error: signal: killed\nRuntime.ExitError");
    assert_eq!(read(&[&start(ID), &killed, &report(ID, "")]).outcome, Some(FunctionOutcome::OutOfMemory));
    let exited = format!("RequestId: {ID} Error: Runtime exited with error: exit status 1\nRuntime.ExitError");
    assert_eq!(read(&[&start(ID), &exited, &report(ID, "")]).outcome, Some(FunctionOutcome::Crashed));
    let roomy = report(ID, "").replace("Used: 128", "Used: 90");
    assert_eq!(read(&[&start(ID), &killed, &roomy]).outcome, Some(FunctionOutcome::Crashed));
    assert_eq!(
        read(&[&start(ID), &report(ID, "Status: error\tError Type: Runtime.OutOfMemory")]).outcome,
        Some(FunctionOutcome::OutOfMemory)
    );
}

#[test]
fn a_stream_whose_beginning_is_lost_gives_what_names_the_request_and_what_follows() {
    let named = format!("{ID} INFO mine");
    assert_eq!(texts(&read(&["unknown", &named, "mine too", &report(ID, "")])), [named.as_str(), "mine too"]);
}

#[test]
fn a_line_of_a_megabyte_is_cut_and_says_so() {
    let log = read(&[&start(ID), &"é".repeat(500_000)]);
    assert!(log.lines[0].text.len() < 17_000 && log.lines[0].text.ends_with("(983616 bytes more)"), "{}", log.lines[0].text.len());
}

#[test]
fn structured_lines_say_their_message_and_stack() {
    let line = |text: &str| LogLine::read(at(0), text.to_owned());
    let python = json!({"timestamp": "t", "log_level": "ERROR", "errorMessage": "no money", "errorType": "CardDeclined",
        "stackTrace": ["  File \"charge.py\", line 7, in handler\n"]});
    let read = line(&python.to_string());
    assert_eq!(read.message.as_deref(), Some("CardDeclined: no money\n  File \"charge.py\", line 7, in handler"));
    assert_eq!(read.level.as_deref(), Some("ERROR"));
    let node = json!({"level": "ERROR", "message": {"errorType": "Error", "errorMessage": "no money", "stackTrace": ["Error: no money", "    at handler"]}});
    assert_eq!(line(&node.to_string()).message.as_deref(), Some("Error: no money\n    at handler"));
    assert_eq!(line("{broken").message, None);
    assert_eq!(line(r#"{"order":7}"#).message, None);
}

#[test]
fn lines_of_the_runtimes_lose_what_stands_beside_them_anyway() {
    let told = |text: &str| {
        let line = LogLine::read(at(0), text.to_owned());
        (line.level.unwrap_or_default(), line.message.unwrap_or_default())
    };
    let owned = |level: &str, message: &str| (level.to_owned(), message.to_owned());
    assert_eq!(told(&format!("2026-01-01T00:00:00.042Z\t{ID}\tINFO\tasking\tthe bank\n")), owned("INFO", "asking\tthe bank\n"));
    assert_eq!(told(&format!("[WARNING]\t2026-01-01T00:00:00.042Z\t{ID}\tthe bank is slow")), owned("WARNING", "the bank is slow"));
    assert_eq!(told("[ERROR] CardDeclined: no money\nTraceback"), owned("ERROR", ""));
    let error =
        json!({"errorType": "Error", "errorMessage": "no money", "stack": ["Error: no money", "    at handler (/var/task/index.js:3:9)"]});
    let line = format!("2026-01-01T00:00:00.042Z\t{ID}\tERROR\tInvoke Error \t{error}");
    assert_eq!(told(&line), owned("ERROR", "Error: no money\n    at handler (/var/task/index.js:3:9)"));
    for text in ["a\tb\tc\td", "[note] x", "", "2026-01-01T00:00:00Z\tx\ty\tz"] {
        assert_eq!(told(text), owned("", ""), "{text}");
    }
}

#[test]
fn in_a_shared_group_other_functions_and_versions_are_not_taken_for_it() {
    let mut told = history("Orders");
    told.enter_task("Charge", json!({})).scheduled_with(json!({"FunctionName": "charge", "Qualifier": "7"}));
    let scheduled = told.now();
    told.started().after(seconds(3)).timed_out().execution_failed();
    let question = asked(&told).expect("a question");
    let chosen = |stream: &str| {
        let mut invocations = Invocations::default();
        invocations.take(scheduled, stream, &start(ID));
        choose(&invocations, &question).is_some()
    };
    for stream in ["2026/01/01/[7]0a1b", "2026/01/01/charge[7]0a1b", "a-stream-of-ones-own"] {
        assert!(chosen(stream), "{stream}");
    }
    for stream in ["2026/01/01/[8]0a1b", "2026/01/01/[$LATEST]0a1b", "2026/01/01/refund[7]0a1b"] {
        assert!(!chosen(stream), "{stream}");
    }
}

/// What `why` asks for the failure that a story ends with.
fn cause(told: &HistoryBuilder) -> Finding {
    let history = told.build();
    let path = rebuild(&history, None);
    why(Evidence { history: &history, path: &path, definition: None }).root_cause.expect("it failed")
}

fn asked(told: &HistoryBuilder) -> Result<LogQuestion, NoLog> {
    question(&cause(told), Ask::default())
}

#[test]
fn an_integration_and_a_function_called_by_its_arn_are_asked_alike() {
    let message =
        json!({"errorType": "E", "errorMessage": format!("RequestId: {ID} Error: Task timed out after 3.00 seconds")}).to_string();
    let mut integration = history("Orders");
    integration
        .enter_task("Charge", json!({}))
        .scheduled_with(json!({"FunctionName": "arn:aws:lambda:eu-west-1:123456789012:function:charge"}));
    integration.started().after(seconds(3)).failed("Sandbox.Timedout", Some(&message)).execution_failed();
    let mut direct = history("Orders");
    direct.enter_task("Charge", json!({})).calls_function("charge").attempt_failed("Sandbox.Timedout", Some(&message)).execution_failed();
    for told in [integration, direct] {
        let question = asked(&told).expect("a question");
        assert_eq!((question.group.as_str(), question.search), ("/aws/lambda/charge", Search::Request(ID.to_owned())));
        assert!(question.region.is_some() && question.is_answered);
    }
}

#[test]
fn the_window_reaches_from_before_the_attempt_to_after_it() {
    let mut told = history("Orders");
    told.enter_task("Charge", json!({})).attempt_failed("First", None).after(seconds(60)).scheduled();
    let scheduled = told.now();
    told.started().after(seconds(2)).failed("Second", None).execution_failed();
    let question = asked(&told).expect("a question");
    assert_eq!((question.scheduled, question.attempt), (scheduled, Some(2)));
    assert_eq!(question.from, scheduled.checked_sub(jiff::SignedDuration::from_secs(1)).expect("a moment"));
    assert_eq!(question.until, told.now().checked_add(jiff::SignedDuration::from_mins(1)).expect("a moment"));
}

#[test]
fn ids_and_words_that_would_change_a_filter_are_not_used() {
    let asked_with = |id: &str, message: &str| {
        let mut told = history("Orders");
        let cause = json!({"errorType": "E", "errorMessage": message, "requestId": id}).to_string();
        told.enter_task("Charge", json!({})).attempt_failed("E", Some(&cause)).execution_failed();
        asked(&told).expect("a question").search
    };
    assert_eq!(asked_with("x\" ?\"y", "the card \"4242\" was declined"), Search::Invocations(Some("was declined".to_owned())));
    assert_eq!(asked_with("", "no"), Search::Invocations(None));
    let Search::Invocations(Some(long)) = asked_with("", &"é".repeat(500)) else { panic!("words") };
    assert_eq!(long.chars().count(), 60);
}

#[test]
fn a_task_whose_payloads_were_not_recorded_needs_its_group() {
    let mut told = history("Orders");
    told.enter_task("Charge", json!({})).scheduled_with(json!({})).started().failed("E", None).execution_failed();
    let cause = cause(&told);
    let unknown = question(&cause, Ask::default()).expect_err("no name");
    assert!(unknown.is_missing && unknown.text.contains("--log-group"), "{}", unknown.text);
    assert_eq!(question(&cause, Ask { log_group: Some("/x"), region: None }).expect("a group").group, "/x");
}

#[test]
fn a_child_that_was_not_read_is_the_next_to_ask() {
    let mut told = history("Orders");
    let child = history("Payments").arn();
    told.enter_task("Pay", json!({})).calls("states", "startExecution.sync:2").scheduled().started().submitted_child(&child);
    told.failed("States.TaskFailed", Some(&json!({"ExecutionArn": child.as_str(), "Status": "FAILED"}).to_string())).execution_failed();
    let refusal = asked(&told).expect_err("a child");
    assert!(refusal.text.contains(&format!("stepscope why {child} --logs")), "{}", refusal.text);
}

#[test]
fn an_invocation_of_which_only_the_report_was_read_began_as_long_before() {
    let mut told = history("Orders");
    told.enter_task("Charge", json!({})).scheduled();
    let scheduled = told.now();
    told.started().after(seconds(3)).failed("E", None).execution_failed();
    let question = asked(&told).expect("a question");
    let mut invocations = Invocations::default();
    let after = |milliseconds| scheduled.checked_add(jiff::SignedDuration::from_millis(milliseconds)).expect("a moment");
    invocations.take(after(3_010), "s", &report(ID, ""));
    invocations.take(after(-5_000), "s", &start(OTHER));
    let choice = choose(&invocations, &question).expect("one fits");
    assert_eq!((choice.invocation.id.as_str(), choice.fit, choice.invocation.started), (ID, 1, Some(after(10))));
}

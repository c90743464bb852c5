use super::*;
use crate::analysis::cause;
use crate::analysis::why::*;
use crate::model::path::{AttemptOutcome, VisitOutcome};
use crate::model::{EventId, ExecutionStatus, Timestamp};
use crate::render::columns;

const ARN: &str = "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-17";

fn at(seconds: f64) -> Timestamp {
    crate::model::time::from_epoch_seconds(1_767_225_600.0 + seconds).expect("a moment")
}

fn report(status: Option<ExecutionStatus>) -> WhyReport {
    let ended = status.is_some_and(|status| status != ExecutionStatus::Running);
    WhyReport {
        schema: SCHEMA,
        execution: ExecutionSummary {
            arn: Some(ARN.to_owned()),
            name: Some("run-17".to_owned()),
            state_machine: Some("arn:aws:states:eu-west-1:111111111111:stateMachine:Orders".to_owned()),
            status,
            start: Some(at(0.0)),
            stop: ended.then(|| at(184.2)),
            duration_ms: Some(184_200),
            redrive_count: 0,
            events: 57,
            origin: ARN.to_owned(),
            exec: ARN.to_owned(),
            store: None,
            has_definition: true,
            console_url: Some(format!(
                "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/{ARN}"
            )),
        },
        terminal: None,
        root_cause: None,
        handled: Vec::new(),
        route: Vec::new(),
        open: Vec::new(),
        incomplete: Vec::new(),
        advice: Vec::new(),
        next: vec![NextCommand {
            text: "every visit of the state, whole".to_owned(),
            command: format!("stepscope show {ARN} --state Charge"),
        }],
    }
}

fn finding(state: &str, kind: Kind, error: &str, cause: Option<&str>) -> Finding {
    Finding {
        state: Some(state.to_owned()),
        state_type: Some("Task"),
        scope: Vec::new(),
        entered_event_id: Some(EventId(38)),
        event_id: Some(EventId(41)),
        time: Some(at(183.9)),
        error: Some(error.to_owned()),
        cause: cause.map(str::to_owned),
        cause_json: cause.and_then(|cause| serde_json::from_str::<Box<serde_json::value::RawValue>>(cause).ok()),
        decoded: cause.map(|cause| cause::decode(Some(error), cause)),
        kind,
        basis: Basis::TaskChain,
        confidence: Confidence::Certain,
        of_state: Confidence::Certain,
        execution: Some(ARN.to_owned()),
        exec: None,
        child: None,
        map_run: None,
        via: Vec::new(),
        resource: Some("lambda:invoke".to_owned()),
        input: Some(
            r#"{"order":"o-17","amount":12.50,"items":[{"sku":"a-1","count":1},{"sku":"b-2","count":2}],"customer":{"id":7,"name":"Jo"}}"#
                .to_owned(),
        ),
        effective_input: None,
        attempts: vec![attempt(1, AttemptOutcome::Failed, error, 1200, None)],
        caught_by: None,
        logs: None,
        call: None,
    }
}

fn attempt(number: u32, outcome: AttemptOutcome, error: &str, duration: i64, wait: Option<i64>) -> AttemptReport {
    AttemptReport {
        number,
        redrive: 0,
        scheduled_event_id: Some(EventId(39)),
        event_id: Some(EventId(41)),
        outcome,
        error: (outcome != AttemptOutcome::Succeeded).then(|| error.to_owned()),
        cause: None,
        duration_ms: Some(duration),
        wait_before_ms: wait,
    }
}

fn step(state: &str, scope: &[&str], outcome: VisitOutcome) -> RouteStep {
    let scope = scope.iter().map(ToString::to_string).collect();
    RouteStep { state: Some(state.to_owned()), scope, entered_event_id: Some(EventId(2)), outcome, duration_ms: Some(5) }
}

fn route(states: &[&str]) -> Vec<RouteStep> {
    let (last, before) = states.split_last().expect("states");
    let mut steps: Vec<RouteStep> = before.iter().map(|state| step(state, &[], VisitOutcome::Succeeded)).collect();
    steps.push(step(last, &[], VisitOutcome::Failed));
    steps
}

fn ends_with(report: &mut WhyReport, cause: Finding) {
    report.terminal = Some(Terminal {
        state: cause.state.clone(),
        state_type: cause.state_type,
        scope: cause.scope.clone(),
        entered_event_id: cause.entered_event_id,
        event_id: cause.event_id,
        error: cause.error.clone(),
        cause: cause.cause.clone(),
    });
    report.root_cause = Some(cause);
}

fn open_visit(state: &str, waits_for: WaitsFor) -> OpenVisit {
    OpenVisit {
        state: Some(state.to_owned()),
        scope: Vec::new(),
        entered_event_id: Some(EventId(9)),
        since: Some(at(12.0)),
        age_ms: Some(0),
        waits_for,
        resource: None,
        child: None,
        timeout_seconds: None,
        heartbeat_seconds: None,
        failed_attempts: 0,
    }
}

fn advice(id: &str, text: &str, retry: &str) -> Advice {
    Advice {
        id: id.to_owned(),
        text: text.to_owned(),
        retry: retry.to_owned(),
        source: "AWS Step Functions Developer Guide, Handling errors".to_owned(),
    }
}

/// The text, after checking what holds for every page: no line is too wide but those to copy, and colours change nothing else.
fn page(report: &WhyReport) -> String {
    let write = |styles: &Styles, width: usize| {
        let mut out = Vec::new();
        text(report, styles, &Redactor::new(true), width, &mut out).expect("writing to memory");
        String::from_utf8(out).expect("text")
    };
    for columns in [80, 40] {
        for line in write(&Styles::plain(), columns).lines() {
            let copied = ["arn:", "https://", "stepscope ", "aws "].iter().any(|start| line.trim_start().starts_with(start));
            assert!(copied || columns::width(line) <= columns, "{} columns: {line}", columns::width(line));
            assert_eq!(line, line.trim_end(), "no space at the end of a line");
        }
    }
    let plain = write(&Styles::plain(), 80);
    let colored = write(&Styles::ansi(), 80);
    assert_eq!(without_colours(&colored), plain);
    plain
}

/// The text without its escape sequences.
fn without_colours(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("\u{1b}[") {
        out.push_str(&rest[..start]);
        let end = rest[start..].find('m').expect("a colour ends");
        rest = &rest[start + end + 1..];
    }
    out + rest
}

#[test]
fn a_function_that_threw() {
    let cause = r#"{"errorMessage":"card declined by issuer","errorType":"PaymentError","requestId":"5c1d0b6c-1111-2222-3333-444455556666","stackTrace":["  File \"/var/task/app.py\", line 9, in handler\n    charge(event)\n","  File \"/var/task/app.py\", line 31, in charge\n    raise PaymentError(answer[\"reason\"])\n"]}"#;
    let mut report = report(Some(ExecutionStatus::Failed));
    let mut cause = finding("Charge", Kind::TaskFailed, "PaymentError", Some(cause));
    cause.effective_input = Some(
        r#"{"FunctionName":"arn:aws:lambda:eu-west-1:111111111111:function:charge:live","Payload":{"order":"o-17","amount":12.50}}"#
            .to_owned(),
    );
    ends_with(&mut report, cause);
    report.route = route(&["Validate", "Reserve", "Charge"]);
    report.advice = vec![advice(
        "lambda-handler-threw",
        "Read the top frame of the stack and run the function with the input above: the same input fails again unless what it depends on has changed.",
        "depends",
    )];
    insta::assert_snapshot!(page(&report));
}

#[test]
fn a_catch_that_led_to_a_fail_state() {
    let mut report = report(Some(ExecutionStatus::Failed));
    let mut cause = finding(
        "Reserve",
        Kind::TaskFailed,
        "DynamoDB.ConditionalCheckFailedException",
        Some(
            "The conditional request failed (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ConditionalCheckFailedException; Request ID: 7QF0Q; Proxy: null)",
        ),
    );
    cause.caught_by = Some("Release order".to_owned());
    cause.resource = Some("dynamodb:updateItem".to_owned());
    report.root_cause = Some(cause);
    report.terminal = Some(Terminal {
        state: Some("Order failed".to_owned()),
        state_type: Some("Fail"),
        scope: Vec::new(),
        entered_event_id: Some(EventId(55)),
        event_id: Some(EventId(55)),
        error: Some("OrderFailed".to_owned()),
        cause: Some("The order could not be fulfilled; see the ticket.".to_owned()),
    });
    report.route = route(&["Validate", "Reserve", "Release order", "Order failed"]);
    report.route[1].outcome = VisitOutcome::Caught;
    insta::assert_snapshot!(page(&report));
}

#[test]
fn a_child_that_was_read() {
    let mut report = report(Some(ExecutionStatus::Failed));
    let mut cause = finding("Pack", Kind::TaskTimedOut, "States.Timeout", None);
    cause.execution = Some("arn:aws:states:eu-west-1:111111111111:execution:Warehouse:9f0c1c2e-1111-2222-3333-444455556666".to_owned());
    cause.via = vec![ParentState {
        execution: Some(ARN.to_owned()),
        state: Some("Run warehouse".to_owned()),
        scope: vec!["Fulfil[2]".to_owned()],
        entered_event_id: Some(EventId(20)),
        event_id: Some(EventId(24)),
        error: Some("States.TaskFailed".to_owned()),
    }];
    report.terminal = Some(Terminal {
        state: Some("Run warehouse".to_owned()),
        state_type: Some("Task"),
        scope: vec!["Fulfil[2]".to_owned()],
        entered_event_id: Some(EventId(20)),
        event_id: Some(EventId(24)),
        error: Some("States.TaskFailed".to_owned()),
        cause: None,
    });
    report.root_cause = Some(cause);
    report.route = vec![
        step("Validate", &[], VisitOutcome::Succeeded),
        step("Fulfil", &[], VisitOutcome::Failed),
        step("Pick", &["Fulfil[2]"], VisitOutcome::Succeeded),
        step("Run warehouse", &["Fulfil[2]"], VisitOutcome::Failed),
    ];
    insta::assert_snapshot!(page(&report));
}

#[test]
fn a_child_that_only_the_cause_quotes() {
    let leaf = r#"{\"errorMessage\":\"no stock of b-2\",\"errorType\":\"StockError\"}"#;
    let cause = format!(
        r#"{{"Cause":"{leaf}","Error":"StockError","ExecutionArn":"arn:aws:states:eu-west-1:111111111111:execution:Warehouse:w-9","Input":"{{}}","Name":"w-9","Status":"FAILED"}}"#
    );
    let mut report = report(Some(ExecutionStatus::Failed));
    let mut cause = finding("Run warehouse", Kind::TaskFailed, "States.TaskFailed", Some(&cause));
    cause.resource = Some("states:startExecution.sync:2".to_owned());
    ends_with(&mut report, cause);
    report.incomplete = vec![Incomplete { id: "child_not_read", text: "the child execution arn:aws:states:eu-west-1:111111111111:execution:Warehouse:w-9 was not read; its failure is known from the cause alone".to_owned() }];
    insta::assert_snapshot!(page(&report));
}

#[test]
fn a_cause_that_names_the_state() {
    let mut report = report(Some(ExecutionStatus::Failed));
    let text = r#"An error occurred while executing the state 'Quote' (entered at the event id #38). The JSONPath '$.customer.address.zip' specified for the field 'zip.$' could not be found in the input '{"order":"o-17","customer":{"id":7}}'"#;
    let mut cause = finding("Quote", Kind::Runtime, "States.Runtime", Some(text));
    cause.attempts = Vec::new();
    cause.state_type = Some("Pass");
    cause.resource = None;
    cause.basis = Basis::CauseText;
    ends_with(&mut report, cause);
    report.route = route(&["Validate", "Quote"]);
    insta::assert_snapshot!(page(&report));
}

#[test]
fn a_heartbeat_that_stopped() {
    let mut report = report(Some(ExecutionStatus::Failed));
    let mut cause = finding("Wait for approval of the regional manager", Kind::HeartbeatTimedOut, "States.Timeout", None);
    cause.resource = Some("sqs:sendMessage.waitForTaskToken".to_owned());
    cause.effective_input = Some(r#"{"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/111111111111/approvals","MessageBody":{"TaskToken":"AQCEAAAAKgAAAAMAAAAAAAAAAXoJmGZ/Uu0b+1aG3T5Jk2vWm0Yf8RrXcQ4hLq7nPz9sD6tE==","order":"o-17"}}"#.to_owned());
    cause.attempts[0].outcome = AttemptOutcome::TimedOut;
    ends_with(&mut report, cause);
    insta::assert_snapshot!(page(&report));
}

#[test]
fn an_iteration_with_retries() {
    let mut report = report(Some(ExecutionStatus::Failed));
    report.execution.redrive_count = 1;
    let mut cause = finding(
        "Charge",
        Kind::TaskFailed,
        "Lambda.TooManyRequestsException",
        Some("Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException; Request ID: r-9; Proxy: null)"),
    );
    cause.scope = vec!["Orders[12]".to_owned(), "Lines[3]".to_owned()];
    let rate = "Rate Exceeded. (Service: AWSLambda; Status Code: 429; Request ID: r-1)";
    cause.attempts = (1..=11)
        .map(|number| {
            attempt(number, AttemptOutcome::Failed, "Lambda.TooManyRequestsException", 112, (number > 1).then(|| 1000 << (number - 1)))
        })
        .collect();
    for attempt in &mut cause.attempts {
        attempt.cause = Some(rate.to_owned());
    }
    cause.attempts[1].outcome = AttemptOutcome::TimedOut;
    cause.attempts[1].error = Some("States.Timeout".to_owned());
    cause.attempts[1].cause = None;
    ends_with(&mut report, cause);
    report.route = vec![step("Load", &[], VisitOutcome::Succeeded), step("Orders", &[], VisitOutcome::Failed)];
    for _ in 0..40 {
        report.route.push(step("Check", &["Orders[12]"], VisitOutcome::Succeeded));
        report.route.push(step("Wait a little", &["Orders[12]"], VisitOutcome::Succeeded));
    }
    report.route.push(step("Lines", &["Orders[12]"], VisitOutcome::Failed));
    report.route.push(step("Charge", &["Orders[12]", "Lines[3]"], VisitOutcome::Failed));
    let mut cured = finding("Load", Kind::TaskFailed, "Lambda.ServiceException", None);
    cured.attempts = vec![
        attempt(1, AttemptOutcome::Failed, "Lambda.ServiceException", 5, None),
        attempt(2, AttemptOutcome::Succeeded, "", 5, Some(2000)),
    ];
    let mut caught = finding("Notify", Kind::TaskFailed, "States.Timeout", None);
    caught.caught_by = Some("Skip".to_owned());
    report.handled = vec![cured, caught.clone(), caught];
    insta::assert_snapshot!(page(&report));
}

#[test]
fn a_callback_that_is_waited_for() {
    let mut report = report(Some(ExecutionStatus::Running));
    let mut callback = open_visit("Wait for approval", WaitsFor::Callback);
    callback.resource = Some("sqs:sendMessage.waitForTaskToken".to_owned());
    let mut child = open_visit("Run warehouse", WaitsFor::ChildExecution);
    child.scope = vec!["Fulfil[2]".to_owned()];
    child.child = Some("arn:aws:states:eu-west-1:111111111111:execution:Warehouse:w-9".to_owned());
    child.timeout_seconds = Some(3600);
    child.failed_attempts = 2;
    child.age_ms = Some(61_000);
    report.open = vec![callback, child];
    report.route = route(&["Validate", "Wait for approval"]);
    insta::assert_snapshot!(page(&report));
}

#[test]
fn a_success_that_swallowed_failures() {
    let mut report = report(Some(ExecutionStatus::Succeeded));
    let mut caught = finding(
        "Notify customer",
        Kind::TaskFailed,
        "SNS.NotFoundException",
        Some("Topic does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: r-2; Proxy: null)"),
    );
    caught.caught_by = Some("Done".to_owned());
    report.handled = vec![caught];
    insta::assert_snapshot!(page(&report));
}

#[test]
fn a_success_without_a_word() {
    let mut report = report(Some(ExecutionStatus::Succeeded));
    report.next = Vec::new();
    report.execution.console_url = None;
    insta::assert_snapshot!(page(&report));
}

#[test]
fn an_execution_that_was_stopped() {
    let mut report = report(Some(ExecutionStatus::Aborted));
    let mut cause = finding("Wait for approval", Kind::Aborted, "Operator", Some("wrong input, start again with order o-18"));
    cause.basis = Basis::ExecutionEvent;
    cause.confidence = Confidence::Likely;
    cause.state = None;
    cause.state_type = None;
    cause.resource = None;
    cause.attempts = Vec::new();
    cause.entered_event_id = None;
    cause.input = None;
    ends_with(&mut report, cause);
    let mut open = open_visit("Wait for approval", WaitsFor::Callback);
    open.age_ms = Some(172_000);
    report.open = vec![open];
    insta::assert_snapshot!(page(&report));
}

#[test]
fn an_execution_that_ran_out_of_time() {
    let mut report = report(Some(ExecutionStatus::TimedOut));
    report.execution.stop = Some(at(90_000.0));
    report.execution.duration_ms = Some(90_000_000);
    let mut cause = finding("Poll", Kind::ExecutionTimedOut, "States.Timeout", None);
    cause.basis = Basis::NearestVisit;
    cause.confidence = Confidence::Guess;
    cause.time = Some(at(90_000.0));
    cause.attempts = Vec::new();
    ends_with(&mut report, cause);
    insta::assert_snapshot!(page(&report));
}

#[test]
fn a_damaged_history_without_a_header() {
    let mut report = report(None);
    report.execution = ExecutionSummary {
        arn: None,
        name: None,
        state_machine: None,
        status: Some(ExecutionStatus::Failed),
        start: None,
        stop: None,
        duration_ms: None,
        redrive_count: 0,
        events: 12,
        origin: "incident/2026-01-01/histories/page-2-of-7.json".to_owned(),
        exec: "incident/2026-01-01/histories/page-2-of-7.json".to_owned(),
        store: None,
        has_definition: false,
        console_url: None,
    };
    let mut cause = finding("Charge", Kind::TaskFailed, "States.TaskFailed", None);
    cause.error = None;
    cause.decoded = None;
    cause.time = None;
    cause.input = None;
    cause.basis = Basis::NearestVisit;
    cause.confidence = Confidence::Guess;
    cause.attempts = Vec::new();
    ends_with(&mut report, cause);
    report.incomplete = vec![
        Incomplete { id: "missing_events", text: "the events 13 to 998 are not there; was only one page saved?".to_owned() },
        Incomplete { id: "payloads_left_out", text: "the history was recorded without payloads".to_owned() },
    ];
    insta::assert_snapshot!(page(&report));
}

#[test]
fn hostile_payloads() {
    let mut report = report(Some(ExecutionStatus::Failed));
    report.execution.name = Some("run\u{1b}[2J\u{202e}17".to_owned());
    let long = "x".repeat(300);
    let cause = format!(
        "\u{1b}]0;owned\u{7}{long} 状态状态状态状态状态状态状态状态状态状态状态状态状态状态状态状态状态状态状态状态状态状态\r\nAuthorization: Bearer abcDEF123\npassword=hunter2 {}",
        "line\n".repeat(40)
    );
    let mut cause = finding("Ch\u{1b}[31marge\n状态", Kind::TaskFailed, "Err\u{9b}31m\u{200b}", Some(&cause));
    cause.input = Some(format!(
        r#"{{"apiKey":"k-1","note":"{long}","body":"{{\"password\":\"hunter2\"}}","wide":"{}","deep":{}1{}}}"#,
        "状态".repeat(60),
        "[".repeat(60),
        "]".repeat(60)
    ));
    cause.effective_input = Some("not JSON \u{1b}[1m AKIAIOSFODNN7EXAMPLE".to_owned());
    cause.resource = Some("arn:aws:lambda:eu-west-1:111111111111:function:\u{1b}charge".to_owned());
    cause.caught_by = Some("\u{7}Bell".to_owned());
    ends_with(&mut report, cause);
    report.next[0].command = "stepscope show x --state 'Ch\u{1b}[31marge'".to_owned();
    let page = page(&report);
    assert!(!page.contains("hunter2") && !page.contains("AKIAIOSFODNN7EXAMPLE") && !page.contains('\u{1b}'));
    insta::assert_snapshot!(page);
}

fn several() -> Vec<WhyReport> {
    let mut failed = report(Some(ExecutionStatus::Failed));
    ends_with(&mut failed, finding("Charge", Kind::TaskFailed, "Lambda.TooManyRequestsException", None));
    let mut again = failed.clone();
    again.execution.name = Some("run-18-with-a-long-name-that-somebody-chose-in-a-hurry".to_owned());
    let mut stopped = report(Some(ExecutionStatus::Aborted));
    let mut cause = finding("Wait for approval of the regional manager", Kind::Aborted, "", None);
    cause.error = None;
    cause.confidence = Confidence::Guess;
    ends_with(&mut stopped, cause);
    stopped.incomplete = vec![Incomplete { id: "more_pages", text: "the last page read names a next one".to_owned() }];
    let mut running = report(Some(ExecutionStatus::Running));
    running.open = vec![open_visit("状态状态", WaitsFor::Callback)];
    let mut swallowed = report(Some(ExecutionStatus::Succeeded));
    swallowed.handled = vec![finding("Notify", Kind::TaskFailed, "E", None)];
    vec![failed, again, stopped, running, swallowed, report(Some(ExecutionStatus::Succeeded)), report(None)]
}

#[test]
fn several_executions_have_one_line_each() {
    let reports = several();
    let reports: Vec<&WhyReport> = reports.iter().collect();
    let write = |styles: &Styles| {
        let mut out = Vec::new();
        summary(&reports, styles, &Redactor::new(true), 80, &mut out).expect("writing to memory");
        String::from_utf8(out).expect("text")
    };
    let plain = write(&Styles::plain());
    assert!(plain.lines().all(|line| columns::width(line) <= 80));
    assert_eq!(without_colours(&write(&Styles::ansi())), plain);
    insta::assert_snapshot!(plain);
}

#[test]
fn json_begins_with_its_schema_and_is_masked() {
    let mut report = report(Some(ExecutionStatus::Failed));
    let mut cause = finding("Charge", Kind::TaskFailed, "E", Some("{\n  \"password\": \"hunter2\"\n}"));
    cause.input = Some("{\"password\":\"hunter2\",\"note\":\"\u{202e}\"}".to_owned());
    ends_with(&mut report, cause);
    let mut out = Vec::new();
    json(&report, &Redactor::new(true), &mut out).expect("writing to memory");
    let pretty = String::from_utf8(out).expect("text");
    assert!(pretty.starts_with("{\n  \"schema\": \"stepscope.why/1\","));
    assert!(!pretty.contains("hunter2") && !pretty.contains('\u{202e}'));

    let mut out = Vec::new();
    json_line(&report, &Redactor::new(true), &mut out).expect("writing to memory");
    let line = String::from_utf8(out).expect("text");
    assert_eq!(line.lines().count(), 1);
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    assert_eq!(parse(&line), parse(&pretty));
    assert_eq!(parse(&line)["root_cause"]["cause_json"]["password"], "****");
    let input = parse(&line)["root_cause"]["input"].as_str().expect("text").to_owned();
    assert_eq!(parse(&input)["note"], "\u{202e}");
}

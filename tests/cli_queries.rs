//! `queries` as its user runs it: lists, texts, and answers of a moto server and of an endpoint that plays Logs Insights.

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::fake_endpoint::{FakeEndpoint, Reply, Request};
use common::moto::moto;
use common::program::{Run, argument, program, stepscope, stepscope_reading};
use common::{ACCOUNT, LOOPBACK_ENVIRONMENT, REGION, block_on};
use serde_json::{Value, json};

const GROUP: &str = "/aws/vendedlogs/states/Orders-Logs";

fn machine_arn() -> String {
    format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Orders")
}

/// The machine Orders as the API describes it, with this logging.
fn described(level: &str, account_of_group: &str) -> Value {
    let group = format!("arn:aws:logs:{REGION}:{account_of_group}:log-group:{GROUP}:*");
    json!({"stateMachineArn": machine_arn(), "name": "Orders", "definition": "{}", "roleArn": "arn:aws:iam::123456789012:role/r",
        "type": "EXPRESS", "creationDate": 1.0, "status": "ACTIVE",
        "loggingConfiguration": {"level": level, "includeExecutionData": false,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]}})
}

fn machines() -> Value {
    let item = json!({"stateMachineArn": machine_arn(), "name": "Orders", "type": "EXPRESS", "creationDate": 1.0});
    json!({"stateMachines": [item]})
}

fn row(fields: &[(&str, &str)]) -> Value {
    Value::Array(fields.iter().map(|(field, value)| json!({"field": field, "value": value})).collect())
}

/// An endpoint with a machine that logs at this level, whose queries find these rows.
fn insights(level: &'static str, rows: Vec<Value>) -> FakeEndpoint {
    FakeEndpoint::start(move |request| answer(request, level, ACCOUNT, &rows))
}

fn answer(request: &Request, level: &str, account_of_group: &str, rows: &[Value]) -> Reply {
    Reply::Json(match request.action.as_str() {
        "ListStateMachines" => machines(),
        "DescribeStateMachine" => described(level, account_of_group),
        "StartQuery" => json!({"queryId": "query-1"}),
        // The first answer is not the last.
        "GetQueryResults" if request.earlier == 0 => json!({"status": "Running", "results": [], "statistics": {}}),
        "GetQueryResults" => json!({"status": "Complete", "results": rows,
            "statistics": {"bytesScanned": 4_000_000_000.0, "recordsScanned": 12_345.0, "recordsMatched": 7.0}}),
        "StopQuery" => json!({"success": true}),
        _ => return Reply::Error("UnknownOperationException", "not here"),
    })
}

fn asking(endpoint: &FakeEndpoint, arguments: &[&str]) -> Run {
    Run::of(program().args(["queries", "run"]).args(arguments).args(["--endpoint-url", endpoint.url(), "--region", REGION]))
}

fn errors() -> Vec<Value> {
    let example = format!("arn:aws:states:{REGION}:{ACCOUNT}:express:Orders:run-1:0001");
    vec![
        row(&[
            ("how", "ExecutionFailed"),
            ("error", "CardDeclined"),
            ("executions", "12"),
            ("first", "2026-11-20 08:00:00.250"),
            ("last", "1795161600250"),
            ("example", &example),
            ("@ptr", "CmEK"),
        ]),
        row(&[
            ("how", "ExecutionAborted"),
            ("executions", "1"),
            ("first", "1795161600250"),
            ("last", "1795161600250"),
            ("example", &example),
        ]),
    ]
}

#[test]
fn the_list_has_every_query_with_its_question() {
    let list = stepscope(["queries", "list"]).succeeds();
    assert!(list.out.lines().all(|line| line.chars().count() <= 80), "{}", list.out);
    let document = stepscope(["queries", "list", "--output", "json"]).succeeds().json();
    let queries = document["queries"].as_array().expect("a list");
    assert_eq!((document["schema"].as_str(), queries.len()), (Some("stepscope.queries/1"), 18));
    for query in queries {
        assert!(list.out.contains(query["name"].as_str().expect("a name")));
    }
    assert_eq!(stepscope(["queries", "list", "--output", "csv"]).ends_with(2).out, "");
}

#[test]
fn a_text_is_ready_to_be_pasted() {
    let shown = stepscope(["queries", "show", "throttles", "--set", "bin=15m", "--state-machine", "Orders"]).succeeds().out;
    assert!(shown.starts_with("# Which calls are throttled, and when?\n#\n") && shown.contains("by bin(15m) as at"), "{shown}");
    assert!(shown.contains("\nfilter execution_arn like /:(execution|express):Orders[:\\/]/\n| filter type"), "{shown}");
    let document = stepscope(["queries", "show", "throttles", "--output", "json"]).succeeds().json();
    assert_eq!(document["parameters"], json!([{"name": "bin", "meaning": "the time of a row", "default": "5m"}]));
    assert_eq!(document["level"], "ERROR");
    assert!(document["text"].as_str().expect("a text").contains("bin(5m)"));
}

#[test]
fn what_can_not_be_shown_or_asked_is_wrong_usage() {
    let folder = tempfile::tempdir().expect("a folder");
    let only_words = folder.path().join("only.query");
    std::fs::write(&only_words, "# Nothing?\n").expect("written");
    for (arguments, told) in [
        (vec!["show", "throtles"], "did you mean `throttles`?"),
        (vec!["show", "execution"], "the query needs `execution` (the execution's ARN)"),
        (vec!["show", "throttles", "--set", "bim=1m"], "it has bin"),
        (vec!["show", "execution", "--set", "execution=a\" or \"b"], "double quote"),
        (vec!["show", argument(&only_words)], "only comments"),
        (vec!["run", "errors"], "with --state-machine NAME, or the log group with --log-group NAME"),
        (vec!["run", "errors", "--log-group", "g", "--since", "yesterday"], "is no time"),
        (vec!["run", "errors", "--log-group", "g", "--since", "1h", "--until", "2h"], "nothing lies between --since 1h and --until 2h"),
        (vec!["run", "errors", "--log-group", "g", "--limit", "0"], "--limit"),
    ] {
        stepscope([&["queries"], &arguments[..]].concat()).ends_with(2).says(&[told]);
    }
    stepscope(["queries", "show", "./nothing.query"]).ends_with(1).says(&["failed to open the query `./nothing.query`"]);
}

#[test]
fn rows_of_the_machines_group_as_a_table() {
    let endpoint = insights("ALL", errors());
    let run =
        asking(&endpoint, &["errors", "--state-machine", "Orders", "--since", "2026-11-20T07:00:00Z", "--until", "2026-11-20T09:00:00Z"]);
    let run = run.ends_with(0);
    insta::assert_snapshot!(run.out, @r"
    how               error         executions  first                    last                     example
    ExecutionFailed   CardDeclined          12  2026-11-20T08:00:00.25Z  2026-11-20T08:00:00.25Z  arn:aws:states:eu-west-1:123456789012:express:Orders:run-1:0001
    ExecutionAborted                         1  2026-11-20T08:00:00.25Z  2026-11-20T08:00:00.25Z  arn:aws:states:eu-west-1:123456789012:express:Orders:run-1:0001
    (2 rows)
    ");
    run.says(&[
        "2 rows in /aws/vendedlogs/states/Orders-Logs from 2026-11-20 07:00:00 to 2026-11-20 09:00:00 UTC",
        "4.00 GB scanned (12345 records, about $0.02)",
    ]);
    assert_eq!((endpoint.asked("GetQueryResults"), endpoint.asked("StopQuery")), (2, 0));
}

#[test]
fn rows_as_json_and_csv_are_numbers_and_moments_where_the_query_says_so() {
    let endpoint = insights("ALL", errors());
    let ask = |format: &str| asking(&endpoint, &["errors", "--state-machine", &machine_arn(), "--output", format, "--quiet"]).succeeds();
    let document = ask("json").json();
    let fields = [&document["schema"], &document["query"], &document["state_machine"], &document["log_groups"], &document["is_full"]];
    assert_eq!(fields, [&json!("stepscope.queries.run/1"), &json!("errors"), &json!(machine_arn()), &json!([GROUP]), &json!(false)]);
    assert_eq!(document["columns"], json!(["how", "error", "executions", "first", "last", "example"]));
    let first = &document["rows"][0];
    assert_eq!((&first["executions"], &first["last"]), (&json!(12), &json!("2026-11-20T08:00:00.25Z")));
    assert_eq!(document["rows"][1]["error"], Value::Null);
    assert_eq!((&document["scanned"]["bytes"], &document["scanned"]["records"]), (&json!(4_000_000_000_u64), &json!(12_345)));
    assert_eq!(ask("jsonl").json_lines().len(), 2);
    let csv = ask("csv").out;
    assert!(csv.starts_with("how,error,executions,first,last,example\nExecutionFailed,CardDeclined,12,2026-11-20T08:00:00.25Z,"), "{csv}");
    assert!(csv.contains("\nExecutionAborted,,1,"), "{csv}");
}

#[test]
fn what_the_service_is_asked() {
    let endpoint = FakeEndpoint::start(|request| {
        if request.action == "StartQuery" {
            assert_eq!(request.body["logGroupNames"], json!([GROUP]));
            assert_eq!((&request.body["startTime"], &request.body["endTime"]), (&json!(1_795_161_600), &json!(1_795_165_200)));
            assert_eq!(request.body["limit"], 7);
            let text = request.body["queryString"].as_str().expect("a text");
            assert!(text.starts_with("filter execution_arn like /:(execution|express):Orders[:\\/]/\n| filter type in"), "{text}");
            assert!(!text.contains('#'), "the head is for people: {text}");
        }
        answer(request, "ALL", ACCOUNT, &errors())
    });
    let window = ["--since", "2026-11-20T08:00:00Z", "--until", "2026-11-20T09:00:00Z", "--limit", "7"];
    asking(&endpoint, &[&["errors", "--state-machine", "Orders"][..], &window].concat()).ends_with(0);
    assert_eq!(endpoint.asked("StartQuery"), 1);
}

#[test]
fn as_many_rows_as_were_wanted_may_not_be_all() {
    let endpoint = insights("ALL", errors());
    asking(&endpoint, &["errors", "--log-group", GROUP, "--limit", "2"]).ends_with(0).says(&["with --limit there may be more"]);
    assert_eq!(endpoint.asked("DescribeStateMachine"), 0, "the group was named");
}

#[test]
fn no_row_matches_nothing() {
    let endpoint = insights("ALL", Vec::new());
    let run = asking(&endpoint, &["errors", "--state-machine", "Orders"]).ends_with(4).says(&["no rows in /aws/vendedlogs"]);
    assert_eq!(run.out, "");
}

#[test]
fn a_machine_that_logs_nothing_is_told_with_the_way_out() {
    let endpoint = insights("OFF", Vec::new());
    let words = ["Orders logs nothing", "aws stepfunctions update-state-machine", r#""level":"ALL""#, GROUP, "logs:CreateLogDelivery"];
    asking(&endpoint, &["errors", "--state-machine", "Orders"]).ends_with(1).says(&words);
    assert_eq!(endpoint.asked("StartQuery"), 0);
}

#[test]
fn a_level_that_is_too_low_is_said_and_the_query_asked_all_the_same() {
    let endpoint = insights("ERROR", Vec::new());
    let needs = "the state machine logs at level ERROR, and this query needs ALL";
    asking(&endpoint, &["slowest-states", "--state-machine", "Orders"]).ends_with(4).says(&[needs]);
    let fits = asking(&endpoint, &["timeouts", "--state-machine", "Orders"]).ends_with(4);
    assert!(!fits.words.contains("needs"), "{}", fits.words);
}

#[test]
fn a_group_of_another_account_is_asked_by_its_arn() {
    let endpoint = FakeEndpoint::start(|request| {
        if request.action == "StartQuery" {
            assert_eq!(request.body["logGroupIdentifiers"], json!([format!("arn:aws:logs:{REGION}:111111111111:log-group:{GROUP}")]));
        }
        answer(request, "ALL", "111111111111", &errors())
    });
    asking(&endpoint, &["errors", "--state-machine", "Orders"]).ends_with(0);
}

#[test]
fn what_the_service_refuses_is_said_in_words() {
    let endpoint = FakeEndpoint::start(|request| match request.action.as_str() {
        "StartQuery" => Reply::Error("MalformedQueryException", "unexpected symbol found"),
        _ => answer(request, "ALL", ACCOUNT, &[]),
    });
    let text = "filter type ==== 1";
    let refused = Run::of(
        program()
            .args(["queries", "run", "-", "--log-group", GROUP, "--region", REGION, "--endpoint-url", endpoint.url()])
            .write_stdin(text),
    );
    refused.ends_with(1).says(&["failed to ask", "does not understand the query", "unexpected symbol found"]);
    let denied = FakeEndpoint::start(|_| Reply::Error("AccessDeniedException", "no identity-based policy allows it"));
    asking(&denied, &["errors", "--log-group", GROUP]).ends_with(1).says(&["logs:StartQuery", "no identity-based policy allows it"]);
}

#[test]
fn secrets_and_control_characters_in_rows_are_masked() {
    let rows = vec![row(&[("@message", "{\"password\":\"hunter2hunter2\"}\u{1b}[2J")])];
    let endpoint = insights("ALL", rows);
    for format in ["text", "json", "jsonl", "csv"] {
        let run = stepscope_reading(
            ["queries", "run", "-", "--log-group", GROUP, "--region", REGION, "--endpoint-url", endpoint.url(), "--output", format],
            "fields @message",
        );
        let out = run.ends_with(0).out;
        assert!(!out.contains("hunter2"), "{format}: {out}");
        assert!(format == "csv" || !out.contains('\u{1b}'), "{format}: {out}");
    }
}

#[test]
fn an_interrupt_stops_the_query() {
    let endpoint = FakeEndpoint::start(|request| match request.action.as_str() {
        "GetQueryResults" => Reply::Json(json!({"status": "Running", "results": [], "statistics": {}})),
        _ => answer(request, "ALL", ACCOUNT, &[]),
    });
    let child = Command::new(env!("CARGO_BIN_EXE_stepscope"))
        .env_clear()
        .envs(LOOPBACK_ENVIRONMENT)
        .args(["queries", "run", "errors", "--log-group", GROUP, "--region", REGION, "--endpoint-url", endpoint.url()])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Asked twice: by then the handler of the signal is there.
    while endpoint.asked("GetQueryResults") < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), endpoint.asked("StopQuery")), (Some(130), 1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted; the query was stopped"));
}

#[test]
fn a_query_of_ones_own_on_a_server_that_keeps_logs() {
    let Some(moto) = moto() else { return };
    let group = "orders-logs";
    let now = jiff::Timestamp::now().as_millisecond();
    block_on(async {
        let config = aws_sdk_cloudwatchlogs::config::Builder::new()
            .behavior_version(aws_sdk_cloudwatchlogs::config::BehaviorVersion::latest())
            .region(aws_sdk_cloudwatchlogs::config::Region::new(REGION))
            .endpoint_url(moto.url())
            .credentials_provider(common::credentials());
        let client = aws_sdk_cloudwatchlogs::Client::from_conf(config.build());
        client.create_log_group().log_group_name(group).send().await.expect("a group");
        client.create_log_stream().log_group_name(group).log_stream_name("s").send().await.expect("a stream");
        let event = |at: i64, text: &str| {
            aws_sdk_cloudwatchlogs::types::InputLogEvent::builder().timestamp(at).message(text).build().expect("an event")
        };
        let put = client.put_log_events().log_group_name(group).log_stream_name("s");
        put.log_events(event(now - 60_000, "one")).log_events(event(now - 30_000, "two")).send().await.expect("taken");
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lines.query");
    std::fs::write(
        &file,
        "# Which lines?\n#\n# Parameters:\n#   {most} = 9  lines\nfields @timestamp,@message | sort @timestamp asc | limit {most}\n",
    )
    .expect("written");
    let ask = |more: &[&str]| {
        let arguments = ["queries", "run", argument(&file), "--log-group", group, "--region", REGION, "--endpoint-url", &moto.url()];
        Run::of(program().args(arguments).args(more)).ends_with(0)
    };
    let document = ask(&["--output", "json"]).json();
    assert_eq!((&document["question"], &document["columns"]), (&json!("Which lines?"), &json!(["@timestamp", "@message"])));
    let rows = document["rows"].as_array().expect("rows");
    assert_eq!(rows.iter().map(|row| &row["@message"]).collect::<Vec<_>>(), [&json!("one"), &json!("two")]);
    assert!(rows[0]["@timestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{rows:?}");
    assert_eq!(ask(&["--output", "jsonl", "--set", "most=1"]).json_lines().len(), 1);
}

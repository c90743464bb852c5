//! The program against an endpoint that fails: it says what it could learn and what it could not, and ends as documented.

mod common;

use assert_cmd::Command;
use common::REGION;
use common::fake_endpoint::{FakeEndpoint, Reply, Request, nobody};
use common::program::{Run, program};
use serde_json::{Value, json};
use stepscope::model::ExecutionArn;
use stepscope::model::History;
use stepscope::model::builder::history;
use stepscope::model::wire::{WireExecution, WireHistory};

/// The account of every history that the builder makes.
const ACCOUNT: &str = "111111111111";

const HISTORY: &str = "GetExecutionHistory";
const DESCRIBE: &str = "DescribeExecution";

fn arn(machine: &str, name: &str) -> String {
    format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:{machine}:{name}")
}

fn definition() -> Value {
    json!({"StartAt": "Check", "States": {"Check": {"Type": "Pass", "Next": "Charge"},
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}})
}

/// An execution whose task failed, as the API would tell it.
fn charged(name: &str) -> History {
    let mut told = history("Orders");
    told.named(name).in_region(REGION).definition(&definition()).pass("Check", json!({"order": 7}), json!({"order": 7}));
    told.enter_task("Charge", json!({"order": 7})).scheduled_with(json!({"FunctionName": "charge", "Payload": {"order": 7}}));
    told.started().failed("CardDeclined", Some("no money")).execution_failed().build()
}

/// As the API sends it: times in epoch seconds.
fn on_the_wire(value: &impl serde::Serialize) -> Value {
    let mut value = serde_json::to_value(value).expect("strings and numbers");
    times_in_seconds(&mut value);
    value
}

fn times_in_seconds(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(times_in_seconds),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().filter(|_| ["timestamp", "startDate", "stopDate"].contains(&name.as_str())) {
                    Some(text) => {
                        let time: jiff::Timestamp = text.parse().expect("ISO 8601");
                        *member = json!(time.as_duration().as_secs_f64());
                    }
                    None => times_in_seconds(member),
                }
            }
        }
        _ => {}
    }
}

/// Answers for these executions as the service does, two events a page.
fn answer(told: &[History], request: &Request) -> Reply {
    let asked = request.body["executionArn"].as_str().expect("each call names its execution");
    let name = asked.rsplit(':').next().expect("a name");
    let Some(found) = told.iter().find(|history| history.header.name.as_deref() == Some(name)) else {
        return Reply::Error("ExecutionDoesNotExist", "Execution Does Not Exist");
    };
    Reply::Json(match request.action.as_str() {
        DESCRIBE => on_the_wire(&WireExecution(found)),
        HISTORY => page(found, request.token()),
        _ => json!({"definition": definition().to_string(), "name": "Orders", "roleArn": "arn:aws:iam::123456789012:role/r",
            "stateMachineArn": format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Orders"), "updateDate": 1_767_225_600.0}),
    })
}

fn page(history: &History, token: Option<&str>) -> Value {
    const EVENTS: usize = 2;
    let mut whole = on_the_wire(&WireHistory(history));
    let events = whole["events"].as_array_mut().expect("events");
    let start = token.map_or(0, |token| token.parse().expect("a token of ours"));
    let mut page = json!({"events": events.iter().skip(start).take(EVENTS).collect::<Vec<_>>()});
    if start + EVENTS < events.len() {
        page["nextToken"] = json!((start + EVENTS).to_string());
    }
    page
}

/// The endpoint of one failed execution, `run-1`; `fault` may answer otherwise.
fn endpoint(fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> FakeEndpoint {
    endpoint_of(vec![charged("run-1")], fault)
}

fn endpoint_of(told: Vec<History>, fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> FakeEndpoint {
    FakeEndpoint::start(move |request| fault(request).unwrap_or_else(|| answer(&told, request)))
}

/// The program with the endpoint as an engine's user would name it.
fn asking(url: &str, arguments: &[&str]) -> Command {
    let mut command = program();
    command.args(arguments).args(["--endpoint-url", url]);
    command
}

fn why(endpoint: &FakeEndpoint) -> Run {
    Run::of(&mut asking(endpoint.url(), &["why", &arn("Orders", "run-1"), "--output", "json"]))
}

/// For what never answers: one short try.
fn why_in_a_hurry(endpoint: &FakeEndpoint, format: &str) -> Run {
    let arguments = ["why", &arn("Orders", "run-1"), "--output", format, "--cli-read-timeout", "2"];
    Run::of(asking(endpoint.url(), &arguments).env("AWS_MAX_ATTEMPTS", "1"))
}

/// The texts of `incomplete` that have this id.
fn missing(answer: &Value, id: &str) -> Vec<String> {
    let all = answer["incomplete"].as_array().expect("a list");
    all.iter().filter(|entry| entry["id"] == id).map(|entry| entry["text"].as_str().expect("a text").to_owned()).collect()
}

#[track_caller]
fn assert_charge_is_blamed(answer: &Value) {
    assert_eq!(answer["root_cause"]["state"], "Charge");
    assert_eq!(answer["root_cause"]["error"], "CardDeclined");
    assert_eq!(answer["terminal"]["state"], "Charge");
}

#[test]
fn throttling_on_every_second_call_costs_time_and_nothing_else() {
    let endpoint = endpoint(|request| (request.earlier % 2 == 0).then_some(Reply::Error("ThrottlingException", "Rate exceeded")));
    let answer = why(&endpoint).succeeds().json();
    assert_charge_is_blamed(&answer);
    assert_eq!(answer["incomplete"], json!([]));
    assert!(endpoint.asked(HISTORY) > 4, "{}", endpoint.asked(HISTORY));
}

#[test]
fn throttling_without_end_leaves_what_the_description_tells() {
    let endpoint = endpoint(|request| (request.action == HISTORY).then_some(Reply::Error("ThrottlingException", "Rate exceeded")));
    let arguments = ["why", &arn("Orders", "run-1"), "--output", "json"];
    let run = Run::of(asking(endpoint.url(), &arguments).env("AWS_MAX_ATTEMPTS", "2")).ends_with(1);
    assert_eq!(endpoint.asked(HISTORY), 2, "as often as the environment says");
    let answer = run.json();
    assert_eq!((&answer["execution"]["status"], &answer["terminal"]["error"]), (&json!("FAILED"), &json!("CardDeclined")));
    assert!(missing(&answer, "not_fetched")[0].contains("throttled"), "{answer}");
    run.says(&["the history was not read"]);
}

#[test]
fn a_page_that_never_comes_leaves_a_marked_partial_answer() {
    let endpoint = endpoint(|request| (request.token() == Some("4")).then_some(Reply::Hang));
    let run = why_in_a_hurry(&endpoint, "json").ends_with(1).says(&["run-1: the history after event 4 was not read"]);
    let answer = run.json();
    let root = &answer["root_cause"];
    // The page with the failure did not come: its error is the description's, and its state the last that is known.
    assert_eq!((&root["state"], &root["error"]), (&json!("Charge"), &json!("CardDeclined")));
    assert_eq!((&root["kind"], &root["confidence"]), (&json!("task_failed"), &json!("likely")));
    let told = missing(&answer, "not_fetched");
    assert!(told[0].contains("the history after event 4") && told[0].contains("gave no answer in time"), "{told:?}");
    let text = why_in_a_hurry(&endpoint, "text").ends_with(1);
    text.shows(&["FAILED", "event 4", "CardDeclined"]);
}

#[test]
fn a_token_that_expires_between_pages_begins_the_listing_anew() {
    let endpoint = endpoint(|request| {
        let refused = request.token() == Some("4") && request.earlier < 3;
        refused.then_some(Reply::Error("InvalidToken", "Invalid Token"))
    });
    let answer = why(&endpoint).succeeds().json();
    assert_charge_is_blamed(&answer);
}

#[test]
fn a_session_that_expires_between_pages_says_how_to_sign_in() {
    let endpoint = endpoint(|request| {
        let token = request.token().is_some();
        token.then_some(Reply::Error("ExpiredTokenException", "The security token included in the request is expired"))
    });
    let answer = why(&endpoint).ends_with(1).json();
    let told = missing(&answer, "not_fetched");
    assert!(told[0].contains("the history after event 2") && told[0].contains("aws sso login"), "{told:?}");
}

#[test]
fn a_description_without_the_permission_for_the_history_tells_its_part() {
    let endpoint = endpoint(|request| {
        (request.action == HISTORY).then_some(Reply::Error("AccessDeniedException", "User is not authorized to perform: states:…"))
    });
    let answer = why(&endpoint).ends_with(1).json();
    assert_eq!(answer["execution"]["status"], "FAILED");
    assert_eq!((&answer["terminal"]["error"], &answer["terminal"]["cause"]), (&json!("CardDeclined"), &json!("no money")));
    assert_eq!(answer["root_cause"]["state"], Value::Null);
    assert_eq!((&answer["root_cause"]["confidence"], &answer["root_cause"]["kind"]), (&json!("guess"), &json!("task_failed")));
    let told = missing(&answer, "not_fetched");
    assert!(told[0].contains("\"Action\": \"states:GetExecutionHistory\""), "{told:?}");
    let shown = Run::of(&mut asking(endpoint.url(), &["show", &arn("Orders", "run-1")])).ends_with(1);
    shown.shows(&["run-1", "FAILED"]).says(&["the history was not read"]);
}

#[test]
fn the_next_commands_ask_the_same_endpoint() {
    let endpoint = endpoint(|_| None);
    let answer = why(&endpoint).succeeds().json();
    let next = answer["next"].as_array().expect("commands");
    assert!(next.len() >= 3, "{next:?}");
    for command in next {
        let command = command["command"].as_str().expect("a command");
        assert!(command.ends_with(&format!(" --endpoint-url {}", endpoint.url())), "{command}");
    }
}

#[test]
fn an_endpoint_that_hangs_is_given_up_in_the_time_that_was_allowed() {
    let endpoint = endpoint(|_| Some(Reply::Hang));
    let run = why_in_a_hurry(&endpoint, "json").ends_with(1).says(&["gave no answer in time", endpoint.url(), "--endpoint-url"]);
    assert_eq!(run.out, "");
}

#[test]
fn an_address_where_nobody_listens_is_named() {
    let url = nobody();
    let arguments = ["why", &arn("Orders", "run-1"), "--cli-connect-timeout", "2"];
    Run::of(asking(&url, &arguments).env("AWS_MAX_ATTEMPTS", "1")).ends_with(1).says(&[&url, "cannot be reached"]);
}

#[test]
fn an_address_of_the_environment_is_used() {
    let endpoint = endpoint(|_| None);
    let mut command = program();
    command.args(["why", &arn("Orders", "run-1"), "--output", "json"]).env("AWS_ENDPOINT_URL", endpoint.url());
    assert_charge_is_blamed(&Run::of(&mut command).succeeds().json());
}

#[test]
fn no_credentials_at_all_fail_at_once_with_what_to_do() {
    let mut command = program();
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").args(["why", &arn("Orders", "run-1")]);
    let run = Run::of(&mut command).ends_with(1).says(&["no AWS credentials were found; sign in with `aws sso login`", "--profile NAME"]);
    assert_eq!((run.words.lines().count(), run.out.as_str()), (1, ""));
}

#[test]
fn an_express_execution_is_sent_to_its_logs_and_the_store_before_credentials_are_asked_for() {
    let mut command = program();
    let arn = "arn:aws:states:us-east-1:111111111111:express:Orders:run-1:7fa0cfbe-be28-4a20-9875-73c37f5dc39e";
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").args(["why", arn]);
    Run::of(&mut command).ends_with(1).says(&[
        "is Express",
        "`stepscope pull --logs --state-machine Orders --region us-east-1`",
        "a file of log records",
    ]);
}

#[test]
fn credentials_are_asked_for_only_when_something_is_read_from_the_api() {
    let mut command = program();
    command.env_remove("AWS_ACCESS_KEY_ID").env("AWS_MAX_ATTEMPTS", "no number").args(["why", "-"]);
    Run::of(command.write_stdin(on_the_wire(&WireHistory(&charged("run-1"))).to_string())).succeeds().shows(&["Charge"]);
}

#[test]
fn settings_of_the_environment_that_are_none_are_wrong_usage() {
    for (name, value) in [("AWS_MAX_ATTEMPTS", "0"), ("AWS_RETRY_MODE", "eager")] {
        let run = Run::of(asking(&nobody(), &["why", &arn("Orders", "run-1")]).env(name, value)).ends_with(2);
        run.says(&[name, value]);
    }
}

#[test]
fn one_of_several_that_cannot_be_read_does_not_keep_the_others() {
    let endpoint = endpoint_of(vec![charged("run-1"), charged("run-3")], |_| None);
    let names = ["run-1", "run-2", "run-3"].map(|name| arn("Orders", name));
    let arguments = ["why", &names[0], &names[1], &names[2], "--output", "jsonl"];
    let run = Run::of(&mut asking(endpoint.url(), &arguments)).ends_with(1);
    let read: Vec<_> = run.json_lines().iter().map(|answer| answer["execution"]["name"].clone()).collect();
    assert_eq!(read, ["run-1", "run-3"]);
    run.says(&["run-2", "the service does not know"]);
}

#[test]
fn an_execution_that_does_not_exist_is_one_line_on_stderr() {
    let endpoint = endpoint(|_| None);
    for verb in ["why", "show"] {
        let run = Run::of(&mut asking(endpoint.url(), &[verb, &arn("Orders", "run-9")])).ends_with(1);
        assert_eq!((run.words.lines().count(), run.out.as_str()), (1, ""), "{}", run.words);
        run.says(&["run-9", "the service does not know", "90 days"]);
    }
}

mod nested {
    use super::*;

    /// A parent whose task waited for a child that failed in `Charge`.
    fn parent() -> History {
        let child: ExecutionArn = arn("Orders", "child-1").parse().expect("an ARN");
        let cause =
            json!({"Error": "CardDeclined", "Cause": "no money", "ExecutionArn": child.as_str(), "Name": "child-1", "Status": "FAILED"});
        let mut told = history("Fulfilment");
        told.named("parent-1").in_region(REGION).enter_task("Pay", json!({})).calls("states", "startExecution.sync:2");
        told.scheduled_with(json!({"StateMachineArn": format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Orders")}));
        told.started().submitted_child(&child).failed("States.TaskFailed", Some(&cause.to_string())).execution_failed().build()
    }

    fn why_parent(endpoint: &FakeEndpoint) -> Run {
        Run::of(&mut asking(endpoint.url(), &["why", &arn("Fulfilment", "parent-1"), "--output", "json"]))
    }

    #[test]
    fn a_failed_child_is_fetched_when_its_parent_was() {
        let endpoint = endpoint_of(vec![parent(), charged("child-1")], |_| None);
        let answer = why_parent(&endpoint).succeeds().json();
        assert_eq!(answer["terminal"]["state"], "Pay");
        let root = &answer["root_cause"];
        assert_eq!((&root["state"], &root["error"]), (&json!("Charge"), &json!("CardDeclined")));
        assert_eq!(root["execution"], arn("Orders", "child-1"));
        assert_eq!(root["via"][0]["state"], "Pay");
        assert_eq!(missing(&answer, "child_not_read"), Vec::<String>::new());
    }

    #[test]
    fn a_child_that_may_not_be_read_is_named_and_its_parents_cause_is_the_answer() {
        let endpoint = endpoint_of(vec![parent(), charged("child-1")], |request| {
            let child = request.body["executionArn"].as_str().is_some_and(|arn| arn.ends_with("child-1"));
            child.then_some(Reply::Error("AccessDeniedException", "User is not authorized"))
        });
        let run = why_parent(&endpoint).ends_with(1).says(&["child-1", "may not call states:", "the answer is what its parent tells"]);
        let answer = run.json();
        assert_eq!(answer["root_cause"]["state"], "Pay");
        let told = missing(&answer, "child_not_read");
        assert!(told[0].contains(&arn("Orders", "child-1")) && told[0].contains("may not call states:"), "{told:?}");
    }

    #[test]
    fn a_parent_from_a_file_does_not_make_the_program_ask_for_its_child() {
        let endpoint = endpoint_of(vec![charged("child-1")], |_| None);
        let mut command = asking(endpoint.url(), &["why", "-", "--output", "json"]);
        let answer =
            Run::of(command.write_stdin(on_the_wire(&stepscope::model::wire::WireBundle(&parent())).to_string())).succeeds().json();
        assert_eq!(endpoint.asked(DESCRIBE), 0);
        assert_eq!(missing(&answer, "child_not_read").len(), 1);
    }
}

mod latest_failed {
    use super::*;

    fn listing(executions: Value) -> FakeEndpoint {
        FakeEndpoint::start(move |request| match request.action.as_str() {
            "ListStateMachines" => {
                Reply::Json(json!({"stateMachines": [{"name": "Orders", "type": "STANDARD", "creationDate": 1_767_225_600.0,
                "stateMachineArn": format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Orders")}]}))
            }
            "ListExecutions" if request.body["statusFilter"] == "FAILED" => Reply::Json(json!({"executions": executions})),
            "ListExecutions" => Reply::Json(json!({"executions": []})),
            _ => answer(&[charged("run-1")], request),
        })
    }

    fn latest(endpoint: &FakeEndpoint, machine: &str) -> Run {
        let arguments = ["why", "--state-machine", machine, "--latest-failed", "--region", REGION, "--output", "json"];
        Run::of(&mut asking(endpoint.url(), &arguments))
    }

    #[test]
    fn the_last_failure_of_a_machine_is_explained() {
        let endpoint = listing(json!([{"executionArn": arn("Orders", "run-1"), "name": "run-1", "status": "FAILED", "startDate": 1.0,
            "stopDate": 2.0, "stateMachineArn": format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Orders")}]));
        assert_charge_is_blamed(&latest(&endpoint, "Orders").succeeds().json());
    }

    #[test]
    fn a_machine_that_never_failed_matches_nothing() {
        let run = latest(&listing(json!([])), "Orders").ends_with(4).says(&["no failed execution of Orders"]);
        assert_eq!(run.out, "");
    }

    #[test]
    fn a_machine_that_does_not_exist_is_an_error_with_names_like_it() {
        latest(&listing(json!([])), "orders").ends_with(1).says(&["there is no state machine orders", "but there is Orders"]);
    }

    #[test]
    fn a_machine_needs_the_question_and_the_question_a_machine() {
        for arguments in [&["why", "--state-machine", "Orders"][..], &["why", "--latest-failed"], &["why", "x.json", "--latest-failed"]] {
            Run::of(program().args(arguments)).ends_with(2);
        }
    }
}

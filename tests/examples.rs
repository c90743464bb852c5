//! The examples do what their README says: every command of its table, and every test case, with the states that it visits.
#![allow(missing_docs)]

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

fn stepscope(arguments: &[&str]) -> Output {
    Command::cargo_bin("stepscope")
        .expect("the program is built")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .expect("the program runs")
}

/// What `run` says of an example.
struct Told(Value);

impl Told {
    fn status(&self) -> &str {
        self.0["outcome"]["status"].as_str().expect("a status")
    }

    fn error(&self) -> &str {
        self.0["outcome"]["error"].as_str().expect("an error")
    }

    fn output(&self) -> Value {
        serde_json::from_str(self.0["outcome"]["output"].as_str().expect("an output")).expect("JSON")
    }

    /// The names of the states, as they were entered.
    fn route(&self) -> Vec<&str> {
        self.events().filter_map(|event| event["stateEnteredEventDetails"]["name"].as_str()).collect()
    }

    fn count(&self, kind: &str) -> usize {
        self.events().filter(|event| event["type"] == kind).count()
    }

    fn events(&self) -> impl Iterator<Item = &Value> {
        self.0["history"].as_array().expect("a history").iter()
    }
}

fn told(arguments: &[&str]) -> Told {
    let output = stepscope(&[&["run"], arguments, &["--output", "json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Told(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn test_case(example: &str, case: &str) -> Told {
    let file = |name: &str| format!("examples/{example}/{name}");
    told(&[&file("definition.asl.json"), "--input", &file("input.json"), "--mocks", &file("mocks.json"), "--test-case", case])
}

#[test]
fn every_command_of_the_readme_runs_and_every_example_is_in_it() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/README.md")).expect("examples/README.md");
    let commands: Vec<&str> = readme.split('`').filter_map(|code| code.strip_prefix("stepscope run ")).collect();
    for command in &commands {
        let arguments: Vec<&str> = std::iter::once("run").chain(command.split_whitespace()).collect();
        let output = stepscope(&arguments);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty(), "{command} says nothing");
    }
    for folder in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).expect("a folder") {
        let folder = folder.expect("an entry");
        if folder.path().is_dir() {
            let name = folder.file_name().into_string().expect("a plain name");
            assert!(commands.iter().any(|command| command.contains(&format!("examples/{name}/"))), "{name} has no line in the README");
        }
    }
}

#[test]
fn an_order_is_paid_after_a_retry() {
    let run = test_case("order", "Paid");
    assert_eq!((run.status(), run.output()), ("SUCCEEDED", serde_json::json!({"receipt": "p-55"})));
    assert_eq!(run.route(), ["Check", "ReserveStock", "ScoreFraud", "Trustworthy?", "Charge", "Ship"]);
    assert_eq!((run.count("TaskScheduled"), run.count("TaskFailed")), (5, 1));
}

#[test]
fn an_order_that_cannot_be_paid_or_packed_tells_the_customer_and_fails_with_the_first_error() {
    for (case, error) in [("Declined", "Payment.Declined"), ("OutOfStock", "Stock.Empty")] {
        let run = test_case("order", case);
        assert_eq!((run.status(), run.error()), ("FAILED", error), "{case}");
        assert!(run.route().ends_with(&["TellCustomer", "Failed"]), "{case}: {:?}", run.route());
    }
    assert_eq!(test_case("order", "Suspicious").error(), "Order.Refused");
}

#[test]
fn a_saga_undoes_what_was_done_in_reverse_order() {
    let run = test_case("saga", "NoCar");
    assert_eq!(run.route(), ["BookFlight", "BookHotel", "BookCar", "CancelHotel", "CancelFlight", "NotBooked"]);
    assert_eq!((run.status(), run.error()), ("FAILED", "Cars.None"));
    assert_eq!(run.0["outcome"]["cause"], "the trip was not booked: no car in LIS");
    assert_eq!(run.count("TaskFailed"), 3, "the booking, and two tries of a cancellation");
    assert_eq!(test_case("saga", "NoHotel").route(), ["BookFlight", "BookHotel", "CancelFlight", "NotBooked"]);
    assert_eq!(test_case("saga", "Booked").output()["bookings"], serde_json::json!(["F1", "H1", "C1"]));
}

#[test]
fn an_approval_waits_for_its_token_within_heartbeat_and_timeout() {
    assert_eq!(test_case("approval", "Approved").output(), serde_json::json!({"paid": 1250}));
    assert_eq!(test_case("approval", "Refused").error(), "Expense.Refused");
    let dead = test_case("approval", "WorkerDied");
    assert_eq!((dead.status(), dead.count("TaskTimedOut"), dead.count("TaskSubmitted")), ("SUCCEEDED", 1, 3 - 1));
    let silent = test_case("approval", "NobodyAnswers");
    assert_eq!((silent.error(), silent.count("TaskTimedOut")), ("Expense.Unanswered", 1));
    assert_eq!(silent.route(), ["AskForApproval", "Escalate", "Unanswered"]);
}

#[test]
fn polling_ends_when_the_job_does_or_after_ten_rounds() {
    let run = test_case("polling", "DoneInThree");
    assert_eq!((run.status(), run.output()), ("SUCCEEDED", serde_json::json!({"id": "jr-1", "round": 3})));
    assert_eq!(run.count("WaitStateExited"), 3);
    assert_eq!(
        (test_case("polling", "NeverDone").error(), test_case("polling", "NeverDone").count("WaitStateExited")),
        ("Job.TooSlow", 10)
    );
    assert_eq!(test_case("polling", "Fails").0["outcome"]["cause"], "the job ended as FAILED");
}

#[test]
fn a_nested_failure_carries_the_child_and_why_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = folder.path().join("history.json");
    let arguments = |input: &'static str| {
        [
            "examples/nested/definition.asl.json",
            "--input",
            input,
            "--machine",
            "arn:aws:states:us-east-1:123456789012:stateMachine:invoice=examples/nested/invoice.asl.json",
        ]
    };
    let good = told(&arguments("examples/nested/input.json"));
    assert_eq!(good.output(), serde_json::json!([{"invoice": "c1/2026-11"}, {"invoice": "c2/2026-11"}]));
    let bad = told(&[&arguments("examples/nested/no-address.json")[..], &["--history", history.to_str().expect("a plain path")]].concat());
    assert_eq!((bad.status(), bad.error()), ("FAILED", "States.TaskFailed"));
    let why = stepscope(&["why", history.to_str().expect("a plain path")]);
    let text = String::from_utf8_lossy(&why.stdout);
    assert!(text.contains("Invoice.NoAddress") && text.contains("customer c3 has no address"), "{text}");
}

#[test]
fn a_folder_of_csv_is_added_up_in_batches_of_which_some_may_fail() {
    let example = |name: &str| format!("examples/distributed-csv/{name}");
    let run = told(&[&example("definition.asl.json"), "--input", &example("input.json"), "--s3", "orders=examples/distributed-csv/bucket"]);
    assert_eq!(run.status(), "SUCCEEDED");
    let refused = "order o-6 of S3://orders/incoming/2026-11-02.csv has the quantity three";
    assert_eq!(run.output(), serde_json::json!({"total": 62, "orders": 5, "refused": [refused]}));
    assert_eq!((run.count("MapRunStarted"), run.count("MapRunSucceeded"), run.route()), (1, 1, vec!["AddUpOrders"]));
}

//! Which executions a question sees, and what is said of the rest.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::cli::Cli;
use crate::model::ExecutionFacts;
use crate::model::facts::Needs;

/// Keeps what it sees.
#[derive(Default)]
struct Seen {
    taken: Vec<(String, u64)>,
    aside: Vec<String>,
    looks_aside: bool,
}

impl Question for Seen {
    fn needs(&self) -> Needs {
        Needs { visits: true, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        self.taken.push((facts.name.to_owned(), facts.events));
    }

    fn looks_aside(&self) -> bool {
        self.looks_aside
    }

    fn take_aside(&mut self, facts: &ExecutionFacts<'_>) {
        self.aside.push(facts.name.to_owned());
    }

    fn merge(&mut self, other: Self) {
        self.taken.extend(other.taken);
        self.aside.extend(other.aside);
    }
}

/// An execution of `machine` that started in this minute of the year; `length` of its events are there.
fn execution(machine: &str, name: &str, minute: u64, length: u64) -> Value {
    let time = |second: u64| format!("2026-01-01T{:02}:{:02}:{second:02}Z", minute / 60, minute % 60);
    let events: Vec<Value> = [
        json!({"type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}}),
        json!({"type": "PassStateEntered", "stateEnteredEventDetails": {"name": "A"}}),
        json!({"type": "PassStateExited", "stateExitedEventDetails": {"name": "A"}}),
        json!({"type": "ExecutionSucceeded", "executionSucceededEventDetails": {"output": "{}"}}),
    ]
    .into_iter()
    .zip(1_u64..=length)
    .map(|(mut event, id)| {
        event["id"] = json!(id);
        event["previousEventId"] = json!(if id == 2 { 0 } else { id - 1 });
        event["timestamp"] = json!(time(id));
        event
    })
    .collect();
    let status = if length == 4 { "SUCCEEDED" } else { "RUNNING" };
    json!({"describe": {"executionArn": format!("arn:aws:states:eu-west-1:111111111111:execution:{machine}:{name}"), "status": status,
        "stateMachineArn": format!("arn:aws:states:eu-west-1:111111111111:stateMachine:{machine}"), "startDate": time(1)},
        "history": {"events": events}})
}

fn lines(executions: &[Value]) -> String {
    let lines: Vec<String> = executions.iter().map(|execution| format!("{execution}\n")).collect();
    lines.concat()
}

/// The arguments as the command line gives them.
#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    fleet: FleetArgs,
    #[command(flatten)]
    global: GlobalArgs,
}

struct Asked {
    answer: anyhow::Result<Answer<Seen>>,
    problems: u64,
    words: String,
}

fn ask(inputs: &[&Path], arguments: &[&str], threads: usize, looks_aside: bool) -> Asked {
    use clap::Parser;
    let inputs = inputs.iter().flat_map(|path| ["--input".to_owned(), path.display().to_string()]);
    let line = Line::parse_from(["stepscope".to_owned()].into_iter().chain(inputs).chain(arguments.iter().map(ToString::to_string)));
    let mut words = Vec::new();
    let mut problems = 0;
    let answer = Fleet::open(&line.fleet, &line.global, &mut words).and_then(|mut fleet| {
        fleet.threads = threads;
        let answer = fleet.ask(|| Seen { looks_aside, ..Seen::default() });
        problems = fleet.problems();
        answer
    });
    Asked { answer, problems, words: String::from_utf8(words).expect("words are text") }
}

impl Asked {
    fn names(self) -> Vec<(String, u64)> {
        let mut taken = self.answer.unwrap_or_else(|error| panic!("{error:#}")).question.taken;
        taken.sort();
        taken
    }
}

fn file(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a temporary file");
    path
}

#[test]
fn of_several_sights_the_most_complete_counts_in_any_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (running, ended) = (execution("Orders", "a", 0, 2), execution("Orders", "a", 0, 4));
    let other = execution("Orders", "b", 1, 4);
    let orders: [&[Value]; 3] = [
        &[running.clone(), ended.clone(), other.clone()],
        &[ended.clone(), other.clone(), running.clone()],
        &[running.clone(), running, ended.clone(), ended, other.clone(), other],
    ];
    for (number, order) in orders.into_iter().enumerate() {
        let path = file(folder.path(), &format!("{number}.jsonl"), &lines(order));
        for threads in [1, 3] {
            let asked = ask(&[&path, &path], &[], threads, false);
            let coverage = asked.answer.as_ref().map(|answer| answer.coverage.clone()).expect("an answer");
            assert_eq!((coverage.executions, coverage.running, coverage.left_out), (2, 0, 0));
            assert_eq!(asked.names(), [("a".to_owned(), 4), ("b".to_owned(), 4)]);
        }
    }
}

#[test]
fn the_window_is_of_starts_and_may_be_relative_to_the_last_event() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let executions: Vec<Value> = [0, 60, 119, 120].map(|minute| execution("Orders", &format!("at-{minute}"), minute, 4)).to_vec();
    let path = file(folder.path(), "a.jsonl", &lines(&executions));
    let started = |arguments: &[&str]| {
        let names = ask(&[&path], arguments, 2, false).names();
        names.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(started(&["--since", "2026-01-01T01:00:00Z", "--until", "2026-01-01T02:00:00Z"]), ["at-119", "at-60"]);
    // The last event is three seconds after the last start.
    assert_eq!(started(&["--since", "3s"]), ["at-120"]);
    assert_eq!(started(&["--since", "2s"]), Vec::<String>::new());
    assert_eq!(started(&["--since", "90m", "--until", "30m"]), ["at-60"]);
    assert_eq!(started(&["--since", "1h", "--now", "2026-01-01T01:30:00Z"]), ["at-119", "at-120", "at-60"]);
    assert!(ask(&[&path], &["--since", "2026-01-02T00:00:00Z", "--until", "2026-01-01T00:00:00Z"], 1, false).answer.is_err());
}

#[test]
fn what_is_not_wanted_is_counted_and_shown_to_those_who_look_aside() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let executions = [execution("Orders", "a", 0, 4), execution("Bills", "b", 1, 4), execution("Bills", "b", 1, 4)];
    let path = file(folder.path(), "a.jsonl", &lines(&executions));
    for looks_aside in [false, true] {
        let answer = ask(&[&path], &["--state-machine", "Ord*"], 2, looks_aside).answer.expect("an answer");
        assert_eq!((answer.coverage.executions, answer.coverage.left_out), (1, 1));
        assert_eq!(answer.question.aside, if looks_aside { vec!["b"] } else { vec![] });
    }
}

#[test]
fn many_bad_lines_are_named_to_a_limit_and_counted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = lines(&[execution("Orders", "a", 0, 4)]) + &"{\"events\": [1,\n{\n".repeat(40);
    let path = file(folder.path(), "a.jsonl", &text);
    let asked = ask(&[&path], &[], 3, false);
    assert_eq!(asked.problems, asked.answer.as_ref().expect("an answer").coverage.unreadable);
    assert!(asked.problems > 20, "{}", asked.words);
    assert_eq!(asked.words.lines().count(), 11, "{}", asked.words);
    assert!(asked.words.contains(&format!("{} more could not be read", asked.problems - 10)), "{}", asked.words);
    assert_eq!(asked.names().len(), 1);
}

#[test]
fn other_files_of_a_folder_are_passed_over_and_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let notes = file(elsewhere.path(), "notes.txt", "hello");
    file(folder.path(), "notes.txt", "hello");
    file(folder.path(), "a.json", &execution("Orders", "a", 0, 4).to_string());
    let asked = ask(&[folder.path()], &[], 2, false);
    assert_eq!((asked.problems, asked.words.contains("passed over: ")), (0, true), "{}", asked.words);
    assert_eq!(asked.names().len(), 1);
    let asked = ask(&[folder.path(), &notes], &[], 2, false);
    assert_eq!(asked.problems, 1, "a file that was given by its name is meant: {}", asked.words);
}

#[test]
fn a_store_and_inputs_on_one_command_line_contradict_each_other() {
    let asked = ask(&[Path::new("a.jsonl")], &["--store", "store"], 1, false);
    let error = asked.answer.map(|_| ()).expect_err("wrong usage");
    assert!(error.is::<WrongUsage>(), "{error:#}");
}

#[test]
fn the_arguments_stand_beside_the_global_ones() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
    Line::command().debug_assert();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_answer_depends_neither_on_threads_nor_on_the_order_of_executions(
        sights in prop::collection::vec((0_u64..12, 1_u64..5), 0..40), threads in 2_usize..5, files in 1_usize..4,
    ) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let executions: Vec<Value> =
            sights.iter().map(|(number, length)| execution("Orders", &format!("run-{number}"), *number, *length)).collect();
        let whole = file(folder.path(), "all.jsonl", &lines(&executions));
        let spread = folder.path().join("spread");
        fs::create_dir(&spread).expect("a folder");
        for (number, part) in executions.chunks(executions.len().div_ceil(files).max(1)).rev().enumerate() {
            file(&spread, &format!("{number}.jsonl"), &lines(part));
        }
        if executions.is_empty() {
            return Ok(());
        }
        let one = ask(&[&whole], &[], 1, false).answer.expect("an answer");
        let many = ask(&[&spread], &[], threads, false).answer.expect("an answer");
        prop_assert_eq!(&one.coverage, &many.coverage);
        let sorted = |answer: Answer<Seen>| { let mut taken = answer.question.taken; taken.sort(); taken };
        prop_assert_eq!(sorted(one), sorted(many));
    }
}

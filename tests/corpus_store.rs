//! Labelled incidents: what the store answers is what the files answer, in whatever order, pieces and repetitions it was filled.
//!
//! The material is no part of this repository; see `tests/common/corpus.rs`.

mod common;

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use common::corpus::corpus;
use common::program::{argument, stepscope};
use common::store::folder;
use flate2::read::GzDecoder;
use serde_json::Value;

/// A failing child, a Map whose items wait, a Parallel that is run again, and people that are waited for.
const SCENARIOS: [&str; 4] =
    ["set-2/nested_amplification", "set-3/overlapping_storms", "set-1/lockstep_outage", "set-1/heartbeat_callbacks"];

const QUESTIONS: [&[&str]; 7] = [
    &["failures"],
    &["latency"],
    &["latency", "--by", "hour"],
    &["cost"],
    &["cost", "--by", "execution"],
    &["variants"],
    &["compare", "--by-group"],
];

/// Takes out what tells where an answer comes from and what to ask next.
fn without_places(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !["next", "coverage", "origin"].contains(&name.as_str()));
            members.values_mut().for_each(without_places);
        }
        Value::Array(items) => items.iter_mut().for_each(without_places),
        _ => {}
    }
}

fn answers(source: &[&str]) -> Vec<Value> {
    let ask = |question: &&[&str]| {
        let mut answer = stepscope([question, source, &["--output", "json"]].concat()).json();
        without_places(&mut answer);
        answer
    };
    QUESTIONS.iter().map(ask).collect()
}

/// What `why` says of everything that failed, in the order of the text.
fn reasons(source: &[&str]) -> Vec<String> {
    let run = stepscope([&["why", "--status", "failed,timed-out", "--output", "jsonl"], source].concat());
    let mut said: Vec<String> = run
        .json_lines()
        .into_iter()
        .map(|mut line| {
            without_places(&mut line);
            line.to_string()
        })
        .collect();
    said.sort_unstable();
    said
}

fn lines(file: &Path) -> Vec<String> {
    let mut text = String::new();
    let file = std::fs::File::open(file).expect("the executions");
    GzDecoder::new(file).read_to_string(&mut text).expect("JSON Lines");
    text.lines().map(str::to_owned).collect()
}

/// The lines backwards, dealt out to three files; the last has some of the others' once more.
fn deal(lines: &[String], folder: &Path) {
    std::fs::create_dir(folder).expect("a folder");
    let mut parts = [const { String::new() }; 3];
    for (place, line) in lines.iter().rev().enumerate() {
        let _ = writeln!(parts[place % 3], "{line}");
        if place % 7 == 0 && place % 3 != 2 {
            let _ = writeln!(parts[2], "{line}");
        }
    }
    for (number, part) in parts.iter().enumerate() {
        std::fs::write(folder.join(format!("{number}.jsonl")), part).expect("a file");
    }
}

#[test]
fn the_store_answers_as_the_files_do() {
    let Some(corpus) = corpus() else { return };
    for name in SCENARIOS {
        let scenario = corpus.join("incidents").join(name);
        let (input, definitions) = (scenario.join("executions.jsonl.gz"), scenario.join("definitions"));
        let with_definitions = ["--definitions", argument(&definitions)];
        let from_file = answers(&[&["--input", argument(&input)], &with_definitions[..]].concat());

        let place = folder();
        let (parts, store) = (place.path().join("parts"), place.path().join("store"));
        deal(&lines(&input), &parts);
        let from_parts = answers(&[&["--input", argument(&parts)], &with_definitions[..]].concat());
        let from_store = ["--store", argument(&store)];
        for number in [2, 0, 1] {
            let part = parts.join(format!("{number}.jsonl"));
            stepscope([&["ingest", argument(&part)], &with_definitions[..], &from_store].concat()).succeeds();
        }
        let stored = answers(&from_store);
        stepscope([&["store", "compact"], &from_store[..]].concat()).succeeds();
        let compacted = answers(&from_store);
        for (number, question) in QUESTIONS.iter().enumerate() {
            assert_eq!(from_parts[number], from_file[number], "{name}: {question:?} of several files");
            assert_eq!(stored[number], from_file[number], "{name}: {question:?} of the store");
            assert_eq!(compacted[number], from_file[number], "{name}: {question:?} of the compacted store");
        }
        let of_file = reasons(&[&[argument(&input)], &with_definitions[..]].concat());
        assert_eq!(reasons(&from_store), of_file, "{name}: why");
    }
}

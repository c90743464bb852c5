//! `why`, `show` and `replay` of an execution that the store holds say what they say of its file.

mod common;

use std::path::Path;

use common::program::{argument, stepscope};
use serde_json::Value;
use tempfile::TempDir;

/// The small incidents of `demo`, as files and in a store.
struct Incidents {
    folder: TempDir,
}

impl Incidents {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let incidents = Self { folder };
        stepscope(["demo", "--force", "--only", "stories", &incidents.files()]).ends_with(0);
        stepscope(["ingest", &incidents.files(), "--store", &incidents.store()]).ends_with(0);
        incidents
    }

    fn files(&self) -> String {
        argument(&self.folder.path().join("files")).to_owned()
    }

    fn store(&self) -> String {
        argument(&self.folder.path().join("store")).to_owned()
    }

    fn names(&self) -> Vec<String> {
        let rows = stepscope(["query", "SELECT name FROM executions ORDER BY name", "--store", &self.store(), "--output", "jsonl"]);
        let rows = rows.ends_with(0).out;
        rows.lines().map(|row| serde_json::from_str::<Value>(row).expect("JSON")["name"].as_str().expect("a name").to_owned()).collect()
    }
}

/// What an answer says of the execution, apart from where it was read.
fn told(mut answer: Value) -> Value {
    let object = answer.as_object_mut().expect("an object");
    object.remove("next");
    if let Some(execution) = object.get_mut("execution").and_then(Value::as_object_mut) {
        execution.remove("origin");
    }
    answer
}

#[test]
fn a_stored_execution_is_explained_shown_and_replayed_as_its_file_is() {
    let incidents = Incidents::new();
    let names = incidents.names();
    assert!(names.len() > 8, "{names:?}");
    for name in &names {
        for verb in ["why", "show", "replay"] {
            let from_file = stepscope([verb, &incidents.files(), "--execution", name, "--output", "json"]);
            let from_store = stepscope([verb, name, "--store", &incidents.store(), "--output", "json"]);
            assert_eq!(from_file.code, from_store.code, "{verb} {name}\n{}\n{}", from_file.words, from_store.words);
            if !from_file.out.is_empty() {
                let json = |text: &str| told(serde_json::from_str(text).expect("JSON"));
                assert_eq!(json(&from_file.out), json(&from_store.out), "{verb} {name}");
            }
        }
    }
}

#[test]
fn the_whole_store_is_summed_up() {
    let incidents = Incidents::new();
    let from_store = stepscope(["why", "--store", &incidents.store(), "--status", "failed", "--output", "jsonl"]).ends_with(0);
    let from_files = stepscope(["why", &incidents.files(), "--status", "failed", "--output", "jsonl"]).ends_with(0);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(|line| told(serde_json::from_str(line).expect("JSON")).to_string()).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&from_store.out), sorted(&from_files.out));
}

#[test]
fn the_next_commands_lead_back_to_the_store() {
    let incidents = Incidents::new();
    let failures = stepscope(["failures", "--store", &incidents.store(), "--output", "json"]).ends_with(0);
    let report: Value = serde_json::from_str(&failures.out).expect("JSON");
    let command = report["groups"][0]["next"][0]["command"].as_str().expect("a command");
    assert!(command.ends_with(&format!(" --store {}", incidents.store())), "{command}");
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let why = stepscope(&words).ends_with(0);
    assert!(why.out.contains(&format!("--store {}", incidents.store())), "{}", why.out);
}

#[test]
fn what_the_store_does_not_have_is_an_error_that_says_so() {
    let incidents = Incidents::new();
    let missing = stepscope(["why", "nobody", "--store", &incidents.store()]).ends_with(2);
    assert!(missing.words.contains("nobody") && missing.words.contains(&incidents.store()), "{}", missing.words);
    let arn = "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1";
    let missing = stepscope(["why", arn, "--store", &incidents.store()]).ends_with(2);
    assert!(missing.words.contains(arn), "{}", missing.words);
    let elsewhere = argument(&Path::new(&incidents.files()).join("nothing")).to_owned();
    let no_store = stepscope(["why", "nobody", "--store", &elsewhere]);
    assert!(no_store.code == 1 && no_store.words.contains("nothing"), "{no_store:?}");
}

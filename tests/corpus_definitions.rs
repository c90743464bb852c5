//! Definitions whose verdict is on record: recordings of the service, statelint's documents, workflows in use.
//!
//! The material is no part of this repository. `STEPSCOPE_CORPUS` names its folder; without it `../shared/corpus` is taken, and
//! where that is not there either, these tests say so and pass.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stepscope::asl::check::{MachineType, Severity, Verdict, check};
use stepscope::asl::source::{Format, Source, SourceError};

/// The least share of verdicts that must be right, of one. It is never lowered.
const FLOOR: f64 = 0.99;

/// Documents of statelint on which the service decides otherwise.
///
/// `task-with-credentials` writes `roleArn`, and the service is on record as refusing Credentials without `RoleArn`.
const OVERRULED: [&str; 1] = ["task-with-credentials.json"];

fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("STEPSCOPE_CORPUS").map(PathBuf::from);
    let folder = named.clone().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"));
    if folder.join("definitions").exists() {
        return Some(folder);
    }
    assert!(named.is_none() || std::env::var_os("CI").is_none(), "STEPSCOPE_CORPUS names {}, which holds no corpus", folder.display());
    let _ = writeln!(std::io::stderr(), "skipped: the corpus is not at {}; STEPSCOPE_CORPUS names its folder", folder.display());
    None
}

/// Every JSON file below a folder with its content, in the order of their names.
fn documents(folder: &Path) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|ending| ending == "json") {
                let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                found.push((path.clone(), serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))));
            }
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

fn verdict(definition: &Value, machine_type: &Value) -> Verdict {
    let text = definition.as_str().map_or_else(|| definition.to_string(), str::to_owned);
    let machine_type = if machine_type == "EXPRESS" { MachineType::Express } else { MachineType::Standard };
    match Source::read(text.as_bytes(), Some(Format::Json)) {
        Ok(source) => check(&source, machine_type),
        Err(SourceError::Syntax(problem)) => Verdict::of_syntax(&problem),
        Err(error) => panic!("{error}"),
    }
}

fn first_error(verdict: &Verdict) -> String {
    let error = verdict.diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error);
    error.map_or_else(|| "no error".to_owned(), |error| format!("{} at {}", error.message, error.pointer))
}

/// What was counted, and what was wrong.
#[derive(Default)]
struct Tally {
    counted: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, what: &Path, said: &Verdict, wanted: bool) {
        self.counted += 1;
        if said.is_valid() != wanted {
            self.wrong.push(format!("{}: {}", what.display(), first_error(said)));
        }
    }

    #[track_caller]
    #[allow(clippy::cast_precision_loss, reason = "a few thousand verdicts")]
    fn holds(&self, at_least: usize, floor: f64) {
        assert!(self.counted >= at_least, "{} counted, expected {at_least}", self.counted);
        let share = 1.0 - self.wrong.len() as f64 / self.counted as f64;
        assert!(share >= floor, "{share:.4} of {} right:\n{}", self.counted, self.wrong.join("\n"));
    }
}

#[test]
fn verdicts_of_the_service_and_of_statelint() {
    let Some(corpus) = corpus() else { return };
    let mut tally = Tally::default();
    for (path, case) in documents(&corpus.join("aws-recorded")) {
        if case["kind"] == "validation" {
            let definition = if case["definition"].is_null() { &case["definition_text"] } else { &case["definition"] };
            let response = &case["response"];
            let wanted = response.get("result").map_or(case["raises"] != true, |result| result == "OK");
            tally.count(&path, &verdict(definition, &case["request"]["type"]), wanted);
        }
    }
    for (path, case) in documents(&corpus.join("statelint")) {
        tally.count(&path, &verdict(&case["definition"], &Value::Null), case["verdict"] == "valid");
    }
    tally.holds(68 + 72, FLOOR);
    let overruled = |wrong: &&String| !OVERRULED.iter().any(|known| wrong.contains(known));
    assert_eq!(tally.wrong.iter().find(overruled), None, "it is not on the list");
}

#[test]
fn the_words_of_the_service_in_recorded_validations() {
    let Some(corpus) = corpus() else { return };
    let mut compared = 0;
    for (path, case) in documents(&corpus.join("aws-recorded")) {
        let recorded = case["response"]["diagnostics"].as_array().map(Vec::as_slice).unwrap_or_default();
        if recorded.is_empty() {
            continue;
        }
        let definition = if case["definition"].is_null() { &case["definition_text"] } else { &case["definition"] };
        let said = serde_json::to_value(verdict(definition, &case["request"]["type"]).diagnostics).expect("JSON");
        for (one, other) in recorded.iter().zip(said.as_array().expect("a list")) {
            for field in ["code", "message", "severity", "location"] {
                let (one, other) = (one.get(field).unwrap_or(&Value::Null), &other[field]);
                assert_eq!(one, other, "{field} in {}", path.display());
            }
        }
        assert_eq!(recorded.len(), said.as_array().map_or(0, Vec::len), "{}", path.display());
        compared += 1;
    }
    assert!(compared >= 4, "{compared} compared");
}

#[test]
fn what_the_service_ran_is_valid() {
    let Some(corpus) = corpus() else { return };
    let mut tally = Tally::default();
    for (path, case) in documents(&corpus.join("aws-recorded")) {
        let was_created = case.get("history").is_some() || case["kind"] == "express-sync" || case["kind"] == "express-async";
        if was_created && case["definition"].is_object() {
            tally.count(&path, &verdict(&case["definition"], &case["machine_type"]), true);
        }
        for run in case["runs"].as_array().into_iter().flatten() {
            tally.count(&path, &verdict(&run["definition"], &Value::Null), true);
        }
    }
    tally.holds(404 + 302, 1.0);
}

#[test]
fn workflows_in_use_are_valid() {
    let Some(corpus) = corpus() else { return };
    let mut tally = Tally::default();
    for (path, workflow) in documents(&corpus.join("definitions")) {
        tally.count(&path, &verdict(&workflow["definition"], &workflow["machine_type"]), true);
    }
    tally.holds(97, 1.0);
}

#[test]
fn what_is_valid_can_be_compiled() {
    let Some(corpus) = corpus() else { return };
    let mut compiled = 0;
    let mut refused = Vec::new();
    for folder in ["aws-recorded", "definitions", "statelint"] {
        for (path, case) in documents(&corpus.join(folder)) {
            let definition = &case["definition"];
            // What CloudFormation is to put in may stand where only a number can be run.
            if definition["States"].is_object()
                && !definition.to_string().contains("${")
                && verdict(definition, &case["machine_type"]).is_valid()
            {
                compiled += 1;
                refused.extend(stepscope::asl::compile(&definition.to_string()).err().map(|error| format!("{}: {error}", path.display())));
            }
        }
    }
    assert!(compiled > 500, "{compiled} compiled");
    assert_eq!(refused, [""; 0]);
}

//! Labelled incidents: transitions of each state, and failures, exactly as the labels have them.
//!
//! The material is no part of this repository: see `common/corpus.rs`.

mod common;

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use bumpalo::Bump;
use common::corpus::{corpus, files};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use stepscope::analysis::facts::{Rebuilt, extract};
use stepscope::analysis::why::{Evidence, why};
use stepscope::asl::Definition;
use stepscope::model::facts::Needs;
use stepscope::model::{ExecutionFacts, History};
use stepscope::rebuild::rebuild;
use stepscope::sources::{Limits, read_path};

fn histories(path: &Path) -> Vec<History> {
    let mut read = Vec::new();
    // Recordings without a history are among the files.
    read_path(path, &Limits::default(), &mut |result| read.extend(result));
    read
}

/// The labelled transitions of a scenario, by execution.
fn labelled(path: &Path) -> HashMap<String, Value> {
    let file = std::fs::File::open(path).expect("the file was listed");
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    let values = lines.map(|line| serde_json::from_str::<Value>(&line.expect("a line")).expect("JSON"));
    values.map(|value| (value["executionArn"].as_str().expect("an ARN").to_owned(), value)).collect()
}

fn counted(facts: &ExecutionFacts<'_>) -> Value {
    let (mut entries, mut retries) = (BTreeMap::new(), BTreeMap::new());
    for visit in facts.visits {
        *entries.entry(visit.state).or_insert(0) += visit.transitions - visit.retries;
        if visit.retries > 0 {
            *retries.entry(visit.state).or_insert(0) += visit.retries;
        }
    }
    let transitions: u32 = facts.visits.iter().map(|visit| visit.transitions).sum();
    json!({"executionArn": facts.execution, "entries": entries, "retries": retries, "transitions": transitions})
}

#[test]
fn transitions_are_those_of_the_labels() {
    let Some(corpus) = corpus() else { return };
    let labels: Vec<PathBuf> = files(&corpus.join("incidents")).into_iter().filter(|path| path.ends_with("transitions.jsonl.gz")).collect();
    let mut executions = 0;
    for path in &labels {
        let mut labelled = labelled(path);
        for history in histories(&path.with_file_name("executions.jsonl.gz")) {
            let rebuilt = rebuild(&history, None);
            let arena = Bump::new();
            let facts = extract(Rebuilt { history: &history, path: &rebuilt, definition: None }, Needs::ALL, &arena);
            assert_eq!(Some(counted(&facts)), labelled.remove(facts.execution), "{}", path.display());
            executions += 1;
        }
        assert!(labelled.is_empty(), "{}: {} executions were not read", path.display(), labelled.len());
    }
    assert!(labels.len() >= 42 && executions > 9_000, "{executions} executions in {} scenarios", labels.len());
}

#[test]
fn every_recorded_failure_is_told_as_why_tells_it() {
    let Some(corpus) = corpus() else { return };
    let mut failed = 0;
    for path in files(&corpus.join("aws-recorded")) {
        for history in histories(&path) {
            let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
            let rebuilt = rebuild(&history, definition.as_ref());
            let arena = Bump::new();
            let facts = extract(Rebuilt { history: &history, path: &rebuilt, definition: definition.as_ref() }, Needs::ALL, &arena);
            let report = why(Evidence { history: &history, path: &rebuilt, definition: definition.as_ref() });
            assert_eq!(facts.failure.is_some(), report.root_cause.is_some(), "{}", path.display());
            let (Some(failure), Some(root)) = (facts.failure, report.root_cause) else { continue };
            let said = json!([failure.root_state, failure.root_error, failure.root_cause, failure.kind, failure.basis, failure.confidence]);
            let wanted = json!([root.state, root.error, root.cause, root.kind, root.basis, root.confidence]);
            assert_eq!(said, wanted, "{}", path.display());
            assert_eq!(failure.child, root.child.as_deref(), "{}", path.display());
            failed += 1;
        }
    }
    assert!(failed > 60, "only {failed} failed");
}

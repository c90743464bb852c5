//! The labelled incidents of the corpus: their folders, and what is known to be true of each.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::corpus::{corpus, files};

/// The folders of all scenarios, in the order of their names; none without a corpus.
pub fn scenarios() -> Vec<PathBuf> {
    let Some(corpus) = corpus() else { return Vec::new() };
    let labels = files(&corpus.join("incidents")).into_iter().filter(|path| path.ends_with("labels.json"));
    labels.filter_map(|path| path.parent().map(Path::to_owned)).collect()
}

/// What is known of a scenario.
pub fn labels(scenario: &Path) -> Value {
    let file = scenario.join("labels.json");
    let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A list among the members of labels or of an answer; empty where there is none.
pub fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value[member].as_array().map(Vec::as_slice).unwrap_or_default()
}

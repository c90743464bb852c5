//! Definitions of real workflows compile.
//!
//! The material is no part of this repository: see `tests/corpus.rs`.

mod common;

use std::path::PathBuf;

use common::corpus::corpus;
use serde_json::Value;
use stepscope::asl::{compile, compile_state};

/// The JSON files of a folder of the material, at any depth.
fn documents(folder: PathBuf) -> Vec<(String, Value)> {
    let (mut folders, mut documents) = (vec![folder], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let text = std::fs::read(&path).expect("a file");
                documents.push((path.display().to_string(), serde_json::from_slice(&text).expect("JSON")));
            }
        }
    }
    documents
}

#[test]
fn every_definition_of_a_real_workflow_compiles() {
    let Some(corpus) = corpus() else { return };
    let documents = documents(corpus.join("definitions"));
    assert!(!documents.is_empty());
    for (path, document) in documents {
        if let Err(error) = compile(&document["definition"].to_string()) {
            panic!("{path}: {error}");
        }
    }
}

#[test]
fn every_definition_that_the_service_ran_compiles() {
    let Some(corpus) = corpus() else { return };
    let mut compiled = 0;
    for (path, document) in documents(corpus.join("aws-recorded")) {
        let kind = document["kind"].as_str().unwrap_or_default();
        let rows = document["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
        // What the service refused to create may well be refused here.
        let accepted = !matches!(kind, "validation" | "api") && document["raises"] != true;
        for definition in
            rows.iter().chain([&document]).map(|row| &row["definition"]).filter(|definition| accepted && definition.is_object())
        {
            let alone = definition.get("States").is_none();
            let result = if alone { compile_state("State", &definition.to_string()) } else { compile(&definition.to_string()) };
            if let Err(error) = result {
                panic!("{path}: {error}");
            }
            compiled += 1;
        }
    }
    assert!(compiled > 500, "{compiled}");
}

//! Labelled incidents: none of them is about a limit, so none is said to be near.
//!
//! The material is no part of this repository: see `common/corpus.rs`.

mod common;

use common::corpus::{corpus, files};
use common::program::{argument, stepscope};

#[test]
fn incidents_of_other_kinds_and_clean_traffic_have_no_limit_that_is_near() {
    let Some(corpus) = corpus() else { return };
    let inputs: Vec<_> = files(&corpus.join("incidents")).into_iter().filter(|path| path.ends_with("executions.jsonl.gz")).collect();
    for input in &inputs {
        let definitions = input.with_file_name("definitions");
        let run = stepscope(["triage", "--input", argument(input), "--definitions", argument(&definitions), "--output", "json"]);
        let report = run.succeeds().json();
        let near: Vec<_> = report["findings"].as_array().expect("a list").iter().filter(|finding| finding["kind"] == "runway").collect();
        assert!(near.is_empty(), "{}: {near:#?}", input.display());
        assert!(report["coverage"]["executions"].as_u64() > Some(100), "{}", input.display());
    }
    assert!(inputs.len() >= 42, "{} scenarios", inputs.len());
}

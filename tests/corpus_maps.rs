//! Map Runs in recordings of the real service: `maps` finds each, in its state, with its end.
//!
//! The material is no part of this repository; see `corpus.rs`.

mod common;

use common::corpus::{corpus, files};
use common::program::{argument, stepscope};
use serde_json::Value;
use stepscope::analysis::maps::of_history;
use stepscope::asl::Definition;
use stepscope::model::{Details, EventType, History};
use stepscope::rebuild::rebuild;
use stepscope::sources::{Limits, read_path};

/// The end that the recording itself names for each Map Run, in order.
fn ends(history: &History) -> Vec<(String, Option<&'static str>)> {
    let started = history.events.iter().filter_map(|event| match &event.details {
        Details::MapRunStarted { map_run_arn: Some(arn) } => Some((event.id, arn.decode().into_owned())),
        _ => None,
    });
    let end = |id| {
        let mut next = history.events.iter().filter(|event| event.previous_event_id == Some(id));
        next.find_map(|event| match event.kind {
            EventType::MapRunSucceeded => Some("SUCCEEDED"),
            EventType::MapRunFailed => Some("FAILED"),
            EventType::MapRunAborted => Some("ABORTED"),
            _ => None,
        })
    };
    started.map(|(id, arn)| (arn, end(id))).collect()
}

#[test]
fn every_recorded_map_run_is_found_with_its_state_and_its_end() {
    let Some(corpus) = corpus() else { return };
    let mut found = 0;
    for path in files(&corpus.join("aws-recorded")) {
        let recorded: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
        if recorded["kind"] != "map-run" {
            continue;
        }
        let mut histories = Vec::new();
        read_path(&path, &Limits::default(), &mut |result| histories.extend(result));
        let [history] = histories.as_slice() else { panic!("{}: {} histories", path.display(), histories.len()) };
        let mut expected = ends(history);
        // One recording masks the ARNs of all its runs with the same word.
        expected.dedup_by(|next, known| next.0 == known.0);
        let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
        let parents = of_history(history, &rebuild(history, definition.as_ref()));
        let told: Vec<(String, Option<&str>)> = parents.iter().map(|parent| (parent.map_run.clone(), parent.status)).collect();
        assert_eq!(told, expected, "{}", path.display());
        for parent in &parents {
            let settings = parent.settings.as_ref().unwrap_or_else(|| panic!("{}: no Map named {:?}", path.display(), parent.state));
            assert_eq!(Some(&settings.state), parent.state.as_ref());
            assert_eq!(parent.error.is_some(), parent.status == Some("FAILED"), "{}", path.display());
        }
        let run = stepscope(["maps", "--input", argument(&path), "--output", "json"]);
        if expected.iter().any(|(arn, _)| arn.contains(":mapRun:")) {
            let document = run.ends_with(0).json();
            let names: Vec<&str> = document["runs"].as_array().expect("runs").iter().filter_map(|run| run["map_run"].as_str()).collect();
            assert!(expected.iter().all(|(arn, _)| names.contains(&arn.as_str())), "{}: {names:?}", path.display());
        } else {
            run.ends_with(4);
        }
        found += expected.len();
    }
    assert!(found >= 20, "the corpus has {found} Map Runs");
}

//! Recordings of the real service and labelled incidents: the state at fault, measured.
//!
//! The material is no part of this repository. `STEPSCOPE_CORPUS` names its folder; without it `../shared/corpus` is taken, and
//! where that is not there either, these tests say so and pass.

mod common;

use std::collections::HashMap;
use std::path::Path;

use common::corpus::{corpus, files};
use common::incidents::{labels, list, scenarios};
use common::program::{argument, stepscope};
use serde_json::Value;
use stepscope::analysis::show;
use stepscope::analysis::why::{Evidence, WhyReport, why};
use stepscope::asl::Definition;
use stepscope::model::History;
use stepscope::rebuild::rebuild;
use stepscope::render::redact::Redactor;
use stepscope::render::styles::Styles;
use stepscope::sources::{Limits, read_path};

/// The least share of the labels that must be right, of one. It is never lowered.
const FLOOR: f64 = 1.0;

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The histories that a file holds; those of a recorded case hold payloads that are no strings.
fn histories(path: &Path) -> Vec<History> {
    let mut read = Vec::new();
    // Recordings without a history are among the files.
    read_path(path, &Limits::default(), &mut |result| read.extend(result));
    read
}

fn explained(history: &History) -> WhyReport {
    let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
    let path = rebuild(history, definition.as_ref());
    why(Evidence { history, path: &path, definition: definition.as_ref() })
}

/// What was counted, and what was wrong.
#[derive(Default)]
struct Tally {
    counted: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, what: &str, said: Option<&str>, wanted: &[&Value]) {
        self.counted += 1;
        if !wanted.iter().any(|wanted| wanted.as_str() == said) {
            self.wrong.push(format!("{what}: said {said:?}, is {}", wanted[0]));
        }
    }

    #[track_caller]
    #[allow(clippy::cast_precision_loss, reason = "a few thousand labels")]
    fn holds(&self) {
        assert!(self.counted > 0, "nothing was counted");
        let share = 1.0 - self.wrong.len() as f64 / self.counted as f64;
        assert!(share >= FLOOR, "{share:.4} of {} right:\n{}", self.counted, self.wrong.join("\n"));
    }
}

#[test]
fn the_state_at_fault_in_recordings_of_the_service() {
    let Some(corpus) = corpus() else { return };
    let labels = json(&corpus.join("root-causes.json"));
    let mut tally = Tally::default();
    for label in labels.as_array().expect("a list of labels") {
        let file = label["file"].as_str().expect("a file");
        let read = histories(&corpus.join("aws-recorded").join(file));
        let [history] = read.as_slice() else { panic!("{file} holds {} histories", read.len()) };
        if label["debatable"] == true {
            continue;
        }
        let report = explained(history);
        let accepted = |part: &str| -> Vec<Value> {
            std::iter::once(label[part]["state"].clone()).chain(list(label, "also_accepted").iter().cloned()).collect()
        };
        let root = report.root_cause.as_ref().and_then(|root| root.state.as_deref());
        let terminal = report.terminal.as_ref().and_then(|terminal| terminal.state.as_deref());
        for (part, said) in [("root_cause", root), ("terminal", terminal)] {
            tally.count(&format!("{part} of {file}"), said, &accepted(part).iter().collect::<Vec<_>>());
        }
    }
    assert!(tally.counted >= 2 * 92, "{} labels counted, expected 92 with two parts each", tally.counted / 2);
    tally.holds();
}

#[test]
fn the_states_and_executions_at_fault_in_labelled_incidents() {
    if corpus().is_none() {
        return;
    }
    let mut tally = Tally::default();
    for scenario in scenarios() {
        let labels = labels(&scenario);
        let failures = list(&labels, "failures");
        let executions = scenario.join("executions.jsonl.gz");
        let definitions = scenario.join("definitions");
        let bare = ["why", argument(&executions), "--status", "failed,timed-out", "--output", "jsonl"];
        for arguments in [bare.to_vec(), [&bare[..], &["--definitions", argument(&definitions)]].concat()] {
            let run = stepscope(arguments);
            if failures.is_empty() {
                run.ends_with(4);
                continue;
            }
            let answers = run.succeeds().json_lines();
            assert_eq!(answers.len(), failures.len(), "{}", scenario.display());
            let by_arn: HashMap<&str, &Value> =
                answers.iter().filter_map(|answer| Some((answer["execution"]["arn"].as_str()?, answer))).collect();
            for failure in failures {
                let arn = failure["executionArn"].as_str().expect("an ARN");
                let answer = by_arn.get(arn).unwrap_or_else(|| panic!("{arn} is not explained"));
                let root = &answer["root_cause"];
                tally.count(&format!("failed state of {arn}"), answer["terminal"]["state"].as_str(), &[&failure["failed_state"]]);
                tally.count(&format!("root state of {arn}"), root["state"].as_str(), &[&failure["root"]["state"]]);
                tally.count(&format!("root execution of {arn}"), root["execution"].as_str(), &[&failure["root"]["executionArn"]]);
            }
        }
    }
    assert!(
        tally.counted >= 2 * 3 * 833,
        "{} answers counted, expected three for each failure, with definitions and without",
        tally.counted
    );
    tally.holds();
}

#[test]
fn every_history_is_read_rebuilt_explained_and_shown() {
    let Some(corpus) = corpus() else { return };
    let mut shown = 0;
    for path in files(&corpus.join("aws-recorded")).iter().chain(&files(&corpus.join("incidents"))) {
        for history in histories(path) {
            explain_and_show(&history);
            shown += 1;
        }
    }
    assert!(shown > 404, "{shown} histories");
}

/// All that is made of one history, written to nowhere.
fn explain_and_show(history: &History) {
    let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
    let path = rebuild(history, definition.as_ref());
    let (styles, redactor) = (Styles::colored(true), Redactor::new(true));
    let mut text = Vec::new();
    let report = why(Evidence { history, path: &path, definition: definition.as_ref() });
    stepscope::render::why::text(&report, &styles, &redactor, 80, &mut text).expect("memory");
    stepscope::render::why::json_line(&report, &redactor, &mut text).expect("memory");
    let tree = show::show(history, &path);
    stepscope::render::show::tree(&tree, &styles, &redactor, 80, &mut text).expect("memory");
    stepscope::render::timeline::timeline(&tree, &styles, &redactor, 80, &mut text).expect("memory");
    stepscope::render::events::events(&show::events(history, &path), &styles, &redactor, 80, &mut text).expect("memory");
    for name in history.events.iter().filter_map(|event| event.state_name()).take(1) {
        let state = show::state(history, &path, &name.decode());
        stepscope::render::state::state(&state, &styles, &redactor, 80, &mut text).expect("memory");
    }
    assert!(!text.is_empty());
}

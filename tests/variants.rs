//! Ways of many executions: nothing is counted twice or left out, whatever the order and however the work is divided.

mod common;
#[path = "common/fleet.rs"]
mod fleet;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::Path;

use bumpalo::Bump;
use common::corpus::{corpus, files};
use common::program::{argument, stepscope};
use fleet::{Random, tell};
use serde_json::Value;
use stepscope::analysis::facts::{Rebuilt, extract};
use stepscope::analysis::fleet::{Coverage, Question};
use stepscope::analysis::variants::{Options, Variants, report};
use stepscope::asl::Definition;
use stepscope::model::History;
use stepscope::rebuild::rebuild;

fn take(question: &mut Variants, history: &History) {
    let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
    let path = rebuild(history, definition.as_ref());
    let arena = Bump::new();
    let needs = question.needs();
    question.take(&extract(Rebuilt { history, path: &path, definition: definition.as_ref() }, needs, &arena));
}

fn written(question: &Variants) -> Value {
    let options = Options { limit: usize::MAX, ..Options::default() };
    serde_json::to_value(report(question, Coverage::default(), &options)).expect("a document")
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value[member].as_array().map(Vec::as_slice).unwrap_or_default()
}

#[test]
fn neither_the_order_nor_the_number_of_threads_changes_a_byte() {
    // Few machines with several runs each would need the generator to keep them; runs of one name are as good.
    let histories: Vec<History> = (0..160)
        .map(|seed| {
            let mut history = tell(seed, 25).history;
            // All of one machine: states of one name are one, and the latest definition is taken.
            history.header.state_machine_arn = "arn:aws:states:us-east-1:111111111111:stateMachine:Made".parse().ok();
            history.header.arn = format!("arn:aws:states:us-east-1:111111111111:execution:Made:run-{seed}").parse().ok();
            history
        })
        .collect();
    let mut whole = Variants::new(None);
    for history in &histories {
        take(&mut whole, history);
    }
    let whole = written(&whole);
    assert_eq!(number(&whole["machines"][0]["executions"]), 160);
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let mut shuffled: Vec<&History> = histories.iter().collect();
        (1..shuffled.len()).rev().for_each(|position| shuffled.swap(position, random.below(position + 1)));
        let mut parts: Vec<Variants> = (0..3).map(|_| Variants::new(None)).collect();
        for history in shuffled {
            take(&mut parts[random.below(3)], history);
        }
        let mut merged = parts.remove(random.below(3));
        for part in parts {
            merged.merge(part);
        }
        let merged = written(&merged);
        for (one, other) in list(&merged, "machines").iter().zip(list(&whole, "machines")) {
            for (member, value) in one.as_object().expect("an object") {
                assert!(*value == other[member], "seed {seed}: `{member}` differs");
            }
        }
        assert!(merged == whole, "seed {seed}");
    }
}

/// The lines of a file that is compressed with gzip.
fn lines(path: &Path) -> Vec<Value> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// How often: from (`None` for the beginning of a scope), to, and whether after a Catch.
type Edges = BTreeMap<(Option<String>, String, bool), u64>;

/// Steps between states by the links of the events alone.
fn raw_edges(events: &[Value], edges: &mut Edges) {
    let by_id: HashMap<u64, &Value> = events.iter().map(|event| (number(&event["id"]), event)).collect();
    let kind = |event: &Value| event["type"].as_str().unwrap_or_default().to_owned();
    let previous = |event: &Value| by_id.get(&number(&event["previousEventId"])).copied();
    for event in events.iter().filter(|event| kind(event).ends_with("StateEntered")) {
        let to = event["stateEnteredEventDetails"]["name"].as_str().expect("a name").to_owned();
        let before = previous(event);
        let from = before.filter(|before| kind(before).ends_with("StateExited"));
        let is_failure = |event: &Value| kind(event).ends_with("Failed") || kind(event).ends_with("TimedOut");
        let caught = from.and_then(previous).is_some_and(is_failure);
        let from = from.map(|from| from["stateExitedEventDetails"]["name"].as_str().expect("a name").to_owned());
        if let Some(before) = before.filter(|_| from.is_none()) {
            assert!(["ExecutionStarted", "ParallelStateStarted", "MapIterationStarted"].contains(&kind(before).as_str()), "{before}");
        }
        *edges.entry((from, to, caught)).or_default() += 1;
    }
}

#[test]
fn every_execution_of_the_incidents_took_one_way_and_every_step_is_counted() {
    let Some(corpus) = corpus() else { return };
    let mut compared = 0;
    for file in files(&corpus.join("incidents")).iter().filter(|file| file.ends_with("executions.jsonl.gz")) {
        let folder = file.parent().expect("a folder");
        let definitions = folder.join("definitions");
        let arguments =
            ["variants", "--input", argument(file), "--definitions", argument(&definitions), "--output", "json", "--limit", "100000"];
        let report = stepscope(arguments).succeeds().json();
        let mut edges: HashMap<String, Edges> = HashMap::new();
        let (mut executions, mut failed) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
        for line in lines(file) {
            let machine = line["describe"]["stateMachineArn"].as_str().expect("an ARN").to_owned();
            raw_edges(list(&line["history"], "events"), edges.entry(machine.clone()).or_default());
            *executions.entry(machine.clone()).or_default() += 1;
            let ended = line["describe"]["status"].as_str().expect("a status");
            *failed.entry(machine).or_default() += u64::from(["FAILED", "TIMED_OUT", "ABORTED"].contains(&ended));
        }
        assert_eq!(list(&report, "machines").len(), executions.len());
        for machine in list(&report, "machines") {
            let arn = machine["state_machine"].as_str().expect("an ARN");
            assert_eq!((number(&machine["executions"]), number(&machine["unsuccessful"])), (executions[arn], failed[arn]), "{arn}");
            let sum = |member: &str| list(machine, "variants").iter().map(|variant| number(&variant[member])).sum::<u64>();
            assert_eq!((sum("executions"), sum("failed")), (executions[arn], failed[arn]), "{arn}");
            let ids: BTreeSet<&str> = list(machine, "variants").iter().filter_map(|variant| variant["id"].as_str()).collect();
            assert_eq!(ids.len(), list(machine, "variants").len(), "{arn}");
            let mut counted = Edges::new();
            for edge in list(machine, "edges").iter().filter(|edge| number(&edge["count"]) > 0) {
                let Some(to) = edge["to"].as_str() else { continue };
                let key = (edge["from"].as_str().map(str::to_owned), to.to_owned(), edge["kind"] == "catch");
                *counted.entry(key).or_default() += number(&edge["count"]);
                assert!(number(&edge["failed_executions"]) <= number(&edge["executions"]));
            }
            assert_eq!(counted, edges[arn], "{}: {arn}", folder.display());
        }
        entries_agree(folder, &report);
        compared += 1;
    }
    assert!(compared >= 28, "only {compared} scenarios");
}

/// The truth about cost counts the same visits.
fn entries_agree(folder: &Path, report: &Value) {
    let mut truth: BTreeMap<String, u64> = BTreeMap::new();
    for line in lines(&folder.join("transitions.jsonl.gz")) {
        for (state, count) in line["entries"].as_object().expect("counts") {
            *truth.entry(state.clone()).or_default() += number(count);
        }
    }
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for state in list(report, "machines").iter().flat_map(|machine| list(machine, "states")).filter(|state| number(&state["visits"]) > 0) {
        *counted.entry(state["state"].as_str().expect("a name").to_owned()).or_default() += number(&state["visits"]);
    }
    assert_eq!(counted, truth, "{}", folder.display());
}

#[test]
fn each_execution_is_found_in_the_variant_that_it_took() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("incidents/set-1/deploy_new_error");
    let (file, definitions) = (folder.join("executions.jsonl.gz"), folder.join("definitions"));
    let base = ["variants", "--input", argument(&file), "--definitions", argument(&definitions), "--output", "json", "--limit", "100000"];
    let report = stepscope(base).succeeds().json();
    let mut found: Vec<String> = Vec::new();
    for variant in list(&report, "machines").iter().flat_map(|machine| list(machine, "variants")) {
        let id = variant["id"].as_str().expect("an id");
        let opened = stepscope([&base[..], &["--variant", id]].concat()).succeeds().json();
        for machine in list(&opened, "machines") {
            let samples = list(&machine["variants"][0], "samples");
            assert_eq!(samples.len() as u64, number(&machine["variants"][0]["executions"]));
            found.extend(samples.iter().map(|sample| sample["execution"].as_str().expect("an ARN").to_owned()));
        }
    }
    let all: BTreeSet<String> =
        lines(&file).iter().map(|line| line["describe"]["executionArn"].as_str().expect("an ARN").to_owned()).collect();
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (all.len(), all));
}

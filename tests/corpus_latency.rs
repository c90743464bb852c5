//! Labelled incidents: `latency` says what an independent script reckons from the raw events, to the microsecond.
//!
//! The material is no part of this repository: see `common/corpus.rs`. The script is `tests/latency_check.py`.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::corpus::{corpus, files};
use common::program::{argument, stepscope};
use serde_json::Value;

/// Half a microsecond, in milliseconds: the program rounds to whole ones.
const TOLERANCE: f64 = 0.000_51;

fn reckoned(executions: &Path) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/latency_check.py");
    let output = Command::new("python3").args([Path::new(script), executions]).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn by_state(rows: &Value) -> BTreeMap<(String, String), &Value> {
    let text = |row: &Value, member: &str| row[member].as_str().expect("a name").to_owned();
    rows.as_array().expect("rows").iter().map(|row| ((text(row, "state_machine"), text(row, "state")), row)).collect()
}

/// Every member of the script's row is in the program's, with the same value.
fn compare(place: &str, wanted: &Value, said: &Value) {
    match (wanted, said) {
        (Value::Object(members), Value::Object(_)) => {
            members.iter().for_each(|(name, wanted)| compare(&format!("{place} {name}"), wanted, &said[name]));
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().expect("a number"), other.as_f64().expect("a number"));
            assert!((one - other).abs() <= TOLERANCE, "{place}: reckoned {one}, said {other}");
        }
        _ => assert_eq!(wanted, said, "{place}"),
    }
}

#[test]
fn percentiles_counts_and_parts_are_those_of_an_independent_script() {
    let Some(corpus) = corpus() else { return };
    let all = files(&corpus.join("incidents")).into_iter().filter(|path| path.ends_with("executions.jsonl.gz"));
    let inputs: Vec<PathBuf> = all.collect();
    let mut compared = 0;
    for input in &inputs {
        let run = stepscope(["latency", "--input", argument(input), "--output", "json"]).succeeds();
        let (said, wanted) = (run.json(), reckoned(input));
        let (said, wanted) = (by_state(&said["states"]), by_state(&wanted));
        let keys = |rows: &BTreeMap<(String, String), &Value>| rows.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&said), keys(&wanted), "{}", input.display());
        for (key, wanted) in wanted {
            compare(&format!("{} {key:?}", input.display()), wanted, said[&key]);
            compared += 1;
        }
    }
    assert!(inputs.len() >= 42 && compared > 300, "{compared} states in {} scenarios", inputs.len());
}

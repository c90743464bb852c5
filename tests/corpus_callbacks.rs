//! Stuck callbacks in the labelled incidents: which waits will never be answered, and which are only slow.

mod common;

use std::collections::BTreeSet;

use common::corpus::corpus;
use common::incidents::labels;
use common::program::{argument, stepscope};
use serde_json::Value;

type Waits = BTreeSet<(String, String)>;

fn waits(list: &Value, execution: &str, is_wanted: impl Fn(&Value) -> bool) -> Waits {
    let text = |wait: &Value, name: &str| wait[name].as_str().expect("a text").to_owned();
    let all = list.as_array().expect("a list").iter().filter(|wait| is_wanted(wait));
    all.map(|wait| (text(wait, execution), text(wait, "state"))).collect()
}

#[test]
fn precision_and_recall_are_at_least_97_percent() {
    let Some(corpus) = corpus() else { return };
    let (mut right, mut wrong, mut missed) = (0, Vec::new(), Vec::new());
    for set in ["set-1", "set-2", "set-3"] {
        for scenario in std::fs::read_dir(corpus.join("incidents").join(set)).expect("scenarios") {
            let folder = scenario.expect("an entry").path();
            let labels = labels(&folder);
            let (input, definitions) = (folder.join("executions.jsonl.gz"), folder.join("definitions"));
            let now = labels["now"].as_str().expect("a time");
            let arguments =
                ["callbacks", "--input", argument(&input), "--definitions", argument(&definitions), "--now", now, "--output", "json"];
            let report: Value = serde_json::from_str(&stepscope(arguments).ends_with(0).out).expect("JSON");
            let found = waits(&report["findings"], "execution", |_| true);
            let lost = waits(&labels["stuck"], "executionArn", |_| true);
            let certain = waits(&labels["stuck"], "executionArn", |wait| wait["must_detect"] == true);
            right += found.intersection(&certain).count();
            let told = |wait: &(String, String)| format!("{}: {} {}", folder.display(), wait.1, wait.0);
            wrong.extend(found.difference(&lost).map(told));
            missed.extend(certain.difference(&found).map(told));
        }
    }
    assert!(right > 20, "{right}");
    assert!(wrong.len() * 100 <= 3 * right && missed.len() * 100 <= 3 * right, "{right} right, wrong {wrong:#?}, missed {missed:#?}");
}

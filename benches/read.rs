//! How fast a history of 25,000 events is read, beside a full typed parse of the same bytes.
//!
//! Run by `cargo bench --bench read`. Prints the median of alternating runs, so that a drifting machine hurts all alike.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

mod common;

use std::fmt::Write as _;
use std::hint::black_box;

use stepscope::sources::{Limits, read_path};

use common::{Candidate, medians, milliseconds, typed::Page};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: usize = 25_000;
const RUNS: usize = 15;

/// A workflow that goes round five events at a time, as the AWS CLI prints it.
fn history() -> String {
    let payload = |event: usize| {
        let order = format!(
            r#"{{"orderId":"ord-{event:08}","sku":"sku-0475","amount":410,"currency":"USD","tenant":"globex","note":"{}"}}"#,
            "packed ".repeat(30)
        );
        serde_json::to_string(&order).expect("a string is JSON")
    };
    let mut text = String::from("{\n    \"events\": [\n");
    for event in 0..EVENTS {
        let (kind, member, details) = match event % 5 {
            0 => (
                "TaskStateEntered",
                "stateEnteredEventDetails",
                format!(r#""name": "Pack", "input": {}, "inputDetails": {{ "truncated": false }}"#, payload(event)),
            ),
            1 => (
                "TaskScheduled",
                "taskScheduledEventDetails",
                format!(r#""resourceType": "lambda", "resource": "invoke", "region": "eu-west-1", "parameters": {}"#, payload(event)),
            ),
            2 => ("TaskStarted", "taskStartedEventDetails", r#""resourceType": "lambda", "resource": "invoke""#.to_owned()),
            3 => (
                "TaskSucceeded",
                "taskSucceededEventDetails",
                format!(
                    r#""resourceType": "lambda", "resource": "invoke", "output": {}, "outputDetails": {{ "truncated": false }}"#,
                    payload(event)
                ),
            ),
            _ => (
                "TaskStateExited",
                "stateExitedEventDetails",
                format!(r#""name": "Pack", "output": {}, "outputDetails": {{ "truncated": false }}"#, payload(event)),
            ),
        };
        let (minute, second, comma) = (event / 60 % 60, event % 60, if event + 1 == EVENTS { "" } else { "," });
        let details = details.replace(", \"", ",\n                \"");
        write!(
            text,
            "        {{\n            \"timestamp\": \"2026-01-01T00:{minute:02}:{second:02}.100000+00:00\",\n            \"type\": \"{kind}\",\n            \"id\": {},\n            \
             \"previousEventId\": {event},\n            \"{member}\": {{\n                {details}\n            }}\n        }}{comma}\n",
            event + 1
        )
        .expect("a String takes everything");
    }
    text.push_str("    ]\n}\n");
    text
}

fn main() {
    let pretty = history();
    let value: serde_json::Value = serde_json::from_str(&pretty).expect("the history is JSON");
    for (form, text) in [("as the AWS CLI prints it", pretty), ("on one line", value.to_string())] {
        measure(form, &text);
    }
}

fn measure(form: &str, text: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("history.json");
    std::fs::write(&path, text).expect("a temporary file");
    let ours = || {
        let mut events = 0;
        read_path(&path, &Limits::default(), &mut |history| events += black_box(history.expect("a history")).events.len());
        events
    };
    // The others get the file's bytes by the same way, so that only parsing differs.
    let sonic = || black_box(sonic_rs::from_slice::<Page<'_>>(&std::fs::read(&path).expect("the file")).expect("a page")).events.len();
    let serde = || black_box(serde_json::from_slice::<Page<'_>>(&std::fs::read(&path).expect("the file")).expect("a page")).events.len();
    let candidates = [
        Candidate { name: "stepscope's reader", work: &ours },
        Candidate { name: "sonic-rs, typed", work: &sonic },
        Candidate { name: "serde_json, typed", work: &serde },
    ];
    let times = medians(&candidates, RUNS);
    println!("{EVENTS} events, {:.1} MB, {form}", text.len() as f64 / 1e6);
    for (candidate, time) in candidates.iter().zip(&times) {
        println!("  {:20} {:7.2} ms {:7.0} MB/s", candidate.name, milliseconds(*time), text.len() as f64 / 1e6 / time.as_secs_f64());
    }
}

//! Another engine reads the tables as they are, and finds the same sums.

mod common;

#[allow(dead_code, reason = "what is known of a run is not asked here")]
#[path = "common/fleet.rs"]
mod fleet;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Command;

use bumpalo::Bump;
use serde_json::{Value, json};
use stepscope::analysis::facts::{Rebuilt, extract};
use stepscope::asl::Definition;
use stepscope::model::builder::history;
use stepscope::model::facts::Needs;
use stepscope::model::{AttemptFacts, ExecutionFacts, History, HistoryEvent, Micros, VisitFacts};
use stepscope::rebuild::rebuild;
use stepscope::store::encode::BatchBuilder;
use stepscope::store::schema::{Kind, TABLES};

/// How many values a column has, and their sum.
#[derive(Default)]
struct Sums(BTreeMap<String, (u64, i128)>);

impl Sums {
    fn number(&mut self, column: &str, value: Option<impl Into<i128>>) {
        let (count, sum) = self.0.entry(column.to_owned()).or_default();
        if let Some(value) = value {
            *count += 1;
            *sum += value.into();
        }
    }

    fn text(&mut self, column: &str, text: Option<&str>) {
        self.number(column, text.map(|text| text.len() as u64));
    }

    fn moment(&mut self, column: &str, moment: Option<Micros>) {
        self.number(column, moment.map(|moment| moment.0));
    }

    #[allow(clippy::cast_possible_truncation, reason = "durations of a test")]
    fn duration(&mut self, column: &str, duration: Option<f64>) {
        self.number(column, duration.map(|duration| (duration * 1000.0).round() as i64));
    }
}

fn execution(sums: &mut Sums, facts: &ExecutionFacts<'_>) {
    sums.text("execution", Some(facts.execution));
    sums.text("state_machine", facts.state_machine);
    sums.text("status", facts.status.map(|status| status.name()));
    sums.moment("start", facts.start);
    sums.moment("stop", facts.stop);
    sums.duration("duration_ms", facts.duration_ms());
    sums.number("events", Some(facts.events));
    sums.text("input", facts.input);
    sums.text("output", facts.output);
    sums.text("definition", facts.definition);
    sums.text("root_state", facts.failure.and_then(|failure| failure.root_state));
    sums.text("cause", facts.failure.and_then(|failure| failure.cause));
    sums.number("transitions", Some(facts.visits.iter().map(|visit| u64::from(visit.transitions)).sum::<u64>()));
}

fn visit(sums: &mut Sums, facts: &VisitFacts<'_>) {
    sums.text("state", Some(facts.state));
    sums.text("scope", Some(facts.scope));
    sums.text("outcome", Some(facts.outcome.name()));
    sums.number("parent_visit", facts.parent);
    sums.number("transitions", Some(facts.transitions));
    sums.moment("entered", facts.entered);
    sums.moment("exited", facts.exited);
    sums.duration("duration_ms", facts.duration_ms());
    sums.duration("run_ms", facts.run_ms);
    sums.duration("critical_ms", facts.critical_ms);
    sums.text("error", facts.error);
}

fn attempt(sums: &mut Sums, facts: &AttemptFacts<'_>) {
    sums.number("number", Some(facts.number));
    sums.text("outcome", Some(facts.outcome.name()));
    sums.moment("scheduled", facts.scheduled);
    sums.duration("wait_before_ms", facts.wait_before_ms);
    sums.text("cause", facts.cause);
}

fn event(sums: &mut Sums, event: &HistoryEvent) {
    sums.number("id", Some(event.id.0));
    sums.number("previous_event_id", event.previous_event_id.map(|id| id.0));
    sums.moment("timestamp", event.timestamp.map(Micros::from));
    sums.text("type", Some(event.type_name()));
    sums.text("name", event.state_name().map(|name| name.decode()).as_deref());
    sums.text("error", event.error().map(|error| error.decode()).as_deref());
    sums.text("cause", event.cause().map(|cause| cause.decode()).as_deref());
    sums.text("input", event.input().map(|input| input.text.decode()).as_deref());
    sums.text("output", event.output().map(|output| output.text.decode()).as_deref());
    let payload = event.input().or(event.output());
    sums.number("truncated", payload.map(|payload| u8::from(payload.truncated)));
    sums.number("rest", None::<u64>);
}

fn told() -> Vec<History> {
    let mut histories: Vec<History> = (0..300).map(|seed| fleet::tell(seed, 40).history).collect();
    histories.push(
        history("Orders")
            .input(json!({"note": "line\nbreak \"quoted\" \\ é 𝒳"}))
            .enter_task("Çharge", json!({"a": [1.5, null]}))
            .calls("lambda", "invoke")
            .attempt_failed("States.Timeout", Some("ran out\tof time"))
            .build(),
    );
    histories
}

#[test]
fn duckdb_finds_the_same_sums() {
    let Some(python) = common::moto::python() else {
        assert!(std::env::var_os("CI").is_none(), "this test needs the environment that scripts/test makes");
        let _ = writeln!(std::io::stderr(), "skipped: DuckDB reads the tables; run scripts/test to make its Python environment");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut builder = BatchBuilder::new();
    let mut wanted: [Sums; 4] = Default::default();
    let mut first = None;
    for history in told() {
        let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
        let path = rebuild(&history, definition.as_ref());
        let arena = Bump::new();
        let facts = extract(Rebuilt { history: &history, path: &path, definition: definition.as_ref() }, Needs::ALL, &arena);
        execution(&mut wanted[0], &facts);
        facts.visits.iter().for_each(|facts| visit(&mut wanted[1], facts));
        facts.attempts.iter().for_each(|facts| attempt(&mut wanted[2], facts));
        history.events.iter().for_each(|of_history| event(&mut wanted[3], of_history));
        let earliest = facts.visits.iter().filter_map(|visit| visit.entered).min();
        first = first.into_iter().chain(earliest).min();
        builder.push(&history, &path, &facts).expect("pushed");
    }
    let files = builder.write(folder.path()).expect("written").files;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/tables.py");
    let output = Command::new(python).arg(script).args(files.iter().map(|file| &file.path)).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("a document");
    for ((table, file), wanted) in TABLES.into_iter().zip(&files).zip(&wanted) {
        let found = &found[table.name];
        assert_eq!(found["rows"], file.rows, "{}", table.name);
        for column in table.columns {
            let kind = match column.kind {
                Kind::Word | Kind::Text => "VARCHAR",
                Kind::Integer => "BIGINT",
                Kind::Milliseconds => "DOUBLE",
                Kind::Moment => "TIMESTAMP WITH TIME ZONE",
                Kind::Flag => "BOOLEAN",
            };
            let found = &found["columns"][column.name];
            assert_eq!(found[0], kind, "{}.{}", table.name, column.name);
            if column.required {
                assert_eq!(found[1], file.rows, "{}.{}", table.name, column.name);
            }
            if let Some((count, sum)) = wanted.0.get(column.name) {
                assert_eq!((&found[1], &found[2]), (&json!(count), &json!(sum.to_string())), "{}.{}", table.name, column.name);
            }
        }
    }
    let first = first.expect("visits").timestamp().strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string();
    assert_eq!(found["visits"]["first"], first);
}

//! `query` as its user runs it, and every named query beside another engine on the same files.

mod common;

use std::process::Command;

use common::program::{argument, stepscope, stepscope_reading};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A store of the small incidents of `demo`.
fn store() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = argument(&folder.path().join("files")).to_owned();
    let store = argument(&folder.path().join("store")).to_owned();
    stepscope(["demo", "--force", "--only", "stories", &files]).ends_with(0);
    stepscope(["ingest", &files, "--store", &store]).ends_with(0);
    (folder, store)
}

#[test]
fn rows_come_as_a_table_as_json_and_as_csv() {
    let (_folder, store) = store();
    let sql = "SELECT name, status, start FROM executions WHERE machine = 'payment-flow'";
    let ask = |format: &str| stepscope(["query", sql, "--store", &store, "--output", format]).ends_with(0).out;
    assert_eq!(ask("text"), "name       status  start\npay-90210  FAILED  2026-01-01T00:00:00Z\n(1 row)\n");
    assert_eq!(ask("csv"), "name,status,start\npay-90210,FAILED,2026-01-01T00:00:00Z\n");
    let row = json!({"name": "pay-90210", "status": "FAILED", "start": "2026-01-01T00:00:00Z"});
    assert_eq!(serde_json::from_str::<Value>(&ask("jsonl")).expect("JSON"), row);
    let document = json!({"schema": "stepscope.query/1", "columns": ["name", "status", "start"], "rows": [row]});
    assert_eq!(serde_json::from_str::<Value>(&ask("json")).expect("JSON"), document);
}

#[test]
fn secrets_are_masked_in_every_form() {
    let (_folder, store) = store();
    for format in ["text", "json", "jsonl", "csv"] {
        let shown = stepscope(["query", "SELECT input FROM executions", "--store", &store, "--output", format]).ends_with(0).out;
        assert!(shown.contains("****") && !shown.contains("s3cr3t"), "{shown}");
    }
    assert!(!stepscope(["query", "SELECT input FROM executions", "--store", &store, "--no-redact"]).ends_with(0).out.contains("****"));
}

#[test]
fn a_query_is_read_from_standard_input() {
    let (_folder, store) = store();
    let sql = "-- How many?\nSELECT COUNT(*) AS n FROM executions;\n";
    let asked = stepscope_reading(["query", "-", "--store", &store, "--output", "csv"], sql).ends_with(0);
    assert_eq!(asked.out, "n\n11\n");
}

#[test]
fn what_can_not_be_asked_is_wrong_usage() {
    let (_folder, store) = store();
    for (sql, told) in [
        ("SELECT stat FROM executions", "stat"),
        ("SELECT * FROM nothing", "nothing"),
        ("SELEC 1", "SELEC"),
        ("DROP TABLE executions", "DROP"),
        ("SELECT * FROM read_parquet('/etc/passwd')", "READ_PARQUET"),
        ("", "empty"),
    ] {
        let refused = stepscope(["query", sql, "--store", &store]).ends_with(2);
        assert!(refused.words.contains(told) && refused.out.is_empty(), "{sql}: {}", refused.words);
    }
    let missing = stepscope(["query", "--named", "slow-states", "--store", &store]).ends_with(2);
    assert!(missing.words.contains("slowest-states"), "{}", missing.words);
    let csv = stepscope(["failures", "--store", &store, "--output", "csv"]).ends_with(2);
    assert!(csv.words.contains("query"), "{}", csv.words);
}

#[test]
fn a_query_on_which_the_engine_panics_is_an_error() {
    let (_folder, store) = store();
    for sql in ["SELECT INTERVAL '1 fortnight'", "SELECT start - INTERVAL '999999 years' FROM executions"] {
        let failed = stepscope(["query", sql, "--store", &store]).ends_with(1);
        assert!(failed.out.is_empty() && failed.words.contains("the SQL engine broke off"), "{sql}: {}", failed.words);
        assert!(!failed.words.contains("panicked") && failed.words.lines().count() == 1, "{sql}: {}", failed.words);
    }
}

#[test]
fn no_row_is_exit_code_4() {
    let (_folder, store) = store();
    stepscope(["query", "SELECT name FROM executions WHERE status = 'NEVER'", "--store", &store]).ends_with(4);
}

#[test]
fn files_can_be_asked_without_a_store() {
    let (folder, _store) = store();
    let files = argument(&folder.path().join("files")).to_owned();
    let asked = stepscope(["query", "SELECT COUNT(*) AS n FROM executions", "--input", &files, "--output", "csv"]).ends_with(0);
    assert_eq!(asked.out, "n\n11\n");
}

/// Reads the tables as DuckDB does and prints the rows of each query as lists of texts.
const ELSEWHERE: &str = r#"
import json, pathlib, sys, duckdb
store, queries = map(pathlib.Path, sys.argv[1:])
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
for table in ("executions", "visits", "attempts", "events"):
    files = f"{store}/{table}/*/*.parquet"
    connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{files}', hive_partitioning = true)")
def text(value):
    if value is None:
        return ""
    if hasattr(value, "timestamp"):
        return f"{value.timestamp():.6f}"
    if isinstance(value, float) or type(value).__name__ == "Decimal":
        return f"{float(value):.3f}"
    return str(value)
print(json.dumps({query.stem: [[text(value) for value in row] for row in connection.execute(query.read_text()).fetchall()]
                  for query in sorted(queries.glob("*.sql"))}))
"#;

#[test]
#[allow(clippy::print_stderr, reason = "what is left out is said")]
fn another_engine_gives_the_same_rows_for_every_named_query() {
    let Ok(environment) = std::env::var("STEPSCOPE_TEST_VENV") else {
        eprintln!("left out: no Python environment, run scripts/test");
        return;
    };
    let (_folder, store) = store();
    let queries = concat!(env!("CARGO_MANIFEST_DIR"), "/queries/sql");
    let output = Command::new(format!("{environment}/bin/python")).args(["-c", ELSEWHERE, &store, queries]).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let elsewhere: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let elsewhere = elsewhere.as_object().expect("an object");
    assert_eq!(elsewhere.len(), 14);
    let mut rows_seen = 0;
    for (name, rows) in elsewhere {
        let asked = stepscope(["query", "--named", name, "--store", &store, "--output", "jsonl"]);
        assert!([0, 4].contains(&asked.code), "{name}: {}", asked.words);
        let ours: Vec<Value> = asked
            .out
            .lines()
            .map(|row| {
                let row: serde_json::Map<String, Value> = serde_json::from_str(row).expect("JSON");
                row.values().map(|value| Value::String(text(value))).collect()
            })
            .collect();
        rows_seen += ours.len();
        assert_eq!(&Value::Array(ours), rows, "{name}");
    }
    assert!(rows_seen > 50, "{rows_seen} rows");
}

/// A value as the script above writes it.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().expect("a number")),
        Value::Number(number) => number.to_string(),
        Value::String(text) => match text.parse::<stepscope::model::Timestamp>() {
            Ok(moment) => {
                let micros = moment.as_microsecond();
                format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
            }
            Err(_) => text.clone(),
        },
        other => other.to_string(),
    }
}

//! The test suite of JSONata through the adapter.
//!
//! The material is no part of this repository: see `tests/common/corpus.rs`. Cases of what the service leaves out or bounds otherwise
//! are excluded, each for a reason; all others are counted.

mod common;

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use common::corpus::corpus;
use stepscope::expr::{Jsonata, Scope, Surroundings, Value};

/// The least share of the cases that must be right.
const FLOOR: f64 = 0.99;

/// Cases that cannot be right here: `<group>` or `<group>/<file>`, and why.
const EXCLUDED: &[(&str, &str)] = &[
    ("function-eval", "the service has no $eval"),
    ("function-encodeUrl/case002", "half of a surrogate pair, which no text holds"),
    ("function-encodeUrlComponent/case002", "half of a surrogate pair, which no text holds"),
    ("function-tomillis/parseDateTime#28", "the engine fills in the day of its own clock, $now tells that of the execution"),
    ("numeric-operators/case014", "the service goes on with Infinity where the reference throws D1001"),
    ("range-operator/case021", "more numbers than the service allows"),
    ("range-operator/case024", "more numbers than the service allows"),
    ("tail-recursion/case001", "deeper than the service allows"),
    ("tail-recursion/case006", "an endless loop, which only the clock ends"),
];

struct Case {
    name: String,
    expression: String,
    data: Option<Value>,
    bindings: HashMap<String, Value>,
    expected: Expected,
}

enum Expected {
    Value(Value),
    Nothing,
    Code(String),
}

/// The bindings of a case.
struct Bindings(HashMap<String, Value>);

impl Surroundings for Bindings {
    fn context(&self) -> Value {
        Value::Null
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn uuid(&self) -> String {
        "00000000-0000-4000-8000-000000000000".to_owned()
    }

    fn now(&self) -> i64 {
        1_700_000_000_123
    }
}

fn text_of(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn read(path: &Path) -> Value {
    let value = text_of(path).and_then(|text| Value::parse(&text).ok());
    value.unwrap_or_else(|| panic!("{} cannot be read", path.display()))
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn cases(suite: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut datasets = HashMap::new();
    for path in files(&suite.join("datasets")) {
        datasets.insert(path.file_stem().expect("a name").to_string_lossy().into_owned(), read(&path));
    }
    for group in files(&suite.join("groups")) {
        for path in files(&group).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
            let document = text_of(&path).map_or(Value::Null, |text| Value::parse(&text).unwrap_or_default());
            let all = document.as_array().map_or_else(|| vec![document.clone()], <[Value]>::to_vec);
            for (position, case) in all.iter().enumerate() {
                let group = group.file_name().expect("a name").to_string_lossy().into_owned();
                let file = path.file_stem().expect("a name").to_string_lossy().into_owned();
                let suffix = if all.len() > 1 { format!("#{position}") } else { String::new() };
                cases.push(case_of(format!("{group}/{file}{suffix}"), case, &path, &datasets));
            }
        }
    }
    cases
}

fn case_of(name: String, case: &Value, path: &Path, datasets: &HashMap<String, Value>) -> Case {
    let text = |member: &str| case.get(member).and_then(Value::as_str).map(str::to_owned);
    // A file that is no JSON has no expression, and fails unless it is excluded.
    let expression = text("expr").or_else(|| text_of(&path.with_file_name(text("expr-file")?))).unwrap_or_default();
    let expected = match (case.get("result"), text("code").or_else(|| case.get("error")?.get("code")?.as_str().map(str::to_owned))) {
        (_, Some(code)) => Expected::Code(code),
        (Some(value), None) => Expected::Value(value.clone()),
        (None, None) => Expected::Nothing,
    };
    let data = case.get("data").cloned().or_else(|| datasets.get(case.get("dataset")?.as_str()?).cloned());
    let bindings = case.get("bindings").and_then(Value::as_object);
    let bindings =
        bindings.into_iter().flat_map(stepscope::expr::Object::iter).map(|(name, value)| (name.to_string(), value.clone())).collect();
    Case { name, expression, data, bindings, expected }
}

/// Whether two values are equal but for the last digits of numbers: expectations were rounded when they were written.
fn is_close(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64(), other.as_f64());
            (one - other).abs() <= f64::EPSILON * 4.0 * one.abs()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other.iter()).all(|(one, other)| is_close(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| is_close(value, other)))
        }
        _ => one == other,
    }
}

/// What is wrong with the answer to a case.
fn wrong(case: &Case) -> Option<String> {
    let around = Bindings(case.bindings.clone());
    let scope = Scope { input: &Value::Null, result: None, error_output: None, around: &around };
    let found = match Jsonata::parse(&case.expression) {
        Ok(parsed) => parsed.find(case.data.as_ref(), scope, "Output").map_err(|error| error.cause),
        Err(error) => Err(error.message),
    };
    match (&case.expected, found) {
        (Expected::Value(expected), Ok(Some(value))) if is_close(&value, expected) => None,
        (Expected::Nothing, Ok(None)) => None,
        (Expected::Code(code), Err(cause)) if cause.contains(&format!("{code}: ")) => None,
        // The service gives no code for a bound.
        (Expected::Code(code), Err(cause)) if code == "U1001" && cause.contains("Stack overflow error") => None,
        (Expected::Value(expected), found) => Some(format!("{found:?} instead of {expected}").chars().take(500).collect()),
        (Expected::Nothing, found) => Some(format!("{found:?} instead of nothing")),
        (Expected::Code(code), found) => Some(format!("{found:?} instead of {code}").chars().take(500).collect()),
    }
}

#[test]
#[allow(clippy::cast_precision_loss, reason = "a few thousand cases")]
fn the_suite_of_jsonata_passes() {
    let Some(corpus) = corpus() else { return };
    let cases = cases(&corpus.join("jsonata-suite"));
    let excluded = |case: &Case| EXCLUDED.iter().any(|(name, _)| case.name == *name || case.name.split('/').next() == Some(name));
    let counted: Vec<&Case> = cases.iter().filter(|case| !excluded(case)).collect();
    let wrong: Vec<String> =
        counted.iter().filter_map(|case| Some(format!("{}: {}\n    {}", case.name, wrong(case)?, case.expression))).collect();
    let share = 1.0 - wrong.len() as f64 / counted.len() as f64;
    let (right, all) = (counted.len() - wrong.len(), cases.len());
    let line =
        format!("JSONata suite: {right} of {} right ({:.2} %), {} of {all} excluded", counted.len(), share * 100.0, all - counted.len());
    let _ = writeln!(std::io::stderr(), "{line}");
    assert!(cases.len() >= 1_686, "only {} cases", cases.len());
    assert!(share >= FLOOR, "{line}\n{}", wrong.join("\n"));
}

//! Executions for stores, and the rows of a store as any engine would see them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use polars::prelude::{DataFrame, ParquetReader, SerReader};
use serde_json::json;
use stepscope::model::History;
use stepscope::model::builder::{HistoryBuilder, history, seconds};
use stepscope::model::wire::WireBundle;
use tempfile::TempDir;

/// Between the values of a row.
pub const SEPARATOR: &str = "\u{1f}";

/// A folder in memory where there is one: a store waits for its disk, and these tests write many.
pub fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// How far an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Running,
    Failed,
    RedrivenAndRunning,
    RedrivenAndSucceeded,
    Succeeded,
}

/// An order that was placed so many days after the first one.
pub fn order(name: &str, day: u64, form: Form) -> History {
    let mut told = history("Orders");
    let placed = told.now() + Duration::from_secs(day * 86_400);
    told.named(name).clock_at(placed).input(json!({"order": name}));
    told.pass("Check", json!({}), json!({"checked": true})).enter_task("Charge", json!({"order": name}));
    told.after(seconds(1)).scheduled().started();
    let charged = |told: &mut HistoryBuilder| {
        told.after(seconds(2)).succeeded(json!({"paid": name})).exit(json!({"paid": name})).execution_succeeded(json!({"paid": name}));
    };
    match form {
        Form::Running => {}
        Form::Succeeded => charged(&mut told),
        Form::Failed => {
            told.failed("CardDeclined", Some("no money")).execution_failed();
        }
        Form::RedrivenAndRunning | Form::RedrivenAndSucceeded => {
            told.failed("CardDeclined", Some("no money")).execution_failed();
            told.after(seconds(60)).redriven().scheduled().started();
            if form == Form::RedrivenAndSucceeded {
                charged(&mut told);
            }
        }
    }
    told.build()
}

/// As JSON Lines.
pub fn lines(histories: impl IntoIterator<Item = History>) -> String {
    histories.into_iter().map(|history| serde_json::to_string(&WireBundle(&history)).expect("strings and numbers") + "\n").collect()
}

/// Every Parquet file of a table, wherever it stands.
pub fn files_of(store: &Path, table: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for day in fs::read_dir(store.join(table)).into_iter().flatten() {
        for file in fs::read_dir(day.expect("an entry").path()).expect("a folder of a day") {
            files.push(file.expect("an entry").path());
        }
    }
    files.sort();
    files
}

/// The rows of the four tables, each as text, sorted: what an engine sees that knows nothing of batches.
pub fn rows(store: &Path) -> Vec<Vec<String>> {
    ["executions", "visits", "attempts", "events"].map(|table| rows_of(store, table)).into()
}

fn rows_of(store: &Path, table: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for file in files_of(store, table) {
        let read = ParquetReader::new(File::open(&file).expect("a file")).finish();
        let frame: DataFrame = read.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let day = file.parent().and_then(Path::file_name).expect("in the folder of a day").to_string_lossy().into_owned();
        for row in 0..frame.height() {
            let values =
                frame.columns().iter().map(|column| format!("{}={:?}", column.name(), column.get(row).expect("a value").into_static()));
            rows.push(std::iter::once(day.clone()).chain(values).collect::<Vec<_>>().join(SEPARATOR));
        }
    }
    rows.sort();
    rows
}

/// Compares the rows of two stores and names those that differ.
#[track_caller]
pub fn assert_same_rows(found: &[Vec<String>], expected: &[Vec<String>], place: &str) {
    let short = |rows: &[String], others: &[String]| {
        let others: std::collections::HashSet<&String> = others.iter().collect();
        let rows = rows.iter().filter(|row| !others.contains(row)).take(3);
        rows.map(|row| row.replace(SEPARATOR, " ")).collect::<Vec<_>>().join("\n")
    };
    for (found, expected) in found.iter().zip(expected) {
        if found != expected {
            let counts = (found.len(), expected.len());
            panic!("{place}: rows {counts:?}; only found:\n{}\nonly expected:\n{}", short(found, expected), short(expected, found));
        }
    }
}

/// Every file of a folder with what it holds, but empty ones and folders.
pub fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = super::corpus::files(folder).into_iter().map(|file| (file.clone(), fs::read(&file).expect("read")));
    files.filter(|(_, bytes)| !bytes.is_empty()).collect()
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    for file in super::corpus::files(from) {
        let target = to.join(file.strip_prefix(from).expect("inside"));
        fs::create_dir_all(target.parent().expect("inside")).expect("made");
        fs::copy(&file, &target).expect("copied");
    }
}

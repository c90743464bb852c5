//! A store survives whatever happens to its writers: they are killed, they meet, they replace what others read.

mod common;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::program::{argument, stepscope};
use common::store::{Form, SEPARATOR, assert_same_rows, copy, lines, order, rows};
use stepscope::store::{Store, StoreError, decode::keys_of_batch};
use tempfile::TempDir;

/// How often the program is killed.
const KILLS: u32 = 50;

/// A folder with two files of executions: the second has most of the first ones in a later form, and others.
fn inputs() -> (TempDir, PathBuf, PathBuf) {
    let folder = common::store::folder();
    let name = |number: u64| format!("order-{number}");
    let before = (0..90).map(|number| order(&name(number), number % 3, if number % 2 == 0 { Form::Running } else { Form::Failed }));
    let after = (10..180).map(|number| {
        let forms = [Form::Succeeded, Form::Running, Form::RedrivenAndRunning, Form::RedrivenAndSucceeded, Form::Failed];
        order(&name(number), number % 3, forms[usize::try_from(number % 5).expect("small")])
    });
    let (first, second) = (folder.path().join("before.jsonl"), folder.path().join("after.jsonl"));
    fs::write(&first, lines(before)).expect("written");
    fs::write(&second, lines(after)).expect("written");
    (folder, first, second)
}

fn ingest(file: &Path, store: &Path) {
    stepscope(["ingest", argument(file), "--store", argument(store)]).succeeds();
}

/// How long it takes when nobody interrupts it.
fn ingest_again(file: &Path, from: &Path, store: &Path) -> Duration {
    copy(from, store);
    let began = Instant::now();
    ingest(file, store);
    began.elapsed()
}

fn start(file: &Path, store: &Path) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepscope"));
    command.args(["ingest", argument(file), "--store", argument(store)]).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// The executions that are visible, and how far each is; nothing is there twice.
fn visible(folder: &Path) -> Result<HashMap<String, (u64, u64)>, StoreError> {
    let mut seen = HashMap::new();
    for batch in Store::open(folder)?.batches(None)? {
        for key in keys_of_batch(&batch.executions())? {
            let twice = seen.insert(key.execution.clone(), (key.redrive_count, key.events));
            assert!(twice.is_none(), "{} is there twice", key.execution);
        }
    }
    Ok(seen)
}

#[test]
fn a_writer_that_is_killed_at_any_moment_loses_nothing() {
    let (folder, before, after) = inputs();
    let path = |name: &str| folder.path().join(name);
    ingest(&before, &path("first"));
    copy(&path("first"), &path("whole"));
    ingest(&after, &path("whole"));
    let mut took = ingest_again(&after, &path("first"), &path("timed"));
    let expected = rows(&path("whole"));
    let known = visible(&path("first")).expect("read");
    let mut interrupted = 0;
    for kill in 0..KILLS {
        let store = path(&format!("killed-{kill}"));
        copy(&path("first"), &store);
        let mut writer = start(&after, &store);
        // The moments are spread over the run, so that each part of it is met.
        std::thread::sleep(took * (kill % 10) / 10);
        writer.kill().expect("killed");
        let is_interrupted = !writer.wait().expect("ended").success();
        interrupted += u32::from(is_interrupted);
        let left = visible(&store).expect("read");
        assert!(known.keys().all(|execution| left.contains_key(execution)), "something of before was lost");
        stepscope(["store", "verify", "--store", argument(&store)]).ends_with(0);
        let began = Instant::now();
        ingest(&after, &store);
        // A busy machine is slower now and faster then.
        took = if is_interrupted { began.elapsed() } else { took.min(began.elapsed()).mul_f64(0.9) };
        assert_same_rows(&rows(&store), &expected, &format!("killed after {kill} of {KILLS} parts of {took:?}"));
        assert_eq!(fs::read_dir(store.join(".staging")).expect("a folder").count(), 0);
        fs::remove_dir_all(&store).expect("removed");
    }
    assert!(interrupted > KILLS / 4, "only {interrupted} of {KILLS} runs were interrupted");
}

#[test]
fn two_writers_at_once_lose_nothing_and_store_nothing_twice() {
    let (folder, before, after) = inputs();
    let path = |name: &str| folder.path().join(name);
    ingest(&before, &path("expected"));
    ingest(&after, &path("expected"));
    // What both files have in the same form comes from whoever is first: its source says so.
    let expected = without_sources(rows(&path("expected")));
    for round in 0..5 {
        let store = path(&format!("shared-{round}"));
        let writers = [start(&before, &store), start(&after, &store), start(&after, &store), start(&before, &store)];
        for writer in writers {
            let output = writer.wait_with_output().expect("ended");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_same_rows(&without_sources(rows(&store)), &expected, &format!("round {round}"));
        stepscope(["store", "verify", "--store", argument(&store)]).ends_with(0);
    }
}

fn without_sources(mut tables: Vec<Vec<String>>) -> Vec<Vec<String>> {
    for row in tables.iter_mut().flatten() {
        let columns: Vec<&str> = row.split(SEPARATOR).filter(|column| !column.starts_with("source")).collect();
        *row = columns.join(SEPARATOR);
    }
    for rows in &mut tables {
        rows.sort();
    }
    tables
}

#[test]
fn readers_see_every_execution_once_while_others_write_and_compact() {
    let (folder, before, after) = inputs();
    let store = folder.path().join("store");
    ingest(&before, &store);
    let known = visible(&store).expect("read");
    let is_done = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut best = known.clone();
            let mut looks = 0;
            while !is_done.load(Ordering::Relaxed) || looks == 0 {
                match visible(&store) {
                    Err(error) if error.is_vanished() => {}
                    seen => {
                        let seen = seen.expect("read");
                        for (execution, form) in &best {
                            assert!(
                                seen.get(execution).is_some_and(|now| now >= form),
                                "{execution} was {form:?} and is {:?}",
                                seen.get(execution)
                            );
                        }
                        best = seen;
                        looks += 1;
                    }
                }
            }
            looks
        });
        for number in 0..8 {
            let part = folder.path().join(format!("part-{number}.jsonl"));
            let text = fs::read_to_string(&after).expect("read");
            let lines: Vec<&str> = text.lines().skip(number).step_by(8).collect();
            fs::write(&part, lines.join("\n")).expect("written");
            let mut writer = start(&part, &store);
            let mut compacting = Command::new(env!("CARGO_BIN_EXE_stepscope"));
            compacting.args(["store", "compact", "--store", argument(&store)]).stdout(Stdio::null());
            assert!(compacting.status().expect("started").success());
            assert!(writer.wait().expect("ended").success());
        }
        std::thread::sleep(Duration::from_millis(20));
        is_done.store(true, Ordering::Relaxed);
        reader.join().expect("the reader saw what it should")
    });
    assert!(looks > 3, "{looks}");
    stepscope(["store", "compact", "--store", argument(&store)]).succeeds();
    ingest(&after, &store);
    assert_eq!(visible(&store).expect("read").len(), 180);
    stepscope(["store", "verify", "--store", argument(&store)]).ends_with(0);
}

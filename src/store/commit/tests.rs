//! Crashes after each step of a commit, and what is left after the next start.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::model::Timestamp;
use crate::store::layout::{BatchName, Day};
use crate::store::writer::Staging;

/// A story: what is there, what is added, what it replaces.
#[derive(Clone, Copy)]
struct Story<'s> {
    before: &'s [&'s str],
    new: &'s [&'s str],
    dead: &'s [&'s str],
}

const STORIES: [Story<'static>; 5] = [
    Story { before: &[], new: &["20 a"], dead: &[] },
    Story { before: &["20 a"], new: &["20 b"], dead: &[] },
    Story { before: &["20 a", "20 b", "21 a"], new: &["20 c"], dead: &["20 a", "20 b"] },
    Story { before: &["19 a", "20 a", "21 a"], new: &["19 c", "20 c", "20 d"], dead: &["19 a", "20 a"] },
    Story { before: &["19 a", "20 a"], new: &[], dead: &["20 a"] },
];

/// `20 a` is batch `a` of the 20th.
fn batch(store: &Store, text: &str) -> Batch {
    let (day, letter) = text.split_once(' ').expect("a day and a letter");
    let day = Day::from_folder(&format!("day=2026-11-{day}")).expect("a day");
    store.batch(day, BatchName::parse(&format!("0199a4c2f3b1-5f3a9c02-000{letter}")).expect("a name"))
}

fn batches(store: &Store, texts: &[&str]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = texts.iter().map(|text| batch(store, text)).collect();
    batches.sort();
    batches
}

/// Files that hold their own names.
fn stage(staging: &Staging, store: &Store, texts: &[&str], disk: &Disk) -> Result<Vec<Staged>, StoreError> {
    let stage = |text: &&str| {
        let folder = staging.folder().join(text.replace(' ', "-"));
        fs::create_dir(&folder).expect("made");
        for table in TABLES {
            fs::write(folder.join(format!("{}.parquet", table.name)), format!("{} {text}", table.name)).expect("written");
        }
        Staged::seal(batch(store, text), folder, disk)
    };
    texts.iter().map(stage).collect()
}

fn begin(store: &Store, disk: Disk) -> Result<Staging, StoreError> {
    Staging::begin(store, disk, Timestamp::UNIX_EPOCH)
}

fn told(story: &Story<'_>) -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::create_or_open(folder.path()).expect("made");
    let staging = begin(&store, Disk::default()).expect("begun");
    let staged = stage(&staging, &store, story.before, &Disk::default()).expect("staged");
    for staged in staged {
        commit(&[staged], &[], &store.lock().expect("locked"), &Disk::default()).expect("committed");
    }
    drop(staging);
    (folder, store)
}

/// Does what the story tells until the disk stops.
fn happen(story: &Story<'_>, store: &Store, disk: &Disk) -> Result<(), StoreError> {
    let staging = begin(store, disk.clone())?;
    let new = stage(&staging, store, story.new, disk)?;
    let locked = staging.lock()?;
    commit(&new, &batches(store, story.dead), &locked, disk)
}

fn after<'s>(story: &Story<'s>) -> Vec<&'s str> {
    let mut after: Vec<&str> = story.before.iter().copied().filter(|text| !story.dead.contains(text)).collect();
    after.extend(story.new);
    after
}

/// Names and what they hold.
type Files = Vec<(String, String)>;

/// Every file below a folder.
fn files(root: &Path) -> Files {
    let mut found = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).expect("listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(root).expect("inside").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    found.sort();
    found
}

/// What is there after the next writer has begun and ended: either all of it or nothing, and nothing else.
fn assert_whole(story: &Story<'_>, expected: &[Files; 2], store: &Store, place: &str) {
    let seen = store.batches(None).expect("listed");
    drop(begin(store, Disk::default()).expect("recovered"));
    assert_eq!(store.batches(None).expect("listed"), seen, "{place}: recovery changes what is seen");
    let outcome = [story.before.to_vec(), after(story)].iter().position(|outcome| batches(store, outcome) == seen);
    let outcome = outcome.unwrap_or_else(|| panic!("{place}: {seen:?} is neither before nor after"));
    assert_eq!(files(store.root()), expected[outcome], "{place}");
}

/// The files of a store in which nothing happened, and of one in which all of it did.
fn outcomes(story: &Story<'_>) -> [Files; 2] {
    [story.before.to_vec(), after(story)].map(|outcome| {
        let (_folder, store) = told(&Story { before: &outcome, new: &[], dead: &[] });
        files(store.root())
    })
}

#[test]
fn a_crash_after_any_step_leaves_all_of_a_commit_or_nothing() {
    for (number, story) in STORIES.iter().enumerate() {
        let expected = outcomes(story);
        let mut seen = [0, 0];
        for step in 0.. {
            let (_folder, store) = told(story);
            let disk = Disk::crashing_after(step);
            let done = happen(story, &store, &disk);
            if !disk.has_crashed() {
                done.expect("nothing fails");
                assert_eq!(store.batches(None).expect("listed"), batches(&store, &after(story)));
                break;
            }
            seen[usize::from(store.batches(None).expect("listed") == batches(&store, &after(story)))] += 1;
            assert_whole(story, &expected, &store, &format!("story {number}, step {step}"));
        }
        assert!(seen.into_iter().all(|times| times > 0), "story {number}: {seen:?}");
    }
}

#[test]
fn a_crash_while_recovering_from_a_crash_is_recovered_from() {
    let story = &STORIES[3];
    let expected = outcomes(story);
    for step in (0..).step_by(3) {
        for again in (0..).step_by(2) {
            let (_folder, store) = told(story);
            let disk = Disk::crashing_after(step);
            let _ = happen(story, &store, &disk);
            if !disk.has_crashed() {
                return;
            }
            let recovering = Disk::crashing_after(again);
            drop(begin(&store, recovering.clone()));
            assert_whole(story, &expected, &store, &format!("step {step}, again {again}"));
            if !recovering.has_crashed() {
                break;
            }
        }
    }
}

#[test]
fn what_others_put_into_the_folders_stays() {
    let (_folder, store) = told(&STORIES[1]);
    let others = ["visits/notes.txt", "visits/day=2026-11-20/mine.parquet", "executions/_SUCCESS", "visits/day=2026-11-20/.hidden"];
    for other in others {
        fs::write(store.root().join(other), "mine").expect("written");
    }
    drop(begin(&store, Disk::default()).expect("recovered"));
    assert!(others.iter().all(|other| store.root().join(other).exists()));
    assert_eq!(store.batches(None).expect("listed").len(), 1);
}

#[test]
fn the_folder_of_a_writer_at_work_stays() {
    let (_folder, store) = told(&STORIES[0]);
    let at_work = begin(&store, Disk::default()).expect("begun");
    let dead = store.root().join(STAGING).join("deadbeef");
    fs::create_dir(&dead).expect("made");
    drop(begin(&store, Disk::default()).expect("begun"));
    assert!(at_work.folder().exists());
    assert!(!dead.exists());
}

#[test]
fn a_folder_is_a_store_an_empty_one_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let message = |result: Result<Store, StoreError>| result.expect_err("refused").to_string();
    assert!(message(Store::open(&folder.path().join("missing"))).contains("there is no store"));
    assert!(message(Store::open(folder.path())).contains("there is no store"));
    Store::create_or_open(folder.path()).expect("made");
    Store::open(folder.path()).expect("opened");
    let marker = folder.path().join(MARKER);
    fs::write(&marker, r#"{"format":"stepscope-store","version":99}"#).expect("written");
    assert!(message(Store::create_or_open(folder.path())).contains("version 99"));
    fs::write(&marker, "{").expect("written");
    assert!(message(Store::open(folder.path())).contains("stepscope.json can't be understood"));
    fs::remove_file(&marker).expect("removed");
    fs::write(folder.path().join("thesis.tex"), "").expect("written");
    for refused in [Store::open(folder.path()), Store::create_or_open(folder.path())] {
        assert!(message(refused).contains("is not empty and no store"));
    }
    assert!(message(Store::open(&folder.path().join("thesis.tex"))).contains("thesis.tex"));
}

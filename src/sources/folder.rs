//! A folder of files, and the folders inside it: each folder's loose pages, descriptions and definitions are put together.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::documents::Read;
use super::error::SourceError;
use super::executions::{self, Sequence, Unit};
use super::files::read_file;
use super::limits::Limits;
use super::log_records::Collector;
use crate::model::History;

/// Visits every file below `root`, folder by folder, in the order of their names. Entries whose names begin with a dot are passed over;
/// a folder that a link leads back to is visited once.
pub(super) fn walk(root: &Path, limits: &Limits, visit: &mut dyn FnMut(&Path, Vec<PathBuf>), report: &mut dyn FnMut(SourceError)) {
    let mut seen = HashSet::new();
    let mut waiting = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        if depth > limits.folders {
            report(SourceError::FoldersTooDeep { origin: folder.display().to_string(), limit: limits.folders });
            continue;
        }
        match fs::canonicalize(&folder) {
            Ok(real) => {
                if !seen.insert(real) {
                    continue;
                }
            }
            Err(reason) => {
                report(unreadable(&folder, reason));
                continue;
            }
        }
        let (files, folders) = entries(&folder, report);
        visit(&folder, files);
        waiting.extend(folders.into_iter().rev().map(|folder| (folder, depth + 1)));
    }
}

fn entries(folder: &Path, report: &mut dyn FnMut(SourceError)) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let mut paths = Vec::new();
    match fs::read_dir(folder) {
        Ok(list) => {
            for entry in list {
                match entry {
                    Ok(entry) if entry.file_name().as_encoded_bytes().starts_with(b".") => {}
                    Ok(entry) => paths.push(entry.path()),
                    Err(reason) => report(unreadable(folder, reason)),
                }
            }
        }
        Err(reason) => report(unreadable(folder, reason)),
    }
    paths.sort();
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for path in paths {
        match fs::metadata(&path) {
            Ok(about) if about.is_dir() => folders.push(path),
            Ok(about) if about.is_file() => files.push(path),
            Ok(_) => report(SourceError::NotAFile { origin: path.display().to_string() }),
            Err(reason) => report(unreadable(&path, reason)),
        }
    }
    (files, folders)
}

fn unreadable(path: &Path, reason: std::io::Error) -> SourceError {
    SourceError::Unreadable { origin: path.display().to_string(), reason }
}

/// Reads every execution in the folder and the folders inside it.
pub(super) fn read(root: &Path, limits: &Limits, collector: &Collector, sink: &mut dyn FnMut(Result<History, SourceError>)) {
    let sink = std::cell::RefCell::new(sink);
    let mut files_seen = 0_usize;
    let mut reported = 0_usize;
    walk(
        root,
        limits,
        &mut |folder, files| {
            files_seen += files.len();
            read_one(folder, &files, limits, collector, &mut **sink.borrow_mut());
        },
        &mut |error| {
            reported += 1;
            sink.borrow_mut()(Err(error));
        },
    );
    if files_seen + reported == 0 {
        sink.borrow_mut()(Err(SourceError::EmptyFolder { origin: root.display().to_string() }));
    }
}

fn read_one(folder: &Path, files: &[PathBuf], limits: &Limits, collector: &Collector, sink: &mut dyn FnMut(Result<History, SourceError>)) {
    let mut loose: Vec<Unit> = Vec::new();
    for file in files {
        let mut sequence = Sequence::default();
        let mut units = Vec::new();
        read_file(file, limits, &mut |part| {
            match part {
                Ok(Read::Part(part, place)) => sequence.take(part, place, &mut |unit| units.push(unit)),
                Ok(Read::Message(text, place)) => {
                    collector.add_message(&text.decode(), &place, &mut |result| sink(result.map_err(|rejected| rejected.error)));
                }
                Err(rejected) => sink(Err(rejected.error)),
            }
            settle(&mut units, &mut loose, sink);
        });
        sequence.finish(&mut |unit| units.push(unit));
        settle(&mut units, &mut loose, sink);
    }
    executions::of_folder(&folder.display().to_string(), loose, sink);
}

/// Hands on what its own file completed, and keeps the rest for the end of the folder.
fn settle(units: &mut Vec<Unit>, loose: &mut Vec<Unit>, sink: &mut dyn FnMut(Result<History, SourceError>)) {
    for unit in units.drain(..) {
        if unit.is_complete() {
            sink(unit.into_history(None));
        } else {
            loose.push(unit);
        }
    }
}

//! Executions that the store holds, for the verbs that look at one execution.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::exit_code::WrongUsage;
use crate::analysis::facts::identity;
use crate::model::{History, Origin};
use crate::store::decode::{BatchPaths, histories_of_batch, history_of, keys_of_batch};
use crate::store::{Batch, Store, StoreError};

/// How often batches are listed again that were replaced while they were read.
const TRIES: usize = 5;
/// Of executions with one name, so many are listed.
const LISTED: usize = 5;

/// A store that is read execution by execution.
pub struct Stored {
    store: Store,
    folder: PathBuf,
}

/// What a search found.
pub struct Found {
    /// The execution; `None` when the store does not have it.
    pub history: Option<History>,
    /// Files that could not be read.
    pub damaged: Vec<StoreError>,
}

impl Stored {
    /// Opens a store; fails for a folder that is none.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self { store: Store::open(folder)?, folder: folder.to_owned() })
    }

    /// The execution with this ARN, or this name if only one has it.
    pub fn find(&self, execution: &str) -> anyhow::Result<Found> {
        again_if_replaced(|| {
            let mut damaged = Vec::new();
            let mut matches: Vec<(BatchPaths, String)> = Vec::new();
            for batch in self.store.batches(None)? {
                match keys_of_batch(&batch.executions()) {
                    Ok(keys) => {
                        let named = keys.into_iter().filter(|key| key.execution == execution || key.name == execution);
                        matches.extend(named.map(|key| (batch.paths(), key.execution)));
                    }
                    Err(error) if error.is_vanished() => return Err(error),
                    Err(error) => damaged.push(error),
                }
            }
            let history = match matches.as_slice() {
                [] => Ok(None),
                [(batch, arn)] => match history_of(batch, arn) {
                    Ok(history) => Ok(history),
                    Err(error) if error.is_vanished() => return Err(error),
                    Err(error) => Err(anyhow::Error::from(error)),
                },
                several => Err(ambiguous(execution, several).into()),
            };
            Ok(history.map(|history| Found { history: history.map(|history| self.signed(history)), damaged }))
        })?
    }

    /// Hands over every execution, and what could not be read.
    pub fn each(&self, take: &mut dyn FnMut(History), report: &mut dyn FnMut(StoreError)) -> anyhow::Result<()> {
        let mut batches = self.store.batches(None)?;
        let mut seen: Vec<Batch> = Vec::new();
        // A batch that replaces one which was read holds the same executions again.
        let mut taken = HashSet::new();
        let mut tries = 0;
        while let Some(batch) = batches.iter().find(|batch| !seen.contains(batch)).cloned() {
            let mut read = Vec::new();
            match histories_of_batch(&batch.paths(), &mut |history| read.push(history)) {
                Ok(()) => {
                    for history in read.into_iter().map(|history| self.signed(history)) {
                        if taken.insert(hash_of(&history.origin.source)) {
                            take(history);
                        }
                    }
                }
                Err(error) if error.is_vanished() && tries < TRIES => {
                    tries += 1;
                    batches = self.store.batches(None)?;
                    continue;
                }
                Err(error) => report(error),
            }
            seen.push(batch);
        }
        Ok(())
    }

    /// With its place in the store in place of the file that it once came from.
    fn signed(&self, mut history: History) -> History {
        let header = &history.header;
        let source = header.arn.as_ref().map(ToString::to_string).or_else(|| header.name.clone());
        let source = source.unwrap_or_else(|| identity(&history).into_owned());
        history.origin = Origin { store: Some(self.folder.display().to_string()), ..Origin::from(source) };
        history
    }
}

fn hash_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn ambiguous(name: &str, matches: &[(BatchPaths, String)]) -> WrongUsage {
    let mut arns: Vec<&str> = matches.iter().map(|(_, arn)| arn.as_str()).collect();
    arns.sort_unstable();
    let more = if arns.len() > LISTED { ", …" } else { "" };
    let listed = arns.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    WrongUsage(format!("{} executions in the store are named `{name}`; give one's ARN: {listed}{more}", arns.len()))
}

fn again_if_replaced<T>(mut read: impl FnMut() -> Result<T, StoreError>) -> anyhow::Result<T> {
    let mut tries = 0;
    loop {
        match read() {
            Err(error) if error.is_vanished() && tries < TRIES => tries += 1,
            answer => return answer.context("failed to read the store"),
        }
    }
}

//! Children that did not succeed, grouped by cause as `failures` groups executions: the same fingerprints, merged by the same rule.
//!
//! Bounded whatever their number: texts are kept for examples only, and beyond [`MOST_GROUPS`] different causes further ones are counted
//! without being told apart.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher;

use super::report::{ExplainedChild, ItemGroup, ItemSample};
use crate::analysis::failures::{Known, Merged, Statuses, merge};
use crate::analysis::fingerprint::{self, Parts};
use crate::model::{ExecutionArn, ExecutionStatus, FailureFacts, MapChild, Timestamp};

/// More different causes than this are not told apart.
const MOST_GROUPS: usize = 50_000;

/// Groups whose examples keep their payloads.
const WITH_PAYLOADS: usize = 1_000;

/// How many children of a group are shown.
const SAMPLES: usize = 3;

/// Inputs of more bytes are not shown.
pub(super) const LARGEST_SHOWN: usize = 16 << 10;

/// Failures by fingerprint.
#[derive(Debug, Default)]
pub(super) struct Failures {
    by_id: HashMap<String, Group>,
    /// The fingerprint of an error and a cause that came before, by their hash.
    known: HashMap<u64, String>,
    /// Children of causes beyond the most that are told apart.
    pub untold: u64,
}

#[derive(Debug)]
struct Group {
    machine: Option<String>,
    state: Option<String>,
    error: Option<String>,
    parts: Parts,
    count: u64,
    items: u64,
    statuses: Statuses,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    samples: Vec<ItemSample>,
}

/// Why a child failed, as far as its history was read.
#[derive(Debug, Clone, Copy)]
pub struct KnownFailure<'f> {
    /// By the root-cause rule.
    pub failure: FailureFacts<'f>,
    /// The state machine as `failures` has it.
    pub machine: Option<&'f str>,
}

impl Failures {
    /// Takes a child that did not succeed.
    pub fn add(&mut self, child: &MapChild, items: u64, known: Option<KnownFailure<'_>>) {
        let id = match known {
            Some(known) => self.of_history(known),
            None => self.of_record(child),
        };
        let with_payloads = self.by_id.len() <= WITH_PAYLOADS;
        let Some(group) = id.and_then(|id| self.by_id.get_mut(&id)) else {
            self.untold += 1;
            return;
        };
        group.count += 1;
        group.items = group.items.saturating_add(items);
        match child.status {
            Some(ExecutionStatus::TimedOut) => group.statuses.timed_out += 1,
            Some(ExecutionStatus::Aborted) => group.statuses.aborted += 1,
            _ => group.statuses.failed += 1,
        }
        group.first = [group.first, child.stop].into_iter().flatten().min();
        group.last = group.last.max(child.stop);
        let is_late = |kept: &ItemSample| order(kept) <= (Reverse(child.stop), child.arn.as_str());
        if group.samples.len() == SAMPLES && group.samples.last().is_some_and(is_late) {
            return;
        }
        let payload = |text: &Option<String>| text.clone().filter(|text| with_payloads && text.len() <= LARGEST_SHOWN);
        group.samples.push(ItemSample {
            execution: child.arn.clone(),
            status: child.status,
            stop: child.stop,
            input: payload(&child.input),
            cause: payload(&child.cause),
        });
        cut(&mut group.samples);
    }

    fn of_history(&mut self, known: KnownFailure<'_>) -> Option<String> {
        let (print, _) = fingerprint::of_failure(known.machine, &known.failure);
        self.group(&print.id, known.machine, known.failure.root_state, known.failure.root_error, print.parts)
    }

    /// By error and cause alone: nothing tells the state.
    fn of_record(&mut self, child: &MapChild) -> Option<String> {
        let machine = child.arn.parse::<ExecutionArn>().ok().map(|arn| arn.state_machine().as_str().to_owned());
        let text = self.known.hasher().hash_one((&machine, child.status, &child.error, &child.cause));
        if let Some(id) = self.known.get(&text) {
            return Some(id.clone());
        }
        let kind = match child.status {
            Some(ExecutionStatus::Aborted) => "aborted",
            Some(ExecutionStatus::TimedOut) => "execution_timed_out",
            _ => "task_failed",
        };
        let failure =
            FailureFacts { root_error: child.error.as_deref(), root_cause: child.cause.as_deref(), kind, ..FailureFacts::default() };
        let (print, _) = fingerprint::of_failure(machine.as_deref(), &failure);
        let id = self.group(&print.id, machine.as_deref(), None, child.error.as_deref(), print.parts)?;
        if self.known.len() < MOST_GROUPS {
            self.known.insert(text, id.clone());
        }
        Some(id)
    }

    fn group(&mut self, id: &str, machine: Option<&str>, state: Option<&str>, error: Option<&str>, parts: Parts) -> Option<String> {
        if !self.by_id.contains_key(id) {
            if self.by_id.len() >= MOST_GROUPS {
                return None;
            }
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let group = Group {
                machine: owned(machine),
                state: owned(state),
                error: owned(error),
                parts,
                count: 0,
                items: 0,
                statuses: Statuses::default(),
                first: None,
                last: None,
                samples: Vec::new(),
            };
            self.by_id.insert(id.to_owned(), group);
        }
        Some(id.to_owned())
    }

    pub fn merge(&mut self, other: Self) {
        self.untold += other.untold;
        for (id, group) in other.by_id {
            if let Some(known) = self.by_id.get_mut(&id) {
                known.merge(group);
            } else if self.by_id.len() < MOST_GROUPS {
                self.by_id.insert(id, group);
            } else {
                self.untold += group.count;
            }
        }
    }

    /// The groups, the largest first.
    pub fn groups(self) -> Vec<ItemGroup> {
        let mut all: Vec<(String, Group)> = self.by_id.into_iter().collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        let known: Vec<Known<'_>> = all.iter().map(|(id, group)| group.known(id)).collect();
        let merged = merge(&known);
        let mut found: BTreeMap<String, (Group, Option<Merged>, BTreeSet<String>)> = BTreeMap::new();
        for ((id, group), merged) in all.into_iter().zip(merged) {
            let to = merged.as_ref().map_or(&id, |merged| &merged.id).clone();
            match found.get_mut(&to) {
                Some((known, _, from)) => {
                    known.merge(group);
                    from.insert(id);
                }
                None => drop(found.insert(to, (group, merged, BTreeSet::from([id])))),
            }
        }
        let total: u64 = found.values().map(|(group, ..)| group.count).sum();
        let mut groups: Vec<ItemGroup> = found
            .into_iter()
            .map(|(id, (group, merged, from))| {
                let message = merged.as_ref().map_or(&group.parts.message, |merged| &merged.message).shown().to_owned();
                group.told(id, message, if merged.is_some() { from.into_iter().collect() } else { Vec::new() }, total)
            })
            .collect();
        groups.sort_by(|one, other| (Reverse(one.count), &one.id).cmp(&(Reverse(other.count), &other.id)));
        groups
    }
}

impl Group {
    fn known<'k>(&'k self, id: &'k str) -> Known<'k> {
        Known { id, machine: self.machine.as_deref(), state: self.state.as_deref(), parts: &self.parts, executions: self.count }
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.items = self.items.saturating_add(other.items);
        self.statuses.failed += other.statuses.failed;
        self.statuses.timed_out += other.statuses.timed_out;
        self.statuses.aborted += other.statuses.aborted;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.samples.extend(other.samples);
        cut(&mut self.samples);
    }

    fn told(self, id: String, message: String, merged_from: Vec<String>, total: u64) -> ItemGroup {
        #[allow(clippy::cast_precision_loss, reason = "a Map Run has 100,000,000 items at most")]
        let share = self.count as f64 / total.max(1) as f64;
        ItemGroup {
            id,
            state: self.state,
            error: self.error,
            message,
            count: self.count,
            items: self.items,
            statuses: self.statuses,
            share,
            first: self.first,
            last: self.last,
            samples: self.samples,
            explained: Vec::<ExplainedChild>::new(),
            merged_from,
        }
    }
}

fn order(sample: &ItemSample) -> (Reverse<Option<Timestamp>>, &str) {
    (Reverse(sample.stop), &sample.execution)
}

fn cut(samples: &mut Vec<ItemSample>) {
    samples.sort_by(|one, other| order(one).cmp(&order(other)));
    samples.truncate(SAMPLES);
}

//! From lines to groups, and what is known of each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::merge::{self, Known, Merged};
use super::novelty::{self, OfVersion};
use super::records::{Example, Failed, Failures, versions_of};
use super::report::{FailureGroup, FailuresReport, LeftOut, SCHEMA, Sample, Statuses, Timeline, Upstream, VersionCount, WaitedIn};
use super::roots;
use crate::analysis::advice;
use crate::analysis::cause;
use crate::analysis::changes::{Since, VersionStart, more_often};
use crate::analysis::fingerprint::{self, Parts};
use crate::analysis::fleet::Coverage;
use crate::analysis::names::Name;
use crate::model::{ExecutionStatus, FailureFacts, Micros};

/// How many executions of a group are shown.
const SAMPLES: usize = 5;

/// What about the failures was asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Only executions that ended so; empty for all that did not succeed.
    pub statuses: Vec<ExecutionStatus>,
    /// Only groups of at least so many executions.
    pub least: u64,
    /// How many groups at most.
    pub limit: usize,
    /// Which groups first.
    pub sort: Sort,
    /// The first moment of the window, when it has one.
    pub since: Option<Micros>,
    /// The end of the window, when it has one; else of what was read.
    pub until: Option<Micros>,
}

/// Which groups come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The largest.
    #[default]
    Count,
    /// Those that were seen last.
    Recent,
    /// Those that are new, then those that began last.
    New,
}

impl Default for Asked {
    fn default() -> Self {
        Self { statuses: Vec::new(), least: 1, limit: usize::MAX, sort: Sort::Count, since: None, until: None }
    }
}

/// The answer. The next commands are the caller's, who knows where the executions came from.
pub fn report(failures: &Failures, coverage: &Coverage, asked: &Asked) -> FailuresReport {
    let grouped = Grouped::of(failures, asked);
    let timeline = grouped.timeline(coverage, asked);
    let mut groups: Vec<FailureGroup> = grouped.members.keys().map(|key| grouped.group(key, &timeline, asked)).collect();
    sort(&mut groups, asked.sort);
    let all = groups.len();
    let executions = |groups: &[FailureGroup]| groups.iter().map(|group| group.count).sum::<u64>();
    let total = executions(&groups);
    groups.retain(|group| group.count >= asked.least);
    groups.truncate(asked.limit);
    FailuresReport {
        schema: SCHEMA,
        coverage: coverage.clone(),
        failures: total,
        own_failures: grouped.own_failures(),
        timeline,
        left_out: LeftOut { groups: (all - groups.len()) as u64, executions: total - executions(&groups) },
        groups,
    }
}

fn sort(groups: &mut [FailureGroup], by: Sort) {
    groups.sort_by(|one, other| {
        let largest = |group: &FailureGroup| (Reverse(group.count), Reverse(group.last_seen));
        let newest = |group: &FailureGroup| (group.new.is_none() && group.new_in_version.is_none(), Reverse(group.first_seen_ever));
        let first = match by {
            Sort::Count => largest(one).cmp(&largest(other)),
            Sort::Recent => other.last_seen.cmp(&one.last_seen),
            Sort::New => newest(one).cmp(&newest(other)),
        };
        first.then_with(|| largest(one).cmp(&largest(other))).then_with(|| one.id.cmp(&other.id))
    });
}

/// What makes a group: the machine of the executions, and the place of the cause among the known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    machine: Name,
    root: usize,
}

/// A root cause: what fingerprints that are the same have in common.
struct Cause {
    id: String,
    parts: Parts,
    merged_from: BTreeSet<String>,
    /// The examples of all its fingerprints, the best first.
    examples: Vec<Example>,
}

/// Failures by group.
pub(super) struct Grouped<'f> {
    failures: &'f Failures,
    roots: Vec<usize>,
    /// In the order of their ids.
    causes: Vec<Cause>,
    /// The executions that were asked for, by group.
    members: BTreeMap<Key, Vec<usize>>,
    /// Those and all others that were read.
    ever: HashMap<Key, Vec<usize>>,
    /// Starts of each machine's executions, sorted.
    starts: HashMap<Name, Vec<Micros>>,
    total: u64,
}

impl<'f> Grouped<'f> {
    pub(super) fn of(failures: &'f Failures, asked: &Asked) -> Self {
        let roots = roots::of(&failures.failed);
        let (causes, ids) = causes(failures, &roots);
        let is_asked = |failed: &Failed| !failed.is_aside && (asked.statuses.is_empty() || asked.statuses.contains(&failed.status));
        let mut members: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        let mut ever: HashMap<Key, Vec<usize>> = HashMap::new();
        let mut total = 0;
        for (place, failed) in failures.failed.iter().enumerate() {
            let key = Key { machine: failed.machine, root: ids[&failures.failed[roots[place]].fingerprint] };
            if is_asked(failed) {
                total += 1;
                members.entry(key).or_default().push(place);
            }
            ever.entry(key).or_default().push(place);
        }
        for places in members.values_mut().chain(ever.values_mut()) {
            places.sort_by_key(|place| (failures.failed[*place].at, &failures.failed[*place].execution));
        }
        let sorted = |starts: &[Micros]| {
            let mut starts = starts.to_vec();
            starts.sort_unstable();
            starts
        };
        let starts = failures.machines.iter().map(|(machine, counted)| (*machine, sorted(&counted.starts))).collect();
        Self { failures, roots, causes, members, ever, starts, total }
    }

    fn own_failures(&self) -> u64 {
        self.members.values().flatten().filter(|place| self.roots[**place] == **place).count() as u64
    }

    pub(super) fn timeline(&self, coverage: &Coverage, asked: &Asked) -> Timeline {
        let moments = || self.members.values().flatten().filter_map(|place| self.failures.failed[*place].at);
        let first = asked.since.or(coverage.first_start).into_iter().chain(moments().min()).min();
        let last = asked.until.or(coverage.last_event).into_iter().chain(moments().max()).max();
        Timeline::between(first, last)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.members.keys()
    }

    /// Where the cause is: the machine whose own failure it is.
    fn root_machine(&self, key: &Key) -> Option<&str> {
        self.causes[key.root].examples.first().and_then(|example| example.machine.as_deref())
    }

    pub(super) fn id(&self, key: &Key) -> String {
        let root = &self.causes[key.root].id;
        if self.is_own(key) { root.clone() } else { fingerprint::id_of_parents(self.failures.words.some(key.machine), root) }
    }

    /// Whether the cause is in this machine.
    pub(super) fn is_own(&self, key: &Key) -> bool {
        self.root_machine(key) == self.failures.words.some(key.machine)
    }

    pub(super) fn merged_from(&self, key: &Key) -> &BTreeSet<String> {
        &self.causes[key.root].merged_from
    }

    pub(super) fn examples(&self, key: &Key) -> &[Example] {
        &self.causes[key.root].examples
    }

    pub(super) fn samples(&self, key: &Key) -> impl DoubleEndedIterator<Item = Sample> {
        self.members[key].iter().map(|place| self.sample(&self.failures.failed[*place]))
    }

    fn sample(&self, failed: &Failed) -> Sample {
        let text = |word: Name| self.failures.words.text(word).to_owned();
        Sample {
            execution: failed.execution.to_string(),
            name: failed.name.to_string(),
            status: failed.status,
            start: failed.start,
            failed: failed.at,
            version: failed.version.map(text),
            alias: failed.alias.map(text),
        }
    }

    pub(super) fn group(&self, key: &Key, timeline: &Timeline, asked: &Asked) -> FailureGroup {
        let Failures { words, failed, machines, .. } = self.failures;
        let cause = &self.causes[key.root];
        let example = cause.examples.first();
        let rows = || self.members[key].iter().map(|place| &failed[*place]);
        let count = rows().count() as u64;
        let own = machines.get(&key.machine);
        let root_machine = self.root_machine(key).map(str::to_owned);
        let state_machine = words.some(key.machine).map(str::to_owned);
        let is_own = root_machine == state_machine;
        let ever = || self.ever[key].iter().map(|place| &failed[*place]);
        let first_ever = ever().find_map(|row| row.at);
        let is_in_window = first_ever.is_none_or(|first| asked.since.is_none_or(|since| first >= since));
        FailureGroup {
            id: self.id(key),
            root_state_machine: root_machine,
            state: example.and_then(|example| example.state.clone()),
            error: example.and_then(|example| example.error.clone()),
            kind: example.map_or("task_failed", |example| example.kind),
            message: cause.parts.message.shown().to_owned(),
            resource: example.and_then(|example| example.resource.clone()),
            count,
            statuses: statuses(rows()),
            share_of_machine: share(count, own.map_or(0, |machine| machine.executions)),
            share_of_failures: share(count, self.total),
            first_seen: rows().find_map(|row| row.at),
            last_seen: rows().rev().find_map(|row| row.at),
            first_seen_ever: first_ever,
            counts: timeline.count(rows().filter_map(|row| row.at)),
            new: self.new_since(key).filter(|_| is_in_window),
            since: self.since(key),
            new_in_version: self.new_in_version(key).filter(|_| is_in_window),
            versions: counted(rows().filter_map(|row| row.version).map(|version| words.text(version)))
                .map(|(version, count)| VersionCount { version: version.to_owned(), count })
                .collect(),
            aliases: counted(rows().filter_map(|row| row.alias).map(|alias| words.text(alias)))
                .map(|(alias, _)| alias.to_owned())
                .collect(),
            waited_in: if is_own { Vec::new() } else { waited_in(counted(rows().map(|row| words.text(row.terminal_state)))) },
            caused_by: if is_own { None } else { Some(cause.id.clone()) },
            brought_down: if is_own { self.brought_down(key) } else { Vec::new() },
            why_grouped: cause.parts.clone(),
            merged_from: if cause.merged_from.len() > 1 { cause.merged_from.iter().cloned().collect() } else { Vec::new() },
            samples: self.samples(key).rev().take(SAMPLES).collect(),
            executions: rows().map(|row| row.execution.to_string()).collect(),
            advice: example.map(advise).unwrap_or_default(),
            next: Vec::new(),
            state_machine,
        }
    }

    fn brought_down(&self, key: &Key) -> Vec<Upstream> {
        let others = self.members.iter().filter(|(other, _)| other.root == key.root && other.machine != key.machine);
        let mut found: Vec<Upstream> = others
            .map(|(other, places)| Upstream {
                id: self.id(other),
                state_machine: self.failures.words.some(other.machine).map(str::to_owned),
                count: places.len() as u64,
            })
            .collect();
        found.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.id.cmp(&other.id)));
        found
    }

    fn new_since(&self, key: &Key) -> Option<super::NewSince> {
        let starts = self.starts.get(&key.machine)?;
        let mut of_group: Vec<Micros> = self.ever[key].iter().filter_map(|place| self.failures.failed[*place].start).collect();
        of_group.sort_unstable();
        novelty::since(starts, &of_group)
    }

    /// Of the machine's executions by their start, since when more are in the group.
    fn since(&self, key: &Key) -> Option<Since> {
        let starts = self.starts.get(&key.machine)?;
        let mut of_group: Vec<Micros> = self.ever[key].iter().filter_map(|place| self.failures.failed[*place].start).collect();
        of_group.sort_unstable();
        let machine = self.failures.machines.get(&key.machine)?;
        let versions: Vec<VersionStart> = versions_of(machine, &self.failures.words)
            .into_iter()
            .filter_map(|(version, counted)| {
                Some(VersionStart { version: version.to_owned(), first: counted.first_start?, executions: counted.executions })
            })
            .collect();
        more_often(starts, &of_group, &versions)
    }

    fn new_in_version(&self, key: &Key) -> Option<super::NewInVersion> {
        let Failures { words, failed, machines, .. } = self.failures;
        let machine = machines.get(&key.machine)?;
        let rows = || self.ever[key].iter().map(|place| &failed[*place]);
        let of_group: HashMap<&str, u64> = counted(rows().filter_map(|row| row.version).map(|version| words.text(version))).collect();
        // One that names no version may be of any.
        if of_group.values().sum::<u64>() < rows().count() as u64 {
            return None;
        }
        let versions: Vec<OfVersion<'_>> = versions_of(machine, words)
            .into_iter()
            .map(|(version, counted)| OfVersion {
                version,
                executions: counted.executions,
                of_group: of_group.get(version).copied().unwrap_or(0),
                first_start: counted.first_start,
            })
            .collect();
        novelty::version(&versions, rows().filter_map(|row| row.start).min())
    }
}

/// The root causes in the order of their ids, and for each fingerprint the place of what it became.
fn causes(failures: &Failures, roots: &[usize]) -> (Vec<Cause>, HashMap<Name, usize>) {
    let mut executions: HashMap<Name, u64> = HashMap::new();
    for (place, root) in roots.iter().enumerate() {
        *executions.entry(failures.failed[*root].fingerprint).or_default() += u64::from(place == *root);
    }
    let mut fingerprints: Vec<(&str, Name)> = executions.keys().map(|word| (failures.words.text(*word), *word)).collect();
    fingerprints.sort_unstable();
    let parts: Vec<Parts> =
        fingerprints.iter().map(|(_, word)| parts_of(failures.examples.get(word).and_then(|kept| kept.first()))).collect();
    let known: Vec<Known<'_>> = fingerprints
        .iter()
        .zip(&parts)
        .map(|((id, word), parts)| {
            let example = failures.examples.get(word).and_then(|kept| kept.first());
            let machine = example.and_then(|example| example.machine.as_deref());
            Known { id, machine, state: example.and_then(|example| example.state.as_deref()), parts, executions: executions[word] }
        })
        .collect();
    let merged = merge::merge(&known);
    let mut causes: BTreeMap<String, (Cause, Vec<Name>)> = BTreeMap::new();
    for (((id, word), parts), merged) in fingerprints.into_iter().zip(&parts).zip(merged) {
        let Merged { id: became, message } = merged.unwrap_or_else(|| Merged { id: id.to_owned(), message: parts.message.clone() });
        let (cause, words) = causes.entry(became).or_insert_with_key(|became| {
            let parts = Parts { message, ..parts.clone() };
            (Cause { id: became.clone(), parts, merged_from: BTreeSet::new(), examples: Vec::new() }, Vec::new())
        });
        words.push(word);
        cause.merged_from.insert(id.to_owned());
        cause.examples.extend(failures.examples.get(&word).into_iter().flatten().cloned());
        cause.examples.sort();
        cause.examples.truncate(super::records::EXAMPLES);
    }
    let (causes, words): (Vec<Cause>, Vec<Vec<Name>>) = causes.into_values().unzip();
    let places = words.into_iter().enumerate().flat_map(|(place, words)| words.into_iter().map(move |word| (word, place))).collect();
    (causes, places)
}

fn parts_of(example: Option<&Example>) -> Parts {
    example.map(|example| fingerprint::of_failure(None, &facts_of(example)).0.parts).unwrap_or_default()
}

/// The failure that an example keeps.
pub(super) fn facts_of(example: &Example) -> FailureFacts<'_> {
    FailureFacts {
        root_state: example.state.as_deref(),
        root_scope: &example.scope,
        root_error: example.error.as_deref(),
        root_cause: example.cause.as_deref(),
        kind: example.kind,
        resource: example.resource.as_deref(),
        ..FailureFacts::default()
    }
}

fn advise(example: &Example) -> Vec<crate::analysis::why::Advice> {
    let decoded = example.cause.as_deref().map(|text| cause::decode(example.error.as_deref(), text)).unwrap_or_default();
    advice::advise_failure(&facts_of(example), &decoded)
}

fn statuses<'r>(rows: impl Iterator<Item = &'r Failed>) -> Statuses {
    let mut found = Statuses::default();
    for row in rows {
        match row.status {
            ExecutionStatus::TimedOut => found.timed_out += 1,
            ExecutionStatus::Aborted => found.aborted += 1,
            _ => found.failed += 1,
        }
    }
    found
}

/// How often each text comes, in the order of the texts.
fn counted<'t>(texts: impl Iterator<Item = &'t str>) -> impl Iterator<Item = (&'t str, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    counts.into_iter()
}

fn waited_in<'t>(counts: impl Iterator<Item = (&'t str, u64)>) -> Vec<WaitedIn> {
    let mut found: Vec<WaitedIn> =
        counts.map(|(state, count)| WaitedIn { state: Some(state.to_owned()).filter(|state| !state.is_empty()), count }).collect();
    found.sort_by_key(|waited| Reverse(waited.count));
    found
}

#[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 executions")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

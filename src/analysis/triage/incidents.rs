//! Which findings belong together: at the same time, in machines that have to do with each other.
//!
//! | findings                        | belong together when                                                                   |
//! |---------------------------------|----------------------------------------------------------------------------------------|
//! | two storms                      | they overlap, and their machines are linked or they call the same resource              |
//! | a storm and a failure group     | their machines are linked, and most of the group failed from the storm's start to [`AFTERMATH`] after it |
//! | a failure group and its cause   | the group says so                                                                       |
//! | a change and a storm            | the machines are linked, and the change is near the storm                                |
//! | a change and a failure group    | of the same state and error, or most of the group failed within [`AFTERMATH`] after a change of errors there |
//! | two changes                     | the machines are linked, and the changes are near each other                              |
//! | stuck callbacks                 | they are of the same state                                                               |
//!
//! Near is within [`NEAR`]. The machines are linked when they are the same, or executions of one start executions of the other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::relations::Relations;
use super::report::{FailureGroupFinding, Finding, Incident};
use crate::analysis::changes::{ChangePoint, Signal};
use crate::analysis::storms::Storm;
use crate::model::{Micros, StateMachineArn};

const MINUTE: i64 = 60_000_000;

/// Two things that happen within this time of each other may have to do with each other: a version change counts as near an onset
/// within it, too.
const NEAR: i64 = 15 * MINUTE;

/// Executions that a storm hit may fail so long after its last retry: in a later state, or when their parents notice.
const AFTERMATH: i64 = 30 * MINUTE;

/// What was seen in this time before `now` goes on.
const RECENT: i64 = 60 * MINUTE;

/// A group belongs to what happened while most of it failed.
const MOST: f64 = 0.5;

/// Puts findings together; returns them in the order of the incidents.
pub(super) fn assemble(findings: Vec<Finding>, relations: &Relations, now: Option<Micros>) -> (Vec<Finding>, Vec<Incident>) {
    let mut sets = Sets::new(findings.len());
    join_callbacks(&findings, &mut sets);
    // There may be thousands of them, and they belong to nothing else.
    let others: Vec<usize> = (0..findings.len()).filter(|at| !matches!(findings[*at], Finding::Callback(_))).collect();
    for (position, one) in others.iter().enumerate() {
        for other in &others[position + 1..] {
            let (first, second) = (&findings[*one], &findings[*other]);
            if sets.root(*one) != sets.root(*other) && (belong(first, second, relations) || belong(second, first, relations)) {
                sets.join(*one, *other);
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for position in 0..findings.len() {
        members.entry(sets.root(position)).or_default().push(position);
    }
    let mut incidents: Vec<(Incident, Vec<usize>)> =
        members.into_values().map(|members| incident(&findings, members, relations, now)).collect();
    incidents.sort_by_cached_key(|(incident, _)| {
        (incident.severity, !incident.ongoing, Reverse(incident.executions), Reverse(incident.to), incident.summary.clone())
    });
    let mut slots: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(slots.len());
    let incidents = incidents.into_iter().map(|(mut incident, members)| {
        for position in members {
            incident.findings.push(ordered.len());
            ordered.extend(slots[position].take());
        }
        incident
    });
    let incidents = incidents.collect();
    (ordered, incidents)
}

/// Waits in one state are one incident.
fn join_callbacks(findings: &[Finding], sets: &mut Sets) {
    let mut first: BTreeMap<(Option<&str>, &str), usize> = BTreeMap::new();
    for (at, finding) in findings.iter().enumerate() {
        if let Finding::Callback(callback) = finding {
            let known = *first.entry((callback.state_machine.as_deref(), &callback.state)).or_insert(at);
            sets.join(known, at);
        }
    }
}

fn belong(one: &Finding, other: &Finding, relations: &Relations) -> bool {
    let linked = relations.are_linked(one.state_machine(), other.state_machine());
    match (one, other) {
        (Finding::Storm(one), Finding::Storm(other)) => linked && overlap(one, other),
        (Finding::Storm(storm), Finding::Failure(group)) => {
            linked && relations.share_within(&group.executions, storm.from, after(storm.to, AFTERMATH)) > MOST
        }
        (Finding::Storm(storm), Finding::Change(change)) => {
            linked && (before(storm.from, NEAR)..=after(storm.to, NEAR)).contains(&change.at)
        }
        (Finding::Change(change), Finding::Failure(group)) => linked && of_change(change, group, relations),
        (Finding::Change(one), Finding::Change(other)) => linked && one.at.0.abs_diff(other.at.0) <= NEAR.unsigned_abs(),
        (Finding::Failure(one), Finding::Failure(other)) => {
            other.evidence.caused_by.as_deref() == Some(&one.id) || one.evidence.brought_down.iter().any(|group| group.id == other.id)
        }
        _ => false,
    }
}

fn overlap(one: &Storm, other: &Storm) -> bool {
    const SLACK: i64 = 2 * MINUTE;
    before(one.from, SLACK) <= other.to && before(other.from, SLACK) <= one.to
}

fn of_change(change: &ChangePoint, group: &FailureGroupFinding, relations: &Relations) -> bool {
    let of_state = group.state.as_deref() == Some(&change.state);
    match change.signal {
        // The same error, and not from long before.
        Signal::NewError => {
            of_state && group.error == change.error && group.evidence.first_seen.is_some_and(|first| first >= before(change.at, NEAR))
        }
        Signal::ErrorRate | Signal::RetryRate | Signal::Latency => {
            let share = relations.share_within(&group.executions, before(change.at, NEAR), after(change.at, AFTERMATH));
            let end = relations.share_within(&group.executions, before(change.at, NEAR), Micros(i64::MAX));
            if of_state { end > MOST } else { share > MOST }
        }
    }
}

fn before(moment: Micros, time: i64) -> Micros {
    Micros(moment.0.saturating_sub(time))
}

fn after(moment: Micros, time: i64) -> Micros {
    Micros(moment.0.saturating_add(time))
}

/// The order within an incident: what tells the story first.
fn rank(finding: &Finding) -> u8 {
    match finding {
        Finding::Storm(storm) if !storm.jittered => 0,
        Finding::Callback(_) => 1,
        Finding::Change(change) if change.signal == Signal::NewError => 2,
        Finding::Failure(_) => 3,
        Finding::Change(_) => 4,
        Finding::Storm(_) => 5,
        Finding::Runway(_) => 6,
    }
}

/// From when to when.
fn span(finding: &Finding) -> (Option<Micros>, Option<Micros>) {
    match finding {
        Finding::Storm(storm) => (Some(storm.from), Some(storm.to)),
        Finding::Callback(callback) => (Some(callback.since), None),
        Finding::Change(change) => (Some(change.at), None),
        Finding::Failure(group) => (group.evidence.first_seen, group.evidence.last_seen),
        Finding::Runway(_) => (None, None),
    }
}

fn incident(findings: &[Finding], mut members: Vec<usize>, relations: &Relations, now: Option<Micros>) -> (Incident, Vec<usize>) {
    // Of two storms the innermost tells what happened; its parents' only followed.
    let is_within = |finding: &Finding| {
        let starts = |other: &usize| match (findings[*other].state_machine(), finding.state_machine()) {
            (Some(other), Some(own)) => other != own && relations.starts(other, own),
            _ => false,
        };
        members.iter().any(starts)
    };
    let mut keys: BTreeMap<usize, _> = BTreeMap::new();
    for at in &members {
        let finding = &findings[*at];
        let size = finding.executions().len();
        keys.insert(*at, (rank(finding), !is_within(finding), finding.common().severity, span(finding).0, Reverse(size), *at));
    }
    members.sort_by_key(|at| keys.get(at).copied());
    let told: Vec<&Finding> = members.iter().map(|at| &findings[*at]).collect();
    let from = told.iter().filter_map(|finding| span(finding).0).min();
    let is_open = told.iter().any(|finding| matches!(finding, Finding::Callback(_)));
    let last = told.iter().filter_map(|finding| span(finding).1).max();
    let to = if is_open { now.or(last) } else { last.or(from) };
    let recent = now.map(|now| before(now, RECENT));
    let is_recent = recent.is_some_and(|recent| to.is_some_and(|to| to >= recent));
    // A change has no end until there is another one.
    let changed = told.iter().all(|finding| matches!(finding, Finding::Change(_) | Finding::Runway(_)));
    let mut state_machines = Vec::new();
    for machine in told.iter().filter_map(|finding| finding.state_machine()) {
        if !state_machines.iter().any(|known| known == machine) {
            state_machines.push(machine.to_owned());
        }
    }
    let executions: BTreeSet<&str> = told.iter().flat_map(|finding| finding.executions()).map(String::as_str).collect();
    let incident = Incident {
        severity: told.iter().map(|finding| finding.common().severity).min().unwrap_or(crate::analysis::finding::Severity::Notice),
        summary: summary(&told),
        from,
        to,
        ongoing: is_open || is_recent || changed,
        state_machines,
        executions: executions.len() as u64,
        findings: Vec::new(),
    };
    (incident, members)
}

fn summary(told: &[&Finding]) -> String {
    let waiting = told.iter().filter(|finding| matches!(finding, Finding::Callback(_))).count();
    match told.first() {
        Some(Finding::Callback(first)) if waiting > 1 => {
            let machine = first.state_machine.as_deref().and_then(|arn| arn.parse::<StateMachineArn>().ok());
            let of = machine.map(|arn| format!(" of {}", arn.name())).unwrap_or_default();
            format!("{waiting} executions{of} wait in {} for an answer that will not come", first.state)
        }
        Some(first) => first.common().summary.clone(),
        None => String::new(),
    }
}

/// Positions that belong together.
struct Sets(Vec<usize>);

impl Sets {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    /// The smaller root stays, so that the order in which they are joined makes no difference.
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}

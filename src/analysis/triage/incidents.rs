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
use super::report::{Finding, Incident};
use crate::analysis::changes::Signal;
use crate::analysis::finding::Severity;
use crate::analysis::sets::Sets;
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

/// Of a finding, what its place among others depends on.
#[derive(Debug, Clone)]
pub(super) struct Place<'f> {
    pub kind: Kind<'f>,
    pub state_machine: Option<&'f str>,
    pub state: Option<&'f str>,
    pub error: Option<&'f str>,
    pub from: Option<Micros>,
    pub to: Option<Micros>,
    /// Whether nothing has ended it.
    pub is_open: bool,
    pub executions: &'f [String],
    pub severity: Severity,
    pub summary: &'f str,
}

/// What kind of finding it is, with what only that kind has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'f> {
    Storm {
        jittered: bool,
        resource: Option<&'f str>,
    },
    Callback,
    Change(Signal),
    /// `caused_by` is the group of the child's failure.
    Failure {
        id: &'f str,
        caused_by: Option<&'f str>,
    },
    Runway,
}

impl<'f> Place<'f> {
    pub(super) fn of(finding: &'f Finding) -> Self {
        let (kind, error, from, to, is_open) = match finding {
            Finding::Storm(storm) => {
                let resource = storm.shared_resource.as_ref().map(|shared| shared.resource.as_str());
                (Kind::Storm { jittered: storm.jittered, resource }, None, Some(storm.from), Some(storm.to), false)
            }
            Finding::Callback(callback) => (Kind::Callback, None, Some(callback.since), None, true),
            Finding::Change(change) => {
                (Kind::Change(change.signal), change.error.as_deref(), Some(change.at), change.until, change.until.is_none())
            }
            Finding::Failure(group) => {
                let kind = Kind::Failure { id: &group.id, caused_by: group.evidence.caused_by.as_deref() };
                (kind, group.error.as_deref(), group.evidence.first_seen, group.evidence.last_seen, false)
            }
            Finding::Runway(_) => (Kind::Runway, None, None, None, true),
        };
        Self {
            kind,
            state_machine: finding.state_machine(),
            state: finding.state(),
            error,
            from,
            to,
            is_open,
            executions: finding.executions(),
            severity: finding.common().severity,
            summary: &finding.common().summary,
        }
    }

    /// The order within an incident: what tells the story first.
    fn rank(&self) -> u8 {
        match self.kind {
            Kind::Storm { jittered: false, .. } => 0,
            Kind::Callback => 1,
            Kind::Change(Signal::NewError) => 2,
            Kind::Failure { .. } => 3,
            Kind::Change(_) => 4,
            Kind::Storm { .. } => 5,
            Kind::Runway => 6,
        }
    }
}

/// Puts findings together; returns them in the order of the incidents.
pub(super) fn assemble(findings: Vec<Finding>, relations: &Relations, now: Option<Micros>) -> (Vec<Finding>, Vec<Incident>) {
    let places: Vec<Place<'_>> = findings.iter().map(Place::of).collect();
    let mut incidents = incidents(&places, relations, now);
    let mut slots: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(slots.len());
    for position in incidents.iter_mut().flat_map(|incident| &mut incident.findings) {
        let finding = slots[*position].take();
        *position = ordered.len();
        ordered.extend(finding);
    }
    (ordered, incidents)
}

/// The incidents, the worst first; their findings are positions in `places`.
pub(super) fn incidents(places: &[Place<'_>], relations: &Relations, now: Option<Micros>) -> Vec<Incident> {
    let mut sets = Sets::new(places.len());
    join_callbacks(places, &mut sets);
    // There may be thousands of them, and they belong to nothing else.
    let others: Vec<usize> = (0..places.len()).filter(|at| places[*at].kind != Kind::Callback).collect();
    for (position, one) in others.iter().enumerate() {
        for other in &others[position + 1..] {
            let (first, second) = (&places[*one], &places[*other]);
            if sets.root(*one) != sets.root(*other) && (belong(first, second, relations) || belong(second, first, relations)) {
                sets.join(*one, *other);
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for position in 0..places.len() {
        members.entry(sets.root(position)).or_default().push(position);
    }
    let mut incidents: Vec<Incident> = members.into_values().map(|members| incident(places, members, relations, now)).collect();
    incidents.sort_by_cached_key(|incident| {
        (incident.severity, !incident.ongoing, Reverse(incident.executions), Reverse(incident.to), incident.summary.clone())
    });
    incidents
}

/// Waits in one state are one incident.
fn join_callbacks(places: &[Place<'_>], sets: &mut Sets) {
    let mut first: BTreeMap<(Option<&str>, Option<&str>), usize> = BTreeMap::new();
    for (at, place) in places.iter().enumerate().filter(|(_, place)| place.kind == Kind::Callback) {
        let known = *first.entry((place.state_machine, place.state)).or_insert(at);
        sets.join(known, at);
    }
}

fn belong(one: &Place<'_>, other: &Place<'_>, relations: &Relations) -> bool {
    let linked = relations.are_linked(one.state_machine, other.state_machine);
    match (one.kind, other.kind) {
        (Kind::Storm { resource, .. }, Kind::Storm { resource: of_other, .. }) => {
            (linked || resource.is_some() && resource == of_other) && overlap(one, other)
        }
        (Kind::Storm { .. }, Kind::Failure { .. }) => linked && failed_within(other, one.from, one.to, relations) > MOST,
        (Kind::Storm { .. }, Kind::Change(_)) => linked && is_near(other.from, one.from, one.to),
        (Kind::Change(signal), Kind::Failure { .. }) => linked && of_change(one, signal, other, relations),
        (Kind::Change(_), Kind::Change(_)) => linked && is_near(one.from, other.from, other.from),
        (Kind::Failure { id, .. }, Kind::Failure { caused_by, .. }) => caused_by == Some(id),
        _ => false,
    }
}

fn overlap(one: &Place<'_>, other: &Place<'_>) -> bool {
    const SLACK: i64 = 2 * MINUTE;
    before(one.from, SLACK) <= other.to && before(other.from, SLACK) <= one.to
}

/// Whether a moment is in this time, or near it.
fn is_near(moment: Option<Micros>, from: Option<Micros>, to: Option<Micros>) -> bool {
    moment.is_some() && before(from, NEAR) <= moment && moment <= after(to, NEAR)
}

/// Of a failure group, how large a part failed in this time or in the aftermath; from 0 to 1.
fn failed_within(group: &Place<'_>, from: Option<Micros>, to: Option<Micros>, relations: &Relations) -> f64 {
    let (Some(from), Some(to)) = (from, after(to, AFTERMATH)) else { return 0.0 };
    relations.share_within(group.executions, from, to)
}

fn of_change(change: &Place<'_>, signal: Signal, group: &Place<'_>, relations: &Relations) -> bool {
    let begin = before(change.from, NEAR);
    let of_state = change.state_machine == group.state_machine && change.state == group.state;
    match signal {
        // The same error, and not from long before.
        Signal::NewError => of_state && change.error == group.error && group.from >= begin,
        // A state that is slower or fails more since then may time out, or fail with any error.
        _ if of_state => failed_within(group, begin, change.to.or(Some(Micros(i64::MAX))), relations) > MOST,
        _ => failed_within(group, begin, change.to.or(change.from), relations) > MOST,
    }
}

fn before(moment: Option<Micros>, time: i64) -> Option<Micros> {
    moment.map(|moment| Micros(moment.0.saturating_sub(time)))
}

fn after(moment: Option<Micros>, time: i64) -> Option<Micros> {
    moment.map(|moment| Micros(moment.0.saturating_add(time)))
}

fn incident(places: &[Place<'_>], mut members: Vec<usize>, relations: &Relations, now: Option<Micros>) -> Incident {
    // Of two storms the innermost tells what happened; its parents' only followed.
    let is_within = |place: &Place<'_>| {
        let starts = |other: &usize| match (places[*other].state_machine, place.state_machine) {
            (Some(other), Some(own)) => other != own && relations.starts(other, own),
            _ => false,
        };
        members.iter().any(starts)
    };
    let mut keys = BTreeMap::new();
    for at in &members {
        let place = &places[*at];
        keys.insert(*at, (place.rank(), place.severity, !is_within(place), place.from, Reverse(place.executions.len()), *at));
    }
    members.sort_by_key(|at| keys.get(at).copied());
    let told: Vec<&Place<'_>> = members.iter().map(|at| &places[*at]).collect();
    let from = told.iter().filter_map(|place| place.from).min();
    let last = told.iter().filter_map(|place| place.to).max();
    let waits = told.iter().any(|place| place.kind == Kind::Callback);
    let to = if waits { now.or(last) } else { last.or(from) };
    let is_recent = to.is_some() && before(now, RECENT).is_some_and(|recent| to >= Some(recent));
    // A change that nothing ended goes on; with other findings it tells only since when.
    let ongoing = waits || is_recent || told.iter().all(|place| place.is_open);
    let mut state_machines: Vec<String> = Vec::new();
    for machine in told.iter().filter_map(|place| place.state_machine) {
        if !state_machines.iter().any(|known| known == machine) {
            state_machines.push(machine.to_owned());
        }
    }
    let executions: BTreeSet<&str> = told.iter().flat_map(|place| place.executions).map(String::as_str).collect();
    Incident {
        severity: told.iter().map(|place| place.severity).min().unwrap_or(Severity::Notice),
        summary: summary(&told),
        from,
        to,
        ongoing,
        state_machines,
        executions: executions.len() as u64,
        findings: members,
    }
}

fn summary(told: &[&Place<'_>]) -> String {
    let Some(first) = told.first() else { return String::new() };
    let waiting = told.iter().filter(|place| place.kind == Kind::Callback).count();
    if first.kind != Kind::Callback || waiting == 1 {
        return first.summary.to_owned();
    }
    let machine = first.state_machine.and_then(|arn| arn.parse::<StateMachineArn>().ok());
    let of = machine.map(|arn| format!(" of {}", arn.name())).unwrap_or_default();
    format!("{waiting} executions{of} wait in {} for an answer that will not come", first.state.unwrap_or("a state"))
}

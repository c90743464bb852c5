//! What was wrong with a fleet: storms, waits that nobody will end, changes. Told from what services and workers did, and from what
//! histories show of it, never from what a detector would see.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::expr::Value;
use crate::model::event_type::{AttemptStep, Role};
use crate::model::{Details, ExecutionStatus, History, HistoryEvent, Timestamp};

use super::answerer::{Answerer, Lost};
use super::fleet::{Fleet, Running};
use super::service::FaultKind;
use super::world::{By, Noted, is_failure};

/// Retries within this time come together.
const TOGETHER_MS: i64 = 2_000;

/// What a detector should find.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// By fault, machine and state.
    pub storms: Vec<StormTruth>,
    /// By the moment since which they wait.
    pub stuck: Vec<StuckTruth>,
    /// By fault, machine and state.
    pub changes: Vec<ChangeTruth>,
}

/// Retries of one state that come of one fault; five executions at least.
#[derive(Debug, Clone)]
pub struct StormTruth {
    /// ARN of the state machine.
    pub machine: String,
    /// The state.
    pub state: String,
    /// The first failure.
    pub from: Timestamp,
    /// The last retry.
    pub to: Timestamp,
    /// Whether a retrier of the state has `JitterStrategy` `FULL`.
    pub jittered: bool,
    /// The most executions that failed within two seconds.
    pub cohort: usize,
    /// The most executions that retried within two seconds.
    pub together: usize,
    /// ARNs of those that retried.
    pub executions: BTreeSet<String>,
}

/// A task that will never be answered, in an execution that runs.
#[derive(Debug, Clone)]
pub struct StuckTruth {
    /// ARN of the execution.
    pub execution: String,
    /// ARN of the state machine.
    pub machine: String,
    /// The state.
    pub state: String,
    /// When it was scheduled.
    pub since: Timestamp,
    /// Why.
    pub reason: Lost,
    /// Whether it waits longer than 99.5 % of those that are answered.
    pub must_be_found: bool,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalTruth {
    /// Calls take longer.
    Latency,
    /// An error that was not there before.
    NewError,
}

/// A state that is not as it was.
#[derive(Debug, Clone)]
pub struct ChangeTruth {
    /// What changed.
    pub signal: SignalTruth,
    /// ARN of the state machine.
    pub machine: String,
    /// The state.
    pub state: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// The new error.
    pub error: Option<String>,
    /// The member of the input and the value that bring it.
    pub attribute: Option<(String, String)>,
    /// How many times as long calls take; 1 for errors.
    pub factor: f64,
    /// Calls before it.
    pub before: usize,
    /// Calls while it lasts.
    pub after: usize,
    /// Of them, those that met it.
    pub affected: usize,
    /// When the first of them was made: nothing can be seen before.
    pub first: Option<Timestamp>,
}

/// A retry in a history.
struct Retry {
    machine: String,
    state: String,
    execution: String,
    failed: Timestamp,
    at: Timestamp,
    /// The `…Scheduled` event of the attempt before.
    of: u64,
    /// The execution that the attempt before started.
    child: Option<String>,
}

/// What the histories show of attempts.
#[derive(Default)]
struct Shown {
    retries: Vec<Retry>,
    /// Executions with the `…Scheduled` events of attempts that ended.
    ended: HashSet<(String, u64)>,
    running: HashSet<String>,
    failed: HashSet<String>,
}

pub(super) fn of(fleet: &Fleet, running: &Running, histories: &[History]) -> Truth {
    let mut shown = Shown::default();
    for history in histories {
        look_at(history, &mut shown);
    }
    let mut truth = Truth { stuck: stuck(fleet, running, &shown), ..Truth::default() };
    for (service, about) in fleet.services.iter().enumerate() {
        for (fault, what) in about.faults.iter().enumerate() {
            let calls: Vec<&Noted> =
                running.notes.iter().filter(|note| matches!(note.by, By::Service { service: called, .. } if called == service)).collect();
            let blamed = |note: &&&Noted| matches!(note.by, By::Service { fault: Some(met), .. } if met == fault);
            match &what.kind {
                FaultKind::Outage { .. } | FaultKind::Hang => {
                    let met: HashSet<(&str, u64)> =
                        calls.iter().filter(blamed).map(|note| (&*note.execution, note.scheduled_event_id)).collect();
                    truth.storms.extend(storms(fleet, running, &shown, &met));
                }
                kind => truth.changes.extend(changes(kind, what.from, what.to, &calls, |note| blamed(&note))),
            }
        }
    }
    truth
}

fn look_at(history: &History, shown: &mut Shown) {
    let (Some(arn), Some(machine)) = (&history.header.arn, &history.header.state_machine_arn) else { return };
    let arn = arn.as_str().to_owned();
    match history.header.status {
        Some(ExecutionStatus::Running) => drop(shown.running.insert(arn.clone())),
        Some(ExecutionStatus::Succeeded) | None => {}
        Some(_) => drop(shown.failed.insert(arn.clone())),
    }
    let before = |event: &HistoryEvent| event.previous_event_id.and_then(|id| history.event(id));
    let scheduled = |event: &HistoryEvent| matches!(event.kind.role(), Role::Attempt(AttemptStep::Scheduled));
    for event in &history.events {
        let ends = matches!(event.kind.role(), Role::Attempt(AttemptStep::Succeeded)) || is_failure(event.kind);
        if ends && let Some(of) = back_to(history, event, scheduled) {
            shown.ended.insert((arn.clone(), of.id.0));
        }
        if !scheduled(event) {
            continue;
        }
        let Some(failure) = before(event).filter(|failure| is_failure(failure.kind)) else { continue };
        let (Some(of), Some(entered)) =
            (back_to(history, failure, scheduled), back_to(history, failure, |event| event.state_name().is_some()))
        else {
            continue;
        };
        let (Some(failed), Some(at)) = (failure.timestamp, event.timestamp) else { continue };
        shown.retries.push(Retry {
            machine: machine.as_str().to_owned(),
            state: entered.state_name().map(|name| name.decode().into_owned()).unwrap_or_default(),
            execution: arn.clone(),
            failed,
            at,
            of: of.id.0,
            child: before(failure).and_then(submitted_child),
        });
    }
}

/// The nearest event on the way back that is wanted.
fn back_to<'a>(history: &'a History, event: &'a HistoryEvent, wanted: impl Fn(&HistoryEvent) -> bool) -> Option<&'a HistoryEvent> {
    let mut at = event;
    while !wanted(at) {
        at = at.previous_event_id.filter(|id| *id < at.id).and_then(|id| history.event(id))?;
    }
    Some(at)
}

/// The execution that `TaskSubmitted` tells of.
fn submitted_child(event: &HistoryEvent) -> Option<String> {
    let Details::Output(output) = &event.details else { return None };
    let text = output.output.as_ref()?.text.decode();
    Some(Value::parse(&text).ok()?.get("ExecutionArn")?.as_str()?.to_owned())
}

fn storms(fleet: &Fleet, running: &Running, shown: &Shown, met: &HashSet<(&str, u64)>) -> Vec<StormTruth> {
    let hit: HashSet<&str> = met.iter().map(|(execution, _)| *execution).filter(|execution| shown.failed.contains(*execution)).collect();
    let is_met = |retry: &&Retry| match &retry.child {
        Some(child) => hit.contains(child.as_str()),
        None => met.contains(&(retry.execution.as_str(), retry.of)),
    };
    let mut by_state: BTreeMap<(&str, &str), Vec<&Retry>> = BTreeMap::new();
    for retry in shown.retries.iter().filter(is_met) {
        by_state.entry((&retry.machine, &retry.state)).or_default().push(retry);
    }
    let mut storms = Vec::new();
    for ((machine, state), retries) in by_state {
        let executions: BTreeSet<String> = retries.iter().map(|retry| retry.execution.clone()).collect();
        let (Some(from), Some(to)) = (retries.iter().map(|retry| retry.failed).min(), retries.iter().map(|retry| retry.at).max()) else {
            continue;
        };
        if executions.len() < 5 {
            continue;
        }
        storms.push(StormTruth {
            machine: machine.to_owned(),
            state: state.to_owned(),
            from,
            to,
            jittered: is_jittered(fleet, running, machine, state, from),
            cohort: most_together(retries.iter().map(|retry| (retry.failed, retry.execution.as_str()))),
            together: most_together(retries.iter().map(|retry| (retry.at, retry.execution.as_str()))),
            executions,
        });
    }
    storms
}

/// The most executions within two seconds.
fn most_together<'a>(moments: impl Iterator<Item = (Timestamp, &'a str)>) -> usize {
    let mut moments: Vec<(i64, &str)> = moments.map(|(at, execution)| (at.as_millisecond(), execution)).collect();
    moments.sort_unstable();
    let (mut first, mut most) = (0, 0);
    let mut inside: HashMap<&str, usize> = HashMap::new();
    for (at, execution) in &moments {
        *inside.entry(execution).or_default() += 1;
        while moments[first].0 < at - TOGETHER_MS {
            if let Some(count) = inside.get_mut(moments[first].1) {
                *count -= 1;
                if *count == 0 {
                    inside.remove(moments[first].1);
                }
            }
            first += 1;
        }
        most = most.max(inside.len());
    }
    most
}

fn is_jittered(fleet: &Fleet, running: &Running, machine: &str, state: &str, at: Timestamp) -> bool {
    let Some(position) = fleet.machines.iter().position(|about| about.arn() == machine) else { return false };
    let compiled = &running.compiled[position][fleet.machines[position].version_at(at)];
    compiled.states.iter().filter(|about| &*about.name == state).any(|about| about.retry.iter().any(|retrier| retrier.full_jitter))
}

fn stuck(fleet: &Fleet, running: &Running, shown: &Shown) -> Vec<StuckTruth> {
    let mut stuck: Vec<StuckTruth> = Vec::new();
    for note in &running.notes {
        let By::Answerer { answerer, lost: Some(reason) } = note.by else { continue };
        let execution = note.execution.to_string();
        if !shown.running.contains(&execution) || shown.ended.contains(&(execution.clone(), note.scheduled_event_id)) {
            continue;
        }
        let age = fleet.now.duration_since(note.at).as_millis();
        stuck.push(StuckTruth {
            execution,
            machine: note.machine.to_string(),
            state: note.state.to_string(),
            since: note.at,
            reason,
            must_be_found: age > longest_wait(&fleet.answerers[answerer]),
        });
    }
    stuck.sort_by(|one, other| (one.since, &one.execution).cmp(&(other.since, &other.execution)));
    stuck
}

/// In milliseconds, what 99.5 % of the answered waits stay under. Office hours make a week of five days of eight hours, and a wait
/// may begin before a weekend.
fn longest_wait(answerer: &Answerer) -> i128 {
    // The 99.5 % quantile of the standard normal distribution.
    let usual = answerer.takes.median_ms * (2.576 * answerer.takes.sigma).exp();
    let work = usual * answerer.slow.map_or(1.0, |(_, times)| times.max(1.0));
    let wall = if answerer.hours.is_some() { work * (168.0 / 40.0) + 64.0 * 3_600_000.0 } else { work };
    i128::from(super::service::whole(wall))
}

fn changes(kind: &FaultKind, at: Timestamp, to: Timestamp, calls: &[&Noted], blamed: impl Fn(&&Noted) -> bool) -> Vec<ChangeTruth> {
    let mut by_state: BTreeMap<(&str, &str), Vec<&Noted>> = BTreeMap::new();
    for note in calls {
        by_state.entry((&note.machine, &note.state)).or_default().push(note);
    }
    let (signal, error, attribute, factor) = match kind {
        FaultKind::Slow(factor) => (SignalTruth::Latency, None, None, *factor),
        FaultKind::Rejects { member, value, said, .. } => {
            (SignalTruth::NewError, Some(said.error), Some(((*member).to_owned(), (*value).to_owned())), 1.0)
        }
        FaultKind::Fails { said, .. } => (SignalTruth::NewError, Some(said.error), None, 1.0),
        FaultKind::Outage { .. } | FaultKind::Hang => return Vec::new(),
    };
    let truth = |((machine, state), notes): ((&str, &str), Vec<&Noted>)| ChangeTruth {
        signal,
        machine: machine.to_owned(),
        state: state.to_owned(),
        at,
        to,
        error: error.map(str::to_owned),
        attribute: attribute.clone(),
        factor,
        before: notes.iter().filter(|note| note.at < at).count(),
        after: notes.iter().filter(|note| (at..to).contains(&note.at)).count(),
        affected: notes.iter().filter(|note| blamed(note)).count(),
        first: notes.iter().filter(|note| blamed(note)).map(|note| note.at).min(),
    };
    by_state.into_iter().map(truth).collect()
}

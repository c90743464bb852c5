//! What the places that break a rule went along with in past executions.
//!
//! Numbers of the state that a finding is about, as they were counted: that the rule was the reason is for the reader to say.

use serde::Serialize;

use super::finding::Finding;
use super::past::{MachinePast, StatePast};
use crate::analysis::cost::{Item, Prices};
use crate::model::Usd;
use crate::model::facts::WorkflowType;

/// What a finding's state went through.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// In a few words, what of it this rule is about; `None` where nothing of the kind happened.
    pub summary: Option<String>,
    /// Executions that visited the state.
    pub executions: u64,
    /// Of them, those in which an attempt of it failed.
    pub troubled: u64,
    /// Of them, those that failed because of it.
    pub failed: u64,
    /// Of them, those in which its failure was caught.
    pub caught: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Time between failures and retries, over all visits.
    pub retry_wait_ms: f64,
    /// The longest visit; of one that has not ended, up to the last event of its execution.
    pub longest_ms: f64,
    /// Visits that have not ended.
    pub open: u64,
    /// The largest number of items of a Map; `None` for other states.
    pub most_items: Option<u64>,
    /// List price of the retries' state transitions; `None` for Express machines, which are billed by time.
    pub retries_usd: Option<Usd>,
}

/// What of a state's past a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    /// Retries and the waits before them.
    Retries,
    /// Executions that failed there.
    Failures,
    /// Failures that a Catch took.
    Catches,
    /// Long visits, and those that have not ended.
    Waiting,
    /// Items of a Map.
    Items,
}

/// What of the past a rule is about; `None` for rules of which no execution tells.
pub(super) fn aspect(rule: &str) -> Option<Aspect> {
    let has = |words: &[&str]| words.iter().any(|word| rule.contains(word));
    Some(match () {
        () if has(&["no-retry", "without-retry", "no-catch", "without-catch", "tolerance"]) => Aspect::Failures,
        () if has(&["retry", "retries", "retrying", "retrier"]) => Aspect::Retries,
        () if has(&["catch", "input-lost"]) => Aspect::Catches,
        () if has(&["timeout", "heartbeat", "callback", "poll", "loop"]) => Aspect::Waiting,
        () if has(&["map"]) => Aspect::Items,
        () if has(&["payload", "compensation"]) => Aspect::Failures,
        () => return None,
    })
}

impl Cost {
    /// What a finding went along with; `None` where the executions say nothing about it.
    pub(super) fn of(finding: &Finding, past: &MachinePast, prices: &Prices) -> Option<Self> {
        let aspect = aspect(finding.rule)?;
        let state = past.state(finding.state.as_deref()?)?;
        let region = past.machines.first().and_then(|arn| arn.split(':').nth(3)).filter(|region| !region.is_empty());
        let is_express = past.workflow_type == Some(WorkflowType::Express);
        let retries_usd = (!is_express).then(|| prices.quote(Item::Transition, region).usd.times(state.retries));
        Some(Self {
            summary: summary(aspect, state, retries_usd),
            executions: state.executions,
            troubled: state.troubled,
            failed: state.failed,
            caught: state.caught,
            retries: state.retries,
            retry_wait_ms: milliseconds(state.retry_wait),
            longest_ms: milliseconds(state.longest),
            open: state.open,
            most_items: state.most_items,
            retries_usd,
        })
    }
}

fn summary(aspect: Aspect, state: &StatePast, retries_usd: Option<Usd>) -> Option<String> {
    let executions = |count: u64| counted(count, "execution");
    let of_all = |count: u64| format!("{} of {}", count, executions(state.executions));
    Some(match aspect {
        Aspect::Retries if state.retries > 0 => {
            let price = retries_usd.filter(|usd| *usd > Usd::ZERO).map_or(String::new(), |usd| format!(", {} of transitions", usd.shown()));
            let wait = words(state.retry_wait);
            format!("{}, {wait} of waiting in {}{price}", counted(state.retries, "retry"), executions(state.troubled))
        }
        Aspect::Failures if state.failed > 0 => format!("{} failed because of this state", of_all(state.failed)),
        Aspect::Catches if state.caught > 0 => format!("{} came out of this state by a Catch", of_all(state.caught)),
        Aspect::Waiting if state.open > 0 => {
            format!("{} not ended; the longest took {}", counted(state.open, "visit"), words(state.longest))
        }
        Aspect::Waiting if state.longest > 0 => {
            format!("the longest of {} took {}", counted(state.visits, "visit"), words(state.longest))
        }
        Aspect::Items => {
            let failed = if state.failed > 0 { format!("; {} failed because of it", of_all(state.failed)) } else { String::new() };
            format!("up to {} in {}{failed}", counted(state.most_items?, "item"), executions(state.executions))
        }
        _ => return None,
    })
}

#[allow(clippy::cast_precision_loss, reason = "a sum of waits is far below 2^52 microseconds, or as good as that")]
fn milliseconds(microseconds: i64) -> f64 {
    microseconds as f64 / 1000.0
}

/// A time in two units at most: `3 h 20 min`, `12 s`.
fn words(microseconds: i64) -> String {
    let seconds = microseconds / 1_000_000;
    let pair = |large: i64, unit: &str, small: i64, of: &str| {
        if small > 0 { format!("{large} {unit} {small} {of}") } else { format!("{large} {unit}") }
    };
    match seconds {
        ..1 => format!("{} ms", microseconds / 1000),
        1..60 => format!("{seconds} s"),
        60..3600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => pair(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

fn counted(count: u64, what: &str) -> String {
    match (count, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {what}s"),
    }
}

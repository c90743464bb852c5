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
enum Aspect {
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
    /// How often it is gone round.
    Visits,
}

/// What of the past each rule is about; `None` for those of which no execution tells.
const ASPECTS: &[(&str, Option<Aspect>)] = &[
    ("callback-without-timeout", Some(Aspect::Waiting)),
    ("catch-breaks-handler", Some(Aspect::Catches)),
    ("catch-hides-failure", Some(Aspect::Catches)),
    ("catch-loses-input", Some(Aspect::Catches)),
    ("catch-never-taken", None),
    ("cleanup-skipped-by-failure", Some(Aspect::Failures)),
    ("distributed-map-without-max-concurrency", Some(Aspect::Items)),
    ("distributed-map-without-result-writer", Some(Aspect::Failures)),
    ("distributed-map-without-tolerance", Some(Aspect::Failures)),
    ("express-logging-off", None),
    ("express-side-effect-without-key", None),
    ("function-wraps-integration", None),
    ("hard-coded-account", None),
    ("inline-map-over-large-list", Some(Aspect::Items)),
    ("job-without-timeout", Some(Aspect::Waiting)),
    ("lambda-throttling-without-retry", Some(Aspect::Failures)),
    ("lambda-without-retry", Some(Aspect::Failures)),
    ("lambda-without-timeout", Some(Aspect::Waiting)),
    ("logging-off", None),
    ("map-without-max-concurrency", Some(Aspect::Items)),
    ("payload-too-large", Some(Aspect::Failures)),
    ("polling-instead-of-sync", Some(Aspect::Visits)),
    ("polling-without-limit", Some(Aspect::Visits)),
    ("retries-multiply", Some(Aspect::Retries)),
    ("retry-by-hand", Some(Aspect::Visits)),
    ("retry-cannot-help", Some(Aspect::Retries)),
    ("retry-fills-history", Some(Aspect::Retries)),
    ("retry-never-taken", None),
    ("retry-of-everything", Some(Aspect::Retries)),
    ("retry-without-jitter", Some(Aspect::Retries)),
    ("retry-without-max-delay", Some(Aspect::Retries)),
    ("saga-step-not-undone", Some(Aspect::Failures)),
    ("saga-undone-in-part", Some(Aspect::Failures)),
    ("tracing-off", None),
    ("undo-without-retry", Some(Aspect::Failures)),
    ("unreachable-states", None),
];

fn aspect(rule: &str) -> Option<Aspect> {
    ASPECTS.iter().find(|(id, _)| *id == rule).and_then(|(_, aspect)| *aspect)
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
        Aspect::Visits if state.visits > state.executions => {
            format!("{} in {}", counted(state.visits, "visit"), executions(state.executions))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::audit::rules;

    #[test]
    fn every_rule_says_what_of_the_past_it_is_about() {
        let known: Vec<&str> = ASPECTS.iter().map(|(id, _)| *id).collect();
        let mut all: Vec<&str> = rules::all().map(|rule| rule.id).collect();
        all.sort_unstable();
        assert_eq!(known, all, "ASPECTS names every rule once, by id");
    }

    #[test]
    fn a_summary_says_what_its_rule_is_about() {
        let past = StatePast {
            executions: 70,
            visits: 80,
            troubled: 61,
            failed: 2,
            caught: 1,
            retries: 412,
            retry_wait: 11_160_000_000,
            longest: 65_000_000,
            ..StatePast::default()
        };
        let said = |aspect| summary(aspect, &past, Some(Usd::ZERO)).expect("something");
        assert_eq!(said(Aspect::Retries), "412 retries, 3 h 6 min of waiting in 61 executions");
        assert_eq!(said(Aspect::Failures), "2 of 70 executions failed because of this state");
        assert_eq!(said(Aspect::Waiting), "the longest of 80 visits took 1 min 5 s");
        assert_eq!(summary(Aspect::Items, &past, None), None, "it is no Map");
        assert_eq!(summary(Aspect::Retries, &StatePast::default(), None), None);
    }
}

//! One group with everything about it.

use thiserror::Error;

use super::groups::{Asked, Grouped, Key};
use super::records::{Example, Failures};
use super::report::{FailureGroupReport, FailureRecord, Handled, SCHEMA_GROUP};
use crate::analysis::cause;
use crate::analysis::fleet::Coverage;

/// How many failures are shown word for word.
const EXAMPLES: usize = 3;

/// Why no group was opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unopened {
    /// No group has an id that begins so.
    #[error("no failure group has an id that begins with `{wanted}`, of {groups}")]
    None {
        /// What was asked for.
        wanted: String,
        /// How many groups there are.
        groups: usize,
    },
    /// More than one has.
    #[error("`{wanted}` is the beginning of {}: {}", found.len(), found.join(", "))]
    Several {
        /// What was asked for.
        wanted: String,
        /// The ids, sorted.
        found: Vec<String>,
    },
}

/// Opens the group whose id begins with `wanted`, with or without the version of the rules before it. A fingerprint that was put
/// together with others opens what they became.
pub fn open(failures: &Failures, coverage: &Coverage, asked: &Asked, wanted: &str) -> Result<FailureGroupReport, Unopened> {
    let grouped = Grouped::of(failures, asked);
    let begins = |id: &str| {
        let bare = id.split_once(':').map_or(id, |(_, digits)| digits);
        !wanted.is_empty() && (id.starts_with(wanted) || bare.starts_with(wanted))
    };
    let named = |key: &&Key| begins(&grouped.id(key)) || grouped.is_own(key) && grouped.merged_from(key).iter().any(|id| begins(id));
    let mut found: Vec<&Key> = grouped.keys().filter(named).collect();
    if let Some(exact) = found.iter().position(|key| grouped.id(key) == wanted) {
        found = vec![found[exact]];
    }
    let [key] = found[..] else {
        let mut ids: Vec<String> = found.iter().map(|key| grouped.id(key)).collect();
        ids.sort();
        let wanted = wanted.to_owned();
        return Err(match ids.is_empty() {
            true => Unopened::None { wanted, groups: grouped.keys().count() },
            false => Unopened::Several { wanted, found: ids },
        });
    };
    let timeline = grouped.timeline(coverage, asked);
    let group = grouped.group(key, &timeline, asked);
    Ok(FailureGroupReport {
        schema: SCHEMA_GROUP,
        coverage: coverage.clone(),
        timeline,
        examples: grouped.examples(key).iter().take(EXAMPLES).map(record).collect(),
        handled: handled(failures, grouped.examples(key).first()),
        members: grouped.samples(key).collect(),
        group,
    })
}

fn record(example: &Example) -> FailureRecord {
    FailureRecord {
        execution: example.execution.clone(),
        name: example.name.clone(),
        time: example.order.1.0,
        scope: example.scope.clone(),
        event_id: example.event_id,
        error: example.error.clone(),
        cause: example.cause.clone(),
        decoded: example.cause.as_deref().map(|text| cause::decode(example.error.as_deref(), text)),
        confidence: example.confidence.clone(),
    }
}

/// What failed in the same state of the same machine with the same error.
fn handled(failures: &Failures, example: Option<&Example>) -> Option<Handled> {
    if !failures.counts_handled() {
        return None;
    }
    let number = |text: &Option<String>| failures.words.find(text.as_deref().unwrap_or_default());
    let example = example?;
    let key = (number(&example.machine)?, number(&example.state)?, number(&example.error)?);
    let count = failures.handled.get(&key).copied().unwrap_or_default();
    Some(Handled { cured_by_retry: count.cured_by_retry, caught: count.caught })
}

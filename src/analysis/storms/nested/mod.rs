//! Nested retries that multiply: a state that is retried inside a Parallel or Map that is retried, in an execution that is.
//!
//! The levels are found from the inside out. The error goes from level to level: what a state's Catch takes ends the chain, unless the
//! Catch leads to a Fail state, whose error goes on. At an enclosing state the errors that were seen there count, so that a definition that
//! has been changed does not hide what happened. Worst case: the product of `1 + MaxAttempts` over all levels.

mod index;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use self::index::{Index, VisitKey};
use super::Seen;
use crate::analysis::observed::{Attempt, Observed};
use crate::analysis::retry_policy::Policy;
use crate::model::Micros;

/// Executions in each other deeper than this, or in a circle, are not followed.
const DEEPEST: usize = 16;
/// Further than this from a Catch to a Fail state is not looked.
const LONGEST_WAY: usize = 64;

/// Retries that multiply.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Nested {
    /// From the innermost to the outermost; two or more.
    pub levels: Vec<NestedLevel>,
    /// Which of them this storm is, from 0.
    pub level: usize,
    /// Calls of the innermost state for one visit of the outermost, at worst: the product of the factors.
    pub worst_case: u64,
    /// Calls of the innermost state for each visit of the outermost in which it was called, on average; null where it can't be told.
    pub observed_mean: Option<f64>,
    /// The most of them.
    pub observed_max: Option<u64>,
    /// How many visits of the outermost that is taken from.
    pub visits: u64,
}

/// One level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NestedLevel {
    /// ARN of the state machine; null when nothing names it.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// The error that is retried there; null where it is not known.
    pub error: Option<String>,
    /// How many retries its retrier allows for that error; null without a definition.
    pub max_attempts: Option<u64>,
    /// How many attempts a visit has at worst: `1 + max_attempts`, or as many as were seen where no definition tells.
    pub factor: u64,
    /// Whether this level is a storm of its own.
    pub is_storm: bool,
}

/// A level while it is looked for.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    /// Position in [`Observed::classes`].
    class: usize,
    error: Option<String>,
    max_attempts: Option<u64>,
    factor: u64,
}

/// For each storm the chain of retries that it is part of: the longest one.
pub fn nested(storms: &[Seen], observed: &Observed) -> Vec<Option<Nested>> {
    if storms.is_empty() {
        return Vec::new();
    }
    let index = Index::new(storms, observed);
    let chains: Vec<(Vec<Place>, Calls)> = storms.iter().map(|seen| index.chain(seen)).collect();
    let overlaps = |one: &Seen, other: &Seen| one.from <= other.to && other.from <= one.to;
    storms
        .iter()
        .map(|seen| {
            let level = |chain: &[Place]| chain.iter().position(|place| place.class == seen.class);
            let candidates = storms.iter().zip(&chains).filter(|(other, (chain, _))| chain.len() > 1 && overlaps(seen, other));
            let with_level = candidates.filter_map(|(_, (chain, calls))| Some((chain, calls, level(chain)?)));
            // Of several as long, the one in which this storm stands furthest inside: then by place, which is unique.
            let (chain, calls, level) = with_level.max_by_key(|(chain, _, level)| (chain.len(), std::cmp::Reverse(*level)))?;
            let is_storm = |place: &Place| storms.iter().any(|other| other.class == place.class && overlaps(seen, other));
            Some(Nested {
                levels: chain.iter().map(|place| index.told(place, is_storm(place))).collect(),
                level,
                worst_case: chain.iter().fold(1_u64, |product, place| product.saturating_mul(place.factor)),
                observed_mean: calls.mean(),
                observed_max: calls.most,
                visits: calls.visits,
            })
        })
        .collect()
}

/// Calls of a leaf by visit of the outermost state.
#[derive(Debug, Clone, Default)]
struct Calls {
    visits: u64,
    count: u64,
    most: Option<u64>,
}

impl Calls {
    #[allow(clippy::cast_precision_loss, reason = "counts of calls")]
    fn mean(&self) -> Option<f64> {
        (self.visits > 0).then(|| (self.count as f64 / self.visits as f64 * 1000.0).round() / 1000.0)
    }
}

impl<'a> Index<'a> {
    /// The levels from a storm outwards, and the calls of its state for each visit of the outermost.
    fn chain(&self, seen: &Seen) -> (Vec<Place>, Calls) {
        let error = seen.errors(self.observed).first().and_then(|(error, _)| *error).map(|error| self.observed.text(error).to_owned());
        let mut chain = vec![self.place(seen.class, error, (seen.from, seen.to))];
        // The attempts of the storm's executions while it lasted, each with the visit that it belongs to at the level looked at.
        let members = seen.executions();
        let calls: Vec<&Attempt> = seen
            .class(self.observed)
            .attempts
            .iter()
            .filter(|attempt| members.binary_search(&attempt.execution).is_ok())
            .filter(|attempt| attempt.scheduled.is_some_and(|scheduled| scheduled <= seen.to))
            .collect();
        let mut above: Vec<Option<VisitKey>> = calls.iter().map(|call| Some((call.execution, call.visit))).collect();
        let mut around: Vec<Option<(usize, VisitKey)>> = calls.iter().map(|call| self.around(call.execution, call.parent_visit)).collect();
        // What counts is the visit at the outermost level that retries.
        let mut outermost = above.clone();
        while chain.len() < DEEPEST {
            let Some(class) = most_frequent(around.iter().flatten().map(|(class, _)| *class)) else { break };
            let inner = chain.last().map(|place| (place.class, place.error.clone()));
            if chain.iter().any(|place| place.class == class) {
                break;
            }
            let Some(error) = inner.and_then(|(inner, error)| self.error_above(inner, error, class, seen)) else { break };
            for (visit, outer) in above.iter_mut().zip(&around) {
                *visit = outer.filter(|(of, _)| *of == class).map(|(_, visit)| visit);
            }
            let place = self.place(class, Some(error), (seen.from, seen.to));
            around = above.iter().map(|visit| visit.and_then(|visit| self.outside(class, visit))).collect();
            chain.push(place);
            outermost.clone_from(&above);
        }
        // A level that never retries multiplies nothing; one between two that do stays, so that the way is whole.
        let mut shortened = false;
        while chain.len() > 1 && chain.last().is_some_and(|place| place.factor <= 1) {
            chain.pop();
            shortened = true;
        }
        if shortened {
            outermost = self.visits_at(&calls, chain.last().map_or(seen.class, |place| place.class));
        }
        let mut counted: BTreeMap<VisitKey, u64> = BTreeMap::new();
        for visit in outermost.into_iter().flatten() {
            *counted.entry(visit).or_default() += 1;
        }
        let calls = Calls { visits: counted.len() as u64, count: counted.values().sum(), most: counted.values().copied().max() };
        let multiplies = chain.iter().filter(|place| place.factor > 1).count() > 1;
        if multiplies { (chain, calls) } else { (Vec::new(), Calls::default()) }
    }

    /// A class as a level, with what its definition allows for an error.
    fn place(&self, class: usize, error: Option<String>, window: (Micros, Micros)) -> Place {
        let max_attempts = self.policy(class).map(|policy| {
            let retrier = error.as_deref().and_then(|error| policy.retrier_for(error)).map(|(_, retrier)| retrier.max_attempts);
            retrier.unwrap_or(0)
        });
        let of_time = |attempt: &&Attempt| attempt.scheduled.is_some_and(|scheduled| (window.0..=window.1).contains(&scheduled));
        let seen = || self.class(class).attempts.iter().filter(of_time).map(|attempt| u64::from(attempt.number)).max().unwrap_or(1);
        // Attempts beyond what the definition allows are those of the definition before it.
        let factor = max_attempts.map_or(1, |most| most.saturating_add(1)).max(seen());
        Place { class, error, max_attempts, factor }
    }

    fn policy(&self, class: usize) -> Option<Policy> {
        Policy::of(self.definition(class)?, self.observed.text(self.class(class).state))
    }

    fn definition(&self, class: usize) -> Option<&'a str> {
        let used = self.observed.definitions_of(self.class(class).machine).max_by_key(|used| (used.last_start, used.first_start))?;
        Some(self.observed.text(used.text))
    }

    /// The error that the level above has to deal with: the one it failed with most often while the storm lasted, else the one that
    /// leaves the level below; `None` where nothing does.
    fn error_above(&self, inner: usize, error: Option<String>, class: usize, seen: &Seen) -> Option<String> {
        let failed = self.class(class).attempts.iter().filter(|attempt| attempt.has_failed());
        let then = failed.filter(|attempt| attempt.ended.is_some_and(|ended| seen.from <= ended));
        let errors = then.filter_map(|attempt| attempt.error).map(|error| self.observed.text(error));
        most_frequent(errors).map(str::to_owned).or_else(|| match (self.definition(inner), error) {
            (Some(definition), Some(error)) => leaves(definition, self.observed.text(self.class(inner).state), error),
            (_, error) => error,
        })
    }

    fn told(&self, place: &Place, is_storm: bool) -> NestedLevel {
        let class = self.class(place.class);
        NestedLevel {
            state_machine: class.machine.map(|machine| self.observed.text(machine).to_owned()),
            state: self.observed.text(class.state).to_owned(),
            error: place.error.clone(),
            max_attempts: place.max_attempts,
            factor: place.factor,
            is_storm,
        }
    }
}

/// The error with which a state leaves its scope: its own, or that of the Fail state that its Catch leads to; `None` where it is caught.
fn leaves(definition: &str, state: &str, error: String) -> Option<String> {
    let Some(policy) = Policy::of(definition, state) else { return Some(error) };
    let Some(catcher) = policy.catcher_for(&error) else { return Some(error) };
    let value: Value = serde_json::from_str(definition).ok()?;
    let (around, _) = policy.pointer.rsplit_once('/')?;
    let states = value.pointer(around)?;
    let mut at = catcher.next.clone()?;
    for _ in 0..LONGEST_WAY {
        let state = states.get(&at)?;
        if state.get("Type").and_then(Value::as_str) == Some("Fail") {
            return Some(state.get("Error").and_then(Value::as_str).unwrap_or("States.TaskFailed").to_owned());
        }
        at = state.get("Next")?.as_str()?.to_owned();
    }
    None
}

/// The value that occurs most often; of several the least.
fn most_frequent<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counted: BTreeMap<T, usize> = BTreeMap::new();
    values.for_each(|value| *counted.entry(value).or_default() += 1);
    counted.into_iter().max_by_key(|(value, count)| (*count, std::cmp::Reverse(*value))).map(|(value, _)| value)
}

//! Nested retries that multiply: a state that is retried inside a Parallel or Map that is retried, in an execution that is.
//!
//! The levels are found from the inside out. The error goes from level to level: what a state's Catch takes ends the chain, unless the
//! Catch leads to a Fail state, whose error goes on. At an enclosing state the errors that were seen there count, so that a definition that
//! has been changed does not hide what happened. Worst case: the product of `1 + MaxAttempts` over all levels.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;
use serde::Serialize;
use serde_json::Value;

use super::Seen;
use crate::analysis::observed::{Attempt, Class, Name, Observed};
use crate::analysis::retry_policy::Policy;
use crate::model::Micros;
use crate::model::facts::Pattern;

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

/// A visit: its execution's position and its number.
type VisitKey = (u32, u32);

/// Where visits stand.
struct Index<'a> {
    observed: &'a Observed,
    /// Visits of Parallel and Map states: the class, and the visit around.
    scopes: HashMap<VisitKey, (usize, Option<u32>), RandomState>,
    /// Attempts that started child executions, by execution: class and position.
    starters: HashMap<u32, Vec<(usize, usize)>, RandomState>,
    /// Executions by ARN.
    executions: HashMap<Name, u32, RandomState>,
}

impl<'a> Index<'a> {
    /// Of the executions of storms, and of those that started them.
    fn new(storms: &[Seen], observed: &'a Observed) -> Self {
        let mut scopes: HashMap<VisitKey, (usize, Option<u32>), RandomState> = HashMap::default();
        let mut starters: HashMap<u32, Vec<(usize, usize)>, RandomState> = HashMap::default();
        let mut executions: HashMap<Name, u32, RandomState> = HashMap::default();
        let mut is_wanted = vec![false; observed.executions.len()];
        let mut newest: Vec<u32> = storms.iter().flat_map(Seen::executions).collect();
        for _ in 0..DEEPEST {
            newest.retain(|position| is_wanted.get_mut(*position as usize).is_some_and(|wanted| !std::mem::replace(wanted, true)));
            let parents: BTreeSet<Name> = newest.iter().filter_map(|position| observed.executions[*position as usize].parent).collect();
            if parents.is_empty() {
                break;
            }
            newest.clear();
            for (position, execution) in (0_u32..).zip(&observed.executions) {
                if parents.contains(&execution.arn) {
                    executions.insert(execution.arn, position);
                    newest.push(position);
                }
            }
        }
        for (class, of) in observed.classes.iter().enumerate() {
            let wanted = |(_, attempt): &(usize, &Attempt)| is_wanted.get(attempt.execution as usize).is_some_and(|wanted| *wanted);
            for (position, attempt) in of.attempts.iter().enumerate().filter(wanted) {
                match attempt.pattern {
                    Some(Pattern::Scopes) => {
                        scopes.entry((attempt.execution, attempt.visit)).or_insert((class, attempt.parent_visit));
                    }
                    Some(Pattern::ChildExecution) => starters.entry(attempt.execution).or_default().push((class, position)),
                    _ => {}
                }
            }
        }
        Self { observed, scopes, starters, executions }
    }

    fn class(&self, position: usize) -> &'a Class {
        &self.observed.classes[position]
    }

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

    /// The visit of a class that each call stands in.
    fn visits_at(&self, calls: &[&Attempt], class: usize) -> Vec<Option<VisitKey>> {
        let up = |call: &&Attempt| {
            let mut at = self.around(call.execution, call.parent_visit);
            for _ in 0..DEEPEST * DEEPEST {
                let (of, visit) = at?;
                if of == class {
                    return Some(visit);
                }
                at = self.outside(of, visit);
            }
            None
        };
        calls.iter().map(up).collect()
    }

    /// What stands around a visit: the Parallel or Map, or the visit that started its execution.
    fn around(&self, execution: u32, parent_visit: Option<u32>) -> Option<(usize, VisitKey)> {
        match parent_visit {
            Some(visit) => self.scopes.get(&(execution, visit)).map(|(class, _)| (*class, (execution, visit))),
            None => self.starter(execution),
        }
    }

    /// What stands around a visit of a class.
    fn outside(&self, class: usize, visit: VisitKey) -> Option<(usize, VisitKey)> {
        if let Some((_, parent_visit)) = self.scopes.get(&visit) {
            return self.around(visit.0, *parent_visit);
        }
        let attempts = self.starters.get(&visit.0)?;
        let (_, position) = attempts.iter().find(|(of, at)| *of == class && self.class(*of).attempts[*at].visit == visit.1)?;
        self.around(visit.0, self.class(class).attempts[*position].parent_visit)
    }

    /// The visit that started an execution: the one that names it as its child, else the last one that called before it started.
    fn starter(&self, execution: u32) -> Option<(usize, VisitKey)> {
        let child = self.observed.executions.get(execution as usize)?;
        let parent = *self.executions.get(&child.parent?)?;
        let attempts = self.starters.get(&parent)?;
        let attempt = |(class, position): &(usize, usize)| &self.class(*class).attempts[*position];
        let named = attempts.iter().find(|at| attempt(at).child == Some(child.arn));
        let before = || {
            let called = |at: &&(usize, usize)| attempt(at).scheduled.is_some_and(|scheduled| Some(scheduled) <= child.start);
            let still_open = |at: &&(usize, usize)| attempt(at).ended.is_none_or(|ended| child.start.is_none_or(|start| start <= ended));
            attempts.iter().filter(called).filter(still_open).max_by_key(|at| (attempt(at).scheduled, std::cmp::Reverse(**at)))
        };
        named.or_else(before).map(|at| (at.0, (parent, attempt(at).visit)))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Spread;
    use super::super::stories::{everything, moment, observed};
    use super::*;
    use crate::model::History;
    use crate::model::builder::{history, milliseconds, seconds};

    fn parent_definition(inside: &Value) -> Value {
        json!({"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "End": true, "Retry": inside}}})
    }

    fn child_definition() -> Value {
        json!({"StartAt": "Charge", "States": {
            "Charge": {"Type": "Task", "Resource": "r", "End": true,
                "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 2}],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Note"}]},
            "Note": {"Type": "Pass", "Next": "Refused"},
            "Refused": {"Type": "Fail", "Error": "Refused"}}})
    }

    /// An order whose payment is started twice; each payment calls three times and fails.
    fn order(number: i64) -> Vec<History> {
        let mut order = history("Orders");
        order.named(&format!("order-{number}")).clock_at(moment(number)).pace(milliseconds(0));
        order.definition(&parent_definition(&json!([{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 1}])));
        order.enter_task("Pay", json!({})).calls("states", "startExecution.sync:2");
        let mut all = Vec::new();
        for attempt in 0..2 {
            let mut payment = history("Payments");
            payment.named(&format!("payment-{number}-{attempt}")).definition(&child_definition());
            payment.input(json!({"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": order.arn().as_str()}));
            order.scheduled().started().submitted_child(&payment.arn());
            payment.clock_at(order.now()).pace(milliseconds(0));
            payment.enter_task("Charge", json!({})).taking(milliseconds(50)).attempt_failed("Busy", None);
            payment.after(seconds(1)).attempt_failed("Busy", None).after(seconds(2)).attempt_failed("Busy", None);
            payment.caught(json!({})).pass("Note", json!({}), json!({})).enter_fail("Refused", json!({}));
            payment.execution_failed_with("Refused", "no");
            all.push(payment.build());
            order.after(seconds(4)).failed("States.TaskFailed", Some("Refused"));
            if attempt == 0 {
                order.after(seconds(1));
            }
        }
        order.execution_failed();
        all.push(order.build());
        all
    }

    #[test]
    fn retries_of_a_child_and_its_parent_multiply() {
        let observed = observed(&(0..8).flat_map(order).collect::<Vec<_>>());
        let storms = [everything(&observed, "Pay", Spread::None), everything(&observed, "Charge", Spread::None)];
        let found = nested(&storms, &observed);
        let (outer, inner) = (found[0].as_ref().expect("the parent's"), found[1].as_ref().expect("the child's"));
        let levels: Vec<(&str, u64, bool)> =
            inner.levels.iter().map(|level| (level.state.as_str(), level.factor, level.is_storm)).collect();
        assert_eq!(levels, [("Charge", 3, true), ("Pay", 2, true)]);
        assert_eq!((inner.worst_case, inner.observed_mean, inner.observed_max, inner.visits), (6, Some(6.0), Some(6), 8));
        assert_eq!((inner.level, outer.level), (0, 1));
        assert_eq!(inner.levels, outer.levels);
    }

    #[test]
    fn a_state_alone_multiplies_with_nothing() {
        let alone: Vec<History> = (0..8)
            .flat_map(order)
            .filter(|history| history.definition.as_ref().is_some_and(|text| text.decode().contains("Charge")))
            .collect();
        let observed = observed(&alone);
        assert_eq!(nested(&[everything(&observed, "Charge", Spread::None)], &observed), [None], "its parents were not read");
    }

    #[test]
    fn retries_in_a_parallel_that_is_retried_multiply() {
        let definition = json!({"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "End": true,
            "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 1}],
            "Branches": [{"StartAt": "Call", "States": {"Call": {"Type": "Task", "Resource": "r", "End": true,
                "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 1}]}}}]}}});
        let story = |number: i64| {
            let mut story = history("Orders");
            story.named(&format!("order-{number}")).definition(&definition).clock_at(moment(number)).pace(milliseconds(0));
            story.enter_parallel("Both", json!({}));
            for _ in 0..2 {
                story.parallel_started();
                let mut branch = story.branch();
                branch.enter_task("Call", json!({})).taking(milliseconds(50)).attempt_failed("Busy", None);
                branch.after(seconds(1)).attempt_failed("Busy", None).scope_failed();
                story.after(seconds(1));
            }
            story.composite_failed().execution_failed();
            story.build()
        };
        let observed = observed(&(0..8).map(story).collect::<Vec<_>>());
        let found = nested(&[everything(&observed, "Call", Spread::None)], &observed).remove(0).expect("a chain");
        let levels: Vec<(&str, u64, bool)> =
            found.levels.iter().map(|level| (level.state.as_str(), level.factor, level.is_storm)).collect();
        assert_eq!(levels, [("Call", 2, true), ("Both", 2, false)]);
        assert_eq!((found.worst_case, found.observed_max, found.visits), (4, Some(4), 8));
    }

    #[test]
    fn what_is_caught_goes_no_further() {
        let definition = child_definition().to_string();
        assert_eq!(leaves(&definition, "Charge", "Busy".to_owned()).as_deref(), Some("Refused"));
        let healed = definition.replace("\"Next\":\"Refused\"", "\"End\":true");
        assert_eq!(leaves(&healed, "Charge", "Busy".to_owned()), None);
        assert_eq!(leaves(&definition, "Note", "Busy".to_owned()).as_deref(), Some("Busy"));
    }
}

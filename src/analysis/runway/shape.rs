//! What made a history long: a loop of states that come again, or the iterations of a Map.
//!
//! Events are not read here: a visit has its two, an attempt about three, an iteration two more. What that misses or invents is set
//! right by a factor, since how many events there are together is known.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::model::facts::Pattern;
use crate::model::{ExecutionFacts, StateType, VisitFacts};

/// States that come again fewer times than this are no loop worth a word.
const FEWEST_TURNS: u64 = 10;
/// What takes less of the events than this did not make the history long.
const LEAST_SHARE: f64 = 0.5;
/// So many states of a loop are named.
const MOST_STATES: usize = 6;

/// What comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// States that follow each other again and again, such as polling.
    Loop,
    /// The iterations of a Map.
    Map,
}

/// What made a history long.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shape {
    /// What comes again.
    pub growth: Growth,
    /// The Map, or the states of the loop in the order in which they first came; at most six.
    pub states: Vec<String>,
    /// How many turns or iterations there were.
    pub count: u64,
    /// Items of the Map, where the history tells.
    pub items: Option<u64>,
    /// Events of one turn or iteration, on average.
    pub events_each: f64,
    /// Events of everything else.
    pub events_beside: u64,
    /// With how many turns or items an execution of this shape has as many events as it may.
    pub count_at_limit: u64,
}

impl Shape {
    /// How many events there will be when a Map has gone through all of its items; `None` where that is not known.
    pub fn events_at_end(&self) -> Option<u64> {
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let of_items = (self.items? as f64 * self.events_each) as u64;
        Some(self.events_beside.saturating_add(of_items))
    }
}

/// A branch or iteration: the Parallel or Map visit that holds it, which, and of which attempt.
type Scope = (Option<u32>, Option<u64>, Option<u32>);

/// What made the history of this execution long; `None` where no loop and no Map has half of its events.
pub(super) fn of(facts: &ExecutionFacts<'_>, limit: u64) -> Option<Shape> {
    let visits = facts.visits;
    let mut weights = Weights::of(visits);
    let loops = Loop::find(visits, &weights);
    let map = weights.heaviest_map(visits);
    #[allow(clippy::cast_precision_loss, reason = "a history has few events")]
    let events = facts.events as f64;
    let factor = events / weights.total.max(1.0);
    let shape = |growth, states, count: u64, items, weight: f64| {
        let of_it = weight * factor;
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let (each, beside) = (of_it / count.max(1) as f64, (events - of_it).max(0.0).round() as u64);
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let count_at_limit = if each > 0.0 { (limit.saturating_sub(beside) as f64 / each).ceil() as u64 } else { 0 };
        Shape { growth, states, count, items, events_each: (each * 10.0).round() / 10.0, events_beside: beside, count_at_limit }
    };
    let is_enough = |weight: f64| weight >= LEAST_SHARE * weights.total;
    // A loop inside of an iteration is found as a loop, and is what to change, if it alone has half of the events.
    if let Some(found) = loops.filter(|found| is_enough(found.weight)) {
        return Some(shape(Growth::Loop, found.states, found.turns, None, found.weight));
    }
    let (position, weight, iterations) = map.filter(|(_, weight, iterations)| is_enough(*weight) && *iterations >= FEWEST_TURNS)?;
    let visit = &visits[position];
    weights.total = weights.total.max(weight);
    Some(shape(Growth::Map, vec![visit.state.to_owned()], iterations, visit.items, weight))
}

/// How many events visits have, about.
struct Weights {
    own: Vec<f64>,
    /// With everything that a visit encloses.
    whole: Vec<f64>,
    /// Iterations of each visit that is a Map.
    iterations: HashMap<u32, u64>,
    total: f64,
}

impl Weights {
    fn of(visits: &[VisitFacts<'_>]) -> Self {
        let own: Vec<f64> = visits.iter().map(events_of).collect();
        let mut whole = own.clone();
        let mut iterations = HashMap::new();
        let position: HashMap<u32, usize> = visits.iter().enumerate().map(|(at, visit)| (visit.visit, at)).collect();
        let mut seen: HashSet<Scope> = HashSet::new();
        // An enclosing visit was entered before what it encloses.
        for at in (0..visits.len()).rev() {
            let visit = &visits[at];
            let Some(parent) = visit.parent else { continue };
            let Some(above) = position.get(&parent).copied().filter(|above| *above < at) else { continue };
            if seen.insert(scope(visit)) && visits[above].state_type == Some(StateType::Map) {
                *iterations.entry(parent).or_default() += 1;
                // It began and ended.
                whole[above] += 2.0;
            }
            whole[above] += whole[at];
        }
        let total = visits.iter().zip(&whole).filter(|(visit, _)| visit.parent.is_none()).map(|(_, weight)| weight).sum();
        Self { own, whole, iterations, total }
    }

    /// The Map with most events, by its position: its events without those of the Map itself, and how many iterations it had.
    fn heaviest_map(&self, visits: &[VisitFacts<'_>]) -> Option<(usize, f64, u64)> {
        let maps = visits.iter().enumerate().filter_map(|(at, visit)| Some((at, *self.iterations.get(&visit.visit)?)));
        let weighed = maps.map(|(at, iterations)| (at, self.whole[at] - self.own[at], iterations));
        // Of several that are alike the first.
        weighed.fold(None, |best: Option<(usize, f64, u64)>, next| match best {
            Some(best) if best.1 >= next.1 => Some(best),
            _ => Some(next),
        })
    }
}

fn scope(visit: &VisitFacts<'_>) -> Scope {
    (visit.parent, visit.index, visit.parent_attempt)
}

fn events_of(visit: &VisitFacts<'_>) -> f64 {
    let entered_and_exited = u32::from(visit.entered_event_id.is_some()) + u32::from(visit.exited_event_id.is_some());
    let of_attempt = match visit.pattern {
        None => 0.0,
        // It was started, and ended.
        Some(Pattern::Scopes) => 2.0,
        Some(Pattern::Job | Pattern::ChildExecution | Pattern::Callback) => 4.0,
        Some(Pattern::Call | Pattern::Activity) => 3.0,
    };
    f64::from(entered_and_exited) + f64::from(visit.attempts) * of_attempt
}

/// States that come again in one scope.
struct Loop {
    states: Vec<String>,
    turns: u64,
    weight: f64,
}

impl Loop {
    /// The loop with most events.
    fn find(visits: &[VisitFacts<'_>], weights: &Weights) -> Option<Self> {
        let mut scopes: HashMap<Scope, Vec<usize>> = HashMap::new();
        for (at, visit) in visits.iter().enumerate() {
            scopes.entry(scope(visit)).or_default().push(at);
        }
        let found = scopes.into_iter().filter(|(_, inside)| inside.len() as u64 >= FEWEST_TURNS);
        let found = found.filter_map(|(key, inside)| Some((Self::of_scope(visits, weights, &inside)?, key)));
        let best =
            found.max_by(|(one, one_key), (other, other_key)| one.weight.total_cmp(&other.weight).then_with(|| other_key.cmp(one_key)));
        best.map(|(found, _)| found)
    }

    fn of_scope(visits: &[VisitFacts<'_>], weights: &Weights, inside: &[usize]) -> Option<Self> {
        let mut order: Vec<&str> = Vec::new();
        let mut counts: HashMap<&str, (u64, f64)> = HashMap::new();
        for at in inside {
            let (count, weight) = counts.entry(visits[*at].state).or_insert_with(|| {
                order.push(visits[*at].state);
                (0, 0.0)
            });
            *count += 1;
            *weight += weights.whole[*at];
        }
        let turns = counts.values().map(|(count, _)| *count).max().filter(|turns| *turns >= FEWEST_TURNS)?;
        // What comes in less than every second turn is no part of the loop, only on the way now and then.
        let states = order.into_iter().filter(|state| counts[state].0 * 2 >= turns);
        let (states, weight) = states.fold((Vec::new(), 0.0), |(mut states, weight), state| {
            let more = counts[state].1;
            if states.len() < MOST_STATES {
                states.push(state.to_owned());
            }
            (states, weight + more)
        });
        Some(Self { states, turns, weight })
    }
}

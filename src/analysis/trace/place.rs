//! Which spans are a visit's, and which of those an attempt's.
//!
//! The service records a subsegment for each visit, named for its state, and below it one for each call. The ids of requests tell sure,
//! time tells nearly always, and iterations of a Map that go alike side by side cannot be told apart: that is said of them.

use std::collections::HashMap;

use serde::Serialize;

use super::outline::{Outline, OutlineAttempt};
use crate::model::Micros;
use crate::model::span::Trace;

/// How far apart a visit and its span may begin, in microseconds.
const NEARBY: i64 = 2_000_000;
/// Visits that fit a span so much alike, in microseconds, cannot be told apart by time.
const ALIKE: i64 = 50_000;
/// So many visits around a span's start are looked at.
const NEIGHBOURS: usize = 64;

/// What the giving of spans to an attempt rests on, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanBasis {
    /// The id of the request.
    RequestId,
    /// The name of the state and the time.
    Time,
    /// The same, but other visits fit as well.
    OneOfSeveral,
}

/// Where the spans of a trace belong.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The span of the execution itself.
    pub machine: Option<usize>,
    /// The spans of visits: span and visit.
    pub visits: Vec<(usize, usize)>,
    /// The topmost spans of attempts.
    pub attempts: Vec<PlacedAttempt>,
}

/// The spans of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlacedAttempt {
    pub visit: usize,
    /// Position among the visit's attempts.
    pub attempt: usize,
    pub basis: SpanBasis,
    /// Each with all that is below it.
    pub tops: Vec<usize>,
}

pub(super) fn place(outline: &Outline<'_>, trace: &Trace) -> Placed {
    let children = trace.children();
    let placer = Placer { outline, trace, children: &children, requests: requests(outline) };
    placer.place()
}

/// The attempts by the ids of their requests.
fn requests<'o>(outline: &'o Outline<'_>) -> HashMap<&'o str, (usize, usize)> {
    let mut found = HashMap::new();
    for (visit, of_visit) in outline.visits.iter().enumerate() {
        for (attempt, of_attempt) in of_visit.attempts.iter().enumerate() {
            found.extend(of_attempt.request_id.as_deref().map(|id| (id, (visit, attempt))));
        }
    }
    found
}

struct Placer<'p> {
    outline: &'p Outline<'p>,
    trace: &'p Trace,
    children: &'p [Vec<usize>],
    requests: HashMap<&'p str, (usize, usize)>,
}

impl Placer<'_> {
    fn place(&self) -> Placed {
        let machine = self.machine();
        let states = self.states(machine);
        let visits = self.visits(&states);
        let is_state: std::collections::HashSet<usize> = states.iter().copied().collect();
        let mut attempts: Vec<PlacedAttempt> = Vec::new();
        for (span, visit, basis) in &visits {
            let calls: Vec<usize> = self.children[*span].iter().copied().filter(|child| !is_state.contains(child)).collect();
            self.calls(*visit, *basis, &calls, &mut attempts);
        }
        self.orphans(&mut attempts);
        attempts.sort_by_key(|placed| (placed.visit, placed.attempt));
        Placed { machine, visits: visits.into_iter().map(|(span, visit, _)| (span, visit)).collect(), attempts }
    }

    /// The span of the execution: the one with its ARN, else the only one with its machine's name.
    fn machine(&self) -> Option<usize> {
        let spans = || self.trace.spans.iter().enumerate().filter(|(_, span)| span.is_segment || span.is_of_state_machine());
        let arn = self.outline.execution.as_deref();
        let own = spans().find(|(_, span)| arn.is_some() && span.execution.as_deref() == arn);
        let is_named = |name: &str| Some(name) == self.outline.machine.as_deref();
        let mut named = spans().filter(|(_, span)| is_named(&span.name) && (span.execution.is_none() || arn.is_none()));
        own.or_else(|| named.next().filter(|_| named.next().is_none())).map(|(position, _)| position)
    }

    /// The spans that are named for a state, below the execution's own span, or anywhere where there is none.
    fn states(&self, machine: Option<usize>) -> Vec<usize> {
        let names: std::collections::HashSet<&str> =
            self.outline.visits.iter().map(|visit| visit.state.as_ref()).filter(|name| !name.is_empty()).collect();
        let mut found = Vec::new();
        // Each with the state that it is in.
        let mut waiting: Vec<(usize, Option<&str>)> = match machine {
            Some(machine) => self.children[machine].iter().map(|child| (*child, None)).collect(),
            None => self.trace.roots().map(|root| (root, None)).collect(),
        };
        while let Some((position, inside)) = waiting.pop() {
            let span = &self.trace.spans[position];
            let is_state = !span.is_segment && !span.kind.is_outward() && names.contains(span.name.as_str()) && inside != Some(&span.name);
            if is_state {
                found.push(position);
            } else if inside.is_some() && (span.kind.is_outward() || span.is_segment) || machine.is_some() && span.is_segment {
                // What a service recorded of itself holds no states of this execution.
                continue;
            }
            let inside = if is_state { Some(span.name.as_str()) } else { inside };
            waiting.extend(self.children[position].iter().map(|child| (*child, inside)));
        }
        found.sort_unstable();
        found
    }

    /// Gives spans to visits: by ids of requests, then the best fits in time first.
    fn visits(&self, states: &[usize]) -> Vec<(usize, usize, SpanBasis)> {
        let mut found: Vec<(usize, usize, SpanBasis)> = Vec::new();
        let mut is_taken = vec![false; self.outline.visits.len()];
        let mut left = Vec::new();
        for span in states {
            let by_request = self.below(*span).find_map(|inner| self.requests.get(self.trace.spans[inner].request_id.as_deref()?));
            let name = &self.trace.spans[*span].name;
            match by_request.filter(|(visit, _)| self.outline.visits[*visit].state == name.as_str() && !is_taken[*visit]) {
                Some((visit, _)) => {
                    is_taken[*visit] = true;
                    found.push((*span, *visit, SpanBasis::RequestId));
                }
                None => left.push(*span),
            }
        }
        let by_state = self.by_state();
        let mut fits: Vec<(i64, usize, usize)> = Vec::new();
        for span in left {
            let inner = &self.trace.spans[span];
            let (Some(start), Some(visits)) = (inner.start, by_state.get(inner.name.as_str())) else { continue };
            let middle = visits.partition_point(|(entered, _)| *entered < start);
            let around = &visits[middle.saturating_sub(NEIGHBOURS)..(middle + NEIGHBOURS).min(visits.len())];
            for (entered, visit) in around.iter().filter(|(_, visit)| !is_taken[*visit]) {
                let apart = entered.0.abs_diff(start.0);
                if apart <= NEARBY.unsigned_abs() {
                    let ends = self.outline.visits[*visit].left.zip(inner.end).map_or(0, |(left, end)| left.0.abs_diff(end.0));
                    let ends = ends.min(NEARBY.unsigned_abs());
                    let cost = i64::try_from(apart + ends).unwrap_or(i64::MAX).saturating_add(self.calls_apart(span, *visit, states));
                    fits.push((cost, span, *visit));
                }
            }
        }
        fits.sort_unstable();
        let mut by_span: HashMap<usize, Vec<(i64, usize)>> = HashMap::new();
        for (cost, span, visit) in &fits {
            by_span.entry(*span).or_default().push((*cost, *visit));
        }
        let mut is_placed = std::collections::HashSet::new();
        for (cost, span, visit) in &fits {
            if is_taken[*visit] || is_placed.contains(span) {
                continue;
            }
            is_taken[*visit] = true;
            is_placed.insert(*span);
            let is_one_of_several = by_span[span].iter().any(|(other, at)| at != visit && (other - cost).abs() <= ALIKE);
            found.push((*span, *visit, if is_one_of_several { SpanBasis::OneOfSeveral } else { SpanBasis::Time }));
        }
        found.sort_unstable();
        found
    }

    /// How far apart the calls of a span and the attempts of a visit began, in microseconds: iterations that were entered and ended
    /// together may differ in nothing else.
    fn calls_apart(&self, span: usize, visit: usize, states: &[usize]) -> i64 {
        const ONE_MORE: i64 = 20_000;
        let attempts = &self.outline.visits[visit].attempts;
        let calls = self.children[span].iter().filter(|child| states.binary_search(child).is_err());
        let (mut count, mut apart) = (0_usize, 0_i64);
        for start in calls.filter_map(|call| self.trace.spans[*call].start) {
            count += 1;
            let distances = attempts.iter().filter_map(|attempt| attempt.scheduled).map(|scheduled| scheduled.0.abs_diff(start.0));
            let nearest = distances.min().unwrap_or(0).min(NEARBY.unsigned_abs());
            apart = apart.saturating_add(i64::try_from(nearest).unwrap_or(NEARBY));
        }
        let missing = i64::try_from(count.abs_diff(attempts.len())).unwrap_or(i64::MAX);
        apart.saturating_add(missing.saturating_mul(ONE_MORE))
    }

    /// The visits of each state, by when they were entered.
    fn by_state(&self) -> HashMap<&str, Vec<(Micros, usize)>> {
        let mut found: HashMap<&str, Vec<(Micros, usize)>> = HashMap::new();
        for (position, visit) in self.outline.visits.iter().enumerate() {
            if let Some(entered) = visit.entered {
                found.entry(&visit.state).or_default().push((entered, position));
            }
        }
        for visits in found.values_mut() {
            visits.sort_unstable();
        }
        found
    }

    /// Gives the calls of a visit to its attempts: by ids of requests, one each where there are as many, else by time.
    fn calls(&self, visit: usize, basis: SpanBasis, calls: &[usize], found: &mut Vec<PlacedAttempt>) {
        let attempts = &self.outline.visits[visit].attempts;
        if attempts.is_empty() {
            return;
        }
        let mut has_call = vec![false; attempts.len()];
        for (position, call) in calls.iter().enumerate() {
            let by_request = self.request_of(*call).filter(|(at, _)| *at == visit).map(|(_, attempt)| attempt);
            let by_order = (calls.len() == attempts.len()).then_some(position);
            let attempt = by_request.or(by_order).or_else(|| by_time(attempts, &has_call, self.trace.spans[*call].start));
            let Some(attempt) = attempt else { continue };
            has_call[attempt] = true;
            add(found, visit, attempt, if by_request.is_some() { SpanBasis::RequestId } else { basis }, *call);
        }
    }

    /// Spans whose parent is missing may be told by the ids of their requests.
    fn orphans(&self, found: &mut Vec<PlacedAttempt>) {
        let roots: Vec<usize> = self.trace.roots().filter(|root| self.trace.spans[*root].parent_id.is_some()).collect();
        for root in roots {
            if let Some((visit, attempt)) = self.request_of(root)
                && !self.trace.spans[root].is_of_state_machine()
            {
                add(found, visit, attempt, SpanBasis::RequestId, root);
            }
        }
    }

    fn request_of(&self, span: usize) -> Option<(usize, usize)> {
        self.below(span).find_map(|inner| self.requests.get(self.trace.spans[inner].request_id.as_deref()?)).copied()
    }

    /// A span and all spans below it.
    fn below(&self, span: usize) -> impl Iterator<Item = usize> + '_ {
        let mut waiting = vec![span];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(self.children[next].iter().rev());
            Some(next)
        })
    }
}

fn add(found: &mut Vec<PlacedAttempt>, visit: usize, attempt: usize, basis: SpanBasis, span: usize) {
    match found.iter_mut().find(|placed| (placed.visit, placed.attempt) == (visit, attempt)) {
        Some(placed) if placed.tops.contains(&span) => {}
        Some(placed) => {
            placed.tops.push(span);
            placed.basis = placed.basis.min(basis);
        }
        None => found.push(PlacedAttempt { visit, attempt, basis, tops: vec![span] }),
    }
}

/// The attempt that was scheduled when the call began, or nearest to it: before it, or after it by no more than clocks differ.
/// Of several that are equally near one without a call.
fn by_time(attempts: &[OutlineAttempt], has_call: &[bool], start: Option<Micros>) -> Option<usize> {
    const SLACK: i64 = 50_000;
    let start = start?.0;
    let scheduled = attempts.iter().enumerate().filter_map(|(position, attempt)| Some((position, attempt.scheduled?.0)));
    let nearby = scheduled.filter(|(_, scheduled)| *scheduled <= start.saturating_add(SLACK));
    nearby.min_by_key(|(position, scheduled)| (start.abs_diff(*scheduled), has_call[*position])).map(|(position, _)| position).or(Some(0))
}

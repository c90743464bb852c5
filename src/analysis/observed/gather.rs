//! The fold that gathers what detectors look at.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::names::{Name, Names};
use super::polled::{self, ByHand};
use super::{Attempt, Class, Execution, Observed, UsedDefinition};
use crate::analysis::fleet::Question;
use crate::model::facts::Needs;
use crate::model::{AttemptFacts, ExecutionFacts, Micros, VisitFacts};

/// A question that keeps every attempt.
#[derive(Debug, Default)]
pub struct Gather {
    part: Part,
    /// What other threads gathered.
    others: Vec<Part>,
}

/// What one thread gathered.
#[derive(Debug, Default)]
struct Part {
    names: Names,
    executions: Vec<Execution>,
    classes: HashMap<(Option<Name>, Name), Class, RandomState>,
    definitions: HashMap<(Option<Name>, Name), UsedDefinition, RandomState>,
}

impl Gather {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that was gathered, in its order.
    pub fn finish(self) -> Observed {
        let mut parts = self.others.into_iter();
        let mut all = self.part;
        parts.by_ref().for_each(|part| all.append(part));
        all.into_observed()
    }
}

impl Question for Gather {
    fn needs(&self) -> Needs {
        Needs { visits: true, attempts: true, definitions: true, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        self.part.take(facts);
    }

    fn merge(&mut self, other: Self) {
        self.others.push(other.part);
        self.others.extend(other.others);
    }
}

impl Part {
    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        let number = u32::try_from(self.executions.len()).unwrap_or(u32::MAX);
        let machine = facts.state_machine.map(|arn| self.names.number(arn));
        if let Some(text) = facts.definition {
            self.count_definition(machine, text, facts.start);
        }
        let execution = Execution {
            arn: self.names.number(facts.execution),
            machine,
            workflow_type: facts.workflow_type,
            version: facts.version.map(|version| self.names.number(version)),
            alias: facts.alias.map(|alias| self.names.number(alias)),
            parent: facts.parent.map(|parent| self.names.number(parent)),
            status: facts.status,
            start: facts.start,
            stop: facts.stop,
            last_event: facts.last_event,
            events: facts.events,
            redrive_count: facts.redrive_count,
            incomplete: !facts.gaps.is_empty(),
        };
        self.executions.push(execution);
        let by_hand = polled::by_hand(facts.visits);
        let mut visits = facts.visits.iter().peekable();
        for attempt in facts.attempts {
            while visits.next_if(|visit| visit.visit < attempt.visit).is_some() {}
            let visit = visits.peek().copied().filter(|visit| visit.visit == attempt.visit);
            self.add(number, machine, attempt, visit, by_hand.get(&attempt.visit).copied());
        }
    }

    fn add(
        &mut self,
        execution: u32,
        machine: Option<Name>,
        attempt: &AttemptFacts<'_>,
        visit: Option<&VisitFacts<'_>>,
        by_hand: Option<ByHand>,
    ) {
        let state = self.names.number(attempt.state);
        // A retry made by hand is the first attempt of its visit; those after it are the service's, and a redrive is somebody's decision.
        let is_first = attempt.number == 1 && visit.is_some_and(|visit| visit.redrive == attempt.redrive);
        let by_hand = by_hand.filter(|_| is_first);
        #[allow(clippy::cast_possible_truncation, reason = "milliseconds with three digits become whole microseconds")]
        let waited = attempt.wait_before_ms.map(|ms| (ms * 1000.0).round() as i64);
        let waited_by_hand = || Some(attempt.scheduled?.0.saturating_sub(by_hand?.failed.0));
        let kept = Attempt {
            execution,
            visit: attempt.visit,
            number: attempt.number,
            redrive: attempt.redrive,
            parent_visit: visit.and_then(|visit| visit.parent),
            index: visit.and_then(|visit| visit.index),
            parent_attempt: visit.and_then(|visit| visit.parent_attempt),
            outcome: attempt.outcome,
            scheduled: attempt.scheduled,
            started: attempt.started,
            submitted: attempt.submitted,
            ended: attempt.ended,
            wait_before: waited.or_else(waited_by_hand),
            by_hand: by_hand.is_some(),
            round: by_hand.map_or(0, |by_hand| by_hand.round),
            error: attempt.error.map(|error| self.names.number(error)),
            resource: attempt.resource.map(|resource| self.names.number(resource)),
            pattern: attempt.pattern,
            timeout_seconds: attempt.timeout_seconds,
            heartbeat_seconds: attempt.heartbeat_seconds,
            child: visit.and_then(|visit| visit.child).map(|child| self.names.number(child)),
            scheduled_event_id: attempt.scheduled_event_id.map(|id| id.0),
            ended_event_id: attempt.ended_event_id.map(|id| id.0),
        };
        let empty = || Class { machine, state, state_type: None, attempts: Vec::new() };
        let class = self.classes.entry((machine, state)).or_insert_with(empty);
        class.state_type = class.state_type.or(visit.and_then(|visit| visit.state_type));
        class.attempts.push(kept);
    }

    fn count_definition(&mut self, machine: Option<Name>, text: &str, start: Option<Micros>) {
        let text = self.names.number(text);
        let unused = || UsedDefinition { machine, text, executions: 0, first_start: None, last_start: None };
        let used = self.definitions.entry((machine, text)).or_insert_with(unused);
        used.executions += 1;
        used.first_start = earliest(used.first_start, start);
        used.last_start = used.last_start.max(start);
    }

    /// Adds what another thread gathered.
    fn append(&mut self, other: Self) {
        let names = self.names.translate(&other.names);
        let here = |name: Name| names[name.position()];
        let offset = u32::try_from(self.executions.len()).unwrap_or(u32::MAX);
        self.executions.extend(other.executions.into_iter().map(|execution| Execution {
            arn: here(execution.arn),
            machine: execution.machine.map(here),
            version: execution.version.map(here),
            alias: execution.alias.map(here),
            parent: execution.parent.map(here),
            ..execution
        }));
        for class in other.classes.into_values() {
            let (machine, state) = (class.machine.map(here), here(class.state));
            let empty = || Class { machine, state, state_type: None, attempts: Vec::new() };
            let known = self.classes.entry((machine, state)).or_insert_with(empty);
            known.state_type = known.state_type.or(class.state_type);
            known.attempts.extend(class.attempts.into_iter().map(|attempt| Attempt {
                execution: attempt.execution.saturating_add(offset),
                error: attempt.error.map(here),
                resource: attempt.resource.map(here),
                child: attempt.child.map(here),
                ..attempt
            }));
        }
        for used in other.definitions.into_values() {
            let (machine, text) = (used.machine.map(here), here(used.text));
            let unused = || UsedDefinition { machine, text, executions: 0, first_start: None, last_start: None };
            let known = self.definitions.entry((machine, text)).or_insert_with(unused);
            known.executions += used.executions;
            known.first_start = earliest(known.first_start, used.first_start);
            known.last_start = known.last_start.max(used.last_start);
        }
    }

    fn into_observed(self) -> Observed {
        let Self { names, executions, classes, definitions } = self;
        let mut order: Vec<usize> = (0..executions.len()).collect();
        order.sort_unstable_by_key(|at| (executions[*at].start, names.text(executions[*at].arn)));
        let mut position = vec![0; executions.len()];
        for (new, old) in order.iter().enumerate() {
            position[*old] = u32::try_from(new).unwrap_or(u32::MAX);
        }
        let mut slots: Vec<Option<Execution>> = executions.into_iter().map(Some).collect();
        let executions: Vec<Execution> = order.into_iter().filter_map(|at| slots[at].take()).collect();
        let mut classes: Vec<Class> = classes.into_values().collect();
        for class in &mut classes {
            class.attempts.iter_mut().for_each(|attempt| attempt.execution = position[attempt.execution as usize]);
            class
                .attempts
                .sort_unstable_by_key(|attempt| (attempt.scheduled, attempt.execution, attempt.visit, attempt.redrive, attempt.number));
        }
        let text = |name: Option<Name>| name.map(|name| names.text(name));
        classes.sort_unstable_by_key(|class| (text(class.machine), names.text(class.state)));
        let mut definitions: Vec<UsedDefinition> = definitions.into_values().collect();
        definitions.sort_unstable_by_key(|used| (text(used.machine), used.first_start, names.text(used.text)));
        let first_start = executions.iter().filter_map(|execution| execution.start).min();
        let last_event = executions.iter().filter_map(|execution| execution.last_event.max(execution.stop)).max();
        Observed { names, executions, classes, definitions, first_start, last_event }
    }
}

fn earliest(one: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    [one, other].into_iter().flatten().min()
}

//! The fold that gathers what detectors look at.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use foldhash::fast::FixedState;

use super::polled::{self, ByHand};
use super::{Attempt, Class, Execution, Observed, UsedDefinition};
use crate::analysis::fleet::Question;
use crate::analysis::names::{Name, Names};
use crate::analysis::parallel;
use crate::model::facts::Needs;
use crate::model::{AttemptFacts, ExecutionFacts, Micros, StateType, VisitFacts};

/// Attempts are kept in pieces of so many, which need not be moved when there are more.
const PIECE: usize = 1024;

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
    classes: HashMap<Key, Gathered, FixedState>,
    definitions: HashMap<Key, UsedDefinition, FixedState>,
    /// The definition of the last execution that had one, which that of the next one nearly always is.
    last_definition: Option<Name>,
}

/// The machine, and one of its states or definitions.
type Key = (Option<Name>, Name);

/// The attempts of one state as they came.
#[derive(Debug, Default)]
struct Gathered {
    state_type: Option<StateType>,
    pieces: Vec<Vec<Attempt>>,
}

/// The attempts of one state as several threads have them.
struct Scattered {
    key: Key,
    state_type: Option<StateType>,
    /// Those of each thread, with the thread's number.
    parts: Vec<(usize, Vec<Vec<Attempt>>)>,
}

/// Where an attempt stands, and by what it is sorted; the fields are in the order in which they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    scheduled: Option<Micros>,
    execution: u32,
    visit: u32,
    redrive: u32,
    number: u32,
    piece: u32,
    at: u32,
}

/// How what a thread gathered is called among what all did.
struct Translation {
    names: Vec<Name>,
    /// Positions of executions.
    executions: Vec<u32>,
}

impl Gather {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that was gathered, in its order; put together on as many threads as gathered it.
    pub fn finish(self) -> Observed {
        let mut parts = vec![self.part];
        parts.extend(self.others);
        join(parts)
    }
}

impl Question for Gather {
    fn needs(&self) -> Needs {
        Needs { plain_visits: true, attempts: true, definitions: true, ..Needs::default() }
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
            index: visit.and_then(|visit| visit.index).map(short),
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
            timeout_seconds: attempt.timeout_seconds.map(short),
            heartbeat_seconds: attempt.heartbeat_seconds.map(short),
            child: visit.and_then(|visit| visit.child).map(|child| self.names.number(child)),
            scheduled_event_id: attempt.scheduled_event_id.map(|id| short(id.0)),
            ended_event_id: attempt.ended_event_id.map(|id| short(id.0)),
        };
        let class = self.classes.entry((machine, state)).or_default();
        class.state_type = class.state_type.or(visit.and_then(|visit| visit.state_type));
        match class.pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => piece.push(kept),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(kept);
                class.pieces.push(piece);
            }
            // Most states are rare where there are many: the first piece grows as it needs.
            None => class.pieces.push(vec![kept]),
        }
    }

    fn count_definition(&mut self, machine: Option<Name>, text: &str, start: Option<Micros>) {
        // A definition is long: comparing it is quicker than hashing it.
        let text = match self.last_definition.filter(|last| self.names.text(*last) == text) {
            Some(last) => last,
            None => self.names.number(text),
        };
        self.last_definition = Some(text);
        let unused = || UsedDefinition { machine, text, executions: 0, first_start: None, last_start: None };
        let used = self.definitions.entry((machine, text)).or_insert_with(unused);
        used.executions += 1;
        used.first_start = earliest(used.first_start, start);
        used.last_start = used.last_start.max(start);
    }
}

/// Puts together what several threads gathered.
fn join(parts: Vec<Part>) -> Observed {
    let threads = parts.len();
    let mut names = Names::default();
    let mut translations: Vec<Translation> = Vec::with_capacity(threads);
    let mut executions: Vec<Execution> = Vec::with_capacity(parts.iter().map(|part| part.executions.len()).sum());
    let mut classes: HashMap<Key, Scattered, FixedState> = HashMap::default();
    let mut definitions: HashMap<Key, UsedDefinition, FixedState> = HashMap::default();
    for (thread, part) in parts.into_iter().enumerate() {
        let translated = if thread == 0 { part.names.own_numbers() } else { names.translate(&part.names) };
        if thread == 0 {
            names = part.names;
        }
        let here = |name: Name| translated[name.position()];
        let first = executions.len();
        executions.extend(part.executions.into_iter().map(|execution| Execution {
            arn: here(execution.arn),
            machine: execution.machine.map(here),
            version: execution.version.map(here),
            alias: execution.alias.map(here),
            parent: execution.parent.map(here),
            ..execution
        }));
        for ((machine, state), gathered) in part.classes {
            let key = (machine.map(here), here(state));
            let known = classes.entry(key).or_insert_with(|| Scattered { key, state_type: None, parts: Vec::new() });
            known.state_type = known.state_type.or(gathered.state_type);
            known.parts.push((thread, gathered.pieces));
        }
        for used in part.definitions.into_values() {
            let (machine, text) = (used.machine.map(here), here(used.text));
            let unused = || UsedDefinition { machine, text, executions: 0, first_start: None, last_start: None };
            let known = definitions.entry((machine, text)).or_insert_with(unused);
            known.executions += used.executions;
            known.first_start = earliest(known.first_start, used.first_start);
            known.last_start = known.last_start.max(used.last_start);
        }
        // Where they were; where they are is known when all are there.
        let positions = (first..executions.len()).map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect();
        translations.push(Translation { names: translated, executions: positions });
    }
    let (executions, positions) = sorted(executions, &names);
    for translation in &mut translations {
        translation.executions.iter_mut().for_each(|at| *at = positions.get(*at as usize).copied().unwrap_or(u32::MAX));
    }
    let text = |name: Option<Name>| name.map(|name| names.text(name));
    let mut scattered: Vec<Scattered> = classes.into_values().collect();
    scattered.sort_unstable_by_key(|class| (text(class.key.0), names.text(class.key.1)));
    let waiting: Vec<Mutex<Option<Scattered>>> = scattered.into_iter().map(|class| Mutex::new(Some(class))).collect();
    let collected = parallel::each(threads, waiting.len(), |at| {
        let taken = waiting[at].lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.map(|class| class.collect(&translations))
    });
    let classes = collected.into_iter().flatten().collect();
    let mut definitions: Vec<UsedDefinition> = definitions.into_values().collect();
    definitions.sort_unstable_by_key(|used| (text(used.machine), used.first_start, names.text(used.text)));
    let first_start = executions.iter().filter_map(|execution| execution.start).min();
    let last_event = executions.iter().filter_map(|execution| execution.last_event.max(execution.stop)).max();
    Observed { names, executions, classes, definitions, first_start, last_event, threads }
}

/// By start, then by ARN; and where each went.
fn sorted(executions: Vec<Execution>, names: &Names) -> (Vec<Execution>, Vec<u32>) {
    let mut order: Vec<(Option<Micros>, usize)> = executions.iter().enumerate().map(|(at, execution)| (execution.start, at)).collect();
    order.sort_unstable_by(|(one, at), (other, other_at)| {
        let arn = |at: usize| names.text(executions[at].arn);
        one.cmp(other).then_with(|| arn(*at).cmp(arn(*other_at)))
    });
    let mut positions = vec![0; executions.len()];
    for (new, (_, old)) in order.iter().enumerate() {
        positions[*old] = u32::try_from(new).unwrap_or(u32::MAX);
    }
    let mut slots: Vec<Option<Execution>> = executions.into_iter().map(Some).collect();
    (order.into_iter().filter_map(|(_, at)| slots[at].take()).collect(), positions)
}

impl Scattered {
    /// By the moment they were scheduled, then by execution, visit, redrive and number.
    ///
    /// What is sorted is where they are: an attempt is large, and is moved once.
    fn collect(self, translations: &[Translation]) -> Class {
        let count = self.parts.iter().flat_map(|(_, pieces)| pieces).map(Vec::len).sum();
        let pieces: Vec<(&Translation, &[Attempt])> =
            self.parts.iter().flat_map(|(thread, pieces)| pieces.iter().map(|piece| (&translations[*thread], piece.as_slice()))).collect();
        let mut order: Vec<Place> = Vec::with_capacity(count);
        for (piece, (translation, attempts)) in (0..).zip(&pieces) {
            order.extend((0..).zip(*attempts).map(|(at, attempt)| Place {
                scheduled: attempt.scheduled,
                execution: translation.executions.get(attempt.execution as usize).copied().unwrap_or(u32::MAX),
                visit: attempt.visit,
                redrive: attempt.redrive,
                number: attempt.number,
                piece,
                at,
            }));
        }
        // No two have the same execution, visit, redrive and number; what they stand in comes in runs, which a stable sort makes use of.
        order.sort();
        let attempts = order.into_iter().map(|Place { execution, piece, at, .. }| {
            let (translation, attempts) = pieces[piece as usize];
            let here = |name: Name| translation.names[name.position()];
            let attempt = &attempts[at as usize];
            Attempt {
                execution,
                error: attempt.error.map(here),
                resource: attempt.resource.map(here),
                child: attempt.child.map(here),
                ..attempt.clone()
            }
        });
        Class { machine: self.key.0, state: self.key.1, state_type: self.state_type, attempts: attempts.collect() }
    }
}

/// In 32 bits; see [`Attempt`].
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn earliest(one: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    [one, other].into_iter().flatten().min()
}

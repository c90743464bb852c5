//! What is kept of each execution while they pass: a line for one that failed, a number for any other.

use std::collections::{BTreeMap, HashMap};

use crate::analysis::fingerprint;
use crate::analysis::fleet::Question;
use crate::analysis::names::{Name, Names};
use crate::model::facts::Needs;
use crate::model::path::VisitOutcome;
use crate::model::{ExecutionFacts, ExecutionStatus, FailureFacts, Micros};

/// How many examples are kept of each fingerprint.
pub(super) const EXAMPLES: usize = 5;

/// The fold behind `failures`.
#[derive(Default)]
pub struct Failures {
    with_handled: bool,
    pub(super) words: Names,
    pub(super) machines: HashMap<Name, Machine>,
    pub(super) failed: Vec<Failed>,
    /// By fingerprint.
    pub(super) examples: HashMap<Name, Vec<Example>>,
    /// Failures that a retry or a Catch took, by machine, state and error.
    pub(super) handled: HashMap<(Name, Name, Name), HandledCount>,
}

/// The executions of one state machine, failed or not.
#[derive(Default)]
pub(super) struct Machine {
    /// How many were asked for.
    pub executions: u64,
    /// Of them, how many did not succeed.
    pub failed: u64,
    /// When each started, those that were not asked for included; in no order.
    pub starts: Vec<Micros>,
    /// By version.
    pub versions: HashMap<Name, Version>,
}

/// The executions of one version of a state machine, those that were not asked for included.
#[derive(Clone, Copy, Default)]
pub(super) struct Version {
    pub executions: u64,
    pub first_start: Option<Micros>,
}

/// An execution that did not succeed.
pub(super) struct Failed {
    pub execution: Box<str>,
    pub name: Box<str>,
    /// Its ARN; no text for none.
    pub machine: Name,
    pub version: Option<Name>,
    pub alias: Option<Name>,
    pub status: ExecutionStatus,
    pub start: Option<Micros>,
    /// When it failed, as far as the history tells.
    pub at: Option<Micros>,
    /// Of its own failure.
    pub fingerprint: Name,
    pub terminal_state: Name,
    /// The execution whose failure is its root cause.
    pub child: Option<Box<str>>,
    /// Not among those asked for.
    pub is_aside: bool,
}

/// A failure, word for word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Example {
    /// Those asked for first, the latest first.
    pub order: (bool, std::cmp::Reverse<Option<Micros>>),
    pub execution: String,
    pub name: String,
    pub machine: Option<String>,
    pub state: Option<String>,
    pub scope: String,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub kind: &'static str,
    pub confidence: String,
    pub event_id: Option<u64>,
    pub resource: Option<String>,
}

/// How often a failure was handled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct HandledCount {
    pub cured_by_retry: u64,
    pub caught: u64,
}

impl Failures {
    /// `with_handled`: failures that a retry cured or a Catch took are counted too, for which all visits have to be read.
    pub fn new(with_handled: bool) -> Self {
        Self { with_handled, ..Self::default() }
    }

    /// Whether handled failures were counted.
    pub(super) fn counts_handled(&self) -> bool {
        self.with_handled
    }

    fn add(&mut self, facts: &ExecutionFacts<'_>, is_aside: bool) {
        let machine = self.words.number(facts.state_machine.unwrap_or_default());
        let version = facts.version.map(|version| self.words.number(version));
        let unsuccessful = facts.status.filter(|status| status.is_unsuccessful());
        let counted = self.machines.entry(machine).or_default();
        counted.executions += u64::from(!is_aside);
        counted.failed += u64::from(!is_aside && unsuccessful.is_some());
        counted.starts.extend(facts.start);
        if let Some(version) = version {
            let version = counted.versions.entry(version).or_default();
            version.executions += 1;
            version.first_start = earliest(version.first_start, facts.start);
        }
        if let Some(status) = unsuccessful {
            self.add_failed(facts, status, (machine, version), is_aside);
        }
        if self.with_handled && !is_aside {
            self.add_handled(facts, machine);
        }
    }

    fn add_failed(
        &mut self,
        facts: &ExecutionFacts<'_>,
        status: ExecutionStatus,
        (machine, version): (Name, Option<Name>),
        is_aside: bool,
    ) {
        let failure = facts.failure.unwrap_or_default();
        let fingerprint = match failure.fingerprint.filter(|id| is_current(id)) {
            Some(id) => self.words.number(id),
            // Nobody computed it, or by other rules.
            None => self.words.number(&fingerprint::of_failure(facts.state_machine, &failure).0.id),
        };
        let at = failure.root_time.or(facts.stop).or(facts.last_event).or(facts.start);
        self.keep_example(fingerprint, facts, &failure, at, is_aside);
        self.failed.push(Failed {
            execution: facts.execution.into(),
            name: facts.name.into(),
            machine,
            version,
            alias: facts.alias.map(|alias| self.words.number(alias)),
            status,
            start: facts.start,
            at,
            fingerprint,
            terminal_state: self.words.number(failure.terminal_state.unwrap_or_default()),
            child: failure.child.map(Into::into),
            is_aside,
        });
    }

    fn keep_example(
        &mut self,
        fingerprint: Name,
        facts: &ExecutionFacts<'_>,
        failure: &FailureFacts<'_>,
        at: Option<Micros>,
        is_aside: bool,
    ) {
        let kept = self.examples.entry(fingerprint).or_default();
        let order = (is_aside, std::cmp::Reverse(at));
        let is_late = |last: &Example| (last.order, last.execution.as_str()) < (order, facts.execution);
        if kept.len() == EXAMPLES && kept.last().is_some_and(is_late) {
            return;
        }
        let owned = |text: Option<&str>| text.map(str::to_owned);
        kept.push(Example {
            order,
            execution: facts.execution.to_owned(),
            name: facts.name.to_owned(),
            machine: owned(facts.state_machine),
            state: owned(failure.root_state),
            scope: failure.root_scope.to_owned(),
            error: owned(failure.root_error),
            cause: owned(failure.root_cause),
            kind: kind(failure.kind),
            confidence: failure.confidence.to_owned(),
            event_id: failure.root_event_id.map(|id| id.0),
            resource: owned(failure.resource),
        });
        cut(kept);
    }

    fn add_handled(&mut self, facts: &ExecutionFacts<'_>, machine: Name) {
        // A failure whose Catch led to the end of the execution was not handled: it is the root cause.
        let ended_well = !facts.status.is_some_and(ExecutionStatus::is_unsuccessful);
        for visit in facts.visits.iter().filter(|visit| visit.failed_attempts > 0) {
            let key = (machine, self.words.number(visit.state), self.words.number(visit.error.unwrap_or_default()));
            let count = self.handled.entry(key).or_default();
            match visit.outcome {
                VisitOutcome::Succeeded => count.cured_by_retry += 1,
                VisitOutcome::Caught if ended_well => count.caught += 1,
                _ => {}
            }
        }
    }
}

impl Question for Failures {
    fn needs(&self) -> Needs {
        Needs { failures: true, visits: self.with_handled, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        self.add(facts, false);
    }

    fn looks_aside(&self) -> bool {
        true
    }

    /// What was before tells what is new, and a failed child may be of another machine.
    fn take_aside(&mut self, facts: &ExecutionFacts<'_>) {
        self.add(facts, true);
    }

    fn merge(&mut self, other: Self) {
        let here = self.words.translate(&other.words);
        let here = |word: Name| here[word.position()];
        for (machine, counted) in other.machines {
            let known = self.machines.entry(here(machine)).or_default();
            known.executions += counted.executions;
            known.failed += counted.failed;
            known.starts.extend(counted.starts);
            for (version, counted) in counted.versions {
                let known = known.versions.entry(here(version)).or_default();
                known.executions += counted.executions;
                known.first_start = earliest(known.first_start, counted.first_start);
            }
        }
        self.failed.extend(other.failed.into_iter().map(|failed| Failed {
            machine: here(failed.machine),
            version: failed.version.map(here),
            alias: failed.alias.map(here),
            fingerprint: here(failed.fingerprint),
            terminal_state: here(failed.terminal_state),
            ..failed
        }));
        for (fingerprint, examples) in other.examples {
            let kept = self.examples.entry(here(fingerprint)).or_default();
            kept.extend(examples);
            cut(kept);
        }
        for ((machine, state, error), count) in other.handled {
            let known = self.handled.entry((here(machine), here(state), here(error))).or_default();
            known.cured_by_retry += count.cured_by_retry;
            known.caught += count.caught;
        }
    }
}

/// Versions in the order of their names, so that reports are the same whatever came first.
pub(super) fn versions_of<'w>(machine: &Machine, words: &'w Names) -> BTreeMap<&'w str, Version> {
    machine.versions.iter().map(|(version, counted)| (words.text(*version), *counted)).collect()
}

fn cut(kept: &mut Vec<Example>) {
    kept.sort();
    kept.truncate(EXAMPLES);
}

fn is_current(id: &str) -> bool {
    id.split_once(':').is_some_and(|(version, _)| version.parse() == Ok(fingerprint::VERSION))
}

fn earliest(one: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    [one, other].into_iter().flatten().min()
}

/// The word of `why` for a kind; one that it does not have is a failure of a task.
fn kind(name: &str) -> &'static str {
    use crate::analysis::why::Kind;
    const KINDS: [Kind; 11] = [
        Kind::TaskFailed,
        Kind::TaskTimedOut,
        Kind::HeartbeatTimedOut,
        Kind::ScheduleFailed,
        Kind::EvaluationFailed,
        Kind::Runtime,
        Kind::FailState,
        Kind::MapFailed,
        Kind::Limit,
        Kind::Aborted,
        Kind::ExecutionTimedOut,
    ];
    KINDS.into_iter().map(Kind::name).find(|known| *known == name).unwrap_or(Kind::TaskFailed.name())
}

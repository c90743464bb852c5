//! Every wait for somebody's answer, by class: a state of a machine, what it calls, and who answers.
//!
//! | wait              | from              | to                                  |
//! |-------------------|-------------------|-------------------------------------|
//! | task token        | scheduled         | SendTaskSuccess or SendTaskFailure  |
//! | activity, queued  | scheduled         | a worker polled it                  |
//! | activity, held    | started           | SendTaskSuccess or SendTaskFailure  |
//! | job, child        | scheduled         | the service reported its end        |
//!
//! A time limit, a stop of the execution or the failure of a sibling end a wait without an answer: it lasted at least so long. All
//! is seen as of a moment: what happened later has not happened yet. After a redrive a task is scheduled again, and its age with it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::clock::Span;
use crate::analysis::observed::{Attempt, Execution, Name, Observed};
use crate::model::Micros;
use crate::model::facts::Pattern;
use crate::model::path::AttemptOutcome;

/// Moments beyond this are no dates; kept within, their differences fit.
const FARTHEST: i64 = i64::MAX / 4;

/// Who has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// Somebody who was handed a task token.
    Callback,
    /// A worker to poll the activity.
    ActivityWorker,
    /// The worker that has it to answer.
    Activity,
    /// A job to end (`.sync`).
    Job,
    /// A child execution to end.
    ChildExecution,
}

impl WaitsFor {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Callback, Self::ActivityWorker, Self::Activity, Self::Job, Self::ChildExecution];

    /// In words: it waits for …
    pub fn words(self) -> &'static str {
        match self {
            Self::Callback => "an answer with its task token",
            Self::ActivityWorker => "a worker to poll the activity",
            Self::Activity => "the worker that took it",
            Self::Job => "a job to end",
            Self::ChildExecution => "a child execution to end",
        }
    }
}

/// Which waits are compared with each other; in the order of reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<'o> {
    pub machine: Option<&'o str>,
    pub state: &'o str,
    pub waits_for: WaitsFor,
    pub resource: Option<&'o str>,
}

/// The waits of a class, by when they began.
#[derive(Debug, Default)]
pub(super) struct Waits<'o> {
    pub spans: Vec<Span>,
    pub is_open: Vec<bool>,
    pub attempts: Vec<&'o Attempt>,
    /// Waits that a time limit, a stop or a sibling ended.
    pub unanswered: u64,
}

impl<'o> Waits<'o> {
    fn add(&mut self, attempt: &'o Attempt, from: i64, end: End, now: i64) {
        let (to, is_answered, is_open) = match end {
            End::Answered(at) => (at, true, false),
            End::Unanswered(at) => (at, false, false),
            End::Open => (now, false, true),
        };
        self.unanswered += u64::from(matches!(end, End::Unanswered(_)));
        self.spans.push(Span { from, to, is_answered });
        self.is_open.push(is_open);
        self.attempts.push(attempt);
    }
}

/// How a wait stands as of a moment.
#[derive(Clone, Copy)]
enum End {
    Answered(i64),
    Unanswered(i64),
    Open,
}

/// All waits that began by `now`.
pub(super) fn gather(observed: &Observed, now: Micros) -> BTreeMap<Key<'_>, Waits<'_>> {
    let mut found: BTreeMap<Key<'_>, Waits<'_>> = BTreeMap::new();
    let now = bounded(now);
    for class in &observed.classes {
        for (at, attempt) in class.attempts.iter().enumerate() {
            let kind = match attempt.pattern {
                Some(Pattern::Callback) => WaitsFor::Callback,
                Some(Pattern::Activity) => WaitsFor::ActivityWorker,
                Some(Pattern::Job) => WaitsFor::Job,
                Some(Pattern::ChildExecution) => WaitsFor::ChildExecution,
                _ => continue,
            };
            let Some(scheduled) = attempt.scheduled.map(bounded).filter(|scheduled| *scheduled <= now) else { continue };
            let execution = observed.execution_of(attempt);
            let Some(end) = end_of(attempt, execution, now) else { continue };
            let text = |name: Name| observed.text(name);
            let mut add = |waits_for: WaitsFor, from: i64, end: End| {
                let resource = attempt.resource.map(text);
                let key = Key { machine: class.machine.map(text), state: text(class.state), waits_for, resource };
                found.entry(key).or_default().add(&class.attempts[at], from, end, now);
            };
            match (kind, attempt.started.map(bounded).filter(|started| *started <= now)) {
                (WaitsFor::ActivityWorker, Some(started)) => {
                    add(WaitsFor::ActivityWorker, scheduled, End::Answered(started));
                    add(WaitsFor::Activity, started, end);
                }
                _ => add(kind, scheduled, end),
            }
        }
    }
    for waits in found.values_mut() {
        waits.sort();
    }
    found
}

impl Waits<'_> {
    /// By when they began: those of a worker are found by when they were scheduled.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.spans.len()).collect();
        let key = |at: usize| (self.spans[at].from, self.attempts[at].execution, self.attempts[at].visit, self.attempts[at].number);
        order.sort_unstable_by_key(|at| key(*at));
        self.spans = order.iter().map(|at| self.spans[*at]).collect();
        self.is_open = order.iter().map(|at| self.is_open[*at]).collect();
        self.attempts = order.iter().map(|at| self.attempts[*at]).collect();
    }
}

/// How an attempt stands; `None` for one of which it is not known.
fn end_of(attempt: &Attempt, execution: &Execution, now: i64) -> Option<End> {
    let stop = execution.stop.map(bounded);
    if let Some(ended) = attempt.ended.map(bounded) {
        return Some(match attempt.outcome {
            _ if ended > now => End::Open,
            AttemptOutcome::Succeeded | AttemptOutcome::Failed => End::Answered(ended),
            _ => End::Unanswered(ended),
        });
    }
    match (attempt.outcome, stop) {
        (_, Some(stop)) if stop > now => Some(End::Open),
        (_, Some(stop)) => Some(End::Unanswered(stop)),
        (AttemptOutcome::Open, None) if execution.is_running() => Some(End::Open),
        // Aborted while the execution goes on: by a sibling, at a moment that the attempt does not tell.
        _ => None,
    }
}

pub(super) fn bounded(moment: Micros) -> i64 {
    moment.0.clamp(-FARTHEST, FARTHEST)
}

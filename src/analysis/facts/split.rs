//! On what the time of a visit was spent.
//!
//! | part         | from                                             | to                                  | of                          |
//! |--------------|--------------------------------------------------|-------------------------------------|-----------------------------|
//! | queue        | scheduled                                        | started                             | every attempt of a Task      |
//! | run          | started, else scheduled                          | ended                               | calls, jobs, child executions |
//! | run          | started                                          | submitted                           | callbacks: handing out the token |
//! | callback     | submitted, else started, else scheduled          | ended: answered, or out of time      | callbacks                   |
//! | callback     | started                                          | ended                               | Activities: the worker has it |
//! | run          | the state started its branches or iterations      | the last of them ended, or one failed | Parallel and Map            |
//! | retry wait   | an attempt failed                                | the next one of the same run is scheduled | every attempt but the first |
//! | Map queue    | the Map started                                  | the iteration started               | the iteration's first visit  |
//!
//! The first four add up to what an exited visit lasted, but for a rest: a Wait's pause; what the service itself takes
//! between events (evaluating input and output, writing history), which is all there is to a Pass, Choice or Succeed; and after a
//! redrive, the time in which the execution stood still. The Map queue is time before the visit was entered, and no part of it.

use super::{Rebuilt, visits};
use crate::model::Micros;
use crate::model::facts::Pattern;
use crate::model::path::{Attempt, VisitId};

/// Milliseconds; `None` where there was nothing of the kind, or no moment tells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Split {
    pub queue: Option<f64>,
    pub run: Option<f64>,
    pub callback: Option<f64>,
    pub retry_wait: Option<f64>,
}

/// The split of a visit with these attempts.
pub(super) fn of(rebuilt: Rebuilt<'_>, attempts: &[Attempt], pattern: Option<Pattern>) -> Split {
    let mut split = Split::default();
    let mut before: Option<&Attempt> = None;
    for attempt in attempts {
        let moment = |index| rebuilt.time(index);
        let (scheduled, started, ended) = (moment(attempt.scheduled), moment(attempt.started), moment(attempt.ended));
        add(&mut split.queue, scheduled, started);
        match pattern {
            Some(Pattern::Callback) => {
                let submitted = moment(attempt.submitted);
                add(&mut split.run, started, submitted);
                add(&mut split.callback, submitted.or(started).or(scheduled), ended);
            }
            Some(Pattern::Activity) => add(&mut split.callback, started, ended),
            _ => add(&mut split.run, started.or(scheduled), ended),
        }
        add(&mut split.retry_wait, waited_since(rebuilt, before, attempt), scheduled);
        before = Some(attempt);
    }
    split
}

/// When the failure before a retry happened; `None` for a first attempt, as is that after a redrive.
pub(super) fn waited_since(rebuilt: Rebuilt<'_>, before: Option<&Attempt>, attempt: &Attempt) -> Option<Micros> {
    let before = before.filter(|before| before.run == attempt.run && attempt.number > 1)?;
    rebuilt.time(before.ended)
}

/// For the first visit of an iteration: how long the iteration waited for its turn after its Map had started.
pub(super) fn map_queue(rebuilt: Rebuilt<'_>, id: VisitId) -> Option<f64> {
    let path = rebuilt.path;
    let scope = path.scope(path.visit(id).scope);
    let started = scope.started.filter(|_| scope.visits.first() == Some(&id))?;
    let attempt = visits::attempt_of(path.visit(scope.parent?), scope)?;
    Some(rebuilt.time(Some(started))?.milliseconds_since(rebuilt.time(attempt.scheduled)?))
}

fn add(part: &mut Option<f64>, from: Option<Micros>, to: Option<Micros>) {
    if let (Some(from), Some(to)) = (from, to) {
        *part = Some(part.unwrap_or(0.0) + to.milliseconds_since(from));
    }
}

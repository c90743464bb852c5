//! The critical path: the visits whose shortening would have shortened the execution.
//!
//! Found backwards from the end. A moment walks from the end of the execution to its start; each stretch of time that it passes
//! belongs to the innermost visit that the execution was waiting for, or to nobody.
//!
//! | where the moment is                            | it goes back                                               | and the time is               |
//! |------------------------------------------------|-------------------------------------------------------------|-------------------------------|
//! | in a scope, between two visits                 | to the exit of the visit before                            | the enclosing Parallel's or Map's |
//! | in a visit without scopes                      | to its entry                                               | the visit's                   |
//! | in a Parallel or Map, before or after a run of it | to that run, or to its entry                             | the visit's                   |
//! | in a run of a Parallel or Map                  | into the scope that failed it, else the one that ended last | -                            |
//! | at the start of an iteration that had to wait for a slot | into the iteration that freed it                  | the Map's, for what lies between |
//! | at the start of any other scope                | to the start of the run                                    | the visit's                   |
//! | between two runs of the execution (a redrive)  | over it                                                    | nobody's                      |
//!
//! The moment never goes forward, whatever clocks say, so that the shares of all visits and the gaps between them add up to
//! what the execution lasted. No recursion: what is still to be done stands on a stack.

use super::Rebuilt;
use crate::model::path::{Attempt, EventIndex, Scope, ScopeId, Visit, VisitId, VisitOutcome};
use crate::model::{ExecutionStatus, Micros, Role};

/// What is left to walk, the next at the end of the list.
enum Step {
    /// The visits of a scope, of which so many are left.
    Scope { scope: ScopeId, left: usize },
    /// The runs of a Parallel or Map, of which so many are left.
    Attempts { visit: VisitId, left: usize },
    /// Back to this moment: what lies before is the visit's own.
    Reach { owner: Option<VisitId>, moment: Option<Micros> },
    /// A scope in a run of a Parallel or Map, and the ones that it had to wait for.
    Inside { visit: VisitId, scope: ScopeId },
}

struct Walk<'a> {
    rebuilt: Rebuilt<'a>,
    moment: Micros,
    /// The time of each visit, in microseconds.
    own: Vec<i64>,
    /// From the end of a run of the execution to the redrive after it.
    pauses: Vec<(Micros, Micros)>,
}

/// How much of the time from `start` to `end` each visit has on the critical path, in microseconds; by the visits' positions.
pub(super) fn path(rebuilt: Rebuilt<'_>, start: Micros, end: Micros) -> Vec<i64> {
    let mut walk = Walk { rebuilt, moment: end, own: vec![0; rebuilt.path.visits.len()], pauses: pauses(rebuilt) };
    let mut steps = vec![Step::Reach { owner: None, moment: Some(start) }, walk.all_of(ScopeId::EXECUTION)];
    while let Some(step) = steps.pop() {
        // What lies before the start is none of the execution's time.
        if walk.moment <= start {
            break;
        }
        match step {
            Step::Scope { scope, left } => walk.scope(scope, left, &mut steps),
            Step::Attempts { visit, left } => walk.attempts(visit, left, &mut steps),
            Step::Reach { owner, moment } => walk.back_to(moment.map(|moment| moment.max(start)), owner),
            Step::Inside { visit, scope } => walk.inside(visit, scope, &mut steps),
        }
    }
    walk.own
}

fn pauses(rebuilt: Rebuilt<'_>) -> Vec<(Micros, Micros)> {
    let runs = rebuilt.path.runs.windows(2);
    runs.filter_map(|pair| rebuilt.time(pair[0].end).zip(rebuilt.time(Some(pair[1].first_event)))).collect()
}

impl Walk<'_> {
    fn all_of(&self, scope: ScopeId) -> Step {
        Step::Scope { scope, left: self.rebuilt.path.scope(scope).visits.len() }
    }

    /// Goes back to a moment; the time on the way is the owner's, but for pauses of the execution.
    fn back_to(&mut self, moment: Option<Micros>, owner: Option<VisitId>) {
        let Some(moment) = moment.filter(|moment| *moment < self.moment) else { return };
        if let Some(owner) = owner {
            let overlap = |(from, to): &(Micros, Micros)| ((*to).min(self.moment).0 - (*from).max(moment).0).max(0);
            let paused: i64 = self.pauses.iter().map(overlap).sum();
            self.own[owner.0 as usize] += self.moment.0 - moment.0 - paused;
        }
        self.moment = moment;
    }

    fn scope(&mut self, scope: ScopeId, left: usize, steps: &mut Vec<Step>) {
        let path = self.rebuilt.path;
        let entry = path.scope(scope);
        for left in (0..left).rev() {
            let id = entry.visits[left];
            let visit = path.visit(id);
            self.back_to(self.left_at(visit), entry.parent);
            let entered = self.rebuilt.time(visit.entered.or(Some(visit.first_event)));
            if visit.scopes.is_empty() {
                self.back_to(entered, Some(id));
                continue;
            }
            steps.push(Step::Scope { scope, left });
            steps.push(Step::Reach { owner: Some(id), moment: entered });
            steps.push(Step::Attempts { visit: id, left: visit.attempts.len() });
            return;
        }
    }

    /// When a visit was over, for all that the history tells; `None` for one that was not until something else went on or ended.
    fn left_at(&self, visit: &Visit) -> Option<Micros> {
        let ended = match visit.outcome {
            VisitOutcome::Failed if visit.scopes.is_empty() => Some(visit.last_event),
            _ => visit.exited,
        };
        self.rebuilt.time(ended)
    }

    fn attempts(&mut self, id: VisitId, left: usize, steps: &mut Vec<Step>) {
        let visit = self.rebuilt.path.visit(id);
        let Some(position) = left.checked_sub(1) else { return };
        let attempt = &visit.attempts[position];
        self.back_to(self.rebuilt.time(attempt.ended), Some(id));
        steps.push(Step::Attempts { visit: id, left: position });
        steps.push(Step::Reach { owner: Some(id), moment: self.rebuilt.time(attempt.scheduled) });
        if let Some(scope) = self.last_scope(id, visit, attempt, position) {
            steps.push(Step::Inside { visit: id, scope });
        }
    }

    /// The scope for which a run of a Parallel or Map waited: the one that failed it, else the one that ended last.
    fn last_scope(&self, id: VisitId, visit: &Visit, attempt: &Attempt, position: usize) -> Option<ScopeId> {
        if let Some(failed) = attempt.failed_by.or_else(|| self.stopped_in()).and_then(|by| self.scope_around(by, id))
            && self.rebuilt.path.scope(failed).attempt as usize == position + 1
        {
            return Some(failed);
        }
        // The scopes of one attempt stand together.
        let number = |scope: &ScopeId| self.rebuilt.path.scope(*scope).attempt as usize;
        let from = visit.scopes.partition_point(|scope| number(scope) <= position);
        let to = visit.scopes.partition_point(|scope| number(scope) <= position + 1);
        // An open scope ends after all others; of several that end together, the last one in the history counts.
        let key = |scope: &ScopeId| {
            let entry = self.rebuilt.path.scope(*scope);
            let end = self.end_of(entry);
            (end.is_none(), end.and_then(|end| self.rebuilt.time(Some(end))), end, *scope)
        };
        visit.scopes.get(from..to)?.iter().copied().max_by_key(key)
    }

    /// The visit that was open when the execution was stopped or ran out of time, if one can be named.
    fn stopped_in(&self) -> Option<VisitId> {
        let path = self.rebuilt.path;
        let stopped = matches!(path.status, Some(ExecutionStatus::Aborted | ExecutionStatus::TimedOut));
        path.last_run().filter(|_| stopped)?.blame?.visit
    }

    /// The scope of `composite` in which a visit stands.
    fn scope_around(&self, mut visit: VisitId, composite: VisitId) -> Option<ScopeId> {
        loop {
            let scope = self.rebuilt.path.visit(visit).scope;
            visit = match self.rebuilt.path.scope(scope).parent? {
                parent if parent == composite => return Some(scope),
                parent => parent,
            };
        }
    }

    /// The event that ends a scope: its own, for a branch that of its last visit.
    fn end_of(&self, scope: &Scope) -> Option<EventIndex> {
        let last = scope.visits.last().map(|id| self.rebuilt.path.visit(*id));
        let of_last = last.and_then(|last| last.exited.or((last.outcome == VisitOutcome::Failed).then_some(last.last_event)));
        scope.ended.or(of_last)
    }

    fn inside(&mut self, visit: VisitId, scope: ScopeId, steps: &mut Vec<Step>) {
        let entry = self.rebuilt.path.scope(scope);
        self.back_to(self.end_of(entry).and_then(|end| self.rebuilt.time(Some(end))), Some(visit));
        if let Some(freed) = self.freed_by(visit, entry) {
            steps.push(Step::Inside { visit, scope: freed });
        }
        steps.push(Step::Reach { owner: Some(visit), moment: self.rebuilt.time(entry.started) });
        steps.push(self.all_of(scope));
    }

    /// The iteration that freed the slot for this one: its `MapIterationStarted` links to an event of it.
    fn freed_by(&self, map: VisitId, scope: &Scope) -> Option<ScopeId> {
        let Rebuilt { history, path, .. } = self.rebuilt;
        let started = scope.started?;
        let previous = history.index_of(history.events[started].previous_event_id?).filter(|previous| *previous < started)?;
        let freed = match path.visit_of.get(previous).copied().flatten() {
            Some(visit) if visit != map => self.scope_around(visit, map)?,
            _ if matches!(history.events[previous].role(), Role::IterationEnded(_)) => self.iteration_ended_by(map, previous)?,
            _ => return None,
        };
        // Each step leads to an iteration that started earlier.
        let earlier = path.scope(freed).started.is_some_and(|before| before < started);
        (earlier && path.scope(freed).attempt == scope.attempt).then_some(freed)
    }

    fn iteration_ended_by(&self, map: VisitId, event: EventIndex) -> Option<ScopeId> {
        let path = self.rebuilt.path;
        path.visit(map).scopes.iter().copied().find(|scope| path.scope(*scope).ended == Some(event))
    }
}

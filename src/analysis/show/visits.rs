//! Visits, attempts and scopes with their times.

use crate::analysis::execution::{self, between};
use crate::model::event_type::Ending;
use crate::model::path::{Attempt, AttemptOutcome, EventIndex, Scope, ScopeId, Visit, VisitId, VisitOutcome};
use crate::model::time::milliseconds_between;
use crate::model::{Details, ExecutionPath, ExecutionStatus, History, HistoryEvent, RawText, Role, StateType, Timestamp};

use super::{MapRunReport, RunReport, ScopeKind, ScopeReport, VisitAttempt, VisitReport, one_line};

/// Measures from the execution's start.
pub(super) struct Clock {
    start: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Clock {
    pub(super) fn new(history: &History) -> Self {
        let times = || history.events.iter().filter_map(|event| event.timestamp);
        Self { start: times().next().or(history.header.start), last: times().next_back().or(history.header.stop) }
    }

    /// From the start to the last event.
    pub(super) fn span_ms(&self) -> i64 {
        self.last.and_then(|last| self.offset_ms(Some(last))).unwrap_or(0).max(0)
    }

    pub(super) fn offset_ms(&self, moment: Option<Timestamp>) -> Option<i64> {
        Some(milliseconds_between(self.start?, moment?))
    }
}

fn time_of(history: &History, event: Option<EventIndex>) -> Option<Timestamp> {
    history.events.get(event?)?.timestamp
}

fn text(raw: Option<&RawText>) -> Option<String> {
    raw.map(|raw| raw.decode().into_owned())
}

pub(super) fn runs(history: &History, path: &ExecutionPath, clock: &Clock) -> Vec<RunReport> {
    let report = |(position, run): (usize, &crate::model::path::Run)| {
        let first = history.events.get(run.first_event);
        let end = run.end.and_then(|end| history.events.get(end));
        let start = first.and_then(|event| event.timestamp);
        let status = end.and_then(|event| match event.role() {
            Role::ExecutionEnded(Ending::Succeeded) => Some(ExecutionStatus::Succeeded),
            Role::ExecutionEnded(Ending::Failed) => Some(ExecutionStatus::Failed),
            Role::ExecutionEnded(Ending::TimedOut) => Some(ExecutionStatus::TimedOut),
            Role::ExecutionEnded(Ending::Aborted) => Some(ExecutionStatus::Aborted),
            _ => None,
        });
        RunReport { number: position + 1, event_id: first.map(|event| event.id), start, offset_ms: clock.offset_ms(start), status }
    };
    path.runs.iter().enumerate().map(report).collect()
}

pub(super) fn visits(history: &History, path: &ExecutionPath, clock: &Clock) -> Vec<VisitReport> {
    let teller = Teller { history, path, clock };
    path.visits().map(|(id, visit)| teller.visit(id, visit)).collect()
}

struct Teller<'a> {
    history: &'a History,
    path: &'a ExecutionPath,
    clock: &'a Clock,
}

impl Teller<'_> {
    fn event(&self, index: Option<EventIndex>) -> Option<&HistoryEvent> {
        self.history.events.get(index?)
    }

    fn time(&self, index: Option<EventIndex>) -> Option<Timestamp> {
        time_of(self.history, index)
    }

    fn visit(&self, id: VisitId, visit: &Visit) -> VisitReport {
        let start = self.time(visit.entered).or_else(|| self.time(Some(visit.first_event)));
        let (error, cause) = self.failure(id, visit);
        VisitReport {
            state: text(visit.state.as_ref()),
            state_type: visit.state_type.map(StateType::name),
            scope: self.path.labels(visit.scope),
            scope_number: visit.scope.0 as usize,
            entered_event_id: self.event(visit.entered).map(|event| event.id),
            exited_event_id: self.event(visit.exited).map(|event| event.id),
            outcome: visit.outcome,
            run: visit.run as usize + 1,
            start,
            offset_ms: self.clock.offset_ms(start),
            duration_ms: between(start, self.end_of(visit)),
            resource: visit
                .attempts
                .iter()
                .rev()
                .find_map(|attempt| execution::resource(self.history, attempt))
                .map(|resource| resource.to_string()),
            failure_event_id: self.event(visit.failure).map(|event| event.id),
            error,
            cause,
            failed_by: visit.failed_by.filter(|by| *by != id).map(|by| by.0 as usize),
            caught_by: self.caught_by(id, visit),
            waits_for: (visit.outcome == VisitOutcome::Open).then(|| execution::waits_for(self.history, visit)),
            waiting_since: if visit.outcome == VisitOutcome::Open { self.waiting_since(visit).or(start) } else { None },
            attempts: self.attempts(visit),
            scopes: visit.scopes.iter().map(|scope| scope.0 as usize).collect(),
            map_runs: visit.map_runs.iter().filter_map(|event| self.map_run(*event)).collect(),
        }
    }

    /// When the visit ended: by its own event, else by the end of what held it.
    fn end_of(&self, visit: &Visit) -> Option<Timestamp> {
        let own = self.time(visit.exited).or_else(|| self.time(visit.aborted));
        own.or_else(|| match visit.outcome {
            VisitOutcome::Open => self.clock.last,
            VisitOutcome::Aborted => {
                let run = visit.attempts.last().map_or(visit.run, |attempt| attempt.run);
                let scope_end = self.time(self.path.scope(visit.scope).ended);
                scope_end.or_else(|| self.time(self.path.runs.get(run as usize).and_then(|run| run.end)))
            }
            // A failure that only the end of the execution records, such as an unmatched Choice.
            _ => self.time(visit.failure).max(self.time(Some(visit.last_event))),
        })
    }

    /// The error and the one-line cause of a visit's last failure.
    fn failure(&self, id: VisitId, visit: &Visit) -> (Option<String>, Option<String>) {
        let Some(event) = self.event(visit.failure) else { return (None, None) };
        if event.error().is_some() || event.cause().is_some() {
            return problem(event);
        }
        // A Fail state's own event carries only its input; its error stands in the execution's end.
        let blamed = |run: &&crate::model::path::Run| {
            run.blame.is_some_and(|blame| blame.visit == Some(id) || blame.visit.is_some() && blame.visit == visit.failed_by)
        };
        let Some(end) = self.path.runs.iter().rev().find(blamed).and_then(|run| self.event(run.end)) else { return (None, None) };
        problem(end)
    }

    fn caught_by(&self, id: VisitId, visit: &Visit) -> Option<String> {
        if visit.outcome != VisitOutcome::Caught {
            return None;
        }
        let siblings = &self.path.scope(visit.scope).visits;
        let position = siblings.binary_search(&id).ok()?;
        text(self.path.visit(*siblings.get(position + 1)?).state.as_ref())
    }

    fn map_run(&self, index: EventIndex) -> Option<MapRunReport> {
        let event = self.event(Some(index))?;
        let arn = match &event.details {
            Details::MapRunStarted { map_run_arn } | Details::Redriven { map_run_arn, .. } => text(map_run_arn.as_ref()),
            _ => None,
        };
        Some(MapRunReport { event_id: event.id, arn })
    }

    fn attempts(&self, visit: &Visit) -> Vec<VisitAttempt> {
        let mut before: Option<&Attempt> = None;
        let mut reports = Vec::with_capacity(visit.attempts.len());
        for attempt in &visit.attempts {
            let retried = before.filter(|before| before.run == attempt.run);
            reports.push(self.attempt(visit, attempt, retried));
            before = Some(attempt);
        }
        reports
    }

    fn attempt(&self, visit: &Visit, attempt: &Attempt, before: Option<&Attempt>) -> VisitAttempt {
        let scheduled = self.event(attempt.scheduled);
        let start = self.time(attempt.scheduled.or(attempt.started).or(attempt.ended));
        let end = match attempt.outcome {
            AttemptOutcome::Open => self.clock.last,
            _ => self.time(attempt.ended).or_else(|| self.end_of(visit)),
        };
        let ended = self.event(attempt.ended);
        let (error, cause) = ended.map(problem).unwrap_or_default();
        let limits = match scheduled.map(|event| &event.details) {
            Some(Details::Scheduled(limits)) => (limits.timeout_in_seconds, limits.heartbeat_in_seconds),
            _ => (None, None),
        };
        VisitAttempt {
            number: attempt.number,
            run: attempt.run as usize + 1,
            scheduled_event_id: scheduled.map(|event| event.id),
            event_id: ended.map(|event| event.id),
            outcome: attempt.outcome,
            offset_ms: self.clock.offset_ms(start),
            duration_ms: between(start, end),
            wait_before_ms: before.and_then(|before| between(self.time(before.ended), start)),
            queued_ms: attempt.started.and_then(|started| between(start, self.time(Some(started)))),
            waited_ms: attempt.submitted.and_then(|submitted| between(self.time(Some(submitted)), end)),
            timeout_seconds: limits.0,
            heartbeat_seconds: limits.1,
            child: execution::child(self.history, attempt),
            error,
            cause,
        }
    }

    fn waiting_since(&self, visit: &Visit) -> Option<Timestamp> {
        let attempt = visit.attempts.last()?;
        match attempt.outcome {
            AttemptOutcome::Open => self.time(attempt.submitted.or(attempt.started).or(attempt.scheduled)),
            _ => self.time(attempt.ended),
        }
    }
}

/// The error that an event reports, and its cause on one line.
fn problem(event: &HistoryEvent) -> (Option<String>, Option<String>) {
    let error = text(event.error());
    let cause = event.cause().map(|cause| one_line(error.as_deref(), &cause.decode()));
    (error, cause.filter(|cause| !cause.is_empty()))
}

pub(super) fn scopes(history: &History, path: &ExecutionPath, clock: &Clock, visits: &[VisitReport]) -> Vec<ScopeReport> {
    let report = |(position, scope): (usize, &Scope)| {
        let own_start = clock.offset_ms(time_of(history, scope.started));
        let inside = scope.visits.iter().map(|visit| &visits[visit.0 as usize]);
        let offset_ms = own_start.or_else(|| inside.clone().find_map(|visit| visit.offset_ms));
        let last = inside.filter_map(|visit| Some(visit.offset_ms? + visit.duration_ms?)).max();
        let end = if position == 0 { Some(clock.span_ms()) } else { clock.offset_ms(time_of(history, scope.ended)).max(last) };
        ScopeReport {
            kind: kind_of(path, scope),
            parent: scope.parent.map(|parent| parent.0 as usize),
            index: scope.index,
            attempt: scope.attempt,
            depth: scope.depth,
            outcome: outcome_of(path, ScopeId(u32::try_from(position).unwrap_or(u32::MAX))),
            offset_ms,
            duration_ms: offset_ms.zip(end).map(|(start, end)| end - start),
            visits: scope.visits.iter().map(|visit| visit.0 as usize).collect(),
        }
    };
    path.scopes.iter().enumerate().map(report).collect()
}

fn kind_of(path: &ExecutionPath, scope: &Scope) -> ScopeKind {
    match scope.parent.map(|parent| path.visit(parent).state_type) {
        None => ScopeKind::Execution,
        Some(Some(StateType::Parallel)) => ScopeKind::Branch,
        Some(_) => ScopeKind::Iteration,
    }
}

fn outcome_of(path: &ExecutionPath, id: ScopeId) -> VisitOutcome {
    let scope = path.scope(id);
    if id == ScopeId::EXECUTION {
        return match path.status {
            Some(ExecutionStatus::Succeeded) => VisitOutcome::Succeeded,
            Some(ExecutionStatus::Failed | ExecutionStatus::TimedOut) => VisitOutcome::Failed,
            Some(ExecutionStatus::Aborted) => VisitOutcome::Aborted,
            _ => VisitOutcome::Open,
        };
    }
    match scope.ending {
        Some(Ending::Succeeded) => VisitOutcome::Succeeded,
        Some(Ending::Failed | Ending::TimedOut) => VisitOutcome::Failed,
        Some(Ending::Aborted) => VisitOutcome::Aborted,
        None => VisitOutcome::Open,
    }
}

//! What was open: where a running execution stands, what a stopped one was doing.

use super::finding::age;
use super::{Evidence, OpenVisit, WaitsFor, decoded};
use crate::model::path::{AttemptOutcome, Visit, VisitId, VisitOutcome};
use crate::model::{Details, EventType, ExecutionStatus, StateType};

impl Evidence<'_> {
    /// The innermost visits that were open at the end of the history, in the order in which they were entered.
    pub(super) fn open(&self, status: Option<ExecutionStatus>) -> Vec<OpenVisit> {
        let wanted = match status {
            Some(ExecutionStatus::Aborted | ExecutionStatus::TimedOut) => VisitOutcome::Aborted,
            Some(ExecutionStatus::Succeeded | ExecutionStatus::Failed) => return Vec::new(),
            _ => VisitOutcome::Open,
        };
        let mut open = vec![false; self.path.visits.len()];
        let mut holds_open = vec![false; self.path.visits.len()];
        for (id, visit) in self.path.visits() {
            let scope = self.path.scope(visit.scope);
            let parent_open = scope.parent.is_none_or(|parent| open[parent.0 as usize]);
            if visit.outcome == wanted && visit.aborted.is_none() && visit.exited.is_none() && parent_open && scope.ended.is_none() {
                open[id.0 as usize] = true;
                if let Some(parent) = scope.parent {
                    holds_open[parent.0 as usize] = true;
                }
            }
        }
        let innermost = self.path.visits().filter(|(id, _)| open[id.0 as usize] && !holds_open[id.0 as usize]);
        innermost.map(|(id, visit)| self.open_visit(id, visit)).collect()
    }

    fn open_visit(&self, _id: VisitId, visit: &Visit) -> OpenVisit {
        let attempt = visit.attempts.last();
        let scheduled = attempt.and_then(|attempt| attempt.scheduled).map(|index| &self.history.events[index].details);
        let (timeout, heartbeat) = match scheduled {
            Some(Details::Scheduled(scheduled)) => (scheduled.timeout_in_seconds, scheduled.heartbeat_in_seconds),
            _ => (None, None),
        };
        let waits_for = self.waits_for(visit);
        let since_event = match waits_for {
            WaitsFor::Callback | WaitsFor::ChildExecution | WaitsFor::Job | WaitsFor::Task | WaitsFor::Activity | WaitsFor::Retry => {
                visit.last_event
            }
            _ => visit.entered.unwrap_or(visit.first_event),
        };
        let since = self.history.events[since_event].timestamp;
        let until = self.history.header.stop.or_else(|| self.history.events.last()?.timestamp);
        OpenVisit {
            state: decoded(visit.state.as_ref()),
            scope: self.path.labels(visit.scope),
            entered_event_id: visit.entered.map(|index| self.history.events[index].id),
            since,
            age_ms: age(since, until),
            waits_for,
            resource: self.resource(&visit.attempts),
            child: attempt.and_then(|attempt| self.child_of_attempt(attempt)),
            timeout_seconds: timeout,
            heartbeat_seconds: heartbeat,
            failed_attempts: visit.attempts.iter().filter(|attempt| attempt.outcome.is_failure()).count(),
        }
    }

    fn waits_for(&self, visit: &Visit) -> WaitsFor {
        match visit.state_type {
            Some(StateType::Wait) => return WaitsFor::Time,
            Some(StateType::Map) if !visit.map_runs.is_empty() => return WaitsFor::MapRun,
            Some(StateType::Map | StateType::Parallel) => return WaitsFor::Scopes,
            Some(StateType::Task) | None => {}
            Some(_) => return WaitsFor::Unknown,
        }
        let Some(attempt) = visit.attempts.last() else { return WaitsFor::Unknown };
        match attempt.outcome {
            AttemptOutcome::Failed | AttemptOutcome::TimedOut => return WaitsFor::Retry,
            AttemptOutcome::Succeeded => return WaitsFor::Unknown,
            AttemptOutcome::Open | AttemptOutcome::Aborted => {}
        }
        let is_activity = attempt.scheduled.is_some_and(|index| self.history.events[index].kind == EventType::ActivityScheduled);
        let resource = self.resource(&visit.attempts).unwrap_or_default();
        match (is_activity, attempt.started.is_some() || attempt.submitted.is_some()) {
            (true, false) => WaitsFor::ActivityWorker,
            (true, true) => WaitsFor::Activity,
            (false, false) => WaitsFor::TaskStart,
            (false, true) if resource.ends_with(".waitForTaskToken") => WaitsFor::Callback,
            (false, true) if resource.contains("startExecution.sync") => WaitsFor::ChildExecution,
            (false, true) if resource.contains(".sync") => WaitsFor::Job,
            (false, true) => WaitsFor::Task,
        }
    }
}

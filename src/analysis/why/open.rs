//! What was open: where a running execution stands, what a stopped one was doing.

use super::{Evidence, OpenVisit, WaitsFor, decoded};
use crate::analysis::execution;
use crate::model::path::{Visit, VisitOutcome};
use crate::model::{Details, ExecutionStatus};

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
        innermost.map(|(_, visit)| self.open_visit(visit)).collect()
    }

    fn open_visit(&self, visit: &Visit) -> OpenVisit {
        let attempt = visit.attempts.last();
        let scheduled = attempt.and_then(|attempt| attempt.scheduled).map(|index| &self.history.events[index].details);
        let (timeout, heartbeat) = match scheduled {
            Some(Details::Scheduled(scheduled)) => (scheduled.timeout_in_seconds, scheduled.heartbeat_in_seconds),
            _ => (None, None),
        };
        let waits_for = execution::waits_for(self.history, visit);
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
            age_ms: execution::between(since, until),
            waits_for,
            resource: self.resource(&visit.attempts),
            child: attempt.and_then(|attempt| execution::child(self.history, attempt)),
            timeout_seconds: timeout,
            heartbeat_seconds: heartbeat,
            failed_attempts: visit.attempts.iter().filter(|attempt| attempt.outcome.is_failure()).count(),
        }
    }
}

//! Closes what the history leaves unsaid: siblings of a failure, open attempts, branches without an event of their own.

use std::collections::VecDeque;

use super::place::{NamelessAbort, Rebuilder};
use crate::asl::State;
use crate::model::event_type::Ending;
use crate::model::path::{AttemptOutcome, ScopeId, Visit, VisitId, VisitOutcome};
use crate::model::{Details, ExecutionPath, ExecutionStatus, HistoryEvent, RawText, Role, StateType};

impl Rebuilder<'_> {
    /// The finished path.
    pub(super) fn close(mut self) -> ExecutionPath {
        self.name_nameless();
        self.assign_aborts();
        let failed = self.failed_visits();
        for position in 0..self.path.visits.len() {
            let id = VisitId(u32::try_from(position).expect("checked when the visit was opened"));
            let outcome = self.outcome(id, &failed);
            let visit = self.visit_mut(id);
            visit.outcome = outcome;
            if visit.failed_by.is_none() && visit.failure.is_some() {
                visit.failed_by = Some(id);
            }
            close_attempts(visit);
        }
        self.close_scopes();
        self.path
    }

    /// Names visits whose Entered event is missing, where only one state of the definition can be meant: one that calls what the visit
    /// called and that the visit before it leads to.
    fn name_nameless(&mut self) {
        // Where nothing but failures was logged, the visit before is not the one that led here.
        let Some(definition) = self.definition.filter(|_| !self.failures_only) else { return };
        let nameless: Vec<VisitId> = self.path.visits().filter(|(_, visit)| visit.state.is_none()).map(|(id, _)| id).collect();
        for id in nameless {
            let visit = self.visit(id);
            let mut resource = visit.attempts.iter().flat_map(|attempt| [attempt.scheduled, attempt.started, attempt.ended]).flatten();
            let resource = resource.find_map(|event| called(self.event(event)));
            let before = self.path.predecessor(id).and_then(|before| self.visit(before).state.as_ref()).map(RawText::decode);
            let before = before.as_deref().and_then(|name| definition.find(name));
            let parent = self.path.scope(visit.scope).parent.and_then(|parent| self.visit(parent).state.as_ref()).map(RawText::decode);
            let fits = |state: &&State| {
                let is_kind = visit.state_type.is_none_or(|kind| state.state_type == Some(kind));
                let calls =
                    resource.as_ref().is_none_or(|called| state.resource.as_ref().is_some_and(|resource| resource.ends_with(called)));
                let follows = before.is_none_or(|before| before.leads_to(definition, state));
                // Where even the scope is missing, any will do.
                let is_stray = parent.is_none() && before.is_none();
                let inside = is_stray || definition.parent_of(&state.name).map(|parent| parent.name.as_str()) == parent.as_deref();
                is_kind && calls && follows && inside
            };
            let mut fitting = definition.states().filter(fits);
            if let (Some(only), None) = (fitting.next(), fitting.next()) {
                let visit = self.visit_mut(id);
                visit.state = Some(RawText::plain(only.name.as_str()));
                visit.name_inferred = true;
                visit.state_type = only.state_type;
            }
        }
    }

    /// Gives each event that ends a nameless sibling to one: first to the failing visit itself, which gets one, too, then in the
    /// order in which they were entered. Several are interchangeable.
    fn assign_aborts(&mut self) {
        let mut waiting: [VecDeque<VisitId>; 4] = Default::default();
        let queue = |kind: StateType| match kind {
            StateType::Task => Some(0),
            StateType::Wait => Some(1),
            StateType::Parallel => Some(2),
            StateType::Map => Some(3),
            _ => None,
        };
        if self.aborts.is_empty() {
            return;
        }
        for (id, visit) in self.path.visits() {
            if (visit.exited.is_none() || self.path.runs.len() > 1)
                && visit.scope != ScopeId::EXECUTION
                && let Some(queue) = visit.state_type.and_then(queue)
            {
                waiting[queue].push_back(id);
            }
        }
        for NamelessAbort { event, state_type, failing } in std::mem::take(&mut self.aborts) {
            // What a redrive took up again may have exited later.
            let redriven_before = |exited: usize| self.path.runs.iter().any(|run| event < run.first_event && run.first_event < exited);
            let fits =
                |visit: &Visit| visit.aborted.is_none() && visit.state_type == Some(state_type) && visit.exited.is_none_or(redriven_before);
            let own = failing.filter(|id| fits(self.visit(*id)));
            let found = own.or_else(|| {
                let waiting = &mut waiting[queue(state_type)?];
                while waiting.front().is_some_and(|id| !fits(self.visit(*id))) {
                    waiting.pop_front();
                }
                waiting.front().copied().filter(|id| self.visit(*id).first_event < event)
            });
            match found {
                Some(id) => {
                    let visit = self.visit_mut(id);
                    visit.aborted = Some(event);
                    self.path.visit_of[event] = Some(id);
                }
                None => self.path.unplaced.push(event),
            }
        }
        self.path.unplaced.sort_unstable();
    }

    /// Which visits failed: those that ended a run or made a Parallel or Map fail, and all that enclose them up to there.
    fn failed_visits(&mut self) -> Vec<bool> {
        let mut failed = vec![false; self.path.visits.len()];
        for position in 0..self.path.visits.len() {
            let composite = VisitId(u32::try_from(position).expect("checked when the visit was opened"));
            for attempt in &self.visit(composite).attempts {
                if let Some(by) = attempt.failed_by {
                    self.mark_failed(by, Some(composite), &mut failed);
                }
            }
        }
        for run in self.path.runs.clone() {
            let ended_by_failure = match run.end {
                Some(end) => matches!(self.event(end).role(), Role::ExecutionEnded(Ending::Failed)),
                None => self.history.header.status == Some(ExecutionStatus::Failed),
            };
            if let Some(blame) = run.blame.filter(|_| ended_by_failure)
                && let Some(visit) = blame.visit
            {
                self.mark_failed(visit, None, &mut failed);
                if let Some(event) = blame.event {
                    self.note_failure(visit, event);
                }
            }
        }
        failed
    }

    fn mark_failed(&self, visit: VisitId, below: Option<VisitId>, failed: &mut [bool]) {
        let mut at = Some(visit);
        while let Some(id) = at.filter(|id| Some(*id) != below) {
            failed[id.0 as usize] = true;
            at = self.path.scope(self.visit(id).scope).parent;
        }
    }

    /// A failure that left no event of its own is recorded at its visit and at all that enclose it.
    fn note_failure(&mut self, visit: VisitId, event: usize) {
        let mut at = Some(visit);
        while let Some(id) = at {
            let scope = self.visit(id).scope;
            let entry = self.visit_mut(id);
            // What an earlier attempt failed of is not what ended the execution.
            entry.failure = Some(event);
            entry.failed_by = Some(visit);
            at = self.path.scope(scope).parent;
        }
    }

    fn outcome(&self, id: VisitId, failed: &[bool]) -> VisitOutcome {
        let visit = self.visit(id);
        let last_attempt_failed = visit.attempts.last().is_some_and(|attempt| attempt.outcome.is_failure()) || self.led_to_a_handler(id);
        if visit.exited.is_some() {
            return if last_attempt_failed { VisitOutcome::Caught } else { VisitOutcome::Succeeded };
        }
        // A Fail state is never open, also while what encloses it waits for a retry.
        if failed[id.0 as usize] || visit.state_type == Some(StateType::Fail) {
            return VisitOutcome::Failed;
        }
        let scope = self.path.scope(visit.scope);
        // Something came after it in its scope: it must have exited, though the event is missing.
        if scope.visits.last() != Some(&id) && visit.aborted.is_none() {
            let unfinished_run = self.path.visit(*scope.visits.last().unwrap_or(&id)).run != visit.run;
            if !unfinished_run {
                return if last_attempt_failed { VisitOutcome::Caught } else { VisitOutcome::Succeeded };
            }
        }
        let parent_closed = scope.parent.is_some_and(|parent| {
            let parent_visit = self.visit(parent);
            parent_visit.outcome != VisitOutcome::Open
                || (scope.attempt as usize) < parent_visit.attempts.len()
                || failed[parent.0 as usize]
        });
        let scope_succeeded = scope.ending == Some(Ending::Succeeded);
        let execution_succeeded = scope.parent.is_none() && self.path.status == Some(ExecutionStatus::Succeeded);
        if visit.aborted.is_none() && (scope_succeeded || execution_succeeded) {
            return VisitOutcome::Succeeded;
        }
        let run_ended = self
            .path
            .runs
            .get(visit.attempts.last().map_or(visit.run, |attempt| attempt.run) as usize)
            .is_some_and(|run| run.end.is_some() || run.blame.is_some());
        // The end would link to it: whatever failed here, the execution went on.
        if self.failures_only && run_ended && last_attempt_failed && visit.aborted.is_none() {
            return VisitOutcome::Caught;
        }
        if visit.aborted.is_some() || parent_closed || run_ended {
            return VisitOutcome::Aborted;
        }
        VisitOutcome::Open
    }

    /// Whether the definition has no other way than a Catch from the visit to the one after it, should the failure's event be missing.
    fn led_to_a_handler(&self, id: VisitId) -> bool {
        let name_of = |id: VisitId| self.visit(id).state.as_ref().map(RawText::decode);
        let find = |id: VisitId| self.definition.and_then(|definition| definition.find(&name_of(id)?));
        let siblings = &self.path.scope(self.visit(id).scope).visits;
        let after = siblings.binary_search(&id).ok().and_then(|position| siblings.get(position + 1));
        let (Some(definition), Some(from), Some(to)) = (self.definition, find(id), after.and_then(|after| find(*after))) else {
            return false;
        };
        from.catches_to(definition, to) && !from.goes_to(definition, to)
    }

    fn close_scopes(&mut self) {
        for position in 1..self.path.scopes.len() {
            let scope = &self.path.scopes[position];
            let Some(parent) = scope.parent.filter(|_| scope.ending.is_none()) else { continue };
            let parent = self.visit(parent);
            let attempt = parent.attempts.get((scope.attempt as usize).saturating_sub(1)).map(|attempt| attempt.outcome);
            let last = scope.visits.last().map(|visit| self.visit(*visit).outcome);
            let ending = match (last, attempt) {
                (Some(VisitOutcome::Failed), _) => Some(Ending::Failed),
                (_, Some(AttemptOutcome::Open)) => None,
                (_, Some(AttemptOutcome::Succeeded)) | (Some(VisitOutcome::Succeeded), Some(_)) => Some(Ending::Succeeded),
                _ => Some(Ending::Aborted),
            };
            self.path.scopes[position].ending = ending;
        }
    }
}

/// The end of the `Resource` that an event's attempt calls.
pub(super) fn called(event: &HistoryEvent) -> Option<String> {
    let (kind, resource) = match &event.details {
        Details::Scheduled(scheduled) => (&scheduled.resource_type, &scheduled.resource),
        Details::Started(started) => (&started.resource_type, &started.resource),
        Details::Failure(failure) => (&failure.resource_type, &failure.resource),
        _ => return None,
    };
    let resource = resource.as_ref()?.decode();
    Some(kind.as_ref().map_or_else(|| resource.to_string(), |kind| format!(":{}:{resource}", kind.decode())))
}

fn close_attempts(visit: &mut Visit) {
    let last = match visit.outcome {
        VisitOutcome::Open => AttemptOutcome::Open,
        VisitOutcome::Succeeded => AttemptOutcome::Succeeded,
        VisitOutcome::Caught | VisitOutcome::Failed => AttemptOutcome::Failed,
        VisitOutcome::Aborted => AttemptOutcome::Aborted,
    };
    let count = visit.attempts.len();
    for (position, attempt) in visit.attempts.iter_mut().enumerate() {
        if attempt.outcome == AttemptOutcome::Open {
            attempt.outcome = if position + 1 == count { last } else { AttemptOutcome::Aborted };
        }
    }
}

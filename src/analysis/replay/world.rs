//! The world as a recorded history tells it.
//!
//! A task answers what it answered then, after the time that it took; which branch goes on first, and when, follows the recorded
//! events for as long as the run agrees with them. Nothing else comes from the recording: what is asked, in which order, and what
//! becomes of the answers is the definition's doing.
//!
//! | recorded attempt                                   | answer                                                              |
//! |----------------------------------------------------|---------------------------------------------------------------------|
//! | succeeded, failed                                  | the result or the failure, after the recorded time; heartbeats are made up that let it last so long |
//! | timed out, and the definition sets a limit         | none: the limit ends the attempt; heartbeats are made up so that it does when it did |
//! | timed out, without a limit that would have          | the recorded failure                                                |
//! | none, but the service refused the state            | that refusal                                                        |
//! | not ended                                          | none: it waits for ever                                             |
//! | Map Run of a Distributed Map                       | what the state made of it, since its children have histories of their own |
//! | there is no such attempt                           | none: it waits for ever, and is noted as unanswered                 |

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::chance::Draws;
use super::recording::{AttemptEvents, Key, MapRunEvents, Recording, worker};
use crate::expr::Value;
use crate::interpreter::{
    Attempted, Chance, MapRunAnswer, MapRunOutcome, MapRunRequest, Pending, TaskAnswer, TaskOutcome, TaskRequest, Unanswered, World,
};
use crate::model::event_type::{AttemptStep, Ending, Role};
use crate::model::{Details, EventType, HistoryEvent, RawText, Timestamp};

/// An answer that was given, for the report, for fixtures, and for saying what it rests on.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub key: Key,
    pub answer: TaskAnswer,
    /// Position of the recorded event that scheduled the attempt, or refused it; `None` for an answer of the user's.
    pub recorded: Option<usize>,
    /// Whether the attempt was recorded with other parameters.
    pub other_parameters: bool,
    /// Whether a time limit ended the recorded attempt.
    pub timed_out: bool,
}

impl Given {
    /// An answer that the user gave.
    pub fn by_user(key: Key, answer: TaskAnswer) -> Self {
        Self { key, answer, recorded: None, other_parameters: false, timed_out: false }
    }
}

/// What a run of the world left behind.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub given: Vec<Given>,
    /// Attempts that the recording does not hold.
    pub unanswered: Vec<Key>,
    /// How many Map Runs were taken over as they were recorded.
    pub map_runs: usize,
    /// What of the recording could not be read when it was needed.
    pub unreadable: Vec<String>,
}

/// A world that answers from a recording.
pub(super) struct RecordedWorld<'r> {
    recording: &'r Recording<'r>,
    draws: Rc<Draws>,
    notes: Rc<RefCell<Notes>>,
    /// Whether the events so far were those of the recording.
    agrees: bool,
}

impl<'r> RecordedWorld<'r> {
    pub fn new(recording: &'r Recording<'r>, draws: Rc<Draws>, notes: Rc<RefCell<Notes>>) -> Self {
        Self { recording, draws, notes, agrees: true }
    }

    /// How well a step that could come next fits the recorded event: type first, then state, scope and link.
    fn fit(&self, pending: &Pending<'_>, index: usize) -> Option<u8> {
        let event = self.recording.events().get(index)?;
        let belongs = &self.recording.belongs[index];
        let linked = event.previous_event_id.map_or(0, |id| id.0) == pending.previous_event_id;
        let state = belongs.state.as_deref().is_none_or(|state| state == pending.state);
        let scope = *belongs.scope == *pending.scope;
        (event.kind == pending.event && (linked || state && scope)).then_some(4 * u8::from(linked) + 2 * u8::from(state) + u8::from(scope))
    }

    /// Remembers an answer that was given.
    pub fn note(&self, given: Given) {
        self.notes.borrow_mut().given.push(given);
    }

    /// The recorded answer, if there is one.
    pub fn recorded(&self, request: &TaskRequest<'_>) -> Option<Given> {
        let key = key(&request.attempted);
        if let Some(events) = self.recording.attempt(&key) {
            let at = |index: Option<usize>| index.map(|index| &self.recording.events()[index]);
            let parameters = at(events.scheduled).and_then(HistoryEvent::input);
            let other_parameters = parameters.is_some_and(|payload| {
                !payload.truncated && Value::parse(&payload.text.decode()).is_ok_and(|recorded| recorded != *request.input)
            });
            let timed_out = at(events.ended).is_some_and(|event| event.role() == Role::Attempt(AttemptStep::TimedOut));
            let answer = self.answer(events, request);
            return Some(Given { key, answer, recorded: events.scheduled, other_parameters, timed_out });
        }
        let refusal = self.recording.refusal(&key)?;
        let outcome = refused(refusal)?;
        let answer = TaskAnswer { ended: Some((Duration::ZERO, outcome)), ..TaskAnswer::default() };
        Some(Given { key, answer, recorded: Some(self.recording.length - 1), other_parameters: false, timed_out: false })
    }

    fn answer(&self, events: AttemptEvents, request: &TaskRequest<'_>) -> TaskAnswer {
        let event = |index: usize| &self.recording.events()[index];
        let time = |index: usize| event(index).timestamp;
        let scheduled = events.scheduled.and_then(time);
        let started = events.started.map(|index| passed(scheduled, time(index)));
        let begun = events.started.and_then(time).or(scheduled);
        let submitted = events.submitted.and_then(|index| Some((passed(begun, time(index)), self.result(event(index))?)));
        let before = events.submitted.and_then(time).or(begun);
        let worker = events.started.and_then(|index| worker(event(index)));
        let mut answer = TaskAnswer { started, worker, submitted, ..TaskAnswer::default() };
        if let Some(index) = events.ended {
            let end = event(index);
            let running = passed(begun, time(index));
            let limits = limits(request);
            let timed_out = end.role() == Role::Attempt(AttemptStep::TimedOut);
            if let Some(limits) = limits.as_ref().filter(|limits| timed_out && limits.end_by(running)) {
                answer.heartbeats = limits.heartbeats(running);
            } else {
                answer.heartbeats = limits.map(|limits| limits.heartbeats_past(running)).unwrap_or_default();
                answer.ended = self.outcome(end).map(|outcome| (passed(before, time(index)), outcome));
            }
        }
        answer
    }

    /// The histories of the children are not in that of their parent: what the state made of them is taken over.
    fn map_run_answer(&self, events: MapRunEvents) -> MapRunAnswer {
        let event = |index: usize| &self.recording.events()[index];
        let Some(end) = events.ended.map(event) else {
            return MapRunAnswer { ended: Some((Duration::ZERO, MapRunOutcome::Unfinished)), exits_from_success: false };
        };
        let exited = events.exited.map(event);
        let exits_from_success = exited.is_some_and(|exited| exited.previous_event_id == Some(end.id));
        let text = |text: Option<&RawText>| text.map(|text| Rc::from(&*text.decode()));
        let outcome = match (end.role(), exited) {
            (Role::MapRunEnded(Ending::Succeeded), Some(exited)) => self.map_exit(exited),
            (Role::MapRunEnded(Ending::Failed), _) => MapRunOutcome::Failed { error: text(end.error()), cause: text(end.cause()) },
            _ => MapRunOutcome::Unfinished,
        };
        MapRunAnswer { ended: Some((passed(event(events.started).timestamp, end.timestamp), outcome)), exits_from_success }
    }

    fn map_exit(&self, exited: &HistoryEvent) -> MapRunOutcome {
        let Some(output) = self.result(exited) else { return MapRunOutcome::Unfinished };
        let Details::StateExited(details) = &exited.details else { return MapRunOutcome::Unfinished };
        let assigned = details.assigned_variables.as_deref().map(|variables| {
            let value = |text: &RawText| Value::parse(&text.decode()).unwrap_or_default();
            Value::object(variables.values.iter().map(|(name, text)| (name.as_str(), value(text))))
        });
        MapRunOutcome::Exited { output, assigned }
    }

    fn outcome(&self, event: &HistoryEvent) -> Option<TaskOutcome> {
        if event.role() == Role::Attempt(AttemptStep::Succeeded) {
            return self.result(event).map(TaskOutcome::Succeeded);
        }
        let text = |text: Option<&RawText>| text.map(|text| Rc::from(&*text.decode()));
        Some(TaskOutcome::Failed { event: event.kind, error: text(event.error()), cause: text(event.cause()) })
    }

    /// The JSON that an event reports as a result.
    fn result(&self, event: &HistoryEvent) -> Option<Value> {
        let read = match event.output() {
            Some(payload) if payload.truncated => Err("was cut by the source".to_owned()),
            Some(payload) => Value::parse(&payload.text.decode()).map_err(|error| format!("is no JSON: {error}")),
            None => Err("is missing".to_owned()),
        };
        match read {
            Ok(value) => Some(value),
            Err(problem) => {
                self.notes.borrow_mut().unreadable.push(format!("the result in event {} ({}) {problem}", event.id, event.type_name()));
                None
            }
        }
    }
}

impl World for RecordedWorld<'_> {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let given = self.recorded(request);
        let mut notes = self.notes.borrow_mut();
        let Some(given) = given else {
            notes.unanswered.push(key(&request.attempted));
            return Ok(TaskAnswer { started: Some(Duration::ZERO), ..TaskAnswer::default() });
        };
        let answer = given.answer.clone();
        notes.given.push(given);
        Ok(answer)
    }

    fn map_run(&mut self, request: &MapRunRequest<'_>) -> MapRunAnswer {
        let key = key(&request.attempted);
        let mut notes = self.notes.borrow_mut();
        notes.map_runs += 1;
        if let Some(events) = self.recording.map_run(&key) {
            drop(notes);
            return self.map_run_answer(events);
        }
        notes.unanswered.push(key);
        MapRunAnswer { ended: Some((Duration::ZERO, MapRunOutcome::Unfinished)), exits_from_success: false }
    }

    fn choose(&mut self, pending: &[Pending<'_>], events: usize) -> Option<usize> {
        let fits = pending.iter().enumerate().filter_map(|(position, pending)| Some((self.fit(pending, events)?, position)));
        // Of those that fit equally well the first.
        fits.min_by_key(|(fit, position)| (std::cmp::Reverse(*fit), *position)).map(|(_, position)| position)
    }

    fn interleaves(&self) -> bool {
        true
    }

    fn moment(&mut self, event: &Pending<'_>, events: usize) -> Option<Timestamp> {
        self.draws.at(events + 1);
        self.agrees &= self.fit(event, events).is_some();
        self.recording.events().get(events).filter(|_| self.agrees)?.timestamp
    }

    fn chance(&mut self) -> Option<Rc<dyn Chance>> {
        let draws: Rc<dyn Chance> = Rc::<Draws>::clone(&self.draws);
        Some(draws)
    }
}

/// The recording's key of an attempt.
pub(super) fn key(attempted: &Attempted<'_>) -> Key {
    Key { state: attempted.state.into(), scope: attempted.scope.into(), visit: attempted.visit, attempt: attempted.attempt }
}

fn passed(from: Option<Timestamp>, to: Option<Timestamp>) -> Duration {
    let milliseconds = from.zip(to).map_or(0, |(from, to)| crate::model::time::milliseconds_between(from, to));
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

/// The time limits of a Task.
struct TimeLimits {
    timeout: Option<Duration>,
    heartbeat: Option<Duration>,
}

fn limits(request: &TaskRequest<'_>) -> Option<TimeLimits> {
    let limits = TimeLimits {
        timeout: request.timeout_seconds.map(Duration::from_secs),
        heartbeat: request.heartbeat_seconds.map(Duration::from_secs),
    };
    (limits.timeout.is_some() || limits.heartbeat.is_some()).then_some(limits)
}

impl TimeLimits {
    /// How much later than its limit the service may notice.
    const LATE: Duration = Duration::from_secs(5);

    /// The most heartbeats that are made up: one a second for eleven days.
    const MOST: u32 = 1_000_000;

    /// Whether one of them would have ended an attempt that had been running for this long.
    fn end_by(&self, running: Duration) -> bool {
        [self.timeout, self.heartbeat].into_iter().flatten().any(|limit| limit <= running + Self::LATE)
    }

    /// Heartbeats after which the attempt still runs at this time.
    fn heartbeats_past(&self, running: Duration) -> Vec<Duration> {
        let Some(gap) = self.heartbeat.filter(|gap| !gap.is_zero()) else { return Vec::new() };
        (1..=Self::MOST).map(|beat| gap * beat).take_while(|beat| *beat <= running).collect()
    }

    /// Heartbeats that let the attempt run for this long, and no longer if it was a heartbeat that was missed.
    fn heartbeats(&self, running: Duration) -> Vec<Duration> {
        let Some(gap) = self.heartbeat.filter(|gap| !gap.is_zero()) else { return Vec::new() };
        let last = running.saturating_sub(gap);
        let by_timeout = self.timeout.is_some_and(|timeout| timeout <= running);
        let until = if by_timeout { running } else { last };
        let mut beats: Vec<Duration> = (1..=Self::MOST).map(|beat| gap * beat).take_while(|beat| *beat < until).collect();
        if !last.is_zero() && !by_timeout {
            beats.push(last);
        }
        beats
    }
}

/// The end of an execution as a refusal of the state that it names, without the sentence that names it.
fn refused(event: &HistoryEvent) -> Option<TaskOutcome> {
    debug_assert_eq!(event.kind, EventType::ExecutionFailed);
    let cause = event.cause()?.decode();
    let said = cause.split_once("). ").map_or(&*cause, |(_, said)| said);
    Some(TaskOutcome::Refused { error: Rc::from(&*event.error()?.decode()), cause: said.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(list: &[u64]) -> Vec<Duration> {
        list.iter().copied().map(Duration::from_secs).collect()
    }

    #[test]
    fn heartbeats_are_made_up_so_that_the_attempt_ends_when_it_did() {
        let limits = TimeLimits { timeout: None, heartbeat: Some(Duration::from_secs(10)) };
        assert_eq!(limits.heartbeats(Duration::from_secs(10)), seconds(&[]));
        assert_eq!(limits.heartbeats(Duration::from_secs(34)), seconds(&[10, 20, 24]));
        let both = TimeLimits { timeout: Some(Duration::from_secs(25)), ..limits };
        assert_eq!(both.heartbeats(Duration::from_secs(25)), seconds(&[10, 20]));
        assert_eq!(both.heartbeats_past(Duration::from_secs(20)), seconds(&[10, 20]), "an answer at 20 seconds is in time");
        assert_eq!(both.heartbeats_past(Duration::from_secs(9)), seconds(&[]));
    }

    #[test]
    fn a_limit_that_came_later_did_not_end_the_attempt() {
        let limits = TimeLimits { timeout: Some(Duration::from_mins(10)), heartbeat: None };
        assert!(!limits.end_by(Duration::from_secs(15)));
        assert!(limits.end_by(Duration::from_mins(10)));
    }
}

//! The recorded path beside that of a run in which something was changed.

use std::collections::HashMap;

use super::reason::labels;
use super::recording::{Key, Recording, scope_paths};
use super::report::{AnswerSource, Change, Step, StepPair, WhatIf};
use super::world::{Given, RecordedWorld, key};
use crate::analysis::execution::quoted;
use crate::interpreter::mocks::Answers;
use crate::interpreter::{Chance, MapRunAnswer, MapRunRequest, Pending, TaskAnswer, TaskRequest, Unanswered, World};
use crate::model::path::Visit;
use crate::model::{ExecutionPath, ExecutionStatus, History, Timestamp};

/// Stands for every state.
pub const ANY: &str = "*";

/// What is changed against the recording.
#[derive(Debug, Default)]
pub struct Changes {
    /// JSON text of another input.
    pub input: Option<String>,
    /// Answers that go before the recorded ones, by state; those of [`ANY`] stand in where nothing else answers.
    pub mocks: HashMap<String, Answers>,
}

/// The recorded world with some answers in place of the recorded ones. What neither holds is an error that tells what to give.
pub(super) struct ChangedWorld<'r> {
    pub recorded: RecordedWorld<'r>,
    pub changes: &'r Changes,
    /// How often each mocked state was asked for.
    pub asked: HashMap<String, u64>,
}

impl ChangedWorld<'_> {
    /// The user's answer for `name`, the state's own name or [`ANY`].
    fn mocked(&mut self, name: &str, request: &TaskRequest<'_>) -> Option<TaskAnswer> {
        let answers = self.changes.mocks.get(name)?;
        let state = request.attempted.state;
        let own = answers.within(request.attempted.scope);
        let asked = self.asked.entry(own.map_or_else(|| state.to_owned(), |(scope, _)| format!("{scope}/{state}"))).or_default();
        let number = *asked;
        *asked += 1;
        let answer = own.map_or(answers, |(_, answers)| answers).get(number)?.to_task(request);
        self.recorded.note(Given::by_user(key(&request.attempted), answer.clone()));
        Some(answer)
    }
}

impl World for ChangedWorld<'_> {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        if let Some(answer) = self.mocked(request.attempted.state, request) {
            return Ok(answer);
        }
        if let Some(given) = self.recorded.recorded(request) {
            let answer = given.answer.clone();
            self.recorded.note(given);
            return Ok(answer);
        }
        if let Some(answer) = self.mocked(ANY, request) {
            return Ok(answer);
        }
        let state = request.attempted.state;
        Err(Unanswered {
            state: state.to_owned(),
            attempt: request.attempted.attempt,
            advice: format!(
                "the recording holds no answer{}; give one with --mock {}=FILE or --mock {}",
                elsewhere(&key(&request.attempted)),
                quoted(state),
                quoted(&format!("{state}={{\"Return\": …}}")),
            ),
        })
    }

    fn map_run(&mut self, request: &MapRunRequest<'_>) -> MapRunAnswer {
        self.recorded.map_run(request)
    }

    fn choose(&mut self, pending: &[Pending<'_>], events: usize) -> Option<usize> {
        self.recorded.choose(pending, events)
    }

    fn interleaves(&self) -> bool {
        true
    }

    fn moment(&mut self, event: &Pending<'_>, events: usize) -> Option<Timestamp> {
        self.recorded.moment(event, events)
    }

    fn chance(&mut self) -> Option<std::rc::Rc<dyn Chance>> {
        self.recorded.chance()
    }
}

/// ` for visit 2` and the scope, where the attempt is not one of the only visit of a state at the top.
fn elsewhere(key: &Key) -> String {
    match (key.visit, key.scope.is_empty()) {
        (1, true) => String::new(),
        (visit, true) => format!(" for visit {visit}"),
        (1, false) => format!(" for it in {}", labels(&key.scope).join(" > ")),
        (visit, false) => format!(" for visit {visit} in {}", labels(&key.scope).join(" > ")),
    }
}

/// Lays both paths beside each other.
pub(super) fn side_by_side(
    (recorded, recorded_path): (&Recording<'_>, &ExecutionPath),
    (changed, changed_path): (&History, &ExecutionPath),
    changed_what: Vec<Change>,
    given: &[Given],
    recorded_outcome: Option<ExecutionStatus>,
) -> WhatIf {
    let one = steps(recorded.history, recorded_path, recorded.length);
    let other = steps(changed, changed_path, changed.events.len());
    let longest = one.len().max(other.len());
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let steps: Vec<StepPair> = (0..longest).map(|_| StepPair { recorded: one.next(), changed: other.next() }).collect();
    WhatIf {
        changed: changed_what,
        recorded_outcome,
        parted_at: steps.iter().position(|pair| pair.recorded != pair.changed),
        steps,
        answers: given.iter().map(source).collect(),
    }
}

fn source(given: &Given) -> AnswerSource {
    AnswerSource {
        state: given.key.state.to_string(),
        scope: labels(&given.key.scope),
        visit: given.key.visit,
        attempt: given.key.attempt,
        recorded: given.recorded.is_some(),
        other_parameters: given.other_parameters,
    }
}

fn steps(history: &History, path: &ExecutionPath, length: usize) -> Vec<Step> {
    let scopes = scope_paths(path);
    let step = |visit: &Visit| Step {
        state: visit.state.as_ref().map_or("?".to_owned(), |name| name.decode().into_owned()),
        scope: labels(&scopes[visit.scope.0 as usize]),
        outcome: visit.outcome,
        attempts: visit.attempts.iter().filter(|attempt| attempt.run == 0).count(),
        error: visit.failure.and_then(|event| history.events[event].error()).map(|error| error.decode().into_owned()),
    };
    path.visits.iter().filter(|visit| visit.first_event < length).map(step).collect()
}

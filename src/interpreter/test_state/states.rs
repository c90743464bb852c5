//! Runs the state under test, and notes the values on the way.

use std::rc::Rc;

use super::answer::{Answer, InspectionData, Status};
use super::context::Sight;
use super::definition::Tested;
use super::mock::Mocked;
use super::refusal::Refusal;
use super::request::{InspectionLevel, Request};
use crate::asl::machine::{ChoiceRule, Kind, QueryLanguage, Setting, State, StateNumber, Task, Transition, Wait};
use crate::expr::{EvaluationError, Scope, Value};
use crate::interpreter::data_flow::{self, Completed};
use crate::interpreter::failure::{self, Failure, Problem};
use crate::interpreter::payload::{LARGEST, Payload};
use crate::interpreter::{choice, settings, task, wait};

/// The longest text of a payload between two steps that is shown.
const MOST_SHOWN: usize = 16 * LARGEST;

/// A test while it runs.
pub(super) struct Test<'a> {
    pub request: &'a Request,
    pub tested: &'a Tested,
    pub mocked: Option<Mocked>,
    pub sight: &'a Sight,
    pub seen: InspectionData,
    pub notes: Vec<String>,
}

/// How the state is left when nothing fails.
pub(super) struct Left {
    pub completed: Completed,
    pub next: Option<StateNumber>,
}

/// Why the state is not left that way.
pub(super) enum Stop {
    /// An error, for which there may be a handler.
    Failed(Failure),
    /// The error of a Fail state, which nothing handles.
    Final(Failure),
    /// An output that is larger than a payload may be, which ends an execution at once.
    TooLarge,
    /// The request makes no sense for what the state turned out to do.
    Refused(Refusal),
}

impl From<EvaluationError> for Stop {
    fn from(error: EvaluationError) -> Self {
        Self::Failed(Failure::new(error.error, error.cause))
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Evaluation(error) => error.into(),
            Problem::TooLarge => Self::TooLarge,
        }
    }
}

impl<'a> Test<'a> {
    /// Runs the state to its end.
    pub(super) fn run(mut self, input: &Payload) -> Result<Answer, Refusal> {
        self.seen.input = Some(input.text().to_owned());
        let left = match self.state().kind {
            Kind::Pass { ref result } => self.pass(result.as_ref(), input),
            Kind::Task(ref task) => self.task(task, input),
            Kind::Choice { ref rules, default } => self.choice(rules, default, input),
            Kind::Wait(ref wait) => self.wait(wait, input),
            Kind::Succeed => self.without_result(input),
            Kind::Fail { ref error, ref cause } => Err(self.fail(error.as_ref(), cause.as_ref(), input)),
            Kind::Parallel { .. } => self.parallel(input),
            Kind::Map(ref map) => self.map(map, input),
        };
        let mut answer = match left {
            Ok(left) => self.left(Status::Succeeded, &left),
            Err(Stop::Failed(failure)) => self.handle(&failure, input),
            Err(Stop::Final(failure)) => self.failed(&failure),
            Err(Stop::TooLarge) => self.failed_of_size(),
            Err(Stop::Refused(refusal)) => return Err(refusal),
        };
        if self.request.inspection_level == InspectionLevel::Info {
            answer.inspection_data = None;
        }
        Ok(answer)
    }

    pub(super) fn state(&self) -> &'a State {
        self.tested.state()
    }

    pub(super) fn uses_json_path(&self) -> bool {
        self.state().language == QueryLanguage::JsonPath
    }

    pub(super) fn scope<'v>(&self, input: &'v Value) -> Scope<'v>
    where
        'a: 'v,
    {
        Scope { input, result: None, error_output: None, around: self.sight }
    }

    /// Where the state leads by itself.
    fn next(&self) -> Option<StateNumber> {
        match self.state().next {
            Transition::Next(next) => Some(next),
            Transition::End => None,
        }
    }

    fn pass(&mut self, result: Option<&Value>, input: &Payload) -> Result<Left, Stop> {
        if !self.uses_json_path() {
            return self.without_result(input);
        }
        let result = if let Some(result) = result {
            let result = Payload::from(result.clone());
            self.seen.result = self.shown(&result);
            result
        } else {
            let effective = self.effective_input(input)?;
            self.parameters(&effective)?
        };
        // A Pass selects nothing from its result; the service shows the step all the same.
        self.seen.after_result_selector = self.shown(&result);
        self.placed(input, &result)
    }

    fn task(&mut self, task: &Task, input: &Payload) -> Result<Left, Stop> {
        let effective = if self.uses_json_path() {
            let effective = self.effective_input(input)?;
            self.parameters(&effective)?;
            effective
        } else {
            let arguments = data_flow::arguments(self.state(), input, self.sight)?;
            self.seen.after_arguments = self.shown(&arguments);
            input.clone()
        };
        let scope = self.scope(effective.value());
        if let Some(credentials) = &task.credentials {
            credentials.evaluate(scope)?;
        }
        task::seconds(task.timeout.as_ref(), "TimeoutSeconds", scope)?;
        task::seconds(task.heartbeat.as_ref(), "HeartbeatSeconds", scope)?;
        let result = self.mocked_result()?;
        self.seen.result = self.shown(&result);
        self.with_result(input, &result)
    }

    /// The service shows none of the values before the branches.
    fn parallel(&mut self, input: &Payload) -> Result<Left, Stop> {
        let effective = data_flow::effective_input(self.state(), input, self.sight)?;
        data_flow::arguments(self.state(), &effective, self.sight)?;
        let result = self.mocked_result()?;
        self.with_result(input, &result)
    }

    fn choice(&mut self, rules: &[ChoiceRule], default: Option<StateNumber>, input: &Payload) -> Result<Left, Stop> {
        let effective = if self.uses_json_path() { self.effective_input(input)? } else { input.clone() };
        let state = self.state();
        if let Some(position) = choice::first(rules, self.scope(effective.value()))? {
            let rule = &rules[position];
            let completed = data_flow::chosen(state, rule.assign.as_ref(), rule.output.as_ref(), input, self.sight)?;
            return Ok(Left { completed, next: Some(rule.next) });
        }
        if default.is_none() {
            return Err(EvaluationError::runtime(choice::NO_CHOICE).into());
        }
        Ok(Left { completed: data_flow::without_result(state, input, self.sight)?, next: default })
    }

    fn wait(&mut self, wait: &Wait, input: &Payload) -> Result<Left, Stop> {
        let effective = if self.uses_json_path() { self.effective_input(input)? } else { input.clone() };
        wait::until(wait, self.scope(effective.value()), self.request.now)?;
        self.without_result(input)
    }

    /// A state whose result is its input.
    fn without_result(&mut self, input: &Payload) -> Result<Left, Stop> {
        if self.uses_json_path() && self.seen.after_input_path.is_none() {
            self.effective_input(input)?;
        }
        Ok(Left { completed: data_flow::without_result(self.state(), input, self.sight)?, next: self.next() })
    }

    fn fail(&mut self, error: Option<&Setting>, cause: Option<&Setting>, input: &Payload) -> Stop {
        if self.uses_json_path() {
            self.seen.after_input_path = Some(input.text().to_owned());
        }
        let text =
            |setting: Option<&Setting>, field| setting.map(|setting| settings::text(setting, field, self.scope(input.value()))).transpose();
        match text(error, "Error").and_then(|error| Ok(Failure { error, cause: text(cause, "Cause")?, heartbeat: false })) {
            Ok(failure) => Stop::Final(failure),
            Err(error) => error.into(),
        }
    }

    /// `InputPath`.
    pub(super) fn effective_input(&mut self, input: &Payload) -> Result<Payload, Stop> {
        let effective = data_flow::effective_input(self.state(), input, self.sight)?;
        self.seen.after_input_path = Some(effective.text().to_owned());
        Ok(effective)
    }

    /// The text of a payload between two steps, which may be larger than any that a state hands on, but not without end.
    pub(super) fn shown(&mut self, payload: &Payload) -> Option<String> {
        if payload.is_within(MOST_SHOWN) {
            return Some(payload.text().to_owned());
        }
        self.notes.push("a payload between the steps is too large to be shown".to_owned());
        None
    }

    /// `Parameters`.
    fn parameters(&mut self, effective: &Payload) -> Result<Payload, Stop> {
        let parameters = data_flow::arguments(self.state(), effective, self.sight)?;
        self.seen.after_parameters = self.shown(&parameters);
        Ok(parameters)
    }

    /// What the mock gives. Without a mock states that need one were refused before.
    pub(super) fn mocked_result(&self) -> Result<Payload, Stop> {
        match &self.mocked {
            Some(Mocked::Result(result)) => Ok(result.clone()),
            Some(Mocked::Failure(failure)) => Err(Stop::Failed(failure.clone())),
            None => Err(Stop::Refused(Refusal::validation("A mock must be specified"))),
        }
    }

    /// The steps after the result of a Task, a Parallel or a Map.
    pub(super) fn with_result(&mut self, input: &Payload, result: &Payload) -> Result<Left, Stop> {
        if !self.uses_json_path() {
            return Ok(Left { completed: data_flow::with_result(self.state(), input, result, self.sight)?, next: self.next() });
        }
        let selected = data_flow::result_selection(self.state(), result, self.sight)?;
        self.seen.after_result_selector = self.shown(&selected);
        self.placed(input, &selected)
    }

    /// `Assign`, `ResultPath` and `OutputPath`.
    fn placed(&mut self, input: &Payload, result: &Payload) -> Result<Left, Stop> {
        let state = self.state();
        let assigned = data_flow::assignment(state.assign.as_ref(), self.scope(result.value()))?;
        let placed = data_flow::result_placement(&state.result_path, input, result)?;
        self.seen.after_result_path = self.shown(&placed);
        let output = data_flow::output_selection(state, &placed, self.sight)?;
        if !output.fits() {
            return Err(Stop::TooLarge);
        }
        Ok(Left { completed: Completed { output, assigned }, next: self.next() })
    }

    /// The answer for a state that is left, with its error when a catcher took one.
    pub(super) fn left(&mut self, status: Status, left: &Left) -> Answer {
        let name = |number| self.tested.machine.state(number).name.to_string();
        let mut variables = self.sight.variables.clone();
        if let Some(assigned) = left.completed.assigned.as_ref().and_then(Value::as_object) {
            assigned.iter().for_each(|(name, value)| variables.insert(Rc::clone(name), value.clone()));
        }
        if self.request.variables.is_some() || !variables.is_empty() {
            self.seen.variables = Some(Value::from(variables).to_json());
        }
        Answer { output: Some(left.completed.output.text().to_owned()), next_state: left.next.map(name), ..self.blank(status) }
    }

    /// The answer for a state that failed.
    pub(super) fn failed(&mut self, failure: &Failure) -> Answer {
        self.with_failure(Status::Failed, failure)
    }

    /// The answer for a state whose output is too large.
    pub(super) fn failed_of_size(&mut self) -> Answer {
        self.failed(&Failure::new(failure::DATA_LIMIT, failure::too_large(&self.state().name)))
    }

    pub(super) fn with_failure(&mut self, status: Status, failure: &Failure) -> Answer {
        if self.request.variables.is_some() {
            self.seen.variables = Some(Value::from(self.sight.variables.clone()).to_json());
        }
        Answer { error: text(failure.error.as_ref()), cause: text(failure.cause.as_ref()), ..self.blank(status) }
    }

    fn blank(&mut self, status: Status) -> Answer {
        Answer {
            output: None,
            error: None,
            cause: None,
            inspection_data: Some(std::mem::take(&mut self.seen)),
            next_state: None,
            status,
            notes: std::mem::take(&mut self.notes),
        }
    }
}

pub(super) fn text(text: Option<&Rc<str>>) -> Option<String> {
    text.map(ToString::to_string)
}

//! Runs definitions in tests: a world that answers Tasks from a list, and histories as short lines.
#![allow(dead_code)]

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use stepscope::asl::compile;
use stepscope::expr::Value;
use stepscope::interpreter::{
    Child, ExecutionInfo, Pending, Run, RunError, RunOptions, TaskAnswer, TaskOutcome, TaskRequest, Unanswered, World, run,
};
use stepscope::model::event::Details;
use stepscope::model::{EventType, HistoryEvent};

/// Picks among what could happen next.
pub type Chooser = fn(&[Pending<'_>], usize) -> Option<usize>;

/// Answers for each state, one after the other; the last one stays.
#[derive(Default)]
pub struct Mocks {
    pub answers: HashMap<String, Vec<TaskAnswer>>,
    pub asked: Vec<String>,
    pub machines: HashMap<String, Child>,
    pub chooser: Option<Chooser>,
}

impl World for Mocks {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let attempted = &request.attempted;
        let scope: Vec<String> = attempted.scope.iter().map(|(name, index)| format!("{name}[{index}] ")).collect();
        self.asked.push(format!("{}{} {}.{} {}", scope.concat(), attempted.state, attempted.visit, attempted.attempt, request.input));
        let answers = self.answers.get_mut(attempted.state);
        match answers {
            Some(answers) if answers.len() > 1 => Ok(answers.remove(0)),
            Some(answers) if answers.len() == 1 => Ok(answers[0].clone()),
            _ => Err(Unanswered { state: attempted.state.to_owned(), attempt: attempted.attempt, advice: "mock it".to_owned() }),
        }
    }

    fn choose(&mut self, pending: &[Pending<'_>], events: usize) -> Option<usize> {
        self.chooser.and_then(|chooser| chooser(pending, events))
    }

    fn interleaves(&self) -> bool {
        self.chooser.is_some()
    }

    fn machine(&mut self, arn: &str) -> Option<Child> {
        self.machines.get(arn).cloned()
    }
}

impl Mocks {
    /// A world that answers nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// With one more answer for a state.
    #[must_use]
    pub fn and(mut self, state: &str, answer: TaskAnswer) -> Self {
        self.answers.entry(state.to_owned()).or_default().push(answer);
        self
    }
}

/// A result, ten milliseconds after the start.
pub fn returns(json: &str) -> TaskAnswer {
    ends_after(10, TaskOutcome::Succeeded(Value::parse(json).expect("JSON")))
}

/// A failure, ten milliseconds after the start.
pub fn throws(error: &str) -> TaskAnswer {
    ends_after(10, TaskOutcome::Failed { event: EventType::TaskFailed, error: Some(error.into()), cause: Some("why".into()) })
}

/// An end after some milliseconds.
pub fn ends_after(milliseconds: u64, outcome: TaskOutcome) -> TaskAnswer {
    let started = Some(Duration::from_millis(1));
    TaskAnswer { started, ended: Some((Duration::from_millis(milliseconds), outcome)), ..TaskAnswer::default() }
}

/// An answer that starts and never ends.
pub fn never() -> TaskAnswer {
    TaskAnswer { started: Some(Duration::ZERO), ..TaskAnswer::default() }
}

pub fn options() -> RunOptions {
    RunOptions {
        execution: ExecutionInfo {
            arn: "arn:aws:states:eu-west-1:111111111111:execution:Machine:one".into(),
            name: "one".into(),
            machine_arn: "arn:aws:states:eu-west-1:111111111111:stateMachine:Machine".into(),
            role_arn: "arn:aws:iam::111111111111:role/machine".into(),
            express: false,
        },
        start: "2026-01-01T00:00:00Z".parse().expect("a moment"),
        seed: 1,
        max_events: 25_000,
        max_states: 1_000_000,
        record: true,
    }
}

pub fn attempt(definition: &str, input: &str, options: &RunOptions, world: &mut Mocks) -> Result<Run, RunError> {
    let machine = compile(definition).unwrap_or_else(|error| panic!("{error}: {definition}"));
    run(&machine, input, options, world)
}

/// Runs a definition whose states are given: the first is where it starts.
pub fn tell(states: &str, input: &str, mut world: Mocks) -> Run {
    attempt(&machine(states), input, &options(), &mut world).unwrap_or_else(|error| panic!("{error}: {states}"))
}

/// A definition of these states.
pub fn machine(states: &str) -> String {
    format!(r#"{{"StartAt":"{}","States":{{{states}}}}}"#, first_name(states))
}

fn first_name(states: &str) -> &str {
    states.split('"').nth(1).expect("a state with a name")
}

/// One line for each event: number, link, type, and what tells it from its like.
pub fn lines(run: &Run) -> Vec<String> {
    run.history.events.iter().map(line).collect()
}

fn line(event: &HistoryEvent) -> String {
    let link = event.previous_event_id.map_or(0, |id| id.0);
    let more = match &event.details {
        Details::Iteration { index: Some(index), .. } => format!(" [{index}]"),
        _ => event.state_name().map(|name| format!(" {}", name.decode())).unwrap_or_default(),
    };
    let output = event.output().map(|output| format!(" {}", output.text.decode())).unwrap_or_default();
    let error = event.error().map(|error| format!(" {}", error.decode())).unwrap_or_default();
    format!("{} {link} {}{more}{output}{error}", event.id, event.kind.name())
}

/// Milliseconds from the start to the end.
pub fn lasted(run: &Run) -> i64 {
    let header = &run.history.header;
    let (start, stop) = (header.start.expect("a start"), header.stop.expect("an end"));
    stop.as_millisecond() - start.as_millisecond()
}

pub fn child(definition: &str) -> Child {
    Child { machine: compile(definition).expect("a definition"), express: false }
}

pub fn text(value: Option<&Rc<str>>) -> &str {
    value.map_or("-", |text| text)
}

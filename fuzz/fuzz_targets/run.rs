//! Any definition, run with any input and answers: it ends within its limits, and what it wrote can be rebuilt and replayed.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use stepscope::analysis::replay::{Request, replay};
use stepscope::asl::{Definition, compile};
use stepscope::expr::Value;
use stepscope::interpreter::{self, ExecutionInfo, ObjectError, RunOptions, TaskAnswer, TaskOutcome, TaskRequest, Unanswered, World};
use stepscope::model::EventType;
use stepscope::rebuild::rebuild;

/// Answers from bytes, in order; after the last one, every task returns null.
struct Answers<'b>(&'b [u8]);

impl Answers<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
}

impl World for Answers<'_> {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let chosen = self.next();
        let after = Duration::from_millis(u64::from(self.next()) << (chosen & 0x0f));
        let failed = |event, error: &str| TaskOutcome::Failed { event, error: Some(error.into()), cause: Some(r#"{"why":"x"}"#.into()) };
        let outcome = match chosen >> 4 {
            0..4 => TaskOutcome::Succeeded(Value::Null),
            4..6 => TaskOutcome::Succeeded(request.input.clone()),
            6 | 7 => TaskOutcome::Succeeded(Value::object([("Payload", request.input.clone()), ("a", Value::array([request.input.clone()]))])),
            8 => failed(EventType::TaskTimedOut, "States.Timeout"),
            9 => failed(EventType::LambdaFunctionScheduleFailed, "Lambda.TooManyRequestsException"),
            10 => failed(EventType::TaskStartFailed, "States.TaskFailed"),
            11 => return Err(Unanswered { state: request.attempted.state.to_owned(), attempt: request.attempted.attempt, advice: "-".to_owned() }),
            12 => TaskOutcome::Refused { error: "States.Runtime".into(), cause: "refused".into() },
            _ => failed(EventType::TaskFailed, "A"),
        };
        Ok(TaskAnswer {
            started: (chosen & 1 == 0).then_some(after / 2),
            submitted: (chosen & 2 == 0).then(|| (after, Value::from(i64::from(chosen)))),
            heartbeats: vec![after; usize::from(chosen & 3)],
            ended: (chosen != 0x4f).then_some((after, outcome)),
            ..TaskAnswer::default()
        })
    }

    fn read_object(&mut self, bucket: &str, key: &str) -> Result<Vec<u8>, ObjectError> {
        let length = usize::from(self.next()).min(self.0.len());
        if length == 0 {
            return Err(ObjectError::NoKey { bucket: bucket.to_owned(), key: key.to_owned() });
        }
        let (object, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(object.to_vec())
    }

    fn write_object(&mut self, _bucket: &str, _key: &str, _bytes: &[u8]) -> Result<(), ObjectError> {
        Ok(())
    }
}

fn options(seed: u64, express: bool) -> RunOptions {
    RunOptions {
        execution: ExecutionInfo {
            arn: "arn:aws:states:eu-west-1:123456789012:execution:Fuzz:one".into(),
            name: "one".into(),
            machine_arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:Fuzz".into(),
            role_arn: "arn:aws:iam::123456789012:role/Fuzz".into(),
            express,
        },
        start: "2026-01-01T00:00:00Z".parse().expect("a moment"),
        seed,
        max_events: 300,
        max_states: 300,
        record: true,
    }
}

// Lines of text (definition and input), and bytes behind them for the answers.
fuzz_target!(|given: (u8, &str, &[u8])| {
    let (seed, text, answers) = given;
    let (definition, input) = text.split_once('\n').unwrap_or((text, r#"{"a":[1,"x",{"b":null}],"n":2,"t":"2026-01-01T00:01:00Z"}"#));
    let Ok(machine) = compile(definition) else { return };
    let Ok(run) = interpreter::run(&machine, input, &options(u64::from(seed), seed & 1 == 1), &mut Answers(answers)) else { return };
    let history = &run.history;
    assert!(seed & 1 == 1 || history.events.len() <= 301, "{} events", history.events.len());
    assert!(history.events.is_sorted_by(|one, next| one.id < next.id && one.timestamp <= next.timestamp));
    let graph = Definition::parse(definition).ok();
    let path = rebuild(history, graph.as_ref());
    assert_eq!(path.visit_of.len(), history.events.len());
    assert_eq!((path.unplaced.len(), path.broken_links.len()), (0, 0), "of {definition}");
    let _ = replay(Request { history, path: &path, definition: None, changes: None });
});

//! Histories of made-up definitions: what is rebuilt of them is what was run, in whatever order branches go on.

#[path = "common/random_machine.rs"]
mod random_machine;

use std::collections::HashMap;
use std::time::Duration;

use fastrand::Rng;
use stepscope::asl::{Definition, compile};
use stepscope::expr::Value;
use stepscope::interpreter::{
    ExecutionInfo, Pending, Run, RunError, RunOptions, TaskAnswer, TaskOutcome, TaskRequest, Unanswered, World, run,
};
use stepscope::model::{EventType, ExecutionStatus};
use stepscope::rebuild::rebuild;

/// What an attempt was, by the number of its first event.
#[derive(Debug, PartialEq, Eq)]
struct Attempted {
    state: String,
    scope: Vec<String>,
    attempt: u32,
}

/// Answers by chance, and remembers what was asked.
struct Chances {
    random: Rng,
    interleaves: bool,
    asked: HashMap<u64, Attempted>,
}

impl World for Chances {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let attempted = &request.attempted;
        let scope = attempted.scope.iter().map(|(name, index)| format!("{name}[{index}]")).collect();
        self.asked.insert(request.scheduled_event_id, Attempted { state: attempted.state.to_owned(), scope, attempt: attempted.attempt });
        let after = |random: &mut Rng| Duration::from_millis(random.u64(0..4_000));
        let ended = match self.random.u8(0..10) {
            0..5 => Some(TaskOutcome::Succeeded(Value::object([("number", Value::from(self.random.i32(..)))]))),
            5..7 => Some(failed(EventType::TaskFailed, "Busy")),
            7 => Some(failed(EventType::TaskFailed, "Gone")),
            8 => Some(failed(EventType::TaskTimedOut, "States.Timeout")),
            _ => None,
        };
        Ok(TaskAnswer {
            started: Some(after(&mut self.random)),
            submitted: self.random.bool().then(|| (after(&mut self.random), Value::Null)),
            ended: ended.map(|outcome| (after(&mut self.random), outcome)),
            ..TaskAnswer::default()
        })
    }

    fn choose(&mut self, pending: &[Pending<'_>], _: usize) -> Option<usize> {
        Some(self.random.usize(0..pending.len()))
    }

    fn interleaves(&self) -> bool {
        self.interleaves
    }
}

fn failed(event: EventType, error: &str) -> TaskOutcome {
    TaskOutcome::Failed { event, error: Some(error.into()), cause: None }
}

fn told(seed: u64, definition: &str, interleaves: bool, record: bool) -> (Run, HashMap<u64, Attempted>) {
    let mut world = Chances { random: Rng::with_seed(seed), interleaves, asked: HashMap::new() };
    let machine = compile(definition).unwrap_or_else(|error| panic!("seed {seed}: {error}: {definition}"));
    let options = RunOptions {
        execution: ExecutionInfo {
            arn: "arn:aws:states:eu-west-1:111111111111:execution:Machine:one".into(),
            name: "one".into(),
            machine_arn: "arn:aws:states:eu-west-1:111111111111:stateMachine:Machine".into(),
            role_arn: "arn:aws:iam::111111111111:role/machine".into(),
            express: false,
        },
        start: "2026-01-01T00:00:00Z".parse().expect("a moment"),
        seed,
        max_events: 400,
        max_states: 10_000,
        record,
    };
    let run: Result<Run, RunError> = run(&machine, r#"{"items":[1,2,3]}"#, &options, &mut world);
    (run.unwrap_or_else(|error| panic!("seed {seed}: {error}: {definition}")), world.asked)
}

#[test]
fn what_is_rebuilt_is_what_was_run() {
    let mut seen: HashMap<ExecutionStatus, u32> = HashMap::new();
    let mut attempts = 0;
    for seed in 0..1_200 {
        let definition = random_machine::definition(seed);
        let known = Definition::parse(&definition).expect("a definition");
        for interleaves in [false, true] {
            let (run, asked) = told(seed, &definition, interleaves, true);
            let history = &run.history;
            let path = rebuild(history, Some(&known));
            let status = path.status.unwrap_or(ExecutionStatus::Running);
            assert_eq!(status, run.outcome.status, "seed {seed}: {definition}");
            *seen.entry(status).or_default() += 1;
            assert_eq!((path.unplaced.len(), path.broken_links.len()), (0, 0), "seed {seed}: {definition}");
            if interleaves {
                // Numbers of events are only known to the world when nobody comes between.
                continue;
            }
            for (id, wanted) in asked {
                let Some(index) = history.index_of(stepscope::model::EventId(id)) else { continue };
                if !history.events[index].kind.name().ends_with("Scheduled") {
                    continue;
                }
                let id = path.visit_of[index].unwrap_or_else(|| panic!("seed {seed}: event {id} has no visit: {definition}"));
                let visit = path.visit(id);
                let number = visit.attempts.iter().find(|attempt| attempt.scheduled == Some(index)).map_or(0, |attempt| attempt.number);
                let state = visit.state.as_ref().map(|state| state.decode().into_owned()).unwrap_or_default();
                let found = Attempted { state, scope: path.labels(visit.scope), attempt: number };
                assert_eq!(found, wanted, "seed {seed}, event {index}: {definition}");
                attempts += 1;
            }
        }
    }
    assert!(attempts > 400, "{attempts} attempts");
    for status in [ExecutionStatus::Succeeded, ExecutionStatus::Failed, ExecutionStatus::Running] {
        assert!(seen.get(&status).is_some_and(|count| *count > 30), "{status}: {seen:?}");
    }
}

#[test]
fn the_outcome_does_not_depend_on_whether_a_history_is_kept() {
    for seed in 0..200 {
        let definition = random_machine::definition(seed);
        let (recorded, _) = told(seed, &definition, false, true);
        let (bare, _) = told(seed, &definition, false, false);
        assert_eq!(recorded.outcome, bare.outcome, "seed {seed}: {definition}");
        assert_eq!(recorded.states_entered, bare.states_entered, "seed {seed}: {definition}");
        assert!(bare.history.events.is_empty());
        let (again, _) = told(seed, &definition, false, true);
        assert_eq!(recorded.history.events, again.history.events, "seed {seed}: {definition}");
    }
}

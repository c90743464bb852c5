//! Made-up executions are run with made-up answers; replaying what was produced reproduces it, and a changed definition does not.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use stepscope::analysis::replay::{ReplayReport, Request, Verdict, replay};
use stepscope::analysis::why::{Evidence, why};
use stepscope::asl::{Definition, compile};
use stepscope::expr::Value;
use stepscope::interpreter::{self, ExecutionInfo, RunOptions, TaskAnswer, TaskOutcome, TaskRequest, Unanswered, World};
use stepscope::model::{EventType, ExecutionStatus, History};
use stepscope::rebuild::rebuild;

/// Makes up definitions.
struct Maker {
    random: fastrand::Rng,
    /// How many states there are already, for names that are told apart.
    states: usize,
}

impl Maker {
    /// The states of a scope, one after the other, and which is the first.
    fn scope(&mut self, depth: u32) -> Json {
        let count = self.random.usize(1..=4);
        let names: Vec<String> = (0..count)
            .map(|_| {
                self.states += 1;
                format!("State{}", self.states)
            })
            .collect();
        let mut states = Map::new();
        for (position, name) in names.iter().enumerate() {
            let mut state = self.state(depth, names.last().expect("one at least"));
            if state["Type"] != "Choice" && state["Type"] != "Fail" {
                match names.get(position + 1) {
                    Some(next) => state["Next"] = json!(next),
                    None => state["End"] = json!(true),
                }
            } else if position + 1 == count {
                state = json!({"Type": "Succeed"});
            }
            states.insert(name.clone(), state);
        }
        json!({"StartAt": names[0], "States": states})
    }

    fn state(&mut self, depth: u32, last: &str) -> Json {
        match self.random.u32(0..if depth < 2 { 13 } else { 9 }) {
            0 => json!({"Type": "Pass", "Parameters": {"n": self.random.u32(..9), "in.$": "$"}}),
            1 => json!({"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "text.$": "States.Format('a-{}', States.UUID())"}}),
            2 => json!({"Type": "Pass", "Parameters": {"dice.$": "States.MathRandom(1, 1000)", "at.$": "$$.State.EnteredTime"}}),
            3 => json!({"Type": "Wait", "Seconds": self.random.u32(0..30)}),
            4 => {
                json!({"Type": "Choice", "Choices": [{"Variable": "$.n", "IsPresent": self.random.bool(), "Next": last}], "Default": last})
            }
            5 => json!({
                "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "Parameters": {"Body": {"token.$": "$$.Task.Token"}}, "TimeoutSeconds": 20, "HeartbeatSeconds": 10,
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": last}]
            }),
            6..9 => json!({
                "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f", "Payload.$": "$"},
                "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3, "JitterStrategy": "FULL"}],
                "Catch": [{"ErrorEquals": ["Broken"], "Next": last}]
            }),
            9 | 10 => json!({"Type": "Parallel", "Branches": [self.scope(depth + 1), self.scope(depth + 1)],
                "Retry": [{"ErrorEquals": ["Lost"], "MaxAttempts": 1}]}),
            11 => {
                json!({"Type": "Map", "ItemsPath": "$$.Execution.Input.items", "ItemProcessor": self.scope(depth + 1), "MaxConcurrency": 2})
            }
            _ => json!({"Type": "Map", "ItemsPath": "$$.Execution.Input.items", "ItemProcessor": self.scope(depth + 1)}),
        }
    }
}

/// Answers at random, and remembers who asked.
struct Weather {
    random: fastrand::Rng,
    asked: Vec<Asked>,
}

/// An attempt, as the interpreter knows it.
struct Asked {
    scheduled: u64,
    state: String,
    scope: Vec<String>,
    attempt: u32,
}

impl Weather {
    fn of(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), asked: Vec::new() }
    }
}

impl World for Weather {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let attempted = request.attempted;
        self.asked.push(Asked {
            scheduled: request.scheduled_event_id,
            state: attempted.state.to_owned(),
            scope: attempted.scope.iter().map(|(name, index)| format!("{name}[{index}]")).collect(),
            attempt: attempted.attempt,
        });
        let random = &mut self.random;
        let mut milliseconds = |most: u64| Duration::from_millis(random.u64(1..most));
        let failed =
            |error: &str| TaskOutcome::Failed { event: EventType::TaskFailed, error: Some(error.into()), cause: Some("it rains".into()) };
        let (started, submitted, end) = (milliseconds(300), milliseconds(300), milliseconds(9_000));
        let outcome = match random.u32(0..9) {
            0 => failed("Broken"),
            1 | 2 => failed("Busy"),
            3 => failed("Lost"),
            _ => TaskOutcome::Succeeded(Value::object([("took", Value::from(i64::from(random.u16(..))))])),
        };
        let waits = request.token.is_some();
        let silent = waits && random.bool();
        Ok(TaskAnswer {
            started: Some(started),
            submitted: waits.then(|| (submitted, Value::object([("MessageId", Value::from("m-1"))]))),
            heartbeats: if silent && random.bool() { vec![Duration::from_secs(7)] } else { Vec::new() },
            ended: (!silent).then_some((end, outcome)),
            ..TaskAnswer::default()
        })
    }
}

fn options(seed: u64) -> RunOptions {
    RunOptions {
        execution: ExecutionInfo {
            arn: "arn:aws:states:eu-west-1:123456789012:execution:Made:run-1".into(),
            name: "run-1".into(),
            machine_arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:Made".into(),
            role_arn: "arn:aws:iam::123456789012:role/Made".into(),
            express: false,
        },
        start: "2026-01-01T00:00:00Z".parse().expect("a moment"),
        seed,
        max_events: 25_000,
        max_states: 100_000,
        record: true,
    }
}

fn made(seed: u64) -> (Json, History) {
    let (definition, history, _) = told(seed);
    (definition, history)
}

fn told(seed: u64) -> (Json, History, Vec<Asked>) {
    let mut maker = Maker { random: fastrand::Rng::with_seed(seed), states: 0 };
    let definition = maker.scope(0);
    let machine = compile(&definition.to_string()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let input = json!({"items": (0..maker.random.u32(0..5)).collect::<Vec<_>>(), "n": 1}).to_string();
    let mut weather = Weather::of(seed + 77);
    let run = interpreter::run(&machine, &input, &options(seed), &mut weather).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    assert_ne!(run.outcome.status, ExecutionStatus::Running, "seed {seed}");
    (definition, run.history, weather.asked)
}

/// What is rebuilt from the events alone is what the interpreter knew while it wrote them.
#[test]
fn a_produced_history_is_rebuilt_as_it_was_run() {
    let (mut attempts, mut deep) = (0, 0);
    for seed in 0..600 {
        let (definition, history, asked) = told(seed);
        let graph = Definition::parse(&definition.to_string()).expect("a definition");
        let path = rebuild(&history, Some(&graph));
        assert_eq!((path.unplaced.len(), path.broken_links.len()), (0, 0), "seed {seed} of {definition}");
        for Asked { scheduled, state, scope, attempt } in asked {
            let index = history.events.iter().position(|event| event.id.0 == scheduled).expect("the event of the attempt");
            let visit = path.visit(path.visit_of[index].expect("a visit"));
            let found = (visit.state.as_ref().map(|state| state.decode().into_owned()), path.labels(visit.scope));
            assert_eq!(found, (Some(state), scope.clone()), "seed {seed}, event {scheduled} of {definition}");
            assert!(visit.attempts.len() >= attempt as usize, "seed {seed}, event {scheduled} of {definition}");
            attempts += 1;
            deep += usize::from(scope.len() > 1);
        }
        let entered = history.events.iter().filter(|event| event.kind.name().ends_with("StateEntered")).count();
        let visits = path.visits.iter().filter(|visit| visit.entered.is_some()).count();
        assert_eq!(visits, entered, "seed {seed} of {definition}");
        let report = why(Evidence { history: &history, path: &path, definition: Some(&graph) });
        let told = report.terminal.map(|terminal| terminal.error);
        let failed = history.header.status == Some(ExecutionStatus::Failed);
        assert_eq!(told, failed.then(|| history.header.error.as_ref().map(|error| error.decode().into_owned())), "seed {seed}");
    }
    assert!(attempts > 1_000 && deep > 100, "{attempts} attempts, {deep} deep: too few to prove anything");
}

fn replayed(history: &History, definition: Option<&str>) -> ReplayReport {
    let graph = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
    let path = rebuild(history, graph.as_ref());
    replay(Request { history, path: &path, definition, changes: None }).expect("a replay").report
}

#[test]
fn replaying_a_produced_history_reproduces_it() {
    let mut names = 0;
    let mut statuses = std::collections::BTreeMap::<&str, u32>::new();
    for seed in 0..600 {
        let (definition, history) = made(seed);
        let report = replayed(&history, None);
        let divergence = report.first_divergence.as_ref().map(|divergence| (divergence.recorded_event_id, divergence.reason.clone()));
        assert_eq!(report.verdict, Verdict::Reproduced, "seed {seed}: {divergence:?} of {definition}");
        assert!(!report.compared.siblings_reordered, "seed {seed} of {definition}");
        assert_eq!(report.history.0.len(), history.events.len());
        for (one, other) in history.events.iter().zip(&report.history.0) {
            assert_eq!(one.timestamp, other.timestamp, "seed {seed}, event {}", one.id);
        }
        names += report.taken_over.iter().map(|taken| taken.count).sum::<usize>();
        *statuses.entry(report.outcome.expect("an outcome").status.name()).or_default() += 1;
    }
    assert!(names > 100, "only {names} values of chance were taken over");
    assert!(statuses["SUCCEEDED"] > 50 && statuses["FAILED"] > 50, "{statuses:?}");
}

#[test]
fn a_changed_definition_diverges_where_it_first_matters() {
    let mut diverged = 0;
    for seed in 0..200 {
        let (definition, history) = made(seed);
        let Some((name, changed)) = with_another_pass(&definition) else { continue };
        let left = history
            .events
            .iter()
            .position(|event| event.kind == EventType::PassStateExited && event.state_name().is_some_and(|state| state.is(&name)));
        let report = replayed(&history, Some(&changed.to_string()));
        match left {
            Some(index) => {
                diverged += 1;
                let divergence = report.first_divergence.unwrap_or_else(|| panic!("seed {seed} copies the recording"));
                assert_eq!(divergence.recorded_event_id, Some(history.events[index].id), "seed {seed}: {}", divergence.reason);
                assert!(divergence.reason.contains("output"), "{}", divergence.reason);
            }
            // The execution never came there.
            None => assert_eq!(report.verdict, Verdict::Reproduced, "seed {seed}"),
        }
    }
    assert!(diverged > 30, "only {diverged} executions met the change");
}

/// The definition with another result of the first Pass state at the top.
fn with_another_pass(definition: &Json) -> Option<(String, Json)> {
    let states = definition["States"].as_object()?;
    let name = states.iter().find(|(_, state)| state["Type"] == "Pass")?.0.clone();
    let mut changed = definition.clone();
    changed["States"][&name]["Parameters"] = json!({"changed": true});
    Some((name, changed))
}

/// What stands in the recording is compared and not copied.
#[test]
fn a_forged_recording_diverges() {
    let definition = json!({"StartAt": "Keep", "States": {"Keep": {"Type": "Pass", "Result": 1, "End": true}}});
    let machine = compile(&definition.to_string()).expect("a definition");
    let mut nothing = Weather::of(0);
    let run = interpreter::run(&machine, "{}", &options(1), &mut nothing).expect("a run");
    let mut history = run.history;
    assert_eq!(replayed(&history, None).verdict, Verdict::Reproduced);
    let stepscope::model::Details::StateExited(exited) = &mut history.events[2].details else { panic!("an exit") };
    exited.output = Some(stepscope::model::Payload::new("2"));
    let report = replayed(&history, None);
    let divergence = report.first_divergence.expect("a divergence");
    assert_eq!(divergence.reason, "event 3 (PassStateExited of state `Keep`) differs in output: recorded 2, produced 1");
    assert_eq!(Rc::from(report.outcome.expect("an outcome").output.expect("an output")), Rc::<str>::from("1"));
}

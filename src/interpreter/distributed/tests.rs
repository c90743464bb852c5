//! Map Runs in whole executions.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::asl::compile;
use crate::interpreter::{ExecutionInfo, MapRunAnswer, Run, RunOptions, TaskOutcome, run};
use crate::model::EventType as E;
use crate::model::{ExecutionStatus, HistoryEvent};

/// Tasks take as many seconds as their input says and fail below zero; zero never ends.
#[derive(Default)]
struct Here {
    objects: BTreeMap<String, Vec<u8>>,
    known: Option<MapRunAnswer>,
    asked: Vec<String>,
}

impl World for Here {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let seconds = request.input.as_i64().unwrap_or_default();
        let lasted = Duration::from_secs(seconds.unsigned_abs());
        let outcome = if seconds < 0 {
            TaskOutcome::Failed { event: EventType::LambdaFunctionFailed, error: Some("Negative".into()), cause: None }
        } else {
            TaskOutcome::Succeeded(request.input.clone())
        };
        let ended = (seconds != 0).then_some((lasted, outcome));
        Ok(TaskAnswer { started: Some(Duration::ZERO), ended, ..TaskAnswer::default() })
    }

    fn map_run(&mut self, request: &MapRunRequest<'_>) -> MapRunAnswer {
        let Attempted { state, visit, attempt, .. } = request.attempted;
        self.asked.push(format!("{state} {visit} {attempt} #{}", request.started_event_id));
        self.known.clone().unwrap_or_default()
    }

    fn read_object(&mut self, bucket: &str, key: &str) -> Result<Vec<u8>, ObjectError> {
        self.objects.get(&format!("{bucket}/{key}")).cloned().ok_or_else(|| ObjectError::NoBucket(bucket.to_owned()))
    }

    fn write_object(&mut self, bucket: &str, key: &str, bytes: &[u8]) -> Result<(), ObjectError> {
        self.objects.insert(format!("{bucket}/{key}"), bytes.to_vec());
        Ok(())
    }
}

const FUNCTION: &str = r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","End":true}"#;
const PASS: &str = r#"{"Type":"Pass","End":true}"#;

/// A machine of one Distributed Map with these fields, whose children visit one state.
fn definition(fields: &str, child: &str) -> String {
    format!(
        r#"{{"StartAt":"Each","States":{{"Each":{{"Type":"Map",{fields}"Label":"L","End":true,"ItemProcessor":
            {{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},"StartAt":"One","States":{{"One":{child}}}}}}}}}}}"#
    )
}

fn executed(definition: &str, input: &str, world: &mut Here) -> Result<Run, RunError> {
    executed_with(definition, input, 10_000, world)
}

fn executed_with(definition: &str, input: &str, max_states: u64, world: &mut Here) -> Result<Run, RunError> {
    let execution = ExecutionInfo {
        arn: "arn:aws:states:us-east-1:111111111111:execution:M:run".into(),
        name: "run".into(),
        machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:M".into(),
        role_arn: "arn:aws:iam::111111111111:role/r".into(),
        express: false,
    };
    let start = Timestamp::from_second(0).expect("a time");
    let options = RunOptions { execution, start, seed: 1, max_events: 25_000, max_states, record: true };
    run(&compile(definition).expect("a definition"), input, &options, world)
}

fn ended(definition: &str, input: &str) -> Run {
    executed(definition, input, &mut Here::default()).expect("a run")
}

/// Type, previous event and second of each event.
fn events(run: &Run) -> Vec<(EventType, u64, i64)> {
    let line = |event: &HistoryEvent| {
        let second = event.timestamp.map_or(-1, Timestamp::as_second);
        (event.kind, event.previous_event_id.map_or(0, |id| id.0), second)
    };
    run.history.events.iter().map(line).collect()
}

fn output(run: &Run) -> &str {
    run.outcome.output.as_deref().unwrap_or_else(|| panic!("{:?}", run.outcome))
}

#[test]
fn a_map_run_succeeds_with_the_outputs_of_its_children() {
    let run = ended(&definition(r#""MaxConcurrency":2,"#, FUNCTION), "[3,1,4]");
    assert_eq!(
        events(&run),
        [
            (E::ExecutionStarted, 0, 0),
            (E::MapStateEntered, 0, 0),
            (E::MapStateStarted, 2, 0),
            (E::MapRunStarted, 3, 0),
            (E::MapRunSucceeded, 4, 5),
            (E::MapStateSucceeded, 5, 5),
            (E::MapStateExited, 4, 5),
            (E::ExecutionSucceeded, 7, 5),
        ]
    );
    assert_eq!(output(&run), "[3,1,4]");
    let starts: Vec<i64> = run.children.iter().filter_map(|child| child.history.header.start).map(Timestamp::as_second).collect();
    assert_eq!(starts, [0, 0, 1]);
    assert_eq!(run.states_entered, 4);
}

#[test]
fn children_are_executions_of_their_own() {
    let state = r#"{"Type":"Pass","Parameters":{"id.$":"$$.Execution.Id","input.$":"$$.Execution.Input","machine.$":"$$.StateMachine.Name"},"End":true}"#;
    let run = ended(&definition("", state), r#"["a"]"#);
    let child = &run.children[0].history;
    let header = &child.header;
    let arn = header.arn.as_ref().expect("an ARN").to_string();
    assert!(arn.starts_with("arn:aws:states:us-east-1:111111111111:execution:M/L:"), "{arn}");
    assert_eq!(output(&run), format!(r#"[{{"id":"{arn}","input":"a","machine":"M/L"}}]"#));
    let map_run = header.map_run_arn.as_deref().expect("an ARN");
    assert!(map_run.starts_with("arn:aws:states:us-east-1:111111111111:mapRun:M/L:"), "{map_run}");
    let definition = child.definition.as_ref().expect("a definition").decode();
    assert_eq!(definition, format!(r#"{{"StartAt":"One","States":{{"One":{state}}}}}"#));
}

#[test]
fn the_first_failure_ends_it_by_default_and_children_that_run_are_aborted() {
    let run = ended(&definition(r#""MaxConcurrency":2,"#, FUNCTION), "[9,-2,1]");
    assert_eq!(
        events(&run)[3..],
        [(E::MapRunStarted, 3, 0), (E::MapRunFailed, 4, 2), (E::MapStateFailed, 5, 2), (E::ExecutionFailed, 6, 2)]
    );
    assert_eq!(run.outcome.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
    assert_eq!(run.outcome.cause.as_deref(), Some("The specified tolerated failure threshold was exceeded"));
    let statuses: Vec<ExecutionStatus> = run.children.iter().map(|child| child.outcome.status).collect();
    assert_eq!(statuses, [ExecutionStatus::Aborted, ExecutionStatus::Failed]);
    let last = run.children[0].history.events.last().expect("events");
    assert_eq!((last.kind, last.timestamp.map(Timestamp::as_second)), (E::ExecutionAborted, Some(2)));
}

#[test]
fn tolerated_failures_stand_among_the_results() {
    let run = ended(&definition(r#""ToleratedFailurePercentage":50,"#, FUNCTION), "[1,-1]");
    let output = Value::parse(output(&run)).expect("JSON");
    let [one, other] = output.as_array().expect("a list") else { panic!("{output}") };
    assert_eq!((one, other.get("Error")), (&Value::from(1), Some(&Value::from("Negative"))));
}

#[test]
fn a_retry_is_a_new_map_run() {
    let fields = r#""Retry":[{"ErrorEquals":["States.ExceedToleratedFailureThreshold"],"MaxAttempts":1}],
        "Catch":[{"ErrorEquals":["States.ALL"],"Next":"Each2"}],"#;
    let definition = definition(fields, FUNCTION).replacen(r#""States":{"#, &format!(r#""States":{{"Each2":{PASS},"#), 1);
    let mut world = Here::default();
    let run = executed(&definition, "[-1]", &mut world).expect("a run");
    assert_eq!(
        events(&run)[2..],
        [
            (E::MapStateStarted, 2, 0),
            (E::MapRunStarted, 3, 0),
            (E::MapRunFailed, 4, 1),
            (E::MapStateStarted, 5, 2),
            (E::MapRunStarted, 6, 2),
            (E::MapRunFailed, 7, 3),
            (E::MapStateFailed, 8, 3),
            (E::MapStateExited, 9, 3),
            (E::PassStateEntered, 10, 3),
            (E::PassStateExited, 11, 3),
            (E::ExecutionSucceeded, 12, 3),
        ]
    );
    assert_eq!(world.asked, ["Each 1 1 #4", "Each 1 2 #7"]);
    assert_ne!(run.children[0].history.header.map_run_arn, run.children[1].history.header.map_run_arn);
}

#[test]
fn a_child_that_never_ends_keeps_the_execution_running() {
    let run = ended(&definition("", FUNCTION), "[1,0]");
    assert_eq!(run.outcome.status, ExecutionStatus::Running);
    assert_eq!(run.history.events.last().map(|event| event.kind), Some(EventType::MapRunStarted));
    let failed = ended(&definition("", FUNCTION), "[0,-5]");
    assert_eq!((failed.outcome.status, failed.children[0].outcome.status), (ExecutionStatus::Failed, ExecutionStatus::Aborted));
}

#[test]
fn an_execution_that_times_out_takes_its_children_along() {
    let definition = definition(r#""MaxConcurrency":2,"#, FUNCTION).replacen('{', r#"{"TimeoutSeconds":3,"#, 1);
    let run = ended(&definition, "[1,9,9,1]");
    assert_eq!(events(&run)[3..], [(E::MapRunStarted, 3, 0), (E::ExecutionTimedOut, 0, 3)]);
    let ends: Vec<_> =
        run.children.iter().map(|child| (child.outcome.status, child.history.header.stop.map(Timestamp::as_second))).collect();
    assert_eq!(ends, [(ExecutionStatus::Succeeded, Some(1)), (ExecutionStatus::Aborted, Some(3)), (ExecutionStatus::Aborted, Some(3))]);
}

#[test]
fn selectors_see_state_and_item_and_pairs_have_keys() {
    let fields = r#""ItemsPath":"$.items","ItemSelector":{"k.$":"$$.Map.Item.Key","v.$":"$$.Map.Item.Value","i.$":"$$.Map.Item.Index","s.$":"$$.Map.Item.Source","x.$":"$.x"},"#;
    let run = ended(&definition(fields, PASS), r#"{"items":{"a":1},"x":2}"#);
    assert_eq!(output(&run), r#"[{"k":"a","v":1,"i":0,"s":"STATE_DATA","x":2}]"#);
    let pairs = ended(&definition(r#""ItemsPath":"$.items","#, PASS), r#"{"items":{"a":1,"b":2}}"#);
    assert_eq!(output(&pairs), r#"[{"Key":"a","Value":1},{"Key":"b","Value":2}]"#);
}

#[test]
fn a_selector_that_fails_fails_the_map_run() {
    let run = ended(&definition(r#""ItemSelector":{"x.$":"$.x"},"ItemsPath":"$.items","#, PASS), r#"{"items":[1]}"#);
    assert_eq!(events(&run)[4..], [(E::MapRunFailed, 4, 0), (E::MapStateFailed, 5, 0), (E::ExecutionFailed, 6, 0)]);
    assert_eq!(run.outcome.error.as_deref(), Some("States.Runtime"));
    let cause = run.outcome.cause.as_deref().expect("a cause");
    assert!(cause.starts_with("An error occurred while executing the state 'Each' (entered at the event id #2). "), "{cause}");
}

#[test]
fn of_very_many_children_not_all_histories_are_kept() {
    let items = Value::array((0..10_002).map(|number| Value::from(if number == 10_000 { -1 } else { 1 })));
    let mut world = Here::default();
    let definition = definition(r#""ToleratedFailureCount":1,"#, FUNCTION);
    let run = executed_with(&definition, &items.to_json(), 20_000, &mut world).expect("a run");
    assert_eq!((run.outcome.status, run.children.len()), (ExecutionStatus::Succeeded, 10_002));
    let kept: Vec<bool> = run.children.iter().map(|child| !child.history.events.is_empty()).collect();
    assert_eq!(kept[9_998..], [true, true, true, false]);
    assert_eq!(run.children[10_001].history.gaps, [crate::model::Gap::NoEvents]);
}

#[test]
fn children_share_the_limit_on_states() {
    let error = executed_with(&definition("", PASS), "[1,2,3]", 3, &mut Here::default()).expect_err("too many states");
    assert!(matches!(error, RunError::TooManyStates(3)), "{error}");
}

#[test]
fn batches_are_read_and_results_written() {
    let fields = r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON","MaxItemsPath":"$.most"},
            "Parameters":{"Bucket.$":"$.bucket","Key":"in.json"}},
        "ItemBatcher":{"MaxItemsPerBatchPath":"$.size","BatchInput":{"b.$":"$.bucket"}},
        "ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket.$":"$.bucket","Prefix":"out"},
            "WriterConfig":{"Transformation":"COMPACT","OutputType":"JSON"}},"#;
    let mut world = Here::default();
    world.objects.insert("data/in.json".to_owned(), b"[1,2,3,4,5]".to_vec());
    let run = executed(&definition(fields, PASS), r#"{"bucket":"data","most":3,"size":"2"}"#, &mut world).expect("a run");
    let started = run.history.events.iter().find(|event| event.kind == EventType::MapStateStarted).expect("it starts");
    assert_eq!(started.details, Details::MapStarted { length: Some(0) });
    let output = Value::parse(output(&run)).expect("JSON");
    let details = output.get("ResultWriterDetails").and_then(|details| details.get("Key")).and_then(Value::as_str).expect("a key");
    let results = details.replace("manifest.json", "SUCCEEDED_0.json");
    let text = String::from_utf8(world.objects[&format!("data/{results}")].clone()).expect("text");
    assert_eq!(text, r#"[{"BatchInput":{"b":"data"},"Items":[1,2]},{"BatchInput":{"b":"data"},"Items":[3]}]"#);
}

#[test]
fn a_dataset_that_cannot_be_read_fails_the_map_run() {
    let reader = |config: &str| {
        let config = format!(r#"{{"InputType":"JSON"{config}}}"#);
        format!(
            r#""ItemReader":{{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{config},"Parameters":{{"Bucket":"data","Key":"in.json"}}}},"#
        )
    };
    let mut world = Here::default();
    world.objects.insert("data/in.json".to_owned(), b"5".to_vec());
    let run = executed(&definition(&reader(""), PASS), "{}", &mut world).expect("a run");
    assert_eq!(
        events(&run)[3..],
        [(E::MapRunStarted, 3, 0), (E::MapRunFailed, 4, 0), (E::MapStateFailed, 5, 0), (E::ExecutionFailed, 6, 0)]
    );
    assert_eq!(run.outcome.error.as_deref(), Some("States.ItemReaderFailed"));
    let run = executed(&definition(&reader(r#","MaxItemsPath":"$.most""#), PASS), r#"{"most":1.5}"#, &mut world).expect("a run");
    assert_eq!(events(&run)[2..], [(E::MapStateStarted, 2, 0), (E::ExecutionFailed, 3, 0)]);
    let cause = run.outcome.cause.as_deref().expect("a cause");
    assert!(cause.ends_with(r#"The MaxItemsPath field refers to value "1.5" which is not a valid integer: $.most"#), "{cause}");
}

#[test]
fn tolerance_is_checked_when_the_state_has_started() {
    let percentage = definition(r#""ToleratedFailurePercentagePath":"$.p","ItemsPath":"$.items","#, PASS);
    let count = definition(r#""ToleratedFailureCountPath":"$.p","ItemsPath":"$.items","#, PASS);
    for (definition, value, words) in [
        (&percentage, "100.5", "ToleratedFailurePercentage must be between 0 and 100."),
        (&percentage, "{}", r#"The ToleratedFailurePercentagePath field refers to value "{}" which is not a valid float: $.p"#),
        (&count, "-1", "ToleratedFailureCount cannot be negative."),
        (&count, "null", r#"The ToleratedFailureCountPath field refers to value "null" which is not a valid integer: $.p"#),
    ] {
        let run = ended(definition, &format!(r#"{{"p":{value},"items":[1]}}"#));
        assert_eq!(events(&run)[2..], [(EventType::MapStateStarted, 2, 0), (EventType::ExecutionFailed, 3, 0)]);
        let prefix = "An error occurred while executing the state 'Each' (entered at the event id #2). ";
        assert_eq!(run.outcome.cause.as_deref(), Some(&*format!("{prefix}{words}")));
    }
}

#[test]
fn what_nobody_gave_ends_the_run_with_advice() {
    let reader = r#""ItemReader":{"Resource":"arn:aws:states:::s3:listObjectsV2","Parameters":{"Bucket":"data"}},"#;
    let error = executed(&definition(reader, PASS), "{}", &mut Here::default()).expect_err("no bucket");
    assert_eq!(error.to_string(), "nothing answers state 'Each' (attempt 1): no folder is given for bucket 'data'; give --s3 data=DIR");
}

#[test]
fn outer_variables_are_not_seen() {
    let child = r#"{"Type":"Pass","Parameters":{"v.$":"$v"},"End":true}"#;
    let definition = definition("", child).replacen(
        r#""StartAt":"Each","States":{"#,
        r#""StartAt":"Set","States":{"Set":{"Type":"Pass","Assign":{"v":1},"Next":"Each"},"#,
        1,
    );
    let run = ended(&definition, "[1]");
    assert_eq!(run.outcome.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
    assert_eq!(run.children[0].outcome.error.as_deref(), Some("States.Runtime"));
}

#[test]
fn a_world_may_know_what_a_map_run_gave() {
    let known = |outcome, exits_from_success| {
        let ended = Some((Duration::from_secs(7), outcome));
        let mut world = Here { known: Some(MapRunAnswer { ended, exits_from_success }), ..Here::default() };
        executed(
            &definition(r#""ResultPath":"$.r","#, PASS).replace(r#""Type":"Map","#, r#""Type":"Map","ItemsPath":"$.i","#),
            r#"{"i":[1]}"#,
            &mut world,
        )
        .expect("a run")
    };
    let run = known(MapRunOutcome::Succeeded(Value::from(5)), true);
    assert_eq!(output(&run), r#"{"i":[1],"r":5}"#);
    assert!(run.children.is_empty());
    assert_eq!(events(&run)[6], (EventType::MapStateExited, 5, 7));
    let run = known(MapRunOutcome::Exited { output: Value::from("as recorded"), assigned: None }, false);
    assert_eq!((output(&run), events(&run)[6]), (r#""as recorded""#, (EventType::MapStateExited, 4, 7)));
    let run = known(MapRunOutcome::Failed { error: Some("E".into()), cause: None }, false);
    assert_eq!((run.outcome.error.as_deref(), events(&run).len()), (Some("E"), 7));
    let run = known(MapRunOutcome::Unfinished, false);
    assert_eq!((run.outcome.status, events(&run).len()), (ExecutionStatus::Running, 4));
}

//! What executions give: definition, input, output.

#[path = "common/interpret.rs"]
mod interpret;

use std::time::Duration;

use interpret::{Mocks, attempt, child, ends_after, lasted, machine, never, options, returns, tell, text, throws};
use stepscope::expr::Value;
use stepscope::interpreter::{LARGEST, Run, RunError, TaskAnswer, TaskOutcome};
use stepscope::model::{EventType, ExecutionStatus};

/// Status and output, or error and cause.
fn outcome(run: &Run) -> String {
    let outcome = &run.outcome;
    match outcome.status {
        ExecutionStatus::Succeeded => text(outcome.output.as_ref()).to_owned(),
        status => format!("{status} {}: {}", text(outcome.error.as_ref()), text(outcome.cause.as_ref())),
    }
}

fn gives(states: &str, input: &str) -> String {
    outcome(&tell(states, input, Mocks::none()))
}

const LAMBDA: &str = "arn:aws:states:::lambda:invoke";
const CALLBACK: &str = "arn:aws:states:::sqs:sendMessage.waitForTaskToken";

fn task(resource: &str, more: &str) -> String {
    format!(r#""Work":{{"Type":"Task","Resource":"{resource}"{more},"End":true}}"#)
}

#[test]
fn states_hand_on_what_they_are_told_to() {
    for (states, input, wanted) in [
        (r#""A":{"Type":"Pass","End":true}"#, "[1, 2]", "[1, 2]"),
        (r#""A":{"Type":"Pass","Result":{"b":1},"End":true}"#, "{}", r#"{"b":1}"#),
        (r#""A":{"Type":"Pass","Result":1,"ResultPath":"$.a.b","End":true}"#, r#"{"a":{"c":2}}"#, r#"{"a":{"c":2,"b":1}}"#),
        (r#""A":{"Type":"Pass","Result":1,"ResultPath":null,"End":true}"#, r#"{"a":1}"#, r#"{"a":1}"#),
        (r#""A":{"Type":"Pass","InputPath":"$.a","OutputPath":"$.b","End":true}"#, r#"{"a":{"b":[3]}}"#, "[3]"),
        (r#""A":{"Type":"Pass","InputPath":null,"End":true}"#, r#"{"a":1}"#, "{}"),
        (r#""A":{"Type":"Succeed","InputPath":"$.a"}"#, r#"{"a":1}"#, "1"),
        (r#""A":{"Type":"Pass","QueryLanguage":"JSONata","Output":{"n":1},"End":true}"#, "{}", r#"{"n":1}"#),
        (
            r#""A":{"Type":"Pass","Assign":{"x":1,"y.$":"$.a"},"Next":"B"},"B":{"Type":"Pass","Parameters":{"x.$":"$x","y.$":"$y"},"End":true}"#,
            r#"{"a":2}"#,
            r#"{"x":1,"y":2}"#,
        ),
        (
            r#""A":{"Type":"Pass","Parameters":{"me.$":"$$.State.Name","at.$":"$$.State.EnteredTime"},"End":true}"#,
            "{}",
            r#"{"me":"A","at":"2026-01-01T00:00:00Z"}"#,
        ),
    ] {
        assert_eq!(gives(states, input), wanted, "{states}");
    }
}

#[test]
fn a_choice_takes_the_first_rule_that_holds() {
    let states = r#""A":{"Type":"Choice","Choices":[
        {"And":[{"Variable":"$.n","IsPresent":true},{"Variable":"$.n","NumericGreaterThan":5}],"Next":"Large"},
        {"Variable":"$.n","IsPresent":true,"Next":"Small"}],"Default":"None"},
        "Large":{"Type":"Pass","Result":"large","End":true},"Small":{"Type":"Pass","Result":"small","End":true},
        "None":{"Type":"Pass","Result":"none","End":true}"#;
    for (input, wanted) in [(r#"{"n":6}"#, "large"), (r#"{"n":5.0}"#, "small"), (r#"{"n":"9"}"#, "small"), ("{}", "none")] {
        assert_eq!(gives(states, input), format!("\"{wanted}\""), "{input}");
    }
}

#[test]
fn what_cannot_go_on_says_where_and_why() {
    let at = "An error occurred while executing the state 'A' (entered at the event id #2). ";
    for (states, input, cause) in [
        (
            r#""A":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":1,"Next":"B"}]},"B":{"Type":"Succeed"}"#,
            r#"{"n":2}"#,
            "Failed to transition out of the state. The state does not point to a next state.",
        ),
        (r#""A":{"Type":"Pass","OutputPath":"$.a.b","End":true}"#, "{}", "Invalid path '$.a.b' : Missing property in path $['a']"),
        (
            r#""A":{"Type":"Wait","SecondsPath":"$.s","End":true}"#,
            r#"{"s":-1}"#,
            "The SecondsPath parameter references a negative value: $.s == -1",
        ),
        (
            r#""A":{"Type":"Wait","SecondsPath":"$.s","End":true}"#,
            r#"{"s":1.5}"#,
            "The SecondsPath parameter cannot be parsed as a long value: $.s == 1.5",
        ),
        (r#""A":{"Type":"Wait","SecondsPath":"$.s","End":true}"#, "{}", "The SecondsPath parameter does not reference an input value: $.s"),
        (r#""A":{"Type":"Wait","TimestampPath":"$.t","End":true}"#, r#"{"t":"2095-01-01T00:00:00Z"}"#, "Wait state delay is too long."),
        (
            r#""A":{"Type":"Wait","TimestampPath":"$.t","End":true}"#,
            r#"{"t":"2026-01-01 00:00:00Z"}"#,
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: $.t == 2026-01-01 00:00:00Z",
        ),
        (
            r#""A":{"Type":"Fail","ErrorPath":"$.e"}"#,
            r#"{"x":1}"#,
            r#"The JSONPath '$.e' specified for the field 'ErrorPath' could not be found in the input '{"x":1}'"#,
        ),
        (
            r#""A":{"Type":"Map","ItemsPath":"$.items","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Succeed"}}},"End":true}"#,
            r#"{"items":1}"#,
            r#"Reference path "$.items" must point to array."#,
        ),
        (
            r#""A":{"Type":"Map","MaxConcurrencyPath":"$.n","ItemsPath":"$.i","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Succeed"}}},"End":true}"#,
            r#"{"i":[],"n":{}}"#,
            r#"The MaxConcurrencyPath field refers to value "{}" which is not a valid integer: $.n"#,
        ),
    ] {
        assert_eq!(gives(states, input), format!("FAILED States.Runtime: {at}{cause}"), "{states}");
    }
}

#[test]
fn time_passes_without_anybody_waiting() {
    let states = r#""A":{"Type":"Wait","Seconds":31536000,"Next":"B"},"B":{"Type":"Wait","Timestamp":"2027-06-01T00:00:00Z","Next":"C"},"C":{"Type":"Wait","Timestamp":"2020-01-01T00:00:00Z","End":true}"#;
    let run = tell(states, "{}", Mocks::none());
    assert_eq!(run.history.header.stop.expect("an end").to_string(), "2027-06-01T00:00:00Z");
}

#[test]
fn each_retrier_waits_by_its_own_count_and_attempts_are_numbered() {
    let retry = r#","Retry":[{"ErrorEquals":["Busy","Slow"],"IntervalSeconds":1,"MaxAttempts":2},{"ErrorEquals":["Gone"],"IntervalSeconds":5}],"Parameters":{"try.$":"$$.State.RetryCount"}"#;
    let mut world =
        Mocks::none().and("Work", throws("Busy")).and("Work", throws("Slow")).and("Work", throws("Gone")).and("Work", returns("7"));
    let run = attempt(&machine(&task(LAMBDA, retry)), "{}", &options(), &mut world).expect("an execution");
    assert_eq!(outcome(&run), "7");
    assert_eq!(world.asked, [0, 1, 2, 3].map(|count| format!("Work 1.{} {{\"try\":{count}}}", count + 1)));
    assert_eq!(lasted(&run), 8_000 + 4 * 11);
}

#[test]
fn an_error_that_is_not_retried_is_caught_or_ends_the_execution() {
    let states = format!(
        r#"{},"Mend":{{"Type":"Pass","End":true}}"#,
        task(LAMBDA, r#","Catch":[{"ErrorEquals":["Gone"],"ResultPath":"$.failure","Next":"Mend"}]"#)
    );
    let world = || Mocks::none().and("Work", throws("Gone"));
    assert_eq!(outcome(&tell(&states, r#"{"a":1}"#, world())), r#"{"a":1,"failure":{"Error":"Gone","Cause":"why"}}"#);
    assert_eq!(outcome(&tell(&task(LAMBDA, ""), "{}", world())), "FAILED Gone: why");
    let silent = TaskOutcome::Failed { event: EventType::TaskFailed, error: None, cause: None };
    let all = states.replace("Gone", "States.ALL");
    assert_eq!(outcome(&tell(&all, "{}", Mocks::none().and("Work", ends_after(5, silent)))), r#"{"failure":{"Error":null,"Cause":null}}"#);
}

#[test]
fn nothing_catches_a_runtime_error() {
    let catch = r#","OutputPath":"$.no","Catch":[{"ErrorEquals":["States.ALL"],"Next":"Mend"}]"#;
    let states = format!(r#"{},"Mend":{{"Type":"Succeed"}}"#, task(LAMBDA, catch));
    let run = tell(&states, "{}", Mocks::none().and("Work", returns("{}")));
    assert_eq!(text(run.outcome.error.as_ref()), "States.Runtime");
}

#[test]
fn a_task_that_takes_too_long_times_out_and_only_its_name_catches_it() {
    let limit = r#","TimeoutSeconds":5,"Catch":[{"ErrorEquals":["States.TaskFailed"],"Next":"Wrong"},{"ErrorEquals":["States.Timeout"],"Next":"Late"}]"#;
    let states = format!(r#"{},"Wrong":{{"Type":"Fail"}},"Late":{{"Type":"Pass","Result":"late","End":true}}"#, task(LAMBDA, limit));
    for (answer, wanted) in [
        (never(), "\"late\""),
        (ends_after(5_001, TaskOutcome::Succeeded(Value::Null)), "\"late\""),
        (ends_after(5_000, TaskOutcome::Succeeded(Value::from(1))), "1"),
    ] {
        assert_eq!(outcome(&tell(&states, "{}", Mocks::none().and("Work", answer))), wanted);
    }
}

#[test]
fn heartbeats_keep_a_callback_alive() {
    let states = task(CALLBACK, r#","HeartbeatSeconds":10"#);
    let beats = |seconds: &[u64]| TaskAnswer {
        started: Some(Duration::ZERO),
        submitted: Some((Duration::ZERO, Value::Null)),
        heartbeats: seconds.iter().copied().map(Duration::from_secs).collect(),
        ended: Some((Duration::from_secs(25), TaskOutcome::Succeeded(Value::from(true)))),
        ..TaskAnswer::default()
    };
    assert_eq!(outcome(&tell(&states, "{}", Mocks::none().and("Work", beats(&[8, 17])))), "true");
    let missed = tell(&states, "{}", Mocks::none().and("Work", beats(&[8, 19])));
    assert_eq!((outcome(&missed).as_str(), lasted(&missed)), ("FAILED States.Timeout: -", 18_000));
}

#[test]
fn a_missed_heartbeat_is_known_by_both_names() {
    for name in ["States.HeartbeatTimeout", "States.Timeout"] {
        let more = format!(r#","HeartbeatSeconds":10,"Catch":[{{"ErrorEquals":["{name}"],"Next":"Late"}}]"#);
        let states = format!(r#"{},"Late":{{"Type":"Pass","Result":"late","End":true}}"#, task(CALLBACK, &more));
        assert_eq!(outcome(&tell(&states, "{}", Mocks::none().and("Work", never()))), "\"late\"");
    }
}

#[test]
fn a_token_nobody_returns_leaves_the_execution_running() {
    let run = tell(&task(CALLBACK, r#","Parameters":{"token.$":"$$.Task.Token"}"#), "{}", Mocks::none().and("Work", never()));
    assert_eq!((run.outcome.status, run.history.header.stop), (ExecutionStatus::Running, None));
}

#[test]
fn a_machine_that_takes_too_long_times_out() {
    let definition = r#"{"TimeoutSeconds":60,"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":61,"End":true}}}"#;
    let run = attempt(definition, "{}", &options(), &mut Mocks::none()).expect("an execution");
    assert_eq!((outcome(&run).as_str(), lasted(&run)), ("TIMED_OUT -: -", 60_000));
    let in_time = definition.replace("61", "60");
    assert_eq!(outcome(&attempt(&in_time, "{}", &options(), &mut Mocks::none()).expect("an execution")), "{}");
}

#[test]
fn an_express_execution_has_five_minutes() {
    let mut express = options();
    express.execution.express = true;
    let wait = |seconds| machine(&format!(r#""A":{{"Type":"Wait","Seconds":{seconds},"End":true}}"#));
    assert_eq!(outcome(&attempt(&wait(300), "{}", &express, &mut Mocks::none()).expect("an execution")), "{}");
    assert_eq!(outcome(&attempt(&wait(301), "{}", &express, &mut Mocks::none()).expect("an execution")), "TIMED_OUT -: -");
}

#[test]
fn branches_and_iterations_give_their_results_in_order() {
    let slow_first = r#""P":{"Type":"Parallel","End":true,"Branches":[
        {"StartAt":"S","States":{"S":{"Type":"Wait","Seconds":9,"Next":"T"},"T":{"Type":"Pass","Result":"slow","End":true}}},
        {"StartAt":"F","States":{"F":{"Type":"Pass","Result":"fast","End":true}}}]}"#;
    assert_eq!(gives(slow_first, "{}"), r#"["slow","fast"]"#);
    let map = r#""M":{"Type":"Map","ItemsPath":"$.items","ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value","all.$":"$.n"},
        "ItemProcessor":{"StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$.v","End":true}}},"ResultPath":"$.items","End":true}"#;
    assert_eq!(gives(map, r#"{"items":[3,1],"n":2}"#), r#"{"items":[{"i":0,"v":3,"all":2},{"i":1,"v":1,"all":2}],"n":2}"#);
    assert_eq!(gives(map, r#"{"items":[],"n":2}"#), r#"{"items":[],"n":2}"#);
}

#[test]
fn a_map_of_one_at_a_time_takes_the_sum_of_times_and_of_all_the_longest() {
    let map = |more: &str| {
        format!(
            r#""M":{{"Type":"Map"{more},"ItemProcessor":{{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":10,"End":true}}}}}},"End":true}}"#
        )
    };
    for (more, items, milliseconds) in [
        (r#","MaxConcurrency":1"#, 3, 30_000),
        ("", 3, 10_000),
        ("", 41, 20_000),
        (r#","MaxConcurrency":1000000000"#, 41, 20_000),
        (r#","MaxConcurrency":2"#, 5, 30_000),
    ] {
        let input = format!("[{}]", vec!["0"; items].join(","));
        assert_eq!(lasted(&tell(&map(more), &input, Mocks::none())), milliseconds, "{more} {items}");
    }
}

#[test]
fn variables_of_a_branch_stay_in_it() {
    let states = r#""A":{"Type":"Pass","Assign":{"x":1},"Next":"P"},
        "P":{"Type":"Parallel","Branches":[{"StartAt":"B","States":{"B":{"Type":"Pass","Assign":{"y.$":"$x"},"Next":"C"},"C":{"Type":"Pass","Parameters":{"y.$":"$y"},"End":true}}}],"Next":"D"},
        "D":{"Type":"Pass","Parameters":{"r.$":"$[0].y","x.$":"$x"},"End":true}"#;
    assert_eq!(gives(states, "{}"), r#"{"r":1,"x":1}"#);
    let leaking = states.replace(r#""x.$":"$x"},"End":true"#, r#""y.$":"$y"},"End":true"#);
    assert!(gives(&leaking, "{}").starts_with("FAILED States.Runtime"), "{}", gives(&leaking, "{}"));
}

#[test]
fn a_failed_branch_ends_its_siblings_and_can_be_retried_as_a_whole() {
    let states = format!(
        r#""P":{{"Type":"Parallel","Retry":[{{"ErrorEquals":["Busy"],"MaxAttempts":1,"IntervalSeconds":3}}],"End":true,"Branches":[
        {{"StartAt":"Work","States":{{{}}}}},{{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":60,"End":true}}}}}}]}}"#,
        task(LAMBDA, "")
    );
    let mut world = Mocks::none().and("Work", throws("Busy")).and("Work", returns("1"));
    let run = attempt(&machine(&states), "{}", &options(), &mut world).expect("an execution");
    assert_eq!((outcome(&run).as_str(), lasted(&run)), ("[1,{}]", 11 + 3_000 + 60_000));
    assert_eq!(world.asked, ["P[0] Work 1.1 {}", "P[0] Work 2.1 {}"]);
}

#[test]
fn what_is_too_large_fails_the_attempt_or_the_execution() {
    let large = format!("\"{}\"", "x".repeat(LARGEST - 1));
    let caught = format!(
        r#"{},"Mend":{{"Type":"Pass","InputPath":"$.Cause","End":true}}"#,
        task(LAMBDA, r#","Catch":[{"ErrorEquals":["States.DataLimitExceeded"],"Next":"Mend"}]"#)
    );
    assert_eq!(
        outcome(&tell(&caught, "{}", Mocks::none().and("Work", returns(&large)))),
        r#""The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit.""#
    );
    let doubled = r#""A":{"Type":"Pass","Parameters":{"a.$":"$","b.$":"$"},"End":true}"#;
    let half = format!("\"{}\"", "x".repeat(LARGEST / 2));
    assert_eq!(
        gives(doubled, &half),
        "FAILED States.DataLimitExceeded: The state/task 'A' returned a result with a size exceeding the maximum number of bytes service limit."
    );
    let refused = attempt(&machine(doubled), &large, &options(), &mut Mocks::none());
    assert!(matches!(refused, Err(RunError::LargeInput(_))), "{refused:?}");
}

#[test]
fn an_endless_loop_ends_with_the_history_or_at_the_limit_on_states() {
    let endless = r#""A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}"#;
    let run = tell(endless, "{}", Mocks::none());
    assert_eq!(outcome(&run), "FAILED States.Runtime: The execution reached the maximum number of history events (25000).");
    assert_eq!(run.history.events.len(), 25_000);
    let unrecorded =
        attempt(&machine(endless), "{}", &stepscope::interpreter::RunOptions { record: false, ..options() }, &mut Mocks::none());
    assert_eq!(outcome(&unrecorded.expect("an execution")), outcome(&run));
    let unlimited = stepscope::interpreter::RunOptions { max_events: u64::MAX, record: false, ..options() };
    let refused = attempt(&machine(endless), "{}", &unlimited, &mut Mocks::none());
    assert!(matches!(refused, Err(RunError::TooManyStates(1_000_000))), "{refused:?}");
}

#[test]
fn a_value_that_grows_deeper_with_each_turn_is_stopped() {
    let nesting = r#""A":{"Type":"Pass","Parameters":{"a.$":"$"},"Next":"A"}"#;
    let unlimited = stepscope::interpreter::RunOptions { max_events: u64::MAX, ..options() };
    let run = attempt(&machine(nesting), "{}", &unlimited, &mut Mocks::none()).expect("an execution");
    assert_eq!((text(run.outcome.error.as_ref()), run.states_entered), ("States.DataLimitExceeded", 1_000));
}

#[test]
fn maps_inside_maps_are_bounded_by_the_history() {
    let mut inner = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#.to_owned();
    for level in 0..9 {
        inner = format!(
            r#"{{"StartAt":"M{level}","States":{{"M{level}":{{"Type":"Map","ItemsPath":"$$.Execution.Input","MaxConcurrency":1000000000,"ItemProcessor":{inner},"End":true}}}}}}"#
        );
    }
    let run = attempt(&inner, "[0,1,2,3,4,5,6,7,8,9]", &options(), &mut Mocks::none()).expect("an execution");
    assert!(outcome(&run).contains("maximum number of history events"), "{}", outcome(&run));
}

const CHILD: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Child";

fn starting(suffix: &str, definition: &str) -> Run {
    let parameters = format!(r#","Parameters":{{"StateMachineArn":"{CHILD}","Name":"c","Input":{{"n":1}}}}"#);
    let states = task(&format!("arn:aws:states:::states:startExecution{suffix}"), &parameters);
    let mut world = Mocks::none();
    world.machines.insert(CHILD.to_owned(), child(definition));
    attempt(&machine(&states), "{}", &options(), &mut world).expect("an execution")
}

#[test]
fn a_nested_execution_is_run_and_its_output_handed_back() {
    let doubling = machine(r#""D":{"Type":"Wait","Seconds":7,"OutputPath":"$.n","End":true}"#);
    let run = starting(".sync:2", &doubling);
    let output = Value::parse(&outcome(&run)).expect("JSON");
    assert_eq!((output.get("Output"), output.get("Status")), (Some(&Value::from(1)), Some(&Value::from("SUCCEEDED"))));
    assert_eq!(lasted(&run), 7_000);
    let [nested] = run.children.as_slice() else { panic!("one child") };
    assert_eq!(
        nested.history.header.arn.as_ref().map(stepscope::model::ExecutionArn::as_str),
        Some("arn:aws:states:eu-west-1:111111111111:execution:Child:c")
    );
    let as_text = Value::parse(&outcome(&starting(".sync", &doubling))).expect("JSON");
    assert_eq!((as_text.get("Output"), as_text.get("Input")), (Some(&Value::from("1")), Some(&Value::from(r#"{"n":1}"#))));
    let at_once = starting("", &doubling);
    assert_eq!((lasted(&at_once), at_once.children.len()), (0, 1));
}

#[test]
fn a_nested_failure_is_a_failed_task_with_a_description() {
    let run = starting(".sync:2", &machine(r#""F":{"Type":"Fail","Error":"Broken","Cause":"by itself"}"#));
    assert_eq!(text(run.outcome.error.as_ref()), "States.TaskFailed");
    let cause = Value::parse(text(run.outcome.cause.as_ref())).expect("JSON");
    assert_eq!((cause.get("Error"), cause.get("Cause")), (Some(&Value::from("Broken")), Some(&Value::from("by itself"))));
}

#[test]
fn a_token_waits_for_its_answer_whatever_became_of_the_execution_that_was_started() {
    let parameters = format!(r#","Parameters":{{"StateMachineArn":"{CHILD}","Name":"c","Input":{{"token.$":"$$.Task.Token"}}}}"#);
    let states = task("arn:aws:states:::states:startExecution.waitForTaskToken", &parameters);
    let answered =
        TaskAnswer { submitted: Some((Duration::ZERO, Value::Null)), ..ends_after(9_000, TaskOutcome::Succeeded(Value::from("done"))) };
    let mut world = Mocks::none().and("Work", answered);
    world.machines.insert(CHILD.to_owned(), child(&machine(r#""F":{"Type":"Fail"}"#)));
    let run = attempt(&machine(&states), "{}", &options(), &mut world).expect("an execution");
    assert_eq!((outcome(&run).as_str(), lasted(&run), run.children.len()), (r#""done""#, 9_001, 1));
    let submitted = run.history.events.iter().find(|event| event.kind == EventType::TaskSubmitted).expect("submitted");
    assert!(format!("{submitted:?}").contains("execution:Child:c"), "{submitted:?}");
}

#[test]
fn a_synchronous_call_tells_of_a_failure_and_is_none() {
    let parameters = format!(r#","Parameters":{{"StateMachineArn":"{CHILD}"}}"#);
    let definition = machine(&task("arn:aws:states:::aws-sdk:sfn:startSyncExecution", &parameters));
    let mut world = Mocks::none();
    world.machines.insert(CHILD.to_owned(), child(&machine(r#""F":{"Type":"Fail","Error":"Broken"}"#)));
    let run = attempt(&definition, "{}", &options(), &mut world).expect("an execution");
    let answer = Value::parse(&outcome(&run)).expect("JSON");
    assert_eq!((answer.get("Status"), answer.get("Error")), (Some(&Value::from("FAILED")), Some(&Value::from("Broken"))));
    assert_eq!(answer.get("StopDate"), Some(&Value::from("2026-01-01T00:00:00Z")));
}

#[test]
fn an_expression_of_a_rule_or_a_catcher_is_named_with_its_position() {
    let next = r#""Z":{"Type":"Succeed"}"#;
    let chosen = r#"{"Condition":false,"Next":"Z"},{"Condition":true,"Next":"Z","#;
    let caught = r#"{"ErrorEquals":["Other"],"Next":"Z"},{"ErrorEquals":["States.ALL"],"Next":"Z","#;
    for (states, place) in [
        (format!(r#""C":{{"Type":"Choice","Choices":[{chosen}"Output":{{"v":"{{% $none %}}"}}}}]}}"#), "Choices[1]/Output/v"),
        (format!(r#""C":{{"Type":"Choice","Choices":[{chosen}"Assign":{{"v":"{{% $none %}}"}}}}]}}"#), "Choices[1]/Assign/v"),
        (task(LAMBDA, &format!(r#","Catch":[{caught}"Output":"{{% $none %}}"}}]"#)), "Catch[1]/Output"),
        (task(LAMBDA, &format!(r#","Catch":[{caught}"Assign":{{"v":["{{% $none %}}"]}}}}]"#)), "Catch[1]/Assign/v[0]"),
    ] {
        let definition = machine(&format!("{states},{next}")).replacen('{', r#"{"QueryLanguage":"JSONata","#, 1);
        let run = attempt(&definition, "{}", &options(), &mut Mocks::none().and("Work", throws("Broken"))).expect("an execution");
        let said = outcome(&run);
        let cause = format!("The JSONata expression '$none' specified for the field '{place}' returned nothing (undefined).");
        assert!(said.ends_with(&cause), "{said}");
    }
}

#[test]
fn only_what_can_be_redriven_counts_its_redrives() {
    let states =
        r#""A":{"Type":"Pass","QueryLanguage":"JSONata","Output":"{% $exists($states.context.Execution.RedriveCount) %}","End":true}"#;
    let mut express = options();
    express.execution.express = true;
    assert_eq!(gives(states, "{}"), "true");
    assert_eq!(outcome(&attempt(&machine(states), "{}", &express, &mut Mocks::none()).expect("an execution")), "false");
}

#[test]
fn executions_that_start_one_another_without_end_are_stopped() {
    let parameters = format!(r#","Parameters":{{"StateMachineArn":"{CHILD}"}}"#);
    let definition = machine(&task("arn:aws:states:::states:startExecution.sync", &parameters));
    let mut world = Mocks::none();
    world.machines.insert(CHILD.to_owned(), child(&definition));
    let refused = attempt(&definition, "{}", &options(), &mut world);
    assert!(matches!(refused, Err(RunError::TooDeep(_))), "{refused:?}");
}

#[test]
fn a_task_that_nothing_answers_is_named() {
    let refused = attempt(&machine(&task(LAMBDA, "")), "{}", &options(), &mut Mocks::none());
    assert_eq!(refused.expect_err("unanswered").to_string(), "nothing answers state 'Work' (attempt 1): mock it");
}

/// Ten thousand times a payload of 100 KB: nothing that anybody could write down.
#[test]
fn what_goes_into_branches_and_iterations_is_as_large_as_a_payload_may_be() {
    let many: Vec<String> = (0..10_000).map(|number| format!(r#""p{number}.$":"$""#)).collect();
    let (many, inside) = (many.join(","), r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#);
    let input = format!(r#"{{"items":[1],"text":"{}"}}"#, "x".repeat(100_000));
    for state in [
        format!(r#""Type":"Parallel","Parameters":{{{many}}},"Branches":[{inside}]"#),
        format!(r#""Type":"Map","ItemsPath":"$.items","ItemSelector":{{{many}}},"ItemProcessor":{inside}"#),
        format!(r#""Type":"Pass","Parameters":{{{many}}}"#),
    ] {
        let failure = gives(&format!(r#""A":{{{state},"End":true}}"#), &input);
        assert!(failure.starts_with("FAILED States.DataLimitExceeded: The state/task 'A' returned a result"), "{failure}");
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let states = task(
        CALLBACK,
        r#","Parameters":{"token.$":"$$.Task.Token","id.$":"States.UUID()"},"Retry":[{"ErrorEquals":["Busy"],"JitterStrategy":"FULL","IntervalSeconds":100}]"#,
    );
    let story = |seed| {
        let mut world = Mocks::none().and("Work", throws("Busy")).and("Work", returns("1"));
        let options = stepscope::interpreter::RunOptions { seed, ..options() };
        let run = attempt(&machine(&states), "{}", &options, &mut world).expect("an execution");
        (format!("{:?}", run.history.events), lasted(&run), world.asked)
    };
    assert_eq!(story(1), story(1));
    assert_ne!(story(1).1, story(2).1);
}

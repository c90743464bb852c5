//! The events that executions write: types, order and links.

#[path = "common/interpret.rs"]
mod interpret;

use std::time::Duration;

use interpret::{Chooser, Mocks, attempt, lines, machine, never, options, returns, tell, throws};
use stepscope::expr::Value;
use stepscope::interpreter::{Pending, Run, TaskAnswer, TaskOutcome};
use stepscope::model::wire::WireEvent;

const LAMBDA: &str = "arn:aws:states:::lambda:invoke";

fn work(more: &str) -> String {
    format!(r#""Work":{{"Type":"Task","Resource":"{LAMBDA}"{more},"End":true}}"#)
}

/// The events from the one with this number on.
fn from(run: &Run, first: usize) -> Vec<String> {
    lines(run).split_off(first - 1)
}

fn json(run: &Run, id: usize) -> String {
    serde_json::to_string(&WireEvent(&run.history.events[id - 1])).expect("JSON")
}

#[test]
fn a_chain_of_states_links_each_event_to_the_one_before() {
    let states = r#""A":{"Type":"Pass","Assign":{"x":[1]},"Next":"B"},"B":{"Type":"Succeed"}"#;
    let run = tell(states, "{}", Mocks::none());
    assert_eq!(
        lines(&run),
        [
            "1 0 ExecutionStarted",
            "2 0 PassStateEntered A",
            "3 2 PassStateExited A {}",
            "4 3 SucceedStateEntered B",
            "5 4 SucceedStateExited B {}",
            "6 5 ExecutionSucceeded {}"
        ]
    );
    assert!(
        json(&run, 3).ends_with(r#""assignedVariables":{"x":"[1]"},"assignedVariablesDetails":{"truncated":false}}}"#),
        "{}",
        json(&run, 3)
    );
    assert!(!json(&run, 5).contains("assignedVariables"));
}

#[test]
fn attempts_follow_one_another_and_the_exit_of_a_caught_failure_links_to_it() {
    let retry = r#","Retry":[{"ErrorEquals":["Busy"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Mend"}]"#;
    let states = format!(r#"{},"Mend":{{"Type":"Pass","Result":0,"End":true}}"#, work(retry));
    let run = tell(&states, "{}", Mocks::none().and("Work", throws("Busy")));
    assert_eq!(
        from(&run, 2),
        [
            "2 0 TaskStateEntered Work",
            "3 2 TaskScheduled",
            "4 3 TaskStarted",
            "5 4 TaskFailed Busy",
            "6 5 TaskScheduled",
            "7 6 TaskStarted",
            "8 7 TaskFailed Busy",
            r#"9 8 TaskStateExited Work {"Error":"Busy","Cause":"why"}"#,
            "10 9 PassStateEntered Mend",
            "11 10 PassStateExited Mend 0",
            "12 11 ExecutionSucceeded 0"
        ]
    );
}

#[test]
fn a_scheduled_task_tells_all_that_is_called() {
    let more = r#","TimeoutSecondsPath":"$.t","HeartbeatSeconds":3,"Parameters":{"b.$":"$.b","a":1},"Credentials":{"RoleArn.$":"$.role"}"#;
    let run =
        tell(&work(more), r#"{"t":9,"b":[2.0],"role":"arn:aws:iam::111111111111:role/other"}"#, Mocks::none().and("Work", returns("{}")));
    assert!(
        json(&run, 3).ends_with(
            r#""taskScheduledEventDetails":{"resourceType":"lambda","resource":"invoke","region":"eu-west-1","parameters":"{\"b\":[2.0],\"a\":1}","timeoutInSeconds":9,"heartbeatInSeconds":3,"taskCredentials":{"roleArn":"arn:aws:iam::111111111111:role/other"}}}"#
        ),
        "{}",
        json(&run, 3)
    );
}

#[test]
fn functions_and_activities_have_events_of_their_own() {
    let function = r#""F":{"Type":"Task","Resource":"arn:aws:lambda:eu-west-1:111111111111:function:f","TimeoutSeconds":5,"HeartbeatSeconds":2,"End":true}"#;
    let run = tell(function, "[1]", Mocks::none().and("F", throws("Broken")));
    assert_eq!(
        from(&run, 3),
        ["3 2 LambdaFunctionScheduled", "4 3 LambdaFunctionStarted", "5 4 LambdaFunctionFailed Broken", "6 5 ExecutionFailed Broken"]
    );
    assert!(json(&run, 3).ends_with(
        r#""lambdaFunctionScheduledEventDetails":{"resource":"arn:aws:lambda:eu-west-1:111111111111:function:f","input":"[1]","inputDetails":{"truncated":false},"timeoutInSeconds":5}}"#
    ));
    let activity = r#""A":{"Type":"Task","Resource":"arn:aws:states:eu-west-1:111111111111:activity:a","TimeoutSeconds":5,"End":true}"#;
    let answer = TaskAnswer { worker: Some("w-1".into()), ..never() };
    let run = tell(activity, "{}", Mocks::none().and("A", answer));
    assert_eq!(
        from(&run, 3),
        ["3 2 ActivityScheduled", "4 3 ActivityStarted", "5 4 ActivityTimedOut States.Timeout", "6 5 ExecutionFailed States.Timeout"]
    );
    assert!(json(&run, 4).ends_with(r#""activityStartedEventDetails":{"workerName":"w-1"}}"#));
    let gone = TaskOutcome::Refused { error: "States.Runtime".into(), cause: "The activity a does not exist.".into() };
    let answer = TaskAnswer { ended: Some((Duration::ZERO, gone)), ..TaskAnswer::default() };
    let run = tell(activity, "{}", Mocks::none().and("A", answer));
    assert_eq!(from(&run, 2), ["2 0 TaskStateEntered A", "3 2 ExecutionFailed States.Runtime"]);
    let cause = run.outcome.cause.expect("a cause");
    assert_eq!(&*cause, "An error occurred while executing the state 'A' (entered at the event id #2). The activity a does not exist.");
}

#[test]
fn a_callback_is_submitted_between_start_and_end() {
    let states = work("").replace("lambda:invoke", "sqs:sendMessage.waitForTaskToken");
    let answer = TaskAnswer {
        submitted: Some((Duration::from_millis(3), Value::parse(r#"{"MessageId":"m"}"#).expect("JSON"))),
        ended: Some((Duration::from_mins(1), TaskOutcome::Succeeded(Value::from("done")))),
        ..never()
    };
    let run = tell(&states, "{}", Mocks::none().and("Work", answer));
    assert_eq!(
        from(&run, 3),
        [
            "3 2 TaskScheduled",
            "4 3 TaskStarted",
            r#"5 4 TaskSubmitted {"MessageId":"m"}"#,
            "6 5 TaskSucceeded \"done\"",
            "7 6 TaskStateExited Work \"done\"",
            "8 7 ExecutionSucceeded \"done\""
        ]
    );
    assert!(
        json(&run, 5).contains(r#""taskSubmittedEventDetails":{"resourceType":"sqs","resource":"sendMessage.waitForTaskToken","output""#)
    );
}

#[test]
fn iterations_one_at_a_time_link_to_what_made_room() {
    let map =
        r#""M":{"Type":"Map","MaxConcurrency":1,"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true}"#;
    assert_eq!(
        from(&tell(map, "[7,8]", Mocks::none()), 3),
        [
            "3 2 MapStateStarted",
            "4 3 MapIterationStarted [0]",
            "5 4 PassStateEntered P",
            "6 5 PassStateExited P 7",
            "7 6 MapIterationSucceeded [0]",
            "8 6 MapIterationStarted [1]",
            "9 8 PassStateEntered P",
            "10 9 PassStateExited P 8",
            "11 10 MapIterationSucceeded [1]",
            "12 11 MapStateSucceeded",
            "13 11 MapStateExited M [7,8]",
            "14 13 ExecutionSucceeded [7,8]"
        ]
    );
    assert_eq!(
        from(&tell(map, "[]", Mocks::none()), 3),
        ["3 2 MapStateStarted", "4 3 MapStateSucceeded", "5 3 MapStateExited M []", "6 5 ExecutionSucceeded []"]
    );
}

#[test]
fn a_failed_iteration_aborts_the_others_and_all_name_the_failing_event() {
    let map = format!(r#""M":{{"Type":"Map","ItemProcessor":{{"StartAt":"Work","States":{{{}}}}},"End":true}}"#, work(""));
    let run = tell(&map, "[1,2,3]", Mocks::none().and("Work", never()).and("Work", throws("Broken")).and("Work", never()));
    assert_eq!(
        from(&run, 3),
        [
            "3 2 MapStateStarted",
            "4 3 MapIterationStarted [0]",
            "5 3 MapIterationStarted [1]",
            "6 3 MapIterationStarted [2]",
            "7 4 TaskStateEntered Work",
            "8 7 TaskScheduled",
            "9 8 TaskStarted",
            "10 5 TaskStateEntered Work",
            "11 10 TaskScheduled",
            "12 6 TaskStateEntered Work",
            "13 12 TaskScheduled",
            "14 13 TaskStarted",
            "15 11 TaskStarted",
            "16 15 TaskFailed Broken",
            "17 16 MapIterationFailed [1]",
            "18 16 TaskStateAborted",
            "19 16 MapIterationAborted [0]",
            "20 16 TaskStateAborted",
            "21 16 MapIterationAborted [2]",
            "22 16 TaskStateAborted",
            "23 16 MapStateFailed",
            "24 23 ExecutionFailed Broken"
        ]
    );
}

#[test]
fn a_retried_parallel_starts_again_from_the_failing_event_and_a_caught_one_exits_from_its_failure() {
    let states = format!(
        r#""P":{{"Type":"Parallel","Retry":[{{"ErrorEquals":["Busy"],"MaxAttempts":1}}],"Catch":[{{"ErrorEquals":["Busy"],"Next":"Mend"}}],"End":true,
        "Branches":[{{"StartAt":"Work","States":{{{}}}}},{{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":60,"End":true}}}}}}]}},
        "Mend":{{"Type":"Pass","Result":0,"End":true}}"#,
        work("")
    );
    let run = tell(&states, "{}", Mocks::none().and("Work", throws("Busy")));
    assert_eq!(
        from(&run, 3),
        [
            "3 2 ParallelStateStarted",
            "4 3 TaskStateEntered Work",
            "5 4 TaskScheduled",
            "6 3 WaitStateEntered W",
            "7 5 TaskStarted",
            "8 7 TaskFailed Busy",
            "9 8 TaskStateAborted",
            "10 8 WaitStateAborted",
            "11 8 ParallelStateStarted",
            "12 11 TaskStateEntered Work",
            "13 12 TaskScheduled",
            "14 11 WaitStateEntered W",
            "15 13 TaskStarted",
            "16 15 TaskFailed Busy",
            "17 16 TaskStateAborted",
            "18 16 WaitStateAborted",
            "19 16 ParallelStateFailed",
            r#"20 19 ParallelStateExited P {"Error":"Busy","Cause":"why"}"#,
            "21 20 PassStateEntered Mend",
            "22 21 PassStateExited Mend 0",
            "23 22 ExecutionSucceeded 0"
        ]
    );
}

#[test]
fn a_runtime_error_inside_ends_the_execution_without_more_words() {
    let map =
        r#""M":{"Type":"Map","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","InputPath":"$.no","End":true}}},"End":true}"#;
    assert_eq!(
        from(&tell(map, "[{}]", Mocks::none()), 4),
        ["4 3 MapIterationStarted [0]", "5 4 PassStateEntered P", "6 5 ExecutionFailed States.Runtime"]
    );
}

#[test]
fn the_end_of_time_names_no_cause() {
    let definition = r#"{"TimeoutSeconds":60,"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":61,"End":true}}}"#;
    let run = attempt(definition, "{}", &options(), &mut Mocks::none()).expect("an execution");
    assert_eq!(lines(&run), ["1 0 ExecutionStarted", "2 0 WaitStateEntered A", "3 0 ExecutionTimedOut States.Timeout"]);
}

/// Lets the thread go on that stands last, so that branches come one after the other from the last to the first.
const LAST: Chooser = |pending: &[Pending<'_>], _| Some(pending.len() - 1);

#[test]
fn the_world_may_choose_which_branch_goes_on() {
    let states = r#""P":{"Type":"Parallel","End":true,"Branches":[
        {"StartAt":"A","States":{"A":{"Type":"Pass","Result":1,"End":true}}},{"StartAt":"B","States":{"B":{"Type":"Pass","Result":2,"End":true}}}]}"#;
    let mut world = Mocks { chooser: Some(LAST), ..Mocks::none() };
    let run = attempt(&machine(states), "{}", &options(), &mut world).expect("an execution");
    assert_eq!(
        from(&run, 3),
        [
            "3 2 ParallelStateStarted",
            "4 3 PassStateEntered B",
            "5 4 PassStateExited B 2",
            "6 3 PassStateEntered A",
            "7 6 PassStateExited A 1",
            "8 7 ParallelStateSucceeded",
            "9 7 ParallelStateExited P [1,2]",
            "10 9 ExecutionSucceeded [1,2]"
        ]
    );
}

#[test]
fn what_is_pending_is_what_is_written_next() {
    // Checks each choice against the event that was written after it.
    thread_local!(static PROMISED: std::cell::RefCell<Vec<(usize, String)>> = const { std::cell::RefCell::new(Vec::new()) });
    const RECORD: Chooser = |pending: &[Pending<'_>], events| {
        let chosen = events % pending.len();
        let line = format!("{} {}", pending[chosen].previous_event_id, pending[chosen].event.name());
        PROMISED.with_borrow_mut(|promised| promised.push((events, line)));
        Some(chosen)
    };
    let map = format!(
        r#""M":{{"Type":"Map","MaxConcurrency":2,"Retry":[{{"ErrorEquals":["Busy"],"MaxAttempts":1}}],"ItemProcessor":{{"StartAt":"C","States":{{
        "C":{{"Type":"Choice","Choices":[{{"Variable":"$","NumericEquals":3,"Next":"W"}}],"Default":"Work"}},"W":{{"Type":"Wait","Seconds":1,"Next":"Work"}},{}}}}},"End":true}}"#,
        work("")
    );
    let mut world =
        Mocks { chooser: Some(RECORD), ..Mocks::none() }.and("Work", returns("1")).and("Work", throws("Busy")).and("Work", returns("1"));
    let run = attempt(&machine(&map), "[1,2,3,4,5]", &options(), &mut world).expect("an execution");
    let written: Vec<String> = lines(&run).iter().map(|line| line.split(' ').skip(1).take(2).collect::<Vec<_>>().join(" ")).collect();
    let promised = PROMISED.take();
    assert!(promised.len() > 20, "{} choices", promised.len());
    for (events, line) in promised {
        assert_eq!(written[events], line, "event {}", events + 1);
    }
}

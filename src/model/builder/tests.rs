use super::*;

/// `id <- previous Type`, one event a line.
fn links(history: &History) -> Vec<String> {
    history
        .events
        .iter()
        .map(|event| format!("{} <- {} {}", event.id, event.previous_event_id.map_or(0, |id| id.0), event.type_name()))
        .collect()
}

#[test]
fn a_retry_links_to_the_failure_and_the_first_state_to_nothing() {
    let built = history("Orders")
        .enter_task("Charge", json!({}))
        .attempt_failed("Throttled", None)
        .after(seconds(2))
        .attempt_succeeded(json!(1))
        .exit(json!(1))
        .execution_succeeded(json!(1))
        .build();
    assert_eq!(
        links(&built),
        [
            "1 <- 0 ExecutionStarted",
            "2 <- 0 TaskStateEntered",
            "3 <- 2 TaskScheduled",
            "4 <- 3 TaskStarted",
            "5 <- 4 TaskFailed",
            "6 <- 5 TaskScheduled",
            "7 <- 6 TaskStarted",
            "8 <- 7 TaskSucceeded",
            "9 <- 8 TaskStateExited",
            "10 <- 9 ExecutionSucceeded",
        ]
    );
    assert_eq!(built.header.status, Some(ExecutionStatus::Succeeded));
    let wait = built.events[5].timestamp.expect("timed").duration_since(built.events[4].timestamp.expect("timed"));
    assert_eq!(wait.as_secs(), 2);
}

/// The recording `timeouts_service_lambda_map_timeout` of LocalStack's suite has this order and these links.
#[test]
fn siblings_of_a_failed_iteration_link_to_the_failure() {
    let mut orders = history("Orders");
    orders.enter_map("Each", json!([])).map_started(2);
    let (mut first, mut second) = (orders.iteration(0), orders.iteration(1));
    first.enter_task("Call", json!({})).scheduled();
    second.enter_task("Call", json!({})).scheduled();
    first.started();
    second.started();
    first.timed_out();
    first.scope_failed();
    orders.composite_failed().execution_failed();
    assert_eq!(
        links(&orders.build()),
        [
            "1 <- 0 ExecutionStarted",
            "2 <- 0 MapStateEntered",
            "3 <- 2 MapStateStarted",
            "4 <- 3 MapIterationStarted",
            "5 <- 3 MapIterationStarted",
            "6 <- 4 TaskStateEntered",
            "7 <- 6 TaskScheduled",
            "8 <- 5 TaskStateEntered",
            "9 <- 8 TaskScheduled",
            "10 <- 7 TaskStarted",
            "11 <- 9 TaskStarted",
            "12 <- 10 TaskTimedOut",
            "13 <- 12 MapIterationFailed",
            "14 <- 12 TaskStateAborted",
            "15 <- 12 MapIterationAborted",
            "16 <- 12 TaskStateAborted",
            "17 <- 12 MapStateFailed",
            "18 <- 17 ExecutionFailed",
        ]
    );
    assert_eq!(orders.build().header.error, Some(RawText::plain("States.Timeout")));
}

#[test]
fn a_delayed_iteration_links_to_the_exit_that_freed_its_slot() {
    let mut orders = history("Orders");
    orders.enter_map("Each", json!([])).map_started(2);
    let mut first = orders.iteration(0);
    first.pass("Mark", json!(1), json!(1)).iteration_succeeded();
    let mut second = orders.iteration_after(&first, 1);
    second.pass("Mark", json!(2), json!(2)).iteration_succeeded();
    orders.composite_succeeded().exit(json!([1, 2])).execution_succeeded(json!([1, 2]));
    assert_eq!(
        links(&orders.build())[3..],
        [
            "4 <- 3 MapIterationStarted",
            "5 <- 4 PassStateEntered",
            "6 <- 5 PassStateExited",
            "7 <- 6 MapIterationSucceeded",
            "8 <- 6 MapIterationStarted",
            "9 <- 8 PassStateEntered",
            "10 <- 9 PassStateExited",
            "11 <- 10 MapIterationSucceeded",
            "12 <- 10 MapStateSucceeded",
            "13 <- 10 MapStateExited",
            "14 <- 13 ExecutionSucceeded",
        ]
    );
}

#[test]
fn branches_interleave_and_a_retried_parallel_starts_from_the_failure() {
    let mut orders = history("Orders");
    orders.enter_parallel("Both", json!({})).parallel_started();
    let (mut left, mut right) = (orders.branch(), orders.branch());
    left.enter_wait("Pause", json!({}));
    right.enter_task("Call", json!({})).attempt_failed("Broken", Some("twice")).scope_failed();
    orders.parallel_started();
    let (mut left, mut right) = (orders.branch(), orders.branch());
    right.pass("Skip", json!(2), json!(2)).branch_succeeded();
    left.pass("Skip", json!(1), json!(1)).branch_succeeded();
    orders.composite_succeeded().exit(json!([1, 2]));
    assert_eq!(
        links(&orders.build())[2..],
        [
            "3 <- 2 ParallelStateStarted",
            "4 <- 3 WaitStateEntered",
            "5 <- 3 TaskStateEntered",
            "6 <- 5 TaskScheduled",
            "7 <- 6 TaskStarted",
            "8 <- 7 TaskFailed",
            "9 <- 8 TaskStateAborted",
            "10 <- 8 WaitStateAborted",
            "11 <- 8 ParallelStateStarted",
            "12 <- 11 PassStateEntered",
            "13 <- 12 PassStateExited",
            "14 <- 11 PassStateEntered",
            "15 <- 14 PassStateExited",
            "16 <- 15 ParallelStateSucceeded",
            "17 <- 15 ParallelStateExited",
        ]
    );
    assert_eq!(orders.build().header.status, Some(ExecutionStatus::Running));
}

#[test]
fn a_failed_evaluation_links_before_its_state_and_a_catch_after_it() {
    let built = history("Orders")
        .pass("Start", json!({}), json!({}))
        .enter_pass("Compute", json!({}))
        .evaluation_failed("Output", "The JSONata expression failed.")
        .caught(json!({}))
        .build();
    assert_eq!(links(&built)[3..], ["4 <- 3 PassStateEntered", "5 <- 3 EvaluationFailed", "6 <- 5 PassStateExited"]);
    let cause = built.events[4].cause().expect("a cause").decode();
    assert!(cause.starts_with("An error occurred while executing the state 'Compute' (entered at the event id #4). "));
}

#[test]
fn a_runtime_error_in_a_branch_ends_the_execution_with_no_other_event() {
    let mut orders = history("Orders");
    orders.enter_parallel("Both", json!({})).parallel_started();
    let (mut left, mut right) = (orders.branch(), orders.branch());
    left.enter_task("Slow", json!({})).scheduled();
    right.enter_choice("Route", json!({})).runtime_error("Failed to transition out of the state.");
    assert_eq!(links(&orders.build())[5..], ["6 <- 3 ChoiceStateEntered", "7 <- 6 ExecutionFailed"]);
}

#[test]
fn stops_and_time_limits_link_to_nothing_and_a_redrive_to_the_end() {
    let mut orders = history("Orders");
    orders.enter_task("Charge", json!({})).scheduled().execution_timed_out();
    assert_eq!(orders.build().header.error, None);
    assert_eq!(orders.build().header.status, Some(ExecutionStatus::TimedOut));
    orders.redriven().attempt_succeeded(json!({})).exit(json!({})).execution_stopped(Some("Operator"), None);
    let built = orders.build();
    assert_eq!(
        links(&built)[3..],
        [
            "4 <- 0 ExecutionTimedOut",
            "5 <- 4 ExecutionRedriven",
            "6 <- 5 TaskScheduled",
            "7 <- 6 TaskStarted",
            "8 <- 7 TaskSucceeded",
            "9 <- 8 TaskStateExited",
            "10 <- 0 ExecutionAborted",
        ]
    );
    assert_eq!((built.header.status, built.header.redrive_count), (Some(ExecutionStatus::Aborted), Some(1)));
}

#[test]
fn a_map_run_stands_between_start_and_end_of_its_map() {
    let built = history("Orders")
        .enter_map("Each", json!({}))
        .map_started(0)
        .map_run_started("arn:aws:states:us-east-1:111111111111:mapRun:Orders/Each:1")
        .map_run_succeeded()
        .composite_succeeded()
        .exit(json!({}))
        .build();
    assert_eq!(links(&built)[3..], ["4 <- 3 MapRunStarted", "5 <- 4 MapRunSucceeded", "6 <- 5 MapStateSucceeded", "7 <- 5 MapStateExited"]);
}

#[test]
fn functions_and_activities_have_events_of_their_own() {
    let built = history("Orders")
        .enter_task("Function", json!({}))
        .calls_function("charge")
        .attempt_failed("Broken", None)
        .caught(json!({}))
        .enter_task("Activity", json!({}))
        .calls_activity("pick")
        .attempt_timed_out()
        .build();
    let types: Vec<&str> = built.events.iter().map(HistoryEvent::type_name).collect();
    assert_eq!(types[2..5], ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionFailed"]);
    assert_eq!(types[7..], ["ActivityScheduled", "ActivityStarted", "ActivityTimedOut"]);
}

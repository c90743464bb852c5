//! Traces held against histories: which trace is an execution's, which spans are an attempt's, what its time went into.

mod common;

use common::traces::{TRACE, call, function, in_trace, lambda, machine, phase, state, throttled, told, traces};
use serde_json::{Value, json};
use stepscope::analysis::trace::{Parts, SpanBasis, TraceBasis, TraceReport, Unjoined, evidence};
use stepscope::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use stepscope::model::{History, RawText};
use stepscope::rebuild::rebuild;

/// A task that fails after a cold start, and succeeds at the second attempt; times in the comments are seconds.
fn orders() -> HistoryBuilder {
    let mut orders = history("Orders");
    orders.pass("Validate", json!({}), json!({})).enter_task("Charge", json!({}));
    // Scheduled at 0, started at 0.02, failed at 3.02.
    orders.scheduled().after(milliseconds(20)).started().after(seconds(3));
    orders.failed("Throttled", Some(r#"{"errorType": "Throttled", "errorMessage": "slow", "requestId": "r-1"}"#));
    // Scheduled at 5.02, started at 5.04, succeeded at 5.14.
    orders.after(seconds(2)).scheduled().after(milliseconds(20)).started().after(milliseconds(100));
    orders.succeeded(json!({"SdkResponseMetadata": {"RequestId": "r-2"}})).exit(json!({})).execution_succeeded(json!({}));
    orders
}

/// Its trace, in X-Ray's shapes.
fn orders_trace(arn: Option<&str>) -> Vec<Value> {
    let first = [
        phase(1, "Initialization", (0.5, 1.5), &[]),
        phase(2, "Invocation", (1.5, 2.75), &[throttled(1, (1.75, 2.5))]),
        phase(3, "Overhead", (2.75, 2.875), &[]),
    ];
    vec![
        machine(
            "Orders",
            arn,
            (0.0, 5.14),
            &[
                state(1, "Validate", (0.0, 0.0), &[]),
                state(2, "Charge", (0.0, 5.14), &[call(1, "Lambda", "Invoke", (0.03, 3.0)), call(2, "Lambda", "Invoke", (5.05, 5.13))]),
            ],
        ),
        lambda(1, "charge", "r-1", (0.25, 2.95)),
        function(1, "charge", "r-1", (1.5, 2.9), &first),
        lambda(2, "charge", "r-2", (5.06, 5.12)),
        function(2, "charge", "r-2", (5.07, 5.11), &[phase(4, "Invocation", (5.07, 5.11), &[])]),
    ]
}

fn sum(parts: &Parts) -> f64 {
    let all = [
        parts.schedule_ms,
        parts.queue_ms,
        parts.call_ms,
        parts.service_ms,
        parts.init_ms,
        parts.handler_ms,
        parts.overhead_ms,
        parts.unaccounted_ms,
    ];
    all.iter().sum()
}

fn arn(built: &History) -> String {
    built.header.arn.as_ref().expect("the builder names it").to_string()
}

fn of_orders() -> TraceReport {
    let built = orders().build();
    told(&built, &traces(&orders_trace(Some(&arn(&built))))).expect("its trace")
}

#[test]
fn the_time_of_an_attempt_is_divided_without_a_rest() {
    let report = of_orders();
    assert_eq!((report.trace_id.as_deref(), report.basis), (Some(TRACE), TraceBasis::ExecutionArn));
    let [first, second] = &report.attempts[..] else { panic!("two attempts: {report:?}") };
    let parts = first.parts.expect("times are known");
    assert_eq!((first.duration_ms, sum(&parts)), (Some(3020.0), 3020.0));
    assert_eq!((parts.schedule_ms, parts.queue_ms, parts.call_ms), (20.0, 10.0, 220.0 + 50.0));
    assert_eq!((parts.service_ms, parts.init_ms, parts.handler_ms), (250.0 + 50.0, 1000.0, 1250.0));
    assert_eq!((parts.overhead_ms, parts.unaccounted_ms), (125.0 + 25.0, 20.0));
    let of_first = first.function.as_ref().expect("a function");
    assert_eq!((of_first.name.as_str(), of_first.cold_start, of_first.init_ms), ("charge", true, Some(1000.0)));
    assert_eq!((of_first.before_function_ms, of_first.request_id.as_deref()), (Some(500.0), Some("r-1")));
    let of_second = second.function.as_ref().expect("a function");
    assert_eq!((of_second.cold_start, of_second.init_ms, second.attempt), (false, None, 2));
    assert_eq!((second.duration_ms, sum(&second.parts.expect("times"))), (Some(120.0), 120.0));
    assert_eq!((report.untraced_attempts, report.unplaced_spans, report.orphans), (0, 0, 0));
}

#[test]
fn calls_below_the_function_are_told_with_what_they_were_answered() {
    let report = of_orders();
    let [table] = &report.attempts[0].calls[..] else { panic!("one call: {:?}", report.attempts[0].calls) };
    assert_eq!(table.what(), "DynamoDB PutItem on Orders");
    assert_eq!((table.status, table.throttle, table.from_workflow, table.duration_ms), (Some(400), true, false, Some(750.0)));
    assert_eq!((table.offset_ms, table.retries), (Some(1750.0), Some(3)));
    assert!(report.attempts[0].throttle && !report.attempts[1].throttle);
    let found = evidence(&report, report.attempts[0].visit).expect("spans of the visit");
    assert_eq!((found.attempt, found.throttle), (2, false), "the last attempt is the one that counts");
}

#[test]
fn attempts_are_told_apart_by_request_and_else_by_order() {
    let report = of_orders();
    assert!(report.attempts.iter().all(|attempt| attempt.basis == SpanBasis::RequestId));
    // Without the segments of Lambda there are no ids.
    let built = orders().build();
    let alone = traces(&orders_trace(Some(&arn(&built)))[..1]);
    let report = told(&built, &alone).expect("its trace");
    let attempts: Vec<_> = report.attempts.iter().map(|attempt| (attempt.attempt, attempt.basis, attempt.spans.len())).collect();
    assert_eq!(attempts, [(1, SpanBasis::Time, 1), (2, SpanBasis::Time, 1)]);
    let parts = report.attempts[0].parts.expect("times");
    assert_eq!((parts.call_ms, parts.handler_ms, sum(&parts)), (2970.0, 0.0, 3020.0));
}

#[test]
fn a_call_that_is_missing_does_not_move_the_others() {
    let built = orders().build();
    let mut segments = orders_trace(Some(&arn(&built)));
    segments.truncate(1);
    segments[0]["subsegments"][1]["subsegments"].as_array_mut().expect("calls").remove(0);
    let report = told(&built, &traces(&segments)).expect("its trace");
    assert_eq!((report.attempts.len(), report.attempts[0].attempt, report.untraced_attempts), (1, 2, 1));
}

#[test]
fn the_surest_basis_counts() {
    let mut built = orders().build();
    let own = arn(&built);
    // By time and name alone.
    let by_time = traces(&orders_trace(None)[..1]);
    assert_eq!(told(&built, &by_time).expect("its trace").basis, TraceBasis::TimeAndName);
    // By a request.
    assert_eq!(told(&built, &traces(&orders_trace(None))).expect("its trace").basis, TraceBasis::RequestId);
    // By what the caller gave; another trace holds the ARN as well.
    let other = "1-6955b901-0123456789abcdef01234567";
    built.header.unknown.push(("traceHeader".to_owned(), RawText::json(format!("\"Root={other};Sampled=1\""))));
    let mut both = orders_trace(Some(&own));
    both.extend(in_trace(other, &orders_trace(None)));
    let report = told(&built, &traces(&both)).expect("its trace");
    assert_eq!((report.trace_id.as_deref(), report.basis), (Some(other), TraceBasis::TraceHeader));
    assert_eq!(report.other_trace_ids, [TRACE]);
}

#[test]
fn a_service_that_answers_with_a_trace_names_it() {
    let mut orders = history("Orders");
    let answer = json!({"SdkHttpMetadata": {"AllHttpHeaders": {"X-Amzn-Trace-Id": [format!("Root={TRACE};Sampled=1")]}}});
    orders.enter_task("Charge", json!({})).attempt_succeeded(&answer).exit(json!({})).execution_succeeded(json!({}));
    let elsewhere = machine("Other", None, (100.0, 101.0), &[]);
    assert_eq!(told(&orders.build(), &traces(&[elsewhere])).expect("its trace").basis, TraceBasis::ResponseHeader);
}

#[test]
fn what_may_be_another_executions_is_not_taken() {
    let built = orders().build();
    let other = arn(&built).replace("run-1", "run-2");
    assert_eq!(told(&built, &[]), Err(Unjoined::NoTraces));
    assert_eq!(told(&built, &traces(&orders_trace(Some(&other))[..1])), Err(Unjoined::NoneFits(1)));
    let later = machine("Orders", None, (1.5, 6.0), &[]);
    assert_eq!(told(&built, &traces(&[later])), Err(Unjoined::NoneFits(1)));
    let shorter = machine("Orders", None, (0.0, 1.0), &[]);
    assert_eq!(told(&built, &traces(&[shorter])), Err(Unjoined::NoneFits(1)));
    let mut two = orders_trace(None)[..1].to_vec();
    two.extend(in_trace("1-6955b901-0123456789abcdef01234567", &two));
    assert_eq!(told(&built, &traces(&two)), Err(Unjoined::Several(2)));
}

#[test]
fn spans_in_the_words_of_opentelemetry_tell_the_same() {
    let built = orders().build();
    let nanoseconds = |at: f64| format!("{:.0}", (1_767_225_600.0 + at) * 1e6) + "000";
    let hex = TRACE.replace("1-", "").replace('-', "");
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let span = |id: &str, parent: &str, name: &str, kind: u8, (start, end): (f64, f64), attributes: Vec<Value>| {
        json!({"traceId": hex, "spanId": id, "parentSpanId": parent, "name": name, "kind": kind, "startTimeUnixNano": nanoseconds(start),
            "endTimeUnixNano": nanoseconds(end), "attributes": attributes, "status": {}})
    };
    let function = || vec![text("faas.invocation_id", "r-1"), text("cloud.platform", "aws_lambda")];
    let spans = [
        span(
            "a1",
            "",
            "Orders",
            2,
            (0.0, 5.14),
            vec![text("aws.stepfunctions.execution.arn", &arn(&built)), text("cloud.platform", "aws_step_functions")],
        ),
        span("b1", "a1", "Charge", 1, (0.0, 5.14), vec![]),
        span("c1", "b1", "Lambda.Invoke", 3, (0.03, 3.0), vec![text("rpc.service", "Lambda"), text("rpc.method", "Invoke")]),
        span("d1", "c1", "charge", 2, (1.5, 2.9), function()),
        span("d2", "d1", "lambda init", 1, (0.5, 1.5), vec![]),
        span("d3", "d1", "lambda invocation", 1, (1.5, 2.75), vec![]),
        span("c2", "b1", "Lambda.Invoke", 3, (5.05, 5.13), vec![text("rpc.service", "Lambda"), text("rpc.method", "Invoke")]),
    ];
    let export = json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": spans}]}]});
    let report = told(&built, &traces(&[export])).expect("its trace");
    assert_eq!((report.basis, report.attempts.len()), (TraceBasis::ExecutionArn, 2));
    let parts = report.attempts[0].parts.expect("times");
    assert_eq!((parts.init_ms, parts.handler_ms, sum(&parts)), (1000.0, 1250.0, 3020.0));
    assert!(report.attempts[0].function.as_ref().is_some_and(|function| function.cold_start));
}

#[test]
fn clocks_that_differ_are_cut_off_and_told() {
    let built = orders().build();
    let mut segments = orders_trace(Some(&arn(&built)));
    // The function's host is 40 ms ahead of the second attempt's end.
    segments[4] = function(2, "charge", "r-2", (5.07, 5.18), &[phase(4, "Invocation", (5.07, 5.18), &[])]);
    let report = told(&built, &traces(&segments)).expect("its trace");
    let second = &report.attempts[1];
    assert_eq!((second.duration_ms, sum(&second.parts.expect("times"))), (Some(120.0), 120.0));
    assert!((report.clock_difference_ms - 40.0).abs() < 0.001, "{}", report.clock_difference_ms);
}

#[test]
fn a_trace_that_is_cut_says_nothing_of_what_it_lacks() {
    let mut orders = history("Orders");
    for name in ["One", "Two", "Three"] {
        orders.enter_task(name, json!({})).taking(seconds(1)).attempt_succeeded(json!({})).exit(json!({}));
    }
    let built = orders.execution_succeeded(json!({})).build();
    let mut segment =
        machine("Orders", Some(&arn(&built)), (0.0, 1.5), &[state(1, "One", (0.0, 1.0), &[call(1, "SQS", "SendMessage", (0.1, 0.9))])]);
    segment["in_progress"] = json!(true);
    segment.as_object_mut().expect("an object").remove("end_time");
    let cut = json!({"Traces": [{"Id": TRACE, "LimitExceeded": true, "Segments": [{"Id": "x", "Document": segment.to_string()}]}]});
    let report = told(&built, &traces(&[cut])).expect("its trace");
    assert_eq!((report.attempts.len(), report.untraced_attempts), (1, 2));
    assert!(report.partial && report.limit_exceeded);
    let only = &report.attempts[0].calls[..];
    assert!(matches!(only, [queue] if queue.name == "SQS" && queue.from_workflow), "{only:?}");
}

#[test]
fn a_function_whose_parents_are_missing_is_told_by_its_request() {
    let built = orders().build();
    let report = told(&built, &traces(&orders_trace(None)[1..3])).expect("its trace");
    assert_eq!((report.basis, report.orphans), (TraceBasis::RequestId, 1));
    assert_eq!((report.attempts[0].attempt, report.attempts[0].parts.expect("times").init_ms), (1, 1000.0));
}

#[test]
fn iterations_that_go_alike_are_not_claimed_to_be_told_apart() {
    let mut orders = history("Orders");
    orders.enter_map("Each", json!({})).map_started(2);
    let mut iterations = [orders.iteration(0), orders.iteration(1)];
    for iteration in &mut iterations {
        iteration.enter_task("Pack", json!({})).scheduled().started();
    }
    orders.after(seconds(1));
    for iteration in &mut iterations {
        iteration.succeeded(json!({})).exit(json!({})).iteration_succeeded();
    }
    orders.composite_succeeded().exit(json!({})).execution_succeeded(json!({}));
    let built = orders.build();
    let pack = |id: u64| state(id, "Pack", (0.0, 1.0), &[call(id, "SQS", "SendMessage", (0.1, 0.9))]);
    let each = state(9, "Each", (0.0, 1.0), &[pack(1), pack(2)]);
    let report = told(&built, &traces(&[machine("Orders", Some(&arn(&built)), (0.0, 1.0), &[each])])).expect("its trace");
    let bases: Vec<SpanBasis> = report.attempts.iter().map(|attempt| attempt.basis).collect();
    assert_eq!(bases, [SpanBasis::OneOfSeveral, SpanBasis::OneOfSeveral]);
    assert_ne!(report.attempts[0].visit, report.attempts[1].visit);
}

#[test]
fn a_nested_executions_states_are_not_its_parents() {
    let built = orders().build();
    let child = arn(&built).replace("Orders", "Payments");
    let mut segments = orders_trace(Some(&arn(&built)));
    let mut nested =
        machine("Payments", Some(&child), (0.1, 2.0), &[state(7, "Charge", (0.1, 2.0), &[call(7, "SQS", "SendMessage", (0.2, 0.3))])]);
    nested["id"] = json!("bbbbbbbbbbbbbbbb");
    nested["parent_id"] = json!("c000000000000001");
    segments.push(nested);
    let report = told(&built, &traces(&segments)).expect("its trace");
    let visits: std::collections::BTreeSet<usize> = report.attempts.iter().map(|attempt| attempt.visit).collect();
    assert_eq!(visits.len(), 1, "{visits:?}");
    assert_eq!(report.attempts.len(), 2);
}

#[test]
fn a_state_that_is_called_like_its_service_is_not_mistaken_for_the_call() {
    let mut orders = history("Orders");
    orders.enter_task("DynamoDB", json!({})).taking(seconds(1)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    let built = orders.build();
    let states = [state(1, "DynamoDB", (0.0, 1.0), &[call(1, "DynamoDB", "GetItem", (0.1, 0.9))])];
    let report = told(&built, &traces(&[machine("Orders", Some(&arn(&built)), (0.0, 1.0), &states)])).expect("its trace");
    assert_eq!(report.attempts[0].calls[0].operation.as_deref(), Some("GetItem"));
}

#[test]
fn evidence_of_a_throttled_call_leads_to_advice_only_where_the_trace_is_surely_its_own() {
    let mut orders = history("Orders");
    orders.enter_task("Charge", json!({})).scheduled().started().after(seconds(1));
    orders.failed("Error", None).execution_failed();
    let built = orders.build();
    let calls = [phase(2, "Invocation", (0.2, 0.9), &[throttled(1, (0.3, 0.8))])];
    let segments = |arn: Option<&str>| {
        vec![
            machine("Orders", arn, (0.0, 1.0), &[state(1, "Charge", (0.0, 1.0), &[call(1, "Lambda", "Invoke", (0.05, 0.98))])]),
            lambda(1, "charge", "r-1", (0.1, 0.95)),
            function(1, "charge", "r-1", (0.2, 0.95), &calls),
        ]
    };
    let report = told(&built, &traces(&segments(Some(&arn(&built))))).expect("its trace");
    let found = evidence(&report, 0).expect("spans");
    assert!(found.throttle && found.exceptions[0].kind.as_deref() == Some("ProvisionedThroughputExceededException"), "{found:?}");
    let advice = found.advice().expect("certain");
    assert_eq!((advice.id, advice.retry), ("trace_throttled", "yes"));
    assert!(advice.text.starts_with("DynamoDB PutItem on Orders was throttled"), "{}", advice.text);
    let likely = told(&built, &traces(&segments(None))).expect("its trace");
    assert_eq!((likely.basis, evidence(&likely, 0).expect("spans").advice()), (TraceBasis::TimeAndName, None));
}

/// The trace that X-Ray would have made of an execution: a subsegment for each visit, one below it for each attempt of a Task. The ids of
/// calls tell which attempt they are of. Spans begin a little later than their events.
fn recorded(built: &History, is_named: bool) -> Option<Vec<Value>> {
    let path = rebuild(built, None);
    let seconds_at = |index: Option<usize>| {
        let at = built.events.get(index?)?.timestamp?.as_microsecond();
        Some(f64::from(u32::try_from(at / 1_000_000).ok()?) + f64::from(u32::try_from(at % 1_000_000).ok()?) / 1e6)
    };
    let mut segments = Vec::new();
    let arn = is_named.then(|| built.header.arn.as_ref().map(ToString::to_string)).flatten();
    let name = built.header.arn.as_ref()?.state_machine().name().to_owned();
    let (first, last) = (seconds_at(Some(0))?, seconds_at(Some(built.events.len().checked_sub(1)?))?);
    segments.push(json!({"trace_id": TRACE, "id": "machine", "name": name, "origin": "AWS::StepFunctions::StateMachine",
        "start_time": first, "end_time": last, "aws": {"execution_arn": arn}}));
    for (id, visit) in path.visits() {
        let parent = path.scope(visit.scope).parent.map_or_else(|| "machine".to_owned(), |parent| format!("visit-{}", parent.0));
        let (Some(from), Some(to), Some(state)) = (seconds_at(Some(visit.first_event)), seconds_at(Some(visit.last_event)), &visit.state)
        else {
            continue;
        };
        segments.push(json!({"trace_id": TRACE, "type": "subsegment", "id": format!("visit-{}", id.0), "parent_id": parent,
            "name": state.decode(), "start_time": from + 0.004, "end_time": to}));
        for (number, attempt) in visit.attempts.iter().enumerate().filter(|_| visit.scopes.is_empty()) {
            let (Some(from), Some(to)) = (seconds_at(attempt.scheduled), seconds_at(attempt.ended.or(Some(visit.last_event)))) else {
                continue;
            };
            segments.push(json!({"trace_id": TRACE, "type": "subsegment", "id": format!("call-{}-{number}", id.0),
                "parent_id": format!("visit-{}", id.0), "name": "Service", "namespace": "aws", "start_time": from + 0.007, "end_time": to}));
        }
    }
    Some(segments)
}

#[test]
fn every_execution_of_the_corpus_gets_its_own_spans_back() {
    let Some(corpus) = common::corpus::corpus() else { return };
    let (mut executions, mut attempts, mut unsure) = (0, 0, 0);
    for file in common::corpus::files(&corpus.join("incidents")).into_iter().step_by(3) {
        let mut found = Vec::new();
        stepscope::sources::read_path(&file, &stepscope::sources::Limits::default(), &mut |read| found.extend(read));
        // A part of them is enough, and quick.
        for built in found.into_iter().step_by(7) {
            let Some(segments) = recorded(&built, true) else { continue };
            executions += 1;
            let report = told(&built, &traces(&segments)).unwrap_or_else(|error| panic!("{}: {error:?}", file.display()));
            assert_eq!(report.basis, TraceBasis::ExecutionArn);
            let calls = segments.iter().filter(|segment| segment["id"].as_str().is_some_and(|id| id.starts_with("call-"))).count();
            assert_eq!(report.attempts.len(), calls, "{}", file.display());
            for traced in &report.attempts {
                attempts += 1;
                let ids: Vec<&str> = traced.spans.iter().map(|at| report.spans[*at].id.as_str()).collect();
                let own = ids[0].starts_with(&format!("call-{}-", traced.visit));
                unsure += usize::from(traced.basis == SpanBasis::OneOfSeveral);
                assert!(own || traced.basis == SpanBasis::OneOfSeveral, "{}: {traced:?} has {ids:?}", file.display());
                let Some((parts, length)) = traced.parts.zip(traced.duration_ms) else { continue };
                assert!((sum(&parts) - length).abs() < 0.001, "{}: {parts:?} are no {length}", file.display());
            }
        }
    }
    assert!(attempts > 1_000 && unsure * 20 < attempts, "{attempts} attempts of {executions} executions, {unsure} unsure");
}

//! Machines whose executions approach a limit, and machines that only look so.

use bumpalo::Bump;
use serde_json::json;

use super::*;
use crate::analysis::facts::{Rebuilt, extract};
use crate::analysis::finding::{Confidence, Severity};
use crate::analysis::fleet::Question;
use crate::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use crate::model::facts::WorkflowType;
use crate::model::{ExecutionFacts, ExecutionStatus, FailureFacts, History, Micros, Timestamp, VisitFacts};
use crate::rebuild::rebuild;

const ORDERS: &str = "arn:aws:states:us-east-1:111111111111:stateMachine:Orders";
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// 2026-01-01T00:00:00Z.
const FIRST: i64 = 1_767_225_600_000_000;

fn told(name: &str) -> HistoryBuilder {
    let mut told = history("Orders");
    told.named(name).pace(milliseconds(0));
    told
}

/// One that asks five times and is done: 24 events.
fn polls(name: &str, times: u64, pause: u64) -> HistoryBuilder {
    let mut told = told(name);
    for _ in 0..times {
        told.enter_task("Poll", json!({})).taking(milliseconds(100)).attempt_succeeded(json!({})).exit(json!({}));
        told.wait("Pause", json!({}), seconds(pause));
    }
    told
}

fn asked(histories: &[History]) -> RunwayQuestion {
    let mut question = RunwayQuestion::default();
    for history in histories {
        let path = rebuild(history, None);
        let arena = Bump::new();
        question.take(&extract(Rebuilt { history, path: &path, definition: None }, question.needs(), &arena));
    }
    question
}

fn finished_polls() -> Vec<History> {
    (0..20).map(|number| polls(&format!("run-{number}"), 3, 10).execution_succeeded(json!({})).build()).collect()
}

/// Facts of an execution that ended at this moment.
fn ended(name: &str, at: i64, status: ExecutionStatus) -> ExecutionFacts<'_> {
    ExecutionFacts {
        execution: name,
        state_machine: Some(ORDERS),
        workflow_type: Some(WorkflowType::Standard),
        status: Some(status),
        start: Some(Micros(at.saturating_sub(60_000_000))),
        stop: Some(Micros(at)),
        events: 20,
        ..ExecutionFacts::default()
    }
}

/// One execution a day, each made by `change`.
fn daily(days: i64, mut take: impl FnMut(i64, ExecutionFacts<'_>)) {
    for day in 0..days {
        let name = format!("{ORDERS}:run-{day:03}").replace("stateMachine", "execution");
        take(day, ended(&name, FIRST + day * DAY, ExecutionStatus::Succeeded));
    }
}

fn only(found: &Found) -> &Runway {
    assert_eq!(found.runways.len(), 1, "{:#?}", found.runways);
    &found.runways[0]
}

#[test]
fn a_polling_loop_that_nobody_ends_is_seen_long_before_its_history_is_full() {
    let mut all = finished_polls();
    let running = polls("run-on", 400, 10).build();
    let now = Micros::from(running.events.last().and_then(|event| event.timestamp).expect("a time"));
    all.push(running);
    let found = asked(&all).find(now);
    let runway = only(&found);
    assert_eq!((runway.limit, runway.evidence.basis, runway.common.severity), (Limit::Events, RunwayBasis::Running, Severity::Critical));
    // Seven events every 10.1 seconds, of which 2,801 are there.
    let running = runway.evidence.running.as_ref().expect("it runs");
    assert_eq!(running.used, 2_801);
    let rate = running.per_hour.expect("a rate");
    // The tenth that is counted may begin with a pause: one of forty.
    assert!((rate - 7.0 * 3_600.0 / 10.1).abs() < 70.0, "{rate}");
    let left = runway.reached_at.expect("a time").milliseconds_since(now) / 3_600_000.0;
    assert!((left - (25_000.0 - 2_801.0) / rate).abs() < 0.01, "{left}");
    let shape = runway.evidence.shape.as_ref().expect("a loop");
    assert_eq!((shape.growth, &shape.states[..], shape.count), (Growth::Loop, &["Poll".to_owned(), "Pause".to_owned()][..], 400));
    assert!((shape.events_each - 7.0).abs() < 0.05 && shape.count_at_limit.abs_diff(3_571) < 5, "{shape:?}");
    assert!(runway.common.summary.starts_with("run-on of Orders has 2,801 of 25,000 events"), "{}", runway.common.summary);
    assert!(runway.common.summary.contains("Poll, Pause came 400 times"), "{}", runway.common.summary);
}

#[test]
fn the_rate_is_that_of_now_and_not_the_mean_over_a_long_wait() {
    let mut late = told("run-late");
    late.wait("Tomorrow", json!({}), seconds(40 * 86_400));
    for _ in 0..400 {
        late.enter_task("Poll", json!({})).taking(seconds(10)).attempt_succeeded(json!({})).exit(json!({}));
        late.pass("Again", json!({}), json!({}));
    }
    let now = Micros::from(late.now());
    let mut all = finished_polls();
    all.push(late.build());
    let found = asked(&all).find(now);
    let rate = only(&found).evidence.running.as_ref().and_then(|running| running.per_hour).expect("a rate");
    assert!((rate - 7.0 * 360.0).abs() < 30.0, "{rate}");
}

#[test]
fn one_that_stopped_going_round_slows_down() {
    let mut all = finished_polls();
    let running = polls("run-on", 400, 10).build();
    let last = running.events.last().and_then(|event| event.timestamp).map(Micros::from).expect("a time");
    all.push(running);
    let found = asked(&all).find(Micros(last.0 + 3 * DAY));
    let runway = only(&found);
    // 280 events in three days and three quarters of an hour.
    let rate = runway.evidence.running.as_ref().and_then(|running| running.per_hour).expect("a rate");
    assert!((3.0..5.0).contains(&rate), "{rate}");
    assert_eq!(runway.common.severity, Severity::Warning);
}

#[test]
fn what_runs_like_all_others_did_is_no_finding() {
    let mut all: Vec<History> =
        (0..20).map(|number| polls(&format!("run-{number}"), 500, 10).execution_succeeded(json!({})).build()).collect();
    let running = polls("run-on", 499, 10);
    let now = Micros::from(running.now());
    all.push(running.build());
    assert!(asked(&all).find(now).runways.is_empty());
}

/// A Map over so many items, of which so many were begun.
fn map(name: &str, items: u64, begun: u64) -> HistoryBuilder {
    let mut told = told(name);
    told.enter_map("Items", json!([])).map_started(items);
    for index in 0..begun {
        let mut iteration = told.iteration(index);
        iteration.enter_task("Send", json!({})).taking(seconds(1)).attempt_succeeded(json!({})).exit(json!({}));
        iteration.iteration_succeeded();
    }
    told
}

#[test]
fn a_map_with_more_items_than_there_is_room_for_is_certain_to_fail() {
    let running = map("run-large", 4_000, 500);
    let now = Micros::from(running.now());
    let found = asked(&[running.build()]).find(now);
    let runway = only(&found);
    assert_eq!((runway.common.severity, runway.common.confidence), (Severity::Critical, Confidence::Certain));
    let shape = runway.evidence.shape.as_ref().expect("a Map");
    assert_eq!((shape.growth, &shape.states[0][..], shape.count, shape.items), (Growth::Map, "Items", 500, Some(4_000)));
    // Two of the iteration, two of the state, three of its task.
    assert!((shape.events_each - 7.0).abs() < 0.05, "{shape:?}");
    assert!(shape.count_at_limit.abs_diff(3_571) <= 2, "{shape:?}");
    assert!(runway.evidence.running.as_ref().and_then(|running| running.events_at_end).expect("a number").abs_diff(28_003) < 50);
}

#[test]
fn a_map_with_room_for_all_of_its_items_is_no_finding() {
    let running = map("run-large", 3_000, 2_500);
    let now = Micros::from(running.now());
    assert!(asked(&[running.build()]).find(now).runways.is_empty());
}

#[test]
fn histories_that_grow_day_by_day_are_full_on_a_day_that_is_named() {
    let mut question = RunwayQuestion::default();
    daily(30, |day, facts| question.take(&ExecutionFacts { events: 10_000 + 400 * day.unsigned_abs(), ..facts }));
    let found = question.find(Micros(FIRST + 29 * DAY));
    let runway = only(&found);
    assert_eq!((runway.evidence.basis, runway.common.severity), (RunwayBasis::Trend, Severity::Warning));
    assert_eq!(runway.common.confidence, Confidence::Strong);
    let trend = runway.evidence.trend.as_ref().expect("a trend");
    assert!((trend.slope_per_day - 400.0).abs() < 1e-6, "{trend:?}");
    // 3,400 more events are 8.5 days after the end of the last day.
    assert_eq!(trend.reached_at, Some(Micros(FIRST + 30 * DAY + 17 * DAY / 2)));
    assert!(runway.common.summary.contains("2026-02-08 12:00 UTC"), "{}", runway.common.summary);
    assert_eq!(runway.executions[0], "arn:aws:states:us-east-1:111111111111:execution:Orders:run-029");
    assert_eq!(runway.reached_at, None, "none of them runs");
}

#[test]
fn a_long_history_that_stays_as_it_is_is_only_worth_knowing_near_the_limit() {
    let of_events = |events: u64| {
        let mut question = RunwayQuestion::default();
        daily(30, |_, facts| question.take(&ExecutionFacts { events, ..facts }));
        question.find(Micros(FIRST + 29 * DAY))
    };
    assert!(of_events(19_000).runways.is_empty());
    let found = of_events(20_500);
    assert_eq!((only(&found).common.severity, only(&found).evidence.basis), (Severity::Notice, RunwayBasis::Level));
}

#[test]
fn too_few_days_are_counted_and_not_judged() {
    let mut question = RunwayQuestion::default();
    daily(6, |day, facts| question.take(&ExecutionFacts { events: 15_000 + 500 * day.unsigned_abs(), ..facts }));
    let found = question.find(Micros(FIRST + 6 * DAY));
    assert!(found.runways.is_empty());
    let lack = &found.not_enough[0];
    assert_eq!((lack.question, lack.has, lack.needs), ("runway", 6, 10));
}

#[test]
fn a_full_history_is_critical_while_it_is_new() {
    let failed = |at: i64, now: i64| {
        let mut question = RunwayQuestion::default();
        let failure = FailureFacts { kind: "limit", root_error: Some("States.Runtime"), ..FailureFacts::default() };
        let facts = ended("run-full", at, ExecutionStatus::Failed);
        question.take(&ExecutionFacts { events: 25_000, failure: Some(failure), ..facts });
        question.find(Micros(now))
    };
    let found = failed(FIRST, FIRST + HOUR);
    let runway = only(&found);
    assert_eq!((runway.evidence.reached, runway.evidence.basis, runway.common.severity), (1, RunwayBasis::Reached, Severity::Critical));
    assert!(runway.common.summary.starts_with("1 execution of Orders failed with a full history"), "{}", runway.common.summary);
    assert_eq!(only(&failed(FIRST, FIRST + 3 * DAY)).common.severity, Severity::Warning);
}

const LIMITED: &str = r#"{"StartAt":"Approve","TimeoutSeconds":86400,"States":{}}"#;

#[test]
fn one_that_has_used_up_most_of_its_time_ends_at_its_own_limit() {
    let mut question = RunwayQuestion::default();
    let facts = ended("run-1", FIRST, ExecutionStatus::Running);
    question.take(&ExecutionFacts { stop: None, start: Some(Micros(FIRST)), definition: Some(LIMITED), ..facts.clone() });
    question.take(&ExecutionFacts {
        execution: "run-2",
        stop: None,
        start: Some(Micros(FIRST + 9 * HOUR)),
        definition: Some(LIMITED),
        ..facts
    });
    let found = question.find(Micros(FIRST + 20 * HOUR));
    let runway = only(&found);
    assert_eq!((runway.limit, runway.evidence.limit, runway.evidence.limit_source), (Limit::Duration, 86_400_000, LimitSource::Definition));
    assert_eq!((runway.reached_at, runway.evidence.within_reach), (Some(Micros(FIRST + DAY)), 1));
    assert_eq!(runway.executions, ["run-1"]);
    assert_eq!(runway.common.summary, "run-1 of Orders has run for 20h of 24h: TimeoutSeconds ends it at 2026-01-02 00:00 UTC");
}

#[test]
fn executions_that_hang_are_not_the_limits_fault() {
    let of_success = |lasted: i64| {
        let mut question = RunwayQuestion::default();
        let definition = Some(LIMITED);
        let ended = |name, status, lasted: i64| {
            let facts = ended(name, FIRST + DAY, status);
            ExecutionFacts { start: Some(Micros(FIRST + DAY - lasted)), definition, ..facts }
        };
        question.take(&ended("run-1", ExecutionStatus::TimedOut, DAY));
        question.take(&ended("run-2", ExecutionStatus::Succeeded, lasted));
        question.find(Micros(FIRST + DAY))
    };
    assert!(of_success(HOUR).runways.is_empty(), "others need an hour: something hung");
    let found = of_success(18 * HOUR);
    assert_eq!((only(&found).evidence.basis, only(&found).executions[0].as_str()), (RunwayBasis::Reached, "run-1"));
}

#[test]
fn express_executions_have_five_minutes_and_no_history() {
    let mut question = RunwayQuestion::default();
    let facts = ended("run-1", FIRST, ExecutionStatus::Succeeded);
    let start = Some(Micros(FIRST - 280_000_000));
    question.take(&ExecutionFacts { workflow_type: Some(WorkflowType::Express), start, events: 24_999, ..facts });
    let found = question.find(Micros(FIRST));
    let runway = only(&found);
    assert_eq!((runway.limit, runway.evidence.limit, runway.evidence.most), (Limit::Duration, 300_000, 280_000));
    assert_eq!(runway.common.summary, "the longest successful execution of Orders took 4min 40s of 5min (93 %)");
}

#[test]
fn payloads_are_told_by_state_with_what_was_too_large() {
    let mut question = RunwayQuestion::default();
    daily(20, |day, facts| {
        let visit = |state, bytes, exited: i64| VisitFacts {
            state,
            payload_bytes: Some(bytes),
            exited: Some(Micros(exited)),
            ..VisitFacts::default()
        };
        let at = facts.stop.map_or(0, |stop| stop.0);
        let grown = 60_000 + 8_000 * day.unsigned_abs();
        let visits = [visit("Collect", grown, at), visit("Small", 900, at), visit("Steady", 140_000, at)];
        question.take(&ExecutionFacts { visits: &visits, ..facts });
    });
    let failed = VisitFacts { state: "Export", error: Some("States.DataLimitExceeded"), payload_bytes: Some(200), ..VisitFacts::default() };
    question.take(&ExecutionFacts { visits: &[failed, failed], ..ended("run-x", FIRST + 20 * DAY, ExecutionStatus::Failed) });
    let found = question.find(Micros(FIRST + 20 * DAY));
    let said: Vec<_> =
        found.runways.iter().map(|runway| (runway.state.as_deref(), runway.evidence.basis, runway.evidence.reached)).collect();
    assert_eq!(said, [(Some("Collect"), RunwayBasis::Trend, 0), (Some("Export"), RunwayBasis::Reached, 1)]);
    assert_eq!(found.runways[0].evidence.most, 212_000);
    let summary = &found.runways[1].common.summary;
    assert!(summary.starts_with("in 1 execution of Orders a payload of Export was larger than 262,144 bytes"), "{summary}");
}

#[test]
fn sizes_that_were_not_kept_are_not_taken_for_small_ones() {
    let mut question = RunwayQuestion::default();
    question.take(&ExecutionFacts { visits: &[VisitFacts::default()], ..ended("run-1", FIRST, ExecutionStatus::Succeeded) });
    let found = question.find(Micros(FIRST));
    assert_eq!((found.not_enough.len(), found.not_enough[0].has, found.not_enough[0].of), (1, 0, "executions with payload sizes"));
}

#[test]
fn sizes_are_of_the_text_without_the_escapes_of_its_file() {
    let text = json!({"note": "é \"quoted\" \\ ".repeat(2_000)});
    let mut told = told("run-1");
    told.enter_task("Collect", json!({})).attempt_succeeded(text.clone()).exit(json!({})).execution_succeeded(json!({}));
    let built = told.build();
    let path = rebuild(&built, None);
    let arena = Bump::new();
    let facts = extract(Rebuilt { history: &built, path: &path, definition: None }, RunwayQuestion::default().needs(), &arena);
    assert_eq!(facts.visits[0].payload_bytes, Some(text.to_string().len() as u64));
}

#[test]
fn the_answer_is_the_same_in_any_order_and_on_any_number_of_threads() {
    let mut all = finished_polls();
    all.extend((0..30).map(|number| polls(&format!("on-{number}"), 380 + number % 3, 10).build()));
    let now = Micros::from(Timestamp::from_microsecond(FIRST + DAY).expect("a moment"));
    let said = |found: Found| found.runways.iter().map(|runway| serde_json::to_string(runway).expect("JSON")).collect::<Vec<_>>();
    let alone = said(asked(&all).find(now));
    assert_eq!(alone.len(), 1);
    let mut one = asked(&all[25..]);
    let mut other = asked(&all[10..25]);
    other.merge(asked(&all[..10]));
    one.merge(other);
    assert_eq!(alone, said(one.find(now)));
    all.reverse();
    assert_eq!(alone, said(asked(&all).find(now)));
}

#[test]
fn nothing_that_times_and_counts_may_be_makes_it_panic() {
    for at in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX] {
        for now in [i64::MIN, 0, i64::MAX] {
            let mut question = RunwayQuestion::default();
            let visit = VisitFacts { payload_bytes: Some(u64::MAX), exited: Some(Micros(at)), visit: u32::MAX, ..VisitFacts::default() };
            for status in ExecutionStatus::ALL {
                let facts = ended("", at, status);
                let definition = Some(r#"{"TimeoutSeconds":18446744073709551615}"#);
                question.take(&ExecutionFacts { events: u64::MAX, visits: &[visit, visit], definition, ..facts.clone() });
                question.take(&ExecutionFacts { start: None, stop: None, state_machine: None, definition: Some("["), ..facts.clone() });
                question.take(&ExecutionFacts { start: Some(Micros(i64::MIN)), stop: Some(Micros(i64::MAX)), ..facts });
            }
            let _ = question.find(Micros(now));
        }
    }
    assert!(RunwayQuestion::default().find(Micros(0)).runways.is_empty());
}

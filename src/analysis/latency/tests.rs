//! Small fleets, and what is said of them.

use bumpalo::Bump;
use serde_json::json;

use super::*;
use crate::analysis::facts::{Rebuilt, extract};
use crate::analysis::fleet::{Coverage, Question};
use crate::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use crate::model::{History, Timestamp};
use crate::rebuild::rebuild;

const ORDERS: &str = "arn:aws:states:us-east-1:111111111111:stateMachine:Orders";

/// An execution that starts so many seconds after midnight.
fn at(second: i64) -> HistoryBuilder {
    let mut story = history("Orders");
    story.named(&format!("run-{second}")).clock_at(Timestamp::from_second(1_767_225_600 + second).expect("a moment"));
    story
}

/// An execution of one Task that takes so long.
fn charge(second: i64, time: u64) -> History {
    let mut story = at(second);
    story.enter_task("Charge", json!({})).taking(milliseconds(time)).attempt_succeeded(json!({})).exit(json!({}));
    story.execution_succeeded(json!({})).build()
}

/// One that succeeds at its second attempt.
fn retried(second: i64) -> History {
    let mut story = at(second);
    story.enter_task("Charge", json!({})).taking(milliseconds(100)).attempt_failed("Busy", None).after(seconds(2));
    story.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({})).build()
}

fn failed(second: i64) -> History {
    at(second).enter_task("Charge", json!({})).taking(milliseconds(5)).attempt_failed("Gone", None).execution_failed().build()
}

fn looked_at(histories: &[History], options: &LatencyOptions) -> (LatencyQuestion, Coverage) {
    let mut question = LatencyQuestion::new(options);
    let mut coverage = Coverage::default();
    for history in histories {
        let path = rebuild(history, None);
        let arena = Bump::new();
        let facts = extract(Rebuilt { history, path: &path, definition: None }, question.needs(), &arena);
        let inside = |start: Micros| options.since.is_none_or(|since| start >= since) && options.until.is_none_or(|until| start < until);
        if facts.start.is_none_or(inside) {
            coverage.count(&facts);
            question.take(&facts);
        } else if question.looks_aside() {
            question.take_aside(&facts);
        }
    }
    (question, coverage)
}

fn report(histories: &[History], options: &LatencyOptions) -> LatencyReport {
    let (question, coverage) = looked_at(histories, options);
    question.report(coverage)
}

fn midnight_and(second: i64) -> Micros {
    Micros((1_767_225_600 + second) * 1_000_000)
}

#[test]
fn quantiles_lie_between_the_closest_ranks() {
    let histories: Vec<History> = (1_i64..).zip([10, 20, 30, 40]).map(|(second, time)| charge(second, time)).collect();
    let report = report(&histories, &LatencyOptions::default());
    let [charge] = report.states.as_slice() else { panic!("one state") };
    assert_eq!((charge.state_machine.as_deref(), charge.state.as_str(), charge.state_type), (Some(ORDERS), "Charge", Some("Task")));
    assert_eq!([charge.p50_ms, charge.p90_ms, charge.p99_ms, charge.max_ms], [Some(25.0), Some(37.0), Some(39.7), Some(40.0)]);
    assert_eq!((charge.visits, charge.mean_ms, charge.total_ms, charge.rest_ms), (4, Some(25.0), 100.0, 0.0));
    assert_eq!((charge.critical_ms, charge.critical_share), (100.0, Some(1.0)));
    let [machine] = report.machines.as_slice() else { panic!("one machine") };
    assert_eq!((machine.executions, machine.p50_ms, machine.lasted_ms), (4, Some(25.0), 100.0));
}

#[test]
fn what_was_not_exited_is_counted_and_in_no_percentile() {
    let open = at(3).enter_task("Charge", json!({})).scheduled().build();
    let report = report(&[charge(1, 10), failed(2), open], &LatencyOptions::default());
    let charge = &report.states[0];
    assert_eq!((charge.visits, charge.unfinished, charge.failed, charge.aborted, charge.open), (3, 2, 1, 0, 1));
    assert_eq!((charge.p50_ms, charge.max_ms, charge.failed_attempts), (Some(10.0), Some(10.0), 1));
    let machine = &report.machines[0];
    assert_eq!((machine.executions, machine.unfinished, machine.unsuccessful, machine.max_ms), (3, 1, 1, Some(10.0)));
}

#[test]
fn the_parts_add_up_to_the_whole() {
    let report = report(&[retried(1), charge(10, 300)], &LatencyOptions::default());
    let charge = &report.states[0];
    let (run, retry_wait) = (charge.run.as_ref().expect("it ran"), charge.retry_wait.as_ref().expect("it was tried again"));
    assert_eq!((run.visits, run.total_ms, run.share), (2, 500.0, Some(0.2)));
    assert_eq!((retry_wait.visits, retry_wait.p50_ms, retry_wait.share), (1, Some(2000.0), Some(0.8)));
    assert_eq!((charge.retries, charge.rest_ms, charge.callback.is_none()), (1, 0.0, true));
}

#[test]
fn an_hour_has_rows_of_its_own() {
    let histories = [charge(10, 10), charge(20, 30), charge(3700, 100)];
    let report = report(&histories, &LatencyOptions { by: Some(By::Hour), ..LatencyOptions::default() });
    let rows: Vec<_> = report.states.iter().map(|row| (row.hour, row.visits, row.p50_ms)).collect();
    assert_eq!(rows, [(Some(midnight_and(0)), 2, Some(20.0)), (Some(midnight_and(3600)), 1, Some(100.0))]);
    assert_eq!(report.machines.len(), 2);
    assert!(report.states.iter().all(|row| row.change.is_none() && row.critical_share.is_none()));
}

#[test]
fn versions_are_sorted_as_numbers() {
    let of = |second: i64, version: &str| {
        let mut story = at(second);
        story.version(version).enter_task("Charge", json!({})).attempt_succeeded(json!({})).exit(json!({}));
        story.execution_succeeded(json!({})).build()
    };
    let histories = [of(1, "10"), of(2, "9"), charge(3, 10)];
    let report = report(&histories, &LatencyOptions { by: Some(By::Version), ..LatencyOptions::default() });
    let versions: Vec<_> = report.states.iter().map(|row| row.version.as_deref()).collect();
    assert_eq!(versions, [Some("9"), Some("10"), None]);
}

#[test]
fn the_later_half_is_compared_with_the_earlier() {
    let histories: Vec<History> =
        (0..80).map(|second| charge(second, if second < 40 { 100 } else { 250 } + u64::try_from(second % 7).expect("small"))).collect();
    let report = report(&histories, &LatencyOptions::default());
    assert_eq!(report.compared, Some(Compared::Halves));
    let change = report.states[0].change.as_ref().expect("compared");
    assert_eq!((change.verdict, change.before.count, change.after.count), (Verdict::Slower, 40, 40));
    assert_eq!(report.machines[0].change.as_ref().map(|change| change.verdict), Some(Verdict::Slower));
}

#[test]
fn a_window_is_compared_with_as_long_a_time_before_it() {
    let histories: Vec<History> = (0..120).map(|second| charge(second, if second < 80 { 100 } else { 10 })).collect();
    let options = LatencyOptions { since: Some(midnight_and(80)), until: Some(midnight_and(120)), ..LatencyOptions::default() };
    let in_window = report(&histories, &options);
    let change = in_window.states[0].change.as_ref().expect("compared");
    assert_eq!((in_window.compared, change.verdict), (Some(Compared::WindowBefore), Verdict::Faster));
    assert_eq!((change.before.count, change.after.count), (40, 40));
    assert_eq!((change.before.from, change.before.to), (Some(midnight_and(40)), Some(midnight_and(80))));
    assert_eq!((in_window.states[0].visits, in_window.states[0].max_ms), (40, Some(10.0)));
    // Where nobody says when the window ends, it is the last event.
    let open = report(&histories, &LatencyOptions { until: None, ..options });
    assert_eq!(open.states[0].change.as_ref().map(|change| change.before.count), Some(39));
}

#[test]
fn the_order_of_executions_changes_nothing() {
    let mut histories: Vec<History> = (0..30).map(|second| charge(second, 10 + u64::try_from(second * 7 % 13).expect("small"))).collect();
    histories.extend([retried(31), failed(32)]);
    let options = LatencyOptions { picture: true, ..LatencyOptions::default() };
    let forward = report(&histories, &options);
    histories.reverse();
    assert_eq!(forward, report(&histories, &options));
    let (mut one, mut coverage) = looked_at(&histories[..9], &options);
    let (other, more) = looked_at(&histories[9..], &options);
    one.merge(other);
    coverage.merge(&more);
    assert_eq!(forward, one.report(coverage));
}

#[test]
fn states_are_chosen_sorted_and_limited() {
    let mut story = at(1);
    for (name, time) in [("Fast", 1), ("Slow", 500), ("Middle", 50)] {
        story.enter_task(name, json!({})).taking(milliseconds(time)).attempt_succeeded(json!({})).exit(json!({}));
    }
    let histories = [story.execution_succeeded(json!({})).build()];
    let names = |options: &LatencyOptions| {
        let report = report(&histories, options);
        (report.states.iter().map(|row| row.state.clone()).collect::<Vec<_>>(), report.states_left_out)
    };
    let plain = LatencyOptions::default();
    assert_eq!(names(&plain).0, ["Slow", "Middle", "Fast"]);
    assert_eq!(names(&LatencyOptions { sort: Sort::Name, ..plain.clone() }).0, ["Fast", "Middle", "Slow"]);
    assert_eq!(names(&LatencyOptions { limit: Some(2), ..plain.clone() }), (vec!["Slow".to_owned(), "Middle".to_owned()], 1));
    assert_eq!(names(&LatencyOptions { states: vec!["S*".to_owned(), "Fast".to_owned()], ..plain }).0, ["Slow", "Fast"]);
}

#[test]
fn a_picture_shows_what_got_slower() {
    let histories: Vec<History> = (0..80).map(|second| charge(second * 60, if second < 40 { 100 } else { 250 })).collect();
    let report = report(&histories, &LatencyOptions { picture: true, ..LatencyOptions::default() });
    let picture = report.picture.expect("a picture");
    assert_eq!((picture.subject.state.as_str(), picture.states.len()), ("Charge", 1));
    assert_eq!(picture.histogram.iter().map(|bin| bin.visits).sum::<u64>(), 80);
    assert_eq!(picture.over_time.iter().map(|slot| slot.visits).sum::<u64>(), 80);
    assert!(picture.changed_at.is_some() && picture.slot_ms >= 60_000.0);
}

#[test]
fn nothing_to_look_at_is_an_empty_report() {
    let nothing = report(&[], &LatencyOptions { picture: true, ..LatencyOptions::default() });
    assert!(nothing.states.is_empty() && nothing.machines.is_empty() && nothing.picture.is_none() && nothing.compared.is_none());
    // Without times there are visits, and no durations.
    let mut timeless = charge(1, 10);
    timeless.header.start = None;
    timeless.header.stop = None;
    timeless.events.iter_mut().for_each(|event| event.timestamp = None);
    let report = report(&[timeless], &LatencyOptions { picture: true, ..LatencyOptions::default() });
    assert_eq!((report.states[0].visits, report.states[0].untimed, report.states[0].p50_ms), (1, 1, None));
    assert!(report.picture.is_none());
}

//! Fleets of which is known what changed, and what is said of them.

use super::report::{ChangePoint, Shape, Signal};
use super::simulated::{Fleet, HOUR, State, at};
use super::*;
use crate::analysis::finding::{Confidence, Severity};
use crate::analysis::fleet::Question;
use crate::model::ExecutionFacts;

const END: f64 = f64::INFINITY;

fn found(fleet: &Fleet) -> Vec<ChangePoint> {
    let (observed, now) = fleet.observed(|_| true);
    find(&observed, now).changes
}

/// A machine of four states, one of them in a Map, none of which changes.
fn quiet(seed: u64, executions: u64, hours: f64) -> Fleet {
    let map = State { items: 3, spread: 0.5, ..State::new("Resize", 800.0) };
    let noisy = State { errors: 0.04, ..State::new("Call", 300.0) };
    let states = vec![State::new("Check", 90.0), noisy, map, State { follows_load: 0.3, ..State::new("Store", 60.0) }];
    Fleet { hours, executions, states, ..Fleet::new(seed) }
}

fn minutes_off(change: &ChangePoint, truth: f64) -> f64 {
    (change.at.milliseconds_since(at(truth)) / 60_000.0).abs()
}

/// Of so many fleets with a change, in how many it is told of within a time, and how many other changes are.
fn measure(fleets: u64, within: f64, truth: f64, signal: &[Signal], make: impl Fn(u64) -> Fleet) -> (u64, u64) {
    let (mut right, mut wrong) = (0, 0);
    for seed in 0..fleets {
        let changes = found(&make(seed));
        let is_right = |change: &&ChangePoint| signal.contains(&change.signal) && minutes_off(change, truth) <= within;
        let is_found = changes.iter().any(|change| is_right(&change));
        right += u64::from(is_found);
        wrong += changes.len() as u64 - u64::from(is_found);
    }
    (right, wrong)
}

#[test]
fn nothing_is_said_of_200_fleets_in_which_nothing_changes() {
    let mut told = Vec::new();
    for seed in 0..200 {
        let fleet = match seed % 4 {
            0 => quiet(seed, 60, 4.0),
            1 => quiet(seed, 150, 12.0),
            2 => Fleet { waves: (0.8, 3.0 * HOUR), ..quiet(seed, 300, 12.0) },
            _ => quiet(seed, 600, 48.0),
        };
        told.extend(found(&fleet).into_iter().map(|change| format!("{seed}: {}", change.common.summary)));
    }
    assert!(told.is_empty(), "{told:#?}");
}

/// What a slower state is found by, for several sizes; run with `--nocapture` to see the numbers.
#[test]
fn slower_states_are_found_by_their_size() {
    let truth = 7.0 * HOUR;
    let slower = |times: f64, executions: u64, waves: f64, follows: f64| {
        move |seed: u64| {
            let mut fleet = quiet(seed, executions, 12.0);
            fleet.waves = (waves, 4.0 * HOUR);
            fleet.states[0].steps = vec![(truth, END, times)];
            fleet.states[0].follows_load = follows;
            fleet
        }
    };
    for (times, executions, waves, follows, least) in
        [(2.5, 80, 0.5, 0.0, 28), (1.6, 150, 0.5, 0.0, 27), (1.3, 500, 0.5, 0.0, 27), (1.3, 500, 0.7, 0.3, 25), (1.6, 40, 0.5, 0.0, 0)]
    {
        let (right, wrong) = measure(30, 45.0, truth, &[Signal::Latency], slower(times, executions, waves, follows));
        assert!(right >= least && wrong <= 2, "{times} {executions}: {right} right, {wrong} wrong");
    }
}

#[test]
fn outages_hangs_and_new_errors_are_found() {
    let truth = 7.0 * HOUR;
    let errors = [Signal::ErrorRate, Signal::NewError];
    let failing = |to: f64, share: f64, error: &'static str, every: u64, executions: u64| {
        move |seed: u64| {
            let mut fleet = Fleet { waves: (0.5, 5.0 * HOUR), ..quiet(seed, executions, 12.0) };
            fleet.states[1].failing = vec![(truth, to, share, error, every)];
            fleet
        }
    };
    let hang = |seed: u64| {
        let mut fleet = Fleet { waves: (0.5, 5.0 * HOUR), ..quiet(seed, 300, 12.0) };
        fleet.states[2].hangs = vec![(truth, truth + 0.4 * HOUR)];
        fleet
    };
    let outage = measure(30, 25.0, truth, &errors, failing(truth + 0.5 * HOUR, 0.9, "Unavailable", 1, 300));
    let new = measure(30, 45.0, truth, &errors, failing(END, 0.3, "KeyError", 1, 200));
    let seldom = measure(30, 45.0, truth, &errors, failing(END, 0.08, "KeyError", 1, 600));
    let hang = measure(30, 25.0, truth, &errors, hang);
    let told = format!("outage {outage:?}, new error {new:?}, seldom {seldom:?}, hang {hang:?} (found of 30, others)");
    assert!(outage.0 >= 29 && new.0 >= 29 && seldom.0 >= 27 && hang.0 >= 28, "{told}");
    assert!(outage.1 + new.1 + seldom.1 + hang.1 <= 3);
}

fn step() -> Fleet {
    let mut fleet = quiet(5, 400, 12.0);
    fleet.states[0].steps = vec![(7.0 * HOUR, END, 2.0)];
    fleet
}

#[test]
fn a_slower_state_is_told_with_what_can_be_checked() {
    let changes = found(&step());
    assert_eq!(changes.len(), 1, "{changes:?}");
    let change = &changes[0];
    assert_eq!((change.signal, change.state.as_str(), change.shape), (Signal::Latency, "Check", Shape::Step));
    assert_eq!(change.common.confidence, Confidence::Strong);
    let sides = change.evidence.latency.expect("durations");
    assert_eq!(sides.before.attempts + sides.after.attempts, 400 - failed_for_good(&step()));
    let [low, high] = change.evidence.ratio_interval[..] else { panic!("an interval") };
    assert!(low < 2.0 && 2.0 < high && high < 2.6, "{low} {high}");
    assert!(change.common.summary.starts_with("Check of Orders takes "), "{}", change.common.summary);
    assert!(!change.common.steps.is_empty());
}

fn failed_for_good(fleet: &Fleet) -> u64 {
    let (observed, _) = fleet.observed(|_| true);
    let class = observed.class(Some("arn:aws:states:eu-central-1:123456789012:stateMachine:Orders"), "Check").expect("a state");
    let succeeded = class.attempts.iter().filter(|attempt| !attempt.has_failed()).count();
    400 - succeeded as u64
}

#[test]
fn half_of_the_executions_or_clean_days_more_change_no_verdict() {
    let fleet = step();
    let (half, now) = fleet.observed(|number| number % 2 == 0);
    let kept = find(&half, now).changes;
    assert_eq!(kept.len(), 1, "{kept:?}");
    let whole = found(&fleet);
    assert!((kept[0].at.milliseconds_since(whole[0].at) / 60_000.0).abs() < 30.0);
    // The same step with as long a time of nothing before it, or after it all was well again.
    let longer = |from: f64, to: f64| {
        let mut fleet = quiet(5, 800, 24.0);
        fleet.states[0].steps = vec![(from, to, 2.0)];
        found(&fleet)
    };
    let later = longer(19.0 * HOUR, END);
    assert_eq!((later.len(), later[0].until), (1, None));
    let over = longer(7.0 * HOUR, 12.0 * HOUR);
    assert_eq!(over.len(), 1);
    assert!(minutes_off(&over[0], 7.0 * HOUR) < 30.0 && over[0].until.is_some() && over[0].shape == Shape::Episode);
    assert_eq!(over[0].common.severity, Severity::Notice, "twelve hours ago");
}

#[test]
fn few_new_errors_are_told_only_where_the_input_makes_sure() {
    // The error comes for every tenth execution, and always for it.
    let mut fleet = quiet(8, 200, 12.0);
    fleet.states[1].failing = vec![(9.0 * HOUR, END, 1.0, "KeyError", 10)];
    let (observed, now) = fleet.observed(|_| true);
    let explained = |value: &dyn Fn(u64) -> &'static str| {
        let mut found = find(&observed, now);
        let mut attributes = found.attributes().expect("something to explain");
        for execution in &observed.executions {
            let arn = observed.text(execution.arn);
            let number: u64 = arn.rsplit(':').next().and_then(|name| name.parse().ok()).expect("a number");
            let input = format!(r#"{{"order":{{"id":"o-{number}","currency":"{}"}}}}"#, value(number));
            attributes.take(&ExecutionFacts { execution: arn, input: Some(&input), ..ExecutionFacts::default() });
        }
        found.explain(attributes);
        found.changes
    };
    assert_eq!(find(&observed, now).changes.len(), 0, "four or five alone are too few");
    let told = explained(&|number| if number % 10 == 0 { "JPY" } else { "EUR" });
    assert_eq!(told.len(), 1);
    let attribute = told[0].attribute.clone().expect("an attribute");
    assert_eq!((attribute.name.as_str(), attribute.value.as_str()), ("order.currency", Some("JPY")));
    assert!(told[0].common.summary.contains("order.currency = JPY"), "{}", told[0].common.summary);
    assert_eq!(explained(&|number| if number % 3 == 0 { "JPY" } else { "EUR" }).len(), 0, "nothing goes with it");
}

/// As many before as after, most of them well: by its time alone the error may have been there before.
#[test]
fn an_error_that_time_does_not_tell_to_be_new_is_told_where_its_value_does() {
    let mut fleet = quiet(11, 160, 12.0);
    fleet.states[1].failing = vec![(5.0 * HOUR, END, 1.0, "KeyError", 12)];
    let (observed, now) = fleet.observed(|_| true);
    let mut found = find(&observed, now);
    assert_eq!(found.changes.len(), 0, "{:?}", found.changes);
    let mut attributes = found.attributes().expect("something to explain");
    for execution in &observed.executions {
        let arn = observed.text(execution.arn);
        let number: u64 = arn.rsplit(':').next().and_then(|name| name.parse().ok()).expect("a number");
        let input = format!(r#"{{"currency":"{}"}}"#, if number.is_multiple_of(12) { "SEK" } else { "EUR" });
        attributes.take(&ExecutionFacts { execution: arn, input: Some(&input), ..ExecutionFacts::default() });
    }
    found.explain(attributes);
    assert_eq!(found.changes.iter().map(|change| change.signal).collect::<Vec<_>>(), [Signal::NewError]);
    assert!(found.changes[0].common.summary.contains("a new error, KeyError"), "{}", found.changes[0].common.summary);
}

#[test]
fn what_ended_inside_a_new_error_that_lasts_is_a_part_of_it() {
    let mut fleet = quiet(3, 300, 12.0);
    fleet.states[1].failing = vec![(7.0 * HOUR, 7.5 * HOUR, 0.9, "Unavailable", 1)];
    let changes = found(&fleet);
    let outage = changes.iter().find(|change| change.until.is_some()).expect("an outage");
    let lasting = |at: i64| ChangePoint { at: Micros(at), until: None, signal: Signal::NewError, ..outage.clone() };
    assert!(is_part(outage, &lasting(outage.at.0 - 1)));
    assert!(!is_part(outage, &lasting(outage.at.0 + 1)), "it began before");
    assert!(!is_part(outage, &ChangePoint { state: "Other".to_owned(), ..lasting(outage.at.0 - 1) }));
    assert!(!is_part(&lasting(outage.at.0), &lasting(outage.at.0 - 1)), "it lasts");
}

#[test]
fn states_that_are_hardly_used_are_not_listed_and_few_that_are_have_what_it_takes() {
    let (observed, now) = quiet(1, 30, 4.0).observed(|_| true);
    let open = find(&observed, now).not_enough;
    assert!(!open.is_empty() && open.iter().all(|open| open.needs == 40 && open.has < 40), "{open:?}");
    let (observed, now) = quiet(1, 3, 4.0).observed(|_| true);
    assert_eq!(find(&observed, now).not_enough, []);
}

#[test]
fn nothing_at_all_is_no_change() {
    let observed = Observed::default();
    let found = find(&observed, Micros(i64::MAX));
    assert!(found.changes.is_empty() && found.attributes().is_none());
}

//! Storms, and what looks like one, in worlds of several seeds.
//!
//! The seeds are not those with which the thresholds were looked at.

mod world;

use std::collections::BTreeSet;

use self::world::{PLAIN, Retry, Told, World};
use super::{LookedAt, Pattern, Storm, WaitGroup, find, look};
use crate::analysis::finding::{Confidence, Severity};
use crate::analysis::observed::Observed;
use crate::model::Micros;

const SEEDS: std::ops::Range<u64> = 1000..1006;

/// Everything that is told of, without what a remedy would be.
fn told_of(observed: &Observed) -> Vec<Storm> {
    let (mut looked_at, mut told) = (LookedAt::default(), Vec::new());
    let now = observed.last_event.unwrap_or(Micros(0));
    for (position, class) in observed.classes.iter().enumerate() {
        look(observed, now, (position, class), &mut looked_at, &mut told);
    }
    told.into_iter().map(|told| told.storm).collect()
}

fn lockstep(told: &Told) -> Vec<Storm> {
    told_of(&told.observed).into_iter().filter(|storm| storm.evidence.pattern == Pattern::Lockstep).collect()
}

fn named(storms: &[Storm]) -> BTreeSet<String> {
    storms.iter().flat_map(|storm| storm.executions.iter().cloned()).collect()
}

/// In each world so many storms in lockstep, with everybody who failed together and hardly anybody else.
fn finds(what: &str, world: &World, storms: usize) {
    let (mut missing, mut extra, mut all) = (0, 0, 0);
    for seed in SEEDS {
        let told = world.tell(seed);
        let found = lockstep(&told);
        assert_eq!(found.len(), storms, "{what}, seed {seed}: {:?}", found.iter().map(|storm| &storm.common.summary).collect::<Vec<_>>());
        assert!(found.iter().all(|storm| !storm.jittered));
        let named = named(&found);
        missing += told.cohort.difference(&named).count();
        extra += named.difference(&told.hit).count();
        all += named.len();
    }
    assert_eq!(missing, 0, "{what}: of those that failed together");
    assert!(extra * 30 <= all, "{what}: {extra} of {all} have nothing to do with it");
}

fn finds_nothing(what: &str, world: &World) {
    for seed in SEEDS {
        let found = lockstep(&world.tell(seed));
        assert!(found.is_empty(), "{what}, seed {seed}: {}", found[0].common.summary);
    }
}

fn without_outage() -> World {
    World { cohorts: Vec::new(), outages: Vec::new(), ..World::default() }
}

fn retried(retry: Retry) -> World {
    World { retries: vec![retry], ..World::default() }
}

#[test]
fn a_cohort_that_fails_together_is_found_whole_whatever_its_policy() {
    finds("doubling waits", &World::default(), 1);
    finds("waits that stop growing", &retried(Retry { max_delay: 5.0, most: 8, ..PLAIN }), 1);
    finds("a wait of a second, always", &retried(Retry { interval: 1.0, rate: 1.0, most: 20, ..PLAIN }), 1);
    finds("one retry", &retried(Retry { most: 1, ..PLAIN }), 1);
    let minutes = World { outages: vec![(5000.0, 5700.0)], ..retried(Retry { interval: 60.0, ..PLAIN }) };
    finds("waits of minutes", &minutes, 1);
    let second = Retry { error: "Slow down", interval: 7.0, ..PLAIN };
    finds("two retriers", &World { retries: vec![PLAIN, second], second_error: 0.4, ..World::default() }, 1);
    finds("a loop made by hand", &World { by_hand: true, ..retried(Retry { rate: 1.0, interval: 10.0, most: 50, ..PLAIN }) }, 1);
    finds("calls side by side", &World { fan: 6, ..World::default() }, 1);
}

#[test]
fn it_is_found_where_that_is_hard() {
    finds("five of them", &World { cohorts: vec![(5000.0, 0.7, 5)], ..World::default() }, 1);
    finds("a second of overhead", &World { overhead: 1.0, ..World::default() }, 1);
    let short = World { overhead: 1.0, ..retried(Retry { interval: 1.0, ..PLAIN }) };
    finds("a second of overhead on waits of one", &short, 1);
    let slow = World { cohorts: vec![(5000.0, 10.0, 40)], outages: vec![(5000.0, 5060.0)], ..World::default() };
    finds("failures over ten seconds", &slow, 1);
    let few = World { cohorts: vec![(5000.0, 10.0, 8)], outages: vec![(5000.0, 5200.0)], ..retried(Retry { interval: 60.0, ..PLAIN }) };
    finds("few failures over ten seconds, and long waits", &few, 1);
    let busy = World {
        arrivals: 5.0,
        length: 7200.0,
        failing: 0.01,
        cohorts: vec![(5000.0, 0.5, 60)],
        outages: vec![(5000.0, 5010.0)],
        ..World::default()
    };
    finds("a busy state", &busy, 1);
}

#[test]
fn small_cohorts_among_many_failures_are_mostly_found_and_nothing_else_is() {
    let world = World { cohorts: vec![(5000.0, 0.7, 6)], arrivals: 0.2, failing: 0.15, ..World::default() };
    let found: Vec<usize> = (1000..1020).map(|seed| lockstep(&world.tell(seed)).len()).collect();
    assert!(found.iter().all(|count| *count <= 1), "{found:?}");
    assert!(found.iter().sum::<usize>() >= 18, "{found:?}");
}

#[test]
fn two_storms_in_one_state_are_two() {
    let apart = |second: f64, arrivals| World {
        arrivals,
        cohorts: vec![(5000.0, 0.7, 12), (second, 0.7, 12)],
        outages: vec![(5000.0, 5030.0), (second, second + 30.0)],
        ..World::default()
    };
    finds("minutes apart", &apart(5400.0, 0.02), 2);
    finds("two minutes apart, with calls that succeed between", &apart(5120.0, 0.3), 2);
}

#[test]
fn retries_with_jitter_are_never_in_lockstep() {
    for (what, world) in [
        ("twenty", World::default()),
        ("five", World { cohorts: vec![(5000.0, 0.7, 5)], ..World::default() }),
        ("many", World { cohorts: vec![(5000.0, 0.7, 120)], ..World::default() }),
        ("with overhead", World { overhead: 1.0, ..World::default() }),
    ] {
        finds_nothing(what, &World { retries: vec![Retry { least: 0.0, ..PLAIN }], ..world });
    }
    for least in [0.5, 0.75] {
        let world = retried(Retry { least, ..PLAIN });
        finds_nothing("jitter in part", &world);
        let patterns: Vec<Pattern> = told_of(&world.tell(1).observed).iter().map(|storm| storm.evidence.pattern).collect();
        assert_eq!(patterns, [Pattern::Unclear], "waits from {least} of the delay on");
    }
    let jittered = told_of(&retried(Retry { least: 0.0, ..PLAIN }).tell(1).observed);
    assert_eq!(jittered.iter().map(|storm| (storm.evidence.pattern, storm.jittered)).collect::<Vec<_>>(), [(Pattern::Jittered, true)]);
}

#[test]
fn ordinary_failures_bursts_and_calls_that_fail_one_by_one_are_no_storm() {
    finds_nothing("a trickle", &World { arrivals: 0.3, failing: 0.25, ..without_outage() });
    let bursts = vec![(5000.0, 1.0, 200), (5100.0, 1.0, 200)];
    finds_nothing("bursts", &World { failing: 0.05, bursts, ..without_outage() });
    let bursts = (0..10).map(|n| (f64::from(n) * 900.0 + 100.0, 0.5, 100)).collect();
    finds_nothing("executions that start together", &World { failing: 0.1, bursts, ..without_outage() });
    let one_by_one = World { arrivals: 3.0, length: 7200.0, outages: vec![(5000.0, 5030.0)], ..without_outage() };
    finds_nothing("an outage that calls come into", &one_by_one);
    let patterns: Vec<Pattern> = told_of(&one_by_one.tell(1).observed).iter().map(|storm| storm.evidence.pattern).collect();
    assert_eq!(patterns, [Pattern::OneByOne]);
    finds_nothing("four of them", &World { cohorts: vec![(5000.0, 0.7, 4)], outages: Vec::new(), failing: 0.0, ..World::default() });
}

#[test]
fn clean_days_and_dropped_executions_change_no_verdict() {
    let small = World { arrivals: 0.05, failing: 0.1, cohorts: vec![(5000.0, 1.0, 6)], ..World::default() };
    finds("clean days around it", &World { clean_days: 2, ..small }, 1);
    // Of eighteen fewer than five are left in one of sixty worlds.
    finds("half of them dropped", &World { cohorts: vec![(5000.0, 0.7, 18)], kept: 0.5, ..World::default() }, 1);
    let jittered = World { clean_days: 2, ..retried(Retry { least: 0.0, ..PLAIN }) };
    finds_nothing("clean days around jitter", &jittered);
}

#[test]
fn the_evidence_adds_up() {
    let told = World { arrivals: 0.05, failing: 0.0, ..World::default() }.tell(7);
    let storms = lockstep(&told);
    let storm = &storms[0];
    let evidence = &storm.evidence;
    assert_eq!(evidence.cohort + evidence.late, storm.executions.len() as u64);
    assert!(evidence.cohort >= 20);
    let waits: Vec<(u32, u64)> =
        evidence.waits.groups.iter().map(|WaitGroup { retry, p50_ms, .. }| (*retry, (p50_ms / 1000.0) as u64)).collect();
    assert_eq!(waits, [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32)]);
    assert!(evidence.waves.windows(2).all(|pair| pair[0].at <= pair[1].at));
    assert!(evidence.waves.iter().all(|wave| wave.executions >= 20 && wave.most >= 5 && wave.probability < 1e-4), "{:?}", evidence.waves);
    assert_eq!(evidence.load.attempts, evidence.timeline.first_calls.iter().chain(&evidence.timeline.retries).sum::<u64>());
    assert!(evidence.load.amplification.is_some_and(|amplification| amplification > 4.0));
    assert_eq!(evidence.retries, evidence.errors.iter().map(|error| error.count).sum::<u64>());
    let sample = &evidence.samples[0].retries;
    assert!(sample.iter().all(|retry| (retry.scheduled.milliseconds_since(retry.failed) - retry.wait_ms).abs() < 1e-6));
    // Each sampled retry names the events between which it waited.
    assert!(sample.iter().all(|retry| retry.failed_event_id < retry.scheduled_event_id), "{sample:?}");
    assert_eq!((storm.common.severity, storm.common.confidence), (Severity::Warning, Confidence::Strong), "hours ago, and all got through");
    assert!(storm.common.summary.contains("executions of orders retried Call in lockstep: "), "{}", storm.common.summary);
}

#[test]
fn a_storm_within_the_last_hour_is_critical_and_one_that_is_not_over_is_found() {
    let told = World::default().tell(3);
    let whole = lockstep(&told);
    let during = Micros(whole[0].from.0 + 20_000_000);
    let found = find(&told.observed, during);
    assert_eq!(found.storms.len(), 1);
    assert_eq!(found.storms[0].common.severity, Severity::Critical);
    assert!(found.storms[0].to <= during);
}

#[test]
fn hostile_moments_are_no_trouble() {
    let mut told = World::default().tell(5);
    let attempts = &mut told.observed.classes[0].attempts;
    for (attempt, at) in attempts.iter_mut().zip([i64::MIN, i64::MAX, 0, i64::MIN + 1, -1, i64::MAX - 1].into_iter().cycle()) {
        attempt.scheduled = Some(Micros(at));
        attempt.ended = Some(Micros(-1 - at));
        attempt.wait_before = attempt.wait_before.map(|_| at);
    }
    attempts.sort_by_key(|attempt| (attempt.scheduled, attempt.execution, attempt.visit, attempt.number));
    for (first, last, now) in [(i64::MIN, i64::MAX, i64::MAX), (i64::MAX, i64::MIN, 0), (0, 0, i64::MIN)] {
        (told.observed.first_start, told.observed.last_event) = (Some(Micros(first)), Some(Micros(last)));
        let _ = find(&told.observed, Micros(now));
    }
    assert!(find(&Observed::default(), Micros(0)).storms.is_empty());
}

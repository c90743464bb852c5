//! Storms, and what looks like one, in worlds of many seeds.

mod world;

use std::collections::BTreeSet;

use self::world::{PLAIN, Retry, World};
use super::{Found, Pattern, find};
use crate::model::Micros;

/// How a kind of world was judged over many seeds.
#[derive(Debug, Default)]
struct Score {
    storms: usize,
    others: Vec<Pattern>,
    wrong: Vec<u64>,
    /// Executions told of, that were hit; told of, that were not; of the cohort, not told of.
    right: usize,
    extra: usize,
    missing: usize,
}

fn judged(world: &World, seeds: std::ops::Range<u64>, storms: usize) -> Score {
    let mut score = Score::default();
    for seed in seeds {
        let told = world.tell(seed);
        let found: Found = find(&told.observed, told.observed.last_event.unwrap_or(Micros(0)));
        score.storms += found.storms.len();
        if found.storms.len() != storms {
            score.wrong.push(seed);
        }
        score.others.extend(found.others.iter().map(|other| other.evidence.pattern));
        let named: BTreeSet<String> = found.storms.iter().flat_map(|storm| storm.executions.iter().cloned()).collect();
        score.right += named.intersection(&told.hit).count();
        score.extra += named.difference(&told.hit).count();
        score.missing += told.cohort.difference(&named).count();
    }
    score
}

#[test]
#[ignore]
fn explore() {
    let jitter = |least: f64| vec![Retry { least, ..PLAIN }];
    let worlds: Vec<(&str, World, usize)> = vec![
        ("plain", World::default(), 1),
        ("five", World { cohorts: vec![(5000.0, 0.7, 5)], ..World::default() }, 1),
        ("six noisy", World { cohorts: vec![(5000.0, 0.7, 6)], arrivals: 0.2, failing: 0.15, ..World::default() }, 1),
        ("five noisy", World { cohorts: vec![(5000.0, 1.5, 5)], arrivals: 0.2, failing: 0.2, ..World::default() }, 1),
        ("eight very noisy", World { cohorts: vec![(5000.0, 1.0, 8)], arrivals: 1.0, failing: 0.1, ..World::default() }, 1),
        ("overhead 1s", World { overhead: 1.0, ..World::default() }, 1),
        ("overhead 1s small", World { overhead: 1.0, cohorts: vec![(5000.0, 1.0, 6)], ..World::default() }, 1),
        ("overhead 1s interval 1", World { overhead: 1.0, retries: vec![Retry { interval: 1.0, ..PLAIN }], ..World::default() }, 1),
        ("one retry overhead", World { overhead: 1.0, retries: vec![Retry { most: 1, ..PLAIN }], ..World::default() }, 1),
        ("spread 10s", World { cohorts: vec![(5000.0, 10.0, 40)], outages: vec![(5000.0, 5060.0)], ..World::default() }, 1),
        (
            "spread 10s small, long waits",
            World {
                cohorts: vec![(5000.0, 10.0, 8)],
                outages: vec![(5000.0, 5200.0)],
                retries: vec![Retry { interval: 60.0, ..PLAIN }],
                ..World::default()
            },
            1,
        ),
        ("minutes", World { retries: vec![Retry { interval: 60.0, ..PLAIN }], outages: vec![(5000.0, 5700.0)], ..World::default() }, 1),
        ("plateau", World { retries: vec![Retry { max_delay: 5.0, most: 8, ..PLAIN }], ..World::default() }, 1),
        ("constant 1s", World { retries: vec![Retry { interval: 1.0, rate: 1.0, most: 20, ..PLAIN }], ..World::default() }, 1),
        (
            "two retriers",
            World { retries: vec![PLAIN, Retry { error: "Slow down", interval: 7.0, ..PLAIN }], second_error: 0.4, ..World::default() },
            1,
        ),
        ("fan", World { fan: 6, ..World::default() }, 1),
        ("by hand", World { by_hand: true, retries: vec![Retry { rate: 1.0, interval: 10.0, most: 50, ..PLAIN }], ..World::default() }, 1),
        ("half", World { cohorts: vec![(5000.0, 0.7, 14)], kept: 0.5, ..World::default() }, 1),
        ("clean days", World { clean_days: 3, arrivals: 0.05, failing: 0.1, cohorts: vec![(5000.0, 1.0, 6)], ..World::default() }, 1),
        (
            "two storms",
            World {
                cohorts: vec![(5000.0, 0.7, 12), (5400.0, 0.7, 12)],
                outages: vec![(5000.0, 5030.0), (5400.0, 5430.0)],
                ..World::default()
            },
            2,
        ),
        (
            "two storms near",
            World {
                arrivals: 0.3,
                cohorts: vec![(5000.0, 0.7, 12), (5120.0, 0.7, 12)],
                outages: vec![(5000.0, 5030.0), (5120.0, 5150.0)],
                ..World::default()
            },
            2,
        ),
        (
            "busy",
            World {
                arrivals: 5.0,
                length: 7200.0,
                failing: 0.01,
                cohorts: vec![(5000.0, 0.5, 60)],
                outages: vec![(5000.0, 5010.0)],
                ..World::default()
            },
            1,
        ),
        ("jitter", World { retries: jitter(0.0), ..World::default() }, 0),
        ("jitter five", World { retries: jitter(0.0), cohorts: vec![(5000.0, 0.7, 5)], ..World::default() }, 0),
        ("jitter overhead", World { retries: jitter(0.0), overhead: 1.0, ..World::default() }, 0),
        ("jitter large", World { retries: jitter(0.0), cohorts: vec![(5000.0, 0.7, 120)], ..World::default() }, 0),
        ("half jitter", World { retries: jitter(0.5), ..World::default() }, 0),
        ("quarter jitter", World { retries: jitter(0.75), ..World::default() }, 0),
        ("trickle", World { arrivals: 0.3, failing: 0.25, cohorts: vec![], outages: vec![], ..World::default() }, 0),
        (
            "burst",
            World {
                arrivals: 0.02,
                failing: 0.05,
                cohorts: vec![],
                outages: vec![],
                bursts: vec![(5000.0, 1.0, 200), (5100.0, 1.0, 200), (5160.0, 300.0, 2000)],
                ..World::default()
            },
            0,
        ),
        (
            "cron",
            World {
                arrivals: 0.02,
                failing: 0.1,
                cohorts: vec![],
                outages: vec![],
                bursts: (0..10).map(|n| (f64::from(n) * 900.0 + 100.0, 0.5, 100)).collect(),
                ..World::default()
            },
            0,
        ),
        (
            "cron bad",
            World {
                arrivals: 0.02,
                failing: 0.4,
                cohorts: vec![],
                outages: vec![],
                bursts: (0..10).map(|n| (f64::from(n) * 900.0 + 100.0, 0.5, 100)).collect(),
                ..World::default()
            },
            0,
        ),
        (
            "one by one",
            World { arrivals: 3.0, failing: 0.01, length: 7200.0, cohorts: vec![], outages: vec![(5000.0, 5030.0)], ..World::default() },
            0,
        ),
        (
            "one by one slow",
            World { arrivals: 0.5, failing: 0.01, length: 7200.0, cohorts: vec![], outages: vec![(5000.0, 5060.0)], ..World::default() },
            0,
        ),
    ];
    for (name, world, storms) in worlds {
        let score = judged(&world, 0..60, storms);
        let mut patterns = [0; 4];
        score.others.iter().for_each(|pattern| patterns[*pattern as usize] += 1);
        eprintln!(
            "{name:28} wrong {:2} {:?} storms {} others L{} J{} O{} U{} right {} extra {} missing {}",
            score.wrong.len(),
            &score.wrong[..score.wrong.len().min(6)],
            score.storms,
            patterns[0],
            patterns[1],
            patterns[2],
            patterns[3],
            score.right,
            score.extra,
            score.missing
        );
    }
}

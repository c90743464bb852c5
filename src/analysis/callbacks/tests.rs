//! Stories of waits, a seeded world of them, and what must not change a verdict.

use super::clock::{Clock, Span};
use super::judge::{Judged, judge};
use super::law::Law;
use super::*;
use crate::analysis::facts::{Rebuilt, extract};
use crate::analysis::fleet::Question;
use crate::analysis::observed::Gather;
use crate::model::builder::{history, seconds};
use crate::model::{History, Timestamp};
use crate::rebuild::rebuild;
use bumpalo::Bump;
use serde_json::json;

const MINUTE: f64 = 60_000.0;
const HOUR: f64 = 60.0 * MINUTE;
/// Monday 2026-11-16 00:00 UTC.
const MONDAY: i64 = 1_794_787_200;

fn observed(histories: &[History]) -> Observed {
    let mut gather = Gather::new();
    for history in histories {
        let path = rebuild(history, None);
        let arena = Bump::new();
        gather.take(&extract(Rebuilt { history, path: &path, definition: None }, gather.needs(), &arena));
    }
    gather.finish()
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Waits for an answer that comes after so many minutes, or not at all.
fn approval(number: i64, answered_after: Option<u64>) -> History {
    let mut story = history("Approvals");
    story.clock_at(at("2026-11-20T08:00:00Z") + jiff::SignedDuration::from_mins(number)).named(&format!("a-{number}"));
    story.enter_task("Approve", json!({})).calls("sqs", "sendMessage.waitForTaskToken");
    match answered_after {
        Some(after) => {
            story.taking(seconds(60 * after)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({})).build()
        }
        None => story.scheduled().build(),
    }
}

/// Random numbers, the same for the same seed (SplitMix64).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + 1e-17
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// A class of waits as of its end.
#[derive(Clone)]
struct World {
    spans: Vec<Span>,
    is_open: Vec<bool>,
    is_lost: Vec<bool>,
    now: i64,
}

/// What a world is like.
#[derive(Debug, Clone, Copy)]
struct Kind {
    days: i64,
    per_day: f64,
    median_ms: f64,
    sigma: f64,
    lost: f64,
    /// Answers that fall outside of Monday to Friday, 08 to 18 UTC, come after the next opening.
    keeps_hours: bool,
}

const CHECKS: Kind = Kind { days: 6, per_day: 40.0, median_ms: 5.0 * MINUTE, sigma: 0.8, lost: 0.0, keeps_hours: false };
const APPROVALS: Kind = Kind { days: 9, per_day: 40.0, median_ms: 6.0 * HOUR, sigma: 0.8, lost: 0.0, keeps_hours: true };

fn world(kind: Kind, seed: u64) -> World {
    let mut random = Random(seed);
    let first = MONDAY * 1_000_000;
    let now = first + kind.days * 86_400_000_000;
    let mut world = World { spans: Vec::new(), is_open: Vec::new(), is_lost: Vec::new(), now };
    let mut from = first;
    loop {
        from += (-random.unit().ln() * 86_400e6 / kind.per_day) as i64;
        if from >= now {
            return world;
        }
        let mut to = from + (kind.median_ms * (kind.sigma * random.normal()).exp() * 1000.0) as i64;
        let hour = |moment: i64| (moment.div_euclid(3_600_000_000) % 24, (moment.div_euclid(86_400_000_000) + 3) % 7);
        if kind.keeps_hours && !matches!(hour(to), (8..18, 0..5)) {
            while !matches!(hour(to), (8..18, 0..5)) {
                to = (to.div_euclid(3_600_000_000) + 1) * 3_600_000_000;
            }
            to += (random.unit() * 2.0 * 3_600e6) as i64;
        }
        let is_lost = random.unit() < kind.lost;
        let is_open = is_lost || to > now;
        world.spans.push(Span { from, to: to.min(now), is_answered: !is_open });
        if is_lost {
            world.spans.last_mut().expect("just added").to = now;
        }
        world.is_open.push(is_open);
        world.is_lost.push(is_lost);
    }
}

fn stuck(judged: &Judged) -> Vec<usize> {
    judged.open.iter().filter(|opinion| opinion.is_stuck || opinion.is_in_stop).map(|opinion| opinion.at).collect()
}

#[test]
fn the_law_finds_the_parameters_behind_censored_waits() {
    let mut random = Random(7);
    let (mut answered, mut open) = (Vec::new(), Vec::new());
    for _ in 0..4000 {
        let wait = (10.0 + 0.7 * random.normal()).exp();
        let age = (9.0 + 3.0 * random.unit()).exp();
        if random.unit() < 0.05 || wait > age { open.push(age) } else { answered.push(wait) }
    }
    let law = Law::fit(&answered, &open).expect("a law");
    let [part] = law.parts.as_slice() else { panic!("{law:?}") };
    assert!((part.mu - 10.0).abs() < 0.1 && (part.sigma - 0.7).abs() < 0.08 && (law.lost - 0.05).abs() < 0.03, "{law:?}");
    // The 99.5th percentile of the normal distribution is 2.5758; the estimate is allowed a fifth.
    let exact = (10.0 + 0.7 * 2.575_829_303_548_901_f64).exp();
    assert!((law.exceeded_by(0.005) / exact - 1.0).abs() < 0.2, "{} {exact}", law.exceeded_by(0.005));
}

#[test]
fn a_fast_and_a_slow_kind_are_two_parts() {
    let mut random = Random(3);
    let fast: Vec<f64> = (0..120).map(|_| (6.0 + 0.4 * random.normal()).exp()).collect();
    let slow = (0..120).map(|_| (12.0 + 0.5 * random.normal()).exp());
    let law = Law::fit(&fast.iter().copied().chain(slow).collect::<Vec<_>>(), &[]).expect("a law");
    assert_eq!(law.parts.len(), 2, "{law:?}");
    assert!(law.survival(8.0_f64.exp()) > 0.4 && law.exceeded_by(0.01) > 12.5_f64.exp());
    assert_eq!(Law::fit(&fast, &[]).expect("a law").parts.len(), 1);
}

#[test]
fn a_heavy_tail_is_not_taken_for_a_lost_wait() {
    let mut random = Random(21);
    // One wait in eight takes five times as long.
    let mut answered: Vec<f64> =
        (0..130).map(|number| (12.0 + 0.8 * random.normal()).exp() * if number % 8 == 0 { 5.0 } else { 1.0 }).collect();
    let longest = answered.iter().copied().fold(0.0, f64::max);
    let law = Law::fit(&answered, &[2.5 * longest]).expect("a law");
    let lone = |law: &Law, times: f64| 130.0 * law.survival(times * longest);
    assert!(lone(&law, 2.5) > 0.002 && lone(&law, 100.0) < 0.002, "{} {}", lone(&law, 2.5), lone(&law, 100.0));
    // Without that kind the margin is smaller.
    answered.retain(|wait| *wait < 0.2 * longest);
    let narrow = Law::fit(&answered, &[2.5 * longest]).expect("a law");
    assert!(lone(&narrow, 2.5) < 0.1 * lone(&law, 2.5), "{}", lone(&narrow, 2.5));
}

#[test]
fn what_is_far_older_than_thousands_of_answered_waits_is_lost() {
    let mut random = Random(9);
    let mut wait = |days: f64| days * 24.0 * HOUR * random.unit() * random.unit() * random.unit();
    let answered: Vec<f64> = (0..3000).map(|_| MINUTE + wait(1.0)).collect();
    let open: Vec<f64> = (0..12).map(|number| 26.0 * HOUR + 2.0 * HOUR * f64::from(number)).collect();
    let law = Law::fit(&answered, &open).expect("a law");
    // A lognormal law of the same waits takes 1 in 500 to last longer than two days, though none took one.
    assert!((law.lost - 12.0 / 3012.0).abs() < 0.001, "{law:?}");
    assert!(law.exceeded_by(1e-4) < 48.0 * HOUR, "{} hours", law.exceeded_by(1e-4) / HOUR);
    // Healthy waits of the same law that are still open make it no wider.
    let young: Vec<f64> = (0..12).map(|number| HOUR * f64::from(number)).collect();
    let law = Law::fit(&answered, &young).expect("a law");
    assert!(law.lost < 0.001, "{law:?}");
}

#[test]
fn nothing_is_stuck_in_large_clean_worlds() {
    for (seed, sigma) in (0..24).zip([0.5, 0.8, 1.2, 1.6].into_iter().cycle()) {
        for kind in [Kind { per_day: 300.0, sigma, ..CHECKS }, Kind { per_day: 90.0, days: 30, sigma: sigma.min(0.8), ..APPROVALS }] {
            let world = world(kind, 7000 + seed);
            let judged = judge(&world.spans, &world.is_open, world.now).expect("enough");
            assert!(stuck(&judged).is_empty(), "{seed} {kind:?}: {:?}", stuck(&judged));
        }
    }
}

#[test]
fn many_lost_waits_are_not_taken_for_a_wide_law() {
    let mut random = Random(4);
    let answered: Vec<f64> = (0..16).map(|_| 10.0 * MINUTE * (0.5 * random.normal()).exp()).collect();
    let open: Vec<f64> = (0..15).map(|_| 40.0 * HOUR * (1.0 + random.unit())).collect();
    let law = Law::fit(&answered, &open).expect("a law");
    assert!(law.lost > 0.25 && law.parts[0].sigma < 1.5, "{law:?}");
}

#[test]
fn hours_are_kept_by_those_who_keep_them_and_weekends_with_them() {
    let judged = |kind: Kind| {
        let world = world(kind, 11);
        judge(&world.spans, &world.is_open, world.now).expect("enough")
    };
    let Clock::Hours(hours) = judged(APPROVALS).clock else { panic!("answers keep hours") };
    assert_eq!(hours.open_hours(), [(8, 18)]);
    assert!(hours.is_closed_on_weekends);
    assert_eq!(judged(CHECKS).clock, Clock::Wall);
    assert_eq!(judged(Kind { keeps_hours: false, ..APPROVALS }).clock, Clock::Wall);
}

#[test]
fn nothing_is_stuck_in_two_hundred_clean_worlds() {
    let false_alarms = |kind: Kind, seed: u64| {
        let world = world(kind, seed);
        judge(&world.spans, &world.is_open, world.now).map_or(0, |judged| stuck(&judged).len())
    };
    for seed in 1000..1160 {
        assert_eq!(false_alarms(CHECKS, seed), 0, "{seed}");
    }
    for seed in 2000..2040_i64 {
        let kind = Kind { days: 5 + seed % 9, ..APPROVALS };
        assert_eq!(false_alarms(kind, seed.unsigned_abs()), 0, "{seed}");
    }
}

#[test]
fn lost_tokens_are_told_from_slow_answers() {
    let (mut right, mut wrong, mut missed) = (0, 0, 0);
    for seed in 0..60 {
        for kind in [Kind { lost: 0.03, ..CHECKS }, Kind { lost: 0.04, ..APPROVALS }] {
            let world = world(kind, seed);
            let found = judge(&world.spans, &world.is_open, world.now).map(|judged| stuck(&judged)).unwrap_or_default();
            // A wait counts as missed once it is older than what one healthy wait in 200 takes, over a weekend if need be.
            let weekend = if kind.keeps_hours { 64.0 * HOUR } else { 0.0 };
            let certain = kind.median_ms * (2.576 * kind.sigma).exp() + weekend;
            for at in 0..world.spans.len() {
                let is_certain = (world.now - world.spans[at].from) as f64 / 1000.0 > certain;
                match (found.contains(&at), world.is_lost[at]) {
                    (true, true) => right += 1,
                    (true, false) => wrong += 1,
                    (false, true) if is_certain => missed += 1,
                    _ => {}
                }
            }
        }
    }
    assert!(right > 500, "{right}");
    // What is promised: precision and recall of 0.97.
    assert!(wrong * 100 <= 3 * right && missed * 100 <= 3 * right, "{right} right, {wrong} wrong, {missed} missed");
}

#[test]
fn when_all_workers_die_everything_open_is_stuck_within_hours() {
    let mut world = world(CHECKS, 5);
    let died = world.now - 5 * 3_600_000_000;
    for at in 0..world.spans.len() {
        if world.spans[at].to > died {
            world.spans[at] = Span { to: world.now, is_answered: false, ..world.spans[at] };
            world.is_open[at] = true;
        }
    }
    let judged = judge(&world.spans, &world.is_open, world.now).expect("enough");
    let stop = judged.stopped.expect("answers have stopped");
    assert!(stop.since <= died && stop.chance() < 1e-4);
    assert_eq!(stuck(&judged).len(), world.is_open.iter().filter(|open| **open).count());
}

#[test]
fn an_outage_of_last_week_is_not_what_is_normal() {
    let clean = world(CHECKS, 9);
    let mut polluted = clean.clone();
    let (from, to) = (polluted.spans[60].from, polluted.spans[60].from + 8 * 3_600_000_000);
    for span in &mut polluted.spans {
        if span.to > from && span.to < to {
            span.to = to + (span.from - from).abs() / 20;
        }
    }
    let limit = |world: &World| judge(&world.spans, &world.is_open, world.now).expect("enough");
    assert_eq!(limit(&polluted).earlier_stops.len(), 1);
    assert!(limit(&polluted).limit_ms < 1.5 * limit(&clean).limit_ms);
}

#[test]
fn verdicts_stay_when_clean_days_are_added_and_when_half_is_dropped() {
    let mut kept = world(Kind { lost: 0.03, ..CHECKS }, 21);
    let far = |world: &World, judged: &Judged| -> Vec<i64> {
        let is_old = |at: &usize| world.now - world.spans[*at].from > 6 * 3_600_000_000;
        stuck(judged).into_iter().filter(is_old).map(|at| world.spans[at].from).collect()
    };
    let before = far(&kept, &judge(&kept.spans, &kept.is_open, kept.now).expect("enough"));
    assert!(before.len() > 3);
    let shift = kept.now - kept.spans[0].from;
    let earlier: Vec<Span> = world(CHECKS, 22)
        .spans
        .iter()
        .filter(|span| span.is_answered)
        .map(|span| Span { from: span.from - shift, to: span.to - shift, ..*span })
        .collect();
    let mut doubled = kept.clone();
    doubled.is_open = [vec![false; earlier.len()], doubled.is_open].concat();
    doubled.spans = [earlier, doubled.spans].concat();
    assert_eq!(far(&doubled, &judge(&doubled.spans, &doubled.is_open, doubled.now).expect("enough")), before);
    let mut random = Random(5);
    let keep: Vec<bool> = kept.spans.iter().map(|_| random.unit() < 0.5).collect();
    let rest: Vec<i64> =
        before.iter().copied().filter(|from| kept.spans.iter().zip(&keep).any(|(span, keep)| *keep && span.from == *from)).collect();
    let mut flags = keep.iter();
    kept.spans.retain(|_| *flags.next().expect("as many"));
    let mut flags = keep.iter();
    kept.is_open.retain(|_| *flags.next().expect("as many"));
    assert_eq!(far(&kept, &judge(&kept.spans, &kept.is_open, kept.now).expect("enough")), rest);
}

#[test]
fn hostile_times_are_judged_without_a_panic() {
    let span = |from: i64, to: i64, is_answered: bool| Span { from, to, is_answered };
    let far = i64::MAX / 4;
    let mut spans = vec![span(-far, far, true); 30];
    spans.extend(vec![span(0, 0, true); 60]);
    spans.push(span(far, -far, false));
    let mut is_open = vec![false; 90];
    is_open.push(true);
    let judged = judge(&spans, &is_open, far).expect("enough");
    assert!(judged.open.iter().all(|opinion| opinion.survival.is_finite() && opinion.lost.is_finite()));
    assert!(judge(&[], &[], 0).is_none());
}

#[test]
fn a_wait_of_two_days_is_stuck_where_answers_take_minutes() {
    let mut all: Vec<History> = (0..40).map(|number| approval(number, Some(2 + number.unsigned_abs() % 5))).collect();
    all.push(approval(41, None));
    all.push(approval(42 + 48 * 60, None));
    let observed = observed(&all);
    let now = Micros::from(at("2026-11-22T08:45:00Z"));
    let found = find(&observed, now);
    let verdicts: Vec<Verdict> = found.waiting.iter().map(|waiting| waiting.verdict).collect();
    assert_eq!(verdicts, [Verdict::Stuck, Verdict::Normal], "{:#?}", found.waiting);
    let finding = found.stuck.first().expect("a finding");
    assert_eq!((finding.kind, finding.state.as_str()), ("stuck_callback", "Approve"));
    assert!(
        finding.common.summary.contains("Approve") && finding.evidence.grounds.iter().any(|ground| ground.contains("no TimeoutSeconds"))
    );
    assert!(found.waiting[0].release.starts_with("aws stepfunctions send-task-failure"), "{}", found.waiting[0].release);
    assert!(find(&observed, Micros(0)).waiting.is_empty());
}

#[test]
fn few_answers_give_no_verdict_but_say_how_many_it_takes() {
    let mut all: Vec<History> = (0..3).map(|number| approval(number, Some(2))).collect();
    all.push(approval(9, None));
    let found = find(&observed(&all), Micros::from(at("2026-11-23T08:00:00Z")));
    assert_eq!((found.stuck.len(), found.waiting[0].verdict), (0, Verdict::Unknown));
    assert_eq!((found.not_enough[0].has, found.not_enough[0].needs), (3, 20));
}

#[test]
fn a_first_weekend_gives_no_verdict_but_says_how_many_hours_it_takes() {
    // Friday 2026-11-20 from 08:00 to 09:35, then nothing until Sunday.
    let mut all: Vec<History> = (0..60).map(|number| approval(number, Some(20 + number.unsigned_abs() % 15))).collect();
    all.extend((61..90).map(|number| approval(number, None)));
    let found = find(&observed(&all), Micros::from(at("2026-11-22T08:00:00Z")));
    assert_eq!(found.stuck.len(), 0, "{:#?}", found.stuck.first());
    let lack = found.not_enough.first().expect("said");
    assert_eq!((lack.has, lack.needs), (48, 168));
    assert!(found.waiting[0].grounds.iter().any(|ground| ground.contains("without silent hours")), "{:#?}", found.waiting[0].grounds);
}

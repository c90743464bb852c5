//! What detectors say does not depend on the order of the input, on how many sound days lie around an incident, or on whether all
//! executions were fetched: over fleets that are made here, and over the labelled incidents of the corpus where it is at hand.
//!
//! | change of the data                                        | verdicts                                                             |
//! |-----------------------------------------------------------|----------------------------------------------------------------------|
//! | another order, gathered in parts                          | the same to the byte                                                  |
//! | sound days before                                         | the same                                                             |
//! | sound days after                                          | the same storms and stuck tasks; changes for good have an end now      |
//! | half of the executions at random                          | storms, stuck tasks and changes that still show, and nothing new      |

#[allow(dead_code, reason = "a part of it is used")]
#[path = "common/corpus.rs"]
mod corpus;
#[path = "common/detect.rs"]
mod detect;
#[path = "common/fleets.rs"]
mod fleets;

use std::collections::BTreeSet;
use std::path::Path;

use detect::Verdicts;
use jiff::SignedDuration;
use stepscope::analysis::fleet::Question;
use stepscope::analysis::observed::Gather;
use stepscope::analysis::{callbacks, changes, storms};
use stepscope::model::{Details, ExecutionArn, History, HistoryEvent, Micros, Timestamp};
use stepscope::simulation::{Key, simulate};
use stepscope::sources::{Limits, read_definitions, read_path};

/// A data set: of the corpus, or made here.
struct Set {
    name: String,
    histories: Vec<History>,
    now: Timestamp,
}

/// Every kind of fault at a slight, a middling and a severe level.
fn made() -> Vec<Set> {
    let mut sets = Vec::new();
    for number in (0..7).flat_map(|kind| [kind + 7 * 2, kind + 7 * 7]) {
        let (wrong, fleet) = fleets::faulty(number);
        let histories = simulate(&fleet).unwrap_or_else(|error| panic!("fleet {number}: {error}")).histories;
        sets.push(Set { name: format!("faulty {number} ({wrong:?})"), histories, now: fleet.now });
    }
    sets
}

/// The first of the labelled sets; all of them where `STEPSCOPE_INCIDENT_SETS=all` says so.
fn labelled() -> Vec<Set> {
    let Some(corpus) = corpus::corpus() else { return Vec::new() };
    let all = std::env::var("STEPSCOPE_INCIDENT_SETS").is_ok_and(|which| which == "all");
    let mut sets = Vec::new();
    for split in if all { &["set-1", "set-2", "set-3"][..] } else { &["set-2"] } {
        let mut scenarios: Vec<_> = std::fs::read_dir(corpus.join("incidents").join(split))
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        scenarios.sort();
        sets.extend(scenarios.iter().map(|folder| labelled_set(split, folder)));
    }
    sets
}

fn labelled_set(split: &str, folder: &Path) -> Set {
    let (definitions, _) = read_definitions(&folder.join("definitions"), &Limits::default());
    let mut histories = Vec::new();
    read_path(&folder.join("executions.jsonl.gz"), &Limits::default(), &mut |read| {
        let mut history: History = read.expect("a readable execution");
        history.definition = definitions.find(&history.header);
        histories.push(history);
    });
    let labels = std::fs::read_to_string(folder.join("labels.json")).expect("labels");
    let labels: serde_json::Value = serde_json::from_str(&labels).expect("JSON");
    let now = labels["now"].as_str().expect("a moment").parse().expect("a moment");
    let scenario = folder.file_name().unwrap_or_default().to_string_lossy();
    Set { name: format!("{split} {scenario}"), histories, now }
}

fn sets() -> Vec<Set> {
    let mut sets = made();
    sets.extend(labelled());
    sets
}

fn verdicts(histories: &[History], now: Timestamp) -> Verdicts {
    detect::detect(&histories.iter().collect::<Vec<_>>(), now)
}

/// What every set is judged by, over all sets: a line for each difference.
fn over_all(judge: impl Fn(&Set, &Verdicts) -> Vec<String> + Sync) {
    let sets = sets();
    let judge = &judge;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let lines: Vec<String> = std::thread::scope(|scope| {
        let sets = &sets;
        let work: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let of = |set: &Set| {
                        let lines = judge(set, &verdicts(&set.histories, set.now));
                        lines.into_iter().map(|line| format!("{}: {line}", set.name)).collect::<Vec<_>>()
                    };
                    sets.iter().skip(thread).step_by(threads).flat_map(of).collect::<Vec<_>>()
                })
            })
            .collect();
        work.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(lines.is_empty(), "{} verdicts of {} sets changed:\n{}", lines.len(), sets.len(), lines.join("\n"));
}

fn shuffled(histories: &[History], seed: u64) -> Vec<&History> {
    let mut draw = Key::new(seed).draw();
    let mut all: Vec<&History> = histories.iter().collect();
    for position in (1..all.len()).rev() {
        all.swap(position, draw.below(position + 1));
    }
    all
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    over_all(|set, before| {
        let order = shuffled(&set.histories, 5);
        let (one, other) = order.split_at(order.len() / 3);
        let mut gathered = detect::ask(one, Gather::new());
        gathered.merge(detect::ask(other, Gather::new()));
        let (observed, now) = (gathered.finish(), Micros::from(set.now));
        let mut found = changes::find(&observed, now);
        if let Some(attributes) = found.attributes() {
            let mut answered = detect::ask(other, attributes.clone());
            answered.merge(detect::ask(one, attributes));
            found.explain(answered);
        }
        let (storms, stuck) = (storms::find(&observed, now).storms, callbacks::find(&observed, now).stuck);
        let after = Verdicts { from: before.from, now: set.now, storms, stuck, changes: found.changes };
        let mut lines = Vec::new();
        if told(&after.storms) != told(&before.storms) {
            lines.push("other storms".to_owned());
        }
        if told(&after.stuck) != told(&before.stuck) {
            lines.push("other stuck tasks".to_owned());
        }
        if told(&after.changes) != told(&before.changes) {
            lines.push("other changes".to_owned());
        }
        lines
    });
}

fn told(findings: &impl serde::Serialize) -> String {
    serde_json::to_string(findings).expect("a report is JSON")
}

/// What ended before anything was wrong, at another time: so many days on, or back. What fails now and then belongs to sound days, too:
/// days without it would make it new.
///
/// Whole weeks where the data lasts for days, so that people's weeks stay whole; whole days else.
fn sound_days(set: &Set, before: &Verdicts, direction: i64) -> (Vec<History>, SignedDuration) {
    let from = set.histories.iter().filter_map(|history| history.header.start).min().unwrap_or(set.now);
    let day = SignedDuration::from_hours(24);
    let lasts = set.now.duration_since(from);
    let unit = if lasts > day { day * 7 } else { day };
    let units = i32::try_from(1 + lasts.as_secs() / unit.as_secs()).expect("some weeks");
    let shift = unit * units * i32::try_from(direction).expect("one");
    let first_wrong = before
        .storms
        .iter()
        .map(|storm| storm.from)
        .chain(before.changes.iter().map(|change| change.evidence.interval.map_or(change.at, |interval| interval.from.min(change.at))))
        .min()
        .map_or(set.now, Micros::timestamp);
    let sound = |history: &&History| history.header.stop.is_some_and(|stop| stop < first_wrong);
    (set.histories.iter().filter(sound).map(|history| moved(history, shift)).collect(), shift)
}

/// The same execution at another time, under another name.
fn moved(history: &History, by: SignedDuration) -> History {
    let mut history = history.clone();
    let shift = |moment: &mut Option<Timestamp>| *moment = moment.and_then(|moment| moment.checked_add(by).ok());
    history.events.iter_mut().for_each(|event| shift(&mut event.timestamp));
    let header = &mut history.header;
    shift(&mut header.start);
    shift(&mut header.stop);
    header.arn = header.arn.as_ref().and_then(|arn| format!("{}-again", arn.as_str()).parse().ok());
    header.name = header.name.take().map(|name| format!("{name}-again"));
    history
}

/// How far apart the moments of one change may be told.
const TOLERANCE: i64 = 45 * 60 * 1_000_000;

fn same_storm(one: &storms::Storm, other: &storms::Storm) -> bool {
    (&one.state_machine, &one.state, one.jittered) == (&other.state_machine, &other.state, other.jittered)
        && one.from <= other.to
        && one.to >= other.from
}

fn same_change(one: &changes::ChangePoint, other: &changes::ChangePoint) -> bool {
    (one.signal, &one.state_machine, &one.state, &one.error) == (other.signal, &other.state_machine, &other.state, &other.error)
        && (one.at.0 - other.at.0).abs() <= TOLERANCE
}

fn storm_lines(before: &[storms::Storm], after: &[storms::Storm], lines: &mut Vec<String>) {
    let named = |storm: &storms::Storm| format!("{} at {} (jittered: {})", storm.state, storm.from.timestamp(), storm.jittered);
    lines.extend(
        before.iter().filter(|one| !after.iter().any(|other| same_storm(one, other))).map(|one| format!("lost the storm {}", named(one))),
    );
    lines.extend(
        after.iter().filter(|one| !before.iter().any(|other| same_storm(one, other))).map(|one| format!("a new storm {}", named(one))),
    );
}

fn change_lines(before: &[changes::ChangePoint], after: &[changes::ChangePoint], lines: &mut Vec<String>) {
    let named = |change: &changes::ChangePoint| format!("{:?} of {} at {}", change.signal, change.state, change.at.timestamp());
    lines.extend(
        before.iter().filter(|one| !after.iter().any(|other| same_change(one, other))).map(|one| format!("lost the change {}", named(one))),
    );
    lines.extend(
        after.iter().filter(|one| !before.iter().any(|other| same_change(one, other))).map(|one| format!("a new change {}", named(one))),
    );
}

fn stuck_of(verdicts: &Verdicts) -> BTreeSet<(String, String)> {
    verdicts.stuck.iter().map(|stuck| (stuck.state.clone(), stuck.execution.clone())).collect()
}

fn stuck_lines(before: &Verdicts, after: &Verdicts, lines: &mut Vec<String>) {
    let (before, after) = (stuck_of(before), stuck_of(after));
    lines.extend(before.difference(&after).map(|(state, execution)| format!("no longer stuck: {state} {execution}")));
    lines.extend(after.difference(&before).map(|(state, execution)| format!("newly stuck: {state} {execution}")));
}

#[test]
fn sound_days_before_change_nothing() {
    over_all(|set, before| {
        let (mut all, _) = sound_days(set, before, -1);
        all.extend(set.histories.iter().cloned());
        let after = verdicts(&all, set.now);
        let mut lines = Vec::new();
        storm_lines(&before.storms, &after.storms, &mut lines);
        stuck_lines(before, &after, &mut lines);
        change_lines(&before.changes, &after.changes, &mut lines);
        lines
    });
}

#[test]
fn sound_days_after_leave_storms_and_stuck_tasks() {
    over_all(|set, before| {
        let (mut all, shift) = sound_days(set, before, 1);
        all.extend(set.histories.iter().cloned());
        let after = verdicts(&all, set.now.checked_add(shift).expect("a moment"));
        let mut lines = Vec::new();
        storm_lines(&before.storms, &after.storms, &mut lines);
        // What waited then and still waits is later than it was: only what was stuck must be.
        let later = set.now.checked_add(shift).expect("a moment");
        let waits_on = |execution: &str| set.histories.iter().any(|history| is_of(history, execution) && !is_over(history, later));
        let before = stuck_of(before);
        let lost = before.difference(&stuck_of(&after)).filter(|(_, execution)| waits_on(execution)).cloned().collect::<Vec<_>>();
        lines.extend(lost.into_iter().map(|(state, execution)| format!("no longer stuck: {state} {execution}")));
        lines
    });
}

fn is_of(history: &History, execution: &str) -> bool {
    history.header.arn.as_ref().is_some_and(|arn| arn.as_str() == execution)
}

/// Whether a limit of time would have ended the wait by then: what goes on after it is no history of the service.
fn is_over(history: &History, moment: Timestamp) -> bool {
    let limit = |event: &HistoryEvent| {
        let Details::Scheduled(scheduled) = &event.details else { return None };
        let seconds = i64::try_from(scheduled.timeout_in_seconds?).ok()?;
        event.timestamp?.checked_add(SignedDuration::from_secs(seconds)).ok()
    };
    history.events.iter().filter_map(limit).next_back().is_some_and(|limit| limit <= moment)
}

/// How large a storm must be for its half to be one that must be seen.
const LARGE: usize = 24;

#[test]
fn half_of_the_executions_tell_the_same() {
    over_all(|set, before| {
        let mut draw = Key::new(11).draw();
        let half: Vec<History> = set.histories.iter().filter(|_| draw.chance(0.5)).cloned().collect();
        let kept: BTreeSet<&str> = half.iter().filter_map(|history| history.header.arn.as_ref().map(ExecutionArn::as_str)).collect();
        let after = verdicts(&half, set.now);
        let mut lines = Vec::new();
        let large: Vec<storms::Storm> = before.storms.iter().filter(|storm| storm.executions.len() >= LARGE).cloned().collect();
        for storm in &large {
            if !after.storms.iter().any(|other| same_storm(storm, other)) {
                lines.push(format!("lost the storm {} of {} executions", storm.state, storm.executions.len()));
            }
        }
        for storm in &after.storms {
            match before.storms.iter().find(|other| same_storm(storm, other)) {
                Some(whole) if storm.from < whole.from || storm.to > whole.to => {
                    lines.push(format!("{} lasts longer with half", storm.state));
                }
                Some(_) => {}
                None => lines.push(format!("a new storm {} at {}", storm.state, storm.from.timestamp())),
            }
        }
        let (whole, after_stuck) = (stuck_of(before), stuck_of(&after));
        lines.extend(
            whole
                .iter()
                .filter(|(_, execution)| kept.contains(execution.as_str()))
                .filter(|stuck| !after_stuck.contains(stuck))
                .map(|(state, execution)| format!("no longer stuck: {state} {execution}")),
        );
        lines.extend(after_stuck.difference(&whole).map(|(state, execution)| format!("newly stuck: {state} {execution}")));
        for change in &after.changes {
            // With half of the calls the first that met a change may come later, and what came before may not be known to be free of it.
            let near = |other: &changes::ChangePoint| {
                let is_latency = |change: &changes::ChangePoint| change.signal == changes::Signal::Latency;
                let lasts = Micros::from(set.now).0 - Micros::from(before.from).0;
                (is_latency(change), &change.state_machine, &change.state) == (is_latency(other), &other.state_machine, &other.state)
                    && (other.at.0 - 2 * TOLERANCE..=other.at.0 + lasts / 8 + 2 * TOLERANCE).contains(&change.at.0)
            };
            if !before.changes.iter().any(near) {
                lines.push(format!("a new change {:?} of {} at {}", change.signal, change.state, change.at.timestamp()));
            }
        }
        lines
    });
}

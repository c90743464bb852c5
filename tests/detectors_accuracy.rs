//! How often the detectors are right, over fleets that are made here: sound ones, in which nothing may be found, and ones with a fault.
//!
//! | environment                | does                                                                     |
//! |----------------------------|--------------------------------------------------------------------------|
//! | `STEPSCOPE_CLEAN_SETS`     | how many of the 200 sound fleets run; where nobody says some, under `CI` all |
//! | `STEPSCOPE_FAULTY_SETS`    | how many of the 63 fleets with a fault run; where nobody says some, under `CI` all |
//! | `STEPSCOPE_WRITE_SETS=DIR` | keeps the executions of fleets where something was missed or wrong        |
//!
//! `--nocapture` shows the shares. What is missed or wrong is told with the number of the fleet.

#[path = "common/detect.rs"]
mod detect;
#[path = "common/fleets.rs"]
mod fleets;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use detect::Score;
use flate2::write::GzEncoder;
use fleets::Wrong;
use stepscope::model::History;
use stepscope::model::wire::WireBundle;
use stepscope::simulation::simulate;

/// How many sound fleets run where nobody says: what takes some seconds without optimisation.
const USUAL_CLEAN: u64 = 25;

/// How many fleets with a fault run where nobody says: each kind three times.
const USUAL_FAULTY: u64 = 21;

fn count(variable: &str, usual: u64, all: u64) -> u64 {
    let named = std::env::var(variable).ok().and_then(|count| count.parse().ok());
    let usual = if std::env::var_os("CI").is_some() { all } else { usual };
    named.unwrap_or(usual).clamp(1, all)
}

/// Does the work on all cores, and gives what came of it in the order of the numbers.
fn on_all_cores<T: Send>(numbers: &[u64], work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = &work;
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let share = |thread: usize| numbers.iter().copied().enumerate().skip(thread).step_by(threads);
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || share(thread).map(|(position, number)| (position, work(number))).collect::<Vec<_>>()))
            .collect();
        running.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    done.sort_by_key(|(position, _)| *position);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Keeps the executions, to look at them with the program.
fn keep(name: &str, histories: &[History]) {
    let Some(folder) = std::env::var_os("STEPSCOPE_WRITE_SETS") else { return };
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = std::fs::File::create(Path::new(&folder).join(format!("{name}.jsonl.gz"))).expect("a file");
    let mut encoder = GzEncoder::new(file, flate2::Compression::fast());
    for history in histories {
        serde_json::to_writer(&mut encoder, &WireBundle(history)).expect("written");
        encoder.write_all(b"\n").expect("written");
    }
    encoder.finish().expect("written");
}

/// What was found in sound fleets, a line for each finding.
#[derive(Default)]
struct FalseAlarms {
    fleets: usize,
    storms: Vec<String>,
    stuck: Vec<String>,
    changes: Vec<String>,
}

/// Every sound fleet is made once, for all detectors.
fn false_alarms() -> &'static FalseAlarms {
    static ALARMS: OnceLock<FalseAlarms> = OnceLock::new();
    ALARMS.get_or_init(|| {
        // Spread over all of them, so that a part is a sample.
        let count = count("STEPSCOPE_CLEAN_SETS", USUAL_CLEAN, fleets::CLEAN);
        let numbers: Vec<u64> = (0..count).map(|number| number * (fleets::CLEAN / count)).collect();
        let mut alarms = FalseAlarms { fleets: numbers.len(), ..FalseAlarms::default() };
        for found in on_all_cores(&numbers, found) {
            alarms.storms.extend(found.storms);
            alarms.stuck.extend(found.stuck);
            alarms.changes.extend(found.changes);
        }
        alarms
    })
}

/// What was found in a sound fleet.
fn found(number: u64) -> FalseAlarms {
    let fleet = fleets::clean(number);
    let simulated = simulate(&fleet).unwrap_or_else(|error| panic!("fleet {number}: {error}"));
    let truth = &simulated.truth;
    assert!(truth.storms.is_empty() && truth.stuck.is_empty() && truth.changes.is_empty(), "fleet {number} is not sound");
    let histories: Vec<&History> = simulated.histories.iter().collect();
    let verdicts = detect::detect(&histories, fleet.now);
    let told = |lines: Vec<String>| lines.into_iter().map(|line| format!("clean {number}, now {}: {line}", fleet.now)).collect::<Vec<_>>();
    let (storms, stuck, changes) = (told(verdicts.storm_lines()), told(verdicts.stuck_lines()), told(verdicts.change_lines()));
    if storms.len() + stuck.len() + changes.len() > 0 {
        keep(&format!("clean-{number}"), &simulated.histories);
    }
    FalseAlarms { fleets: 1, storms, stuck, changes }
}

#[track_caller]
fn assert_none(lines: &[String]) {
    assert!(lines.is_empty(), "{} false alarms in {} sound fleets:\n{}", lines.len(), false_alarms().fleets, lines.join("\n"));
}

#[test]
fn sound_fleets_have_no_storm() {
    assert_none(&false_alarms().storms);
}

#[test]
fn sound_fleets_have_no_stuck_task() {
    assert_none(&false_alarms().stuck);
}

#[test]
fn sound_fleets_have_no_change() {
    assert_none(&false_alarms().changes);
}

struct Scored {
    wrong: Wrong,
    scores: [Score; 3],
}

fn scored(number: u64) -> Scored {
    let (wrong, fleet) = fleets::faulty(number);
    let simulated = simulate(&fleet).unwrap_or_else(|error| panic!("fleet {number}: {error}"));
    let histories: Vec<&History> = simulated.histories.iter().collect();
    let verdicts = detect::detect(&histories, fleet.now);
    let truth = &simulated.truth;
    let mut scores =
        [detect::score_storms(&verdicts, truth), detect::score_stuck(&verdicts, truth), detect::score_changes(&verdicts, truth)];
    if scores.iter().any(|score| !score.missed.is_empty() || !score.wrong.is_empty()) {
        keep(&format!("faulty-{number}"), &simulated.histories);
    }
    for line in scores.iter_mut().flat_map(|score| score.missed.iter_mut().chain(&mut score.wrong)) {
        *line = format!("faulty {number} ({wrong:?}), now {}: {line}", fleet.now);
    }
    Scored { wrong, scores }
}

#[test]
fn storms_stuck_tasks_and_changes_are_found_and_nothing_else_is() {
    // Every third of the nine severities where only a part runs.
    let count = count("STEPSCOPE_FAULTY_SETS", USUAL_FAULTY, fleets::FAULTY);
    let numbers: Vec<u64> = (0..count).map(|position| (position % 7) + 7 * ((position / 7) * (fleets::FAULTY / count))).collect();
    let all = on_all_cores(&numbers, scored);
    let mut by_kind: BTreeMap<Wrong, [Score; 3]> = BTreeMap::new();
    let mut total: [Score; 3] = Default::default();
    for Scored { wrong, scores } in all {
        let kind = by_kind.entry(wrong).or_default();
        for (position, score) in scores.into_iter().enumerate() {
            kind[position].add(score.clone());
            total[position].add(score);
        }
    }
    let mut out = std::io::stderr();
    let mut tell = |name: &str, scores: &[Score; 3]| {
        let cell = |score: &Score| format!("{:3} right {:2} missed {:2} wrong", score.right, score.missed.len(), score.wrong.len());
        writeln!(out, "{name:10} storms {}   stuck {}   changes {}", cell(&scores[0]), cell(&scores[1]), cell(&scores[2])).expect("stderr");
    };
    for (wrong, scores) in &by_kind {
        tell(&format!("{wrong:?}"), scores);
    }
    tell("all", &total);
    for line in total
        .iter()
        .flat_map(|score| score.missed.iter().map(|line| ("missed", line)).chain(score.wrong.iter().map(|line| ("wrong", line))))
    {
        writeln!(std::io::stderr(), "{} {}", line.0, line.1).expect("stderr");
    }
    for (name, score) in ["storms", "stuck", "changes"].iter().zip(&total) {
        assert!(score.right > 0, "{name}: no fleet had any");
        assert!(score.precision() >= 0.95 && score.recall() >= 0.95, "{name}: {:.3} {:.3}", score.precision(), score.recall());
    }
}

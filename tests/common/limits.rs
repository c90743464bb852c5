//! Executions that approach the service's limits, and some that do not.

use serde_json::json;
use stepscope::model::builder::{HistoryBuilder, history, milliseconds, seconds};
use stepscope::model::wire::WireBundle;
use stepscope::model::{History, Timestamp};

/// 2026-01-01T00:00:00Z.
const FIRST: i64 = 1_767_225_600;
const DAY: i64 = 86_400;

fn told(machine: &str, name: &str, second: i64) -> HistoryBuilder {
    let mut told = history(machine);
    told.named(name).clock_at(Timestamp::from_second(second).expect("a moment")).pace(milliseconds(0));
    told
}

/// A Map of `Imports` that has begun 400 of 4,000 items: there is room for 3,571.
fn too_many_items() -> HistoryBuilder {
    let mut told = told("Imports", "run-large", FIRST + 19 * DAY);
    told.enter_map("Rows", json!([])).map_started(4_000);
    for index in 0..400 {
        let mut iteration = told.iteration(index);
        iteration.enter_task("Load", json!({})).taking(seconds(2)).attempt_succeeded(json!({})).exit(json!({}));
        iteration.iteration_succeeded();
    }
    told
}

/// A poll of `Orders` that nobody ends.
fn endless() -> HistoryBuilder {
    let mut told = told("Orders", "run-endless", FIRST + 18 * DAY);
    for _ in 0..2_000 {
        told.enter_task("Poll", json!({})).taking(milliseconds(200)).attempt_succeeded(json!({})).exit(json!({}));
        told.wait("Pause", json!({}), seconds(30));
    }
    told
}

/// `Reports` collects ten thousand bytes more each day; on the last one they were too many.
fn report(day: i64) -> HistoryBuilder {
    let mut told = told("Reports", &format!("run-{day:02}"), FIRST + day * DAY);
    let bytes = usize::try_from(60_000 + 10_000 * day).expect("a size");
    told.enter_task("Collect", json!({"day": day})).taking(seconds(5));
    if day == 19 {
        let cause = "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit.";
        told.attempt_failed("States.DataLimitExceeded", Some(cause)).execution_failed();
    } else {
        told.attempt_succeeded(json!({"rows": "\"x\"\n".repeat(bytes / 6)})).exit(json!({"rows": 1})).execution_succeeded(json!({}));
    }
    told
}

/// Everything together.
pub fn near_limits() -> Vec<History> {
    let mut all = vec![too_many_items(), endless()];
    all.extend((0..20).map(report));
    all.iter().map(HistoryBuilder::build).collect()
}

/// One bundle a line.
pub fn lines(histories: &[History]) -> String {
    histories.iter().map(|history| serde_json::to_string(&WireBundle(history)).expect("a history is JSON") + "\n").collect()
}

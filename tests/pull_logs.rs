//! Logs of a state machine into a store: which stretches are read, what of them is stored, and what happens when it does not go well.

mod common;

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use common::fake_endpoint::{FakeEndpoint, Reply, Request};
use common::log_group::{EIGHT, Group, Line, definition, failing, succeeding};
use common::program::{argument, stepscope};
use common::{REGION, block_on, settings_for};
use serde_json::Value;
use stepscope::analysis::pull_logs::{MachineLogs, Via};
use stepscope::model::facts::WorkflowType;
use stepscope::model::{RawText, Timestamp};
use stepscope::pull::logs::{LogsPull, Pulled, Watch, pull};
use stepscope::sources::aws::logs::LogWindow;
use stepscope::sources::aws::{AwsError, AwsSettings, AwsSource, Logging, MachineDescription, Patience};
use stepscope::store::Store;

const GROUP: &str = "/aws/vendedlogs/states/Orders-Logs";
const HOUR: i64 = 3_600;

fn express(run: impl std::fmt::Display) -> String {
    format!("arn:aws:states:{REGION}:123456789012:express:Orders:{run}:7fa0cfbe-be28-4a20-9875-73c37f5dc39e")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(EIGHT + second).expect("a moment")
}

/// The machine Orders, which logs at a level; at `OFF` nowhere.
fn machine(level: &str) -> MachineDescription {
    let log_group_arn = (level != "OFF").then(|| format!("arn:aws:logs:{REGION}:123456789012:log-group:{GROUP}:*"));
    MachineDescription {
        arn: format!("arn:aws:states:{REGION}:123456789012:stateMachine:Orders").parse().expect("an ARN"),
        name: "Orders".to_owned(),
        workflow_type: Some(WorkflowType::Express),
        definition: RawText::plain(definition().to_string()),
        revision_id: None,
        role_arn: "arn:aws:iam::123456789012:role/r".to_owned(),
        logging: Logging { level: Some(level.to_owned()), includes_execution_data: true, log_group_arn },
        tracing: false,
    }
}

/// Stops after so many looks.
struct Patient {
    left: Cell<usize>,
}

impl Watch for Patient {
    fn progress(&mut self, _: &MachineLogs) {}

    fn is_stopped(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left == 0
    }
}

/// One pull, as its story tells it.
struct Story<'a> {
    folder: &'a Path,
    window: (i64, i64),
    now: i64,
    via: Via,
    level: &'a str,
    pages_until_stop: usize,
    anew: bool,
}

impl<'a> Story<'a> {
    /// Of everything from eight to ten, at noon.
    fn new(folder: &'a Path) -> Self {
        Self { folder, window: (0, 2 * HOUR), now: 4 * HOUR, via: Via::Filter, level: "ALL", pages_until_stop: usize::MAX, anew: false }
    }

    fn pull(&self, endpoint: &FakeEndpoint) -> Pulled {
        let store = Store::create_or_open(self.folder).expect("a store");
        let ledger = store.ledger().expect("a ledger");
        let writer = store.writer(at(self.now), 1).expect("a writer");
        let patience = Patience { attempts: 2, first_wait: Duration::from_millis(1), ..Patience::default() };
        block_on(async {
            let settings = AwsSettings { patience, ..settings_for(endpoint.url()) };
            let source = AwsSource::connect(&settings, Some(REGION)).await.expect("settings for loopback");
            let settings = LogsPull {
                source: &source,
                worker: &|| writer.worker(),
                ledger: &ledger,
                window: LogWindow::new(at(self.window.0), at(self.window.1)),
                via: self.via,
                anew: self.anew,
                now: at(self.now),
                flags: "",
            };
            let mut watch = Patient { left: Cell::new(self.pages_until_stop) };
            pull(settings, &machine(self.level), &mut watch).await.expect("the store takes it")
        })
    }

    fn report(&self, endpoint: &FakeEndpoint) -> MachineLogs {
        let pulled = self.pull(endpoint);
        assert_eq!(pulled.error, None);
        pulled.report
    }
}

fn endpoint_of(group: &Group) -> FakeEndpoint {
    let group = group.clone();
    FakeEndpoint::start(move |request: &Request| group.answer(request, 40).unwrap_or_else(|| panic!("nobody asks for {}", request.action)))
}

/// Twenty-four executions, one every five minutes, which take as long as they may; every third fails.
fn two_hours() -> Vec<Line> {
    (0..24).flat_map(|number: i64| one(number, number * 300)).collect()
}

fn one(number: i64, second: i64) -> Vec<Line> {
    let arn = express(format!("run-{number:02}"));
    if number % 3 == 0 { failing(&arn, EIGHT + second, 299.0) } else { succeeding(&arn, EIGHT + second, 299.0) }
}

/// What the store answers: executions, and those that are incomplete.
fn stored(folder: &Path) -> (u64, Vec<Value>) {
    let run = stepscope([
        "query",
        "--store",
        argument(folder),
        "--output",
        "json",
        "SELECT execution, status, events, gaps FROM executions ORDER BY execution",
    ]);
    let rows = run.ends_with(0).json();
    let rows = rows["rows"].as_array().or(rows.as_array()).expect("rows").clone();
    (rows.len() as u64, rows)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn every_execution_of_the_window_is_stored_whole_although_slices_cut_through_them() {
    let (folder, group) = (folder(), Group::with(two_hours()));
    let report = Story::new(folder.path()).report(&endpoint_of(&group));
    assert_eq!((report.new, report.replaced, report.known, report.without_end, report.outside), (24, 0, 0, 0, 0));
    assert_eq!((report.records, report.log_events, report.unreadable_records), (8 * 8 + 16 * 9, 8 * 8 + 16 * 9, 0));
    assert_eq!((report.not_looked_at.len(), report.advice.is_none(), report.is_whole()), (0, true, true));
    assert!(group.take_asked().len() > 10, "several slices");
    let (count, rows) = stored(folder.path());
    assert_eq!(count, 24);
    let failed = rows.iter().filter(|row| row.to_string().contains("FAILED")).count();
    assert_eq!(failed, 8, "{rows:?}");
}

#[test]
fn the_next_pull_reads_what_is_new_and_what_may_have_been_late() {
    let (folder, group) = (folder(), Group::with(two_hours()));
    let endpoint = endpoint_of(&group);
    let first = Story { window: (0, HOUR), now: HOUR, ..Story::new(folder.path()) }.report(&endpoint);
    assert!(!first.read_before);
    group.take_asked();
    let second = Story { window: (0, 2 * HOUR), now: 4 * HOUR, ..Story::new(folder.path()) }.report(&endpoint);
    assert_eq!(group.take_asked().iter().map(|(from, _)| *from).min(), Some(45 * 60), "a quarter of an hour is read again");
    assert!(second.read_before);
    let third = Story { window: (0, 2 * HOUR), now: 4 * HOUR, ..Story::new(folder.path()) }.report(&endpoint);
    assert_eq!((third.calls, third.executions()), (0, 0));
    let (count, rows) = stored(folder.path());
    assert_eq!(count, 24);
    assert!(rows.iter().all(|row| row.to_string().contains("FAILED") || row.to_string().contains("SUCCEEDED")), "{rows:?}");
    let anew = Story { anew: true, ..Story::new(folder.path()) }.report(&endpoint);
    assert_eq!((anew.known, anew.new, anew.replaced), (24, 0, 0));
}

#[test]
fn a_pull_that_is_stopped_anywhere_goes_on_where_it_was_and_ends_with_the_same_store() {
    let group = Group::with(two_hours());
    let whole = folder();
    Story::new(whole.path()).report(&endpoint_of(&group));
    let calls_of_a_whole_one = group.take_asked().len();
    for pages in [0, 1, 3, 7] {
        let folder = folder();
        let mut calls = 0;
        for attempt in 0.. {
            let pulled = Story { pages_until_stop: pages, ..Story::new(folder.path()) }.pull(&endpoint_of(&group));
            calls += group.take_asked().len();
            if !pulled.is_stopped {
                break;
            }
            assert!(pulled.report.not_looked_at[0].contains("stopped"));
            assert!(attempt < 40 || pages == 0);
            if pages == 0 && attempt == 2 {
                Story::new(folder.path()).report(&endpoint_of(&group));
                break;
            }
        }
        assert_eq!(stored(folder.path()), stored(whole.path()), "stopped after {pages} pages");
        assert!(pages == 0 || calls <= calls_of_a_whole_one * 3, "{calls} calls instead of {calls_of_a_whole_one}");
    }
}

#[test]
fn an_execution_that_is_open_is_stored_as_it_is_and_completed_the_next_time() {
    let (folder, group) = (folder(), Group::default());
    let mut lines = one(0, HOUR - 60);
    let rest = lines.split_off(6);
    group.add(lines);
    let endpoint = endpoint_of(&group);
    let first = Story { window: (0, HOUR), now: HOUR, ..Story::new(folder.path()) }.report(&endpoint);
    assert_eq!((first.new, first.without_end), (1, 1));
    group.add(rest);
    let second = Story { window: (0, 2 * HOUR), now: 4 * HOUR, ..Story::new(folder.path()) }.report(&endpoint);
    assert_eq!((second.new, second.replaced, second.without_end), (0, 1, 0));
    assert!(stored(folder.path()).1[0].to_string().contains("FAILED"));
}

#[test]
fn records_that_are_lost_late_doubled_or_of_others_are_counted_and_never_in_the_way() {
    let (folder, group) = (folder(), Group::default());
    let whole = one(0, 0);
    group.add(whole.iter().chain(&whole).cloned());
    let mut lost = one(1, 60);
    lost.remove(4);
    group.add(lost);
    let other = one(2, 120).into_iter().map(|(at, line)| (at, line.replace(":Orders:", ":Refunds:")));
    group.add(other);
    group.add([
        (EIGHT * 1_000 + 5, "START RequestId: 7fa0cfbe Version: $LATEST".to_owned()),
        (EIGHT * 1_000 + 6, whole[3].1[..120].to_owned()),
        (EIGHT * 1_000 + 7, whole[4].1[..120].to_owned()),
    ]);
    let report = Story::new(folder.path()).report(&endpoint_of(&group));
    assert_eq!((report.new, report.known), (2, 0), "{report:?}");
    assert_eq!((report.repeated_records, report.other_lines, report.unreadable_records), (8, 10, 2), "{report:?}");
    let [unreadable] = report.unreadable.as_slice() else { panic!("one kind: {report:?}") };
    assert!(unreadable.contains(GROUP) && unreadable.contains("cut short"), "{unreadable}");
    assert!(!report.is_whole());
    let (_, rows) = stored(folder.path());
    assert!(rows[1].to_string().contains("missing_events"), "{rows:?}");
}

#[test]
fn executions_that_began_outside_of_the_window_are_left_out_and_counted() {
    let (folder, group) = (folder(), Group::with(two_hours()));
    let story = Story { window: (30 * 60 + 10, HOUR), ..Story::new(folder.path()) };
    let report = story.report(&endpoint_of(&group));
    // Run 6 began ten seconds before, and run 5 ended then; runs 12 to 14 began within the time that is read beyond the end.
    assert_eq!((report.new, report.outside), (5, 5), "{report:?}");
    let (_, rows) = stored(folder.path());
    assert!(rows[0].to_string().contains("run-07") && rows[4].to_string().contains("run-11"), "{rows:?}");
    let earlier = Story { window: (0, 10 * 60), ..Story::new(folder.path()) }.report(&endpoint_of(&group));
    assert_eq!((earlier.new, earlier.read_before), (2, false), "what lies before what was read is not read yet: {earlier:?}");
    let rest = Story::new(folder.path()).report(&endpoint_of(&group));
    assert_eq!((rest.new, stored(folder.path()).0), (17, 24), "{rest:?}");
}

#[test]
fn a_query_gives_what_pages_give_and_tells_what_it_costs() {
    let group = Group::with(two_hours());
    let (by_page, by_query) = (folder(), folder());
    Story::new(by_page.path()).report(&endpoint_of(&group));
    let report = Story { via: Via::Insights, ..Story::new(by_query.path()) }.report(&endpoint_of(&group));
    assert_eq!((report.new, report.without_end), (24, 0), "{report:?}");
    assert!(report.bytes_scanned >= 12_000_000 && report.scanned_usd > 0.0, "{report:?}");
    assert_eq!(report.bytes_scanned % 1_000_000, 0, "each query scans a megabyte, and is counted once");
    assert_eq!(stored(by_page.path()), stored(by_query.path()));
}

#[test]
fn a_level_that_leaves_out_the_beginning_gives_what_can_be_told() {
    let (folder, group) = (folder(), Group::default());
    for number in [0_i64, 3] {
        let arn = express(format!("run-{number}"));
        group.add(failing(&arn, EIGHT + number * 60, 20.0).split_off(6));
    }
    let report = Story { level: "ERROR", ..Story::new(folder.path()) }.report(&endpoint_of(&group));
    assert_eq!((report.new, report.outside, report.without_end), (2, 0, 0), "{report:?}");
    let advice = report.advice.expect("advice");
    assert!(advice.lack.contains("only failures") && advice.commands[0].contains("update-state-machine"), "{advice:?}");
    let why = stepscope(["why", &express("run-3"), "--store", argument(folder.path())]);
    why.ends_with(0).shows(&["CardDeclined", "insufficient funds", "level ERROR"]);
}

#[test]
fn a_machine_that_does_not_log_is_told_how_to_and_nobody_is_asked() {
    let folder = folder();
    let endpoint = FakeEndpoint::start(|request| panic!("nobody asks for {}", request.action));
    let report = Story { level: "OFF", ..Story::new(folder.path()) }.report(&endpoint);
    assert_eq!(report.not_looked_at, ["logging is off: nothing is left of them"]);
    assert_eq!((report.log_group, report.via, report.advice.expect("advice").commands.len()), (None, None, 2));
}

#[test]
fn a_group_that_can_not_be_read_is_an_error_of_its_machine_and_what_was_read_stays() {
    let group = Group::with(two_hours());
    let fails_later = |code: &'static str, message: &'static str| {
        let group = group.clone();
        FakeEndpoint::start(move |request: &Request| match request.earlier {
            0..=8 => group.answer(request, 40).expect("only logs are asked for"),
            _ => Reply::Error(code, message),
        })
    };
    let folder = folder();
    let pulled = Story::new(folder.path()).pull(&fails_later("ResourceNotFoundException", "The specified log group does not exist."));
    assert!(matches!(pulled.error, Some(AwsError::NoLogGroup { .. })), "{pulled:?}");
    assert!(pulled.report.new > 0 && stored(folder.path()).0 == pulled.report.new, "{pulled:?}");
    let [missing] = pulled.report.not_looked_at.as_slice() else { panic!("one reason: {pulled:?}") };
    assert!(missing.contains("from 2026-01-02T0") && missing.contains("deleted"), "{missing}");
    let rest = Story::new(folder.path()).report(&endpoint_of(&group));
    assert!(rest.read_before && rest.without_end == 0, "{rest:?}");
    assert_eq!(stored(folder.path()).0, 24);
}

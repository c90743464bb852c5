//! `failures` as its user runs it: on files, with every flag, and with nothing to find.

mod common;

use std::path::{Path, PathBuf};

use common::program::{argument, stepscope, stepscope_reading};
use serde_json::{Value, json};
use stepscope::model::Timestamp;
use stepscope::model::builder::{HistoryBuilder, history, seconds};
use stepscope::model::wire::WireBundle;
use tempfile::TempDir;

/// An hour of orders, one a minute: every tenth is declined, from the fortieth on every second one lacks a tax region.
struct Orders {
    folder: TempDir,
}

const FIRST: &str = "2026-11-20T08:00:00Z";

impl Orders {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lines = String::new();
        for minute in 0..60 {
            lines += &line(&order(minute));
        }
        std::fs::write(folder.path().join("orders.jsonl"), lines).expect("a file");
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("orders.jsonl")
    }

    fn add(&self, stories: &[HistoryBuilder]) {
        let text: String = stories.iter().map(line).collect();
        let path = self.file();
        let before = std::fs::read_to_string(&path).expect("the file");
        std::fs::write(path, before + &text).expect("a file");
    }
}

fn line(story: &HistoryBuilder) -> String {
    serde_json::to_string(&WireBundle(&story.build())).expect("JSON") + "\n"
}

fn begun(machine: &str, name: &str, minute: i64) -> HistoryBuilder {
    let mut story = history(machine);
    let first: Timestamp = FIRST.parse().expect("a time");
    story.clock_at(first + jiff::SignedDuration::from_mins(minute)).named(name).enter_task("Check", json!({"order": minute}));
    story
}

fn order(minute: i64) -> HistoryBuilder {
    let mut story = begun("Orders", &format!("order-{minute}"), minute);
    story.after(seconds(2));
    if minute >= 40 && minute % 2 == 1 {
        let cause = json!({"errorType": "KeyError", "errorMessage": "'taxRegion'", "requestId": format!("r-{minute}"),
            "stackTrace": [format!("  File \"/var/task/check.py\", line {minute}, in check\n    return 1\n")]});
        story.attempt_failed("KeyError", Some(&cause.to_string())).execution_failed();
    } else if minute % 10 == 0 {
        story.attempt_failed("Declined", Some(&format!("card {minute} was declined by 10.0.0.{minute}"))).execution_failed();
    } else {
        story.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    }
    story
}

fn failures(path: &Path, more: &[&str]) -> common::program::Run {
    stepscope([&["failures", "--input", argument(path)], more].concat())
}

fn groups(path: &Path, more: &[&str]) -> Vec<Value> {
    let document = failures(path, &[more, &["--output", "json"]].concat()).ends_with(0).json();
    document["groups"].as_array().expect("groups").clone()
}

fn id(group: &Value) -> &str {
    group["id"].as_str().expect("an id")
}

#[test]
fn the_worst_comes_first_with_when_how_often_and_whether_it_is_new() {
    let orders = Orders::new();
    let run = failures(&orders.file(), &[]).succeeds();
    let at = |words: &str| run.out.find(words).unwrap_or_else(|| panic!("no `{words}` in\n{}", run.out));
    assert!(at("16 of 60 executions failed, 2 causes") < at("KeyError"));
    assert!(at("KeyError") < at("NEW: none in the 41 executions before it, 10 in 19 since"));
    assert!(at("08:41 to 08:59, 17% of executions") < at("Declined"));
    assert!(at("Declined") < at("card <num> was declined by <ip>"));
    assert!(at("Next") < at("stepscope why"));
    assert!(run.out.lines().all(|line| line.starts_with("    stepscope") || line.chars().count() <= 80), "{}", run.out);
}

#[test]
fn the_commands_that_it_tells_run() {
    let orders = Orders::new();
    let group = &groups(&orders.file(), &[])[0];
    let next = group["next"].as_array().expect("commands");
    assert_eq!(next.len(), 2);
    for next in next {
        let command = next["command"].as_str().expect("a command");
        let words = command.strip_prefix("stepscope ").expect("this program").split(' ');
        stepscope(words).ends_with(0).shows(&["KeyError"]);
    }
}

#[test]
fn the_window_leaves_out_what_started_before_and_learns_from_it() {
    let orders = Orders::new();
    let found = groups(&orders.file(), &["--since", "2026-11-20T08:40:00Z", "--sort", "new"]);
    assert_eq!((found[0]["error"].as_str(), found[0]["count"].as_u64()), (Some("KeyError"), Some(10)));
    assert_eq!(found[0]["new"]["executions_before"], 41);
    assert_eq!((found[1]["error"].as_str(), found[1]["count"].as_u64(), &found[1]["new"]), (Some("Declined"), Some(2), &Value::Null));
    assert_eq!(found[1]["first_seen"], "2026-11-20T08:40:02Z");
    assert_eq!(found[1]["first_seen_ever"], "2026-11-20T08:00:02Z");
    assert_eq!(found[1]["share_of_machine"], 0.1);
}

#[test]
fn a_group_is_opened_by_the_beginning_of_its_id() {
    let orders = Orders::new();
    let found = groups(&orders.file(), &[]);
    let wanted = &id(&found[0])[..8];
    failures(&orders.file(), &["--group", wanted]).succeeds().shows(&[
        "10 executions of Orders: Check, KeyError",
        "'taxRegion'",
        "same innermost frames: check.py check",
        "line 59, in check",
        "the latest 5 of 10; all with --output jsonl",
        "order-59",
        "compare --input",
    ]);
    let lines = failures(&orders.file(), &["--group", wanted, "--output", "jsonl"]).succeeds().json_lines();
    let names: Vec<&str> = lines.iter().filter_map(|line| line["name"].as_str()).collect();
    assert_eq!((names.len(), names[0], names[9]), (10, "order-41", "order-59"));
    let document = failures(&orders.file(), &["--group", wanted, "--output", "json"]).succeeds().json();
    assert_eq!((document["examples"].as_array().map(Vec::len), &document["handled"]["cured_by_retry"]), (Some(3), &json!(0)));
}

#[test]
fn an_id_that_names_several_groups_or_none_says_so() {
    let orders = Orders::new();
    let found = groups(&orders.file(), &[]);
    failures(&orders.file(), &["--group", "1:"]).ends_with(2).says(&["is the beginning of", id(&found[0]), id(&found[1])]);
    failures(&orders.file(), &["--group", "9:77"]).ends_with(4).says(&["no failure group has an id that begins with `9:77`, of 2"]);
}

#[test]
fn statuses_sizes_and_limits_choose_and_say_what_is_left_out() {
    let orders = Orders::new();
    let mut stopped = begun("Orders", "stopped", 30);
    stopped.scheduled().started().after(seconds(9)).execution_stopped(Some("Operator"), Some("stopped for order 17"));
    let mut late = begun("Orders", "late", 31);
    late.scheduled().started().after(seconds(900)).execution_timed_out();
    orders.add(&[stopped, late]);
    let file = orders.file();
    let counts = |more: &[&str]| -> Vec<u64> { groups(&file, more).iter().filter_map(|group| group["count"].as_u64()).collect() };
    assert_eq!(counts(&[]), [10, 6, 1, 1]);
    assert_eq!(counts(&["--min", "2"]), [10, 6]);
    assert_eq!(counts(&["--limit", "1"]), [10]);
    failures(&file, &["--limit", "1"]).succeeds().shows(&["1 of 4 causes", "… and 3 groups with 8 executions; --limit shows more"]);
    let recent = groups(&file, &["--sort", "recent"]);
    assert_eq!(recent[0]["error"], "KeyError");
    let stopped = failures(&file, &["--status", "aborted"]).succeeds().shows(&["stopped for order <num>"]);
    assert!(!stopped.out.contains("KeyError"));
    failures(&file, &["--status", "timed-out"]).succeeds().shows(&["time limit ran out while this state was open"]);
    failures(&file, &["--min", "50"]).ends_with(4).says(&["no group has 50 or more executions; 18 failed"]);
}

#[test]
fn parents_stand_with_the_child_that_brought_them_down() {
    let orders = Orders::new();
    let mut stories = Vec::new();
    for number in 0..3 {
        let mut child = begun("Payments", &format!("pay-{number}"), number);
        child.attempt_failed("CardDeclined", Some(&format!("code {number}"))).execution_failed();
        let mut parent = history("Shop");
        let first: Timestamp = FIRST.parse().expect("a time");
        parent.clock_at(first + jiff::SignedDuration::from_mins(number)).named(&format!("shop-{number}"));
        parent.enter_task("Pay", json!({})).calls("states", "startExecution.sync:2").scheduled().started().submitted_child(&child.arn());
        let cause =
            json!({"Error": "CardDeclined", "Cause": format!("code {number}"), "ExecutionArn": child.arn().as_str(), "Status": "FAILED"});
        parent.after(seconds(5)).failed("States.TaskFailed", Some(&cause.to_string())).execution_failed();
        // The parent comes first: what it waits for is not known yet.
        stories.extend([parent, child]);
    }
    orders.add(&stories);
    let found = groups(&orders.file(), &[]);
    let of = |machine: &str| {
        let is_of = |group: &&Value| group["state_machine"].as_str().is_some_and(|arn| arn.ends_with(machine));
        found.iter().find(is_of).expect("a group")
    };
    assert_eq!(of("Shop")["caused_by"], of("Payments")["id"]);
    assert_eq!(
        (&of("Shop")["count"], &of("Shop")["error"], &of("Shop")["waited_in"][0]["state"]),
        (&json!(3), &json!("CardDeclined"), &json!("Pay"))
    );
    let run = failures(&orders.file(), &[]).succeeds();
    assert!(run.out.contains(&format!("brought down 3 of Shop {}", id(of("Shop")))), "{}", run.out);
    assert!(run.out.contains("22 of 66 executions failed, 3 causes"), "{}", run.out);

    // Of another machine than the one asked for, and still the cause.
    let only = groups(&orders.file(), &["--state-machine", "Shop"]);
    assert_eq!((only.len(), &only[0]["id"], &only[0]["error"]), (1, &of("Shop")["id"], &json!("CardDeclined")));
    failures(&orders.file(), &["--state-machine", "Shop"]).succeeds().shows(&["executions of Shop, which waited for Payments"]);
}

#[test]
fn nothing_to_find_is_said_with_what_was_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("one.json");
    let mut story = begun("Orders", "fine", 1);
    story.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    std::fs::write(&path, line(&story)).expect("a file");
    let one = failures(&path, &[]).ends_with(4).says(&["the only execution looked at has not failed"]);
    assert_eq!(one.out, "");
    failures(&path, &["--exit-status", "--quiet"]).ends_with(4);
    failures(&path, &["--state-machine", "Other"])
        .ends_with(4)
        .says(&["the only execution in the input is not of that machine and in that window"]);
    stepscope_reading(["failures", "--input", "-"], "").ends_with(1).says(&["standard input is empty"]);
    failures(&folder.path().join("missing"), &[]).ends_with(1);
    let nowhere = stepscope(["failures"]).says(&["--store"]);
    assert!([1, 2].contains(&nowhere.code), "{nowhere:?}");
    failures(&Orders::new().file(), &["--exit-status"]).ends_with(3);
}

#[test]
fn names_and_messages_cannot_write_to_the_terminal_and_secrets_are_masked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("evil.json");
    let mut story = history("Orders");
    story.named("evil").enter_task("Ch\u{1b}[2Jeck \u{202e}x", json!({}));
    story
        .attempt_failed("Bad\u{7}", Some("refused password=hunter2hunter2 by \u{1b}]0;owned\u{7} AKIAIOSFODNN7EXAMPLE"))
        .execution_failed();
    std::fs::write(&path, line(&story)).expect("a file");
    for more in [&[][..], &["--group", "1"], &["--output", "json"]] {
        let run = failures(&path, more).ends_with(0);
        assert!(!run.out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{}", run.out);
    }
}

#[test]
fn a_store_gives_the_answer_of_the_files_that_went_into_it() {
    let orders = Orders::new();
    let store = orders.folder.path().join("store");
    stepscope(["ingest", "--quiet", "--store", argument(&store), argument(&orders.file())]).ends_with(0);
    for more in
        [&[][..], &["--since", "2026-11-20T08:40:00Z"], &["--group", "1:", "--min", "7", "--status", "failed", "--state-machine", "Orders"]]
    {
        let from_store = stepscope([&["failures", "--store", argument(&store), "--output", "json"], more].concat());
        let from_file = failures(&orders.file(), &[more, &["--output", "json"]].concat());
        assert_eq!(from_store.code, from_file.code);
        let without_commands = |run: common::program::Run| -> Vec<Value> {
            let document: Value = serde_json::from_str(&run.out).unwrap_or_default();
            let mut groups = document["groups"].as_array().cloned().unwrap_or_default();
            for group in &mut groups {
                group["next"] = Value::Null;
            }
            groups
        };
        assert_eq!(without_commands(from_store), without_commands(from_file));
    }
    let next = stepscope(["failures", "--store", argument(&store)]).succeeds();
    assert!(next.out.contains(&format!("stepscope failures --store {} --group 1:", argument(&store))), "{}", next.out);
}

#[test]
fn the_same_executions_in_another_order_give_the_same_bytes() {
    let orders = Orders::new();
    let text = std::fs::read_to_string(orders.file()).expect("the file");
    let turned: Vec<&str> = text.lines().rev().collect();
    let turned_file = orders.folder.path().join("turned.jsonl");
    std::fs::write(&turned_file, turned.join("\n")).expect("a file");
    let (one, other) = (groups(&orders.file(), &[]), groups(&turned_file, &[]));
    let without_commands = |groups: Vec<Value>| -> Vec<Value> {
        groups
            .into_iter()
            .map(|mut group| {
                group["next"] = Value::Null;
                group
            })
            .collect()
    };
    assert_eq!(without_commands(one), without_commands(other));
}

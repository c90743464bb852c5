use bumpalo::Bump;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::analysis::facts::{self, Rebuilt};
use crate::analysis::fleet::{Coverage, Question};
use crate::model::builder::{history, seconds};
use crate::model::{ExecutionFacts, ExecutionStatus, FailureFacts, Micros};
use crate::rebuild::rebuild;

const ORDERS: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";
const PAYMENTS: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Payments";

/// An execution that started in this minute and succeeded.
fn succeeded(name: &'static str, machine: &'static str, minute: i64) -> ExecutionFacts<'static> {
    let start = Micros(minute * 60_000_000);
    ExecutionFacts {
        execution: name,
        name,
        state_machine: Some(machine),
        status: Some(ExecutionStatus::Succeeded),
        start: Some(start),
        stop: Some(Micros(start.0 + 1_000_000)),
        ..ExecutionFacts::default()
    }
}

fn failed(name: &'static str, machine: &'static str, minute: i64, error: &'static str, cause: &'static str) -> ExecutionFacts<'static> {
    let failure = FailureFacts {
        terminal_state: Some("Charge"),
        root_state: Some("Charge"),
        root_error: Some(error),
        root_cause: Some(cause),
        kind: "task_failed",
        confidence: "certain",
        ..FailureFacts::default()
    };
    ExecutionFacts { status: Some(ExecutionStatus::Failed), failure: Some(failure), ..succeeded(name, machine, minute) }
}

fn because_of(child: &'static str, parent: ExecutionFacts<'static>) -> ExecutionFacts<'static> {
    let mut facts = parent;
    facts.failure = facts.failure.map(|failure| FailureFacts { child: Some(child), terminal_state: Some("Pay"), ..failure });
    facts
}

/// Names that live as long as the tests.
fn named(prefix: &str, number: usize) -> &'static str {
    Box::leak(format!("{prefix}-{number}").into_boxed_str())
}

fn answered(executions: &[ExecutionFacts<'_>]) -> (Failures, Coverage) {
    let (mut failures, mut coverage) = (Failures::new(true), Coverage::default());
    for facts in executions {
        coverage.count(facts);
        failures.take(facts);
    }
    (failures, coverage)
}

fn asked(executions: &[ExecutionFacts<'_>]) -> FailuresReport {
    let (failures, coverage) = answered(executions);
    report(&failures, &coverage, &Asked::default())
}

fn counts(report: &FailuresReport) -> Vec<(&str, u64)> {
    report.groups.iter().map(|group| (group.message.as_str(), group.count)).collect()
}

#[test]
fn failures_that_differ_in_values_make_one_group() {
    let report = asked(&[
        failed("a", ORDERS, 1, "Declined", "card 17 declined"),
        failed("b", ORDERS, 2, "Declined", "card 23 declined"),
        failed("c", ORDERS, 3, "Declined", "card 23 stolen"),
        failed("d", PAYMENTS, 3, "Declined", "card 23 declined"),
        succeeded("e", ORDERS, 4),
    ]);
    let mut found = counts(&report);
    found.sort_unstable();
    assert_eq!(found, [("card <num> declined", 1), ("card <num> declined", 2), ("card <num> stolen", 1)]);
    let first = &report.groups[0];
    assert_eq!((first.count, first.share_of_machine, first.share_of_failures), (2, 0.5, 0.5));
    assert_eq!((first.first_seen, first.last_seen), (Some(Micros(61_000_000)), Some(Micros(121_000_000))));
    assert_eq!(first.executions, ["a", "b"]);
    assert_eq!(first.samples[0].name, "b", "the latest first");
    assert_eq!((report.failures, report.own_failures), (4, 4));
}

#[test]
fn a_parent_belongs_to_the_failure_of_its_child() {
    let report = asked(&[
        because_of("child", failed("parent", ORDERS, 1, "States.TaskFailed", "{}")),
        because_of("parent", failed("grandparent", ORDERS, 1, "States.TaskFailed", "{}")),
        because_of("not-read", failed("other", ORDERS, 2, "States.TaskFailed", "somebody failed")),
        failed("child", PAYMENTS, 1, "Declined", "card 17 declined"),
    ]);
    assert_eq!((report.failures, report.own_failures), (4, 2));
    let child = report.groups.iter().find(|group| group.executions == ["child"]).expect("its group");
    let parents = report.groups.iter().find(|group| group.executions == ["grandparent", "parent"]).expect("their group");
    assert_eq!(child.brought_down, [Upstream { id: parents.id.clone(), state_machine: Some(ORDERS.to_owned()), count: 2 }]);
    assert_eq!(parents.caused_by.as_ref(), Some(&child.id));
    assert_eq!((parents.error.as_deref(), parents.root_state_machine.as_deref()), (Some("Declined"), Some(PAYMENTS)));
    assert_eq!(parents.waited_in, [WaitedIn { state: Some("Pay".to_owned()), count: 2 }]);
    assert_ne!(parents.id, child.id);
    let unread = report.groups.iter().find(|group| group.executions == ["other"]).expect("its group");
    assert_eq!(unread.message, "somebody failed");
}

#[test]
fn children_in_a_circle_end_the_search() {
    let mut executions = [
        because_of("a", failed("d", ORDERS, 1, "E", "w")),
        because_of("b", failed("a", ORDERS, 1, "E", "x")),
        because_of("a", failed("b", ORDERS, 1, "E", "y")),
        because_of("c", failed("c", ORDERS, 1, "E", "z")),
    ];
    for _ in 0..4 {
        executions.rotate_left(1);
        let report = asked(&executions);
        let mut found: Vec<String> = report.groups.iter().map(|group| group.executions.join(" ")).collect();
        found.sort();
        assert_eq!(found, ["a d", "b", "c"], "whichever came first");
    }
}

#[test]
fn a_chain_of_any_depth_is_followed() {
    let mut chain = vec![failed(named("link", 0), ORDERS, 0, "E", "the first")];
    for depth in 1..5_000 {
        chain.push(because_of(named("link", depth - 1), failed(named("link", depth), ORDERS, 1, "States.TaskFailed", "a child failed")));
    }
    let report = asked(&chain);
    assert_eq!(counts(&report), [("the first", 5_000)]);
}

#[test]
fn what_was_never_seen_before_is_new_and_one_failure_is_not() {
    let mut executions: Vec<ExecutionFacts<'_>> = (0..200).map(|minute| succeeded(named("ok", 0), ORDERS, minute)).collect();
    executions.extend((0..5).map(|count| failed(named("old", count), ORDERS, 40 * i64::try_from(count).expect("small"), "Old", "as ever")));
    executions
        .extend((0..6).map(|count| failed(named("new", count), ORDERS, 180 + i64::try_from(count).expect("small"), "New", "not before")));
    executions.push(failed("once", ORDERS, 199, "Once", "only once"));
    let report = asked(&executions);
    let new = |error: &str| report.groups.iter().find(|group| group.error.as_deref() == Some(error)).and_then(|group| group.new);
    let found = new("New").expect("it is new");
    assert_eq!((found.executions_before, found.executions_since, found.failures_since), (185, 27, 6));
    assert!(found.probability < 1e-3);
    assert_eq!((new("Old"), new("Once")), (None, None));
}

#[test]
fn what_came_before_the_window_tells_what_is_new_in_it() {
    let mut failures = Failures::new(false);
    let mut coverage = Coverage::default();
    for minute in 0..100 {
        failures.take_aside(&succeeded(named("before", 0), ORDERS, minute));
    }
    failures.take_aside(&failed("before", ORDERS, 50, "Old", "as ever"));
    for count in 0..3 {
        for facts in [failed(named("old", count), ORDERS, 100, "Old", "as ever"), failed(named("new", count), ORDERS, 101, "New", "now")] {
            coverage.count(&facts);
            failures.take(&facts);
        }
    }
    let asked = Asked { since: Some(Micros(100 * 60_000_000)), ..Asked::default() };
    let report = report(&failures, &coverage, &asked);
    let group = |error: &str| report.groups.iter().find(|group| group.error.as_deref() == Some(error)).expect("its group");
    assert!(group("New").new.is_some() && group("Old").new.is_none());
    assert_eq!((group("Old").count, group("Old").share_of_machine), (3, 0.5), "what was before does not count");
    assert!(group("Old").first_seen_ever < group("Old").first_seen);
}

#[test]
fn a_failure_that_only_the_new_version_has_came_with_it() {
    let mut executions = Vec::new();
    for count in 0..60_usize {
        let minute = i64::try_from(count).expect("small");
        executions.push(ExecutionFacts { version: Some("7"), ..succeeded(named("seven", count), ORDERS, minute) });
        let of_eight = if count % 3 == 0 {
            failed(named("eight", count), ORDERS, minute + 30, "KeyError", "'taxRegion'")
        } else {
            succeeded(named("eight", count), ORDERS, minute + 30)
        };
        executions.push(ExecutionFacts { version: Some("8"), alias: Some("live"), ..of_eight });
        if count % 5 == 0 {
            executions.push(ExecutionFacts {
                version: Some(if count % 2 == 0 { "7" } else { "8" }),
                ..failed(named("both", count), ORDERS, minute + 30, "Busy", "try later")
            });
        }
    }
    let report = asked(&executions);
    let group = |error: &str| report.groups.iter().find(|group| group.error.as_deref() == Some(error)).expect("its group");
    let found = group("KeyError").new_in_version.as_ref().expect("it came with version 8");
    assert_eq!((found.version.as_str(), found.failures, found.after_ms), ("8", 20, Some(0.0)));
    assert_eq!(group("KeyError").versions, [VersionCount { version: "8".to_owned(), count: 20 }]);
    assert_eq!(group("KeyError").aliases, ["live"]);
    assert_eq!(group("Busy").new_in_version, None);
}

#[test]
fn free_values_fall_together_and_faults_that_differ_in_a_word_do_not() {
    let cities = ["Berlin", "Paris", "Oslo", "Rome", "Wien"];
    let mut executions: Vec<ExecutionFacts<'_>> = cities
        .iter()
        .enumerate()
        .map(|(place, city)| {
            failed(named("city", place), ORDERS, 1, "NoRoute", Box::leak(format!("no route to {city} today").into_boxed_str()))
        })
        .collect();
    let merged = asked(&executions);
    assert_eq!(counts(&merged), [("no route to <word> today", 5)]);
    assert_eq!(merged.groups[0].merged_from.len(), 5);
    executions.truncate(4);
    assert_eq!(asked(&executions).groups[0].id, merged.groups[0].id, "whichever values were seen");
    executions.truncate(3);
    assert_eq!(asked(&executions).groups.len(), 3, "three words are three words");

    let often: Vec<ExecutionFacts<'_>> = (0..40)
        .map(|count| {
            failed(
                named("often", count),
                ORDERS,
                1,
                "NoRoute",
                ["cannot read it", "cannot send it", "cannot find it", "cannot open it"][count % 4],
            )
        })
        .collect();
    assert_eq!(asked(&often).groups.len(), 4, "words that come again and again are no values");
}

#[test]
fn stops_and_time_limits_are_grouped_by_what_was_open() {
    let ended = |name, status, kind, state| {
        let failure = FailureFacts { root_state: Some(state), kind, ..FailureFacts::default() };
        ExecutionFacts { status: Some(status), failure: Some(failure), ..succeeded(name, ORDERS, 1) }
    };
    let report = asked(&[
        ended("a", ExecutionStatus::TimedOut, "execution_timed_out", "Resize"),
        ended("b", ExecutionStatus::TimedOut, "execution_timed_out", "Resize"),
        ended("c", ExecutionStatus::Aborted, "aborted", "Resize"),
        ended("d", ExecutionStatus::Aborted, "aborted", "Approve"),
    ]);
    let found: Vec<(Option<&str>, &str, u64)> =
        report.groups.iter().map(|group| (group.state.as_deref(), group.kind, group.count)).collect();
    assert_eq!(found[0], (Some("Resize"), "execution_timed_out", 2));
    assert_eq!(found.len(), 3);
    assert_eq!(report.groups[0].statuses, Statuses { failed: 0, timed_out: 2, aborted: 0 });
}

#[test]
fn a_failure_that_was_handled_elsewhere_is_told_of() {
    let declined = |name: &str| {
        let mut story = history("Orders");
        story.named(name).enter_task("Charge", json!({})).attempt_failed("Declined", Some("no"));
        story
    };
    let mut cured = declined("cured");
    cured.after(seconds(1)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    let mut caught = declined("caught");
    caught.caught(json!({})).pass("Apologise", json!({}), json!({})).execution_succeeded(json!({}));
    let mut caught_in_vain = declined("in-vain");
    caught_in_vain.caught(json!({})).enter_fail("GiveUp", json!({})).execution_failed_with("GivenUp", "it was declined");

    let (mut failures, mut coverage) = (Failures::new(true), Coverage::default());
    for story in [cured, caught, caught_in_vain] {
        let (history, arena) = (story.build(), Bump::new());
        let path = rebuild(&history, None);
        let facts = facts::extract(Rebuilt { history: &history, path: &path, definition: None }, failures.needs(), &arena);
        coverage.count(&facts);
        failures.take(&facts);
    }
    let groups = report(&failures, &coverage, &Asked::default()).groups;
    assert_eq!((groups[0].error.as_deref(), groups.len()), (Some("Declined"), 1));
    let opened = open(&failures, &coverage, &Asked::default(), &groups[0].id).expect("the group");
    assert_eq!(opened.handled, Some(Handled { cured_by_retry: 1, caught: 1 }), "what a Catch led to the end with was not handled");
}

#[test]
fn a_group_opens_by_the_beginning_of_its_id() {
    let (failures, coverage) =
        answered(&[failed("a", ORDERS, 1, "A", "x"), failed("b", ORDERS, 1, "B", "y"), failed("c", ORDERS, 2, "B", "y")]);
    let asked = Asked::default();
    let id = report(&failures, &coverage, &asked).groups[0].id.clone();
    for wanted in [id.as_str(), &id[..8], &id[2..8]] {
        let opened = open(&failures, &coverage, &asked, wanted).expect("one group");
        assert_eq!(opened.group.id, id);
        assert_eq!(opened.members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(opened.examples.len(), 2);
    }
    let several = open(&failures, &coverage, &asked, "1:").expect_err("two begin so");
    assert!(matches!(&several, Unopened::Several { found, .. } if found.len() == 2 && found.contains(&id)), "{several}");
    for wanted in ["2:", "zzz", ""] {
        assert_eq!(open(&failures, &coverage, &asked, wanted).expect_err("none"), Unopened::None { wanted: wanted.to_owned(), groups: 2 });
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let executions = [
        failed("a", ORDERS, 1, "A", "x"),
        failed("b", ORDERS, 1, "B", "y"),
        failed("c", ORDERS, 2, "B", "y"),
        failed("d", ORDERS, 2, "C", "z"),
    ];
    let (failures, coverage) = answered(&executions);
    let limited = report(&failures, &coverage, &Asked { limit: 1, ..Asked::default() });
    assert_eq!((limited.groups.len(), limited.left_out), (1, LeftOut { groups: 2, executions: 2 }));
    let large = report(&failures, &coverage, &Asked { least: 2, ..Asked::default() });
    assert_eq!((large.groups[0].error.as_deref(), large.left_out.groups), (Some("B"), 2));
    let none = report(&failures, &coverage, &Asked { statuses: vec![ExecutionStatus::Aborted], ..Asked::default() });
    assert_eq!((none.failures, none.groups.len()), (0, 0));
}

#[test]
fn executions_without_times_machine_or_failure_are_grouped_all_the_same() {
    let bare = ExecutionFacts { execution: "unnamed-1", status: Some(ExecutionStatus::Failed), ..ExecutionFacts::default() };
    let report = asked(&[bare]);
    let group = &report.groups[0];
    assert_eq!((group.state_machine.as_ref(), group.state.as_ref(), group.count), (None, None, 1));
    assert_eq!((report.timeline, group.counts.len()), (Timeline::default(), 0));
    assert_eq!((group.first_seen, group.caused_by.as_ref()), (None, None));
    assert_eq!(asked(&[]).groups.len(), 0);
}

#[test]
fn bins_are_as_wide_as_is_easily_said() {
    let minutes = |from: i64, to: i64| Timeline::between(Some(Micros(from * 60_000_000)), Some(Micros(to * 60_000_000)));
    assert_eq!((minutes(7, 127).bin_seconds, minutes(7, 127).start), (300, Some(Micros(5 * 60_000_000))));
    assert_eq!((minutes(0, 24 * 60 - 1).bin_seconds, minutes(0, 24 * 60 - 1).bins), (3600, 24));
    assert_eq!(minutes(0, 90 * 24 * 60).bin_seconds, 604_800);
    assert_eq!(minutes(10, 5).bins, 1, "the end before the beginning");
    let ages = Timeline::between(Some(Micros(i64::MIN / 2)), Some(Micros(i64::MAX / 2)));
    assert!(ages.bins <= 26, "{ages:?}");
    assert_eq!(ages.count([Micros(i64::MIN), Micros(i64::MAX), Micros(0)].into_iter()).iter().sum::<u64>(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn neither_order_nor_threads_change_a_byte(
        kinds in prop::collection::vec((0..7_usize, 0..40_i64, 0..2_usize), 1..60),
        keys in prop::collection::vec(any::<u32>(), 60),
        cuts in prop::collection::vec(0..3_usize, 60),
    ) {
        const CAUSES: [&str; 6] = ["card 1 no", "card 2 no", "card 3 stolen", "go to Rome", "go to Oslo", "go to Wien"];
        let executions: Vec<ExecutionFacts<'_>> = kinds.iter().enumerate().map(|(place, (kind, minute, machine))| {
            let (name, machine) = (named("run", place), [ORDERS, PAYMENTS][*machine]);
            match CAUSES.get(*kind) {
                Some(cause) if place % 5 == 4 => because_of(named("run", place - 1), failed(name, machine, *minute, "E", cause)),
                Some(cause) => failed(name, machine, *minute, "E", cause),
                None => succeeded(name, machine, *minute),
            }
        }).collect();
        let text = |failures: &Failures, coverage: &Coverage| serde_json::to_string(&report(failures, coverage, &Asked::default())).expect("JSON");
        let (failures, coverage) = answered(&executions);
        let expected = text(&failures, &coverage);

        let mut order: Vec<usize> = (0..executions.len()).collect();
        order.sort_by_key(|place| keys[*place]);
        let mut threads = [Failures::new(true), Failures::new(true), Failures::new(true)];
        for place in order {
            threads[cuts[place]].take(&executions[place]);
        }
        let [mut first, second, third] = threads;
        first.merge(third);
        first.merge(second);
        prop_assert_eq!(text(&first, &coverage), expected);
    }
}

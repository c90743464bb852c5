//! Rules about Map: how many items at once, how many in all, and what comes of those that fail.

use serde_json::Value;

use crate::analysis::audit::rule::{Fix, Level, Operation, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};
use crate::asl::source::{Content, Node};

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        id: "distributed-map-without-max-concurrency",
        level: Level::Warning,
        title: "A Distributed Map says how many of its children may call at once",
        reason: "Without MaxConcurrency up to 10,000 children run at once, and what they call gets all of their calls.",
        source: "https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html",
        check: distributed_without_max_concurrency,
    },
    Rule {
        id: "distributed-map-without-result-writer",
        level: Level::Warning,
        title: "Results of a Distributed Map are written to S3",
        reason: "Without ResultWriter the results of all children are the state's output, and the state fails at its end when they are more than 256 KiB.",
        source: "https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html",
        check: without_result_writer,
    },
    Rule {
        id: "distributed-map-without-tolerance",
        level: Level::Note,
        title: "A Distributed Map says how many of its items may fail",
        reason: "Without a tolerated failure count or percentage the first item that fails stops the Map Run, and all that runs in it.",
        source: "https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html",
        check: without_tolerance,
    },
    Rule {
        id: "inline-map-over-large-list",
        level: Level::Warning,
        title: "Large lists go to a Distributed Map",
        reason: "All iterations of an inline Map write into the history of one execution, which fails at 25,000 events.",
        source: "https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html",
        check: inline_over_large_list,
    },
    Rule {
        id: "map-without-max-concurrency",
        level: Level::Note,
        title: "A Map says how many of its iterations may call at once",
        reason: "Without MaxConcurrency an inline Map runs up to 40 iterations at once, in each of the executions that run.",
        source: "https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html",
        check: inline_without_max_concurrency,
    },
];

/// As many iterations of an inline Map run at once at most.
const INLINE_AT_ONCE: u64 = 40;
/// A history with so many events fails its execution.
const MOST_EVENTS: u64 = 25_000;
/// As many objects S3 lists at once unless told otherwise.
const S3_PAGE: u64 = 1_000;
/// Where to start from: as much as most callees take from one caller. The right number depends on what is called.
const INLINE_START: u64 = 10;
/// Children of a Distributed Map are started at 100 a second when they are Standard; as many at once keep that busy.
const DISTRIBUTED_START: u64 = 100;

fn is_map(state: &StateAt<'_>) -> bool {
    state.state_type() == "Map"
}

fn is_distributed(state: &StateAt<'_>) -> bool {
    let mode = state.get("ItemProcessor").and_then(|processor| processor.get("ProcessorConfig")?.get("Mode")?.as_str());
    mode == Some("DISTRIBUTED")
}

/// Whether nothing bounds how many run at once; 0 is the default, and no bound.
fn is_unbounded(state: &StateAt<'_>) -> bool {
    let unbounded = state.get("MaxConcurrency").is_none_or(|limit| limit.to_json() == "0");
    unbounded && state.get("MaxConcurrencyPath").is_none()
}

/// How many items there are at most, where the definition tells: a list that stands in it, or MaxItems of the reader.
fn known_items(state: &StateAt<'_>) -> Option<u64> {
    if let Some(Content::Array(items)) = state.get("Items").map(|items| &items.content) {
        return Some(items.len() as u64);
    }
    state.get("ItemReader")?.get("ReaderConfig")?.get("MaxItems")?.to_json().parse().ok()
}

/// Maps in which a Task stands, however deep, as flags by position.
fn calling(subject: &Subject<'_>) -> Vec<bool> {
    let mut calls = vec![false; subject.states.len()];
    for task in subject.states.iter().filter(|state| state.state_type() == "Task") {
        task.enclosing.iter().for_each(|around| calls[*around] = true);
    }
    calls
}

fn limit(state: &StateAt<'_>, number: u64) -> Fix {
    let path = state.member("MaxConcurrency");
    let value = Value::from(number);
    let operation = match state.get("MaxConcurrency") {
        Some(_) => Operation::Replace { path, value },
        None => Operation::Add { path, value },
    };
    Fix {
        text: format!("set MaxConcurrency to what the callee takes, for a start {number}"),
        // It takes longer than before.
        safe: false,
        patch: vec![operation],
    }
}

/// Does not apply to a Map without a Task in it, nor where the list stands in the definition and has no more items than may run anyway.
fn inline_without_max_concurrency(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    let calls = calling(subject);
    for (at, state) in subject.states.iter().enumerate().filter(|(_, state)| is_map(state) && !is_distributed(state)) {
        let few = known_items(state).is_some_and(|items| items <= INLINE_START);
        if calls[at] && is_unbounded(state) && !few {
            found.push(Violation {
                pointer: state.pointer.clone(),
                message: format!("{} runs up to {INLINE_AT_ONCE} iterations at once, each of which calls something", state.name),
                fix: Some(limit(state, INLINE_START)),
            });
        }
    }
}

/// Does not apply to a Map without a Task in it, nor where its reader takes few items.
fn distributed_without_max_concurrency(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    let calls = calling(subject);
    for (at, state) in subject.states.iter().enumerate().filter(|(_, state)| is_map(state) && is_distributed(state)) {
        let few = known_items(state).is_some_and(|items| items <= INLINE_AT_ONCE);
        if calls[at] && is_unbounded(state) && !few {
            found.push(Violation {
                pointer: state.pointer.clone(),
                message: format!("{} starts up to 10,000 children at once, each of which calls something", state.name),
                fix: Some(limit(state, DISTRIBUTED_START)),
            });
        }
    }
}

/// Does not apply where the result is thrown away or made smaller: what the service then counts is not written down. Nor does it
/// where the items come from the state's input, which is no larger than a result may be.
fn without_result_writer(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for state in subject.states.iter().filter(|state| is_map(state) && is_distributed(state)) {
        let is_dropped = match state.jsonata {
            true => state.get("Output").is_some(),
            false => state.get("ResultSelector").is_some() || state.get("ResultPath").is_some_and(|path| path.content == Content::Null),
        };
        let few = known_items(state).is_some_and(|items| items <= INLINE_AT_ONCE);
        let is_read = state.get("ItemReader").is_some();
        if is_read && state.get("ResultWriter").is_none() && !is_dropped && !few {
            found.push(Violation {
                pointer: state.pointer.clone(),
                message: format!("{} has the results of all its children as its output, and no ResultWriter", state.name),
                fix: None,
            });
        }
    }
}

/// Does not apply where every Task of the children has a Catch for all errors: then no item fails for a call.
fn without_tolerance(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    const TOLERANCES: [&str; 4] =
        ["ToleratedFailurePercentage", "ToleratedFailurePercentagePath", "ToleratedFailureCount", "ToleratedFailureCountPath"];
    let mut fails = vec![false; subject.states.len()];
    for task in subject.states.iter().filter(|state| state.state_type() == "Task" && !catches_all(state)) {
        // What a Parallel or Map between them catches is caught as well.
        for around in task.enclosing.iter().rev() {
            fails[*around] = true;
            if catches_all(&subject.states[*around]) {
                break;
            }
        }
    }
    for (at, state) in subject.states.iter().enumerate().filter(|(_, state)| is_map(state) && is_distributed(state)) {
        if fails[at] && TOLERANCES.iter().all(|name| state.get(name).is_none()) {
            found.push(Violation {
                pointer: state.pointer.clone(),
                message: format!("{} ends with the first item that fails", state.name),
                fix: None,
            });
        }
    }
}

fn catches_all(state: &StateAt<'_>) -> bool {
    let takes_all = |catcher: &Node| {
        catcher.get("ErrorEquals").is_some_and(|names| names.items().iter().any(|name| name.as_str() == Some("States.ALL")))
    };
    state.catchers().iter().any(takes_all)
}

/// Only where the length of the list is known: from past executions, when they came halfway to the limit; or from what lists the items,
/// when one full page of it goes beyond. Express machines keep no history.
fn inline_over_large_list(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    let maps = |state: &&StateAt<'_>| is_map(state) && !is_distributed(state) && !state.express;
    for (at, state) in subject.states.iter().enumerate().filter(|(_, state)| maps(state)) {
        let seen = subject.past.and_then(|past| past.state(state.name)?.most_items);
        let a_page = || lists_objects(subject, at).then_some(S3_PAGE);
        let Some((items, enough, whence)) = seen
            .map(|items| (items, MOST_EVENTS / 2, "in one execution"))
            .or_else(|| a_page().map(|items| (items, MOST_EVENTS, "in a page")))
        else {
            continue;
        };
        let events = items.saturating_mul(events_of_iteration(subject, at));
        if events >= enough {
            found.push(Violation {
                pointer: state.pointer.clone(),
                message: format!(
                    "{} goes over up to {items} items {whence}, which is at least {events} of {MOST_EVENTS} events",
                    state.name
                ),
                fix: None,
            });
        }
    }
}

/// Whether the items are the objects that the state before lists, as many as there are.
fn lists_objects(subject: &Subject<'_>, map: usize) -> bool {
    let state = &subject.states[map];
    let items = ["ItemsPath", "Items"].into_iter().find_map(|name| state.text(name)).unwrap_or_default();
    let mut before = subject.states.iter().filter(|before| before.block == state.block && before.next.contains(&map));
    let (Some(only), None) = (before.next(), before.next()) else { return false };
    let lists = only.resource().is_some_and(|resource| resource.contains(":s3:listObjects"));
    let is_cut = ["Parameters", "Arguments"].iter().any(|name| {
        only.get(name).is_some_and(|arguments| {
            arguments.as_str().is_some() || arguments.members().iter().any(|member| member.name.starts_with("MaxKeys"))
        })
    });
    lists && !is_cut && items.contains("Contents")
}

/// The fewest events that an iteration of a Map writes: those of the shortest way through it.
fn events_of_iteration(subject: &Subject<'_>, map: usize) -> u64 {
    // MapIterationStarted and MapIterationSucceeded.
    const AROUND: u64 = 2;
    let block = subject.blocks.iter().position(|block| block.parent == Some(map));
    AROUND + block.map_or(0, |block| shortest(subject, block))
}

fn shortest(subject: &Subject<'_>, block: usize) -> u64 {
    let Some(start) = subject.blocks[block].start_at else { return 0 };
    let mut least: Vec<Option<u64>> = vec![None; subject.states.len()];
    let mut open = std::collections::BTreeSet::from([(0_u64, start)]);
    while let Some((before, at)) = open.pop_first() {
        if least[at].is_some() {
            continue;
        }
        least[at] = Some(before);
        let state = &subject.states[at];
        let after = before + events_of(subject, at);
        if state.next.is_empty() && state.state_type() != "Fail" {
            return after;
        }
        open.extend(state.next.iter().filter(|next| least[**next].is_none()).map(|next| (after, *next)));
    }
    0
}

/// The fewest events of a visit that succeeds: entered and exited, and of a Task scheduled, started and succeeded. A Map may have no items.
fn events_of(subject: &Subject<'_>, at: usize) -> u64 {
    match subject.states[at].state_type() {
        "Task" => 5,
        "Map" => 4,
        "Parallel" => {
            let branches = subject.blocks.iter().enumerate().filter(|(_, block)| block.parent == Some(at));
            4 + branches.map(|(branch, _)| shortest(subject, branch)).sum::<u64>()
        }
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::past::Past;
    use crate::analysis::audit::rules::testing::{found, found_with};
    use crate::analysis::fleet::Question;
    use crate::model::{ExecutionFacts, VisitFacts};

    fn map(fields: &str, task: &str) -> String {
        format!(
            r#"{{"StartAt": "Each", "States": {{"Each": {{"Type": "Map", "End": true, {fields} "ItemProcessor": {{
                {task} "StartAt": "Call", "States": {{"Call": {{"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true}}}}}}}}}}}}"#
        )
    }

    const DISTRIBUTED: &str = r#""ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},"#;

    #[test]
    fn maps_that_call_have_a_limit() {
        assert_eq!(found("map-without-max-concurrency", &map("", "")), ["/States/Each"]);
        assert_eq!(found("map-without-max-concurrency", &map(r#""MaxConcurrency": 0,"#, "")), ["/States/Each"]);
        for bounded in [r#""MaxConcurrency": 5,"#, r#""MaxConcurrencyPath": "$.n","#, r#""QueryLanguage": "JSONata", "Items": [1, 2],"#] {
            assert!(found("map-without-max-concurrency", &map(bounded, "")).is_empty(), "{bounded}");
        }
        assert!(found("map-without-max-concurrency", &map("", DISTRIBUTED)).is_empty());
        assert_eq!(found("distributed-map-without-max-concurrency", &map("", DISTRIBUTED)), ["/States/Each"]);
        assert!(found("distributed-map-without-max-concurrency", &map("", "")).is_empty());
        let passes = map("", "").replace(r#""Task", "Resource": "arn:aws:states:::sqs:sendMessage""#, r#""Pass""#);
        assert!(found("map-without-max-concurrency", &passes).is_empty());
    }

    #[test]
    fn distributed_maps_say_where_results_go_and_what_may_fail() {
        let written = |fields: &str| found("distributed-map-without-result-writer", &map(fields, DISTRIBUTED));
        assert_eq!(written(r#""ItemReader": {},"#), ["/States/Each"]);
        for fine in [r#""ResultWriter": {},"#, r#""ResultPath": null,"#, r#""ResultSelector": {"n.$": "States.ArrayLength($)"},"#] {
            assert!(written(&format!(r#""ItemReader": {{}}, {fine}"#)).is_empty(), "{fine}");
        }
        assert!(written("").is_empty(), "a list in the input");
        assert_eq!(found("distributed-map-without-tolerance", &map("", DISTRIBUTED)), ["/States/Each"]);
        assert!(found("distributed-map-without-tolerance", &map(r#""ToleratedFailureCount": 0,"#, DISTRIBUTED)).is_empty());
        let caught = map("", DISTRIBUTED).replace(
            r#"sendMessage", "End": true}"#,
            r#"sendMessage", "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Skip"}]}, "Skip": {"Type": "Pass", "End": true}"#,
        );
        assert!(found("distributed-map-without-tolerance", &caught).is_empty());
    }

    #[test]
    fn a_list_is_large_when_executions_say_so() {
        let with = |items: u64| {
            let mut past = Past::default();
            let visits = [VisitFacts { state: "Each", items: Some(items), ..VisitFacts::default() }];
            past.take(&ExecutionFacts { execution: "e", visits: &visits, ..ExecutionFacts::default() });
            found_with("inline-map-over-large-list", &map("", ""), past.all().as_ref())
        };
        // An iteration with one Task writes 7 events.
        assert!(with(1_785).is_empty());
        assert_eq!(with(1_786), ["/States/Each"]);
        assert!(found("inline-map-over-large-list", &map("", "")).is_empty(), "nobody knows");
    }

    #[test]
    fn a_full_page_of_objects_may_be_too_many() {
        let chain = |tasks: usize| {
            let call = |number: usize| {
                let next = if number + 1 < tasks { format!(r#""Next": "C{}""#, number + 1) } else { r#""End": true"#.to_owned() };
                format!(r#""C{number}": {{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", {next}}}"#)
            };
            let calls: Vec<String> = (0..tasks).map(call).collect();
            format!(
                r#"{{"StartAt": "List", "States": {{
                "List": {{"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:listObjectsV2", "Parameters": {{"Bucket": "b"}}, "Next": "Each"}},
                "Each": {{"Type": "Map", "ItemsPath": "$.Contents", "End": true, "ItemProcessor": {{"StartAt": "C0", "States": {{{}}}}}}}}}}}"#,
                calls.join(",")
            )
        };
        assert!(found("inline-map-over-large-list", &chain(4)).is_empty());
        assert_eq!(found("inline-map-over-large-list", &chain(5)), ["/States/Each"]);
        let cut = chain(5).replace(r#""Bucket": "b""#, r#""Bucket": "b", "MaxKeys": 50"#);
        assert!(found("inline-map-over-large-list", &cut).is_empty());
    }
}

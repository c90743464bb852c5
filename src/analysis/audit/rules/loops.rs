//! Rules about loops: polling that nothing limits, polling where the service could wait itself, retries made by hand; and about states
//! that no way leads to.

use super::pages;
use super::timeouts::has_limit;
use crate::analysis::audit::call::{Call, Integration, Pattern};
use crate::analysis::audit::cycles::cycles;
use crate::analysis::audit::handlers::{catchers, in_words, listed, number};
use crate::analysis::audit::rule::{Level, Rule, Violation};
use crate::analysis::audit::subject::{StateAt, Subject};
use crate::asl::source::Node;

/// How many events a Standard execution may have.
const MOST_EVENTS: f64 = 25_000.0;

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        id: "polling-without-limit",
        level: Level::Warning,
        title: "Polling ends some day",
        reason: "When the status never changes, the loop runs on until the history is full at 25,000 events, and no Catch takes that error.",
        source: pages::HISTORY_LIMIT,
        check: polling,
    },
    Rule {
        id: "polling-instead-of-sync",
        level: Level::Note,
        title: "The service waits for its jobs itself",
        reason: "With .sync the service waits for the end of the job, without transitions to pay for and without a loop to get wrong.",
        source: pages::INTEGRATION_PATTERNS,
        check: polling_for_job,
    },
    Rule {
        id: "retry-by-hand",
        level: Level::Warning,
        title: "Retries are left to Retry",
        reason: "A loop with a fixed wait brings everything that failed together back together, and knows neither backoff nor an end.",
        source: pages::ERROR_HANDLING,
        check: by_hand,
    },
    Rule {
        id: "unreachable-states",
        level: Level::Note,
        title: "A way from StartAt leads to every state",
        reason: "States that only lead to each other never run: what they were meant to do does not happen.",
        source: pages::STRUCTURE,
        check: unreachable,
    },
];

/// Does not apply in Express, where the machine has `TimeoutSeconds`, where a number, a time or an expression that may count is
/// compared in the loop, where a Pass sets something in it, where the loop asks whether something is there (pages come to an end), where a function decides by yes or no
/// (it may count), nor where a branch beside it may end the wait.
fn polling(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    if has_limit(subject.source.root(), "TimeoutSeconds") {
        return;
    }
    for cycle in cycles(subject) {
        let states: Vec<&StateAt<'_>> = cycle.iter().map(|at| &subject.states[*at]).collect();
        let Some(wait) = states.iter().find(|state| state.state_type() == "Wait") else { continue };
        let tasks: Vec<&&StateAt<'_>> = states.iter().filter(|state| state.state_type() == "Task").collect();
        let choices: Vec<&&StateAt<'_>> = states.iter().filter(|state| state.state_type() == "Choice").collect();
        let asks = !tasks.is_empty() && tasks.iter().all(|task| is_question(task));
        if wait.express
            || !asks
            || choices.is_empty()
            || choices.iter().any(|choice| !is_by_status(choice))
            || subject.may_be_ended_beside(wait)
        {
            continue;
        }
        // The next turn is another one: something is set on the way.
        let sets =
            |state: &&StateAt<'_>| state.state_type() == "Pass" && ["Result", "Output"].iter().any(|field| state.get(field).is_some());
        // Somebody counts, or looks at the clock.
        let knows_time = |state: &&StateAt<'_>| {
            let text = state.node.to_json();
            ["States.MathAdd", "$$.Execution.StartTime", "$$.State.EnteredTime", "context.Execution.StartTime", "$now(", "$millis("]
                .iter()
                .any(|mark| text.contains(mark))
        };
        if states.iter().any(sets) || states.iter().any(knows_time) {
            continue;
        }
        let names: Vec<&str> = tasks.iter().map(|task| task.name).collect();
        // The execution ends when its history is full, at the latest.
        let end = match turn(subject, &cycle, wait) {
            Some((seconds, events)) => {
                let turns = (MOST_EVENTS / events).floor();
                format!(
                    "at {} and {events} events a turn, the execution fails for good after {}",
                    in_words(seconds),
                    in_words(turns * seconds)
                )
            }
            None => "the execution fails for good when its history is full".to_owned(),
        };
        found.push(Violation {
            pointer: wait.pointer.clone(),
            message: format!("{} is asked again and again after {}, and nothing limits how often: {end}", listed(&names), wait.name),
            fix: None,
        });
    }
}

/// Whether a Task only asks how something is doing. A function does if the state says so.
fn is_question(task: &StateAt<'_>) -> bool {
    let call = Call::of(task);
    match call {
        // Athena ends its queries itself, long before a history is full.
        Call::Integration(integration) if !call.is_lambda() => is_read(&integration) && integration.service != "athena",
        _ => call.is_lambda() && !call.is_answered_from_outside() && is_named_for_asking(task.name),
    }
}

fn is_named_for_asking(name: &str) -> bool {
    let name = name.to_lowercase();
    ["status", "check", "poll", "describe", "is complete", "is ready"].iter().any(|word| name.contains(word))
}

fn is_read(call: &Integration<'_>) -> bool {
    call.pattern == Pattern::RequestResponse
        && ["get", "describe", "list", "head", "batchGet"].iter().any(|verb| call.action.starts_with(verb))
}

/// Whether all that a Choice looks at is a text: a status.
fn is_by_status(choice: &StateAt<'_>) -> bool {
    fn by_text(rule: &Node) -> bool {
        let tests =
            rule.members().iter().filter(|member| !matches!(member.name.as_str(), "Next" | "Comment" | "Variable" | "Assign" | "Output"));
        tests.into_iter().all(|test| match test.name.as_str() {
            "And" | "Or" => test.value.items().iter().all(by_text),
            "Not" => by_text(&test.value),
            "StringEquals" | "StringMatches" => true,
            "Condition" => test.value.as_str().is_some_and(is_text_query),
            _ => false,
        })
    }
    choice.get("Choices").is_some_and(|rules| !rules.items().is_empty() && rules.items().iter().all(by_text))
}

/// Whether an expression compares something with a text, and does nothing else: `{% $status = 'RUNNING' %}`.
fn is_text_query(text: &str) -> bool {
    let compares = text.contains("= '") || text.contains("='") || text.contains("= \"") || text.contains("=\"") || text.contains(" in [");
    let counts = ["<", ">", "$now", "$millis", "$count", "$exists", "+", "${", "$length"].iter().any(|mark| text.contains(mark));
    compares && !counts
}

/// Seconds and events of one turn of a loop, where there is but one way around it and its only wait is a fixed one.
fn turn(subject: &Subject<'_>, cycle: &[usize], wait: &StateAt<'_>) -> Option<(f64, f64)> {
    let mut events = 0.0;
    for at in cycle {
        let state = &subject.states[*at];
        let mut inside: Vec<usize> = state.next.iter().copied().filter(|next| cycle.contains(next)).collect();
        inside.dedup();
        if inside.len() != 1 {
            return None;
        }
        events += match state.state_type() {
            // Entered, scheduled, started, succeeded, exited; and entered, exited.
            "Task" => 5.0,
            "Choice" | "Pass" => 2.0,
            "Wait" if state.name == wait.name => 2.0,
            _ => return None,
        };
    }
    let seconds = number(wait.node, "Seconds", f64::NAN)?;
    (seconds >= 1.0).then_some((seconds, events))
}

/// Calls that start a job, the calls that ask after it, and the integration that waits for it.
const JOBS: &[(&str, &str, &[&str], &str)] = &[
    ("athena", "startQueryExecution", &["getQueryExecution"], "athena:startQueryExecution.sync"),
    ("batch", "submitJob", &["describeJobs"], "batch:submitJob.sync"),
    ("codebuild", "startBuild", &["batchGetBuilds"], "codebuild:startBuild.sync"),
    ("ecs", "runTask", &["describeTasks"], "ecs:runTask.sync"),
    ("emrserverless", "startJobRun", &["getJobRun"], "emr-serverless:startJobRun.sync"),
    ("emr-serverless", "startJobRun", &["getJobRun"], "emr-serverless:startJobRun.sync"),
    ("glue", "startJobRun", &["getJobRun"], "glue:startJobRun.sync"),
    ("mediaconvert", "createJob", &["getJob"], "mediaconvert:createJob.sync"),
    ("sagemaker", "createTrainingJob", &["describeTrainingJob"], "sagemaker:createTrainingJob.sync"),
    ("sagemaker", "createTransformJob", &["describeTransformJob"], "sagemaker:createTransformJob.sync"),
    ("sagemaker", "createProcessingJob", &["describeProcessingJob"], "sagemaker:createProcessingJob.sync"),
    ("databrew", "startJobRun", &["describeJobRun"], "databrew:startJobRun.sync"),
    ("sfn", "startExecution", &["describeExecution"], "states:startExecution.sync:2"),
    ("states", "startExecution", &["describeExecution"], "states:startExecution.sync:2"),
];

/// Does not apply in Express, which has no `.sync`, nor unless the same block starts the job and a loop with a Wait asks after it.
fn polling_for_job(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    let looping: Vec<Vec<usize>> =
        cycles(subject).into_iter().filter(|cycle| cycle.iter().any(|at| subject.states[*at].state_type() == "Wait")).collect();
    for (at, state) in subject.states.iter().enumerate().filter(|(_, state)| !state.express) {
        let Call::Integration(start) = Call::of(state) else { continue };
        let is_started = start.pattern == Pattern::RequestResponse && !looping.iter().any(|cycle| cycle.contains(&at));
        let Some((.., asked, integration)) = JOBS.iter().find(|(service, action, ..)| *service == start.service && *action == start.action)
        else {
            continue;
        };
        let family = |service: &str| service.replace('-', "").replace("states", "sfn");
        let asks = |at: &usize| match Call::of(&subject.states[*at]) {
            Call::Integration(call) => family(call.service) == family(start.service) && asked.contains(&call.action),
            _ => false,
        };
        let poll = looping.iter().flatten().find(|poll| subject.states[**poll].block == state.block && asks(poll));
        let (true, Some(poll)) = (is_started, poll) else { continue };
        found.push(Violation {
            pointer: state.pointer.clone(),
            message: format!(
                "{} starts a job that {} asks after in a loop: {integration} waits for it by itself",
                state.name, subject.states[*poll].name
            ),
            fix: None,
        });
    }
}

/// Does not apply where another Task runs on the way back (it may mend what failed), or where the wait is not the same number every time.
fn by_hand(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    for (at, state) in subject.states.iter().enumerate().filter(|(_, state)| state.state_type() == "Task") {
        for catcher in catchers(state) {
            let Some(target) = state.catches.get(catcher.index).copied().flatten() else { continue };
            let Some((wait, is_endless)) = way_back(subject, target, at) else { continue };
            let seconds = number(subject.states[wait].node, "Seconds", f64::NAN).unwrap_or(f64::NAN);
            let end = if is_endless { ", without an end" } else { "" };
            found.push(Violation {
                pointer: format!("{}/Catch/{}", state.pointer, catcher.index),
                message: format!(
                    "{} is tried again by hand{end}: its Catch leads back to it through {}, {} later each time, so what fails together comes \
                     back together",
                    state.name,
                    subject.states[wait].name,
                    in_words(seconds)
                ),
                fix: None,
            });
        }
    }
}

/// The fixed Wait on the way from a handler back to the Task, and whether nothing on the way may end it. The way has Pass, Choice and
/// Wait states alone.
fn way_back(subject: &Subject<'_>, from: usize, task: usize) -> Option<(usize, bool)> {
    let mut seen = vec![false; subject.states.len()];
    let mut open = vec![(from, None, true)];
    while let Some((at, wait, is_endless)) = open.pop() {
        if at == task {
            match wait {
                Some(wait) => return Some((wait, is_endless)),
                None => continue,
            }
        }
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        let state = &subject.states[at];
        let (wait, is_endless) = match state.state_type() {
            "Pass" => (wait, is_endless),
            "Choice" => (wait, false),
            // Two waits in a row are one that the message can't tell.
            "Wait" if wait.is_none() && number(state.node, "Seconds", f64::NAN).is_some_and(|seconds| seconds >= 0.0) => {
                (Some(at), is_endless)
            }
            _ => continue,
        };
        open.extend(state.next.iter().map(|next| (*next, wait, is_endless)));
    }
    None
}

/// Said once for each block. Does not apply where nothing at all leads to a state (the service refuses that), nor where a way is still to
/// be put in.
fn unreachable(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    let mut reached = vec![false; subject.states.len()];
    let mut open: Vec<usize> = subject.blocks.iter().filter_map(|block| block.start_at).collect();
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut reached[at], true) {
            let state = &subject.states[at];
            open.extend(state.next.iter().copied().chain(state.catches.iter().flatten().copied()));
        }
    }
    for block in subject.blocks.iter().filter(|block| block.start_at.is_some()) {
        if block.states.iter().any(|at| has_open_way(&subject.states[*at])) {
            continue;
        }
        let lost: Vec<&StateAt<'_>> = block.states.iter().filter(|at| !reached[**at]).map(|at| &subject.states[*at]).collect();
        let leads_to = |name: &str| {
            let of = |at: &usize| {
                let state = &subject.states[*at];
                let ways = state.next.iter().copied().chain(state.catches.iter().flatten().copied());
                ways.into_iter().any(|way| subject.states[way].name == name)
            };
            block.states.iter().any(of)
        };
        let Some(first) = lost.first() else { continue };
        if lost.iter().any(|state| !leads_to(state.name)) {
            continue;
        }
        let names: Vec<&str> = lost.iter().map(|state| state.name).collect();
        let verb = if names.len() == 1 { "runs" } else { "run" };
        found.push(Violation {
            pointer: first.pointer.clone(),
            message: format!("{} never {verb}: no way from StartAt leads there", listed(&names)),
            fix: None,
        });
    }
}

fn has_open_way(state: &StateAt<'_>) -> bool {
    let ways = ["Next", "Default"].into_iter().filter_map(|field| state.get(field));
    let listed = ["Choices", "Catch"].into_iter().filter_map(|field| state.get(field));
    let rules = listed.clone().flat_map(Node::items).filter_map(|rule| rule.get("Next"));
    ways.chain(rules).any(Node::is_substitution) || listed.into_iter().any(Node::is_substitution)
}

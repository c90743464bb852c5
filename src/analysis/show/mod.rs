//! What an execution did: every visit and attempt with its times, and the same as a tree in which what is alike is folded.
//!
//! The report holds flat lists whose entries name each other by position, as the path itself does, so that neither building nor
//! serialising it recurses. Everything here is raw: masking of secrets and escaping are the renderer's work.

mod events;
mod fold;
mod state;
mod visits;

use serde::Serialize;

use crate::analysis::cause;
use crate::analysis::execution::{ExecutionSummary, Incomplete, WaitsFor, incomplete, summary};
use crate::analysis::trace::TraceReport;
use crate::model::path::{AttemptOutcome, VisitOutcome};
use crate::model::{EventId, ExecutionPath, ExecutionStatus, History, Timestamp};

pub use events::{EventLine, EventList, events};
pub use state::{AttemptPayloads, StateReport, StateVisit, state};

/// The schema of [`ShowReport`].
pub const SCHEMA: &str = "stepscope.show/1";

/// What one execution did.
#[derive(Debug, Clone, Serialize)]
pub struct ShowReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// Which execution.
    pub execution: ExecutionSummary,
    /// From the first event to the last one.
    pub span_ms: i64,
    /// One, and one more for each redrive.
    pub runs: Vec<RunReport>,
    /// Every visit, in the order in which they were entered.
    pub visits: Vec<VisitReport>,
    /// The execution, then every branch and iteration.
    pub scopes: Vec<ScopeReport>,
    /// The path from the top, folded: depth first, each row with its depth.
    pub tree: Vec<TreeRow>,
    /// Events that could not be given to any visit.
    pub unplaced_event_ids: Vec<EventId>,
    /// What its trace tells of the inside of its tasks; null where none was asked for or found.
    pub trace: Option<TraceReport>,
    /// What the answer does not rest on, because it is missing.
    pub incomplete: Vec<Incomplete>,
}

/// What happened between two redrives.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// From 1; 2 is the first redrive.
    pub number: usize,
    /// Its first event.
    pub event_id: Option<EventId>,
    /// When it began.
    pub start: Option<Timestamp>,
    /// From the execution's start to its own.
    pub offset_ms: Option<i64>,
    /// How it ended; null while it runs.
    pub status: Option<ExecutionStatus>,
}

/// One visit.
#[derive(Debug, Clone, Serialize)]
pub struct VisitReport {
    /// The state; null when the history does not name it.
    pub state: Option<String>,
    /// `Task`, `Map`, …
    pub state_type: Option<&'static str>,
    /// Enclosing iterations and branches, outermost first: `Fulfil[2]`.
    pub scope: Vec<String>,
    /// Position of its scope in `scopes`.
    pub scope_number: usize,
    /// Its Entered event.
    pub entered_event_id: Option<EventId>,
    /// Its Exited event.
    pub exited_event_id: Option<EventId>,
    /// `succeeded`, `caught`, `failed`, `aborted`, `open`.
    pub outcome: VisitOutcome,
    /// Which run it was entered in, from 1.
    pub run: usize,
    /// When it was entered.
    pub start: Option<Timestamp>,
    /// From the execution's start to its own.
    pub offset_ms: Option<i64>,
    /// From entered to exited or to what ended it; of an open one to the last event, a lower bound.
    pub duration_ms: Option<i64>,
    /// What the task called: `lambda:invoke`, `arn:aws:lambda:…`.
    pub resource: Option<String>,
    /// The event that records its last failure, caught or not.
    pub failure_event_id: Option<EventId>,
    /// Error name of that failure.
    pub error: Option<String>,
    /// What its cause says, on one line.
    pub cause: Option<String>,
    /// Of a Parallel or Map: position in `visits` of the innermost visit that failed it.
    pub failed_by: Option<usize>,
    /// For a caught failure: the state that the execution went on with.
    pub caught_by: Option<String>,
    /// For an open one: what it waits for.
    pub waits_for: Option<WaitsFor>,
    /// For an open one: since when it waits for that.
    pub waiting_since: Option<Timestamp>,
    /// Every attempt; of a Parallel or Map, runs of the whole state.
    pub attempts: Vec<VisitAttempt>,
    /// Positions of its branches and iterations in `scopes`.
    pub scopes: Vec<usize>,
    /// Map Runs of a Distributed Map.
    pub map_runs: Vec<MapRunReport>,
}

/// One attempt of a visit.
#[derive(Debug, Clone, Serialize)]
pub struct VisitAttempt {
    /// From 1; 2 is the first retry. A redrive starts again at 1.
    pub number: u32,
    /// Which run it belongs to, from 1.
    pub run: usize,
    /// The event that scheduled it.
    pub scheduled_event_id: Option<EventId>,
    /// The event that ended it.
    pub event_id: Option<EventId>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// From the execution's start to its own.
    pub offset_ms: Option<i64>,
    /// From being scheduled to its end; of an open one to the last event, a lower bound.
    pub duration_ms: Option<i64>,
    /// From the failure before to being scheduled; null for the first.
    pub wait_before_ms: Option<i64>,
    /// From being scheduled to being started: the time in a queue.
    pub queued_ms: Option<i64>,
    /// From being submitted to its end: the time that a callback, job or child was waited for.
    pub waited_ms: Option<i64>,
    /// Seconds of its time limit.
    pub timeout_seconds: Option<u64>,
    /// Seconds of its heartbeat.
    pub heartbeat_seconds: Option<u64>,
    /// ARN of the child execution that it started.
    pub child: Option<String>,
    /// Error name, when it failed.
    pub error: Option<String>,
    /// What its cause says, on one line.
    pub cause: Option<String>,
}

/// A Map Run of a Distributed Map.
#[derive(Debug, Clone, Serialize)]
pub struct MapRunReport {
    /// Its `MapRunStarted` event.
    pub event_id: EventId,
    /// Its ARN.
    pub arn: Option<String>,
}

/// The execution, a branch or an iteration.
#[derive(Debug, Clone, Serialize)]
pub struct ScopeReport {
    /// What it is.
    pub kind: ScopeKind,
    /// Position in `visits` of the Parallel or Map that holds it.
    pub parent: Option<usize>,
    /// Which branch or iteration, from 0.
    pub index: u64,
    /// Which attempt of the parent it belongs to, from 1.
    pub attempt: u32,
    /// How many Parallel and Map visits enclose it.
    pub depth: u32,
    /// How it ended.
    pub outcome: VisitOutcome,
    /// From the execution's start to its own.
    pub offset_ms: Option<i64>,
    /// From its first event to its last.
    pub duration_ms: Option<i64>,
    /// Positions of its visits in `visits`.
    pub visits: Vec<usize>,
}

/// What a scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    /// The execution itself.
    Execution,
    /// A branch of a Parallel.
    Branch,
    /// An iteration of an inline Map.
    Iteration,
}

impl ScopeKind {
    /// The word for one of them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Branch => "branch",
            Self::Iteration => "iteration",
        }
    }
}

/// One row of the folded tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TreeRow {
    /// 0 for what stands directly in the execution.
    pub depth: u32,
    /// What it shows.
    #[serde(flatten)]
    pub item: RowItem,
}

/// What a row of the folded tree shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum RowItem {
    /// The execution was redriven here.
    Redriven {
        /// Position in `runs`.
        run: usize,
    },
    /// One visit.
    Visit {
        /// Position in `visits`.
        visit: usize,
    },
    /// Turns of a loop that went alike, one after the other.
    Loop {
        /// Position in `visits` of the first visit of the first turn.
        first_visit: usize,
        /// Position in `visits` of the last visit of the last turn.
        last_visit: usize,
        /// The states of one turn.
        states: Vec<Option<String>>,
        /// How all of it went: the outcome of its visits that matters most.
        outcome: VisitOutcome,
        /// How many turns, and how long each took.
        turns: Spread,
    },
    /// One attempt of a Parallel or Map that had several.
    Attempt {
        /// Position in `visits` of the Parallel or Map.
        visit: usize,
        /// Position in its `attempts`.
        attempt: usize,
    },
    /// Branches or iterations that went alike.
    Scopes {
        /// What they are.
        kind: ScopeKind,
        /// Their indices: first and last of each unbroken row.
        indices: Vec<(u64, u64)>,
        /// Position in `scopes` of the one whose visits stand below.
        shown: usize,
        /// How each of them ended.
        outcome: VisitOutcome,
        /// How many, and how long each took.
        durations: Spread,
    },
    /// Groups of branches or iterations that found no room.
    More {
        /// What they are.
        kind: ScopeKind,
        /// How many groups.
        groups: usize,
        /// How many branches or iterations are in them.
        scopes: usize,
        /// How many of those failed.
        failed: usize,
        /// From when to when.
        span: Spread,
    },
}

/// How long several things took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// The shortest; null when no times are known.
    pub min_ms: Option<i64>,
    /// The middle one, or the mean of the middle two.
    pub median_ms: Option<i64>,
    /// The longest.
    pub max_ms: Option<i64>,
    /// From the execution's start to the beginning of the first.
    pub offset_ms: Option<i64>,
    /// From the beginning of the first to the end of the last.
    pub duration_ms: Option<i64>,
}

/// Tells what an execution did.
pub fn show(history: &History, path: &ExecutionPath) -> ShowReport {
    let clock = visits::Clock::new(history);
    let visits = visits::visits(history, path, &clock);
    let scopes = visits::scopes(history, path, &clock, &visits);
    let tree = fold::tree(path, &visits, &scopes);
    ShowReport {
        schema: SCHEMA,
        execution: summary(history, path),
        span_ms: clock.span_ms(),
        runs: visits::runs(history, path, &clock),
        visits,
        scopes,
        tree,
        unplaced_event_ids: path.unplaced.iter().map(|event| history.events[*event].id).collect(),
        trace: None,
        incomplete: incomplete(history, path),
    }
}

/// The first line of what a cause says once its layers are peeled off; the error inside before it, where it is another one.
fn one_line(error: Option<&str>, cause: &str) -> String {
    let found = cause::decode(error, cause);
    let said = found.message.as_deref().unwrap_or(if found.error_type.is_some() { "" } else { cause });
    let line = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match found.error_type.filter(|inner| Some(inner.as_str()) != error) {
        Some(inner) if line.is_empty() => inner,
        Some(inner) => format!("{inner}: {line}"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::builder::{HistoryBuilder, history, milliseconds, minutes, seconds};
    use crate::rebuild::rebuild;

    fn report(story: &HistoryBuilder) -> ShowReport {
        let built = story.build();
        show(&built, &rebuild(&built, None))
    }

    #[test]
    fn attempts_carry_their_times_waits_and_errors() {
        let mut orders = history("Orders");
        orders.enter_task("Charge", json!({})).timeout(seconds(5)).scheduled().after(milliseconds(20)).started();
        orders.after(seconds(1)).failed("Throttled", Some(r#"{"errorMessage": "Rate exceeded\nat top"}"#));
        orders.after(seconds(2)).taking(milliseconds(300)).attempt_succeeded(json!({})).exit(json!({}));
        orders.execution_succeeded(json!({}));
        let report = report(&orders);
        let [first, second] = &report.visits[0].attempts[..] else { panic!("two attempts") };
        assert_eq!((first.queued_ms, first.duration_ms, first.wait_before_ms), (Some(20), Some(1020), None));
        assert_eq!((first.error.as_deref(), first.cause.as_deref()), (Some("Throttled"), Some("Rate exceeded")));
        assert_eq!((first.timeout_seconds, first.heartbeat_seconds), (Some(5), None));
        assert_eq!((second.duration_ms, second.wait_before_ms, second.offset_ms), (Some(300), Some(2000), Some(3020)));
        assert_eq!(report.visits[0].duration_ms, Some(3320));
        assert_eq!(report.visits[0].resource.as_deref(), Some("lambda:invoke"));
    }

    #[test]
    fn a_cause_becomes_the_line_that_matters() {
        let child = r#"{"Cause": "no stock\nat top", "Error": "StockError", "ExecutionArn": "arn:aws:states:us-east-1:111111111111:execution:M:a", "Status": "FAILED"}"#;
        assert_eq!(one_line(Some("States.TaskFailed"), child), "StockError: no stock");
        assert_eq!(one_line(Some("StockError"), r#"{"errorMessage": "no stock", "errorType": "StockError"}"#), "no stock");
        assert_eq!(one_line(None, "\n  first\nsecond"), "first");
        assert_eq!(one_line(None, ""), "");
    }

    #[test]
    fn a_caught_failure_names_the_state_that_it_went_on_with() {
        let mut orders = history("Orders");
        orders.enter_task("Charge", json!({})).attempt_failed("Declined", Some("no funds")).caught(json!({}));
        orders.enter_fail("GiveUp", json!({})).execution_failed_with("PaymentFailed", "the card was declined");
        let report = report(&orders);
        let (charge, give_up) = (&report.visits[0], &report.visits[1]);
        assert_eq!((charge.outcome, charge.caught_by.as_deref()), (VisitOutcome::Caught, Some("GiveUp")));
        assert_eq!((charge.error.as_deref(), charge.cause.as_deref()), (Some("Declined"), Some("no funds")));
        assert_eq!((give_up.outcome, give_up.error.as_deref()), (VisitOutcome::Failed, Some("PaymentFailed")));
        assert_eq!(give_up.cause.as_deref(), Some("the card was declined"));
    }

    #[test]
    fn a_running_execution_tells_what_it_waits_for_and_since_when() {
        let mut orders = history("Orders");
        orders.enter_parallel("Both", json!({})).parallel_started();
        let (mut left, mut right) = (orders.branch(), orders.branch());
        left.enter_task("Ask", json!({})).calls("sqs", "sendMessage.waitForTaskToken").scheduled().started().submitted(json!({}));
        let child = history("Child").arn();
        right.enter_task("Nest", json!({})).calls("states", "startExecution.sync:2").scheduled().started().submitted_child(&child);
        right.after(minutes(3)).succeeded(json!({})).exit(json!({})).enter_task("Work", json!({})).calls_activity("pick").scheduled();
        let report = report(&orders);
        let waits: Vec<Option<WaitsFor>> = report.visits.iter().map(|visit| visit.waits_for).collect();
        assert_eq!(waits, [Some(WaitsFor::Scopes), Some(WaitsFor::Callback), None, Some(WaitsFor::ActivityWorker)]);
        assert_eq!(report.visits[1].duration_ms, Some(180_000));
        assert_eq!(report.visits[1].attempts[0].waited_ms, Some(180_000));
        assert_eq!(report.visits[2].attempts[0].child.as_deref(), Some(child.as_str()));
        assert_eq!(report.scopes[1].outcome, VisitOutcome::Open);
    }

    #[test]
    fn a_failed_map_names_the_visit_that_failed_it() {
        let mut orders = history("Orders");
        orders.enter_map("Each", json!([])).map_started(2);
        let (mut first, mut second) = (orders.iteration(0), orders.iteration(1));
        second.enter_wait("Pause", json!({}));
        first.enter_task("Call", json!({})).attempt_failed("Broken", None).scope_failed();
        orders.composite_failed().execution_failed();
        let report = report(&orders);
        let map = &report.visits[0];
        let by = map.failed_by.map(|visit| &report.visits[visit]).expect("it is known");
        assert_eq!((by.state.as_deref(), by.scope.as_slice()), (Some("Call"), &["Each[0]".to_owned()][..]));
        assert_eq!(map.error.as_deref(), Some("Broken"));
        assert_eq!(report.scopes[2].outcome, VisitOutcome::Aborted);
    }

    #[test]
    fn every_visit_of_a_state_is_shown_with_its_payloads() {
        let mut orders = history("Orders");
        for turn in 0..2 {
            orders.enter_task("Charge", json!({"turn": turn})).scheduled_with(json!({"Payload": turn})).started();
            orders.succeeded(json!({"StatusCode": 200})).assign("paid", json!(true)).exit(json!({"done": turn}));
        }
        let built = orders.build();
        let path = rebuild(&built, None);
        let report = state(&built, &path, "Charge");
        assert_eq!(report.visits.len(), 2);
        let second = &report.visits[1];
        assert_eq!(second.input.as_deref(), Some(r#"{"turn":1}"#));
        assert_eq!(second.attempt_payloads[0].effective_input.as_deref(), Some(r#"{"Payload":1}"#));
        assert_eq!(second.attempt_payloads[0].result.as_deref(), Some(r#"{"StatusCode":200}"#));
        assert_eq!(second.output.as_deref(), Some(r#"{"done":1}"#));
        assert_eq!(second.assigned_variables, [("paid".to_owned(), "true".to_owned())]);
        assert!(state(&built, &path, "charge").visits.is_empty());
    }

    #[test]
    fn events_tell_their_state_with_its_iteration() {
        let mut orders = history("Orders");
        orders.enter_map("Each", json!([])).map_started(1);
        orders.iteration(0).after(seconds(1)).enter_task("Call", json!({})).attempt_failed("Broken", Some("first\nsecond"));
        let built = orders.build();
        let list = events(&built, &rebuild(&built, None));
        let last = list.events.last().expect("events");
        assert_eq!((last.state.as_str(), last.details.as_str()), ("Each[0] Call", "Broken: first"));
        assert_eq!((last.offset_ms, last.is_failure), (Some(1000), true));
        assert_eq!(list.events[4].details, "");
        assert_eq!(list.events[3].details, "[0]");
    }

    #[test]
    fn an_empty_history_gives_an_empty_report() {
        let report = show(&History::default(), &rebuild(&History::default(), None));
        assert!(report.visits.is_empty() && report.tree.is_empty());
        assert_eq!(report.execution.duration_ms, None);
    }
}

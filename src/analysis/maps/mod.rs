//! Map Runs: what became of the items of a Distributed Map.
//!
//! Evidence comes from three sides, any of which may be missing: the service's description, the execution whose Map it is, and the
//! children (as files of a ResultWriter, a listing or histories have them).
//!
//! | file             | holds                                                     |
//! |------------------|-----------------------------------------------------------|
//! | `children.rs`    | what is kept of the children while they pass               |
//! | `groups.rs`      | those that did not succeed, by cause                       |
//! | `concurrency.rs` | how many ran at once                                      |
//! | `tolerance.rs`   | whether more failed than is tolerated, and which too many |
//! | `parent.rs`      | what the execution says of its Map Run                     |
//! | `settings.rs`    | what the definition says of it                             |
//! | `question.rs`    | all of it from the facts of many executions                |
//! | `inputs.rs`      | an input as items to be run again                         |
//! | `report.rs`      | the answer                                                |

mod children;
mod concurrency;
mod groups;
pub mod inputs;
mod parent;
mod question;
mod report;
mod settings;
mod tolerance;

pub use children::{Children, batch_size};
pub use groups::KnownFailure;
pub use parent::{Parent, of_history};
pub use question::{Found, MapRuns};
pub use report::*;
pub use settings::manifest_key;

use self::tolerance::Limits;
use crate::model::{ExecutionArn, MapRun, MapRunCounts, MapRunName};

/// What is known of a Map Run.
#[derive(Debug, Default)]
pub struct Evidence {
    /// ARN of the Map Run.
    pub map_run: Option<String>,
    /// What DescribeMapRun says.
    pub described: Option<MapRun>,
    /// What its execution says.
    pub parent: Option<Parent>,
    /// Its children, as far as they were read.
    pub children: Children,
    /// The files that were read.
    pub results: Option<Results>,
    /// Whether the service would redrive its execution: word and reason.
    pub redrive: Option<(String, Option<String>)>,
    /// What is known to be missing.
    pub incomplete: Vec<NotKnown>,
}

/// The answer for one Map Run, without next commands: those are the caller's, who knows where the evidence came from.
pub fn report(mut evidence: Evidence, limit: usize) -> MapRunReport {
    let children = &mut evidence.children;
    let described = evidence.described.as_ref();
    let parent = evidence.parent.as_ref();
    let settings = parent.and_then(|parent| parent.settings.as_ref());
    let mut incomplete = std::mem::take(&mut evidence.incomplete);
    let counted_by = match (described, &evidence.results) {
        (Some(_), _) => "service",
        (None, Some(_)) => "files",
        (None, None) => "children",
    };
    let mut executions = described.map_or(children.executions, |run| run.executions);
    let mut items = described.map_or(children.items, |run| run.items);
    let given = parent.and_then(|parent| parent.items).filter(|given| described.is_none() && *given > items.total);
    if let Some(given) = given.filter(|_| evidence.results.is_none()) {
        // Those of which no child was read may never have been started; that they are not among the read ones is all that is known.
        incomplete.push(NotKnown {
            id: Lack::ItemsWithoutChild,
            text: format!("of {} of {given} items no child was read: they count as pending", given - items.total),
        });
        items.pending += given - items.total;
        items.total = given;
        if children.batches == 0 && !settings.is_some_and(|settings| settings.batched) {
            executions.pending += given - executions.total;
            executions.total = given;
        }
    }
    let limits = match (described, settings) {
        (Some(run), _) => Some(Limits::described(run.tolerated_failure_count, run.tolerated_failure_percentage)),
        (None, Some(settings)) if !settings.tolerance_is_computed => {
            Some(Limits { count: settings.tolerated_count, percentage: settings.tolerated_percentage })
        }
        _ => None,
    };
    let status = described.map(|run| run.status.clone()).or_else(|| parent.and_then(|parent| parent.status).map(str::to_owned));
    let is_running = status.as_deref() == Some("RUNNING");
    let start = described.and_then(|run| run.start).or_else(|| parent.and_then(|parent| parent.start)).or(children.first_start);
    let stop = match described {
        Some(run) => run.stop,
        None => parent.and_then(|parent| parent.stop).or(children.last_stop).filter(|_| !is_running),
    };
    let between =
        |end: Option<crate::model::Timestamp>| Some(end?.as_millisecond() - start?.as_millisecond()).filter(|length| *length >= 0);
    let max_concurrency = described.map(|run| run.max_concurrency).or_else(|| settings.and_then(|settings| settings.max_concurrency));
    incomplete.extend(disagreement(described, children, evidence.results.as_ref()));
    if children.outputs > 0 {
        incomplete.push(NotKnown {
            id: Lack::OutputsOnly,
            text: format!(
                "{} outputs stand in the files in place of records (Transformation COMPACT or FLATTEN): when those children ran, and with \
                 FLATTEN how many they were, is not in them",
                children.outputs
            ),
        });
    }
    let first_failures = children.first_failures();
    let knows_all = match counted_by {
        "service" => !is_running,
        "files" => evidence.results.as_ref().is_some_and(Results::is_whole),
        _ => given.is_some(),
    };
    let ended = match (status.as_deref(), parent.and_then(|parent| parent.error.as_deref())) {
        (_, Some("States.ExceedToleratedFailureThreshold")) => Some(true),
        (Some("SUCCEEDED"), _) => Some(false),
        _ => None,
    };
    let tolerance = tolerance::judged(limits, tolerance::Counted { items: &items, knows_all }, ended, &first_failures);
    let mut groups = std::mem::take(&mut children.failures);
    let untold = std::mem::take(&mut groups.untold);
    let mut groups = groups.groups();
    let all = groups.len();
    groups.truncate(limit);
    let arn = evidence.map_run.clone().or_else(|| described.map(|run| run.arn.clone()));
    let names = arn.as_deref().and_then(MapRunName::parse);
    let example = children.example.as_deref().and_then(|arn| arn.parse::<ExecutionArn>().ok());
    let label_of_child = example.as_ref().and_then(|arn| arn.machine().split_once('/')).map(|(_, label)| label);
    let execution = described.map(|run| run.execution.clone()).or_else(|| parent.and_then(|parent| parent.execution.clone()));
    let machine_of = |arn: &str| arn.parse::<ExecutionArn>().ok().map(|arn| arn.state_machine().as_str().to_owned());
    MapRunReport {
        label: names.map(|names| names.label).or(label_of_child).map(str::to_owned),
        state_machine: parent
            .and_then(|parent| parent.state_machine.clone())
            .or_else(|| execution.as_deref().and_then(machine_of))
            .or_else(|| example.as_ref().map(|arn| arn.state_machine().as_str().to_owned()))
            .or_else(|| arn.as_deref().and_then(MapRunName::state_machine_of)),
        state: parent.and_then(|parent| parent.state.clone()),
        error: parent.and_then(|parent| parent.error.clone()),
        cause: parent.and_then(|parent| parent.cause.clone()),
        duration_ms: between(stop),
        items_per_second: per_second(&items, between(stop.or(children.last_stop))),
        batched: settings.is_some_and(|settings| settings.batched) || children.batches > 0 || items.total != executions.total,
        concurrency: std::mem::take(&mut children.sweep).finish(max_concurrency),
        redrive: redrive(evidence.redrive.as_ref(), described, parent),
        slowest: children.slowest(),
        unexplained: children.unexplained + untold,
        groups_left_out: (all - groups.len()) as u64,
        map_run: arn,
        results: evidence.results,
        next: Vec::new(),
        counted_by,
        executions,
        execution,
        status,
        start,
        stop,
        items,
        tolerance,
        groups,
        incomplete,
    }
}

#[allow(clippy::cast_precision_loss, reason = "a Map Run has 100,000,000 items at most")]
fn per_second(items: &MapRunCounts, length_ms: Option<i64>) -> Option<f64> {
    let length = length_ms.filter(|length| *length > 0)? as f64 / 1000.0;
    let done = items.succeeded + items.failed_or_timed_out();
    (done > 0).then(|| done as f64 / length)
}

fn redrive(asked: Option<&(String, Option<String>)>, described: Option<&MapRun>, parent: Option<&Parent>) -> Redrive {
    Redrive {
        count: described.map(|run| run.redrive_count).or_else(|| parent.map(|parent| parent.redrive_count)).unwrap_or(0),
        last: described.and_then(|run| run.redrive),
        status: asked.map(|(status, _)| status.clone()),
        reason: asked.and_then(|(_, reason)| reason.clone()),
        children_not_redrivable: described.and_then(|run| run.failures_not_redrivable),
    }
}

/// Where the service and the files count otherwise, although all files were read.
fn disagreement(described: Option<&MapRun>, children: &Children, results: Option<&Results>) -> Option<NotKnown> {
    let (run, results) = (described?, results?);
    let is_whole = results.files.iter().all(|file| file.broke_off.is_none() && file.damaged == 0);
    let has_succeeded = results.files.iter().all(|file| file.was_read) && children.outputs == 0;
    if !is_whole || run.status == "RUNNING" {
        return None;
    }
    let (service, files) = (run.executions, children.executions);
    let unsuccessful = |counts: &MapRunCounts| counts.failed_or_timed_out() + counts.aborted;
    let mut differing = Vec::new();
    let mut compare = |what: &str, service: u64, files: u64| {
        if service != files {
            differing.push(format!("{service} and {files} {what}"));
        }
    };
    compare("unsuccessful", unsuccessful(&service), unsuccessful(&files));
    compare("pending", service.pending, files.pending);
    if has_succeeded {
        compare("succeeded", service.succeeded, files.succeeded);
    }
    (!differing.is_empty()).then(|| NotKnown {
        id: Lack::CountsDiffer,
        text: format!("the service and the result files count differently: {}; the service's numbers are shown", differing.join(", ")),
    })
}

#[cfg(test)]
mod tests;

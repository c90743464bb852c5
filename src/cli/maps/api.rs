//! Map Runs from the API: described, with the results in S3 where the ResultWriter put some, else with the children listed.
//!
//! | what                       | call                        | how often                          |
//! |----------------------------|-----------------------------|------------------------------------|
//! | the runs of an execution   | ListMapRuns                 | once, paged                        |
//! | counts, what is tolerated  | DescribeMapRun              | once a run                         |
//! | where results went         | the execution's history     | once                               |
//! | results                    | GetObject                   | once a file                        |
//! | children, without results  | ListExecutions              | a thousand at a time               |
//! | their errors and inputs    | DescribeExecution           | `--describe`; all for a file of inputs |
//! | the states that failed     | a child's history           | `--children` a group               |

use std::collections::HashMap;

use super::connection::Aws;
use super::results::of_manifest;
use super::{Desk, bucket};
use crate::analysis::cause;
use crate::analysis::maps::{self, Children, Evidence, ExplainedChild, Lack, MapRunReport, NotKnown, Parent, manifest_key};
use crate::analysis::why;
use crate::asl::Definition;
use crate::model::{ExecutionArn, ExecutionHeader, ExecutionStatus, History, MapChild, MapRun, MapRunName};
use crate::rebuild::rebuild;
use crate::sources::aws::{AwsError, ExecutionItem, ExecutionsOf};

/// All Map Runs of an execution.
pub fn of_execution(desk: &mut Desk<'_>, execution: &ExecutionArn) -> anyhow::Result<Vec<MapRunReport>> {
    if execution.is_express() {
        return Err(AwsError::Express { arn: execution.to_string() }.into());
    }
    let aws = desk.connection.to(Some(execution.region()))?;
    let listed = aws.wait(aws.source.map_runs_of(execution)).map_err(|error| anyhow::anyhow!("failed to read {execution}: {error}"))?;
    desk.check_one(listed.len())?;
    let mut histories = Parents::default();
    let mut reports = Vec::new();
    for run in listed {
        match aws.wait(aws.source.describe_map_run(&run.arn)) {
            Ok(described) => reports.push(of_run(desk, &aws, described, &mut histories)?),
            Err(error) => desk.report(&format!("{}: {error}", run.arn)),
        }
    }
    Ok(reports)
}

/// One Map Run.
pub fn of_map_run(desk: &mut Desk<'_>, arn: &str) -> anyhow::Result<Vec<MapRunReport>> {
    let aws = desk.connection.to(MapRunName::parse(arn).map(|name| name.region))?;
    let described = aws.wait(aws.source.describe_map_run(arn)).map_err(|error| anyhow::anyhow!("failed to read {arn}: {error}"))?;
    Ok(vec![of_run(desk, &aws, described, &mut Parents::default())?])
}

/// What the executions say whose Maps these are, each read once.
#[derive(Default)]
struct Parents(HashMap<String, Result<Told, String>>);

/// What an execution says of its Map Runs.
#[derive(Clone)]
struct Told {
    runs: Vec<Parent>,
    /// Whether the service would redrive it, and why not.
    redrive: Option<(String, Option<String>)>,
}

impl Parents {
    fn of(&mut self, aws: &Aws, execution: &str) -> Result<Told, String> {
        let read = || -> Result<_, String> {
            let arn: ExecutionArn = execution.parse().map_err(|error: crate::model::arn::ArnError| error.to_string())?;
            let history = aws.wait(aws.source.history(&arn)).map_err(|error| error.to_string())?;
            let redrive = redrive_of(&history.header);
            let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
            Ok(Told { runs: maps::of_history(&history, &rebuild(&history, definition.as_ref())), redrive })
        };
        self.0.entry(execution.to_owned()).or_insert_with(read).clone()
    }
}

/// Whether the service would redrive an execution, and why not.
fn redrive_of(header: &ExecutionHeader) -> Option<(String, Option<String>)> {
    let member = |name: &str| {
        let (_, text) = header.unknown.iter().find(|(known, _)| known == name)?;
        serde_json::from_str::<String>(&text.decode()).ok()
    };
    Some((member("redriveStatus")?, member("redriveStatusReason")))
}

fn of_run(desk: &mut Desk<'_>, aws: &Aws, described: MapRun, parents: &mut Parents) -> anyhow::Result<MapRunReport> {
    let mut evidence = Evidence { map_run: Some(described.arn.clone()), ..Evidence::default() };
    match parents.of(aws, &described.execution) {
        Ok(Told { runs, redrive }) => {
            evidence.parent = runs.into_iter().find(|parent| parent.map_run == described.arn);
            evidence.redrive = redrive;
        }
        Err(error) => desk.lacks(&mut evidence, Lack::ExecutionNotRead, format!("{} was not read: {error}", described.execution)),
    }
    let is_running = described.status == "RUNNING";
    let arn = described.arn.clone();
    evidence.described = Some(described);
    let has_results = match location(desk, &evidence, &arn).filter(|_| !is_running || desk.args.results.is_some()) {
        Some((bucket, key)) => read_results(desk, aws, &mut evidence, (&bucket, &key))?,
        None => false,
    };
    if !has_results {
        list_children(desk, aws, &mut evidence, &arn)?;
    }
    let mut report = maps::report(evidence, desk.args.limit);
    explain(desk, aws, &mut report);
    Ok(report)
}

/// Bucket and key of the manifest: as the arguments, the state's output or the definition say.
fn location(desk: &Desk<'_>, evidence: &Evidence, map_run: &str) -> Option<(String, String)> {
    if let Some((bucket, key)) = desk.args.results.as_deref().and_then(bucket::parse) {
        return Some((bucket.to_owned(), key.to_owned()));
    }
    let parent = evidence.parent.as_ref()?;
    let id = MapRunName::parse(map_run)?.id;
    let by_definition = || {
        let (bucket, prefix) = parent.settings.as_ref()?.writer.as_ref()?;
        Some((bucket.clone(), manifest_key(prefix, id)))
    };
    parent.manifest.clone().or_else(by_definition)
}

/// Whether the results could be read; where they could not, it is said why.
fn read_results(desk: &mut Desk<'_>, aws: &Aws, evidence: &mut Evidence, place: (&str, &str)) -> anyhow::Result<bool> {
    let look_up_aws = aws.clone();
    let mut unknown = Vec::new();
    let mut look_up = |arn: &str| -> anyhow::Result<Option<MapChild>> {
        let found = look_up_aws.wait(look_up_aws.source.describe_child(arn));
        Ok(found.map_err(|error| unknown.push(format!("{arn}: {error}"))).ok())
    };
    let read = of_manifest(evidence, aws.clone(), place, desk.args, &mut desk.writers, &mut look_up)?;
    unknown.truncate(5);
    for problem in &unknown {
        desk.report(problem);
    }
    match read {
        Ok(problems) => {
            for problem in &problems {
                desk.report(problem);
            }
            Ok(true)
        }
        Err(problem) => {
            let text = format!("the ResultWriter's files were not read, its children are listed in their place: {problem}");
            desk.lacks(evidence, Lack::ResultsNotRead, text);
            Ok(false)
        }
    }
}

/// Lists the children, those that did not succeed first, and asks for the errors of some or all of those.
fn list_children(desk: &mut Desk<'_>, aws: &Aws, evidence: &mut Evidence, arn: &str) -> anyhow::Result<()> {
    let counts = evidence.described.as_ref().map(|run| run.executions).unwrap_or_default();
    let batched = evidence.parent.as_ref().and_then(|parent| parent.settings.as_ref()).map(|settings| settings.batched);
    let mut children = Children::new(batched);
    let mut failed: Vec<ExecutionItem> = Vec::new();
    for (status, count) in [
        (ExecutionStatus::Failed, counts.failed),
        (ExecutionStatus::TimedOut, counts.timed_out),
        (ExecutionStatus::Aborted, counts.aborted),
    ] {
        if count > 0 {
            list(desk, aws, evidence, arn, status, usize::MAX, &mut failed);
        }
    }
    let mut others: Vec<ExecutionItem> = Vec::new();
    let most = desk.args.list;
    for (status, count) in [
        (ExecutionStatus::Running, counts.running),
        (ExecutionStatus::PendingRedrive, counts.running),
        (ExecutionStatus::Succeeded, counts.succeeded),
    ] {
        if count > 0 {
            list(desk, aws, evidence, arn, status, most, &mut others);
        }
    }
    let not_listed = (counts.running + counts.succeeded).saturating_sub(others.len() as u64);
    if not_listed > 0 && !evidence.incomplete.iter().any(|lack| lack.id == Lack::ChildrenNotListed) {
        let text = format!(
            "{not_listed} children that succeeded or run were not listed (--list): how many ran at once, and which were slow, is told of the others"
        );
        evidence.incomplete.push(NotKnown { id: Lack::ChildrenNotListed, text });
    }
    // Spread over the run, so that no cause that came and went is overlooked.
    let wants_all = desk.args.failed_inputs.is_some();
    let wanted = if wants_all { failed.len() } else { desk.args.describe.min(failed.len()) };
    let mut described = 0;
    for (place, item) in failed.iter().enumerate() {
        let is_wanted = wanted > 0 && (place * wanted) / failed.len() != ((place + 1) * wanted) / failed.len();
        let known = if is_wanted { aws.wait(aws.source.describe_child(item.arn.as_str())).map(Some) } else { Ok(None) };
        match known {
            Ok(Some(child)) => {
                described += 1;
                if wants_all {
                    desk.writers.add_failed(&child.arn, child.input.as_deref(), batched)?;
                }
                children.take(&child, None, true);
            }
            Ok(None) => children.take(&listed(item), None, false),
            Err(error) => {
                desk.report(&format!("{}: {error}", item.arn));
                children.take(&listed(item), None, false);
            }
        }
    }
    if described < failed.len() {
        let text = format!(
            "the errors of {} of {} unsuccessful children were not looked up (--describe); the groups are of the others",
            failed.len() - described,
            failed.len()
        );
        evidence.incomplete.push(NotKnown { id: Lack::ChildrenNotDescribed, text });
    }
    for item in &others {
        children.take(&listed(item), None, true);
    }
    if desk.args.pending_inputs.is_some() && counts.pending > 0 {
        let text = "the inputs of items that were never started stand in the ResultWriter's PENDING files only, and none was read";
        desk.lacks(evidence, Lack::PendingInputsNotKnown, text.to_owned());
    }
    evidence.children = children;
    Ok(())
}

/// Adds the children of one status, and no further page once there are so many in all.
fn list(
    desk: &mut Desk<'_>,
    aws: &Aws,
    evidence: &mut Evidence,
    arn: &str,
    status: ExecutionStatus,
    most: usize,
    found: &mut Vec<ExecutionItem>,
) {
    let mut token = None;
    while found.len() < most {
        match aws.wait(aws.source.list_executions(ExecutionsOf::MapRun(arn), Some(status), token.as_deref())) {
            Ok(page) => {
                // A service that forgets the filter would count children twice.
                found.extend(page.items.into_iter().filter(|item| item.status == Some(status)));
                match page.next {
                    None => return,
                    next if next == token => {
                        return desk.lacks(evidence, Lack::ChildrenNotListed, format!("{arn}: the listing does not end"));
                    }
                    next => token = next,
                }
            }
            Err(error) => {
                return desk.lacks(evidence, Lack::ChildrenNotListed, format!("the {status} children were not all listed: {error}"));
            }
        }
    }
    found.truncate(most);
}

fn listed(item: &ExecutionItem) -> MapChild {
    MapChild {
        arn: item.arn.as_str().to_owned(),
        status: item.status.or(Some(ExecutionStatus::Running)),
        start: item.start,
        stop: item.stop,
        redrive_count: item.redrive_count,
        ..MapChild::default()
    }
}

/// Reads the histories of some children of each group, to name the state that failed.
fn explain(desk: &mut Desk<'_>, aws: &Aws, report: &mut MapRunReport) {
    let most = desk.args.children;
    let mut problems = Vec::new();
    for group in &mut report.groups {
        // What was stopped failed of nothing of its own.
        let samples = group.samples.iter().filter(|sample| sample.status != Some(ExecutionStatus::Aborted));
        for sample in samples.take(most) {
            let read = sample.execution.parse::<ExecutionArn>().map_err(|error| error.to_string());
            let read = read.and_then(|arn| aws.wait(aws.source.history(&arn)).map_err(|error| error.to_string()));
            match read {
                Ok(history) => group.explained.push(explained(&sample.execution, history)),
                Err(error) => problems.push(format!("{}: {error}", sample.execution)),
            }
        }
        let states: Vec<&Option<String>> = group.explained.iter().map(|child| &child.state).collect();
        if let [first, rest @ ..] = states.as_slice()
            && group.state.is_none()
            && rest.iter().all(|state| state == first)
        {
            group.state.clone_from(first);
        }
    }
    if let Some(first) = problems.first() {
        let text = format!("the histories of {} children were not read, such as {first}", problems.len());
        desk.report(&text);
        report.incomplete.push(NotKnown { id: Lack::ChildNotRead, text });
    }
}

fn explained(arn: &str, mut history: History) -> ExplainedChild {
    let definition = crate::cli::load::definition_of(&mut history);
    let path = rebuild(&history, definition.as_ref());
    let root = why::root(why::Evidence { history: &history, path: &path, definition: definition.as_ref() });
    let state = root.visit.and_then(|visit| path.visit(visit).state.as_ref()).map(|state| state.decode().into_owned());
    let message = root.cause.as_deref().and_then(|cause| cause::decode(root.error.as_deref(), cause).message);
    ExplainedChild {
        execution: arn.to_owned(),
        state,
        message: message.or(root.cause),
        error: root.error,
        kind: root.kind.name(),
        confidence: root.confidence.name(),
    }
}

//! Map Runs: which an execution has, how each is doing, and what became of their children.
//!
//! A census is slow by quota (ListMapRuns and DescribeMapRun once a second), and a child's error and input are in its description only.

use aws_sdk_sfn::types::{IncludedData, MapRunExecutionCounts, MapRunItemCounts};

use super::find::PAGE;
use super::listing::moment;
use super::{Action, AwsError, AwsSource, Listed};
use crate::model::{ExecutionArn, ExecutionStatus, MapChild, MapRun, MapRunCounts, Timestamp};

/// More pages than an execution has Map Runs: each Map Run takes several of its 25,000 events.
const MOST_PAGES: usize = 1_000;

/// A Map Run of `ListMapRuns`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct MapRunItem {
    pub arn: String,
    pub execution: String,
    /// With the label of the Map.
    pub state_machine_arn: String,
    pub start: Option<Timestamp>,
    pub stop: Option<Timestamp>,
}

impl AwsSource {
    /// All Map Runs of an execution, in the order in which they started.
    pub async fn map_runs_of(&self, execution: &ExecutionArn) -> Result<Vec<MapRunItem>, AwsError> {
        let mut found = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let page = self.list_map_runs(execution, token.as_deref()).await?;
            found.extend(page.items);
            match page.next {
                None => {
                    found.sort_by(|one: &MapRunItem, other| (one.start, &one.arn).cmp(&(other.start, &other.arn)));
                    return Ok(found);
                }
                next if next == token => {
                    return Err(self.call(Action::ListMapRuns, execution.as_str()).endless("a page names itself as the next one"));
                }
                next => token = next,
            }
        }
        Err(self.call(Action::ListMapRuns, execution.as_str()).endless("more pages than an execution can have Map Runs"))
    }

    /// A page of an execution's Map Runs.
    pub async fn list_map_runs(&self, execution: &ExecutionArn, token: Option<&str>) -> Result<Listed<MapRunItem>, AwsError> {
        let request = self.states().list_map_runs().execution_arn(execution.as_str()).max_results(PAGE);
        let request = request.set_next_token(token.map(str::to_owned));
        let page = self.send(Action::ListMapRuns, execution.as_str(), || request.clone().send()).await?;
        let items = page.map_runs.into_iter().map(|run| MapRunItem {
            arn: run.map_run_arn,
            execution: run.execution_arn,
            state_machine_arn: run.state_machine_arn,
            start: moment(&run.start_date),
            stop: run.stop_date.as_ref().and_then(moment),
        });
        Ok(Listed { items: items.collect(), next: page.next_token })
    }

    /// How a Map Run is doing.
    pub async fn describe_map_run(&self, arn: &str) -> Result<MapRun, AwsError> {
        let request = self.states().describe_map_run().map_run_arn(arn);
        let answer = self.send(Action::DescribeMapRun, arn, || request.clone().send()).await?;
        Ok(MapRun {
            arn: answer.map_run_arn,
            execution: answer.execution_arn,
            status: answer.status.as_str().to_owned(),
            start: moment(&answer.start_date),
            stop: answer.stop_date.as_ref().and_then(moment),
            max_concurrency: count(i64::from(answer.max_concurrency)),
            tolerated_failure_percentage: f64::from(answer.tolerated_failure_percentage),
            tolerated_failure_count: count(answer.tolerated_failure_count),
            items: answer.item_counts.as_ref().map(items).unwrap_or_default(),
            executions: answer.execution_counts.as_ref().map(executions).unwrap_or_default(),
            failures_not_redrivable: answer.execution_counts.as_ref().and_then(|counts| counts.failures_not_redrivable).map(count),
            redrive_count: answer.redrive_count.map_or(0, |redrives| count(i64::from(redrives))),
            redrive: answer.redrive_date.as_ref().and_then(moment),
        })
    }

    /// A child of a Map Run, or any other execution, with its input, error and cause. One whose data cannot be decrypted comes without them.
    pub async fn describe_child(&self, arn: &str) -> Result<MapChild, AwsError> {
        let described = async |data: IncludedData| {
            let request = self.states().describe_execution().execution_arn(arn).included_data(data);
            self.send(Action::DescribeExecution, arn, || request.clone().send()).await
        };
        let answer = match described(IncludedData::AllData).await {
            Err(AwsError::Encrypted { .. }) => described(IncludedData::MetadataOnly).await?,
            answer => answer?,
        };
        Ok(MapChild {
            arn: answer.execution_arn,
            status: ExecutionStatus::from_name(answer.status.as_str()),
            start: moment(&answer.start_date),
            stop: answer.stop_date.as_ref().and_then(moment),
            input: answer.input,
            error: answer.error,
            cause: answer.cause,
            redrive_count: answer.redrive_count.map_or(0, |redrives| count(i64::from(redrives))),
            redrive: answer.redrive_status.map(|status| (status.as_str().to_owned(), answer.redrive_status_reason)),
        })
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Both kinds of counts have the same fields, and share no trait.
macro_rules! counts {
    ($counts:expr) => {
        MapRunCounts {
            pending: count($counts.pending),
            running: count($counts.running),
            succeeded: count($counts.succeeded),
            failed: count($counts.failed),
            timed_out: count($counts.timed_out),
            aborted: count($counts.aborted),
            total: count($counts.total),
            results_written: count($counts.results_written),
        }
    };
}

fn items(counts: &MapRunItemCounts) -> MapRunCounts {
    counts!(counts)
}

fn executions(counts: &MapRunExecutionCounts) -> MapRunCounts {
    counts!(counts)
}

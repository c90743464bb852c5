//! Every action of AWS that this program calls: its service, its permission, and how often it may be called.
//!
//! No request leaves without naming one of them ([`AwsSource::send`](super::AwsSource)), so the permissions that a verb needs, the share of
//! a quota that it takes and the words of its errors come from one table.
//!
//! The quotas of Step Functions are those of the service's page on quotas; what AWS does not publish is guessed low, and found out by
//! slowing down when the service throttles. A bucket holds so many calls and is filled with so many a second.

use std::fmt;

use serde::Serialize;

/// A service of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Step Functions.
    States,
    /// CloudWatch Logs.
    Logs,
    /// X-Ray.
    Xray,
    /// S3.
    S3,
}

impl Service {
    /// As permissions begin.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::States => "states",
            Self::Logs => "logs",
            Self::Xray => "xray",
            Self::S3 => "s3",
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::States => "Step Functions",
            Self::Logs => "CloudWatch Logs",
            Self::Xray => "X-Ray",
            Self::S3 => "S3",
        }
    }
}

/// A token bucket of the service, for one account and region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// Calls that it holds when it is full.
    pub bucket: f64,
    /// Calls a second that fill it.
    pub refill: f64,
}

/// What a permission can be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Nothing: the action takes `*` only.
    Any,
    /// State machines.
    StateMachine,
    /// Executions.
    Execution,
    /// Map Runs.
    MapRun,
    /// Log groups.
    LogGroup,
    /// Buckets of S3.
    Bucket,
    /// Objects in buckets of S3.
    Object,
}

/// An action of AWS. All of them only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub enum Action {
    ListStateMachines,
    ListTagsForResource,
    DescribeStateMachine,
    DescribeStateMachineForExecution,
    ListExecutions,
    DescribeExecution,
    GetExecutionHistory,
    ListMapRuns,
    DescribeMapRun,
    DescribeLogGroups,
    FilterLogEvents,
    StartQuery,
    GetQueryResults,
    StopQuery,
    GetTraceSummaries,
    BatchGetTraces,
    ListObjectsV2,
    GetObject,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::ListStateMachines,
        Self::ListTagsForResource,
        Self::DescribeStateMachine,
        Self::DescribeStateMachineForExecution,
        Self::ListExecutions,
        Self::DescribeExecution,
        Self::GetExecutionHistory,
        Self::ListMapRuns,
        Self::DescribeMapRun,
        Self::DescribeLogGroups,
        Self::FilterLogEvents,
        Self::StartQuery,
        Self::GetQueryResults,
        Self::StopQuery,
        Self::GetTraceSummaries,
        Self::BatchGetTraces,
        Self::ListObjectsV2,
        Self::GetObject,
    ];

    /// As the API names it, without its service.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListStateMachines => "ListStateMachines",
            Self::ListTagsForResource => "ListTagsForResource",
            Self::DescribeStateMachine => "DescribeStateMachine",
            Self::DescribeStateMachineForExecution => "DescribeStateMachineForExecution",
            Self::ListExecutions => "ListExecutions",
            Self::DescribeExecution => "DescribeExecution",
            Self::GetExecutionHistory => "GetExecutionHistory",
            Self::ListMapRuns => "ListMapRuns",
            Self::DescribeMapRun => "DescribeMapRun",
            Self::DescribeLogGroups => "DescribeLogGroups",
            Self::FilterLogEvents => "FilterLogEvents",
            Self::StartQuery => "StartQuery",
            Self::GetQueryResults => "GetQueryResults",
            Self::StopQuery => "StopQuery",
            Self::GetTraceSummaries => "GetTraceSummaries",
            Self::BatchGetTraces => "BatchGetTraces",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::GetObject => "GetObject",
        }
    }

    /// The action of this name, with or without its service: `states:GetExecutionHistory`, `GetExecutionHistory`.
    pub fn from_name(name: &str) -> Option<Self> {
        let is_named = |action: &Self| action.name() == name || action.to_string() == name;
        Self::ALL.into_iter().find(is_named)
    }

    /// Whose it is.
    pub fn service(self) -> Service {
        match self {
            Self::ListStateMachines
            | Self::ListTagsForResource
            | Self::DescribeStateMachine
            | Self::DescribeStateMachineForExecution
            | Self::ListExecutions
            | Self::DescribeExecution
            | Self::GetExecutionHistory
            | Self::ListMapRuns
            | Self::DescribeMapRun => Service::States,
            Self::DescribeLogGroups | Self::FilterLogEvents | Self::StartQuery | Self::GetQueryResults | Self::StopQuery => Service::Logs,
            Self::GetTraceSummaries | Self::BatchGetTraces => Service::Xray,
            Self::ListObjectsV2 | Self::GetObject => Service::S3,
        }
    }

    /// The permission that it needs, without its service; S3 names one otherwise than the action.
    pub fn permission(self) -> &'static str {
        match self {
            Self::ListObjectsV2 => "ListBucket",
            action => action.name(),
        }
    }

    /// What its permission can be narrowed to.
    pub fn resource(self) -> Resource {
        match self {
            Self::ListStateMachines
            | Self::DescribeLogGroups
            | Self::GetQueryResults
            | Self::StopQuery
            | Self::GetTraceSummaries
            | Self::BatchGetTraces => Resource::Any,
            Self::ListTagsForResource | Self::DescribeStateMachine | Self::ListExecutions => Resource::StateMachine,
            Self::DescribeStateMachineForExecution | Self::DescribeExecution | Self::GetExecutionHistory | Self::ListMapRuns => {
                Resource::Execution
            }
            Self::DescribeMapRun => Resource::MapRun,
            Self::FilterLogEvents | Self::StartQuery => Resource::LogGroup,
            Self::ListObjectsV2 => Resource::Bucket,
            Self::GetObject => Resource::Object,
        }
    }

    /// How often an account may call it in a region.
    pub fn quota(self, region: &str) -> Quota {
        let is_large = matches!(region, "us-east-1" | "us-west-2" | "eu-west-1");
        let by_region = |large: (f64, f64), other: (f64, f64)| if is_large { large } else { other };
        let (bucket, refill) = match self {
            Self::ListStateMachines => (100.0, 5.0),
            Self::ListTagsForResource | Self::ListMapRuns => (100.0, 1.0),
            Self::DescribeStateMachine => (200.0, 20.0),
            Self::DescribeStateMachineForExecution | Self::DescribeMapRun => (200.0, 1.0),
            Self::ListExecutions => by_region((200.0, 5.0), (100.0, 2.0)),
            Self::DescribeExecution => by_region((300.0, 15.0), (250.0, 10.0)),
            Self::GetExecutionHistory => (400.0, 20.0),
            Self::DescribeLogGroups | Self::StartQuery | Self::GetQueryResults | Self::StopQuery => (10.0, 10.0),
            Self::FilterLogEvents => match region {
                "us-east-1" => (25.0, 25.0),
                "ap-northeast-3" | "ap-southeast-3" | "ca-west-1" | "eu-central-1" | "il-central-1" => (5.0, 5.0),
                _ => (10.0, 10.0),
            },
            Self::GetTraceSummaries | Self::BatchGetTraces => (5.0, 5.0),
            // By prefix, and far above what anybody reads.
            Self::ListObjectsV2 | Self::GetObject => (1_000.0, 1_000.0),
        };
        Quota { bucket, refill }
    }
}

/// As permissions and messages name it, such as `states:DescribeExecution`.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service().prefix(), self.permission())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_listed_once_and_only_reads() {
        let mut names: Vec<String> = Action::ALL.iter().map(ToString::to_string).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), Action::ALL.len());
        let reads = ["List", "Describe", "Get", "BatchGet", "Filter", "StartQuery", "StopQuery"];
        assert!(Action::ALL.iter().all(|action| reads.iter().any(|verb| action.name().starts_with(verb))));
    }

    #[test]
    fn quotas_differ_by_region_where_the_service_says_so() {
        assert_eq!(Action::ListExecutions.quota("eu-west-1"), Quota { bucket: 200.0, refill: 5.0 });
        assert_eq!(Action::ListExecutions.quota("eu-north-1"), Quota { bucket: 100.0, refill: 2.0 });
        assert_eq!(Action::GetExecutionHistory.quota("eu-north-1"), Quota { bucket: 400.0, refill: 20.0 });
        assert!(Action::ALL.iter().all(|action| action.quota("eu-north-1").bucket >= action.quota("eu-north-1").refill));
    }
}

//! What the API lists and describes besides single executions: state machines, their executions, their definitions.
//!
//! A page at a time, so that whoever asks decides when to go on. Pages may be short, or empty, without being the last.

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus as Filter, IncludedData, StateMachineType};
use aws_smithy_types::DateTime;

use super::find::PAGE;
use super::{Action, AwsError, AwsSource};
use crate::model::arn::ArnError;
use crate::model::facts::WorkflowType;
use crate::model::{ExecutionArn, ExecutionStatus, RawText, StateMachineArn, Timestamp};

/// A page of a listing.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// What it lists.
    pub items: Vec<T>,
    /// The token of the next page; it lives for 24 hours, while the other arguments stay as they are.
    pub next: Option<String>,
}

/// A state machine of `ListStateMachines`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineItem {
    /// Its ARN.
    pub arn: StateMachineArn,
    /// Its name.
    pub name: String,
    /// Whether the API has histories of its executions; `None` for a word that is new to us.
    pub workflow_type: Option<WorkflowType>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// An execution of `ListExecutions`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct ExecutionItem {
    pub arn: ExecutionArn,
    pub state_machine_arn: StateMachineArn,
    /// `None` for a word that is new to us.
    pub status: Option<ExecutionStatus>,
    pub start: Option<Timestamp>,
    pub stop: Option<Timestamp>,
    pub redrive_count: u64,
    pub redrive: Option<Timestamp>,
    pub map_run_arn: Option<String>,
    pub version_arn: Option<String>,
    pub alias_arn: Option<String>,
}

/// Whose executions are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionsOf<'a> {
    /// A state machine's, a version's or an alias's; without the children of its Map Runs.
    Machine(&'a StateMachineArn),
    /// The children of a Map Run.
    MapRun(&'a str),
}

/// What `DescribeStateMachine` says.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct MachineDescription {
    pub arn: StateMachineArn,
    pub name: String,
    pub workflow_type: Option<WorkflowType>,
    pub definition: RawText,
    pub revision_id: Option<String>,
    pub role_arn: String,
    pub logging: Logging,
    /// Whether X-Ray is on.
    pub tracing: bool,
}

/// What a state machine logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logging {
    /// `ALL`, `ERROR`, `FATAL` or `OFF`; `None` where nothing is set, which is `OFF`.
    pub level: Option<String>,
    /// Whether inputs and outputs are in the records.
    pub includes_execution_data: bool,
    /// The ARN of its log group, which ends in `:*`.
    pub log_group_arn: Option<String>,
}

impl Logging {
    /// The log group's name, where anything is logged.
    pub fn log_group(&self) -> Option<&str> {
        let is_on = self.level.as_deref().is_some_and(|level| level != "OFF");
        let arn = self.log_group_arn.as_deref().filter(|_| is_on)?;
        arn.split(":log-group:").nth(1).map(|name| name.strip_suffix(":*").unwrap_or(name))
    }
}

/// The definition with which an execution ran.
#[derive(Debug, Clone)]
pub struct Revision {
    /// The definition.
    pub definition: RawText,
    /// Its revision; `None` where the service names none.
    pub revision_id: Option<String>,
    /// When the state machine was last changed before the execution: every execution that started since then, and before the
    /// next change, ran with this definition.
    pub updated: Option<Timestamp>,
}

impl AwsSource {
    /// A page of the account's state machines.
    pub async fn list_machines(&self, token: Option<&str>) -> Result<Listed<MachineItem>, AwsError> {
        let request = self.states().list_state_machines().max_results(PAGE).set_next_token(token.map(str::to_owned));
        let page = self.send(Action::ListStateMachines, "*", || request.clone().send()).await?;
        let item = |machine: aws_sdk_sfn::types::StateMachineListItem| {
            let arn = self.machine_arn(Action::ListStateMachines, &machine.state_machine_arn)?;
            let created = moment(&machine.creation_date);
            Ok(MachineItem { arn, name: machine.name, workflow_type: workflow_type(&machine.r#type), created })
        };
        Ok(Listed { items: page.state_machines.into_iter().map(item).collect::<Result<_, AwsError>>()?, next: page.next_token })
    }

    /// The tags of a state machine: name and value.
    pub async fn tags_of(&self, machine: &StateMachineArn) -> Result<Vec<(String, String)>, AwsError> {
        let request = self.states().list_tags_for_resource().resource_arn(machine.unqualified());
        let answer = self.send(Action::ListTagsForResource, machine.unqualified(), || request.clone().send()).await?;
        let tags = answer.tags.unwrap_or_default().into_iter();
        Ok(tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect())
    }

    /// A state machine as it is now, or a version or alias of it as it is.
    pub async fn describe_machine(&self, machine: &StateMachineArn) -> Result<MachineDescription, AwsError> {
        let request = self.states().describe_state_machine().state_machine_arn(machine.as_str()).included_data(IncludedData::AllData);
        let answer = self.send(Action::DescribeStateMachine, machine.as_str(), || request.clone().send()).await?;
        let logging = answer.logging_configuration.map(|logging| Logging {
            level: logging.level.map(|level| level.as_str().to_owned()),
            includes_execution_data: logging.include_execution_data,
            log_group_arn: logging
                .destinations
                .unwrap_or_default()
                .into_iter()
                .find_map(|destination| destination.cloud_watch_logs_log_group?.log_group_arn),
        });
        Ok(MachineDescription {
            arn: self.machine_arn(Action::DescribeStateMachine, &answer.state_machine_arn)?,
            name: answer.name,
            workflow_type: workflow_type(&answer.r#type),
            definition: RawText::plain(answer.definition),
            revision_id: answer.revision_id,
            role_arn: answer.role_arn,
            logging: logging.unwrap_or_default(),
            tracing: answer.tracing_configuration.is_some_and(|tracing| tracing.enabled),
        })
    }

    /// A page of executions, those that started last first. Of one status, or of all.
    pub async fn list_executions(
        &self,
        of: ExecutionsOf<'_>,
        status: Option<ExecutionStatus>,
        token: Option<&str>,
    ) -> Result<Listed<ExecutionItem>, AwsError> {
        let request = self.states().list_executions().max_results(PAGE).set_next_token(token.map(str::to_owned));
        let request = request.set_status_filter(status.map(|status| Filter::from(status.name())));
        let (request, resource) = match of {
            ExecutionsOf::Machine(arn) => (request.state_machine_arn(arn.as_str()), arn.as_str()),
            ExecutionsOf::MapRun(arn) => (request.map_run_arn(arn), arn),
        };
        let page = self.send(Action::ListExecutions, resource, || request.clone().send()).await?;
        let items = page.executions.into_iter().map(|item| self.execution_item(item)).collect::<Result<_, AwsError>>()?;
        Ok(Listed { items, next: page.next_token })
    }

    /// The definition with which an execution ran.
    pub async fn revision_of(&self, execution: &ExecutionArn) -> Result<Revision, AwsError> {
        let request = self.states().describe_state_machine_for_execution().execution_arn(execution.as_str());
        let request = request.included_data(IncludedData::AllData);
        let answer = self.send(Action::DescribeStateMachineForExecution, execution.as_str(), || request.clone().send()).await?;
        Ok(Revision {
            definition: RawText::plain(answer.definition),
            revision_id: answer.revision_id,
            updated: moment(&answer.update_date),
        })
    }

    fn execution_item(&self, item: ExecutionListItem) -> Result<ExecutionItem, AwsError> {
        let unreadable = |error: ArnError| self.call(Action::ListExecutions, "*").unreadable(error.to_string());
        Ok(ExecutionItem {
            arn: item.execution_arn.parse().map_err(unreadable)?,
            state_machine_arn: self.machine_arn(Action::ListExecutions, &item.state_machine_arn)?,
            status: ExecutionStatus::from_name(item.status.as_str()),
            start: moment(&item.start_date),
            stop: item.stop_date.as_ref().and_then(moment),
            redrive_count: item.redrive_count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
            redrive: item.redrive_date.as_ref().and_then(moment),
            map_run_arn: item.map_run_arn,
            version_arn: item.state_machine_version_arn,
            alias_arn: item.state_machine_alias_arn,
        })
    }

    fn machine_arn(&self, action: Action, text: &str) -> Result<StateMachineArn, AwsError> {
        let arn: StateMachineArn = text.parse().map_err(|error: ArnError| self.call(action, "*").unreadable(error.to_string()))?;
        self.learn_account_of(arn.as_str());
        Ok(arn)
    }
}

fn workflow_type(word: &StateMachineType) -> Option<WorkflowType> {
    match word {
        StateMachineType::Standard => Some(WorkflowType::Standard),
        StateMachineType::Express => Some(WorkflowType::Express),
        _ => None,
    }
}

fn moment(time: &DateTime) -> Option<Timestamp> {
    let nanoseconds = i32::try_from(time.subsec_nanos()).ok()?;
    Timestamp::new(time.secs(), nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_group_of_a_machine_that_logs() {
        let arn = "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/vendedlogs/states/Orders-Logs:*";
        let logging =
            |level: Option<&str>| Logging { level: level.map(str::to_owned), log_group_arn: Some(arn.to_owned()), ..Logging::default() };
        assert_eq!(logging(Some("ERROR")).log_group(), Some("/aws/vendedlogs/states/Orders-Logs"));
        assert_eq!(logging(Some("OFF")).log_group(), None);
        assert_eq!(logging(None).log_group(), None);
        assert_eq!(Logging::default().log_group(), None);
    }
}

//! Which log group a query is put to, and what is known of its records.

use super::super::exit_code::WrongUsage;
use crate::analysis::pull_logs;
use crate::model::StateMachineArn;
use crate::sources::aws::{AwsError, AwsSource, Logging, MachineDescription};

/// Where a query is put to.
pub(super) struct Target {
    /// Names of log groups, or ARNs.
    pub groups: Vec<String>,
    /// The machine whose executions are looked at, where one was named.
    pub machine: Option<StateMachineArn>,
    /// What that machine logs, where it was asked.
    pub logging: Option<Logging>,
}

/// Why there is no log group to ask.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoGroup {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Usage(#[from] WrongUsage),
    /// The machine logs nothing, or nowhere.
    #[error("{0}")]
    NotLogging(String),
}

/// The log groups that were named; else that of the machine.
pub(super) async fn find(source: &AwsSource, machine: Option<&str>, groups: &[String], flags: &str) -> Result<Target, NoGroup> {
    let Some(name) = machine else {
        return Ok(Target { groups: groups.to_vec(), machine: None, logging: None });
    };
    if !groups.is_empty() {
        // Nothing needs to be asked of the machine, which may be gone.
        let machine = if name.starts_with("arn:") { Some(name.parse().map_err(AwsError::from)?) } else { None };
        return Ok(Target { groups: groups.to_vec(), machine, logging: None });
    }
    let arn = source.machine(name).await?;
    let described = source.describe_machine(&arn).await?;
    let Some(group) = described.logging.log_group() else {
        return Err(NoGroup::NotLogging(not_logging(&described, flags)));
    };
    // The group may be another account's: then only its ARN finds it.
    let group = described
        .logging
        .log_group_arn
        .clone()
        .filter(|arn| account(arn) != account(described.arn.as_str()))
        .unwrap_or_else(|| group.to_owned());
    Ok(Target { groups: vec![group], machine: Some(arn), logging: Some(described.logging) })
}

fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// That a machine logs nothing, and how that is changed. `flags` go to the AWS CLI.
fn not_logging(machine: &MachineDescription, flags: &str) -> String {
    let logging = &machine.logging;
    let advice = pull_logs::advice(&machine.arn, "OFF", logging.includes_execution_data, logging.log_group_arn.as_deref(), flags);
    let (commands, permissions) = advice.map(|advice| (advice.commands.join("; "), advice.role_permissions.join(", "))).unwrap_or_default();
    format!(
        "{} logs nothing, so there is nothing to ask; these commands switch logging on: {commands}; its role must be allowed {permissions}; an older \
         log group can be asked with --log-group NAME",
        machine.name
    )
}

/// Why the records of this machine may not hold what a query asks for; `None` when they do.
///
/// `needed` is the level as the query's head has it, such as `ALL, with execution data`.
pub(super) fn too_little(needed: &str, logging: &Logging) -> Option<String> {
    const LEVELS: [&str; 3] = ["FATAL", "ERROR", "ALL"];
    let (level, rest) = needed.split_once(',').unwrap_or((needed, ""));
    let at = |level: &str| LEVELS.iter().position(|known| *known == level);
    let is = logging.level.as_deref().unwrap_or("OFF");
    if at(is)? < at(level)? {
        return Some(format!("the state machine logs at level {is}, and this query needs {level}: what it asks for is in no record"));
    }
    let lacks_data = rest.contains("data") && !logging.includes_execution_data;
    lacks_data.then(|| "the state machine logs without execution data, which this query is about".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_needs_more_than_is_logged_says_so() {
        let logging =
            |level: &str, data: bool| Logging { level: Some(level.to_owned()), includes_execution_data: data, log_group_arn: None };
        assert!(too_little("ALL", &logging("ERROR", true)).is_some_and(|text| text.contains("level ERROR") && text.contains("needs ALL")));
        assert_eq!(too_little("ERROR", &logging("ERROR", false)), None);
        assert_eq!(too_little("FATAL", &logging("ALL", false)), None);
        assert!(too_little("ALL, with execution data", &logging("ALL", false)).is_some_and(|text| text.contains("without execution data")));
        assert_eq!(too_little("ALL, with execution data", &logging("ALL", true)), None);
        assert_eq!(too_little("", &logging("ERROR", true)), None, "a query of one's own may not say");
    }
}

//! What came of reading the logs of a state machine, and what its logs can tell at all.
//!
//! | level            | what its records tell                                                              |
//! |------------------|------------------------------------------------------------------------------------|
//! | `ALL`            | everything; without execution data no inputs and outputs                           |
//! | `ERROR`          | failures with error and cause; not the way there, and nothing of what succeeded    |
//! | `FATAL`          | that an execution failed, with error and cause                                     |
//! | `OFF`, or unset  | nothing: an Express execution leaves nothing else                                  |

use serde::Serialize;

use crate::model::facts::WorkflowType;
use crate::model::{StateMachineArn, Timestamp};

/// A gigabyte that Logs Insights scans, in US dollars: the list price of us-east-1. Others are charged about as much; no discounts.
pub const USD_PER_GB_SCANNED: f64 = 0.005;

/// How logs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// FilterLogEvents: page by page, without charge.
    Filter,
    /// Queries of Logs Insights, charged by the bytes that are scanned.
    Insights,
}

/// What came of the logs of one state machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachineLogs {
    /// ARN of the state machine.
    pub state_machine: String,
    /// `STANDARD` or `EXPRESS`; `None` for a word that is new to us.
    pub workflow_type: Option<&'static str>,
    /// The log group's name; `None` when nothing is logged.
    pub log_group: Option<String>,
    /// `ALL`, `ERROR`, `FATAL` or `OFF`.
    pub level: String,
    /// Whether inputs and outputs are in the records.
    pub includes_execution_data: bool,
    /// How the group was read; `None` when it was not.
    pub via: Option<Via>,
    /// The executions that began here were looked for; `None` when the group was not read.
    pub since: Option<Timestamp>,
    /// See `since`; the end does not belong to it.
    pub until: Option<Timestamp>,
    /// Whether all of that, or the first part of it, was read by an earlier pull, and not again.
    pub read_before: bool,
    /// Log events that came.
    pub log_events: u64,
    /// Records of this machine among them, each once.
    pub records: u64,
    /// Records that came more than once.
    pub repeated_records: u64,
    /// Lines of others: other machines, functions, services.
    pub other_lines: u64,
    /// Records that could not be read.
    pub unreadable_records: u64,
    /// The first of them of each kind, with where it stood; in words.
    pub unreadable: Vec<String>,
    /// Executions that the store did not have.
    pub new: u64,
    /// Executions that the store had less complete.
    pub replaced: u64,
    /// Executions that the store has as they are, or more complete.
    pub known: u64,
    /// Executions without an end: they may still run, or records were lost.
    pub without_end: u64,
    /// Executions that began outside of the window, and were left out.
    pub outside: u64,
    /// Calls to CloudWatch Logs that were answered.
    pub calls: u64,
    /// Bytes of the log events that came.
    pub bytes_read: u64,
    /// Bytes that queries scanned; these are charged.
    pub bytes_scanned: u64,
    /// What that costs in US dollars, by [`USD_PER_GB_SCANNED`].
    pub scanned_usd: f64,
    /// What was not looked at, and why; in words.
    pub not_looked_at: Vec<String>,
    /// How to log more; `None` when everything is logged.
    pub advice: Option<LoggingAdvice>,
}

/// How to make a state machine log more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggingAdvice {
    /// What the present logs can't tell, in words.
    pub lack: String,
    /// Commands that log everything from then on; this program runs none of them.
    pub commands: Vec<String>,
    /// What the state machine's role must be allowed, on all resources, to log at all.
    pub role_permissions: Vec<&'static str>,
}

/// The permissions that log delivery needs: <https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html>.
const DELIVERY: [&str; 8] = [
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
];

impl MachineLogs {
    /// Of a machine whose logs were not read yet.
    pub fn new(machine: &StateMachineArn, workflow_type: Option<WorkflowType>, level: Option<&str>, includes_data: bool) -> Self {
        Self {
            state_machine: machine.as_str().to_owned(),
            workflow_type: workflow_type.map(WorkflowType::name),
            log_group: None,
            level: level.unwrap_or("OFF").to_owned(),
            includes_execution_data: includes_data,
            via: None,
            since: None,
            until: None,
            read_before: false,
            log_events: 0,
            records: 0,
            repeated_records: 0,
            other_lines: 0,
            unreadable_records: 0,
            unreadable: Vec::new(),
            new: 0,
            replaced: 0,
            known: 0,
            without_end: 0,
            outside: 0,
            calls: 0,
            bytes_read: 0,
            bytes_scanned: 0,
            scanned_usd: 0.0,
            not_looked_at: Vec::new(),
            advice: None,
        }
    }

    /// Executions that were found, wanted or not.
    pub fn executions(&self) -> u64 {
        self.new + self.replaced + self.known
    }

    /// Takes in what queries scanned.
    #[allow(clippy::cast_precision_loss, reason = "a price to some digits")]
    pub fn scanned(&mut self, bytes: u64) {
        self.bytes_scanned += bytes;
        self.scanned_usd = self.bytes_scanned as f64 / 1e9 * USD_PER_GB_SCANNED;
    }

    /// Whether everything that was wanted was read.
    pub fn is_whole(&self) -> bool {
        self.not_looked_at.is_empty() && self.unreadable_records == 0
    }
}

/// What the logs lack, and what to do about it; `None` when they have everything.
///
/// `log_group_arn` is where the machine logs to, or has logged; the commands name a group of the usual name when there is none. `flags` go to
/// the AWS CLI, each after a space.
pub fn advice(
    machine: &StateMachineArn,
    level: &str,
    includes_data: bool,
    log_group_arn: Option<&str>,
    flags: &str,
) -> Option<LoggingAdvice> {
    let lack = match (level, includes_data) {
        ("ALL", true) => return None,
        ("ALL", false) => {
            "the records hold no inputs and outputs: the failing state, its error and the way there are known, its input is not"
        }
        ("ERROR", true) => {
            "only failures are logged: error, cause and resource are known, not the way there, and nothing of what succeeded"
        }
        ("ERROR", false) => {
            "only failures are logged, without inputs and outputs: error, cause and resource are known, and nothing of what succeeded"
        }
        ("FATAL", _) => {
            "only the ends of failed executions are logged: error and cause are known, not the failing state, and nothing of what succeeded"
        }
        _ => "logging is off: nothing is left of an Express execution once it has ended",
    };
    let region = machine.region();
    let group = log_group_arn.map(|arn| arn.strip_suffix(":*").unwrap_or(arn).to_owned());
    let mut commands = Vec::new();
    let group = group.unwrap_or_else(|| {
        let name = format!("/aws/vendedlogs/states/{}-Logs", machine.name());
        commands.push(format!("aws logs create-log-group --region {region}{flags} --log-group-name {name}"));
        format!("arn:{}:logs:{region}:{}:log-group:{name}", machine.partition(), machine.account())
    });
    let configuration = format!(
        r#"{{"level":"ALL","includeExecutionData":true,"destinations":[{{"cloudWatchLogsLogGroup":{{"logGroupArn":"{group}:*"}}}}]}}"#
    );
    commands.push(format!(
        "aws stepfunctions update-state-machine --region {region}{flags} --state-machine-arn {} --logging-configuration '{configuration}'",
        machine.unqualified()
    ));
    Some(LoggingAdvice { lack: lack.to_owned(), commands, role_permissions: DELIVERY.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> StateMachineArn {
        "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders".parse().expect("an ARN")
    }

    #[test]
    fn a_machine_that_logs_everything_needs_no_advice() {
        assert_eq!(advice(&machine(), "ALL", true, None, ""), None);
    }

    #[test]
    fn a_machine_that_logs_nothing_gets_a_group_and_a_configuration() {
        let advice = advice(&machine(), "OFF", false, None, " --profile oncall").expect("advice");
        assert!(advice.lack.contains("logging is off"));
        assert_eq!(
            advice.commands,
            [
                "aws logs create-log-group --region eu-west-1 --profile oncall --log-group-name /aws/vendedlogs/states/Orders-Logs",
                "aws stepfunctions update-state-machine --region eu-west-1 --profile oncall --state-machine-arn \
                 arn:aws:states:eu-west-1:111111111111:stateMachine:Orders --logging-configuration '{\"level\":\"ALL\",\
                 \"includeExecutionData\":true,\"destinations\":[{\"cloudWatchLogsLogGroup\":{\"logGroupArn\":\
                 \"arn:aws:logs:eu-west-1:111111111111:log-group:/aws/vendedlogs/states/Orders-Logs:*\"}}]}'",
            ]
        );
        assert!(advice.role_permissions.contains(&"logs:CreateLogDelivery"));
    }

    #[test]
    fn a_machine_that_logs_some_keeps_its_group() {
        let group = "arn:aws:logs:eu-west-1:111111111111:log-group:shared:*";
        for (level, includes_data, word) in
            [("ERROR", true, "only failures"), ("FATAL", true, "ends of failed"), ("ALL", false, "no inputs")]
        {
            let advice = advice(&machine(), level, includes_data, Some(group), "").expect("advice");
            assert!(advice.lack.contains(word), "{}", advice.lack);
            let [command] = advice.commands.as_slice() else { panic!("one command: {advice:?}") };
            assert!(command.contains(r#""logGroupArn":"arn:aws:logs:eu-west-1:111111111111:log-group:shared:*""#), "{command}");
        }
    }

    #[test]
    fn what_was_scanned_has_a_price() {
        let mut logs = MachineLogs::new(&machine(), Some(WorkflowType::Express), Some("ALL"), true);
        logs.scanned(10_000_000_000);
        logs.scanned(4_400_000_000);
        assert!((logs.scanned_usd - 0.072).abs() < 1e-9);
    }
}

//! `why --logs`: asks CloudWatch Logs for the lines of the task at fault.
//!
//! Nothing here fails: what could not be read is a sentence in the answer.

mod reading;

use std::time::Duration;

use self::reading::Reading;
use super::load::Loader;
use crate::analysis::task_log::{Ask, LogQuestion, Logged, Search, TaskLog, question};
use crate::analysis::why::{self, WhyReport};
use crate::model::Timestamp;
use crate::sources::aws::AwsError;

/// For all calls about one log: groups with very many lines are searched a megabyte a call.
const LONGEST: Duration = Duration::from_mins(2);

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Lines at most.
    pub most: usize,
    /// The group, when the user named one.
    pub log_group: Option<&'a str>,
    /// `--region`.
    pub region: Option<&'a str>,
}

/// Puts the log of the task at fault into the answer. What could not be read is reported, and told in the answer.
pub fn add(report: &mut WhyReport, wanted: Wanted<'_>, loader: &mut Loader<'_>) {
    let Some(cause) = &report.root_cause else { return };
    let log = match question(cause, Ask { log_group: wanted.log_group, region: wanted.region }) {
        Ok(question) => asked(&question, wanted.most, loader),
        Err(no_log) => no_log.report(),
    };
    if log.is_missing {
        let whose = report.execution.arn.as_deref().unwrap_or(&report.execution.origin);
        loader.report(&format!("{whose}: the log of the task at fault was not read; the answer says why"));
    }
    why::add_log(report, log);
}

fn asked(question: &LogQuestion, most: usize, loader: &mut Loader<'_>) -> TaskLog {
    let (from, until) = (question.from, question.until);
    loader.detail(&format!("asking CloudWatch Logs for {}, {from} to {until}", question.group));
    let read = loader.ask(question.region.as_deref(), async |source| {
        match tokio::time::timeout(LONGEST, Reading { source, question, most }.read()).await {
            Ok(answer) => answer.unwrap_or_else(|error| not_read(question, source.region(), &error)),
            Err(_) => missing(question, too_slow(question)),
        }
    });
    read.unwrap_or_else(|error| missing(question, format!("{error:#}")))
}

/// The answer as far as the question tells, without lines.
fn known(question: &LogQuestion) -> TaskLog {
    TaskLog {
        task: Some(question.task),
        name: question.name.clone(),
        region: question.region.clone(),
        group: Some(question.group.clone()),
        attempt: question.attempt,
        ..TaskLog::default()
    }
}

fn missing(question: &LogQuestion, note: String) -> TaskLog {
    TaskLog { note: Some(note), is_missing: true, ..known(question) }
}

fn not_read(question: &LogQuestion, region: &str, error: &AwsError) -> TaskLog {
    let group = &question.group;
    let note = match error {
        AwsError::NoLogGroup { .. } => no_group(question, region),
        AwsError::InfrequentAccess { .. } => {
            let words = match &question.search {
                Search::Request(id) => format!("`filter @message like \"{id}\"`"),
                _ => format!("the time from {} to {}", question.from, question.until),
            };
            format!(
                "the log group {group} is of the Infrequent Access class, which only Logs Insights reads (for a charge): query it there for {words}"
            )
        }
        // The statement in the message is there to be copied.
        AwsError::Denied { action, message, .. } => {
            AwsError::Denied { action: *action, resource: resource(question, region), message: message.clone() }.to_string()
        }
        other => other.to_string(),
    };
    missing(question, note)
}

/// The group as a policy names it.
fn resource(question: &LogQuestion, region: &str) -> String {
    let group = question.group.trim_end_matches(":*");
    if group.starts_with("arn:") {
        return format!("{group}:*");
    }
    let partition = match region.split('-').next() {
        Some("cn") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let account = question.account.as_deref().unwrap_or("*");
    format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:*")
}

fn too_slow(question: &LogQuestion) -> String {
    let LogQuestion { group, from, until, .. } = question;
    format!(
        "the lines of {group} from {} to {} could not be searched within {} s: query them in Logs Insights, which is charged by the bytes it scans",
        second(*from),
        second(*until),
        LONGEST.as_secs()
    )
}

fn no_group(question: &LogQuestion, region: &str) -> String {
    let group = &question.group;
    let absent = format!("there is no log group {group} in {region}");
    let elsewhere = "if it is another account's, pass the --profile of that account";
    if question.is_named || question.task != Logged::Function {
        return format!("{absent}: check its name and the region; {elsewhere}");
    }
    let name = question.name.as_deref().unwrap_or("NAME");
    let account = match &question.account {
        Some(account) => format!("the function belongs to account {account}: pass a --profile of that account"),
        None => elsewhere.to_owned(),
    };
    format!(
        "{absent}: the function never logged, its log was deleted, or it logs elsewhere (`aws lambda get-function-configuration \
         --function-name {name} --region {region} --query LoggingConfig` says where; name that group with --log-group); {account}"
    )
}

fn second(moment: Timestamp) -> String {
    moment.strftime("%F %T UTC").to_string()
}

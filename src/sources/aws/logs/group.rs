//! What the service says about a log group.

use crate::model::Timestamp;
use crate::sources::aws::{Action, AwsError, AwsSource};

/// How many pages of groups whose names begin alike are looked at; a page has 50.
const PAGES: u32 = 20;

/// What a log group costs, and how it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogClass {
    /// Every way.
    Standard,
    /// Queries only.
    InfrequentAccess,
    /// Not at all: its events are delivered elsewhere.
    Delivery,
}

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// How it can be read.
    pub class: LogClass,
    /// After how many days events are deleted; `None` for never.
    pub retention_days: Option<u32>,
    /// Bytes that it holds, compressed, by the service's own count of some hours ago.
    pub stored_bytes: Option<u64>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

impl AwsSource {
    /// A log group by its name; `None` when there is none.
    pub async fn log_group(&self, name: &str) -> Result<Option<LogGroup>, AwsError> {
        let mut token = None;
        for _ in 0..PAGES {
            let request = self.logs().describe_log_groups().log_group_name_prefix(name).limit(50).set_next_token(token);
            let page = self.send(Action::DescribeLogGroups, name, || request.clone().send()).await?;
            let found = page.log_groups.unwrap_or_default().into_iter().find(|group| group.log_group_name.as_deref() == Some(name));
            if let Some(group) = found {
                return Ok(Some(described(name, &group)));
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(None);
            }
        }
        Err(self.call(Action::DescribeLogGroups, name).endless("no end of groups whose names begin like this one"))
    }
}

fn described(name: &str, group: &aws_sdk_cloudwatchlogs::types::LogGroup) -> LogGroup {
    use aws_sdk_cloudwatchlogs::types::LogGroupClass;
    LogGroup {
        name: name.to_owned(),
        class: match group.log_group_class {
            Some(LogGroupClass::InfrequentAccess) => LogClass::InfrequentAccess,
            Some(LogGroupClass::Delivery) => LogClass::Delivery,
            _ => LogClass::Standard,
        },
        retention_days: group.retention_in_days.and_then(|days| u32::try_from(days).ok()),
        stored_bytes: group.stored_bytes.and_then(|bytes| u64::try_from(bytes).ok()),
        created: group.creation_time.and_then(|at| Timestamp::from_millisecond(at).ok()),
    }
}

//! Logs Insights, call by call: a query is started, asked for its results until it has ended, and stopped when nobody wants them any more.
//!
//! [`run`](super::run) does it all.

use std::sync::Mutex;
use std::sync::PoisonError;

use aws_sdk_cloudwatchlogs::error::SdkError;
use aws_sdk_cloudwatchlogs::operation::start_query::StartQueryError;
use aws_sdk_cloudwatchlogs::types::QueryStatus;

use super::LogWindow;
use crate::model::Timestamp;
use crate::sources::aws::{Action, AwsError, AwsSource};

/// A query.
#[derive(Debug, Clone, Copy)]
pub struct LogQuery<'a> {
    /// Names of log groups, or ARNs; at most 50.
    pub groups: &'a [String],
    /// The window, which the service knows to the second: events up to a second before and after may be among the rows.
    pub window: LogWindow,
    /// In the query language of Logs Insights, at most 10,000 characters.
    pub text: &'a str,
    /// Rows at most; a `limit` in the text goes before it.
    pub limit: u32,
}

/// A started query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryId(pub String);

/// One row of an answer: fields and values, in the order of the query. `@ptr` names the event where a row is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryRow(pub Vec<(String, String)>);

impl QueryRow {
    /// The value of a field; `None` where the row has none.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }

    /// When the row's event was written, where the query asked for `@timestamp`.
    pub fn timestamp(&self) -> Option<Timestamp> {
        let text = self.get("@timestamp")?;
        // As the service writes it, in UTC; others write epoch milliseconds.
        let date_time = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
        let moment = text.parse::<i64>().ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        moment.or_else(|| Some(date_time()?.timestamp()))
    }
}

/// What a query has read, which is what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryStatistics {
    /// Bytes that were scanned; these are charged.
    pub bytes_scanned: u64,
    /// Events that were scanned.
    pub records_scanned: u64,
    /// Events that the query wanted.
    pub records_matched: u64,
}

impl QueryStatistics {
    /// Takes in what another query has read.
    pub fn add(&mut self, other: Self) {
        self.bytes_scanned += other.bytes_scanned;
        self.records_scanned += other.records_scanned;
        self.records_matched += other.records_matched;
    }
}

/// How far a query is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryState {
    /// More is to come.
    Running,
    /// It is done.
    Complete,
    /// It ended without being done: `Failed`, `Cancelled` or `Timeout`, or a word that is new to us.
    Ended(String),
}

/// An answer to the question for results.
#[derive(Debug, Clone)]
pub(super) struct QueryPage {
    pub(super) state: QueryState,
    pub(super) rows: Vec<QueryRow>,
    pub(super) statistics: QueryStatistics,
    pub(super) next: Option<String>,
}

impl AwsSource {
    /// Starts a query. It takes one of the account's places for queries until it has ended or was stopped.
    ///
    /// Fails with [`AwsError::TooManyQueries`] when no place is free, and with [`AwsError::MalformedQuery`].
    pub async fn start_query(&self, query: &LogQuery<'_>) -> Result<QueryId, AwsError> {
        let groups: Vec<String> = query.groups.iter().map(|group| group.strip_suffix(":*").unwrap_or(group).to_owned()).collect();
        let resource = groups.join(", ");
        let is_arn = groups.iter().any(|group| group.starts_with("arn:"));
        let (names, arns) = if is_arn { (None, Some(groups)) } else { (Some(groups), None) };
        let request = self
            .logs()
            .start_query()
            .set_log_group_names(names)
            .set_log_group_identifiers(arns)
            .start_time(query.window.from.as_second())
            // Both ends are in the window: what is written within the last second comes with the second after it.
            .end_time(second_at_or_after(query.window.until))
            .query_string(query.text)
            .limit(i32::try_from(query.limit).unwrap_or(i32::MAX));
        // Where in the text the mistake is stands only in the SDK's own error.
        let place = Mutex::new(None);
        let sent = self.send(Action::StartQuery, &resource, || {
            let send = request.clone().send();
            async {
                let answer = send.await;
                *place.lock().unwrap_or_else(PoisonError::into_inner) = answer.as_ref().err().and_then(mistake);
                answer
            }
        });
        let answer = sent.await.map_err(|error| match error {
            AwsError::MalformedQuery { message, .. } => {
                AwsError::MalformedQuery { message, at: place.into_inner().unwrap_or_else(PoisonError::into_inner) }
            }
            error => error,
        })?;
        let id = answer.query_id.ok_or_else(|| self.call(Action::StartQuery, &resource).unreadable("it names no query".to_owned()))?;
        Ok(QueryId(id))
    }

    /// The state of a query, and a page of the rows that it has found so far.
    pub(super) async fn query_page(&self, id: &QueryId, token: Option<String>) -> Result<QueryPage, AwsError> {
        let request = self.logs().get_query_results().query_id(&id.0).set_next_token(token);
        let answer = self.send(Action::GetQueryResults, &id.0, || request.clone().send()).await?;
        let statistics = answer.statistics.map(|statistics| QueryStatistics {
            bytes_scanned: counted(statistics.bytes_scanned),
            records_scanned: counted(statistics.records_scanned),
            records_matched: counted(statistics.records_matched),
        });
        let rows = answer.results.unwrap_or_default().into_iter().map(|fields| {
            QueryRow(fields.into_iter().map(|field| (field.field.unwrap_or_default(), field.value.unwrap_or_default())).collect())
        });
        Ok(QueryPage {
            state: state(answer.status.as_ref()),
            rows: rows.collect(),
            statistics: statistics.unwrap_or_default(),
            next: answer.next_token,
        })
    }

    /// Stops a query, which frees its place. One that has ended is none the worse for it.
    pub async fn stop_query(&self, id: &QueryId) -> Result<(), AwsError> {
        let request = self.logs().stop_query().query_id(&id.0);
        self.send(Action::StopQuery, &id.0, || request.clone().send()).await.map(drop)
    }
}

fn state(status: Option<&QueryStatus>) -> QueryState {
    match status {
        Some(QueryStatus::Complete) => QueryState::Complete,
        Some(QueryStatus::Scheduled | QueryStatus::Running | QueryStatus::UnknownValue) | None => QueryState::Running,
        Some(other) => QueryState::Ended(other.as_str().to_owned()),
    }
}

/// The first character of a query's text that the service objects to.
fn mistake<R>(error: &SdkError<StartQueryError, R>) -> Option<usize> {
    let SdkError::ServiceError(context) = error else { return None };
    let StartQueryError::MalformedQueryException(malformed) = context.err() else { return None };
    let location = malformed.query_compile_error.as_ref()?.location.as_ref()?;
    usize::try_from(location.start_char_offset?).ok()
}

fn second_at_or_after(until: Timestamp) -> i64 {
    until.as_second() + i64::from(until.subsec_nanosecond() > 0)
}

/// The service counts in floating point.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts; what is out of range is clamped")]
fn counted(number: f64) -> u64 {
    number.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_when_its_event_was_written_in_the_words_of_the_service_and_of_others() {
        let row = |text: &str| QueryRow(vec![("@timestamp".to_owned(), text.to_owned())]).timestamp().map(|at| at.to_string());
        assert_eq!(row("2026-11-20 08:00:00.250").as_deref(), Some("2026-11-20T08:00:00.25Z"));
        assert_eq!(row("1795161600250").as_deref(), Some("2026-11-20T08:00:00.25Z"));
        assert_eq!(row("yesterday"), None);
        assert_eq!(QueryRow::default().timestamp(), None);
    }

    #[test]
    fn a_window_that_ends_between_two_seconds_is_asked_to_the_second_after() {
        let at = |text: &str| second_at_or_after(text.parse().expect("a moment"));
        assert_eq!((at("1970-01-01T00:00:05Z"), at("1970-01-01T00:00:05.001Z")), (5, 6));
    }
}

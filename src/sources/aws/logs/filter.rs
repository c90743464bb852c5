//! FilterLogEvents: the events of a log group in the order of their times, a page at a time.

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;

use super::LogWindow;
use crate::model::Timestamp;
use crate::sources::aws::{Action, AwsError, AwsSource};

/// A token that leads to a page without events leads to the next one, of which so many in a row are believed. A page covers a good
/// megabyte of what was searched, so this is more than any group holds.
const EMPTY_PAGES: u32 = 1_000_000;

/// Which events are wanted.
#[derive(Debug, Clone, Copy)]
pub struct LogFilter<'a> {
    /// The group's name, or its ARN, which another account's group needs.
    pub group: &'a str,
    /// When they were written, by their own times.
    pub window: LogWindow,
    /// In the service's syntax, at most 1,024 characters; empty for all events.
    pub pattern: &'a str,
    /// How the streams' names begin; empty for all streams.
    pub stream_prefix: &'a str,
    /// Events a page at most; the service's limit, 10,000, when `None`.
    pub page: Option<u32>,
}

impl<'a> LogFilter<'a> {
    /// Every event of a group in a window.
    pub fn all(group: &'a str, window: LogWindow) -> Self {
        Self { group, window, pattern: "", stream_prefix: "", page: None }
    }
}

/// An event of a log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// The service's id of the event; the same when it is read again.
    pub id: Option<String>,
    /// When it was written, by whoever wrote it.
    pub timestamp: Option<Timestamp>,
    /// When the service took it.
    pub ingested: Option<Timestamp>,
    /// The stream's name.
    pub stream: String,
    /// The line.
    pub message: String,
}

/// A page of events.
#[derive(Debug, Clone, Default)]
pub struct LogPage {
    /// In the order of their times. May be empty although more follow.
    pub events: Vec<LogEvent>,
    /// The token of the next page; no more follow when there is none.
    pub next: Option<String>,
}

impl AwsSource {
    /// A page of the events that a filter lets through. Only when a page names no next one were all of them seen.
    ///
    /// Fails with [`AwsError::NoLogGroup`] for a group that is gone, and with [`AwsError::InfrequentAccess`] for one that only queries read.
    pub async fn filter_log_events(&self, filter: &LogFilter<'_>, token: Option<&str>) -> Result<LogPage, AwsError> {
        if filter.window.is_empty() {
            return Ok(LogPage::default());
        }
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut request = self
            .logs()
            .filter_log_events()
            .start_time(filter.window.from.as_millisecond())
            // The service's end is part of the window, ours is not.
            .end_time(last_millisecond(filter.window.until))
            .set_filter_pattern(text(filter.pattern))
            .set_log_stream_name_prefix(text(filter.stream_prefix))
            .set_limit(filter.page.and_then(|page| i32::try_from(page).ok()))
            .set_next_token(token.map(str::to_owned));
        request = match filter.group.strip_suffix(":*").unwrap_or(filter.group) {
            arn if arn.starts_with("arn:") => request.log_group_identifier(arn),
            name => request.log_group_name(name),
        };
        let answer = self.send(Action::FilterLogEvents, filter.group, || request.clone().send()).await?;
        Ok(LogPage { events: answer.events.unwrap_or_default().into_iter().map(event).collect(), next: answer.next_token })
    }

    /// The pages of a filter, one after the other.
    pub fn log_pages<'a>(&'a self, filter: LogFilter<'a>) -> LogPages<'a> {
        LogPages { source: self, filter, token: None, is_done: false, empty: 0, calls: 0 }
    }
}

/// The pages of a filter.
#[derive(Debug)]
pub struct LogPages<'a> {
    source: &'a AwsSource,
    filter: LogFilter<'a>,
    token: Option<String>,
    is_done: bool,
    empty: u32,
    calls: u64,
}

impl LogPages<'_> {
    /// The next page that holds events; `None` when all were read. After an error the same page is asked for again.
    pub async fn next(&mut self) -> Result<Option<Vec<LogEvent>>, AwsError> {
        while !self.is_done {
            let page = self.source.filter_log_events(&self.filter, self.token.as_deref()).await?;
            self.calls += 1;
            self.follow(page.next)?;
            if !page.events.is_empty() {
                self.empty = 0;
                return Ok(Some(page.events));
            }
            self.empty += 1;
            if self.empty > EMPTY_PAGES {
                return Err(self.endless("page after page is empty"));
            }
        }
        Ok(None)
    }

    /// Pages that came so far, empty ones too.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    fn follow(&mut self, next: Option<String>) -> Result<(), AwsError> {
        if next.is_some() && next == self.token {
            return Err(self.endless("a page names itself as the next one"));
        }
        self.is_done = next.is_none();
        self.token = next;
        Ok(())
    }

    fn endless(&self, reason: &'static str) -> AwsError {
        self.source.call(Action::FilterLogEvents, self.filter.group).endless(reason)
    }
}

fn last_millisecond(until: Timestamp) -> i64 {
    // What lies between two milliseconds is in neither answer: events have whole ones.
    let at = until.as_millisecond();
    if until.subsec_nanosecond() % 1_000_000 == 0 { at - 1 } else { at }
}

fn event(event: FilteredLogEvent) -> LogEvent {
    let moment = |at: Option<i64>| at.and_then(|at| Timestamp::from_millisecond(at).ok());
    LogEvent {
        id: event.event_id,
        timestamp: moment(event.timestamp),
        ingested: moment(event.ingestion_time),
        stream: event.log_stream_name.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
    }
}

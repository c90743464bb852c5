//! A query from its start to its last row.
//!
//! | what happens                                | what is done                                                     |
//! |---------------------------------------------|------------------------------------------------------------------|
//! | no place is free (`LimitExceededException`) | waits longer and longer, up to the patience for a history        |
//! | it runs                                     | asks again, the wait doubles up to twenty times the first        |
//! | it is done                                  | reads every page of its rows                                     |
//! | it fails, is cancelled, runs out of time    | [`AwsError::QueryEnded`]                                         |
//! | an answer does not come                     | stops the query, and the error is told                           |
//! | nobody waits for it any more                | stops the query: it would run on, hold its place and cost        |
//! | it has found as many rows as it may         | for events: asks for both halves of the window, down to a second |

use std::sync::PoisonError;
use std::time::Duration;

use super::LogWindow;
use super::insights::{LogQuery, QueryId, QueryRow, QueryState, QueryStatistics};
use crate::sources::aws::{AwsError, AwsSource, Patience};

/// Rows that a query finds at most: what every version of the API allows.
pub const MOST_ROWS: u32 = 10_000;

/// The longest wait between two questions, in first waits.
const LONGEST_WAIT: u32 = 20;

/// How long somebody who gives up waits for the service to take notice.
const STOPPING: Duration = Duration::from_secs(5);

/// What a running query has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryProgress {
    /// Rows that it has found.
    pub rows: usize,
    /// What it has read.
    pub statistics: QueryStatistics,
    /// Whether it still waits for a free place.
    pub is_waiting: bool,
}

/// What a query found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryResults {
    /// The rows.
    pub rows: Vec<QueryRow>,
    /// What it has read.
    pub statistics: QueryStatistics,
    /// Whether there are as many rows as there may be, so that more were left out.
    pub is_full: bool,
}

/// The events that queries over a window found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawRows {
    /// One for each event, in the order of the windows.
    pub rows: Vec<QueryRow>,
    /// What all queries together have read.
    pub statistics: QueryStatistics,
    /// Queries that it took.
    pub queries: u32,
    /// Seconds with more events than a query gives: some of theirs are missing.
    pub overfull: Vec<LogWindow>,
}

impl AwsSource {
    /// Runs a query to its end. When the future is dropped before, the query is stopped.
    ///
    /// `progress` hears of each answer. `statistics` are zero where an endpoint has none.
    pub async fn run_query(&self, query: &LogQuery<'_>, progress: &mut dyn FnMut(QueryProgress)) -> Result<QueryResults, AwsError> {
        let id = self.start_when_free(query, progress).await?;
        let mut running = Running { source: self, id: Some(id) };
        let results = running.results(query.limit, progress).await;
        match &results {
            Ok(_) | Err(AwsError::QueryEnded { .. }) => running.id = None,
            Err(_) => running.stop().await,
        }
        results
    }

    /// The same until somebody interrupts it: then the query is stopped, and `None` tells that it was.
    pub async fn run_query_until(
        &self,
        query: &LogQuery<'_>,
        progress: &mut dyn FnMut(QueryProgress),
        interrupted: impl Future<Output = ()>,
    ) -> Result<Option<QueryResults>, AwsError> {
        tokio::pin!(interrupted);
        // A query whose number has not come yet cannot be stopped; it ends by itself.
        let id = tokio::select! {
            id = self.start_when_free(query, progress) => id?,
            () = &mut interrupted => return Ok(None),
        };
        let mut running = Running { source: self, id: Some(id) };
        let results = tokio::select! {
            results = running.results(query.limit, progress) => Some(results),
            () = &mut interrupted => None,
        };
        match results {
            Some(Ok(_) | Err(AwsError::QueryEnded { .. })) => running.id = None,
            Some(Err(_)) | None => running.stop().await,
        }
        results.transpose()
    }

    /// Runs a query for the events of a window, in as many parts as it takes to see all of them.
    ///
    /// The query must give a row for each event, with `@timestamp`, and sort them by it.
    pub async fn query_events(&self, query: &LogQuery<'_>, progress: &mut dyn FnMut(QueryProgress)) -> Result<RawRows, AwsError> {
        let mut found = RawRows::default();
        let mut left = vec![query.window];
        while let Some(window) = left.pop() {
            if window.is_empty() {
                continue;
            }
            let (rows_before, read_before) = (found.rows.len(), found.statistics);
            let mut together = |now: QueryProgress| {
                let mut statistics = read_before;
                statistics.add(now.statistics);
                progress(QueryProgress { rows: rows_before + now.rows, statistics, ..now });
            };
            let results = self.run_query(&LogQuery { window, ..*query }, &mut together).await?;
            found.statistics.add(results.statistics);
            found.queries += 1;
            let is_cut = results.is_full && !reaches_beyond(&results.rows, window);
            if let Some((first, second)) = window.halves().filter(|_| is_cut) {
                left.extend([second, first]);
                continue;
            }
            if is_cut {
                found.overfull.push(window);
            }
            // The service's window is the wider one.
            found.rows.extend(results.rows.into_iter().filter(|row| row.timestamp().is_none_or(|at| window.contains(at))));
        }
        Ok(found)
    }

    /// Waits until the service knows of every query that was dropped, a few seconds at most. Whoever ends the program after dropping
    /// one, does this before.
    pub async fn dropped_queries_are_stopped(&self) {
        let stopping = std::mem::take(&mut *self.stopping.lock().unwrap_or_else(PoisonError::into_inner));
        for stopped in stopping {
            let _ = stopped.await;
        }
    }

    async fn start_when_free(&self, query: &LogQuery<'_>, progress: &mut dyn FnMut(QueryProgress)) -> Result<QueryId, AwsError> {
        let mut waits = Waits::new(&self.patience);
        let mut waited = Duration::ZERO;
        loop {
            match self.start_query(query).await {
                Err(AwsError::TooManyQueries { .. }) if waited < self.patience.history => {
                    progress(QueryProgress { is_waiting: true, ..QueryProgress::default() });
                    waited += waits.wait().await;
                }
                started => return started,
            }
        }
    }
}

/// Whether rows that were cut off can only be of events after the window, whose end the service includes.
fn reaches_beyond(rows: &[QueryRow], window: LogWindow) -> bool {
    let is_after = |row: &QueryRow| row.timestamp().is_some_and(|at| at >= window.until);
    rows.is_sorted_by_key(QueryRow::timestamp) && rows.last().is_some_and(is_after)
}

/// Waits that double.
struct Waits {
    next: Duration,
    longest: Duration,
}

impl Waits {
    fn new(patience: &Patience) -> Self {
        Self { next: patience.first_wait, longest: patience.first_wait * LONGEST_WAIT }
    }

    async fn wait(&mut self) -> Duration {
        let now = self.next;
        tokio::time::sleep(now).await;
        self.next = (now * 2).min(self.longest);
        now
    }
}

/// A query that is stopped unless it has ended.
struct Running<'a> {
    source: &'a AwsSource,
    id: Option<QueryId>,
}

impl Running<'_> {
    async fn results(&self, limit: u32, progress: &mut dyn FnMut(QueryProgress)) -> Result<QueryResults, AwsError> {
        let Some(id) = &self.id else { return Ok(QueryResults::default()) };
        let mut waits = Waits::new(&self.source.patience);
        let mut page = loop {
            let page = self.source.query_page(id, None).await?;
            progress(QueryProgress { rows: page.rows.len(), statistics: page.statistics, is_waiting: false });
            match &page.state {
                QueryState::Complete => break page,
                QueryState::Running => _ = waits.wait().await,
                QueryState::Ended(status) => return Err(AwsError::QueryEnded { status: status.clone() }),
            }
        };
        let (mut rows, statistics) = (std::mem::take(&mut page.rows), page.statistics);
        while let Some(token) = page.next.take() {
            let asked = Some(token.clone());
            page = self.source.query_page(id, Some(token)).await?;
            if page.next == asked {
                let call = self.source.call(crate::sources::aws::Action::GetQueryResults, &id.0);
                return Err(call.endless("a page names itself as the next one"));
            }
            rows.append(&mut page.rows);
            progress(QueryProgress { rows: rows.len(), statistics, is_waiting: false });
        }
        let is_full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(QueryResults { rows, statistics, is_full })
    }

    /// Whoever has an error to tell does not add another.
    async fn stop(&mut self) {
        if let Some(id) = self.id.take() {
            let _ = tokio::time::timeout(STOPPING, self.source.stop_query(&id)).await;
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Nothing can be waited for here; the runtime sends the request as long as it lives, for which `dropped_queries_are_stopped` is.
        if let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) {
            let source = self.source.clone();
            let stopping = runtime.spawn(async move {
                let _ = tokio::time::timeout(STOPPING, source.stop_query(&id)).await;
            });
            let mut known = self.source.stopping.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|earlier| !earlier.is_finished());
            known.push(stopping);
        }
    }
}

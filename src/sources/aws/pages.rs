//! The pages of one history, as far as they come.
//!
//! Apart from `fetch` and `pulled` because both read them: one shows what came before an error, the other takes a whole history or none.

use std::collections::HashSet;

use super::error::Call;
use super::find::PAGE;
use super::wire::{self, Body};
use super::{Action, AwsError, AwsSource};
use crate::model::{EventId, ExecutionArn, Gap, HistoryEvent, Role};
use crate::sources::assemble::Page;

/// How often a listing begins anew because its token is no longer taken: a token lives for a day, so once is generous.
const RESTARTS: u32 = 1;

/// Pages in a row that may bring nothing new: pages may be short, or empty, without being the last.
const IDLE_PAGES: u32 = 20;

/// Events that are read of one history. The service ends an execution at 25,000; other engines may go on for longer.
const MOST_EVENTS: usize = 250_000;

/// What was read of a history.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) pages: Vec<Page>,
    /// Why the payloads are not among them.
    pub(super) encrypted: Option<AwsError>,
    /// Why there are no more.
    pub(super) broke_off: Option<AwsError>,
}

/// What shows that a listing comes to an end.
#[derive(Default)]
struct Progress {
    tokens: HashSet<String>,
    highest: Option<EventId>,
    idle: u32,
    events: usize,
}

impl Listing {
    /// Reads what comes within the limit of time for a history.
    pub(super) async fn of(source: &AwsSource, arn: &ExecutionArn) -> Self {
        let mut listing = Self::default();
        let limit = source.patience.history;
        let read = tokio::time::timeout(limit, listing.read(source, arn)).await;
        let slow = AwsError::SlowListing { action: Action::GetExecutionHistory, seconds: limit.as_secs() };
        listing.broke_off = read.unwrap_or(Err(slow)).err();
        listing
    }

    /// Reads page after page, however long calls wait for their turn. What came before an error stays.
    pub(super) async fn read(&mut self, source: &AwsSource, arn: &ExecutionArn) -> Result<(), AwsError> {
        let mut progress = Progress::default();
        let mut restarts = RESTARTS;
        let mut token = None;
        loop {
            match self.read_page(source, arn, token.as_deref()).await {
                Ok(None) => return Ok(()),
                Ok(Some(next)) => {
                    let page = self.pages.last().map_or(&[][..], |page| &page.events);
                    progress.goes_on(page, &next).map_err(|reason| call(source, arn).endless(reason))?;
                    token = Some(next);
                }
                // The pages that are there already come again, and are merged.
                Err(AwsError::ListingExpired { .. }) if restarts > 0 => {
                    restarts -= 1;
                    progress = Progress::default();
                    token = None;
                }
                Err(error @ AwsError::Encrypted { .. }) if self.encrypted.is_none() => {
                    self.encrypted = Some(error);
                    progress = Progress::default();
                    token = None;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads one page; returns the token of the next one.
    async fn read_page(&mut self, source: &AwsSource, arn: &ExecutionArn, token: Option<&str>) -> Result<Option<String>, AwsError> {
        let body = Body::default();
        let request = source
            .states()
            .get_execution_history()
            .execution_arn(arn.as_str())
            .max_results(PAGE)
            .include_execution_data(self.encrypted.is_none())
            .set_next_token(token.map(str::to_owned));
        let send = || request.clone().customize().interceptor(body.clone()).send();
        let answer = source.send(Action::GetExecutionHistory, arn.as_str(), send).await?;
        self.pages.push(body.read(&call(source, arn), wire::page)?);
        Ok(answer.next_token)
    }

    /// The last event that came.
    pub(super) fn last(&self) -> Option<&HistoryEvent> {
        self.pages.iter().flat_map(|page| &page.events).max_by_key(|event| event.id)
    }

    pub(super) fn has_end(&self) -> bool {
        self.last().is_some_and(|event| matches!(event.role(), Role::ExecutionEnded(_)))
    }

    /// What did not come, where the listing broke off.
    pub(super) fn gap(&self) -> Option<Gap> {
        let last = self.last().map(|event| event.id);
        let what = last.map_or_else(|| "the history".to_owned(), |id| format!("the history after event {id}"));
        self.broke_off.as_ref().map(|error| not_fetched(&what, error))
    }
}

impl Progress {
    /// Takes note of a page that names a next one; or says what shows that this goes on for ever.
    fn goes_on(&mut self, page: &[HistoryEvent], next: &str) -> Result<(), &'static str> {
        if !self.tokens.insert(next.to_owned()) {
            return Err("a page names itself, or an earlier one, as the next one");
        }
        let highest = page.iter().map(|event| event.id).max();
        self.idle = if highest > self.highest { 0 } else { self.idle + 1 };
        self.highest = self.highest.max(highest);
        self.events += page.len();
        if self.idle > IDLE_PAGES {
            return Err("its pages bring nothing new");
        }
        if self.events > MOST_EVENTS {
            return Err("it has more events than any history");
        }
        Ok(())
    }
}

/// The gap that a part left which did not come.
pub(super) fn not_fetched(what: &str, error: &AwsError) -> Gap {
    Gap::NotFetched { what: what.to_owned(), reason: error.to_string() }
}

/// The gap that payloads leave which could not be decrypted.
pub(super) fn encrypted(error: &AwsError) -> Gap {
    not_fetched("the encrypted data (inputs and outputs)", error)
}

fn call<'a>(source: &'a AwsSource, arn: &'a ExecutionArn) -> Call<'a> {
    source.call(Action::GetExecutionHistory, arn.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Details, EventType};

    fn page(ids: std::ops::Range<u64>) -> Vec<HistoryEvent> {
        let event = |id| HistoryEvent {
            id: EventId(id),
            previous_event_id: None,
            timestamp: None,
            kind: EventType::Unknown,
            details: Details::None,
            unknown: None,
        };
        ids.map(event).collect()
    }

    #[test]
    fn pages_that_bring_new_events_go_on_and_empty_ones_for_a_while() {
        let mut progress = Progress::default();
        assert_eq!(progress.goes_on(&page(1..3), "a"), Ok(()));
        for number in 0..IDLE_PAGES {
            assert_eq!(progress.goes_on(&[], &format!("empty-{number}")), Ok(()));
        }
        assert_eq!(progress.goes_on(&page(3..4), "b"), Ok(()));
        assert_eq!(progress.goes_on(&page(3..4), "c"), Ok(()));
    }

    #[test]
    fn pages_that_go_round_or_bring_the_same_for_ever_are_given_up() {
        let mut progress = Progress::default();
        assert_eq!(progress.goes_on(&page(1..3), "a"), Ok(()));
        assert_eq!(progress.goes_on(&page(3..5), "b"), Ok(()));
        assert!(progress.goes_on(&page(1..3), "a").is_err(), "back to an earlier page");
        let mut progress = Progress::default();
        let given_up = (0..100).find(|number| progress.goes_on(&page(1..3), &format!("token-{number}")).is_err());
        assert_eq!(given_up, Some(IDLE_PAGES as usize + 1));
    }

    #[test]
    fn more_events_than_any_history_has_are_given_up() {
        let mut progress = Progress::default();
        let given_up =
            (0..1_000).find(|number| progress.goes_on(&page(number * 1_000 + 1..number * 1_000 + 1_001), &number.to_string()).is_err());
        assert_eq!(given_up, Some(MOST_EVENTS as u64 / 1_000));
    }
}

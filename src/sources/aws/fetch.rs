//! One execution through the three calls that tell about it.
//!
//! The calls do not depend on each other and run side by side. Whatever came is used: the header without the events, the events
//! without the header, the pages before the one that never came.

use aws_sdk_sfn::types::IncludedData;
use futures_util::future::join3;

use super::error::Call;
use super::find::PAGE;
use super::wire::{self, Body};
use super::{Action, AwsError, AwsSource};
use crate::model::{ExecutionArn, ExecutionHeader, ExecutionStatus, Gap, History, HistoryEvent, RawText, Role};
use crate::sources::assemble::{Page, assemble};

/// How often a listing begins anew because its token is no longer taken: a token lives for a day, so once is generous.
const RESTARTS: u32 = 1;

pub(super) async fn history(source: &AwsSource, arn: &ExecutionArn) -> Result<History, AwsError> {
    if arn.is_express() {
        return Err(AwsError::Express { arn: arn.to_string() });
    }
    let (description, mut listing, definition) =
        join3(Description::of(source, arn), Listing::of(source, arn), definition(source, arn)).await;
    let mut description = match description {
        Err(error) if listing.pages.is_empty() => return Err(error),
        description => description,
    };
    if let Ok(description) = &mut description {
        catch_up(source, arn, description, &mut listing).await;
    }
    Ok(joined(arn, description, listing, definition))
}

/// Asks once more for the part that is behind the other, as may happen when an execution ends just now.
async fn catch_up(source: &AwsSource, arn: &ExecutionArn, description: &mut Description, listing: &mut Listing) {
    if listing.broke_off.is_some() {
        return;
    }
    match (description.is_closed(), listing.has_end()) {
        (true, false) => {
            let later = Listing::of(source, arn).await;
            if later.broke_off.is_none() {
                *listing = later;
            }
        }
        (false, true) => {
            if let Ok(later) = Description::of(source, arn).await {
                *description = later;
            }
        }
        (true, true) | (false, false) => {}
    }
}

/// One history of what came, with a gap for each part that did not.
fn joined(
    arn: &ExecutionArn,
    description: Result<Description, AwsError>,
    listing: Listing,
    definition: Result<RawText, AwsError>,
) -> History {
    let mut gaps = Vec::new();
    let description = description.unwrap_or_else(|error| {
        gaps.push(not_fetched("the description of the execution", &error));
        Description { header: ExecutionHeader { arn: Some(arn.clone()), ..ExecutionHeader::default() }, encrypted: None }
    });
    gaps.extend(listing.gap());
    let encrypted = description.encrypted.as_ref().or(listing.encrypted.as_ref());
    gaps.extend(encrypted.map(|error| not_fetched("the encrypted data (inputs and outputs)", error)));
    if let Err(error) = &definition {
        gaps.push(Gap::NoDefinition { reason: Some(error.to_string()) });
    }
    let broke_off = listing.broke_off.is_some();
    let mut history = assemble(description.header, listing.pages, definition.ok(), arn.to_string());
    if broke_off {
        // What was not fetched says the same, and why.
        history.gaps.retain(|gap| *gap != Gap::MorePages);
    }
    history.gaps.extend(gaps);
    history
}

fn not_fetched(what: &str, error: &AwsError) -> Gap {
    Gap::NotFetched { what: what.to_owned(), reason: error.to_string() }
}

fn call<'a>(source: &'a AwsSource, action: Action, arn: &'a ExecutionArn) -> Call<'a> {
    Call { action, resource: arn.as_str(), account: &source.account }
}

/// What `DescribeExecution` says.
struct Description {
    header: ExecutionHeader,
    /// Why the payloads are not in it.
    encrypted: Option<AwsError>,
}

impl Description {
    async fn of(source: &AwsSource, arn: &ExecutionArn) -> Result<Self, AwsError> {
        match described(source, arn, IncludedData::AllData).await {
            // Status and times are not encrypted.
            Err(error @ AwsError::Encrypted { .. }) => {
                let header = described(source, arn, IncludedData::MetadataOnly).await?;
                Ok(Self { header, encrypted: Some(error) })
            }
            answer => answer.map(|header| Self { header, encrypted: None }),
        }
    }

    fn is_closed(&self) -> bool {
        self.header.status.is_some_and(|status| !matches!(status, ExecutionStatus::Running | ExecutionStatus::PendingRedrive))
    }
}

async fn described(source: &AwsSource, arn: &ExecutionArn, data: IncludedData) -> Result<ExecutionHeader, AwsError> {
    let body = Body::default();
    let request = source.states().describe_execution().execution_arn(arn.as_str()).included_data(data);
    let send = || request.clone().customize().interceptor(body.clone()).send();
    source.send(Action::DescribeExecution, arn.as_str(), send).await?;
    body.read(&call(source, Action::DescribeExecution, arn), wire::header)
}

async fn definition(source: &AwsSource, arn: &ExecutionArn) -> Result<RawText, AwsError> {
    let body = Body::default();
    let request = source.states().describe_state_machine_for_execution().execution_arn(arn.as_str());
    let send = || request.clone().customize().interceptor(body.clone()).send();
    source.send(Action::DescribeStateMachineForExecution, arn.as_str(), send).await?;
    body.read(&call(source, Action::DescribeStateMachineForExecution, arn), wire::definition)
}

/// The pages of a history, as far as they came.
#[derive(Debug, Default)]
struct Listing {
    pages: Vec<Page>,
    /// Why the payloads are not among them.
    encrypted: Option<AwsError>,
    /// Why there are no more.
    broke_off: Option<AwsError>,
}

impl Listing {
    async fn of(source: &AwsSource, arn: &ExecutionArn) -> Self {
        let mut listing = Self::default();
        let limit = source.patience.history;
        let read = tokio::time::timeout(limit, listing.read(source, arn)).await;
        let slow = AwsError::SlowListing { action: Action::GetExecutionHistory, seconds: limit.as_secs() };
        listing.broke_off = read.unwrap_or(Err(slow)).err();
        listing
    }

    /// Reads page after page. What came before an error stays.
    async fn read(&mut self, source: &AwsSource, arn: &ExecutionArn) -> Result<(), AwsError> {
        let mut restarts = RESTARTS;
        let mut token = None;
        loop {
            match self.read_page(source, arn, token.as_deref()).await {
                Ok(None) => return Ok(()),
                Ok(next) if next == token => {
                    return Err(call(source, Action::GetExecutionHistory, arn).endless("a page names itself as the next one"));
                }
                Ok(next) => token = next,
                // The pages that are there already come again, and are merged.
                Err(AwsError::ListingExpired { .. }) if restarts > 0 => {
                    restarts -= 1;
                    token = None;
                }
                Err(error @ AwsError::Encrypted { .. }) if self.encrypted.is_none() => {
                    self.encrypted = Some(error);
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
        self.pages.push(body.read(&call(source, Action::GetExecutionHistory, arn), wire::page)?);
        Ok(answer.next_token)
    }

    /// The last event that came.
    fn last(&self) -> Option<&HistoryEvent> {
        self.pages.iter().flat_map(|page| &page.events).max_by_key(|event| event.id)
    }

    fn has_end(&self) -> bool {
        self.last().is_some_and(|event| matches!(event.role(), Role::ExecutionEnded(_)))
    }

    fn gap(&self) -> Option<Gap> {
        let last = self.last().map(|event| event.id);
        let what = last.map_or_else(|| "the history".to_owned(), |id| format!("the history after event {id}"));
        self.broke_off.as_ref().map(|error| not_fetched(&what, error))
    }
}

//! One execution through the three calls that tell about it.
//!
//! The calls do not depend on each other and run side by side. Whatever came is used: the header without the events, the events
//! without the header, the pages before the one that never came.

use aws_sdk_sfn::types::IncludedData;
use futures_util::future::join3;

use super::error::Call;
use super::pages::{Listing, encrypted, not_fetched};
use super::wire::{self, Body};
use super::{Action, AwsError, AwsSource};
use crate::model::{ExecutionArn, ExecutionHeader, ExecutionStatus, Gap, History, RawText};
use crate::sources::assemble::assemble;

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
    gaps.extend(description.encrypted.as_ref().or(listing.encrypted.as_ref()).map(encrypted));
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

pub(super) async fn described(source: &AwsSource, arn: &ExecutionArn, data: IncludedData) -> Result<ExecutionHeader, AwsError> {
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

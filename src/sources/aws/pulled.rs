//! One execution of a listing with its history, at the price of the pages alone.
//!
//! `DescribeExecution` is spared: its quota is smaller, what it adds stands in the listing and in the events, and the service's own
//! waiting for nested executions spends it. A listing and a history are of different moments, so the events decide:
//!
//! | listed             | redrives in the events      | the last event   | becomes                                       |
//! |--------------------|-----------------------------|------------------|-----------------------------------------------|
//! | anything           | fewer than listed           | any              | as the events say, and behind                 |
//! | anything           | more than listed            | any              | as the events say                             |
//! | `PENDING_REDRIVE`  | as listed                   | an end           | as listed                                     |
//! | anything else      | as listed                   | an end           | closed with that end                          |
//! | open               | as listed                   | no end           | open                                          |
//! | closed             | as listed                   | no end           | open, and behind                              |
//!
//! What is behind is read once more. It never is a mixture: all of it is how the execution stood at one moment.

use super::pages::{Listing, encrypted};
use super::{AwsError, AwsSource, ExecutionItem};
use crate::model::wire::WireBundle;
use crate::model::{Details, EventType, ExecutionHeader, ExecutionStatus, Gap, History, HistoryEvent, RawText, Role};
use crate::sources::assemble::assemble;

/// An execution and its history, as they stood at one moment.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// The history, without a definition.
    pub history: History,
    /// Whether the listing knew more: the service's parts agree with each other only after a while. Worth asking for again later.
    pub is_behind: bool,
}

impl Pulled {
    /// The history as one line of JSON that [`read_stream`](crate::sources::read_stream) reads back: header, events, and the definition
    /// where there is one. Gaps that the events do not show are not in it.
    pub fn bundle(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&WireBundle(&self.history))
    }
}

pub(super) async fn pull(source: &AwsSource, item: &ExecutionItem) -> Result<Pulled, AwsError> {
    if item.arn.is_express() {
        return Err(AwsError::Express { arn: item.arn.to_string() });
    }
    let pulled = pull_once(source, item).await?;
    if pulled.is_behind { pull_once(source, item).await } else { Ok(pulled) }
}

async fn pull_once(source: &AwsSource, item: &ExecutionItem) -> Result<Pulled, AwsError> {
    let mut listing = Listing::default();
    listing.read(source, &item.arn).await?;
    let gap = listing.encrypted.as_ref().map(encrypted);
    let mut history = assemble(listed(item), listing.pages, None, item.arn.to_string());
    let is_behind = settle(&mut history.header, item, &history.events);
    // All pages were read, and the last ones may have been empty.
    history.gaps.retain(|gap| *gap != Gap::MorePages);
    history.gaps.extend(gap);
    Ok(Pulled { history, is_behind })
}

/// What the listing tells that no event changes.
fn listed(item: &ExecutionItem) -> ExecutionHeader {
    ExecutionHeader {
        arn: Some(item.arn.clone()),
        state_machine_arn: Some(item.state_machine_arn.clone()),
        name: Some(item.arn.name().to_owned()),
        start: item.start,
        map_run_arn: item.map_run_arn.clone(),
        state_machine_version_arn: item.version_arn.clone(),
        state_machine_alias_arn: item.alias_arn.clone(),
        ..ExecutionHeader::default()
    }
}

/// Fills in how the execution stood when its last event was read, by the table at the top. Returns whether the listing knew more.
fn settle(header: &mut ExecutionHeader, item: &ExecutionItem, events: &[HistoryEvent]) -> bool {
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        header.status = item.status;
        header.stop = item.stop;
        header.redrive_count = Some(item.redrive_count);
        return true;
    };
    let redrives = events.iter().filter(|event| matches!(event.role(), Role::ExecutionRedriven)).count() as u64;
    let is_as_listed = redrives == item.redrive_count;
    let was_closed = item.status.is_some_and(ExecutionStatus::is_closed);
    header.redrive_count = Some(redrives);
    header.input = input(first);
    match end(last) {
        Some(_) if is_as_listed && item.status == Some(ExecutionStatus::PendingRedrive) => header.status = item.status,
        Some(status) => {
            header.status = Some(status);
            let listed = item.stop.filter(|_| is_as_listed && was_closed);
            header.stop = listed.or(last.timestamp);
            header.output = last.output().map(|output| output.text.clone());
            header.error = last.error().cloned();
            header.cause = last.cause().cloned();
        }
        None => header.status = Some(ExecutionStatus::Running),
    }
    let lacks_its_end = is_as_listed && was_closed && end(last).is_none();
    redrives < item.redrive_count || lacks_its_end
}

fn input(first: &HistoryEvent) -> Option<RawText> {
    match &first.details {
        Details::ExecutionStarted(started) => started.input.as_ref().map(|input| input.text.clone()),
        _ => None,
    }
}

/// The status of an execution whose last event this is; `None` as long as it goes on.
fn end(event: &HistoryEvent) -> Option<ExecutionStatus> {
    match event.kind {
        EventType::ExecutionSucceeded => Some(ExecutionStatus::Succeeded),
        EventType::ExecutionFailed => Some(ExecutionStatus::Failed),
        EventType::ExecutionTimedOut => Some(ExecutionStatus::TimedOut),
        EventType::ExecutionAborted => Some(ExecutionStatus::Aborted),
        _ => None,
    }
}

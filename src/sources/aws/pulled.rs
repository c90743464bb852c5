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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::builder::history;
    use crate::model::{EventId, Timestamp};
    use crate::sources::{Limits, read_stream};

    const ARN: &str = "arn:aws:states:us-east-1:111111111111:execution:Orders:run-1";

    /// A listing's item; an execution that is closed stopped a minute after it started.
    fn item(status: ExecutionStatus, redrive_count: u64) -> ExecutionItem {
        ExecutionItem {
            arn: ARN.parse().expect("an ARN"),
            state_machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:Orders".parse().expect("an ARN"),
            status: Some(status),
            start: Some(moment("2026-01-01T00:00:00Z")),
            stop: status.is_closed().then(|| moment("2026-01-01T00:01:00Z")),
            redrive_count,
            redrive: None,
            map_run_arn: Some("arn:aws:states:us-east-1:111111111111:mapRun:Parent/Each:1".to_owned()),
            version_arn: None,
            alias_arn: None,
        }
    }

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// Events of these types, a second apart.
    fn events(kinds: &[EventType]) -> Vec<HistoryEvent> {
        let event = |(kind, number): (&EventType, u64)| HistoryEvent {
            id: EventId(number),
            previous_event_id: None,
            timestamp: Some(moment(&format!("2026-01-01T00:00:{number:02}Z"))),
            kind: *kind,
            details: Details::None,
            unknown: None,
        };
        kinds.iter().zip(1..).map(event).collect()
    }

    /// Status, redrives, whether it stopped and whether it is behind.
    fn settled(item: &ExecutionItem, kinds: &[EventType]) -> (Option<ExecutionStatus>, Option<u64>, Option<Timestamp>, bool) {
        let mut header = listed(item);
        let is_behind = settle(&mut header, item, &events(kinds));
        (header.status, header.redrive_count, header.stop, is_behind)
    }

    #[test]
    fn the_events_decide_how_an_execution_stood() {
        use EventType::{ExecutionFailed as Fail, ExecutionRedriven as Redrive, ExecutionStarted as Start, ExecutionSucceeded as Succeed};
        use ExecutionStatus::{Failed, PendingRedrive, Running, Succeeded};
        let listed_stop = Some(moment("2026-01-01T00:01:00Z"));
        let second = |number: u64| Some(moment(&format!("2026-01-01T00:00:{number:02}Z")));
        let cases = [
            (item(Failed, 0), vec![Start, Fail], (Some(Failed), Some(0), listed_stop, false)),
            (item(Running, 0), vec![Start], (Some(Running), Some(0), None, false)),
            (item(Running, 0), vec![Start, Succeed], (Some(Succeeded), Some(0), second(2), false)),
            (item(Failed, 0), vec![Start], (Some(Running), Some(0), None, true)),
            // Redriven after it was listed: its second run goes on, or is over.
            (item(Failed, 0), vec![Start, Fail, Redrive], (Some(Running), Some(1), None, false)),
            (item(Failed, 0), vec![Start, Fail, Redrive, Succeed], (Some(Succeeded), Some(1), second(4), false)),
            // Redriven before it was listed, which its events do not show yet.
            (item(Running, 1), vec![Start, Fail], (Some(Failed), Some(0), second(2), true)),
            (item(Succeeded, 1), vec![Start, Fail, Redrive], (Some(Running), Some(1), None, true)),
            (item(Succeeded, 1), vec![Start, Fail, Redrive, Succeed], (Some(Succeeded), Some(1), listed_stop, false)),
            // A child of a Map Run which waits to be redriven has ended before.
            (item(PendingRedrive, 0), vec![Start, Fail], (Some(PendingRedrive), Some(0), None, false)),
            (item(PendingRedrive, 0), vec![Start, Fail, Redrive, Succeed], (Some(Succeeded), Some(1), second(4), false)),
            (item(Failed, 0), vec![], (Some(Failed), Some(0), listed_stop, true)),
        ];
        for (item, kinds, expected) in cases {
            assert_eq!(settled(&item, &kinds), expected, "{:?} redriven {} times, {kinds:?}", item.status, item.redrive_count);
        }
    }

    #[test]
    fn a_bundle_is_read_back_as_it_was() {
        let built = history("Orders").input(serde_json::json!({"id": 7})).enter_pass("Check", serde_json::json!({"id": 7})).build();
        let item = item(ExecutionStatus::Running, 0);
        let mut header = listed(&item);
        settle(&mut header, &item, &built.events);
        let pulled = Pulled { history: History { header, ..built }, is_behind: false };
        let text = pulled.bundle().expect("JSON");
        assert!(!text.contains('\n'));
        let mut read = Vec::new();
        read_stream(text.as_bytes(), "a bundle", &Limits::default(), &mut |history| read.push(history.expect("a history")));
        let [back] = read.as_slice() else { panic!("one execution, not {}", read.len()) };
        assert_eq!(back.events, pulled.history.events);
        let told = |header: &ExecutionHeader| {
            let input = header.input.as_ref().map(|input| input.decode().into_owned());
            (header.arn.clone(), header.status, header.start, header.stop, header.redrive_count, header.map_run_arn.clone(), input)
        };
        assert_eq!(told(&back.header), told(&pulled.history.header));
    }
}

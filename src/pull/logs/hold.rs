//! Holds the records of executions until no more of theirs will come.
//!
//! | an execution                                  | is let go                                                   |
//! |-----------------------------------------------|-------------------------------------------------------------|
//! | Express, with its end and every event before  | at once                                                     |
//! | with its end, and with holes before it        | when the logs are read so far beyond it that none is late   |
//! | Express, without an end                       | when it is older than Express executions become             |
//! | Standard, without an end                      | at the end, as it is; it is kept for the next time as well  |
//!
//! Records are held as they came, so that what is kept for the next time is as good as what is read then.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;

use super::plan::{SLACK, later};
use crate::model::{EventType, ExecutionArn, Role, Timestamp};

/// Records are late by so many seconds at most.
const LATE: i64 = 10 * 60;

/// The records of one execution.
#[derive(Debug, Default)]
pub struct Waiting {
    /// As they came, each once.
    pub messages: Vec<String>,
    /// The time of the first event.
    pub first: Option<Timestamp>,
    /// Whether records of it were kept from an earlier pull.
    pub was_kept: bool,
    last: Option<Timestamp>,
    is_express: bool,
    ids: BTreeSet<u64>,
    end: Option<u64>,
    seen: HashSet<u64>,
}

impl Waiting {
    /// Whether its first event is among the records.
    pub fn has_beginning(&self) -> bool {
        self.ids.contains(&1)
    }

    /// Whether it has ended, as far as its records tell.
    pub fn has_end(&self) -> bool {
        self.end.is_some() && self.end == self.ids.last().copied()
    }

    fn is_complete(&self) -> bool {
        self.has_end() && self.end == u64::try_from(self.ids.len()).ok()
    }

    fn is_over(&self, read_until: Timestamp) -> bool {
        let is_beyond = |moment: Option<Timestamp>, seconds: i64| moment.is_none_or(|moment| later(moment, seconds) <= read_until);
        if self.has_end() { is_beyond(self.last, LATE) } else { self.is_express && is_beyond(self.first, SLACK) }
    }

    fn add(&mut self, message: &str, envelope: &Envelope) -> bool {
        let mut hasher = DefaultHasher::new();
        message.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return false;
        }
        self.ids.insert(envelope.id);
        if envelope.is_end {
            self.end = self.end.max(Some(envelope.id));
        }
        self.first = [self.first, envelope.at].into_iter().flatten().min();
        self.last = self.last.max(envelope.at);
        self.messages.push(message.to_owned());
        true
    }
}

/// What a message is to whoever holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// A record that was not there before.
    New,
    /// The same record again.
    Again,
    /// A record of another state machine.
    OtherMachine,
    /// No record, or none that can be read.
    NoRecord,
}

/// The executions of one state machine that wait for records.
#[derive(Debug)]
pub struct Hold {
    /// How the ARNs of its executions begin.
    prefixes: Vec<String>,
    waiting: HashMap<String, Waiting>,
    /// Of those that wait, the Express ones that need not.
    complete: Vec<String>,
}

impl Hold {
    /// Of the executions whose ARNs begin like one of these.
    pub fn new(prefixes: Vec<String>) -> Self {
        Self { prefixes, waiting: HashMap::new(), complete: Vec::new() }
    }

    /// Takes a message.
    pub fn add(&mut self, message: &str) -> Taken {
        self.take(message, false)
    }

    fn take(&mut self, message: &str, was_kept: bool) -> Taken {
        let Some((arn, envelope)) = Envelope::of(message) else { return Taken::NoRecord };
        if !self.prefixes.iter().any(|prefix| arn.as_str().starts_with(prefix.as_str())) {
            return Taken::OtherMachine;
        }
        let fresh = || Waiting { is_express: arn.is_express(), was_kept, ..Waiting::default() };
        let waiting = self.waiting.entry(arn.as_str().to_owned()).or_insert_with(fresh);
        if !waiting.add(message, &envelope) {
            return Taken::Again;
        }
        if waiting.is_express && waiting.is_complete() {
            self.complete.push(arn.as_str().to_owned());
        }
        Taken::New
    }

    /// Lets go of what is complete.
    pub fn release_complete(&mut self) -> Vec<Waiting> {
        let complete = std::mem::take(&mut self.complete);
        let released = complete.into_iter().filter_map(|arn| self.waiting.remove_entry(&arn));
        in_order(released.collect())
    }

    /// Lets go of what is complete, and of what gets no more records when the logs are read up to a moment. In the order of their beginning.
    pub fn release(&mut self, read_until: Timestamp) -> Vec<Waiting> {
        let is_over = |waiting: &Waiting| (waiting.is_express && waiting.is_complete()) || waiting.is_over(read_until);
        let over: Vec<String> = self.waiting.iter().filter(|(_, waiting)| is_over(waiting)).map(|(arn, _)| arn.clone()).collect();
        self.complete.clear();
        let released = over.into_iter().filter_map(|arn| self.waiting.remove_entry(&arn));
        in_order(released.collect())
    }

    /// Lets go of everything.
    pub fn release_all(&mut self) -> Vec<Waiting> {
        self.complete.clear();
        in_order(self.waiting.drain().collect())
    }

    /// How many executions wait.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The records of all that wait, for the next time.
    pub fn kept(&self) -> Vec<u8> {
        let messages: BTreeMap<&str, &[String]> =
            self.waiting.iter().map(|(arn, waiting)| (arn.as_str(), waiting.messages.as_slice())).collect();
        let messages: Vec<&String> = messages.into_values().flatten().collect();
        if messages.is_empty() {
            return Vec::new();
        }
        // Strings are JSON, and memory takes them.
        let text = serde_json::to_vec(&messages).unwrap_or_default();
        zstd::bulk::compress(&text, 3).unwrap_or_default()
    }

    /// Takes what an earlier pull kept; `false` when it can't be read, and is as if it had not been kept.
    pub fn restore(&mut self, kept: &[u8]) -> bool {
        if kept.is_empty() {
            return true;
        }
        let text = zstd::stream::decode_all(kept).unwrap_or_default();
        let Ok(messages) = serde_json::from_slice::<Vec<String>>(&text) else { return false };
        for message in &messages {
            self.take(message, true);
        }
        true
    }
}

fn in_order(mut released: Vec<(String, Waiting)>) -> Vec<Waiting> {
    released.sort_by(|(one_arn, one), (other_arn, other)| (one.first, one_arn).cmp(&(other.first, other_arn)));
    released.into_iter().map(|(_, waiting)| waiting).collect()
}

/// What stands around the details of a record.
#[derive(Debug)]
struct Envelope {
    id: u64,
    at: Option<Timestamp>,
    is_end: bool,
}

/// A number, in quotes as records have it, or without.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Plain(u64),
}

impl Number {
    fn read(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Plain(number) => Some(*number),
        }
    }
}

#[derive(Deserialize)]
struct Members {
    execution_arn: String,
    id: Number,
    r#type: String,
    event_timestamp: Option<Number>,
}

impl Envelope {
    fn of(message: &str) -> Option<(ExecutionArn, Self)> {
        let members: Members = serde_json::from_str(message).ok()?;
        let arn = members.execution_arn.parse().ok()?;
        let at = members.event_timestamp.and_then(|at| Timestamp::from_millisecond(i64::try_from(at.read()?).ok()?).ok());
        let is_end = matches!(EventType::from_name(&members.r#type).role(), Role::ExecutionEnded(_));
        Some((arn, Self { id: members.id.read()?, at, is_end }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "arn:aws:states:eu-west-1:111111111111:express:Orders:";
    /// 2026-11-20T08:00:00Z.
    const EIGHT: i64 = 1_795_161_600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(EIGHT + second).expect("a moment")
    }

    fn record(run: &str, id: u64, kind: &str, second: i64) -> String {
        let time = at(second).as_millisecond();
        format!(
            r#"{{"id":"{id}","type":"{kind}","details":{{}},"previous_event_id":"0","event_timestamp":"{time}","execution_arn":"{MACHINE}{run}:7fa0cfbe"}}"#
        )
    }

    fn hold() -> Hold {
        Hold::new(vec![MACHINE.to_owned(), MACHINE.replace("express", "execution")])
    }

    fn counts(released: &[Waiting]) -> Vec<usize> {
        released.iter().map(|waiting| waiting.messages.len()).collect()
    }

    #[test]
    fn an_express_execution_that_is_complete_is_let_go_at_once_in_whatever_order_it_came() {
        let mut hold = hold();
        for (id, kind) in [(3, "ExecutionFailed"), (1, "ExecutionStarted"), (2, "FailStateEntered")] {
            assert_eq!(hold.release(at(0)).len(), 0);
            assert_eq!(hold.add(&record("a", id, kind, 0)), Taken::New);
        }
        assert_eq!(hold.add(&record("a", 2, "FailStateEntered", 0)), Taken::Again);
        assert_eq!(counts(&hold.release(at(0))), [3]);
        assert_eq!(hold.len(), 0);
    }

    #[test]
    fn an_execution_with_holes_waits_until_nothing_can_be_late() {
        let mut hold = hold();
        hold.add(&record("a", 1, "ExecutionStarted", 0));
        hold.add(&record("a", 3, "ExecutionFailed", 1));
        assert_eq!(hold.release(at(600)).len(), 0);
        assert_eq!(counts(&hold.release(at(601))), [2]);
    }

    #[test]
    fn an_express_execution_without_an_end_is_let_go_when_it_is_older_than_any() {
        let mut hold = hold();
        hold.add(&record("a", 1, "ExecutionStarted", 0));
        hold.add(&record("b", 1, "ExecutionStarted", 100));
        assert_eq!(counts(&hold.release(at(900))), [1]);
        assert_eq!(hold.len(), 1);
    }

    #[test]
    fn a_standard_execution_waits_for_its_end_however_long() {
        let mut hold = hold();
        let standard =
            |id: u64, kind: &str, second: i64| record("a", id, kind, second).replace(":express:", ":execution:").replace(":7fa0cfbe", "");
        hold.add(&standard(1, "ExecutionStarted", 0));
        assert_eq!(hold.release(at(90 * 86_400)).len(), 0);
        hold.add(&standard(2, "ExecutionSucceeded", 90 * 86_400));
        assert_eq!(hold.release(at(90 * 86_400)).len(), 0, "it may be redriven, and a record may be late");
        assert_eq!(counts(&hold.release(at(91 * 86_400))), [2]);
    }

    #[test]
    fn lines_of_others_are_told_apart() {
        let mut hold = hold();
        assert_eq!(hold.add("START RequestId: 7fa0cfbe Version: $LATEST"), Taken::NoRecord);
        assert_eq!(hold.add(&record("a", 1, "ExecutionStarted", 0)[..40]), Taken::NoRecord);
        assert_eq!(hold.add(&record("a", 1, "ExecutionStarted", 0).replace(":Orders:", ":OrdersTwo:")), Taken::OtherMachine);
        assert_eq!(hold.len(), 0);
    }

    #[test]
    fn what_waits_is_kept_and_goes_on_the_next_time() {
        let mut first = hold();
        first.add(&record("a", 1, "ExecutionStarted", 0));
        first.add(&record("b", 1, "ExecutionStarted", 1));
        let mut second = hold();
        assert!(second.restore(&first.kept()));
        assert_eq!(second.add(&record("a", 1, "ExecutionStarted", 0)), Taken::Again);
        second.add(&record("a", 2, "ExecutionSucceeded", 2));
        let released = second.release(at(2));
        assert_eq!((counts(&released), released[0].was_kept), (vec![2], true));
        assert!(hold().restore(&hold().kept()), "nothing is kept, and nothing restored");
        assert!(!hold().restore(b"damaged"));
    }
}

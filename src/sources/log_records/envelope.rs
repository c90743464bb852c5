//! What stands around the details of one record: of which execution it is, and which of its events.
//!
//! | a message                                           | is                                            |
//! |-----------------------------------------------------|-----------------------------------------------|
//! | an object with `execution_arn`, an id and a type    | a record                                      |
//! | the same with one of these missing or senseless     | a record that can't be read                   |
//! | an object that ends too early, with a type of event | a record that was cut short                   |
//! | anything else                                       | another line, of another service or a program |

use crate::model::{EventType, ExecutionArn, Role};
use crate::sources::json::{Cursor, JsonError, Problem, unescaped};

/// One record, as far as grouping asks.
#[derive(Debug)]
pub(super) struct Envelope {
    pub arn: String,
    pub id: u32,
    /// It ends the execution, or the run before a redrive.
    pub is_end: bool,
}

/// What a message is.
#[derive(Debug)]
pub(super) enum Message {
    Record(Envelope),
    /// A record that can't be read, and why.
    Bad(&'static str),
    Other,
}

pub(in crate::sources) const CUT_SHORT: &str = "a log record that is cut short or broken";
const NO_ARN: &str = "a log record without an execution's ARN";
const NO_ID: &str = "a log record without an id of an event";
const NO_TYPE: &str = "a log record without a type of event";
const NO_DETAILS: &str = "a log record whose details are no object";

/// Looks at a message without its payloads.
pub(super) fn look(text: &str, depth: usize) -> Message {
    let mut cursor = Cursor::new(text, 0, depth);
    if cursor.peek() != Some(b'{') {
        return Message::Other;
    }
    let mut members = Members::default();
    match members.read(&mut cursor) {
        Ok(()) if cursor.is_at_end() => members.judge(),
        Ok(()) => members.broken(),
        // Nobody nests a record's own members so deeply.
        Err(JsonError { problem: Problem::TooDeep, .. }) if !members.is_of_events() => Message::Other,
        Err(_) => members.broken(),
    }
}

#[derive(Default)]
struct Members {
    arn: Option<String>,
    has_arn: bool,
    id: Option<u32>,
    kind: Option<EventType>,
    /// A member that nothing else has.
    has_own_member: bool,
    has_wrong_details: bool,
}

impl Members {
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), JsonError> {
        cursor.enter(b'{')?;
        let mut first = true;
        while let Some(key) = cursor.key(&mut first)? {
            let begins = cursor.peek();
            let value = cursor.value()?;
            let source = cursor.source(value);
            match &*key {
                "execution_arn" => {
                    self.has_arn = true;
                    self.arn = (begins == Some(b'"')).then(|| unescaped(source).into_owned());
                }
                "id" => self.id = number(source),
                "type" if begins == Some(b'"') => self.kind = Some(EventType::from_name(&unescaped(source))),
                "previous_event_id" | "event_timestamp" | "redrive_count" => self.has_own_member = true,
                "details" => self.has_wrong_details = !matches!(begins, Some(b'{' | b'n')),
                _ => {}
            }
        }
        Ok(())
    }

    fn is_of_events(&self) -> bool {
        self.has_arn || self.has_own_member || self.kind.is_some_and(|kind| kind != EventType::Unknown)
    }

    fn broken(&self) -> Message {
        if self.is_of_events() { Message::Bad(CUT_SHORT) } else { Message::Other }
    }

    fn judge(self) -> Message {
        if !self.is_of_events() || (!self.has_arn && !self.has_own_member) {
            return Message::Other;
        }
        let Some(arn) = self.arn.filter(|arn| arn.parse::<ExecutionArn>().is_ok()) else { return Message::Bad(NO_ARN) };
        let Some(kind) = self.kind else { return Message::Bad(NO_TYPE) };
        let Some(id) = self.id.filter(|id| *id != 0) else { return Message::Bad(NO_ID) };
        if self.has_wrong_details {
            return Message::Bad(NO_DETAILS);
        }
        Message::Record(Envelope { arn, id, is_end: matches!(kind.role(), Role::ExecutionEnded(_)) })
    }
}

/// An id, in quotes as records have it or without them.
fn number(source: &str) -> Option<u32> {
    source.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> &'static str {
        match look(text, 512) {
            Message::Record(_) => "record",
            Message::Bad(why) => why,
            Message::Other => "other",
        }
    }

    const ARN: &str = "arn:aws:states:eu-west-1:111111111111:express:Orders:run-1:7fa0cfbe";

    #[test]
    fn records_are_told_from_other_lines() {
        let whole = format!(
            r#"{{"id":"2","type":"TaskFailed","details":{{"error":"E"}},"previous_event_id":"1","event_timestamp":"1","execution_arn":"{ARN}"}}"#
        );
        assert_eq!(told(&whole), "record");
        for length in 30..whole.len() {
            assert_eq!(told(&whole[..length]), CUT_SHORT, "{}", &whole[..length]);
        }
        for other in [
            "START RequestId: 7fa0cfbe Version: $LATEST",
            "",
            "[]",
            r#"{"level":"INFO","msg":"charged"}"#,
            r#"{"type":"platform.report","time":"2026-01-01T00:00:00Z","record":{}}"#,
            r#"{"level":"INFO","msg":"#,
            r#"{"id":"1","type":"Order","details":{}}"#,
        ] {
            assert_eq!(told(other), "other", "{other}");
        }
    }

    #[test]
    fn what_a_record_lacks_is_said() {
        assert_eq!(told(r#"{"id":"2","type":"TaskFailed","details":{},"event_timestamp":"1"}"#), NO_ARN);
        assert_eq!(told(r#"{"id":"2","type":"TaskFailed","execution_arn":7}"#), NO_ARN);
        assert_eq!(told(r#"{"id":"2","type":"TaskFailed","execution_arn":"arn:aws:s3:::bucket"}"#), NO_ARN);
        assert_eq!(told(&format!(r#"{{"id":"2","execution_arn":"{ARN}"}}"#)), NO_TYPE);
        for id in ["0", "-1", "\"two\"", "null", "[1]", "99999999999"] {
            assert_eq!(told(&format!(r#"{{"id":{id},"type":"TaskFailed","execution_arn":"{ARN}"}}"#)), NO_ID, "{id}");
        }
        assert_eq!(told(&format!(r#"{{"id":"2","type":"TaskFailed","details":"x","execution_arn":"{ARN}"}}"#)), NO_DETAILS);
        assert_eq!(told(&format!(r#"{{"id":"2","type":"TaskTeleported","details":null,"execution_arn":"{ARN}"}}"#)), "record");
    }
}

//! A row of CloudWatch Logs Insights to the message that it was made of.
//!
//! | the row has                                    | the message is                                             |
//! |------------------------------------------------|------------------------------------------------------------|
//! | `@message`                                     | that                                                       |
//! | `execution_arn`, `id` and `type`, among others | a record put together again: `details.name` goes into `details` |
//! | neither                                        | not there: a row of counts, or of too few fields           |

use serde_json::{Map, Value};

use crate::model::RawText;
use crate::model::text::Form;

/// Name and value of a field.
pub(crate) type Field = (String, RawText);

/// The message of a row.
pub(crate) fn message(fields: Vec<Field>) -> Option<RawText> {
    if let Some(at) = fields.iter().position(|(name, _)| name == "@message") {
        return fields.into_iter().nth(at).map(|(_, value)| value);
    }
    let has = |wanted: &str| fields.iter().any(|(name, _)| name == wanted);
    if !(has("execution_arn") && has("id") && has("type")) {
        return None;
    }
    let mut record = Map::new();
    if !has("event_timestamp")
        && let Some((_, time)) = fields.iter().find(|(name, _)| name == "@timestamp")
    {
        record.insert("event_timestamp".to_owned(), Value::String(iso(&time.decode())));
    }
    for (name, value) in &fields {
        if name == "details" {
            let details = serde_json::from_str(&value.decode()).unwrap_or(Value::Null);
            record.entry("details").or_insert(details);
        } else if !name.starts_with('@') {
            insert(&mut record, name, value);
        }
    }
    record.entry("details").or_insert_with(|| Value::Object(Map::new()));
    Some(RawText::plain(Value::Object(record).to_string()))
}

/// `details.inputDetails.truncated` goes two objects down.
fn insert(record: &mut Map<String, Value>, name: &str, value: &RawText) {
    // No member of a record stands deeper; variables and what comes after them are named as they are.
    let mut parts = name.splitn(3, '.');
    let (first, second, third) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let text = match value.form() {
        Form::Json => serde_json::from_str(value.source()).unwrap_or(Value::Null),
        Form::Plain | Form::Escaped => Value::String(value.decode().into_owned()),
    };
    let Some(second) = second else {
        record.insert(first.to_owned(), text);
        return;
    };
    let Value::Object(inside) = record.entry(first).or_insert_with(|| Value::Object(Map::new())) else { return };
    let Some(third) = third else {
        inside.insert(second.to_owned(), text);
        return;
    };
    if let Value::Object(deepest) = inside.entry(second).or_insert_with(|| Value::Object(Map::new())) {
        deepest.insert(third.to_owned(), text);
    }
}

/// Insights writes `2026-01-01 00:00:00.100`, in UTC.
fn iso(time: &str) -> String {
    match time.split_once(' ') {
        Some((day, moment)) if !time.contains('T') => format!("{day}T{moment}Z"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[(&str, &str)]) -> Option<String> {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), RawText::plain(*value))).collect();
        message(fields).map(|message| message.decode().into_owned())
    }

    #[test]
    fn the_message_itself_is_preferred() {
        assert_eq!(row(&[("id", "1"), ("@message", "{}"), ("type", "x")]).as_deref(), Some("{}"));
    }

    #[test]
    fn single_fields_are_put_together() {
        let fields = [
            ("@timestamp", "2026-01-01 00:00:00.100"),
            ("id", "2"),
            ("type", "TaskStateEntered"),
            ("details.name", "Charge"),
            ("details.input", "{\"a\":1}"),
            ("details.inputDetails.truncated", "0"),
            ("execution_arn", "arn"),
            ("@ptr", "x"),
        ];
        let record: Value = serde_json::from_str(&row(&fields).expect("a record")).expect("JSON");
        let wanted = serde_json::json!({
            "id": "2", "type": "TaskStateEntered", "event_timestamp": "2026-01-01T00:00:00.100Z", "execution_arn": "arn",
            "details": {"name": "Charge", "input": "{\"a\":1}", "inputDetails": {"truncated": "0"}},
        });
        assert_eq!(record, wanted);
    }

    #[test]
    fn counts_are_no_records() {
        assert_eq!(row(&[("n", "5"), ("type", "TaskFailed")]), None);
    }
}

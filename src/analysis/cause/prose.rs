//! Causes that are sentences: of the States service, and of the services that it calls.

use super::super::why::DecodedCause;
use super::{Layer, object};
use crate::rebuild::state_in_cause;

const RETURNED_PAYLOAD: &str = "Returned payload:";

/// Reads a sentence and says what is left to read.
pub(super) fn read(text: &str, found: &mut DecodedCause) -> Option<Layer> {
    let text = text.trim();
    if let Some(named) = state_in_cause(text).filter(|named| named.entered_event_id.is_some()) {
        return Some(Layer::Text(named.rest.to_owned())).filter(|_| !named.rest.is_empty());
    }
    if let Some((before, payload)) = text.split_once(RETURNED_PAYLOAD)
        && before.contains("Lambda")
        && super::parsed(payload).is_some()
    {
        found.message = Some(before.trim().to_owned());
        return Some(Layer::Text(payload.trim().to_owned()));
    }
    if text.starts_with('{') {
        // JSON that was cut, since it does not parse.
        object::salvage(text, found);
        return None;
    }
    let message = service_answer(text, found).unwrap_or(text);
    let message = without_request_id(message, found);
    if !message.is_empty() {
        found.message = Some(message.to_owned());
    }
    None
}

/// Takes `(Service: X; Status Code: 400; Error Code: C; Request ID: r; Proxy: null)`, or the same with commas and without a code, off
/// the end of a message.
fn service_answer<'t>(text: &'t str, found: &mut DecodedCause) -> Option<&'t str> {
    let start = text.rfind("(Service: ")?;
    let inside = &text[start + 1..];
    let inside = &inside[..inside.find(')')?];
    let separator = if inside.contains(';') { ';' } else { ',' };
    for part in inside.split(separator) {
        let Some((name, value)) = part.split_once(':') else { continue };
        let value = value.trim();
        match name.trim() {
            "Service" => found.service = Some(value.to_owned()),
            "Status Code" => found.status_code = value.parse().ok().or(found.status_code),
            "Error Code" => found.error_code = Some(value.to_owned()).filter(|code| code != "null"),
            "Request ID" => found.request_id = Some(value.to_owned()).filter(|id| id != "null"),
            _ => {}
        }
    }
    Some(text[..start].trim_end())
}

/// Takes the request id off the messages of the Lambda runtime: `RequestId: <id> Error: Task timed out …`, and the older
/// `<time> <id> Task timed out …`.
fn without_request_id<'t>(message: &'t str, found: &mut DecodedCause) -> &'t str {
    let is_id = |word: &str| word.len() == 36 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if let Some(rest) = message.strip_prefix("RequestId: ")
        && let Some((id, rest)) = rest.split_once(' ')
        && let Some(rest) = rest.strip_prefix("Error: ")
    {
        found.request_id.get_or_insert_with(|| id.to_owned());
        return rest;
    }
    let mut words = message.splitn(3, ' ');
    if let (Some(_), Some(id), Some(rest)) = (words.next(), words.next(), words.next())
        && is_id(id)
        && rest.starts_with("Task timed out")
    {
        found.request_id.get_or_insert_with(|| id.to_owned());
        return rest;
    }
    message
}

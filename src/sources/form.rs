//! What an input is, by its beginning: JSON, the lines of a log, or a table of Logs Insights.
//!
//! | begins with                                                       | is                                           |
//! |-------------------------------------------------------------------|----------------------------------------------|
//! | `{` or `[`                                                        | JSON                                         |
//! | a line of names with `@message`, `@timestamp` or `execution_arn`  | a table (CSV) of Logs Insights               |
//! | a line that begins with a date and a time                         | lines of a log: S3 exports, `aws logs tail`  |
//! | text, and a record of Step Functions stands in one of its lines   | lines of a log                               |
//! | anything else                                                     | nothing to read                              |

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    /// A message a line, with or without a time and a stream before it.
    LogLines,
    /// Comma-separated values, the first line has the names.
    Table,
    /// Text that is none of these.
    Text,
    Binary,
}

/// The form of an input that begins with `head`, or is empty.
pub(super) fn form_of(head: &[u8]) -> Form {
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, None | Some(b'{' | b'[')) {
        return Form::Json;
    }
    // The last character may be cut in two.
    let is_text = std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true) && !head.contains(&0);
    let first_line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    if begins_with_time(first_line) && !head.contains(&0) || is_text && head.split(|byte| *byte == b'\n').any(holds_record) {
        return if is_header(first_line) { Form::Table } else { Form::LogLines };
    }
    match is_text {
        true if is_header(first_line) => Form::Table,
        true => Form::Text,
        false => Form::Binary,
    }
}

/// `2026-01-01T00:00` or `2026-01-01 00:00`.
fn begins_with_time(line: &[u8]) -> bool {
    let wanted = b"0000-00-00T00:00";
    line.len() >= wanted.len()
        && line.iter().zip(wanted).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b' '),
            other => byte == other,
        })
}

fn holds_record(line: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(line, word).is_some();
    memchr::memchr(b'{', line).is_some() && (has(b"\"execution_arn\"") || has(b"\"event_timestamp\"") || has(b"\"previous_event_id\""))
}

/// Whether the line has the names of fields that records have in Logs Insights.
fn is_header(line: &[u8]) -> bool {
    let names = line.trim_ascii().split(|byte| *byte == b',').map(|name| name.trim_ascii().trim_ascii_end());
    let plain = names.map(|name| name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name));
    plain.into_iter().any(|name| matches!(name, b"@message" | b"@timestamp" | b"execution_arn"))
}

/// The message of a line: what begins with `{`, else the whole line.
///
/// `aws logs filter-log-events --output text` writes a time after the message, others before it.
pub(super) fn message_of_line(line: &str) -> &str {
    let line = line.trim_ascii();
    let Some(begin) = memchr::memchr(b'{', line.as_bytes()) else { return line };
    let message = &line[begin..];
    match message.rfind('}') {
        Some(end) if message[end + 1..].bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace()) => &message[..=end],
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_tells() {
        let cases: [(&[u8], Form); 12] = [
            (b"", Form::Json),
            (b" \n[", Form::Json),
            (b"2026-01-01T00:00:00.000Z {\"id\":\"1\"}", Form::LogLines),
            (b"2026-01-01 00:00:00 hello", Form::LogLines),
            (b"2026-01-01T00:00:00.000Z caf\xff", Form::LogLines),
            (b"START RequestId: 7\n{\"id\":\"1\",\"previous_event_id\":\"0\"}\n", Form::LogLines),
            (b"# Notes\n{\"id\":1}\n", Form::Text),
            (b"@timestamp,@message\n", Form::Table),
            (b"\"id\",\"type\",\"execution_arn\"\n", Form::Table),
            (b"hello", Form::Text),
            (b"h\0llo", Form::Binary),
            (b"\x1f\x8b\xff", Form::Binary),
        ];
        for (head, form) in cases {
            assert_eq!(form_of(head), form, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_message_begins_with_its_brace() {
        for (line, message) in [
            ("{\"a\":1}", "{\"a\":1}"),
            ("2026-01-01T00:00:00.000Z {\"a\":1}\r\n", "{\"a\":1}"),
            ("2026-01-01T00:00:00.000000+00:00 states/Orders/2026-01-01-00-00/7fa0cfbe {\"a\":1}", "{\"a\":1}"),
            ("EVENTS\t369\t1785902417192\tstates/Orders\t{\"a\":{}}\t1785902417192", "{\"a\":{}}"),
            ("2026-01-01T00:00:00.000Z {\"a\":{},\"b\":", "{\"a\":{},\"b\":"),
            ("2026-01-01T00:00:00.000Z END RequestId: 7", "2026-01-01T00:00:00.000Z END RequestId: 7"),
        ] {
            assert_eq!(message_of_line(line), message);
        }
    }
}

//! Moments in payloads: what the service takes for a timestamp.

use crate::model::Timestamp;

/// A date-time of RFC 3339 with a `T` and a `Z` or an offset; whatever else a parser of dates would take is none.
pub fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let date = bytes.len() >= 17 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T' && bytes[13] == b':';
    let offset = text.ends_with('Z') || matches!(bytes.get(bytes.len().checked_sub(6)?), Some(b'+' | b'-'));
    // A minute has 60 seconds here: the leap second, which other parsers take, is none.
    if !date || !offset || bytes.get(16..19) == Some(b":60") || !bytes.iter().all(|byte| byte.is_ascii_digit() || b"-:.TZ+".contains(byte))
    {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_date_and_time_with_its_offset_is_a_moment() {
        for text in ["2016-03-14T01:59:00Z", "2016-03-05T21:29:29.243167252Z", "2016-08-18T17:33:00+01:00", "2026-01-01T00:00:00.000000Z"] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in [
            "2016-12-05 21:29:29Z",
            "2016-12-05T21:29:29",
            "2016-12-05T25:29:29Z",
            "05-12-2016T21:29:29Z",
            "2016-12-05t21:29:29z",
            "2016-12-31T23:59:60Z",
            "2016-12-05",
            "",
            "é",
            "2016-03-14T01:59:00Z[UTC]",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
        assert_eq!(parse("2016-08-18T17:33:00+01:00"), parse("2016-08-18T16:33:00Z"));
    }
}

//! Text that stays where it was read until someone asks for it.
//!
//! Most bytes of a history are payloads that nobody reads. A [`RawText`] is a range of the document it came from, shared by
//! reference count; escapes of a JSON string are undone only by [`RawText::decode`].

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// How the bytes of a [`RawText`] are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The text itself.
    Plain,
    /// The inside of a JSON string literal, escapes and all, without its quotes.
    Escaped,
    /// A JSON value that stood where the service sends a string, as some local engines write it.
    Json,
}

/// A piece of text, shared with the document that holds it.
///
/// A document is at most 4 GiB; the readers refuse larger ones long before.
#[derive(Clone)]
pub struct RawText {
    document: Arc<String>,
    start: u32,
    end: u32,
    form: Form,
}

impl RawText {
    /// Text that belongs to no document.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::whole(text.into(), Form::Plain)
    }

    /// A JSON value, kept as its text.
    pub fn json(text: impl Into<String>) -> Self {
        Self::whole(text.into(), Form::Json)
    }

    fn whole(text: String, form: Form) -> Self {
        let end = u32::try_from(text.len()).expect("texts of 4 GiB are refused when read");
        Self { document: Arc::new(text), start: 0, end, form }
    }

    /// The bytes `range` of `document`. `None` when the range is not inside the document, splits a character or
    /// lies beyond 4 GiB.
    pub fn slice(document: &Arc<String>, range: Range<usize>, form: Form) -> Option<Self> {
        document.get(range.clone())?;
        let start = u32::try_from(range.start).ok()?;
        let end = u32::try_from(range.end).ok()?;
        Some(Self { document: Arc::clone(document), start, end, form })
    }

    /// The bytes as they stood in the document.
    pub fn source(&self) -> &str {
        &self.document[self.start as usize..self.end as usize]
    }

    /// How [`Self::source`] is to be read.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Whether a JSON value stood where a string belongs.
    pub fn is_structured(&self) -> bool {
        self.form == Form::Json
    }

    /// The text, escapes undone. Borrowed when there were none.
    ///
    /// Escapes that spell no character (half a surrogate pair) are left as they stand.
    pub fn decode(&self) -> Cow<'_, str> {
        let source = self.source();
        if self.form != Form::Escaped || memchr::memchr(b'\\', source.as_bytes()).is_none() {
            return Cow::Borrowed(source);
        }
        let mut text = Vec::with_capacity(source.len());
        unescape(source, &mut text);
        String::from_utf8(text).map_or(Cow::Borrowed(source), Cow::Owned)
    }

    /// How many bytes [`Self::decode`] would have, without undoing escapes where none but plain ones (`\"`, `\n`) stand.
    pub fn decoded_length(&self) -> usize {
        let source = self.source();
        if self.form != Form::Escaped {
            return source.len();
        }
        // Nearly every escape is two bytes for one. Loops without branches, so that the compiler takes many bytes at a time.
        let bytes = source.as_bytes();
        let escapes: usize = bytes.iter().map(|byte| usize::from(*byte == b'\\')).sum();
        let is_other = |(byte, next): (&u8, &u8)| usize::from(*byte == b'\\') * (usize::from(*next == b'\\') + usize::from(*next == b'u'));
        let others: usize = bytes.iter().zip(bytes.iter().skip(1)).map(is_other).sum();
        if others == 0 { source.len() - escapes } else { self.decode().len() }
    }

    /// Whether the text is `other`, without decoding when no escape is in the way.
    pub fn is(&self, other: &str) -> bool {
        self.source() == other && self.form != Form::Escaped || self.decode() == other
    }
}

/// Valid JSON without line breaks, its values as they were spelt: a break and the indentation after it become one space.
///
/// Borrowed when there were none. In strings JSON escapes them, so that they stand between values only.
pub fn on_one_line(json: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\n', b'\r', json.as_bytes()).is_none() {
        return Cow::Borrowed(json);
    }
    Cow::Owned(json.split(['\n', '\r']).map(str::trim_start).collect::<Vec<_>>().join(" "))
}

const ONES: u64 = u64::MAX / 0xff;
const HIGHS: u64 = ONES << 7;

/// Appends the inside of a JSON string literal to `out`, its escapes undone; as it stands when it is none.
pub fn unescape(source: &str, out: &mut Vec<u8>) {
    let begin = out.len();
    if undo_escapes(source.as_bytes(), out).is_none() {
        out.truncate(begin);
        out.extend_from_slice(source.as_bytes());
    }
}

/// `None` for an escape that spells no character, and for a character that must not stand in a literal.
fn undo_escapes(source: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let begin = out.len();
    // Eight bytes are copied at a time, whether they are wanted or not.
    out.resize(begin + source.len() + 8, 0);
    let (mut read, mut written) = (0, begin);
    while let Some(chunk) = source.get(read..).and_then(|rest| rest.first_chunk::<8>()) {
        out[written..written + 8].copy_from_slice(chunk);
        let word = u64::from_le_bytes(*chunk);
        let differing = word ^ (ONES * u64::from(b'\\'));
        let backslashes = differing.wrapping_sub(ONES) & !differing & HIGHS;
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let stops = backslashes | controls;
        if stops == 0 {
            read += 8;
            written += 8;
            continue;
        }
        let plain = (stops.trailing_zeros() / 8) as usize;
        read += plain;
        written += plain;
        (read, written) = undo_escape(source, read, out, written)?;
    }
    while read < source.len() {
        match source[read] {
            b'\\' => (read, written) = undo_escape(source, read, out, written)?,
            0..0x20 => return None,
            byte => {
                out[written] = byte;
                read += 1;
                written += 1;
            }
        }
    }
    out.truncate(written);
    Some(())
}

/// Undoes the escape that begins at `read`; gives both places after it.
#[inline]
fn undo_escape(source: &[u8], read: usize, out: &mut [u8], written: usize) -> Option<(usize, usize)> {
    if source[read] != b'\\' {
        return None;
    }
    let byte = match source.get(read + 1)? {
        quoted @ (b'"' | b'\\' | b'/') => *quoted,
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'u' => return undo_unicode(source, read, out, written),
        _ => return None,
    };
    out[written] = byte;
    Some((read + 2, written + 1))
}

fn undo_unicode(source: &[u8], read: usize, out: &mut [u8], written: usize) -> Option<(usize, usize)> {
    let (unit, mut after) = (code_unit(source, read)?, read + 6);
    let character = match unit {
        0xd800..0xdc00 => {
            let low = code_unit(source, after).filter(|low| (0xdc00..0xe000).contains(low))?;
            after += 6;
            0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
        }
        _ => unit,
    };
    let character = char::from_u32(character)?;
    let length = character.encode_utf8(out.get_mut(written..)?).len();
    Some((after, written + length))
}

/// The four digits of `\u00e9`.
fn code_unit(source: &[u8], at: usize) -> Option<u32> {
    let escape = source.get(at..at + 6)?;
    let digits = escape.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

impl From<&str> for RawText {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl fmt::Debug for RawText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.decode())
    }
}

impl PartialEq for RawText {
    fn eq(&self, other: &Self) -> bool {
        (self.form == other.form && self.source() == other.source()) || self.decode() == other.decode()
    }
}

impl Eq for RawText {}

/// Serialises as the decoded text.
impl Serialize for RawText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.decode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(source: &str) -> RawText {
        let document = Arc::new(source.to_owned());
        RawText::slice(&document, 0..source.len(), Form::Escaped).expect("the whole document")
    }

    #[test]
    fn json_on_one_line_says_the_same() {
        let pretty = "{\n  \"b\": 1.50,\r\n\t\"a\": [\n    \"x\\n  y\"\n  ]\n}";
        assert_eq!(on_one_line(pretty), r#"{ "b": 1.50,  "a": [ "x\n  y" ] }"#);
        assert!(matches!(on_one_line(r#"{"a": "x\n"}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn escapes_are_undone_on_request_only() {
        let text = escaped(r#"{\"a\":\"\u00e9\"}"#);
        assert_eq!(text.source(), r#"{\"a\":\"\u00e9\"}"#);
        assert_eq!(text.decode(), r#"{"a":"é"}"#);
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        assert!(matches!(escaped("Charge").decode(), Cow::Borrowed("Charge")));
    }

    #[test]
    fn half_a_surrogate_pair_is_shown_as_it_stands() {
        assert_eq!(escaped(r"\ud800").decode(), r"\ud800");
    }

    #[test]
    fn escapes_are_undone_as_serde_json_does() {
        let plain = ["a", "é", "0123456", "01234567", "x\u{1f600}"];
        let others = [
            r"\n",
            r#"\""#,
            r"\\",
            r"\/",
            r"\u00e9",
            r"\ud83d\ude00",
            r"\ud83d",
            r"\ude00",
            r"\u00g9",
            r"\u12",
            r"\x",
            "\u{1}",
            r"\",
            r"\u+123",
        ];
        for first in plain {
            for escape in others {
                for last in plain {
                    for filler in ["", "abc", "abcdefgh"] {
                        let source = format!("{first}{escape}{filler}{last}{escape}{first}{filler}");
                        let wanted = serde_json::from_str::<String>(&format!("\"{source}\"")).unwrap_or_else(|_| source.clone());
                        let mut found = b"before".to_vec();
                        unescape(&source, &mut found);
                        assert_eq!(String::from_utf8(found).expect("text"), format!("before{wanted}"), "{source}");
                        // Readers refuse what is no literal.
                        if serde_json::from_str::<String>(&format!("\"{source}\"")).is_ok() {
                            assert_eq!(escaped(&source).decoded_length(), wanted.len(), "{source}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn equality_is_that_of_the_text() {
        assert_eq!(escaped(r"a\u0062"), RawText::plain("ab"));
        assert!(escaped(r"a\u0062").is("ab"));
        assert!(!escaped("ab").is("a"));
    }

    #[test]
    fn a_range_outside_the_document_is_refused() {
        let document = Arc::new("é".to_owned());
        assert!(RawText::slice(&document, 0..3, Form::Plain).is_none());
        assert!(RawText::slice(&document, 0..1, Form::Plain).is_none());
    }
}

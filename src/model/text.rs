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
        let mut literal = String::with_capacity(source.len() + 2);
        literal.push('"');
        literal.push_str(source);
        literal.push('"');
        match serde_json::from_str::<String>(&literal) {
            Ok(text) => Cow::Owned(text),
            Err(_) => Cow::Borrowed(source),
        }
    }

    /// Whether the text is `other`, without decoding when no escape is in the way.
    pub fn is(&self, other: &str) -> bool {
        self.source() == other && self.form != Form::Escaped || self.decode() == other
    }
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

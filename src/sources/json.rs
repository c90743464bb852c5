//! A cursor over JSON text: one pass, no recursion, no copies.
//!
//! Apart from a general parser because of what a history is: mostly long strings that nobody reads. The cursor steps over a
//! value and says where it stood, so a payload costs one scan and becomes a range of the document. It checks
//! the grammar of everything it steps over but the escapes inside strings, which are looked at when a string is decoded, and holds
//! nesting below a limit with a stack of one byte a level.

use std::borrow::Cow;

use super::strings::{End, string_end};

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The range is the inside, without the quotes.
    String,
    Number,
    True,
    False,
    Null,
    Object,
    Array,
}

impl Kind {
    /// For messages: `a number`.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::True | Self::False => "true or false",
            Self::Null => "null",
            Self::Object => "an object",
            Self::Array => "an array",
        }
    }
}

/// A value and where it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

/// Why text is no JSON, or none that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JsonError {
    /// The byte at which it shows.
    pub at: usize,
    pub problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// The text ends too early.
    End { in_string: bool },
    /// Something else stands where this belongs.
    Expected(&'static str),
    /// A line break, or another control character, inside a string.
    ControlCharacter,
    /// Deeper than the limit.
    TooDeep,
}

/// A place in JSON text.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth_limit: usize,
    /// The brackets that are open while a value is stepped over.
    open: Vec<u8>,
}

type Step<T> = Result<T, JsonError>;

impl<'a> Cursor<'a> {
    /// At byte `at` of `text`.
    pub(super) fn new(text: &'a str, at: usize, depth_limit: usize) -> Self {
        Self { text, at, depth_limit, open: Vec::new() }
    }

    /// Another cursor on the same text.
    pub(super) fn at(&self, at: usize) -> Self {
        Self::new(self.text, at, self.depth_limit)
    }

    /// Where the next step begins.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The text of a value that this cursor stepped over.
    #[inline]
    pub(super) fn source(&self, value: Value) -> &'a str {
        self.text.get(value.start..value.end).unwrap_or_default()
    }

    fn error<T>(&self, problem: Problem) -> Step<T> {
        Err(JsonError { at: self.at, problem })
    }

    fn unexpected<T>(&self, wanted: &'static str) -> Step<T> {
        if self.at >= self.text.len() { self.error(Problem::End { in_string: false }) } else { self.error(Problem::Expected(wanted)) }
    }

    /// Whether only white space is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// The next byte that is no white space; the cursor then stands on it.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                _ => return Some(byte),
            }
        }
        None
    }

    /// Steps into an object (`{`) or array (`[`).
    pub(super) fn enter(&mut self, bracket: u8) -> Step<()> {
        if self.peek() == Some(bracket) {
            self.at += 1;
            return Ok(());
        }
        self.unexpected(if bracket == b'{' { "`{`" } else { "`[`" })
    }

    /// The next member's name, or `None` and out of the object. `first` is true before the first member.
    pub(super) fn key(&mut self, first: &mut bool) -> Step<Option<Cow<'a, str>>> {
        match (self.peek(), std::mem::take(first)) {
            (Some(b'}'), _) => {
                self.at += 1;
                return Ok(None);
            }
            (Some(b'"'), true) => {}
            (Some(b','), false) => {
                self.at += 1;
                if self.peek() != Some(b'"') {
                    return self.unexpected("a member's name in quotes");
                }
            }
            (_, true) => return self.unexpected("a member's name in quotes or `}`"),
            (_, false) => return self.unexpected("`,` or `}`"),
        }
        let (name, has_escapes) = self.text_literal()?;
        self.colon()?;
        let source = self.source(name);
        Ok(Some(if has_escapes { unescaped(source) } else { Cow::Borrowed(source) }))
    }

    /// Whether another element follows, and the cursor stands before it; otherwise it is out of the array.
    pub(super) fn element(&mut self, first: &mut bool) -> Step<bool> {
        match (self.peek(), std::mem::take(first)) {
            (Some(b']'), _) => {
                self.at += 1;
                Ok(false)
            }
            (Some(b','), false) => {
                self.at += 1;
                match self.peek() {
                    None | Some(b']' | b',') => self.unexpected("a value"),
                    Some(_) => Ok(true),
                }
            }
            (None, _) => self.unexpected("`]`"),
            (Some(_), true) => Ok(true),
            (Some(_), false) => self.unexpected("`,` or `]`"),
        }
    }

    fn colon(&mut self) -> Step<()> {
        if self.peek() != Some(b':') {
            return self.unexpected("`:`");
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over the next value.
    pub(super) fn value(&mut self) -> Step<Value> {
        match self.peek() {
            Some(bracket @ (b'{' | b'[')) => {
                let start = self.at;
                self.container()?;
                let kind = if bracket == b'{' { Kind::Object } else { Kind::Array };
                Ok(Value { kind, start, end: self.at })
            }
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Step<Value> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b't') => self.word("true", Kind::True),
            Some(b'f') => self.word("false", Kind::False),
            Some(b'n') => self.word("null", Kind::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.unexpected("a value"),
        }
    }

    fn word(&mut self, word: &'static str, kind: Kind) -> Step<Value> {
        let rest = &self.text.as_bytes()[self.at..];
        if rest.starts_with(word.as_bytes()) {
            let start = self.at;
            self.at += word.len();
            return Ok(Value { kind, start, end: self.at });
        }
        if word.as_bytes().starts_with(rest) {
            Err(JsonError { at: self.text.len(), problem: Problem::End { in_string: false } })
        } else {
            self.unexpected("a value")
        }
    }

    fn number(&mut self) -> Step<Value> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let length = rest.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
        if !is_number(&rest[..length]) {
            return self.unexpected("a number");
        }
        self.at += length;
        Ok(Value { kind: Kind::Number, start, end: self.at })
    }

    fn string(&mut self) -> Step<Value> {
        self.text_literal().map(|(value, _)| value)
    }

    /// A string, and whether it has escapes.
    fn text_literal(&mut self) -> Step<(Value, bool)> {
        let start = self.at + 1;
        match string_end(self.text.as_bytes(), start) {
            Ok(End { at, has_escapes }) => {
                self.at = at + 1;
                Ok((Value { kind: Kind::String, start, end: at }, has_escapes))
            }
            Err(error) => {
                self.at = error.at;
                Err(error)
            }
        }
    }

    fn container(&mut self) -> Step<()> {
        self.open.clear();
        let mut next = Next::Value;
        loop {
            let Some(byte) = self.peek() else { return self.error(Problem::End { in_string: false }) };
            let inside = self.open.last().copied();
            next = match (next, byte) {
                (Next::Value | Next::FirstValue, b'{' | b'[') => {
                    if self.open.len() >= self.depth_limit {
                        return self.error(Problem::TooDeep);
                    }
                    self.open.push(byte);
                    self.at += 1;
                    if byte == b'{' { Next::FirstKey } else { Next::FirstValue }
                }
                (Next::FirstKey | Next::Comma, b'}') if inside == Some(b'{') => self.close(),
                (Next::FirstValue | Next::Comma, b']') if inside == Some(b'[') => self.close(),
                (Next::Value | Next::FirstValue, _) => {
                    self.scalar()?;
                    Next::Comma
                }
                (Next::Key | Next::FirstKey, b'"') => {
                    self.string()?;
                    self.colon()?;
                    Next::Value
                }
                (Next::Comma, b',') => {
                    self.at += 1;
                    if inside == Some(b'{') { Next::Key } else { Next::Value }
                }
                (Next::Key | Next::FirstKey, _) => return self.error(Problem::Expected("a member's name in quotes")),
                (Next::Comma, _) if inside == Some(b'{') => return self.error(Problem::Expected("`,` or `}`")),
                (Next::Comma, _) => return self.error(Problem::Expected("`,` or `]`")),
            };
            if self.open.is_empty() {
                return Ok(());
            }
        }
    }

    fn close(&mut self) -> Next {
        self.open.pop();
        self.at += 1;
        Next::Comma
    }
}

/// What the grammar wants next inside a container.
#[derive(Clone, Copy)]
enum Next {
    Value,
    FirstValue,
    Key,
    FirstKey,
    Comma,
}

/// The text of a string literal, escapes undone; one that spells no text is left as it stands.
pub(super) fn unescaped(source: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', source.as_bytes()).is_none() {
        return Cow::Borrowed(source);
    }
    serde_json::from_str(&format!("\"{source}\"")).map_or(Cow::Borrowed(source), Cow::Owned)
}

fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> Step<Value> {
        Cursor::new(text, 0, 512).value()
    }

    fn whole(text: &str) -> bool {
        let mut cursor = Cursor::new(text, 0, 512);
        cursor.value().is_ok() && cursor.is_at_end()
    }

    #[test]
    fn steps_over_what_is_json() {
        for text in [r#"{"a":[1,-2.5e+3,{}],"b":null,"c":[],"d":"x\"y\\"}"#, " [ ] ", "0", "true", r#""é\u00e9""#, "[[[]],[{}]]"] {
            assert!(whole(text), "{text}");
        }
    }

    #[test]
    fn agrees_with_a_full_parser_on_what_is_not_json() {
        let wrong = [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "[1 2]",
            "[}",
            "{]",
            "01",
            "1.",
            "-",
            "1e",
            "tru",
            "nul",
            "[\"a\nb\"]",
            "\"\\",
            "{,}",
            "[,1]",
            "\0",
            "{\"a\":}",
            "]",
            "\"\u{1}\"",
            "{\"a\"}",
            "[1]]",
        ];
        for text in wrong {
            assert!(!whole(text), "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_early_end_is_told_apart_from_a_mistake() {
        assert_eq!(step("[1,").expect_err("no JSON").problem, Problem::End { in_string: false });
        assert_eq!(step("[\"a").expect_err("no JSON").problem, Problem::End { in_string: true });
        assert_eq!(step("[\"a\\").expect_err("no JSON").problem, Problem::End { in_string: true });
        assert_eq!(step("[1;").expect_err("no JSON"), JsonError { at: 2, problem: Problem::Expected("`,` or `]`") });
    }

    #[test]
    fn nesting_is_limited() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(whole(&deep(512)));
        assert_eq!(step(&deep(513)).expect_err("no JSON").problem, Problem::TooDeep);
        assert_eq!(step(&"{\"a\":".repeat(1_000_000)).expect_err("no JSON").problem, Problem::TooDeep);
    }

    #[test]
    fn members_and_elements_one_by_one() {
        let mut cursor = Cursor::new(r#"{"a\u0062":1,"c":[2,3]} tail"#, 0, 512);
        cursor.enter(b'{').expect("an object");
        let mut first = true;
        assert_eq!(cursor.key(&mut first).expect("JSON").as_deref(), Some("ab"));
        assert_eq!(cursor.value().expect("JSON").kind, Kind::Number);
        assert_eq!(cursor.key(&mut first).expect("JSON").as_deref(), Some("c"));
        cursor.enter(b'[').expect("an array");
        let mut first_element = true;
        let mut elements = 0;
        while cursor.element(&mut first_element).expect("JSON") {
            cursor.value().expect("a number");
            elements += 1;
        }
        assert_eq!((elements, cursor.key(&mut first).expect("JSON")), (2, None));
        assert!(!cursor.is_at_end());
    }
}

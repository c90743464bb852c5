//! Where values begin and end in text that may be JSON in a string of JSON, at any depth.
//!
//! A quote at depth n of nesting has 2ⁿ-1 backslashes before it: `"`, `\"`, `\\\"`. A quote that belongs to the content
//! has more, one that ends an enclosing string has fewer. That is all that has to be known to stay inside a string.

use std::ops::Range;

use super::shapes::escaped_slash;

/// Quotes at one depth of nesting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter {
    quote: u8,
    backslashes: usize,
}

/// What stands between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// `=` without spaces, also percent-encoded.
    Equals,
    /// A colon, an equals sign with spaces around, the space after an option.
    Loose,
}

/// JSON nested deeper than this has a quarter of a million backslashes before each quote.
const MOST_BACKSLASHES: usize = (1 << 18) - 1;

fn backslashes_from(text: &[u8], start: usize) -> usize {
    text[start.min(text.len())..].iter().take(MOST_BACKSLASHES).take_while(|byte| **byte == b'\\').count()
}

impl Delimiter {
    /// The quotes that stand at `start`.
    pub fn at(text: &[u8], start: usize) -> Option<Self> {
        let backslashes = backslashes_from(text, start);
        let quote = *text.get(start + backslashes)?;
        match quote {
            b'"' => Some(Self { quote, backslashes }),
            b'\'' | b'`' if backslashes == 0 => Some(Self { quote, backslashes }),
            _ => None,
        }
    }

    /// Where the text of a string begins that these quotes open at `start`.
    pub fn open(self, text: &[u8], start: usize) -> Option<usize> {
        (Self::at(text, start) == Some(self)).then_some(start + self.len())
    }

    /// Whether these quotes at `start` end a JSON string rather than open one, by what follows them.
    pub fn closes_at(self, text: &[u8], start: usize) -> bool {
        let next = skip_spaces(text, start + self.len());
        text.get(next).is_none_or(|byte| matches!(byte, b',' | b':' | b']' | b'}'))
    }

    /// Whether the string whose text begins at `start` was opened by a quote of this kind.
    pub fn opens_before(self, text: &[u8], start: usize) -> bool {
        start > 0 && text[start - 1] == self.quote
    }

    /// Bytes that it takes.
    pub fn len(self) -> usize {
        self.backslashes + 1
    }

    /// Writes it.
    pub fn write(self, out: &mut String) {
        out.extend(std::iter::repeat_n('\\', self.backslashes));
        out.push(char::from(self.quote));
    }

    /// Where the string ends whose text begins at `start`, before its closing quotes; the end of the text when it was cut.
    pub fn end(self, text: &[u8], start: usize) -> usize {
        self.find_end(text, start).unwrap_or(text.len())
    }

    /// Like [`Self::end`]; `None` when nothing closes it.
    pub fn find_end(self, text: &[u8], start: usize) -> Option<usize> {
        let mut from = start;
        loop {
            let quote = from + memchr::memchr2(self.quote, b'"', text.get(from..)?)?;
            let before = text[start..quote].iter().rev().take(MOST_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
            if text[quote] != self.quote {
                return Some(quote - before); // A double quote ends the JSON string around `'…'`.
            }
            // At depth n, 2ⁿ-1 backslashes and then pairs of escaped ones close the string; fewer close one around it.
            let escaped = before > self.backslashes && (before & (2 * self.backslashes + 1)) != self.backslashes;
            if !escaped {
                return Some(quote - before.min(self.backslashes));
            }
            from = quote + 1;
        }
    }
}

/// Past spaces, also those written as escapes.
pub fn skip_spaces(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let backslashes = backslashes_from(text, at);
        match text.get(at + backslashes) {
            Some(b'n' | b'r' | b't') if backslashes > 0 => at += backslashes + 1,
            _ => break,
        }
    }
    at
}

/// Where the value begins after the name that stands in `name`.
pub fn separator(text: &[u8], name: Range<usize>) -> Option<(usize, Separator)> {
    let spaces = |start: usize| start + text[start.min(text.len())..].iter().take(4).take_while(|byte| **byte == b' ').count();
    let rest = &text[name.end..];
    for encoded in [&b"%3D"[..], b"%3d", b"\\u003d", b"\\u003D"] {
        if rest.starts_with(encoded) {
            return Some((name.end + encoded.len(), Separator::Equals));
        }
    }
    if rest.starts_with(b"=") && !rest.starts_with(b"==") && !rest.starts_with(b"= ") && !rest.starts_with(b"=>") {
        return Some((name.end + 1, Separator::Equals));
    }
    if text[name.start..].starts_with(b"--") && rest.starts_with(b" ") {
        return Some((spaces(name.end), Separator::Loose));
    }
    if name.start > 0 && text[name.start - 1] == b'<' && rest.starts_with(b">") {
        return Some((name.end + 1, Separator::Equals));
    }
    let at = spaces(name.end);
    match (text.get(at)?, text.get(at + 1)) {
        (b'=', Some(b'>')) => Some((spaces(at + 2), Separator::Loose)),
        (b'=', Some(b'=')) => None,
        (b'=' | b':', _) => Some((spaces(at + 1), Separator::Loose)),
        _ => None,
    }
}

/// Where a bare word ends.
pub fn word_end(text: &[u8], start: usize) -> usize {
    run_end(text, start, |byte| {
        byte.is_ascii_whitespace() || matches!(byte, b'&' | b';' | b',' | b'"' | b'\'' | b'`' | b'<' | b'>' | b')' | b']' | b'}')
    })
}

/// Where a line ends, or the string that holds it.
pub fn line_end(text: &[u8], start: usize) -> usize {
    run_end(text, start, |byte| matches!(byte, b'\n' | b'\r' | b'"' | b'\''))
}

fn run_end(text: &[u8], start: usize, ends: impl Fn(u8) -> bool) -> usize {
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        if ends(byte) {
            break;
        }
        if byte != b'\\' {
            at += 1;
            continue;
        }
        let backslashes = backslashes_from(text, at);
        let is_escape = (backslashes & (backslashes + 1)) == 0;
        match text.get(at + backslashes) {
            Some(b'"') => break,
            Some(b'n' | b'r' | b't') if is_escape => break,
            // `\u0026` is an ampersand in the JSON of some writers.
            Some(b'u') if is_escape && text[at + backslashes..].starts_with(b"u0026") => break,
            _ => at += backslashes,
        }
    }
    at
}

/// Where the credentials of an authorization scheme end.
pub fn token_end(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'-') {
            at += 1;
        } else if let Some(after) = escaped_slash(text, at) {
            at = after;
        } else {
            break;
        }
    }
    at
}

/// The part of an Authorization value after its scheme; the whole range when there is none.
pub fn after_scheme(text: &[u8], range: Range<usize>) -> Range<usize> {
    for scheme in [&b"bearer"[..], b"basic", b"token", b"apikey", b"digest"] {
        let end = range.start + scheme.len();
        let named = text.get(range.start..end).is_some_and(|word| word.eq_ignore_ascii_case(scheme)) && text.get(end) == Some(&b' ');
        if named {
            // A bare word ended at the space; inside quotes the range goes on.
            let value = end + 1;
            return value..if range.end > end { range.end } else { word_end(text, value) };
        }
    }
    range
}

/// Where a number ends.
pub fn number_end(text: &[u8], start: usize) -> usize {
    start + text[start..].iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count()
}

/// The password between `user:` and `@host` of an address whose authority begins at `start`.
pub fn password_in_authority(text: &[u8], start: usize) -> Option<Range<usize>> {
    let window = &text[start..text.len().min(start + 1024)];
    let ends = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`');
    let authority = &window[..window.iter().position(|byte| ends(*byte)).unwrap_or(window.len())];
    let at_sign = memchr::memrchr(b'@', authority)?;
    let colon = memchr::memchr(b':', &authority[..at_sign])?;
    Some(start + colon + 1..start + at_sign)
}

/// Where the inside of an armoured key ends: at its last line, at the end of the string that holds it, or with the text.
pub fn armour_end(text: &[u8], start: usize) -> usize {
    let body = &text[start..];
    let mut from = 0;
    while let Some(found) = memchr::memchr2(b'"', b'-', &body[from..]) {
        let at = from + found;
        if body[at] == b'"' || body[at..].starts_with(b"-----END") {
            let escapes = body[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
            return start + at - if body[at] == b'"' { escapes } else { 0 };
        }
        from = at + 1;
    }
    text.len()
}

/// Whether a value only says where the secret is, or is masked already.
pub fn is_reference(value: &[u8]) -> bool {
    let starts: [&[u8]; 8] = [b"$.", b"$$.", b"{%", b"${", b"{{resolve:", b"arn:aws", b"States.", b"****"];
    value == b"$" || starts.iter().any(|start| value.starts_with(start))
}

/// Whether a bare word says that there is no value.
pub fn is_nothing(word: &[u8]) -> bool {
    ["", "null", "none", "undefined", "true", "false", "nil"].iter().any(|nothing| word.eq_ignore_ascii_case(nothing.as_bytes()))
}

/// Whether text is more likely a secret than words of a sentence.
pub fn looks_secret(text: &[u8]) -> bool {
    let one_word = !text.iter().any(u8::is_ascii_whitespace);
    one_word && text.len() >= 6 && (text.len() >= 20 || text.iter().any(u8::is_ascii_digit))
}

//! Masks secrets in what is shown: task tokens, keys, passwords, headers, signed addresses.
//!
//! Works on text without parsing it, since a payload may be JSON, JSON in a string of JSON, a header dump or a stack trace, and may
//! be cut anywhere. One pass of an automaton finds the few places worth a look; text without any is returned as it is.
//!
//! | found by                                      | example                             | shown as                       |
//! |-----------------------------------------------|-------------------------------------|--------------------------------|
//! | the shape of the secret itself ([`shapes`])    | `AKIA…`, `eyJ….….…`, a task token    | `AKIA****`                     |
//! | the name before it ([`names`])                 | `"password":"x"`, `api_key=x`       | `"password":"****"`            |
//! | a pair of name and value                      | `"Name":"DB_PASSWORD","Value":"x"`  | `…,"Value":"****"`             |
//! | an authorization scheme                       | `Bearer x`                          | `Bearer ****`                  |
//! | its place in an address                       | `postgres://user:x@host`            | `postgres://user:****@host`    |
//! | armour                                        | `-----BEGIN PRIVATE KEY-----`       | `…-----****-----END …`         |
//!
//! What stays: references (`$.path`, `{% … %}`, `arn:aws:…`), empty values, `null`, pagination and idempotency tokens. Valid JSON stays
//! valid: a mask replaces the inside of a string, never a quote or a part of an escape.

mod names;
mod shapes;
mod values;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input};

use names::Sensitivity;
use shapes::{SHAPES, Shape};
use values::Delimiter;

const MASK: &str = "****";

/// Masks secrets, or leaves everything as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redactor {
    enabled: bool,
}

/// What a place found by the automaton may be.
#[derive(Clone, Copy)]
enum Trigger {
    /// The name of something secret.
    Name,
    /// The beginning of a secret of a known shape.
    Shape(&'static Shape),
    /// `Bearer ` or `Basic `.
    Scheme,
    /// `://`.
    Address,
    /// `-----BEGIN`.
    Armour,
}

/// A range to be replaced.
struct Mask {
    range: Range<usize>,
    /// Quotes to put around, where a bare JSON number stood.
    quotes: Option<Delimiter>,
}

static TRIGGERS: LazyLock<(AhoCorasick, Vec<Trigger>)> = LazyLock::new(|| {
    let needles = (names::NEEDLES.iter().map(|needle| (*needle, Trigger::Name)))
        .chain(SHAPES.iter().map(|shape| (shape.prefix, Trigger::Shape(shape))))
        .chain([("bearer ", Trigger::Scheme), ("basic ", Trigger::Scheme)])
        .chain([("://", Trigger::Address), (":\\/\\/", Trigger::Address), ("-----BEGIN", Trigger::Armour)]);
    let (needles, triggers): (Vec<_>, Vec<_>) = needles.unzip();
    let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(needles).expect("a few short needles make an automaton");
    (automaton, triggers)
});

impl Redactor {
    /// Masks secrets when `enabled`.
    pub const fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    /// The text with its secrets masked; borrowed when there are none. Linear in the length of the text.
    pub fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.enabled {
            return Cow::Borrowed(text);
        }
        let masks = Scan { text: text.as_bytes(), masks: Vec::new() }.run();
        if masks.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for mask in &masks {
            out.push_str(&text[copied..mask.range.start]);
            match mask.quotes {
                Some(quotes) => {
                    quotes.write(&mut out);
                    out.push_str(MASK);
                    quotes.write(&mut out);
                }
                None => out.push_str(MASK),
            }
            copied = mask.range.end;
        }
        out.push_str(&text[copied..]);
        Cow::Owned(out)
    }
}

struct Scan<'t> {
    text: &'t [u8],
    /// In order, without overlaps.
    masks: Vec<Mask>,
}

impl Scan<'_> {
    fn run(mut self) -> Vec<Mask> {
        let (automaton, triggers) = &*TRIGGERS;
        let mut from = 0;
        while let Some(hit) = automaton.find(Input::new(self.text).range(from..)) {
            let resume = match triggers[hit.pattern().as_usize()] {
                Trigger::Name => self.name(hit.range()),
                Trigger::Shape(shape) => self.shape(shape, hit.start()),
                Trigger::Scheme => self.scheme(hit.end()),
                Trigger::Address => self.address(hit.end()),
                Trigger::Armour => self.armour(hit.end()),
            };
            // A place that is nothing is left behind by at least one byte, so that the scan ends.
            from = resume.unwrap_or(hit.start() + 1).max(hit.start() + 1);
        }
        self.masks
    }

    /// Masks a range and says where to go on. An empty range is nothing to hide.
    fn mask(&mut self, range: Range<usize>) -> usize {
        let end = range.end;
        if !range.is_empty() && !values::is_reference(&self.text[range.clone()]) {
            self.masks.push(Mask { range, quotes: None });
        }
        end
    }

    fn shape(&mut self, shape: &Shape, start: usize) -> Option<usize> {
        let end = shape.end(self.text, start)?;
        Some(self.mask(start + shape.keep..end))
    }

    fn scheme(&mut self, start: usize) -> Option<usize> {
        let end = values::token_end(self.text, start);
        let word = &self.text[start..end];
        // "Basic authentication failed" is a sentence; encoded credentials mix cases or hold digits.
        let mixed = word.iter().any(|byte| byte.is_ascii_digit() || *byte == b'=') || word.iter().skip(1).any(u8::is_ascii_uppercase);
        if word.len() < 6 || !mixed {
            return None;
        }
        Some(self.mask(start..end))
    }

    fn address(&mut self, start: usize) -> Option<usize> {
        let password = values::password_in_authority(self.text, start)?;
        Some(self.mask(password))
    }

    fn armour(&mut self, start: usize) -> Option<usize> {
        let label_end = start + shapes::find(self.text, start..start + 64, b"-----")?;
        let label = &self.text[start..label_end];
        memchr::memmem::find(label, b"PRIVATE KEY")?;
        let body = label_end + 5;
        Some(self.mask(body..values::armour_end(self.text, body)))
    }

    /// A name that may be followed by its value.
    fn name(&mut self, hit: Range<usize>) -> Option<usize> {
        let name = names::identifier(self.text, hit);
        let sensitivity = names::sensitivity(&self.text[name.clone()])?;
        if self.text[name.end..].starts_with(b"$") {
            return None; // `"token.$": …` holds a path to the token.
        }
        match Delimiter::at(self.text, name.end) {
            Some(quotes) => self.quoted_name(name.start, name.end + quotes.len(), quotes, sensitivity),
            None => self.bare_name(name, sensitivity),
        }
    }

    /// After `"password"`: `: value`, or `, "Value": value` when the name is a value itself.
    fn quoted_name(&mut self, name_start: usize, after: usize, quotes: Delimiter, sensitivity: Sensitivity) -> Option<usize> {
        let next = values::skip_spaces(self.text, after);
        match self.text.get(next)? {
            b':' => self.json_value(values::skip_spaces(self.text, next + 1), quotes, sensitivity),
            b',' if quotes.opens_before(self.text, name_start) => {
                let key = values::skip_spaces(self.text, next + 1);
                let key_text = quotes.open(self.text, key)?;
                let key_end = quotes.find_end(self.text, key_text)?;
                if !self.text[key_text..key_end].eq_ignore_ascii_case(b"value") {
                    return None;
                }
                let colon = values::skip_spaces(self.text, key_end + quotes.len());
                (*self.text.get(colon)? == b':').then_some(())?;
                let value = quotes.open(self.text, values::skip_spaces(self.text, colon + 1))?;
                Some(self.mask(value..quotes.end(self.text, value)))
            }
            _ => None,
        }
    }

    fn json_value(&mut self, start: usize, quotes: Delimiter, sensitivity: Sensitivity) -> Option<usize> {
        if sensitivity == Sensitivity::ValueOnly {
            return None;
        }
        if let Some(value) = quotes.open(self.text, start) {
            let end = quotes.end(self.text, value);
            return Some(self.mask(values::after_scheme(self.text, value..end)));
        }
        match self.text.get(start)? {
            b'0'..=b'9' | b'-' => {
                let end = values::number_end(self.text, start);
                self.masks.push(Mask { range: start..end, quotes: Some(quotes) });
                Some(end)
            }
            b'[' => Some(self.strings_within(start, quotes)),
            b'{' if sensitivity == Sensitivity::Strong => Some(self.strings_within(start, quotes)),
            _ => None,
        }
    }

    /// Masks every string of an array or object that is no key.
    fn strings_within(&mut self, start: usize, quotes: Delimiter) -> usize {
        let mut depth = 0_usize;
        let mut at = start;
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                b'"' | b'\\' | b'\'' => {
                    // Another kind of quote ends the string that holds this value.
                    let Some(string) = quotes.open(self.text, at) else { return at };
                    let end = quotes.end(self.text, string);
                    let after = (end + quotes.len()).min(self.text.len());
                    if self.text.get(values::skip_spaces(self.text, after)) != Some(&b':') {
                        self.mask(values::after_scheme(self.text, string..end));
                    }
                    at = after;
                    continue;
                }
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
        at
    }

    /// After `password`: `=value`, `: value`, `="value"`; after `--password`: a space and the value.
    fn bare_name(&mut self, name: Range<usize>, sensitivity: Sensitivity) -> Option<usize> {
        if sensitivity == Sensitivity::ValueOnly {
            return None;
        }
        let (start, separator) = values::separator(self.text, name.clone())?;
        if names::takes_whole_line(&self.text[name]) {
            return Some(self.mask(start..values::line_end(self.text, start)));
        }
        if let Some(quotes) = Delimiter::at(self.text, start) {
            if quotes.closes_at(self.text, start) {
                return None; // `"enter the password:", …`: the string ends here.
            }
            let value = start + quotes.len();
            let range = value..quotes.end(self.text, value);
            let shown = sensitivity == Sensitivity::Weak && !values::looks_secret(&self.text[range.clone()]);
            return if shown { None } else { Some(self.mask(values::after_scheme(self.text, range))) };
        }
        let range = values::after_scheme(self.text, start..values::word_end(self.text, start));
        if range.start > start {
            return Some(self.mask(range));
        }
        let certain = sensitivity == Sensitivity::Strong || separator == values::Separator::Equals;
        let word = &self.text[range.clone()];
        if values::is_nothing(word) || !(certain || values::looks_secret(word)) {
            return None;
        }
        Some(self.mask(range))
    }
}

#[cfg(test)]
mod tests;

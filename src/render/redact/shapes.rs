//! Secrets that are known by how they begin.

use std::ops::Range;

use super::names::ends_an_escape;

/// A prefix and what follows it.
pub struct Shape {
    /// Where it begins, in its own case.
    pub prefix: &'static str,
    /// How many bytes of it may be shown.
    pub keep: usize,
    /// What follows the prefix.
    follows: fn(u8) -> bool,
    /// How much of that has to follow.
    at_least: usize,
    /// How many dots have to be among it.
    dots: usize,
    /// Whether it stands at the beginning of a word only: short prefixes also occur inside encoded data.
    at_word: bool,
}

const fn shape(prefix: &'static str, follows: fn(u8) -> bool, at_least: usize) -> Shape {
    Shape { prefix, keep: prefix.len(), follows, at_least, dots: 0, at_word: true }
}

/// All of them.
pub static SHAPES: &[Shape] = &[
    // Keys of AWS. A long-lived one, a temporary one.
    Shape { at_word: false, ..shape("AKIA", upper, 16) },
    Shape { at_word: false, ..shape("ASIA", upper, 16) },
    // Task tokens of Step Functions.
    shape("AQC", base64, 60),
    shape("AAAAKgAAAA", base64, 40),
    // JSON Web Tokens.
    Shape { dots: 2, ..shape("eyJ", dotted, 20) },
    shape("ghp_", word, 20),
    shape("gho_", word, 20),
    shape("ghu_", word, 20),
    shape("ghs_", word, 20),
    shape("ghr_", word, 20),
    shape("github_pat_", word, 20),
    shape("glpat-", word, 16),
    shape("xoxb-", word, 10),
    shape("xoxp-", word, 10),
    shape("xoxa-", word, 10),
    shape("xoxr-", word, 10),
    shape("xoxs-", word, 10),
    shape("xoxe-", word, 10),
    shape("xapp-", word, 10),
    shape("hooks.slack.com/services/", base64, 20),
    shape("sk_live_", word, 10),
    shape("sk_test_", word, 10),
    shape("rk_live_", word, 10),
    shape("rk_test_", word, 10),
    shape("whsec_", base64, 16),
    shape("sk-ant-", word, 20),
    shape("sk-proj-", word, 20),
    shape("AIza", word, 30),
    shape("ya29.", dotted, 20),
    shape("SG.", dotted, 30),
    shape("hvs.", word, 20),
    shape("npm_", word, 30),
    shape("pypi-", word, 30),
    shape("dckr_pat_", word, 20),
    shape("shpat_", word, 20),
    shape("dop_v1_", word, 30),
];

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn dotted(byte: u8) -> bool {
    word(byte) || byte == b'.'
}

fn base64(byte: u8) -> bool {
    // The percent sign is for tokens in addresses.
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'%')
}

impl Shape {
    /// Where the secret that begins at `start` ends; `None` when there is none.
    pub fn end(&self, text: &[u8], start: usize) -> Option<usize> {
        if !text[start..].starts_with(self.prefix.as_bytes()) || (self.at_word && !begins_word(text, start)) {
            return None;
        }
        let from = start + self.prefix.len();
        let mut end = from;
        let mut dots = 0;
        while let Some(&byte) = text.get(end) {
            if (self.follows)(byte) {
                dots += usize::from(byte == b'.');
                end += 1;
            } else if let Some(after) = escaped_slash(text, end).filter(|_| (self.follows)(b'/')) {
                end = after;
            } else {
                break;
            }
        }
        (end - from >= self.at_least && dots >= self.dots).then_some(end)
    }
}

/// Some JSON writers put backslashes before a slash, one more than doubled at each depth.
pub fn escaped_slash(text: &[u8], start: usize) -> Option<usize> {
    let backslashes = text[start..].iter().take(16).take_while(|byte| **byte == b'\\').count();
    (backslashes > 0 && text.get(start + backslashes) == Some(&b'/')).then_some(start + backslashes + 1)
}

fn begins_word(text: &[u8], start: usize) -> bool {
    start == 0 || !text[start - 1].is_ascii_alphanumeric() || ends_an_escape(text, start)
}

/// Where `needle` begins within a range of the text, counted from the range's start.
pub fn find(text: &[u8], range: Range<usize>, needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(&text[range.start..range.end.min(text.len())], needle)
}

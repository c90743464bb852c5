//! Makes text from outside safe to show: payloads, errors and names may hold escape sequences that move the cursor, rename
//! the window or hide what follows.
//!
//! | characters                                             | in a line | in a block       | in JSON  |
//! |--------------------------------------------------------|-----------|------------------|----------|
//! | line feed; carriage return with one                    | `\n`      | kept; made one   | (is `\n`) |
//! | tab                                                    | `\t`      | four spaces      | (is `\t`) |
//! | other control characters, DEL, C1                      | `\u{1b}`  | `\u{1b}`         | `\u001b` |
//! | marks that reorder text; invisible and format characters | `\u{202e}` | `\u{202e}`     | `\u202e` |

use std::borrow::Cow;
use std::fmt::Write as _;

/// Text for a place within one line.
pub fn line(text: &str) -> Cow<'_, str> {
    replace(text, is_hidden, |character, _, out| match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        other => visible(other, out),
    })
}

/// Text for lines of its own: line ends stay.
pub fn block(text: &str) -> Cow<'_, str> {
    let is_replaced = |character| character != '\n' && is_hidden(character);
    replace(text, is_replaced, |character, next, out| match character {
        '\r' if next == Some('\n') => {}
        '\t' => out.push_str("    "),
        other => visible(other, out),
    })
}

/// JSON text, whose meaning stays the same: what a JSON writer leaves as it is but a terminal may obey is written as `\u….`.
///
/// Only for text that is JSON, where such characters stand in strings alone.
pub fn json(text: &str) -> Cow<'_, str> {
    let is_replaced = |character| !matches!(character, '\n' | '\r' | '\t') && is_hidden(character);
    replace(text, is_replaced, |character, _, out| {
        let mut units = [0; 2];
        for unit in character.encode_utf16(&mut units) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn visible(character: char, out: &mut String) {
    let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
}

/// Replaces characters and copies what lies between them; `write` is given the character and the one after it.
fn replace(text: &str, is_replaced: impl Fn(char) -> bool, mut write: impl FnMut(char, Option<char>, &mut String)) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    // Most text is printable ASCII: it is passed over without looking at characters.
    while let Some(offset) = text.as_bytes()[at..].iter().position(|byte| !matches!(byte, b' '..=b'~')) {
        let start = at + offset;
        let mut rest = text[start..].chars();
        let Some(character) = rest.next() else { break };
        at = start + character.len_utf8();
        if is_replaced(character) {
            out.push_str(&text[copied..start]);
            write(character, rest.next(), &mut out);
            copied = at;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Control characters, and those of Unicode's category Cf and its like that show nothing of their own.
pub fn is_hidden(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    matches!(character,
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_of_any_script_is_untouched() {
        for text in ["Charge card", "L'été 状态 🚚", ""] {
            assert!(matches!(line(text), Cow::Borrowed(shown) if shown == text));
        }
    }

    #[test]
    fn escape_sequences_become_visible() {
        assert_eq!(line("\u{1b}[2J\u{1b}]0;owned\u{7}"), "\\u{1b}[2J\\u{1b}]0;owned\\u{7}");
        assert_eq!(line("\u{9b}31m\u{7f}"), "\\u{9b}31m\\u{7f}");
    }

    #[test]
    fn marks_that_reorder_or_hide_become_visible() {
        assert_eq!(line("a\u{202e}b\u{2066}c\u{200b}d\u{feff}"), "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}");
        assert_eq!(line("\u{e0041}"), "\\u{e0041}");
    }

    #[test]
    fn line_ends_stay_in_blocks_only() {
        assert_eq!(line("a\r\nb\tc"), "a\\r\\nb\\tc");
        assert_eq!(block("a\r\nb\tc\rd"), "a\nb    c\\u{d}d");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text = "{\n  \"a\": \"\u{202e}\u{9b}\u{e0041}ü\"\n}";
        let shown = json(text);
        assert_eq!(shown, "{\n  \"a\": \"\\u202e\\u009b\\udb40\\udc41ü\"\n}");
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(parse(&shown), parse(text));
    }
}

//! Messages with everything taken out that differs from one execution to the next.
//!
//! A template has two forms. It is shown with a mark for each kind of value: `cart <id> has no price`. It is compared with one mark
//! for all of them, since the same place may hold `12345678` in one execution and `b0fb553a` in the next. Values that stand in a list
//! are one value, however many there are.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::lexer::{Token, tokens};
use super::values::Mark;

/// How much of a message is looked at, in bytes.
const LONGEST: usize = 8192;

/// How many words, signs and values of a message are kept.
const MOST_TOKENS: usize = 400;

/// How deep and how many members of a JSON document are looked at.
const DEEPEST: usize = 6;
const MOST_MEMBERS: usize = 64;

/// What stands for any value where templates are compared.
pub const ANY: &str = "<*>";

/// A message without its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    shown: String,
    canonical: String,
}

impl Template {
    /// For a person, with the kinds of values: `cart <id> has no price`. Empty for no message.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// For comparing: `cart <*> has no price`.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The same with one more value taken out: the word in this place, counted in words of the canonical form.
    #[must_use]
    pub fn without_word(&self, place: usize) -> Self {
        let replaced = |text: &str, with: &str| {
            let words: Vec<&str> = text.split(' ').enumerate().map(|(at, word)| if at == place { with } else { word }).collect();
            words.join(" ")
        };
        // Both have the same words: only marks differ.
        Self { shown: replaced(&self.shown, Mark::Word.text()), canonical: replaced(&self.canonical, ANY) }
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown.serialize(serializer)
    }
}

/// What quoted text is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// A value: `user 'alice' does not exist`.
    Values,
    /// A name, if it looks like one: `KeyError: 'taxRegion'`, and whatever the States service quotes from a definition.
    Names,
}

impl Names {
    /// As far as the names of the errors tell.
    pub fn of(error: Option<&str>, inner: Option<&str>) -> Self {
        /// Errors of programs, whose messages quote names from the program.
        const OF_PROGRAMS: [&str; 19] = [
            "KeyError",
            "AttributeError",
            "NameError",
            "UnboundLocalError",
            "ImportError",
            "ImportModuleError",
            "ModuleNotFoundError",
            "TypeError",
            "ReferenceError",
            "SyntaxError",
            "HandlerNotFound",
            "NoSuchMethodError",
            "NoSuchFieldError",
            "ClassNotFoundException",
            "NoClassDefFoundError",
            "NullPointerException",
            "ClassCastException",
            "MissingMethodException",
            "InvalidCastException",
        ];
        let is_of_program = |error: &str| OF_PROGRAMS.iter().any(|known| error.ends_with(known));
        let is_of_service = |error: &str| error.starts_with("States.") && error != "States.TaskFailed";
        let tells = |error: Option<&str>| error.is_some_and(|error| is_of_program(error) || is_of_service(error));
        if tells(inner) || (inner.is_none() && tells(error)) { Self::Names } else { Self::Values }
    }
}

/// A message without its values.
pub(super) fn message(text: &str, names: Names) -> Template {
    let text = text.trim();
    let end = (LONGEST.min(text.len())..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
    let mut tokens = tokens(&text[..end], names == Names::Names, MOST_TOKENS);
    name_days(&mut tokens);
    assemble(&tokens)
}

/// A name without the ids in it: `OrderNotFound-8812437` is the same error as `OrderNotFound-8812438`, but `StatusCode.404` is not
/// `StatusCode.500`.
pub(super) fn name(text: &str) -> String {
    let has_id = |part: &str| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        digits >= 5 || (part.len() >= 8 && digits > 0 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    if text.len() <= 256 && !text.split(|c: char| !c.is_alphanumeric()).any(has_id) {
        return text.to_owned();
    }
    message(text, Names::Values).canonical
}

/// A cause that is JSON of no form that is known, by its members; any other text as a message.
pub(super) fn document(text: &str, names: Names) -> Template {
    let parsed = if text.len() <= LONGEST * 4 { serde_json::from_str::<Value>(text).ok() } else { None };
    match parsed {
        Some(value @ (Value::Object(_) | Value::Array(_))) => {
            let mut found = Template::default();
            write(&value, names, DEEPEST, &mut found);
            found
        }
        _ => message(text, names),
    }
}

/// Members in the order of their names, so that it does not matter in which order they were written.
fn write(value: &Value, names: Names, depth: usize, found: &mut Template) {
    let mut both = |text: &str| {
        found.shown.push_str(text);
        found.canonical.push_str(text);
    };
    match value {
        Value::Object(_) | Value::Array(_) if depth == 0 => {
            found.shown.push_str(Mark::Json.text());
            found.canonical.push_str(ANY);
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            both("{");
            for (position, (member, value)) in members.into_iter().take(MOST_MEMBERS).enumerate() {
                let before = if position > 0 { ", " } else { "" };
                let label = message(member, Names::Values);
                found.shown.extend([before, label.shown(), ": "]);
                found.canonical.extend([before, label.canonical(), ": "]);
                write(value, names, depth - 1, found);
            }
            found.shown.push('}');
            found.canonical.push('}');
        }
        // Lists differ in length from one execution to the next.
        Value::Array(items) => match items.first() {
            Some(first) => write(first, names, depth - 1, found),
            None => both("[]"),
        },
        Value::String(text) => {
            let text = message(text, names);
            found.shown.push_str(text.shown());
            found.canonical.push_str(text.canonical());
        }
        Value::Number(_) => {
            found.shown.push_str(Mark::Number.text());
            found.canonical.push_str(ANY);
        }
        Value::Bool(_) | Value::Null => both(&value.to_string()),
    }
}

/// The names of days and months beside a date or a number, and the zone after it, belong to the time.
fn name_days(tokens: &mut [Token<'_>]) {
    const NAMES: [&str; 19] = [
        "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let is_name = |word: &str| {
        let lower = word.to_lowercase();
        lower.ends_with("day") && NAMES[..7].iter().any(|name| lower.starts_with(name))
            || NAMES.contains(&lower.as_str())
            || matches!(lower.as_str(), "january" | "february" | "march" | "april" | "june" | "july" | "august")
            || matches!(lower.as_str(), "september" | "october" | "november" | "december")
    };
    let is_space = |token: &Token<'_>| matches!(token, Token::Space | Token::Text(","));
    for at in 0..tokens.len() {
        let Token::Text(word) = tokens[at] else { continue };
        let before = tokens[..at].iter().rev().find(|token| !is_space(token));
        let after = tokens[at + 1..].iter().find(|token| !is_space(token));
        let is_value = |token: Option<&Token<'_>>| matches!(token, Some(Token::Mark(Mark::Time | Mark::Number)));
        let is_zone = matches!(word, "UTC" | "GMT" | "AM" | "PM" | "CET" | "CEST" | "EST" | "EDT" | "PST" | "PDT");
        let named = is_name(word) && (is_value(before) || is_value(after) || matches!(after, Some(Token::Text(next)) if is_name(next)));
        if named {
            let neighbour = |place: Option<usize>| place.filter(|place| matches!(tokens[*place], Token::Mark(Mark::Number)));
            let before = neighbour(tokens[..at].iter().rposition(|token| !is_space(token)));
            let after = neighbour(tokens[at + 1..].iter().position(|token| !is_space(token)).map(|offset| at + 1 + offset));
            for place in [before, Some(at), after].into_iter().flatten() {
                tokens[place] = Token::Mark(Mark::Time);
            }
        } else if is_zone && matches!(before, Some(Token::Mark(Mark::Time))) {
            tokens[at] = Token::Mark(Mark::Time);
        }
    }
}

/// Puts the parts together; values that follow each other with nothing but spaces and commas between them become one.
fn assemble(tokens: &[Token<'_>]) -> Template {
    let mut found = Template::default();
    let mut last: Option<Mark> = None;
    // What stands between the last value and the next, if that may be left out.
    let mut between = String::new();
    let mut in_list = false;
    for token in tokens {
        match *token {
            Token::Space => between.push(' '),
            Token::Text(sign @ ("," | ";")) if last.is_some() => between.push_str(sign),
            Token::Text("and" | "or" | "&") if last.is_some() && (in_list || between.contains(',')) => between.push('&'),
            Token::Text(text) => {
                found.space(&between);
                between.clear();
                found.shown.push_str(text);
                found.canonical.push_str(text);
                last = None;
                in_list = false;
            }
            Token::Mark(mark) => {
                let is_list = between.contains([',', ';', '&']) || (between.contains(' ') && last == Some(mark));
                if last.is_some() && (is_list || between.is_empty()) {
                    in_list |= is_list;
                    between.clear();
                    continue;
                }
                found.space(&between);
                between.clear();
                found.shown.push_str(mark.text());
                found.canonical.push_str(ANY);
                last = Some(mark);
            }
        }
    }
    found.space(between.trim_end());
    found
}

impl Template {
    /// What stood between a value and what follows; an `and` that was left open is one again.
    fn space(&mut self, between: &str) {
        let mut text = String::new();
        for character in between.chars() {
            match character {
                ' ' if text.ends_with(' ') => {}
                '&' => text.push_str("and"),
                other => text.push(other),
            }
        }
        let at_start = self.canonical.is_empty();
        let text = if at_start { text.trim_start() } else { &text };
        self.shown.push_str(text);
        self.canonical.push_str(text);
    }
}

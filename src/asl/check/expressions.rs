//! Paths, intrinsic functions, JSONata, and payload templates.

use super::super::machine::QueryLanguage;
use super::super::source::{Content, Member};
use super::spot::Spot;
use super::{Checker, Code};
use crate::expr::{Jsonata, PathExpression, ReferencePath, references};

/// The deepest nesting of intrinsic functions is the parser's matter; these are the ones whose value is a text.
const TEXT_FUNCTIONS: [&str; 7] = [
    "States.Format",
    "States.JsonToString",
    "States.ArrayGetItem",
    "States.Base64Encode",
    "States.Base64Decode",
    "States.Hash",
    "States.UUID",
];

/// The longest quotation in a message, in characters.
const LONGEST_QUOTE: usize = 200;

/// What expressions of a field are written in, and what they can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) language: QueryLanguage,
    /// Whether there is a `$states.result`.
    pub(super) result: bool,
    /// Whether there is a `$states.errorOutput`.
    pub(super) error_output: bool,
}

impl Sight {
    /// Input and context only.
    pub(super) fn plain(language: QueryLanguage) -> Self {
        Self { language, result: false, error_output: false }
    }
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Input,
    Context,
    Variable,
    Function,
}

/// Where a path begins, and the length of what names that.
fn root_of(path: &str) -> Option<(Root, usize)> {
    if path.starts_with("States.") {
        return Some((Root::Function, 0));
    }
    if let Some(rest) = path.strip_prefix("$$") {
        return (rest.is_empty() || rest.starts_with(['.', '['])).then_some((Root::Context, 2));
    }
    let rest = path.strip_prefix('$')?;
    let name = rest.find(['.', '[']).unwrap_or(rest.len());
    match rest[..name].chars().next() {
        None => Some((Root::Input, 1)),
        Some(first) if first.is_alphabetic() || first == '_' => Some((Root::Variable, 1 + name)),
        Some(_) => None,
    }
}

/// Whether a text is a path or a call of an intrinsic function.
fn parses(text: &str) -> bool {
    root_of(text).is_some() && PathExpression::parse(text).is_ok()
}

/// Whether a text is written as JSONata: `{% … %}` from end to end.
pub(super) fn is_query(text: &str) -> bool {
    text.len() >= 4 && text.starts_with("{%") && text.ends_with("%}")
}

/// As much of a text as a message quotes.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The message of a JSONata error without its code, such as `S0202: `: the service leaves it out.
fn without_code(message: &str) -> &str {
    match message.split_once(": ") {
        Some((code, rest))
            if code.len() == 5 && code.starts_with(['S', 'D', 'T', 'U']) && code[1..].bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            rest
        }
        _ => message,
    }
}

impl<'s> Checker<'s> {
    /// The text of a field that holds a path; an error where it is something else.
    fn path_text(&mut self, spot: &Spot<'_, 's>) -> Option<&'s str> {
        let text = spot.node.as_str();
        if text.is_none() {
            self.error(spot, format!("Value is not a valid JSONPath: expected String, and this is {}", spot.node.kind()));
        }
        text
    }

    /// A path; no intrinsic function.
    pub(super) fn path(&mut self, spot: &Spot<'_, 's>) {
        let Some(text) = self.path_text(spot) else { return };
        let is_function = root_of(text).is_some_and(|(root, _)| root == Root::Function);
        if !parses(text) || is_function {
            self.error(spot, format!("Value is not a valid JSONPath: '{}'", quoted(text)));
        }
    }

    /// A path to one place in the input, the context object or a variable.
    pub(super) fn reference(&mut self, spot: &Spot<'_, 's>) {
        let Some(text) = self.path_text(spot) else { return };
        let names_one_place = match root_of(text) {
            None | Some((Root::Function, _)) => false,
            Some((_, length)) => parses(text) && ReferencePath::parse(&format!("${}", &text[length..])).is_ok(),
        };
        if !names_one_place {
            self.error(spot, format!("Value is not a Reference Path: '{}'", quoted(text)));
        }
    }

    /// Where a result goes: one place in the input.
    pub(super) fn target(&mut self, spot: &Spot<'_, 's>) {
        let Some(text) = self.path_text(spot) else { return };
        let into_input = root_of(text).is_some_and(|(root, _)| root == Root::Input);
        if !into_input || ReferencePath::parse(text).is_err() {
            self.error(spot, format!("Value is not a Reference Path: '{}'", quoted(text)));
        }
    }

    /// `ErrorPath` or `CausePath`.
    pub(super) fn message_path(&mut self, spot: &Spot<'_, 's>) {
        let Some(text) = self.path_text(spot) else { return };
        let is_other_function = text.starts_with("States.") && !TEXT_FUNCTIONS.contains(&text.split('(').next().unwrap_or_default().trim());
        if !parses(text) || is_other_function {
            let message = format!("The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call", spot.name());
            self.error(spot, message);
        }
    }

    /// A payload template.
    pub(super) fn template(&mut self, spot: &Spot<'_, 's>, sight: Sight) {
        match &spot.node.content {
            Content::Text(_) if sight.language == QueryLanguage::Jsonata => self.query(spot, sight),
            Content::Array(_) => {
                for item in spot.items() {
                    self.template(&item, sight);
                }
            }
            Content::Object(members) => {
                for member in members {
                    match sight.language {
                        QueryLanguage::JsonPath => self.template_member(spot, member, sight),
                        QueryLanguage::Jsonata => self.template(&spot.of(member), sight),
                    }
                }
            }
            _ => {}
        }
    }

    fn template_member(&mut self, object: &Spot<'_, 's>, member: &'s Member, sight: Sight) {
        let text = member.value.as_str();
        if !member.name.ends_with(".$") {
            if text.is_some_and(|text| (text.starts_with("$.") || text.starts_with("$$.") || text.starts_with("States.")) && parses(text)) {
                let message = format!(
                    "The value of '{0}' looks like a JSONPath or intrinsic function; it is taken as it stands unless the field is named '{0}.$'",
                    member.name
                );
                self.say(Code::NoDollar, &object.of(member), message);
            }
            return self.template(&object.of(member), sight);
        }
        if !text.is_some_and(parses) && !member.value.is_substitution() {
            let message = format!("The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call", member.name);
            self.error(&object.marking(member.value.span), message);
        }
    }

    /// A text of a JSONata state that may be an expression.
    pub(super) fn query(&mut self, spot: &Spot<'_, 's>, sight: Sight) {
        let Some(text) = spot.node.as_str() else { return };
        if !is_query(text) {
            if text.starts_with("{%") || text.ends_with("%}") {
                self.say(
                    Code::InvalidJsonataExpression,
                    spot,
                    "A JSONata expression begins with '{%' and ends with '%}', and nothing stands around them",
                );
            }
            return;
        }
        let expression = text[2..text.len() - 2].trim();
        let found = match Jsonata::parse(expression).and_then(|_| references(expression)) {
            Ok(found) => found,
            Err(_) if spot.node.is_substitution() => return,
            Err(error) => return self.say(Code::InvalidJsonataExpression, spot, without_code(&error.message)),
        };
        for name in &found.top_level {
            self.say(Code::UnsupportedJsonataExpression, spot, format!("Reference to '{name}' at the top level is not supported."));
        }
        if found.root {
            self.say(Code::UnsupportedJsonataExpression, spot, "Reference to '$$' is not supported.");
        }
        for (member, is_there) in [("result", sight.result), ("errorOutput", sight.error_output)] {
            if !is_there && found.of_states.contains(member) {
                self.say(
                    Code::UnsupportedJsonataExpression,
                    spot,
                    format!("Reference to '$states.{member}' is not supported in this field."),
                );
            }
        }
    }
}

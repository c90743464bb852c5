//! Values of fields, by their kind.

use super::super::machine::QueryLanguage;
use super::super::source::{Content, Node};
use super::expressions::{Sight, is_query};
use super::fields::Shape;
use super::spot::Spot;
use super::{Checker, Code};

impl<'s> Checker<'s> {
    /// Whether a value is of the kind that its field holds. What is substituted later may be of any kind.
    pub(super) fn shape(&mut self, spot: &Spot<'_, 's>, shape: Shape, sight: Sight) {
        let is_expression = matches!(shape, Shape::Template | Shape::ObjectTemplate | Shape::Own | Shape::Data | Shape::Items);
        if !is_expression && spot.node.is_substitution() && !spot.node.as_str().is_some_and(|text| text.contains("{%")) {
            return;
        }
        if may_be_query(shape) && sight.language == QueryLanguage::Jsonata && spot.node.as_str().is_some_and(is_query) {
            self.query(spot, sight);
            return;
        }
        match shape {
            Shape::Own => {}
            Shape::Data => self.static_result(spot),
            Shape::Text => self.kind(spot, spot.node.as_str().is_some(), "String"),
            Shape::Boolean | Shape::Condition => self.kind(spot, matches!(spot.node.content, Content::Boolean(_)), "Boolean"),
            Shape::Object => self.kind(spot, spot.node.is_object(), "Object"),
            Shape::Array => self.kind(spot, matches!(spot.node.content, Content::Array(_)), "Array"),
            Shape::Integer(from, to) | Shape::Count(from, to) => self.integer(spot, from, to),
            Shape::Share(from, to) => self.number(spot, from, to),
            Shape::Rate => self.number(spot, 1.0, f64::MAX),
            Shape::OneOf(values) => self.one_of(spot, values),
            Shape::Message => self.message(spot, sight),
            Shape::Timestamp => self.timestamp(spot),
            Shape::Items => self.items(spot, sight),
            Shape::Selection | Shape::Target if spot.node.content == Content::Null => {}
            Shape::Selection | Shape::Path => self.path(spot),
            Shape::Reference => self.reference(spot),
            Shape::Target => self.target(spot),
            Shape::MessagePath => self.message_path(spot),
            Shape::Template => self.template(spot, sight),
            Shape::ObjectTemplate => {
                let is_query = sight.language == QueryLanguage::Jsonata && spot.node.as_str().is_some_and(is_query);
                if !is_query && !spot.node.is_substitution() {
                    self.kind(spot, spot.node.is_object(), "Object");
                }
                self.template(spot, sight);
            }
        }
    }

    fn kind(&mut self, spot: &Spot<'_, 's>, fits: bool, wanted: &str) {
        if !fits {
            self.error(spot, format!("Expected value of type {wanted}, and this is {}", spot.node.kind()));
        }
    }

    fn integer(&mut self, spot: &Spot<'_, 's>, from: u64, to: u64) {
        let Content::Number(text) = &spot.node.content else { return self.kind(spot, false, "Integer") };
        if text.contains(['.', 'e', 'E']) {
            return self.error(spot, format!("Expected value of type Integer, and this is {text}"));
        }
        let fits = text.parse::<u64>().is_ok_and(|number| (from..=to).contains(&number));
        if !fits {
            self.error(spot, range(spot.name(), text, &from.to_string(), &to.to_string(), to >= i32::MAX as u64));
        }
    }

    fn number(&mut self, spot: &Spot<'_, 's>, from: f64, to: f64) {
        let Content::Number(text) = &spot.node.content else { return self.kind(spot, false, "Number") };
        let fits = text.parse::<f64>().is_ok_and(|number| (from..=to).contains(&number));
        if !fits {
            self.error(spot, range(spot.name(), text, &from.to_string(), &to.to_string(), to > 1e9));
        }
    }

    /// One of a few words.
    pub(super) fn one_of(&mut self, spot: &Spot<'_, 's>, values: &[&str]) {
        if !spot.node.as_str().is_some_and(|text| values.contains(&text)) {
            self.error(spot, format!("The field '{}' should have one of these values: [{}]", spot.name(), values.join(", ")));
        }
    }

    /// `Error` or `Cause`: a text; in JSONata an expression or a text.
    fn message(&mut self, spot: &Spot<'_, 's>, sight: Sight) {
        match spot.node.as_str() {
            Some(text) if sight.language == QueryLanguage::Jsonata && text.contains("{%") => self.query(spot, sight),
            Some(text) if is_plain_path(text) => {
                let message = format!("Field value looks like a path, but the field name does not end with 'Path': {}", spot.name());
                self.say(Code::NoPath, spot, message);
            }
            Some(_) => {}
            None => self.kind(spot, false, "String"),
        }
    }

    pub(super) fn timestamp(&mut self, spot: &Spot<'_, 's>) {
        match spot.node.as_str() {
            Some(text) if is_rfc3339(text) => {}
            _ => self.error(spot, "String does not match RFC3339 timestamp"),
        }
    }

    /// `Items` of JSONata: an array or object, or an expression that gives one.
    fn items(&mut self, spot: &Spot<'_, 's>, sight: Sight) {
        match &spot.node.content {
            Content::Array(_) | Content::Object(_) => self.template(spot, sight),
            _ if spot.node.is_substitution() => {}
            _ => self.kind(spot, false, "Array"),
        }
    }

    /// `Result` of a Pass state is data: a path in it is never followed.
    fn static_result(&mut self, spot: &Spot<'_, 's>) {
        let looks_dynamic = |node: &Node| node.as_str().is_some_and(is_plain_path);
        let is_path = looks_dynamic(spot.node)
            || spot.node.members().iter().any(|member| member.name.ends_with(".$") && looks_dynamic(&member.value));
        if is_path {
            self.say(Code::PassResultIsStatic, spot, "Result is static: a path in it is not followed; use Parameters instead");
        }
    }
}

fn may_be_query(shape: Shape) -> bool {
    matches!(
        shape,
        Shape::Count(..) | Shape::Share(..) | Shape::Message | Shape::Timestamp | Shape::Condition | Shape::Items | Shape::Template
    )
}

/// Whether a text that stands for itself is written like a path.
fn is_plain_path(text: &str) -> bool {
    text.starts_with("$.") || text.starts_with("$$.") || text.starts_with("$[")
}

fn range(name: &str, found: &str, from: &str, to: &str, open: bool) -> String {
    if open {
        format!("The value of '{name}' must be at least {from}, and this is {found}")
    } else {
        format!("The value of '{name}' must be from {from} to {to}, and this is {found}")
    }
}

/// `2016-03-14T01:59:00Z`: RFC 3339, with capital `T` and `Z`.
fn is_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    let well_cut = bytes.len() >= 20 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T' && bytes[13] == b':' && bytes[16] == b':';
    let zone = text.get(19..).unwrap_or_default().trim_start_matches(|character: char| character == '.' || character.is_ascii_digit());
    let has_zone = zone == "Z" || (zone.len() == 6 && zone.starts_with(['+', '-']) && zone.as_bytes()[3] == b':');
    well_cut && has_zone && text.parse::<jiff::Timestamp>().is_ok()
}

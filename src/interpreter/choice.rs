//! Which rule of a Choice holds.
//!
//! Values of different types are not comparable, which makes a rule false and is no error. A `Variable` that is not there is an error
//! to all but `IsPresent`. `And` and `Or` look no further once they know.

use crate::asl::machine::{ChoiceRule, Comparison, Condition, Operand, Order};
use crate::expr::{EvaluationError, PathExpression, Scope, Value};

use super::{moment, settings};

/// The cause when no rule holds and there is no default.
pub const NO_CHOICE: &str = "Failed to transition out of the state. The state does not point to a next state.";

/// Position of the first rule that holds. `scope.input` is the effective input.
pub fn first(rules: &[ChoiceRule], scope: Scope<'_>) -> Result<Option<usize>, EvaluationError> {
    for (position, rule) in rules.iter().enumerate() {
        if holds(&rule.condition, position, scope)? {
            return Ok(Some(position));
        }
    }
    Ok(None)
}

/// Whether a condition of rule number `position` holds. Nesting is as deep as a definition can be, 128 levels.
pub fn holds(condition: &Condition, position: usize, scope: Scope<'_>) -> Result<bool, EvaluationError> {
    match condition {
        Condition::And(conditions) => all(conditions, position, scope),
        Condition::Or(conditions) => {
            for condition in conditions {
                if holds(condition, position, scope)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Condition::Not(condition) => Ok(!holds(condition, position, scope)?),
        Condition::Compare { variable, comparison } => compare(variable, comparison, scope),
        Condition::Literal(truth) => Ok(*truth),
        Condition::Query(query) => {
            let field = format!("Choices[{position}]/Condition");
            let value = query.evaluate(scope, &field)?;
            value.as_bool().ok_or_else(|| settings::unexpected_type(query.text(), &field, "boolean", &value))
        }
    }
}

fn all(conditions: &[Condition], position: usize, scope: Scope<'_>) -> Result<bool, EvaluationError> {
    for condition in conditions {
        if !holds(condition, position, scope)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn compare(variable: &PathExpression, comparison: &Comparison, scope: Scope<'_>) -> Result<bool, EvaluationError> {
    let found = variable.find(scope)?;
    if let Comparison::IsPresent(wanted) = comparison {
        return Ok(found.is_some() == *wanted);
    }
    let Some(value) = found else {
        return Err(EvaluationError::runtime(format!(
            "Invalid path '{}': The choice state's condition path references an invalid value.",
            variable.text()
        )));
    };
    Ok(match comparison {
        Comparison::String(order, operand) => {
            with(operand, scope, |other| Some(order.holds(compare_text(value.as_str()?, other.as_str()?))))?
        }
        Comparison::Numeric(order, operand) => with(operand, scope, |other| compare_numbers(&value, other, *order))?,
        Comparison::Timestamp(order, operand) => {
            with(operand, scope, |other| Some(order.holds(moment::parse(value.as_str()?)?.cmp(&moment::parse(other.as_str()?)?))))?
        }
        Comparison::Boolean(operand) => with(operand, scope, |other| Some(value.as_bool()? == other.as_bool()?))?,
        Comparison::StringMatches(pattern) => value.as_str().is_some_and(|text| matches(pattern, text)),
        Comparison::IsNull(wanted) => (value == Value::Null) == *wanted,
        Comparison::IsString(wanted) => value.as_str().is_some() == *wanted,
        Comparison::IsNumeric(wanted) => value.as_number().is_some() == *wanted,
        Comparison::IsBoolean(wanted) => value.as_bool().is_some() == *wanted,
        Comparison::IsTimestamp(wanted) => value.as_str().and_then(moment::parse).is_some() == *wanted,
        // Answered above, where there is no value; here there is one.
        Comparison::IsPresent(wanted) => *wanted,
    })
}

/// What `test` says of the right side; false where the types do not fit.
fn with(operand: &Operand, scope: Scope<'_>, test: impl FnOnce(&Value) -> Option<bool>) -> Result<bool, EvaluationError> {
    match operand {
        Operand::Literal(value) => Ok(test(value).unwrap_or(false)),
        Operand::Path(path) => Ok(test(&path.evaluate(scope)?).unwrap_or(false)),
    }
}

/// As doubles, which is what the service compares: integers above 2^53 may be equal to their neighbours.
fn compare_numbers(one: &Value, other: &Value, order: Order) -> Option<bool> {
    Some(order.holds(one.as_number()?.as_f64().partial_cmp(&other.as_number()?.as_f64())?))
}

/// As Java compares strings: by UTF-16 code units.
fn compare_text(one: &str, other: &str) -> std::cmp::Ordering {
    if one.is_ascii() && other.is_ascii() { one.cmp(other) } else { one.encode_utf16().cmp(other.encode_utf16()) }
}

impl Order {
    fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equals => ordering.is_eq(),
            Self::LessThan => ordering.is_lt(),
            Self::GreaterThan => ordering.is_gt(),
            Self::LessThanEquals => ordering.is_le(),
            Self::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

/// `StringMatches`: `*` stands for any text, `\*` for an asterisk, `\\` for a backslash. Linear in both lengths: the texts between the
/// stars are looked for one after the other, each where it stands first.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pieces = pieces(pattern);
    let (first, rest) = pieces.split_first().expect("a pattern has one piece more than stars");
    let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
    let Some((last, between)) = rest.split_last() else { return text.is_empty() };
    for piece in between {
        match text.find(piece.as_str()) {
            Some(at) => text = &text[at + piece.len()..],
            None => return false,
        }
    }
    text.ends_with(last.as_str())
}

/// The texts before, between and after the stars of a pattern.
fn pieces(pattern: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let literal = match character {
            '*' => {
                pieces.push(String::new());
                continue;
            }
            '\\' => characters.next_if(|next| matches!(next, '*' | '\\')).unwrap_or('\\'),
            other => other,
        };
        pieces.last_mut().expect("never empty").push(literal);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_unless_it_is_escaped() {
        for (pattern, text, wanted) in [
            ("log-*.txt", "log-.txt", true),
            ("log-*.txt", "log-1.txt.gz", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            (r"a\\*", r"a\anything", true),
            ("*a*b*c", "xxaxxbxxbxc", true),
            ("*a*b*c", "xxaxxbxxbx", false),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        assert!(!matches(&"*a".repeat(2_000), &"a".repeat(1_999)));
    }

    #[test]
    fn numbers_are_compared_as_doubles() {
        let equal = |one: Value, other: Value| compare_numbers(&one, &other, Order::Equals);
        assert_eq!(equal(9_007_199_254_740_993_i64.into(), 9_007_199_254_740_992_i64.into()), Some(true));
        assert_eq!((equal(0.into(), 0.0.into()), equal(1.into(), "1".into())), (Some(true), None));
    }

    #[test]
    fn strings_are_ordered_by_utf_16_units() {
        // U+FF5E is after U+1F600 in UTF-16, whose surrogates begin with D8.
        assert!(compare_text("\u{ff5e}", "\u{1f600}").is_gt());
    }
}

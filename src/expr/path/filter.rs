//! The conditions in `[?(…)]`, as Jayway's JsonPath reads and evaluates them.
//!
//! | left and right               | `==`                     | `<` and its like | `in`, `nin`, `contains`, `=~` …        |
//! |------------------------------|--------------------------|------------------|----------------------------------------|
//! | number and number            | by value                 | by value         |                                        |
//! | string and string            | by text                  | by text          | `contains`: is a part; `=~`: all of it |
//! | number and string            | by value, or as text     | false            |                                        |
//! | a path to nothing and any    | false (`!=` is true)     | false            | false (`nin` is true)                  |
//! | others                       | equal JSON               | false            | lists are looked through with `==`     |

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use super::parse::{Ending, quoted, steps};
use super::select::{Budget, JsonPath, Miss};
use crate::expr::cursor::Cursor;
use crate::expr::{Number, SyntaxError, Value};

/// How large a compiled pattern may be.
const PATTERN_BYTES: usize = 1 << 20;

/// A condition on an item.
#[derive(Debug)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// The path finds something, be it `null` or `false`.
    Exists(Term),
    Compare {
        left: Term,
        operator: Operator,
        right: Term,
    },
}

/// One side of a comparison.
#[derive(Debug)]
pub(super) enum Term {
    /// `@…`: from the item.
    Item(JsonPath),
    /// `$…`: from the whole document.
    Document(JsonPath),
    Literal(Value),
    Pattern(Regex),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equals,
    NotEquals,
    EqualsInType,
    NotEqualsInType,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    Contains,
    All,
    AnyOf,
    NoneOf,
    SubsetOf,
    Size,
    Empty,
}

/// Operators as they are written; longer ones before those that they begin with.
const OPERATORS: [(&str, Operator); 18] = [
    ("===", Operator::EqualsInType),
    ("!==", Operator::NotEqualsInType),
    ("==", Operator::Equals),
    ("!=", Operator::NotEquals),
    ("=~", Operator::Matches),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("in", Operator::In),
    ("nin", Operator::NotIn),
    ("contains", Operator::Contains),
    ("all", Operator::All),
    ("anyof", Operator::AnyOf),
    ("noneof", Operator::NoneOf),
    ("subsetof", Operator::SubsetOf),
    ("size", Operator::Size),
    ("empty", Operator::Empty),
];

/// Reads a condition, up to the parenthesis that ends it.
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Filter, SyntaxError> {
    let mut either = vec![parse_and(cursor)?];
    while cursor.eat("||") {
        either.push(parse_and(cursor)?);
    }
    Ok(if either.len() == 1 { either.remove(0) } else { Filter::Or(either) })
}

fn parse_and(cursor: &mut Cursor<'_>) -> Result<Filter, SyntaxError> {
    let mut all = vec![parse_operand(cursor)?];
    while cursor.eat("&&") {
        all.push(parse_operand(cursor)?);
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
}

fn parse_operand(cursor: &mut Cursor<'_>) -> Result<Filter, SyntaxError> {
    cursor.skip_blanks();
    let operand = if cursor.eat("!") {
        Filter::Not(Box::new(cursor.nested(parse_operand)?))
    } else if cursor.eat("(") {
        let inner = cursor.nested(parse)?;
        cursor.expect(")")?;
        inner
    } else {
        parse_comparison(cursor)?
    };
    cursor.skip_blanks();
    Ok(operand)
}

fn parse_comparison(cursor: &mut Cursor<'_>) -> Result<Filter, SyntaxError> {
    let left = cursor.nested(term)?;
    cursor.skip_blanks();
    if matches!(cursor.peek(), None | Some('&' | '|' | ')')) {
        return match left {
            Term::Item(_) | Term::Document(_) => Ok(Filter::Exists(left)),
            _ => Err(cursor.error("expected an operator")),
        };
    }
    let word = cursor.rest();
    let word = &word[..word.find(|next: char| !next.is_ascii_alphabetic()).unwrap_or(word.len())];
    let found = OPERATORS
        .iter()
        .find(|(written, _)| if word.is_empty() { cursor.rest().starts_with(written) } else { word.eq_ignore_ascii_case(written) });
    let Some((written, operator)) = found else { return Err(cursor.error("expected an operator such as '==' or 'in'")) };
    cursor.eat(if word.is_empty() { written } else { word });
    cursor.skip_blanks();
    let right = cursor.nested(term)?;
    Ok(Filter::Compare { left, operator: *operator, right })
}

fn term(cursor: &mut Cursor<'_>) -> Result<Term, SyntaxError> {
    match cursor.peek() {
        Some('@') => {
            cursor.next();
            steps(cursor, Ending::Filter).map(Term::Item)
        }
        Some('$') => {
            cursor.next();
            steps(cursor, Ending::Filter).map(Term::Document)
        }
        Some('/') => pattern(cursor).map(Term::Pattern),
        _ => literal(cursor).map(Term::Literal),
    }
}

fn literal(cursor: &mut Cursor<'_>) -> Result<Value, SyntaxError> {
    match cursor.peek() {
        Some('\'' | '"') => quoted(cursor).map(Value::from),
        Some('[') => {
            cursor.next();
            cursor.nested(list)
        }
        _ => {
            let word = cursor.take_while(|next| !matches!(next, ' ' | ')' | ',' | ']' | '&' | '|' | '=' | '<' | '>' | '!' | '('));
            match Value::parse(word) {
                Ok(value) => Ok(value),
                // Definitions with bare words are accepted and run; they compare as strings here.
                Err(_) if word.starts_with(|first: char| first.is_alphabetic() || first == '_') => Ok(Value::from(word)),
                Err(_) => Err(cursor.error("expected a literal or a path that begins with '@' or '$'")),
            }
        }
    }
}

fn list(cursor: &mut Cursor<'_>) -> Result<Value, SyntaxError> {
    let mut items = Vec::new();
    loop {
        cursor.skip_blanks();
        if items.is_empty() && cursor.eat("]") {
            break;
        }
        items.push(literal(cursor)?);
        cursor.skip_blanks();
        if cursor.eat("]") {
            break;
        }
        cursor.expect(",")?;
    }
    Ok(Value::from(items))
}

/// `/…/flags`.
fn pattern(cursor: &mut Cursor<'_>) -> Result<Regex, SyntaxError> {
    cursor.expect("/")?;
    let mut source = String::new();
    loop {
        match cursor.next() {
            None => return Err(cursor.error("the pattern is not closed")),
            Some('/') => break,
            Some('\\') if cursor.eat("/") => source.push('/'),
            Some('\\') => {
                source.push('\\');
                source.extend(cursor.next());
            }
            Some(next) => source.push(next),
        }
    }
    let flags = cursor.take_while(|next| next.is_ascii_alphabetic());
    RegexBuilder::new(&format!(r"\A(?:{source})\z"))
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .dot_matches_new_line(flags.contains('s'))
        .ignore_whitespace(flags.contains('x'))
        .size_limit(PATTERN_BYTES)
        .nest_limit(50)
        .build()
        .map_err(|error| cursor.error(format!("the pattern cannot be used: {}", error.to_string().lines().last().unwrap_or_default())))
}

impl Filter {
    /// Whether the condition holds for an item. `document` is what `$` means.
    pub(super) fn accepts(&self, item: &Value, document: &Value, budget: &mut Budget) -> Result<bool, Miss> {
        budget.spend()?;
        match self {
            Self::And(all) => {
                for one in all {
                    if !one.accepts(item, document, budget)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(either) => {
                for one in either {
                    if one.accepts(item, document, budget)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(one) => one.accepts(item, document, budget).map(|accepted| !accepted),
            Self::Exists(path) => path.value(item, document, budget).map(|found| found.is_some()),
            Self::Compare { left, operator, right } => {
                let found = left.value(item, document, budget)?;
                if let (Operator::Matches, Term::Pattern(pattern)) = (operator, right) {
                    return Ok(found.is_some_and(|found| matches(&found, pattern)));
                }
                let wanted = right.value(item, document, budget)?;
                compare(found.as_deref(), *operator, wanted.as_deref(), budget)
            }
        }
    }
}

impl Term {
    /// The value; `None` for a path to nothing.
    fn value<'v>(&'v self, item: &'v Value, document: &'v Value, budget: &mut Budget) -> Result<Option<Cow<'v, Value>>, Miss> {
        let (path, root) = match self {
            Self::Item(path) => (path, item),
            Self::Document(path) => (path, document),
            Self::Literal(value) => return Ok(Some(Cow::Borrowed(value))),
            Self::Pattern(_) => return Ok(None),
        };
        if path.is_place() {
            return Ok(path.place(root).map(Cow::Borrowed));
        }
        match path.walk(root, document, budget) {
            Ok(value) => Ok(Some(Cow::Owned(value))),
            Err(Miss::TooCostly) => Err(Miss::TooCostly),
            Err(_) => Ok(None),
        }
    }
}

/// A list matches when one of its strings does.
fn matches(found: &Value, pattern: &Regex) -> bool {
    match found {
        Value::String(text) => pattern.is_match(text),
        Value::Number(number) => pattern.is_match(&number.to_string()),
        Value::Bool(truth) => pattern.is_match(if *truth { "true" } else { "false" }),
        Value::Array(items) => items.iter().any(|item| matches!(item, Value::String(text) if pattern.is_match(text))),
        Value::Null | Value::Object(_) => false,
    }
}

fn compare(left: Option<&Value>, operator: Operator, right: Option<&Value>, budget: &mut Budget) -> Result<bool, Miss> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let ordering = || order(left?, right?);
    Ok(match operator {
        Operator::Equals => both(left, right, equal),
        Operator::NotEquals => !both(left, right, equal),
        Operator::EqualsInType => both(left, right, |left, right| left.kind() == right.kind() && equal(left, right)),
        Operator::NotEqualsInType => !both(left, right, |left, right| left.kind() == right.kind() && equal(left, right)),
        Operator::Less => ordering() == Some(Less),
        Operator::Greater => ordering() == Some(Greater),
        Operator::LessOrEqual => matches!(ordering(), Some(Less | Equal)),
        Operator::GreaterOrEqual => matches!(ordering(), Some(Greater | Equal)),
        Operator::Matches => false,
        Operator::In => holds(right, left, budget)?,
        Operator::NotIn => !holds(right, left, budget)?,
        Operator::Contains => match (left, right) {
            (Some(Value::String(text)), Some(Value::String(part))) => text.contains(&**part),
            _ => holds(left, right, budget)?,
        },
        Operator::All | Operator::SubsetOf | Operator::AnyOf | Operator::NoneOf => {
            let (Some(left), Some(right)) = (left.and_then(Value::as_array), right.and_then(Value::as_array)) else { return Ok(false) };
            let (asked, among) = if operator == Operator::All { (right, left) } else { (left, right) };
            let mut present = 0;
            for one in asked {
                present += usize::from(among_items(among, one, budget)?);
            }
            match operator {
                Operator::AnyOf => present > 0,
                Operator::NoneOf => present == 0,
                _ => present == asked.len(),
            }
        }
        Operator::Size => left.and_then(size).is_some_and(|size| right.and_then(Value::as_i64) == i64::try_from(size).ok()),
        Operator::Empty => left.and_then(size).is_some_and(|size| right.and_then(Value::as_bool) == Some(size == 0)),
    })
}

fn both(left: Option<&Value>, right: Option<&Value>, test: impl Fn(&Value, &Value) -> bool) -> bool {
    left.zip(right).is_some_and(|(left, right)| test(left, right))
}

fn holds(list: Option<&Value>, item: Option<&Value>, budget: &mut Budget) -> Result<bool, Miss> {
    match (list.and_then(Value::as_array), item) {
        (Some(items), Some(item)) => among_items(items, item, budget),
        _ => Ok(false),
    }
}

fn among_items(items: &[Value], wanted: &Value, budget: &mut Budget) -> Result<bool, Miss> {
    for item in items {
        budget.spend()?;
        if equal(item, wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(text), Value::Number(number)) => **text == *number.to_string(),
        (Value::Number(number), Value::String(text)) => {
            text.parse::<f64>().is_ok_and(|parsed| Number::Float(parsed) == *number && parsed.is_finite())
        }
        _ => left == right,
    }
}

fn order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64().partial_cmp(&right.as_f64()),
        (Value::String(left), Value::String(right)) => Some(left.encode_utf16().cmp(right.encode_utf16())),
        _ => None,
    }
}

fn size(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.encode_utf16().count()),
        Value::Array(items) => Some(items.len()),
        Value::Object(object) => Some(object.len()),
        _ => None,
    }
}

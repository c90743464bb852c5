//! Reads a JSONPath, once, when a definition is compiled.
//!
//! The grammar is that of Jayway's JsonPath, which the service evaluates paths with; where that is lenient (`$.a.[0]`), so is this.

use std::rc::Rc;

use super::function::Function;
use super::select::{JsonPath, Step};
use super::{Lookup, Source, filter};
use crate::expr::SyntaxError;
use crate::expr::cursor::Cursor;

/// More steps than any path that somebody wrote; what walks a path calls itself once a step.
const STEPS: usize = 200;

/// Where a path ends that is a part of something larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::expr) enum Ending {
    /// With the text.
    Text,
    /// Before the next argument of a function.
    Argument,
    /// Before an operator of a filter, or the end of the filter.
    Filter,
}

impl Ending {
    fn ends(self, next: char) -> bool {
        match self {
            Self::Text => false,
            Self::Argument => matches!(next, ',' | ')' | ' '),
            Self::Filter => matches!(next, '<' | '>' | '=' | '~' | '!' | '&' | '|' | ')' | ',' | ']' | ' '),
        }
    }
}

/// Reads a whole text as a path into the input (`$`), the context object (`$$`) or a variable (`$name`).
pub(super) fn lookup(text: &str) -> Result<Lookup, SyntaxError> {
    let mut cursor = Cursor::new(text.trim_end_matches(' '));
    let lookup = lookup_at(&mut cursor, Ending::Text)?;
    if cursor.is_at_end() { Ok(lookup) } else { Err(cursor.error("expected the end of the path")) }
}

/// Reads such a path from here.
pub(in crate::expr) fn lookup_at(cursor: &mut Cursor<'_>, ending: Ending) -> Result<Lookup, SyntaxError> {
    let start = cursor.at();
    cursor.expect("$")?;
    let source = if cursor.eat("$") {
        Source::Context
    } else {
        match cursor.peek() {
            None | Some('.' | '[') => Source::Input,
            Some(next) if ending.ends(next) => Source::Input,
            Some(next) if next.is_alphabetic() || next == '_' => {
                Source::Variable(cursor.take_while(|next| next.is_alphanumeric() || matches!(next, '_' | '\u{200c}' | '\u{200d}')).into())
            }
            Some(_) => return Err(cursor.error("expected '.', '[' or the name of a variable after '$'")),
        }
    };
    let path = steps(cursor, ending)?;
    Ok(Lookup { text: cursor.since(start).into(), source, path })
}

/// Reads what comes after `$` or `@`.
pub(super) fn steps(cursor: &mut Cursor<'_>, ending: Ending) -> Result<JsonPath, SyntaxError> {
    let mut steps = Vec::new();
    let mut function = None;
    loop {
        match cursor.peek() {
            None => break,
            Some(next) if ending.ends(next) => break,
            Some(_) if function.is_some() => return Err(cursor.error("nothing can follow a function")),
            Some('[') => steps.push(bracket(cursor)?),
            Some('.') => {
                cursor.next();
                if cursor.eat(".") {
                    steps.push(Step::Descend);
                }
                match dotted(cursor, ending)? {
                    Dotted::Step(step) => steps.push(step),
                    Dotted::Function(called) => function = Some(called),
                }
            }
            Some(_) => return Err(cursor.error("expected '.' or '['")),
        }
        if steps.len() > STEPS {
            return Err(cursor.error(format!("a path has at most {STEPS} steps")));
        }
    }
    if function.is_some() && matches!(steps.last(), Some(Step::Descend)) {
        return Err(cursor.error("expected a name after '..'"));
    }
    Ok(JsonPath::new(steps, function))
}

enum Dotted {
    Step(Step),
    Function(Function),
}

/// What may follow a dot: a name, a function, `*`, or a bracket.
fn dotted(cursor: &mut Cursor<'_>, ending: Ending) -> Result<Dotted, SyntaxError> {
    if cursor.peek() == Some('[') {
        return bracket(cursor).map(Dotted::Step);
    }
    if cursor.eat("*") {
        return Ok(Dotted::Step(Step::Wildcard));
    }
    let name = cursor.take_while(|next| !matches!(next, '.' | '[' | '(' | ' ') && !ending.ends(next));
    if name.is_empty() {
        return Err(cursor.error("expected a name"));
    }
    if cursor.peek() == Some(' ') && ending == Ending::Text {
        return Err(cursor.error("a name with blanks must stand in brackets, as in $['a name']"));
    }
    if cursor.eat("(") {
        let arguments = cursor.take_while(|next| next != ')').trim();
        let Some(function) = Function::named(name, arguments) else {
            return Err(cursor.error(format!("there is no such path function as {name}({arguments})")));
        };
        cursor.expect(")")?;
        return Ok(Dotted::Function(function));
    }
    Ok(Dotted::Step(Step::Member(name.into())))
}

/// `['name']`, `['a','b']`, `[0]`, `[0,1]`, `[1:]`, `[*]`, `[?(…)]`.
fn bracket(cursor: &mut Cursor<'_>) -> Result<Step, SyntaxError> {
    cursor.expect("[")?;
    cursor.skip_blanks();
    let step = match cursor.peek() {
        Some('*') => {
            cursor.next();
            Step::Wildcard
        }
        Some('?') => {
            cursor.next();
            cursor.skip_blanks();
            cursor.expect("(")?;
            let filter = cursor.nested(filter::parse)?;
            cursor.skip_blanks();
            cursor.expect(")")?;
            Step::Filter(Rc::new(filter))
        }
        Some('\'' | '"') => names(cursor)?,
        Some('-' | ':' | '0'..='9') => numbers(cursor)?,
        _ => return Err(cursor.error("expected a name in quotes, a number, '*' or '?(' after '['")),
    };
    cursor.skip_blanks();
    cursor.expect("]")?;
    Ok(step)
}

fn names(cursor: &mut Cursor<'_>) -> Result<Step, SyntaxError> {
    let mut names: Vec<Rc<str>> = vec![quoted(cursor)?.into()];
    cursor.skip_blanks();
    while cursor.eat(",") {
        cursor.skip_blanks();
        names.push(quoted(cursor)?.into());
        cursor.skip_blanks();
    }
    Ok(if names.len() == 1 { Step::Member(names.remove(0)) } else { Step::Members(names) })
}

fn numbers(cursor: &mut Cursor<'_>) -> Result<Step, SyntaxError> {
    let start = cursor.at();
    cursor.take_while(|next| matches!(next, '-' | ':' | ',' | ' ' | '0'..='9'));
    let text = cursor.since(start);
    let number = |part: &str| -> Result<Option<i64>, SyntaxError> {
        let part = part.trim_matches(' ');
        if part.is_empty() {
            return Ok(None);
        }
        // An index that an `int` cannot hold is refused, as by the service.
        part.parse::<i32>().map(|number| Some(number.into())).map_err(|_| cursor.error(format!("'{part}' is no index")))
    };
    if let Some((from, to)) = text.split_once(':') {
        // What stands after a second colon is not looked at, by the service neither.
        let to = to.split(':').next().unwrap_or_default();
        return Ok(Step::Slice { from: number(from)?, to: number(to)? });
    }
    let indexes = text
        .split(',')
        .map(|part| number(part)?.ok_or_else(|| cursor.error("expected an index")))
        .collect::<Result<Vec<i64>, SyntaxError>>()?;
    Ok(if let [index] = indexes[..] { Step::Index(index) } else { Step::Indexes(indexes) })
}

/// A string in single or double quotes; a backslash makes the next character stand for itself, or for what JSON has it for.
pub(super) fn quoted(cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
    let Some(quote @ ('\'' | '"')) = cursor.peek() else { return Err(cursor.error("expected a quote")) };
    cursor.next();
    let mut text = String::new();
    loop {
        match cursor.next() {
            None => return Err(cursor.error("the quote is not closed")),
            Some(next) if next == quote => return Ok(text),
            Some('\\') => text.push(escaped(cursor)?),
            Some(next) => text.push(next),
        }
    }
}

fn escaped(cursor: &mut Cursor<'_>) -> Result<char, SyntaxError> {
    let Some(next) = cursor.next() else { return Err(cursor.error("the quote is not closed")) };
    Ok(match next {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let digits = cursor.rest().get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let Some(digits) = digits else { return Err(cursor.error("expected four hexadecimal digits after '\\u'")) };
            cursor.eat(digits);
            let code = u32::from_str_radix(digits, 16).unwrap_or_default();
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        other => other,
    })
}

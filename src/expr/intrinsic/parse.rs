//! Reads the call of an intrinsic function, once, when a definition is compiled.

use std::rc::Rc;

use super::strings::Format;
use super::{Argument, FUNCTIONS, Function, Invocation};
use crate::expr::cursor::Cursor;
use crate::expr::path::parse::{Ending, lookup_at};
use crate::expr::{Number, SyntaxError, Value};

/// How deep calls may stand in each other.
const NESTING: usize = 10;

/// Reads a whole text as a call.
pub(super) fn call(text: &str) -> Result<Invocation, SyntaxError> {
    let mut cursor = Cursor::new(text);
    let invocation = invocation(&mut cursor, 1)?;
    if cursor.is_at_end() { Ok(invocation) } else { Err(cursor.error("expected the end of the call")) }
}

fn invocation(cursor: &mut Cursor<'_>, level: usize) -> Result<Invocation, SyntaxError> {
    if level > NESTING {
        return Err(cursor.error(format!("at most {NESTING} intrinsic functions may stand in each other")));
    }
    let start = cursor.at();
    cursor.expect("States.")?;
    let name = cursor.take_while(|next| next.is_ascii_alphanumeric());
    let Some((_, function, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
        return Err(cursor.error(format!("there is no intrinsic function {}", cursor.since(start))));
    };
    cursor.expect("(")?;
    cursor.skip_blanks();
    let mut arguments = Vec::new();
    let mut format = None;
    if !cursor.eat(")") {
        loop {
            cursor.skip_blanks();
            if arguments.is_empty() && *function == Function::Format && cursor.peek() == Some('\'') {
                // The escapes of a template say what is no placeholder.
                let template = raw_string(cursor)?;
                format = Format::parse(template).ok();
                arguments.push(Argument::Literal(Value::from(template)));
            } else {
                arguments.push(argument(cursor, level)?);
            }
            cursor.skip_blanks();
            if cursor.eat(")") {
                break;
            }
            cursor.expect(",")?;
        }
    }
    let complete = (*least..=*most).contains(&arguments.len());
    Ok(Invocation { function: *function, arguments, complete, format })
}

fn argument(cursor: &mut Cursor<'_>, level: usize) -> Result<Argument, SyntaxError> {
    match cursor.peek() {
        Some('$') => lookup_at(cursor, Ending::Argument).map(Argument::Path),
        Some('\'') => Ok(Argument::Literal(Value::from(unescaped(raw_string(cursor)?)))),
        Some('S') => invocation(cursor, level + 1).map(Argument::Invocation),
        _ => literal(cursor).map(Argument::Literal),
    }
}

/// A number, `true`, `false` or `null`.
fn literal(cursor: &mut Cursor<'_>) -> Result<Value, SyntaxError> {
    let word = cursor.take_while(|next| next.is_ascii_alphanumeric() || matches!(next, '-' | '+' | '.'));
    match Value::parse(word) {
        Ok(value) => Ok(value),
        // What is beyond all doubles is infinite to the service, and a large number here.
        Err(_)
            if word.parse::<f64>().is_ok_and(f64::is_infinite)
                && word.starts_with(|first: char| first == '-' || first.is_ascii_digit()) =>
        {
            Ok(Value::Number(Number::Large(Rc::from(word))))
        }
        Err(_) => Err(cursor.error("expected a path, a string in single quotes, a number, true, false, null or a function")),
    }
}

/// What stands between single quotes, as it is written. Only a quote, a brace and a backslash can be escaped.
fn raw_string<'t>(cursor: &mut Cursor<'t>) -> Result<&'t str, SyntaxError> {
    cursor.expect("'")?;
    let start = cursor.at();
    loop {
        let end = cursor.at();
        match cursor.next() {
            None => return Err(cursor.error("the quote is not closed")),
            Some('\'') => return Ok(&cursor.since(start)[..end - start]),
            Some('\\') => match cursor.next() {
                Some('\'' | '{' | '}' | '\\') => {}
                _ => return Err(cursor.error(r"only \', \{, \} and \\ can be escaped")),
            },
            Some(_) => {}
        }
    }
}

fn unescaped(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(next) = characters.next() {
        text.extend(if next == '\\' { characters.next() } else { Some(next) });
    }
    text
}

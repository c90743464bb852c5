//! JSON and JSON Lines as items.

use std::rc::Rc;

use super::read::{Flow, Items};
use super::{DatasetError, Item};
use crate::expr::Value;

/// Adds the items of an array, or the pairs of an object, at `pointer` of the document.
pub(super) fn read_document(bytes: &[u8], pointer: Option<&str>, source: &Rc<str>, items: &mut Items) -> Result<Flow, DatasetError> {
    let document =
        Value::parse(text_of(bytes)?).map_err(|error| DatasetError::reader(format!("The JSON file could not be read: {error}.")))?;
    let found = match pointer {
        None => document,
        Some(pointer) => lookup(&document, pointer)
            .cloned()
            .ok_or_else(|| DatasetError::reader(format!("The ItemsPointer '{pointer}' refers to nothing in the JSON file.")))?,
    };
    add_value(&found, source, items)?.ok_or_else(|| DatasetError::reader("Attempting to map over non-iterable node."))
}

/// Adds the items of an array, or the pairs of an object; `None` for anything else.
pub(super) fn add_value(value: &Value, source: &Rc<str>, items: &mut Items) -> Result<Option<Flow>, DatasetError> {
    match value {
        Value::Array(list) => {
            for value in list.iter() {
                if items.push(Item { value: value.clone(), key: None, source: Rc::clone(source) })? == Flow::Enough {
                    return Ok(Some(Flow::Enough));
                }
            }
        }
        Value::Object(object) => {
            for (name, value) in object.iter() {
                let item = Item { value: value.clone(), key: Some(Rc::clone(name)), source: Rc::clone(source) };
                if items.push(item)? == Flow::Enough {
                    return Ok(Some(Flow::Enough));
                }
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(Flow::More))
}

/// Adds a value a line; blank lines are passed over.
pub(super) fn read_lines(bytes: &[u8], source: &Rc<str>, items: &mut Items) -> Result<Flow, DatasetError> {
    for (line, number) in text_of(bytes)?.lines().zip(1..) {
        if line.trim().is_empty() {
            continue;
        }
        let value = Value::parse(line)
            .map_err(|error| DatasetError::reader(format!("Line {number} of the JSON Lines file could not be read: {error}.")))?;
        if items.push(Item { value, key: None, source: Rc::clone(source) })? == Flow::Enough {
            return Ok(Flow::Enough);
        }
    }
    Ok(Flow::More)
}

/// Text of an object. Its encoding is UTF-8 by the rules of the service.
pub(super) fn text_of(bytes: &[u8]) -> Result<&str, DatasetError> {
    std::str::from_utf8(bytes).map_err(|error| DatasetError::reader(format!("The file is no UTF-8 text: {error}.")))
}

/// The value at a JSON pointer (RFC 6901).
fn lookup<'v>(document: &'v Value, pointer: &str) -> Option<&'v Value> {
    if pointer.is_empty() {
        return Some(document);
    }
    let mut found = document;
    for token in pointer.strip_prefix('/')?.split('/') {
        let name = token.replace("~1", "/").replace("~0", "~");
        found = match found {
            Value::Object(object) => object.get(&name)?,
            Value::Array(list) => list.get(index_of(&name)?)?,
            _ => return None,
        };
    }
    Some(found)
}

/// Digits without leading zeros.
fn index_of(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|byte| byte.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    if plain { token.parse().ok() } else { None }
}

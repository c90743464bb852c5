//! Values to and from those of the JSONata engine.
//!
//! Strings are shared. Containers must be copied, so a large one that was converted lately is remembered: a state that uses
//! a member of a large payload many times pays once, and a large value that comes back unchanged is the one that went in.

use std::cell::RefCell;
use std::rc::Rc;

use jsonata_core::value::{JArray, JMap, JValue};

use super::needs::Paths;
use crate::expr::{Number, Value};

/// How many conversions are remembered.
const REMEMBERED: usize = 4;
/// From how many values on a conversion is remembered.
const LARGE: usize = 128;
/// What a result may hold, in bytes as the service counts them: eight for a number, one for a character.
pub(super) const MAX_BYTES: usize = super::MAX_ITEMS * 8;
/// How deep a result may nest. Every consumer of a value recurses into it.
const MAX_NESTING: usize = 500;

thread_local! {
    static RECENT: RefCell<Recent> = RefCell::default();
}

/// The last large conversions. Both sides hold their contents, so neither address can come to mean something else.
#[derive(Default)]
struct Recent {
    pairs: Vec<(Value, JValue)>,
    oldest: usize,
}

impl Recent {
    fn remember(&mut self, pair: (Value, JValue)) {
        if self.pairs.len() < REMEMBERED {
            self.pairs.push(pair);
        } else {
            self.pairs[self.oldest] = pair;
            self.oldest = (self.oldest + 1) % REMEMBERED;
        }
    }
}

/// A result that cannot be handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// Larger or deeper than the service lets a value grow.
    TooLarge,
    /// A function, which JSON has no word for.
    Function,
}

/// The parts of a value that an expression looks at.
pub(super) fn part_to_engine(value: &Value, paths: &Paths) -> JValue {
    match value {
        Value::Object(object) if !paths.whole => JValue::Object(Rc::new(
            paths
                .members
                .iter()
                .filter_map(|(name, below)| Some((name.clone(), part_to_engine(object.get(name)?, below))))
                .collect::<JMap>(),
        )),
        // Steps map over the items of an array, so all of it is looked at.
        _ => to_engine(value),
    }
}

/// A whole value.
pub(super) fn to_engine(value: &Value) -> JValue {
    if !matches!(value, Value::Array(_) | Value::Object(_)) {
        return convert(value, &mut 0);
    }
    let known = RECENT.with_borrow(|recent| recent.pairs.iter().find(|(from, _)| is_same(from, value)).map(|(_, to)| to.clone()));
    known.unwrap_or_else(|| {
        let mut values = 0;
        let converted = convert(value, &mut values);
        if values >= LARGE {
            RECENT.with_borrow_mut(|recent| recent.remember((value.clone(), converted.clone())));
        }
        converted
    })
}

fn convert(value: &Value, values: &mut usize) -> JValue {
    *values += 1;
    match value {
        Value::Null => JValue::Null,
        Value::Bool(truth) => JValue::Bool(*truth),
        Value::Number(number) => JValue::Number(number.as_f64()),
        Value::String(text) => JValue::String(Rc::clone(text)),
        Value::Array(items) => {
            let flat = !items.iter().any(|item| matches!(item, Value::Array(_)));
            JValue::Array(JArray::new_flat(items.iter().map(|item| convert(item, values)).collect(), flat))
        }
        Value::Object(object) => {
            JValue::Object(Rc::new(object.iter().map(|(name, value)| (String::from(&**name), convert(value, values))).collect::<JMap>()))
        }
    }
}

/// Whether two containers are one.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => Rc::ptr_eq(one, other),
        (Value::Object(one), Value::Object(other)) => Rc::ptr_eq(one, other),
        _ => false,
    }
}

/// A result; `None` for undefined.
pub(super) fn from_engine(value: &JValue) -> Result<Option<Value>, Unusable> {
    let mut bytes = MAX_BYTES;
    back(value, &mut bytes, 0)
}

/// `bytes` is what the result may still take: a small value can hold one part many times.
fn back(value: &JValue, bytes: &mut usize, nesting: usize) -> Result<Option<Value>, Unusable> {
    let size = if let JValue::String(text) = value { text.len() } else { 8 };
    *bytes = bytes.checked_sub(size).ok_or(Unusable::TooLarge)?;
    if nesting > MAX_NESTING {
        return Err(Unusable::TooLarge);
    }
    Ok(Some(match value {
        JValue::Undefined => return Ok(None),
        JValue::Null => Value::Null,
        JValue::Bool(truth) => Value::Bool(*truth),
        JValue::Number(number) => value_of(*number),
        JValue::String(text) => Value::String(Rc::clone(text)),
        JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => return Err(Unusable::Function),
        JValue::Array(_) | JValue::Object(_) => match remembered(value) {
            Some(known) => known,
            None => container(value, bytes, nesting)?,
        },
    }))
}

fn remembered(value: &JValue) -> Option<Value> {
    RECENT.with_borrow(|recent| {
        let same = recent.pairs.iter().find(|(_, to)| match (to, value) {
            (JValue::Array(one), JValue::Array(other)) => JArray::ptr_eq(one, other),
            (JValue::Object(one), JValue::Object(other)) => Rc::ptr_eq(one, other),
            _ => false,
        });
        same.map(|(from, _)| from.clone())
    })
}

fn container(value: &JValue, bytes: &mut usize, nesting: usize) -> Result<Value, Unusable> {
    match value {
        JValue::Object(members) => {
            let members = members.iter().filter_map(|(name, value)| match back(value, bytes, nesting + 1) {
                Ok(value) => Some(Ok((name.as_str(), value?))),
                Err(unusable) => Some(Err(unusable)),
            });
            Ok(Value::object(members.collect::<Result<Vec<_>, _>>()?))
        }
        JValue::Array(items) => {
            // Undefined has no place in JSON; JavaScript writes null for it.
            let items = items.iter().map(|item| back(item, bytes, nesting + 1).map(Option::unwrap_or_default));
            Ok(Value::Array(Rc::new(items.collect::<Result<_, _>>()?)))
        }
        _ => Ok(Value::Null),
    }
}

/// A number of JSONata: a whole one is written without fraction, and what JSON cannot write by its name in JavaScript.
pub(super) fn value_of(number: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "bounded by the guard")]
    if number.fract() == 0.0 && number.abs() < 9.0e18 {
        return Value::Number(Number::Integer(number as i64));
    }
    match number {
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        number if number.is_nan() => "NaN".into(),
        // JavaScript goes over to exponents here.
        number if number.fract() == 0.0 && number.abs() < 1e21 => Value::Number(Number::Large(number.to_string().into())),
        number => Value::Number(Number::Float(number)),
    }
}

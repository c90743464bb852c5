//! JSON values as an execution hands them on: cheap to clone, never changed in place once shared.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::rc::Rc;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use thiserror::Error;

use super::Object;

/// A JSON value. A clone shares strings, arrays and objects.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the kinds of JSON")]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    String(Rc<str>),
    Array(Rc<Vec<Value>>),
    Object(Rc<Object>),
}

/// A JSON number, in the form in which it is written back.
#[derive(Debug, Clone)]
pub enum Number {
    /// A number without fraction and exponent.
    Integer(i64),
    /// A finite number with fraction or exponent: `1.0` stays `1.0`.
    Float(f64),
    /// An integer that an `i64` cannot hold, by its digits.
    Large(Rc<str>),
}

/// Text that is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ParseError(String);

impl Number {
    /// The nearest double, which is what comparisons and JSONata go by.
    pub fn as_f64(&self) -> f64 {
        match self {
            #[allow(clippy::cast_precision_loss, reason = "doubles are what the service compares")]
            Self::Integer(number) => *number as f64,
            Self::Float(number) => *number,
            Self::Large(digits) => digits.parse().unwrap_or(f64::NAN),
        }
    }

    /// The number as an integer, where it is one: `2` and `2.0` are.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            #[allow(clippy::cast_possible_truncation, reason = "bounded by the guard")]
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 9.0e18 => Some(*number as i64),
            Self::Float(_) | Self::Large(_) => None,
        }
    }
}

/// By value: `1` is `1.0`.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => one == other,
            (Self::Large(one), Self::Large(other)) => one == other,
            #[allow(clippy::float_cmp, reason = "JSON numbers are equal or not")]
            _ => self.as_f64() == other.as_f64(),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => f.write_str(ryu::Buffer::new().format(*number)),
            Self::Large(digits) => f.write_str(digits),
        }
    }
}

impl Value {
    /// Reads JSON text. Nesting is limited to 128 levels, as `serde_json` has it.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        serde_json::from_str(text).map_err(|error| ParseError(error.to_string()))
    }

    /// An array.
    pub fn array(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Array(Rc::new(items.into_iter().collect()))
    }

    /// An object; of members of one name the last counts.
    pub fn object<N: Into<Rc<str>>>(members: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Object(Rc::new(members.into_iter().collect()))
    }

    /// The member of an object; `None` for what is no object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The number.
    pub fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// The number as an integer, where it is one.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number()?.as_i64()
    }

    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// The items of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The word that error texts of the service use for the kind: `array`, `object`, `string`, `number`, `boolean`, `null`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Compact JSON text, without blanks, as the service writes it.
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        self.write_json(&mut text);
        text
    }

    /// Appends the compact JSON text.
    pub fn write_json(&self, text: &mut String) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(true) => text.push_str("true"),
            Self::Bool(false) => text.push_str("false"),
            Self::Number(Number::Integer(number)) => text.push_str(itoa::Buffer::new().format(*number)),
            Self::Number(number) => write!(text, "{number}").expect("a String takes all text"),
            Self::String(string) => write_string(string, text),
            Self::Array(items) => {
                text.push('[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        text.push(',');
                    }
                    item.write_json(text);
                }
                text.push(']');
            }
            Self::Object(object) => {
                text.push('{');
                for (position, (name, value)) in object.iter().enumerate() {
                    if position > 0 {
                        text.push(',');
                    }
                    write_string(name, text);
                    text.push(':');
                    value.write_json(text);
                }
                text.push('}');
            }
        }
    }
}

/// Appends a JSON string literal. Only what must be escaped is.
pub(crate) fn write_string(string: &str, text: &mut String) {
    text.push('"');
    let mut start = 0;
    for (at, byte) in string.bytes().enumerate() {
        let escape: Cow<'_, str> = match byte {
            b'"' => "\\\"".into(),
            b'\\' => "\\\\".into(),
            b'\n' => "\\n".into(),
            b'\r' => "\\r".into(),
            b'\t' => "\\t".into(),
            0x08 => "\\b".into(),
            0x0c => "\\f".into(),
            0..0x20 => format!("\\u{byte:04x}").into(),
            _ => continue,
        };
        text.push_str(&string[start..at]);
        text.push_str(&escape);
        start = at + 1;
    }
    text.push_str(&string[start..]);
    text.push('"');
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Number::Integer(number))
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::from(i64::from(number))
    }
}

/// What is no finite number becomes null, as JSON has no word for it.
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Number(Number::Float(number)) } else { Self::Null }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(Rc::new(object))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(Rc::new(items))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Number(Number::Integer(number)) => serializer.serialize_i64(*number),
            Self::Number(Number::Float(number)) => serializer.serialize_f64(*number),
            Self::Number(number @ Number::Large(digits)) => match digits.parse::<u64>() {
                Ok(number) => serializer.serialize_u64(number),
                Err(_) => serializer.serialize_f64(number.as_f64()),
            },
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.len()))?;
                for (name, value) in object.iter() {
                    map.serialize_entry(&**name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or_else(|_| Value::Number(Number::Large(number.to_string().into())), Value::from))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::with_capacity(sequence.size_hint().unwrap_or(0).min(4096));
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Value::from(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Object::default();
        while let Some((name, value)) = map.next_entry::<Cow<'de, str>, Value>()? {
            object.insert(&*name, value);
        }
        Ok(Value::from(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_was_read_without_its_blanks() {
        for text in
            [r#"{"b":1,"a":[1.0,-0.5,true,null],"c":{"é":"\"\\\n\u0001"}}"#, "18446744073709551615", "-9223372036854775808", r#""x""#]
        {
            assert_eq!(Value::parse(text).expect("JSON").to_json(), text);
        }
    }

    #[test]
    fn numbers_are_equal_by_value_and_objects_in_any_order() {
        let one = Value::parse(r#"{"a":1,"b":2.0}"#).expect("JSON");
        assert_eq!(one, Value::parse(r#"{"b":2,"a":1.0}"#).expect("JSON"));
        assert_ne!(one, Value::parse(r#"{"b":2,"a":1.5}"#).expect("JSON"));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "nul", "{\"a\":1}x", &"[".repeat(200)] {
            assert!(Value::parse(text).is_err(), "{text}");
        }
    }
}

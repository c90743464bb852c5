//! A JSON value on its way through an execution, with its text and its size.
//!
//! The same payload stands in many events and passes many states: whoever needs its text first makes it, everybody shares it. The
//! text of an execution's input stays as it was given, blanks included, for as long as states hand it on as it is; the service
//! does the same.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::sync::Arc;

use super::failure::Problem;
use crate::expr::{Number, Object, ParseError, Value};
use crate::model::{self, RawText, text::Form};

/// The largest payload of the service, in bytes of JSON text.
pub const LARGEST: usize = 262_144;

/// How deep values may be nested. States can nest a value deeper each time they are entered; the service has no such limit on
/// record, and payloads of 256 KiB that are this deep hold nothing but brackets.
pub const DEEPEST: u32 = 1_000;

/// A value with its text and size, both made when asked for. A clone shares everything.
#[derive(Debug, Clone)]
pub struct Payload(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    value: Value,
    text: OnceCell<Arc<String>>,
    measure: Cell<Option<Measure>>,
    /// Whether the text is other than what the value would be written as.
    verbatim: bool,
}

#[derive(Debug, Clone, Copy)]
struct Measure {
    bytes: usize,
    depth: u32,
}

impl Payload {
    /// Reads JSON text and keeps it.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let value = Value::parse(text)?;
        let written = value.to_json();
        let verbatim = written != text;
        let text = if verbatim { text.to_owned() } else { written };
        let measure = Measure { bytes: text.len(), depth: measure(&value, 0, usize::MAX).depth };
        Ok(Self(Rc::new(Shared { value, text: OnceCell::from(Arc::new(text)), measure: Cell::new(Some(measure)), verbatim })))
    }

    /// An array of what branches or iterations gave, each in its own text.
    pub fn join(items: &[Self]) -> Self {
        let mut bytes = items.len().saturating_sub(1) + 2;
        let mut depth = 0;
        for item in items {
            let inner = item.measure();
            bytes += inner.bytes;
            depth = depth.max(inner.depth);
        }
        let value = Value::array(items.iter().map(|item| item.value().clone()));
        let verbatim = items.iter().any(|item| item.0.verbatim);
        let text = OnceCell::new();
        if verbatim {
            let joined: Vec<&str> = items.iter().map(Self::text).collect();
            text.get_or_init(|| Arc::new(format!("[{}]", joined.join(","))));
        }
        Self(Rc::new(Shared { value, text, measure: Cell::new(Some(Measure { bytes, depth: depth + 1 })), verbatim }))
    }

    /// `{}`.
    pub fn empty() -> Self {
        Self::from(Value::from(Object::default()))
    }

    /// This payload where `value` is the very value in it, else a new one.
    #[must_use]
    pub fn same_or_new(&self, value: Value) -> Self {
        if is_same(self.value(), &value) { self.clone() } else { Self::from(value) }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// The JSON text.
    pub fn text(&self) -> &str {
        self.shared_text()
    }

    /// The JSON text for an event.
    pub fn event_text(&self) -> model::Payload {
        model::Payload { text: self.raw_text(), truncated: false }
    }

    /// The JSON text for an event or a header.
    pub fn raw_text(&self) -> RawText {
        let text = self.shared_text();
        RawText::slice(text, 0..text.len(), Form::Plain).expect("the whole of a text that is far from 4 GiB")
    }

    /// Whether it is within the service's limit on payloads, and not nested too deep.
    pub fn fits(&self) -> bool {
        let measure = self.measure();
        measure.bytes <= LARGEST && measure.depth <= DEEPEST
    }

    /// Whether its text has no more than so many bytes, whatever it would take to write it.
    pub(super) fn is_within(&self, bytes: usize) -> bool {
        measure(&self.0.value, 0, bytes).bytes <= bytes
    }

    /// The payload, if it [`fits`](Self::fits).
    pub(super) fn fitting(self) -> Result<Self, Problem> {
        if self.fits() { Ok(self) } else { Err(Problem::TooLarge) }
    }

    /// Bytes of the JSON text; of a payload that does not fit, some number above the limit.
    pub fn bytes(&self) -> usize {
        self.measure().bytes
    }

    fn shared_text(&self) -> &Arc<String> {
        self.0.text.get_or_init(|| {
            let mut text = String::with_capacity(self.0.measure.get().map_or(64, |measure| measure.bytes));
            self.0.value.write_json(&mut text);
            // It may stay for long, in an event.
            text.shrink_to_fit();
            Arc::new(text)
        })
    }

    fn measure(&self) -> Measure {
        if let Some(measure) = self.0.measure.get() {
            return measure;
        }
        let measure = measure(&self.0.value, 0, LARGEST);
        self.0.measure.set(Some(measure));
        measure
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self(Rc::new(Shared { value, text: OnceCell::new(), measure: Cell::new(None), verbatim: false }))
    }
}

/// Whether two values are one and the same in memory; what is small and has no place of its own is not.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => Rc::ptr_eq(one, other),
        (Value::Object(one), Value::Object(other)) => Rc::ptr_eq(one, other),
        (Value::String(one), Value::String(other)) => Rc::ptr_eq(one, other),
        _ => false,
    }
}

/// Size and depth of what [`Value::write_json`] would write. Stops to look where a value is nested too deep, and where it has more
/// than `most` bytes: a value may hold one part so often that nobody could walk over all of it.
fn measure(value: &Value, level: u32, most: usize) -> Measure {
    let mut total = Measure { bytes: 0, depth: 0 };
    let inside = |total: &mut Measure, value: &Value| {
        let inner = measure(value, level + 1, most.saturating_sub(total.bytes));
        total.bytes += inner.bytes;
        total.depth = total.depth.max(inner.depth);
        total.bytes <= most
    };
    match value {
        Value::Null | Value::Bool(true) => total.bytes = 4,
        Value::Bool(false) => total.bytes = 5,
        Value::Number(Number::Integer(number)) => total.bytes = itoa::Buffer::new().format(*number).len(),
        Value::Number(Number::Float(number)) => total.bytes = ryu::Buffer::new().format(*number).len(),
        Value::Number(Number::Large(digits)) => total.bytes = digits.len(),
        Value::String(text) => total.bytes = string_bytes(text),
        Value::Array(_) | Value::Object(_) if level > DEEPEST => total = Measure { bytes: 2, depth: 1 },
        Value::Array(items) => {
            total.bytes = 2 + items.len().saturating_sub(1);
            let _ = items.iter().all(|item| inside(&mut total, item));
            total.depth += 1;
        }
        Value::Object(object) => {
            total.bytes = 2 + object.len().saturating_sub(1);
            let _ = object.iter().all(|(name, value)| {
                total.bytes += string_bytes(name) + 1;
                inside(&mut total, value)
            });
            total.depth += 1;
        }
    }
    total
}

/// Bytes of a JSON string literal.
fn string_bytes(text: &str) -> usize {
    let escapes: usize = text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
            0..0x20 => 5,
            _ => 0,
        })
        .sum();
    text.len() + 2 + escapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_that_of_the_text() {
        for text in [r#"{"a":[1,-2.5,true,false,null,"é\n\u0001\""],"":{}}"#, "[]", "0", "\"\"", "18446744073709551615"] {
            let value = Value::parse(text).expect("JSON");
            assert_eq!(Payload::from(value.clone()).bytes(), value.to_json().len(), "{text}");
        }
    }

    #[test]
    fn the_text_of_an_input_stays_and_goes_into_what_is_joined() {
        let input = Payload::parse("[1, 2]").expect("JSON");
        assert_eq!(input.text(), "[1, 2]");
        assert_eq!(input.same_or_new(input.value().clone()).text(), "[1, 2]");
        let joined = Payload::join(&[input, Payload::from(Value::from(3))]);
        assert_eq!((joined.text(), joined.bytes()), ("[[1, 2],3]", 10));
        assert_eq!(joined.value(), &Value::parse("[[1,2],3]").expect("JSON"));
    }

    #[test]
    fn what_is_large_or_deep_does_not_fit() {
        let text = |length: usize| Payload::from(Value::from("x".repeat(length)));
        assert!(text(LARGEST - 2).fits());
        assert!(!text(LARGEST - 1).fits());
        let nested = |levels: u32| Payload::from((0..levels).fold(Value::Null, |inner, _| Value::array([inner])));
        assert!(nested(DEEPEST).fits());
        assert!(!nested(DEEPEST + 1).fits());
        assert!(!Payload::join(&[nested(DEEPEST)]).fits());
    }

    #[test]
    fn what_holds_one_part_again_and_again_is_measured_as_far_as_it_fits() {
        let doubled = (0..60).fold(Value::from(1), |inner, _| Value::array([inner.clone(), inner]));
        let payload = Payload::from(doubled);
        assert!(!payload.fits() && payload.bytes() > LARGEST);
        let many = Value::array(vec![Value::from("x".repeat(200_000)); 1_000_000]);
        assert!(!Payload::from(many).fits());
    }
}

//! A value of an attribute, small enough to keep many of.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde_json::Value;

/// A value as two executions can have it in common.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Null,
    Boolean(bool),
    Number(f64),
    Text(Arc<str>),
    /// Its members are attributes of their own.
    Object,
    /// Its length and elements are attributes of their own.
    Array,
}

/// Whole numbers beyond this are not exact in f64: they are ids, and compared as text.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Cell {
    /// A scalar or the type of what is none.
    pub fn of(value: &Value, texts: &mut Texts) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Boolean(*truth),
            Value::Number(number) => match number.as_f64() {
                Some(real) if real.abs() < EXACT => Self::Number(real + 0.0),
                _ => Self::Text(texts.keep(&number.to_string())),
            },
            Value::String(text) => Self::Text(texts.keep_short(text)),
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// JSON's word for its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Object => "object",
            Self::Array => "array",
        }
    }

    /// As JSON; null for what is no scalar.
    pub fn json(&self) -> Value {
        match self {
            Self::Null | Self::Object | Self::Array => Value::Null,
            Self::Boolean(truth) => Value::Bool(*truth),
            Self::Number(number) => json_number(*number),
            Self::Text(text) => Value::String(text.to_string()),
        }
    }
}

/// A number as JSON writes it: without a fraction where it has none.
pub(super) fn json_number(number: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "whole and exact")]
    if number.fract() == 0.0 && number.abs() < EXACT { Value::from(number as i64) } else { Value::from(number) }
}

impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Boolean(one), Self::Boolean(other)) => one == other,
            (Self::Number(one), Self::Number(other)) => one.to_bits() == other.to_bits(),
            (Self::Text(one), Self::Text(other)) => one == other,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }
}

impl Eq for Cell {}

impl Hash for Cell {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Boolean(truth) => truth.hash(state),
            Self::Number(number) => number.to_bits().hash(state),
            Self::Text(text) => text.hash(state),
            Self::Null | Self::Object | Self::Array => {}
        }
    }
}

/// Texts that many executions share are kept once; forgotten when there are too many, which costs memory and changes nothing.
#[derive(Debug, Default)]
pub(super) struct Texts {
    known: HashSet<Arc<str>>,
}

impl Texts {
    const MOST: usize = 50_000;
    /// Longer texts are kept by their beginning and a hash of the whole.
    const LONGEST: usize = 120;

    /// The text, shared with those before it.
    pub fn keep(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        if self.known.len() >= Self::MOST {
            self.known.clear();
        }
        let kept: Arc<str> = text.into();
        self.known.insert(Arc::clone(&kept));
        kept
    }

    /// The same for texts that may be long.
    pub fn keep_short(&mut self, text: &str) -> Arc<str> {
        if text.len() <= Self::LONGEST {
            return self.keep(text);
        }
        let beginning: String = text.chars().take(40).collect();
        self.keep(&format!("{beginning}…#{:016x}", hash(text.as_bytes(), 0)))
    }
}

/// A hash that is the same on every machine and in every version: FNV-1a, mixed as in SplitMix64.
pub(super) fn hash(bytes: &[u8], seed: u64) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let folded = bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    mix(folded)
}

/// Spreads a number over all 64 bits.
pub(super) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

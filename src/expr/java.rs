//! What shows through of the language that the service is written in: how values print, how hash tables are ordered, which numbers
//! a seed gives.

use super::{Number, Value};

/// Deeper values print as `…`.
const DEPTH: usize = 500;

/// How long a printed text may become before the rest is left out. Whoever prints more than a payload may hold is refused later.
pub(super) const PRINTED_BYTES: usize = 1 << 20;

/// The name of the class that holds a value.
pub(super) fn class(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "java.lang.Boolean",
        Value::Number(Number::Integer(number)) if i32::try_from(*number).is_ok() => "java.lang.Integer",
        Value::Number(Number::Integer(_)) => "java.lang.Long",
        Value::Number(Number::Large(_)) => "java.math.BigInteger",
        Value::Number(Number::Float(_)) => "java.lang.Double",
        Value::String(_) => "java.lang.String",
        Value::Array(_) => "java.util.ArrayList",
        Value::Object(_) => "java.util.LinkedHashMap",
    }
}

/// The value as `toString` gives it: `{a=1, b=[x, null]}`.
pub(super) fn to_string(value: &Value) -> String {
    let mut text = String::new();
    print(value, &mut text);
    text
}

/// Appends the value as `toString` gives it.
pub(super) fn print(value: &Value, text: &mut String) {
    print_to_depth(value, text, DEPTH);
}

fn print_to_depth(value: &Value, text: &mut String, depth: usize) {
    match value {
        Value::String(string) => text.push_str(string),
        Value::Number(Number::Float(number)) => text.push_str(&double(*number)),
        Value::Array(_) | Value::Object(_) if depth == 0 || text.len() > PRINTED_BYTES => text.push('…'),
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if text.len() > PRINTED_BYTES {
                    break;
                }
                text.push_str(if position > 0 { ", " } else { "" });
                print_to_depth(item, text, depth - 1);
            }
            text.push(']');
        }
        Value::Object(object) => {
            text.push('{');
            for (position, (name, value)) in object.iter().enumerate() {
                if text.len() > PRINTED_BYTES {
                    break;
                }
                text.push_str(if position > 0 { ", " } else { "" });
                text.push_str(name);
                text.push('=');
                print_to_depth(value, text, depth - 1);
            }
            text.push('}');
        }
        other => other.write_json(text),
    }
}

/// A double: `1.5`, and `1.0E7` from ten million on and below a thousandth.
fn double(number: f64) -> String {
    if number == 0.0 || (1e-3..1e7).contains(&number.abs()) {
        return ryu::Buffer::new().format(number).to_owned();
    }
    let scientific = format!("{number:E}");
    match scientific.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => scientific,
    }
}

/// The `hashCode` of a value.
pub(super) fn hash(value: &Value) -> i32 {
    match value {
        Value::Null => 0,
        Value::Bool(truth) => {
            if *truth {
                1231
            } else {
                1237
            }
        }
        Value::Number(Number::Integer(number)) => match i32::try_from(*number) {
            Ok(number) => number,
            Err(_) => folded(number.cast_unsigned()),
        },
        Value::Number(Number::Float(number)) => folded(number.to_bits()),
        Value::Number(Number::Large(digits)) => hash_text(digits),
        Value::String(text) => hash_text(text),
        Value::Array(items) => items.iter().fold(1_i32, |code, item| code.wrapping_mul(31).wrapping_add(hash(item))),
        Value::Object(object) => object.iter().fold(0_i32, |code, (name, value)| code.wrapping_add(hash_text(name) ^ hash(value))),
    }
}

/// The `hashCode` of a string.
pub(crate) fn hash_text(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |code, unit| code.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[allow(clippy::cast_possible_truncation, reason = "both halves are folded into one")]
fn folded(bits: u64) -> i32 {
    ((bits ^ (bits >> 32)) as u32).cast_signed()
}

/// In which order a hash table goes through what was put into it: positions in `hashes`, which stand in the order of insertion.
pub(crate) fn hash_table_order(hashes: &[i32], mut capacity: usize) -> Vec<usize> {
    while hashes.len() > capacity / 4 * 3 {
        capacity *= 2;
    }
    let bucket = |hash: i32| {
        let hash = hash.cast_unsigned();
        (hash ^ (hash >> 16)) as usize & (capacity - 1)
    };
    let mut order: Vec<usize> = (0..hashes.len()).collect();
    order.sort_by_key(|position| bucket(hashes[*position]));
    order
}

/// The capacity of a table that is made of a collection of this size.
pub(super) fn hash_table_capacity(size: usize, least: usize) -> usize {
    (size * 4 / 3 + 1).max(least).next_power_of_two()
}

/// `java.util.Random`.
#[derive(Debug, Clone)]
pub(super) struct JavaRandom(u64);

impl JavaRandom {
    const MASK: u64 = (1 << 48) - 1;

    pub(super) fn seeded(seed: i64) -> Self {
        Self((seed.cast_unsigned() ^ 0x5_DEEC_E66D) & Self::MASK)
    }

    #[allow(clippy::cast_possible_truncation, reason = "the upper bits of 48 are asked for")]
    fn bits(&mut self, bits: u32) -> i32 {
        self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & Self::MASK;
        ((self.0 >> (48 - bits)) as u32).cast_signed()
    }

    /// A number from 0 to below `bound`, which is positive.
    pub(super) fn next_int(&mut self, bound: i32) -> i32 {
        if bound & bound.wrapping_neg() == bound {
            let product = i64::from(bound) * i64::from(self.bits(31));
            return i32::try_from(product >> 31).unwrap_or_default();
        }
        loop {
            let bits = self.bits(31);
            let value = bits % bound;
            if bits.wrapping_sub(value).wrapping_add(bound - 1) >= 0 {
                return value;
            }
        }
    }

    /// A number from 0 to below 1.
    pub(super) fn next_double(&mut self) -> f64 {
        let high = i64::from(self.bits(26)) << 27;
        #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
        let mantissa = (high + i64::from(self.bits(27))) as f64;
        mantissa / 9_007_199_254_740_992.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_in_java() {
        for (json, printed) in [
            (r#"{"a":1,"b":["x",null,{"c":true}]}"#, "{a=1, b=[x, null, {c=true}]}"),
            ("[1.0,1.5e300,12345678.5,0.0001,-0.5,100]", "[1.0, 1.5E300, 1.23456785E7, 1.0E-4, -0.5, 100]"),
            (r#""text""#, "text"),
        ] {
            assert_eq!(to_string(&Value::parse(json).expect("JSON")), printed, "{json}");
        }
    }

    #[test]
    fn hashes_are_those_of_java() {
        for (json, code) in [("\"hello\"", 99_162_322), ("[1,2]", 994), ("1.5", 1_073_217_536), ("4294967296", 1), (r#"{"a":1}"#, 96)] {
            assert_eq!(hash(&Value::parse(json).expect("JSON")), code, "{json}");
        }
        assert_eq!(hash_table_order(&[1231, 1237], 16), [1, 0]);
    }

    #[test]
    fn random_numbers_are_those_of_java() {
        assert_eq!(JavaRandom::seeded(42).next_double().to_string(), "0.7275636800328681");
        let mut random = JavaRandom::seeded(42);
        assert_eq!([random.next_int(10), random.next_int(10), random.next_int(10)], [0, 3, 8]);
    }
}

//! `States.Format`, `States.StringSplit`, the Base64 functions, and those from JSON text and to it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::{Failure, Function};
use crate::expr::value::write_string;
use crate::expr::{Object, Value, hash, java};

/// The most characters that are hashed, coded and decoded.
const CHARACTERS: usize = 10_000;

/// How long and how deep a value may be that is written as text.
const JSON_BYTES: usize = 16 << 20;
const JSON_DEPTH: usize = 1000;

/// A template of `States.Format`, taken apart at its placeholders: one text more than there are placeholders.
#[derive(Debug)]
pub(super) struct Format {
    texts: Vec<String>,
}

impl Format {
    /// Takes a template apart. `\{`, `\}`, `\'` and `\\` stand for the character itself.
    pub(super) fn parse(template: &str) -> Result<Self, Failure> {
        let invalid = |what: &str| Failure::Words(format!("Invalid template in States.Format: {what}"));
        let mut texts = vec![];
        let mut text = String::new();
        let mut characters = template.chars();
        while let Some(next) = characters.next() {
            match next {
                '\\' => match characters.next() {
                    Some(escaped @ ('\\' | '\'' | '{' | '}')) => text.push(escaped),
                    _ => return Err(invalid(r"only \', \{, \} and \\ can be escaped.")),
                },
                '{' if characters.next() == Some('}') => texts.push(std::mem::take(&mut text)),
                '{' => return Err(invalid("matching '}' not found for '{'.")),
                '}' => return Err(invalid("matching '{' not found for '}'.")),
                other => text.push(other),
            }
        }
        texts.push(text);
        Ok(Self { texts })
    }

    /// Whether there are as many arguments as placeholders.
    pub(super) fn check(&self, arguments: usize) -> Result<(), Failure> {
        if arguments == self.texts.len() - 1 {
            return Ok(());
        }
        Err(Function::Format.refuses_because("number of arguments do not match the occurrences of {}."))
    }

    /// Writes the texts, and between them each argument by `write_argument`.
    pub(super) fn write(
        &self,
        text: &mut String,
        mut write_argument: impl FnMut(usize, &mut String) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        text.push_str(&self.texts[0]);
        for (position, after) in self.texts[1..].iter().enumerate() {
            write_argument(position, text)?;
            text.push_str(after);
        }
        Ok(())
    }
}

fn string(value: &Value, function: Function) -> Result<&str, Failure> {
    value.as_str().ok_or_else(|| function.refuses())
}

/// Every character of `delimiters` parts; empty parts are left out.
pub(super) fn split(text: &Value, delimiters: &Value) -> Result<Value, Failure> {
    let (text, delimiters) = (string(text, Function::StringSplit)?, string(delimiters, Function::StringSplit)?);
    let delimiters: std::collections::HashSet<char> = delimiters.chars().collect();
    Ok(Value::array(text.split(|next| delimiters.contains(&next)).filter(|part| !part.is_empty()).map(Value::from)))
}

fn short(value: &Value, function: Function) -> Result<&str, Failure> {
    string(value, function).and_then(|text| within_limit(text, function))
}

fn within_limit(text: &str, function: Function) -> Result<&str, Failure> {
    if text.chars().take(CHARACTERS + 1).count() > CHARACTERS { Err(function.refuses()) } else { Ok(text) }
}

/// Data that is no string is hashed as its JSON text.
pub(super) fn hash(data: &Value, algorithm: &Value) -> Result<Value, Failure> {
    let refuses = || Function::Hash.refuses();
    let json;
    let text = match data {
        Value::String(text) => &**text,
        Value::Null => return Err(refuses()),
        other => {
            json = json_text(other).ok_or_else(refuses)?;
            &json
        }
    };
    let text = within_limit(text, Function::Hash)?;
    hash::hexadecimal(string(algorithm, Function::Hash)?, text.as_bytes()).map(Value::from).ok_or_else(refuses)
}

pub(super) fn base64_encode(text: &Value) -> Result<Value, Failure> {
    Ok(Value::from(STANDARD.encode(short(text, Function::Base64Encode)?)))
}

/// Decodes as leniently as the service: what is no digit is passed over, padding may be missing, and ends the text.
pub(super) fn base64_decode(text: &Value) -> Result<Value, Failure> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => Some(byte),
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        _ => None,
    };
    let mut digits: Vec<u8> = short(text, Function::Base64Decode)?.bytes().take_while(|byte| *byte != b'=').filter_map(digit).collect();
    // A single digit left over holds no byte.
    digits.truncate(digits.len() - usize::from(digits.len() % 4 == 1));
    let bytes = GeneralPurpose::new(&alphabet::STANDARD, LENIENT).decode(digits).map_err(|_| Function::Base64Decode.refuses())?;
    Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The members of both; those of the second win. In the order of the hash table that the service makes of them.
pub(super) fn json_merge(one: &Value, other: &Value, deep: &Value) -> Result<Value, Failure> {
    let (Value::Object(one), Value::Object(other), Value::Bool(false)) = (one, other, deep) else {
        return Err(Function::JsonMerge.refuses());
    };
    let mut merged = Object::clone(one);
    for (name, value) in other.iter() {
        merged.insert(name.clone(), value.clone());
    }
    let members: Vec<_> = merged.iter().collect();
    let hashes: Vec<i32> = members.iter().map(|(name, _)| java::hash_text(name)).collect();
    let order = java::hash_table_order(&hashes, java::hash_table_capacity(one.len(), 1));
    Ok(Value::object(order.into_iter().map(|position| (members[position].0.clone(), members[position].1.clone()))))
}

pub(super) fn json_to_string(value: &Value) -> Result<Value, Failure> {
    json_text(value).map(Value::from).ok_or_else(|| Function::JsonToString.refuses())
}

/// The JSON text of a value; `None` where it is longer or deeper than any payload, as shared parts of arguments can make it.
fn json_text(value: &Value) -> Option<String> {
    let mut text = String::new();
    write_json(value, &mut text, JSON_DEPTH).then_some(text)
}

fn write_json(value: &Value, text: &mut String, depth: usize) -> bool {
    if depth == 0 || text.len() > JSON_BYTES {
        return false;
    }
    match value {
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                text.push_str(if position > 0 { "," } else { "" });
                if !write_json(item, text, depth - 1) {
                    return false;
                }
            }
            text.push(']');
        }
        Value::Object(object) => {
            text.push('{');
            for (position, (name, value)) in object.iter().enumerate() {
                text.push_str(if position > 0 { "," } else { "" });
                write_string(name, text);
                text.push(':');
                if !write_json(value, text, depth - 1) {
                    return false;
                }
            }
            text.push('}');
        }
        other => other.write_json(text),
    }
    true
}

/// Text without anything in it is null.
pub(super) fn string_to_json(text: &Value) -> Result<Value, Failure> {
    let text = string(text, Function::StringToJson)?;
    match text.trim_matches([' ', '\n', '\r', '\t']) {
        "" => Ok(Value::Null),
        "-0" => Ok(Value::from(0)),
        json => Value::parse(json).map_err(|_| Function::StringToJson.refuses()),
    }
}

//! Digests, for `States.Hash` and `$hash`.

use md5::Md5;
use sha1::{Digest as _, Sha1};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::strings::json_text;
use super::{Failure, Function};
use crate::expr::Value;

/// The most characters that `States.Hash` and the Base64 functions take.
pub(super) const CHARACTERS: usize = 10_000;

/// The digest of a text in lower-case hexadecimal digits; `None` for an unknown algorithm.
pub(crate) fn digest(data: &[u8], algorithm: &str) -> Option<String> {
    Some(match algorithm {
        "MD5" => hexadecimal(&Md5::digest(data)),
        "SHA-1" => hexadecimal(&Sha1::digest(data)),
        "SHA-256" => hexadecimal(&Sha256::digest(data)),
        "SHA-384" => hexadecimal(&Sha384::digest(data)),
        "SHA-512" => hexadecimal(&Sha512::digest(data)),
        _ => return None,
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).map(char::from).collect()
}

/// Data that is no string is hashed as its JSON text.
pub(super) fn intrinsic(data: &Value, algorithm: &Value) -> Result<Value, Failure> {
    let json;
    let text = match data {
        Value::String(text) => &**text,
        Value::Null => return Err(Function::Hash.refuses()),
        other => {
            json = json_text(other).ok_or_else(|| Function::Hash.refuses())?;
            &json
        }
    };
    let hash = algorithm.as_str().filter(|_| text.chars().take(CHARACTERS + 1).count() <= CHARACTERS);
    hash.and_then(|algorithm| digest(text.as_bytes(), algorithm)).map(Value::from).ok_or_else(|| Function::Hash.refuses())
}

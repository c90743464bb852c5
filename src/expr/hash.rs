//! The hashes that both languages offer.

use std::fmt::Write as _;

use sha1::Digest;

/// The hash of some bytes in lower-case hexadecimal digits; `None` for an algorithm that the service does not know.
pub(crate) fn hexadecimal(algorithm: &str, bytes: &[u8]) -> Option<String> {
    match algorithm {
        "MD5" => Some(digits(&md5::Md5::digest(bytes))),
        "SHA-1" => Some(digits(&sha1::Sha1::digest(bytes))),
        "SHA-256" => Some(digits(&sha2::Sha256::digest(bytes))),
        "SHA-384" => Some(digits(&sha2::Sha384::digest(bytes))),
        "SHA-512" => Some(digits(&sha2::Sha512::digest(bytes))),
        _ => None,
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all text");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes() {
        assert_eq!(hexadecimal("MD5", b"").as_deref(), Some("d41d8cd98f00b204e9800998ecf8427e"));
        assert_eq!(hexadecimal("SHA-1", b"abc").as_deref(), Some("a9993e364706816aba3e25717850c26c9cd0d89d"));
        assert_eq!(hexadecimal("SHA-512", b"").map(|digits| digits.len()), Some(128));
        assert_eq!(hexadecimal("sha-1", b"abc"), None);
    }
}

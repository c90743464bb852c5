//! Names of things that are secret, and names that only sound so.

use std::ops::Range;

/// What is looked for; each hit is then judged as the whole identifier that it stands in.
pub const NEEDLES: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "privatekey",
    "private_key",
    "private-key",
    "accesskey",
    "access_key",
    "access-key",
    "accountkey",
    "account_key",
    "account-key",
    "authkey",
    "auth_key",
    "auth-key",
    "signingkey",
    "signing_key",
    "signing-key",
    "encryptionkey",
    "encryption_key",
    "encryption-key",
    "masterkey",
    "master_key",
    "sharedkey",
    "shared_key",
    "connectionstring",
    "connection_string",
    "authorization",
    "credential",
    "signature",
    "cookie",
    "plaintext",
    "securestring",
    "sig=",
];

/// How much a name says about the value after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensitivity {
    /// The value is secret.
    Strong,
    /// Also a word of sentences (`Invalid token: …`): outside JSON the value has to look like a secret.
    Weak,
    /// Says that the value beside it is secret, not the one after it: the type of an SSM parameter.
    ValueOnly,
}

/// Endings of names, in lower case and without `_`, `-` and `.`.
const STRONG: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "apikey",
    "privatekey",
    "accesskey",
    "secretkey",
    "accountkey",
    "authkey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "sharedkey",
    "connectionstring",
    "secretstring",
    "secretbinary",
    "secretvalue",
];
const WEAK: &[&str] = &["secret", "token", "authorization", "credential", "credentials", "signature", "cookie", "plaintext"];
/// Opaque, but no secrets: pages and idempotency.
const HARMLESS: &[&str] = &["nexttoken", "continuationtoken", "paginationtoken", "clientrequesttoken", "clienttoken", "idempotencytoken"];

/// No name of interest is longer on either side of a needle.
const REACH: usize = 64;

/// The identifier around a needle.
pub fn identifier(text: &[u8], hit: Range<usize>) -> Range<usize> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let mut start = hit.start;
    while start > 0 && hit.start - start < REACH && part(text[start - 1]) && !ends_an_escape(text, start) {
        start -= 1;
    }
    let mut end = if text[hit.end - 1] == b'=' { hit.end - 1 } else { hit.end };
    while end < text.len() && end - hit.end.min(end) < REACH && part(text[end]) {
        end += 1;
    }
    start..end
}

/// Whether the byte before `position` is the `n` of a `\n` and not the end of a word.
pub fn ends_an_escape(text: &[u8], position: usize) -> bool {
    let short = position >= 2 && text[position - 2] == b'\\' && matches!(text[position - 1], b'n' | b'r' | b't' | b'b' | b'f');
    let long = position >= 6 && text[position - 6] == b'\\' && text[position - 5] == b'u';
    short || (long && text[position - 4..position].iter().all(u8::is_ascii_hexdigit))
}

/// How secret the value of this name is; `None` when it is not.
pub fn sensitivity(name: &[u8]) -> Option<Sensitivity> {
    let mut plain: String =
        name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    plain.truncate(plain.trim_end_matches(|last: char| last.is_ascii_digit()).len());
    if HARMLESS.iter().any(|ending| plain.ends_with(ending)) {
        return None;
    }
    if plain == "securestring" {
        return Some(Sensitivity::ValueOnly);
    }
    if plain == "sig" || STRONG.iter().any(|ending| plain.ends_with(ending)) {
        return Some(Sensitivity::Strong);
    }
    // `client_secret` and `accessToken` are names; `secret` and `token` alone are words as well.
    let ending = WEAK.iter().find(|ending| plain.ends_with(**ending))?;
    let compound = plain.len() > ending.len() && matches!(*ending, "secret" | "token" | "signature");
    Some(if compound { Sensitivity::Strong } else { Sensitivity::Weak })
}

/// Cookies hold several values with separators between them.
pub fn takes_whole_line(name: &[u8]) -> bool {
    name.len() >= 6 && name[name.len() - 6..].eq_ignore_ascii_case(b"cookie")
}

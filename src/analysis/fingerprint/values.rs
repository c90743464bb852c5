//! Which words are values: numbers, ids, durations, addresses. What is no word of a language stands for something of its execution.
//!
//! A piece is a run of letters and digits:
//!
//! | a piece                                                     | is                               |
//! |-------------------------------------------------------------|----------------------------------|
//! | letters alone                                               | a word                           |
//! | `s3`, `http2`, `sha256` and other terms                     | a word                           |
//! | digits alone                                                | a number                         |
//! | `b0fb553a`: at least six hexadecimal digits, one of them a digit | an id                        |
//! | `250ms`, `1h30m`; `64MB`; `3rd`                             | a duration; a size; a number     |
//! | `shard12`: a word with a number                             | the word and a number            |
//! | `C513817`, `7kq2z`: anything else with a digit              | an id                            |
//! | a letter that is not ASCII among them                       | what it is, but for the digits   |

use std::net::{Ipv4Addr, Ipv6Addr};

/// What was taken out of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Mark {
    Number,
    Id,
    Uuid,
    Arn,
    Url,
    Path,
    Ip,
    Time,
    Duration,
    Size,
    Email,
    Quoted,
    Json,
    Country,
    Currency,
    /// A word that varies where all others are the same.
    Word,
}

impl Mark {
    /// As a template shows it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Number => "<num>",
            Self::Id => "<id>",
            Self::Uuid => "<uuid>",
            Self::Arn => "<arn>",
            Self::Url => "<url>",
            Self::Path => "<path>",
            Self::Ip => "<ip>",
            Self::Time => "<time>",
            Self::Duration => "<duration>",
            Self::Size => "<size>",
            Self::Email => "<email>",
            Self::Quoted => "<quoted>",
            Self::Json => "<json>",
            Self::Country => "<country>",
            Self::Currency => "<currency>",
            Self::Word => "<word>",
        }
    }
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Word,
    /// A word of this many bytes, and a number.
    WordAndNumber(usize),
    /// Text that is no ASCII, with numbers in it.
    Numbered,
    Value(Mark),
}

/// Terms with digits that are words.
const TERMS: &[&str] = &[
    "s3",
    "ec2",
    "h2",
    "http2",
    "http3",
    "http11",
    "x509",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "md5",
    "utf8",
    "utf16",
    "utf32",
    "base64",
    "base32",
    "ipv4",
    "ipv6",
    "oauth2",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "k8s",
    "log4j",
    "pkcs1",
    "pkcs7",
    "pkcs8",
    "pkcs12",
    "tls1",
    "aes128",
    "aes256",
    "rs256",
    "es256",
    "hs256",
    "ed25519",
    "crc32",
    "latin1",
    "iso8859",
    "win32",
    "x86",
    "x64",
    "arm64",
    "amd64",
    "route53",
    "oracle12c",
    "db2",
    "neo4j",
    "ja3",
    "web3",
    "mp3",
    "mp4",
    "h264",
    "p50",
    "p90",
    "p95",
    "p99",
    "e2e",
    "b2b",
    "b2c",
    "i18n",
    "l10n",
    "a11y",
    "2fa",
    "3ds",
    "3d",
    "2d",
    "v1",
    "v2",
    "v3",
    "v4",
];

const DURATIONS: &[&str] = &["ns", "us", "µs", "μs", "ms", "s", "sec", "secs", "m", "min", "mins", "h", "hr", "hrs"];
const SIZES: &[&str] = &["b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib", "bytes"];

/// ISO 3166 codes, without `IO`, `ID`, `IS`, `IN`, `NO`, `TO` and others that are words or terms in capitals.
const COUNTRIES: &str = "AD AE AF AG AI AL AO AQ AR AU AW AX AZ BA BB BD BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BZ CA CC CD CF CG \
    CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR \
    GS GT GU GW GY HK HM HN HR HT HU IE IL IM IQ IR IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD \
    MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MZ NA NC NE NF NG NI NL NP NR NU NZ PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO \
    RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TR TT TV TW TZ UA UG UM US UY UZ VA \
    VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW UK EU";

/// ISO 4217 codes, without `ALL`, `TOP`, `TRY` and others that are words in capitals.
const CURRENCIES: &str = "AED AFN AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP \
    CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD \
    JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR \
    NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TTD \
    TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW";

/// What a piece of letters and digits is.
pub(super) fn piece(text: &str) -> Piece {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if !text.is_ascii() {
        // Micro, as a sign of its own and as a Greek letter.
        if let Some(number) = text.strip_suffix("µs").or_else(|| text.strip_suffix("μs"))
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Piece::Value(Mark::Duration);
        }
        return if text.chars().any(char::is_numeric) { Piece::Numbered } else { Piece::Word };
    }
    if digits == 0 {
        return Piece::Word;
    }
    if digits == text.len() {
        return Piece::Value(Mark::Number);
    }
    if TERMS.iter().any(|term| term.eq_ignore_ascii_case(text)) {
        return Piece::Word;
    }
    if text.len() >= 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Piece::Value(Mark::Id);
    }
    if let Some(mark) = measure(text) {
        return Piece::Value(mark);
    }
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let is_numbered = letters + digits == text.len() && (letters >= 3 || digits <= 2) && digits <= 12;
    if letters > 0 && is_numbered { Piece::WordAndNumber(letters) } else { Piece::Value(Mark::Id) }
}

/// Numbers with units: `250ms`, `1h30m`, `64MB`, `3rd`.
fn measure(text: &str) -> Option<Mark> {
    let mut rest = text;
    let mut found = None;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = rest[digits..digits + letters].to_ascii_lowercase();
        let mark = match unit.as_str() {
            _ if digits == 0 => return None,
            "st" | "nd" | "rd" | "th" | "x" | "e" => Mark::Number,
            unit if DURATIONS.contains(&unit) || unit == "d" => Mark::Duration,
            unit if SIZES.contains(&unit) => Mark::Size,
            _ => return None,
        };
        if found.is_some_and(|found| found != mark) {
            return None;
        }
        found = Some(mark);
        rest = &rest[digits + letters..];
    }
    found
}

/// A unit after a number with a fraction, such as the `s` of `2.5s`.
pub(super) fn unit(text: &str) -> Option<Mark> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "d" | "x" | "e" => Some(Mark::Number),
        unit if DURATIONS.contains(&unit) => Some(Mark::Duration),
        unit if SIZES.contains(&unit) => Some(Mark::Size),
        _ => None,
    }
}

/// A code that stands for a country or a currency.
pub(super) fn code(word: &str) -> Option<Mark> {
    if !word.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    match word.len() {
        2 if is_listed(COUNTRIES, word) => Some(Mark::Country),
        3 if is_listed(CURRENCIES, word) => Some(Mark::Currency),
        _ => None,
    }
}

fn is_listed(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed == word)
}

/// What a run of characters without spaces is as a whole.
pub(super) fn chunk(text: &str) -> Option<Mark> {
    if is_uuid(text) {
        return Some(Mark::Uuid);
    }
    if text.starts_with("arn:") && text.bytes().filter(|byte| *byte == b':').count() >= 5 {
        return Some(Mark::Arn);
    }
    if is_time(text) {
        return Some(Mark::Time);
    }
    if is_address(text) {
        return Some(Mark::Ip);
    }
    if is_email(text) {
        return Some(Mark::Email);
    }
    if is_path(text) {
        return Some(Mark::Path);
    }
    is_random(text).then_some(Mark::Id)
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    text.len() == 36 && text.split('-').map(str::len).eq(lengths) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Dates and times of day as programs write them: the digits of one are one number to a reader.
fn is_time(text: &str) -> bool {
    const DATES: [&str; 6] = ["dddd-dd-dd", "dddd/dd/dd", "dd/dd/dddd", "dd.dd.dddd", "ddddddddTdddddd", "dddd-dd"];
    if !text.starts_with(|first: char| first.is_ascii_digit()) || text.len() > 40 || !text.is_ascii() {
        return false;
    }
    let shape: String = text.chars().map(|character| if character.is_ascii_digit() { 'd' } else { character }).collect();
    let Some(date) = DATES.iter().find(|date| shape.starts_with(**date)) else { return is_time_of_day(&shape) };
    let rest = &shape[date.len()..];
    let rest = rest.strip_prefix(['T', 't', '_', ':']).unwrap_or(rest);
    rest.is_empty() || matches!(rest, "Z" | "z") || is_time_of_day(rest)
}

/// `dd:dd`, `dd:dd:dd`, with a fraction and an offset.
fn is_time_of_day(shape: &str) -> bool {
    let hours = shape.bytes().take_while(|byte| *byte == b'd').count();
    let Some(rest) = shape[hours..].strip_prefix(":dd") else { return false };
    if !(1..=2).contains(&hours) {
        return false;
    }
    let rest = rest.strip_prefix(":dd").unwrap_or(rest);
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) if fraction.starts_with('d') => fraction.trim_start_matches('d'),
        _ => rest,
    };
    matches!(rest, "" | "Z" | "z" | "+dd:dd" | "-dd:dd" | "+dddd" | "-dddd" | "+dd" | "-dd")
}

/// IPv4 and IPv6, with a port or the length of a prefix.
fn is_address(text: &str) -> bool {
    let bare = text.strip_prefix('[').unwrap_or(text);
    let host = bare.split(['/', ']', '%']).next().unwrap_or_default();
    let host_v4 = host.split(':').next().unwrap_or_default();
    if host_v4.bytes().filter(|byte| *byte == b'.').count() == 3 && host_v4.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    host.bytes().filter(|byte| *byte == b':').count() >= 2 && host.parse::<Ipv6Addr>().is_ok()
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_sound = |part: &str| part.chars().all(|c| c.is_alphanumeric() || ".-_+%".contains(c)) && !part.is_empty();
    is_sound(local) && is_sound(domain) && domain.contains('.')
}

/// Paths from a root, and relative ones that no pair of words could be: `and/or` is none, `in/2026/a.csv` is one.
fn is_path(text: &str) -> bool {
    let is_rooted = ["/", "./", "../", "~/"].iter().any(|root| text.starts_with(root));
    let bytes = text.as_bytes();
    let is_on_drive = bytes.len() > 3 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && bytes[2] == b'\\';
    if is_rooted || is_on_drive {
        return text.chars().any(char::is_alphanumeric);
    }
    let slashes = text.bytes().filter(|byte| *byte == b'/').count();
    let last = text.rsplit('/').next().unwrap_or_default();
    let has_ending = last.rsplit_once('.').is_some_and(|(name, ending)| {
        !name.is_empty() && (1..=5).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = text.chars().any(char::is_alphabetic);
    has_letter && (slashes >= 2 || (slashes == 1 && (has_digit || has_ending)))
}

/// Tokens and keys in base 64: long, mixed, with a digit.
fn is_random(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'=');
    text.len() >= 20 && text.bytes().all(is_base64) && {
        let has = |is: fn(&u8) -> bool| text.bytes().any(|byte| is(&byte));
        has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && !text.contains('_')
    }
}

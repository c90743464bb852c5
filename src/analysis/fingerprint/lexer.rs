//! Cuts a message into words and values.
//!
//! Goes over the text once. Where nothing begins that has a form of its own (quotes, JSON, an address with a scheme), a chunk is what
//! stands between spaces, brackets and quotes; a chunk that is no value as a whole is taken apart at its points and dashes.

use std::ops::Range;

use super::values::{self, Mark, Piece};

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// One or more spaces or line ends.
    Space,
    /// A word, a part of one, or a sign.
    Text(&'t str),
    /// A value that was taken out.
    Mark(Mark),
}

/// Quoted names longer than this are values.
const LONGEST_NAME: usize = 120;

/// How far the end of a quotation is looked for.
const LONGEST_QUOTATION: usize = 1 << 16;

/// Cuts a message. `keep_names`: what is quoted and may be a name in a program or a definition stays.
pub(super) fn tokens(text: &str, keep_names: bool, most: usize) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, at: 0, keep_names, out: Vec::new() };
    while lexer.at < text.len() && lexer.out.len() < most {
        lexer.step();
    }
    lexer.out
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    keep_names: bool,
    out: Vec<Token<'t>>,
}

impl<'t> Lexer<'t> {
    fn step(&mut self) {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return };
        if first.is_whitespace() {
            self.at += rest.len() - rest.trim_start().len();
            return self.out.push(Token::Space);
        }
        let at_word_start = self.text[..self.at].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
        if let Some(close) = closing(first).filter(|_| at_word_start)
            && let Some(inside) = quotation(rest, first, close)
        {
            return self.quoted(inside, close);
        }
        if matches!(first, '{' | '[')
            && let Some(length) = json(rest)
        {
            return self.mark(Mark::Json, length);
        }
        if let Some(length) = address(rest) {
            return self.mark(Mark::Url, length);
        }
        let length = rest.find(|c: char| !is_of_chunk(c)).unwrap_or(rest.len());
        if length == 0 {
            self.at += first.len_utf8();
            return self.out.push(Token::Text(&rest[..first.len_utf8()]));
        }
        let chunk = rest[..length].trim_end_matches(['.', ':', '?', '!']);
        if chunk.is_empty() {
            self.at += length;
            return self.out.push(Token::Text(&rest[..length]));
        }
        self.at += chunk.len();
        match values::chunk(chunk).or_else(|| values::code(chunk).filter(|_| !self.shouts())) {
            Some(mark) => self.out.push(Token::Mark(mark)),
            None => self.words(chunk),
        }
    }

    fn mark(&mut self, mark: Mark, length: usize) {
        self.at += length;
        self.out.push(Token::Mark(mark));
    }

    /// Whether the message is in capitals: its short words are no codes.
    fn shouts(&self) -> bool {
        !self.text.chars().any(char::is_lowercase)
    }

    /// What stands in quotes: a name stays, with its values taken out; anything else is a value.
    fn quoted(&mut self, inside: Range<usize>, close: char) {
        let content = &self.text[self.at + inside.start..self.at + inside.end];
        let end = self.at + inside.end + close.len_utf8();
        if self.keep_names && is_name(content) {
            self.out.push(Token::Text(&self.text[self.at..self.at + inside.start]));
            self.at += inside.start;
            if content.starts_with('$') || content.contains(' ') {
                self.out.push(Token::Text(content));
            } else {
                self.words(content);
            }
            self.out.push(Token::Text(&self.text[end - close.len_utf8()..end]));
        } else if content.trim_start().starts_with(['{', '[']) {
            self.out.push(Token::Mark(Mark::Json));
        } else {
            self.out.push(Token::Mark(Mark::Quoted));
        }
        self.at = end;
    }

    /// A chunk that is no value as a whole: compounds of pieces, joined by dashes, and signs between them.
    fn words(&mut self, chunk: &'t str) {
        let mut at = 0;
        // A minus before a number is a part of it.
        if chunk.starts_with('-') && chunk[1..].starts_with(|next: char| next.is_ascii_digit()) {
            at = 1;
        }
        while at < chunk.len() {
            let rest = &chunk[at..];
            let length = match rest.chars().next() {
                Some(first) if first.is_ascii_digit() && number(rest).is_some() => {
                    let (length, mark) = number(rest).unwrap_or((1, Mark::Number));
                    self.out.push(Token::Mark(mark));
                    length
                }
                Some(first) if first.is_alphanumeric() => {
                    let length = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(rest.len());
                    let compound = rest[..length].trim_end_matches(['-', '_']);
                    self.compound(compound);
                    compound.len()
                }
                Some(sign) => {
                    self.out.push(Token::Text(&rest[..sign.len_utf8()]));
                    sign.len_utf8()
                }
                None => return,
            };
            at += length;
        }
    }

    /// Pieces joined by dashes: `ord-49861825`, `2a5cc178-8172`.
    fn compound(&mut self, compound: &'t str) {
        let pieces: Vec<(&str, Piece)> = compound.split(['-', '_']).map(|piece| (piece, values::piece(piece))).collect();
        let is_opaque = |piece: &Piece| matches!(piece, Piece::Value(Mark::Id));
        // Half of a UUID: nothing but hexadecimal digits between dashes.
        let is_hexadecimal = |text: &str| text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let has_digit = compound.bytes().any(|byte| byte.is_ascii_digit());
        let is_half_uuid = pieces.len() > 1 && has_digit && pieces.iter().all(|(text, _)| is_hexadecimal(text));
        let has_opaque = is_half_uuid || pieces.iter().any(|(_, piece)| is_opaque(piece));
        let mut at = 0;
        let mut after_value = false;
        for (text, piece) in pieces {
            let joint = (at > 0).then(|| &compound[at - 1..at]);
            let piece = match piece {
                // In an id, what could be a part of it is one.
                Piece::Word | Piece::WordAndNumber(_) if has_opaque && is_hexadecimal(text) => Piece::Value(Mark::Id),
                Piece::Value(_) if has_opaque => Piece::Value(Mark::Id),
                other => other,
            };
            at += text.len() + 1;
            if let (Piece::Value(mark), true) = (piece, after_value) {
                // Values joined by dashes are one value.
                if self.out.last() != Some(&Token::Mark(mark)) {
                    self.out.pop();
                    self.out.push(Token::Mark(Mark::Id));
                }
                continue;
            }
            self.out.extend(joint.map(Token::Text));
            after_value = matches!(piece, Piece::Value(_));
            self.piece(text, piece);
        }
    }

    fn piece(&mut self, text: &'t str, piece: Piece) {
        match piece {
            Piece::Word if text.is_empty() => {}
            Piece::Word => self.out.push(Token::Text(text)),
            Piece::Value(mark) => self.out.push(Token::Mark(mark)),
            Piece::WordAndNumber(letters) => {
                self.out.extend([Token::Text(&text[..letters]), Token::Mark(Mark::Number)]);
            }
            Piece::Numbered => {
                let mut rest = text;
                while !rest.is_empty() {
                    let is_number = rest.starts_with(char::is_numeric);
                    let length = rest.find(|c: char| c.is_numeric() != is_number).unwrap_or(rest.len());
                    self.out.push(if is_number { Token::Mark(Mark::Number) } else { Token::Text(&rest[..length]) });
                    rest = &rest[length..];
                }
            }
        }
    }
}

fn is_of_chunk(character: char) -> bool {
    character.is_alphanumeric() || "._-/:@+%#~\\$*!?&".contains(character)
}

/// A number with points, commas and a unit: `548.00`, `1,234.5`, `2.5s`; how long it is. `None` for one without a fraction that is a
/// part of a word.
fn number(text: &str) -> Option<(usize, Mark)> {
    let bytes = text.as_bytes();
    let digits_from = |at: usize| bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits_from(0);
    let mut has_fraction = false;
    while bytes.get(length).is_some_and(|byte| matches!(byte, b'.' | b',')) && digits_from(length + 1) > 0 {
        length += 1 + digits_from(length + 1);
        has_fraction = true;
    }
    let after = text[length..].chars().next();
    if !after.is_some_and(|after| after.is_alphanumeric() || matches!(after, '-' | '_')) {
        return Some((length, Mark::Number));
    }
    if !has_fraction {
        return None;
    }
    let letters = text[length..].find(|c: char| !c.is_alphabetic()).unwrap_or(text.len() - length);
    match values::unit(&text[length..length + letters]) {
        Some(mark) => Some((length + letters, mark)),
        None => Some((length, Mark::Number)),
    }
}

/// What ends a quotation that begins so.
fn closing(open: char) -> Option<char> {
    Some(match open {
        '\'' | '"' | '`' => open,
        '\u{201c}' | '\u{201f}' => '\u{201d}',
        '\u{201e}' => '\u{201c}',
        '\u{2018}' => '\u{2019}',
        '\u{ab}' => '\u{bb}',
        '\u{300c}' => '\u{300d}',
        _ => return None,
    })
}

/// Where the text between quotes stands that open at the beginning of `text`. JSON between them may hold quotes of its own.
fn quotation(text: &str, open: char, close: char) -> Option<Range<usize>> {
    let start = open.len_utf8();
    let limit = text.len().min(LONGEST_QUOTATION);
    let limit = (limit..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let from = if text[start..].starts_with(['{', '[']) { start + json(&text[start..]).unwrap_or(0) } else { start };
    let ends = |at: &usize| {
        let before = text[..*at].chars().next_back();
        let after = text[at + close.len_utf8()..].chars().next();
        before != Some('\\') && after.is_none_or(|after| !after.is_alphanumeric())
    };
    let found = text[from..limit].match_indices(close).map(|(at, _)| from + at).find(ends);
    found.map(|end| start..end)
}

/// Whether quoted text can be the name of something in a program or a definition: an identifier, a path of one, an expression.
fn is_name(content: &str) -> bool {
    let starts = content.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '$' | '@' | '.' | '<' | '%'));
    starts
        && content.len() <= LONGEST_NAME
        && !content.contains(['@', '{', '\n'])
        && (content.starts_with(['$', '%']) || !content.contains(' '))
}

/// How long the JSON object or array is with which the text begins; to the end for one that was cut. `None` for brackets that are
/// none.
fn json(text: &str) -> Option<usize> {
    let inside = text[1..].trim_start();
    let begins = match text.as_bytes().first() {
        Some(b'{') => inside.starts_with(['"', '\'']) || inside.starts_with("\\\""),
        Some(b'[') => inside.starts_with(['{', '[', '"', '\'']) || inside.starts_with(|first: char| first.is_ascii_digit()),
        _ => false,
    };
    if !begins {
        return None;
    }
    let (mut depth, mut in_string) = (0_u32, false);
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    Some(text.len())
}

/// How long the address is with which the text begins: a scheme, `://` and what follows.
fn address(text: &str) -> Option<usize> {
    let scheme = text.bytes().take(12).take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-')).count();
    if scheme < 2 || !text[scheme..].starts_with("://") {
        return None;
    }
    let end = text.find(|c: char| c.is_whitespace() || "\"'`<>(){}|,;".contains(c)).unwrap_or(text.len());
    Some(text[..end].trim_end_matches(['.', ':', '?', '!']).len())
}

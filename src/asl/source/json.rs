//! JSON with places. Apart from the readers of payloads, which keep no places and take the last of two equal names silently.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::node::{Content, Member, Node, Span};
use super::{DEEPEST, Duplicate, Problem, Tree};

pub(super) fn parse(text: &str) -> Result<Tree, Problem> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, duplicates: Vec::new() };
    reader.skip_blanks();
    let root = reader.value(0)?;
    reader.skip_blanks();
    match reader.peek() {
        None => Ok(Tree { root, duplicates: reader.duplicates }),
        Some(_) => Err(Problem::new("the JSON ends here, and more text follows", reader.at)),
    }
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    duplicates: Vec<Duplicate>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes this byte, and the blanks before it, if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expected(&self, what: &str) -> Problem {
        let found = match self.text[self.at..].chars().next() {
            None => "the end of the text".to_owned(),
            Some(character) => format!("'{}'", character.escape_debug()),
        };
        Problem::new(format!("expected {what} and found {found}"), self.at)
    }

    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        let start = self.at;
        if depth > DEEPEST {
            return Err(Problem::too_deep(start));
        }
        let content = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Content::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { content, span: Span { start, end: self.at } })
    }

    fn word(&mut self) -> Result<Content, Problem> {
        for (word, content) in [("true", Content::Boolean(true)), ("false", Content::Boolean(false)), ("null", Content::Null)] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(content);
            }
        }
        Err(self.expected("a value"))
    }

    fn array(&mut self, depth: usize) -> Result<Content, Problem> {
        self.at += 1;
        let mut items = Vec::new();
        if self.takes(b']') {
            return Ok(Content::Array(items));
        }
        loop {
            self.skip_blanks();
            items.push(self.value(depth + 1)?);
            if self.takes(b']') {
                return Ok(Content::Array(items));
            }
            if !self.takes(b',') {
                return Err(self.expected("',' or ']'"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Content, Problem> {
        self.at += 1;
        let mut members = Members::default();
        if self.takes(b'}') {
            return Ok(Content::Object(members.list));
        }
        loop {
            self.skip_blanks();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expected("the name of a member"));
            }
            let name = self.string()?;
            let name_span = Span { start, end: self.at };
            if !self.takes(b':') {
                return Err(self.expected("':'"));
            }
            self.skip_blanks();
            let value = self.value(depth + 1)?;
            self.duplicates.extend(members.add(Member { name, name_span, value }));
            if self.takes(b'}') {
                return Ok(Content::Object(members.list));
            }
            if !self.takes(b',') {
                return Err(self.expected("',' or '}'"));
            }
        }
    }

    fn number(&mut self) -> Result<Content, Problem> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Content::Number(self.text[start..self.at].to_owned()))
    }

    fn digits(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<String, Problem> {
        let start = self.at;
        self.at += 1;
        let mut value = String::new();
        loop {
            let plain = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1F)) {
                self.at += 1;
            }
            value.push_str(&self.text[plain..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(b'\\') => value.push(self.escape()?),
                Some(_) => return Err(self.expected("a string without line ends and control characters, which are to be escaped,")),
                None => return Err(Problem::new("a string begins here and does not end", start)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let start = self.at;
        self.at += 2;
        Ok(match self.bytes.get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let unit = self.hexadecimal(start)?;
                let is_high = (0xD800..0xDC00).contains(&unit);
                if is_high && self.bytes[self.at..].starts_with(b"\\u") {
                    let back = self.at;
                    self.at += 2;
                    let low = self.hexadecimal(start)?;
                    if (0xDC00..0xE000).contains(&low) {
                        return Ok(char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00)).unwrap_or('\u{fffd}'));
                    }
                    self.at = back;
                }
                // Half of a pair is no character; it is shown as one that can't be.
                char::from_u32(unit).unwrap_or('\u{fffd}')
            }
            _ => return Err(Problem::new("a backslash that begins no escape sequence", start)),
        })
    }

    fn hexadecimal(&mut self, start: usize) -> Result<u32, Problem> {
        let digits = self.bytes.get(self.at..self.at + 4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        value.ok_or_else(|| Problem::new("\\u is followed by four hexadecimal digits", start))
    }
}

/// The members of an object so far.
#[derive(Default)]
pub(super) struct Members {
    pub(super) list: Vec<Member>,
    positions: HashMap<String, usize>,
}

impl Members {
    /// Adds one; gives notice when it takes the place of an earlier one.
    pub(super) fn add(&mut self, member: Member) -> Option<Duplicate> {
        match self.positions.entry(member.name.clone()) {
            Entry::Vacant(free) => {
                free.insert(self.list.len());
                self.list.push(member);
                None
            }
            Entry::Occupied(known) => {
                let duplicate = Duplicate { name: member.name.clone(), span: member.name_span };
                self.list[*known.get()] = member;
                Some(duplicate)
            }
        }
    }
}

//! An expression as words, quoted texts and signs, each with its place.

use super::SelectionError;

/// What an expression is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a number, a time, an ARN: whatever stands without quotes.
    Word(String),
    /// What stood in quotes.
    Text(String),
    /// `( ) , = != < <= > >=`
    Sign(&'static str),
}

/// A token and the column of its first character, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub token: Token,
    pub column: usize,
}

impl Token {
    /// As it is quoted in an error.
    pub fn shown(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Text(text) => format!("'{text}'"),
            Self::Sign(sign) => format!("`{sign}`"),
        }
    }
}

const SIGNS: [(&str, &str); 12] = [
    ("!=", "!="),
    ("<>", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("==", "="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("(", "("),
    (")", ")"),
    (",", ","),
    ("!", "!"),
];

/// Cuts an expression into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, SelectionError> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut column = 1;
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if let Some((sign, meaning)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            if *meaning == "!" {
                return Err(SelectionError { column, problem: "`!` stands for nothing here; write `not`, or `!=`".to_owned() });
            }
            (Some(Token::Sign(meaning)), sign.len())
        } else if matches!(first, '\'' | '"') {
            let (text, length) = quoted(rest, first, column)?;
            (Some(Token::Text(text)), length)
        } else {
            let length = word_length(rest);
            (Some(Token::Word(rest[..length].to_owned())), length)
        };
        if let Some(token) = token {
            found.push(Placed { token, column });
        }
        column += rest[..length].chars().count();
        rest = &rest[length..];
    }
    Ok(found)
}

/// Text in quotes, which are doubled inside, and how many bytes it takes.
fn quoted(rest: &str, quote: char, column: usize) -> Result<(String, usize), SelectionError> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            text.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            text.push(quote);
        } else {
            return Ok((text, at + quote.len_utf8()));
        }
    }
    Err(SelectionError { column, problem: format!("the text that begins with {quote} has no end; double a {quote} that is meant") })
}

/// A word ends before a space or a sign; what stands in brackets belongs to it: `input['odd name'].sku`.
fn word_length(rest: &str) -> usize {
    let mut inside: Option<char> = None;
    let mut brackets = false;
    for (at, character) in rest.char_indices() {
        match (inside, character) {
            (Some(quote), _) => inside = Some(quote).filter(|quote| *quote != character),
            (None, '\'' | '"') if brackets => inside = Some(character),
            (None, '[') => brackets = true,
            (None, ']') => brackets = false,
            (None, _) if !brackets && (character.is_whitespace() || "()=!<>,'\"".contains(character)) => return at,
            _ => {}
        }
    }
    rest.len()
}

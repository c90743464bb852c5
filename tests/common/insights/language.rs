//! The text of a query to commands.

use regex::Regex;

/// Functions that may stand in any expression, with how many arguments.
const SCALARS: &[(&str, usize, usize)] = &[
    ("strcontains", 2, 2),
    ("coalesce", 1, 9),
    ("ceil", 1, 1),
    ("floor", 1, 1),
    ("least", 2, 9),
    ("greatest", 2, 9),
    ("bin", 1, 1),
    ("ispresent", 1, 1),
];

/// Functions of `stats` only.
const AGGREGATES: &[(&str, usize, usize)] = &[
    ("count", 1, 1),
    ("count_distinct", 1, 1),
    ("sum", 1, 1),
    ("avg", 1, 1),
    ("min", 1, 1),
    ("max", 1, 1),
    ("pct", 2, 2),
    ("earliest", 1, 1),
    ("latest", 1, 1),
];

pub enum Command {
    Filter(Expression),
    Fields(Vec<Named>),
    Parse {
        field: String,
        pattern: Regex,
        groups: Vec<String>,
    },
    Stats {
        aggregates: Vec<Named>,
        by: Vec<Named>,
    },
    /// Fields, and whether they ascend.
    Sort(Vec<(String, bool)>),
    Limit(usize),
    Display(Vec<String>),
}

/// An expression and what its value is called.
pub struct Named {
    pub name: String,
    pub expression: Expression,
}

pub enum Expression {
    Number(f64),
    Text(String),
    Field(String),
    /// `*` of `count(*)`.
    Star,
    /// Milliseconds of `5m`.
    Period(f64),
    Call {
        function: String,
        arguments: Vec<Expression>,
    },
    Binary {
        operator: String,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    Like {
        field: Box<Expression>,
        pattern: Regex,
    },
    List(Vec<Expression>),
    Not(Box<Expression>),
}

impl Command {
    /// The fields that it reads.
    pub fn fields(&self) -> Vec<String> {
        let mut fields = Vec::new();
        let mut of = |named: &[Named]| named.iter().for_each(|named| super::fields_of(&named.expression, &mut fields));
        match self {
            Self::Filter(condition) => super::fields_of(condition, &mut fields),
            Self::Fields(names) => of(names),
            Self::Stats { aggregates, by } => {
                of(aggregates);
                of(by);
            }
            Self::Parse { field, .. } => fields.push(field.clone()),
            Self::Sort(keys) => fields.extend(keys.iter().map(|(field, _)| field.clone())),
            Self::Display(names) => fields.extend(names.iter().cloned()),
            Self::Limit(_) => {}
        }
        fields
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Number(f64),
    Period(f64),
    Text(String),
    Regex(String),
    Mark(String),
}

/// All commands of a query.
pub fn commands(text: &str) -> Result<Vec<Command>, String> {
    let tokens = tokens(text)?;
    tokens.split(|token| *token == Token::Mark("|".to_owned())).map(|tokens| Parser { tokens, at: 0 }.command()).collect()
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let rest = &characters[at..];
        let while_ = |is: fn(char) -> bool| rest.iter().copied().take_while(|character| is(*character)).collect::<String>();
        let before = |back: usize| tokens.len().checked_sub(back).and_then(|at| tokens.get(at));
        let is_word = |token: Option<&Token>, word: &str| token == Some(&Token::Word(word.to_owned()));
        if character.is_whitespace() {
            at += 1;
        } else if character == '"' {
            let inner: String = rest[1..].iter().take_while(|character| **character != '"').collect();
            at += inner.chars().count() + 2;
            tokens.push(Token::Text(inner));
        } else if character == '/' && (is_word(before(1), "like") || is_word(before(2), "parse")) {
            let end =
                (1..rest.len()).find(|end| rest[*end] == '/' && rest[end - 1] != '\\').ok_or("a regular expression without an end")?;
            tokens.push(Token::Regex(rest[1..end].iter().collect()));
            at += end + 1;
        } else if character.is_ascii_digit() {
            let digits = while_(|character| character.is_ascii_digit() || character == '.');
            let unit: String = rest[digits.len()..].iter().take_while(|character| character.is_alphabetic()).collect();
            let number: f64 = digits.parse().map_err(|_| format!("{digits} is no number"))?;
            at += digits.len() + unit.len();
            tokens.push(match unit.as_str() {
                "" => Token::Number(number),
                "s" => Token::Period(number * 1e3),
                "m" => Token::Period(number * 6e4),
                "h" => Token::Period(number * 3.6e6),
                "d" => Token::Period(number * 8.64e7),
                _ => return Err(format!("`{unit}` is no unit of time")),
            });
        } else if character.is_alphabetic() || matches!(character, '@' | '_') {
            let word = while_(|character| character.is_alphanumeric() || matches!(character, '@' | '_' | '.'));
            at += word.chars().count();
            tokens.push(Token::Word(word));
        } else {
            let two: String = rest.iter().take(2).collect();
            let mark = if ["!=", "<=", ">="].contains(&two.as_str()) { two } else { character.to_string() };
            if !"()[],|=<>+-*/!=<=>=".contains(&mark) {
                return Err(format!("`{mark}` is nothing of the language"));
            }
            at += mark.len();
            tokens.push(Token::Mark(mark));
        }
    }
    Ok(tokens)
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl Parser<'_> {
    fn command(&mut self) -> Result<Command, String> {
        let name = self.word()?;
        let command = match name.as_str() {
            "filter" => Command::Filter(self.either()?),
            "fields" => Command::Fields(self.named_list(false)?),
            "display" => Command::Display(self.list(Self::word)?),
            "parse" => self.parse()?,
            "stats" => {
                let aggregates = self.named_list(true)?;
                let by = if self.takes_word("by") { self.named_list(false)? } else { Vec::new() };
                Command::Stats { aggregates, by }
            }
            "sort" => Command::Sort(self.list(|parser| {
                let field = parser.word()?;
                let descends = parser.takes_word("desc");
                // The word may stand there, and changes nothing.
                parser.takes_word("asc");
                Ok((field, !descends))
            })?),
            "limit" => match self.next() {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                Some(Token::Number(number)) => Command::Limit(number as usize),
                other => return Err(format!("{other:?} is no limit")),
            },
            _ => return Err(format!("`{name}` is no command")),
        };
        if self.at < self.tokens.len() {
            return Err(format!("{name} does not end: {:?}", &self.tokens[self.at..]));
        }
        Ok(command)
    }

    fn parse(&mut self) -> Result<Command, String> {
        let field = self.word()?;
        let Some(Token::Regex(text)) = self.next() else { return Err("parse needs a regular expression here".to_owned()) };
        let pattern = Regex::new(&text).map_err(|error| error.to_string())?;
        let groups: Vec<String> = pattern.capture_names().flatten().map(str::to_owned).collect();
        if groups.is_empty() { Err("parse names nothing".to_owned()) } else { Ok(Command::Parse { field, pattern, groups }) }
    }

    fn named_list(&mut self, are_aggregates: bool) -> Result<Vec<Named>, String> {
        self.list(|parser| {
            let expression = parser.sum()?;
            if are_aggregates != has_aggregate(&expression) {
                return Err("aggregates stand in stats, and nothing else does".to_owned());
            }
            let name = match (&expression, parser.takes_word("as")) {
                (_, true) => parser.word()?,
                (Expression::Field(name), false) => name.clone(),
                _ => return Err("what is computed has a name".to_owned()),
            };
            Ok(Named { name, expression })
        })
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut items = vec![item(self)?];
        while self.takes(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn either(&mut self) -> Result<Expression, String> {
        let mut left = self.both()?;
        while self.takes_word("or") {
            left = binary("or", left, self.both()?);
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Expression, String> {
        let mut left = self.condition()?;
        while self.takes_word("and") {
            left = binary("and", left, self.condition()?);
        }
        Ok(left)
    }

    fn condition(&mut self) -> Result<Expression, String> {
        if self.takes_word("not") {
            return Ok(Expression::Not(Box::new(self.condition()?)));
        }
        let left = self.sum()?;
        if self.takes_word("like") {
            let Some(Token::Regex(text)) = self.next() else { return Err("like needs a regular expression here".to_owned()) };
            return Ok(Expression::Like { field: Box::new(left), pattern: Regex::new(&text).map_err(|error| error.to_string())? });
        }
        if self.takes_word("in") {
            self.needs("[")?;
            let list = self.list(Self::sum)?;
            self.needs("]")?;
            return Ok(binary("in", left, Expression::List(list)));
        }
        for operator in ["=", "!=", "<=", ">=", "<", ">"] {
            if self.takes(operator) {
                return Ok(binary(operator, left, self.sum()?));
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        while let Some(operator) = ["+", "-"].into_iter().find(|operator| self.takes(operator)) {
            left = binary(operator, left, self.product()?);
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.primary()?;
        while let Some(operator) = ["*", "/"].into_iter().find(|operator| self.takes(operator)) {
            left = binary(operator, left, self.primary()?);
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<Expression, String> {
        match self.next() {
            Some(Token::Number(number)) => Ok(Expression::Number(number)),
            Some(Token::Period(period)) => Ok(Expression::Period(period)),
            Some(Token::Text(text)) => Ok(Expression::Text(text)),
            Some(Token::Mark(mark)) if mark == "*" => Ok(Expression::Star),
            Some(Token::Mark(mark)) if mark == "(" => {
                let inner = self.either()?;
                self.needs(")")?;
                Ok(inner)
            }
            Some(Token::Word(word)) if self.takes("(") => {
                let arguments = self.list(Self::either)?;
                self.needs(")")?;
                call(word, arguments)
            }
            Some(Token::Word(word)) => Ok(Expression::Field(word)),
            other => Err(format!("{other:?} begins no expression")),
        }
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn word(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(format!("{other:?} is no name")),
        }
    }

    fn takes(&mut self, mark: &str) -> bool {
        let is_next = self.tokens.get(self.at) == Some(&Token::Mark(mark.to_owned()));
        self.at += usize::from(is_next);
        is_next
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = self.tokens.get(self.at) == Some(&Token::Word(word.to_owned()));
        self.at += usize::from(is_next);
        is_next
    }

    fn needs(&mut self, mark: &str) -> Result<(), String> {
        if self.takes(mark) { Ok(()) } else { Err(format!("`{mark}` is missing before {:?}", self.tokens.get(self.at))) }
    }
}

fn call(function: String, arguments: Vec<Expression>) -> Result<Expression, String> {
    let known = SCALARS.iter().chain(AGGREGATES).find(|(name, ..)| *name == function).ok_or(format!("`{function}` is no function"))?;
    if !(known.1..=known.2).contains(&arguments.len()) {
        return Err(format!("{function} takes {} to {} arguments", known.1, known.2));
    }
    if arguments.iter().any(has_aggregate) {
        return Err(format!("{function} has an aggregate inside"));
    }
    Ok(Expression::Call { function, arguments })
}

fn binary(operator: &str, left: Expression, right: Expression) -> Expression {
    Expression::Binary { operator: operator.to_owned(), left: Box::new(left), right: Box::new(right) }
}

pub fn is_aggregate(function: &str) -> bool {
    AGGREGATES.iter().any(|(name, ..)| *name == function)
}

fn has_aggregate(expression: &Expression) -> bool {
    match expression {
        Expression::Call { function, .. } => is_aggregate(function),
        Expression::Binary { left, right, .. } => has_aggregate(left) || has_aggregate(right),
        _ => false,
    }
}

//! Tokens to an expression. Errors say at which column what was expected.

use super::field::Field;
use super::literal::{self, Literal};
use super::token::{Placed, Token, tokens};
use super::{Comparison, Condition, Expression, SelectionError};

/// Deeper parentheses are a mistake, or an attack.
const DEEPEST: usize = 64;

/// Reads a whole expression.
pub(super) fn expression(text: &str) -> Result<Expression, SelectionError> {
    let mut parser = Parser { tokens: tokens(text)?, position: 0, end: text.chars().count() + 1, depth: 0 };
    let expression = parser.disjunction()?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(parser.error(&format!("expected `and`, `or` or the end, found {}", token.shown()))),
    }
}

const CALLS: &str = "visited(STATE), retried(STATE), took(CHOICE, STATE), visits(STATE), items(STATE), length(input.PATH), size(input)";

struct Parser {
    tokens: Vec<Placed>,
    position: usize,
    /// The column after the last one.
    end: usize,
    depth: usize,
}

impl Parser {
    fn disjunction(&mut self) -> Result<Expression, SelectionError> {
        let mut parts = vec![self.conjunction()?];
        while self.take_word("or") {
            parts.push(self.conjunction()?);
        }
        Ok(single(parts, Expression::Any))
    }

    fn conjunction(&mut self) -> Result<Expression, SelectionError> {
        let mut parts = vec![self.factor()?];
        while self.take_word("and") {
            parts.push(self.factor()?);
        }
        Ok(single(parts, Expression::All))
    }

    fn factor(&mut self) -> Result<Expression, SelectionError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(&format!("the expression is nested more than {DEEPEST} deep")));
        }
        let factor = if self.take_word("not") {
            Expression::Not(Box::new(self.factor()?))
        } else if self.take_sign("(") {
            let inner = self.disjunction()?;
            self.expect_sign(")")?;
            inner
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(factor)
    }

    fn condition(&mut self) -> Result<Expression, SelectionError> {
        let Some(Token::Word(word)) = self.peek().cloned() else {
            return Err(self.expected("a field, `visited(…)`, `not` or `(`"));
        };
        let is_call = matches!(self.tokens.get(self.position + 1), Some(Placed { token: Token::Sign("("), .. }));
        let field = match word.as_str() {
            "visited" | "retried" | "took" if is_call => return self.happening(&word).map(Expression::Condition),
            "visits" | "items" | "length" | "size" if is_call => self.count(&word)?,
            _ if is_call => return Err(self.error(&format!("there is no `{word}(…)`; known are {CALLS}"))),
            _ => {
                let field = Field::parse(&word).map_err(|problem| self.error(&problem))?;
                self.position += 1;
                field
            }
        };
        let negated = self.take_word("not");
        let condition = if self.take_word("in") {
            let values = self.list_of_values(&field)?;
            Condition::In(field, values)
        } else if self.take_word("like") {
            Condition::Like(field, self.text("a pattern such as 'a*'")?)
        } else if negated {
            return Err(self.expected("`in` or `like` after `not`"));
        } else if self.take_word("exists") {
            Condition::Exists(field)
        } else {
            let comparison = self.comparison(&field)?;
            let value = self.value(&field)?;
            Condition::Compare(field, comparison, value)
        };
        let condition = Expression::Condition(condition);
        Ok(if negated { Expression::Not(Box::new(condition)) } else { condition })
    }

    /// Something that is counted: `visits(Poll)`, `length(input.items)`.
    fn count(&mut self, word: &str) -> Result<Field, SelectionError> {
        self.position += 1;
        self.expect_sign("(")?;
        let what = self.text(if matches!(word, "visits" | "items") { "the name of a state" } else { "`input` or `input.PATH`" })?;
        let field = match (word, Field::parse(&what)) {
            ("visits", _) => Field::Visits(what),
            ("items", _) => Field::Items(what),
            ("length", Ok(Field::Input(path))) => Field::Length(path),
            ("size", Ok(Field::Input(path))) if path.0.is_empty() => Field::Size,
            _ => {
                self.position -= 1;
                return Err(self.expected(if word == "size" { "`input`" } else { "`input.PATH`" }));
            }
        };
        self.expect_sign(")")?;
        Ok(field)
    }

    fn happening(&mut self, word: &str) -> Result<Condition, SelectionError> {
        self.position += 1;
        self.expect_sign("(")?;
        let state = self.text("the name of a state")?;
        let condition = match word {
            "visited" => Condition::Visited(state),
            "retried" => Condition::Retried(state),
            _ => {
                self.expect_sign(",")?;
                Condition::Took(state, self.text("the name of the state it went to")?)
            }
        };
        self.expect_sign(")")?;
        Ok(condition)
    }

    fn comparison(&mut self, field: &Field) -> Result<Comparison, SelectionError> {
        let comparison = match self.peek() {
            Some(Token::Sign("=")) => Comparison::Equal,
            Some(Token::Sign("!=")) => Comparison::NotEqual,
            Some(Token::Sign("<")) => Comparison::Less,
            Some(Token::Sign("<=")) => Comparison::LessOrEqual,
            Some(Token::Sign(">")) => Comparison::Greater,
            Some(Token::Sign(">=")) => Comparison::GreaterOrEqual,
            _ => return Err(self.expected(&format!("`=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `like` or `exists` after `{field}`"))),
        };
        self.position += 1;
        Ok(comparison)
    }

    fn value(&mut self, field: &Field) -> Result<Literal, SelectionError> {
        let Some(token) = self.peek() else { return Err(self.expected(&format!("a value for `{field}`"))) };
        let value = literal::read(field, token).map_err(|problem| self.error(&problem))?;
        self.position += 1;
        Ok(value)
    }

    fn list_of_values(&mut self, field: &Field) -> Result<Vec<Literal>, SelectionError> {
        self.expect_sign("(")?;
        let mut values = Vec::new();
        loop {
            values.push(self.value(field)?);
            if self.take_sign(")") {
                return Ok(values);
            }
            if !self.take_sign(",") {
                return Err(self.expected("`,` or `)`"));
            }
        }
    }

    fn text(&mut self, what: &str) -> Result<String, SelectionError> {
        match self.peek() {
            Some(Token::Word(text) | Token::Text(text)) => {
                let text = text.clone();
                self.position += 1;
                Ok(text)
            }
            _ => Err(self.expected(what)),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.position).map(|placed| &placed.token)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.position += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.position += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), SelectionError> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.expected(&format!("`{sign}`"))) }
    }

    fn expected(&self, what: &str) -> SelectionError {
        let found = self.peek().map_or_else(|| "the end".to_owned(), Token::shown);
        self.error(&format!("expected {what}, found {found}"))
    }

    fn error(&self, problem: &str) -> SelectionError {
        let column = self.tokens.get(self.position).map_or(self.end, |placed| placed.column);
        SelectionError { column, problem: problem.to_owned() }
    }
}

fn single(mut parts: Vec<Expression>, several: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            several(parts)
        }
    }
}

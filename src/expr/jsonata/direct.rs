//! The plainest expressions, evaluated without the engine: nothing is bound or converted, and values are shared.
//!
//! Arithmetic, comparisons, `and`, `or`, `&`, conditions and constructors over literals and paths of names into objects. Exact or
//! silent: where an operand has another type than the plain case, or a path meets an array, the engine is asked.

use std::cmp::Ordering;
use std::rc::Rc;

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, UnaryOp};

use super::convert::value_of;
use crate::expr::{Number, Object, Scope, Value};

/// How deep an expression of this form nests at most; the engine has the limit of the service.
const MAX_NESTING: usize = 40;

/// An expression of the plain form.
#[derive(Debug)]
pub(super) enum Direct {
    Literal(Value),
    Path { root: Root, members: Vec<Rc<str>> },
    Arithmetic(BinaryOp, Box<Direct>, Box<Direct>),
    Negate(Box<Direct>),
    Compare(BinaryOp, Box<Direct>, Box<Direct>),
    And(Box<Direct>, Box<Direct>),
    Or(Box<Direct>, Box<Direct>),
    Concatenate(Box<Direct>, Box<Direct>),
    Conditional(Box<Direct>, Box<Direct>, Option<Box<Direct>>),
    Array(Vec<Direct>),
    Object(Vec<(Rc<str>, Direct)>),
}

/// Where a path begins.
#[derive(Debug)]
pub(super) enum Root {
    Variable(String),
    Input,
    Result,
    ErrorOutput,
    Context,
}

/// The plain case does not apply: the engine must be asked.
#[derive(Debug, PartialEq)]
pub(super) struct Unsure;

type Found = Result<Option<Value>, Unsure>;

impl Direct {
    /// The expression in this form, if it has it.
    pub(super) fn of(ast: &AstNode) -> Option<Self> {
        Self::nested(ast, MAX_NESTING)
    }

    fn nested(ast: &AstNode, levels: usize) -> Option<Self> {
        let levels = levels.checked_sub(1)?;
        let boxed = |ast: &AstNode| Self::nested(ast, levels).map(Box::new);
        Some(match ast {
            AstNode::String(text) => Self::Literal(text.as_str().into()),
            AstNode::Number(number) => Self::Literal(value_of(*number)),
            AstNode::Boolean(truth) => Self::Literal(Value::Bool(*truth)),
            AstNode::Null => Self::Literal(Value::Null),
            AstNode::Variable(name) if !name.is_empty() && name != "states" => {
                Self::Path { root: Root::Variable(name.clone()), members: Vec::new() }
            }
            AstNode::Path { steps } => path(steps)?,
            AstNode::Block(expressions) => match expressions.as_slice() {
                [only] => return Self::nested(only, levels),
                _ => return None,
            },
            AstNode::Unary { op: UnaryOp::Negate, operand } => Self::Negate(boxed(operand)?),
            AstNode::Binary { op, lhs, rhs } => Self::binary(*op, boxed(lhs)?, boxed(rhs)?)?,
            AstNode::Conditional { condition, then_branch, else_branch } => {
                let otherwise = match else_branch {
                    Some(branch) => Some(boxed(branch)?),
                    None => None,
                };
                Self::Conditional(boxed(condition)?, boxed(then_branch)?, otherwise)
            }
            AstNode::Array(items) => Self::Array(items.iter().map(|item| Self::nested(item, levels)).collect::<Option<_>>()?),
            AstNode::Object(pairs) => Self::Object(members(pairs, levels)?),
            _ => return None,
        })
    }

    fn binary(op: BinaryOp, left: Box<Self>, right: Box<Self>) -> Option<Self> {
        use BinaryOp as Op;
        match op {
            Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Modulo => Some(Self::Arithmetic(op, left, right)),
            Op::Equal | Op::NotEqual | Op::LessThan | Op::LessThanOrEqual | Op::GreaterThan | Op::GreaterThanOrEqual => {
                Some(Self::Compare(op, left, right))
            }
            Op::And => Some(Self::And(left, right)),
            Op::Or => Some(Self::Or(left, right)),
            Op::Concatenate => Some(Self::Concatenate(left, right)),
            _ => None,
        }
    }

    /// The value; `None` for undefined.
    pub(super) fn evaluate(&self, scope: Scope<'_>) -> Found {
        match self {
            Self::Literal(value) => Ok(Some(value.clone())),
            Self::Path { root, members } => root.follow(members, scope),
            Self::Arithmetic(..) | Self::Negate(_) => Ok(self.number(scope)?.map(value_of)),
            Self::Compare(op, left, right) => compare(*op, left.operand(scope)?, right.operand(scope)?),
            Self::And(left, right) => Ok(Some(Value::Bool(left.truth(scope)? && right.truth(scope)?))),
            Self::Or(left, right) => Ok(Some(Value::Bool(left.truth(scope)? || right.truth(scope)?))),
            Self::Concatenate(left, right) => {
                let mut text = String::new();
                append_text(left.operand(scope)?, &mut text)?;
                append_text(right.operand(scope)?, &mut text)?;
                Ok(Some(text.into()))
            }
            Self::Conditional(condition, then, otherwise) => match (condition.truth(scope)?, otherwise) {
                (true, _) => then.evaluate(scope),
                (false, Some(otherwise)) => otherwise.evaluate(scope),
                (false, None) => Ok(None),
            },
            Self::Array(items) => array(items, scope),
            Self::Object(members) => {
                let mut object = Object::with_capacity(members.len());
                for (name, value) in members {
                    if let Some(value) = value.evaluate(scope)? {
                        object.insert(Rc::clone(name), value);
                    }
                }
                Ok(Some(object.into()))
            }
        }
    }

    /// The value for an operator: numbers that JSON cannot write are for the engine.
    fn operand(&self, scope: Scope<'_>) -> Found {
        match self {
            Self::Arithmetic(..) | Self::Negate(_) => match self.number(scope)? {
                Some(number) if !number.is_finite() => Err(Unsure),
                number => Ok(number.map(value_of)),
            },
            _ => self.evaluate(scope),
        }
    }

    /// The value as a number; what is none is for the engine to complain about.
    fn number(&self, scope: Scope<'_>) -> Result<Option<f64>, Unsure> {
        match self {
            Self::Negate(operand) => Ok(operand.number(scope)?.map(|number| -number)),
            Self::Arithmetic(op, left, right) => {
                let (Some(left), Some(right)) = (left.number(scope)?, right.number(scope)?) else { return Ok(None) };
                Ok(Some(match op {
                    BinaryOp::Add => left + right,
                    BinaryOp::Subtract => left - right,
                    BinaryOp::Multiply => left * right,
                    BinaryOp::Divide => left / right,
                    BinaryOp::Modulo => left % right,
                    _ => return Err(Unsure),
                }))
            }
            _ => match self.evaluate(scope)? {
                None => Ok(None),
                Some(Value::Number(number)) => Ok(Some(number.as_f64())),
                Some(_) => Err(Unsure),
            },
        }
    }

    /// The value as a condition. Undefined is false.
    fn truth(&self, scope: Scope<'_>) -> Result<bool, Unsure> {
        match self.operand(scope)? {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(truth)) => Ok(truth),
            Some(Value::Number(number)) => Ok(number.as_f64() != 0.0),
            Some(Value::String(text)) => Ok(!text.is_empty()),
            Some(Value::Object(object)) => Ok(!object.is_empty()),
            Some(Value::Array(_)) => Err(Unsure),
        }
    }
}

impl Root {
    fn follow(&self, members: &[Rc<str>], scope: Scope<'_>) -> Found {
        match self {
            Self::Input => descend(Some(scope.input), members),
            Self::Result => descend(scope.result, members),
            Self::ErrorOutput => descend(scope.error_output, members),
            Self::Context => descend(Some(&scope.around.context()), members),
            // A name without a variable may be that of a function.
            Self::Variable(name) => descend(Some(&scope.around.variable(name).ok_or(Unsure)?), members),
        }
    }
}

/// The value at the end of a path; a step into what is no object finds nothing.
fn descend(value: Option<&Value>, members: &[Rc<str>]) -> Found {
    let mut at = value;
    for member in members {
        at = match at {
            Some(Value::Object(object)) => object.get(member),
            Some(Value::Array(_)) => return Err(Unsure),
            _ => None,
        };
    }
    Ok(at.map(|value| match value {
        Value::Number(number @ Number::Float(_)) => value_of(number.as_f64()),
        other => other.clone(),
    }))
}

fn path(steps: &[PathStep]) -> Option<Direct> {
    let plain = |step: &PathStep| {
        let bound = step.focus.is_some() || step.index_var.is_some() || step.ancestor_label.is_some();
        step.stages.is_empty() && !bound && !step.is_tuple && !step.inner_tuple
    };
    let (head, rest) = steps.split_first()?;
    let AstNode::Variable(name) = &head.node else { return None };
    if name.is_empty() || !steps.iter().all(plain) {
        return None;
    }
    let mut members = rest
        .iter()
        .map(|step| if let AstNode::Name(name) = &step.node { Some(Rc::from(name.as_str())) } else { None })
        .collect::<Option<Vec<Rc<str>>>>()?;
    if name != "states" {
        return Some(Direct::Path { root: Root::Variable(name.clone()), members });
    }
    let root = match &**members.first()? {
        "input" => Root::Input,
        "result" => Root::Result,
        "errorOutput" => Root::ErrorOutput,
        "context" => Root::Context,
        _ => return None,
    };
    members.remove(0);
    Some(Direct::Path { root, members })
}

/// The members of a constructor whose names are literals, each once.
fn members(pairs: &[(AstNode, AstNode)], levels: usize) -> Option<Vec<(Rc<str>, Direct)>> {
    let mut members: Vec<(Rc<str>, Direct)> = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        let AstNode::String(name) = name else { return None };
        if members.iter().any(|(known, _)| **known == **name) {
            return None;
        }
        members.push((name.as_str().into(), Direct::nested(value, levels)?));
    }
    Some(members)
}

/// Items that are arrays are taken apart, unless they are constructors themselves.
fn array(items: &[Direct], scope: Scope<'_>) -> Found {
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        match (item, item.evaluate(scope)?) {
            (_, None) => {}
            (Direct::Array(_), Some(value)) => values.push(value),
            (_, Some(Value::Array(inner))) => values.extend(inner.iter().cloned()),
            (_, Some(value)) => values.push(value),
        }
    }
    Ok(Some(values.into()))
}

fn compare(op: BinaryOp, left: Option<Value>, right: Option<Value>) -> Found {
    let equality = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual);
    let truth = match (left, right) {
        (None, _) | (_, None) if equality => false,
        (Some(left), Some(right)) if equality => (left == right) == (op == BinaryOp::Equal),
        (Some(Value::Number(left)), Some(Value::Number(right))) => ordered(op, left.as_f64().partial_cmp(&right.as_f64()).ok_or(Unsure)?),
        (Some(Value::String(left)), Some(Value::String(right))) => ordered(op, left.encode_utf16().cmp(right.encode_utf16())),
        _ => return Err(Unsure),
    };
    Ok(Some(Value::Bool(truth)))
}

fn ordered(op: BinaryOp, ordering: Ordering) -> bool {
    match op {
        BinaryOp::LessThan => ordering.is_lt(),
        BinaryOp::LessThanOrEqual => ordering.is_le(),
        BinaryOp::GreaterThan => ordering.is_gt(),
        _ => ordering.is_ge(),
    }
}

/// Appends a value as `&` writes it, where that is plain.
fn append_text(value: Option<Value>, text: &mut String) -> Result<(), Unsure> {
    match value {
        None => {}
        Some(Value::String(string)) => text.push_str(&string),
        // Fifteen digits are written exactly.
        Some(Value::Number(Number::Integer(number))) if number.unsigned_abs() < 1_000_000_000_000_000 => {
            text.push_str(itoa::Buffer::new().format(number));
        }
        Some(value @ (Value::Bool(_) | Value::Null)) => value.write_json(text),
        Some(_) => return Err(Unsure),
    }
    Ok(())
}

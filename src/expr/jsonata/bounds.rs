//! Keeps values from growing past what the service lets an expression hold.
//!
//! The engine bounds sequences, but no array constructor and no text: `$reduce([1..60], function($a) { [$a, $a] }, 1)` would take all
//! memory there is. Growth without end needs a function that is applied again and again, or a chain of variables of which each holds
//! the one before twice. So what is constructed inside a function, and handed on from there, goes through a check; so does what is
//! bound to a variable, what is made into text, and what is padded.

use jsonata_core::ast::{AstNode, BinaryOp, Stage};
use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::{JValue, with_stack};

use super::convert::MAX_BYTES;

/// The name of the check. No expression can spell it.
pub(super) const CHECK: &str = "bounded value";

/// The check: hands on its argument, unless that is too large or, as a number, too large for a length.
pub(super) fn check(arguments: &[JValue]) -> Result<JValue, EvaluatorError> {
    let value = arguments.first().unwrap_or(&JValue::Undefined);
    let mut left = MAX_BYTES;
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        let size = if let JValue::String(text) = value { text.len() } else { 8 };
        let Some(rest) = left.checked_sub(size) else {
            return Err(EvaluatorError::EvaluationError(super::message::TOO_LARGE.to_owned()));
        };
        left = rest;
        match value {
            // No more of them are looked at than may be there.
            JValue::Array(items) => pending.extend(items.iter().take(left)),
            JValue::Object(members) => pending.extend(members.values().take(left)),
            _ => {}
        }
    }
    Ok(value.clone())
}

/// The check of a length that `$pad` is to give.
pub(super) const CHECK_LENGTH: &str = "bounded length";

/// Hands on a number, unless text of that length is too large.
#[allow(clippy::cast_precision_loss, reason = "the bound is a small number")]
pub(super) fn check_length(arguments: &[JValue]) -> Result<JValue, EvaluatorError> {
    match arguments.first() {
        Some(JValue::Number(length)) if length.abs() > MAX_BYTES as f64 => {
            Err(EvaluatorError::EvaluationError(super::message::TOO_LARGE.to_owned()))
        }
        value => Ok(value.cloned().unwrap_or(JValue::Undefined)),
    }
}

/// Puts the checks in.
pub(super) fn bound(node: &mut AstNode, in_function: bool) {
    with_stack(|| match node {
        AstNode::Lambda { body, .. } => {
            bound(body, true);
            check_tail(body);
        }
        AstNode::Function { name, args, .. } => {
            bound_arguments(args, in_function);
            match (name.as_str(), args.as_mut_slice()) {
                ("pad", [_, length, ..]) if !matches!(length, AstNode::Placeholder) => wrap(length, CHECK_LENGTH),
                ("join" | "string", [value, ..]) if is_computed(value) => wrap(value, CHECK),
                _ => {}
            }
        }
        AstNode::Call { procedure, args } => {
            bound(procedure, in_function);
            bound_arguments(args, in_function);
        }
        AstNode::Binary { op, lhs, rhs } => {
            bound(lhs, in_function);
            bound(rhs, in_function);
            if *op == BinaryOp::ColonEqual && grows(rhs) {
                wrap(rhs, CHECK);
            }
        }
        other => below(other, in_function),
    });
}

fn bound_arguments(arguments: &mut [AstNode], in_function: bool) {
    for argument in arguments {
        bound(argument, in_function);
        if in_function && grows(argument) {
            wrap(argument, CHECK);
        }
    }
}

/// What is constructed anew, and may hold its parts many times.
fn grows(node: &AstNode) -> bool {
    matches!(node, AstNode::Array(_) | AstNode::Object(_) | AstNode::Binary { op: BinaryOp::Concatenate, .. })
}

/// Whether an argument is more than a name or a literal.
fn is_computed(node: &AstNode) -> bool {
    matches!(node, AstNode::Function { .. } | AstNode::Call { .. } | AstNode::Block(_) | AstNode::Path { .. } | AstNode::Binary { .. })
        && !matches!(node, AstNode::Function { name, .. } if name == CHECK)
}

/// Checks what a function hands back, but leaves calls there as they are: the engine runs them without nesting.
fn check_tail(node: &mut AstNode) {
    match node {
        AstNode::Block(expressions) => {
            if let Some(last) = expressions.last_mut() {
                check_tail(last);
            }
        }
        AstNode::Conditional { then_branch, else_branch, .. } => {
            check_tail(then_branch);
            if let Some(branch) = else_branch {
                check_tail(branch);
            }
        }
        node if grows(node) => wrap(node, CHECK),
        _ => {}
    }
}

fn wrap(node: &mut AstNode, check: &str) {
    let inner = std::mem::replace(node, AstNode::Null);
    *node = AstNode::Function { name: check.to_owned(), args: vec![inner], is_builtin: true };
}

/// Goes on with what stands below a node of another kind.
fn below(node: &mut AstNode, in_function: bool) {
    let visit = |child: &mut AstNode| bound(child, in_function);
    match node {
        AstNode::Path { steps } => {
            for step in steps {
                visit(&mut step.node);
                for stage in &mut step.stages {
                    if let Stage::Filter(filter) = stage {
                        visit(filter);
                    }
                }
            }
        }
        AstNode::Unary { operand, .. } => visit(operand),
        AstNode::FunctionApplication(inner) => visit(inner),
        AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => items.iter_mut().for_each(visit),
        AstNode::Object(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            visit(key);
            visit(value);
        }),
        AstNode::ObjectTransform { input, pattern } => {
            visit(input);
            for (key, value) in pattern {
                visit(key);
                visit(value);
            }
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            visit(condition);
            visit(then_branch);
            if let Some(branch) = else_branch {
                visit(branch);
            }
        }
        AstNode::Sort { input, terms } => {
            visit(input);
            for (term, _) in terms {
                visit(term);
            }
        }
        AstNode::Transform { location, update, delete } => {
            visit(location);
            visit(update);
            if let Some(names) = delete {
                visit(names);
            }
        }
        _ => {}
    }
}

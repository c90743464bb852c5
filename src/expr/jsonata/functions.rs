//! The functions that the service adds to JSONata, and those that it answers otherwise.
//!
//! Arguments are cut towards zero where integers are wanted. `$now` and `$millis` tell the moment of the evaluation; `$random()` and
//! `$uuid()` take their first value from the surroundings and the following ones from a generator seeded by it, because a function
//! that the engine holds cannot ask again.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError};
use jsonata_core::value::JValue;

use super::bounds;
use super::convert::to_engine;
use super::needs::Needs;
use crate::expr::java::JavaRandom;
use crate::expr::{Surroundings, Value, hash};

/// What `$range` may give. Less than an expression may hold, as measured at the service.
const MAX_RANGE: i64 = 360_145;

type Answer = Result<JValue, EvaluatorError>;
type Function = fn(&[JValue]) -> Answer;

/// Functions that need their arguments only.
const PURE: [(&str, Function); 5] = [("partition", partition), ("range", range), ("hash", hash_of), ("parse", parse), ("eval", eval)];

/// Gives the engine those functions that the expression mentions.
pub(super) fn register(engine: &mut Evaluator, needs: &Needs, around: &dyn Surroundings) {
    for (name, function) in PURE {
        if needs.mentions(name) {
            set(engine, name, function);
        }
    }
    if needs.calls {
        set(engine, bounds::CHECK, bounds::check);
        set(engine, bounds::CHECK_LENGTH, bounds::check_length);
        let left = Cell::new(bounds::MOST_RANGED);
        set(engine, bounds::CHECK_RANGE, move |arguments: &[JValue]| bounds::check_range(arguments, &left));
    }
    if needs.mentions("random") {
        let chance = Chance::new(around.random());
        set(engine, "random", move |arguments: &[JValue]| random(arguments, &chance));
    }
    if needs.mentions("uuid") {
        let first = RefCell::new(Some(around.uuid()));
        let chance = Chance::new(around.random());
        set(engine, "uuid", move |arguments: &[JValue]| uuid(arguments, &first, &chance));
    }
    if needs.mentions("millis") {
        let now = around.now();
        set(engine, "millis", move |_: &[JValue]| Ok(whole(now)));
    }
    if needs.mentions("now") {
        let now = around.now();
        set(engine, "now", move |arguments: &[JValue]| formatted(now, arguments));
    }
}

fn set(engine: &mut Evaluator, name: &str, function: impl Fn(&[JValue]) -> Answer + 'static) {
    // Refused only for built-in functions that the engine compiles, none of which is ours.
    let registered = engine.register_fn_override(name, function);
    debug_assert!(registered.is_ok(), "{name} cannot be replaced");
}

fn failed<T>(message: impl Into<String>) -> Result<T, EvaluatorError> {
    Err(EvaluatorError::EvaluationError(message.into()))
}

/// The text for an argument of the wrong type; `number` counts from 1.
fn wrong_argument<T>(number: usize, function: &str) -> Result<T, EvaluatorError> {
    failed(format!("T0410: Argument {number} of function \"{function}\" does not match function signature"))
}

/// Refuses a call with more arguments than the function takes.
fn at_most(arguments: &[JValue], most: usize, function: &str) -> Result<(), EvaluatorError> {
    if arguments.len() > most { wrong_argument(most + 1, function) } else { Ok(()) }
}

fn argument(arguments: &[JValue], position: usize) -> &JValue {
    arguments.get(position).unwrap_or(&JValue::Undefined)
}

/// A number cut towards zero.
fn integer(arguments: &[JValue], position: usize, function: &str) -> Result<i64, EvaluatorError> {
    match argument(arguments, position) {
        #[allow(clippy::cast_possible_truncation, reason = "what no integer holds becomes the nearest one")]
        JValue::Number(number) => Ok(*number as i64),
        _ => wrong_argument(position + 1, function),
    }
}

fn partition(arguments: &[JValue]) -> Answer {
    at_most(arguments, 2, "partition")?;
    let items = match argument(arguments, 0) {
        JValue::Undefined => return Ok(JValue::Undefined),
        JValue::Array(items) => items,
        _ => return failed("T0412: Argument 1 of function \"partition\" must be an array of undefined"),
    };
    if items.is_empty() {
        return Ok(JValue::Undefined);
    }
    if argument(arguments, 1).is_undefined() {
        return Ok(JValue::array(vec![JValue::array(items.to_vec())]));
    }
    match usize::try_from(integer(arguments, 1, "partition")?) {
        Err(_) => failed("D3137: Second argument must be zero or greater"),
        Ok(0) => Ok(JValue::Undefined),
        Ok(size) => Ok(JValue::array(items.chunks(size).map(|chunk| JValue::array(chunk.to_vec())).collect())),
    }
}

fn range(arguments: &[JValue]) -> Answer {
    at_most(arguments, 3, "range")?;
    let (start, end) = (integer(arguments, 0, "range")?, integer(arguments, 1, "range")?);
    if argument(arguments, 2).is_undefined() {
        return Ok(JValue::Undefined);
    }
    let step = integer(arguments, 2, "range")?;
    if step == 0 || (step > 0 && start > end) || (step < 0 && start < end) {
        return Ok(JValue::Undefined);
    }
    let steps = (i128::from(end) - i128::from(start)) / i128::from(step);
    match i64::try_from(steps) {
        Ok(0) => Ok(whole(start)),
        Ok(steps) if steps < MAX_RANGE => Ok(JValue::sequence((0..=steps).map(|position| whole(start + position * step)).collect())),
        _ => failed(super::message::TOO_LARGE),
    }
}

#[allow(clippy::cast_precision_loss, reason = "numbers of JSONata are doubles")]
fn whole(number: i64) -> JValue {
    JValue::Number(number as f64)
}

fn hash_of(arguments: &[JValue]) -> Answer {
    at_most(arguments, 2, "hash")?;
    let JValue::String(data) = argument(arguments, 0) else { return wrong_argument(1, "hash") };
    match argument(arguments, 1) {
        JValue::Undefined => Ok(JValue::Undefined),
        JValue::String(algorithm) => match hash::hexadecimal(algorithm, data.as_bytes()) {
            Some(digits) => Ok(JValue::string(digits)),
            None => failed(format!("D3137: Hash algorithm '{algorithm}' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5")),
        },
        _ => wrong_argument(2, "hash"),
    }
}

fn parse(arguments: &[JValue]) -> Answer {
    at_most(arguments, 1, "parse")?;
    match argument(arguments, 0) {
        JValue::Undefined => Ok(JValue::Undefined),
        JValue::String(text) => match Value::parse(text) {
            Ok(value) => Ok(to_engine(&value)),
            Err(_) => failed("D3137: Invalid JSON"),
        },
        _ => wrong_argument(1, "parse"),
    }
}

/// The service has no `$eval`.
fn eval(_: &[JValue]) -> Answer {
    failed("T1006: Attempted to invoke a non-function")
}

fn random(arguments: &[JValue], chance: &Chance) -> Answer {
    at_most(arguments, 1, "random")?;
    match argument(arguments, 0) {
        JValue::Undefined => Ok(JValue::Number(chance.next())),
        // What the service answers is the first double of Java's generator.
        _ => Ok(JValue::Number(JavaRandom::seeded(integer(arguments, 0, "random")?).next_double())),
    }
}

fn uuid(arguments: &[JValue], first: &RefCell<Option<String>>, chance: &Chance) -> Answer {
    at_most(arguments, 0, "uuid")?;
    Ok(JValue::string(first.take().unwrap_or_else(|| chance.uuid())))
}

/// `$now([picture [, timezone]])` is `$fromMillis` of the moment.
fn formatted(now: i64, arguments: &[JValue]) -> Answer {
    let names = ["picture", "timezone"];
    let call = AstNode::Function {
        name: "fromMillis".to_owned(),
        #[allow(clippy::cast_precision_loss, reason = "numbers of JSONata are doubles")]
        args: std::iter::once(AstNode::Number(now as f64))
            .chain(names.iter().take(arguments.len()).map(|name| AstNode::Variable((*name).to_owned())))
            .collect(),
        is_builtin: true,
    };
    let mut context = Context::new();
    for (name, value) in names.iter().zip(arguments) {
        context.bind((*name).to_owned(), value.clone());
    }
    Evaluator::with_context(context).evaluate(&call, &JValue::Undefined)
}

/// Numbers that follow from the one that the surroundings gave.
struct Chance {
    first: Cell<Option<f64>>,
    following: RefCell<fastrand::Rng>,
}

impl Chance {
    fn new(first: f64) -> Rc<Self> {
        Rc::new(Self { first: Cell::new(Some(first)), following: RefCell::new(fastrand::Rng::with_seed(first.to_bits())) })
    }

    fn next(&self) -> f64 {
        self.first.take().unwrap_or_else(|| self.following.borrow_mut().f64())
    }

    fn uuid(&self) -> String {
        let bits = self.following.borrow_mut().u128(..);
        // Version 4, variant 1.
        let bits = bits & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
        let digits = format!("{bits:032x}");
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        parts.join("-")
    }
}

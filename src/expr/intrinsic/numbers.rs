//! `States.MathAdd` and `States.MathRandom`.

use super::{Failure, Function};
use crate::expr::java::JavaRandom;
use crate::expr::{Number, Value};

/// The number without its fraction, if it is one that an `int` holds.
pub(super) fn truncated(value: &Value) -> Option<i32> {
    match value.as_number()? {
        Number::Integer(number) => i32::try_from(*number).ok(),
        Number::Float(number) => int(number.trunc()),
        Number::Large(_) => None,
    }
}

/// The number rounded, halves upwards: 2.5 to 3, -2.5 to -2.
fn rounded(value: &Value) -> Option<i32> {
    match value.as_number()? {
        Number::Integer(number) => i32::try_from(*number).ok(),
        Number::Float(number) => int((number + 0.5).floor()),
        Number::Large(_) => None,
    }
}

fn int(number: f64) -> Option<i32> {
    #[allow(clippy::cast_possible_truncation, reason = "bounded by the condition")]
    (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number).then_some(number as i32)
}

pub(super) fn add(one: &Value, other: &Value) -> Result<Value, Failure> {
    let sum = rounded(one).zip(rounded(other)).and_then(|(one, other)| one.checked_add(other));
    sum.map(Value::from).ok_or_else(|| Function::MathAdd.refuses())
}

/// A number from `start` to below `end`. The same seed gives the same number.
pub(super) fn random(start: &Value, end: &Value, seed: Option<&Value>, chance: impl Fn() -> f64) -> Result<Value, Failure> {
    let refuses = || Function::MathRandom.refuses();
    let (start, end) = (truncated(start).ok_or_else(refuses)?, truncated(end).ok_or_else(refuses)?);
    if start >= end {
        return Err(refuses());
    }
    let width = i64::from(end) - i64::from(start);
    let offset = match (seed, i32::try_from(width)) {
        (Some(seed), Ok(width)) => {
            let seed = truncated(seed).ok_or_else(refuses)?;
            i64::from(JavaRandom::seeded(seed.into()).next_int(width))
        }
        (Some(seed), Err(_)) => {
            let seed = truncated(seed).ok_or_else(refuses)?;
            share(width, JavaRandom::seeded(seed.into()).next_double())
        }
        (None, _) => share(width, chance()),
    };
    Ok(Value::from(i64::from(start) + offset))
}

/// How many of `width` lie below `chance`, which is from 0 to below 1.
fn share(width: i64, chance: f64) -> i64 {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "below 2 to the 33rd")]
    let share = (width as f64 * chance) as i64;
    share.clamp(0, width - 1)
}

//! `States.Array…`.
//!
//! The guide says that numbers are rounded; the service cuts their fraction off.

use std::collections::HashSet;

use super::numbers::truncated;
use super::{Failure, Function};
use crate::expr::{Value, java, value::write_string};

/// The most items that a range may have.
const RANGE: i64 = 1000;

/// How deep values may be to be told apart, and how much text they may be all together.
const DEPTH: usize = 500;
const BYTES: usize = 64 << 20;

fn items(value: &Value, function: Function) -> Result<&[Value], Failure> {
    value.as_array().ok_or_else(|| function.refuses())
}

pub(super) fn partition(array: &Value, size: &Value) -> Result<Value, Failure> {
    let array = items(array, Function::ArrayPartition)?;
    let size = truncated(size).filter(|size| *size > 0).ok_or_else(|| Function::ArrayPartition.refuses())?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Ok(Value::array(array.chunks(size).map(|part| Value::from(part.to_vec()))))
}

pub(super) fn contains(array: &Value, wanted: &Value) -> Result<Value, Failure> {
    Ok(Value::from(items(array, Function::ArrayContains)?.contains(wanted)))
}

pub(super) fn range(first: &Value, last: &Value, step: &Value) -> Result<Value, Failure> {
    let number = |value| truncated(value).map(i64::from).ok_or_else(|| Function::ArrayRange.refuses());
    let (first, last, step) = (number(first)?, number(last)?, number(step)?);
    if step == 0 {
        return Err(Function::ArrayRange.refuses());
    }
    let length = if (last - first).signum() == -step.signum() { 0 } else { (last - first) / step + 1 };
    if length > RANGE {
        return Err(Function::ArrayRange.refuses());
    }
    Ok(Value::array((0..length).map(|position| Value::from(first + position * step))))
}

/// Beyond the end is an error, but for an empty array, of which the service gives null.
pub(super) fn get_item(array: &Value, index: &Value) -> Result<Value, Failure> {
    let array = items(array, Function::ArrayGetItem)?;
    let index = truncated(index).ok_or_else(|| Function::ArrayGetItem.refuses())?;
    if array.is_empty() {
        return Ok(Value::Null);
    }
    usize::try_from(index).ok().and_then(|index| array.get(index)).cloned().ok_or_else(|| Function::ArrayGetItem.refuses())
}

pub(super) fn length(array: &Value) -> Result<Value, Failure> {
    let length = items(array, Function::ArrayLength)?.len();
    Ok(Value::from(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// Each item once. The order is that of the hash set which the service puts them through: `[true,false]` becomes `[false,true]`.
pub(super) fn unique(array: &Value) -> Result<Value, Failure> {
    let array = items(array, Function::ArrayUnique)?;
    let mut seen = HashSet::new();
    let mut once = Vec::new();
    let mut bytes_left = BYTES;
    for item in array {
        let mut key = String::new();
        identity(item, &mut key, DEPTH).ok_or_else(|| Function::ArrayUnique.refuses())?;
        bytes_left = bytes_left.checked_sub(key.len()).ok_or_else(|| Function::ArrayUnique.refuses())?;
        if seen.insert(key) {
            once.push(item);
        }
    }
    let hashes: Vec<i32> = once.iter().map(|item| java::hash(item)).collect();
    let order = java::hash_table_order(&hashes, java::hash_table_capacity(array.len(), 16));
    Ok(Value::array(order.into_iter().map(|position| once[position].clone())))
}

/// A text that two values share when they are equal: JSON with the members of objects sorted. `None` for values that are too deep.
fn identity(value: &Value, text: &mut String, depth: usize) -> Option<()> {
    let deeper = depth.checked_sub(1)?;
    match value {
        Value::Array(items) => {
            text.push('[');
            for item in items.iter() {
                identity(item, text, deeper)?;
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in members {
                write_string(name, text);
                text.push(':');
                identity(value, text, deeper)?;
                text.push(',');
            }
            text.push('}');
        }
        other => other.write_json(text),
    }
    Some(())
}

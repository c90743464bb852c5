//! The functions that may end a path, such as `$.items.length()`.

use crate::expr::Value;

/// A function of the path library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    Keys,
    First,
    Last,
    Index(i64),
    Minimum,
    Maximum,
    Sum,
    Average,
    StandardDeviation,
}

impl Function {
    pub(super) fn named(name: &str, arguments: &str) -> Option<Self> {
        if name == "index" {
            return arguments.parse::<i32>().ok().map(|index| Self::Index(index.into()));
        }
        let function = match name {
            "length" | "size" => Self::Length,
            "keys" => Self::Keys,
            "first" => Self::First,
            "last" => Self::Last,
            "min" => Self::Minimum,
            "max" => Self::Maximum,
            "sum" => Self::Sum,
            "avg" => Self::Average,
            "stddev" => Self::StandardDeviation,
            _ => return None,
        };
        arguments.is_empty().then_some(function)
    }

    /// The result, or the library's complaint.
    pub(super) fn apply(self, value: &Value) -> Result<Value, String> {
        match self {
            Self::Length => Ok(match value {
                Value::Array(items) => count(items.len()),
                Value::Object(object) => count(object.len()),
                _ => Value::Null,
            }),
            Self::Keys => Ok(match value {
                Value::Object(object) => Value::array(object.iter().map(|(name, _)| Value::String(name.clone()))),
                _ => Value::Null,
            }),
            Self::First => at(value, 0),
            Self::Last => at(value, -1),
            Self::Index(index) => at(value, index),
            Self::Minimum | Self::Maximum | Self::Sum | Self::Average | Self::StandardDeviation => self.aggregate(value),
        }
    }

    fn aggregate(self, value: &Value) -> Result<Value, String> {
        let numbers: Vec<f64> = value.as_array().unwrap_or_default().iter().filter_map(|item| Some(item.as_number()?.as_f64())).collect();
        if numbers.is_empty() {
            return Err("Aggregation function attempted to calculate value using empty array".to_owned());
        }
        #[allow(clippy::cast_precision_loss, reason = "no array is that long")]
        let length = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / length;
        Ok(Value::from(match self {
            Self::Minimum => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Maximum => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Average => mean,
            Self::StandardDeviation => (numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / length).sqrt(),
            _ => mean * length,
        }))
    }
}

fn count(length: usize) -> Value {
    Value::from(i64::try_from(length).unwrap_or(i64::MAX))
}

fn at(value: &Value, index: i64) -> Result<Value, String> {
    let items = value.as_array().unwrap_or_default();
    let position = if index < 0 { index + i64::try_from(items.len()).unwrap_or(i64::MAX) } else { index };
    usize::try_from(position)
        .ok()
        .and_then(|position| items.get(position))
        .cloned()
        .ok_or_else(|| "Aggregation function attempted to calculate value using empty array".to_owned())
}

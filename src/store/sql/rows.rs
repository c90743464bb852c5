//! The rows that a query gave, as plain values.

use std::borrow::Cow;

use polars::prelude::{AnyValue, DataFrame, TimeUnit};

use crate::model::{Micros, Timestamp};

/// The rows of an answer.
#[derive(Debug)]
pub struct Rows {
    frame: DataFrame,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number; may be infinite or not a number.
    Number(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// A moment in UTC.
    Moment(Micros),
    /// A day: `2026-11-20`.
    Day(String),
    /// Several values.
    List(Vec<Cell<'a>>),
}

impl Rows {
    pub(super) fn new(frame: DataFrame) -> Self {
        Self { frame }
    }

    /// The names of the columns.
    pub fn columns(&self) -> Vec<&str> {
        self.frame.columns().iter().map(|column| column.name().as_str()).collect()
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.frame.height()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Row after row.
    pub fn iter(&self) -> impl Iterator<Item = Vec<Cell<'_>>> {
        (0..self.len()).map(|row| self.frame.columns().iter().map(|column| column.get(row).map_or(Cell::Null, cell)).collect())
    }
}

fn cell(value: AnyValue<'_>) -> Cell<'_> {
    match value {
        AnyValue::Null => Cell::Null,
        AnyValue::Boolean(flag) => Cell::Flag(flag),
        AnyValue::String(text) => Cell::Text(Cow::Borrowed(text)),
        AnyValue::Int64(number) => Cell::Integer(number.into()),
        AnyValue::UInt64(number) => Cell::Integer(number.into()),
        AnyValue::UInt32(number) => Cell::Integer(number.into()),
        AnyValue::Int32(number) => Cell::Integer(number.into()),
        AnyValue::UInt8(number) => Cell::Integer(number.into()),
        AnyValue::UInt16(number) => Cell::Integer(number.into()),
        AnyValue::Int8(number) => Cell::Integer(number.into()),
        AnyValue::Int16(number) => Cell::Integer(number.into()),
        AnyValue::Int128(number) => Cell::Integer(number),
        AnyValue::Float64(number) => Cell::Number(number),
        AnyValue::Float32(number) => Cell::Number(number.into()),
        AnyValue::Date(days) => Cell::Day(day(days)),
        AnyValue::Datetime(count, unit, _) | AnyValue::DatetimeOwned(count, unit, _) => Cell::Moment(Micros(microseconds(count, unit))),
        AnyValue::List(values) => Cell::List(values.iter().map(|value| owned(cell(value))).collect()),
        other => Cell::Text(Cow::Owned(other.str_value().into_owned())),
    }
}

fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
        Cell::List(cells) => Cell::List(cells.into_iter().map(owned).collect()),
        Cell::Null => Cell::Null,
        Cell::Flag(flag) => Cell::Flag(flag),
        Cell::Integer(number) => Cell::Integer(number),
        Cell::Number(number) => Cell::Number(number),
        Cell::Moment(moment) => Cell::Moment(moment),
        Cell::Day(day) => Cell::Day(day),
    }
}

fn microseconds(count: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Nanoseconds => count.div_euclid(1000),
        TimeUnit::Microseconds => count,
        TimeUnit::Milliseconds => count.saturating_mul(1000),
    }
}

/// Days since 1970-01-01 as a date.
fn day(days: i32) -> String {
    let midnight = Timestamp::from_second(i64::from(days) * 86_400).unwrap_or(Timestamp::UNIX_EPOCH);
    midnight.strftime("%Y-%m-%d").to_string()
}

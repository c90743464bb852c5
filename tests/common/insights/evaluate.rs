//! Expressions to values.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::language::{Expression, is_aggregate};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Nothing,
    Text(String),
    Number(f64),
    Flag(bool),
}

/// Fields by name.
pub type Row = BTreeMap<String, Cell>;

impl Cell {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Flag(flag) => Some(f64::from(u8::from(*flag))),
            Self::Nothing => None,
        }
    }

    /// Numbers as numbers, all else as text; nothing comes first.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self.number(), other.number()) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            _ => self.text().cmp(&other.text()),
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Text(text) => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            Self::Flag(flag) => Some(flag.to_string()),
        }
    }
}

pub fn is_true(cell: &Cell) -> bool {
    *cell == Cell::Flag(true)
}

/// The value of an expression for one row.
pub fn scalar(expression: &Expression, row: &Row) -> Cell {
    match expression {
        Expression::Number(number) | Expression::Period(number) => Cell::Number(*number),
        Expression::Text(text) => Cell::Text(text.clone()),
        Expression::Field(name) => row.get(name).cloned().unwrap_or(Cell::Nothing),
        Expression::Star | Expression::List(_) => panic!("no value of its own"),
        Expression::Not(inner) => Cell::Flag(!is_true(&scalar(inner, row))),
        Expression::Like { field, pattern } => Cell::Flag(scalar(field, row).text().is_some_and(|text| pattern.is_match(&text))),
        Expression::Binary { operator, left, right } => match (operator.as_str(), right.as_ref()) {
            ("in", Expression::List(items)) => {
                let left = scalar(left, row);
                Cell::Flag(items.iter().any(|item| scalar(item, row) == left))
            }
            (operator, right) => combined(operator, &scalar(left, row), &scalar(right, row)),
        },
        Expression::Call { function, arguments } => {
            let values: Vec<Cell> = arguments.iter().map(|argument| scalar(argument, row)).collect();
            called(function, &values, row)
        }
    }
}

fn combined(operator: &str, left: &Cell, right: &Cell) -> Cell {
    let numbers = || Some((left.number()?, right.number()?));
    let number = |of: fn(f64, f64) -> f64| numbers().map_or(Cell::Nothing, |(left, right)| Cell::Number(of(left, right)));
    match operator {
        "and" => Cell::Flag(is_true(left) && is_true(right)),
        "or" => Cell::Flag(is_true(left) || is_true(right)),
        "=" => Cell::Flag(*left != Cell::Nothing && left.order(right) == Ordering::Equal),
        "!=" => Cell::Flag(left.order(right) != Ordering::Equal),
        "<" => Cell::Flag(numbers().is_some_and(|(left, right)| left < right)),
        "<=" => Cell::Flag(numbers().is_some_and(|(left, right)| left <= right)),
        ">" => Cell::Flag(numbers().is_some_and(|(left, right)| left > right)),
        ">=" => Cell::Flag(numbers().is_some_and(|(left, right)| left >= right)),
        "+" => number(|left, right| left + right),
        "-" => number(|left, right| left - right),
        "*" => number(|left, right| left * right),
        "/" => number(|left, right| left / right),
        _ => panic!("{operator}"),
    }
}

fn called(function: &str, values: &[Cell], row: &Row) -> Cell {
    let number = |of: fn(f64) -> f64| values[0].number().map_or(Cell::Nothing, |value| Cell::Number(of(value)));
    let fold = |of: fn(f64, f64) -> f64| {
        let numbers: Option<Vec<f64>> = values.iter().map(Cell::number).collect();
        numbers.and_then(|numbers| numbers.into_iter().reduce(of)).map_or(Cell::Nothing, Cell::Number)
    };
    match (function, values) {
        ("strcontains", [text, part]) => {
            let holds = text.text().zip(part.text()).is_some_and(|(text, part)| text.contains(&part));
            Cell::Number(f64::from(u8::from(holds)))
        }
        ("coalesce", values) => values.iter().find(|value| **value != Cell::Nothing).cloned().unwrap_or(Cell::Nothing),
        ("ceil", _) => number(f64::ceil),
        ("floor", _) => number(f64::floor),
        ("least", _) => fold(f64::min),
        ("greatest", _) => fold(f64::max),
        ("ispresent", [value]) => Cell::Flag(*value != Cell::Nothing),
        ("bin", [period]) => {
            let (at, period) = (row["@timestamp"].number().expect("a moment"), period.number().expect("a period"));
            Cell::Number((at / period).floor() * period)
        }
        _ => panic!("{function}"),
    }
}

/// The value of an expression for a group of rows.
pub fn aggregated(expression: &Expression, rows: &[&Row]) -> Cell {
    match expression {
        Expression::Call { function, arguments } if is_aggregate(function) => aggregate(function, arguments, rows),
        Expression::Binary { operator, left, right } => combined(operator, &aggregated(left, rows), &aggregated(right, rows)),
        Expression::Number(number) => Cell::Number(*number),
        _ => panic!("neither aggregate nor number"),
    }
}

fn aggregate(function: &str, arguments: &[Expression], rows: &[&Row]) -> Cell {
    if matches!(arguments, [Expression::Star]) {
        #[allow(clippy::cast_precision_loss)]
        return Cell::Number(rows.len() as f64);
    }
    let values = || rows.iter().map(|row| scalar(&arguments[0], row)).filter(|value| *value != Cell::Nothing);
    let numbers = || values().filter_map(|value| value.number());
    #[allow(clippy::cast_precision_loss)]
    let count = |count: usize| count as f64;
    // The value in the row itself, even when that is none: the service does not say that it looks further.
    let at_time = |pick: fn(Ordering) -> bool| {
        let moment = |row: &&Row| row["@timestamp"].number().expect("a moment");
        let best = rows.iter().copied().reduce(|best, row| if pick(moment(&row).total_cmp(&moment(&best))) { row } else { best });
        best.map_or(Cell::Nothing, |row| scalar(&arguments[0], row))
    };
    match function {
        "count" => Cell::Number(count(values().count())),
        "count_distinct" => Cell::Number(count(values().map(|value| format!("{value:?}")).collect::<BTreeSet<_>>().len())),
        "sum" => Cell::Number(numbers().sum()),
        "avg" => Cell::Number(numbers().sum::<f64>() / count(numbers().count())),
        "min" => numbers().min_by(f64::total_cmp).map_or(Cell::Nothing, Cell::Number),
        "max" => numbers().max_by(f64::total_cmp).map_or(Cell::Nothing, Cell::Number),
        "pct" => {
            let mut sorted: Vec<f64> = numbers().collect();
            sorted.sort_by(f64::total_cmp);
            let share = scalar(&arguments[1], &Row::new()).number().expect("a share") / 100.0;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let at = ((count(sorted.len()) * share).ceil() as usize).clamp(1, sorted.len());
            Cell::Number(sorted[at - 1])
        }
        "earliest" => at_time(Ordering::is_lt),
        "latest" => at_time(Ordering::is_ge),
        _ => panic!("{function}"),
    }
}

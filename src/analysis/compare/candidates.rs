//! What could be said of the executions of a column: each is one test.
//!
//! Which tests there are depends on both sides together, never on which side an execution is on: otherwise p would promise too much.

use std::collections::HashMap;

use super::cell::{Cell, mix};
use super::columns::{Column, Reading};
use super::report::{NotTested, Reason};
use crate::analysis::fleet::quantile;
use crate::analysis::statistics::Table;

/// A condition on an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Equal(Cell),
    HasType(&'static str),
    Present,
    Happened,
    Above(f64),
    /// From this moment on.
    From(f64),
    /// In the stretch of time that begins then.
    Within(f64, i64),
}

/// A condition with what it gives.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub column: usize,
    pub test: Test,
    pub table: Table,
    /// The same for conditions that the same rows fulfil, or just the others.
    pub partition: u64,
}

/// Values that are different for more than half of the rows that have them are names of things.
const MOST_DISTINCT_SHARE: f64 = 0.5;
/// …unless they are as few as these.
const FEW: usize = 20;
/// More different texts are not looked at one by one.
const MOST_VALUES: usize = 10_000;
/// Numbers that have so few values are compared with each of them as well.
const FEW_NUMBERS: usize = 12;
/// Bytes: the service takes 256 KiB.
const SIZES: [f64; 9] = [1024.0, 2048.0, 4096.0, 8192.0, 16_384.0, 32_768.0, 65_536.0, 131_072.0, 196_608.0];
/// Numbers are cut once in each twentieth of them, moments at these quantiles.
const CUTS: [f64; 19] = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/// Everything that can be tested in a column, for rows of which the first `a_total` are side A.
pub(super) fn candidates(number: usize, column: &Column, a_total: u32, rows: u32, not_tested: &mut Vec<NotTested>) -> Vec<Candidate> {
    let mut tests = Vec::new();
    match column.reading {
        Reading::Flag => tests.push(Test::Happened),
        Reading::CutShort | Reading::Numbers => tests.extend(numbers(column).into_iter().map(Test::Above)),
        Reading::Bytes => tests.extend(SIZES.map(Test::Above)),
        Reading::Moments => tests.extend(moments(column).into_iter().map(Test::From)),
        Reading::Slots(length) => tests.extend(values(column).into_keys().filter_map(|cell| match cell {
            Cell::Number(from) => Some(Test::Within(*from, length)),
            _ => None,
        })),
        Reading::Values => of_values(column, &mut tests),
    }
    let mut candidates: Vec<Candidate> = tests
        .into_iter()
        .map(|test| {
            let (table, partition) = count(column, &test, a_total, rows);
            Candidate { column: number, test, table, partition }
        })
        .collect();
    candidates.extend(equal_values(number, column, a_total, rows, not_tested));
    candidates.retain(|candidate| (1..u64::from(rows)).contains(&candidate.table.having()));
    candidates.sort_by_key(|candidate| order(&candidate.test));
    candidates
}

/// Tests have an order of their own, whatever order values came in.
fn order(test: &Test) -> (u8, i64, String) {
    #[allow(clippy::cast_possible_truncation, reason = "only has to be the same each time")]
    let bits = |number: f64| (number * 1000.0) as i64;
    match test {
        Test::Happened => (0, 0, String::new()),
        Test::Present => (1, 0, String::new()),
        Test::HasType(name) => (2, 0, (*name).to_owned()),
        Test::Equal(cell) => (3, 0, cell.json().to_string()),
        Test::Above(cut) => (4, bits(*cut), String::new()),
        Test::From(cut) => (5, bits(*cut), String::new()),
        Test::Within(cut, length) => (6, bits(*cut), length.to_string()),
    }
}

/// Whether a row with this value fulfils a condition.
pub(super) fn holds(test: &Test, cell: &Cell) -> bool {
    match (test, cell) {
        (Test::Equal(wanted), cell) => wanted == cell,
        (Test::HasType(name), cell) => cell.type_name() == *name,
        (Test::Present | Test::Happened, _) => true,
        (Test::Above(cut), Cell::Number(number)) => number > cut,
        (Test::From(from), Cell::Number(number)) => number >= from,
        (Test::Within(from, _), Cell::Number(number)) => number.to_bits() == from.to_bits(),
        _ => false,
    }
}

/// Which rows fulfil a condition, each once.
pub(super) fn members<'a>(column: &'a Column, test: &'a Test) -> impl Iterator<Item = u32> + 'a {
    let mut last = None;
    column.cells.iter().filter(move |(_, cell)| holds(test, cell)).filter_map(move |(row, _)| {
        let is_new = last != Some(*row);
        last = Some(*row);
        is_new.then_some(*row)
    })
}

fn count(column: &Column, test: &Test, a_total: u32, rows: u32) -> (Table, u64) {
    tally(members(column, test), a_total, rows)
}

fn tally(members: impl Iterator<Item = u32>, a_total: u32, rows: u32) -> (Table, u64) {
    let (mut a, mut b, mut partition) = (0, 0, 0_u64);
    for row in members {
        if row < a_total {
            a += 1;
        } else {
            b += 1;
        }
        partition = partition.wrapping_add(mix(u64::from(row)));
    }
    let table = Table { a, a_total: u64::from(a_total), b, b_total: u64::from(rows - a_total) };
    (table, partition)
}

/// Tests of a column of any values, but for those of equality.
fn of_values(column: &Column, tests: &mut Vec<Test>) {
    tests.push(Test::Present);
    let mut types: Vec<&str> = column.cells.iter().map(|(_, cell)| cell.type_name()).collect();
    types.sort_unstable();
    types.dedup();
    if types.len() > 1 {
        tests.extend(types.into_iter().map(Test::HasType));
    }
    let is_number = column.cells.iter().any(|(_, cell)| matches!(cell, Cell::Number(_)));
    if is_number && &*column.name != "hour" {
        tests.extend(numbers(column).into_iter().map(Test::Above));
    }
}

fn equal_values(number: usize, column: &Column, a_total: u32, rows: u32, not_tested: &mut Vec<NotTested>) -> Vec<Candidate> {
    if column.reading != Reading::Values {
        return Vec::new();
    }
    let values = values(column);
    let texts = values.keys().filter(|cell| matches!(cell, Cell::Text(_))).count();
    let numbers = values.keys().filter(|cell| matches!(cell, Cell::Number(_))).count();
    let with_text = column.cells.iter().filter(|(_, cell)| matches!(cell, Cell::Text(_))).count();
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let is_identifier = texts > FEW && texts as f64 > MOST_DISTINCT_SHARE * with_text as f64;
    let mut refuse = |reason, text: String| not_tested.push(NotTested { attribute: column.name.to_string(), reason, text });
    if is_identifier {
        refuse(Reason::Identifier, format!("{texts} different values in {with_text}"));
    } else if texts > MOST_VALUES {
        refuse(Reason::TooManyValues, format!("{texts} different values, more than {MOST_VALUES}"));
    }
    let is_tested = |cell: &Cell| match cell {
        Cell::Text(_) => !is_identifier && texts <= MOST_VALUES,
        Cell::Number(_) => numbers <= FEW_NUMBERS || &*column.name == "hour",
        Cell::Boolean(_) => true,
        // Their type says it.
        Cell::Null | Cell::Object | Cell::Array => false,
    };
    let of_value = |(cell, members): (&Cell, Vec<u32>)| {
        let (table, partition) = tally(members.into_iter(), a_total, rows);
        Candidate { column: number, test: Test::Equal(cell.clone()), table, partition }
    };
    values.into_iter().filter(|(cell, _)| is_tested(cell)).map(of_value).collect()
}

/// The rows of each value.
fn values(column: &Column) -> HashMap<&Cell, Vec<u32>> {
    let mut values: HashMap<&Cell, Vec<u32>> = HashMap::new();
    for (row, cell) in &column.cells {
        values.entry(cell).or_default().push(*row);
    }
    values
}

/// Where to cut numbers in two: between the values where they are few, else near quantiles, at round numbers.
fn numbers(column: &Column) -> Vec<f64> {
    let sorted = sorted_numbers(column);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= FEW_NUMBERS {
        distinct.pop();
        return distinct;
    }
    let near = |p: f64| Some(roundest(quantile(&sorted, p - 0.025)?, quantile(&sorted, p + 0.025)?));
    let mut cuts: Vec<f64> = CUTS.iter().filter_map(|p| near(*p)).collect();
    cuts.dedup();
    cuts
}

/// Moments to cut at, at full minutes.
fn moments(column: &Column) -> Vec<f64> {
    const MINUTE: f64 = 60e6;
    let sorted = sorted_numbers(column);
    let mut cuts: Vec<f64> =
        CUTS.iter().skip(1).step_by(2).filter_map(|p| Some((quantile(&sorted, *p)? / MINUTE).floor() * MINUTE)).collect();
    cuts.dedup();
    cuts
}

fn sorted_numbers(column: &Column) -> Vec<f64> {
    let number = |cell: &Cell| if let Cell::Number(number) = cell { Some(*number) } else { None };
    let mut sorted: Vec<f64> = column.cells.iter().filter_map(|(_, cell)| number(cell)).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The number between two others, both included, that is written with the fewest digits.
fn roundest(low: f64, high: f64) -> f64 {
    let size = high.abs().max(low.abs());
    if low >= high || size == 0.0 {
        return low;
    }
    #[allow(clippy::cast_possible_truncation, reason = "an exponent")]
    let largest = size.log10().floor() as i32;
    for exponent in (largest - 15..=largest).rev() {
        for unit in [5.0, 2.0, 1.0] {
            // Powers below one are no exact numbers; their inverses are.
            let (step, scale) = if exponent >= 0 { (unit * 10f64.powi(exponent), 1.0) } else { (1.0, 10f64.powi(-exponent) / unit) };
            let candidate = (low / step * scale).ceil() * step / scale;
            if (low..=high).contains(&candidate) {
                return candidate + 0.0;
            }
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_round_where_they_can_be() {
        assert_eq!(roundest(870.0, 1040.0).to_string(), "1000");
        assert_eq!(roundest(1230.0, 1290.0).to_string(), "1250");
        assert_eq!(roundest(0.131, 0.167).to_string(), "0.15");
        assert_eq!(roundest(-12.0, 3.0).to_string(), "0");
        assert_eq!(roundest(7.0, 7.0).to_string(), "7");
    }
}

//! Logs Insights as far as the saved queries use it: reads a query, checks it against the rules of the language, and answers it over log
//! events. Written from the documentation of the language: it holds what we mean, not what the service does.
//!
//! | command | here                                                                                          |
//! |---------|-----------------------------------------------------------------------------------------------|
//! | filter  | `and or not`, `= != < <= > >=`, `like /regex/`, `in [..]`                                      |
//! | fields  | expressions with names, added to the row                                                       |
//! | parse   | a regular expression with named groups; rows that do not match keep no value                   |
//! | stats   | at most twice; `sort`, `limit` and `display` only behind the last; the second sees the first's |
//! | sort    | by several fields, numbers as numbers; no value first                                          |

mod evaluate;
mod language;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use evaluate::{Cell, Row};
use evaluate::{aggregated, is_true, scalar};
use language::{Command, Expression, Named};

/// What a log event of Step Functions holds that a query may name.
const FIELDS: &[&str] = &[
    "@timestamp",
    "@message",
    "id",
    "type",
    "execution_arn",
    "redrive_count",
    "previous_event_id",
    "details.name",
    "details.state",
    "details.error",
    "details.cause",
    "details.resource",
    "details.resourceType",
    "details.stateMachineVersionArn",
    "details.stateMachineAliasArn",
];

/// A query that keeps to the rules.
pub struct Query {
    commands: Vec<Command>,
    /// The columns of its rows, in their order.
    pub columns: Vec<String>,
}

/// Reads a query; what breaks a rule is an error in words.
pub fn read(text: &str) -> Result<Query, String> {
    let commands = language::commands(text)?;
    let columns = checked(&commands)?;
    Ok(Query { commands, columns })
}

/// The rules that go over several commands; returns the columns.
fn checked(commands: &[Command]) -> Result<Vec<String>, String> {
    let mut known: BTreeSet<String> = FIELDS.iter().map(|&field| field.to_owned()).collect();
    let mut columns: Vec<String> = Vec::new();
    let stats = commands.iter().filter(|command| matches!(command, Command::Stats { .. })).count();
    let (mut seen, mut shown) = (0, false);
    if stats > 2 {
        return Err("more than two stats".to_owned());
    }
    for command in commands {
        for field in command.fields() {
            if !known.contains(&field) {
                return Err(format!("`{field}` is no field here"));
            }
        }
        match command {
            Command::Stats { aggregates, by } => {
                seen += 1;
                columns = by.iter().chain(aggregates).map(|named| named.name.clone()).collect();
                known = columns.iter().cloned().collect();
            }
            Command::Sort(_) | Command::Limit(_) | Command::Display(_) if seen < stats => return Err("behind it comes a stats".to_owned()),
            Command::Display(names) => {
                shown = true;
                columns.clone_from(names);
            }
            Command::Fields(names) => {
                known.extend(names.iter().map(|named| named.name.clone()));
                if seen == 0 && !shown {
                    columns.extend(names.iter().map(|named| named.name.clone()));
                }
            }
            Command::Parse { groups, .. } => known.extend(groups.iter().cloned()),
            _ => {}
        }
    }
    let once: BTreeSet<&String> = columns.iter().collect();
    if once.len() != columns.len() {
        return Err(format!("two columns of one name: {columns:?}"));
    }
    Ok(columns)
}

impl Query {
    /// The rows, each with what it has of the columns.
    pub fn answer(&self, events: &[Value]) -> Vec<Row> {
        let mut rows: Vec<Row> = events.iter().map(row_of).collect();
        for command in &self.commands {
            match command {
                Command::Filter(condition) => rows.retain(|row| is_true(&scalar(condition, row))),
                Command::Fields(names) => rows.iter_mut().for_each(|row| add(row, names)),
                Command::Parse { field, pattern, groups } => rows.iter_mut().for_each(|row| parse(row, field, pattern, groups)),
                Command::Stats { aggregates, by } => rows = stats(&rows, aggregates, by),
                Command::Sort(keys) => sort(&mut rows, keys),
                Command::Limit(most) => rows.truncate(*most),
                Command::Display(names) => rows.iter_mut().for_each(|row| row.retain(|name, _| names.contains(name))),
            }
        }
        for row in &mut rows {
            row.retain(|name, cell| self.columns.contains(name) && *cell != Cell::Nothing);
        }
        rows
    }
}

/// The discovered fields of a log event.
fn row_of(event: &Value) -> Row {
    let mut row = Row::new();
    let message: Value = serde_json::from_str(event["message"].as_str().expect("a message")).expect("JSON");
    row.insert("@timestamp".to_owned(), Cell::Number(event["timestamp"].as_f64().expect("milliseconds")));
    row.insert("@message".to_owned(), Cell::Text(event["message"].as_str().expect("a message").to_owned()));
    discover("", &message, &mut row);
    row
}

fn discover(path: &str, value: &Value, row: &mut Row) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            discover(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, value, row);
        }),
        Value::String(text) => _ = row.insert(path.to_owned(), Cell::Text(text.clone())),
        Value::Number(number) => _ = row.insert(path.to_owned(), Cell::Number(number.as_f64().expect("a number"))),
        Value::Bool(flag) => _ = row.insert(path.to_owned(), Cell::Flag(*flag)),
        _ => {}
    }
}

fn add(row: &mut Row, names: &[Named]) {
    for named in names {
        let cell = scalar(&named.expression, row);
        row.insert(named.name.clone(), cell);
    }
}

fn parse(row: &mut Row, field: &str, pattern: &regex::Regex, groups: &[String]) {
    let Some(Cell::Text(text)) = row.get(field).cloned() else { return };
    if let Some(found) = pattern.captures(&text) {
        for group in groups {
            row.insert(group.clone(), Cell::Text(found[group.as_str()].to_owned()));
        }
    }
}

fn stats(rows: &[Row], aggregates: &[Named], by: &[Named]) -> Vec<Row> {
    let mut groups: BTreeMap<Vec<String>, (Vec<Cell>, Vec<&Row>)> = BTreeMap::new();
    for row in rows {
        let key: Vec<Cell> = by.iter().map(|named| scalar(&named.expression, row)).collect();
        let order = key.iter().map(|cell| format!("{cell:?}")).collect();
        groups.entry(order).or_insert_with(|| (key, Vec::new())).1.push(row);
    }
    let row_of = |(key, rows): (Vec<Cell>, Vec<&Row>)| -> Row {
        let names = by.iter().map(|named| named.name.clone()).zip(key);
        let values = aggregates.iter().map(|named| (named.name.clone(), aggregated(&named.expression, &rows)));
        names.chain(values).collect()
    };
    groups.into_values().map(row_of).collect()
}

fn sort(rows: &mut [Row], keys: &[(String, bool)]) {
    rows.sort_by(|one, other| {
        keys.iter().fold(std::cmp::Ordering::Equal, |order, (field, ascending)| {
            let (one, other) = (one.get(field).unwrap_or(&Cell::Nothing), other.get(field).unwrap_or(&Cell::Nothing));
            order.then_with(|| if *ascending { one.order(other) } else { other.order(one) })
        })
    });
}

/// For whoever looks at expressions.
fn fields_of(expression: &Expression, into: &mut Vec<String>) {
    match expression {
        Expression::Field(name) => into.push(name.clone()),
        Expression::Call { arguments, .. } | Expression::List(arguments) => arguments.iter().for_each(|inner| fields_of(inner, into)),
        Expression::Binary { left, right, .. } => [left, right].into_iter().for_each(|inner| fields_of(inner, into)),
        Expression::Like { field, .. } => fields_of(field, into),
        Expression::Not(inner) => fields_of(inner, into),
        Expression::Number(_) | Expression::Text(_) | Expression::Star | Expression::Period(_) => {}
    }
}

//! Rows of a query as a table, JSON or CSV.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::columns::wrapped;
use super::escape;
use super::grid::{GAP, Grid};
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::store::sql::{Cell, NAMED, Rows};

/// The schema of the JSON document.
pub const SCHEMA: &str = "stepscope.query/1";

/// A table for people: numbers to the right, wide columns cut to `room` where there is one.
pub fn table(rows: &Rows, styles: &Styles, redactor: Redactor, room: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> = rows.columns().into_iter().map(|name| shown(name, redactor)).collect();
    let mut grid = Grid { is_number: vec![true; names.len()], names, lines: Vec::with_capacity(rows.len()) };
    for row in rows.iter() {
        for (at, cell) in row.iter().enumerate() {
            grid.is_number[at] &= matches!(cell, Cell::Null | Cell::Integer(_) | Cell::Number(_));
        }
        grid.lines.push(row.iter().map(|cell| shown(&text_of(cell), redactor)).collect());
    }
    grid.write(styles, room, out)
}

/// One document: the columns, and a list of rows.
pub fn json(rows: &Rows, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    let columns = serde_json::to_string(&rows.columns())?;
    writeln!(out, "{{\n  \"schema\": \"{SCHEMA}\",\n  \"columns\": {},", escape::json(&columns))?;
    write!(out, "  \"rows\": [")?;
    for (number, row) in rows.iter().enumerate() {
        write!(out, "{}\n    {}", if number == 0 { "" } else { "," }, object(&rows.columns(), &row, redactor)?)?;
    }
    writeln!(out, "{}]\n}}", if rows.is_empty() { "" } else { "\n  " })
}

/// One object a row, each on a line.
pub fn json_lines(rows: &Rows, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    for row in rows.iter() {
        writeln!(out, "{}", object(&rows.columns(), &row, redactor)?)?;
    }
    Ok(())
}

/// Comma-separated values as RFC 4180 has them, the names first; no value is an empty field.
pub fn csv(rows: &Rows, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(rows.columns())?;
    for row in rows.iter() {
        let texts = row.iter().map(|cell| match cell {
            Cell::Text(text) => redactor.apply(text).into_owned(),
            cell => text_of(cell),
        });
        writer.write_record(texts)?;
    }
    writer.flush()
}

fn shown(text: &str, redactor: Redactor) -> String {
    escape::line(&redactor.apply(text)).into_owned()
}

fn text_of(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Flag(flag) => flag.to_string(),
        Cell::Integer(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.to_string(),
        Cell::Moment(moment) => moment.timestamp().to_string(),
        Cell::Day(day) => day.clone(),
        Cell::List(cells) => format!("[{}]", cells.iter().map(text_of).collect::<Vec<_>>().join(", ")),
    }
}

fn object(columns: &[&str], row: &[Cell<'_>], redactor: Redactor) -> io::Result<String> {
    let text = serde_json::to_string(&Row { columns, cells: row })?;
    Ok(escape::json(&redactor.apply(&text)).into_owned())
}

struct Row<'r> {
    columns: &'r [&'r str],
    cells: &'r [Cell<'r>],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            map.serialize_entry(column, &Value(cell))?;
        }
        map.end()
    }
}

struct Value<'r>(&'r Cell<'r>);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Null => serializer.serialize_unit(),
            Cell::Flag(flag) => serializer.serialize_bool(*flag),
            Cell::Integer(number) => match i64::try_from(*number) {
                Ok(number) => serializer.serialize_i64(number),
                Err(_) => serializer.serialize_i128(*number),
            },
            // JSON has no infinity.
            Cell::Number(number) if !number.is_finite() => serializer.serialize_unit(),
            Cell::Number(number) => serializer.serialize_f64(*number),
            Cell::Text(text) => serializer.serialize_str(text),
            Cell::Moment(moment) => moment.serialize(serializer),
            Cell::Day(day) => serializer.serialize_str(day),
            Cell::List(cells) => {
                let mut list = serializer.serialize_seq(Some(cells.len()))?;
                for cell in cells {
                    list.serialize_element(&Value(cell))?;
                }
                list.end()
            }
        }
    }
}

/// The queries that come with the program.
#[derive(Debug, serde::Serialize)]
pub struct NamedList {
    /// `stepscope.query/1`.
    schema: &'static str,
    /// In the order of their names.
    queries: Vec<NamedEntry>,
}

#[derive(Debug, serde::Serialize)]
struct NamedEntry {
    name: &'static str,
    question: &'static str,
    sql: &'static str,
}

impl NamedList {
    /// All of them.
    pub fn new() -> Self {
        let queries = NAMED.iter().map(|query| NamedEntry { name: query.name, question: query.question(), sql: query.sql }).collect();
        Self { schema: SCHEMA, queries }
    }

    /// Names and questions for a screen of this width.
    pub fn text(&self, styles: &Styles, room: usize, out: &mut dyn Write) -> io::Result<()> {
        let widest = self.queries.iter().map(|query| query.name.len()).max().unwrap_or_default();
        for query in &self.queries {
            for (number, line) in wrapped(query.question, room.saturating_sub(widest + GAP.len())).iter().enumerate() {
                let name = if number == 0 { query.name } else { "" };
                writeln!(out, "{}{GAP}{line}", paint(styles.state, format!("{name:widest$}")))?;
            }
        }
        Ok(())
    }
}

impl Default for NamedList {
    fn default() -> Self {
        Self::new()
    }
}
